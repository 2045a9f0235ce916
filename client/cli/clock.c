/* SPDX-License-Identifier: Apache-2.0 */
/* clock.c - the two clocks of POSIX that the command needs. Any thread. */
#include "client/cli/clock.h"

#include <time.h>

static int64_t read_clock(clockid_t id)
{
    struct timespec now;

    (void)clock_gettime(id, &now); /* cannot fail for these two */
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t vts_cli_clock_now_ns(void)
{
    return read_clock(CLOCK_MONOTONIC);
}

int64_t vts_cli_clock_wall_ns(void)
{
    return read_clock(CLOCK_REALTIME);
}
