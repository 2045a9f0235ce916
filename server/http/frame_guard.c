/* SPDX-License-Identifier: Apache-2.0 */
/* frame_guard.c - counts the frames of one HTTP/2 connection.
 *
 * nghttp2 1.52 bounds few floods and does not report all frames; a look at nine octets a frame
 * sees every one, of known and unknown types alike.
 */
#include "server/http/frame_guard.h"

#include <string.h>

enum {
    PREFACE_BYTES = 24,
    FRAME_HEADER_BYTES = 9,
    FLAG_ACK = 0x1,
    FLAG_END_STREAM = 0x1,
    FLAG_END_HEADERS = 0x4,
    FLAG_PADDED = 0x8,
};

void vts_frame_guard_init(struct vts_frame_guard *guard, struct vts_limits *limits)
{
    *guard = (struct vts_frame_guard){.limits = limits, .preface_left = PREFACE_BYTES};
    vts_bucket_init(&guard->glitches, vts_limits_get(limits, VTS_LIMIT_GLITCHES),
                    vts_limits_get(limits, VTS_LIMIT_GLITCHES_PER_S));
    vts_bucket_init(&guard->resets, vts_limits_get(limits, VTS_LIMIT_RESETS),
                    vts_limits_get(limits, VTS_LIMIT_RESETS_PER_S));
}

static bool is_padded_data(const uint8_t *head)
{
    return head[3] == VTS_FRAME_DATA && (head[4] & FLAG_PADDED) != 0;
}

static uint32_t payload_len_of(const uint8_t *head)
{
    return (uint32_t)head[0] << 16 | (uint32_t)head[1] << 8 | head[2];
}

/* How many octets must be there to tell all about the frame. */
static uint32_t head_need(const struct vts_frame_guard *guard)
{
    if (guard->head_len >= FRAME_HEADER_BYTES && is_padded_data(guard->head) &&
        payload_len_of(guard->head) > 0)
        return FRAME_HEADER_BYTES + 1;
    return FRAME_HEADER_BYTES;
}

static void parse_head(struct vts_frame_guard *guard)
{
    const uint8_t *head = guard->head;
    struct vts_frame *frame = &guard->frame;

    frame->payload_len = payload_len_of(head);
    frame->type = head[3];
    frame->flags = head[4];
    frame->stream_id =
        ((uint32_t)head[5] << 24 | (uint32_t)head[6] << 16 | (uint32_t)head[7] << 8 | head[8]) &
        0x7fffffff;
    frame->is_empty_data =
        frame->type == VTS_FRAME_DATA && (frame->flags & FLAG_END_STREAM) == 0 &&
        (frame->payload_len == 0 || (is_padded_data(head) && head[9] + 1u == frame->payload_len));
    guard->payload_left = frame->payload_len - (guard->head_len - FRAME_HEADER_BYTES);
    guard->head_len = 0;
}

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

static size_t take_head(struct vts_frame_guard *guard, const uint8_t *bytes, size_t len,
                        bool *ret_has_frame)
{
    size_t taken = 0;

    /* All of it is there, as a rule. */
    if (guard->head_len == 0 && len >= FRAME_HEADER_BYTES) {
        memcpy(guard->head, bytes, FRAME_HEADER_BYTES);
        guard->head_len = FRAME_HEADER_BYTES;
        taken = FRAME_HEADER_BYTES;
    }
    while (guard->head_len < head_need(guard) && taken < len)
        guard->head[guard->head_len++] = bytes[taken++];
    if (guard->head_len < head_need(guard))
        return taken;
    parse_head(guard);
    *ret_has_frame = true;
    return taken;
}

size_t vts_frame_guard_take(struct vts_frame_guard *guard, const uint8_t *bytes, size_t len,
                            bool *ret_has_frame)
{
    size_t taken = 0;
    size_t part;

    *ret_has_frame = false;
    if (guard->preface_left > 0) {
        taken = least(guard->preface_left, len);
        guard->preface_left -= (uint32_t)taken;
        return taken;
    }
    if (guard->payload_left == 0)
        taken = take_head(guard, bytes, len, ret_has_frame);
    part = least(guard->payload_left, len - taken);
    guard->payload_left -= (uint32_t)part;
    return taken + part;
}

static enum vts_verdict charge(struct vts_frame_guard *guard, struct vts_bucket *bucket,
                               enum vts_limit limit, int64_t now_ns)
{
    switch (vts_bucket_take(bucket, now_ns)) {
    case VTS_BUCKET_OK:
        return VTS_VERDICT_PASS;
    case VTS_BUCKET_LOW:
        if (guard->has_asked_to_leave)
            return VTS_VERDICT_PASS;
        guard->has_asked_to_leave = true;
        guard->met = limit;
        return VTS_VERDICT_ASK_TO_LEAVE;
    case VTS_BUCKET_EMPTY:
        break;
    }
    guard->met = limit;
    return VTS_VERDICT_END_CALM;
}

enum vts_verdict vts_frame_guard_glitch(struct vts_frame_guard *guard, int64_t now_ns)
{
    guard->glitches_count++;
    return charge(guard, &guard->glitches, VTS_LIMIT_GLITCHES, now_ns);
}

enum vts_verdict vts_frame_guard_reset(struct vts_frame_guard *guard, int64_t now_ns)
{
    return charge(guard, &guard->resets, VTS_LIMIT_RESETS, now_ns);
}

void vts_frame_guard_sent(struct vts_frame_guard *guard, bool is_data)
{
    guard->frames_sent++;
    guard->data_frames_sent += is_data;
}

void vts_frame_guard_pinged(struct vts_frame_guard *guard)
{
    guard->acks_due++;
}

static bool is_in_gap(const struct vts_frame_guard *guard, uint32_t id)
{
    for (unsigned i = 0; i < guard->gaps_count && i < VTS_FRAME_GAPS_MAX; i++)
        if (id >= guard->gaps[i].first && id <= guard->gaps[i].last)
            return true;
    return false;
}

/* A new, higher stream id; skipping ids is allowed, and remembered. */
static enum vts_verdict open_stream(struct vts_frame_guard *guard, uint32_t id, int64_t now_ns)
{
    uint32_t next_id = guard->highest_id == 0 ? 1 : guard->highest_id + 2;
    unsigned place = guard->gaps_count % VTS_FRAME_GAPS_MAX;

    guard->highest_id = id;
    guard->streams_opened++;
    if (guard->has_left)
        return vts_frame_guard_glitch(guard, now_ns);
    if (id == next_id)
        return VTS_VERDICT_PASS;
    guard->gaps[place].first = next_id;
    guard->gaps[place].last = id - 2;
    guard->gaps_count = guard->gaps_count < VTS_FRAME_GAPS_MAX ? guard->gaps_count + 1
                                                               : VTS_FRAME_GAPS_MAX + place + 1;
    return guard->gaps_count > VTS_FRAME_GAPS_MAX ? vts_frame_guard_glitch(guard, now_ns)
                                                  : VTS_VERDICT_PASS;
}

static enum vts_verdict judge_block(struct vts_frame_guard *guard, int64_t now_ns)
{
    guard->is_in_header_block = (guard->frame.flags & FLAG_END_HEADERS) == 0;
    if (guard->block_bytes > vts_limits_get(guard->limits, VTS_LIMIT_HEADER_BYTES_HARD)) {
        guard->met = VTS_LIMIT_HEADER_BYTES_HARD;
        return VTS_VERDICT_END_CALM;
    }
    if (guard->frame.payload_len == 0)
        return vts_frame_guard_glitch(guard, now_ns);
    return VTS_VERDICT_PASS;
}

static enum vts_verdict judge_headers(struct vts_frame_guard *guard, bool is_stream_open,
                                      int64_t now_ns)
{
    uint32_t id = guard->frame.stream_id;
    enum vts_verdict verdict = VTS_VERDICT_PASS;
    enum vts_verdict of_block;

    guard->block_bytes = guard->frame.payload_len;
    guard->block_continuations = 0;
    if (id % 2 == 1 && id > guard->highest_id)
        verdict = open_stream(guard, id, now_ns);
    else if (is_in_gap(guard, id))
        return VTS_VERDICT_END_PROTOCOL;
    else if (!is_stream_open)
        verdict = vts_frame_guard_glitch(guard, now_ns);
    /* The block counts whatever its id cost; the graver verdict holds. */
    of_block = judge_block(guard, now_ns);
    return of_block > verdict ? of_block : verdict;
}

static enum vts_verdict judge_continuation(struct vts_frame_guard *guard, int64_t now_ns)
{
    guard->block_bytes += guard->frame.payload_len;
    if (++guard->block_continuations > vts_limits_get(guard->limits, VTS_LIMIT_CONTINUATIONS)) {
        guard->met = VTS_LIMIT_CONTINUATIONS;
        return VTS_VERDICT_END_CALM;
    }
    return judge_block(guard, now_ns);
}

/* A PING after we sent something measures the way there, as gRPC clients do, and clears the
 * strikes; one after the interval keeps the connection alive, and takes one strike back, so that
 * the network's jitter never adds up. Any other is a strike: a client may begin with a few. */
static enum vts_verdict judge_ping(struct vts_frame_guard *guard, bool has_streams, int64_t now_ns)
{
    int64_t interval_ns = vts_limits_get_ns(
        guard->limits, has_streams ? VTS_LIMIT_PING_INTERVAL_MS : VTS_LIMIT_PING_INTERVAL_IDLE_MS);
    bool has_sent = guard->frames_sent != guard->frames_sent_at_ping;
    bool is_in_time = guard->good_ping_ns == 0 || now_ns - guard->good_ping_ns >= interval_ns;

    guard->frames_sent_at_ping = guard->frames_sent;
    if (has_sent || is_in_time) {
        guard->good_ping_ns = now_ns;
        if (has_sent)
            guard->ping_strikes = 0;
        else if (guard->ping_strikes > 0)
            guard->ping_strikes--;
        return VTS_VERDICT_PASS;
    }
    if (++guard->ping_strikes <= vts_limits_get(guard->limits, VTS_LIMIT_PING_STRIKES))
        return VTS_VERDICT_PASS;
    guard->met = VTS_LIMIT_PING_STRIKES;
    return VTS_VERDICT_END_CALM;
}

static enum vts_verdict judge_ping_ack(struct vts_frame_guard *guard, int64_t now_ns)
{
    if (guard->acks_due == 0)
        return vts_frame_guard_glitch(guard, now_ns);
    guard->acks_due--;
    return VTS_VERDICT_PASS;
}

/* Envoy's measure: a peer updates windows in proportion to what it opens and receives. */
static enum vts_verdict judge_window_update(struct vts_frame_guard *guard, int64_t now_ns)
{
    uint64_t due = 5 + 2 * (guard->streams_opened + 10 * guard->data_frames_sent);

    if (guard->window_updates < due) {
        guard->window_updates++;
        return VTS_VERDICT_PASS;
    }
    return vts_frame_guard_glitch(guard, now_ns);
}

enum vts_verdict vts_frame_guard_judge(struct vts_frame_guard *guard, bool is_stream_open,
                                       bool has_streams, int64_t now_ns)
{
    const struct vts_frame *frame = &guard->frame;
    bool is_ack = (frame->flags & FLAG_ACK) != 0;

    switch (frame->type) {
    case VTS_FRAME_HEADERS:
        return judge_headers(guard, is_stream_open, now_ns);
    case VTS_FRAME_CONTINUATION:
        return judge_continuation(guard, now_ns);
    case VTS_FRAME_DATA:
        if (is_stream_open && !frame->is_empty_data)
            return VTS_VERDICT_PASS;
        break;
    case VTS_FRAME_RST_STREAM:
        return vts_frame_guard_reset(guard, now_ns);
    case VTS_FRAME_SETTINGS:
        if (is_ack || guard->settings_count++ < vts_limits_get(guard->limits, VTS_LIMIT_SETTINGS))
            return VTS_VERDICT_PASS;
        vts_limits_hit(guard->limits, VTS_LIMIT_SETTINGS);
        break;
    case VTS_FRAME_PING:
        return is_ack ? judge_ping_ack(guard, now_ns) : judge_ping(guard, has_streams, now_ns);
    case VTS_FRAME_WINDOW_UPDATE:
        return judge_window_update(guard, now_ns);
    case VTS_FRAME_GOAWAY:
        if (guard->has_goaway)
            break;
        guard->has_goaway = true;
        return VTS_VERDICT_PASS;
    default: /* PRIORITY, PUSH_PROMISE, and types nobody knows */
        break;
    }
    return vts_frame_guard_glitch(guard, now_ns);
}

bool vts_frame_guard_is_in_header(const struct vts_frame_guard *guard)
{
    bool is_header_frame =
        guard->frame.type == VTS_FRAME_HEADERS || guard->frame.type == VTS_FRAME_CONTINUATION;

    return guard->is_in_header_block || (is_header_frame && guard->payload_left > 0);
}
