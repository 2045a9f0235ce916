/* SPDX-License-Identifier: Apache-2.0 */
/* snapshot.c - encodes a status once a revision.
 *
 * One allocation holds the struct and all its bytes but the JSON, which is several times as long
 * as the rest and which most revisions are never asked for. The first reader makes it; of several
 * at once, one has its own kept.
 */
#include "server/jobs/snapshot.h"

#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/json.h"
#include "common/wire/pb_heap.h"
#include "common/wire/pb_time.h"

enum {
    PROTO_MAX_BYTES = 64 * 1024,
    /* A control character is six bytes in JSON, and nothing grows more; names come on top. */
    JSON_MAX_BYTES = 8 * PROTO_MAX_BYTES,
    ETAG_MAX_BYTES = 32,
};

/* A status says nothing for which types would have to be known. */
static const struct vts_json_write_options json_options = {
    .enums = VTS_JSON_ENUM_WORDS,
    .any_as_bytes = true,
};

struct json_text {
    size_t len;
    char bytes[];
};

/* Most jobs of a full server wait, and most revisions are of those that do not. */
struct in_line {
    struct vts_line *line;
    vts_line_known known;
    struct vts_job_place place;
};

struct vts_snapshot {
    _Atomic uint32_t refs;
    bool is_done;
    uint16_t number;
    uint64_t revision;
    int64_t end_ns;
    int64_t end_wall_ns;
    struct in_line *in_line;        /* the first of the bytes; NULL: it stands in none */
    struct json_text *_Atomic json; /* NULL: nobody has asked for it yet */
    struct vts_str job_id;
    struct vts_str etag;
    struct vts_str labels; /* one after the other, each "key=value" and NUL */
    struct vts_str proto;
    char bytes[];
};

/* ---- making ------------------------------------------------------------------------------ */

static bool is_good_time(const Google__Protobuf__Timestamp *stamp)
{
    return stamp == NULL || vts_pb_timestamp_is_valid(stamp->seconds, stamp->nanos);
}

static struct vts_str place(struct vts_snapshot *snapshot, size_t *at, const void *bytes,
                            size_t len)
{
    char *start = snapshot->bytes + *at;

    memcpy(start, bytes, len);
    *at += len;
    return vts_str_make(start, len);
}

/* Refuses what could not be written as JSON later. */
static enum vts_err check_status(const Vtstatus__V1__JobStatus *status, size_t proto_len)
{
    if (!is_good_time(status->update_time) || !is_good_time(status->estimated_completion_time))
        return VTS_ERR_INVALID;
    return proto_len > PROTO_MAX_BYTES ? VTS_ERR_LIMIT : VTS_OK;
}

static size_t labels_len(const Vtstatus__V1__Job *job)
{
    size_t len = 0;

    for (size_t i = 0; job != NULL && i < job->n_labels; i++)
        len += strlen(job->labels[i]->key) + 1 + strlen(job->labels[i]->value) + 1;
    return len;
}

static struct vts_str place_labels(struct vts_snapshot *snapshot, size_t *at,
                                   const Vtstatus__V1__Job *job)
{
    const char *start = snapshot->bytes + *at;

    for (size_t i = 0; job != NULL && i < job->n_labels; i++) {
        (void)place(snapshot, at, job->labels[i]->key, strlen(job->labels[i]->key));
        (void)place(snapshot, at, "=", 1);
        (void)place(snapshot, at, job->labels[i]->value, strlen(job->labels[i]->value) + 1);
    }
    return vts_str_make(start, (size_t)(snapshot->bytes + *at - start));
}

/* Without a job there are no labels. */
static size_t in_line_len(const struct vts_snapshot_extras *extras)
{
    return extras->line == NULL ? 0 : sizeof(struct in_line);
}

static void place_in_line(struct vts_snapshot *snapshot, size_t *at, const Vtstatus__V1__Job *job,
                          const struct vts_snapshot_extras *extras)
{
    struct in_line *in_line = (struct in_line *)(void *)snapshot->bytes;

    snapshot->in_line = NULL;
    if (extras->line == NULL)
        return;
    in_line->line = vts_line_ref(extras->line);
    atomic_init(&in_line->known, 0);
    in_line->place.priority = (int16_t)job->priority;
    in_line->place.create_ns = vts_pb_timestamp_ns(job->create_time);
    snapshot->in_line = in_line;
    *at = sizeof(*in_line);
}

/* Without a job there are neither labels nor a line. */
static enum vts_err make_snapshot(const Vtstatus__V1__JobStatus *status,
                                  const Vtstatus__V1__Job *job,
                                  const struct vts_snapshot_extras *extras,
                                  struct vts_snapshot **ret_snapshot)
{
    struct vts_snapshot *snapshot;
    char etag[ETAG_MAX_BYTES];
    size_t id_len = strlen(status->job_id);
    size_t etag_len =
        (size_t)snprintf(etag, sizeof(etag), "W/\"r%llu\"", (unsigned long long)status->revision);
    size_t proto_len = vtstatus__v1__job_status__get_packed_size(status);
    size_t at = 0;
    enum vts_err err = check_status(status, proto_len);

    if (err != VTS_OK)
        return err;
    snapshot = vts_mem_alloc(sizeof(*snapshot) + in_line_len(extras) + id_len + etag_len +
                             labels_len(job) + proto_len);
    if (snapshot == NULL)
        return VTS_ERR_NOMEM;
    atomic_init(&snapshot->refs, 1);
    atomic_init(&snapshot->json, NULL);
    snapshot->is_done = status->done != 0;
    snapshot->revision = status->revision;
    snapshot->end_ns = extras->end_ns;
    snapshot->end_wall_ns = extras->end_wall_ns;
    place_in_line(snapshot, &at, job, extras);
    snapshot->job_id = place(snapshot, &at, status->job_id, id_len);
    snapshot->etag = place(snapshot, &at, etag, etag_len);
    snapshot->labels = place_labels(snapshot, &at, job);
    snapshot->proto = vts_str_make(snapshot->bytes + at, proto_len);
    (void)vtstatus__v1__job_status__pack(status, (uint8_t *)snapshot->bytes + at);
    if (snapshot->in_line != NULL)
        snapshot->in_line->place.id = snapshot->job_id;
    *ret_snapshot = snapshot;
    return VTS_OK;
}

enum vts_err vts_snapshot_of_status(const Vtstatus__V1__JobStatus *status, int64_t expected_end_ns,
                                    struct vts_snapshot **ret_snapshot)
{
    const struct vts_snapshot_extras extras = {.end_ns = expected_end_ns};
    Vtstatus__V1__JobStatus message = *status;

    message.poll_after = NULL;
    return make_snapshot(&message, NULL, &extras, ret_snapshot);
}

enum vts_err vts_snapshot_of_job(const Vtstatus__V1__Job *job,
                                 const struct vts_snapshot_extras *extras,
                                 struct vts_snapshot **ret_snapshot)
{
    Vtstatus__V1__JobStatus message = *job->status;
    Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    message.poll_after = NULL;
    if (extras->end_wall_ns != 0) {
        vts_pb_timestamp_set(&stamp, extras->end_wall_ns);
        message.estimated_completion_time = &stamp;
    }
    return make_snapshot(&message, job, extras, ret_snapshot);
}

/* ---- JSON -------------------------------------------------------------------------------- */

static enum vts_err copy_text(const struct vts_buf *json, struct json_text **ret_text)
{
    /* Without the closing brace, which comes with the tail. */
    size_t len = json->len - 1;
    struct json_text *text = vts_mem_alloc(sizeof(*text) + len);

    if (text == NULL)
        return VTS_ERR_NOMEM;
    text->len = len;
    memcpy(text->bytes, json->ptr, len);
    *ret_text = text;
    return VTS_OK;
}

static enum vts_err make_json(const struct vts_snapshot *snapshot, struct json_text **ret_text)
{
    Vtstatus__V1__JobStatus *status = vtstatus__v1__job_status__unpack(
        vts_pb_heap_plain(), snapshot->proto.len, (const uint8_t *)snapshot->proto.ptr);
    struct vts_buf json;
    enum vts_err err;

    if (status == NULL)
        return VTS_ERR_NOMEM;
    vts_buf_init(&json, JSON_MAX_BYTES);
    err = vts_json_write(&json, &status->base, &json_options);
    if (err == VTS_OK)
        err = copy_text(&json, ret_text);
    vts_buf_fini(&json);
    vtstatus__v1__job_status__free_unpacked(status, vts_pb_heap_plain());
    return err;
}

enum vts_err vts_snapshot_json(struct vts_snapshot *snapshot, struct vts_str *ret_json)
{
    struct json_text *text = atomic_load_explicit(&snapshot->json, memory_order_acquire);
    struct json_text *made;

    if (text == NULL) {
        enum vts_err err = make_json(snapshot, &made);

        if (err != VTS_OK)
            return err;
        if (atomic_compare_exchange_strong(&snapshot->json, &text, made))
            text = made;
        else
            vts_mem_free(made); /* another thread was first, and text is what it made */
    }
    *ret_json = vts_str_make(text->bytes, text->len);
    return VTS_OK;
}

/* ---- sharing ----------------------------------------------------------------------------- */

struct vts_snapshot *vts_snapshot_ref(struct vts_snapshot *snapshot)
{
    atomic_fetch_add_explicit(&snapshot->refs, 1, memory_order_relaxed);
    return snapshot;
}

void vts_snapshot_unref(struct vts_snapshot *snapshot)
{
    if (snapshot == NULL ||
        atomic_fetch_sub_explicit(&snapshot->refs, 1, memory_order_acq_rel) != 1)
        return;
    vts_mem_free(atomic_load_explicit(&snapshot->json, memory_order_relaxed));
    if (snapshot->in_line != NULL)
        vts_line_unref(snapshot->in_line->line);
    vts_mem_free(snapshot);
}

struct vts_str vts_snapshot_job_id(const struct vts_snapshot *snapshot)
{
    return snapshot->job_id;
}

void vts_snapshot_set_number(struct vts_snapshot *snapshot, uint16_t number)
{
    if (snapshot->number != number) /* one that is published again has readers */
        snapshot->number = number;
}

unsigned vts_snapshot_number(const struct vts_snapshot *snapshot)
{
    return snapshot->number;
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
    return snapshot->end_ns;
}

int64_t vts_snapshot_expected_end_wall_ns(const struct vts_snapshot *snapshot)
{
    return snapshot->end_wall_ns;
}

int32_t vts_snapshot_queue_position(struct vts_snapshot *snapshot)
{
    struct in_line *in_line = snapshot->in_line;

    return in_line == NULL ? 0 : vts_line_position(in_line->line, &in_line->place, &in_line->known);
}

struct vts_str vts_snapshot_etag(const struct vts_snapshot *snapshot)
{
    return snapshot->etag;
}

bool vts_snapshot_next_label(const struct vts_snapshot *snapshot, size_t *at,
                             struct vts_str *ret_label)
{
    if (*at >= snapshot->labels.len)
        return false;
    *ret_label = vts_str_of(snapshot->labels.ptr + *at);
    *at += ret_label->len + 1;
    return true;
}

bool vts_snapshot_has_label(const struct vts_snapshot *snapshot, struct vts_str label)
{
    struct vts_str own;

    for (size_t at = 0; vts_snapshot_next_label(snapshot, &at, &own);)
        if (vts_str_equals(own, label))
            return true;
    return false;
}

struct vts_str vts_snapshot_proto(const struct vts_snapshot *snapshot)
{
    return snapshot->proto;
}
