/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_grpc.c - gRPC (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md) and
 * gRPC-Web (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md).
 *
 * They differ in where the outcome stands: in HTTP's trailers, or in a last envelope of the body.
 * An outcome before any message goes into the head of the response in both (Trailers-Only): clients
 * retry only what ended so.
 */
#include "server/rpc/dialect.h"

enum { TRAILERS_MAX_BYTES = 64 * 1024 };

static const struct vts_head_names head_names = {
    .encoding = VTS_FIELD_GRPC_ENCODING,
    .accept_encoding = VTS_FIELD_GRPC_ACCEPT_ENCODING,
    .timeout = VTS_FIELD_GRPC_TIMEOUT,
    .parse_timeout = vts_timeout_parse_grpc,
};

static void read_head(struct vts_call *call)
{
    vts_dialect_read_head(call, &head_names);
}

static void begin(struct vts_call *call)
{
    struct vts_response *response = &call->exchange->response;

    vts_dialect_begin_response(call, call->http_code == 0 ? 200 : call->http_code,
                               call->content_type);
    /* For those who may use it: every field costs something. */
    if (call->names_encodings)
        vts_response_add_text(response, "grpc-accept-encoding", "identity,gzip");
}

static void start(struct vts_call *call)
{
    begin(call);
    if (vts_dialect_announces_gzip(call))
        vts_response_add_text(&call->exchange->response, "grpc-encoding", "gzip");
    vts_exchange_start(call->exchange);
}

/* All metadata and the outcome in the head. */
static void send_trailers_only(struct vts_call *call)
{
    struct vts_response *response = &call->exchange->response;
    const struct vts_header *fields;
    struct vts_header *all;
    size_t count;

    begin(call);
    fields = vts_dialect_make_status(call, &count);
    all = vts_arena_alloc(&call->notes, (call->headers.count + count) * sizeof(*all));
    if (all == NULL || call->headers.count + count > VTS_RESPONSE_MORE_MAX) {
        response->more_headers = fields;
        response->more_headers_count = count > VTS_RESPONSE_MORE_MAX ? 1 : count;
    } else {
        if (call->headers.count > 0)
            memcpy(all, call->headers.items, call->headers.count * sizeof(*all));
        memcpy(all + call->headers.count, fields, count * sizeof(*all));
        response->more_headers = all;
        response->more_headers_count = call->headers.count + count;
    }
    call->reply = VTS_REPLY_ENDED;
    vts_exchange_send(call->exchange);
}

static void reply(struct vts_call *call)
{
    if (call->code != VTS_RPC_OK) {
        (void)vts_call_drop_outgoing(call); /* nothing of it was sent */
        send_trailers_only(call);
        return;
    }
    call->reply = VTS_REPLY_OPEN;
    start(call);
}

static void end(struct vts_call *call)
{
    struct vts_response *response = &call->exchange->response;

    response->trailers = vts_dialect_make_status(call, &response->trailers_count);
}

/* The trailers as an HTTP/1 header block, without an empty line at its end. */
static void end_web(struct vts_call *call)
{
    const struct vts_header *fields;
    struct vts_buf block;
    size_t count;

    fields = vts_dialect_make_status(call, &count);
    vts_buf_init(&block, TRAILERS_MAX_BYTES);
    for (size_t i = 0; i < count; i++) {
        vts_buf_append_str(&block, fields[i].name);
        vts_buf_append_text(&block, ": ");
        vts_buf_append_str(&block, fields[i].value);
        vts_buf_append_text(&block, "\r\n");
    }
    if (vts_buf_check(&block) == VTS_OK) {
        vts_call_put_envelope(call, VTS_ENVELOPE_WEB_TRAILERS, &block);
    } else {
        vts_buf_fini(&block);
        vts_exchange_reset(call->exchange); /* an answer without its end is none */
    }
}

const struct vts_dialect vts_dialect_grpc = {
    .name = "grpc",
    .has_envelopes = true,
    .malformed_code = VTS_RPC_INTERNAL,
    .truncated_code = VTS_RPC_INTERNAL,
    .bad_encoding_code = VTS_RPC_INTERNAL,
    .unknown_encoding = {VTS_RPC_UNIMPLEMENTED, 0},
    .bad_timeout = {VTS_RPC_INTERNAL, 400},
    .bad_metadata = {VTS_RPC_INTERNAL, 400},
    .read_head = read_head,
    .start = start,
    .reply = reply,
    .end = end,
};

const struct vts_dialect vts_dialect_grpc_web = {
    .name = "grpcweb",
    .has_envelopes = true,
    .malformed_code = VTS_RPC_INTERNAL,
    .truncated_code = VTS_RPC_INTERNAL,
    .bad_encoding_code = VTS_RPC_INTERNAL,
    .unknown_encoding = {VTS_RPC_UNIMPLEMENTED, 0},
    .bad_timeout = {VTS_RPC_INVALID_ARGUMENT, 0},
    .bad_metadata = {VTS_RPC_INTERNAL, 400},
    .read_head = read_head,
    .start = start,
    .reply = reply,
    .end = end_web,
};

const struct vts_dialect vts_dialect_grpc_web_text = {
    .name = "grpcweb",
    .has_envelopes = true,
    .is_text = true,
    .malformed_code = VTS_RPC_INTERNAL,
    .truncated_code = VTS_RPC_INTERNAL,
    .bad_encoding_code = VTS_RPC_INTERNAL,
    .unknown_encoding = {VTS_RPC_UNIMPLEMENTED, 0},
    .bad_timeout = {VTS_RPC_INVALID_ARGUMENT, 0},
    .bad_metadata = {VTS_RPC_INTERNAL, 400},
    .read_head = read_head,
    .start = start,
    .reply = reply,
    .end = end_web,
};
