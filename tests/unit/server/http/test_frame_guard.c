/* SPDX-License-Identifier: Apache-2.0 */
/* test_frame_guard.c - what is seen of frames however they are cut, and what each one costs. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/rng.h"
#include "server/http/frame_guard.h"
#include "tests/support/suite.h"

enum {
    PREFACE_BYTES = 24,
    HEAD_BYTES = 9,
    STREAM_BYTES_MAX = 128 * 1024,
    FRAMES_MAX = 32,
    FLAG_ACK = 0x1,
    FLAG_END_STREAM = 0x1,
    FLAG_END_HEADERS = 0x4,
    FLAG_PADDED = 0x8,
};

/* Time stands still unless a test moves it. */
static const int64_t start_ns = INT64_C(1000) * VTS_NS_PER_S;

struct bench {
    struct vts_limits limits;
    struct vts_frame_guard guard;
};

static void set_up(struct bench *bench)
{
    bool has_frame;

    vts_limits_init(&bench->limits);
    vts_frame_guard_init(&bench->guard, &bench->limits);
    CU_ASSERT_EQUAL_FATAL(vts_frame_guard_take(&bench->guard,
                                               (const uint8_t *)"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                               PREFACE_BYTES, &has_frame),
                          PREFACE_BYTES);
    CU_ASSERT_FALSE(has_frame);
}

/* A frame to send; its payload is zeros, but for the pad length of padded DATA. */
struct sample {
    uint8_t type;
    uint8_t flags;
    uint32_t stream_id;
    uint32_t payload_len;
    uint8_t pad_len;
};

static size_t write_frame(uint8_t *out, const struct sample *sample)
{
    const uint8_t head[HEAD_BYTES] = {(uint8_t)(sample->payload_len >> 16),
                                      (uint8_t)(sample->payload_len >> 8),
                                      (uint8_t)sample->payload_len,
                                      sample->type,
                                      sample->flags,
                                      (uint8_t)(sample->stream_id >> 24),
                                      (uint8_t)(sample->stream_id >> 16),
                                      (uint8_t)(sample->stream_id >> 8),
                                      (uint8_t)sample->stream_id};

    memcpy(out, head, HEAD_BYTES);
    memset(out + HEAD_BYTES, 0, sample->payload_len);
    if (sample->payload_len > 0)
        out[HEAD_BYTES] = sample->pad_len;
    return HEAD_BYTES + sample->payload_len;
}

/* Gives the guard a whole frame and returns its verdict. */
static enum vts_verdict receive_sample(struct bench *bench, const struct sample *sample,
                                       bool is_stream_open, int64_t now_ns)
{
    static uint8_t bytes[STREAM_BYTES_MAX];
    size_t len = write_frame(bytes, sample);
    bool has_frame;

    CU_ASSERT_EQUAL_FATAL(vts_frame_guard_take(&bench->guard, bytes, len, &has_frame), len);
    CU_ASSERT_FATAL(has_frame);
    return vts_frame_guard_judge(&bench->guard, is_stream_open, now_ns);
}

static enum vts_verdict receive(struct bench *bench, uint8_t type, uint8_t flags, uint32_t id,
                                uint32_t payload_len)
{
    const struct sample sample = {type, flags, id, payload_len, 0};

    return receive_sample(bench, &sample, false, start_ns);
}

static enum vts_verdict receive_on_open_stream(struct bench *bench, uint8_t type, uint8_t flags,
                                               uint32_t id, uint32_t payload_len)
{
    const struct sample sample = {type, flags, id, payload_len, 0};

    return receive_sample(bench, &sample, true, start_ns);
}

static enum vts_verdict open_stream(struct bench *bench, uint32_t id)
{
    return receive(bench, VTS_FRAME_HEADERS, FLAG_END_HEADERS | FLAG_END_STREAM, id, 10);
}

/* Asserts that the frame passes and costs so many tokens of the glitch bucket. */
static void expect_glitches(struct bench *bench, const struct sample *sample, bool is_stream_open,
                            uint64_t glitches)
{
    uint64_t before = bench->guard.glitches_count;

    CU_ASSERT_EQUAL(receive_sample(bench, sample, is_stream_open, start_ns), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(bench->guard.glitches_count - before, glitches);
}

/* ---- taking bytes ------------------------------------------------------------------------ */

static const struct sample conversation[] = {
    {VTS_FRAME_SETTINGS, 0, 0, 0, 0},
    {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 1, 20, 0},
    {VTS_FRAME_DATA, FLAG_PADDED, 1, 5, 3},
    {VTS_FRAME_DATA, FLAG_PADDED, 1, 0, 0},
    {VTS_FRAME_DATA, FLAG_PADDED, 1, 1, 0},
    {VTS_FRAME_PING, 0, 0, 8, 0},
    {0xfa, 0xff, 0x7fffffff, 3, 0},
    {VTS_FRAME_DATA, FLAG_PADDED | FLAG_END_STREAM, 1, 300, 255},
    {VTS_FRAME_WINDOW_UPDATE, 0, 0, 4, 0},
};

/* The frames that a guard saw. */
struct sight {
    size_t count;
    struct vts_frame frames[FRAMES_MAX];
};

static void take_all(struct vts_frame_guard *guard, const uint8_t *bytes, size_t len,
                     struct sight *sight)
{
    while (len > 0) {
        bool has_frame;
        size_t taken = vts_frame_guard_take(guard, bytes, len, &has_frame);

        CU_ASSERT_FATAL(taken > 0 && taken <= len);
        if (has_frame && sight->count < FRAMES_MAX)
            sight->frames[sight->count] = guard->frame;
        sight->count += has_frame;
        bytes += taken;
        len -= taken;
    }
}

static size_t write_conversation(uint8_t *out)
{
    size_t len = PREFACE_BYTES;

    memcpy(out, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", PREFACE_BYTES);
    for (size_t i = 0; i < VTS_ARRAY_LEN(conversation); i++)
        len += write_frame(out + len, &conversation[i]);
    return len;
}

static bool is_conversation(const struct sight *sight)
{
    if (sight->count != VTS_ARRAY_LEN(conversation))
        return false;
    for (size_t i = 0; i < sight->count; i++) {
        const struct vts_frame *frame = &sight->frames[i];
        const struct sample *sample = &conversation[i];

        if (frame->type != sample->type || frame->flags != sample->flags ||
            frame->stream_id != sample->stream_id || frame->payload_len != sample->payload_len)
            return false;
    }
    return true;
}

static void take_split_at_every_byte_sees_each_frame_once(void)
{
    static uint8_t bytes[STREAM_BYTES_MAX];
    size_t len = write_conversation(bytes);
    struct vts_limits limits;

    vts_limits_init(&limits);
    for (size_t cut = 0; cut <= len; cut++) {
        struct sight sight = {0};
        struct vts_frame_guard guard;

        vts_frame_guard_init(&guard, &limits);
        take_all(&guard, bytes, cut, &sight);
        take_all(&guard, bytes + cut, len - cut, &sight);
        CU_ASSERT_FATAL(is_conversation(&sight));
    }
}

static void take_byte_by_byte_sees_each_frame_once(void)
{
    static uint8_t bytes[STREAM_BYTES_MAX];
    size_t len = write_conversation(bytes);
    struct sight sight = {0};
    struct vts_frame_guard guard;
    struct vts_limits limits;

    vts_limits_init(&limits);
    vts_frame_guard_init(&guard, &limits);
    for (size_t i = 0; i < len; i++)
        take_all(&guard, bytes + i, 1, &sight);
    CU_ASSERT(is_conversation(&sight));
}

static void take_stops_at_the_end_of_a_frame(void)
{
    static uint8_t bytes[STREAM_BYTES_MAX];
    const struct sample ping = {VTS_FRAME_PING, 0, 0, 8, 0};
    struct bench bench;
    size_t len = write_frame(bytes, &ping);
    bool has_frame;

    len += write_frame(bytes + len, &ping);
    set_up(&bench);
    CU_ASSERT_EQUAL(vts_frame_guard_take(&bench.guard, bytes, len, &has_frame), HEAD_BYTES + 8);
    CU_ASSERT(has_frame);
}

static void preface_in_parts_is_no_frame(void)
{
    struct vts_limits limits;
    struct vts_frame_guard guard;
    bool has_frame = true;

    vts_limits_init(&limits);
    vts_frame_guard_init(&guard, &limits);
    for (int i = 0; i < PREFACE_BYTES; i++) {
        CU_ASSERT_FALSE(vts_frame_guard_has_preface(&guard));
        CU_ASSERT_EQUAL(vts_frame_guard_take(&guard, (const uint8_t *)"x", 1, &has_frame), 1);
        CU_ASSERT_FALSE(has_frame);
    }
    CU_ASSERT(vts_frame_guard_has_preface(&guard));
}

static void preface_and_frame_in_one_read_are_taken_apart(void)
{
    static uint8_t bytes[STREAM_BYTES_MAX];
    size_t len = write_conversation(bytes);
    struct vts_limits limits;
    struct vts_frame_guard guard;
    bool has_frame;

    vts_limits_init(&limits);
    vts_frame_guard_init(&guard, &limits);
    CU_ASSERT_EQUAL(vts_frame_guard_take(&guard, bytes, len, &has_frame), PREFACE_BYTES);
    CU_ASSERT_FALSE(has_frame);
}

static void stream_id_with_reserved_bit_is_read_without(void)
{
    struct bench bench;

    set_up(&bench);
    (void)receive(&bench, VTS_FRAME_PRIORITY, 0, 0x80000005, 5);
    CU_ASSERT_EQUAL(bench.guard.frame.stream_id, 5);
}

static void data_without_octets_is_empty_unless_it_ends(void)
{
    static const struct {
        struct sample sample;
        bool is_empty;
    } rows[] = {
        {{VTS_FRAME_DATA, 0, 1, 0, 0}, true},
        {{VTS_FRAME_DATA, 0, 1, 1, 0}, false},
        {{VTS_FRAME_DATA, FLAG_END_STREAM, 1, 0, 0}, false},
        {{VTS_FRAME_DATA, FLAG_PADDED, 1, 0, 0}, true},
        {{VTS_FRAME_DATA, FLAG_PADDED, 1, 1, 0}, true},
        {{VTS_FRAME_DATA, FLAG_PADDED, 1, 8, 7}, true},
        {{VTS_FRAME_DATA, FLAG_PADDED, 1, 8, 6}, false},
        {{VTS_FRAME_DATA, FLAG_PADDED, 1, 256, 255}, true},
        {{VTS_FRAME_DATA, FLAG_PADDED | FLAG_END_STREAM, 1, 8, 7}, false},
        {{VTS_FRAME_HEADERS, FLAG_PADDED, 1, 8, 7}, false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct bench bench;

        set_up(&bench);
        (void)receive_sample(&bench, &rows[i].sample, true, start_ns);
        CU_ASSERT_EQUAL(bench.guard.frame.is_empty_data, rows[i].is_empty);
    }
}

/* ---- stream ids -------------------------------------------------------------------------- */

static void headers_with_rising_ids_pass(void)
{
    struct bench bench;

    set_up(&bench);
    for (uint32_t id = 1; id < 2000; id += 2)
        CU_ASSERT_EQUAL(open_stream(&bench, id), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(bench.guard.glitches_count, 0);
    CU_ASSERT_EQUAL(bench.guard.highest_id, 1999);
    CU_ASSERT_EQUAL(bench.guard.streams_opened, 1000);
}

static void headers_with_highest_id_pass(void)
{
    struct bench bench;

    set_up(&bench);
    CU_ASSERT_EQUAL(open_stream(&bench, 0x7fffffff), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(open_stream(&bench, 0x7ffffffd), VTS_VERDICT_END_PROTOCOL);
    CU_ASSERT_EQUAL(open_stream(&bench, 1), VTS_VERDICT_END_PROTOCOL);
}

static void headers_on_skipped_id_end_the_connection(void)
{
    static const uint32_t skipped[] = {1, 3, 7, 9, 11};

    for (size_t i = 0; i < VTS_ARRAY_LEN(skipped); i++) {
        struct bench bench;

        set_up(&bench);
        CU_ASSERT_EQUAL(open_stream(&bench, 5), VTS_VERDICT_PASS);
        CU_ASSERT_EQUAL(open_stream(&bench, 13), VTS_VERDICT_PASS);
        CU_ASSERT_EQUAL(open_stream(&bench, skipped[i]), VTS_VERDICT_END_PROTOCOL);
    }
}

static void headers_on_used_id_cost_a_glitch_unless_it_is_open(void)
{
    const struct sample trailers = {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 1, 10, 0};
    const struct sample even = {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 2, 10, 0};
    const struct sample none = {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 0, 10, 0};
    struct bench bench;

    set_up(&bench);
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

static void open_with_gaps(struct bench *bench, uint32_t from, uint32_t to)
{
    for (uint32_t n = from; n < to; n++)
        CU_ASSERT_EQUAL(open_stream(bench, gap_id(n) + 2), VTS_VERDICT_PASS);
}

static void gaps_up_to_the_ring_are_free(void)
{
    struct bench bench;

    set_up(&bench);
    open_with_gaps(&bench, 0, VTS_FRAME_GAPS_MAX);
    CU_ASSERT_EQUAL(bench.guard.glitches_count, 0);
    for (uint32_t n = 0; n < VTS_FRAME_GAPS_MAX; n++)
        CU_ASSERT_EQUAL(open_stream(&bench, gap_id(n)), VTS_VERDICT_END_PROTOCOL);
}

static void gaps_past_the_ring_cost_and_the_newest_are_kept(void)
{
    enum { ALL = 3 * VTS_FRAME_GAPS_MAX + 5 };
    struct bench bench;

    set_up(&bench);
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
    struct bench bench;
    uint64_t max;

    set_up(&bench);
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
    struct bench bench;
    uint32_t quarter;

    set_up(&bench);
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
    struct bench bench;
    uint32_t max;

    set_up(&bench);
    max = (uint32_t)vts_limits_get(&bench.limits, VTS_LIMIT_HEADER_BYTES_HARD);
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_HEADERS, FLAG_END_HEADERS, 1, max), VTS_VERDICT_PASS);
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_HEADERS, FLAG_END_HEADERS, 3, max + 1),
                    VTS_VERDICT_END_CALM);
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_HEADER_BYTES_HARD);
}

static void header_frame_without_octets_costs_a_glitch(void)
{
    const struct sample headers = {VTS_FRAME_HEADERS, 0, 1, 0, 0};
    const struct sample continuation = {VTS_FRAME_CONTINUATION, FLAG_END_HEADERS, 1, 0, 0};
    struct bench bench;

    set_up(&bench);
    expect_glitches(&bench, &headers, false, 1);
    expect_glitches(&bench, &continuation, true, 1);
}

/* Feeds bytes one by one, judging the frames; returns at how many of them a header was under way
 * afterwards. */
static size_t count_in_header(struct bench *bench, const uint8_t *bytes, size_t len)
{
    size_t count = 0;

    for (size_t i = 0; i < len; i++) {
        bool has_frame;

        CU_ASSERT_EQUAL_FATAL(vts_frame_guard_take(&bench->guard, bytes + i, 1, &has_frame), 1);
        if (has_frame)
            (void)vts_frame_guard_judge(&bench->guard, false, start_ns);
        count += vts_frame_guard_is_in_header(&bench->guard);
    }
    return count;
}

static void header_in_one_frame_is_under_way_until_its_last_byte(void)
{
    static const struct sample headers = {VTS_FRAME_HEADERS, FLAG_END_HEADERS, 1, 10, 0};
    uint8_t bytes[64];
    size_t len = write_frame(bytes, &headers);
    struct bench bench;

    set_up(&bench);
    CU_ASSERT_FALSE(vts_frame_guard_is_in_header(&bench.guard));
    /* After the ninth byte of its frame's header and before the tenth of its payload. */
    CU_ASSERT_EQUAL(count_in_header(&bench, bytes, len), 10);
    CU_ASSERT_FALSE(vts_frame_guard_is_in_header(&bench.guard));
}

static void header_in_many_frames_is_under_way_between_them(void)
{
    static const struct sample headers = {VTS_FRAME_HEADERS, 0, 1, 10, 0};
    static const struct sample middle = {VTS_FRAME_CONTINUATION, 0, 1, 7, 0};
    static const struct sample last = {VTS_FRAME_CONTINUATION, FLAG_END_HEADERS, 1, 5, 0};
    uint8_t bytes[128];
    size_t len = write_frame(bytes, &headers);
    struct bench bench;

    len += write_frame(bytes + len, &middle);
    len += write_frame(bytes + len, &last);
    set_up(&bench);
    CU_ASSERT_EQUAL(count_in_header(&bench, bytes, len), len - HEAD_BYTES);
    CU_ASSERT_FALSE(vts_frame_guard_is_in_header(&bench.guard));
}

/* Spends the glitch bucket until one more token asks the peer to leave. */
static void spend_to_the_low_mark(struct bench *bench)
{
    uint64_t burst = vts_limits_get(&bench->limits, VTS_LIMIT_GLITCHES);

    for (uint64_t i = 0; i < burst / 4 * 3; i++)
        CU_ASSERT_EQUAL_FATAL(vts_frame_guard_glitch(&bench->guard, start_ns), VTS_VERDICT_PASS);
}

static void header_begun_while_asked_to_leave_is_under_way(void)
{
    struct bench bench;

    set_up(&bench);
    CU_ASSERT_EQUAL(open_stream(&bench, 1), VTS_VERDICT_PASS);
    spend_to_the_low_mark(&bench);
    CU_ASSERT_EQUAL(receive(&bench, VTS_FRAME_HEADERS, 0, 1, 10), VTS_VERDICT_ASK_TO_LEAVE);
    CU_ASSERT(vts_frame_guard_is_in_header(&bench.guard));
}

/* ---- what frames cost -------------------------------------------------------------------- */

static void data_costs_only_without_stream_or_octets(void)
{
    const struct sample full = {VTS_FRAME_DATA, 0, 1, 100, 0};
    const struct sample empty = {VTS_FRAME_DATA, 0, 1, 0, 0};
    const struct sample padding = {VTS_FRAME_DATA, FLAG_PADDED, 1, 20, 19};
    const struct sample end = {VTS_FRAME_DATA, FLAG_END_STREAM, 1, 0, 0};
    struct bench bench;

    set_up(&bench);
    expect_glitches(&bench, &full, true, 0);
    expect_glitches(&bench, &end, true, 0);
    expect_glitches(&bench, &empty, true, 1);
    expect_glitches(&bench, &padding, true, 1);
    expect_glitches(&bench, &full, false, 1);
    expect_glitches(&bench, &end, false, 1);
}

static void settings_past_the_limit_cost_and_acks_never(void)
{
    const struct sample settings = {VTS_FRAME_SETTINGS, 0, 0, 6, 0};
    const struct sample ack = {VTS_FRAME_SETTINGS, FLAG_ACK, 0, 0, 0};
    struct bench bench;
    uint64_t free_count;

    set_up(&bench);
    free_count = vts_limits_get(&bench.limits, VTS_LIMIT_SETTINGS);
    for (uint64_t i = 0; i < free_count; i++) {
        expect_glitches(&bench, &settings, false, 0);
        expect_glitches(&bench, &ack, false, 0);
    }
    expect_glitches(&bench, &settings, false, 1);
    expect_glitches(&bench, &ack, false, 0);
}

static void ping_costs_unless_something_was_sent_since_the_last(void)
{
    const struct sample ping = {VTS_FRAME_PING, 0, 0, 8, 0};
    const struct sample ack = {VTS_FRAME_PING, FLAG_ACK, 0, 8, 0};
    struct bench bench;

    set_up(&bench);
    expect_glitches(&bench, &ping, false, 1);
    vts_frame_guard_sent(&bench.guard, false);
    vts_frame_guard_sent(&bench.guard, true);
    expect_glitches(&bench, &ping, false, 0);
    expect_glitches(&bench, &ping, false, 1);
    vts_frame_guard_sent(&bench.guard, false);
    expect_glitches(&bench, &ack, false, 1);
    expect_glitches(&bench, &ping, false, 0);
}

static void window_updates_are_free_in_proportion(void)
{
    const struct sample update = {VTS_FRAME_WINDOW_UPDATE, 0, 0, 4, 0};

    for (uint32_t streams = 0; streams < 5; streams++) {
        for (int sent = 0; sent < 4; sent++) {
            uint32_t free_count = 5 + 2 * (streams + 10 * (uint32_t)sent);
            struct bench bench;

            set_up(&bench);
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
    static const struct sample rows[] = {
        {VTS_FRAME_PRIORITY, 0, 1, 5, 0},
        {VTS_FRAME_PUSH_PROMISE, FLAG_END_HEADERS, 1, 5, 0},
        {10, 0, 0, 0, 0},
        {255, 255, 1, 100, 0},
    };
    struct bench bench;

    set_up(&bench);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        expect_glitches(&bench, &rows[i], false, 1);
        expect_glitches(&bench, &rows[i], true, 1);
    }
}

static void goaway_costs_from_the_second_on(void)
{
    const struct sample goaway = {VTS_FRAME_GOAWAY, 0, 0, 8, 0};
    struct bench bench;

    set_up(&bench);
    expect_glitches(&bench, &goaway, false, 0);
    expect_glitches(&bench, &goaway, false, 1);
    expect_glitches(&bench, &goaway, false, 1);
}

/* ---- buckets ----------------------------------------------------------------------------- */

/* Spends a bucket on frames of one type: they ask to leave once on the way, when three quarters are
 * spent, and end the connection at last. */
static void expect_burst(struct bench *bench, uint8_t type, uint64_t burst)
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
    struct bench bench;

    set_up(&bench);
    expect_burst(&bench, VTS_FRAME_PRIORITY, vts_limits_get(&bench.limits, VTS_LIMIT_GLITCHES));
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_GLITCHES);
}

static void resets_past_the_burst_end_the_connection(void)
{
    struct bench bench;

    set_up(&bench);
    expect_burst(&bench, VTS_FRAME_RST_STREAM, vts_limits_get(&bench.limits, VTS_LIMIT_RESETS));
    CU_ASSERT_EQUAL(bench.guard.met, VTS_LIMIT_RESETS);
    CU_ASSERT_EQUAL(bench.guard.glitches_count, 0);
}

static void resets_of_both_sides_share_a_bucket(void)
{
    struct bench bench;
    uint64_t burst;

    set_up(&bench);
    burst = vts_limits_get(&bench.limits, VTS_LIMIT_RESETS);
    for (uint64_t i = 0; i < burst / 2; i++) {
        CU_ASSERT_NOT_EQUAL(receive(&bench, VTS_FRAME_RST_STREAM, 0, 1, 4), VTS_VERDICT_END_CALM);
        CU_ASSERT_NOT_EQUAL(vts_frame_guard_reset(&bench.guard, start_ns), VTS_VERDICT_END_CALM);
    }
    CU_ASSERT_EQUAL(vts_frame_guard_reset(&bench.guard, start_ns), VTS_VERDICT_END_CALM);
}

static void peer_is_asked_to_leave_once_for_both_buckets(void)
{
    struct bench bench;
    uint64_t burst;

    set_up(&bench);
    burst = vts_limits_get(&bench.limits, VTS_LIMIT_RESETS);
    spend_to_the_low_mark(&bench);
    CU_ASSERT_EQUAL(vts_frame_guard_glitch(&bench.guard, start_ns), VTS_VERDICT_ASK_TO_LEAVE);
    for (uint64_t i = 0; i < burst; i++)
        CU_ASSERT_EQUAL(vts_frame_guard_reset(&bench.guard, start_ns), VTS_VERDICT_PASS);
}

static void glitches_at_the_refill_rate_never_end(void)
{
    struct bench bench;
    int64_t gap_ns;

    set_up(&bench);
    gap_ns = VTS_NS_PER_S / (int64_t)vts_limits_get(&bench.limits, VTS_LIMIT_GLITCHES_PER_S);
    for (int64_t i = 0; i < 10000; i++)
        CU_ASSERT_EQUAL(vts_frame_guard_glitch(&bench.guard, start_ns + i * gap_ns),
                        VTS_VERDICT_PASS);
}

/* ---- anything at all --------------------------------------------------------------------- */

static void fill_randomly(struct vts_rng *rng, uint8_t *bytes, size_t len)
{
    for (size_t i = 0; i < len; i++)
        bytes[i] = (uint8_t)vts_rng_next(rng);
}

/* Random payloads behind headers that are short and of known types more often than not. */
static size_t fill_with_frames(struct vts_rng *rng, uint8_t *bytes, size_t cap)
{
    size_t len = PREFACE_BYTES;

    fill_randomly(rng, bytes, cap);
    while (len + HEAD_BYTES + 64 <= cap) {
        bytes[len] = 0;
        bytes[len + 1] = 0;
        bytes[len + 2] &= 0x3f;
        bytes[len + 3] %= 11;
        bytes[len + 5] = 0;
        bytes[len + 6] = 0;
        len += HEAD_BYTES + bytes[len + 2];
    }
    return len;
}

/* Takes everything in random parts, judging each frame; returns how many there were. */
static size_t take_in_random_parts(struct vts_rng *rng, const uint8_t *bytes, size_t len)
{
    struct vts_limits limits;
    struct vts_frame_guard guard;
    size_t count = 0;

    vts_limits_init(&limits);
    vts_frame_guard_init(&guard, &limits);
    for (size_t at = 0; at < len;) {
        size_t part = 1 + vts_rng_next(rng) % 50;
        bool has_frame;
        size_t taken =
            vts_frame_guard_take(&guard, bytes + at, part < len - at ? part : len - at, &has_frame);

        CU_ASSERT_FATAL(taken > 0 && taken <= part);
        if (has_frame)
            CU_ASSERT(vts_frame_guard_judge(&guard, vts_rng_next(rng) % 2 == 0, start_ns) <=
                      VTS_VERDICT_END_PROTOCOL);
        count += has_frame;
        at += taken;
    }
    return count;
}

static size_t count_whole(const uint8_t *bytes, size_t len)
{
    struct vts_limits limits;
    struct vts_frame_guard guard;
    struct sight sight = {0};

    vts_limits_init(&limits);
    vts_frame_guard_init(&guard, &limits);
    take_all(&guard, bytes, len, &sight);
    return sight.count;
}

static void random_bytes_are_always_consumed(void)
{
    uint8_t bytes[4096];

    for (uint64_t seed = 0; seed < 500; seed++) {
        struct vts_rng rng;

        vts_rng_init(&rng, seed);
        fill_randomly(&rng, bytes, sizeof(bytes));
        CU_ASSERT_EQUAL(take_in_random_parts(&rng, bytes, sizeof(bytes)),
                        count_whole(bytes, sizeof(bytes)));
    }
}

static void random_frames_are_seen_alike_however_cut(void)
{
    uint8_t bytes[4096];

    for (uint64_t seed = 0; seed < 500; seed++) {
        struct vts_rng rng;
        size_t len;

        vts_rng_init(&rng, seed);
        len = fill_with_frames(&rng, bytes, sizeof(bytes));
        CU_ASSERT_EQUAL(take_in_random_parts(&rng, bytes, len), count_whole(bytes, len));
    }
}

static const struct vts_test tests[] = {
    {"take_split_at_every_byte_sees_each_frame_once",
     take_split_at_every_byte_sees_each_frame_once},
    {"take_byte_by_byte_sees_each_frame_once", take_byte_by_byte_sees_each_frame_once},
    {"take_stops_at_the_end_of_a_frame", take_stops_at_the_end_of_a_frame},
    {"preface_in_parts_is_no_frame", preface_in_parts_is_no_frame},
    {"preface_and_frame_in_one_read_are_taken_apart",
     preface_and_frame_in_one_read_are_taken_apart},
    {"stream_id_with_reserved_bit_is_read_without", stream_id_with_reserved_bit_is_read_without},
    {"data_without_octets_is_empty_unless_it_ends", data_without_octets_is_empty_unless_it_ends},
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
    {"ping_costs_unless_something_was_sent_since_the_last",
     ping_costs_unless_something_was_sent_since_the_last},
    {"window_updates_are_free_in_proportion", window_updates_are_free_in_proportion},
    {"frames_of_no_use_cost_a_glitch", frames_of_no_use_cost_a_glitch},
    {"goaway_costs_from_the_second_on", goaway_costs_from_the_second_on},
    {"glitches_past_the_burst_end_the_connection", glitches_past_the_burst_end_the_connection},
    {"resets_past_the_burst_end_the_connection", resets_past_the_burst_end_the_connection},
    {"resets_of_both_sides_share_a_bucket", resets_of_both_sides_share_a_bucket},
    {"peer_is_asked_to_leave_once_for_both_buckets", peer_is_asked_to_leave_once_for_both_buckets},
    {"glitches_at_the_refill_rate_never_end", glitches_at_the_refill_rate_never_end},
    {"random_bytes_are_always_consumed", random_bytes_are_always_consumed},
    {"random_frames_are_seen_alike_however_cut", random_frames_are_seen_alike_however_cut},
};

int main(void)
{
    return vts_test_run("test_frame_guard", tests, VTS_ARRAY_LEN(tests));
}
