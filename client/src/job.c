/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - a job: checked once, then immutable.
 *
 * Its status is taken out of the message and becomes a struct vts_status of its own, so that users
 * may keep that one alone.
 */
#include "client/src/job.h"

#include <stdio.h>

#include "client/src/message.h"
#include "client/src/status.h"
#include "common/base/mem.h"
#include "common/wire/descriptors.h"
#include "descriptor_set.h"

enum { MAX_ETAG_BYTES = 24 };

struct vts_job {
    Vtstatus__V1__Job *message; /* without its status */
    struct vts_status *status;
    struct vts_pair *labels;
    struct vts_pair *options;
    struct vts_attempt *attempts;
    char etag[MAX_ETAG_BYTES];
};

/* ---- checks ---------------------------------------------------------------------------------- */

static bool has_valid_times(const Vtstatus__V1__Job *message)
{
    for (size_t i = 0; i < message->n_attempts; i++)
        if (!vts_message_time_is_valid(message->attempts[i]->start_time) ||
            !vts_message_time_is_valid(message->attempts[i]->end_time))
            return false;
    return vts_message_time_is_valid(message->create_time) &&
           vts_message_time_is_valid(message->start_time) &&
           vts_message_time_is_valid(message->end_time) &&
           vts_message_time_is_valid(message->expire_time) &&
           vts_message_duration_is_valid(message->timeout);
}

static enum vts_err check_message(const Vtstatus__V1__Job *message, struct vts_error *error)
{
    if (message->id[0] == '\0')
        return vts_error_set(error, VTS_ERR_PROTOCOL, "a job in it has no id");
    if (!has_valid_times(message))
        return vts_error_set(error, VTS_ERR_PROTOCOL, "a time is out of range");
    return VTS_OK;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

static void copy_labels(struct vts_job *job)
{
    const Vtstatus__V1__Job *message = job->message;

    for (size_t i = 0; i < message->n_labels; i++)
        job->labels[i] = (struct vts_pair){message->labels[i]->key, message->labels[i]->value};
}

static void copy_options(struct vts_job *job)
{
    const Vtstatus__V1__TranslationSpec *spec = job->message->spec;

    for (size_t i = 0; i < spec->n_options; i++)
        job->options[i] = (struct vts_pair){spec->options[i]->key, spec->options[i]->value};
}

static void copy_attempts(struct vts_job *job)
{
    for (size_t i = 0; i < job->message->n_attempts; i++) {
        const Vtstatus__V1__Attempt *attempt = job->message->attempts[i];
        const Google__Rpc__Status *failure = attempt->error;

        job->attempts[i] = (struct vts_attempt){
            .number = attempt->number,
            .worker_id = attempt->worker_id,
            .start_time_ns = vts_message_time_ns(attempt->start_time),
            .end_time_ns = vts_message_time_ns(attempt->end_time),
            .error_code = failure == NULL ? 0 : failure->code,
            .error_message = failure == NULL ? "" : failure->message,
        };
    }
}

static bool copy_lists(struct vts_job *job)
{
    job->labels = vts_mem_alloc(vts_job_label_count(job) * sizeof(*job->labels));
    job->options = vts_mem_alloc(vts_job_option_count(job) * sizeof(*job->options));
    job->attempts = vts_mem_alloc(vts_job_attempt_count(job) * sizeof(*job->attempts));
    if (job->labels == NULL || job->options == NULL || job->attempts == NULL)
        return false;
    copy_labels(job);
    if (job->message->spec != NULL)
        copy_options(job);
    copy_attempts(job);
    return true;
}

static enum vts_err fill(struct vts_job *job, struct vts_error *error)
{
    Vtstatus__V1__JobStatus *status = job->message->status;
    enum vts_err err = check_message(job->message, error);

    if (err != VTS_OK)
        return err;
    job->message->status = NULL; /* moves on */
    err = vts_status_adopt(status, &job->status, error);
    if (err != VTS_OK)
        return err;
    (void)snprintf(job->etag, sizeof(job->etag), "\"r%llu\"",
                   (unsigned long long)vts_status_revision(job->status));
    return copy_lists(job) ? VTS_OK : vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
}

enum vts_err vts_job_adopt(Vtstatus__V1__Job *message, struct vts_job **ret_job,
                           struct vts_error *error)
{
    struct vts_job *job;
    enum vts_err err;

    if (message == NULL)
        return vts_error_set(error, VTS_ERR_PROTOCOL, "there is no job in it");
    job = vts_mem_zalloc(sizeof(*job));
    if (job == NULL) {
        vts_message_free(&message->base);
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    }
    job->message = message;
    err = fill(job, error);
    if (err != VTS_OK)
        vts_job_free(job);
    else
        *ret_job = job;
    return err;
}

void vts_job_free(struct vts_job *job)
{
    if (job == NULL)
        return;
    vts_mem_free(job->labels);
    vts_mem_free(job->options);
    vts_mem_free(job->attempts);
    vts_status_free(job->status);
    vts_message_free(&job->message->base);
    vts_mem_free(job);
}

/* ---- reading --------------------------------------------------------------------------------- */

const char *vts_job_etag(const struct vts_job *job)
{
    return job->etag;
}

const char *vts_job_id(const struct vts_job *job)
{
    return job->message->id;
}

const struct vts_status *vts_job_status(const struct vts_job *job)
{
    return job->status;
}

const char *vts_job_source_uri(const struct vts_job *job)
{
    return job->message->spec == NULL ? "" : job->message->spec->source_uri;
}

const char *vts_job_source_language(const struct vts_job *job)
{
    return job->message->spec == NULL ? "" : job->message->spec->source_language;
}

const char *vts_job_target_language(const struct vts_job *job)
{
    return job->message->spec == NULL ? "" : job->message->spec->target_language;
}

const char *vts_job_queue(const struct vts_job *job)
{
    return job->message->queue;
}

int vts_job_priority(const struct vts_job *job)
{
    return job->message->priority;
}

int vts_job_max_attempts(const struct vts_job *job)
{
    return job->message->max_attempts;
}

double vts_job_timeout(const struct vts_job *job)
{
    return vts_message_duration_s(job->message->timeout);
}

int64_t vts_job_create_time_ns(const struct vts_job *job)
{
    return vts_message_time_ns(job->message->create_time);
}

int64_t vts_job_start_time_ns(const struct vts_job *job)
{
    return vts_message_time_ns(job->message->start_time);
}

int64_t vts_job_end_time_ns(const struct vts_job *job)
{
    return vts_message_time_ns(job->message->end_time);
}

int64_t vts_job_expire_time_ns(const struct vts_job *job)
{
    return vts_message_time_ns(job->message->expire_time);
}

size_t vts_job_label_count(const struct vts_job *job)
{
    return job->message->n_labels;
}

size_t vts_job_option_count(const struct vts_job *job)
{
    return job->message->spec == NULL ? 0 : job->message->spec->n_options;
}

size_t vts_job_attempt_count(const struct vts_job *job)
{
    return job->message->n_attempts;
}

const struct vts_pair *vts_job_label(const struct vts_job *job, size_t index)
{
    return index < vts_job_label_count(job) ? &job->labels[index] : NULL;
}

const struct vts_pair *vts_job_option(const struct vts_job *job, size_t index)
{
    return index < vts_job_option_count(job) ? &job->options[index] : NULL;
}

const struct vts_attempt *vts_job_attempt(const struct vts_job *job, size_t index)
{
    return index < vts_job_attempt_count(job) ? &job->attempts[index] : NULL;
}

enum vts_client_code vts_job_to_json(const struct vts_job *job, char **ret_json)
{
    struct vts_str set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len);
    Vtstatus__V1__Job whole = *job->message;
    struct vts_descriptors *descriptors = NULL;
    struct vts_json_types types = {.descriptors = NULL};
    enum vts_client_code code;

    /* It alone tells a map from a list of entries. */
    if (vts_descriptors_new(set, &descriptors) != VTS_OK)
        return VTS_CLIENT_NO_MEMORY;
    types.descriptors = descriptors;
    /* Only read: what is const to readers is what it points at. */
    whole.status = (Vtstatus__V1__JobStatus *)vts_status_borrow_message(job->status);
    code = vts_message_to_json(&whole.base, &types, ret_json);
    vts_descriptors_free(descriptors);
    return code;
}
