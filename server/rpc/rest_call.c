/* SPDX-License-Identifier: Apache-2.0 */
/* rest_call.c - the dialect of REST: which representation is spoken each way, and what becomes of
 * an outcome.
 *
 * Errors are always JSON, in the shape of Connect's. The head waits for the outcome, so that an
 * answer is sent whole.
 */
#include "server/rpc/rest_call.h"

#include <stdio.h>

#include "common/base/assert.h"
#include "server/rpc/cors.h"
#include "server/rpc/dialect.h"
#include "server/rpc/outcome.h"
#include "server/rpc/rest_binding.h"
#include "server/rpc/rest_request.h"

enum { VERBS_BYTES = 64 };

static const struct vts_head_names head_names = {
    .encoding = VTS_FIELD_CONTENT_ENCODING,
    .accept_encoding = VTS_FIELD_ACCEPT_ENCODING,
};

static void read_head(struct vts_call *call)
{
    vts_dialect_read_head(call, &head_names);
}

/* ---- answers --------------------------------------------------------------------------- */

/* The part of an answer that REST shows; NULL when it is not there. */
static const ProtobufCMessage *find_answer(const struct vts_call *call,
                                           const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *field = call->binding->answer;

    if (field == NULL)
        return message;
    return *(ProtobufCMessage *const *)((const char *)message + field->offset);
}

static enum vts_err encode(const struct vts_call *call, const ProtobufCMessage *message,
                           struct vts_buf *out)
{
    /* Whatever an Any holds must not keep the rest from being read. */
    const struct vts_json_write_options options = {
        .types = &call->loop->rpc->json_types, .enums = VTS_JSON_ENUM_WORDS, .any_as_bytes = true};
    const ProtobufCMessage *answer = find_answer(call, message);

    if (answer == NULL)
        return VTS_ERR_INVALID;
    switch (call->codec) {
    case VTS_CODEC_PROTO:
        return vts_codec_encode(call->loop->rpc, VTS_CODEC_PROTO, answer, out);
    case VTS_CODEC_JSON:
        return vts_json_write(out, answer, &options);
    }
    VTS_UNREACHABLE();
}

static int choose_code(const struct vts_call *call)
{
    if (call->http_code != 0)
        return call->http_code;
    if (call->hints != NULL && call->hints->http_code != 0)
        return call->hints->http_code;
    if (call->code != VTS_RPC_OK)
        return vts_rpc_code_http(call->code);
    return call->binding->row->http_code != 0 ? call->binding->row->http_code : 200;
}

static bool has_field(const struct vts_response *response, const char *name)
{
    for (size_t i = 0; i < response->headers_count; i++)
        if (vts_str_equals_text(response->headers[i].name, name))
            return true;
    return false;
}

static void begin_response(struct vts_call *call, int code, const char *content_type)
{
    struct vts_response *response = &call->exchange->response;

    vts_dialect_begin_response(call, code, content_type);
    vts_response_add_text(response, "vary", "accept, accept-encoding");
    if (!has_field(response, "cache-control"))
        vts_response_add_text(response, "cache-control", "no-store");
    if (call->hints != NULL && call->hints->retry_after_s > 0)
        vts_response_add_number(response, "retry-after", (uint64_t)call->hints->retry_after_s);
    if (call->hints != NULL && call->hints->location.len > 0)
        vts_response_add(response, "location", call->hints->location);
}

static void reply_error(struct vts_call *call)
{
    (void)vts_call_drop_outgoing(call); /* nothing of it was sent */
    begin_response(call, choose_code(call), "application/json");
    if (call->http_code == 415) {
        vts_response_add_text(&call->exchange->response, "accept",
                              "application/json, application/x-protobuf");
        vts_response_add_text(&call->exchange->response, "accept-encoding", "gzip");
    }
    vts_dialect_send_error(call);
}

static void reply_without_body(struct vts_call *call, int code)
{
    (void)vts_call_drop_outgoing(call);
    begin_response(call, code, NULL);
    call->reply = VTS_REPLY_ENDED;
    vts_exchange_send(call->exchange);
}

static void reply(struct vts_call *call)
{
    const struct vts_encoded *answer = &call->out.bytes;
    int code = choose_code(call);

    if (call->code != VTS_RPC_OK) {
        reply_error(call);
        return;
    }
    if (!vts_response_can_have_body(code)) {
        reply_without_body(call, code);
        return;
    }
    begin_response(call, code, call->content_type);
    if (call->out.is_gzip)
        vts_response_add_text(&call->exchange->response, "content-encoding", "gzip");
    VTS_ASSERT(call->out.is_there && answer->lead_len + answer->tail_len == 0); /* see encode() */
    call->exchange->response.body = answer->body; /* the call's own, until the exchange closes */
    call->reply = VTS_REPLY_ENDED;
    vts_exchange_send(call->exchange);
}

/* An answer is sent whole. */
static void never(struct vts_call *call)
{
    (void)call;
    VTS_UNREACHABLE();
}

const struct vts_dialect vts_dialect_rest = {
    .name = "rest",
    .malformed_code = VTS_RPC_INVALID_ARGUMENT,
    .truncated_code = VTS_RPC_INVALID_ARGUMENT,
    .bad_encoding_code = VTS_RPC_INVALID_ARGUMENT,
    .unknown_encoding = {VTS_RPC_INVALID_ARGUMENT, 415},
    .bad_timeout = {VTS_RPC_INVALID_ARGUMENT, 0},
    .bad_metadata = {VTS_RPC_INVALID_ARGUMENT, 0},
    .too_large_http_code = 413,
    .read_head = read_head,
    .decode = vts_rest_request_decode,
    .encode = encode,
    .start = never,
    .reply = reply,
    .end = never,
};

/* ---- beginning ------------------------------------------------------------------------- */

/* "GET, HEAD, DELETE". */
static struct vts_str write_verbs(unsigned verbs, char text[VERBS_BYTES])
{
    size_t len = 0;

    for (unsigned verb = 0; verb < VTS_METHOD_OTHER; verb++)
        if ((verbs & 1u << verb) != 0)
            len += (size_t)snprintf(text + len, VERBS_BYTES - len, "%s%s", len == 0 ? "" : ", ",
                                    vts_method_name(verb));
    return vts_str_make(text, len);
}

/* The guarded one of the methods that the path has, if any; the verbs are all it has. */
static const struct vts_rpc_method *find_guarded(const struct vts_rpc *rpc, struct vts_str path,
                                                 unsigned verbs)
{
    for (unsigned verb = 0; verb < VTS_METHOD_OTHER; verb++) {
        const struct vts_rest_binding *binding = NULL;
        struct vts_rest_match match;
        unsigned none;

        if ((verbs & 1u << verb) != 0)
            binding = vts_rest_binding_find(rpc, path, (enum vts_method)verb, &match, &none);
        if (binding != NULL && binding->method->is_guarded)
            return binding->method;
    }
    return NULL;
}

/* The path is one of ours, the verb is not. */
static void refuse_verb(struct vts_rpc_loop *loop, struct vts_exchange *exchange, unsigned verbs)
{
    char text[VERBS_BYTES];
    struct vts_str list = write_verbs(verbs, text);
    const struct vts_rpc_method *method = find_guarded(loop->rpc, exchange->request.path, verbs);

    if (vts_cors_answer_preflight(loop->rpc, exchange, method, list))
        return;
    if (!vts_response_add_copy(&exchange->response, "allow", list))
        VTS_UNREACHABLE(); /* nothing else was copied yet */
    vts_cors_add(loop->rpc, exchange, method);
    vts_outcome_send_http(exchange, 405, VTS_RPC_UNIMPLEMENTED,
                          "this method is not allowed here; the Allow field lists those that are");
}

/* Whether the body comes in a form that is read here. Whether there is one will be seen. */
static bool has_readable_body(const struct vts_exchange *exchange)
{
    struct vts_str content_type = exchange->request.fields[VTS_FIELD_CONTENT_TYPE];
    enum vts_rest_form form;

    return content_type.ptr == NULL || vts_rest_form_of(content_type, &form);
}

static void begin(struct vts_rpc_loop *loop, struct vts_exchange *exchange,
                  const struct vts_rest_binding *binding, enum vts_rest_form form)
{
    struct vts_call *call = vts_call_new(loop, exchange, binding->method, &vts_dialect_rest,
                                         vts_rest_codec_of(form), vts_rest_content_type(form));

    if (call == NULL) {
        vts_outcome_send(exchange, VTS_RPC_UNAVAILABLE, "out of memory");
        return;
    }
    call->binding = binding;
    read_head(call);
    vts_cors_check(call, loop->rpc);
    if (binding->method->handler == NULL)
        vts_call_break(call, VTS_RPC_UNIMPLEMENTED, "this method is not implemented");
    /* Once it is over, the request is gone. */
    if (!vts_call_is_over(call) && binding->row->takes_body && !has_readable_body(exchange)) {
        call->http_code = 415;
        vts_call_break(call, VTS_RPC_INVALID_ARGUMENT,
                       "a body is wanted as application/json or application/x-protobuf");
    }
}

bool vts_rest_call_begin(struct vts_rpc_loop *loop, struct vts_exchange *exchange)
{
    const struct vts_request *request = &exchange->request;
    const struct vts_rest_binding *binding;
    struct vts_rest_match match;
    enum vts_rest_form form;
    unsigned verbs;

    if (loop->rpc->bindings_count == 0)
        return false;
    binding = vts_rest_binding_find(loop->rpc, request->path, request->method, &match, &verbs);
    if (binding == NULL && verbs != 0)
        refuse_verb(loop, exchange, verbs);
    else if (binding != NULL && vts_rest_negotiate_whole(exchange, &form) == VTS_OK)
        begin(loop, exchange, binding, form);
    return binding != NULL || verbs != 0;
}
