/* SPDX-License-Identifier: Apache-2.0 */
/* job_check.c - what holds between the fields of every record, whatever has happened to the job.
 *
 * What job_machine.c and the readers of a record rely on stands here. Nothing is said of the order
 * of times, for the clock they come from may be set back.
 */
#include "server/jobs/job_machine.h"

#include "common/wire/pb_time.h"
#include "common/wire/rpc_code.h"
#include "server/jobs/job.h"
#include "server/jobs/job_phases.h"

static enum vts_job_state state_of(const Vtstatus__Store__V1__JobRecord *record)
{
    return (enum vts_job_state)record->job->status->state;
}

static bool is_attempted(const Vtstatus__Store__V1__JobRecord *record)
{
    return state_of(record) == VTS_JOB_RUNNING || state_of(record) == VTS_JOB_CANCELLING;
}

static const char *check_parts(const Vtstatus__Store__V1__JobRecord *record)
{
    const Vtstatus__V1__Job *job = record->job;

    if (job->status == NULL || job->spec == NULL || job->create_time == NULL)
        return "a part of the job is missing";
    if (strcmp(job->id, job->status->job_id) != 0)
        return "the job's id is not its status's";
    if (job->status->revision == 0 || record->version < job->status->revision)
        return "the revision is 0 or more than the version";
    if (job->status->update_time == NULL)
        return "there is no time of the last revision";
    if (job->status->poll_after != NULL || job->status->queue_position != 0 ||
        job->status->estimated_completion_time != NULL)
        return "what is derived at each reading is kept";
    return NULL;
}

static bool is_good_time(const Google__Protobuf__Timestamp *stamp)
{
    return stamp == NULL || vts_pb_timestamp_is_valid(stamp->seconds, stamp->nanos);
}

static const char *check_times(const Vtstatus__Store__V1__JobRecord *record)
{
    const Vtstatus__V1__Job *job = record->job;
    const Google__Protobuf__Timestamp *const stamps[] = {
        job->create_time,           job->start_time,          job->end_time,
        job->expire_time,           job->status->update_time, record->lease_expire_time,
        record->attempt_start_time, record->not_before_time,  record->cancel_deadline_time,
        record->progress_time,      record->ready_time,
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(stamps); i++)
        if (!is_good_time(stamps[i]))
            return "a time is out of range";
    if (job->timeout != NULL &&
        (!vts_pb_duration_is_valid(job->timeout->seconds, job->timeout->nanos) ||
         vts_pb_duration_ns(job->timeout) <= 0))
        return "the timeout is no length of time";
    if (record->ttl_ns < 0)
        return "the ttl is negative";
    return NULL;
}

static const char *check_state(const Vtstatus__Store__V1__JobRecord *record)
{
    const Vtstatus__V1__JobStatus *status = record->job->status;

    if (status->state < VTSTATUS__V1__STATE__STATE_PENDING ||
        status->state > VTSTATUS__V1__STATE__STATE_CANCELLED)
        return "there is no such state";
    if (status->status != vts_job_project(state_of(record)) ||
        (status->done != 0) != vts_job_is_done(state_of(record)))
        return "status or done does not follow from the state";
    return NULL;
}

static const char *check_outcome(const Vtstatus__Store__V1__JobRecord *record)
{
    const Vtstatus__V1__Job *job = record->job;
    enum vts_job_state state = state_of(record);
    bool is_done = vts_job_is_done(state);
    bool has_failed = state == VTS_JOB_FAILED || state == VTS_JOB_CANCELLED;

    if ((job->end_time != NULL) != is_done || (job->expire_time != NULL) != is_done)
        return "the job has an end and is not done, or is done and has none";
    if ((job->status->error != NULL) != has_failed)
        return "the error does not fit the state";
    if (has_failed && job->status->error->code == VTS_RPC_OK)
        return "the error says OK";
    if (state == VTS_JOB_CANCELLED && job->status->error->code != VTS_RPC_CANCELLED)
        return "the error of a cancelled job says something else";
    if (state != VTS_JOB_SUCCEEDED && job->status->output_uri[0] != '\0')
        return "there is output without success";
    return NULL;
}

static const char *check_waiting(const Vtstatus__Store__V1__JobRecord *record)
{
    switch (record->job->status->pending_reason) {
    case VTSTATUS__V1__PENDING_REASON__PENDING_REASON_UNSPECIFIED:
        if (state_of(record) == VTS_JOB_PENDING)
            return "nothing says why the job is pending";
        break;
    case VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED:
        if (state_of(record) != VTS_JOB_PENDING)
            return "a job that is not pending has a reason to be";
        break;
    case VTSTATUS__V1__PENDING_REASON__PENDING_REASON_SCHEDULED:
    case VTSTATUS__V1__PENDING_REASON__PENDING_REASON_BACKOFF:
        if (state_of(record) != VTS_JOB_PENDING || record->not_before_time == NULL)
            return "a job that waits for a time has none";
        return NULL;
    default: /* protobuf-c lets any number pass */
        return "there is no such reason to be pending";
    }
    return record->not_before_time == NULL ? NULL : "a job that waits for no time has one";
}

static const char *check_lease(const Vtstatus__Store__V1__JobRecord *record)
{
    bool is_leased = is_attempted(record);
    bool is_cancelling = state_of(record) == VTS_JOB_CANCELLING;

    if ((record->lease_token[0] != '\0') != is_leased ||
        (record->lease_expire_time != NULL) != is_leased ||
        (record->attempt_start_time != NULL) != is_leased)
        return "the lease does not fit the state";
    if (is_leased ? record->lease_duration_ns <= 0 : record->lease_duration_ns != 0)
        return "the lease's duration does not fit the state";
    if ((record->cancel_deadline_time != NULL) != is_cancelling)
        return "the cancellation's deadline does not fit the state";
    if (record->cancel_reason[0] != '\0' && !is_cancelling)
        return "there is a reason to cancel and no cancellation";
    if (is_leased && record->job->start_time == NULL)
        return "a job that runs has not started";
    if (is_leased && record->end_digest != 0)
        return "an attempt goes on and has a report of its end";
    return NULL;
}

static bool is_good_percent(const Vtstatus__V1__Progress *progress)
{
    return progress == NULL || (progress->percent >= 0 && progress->percent <= 100);
}

static const char *check_progress(const Vtstatus__Store__V1__JobRecord *record)
{
    const Vtstatus__V1__Progress *shown = record->job->status->progress;
    const Vtstatus__V1__Progress *held = record->held_progress;

    if (!is_good_percent(shown) || !is_good_percent(held))
        return "the percent is not from 0 to 100";
    if (is_attempted(record) && shown == NULL)
        return "an attempt has no progress";
    if (held == NULL)
        return NULL;
    if (!is_attempted(record) || record->progress_time == NULL)
        return "progress is held back for no reason";
    if (held->percent < shown->percent)
        return "the progress that is held back falls";
    return NULL;
}

static const char *check_phases(const Vtstatus__Store__V1__JobRecord *record)
{
    bool is_kept = is_attempted(record) || state_of(record) == VTS_JOB_SUCCEEDED;

    if (record->n_phase_starts > VTS_JOB_PHASES_KEPT)
        return "too many phases are kept";
    if (!is_kept && (record->ready_time != NULL || record->n_phase_starts > 0))
        return "phases are kept for no reason";
    for (size_t i = 0; i < record->n_phase_starts; i++)
        if (record->phase_starts[i]->start_time == NULL ||
            !is_good_time(record->phase_starts[i]->start_time))
            return "a phase's time is not good";
    return NULL;
}

static const char *check_attempt(const Vtstatus__V1__Attempt *attempt, bool is_running)
{
    if (attempt->number < 1 || attempt->start_time == NULL || !is_good_time(attempt->start_time) ||
        !is_good_time(attempt->end_time))
        return "an attempt's number or times are not good";
    if (is_running != (attempt->end_time == NULL))
        return "an attempt has an end and runs, or has none and does not";
    if (attempt->error != NULL && attempt->end_time == NULL)
        return "an attempt that runs has an error";
    return NULL;
}

static const char *check_attempts(const Vtstatus__Store__V1__JobRecord *record)
{
    const Vtstatus__V1__Job *job = record->job;
    int32_t attempt = job->status->attempt;

    if (job->max_attempts < 1 || job->max_attempts > VTS_JOB_ATTEMPTS_MAX)
        return "the greatest number of attempts is out of range";
    if (attempt < 0 || attempt > job->max_attempts || record->released_attempts < 0)
        return "the number of attempts is out of range";
    if (job->n_attempts > VTS_JOB_ATTEMPTS_KEPT)
        return "too many attempts are kept";
    if (attempt == 0 && is_attempted(record))
        return "a job runs without an attempt";
    if (attempt == job->max_attempts && state_of(record) == VTS_JOB_PENDING)
        return "a job waits with no attempt left";
    if (attempt > 0 &&
        (job->n_attempts == 0 || job->attempts[job->n_attempts - 1]->number < attempt))
        return "the last attempt has a number below the present one's";
    for (size_t i = 0; i < job->n_attempts; i++) {
        bool is_running = is_attempted(record) && i == job->n_attempts - 1;
        const char *wrong = check_attempt(job->attempts[i], is_running);

        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}

const char *vts_job_check(const Vtstatus__Store__V1__JobRecord *record)
{
    static const char *(*const checks[])(const Vtstatus__Store__V1__JobRecord *record) = {
        check_parts, check_times,    check_state,  check_outcome,  check_waiting,
        check_lease, check_progress, check_phases, check_attempts,
    };

    if (record->version == 0)
        return "the version is 0";
    if (record->job == NULL || !vts_job_id_is_valid(vts_str_of(record->job->id)))
        return "there is no job with an id";
    if (record->tombstone_expire_time != NULL)
        return is_good_time(record->tombstone_expire_time) && is_good_time(record->job->create_time)
                   ? NULL
                   : "a time is out of range";
    for (size_t i = 0; i < VTS_ARRAY_LEN(checks); i++) {
        const char *wrong = checks[i](record);

        if (wrong != NULL)
            return wrong;
    }
    return NULL;
}
