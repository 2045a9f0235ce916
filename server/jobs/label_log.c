/* SPDX-License-Identifier: Apache-2.0 */
/* label_log.c - a log a label: a table of entries by job, and a tree of them by their last change.
 *
 * An entry that changes goes to the end. A job that is removed leaves a stone, which stays until
 * all who were there have read it.
 */
#include "common/base/assert.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/jobs/label_log_parts.h"

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

struct vts_label_log *vts_label_log_find(struct vts_label_logs *logs, struct vts_str label,
                                         uint32_t hash)
{
    return vts_table_find(&logs->logs, hash, has_label, &label);
}

static int order_changes(const void *key, const struct vts_tree_node *node)
{
    const uint64_t *change = key;
    const struct vts_label_entry *entry =
        VTS_CONTAINER_OF(node, const struct vts_label_entry, node);

    return (*change > entry->change) - (*change < entry->change);
}

static uint32_t rank_entry(const struct vts_tree_node *node)
{
    return VTS_CONTAINER_OF(node, const struct vts_label_entry, node)->hash;
}

static const struct vts_tree_ops by_change_ops = {.order = order_changes, .rank = rank_entry};

struct vts_label_log *vts_label_log_add(struct vts_label_logs *logs, struct vts_str label,
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

void vts_label_log_free(struct vts_label_logs *logs, struct vts_label_log *log)
{
    vts_table_remove(&logs->logs, log->hash, log);
    atomic_fetch_sub_explicit(&logs->logs_count, 1, memory_order_relaxed);
    for (size_t slot = 0; slot < log->entries.cap; slot++) {
        struct vts_label_entry *entry = log->entries.items[slot];

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
    const struct vts_label_entry *entry = item;
    const struct vts_str *id = key;

    return vts_str_equals(vts_str_make(entry->id, entry->id_len), *id);
}

void vts_label_log_drop(struct vts_label_logs *logs, struct vts_label_log *log,
                        struct vts_label_entry *entry)
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
static void lose_readers(struct vts_label_log *log, const struct vts_label_entry *entry)
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
    struct vts_label_entry *entry;

    if (log->entries.count < logs->jobs_max && logs->entries_count < logs->entries_max)
        return true;
    if (vts_list_is_empty(list))
        return false;
    entry = VTS_CONTAINER_OF(list->next, struct vts_label_entry, link);
    lose_readers(log, entry);
    vts_label_log_drop(logs, log, entry);
    return true;
}

static enum vts_err add_entry(struct vts_label_logs *logs, struct vts_label_log *log,
                              struct vts_str id, uint32_t hash, struct vts_label_entry **ret_entry)
{
    struct vts_label_entry *entry;

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
static void set_entry(struct vts_label_log *log, struct vts_label_entry *entry,
                      struct vts_snapshot *snapshot, bool is_gathered)
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

void vts_label_log_note(struct vts_label_logs *logs, struct vts_label_log *log,
                        struct vts_snapshot *snapshot, bool is_removed, bool is_gathered)
{
    struct vts_str id = vts_snapshot_job_id(snapshot);
    uint32_t hash = (uint32_t)vts_hash(&logs->hash_key, id);
    struct vts_label_entry *entry = vts_table_find(&log->entries, hash, is_of_job, &id);

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
    log = vts_label_log_find(logs, label, hash);
    if (log != NULL)
        vts_label_log_note(logs, log, snapshot, is_removed, false);
    pthread_mutex_unlock(&logs->lock);
    return log != NULL;
}
