/* SPDX-License-Identifier: Apache-2.0 */
/* test_ladder.c - up and down, with a clock that only the test moves. */
#include <CUnit/CUnit.h>

#include "client/src/ladder.h"
#include "common/base/clock.h"
#include "tests/support/suite.h"

static const int64_t second = VTS_NS_PER_S;

static struct vts_ladder start(enum vts_wait_mode mode, bool can_hold,
                               struct vts_ladder_memory *memory)
{
    struct vts_ladder ladder;

    vts_ladder_init(&ladder, mode, can_hold, memory, 0);
    return ladder;
}

static void ladder_starts_at_the_top(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);

    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_WATCH);
    CU_ASSERT_EQUAL(vts_ladder_next(&ladder), VTS_WAIT_AUTO);
    CU_ASSERT_FALSE(vts_ladder_worked(&ladder, VTS_WAIT_WATCH, 0));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_WATCH);
}

static void ladder_pinned_stays(void)
{
    struct vts_ladder_memory memory = {0};

    for (int mode = VTS_WAIT_WATCH; mode <= VTS_WAIT_POLL; mode++) {
        struct vts_ladder ladder = start((enum vts_wait_mode)mode, true, &memory);

        for (int rung = VTS_WAIT_WATCH; rung <= VTS_WAIT_POLL; rung++) {
            CU_ASSERT_FALSE(
                vts_ladder_missed(&ladder, (enum vts_wait_mode)rung, VTS_MISS_BLOCKED, 0));
            CU_ASSERT_FALSE(vts_ladder_worked(&ladder, (enum vts_wait_mode)rung, 0));
        }
        for (int i = 0; i < 9; i++)
            CU_ASSERT_FALSE(vts_ladder_cut(&ladder, 0.1, 0));
        CU_ASSERT_EQUAL((int)ladder.rung, mode);
        CU_ASSERT_EQUAL(vts_ladder_above(&ladder, INT64_MAX), VTS_WAIT_AUTO);
    }
    CU_ASSERT_EQUAL(memory.rung, VTS_WAIT_AUTO);
}

static void ladder_comes_down_one_by_one(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);

    CU_ASSERT_TRUE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_BLOCKED, 0));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_LONG_POLL);
    CU_ASSERT_TRUE(vts_ladder_missed(&ladder, VTS_WAIT_LONG_POLL, VTS_MISS_BLOCKED, 0));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_POLL);
    CU_ASSERT_FALSE(vts_ladder_missed(&ladder, VTS_WAIT_POLL, VTS_MISS_BLOCKED, 0));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_POLL);
}

static void ladder_many_jobs_are_not_held(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, false, &memory);

    CU_ASSERT_TRUE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_BLOCKED, 0));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_POLL);
    CU_ASSERT_EQUAL(vts_ladder_next(&ladder), VTS_WAIT_WATCH);
}

static void ladder_busy_server_is_polled(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);

    CU_ASSERT_TRUE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_BUSY, 0));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_POLL);
}

static void ladder_doubt_takes_two_and_passes(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);

    CU_ASSERT_FALSE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_DOUBT, 0));
    CU_ASSERT_FALSE(vts_ladder_worked(&ladder, VTS_WAIT_WATCH, 0));
    CU_ASSERT_FALSE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_DOUBT, 0));
    CU_ASSERT_TRUE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_DOUBT, 0));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_LONG_POLL);
    CU_ASSERT_EQUAL(vts_ladder_above(&ladder, second), VTS_WAIT_AUTO);
    /* The server was away: what it answers first says that it is back. */
    CU_ASSERT_FALSE(vts_ladder_worked(&ladder, VTS_WAIT_LONG_POLL, second));
    CU_ASSERT_EQUAL(vts_ladder_above(&ladder, second), VTS_WAIT_WATCH);
}

static void ladder_comes_home_from_doubt_at_once(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);

    for (int i = 0; i < 2; i++)
        (void)vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_DOUBT, 0); /* seen below */
    for (int i = 0; i < 2; i++)
        (void)vts_ladder_missed(&ladder, VTS_WAIT_LONG_POLL, VTS_MISS_DOUBT, 0);
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_POLL);
    CU_ASSERT_FALSE(vts_ladder_worked(&ladder, VTS_WAIT_POLL, second));
    CU_ASSERT_EQUAL(vts_ladder_above(&ladder, second), VTS_WAIT_WATCH);
    /* Only once: then it was more than doubt. */
    CU_ASSERT_FALSE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_DOUBT, second));
    CU_ASSERT_EQUAL(vts_ladder_above(&ladder, second), VTS_WAIT_AUTO);
    CU_ASSERT_EQUAL(vts_ladder_next(&ladder), VTS_WAIT_LONG_POLL);
}

static void ladder_climbs_less_and_less_often(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);
    int64_t now_ns = 0;
    int64_t last_wait_ns = 0;

    CU_ASSERT_TRUE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_BLOCKED, now_ns));
    for (int i = 0; i < 12; i++) {
        int64_t wait_ns = ladder.climb_ns - now_ns;

        CU_ASSERT_TRUE(wait_ns >= last_wait_ns);
        CU_ASSERT_TRUE(wait_ns >= 30 * second && wait_ns <= 1800 * second);
        CU_ASSERT_EQUAL(vts_ladder_above(&ladder, ladder.climb_ns - 1), VTS_WAIT_AUTO);
        now_ns = ladder.climb_ns;
        CU_ASSERT_EQUAL(vts_ladder_above(&ladder, now_ns), VTS_WAIT_WATCH);
        CU_ASSERT_FALSE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_BLOCKED, now_ns));
        CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_LONG_POLL);
        last_wait_ns = wait_ns;
    }
    CU_ASSERT_EQUAL(last_wait_ns, 1800 * second);
    CU_ASSERT_TRUE(vts_ladder_worked(&ladder, VTS_WAIT_WATCH, now_ns));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_WATCH);
    CU_ASSERT_TRUE(vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_BLOCKED, now_ns));
    CU_ASSERT_EQUAL(ladder.climb_ns, now_ns + 30 * second);
}

static void ladder_climbs_one_by_one(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);

    (void)vts_ladder_missed(&ladder, VTS_WAIT_WATCH, VTS_MISS_BUSY,
                            0); /* it is known that it falls */
    CU_ASSERT_EQUAL(vts_ladder_above(&ladder, 60 * second), VTS_WAIT_LONG_POLL);
    CU_ASSERT_TRUE(vts_ladder_worked(&ladder, VTS_WAIT_LONG_POLL, 60 * second));
    CU_ASSERT_EQUAL(vts_ladder_above(&ladder, 60 * second), VTS_WAIT_AUTO);
    CU_ASSERT_EQUAL(vts_ladder_above(&ladder, 120 * second), VTS_WAIT_WATCH);
}

static void ladder_short_lived_streams_are_not_wanted(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);

    CU_ASSERT_FALSE(vts_ladder_cut(&ladder, 2, 0));
    CU_ASSERT_FALSE(vts_ladder_cut(&ladder, 2, 0));
    CU_ASSERT_FALSE(vts_ladder_cut(&ladder, 30, 0));
    CU_ASSERT_FALSE(vts_ladder_cut(&ladder, 2, 0));
    CU_ASSERT_FALSE(vts_ladder_cut(&ladder, 2, 0));
    CU_ASSERT_TRUE(vts_ladder_cut(&ladder, 2, 0));
    CU_ASSERT_EQUAL(ladder.rung, VTS_WAIT_LONG_POLL);
}

static void ladder_holds_get_shorter(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder ladder = start(VTS_WAIT_AUTO, true, &memory);

    CU_ASSERT_EQUAL(ladder.hold_s, VTS_LADDER_MAX_HOLD_S);
    CU_ASSERT_TRUE(vts_ladder_shorten(&ladder, 30));
    CU_ASSERT_EQUAL(ladder.hold_s, 24);
    CU_ASSERT_TRUE(vts_ladder_shorten(&ladder, 60));
    CU_ASSERT_EQUAL(ladder.hold_s, 24);
    CU_ASSERT_FALSE(vts_ladder_shorten(&ladder, 6));
    CU_ASSERT_EQUAL(ladder.hold_s, 24);
}

static void ladder_remembers_for_the_next_wait(void)
{
    struct vts_ladder_memory memory = {0};
    struct vts_ladder first = start(VTS_WAIT_AUTO, true, &memory);
    struct vts_ladder second_one;

    (void)vts_ladder_missed(&first, VTS_WAIT_WATCH, VTS_MISS_BLOCKED, 0); /* as above */
    CU_ASSERT_TRUE(vts_ladder_shorten(&first, 10));
    second_one = start(VTS_WAIT_AUTO, true, &memory);
    CU_ASSERT_EQUAL(second_one.rung, VTS_WAIT_LONG_POLL);
    CU_ASSERT_EQUAL(second_one.climb_ns, first.climb_ns);
    CU_ASSERT_EQUAL(second_one.hold_s, 8);
    second_one = start(VTS_WAIT_AUTO, false, &memory);
    CU_ASSERT_EQUAL(second_one.rung, VTS_WAIT_POLL);
    second_one = start(VTS_WAIT_WATCH, true, &memory);
    CU_ASSERT_EQUAL(second_one.rung, VTS_WAIT_WATCH);
}

static const struct vts_test tests[] = {
    {"ladder_starts_at_the_top", ladder_starts_at_the_top},
    {"ladder_pinned_stays", ladder_pinned_stays},
    {"ladder_comes_down_one_by_one", ladder_comes_down_one_by_one},
    {"ladder_many_jobs_are_not_held", ladder_many_jobs_are_not_held},
    {"ladder_busy_server_is_polled", ladder_busy_server_is_polled},
    {"ladder_doubt_takes_two_and_passes", ladder_doubt_takes_two_and_passes},
    {"ladder_comes_home_from_doubt_at_once", ladder_comes_home_from_doubt_at_once},
    {"ladder_climbs_less_and_less_often", ladder_climbs_less_and_less_often},
    {"ladder_climbs_one_by_one", ladder_climbs_one_by_one},
    {"ladder_short_lived_streams_are_not_wanted", ladder_short_lived_streams_are_not_wanted},
    {"ladder_holds_get_shorter", ladder_holds_get_shorter},
    {"ladder_remembers_for_the_next_wait", ladder_remembers_for_the_next_wait},
};

int main(void)
{
    return vts_test_run("test_ladder", tests, VTS_ARRAY_LEN(tests));
}
