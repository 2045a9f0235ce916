/* SPDX-License-Identifier: Apache-2.0 */
/* test_clock.c - that the clocks run, and which way. */
#include <CUnit/CUnit.h>
#include <stdbool.h>

#include "common/base/clock.h"
#include "tests/support/suite.h"

static void clock_now_never_goes_back(void)
{
    int64_t last = vts_clock_now_ns();

    for (int i = 0; i < 100000; i++) {
        int64_t now = vts_clock_now_ns();

        if (now < last)
            CU_FAIL("the monotonic clock went back");
        last = now;
    }
    CU_ASSERT(last > 0);
}

/* Whether the clock advances by less than a second while it is read until it advances. */
static bool advances(int64_t (*read_ns)(void))
{
    int64_t first = read_ns();
    int64_t now = first;

    for (long i = 0; i < 100000000L && now == first; i++)
        now = read_ns();
    return now > first && now - first < VTS_NS_PER_S;
}

static void clock_now_advances(void)
{
    CU_ASSERT(advances(vts_clock_now_ns));
}

static void clock_wall_advances_since_1970(void)
{
    const int64_t year_2020_ns = INT64_C(1577836800) * VTS_NS_PER_S;
    const int64_t year_2200_ns = INT64_C(7258118400) * VTS_NS_PER_S;

    CU_ASSERT(advances(vts_clock_wall_ns));
    CU_ASSERT(vts_clock_wall_ns() > year_2020_ns);
    CU_ASSERT(vts_clock_wall_ns() < year_2200_ns);
}

static const struct vts_test tests[] = {
    {"clock_now_never_goes_back", clock_now_never_goes_back},
    {"clock_now_advances", clock_now_advances},
    {"clock_wall_advances_since_1970", clock_wall_advances_since_1970},
};

int main(void)
{
    return vts_test_run("test_clock", tests, VTS_ARRAY_LEN(tests));
}
