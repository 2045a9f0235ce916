/* SPDX-License-Identifier: Apache-2.0 */
/* How a call is written on HTTP: one table of functions a dialect. Inside server/rpc only. */
#ifndef VTS_RPC_DIALECT_H
#define VTS_RPC_DIALECT_H

#include "common/wire/timeout.h"
#include "server/rpc/call_parts.h"

/* How a head that is wrong is answered. */
struct vts_refusal {
    enum vts_rpc_code code;
    int http_code; /* 0: as ever with that code */
};

struct vts_dialect {
    const char *name;   /* for logs and metrics */
    bool has_envelopes; /* otherwise a body is one message */
    bool is_text;       /* bodies are base64 */
    /* What to call a protobuf that does not parse, a body that ends inside a message, and a message
     * that cannot be inflated. */
    enum vts_rpc_code malformed_code;
    enum vts_rpc_code truncated_code;
    enum vts_rpc_code bad_encoding_code;
    struct vts_refusal unknown_encoding;
    struct vts_refusal bad_timeout;
    struct vts_refusal bad_metadata; /* that should be base64 */
    int too_large_http_code;         /* of a message past its limits; 0: as ever */

    /* Reads what the request's head says. Breaks the call where that is wrong. */
    void (*read_head)(struct vts_call *call);
    /* Makes the request message of a whole body, as vts_codec_decode(), where there is more to it
     * than that; NULL: there is not. May set http_code for a refusal. */
    enum vts_err (*decode)(struct vts_call *call, struct vts_str body, struct vts_error *error,
                           const ProtobufCMessage **ret_message);
    /* Appends an answer, as vts_codec_encode(); NULL: as that does. */
    enum vts_err (*encode)(const struct vts_call *call, const ProtobufCMessage *message,
                           struct vts_buf *out);
    /* Sends the head of a response whose messages follow. */
    void (*start)(struct vts_call *call);
    /* The outcome is fixed before anything was sent: sends all there is, the held answer too. */
    void (*reply)(struct vts_call *call);
    /* The last message is out: puts the end of the body in the way out, or sets the trailers. */
    void (*end)(struct vts_call *call);
};

extern const struct vts_dialect vts_dialect_grpc;
extern const struct vts_dialect vts_dialect_grpc_web;
extern const struct vts_dialect vts_dialect_grpc_web_text;
extern const struct vts_dialect vts_dialect_connect;
extern const struct vts_dialect vts_dialect_connect_stream;
extern const struct vts_dialect vts_dialect_rest;

/* ---- dialect.c: what they have in common ---- */

/* The names a dialect has for the same facts. */
struct vts_head_names {
    enum vts_field encoding;
    enum vts_field accept_encoding;
    enum vts_field timeout;
    /* NULL: there is no field for it */
    enum vts_err (*parse_timeout)(struct vts_str text, int64_t *ret_ns);
};

/* Reads encodings, timeout and binary metadata; breaks the call where they are wrong. */
void vts_dialect_read_head(struct vts_call *call, const struct vts_head_names *names);
/* Begins the response: HTTP code, content type, a literal or NULL, CORS, and the call's own header
 * metadata. */
void vts_dialect_begin_response(struct vts_call *call, int http_code, const char *content_type);
/* Whether the held answer, or with streams any message, may go out compressed. */
bool vts_dialect_announces_gzip(const struct vts_call *call);
/* Fields that tell a gRPC outcome, and after them the call's trailer metadata. They live as long as
 * the call. */
const struct vts_header *vts_dialect_make_status(struct vts_call *call, size_t *ret_count);
/* Sends the response, with the error as its body. */
void vts_dialect_send_error(struct vts_call *call);
/* Appends the error as JSON (https://connectrpc.com/docs/protocol/#error-end-stream). */
void vts_dialect_write_error_json(const struct vts_call *call, struct vts_buf *out);

#endif
