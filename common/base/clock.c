/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - the only file that asks the system for the time. */
#include "common/base/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec ts;

    /* Cannot fail: both clocks exist on every system we build for. */
    (void)clock_gettime(id, &ts);
    return (int64_t)ts.tv_sec * VTS_NS_PER_S + ts.tv_nsec;
}

int64_t vts_clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t vts_clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}
