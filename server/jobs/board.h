/* SPDX-License-Identifier: Apache-2.0 */
/* The board: the published status of every job. From any thread. */
#ifndef VTS_JOBS_BOARD_H
#define VTS_JOBS_BOARD_H

#include "server/jobs/schedule.h"
#include "server/jobs/snapshot.h"

struct vts_board;

VTS_MUST_CHECK enum vts_err vts_board_new(struct vts_board **ret_board);
/* The bounds of hints, in place of 0.2 and 30 seconds; before anybody reads. */
void vts_board_set_schedule(struct vts_board *board, const struct vts_schedule *schedule);
void vts_board_free(struct vts_board *board);
/* Puts the snapshot in the place of the job's last one; adopts it, on failure too. */
VTS_MUST_CHECK enum vts_err vts_board_publish(struct vts_board *board,
                                              struct vts_snapshot *snapshot);
/* Returns the job's last snapshot, which is the caller's; NULL when the job is not there. */
struct vts_snapshot *vts_board_remove(struct vts_board *board, struct vts_str job_id);

/* Jobs lie in that many shards, by a hash of their ids. */
enum { VTS_BOARD_SHARDS = 64 };

/* Sees one snapshot, borrowed, while nothing in its shard can change. */
typedef void (*vts_board_visit_fn)(struct vts_snapshot *snapshot, void *context);

/* Visits all jobs of one shard; returns how many. */
size_t vts_board_visit(struct vts_board *board, unsigned shard, vts_board_visit_fn visit,
                       void *context);

/* A status as one caller sees it now. */
struct vts_status_view {
    struct vts_snapshot *snapshot; /* owned: the caller unrefs it */
    int64_t poll_after_ns;         /* negative when done */
};

/* The view of a snapshot, which is adopted, at now_ns. */
struct vts_status_view vts_status_view_of(const struct vts_board *board,
                                          struct vts_snapshot *snapshot, int64_t now_ns);
/* Spreads the hint of a view: callers of one job are told different times, and each the same ones
 * again. caller is what tells them apart. */
void vts_board_spread(const struct vts_board *board, uint64_t caller, struct vts_status_view *view);
/* The job's last snapshot, with a reference that is the caller's; NULL when the job is not there.
 */
struct vts_snapshot *vts_board_find(struct vts_board *board, struct vts_str job_id);
/* Reads a job's status; every dialect comes through here. job_id empty means "default".
 * VTS_ERR_INVALID when it is no job id, VTS_ERR_NOT_FOUND. */
VTS_MUST_CHECK enum vts_err vts_check_status(struct vts_board *board, struct vts_str job_id,
                                             int64_t now_ns, struct vts_status_view *ret_view);

#endif
