/* SPDX-License-Identifier: Apache-2.0 */
/* test_frame_guard_pings.c - which PINGs are good, which are strikes, and what answers are due. */
#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "tests/support/suite.h"
#include "tests/unit/server/http/frame_bench.h"

static enum vts_verdict ping(struct frame_bench *bench, int64_t after_ms)
{
    const struct frame_sample sample = {VTS_FRAME_PING, 0, 0, 8, 0};

    return frame_bench_receive(bench, &sample, false,
                               frame_bench_start_ns + after_ms * VTS_NS_PER_MS);
}

static enum vts_verdict receive_ack(struct frame_bench *bench)
{
    const struct frame_sample sample = {VTS_FRAME_PING, FLAG_ACK, 0, 8, 0};

    return frame_bench_receive(bench, &sample, false, frame_bench_start_ns);
}

/* The interval that holds at the moment. */
static int64_t interval_ms(const struct frame_bench *bench)
{
    return (int64_t)vts_limits_get(&bench->limits, bench->has_streams
                                                       ? VTS_LIMIT_PING_INTERVAL_MS
                                                       : VTS_LIMIT_PING_INTERVAL_IDLE_MS);
}

/* Asserts that so many more PINGs pass at that instant, and then none. */
static void expect_left(struct frame_bench *bench, int64_t after_ms, unsigned count)
{
    for (unsigned i = 0; i < count; i++)
        CU_ASSERT_EQUAL(ping(bench, after_ms), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(ping(bench, after_ms), VTS_VERDICT_END_CALM);
    CU_ASSERT_EQUAL(bench->guard.met, VTS_LIMIT_PING_STRIKES);
}

static void flood_ends_with_the_third_strike(void)
{
    for (int has_streams = 0; has_streams < 2; has_streams++) {
        struct frame_bench bench;

        frame_bench_set_up(&bench);
        bench.has_streams = has_streams != 0;
        expect_left(&bench, 0, 3); /* a good one and two strikes */
        CU_ASSERT_EQUAL(bench.guard.glitches_count, 0);
    }
}

static void strikes_follow_their_limit(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    CU_ASSERT_EQUAL(vts_limits_parse(&bench.limits, "ping_strikes=5", NULL), VTS_OK);
    expect_left(&bench, 0, 6);
}

static void pings_an_interval_apart_pass_for_ever(void)
{
    for (int has_streams = 0; has_streams < 2; has_streams++) {
        struct frame_bench bench;

        frame_bench_set_up(&bench);
        bench.has_streams = has_streams != 0;
        for (int i = 0; i < 1000; i++)
            CU_ASSERT_EQUAL(ping(&bench, i * interval_ms(&bench)), VTS_VERDICT_PASS);
        CU_ASSERT_EQUAL(bench.guard.ping_strikes, 0);
        expect_left(&bench, 1000 * interval_ms(&bench) - 1, 2);
    }
}

static void interval_is_shorter_while_streams_are_open(void)
{
    struct frame_bench bench;
    int64_t open_ms;

    frame_bench_set_up(&bench);
    bench.has_streams = true;
    open_ms = interval_ms(&bench);
    for (int i = 0; i < 10; i++)
        CU_ASSERT_EQUAL(ping(&bench, i * open_ms), VTS_VERDICT_PASS);
    bench.has_streams = false;
    CU_ASSERT(interval_ms(&bench) > 3 * open_ms);
    CU_ASSERT_EQUAL(ping(&bench, 10 * open_ms), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(ping(&bench, 11 * open_ms), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(ping(&bench, 12 * open_ms), VTS_VERDICT_END_CALM);
}

/* Timers of a fixed rate and a network that delays now this, now that PING. */
static void jitter_never_adds_up(void)
{
    static const int delays_ms[] = {0, 1500, 20, 700, 0, 3000, 100};
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    bench.has_streams = true;
    for (int i = 0; i < 10000; i++)
        CU_ASSERT_EQUAL_FATAL(ping(&bench, i * interval_ms(&bench) +
                                               delays_ms[(unsigned)i % VTS_ARRAY_LEN(delays_ms)]),
                              VTS_VERDICT_PASS);
}

static void pings_at_a_third_of_the_interval_end(void)
{
    struct frame_bench bench;
    int count = 0;

    frame_bench_set_up(&bench);
    bench.has_streams = true;
    while (count < 100 && ping(&bench, count * interval_ms(&bench) / 3) == VTS_VERDICT_PASS)
        count++;
    CU_ASSERT_EQUAL(count, 5); /* good, two strikes, one taken back, strike */
}

static void sending_clears_the_strikes(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    for (int i = 0; i < 1000; i++) {
        for (int j = 0; j < 3; j++)
            CU_ASSERT_EQUAL(ping(&bench, 0), VTS_VERDICT_PASS);
        vts_frame_guard_sent(&bench.guard, i % 2 == 0);
    }
    expect_left(&bench, 0, 3);
}

static void answers_are_free_once_for_each_ping_of_ours(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    vts_frame_guard_pinged(&bench.guard);
    vts_frame_guard_pinged(&bench.guard);
    for (uint64_t i = 0; i < 10; i++) {
        CU_ASSERT_EQUAL(receive_ack(&bench), VTS_VERDICT_PASS);
        CU_ASSERT_EQUAL(bench.guard.glitches_count, i < 2 ? 0 : i - 1);
    }
    CU_ASSERT_EQUAL(bench.guard.ping_strikes, 0);
}

static const struct vts_test tests[] = {
    {"flood_ends_with_the_third_strike", flood_ends_with_the_third_strike},
    {"strikes_follow_their_limit", strikes_follow_their_limit},
    {"pings_an_interval_apart_pass_for_ever", pings_an_interval_apart_pass_for_ever},
    {"interval_is_shorter_while_streams_are_open", interval_is_shorter_while_streams_are_open},
    {"jitter_never_adds_up", jitter_never_adds_up},
    {"pings_at_a_third_of_the_interval_end", pings_at_a_third_of_the_interval_end},
    {"sending_clears_the_strikes", sending_clears_the_strikes},
    {"answers_are_free_once_for_each_ping_of_ours", answers_are_free_once_for_each_ping_of_ours},
};

int main(void)
{
    return vts_test_run("test_frame_guard_pings", tests, VTS_ARRAY_LEN(tests));
}
