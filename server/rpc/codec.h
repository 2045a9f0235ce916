/* SPDX-License-Identifier: Apache-2.0 */
/* How a message is written in bytes: protobuf or ProtoJSON. Inside server/rpc only. */
#ifndef VTS_RPC_CODEC_H
#define VTS_RPC_CODEC_H

#include "common/base/arena.h"
#include "server/rpc/rpc.h"

enum vts_codec { VTS_CODEC_PROTO, VTS_CODEC_JSON };

/* Makes a request message of the method in the arena. Bytes are looked through before anything is
 * made of them. VTS_ERR_PROTOCOL: they are no protobuf of the type; VTS_ERR_INVALID: they say what
 * the message may not have, such as text that is no UTF-8, or are no JSON of it; VTS_ERR_LIMIT:
 * more in it than one message may have, or than the arena; VTS_ERR_NOMEM. But for the last, error
 * has a text for the peer, and of a limit the enum vts_message_limit. */
VTS_MUST_CHECK enum vts_err vts_codec_decode(const struct vts_rpc *rpc, enum vts_codec codec,
                                             const struct vts_rpc_method *method,
                                             struct vts_str bytes, struct vts_arena *arena,
                                             struct vts_error *error,
                                             const ProtobufCMessage **ret_message);
/* How JSON of a peer is read; allocator is borrowed. */
struct vts_json_read_options vts_codec_json_options(const struct vts_rpc *rpc,
                                                    const struct vts_rpc_method *method,
                                                    ProtobufCAllocator *allocator);
/* Appends the message. VTS_ERR_INVALID when JSON cannot say it, or what the buffer says. */
VTS_MUST_CHECK enum vts_err vts_codec_encode(const struct vts_rpc *rpc, enum vts_codec codec,
                                             const ProtobufCMessage *message, struct vts_buf *out);

#endif
