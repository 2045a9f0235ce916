/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_wait.c - when WaitStatus answers, and with what. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "tests/support/suite.h"
#include "tests/unit/server/service/status_bench.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum { NO_TIMEOUT = -1 };

static const Vtstatus__V1__WaitUntil until_change = VTSTATUS__V1__WAIT_UNTIL__WAIT_UNTIL_CHANGE;
static const Vtstatus__V1__WaitUntil until_done = VTSTATUS__V1__WAIT_UNTIL__WAIT_UNTIL_DONE;

static struct status_bench bench;

static void call(const char *job_id, uint64_t after_revision, Vtstatus__V1__WaitUntil until,
                 int64_t timeout_ms, const char *deadline)
{
    Vtstatus__V1__WaitStatusRequest request = VTSTATUS__V1__WAIT_STATUS_REQUEST__INIT;
    Google__Protobuf__Duration timeout = GOOGLE__PROTOBUF__DURATION__INIT;

    request.job_id = (char *)(uintptr_t)job_id;
    request.after_revision = after_revision;
    request.until = until;
    timeout.seconds = timeout_ms / 1000;
    timeout.nanos = (int32_t)(timeout_ms % 1000 * VTS_NS_PER_MS);
    if (timeout_ms != NO_TIMEOUT)
        request.timeout = &timeout;
    status_bench_call(&bench, "WaitStatus", deadline, &request.base);
}

/* The default job, without a deadline. */
static void wait_after(uint64_t after_revision, Vtstatus__V1__WaitUntil until, int64_t timeout_ms)
{
    call("default", after_revision, until, timeout_ms, NULL);
}

static bool is_waiting(void)
{
    status_bench_read(&bench);
    return bench.fake.sent_count + bench.fake.started_count == 0;
}

/* The answer must be there, and be this revision. */
static void expect(uint64_t revision)
{
    struct status_bench_seen seen;

    status_bench_read(&bench);
    CU_ASSERT_EQUAL(status_bench_code(&bench), VTS_RPC_OK);
    status_bench_look(&bench, &seen);
    CU_ASSERT_EQUAL_FATAL(seen.count, 1);
    CU_ASSERT_EQUAL(seen.messages[0].revision, revision);
}

static void move_clock_ms(int64_t ms)
{
    fake_exchange_move_clock(&bench.fake, ms * VTS_NS_PER_MS);
}

static void change_that_has_come_is_answered_at_once(void)
{
    static const uint64_t others[] = {0, 3, 5};

    status_bench_open(&bench);
    for (size_t i = 0; i < VTS_ARRAY_LEN(others); i++) {
        wait_after(others[i], until_change, NO_TIMEOUT);
        expect(4);
        wait_after(others[i], VTSTATUS__V1__WAIT_UNTIL__WAIT_UNTIL_UNSPECIFIED, NO_TIMEOUT);
        expect(4);
    }
    call("", 3, until_change, NO_TIMEOUT, NULL);
    expect(4); /* the empty name is the default one */
    status_bench_close(&bench);
}

static void change_is_waited_for(void)
{
    status_bench_open(&bench);
    wait_after(4, until_change, NO_TIMEOUT);
    CU_ASSERT(is_waiting());
    status_bench_publish(&bench, "film", VTS_JOB_SUCCEEDED, 10); /* another one's */
    CU_ASSERT(is_waiting());
    status_bench_move(&bench, 5);
    expect(5);
    status_bench_close(&bench);
}

static void done_is_waited_for_through_changes(void)
{
    status_bench_open(&bench);
    wait_after(0, until_done, NO_TIMEOUT);
    CU_ASSERT(is_waiting());
    status_bench_move(&bench, 5);
    CU_ASSERT(is_waiting());
    status_bench_publish(&bench, "default", VTS_JOB_FAILED, 6);
    expect(6);
    status_bench_close(&bench);
}

static void job_that_is_done_is_answered_at_once(void)
{
    status_bench_open(&bench);
    call("film", 9, until_change, NO_TIMEOUT, NULL);
    expect(9); /* nothing will change any more */
    call("film", 9, until_done, NO_TIMEOUT, NULL);
    expect(9);
    status_bench_close(&bench);
}

static void time_out_is_answered_with_the_present_status(void)
{
    status_bench_open(&bench);
    wait_after(4, until_change, 1500);
    move_clock_ms(1499);
    CU_ASSERT(is_waiting());
    move_clock_ms(1);
    expect(4);
    wait_after(4, until_done, 1500);
    status_bench_move(&bench, 5);
    move_clock_ms(1500);
    expect(5);
    status_bench_close(&bench);
}

static void timeout_is_capped(void)
{
    static const int64_t timeouts_ms[] = {NO_TIMEOUT, 0, 2000, 315576000000000};

    status_bench_open(&bench);
    bench.service.wait_max_ns = INT64_C(1000) * VTS_NS_PER_MS;
    for (size_t i = 0; i < VTS_ARRAY_LEN(timeouts_ms); i++) {
        wait_after(4, until_change, timeouts_ms[i]);
        move_clock_ms(999);
        CU_ASSERT(is_waiting());
        move_clock_ms(1);
        expect(4);
    }
    status_bench_close(&bench);
}

static void default_cap_outlasts_that_of_other_calls(void)
{
    status_bench_open(&bench);
    bench.limits.values[VTS_LIMIT_UNARY_MS] = 1000;
    wait_after(4, until_change, NO_TIMEOUT);
    move_clock_ms(299999);
    CU_ASSERT(is_waiting());
    move_clock_ms(1);
    expect(4);
    status_bench_close(&bench);
}

static void answer_comes_before_the_callers_deadline(void)
{
    status_bench_open(&bench);
    call("default", 4, until_change, NO_TIMEOUT, "1000m");
    move_clock_ms(949);
    CU_ASSERT(is_waiting());
    move_clock_ms(1);
    expect(4);
    call("default", 4, until_change, NO_TIMEOUT, "15m"); /* as good as over */
    move_clock_ms(0);
    expect(4);
    status_bench_close(&bench);
}

static void drain_is_answered_with_the_present_status(void)
{
    status_bench_open(&bench);
    wait_after(4, until_done, NO_TIMEOUT);
    CU_ASSERT(is_waiting());
    vts_rpc_loop_drain(bench.loop);
    expect(4);
    wait_after(4, until_done, NO_TIMEOUT); /* and so is whoever comes yet */
    expect(4);
    status_bench_close(&bench);
}

static void wrong_requests_are_refused(void)
{
    Vtstatus__V1__WaitStatusRequest request = VTSTATUS__V1__WAIT_STATUS_REQUEST__INIT;
    Google__Protobuf__Duration odd = GOOGLE__PROTOBUF__DURATION__INIT;
    static const struct {
        int64_t seconds;
        int32_t nanos;
    } rows[] = {{-1, 0}, {0, -1}, {1, -1}, {-1, 1}, {0, 1000000000}, {INT64_MIN, 0}};

    status_bench_open(&bench);
    request.timeout = &odd;
    request.after_revision = 4;
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        odd.seconds = rows[i].seconds;
        odd.nanos = rows[i].nanos;
        status_bench_call(&bench, "WaitStatus", NULL, &request.base);
        CU_ASSERT_EQUAL(status_bench_code(&bench), VTS_RPC_INVALID_ARGUMENT);
    }
    wait_after(4, (Vtstatus__V1__WaitUntil)3, NO_TIMEOUT);
    CU_ASSERT_EQUAL(status_bench_code(&bench), VTS_RPC_INVALID_ARGUMENT);
    call("bad id", 4, until_change, NO_TIMEOUT, NULL);
    CU_ASSERT_EQUAL(status_bench_code(&bench), VTS_RPC_INVALID_ARGUMENT);
    call("absent", 4, until_change, NO_TIMEOUT, NULL);
    CU_ASSERT_EQUAL(status_bench_code(&bench), VTS_RPC_NOT_FOUND);
    status_bench_close(&bench);
}

static void wait_ends_with_its_client(void)
{
    status_bench_open(&bench);
    wait_after(4, until_change, NO_TIMEOUT);
    CU_ASSERT_EQUAL(status_bench_watches_left(&bench), STATUS_BENCH_WATCHES_MAX - 1);
    fake_exchange_close(&bench.fake);
    CU_ASSERT_EQUAL(status_bench_watches_left(&bench), STATUS_BENCH_WATCHES_MAX);
    status_bench_move(&bench, 5); /* nobody is there to hear of it */
    status_bench_close(&bench);
}

static void news_after_the_answer_are_not_for_it(void)
{
    status_bench_open(&bench);
    wait_after(4, until_change, NO_TIMEOUT);
    status_bench_move(&bench, 5);
    status_bench_move(&bench, 6);
    move_clock_ms(300000);
    vts_rpc_loop_drain(bench.loop);
    expect(5);
    status_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"change_that_has_come_is_answered_at_once", change_that_has_come_is_answered_at_once},
    {"change_is_waited_for", change_is_waited_for},
    {"done_is_waited_for_through_changes", done_is_waited_for_through_changes},
    {"job_that_is_done_is_answered_at_once", job_that_is_done_is_answered_at_once},
    {"time_out_is_answered_with_the_present_status", time_out_is_answered_with_the_present_status},
    {"timeout_is_capped", timeout_is_capped},
    {"default_cap_outlasts_that_of_other_calls", default_cap_outlasts_that_of_other_calls},
    {"answer_comes_before_the_callers_deadline", answer_comes_before_the_callers_deadline},
    {"drain_is_answered_with_the_present_status", drain_is_answered_with_the_present_status},
    {"wrong_requests_are_refused", wrong_requests_are_refused},
    {"wait_ends_with_its_client", wait_ends_with_its_client},
    {"news_after_the_answer_are_not_for_it", news_after_the_answer_are_not_for_it},
};

int main(void)
{
    return vts_test_run("test_status_wait", tests, VTS_ARRAY_LEN(tests));
}
