/* SPDX-License-Identifier: Apache-2.0 */
/* Publishes the jobs that are loaded at the start, beside the loading. Inside the keeper only. */
#ifndef VTS_JOBS_KEEPER_PUBLISHER_H
#define VTS_JOBS_KEEPER_PUBLISHER_H

#include "server/jobs/keeper_parts.h"

enum { VTS_KEEPER_PARCEL_MAX = 1024 };

/* Jobs that are published in one go. */
struct vts_keeper_parcel {
    struct vts_list link;
    size_t count;
    const struct vts_keeper_job *jobs[VTS_KEEPER_PARCEL_MAX];
};

struct vts_keeper_publisher {
    const struct vts_keeper *keeper;
    struct vts_keeper_parcel *open; /* that is being filled; NULL: none yet */
    bool has_thread;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct vts_list parcels; /* that wait; under the lock, as the rest */
    bool is_last;
    enum vts_err err; /* of the thread */
};

/* Publishes a job as its record is; arena is for work. VTS_ERR_NOMEM or VTS_ERR_LIMIT. */
VTS_MUST_CHECK enum vts_err vts_keeper_publish_loaded(const struct vts_keeper *keeper,
                                                      const struct vts_keeper_job *job,
                                                      struct vts_arena *arena);

void vts_keeper_publisher_init(struct vts_keeper_publisher *publisher,
                               const struct vts_keeper *keeper);
/* Takes a job with its record, both of which stay as they are until the publisher has ended. What
 * is wrong may be told later. */
VTS_MUST_CHECK enum vts_err vts_keeper_publisher_add(struct vts_keeper_publisher *publisher,
                                                     const struct vts_keeper_job *job);
/* Everything is published, or the first error is returned. Must be called once, after failures
 * too. */
VTS_MUST_CHECK enum vts_err vts_keeper_publisher_end(struct vts_keeper_publisher *publisher);

#endif
