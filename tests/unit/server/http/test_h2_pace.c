/* SPDX-License-Identifier: Apache-2.0 */
/* test_h2_pace.c - requests of one connection that wait because much was made for those before. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "server/http/conn.h"
#include "server/obs/log.h"
#include "tests/support/suite.h"
#include "tests/unit/server/h2_client.h"

enum { REQUESTS = 20, SMALL_BYTES = 1000, LARGE_BYTES = 100000 };

/* The server, whose every request has an answer of so many bytes, made when the request is complete
 * and kept until all of it is out. */
static struct {
    size_t answer_bytes;
    unsigned begun;
    unsigned ended;
    unsigned closed;
    int64_t turn_ns;     /* when a request was last ended */
    unsigned ended_then; /* how many were */
    unsigned ended_most; /* the most at a time */
    struct vts_limits limits;
    struct vts_loop *loop;
    struct vts_http_shared shared;
    struct vts_http_server *server;
    struct h2_client client;
} all;

struct answer {
    struct vts_exchange *exchange;
    unsigned number;
    size_t charged_bytes;
    size_t left_bytes;
};

static void on_body(void *user, struct vts_str bytes)
{
    struct answer *answer = user;

    vts_exchange_release(answer->exchange, bytes.len);
    vts_exchange_consume(answer->exchange, bytes.len);
}

static void on_body_end(void *user)
{
    struct answer *answer = user;
    int64_t now_ns = vts_exchange_now_ns(answer->exchange);

    CU_ASSERT_EQUAL(answer->number, all.ended); /* in their order */
    all.ended_then = now_ns == all.turn_ns ? all.ended_then + 1 : 1;
    all.turn_ns = now_ns;
    if (all.ended_then > all.ended_most)
        all.ended_most = all.ended_then;
    all.ended++;
    answer->charged_bytes = answer->left_bytes = all.answer_bytes;
    vts_exchange_charge(answer->exchange, answer->charged_bytes);
    answer->exchange->response.code = 200;
    vts_exchange_start(answer->exchange);
}

static void refund(struct answer *answer)
{
    vts_exchange_refund(answer->exchange, answer->charged_bytes);
    answer->charged_bytes = 0;
}

static size_t read_answer(void *user, char *out, size_t cap, bool *ret_is_end)
{
    struct answer *answer = user;
    size_t len = answer->left_bytes < cap ? answer->left_bytes : cap;

    memset(out, 'x', len);
    answer->left_bytes -= len;
    *ret_is_end = answer->left_bytes == 0;
    if (*ret_is_end)
        refund(answer);
    return len;
}

static void on_close(void *user)
{
    refund(user);
    free(user);
    all.closed++;
}

static void begin(void *context, struct vts_exchange *exchange)
{
    static const struct vts_exchange_user_ops ops = {on_body, on_body_end, read_answer, on_close};
    struct answer *answer = calloc(1, sizeof(*answer));

    (void)context;
    CU_ASSERT_PTR_NOT_NULL_FATAL(answer);
    answer->exchange = exchange;
    answer->number = all.begun++;
    vts_exchange_attach(exchange, &ops, answer);
}

static void open_all(size_t answer_bytes, const char *limits)
{
    struct vts_http_handler handler = {begin, NULL, NULL};

    memset(&all, 0, sizeof(all));
    all.answer_bytes = answer_bytes;
    vts_limits_init(&all.limits);
    if (limits != NULL)
        CU_ASSERT_EQUAL_FATAL(vts_limits_parse(&all.limits, limits, NULL), VTS_OK);
    all.shared =
        (struct vts_http_shared){.limits = &all.limits, .servers = &all.server, .servers_count = 1};
    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&all.loop), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(
        vts_http_server_new(all.loop, &all.shared, &handler, -1, NULL, &all.server), VTS_OK);
    h2_client_open(&all.client, all.loop);
}

/* Every user has heard of its end. */
static void close_all(void)
{
    h2_client_close(&all.client);
    fake_loop_turn(all.loop);
    CU_ASSERT_EQUAL(all.closed, all.begun);
    vts_http_server_stop(all.server);
    vts_loop_free(all.loop);
    vts_http_server_free(all.server);
}

static uint64_t hits(void)
{
    return atomic_load(&all.limits.hits[VTS_LIMIT_ANSWER_MEMORY]);
}

/* All of them in one record. has_body: they end behind their heads. */
static void send_requests(bool has_body)
{
    all.client.is_held = true;
    for (int i = 0; i < REQUESTS; i++) {
        int32_t id = h2_client_post(&all.client, "/", "text/plain");

        h2_client_send(&all.client, id, vts_str_make("body", has_body ? 4 : 0), true);
    }
    all.client.is_held = false;
    h2_client_pump(&all.client);
}

static void expect_answers(void)
{
    CU_ASSERT_EQUAL(all.ended, REQUESTS);
    for (int32_t i = 0; i < REQUESTS; i++) {
        struct h2_reply *reply = h2_client_reply(&all.client, 2 * i + 1);

        CU_ASSERT_EQUAL(reply->code, 200);
        CU_ASSERT_EQUAL(reply->body.len, all.answer_bytes);
        CU_ASSERT(reply->is_over);
    }
}

static void requests_with_small_answers_wait_for_nothing(void)
{
    open_all(SMALL_BYTES, NULL);
    send_requests(true);
    CU_ASSERT_EQUAL(all.ended_most, REQUESTS);
    CU_ASSERT_EQUAL(hits(), 0);
    expect_answers();
    close_all();
}

static void requests_with_large_answers_are_spread_over_turns(void)
{
    for (int has_body = 0; has_body < 2; has_body++) {
        open_all(LARGE_BYTES, NULL);
        send_requests(has_body);
        CU_ASSERT_EQUAL(all.ended_most, VTS_TURN_BYTES / LARGE_BYTES + 1);
        CU_ASSERT_EQUAL(hits(), 0);
        expect_answers();
        close_all();
    }
}

/* Three answers are enough. Then one is out, and of the next a part, and another is made. */
static void answers_that_are_not_taken_hold_back_the_next_requests(void)
{
    open_all(50000, "answer_memory=120000");
    all.client.keeps_windows = true;
    send_requests(true);
    fake_loop_move_clock(all.loop, 1000);
    CU_ASSERT_EQUAL(all.ended, 4);
    CU_ASSERT_EQUAL(hits(), 2);
    h2_client_allow(&all.client, 0, 40000);
    CU_ASSERT_EQUAL(all.ended, 5);
    h2_client_allow(&all.client, 0, REQUESTS * 50000);
    expect_answers();
    close_all();
}

static void one_answer_may_be_larger_than_what_is_kept_of_several(void)
{
    open_all(LARGE_BYTES, "answer_memory=1");
    send_requests(true);
    CU_ASSERT_EQUAL(all.ended_most, 1);
    expect_answers();
    close_all();
}

static void request_that_waits_may_be_reset(void)
{
    open_all(50000, "answer_memory=60000");
    all.client.keeps_windows = true;
    send_requests(true);
    CU_ASSERT_EQUAL(all.ended, 3);
    for (int32_t i = 3; i < REQUESTS; i++)
        h2_client_reset(&all.client, 2 * i + 1);
    CU_ASSERT_EQUAL(all.closed, REQUESTS - 2); /* and the one that was answered */
    h2_client_allow(&all.client, 0, REQUESTS * 50000);
    CU_ASSERT_EQUAL(all.ended, 3);
    close_all();
}

static void client_may_go_while_requests_wait(void)
{
    open_all(50000, "answer_memory=60000");
    all.client.keeps_windows = true;
    send_requests(true);
    h2_client_hang_up(&all.client);
    CU_ASSERT_EQUAL(all.ended, 3);
    close_all();
}

/* It is given up as ever, and with its answers the next ones' turn comes. */
static void client_that_takes_nothing_is_not_made_more_for(void)
{
    open_all(LARGE_BYTES, "answer_memory=150000,write_stall_ms=1000");
    all.client.keeps_windows = true;
    send_requests(true);
    CU_ASSERT_EQUAL(all.ended, 2);
    fake_loop_move_clock(all.loop, INT64_C(2500) * VTS_NS_PER_MS);
    h2_client_pump(&all.client);
    CU_ASSERT(all.ended > 2 && all.ended < REQUESTS);
    CU_ASSERT(all.ended - all.closed <= 2);
    close_all();
}

static const struct vts_test tests[] = {
    {"requests_with_small_answers_wait_for_nothing", requests_with_small_answers_wait_for_nothing},
    {"requests_with_large_answers_are_spread_over_turns",
     requests_with_large_answers_are_spread_over_turns},
    {"answers_that_are_not_taken_hold_back_the_next_requests",
     answers_that_are_not_taken_hold_back_the_next_requests},
    {"one_answer_may_be_larger_than_what_is_kept_of_several",
     one_answer_may_be_larger_than_what_is_kept_of_several},
    {"request_that_waits_may_be_reset", request_that_waits_may_be_reset},
    {"client_may_go_while_requests_wait", client_may_go_while_requests_wait},
    {"client_that_takes_nothing_is_not_made_more_for",
     client_that_takes_nothing_is_not_made_more_for},
};

int main(void)
{
    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT); /* not each connection's end */
    return vts_test_run("test_h2_pace", tests, VTS_ARRAY_LEN(tests));
}
