/* SPDX-License-Identifier: Apache-2.0 */
/* job_checks.c - looks at each field of a request in turn, and names the first that will not do.
 *
 * What passes goes into records as it is, so every text and list has its maximum here.
 */
#include "server/service/job_checks.h"

#include <math.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/wire/pb_time.h"
#include "common/wire/rpc_code.h"
#include "server/jobs/job.h"

static const int64_t lease_least_ns = VTS_NS_PER_S;
static const int64_t lease_most_ns = INT64_C(3600) * VTS_NS_PER_S;

static const char prose_text[] =
    "must be at most 1024 bytes without control characters other than line ends and tabs";

static const char label_text[] =
    "must be KEY=VALUE, with a key of 1 to 63 characters a-z 0-9 _ . - that begins with a-z (no "
    "capitals), and a value of at most 63 bytes without control characters";

static enum vts_err refuse(struct vts_job_violation *violation, const char *field, const char *text)
{
    *violation = (struct vts_job_violation){.field = field, .text = text};
    return VTS_ERR_INVALID;
}

static bool is_at_most(const char *text, size_t max)
{
    return strlen(text) <= max;
}

/* One line. */
static bool is_line_of_at_most(const char *text, size_t max)
{
    return is_at_most(text, max) && vts_job_text_is_plain(text);
}

/* One line or several. */
static bool is_prose_of_at_most(const char *text, size_t max)
{
    return is_at_most(text, max) && vts_job_text_is_prose(text);
}

/* Absent, or a time that does not run backwards. */
static bool is_good_duration(const Google__Protobuf__Duration *duration)
{
    return duration == NULL || (vts_pb_duration_is_valid(duration->seconds, duration->nanos) &&
                                vts_pb_duration_ns(duration) >= 0);
}

static bool is_good_time(const Google__Protobuf__Timestamp *stamp)
{
    return stamp == NULL || vts_pb_timestamp_is_valid(stamp->seconds, stamp->nanos);
}

/* Absent, or within what a lease may last. */
static bool is_good_lease(const Google__Protobuf__Duration *duration)
{
    if (duration == NULL)
        return true;
    return is_good_duration(duration) && vts_pb_duration_ns(duration) >= lease_least_ns &&
           vts_pb_duration_ns(duration) <= lease_most_ns;
}

/* "key=value"; the value may be anything that a label's may be. */
static bool is_label(const char *label)
{
    struct vts_str value = vts_str_of(label);
    struct vts_str key;

    return vts_str_split(&value, '=', &key) && value.ptr != NULL &&
           vts_job_label_key_is_valid(key) &&
           is_line_of_at_most(value.ptr, VTS_JOB_LABEL_VALUE_MAX);
}

static enum vts_err check_labels(char *const *labels, size_t count,
                                 struct vts_job_violation *violation)
{
    if (count > VTS_JOB_FILTERS_MAX)
        return refuse(violation, "labels", "must not have more than 64 entries");
    for (size_t i = 0; i < count; i++)
        if (!is_label(labels[i]))
            return refuse(violation, "labels", label_text);
    return VTS_OK;
}

enum vts_err vts_check_label_filter(const char *label, struct vts_job_violation *ret_violation)
{
    return is_label(label) ? VTS_OK : refuse(ret_violation, "label_filter", label_text);
}

static enum vts_err check_wait(const Google__Protobuf__Duration *wait,
                               struct vts_job_violation *violation)
{
    return is_good_duration(wait)
               ? VTS_OK
               : refuse(violation, "wait_timeout", "must not be negative, nor past 10,000 years");
}

/* ---- JobService ------------------------------------------------------------------------ */

enum vts_err vts_check_job(const char *job_id, const char *etag,
                           struct vts_job_violation *ret_violation)
{
    if (!vts_job_id_is_valid(vts_str_of(job_id)))
        return refuse(ret_violation, "job_id",
                      "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -");
    if (!is_at_most(etag, VTS_JOB_ETAG_MAX))
        return refuse(ret_violation, "etag", "must be at most 256 bytes");
    return VTS_OK;
}

enum vts_err vts_check_cancel(const Vtstatus__V1__CancelJobRequest *request,
                              struct vts_job_violation *ret_violation)
{
    if (!is_prose_of_at_most(request->reason, VTS_JOB_REASON_MAX))
        return refuse(ret_violation, "reason", prose_text);
    return vts_check_job(request->job_id, request->etag, ret_violation);
}

static bool is_state(Vtstatus__V1__State state)
{
    return state != VTSTATUS__V1__STATE__STATE_UNSPECIFIED &&
           protobuf_c_enum_descriptor_get_value(&vtstatus__v1__state__descriptor, (int)state) !=
               NULL;
}

static enum vts_err check_states(const Vtstatus__V1__ListJobsRequest *request,
                                 struct vts_job_violation *violation)
{
    if (request->n_states > VTS_JOB_FILTERS_MAX)
        return refuse(violation, "states", "must not have more than 64 entries");
    for (size_t i = 0; i < request->n_states; i++)
        if (!is_state(request->states[i]))
            return refuse(violation, "states",
                          "must be of pending, running, cancelling, succeeded, failed, cancelled");
    return VTS_OK;
}

static enum vts_err check_page(const Vtstatus__V1__ListJobsRequest *request,
                               struct vts_job_violation *violation)
{
    if (request->page_size < 0)
        return refuse(violation, "page_size", "must not be negative");
    if (!is_at_most(request->page_token, VTS_JOB_PAGE_TOKEN_MAX))
        return refuse(violation, "page_token", "must be at most 1024 bytes");
    if (protobuf_c_enum_descriptor_get_value(&vtstatus__v1__job_order__descriptor,
                                             (int)request->order) == NULL)
        return refuse(violation, "order", "must be newest_first or oldest_first");
    return VTS_OK;
}

enum vts_err vts_check_list(const Vtstatus__V1__ListJobsRequest *request,
                            struct vts_job_violation *ret_violation)
{
    enum vts_err err = check_page(request, ret_violation);

    if (err == VTS_OK)
        err = check_states(request, ret_violation);
    if (err == VTS_OK)
        err = check_labels(request->labels, request->n_labels, ret_violation);
    if (err != VTS_OK)
        return err;
    if (request->queue[0] != '\0' && !vts_job_queue_is_valid(vts_str_of(request->queue)))
        return refuse(ret_violation, "queue", "must be 1 to 64 characters of a-z 0-9 . _ -");
    if (!is_good_time(request->created_after))
        return refuse(ret_violation, "created_after", "must be from the year 1 to the year 9999");
    if (!is_good_time(request->created_before))
        return refuse(ret_violation, "created_before", "must be from the year 1 to the year 9999");
    return VTS_OK;
}

/* ---- WorkerService --------------------------------------------------------------------- */

static enum vts_err check_queues(const Vtstatus__V1__LeaseJobRequest *request,
                                 struct vts_job_violation *violation)
{
    if (request->n_queues > VTS_JOB_QUEUES_MAX)
        return refuse(violation, "queues", "must not have more than 16 entries");
    for (size_t i = 0; i < request->n_queues; i++)
        if (!vts_job_queue_is_valid(vts_str_of(request->queues[i])))
            return refuse(violation, "queues", "must be 1 to 64 characters of a-z 0-9 . _ -");
    return VTS_OK;
}

enum vts_err vts_check_lease(const Vtstatus__V1__LeaseJobRequest *request,
                             struct vts_job_violation *ret_violation)
{
    enum vts_err err = check_queues(request, ret_violation);

    if (err == VTS_OK)
        err = check_labels(request->labels, request->n_labels, ret_violation);
    if (err != VTS_OK)
        return err;
    if (!is_line_of_at_most(request->worker_id, VTS_JOB_WORKER_ID_MAX))
        return refuse(ret_violation, "worker_id",
                      "must be at most 128 bytes without control characters");
    if (!is_good_lease(request->lease_duration))
        return refuse(ret_violation, "lease_duration", "must be from 1 s to 1 h");
    return check_wait(request->wait_timeout, ret_violation);
}

enum vts_err vts_check_holder(const char *job_id, const char *token,
                              struct vts_job_violation *ret_violation)
{
    if (token[0] == '\0')
        return refuse(ret_violation, "token", "is required");
    if (!is_at_most(token, VTS_JOB_TOKEN_MAX))
        return refuse(ret_violation, "token", "must be at most 128 bytes");
    return vts_check_job(job_id, "", ret_violation);
}

static enum vts_err check_progress(const Vtstatus__V1__Progress *progress,
                                   struct vts_job_violation *violation)
{
    if (!isfinite(progress->percent) || progress->percent < 0 || progress->percent > 100)
        return refuse(violation, "progress.percent", "must be from 0 to 100");
    if (!is_line_of_at_most(progress->phase, VTS_JOB_PHASE_MAX))
        return refuse(violation, "progress.phase",
                      "must be at most 64 bytes without control characters");
    if (progress->phase_index < 0)
        return refuse(violation, "progress.phase_index", "must not be negative");
    if (progress->phase_count < 0)
        return refuse(violation, "progress.phase_count", "must not be negative");
    if (progress->phase_count > 0 && progress->phase_index > progress->phase_count)
        return refuse(violation, "progress.phase_index", "must be at most phase_count");
    if (!is_prose_of_at_most(progress->message, VTS_JOB_PROGRESS_TEXT_MAX))
        return refuse(violation, "progress.message", prose_text);
    return VTS_OK;
}

/* The lease must outlast the wait, or it would be lost meanwhile. */
static bool is_outlasted(const Vtstatus__V1__HeartbeatJobRequest *request)
{
    return request->wait_timeout == NULL || request->lease_duration == NULL ||
           vts_pb_duration_ns(request->wait_timeout) < vts_pb_duration_ns(request->lease_duration);
}

enum vts_err vts_check_heartbeat(const Vtstatus__V1__HeartbeatJobRequest *request,
                                 struct vts_job_violation *ret_violation)
{
    enum vts_err err = vts_check_holder(request->job_id, request->token, ret_violation);

    if (err == VTS_OK && request->progress != NULL)
        err = check_progress(request->progress, ret_violation);
    if (err == VTS_OK)
        err = check_wait(request->wait_timeout, ret_violation);
    if (err != VTS_OK)
        return err;
    if (!is_good_lease(request->lease_duration))
        return refuse(ret_violation, "lease_duration", "must be from 1 s to 1 h");
    if (!is_outlasted(request))
        return refuse(ret_violation, "wait_timeout", "must be shorter than lease_duration");
    return VTS_OK;
}

enum vts_err vts_check_complete(const Vtstatus__V1__CompleteJobRequest *request,
                                struct vts_job_violation *ret_violation)
{
    /* Blanks may be in it, though no URI has them: the work is done, and a file's name with a blank
     * must not be what it is lost for. */
    if (!is_line_of_at_most(request->output_uri, VTS_JOB_URI_MAX))
        return refuse(ret_violation, "output_uri",
                      "must be at most 2048 bytes without control characters");
    return vts_check_holder(request->job_id, request->token, ret_violation);
}

/* A worker that has nothing to say may leave it out. */
static enum vts_err check_error(const Google__Rpc__Status *error,
                                struct vts_job_violation *violation)
{
    if (error == NULL)
        return VTS_OK;
    if (error->code < VTS_RPC_OK || error->code > VTS_RPC_UNAUTHENTICATED)
        return refuse(violation, "error.code", "must be from 0 to 16");
    if (error->n_details > VTS_JOB_ERROR_DETAILS_MAX)
        return refuse(violation, "error.details", "must not have more than 16 entries");
    if (google__rpc__status__get_packed_size(error) > VTS_JOB_ERROR_MAX)
        return refuse(violation, "error", "must be at most 16 KiB");
    return VTS_OK;
}

enum vts_err vts_check_fail(const Vtstatus__V1__FailJobRequest *request,
                            struct vts_job_violation *ret_violation)
{
    enum vts_err err = vts_check_holder(request->job_id, request->token, ret_violation);

    if (err == VTS_OK)
        err = check_error(request->error, ret_violation);
    if (err == VTS_OK && !is_good_duration(request->retry_delay))
        err = refuse(ret_violation, "retry_delay", "must not be negative, nor past 10,000 years");
    return err;
}
