/* SPDX-License-Identifier: Apache-2.0 */
/* status.c - a job's status: decoded once, checked once, then immutable and shared by count.
 *
 * Readers may be in any thread; only the count changes, and it is atomic.
 */
#include "client/src/status.h"

#include <math.h>
#include <stdatomic.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/json.h"
#include "common/wire/pb_heap.h"
#include "common/wire/scan.h"
#include "vtstatus/v1/status.pb-c.h"

enum {
    /* JobStatus, google.rpc.Status, Any: nothing in them can contain itself. */
    MAX_DEPTH = 8,
    /* A control character of one byte becomes six; the rest is names. */
    MAX_JSON_BYTES = 8 * VTS_STATUS_MAX_BODY_BYTES,
};

/* What a server put into an error's details is of types not known here. */
static const struct vts_json_write_options json_options = {
    .enums = VTS_JSON_ENUM_WORDS,
    .any_as_bytes = true,
};

struct vts_status {
    atomic_uint refs;
    size_t memory_bytes;
    Vtstatus__V1__JobStatus *message;
};

static bool is_timestamp(const Google__Protobuf__Timestamp *time)
{
    /* The years 1 to 9999, as google/protobuf/timestamp.proto has it. */
    return time == NULL ||
           (time->seconds >= INT64_C(-62135596800) && time->seconds <= INT64_C(253402300799) &&
            time->nanos >= 0 && time->nanos < VTS_NS_PER_S);
}

static bool is_duration(const Google__Protobuf__Duration *duration)
{
    /* 10 000 years either way, as google/protobuf/duration.proto has it; one sign for both. */
    return duration == NULL ||
           (duration->seconds >= INT64_C(-315576000000) &&
            duration->seconds <= INT64_C(315576000000) && duration->nanos > -VTS_NS_PER_S &&
            duration->nanos < VTS_NS_PER_S && !(duration->seconds > 0 && duration->nanos < 0) &&
            !(duration->seconds < 0 && duration->nanos > 0));
}

static enum vts_err check_message(const Vtstatus__V1__JobStatus *message, struct vts_error *error)
{
    if (message->job_id[0] == '\0')
        return vts_error_set(error, VTS_ERR_PROTOCOL, "it names no job");
    if (!is_timestamp(message->update_time) || !is_timestamp(message->estimated_completion_time))
        return vts_error_set(error, VTS_ERR_PROTOCOL, "a time is out of range");
    if (!is_duration(message->poll_after))
        return vts_error_set(error, VTS_ERR_PROTOCOL, "a duration is out of range");
    return VTS_OK;
}

static enum vts_err check_bytes(struct vts_str body, struct vts_error *error)
{
    const struct vts_scan_limits limits = {
        .max_depth = MAX_DEPTH,
        .max_elements = VTS_STATUS_MAX_BODY_BYTES, /* memory is what bounds them */
        .max_memory_bytes = VTS_STATUS_MAX_MEMORY_BYTES,
    };
    enum vts_err err;

    if (body.len > VTS_STATUS_MAX_BODY_BYTES)
        return vts_error_set(error, VTS_ERR_LIMIT, "it is larger than %d bytes",
                             VTS_STATUS_MAX_BODY_BYTES);
    if (body.len == 0)
        return vts_error_set(error, VTS_ERR_PROTOCOL, "it is empty");
    err = vts_scan_check(body, &vtstatus__v1__job_status__descriptor, &limits, error);
    return err == VTS_ERR_INVALID ? VTS_ERR_PROTOCOL : err;
}

static enum vts_err unpack(struct vts_str body, struct vts_status *status, struct vts_error *error)
{
    struct vts_pb_heap heap;

    vts_pb_heap_init(&heap, VTS_STATUS_MAX_MEMORY_BYTES);
    status->message =
        vtstatus__v1__job_status__unpack(&heap.allocator, body.len, (const uint8_t *)body.ptr);
    status->memory_bytes = VTS_STATUS_MAX_MEMORY_BYTES - heap.left_bytes;
    if (status->message != NULL)
        return check_message(status->message, error);
    if (heap.err == VTS_ERR_NOMEM)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    /* The scan lets nothing pass that fails otherwise. */
    return vts_error_set(error, VTS_ERR_PROTOCOL, "its fields are not those of a JobStatus");
}

enum vts_err vts_status_decode(struct vts_str body, struct vts_status **ret_status,
                               struct vts_error *error)
{
    enum vts_err err = check_bytes(body, error);
    struct vts_status *status;

    if (err != VTS_OK)
        return err;
    status = vts_mem_zalloc(sizeof(*status));
    if (status == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    atomic_init(&status->refs, 1);
    err = unpack(body, status, error);
    if (err != VTS_OK)
        vts_status_free(status);
    else
        *ret_status = status;
    return err;
}

size_t vts_status_memory_bytes(const struct vts_status *status)
{
    return sizeof(*status) + status->memory_bytes;
}

void vts_status_free(struct vts_status *status)
{
    if (status == NULL || atomic_fetch_sub(&status->refs, 1) != 1)
        return;
    vtstatus__v1__job_status__free_unpacked(status->message, vts_pb_heap_plain());
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

static int64_t timestamp_ns(const Google__Protobuf__Timestamp *time)
{
    const int64_t max_seconds = INT64_MAX / VTS_NS_PER_S - 1;

    if (time == NULL)
        return 0;
    /* 64 bits of nanoseconds reach from 1677 to 2262. */
    if (time->seconds > max_seconds)
        return INT64_MAX;
    if (time->seconds < -max_seconds)
        return INT64_MIN;
    return time->seconds * VTS_NS_PER_S + time->nanos;
}

int64_t vts_status_update_time_ns(const struct vts_status *status)
{
    return timestamp_ns(status->message->update_time);
}

int64_t vts_status_estimated_completion_time_ns(const struct vts_status *status)
{
    return timestamp_ns(status->message->estimated_completion_time);
}

const char *vts_status_output_uri(const struct vts_status *status)
{
    return status->message->output_uri;
}

enum vts_client_code vts_status_to_json(const struct vts_status *status, char **ret_json)
{
    enum vts_client_code code = VTS_CLIENT_NO_MEMORY;
    struct vts_buf buf;

    vts_buf_init(&buf, MAX_JSON_BYTES);
    if (vts_json_write(&buf, &status->message->base, &json_options) == VTS_OK) {
        char *json = vts_mem_strndup(buf.ptr, buf.len);

        if (json != NULL) {
            *ret_json = json;
            code = VTS_CLIENT_OK;
        }
    }
    vts_buf_fini(&buf);
    return code;
}

void vts_string_free(char *string)
{
    vts_mem_free(string);
}
