/* SPDX-License-Identifier: Apache-2.0 */
/* Frames to send, and a guard that gets them. */
#ifndef VTS_TESTS_FRAME_BENCH_H
#define VTS_TESTS_FRAME_BENCH_H

#include "server/http/frame_guard.h"

enum {
    PREFACE_BYTES = 24,
    HEAD_BYTES = 9,
    FLAG_ACK = 0x1,
    FLAG_END_STREAM = 0x1,
    FLAG_END_HEADERS = 0x4,
    FLAG_PADDED = 0x8,
    FRAME_SAMPLE_MAX_BYTES = 128 * 1024,
};

/* Time stands still at this instant unless a test moves it. */
extern const int64_t frame_bench_start_ns;

/* A frame; its payload is zeros, but for the pad length of padded DATA. */
struct frame_sample {
    uint8_t type;
    uint8_t flags;
    uint32_t stream_id;
    uint32_t payload_len;
    uint32_t pad_len;
};

/* Writes the frame and returns its length. */
size_t frame_sample_write(uint8_t *out, const struct frame_sample *sample);

/* A guard with the default limits. */
struct frame_bench {
    bool has_streams; /* whether any stream counts as open; false at first */
    struct vts_limits limits;
    struct vts_frame_guard guard;
};

/* The guard has taken the preface. */
void frame_bench_set_up(struct frame_bench *bench);
/* Gives the guard a whole frame and returns its verdict. */
enum vts_verdict frame_bench_receive(struct frame_bench *bench, const struct frame_sample *sample,
                                     bool is_stream_open, int64_t now_ns);

#endif
