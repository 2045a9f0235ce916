/* SPDX-License-Identifier: Apache-2.0 */
/* label_log.c - a log a label: a table of entries by job, and a tree of them by their last change.
 *
 * An entry that changes goes to the end. A reader finds the first entry behind the last one it has
 * read, so it needs no place of its own in the log. A job that is removed leaves a stone, which
 * stays until all who were there have read it.
 *
 * A new log is filled from the board, shard by shard, by its readers. An entry is made while its
 * shard is locked, and the board is changed before the log is told of it; so the log never keeps
 * what the board has lost. Locks are taken in this order: shard, logs.
 */
#include "server/jobs/label_log.h"

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/base/table.h"
#include "common/base/tree.h"

enum { GATHERED_AT_ONCE = 4096 }; /* jobs that are looked at in one call */

struct entry {
    struct vts_tree_node node;
    struct vts_list link;          /* among the stones, or those that are done, or alone */
    struct vts_snapshot *snapshot; /* NULL: it is a stone */
    uint64_t change;
    size_t owed_count; /* of a stone: readers who have not read it */
    uint32_t hash;     /* of the id */
    bool is_gathered;  /* from the board, and has not changed since */
    size_t id_len;
    char id[];
};

struct vts_label_log {
    struct vts_list readers;
    size_t readers_count;
    struct vts_table entries;
    struct vts_tree by_change;
    struct vts_list done;   /* entries of jobs that are done, the oldest change first */
    struct vts_list stones; /* likewise */
    uint64_t last_change;
    unsigned next_shard;
    enum vts_err err; /* VTS_OK while it is whole */
    uint32_t hash;
    size_t label_len;
    char label[];
};

struct vts_label_logs {
    struct vts_board *board;
    uint64_t jobs_max;
    uint64_t entries_max;
    struct vts_hash_key hash_key;
    _Atomic size_t logs_count;
    pthread_mutex_t lock; /* for the rest, the logs and the readers */
    uint64_t entries_count;
    struct vts_table logs;
};

/* ---- logs -------------------------------------------------------------------------------- */

enum vts_err vts_label_logs_new(struct vts_board *board, uint64_t jobs_max, uint64_t entries_max,
                                struct vts_label_logs **ret_logs)
{
    struct vts_label_logs *logs = vts_mem_zalloc(sizeof(*logs));

    if (logs == NULL)
        return VTS_ERR_NOMEM;
    logs->board = board;
    logs->jobs_max = jobs_max;
    logs->entries_max = entries_max;
    logs->hash_key = vts_hash_key_from_system();
    (void)pthread_mutex_init(&logs->lock, NULL); /* cannot fail on Linux */
    *ret_logs = logs;
    return VTS_OK;
}

void vts_label_logs_free(struct vts_label_logs *logs)
{
    if (logs == NULL)
        return;
    VTS_ASSERT(logs->logs.count == 0);
    vts_table_fini(&logs->logs);
    (void)pthread_mutex_destroy(&logs->lock);
    vts_mem_free(logs);
}

/* A log is there before its first reader looks at the board. Who changed a shard before that look
 * may miss the log here, for the look sees the change; who changes it later has taken the shard's
 * lock after the look gave it back, and so sees the log. */
bool vts_label_logs_are_read(const struct vts_label_logs *logs)
{
    return atomic_load_explicit(&logs->logs_count, memory_order_relaxed) > 0;
}

static bool has_label(const void *item, const void *key)
{
    const struct vts_label_log *log = item;
    const struct vts_str *label = key;

    return vts_str_equals(vts_str_make(log->label, log->label_len), *label);
}

static struct vts_label_log *find_log(struct vts_label_logs *logs, struct vts_str label,
                                      uint32_t hash)
{
    return vts_table_find(&logs->logs, hash, has_label, &label);
}

static int order_changes(const void *key, const struct vts_tree_node *node)
{
    const uint64_t *change = key;
    const struct entry *entry = VTS_CONTAINER_OF(node, const struct entry, node);

    return (*change > entry->change) - (*change < entry->change);
}

static uint32_t rank_entry(const struct vts_tree_node *node)
{
    return VTS_CONTAINER_OF(node, const struct entry, node)->hash;
}

static const struct vts_tree_ops by_change_ops = {.order = order_changes, .rank = rank_entry};

/* NULL without memory. */
static struct vts_label_log *add_log(struct vts_label_logs *logs, struct vts_str label,
                                     uint32_t hash)
{
    struct vts_label_log *log = vts_mem_zalloc(sizeof(*log) + label.len);

    if (log == NULL || vts_table_reserve(&logs->logs, logs->logs.count + 1) != VTS_OK) {
        vts_mem_free(log);
        return NULL;
    }
    vts_list_init(&log->readers);
    vts_list_init(&log->done);
    vts_list_init(&log->stones);
    log->by_change.ops = &by_change_ops;
    log->hash = hash;
    log->label_len = label.len;
    memcpy(log->label, label.ptr, label.len);
    vts_table_add(&logs->logs, hash, log);
    atomic_fetch_add_explicit(&logs->logs_count, 1, memory_order_relaxed);
    return log;
}

static void free_log(struct vts_label_logs *logs, struct vts_label_log *log)
{
    vts_table_remove(&logs->logs, log->hash, log);
    atomic_fetch_sub_explicit(&logs->logs_count, 1, memory_order_relaxed);
    for (size_t slot = 0; slot < log->entries.cap; slot++) {
        struct entry *entry = log->entries.items[slot];

        if (log->entries.hashes[slot] == 0)
            continue;
        vts_snapshot_unref(entry->snapshot);
        vts_mem_free(entry);
    }
    logs->entries_count -= log->entries.count;
    vts_table_fini(&log->entries);
    vts_mem_free(log);
}

/* ---- entries ----------------------------------------------------------------------------- */

static bool is_of_job(const void *item, const void *key)
{
    const struct entry *entry = item;
    const struct vts_str *id = key;

    return vts_str_equals(vts_str_make(entry->id, entry->id_len), *id);
}

static void drop_entry(struct vts_label_logs *logs, struct vts_label_log *log, struct entry *entry)
{
    vts_tree_remove(&log->by_change, &entry->change, &entry->node);
    vts_table_remove(&log->entries, entry->hash, entry);
    vts_list_remove(&entry->link);
    vts_snapshot_unref(entry->snapshot);
    vts_mem_free(entry);
    logs->entries_count--;
}

/* Readers who have still to hear what the entry says cannot go on. Who gets it as one of the things
 * that were so before it came goes without. */
static void lose_readers(struct vts_label_log *log, const struct entry *entry)
{
    struct vts_list *readers = &log->readers;

    if (entry->is_gathered)
        return;
    for (struct vts_list *link = readers->next; link != readers; link = link->next) {
        struct vts_label_reader *reader = VTS_CONTAINER_OF(link, struct vts_label_reader, link);

        if (entry->change > reader->place && entry->change > reader->joined)
            reader->is_lost = true;
    }
}

/* Whether there is room for one more entry. */
static bool make_room(struct vts_label_logs *logs, struct vts_label_log *log)
{
    struct vts_list *list = vts_list_is_empty(&log->stones) ? &log->done : &log->stones;
    struct entry *entry;

    if (log->entries.count < logs->jobs_max && logs->entries_count < logs->entries_max)
        return true;
    if (vts_list_is_empty(list))
        return false;
    entry = VTS_CONTAINER_OF(list->next, struct entry, link);
    lose_readers(log, entry);
    drop_entry(logs, log, entry);
    return true;
}

static enum vts_err add_entry(struct vts_label_logs *logs, struct vts_label_log *log,
                              struct vts_str id, uint32_t hash, struct entry **ret_entry)
{
    struct entry *entry;

    if (!make_room(logs, log))
        return VTS_ERR_LIMIT;
    entry = vts_mem_zalloc(sizeof(*entry) + id.len);
    if (entry == NULL || vts_table_reserve(&log->entries, log->entries.count + 1) != VTS_OK) {
        vts_mem_free(entry);
        return VTS_ERR_NOMEM;
    }
    vts_list_init(&entry->link);
    entry->hash = hash;
    entry->id_len = id.len;
    memcpy(entry->id, id.ptr, id.len);
    vts_table_add(&log->entries, hash, entry);
    logs->entries_count++;
    *ret_entry = entry;
    return VTS_OK;
}

/* The entry, which is in the table, says that from now on, at the end of the log. snapshot is NULL
 * when the job was removed. */
static void set_entry(struct vts_label_log *log, struct entry *entry, struct vts_snapshot *snapshot,
                      bool is_gathered)
{
    vts_list_remove(&entry->link);
    if (entry->change != 0)
        vts_tree_remove(&log->by_change, &entry->change, &entry->node);
    vts_snapshot_unref(entry->snapshot);
    entry->snapshot = snapshot == NULL ? NULL : vts_snapshot_ref(snapshot);
    entry->is_gathered = is_gathered;
    entry->owed_count = log->readers_count;
    entry->change = ++log->last_change;
    vts_tree_insert(&log->by_change, &entry->change, &entry->node);
    if (snapshot == NULL)
        vts_list_push_back(&log->stones, &entry->link);
    else if (vts_snapshot_is_done(snapshot))
        vts_list_push_back(&log->done, &entry->link);
}

/* With the lock held. */
static void note(struct vts_label_logs *logs, struct vts_label_log *log,
                 struct vts_snapshot *snapshot, bool is_removed, bool is_gathered)
{
    struct vts_str id = vts_snapshot_job_id(snapshot);
    uint32_t hash = (uint32_t)vts_hash(&logs->hash_key, id);
    struct entry *entry = vts_table_find(&log->entries, hash, is_of_job, &id);

    if (log->err != VTS_OK)
        return;
    if (entry == NULL)
        log->err = add_entry(logs, log, id, hash, &entry);
    else if (!is_removed && entry->snapshot == snapshot)
        return;
    if (log->err == VTS_OK)
        set_entry(log, entry, is_removed ? NULL : snapshot, is_gathered);
}

bool vts_label_logs_note(struct vts_label_logs *logs, struct vts_str label,
                         struct vts_snapshot *snapshot, bool is_removed)
{
    uint32_t hash = (uint32_t)vts_hash(&logs->hash_key, label);
    struct vts_label_log *log;

    pthread_mutex_lock(&logs->lock);
    log = find_log(logs, label, hash);
    if (log != NULL)
        note(logs, log, snapshot, is_removed, false);
    pthread_mutex_unlock(&logs->lock);
    return log != NULL;
}

/* ---- gathering --------------------------------------------------------------------------- */

/* In the shard's lock. */
static void gather_one(struct vts_snapshot *snapshot, void *context)
{
    const struct vts_label_reader *reader = context;
    struct vts_label_log *log = reader->log;

    if (!vts_snapshot_has_label(snapshot, vts_str_make(log->label, log->label_len)))
        return;
    pthread_mutex_lock(&reader->logs->lock);
    note(reader->logs, log, snapshot, false, true);
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
    log = find_log(logs, label, hash);
    if (log == NULL)
        log = add_log(logs, label, hash);
    if (log != NULL) {
        *reader = (struct vts_label_reader){.logs = logs, .log = log, .joined = log->last_change};
        vts_list_push_back(&log->readers, &reader->link);
        log->readers_count++;
    }
    pthread_mutex_unlock(&logs->lock);
    return log == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

/* The reader needs the stone no more. Whoever came after it never did. */
static void settle_stone(const struct vts_label_reader *reader, struct entry *stone)
{
    if (stone->change > reader->joined && --stone->owed_count == 0)
        drop_entry(reader->logs, reader->log, stone);
}

static void settle_stones(const struct vts_label_reader *reader)
{
    struct vts_list *stones = &reader->log->stones;
    struct vts_list *next;

    for (struct vts_list *link = stones->next; link != stones; link = next) {
        struct entry *stone = VTS_CONTAINER_OF(link, struct entry, link);

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
        free_log(logs, log);
    pthread_mutex_unlock(&logs->lock);
}

static bool take_first(struct vts_tree_node *node, void *context)
{
    *(struct entry **)context = VTS_CONTAINER_OF(node, struct entry, node);
    return false;
}

/* With the lock held; what the entry says goes to the caller. False for what is none of the
 * reader's. */
static bool read_entry(struct vts_label_reader *reader, struct entry *entry,
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
    struct entry *entry;

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
