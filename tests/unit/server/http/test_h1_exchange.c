/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_exchange.c - what exchange.h promises to a user, over HTTP/1.1: bodies in pieces both
 * ways, each waiting for who takes it. How exchanges end is in test_h1_ends.c. */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <string.h>

#include "server/http/conn.h"
#include "server/obs/log.h"
#include "tests/unit/server/http/h1_acts.h"
#include "tests/unit/server/io/scratch_certs.h"

enum { FLOOD_BYTES = 64 * 1024 * 1024 };

#define CHUNKED_HEAD "x-more: 1\r\ntransfer-encoding: chunked\r\n"
#define GET(path) "GET " path " HTTP/1.1\r\nHost: a\r\n\r\n"
#define POST(path, fields) "POST " path " HTTP/1.1\r\nHost: a\r\n" fields "\r\n"

static struct h1_bench bench;

/* ---- requests ------------------------------------------------------------------------------- */

static void chunked_body_comes_back(void)
{
    h1_bench_open(&bench, NULL);
    for (int i = 0; i < 3; i++) { /* on one connection */
        h1_bench_post(&bench, "/echo", "3\r\nhel\r\n2;ext\r\nlo\r\n0\r\nTrailer: x\r\n\r\n");
        h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
        h1_bench_expect(&bench, "5\r\nhello\r\n0\r\n\r\n");
        h1_bench_await_close(&bench);
    }
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.begun, 3);
    CU_ASSERT_EQUAL(bench.user.ends, 3);
    CU_ASSERT_EQUAL(bench.user.closes, 3);
    CU_ASSERT_EQUAL(bench.user.taken, 15);
}

static void chunked_body_comes_back_one_octet_at_a_time(void)
{
    static const char text[] =
        POST("/echo", "Transfer-Encoding: chunked\r\n") "5\r\nhello\r\nA\r\n0123456789\r\n"
                                                        "0\r\nTrailer: x\r\n\r\n";

    h1_bench_open(&bench, NULL);
    for (size_t i = 0; i < sizeof(text) - 1; i++)
        h1_bench_send(&bench, (char[]){text[i], '\0'});
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "f\r\nhello0123456789\r\n0\r\n\r\n");
    h1_bench_close(&bench);
}

static void counted_body_comes_back(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, POST("/echo", "Content-Length: 5\r\n") "hel");
    h1_bench_send(&bench, "lo");
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "5\r\nhello\r\n0\r\n\r\n");
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.closes, 1);
}

static void request_without_body_has_its_end_at_once(void)
{
    static const char *const requests[] = {GET("/echo"), POST("/echo", ""),
                                           POST("/echo", "Content-Length: 0\r\n"),
                                           POST("/echo", "Transfer-Encoding: chunked\r\n") //
                                           "0\r\n\r\n"};

    h1_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(requests); i++) {
        h1_bench_send(&bench, requests[i]);
        h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
        h1_bench_expect(&bench, "0\r\n\r\n");
        h1_bench_await_close(&bench);
    }
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.ends, VTS_ARRAY_LEN(requests));
}

/* None of them overtakes the one before, however long that waits. */
static void pipelined_requests_are_answered_in_turn(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(
        &bench, GET("/wait") POST("/echo", "Content-Length: 2\r\n") "hi" GET("/plain") POST(
                    "/echo", "Transfer-Encoding: chunked\r\n") "1\r\nx\r\n0\r\n\r\n" GET("/none"));
    h1_bench_await_begin(&bench);
    h1_bench_run(&bench, h1_acts_finish);
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "0\r\n\r\n");
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "2\r\nhi\r\n0\r\n\r\n");
    h1_bench_expect_head(&bench, 200, "content-length: 6\r\n");
    h1_bench_expect(&bench, "plain\n");
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "1\r\nx\r\n0\r\n\r\n");
    h1_bench_expect_head(&bench, 404, "content-length: 6\r\n");
    h1_bench_expect(&bench, "plain\n");
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.begun, 5);
    CU_ASSERT_EQUAL(bench.user.closes, 3);
}

/* So that others are served between them. */
static void costly_requests_are_spread_over_turns(void)
{
    static const struct {
        const char *requests;
        unsigned ends_at_once;
    } rows[] = {{GET("/take") GET("/take") GET("/take") GET("/take"), 3},
                {GET("/costly") GET("/costly") GET("/costly") GET("/costly"), 0}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        h1_bench_open(&bench, NULL);
        h1_bench_send(&bench, rows[i].requests);
        for (int j = 0; j < 4; j++) {
            h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
            h1_bench_expect(&bench, "0\r\n\r\n");
        }
        h1_bench_close(&bench);
        CU_ASSERT_EQUAL(bench.user.ends, 4);
        CU_ASSERT_EQUAL(bench.user.ends_at_once, rows[i].ends_at_once);
    }
}

/* What is held has its own bound, and loses nothing. */
static void costly_requests_may_be_many(void)
{
    enum { COUNT = 200 };

    h1_bench_open(&bench, NULL);
    for (int i = 0; i < COUNT; i++)
        h1_bench_send(&bench, POST("/costly", "Content-Length: 2\r\n") "hi");
    for (int i = 0; i < COUNT; i++) {
        h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
        h1_bench_expect(&bench, "0\r\n\r\n");
    }
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.ends, COUNT);
    CU_ASSERT_EQUAL(bench.user.ends_at_once, 0);
}

static void check_only_one_has_begun(struct h1_bench *same)
{
    CU_ASSERT_EQUAL(same->user.begun, 1);
}

static void request_waits_for_the_answer_before_it(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/wait") GET("/wait"));
    h1_bench_await_begin(&bench);
    h1_bench_run(&bench, check_only_one_has_begun);
    h1_bench_run(&bench, h1_acts_finish);
    h1_bench_await_begin(&bench);
    h1_bench_run(&bench, h1_acts_finish);
    for (int i = 0; i < 2; i++) {
        h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
        h1_bench_expect(&bench, "0\r\n\r\n");
    }
    h1_bench_close(&bench);
}

static void headers_are_those_of_the_request(void)
{
    static const char fields[] = "X-Bin: AAEC\r\nx-a:  1 \r\nX-A:\t2\r\nEmpty:\r\n";
    static const struct {
        const char *line;
        bool has_headers;
    } rows[] = {
        {"POST /plain HTTP/1.1\r\n", true},           {"GET /plain?a=b HTTP/1.1\r\n", true},
        {"GET https://a/plain?a HTTP/1.1\r\n", true}, {"GET /plain HTTP/1.1\r\n", false},
        {"PUT /plain HTTP/1.1\r\n", false},
    };

    h1_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        h1_bench_send(&bench, rows[i].line);
        h1_bench_send(&bench, "HOST: a\r\n");
        h1_bench_send(&bench, fields);
        h1_bench_send(&bench, "\r\n");
        h1_bench_expect_head(&bench, 200, "content-length: 6\r\n");
        h1_bench_expect(&bench, "plain\n");
        CU_ASSERT_STRING_EQUAL(bench.headers,
                               rows[i].has_headers ? "host=a;x-bin=AAEC;x-a=1;x-a=2;empty=;" : "");
    }
    h1_bench_close(&bench);
}

static void body_that_is_expected_is_asked_for(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, POST("/echo", "Content-Length: 5\r\nExpect: 100-Continue\r\n"));
    h1_bench_expect(&bench, "HTTP/1.1 100 Continue\r\n\r\n");
    h1_bench_send(&bench, "hello");
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "5\r\nhello\r\n0\r\n\r\n");
    h1_bench_close(&bench);
}

static void body_that_nobody_takes_is_not_asked_for(void)
{
    static const struct {
        const char *request;
        int code;
    } rows[] = {
        {POST("/plain", "Content-Length: 5\r\nExpect: 100-continue\r\n"), 200},
        {POST("/hasty", "Content-Length: 5\r\nExpect: 100-continue\r\n"), 200},
        {POST("/hasty-user", "Content-Length: 5\r\nExpect: 100-continue\r\n"), 200},
        {POST("/echo", "Content-Length: 5\r\nExpect: something\r\n"), 417},
    };

    h1_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        h1_bench_send(&bench, rows[i].request);
        h1_bench_expect_head(&bench, rows[i].code, "content-length: 6\r\nconnection: close\r\n");
        h1_bench_expect_end_of_all(&bench, true);
        h1_bench_reconnect(&bench);
    }
    h1_bench_close(&bench);
}

/* ---- what waits for the user ---------------------------------------------------------------- */

/* Most that one connection can have sent to a server whose user takes no more: the window, what may
 * wait behind it, what one read takes beyond, and TLS. */
enum { TAKEN_MAX_BYTES = H1_WINDOW_BYTES + 16 * 1024 + H1_INPUT_BYTES + 16 * 1024 };

static void check_window_is_full(struct h1_bench *same)
{
    struct vts_conn *conn = VTS_CONTAINER_OF(same->server->conns.next, struct vts_conn, link);

    CU_ASSERT_EQUAL(same->user.taken, H1_WINDOW_BYTES);
    CU_ASSERT(vts_transport_bytes_in(conn->transport) < TAKEN_MAX_BYTES);
}

static void body_waits_for_who_does_not_consume_it(void)
{
    size_t sent = (size_t)2 * H1_WINDOW_BYTES;

    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, POST("/keep", "Content-Length: 67108864\r\n"));
    h1_bench_send_much(&bench, sent);
    h1_bench_await_full(&bench);
    sent += h1_bench_flood(&bench, FLOOD_BYTES - sent);
    CU_ASSERT(sent < FLOOD_BYTES);
    h1_bench_run(&bench, check_window_is_full);
    h1_bench_run(&bench, h1_acts_consume);
    h1_bench_send_much(&bench, FLOOD_BYTES - sent);
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.taken, FLOOD_BYTES);
    CU_ASSERT_EQUAL(bench.user.closes, 1);
}

static void end_of_a_body_needs_no_window(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_post(&bench, "/keep", "10000\r\n");
    h1_bench_send_much(&bench, H1_WINDOW_BYTES);
    h1_bench_send(&bench, "\r\n0\r\n\r\n");
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "0\r\n\r\n");
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.ends, 1);
}

/* ---- responses ------------------------------------------------------------------------------ */

static void response_goes_on_when_a_timer_says_so(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/ticks"));
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "5\r\nxxxxx\r\n5\r\nxxxxx\r\n5\r\nxxxxx\r\n0\r\n\r\n");
    h1_bench_send(&bench, GET("/plain"));
    h1_bench_expect_head(&bench, 200, "content-length: 6\r\n");
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.closes, 1);
}

static void response_goes_on_when_a_post_says_so(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/wait-started"));
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_run(&bench, h1_acts_finish);
    h1_bench_expect(&bench, "0\r\n\r\n");
    h1_bench_await_close(&bench);
    h1_bench_close(&bench);
}

static void response_may_begin_before_the_body_has_ended(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_post(&bench, "/echo-at-once", "5\r\nhello\r\n");
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    h1_bench_expect(&bench, "5\r\nhello\r\n");
    h1_bench_send(&bench, "1\r\nx\r\n");
    h1_bench_expect(&bench, "1\r\nx\r\n");
    h1_bench_send(&bench, "0\r\n\r\n");
    h1_bench_expect(&bench, "0\r\n\r\n");
    h1_bench_send(&bench, GET("/plain")); /* nothing is left of the body */
    h1_bench_expect_head(&bench, 200, "content-length: 6\r\n");
    h1_bench_close(&bench);
}

/* What is read from the user at a time: about a record of TLS. */
enum { PIECE_MIN_BYTES = 8 * 1024, PIECE_MAX_BYTES = 16 * 1024 };

static bool has_stalled;

static void look_for_a_stall(struct h1_bench *same)
{
    struct vts_conn *conn = VTS_CONTAINER_OF(same->server->conns.next, struct vts_conn, link);

    has_stalled = vts_transport_stalled_since_ns(conn->transport) != 0;
    CU_ASSERT(same->user.given < FLOOD_BYTES);
}

static void response_waits_for_who_does_not_read_it(void)
{
    size_t largest;

    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench, GET("/large"));
    do {
        h1_bench_run(&bench, look_for_a_stall);
    } while (!has_stalled);
    h1_bench_expect_head(&bench, 200, CHUNKED_HEAD);
    CU_ASSERT_EQUAL(h1_bench_read_chunks(&bench, &largest), FLOOD_BYTES);
    CU_ASSERT(largest > PIECE_MIN_BYTES && largest < PIECE_MAX_BYTES);
    h1_bench_await_close(&bench);
    h1_bench_close(&bench);
    CU_ASSERT(bench.user.read_most <= PIECE_MAX_BYTES);
}

static void response_of_known_length_says_so(void)
{
    static const struct {
        const char *request;
        int code;
        const char *head;
        const char *body;
    } rows[] = {
        {GET("/length"), 200, "x-more: 1\r\ncontent-length: 5\r\n", "xxxxx"},
        {GET("/empty"), 200, "x-more: 1\r\ncontent-length: 0\r\n", ""},
        {GET("/204"), 204, "x-more: 1\r\n", ""},
        {GET("/304"), 304, "x-more: 1\r\n", ""},
        {"HEAD /length HTTP/1.1\r\nHost: a\r\n\r\n", 200, "x-more: 1\r\ncontent-length: 5\r\n", ""},
        {"HEAD /ticks HTTP/1.1\r\nHost: a\r\n\r\n", 200, "x-more: 1\r\n", ""},
        {"GET /length HTTP/1.0\r\nConnection: keep-alive\r\n\r\n", 200,
         "x-more: 1\r\ncontent-length: 5\r\n", "xxxxx"},
        {GET("/hasty-user"), 200, "content-length: 6\r\n", "hasty\n"},
    };

    h1_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) { /* on one connection */
        h1_bench_send(&bench, rows[i].request);
        h1_bench_expect_head(&bench, rows[i].code, rows[i].head);
        h1_bench_expect(&bench, rows[i].body);
        h1_bench_await_close(&bench);
    }
    h1_bench_close(&bench);
}

static void response_to_http_1_0_ends_with_the_connection(void)
{
    h1_bench_open(&bench, NULL);
    h1_bench_send(&bench,
                  "POST /echo HTTP/1.0\r\nConnection: keep-alive\r\n"
                  "Expect: 100-continue\r\nContent-Length: 5\r\n\r\n");
    h1_bench_send(&bench, "hello");
    h1_bench_expect_head(&bench, 200, "x-more: 1\r\nconnection: close\r\n");
    h1_bench_expect(&bench, "hello");
    h1_bench_expect_end(&bench, true);
    h1_bench_close(&bench);
    CU_ASSERT_EQUAL(bench.user.closes, 1);
}

static const struct vts_test tests[] = {
    {"chunked_body_comes_back", chunked_body_comes_back},
    {"chunked_body_comes_back_one_octet_at_a_time", chunked_body_comes_back_one_octet_at_a_time},
    {"counted_body_comes_back", counted_body_comes_back},
    {"request_without_body_has_its_end_at_once", request_without_body_has_its_end_at_once},
    {"pipelined_requests_are_answered_in_turn", pipelined_requests_are_answered_in_turn},
    {"costly_requests_are_spread_over_turns", costly_requests_are_spread_over_turns},
    {"costly_requests_may_be_many", costly_requests_may_be_many},
    {"request_waits_for_the_answer_before_it", request_waits_for_the_answer_before_it},
    {"headers_are_those_of_the_request", headers_are_those_of_the_request},
    {"body_that_is_expected_is_asked_for", body_that_is_expected_is_asked_for},
    {"body_that_nobody_takes_is_not_asked_for", body_that_nobody_takes_is_not_asked_for},
    {"body_waits_for_who_does_not_consume_it", body_waits_for_who_does_not_consume_it},
    {"end_of_a_body_needs_no_window", end_of_a_body_needs_no_window},
    {"response_goes_on_when_a_timer_says_so", response_goes_on_when_a_timer_says_so},
    {"response_goes_on_when_a_post_says_so", response_goes_on_when_a_post_says_so},
    {"response_may_begin_before_the_body_has_ended", response_may_begin_before_the_body_has_ended},
    {"response_waits_for_who_does_not_read_it", response_waits_for_who_does_not_read_it},
    {"response_of_known_length_says_so", response_of_known_length_says_so},
    {"response_to_http_1_0_ends_with_the_connection",
     response_to_http_1_0_ends_with_the_connection},
};

int main(void)
{
    (void)signal(SIGPIPE, SIG_IGN); /* fails for other signals only */
    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT);
    return scratch_certs_run("test_h1_exchange", tests, VTS_ARRAY_LEN(tests));
}
