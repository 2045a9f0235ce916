/* SPDX-License-Identifier: Apache-2.0 */
/* dialect.c - what the dialects have in common. */
#include "server/rpc/dialect.h"

#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/wire/base64.h"
#include "common/wire/error_json.h"
#include "common/wire/metadata.h"
#include "common/wire/percent.h"
#include "google/rpc/status.pb-c.h"
#include "server/rpc/cors.h"
#include "server/rpc/rpc_loop.h"

enum {
    STATUS_FIELDS = 3,
    BINARY_BYTES_MAX = 16 * 1024,
    JSON_MAX_BYTES = 128 * 1024,
    /* A byte as "%XX"; what is no UTF-8 becomes U+FFFD, which is three of them. */
    ENCODED_BYTE_BYTES = 9,
};

/* ---- reading heads --------------------------------------------------------------------------- */

static void refuse(struct vts_call *call, const struct vts_refusal *refusal, const char *text)
{
    call->http_code = refusal->http_code;
    vts_call_break(call, refusal->code, text);
}

static void read_encoding(struct vts_call *call, struct vts_str name)
{
    if (name.ptr == NULL || vts_str_equals_text(name, "identity"))
        return;
    if (vts_str_equals_text(name, "gzip"))
        call->request_encoding = VTS_ENCODING_GZIP;
    else
        refuse(call, &call->dialect->unknown_encoding,
               "this compression is not known here; identity and gzip are");
}

static void read_timeout(struct vts_call *call, const struct vts_head_names *names)
{
    struct vts_str text = call->exchange->request.fields[names->timeout];
    int64_t now_ns = vts_call_now_ns(call);

    if (names->parse_timeout == NULL || text.ptr == NULL || call->state == VTS_CALL_OVER)
        return;
    if (names->parse_timeout(text, &call->timeout_ns) != VTS_OK) {
        refuse(call, &call->dialect->bad_timeout, "the timeout is malformed");
        return;
    }
    if (call->timeout_ns < INT64_MAX - now_ns)
        call->deadline_ns = now_ns + call->timeout_ns;
    if (call->timeout_ns == 0)
        vts_call_break(call, VTS_RPC_DEADLINE_EXCEEDED, "the deadline has passed");
}

/* Whether the value of a name in "-bin" is base64 all through; without memory, who reads it will
 * see. */
static bool is_binary_value(struct vts_str value)
{
    struct vts_buf bytes;
    enum vts_err err = VTS_OK;

    vts_buf_init(&bytes, BINARY_BYTES_MAX);
    while (value.ptr != NULL && err == VTS_OK)
        err = vts_metadata_next_binary(&value, &bytes);
    vts_buf_fini(&bytes);
    return err != VTS_ERR_PROTOCOL;
}

static void check_metadata(struct vts_call *call)
{
    const struct vts_request *request = &call->exchange->request;

    for (size_t i = 0; i < request->headers_count && call->state != VTS_CALL_OVER; i++)
        if (vts_metadata_is_binary(request->headers[i].name) &&
            !is_binary_value(request->headers[i].value))
            refuse(call, &call->dialect->bad_metadata,
                   "metadata whose name ends in \"-bin\" is not base64");
}

void vts_dialect_read_head(struct vts_call *call, const struct vts_head_names *names)
{
    const struct vts_request *request = &call->exchange->request;
    struct vts_str accepted = request->fields[names->accept_encoding];

    call->names_encodings = accepted.ptr != NULL || request->fields[names->encoding].ptr != NULL;
    call->takes_gzip = accepted.ptr != NULL && vts_metadata_list_has(accepted, "gzip");
    read_encoding(call, request->fields[names->encoding]);
    check_metadata(call);
    read_timeout(call, names);
}

/* ---- writing heads --------------------------------------------------------------------- */

void vts_dialect_begin_response(struct vts_call *call, int http_code, const char *content_type)
{
    struct vts_response *response = &call->exchange->response;

    response->code = http_code;
    if (content_type != NULL)
        vts_response_add_text(response, "content-type", content_type);
    vts_cors_add_to_call(call, call->loop->rpc);
    response->more_headers = call->headers.items;
    response->more_headers_count = call->headers.count;
}

bool vts_dialect_announces_gzip(const struct vts_call *call)
{
    if (vts_rpc_has_one_response(call->method))
        return call->out.is_there && call->out.is_gzip;
    return call->takes_gzip; /* the handler may change its mind between two messages */
}

/* ---- outcomes -------------------------------------------------------------------------- */

static void fill_any(struct vts_call *call, const struct vts_error_detail *detail,
                     Google__Protobuf__Any *any)
{
    size_t len = sizeof("type.googleapis.com/") + strlen(detail->type);
    char *url = vts_arena_alloc(&call->notes, len);

    google__protobuf__any__init(any);
    if (url == NULL)
        return;
    (void)snprintf(url, len, "type.googleapis.com/%s", detail->type);
    any->type_url = url;
    any->value.data = (uint8_t *)(uintptr_t)detail->value.ptr;
    any->value.len = detail->value.len;
}

/* The outcome as a packed google.rpc.Status; empty when it has no details, or too many for a header
 * section, or without memory. */
static struct vts_str pack_status(struct vts_call *call)
{
    struct vts_str none = vts_str_make(NULL, 0);
    Google__Rpc__Status status = GOOGLE__RPC__STATUS__INIT;
    size_t count = call->details_count;
    Google__Protobuf__Any *anys = vts_arena_alloc(&call->notes, count * sizeof(*anys));
    Google__Protobuf__Any **list =
        vts_arena_alloc(&call->notes, count * sizeof(Google__Protobuf__Any *));
    uint8_t *bytes;
    size_t len;

    if (count == 0 || anys == NULL || list == NULL)
        return none;
    for (size_t i = 0; i < count; i++) {
        fill_any(call, &call->details[i], &anys[i]);
        list[i] = &anys[i];
    }
    status.code = (int32_t)call->code;
    if (call->message != NULL)
        status.message = (char *)(uintptr_t)call->message;
    status.details = list;
    status.n_details = count;
    len = google__rpc__status__get_packed_size(&status);
    bytes = len > VTS_SECTION_MAX_BYTES ? NULL : vts_arena_alloc(&call->notes, len);
    return bytes == NULL ? none : vts_str_make(bytes, google__rpc__status__pack(&status, bytes));
}

/* Text made by an encoder, in the notes; a NULL ptr without memory. */
static struct vts_str note_buffer(struct vts_call *call, struct vts_buf *text)
{
    struct vts_str copy = vts_str_make(NULL, 0);

    if (vts_buf_check(text) == VTS_OK)
        copy = vts_call_note(call, vts_buf_str(text));
    vts_buf_fini(text);
    return copy;
}

/* Without details where they do not fit. */
static struct vts_str make_details(struct vts_call *call, size_t room)
{
    struct vts_str packed = pack_status(call);
    struct vts_buf text;

    if (packed.ptr == NULL)
        return packed;
    vts_buf_init(&text, room);
    vts_base64_encode(&text, packed, VTS_BASE64_UNPADDED);
    return note_buffer(call, &text);
}

static struct vts_str encode_message(struct vts_call *call, struct vts_str message, size_t room)
{
    struct vts_buf text;

    vts_buf_init(&text, room);
    vts_percent_encode_message(&text, message);
    return note_buffer(call, &text);
}

/* The message, or as much of it as is sure to fit. */
static struct vts_str make_message(struct vts_call *call, size_t room)
{
    struct vts_str message = vts_str_of(call->message);
    struct vts_str text = vts_str_make(NULL, 0);

    if (message.len > 0)
        text = encode_message(call, message, room);
    if (text.ptr == NULL && message.len > room / ENCODED_BYTE_BYTES)
        text = encode_message(call, vts_str_make(message.ptr, room / ENCODED_BYTE_BYTES), room);
    return text;
}

/* Appends a field, unless value is NULL; returns the room that is left. */
static size_t add_field(struct vts_header *fields, size_t *count, const char *name,
                        struct vts_str value, size_t room)
{
    if (value.ptr == NULL)
        return room;
    fields[*count] = (struct vts_header){vts_str_of(name), value};
    (*count)++;
    return room - value.len;
}

static const struct vts_header grpc_status[] = {
#define X(number, name, word, http_code)                                                           \
    [number] = {{"grpc-status", 11}, {#number, sizeof(#number) - 1}},
#include "common/wire/rpc_code.def"
#undef X
};

const struct vts_header *vts_dialect_make_status(struct vts_call *call, size_t *ret_count)
{
    const struct vts_header *status = &grpc_status[call->code];
    size_t room = VTS_SECTION_MAX_BYTES - call->headers.bytes - call->trailers.bytes;
    struct vts_header *fields;
    size_t count = 0;

    *ret_count = 1;
    if (call->message == NULL && call->details_count == 0 && call->trailers.count == 0)
        return status;
    fields =
        vts_arena_alloc(&call->notes, (call->trailers.count + STATUS_FIELDS) * sizeof(*fields));
    if (fields == NULL)
        return status; /* the code alone must do */
    fields[count++] = *status;
    room = add_field(fields, &count, "grpc-message", make_message(call, room), room);
    (void)add_field(fields, &count, "grpc-status-details-bin", make_details(call, room), room);
    for (size_t i = 0; i < call->trailers.count; i++)
        fields[count++] = call->trailers.items[i];
    *ret_count = count;
    return fields;
}

void vts_dialect_write_error_json(const struct vts_call *call, struct vts_buf *out)
{
    vts_error_json_write(out, vts_rpc_code_word(call->code), call->message, call->details,
                         call->details_count);
}

void vts_dialect_send_error(struct vts_call *call)
{
    struct vts_response *response = &call->exchange->response;
    struct vts_buf body;

    vts_buf_init(&body, JSON_MAX_BYTES);
    vts_dialect_write_error_json(call, &body);
    if (vts_buf_check(&body) == VTS_OK) {
        response->body = vts_buf_str(&body);
        response->release = vts_mem_free;
        response->owner = body.ptr;
    } else {
        vts_buf_fini(&body); /* the HTTP code alone must do */
    }
    call->reply = VTS_REPLY_ENDED;
    vts_exchange_send(call->exchange);
}
