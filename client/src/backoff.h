/* SPDX-License-Identifier: Apache-2.0 */
/* When to ask again: pure functions, so that a schedule can be tested without waiting for it.
 *
 * Both results are seconds, finite and not negative, for any counts and hints. Jitter is drawn
 * around the bounded wait, so that clients that reached max_interval do not march in step; a wait
 * is therefore at most max_interval * (1 + jitter); the other kinds of jitter only shorten. */
#ifndef VTS_CLIENT_BACKOFF_H
#define VTS_CLIENT_BACKOFF_H

#include <stdint.h>
#include <vtstatus/client.h>

#include "common/base/rng.h"

struct vts_backoff {
    double interval;     /* s, above 0 */
    double factor;       /* at least 1 */
    double max_interval; /* s, at least interval */
    double jitter;       /* 0 to 1 */
    enum vts_jitter_kind kind;
    double max_hint;    /* s; 0: max_interval */
    double hint_factor; /* of a hint's wait; 0: 1 */
};

/* The wait after a pending answer. waits_before: how many such waits there were already; hint: s,
 * negative when the server gave none. */
double vts_backoff_poll_wait(const struct vts_backoff *backoff, uint64_t waits_before, double hint,
                             struct vts_rng *rng);

/* The wait after the failures-th failure in a row. Drawn from all of 0 up to the schedule's wait
 * ("full jitter"), since a server that comes back must not meet all its clients at once; jitter 0
 * turns that off. retry_after: s, negative when the server gave none; never undercut, unless it
 * exceeds max_interval. */
double vts_backoff_retry_wait(const struct vts_backoff *backoff, uint64_t failures,
                              double retry_after, struct vts_rng *rng);

#endif
