/* SPDX-License-Identifier: Apache-2.0 */
/* How long things of a kind took lately, and how long one of the kind will take. Pure: kinds are
 * numbers, such as hashes of a name, and time comes in as durations in nanoseconds.
 *
 * A kind is known by its last 16 durations, and the guess is their median: one job in two is done
 * by then, and what went wrong once moves it hardly. There is room for so many kinds; the one that
 * was added to least lately leaves. */
#ifndef VTS_JOBS_DURATIONS_H
#define VTS_JOBS_DURATIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

enum {
    VTS_DURATIONS_KEPT = 16, /* of a kind */
    VTS_DURATIONS_LEAST = 3, /* before that, a kind is no basis for a guess */
};

struct vts_durations;

/* Takes all its memory now. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_durations_new(size_t kinds_max,
                                              struct vts_durations **ret_durations);
/* Accepts NULL. */
void vts_durations_free(struct vts_durations *durations);
/* One of the kind took so long; what is negative is left out. */
void vts_durations_add(struct vts_durations *durations, uint64_t kind, int64_t duration_ns);
/* How long one of the kind takes in all that has lasted for elapsed_ns and goes on: the median of
 * those that lasted longer. False: there are too few to tell, or none that lasted longer. */
bool vts_durations_guess(const struct vts_durations *durations, uint64_t kind, int64_t elapsed_ns,
                         int64_t *ret_duration_ns);

#endif
