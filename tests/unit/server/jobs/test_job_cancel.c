/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_cancel.c - jobs that are cancelled, tried anew, and forgotten. */
#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "common/wire/rpc_code.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/job_bench.h"

static const int64_t ms = VTS_NS_PER_MS;
static const int64_t second = VTS_NS_PER_S;
static const int64_t lease_ns = (int64_t)JOB_BENCH_LEASE_S * VTS_NS_PER_S;
static const int64_t day = (int64_t)24 * 3600 * VTS_NS_PER_S;

/* ---- cancelling -------------------------------------------------------------------------- */

static void cancel_of_waiting_job_is_at_once(void)
{
    struct job_bench bench;

    job_bench_init(&bench);
    CU_ASSERT_EQUAL(job_bench_cancel(&bench, "not wanted"), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(&bench, VTS_JOB_CANCELLED);
    job_bench_expect_error(&bench, VTS_RPC_CANCELLED, "not wanted");
    CU_ASSERT_EQUAL(job_bench_time(bench.job->end_time), bench.now_ns);
    CU_ASSERT_EQUAL(vts_job_forget_ns(bench.record), bench.now_ns + 7 * day);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), INT64_MAX);
    job_bench_fini(&bench);
}

static void cancel_of_running_job_waits_for_its_worker(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(job_bench_cancel(&bench, "not wanted"), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(&bench, VTS_JOB_CANCELLING);
    CU_ASSERT_PTR_NULL(bench.status->error);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + 30 * second);
    CU_ASSERT_EQUAL(job_bench_heartbeat(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    job_bench_fini(&bench);
}

static void cancel_once_more_changes_nothing(void)
{
    static const enum vts_job_state states[] = {VTS_JOB_CANCELLING, VTS_JOB_CANCELLED};

    for (size_t i = 0; i < VTS_ARRAY_LEN(states); i++) {
        struct job_bench bench;

        job_bench_init_in(&bench, states[i]);
        bench.now_ns += second;
        CU_ASSERT_EQUAL(job_bench_cancel(&bench, "again"), VTS_JOB_REFUSAL_NONE);
        CU_ASSERT_FALSE(bench.change.is_changed);
        job_bench_fini(&bench);
    }
}

static void cancel_of_what_ended_otherwise_is_refused(void)
{
    static const enum vts_job_state states[] = {VTS_JOB_SUCCEEDED, VTS_JOB_FAILED};

    for (size_t i = 0; i < VTS_ARRAY_LEN(states); i++) {
        struct job_bench bench;

        job_bench_init_in(&bench, states[i]);
        CU_ASSERT_EQUAL(job_bench_cancel(&bench, ""), VTS_JOB_REFUSAL_DONE);
        job_bench_fini(&bench);
    }
}

static void completion_in_time_wins_over_a_cancellation(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_CANCELLING);
    bench.now_ns += 30 * second - 1;
    CU_ASSERT_EQUAL(job_bench_complete(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(&bench, VTS_JOB_SUCCEEDED);
    CU_ASSERT_STRING_EQUAL(bench.status->output_uri, "s3://videos/a.de.mp4");
    CU_ASSERT_PTR_NULL(bench.status->error);
    job_bench_fini(&bench);
}

static void expect_cancelled(struct job_bench *bench, enum vts_rpc_code attempt_code)
{
    job_bench_expect_state(bench, VTS_JOB_CANCELLED);
    job_bench_expect_error(bench, VTS_RPC_CANCELLED, "the job was cancelled");
    CU_ASSERT_EQUAL(job_bench_attempt(bench)->error->code, (int32_t)attempt_code);
    CU_ASSERT_EQUAL(bench->status->attempt, 1);
    CU_ASSERT_EQUAL(vts_job_forget_ns(bench->record), bench->now_ns + 7 * day);
    CU_ASSERT_EQUAL(job_bench_heartbeat(bench, "t"), VTS_JOB_REFUSAL_LEASE_LOST);
    job_bench_fini(bench);
}

static void worker_that_heeds_a_cancellation_ends_the_job(void)
{
    struct job_bench bench;

    for (int is_retryable = 0; is_retryable <= 1; is_retryable++) {
        job_bench_init_in(&bench, VTS_JOB_CANCELLING);
        CU_ASSERT_EQUAL(job_bench_fail(&bench, "t", is_retryable), VTS_JOB_REFUSAL_NONE);
        expect_cancelled(&bench, VTS_RPC_INTERNAL);
    }
    job_bench_init_in(&bench, VTS_JOB_CANCELLING);
    CU_ASSERT_EQUAL(job_bench_release(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    expect_cancelled(&bench, VTS_RPC_CANCELLED);
}

static void worker_that_does_not_heed_a_cancellation_has_30_s(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_CANCELLING);
    bench.now_ns += 20 * second;
    (void)job_bench_heartbeat(&bench, "t");
    job_bench_pass(&bench, 10 * second - 1);
    CU_ASSERT_FALSE(bench.change.is_changed);
    bench.now_ns += 1;
    job_bench_expect_lost(&bench, "t");
    job_bench_pass(&bench, 0);
    expect_cancelled(&bench, VTS_RPC_CANCELLED);
}

static void worker_that_is_lost_after_a_cancellation_ends_the_job(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    bench.now_ns += 50 * second;
    (void)job_bench_cancel(&bench, "");
    job_bench_pass(&bench, 10 * second);
    expect_cancelled(&bench, VTS_RPC_UNAVAILABLE);
}

static void reason_of_a_cancellation_is_its_error(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_cancel(&bench, "not wanted");
    (void)job_bench_release(&bench, "t");
    job_bench_expect_error(&bench, VTS_RPC_CANCELLED, "not wanted");
    job_bench_fini(&bench);
}

/* ---- starting anew ----------------------------------------------------------------------- */

static void retry_of_what_failed_or_was_cancelled_starts_anew(void)
{
    static const enum vts_job_state states[] = {VTS_JOB_FAILED, VTS_JOB_CANCELLED};

    for (size_t i = 0; i < VTS_ARRAY_LEN(states); i++) {
        struct job_bench bench;

        job_bench_init_in(&bench, states[i]);
        bench.now_ns += day;
        CU_ASSERT_EQUAL(job_bench_retry(&bench), VTS_JOB_REFUSAL_NONE);
        job_bench_expect_state(&bench, VTS_JOB_PENDING);
        CU_ASSERT_PTR_NULL(bench.status->error);
        CU_ASSERT_PTR_NULL(bench.status->progress);
        CU_ASSERT_EQUAL(bench.status->attempt, 0);
        CU_ASSERT_PTR_NULL(bench.job->start_time);
        CU_ASSERT_PTR_NULL(bench.job->end_time);
        CU_ASSERT_EQUAL(vts_job_forget_ns(bench.record), INT64_MAX);
        CU_ASSERT_EQUAL(bench.job->n_attempts, 1);
        CU_ASSERT_EQUAL(job_bench_lease(&bench, "u"), VTS_JOB_REFUSAL_NONE);
        CU_ASSERT_EQUAL(bench.status->attempt, 1);
        CU_ASSERT_EQUAL(bench.job->n_attempts, 2);
        job_bench_fini(&bench);
    }
}

static void retry_of_anything_else_is_refused(void)
{
    static const enum vts_job_state states[] = {VTS_JOB_PENDING, VTS_JOB_RUNNING,
                                                VTS_JOB_CANCELLING, VTS_JOB_SUCCEEDED};

    for (size_t i = 0; i < VTS_ARRAY_LEN(states); i++) {
        struct job_bench bench;

        job_bench_init_in(&bench, states[i]);
        CU_ASSERT_EQUAL(job_bench_retry(&bench), VTS_JOB_REFUSAL_NOT_RETRYABLE);
        job_bench_fini(&bench);
    }
}

static void retried_job_has_all_its_attempts_and_a_list_with_an_end(void)
{
    struct job_bench bench;

    job_bench_init(&bench);
    for (int life = 1; life <= 10; life++) {
        for (int attempt = 1; attempt <= 3; attempt++) {
            CU_ASSERT_EQUAL(job_bench_lease(&bench, "t"), VTS_JOB_REFUSAL_NONE);
            CU_ASSERT_EQUAL(bench.job->status->attempt, attempt);
            CU_ASSERT_EQUAL(job_bench_attempt(&bench)->number, 3 * (life - 1) + attempt);
            job_bench_pass(&bench, lease_ns);
        }
        job_bench_expect_state(&bench, VTS_JOB_FAILED);
        CU_ASSERT_EQUAL(job_bench_retry(&bench), VTS_JOB_REFUSAL_NONE);
    }
    CU_ASSERT_EQUAL(bench.job->n_attempts, VTS_JOB_ATTEMPTS_KEPT);
    /* 30 attempts in all: the first that is left is the eleventh. */
    CU_ASSERT_EQUAL(bench.job->attempts[0]->number, 11);
    CU_ASSERT_EQUAL(job_bench_time(bench.job->attempts[0]->start_time),
                    job_bench_time(bench.job->create_time) + 10 * lease_ns);
    job_bench_fini(&bench);
}

/* ---- forgetting -------------------------------------------------------------------------- */

static void ttl_of_the_request_holds_for_every_outcome(void)
{
    static const enum vts_job_event_kind ends[] = {VTS_JOB_EVENT_COMPLETE, VTS_JOB_EVENT_FAIL};
    Vtstatus__V1__CreateJobRequest request = job_bench_request();
    Google__Protobuf__Duration ttl = GOOGLE__PROTOBUF__DURATION__INIT;

    ttl.nanos = 5000000;
    request.ttl = &ttl;
    for (size_t i = 0; i < VTS_ARRAY_LEN(ends); i++) {
        const struct vts_job_event event = {.kind = ends[i], .token = "t"};
        struct job_bench bench;

        job_bench_init_with(&bench, &request);
        (void)job_bench_lease(&bench, "t");
        CU_ASSERT_EQUAL(vts_job_forget_ns(bench.record), INT64_MAX);
        CU_ASSERT_EQUAL(job_bench_apply(&bench, &event), VTS_JOB_REFUSAL_NONE);
        CU_ASSERT_EQUAL(vts_job_forget_ns(bench.record), bench.now_ns + 5 * ms);
        job_bench_fini(&bench);
    }
}

static void tombstone_is_forgotten_in_time_and_nothing_else(void)
{
    Vtstatus__Store__V1__JobRecord record = VTSTATUS__STORE__V1__JOB_RECORD__INIT;
    Vtstatus__V1__Job job = VTSTATUS__V1__JOB__INIT;
    Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    job.id = (char *)(uintptr_t) "job-1";
    stamp.seconds = 5;
    record.version = 9;
    record.job = &job;
    record.tombstone_expire_time = &stamp;
    CU_ASSERT_PTR_NULL(vts_job_check(&record));
    CU_ASSERT_EQUAL(vts_job_forget_ns(&record), 5 * second);
    CU_ASSERT_EQUAL(vts_job_due_ns(&record), INT64_MAX);
    CU_ASSERT_FALSE(vts_job_is_leasable(&record, 10 * second));
}

static const struct vts_test tests[] = {
    {"cancel_of_waiting_job_is_at_once", cancel_of_waiting_job_is_at_once},
    {"cancel_of_running_job_waits_for_its_worker", cancel_of_running_job_waits_for_its_worker},
    {"cancel_once_more_changes_nothing", cancel_once_more_changes_nothing},
    {"cancel_of_what_ended_otherwise_is_refused", cancel_of_what_ended_otherwise_is_refused},
    {"completion_in_time_wins_over_a_cancellation", completion_in_time_wins_over_a_cancellation},
    {"worker_that_heeds_a_cancellation_ends_the_job",
     worker_that_heeds_a_cancellation_ends_the_job},
    {"worker_that_does_not_heed_a_cancellation_has_30_s",
     worker_that_does_not_heed_a_cancellation_has_30_s},
    {"worker_that_is_lost_after_a_cancellation_ends_the_job",
     worker_that_is_lost_after_a_cancellation_ends_the_job},
    {"reason_of_a_cancellation_is_its_error", reason_of_a_cancellation_is_its_error},
    {"retry_of_what_failed_or_was_cancelled_starts_anew",
     retry_of_what_failed_or_was_cancelled_starts_anew},
    {"retry_of_anything_else_is_refused", retry_of_anything_else_is_refused},
    {"retried_job_has_all_its_attempts_and_a_list_with_an_end",
     retried_job_has_all_its_attempts_and_a_list_with_an_end},
    {"ttl_of_the_request_holds_for_every_outcome", ttl_of_the_request_holds_for_every_outcome},
    {"tombstone_is_forgotten_in_time_and_nothing_else",
     tombstone_is_forgotten_in_time_and_nothing_else},
};

int main(void)
{
    return vts_test_run("test_job_cancel", tests, VTS_ARRAY_LEN(tests));
}
