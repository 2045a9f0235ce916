/* SPDX-License-Identifier: Apache-2.0 */
/* frame_bench.c - puts frames together octet by octet, as RFC 9113 section 4.1 draws them. */
#include "tests/unit/server/http/frame_bench.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"

const int64_t frame_bench_start_ns = INT64_C(1000) * VTS_NS_PER_S;

void frame_bench_set_up(struct frame_bench *bench)
{
    bool has_frame;

    bench->has_streams = false;
    vts_limits_init(&bench->limits);
    vts_frame_guard_init(&bench->guard, &bench->limits);
    CU_ASSERT_EQUAL_FATAL(vts_frame_guard_take(&bench->guard,
                                               (const uint8_t *)"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
                                               PREFACE_BYTES, &has_frame),
                          PREFACE_BYTES);
    CU_ASSERT_FALSE(has_frame);
}

size_t frame_sample_write(uint8_t *out, const struct frame_sample *sample)
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
        out[HEAD_BYTES] = (uint8_t)sample->pad_len;
    return HEAD_BYTES + sample->payload_len;
}

enum vts_verdict frame_bench_receive(struct frame_bench *bench, const struct frame_sample *sample,
                                     bool is_stream_open, int64_t now_ns)
{
    static uint8_t bytes[FRAME_SAMPLE_MAX_BYTES];
    size_t len = frame_sample_write(bytes, sample);
    bool has_frame;

    CU_ASSERT_EQUAL_FATAL(vts_frame_guard_take(&bench->guard, bytes, len, &has_frame), len);
    CU_ASSERT_FATAL(has_frame);
    return vts_frame_guard_judge(&bench->guard, is_stream_open, bench->has_streams, now_ns);
}
