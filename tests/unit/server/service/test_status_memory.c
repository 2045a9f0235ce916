/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_memory.c - waiting in each way while the n-th allocation fails, for each n: whoever
 * is not refused waits to the end. */
#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "tests/support/suite.h"
#include "tests/unit/server/service/status_bench.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum { ALLOCATIONS_MAX = 100 };

static struct status_bench bench;

static void poll(void)
{
    fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, "wait=10");
    status_bench_begin(&bench);
}

static void stream_events(void)
{
    fake_exchange_set(&bench.fake, VTS_FIELD_ACCEPT, "text/event-stream");
    status_bench_begin(&bench);
}

static void wait_status(void)
{
    Vtstatus__V1__WaitStatusRequest request = VTSTATUS__V1__WAIT_STATUS_REQUEST__INIT;

    request.until = VTSTATUS__V1__WAIT_UNTIL__WAIT_UNTIL_DONE;
    status_bench_call(&bench, "WaitStatus", NULL, &request.base);
}

static void watch_statuses(void)
{
    Vtstatus__V1__WatchStatusesRequest request = VTSTATUS__V1__WATCH_STATUSES_REQUEST__INIT;
    Vtstatus__V1__JobCursor a = VTSTATUS__V1__JOB_CURSOR__INIT;
    Vtstatus__V1__JobCursor b = VTSTATUS__V1__JOB_CURSOR__INIT;
    Vtstatus__V1__JobCursor *jobs[] = {&a, &b};

    b.job_id = (char *)(uintptr_t) "film";
    request.jobs = jobs;
    request.n_jobs = VTS_ARRAY_LEN(jobs);
    status_bench_call(&bench, "WatchStatuses", NULL, &request.base);
}

/* HTTP's own refusals, or gRPC's. */
static bool is_refused(void)
{
    int code = status_bench_code(&bench);

    return bench.fake.exchange.response.code == 429 || bench.fake.exchange.response.code == 503 ||
           code == VTS_RPC_RESOURCE_EXHAUSTED || bench.fake.resets_count > 0;
}

static void fail_each_allocation(void (*begin)(void))
{
    int has_failed = 1;
    unsigned refused = 0;
    long count = 0;

    for (; has_failed && count < ALLOCATIONS_MAX; count++) {
        status_bench_open(&bench);
        (void)vts_mem_fail_after(count);
        begin();
        has_failed = vts_mem_fail_after(-1);
        refused += is_refused();
        if (!has_failed) /* a stream of events may just end, and its reader comes back */
            CU_ASSERT_FALSE(bench.fake.is_over);
        status_bench_publish(&bench, "default", VTS_JOB_SUCCEEDED, 5);
        status_bench_read(&bench);
        CU_ASSERT(is_refused() || bench.fake.is_over);
        status_bench_close(&bench);
    }
    CU_ASSERT(count < ALLOCATIONS_MAX);
    CU_ASSERT(refused > 0);
}

static void polls_end_whatever_allocation_fails(void)
{
    fail_each_allocation(poll);
}

static void events_end_whatever_allocation_fails(void)
{
    fail_each_allocation(stream_events);
}

static void waits_end_whatever_allocation_fails(void)
{
    fail_each_allocation(wait_status);
}

static void watches_end_whatever_allocation_fails(void)
{
    fail_each_allocation(watch_statuses);
}

static const struct vts_test tests[] = {
    {"polls_end_whatever_allocation_fails", polls_end_whatever_allocation_fails},
    {"events_end_whatever_allocation_fails", events_end_whatever_allocation_fails},
    {"waits_end_whatever_allocation_fails", waits_end_whatever_allocation_fails},
    {"watches_end_whatever_allocation_fails", watches_end_whatever_allocation_fails},
};

int main(void)
{
    return vts_test_run("test_status_memory", tests, VTS_ARRAY_LEN(tests));
}
