/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_poll.c - when GET of a status that prefers to wait is answered, and with what. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "tests/support/suite.h"
#include "tests/unit/server/service/status_bench.h"

static struct status_bench bench;

/* if_none_match may be NULL. */
static void get(const char *target, const char *prefer, const char *if_none_match)
{
    status_bench_make(&bench, target);
    fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, prefer);
    if (if_none_match != NULL)
        fake_exchange_set(&bench.fake, VTS_FIELD_IF_NONE_MATCH, if_none_match);
    status_bench_begin(&bench);
}

static bool is_waiting(void)
{
    return bench.fake.sent_count == 0;
}

/* There must be an answer with this code and entity tag, which tells of this wait. */
static void expect(int code, const char *etag, const char *applied)
{
    CU_ASSERT_EQUAL_FATAL(bench.fake.sent_count, 1);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, code);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "etag"), etag);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "preference-applied"), applied);
    CU_ASSERT_EQUAL(bench.fake.body_len > 0, code != 304);
}

static void move_clock_ms(int64_t ms)
{
    fake_exchange_move_clock(&bench.fake, ms * VTS_NS_PER_MS);
}

static void reader_who_is_current_waits_for_a_change(void)
{
    static const char *const tags[] = {"W/\"r4\"", "\"r4\"", "\"r3\", \"r4\"", "*"};

    status_bench_open(&bench);
    for (size_t i = 0; i < VTS_ARRAY_LEN(tags); i++) {
        status_bench_move(&bench, 4);
        get("/status", "wait=10", tags[i]);
        CU_ASSERT(is_waiting());
        status_bench_publish(&bench, "film", VTS_JOB_SUCCEEDED, 9);
        CU_ASSERT(is_waiting());
        status_bench_move(&bench, 5);
        expect(i == 3 ? 304 : 200, "W/\"r5\"", "wait=10"); /* "*" is any revision there is */
    }
    status_bench_close(&bench);
}

static void reader_with_another_tag_is_answered_at_once(void)
{
    status_bench_open(&bench);
    get("/status/default", "wait=10", "W/\"r3\"");
    expect(200, "W/\"r4\"", "wait=10");
    get("/status/default", "wait=10", "");
    expect(200, "W/\"r4\"", "wait=10");
    status_bench_close(&bench);
}

static void reader_without_a_tag_waits_for_the_end(void)
{
    status_bench_open(&bench);
    get("/status", "wait=10", NULL);
    CU_ASSERT(is_waiting());
    status_bench_move(&bench, 5);
    CU_ASSERT(is_waiting());
    status_bench_publish(&bench, "default", VTS_JOB_SUCCEEDED, 6);
    expect(200, "W/\"r6\"", "wait=10");
    CU_ASSERT_PTR_NOT_NULL(strstr(bench.fake.body, "\"done\":true"));
    status_bench_close(&bench);
}

static void job_that_is_done_is_answered_at_once(void)
{
    status_bench_open(&bench);
    get("/status/film", "wait=10", NULL);
    expect(200, "W/\"r9\"", "wait=10");
    get("/status/film", "wait=10", "\"r9\"");
    expect(304, "W/\"r9\"", "wait=10");
    status_bench_close(&bench);
}

static void end_of_the_time_is_answered_as_without_waiting(void)
{
    status_bench_open(&bench);
    get("/status", "wait=2", "W/\"r4\"");
    move_clock_ms(1999);
    CU_ASSERT(is_waiting());
    move_clock_ms(1);
    expect(304, "W/\"r4\"", "wait=2");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "retry-after"), "1");
    get("/status", "wait=2", NULL);
    status_bench_move(&bench, 5);
    move_clock_ms(2000);
    expect(200, "W/\"r5\"", "wait=2");
    status_bench_close(&bench);
}

static void wait_is_capped_and_says_so(void)
{
    static const struct {
        int64_t max_ms;
        const char *prefer;
        int64_t wait_ms;
        const char *applied;
    } rows[] = {
        {300000, "wait=301", 300000, "wait=300"},
        {300000, "wait=99999999999999999999", 300000, "wait=300"},
        {300000, "respond-async, wait=7;x=y, wait=8", 7000, "wait=7"},
        {2500, "wait=3", 2500, "wait=3"},
        {2500, "wait=9", 2500, "wait=3"}, /* in whole seconds, which it does not exceed */
        {300, "wait=1", 300, "wait=1"},
    };

    status_bench_open(&bench);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        bench.service.wait_max_ns = rows[i].max_ms * VTS_NS_PER_MS;
        get("/status", rows[i].prefer, "\"r4\"");
        move_clock_ms(rows[i].wait_ms - 1);
        CU_ASSERT(is_waiting());
        move_clock_ms(1);
        expect(304, "W/\"r4\"", rows[i].applied);
    }
    get("/status", "wait=0", "\"r4\"");
    expect(304, "W/\"r4\"", "wait=0");
    status_bench_close(&bench);
}

static void wish_that_is_none_is_passed_over(void)
{
    static const char *const wishes[] = {"",        "wait",          "wait=",         "wait=x",
                                         "wait=-1", "respond-async", "wait=x, wait=5"};

    status_bench_open(&bench);
    for (size_t i = 0; i < VTS_ARRAY_LEN(wishes); i++) {
        get("/status", wishes[i], "\"r4\"");
        expect(304, "W/\"r4\"", "(none)");
    }
    status_bench_close(&bench);
}

static void head_does_not_wait(void)
{
    status_bench_open(&bench);
    status_bench_make(&bench, "/status");
    bench.fake.exchange.request.method = VTS_METHOD_HEAD;
    fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, "wait=10");
    status_bench_begin(&bench);
    expect(200, "W/\"r4\"", "(none)");
    status_bench_close(&bench);
}

static void form_and_origin_are_those_of_the_request(void)
{
    status_bench_open(&bench);
    status_bench_make(&bench, "/status");
    fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, "wait=10");
    fake_exchange_set(&bench.fake, VTS_FIELD_ACCEPT, "application/x-protobuf");
    fake_exchange_set(&bench.fake, VTS_FIELD_ORIGIN, "https://a.example");
    status_bench_begin(&bench);
    CU_ASSERT(is_waiting());
    status_bench_publish(&bench, "default", VTS_JOB_FAILED, 5);
    expect(200, "W/\"r5\"", "wait=10");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "content-type"),
                           "application/x-protobuf");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "access-control-allow-origin"),
                           "https://a.example");
    status_bench_close(&bench);
}

static void refusals_do_not_wait(void)
{
    status_bench_open(&bench);
    get("/status/absent", "wait=10", NULL);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 404);
    get("/status/", "wait=10", NULL);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 400);
    status_bench_make(&bench, "/status");
    fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, "wait=10");
    fake_exchange_set(&bench.fake, VTS_FIELD_ACCEPT, "text/html");
    status_bench_begin(&bench);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 406);
    status_bench_close(&bench);
}

static void too_many_who_wait_are_refused(void)
{
    struct vts_watch watches[STATUS_BENCH_WATCHES_MAX];

    status_bench_open(&bench);
    status_bench_make(&bench, "/status");
    fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, "wait=10");
    bench.fake.is_full = true; /* the connection */
    status_bench_begin(&bench);
    expect(429, "(none)", "wait=10");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "retry-after"), "5");
    CU_ASSERT_PTR_NOT_NULL(strstr(bench.fake.body, "resource_exhausted"));
    get("/status", "wait=10", NULL);
    CU_ASSERT(is_waiting());
    fake_exchange_close(&bench.fake);
    for (unsigned i = 0; i < STATUS_BENCH_WATCHES_MAX; i++) /* the server */
        CU_ASSERT_EQUAL_FATAL(
            vts_watch_start(bench.hub, 0, vts_str_of("film"), &watches[i], NULL, NULL), VTS_OK);
    get("/status", "wait=10", NULL);
    expect(429, "(none)", "wait=10");
    for (unsigned i = 0; i < STATUS_BENCH_WATCHES_MAX; i++)
        vts_watch_stop(&watches[i]);
    status_bench_close(&bench);
}

static void drain_is_answered_with_the_present_status(void)
{
    status_bench_open(&bench);
    get("/status", "wait=10", NULL);
    CU_ASSERT(is_waiting());
    vts_rpc_loop_drain(bench.loop);
    expect(200, "W/\"r4\"", "wait=10");
    get("/status", "wait=10", "\"r4\""); /* and so is whoever comes yet */
    expect(304, "W/\"r4\"", "wait=10");
    status_bench_close(&bench);
}

static void body_is_thrown_away(void)
{
    status_bench_open(&bench);
    status_bench_make(&bench, "/status");
    fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, "wait=10");
    vts_router_begin(&bench.router, &bench.fake.exchange);
    CU_ASSERT_EQUAL(fake_exchange_give(&bench.fake, vts_str_of("a body"), 2), 6);
    CU_ASSERT_EQUAL(bench.fake.released_bytes, 6);
    CU_ASSERT_EQUAL(bench.fake.consumed_bytes, 6);
    fake_exchange_give_end(&bench.fake);
    CU_ASSERT(is_waiting());
    status_bench_publish(&bench, "default", VTS_JOB_SUCCEEDED, 5);
    expect(200, "W/\"r5\"", "wait=10");
    status_bench_close(&bench);
}

static void wait_ends_with_its_client(void)
{
    status_bench_open(&bench);
    get("/status", "wait=10", NULL);
    CU_ASSERT_EQUAL(status_bench_watches_left(&bench), STATUS_BENCH_WATCHES_MAX - 1);
    fake_exchange_close(&bench.fake);
    status_bench_move(&bench, 5);
    CU_ASSERT(is_waiting());
    status_bench_close(&bench);
}

static void news_after_the_answer_are_not_for_it(void)
{
    status_bench_open(&bench);
    get("/status", "wait=10", "\"r4\"");
    status_bench_move(&bench, 5);
    status_bench_move(&bench, 6);
    move_clock_ms(10000);
    vts_rpc_loop_drain(bench.loop);
    expect(200, "W/\"r5\"", "wait=10");
    status_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"reader_who_is_current_waits_for_a_change", reader_who_is_current_waits_for_a_change},
    {"reader_with_another_tag_is_answered_at_once", reader_with_another_tag_is_answered_at_once},
    {"reader_without_a_tag_waits_for_the_end", reader_without_a_tag_waits_for_the_end},
    {"job_that_is_done_is_answered_at_once", job_that_is_done_is_answered_at_once},
    {"end_of_the_time_is_answered_as_without_waiting",
     end_of_the_time_is_answered_as_without_waiting},
    {"wait_is_capped_and_says_so", wait_is_capped_and_says_so},
    {"wish_that_is_none_is_passed_over", wish_that_is_none_is_passed_over},
    {"head_does_not_wait", head_does_not_wait},
    {"form_and_origin_are_those_of_the_request", form_and_origin_are_those_of_the_request},
    {"refusals_do_not_wait", refusals_do_not_wait},
    {"too_many_who_wait_are_refused", too_many_who_wait_are_refused},
    {"drain_is_answered_with_the_present_status", drain_is_answered_with_the_present_status},
    {"body_is_thrown_away", body_is_thrown_away},
    {"wait_ends_with_its_client", wait_ends_with_its_client},
    {"news_after_the_answer_are_not_for_it", news_after_the_answer_are_not_for_it},
};

int main(void)
{
    return vts_test_run("test_status_poll", tests, VTS_ARRAY_LEN(tests));
}
