/* SPDX-License-Identifier: Apache-2.0 */
/* dialect_connect.c - Connect (https://connectrpc.com/docs/protocol/): unary calls, whose body is
 * the message and whose outcome is HTTP's own, and streams, whose outcome is a last envelope of
 * JSON.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/json_text.h"
#include "server/rpc/dialect.h"

enum { JSON_MAX_BYTES = 128 * 1024 };

static const struct vts_head_names unary_names = {
    .encoding = VTS_FIELD_CONTENT_ENCODING,
    .accept_encoding = VTS_FIELD_ACCEPT_ENCODING,
    .timeout = VTS_FIELD_CONNECT_TIMEOUT_MS,
    .parse_timeout = vts_timeout_parse_connect,
};

static const struct vts_head_names stream_names = {
    .encoding = VTS_FIELD_CONNECT_CONTENT_ENCODING,
    .accept_encoding = VTS_FIELD_CONNECT_ACCEPT_ENCODING,
    .timeout = VTS_FIELD_CONNECT_TIMEOUT_MS,
    .parse_timeout = vts_timeout_parse_connect,
};

static void read_head(struct vts_call *call, const struct vts_head_names *names)
{
    struct vts_str version = call->exchange->request.fields[VTS_FIELD_CONNECT_PROTOCOL_VERSION];

    if (version.ptr != NULL && !vts_str_equals_text(version, "1"))
        vts_call_break(call, VTS_RPC_INVALID_ARGUMENT, "connect-protocol-version must be 1");
    else
        vts_dialect_read_head(call, names);
}

/* ---- unary ----------------------------------------------------------------------------- */

static void read_unary_head(struct vts_call *call)
{
    read_head(call, &unary_names);
}

/* Header metadata, and trailer metadata with names that say so. */
static void add_metadata(struct vts_call *call)
{
    static const char prefix[] = "trailer-";
    struct vts_response *response = &call->exchange->response;
    size_t count = call->headers.count;
    struct vts_header *all =
        vts_arena_alloc(&call->notes, (count + call->trailers.count) * sizeof(*all));

    if (all == NULL || call->trailers.count == 0)
        return; /* without memory, the answer must do without */
    if (count > 0)
        memcpy(all, call->headers.items, count * sizeof(*all));
    for (size_t i = 0; i < call->trailers.count && count < VTS_RESPONSE_MORE_MAX; i++) {
        struct vts_str name = call->trailers.items[i].name;
        char *longer = vts_arena_alloc(&call->notes, sizeof(prefix) + name.len);

        if (longer == NULL)
            break;
        (void)snprintf(longer, sizeof(prefix) + name.len, "%s%.*s", prefix, (int)name.len,
                       name.ptr);
        all[count].name = vts_str_of(longer);
        all[count++].value = call->trailers.items[i].value;
    }
    response->more_headers = all;
    response->more_headers_count = count;
}

static void begin_unary(struct vts_call *call, int http_code, const char *content_type)
{
    struct vts_response *response = &call->exchange->response;

    vts_dialect_begin_response(call, http_code, content_type);
    add_metadata(call);
    vts_response_add_text(response, "accept-encoding", "gzip");
    if (call->is_get)
        vts_response_add_text(response, "vary", "accept-encoding");
}

static void reply_error(struct vts_call *call)
{
    (void)vts_call_drop_outgoing(call); /* nothing of it was sent */
    begin_unary(call, call->http_code != 0 ? call->http_code : vts_rpc_code_http(call->code),
                "application/json");
    vts_dialect_send_error(call);
}

static void reply_unary(struct vts_call *call)
{
    struct vts_exchange *exchange = call->exchange;

    if (call->code != VTS_RPC_OK) {
        reply_error(call);
    } else if (call->http_code == 304) {
        begin_unary(call, 304, NULL);
        call->reply = VTS_REPLY_ENDED;
        vts_exchange_send(exchange);
    } else {
        begin_unary(call, 200, call->content_type);
        if (call->out.is_gzip)
            vts_response_add_text(&exchange->response, "content-encoding", "gzip");
        exchange->response.length = (int64_t)vts_call_outgoing_bytes(call);
        call->reply = VTS_REPLY_OPEN;
        vts_exchange_start(exchange);
    }
}

/* The end of a unary body says nothing more. */
static void end_unary(struct vts_call *call)
{
    (void)call;
}

/* A unary call's head waits for its outcome. */
static void start_unary(struct vts_call *call)
{
    (void)call;
    VTS_UNREACHABLE();
}

/* ---- streams --------------------------------------------------------------------------- */

static void read_stream_head(struct vts_call *call)
{
    read_head(call, &stream_names);
}

static void start_stream(struct vts_call *call)
{
    struct vts_response *response = &call->exchange->response;

    vts_dialect_begin_response(call, 200, call->content_type);
    vts_response_add_text(response, "connect-accept-encoding", "gzip");
    if (vts_dialect_announces_gzip(call))
        vts_response_add_text(response, "connect-content-encoding", "gzip");
    vts_exchange_start(call->exchange);
}

static void reply_stream(struct vts_call *call)
{
    if (call->code != VTS_RPC_OK)
        (void)vts_call_drop_outgoing(call); /* nothing of it was sent */
    call->reply = VTS_REPLY_OPEN;
    start_stream(call);
}

/* {"name":["value",...],...}: values of a name stand together. */
static void write_metadata(const struct vts_call_metadata *metadata, struct vts_buf *out)
{
    for (size_t i = 0; i < metadata->count; i++) {
        struct vts_str name = metadata->items[i].name;
        bool is_first = true;

        for (size_t j = 0; j < i && is_first; j++)
            is_first = !vts_str_equals(metadata->items[j].name, name);
        if (!is_first)
            continue;
        vts_buf_append_text(out, i == 0 ? "{" : ",");
        vts_json_text_write(out, name);
        vts_buf_append_text(out, ":[");
        for (size_t j = i; j < metadata->count; j++) {
            if (!vts_str_equals(metadata->items[j].name, name))
                continue;
            vts_buf_append_text(out, j == i ? "" : ",");
            vts_json_text_write(out, metadata->items[j].value);
        }
        vts_buf_append_text(out, "]");
    }
    vts_buf_append_text(out, "}");
}

static void end_stream(struct vts_call *call)
{
    struct vts_buf json;

    vts_buf_init(&json, JSON_MAX_BYTES);
    vts_buf_append_text(&json, "{");
    if (call->code != VTS_RPC_OK) {
        vts_buf_append_text(&json, "\"error\":");
        vts_dialect_write_error_json(call, &json);
    }
    if (call->trailers.count > 0) {
        vts_buf_append_text(&json, call->code != VTS_RPC_OK ? ",\"metadata\":" : "\"metadata\":");
        write_metadata(&call->trailers, &json);
    }
    vts_buf_append_text(&json, "}");
    if (vts_buf_check(&json) == VTS_OK) {
        vts_call_put_envelope(call, VTS_ENVELOPE_CONNECT_END, &json);
    } else {
        vts_buf_fini(&json);
        vts_exchange_reset(call->exchange); /* an answer without its end is none */
    }
}

const struct vts_dialect vts_dialect_connect = {
    .name = "connect",
    .malformed_code = VTS_RPC_INVALID_ARGUMENT,
    .truncated_code = VTS_RPC_INVALID_ARGUMENT,
    .bad_encoding_code = VTS_RPC_INVALID_ARGUMENT,
    .unknown_encoding = {VTS_RPC_UNIMPLEMENTED, 0},
    .bad_timeout = {VTS_RPC_INVALID_ARGUMENT, 0},
    .bad_metadata = {VTS_RPC_INVALID_ARGUMENT, 0},
    .read_head = read_unary_head,
    .start = start_unary,
    .reply = reply_unary,
    .end = end_unary,
};

const struct vts_dialect vts_dialect_connect_stream = {
    .name = "connect",
    .has_envelopes = true,
    .malformed_code = VTS_RPC_INVALID_ARGUMENT,
    .truncated_code = VTS_RPC_INVALID_ARGUMENT,
    .bad_encoding_code = VTS_RPC_INVALID_ARGUMENT,
    .unknown_encoding = {VTS_RPC_UNIMPLEMENTED, 0},
    .bad_timeout = {VTS_RPC_INVALID_ARGUMENT, 0},
    .bad_metadata = {VTS_RPC_INVALID_ARGUMENT, 0},
    .read_head = read_stream_head,
    .start = start_stream,
    .reply = reply_stream,
    .end = end_stream,
};
