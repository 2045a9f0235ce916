/* SPDX-License-Identifier: Apache-2.0 */
/* worker_service.c - vtstatus.v1.WorkerService.
 *
 * Two methods may be held: LeaseJob until there is work, HeartbeatJob until the job is to be
 * cancelled. When the server stops, a heartbeat is answered as things are, and a worker without
 * work is sent elsewhere.
 */
#include "server/service/worker_service.h"

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"
#include "server/service/job_checks.h"
#include "server/service/job_message.h"

enum { REQUEST_MAX_BYTES = 16 * 1024, FAIL_MAX_BYTES = 32 * 1024 };

static const int64_t lease_default_ns = INT64_C(60) * VTS_NS_PER_S;

static int64_t duration_or(const Google__Protobuf__Duration *duration, int64_t otherwise_ns)
{
    return duration == NULL ? otherwise_ns : vts_pb_duration_ns(duration);
}

/* ---- LeaseJob -------------------------------------------------------------------------- */

static void answer_lease(struct vts_call *call, struct vts_keeper_command *command)
{
    static const struct vts_job_fault stopping = {.error = VTS_JOB_ERROR_SERVER_STOPPING};
    struct vts_keeper_port *port = vts_call_context(call);
    Vtstatus__V1__LeaseJobResponse response = VTSTATUS__V1__LEASE_JOB_RESPONSE__INIT;
    Vtstatus__V1__Lease lease = VTSTATUS__V1__LEASE__INIT;

    if (command->record != NULL) {
        lease.token = command->record->lease_token;
        lease.job = command->record->job;
        lease.expire_time = command->record->lease_expire_time;
        vts_job_message_complete(call, port->board, lease.job, &command->arena);
        response.lease = &lease;
    } else if (vts_keeper_call_is_drained(command)) {
        vts_job_fault_fail(call, &stopping);
        return;
    }
    if (!vts_keeper_call_answer(call, &response.base))
        vts_keeper_call_give_back(port, command);
}

static void lease_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__LeaseJobRequest *request = (const Vtstatus__V1__LeaseJobRequest *)message;
    const Vtstatus__V1__LeaseJobRequest *copy;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_lease(request, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, NULL, &violation);
        return;
    }
    command = vts_keeper_call_new(call, VTS_KEEPER_LEASE, answer_lease);
    if (command == NULL)
        return;
    copy = vts_pb_arena_copy(&command->arena, message);
    if (copy != NULL) {
        command->lease.worker_id = copy->worker_id;
        command->lease.queues = copy->queues;
        command->lease.queues_count = copy->n_queues;
        command->lease.labels = copy->labels;
        command->lease.labels_count = copy->n_labels;
        command->lease.duration_ns = duration_or(copy->lease_duration, lease_default_ns);
    }
    vts_keeper_call_hold(call, command, duration_or(request->wait_timeout, 0));
}

/* ---- reports --------------------------------------------------------------------------- */

/* An event of the lease's holder. NULL: the call is over. */
static struct vts_keeper_command *begin_report(struct vts_call *call, enum vts_job_event_kind kind,
                                               const char *job_id, const char *token,
                                               vts_keeper_answer_fn answer)
{
    struct vts_keeper_command *command = vts_keeper_call_new(call, VTS_KEEPER_EVENT, answer);

    if (command == NULL)
        return NULL;
    command->job_id = vts_keeper_call_copy(command, job_id);
    command->event.kind = kind;
    command->event.token = vts_keeper_call_copy(command, token);
    return command;
}

static void answer_heartbeat(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__HeartbeatJobResponse response = VTSTATUS__V1__HEARTBEAT_JOB_RESPONSE__INIT;

    response.cancel_requested = command->is_cancel_requested;
    response.expire_time = command->record->lease_expire_time;
    (void)vts_keeper_call_answer(call, &response.base); /* whether or not, the call is over */
}

static void heartbeat_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__HeartbeatJobRequest *request =
        (const Vtstatus__V1__HeartbeatJobRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_heartbeat(request, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, request->job_id, &violation);
        return;
    }
    command = begin_report(call, VTS_JOB_EVENT_HEARTBEAT, request->job_id, request->token,
                           answer_heartbeat);
    if (command == NULL)
        return;
    if (request->progress != NULL)
        command->event.progress = vts_pb_arena_copy(&command->arena, &request->progress->base);
    command->event.lease_duration_ns = duration_or(request->lease_duration, 0);
    vts_keeper_call_hold(call, command, duration_or(request->wait_timeout, 0));
}

/* ---- ends ------------------------------------------------------------------------------ */

/* The status as a reader gets it; when to ask again is not for the worker. */
static Vtstatus__V1__JobStatus *status_of(const struct vts_keeper_command *command)
{
    return command->record->job->status;
}

static void answer_complete(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__CompleteJobResponse response = VTSTATUS__V1__COMPLETE_JOB_RESPONSE__INIT;

    response.status = status_of(command);
    (void)vts_keeper_call_answer(call, &response.base); /* whether or not, the call is over */
}

static void complete_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__CompleteJobRequest *request =
        (const Vtstatus__V1__CompleteJobRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_complete(request, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, request->job_id, &violation);
        return;
    }
    command = begin_report(call, VTS_JOB_EVENT_COMPLETE, request->job_id, request->token,
                           answer_complete);
    if (command == NULL)
        return;
    command->event.output_uri = vts_keeper_call_copy(command, request->output_uri);
    vts_keeper_call_submit(call, command);
}

static void answer_fail(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__FailJobResponse response = VTSTATUS__V1__FAIL_JOB_RESPONSE__INIT;

    response.status = status_of(command);
    (void)vts_keeper_call_answer(call, &response.base); /* whether or not, the call is over */
}

static void fail_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__FailJobRequest *request = (const Vtstatus__V1__FailJobRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_fail(request, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, request->job_id, &violation);
        return;
    }
    command = begin_report(call, VTS_JOB_EVENT_FAIL, request->job_id, request->token, answer_fail);
    if (command == NULL)
        return;
    if (request->error != NULL)
        command->event.error = vts_pb_arena_copy(&command->arena, &request->error->base);
    command->event.is_retryable = request->retryable;
    command->event.retry_delay_ns = duration_or(request->retry_delay, -1);
    vts_keeper_call_submit(call, command);
}

static void answer_release(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__ReleaseJobResponse response = VTSTATUS__V1__RELEASE_JOB_RESPONSE__INIT;

    response.status = status_of(command);
    (void)vts_keeper_call_answer(call, &response.base); /* whether or not, the call is over */
}

static void release_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__ReleaseJobRequest *request =
        (const Vtstatus__V1__ReleaseJobRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_holder(request->job_id, request->token, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, request->job_id, &violation);
        return;
    }
    command =
        begin_report(call, VTS_JOB_EVENT_RELEASE, request->job_id, request->token, answer_release);
    if (command != NULL)
        vts_keeper_call_submit(call, command);
}

/* ---- the service ----------------------------------------------------------------------- */

static const struct vts_call_handler lease_job_handler = {.on_message = lease_job,
                                                          .on_end = vts_keeper_call_on_end,
                                                          .on_drain = vts_keeper_call_on_drain};
static const struct vts_call_handler heartbeat_job_handler = {.on_message = heartbeat_job,
                                                              .on_end = vts_keeper_call_on_end,
                                                              .on_drain = vts_keeper_call_on_drain};
static const struct vts_call_handler complete_job_handler = {.on_message = complete_job};
static const struct vts_call_handler fail_job_handler = {.on_message = fail_job};
static const struct vts_call_handler release_job_handler = {.on_message = release_job};

static const struct vts_method_row methods[] = {
    {"LeaseJob", REQUEST_MAX_BYTES, &lease_job_handler},
    {"HeartbeatJob", REQUEST_MAX_BYTES, &heartbeat_job_handler},
    {"CompleteJob", REQUEST_MAX_BYTES, &complete_job_handler},
    {"FailJob", FAIL_MAX_BYTES, &fail_job_handler},
    {"ReleaseJob", REQUEST_MAX_BYTES, &release_job_handler},
};

struct vts_service_row vts_worker_service_row(struct vts_keeper_port *port)
{
    return (struct vts_service_row){.descriptor = &vtstatus__v1__worker_service__descriptor,
                                    .methods = methods,
                                    .methods_count = VTS_ARRAY_LEN(methods),
                                    .context = port,
                                    .is_guarded = true};
}
