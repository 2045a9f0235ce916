/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_job.c - a job as it lies in memory: its encoded record and the few facts that are looked
 * at without unpacking it.
 */
#include <string.h>

#include "common/base/mem.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"
#include "server/jobs/job.h"
#include "server/jobs/keeper_parts.h"

/* ---- labels ------------------------------------------------------------------------------ */

/* FNV-1a; who steers it gains nothing but a look at more records. */
static uint32_t hash_on(uint32_t hash, const char *text)
{
    for (; *text != '\0'; text++)
        hash = (hash ^ (unsigned char)*text) * UINT32_C(16777619);
    return hash;
}

static uint32_t bit_of(uint32_t hash)
{
    return UINT32_C(1) << (hash >> 27);
}

static const uint32_t hash_start = UINT32_C(2166136261);

static uint32_t bits_of_job(const Vtstatus__V1__Job *job)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < job->n_labels; i++)
        bits |= bit_of(
            hash_on(hash_on(hash_on(hash_start, job->labels[i]->key), "="), job->labels[i]->value));
    return bits;
}

uint32_t vts_keeper_label_bits(char *const *labels, size_t count)
{
    uint32_t bits = 0;

    for (size_t i = 0; i < count; i++)
        bits |= bit_of(hash_on(hash_start, labels[i]));
    return bits;
}

static bool is_label(const Vtstatus__V1__Job__LabelsEntry *entry, const char *label)
{
    size_t key_len = strlen(entry->key);

    return strncmp(label, entry->key, key_len) == 0 && label[key_len] == '=' &&
           strcmp(label + key_len + 1, entry->value) == 0;
}

static bool has_label(const Vtstatus__V1__Job *job, const char *label)
{
    for (size_t i = 0; i < job->n_labels; i++)
        if (is_label(job->labels[i], label))
            return true;
    return false;
}

bool vts_keeper_has_labels(const Vtstatus__V1__Job *job, char *const *labels, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!has_label(job, labels[i]))
            return false;
    return true;
}

/* ---- order ------------------------------------------------------------------------------- */

struct vts_str vts_keeper_job_id(const struct vts_keeper_job *job)
{
    return vts_str_make(job->id, job->id_len);
}

struct vts_job_place vts_keeper_job_place(const struct vts_keeper_job *job)
{
    return (struct vts_job_place){job->priority, job->create_ns, vts_keeper_job_id(job)};
}

static int order_ids(struct vts_str a, struct vts_str b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = memcmp(a.ptr, b.ptr, len);

    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int vts_keeper_order_listed(const struct vts_job_place *place, const struct vts_keeper_job *job)
{
    if (place->create_ns != job->create_ns)
        return place->create_ns < job->create_ns ? -1 : 1;
    return order_ids(place->id, vts_keeper_job_id(job));
}

static int order_listed(const void *key, const struct vts_tree_node *node)
{
    return vts_keeper_order_listed(key,
                                   VTS_CONTAINER_OF(node, const struct vts_keeper_job, listed));
}

int vts_keeper_order_ready(const struct vts_job_place *place, const struct vts_keeper_job *job)
{
    if (place->priority != job->priority)
        return place->priority > job->priority ? -1 : 1;
    return vts_keeper_order_listed(place, job);
}

static int order_ready(const void *key, const struct vts_tree_node *node)
{
    return vts_keeper_order_ready(key, VTS_CONTAINER_OF(node, const struct vts_keeper_job, ready));
}

/* The hash of the id has a secret key, and so is as good as random. */
static uint32_t rank_listed(const struct vts_tree_node *node)
{
    return VTS_CONTAINER_OF(node, const struct vts_keeper_job, listed)->hash;
}

static uint32_t rank_ready(const struct vts_tree_node *node)
{
    return VTS_CONTAINER_OF(node, const struct vts_keeper_job, ready)->hash;
}

static uint32_t *count_ready(struct vts_tree_node *node)
{
    return &VTS_CONTAINER_OF(node, struct vts_keeper_job, ready)->ready_count;
}

const struct vts_tree_ops vts_keeper_listed_ops = {.order = order_listed, .rank = rank_listed};
const struct vts_tree_ops vts_keeper_ready_ops = {
    .order = order_ready, .rank = rank_ready, .count = count_ready};

/* ---- records ----------------------------------------------------------------------------- */

enum vts_err vts_keeper_unpack(struct vts_str bytes, struct vts_arena *arena,
                               Vtstatus__Store__V1__JobRecord **ret_record)
{
    ProtobufCAllocator allocator = vts_pb_arena_allocator(arena);
    Vtstatus__Store__V1__JobRecord *record =
        vtstatus__store__v1__job_record__unpack(&allocator, bytes.len, (const uint8_t *)bytes.ptr);

    if (record == NULL)
        return vts_arena_check(arena) == VTS_OK ? VTS_ERR_INVALID : VTS_ERR_NOMEM;
    *ret_record = record;
    return VTS_OK;
}

/* A record that we have packed ourselves cannot be unpacked for one reason only. */
static enum vts_err unpack_ours(struct vts_str bytes, struct vts_arena *arena,
                                Vtstatus__Store__V1__JobRecord **ret_record)
{
    return vts_keeper_unpack(bytes, arena, ret_record) == VTS_OK ? VTS_OK : VTS_ERR_NOMEM;
}

enum vts_err vts_keeper_job_read(const struct vts_keeper_job *job, struct vts_arena *arena,
                                 Vtstatus__Store__V1__JobRecord **ret_record)
{
    return unpack_ours(vts_str_make(job->record, job->record_len), arena, ret_record);
}

enum vts_err vts_keeper_job_read_staged(const struct vts_keeper_job *job, struct vts_arena *arena,
                                        Vtstatus__Store__V1__JobRecord **ret_record)
{
    if (job->staged == NULL)
        return vts_keeper_job_read(job, arena, ret_record);
    return unpack_ours(vts_str_make(job->staged->record, job->staged->record_len), arena,
                       ret_record);
}

uint8_t vts_keeper_state_of(const Vtstatus__Store__V1__JobRecord *record)
{
    if (record->tombstone_expire_time != NULL)
        return VTS_KEEPER_TOMBSTONE;
    return (uint8_t)record->job->status->state;
}

uint8_t vts_keeper_job_state_staged(const struct vts_keeper_job *job)
{
    return job->staged == NULL ? job->state : job->staged->state;
}

bool vts_keeper_is_over(uint8_t state)
{
    return state == VTS_KEEPER_TOMBSTONE || vts_job_is_done((enum vts_job_state)state);
}

int64_t vts_keeper_due_ns(const Vtstatus__Store__V1__JobRecord *record)
{
    return vts_keeper_is_over(vts_keeper_state_of(record)) ? vts_job_forget_ns(record)
                                                           : vts_job_due_ns(record);
}

/* ---- jobs -------------------------------------------------------------------------------- */

static enum vts_err fill_from(struct vts_keeper *keeper, struct vts_keeper_job *job,
                              const Vtstatus__Store__V1__JobRecord *record)
{
    if (record->job->create_time != NULL)
        job->create_ns = vts_pb_timestamp_ns(record->job->create_time);
    if (record->tombstone_expire_time != NULL)
        return VTS_OK;
    job->priority = (int16_t)record->job->priority;
    job->labels = bits_of_job(record->job);
    job->queue = vts_keeper_queue_ref(keeper, vts_str_of(record->job->queue));
    return job->queue == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

uint32_t vts_keeper_hash(const struct vts_keeper *keeper, struct vts_str text)
{
    return (uint32_t)vts_hash(&keeper->hash_key, text);
}

static struct vts_keeper_job *make_job(struct vts_keeper *keeper,
                                       const Vtstatus__Store__V1__JobRecord *record)
{
    struct vts_str id = vts_str_of(record->job->id);
    struct vts_keeper_job *job = vts_mem_zalloc(sizeof(*job) + id.len);

    if (job == NULL)
        return NULL;
    memcpy(job->id, id.ptr, id.len);
    job->id_len = (uint8_t)id.len;
    job->timer.due_ns = INT64_MAX;
    job->hash = vts_keeper_hash(keeper, id);
    if (fill_from(keeper, job, record) == VTS_OK)
        return job;
    vts_keeper_job_free(keeper, job);
    return NULL;
}

void vts_keeper_job_free(struct vts_keeper *keeper, struct vts_keeper_job *job)
{
    if (job == NULL)
        return;
    vts_keeper_queue_unref(keeper, job->queue);
    vts_mem_free(job->record);
    vts_mem_free(job);
}

static bool has_id(const void *item, const void *key)
{
    const struct vts_keeper_job *job = item;
    const struct vts_str *id = key;

    return vts_str_equals(vts_keeper_job_id(job), *id);
}

struct vts_keeper_job *vts_keeper_find(struct vts_keeper *keeper, struct vts_str id)
{
    return vts_table_find(&keeper->jobs, vts_keeper_hash(keeper, id), has_id, &id);
}

struct vts_keeper_job *vts_keeper_add_job(struct vts_keeper *keeper,
                                          const Vtstatus__Store__V1__JobRecord *record)
{
    size_t count = keeper->jobs.count + 1;
    struct vts_keeper_job *job;

    if (vts_table_reserve(&keeper->jobs, count) != VTS_OK ||
        vts_table_reserve(&keeper->ids.requests, count) != VTS_OK ||
        vts_heap_reserve(&keeper->timers, count) != VTS_OK)
        return NULL;
    job = make_job(keeper, record);
    if (job == NULL)
        return NULL;
    vts_table_add(&keeper->jobs, job->hash, job);
    vts_keeper_add_request(keeper, job, record->request_id);
    return job;
}

void vts_keeper_list_job(struct vts_keeper *keeper, struct vts_keeper_job *job)
{
    struct vts_job_place place = vts_keeper_job_place(job);

    vts_tree_insert(&keeper->listed, &place, &job->listed);
    job->is_listed = true;
}

void vts_keeper_bury_job(struct vts_keeper *keeper, struct vts_keeper_job *job)
{
    struct vts_job_place place = vts_keeper_job_place(job);

    if (job->is_listed)
        vts_tree_remove(&keeper->listed, &place, &job->listed);
    job->is_listed = false;
    vts_keeper_queue_unref(keeper, job->queue);
    job->queue = NULL;
}

void vts_keeper_drop_job(struct vts_keeper *keeper, struct vts_keeper_job *job)
{
    vts_keeper_bury_job(keeper, job);
    vts_keeper_remove_request(keeper, job);
    vts_heap_remove(&keeper->timers, &job->timer);
    vts_table_remove(&keeper->jobs, job->hash, job);
}

void vts_keeper_set_timer(struct vts_keeper *keeper, struct vts_keeper_job *job, int64_t due_ns)
{
    if (due_ns != INT64_MAX) {
        vts_heap_set(&keeper->timers, &job->timer, due_ns);
        return;
    }
    vts_heap_remove(&keeper->timers, &job->timer);
    job->timer.due_ns = INT64_MAX;
}
