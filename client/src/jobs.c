/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.c - the calls of JobService about one job: a request, a call, and the job taken out of the
 * response. Those that make one are in job_create.c. */
#include "client/src/jobs.h"

#include <string.h>

#include "client/src/call_options.h"
#include "client/src/client.h"
#include "client/src/failure.h"
#include "client/src/job.h"
#include "client/src/message.h"
#include "client/src/rpc.h"
#include "vtstatus/v1/job_service.pb-c.h"

static const struct vts_rpc_method get_method = {"/vtstatus.v1.JobService/GetJob",
                                                 &vtstatus__v1__get_job_response__descriptor, true};
static const struct vts_rpc_method cancel_method = {
    "/vtstatus.v1.JobService/CancelJob", &vtstatus__v1__cancel_job_response__descriptor, true};
/* A second time the tag would be an old one, and the call's own success a conflict. */
static const struct vts_rpc_method cancel_if_method = {
    "/vtstatus.v1.JobService/CancelJob", &vtstatus__v1__cancel_job_response__descriptor, false};
static const struct vts_rpc_method retry_method = {
    "/vtstatus.v1.JobService/RetryJob", &vtstatus__v1__retry_job_response__descriptor, false};
static const struct vts_rpc_method delete_method = {
    "/vtstatus.v1.JobService/DeleteJob", &vtstatus__v1__delete_job_response__descriptor, false};

/* ---- calls that answer with a job ------------------------------------------------------------ */

enum vts_client_code vts_jobs_take(struct vts_client *client, ProtobufCMessage *message,
                                   const char *job_id, struct vts_job **ret_job,
                                   struct vts_client_error *error)
{
    struct vts_error why = {.text = ""};
    struct vts_job *job = NULL;
    enum vts_err err = vts_job_adopt((Vtstatus__V1__Job *)message, &job, &why);

    if (err != VTS_OK)
        return vts_rpc_undecodable(client, err, why.text, error);
    if (job_id != NULL && job_id[0] != '\0' && strcmp(vts_job_id(job), job_id) != 0) {
        vts_job_free(job);
        return vts_rpc_undecodable(client, VTS_ERR_PROTOCOL, "it is about another job", error);
    }
    if (ret_job == NULL)
        vts_job_free(job);
    else
        *ret_job = job;
    return VTS_CLIENT_OK;
}

enum vts_client_code vts_jobs_call(struct vts_client *client, const struct vts_rpc_request *request,
                                   struct vts_job **ret_job, struct vts_client_error *error)
{
    ProtobufCMessage *response = NULL;
    enum vts_client_code code = vts_rpc_call(client, request, &response, error);

    if (code == VTS_CLIENT_OK)
        code =
            vts_jobs_take(client, vts_message_detach(response, 0), request->job_id, ret_job, error);
    vts_message_free(response);
    return code;
}

static enum vts_client_code check_job_id(const char *job_id, struct vts_client_error *error)
{
    if (job_id == NULL || job_id[0] == '\0')
        return vts_failure_set(error, VTS_CLIENT_USAGE, "there is no job id");
    return vts_client_check_job_id(job_id, error);
}

/* ---- the others ------------------------------------------------------------------------------ */

/* Of a job by its id. message is of method, and id_field its member for the id. */
static enum vts_client_code call_by_id(struct vts_client *client,
                                       const struct vts_rpc_method *method,
                                       const ProtobufCMessage *message, char **id_field,
                                       const char *job_id, struct vts_job **ret_job,
                                       struct vts_client_error *error)
{
    struct vts_rpc_request request = {.method = method, .message = message, .job_id = job_id};
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = check_job_id(job_id, error);
    if (code != VTS_CLIENT_OK)
        return code;
    *id_field = vts_message_text(job_id);
    return vts_jobs_call(client, &request, ret_job, error);
}

enum vts_client_code vts_get_job(struct vts_client *client, const char *job_id,
                                 struct vts_job **ret_job, struct vts_client_error *error)
{
    Vtstatus__V1__GetJobRequest message = VTSTATUS__V1__GET_JOB_REQUEST__INIT;

    return call_by_id(client, &get_method, &message.base, &message.job_id, job_id, ret_job, error);
}

enum vts_client_code vts_cancel_job(struct vts_client *client, const char *job_id,
                                    const struct vts_decide_options *options,
                                    struct vts_job **ret_job, struct vts_client_error *error)
{
    Vtstatus__V1__CancelJobRequest message = VTSTATUS__V1__CANCEL_JOB_REQUEST__INIT;
    struct vts_decide_options checked;
    enum vts_client_code code = vts_decide_options_read(options, &checked, error);
    bool is_any = checked.etag == NULL;

    if (code != VTS_CLIENT_OK)
        return code;
    message.etag = vts_message_text(checked.etag);
    message.reason = vts_message_text(checked.reason);
    return call_by_id(client, is_any ? &cancel_method : &cancel_if_method, &message.base,
                      &message.job_id, job_id, ret_job, error);
}

enum vts_client_code vts_retry_job(struct vts_client *client, const char *job_id,
                                   const struct vts_decide_options *options,
                                   struct vts_job **ret_job, struct vts_client_error *error)
{
    Vtstatus__V1__RetryJobRequest message = VTSTATUS__V1__RETRY_JOB_REQUEST__INIT;
    struct vts_decide_options checked;
    enum vts_client_code code = vts_decide_options_read(options, &checked, error);

    if (code != VTS_CLIENT_OK)
        return code;
    message.etag = vts_message_text(checked.etag);
    return call_by_id(client, &retry_method, &message.base, &message.job_id, job_id, ret_job,
                      error);
}

enum vts_client_code vts_delete_job(struct vts_client *client, const char *job_id,
                                    const struct vts_decide_options *options,
                                    struct vts_client_error *error)
{
    Vtstatus__V1__DeleteJobRequest message = VTSTATUS__V1__DELETE_JOB_REQUEST__INIT;
    struct vts_rpc_request request = {
        .method = &delete_method, .message = &message.base, .job_id = job_id};
    struct vts_decide_options checked;
    ProtobufCMessage *response = NULL;
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = vts_decide_options_read(options, &checked, error);
    if (code == VTS_CLIENT_OK)
        code = check_job_id(job_id, error);
    if (code != VTS_CLIENT_OK)
        return code;
    message.job_id = vts_message_text(job_id);
    message.etag = vts_message_text(checked.etag);
    code = vts_rpc_call(client, &request, &response, error);
    vts_message_free(response);
    return code;
}
