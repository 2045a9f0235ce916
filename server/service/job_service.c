/* SPDX-License-Identifier: Apache-2.0 */
/* job_service.c - vtstatus.v1.JobService, and the paths of REST that lead to it.
 *
 * Each method is a command to the keeper: the request is checked and copied, and the answer is the
 * job as the keeper has it then. An entity tag is a job's revision, so it names the job and its
 * status alike.
 */
#include "server/service/job_service.h"

#include "common/base/macros.h"
#include "common/wire/pb_arena.h"
#include "server/service/job_batch.h"
#include "server/service/job_checks.h"
#include "server/service/job_message.h"

enum {
    ONE_JOB_MAX_BYTES = 8 * 1024,
    CREATE_MAX_BYTES = 256 * 1024,
    LIST_MAX_BYTES = 32 * 1024,
    /* Of CreateJobs, whose contract is 1000 requests with all their fields, in 1 MiB. */
    CREATE_MANY_FACTOR = 20,
};

static struct vts_board *board_of(const struct vts_call *call)
{
    const struct vts_keeper_port *port = vts_call_context(call);

    return port->board;
}

/* The command's job, ready to be told. */
static Vtstatus__V1__Job *take_job(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__Job *job = command->record->job;

    vts_job_message_complete(call, board_of(call), job, &command->arena);
    return job;
}

/* Answers, unless the client has the job as it is already. */
static void answer_job(struct vts_call *call, const Vtstatus__V1__Job *job,
                       const ProtobufCMessage *message)
{
    char etag[VTS_JOB_ETAG_BYTES];

    if (!vts_call_is_current(call, vts_job_message_etag(job, etag)))
        (void)vts_keeper_call_answer(call, message); /* whether or not, the call is over */
}

/* ---- CreateJob ------------------------------------------------------------------------- */

static void answer_create(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__CreateJobResponse response = VTSTATUS__V1__CREATE_JOB_RESPONSE__INIT;

    response.job = take_job(call, command);
    vts_job_message_hint(call, response.job, command->was_there ? 200 : 0, true);
    answer_job(call, response.job, &response.base);
}

static void create_job(struct vts_call *call, const ProtobufCMessage *request)
{
    struct vts_keeper_command *command =
        vts_keeper_call_new(call, VTS_KEEPER_CREATE, answer_create);

    if (command == NULL)
        return;
    command->create = vts_pb_arena_copy(&command->arena, request);
    vts_keeper_call_submit(call, command);
}

/* ---- GetJob, ListJobs ------------------------------------------------------------------ */

static void answer_get(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__GetJobResponse response = VTSTATUS__V1__GET_JOB_RESPONSE__INIT;

    response.job = take_job(call, command);
    vts_job_message_hint(call, response.job, 0, false);
    answer_job(call, response.job, &response.base);
}

static void get_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__GetJobRequest *request = (const Vtstatus__V1__GetJobRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_job(request->job_id, "", &violation) != VTS_OK) {
        vts_job_fault_refuse(call, request->job_id, &violation);
        return;
    }
    command = vts_keeper_call_new(call, VTS_KEEPER_GET, answer_get);
    if (command == NULL)
        return;
    command->job_id = vts_keeper_call_copy(command, request->job_id);
    vts_keeper_call_submit(call, command);
}

static void answer_list(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__ListJobsResponse response = VTSTATUS__V1__LIST_JOBS_RESPONSE__INIT;

    response.jobs = command->jobs;
    response.n_jobs = command->jobs_count;
    response.next_page_token = (char *)(uintptr_t)command->next_page_token;
    for (size_t i = 0; i < response.n_jobs; i++)
        vts_job_message_complete(call, board_of(call), response.jobs[i], &command->arena);
    (void)vts_keeper_call_answer(call, &response.base); /* whether or not, the call is over */
}

static void list_jobs(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__ListJobsRequest *request = (const Vtstatus__V1__ListJobsRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_list(request, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, NULL, &violation);
        return;
    }
    command = vts_keeper_call_new(call, VTS_KEEPER_LIST, answer_list);
    if (command == NULL)
        return;
    command->list = vts_pb_arena_copy(&command->arena, message);
    vts_keeper_call_submit(call, command);
}

/* ---- CancelJob, RetryJob, DeleteJob ---------------------------------------------------- */

/* A command on one job, provided that its entity tag fits. NULL: the call is over. */
static struct vts_keeper_command *begin_change(struct vts_call *call,
                                               enum vts_keeper_command_kind kind,
                                               const char *job_id, const char *etag,
                                               vts_keeper_answer_fn answer)
{
    struct vts_keeper_command *command = vts_keeper_call_new(call, kind, answer);

    if (command == NULL)
        return NULL;
    command->job_id = vts_keeper_call_copy(command, job_id);
    command->etag = vts_keeper_call_copy(command, etag);
    return command;
}

/* What is being cancelled is not yet done. */
static void answer_cancel(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__CancelJobResponse response = VTSTATUS__V1__CANCEL_JOB_RESPONSE__INIT;

    response.job = take_job(call, command);
    vts_job_message_hint(call, response.job, response.job->status->done ? 200 : 202, false);
    answer_job(call, response.job, &response.base);
}

static void cancel_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__CancelJobRequest *request = (const Vtstatus__V1__CancelJobRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_cancel(request, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, request->job_id, &violation);
        return;
    }
    command = begin_change(call, VTS_KEEPER_EVENT, request->job_id, request->etag, answer_cancel);
    if (command == NULL)
        return;
    command->event.kind = VTS_JOB_EVENT_CANCEL;
    command->event.reason = vts_keeper_call_copy(command, request->reason);
    vts_keeper_call_submit(call, command);
}

static void answer_retry(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__RetryJobResponse response = VTSTATUS__V1__RETRY_JOB_RESPONSE__INIT;

    response.job = take_job(call, command);
    vts_job_message_hint(call, response.job, 0, false);
    answer_job(call, response.job, &response.base);
}

static void retry_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__RetryJobRequest *request = (const Vtstatus__V1__RetryJobRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_job(request->job_id, request->etag, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, request->job_id, &violation);
        return;
    }
    command = begin_change(call, VTS_KEEPER_EVENT, request->job_id, request->etag, answer_retry);
    if (command == NULL)
        return;
    command->event.kind = VTS_JOB_EVENT_RETRY;
    vts_keeper_call_submit(call, command);
}

static void answer_delete(struct vts_call *call, struct vts_keeper_command *command)
{
    Vtstatus__V1__DeleteJobResponse response = VTSTATUS__V1__DELETE_JOB_RESPONSE__INIT;

    (void)command;
    (void)vts_keeper_call_answer(call, &response.base); /* whether or not, the call is over */
}

static void delete_job(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__DeleteJobRequest *request = (const Vtstatus__V1__DeleteJobRequest *)message;
    struct vts_job_violation violation;
    struct vts_keeper_command *command;

    if (vts_check_job(request->job_id, request->etag, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, request->job_id, &violation);
        return;
    }
    command = begin_change(call, VTS_KEEPER_DELETE, request->job_id, request->etag, answer_delete);
    if (command != NULL)
        vts_keeper_call_submit(call, command);
}

/* ---- the service ----------------------------------------------------------------------- */

static const struct vts_call_handler create_job_handler = {.on_message = create_job};
static const struct vts_call_handler create_jobs_handler = {.on_message = vts_job_batch_create,
                                                            .elements_factor = CREATE_MANY_FACTOR};
static const struct vts_call_handler get_job_handler = {.on_message = get_job};
static const struct vts_call_handler list_jobs_handler = {.on_message = list_jobs};
static const struct vts_call_handler cancel_job_handler = {.on_message = cancel_job};
static const struct vts_call_handler retry_job_handler = {.on_message = retry_job};
static const struct vts_call_handler delete_job_handler = {.on_message = delete_job};

static const struct vts_method_row methods[] = {
    {"CreateJob", CREATE_MAX_BYTES, &create_job_handler},
    {"CreateJobs", 0, &create_jobs_handler},
    {"GetJob", ONE_JOB_MAX_BYTES, &get_job_handler},
    {"ListJobs", LIST_MAX_BYTES, &list_jobs_handler},
    {"CancelJob", ONE_JOB_MAX_BYTES, &cancel_job_handler},
    {"RetryJob", ONE_JOB_MAX_BYTES, &retry_job_handler},
    {"DeleteJob", ONE_JOB_MAX_BYTES, &delete_job_handler},
};

static const struct vts_rest_row rest[] = {
    {VTS_METHOD_POST, 201, "/v1/jobs", "CreateJob", "spec", NULL, "job", true},
    {VTS_METHOD_GET, 0, "/v1/jobs", "ListJobs", NULL, NULL, NULL, false},
    {VTS_METHOD_GET, 0, "/v1/jobs/{job_id}", "GetJob", NULL, NULL, "job", false},
    {VTS_METHOD_DELETE, 204, "/v1/jobs/{job_id}", "DeleteJob", NULL, "etag", NULL, false},
    {VTS_METHOD_POST, 0, "/v1/jobs/{job_id}:cancel", "CancelJob", NULL, "etag", "job", true},
    {VTS_METHOD_POST, 0, "/v1/jobs/{job_id}:retry", "RetryJob", NULL, "etag", "job", true},
};

struct vts_service_row vts_job_service_row(struct vts_keeper_port *port)
{
    return (struct vts_service_row){.descriptor = &vtstatus__v1__job_service__descriptor,
                                    .methods = methods,
                                    .methods_count = VTS_ARRAY_LEN(methods),
                                    .rest = rest,
                                    .rest_count = VTS_ARRAY_LEN(rest),
                                    .context = port,
                                    .is_guarded = true};
}
