/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c - poll hints, recomputed at every read. */
#include "server/jobs/schedule.h"

#include "common/base/clock.h"

static const int64_t unknown_times = 5;
static const int64_t spread_parts = 5;

/* What is late by some time is asked after at a part of that time, and in the end as if nobody had
 * known when it would end, which nobody did. */
static const int64_t late_parts = 4;

static int64_t unknown_ns(const struct vts_schedule *schedule)
{
    int64_t ns = unknown_times * schedule->min_ns;

    return ns < schedule->max_ns ? ns : schedule->max_ns;
}

int64_t vts_schedule_poll_after_ns(const struct vts_schedule *schedule, int64_t expected_end_ns,
                                   int64_t now_ns)
{
    int64_t left_ns = expected_end_ns - now_ns;
    int64_t hint_ns = left_ns >= 0 ? left_ns / 2 : -left_ns / late_parts;
    int64_t max_ns = left_ns >= 0 ? schedule->max_ns : unknown_ns(schedule);

    if (expected_end_ns == 0)
        return unknown_ns(schedule);
    if (hint_ns < schedule->min_ns)
        return schedule->min_ns;
    if (hint_ns > max_ns)
        return max_ns;
    return hint_ns - hint_ns % VTS_NS_PER_MS;
}

int64_t vts_schedule_spread_ns(const struct vts_schedule *schedule, int64_t hint_ns,
                               uint32_t chance)
{
    uint64_t whole_us = (uint64_t)(hint_ns / spread_parts) / 1000; /* times 2^32 it fits */
    int64_t spread_ns = hint_ns - (int64_t)(whole_us * chance >> 32) * 1000;

    if (spread_ns < schedule->min_ns)
        spread_ns = schedule->min_ns + (schedule->min_ns - spread_ns);
    return spread_ns - spread_ns % VTS_NS_PER_MS;
}
