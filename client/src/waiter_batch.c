/* SPDX-License-Identifier: Apache-2.0 */
/* waiter_batch.c - one request about the jobs of a group that are due together. */
#include <string.h>

#include "client/src/failure.h"
#include "client/src/message.h"
#include "client/src/rpc.h"
#include "client/src/rpc_error.h"
#include "client/src/status.h"
#include "client/src/waiter_ask.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/rpc_code.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum {
    MAX_REQUEST_BYTES = 1 << 20,
    MAX_BATCH_BYTES = 4 << 20,
    MAX_BATCH_MEMORY_BYTES = 6 * MAX_BATCH_BYTES,
};

static const char codec_type[] = "application/proto";

static void take_result(struct vts_waiter_ask *ask, Vtstatus__V1__StatusResult *result)
{
    const struct vts_client *client = ask->group->waiter->client;
    struct vts_waiter_job *job = vts_waiter_find(ask->group->waiter, result->job_id);
    struct vts_client_error error = {.http_code = 200};
    struct vts_status *status = NULL;
    Vtstatus__V1__JobStatus *message;

    if (job == NULL || job->group != ask->group)
        return;
    if (result->result_case == VTSTATUS__V1__STATUS_RESULT__RESULT_ERROR &&
        result->error->code == VTS_RPC_NOT_FOUND) {
        error.rpc_code = VTS_RPC_NOT_FOUND;
        (void)vts_failure_set(&error, VTS_CLIENT_NOT_FOUND, "%s knows no job '%s'",
                              client->origin.text, job->id);
        vts_waiter_give_up(job, &error);
    } else if (result->result_case == VTSTATUS__V1__STATUS_RESULT__RESULT_STATUS) {
        message = result->status;
        result->status = NULL;
        result->result_case = VTSTATUS__V1__STATUS_RESULT__RESULT__NOT_SET;
        if (vts_status_adopt(message, &status, NULL) == VTS_OK &&
            strcmp(vts_status_job_id(status), job->id) == 0)
            (void)vts_waiter_take(job, status, VTS_WAIT_POLL); /* news or not, it is asked again */
        vts_status_free(status);
    }
}

static enum vts_client_code read_batch(struct vts_waiter_ask *ask, const struct vts_answer *answer,
                                       struct vts_client_error *error)
{
    const struct vts_client *client = ask->group->waiter->client;
    size_t memory_bytes = MAX_BATCH_MEMORY_BYTES;
    struct vts_error reason = {.text = "it is of another type"};
    ProtobufCMessage *message = NULL;
    Vtstatus__V1__BatchGetStatusResponse *response;
    struct vts_error_body body;
    bool has_body;
    enum vts_err err = VTS_ERR_PROTOCOL;

    if (answer->http_code != 200) {
        has_body = vts_error_json_read(vts_buf_str(&answer->body), &body) == VTS_OK;
        return vts_rpc_error_tell(&client->origin, NULL, answer->http_code, has_body ? &body : NULL,
                                  error);
    }
    if (strcmp(answer->content_type, codec_type) == 0)
        err = vts_message_decode(vts_buf_str(&answer->body),
                                 &vtstatus__v1__batch_get_status_response__descriptor,
                                 &memory_bytes, &message, &reason);
    if (err != VTS_OK)
        return vts_rpc_undecodable(client, err, reason.text, error);
    response = (Vtstatus__V1__BatchGetStatusResponse *)message;
    for (size_t i = 0; i < response->n_results; i++)
        take_result(ask, response->results[i]);
    vts_message_free(message);
    return VTS_CLIENT_OK;
}

static void on_batch_done(enum vts_client_code code, const struct vts_answer *answer,
                          struct vts_client_error *error, void *context)
{
    struct vts_waiter_ask *ask = context;
    struct vts_waiter_group *group = ask->group;

    vts_ask_detach(group->waiter, ask);
    if (code == VTS_CLIENT_OK)
        code = read_batch(ask, answer, error);
    if (code == VTS_CLIENT_OK) {
        vts_waiter_succeed(group);
        if (vts_ladder_worked(&group->ladder, VTS_WAIT_POLL, vts_clock_now_ns()))
            vts_waiter_note_climb(group);
        if (!group->is_sifting)
            vts_ask_reschedule(ask);
    } else {
        vts_ask_note_failure(ask, error, answer->retry_after);
    }
    if (code == VTS_CLIENT_OK)
        vts_ask_end_sifting(group);
    vts_mem_free(ask);
}

/* Those of the group that are due by then. */
static void gather(struct vts_waiter_ask *ask, int64_t due_ns)
{
    struct vts_waiter_group *group = ask->group;

    for (struct vts_list *at = group->jobs.next; at != &group->jobs; at = at->next) {
        struct vts_waiter_job *job = VTS_CONTAINER_OF(at, struct vts_waiter_job, member);

        if (job->due.place != 0 && job->due.due_ns <= due_ns)
            vts_ask_add_job(ask, job);
    }
}

static enum vts_client_code send(struct vts_waiter_ask *ask,
                                 const Vtstatus__V1__BatchGetStatusRequest *message,
                                 struct vts_client_error *error)
{
    struct vts_waiter *waiter = ask->group->waiter;
    struct vts_request post = {.path = "/vtstatus.v1.StatusService/BatchGetStatus",
                               .content_type = codec_type,
                               .tells_timeout = true};
    enum vts_client_code code = VTS_CLIENT_NO_MEMORY;
    struct vts_buf body;

    vts_buf_init(&body, MAX_REQUEST_BYTES);
    vts_message_encode(&body, &message->base);
    if (vts_buf_check(&body) == VTS_OK) {
        post.body = vts_buf_str(&body);
        post.timeout = vts_ask_bound_timeout(waiter, waiter->client->request_timeout);
        code = vts_waiter_send(waiter, &post, &message->base, MAX_BATCH_BYTES, on_batch_done, ask,
                               &ask->transfer, error);
    }
    vts_buf_fini(&body);
    return code;
}

void vts_ask_many(struct vts_waiter_group *group, int64_t due_ns)
{
    struct vts_waiter *waiter = group->waiter;
    struct vts_waiter_ask *ask = vts_ask_new(group, group->jobs_count);
    struct vts_client_error error = {VTS_CLIENT_NO_MEMORY, .text = "out of memory"};
    Vtstatus__V1__BatchGetStatusRequest message = VTSTATUS__V1__BATCH_GET_STATUS_REQUEST__INIT;
    enum vts_client_code code = VTS_CLIENT_NO_MEMORY;

    if (ask == NULL) {
        vts_waiter_end(waiter, &error);
        return;
    }
    ask->is_batch = true;
    gather(ask, due_ns);
    message.job_ids = vts_mem_alloc(ask->jobs_count * sizeof(char *));
    if (message.job_ids != NULL) {
        for (size_t i = 0; i < ask->jobs_count; i++)
            message.job_ids[message.n_job_ids++] = ask->jobs[i]->id;
        code = send(ask, &message, &error);
    }
    vts_mem_free((void *)message.job_ids);
    if (code != VTS_CLIENT_OK)
        vts_ask_fail_to_start(waiter, ask, code, &error);
}
