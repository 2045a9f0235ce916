/* SPDX-License-Identifier: Apache-2.0 */
/* interop_service.c - grpc.testing.TestService on the runtime's call.h.
 *
 * Methods whose responses stream share one player: it has the responses that are asked for in a
 * row, sends the next when its time has come and the peer takes it, and goes on when either is
 * told. While it plays, the client is held back, so the row stays short.
 */
#include "tests/interop/interop_service.h"

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/base64.h"
#include "common/wire/metadata.h"
#include "grpc/testing/test.pb-c.h"

enum {
    PAYLOAD_MAX_BYTES = 16 * 1024 * 1024,
    ECHO_MAX_BYTES = 8 * 1024,
    STEPS_MAX = 65536, /* of one call that answers only at its end */
    NS_PER_US = 1000,
};

/* ---- metadata ---------------------------------------------------------------------------- */

/* A binary value in the one form that peers have to take: base64 without padding. */
static enum vts_err add_binary_trailer(struct vts_call *call, const char *name,
                                       struct vts_str value)
{
    struct vts_buf bytes;
    struct vts_buf text;
    enum vts_err err;

    vts_buf_init(&bytes, ECHO_MAX_BYTES);
    vts_buf_init(&text, (size_t)2 * ECHO_MAX_BYTES);
    err = vts_metadata_next_binary(&value, &bytes);
    vts_base64_encode(&text, vts_buf_str(&bytes), VTS_BASE64_UNPADDED);
    if (err == VTS_OK)
        err = vts_call_add_trailer(call, name, vts_buf_str(&text));
    vts_buf_fini(&bytes);
    vts_buf_fini(&text);
    return err;
}

/* What the client sent to have it back. */
static void echo_metadata(struct vts_call *call)
{
    static const char initial[] = "x-grpc-test-echo-initial";
    static const char trailing[] = "x-grpc-test-echo-trailing-bin";
    size_t count;
    const struct vts_header *headers = vts_call_headers(call, &count);

    for (size_t i = 0; i < count; i++) {
        enum vts_err err = VTS_OK;

        if (vts_str_equals_text(headers[i].name, initial))
            err = vts_call_add_header(call, initial, headers[i].value);
        else if (vts_str_equals_text(headers[i].name, trailing))
            err = add_binary_trailer(call, trailing, headers[i].value);
        if (err != VTS_OK) {
            vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT, "the metadata cannot be echoed");
            return;
        }
    }
}

/* ---- what all have in common --------------------------------------------------------------- */

static void end_after(struct vts_call *call, enum vts_err err)
{
    if (err == VTS_OK)
        vts_call_finish(call, VTS_RPC_OK, NULL);
    else
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, vts_err_text(err));
}

/* Whether the client wants the call to end otherwise than OK; then it has. */
static bool end_as_asked(struct vts_call *call, const Grpc__Testing__EchoStatus *status)
{
    enum vts_rpc_code code;

    if (status == NULL || status->code == 0)
        return false;
    code = status->code < 0 || status->code > VTS_RPC_UNAUTHENTICATED
               ? VTS_RPC_UNKNOWN
               : (enum vts_rpc_code)status->code;
    vts_call_finish(call, code, status->message);
    return true;
}

/* Whether the message came as the client says; otherwise the call is over. */
static bool came_as_expected(struct vts_call *call, const Grpc__Testing__BoolValue *expected)
{
    if (expected == NULL || (expected->value != 0) == vts_call_was_compressed(call))
        return true;
    vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT,
                    expected->value ? "the message did not come compressed"
                                    : "the message came compressed");
    return false;
}

static bool is_payload_size(int32_t size)
{
    return size >= 0 && size <= PAYLOAD_MAX_BYTES;
}

static enum vts_compress compress_as_asked(const Grpc__Testing__BoolValue *compressed)
{
    if (compressed == NULL)
        return VTS_COMPRESS_AUTO;
    return compressed->value ? VTS_COMPRESS_ALWAYS : VTS_COMPRESS_NEVER;
}

/* Zeros, to be freed with vts_mem_free(). VTS_ERR_NOMEM. */
static enum vts_err make_payload(int32_t size, Grpc__Testing__Payload *payload)
{
    grpc__testing__payload__init(payload);
    payload->body.len = (size_t)size;
    payload->body.data = vts_mem_zalloc(payload->body.len);
    return payload->body.data == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

/* ---- calls with one response --------------------------------------------------------------- */

static void answer_empty(struct vts_call *call, const ProtobufCMessage *message)
{
    Grpc__Testing__Empty response = GRPC__TESTING__EMPTY__INIT;

    (void)message;
    end_after(call, vts_call_send(call, &response.base));
}

static void answer_unary(struct vts_call *call, const ProtobufCMessage *message)
{
    const Grpc__Testing__SimpleRequest *request = (const Grpc__Testing__SimpleRequest *)message;
    Grpc__Testing__SimpleResponse response = GRPC__TESTING__SIMPLE_RESPONSE__INIT;
    Grpc__Testing__Payload payload;
    enum vts_err err;

    echo_metadata(call);
    if (vts_call_is_over(call) || !came_as_expected(call, request->expect_compressed) ||
        end_as_asked(call, request->response_status))
        return;
    if (!is_payload_size(request->response_size)) {
        vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT, "no such response_size");
        return;
    }
    vts_call_set_compress(call, compress_as_asked(request->response_compressed));
    err = make_payload(request->response_size, &payload);
    response.payload = &payload;
    if (err == VTS_OK)
        err = vts_call_send(call, &response.base);
    vts_mem_free(payload.body.data);
    end_after(call, err);
}

static void free_data(struct vts_call *call)
{
    vts_mem_free(vts_call_data(call));
}

/* The call's data, cleared; NULL after having ended the call. */
static void *new_data(struct vts_call *call, size_t size)
{
    void *data = vts_mem_zalloc(size);

    vts_call_set_data(call, data);
    if (data == NULL)
        end_after(call, VTS_ERR_NOMEM);
    return data;
}

static void start_sum(struct vts_call *call)
{
    (void)new_data(call, sizeof(int64_t)); /* without it the call is over */
}

static void add_to_sum(struct vts_call *call, const ProtobufCMessage *message)
{
    const Grpc__Testing__StreamingInputCallRequest *request =
        (const Grpc__Testing__StreamingInputCallRequest *)message;
    int64_t *sum = vts_call_data(call);

    if (came_as_expected(call, request->expect_compressed) && request->payload != NULL)
        *sum += (int64_t)request->payload->body.len;
}

static void answer_sum(struct vts_call *call)
{
    Grpc__Testing__StreamingInputCallResponse response =
        GRPC__TESTING__STREAMING_INPUT_CALL_RESPONSE__INIT;
    int64_t sum = *(const int64_t *)vts_call_data(call);

    if (sum > INT32_MAX) {
        vts_call_finish(call, VTS_RPC_OUT_OF_RANGE, "the sum does not fit into its field");
        return;
    }
    response.aggregated_payload_size = (int32_t)sum;
    end_after(call, vts_call_send(call, &response.base));
}

/* ---- calls whose responses stream ----------------------------------------------------------- */

/* One response, and how long to wait before it. */
struct step {
    int32_t size;
    int64_t interval_ns;
    enum vts_compress compress;
};

struct player {
    struct vts_call *call;
    struct vts_timer timer;
    struct step *steps;
    size_t count;
    size_t cap;
    size_t at;       /* the next one */
    bool has_waited; /* for the next one */
    bool is_playing; /* otherwise steps only gather */
    bool is_last;    /* the call ends behind the steps */
};

static void send_step(struct player *player, const struct step *step)
{
    Grpc__Testing__StreamingOutputCallResponse response =
        GRPC__TESTING__STREAMING_OUTPUT_CALL_RESPONSE__INIT;
    Grpc__Testing__Payload payload;
    enum vts_err err = make_payload(step->size, &payload);

    response.payload = &payload;
    vts_call_set_compress(player->call, step->compress);
    if (err == VTS_OK)
        err = vts_call_send(player->call, &response.base);
    vts_mem_free(payload.body.data);
    player->at++;
    player->has_waited = false;
    if (err != VTS_OK)
        end_after(player->call, err);
}

/* Sends what can be sent now. */
static void play(struct player *player)
{
    struct vts_call *call = player->call;

    if (!player->is_playing || player->timer.is_running)
        return;
    while (player->at < player->count && !vts_call_is_over(call)) {
        const struct step *step = &player->steps[player->at];

        if (step->interval_ns > 0 && !player->has_waited) {
            vts_call_set_timer(call, &player->timer, vts_call_now_ns(call) + step->interval_ns);
            return;
        }
        if (!vts_call_can_send(call))
            return;
        send_step(player, step);
    }
    player->at = player->count = 0;
    player->is_playing = false;
    if (player->is_last)
        vts_call_finish(call, VTS_RPC_OK, NULL);
    else
        vts_call_resume(call);
}

static void on_interval_over(void *context)
{
    struct player *player = context;

    player->has_waited = true;
    play(player);
}

/* VTS_ERR_INVALID, VTS_ERR_LIMIT or VTS_ERR_NOMEM. */
static enum vts_err add_step(struct player *player,
                             const Grpc__Testing__ResponseParameters *parameters)
{
    if (!is_payload_size(parameters->size) || parameters->interval_us < 0)
        return VTS_ERR_INVALID;
    if (player->count == STEPS_MAX)
        return VTS_ERR_LIMIT;
    if (player->count == player->cap) {
        size_t cap = player->cap == 0 ? 4 : 2 * player->cap;
        struct step *steps = vts_mem_realloc(player->steps, cap * sizeof(*steps));

        if (steps == NULL)
            return VTS_ERR_NOMEM;
        player->steps = steps;
        player->cap = cap;
    }
    player->steps[player->count++] =
        (struct step){.size = parameters->size,
                      .interval_ns = (int64_t)parameters->interval_us * NS_PER_US,
                      .compress = compress_as_asked(parameters->compressed)};
    return VTS_OK;
}

/* Adds what a request asks for; false after having ended the call. */
static bool add_steps(struct player *player, const ProtobufCMessage *message)
{
    const Grpc__Testing__StreamingOutputCallRequest *request =
        (const Grpc__Testing__StreamingOutputCallRequest *)message;
    enum vts_err err = VTS_OK;

    if (end_as_asked(player->call, request->response_status))
        return false;
    for (size_t i = 0; i < request->n_response_parameters && err == VTS_OK; i++)
        err = add_step(player, request->response_parameters[i]);
    if (err == VTS_ERR_INVALID)
        vts_call_finish(player->call, VTS_RPC_INVALID_ARGUMENT, "no such response_parameters");
    else if (err != VTS_OK)
        end_after(player->call, err);
    return err == VTS_OK;
}

/* NULL after having ended the call. */
static struct player *new_player(struct vts_call *call)
{
    struct player *player = new_data(call, sizeof(*player));

    if (player == NULL)
        return NULL;
    player->call = call;
    vts_timer_init(&player->timer, on_interval_over, player);
    return player;
}

static void begin_playing(struct player *player)
{
    player->is_playing = true;
    play(player);
}

static void start_player(struct vts_call *call)
{
    (void)new_player(call); /* without it the call is over */
}

static void start_player_and_echo(struct vts_call *call)
{
    if (new_player(call) != NULL)
        echo_metadata(call);
}

static void play_request(struct vts_call *call, const ProtobufCMessage *message)
{
    struct player *player = new_player(call);

    if (player == NULL || !add_steps(player, message))
        return;
    player->is_last = true;
    begin_playing(player);
}

static void play_one_of_many(struct vts_call *call, const ProtobufCMessage *message)
{
    struct player *player = vts_call_data(call);

    if (!add_steps(player, message))
        return;
    vts_call_pause(call);
    begin_playing(player);
}

static void keep_for_later(struct vts_call *call, const ProtobufCMessage *message)
{
    (void)add_steps(vts_call_data(call), message); /* otherwise the call is over */
}

static void play_to_the_end(struct vts_call *call)
{
    struct player *player = vts_call_data(call);

    player->is_last = true;
    begin_playing(player);
}

static void on_writable(struct vts_call *call)
{
    play(vts_call_data(call));
}

static void free_player(struct vts_call *call)
{
    struct player *player = vts_call_data(call);

    if (player == NULL)
        return;
    vts_call_stop_timer(call, &player->timer);
    vts_mem_free(player->steps);
    vts_mem_free(player);
}

/* ---- the service ---------------------------------------------------------------------------- */

static const struct vts_call_handler empty_handler = {.on_message = answer_empty};
static const struct vts_call_handler unary_handler = {.on_message = answer_unary};
static const struct vts_call_handler input_handler = {
    .on_start = start_sum,
    .on_message = add_to_sum,
    .on_half_close = answer_sum,
    .on_end = free_data,
};
static const struct vts_call_handler output_handler = {
    .on_message = play_request,
    .on_writable = on_writable,
    .on_end = free_player,
};
static const struct vts_call_handler full_duplex_handler = {
    .on_start = start_player_and_echo,
    .on_message = play_one_of_many,
    .on_half_close = play_to_the_end,
    .on_writable = on_writable,
    .on_end = free_player,
};
static const struct vts_call_handler half_duplex_handler = {
    .on_start = start_player,
    .on_message = keep_for_later,
    .on_half_close = play_to_the_end,
    .on_writable = on_writable,
    .on_end = free_player,
};

static const struct vts_method_row methods[] = {
    {"EmptyCall", 0, &empty_handler},
    {"UnaryCall", 0, &unary_handler},
    {"CacheableUnaryCall", 0, &unary_handler},
    {"StreamingInputCall", 0, &input_handler},
    {"StreamingOutputCall", 0, &output_handler},
    {"FullDuplexCall", 0, &full_duplex_handler},
    {"HalfDuplexCall", 0, &half_duplex_handler},
};

struct vts_service_row interop_service_row(void)
{
    return (struct vts_service_row){.descriptor = &grpc__testing__test_service__descriptor,
                                    .methods = methods,
                                    .methods_count = VTS_ARRAY_LEN(methods)};
}
