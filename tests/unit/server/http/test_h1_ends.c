/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_ends.c - every way in which an exchange over HTTP/1.1 ends, what the peer sees of it, and
 * that the user hears of it once. */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/obs/log.h"
#include "tests/unit/server/http/h1_acts.h"
#include "tests/unit/server/io/scratch_certs.h"

#define CHUNKED_HEAD "x-more: 1\r\ntransfer-encoding: chunked\r\n"
#define CLOSING_HEAD "content-length: 6\r\nconnection: close\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, fields) "POST " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"
#define SMUGGLED "GET /wait HTTP/1.1\r\nHost: a\r\n\r\n"

static struct h1_bench bench;

static uint64_t hits_of(enum vts_limit limit)
{
    return atomic_load(&bench.limits.hits[limit]);
}

/* Only one request has begun, and its user has heard of its end once. */
static void close_after_one(void)
{
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.begun, 1);
    CU_ASSERT_EQUAL(bench.user.closes, 1);
}

/* ---- broken bodies -------------------------------------------------------------------------- */

static const char *const broken_bodies[] = {
    "x\r\n" SMUGGLED,
    "\r\n" SMUGGLED,
    "-1\r\n" SMUGGLED,
    "000000001\r\nx\r\n0\r\n\r\n" SMUGGLED,
    "5 \r\nhello\r\n0\r\n\r\n" SMUGGLED,
    "5\nhello\r\n0\r\n\r\n" SMUGGLED,
    "5\r\nhello\n0\r\n\r\n" SMUGGLED,
    "5\r\nhelloXX0\r\n\r\n" SMUGGLED,
    "5;a\rb\r\nhello\r\n0\r\n\r\n" SMUGGLED,
    "5\r\nhello\r\n0\r\n\n" SMUGGLED,
    "5\r\nhello\r\n0\r\n\r" SMUGGLED,
    "5\r\nhello\r\n0\r\n" SMUGGLED,
    "5\r\nhello\r\n0\r\n A: folded\r\n\r\n" SMUGGLED,
};

static void broken_body_is_answered_400_and_no_more_is_read(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(broken_bodies); i++) {
        h1_bench_open(&bench, NULL);
        h1_bench_post(&bench, "/echo", broken_bodies[i]);
        h1_bench_expect_head(&bench, 400, CLOSING_HEAD);
        h1_bench_expect(&bench, "fault\n");
        h1_bench_expect_end(&bench, true);
        close_after_one();
        CU_ASSERT_EQUAL(bench.user.ends, 0);
    }
}

static void body_that_breaks_a_started_response_breaks_it_off(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(broken_bodies); i++) {
        h1_bench_open(&bench, NULL);
        h1_bench_post(&bench, "/echo-at-once", "");
        h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
        h1_bench_send(&bench, broken_bodies[i]);
        h1_bench_expect_end_of_all(&bench, false);
        close_after_one();
        CU_ASSERT_EQUAL(bench.user.ends, 0);
    }
}

static void trailers_past_their_limit_are_refused(void)
{
    h1_bench_open(&bench, "trailer_fields=2");
    h1_bench_post(&bench, "/echo", "0\r\nA: b\r\nC: d\r\n\r\n");
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "0\r\n\r\n");
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_TRAILER_FIELDS), 0);
    h1_bench_post(&bench, "/echo", "0\r\nA: b\r\nC: d\r\nE: f\r\n\r\n");
    h1_bench_expect_head(&bench, 400, CLOSING_HEAD);
    h1_bench_expect_end_of_all(&bench, true);
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_TRAILER_FIELDS), 1);
    CU_ASSERT_EQUAL(bench.user.closes, 2);
}

/* ---- early answers -------------------------------------------------------------------------- */

static void answer_before_the_body_has_ended_is_the_last(void)
{
    static const char *const requests[] = {
        POST("/early", "Content-Length: 100\r\n") "x",
        POST("/early", "Content-Length: 2\r\n") "x",
        POST("/early", "Transfer-Encoding: chunked\r\n") "1\r\nx\r\n0\r\n\r\n" SMUGGLED,
        POST("/early", "Transfer-Encoding: chunked\r\n") "100\r\nx" SMUGGLED,
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(requests); i++) {
        h1_bench_open(&bench, NULL);
        h1_bench_send(&bench, requests[i]);
        h1_bench_expect_head(&bench, 413, "content-length: 9\r\nconnection: close\r\n");
        h1_bench_expect(&bench, "too much\n");
        h1_bench_expect_end(&bench, true);
        close_after_one();
    }
}

static void answer_at_the_last_piece_of_a_counted_body_is_not_early(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, POST("/early", "Content-Length: 1\r\n") "x" GET("/plain"));
    h1_bench_expect_head(&bench, 413, "content-length: 9\r\n");
    h1_bench_expect(&bench, "too much\n");
    h1_bench_expect_head(&bench, 200, "content-length: 6\r\n");
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.closes, 1);
}

static void stream_that_ends_before_the_body_is_the_last(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, POST("/length", "Content-Length: 100\r\n") "x");
    h1_bench_await_begin(&bench);
    h1_bench_run(&bench, h1_acts_finish);
    h1_bench_expect_head(&bench, 200, "x-more: 1\r\ncontent-length: 5\r\n");
    h1_bench_expect(&bench, "xxxxx");
    h1_bench_expect_end(&bench, true);
    close_after_one();
}

static void stream_that_drops_the_body_says_that_it_is_the_last(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, POST("/length-last", "Content-Length: 100\r\n") "x");
    h1_bench_await_begin(&bench);
    h1_bench_run(&bench, h1_acts_finish);
    h1_bench_expect_head(&bench, 200, "x-more: 1\r\ncontent-length: 5\r\nconnection: close\r\n");
    h1_bench_expect(&bench, "xxxxx");
    h1_bench_expect_end(&bench, true);
    close_after_one();
}

static void stream_that_drops_a_body_that_has_ended_is_not_the_last(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, POST("/length-last", "Content-Length: 1\r\n") "x");
    h1_bench_expect_head(&bench, 200, "x-more: 1\r\ncontent-length: 5\r\n");
    h1_bench_expect(&bench, "xxxxx");
    h1_bench_send(&bench, GET("/plain"));
    h1_bench_expect_head(&bench, 200, "content-length: 6\r\n");
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.closes, 1);
}

/* ---- the peer's end ------------------------------------------------------------------------- */

static void peer_that_leaves_is_noticed_at_once(void)
{
    static const char *const requests[] = {
        GET("/wait"),
        GET("/wait-started"),
        POST("/echo", "Content-Length: 100\r\n") "x",
        POST("/echo", "Transfer-Encoding: chunked\r\n") "5\r\nhello\r\n0\r\n",
        POST("/echo-at-once", "Content-Length: 100\r\n") "x",
        GET("/wait") SMUGGLED,
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(requests); i++) {
        h1_bench_open(&bench, NULL);
        h1_bench_send(&bench, requests[i]);
        h1_bench_await_begin(&bench);
        h1_bench_hang_up(&bench);
        h1_bench_await_close(&bench);
        close_after_one();
    }
}

static void peer_that_leaves_with_a_full_window_is_noticed_at_once(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, POST("/keep", "Content-Length: 10000000\r\n"));
    h1_bench_send_much(&bench, (size_t)4 * H1_WINDOW_BYTES);
    h1_bench_await_full(&bench);
    h1_bench_hang_up(&bench);
    h1_bench_await_close(&bench);
    close_after_one();
    CU_ASSERT_EQUAL(bench.user.taken, H1_WINDOW_BYTES);
}

static void peer_that_says_goodbye_is_noticed_at_once(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/wait"));
    h1_bench_await_begin(&bench);
    (void)SSL_shutdown(bench.client); /* the socket stays */
    h1_bench_await_close(&bench);
    close_after_one();
}

/* ---- our end -------------------------------------------------------------------------------- */

static void user_that_resets_ends_the_connection_without_an_answer(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/reset"));
    h1_bench_expect_end(&bench, false);
    close_after_one();

    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/wait-started"));
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_run(&bench, h1_acts_reset);
    h1_bench_expect_end(&bench, false);
    close_after_one();
}

static void stream_that_is_shorter_than_it_said_is_broken_off(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/short") GET("/plain"));
    CU_ASSERT(h1_bench_read_code(&bench) == 200);
    h1_bench_expect_end_of_all(&bench, false);
    close_after_one();
}

/* A body without any framing must not look complete. */
static void stream_to_http_1_0_that_is_cut_short_is_seen_to_be(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, "GET /wait-started HTTP/1.0\r\n\r\n");
    h1_bench_expect_head(&bench, 200, "x-more: 1\r\nconnection: close\r\n");
    h1_bench_run(&bench, h1_acts_reset);
    h1_bench_expect_end(&bench, false);
    close_after_one();
}

static void drain_server(struct h1_bench *same)
{
    vts_http_server_drain(same->server, NULL, NULL);
}

static void server_that_drains_lets_a_call_finish(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/wait") GET("/plain"));
    h1_bench_await_begin(&bench);
    h1_bench_run(&bench, drain_server);
    h1_bench_run(&bench, h1_acts_finish);
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD "connection: close\r\n");
    h1_bench_expect(&bench, "0\r\n\r\n");
    h1_bench_expect_end(&bench, true);
    close_after_one();
}

static void server_that_has_drained_too_long_cuts_a_call_short(void)
{
    h1_bench_open(&bench, "drain_ms=1");
    h1_bench_send(&bench, GET("/wait-started"));
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_run(&bench, drain_server);
    h1_bench_expect_end(&bench, false);
    close_after_one();
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_DRAIN_MS), 1);
}

static void server_that_stops_tells_its_users(void)
{
    static const char *const requests[] = {GET("/wait"), GET("/wait-started"),
                                           POST("/keep", "Content-Length: 5\r\n") "x"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(requests); i++) {
        h1_bench_open(&bench, NULL);
        h1_bench_send(&bench, requests[i]);
        h1_bench_await_begin(&bench);
        close_after_one();
    }
}

/* ---- limits --------------------------------------------------------------------------------- */

static void body_that_comes_too_slowly_is_refused(void)
{
    static const char *const fields[] = {"Content-Length: 100\r\n",
                                         "Transfer-Encoding: chunked\r\n"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(fields); i++) {
        char request[200];

        (void)snprintf(request, sizeof(request), POST("/echo", "%s") "%s", fields[i],
                       i == 0 ? "x" : "5\r\nhello");
        h1_bench_open(&bench, "body_rate_ms=100");
        h1_bench_send(&bench, request);
        h1_bench_expect_head(&bench, 408, CLOSING_HEAD);
        h1_bench_expect(&bench, "fault\n");
        h1_bench_expect_end(&bench, true);
        close_after_one();
        CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_BODY_RATE), 1);
    }
}

static void slow_body_of_a_started_response_breaks_it_off(void)
{
    h1_bench_open(&bench, "body_rate_ms=100");
    h1_bench_post(&bench, "/echo-at-once", "5\r\nhello\r\n");
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "5\r\nhello\r\n");
    h1_bench_expect_end(&bench, false);
    close_after_one();
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_BODY_RATE), 1);
}

/* A body that is not due may pause, but not for ever. */
static void silent_body_that_is_not_due_has_longer(void)
{
    h1_bench_open(&bench, "body_rate_ms=10,idle_ms=200");
    h1_bench_post(&bench, "/wait-patiently", "1\r\nx\r\n");
    h1_bench_expect_head(&bench, 408, CLOSING_HEAD);
    h1_bench_expect_end_of_all(&bench, true);
    close_after_one();
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_BODY_RATE), 0);
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_IDLE_MS), 1);
}

/* The peer is not to blame for what its user does not consume. */
static void body_that_waits_for_its_user_is_not_slow(void)
{
    h1_bench_open(&bench, "body_rate_ms=200,idle_ms=200");
    h1_bench_send(&bench, POST("/late", "Content-Length: 131072\r\n"));
    h1_bench_send_much(&bench, (size_t)2 * H1_WINDOW_BYTES);
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "0\r\n\r\n");
    close_after_one();
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_BODY_RATE), 0);
}

static void body_that_is_kept_past_its_limit_is_refused(void)
{
    h1_bench_open(&bench, "body_memory=100000");
    h1_bench_send(&bench, POST("/take", "Content-Length: 200000\r\n"));
    h1_bench_send_much(&bench, 200000); /* which is not kept */
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "0\r\n\r\n");
    h1_bench_send(&bench, POST("/hoard", "Content-Length: 200000\r\n"));
    h1_bench_send_much(&bench, 150000);
    h1_bench_expect_head(&bench, 413, CLOSING_HEAD);
    h1_bench_expect_end_of_all(&bench, true);
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.closes, 2);
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_BODY_MEMORY), 1);
}

static void response_that_nobody_takes_is_broken_off(void)
{
    h1_bench_open(&bench, "write_stall_ms=100");
    h1_bench_send(&bench, GET("/large"));
    h1_bench_await_close(&bench);
    h1_bench_expect_end_of_all(&bench, false);
    close_after_one();
    CU_ASSERT_EQUAL(hits_of(VTS_LIMIT_WRITE_STALL_MS), 1);
}

/* ---- memory --------------------------------------------------------------------------------- */

static long failing;
static bool has_failed;

static void begin_failing(struct h1_bench *same)
{
    (void)same;
    (void)vts_mem_fail_after(failing);
}

static void end_failing(struct h1_bench *same)
{
    (void)same;
    has_failed = vts_mem_fail_after(-1) != 0;
}

static void exchange_without_memory_ends_once_all_the_same(void)
{
    unsigned good = 0;

    has_failed = true;
    for (failing = 0; has_failed; failing++) {
        int code;

        CU_ASSERT_FATAL(failing < 100);
        h1_bench_open(&bench, NULL);
        h1_bench_run(&bench, begin_failing);
        h1_bench_send(&bench, POST("/echo?a",
                                   "A: b\r\nAccept: a\r\nAccept: b\r\n"
                                   "Content-Length: 5\r\n") "hello");
        code = h1_bench_read_code(&bench);
        CU_ASSERT(code == 200 || code == 431 || code == -1);
        good += code == 200;
        h1_bench_run(&bench, end_failing);
        h1_bench_close(&bench);
        CU_ASSERT_EQUAL(bench.user.closes, bench.user.begun);
    }
    CU_ASSERT(failing > 5 && good >= 1);
}

static const struct vts_test tests[] = {
    {"broken_body_is_answered_400_and_no_more_is_read",
     broken_body_is_answered_400_and_no_more_is_read},
    {"body_that_breaks_a_started_response_breaks_it_off",
     body_that_breaks_a_started_response_breaks_it_off},
    {"trailers_past_their_limit_are_refused", trailers_past_their_limit_are_refused},
    {"answer_before_the_body_has_ended_is_the_last", answer_before_the_body_has_ended_is_the_last},
    {"answer_at_the_last_piece_of_a_counted_body_is_not_early",
     answer_at_the_last_piece_of_a_counted_body_is_not_early},
    {"stream_that_ends_before_the_body_is_the_last", stream_that_ends_before_the_body_is_the_last},
    {"stream_that_drops_the_body_says_that_it_is_the_last",
     stream_that_drops_the_body_says_that_it_is_the_last},
    {"stream_that_drops_a_body_that_has_ended_is_not_the_last",
     stream_that_drops_a_body_that_has_ended_is_not_the_last},
    {"peer_that_leaves_is_noticed_at_once", peer_that_leaves_is_noticed_at_once},
    {"peer_that_leaves_with_a_full_window_is_noticed_at_once",
     peer_that_leaves_with_a_full_window_is_noticed_at_once},
    {"peer_that_says_goodbye_is_noticed_at_once", peer_that_says_goodbye_is_noticed_at_once},
    {"user_that_resets_ends_the_connection_without_an_answer",
     user_that_resets_ends_the_connection_without_an_answer},
    {"stream_that_is_shorter_than_it_said_is_broken_off",
     stream_that_is_shorter_than_it_said_is_broken_off},
    {"stream_to_http_1_0_that_is_cut_short_is_seen_to_be",
     stream_to_http_1_0_that_is_cut_short_is_seen_to_be},
    {"server_that_drains_lets_a_call_finish", server_that_drains_lets_a_call_finish},
    {"server_that_has_drained_too_long_cuts_a_call_short",
     server_that_has_drained_too_long_cuts_a_call_short},
    {"server_that_stops_tells_its_users", server_that_stops_tells_its_users},
    {"body_that_comes_too_slowly_is_refused", body_that_comes_too_slowly_is_refused},
    {"slow_body_of_a_started_response_breaks_it_off",
     slow_body_of_a_started_response_breaks_it_off},
    {"silent_body_that_is_not_due_has_longer", silent_body_that_is_not_due_has_longer},
    {"body_that_waits_for_its_user_is_not_slow", body_that_waits_for_its_user_is_not_slow},
    {"body_that_is_kept_past_its_limit_is_refused", body_that_is_kept_past_its_limit_is_refused},
    {"response_that_nobody_takes_is_broken_off", response_that_nobody_takes_is_broken_off},
    {"exchange_without_memory_ends_once_all_the_same",
     exchange_without_memory_ends_once_all_the_same},
};

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* fails for other signals only */
    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT);
    return scratch_certs_run("test_h1_ends", tests, VTS_ARRAY_LEN(tests));
}
