/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_ids.c - names that the keeper makes up, and the requests it remembers.
 *
 * A request is remembered by the job it made: the table holds jobs by the hash of their request_id,
 * and which one is meant is read in its record, or in what is left of that when the job is gone. So
 * there is nothing to forget but jobs; those whose time is over are passed by.
 */
#include <string.h>
#include <sys/random.h>

#include "server/jobs/job_record.h"
#include "server/jobs/keeper_parts.h"

void vts_keeper_ids_init(struct vts_keeper_ids *ids, uint64_t seed)
{
    ids->is_seeded = seed != 0;
    vts_rng_init(&ids->rng, seed);
}

/* Up to 256 bytes come whole, but for a signal before the kernel has any (getrandom(2)). */
static void fill_pool(struct vts_keeper_ids *ids)
{
    while (getrandom(ids->pool, sizeof(ids->pool), 0) != (ssize_t)sizeof(ids->pool)) {
    }
    ids->pool_len = sizeof(ids->pool);
}

static uint8_t random_byte(struct vts_keeper_ids *ids)
{
    uint8_t byte;

    if (ids->is_seeded)
        return (uint8_t)(vts_rng_next(&ids->rng) >> 56);
    if (ids->pool_len == 0)
        fill_pool(ids);
    byte = ids->pool[--ids->pool_len];
    ids->pool[ids->pool_len] = 0; /* it is a secret of whoever gets it */
    return byte;
}

void vts_keeper_make_id(struct vts_keeper_ids *ids, char ret_id[VTS_KEEPER_ID_BYTES])
{
    static const char letters[] = "0123456789abcdefghjkmnpqrstvwxyz";

    for (int i = 0; i < VTS_KEEPER_ID_BYTES - 1; i++)
        ret_id[i] = letters[random_byte(ids) % 32];
    ret_id[VTS_KEEPER_ID_BYTES - 1] = '\0';
}

/* ---- requests ---------------------------------------------------------------------------- */

/* 0 says that a job has none. */
static uint32_t hash_request(const struct vts_keeper *keeper, const char *request_id)
{
    uint32_t hash = vts_keeper_hash(keeper, vts_str_of(request_id));

    return hash == 0 ? 1 : hash;
}

struct search {
    struct vts_keeper *keeper;
    const char *request_id;
    enum vts_err err;
};

static bool is_fresh(const struct vts_keeper *keeper, const struct vts_keeper_job *job)
{
    return vts_job_request_is_remembered(job->create_ns, keeper->batch.wall_ns);
}

/* Without memory to look, what may be the job is taken for it. */
static bool has_request_id(const void *item, const void *key)
{
    const struct vts_keeper_job *job = item;
    struct search *search = (struct search *)(uintptr_t)key;
    Vtstatus__Store__V1__JobRecord *record;
    bool matches;

    if (!is_fresh(search->keeper, job))
        return false;
    search->err = vts_keeper_job_read_staged(job, &search->keeper->scratch, &record);
    matches = search->err != VTS_OK || strcmp(record->request_id, search->request_id) == 0;
    vts_arena_rewind(&search->keeper->scratch);
    return matches;
}

enum vts_err vts_keeper_find_request(struct vts_keeper *keeper, const char *request_id,
                                     struct vts_keeper_job **ret_job)
{
    struct search search = {.keeper = keeper, .request_id = request_id};
    struct vts_keeper_job *job = NULL;

    if (request_id[0] != '\0')
        job = vts_table_find(&keeper->ids.requests, hash_request(keeper, request_id),
                             has_request_id, &search);
    if (search.err != VTS_OK)
        return search.err;
    *ret_job = job;
    return VTS_OK;
}

void vts_keeper_add_request(struct vts_keeper *keeper, struct vts_keeper_job *job,
                            const char *request_id)
{
    if (request_id[0] == '\0' || !is_fresh(keeper, job))
        return;
    job->request_hash = hash_request(keeper, request_id);
    vts_table_add(&keeper->ids.requests, job->request_hash, job);
}

void vts_keeper_remove_request(struct vts_keeper *keeper, struct vts_keeper_job *job)
{
    if (job->request_hash != 0)
        vts_table_remove(&keeper->ids.requests, job->request_hash, job);
    job->request_hash = 0;
}
