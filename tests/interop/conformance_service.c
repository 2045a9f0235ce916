/* SPDX-License-Identifier: Apache-2.0 */
/* conformance_service.c - every method of the conformance service on the runtime's call.h.
 *
 * The first request says how to answer. Streams send as many responses as they may by then: all
 * when the client has ended, or one a request when it wants to talk in turns; meanwhile it is held
 * back.
 */
#include "tests/interop/conformance_service.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "connectrpc/conformance/v1/service.pb-c.h"
#include "tests/interop/conformance_heard.h"

/* Generated names leave no room in a line. */
typedef Connectrpc__Conformance__V1__Header header;
typedef Connectrpc__Conformance__V1__ConformancePayload__RequestInfo conformance_info;
typedef Connectrpc__Conformance__V1__Error error_definition;
typedef Connectrpc__Conformance__V1__UnaryResponseDefinition unary_definition;
typedef Connectrpc__Conformance__V1__StreamResponseDefinition stream_definition;

enum { NAME_MAX_BYTES = 256 };

struct talk {
    struct vts_call *call;
    struct heard *heard;
    struct vts_timer timer;
    void (*go_on)(struct talk *talk); /* what waits for the timer */
    bool has_waited;                  /* before the next response */
    const unary_definition *unary;    /* NULL: none was given */
    const stream_definition *stream;  /* the same */
    bool is_in_turns;                 /* full duplex */
    bool has_ended;                   /* the client */
    size_t sent_count;
    size_t allowed_count; /* responses that may be sent by now */
};

/* ---- beginning and end --------------------------------------------------------------------- */

static void end_by_error(struct talk *talk, enum vts_err err)
{
    vts_call_finish(talk->call,
                    err == VTS_ERR_INVALID ? VTS_RPC_INVALID_ARGUMENT : VTS_RPC_RESOURCE_EXHAUSTED,
                    vts_err_text(err));
}

static void on_delay_over(void *context)
{
    struct talk *talk = context;

    talk->has_waited = true;
    talk->go_on(talk);
}

/* NULL after having ended the call. */
static struct talk *new_talk(struct vts_call *call)
{
    struct talk *talk = vts_mem_zalloc(sizeof(*talk));
    enum vts_err err;

    vts_call_set_data(call, talk);
    if (talk == NULL) {
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, vts_err_text(VTS_ERR_NOMEM));
        return NULL;
    }
    talk->call = call;
    vts_timer_init(&talk->timer, on_delay_over, talk);
    vts_call_set_compress(call, VTS_COMPRESS_ALWAYS);
    err = heard_new(call, &talk->heard);
    if (err == VTS_OK)
        return talk;
    end_by_error(talk, err);
    return NULL;
}

static void start_talk(struct vts_call *call)
{
    (void)new_talk(call); /* without it the call is over */
}

static void free_talk(struct vts_call *call)
{
    struct talk *talk = vts_call_data(call);

    if (talk == NULL)
        return;
    vts_call_stop_timer(call, &talk->timer);
    heard_free(talk->heard);
    vts_mem_free(talk);
}

/* ---- messages of one shape ------------------------------------------------------------------ */

/* Requests differ in their types only, and so do responses: where they hold another message. */
static ProtobufCMessage **find_part(const ProtobufCMessage *message, const char *name)
{
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field_by_name(message->descriptor, name);

    return (ProtobufCMessage **)(void *)((uint8_t *)(uintptr_t)message + field->offset);
}

/* What the first request says of the answer; NULL: nothing. */
static const void *definition_of(const struct talk *talk)
{
    return heard_first(talk->heard) == NULL
               ? NULL
               : *find_part(heard_first(talk->heard), "response_definition");
}

static const ProtobufCMessageDescriptor *output_of(const struct vts_call *call)
{
    const char *name = strrchr(vts_call_path(call), '/') + 1;

    return protobuf_c_service_descriptor_get_method_by_name(
               &connectrpc__conformance__v1__conformance_service__descriptor, name)
        ->output;
}

static enum vts_err send_payload(struct talk *talk, ProtobufCBinaryData data)
{
    const ProtobufCMessageDescriptor *type = output_of(talk->call);
    Connectrpc__Conformance__V1__ConformancePayload payload =
        CONNECTRPC__CONFORMANCE__V1__CONFORMANCE_PAYLOAD__INIT;
    ProtobufCMessage *response = vts_arena_alloc(heard_arena(talk->heard), type->sizeof_message);
    enum vts_err err;

    if (response == NULL)
        return vts_arena_check(heard_arena(talk->heard));
    protobuf_c_message_init(type, response);
    payload.data = data;
    *find_part(response, "payload") = &payload.base;
    err = heard_tell(talk->heard, &payload.request_info);
    return err != VTS_OK ? err : vts_call_send(talk->call, response);
}

/* ---- errors and metadata -------------------------------------------------------------------- */

/* The request info as a detail; a NULL value without memory. */
static struct vts_error_detail make_info_detail(struct talk *talk)
{
    struct vts_error_detail detail = {NULL, {NULL, 0}};
    conformance_info *info = NULL;
    uint8_t *bytes;

    if (heard_tell(talk->heard, &info) != VTS_OK || info == NULL)
        return detail;
    bytes =
        vts_arena_alloc(heard_arena(talk->heard), protobuf_c_message_get_packed_size(&info->base));
    if (bytes == NULL)
        return detail;
    detail.type = info->base.descriptor->name;
    detail.value = vts_str_make(bytes, protobuf_c_message_pack(&info->base, bytes));
    return detail;
}

static struct vts_error_detail make_detail(const Google__Protobuf__Any *any)
{
    const char *slash = strrchr(any->type_url, '/');

    return (struct vts_error_detail){slash == NULL ? any->type_url : slash + 1,
                                     vts_str_make(any->value.data, any->value.len)};
}

static enum vts_rpc_code to_rpc_code(Connectrpc__Conformance__V1__Code code)
{
    bool is_code = code >= CONNECTRPC__CONFORMANCE__V1__CODE__CODE_CANCELED &&
                   code <= CONNECTRPC__CONFORMANCE__V1__CODE__CODE_UNAUTHENTICATED;

    return is_code ? (enum vts_rpc_code)code : VTS_RPC_UNKNOWN;
}

/* Ends the call as the definition says. */
static void fail(struct talk *talk, const error_definition *error)
{
    struct vts_error_detail details[VTS_CALL_DETAILS_MAX];
    size_t count = 0;

    while (count < error->n_details && count < VTS_CALL_DETAILS_MAX - 1) {
        details[count] = make_detail(error->details[count]);
        count++;
    }
    if (talk->sent_count == 0) {
        details[count] = make_info_detail(talk);
        if (details[count].value.ptr == NULL) {
            end_by_error(talk, VTS_ERR_NOMEM);
            return;
        }
        count++;
    }
    vts_call_fail(talk->call, to_rpc_code(error->code),
                  error->text_case == CONNECTRPC__CONFORMANCE__V1__ERROR__TEXT_MESSAGE
                      ? error->message
                      : NULL,
                  details, count);
}

/* As HTTP/2 wants it. VTS_ERR_INVALID when it is too long. */
static enum vts_err lower(const char *name, char ret_name[NAME_MAX_BYTES])
{
    size_t len = strlen(name);

    if (len >= NAME_MAX_BYTES)
        return VTS_ERR_INVALID;
    for (size_t i = 0; i <= len; i++)
        ret_name[i] = name[i] >= 'A' && name[i] <= 'Z' ? (char)(name[i] - 'A' + 'a') : name[i];
    return VTS_OK;
}

typedef enum vts_err (*add_metadata_fn)(struct vts_call *call, const char *name,
                                        struct vts_str value);

/* Adds all values of all headers; false after having ended the call. */
static bool add_metadata(struct talk *talk, add_metadata_fn add, header *const *headers,
                         size_t count)
{
    char name[NAME_MAX_BYTES];

    for (size_t i = 0; i < count; i++) {
        enum vts_err err = lower(headers[i]->name, name);

        for (size_t j = 0; j < headers[i]->n_value && err == VTS_OK; j++)
            err = add(talk->call, name, vts_str_of(headers[i]->value[j]));
        if (err != VTS_OK) {
            end_by_error(talk, err);
            return false;
        }
    }
    return true;
}

/* ---- time ----------------------------------------------------------------------------------- */

/* Whether the delay before the next response is over; otherwise go_on is called then. */
static bool has_waited(struct talk *talk, uint32_t delay_ms, void (*go_on)(struct talk *talk))
{
    if (talk->has_waited || delay_ms == 0)
        return true;
    talk->go_on = go_on;
    vts_call_set_timer(talk->call, &talk->timer,
                       vts_call_now_ns(talk->call) + (int64_t)delay_ms * VTS_NS_PER_MS);
    return false;
}

/* ---- one response --------------------------------------------------------------------------- */

static void answer(struct talk *talk)
{
    const unary_definition *unary = talk->unary;
    ProtobufCBinaryData data = {0, NULL};
    enum vts_err err;

    if (unary != NULL) {
        if (!has_waited(talk, unary->response_delay_ms, answer) ||
            !add_metadata(talk, vts_call_add_header, unary->response_headers,
                          unary->n_response_headers) ||
            !add_metadata(talk, vts_call_add_trailer, unary->response_trailers,
                          unary->n_response_trailers))
            return;
        if (unary->response_case ==
            CONNECTRPC__CONFORMANCE__V1__UNARY_RESPONSE_DEFINITION__RESPONSE_ERROR) {
            fail(talk, unary->error);
            return;
        }
        if (unary->response_case ==
            CONNECTRPC__CONFORMANCE__V1__UNARY_RESPONSE_DEFINITION__RESPONSE_RESPONSE_DATA)
            data = unary->response_data;
    }
    err = send_payload(talk, data);
    if (err == VTS_OK)
        vts_call_finish(talk->call, VTS_RPC_OK, NULL);
    else
        end_by_error(talk, err);
}

/* Whether the request is kept; otherwise the call is over. */
static bool keep(struct talk *talk, const ProtobufCMessage *request)
{
    enum vts_err err = heard_add(talk->heard, request);

    if (err != VTS_OK)
        end_by_error(talk, err);
    return err == VTS_OK;
}

static void answer_one(struct vts_call *call, const ProtobufCMessage *request)
{
    struct talk *talk = new_talk(call);

    if (talk == NULL || !keep(talk, request))
        return;
    talk->unary = definition_of(talk);
    answer(talk);
}

static void keep_one(struct vts_call *call, const ProtobufCMessage *request)
{
    (void)keep(vts_call_data(call), request); /* otherwise the call is over */
}

static void answer_all(struct vts_call *call)
{
    struct talk *talk = vts_call_data(call);

    talk->unary = definition_of(talk);
    answer(talk);
}

/* ---- many responses ------------------------------------------------------------------------- */

static size_t count_data(const struct talk *talk)
{
    return talk->stream == NULL ? 0 : talk->stream->n_response_data;
}

/* Sends the head of the response; false after having ended the call. */
static bool begin_stream(struct talk *talk)
{
    const stream_definition *stream = talk->stream;

    if (stream != NULL && (!add_metadata(talk, vts_call_add_header, stream->response_headers,
                                         stream->n_response_headers) ||
                           !add_metadata(talk, vts_call_add_trailer, stream->response_trailers,
                                         stream->n_response_trailers)))
        return false;
    vts_call_start(talk->call);
    return true;
}

static void end_stream(struct talk *talk)
{
    if (talk->stream != NULL && talk->stream->error != NULL)
        fail(talk, talk->stream->error);
    else
        vts_call_finish(talk->call, VTS_RPC_OK, NULL);
}

/* Sends what may and can be sent now, and then ends or listens again. */
static void play(struct talk *talk)
{
    enum vts_err err = VTS_OK;

    if (talk->timer.is_running)
        return;
    while (talk->sent_count < talk->allowed_count && err == VTS_OK) {
        if (!has_waited(talk, talk->stream->response_delay_ms, play) ||
            !vts_call_can_send(talk->call))
            return;
        err = send_payload(talk, talk->stream->response_data[talk->sent_count]);
        talk->sent_count++;
        talk->has_waited = false;
    }
    if (err != VTS_OK)
        end_by_error(talk, err);
    else if (talk->has_ended)
        end_stream(talk);
    else
        vts_call_resume(talk->call);
}

static void play_all(struct talk *talk)
{
    talk->has_ended = true;
    talk->allowed_count = count_data(talk);
    play(talk);
}

static void play_request(struct vts_call *call, const ProtobufCMessage *request)
{
    struct talk *talk = new_talk(call);

    if (talk == NULL || !keep(talk, request))
        return;
    talk->stream = definition_of(talk);
    if (begin_stream(talk))
        play_all(talk);
}

/* The first request says how the stream shall go; false after having ended the call. */
static bool hear_first(struct talk *talk)
{
    const Connectrpc__Conformance__V1__BidiStreamRequest *first =
        (const Connectrpc__Conformance__V1__BidiStreamRequest *)heard_first(talk->heard);

    talk->stream = first->response_definition;
    talk->is_in_turns = first->full_duplex;
    return !talk->is_in_turns || begin_stream(talk);
}

static void hear_one(struct vts_call *call, const ProtobufCMessage *request)
{
    struct talk *talk = vts_call_data(call);
    bool is_first = heard_first(talk->heard) == NULL;

    if (!keep(talk, request) || (is_first && !hear_first(talk)) || !talk->is_in_turns)
        return;
    if (talk->allowed_count < count_data(talk)) {
        talk->allowed_count++;
        vts_call_pause(call);
        play(talk);
    } else if (talk->stream != NULL && talk->stream->error != NULL) {
        end_stream(talk); /* nothing is left to send */
    }
}

static void hear_end(struct vts_call *call)
{
    struct talk *talk = vts_call_data(call);

    if (talk->is_in_turns || begin_stream(talk))
        play_all(talk);
}

static void on_writable(struct vts_call *call)
{
    play(vts_call_data(call));
}

/* ---- the service ---------------------------------------------------------------------------- */

static const struct vts_call_handler one_handler = {.on_message = answer_one, .on_end = free_talk};
static const struct vts_call_handler client_stream_handler = {
    .on_start = start_talk,
    .on_message = keep_one,
    .on_half_close = answer_all,
    .on_end = free_talk,
};
static const struct vts_call_handler server_stream_handler = {
    .on_message = play_request,
    .on_writable = on_writable,
    .on_end = free_talk,
};
static const struct vts_call_handler bidi_stream_handler = {
    .on_start = start_talk,
    .on_message = hear_one,
    .on_half_close = hear_end,
    .on_writable = on_writable,
    .on_end = free_talk,
};

static const struct vts_method_row methods[] = {
    {"Unary", 0, &one_handler},
    {"IdempotentUnary", 0, &one_handler},
    {"ClientStream", 0, &client_stream_handler},
    {"ServerStream", 0, &server_stream_handler},
    {"BidiStream", 0, &bidi_stream_handler},
};

struct vts_service_row conformance_service_row(void)
{
    return (struct vts_service_row){
        .descriptor = &connectrpc__conformance__v1__conformance_service__descriptor,
        .methods = methods,
        .methods_count = VTS_ARRAY_LEN(methods)};
}
