/* SPDX-License-Identifier: Apache-2.0 */
/* h2.c - HTTP/2 on one connection: nghttp2 with its callbacks.
 *
 * Bytes go to the frame guard first and then, frame by frame, to nghttp2; nothing is fed any more
 * once the connection is ending (CVE-2026-27135). Callbacks only submit; vts_conn_pump() sends.
 */
#include <nghttp2/nghttp2.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/http/frame_guard.h"
#include "server/http/h2_stream.h"

enum {
    SETTINGS_ENTRIES_MAX = 16,
    PROGRESS_BYTES = 1024,
    STREAM_CHECK_MS = 1000,
};

/* Where our own end stands:
 *
 *   SERVING   requests are taken
 *   NOTICED   GOAWAY 2^31-1 and a PING are out; requests on their way are still taken
 *   LEFT      the GOAWAY with the last request's id is out; what is open finishes
 */
enum leaving { SERVING, NOTICED, LEFT };

struct h2 {
    struct vts_conn *conn;
    nghttp2_session *session;
    struct vts_frame_guard guard;
    struct vts_list streams;
    uint32_t open_count;
    uint32_t bodies_count;
    enum leaving leaving;
    int64_t noticed_ns;
    bool has_settings; /* the peer's first SETTINGS came */
    bool has_ack;      /* the peer acknowledged ours */
    int64_t started_ns;
    int64_t header_since_ns; /* 0: no header block is under way */
};

/* RFC 9113 6.8: the notice gives a round trip's grace; 5 s when the peer does not answer PING. */
static const int64_t notice_grace_ns = INT64_C(5) * VTS_NS_PER_S;

static struct h2 *h2_of(const struct vts_conn *conn)
{
    return conn->protocol;
}

static void leave(struct h2 *h2)
{
    int32_t last_id = nghttp2_session_get_last_proc_stream_id(h2->session);

    if (h2->leaving == LEFT)
        return;
    h2->leaving = LEFT;
    if (nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last_id, NGHTTP2_NO_ERROR, NULL, 0) !=
        0)
        vts_conn_end(h2->conn, "out of memory");
}

static void give_notice(struct h2 *h2)
{
    if (h2->leaving != SERVING)
        return;
    h2->leaving = NOTICED;
    h2->noticed_ns = vts_conn_now_ns(h2->conn);
    if (nghttp2_submit_shutdown_notice(h2->session) != 0 ||
        nghttp2_submit_ping(h2->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        vts_conn_end(h2->conn, "out of memory");
}

/* Ends the connection with a reason the peer can read. */
static void end_with(struct h2 *h2, uint32_t error_code, const char *text)
{
    int32_t last_id = nghttp2_session_get_last_proc_stream_id(h2->session);

    if (h2->conn->state >= VTS_CONN_ENDING)
        return;
    /* Without memory the peer is left without the reason. */
    (void)nghttp2_submit_goaway(h2->session, NGHTTP2_FLAG_NONE, last_id, error_code,
                                (const uint8_t *)text, strlen(text));
    vts_conn_end(h2->conn, text);
}

static void end_by_limit(struct h2 *h2, enum vts_limit limit)
{
    if (h2->conn->state >= VTS_CONN_ENDING)
        return;
    vts_limits_hit(h2->conn->server->limits, limit);
    end_with(h2, NGHTTP2_ENHANCE_YOUR_CALM, vts_limits_name(limit));
}

static void obey(struct h2 *h2, enum vts_verdict verdict)
{
    switch (verdict) {
    case VTS_VERDICT_PASS:
        break;
    case VTS_VERDICT_ASK_TO_LEAVE:
        give_notice(h2);
        break;
    case VTS_VERDICT_END_CALM:
        end_by_limit(h2, h2->guard.met);
        break;
    case VTS_VERDICT_END_PROTOCOL:
        end_with(h2, NGHTTP2_PROTOCOL_ERROR, "a skipped stream id was used");
        break;
    }
}

static void glitch(struct h2 *h2)
{
    obey(h2, vts_frame_guard_glitch(&h2->guard, vts_conn_now_ns(h2->conn)));
}

static void reset_stream(struct h2 *h2, int32_t id, uint32_t error_code)
{
    if (nghttp2_submit_rst_stream(h2->session, NGHTTP2_FLAG_NONE, id, error_code) != 0)
        vts_conn_end(h2->conn, "out of memory");
}

/* ---- answering --------------------------------------------------------------------------- */

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct vts_h2_stream *stream = source->ptr;
    struct vts_response *response = &stream->exchange.response;
    struct vts_str tail = vts_str_make(response->tail, response->tail_len);
    size_t total = vts_response_body_len(response);
    size_t len = total - stream->sent < cap ? total - stream->sent : cap;
    size_t from_body = 0;

    (void)session;
    (void)id;
    (void)user;
    if (stream->sent < response->body.len) {
        from_body = response->body.len - stream->sent;
        from_body = from_body < len ? from_body : len;
        memcpy(out, response->body.ptr + stream->sent, from_body);
    }
    if (from_body < len)
        memcpy(out + from_body, tail.ptr + (stream->sent + from_body - response->body.len),
               len - from_body);
    stream->sent += len;
    if (stream->sent == total)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static nghttp2_nv make_field(const char *name, size_t name_len, struct vts_str value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .namelen = name_len,
                        .value = (uint8_t *)(uintptr_t)value.ptr,
                        .valuelen = value.len,
                        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

/* Turns the response into fields; returns how many. */
static size_t make_head(struct vts_h2_stream *stream, bool has_body, nghttp2_nv *fields)
{
    struct vts_response *response = &stream->exchange.response;
    size_t count = 0;

    for (int i = 2, code = response->code; i >= 0; i--, code /= 10)
        stream->code_text[i] = (char)('0' + code % 10);
    fields[count++] = make_field(":status", 7, vts_str_make(stream->code_text, 3));
    fields[count++] = make_field("date", 4, vts_conn_date(stream->conn));
    if (has_body)
        vts_response_add_number(response, "content-length", vts_response_body_len(response));
    for (size_t i = 0; i < response->headers_count; i++)
        fields[count++] = make_field(response->headers[i].name, strlen(response->headers[i].name),
                                     response->headers[i].value);
    return count;
}

static void send_response(struct vts_exchange *exchange)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);
    struct vts_conn *conn = stream->conn;
    struct h2 *h2 = h2_of(conn);
    nghttp2_nv fields[VTS_RESPONSE_HEADERS_MAX + 3];
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_body};
    bool has_body = vts_response_can_have_body(exchange->response.code);
    bool sends_body = has_body && exchange->request.method != VTS_METHOD_HEAD &&
                      vts_response_body_len(&exchange->response) > 0;
    size_t count;

    vts_conn_count_response(conn, exchange);
    vts_h2_stream_set_state(stream, VTS_H2_STREAM_ANSWERED);
    stream->sent_mark_ns = vts_conn_now_ns(conn);
    count = make_head(stream, has_body, fields);
    if (nghttp2_submit_response(h2->session, stream->id, fields, count,
                                sends_body ? &provider : NULL) != 0)
        vts_conn_end(conn, "out of memory");
}

static const struct vts_exchange_ops exchange_ops = {.send = send_response};

/* ---- requests ---------------------------------------------------------------------------- */

static void stop_body(struct h2 *h2, struct vts_h2_stream *stream)
{
    if (stream->state == VTS_H2_STREAM_BODY)
        h2->bodies_count--;
}

/* Hands the request over; fault is the HTTP code it must be refused with, or 0. */
static void handle(struct h2 *h2, struct vts_h2_stream *stream, int fault, const char *fault_text)
{
    stop_body(h2, stream);
    vts_h2_stream_set_state(stream, VTS_H2_STREAM_HANDLED);
    stream->exchange.request.fault = fault;
    stream->exchange.request.fault_text = fault_text;
    vts_conn_handle(h2->conn, &stream->exchange);
}

/* nghttp2 does not compare them (RFC 9113 8.3.1). */
static bool has_other_host(const struct vts_request *request)
{
    struct vts_str host = request->fields[VTS_FIELD_HOST];

    return host.ptr != NULL && request->authority.ptr != NULL &&
           !vts_str_equals(host, request->authority);
}

static void on_head_complete(struct h2 *h2, struct vts_h2_stream *stream)
{
    const struct vts_limits *limits = h2->conn->server->limits;
    const struct vts_request *request = &stream->exchange.request;

    if (stream->is_head_too_large) {
        enum vts_limit limit =
            stream->header_fields > vts_limits_get(limits, VTS_LIMIT_HEADER_FIELDS)
                ? VTS_LIMIT_HEADER_FIELDS
                : VTS_LIMIT_HEADER_BYTES;

        vts_limits_hit(h2->conn->server->limits, limit);
        handle(h2, stream, 431, "the request's header is too large");
    } else if (request->target.len > vts_limits_get(limits, VTS_LIMIT_PATH_BYTES)) {
        vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_PATH_BYTES);
        handle(h2, stream, 414, "the request's path is too long");
    } else if (has_other_host(request)) {
        handle(h2, stream, 400, "host and :authority differ");
    } else if (stream->has_ended) {
        handle(h2, stream, 0, NULL);
    } else if (h2->bodies_count >= vts_limits_get(limits, VTS_LIMIT_BODIES)) {
        vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_BODIES);
        reset_stream(h2, stream->id, NGHTTP2_REFUSED_STREAM);
    } else {
        vts_h2_stream_set_state(stream, VTS_H2_STREAM_BODY);
        h2->bodies_count++;
        stream->body_mark_ns = vts_conn_now_ns(h2->conn);
    }
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h2 = user;
    struct vts_h2_stream *stream;

    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    stream = vts_h2_stream_new(h2->conn, frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    vts_exchange_init(&stream->exchange, &exchange_ops);
    vts_list_push_back(&h2->streams, &stream->link);
    h2->open_count++;
    h2->conn->active_ns = vts_conn_now_ns(h2->conn);
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream) == 0
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user)
{
    struct h2 *h2 = user;
    struct vts_h2_stream *stream =
        nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    enum vts_limit limit;

    (void)flags;
    if (stream == NULL || h2->conn->state >= VTS_CONN_ENDING)
        return 0;
    if (stream->state != VTS_H2_STREAM_HEADERS) {
        if (++stream->trailer_fields >
            vts_limits_get(h2->conn->server->limits, VTS_LIMIT_TRAILER_FIELDS))
            end_by_limit(h2, VTS_LIMIT_TRAILER_FIELDS);
        return 0;
    }
    if (vts_h2_stream_add_field(stream, name, value, &limit) != VTS_OK)
        end_by_limit(h2, limit);
    return 0;
}

static void on_request_frame(struct h2 *h2, struct vts_h2_stream *stream,
                             const nghttp2_frame *frame)
{
    stream->has_ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (stream->state == VTS_H2_STREAM_HEADERS)
        on_head_complete(h2, stream);
    else if (stream->state == VTS_H2_STREAM_BODY && stream->has_ended)
        handle(h2, stream, 0, NULL);
}

static void on_settings(struct h2 *h2, const nghttp2_frame *frame)
{
    if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
        h2->has_ack = true;
    else
        h2->has_settings = true;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h2 = user;
    struct vts_h2_stream *stream;

    if (h2->conn->state >= VTS_CONN_ENDING)
        return 0;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
        if (stream != NULL)
            on_request_frame(h2, stream, frame);
        break;
    case NGHTTP2_SETTINGS:
        on_settings(h2, frame);
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0 && h2->leaving == NOTICED)
            leave(h2);
        break;
    default:
        break;
    }
    return 0;
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t len, void *user)
{
    struct h2 *h2 = user;
    struct vts_h2_stream *stream = nghttp2_session_get_stream_user_data(session, id);

    (void)flags;
    (void)bytes;
    if (stream == NULL || stream->state != VTS_H2_STREAM_BODY)
        return 0;
    stream->body_bytes += len;
    if (stream->body_bytes > vts_limits_get(h2->conn->server->limits, VTS_LIMIT_BODY_BYTES)) {
        vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_BODY_BYTES);
        handle(h2, stream, 413, "the request's body is too large");
    }
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *user)
{
    (void)session;
    (void)frame;
    (void)error;
    glitch(user);
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
    struct h2 *h2 = user;
    struct vts_h2_stream *stream = nghttp2_session_get_stream_user_data(session, id);

    (void)error_code;
    if (stream == NULL)
        return 0;
    stop_body(h2, stream);
    h2->open_count--;
    h2->conn->active_ns = vts_conn_now_ns(h2->conn);
    vts_h2_stream_free(stream);
    return 0;
}

/* ---- sending ----------------------------------------------------------------------------- */

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct h2 *h2 = user;
    struct vts_h2_stream *stream;

    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        h2->conn->resets_sent++;
        obey(h2, vts_frame_guard_reset(&h2->guard, vts_conn_now_ns(h2->conn)));
        return 0;
    }
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    vts_frame_guard_sent(&h2->guard, frame->hd.type == NGHTTP2_DATA);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    /* Answered before the request was complete: the rest need not come (RFC 9113 8.1). */
    if (stream != NULL && !stream->has_ended)
        reset_stream(h2, stream->id, NGHTTP2_NO_ERROR);
    return 0;
}

static size_t produce(struct vts_conn *conn, char *out)
{
    struct h2 *h2 = h2_of(conn);
    size_t len = 0;

    while (len < VTS_GATHER_BYTES) {
        const uint8_t *bytes;
        ssize_t part = nghttp2_session_mem_send(h2->session, &bytes);

        if (part < 0)
            vts_conn_end(conn, nghttp2_strerror((int)part));
        if (part <= 0)
            break;
        VTS_ASSERT((size_t)part <= VTS_GATHER_ROOM_BYTES - len);
        memcpy(out + len, bytes, (size_t)part);
        len += (size_t)part;
    }
    return len;
}

/* ---- receiving --------------------------------------------------------------------------- */

/* Per-stream bound on DATA frames that carry nothing (CVE-2019-9518). */
static void judge_data(struct h2 *h2, struct vts_h2_stream *stream)
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
    reset_stream(h2, stream->id, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void judge_frame(struct h2 *h2)
{
    const struct vts_frame *frame = &h2->guard.frame;
    int64_t now_ns = vts_conn_now_ns(h2->conn);
    struct vts_h2_stream *stream = NULL;

    if (frame->stream_id != 0 &&
        (frame->type == VTS_FRAME_DATA || frame->stream_id <= h2->guard.highest_id))
        stream = nghttp2_session_get_stream_user_data(h2->session, (int32_t)frame->stream_id);
    if (frame->type == VTS_FRAME_HEADERS)
        h2->header_since_ns = now_ns;
    if (frame->type == VTS_FRAME_RST_STREAM)
        h2->conn->resets_received++;
    obey(h2, vts_frame_guard_judge(&h2->guard, stream != NULL, now_ns));
    if (frame->type == VTS_FRAME_DATA && h2->conn->state < VTS_CONN_ENDING)
        judge_data(h2, stream);
}

static void feed(struct h2 *h2, const uint8_t *bytes, size_t len)
{
    ssize_t taken = nghttp2_session_mem_recv(h2->session, bytes, len);

    if (taken == NGHTTP2_ERR_FLOODED)
        vts_conn_end_by_limit(h2->conn, VTS_LIMIT_OUTBOUND_ACKS);
    else if (taken < 0)
        vts_conn_end(h2->conn, nghttp2_strerror((int)taken));
    else if (nghttp2_session_want_read(h2->session) == 0)
        vts_conn_end(h2->conn, h2->leaving == LEFT ? "drained" : "the session is over");
}

static void on_data(struct vts_conn *conn, const char *bytes, size_t len)
{
    struct h2 *h2 = h2_of(conn);
    const uint8_t *at = (const uint8_t *)bytes;

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
    if (!vts_frame_guard_is_in_header(&h2->guard))
        h2->header_since_ns = 0;
    conn->glitches = h2->guard.glitches_count;
}

/* ---- deadlines --------------------------------------------------------------------------- */

static void check_body_rate(struct h2 *h2, struct vts_h2_stream *stream, int64_t now_ns)
{
    struct vts_limits *limits = h2->conn->server->limits;
    uint64_t least_bytes = vts_limits_get(limits, VTS_LIMIT_BODY_RATE) *
                           vts_limits_get(limits, VTS_LIMIT_BODY_RATE_MS) / 1000;

    if (now_ns - stream->body_mark_ns < vts_limits_get_ns(limits, VTS_LIMIT_BODY_RATE_MS))
        return;
    if (stream->body_bytes - stream->body_mark_bytes < least_bytes) {
        vts_limits_hit(limits, VTS_LIMIT_BODY_RATE);
        handle(h2, stream, 408, "the request's body comes too slowly");
        return;
    }
    stream->body_mark_bytes = stream->body_bytes;
    stream->body_mark_ns = now_ns;
}

/* A window of zero, or of a byte now and then, must not hold a response for ever
 * (CVE-2019-9511, CVE-2019-9517). */
static void check_stall(struct h2 *h2, struct vts_h2_stream *stream, int64_t now_ns)
{
    struct vts_limits *limits = h2->conn->server->limits;

    if (stream->sent - stream->sent_mark >= PROGRESS_BYTES) {
        stream->sent_mark = stream->sent;
        stream->sent_mark_ns = now_ns;
    }
    if (now_ns - stream->sent_mark_ns < vts_limits_get_ns(limits, VTS_LIMIT_WRITE_STALL_MS))
        return;
    vts_limits_hit(limits, VTS_LIMIT_WRITE_STALL_MS);
    stream->sent_mark_ns = now_ns; /* once is enough */
    reset_stream(h2, stream->id, NGHTTP2_CANCEL);
}

/* Returns whether a stream is in a state that a deadline bounds. */
static bool check_streams(struct h2 *h2, int64_t now_ns)
{
    struct vts_list *link = h2->streams.next;
    bool is_bounded = false;

    while (link != &h2->streams) {
        struct vts_h2_stream *stream = VTS_CONTAINER_OF(link, struct vts_h2_stream, link);

        link = link->next;
        is_bounded |= stream->state != VTS_H2_STREAM_HANDLED;
        if (stream->state == VTS_H2_STREAM_BODY)
            check_body_rate(h2, stream, now_ns);
        else if (stream->state == VTS_H2_STREAM_ANSWERED)
            check_stall(h2, stream, now_ns);
    }
    return is_bounded;
}

/* Ends when since_ns + limit has passed; returns when that is, if it is before due_ns. */
static int64_t bound(struct h2 *h2, enum vts_limit limit, int64_t since_ns, int64_t now_ns,
                     int64_t due_ns)
{
    int64_t limit_due_ns = since_ns + vts_limits_get_ns(h2->conn->server->limits, limit);

    if (now_ns >= limit_due_ns)
        end_by_limit(h2, limit);
    return limit_due_ns < due_ns ? limit_due_ns : due_ns;
}

static int64_t check_idle(struct h2 *h2, int64_t now_ns, int64_t due_ns)
{
    struct vts_limits *limits = h2->conn->server->limits;
    int64_t idle_due_ns = h2->conn->active_ns + vts_limits_get_ns(limits, VTS_LIMIT_IDLE_MS);

    if (h2->open_count > 0)
        return due_ns;
    if (now_ns >= idle_due_ns) {
        vts_limits_hit(limits, VTS_LIMIT_IDLE_MS);
        end_with(h2, NGHTTP2_NO_ERROR, "max_idle");
    }
    return idle_due_ns < due_ns ? idle_due_ns : due_ns;
}

static int64_t check_deadlines(struct vts_conn *conn, int64_t now_ns)
{
    struct h2 *h2 = h2_of(conn);
    int64_t due_ns = INT64_MAX;

    if (!h2->has_settings)
        due_ns = bound(h2, VTS_LIMIT_PREFACE_MS, h2->started_ns, now_ns, due_ns);
    if (!h2->has_ack)
        due_ns = bound(h2, VTS_LIMIT_SETTINGS_ACK_MS, h2->started_ns, now_ns, due_ns);
    if (h2->header_since_ns != 0)
        due_ns = bound(h2, VTS_LIMIT_HEADER_MS, h2->header_since_ns, now_ns, due_ns);
    if (h2->leaving == NOTICED) {
        if (now_ns >= h2->noticed_ns + notice_grace_ns)
            leave(h2);
        else if (h2->noticed_ns + notice_grace_ns < due_ns)
            due_ns = h2->noticed_ns + notice_grace_ns;
    }
    if (h2->open_count > 0 && check_streams(h2, now_ns) &&
        now_ns + (int64_t)STREAM_CHECK_MS * VTS_NS_PER_MS < due_ns)
        due_ns = now_ns + (int64_t)STREAM_CHECK_MS * VTS_NS_PER_MS;
    return check_idle(h2, now_ns, due_ns);
}

static bool is_finished(const struct vts_conn *conn)
{
    const struct h2 *h2 = h2_of(conn);

    if (nghttp2_session_want_write(h2->session) != 0)
        return false;
    return nghttp2_session_want_read(h2->session) == 0 ||
           (h2->leaving == LEFT && h2->open_count == 0);
}

static void drain(struct vts_conn *conn)
{
    give_notice(h2_of(conn));
}

/* ---- lifetime ---------------------------------------------------------------------------- */

/* Shared by all sessions; lives as long as the process. */
static nghttp2_session_callbacks *callbacks;

static void make_callbacks(void)
{
    if (nghttp2_session_callbacks_new(&callbacks) != 0)
        return; /* callbacks is NULL still, which start() sees */
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
}

static enum vts_err new_session(struct h2 *h2)
{
    const struct vts_limits *limits = h2->conn->server->limits;
    nghttp2_option *options;
    int result;

    if (callbacks == NULL || nghttp2_option_new(&options) != 0)
        return VTS_ERR_NOMEM;
    nghttp2_option_set_max_settings(options, SETTINGS_ENTRIES_MAX);
    nghttp2_option_set_max_outbound_ack(options, vts_limits_get(limits, VTS_LIMIT_OUTBOUND_ACKS));
    result = nghttp2_session_server_new2(&h2->session, callbacks, h2, options);
    nghttp2_option_del(options);
    return result == 0 ? VTS_OK : VTS_ERR_NOMEM;
}

static enum vts_err submit_settings(struct h2 *h2)
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
                                VTS_ARRAY_LEN(settings)) != 0)
        return VTS_ERR_NOMEM;
    return VTS_OK;
}

static void h2_free(struct vts_conn *conn)
{
    struct h2 *h2 = h2_of(conn);

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
    struct h2 *h2 = vts_mem_zalloc(sizeof(*h2));

    (void)pthread_once(&once, make_callbacks);
    if (h2 == NULL)
        return VTS_ERR_NOMEM;
    h2->conn = conn;
    h2->started_ns = vts_conn_now_ns(conn);
    vts_list_init(&h2->streams);
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
    .produce = produce,
    .is_finished = is_finished,
    .check_deadlines = check_deadlines,
    .drain = drain,
};
