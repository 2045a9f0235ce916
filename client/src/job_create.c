/* SPDX-License-Identifier: Apache-2.0 */
/* job_create.c - the calls of JobService that make jobs, one or many.
 *
 * Each request has an id of its own, the caller's or a random one, so that the server knows it when
 * it comes again: that is why these calls may be tried again.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "client/src/call_options.h"
#include "client/src/failure.h"
#include "client/src/job.h"
#include "client/src/jobs.h"
#include "client/src/message.h"
#include "client/src/rpc_error.h"
#include "common/base/arena.h"
#include "common/base/rng.h"
#include "common/wire/pb_time.h"
#include "vtstatus/v1/job_service.pb-c.h"

/* In memory, for a request of at most 1 MiB. */
enum { MAX_REQUEST_BYTES = 16 << 20 };

static const struct vts_rpc_method create_method = {
    "/vtstatus.v1.JobService/CreateJob", &vtstatus__v1__create_job_response__descriptor, true};
static const struct vts_rpc_method create_many_method = {
    "/vtstatus.v1.JobService/CreateJobs", &vtstatus__v1__create_jobs_response__descriptor, true};

/* A request with all it points at. */
struct request {
    Vtstatus__V1__CreateJobRequest message;
    Vtstatus__V1__TranslationSpec spec;
    Google__Protobuf__Timestamp start_time;
    Google__Protobuf__Duration timeout;
    Google__Protobuf__Duration ttl;
    char request_id[40];
};

/* ---- requests -------------------------------------------------------------------------------- */

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

static void fill_message(struct request *request, const struct vts_create_options *options)
{
    Vtstatus__V1__CreateJobRequest *message = &request->message;

    vtstatus__v1__create_job_request__init(message);
    message->job_id = vts_message_text(options->job_id);
    message->spec = &request->spec;
    message->queue = vts_message_text(options->queue);
    message->priority = options->priority;
    message->start_time = options->start_time_ns != 0 ? &request->start_time : NULL;
    message->max_attempts = options->max_attempts;
    message->timeout = options->timeout > 0 ? &request->timeout : NULL;
    message->ttl = options->ttl > 0 ? &request->ttl : NULL;
    message->request_id =
        options->request_id != NULL ? vts_message_text(options->request_id) : request->request_id;
}

/* The request borrows the strings of the options, and lies in the arena, which knows when there was
 * no room for all of it; NULL when there was none at all. */
static struct request *make_request(const struct vts_create_options *options,
                                    struct vts_arena *arena)
{
    struct request *request = vts_arena_alloc(arena, sizeof(*request));

    if (request == NULL)
        return NULL;
    google__protobuf__timestamp__init(&request->start_time);
    google__protobuf__duration__init(&request->timeout);
    google__protobuf__duration__init(&request->ttl);
    vts_pb_timestamp_set(&request->start_time, options->start_time_ns);
    vts_message_set_duration(&request->timeout, options->timeout);
    vts_message_set_duration(&request->ttl, options->ttl);
    make_request_id(request->request_id, sizeof(request->request_id));
    vtstatus__v1__translation_spec__init(&request->spec);
    request->spec.source_uri = vts_message_text(options->source_uri);
    request->spec.source_language = vts_message_text(options->source_language);
    request->spec.target_language = vts_message_text(options->target_language);
    add_options(&request->spec, options, arena);
    fill_message(request, options);
    add_labels(&request->message, options, arena);
    return request;
}

static enum vts_client_code check_arena(const struct vts_arena *arena,
                                        struct vts_client_error *error)
{
    if (vts_arena_check(arena) == VTS_ERR_LIMIT)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "there are too many labels and options");
    if (vts_arena_check(arena) != VTS_OK)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    return VTS_CLIENT_OK;
}

static enum vts_client_code read_options(const struct vts_create_options *options,
                                         struct vts_create_options *ret_options,
                                         struct vts_client_error *error)
{
    enum vts_client_code code = vts_create_options_read(options, ret_options, error);

    return code == VTS_CLIENT_OK ? vts_client_check_job_id(ret_options->job_id, error) : code;
}

/* ---- one job --------------------------------------------------------------------------------- */

static enum vts_client_code call_create(struct vts_client *client,
                                        const struct vts_create_options *options,
                                        struct vts_arena *arena, struct vts_job **ret_job,
                                        struct vts_client_error *error)
{
    const struct request *made = make_request(options, arena);
    enum vts_client_code code = check_arena(arena, error);
    struct vts_rpc_request request = {.method = &create_method, .job_id = options->job_id};

    if (code != VTS_CLIENT_OK)
        return code;
    request.message = &made->message.base;
    return vts_jobs_call(client, &request, ret_job, error);
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
    code = read_options(options, &checked, error);
    if (code != VTS_CLIENT_OK)
        return code;
    vts_arena_init(&arena, MAX_REQUEST_BYTES);
    code = call_create(client, &checked, &arena, ret_job, error);
    vts_arena_fini(&arena);
    return code;
}

/* ---- many jobs ------------------------------------------------------------------------------- */

/* One call for many, and where its outcomes go. */
struct many {
    struct vts_client *client;
    const struct vts_create_options *const *options;
    size_t count;
    struct vts_job **jobs;
    struct vts_client_error *errors; /* NULL: they are not wanted */
};

static enum vts_client_code make_requests(const struct many *many, struct vts_arena *arena,
                                          Vtstatus__V1__CreateJobsRequest *ret_message,
                                          struct vts_client_error *error)
{
    ret_message->requests = vts_arena_alloc(arena, many->count * sizeof(void *));
    for (size_t i = 0; i < many->count && ret_message->requests != NULL; i++) {
        struct vts_create_options checked;
        struct request *request;
        enum vts_client_code code = read_options(many->options[i], &checked, error);

        if (code != VTS_CLIENT_OK) {
            struct vts_client_error why = *error;

            return vts_failure_set(error, code, "job %zu: %.400s", i + 1, why.text);
        }
        request = make_request(&checked, arena);
        if (request == NULL)
            break;
        ret_message->requests[i] = &request->message;
        ret_message->n_requests = i + 1;
    }
    return check_arena(arena, error);
}

/* The server's words for one job that it did not make. */
static void tell_refusal(const struct many *many, const Google__Rpc__Status *status,
                         const char *job_id, struct vts_client_error *ret_error)
{
    struct vts_error_body body;

    vts_failure_clear(ret_error);
    vts_error_body_of(status, &body);
    (void)vts_rpc_error_tell(&many->client->origin, job_id, 0, &body, ret_error);
}

static enum vts_client_code take_result(const struct many *many, size_t i,
                                        Vtstatus__V1__CreateJobResult *result,
                                        struct vts_client_error *error)
{
    struct vts_client_error none;
    struct vts_client_error *own = many->errors != NULL ? &many->errors[i] : &none;
    ProtobufCMessage *message;

    switch (result->result_case) {
    case VTSTATUS__V1__CREATE_JOB_RESULT__RESULT_JOB:
        message = &result->job->base;
        result->job = NULL; /* it is adopted */
        vts_failure_clear(own);
        return vts_jobs_take(many->client, message, many->options[i]->job_id, &many->jobs[i],
                             error);
    case VTSTATUS__V1__CREATE_JOB_RESULT__RESULT_ERROR:
        tell_refusal(many, result->error, many->options[i]->job_id, own);
        return VTS_CLIENT_OK;
    default:
        return vts_rpc_undecodable(many->client, VTS_ERR_PROTOCOL, "a job in it has no outcome",
                                   error);
    }
}

static enum vts_client_code take_results(const struct many *many,
                                         const Vtstatus__V1__CreateJobsResponse *response,
                                         struct vts_client_error *error)
{
    enum vts_client_code code = VTS_CLIENT_OK;

    if (response->n_results != many->count)
        return vts_rpc_undecodable(many->client, VTS_ERR_PROTOCOL, "it is about other jobs", error);
    for (size_t i = 0; i < many->count && code == VTS_CLIENT_OK; i++)
        code = take_result(many, i, response->results[i], error);
    return code;
}

static enum vts_client_code call_create_many(const struct many *many, struct vts_arena *arena,
                                             struct vts_client_error *error)
{
    Vtstatus__V1__CreateJobsRequest message = VTSTATUS__V1__CREATE_JOBS_REQUEST__INIT;
    const struct vts_rpc_request request = {.method = &create_many_method,
                                            .message = &message.base};
    ProtobufCMessage *response = NULL;
    enum vts_client_code code = make_requests(many, arena, &message, error);

    if (code == VTS_CLIENT_OK)
        code = vts_rpc_call(many->client, &request, &response, error);
    if (code == VTS_CLIENT_OK)
        code = take_results(many, (const Vtstatus__V1__CreateJobsResponse *)response, error);
    vts_message_free(response);
    return code;
}

enum vts_client_code vts_create_jobs(struct vts_client *client,
                                     const struct vts_create_options *const *options, size_t count,
                                     struct vts_job **ret_jobs, struct vts_client_error *ret_errors,
                                     struct vts_client_error *error)
{
    const struct many many = {client, options, count, ret_jobs, ret_errors};
    struct vts_client_error own;
    struct vts_arena arena;
    enum vts_client_code code;

    error = error != NULL ? error : &own;
    vts_failure_clear(error);
    if (count < 1 || count > VTS_CREATE_MAX_JOBS)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "there must be 1 to %d jobs",
                               VTS_CREATE_MAX_JOBS);
    if (options == NULL)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "jobs are counted, but not there");
    for (size_t i = 0; i < count; i++)
        ret_jobs[i] = NULL;
    vts_arena_init(&arena, MAX_REQUEST_BYTES);
    code = call_create_many(&many, &arena, error);
    vts_arena_fini(&arena);
    for (size_t i = 0; i < count && code != VTS_CLIENT_OK; i++) {
        vts_job_free(ret_jobs[i]);
        ret_jobs[i] = NULL;
    }
    return code;
}
