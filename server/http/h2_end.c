/* SPDX-License-Identifier: Apache-2.0 */
/* h2_end.c - how a connection is told to go: politely, in two steps, or with a reason.
 *
 * The first polite step waits for a moment without requests, for libcurl 7.88 drops the trailers of
 * every request that is open when a GOAWAY comes, or that ended in the same round trip. The second
 * follows when the peer has answered a PING, and so has read the first.
 */
#include <string.h>

#include "common/base/assert.h"
#include "server/http/h2_session.h"

/* Eight octets that come back with the answer. */
static const char notice_ping[] = "leaving?";
static const char alive_ping[] = "anybody?";

static void set_leaving(struct vts_h2 *h2, enum vts_h2_leaving next)
{
    VTS_ASSERT(next > h2->leaving);
    h2->leaving = next;
    h2->leaving_ns = vts_conn_now_ns(h2->conn);
}

void vts_h2_leave(struct vts_h2 *h2)
{
    int32_t last_id = nghttp2_session_get_last_proc_stream_id(h2->session);

    if (h2->leaving == VTS_H2_LEFT)
        return;
    set_leaving(h2, VTS_H2_LEFT);
    h2->guard.has_left = true;
    if (nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last_id, NGHTTP2_NO_ERROR, NULL, 0) !=
        0)
        vts_conn_end(h2->conn, "out of memory");
}

static void send_ping(struct vts_h2 *h2, const char *opaque)
{
    vts_frame_guard_pinged(&h2->guard);
    if (nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, (const uint8_t *)opaque) != 0)
        vts_conn_end(h2->conn, "out of memory");
}

void vts_h2_ping(struct vts_h2 *h2)
{
    send_ping(h2, alive_ping);
}

static void give_notice(struct vts_h2 *h2)
{
    set_leaving(h2, VTS_H2_NOTICED);
    if (nghttp2_submit_shutdown_notice(h2->session) != 0)
        vts_conn_end(h2->conn, "out of memory");
}

/* When the notice is due, if nothing more happens. */
static int64_t notice_due_ns(const struct vts_h2 *h2)
{
    const struct vts_limits *limits = h2->conn->server->limits;
    int64_t last_ns = h2->leaving_ns + vts_limits_get_ns(limits, VTS_LIMIT_GOAWAY_POSTPONE_MS);
    int64_t quiet_ns = h2->conn->active_ns + vts_limits_get_ns(limits, VTS_LIMIT_GOAWAY_QUIET_MS);

    if (h2->open_count > 0)
        return last_ns;
    if (h2->guard.highest_id == 0)
        return h2->leaving_ns; /* there never was a request that could lose anything */
    return quiet_ns < last_ns ? quiet_ns : last_ns;
}

int64_t vts_h2_check_notice(struct vts_h2 *h2, int64_t now_ns)
{
    int64_t due_ns = notice_due_ns(h2);

    if (now_ns >= due_ns)
        give_notice(h2);
    return due_ns;
}

void vts_h2_ask_to_leave(struct vts_h2 *h2, const char *text)
{
    VTS_ASSERT(strlen(text) <= VTS_H2_NOTICE_MAX);
    if (h2->leaving != VTS_H2_SERVING || h2->conn->state >= VTS_CONN_ENDING)
        return;
    set_leaving(h2, VTS_H2_POSTPONED);
    h2->notice = text;
    (void)vts_h2_check_notice(h2, h2->leaving_ns); /* the turn's end asks when to look again */
}

void vts_h2_on_ping_ack(struct vts_h2 *h2, const uint8_t opaque[8])
{
    if (h2->leaving == VTS_H2_NOTICED && memcmp(opaque, notice_ping, 8) == 0)
        vts_h2_leave(h2);
}

size_t vts_h2_copy_frame(struct vts_h2 *h2, char *out, const uint8_t *frame, size_t len)
{
    /* A GOAWAY of 8 octets and no text, up to its last stream id. */
    static const uint8_t bare_notice[] = {0, 0, 8,    NGHTTP2_GOAWAY, 0,    0,   0,
                                          0, 0, 0x7f, 0xff,           0xff, 0xff};
    size_t text_len;

    memcpy(out, frame, len);
    if (h2->notice == NULL || len < sizeof(bare_notice) ||
        memcmp(frame, bare_notice, sizeof(bare_notice)) != 0)
        return len;
    text_len = strlen(h2->notice);
    out[2] = (char)(frame[2] + text_len);
    memcpy(out + len, h2->notice, text_len);
    h2->notice = NULL;
    send_ping(h2, notice_ping); /* not earlier, for nghttp2 sends PINGs before all else */
    return len + text_len;
}

void vts_h2_end(struct vts_h2 *h2, uint32_t error_code, const char *text)
{
    int32_t last_id = nghttp2_session_get_last_proc_stream_id(h2->session);

    if (h2->conn->state >= VTS_CONN_ENDING)
        return;
    /* Without memory the peer is left without the reason. */
    (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last_id, error_code,
                                (const uint8_t *)text, strlen(text));
    vts_conn_end(h2->conn, text);
}

void vts_h2_end_by_limit(struct vts_h2 *h2, enum vts_limit limit)
{
    uint32_t error_code = NGHTTP2_ENHANCE_YOUR_CALM;
    const char *text = vts_limits_name(limit);

    if (h2->conn->state >= VTS_CONN_ENDING)
        return;
    if (limit == VTS_LIMIT_SETTINGS_ACK_MS)
        error_code = NGHTTP2_SETTINGS_TIMEOUT; /* RFC 9113 6.5.3 */
    if (limit == VTS_LIMIT_PING_TIMEOUT_MS || limit == VTS_LIMIT_MAX_AGE_GRACE_MS)
        error_code = NGHTTP2_NO_ERROR; /* there is nothing the peer should do less of */
    if (limit == VTS_LIMIT_PING_STRIKES)
        text = "too_many_pings"; /* gRFC A8: clients look for these words */
    vts_limits_hit(h2->conn->server->limits, limit);
    vts_h2_end(h2, error_code, text);
}

void vts_h2_obey(struct vts_h2 *h2, enum vts_verdict verdict)
{
    switch (verdict) {
    case VTS_VERDICT_PASS:
        break;
    case VTS_VERDICT_ASK_TO_LEAVE:
        if (h2->conn->end_reason == NULL)
            h2->conn->end_reason = "asked to leave";
        vts_h2_ask_to_leave(h2, vts_limits_name(h2->guard.met));
        break;
    case VTS_VERDICT_END_CALM:
        vts_h2_end_by_limit(h2, h2->guard.met);
        break;
    case VTS_VERDICT_END_PROTOCOL:
        vts_h2_end(h2, NGHTTP2_PROTOCOL_ERROR, "a skipped stream id was used");
        break;
    }
}

void vts_h2_reset_stream(struct vts_h2 *h2, int32_t id, uint32_t error_code)
{
    if (nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, error_code) != 0)
        vts_conn_end(h2->conn, "out of memory");
}

void vts_h2_break_off(struct vts_h2 *h2, struct vts_h2_stream *stream, uint32_t error_code)
{
    if (stream->state == VTS_H2_STREAM_SENT)
        return;
    vts_h2_stream_set_state(stream, VTS_H2_STREAM_SENT);
    vts_h2_reset_stream(h2, stream->id, error_code);
    vts_conn_schedule(h2->conn);
}
