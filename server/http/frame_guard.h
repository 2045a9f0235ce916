/* SPDX-License-Identifier: Apache-2.0 */
/* Looks at every HTTP/2 frame header before nghttp2 does, and counts what is of no use.
 *
 * Pure: bytes and times come in, verdicts go out. The glitch bucket pays for frames that make us
 * work for nothing, the reset bucket for streams reset by either side (CVE-2023-44487,
 * CVE-2025-8671). An honest but odd client is asked to reconnect at three quarters of a bucket;
 * at its end the connection ends. PINGs have a rule of their own, gRPC's (gRFC A8): strikes. */
#ifndef VTS_HTTP_FRAME_GUARD_H
#define VTS_HTTP_FRAME_GUARD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "server/guard/bucket.h"
#include "server/guard/limits.h"

enum vts_frame_type {
    VTS_FRAME_DATA = 0,
    VTS_FRAME_HEADERS = 1,
    VTS_FRAME_PRIORITY = 2,
    VTS_FRAME_RST_STREAM = 3,
    VTS_FRAME_SETTINGS = 4,
    VTS_FRAME_PUSH_PROMISE = 5,
    VTS_FRAME_PING = 6,
    VTS_FRAME_GOAWAY = 7,
    VTS_FRAME_WINDOW_UPDATE = 8,
    VTS_FRAME_CONTINUATION = 9,
};

struct vts_frame {
    uint32_t payload_len;
    uint8_t type;
    uint8_t flags;
    uint32_t stream_id;
    /* DATA that carries nothing, or padding only, and does not end its stream. */
    bool is_empty_data;
};

/* From the mildest to the gravest. */
enum vts_verdict {
    VTS_VERDICT_PASS,
    VTS_VERDICT_ASK_TO_LEAVE, /* a graceful GOAWAY is due, once */
    VTS_VERDICT_END_CALM,     /* end with ENHANCE_YOUR_CALM; `met` says which limit */
    VTS_VERDICT_END_PROTOCOL, /* end with PROTOCOL_ERROR */
};

enum { VTS_FRAME_GAPS_MAX = 16 };

struct vts_frame_guard {
    struct vts_limits *limits;
    struct vts_bucket glitches;
    struct vts_bucket resets;
    uint64_t glitches_count;
    enum vts_limit met; /* set with VTS_VERDICT_ASK_TO_LEAVE and VTS_VERDICT_END_CALM */
    bool has_asked_to_leave;

    uint32_t preface_left;
    uint8_t head[10]; /* a frame header, and the pad length of a padded DATA frame */
    uint32_t head_len;
    uint32_t payload_left;
    struct vts_frame frame;

    bool is_in_header_block;
    uint32_t block_bytes;
    uint32_t block_continuations;
    uint32_t settings_count;
    bool has_goaway; /* one is everybody's right */
    bool has_left;   /* our last GOAWAY is out: set by the owner; new streams are ignored */
    uint64_t window_updates;
    uint64_t data_frames_sent;
    uint64_t frames_sent; /* HEADERS and DATA */
    uint64_t frames_sent_at_ping;
    int64_t good_ping_ns; /* when the last good PING came; 0: none did */
    uint64_t ping_strikes;
    uint32_t acks_due; /* PINGs of ours without an answer yet */

    /* Ids a client skipped may never be used later (RFC 9113 5.1.1), which nghttp2 does not check.
     * Remembering the gaps rather than the ids makes the usual case free. */
    uint32_t highest_id;
    uint32_t streams_opened;
    unsigned gaps_count;
    struct {
        uint32_t first;
        uint32_t last;
    } gaps[VTS_FRAME_GAPS_MAX];
};

/* limits outlives the guard, which counts in it what costs a token but ends nothing. */
void vts_frame_guard_init(struct vts_frame_guard *guard, struct vts_limits *limits);

/* Takes bytes up to the end of the present frame, header included, or of the input. Returns how
 * many were taken; *ret_has_frame says that guard->frame is a new one, to be judged before its
 * bytes are processed. len is at least 1. */
size_t vts_frame_guard_take(struct vts_frame_guard *guard, const uint8_t *bytes, size_t len,
                            bool *ret_has_frame);
/* Judges guard->frame. is_stream_open tells whether nghttp2 knows its stream, has_streams whether
 * any is open. */
enum vts_verdict vts_frame_guard_judge(struct vts_frame_guard *guard, bool is_stream_open,
                                       bool has_streams, int64_t now_ns);
/* The peer did something of no use that frames do not show, such as a malformed request. */
enum vts_verdict vts_frame_guard_glitch(struct vts_frame_guard *guard, int64_t now_ns);
/* We sent RST_STREAM. */
enum vts_verdict vts_frame_guard_reset(struct vts_frame_guard *guard, int64_t now_ns);
/* We sent a HEADERS or DATA frame. */
void vts_frame_guard_sent(struct vts_frame_guard *guard, bool is_data);
/* We are sending a PING, so an answer is due. */
void vts_frame_guard_pinged(struct vts_frame_guard *guard);
/* Whether bytes of a header block were begun and its end is still to come. */
bool vts_frame_guard_is_in_header(const struct vts_frame_guard *guard);

#endif
