/* SPDX-License-Identifier: Apache-2.0 */
/* jobs.c - the calls of JobService about one job: a request, a call, and the job taken out of the
 * response. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/src/call_options.h"
#include "client/src/client.h"
#include "client/src/failure.h"
#include "client/src/job.h"
#include "client/src/message.h"
#include "client/src/rpc.h"
#include "common/base/arena.h"
#include "common/base/rng.h"
#include "common/wire/pb_time.h"
#include "vtstatus/v1/job_service.pb-c.h"

enum { MAX_ENTRY_BYTES = 1 << 20 };

/* Repeatable by its request_id. */
static const struct vts_rpc_method create_method = {
    "/vtstatus.v1.JobService/CreateJob", &vtstatus__v1__create_job_response__descriptor, true};
static const struct vts_rpc_method get_method = {"/vtstatus.v1.JobService/GetJob",
                                                 &vtstatus__v1__get_job_response__descriptor, true};
static const struct vts_rpc_method cancel_method = {
    "/vtstatus.v1.JobService/CancelJob", &vtstatus__v1__cancel_job_response__descriptor, true};
static const struct vts_rpc_method retry_method = {
    "/vtstatus.v1.JobService/RetryJob", &vtstatus__v1__retry_job_response__descriptor, false};
static const struct vts_rpc_method delete_method = {
    "/vtstatus.v1.JobService/DeleteJob", &vtstatus__v1__delete_job_response__descriptor, false};

/* ---- calls that answer with a job ------------------------------------------------------------ */

/* job_id: as the request has it; "" when the server chose it. */
static enum vts_client_code take_job(struct vts_client *client, ProtobufCMessage *message,
                                     const char *job_id, struct vts_job **ret_job,
                                     struct vts_client_error *error)
{
    struct vts_error why = {.text = ""};
    struct vts_job *job = NULL;
    enum vts_err err = vts_job_adopt((Vtstatus__V1__Job *)message, &job, &why);

    if (err != VTS_OK)
        return vts_rpc_undecodable(client, err, why.text, error);
    if (job_id[0] != '\0' && strcmp(vts_job_id(job), job_id) != 0) {
        vts_job_free(job);
        return vts_rpc_undecodable(client, VTS_ERR_PROTOCOL, "it is about another job", error);
    }
    if (ret_job == NULL)
        vts_job_free(job);
    else
        *ret_job = job;
    return VTS_CLIENT_OK;
}

static enum vts_client_code call_for_job(struct vts_client *client,
                                         const struct vts_rpc_request *request,
                                         struct vts_job **ret_job, struct vts_client_error *error)
{
    const char *job_id = request->job_id != NULL ? request->job_id : "";
    ProtobufCMessage *response = NULL;
    enum vts_client_code code = vts_rpc_call(client, request, &response, error);

    if (code == VTS_CLIENT_OK)
        code = take_job(client, vts_message_detach(response, 0), job_id, ret_job, error);
    vts_message_free(response);
    return code;
}

static enum vts_client_code check_job_id(const char *job_id, struct vts_client_error *error)
{
    if (job_id == NULL || job_id[0] == '\0')
        return vts_failure_set(error, VTS_CLIENT_USAGE, "there is no job id");
    return vts_client_check_job_id(job_id, error);
}

/* ---- creating -------------------------------------------------------------------------------- */

static void add_options(Vtstatus__V1__TranslationSpec *spec,
                        const struct vts_create_options *options, struct vts_arena *arena)
{
    size_t count = options->options_count;
    Vtstatus__V1__TranslationSpec__OptionsEntry *entries =
        vts_arena_alloc(arena, count * sizeof(*entries));

    spec->options = vts_arena_alloc(arena, count * sizeof(void *));
    if (entries == NULL || spec->options == NULL)
        return; /* the arena knows */
    spec->n_options = count;
    for (size_t i = 0; i < count; i++) {
        vtstatus__v1__translation_spec__options_entry__init(&entries[i]);
        entries[i].key = vts_message_text(options->options[i].key);
        entries[i].value = vts_message_text(options->options[i].value);
        spec->options[i] = &entries[i];
    }
}

static void add_labels(Vtstatus__V1__CreateJobRequest *request,
                       const struct vts_create_options *options, struct vts_arena *arena)
{
    size_t count = options->labels_count;
    Vtstatus__V1__CreateJobRequest__LabelsEntry *entries =
        vts_arena_alloc(arena, count * sizeof(*entries));

    request->labels = vts_arena_alloc(arena, count * sizeof(void *));
    if (entries == NULL || request->labels == NULL)
        return; /* the arena knows */
    request->n_labels = count;
    for (size_t i = 0; i < count; i++) {
        vtstatus__v1__create_job_request__labels_entry__init(&entries[i]);
        entries[i].key = vts_message_text(options->labels[i].key);
        entries[i].value = vts_message_text(options->labels[i].value);
        request->labels[i] = &entries[i];
    }
}

/* 128 bits in 32 hexadecimal digits: nobody's else within the 24 hours that a server remembers. */
static void make_request_id(char *text, size_t size)
{
    (void)snprintf(text, size, "%016" PRIx64 "%016" PRIx64, vts_rng_seed_from_system(),
                   vts_rng_seed_from_system());
}

static enum vts_client_code call_create(struct vts_client *client,
                                        const struct vts_create_options *options,
                                        struct vts_arena *arena, struct vts_job **ret_job,
                                        struct vts_client_error *error)
{
    Vtstatus__V1__CreateJobRequest message = VTSTATUS__V1__CREATE_JOB_REQUEST__INIT;
    Vtstatus__V1__TranslationSpec spec = VTSTATUS__V1__TRANSLATION_SPEC__INIT;
    Google__Protobuf__Timestamp start_time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Duration timeout = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Protobuf__Duration ttl = GOOGLE__PROTOBUF__DURATION__INIT;
    struct vts_rpc_request request = {
        .method = &create_method, .message = &message.base, .job_id = options->job_id};
    char request_id[40];

    make_request_id(request_id, sizeof(request_id));
    vts_pb_timestamp_set(&start_time, options->start_time_ns);
    vts_message_set_duration(&timeout, options->timeout);
    vts_message_set_duration(&ttl, options->ttl);
    spec.source_uri = vts_message_text(options->source_uri);
    spec.source_language = vts_message_text(options->source_language);
    spec.target_language = vts_message_text(options->target_language);
    add_options(&spec, options, arena);
    message.job_id = vts_message_text(options->job_id);
    message.spec = &spec;
    add_labels(&message, options, arena);
    message.queue = vts_message_text(options->queue);
    message.priority = options->priority;
    message.start_time = options->start_time_ns != 0 ? &start_time : NULL;
    message.max_attempts = options->max_attempts;
    message.timeout = options->timeout > 0 ? &timeout : NULL;
    message.ttl = options->ttl > 0 ? &ttl : NULL;
    message.request_id =
        options->request_id != NULL ? vts_message_text(options->request_id) : request_id;
    if (vts_arena_check(arena) == VTS_ERR_LIMIT)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "there are too many labels and options");
    if (vts_arena_check(arena) != VTS_OK)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    return call_for_job(client, &request, ret_job, error);
}

enum vts_client_code vts_create_job(struct vts_client *client,
                                    const struct vts_create_options *options,
                                    struct vts_job **ret_job, struct vts_client_error *error)
{
    struct vts_create_options checked;
    struct vts_client_error own;
    struct vts_arena arena;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = vts_create_options_read(options, &checked, error);
    if (code == VTS_CLIENT_OK)
        code = vts_client_check_job_id(checked.job_id, error);
    if (code != VTS_CLIENT_OK)
        return code;
    vts_arena_init(&arena, MAX_ENTRY_BYTES);
    code = call_create(client, &checked, &arena, ret_job, error);
    vts_arena_fini(&arena);
    return code;
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
    return call_for_job(client, &request, ret_job, error);
}

enum vts_client_code vts_get_job(struct vts_client *client, const char *job_id,
                                 struct vts_job **ret_job, struct vts_client_error *error)
{
    Vtstatus__V1__GetJobRequest message = VTSTATUS__V1__GET_JOB_REQUEST__INIT;

    return call_by_id(client, &get_method, &message.base, &message.job_id, job_id, ret_job, error);
}

enum vts_client_code vts_cancel_job(struct vts_client *client, const char *job_id,
                                    const char *reason, struct vts_job **ret_job,
                                    struct vts_client_error *error)
{
    Vtstatus__V1__CancelJobRequest message = VTSTATUS__V1__CANCEL_JOB_REQUEST__INIT;

    message.reason = vts_message_text(reason);
    return call_by_id(client, &cancel_method, &message.base, &message.job_id, job_id, ret_job,
                      error);
}

enum vts_client_code vts_retry_job(struct vts_client *client, const char *job_id,
                                   struct vts_job **ret_job, struct vts_client_error *error)
{
    Vtstatus__V1__RetryJobRequest message = VTSTATUS__V1__RETRY_JOB_REQUEST__INIT;

    return call_by_id(client, &retry_method, &message.base, &message.job_id, job_id, ret_job,
                      error);
}

enum vts_client_code vts_delete_job(struct vts_client *client, const char *job_id,
                                    struct vts_client_error *error)
{
    Vtstatus__V1__DeleteJobRequest message = VTSTATUS__V1__DELETE_JOB_REQUEST__INIT;
    struct vts_rpc_request request = {
        .method = &delete_method, .message = &message.base, .job_id = job_id};
    ProtobufCMessage *response = NULL;
    struct vts_client_error own;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    code = check_job_id(job_id, error);
    if (code != VTS_CLIENT_OK)
        return code;
    message.job_id = vts_message_text(job_id);
    code = vts_rpc_call(client, &request, &response, error);
    vts_message_free(response);
    return code;
}
