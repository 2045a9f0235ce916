/* SPDX-License-Identifier: Apache-2.0 */
/* label_reader.c - who reads a label's log, and how a new log is filled.
 *
 * A reader finds the first entry behind the last one it has read, so it needs no place of its own
 * in the log.
 *
 * A new log is filled from the board, shard by shard, by its readers. An entry is made while its
 * shard is locked, and the board is changed before the log is told of it; so the log never keeps
 * what the board has lost. Locks are taken in this order: shard, logs.
 */
#include <string.h>

#include "common/base/macros.h"
#include "server/jobs/label_log_parts.h"

enum { GATHERED_AT_ONCE = 4096 }; /* jobs that are looked at in one call */

/* ---- gathering --------------------------------------------------------------------------- */

/* In the shard's lock. */
static void gather_one(struct vts_snapshot *snapshot, void *context)
{
    const struct vts_label_reader *reader = context;
    struct vts_label_log *log = reader->log;

    if (!vts_snapshot_has_label(snapshot, vts_str_make(log->label, log->label_len)))
        return;
    pthread_mutex_lock(&reader->logs->lock);
    vts_label_log_note(reader->logs, log, snapshot, false, true);
    pthread_mutex_unlock(&reader->logs->lock);
}

/* The next piece of the board; two readers at once may take the same. */
static void gather(struct vts_label_reader *reader)
{
    struct vts_label_logs *logs = reader->logs;
    struct vts_label_log *log = reader->log;
    size_t looked_at_count = 0;
    unsigned shard;

    do {
        pthread_mutex_lock(&logs->lock);
        shard = log->next_shard;
        pthread_mutex_unlock(&logs->lock);
        if (shard == VTS_BOARD_SHARDS)
            return;
        looked_at_count += vts_board_visit(logs->board, shard, gather_one, reader);
        pthread_mutex_lock(&logs->lock);
        if (log->next_shard == shard)
            log->next_shard++;
        pthread_mutex_unlock(&logs->lock);
    } while (looked_at_count < GATHERED_AT_ONCE);
}

/* ---- readers ----------------------------------------------------------------------------- */

enum vts_err vts_label_reader_open(struct vts_label_logs *logs, struct vts_str label,
                                   struct vts_label_reader *reader)
{
    uint32_t hash = (uint32_t)vts_hash(&logs->hash_key, label);
    struct vts_label_log *log;

    pthread_mutex_lock(&logs->lock);
    log = vts_label_log_find(logs, label, hash);
    if (log == NULL)
        log = vts_label_log_add(logs, label, hash);
    if (log != NULL) {
        *reader = (struct vts_label_reader){.logs = logs, .log = log, .joined = log->last_change};
        vts_list_push_back(&log->readers, &reader->link);
        log->readers_count++;
    }
    pthread_mutex_unlock(&logs->lock);
    return log == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

/* The reader needs the stone no more. Whoever came after it never did. */
static void settle_stone(const struct vts_label_reader *reader, struct vts_label_entry *stone)
{
    if (stone->change > reader->joined && --stone->owed_count == 0)
        vts_label_log_drop(reader->logs, reader->log, stone);
}

static void settle_stones(const struct vts_label_reader *reader)
{
    struct vts_list *stones = &reader->log->stones;
    struct vts_list *next;

    for (struct vts_list *link = stones->next; link != stones; link = next) {
        struct vts_label_entry *stone = VTS_CONTAINER_OF(link, struct vts_label_entry, link);

        next = link->next;
        if (stone->change > reader->place)
            settle_stone(reader, stone);
    }
}

void vts_label_reader_close(struct vts_label_reader *reader)
{
    struct vts_label_logs *logs = reader->logs;
    struct vts_label_log *log = reader->log;

    pthread_mutex_lock(&logs->lock);
    settle_stones(reader);
    vts_list_remove(&reader->link);
    if (--log->readers_count == 0)
        vts_label_log_free(logs, log);
    pthread_mutex_unlock(&logs->lock);
}

static bool take_first(struct vts_tree_node *node, void *context)
{
    *(struct vts_label_entry **)context = VTS_CONTAINER_OF(node, struct vts_label_entry, node);
    return false;
}

/* With the lock held; what the entry says goes to the caller. False for what is none of the
 * reader's. */
static bool read_entry(struct vts_label_reader *reader, struct vts_label_entry *entry,
                       struct vts_label_news *ret_news)
{
    reader->place = entry->change;
    if (entry->snapshot != NULL) {
        ret_news->snapshot = vts_snapshot_ref(entry->snapshot);
        return true;
    }
    if (entry->change <= reader->joined)
        return false;
    ret_news->snapshot = NULL;
    memcpy(ret_news->removed_id, entry->id, entry->id_len);
    ret_news->removed_id[entry->id_len] = '\0';
    settle_stone(reader, entry);
    return true;
}

static enum vts_err read_next(struct vts_label_reader *reader, struct vts_label_news *ret_news,
                              bool *ret_is_gathering)
{
    struct vts_label_log *log = reader->log;
    struct vts_label_entry *entry;

    if (log->err != VTS_OK)
        return log->err;
    if (reader->is_lost)
        return VTS_ERR_LIMIT;
    do {
        entry = NULL;
        vts_tree_visit_after(&log->by_change, &reader->place, take_first, &entry);
    } while (entry != NULL && !read_entry(reader, entry, ret_news));
    *ret_is_gathering = log->next_shard < VTS_BOARD_SHARDS;
    return entry == NULL ? VTS_ERR_AGAIN : VTS_OK;
}

enum vts_err vts_label_reader_next(struct vts_label_reader *reader, struct vts_label_news *ret_news,
                                   bool *ret_is_gathering)
{
    enum vts_err err;

    pthread_mutex_lock(&reader->logs->lock);
    err = read_next(reader, ret_news, ret_is_gathering);
    pthread_mutex_unlock(&reader->logs->lock);
    if (err != VTS_ERR_AGAIN || !*ret_is_gathering)
        return err;
    gather(reader);
    pthread_mutex_lock(&reader->logs->lock);
    err = read_next(reader, ret_news, ret_is_gathering);
    pthread_mutex_unlock(&reader->logs->lock);
    return err;
}
