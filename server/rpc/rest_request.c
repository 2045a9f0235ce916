/* SPDX-License-Identifier: Apache-2.0 */
/* rest_request.c - body or query first, then path and header on top.
 *
 * The head of the request is looked at once more here: it is there until the response begins.
 */
#include "server/rpc/rest_request.h"

#include "common/base/utf8.h"
#include "common/wire/json_query.h"
#include "common/wire/pb_arena.h"
#include "common/wire/percent.h"
#include "server/rpc/rest_binding.h"
#include "server/rpc/rpc_loop.h"

/* JSON says a query in up to six bytes for each: "\u001f". */
enum { QUERY_JSON_FACTOR = 6, QUERY_JSON_EXTRA_BYTES = 64 };

static enum vts_err make_empty(struct vts_call *call, const ProtobufCMessage **ret_message)
{
    *ret_message = vts_pb_arena_new(&call->arena, call->method->input);
    return *ret_message == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

static enum vts_err decode_json(struct vts_call *call, struct vts_str body, struct vts_error *error,
                                const ProtobufCMessage **ret_message)
{
    ProtobufCAllocator allocator = vts_pb_arena_allocator(&call->arena);
    struct vts_json_read_options options =
        vts_codec_json_options(call->loop->rpc, call->method, &allocator);
    ProtobufCMessage *message = NULL;
    enum vts_err err;

    options.flat = call->binding->row->flat;
    err = vts_json_read(body, call->method->input, &options, error, &message);
    *ret_message = message;
    return err;
}

static enum vts_err decode_body(struct vts_call *call, struct vts_str body, struct vts_error *error,
                                const ProtobufCMessage **ret_message)
{
    struct vts_str content_type = call->exchange->request.fields[VTS_FIELD_CONTENT_TYPE];
    enum vts_rest_form form;

    if (call->exchange->request.query.len > 0)
        return vts_error_set(error, VTS_ERR_INVALID, "this request takes no query");
    if (body.len == 0)
        return make_empty(call, ret_message);
    if (!vts_rest_form_of(content_type, &form)) {
        call->http_code = 415;
        return vts_error_set(error, VTS_ERR_INVALID, "the body has no content type");
    }
    if (form == VTS_REST_JSON)
        return decode_json(call, body, error, ret_message);
    return vts_codec_decode(call->loop->rpc, VTS_CODEC_PROTO, call->method, body, &call->arena,
                            error, ret_message);
}

static enum vts_err decode_query(struct vts_call *call, struct vts_error *error,
                                 const ProtobufCMessage **ret_message)
{
    const struct vts_rpc *rpc = call->loop->rpc;
    struct vts_str query = call->exchange->request.query;
    struct vts_buf json;
    enum vts_err err;

    vts_buf_init(&json, QUERY_JSON_FACTOR * query.len + QUERY_JSON_EXTRA_BYTES);
    err = vts_json_query_write(&json, query, call->method->input, &rpc->json_types, error);
    if (err == VTS_OK)
        err = vts_codec_decode(rpc, VTS_CODEC_JSON, call->method, vts_buf_str(&json), &call->arena,
                               error, ret_message);
    vts_buf_fini(&json);
    return err;
}

/* Puts text in a field, in the place of what it had. The message is the caller's own. */
static enum vts_err set_field(struct vts_call *call, const ProtobufCMessage *message,
                              const ProtobufCFieldDescriptor *field, struct vts_str text)
{
    char *copy = vts_arena_strndup(&call->arena, text.ptr, text.len);

    if (copy == NULL)
        return VTS_ERR_NOMEM;
    *(char **)((uintptr_t)message + field->offset) = copy;
    return VTS_OK;
}

static enum vts_err set_variable(struct vts_call *call, const ProtobufCMessage *message,
                                 const ProtobufCFieldDescriptor *field, struct vts_str value,
                                 struct vts_error *error)
{
    struct vts_buf text;
    enum vts_err err;

    vts_buf_init(&text, value.len);
    err = vts_percent_decode_path(&text, value);
    if (err == VTS_ERR_PROTOCOL || (err == VTS_OK && !vts_utf8_is_c_string(vts_buf_str(&text))))
        err = vts_error_set(error, VTS_ERR_INVALID,
                            "%s, in the path: percent-encoded UTF-8 is wanted", field->name);
    else if (err == VTS_OK)
        err = set_field(call, message, field, vts_buf_str(&text));
    vts_buf_fini(&text);
    return err;
}

static enum vts_err set_variables(struct vts_call *call, const ProtobufCMessage *message,
                                  struct vts_error *error)
{
    const struct vts_rest_binding *binding = call->binding;
    struct vts_rest_match match;
    enum vts_err err = VTS_OK;

    if (!vts_rest_path_matches(binding->row->path, call->exchange->request.path, &match))
        VTS_UNREACHABLE(); /* it was chosen by that */
    for (size_t i = 0; i < match.count && err == VTS_OK; i++)
        err = set_variable(call, message,
                           vts_rest_find_field(binding->method->input, match.fields[i]),
                           match.values[i], error);
    return err;
}

/* "*" asks for no more than that there is something, which the method sees itself. */
static enum vts_err set_if_match(struct vts_call *call, const ProtobufCMessage *message,
                                 struct vts_error *error)
{
    const ProtobufCFieldDescriptor *field = call->binding->if_match;
    struct vts_str tags = call->exchange->request.fields[VTS_FIELD_IF_MATCH];

    if (field == NULL || tags.ptr == NULL || vts_str_equals_text(tags, "*"))
        return VTS_OK;
    if (!vts_utf8_is_c_string(tags))
        return vts_error_set(error, VTS_ERR_INVALID, "If-Match: entity tags are wanted");
    return set_field(call, message, field, tags);
}

enum vts_err vts_rest_request_decode(struct vts_call *call, struct vts_str body,
                                     struct vts_error *error, const ProtobufCMessage **ret_message)
{
    enum vts_err err;

    if (call->binding->row->takes_body)
        err = decode_body(call, body, error, ret_message);
    else if (body.len > 0)
        err = vts_error_set(error, VTS_ERR_INVALID, "this request takes no body");
    else
        err = decode_query(call, error, ret_message);
    if (err == VTS_OK)
        err = set_variables(call, *ret_message, error);
    if (err == VTS_OK)
        err = set_if_match(call, *ret_message, error);
    return err;
}
