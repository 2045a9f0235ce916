/* SPDX-License-Identifier: Apache-2.0 */
/* backoff.c - interval, interval * factor, interval * factor^2, ... up to max_interval.
 *
 * The power is taken in floating point: for counts without end it becomes infinity, and the
 * smaller of that and max_interval is still right.
 */
#include "client/src/backoff.h"

#include <math.h>

static double bound(const struct vts_backoff *backoff, double wait)
{
    return fmin(fmax(wait, backoff->interval), backoff->max_interval);
}

static double schedule(const struct vts_backoff *backoff, uint64_t waits_before)
{
    return bound(backoff, backoff->interval * pow(backoff->factor, (double)waits_before));
}

double vts_backoff_poll_wait(const struct vts_backoff *backoff, uint64_t waits_before, double hint,
                             struct vts_rng *rng)
{
    double wait = hint >= 0 ? bound(backoff, hint) : schedule(backoff, waits_before);

    return wait * (1 + backoff->jitter * (2 * vts_rng_next_unit(rng) - 1));
}

double vts_backoff_retry_wait(const struct vts_backoff *backoff, uint64_t failures,
                              double retry_after, struct vts_rng *rng)
{
    double unit = vts_rng_next_unit(rng);

    if (retry_after >= 0)
        return bound(backoff, retry_after) * (1 + backoff->jitter * unit);
    return schedule(backoff, failures > 0 ? failures - 1 : 0) * (backoff->jitter > 0 ? unit : 1);
}
