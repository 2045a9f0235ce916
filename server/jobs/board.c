/* SPDX-License-Identifier: Apache-2.0 */
/* board.c - a hash table of snapshots in shards, each with a short lock.
 *
 * A snapshot knows its job's id, so the tables hold nothing but snapshots. A reader holds a lock
 * only to find one and take a reference. The hash serves twice: its low half chooses the slot, its
 * highest bits the shard.
 */
#include "server/jobs/board.h"

#include <pthread.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/base/table.h"

enum { SHARDS = VTS_BOARD_SHARDS, SHARD_BITS = 6 };

struct shard {
    pthread_mutex_t lock;
    struct vts_table snapshots; /* each with a reference */
};

struct vts_board {
    struct vts_hash_key hash_key;
    struct vts_schedule schedule;
    uint64_t spread_seed;
    struct shard shards[SHARDS];
};

/* Where a job is. */
struct place {
    struct shard *shard;
    uint32_t hash;
};

static const struct vts_schedule default_schedule = {.min_ns = (int64_t)200 * VTS_NS_PER_MS,
                                                     .max_ns = (int64_t)30 * VTS_NS_PER_S};

enum vts_err vts_board_new(struct vts_board **ret_board)
{
    struct vts_board *board = vts_mem_zalloc(sizeof(*board));

    if (board == NULL)
        return VTS_ERR_NOMEM;
    board->schedule = default_schedule;
    board->hash_key = vts_hash_key_from_system();
    board->spread_seed = vts_rng_seed_from_system();
    for (int i = 0; i < SHARDS; i++)
        (void)pthread_mutex_init(&board->shards[i].lock, NULL); /* cannot fail on Linux */
    *ret_board = board;
    return VTS_OK;
}

void vts_board_set_schedule(struct vts_board *board, const struct vts_schedule *schedule)
{
    board->schedule = *schedule;
}

static void shard_fini(struct shard *shard)
{
    for (size_t slot = 0; slot < shard->snapshots.cap; slot++)
        if (shard->snapshots.hashes[slot] != 0)
            vts_snapshot_unref(shard->snapshots.items[slot]);
    vts_table_fini(&shard->snapshots);
    (void)pthread_mutex_destroy(&shard->lock);
}

void vts_board_free(struct vts_board *board)
{
    if (board == NULL)
        return;
    for (int i = 0; i < SHARDS; i++)
        shard_fini(&board->shards[i]);
    vts_mem_free(board);
}

static struct place find_place(struct vts_board *board, struct vts_str id)
{
    uint64_t hash = vts_hash(&board->hash_key, id);

    return (struct place){&board->shards[hash >> (64 - SHARD_BITS)], (uint32_t)hash};
}

static bool is_of_job(const void *item, const void *key)
{
    const struct vts_str *id = key;

    return vts_str_equals(vts_snapshot_job_id(item), *id);
}

/* With the lock held. */
static struct vts_snapshot *find_snapshot(struct place place, struct vts_str id)
{
    return vts_table_find(&place.shard->snapshots, place.hash, is_of_job, &id);
}

enum vts_err vts_board_publish(struct vts_board *board, struct vts_snapshot *snapshot)
{
    struct vts_str id = vts_snapshot_job_id(snapshot);
    struct place place = find_place(board, id);
    struct vts_table *snapshots = &place.shard->snapshots;
    struct vts_snapshot *old;
    enum vts_err err;

    vts_snapshot_set_number(snapshot, (uint16_t)place.hash);
    pthread_mutex_lock(&place.shard->lock);
    old = find_snapshot(place, id);
    if (old != NULL)
        vts_table_remove(snapshots, place.hash, old);
    err = vts_table_reserve(snapshots, snapshots->count + 1); /* cannot fail after a removal */
    if (err == VTS_OK)
        vts_table_add(snapshots, place.hash, snapshot);
    pthread_mutex_unlock(&place.shard->lock);
    vts_snapshot_unref(err == VTS_OK ? old : snapshot);
    return err;
}

struct vts_snapshot *vts_board_remove(struct vts_board *board, struct vts_str job_id)
{
    struct place place = find_place(board, job_id);
    struct vts_snapshot *snapshot;

    pthread_mutex_lock(&place.shard->lock);
    snapshot = find_snapshot(place, job_id);
    if (snapshot != NULL)
        vts_table_remove(&place.shard->snapshots, place.hash, snapshot);
    pthread_mutex_unlock(&place.shard->lock);
    return snapshot;
}

size_t vts_board_visit(struct vts_board *board, unsigned shard, vts_board_visit_fn visit,
                       void *context)
{
    struct shard *place = &board->shards[shard];
    const struct vts_table *snapshots = &place->snapshots;
    size_t count;

    VTS_ASSERT(shard < SHARDS);
    pthread_mutex_lock(&place->lock);
    count = snapshots->count;
    for (size_t slot = 0; slot < snapshots->cap; slot++)
        if (snapshots->hashes[slot] != 0)
            visit(snapshots->items[slot], context);
    pthread_mutex_unlock(&place->lock);
    return count;
}

struct vts_status_view vts_status_view_of(const struct vts_board *board,
                                          struct vts_snapshot *snapshot, int64_t now_ns)
{
    struct vts_status_view view = {.snapshot = snapshot, .poll_after_ns = -1};

    if (!vts_snapshot_is_done(snapshot))
        view.poll_after_ns = vts_schedule_poll_after_ns(
            &board->schedule, vts_snapshot_expected_end_ns(snapshot), now_ns);
    return view;
}

/* Every bit counts for every other (the finalizer of MurmurHash3, by Austin Appleby). */
static uint64_t stir(uint64_t word)
{
    word = (word ^ word >> 33) * UINT64_C(0xff51afd7ed558ccd);
    word = (word ^ word >> 33) * UINT64_C(0xc4ceb9fe1a85ec53);
    return word ^ word >> 33;
}

void vts_board_spread(const struct vts_board *board, uint64_t caller, struct vts_status_view *view)
{
    uint64_t chance = board->spread_seed ^ caller ^ vts_snapshot_number(view->snapshot);

    if (view->poll_after_ns < 0)
        return;
    view->poll_after_ns =
        vts_schedule_spread_ns(&board->schedule, view->poll_after_ns, (uint32_t)stir(chance));
}

struct vts_snapshot *vts_board_find(struct vts_board *board, struct vts_str job_id)
{
    struct place place = find_place(board, job_id);
    struct vts_snapshot *snapshot;

    pthread_mutex_lock(&place.shard->lock);
    snapshot = find_snapshot(place, job_id);
    if (snapshot != NULL)
        snapshot = vts_snapshot_ref(snapshot);
    pthread_mutex_unlock(&place.shard->lock);
    return snapshot;
}

enum vts_err vts_check_status(struct vts_board *board, struct vts_str job_id, int64_t now_ns,
                              struct vts_status_view *ret_view)
{
    struct vts_str id = job_id.len == 0 ? vts_str_of("default") : job_id;
    struct vts_snapshot *snapshot;

    if (!vts_job_id_is_valid(id))
        return VTS_ERR_INVALID;
    snapshot = vts_board_find(board, id);
    if (snapshot == NULL)
        return VTS_ERR_NOT_FOUND;
    *ret_view = vts_status_view_of(board, snapshot, now_ns);
    return VTS_OK;
}
