/* SPDX-License-Identifier: Apache-2.0 */
/* job_record.c - turns a request into a record.
 *
 * At first the record holds only what the request says, defaults filled in and maps in order, so
 * that requests that mean the same make the same bytes: their hash is the request's digest. Then
 * comes what belongs to this one job.
 */
#include "server/jobs/job_record.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"

enum { DEFAULT_ATTEMPTS = 3 };

static const int64_t remember_ns = (int64_t)24 * 3600 * VTS_NS_PER_S;
static const int64_t tombstone_ns = (int64_t)24 * 3600 * VTS_NS_PER_S;

/* Memory that runs out is noted and looked at when everything is made. */
struct builder {
    struct vts_arena *arena;
    enum vts_err err;
};

/* protobuf-c's strings are not const, and nobody writes to them. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void *make(struct builder *builder, const ProtobufCMessageDescriptor *type)
{
    void *message = vts_pb_arena_new(builder->arena, type);

    if (message == NULL)
        builder->err = VTS_ERR_NOMEM;
    return message;
}

static void *make_list(struct builder *builder, size_t count)
{
    void *list = vts_arena_alloc(builder->arena, count * sizeof(void *));

    if (list == NULL)
        builder->err = VTS_ERR_NOMEM;
    return list;
}

static Google__Protobuf__Timestamp *make_time(struct builder *builder, int64_t ns)
{
    Google__Protobuf__Timestamp *stamp = make(builder, &google__protobuf__timestamp__descriptor);

    if (stamp != NULL)
        vts_pb_timestamp_set(stamp, ns);
    return stamp;
}

/* ---- maps -------------------------------------------------------------------------------- */

/* A map's entries by key. */
struct pairs {
    struct pair {
        char *key;
        char *value;
    } at[VTS_JOB_ENTRIES_MAX];
    size_t count;
};

static void put_pair(struct pairs *pairs, char *key, char *value)
{
    size_t at = pairs->count;

    while (at > 0 && strcmp(pairs->at[at - 1].key, key) > 0)
        at--;
    if (at > 0 && strcmp(pairs->at[at - 1].key, key) == 0) {
        pairs->at[at - 1].value = value;
        return;
    }
    memmove(pairs->at + at + 1, pairs->at + at, (pairs->count - at) * sizeof(pairs->at[0]));
    pairs->at[at] = (struct pair){.key = key, .value = value};
    pairs->count++;
}

static void add_labels(struct builder *builder, const Vtstatus__V1__CreateJobRequest *request,
                       Vtstatus__V1__Job *job)
{
    struct pairs pairs = {.count = 0};

    for (size_t i = 0; i < request->n_labels; i++)
        put_pair(&pairs, request->labels[i]->key, request->labels[i]->value);
    job->labels = make_list(builder, pairs.count);
    for (size_t i = 0; i < pairs.count && builder->err == VTS_OK; i++) {
        job->labels[i] = make(builder, &vtstatus__v1__job__labels_entry__descriptor);
        if (job->labels[i] == NULL)
            return;
        job->labels[i]->key = pairs.at[i].key;
        job->labels[i]->value = pairs.at[i].value;
        job->n_labels = i + 1;
    }
}

static void add_options(struct builder *builder, const Vtstatus__V1__TranslationSpec *asked,
                        Vtstatus__V1__TranslationSpec *spec)
{
    struct pairs pairs = {.count = 0};

    for (size_t i = 0; i < asked->n_options; i++)
        put_pair(&pairs, asked->options[i]->key, asked->options[i]->value);
    spec->options = make_list(builder, pairs.count);
    for (size_t i = 0; i < pairs.count && builder->err == VTS_OK; i++) {
        spec->options[i] =
            make(builder, &vtstatus__v1__translation_spec__options_entry__descriptor);
        if (spec->options[i] == NULL)
            return;
        spec->options[i]->key = pairs.at[i].key;
        spec->options[i]->value = pairs.at[i].value;
        spec->n_options = i + 1;
    }
}

/* ---- what the request says --------------------------------------------------------------- */

static Vtstatus__V1__TranslationSpec *make_spec(struct builder *builder,
                                                const Vtstatus__V1__TranslationSpec *asked)
{
    Vtstatus__V1__TranslationSpec *spec =
        make(builder, &vtstatus__v1__translation_spec__descriptor);

    if (spec == NULL)
        return NULL;
    spec->source_uri = asked->source_uri;
    spec->source_language = asked->source_language;
    spec->target_language = asked->target_language;
    add_options(builder, asked, spec);
    return spec;
}

static Google__Protobuf__Duration *make_duration(struct builder *builder,
                                                 const Google__Protobuf__Duration *asked)
{
    Google__Protobuf__Duration *duration = make(builder, &google__protobuf__duration__descriptor);

    if (duration == NULL)
        return NULL;
    duration->seconds = asked->seconds;
    duration->nanos = asked->nanos;
    return duration;
}

static Vtstatus__V1__Job *make_job(struct builder *builder,
                                   const Vtstatus__V1__CreateJobRequest *request)
{
    Vtstatus__V1__Job *job = make(builder, &vtstatus__v1__job__descriptor);

    if (job == NULL)
        return NULL;
    job->id = request->job_id;
    job->spec = make_spec(builder, request->spec);
    add_labels(builder, request, job);
    job->queue = request->queue[0] == '\0' ? borrow("default") : request->queue;
    job->priority = request->priority;
    job->max_attempts = request->max_attempts == 0 ? DEFAULT_ATTEMPTS : request->max_attempts;
    if (request->timeout != NULL)
        job->timeout = make_duration(builder, request->timeout);
    return job;
}

static Vtstatus__Store__V1__JobRecord *make_record(struct builder *builder,
                                                   const Vtstatus__V1__CreateJobRequest *request)
{
    Vtstatus__Store__V1__JobRecord *record =
        make(builder, &vtstatus__store__v1__job_record__descriptor);

    if (record == NULL)
        return NULL;
    record->job = make_job(builder, request);
    if (request->start_time != NULL)
        record->not_before_time = make_time(builder, vts_pb_timestamp_ns(request->start_time));
    if (request->ttl != NULL)
        record->ttl_ns = vts_pb_duration_ns(request->ttl);
    return record;
}

/* ---- digest ------------------------------------------------------------------------------ */

enum { DIGEST_BYTES = 16 };

/* FNV-1a of 128 bits, fed by protobuf-c's packing, so that nothing needs to be packed anywhere. */
struct hasher {
    ProtobufCBuffer base;
    uint64_t high;
    uint64_t low;
};

/* Times the prime 2^88 + 0x13b, modulo 2^128. */
static void multiply(struct hasher *hasher)
{
    uint64_t lower = (hasher->low & UINT32_MAX) * 0x13b;
    uint64_t upper = (hasher->low >> 32) * 0x13b + (lower >> 32);

    hasher->high = hasher->high * 0x13b + (upper >> 32) + (hasher->low << 24);
    hasher->low = upper << 32 | (lower & UINT32_MAX);
}

static void hash_bytes(ProtobufCBuffer *buffer, size_t len, const uint8_t *bytes)
{
    struct hasher *hasher = VTS_CONTAINER_OF(buffer, struct hasher, base);

    for (size_t i = 0; i < len; i++) {
        hasher->low ^= bytes[i];
        multiply(hasher);
    }
}

static void add_digest(struct builder *builder, Vtstatus__Store__V1__JobRecord *record)
{
    struct hasher hasher = {.base = {.append = hash_bytes},
                            .high = UINT64_C(0x6c62272e07bb0142),
                            .low = UINT64_C(0x62b821756295c58d)};
    uint8_t *digest = vts_arena_alloc(builder->arena, DIGEST_BYTES);

    if (digest == NULL) {
        builder->err = VTS_ERR_NOMEM;
        return;
    }
    (void)vtstatus__store__v1__job_record__pack_to_buffer(record, &hasher.base);
    for (int i = 0; i < 8; i++) {
        digest[i] = (uint8_t)(hasher.high >> (56 - 8 * i));
        digest[8 + i] = (uint8_t)(hasher.low >> (56 - 8 * i));
    }
    record->request_digest = (ProtobufCBinaryData){.len = DIGEST_BYTES, .data = digest};
}

bool vts_job_record_is_repetition(const Vtstatus__Store__V1__JobRecord *a,
                                  const Vtstatus__Store__V1__JobRecord *b)
{
    return vts_str_equals(vts_str_make(a->request_digest.data, a->request_digest.len),
                          vts_str_make(b->request_digest.data, b->request_digest.len));
}

/* ---- the job itself ---------------------------------------------------------------------- */

static Vtstatus__V1__JobStatus *make_status(struct builder *builder, const char *id,
                                            bool is_scheduled, int64_t now_ns)
{
    Vtstatus__V1__JobStatus *status = make(builder, &vtstatus__v1__job_status__descriptor);

    if (status == NULL)
        return NULL;
    status->job_id = borrow(id);
    status->status = VTSTATUS__V1__STATUS__STATUS_PENDING;
    status->state = VTSTATUS__V1__STATE__STATE_PENDING;
    status->revision = 1;
    status->update_time = make_time(builder, now_ns);
    status->pending_reason = is_scheduled ? VTSTATUS__V1__PENDING_REASON__PENDING_REASON_SCHEDULED
                                          : VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED;
    return status;
}

static void begin(struct builder *builder, Vtstatus__Store__V1__JobRecord *record, const char *id,
                  int64_t now_ns)
{
    bool is_scheduled =
        record->not_before_time != NULL && vts_pb_timestamp_ns(record->not_before_time) > now_ns;

    if (!is_scheduled)
        record->not_before_time = NULL;
    record->version = 1;
    record->job->id = borrow(id);
    record->job->create_time = make_time(builder, now_ns);
    record->job->status = make_status(builder, id, is_scheduled, now_ns);
}

enum vts_err vts_job_record_new(const Vtstatus__V1__CreateJobRequest *request, const char *id,
                                int64_t now_ns, struct vts_arena *arena,
                                Vtstatus__Store__V1__JobRecord **ret_record,
                                struct vts_job_violation *ret_violation)
{
    struct builder builder = {.arena = arena};
    Vtstatus__Store__V1__JobRecord *record;
    enum vts_err err = vts_job_request_check(request, ret_violation);

    if (err != VTS_OK)
        return err;
    record = make_record(&builder, request);
    if (builder.err != VTS_OK)
        return builder.err;
    add_digest(&builder, record);
    record->request_id = request->request_id;
    begin(&builder, record, id, now_ns);
    if (builder.err != VTS_OK)
        return builder.err;
    *ret_record = record;
    return VTS_OK;
}

/* ---- what is left of it ------------------------------------------------------------------ */

bool vts_job_request_is_remembered(int64_t create_ns, int64_t now_ns)
{
    return create_ns > now_ns - remember_ns;
}

/* What the request is known again by: its id, its digest and its age. */
static void keep_request(Vtstatus__Store__V1__JobRecord *removed,
                         const Vtstatus__Store__V1__JobRecord *record, int64_t now_ns)
{
    const Vtstatus__V1__Job *job = record->job;

    if (record->request_id[0] == '\0' ||
        !vts_job_request_is_remembered(vts_pb_timestamp_ns(job->create_time), now_ns))
        return;
    removed->request_id = record->request_id;
    removed->request_digest = record->request_digest;
    removed->job->create_time = job->create_time;
}

Vtstatus__Store__V1__JobRecord *
vts_job_record_of_removed(const Vtstatus__Store__V1__JobRecord *record, int64_t now_ns,
                          struct vts_arena *arena)
{
    struct builder builder = {.arena = arena};
    Vtstatus__Store__V1__JobRecord *removed =
        make(&builder, &vtstatus__store__v1__job_record__descriptor);
    Vtstatus__V1__Job *job = make(&builder, &vtstatus__v1__job__descriptor);
    Google__Protobuf__Timestamp *until = make_time(&builder, now_ns + tombstone_ns);

    if (builder.err != VTS_OK)
        return NULL;
    job->id = record->job->id;
    removed->job = job;
    removed->version = record->version + 1;
    removed->tombstone_expire_time = until;
    keep_request(removed, record, now_ns);
    return removed;
}
