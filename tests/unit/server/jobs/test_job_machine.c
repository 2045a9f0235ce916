/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_machine.c - each arrow between the states, and each refusal. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/rpc_code.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/job_bench.h"

static const int64_t second = VTS_NS_PER_S;
static const int64_t lease_ns = (int64_t)JOB_BENCH_LEASE_S * VTS_NS_PER_S;
static const int64_t day = (int64_t)24 * 3600 * VTS_NS_PER_S;

static const enum vts_job_state all_states[] = {VTS_JOB_PENDING,    VTS_JOB_RUNNING,
                                                VTS_JOB_CANCELLING, VTS_JOB_SUCCEEDED,
                                                VTS_JOB_FAILED,     VTS_JOB_CANCELLED};

/* ---- waiting ----------------------------------------------------------------------------- */

static void lease_of_pending_job_starts_its_first_attempt(void)
{
    struct job_bench bench;

    job_bench_init(&bench);
    bench.now_ns += second;
    CU_ASSERT_EQUAL(job_bench_lease(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(&bench, VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(bench.status->attempt, 1);
    CU_ASSERT_EQUAL(bench.status->pending_reason,
                    VTSTATUS__V1__PENDING_REASON__PENDING_REASON_UNSPECIFIED);
    CU_ASSERT_EQUAL(bench.status->progress->percent, 0);
    CU_ASSERT_STRING_EQUAL(bench.status->progress->phase, "");
    CU_ASSERT_STRING_EQUAL(bench.record->lease_token, "t");
    CU_ASSERT_EQUAL(job_bench_time(bench.record->lease_expire_time), bench.now_ns + lease_ns);
    CU_ASSERT_EQUAL(job_bench_time(bench.job->start_time), bench.now_ns);
    CU_ASSERT_EQUAL(bench.job->n_attempts, 1);
    CU_ASSERT_EQUAL(job_bench_attempt(&bench)->number, 1);
    CU_ASSERT_STRING_EQUAL(job_bench_attempt(&bench)->worker_id, "w");
    CU_ASSERT_EQUAL(job_bench_time(job_bench_attempt(&bench)->start_time), bench.now_ns);
    CU_ASSERT_PTR_NULL(job_bench_attempt(&bench)->end_time);
    job_bench_fini(&bench);
}

static void lease_of_job_that_does_not_wait_is_refused(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(all_states); i++) {
        struct job_bench bench;

        job_bench_init_in(&bench, all_states[i]);
        CU_ASSERT_EQUAL(vts_job_is_leasable(bench.record, bench.now_ns),
                        all_states[i] == VTS_JOB_PENDING);
        CU_ASSERT_EQUAL(job_bench_lease(&bench, "u"), all_states[i] == VTS_JOB_PENDING
                                                          ? VTS_JOB_REFUSAL_NONE
                                                          : VTS_JOB_REFUSAL_NOT_LEASABLE);
        job_bench_fini(&bench);
    }
}

static void init_scheduled(struct job_bench *bench, int64_t after_s)
{
    Vtstatus__V1__CreateJobRequest request = job_bench_request();
    Google__Protobuf__Timestamp start = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    start.seconds = 1700000000 + after_s;
    request.start_time = &start;
    job_bench_init_with(bench, &request);
}

static void scheduled_job_is_queued_when_its_time_comes(void)
{
    struct job_bench bench;

    init_scheduled(&bench, 10);
    CU_ASSERT_EQUAL(bench.status->pending_reason,
                    VTSTATUS__V1__PENDING_REASON__PENDING_REASON_SCHEDULED);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + 10 * second);
    job_bench_pass(&bench, 10 * second - 1);
    CU_ASSERT_FALSE(bench.change.is_changed);
    CU_ASSERT_EQUAL(job_bench_lease(&bench, "t"), VTS_JOB_REFUSAL_NOT_LEASABLE);
    job_bench_pass(&bench, 1);
    job_bench_expect_state(&bench, VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(bench.status->pending_reason,
                    VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), INT64_MAX);
    job_bench_fini(&bench);
}

static void scheduled_job_may_be_leased_the_moment_its_time_comes(void)
{
    struct job_bench bench;

    init_scheduled(&bench, 10);
    bench.now_ns += 10 * second;
    CU_ASSERT_EQUAL(job_bench_lease(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(&bench, VTS_JOB_RUNNING);
    job_bench_fini(&bench);
}

static void job_scheduled_past_all_clocks_is_never_due(void)
{
    struct job_bench bench;

    init_scheduled(&bench, INT64_C(253402300799) - 1700000000);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), INT64_MAX);
    job_bench_pass(&bench, 365 * day);
    CU_ASSERT_FALSE(bench.change.is_changed);
    job_bench_fini(&bench);
}

/* ---- tokens ------------------------------------------------------------------------------ */

static void token_that_is_not_the_lease_s_is_refused_in_each_state(void)
{
    static const char *const tokens[] = {"", "T", "u", "tt", NULL};

    for (size_t i = 0; i < VTS_ARRAY_LEN(all_states); i++) {
        struct job_bench bench;

        job_bench_init_in(&bench, all_states[i]);
        for (size_t k = 0; k < VTS_ARRAY_LEN(tokens); k++)
            job_bench_expect_lost(&bench, tokens[k]);
        job_bench_fini(&bench);
    }
}

static void token_of_a_lease_that_is_over_is_refused(void)
{
    static const enum vts_job_state states[] = {VTS_JOB_SUCCEEDED, VTS_JOB_FAILED,
                                                VTS_JOB_CANCELLED};
    struct job_bench bench;

    for (size_t i = 0; i < VTS_ARRAY_LEN(states); i++) {
        job_bench_init_in(&bench, states[i]);
        job_bench_expect_lost(&bench, "t");
        job_bench_fini(&bench);
    }
    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_fail(&bench, "t", true);
    job_bench_expect_lost(&bench, "t");
    bench.now_ns += second;
    (void)job_bench_lease(&bench, "u");
    job_bench_expect_lost(&bench, "t");
    CU_ASSERT_EQUAL(job_bench_heartbeat(&bench, "u"), VTS_JOB_REFUSAL_NONE);
    job_bench_fini(&bench);
}

/* An end, by the way it is told. */
struct end_case {
    enum vts_job_state from;
    enum vts_job_state to;
    struct vts_job_event event;
};

static Google__Rpc__Status end_error;

static const struct end_case end_cases[] = {
    {VTS_JOB_RUNNING, VTS_JOB_SUCCEEDED, {.kind = VTS_JOB_EVENT_COMPLETE, .output_uri = "o"}},
    {VTS_JOB_CANCELLING, VTS_JOB_SUCCEEDED, {.kind = VTS_JOB_EVENT_COMPLETE, .output_uri = ""}},
    {VTS_JOB_RUNNING, VTS_JOB_FAILED, {.kind = VTS_JOB_EVENT_FAIL, .retry_delay_ns = -1}},
    {VTS_JOB_RUNNING,
     VTS_JOB_PENDING,
     {.kind = VTS_JOB_EVENT_FAIL, .error = &end_error, .is_retryable = true, .retry_delay_ns = 1}},
    {VTS_JOB_RUNNING, VTS_JOB_PENDING, {.kind = VTS_JOB_EVENT_RELEASE}},
    {VTS_JOB_CANCELLING, VTS_JOB_CANCELLED, {.kind = VTS_JOB_EVENT_RELEASE}},
};

static void init_ended(struct job_bench *bench, const struct end_case *end,
                       struct vts_job_event *ret_event)
{
    google__rpc__status__init(&end_error);
    end_error.code = VTS_RPC_INTERNAL;
    *ret_event = end->event;
    ret_event->token = "t";
    job_bench_init_in(bench, end->from);
    CU_ASSERT_EQUAL(job_bench_apply(bench, ret_event), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(bench, end->to);
}

static void end_that_comes_again_changes_nothing(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(end_cases); i++) {
        struct vts_job_event event;
        struct job_bench bench;

        init_ended(&bench, &end_cases[i], &event);
        for (int again = 0; again < 2; again++) {
            CU_ASSERT_EQUAL(job_bench_apply(&bench, &event), VTS_JOB_REFUSAL_NONE);
            CU_ASSERT_FALSE(bench.change.is_changed);
            CU_ASSERT_EQUAL(bench.status->state, (Vtstatus__V1__State)end_cases[i].to);
            bench.now_ns += 365 * day; /* its time is not bounded */
        }
        job_bench_fini(&bench);
    }
}

static void end_that_differs_from_the_first_is_refused(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(end_cases); i++) {
        struct vts_job_event event;
        struct job_bench bench;

        init_ended(&bench, &end_cases[i], &event);
        for (size_t k = 0; k < VTS_ARRAY_LEN(end_cases); k++) {
            struct vts_job_event other = end_cases[k].event;

            other.token = "t";
            if (other.kind == event.kind && (k == i || event.kind == VTS_JOB_EVENT_RELEASE))
                other.token = "u";
            CU_ASSERT_EQUAL(job_bench_apply(&bench, &other), VTS_JOB_REFUSAL_LEASE_LOST);
        }
        CU_ASSERT_EQUAL(job_bench_heartbeat(&bench, "t"), VTS_JOB_REFUSAL_LEASE_LOST);
        job_bench_fini(&bench);
    }
}

static void end_is_forgotten_with_the_next_attempt(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(end_cases); i++) {
        struct vts_job_event event;
        struct job_bench bench;

        if (end_cases[i].to == VTS_JOB_SUCCEEDED)
            continue;
        init_ended(&bench, &end_cases[i], &event);
        if (end_cases[i].to == VTS_JOB_PENDING) {
            bench.now_ns += 1;
            CU_ASSERT_EQUAL(job_bench_lease(&bench, "u"), VTS_JOB_REFUSAL_NONE);
        } else {
            CU_ASSERT_EQUAL(job_bench_retry(&bench), VTS_JOB_REFUSAL_NONE);
        }
        CU_ASSERT_EQUAL(job_bench_apply(&bench, &event), VTS_JOB_REFUSAL_LEASE_LOST);
        job_bench_fini(&bench);
    }
}

static void token_is_refused_from_the_lease_s_end_on(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    bench.now_ns += lease_ns;
    job_bench_expect_lost(&bench, "t");
    bench.now_ns -= 1;
    CU_ASSERT_EQUAL(job_bench_complete(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    job_bench_fini(&bench);
}

/* ---- heartbeats -------------------------------------------------------------------------- */

static void heartbeat_keeps_the_lease_unseen(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    bench.now_ns += 20 * second;
    CU_ASSERT_EQUAL(job_bench_heartbeat(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT(bench.change.is_changed);
    CU_ASSERT_FALSE(bench.change.is_visible);
    CU_ASSERT_EQUAL(job_bench_time(bench.record->lease_expire_time), bench.now_ns + lease_ns);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + lease_ns);
    job_bench_fini(&bench);
}

static void heartbeat_of_the_same_moment_changes_nothing(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(job_bench_heartbeat(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_FALSE(bench.change.is_changed);
    job_bench_fini(&bench);
}

static void heartbeat_may_ask_for_another_duration_once(void)
{
    struct vts_job_event event = {
        .kind = VTS_JOB_EVENT_HEARTBEAT, .token = "t", .lease_duration_ns = INT64_MAX};
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(job_bench_apply(&bench, &event), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(job_bench_time(bench.record->lease_expire_time), INT64_MAX);
    event.lease_duration_ns = 5 * second;
    CU_ASSERT_EQUAL(job_bench_apply(&bench, &event), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(job_bench_time(bench.record->lease_expire_time), bench.now_ns + 5 * second);
    (void)job_bench_heartbeat(&bench, "t");
    CU_ASSERT_EQUAL(job_bench_time(bench.record->lease_expire_time), bench.now_ns + lease_ns);
    job_bench_fini(&bench);
}

/* ---- ends of an attempt ------------------------------------------------------------------ */

static void complete_makes_a_success(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_report(&bench, "t", 40);
    bench.now_ns += second;
    CU_ASSERT_EQUAL(job_bench_complete(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(&bench, VTS_JOB_SUCCEEDED);
    CU_ASSERT_STRING_EQUAL(bench.status->output_uri, "s3://videos/a.de.mp4");
    CU_ASSERT_EQUAL(bench.status->progress->percent, 100);
    CU_ASSERT_PTR_NULL(bench.status->error);
    CU_ASSERT_EQUAL(job_bench_time(bench.job->end_time), bench.now_ns);
    CU_ASSERT_EQUAL(job_bench_time(bench.job->expire_time), bench.now_ns + 7 * day);
    CU_ASSERT_EQUAL(vts_job_forget_ns(bench.record), bench.now_ns + 7 * day);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), INT64_MAX);
    CU_ASSERT_EQUAL(job_bench_time(job_bench_attempt(&bench)->end_time), bench.now_ns);
    CU_ASSERT_PTR_NULL(job_bench_attempt(&bench)->error);
    job_bench_fini(&bench);
}

static void final_failure_ends_the_job(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    bench.now_ns += second;
    CU_ASSERT_EQUAL(job_bench_fail(&bench, "t", false), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(&bench, VTS_JOB_FAILED);
    job_bench_expect_error(&bench, VTS_RPC_INTERNAL, "broken");
    CU_ASSERT_EQUAL(job_bench_time(bench.job->end_time), bench.now_ns);
    CU_ASSERT_EQUAL(vts_job_forget_ns(bench.record), bench.now_ns + 30 * day);
    CU_ASSERT_STRING_EQUAL(job_bench_attempt(&bench)->error->message, "broken");
    job_bench_fini(&bench);
}

static void failure_that_says_nothing_is_unknown(void)
{
    Google__Rpc__Status empty = GOOGLE__RPC__STATUS__INIT;
    const Google__Rpc__Status *const errors[] = {NULL, &empty};

    for (size_t i = 0; i < VTS_ARRAY_LEN(errors); i++) {
        const struct vts_job_event event = {
            .kind = VTS_JOB_EVENT_FAIL, .token = "t", .error = errors[i]};
        struct job_bench bench;

        job_bench_init_in(&bench, VTS_JOB_RUNNING);
        CU_ASSERT_EQUAL(job_bench_apply(&bench, &event), VTS_JOB_REFUSAL_NONE);
        job_bench_expect_error(&bench, VTS_RPC_UNKNOWN, "the worker did not say what went wrong");
        job_bench_fini(&bench);
    }
}

static void retryable_failure_waits_and_queues_again(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(job_bench_fail(&bench, "t", true), VTS_JOB_REFUSAL_NONE);
    job_bench_expect_state(&bench, VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(bench.status->pending_reason,
                    VTSTATUS__V1__PENDING_REASON__PENDING_REASON_BACKOFF);
    CU_ASSERT_PTR_NULL(bench.status->error);
    CU_ASSERT_EQUAL(bench.status->attempt, 1);
    CU_ASSERT_STRING_EQUAL(job_bench_attempt(&bench)->error->message, "broken");
    CU_ASSERT_EQUAL(job_bench_lease(&bench, "u"), VTS_JOB_REFUSAL_NOT_LEASABLE);
    job_bench_pass(&bench, second);
    CU_ASSERT_EQUAL(bench.status->pending_reason,
                    VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED);
    CU_ASSERT_EQUAL(job_bench_lease(&bench, "u"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(bench.status->attempt, 2);
    CU_ASSERT_EQUAL(job_bench_time(bench.job->start_time), bench.now_ns - second);
    job_bench_fini(&bench);
}

static void backoff_doubles_from_1_s_to_5_min(void)
{
    Vtstatus__V1__CreateJobRequest request = job_bench_request();
    struct job_bench bench;

    request.max_attempts = VTS_JOB_ATTEMPTS_MAX;
    job_bench_init_with(&bench, &request);
    for (int attempt = 1; attempt < VTS_JOB_ATTEMPTS_MAX; attempt++) {
        int64_t wanted_s = attempt < 10 ? (int64_t)1 << (attempt - 1) : 300;

        CU_ASSERT_EQUAL(job_bench_lease(&bench, "t"), VTS_JOB_REFUSAL_NONE);
        (void)job_bench_fail(&bench, "t", true);
        CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + wanted_s * second);
        bench.now_ns += wanted_s * second;
    }
    job_bench_fini(&bench);
}

static void worker_may_say_how_long_to_wait(void)
{
    static const struct {
        int64_t delay_ns;
        int64_t wanted_ns; /* from now; INT64_MAX: not at all */
    } rows[] = {{(int64_t)7 * VTS_NS_PER_S, (int64_t)7 * VTS_NS_PER_S}, {0, INT64_MAX}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        const struct vts_job_event event = {.kind = VTS_JOB_EVENT_FAIL,
                                            .token = "t",
                                            .is_retryable = true,
                                            .retry_delay_ns = rows[i].delay_ns};
        struct job_bench bench;

        job_bench_init_in(&bench, VTS_JOB_RUNNING);
        CU_ASSERT_EQUAL(job_bench_apply(&bench, &event), VTS_JOB_REFUSAL_NONE);
        if (rows[i].wanted_ns != INT64_MAX)
            CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + rows[i].wanted_ns);
        CU_ASSERT_EQUAL(vts_job_is_leasable(bench.record, bench.now_ns),
                        rows[i].wanted_ns == INT64_MAX);
        job_bench_fini(&bench);
    }
}

static void failure_of_the_last_attempt_ends_the_job(void)
{
    struct job_bench bench;

    job_bench_init(&bench);
    for (int attempt = 1; attempt <= 3; attempt++) {
        CU_ASSERT_EQUAL(job_bench_lease(&bench, "t"), VTS_JOB_REFUSAL_NONE);
        (void)job_bench_fail(&bench, "t", true);
        bench.now_ns += 10 * second;
    }
    job_bench_expect_state(&bench, VTS_JOB_FAILED);
    job_bench_expect_error(&bench, VTS_RPC_INTERNAL, "broken");
    CU_ASSERT_EQUAL(bench.job->n_attempts, 3);
    job_bench_fini(&bench);
}

static void lease_that_ends_queues_the_job_at_once(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + lease_ns);
    job_bench_pass(&bench, lease_ns - 1);
    CU_ASSERT_FALSE(bench.change.is_changed);
    job_bench_pass(&bench, 1);
    job_bench_expect_state(&bench, VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(bench.status->pending_reason,
                    VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED);
    CU_ASSERT_EQUAL(bench.status->attempt, 1);
    CU_ASSERT_EQUAL(job_bench_attempt(&bench)->error->code, VTS_RPC_UNAVAILABLE);
    CU_ASSERT_EQUAL(job_bench_lease(&bench, "u"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(bench.status->attempt, 2);
    job_bench_fini(&bench);
}

static void lease_that_ends_in_the_last_attempt_ends_the_job(void)
{
    struct job_bench bench;

    job_bench_init(&bench);
    for (int attempt = 1; attempt <= 3; attempt++) {
        CU_ASSERT_EQUAL(job_bench_lease(&bench, "t"), VTS_JOB_REFUSAL_NONE);
        job_bench_pass(&bench, lease_ns);
    }
    job_bench_expect_state(&bench, VTS_JOB_FAILED);
    job_bench_expect_error(&bench, VTS_RPC_UNAVAILABLE,
                           "the worker was lost: its lease ended without a heartbeat");
    job_bench_fini(&bench);
}

static void timeout_ends_the_job_however_often_the_lease_is_kept(void)
{
    Vtstatus__V1__CreateJobRequest request = job_bench_request();
    Google__Protobuf__Duration timeout = GOOGLE__PROTOBUF__DURATION__INIT;
    struct job_bench bench;

    timeout.seconds = 90;
    request.timeout = &timeout;
    job_bench_init_with(&bench, &request);
    (void)job_bench_lease(&bench, "t");
    for (int i = 0; i < 3; i++) {
        bench.now_ns += 29 * second;
        CU_ASSERT_EQUAL(job_bench_heartbeat(&bench, "t"), VTS_JOB_REFUSAL_NONE);
    }
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + 3 * second);
    bench.now_ns += 3 * second;
    job_bench_expect_lost(&bench, "t");
    job_bench_pass(&bench, 0);
    job_bench_expect_state(&bench, VTS_JOB_FAILED);
    job_bench_expect_error(&bench, VTS_RPC_DEADLINE_EXCEEDED,
                           "the attempt took longer than its timeout");
    job_bench_fini(&bench);
}

static void timeout_of_one_attempt_starts_anew_with_the_next(void)
{
    Vtstatus__V1__CreateJobRequest request = job_bench_request();
    Google__Protobuf__Duration timeout = GOOGLE__PROTOBUF__DURATION__INIT;
    struct job_bench bench;

    timeout.seconds = 90;
    request.timeout = &timeout;
    job_bench_init_with(&bench, &request);
    (void)job_bench_lease(&bench, "t");
    job_bench_pass(&bench, lease_ns);
    job_bench_expect_state(&bench, VTS_JOB_PENDING); /* the lease's end comes first */
    (void)job_bench_lease(&bench, "u");
    bench.now_ns += 59 * second;
    CU_ASSERT_EQUAL(job_bench_heartbeat(&bench, "u"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + 31 * second);
    job_bench_fini(&bench);
}

static void release_does_not_count(void)
{
    struct job_bench bench;

    job_bench_init(&bench);
    for (int i = 1; i <= 5; i++) {
        CU_ASSERT_EQUAL(job_bench_lease(&bench, "t"), VTS_JOB_REFUSAL_NONE);
        CU_ASSERT_EQUAL(bench.status->attempt, 1);
        (void)job_bench_report(&bench, "t", 50);
        CU_ASSERT_EQUAL(job_bench_release(&bench, "t"), VTS_JOB_REFUSAL_NONE);
        job_bench_expect_state(&bench, VTS_JOB_PENDING);
        CU_ASSERT_EQUAL(bench.status->attempt, 0);
        CU_ASSERT_EQUAL(bench.record->released_attempts, i);
        CU_ASSERT_EQUAL(bench.job->n_attempts, 0);
        CU_ASSERT_PTR_NULL(bench.status->progress);
        CU_ASSERT(vts_job_is_leasable(bench.record, bench.now_ns));
    }
    job_bench_fini(&bench);
}

/* ---- memory ------------------------------------------------------------------------------ */

static void expect_nomem_until_there_is_enough(enum vts_job_state state,
                                               const struct vts_job_event *event)
{
    struct vts_job_change change;
    size_t budget = 0;
    enum vts_err err;

    do {
        struct job_bench bench;
        struct vts_arena arena;

        job_bench_init_in(&bench, state);
        vts_arena_init(&arena, budget);
        err = vts_job_apply(bench.record, event, bench.now_ns + second, &arena, &change);
        CU_ASSERT(err == VTS_OK || err == VTS_ERR_NOMEM);
        vts_arena_fini(&arena);
        job_bench_fini(&bench);
        budget += 16;
    } while (err != VTS_OK);
    CU_ASSERT(budget > 16);
    CU_ASSERT_EQUAL(change.refusal, VTS_JOB_REFUSAL_NONE);
}

static void every_event_without_memory_says_so(void)
{
    static const struct {
        enum vts_job_state state;
        struct vts_job_event event;
    } rows[] = {
        {VTS_JOB_PENDING, {.kind = VTS_JOB_EVENT_LEASE, .token = "u"}},
        {VTS_JOB_RUNNING, {.kind = VTS_JOB_EVENT_HEARTBEAT, .token = "t"}},
        {VTS_JOB_RUNNING, {.kind = VTS_JOB_EVENT_COMPLETE, .token = "t"}},
        {VTS_JOB_RUNNING, {.kind = VTS_JOB_EVENT_FAIL, .token = "t"}},
        {VTS_JOB_RUNNING,
         {.kind = VTS_JOB_EVENT_FAIL, .token = "t", .is_retryable = true, .retry_delay_ns = 1}},
        {VTS_JOB_RUNNING, {.kind = VTS_JOB_EVENT_RELEASE, .token = "t"}},
        {VTS_JOB_CANCELLING, {.kind = VTS_JOB_EVENT_RELEASE, .token = "t"}},
        {VTS_JOB_PENDING, {.kind = VTS_JOB_EVENT_CANCEL}},
        {VTS_JOB_RUNNING, {.kind = VTS_JOB_EVENT_CANCEL}},
        {VTS_JOB_FAILED, {.kind = VTS_JOB_EVENT_RETRY}},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        expect_nomem_until_there_is_enough(rows[i].state, &rows[i].event);
}

static const struct vts_test tests[] = {
    {"lease_of_pending_job_starts_its_first_attempt",
     lease_of_pending_job_starts_its_first_attempt},
    {"lease_of_job_that_does_not_wait_is_refused", lease_of_job_that_does_not_wait_is_refused},
    {"scheduled_job_is_queued_when_its_time_comes", scheduled_job_is_queued_when_its_time_comes},
    {"scheduled_job_may_be_leased_the_moment_its_time_comes",
     scheduled_job_may_be_leased_the_moment_its_time_comes},
    {"job_scheduled_past_all_clocks_is_never_due", job_scheduled_past_all_clocks_is_never_due},
    {"token_that_is_not_the_lease_s_is_refused_in_each_state",
     token_that_is_not_the_lease_s_is_refused_in_each_state},
    {"token_of_a_lease_that_is_over_is_refused", token_of_a_lease_that_is_over_is_refused},
    {"end_that_comes_again_changes_nothing", end_that_comes_again_changes_nothing},
    {"end_that_differs_from_the_first_is_refused", end_that_differs_from_the_first_is_refused},
    {"end_is_forgotten_with_the_next_attempt", end_is_forgotten_with_the_next_attempt},
    {"token_is_refused_from_the_lease_s_end_on", token_is_refused_from_the_lease_s_end_on},
    {"heartbeat_keeps_the_lease_unseen", heartbeat_keeps_the_lease_unseen},
    {"heartbeat_of_the_same_moment_changes_nothing", heartbeat_of_the_same_moment_changes_nothing},
    {"heartbeat_may_ask_for_another_duration_once", heartbeat_may_ask_for_another_duration_once},
    {"complete_makes_a_success", complete_makes_a_success},
    {"final_failure_ends_the_job", final_failure_ends_the_job},
    {"failure_that_says_nothing_is_unknown", failure_that_says_nothing_is_unknown},
    {"retryable_failure_waits_and_queues_again", retryable_failure_waits_and_queues_again},
    {"backoff_doubles_from_1_s_to_5_min", backoff_doubles_from_1_s_to_5_min},
    {"worker_may_say_how_long_to_wait", worker_may_say_how_long_to_wait},
    {"failure_of_the_last_attempt_ends_the_job", failure_of_the_last_attempt_ends_the_job},
    {"lease_that_ends_queues_the_job_at_once", lease_that_ends_queues_the_job_at_once},
    {"lease_that_ends_in_the_last_attempt_ends_the_job",
     lease_that_ends_in_the_last_attempt_ends_the_job},
    {"timeout_ends_the_job_however_often_the_lease_is_kept",
     timeout_ends_the_job_however_often_the_lease_is_kept},
    {"timeout_of_one_attempt_starts_anew_with_the_next",
     timeout_of_one_attempt_starts_anew_with_the_next},
    {"release_does_not_count", release_does_not_count},
    {"every_event_without_memory_says_so", every_event_without_memory_says_so},
};

int main(void)
{
    return vts_test_run("test_job_machine", tests, VTS_ARRAY_LEN(tests));
}
