/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_check.c - that each thing wrong with a record is found. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>

#include "tests/support/suite.h"
#include "tests/unit/server/jobs/job_bench.h"

typedef Vtstatus__Store__V1__JobRecord Record;

static Google__Protobuf__Timestamp good_time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
static Google__Protobuf__Timestamp bad_time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
static Google__Protobuf__Duration no_time = GOOGLE__PROTOBUF__DURATION__INIT;
static Google__Rpc__Status no_error = GOOGLE__RPC__STATUS__INIT;
static Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
static Vtstatus__V1__Attempt *many_attempts[VTS_JOB_ATTEMPTS_KEPT + 1];

static char *literal(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void zero_version(Record *record)
{
    record->version = 0;
}

static void drop_job(Record *record)
{
    record->job = NULL;
}

static void break_id(Record *record)
{
    record->job->id = literal("a/b");
}

static void change_id(Record *record)
{
    record->job->id = literal("job-2");
}

static void drop_status(Record *record)
{
    record->job->status = NULL;
}

static void drop_spec(Record *record)
{
    record->job->spec = NULL;
}

static void drop_create_time(Record *record)
{
    record->job->create_time = NULL;
}

static void drop_update_time(Record *record)
{
    record->job->status->update_time = NULL;
}

static void zero_revision(Record *record)
{
    record->job->status->revision = 0;
}

static void raise_revision(Record *record)
{
    record->job->status->revision = record->version + 1;
}

static void keep_hint(Record *record)
{
    record->job->status->poll_after = &no_time;
}

static void keep_position(Record *record)
{
    record->job->status->queue_position = 1;
}

static void break_time(Record *record)
{
    record->job->create_time = &bad_time;
}

static void break_timeout(Record *record)
{
    record->job->timeout = &no_time;
}

static void break_ttl(Record *record)
{
    record->ttl_ns = -1;
}

static void break_state(Record *record)
{
    record->job->status->state = (Vtstatus__V1__State)7;
}

static void flip_done(Record *record)
{
    record->job->status->done = !record->job->status->done;
}

static void change_projection(Record *record)
{
    record->job->status->status = VTSTATUS__V1__STATUS__STATUS_UNSPECIFIED;
}

static void flip_end(Record *record)
{
    record->job->end_time = record->job->end_time == NULL ? &good_time : NULL;
}

static void flip_expiry(Record *record)
{
    record->job->expire_time = record->job->expire_time == NULL ? &good_time : NULL;
}

static void flip_error(Record *record)
{
    record->job->status->error = record->job->status->error == NULL ? &no_error : NULL;
}

static void zero_error(Record *record)
{
    record->job->status->error->code = 0;
}

static void change_error(Record *record)
{
    record->job->status->error->code = 2;
}

static void add_output(Record *record)
{
    record->job->status->output_uri = literal("s3://x");
}

static void drop_reason(Record *record)
{
    record->job->status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_UNSPECIFIED;
}

static void add_reason(Record *record)
{
    record->job->status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED;
}

static void add_backoff(Record *record)
{
    record->job->status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_BACKOFF;
}

static void break_reason(Record *record)
{
    record->job->status->pending_reason = (Vtstatus__V1__PendingReason)9;
}

static void add_not_before(Record *record)
{
    record->not_before_time = &good_time;
}

static void flip_token(Record *record)
{
    record->lease_token = literal(record->lease_token[0] == '\0' ? "t" : "");
}

static void flip_lease_end(Record *record)
{
    record->lease_expire_time = record->lease_expire_time == NULL ? &good_time : NULL;
}

static void flip_attempt_start(Record *record)
{
    record->attempt_start_time = record->attempt_start_time == NULL ? &good_time : NULL;
}

static void flip_lease_duration(Record *record)
{
    record->lease_duration_ns = record->lease_duration_ns == 0;
}

static void flip_deadline(Record *record)
{
    record->cancel_deadline_time = record->cancel_deadline_time == NULL ? &good_time : NULL;
}

static void add_cancel_reason(Record *record)
{
    record->cancel_reason = literal("because");
}

static void drop_start_time(Record *record)
{
    record->job->start_time = NULL;
}

static void lower_percent(Record *record)
{
    record->job->status->progress->percent = -1;
}

static void confuse_percent(Record *record)
{
    record->job->status->progress->percent = NAN;
}

static void raise_held_percent(Record *record)
{
    record->progress_time = &good_time;
    progress.percent = 101;
    record->held_progress = &progress;
}

static void hold_less(Record *record)
{
    record->progress_time = &good_time;
    record->job->status->progress->percent = 50;
    progress.percent = 49;
    record->held_progress = &progress;
}

static void hold_since_never(Record *record)
{
    progress.percent = 49;
    record->held_progress = &progress;
}

static void hold_in_vain(Record *record)
{
    record->progress_time = &good_time;
    hold_since_never(record);
}

static void drop_progress(Record *record)
{
    record->job->status->progress = NULL;
}

static void zero_max_attempts(Record *record)
{
    record->job->max_attempts = 0;
}

static void raise_max_attempts(Record *record)
{
    record->job->max_attempts = VTS_JOB_ATTEMPTS_MAX + 1;
}

static void zero_attempt(Record *record)
{
    record->job->status->attempt = 0;
}

static void raise_attempt(Record *record)
{
    record->job->status->attempt = 4;
}

static void lower_released(Record *record)
{
    record->released_attempts = -1;
}

static void spend_attempts(Record *record)
{
    record->job->status->attempt = record->job->max_attempts;
}

static void drop_attempts(Record *record)
{
    record->job->n_attempts = 0;
}

static void renumber_attempt(Record *record)
{
    record->job->status->attempt = record->job->attempts[0]->number + 1;
}

static void keep_too_many_attempts(Record *record)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(many_attempts); i++)
        many_attempts[i] = record->job->attempts[0];
    record->job->attempts = many_attempts;
    record->job->n_attempts = VTS_ARRAY_LEN(many_attempts);
}

static void drop_attempt_start(Record *record)
{
    record->job->attempts[0]->start_time = NULL;
}

static void break_attempt_start(Record *record)
{
    record->job->attempts[0]->start_time = &bad_time;
}

static void flip_attempt_end(Record *record)
{
    Vtstatus__V1__Attempt *attempt = record->job->attempts[0];

    attempt->end_time = attempt->end_time == NULL ? &good_time : NULL;
}

static void add_attempt_error(Record *record)
{
    record->job->attempts[0]->error = &no_error;
}

static void break_tombstone(Record *record)
{
    record->tombstone_expire_time = &bad_time;
}

/* A way to spoil a record that is good in the states. */
struct spoiler {
    const char *name;
    void (*spoil)(Record *record);
    enum vts_job_state states[6]; /* up to the first 0; none: all */
};

static const struct spoiler spoilers[] = {
    {"zero_version", zero_version, {0}},
    {"drop_job", drop_job, {0}},
    {"break_id", break_id, {0}},
    {"change_id", change_id, {0}},
    {"drop_status", drop_status, {0}},
    {"drop_spec", drop_spec, {0}},
    {"drop_create_time", drop_create_time, {0}},
    {"drop_update_time", drop_update_time, {0}},
    {"zero_revision", zero_revision, {0}},
    {"raise_revision", raise_revision, {0}},
    {"keep_hint", keep_hint, {0}},
    {"keep_position", keep_position, {0}},
    {"break_time", break_time, {0}},
    {"break_timeout", break_timeout, {0}},
    {"break_ttl", break_ttl, {0}},
    {"break_state", break_state, {0}},
    {"flip_done", flip_done, {0}},
    {"change_projection", change_projection, {0}},
    {"flip_end", flip_end, {0}},
    {"flip_expiry", flip_expiry, {0}},
    {"flip_error", flip_error, {0}},
    {"zero_error", zero_error, {VTS_JOB_FAILED, VTS_JOB_CANCELLED}},
    {"change_error", change_error, {VTS_JOB_CANCELLED}},
    {"add_output",
     add_output,
     {VTS_JOB_PENDING, VTS_JOB_RUNNING, VTS_JOB_CANCELLING, VTS_JOB_FAILED, VTS_JOB_CANCELLED}},
    {"drop_reason", drop_reason, {VTS_JOB_PENDING}},
    {"add_reason",
     add_reason,
     {VTS_JOB_RUNNING, VTS_JOB_CANCELLING, VTS_JOB_SUCCEEDED, VTS_JOB_FAILED, VTS_JOB_CANCELLED}},
    {"add_backoff", add_backoff, {0}},
    {"break_reason", break_reason, {0}},
    {"add_not_before", add_not_before, {0}},
    {"flip_token", flip_token, {0}},
    {"flip_lease_end", flip_lease_end, {0}},
    {"flip_attempt_start", flip_attempt_start, {0}},
    {"flip_lease_duration", flip_lease_duration, {0}},
    {"flip_deadline", flip_deadline, {0}},
    {"add_cancel_reason",
     add_cancel_reason,
     {VTS_JOB_PENDING, VTS_JOB_RUNNING, VTS_JOB_SUCCEEDED, VTS_JOB_FAILED, VTS_JOB_CANCELLED}},
    {"drop_start_time", drop_start_time, {VTS_JOB_RUNNING, VTS_JOB_CANCELLING}},
    {"lower_percent", lower_percent, {VTS_JOB_RUNNING, VTS_JOB_SUCCEEDED, VTS_JOB_FAILED}},
    {"confuse_percent", confuse_percent, {VTS_JOB_RUNNING, VTS_JOB_SUCCEEDED, VTS_JOB_FAILED}},
    {"raise_held_percent", raise_held_percent, {VTS_JOB_RUNNING, VTS_JOB_CANCELLING}},
    {"hold_less", hold_less, {VTS_JOB_RUNNING, VTS_JOB_CANCELLING}},
    {"hold_since_never", hold_since_never, {VTS_JOB_RUNNING, VTS_JOB_CANCELLING}},
    {"hold_in_vain",
     hold_in_vain,
     {VTS_JOB_PENDING, VTS_JOB_SUCCEEDED, VTS_JOB_FAILED, VTS_JOB_CANCELLED}},
    {"drop_progress", drop_progress, {VTS_JOB_RUNNING, VTS_JOB_CANCELLING}},
    {"zero_max_attempts", zero_max_attempts, {0}},
    {"raise_max_attempts", raise_max_attempts, {0}},
    {"zero_attempt", zero_attempt, {VTS_JOB_RUNNING, VTS_JOB_CANCELLING}},
    {"raise_attempt", raise_attempt, {0}},
    {"lower_released", lower_released, {0}},
    {"spend_attempts", spend_attempts, {0}},
    {"drop_attempts",
     drop_attempts,
     {VTS_JOB_RUNNING, VTS_JOB_CANCELLING, VTS_JOB_SUCCEEDED, VTS_JOB_FAILED, VTS_JOB_CANCELLED}},
    {"renumber_attempt", renumber_attempt, {VTS_JOB_RUNNING, VTS_JOB_SUCCEEDED, VTS_JOB_FAILED}},
    {"keep_too_many_attempts", keep_too_many_attempts, {VTS_JOB_SUCCEEDED, VTS_JOB_FAILED}},
    {"drop_attempt_start", drop_attempt_start, {VTS_JOB_RUNNING, VTS_JOB_FAILED}},
    {"break_attempt_start", break_attempt_start, {VTS_JOB_RUNNING, VTS_JOB_FAILED}},
    {"flip_attempt_end", flip_attempt_end, {VTS_JOB_RUNNING, VTS_JOB_FAILED}},
    {"add_attempt_error", add_attempt_error, {VTS_JOB_RUNNING, VTS_JOB_CANCELLING}},
    {"break_tombstone", break_tombstone, {0}},
};

static bool is_meant_for(const struct spoiler *spoiler, enum vts_job_state state)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(spoiler->states) && spoiler->states[i] != 0; i++)
        if (spoiler->states[i] == state)
            return true;
    return spoiler->states[0] == 0;
}

static void check_spoiler(const struct spoiler *spoiler)
{
    for (int state = VTS_JOB_PENDING; state <= VTS_JOB_CANCELLED; state++) {
        struct job_bench bench;

        if (!is_meant_for(spoiler, (enum vts_job_state)state))
            continue;
        job_bench_init_in(&bench, (enum vts_job_state)state); /* where it is good */
        spoiler->spoil(bench.record);
        if (vts_job_check(bench.record) == NULL) {
            fprintf(stderr, "%s in state %d is not found\n", spoiler->name, state);
            CU_FAIL("what is wrong is not found");
        }
        job_bench_fini(&bench);
    }
}

static void each_thing_wrong_is_found(void)
{
    bad_time.nanos = -1;
    for (size_t i = 0; i < VTS_ARRAY_LEN(spoilers); i++)
        check_spoiler(&spoilers[i]);
}

static void job_that_waits_for_a_time_is_good(void)
{
    struct job_bench bench;

    job_bench_init(&bench);
    add_backoff(bench.record);
    CU_ASSERT_PTR_NOT_NULL(vts_job_check(bench.record));
    add_not_before(bench.record);
    CU_ASSERT_PTR_NULL(vts_job_check(bench.record));
    job_bench_fini(&bench);
}

static const struct vts_test tests[] = {
    {"each_thing_wrong_is_found", each_thing_wrong_is_found},
    {"job_that_waits_for_a_time_is_good", job_that_waits_for_a_time_is_good},
};

int main(void)
{
    return vts_test_run("test_job_check", tests, VTS_ARRAY_LEN(tests));
}
