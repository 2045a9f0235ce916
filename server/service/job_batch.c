/* SPDX-License-Identifier: Apache-2.0 */
/* job_batch.c - as many commands as there are jobs, and one answer when the last of them is done.
 *
 * The keeper commits them together, as far as they wait together. Whoever takes the count of those
 * that are due to nothing has the batch: mostly the keeper's thread, which sends it to the call's
 * loop. It is freed there, whether or not the call is still there.
 */
#include "server/service/job_batch.h"

#include <stdatomic.h>

#include "common/base/mem.h"
#include "common/wire/pb_arena.h"
#include "server/service/job_message.h"

enum { BATCH_MAX = 1000, ARENA_MAX_BYTES = 32 * 1024 * 1024 };

static const struct vts_job_fault no_memory = {.error = VTS_JOB_ERROR_OUT_OF_MEMORY};
static const struct vts_job_violation too_many = {"requests", "must be at most 1000"};

struct item {
    struct batch *batch;
    struct vts_keeper_command *command; /* answered; NULL when it could not be submitted */
    enum vts_job_error error;           /* in that case */
};

struct batch {
    struct vts_keeper_reply reply;
    struct vts_keeper_port *port;
    struct vts_arena arena; /* the request, and its answer */
    _Atomic size_t due;     /* commands that are not done, and one while they are submitted */
    size_t count;
    struct item items[];
};

static void batch_free(struct batch *batch)
{
    if (batch == NULL)
        return;
    for (size_t i = 0; i < batch->count; i++)
        vts_keeper_command_free(batch->items[i].command);
    vts_arena_fini(&batch->arena);
    vts_mem_free(batch);
}

/* Whether that was the last. */
static bool take_one(struct batch *batch)
{
    return atomic_fetch_sub_explicit(&batch->due, 1, memory_order_acq_rel) == 1;
}

/* ---- the answer ------------------------------------------------------------------------ */

/* NULL without memory. */
static Vtstatus__V1__CreateJobResult *make_error(struct vts_call *call, struct batch *batch,
                                                 const struct vts_job_fault *fault)
{
    Vtstatus__V1__CreateJobResult *result =
        vts_pb_arena_new(&batch->arena, &vtstatus__v1__create_job_result__descriptor);

    vts_job_error_count(call, fault->error);
    if (result == NULL)
        return NULL;
    result->error = vts_job_fault_make(fault, &batch->arena);
    result->result_case = VTSTATUS__V1__CREATE_JOB_RESULT__RESULT_ERROR;
    return result->error == NULL ? NULL : result;
}

static Vtstatus__V1__CreateJobResult *make_result(struct vts_call *call, struct batch *batch,
                                                  const struct item *item)
{
    struct vts_keeper_command *command = item->command;
    Vtstatus__V1__CreateJobResult *result;
    struct vts_job_fault fault = {.error = item->error};

    if (command != NULL && command->refusal != VTS_KEEPER_OK)
        fault = vts_job_fault_of(command);
    if (command == NULL || command->refusal != VTS_KEEPER_OK)
        return make_error(call, batch, &fault);
    result = vts_pb_arena_new(&batch->arena, &vtstatus__v1__create_job_result__descriptor);
    if (result == NULL)
        return NULL;
    vts_job_message_complete(call, batch->port->board, command->record->job, &batch->arena);
    result->job = command->record->job;
    result->result_case = VTSTATUS__V1__CREATE_JOB_RESULT__RESULT_JOB;
    return result;
}

/* All commands are done. */
static void answer(struct vts_call *call, struct batch *batch)
{
    Vtstatus__V1__CreateJobsResponse response = VTSTATUS__V1__CREATE_JOBS_RESPONSE__INIT;

    response.results =
        vts_arena_alloc(&batch->arena, batch->count * sizeof(Vtstatus__V1__CreateJobResult *));
    for (size_t i = 0; i < batch->count && response.results != NULL; i++) {
        response.results[i] = make_result(call, batch, &batch->items[i]);
        response.n_results = i + 1;
    }
    if (vts_arena_check(&batch->arena) == VTS_OK)
        (void)vts_keeper_call_answer(call, &response.base); /* whether or not, the call is over */
    else
        vts_job_fault_fail(call, &no_memory);
}

static void deliver(struct vts_call *call, struct vts_keeper_reply *reply)
{
    struct batch *batch = VTS_CONTAINER_OF(reply, struct batch, reply);

    if (call != NULL)
        answer(call, batch);
    batch_free(batch);
}

/* ---- the commands ---------------------------------------------------------------------- */

/* In the keeper's thread. */
static void on_done(struct vts_keeper_command *command, void *context)
{
    struct item *item = context;
    struct batch *batch = item->batch;

    item->command = command;
    if (take_one(batch))
        vts_keeper_port_send(batch->port, &batch->reply);
}

static void submit_one(struct batch *batch, struct item *item,
                       const Vtstatus__V1__CreateJobRequest *request)
{
    struct vts_keeper_command *command = NULL;
    enum vts_err err = vts_keeper_command_new(VTS_KEEPER_CREATE, on_done, item, &command);

    if (err == VTS_OK) {
        command->create = request;
        err = vts_keeper_port_submit(batch->port, command);
    }
    if (err == VTS_OK)
        return;
    vts_keeper_command_free(command);
    item->error = vts_keeper_port_error(err);
    (void)take_one(batch); /* the one of the submitting is left */
}

/* NULL without memory. */
static struct batch *batch_new(struct vts_call *call, size_t count)
{
    struct batch *batch = vts_mem_zalloc(sizeof(*batch) + count * sizeof(batch->items[0]));

    if (batch == NULL)
        return NULL;
    batch->port = vts_call_context(call);
    batch->reply.deliver = deliver;
    batch->count = count;
    atomic_init(&batch->due, count + 1);
    vts_list_init(&batch->reply.link);
    vts_arena_init(&batch->arena, ARENA_MAX_BYTES);
    for (size_t i = 0; i < count; i++)
        batch->items[i].batch = batch;
    return batch;
}

void vts_job_batch_create(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__CreateJobsRequest *request =
        (const Vtstatus__V1__CreateJobsRequest *)message;
    const Vtstatus__V1__CreateJobsRequest *copy = NULL;
    struct batch *batch = NULL;

    if (request->n_requests > BATCH_MAX) {
        vts_job_fault_refuse(call, NULL, &too_many);
        return;
    }
    batch = batch_new(call, request->n_requests);
    if (batch != NULL && vts_call_make_ref(call, &batch->reply.ref) == VTS_OK)
        copy = vts_pb_arena_copy(&batch->arena, message);
    if (copy == NULL) {
        batch_free(batch);
        vts_job_fault_fail(call, &no_memory);
        return;
    }
    for (size_t i = 0; i < copy->n_requests; i++)
        submit_one(batch, &batch->items[i], copy->requests[i]);
    if (take_one(batch))
        deliver(call, &batch->reply);
}
