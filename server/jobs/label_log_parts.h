/* SPDX-License-Identifier: Apache-2.0 */
/* Logs of labels, as their files share them.
 *
 *   label_log.c     logs, and entries that are made and leave
 *   label_reader.c  readers, and the filling of new logs
 *
 * Inside these only. Everything but the board and the number of logs is under the one lock. */
#ifndef VTS_JOBS_LABEL_LOG_PARTS_H
#define VTS_JOBS_LABEL_LOG_PARTS_H

#include <pthread.h>
#include <stdatomic.h>

#include "common/base/hash.h"
#include "common/base/table.h"
#include "common/base/tree.h"
#include "server/jobs/label_log.h"

struct vts_label_entry {
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

/* The rest is for who holds the lock. hash is the label's. */

struct vts_label_log *vts_label_log_find(struct vts_label_logs *logs, struct vts_str label,
                                         uint32_t hash);
/* NULL without memory. */
struct vts_label_log *vts_label_log_add(struct vts_label_logs *logs, struct vts_str label,
                                        uint32_t hash);
/* With its entries, when it has no readers. */
void vts_label_log_free(struct vts_label_logs *logs, struct vts_label_log *log);
/* Notes the snapshot, or that it was removed, or that it was found there. What cannot be noted is
 * the log's error. */
void vts_label_log_note(struct vts_label_logs *logs, struct vts_label_log *log,
                        struct vts_snapshot *snapshot, bool is_removed, bool is_gathered);
/* The entry is gone. */
void vts_label_log_drop(struct vts_label_logs *logs, struct vts_label_log *log,
                        struct vts_label_entry *entry);

#endif
