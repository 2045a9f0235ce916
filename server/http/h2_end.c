/* SPDX-License-Identifier: Apache-2.0 */
/* h2_end.c - how a connection is told to go: politely, in two steps, or with a reason. */
#include <string.h>

#include "server/http/h2_session.h"

void vts_h2_leave(struct vts_h2 *h2)
{
    int32_t last_id = nghttp2_session_get_last_proc_stream_id(h2->session);

    if (h2->leaving == VTS_H2_LEFT)
        return;
    h2->leaving = VTS_H2_LEFT;
    h2->guard.has_left = true;
    if (nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last_id, NGHTTP2_NO_ERROR, NULL, 0) !=
        0)
        vts_conn_end(h2->conn, "out of memory");
}

void vts_h2_give_notice(struct vts_h2 *h2)
{
    if (h2->leaving != VTS_H2_SERVING)
        return;
    h2->leaving = VTS_H2_NOTICED;
    h2->noticed_ns = vts_conn_now_ns(h2->conn);
    if (nghttp2_submit_shutdown_notice(h2->session) != 0 ||
        nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        vts_conn_end(h2->conn, "out of memory");
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
        vts_h2_give_notice(h2);
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
