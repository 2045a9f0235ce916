/* SPDX-License-Identifier: Apache-2.0 */
/* test_bucket.c - what a token bucket gives at once, in the long run, and at the extremes. */
#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "server/guard/bucket.h"
#include "tests/support/suite.h"

static const int64_t start_ns = INT64_C(5000) * VTS_NS_PER_S;

/* Takes until the bucket is empty, at most `max` times; returns how many tokens there were. */
static uint32_t take_all(struct vts_bucket *bucket, int64_t now_ns, uint32_t max)
{
    uint32_t count = 0;

    while (count < max && vts_bucket_take(bucket, now_ns) != VTS_BUCKET_EMPTY)
        count++;
    return count;
}

static void burst_at_once_is_all_there_is(void)
{
    static const uint32_t bursts[] = {1, 2, 3, 4, 10, 200, 1000};

    for (size_t i = 0; i < VTS_ARRAY_LEN(bursts); i++) {
        struct vts_bucket bucket;

        vts_bucket_init(&bucket, bursts[i], 20);
        CU_ASSERT_EQUAL(take_all(&bucket, start_ns, bursts[i] + 10), bursts[i]);
        CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns), VTS_BUCKET_EMPTY);
    }
}

static void refill_gives_one_token_a_period(void)
{
    const int64_t period_ns = VTS_NS_PER_S / 20;
    struct vts_bucket bucket;

    vts_bucket_init(&bucket, 100, 20);
    CU_ASSERT_EQUAL(take_all(&bucket, start_ns, 1000), 100);
    CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns + period_ns - 1), VTS_BUCKET_EMPTY);
    CU_ASSERT_NOT_EQUAL(vts_bucket_take(&bucket, start_ns + period_ns), VTS_BUCKET_EMPTY);
    CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns + period_ns), VTS_BUCKET_EMPTY);
    CU_ASSERT_EQUAL(take_all(&bucket, start_ns + 11 * period_ns, 1000), 10);
}

static void refused_event_costs_nothing(void)
{
    struct vts_bucket bucket;

    vts_bucket_init(&bucket, 5, 1);
    CU_ASSERT_EQUAL(take_all(&bucket, start_ns, 100), 5);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns), VTS_BUCKET_EMPTY);
    CU_ASSERT_NOT_EQUAL(vts_bucket_take(&bucket, start_ns + VTS_NS_PER_S), VTS_BUCKET_EMPTY);
}

static void low_mark_stands_at_three_quarters(void)
{
    struct vts_bucket bucket;

    vts_bucket_init(&bucket, 200, 20);
    for (int i = 1; i <= 200; i++)
        CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns),
                        i <= 150 ? VTS_BUCKET_OK : VTS_BUCKET_LOW);
}

static void low_mark_is_left_again_by_refilling(void)
{
    struct vts_bucket bucket;

    vts_bucket_init(&bucket, 8, 1);
    CU_ASSERT_EQUAL(take_all(&bucket, start_ns, 8), 8);
    CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns + VTS_NS_PER_S), VTS_BUCKET_LOW);
    CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns + INT64_C(9) * VTS_NS_PER_S), VTS_BUCKET_OK);
}

static void long_idle_fills_to_the_burst_and_no_more(void)
{
    struct vts_bucket bucket;

    vts_bucket_init(&bucket, 50, 1000);
    CU_ASSERT_EQUAL(take_all(&bucket, start_ns, 100), 50);
    CU_ASSERT_EQUAL(take_all(&bucket, start_ns + INT64_C(1000000000) * VTS_NS_PER_S, 100), 50);
}

static void events_at_the_rate_never_empty_it(void)
{
    struct vts_bucket bucket;
    int64_t now_ns = start_ns;

    vts_bucket_init(&bucket, 2, 50);
    for (int i = 0; i < 100000; i++) {
        CU_ASSERT_EQUAL(vts_bucket_take(&bucket, now_ns), VTS_BUCKET_OK);
        now_ns += VTS_NS_PER_S / 50;
    }
}

static void events_at_twice_the_rate_halve(void)
{
    struct vts_bucket bucket;
    int taken = 0;

    vts_bucket_init(&bucket, 10, 50);
    for (int64_t i = 0; i < 10000; i++)
        taken += vts_bucket_take(&bucket, start_ns + i * VTS_NS_PER_S / 100) != VTS_BUCKET_EMPTY;
    CU_ASSERT(taken >= 5000 && taken <= 5000 + 10);
}

static void largest_burst_at_the_slowest_rate_does_not_overflow(void)
{
    struct vts_bucket bucket;

    vts_bucket_init(&bucket, UINT64_MAX, 1);
    CU_ASSERT_EQUAL(bucket.burst, UINT32_MAX);
    for (int i = 0; i < 1000; i++)
        CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns), VTS_BUCKET_OK);
}

static void fastest_rate_refills_within_a_nanosecond(void)
{
    struct vts_bucket bucket;

    vts_bucket_init(&bucket, 3, VTS_NS_PER_S);
    CU_ASSERT_EQUAL(take_all(&bucket, start_ns, 100), 3);
    CU_ASSERT_NOT_EQUAL(vts_bucket_take(&bucket, start_ns + 1), VTS_BUCKET_EMPTY);
    CU_ASSERT_EQUAL(vts_bucket_take(&bucket, start_ns + 1), VTS_BUCKET_EMPTY);
}

static const struct vts_test tests[] = {
    {"burst_at_once_is_all_there_is", burst_at_once_is_all_there_is},
    {"refill_gives_one_token_a_period", refill_gives_one_token_a_period},
    {"refused_event_costs_nothing", refused_event_costs_nothing},
    {"low_mark_stands_at_three_quarters", low_mark_stands_at_three_quarters},
    {"low_mark_is_left_again_by_refilling", low_mark_is_left_again_by_refilling},
    {"long_idle_fills_to_the_burst_and_no_more", long_idle_fills_to_the_burst_and_no_more},
    {"events_at_the_rate_never_empty_it", events_at_the_rate_never_empty_it},
    {"events_at_twice_the_rate_halve", events_at_twice_the_rate_halve},
    {"largest_burst_at_the_slowest_rate_does_not_overflow",
     largest_burst_at_the_slowest_rate_does_not_overflow},
    {"fastest_rate_refills_within_a_nanosecond", fastest_rate_refills_within_a_nanosecond},
};

int main(void)
{
    return vts_test_run("test_bucket", tests, VTS_ARRAY_LEN(tests));
}
