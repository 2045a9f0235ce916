/* SPDX-License-Identifier: Apache-2.0 */
/* job_model.c - the picture in job_machine.h as a few numbers. */
#include "tests/unit/server/jobs/job_model.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/wire/pb_time.h"

static int64_t later(int64_t at_ns, int64_t by_ns)
{
    return by_ns > INT64_MAX - at_ns ? INT64_MAX : at_ns + by_ns;
}

void job_model_init(struct job_model *model, const Vtstatus__V1__CreateJobRequest *request)
{
    *model = (struct job_model){
        .state = VTS_JOB_PENDING,
        .max_attempts = request->max_attempts,
        .timeout_ns = request->timeout == NULL ? INT64_MAX : vts_pb_duration_ns(request->timeout),
        .ready_ns = request->start_time == NULL ? 0 : vts_pb_timestamp_ns(request->start_time),
    };
}

static int64_t attempt_end_ns(const struct job_model *model)
{
    int64_t end_ns = model->lease_end_ns;

    if (model->timeout_end_ns < end_ns)
        end_ns = model->timeout_end_ns;
    return model->grace_end_ns < end_ns ? model->grace_end_ns : end_ns;
}

static bool is_under_way(const struct job_model *model)
{
    return model->state == VTS_JOB_RUNNING || model->state == VTS_JOB_CANCELLING;
}

static bool holds(const struct job_model *model, const char *token, int64_t now_ns)
{
    return is_under_way(model) && now_ns < attempt_end_ns(model) && token != NULL &&
           strcmp(token, model->token) == 0;
}

static bool is_end(const struct vts_job_event *event)
{
    return event->kind == VTS_JOB_EVENT_COMPLETE || event->kind == VTS_JOB_EVENT_FAIL ||
           event->kind == VTS_JOB_EVENT_RELEASE;
}

static void keep_end(struct job_model *model, const struct vts_job_event *event)
{
    model->has_end = true;
    model->end = *event;
    google__rpc__status__init(&model->end_error); /* no error is one that says nothing */
    (void)snprintf(model->end_token, sizeof(model->end_token), "%s", event->token);
    if (event->error != NULL)
        model->end_error = *event->error;
}

static bool is_same_error(const struct job_model *model, const struct vts_job_event *event)
{
    int32_t code = event->error == NULL ? 0 : event->error->code;
    const char *message = event->error == NULL ? "" : event->error->message;

    return code == model->end_error.code && strcmp(message, model->end_error.message) == 0;
}

static bool is_end_again(const struct job_model *model, const struct vts_job_event *event)
{
    if (!model->has_end || event->kind != model->end.kind || event->token == NULL ||
        strcmp(event->token, model->end_token) != 0)
        return false;
    if (event->kind == VTS_JOB_EVENT_COMPLETE)
        return strcmp(event->output_uri, model->end.output_uri) == 0;
    return event->kind == VTS_JOB_EVENT_RELEASE ||
           (event->is_retryable == model->end.is_retryable &&
            event->retry_delay_ns == model->end.retry_delay_ns && is_same_error(model, event));
}

static void lease(struct job_model *model, const struct vts_job_event *event, int64_t now_ns)
{
    model->state = VTS_JOB_RUNNING;
    model->attempt++;
    model->percent = 0;
    (void)snprintf(model->token, sizeof(model->token), "%s", event->token);
    model->duration_ns = event->lease_duration_ns;
    model->lease_end_ns = later(now_ns, event->lease_duration_ns);
    model->timeout_end_ns = later(now_ns, model->timeout_ns);
    model->grace_end_ns = INT64_MAX;
    model->has_end = false;
}

static void heartbeat(struct job_model *model, const struct vts_job_event *event, int64_t now_ns)
{
    float percent = event->progress == NULL ? 0 : event->progress->percent;

    model->lease_end_ns = later(now_ns, event->lease_duration_ns != 0 ? event->lease_duration_ns
                                                                      : model->duration_ns);
    if (percent > model->percent)
        model->percent = percent > 100 ? 100 : percent;
}

static void end(struct job_model *model, bool is_final, int64_t ready_ns)
{
    if (model->state == VTS_JOB_CANCELLING)
        model->state = VTS_JOB_CANCELLED;
    else if (is_final || model->attempt == model->max_attempts)
        model->state = VTS_JOB_FAILED;
    else
        model->state = VTS_JOB_PENDING;
    model->ready_ns = ready_ns;
}

static void fail(struct job_model *model, const struct vts_job_event *event, int64_t now_ns)
{
    int64_t delay_ns = event->retry_delay_ns;

    if (delay_ns < 0)
        delay_ns = (model->attempt >= 10 ? 300 : INT64_C(1) << (model->attempt - 1)) * VTS_NS_PER_S;
    end(model, !event->is_retryable, later(now_ns, delay_ns));
}

static void release(struct job_model *model)
{
    if (model->state == VTS_JOB_CANCELLING) {
        model->state = VTS_JOB_CANCELLED;
        return;
    }
    model->state = VTS_JOB_PENDING;
    model->attempt--;
    model->ready_ns = 0;
}

static enum vts_job_refusal cancel(struct job_model *model, int64_t now_ns)
{
    if (model->state == VTS_JOB_SUCCEEDED || model->state == VTS_JOB_FAILED)
        return VTS_JOB_REFUSAL_DONE;
    if (model->state == VTS_JOB_PENDING) {
        model->state = VTS_JOB_CANCELLED;
    } else if (model->state == VTS_JOB_RUNNING) {
        model->state = VTS_JOB_CANCELLING;
        model->grace_end_ns = later(now_ns, (int64_t)30 * VTS_NS_PER_S);
    }
    return VTS_JOB_REFUSAL_NONE;
}

static enum vts_job_refusal retry(struct job_model *model)
{
    if (model->state != VTS_JOB_FAILED && model->state != VTS_JOB_CANCELLED)
        return VTS_JOB_REFUSAL_NOT_RETRYABLE;
    model->state = VTS_JOB_PENDING;
    model->has_end = false;
    model->attempt = 0;
    model->ready_ns = 0;
    return VTS_JOB_REFUSAL_NONE;
}

enum vts_job_refusal job_model_apply(struct job_model *model, const struct vts_job_event *event,
                                     int64_t now_ns)
{
    bool is_held = holds(model, event->token, now_ns);
    bool is_again = !is_held && is_end_again(model, event);

    if (is_held && is_end(event))
        keep_end(model, event);
    switch (event->kind) {
    case VTS_JOB_EVENT_LEASE:
        if (model->state != VTS_JOB_PENDING || now_ns < model->ready_ns)
            return VTS_JOB_REFUSAL_NOT_LEASABLE;
        lease(model, event, now_ns);
        return VTS_JOB_REFUSAL_NONE;
    case VTS_JOB_EVENT_HEARTBEAT:
        if (is_held)
            heartbeat(model, event, now_ns);
        break;
    case VTS_JOB_EVENT_COMPLETE:
        if (is_held)
            model->state = VTS_JOB_SUCCEEDED;
        break;
    case VTS_JOB_EVENT_FAIL:
        if (is_held)
            fail(model, event, now_ns);
        break;
    case VTS_JOB_EVENT_RELEASE:
        if (is_held)
            release(model);
        break;
    case VTS_JOB_EVENT_CANCEL:
        return cancel(model, now_ns);
    case VTS_JOB_EVENT_RETRY:
        return retry(model);
    case VTS_JOB_EVENT_TIME:
        if (is_under_way(model) && now_ns >= attempt_end_ns(model))
            end(model, model->timeout_end_ns <= model->lease_end_ns, 0);
        return VTS_JOB_REFUSAL_NONE;
    }
    return is_held || is_again ? VTS_JOB_REFUSAL_NONE : VTS_JOB_REFUSAL_LEASE_LOST;
}
