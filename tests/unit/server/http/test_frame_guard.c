/* SPDX-License-Identifier: Apache-2.0 */
/* test_frame_guard.c - what each frame costs, and when a connection has to go. */
#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "tests/support/suite.h"
#include "tests/unit/server/http/frame_bench.h"

static enum vts_verdict receive(struct frame_bench *bench, uint8_t type, uint8_t flags, uint32_t id,
                                uint32_t payload_len)
{
    const struct frame_sample sample = {type, flags, id, payload_len, 0};

    return frame_bench_receive(bench, &sample, false, frame_bench_start_ns);
}

static enum vts_verdict receive_on_open_stream(struct frame_bench *bench, uint8_t type,
                                               uint8_t flags, uint32_t id, uint32_t payload_len)
{
    const struct frame_sample sample = {type, flags, id, payload_len, 0};

    return frame_bench_receive(bench, &sample, true, frame_bench_start_ns);
}

static enum vts_verdict open_stream(struct frame_bench *bench, uint32_t id)
{
    return receive(bench, VTS_FRAME_HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, id, 10);
}

/* Asserts that the frame passes and costs so many tokens of the glitch bucket. */
static void expect_glitches(struct frame_bench *bench, const struct frame_sample *sample,
                            bool is_stream_open, uint64_t glitches)
{
    uint64_t before = bench->guard.glitches_count;

    CU_ASSERT_EQUAL(frame_bench_receive(bench, sample, is_stream_open, frame_bench_start_ns),
                    VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(bench->guard.glitches_count - before, glitches);
}

/* ---- stream ids -------------------------------------------------------------------------- */

static void headers_with_rising_ids_pass(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    for (uint32_t id = 1; id < 2000; id += 2)
        CU_ASSERT_EQUAL(open_stream(&bench, id), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(bench.guard.glitches_count, 0);
    CU_ASSERT_EQUAL(bench.guard.highest_id, 1999);
    CU_ASSERT_EQUAL(bench.guard.streams_opened, 1000);
}

static void headers_with_highest_id_pass(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    CU_ASSERT_EQUAL(open_stream(&bench, 0x7fffffff), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(open_stream(&bench, 0x7ffffffd), VTS_VERDICT_END_PROTOCOL);
    CU_ASSERT_EQUAL(open_stream(&bench, 1), VTS_VERDICT_END_PROTOCOL);
}

static void headers_on_skipped_id_end_the_connection(void)
{
    static const uint32_t skipped[] = {1, 3, 7, 9, 11};

    for (size_t i = 0; i < VTS_ARRAY_LEN(skipped); i++) {
        struct frame_bench bench;

        frame_bench_set_up(&bench);
        CU_ASSERT_EQUAL(open_stream(&bench, 5), VTS_VERDICT_PASS);
        CU_ASSERT_EQUAL(open_stream(&bench, 13), VTS_VERDICT_PASS);
        CU_ASSERT_EQUAL(open_stream(&bench, skipped[i]), VTS_VERDICT_END_PROTOCOL);
    }
}

static void headers_on_used_id_cost_a_glitch_unless_it_is_open(void)
{
    const struct frame_sample trailers = {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 1, 10, 0};
    const struct frame_sample even = {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 2, 10, 0};
    const struct frame_sample none = {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 0, 10, 0};
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    CU_ASSERT_EQUAL(open_stream(&bench, 1), VTS_VERDICT_PASS);
    expect_glitches(&bench, &trailers, true, 0);
    expect_glitches(&bench, &trailers, false, 1);
    expect_glitches(&bench, &even, false, 1);
    expect_glitches(&bench, &none, false, 1);
    CU_ASSERT_EQUAL(bench.guard.streams_opened, 1);
}

/* The n-th gap holds the id 4n + 1 only; the stream behind it is 4n + 3. */
static uint32_t gap_id(uint32_t n)
{
    return 4 * n + 1;
}

static void open_with_gaps(struct frame_bench *bench, uint32_t from, uint32_t to)
{
    for (uint32_t n = from; n < to; n++)
        CU_ASSERT_EQUAL(open_stream(bench, gap_id(n) + 2), VTS_VERDICT_PASS);
}

static void gaps_up_to_the_ring_are_free(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    open_with_gaps(&bench, 0, VTS_FRAME_GAPS_MAX);
    CU_ASSERT_EQUAL(bench.guard.glitches_count, 0);
    for (uint32_t n = 0; n < VTS_FRAME_GAPS_MAX; n++)
        CU_ASSERT_EQUAL(open_stream(&bench, gap_id(n)), VTS_VERDICT_END_PROTOCOL);
}

static void gaps_past_the_ring_cost_and_the_newest_are_kept(void)
{
    enum { ALL = 3 * VTS_FRAME_GAPS_MAX + 5 };
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    for (uint32_t all = 1; all <= ALL; all++) {
        uint32_t oldest = all > VTS_FRAME_GAPS_MAX ? all - VTS_FRAME_GAPS_MAX : 0;

        open_with_gaps(&bench, all - 1, all);
        CU_ASSERT_EQUAL(bench.guard.glitches_count, oldest);
        for (uint32_t n = oldest; n < all; n++)
            CU_ASSERT_EQUAL(open_stream(&bench, gap_id(n)), VTS_VERDICT_END_PROTOCOL);
    }
    CU_ASSERT_EQUAL(open_stream(&bench, gap_id(0)), VTS_VERDICT_PASS); /* forgotten: a glitch */
    CU_ASSERT_EQUAL(bench.guard.glitches_count, ALL - VTS_FRAME_GAPS_MAX + 1);
}

/* ---- header blocks ----------------------------------------------------------------------- */

static void continuations_past_the_limit_end_the_connection(void)
{
    struct frame_bench bench;
    uint64_t max;

    frame_bench_set_up(&bench);
    max = vts_limits_get(&bench.limits, VTS_LIMIT_CONTINUATIONS);
    for (uint32_t id = 1; id <= 3; id += 2) {
        CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_HEADERS, 0, id, 10), VTS_VERDICT_PASS);
        for (uint64_t i = 0; i < max; i++)
            CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_CONTINUATION, 0, id, 10), VTS_VERDICT_PASS);
    }
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_CONTINUATION, FLAG_END_HEADERS, 3, 10),
                    VTS_VERDICT_END_CALM);
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_CONTINUATIONS);
}

static void header_block_up_to_the_hard_limit_passes(void)
{
    struct frame_bench bench;
    uint32_t quarter;

    frame_bench_set_up(&bench);
    quarter = (uint32_t)vts_limits_get(&bench.limits, VTS_LIMIT_HEADER_BYTES_HARD) / 4;
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_HEADERS, 0, 1, quarter), VTS_VERDICT_PASS);
    for (int i = 0; i < 3; i++)
        CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_CONTINUATION, 0, 1, quarter), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_CONTINUATION, FLAG_END_HEADERS, 1, 1),
                    VTS_VERDICT_END_CALM);
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_HEADER_BYTES_HARD);
}

static void header_frame_past_the_hard_limit_ends_the_connection(void)
{
    struct frame_bench bench;
    uint32_t max;

    frame_bench_set_up(&bench);
    max = (uint32_t)vts_limits_get(&bench.limits, VTS_LIMIT_HEADER_BYTES_HARD);
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_HEADERS, FLAG_END_HEADERS, 1, max), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_HEADERS, FLAG_END_HEADERS, 3, max + 1),
                    VTS_VERDICT_END_CALM);
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_HEADER_BYTES_HARD);
}

static void header_frame_without_octets_costs_a_glitch(void)
{
    const struct frame_sample headers = {VTS_FRAME_HEADERS, 0, 1, 0, 0};
    const struct frame_sample continuation = {VTS_FRAME_CONTINUATION, FLAG_END_HEADERS, 1, 0, 0};
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    expect_glitches(&bench, &headers, false, 1);
    expect_glitches(&bench, &continuation, true, 1);
}

/* Feeds bytes one by one, judging the frames; returns at how many of them a header was under way
 * afterwards. */
static size_t count_in_header(struct frame_bench *bench, const uint8_t *bytes, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        bool has_frame;

        CU_ASSERT_EQUAL_FATAL(vts_frame_guard_take(&bench->guard, bytes + i, 1, &has_frame), 1);
        if (has_frame)
            (void)vts_frame_guard_judge(&bench->guard, false, false, frame_bench_start_ns);
        count += vts_frame_guard_is_in_header(&bench->guard);
    }
    return count;
}

static void header_in_one_frame_is_under_way_until_its_last_byte(void)
{
    static const struct frame_sample headers = {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 1, 10, 0};
    uint8_t bytes[64];
    size_t len = frame_sample_write(bytes, &headers);
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    CU_ASSERT_FALSE(vts_frame_guard_is_in_header(&bench.guard));
    /* After the ninth byte of its frame's header and before the tenth of its payload. */
    CU_ASSERT_EQUAL(count_in_header(&bench, bytes, len), 10);
    CU_ASSERT_FALSE(vts_frame_guard_is_in_header(&bench.guard));
}

static void header_in_many_frames_is_under_way_between_them(void)
{
    static const struct frame_sample headers = {VTS_FRAME_HEADERS, 0, 1, 10, 0};
    static const struct frame_sample middle = {VTS_FRAME_CONTINUATION, 0, 1, 7, 0};
    static const struct frame_sample last = {VTS_FRAME_CONTINUATION, FLAG_END_HEADERS, 1, 5, 0};
    uint8_t bytes[128];
    size_t len = frame_sample_write(bytes, &headers);
    struct frame_bench bench;

    len += frame_sample_write(bytes + len, &middle);
    len += frame_sample_write(bytes + len, &last);
    frame_bench_set_up(&bench);
    CU_ASSERT_EQUAL(count_in_header(&bench, bytes, len), len - HEAD_BYTES);
    CU_ASSERT_FALSE(vts_frame_guard_is_in_header(&bench.guard));
}

/* Spends the glitch bucket until one more token asks the peer to leave. */
static void spend_to_the_low_mark(struct frame_bench *bench)
{
    uint64_t burst = vts_limits_get(&bench->limits, VTS_LIMIT_GLITCHES);

    for (uint64_t i = 0; i < burst / 4 * 3; i++)
        CU_ASSERT_EQUAL_FATAL(vts_frame_guard_glitch(&bench->guard, frame_bench_start_ns),
                              VTS_VERDICT_PASS);
}

static void header_begun_while_asked_to_leave_is_under_way(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    CU_ASSERT_EQUAL(open_stream(&bench, 1), VTS_VERDICT_PASS);
    spend_to_the_low_mark(&bench);
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_HEADERS, 0, 1, 10), VTS_VERDICT_ASK_TO_LEAVE);
    CU_ASSERT(vts_frame_guard_is_in_header(&bench.guard));
}

/* ---- what frames cost -------------------------------------------------------------------- */

static void data_costs_only_without_stream_or_octets(void)
{
    const struct frame_sample full = {VTS_FRAME_DATA, 0, 1, 100, 0};
    const struct frame_sample empty = {VTS_FRAME_DATA, 0, 1, 0, 0};
    const struct frame_sample padding = {VTS_FRAME_DATA, FLAG_PADDED, 1, 20, 19};
    const struct frame_sample end = {VTS_FRAME_DATA, FLAG_END_STREAM, 1, 0, 0};
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    expect_glitches(&bench, &full, true, 0);
    expect_glitches(&bench, &end, true, 0);
    expect_glitches(&bench, &empty, true, 1);
    expect_glitches(&bench, &padding, true, 1);
    expect_glitches(&bench, &full, false, 1);
    expect_glitches(&bench, &end, false, 1);
}

static void settings_past_the_limit_cost_and_acks_never(void)
{
    const struct frame_sample settings = {VTS_FRAME_SETTINGS, 0, 0, 6, 0};
    const struct frame_sample ack = {VTS_FRAME_SETTINGS, FLAG_ACK, 0, 0, 0};
    struct frame_bench bench;
    uint64_t free_count;

    frame_bench_set_up(&bench);
    free_count = vts_limits_get(&bench.limits, VTS_LIMIT_SETTINGS);
    for (uint64_t i = 0; i < free_count; i++) {
        expect_glitches(&bench, &settings, false, 0);
        expect_glitches(&bench, &ack, false, 0);
    }
    expect_glitches(&bench, &settings, false, 1);
    expect_glitches(&bench, &ack, false, 0);
}

static void window_updates_are_free_in_proportion(void)
{
    const struct frame_sample update = {VTS_FRAME_WINDOW_UPDATE, 0, 0, 4, 0};

    for (uint32_t streams = 0; streams < 5; streams++) {
        for (int sent = 0; sent < 4; sent++) {
            uint32_t free_count = 5 + 2 * (streams + 10 * (uint32_t)sent);
            struct frame_bench bench;

            frame_bench_set_up(&bench);
            for (uint32_t i = 0; i < streams; i++)
                (void)open_stream(&bench, 1 + 2 * i);
            for (int i = 0; i < sent; i++)
                vts_frame_guard_sent(&bench.guard, true);
            vts_frame_guard_sent(&bench.guard, false); /* HEADERS do not count */
            for (uint32_t i = 0; i < free_count; i++)
                expect_glitches(&bench, &update, false, 0);
            expect_glitches(&bench, &update, false, 1);
        }
    }
}

static void frames_of_no_use_cost_a_glitch(void)
{
    static const struct frame_sample rows[] = {
        {VTS_FRAME_PRIORITY, 0, 1, 5, 0},
        {VTS_FRAME_PUSH_PROMISE, FLAG_END_HEADERS, 1, 5, 0},
        {10, 0, 0, 0, 0},
        {255, 255, 1, 100, 0},
    };
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        expect_glitches(&bench, &rows[i], false, 1);
        expect_glitches(&bench, &rows[i], true, 1);
    }
}

static void goaway_costs_from_the_second_on(void)
{
    const struct frame_sample goaway = {VTS_FRAME_GOAWAY, 0, 0, 8, 0};
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    expect_glitches(&bench, &goaway, false, 0);
    expect_glitches(&bench, &goaway, false, 1);
    expect_glitches(&bench, &goaway, false, 1);
}

/* ---- buckets ----------------------------------------------------------------------------- */

/* Spends a bucket on frames of one type: they ask to leave once on the way, when three quarters are
 * spent, and end the connection at last. */
static void expect_burst(struct frame_bench *bench, uint8_t type, uint64_t burst)
{
    for (uint64_t i = 1; i <= burst; i++) {
        enum vts_verdict verdict = receive_on_open_stream(bench, type, 0, 1, 4);

        CU_ASSERT_EQUAL(verdict,
                        i == burst / 4 * 3 + 1 ? VTS_VERDICT_ASK_TO_LEAVE : VTS_VERDICT_PASS);
    }
    CU_ASSERT_EQUAL(receive_on_open_stream(bench, type, 0, 1, 4), VTS_VERDICT_END_CALM);
}

static void glitches_past_the_burst_end_the_connection(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    expect_burst(&bench, VTS_FRAME_PRIORITY, vts_limits_get(&bench.limits, VTS_LIMIT_GLITCHES));
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_GLITCHES);
}

static void resets_past_the_burst_end_the_connection(void)
{
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    expect_burst(&bench, VTS_FRAME_RST_STREAM, vts_limits_get(&bench.limits, VTS_LIMIT_RESETS));
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_RESETS);
    CU_ASSERT_EQUAL(bench.guard.glitches_count, 0);
}

static void resets_of_both_sides_share_a_bucket(void)
{
    struct frame_bench bench;
    uint64_t burst;

    frame_bench_set_up(&bench);
    burst = vts_limits_get(&bench.limits, VTS_LIMIT_RESETS);
    for (uint64_t i = 0; i < burst / 2; i++) {
        CU_ASSERT_NOT_EQUAL(receive(&bench, VTS_FRAME_RST_STREAM, 0, 1, 4), VTS_VERDICT_END_CALM);
        CU_ASSERT_NOT_EQUAL(vts_frame_guard_reset(&bench.guard, frame_bench_start_ns),
                            VTS_VERDICT_END_CALM);
    }
    CU_ASSERT_EQUAL(vts_frame_guard_reset(&bench.guard, frame_bench_start_ns),
                    VTS_VERDICT_END_CALM);
}

static void peer_is_asked_to_leave_once_for_both_buckets(void)
{
    struct frame_bench bench;
    uint64_t burst;

    frame_bench_set_up(&bench);
    burst = vts_limits_get(&bench.limits, VTS_LIMIT_RESETS);
    spend_to_the_low_mark(&bench);
    CU_ASSERT_EQUAL(vts_frame_guard_glitch(&bench.guard, frame_bench_start_ns),
                    VTS_VERDICT_ASK_TO_LEAVE);
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_GLITCHES);
    for (uint64_t i = 0; i < burst; i++)
        CU_ASSERT_EQUAL(vts_frame_guard_reset(&bench.guard, frame_bench_start_ns),
                        VTS_VERDICT_PASS);
}

static void glitches_at_the_refill_rate_never_end(void)
{
    struct frame_bench bench;
    int64_t gap_ns;

    frame_bench_set_up(&bench);
    gap_ns = VTS_NS_PER_S / (int64_t)vts_limits_get(&bench.limits, VTS_LIMIT_GLITCHES_PER_S);
    for (int64_t i = 0; i < 10000; i++)
        CU_ASSERT_EQUAL(vts_frame_guard_glitch(&bench.guard, frame_bench_start_ns + i * gap_ns),
                        VTS_VERDICT_PASS);
}

static const struct vts_test tests[] = {
    {"headers_with_rising_ids_pass", headers_with_rising_ids_pass},
    {"headers_with_highest_id_pass", headers_with_highest_id_pass},
    {"headers_on_skipped_id_end_the_connection", headers_on_skipped_id_end_the_connection},
    {"headers_on_used_id_cost_a_glitch_unless_it_is_open",
     headers_on_used_id_cost_a_glitch_unless_it_is_open},
    {"gaps_up_to_the_ring_are_free", gaps_up_to_the_ring_are_free},
    {"gaps_past_the_ring_cost_and_the_newest_are_kept",
     gaps_past_the_ring_cost_and_the_newest_are_kept},
    {"continuations_past_the_limit_end_the_connection",
     continuations_past_the_limit_end_the_connection},
    {"header_block_up_to_the_hard_limit_passes", header_block_up_to_the_hard_limit_passes},
    {"header_frame_past_the_hard_limit_ends_the_connection",
     header_frame_past_the_hard_limit_ends_the_connection},
    {"header_frame_without_octets_costs_a_glitch", header_frame_without_octets_costs_a_glitch},
    {"header_in_one_frame_is_under_way_until_its_last_byte",
     header_in_one_frame_is_under_way_until_its_last_byte},
    {"header_in_many_frames_is_under_way_between_them",
     header_in_many_frames_is_under_way_between_them},
    {"header_begun_while_asked_to_leave_is_under_way",
     header_begun_while_asked_to_leave_is_under_way},
    {"data_costs_only_without_stream_or_octets", data_costs_only_without_stream_or_octets},
    {"settings_past_the_limit_cost_and_acks_never", settings_past_the_limit_cost_and_acks_never},
    {"window_updates_are_free_in_proportion", window_updates_are_free_in_proportion},
    {"frames_of_no_use_cost_a_glitch", frames_of_no_use_cost_a_glitch},
    {"goaway_costs_from_the_second_on", goaway_costs_from_the_second_on},
    {"glitches_past_the_burst_end_the_connection", glitches_past_the_burst_end_the_connection},
    {"resets_past_the_burst_end_the_connection", resets_past_the_burst_end_the_connection},
    {"resets_of_both_sides_share_a_bucket", resets_of_both_sides_share_a_bucket},
    {"peer_is_asked_to_leave_once_for_both_buckets", peer_is_asked_to_leave_once_for_both_buckets},
    {"glitches_at_the_refill_rate_never_end", glitches_at_the_refill_rate_never_end},
};

int main(void)
{
    return vts_test_run("test_frame_guard", tests, VTS_ARRAY_LEN(tests));
}
