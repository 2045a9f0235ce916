/* SPDX-License-Identifier: Apache-2.0 */
/* test_call_h2.c - calls over a whole HTTP/2 connection: frames, windows, resets, and the memory of
 * what is kept. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/envelope.h"
#include "server/http/http_server.h"
#include "server/obs/log.h"
#include "server/rpc/router.h"
#include "tests/support/suite.h"
#include "tests/unit/server/h2_client.h"
#include "tests/unit/server/rpc/toy.h"
#include "toy.pb-c.h"

enum { WINDOW_BYTES = 65535, LARGE_BYTES = 300 * 1024, PAUSED_CALLS = 70 };

/* The whole server side, but for sockets. */
static struct {
    struct vts_limits limits;
    struct toy toy;
    struct vts_service_row services[1];
    struct vts_rpc *rpc;
    struct vts_rpc_loop *rpc_loop;
    struct vts_router router;
    struct vts_loop *loop;
    struct vts_http_shared shared;
    struct vts_http_server *server;
    struct h2_client client;
} all;

static enum vts_err post_to_loop(void *loop, void (*fn)(void *), void *argument)
{
    return vts_loop_post(loop, fn, argument);
}

static void open_all(const struct toy_script *script, const char *limits)
{
    struct vts_http_handler handler = {vts_router_begin, vts_router_handle, &all.router};
    struct vts_rpc_options options = {.descriptor_set = vts_str_make(toy_set, toy_set_len),
                                      .services = all.services,
                                      .services_count = 1,
                                      .limits = &all.limits};

    memset(&all, 0, sizeof(all));
    if (script != NULL)
        all.toy.script = *script;
    vts_limits_init(&all.limits);
    if (limits != NULL)
        CU_ASSERT_EQUAL_FATAL(vts_limits_parse(&all.limits, limits, NULL), VTS_OK);
    all.services[0] = toy_row(&all.toy);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_new(&options, &all.rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&all.loop), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_loop_new(all.rpc, post_to_loop, all.loop, &all.rpc_loop), VTS_OK);
    all.router.rpc = all.rpc_loop;
    all.shared =
        (struct vts_http_shared){.limits = &all.limits, .servers = &all.server, .servers_count = 1};
    CU_ASSERT_EQUAL_FATAL(
        vts_http_server_new(all.loop, &all.shared, &handler, -1, NULL, &all.server), VTS_OK);
    h2_client_open(&all.client, all.loop);
}

static void close_all(void)
{
    h2_client_close(&all.client);
    fake_loop_turn(all.loop);
    CU_ASSERT(vts_list_is_empty(&all.rpc_loop->calls));
    CU_ASSERT_PTR_NULL(all.toy.call);
    vts_http_server_stop(all.server);
    vts_loop_free(all.loop);
    vts_http_server_free(all.server);
    vts_rpc_loop_free(all.rpc_loop);
    vts_rpc_free(all.rpc);
}

/* Forgets what the toy has heard, for another call. */
static void forget(void)
{
    CU_ASSERT_PTR_NULL(all.toy.call);
    all.toy = (struct toy){.script = all.toy.script};
}

static int32_t begin(const char *method, const char *content_type)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/toy.v1.ToyService/%s", method);
    return h2_client_post(&all.client, path, content_type);
}

/* An Ask of "a" and so many bytes, in an envelope. */
static void ask(int32_t id, size_t body_bytes, bool is_end)
{
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];
    Toy__V1__Ask message = TOY__V1__ASK__INIT;
    uint8_t *body = calloc(1, body_bytes + 1);
    struct vts_buf wire;
    size_t len;

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    message.text = (char *)(uintptr_t) "a";
    message.body = (ProtobufCBinaryData){.data = body, .len = body_bytes};
    len = toy__v1__ask__get_packed_size(&message);
    vts_envelope_write_prefix(0, len, prefix);
    vts_buf_init(&wire, len + sizeof(prefix));
    vts_buf_append(&wire, prefix, sizeof(prefix));
    vts_buf_commit(&wire, toy__v1__ask__pack(&message, (uint8_t *)vts_buf_reserve(&wire, len)));
    h2_client_send(&all.client, id, vts_buf_str(&wire), is_end);
    vts_buf_fini(&wire);
    free(body);
}

static struct h2_reply *reply_of(int32_t id)
{
    return h2_client_reply(&all.client, id);
}

static void move_clock(int64_t ms)
{
    fake_loop_move_clock(all.loop, ms * VTS_NS_PER_MS);
    h2_client_pump(&all.client);
}

/* ---- frames -----------------------------------------------------------------------------------
 */

static void answer_is_head_data_and_trailers(void)
{
    struct h2_reply *reply;
    int32_t id;

    open_all(&(struct toy_script){.on_message = toy_answer}, NULL);
    id = begin("Unary", "application/grpc");
    ask(id, 0, true);
    reply = reply_of(id);
    CU_ASSERT_EQUAL(reply->code, 200);
    CU_ASSERT_STRING_EQUAL(reply->fields, "content-type=application/grpc;");
    CU_ASSERT_STRING_EQUAL(reply->trailers, "grpc-status=0;");
    CU_ASSERT(reply->body.len == 8 && memcmp(reply->body.ptr,
                                             "\0\0\0\0\3\x0a\1"
                                             "a",
                                             8) == 0);
    CU_ASSERT(reply->is_over && reply->is_closed);
    CU_ASSERT_EQUAL(reply->error, NGHTTP2_NO_ERROR);
    CU_ASSERT_EQUAL(all.toy.ends, 1);
    close_all();
}

static void failure_before_a_message_is_one_head(void)
{
    int32_t id;

    open_all(NULL, NULL);
    id = begin("Missing", "application/grpc");
    CU_ASSERT_EQUAL(reply_of(id)->code, 200);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply_of(id)->fields, "grpc-status=12;"));
    CU_ASSERT_STRING_EQUAL(reply_of(id)->trailers, "");
    CU_ASSERT(reply_of(id)->is_over);
    close_all();
}

static void chat_goes_both_ways(void)
{
    int32_t id;

    open_all(&(struct toy_script){.on_message = toy_echo, .on_half_close = toy_finish}, NULL);
    id = begin("Chat", "application/grpc");
    CU_ASSERT_EQUAL(all.toy.starts, 1);
    for (unsigned i = 1; i <= 20; i++) {
        ask(id, 0, false);
        CU_ASSERT_EQUAL(all.toy.messages, i);
        CU_ASSERT_EQUAL(reply_of(id)->body.len, (size_t)8 * i);
    }
    h2_client_send(&all.client, id, vts_str_of(""), true);
    CU_ASSERT_STRING_EQUAL(reply_of(id)->trailers, "grpc-status=0;");
    CU_ASSERT(reply_of(id)->is_closed);
    close_all();
}

/* ---- ends -------------------------------------------------------------------------------------
 */

static void client_may_reset_at_any_moment(void)
{
    static const char *const methods[] = {"Unary", "Collect", "Repeat", "Chat"};

    open_all(NULL, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(methods) * 4; i++) {
        int32_t id = begin(methods[i / 4], "application/grpc");

        if (i % 4 == 1)
            h2_client_send(&all.client, id, vts_str_make("\0\0\0\0\5abc", 8), false);
        if (i % 4 == 2)
            ask(id, 0, false);
        if (i % 4 == 3)
            ask(id, 0, true);
        if (i % 4 == 3)
            CU_ASSERT_EQUAL(toy_tell(all.toy.call, "held", 100), VTS_OK);
        h2_client_reset(&all.client, id);
        CU_ASSERT(vts_list_is_empty(&all.rpc_loop->calls));
        forget();
    }
    close_all();
}

static void connection_may_end_at_any_moment(void)
{
    for (int i = 0; i < 3; i++) {
        int32_t id;

        open_all(NULL, NULL);
        id = begin("Chat", "application/grpc");
        if (i > 0)
            ask(id, 0, i > 1);
        CU_ASSERT_EQUAL(toy_tell(all.toy.call, "held", 100), VTS_OK);
        h2_client_hang_up(&all.client);
        CU_ASSERT_EQUAL(all.toy.ends, 1);
        close_all();
    }
}

/* The answer comes while the body still does: what comes is thrown away, and makes room for more,
 * until the stream is reset after a moment (RFC 9113 8.1). */
static void early_answer_lets_the_body_come_for_a_moment(void)
{
    static char chunk[LARGE_BYTES];
    int32_t id;

    open_all(NULL, NULL);
    id = begin("Chat", "application/grpc");
    vts_call_finish(all.toy.call, VTS_RPC_ABORTED, "enough");
    h2_client_pump(&all.client);
    CU_ASSERT(reply_of(id)->is_over);
    h2_client_send(&all.client, id, vts_str_make(chunk, sizeof(chunk)), false);
    CU_ASSERT_EQUAL(h2_client_unsent(&all.client, id), 0);
    CU_ASSERT_EQUAL(all.toy.messages, 0);
    CU_ASSERT(!reply_of(id)->is_closed);
    move_clock(2500);
    CU_ASSERT(reply_of(id)->is_closed);
    CU_ASSERT_EQUAL(reply_of(id)->error, NGHTTP2_NO_ERROR);
    CU_ASSERT_EQUAL(all.toy.ends, 1);
    close_all();
}

/* The outcome waits for the window, and the body goes on coming: its room is given back. */
static void body_behind_an_outcome_that_waits_is_thrown_away(void)
{
    static char chunk[LARGE_BYTES];
    int32_t id;

    open_all(NULL, NULL);
    all.client.keeps_windows = true;
    id = begin("Chat", "application/grpc");
    CU_ASSERT_EQUAL(toy_tell(all.toy.call, "large", LARGE_BYTES), VTS_OK);
    toy_finish(all.toy.call);
    h2_client_pump(&all.client);
    CU_ASSERT_EQUAL(reply_of(id)->body.len, WINDOW_BYTES);
    h2_client_send(&all.client, id, vts_str_make(chunk, sizeof(chunk)), false);
    CU_ASSERT_EQUAL(h2_client_unsent(&all.client, id), 0);
    h2_client_allow(&all.client, 0, LARGE_BYTES);
    h2_client_allow(&all.client, id, LARGE_BYTES);
    CU_ASSERT_STRING_EQUAL(reply_of(id)->trailers, "grpc-status=0;");
    close_all();
}

static void broken_message_resets_no_other_stream(void)
{
    int32_t good;
    int32_t bad;

    open_all(&(struct toy_script){.on_message = toy_echo}, NULL);
    good = begin("Chat", "application/grpc");
    bad = begin("Unary", "application/grpc");
    h2_client_send(&all.client, bad, vts_str_make("\0\0\0\0\2\x0a\x7f", 7), true);
    CU_ASSERT_PTR_NOT_NULL(strstr(reply_of(bad)->fields, "grpc-status=13;"));
    ask(good, 0, false);
    CU_ASSERT_EQUAL(reply_of(good)->body.len, 8);
    h2_client_reset(&all.client, good);
    close_all();
}

/* ---- windows ----------------------------------------------------------------------------------
 */

static void large_messages_pass_the_windows(void)
{
    int32_t id;

    open_all(&(struct toy_script){.on_message = toy_echo, .on_half_close = toy_finish}, NULL);
    id = begin("Chat", "application/grpc");
    for (int i = 0; i < 3; i++)
        ask(id, LARGE_BYTES, i == 2);
    CU_ASSERT_EQUAL(h2_client_unsent(&all.client, id), 0);
    CU_ASSERT_EQUAL(all.toy.body_bytes, (size_t)3 * LARGE_BYTES);
    CU_ASSERT(reply_of(id)->body.len > (size_t)3 * LARGE_BYTES);
    CU_ASSERT_STRING_EQUAL(reply_of(id)->trailers, "grpc-status=0;");
    forget();
    id = begin("Unary", "application/grpc");
    ask(id, LARGE_BYTES, true);
    CU_ASSERT_EQUAL(all.toy.body_bytes, LARGE_BYTES);
    vts_call_finish(all.toy.call, VTS_RPC_OK, NULL);
    h2_client_pump(&all.client);
    close_all();
}

static void paused_call_stops_its_own_client_only(void)
{
    int32_t paused;
    int32_t other;
    struct vts_call *call;

    open_all(NULL, NULL);
    paused = begin("Chat", "application/grpc");
    call = all.toy.call;
    vts_call_pause(call);
    ask(paused, LARGE_BYTES, false);
    CU_ASSERT(h2_client_unsent(&all.client, paused) >= LARGE_BYTES - WINDOW_BYTES);
    /* The other's method answers by itself: nobody implements it. */
    other = begin("Missing", "application/grpc");
    ask(other, LARGE_BYTES, true);
    CU_ASSERT(reply_of(other)->is_over);
    CU_ASSERT_EQUAL(h2_client_unsent(&all.client, other), 0);
    vts_call_resume(call);
    h2_client_pump(&all.client);
    CU_ASSERT_EQUAL(h2_client_unsent(&all.client, paused), 0);
    CU_ASSERT_EQUAL(all.toy.messages, 1);
    close_all();
}

static void tell_again(struct vts_call *call)
{
    if (toy_of(call)->writables >= 100 || toy_tell(call, "w", 5000) != VTS_OK)
        toy_finish(call);
}

static void reader_without_a_window_holds_its_handler_back(void)
{
    unsigned writables;
    int32_t id;

    open_all(&(struct toy_script){.on_message = toy_echo, .on_writable = tell_again}, NULL);
    all.client.keeps_windows = true;
    id = begin("Repeat", "application/grpc");
    ask(id, 0, true);
    CU_ASSERT_EQUAL(reply_of(id)->body.len, WINDOW_BYTES);
    writables = all.toy.writables;
    CU_ASSERT(writables >= 13 && writables <= 15);
    h2_client_allow(&all.client, 0, 10000);
    h2_client_allow(&all.client, id, 10000);
    CU_ASSERT_EQUAL(reply_of(id)->body.len, WINDOW_BYTES + 10000);
    CU_ASSERT(all.toy.writables > writables && all.toy.writables <= writables + 3);
    h2_client_allow(&all.client, 0, 1000000);
    h2_client_allow(&all.client, id, 1000000);
    CU_ASSERT_EQUAL(all.toy.writables, 100);
    CU_ASSERT_STRING_EQUAL(reply_of(id)->trailers, "grpc-status=0;");
    close_all();
}

static void reader_who_never_takes_is_given_up(void)
{
    int32_t id;

    open_all(&(struct toy_script){.on_message = toy_echo, .on_writable = tell_again}, NULL);
    all.client.keeps_windows = true;
    id = begin("Repeat", "application/grpc");
    ask(id, 0, true);
    move_clock(28000);
    CU_ASSERT_EQUAL(all.toy.ends, 0);
    h2_client_allow(&all.client, id, 100); /* of the stream alone, and too little to count */
    move_clock(4000);
    CU_ASSERT_EQUAL(all.toy.ends, 1);
    CU_ASSERT_EQUAL(reply_of(id)->error, NGHTTP2_CANCEL);
    close_all();
}

static void reader_of_a_silent_stream_is_not_given_up(void)
{
    int32_t id;

    open_all(NULL, "ping_after_ms=10000000");
    id = begin("Chat", "application/grpc");
    vts_call_start(all.toy.call);
    h2_client_pump(&all.client);
    move_clock(200000);
    CU_ASSERT_EQUAL(all.toy.ends, 0); /* neither side is due */
    CU_ASSERT_EQUAL(toy_tell(all.toy.call, "late", 0), VTS_OK);
    h2_client_pump(&all.client);
    CU_ASSERT(reply_of(id)->body.len > 0);
    h2_client_reset(&all.client, id);
    close_all();
}

/* ---- what is kept -----------------------------------------------------------------------------
 */

static void body_that_comes_too_slowly_is_given_up(void)
{
    int32_t id;

    open_all(NULL, NULL);
    id = begin("Chat", "application/grpc");
    move_clock(15000);
    CU_ASSERT(!reply_of(id)->is_closed); /* between messages there is time */
    h2_client_send(&all.client, id, vts_str_make("\0\0\0\0\5a", 6), false);
    move_clock(9000);
    CU_ASSERT(!reply_of(id)->is_closed);
    move_clock(3000);
    CU_ASSERT(reply_of(id)->is_closed);
    CU_ASSERT_EQUAL(reply_of(id)->error, NGHTTP2_CANCEL);
    CU_ASSERT_EQUAL(all.toy.ends, 1);
    close_all();
}

/* Whole requests that wait for their end count, too. */
static void bodies_kept_for_one_connection_are_bounded(void)
{
    unsigned reset = 0;

    open_all(NULL, "body_memory=4194304");
    for (int i = 0; i < PAUSED_CALLS; i++) {
        int32_t id = begin("Unary", "application/grpc");

        ask(id, 60000, false);
        if (reply_of(id)->is_closed) {
            CU_ASSERT_EQUAL(reply_of(id)->error, NGHTTP2_ENHANCE_YOUR_CALM);
            reset++;
        }
    }
    CU_ASSERT_EQUAL(all.toy.messages, 0);
    CU_ASSERT_EQUAL(reset, 1); /* the one past 4 MiB */
    /* When they end, there is room again. */
    for (int32_t id = 1; id < 2 * PAUSED_CALLS; id += 2)
        if (!reply_of(id)->is_closed)
            h2_client_reset(&all.client, id);
    for (int i = 0; i < 10; i++)
        ask(begin("Unary", "application/grpc"), 60000, false);
    CU_ASSERT_EQUAL(fake_loop_transports_count(all.loop), 1);
    close_all();
}

/* ---- without memory ---------------------------------------------------------------------------
 */

/* What half of an answer there is, is not taken for a whole one. */
static void answer_without_memory_is_broken_off(void)
{
    int32_t id;

    open_all(NULL, NULL);
    id = begin("Chat", "application/grpc-web");
    CU_ASSERT_EQUAL(toy_tell(all.toy.call, "one", 0), VTS_OK);
    h2_client_pump(&all.client);
    toy_finish(all.toy.call);
    (void)vts_mem_fail_after(0); /* for the trailers */
    fake_loop_turn(all.loop);
    (void)vts_mem_fail_after(-1);
    h2_client_pump(&all.client);
    CU_ASSERT(!reply_of(id)->is_over);
    CU_ASSERT(reply_of(id)->is_closed);
    CU_ASSERT_EQUAL(reply_of(id)->error, NGHTTP2_CANCEL);
    CU_ASSERT_EQUAL(all.toy.ends, 1);
    close_all();
}

static void no_allocation_that_fails_leaves_anything_behind(void)
{
    int has_failed = 1;

    for (long count = 0; has_failed; count++) {
        int32_t id;

        open_all(&(struct toy_script){.on_message = toy_echo, .on_half_close = toy_finish}, NULL);
        (void)vts_mem_fail_after(count);
        id = begin("Chat", "application/grpc-web-text");
        h2_client_send(&all.client, id, vts_str_of("AAAAAAMKAWE=AAAAAAMKAWE="), false);
        h2_client_send(&all.client, id, vts_str_of("AAAAAAMKAWE="), true);
        has_failed = vts_mem_fail_after(-1);
        CU_ASSERT(reply_of(id)->is_closed || all.client.transport == NULL);
        close_all();
    }
}

static const struct vts_test tests[] = {
    {"answer_is_head_data_and_trailers", answer_is_head_data_and_trailers},
    {"failure_before_a_message_is_one_head", failure_before_a_message_is_one_head},
    {"chat_goes_both_ways", chat_goes_both_ways},
    {"client_may_reset_at_any_moment", client_may_reset_at_any_moment},
    {"connection_may_end_at_any_moment", connection_may_end_at_any_moment},
    {"early_answer_lets_the_body_come_for_a_moment", early_answer_lets_the_body_come_for_a_moment},
    {"body_behind_an_outcome_that_waits_is_thrown_away",
     body_behind_an_outcome_that_waits_is_thrown_away},
    {"broken_message_resets_no_other_stream", broken_message_resets_no_other_stream},
    {"large_messages_pass_the_windows", large_messages_pass_the_windows},
    {"paused_call_stops_its_own_client_only", paused_call_stops_its_own_client_only},
    {"reader_without_a_window_holds_its_handler_back",
     reader_without_a_window_holds_its_handler_back},
    {"reader_who_never_takes_is_given_up", reader_who_never_takes_is_given_up},
    {"reader_of_a_silent_stream_is_not_given_up", reader_of_a_silent_stream_is_not_given_up},
    {"body_that_comes_too_slowly_is_given_up", body_that_comes_too_slowly_is_given_up},
    {"bodies_kept_for_one_connection_are_bounded", bodies_kept_for_one_connection_are_bounded},
    {"answer_without_memory_is_broken_off", answer_without_memory_is_broken_off},
    {"no_allocation_that_fails_leaves_anything_behind",
     no_allocation_that_fails_leaves_anything_behind},
};

int main(void)
{
    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT); /* not each connection's end */
    return vts_test_run("test_call_h2", tests, VTS_ARRAY_LEN(tests));
}
