/* SPDX-License-Identifier: Apache-2.0 */
/* When a caller should ask again. */
#ifndef VTS_JOBS_SCHEDULE_H
#define VTS_JOBS_SCHEDULE_H

#include <stdint.h>

/* The bounds of hints, in whole milliseconds. */
struct vts_schedule {
    int64_t min_ns;
    int64_t max_ns; /* at least min_ns */
};

/* The hint at now_ns for a job that is expected to end at expected_end_ns, on the monotonic clock;
 * 0 means nobody knows, and makes it five times the least. Half of what remains, in whole
 * milliseconds: halving converges on the end with few questions. When the job is late, a quarter of
 * how late it is, up to five times the least: that stays prompt. */
int64_t vts_schedule_poll_after_ns(const struct vts_schedule *schedule, int64_t expected_end_ns,
                                   int64_t now_ns);
/* The hint for one of many callers, so that they do not come back together: up to a fifth sooner,
 * or at the least hint up to a fifth later, by a number that is as good as random. In whole
 * milliseconds. */
int64_t vts_schedule_spread_ns(const struct vts_schedule *schedule, int64_t hint_ns,
                               uint32_t chance);

#endif
