/* SPDX-License-Identifier: Apache-2.0 */
/* board.c - a hash table of snapshots in shards, each with a short lock.
 *
 * A reader holds a lock only to find the snapshot and take a reference.
 */
#include "server/jobs/board.h"

#include <pthread.h>
#include <string.h>

#define uthash_malloc(size) vts_mem_alloc(size)
#define uthash_free(ptr, size) vts_mem_free(ptr)
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "common/base/mem.h"
#include "server/jobs/schedule.h"

enum { SHARDS = 64 };

struct entry {
    UT_hash_handle hh;
    struct vts_snapshot *snapshot;
    char id[]; /* the key; as long as the job's id, without NUL */
};

struct shard {
    pthread_mutex_t lock;
    struct entry *entries;
};

struct vts_board {
    struct shard shards[SHARDS];
};

enum vts_err vts_board_new(struct vts_board **ret_board)
{
    struct vts_board *board = vts_mem_zalloc(sizeof(*board));

    if (board == NULL)
        return VTS_ERR_NOMEM;
    for (int i = 0; i < SHARDS; i++)
        (void)pthread_mutex_init(&board->shards[i].lock, NULL); /* cannot fail on Linux */
    *ret_board = board;
    return VTS_OK;
}

static void shard_fini(struct shard *shard)
{
    struct entry *entry;
    struct entry *next;

    HASH_ITER(hh, shard->entries, entry, next)
    {
        HASH_DELETE(hh, shard->entries, entry);
        vts_snapshot_unref(entry->snapshot);
        vts_mem_free(entry);
    }
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

/* The hash serves twice: its low bits choose the bucket, its high bits the shard. */
static unsigned hash_id(struct vts_str id)
{
    unsigned hash;

    HASH_VALUE(id.ptr, id.len, hash);
    return hash;
}

static struct shard *find_shard(struct vts_board *board, unsigned hash)
{
    return &board->shards[hash >> 26];
}

static struct entry *find_entry(struct shard *shard, struct vts_str id, unsigned hash)
{
    struct entry *entry;

    HASH_FIND_BYHASHVALUE(hh, shard->entries, id.ptr, id.len, hash, entry);
    return entry;
}

static enum vts_err add_entry(struct shard *shard, struct vts_snapshot *snapshot, unsigned hash)
{
    struct vts_str id = vts_snapshot_job_id(snapshot);
    struct entry *entry = vts_mem_zalloc(sizeof(*entry) + id.len);

    if (entry == NULL)
        return VTS_ERR_NOMEM;
    memcpy(entry->id, id.ptr, id.len);
    entry->snapshot = snapshot;
    HASH_ADD_KEYPTR_BYHASHVALUE(hh, shard->entries, entry->id, id.len, hash, entry);
    if (entry->hh.tbl != NULL)
        return VTS_OK;
    vts_mem_free(entry); /* uthash had no memory */
    return VTS_ERR_NOMEM;
}

enum vts_err vts_board_publish(struct vts_board *board, struct vts_snapshot *snapshot)
{
    struct vts_str id = vts_snapshot_job_id(snapshot);
    unsigned hash = hash_id(id);
    struct shard *shard = find_shard(board, hash);
    struct vts_snapshot *old = NULL;
    struct entry *entry;
    enum vts_err err = VTS_OK;

    pthread_mutex_lock(&shard->lock);
    entry = find_entry(shard, id, hash);
    if (entry == NULL) {
        err = add_entry(shard, snapshot, hash);
    } else {
        old = entry->snapshot;
        entry->snapshot = snapshot;
    }
    pthread_mutex_unlock(&shard->lock);
    vts_snapshot_unref(err == VTS_OK ? old : snapshot);
    return err;
}

void vts_board_remove(struct vts_board *board, struct vts_str job_id)
{
    unsigned hash = hash_id(job_id);
    struct shard *shard = find_shard(board, hash);
    struct entry *entry;

    pthread_mutex_lock(&shard->lock);
    entry = find_entry(shard, job_id, hash);
    if (entry != NULL)
        HASH_DELETE(hh, shard->entries, entry);
    pthread_mutex_unlock(&shard->lock);
    if (entry == NULL)
        return;
    vts_snapshot_unref(entry->snapshot);
    vts_mem_free(entry);
}

enum vts_err vts_check_status(struct vts_board *board, struct vts_str job_id, int64_t now_ns,
                              struct vts_status_view *ret_view)
{
    struct vts_str id = job_id.len == 0 ? vts_str_of("default") : job_id;
    struct vts_snapshot *snapshot = NULL;
    struct shard *shard;
    struct entry *entry;
    unsigned hash;

    if (!vts_job_id_is_valid(id))
        return VTS_ERR_INVALID;
    hash = hash_id(id);
    shard = find_shard(board, hash);
    pthread_mutex_lock(&shard->lock);
    entry = find_entry(shard, id, hash);
    if (entry != NULL)
        snapshot = vts_snapshot_ref(entry->snapshot);
    pthread_mutex_unlock(&shard->lock);
    if (snapshot == NULL)
        return VTS_ERR_NOT_FOUND;
    ret_view->snapshot = snapshot;
    ret_view->poll_after_ns =
        vts_snapshot_is_done(snapshot)
            ? -1
            : vts_schedule_poll_after_ns(vts_snapshot_expected_end_ns(snapshot), now_ns);
    return VTS_OK;
}
