/* SPDX-License-Identifier: Apache-2.0 */
/* job_machine.c - a function for each event, and the few ways from state to state they share.
 *
 * Whether an event is refused is known before anything is touched. Memory that runs out is noted
 * and looked at once, at the end; until then a part that could not be made is a NULL pointer.
 */
#include "server/jobs/job_machine.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"
#include "common/wire/rpc_code.h"
#include "server/jobs/job.h"
#include "server/jobs/job_end.h"
#include "server/jobs/job_phases.h"

static const int64_t progress_gap_ns = (int64_t)250 * VTS_NS_PER_MS;
static const int64_t cancel_grace_ns = (int64_t)30 * VTS_NS_PER_S;
static const int64_t backoff_first_ns = (int64_t)1 * VTS_NS_PER_S;
static const int64_t backoff_last_ns = (int64_t)300 * VTS_NS_PER_S;
static const int64_t keep_ns = (int64_t)7 * 24 * 3600 * VTS_NS_PER_S;
static const int64_t keep_failed_ns = (int64_t)30 * 24 * 3600 * VTS_NS_PER_S;

/* One event being applied. */
struct step {
    Vtstatus__Store__V1__JobRecord *record;
    Vtstatus__V1__Job *job;          /* the record's */
    Vtstatus__V1__JobStatus *status; /* the job's */
    int64_t now_ns;
    struct vts_arena *arena;
    enum vts_err err;
    struct vts_job_change change;
};

/* ---- parts ------------------------------------------------------------------------------- */

/* protobuf-c's strings are not const, and nobody writes to them. */
static char *borrow(const char *text)
{
    return text == NULL ? (char *)(uintptr_t)protobuf_c_empty_string : (char *)(uintptr_t)text;
}

static void *make(struct step *step, const ProtobufCMessageDescriptor *type)
{
    void *message = vts_pb_arena_new(step->arena, type);

    if (message == NULL)
        step->err = VTS_ERR_NOMEM;
    return message;
}

/* Times past what 64 bits hold are the last there is. */
static int64_t add_ns(int64_t at_ns, int64_t span_ns)
{
    return span_ns > 0 && at_ns > INT64_MAX - span_ns ? INT64_MAX : at_ns + span_ns;
}

static Google__Protobuf__Timestamp *make_time(struct step *step, int64_t ns)
{
    Google__Protobuf__Timestamp *stamp = make(step, &google__protobuf__timestamp__descriptor);

    if (stamp != NULL)
        vts_pb_timestamp_set(stamp, ns);
    return stamp;
}

static Google__Rpc__Status *make_error(struct step *step, enum vts_rpc_code code, const char *text)
{
    Google__Rpc__Status *error = make(step, &google__rpc__status__descriptor);

    if (error == NULL)
        return NULL;
    error->code = (int32_t)code;
    error->message = borrow(text);
    return error;
}

/* An error that says OK, or nothing, would be none. */
static Google__Rpc__Status *copy_error(struct step *step, const Google__Rpc__Status *reported)
{
    Google__Rpc__Status *error =
        make_error(step, VTS_RPC_UNKNOWN, "the worker did not say what went wrong");

    if (error == NULL || reported == NULL)
        return error;
    if (reported->code != VTS_RPC_OK)
        error->code = reported->code;
    if (reported->message[0] != '\0')
        error->message = reported->message;
    error->n_details = reported->n_details;
    error->details = reported->details;
    return error;
}

/* ---- states ------------------------------------------------------------------------------ */

static enum vts_job_state state_of(const Vtstatus__Store__V1__JobRecord *record)
{
    return (enum vts_job_state)record->job->status->state;
}

static bool is_attempted(enum vts_job_state state)
{
    return state == VTS_JOB_RUNNING || state == VTS_JOB_CANCELLING;
}

static void set_state(struct step *step, enum vts_job_state state)
{
    step->status->state = (Vtstatus__V1__State)state;
    step->status->status = vts_job_project(state);
    step->status->done = vts_job_is_done(state);
    step->status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_UNSPECIFIED;
    step->change.is_visible = true;
}

static void enter_queue(struct step *step, int64_t delay_ns)
{
    set_state(step, VTS_JOB_PENDING);
    step->status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED;
    step->record->not_before_time = NULL;
    if (delay_ns <= 0)
        return;
    step->status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_BACKOFF;
    step->record->not_before_time = make_time(step, add_ns(step->now_ns, delay_ns));
}

static void finish(struct step *step, enum vts_job_state state, Google__Rpc__Status *error)
{
    int64_t kept_ns = state == VTS_JOB_FAILED ? keep_failed_ns : keep_ns;

    if (step->record->ttl_ns != 0)
        kept_ns = step->record->ttl_ns;
    set_state(step, state);
    step->status->error = error;
    step->job->end_time = make_time(step, step->now_ns);
    step->job->expire_time = make_time(step, add_ns(step->now_ns, kept_ns));
    step->record->not_before_time = NULL;
    step->record->cancel_reason = borrow(NULL);
}

static void finish_cancelled(struct step *step, const char *reason)
{
    const char *text = reason == NULL || reason[0] == '\0' ? "the job was cancelled" : reason;

    finish(step, VTS_JOB_CANCELLED, make_error(step, VTS_RPC_CANCELLED, text));
}

/* ---- progress ---------------------------------------------------------------------------- */

static bool is_same_progress(const Vtstatus__V1__Progress *a, const Vtstatus__V1__Progress *b)
{
    return a->percent == b->percent && a->phase_index == b->phase_index &&
           a->phase_count == b->phase_count && strcmp(a->phase, b->phase) == 0 &&
           strcmp(a->message, b->message) == 0;
}

/* What a report makes of the progress before. NaN, like all that is not more, leaves the percent as
 * it was. */
static Vtstatus__V1__Progress *advance(struct step *step, const Vtstatus__V1__Progress *before,
                                       const Vtstatus__V1__Progress *report)
{
    Vtstatus__V1__Progress *progress = make(step, &vtstatus__v1__progress__descriptor);

    if (progress == NULL)
        return NULL;
    progress->percent = before->percent;
    if (report->percent > before->percent)
        progress->percent = report->percent < 100 ? report->percent : 100;
    progress->phase = report->phase;
    progress->phase_index = report->phase_index;
    progress->phase_count = report->phase_count;
    progress->message = report->message;
    return progress;
}

static int64_t progress_due_ns(const Vtstatus__Store__V1__JobRecord *record)
{
    return add_ns(vts_pb_timestamp_ns(record->progress_time), progress_gap_ns);
}

/* A clock that was set back must not hold progress back until it has caught up. */
static bool may_show_progress(const struct step *step)
{
    const Vtstatus__Store__V1__JobRecord *record = step->record;

    return record->progress_time == NULL || step->now_ns >= progress_due_ns(record) ||
           step->now_ns < vts_pb_timestamp_ns(record->progress_time);
}

static void show_progress(struct step *step, Vtstatus__V1__Progress *progress)
{
    step->status->progress = progress;
    step->record->held_progress = NULL;
    step->record->progress_time = make_time(step, step->now_ns);
    step->change.is_visible = true;
}

/* For when something else becomes visible as well. */
static void show_held_progress(struct step *step)
{
    if (step->record->held_progress != NULL)
        show_progress(step, step->record->held_progress);
}

static void take_report(struct step *step, const Vtstatus__V1__Progress *report)
{
    Vtstatus__Store__V1__JobRecord *record = step->record;
    const Vtstatus__V1__Progress *before =
        record->held_progress != NULL ? record->held_progress : step->status->progress;
    Vtstatus__V1__Progress *progress = advance(step, before, report);

    if (progress == NULL || is_same_progress(progress, before))
        return;
    if (vts_job_phases_enter(record, progress->phase, step->now_ns, step->arena) != VTS_OK)
        step->err = VTS_ERR_NOMEM;
    step->change.is_changed = true;
    if (is_same_progress(progress, step->status->progress))
        record->held_progress = NULL; /* back to what is visible */
    else if (may_show_progress(step))
        show_progress(step, progress);
    else
        record->held_progress = progress;
}

/* ---- attempts ---------------------------------------------------------------------------- */

enum loss { LOSS_LEASE, LOSS_TIMEOUT, LOSS_GRACE };

/* When the present attempt is over without a word of its worker, and why. */
struct attempt_limit {
    int64_t at_ns;
    enum loss loss;
};

static void lower_limit(struct attempt_limit *limit, int64_t at_ns, enum loss loss)
{
    if (at_ns <= limit->at_ns)
        *limit = (struct attempt_limit){.at_ns = at_ns, .loss = loss};
}

static struct attempt_limit find_limit(const Vtstatus__Store__V1__JobRecord *record)
{
    struct attempt_limit limit = {.at_ns = vts_pb_timestamp_ns(record->lease_expire_time),
                                  .loss = LOSS_LEASE};

    if (record->job->timeout != NULL)
        lower_limit(&limit,
                    add_ns(vts_pb_timestamp_ns(record->attempt_start_time),
                           vts_pb_duration_ns(record->job->timeout)),
                    LOSS_TIMEOUT);
    if (record->cancel_deadline_time != NULL)
        lower_limit(&limit, vts_pb_timestamp_ns(record->cancel_deadline_time), LOSS_GRACE);
    return limit;
}

/* Takes as long for a token that is nearly right as for any other. */
static bool is_same_token(const char *a, const char *b)
{
    size_t len = strlen(a);
    unsigned difference = 0;

    if (strlen(b) != len)
        return false;
    for (size_t i = 0; i < len; i++)
        difference |= (unsigned)(a[i] ^ b[i]);
    return difference == 0;
}

static bool is_leased_with(const struct step *step, const char *token)
{
    return is_attempted(state_of(step->record)) && step->now_ns < find_limit(step->record).at_ns &&
           token != NULL && is_same_token(step->record->lease_token, token);
}

/* Whether the event ended the last attempt already: the worker has not heard the answer. */
static bool is_repeated_end(const struct step *step, const struct vts_job_event *event)
{
    return step->record->end_digest != 0 && event->token != NULL && vts_job_is_end(event) &&
           step->record->end_digest == vts_job_end_digest(event);
}

/* One more than the last one has, whichever retry that belongs to, so that each can be told apart;
 * the last one is always kept. */
static int32_t next_number(const Vtstatus__V1__Job *job)
{
    int32_t last = job->n_attempts == 0 ? 0 : job->attempts[job->n_attempts - 1]->number;

    return last < INT32_MAX ? last + 1 : last;
}

/* The oldest attempt leaves the list when it is full. */
static void add_attempt(struct step *step, const char *worker_id)
{
    Vtstatus__V1__Job *job = step->job;
    size_t kept =
        job->n_attempts < VTS_JOB_ATTEMPTS_KEPT ? job->n_attempts : VTS_JOB_ATTEMPTS_KEPT - 1;
    Vtstatus__V1__Attempt **attempts = vts_arena_alloc(step->arena, (kept + 1) * sizeof(void *));
    Vtstatus__V1__Attempt *attempt = make(step, &vtstatus__v1__attempt__descriptor);

    if (attempts == NULL || attempt == NULL) {
        step->err = VTS_ERR_NOMEM;
        return;
    }
    attempt->number = next_number(job);
    attempt->worker_id = borrow(worker_id);
    attempt->start_time = make_time(step, step->now_ns);
    for (size_t i = 0; i < kept; i++)
        attempts[i] = job->attempts[job->n_attempts - kept + i];
    attempts[kept] = attempt;
    job->attempts = attempts;
    job->n_attempts = kept + 1;
}

static void end_lease(struct step *step)
{
    Vtstatus__Store__V1__JobRecord *record = step->record;

    record->lease_token = borrow(NULL);
    record->lease_expire_time = NULL;
    record->lease_duration_ns = 0;
    record->attempt_start_time = NULL;
    record->cancel_deadline_time = NULL;
    record->held_progress = NULL;
}

/* error is NULL after a success. */
static void end_attempt(struct step *step, Google__Rpc__Status *error)
{
    Vtstatus__V1__Attempt *attempt = step->job->attempts[step->job->n_attempts - 1];

    attempt->end_time = make_time(step, step->now_ns);
    attempt->error = error;
    if (error != NULL)
        vts_job_phases_clear(step->record); /* a failure says nothing about how long it takes */
    show_held_progress(step);
    step->status->progress->message = borrow(NULL); /* it tells what is going on */
    end_lease(step);
}

static int64_t backoff_ns(int32_t attempt)
{
    int64_t delay_ns = backoff_first_ns;

    for (int32_t i = 1; i < attempt && delay_ns < backoff_last_ns; i++)
        delay_ns *= 2;
    return delay_ns < backoff_last_ns ? delay_ns : backoff_last_ns;
}

/* After an attempt that came to nothing: the end, or another one. */
static void fail_attempt(struct step *step, Google__Rpc__Status *error, bool is_final,
                         int64_t delay_ns)
{
    enum vts_job_state state = state_of(step->record);

    end_attempt(step, error);
    if (state == VTS_JOB_CANCELLING)
        finish_cancelled(step, step->record->cancel_reason);
    else if (is_final || step->status->attempt >= step->job->max_attempts)
        finish(step, VTS_JOB_FAILED, error);
    else
        enter_queue(step, delay_ns);
}

static void lose_attempt(struct step *step, enum loss loss)
{
    static const struct {
        enum vts_rpc_code code;
        const char *text;
    } losses[] = {
        [LOSS_LEASE] = {VTS_RPC_UNAVAILABLE,
                        "the worker was lost: its lease ended without a heartbeat"},
        [LOSS_TIMEOUT] = {VTS_RPC_DEADLINE_EXCEEDED, "the attempt took longer than its timeout"},
        [LOSS_GRACE] = {VTS_RPC_CANCELLED, "the worker did not stop after the cancellation"},
    };
    Google__Rpc__Status *error = make_error(step, losses[loss].code, losses[loss].text);

    fail_attempt(step, error, loss == LOSS_TIMEOUT, 0);
}

/* ---- events ------------------------------------------------------------------------------ */

static void refuse(struct step *step, enum vts_job_refusal refusal)
{
    step->change.refusal = refusal;
}

static void lease(struct step *step, const struct vts_job_event *event)
{
    Vtstatus__Store__V1__JobRecord *record = step->record;

    if (!vts_job_is_leasable(record, step->now_ns)) {
        refuse(step, VTS_JOB_REFUSAL_NOT_LEASABLE);
        return;
    }
    record->ready_time = make_time(step, vts_job_ready_ns(record));
    set_state(step, VTS_JOB_RUNNING);
    step->status->attempt++;
    step->status->progress = make(step, &vtstatus__v1__progress__descriptor);
    add_attempt(step, event->worker_id);
    if (step->job->start_time == NULL)
        step->job->start_time = make_time(step, step->now_ns);
    record->lease_token = borrow(event->token);
    record->lease_duration_ns = event->lease_duration_ns;
    record->lease_expire_time = make_time(step, add_ns(step->now_ns, event->lease_duration_ns));
    record->attempt_start_time = make_time(step, step->now_ns);
    record->not_before_time = NULL;
    record->end_digest = 0;
}

static void heartbeat(struct step *step, const struct vts_job_event *event)
{
    Vtstatus__Store__V1__JobRecord *record = step->record;
    int64_t duration_ns =
        event->lease_duration_ns != 0 ? event->lease_duration_ns : record->lease_duration_ns;
    int64_t end_ns = add_ns(step->now_ns, duration_ns);

    if (end_ns != vts_pb_timestamp_ns(record->lease_expire_time)) {
        record->lease_expire_time = make_time(step, end_ns);
        step->change.is_changed = true;
    }
    if (event->progress != NULL)
        take_report(step, event->progress);
}

static void complete(struct step *step, const struct vts_job_event *event)
{
    end_attempt(step, NULL);
    step->status->progress->percent = 100;
    step->status->output_uri = borrow(event->output_uri);
    finish(step, VTS_JOB_SUCCEEDED, NULL);
}

static void fail(struct step *step, const struct vts_job_event *event)
{
    int64_t delay_ns =
        event->retry_delay_ns >= 0 ? event->retry_delay_ns : backoff_ns(step->status->attempt);

    fail_attempt(step, copy_error(step, event->error), !event->is_retryable, delay_ns);
}

static void release(struct step *step)
{
    if (state_of(step->record) == VTS_JOB_CANCELLING) {
        fail_attempt(step, make_error(step, VTS_RPC_CANCELLED, "the worker gave the job back"),
                     true, 0);
        return;
    }
    vts_job_phases_clear(step->record);
    step->job->n_attempts--;
    step->status->attempt--;
    step->status->progress = NULL;
    if (step->record->released_attempts < INT32_MAX)
        step->record->released_attempts++;
    end_lease(step);
    enter_queue(step, 0);
}

static void cancel(struct step *step, const struct vts_job_event *event)
{
    switch (state_of(step->record)) {
    case VTS_JOB_PENDING:
        finish_cancelled(step, event->reason);
        return;
    case VTS_JOB_RUNNING:
        show_held_progress(step);
        step->record->cancel_reason = borrow(event->reason);
        step->record->cancel_deadline_time = make_time(step, add_ns(step->now_ns, cancel_grace_ns));
        set_state(step, VTS_JOB_CANCELLING);
        return;
    case VTS_JOB_CANCELLING:
    case VTS_JOB_CANCELLED:
        return;
    case VTS_JOB_SUCCEEDED:
    case VTS_JOB_FAILED:
        refuse(step, VTS_JOB_REFUSAL_DONE);
        return;
    }
    VTS_UNREACHABLE();
}

static void retry(struct step *step)
{
    enum vts_job_state state = state_of(step->record);

    if (state != VTS_JOB_FAILED && state != VTS_JOB_CANCELLED) {
        refuse(step, VTS_JOB_REFUSAL_NOT_RETRYABLE);
        return;
    }
    step->status->attempt = 0;
    step->status->progress = NULL;
    step->status->error = NULL;
    step->job->start_time = NULL;
    step->job->end_time = NULL;
    step->job->expire_time = NULL;
    step->record->end_digest = 0;
    enter_queue(step, 0);
}

static void pass_time(struct step *step)
{
    int64_t due_ns = vts_job_due_ns(step->record);
    struct attempt_limit limit;

    if (due_ns == INT64_MAX || step->now_ns < due_ns)
        return;
    if (state_of(step->record) == VTS_JOB_PENDING) {
        enter_queue(step, 0);
        return;
    }
    limit = find_limit(step->record);
    if (step->now_ns >= limit.at_ns)
        lose_attempt(step, limit.loss);
    else
        show_held_progress(step);
}

static void dispatch(struct step *step, const struct vts_job_event *event)
{
    bool is_workers =
        event->kind >= VTS_JOB_EVENT_HEARTBEAT && event->kind <= VTS_JOB_EVENT_RELEASE;

    if (is_workers && !is_leased_with(step, event->token)) {
        if (!is_repeated_end(step, event))
            refuse(step, VTS_JOB_REFUSAL_LEASE_LOST);
        return;
    }
    if (vts_job_is_end(event))
        step->record->end_digest = vts_job_end_digest(event);
    switch (event->kind) {
    case VTS_JOB_EVENT_LEASE:
        lease(step, event);
        return;
    case VTS_JOB_EVENT_HEARTBEAT:
        heartbeat(step, event);
        return;
    case VTS_JOB_EVENT_COMPLETE:
        complete(step, event);
        return;
    case VTS_JOB_EVENT_FAIL:
        fail(step, event);
        return;
    case VTS_JOB_EVENT_RELEASE:
        release(step);
        return;
    case VTS_JOB_EVENT_CANCEL:
        cancel(step, event);
        return;
    case VTS_JOB_EVENT_RETRY:
        retry(step);
        return;
    case VTS_JOB_EVENT_TIME:
        pass_time(step);
        return;
    }
    VTS_UNREACHABLE();
}

enum vts_err vts_job_apply(Vtstatus__Store__V1__JobRecord *record,
                           const struct vts_job_event *event, int64_t now_ns,
                           struct vts_arena *arena, struct vts_job_change *ret_change)
{
    struct step step = {.record = record,
                        .job = record->job,
                        .status = record->job->status,
                        .now_ns = now_ns,
                        .arena = arena};

    VTS_ASSERT(record->tombstone_expire_time == NULL);
    dispatch(&step, event);
    if (step.change.is_visible) {
        step.change.is_changed = true;
        step.status->revision++;
        step.status->update_time = make_time(&step, now_ns);
    }
    if (step.change.is_changed)
        record->version++;
    if (step.err == VTS_OK)
        *ret_change = step.change;
    return step.err;
}

/* ---- questions --------------------------------------------------------------------------- */

int64_t vts_job_due_ns(const Vtstatus__Store__V1__JobRecord *record)
{
    int64_t limit_ns;

    if (record->tombstone_expire_time != NULL)
        return INT64_MAX;
    if (record->not_before_time != NULL)
        return vts_pb_timestamp_ns(record->not_before_time);
    if (!is_attempted(state_of(record)))
        return INT64_MAX;
    limit_ns = find_limit(record).at_ns;
    if (record->held_progress != NULL && progress_due_ns(record) < limit_ns)
        return progress_due_ns(record);
    return limit_ns;
}

bool vts_job_is_leasable(const Vtstatus__Store__V1__JobRecord *record, int64_t now_ns)
{
    return record->tombstone_expire_time == NULL && state_of(record) == VTS_JOB_PENDING &&
           (record->not_before_time == NULL ||
            vts_pb_timestamp_ns(record->not_before_time) <= now_ns);
}

int64_t vts_job_forget_ns(const Vtstatus__Store__V1__JobRecord *record)
{
    if (record->tombstone_expire_time != NULL)
        return vts_pb_timestamp_ns(record->tombstone_expire_time);
    if (record->job->expire_time != NULL)
        return vts_pb_timestamp_ns(record->job->expire_time);
    return INT64_MAX;
}
