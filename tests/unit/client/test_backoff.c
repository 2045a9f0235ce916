/* SPDX-License-Identifier: Apache-2.0 */
/* test_backoff.c - the schedule, as numbers. */
#include <CUnit/CUnit.h>
#include <math.h>

#include "client/src/backoff.h"
#include "tests/support/suite.h"

static const struct vts_backoff plain = {
    .interval = 1, .factor = 2, .max_interval = 20, .jitter = 0};
static const struct vts_backoff jittered = {
    .interval = 1, .factor = 2, .max_interval = 20, .jitter = 0.2};

static double poll_wait(const struct vts_backoff *backoff, uint64_t waits_before, double hint)
{
    struct vts_rng rng;

    vts_rng_init(&rng, 1);
    return vts_backoff_poll_wait(backoff, waits_before, hint, &rng);
}

static double retry_wait(const struct vts_backoff *backoff, uint64_t failures, double retry_after)
{
    struct vts_rng rng;

    vts_rng_init(&rng, 1);
    return vts_backoff_retry_wait(backoff, failures, retry_after, &rng);
}

static void poll_wait_grows_by_the_factor_up_to_the_maximum(void)
{
    const double expected[] = {1, 2, 4, 8, 16, 20, 20};

    for (uint64_t i = 0; i < VTS_ARRAY_LEN(expected); i++)
        CU_ASSERT_DOUBLE_EQUAL(poll_wait(&plain, i, -1), expected[i], 1e-9);
}

static void poll_wait_at_huge_counts_is_the_maximum(void)
{
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&plain, 2000, -1), 20, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&plain, UINT64_MAX, -1), 20, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(retry_wait(&plain, UINT64_MAX, -1), 20, 1e-9);
}

static void poll_wait_with_factor_one_stays(void)
{
    const struct vts_backoff flat = {.interval = 3, .factor = 1, .max_interval = 20};

    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&flat, 0, -1), 3, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&flat, UINT64_MAX, -1), 3, 1e-9);
}

static void poll_wait_takes_a_hint_within_its_bounds(void)
{
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&plain, 4, 2.5), 2.5, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&plain, 4, 0), 1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&plain, 4, 3.2e11), 20, 1e-9);
}

static void poll_wait_may_take_longer_hints_than_the_schedule_has(void)
{
    const struct vts_backoff hinted = {
        .interval = 30, .factor = 1, .max_interval = 30, .max_hint = 600};

    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&hinted, 0, -1), 30, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&hinted, 0, 300), 300, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&hinted, 0, 9000), 600, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&hinted, 0, 2), 2, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&hinted, 0, 0), 0.1, 1e-9);
}

static void poll_wait_may_be_longer_than_the_hint(void)
{
    struct vts_backoff bold = plain;

    bold.hint_factor = 1.5;
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&bold, 4, 4), 6, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&bold, 4, 18), 20, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&bold, 4, 0.2), 1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&bold, 0, -1), 1, 1e-9); /* of the schedule it is none */
}

static void poll_wait_is_drawn_in_other_ways_too(void)
{
    const struct vts_backoff full = {
        .interval = 2, .factor = 2, .max_interval = 32, .kind = VTS_JITTER_FULL};
    const struct vts_backoff above = {
        .interval = 2, .factor = 2, .max_interval = 32, .kind = VTS_JITTER_ABOVE_LEAST};
    double least_full = 99;
    double least_above = 99;
    double most = 0;
    struct vts_rng rng;

    vts_rng_init(&rng, 3);
    for (int i = 0; i < 2000; i++) {
        double full_wait = vts_backoff_poll_wait(&full, 4, -1, &rng);
        double above_wait = vts_backoff_poll_wait(&above, 4, -1, &rng);

        least_full = fmin(least_full, full_wait);
        least_above = fmin(least_above, above_wait);
        most = fmax(most, fmax(full_wait, above_wait));
    }
    CU_ASSERT_TRUE(least_full >= 0 && least_full < 1);
    CU_ASSERT_TRUE(least_above >= 2 && least_above < 3);
    CU_ASSERT_TRUE(most < 32 && most > 31);
    CU_ASSERT_DOUBLE_EQUAL(poll_wait(&full, 4, 7), 7, 1e-9);
}

static void poll_wait_spreads_by_jitter_and_no_more(void)
{
    struct vts_rng rng;
    double least = INFINITY;
    double most = 0;

    vts_rng_init(&rng, 7);
    for (int i = 0; i < 10000; i++) {
        double wait = vts_backoff_poll_wait(&jittered, 3, -1, &rng);

        least = fmin(least, wait);
        most = fmax(most, wait);
    }
    CU_ASSERT(least >= 8 * 0.8 && least < 8 * 0.81);
    CU_ASSERT(most <= 8 * 1.2 && most > 8 * 1.19);
}

static void waits_repeat_with_the_same_seed(void)
{
    struct vts_rng a;
    struct vts_rng b;

    vts_rng_init(&a, 42);
    vts_rng_init(&b, 42);
    for (uint64_t i = 0; i < 100; i++) {
        double one = vts_backoff_poll_wait(&jittered, i, -1, &a);
        double other = vts_backoff_poll_wait(&jittered, i, -1, &b);

        CU_ASSERT_EQUAL(one, other);
    }
}

static void retry_wait_has_full_jitter(void)
{
    struct vts_rng rng;
    double least = INFINITY;
    double most = 0;

    vts_rng_init(&rng, 7);
    for (int i = 0; i < 10000; i++) {
        double wait = vts_backoff_retry_wait(&jittered, 4, -1, &rng);

        least = fmin(least, wait);
        most = fmax(most, wait);
    }
    CU_ASSERT(least >= 0 && least < 0.1);
    CU_ASSERT(most < 8 && most > 7.9);
}

static void retry_wait_without_jitter_is_the_schedule(void)
{
    CU_ASSERT_DOUBLE_EQUAL(retry_wait(&plain, 0, -1), 1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(retry_wait(&plain, 1, -1), 1, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(retry_wait(&plain, 3, -1), 4, 1e-9);
}

static void retry_wait_never_undercuts_retry_after(void)
{
    struct vts_rng rng;

    vts_rng_init(&rng, 7);
    for (int i = 0; i < 1000; i++) {
        double wait = vts_backoff_retry_wait(&jittered, 1, 5, &rng);

        CU_ASSERT(wait >= 5 && wait <= 6);
    }
}

static void retry_wait_bounds_an_absurd_retry_after(void)
{
    const double ten_years = 10.0 * 365 * 24 * 3600;

    CU_ASSERT_DOUBLE_EQUAL(retry_wait(&plain, 1, ten_years), 20, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(retry_wait(&plain, 1, 0), 1, 1e-9);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"poll_wait_grows_by_the_factor_up_to_the_maximum",
         poll_wait_grows_by_the_factor_up_to_the_maximum},
        {"poll_wait_at_huge_counts_is_the_maximum", poll_wait_at_huge_counts_is_the_maximum},
        {"poll_wait_with_factor_one_stays", poll_wait_with_factor_one_stays},
        {"poll_wait_takes_a_hint_within_its_bounds", poll_wait_takes_a_hint_within_its_bounds},
        {"poll_wait_may_take_longer_hints_than_the_schedule_has",
         poll_wait_may_take_longer_hints_than_the_schedule_has},
        {"poll_wait_may_be_longer_than_the_hint", poll_wait_may_be_longer_than_the_hint},
        {"poll_wait_is_drawn_in_other_ways_too", poll_wait_is_drawn_in_other_ways_too},
        {"poll_wait_spreads_by_jitter_and_no_more", poll_wait_spreads_by_jitter_and_no_more},
        {"waits_repeat_with_the_same_seed", waits_repeat_with_the_same_seed},
        {"retry_wait_has_full_jitter", retry_wait_has_full_jitter},
        {"retry_wait_without_jitter_is_the_schedule", retry_wait_without_jitter_is_the_schedule},
        {"retry_wait_never_undercuts_retry_after", retry_wait_never_undercuts_retry_after},
        {"retry_wait_bounds_an_absurd_retry_after", retry_wait_bounds_an_absurd_retry_after},
    };

    return vts_test_run("backoff", tests, VTS_ARRAY_LEN(tests));
}
