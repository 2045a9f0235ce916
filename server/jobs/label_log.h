/* SPDX-License-Identifier: Apache-2.0 */
/* What happened last to each of the jobs that carry a label, for those who follow the label. From
 * any thread; a reader's functions from one thread at a time.
 *
 * There is a log for each label that somebody follows, and one for all who follow it. It has one
 * entry a job, its newest snapshot or that it was removed, in the order of the last changes. A
 * reader knows how far it has come: so a slow one misses steps, but never the last one, and costs
 * no memory for what it has not read. Changes of jobs whose labels nobody follows end at a look at
 * one number. */
#ifndef VTS_JOBS_LABEL_LOG_H
#define VTS_JOBS_LABEL_LOG_H

#include "common/base/list.h"
#include "server/jobs/board.h"

struct vts_label_logs;
struct vts_label_log;

/* Up to jobs_max jobs of a label are in its log, see vts_label_reader_next(), and up to entries_max
 * in all logs together. board outlives it. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_label_logs_new(struct vts_board *board, uint64_t jobs_max,
                                               uint64_t entries_max,
                                               struct vts_label_logs **ret_logs);
/* After all readers are gone. Accepts NULL. */
void vts_label_logs_free(struct vts_label_logs *logs);

/* Whether anybody follows any label. */
bool vts_label_logs_are_read(const struct vts_label_logs *logs);
/* Notes that the board has, or, when is_removed, has no more, the snapshot of a job with that
 * label. Returns whether anybody follows the label. From one thread. */
bool vts_label_logs_note(struct vts_label_logs *logs, struct vts_str label,
                         struct vts_snapshot *snapshot, bool is_removed);

/* Lives inside who reads. */
struct vts_label_reader {
    struct vts_list link;
    struct vts_label_logs *logs;
    struct vts_label_log *log;
    uint64_t joined; /* the log's last change when the reader came */
    uint64_t place;  /* the last change that it has read */
    bool is_lost;    /* it has missed the last of a job */
};

/* Begins to read: what the board has comes first. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_label_reader_open(struct vts_label_logs *logs, struct vts_str label,
                                                  struct vts_label_reader *reader);
void vts_label_reader_close(struct vts_label_reader *reader);

struct vts_label_news {
    struct vts_snapshot *snapshot; /* the caller's; NULL: the job was removed */
    char removed_id[VTS_JOB_ID_MAX + 1];
};

/* Takes the next news.
 *
 * VTS_ERR_AGAIN: there is none now; but when *ret_is_gathering is set, not all of the board has
 * been looked at yet, which goes on at the next call, in pieces so that nobody waits for long.
 * VTS_ERR_LIMIT: more jobs than the log holds carry the label. Those that are done leave it first,
 * and then nothing is missed but by a reader who came later, or was so slow that it had not read
 * the end of one; the latter gets this error, too. VTS_ERR_NOMEM: there was no memory to note
 * something. After an error the reader can only be closed. */
VTS_MUST_CHECK enum vts_err vts_label_reader_next(struct vts_label_reader *reader,
                                                  struct vts_label_news *ret_news,
                                                  bool *ret_is_gathering);

#endif
