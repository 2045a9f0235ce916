/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - a job's status: decoded once, checked once, then immutable and shared by count.
 *
 * Readers may be in any thread; only the count changes, and it is atomic.
 */
#include "client/src/status.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>

#include "client/src/message.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

struct vts_status {
    atomic_uint refs;
    size_t memory_bytes;
    Vtstatus__V1__JobStatus *message;
};

static enum vts_err check_message(const Vtstatus__V1__JobStatus *message, struct vts_error *error)
{
    if (message->job_id[0] == '\0')
        return vts_error_set(error, VTS_ERR_PROTOCOL, "it names no job");
    if (!vts_message_time_is_valid(message->update_time) ||
        !vts_message_time_is_valid(message->estimated_completion_time))
        return vts_error_set(error, VTS_ERR_PROTOCOL, "a time is out of range");
    if (!vts_message_duration_is_valid(message->poll_after))
        return vts_error_set(error, VTS_ERR_PROTOCOL, "a duration is out of range");
    return VTS_OK;
}

enum vts_err vts_status_adopt(Vtstatus__V1__JobStatus *message, struct vts_status **ret_status,
                              struct vts_error *error)
{
    struct vts_status *status = NULL;
    enum vts_err err;

    if (message == NULL)
        return vts_error_set(error, VTS_ERR_PROTOCOL, "there is no status in it");
    err = check_message(message, error);
    if (err == VTS_OK) {
        status = vts_mem_zalloc(sizeof(*status));
        if (status == NULL)
            err = vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    }
    if (status == NULL) {
        vts_message_free(&message->base);
        return err;
    }
    atomic_init(&status->refs, 1);
    status->message = message;
    *ret_status = status;
    return VTS_OK;
}

enum vts_err vts_status_decode(struct vts_str body, struct vts_status **ret_status,
                               struct vts_error *error)
{
    size_t memory_bytes = VTS_STATUS_MAX_MEMORY_BYTES;
    ProtobufCMessage *message = NULL;
    enum vts_err err;

    if (body.len > VTS_STATUS_MAX_BODY_BYTES)
        return vts_error_set(error, VTS_ERR_LIMIT, "it is larger than %d bytes",
                             VTS_STATUS_MAX_BODY_BYTES);
    if (body.len == 0)
        return vts_error_set(error, VTS_ERR_PROTOCOL, "it is empty");
    err = vts_message_decode(body, &vtstatus__v1__job_status__descriptor, &memory_bytes, &message,
                             error);
    if (err == VTS_OK)
        err = vts_status_adopt((Vtstatus__V1__JobStatus *)message, ret_status, error);
    if (err == VTS_OK)
        (*ret_status)->memory_bytes = memory_bytes;
    return err;
}

const Vtstatus__V1__JobStatus *vts_status_borrow_message(const struct vts_status *status)
{
    return status->message;
}

void vts_status_describe(const struct vts_status *status, char *text, size_t size)
{
    const char *phase = status == NULL ? "" : vts_status_phase(status);

    if (status == NULL)
        (void)snprintf(text, size, "no status was seen");
    else
        (void)snprintf(text, size, "job '%s' was last seen %s (%s, %.0f %%%s%.64s)",
                       vts_status_job_id(status), vts_status_word(status),
                       vts_status_state_word(status), vts_status_percent(status),
                       phase[0] != '\0' ? ", " : "", phase);
}

size_t vts_status_memory_bytes(const struct vts_status *status)
{
    return sizeof(*status) + status->memory_bytes;
}

void vts_status_free(struct vts_status *status)
{
    if (status == NULL || atomic_fetch_sub(&status->refs, 1) != 1)
        return;
    vts_message_free(&status->message->base);
    vts_mem_free(status);
}

struct vts_status *vts_status_ref(const struct vts_status *status)
{
    /* What is const to readers is its content; the count is not part of that. */
    struct vts_status *owned = (struct vts_status *)status;

    if (owned != NULL)
        (void)atomic_fetch_add(&owned->refs, 1); /* the old count is of no interest */
    return owned;
}

const char *vts_status_job_id(const struct vts_status *status)
{
    return status->message->job_id;
}

enum vts_status_value vts_status_value(const struct vts_status *status)
{
    switch (status->message->status) {
    case VTSTATUS__V1__STATUS__STATUS_PENDING:
        return VTS_STATUS_PENDING;
    case VTSTATUS__V1__STATUS__STATUS_COMPLETED:
        return VTS_STATUS_COMPLETED;
    case VTSTATUS__V1__STATUS__STATUS_ERROR:
        return VTS_STATUS_ERROR;
    default: /* unspecified, or a newer server's */
        return VTS_STATUS_UNSPECIFIED;
    }
}

const char *vts_status_word(const struct vts_status *status)
{
    static const char *const words[] = {"unspecified", "pending", "completed", "error"};

    return words[vts_status_value(status)];
}

enum vts_state vts_status_state(const struct vts_status *status)
{
    int state = (int)status->message->state;

    /* A newer server's states are none of ours. */
    return state >= VTS_STATE_PENDING && state <= VTS_STATE_CANCELLED ? (enum vts_state)state
                                                                      : VTS_STATE_UNSPECIFIED;
}

const char *vts_status_state_word(const struct vts_status *status)
{
    static const char *const words[] = {"unspecified", "pending", "running",  "cancelling",
                                        "succeeded",   "failed",  "cancelled"};

    return words[vts_status_state(status)];
}

enum vts_pending_reason vts_status_pending_reason(const struct vts_status *status)
{
    int reason = (int)status->message->pending_reason;

    /* As with states. */
    return reason >= VTS_PENDING_QUEUED && reason <= VTS_PENDING_BACKOFF
               ? (enum vts_pending_reason)reason
               : VTS_PENDING_UNSPECIFIED;
}

bool vts_status_is_done(const struct vts_status *status)
{
    return status->message->done != 0;
}

uint64_t vts_status_revision(const struct vts_status *status)
{
    return status->message->revision;
}

double vts_status_poll_after(const struct vts_status *status)
{
    const Google__Protobuf__Duration *hint = status->message->poll_after;

    if (hint == NULL || hint->seconds < 0 || hint->nanos < 0)
        return -1;
    return (double)hint->seconds + (double)hint->nanos / VTS_NS_PER_S;
}

double vts_status_percent(const struct vts_status *status)
{
    double percent;

    if (status->message->progress == NULL)
        return 0;
    percent = (double)status->message->progress->percent;
    return isnan(percent) ? 0 : fmin(fmax(percent, 0), 100);
}

const char *vts_status_phase(const struct vts_status *status)
{
    return status->message->progress == NULL ? "" : status->message->progress->phase;
}

int vts_status_phase_index(const struct vts_status *status)
{
    return vts_status_phase(status)[0] == '\0' ? 0 : status->message->progress->phase_index;
}

int vts_status_phase_count(const struct vts_status *status)
{
    return vts_status_phase(status)[0] == '\0' ? 0 : status->message->progress->phase_count;
}

const char *vts_status_message(const struct vts_status *status)
{
    return status->message->progress == NULL ? "" : status->message->progress->message;
}

int vts_status_error_code(const struct vts_status *status)
{
    return status->message->error == NULL ? 0 : status->message->error->code;
}

const char *vts_status_error_message(const struct vts_status *status)
{
    return status->message->error == NULL ? "" : status->message->error->message;
}

int vts_status_attempt(const struct vts_status *status)
{
    return status->message->attempt;
}

int vts_status_queue_position(const struct vts_status *status)
{
    return status->message->queue_position;
}

int64_t vts_status_update_time_ns(const struct vts_status *status)
{
    return vts_message_time_ns(status->message->update_time);
}

int64_t vts_status_estimated_completion_time_ns(const struct vts_status *status)
{
    return vts_message_time_ns(status->message->estimated_completion_time);
}

const char *vts_status_output_uri(const struct vts_status *status)
{
    return status->message->output_uri;
}

enum vts_client_code vts_status_to_json(const struct vts_status *status, char **ret_json)
{
    return vts_message_to_json(&status->message->base, NULL, ret_json);
}

void vts_string_free(char *string)
{
    vts_mem_free(string);
}
