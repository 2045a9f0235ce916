/* SPDX-License-Identifier: Apache-2.0 */
/* Carries the changes of jobs to everyone who watches them.
 *
 * A watch is told that there is news, not which: it reads the board when it can use the news. So a
 * slow reader misses steps but never the last one, and its memory is fixed. */
#ifndef VTS_JOBS_WATCH_HUB_H
#define VTS_JOBS_WATCH_HUB_H

#include "common/base/list.h"
#include "server/jobs/label_log.h"

struct vts_watch_hub;
struct vts_watched;

/* As vts_loop_post(). */
typedef enum vts_err (*vts_watch_post_fn)(void *context, void (*fn)(void *), void *argument);

/* For up to loops_max loops and watches_max watches in all, and label_jobs_max jobs of one label
 * that is followed; board outlives it. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_watch_hub_new(struct vts_board *board, unsigned loops_max,
                                              uint64_t watches_max, uint64_t label_jobs_max,
                                              struct vts_watch_hub **ret_hub);
/* After the loops are gone. Accepts NULL. */
void vts_watch_hub_free(struct vts_watch_hub *hub);
/* Tells how loop number `index` is reached; before its thread runs. */
void vts_watch_hub_set_loop(struct vts_watch_hub *hub, unsigned index, vts_watch_post_fn post,
                            void *post_context);
struct vts_board *vts_watch_hub_board(struct vts_watch_hub *hub);
/* The labels that are followed; up to watches_max jobs are in all their logs together. */
struct vts_label_logs *vts_watch_hub_labels(struct vts_watch_hub *hub);

/* Publishes on the board and tells all loops with watches of the job, or of a label of it. Adopts
 * the snapshot, on failure too; after a failure the news may not have gone everywhere, and
 * publishing again is the way to go on. VTS_ERR_NOMEM or VTS_ERR_LIMIT. From any thread. */
VTS_MUST_CHECK enum vts_err vts_watch_hub_publish(struct vts_watch_hub *hub,
                                                  struct vts_snapshot *snapshot);
/* Takes the job off the board, hands the last of it to those who watch it, see vts_watch_last(),
 * and tells all loops with watches of it or of a label of it. Failure and threads as above. */
VTS_MUST_CHECK enum vts_err vts_watch_hub_remove(struct vts_watch_hub *hub, struct vts_str job_id);

/* There may be news of the job. May stop this watch and others. */
typedef void (*vts_watch_fn)(void *context);

/* Lives inside what watches. */
struct vts_watch {
    struct vts_list link;     /* among the job's watches */
    struct vts_list due_link; /* among those that are to be told */
    struct vts_watched *watched;
    struct vts_watch_hub *hub;
    unsigned loop;
    vts_watch_fn fn;
    void *context;
};

/* Starts watching a job, or a label, "key=value", which no job has as its id; in the thread of loop
 * number `loop`, as the rest. Whoever reads the board, or the label's log, after this misses
 * nothing. VTS_ERR_LIMIT when there are too many watches, VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_watch_start(struct vts_watch_hub *hub, unsigned loop,
                                            struct vts_str job_id, struct vts_watch *watch,
                                            vts_watch_fn fn, void *context);
void vts_watch_stop(struct vts_watch *watch);
/* Has fn called in a later turn, as if there were news. VTS_ERR_LIMIT or VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_watch_again(struct vts_watch *watch);
/* What the board had of the job when it was removed while it was watched in this loop; NULL: it was
 * not. To be asked for once the board has the job no more. The caller's to unref. */
struct vts_snapshot *vts_watch_last(const struct vts_watch *watch);
/* The job's id, or the label, while the watch runs. */
struct vts_str vts_watch_job_id(const struct vts_watch *watch);

#endif
