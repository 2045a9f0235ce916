/* SPDX-License-Identifier: Apache-2.0 */
/* test_frame_guard_bytes.c - frames are seen alike however the bytes are cut, whatever they are. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/rng.h"
#include "tests/support/suite.h"
#include "tests/unit/server/http/frame_bench.h"

enum { FRAMES_MAX = 32 };

static const struct frame_sample conversation[] = {
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
        len += frame_sample_write(out + len, &conversation[i]);
    return len;
}

static bool is_conversation(const struct sight *sight)
{
    if (sight->count != VTS_ARRAY_LEN(conversation))
        return false;
    for (size_t i = 0; i < sight->count; i++) {
        const struct vts_frame *frame = &sight->frames[i];
        const struct frame_sample *sample = &conversation[i];

        if (frame->type != sample->type || frame->flags != sample->flags ||
            frame->stream_id != sample->stream_id || frame->payload_len != sample->payload_len)
            return false;
    }
    return true;
}

static void take_split_at_every_byte_sees_each_frame_once(void)
{
    static uint8_t bytes[FRAME_SAMPLE_MAX_BYTES];
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
    static uint8_t bytes[FRAME_SAMPLE_MAX_BYTES];
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
    static uint8_t bytes[FRAME_SAMPLE_MAX_BYTES];
    const struct frame_sample ping = {VTS_FRAME_PING, 0, 0, 8, 0};
    struct frame_bench bench;
    size_t len = frame_sample_write(bytes, &ping);
    bool has_frame;

    len += frame_sample_write(bytes + len, &ping);
    frame_bench_set_up(&bench);
    CU_ASSERT_EQUAL(vts_frame_guard_take(&bench.guard, bytes, len, &has_frame), HEAD_BYTES + 8);
    CU_ASSERT(has_frame);
}

static void preface_in_parts_is_no_frame(void)
{
    static uint8_t bytes[FRAME_SAMPLE_MAX_BYTES];
    size_t len = frame_sample_write(bytes, &conversation[0]);
    struct vts_limits limits;
    struct vts_frame_guard guard;
    bool has_frame = true;

    vts_limits_init(&limits);
    vts_frame_guard_init(&guard, &limits);
    for (int i = 0; i < PREFACE_BYTES; i++) {
        CU_ASSERT_EQUAL(vts_frame_guard_take(&guard, (const uint8_t *)"x", 1, &has_frame), 1);
        CU_ASSERT_FALSE(has_frame);
    }
    CU_ASSERT_EQUAL(vts_frame_guard_take(&guard, bytes, len, &has_frame), len);
    CU_ASSERT(has_frame);
}

static void preface_and_frame_in_one_read_are_taken_apart(void)
{
    static uint8_t bytes[FRAME_SAMPLE_MAX_BYTES];
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
    const struct frame_sample priority = {VTS_FRAME_PRIORITY, 0, 0x80000005, 5, 0};
    struct frame_bench bench;

    frame_bench_set_up(&bench);
    (void)frame_bench_receive(&bench, &priority, true, frame_bench_start_ns);
    CU_ASSERT_EQUAL(bench.guard.frame.stream_id, 5);
}

static void data_without_octets_is_empty_unless_it_ends(void)
{
    static const struct {
        struct frame_sample sample;
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
        struct frame_bench bench;

        frame_bench_set_up(&bench);
        (void)frame_bench_receive(&bench, &rows[i].sample, true, frame_bench_start_ns);
        CU_ASSERT_EQUAL(bench.guard.frame.is_empty_data, rows[i].is_empty);
    }
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
            CU_ASSERT(vts_frame_guard_judge(&guard, vts_rng_next(rng) % 2 == 0,
                                            vts_rng_next(rng) % 2 == 0,
                                            frame_bench_start_ns) <= VTS_VERDICT_END_PROTOCOL);
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
    {"random_bytes_are_always_consumed", random_bytes_are_always_consumed},
    {"random_frames_are_seen_alike_however_cut", random_frames_are_seen_alike_however_cut},
};

int main(void)
{
    return vts_test_run("test_frame_guard_bytes", tests, VTS_ARRAY_LEN(tests));
}
