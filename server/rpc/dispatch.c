/* SPDX-License-Identifier: Apache-2.0 */
/* dispatch.c - recognises calls by their method, path and content type, and refuses those that are
 * wrong in a way that no dialect has words for.
 *
 * A path is compared as it came. Media types are compared whole and without their parameters:
 * "application/grpc" is a prefix of "application/grpc-web".
 */
#include "server/rpc/dispatch.h"

#include <string.h>

#include "common/base/macros.h"
#include "common/wire/base64.h"
#include "common/wire/percent.h"
#include "server/rpc/cors.h"
#include "server/rpc/dialect.h"
#include "server/rpc/outcome.h"

static const struct media_type {
    const char *name;
    const struct vts_dialect *dialect;
    enum vts_codec codec;
} media_types[] = {
    {"application/grpc", &vts_dialect_grpc, VTS_CODEC_PROTO},
    {"application/grpc+proto", &vts_dialect_grpc, VTS_CODEC_PROTO},
    {"application/grpc+json", &vts_dialect_grpc, VTS_CODEC_JSON},
    {"application/grpc-web", &vts_dialect_grpc_web, VTS_CODEC_PROTO},
    {"application/grpc-web+proto", &vts_dialect_grpc_web, VTS_CODEC_PROTO},
    {"application/grpc-web+json", &vts_dialect_grpc_web, VTS_CODEC_JSON},
    {"application/grpc-web-text", &vts_dialect_grpc_web_text, VTS_CODEC_PROTO},
    {"application/grpc-web-text+proto", &vts_dialect_grpc_web_text, VTS_CODEC_PROTO},
    {"application/grpc-web-text+json", &vts_dialect_grpc_web_text, VTS_CODEC_JSON},
    {"application/connect+proto", &vts_dialect_connect_stream, VTS_CODEC_PROTO},
    {"application/connect+json", &vts_dialect_connect_stream, VTS_CODEC_JSON},
    {"application/proto", &vts_dialect_connect, VTS_CODEC_PROTO},
    {"application/json", &vts_dialect_connect, VTS_CODEC_JSON},
};

static const char accept_post[] =
    "application/grpc, application/grpc+proto, application/grpc+json, application/grpc-web, "
    "application/grpc-web+proto, application/grpc-web+json, application/grpc-web-text, "
    "application/proto, application/json, application/connect+proto, application/connect+json";

static const char no_such_method[] = "there is no such method";

enum { QUERY_TEXT_MAX_BYTES = 16 * 1024 };

static const struct media_type *find_media_type(struct vts_str content_type)
{
    struct vts_str name;

    if (!vts_str_split(&content_type, ';', &name))
        return NULL;
    name = vts_str_trim(name);
    for (size_t i = 0; i < VTS_ARRAY_LEN(media_types); i++)
        if (vts_str_equals_nocase(name, media_types[i].name))
            return &media_types[i];
    return NULL;
}

/* ---- refusals without a call ----------------------------------------------------------- */

static void refuse(struct vts_rpc_loop *loop, struct vts_exchange *exchange, int http_code,
                   enum vts_rpc_code code, const char *message)
{
    vts_cors_add(loop->rpc, exchange, vts_rpc_find_method(loop->rpc, exchange->request.path));
    vts_outcome_send_http(exchange, http_code, code, message);
}

static void refuse_media_type(struct vts_rpc_loop *loop, struct vts_exchange *exchange)
{
    vts_response_add_text(&exchange->response, "accept-post", accept_post);
    refuse(loop, exchange, 415, VTS_RPC_INVALID_ARGUMENT,
           "this content type is not spoken here; the Accept-Post field lists those that are");
}

static void refuse_verb(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                        const struct vts_rpc_method *method)
{
    vts_cors_add(loop->rpc, exchange, method);
    vts_outcome_send_not_allowed(exchange, method->is_safe ? "GET, POST" : "POST");
}

/* Dialects whose outcome is not HTTP's own get it in their own words. */
static void refuse_unknown(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                           const struct media_type *type)
{
    vts_cors_add(loop->rpc, exchange, NULL);
    if (type->dialect == &vts_dialect_connect || type->dialect == &vts_dialect_connect_stream)
        vts_outcome_send_http(exchange, 404, VTS_RPC_UNIMPLEMENTED, no_such_method);
    else
        vts_outcome_send_grpc(exchange, type->name, VTS_RPC_UNIMPLEMENTED, no_such_method);
}

/* ---- calls ----------------------------------------------------------------------------- */

static bool fits_kind(const struct vts_rpc_method *method, const struct vts_dialect *dialect)
{
    if (dialect == &vts_dialect_connect)
        return method->kind == VTS_RPC_UNARY;
    return dialect != &vts_dialect_connect_stream || method->kind != VTS_RPC_UNARY;
}

/* Whether the protocol below can carry it; refuses otherwise. */
static bool is_carried(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                       const struct vts_rpc_method *method, const struct vts_dialect *dialect)
{
    if (exchange->ops->is_duplex ||
        (dialect != &vts_dialect_grpc && method->kind != VTS_RPC_BIDI_STREAM))
        return true;
    refuse(loop, exchange, 505, VTS_RPC_UNIMPLEMENTED, "this call needs HTTP/2");
    return false;
}

/* A new call whose head is read; NULL when it is over already, or never was. */
static struct vts_call *begin_call(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                                   const struct vts_rpc_method *method,
                                   const struct media_type *type)
{
    struct vts_call *call =
        vts_call_new(loop, exchange, method, type->dialect, type->codec, type->name);

    if (call == NULL) {
        refuse(loop, exchange, 503, VTS_RPC_UNAVAILABLE, "out of memory");
        return NULL;
    }
    type->dialect->read_head(call);
    vts_cors_check(call, loop->rpc);
    if (method->handler == NULL)
        vts_call_break(call, VTS_RPC_UNIMPLEMENTED, "this method is not implemented");
    vts_call_arm_deadline(call);
    return vts_call_is_over(call) ? NULL : call;
}

static void begin_post(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                       const struct vts_rpc_method *method)
{
    struct vts_str content_type = exchange->request.fields[VTS_FIELD_CONTENT_TYPE];
    const struct media_type *type = find_media_type(content_type);
    struct vts_call *call;

    if (type == NULL || !fits_kind(method, type->dialect)) {
        refuse_media_type(loop, exchange);
        return;
    }
    if (!is_carried(loop, exchange, method, type->dialect))
        return;
    call = begin_call(loop, exchange, method, type);
    if (call == NULL || vts_rpc_has_one_request(method))
        return;
    if (method->handler->on_start != NULL)
        vts_call_handler_of(call)->on_start(call);
    vts_call_tell_drain(call);
}

/* ---- Connect GET ----------------------------------------------------------------------- */

struct get_query {
    struct vts_str message; /* NULL when absent */
    struct vts_str encoding;
    struct vts_str compression;
    struct vts_str connect;
    bool is_base64;
};

static void read_query(struct vts_str query, struct get_query *ret_query)
{
    struct vts_str part;

    *ret_query = (struct get_query){.is_base64 = false};
    while (vts_str_split(&query, '&', &part)) {
        struct vts_str name;

        (void)vts_str_split(&part, '=', &name); /* a missing value is an empty one */
        if (part.ptr == NULL)
            part = vts_str_of("");
        if (vts_str_equals_text(name, "message"))
            ret_query->message = part;
        else if (vts_str_equals_text(name, "encoding"))
            ret_query->encoding = part;
        else if (vts_str_equals_text(name, "compression"))
            ret_query->compression = part;
        else if (vts_str_equals_text(name, "connect"))
            ret_query->connect = part;
        else if (vts_str_equals_text(name, "base64"))
            ret_query->is_base64 = vts_str_equals_text(part, "1");
    }
}

/* The payload of a query. */
static enum vts_err decode_query(const struct get_query *query, struct vts_buf *out)
{
    struct vts_buf text;
    enum vts_err err;

    if (!query->is_base64)
        return vts_percent_decode_query(out, query->message);
    vts_buf_init(&text, QUERY_TEXT_MAX_BYTES);
    err = vts_percent_decode_query(&text, query->message); /* a padding "=" comes as "%3D" */
    if (err == VTS_OK)
        err = vts_base64_decode(out, vts_buf_str(&text));
    vts_buf_fini(&text);
    return err;
}

static void take_query(struct vts_call *call, const struct get_query *query)
{
    bool is_gzip = vts_str_equals_text(query->compression, "gzip");
    struct vts_buf payload;

    vts_buf_init(&payload, QUERY_TEXT_MAX_BYTES);
    if (query->message.ptr == NULL)
        vts_call_break(call, VTS_RPC_INVALID_ARGUMENT, "the query has no message");
    else if (query->connect.ptr != NULL && !vts_str_equals_text(query->connect, "v1"))
        vts_call_break(call, VTS_RPC_INVALID_ARGUMENT, "connect must be v1");
    else if (query->compression.len > 0 && !is_gzip &&
             !vts_str_equals_text(query->compression, "identity"))
        vts_call_break(call, VTS_RPC_UNIMPLEMENTED,
                       "this compression is not known here; identity and gzip are");
    else if (decode_query(query, &payload) != VTS_OK)
        vts_call_break(call, VTS_RPC_INVALID_ARGUMENT, "the message in the query is malformed");
    else
        vts_call_take_only_message(call, vts_buf_str(&payload), is_gzip && payload.len > 0);
    vts_buf_fini(&payload);
}

static void refuse_encoding(struct vts_rpc_loop *loop, struct vts_exchange *exchange)
{
    refuse(loop, exchange, 415, VTS_RPC_INVALID_ARGUMENT,
           "the query must have encoding=proto or encoding=json");
}

static bool can_get(const struct vts_exchange *exchange, const struct vts_rpc_method *method)
{
    return exchange->request.method == VTS_METHOD_GET && method->is_safe &&
           method->kind == VTS_RPC_UNARY;
}

static void begin_get(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                      const struct vts_rpc_method *method)
{
    struct get_query query;
    const struct media_type *type = NULL;
    struct vts_call *call;

    read_query(exchange->request.query, &query);
    if (vts_str_equals_text(query.encoding, "proto"))
        type = find_media_type(vts_str_of("application/proto"));
    else if (vts_str_equals_text(query.encoding, "json"))
        type = find_media_type(vts_str_of("application/json"));
    if (type == NULL) {
        refuse_encoding(loop, exchange);
        return;
    }
    call = begin_call(loop, exchange, method, type);
    if (call == NULL)
        return;
    vts_call_set_get(call);
    take_query(call, &query);
}

/* Whether it is a GET that only Connect asks. */
static bool is_connect_get(const struct vts_request *request)
{
    struct get_query query;

    if (request->method != VTS_METHOD_GET)
        return false;
    read_query(request->query, &query);
    return query.connect.ptr != NULL || (query.encoding.len > 0 && query.message.ptr != NULL);
}

/* ---- the whole ------------------------------------------------------------------------- */

/* Whoever has a method's path means the method. */
static void begin_method(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                         const struct vts_rpc_method *method)
{
    if (exchange->request.method == VTS_METHOD_POST)
        begin_post(loop, exchange, method);
    else if (can_get(exchange, method))
        begin_get(loop, exchange, method);
    else
        refuse_verb(loop, exchange, method);
}

bool vts_dispatch_begin(struct vts_rpc_loop *loop, struct vts_exchange *exchange)
{
    const struct vts_request *request = &exchange->request;
    const struct vts_rpc_method *method = vts_rpc_find_method(loop->rpc, request->path);
    const struct media_type *type = NULL;

    if (vts_cors_answer_preflight(loop->rpc, exchange, method, vts_str_of("GET, POST")))
        return true;
    if (method != NULL) {
        begin_method(loop, exchange, method);
        return true;
    }
    if (is_connect_get(request))
        type = find_media_type(vts_str_of("application/proto"));
    else if (request->method == VTS_METHOD_POST)
        type = find_media_type(request->fields[VTS_FIELD_CONTENT_TYPE]);
    /* JSON may be for a REST route. */
    if (type == NULL || (type->codec == VTS_CODEC_JSON && type->dialect == &vts_dialect_connect))
        return false;
    refuse_unknown(loop, exchange, type);
    return true;
}

void vts_dispatch_refuse(struct vts_rpc_loop *loop, struct vts_exchange *exchange)
{
    const struct vts_request *request = &exchange->request;
    const struct vts_rpc_method *method = vts_rpc_find_method(loop->rpc, request->path);

    if (method == NULL && request->method == VTS_METHOD_POST &&
        find_media_type(request->fields[VTS_FIELD_CONTENT_TYPE]) != NULL)
        refuse(loop, exchange, 404, VTS_RPC_UNIMPLEMENTED, no_such_method);
    else if (method == NULL)
        refuse(loop, exchange, 404, VTS_RPC_NOT_FOUND, "there is nothing at this path");
    else if (can_get(exchange, method))
        refuse_encoding(loop, exchange);
    else
        refuse_verb(loop, exchange, method);
}
