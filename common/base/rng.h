/* SPDX-License-Identifier: Apache-2.0 */
/* A small, fast, seeded random generator (SplitMix64) for jitter and simulation; not for secrets.
 */
#ifndef VTS_BASE_RNG_H
#define VTS_BASE_RNG_H

#include <stdint.h>

struct vts_rng {
    uint64_t state;
};

/* The same seed gives the same numbers on every machine. */
void vts_rng_init(struct vts_rng *rng, uint64_t seed);
/* A seed that differs from run to run. */
uint64_t vts_rng_seed_from_system(void);
uint64_t vts_rng_next(struct vts_rng *rng);
/* Uniform in [0, 1). */
double vts_rng_next_unit(struct vts_rng *rng);

#endif
