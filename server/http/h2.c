/* SPDX-License-Identifier: Apache-2.0 */
/* h2.c - HTTP/2 on one connection: the session's life, and what it is fed.
 *
 * Bytes go to the frame guard first and then, frame by frame, to nghttp2; nothing is fed any more
 * once the connection is ending (CVE-2026-27135). Callbacks only submit; vts_conn_pump() sends.
 */
#include <pthread.h>

#include "common/base/mem.h"
#include "server/http/h2_session.h"

enum {
    SETTINGS_ENTRIES_MAX = 16,
    /* All our field lines fit; the usual 4096 would only cost memory a connection. */
    ENCODER_TABLE_BYTES = 1024,
    /* Sixteen streams at their own window's full speed. Its bytes are given back at once: what is
     * kept is bounded by VTS_LIMIT_BODY_MEMORY. */
    CONNECTION_WINDOW_BYTES = 1024 * 1024,
};

/* Per-stream bound on DATA frames that carry nothing (CVE-2019-9518). */
static void judge_data(struct vts_h2 *h2, struct vts_h2_stream *stream)
{
    if (stream == NULL)
        return;
    if (!h2->guard.frame.is_empty_data) {
        stream->empty_frames = 0;
        return;
    }
    if (++stream->empty_frames <= vts_limits_get(h2->conn->server->limits, VTS_LIMIT_EMPTY_FRAMES))
        return;
    vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_EMPTY_FRAMES);
    vts_h2_reset_stream(h2, stream->id, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void judge_frame(struct vts_h2 *h2)
{
    const struct vts_frame *frame = &h2->guard.frame;
    int64_t now_ns = vts_conn_now_ns(h2->conn);
    struct vts_h2_stream *stream = NULL;

    if (frame->stream_id != 0 &&
        (frame->type == VTS_FRAME_DATA || frame->stream_id <= h2->guard.highest_id))
        stream = vts_h2_find_stream(h2, (int32_t)frame->stream_id);
    if (frame->type == VTS_FRAME_HEADERS)
        h2->header_since_ns = now_ns;
    if (frame->type == VTS_FRAME_RST_STREAM)
        h2->conn->resets_received++;
    vts_h2_obey(h2, vts_frame_guard_judge(&h2->guard, stream != NULL, h2->open_count > 0, now_ns));
    if (frame->type == VTS_FRAME_DATA && h2->conn->state < VTS_CONN_ENDING)
        judge_data(h2, stream);
}

/* nghttp2 wants no more input: because of either side's GOAWAY, or because of an error of the
 * peer's, for which it has queued its own. */
static const char *why_over(const struct vts_h2 *h2)
{
    if (h2->leaving == VTS_H2_LEFT)
        return h2->conn->end_reason; /* of our asking it to leave */
    return h2->guard.has_goaway ? "the peer left" : "protocol error";
}

static void feed(struct vts_h2 *h2, const uint8_t *bytes, size_t len)
{
    ssize_t taken = nghttp2_session_mem_recv(h2->session, bytes, len);

    if (taken == NGHTTP2_ERR_FLOODED)
        vts_h2_end_by_limit(h2, VTS_LIMIT_OUTBOUND_ACKS);
    else if (taken < 0)
        vts_conn_end(h2->conn, nghttp2_strerror((int)taken));
    else if (nghttp2_session_want_read(h2->session) == 0)
        vts_conn_end(h2->conn, why_over(h2));
}

/* The connection's window is given back at once, whatever becomes of the streams' own. */
static void consume(struct vts_h2 *h2)
{
    if (h2->unconsumed_bytes > 0 && h2->conn->state < VTS_CONN_ENDING &&
        nghttp2_session_consume_connection(h2->session, h2->unconsumed_bytes) != 0)
        vts_conn_end(h2->conn, "out of memory");
    h2->unconsumed_bytes = 0;
}

static void on_data(struct vts_conn *conn, const char *bytes, size_t len)
{
    struct vts_h2 *h2 = vts_h2_of(conn);
    const uint8_t *at = (const uint8_t *)bytes;

    h2->heard_ns = vts_conn_now_ns(conn);
    while (len > 0 && conn->state < VTS_CONN_ENDING) {
        bool has_frame;
        size_t part = vts_frame_guard_take(&h2->guard, at, len, &has_frame);

        if (has_frame)
            judge_frame(h2);
        if (conn->state < VTS_CONN_ENDING)
            feed(h2, at, part);
        at += part;
        len -= part;
    }
    consume(h2);
    if (!vts_frame_guard_is_in_header(&h2->guard))
        h2->header_since_ns = 0;
    conn->glitches = h2->guard.glitches_count;
}

static bool is_finished(const struct vts_conn *conn)
{
    const struct vts_h2 *h2 = vts_h2_of(conn);

    if (nghttp2_session_want_write(h2->session) != 0)
        return false;
    return nghttp2_session_want_read(h2->session) == 0 ||
           (h2->leaving == VTS_H2_LEFT && h2->open_count == 0);
}

static void drain(struct vts_conn *conn)
{
    vts_h2_ask_to_leave(vts_h2_of(conn), "graceful shutdown");
}

/* Shared by all sessions; lives as long as the process. */
static nghttp2_session_callbacks *callbacks;

static void make_callbacks(void)
{
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return; /* callbacks is NULL still, which new_session() sees */
    vts_h2_request_set_callbacks(callbacks);
    vts_h2_response_set_callbacks(callbacks);
}

static enum vts_err new_session(struct vts_h2 *h2)
{
    const struct vts_limits *limits = h2->conn->server->limits;
    nghttp2_option *options;
    enum vts_err err;

    if (callbacks == NULL || nghttp2_option_new(&options) != 0)
        return VTS_ERR_NOMEM;
    nghttp2_option_set_no_auto_window_update(options, 1);
    nghttp2_option_set_max_settings(options, SETTINGS_ENTRIES_MAX);
    nghttp2_option_set_max_outbound_ack(options, vts_limits_get(limits, VTS_LIMIT_OUTBOUND_ACKS));
    nghttp2_option_set_max_deflate_dynamic_table_size(options, ENCODER_TABLE_BYTES);
    err = vts_h2_memory_new_session(h2->conn->server->h2_memory, callbacks, options, h2,
                                    &h2->session, &h2->page);
    nghttp2_option_del(options);
    return err;
}

static enum vts_err submit_settings(struct vts_h2 *h2)
{
    const struct vts_limits *limits = h2->conn->server->limits;
    const nghttp2_settings_entry settings[] = {
        {NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS,
         (uint32_t)vts_limits_get(limits, VTS_LIMIT_STREAMS)},
        {NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE,
         (uint32_t)vts_limits_get(limits, VTS_LIMIT_HEADER_BYTES)},
        {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1},
    };

    if (nghttp2_submit_settings(h2->session, NGHTTP2_FLAG_NONE, settings,
                                VTS_ARRAY_LEN(settings)) != 0 ||
        nghttp2_session_set_local_window_size(h2->session, NGHTTP2_FLAG_NONE, 0,
                                              CONNECTION_WINDOW_BYTES) != 0)
        return VTS_ERR_NOMEM;
    return VTS_OK;
}

static void h2_free(struct vts_conn *conn)
{
    struct vts_h2 *h2 = vts_h2_of(conn);

    /* nghttp2 does not report the streams it drops here. */
    while (!vts_list_is_empty(&h2->streams))
        vts_h2_stream_free(VTS_CONTAINER_OF(h2->streams.next, struct vts_h2_stream, link));
    nghttp2_session_del(h2->session);
    vts_mem_free(h2);
    conn->protocol = NULL;
}

static enum vts_err start(struct vts_conn *conn)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct vts_h2 *h2 = vts_mem_zalloc(sizeof(*h2));

    (void)pthread_once(&once, make_callbacks);
    if (h2 == NULL)
        return VTS_ERR_NOMEM;
    h2->conn = conn;
    vts_h2_start_deadlines(h2);
    vts_list_init(&h2->streams);
    vts_list_init(&h2->waiting);
    vts_frame_guard_init(&h2->guard, conn->server->limits);
    if (new_session(h2) != VTS_OK) {
        vts_mem_free(h2);
        return VTS_ERR_NOMEM;
    }
    conn->protocol = h2;
    return submit_settings(h2);
}

const struct vts_conn_ops vts_h2_ops = {
    .name = "h2",
    .start = start,
    .free = h2_free,
    .on_data = on_data,
    .produce = vts_h2_produce,
    .is_finished = is_finished,
    .check_deadlines = vts_h2_check_deadlines,
    .drain = drain,
};
