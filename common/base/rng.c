/* SPDX-License-Identifier: Apache-2.0 */
/* rng.c - SplitMix64 (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014). */
#include "common/base/rng.h"

#include <sys/random.h>

#include "common/base/clock.h"

void vts_rng_init(struct vts_rng *rng, uint64_t seed)
{
    rng->state = seed;
}

uint64_t vts_rng_seed_from_system(void)
{
    uint64_t seed;

    /* Early in boot the kernel may have no entropy yet; jitter can do with the clock then. */
    if (getrandom(&seed, sizeof(seed), GRND_NONBLOCK) != (ssize_t)sizeof(seed))
        seed = (uint64_t)vts_clock_wall_ns();
    return seed;
}

uint64_t vts_rng_next(struct vts_rng *rng)
{
    uint64_t z = (rng->state += UINT64_C(0x9e3779b97f4a7c15));

    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

double vts_rng_next_unit(struct vts_rng *rng)
{
    return (double)(vts_rng_next(rng) >> 11) * 0x1.0p-53;
}
