/* SPDX-License-Identifier: Apache-2.0 */
/* test_schedule.c - when a caller is told to ask again. */
#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "server/jobs/schedule.h"
#include "tests/support/suite.h"

static const int64_t now_ns = INT64_C(100) * VTS_NS_PER_S;
static const struct vts_schedule schedule = {.min_ns = INT64_C(200) * VTS_NS_PER_MS,
                                             .max_ns = INT64_C(30) * VTS_NS_PER_S};

static void hint_is_half_of_what_remains_within_bounds(void)
{
    static const struct {
        int64_t left_ms;
        int64_t hint_ms;
    } rows[] = {
        {10000, 5000},  {401, 200},     {402, 201},     {400, 200},
        {399, 200},     {0, 200},       {-1, 200},      {-800, 200},
        {-2000, 500},   {-4000, 1000},  {-4004, 1000},  {-86400000, 1000},
        {60000, 30000}, {60001, 30000}, {59998, 29999}, {86400000, 30000},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(
            vts_schedule_poll_after_ns(&schedule, now_ns + rows[i].left_ms * VTS_NS_PER_MS, now_ns),
            rows[i].hint_ms * VTS_NS_PER_MS);
}

static void hint_without_expected_end_is_a_second(void)
{
    CU_ASSERT_EQUAL(vts_schedule_poll_after_ns(&schedule, 0, now_ns), VTS_NS_PER_S);
    CU_ASSERT_EQUAL(vts_schedule_poll_after_ns(&schedule, 0, 0), VTS_NS_PER_S);
}

static void hint_is_in_whole_milliseconds(void)
{
    for (int64_t left_ns = 0; left_ns < INT64_C(2) * VTS_NS_PER_S; left_ns += 7654321)
        CU_ASSERT_EQUAL(
            vts_schedule_poll_after_ns(&schedule, now_ns + left_ns, now_ns) % VTS_NS_PER_MS, 0);
}

static void bounds_are_the_operators(void)
{
    const struct vts_schedule fast = {.min_ns = INT64_C(5) * VTS_NS_PER_MS,
                                      .max_ns = INT64_C(20) * VTS_NS_PER_MS};

    CU_ASSERT_EQUAL(vts_schedule_poll_after_ns(&fast, 0, now_ns), fast.max_ns);
    CU_ASSERT_EQUAL(vts_schedule_poll_after_ns(&fast, now_ns, now_ns), fast.min_ns);
    CU_ASSERT_EQUAL(vts_schedule_poll_after_ns(&fast, 2 * now_ns, now_ns), fast.max_ns);
    CU_ASSERT_EQUAL(vts_schedule_poll_after_ns(&fast, 1, now_ns), fast.max_ns); /* late */
    CU_ASSERT_EQUAL(vts_schedule_spread_ns(&fast, fast.min_ns, UINT32_MAX), fast.min_ns);
}

/* Following the hints, a caller comes soon after the end and has not asked often. */
static void hints_converge_on_the_end(void)
{
    const int64_t end_ns = now_ns + INT64_C(600) * VTS_NS_PER_S;
    int64_t at_ns = now_ns;
    int asked = 0;

    while (at_ns < end_ns) {
        at_ns += vts_schedule_poll_after_ns(&schedule, end_ns, at_ns);
        asked++;
    }
    CU_ASSERT(at_ns - end_ns <= INT64_C(200) * VTS_NS_PER_MS);
    CU_ASSERT(asked <= 40);
}

static void spread_is_up_to_a_fifth_within_the_bounds(void)
{
    static const struct {
        int64_t hint_ms;
        uint32_t chance;
        int64_t spread_ms;
    } rows[] = {
        {30000, 0, 30000},      {30000, UINT32_MAX, 24000},    {30000, UINT32_C(1) << 31, 27000},
        {1000, 0, 1000},        {1000, UINT32_MAX, 800},       {200, 0, 200},
        {200, UINT32_MAX, 239}, {200, UINT32_C(1) << 31, 220}, {220, UINT32_MAX, 223},
        {250, UINT32_MAX, 200},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        int64_t spread_ns =
            vts_schedule_spread_ns(&schedule, rows[i].hint_ms * VTS_NS_PER_MS, rows[i].chance);
        int64_t error_ms = spread_ns / VTS_NS_PER_MS - rows[i].spread_ms;

        CU_ASSERT(error_ms >= 0 && error_ms <= 1); /* rounding goes either way */
        CU_ASSERT_EQUAL(spread_ns % VTS_NS_PER_MS, 0);
    }
}

static const struct vts_test tests[] = {
    {"hint_is_half_of_what_remains_within_bounds", hint_is_half_of_what_remains_within_bounds},
    {"hint_without_expected_end_is_a_second", hint_without_expected_end_is_a_second},
    {"hint_is_in_whole_milliseconds", hint_is_in_whole_milliseconds},
    {"bounds_are_the_operators", bounds_are_the_operators},
    {"hints_converge_on_the_end", hints_converge_on_the_end},
    {"spread_is_up_to_a_fifth_within_the_bounds", spread_is_up_to_a_fifth_within_the_bounds},
};

int main(void)
{
    return vts_test_run("test_schedule", tests, VTS_ARRAY_LEN(tests));
}
