/* SPDX-License-Identifier: Apache-2.0 */
/* schedule.c - poll hints, recomputed at every read. */
#include "server/jobs/schedule.h"

#include "common/base/clock.h"

static const int64_t hint_min_ns = (int64_t)200 * VTS_NS_PER_MS;
static const int64_t hint_max_ns = (int64_t)30 * VTS_NS_PER_S;
static const int64_t hint_unknown_ns = VTS_NS_PER_S;

int64_t vts_schedule_poll_after_ns(int64_t expected_end_ns, int64_t now_ns)
{
    int64_t hint_ns = (expected_end_ns - now_ns) / 2;

    if (expected_end_ns == 0)
        return hint_unknown_ns;
    if (hint_ns < hint_min_ns)
        return hint_min_ns;
    if (hint_ns > hint_max_ns)
        return hint_max_ns;
    return hint_ns - hint_ns % VTS_NS_PER_MS;
}
