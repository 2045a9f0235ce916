/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c - encodes a status once a revision.
 *
 * One allocation holds the struct and all its bytes.
 */
#include "server/jobs/snapshot.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/json.h"
#include "vtstatus/v1/status.pb-c.h"

enum { JSON_MAX_BYTES = 64 * 1024, ETAG_MAX_BYTES = 32, POLL_AFTER_TAG = 5 << 3 | 2 };

/* A status says nothing for which types would have to be known. */
static const struct vts_json_write_options json_options = {
    .enums = VTS_JSON_ENUM_WORDS,
    .any_as_bytes = true,
};

struct vts_snapshot {
    _Atomic uint32_t refs;
    bool is_done;
    uint64_t revision;
    int64_t expected_end_ns;
    struct vts_str job_id;
    struct vts_str etag;
    struct vts_str proto;
    struct vts_str json;
    char bytes[];
};

/* The message with everything it points at. */
struct status_message {
    Vtstatus__V1__JobStatus status;
    Vtstatus__V1__Progress progress;
    Google__Rpc__Status error;
    Google__Protobuf__Timestamp updated;
    Google__Protobuf__Timestamp estimated;
};

static Vtstatus__V1__Status project(enum vts_job_state state)
{
    if (!vts_job_is_done(state))
        return VTSTATUS__V1__STATUS__STATUS_PENDING;
    return state == VTS_JOB_SUCCEEDED ? VTSTATUS__V1__STATUS__STATUS_COMPLETED
                                      : VTSTATUS__V1__STATUS__STATUS_ERROR;
}

/* protobuf-c's strings are not const, and it does not write to them. */
static char *borrow(const char *text)
{
    return text == NULL ? (char *)(uintptr_t)protobuf_c_empty_string : (char *)(uintptr_t)text;
}

static void set_time(Google__Protobuf__Timestamp *stamp, int64_t wall_ns)
{
    google__protobuf__timestamp__init(stamp);
    stamp->seconds = wall_ns / VTS_NS_PER_S;
    stamp->nanos = (int32_t)(wall_ns % VTS_NS_PER_S);
}

static void fill_message(struct status_message *message, const struct vts_job *job)
{
    Vtstatus__V1__JobStatus *status = &message->status;

    vtstatus__v1__job_status__init(status);
    status->job_id = borrow(job->id);
    status->status = project(job->state);
    status->done = vts_job_is_done(job->state);
    status->revision = job->revision;
    status->state = (Vtstatus__V1__State)job->state;
    status->attempt = job->attempt;
    status->queue_position = job->queue_position;
    status->output_uri = borrow(job->output_uri);
    if (job->state == VTS_JOB_PENDING)
        status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED;
    set_time(&message->updated, job->update_wall_ns);
    status->update_time = &message->updated;
    if (job->expected_end_wall_ns != 0 && !status->done) {
        set_time(&message->estimated, job->expected_end_wall_ns);
        status->estimated_completion_time = &message->estimated;
    }
    if (job->phase != NULL) {
        vtstatus__v1__progress__init(&message->progress);
        message->progress.percent = job->percent;
        message->progress.phase = borrow(job->phase);
        message->progress.phase_index = job->phase_index;
        message->progress.phase_count = job->phase_count;
        message->progress.message = borrow(job->progress_message);
        status->progress = &message->progress;
    }
    if (job->error_code != 0) {
        google__rpc__status__init(&message->error);
        message->error.code = job->error_code;
        message->error.message = borrow(job->error_message);
        status->error = &message->error;
    }
}

static struct vts_str place(struct vts_snapshot *snapshot, size_t *at, const void *bytes,
                            size_t len)
{
    char *start = snapshot->bytes + *at;

    memcpy(start, bytes, len);
    *at += len;
    return vts_str_make(start, len);
}

enum vts_err vts_snapshot_new(const struct vts_job *job, struct vts_snapshot **ret_snapshot)
{
    struct status_message message;
    struct vts_snapshot *snapshot;
    struct vts_buf json;
    char etag[ETAG_MAX_BYTES];
    enum vts_err err;
    size_t proto_len;
    size_t id_len = strlen(job->id);
    size_t etag_len;
    size_t at = 0;

    fill_message(&message, job);
    etag_len =
        (size_t)snprintf(etag, sizeof(etag), "W/\"r%llu\"", (unsigned long long)job->revision);
    proto_len = vtstatus__v1__job_status__get_packed_size(&message.status);
    vts_buf_init(&json, JSON_MAX_BYTES);
    err = vts_json_write(&json, &message.status.base, &json_options);
    if (err != VTS_OK)
        goto out;
    err = VTS_ERR_NOMEM;
    snapshot = vts_mem_alloc(sizeof(*snapshot) + id_len + etag_len + proto_len + json.len);
    if (snapshot == NULL)
        goto out;
    atomic_init(&snapshot->refs, 1);
    snapshot->is_done = message.status.done != 0;
    snapshot->revision = job->revision;
    snapshot->expected_end_ns = job->expected_end_ns;
    snapshot->job_id = place(snapshot, &at, job->id, id_len);
    snapshot->etag = place(snapshot, &at, etag, etag_len);
    snapshot->json = place(snapshot, &at, json.ptr, json.len - 1);
    snapshot->proto = vts_str_make(snapshot->bytes + at, proto_len);
    (void)vtstatus__v1__job_status__pack(&message.status, (uint8_t *)snapshot->bytes + at);
    *ret_snapshot = snapshot;
    err = VTS_OK;
out:
    vts_buf_fini(&json);
    return err;
}

struct vts_snapshot *vts_snapshot_ref(struct vts_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

void vts_snapshot_unref(struct vts_snapshot *snapshot)
{
    if (snapshot != NULL &&
        atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) == 1)
        vts_mem_free(snapshot);
}

struct vts_str vts_snapshot_job_id(const struct vts_snapshot *snapshot)
{
    return snapshot->job_id;
}

uint64_t vts_snapshot_revision(const struct vts_snapshot *snapshot)
{
    return snapshot->revision;
}

bool vts_snapshot_is_done(const struct vts_snapshot *snapshot)
{
    return snapshot->is_done;
}

int64_t vts_snapshot_expected_end_ns(const struct vts_snapshot *snapshot)
{
    return snapshot->expected_end_ns;
}

struct vts_str vts_snapshot_etag(const struct vts_snapshot *snapshot)
{
    return snapshot->etag;
}

struct vts_str vts_snapshot_proto(const struct vts_snapshot *snapshot)
{
    return snapshot->proto;
}

struct vts_str vts_snapshot_json(const struct vts_snapshot *snapshot)
{
    return snapshot->json;
}

size_t vts_snapshot_proto_tail(int64_t poll_after_ns, char ret_tail[VTS_SNAPSHOT_TAIL_MAX])
{
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;
    size_t len;

    if (poll_after_ns < 0)
        return 0;
    duration.seconds = poll_after_ns / VTS_NS_PER_S;
    duration.nanos = (int32_t)(poll_after_ns % VTS_NS_PER_S);
    /* Two numbers: at most 22 bytes, so the length is one byte. */
    len = google__protobuf__duration__pack(&duration, (uint8_t *)ret_tail + 2);
    ret_tail[0] = POLL_AFTER_TAG;
    ret_tail[1] = (char)len;
    return len + 2;
}

size_t vts_snapshot_json_tail(int64_t poll_after_ns, char ret_tail[VTS_SNAPSHOT_TAIL_MAX])
{
    int64_t ms = poll_after_ns / VTS_NS_PER_MS;
    int len;

    if (poll_after_ns < 0)
        len = snprintf(ret_tail, VTS_SNAPSHOT_TAIL_MAX, "}");
    else if (ms % 1000 == 0)
        len = snprintf(ret_tail, VTS_SNAPSHOT_TAIL_MAX, ",\"pollAfter\":\"%llds\"}",
                       (long long)ms / 1000);
    else
        len = snprintf(ret_tail, VTS_SNAPSHOT_TAIL_MAX, ",\"pollAfter\":\"%lld.%03llds\"}",
                       (long long)ms / 1000, (long long)ms % 1000);
    return (size_t)len;
}
