/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf messages from a server, and back: decoded within bounds, and what the proto promises of
 * them beyond their types checked. */
#ifndef VTS_CLIENT_MESSAGE_H
#define VTS_CLIENT_MESSAGE_H

#include <protobuf-c/protobuf-c.h>
#include <stdbool.h>
#include <vtstatus/jobs.h>

#include "common/base/arena.h"
#include "common/base/buf.h"
#include "common/wire/json.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

/* Makes a message; strings in it are UTF-8 without NUL. *memory_bytes says how much it may take
 * and, afterwards, how much it took. The caller frees it with vts_message_free.
 * VTS_ERR_PROTOCOL, VTS_ERR_LIMIT or VTS_ERR_NOMEM, with the reason in *error, which may be NULL.
 */
VTS_MUST_CHECK enum vts_err vts_message_decode(struct vts_str bytes,
                                               const ProtobufCMessageDescriptor *type,
                                               size_t *memory_bytes, ProtobufCMessage **ret_message,
                                               struct vts_error *error);
/* message may be NULL. */
void vts_message_free(ProtobufCMessage *message);

/* Takes the message in the field of that index out of another one, so that it is the caller's; NULL
 * when there is none. Many responses are but a wrapping. */
ProtobufCMessage *vts_message_detach(ProtobufCMessage *message, unsigned field_index);

/* A string for a message that is only encoded, and so borrows it; NULL gives "". */
char *vts_message_text(const char *text);
/* Each pair as "key=value", the way filters have it, in the arena, which knows of a failure; NULL
 * then. */
char **vts_message_filters(const struct vts_pair *pairs, size_t count, struct vts_arena *arena);

/* Appends the message's bytes; what went wrong is in the buffer. */
void vts_message_encode(struct vts_buf *buf, const ProtobufCMessage *message);

/* As one line, as the server's REST routes write it. types may be NULL (see common/wire/json.h).
 * VTS_CLIENT_NO_MEMORY; the caller frees *ret_json with vts_string_free(). */
VTS_MUST_CHECK enum vts_client_code vts_message_to_json(const ProtobufCMessage *message,
                                                        const struct vts_json_types *types,
                                                        char **ret_json);

/* The same as plain ProtoJSON, as calls have it, for a type of the product's own proto. */
VTS_MUST_CHECK enum vts_client_code vts_message_to_proto_json(const ProtobufCMessage *message,
                                                              char **ret_json);

/* Whether they are in the ranges that their .proto files give; NULL is. */
bool vts_message_time_is_valid(const Google__Protobuf__Timestamp *time);
bool vts_message_duration_is_valid(const Google__Protobuf__Duration *duration);

/* Since the Unix epoch; 0 for NULL. */
int64_t vts_message_time_ns(const Google__Protobuf__Timestamp *time);
/* 0 for NULL. */
double vts_message_duration_s(const Google__Protobuf__Duration *duration);
/* seconds are finite, and fewer than 1e9 either way. */
void vts_message_set_duration(Google__Protobuf__Duration *duration, double seconds);

#endif
