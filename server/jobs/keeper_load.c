/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_load.c - the start: from the store's records to jobs, queues, timers, the board, and
 * estimates.
 *
 * The store tells the records in any order. What wants an order gets it afterwards, sorted once,
 * since a tree that is filled in order is filled fast.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/jobs/job.h"
#include "server/jobs/keeper_publisher.h"

enum {
    AGED_CAP_MIN = 1024,
    LEARNED_MAX = 4096, /* jobs that estimates are learned from */
};

/* What decides the order of jobs, nearly always: the age and the first letters of the id. It stands
 * beside the job, for looking at a million jobs again and again takes longer than all the rest. */
struct aged {
    int64_t create_ns;
    uint64_t letters;
    struct vts_keeper_job *job;
};

struct loading {
    struct vts_keeper *keeper;
    struct vts_keeper_publisher publisher;
    struct vts_error *error;
    struct aged *aged; /* all jobs but tombstones */
    size_t aged_cap;
    size_t aged_count;
};

/* ---- order ------------------------------------------------------------------------------- */

/* As a number, the first letter highest; nothing counts as a letter before all others. */
static uint64_t first_letters(const struct vts_keeper_job *job)
{
    uint64_t letters = 0;

    for (size_t i = 0; i < sizeof(letters); i++)
        letters = letters << 8 | (i < job->id_len ? (unsigned char)job->id[i] : 0);
    return letters;
}

static enum vts_err note_age(struct loading *loading, struct vts_keeper_job *job)
{
    if (loading->aged_count == loading->aged_cap) {
        size_t cap = loading->aged_cap == 0 ? AGED_CAP_MIN : 2 * loading->aged_cap;
        struct aged *aged = vts_mem_realloc(loading->aged, cap * sizeof(*aged));

        if (aged == NULL)
            return VTS_ERR_NOMEM;
        loading->aged = aged;
        loading->aged_cap = cap;
    }
    loading->aged[loading->aged_count++] = (struct aged){job->create_ns, first_letters(job), job};
    return VTS_OK;
}

static int order_aged(const void *a, const void *b)
{
    const struct aged *first = a;
    const struct aged *second = b;
    struct vts_job_place place;

    if (first->create_ns != second->create_ns)
        return first->create_ns < second->create_ns ? -1 : 1;
    if (first->letters != second->letters)
        return first->letters < second->letters ? -1 : 1;
    place = vts_keeper_job_place(first->job);
    return vts_keeper_order_listed(&place, second->job);
}

static void put_in_order(struct loading *loading)
{
    struct vts_keeper *keeper = loading->keeper;

    if (loading->aged_count > 0)
        qsort(loading->aged, loading->aged_count, sizeof(*loading->aged), order_aged);
    for (size_t i = 0; i < loading->aged_count; i++) {
        struct vts_keeper_job *job = loading->aged[i].job;
        bool is_ready = job->is_ready;

        vts_keeper_list_job(keeper, job);
        job->is_ready = false; /* until it is in the tree */
        vts_keeper_set_ready(keeper, job, is_ready);
    }
}

/* ---- estimates ----------------------------------------------------------------------------- */

/* Learns anew from the youngest jobs that have succeeded, the older ones first. */
static enum vts_err learn(struct loading *loading)
{
    struct vts_keeper *keeper = loading->keeper;
    size_t first = loading->aged_count;
    size_t learned_count = 0;
    enum vts_err err = VTS_OK;

    while (first > 0 && learned_count < LEARNED_MAX)
        learned_count += loading->aged[--first].job->state == VTS_JOB_SUCCEEDED;
    for (size_t i = first; i < loading->aged_count && err == VTS_OK; i++) {
        Vtstatus__Store__V1__JobRecord *record;

        if (loading->aged[i].job->state != VTS_JOB_SUCCEEDED)
            continue;
        err = vts_keeper_job_read(loading->aged[i].job, &keeper->scratch, &record);
        if (err == VTS_OK)
            vts_estimator_learn(keeper->estimator, record);
        vts_arena_rewind(&keeper->scratch);
    }
    return err;
}

/* Jobs that run were published when nothing was learned yet. What waits gets its estimate with its
 * next revision: there may be a million of it, and how long it waits has just changed. */
static enum vts_err publish_estimates(struct loading *loading)
{
    struct vts_keeper *keeper = loading->keeper;
    enum vts_err err = VTS_OK;

    for (size_t i = 0; i < loading->aged_count && err == VTS_OK; i++)
        if (loading->aged[i].job->state == VTS_JOB_RUNNING) {
            err = vts_keeper_publish_loaded(keeper, loading->aged[i].job, &keeper->scratch);
            vts_arena_rewind(&keeper->scratch);
        }
    return err;
}

/* ---- records ----------------------------------------------------------------------------- */

static enum vts_err refuse(struct loading *loading, struct vts_str id, const char *why)
{
    return vts_error_set(loading->error, VTS_ERR_INVALID,
                         "the store's record of job \"%.*s\" is no good: %s", (int)id.len, id.ptr,
                         why);
}

/* What is wrong with the record, or NULL. */
static const char *check(struct vts_keeper *keeper, struct vts_str id, uint64_t version,
                         const Vtstatus__Store__V1__JobRecord *record)
{
    const char *wrong = vts_job_check(record);

    if (wrong != NULL)
        return wrong;
    if (!vts_str_equals_text(id, record->job->id))
        return "it is another job's";
    if (record->version != version)
        return "its version is not the store's";
    if (vts_keeper_find(keeper, id) != NULL)
        return "there are two";
    return NULL;
}

static enum vts_err add(struct loading *loading, const Vtstatus__Store__V1__JobRecord *record,
                        struct vts_str bytes)
{
    struct vts_keeper *keeper = loading->keeper;
    struct vts_keeper_job *job = vts_keeper_add_job(keeper, record);

    if (job == NULL)
        return VTS_ERR_NOMEM;
    job->record = vts_mem_alloc(bytes.len);
    if (job->record == NULL)
        return VTS_ERR_NOMEM;
    memcpy(job->record, bytes.ptr, bytes.len);
    job->record_len = (uint32_t)bytes.len;
    job->state = vts_keeper_state_of(record);
    vts_keeper_set_timer(keeper, job, vts_keeper_due_ns(record));
    job->is_ready = vts_job_is_leasable(record, keeper->batch.wall_ns);
    if (job->state == VTS_KEEPER_TOMBSTONE)
        return VTS_OK;
    if (note_age(loading, job) != VTS_OK)
        return VTS_ERR_NOMEM;
    return vts_keeper_publisher_add(&loading->publisher, job);
}

static enum vts_err load_record(void *context, struct vts_str id, uint64_t version,
                                struct vts_str bytes)
{
    struct loading *loading = context;
    struct vts_keeper *keeper = loading->keeper;
    Vtstatus__Store__V1__JobRecord *record;
    const char *wrong;
    enum vts_err err = vts_keeper_unpack(bytes, &keeper->scratch, &record);

    if (err == VTS_ERR_INVALID || (err == VTS_OK && bytes.len > UINT32_MAX)) {
        err = refuse(loading, id, "it cannot be read");
    } else if (err == VTS_OK) {
        wrong = check(keeper, id, version, record);
        err = wrong == NULL ? add(loading, record, bytes) : refuse(loading, id, wrong);
    }
    vts_arena_rewind(&keeper->scratch);
    return err;
}

enum vts_err vts_keeper_load(struct vts_keeper *keeper, struct vts_error *error)
{
    struct vts_store *store = keeper->options.store;
    struct loading loading = {.keeper = keeper, .error = error};
    enum vts_err err;
    enum vts_err publish_err;

    vts_keeper_publisher_init(&loading.publisher, keeper);
    err = store->ops->load(store, load_record, &loading, error);
    if (err == VTS_OK)
        put_in_order(&loading);
    publish_err = vts_keeper_publisher_end(&loading.publisher);
    if (err == VTS_OK)
        err = publish_err;
    if (err == VTS_OK)
        err = learn(&loading);
    if (err == VTS_OK)
        err = publish_estimates(&loading);
    vts_mem_free(loading.aged);
    if (err == VTS_ERR_NOMEM || err == VTS_ERR_LIMIT)
        err = vts_error_set(error, err, "there is no memory for all jobs of the store");
    return err;
}
