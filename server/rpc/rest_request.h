/* SPDX-License-Identifier: Apache-2.0 */
/* The request message of a call of REST, made of all that HTTP says. Inside server/rpc only. */
#ifndef VTS_RPC_REST_REQUEST_H
#define VTS_RPC_REST_REQUEST_H

#include "server/rpc/call_parts.h"
#include "server/rpc/dialect_rest.h"

static inline enum vts_codec vts_rest_codec_of(enum vts_rest_form form)
{
    return form == VTS_REST_JSON ? VTS_CODEC_JSON : VTS_CODEC_PROTO;
}

/* As vts_dialect.decode. What the path says wins over what the body says of the same field, and so
 * does If-Match. */
VTS_MUST_CHECK enum vts_err vts_rest_request_decode(struct vts_call *call, struct vts_str body,
                                                    struct vts_error *error,
                                                    const ProtobufCMessage **ret_message);

#endif
