/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_watch.c - what watches of one job and of many send, and how they end. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "tests/support/suite.h"
#include "tests/unit/server/service/status_bench.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum { MANY = 1001, JOBS_MAX = 4 };

static struct status_bench bench;

struct named {
    const char *id;
    uint64_t after_revision;
};

static void watch(const struct named *jobs, size_t count)
{
    Vtstatus__V1__WatchStatusesRequest request = VTSTATUS__V1__WATCH_STATUSES_REQUEST__INIT;
    Vtstatus__V1__JobCursor cursors[JOBS_MAX];
    Vtstatus__V1__JobCursor *pointers[JOBS_MAX];

    CU_ASSERT_FATAL(count <= JOBS_MAX);
    for (size_t i = 0; i < count; i++) {
        vtstatus__v1__job_cursor__init(&cursors[i]);
        cursors[i].job_id = (char *)(uintptr_t)jobs[i].id;
        cursors[i].after_revision = jobs[i].after_revision;
        pointers[i] = &cursors[i];
    }
    request.jobs = pointers;
    request.n_jobs = count;
    status_bench_call(&bench, "WatchStatuses", NULL, &request.base);
}

static void watch_one(const char *id, uint64_t after_revision)
{
    Vtstatus__V1__WatchStatusRequest request = VTSTATUS__V1__WATCH_STATUS_REQUEST__INIT;

    request.job_id = (char *)(uintptr_t)id;
    request.after_revision = after_revision;
    status_bench_call(&bench, "WatchStatus", NULL, &request.base);
}

/* What was sent must be "job:revision job:revision..." and the outcome this; -1: it goes on. */
static void expect(const char *wanted, int code)
{
    struct status_bench_seen seen;
    char text[256] = "";
    size_t len = 0;

    status_bench_read(&bench);
    CU_ASSERT_EQUAL(status_bench_code(&bench), code);
    status_bench_look(&bench, &seen);
    for (unsigned i = 0; i < seen.count; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s:%llu", i == 0 ? "" : " ",
                                seen.messages[i].job_id,
                                (unsigned long long)seen.messages[i].revision);
    CU_ASSERT_STRING_EQUAL(text, wanted);
}

static void each_job_is_told_at_once_unless_it_is_known(void)
{
    static const struct named jobs[] = {{"default", 0}, {"film", 9}, {"b", 1}};

    status_bench_open(&bench);
    status_bench_publish(&bench, "b", VTS_JOB_PENDING, 2);
    watch(jobs, 3);
    expect("default:4 b:2", -1);
    status_bench_publish(&bench, "b", VTS_JOB_RUNNING, 3);
    status_bench_move(&bench, 5);
    expect("default:4 b:2 b:3 default:5", -1);
    status_bench_close(&bench);
}

static void watch_without_news_has_its_head_only(void)
{
    static const struct named jobs[] = {{"", 4}};

    status_bench_open(&bench);
    watch(jobs, 1);
    CU_ASSERT_EQUAL(bench.fake.started_count, 1);
    expect("", -1);
    status_bench_close(&bench);
}

static void watch_ends_when_all_jobs_are_done(void)
{
    static const struct named jobs[] = {{"film", 0}, {"default", 0}};

    status_bench_open(&bench);
    watch(jobs, 2);
    expect("film:9 default:4", -1);
    status_bench_publish(&bench, "default", VTS_JOB_SUCCEEDED, 5);
    expect("film:9 default:4 default:5", VTS_RPC_OK);
    watch(jobs, 2);
    expect("film:9 default:5", VTS_RPC_OK);
    watch((const struct named[]){{"film", 9}, {"default", 5}}, 2);
    expect("", VTS_RPC_OK);
    status_bench_close(&bench);
}

static void reader_without_room_gets_the_newest_of_each(void)
{
    static const struct named jobs[] = {{"default", 0}, {"b", 0}};

    status_bench_open(&bench);
    status_bench_publish(&bench, "b", VTS_JOB_PENDING, 1);
    watch(jobs, 2);
    /* It takes a byte of the next message, which is under way then. */
    status_bench_move(&bench, 5);
    CU_ASSERT_EQUAL(fake_exchange_read(&bench.fake, 1), 1);
    for (uint64_t revision = 6; revision < 100; revision++) {
        status_bench_move(&bench, revision);
        status_bench_publish(&bench, "b", VTS_JOB_RUNNING, revision);
    }
    status_bench_publish(&bench, "b", VTS_JOB_FAILED, 100);
    status_bench_publish(&bench, "default", VTS_JOB_SUCCEEDED, 100);
    expect("default:4 b:1 default:5 default:100 b:100", VTS_RPC_OK);
    status_bench_close(&bench);
}

static void watch_of_one_does_as_that_of_many(void)
{
    status_bench_open(&bench);
    watch_one("", 0);
    expect("default:4", -1);
    status_bench_move(&bench, 5);
    expect("default:4 default:5", -1);
    status_bench_publish(&bench, "default", VTS_JOB_CANCELLED, 6);
    expect("default:4 default:5 default:6", VTS_RPC_OK);
    watch_one("default", 6);
    expect("", VTS_RPC_OK);
    watch_one("absent", 0);
    expect("", VTS_RPC_NOT_FOUND);
    watch_one("bad id", 0);
    expect("", VTS_RPC_INVALID_ARGUMENT);
    status_bench_close(&bench);
}

static void any_name_that_is_wrong_fails_the_call(void)
{
    static const struct {
        struct named jobs[3];
        int code;
    } rows[] = {
        {{{"default", 0}, {"film", 0}, {"absent", 0}}, VTS_RPC_NOT_FOUND},
        {{{"default", 0}, {"film", 0}, {"a/b", 0}}, VTS_RPC_INVALID_ARGUMENT},
        {{{"default", 0}, {"film", 0}, {"film", 1}}, VTS_RPC_INVALID_ARGUMENT},
        {{{"default", 0}, {"film", 0}, {"", 1}}, VTS_RPC_INVALID_ARGUMENT},
    };

    status_bench_open(&bench);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        watch(rows[i].jobs, 3);
        expect("", rows[i].code);
    }
    status_bench_close(&bench);
}

static void requests_for_none_too_many_or_no_label_are_refused(void)
{
    static Vtstatus__V1__JobCursor cursor = VTSTATUS__V1__JOB_CURSOR__INIT;
    static Vtstatus__V1__JobCursor *pointers[MANY];
    Vtstatus__V1__WatchStatusesRequest request = VTSTATUS__V1__WATCH_STATUSES_REQUEST__INIT;

    status_bench_open(&bench);
    watch(NULL, 0);
    expect("", VTS_RPC_INVALID_ARGUMENT);
    for (size_t i = 0; i < MANY; i++)
        pointers[i] = &cursor;
    request.jobs = pointers;
    request.n_jobs = MANY;
    status_bench_call(&bench, "WatchStatuses", NULL, &request.base);
    expect("", VTS_RPC_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake_exchange_field(&bench.fake, "grpc-message"), "1000"));
    request.n_jobs = 1;
    request.label_filter = (char *)(uintptr_t) "customer";
    status_bench_call(&bench, "WatchStatuses", NULL, &request.base);
    expect("", VTS_RPC_INVALID_ARGUMENT);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(fake_exchange_field(&bench.fake, "grpc-message"), "label_filter"));
    status_bench_close(&bench);
}

static void more_watches_than_there_may_be_are_refused(void)
{
    static const struct named jobs[] = {{"default", 0}, {"film", 0}, {"a", 0}, {"b", 0}};

    status_bench_open(&bench);
    status_bench_publish(&bench, "a", VTS_JOB_PENDING, 1);
    status_bench_publish(&bench, "b", VTS_JOB_PENDING, 1);
    watch(jobs, STATUS_BENCH_WATCHES_MAX + 1);
    expect("", VTS_RPC_RESOURCE_EXHAUSTED);
    watch(jobs, STATUS_BENCH_WATCHES_MAX);
    expect("default:4 film:9 a:1", -1);
    status_bench_close(&bench);
}

static void drain_ends_watches_with_a_hint(void)
{
    static const struct named jobs[] = {{"default", 0}};
    uint64_t ms;

    status_bench_open(&bench);
    watch(jobs, 1);
    vts_rpc_loop_drain(bench.loop);
    expect("default:4", VTS_RPC_UNAVAILABLE);
    CU_ASSERT_EQUAL(
        vts_str_to_u64(vts_str_of(fake_exchange_trailer(&bench.fake, "grpc-retry-pushback-ms")),
                       2000, &ms),
        VTS_OK);
    watch(jobs, 1);
    expect("default:4", VTS_RPC_UNAVAILABLE);
    status_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"each_job_is_told_at_once_unless_it_is_known", each_job_is_told_at_once_unless_it_is_known},
    {"watch_without_news_has_its_head_only", watch_without_news_has_its_head_only},
    {"watch_ends_when_all_jobs_are_done", watch_ends_when_all_jobs_are_done},
    {"reader_without_room_gets_the_newest_of_each", reader_without_room_gets_the_newest_of_each},
    {"watch_of_one_does_as_that_of_many", watch_of_one_does_as_that_of_many},
    {"any_name_that_is_wrong_fails_the_call", any_name_that_is_wrong_fails_the_call},
    {"requests_for_none_too_many_or_no_label_are_refused",
     requests_for_none_too_many_or_no_label_are_refused},
    {"more_watches_than_there_may_be_are_refused", more_watches_than_there_may_be_are_refused},
    {"drain_ends_watches_with_a_hint", drain_ends_watches_with_a_hint},
};

int main(void)
{
    return vts_test_run("test_status_watch", tests, VTS_ARRAY_LEN(tests));
}
