/* SPDX-License-Identifier: Apache-2.0 */
/* test_rng.c - that a seed gives the same numbers everywhere. */
#include <CUnit/CUnit.h>

#include "common/base/rng.h"
#include "tests/support/suite.h"

static void check_numbers(uint64_t seed, const uint64_t *expected, size_t count)
{
    struct vts_rng rng;

    vts_rng_init(&rng, seed);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(vts_rng_next(&rng), expected[i]);
}

/* The numbers of the reference implementation at https://prng.di.unimi.it/splitmix64.c. */
static void rng_next_follows_the_reference(void)
{
    static const uint64_t of_zero[] = {
        UINT64_C(0xe220a8397b1dcdaf),
        UINT64_C(0x6e789e6aa1b965f4),
        UINT64_C(0x06c45d188009454f),
        UINT64_C(0xf88bb8a8724c81ec),
    };
    static const uint64_t of_1234567[] = {
        UINT64_C(6457827717110365317),  UINT64_C(3203168211198807973),
        UINT64_C(9817491932198370423),  UINT64_C(4593380528125082431),
        UINT64_C(16408922859458223821),
    };

    check_numbers(0, of_zero, VTS_ARRAY_LEN(of_zero));
    check_numbers(1234567, of_1234567, VTS_ARRAY_LEN(of_1234567));
}

static void rng_next_unit_takes_the_upper_bits(void)
{
    struct vts_rng rng;

    vts_rng_init(&rng, 0);
    CU_ASSERT_DOUBLE_EQUAL(vts_rng_next_unit(&rng), 0.8833108082136426, 1e-15);
    CU_ASSERT_DOUBLE_EQUAL(vts_rng_next_unit(&rng), 0.43152799704850997, 1e-15);
}

static void rng_next_unit_stays_below_one_and_spreads(void)
{
    struct vts_rng rng;
    double sum = 0;

    vts_rng_init(&rng, 42);
    for (int i = 0; i < 100000; i++) {
        double unit = vts_rng_next_unit(&rng);

        if (unit < 0 || unit >= 1)
            CU_FAIL("out of range");
        sum += unit;
    }
    CU_ASSERT_DOUBLE_EQUAL(sum / 100000, 0.5, 0.01);
}

static void rng_system_seeds_differ(void)
{
    CU_ASSERT_NOT_EQUAL(vts_rng_seed_from_system(), vts_rng_seed_from_system());
}

static const struct vts_test tests[] = {
    {"rng_next_follows_the_reference", rng_next_follows_the_reference},
    {"rng_next_unit_takes_the_upper_bits", rng_next_unit_takes_the_upper_bits},
    {"rng_next_unit_stays_below_one_and_spreads", rng_next_unit_stays_below_one_and_spreads},
    {"rng_system_seeds_differ", rng_system_seeds_differ},
};

int main(void)
{
    return vts_test_run("test_rng", tests, VTS_ARRAY_LEN(tests));
}
