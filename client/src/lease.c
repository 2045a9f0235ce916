/* SPDX-License-Identifier: Apache-2.0 */
/* lease.c - the calls of WorkerService.
 *
 * Reports carry the lease's token, which makes them safe to send twice: the one that ended the
 * lease is answered again as it was, and once the job has gone on the token is nobody's. Only
 * leasing itself is not.
 */
#include <string.h>

#include "client/src/call_options.h"
#include "client/src/client.h"
#include "client/src/failure.h"
#include "client/src/job.h"
#include "client/src/message.h"
#include "client/src/rpc.h"
#include "client/src/status.h"
#include "common/base/mem.h"
#include "vtstatus/v1/worker_service.pb-c.h"

enum { MAX_FILTER_BYTES = 1 << 20 };

static const struct vts_rpc_method lease_method = {
    "/vtstatus.v1.WorkerService/LeaseJob", &vtstatus__v1__lease_job_response__descriptor, false};
static const struct vts_rpc_method heartbeat_method = {
    "/vtstatus.v1.WorkerService/HeartbeatJob", &vtstatus__v1__heartbeat_job_response__descriptor,
    true};
static const struct vts_rpc_method complete_method = {
    "/vtstatus.v1.WorkerService/CompleteJob", &vtstatus__v1__complete_job_response__descriptor,
    true};
static const struct vts_rpc_method fail_method = {
    "/vtstatus.v1.WorkerService/FailJob", &vtstatus__v1__fail_job_response__descriptor, true};
static const struct vts_rpc_method release_method = {
    "/vtstatus.v1.WorkerService/ReleaseJob", &vtstatus__v1__release_job_response__descriptor, true};

struct vts_lease {
    Vtstatus__V1__Lease *message; /* without its job */
    struct vts_job *job;
};

/* ---- a lease --------------------------------------------------------------------------------- */

static enum vts_err fill(struct vts_lease *lease, struct vts_error *error)
{
    ProtobufCMessage *job = vts_message_detach(&lease->message->base, 1);
    enum vts_err err = vts_job_adopt((Vtstatus__V1__Job *)job, &lease->job, error);

    if (err != VTS_OK)
        return err;
    if (lease->message->token[0] == '\0')
        return vts_error_set(error, VTS_ERR_PROTOCOL, "a lease in it has no token");
    if (!vts_message_time_is_valid(lease->message->expire_time))
        return vts_error_set(error, VTS_ERR_PROTOCOL, "a time is out of range");
    return VTS_OK;
}

/* Adopts the message, of which NULL is VTS_OK with no lease. */
static enum vts_err adopt_lease(Vtstatus__V1__Lease *message, struct vts_lease **ret_lease,
                                struct vts_error *error)
{
    struct vts_lease *lease;
    enum vts_err err;

    if (message == NULL) {
        *ret_lease = NULL;
        return VTS_OK;
    }
    lease = vts_mem_zalloc(sizeof(*lease));
    if (lease == NULL) {
        vts_message_free(&message->base);
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    }
    lease->message = message;
    err = fill(lease, error);
    if (err != VTS_OK)
        vts_lease_free(lease);
    else
        *ret_lease = lease;
    return err;
}

void vts_lease_free(struct vts_lease *lease)
{
    if (lease == NULL)
        return;
    vts_job_free(lease->job);
    vts_message_free(&lease->message->base);
    vts_mem_free(lease);
}

const struct vts_job *vts_lease_its_job(const struct vts_lease *lease)
{
    return lease->job;
}

const char *vts_lease_token(const struct vts_lease *lease)
{
    return lease->message->token;
}

int64_t vts_lease_expire_time_ns(const struct vts_lease *lease)
{
    return vts_message_time_ns(lease->message->expire_time);
}

/* ---- leasing --------------------------------------------------------------------------------- */

static char **copy_queues(const struct vts_lease_options *options, struct vts_arena *arena)
{
    char **queues = vts_arena_alloc(arena, options->queues_count * sizeof(*queues));

    for (size_t i = 0; queues != NULL && i < options->queues_count; i++)
        queues[i] = vts_message_text(options->queues[i]);
    return queues;
}

static enum vts_client_code call_lease(struct vts_client *client,
                                       const struct vts_lease_options *options,
                                       struct vts_arena *arena, struct vts_lease **ret_lease,
                                       struct vts_client_error *error)
{
    Vtstatus__V1__LeaseJobRequest message = VTSTATUS__V1__LEASE_JOB_REQUEST__INIT;
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Protobuf__Duration wait = GOOGLE__PROTOBUF__DURATION__INIT;
    struct vts_rpc_request request = {
        .method = &lease_method, .message = &message.base, .wait = options->wait};
    struct vts_error why = {.text = ""};
    ProtobufCMessage *response = NULL;
    enum vts_client_code code;
    enum vts_err err;

    vts_message_set_duration(&duration, options->duration);
    vts_message_set_duration(&wait, options->wait);
    message.worker_id = vts_message_text(options->worker_id);
    message.n_queues = options->queues_count;
    message.queues = copy_queues(options, arena);
    message.n_labels = options->labels_count;
    message.labels = vts_message_filters(options->labels, options->labels_count, arena);
    message.lease_duration = &duration;
    message.wait_timeout = options->wait > 0 ? &wait : NULL;
    if (vts_arena_check(arena) != VTS_OK)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "there is no room for the filter");
    code = vts_rpc_call(client, &request, &response, error);
    if (code != VTS_CLIENT_OK)
        return code;
    err = adopt_lease((Vtstatus__V1__Lease *)vts_message_detach(response, 0), ret_lease, &why);
    vts_message_free(response);
    return err == VTS_OK ? code : vts_rpc_undecodable(client, err, why.text, error);
}

enum vts_client_code vts_lease_job(struct vts_client *client,
                                   const struct vts_lease_options *options,
                                   struct vts_lease **ret_lease, struct vts_client_error *error)
{
    struct vts_lease_options checked;
    struct vts_client_error own;
    struct vts_arena arena;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = vts_lease_options_read(options, &checked, error);
    if (code != VTS_CLIENT_OK)
        return code;
    vts_arena_init(&arena, MAX_FILTER_BYTES);
    code = call_lease(client, &checked, &arena, ret_lease, error);
    vts_arena_fini(&arena);
    return code;
}

/* ---- heartbeats ------------------------------------------------------------------------------ */

static enum vts_client_code call_heartbeat(struct vts_client *client, const struct vts_lease *lease,
                                           const Vtstatus__V1__Progress *progress, double wait,
                                           bool *ret_is_cancel_requested,
                                           struct vts_client_error *error)
{
    Vtstatus__V1__HeartbeatJobRequest message = VTSTATUS__V1__HEARTBEAT_JOB_REQUEST__INIT;
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    struct vts_rpc_request request = {.method = &heartbeat_method,
                                      .message = &message.base,
                                      .job_id = vts_job_id(lease->job),
                                      .wait = wait};
    ProtobufCMessage *response = NULL;
    enum vts_client_code code;

    vts_message_set_duration(&duration, wait);
    message.job_id = vts_message_text(request.job_id);
    message.token = lease->message->token;
    message.progress = (Vtstatus__V1__Progress *)progress; /* only read */
    message.wait_timeout = wait > 0 ? &duration : NULL;
    code = vts_rpc_call(client, &request, &response, error);
    if (code == VTS_CLIENT_OK)
        *ret_is_cancel_requested =
            ((const Vtstatus__V1__HeartbeatJobResponse *)response)->cancel_requested != 0;
    vts_message_free(response);
    return code;
}

enum vts_client_code vts_heartbeat_job(struct vts_client *client, const struct vts_lease *lease,
                                       const struct vts_progress *progress, double wait,
                                       bool *ret_is_cancel_requested,
                                       struct vts_client_error *error)
{
    Vtstatus__V1__Progress message = VTSTATUS__V1__PROGRESS__INIT;
    struct vts_progress checked;
    struct vts_client_error own;
    enum vts_client_code code = VTS_CLIENT_OK;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    if (!(wait >= 0 && wait <= 300))
        return vts_failure_set(error, VTS_CLIENT_USAGE, "wait must be from 0 to 300 s");
    if (progress == NULL)
        return call_heartbeat(client, lease, NULL, wait, ret_is_cancel_requested, error);
    code = vts_progress_read(progress, &checked, error);
    if (code != VTS_CLIENT_OK)
        return code;
    message.percent = (float)checked.percent;
    message.phase = vts_message_text(checked.phase);
    message.phase_index = checked.phase_index;
    message.phase_count = checked.phase_count;
    message.message = vts_message_text(checked.message);
    return call_heartbeat(client, lease, &message, wait, ret_is_cancel_requested, error);
}

/* ---- ends ------------------------------------------------------------------------------------ */

/* The response's first field is the status. */
static enum vts_client_code call_for_status(struct vts_client *client,
                                            const struct vts_rpc_request *request,
                                            struct vts_status **ret_status,
                                            struct vts_client_error *error)
{
    ProtobufCMessage *response = NULL;
    struct vts_status *status = NULL;
    struct vts_error why = {.text = ""};
    enum vts_client_code code = vts_rpc_call(client, request, &response, error);
    enum vts_err err;

    if (code != VTS_CLIENT_OK)
        return code;
    err =
        vts_status_adopt((Vtstatus__V1__JobStatus *)vts_message_detach(response, 0), &status, &why);
    vts_message_free(response);
    if (err != VTS_OK)
        return vts_rpc_undecodable(client, err, why.text, error);
    if (ret_status != NULL)
        *ret_status = status;
    else
        vts_status_free(status);
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_complete_job(struct vts_client *client, const struct vts_lease *lease,
                                      const char *output_uri, struct vts_status **ret_status,
                                      struct vts_client_error *error)
{
    Vtstatus__V1__CompleteJobRequest message = VTSTATUS__V1__COMPLETE_JOB_REQUEST__INIT;
    struct vts_rpc_request request = {
        .method = &complete_method, .message = &message.base, .job_id = vts_job_id(lease->job)};
    struct vts_client_error own;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    message.job_id = vts_message_text(request.job_id);
    message.token = lease->message->token;
    message.output_uri = vts_message_text(output_uri);
    return call_for_status(client, &request, ret_status, error);
}

enum vts_client_code vts_fail_job(struct vts_client *client, const struct vts_lease *lease,
                                  const struct vts_fail_options *options,
                                  struct vts_status **ret_status, struct vts_client_error *error)
{
    Vtstatus__V1__FailJobRequest message = VTSTATUS__V1__FAIL_JOB_REQUEST__INIT;
    Google__Rpc__Status failure = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    struct vts_rpc_request request = {
        .method = &fail_method, .message = &message.base, .job_id = vts_job_id(lease->job)};
    struct vts_fail_options checked;
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = vts_fail_options_read(options, &checked, error);
    if (code != VTS_CLIENT_OK)
        return code;
    failure.code = checked.code;
    failure.message = vts_message_text(checked.message);
    vts_message_set_duration(&delay, checked.retry_delay > 0 ? checked.retry_delay : 0);
    message.job_id = vts_message_text(request.job_id);
    message.token = lease->message->token;
    message.error = &failure;
    message.retryable = checked.is_retryable;
    message.retry_delay = checked.retry_delay >= 0 ? &delay : NULL;
    return call_for_status(client, &request, ret_status, error);
}

enum vts_client_code vts_release_job(struct vts_client *client, const struct vts_lease *lease,
                                     struct vts_status **ret_status, struct vts_client_error *error)
{
    Vtstatus__V1__ReleaseJobRequest message = VTSTATUS__V1__RELEASE_JOB_REQUEST__INIT;
    struct vts_rpc_request request = {
        .method = &release_method, .message = &message.base, .job_id = vts_job_id(lease->job)};
    struct vts_client_error own;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    message.job_id = vts_message_text(request.job_id);
    message.token = lease->message->token;
    return call_for_status(client, &request, ret_status, error);
}
