/* SPDX-License-Identifier: Apache-2.0 */
/* backoff.c - interval, interval * factor, interval * factor^2, ... up to max_interval.
 *
 * The power is taken in floating point: for counts without end it becomes infinity, and the
 * smaller of that and max_interval is still right.
 */
#include "client/src/backoff.h"

#include <math.h>

/* s; nobody is asked more often by a hint. */
static const double least_hint = 0.1;

static double bound(const struct vts_backoff *backoff, double wait)
{
    return fmin(fmax(wait, backoff->interval), backoff->max_interval);
}

static double schedule(const struct vts_backoff *backoff, uint64_t waits_before)
{
    return bound(backoff, backoff->interval * pow(backoff->factor, (double)waits_before));
}

static double around(const struct vts_backoff *backoff, double wait, double unit)
{
    return wait * (1 + backoff->jitter * (2 * unit - 1));
}

static double hinted(const struct vts_backoff *backoff, double hint, double unit)
{
    double max = backoff->max_hint > 0 ? backoff->max_hint : backoff->max_interval;
    /* Where longer hints are obeyed than the schedule has, shorter ones are too. */
    double least = backoff->max_hint > 0 ? fmin(backoff->interval, least_hint) : backoff->interval;
    double factor = backoff->hint_factor > 0 ? backoff->hint_factor : 1;
    double wait = fmin(fmax(factor * hint, least), max);

    return backoff->kind == VTS_JITTER_AROUND ? around(backoff, wait, unit) : wait;
}

double vts_backoff_poll_wait(const struct vts_backoff *backoff, uint64_t waits_before, double hint,
                             struct vts_rng *rng)
{
    double unit = vts_rng_next_unit(rng);
    double wait = schedule(backoff, waits_before);

    if (hint >= 0)
        return hinted(backoff, hint, unit);
    switch (backoff->kind) {
    case VTS_JITTER_AROUND:
        break;
    case VTS_JITTER_FULL:
        return wait * unit;
    case VTS_JITTER_ABOVE_LEAST:
        return backoff->interval + (wait - backoff->interval) * unit;
    }
    return around(backoff, wait, unit);
}

double vts_backoff_retry_wait(const struct vts_backoff *backoff, uint64_t failures,
                              double retry_after, struct vts_rng *rng)
{
    double unit = vts_rng_next_unit(rng);

    if (retry_after >= 0)
        return bound(backoff, retry_after) * (1 + backoff->jitter * unit);
    return schedule(backoff, failures > 0 ? failures - 1 : 0) * (backoff->jitter > 0 ? unit : 1);
}
