/* SPDX-License-Identifier: Apache-2.0 */
/* h2_request.c - nghttp2's events of receiving, and what a request must pass on its way to the
 * handler.
 *
 * The handler sees every head. Unless it attaches somebody who takes the request in pieces, work
 * starts only after the whole body, so it is never done for requests that are reset half-way. The
 * connection's window is given back at once and each stream's as its user takes the bytes, so that
 * a slow one never stops the others.
 */
#include "common/base/clock.h"
#include "server/http/h2_session.h"

void vts_h2_stop_awaiting(struct vts_h2_stream *stream)
{
    struct vts_h2 *h2 = vts_h2_of(stream->conn);

    if (!stream->is_awaited)
        return;
    stream->is_awaited = false;
    h2->awaited_header_bytes -= stream->header_bytes;
    if (stream->exchange.user_ops == NULL)
        h2->idle_bodies_count--;
}

void vts_h2_handle(struct vts_h2 *h2, struct vts_h2_stream *stream, int fault,
                   const char *fault_text)
{
    vts_h2_stop_awaiting(stream);
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

static void refuse(struct vts_h2 *h2, struct vts_h2_stream *stream, enum vts_limit limit)
{
    vts_limits_hit(h2->conn->server->limits, limit);
    vts_h2_reset_stream(h2, stream->id, NGHTTP2_REFUSED_STREAM);
}

/* Whether the head of another request may be kept until its body has come. */
static bool has_header_room(const struct vts_h2 *h2, const struct vts_h2_stream *stream)
{
    return h2->awaited_header_bytes + stream->header_bytes <=
           vts_limits_get(h2->conn->server->limits, VTS_LIMIT_HEADER_MEMORY);
}

static void await_body(struct vts_h2 *h2, struct vts_h2_stream *stream)
{
    if (stream->exchange.user_ops == NULL) {
        if (h2->idle_bodies_count >= vts_limits_get(h2->conn->server->limits, VTS_LIMIT_BODIES)) {
            refuse(h2, stream, VTS_LIMIT_BODIES);
            return;
        }
        h2->idle_bodies_count++;
        vts_h2_stream_set_state(stream, VTS_H2_STREAM_BODY);
    }
    stream->is_awaited = true;
    h2->awaited_header_bytes += stream->header_bytes;
    stream->body_mark_ns = vts_conn_now_ns(h2->conn);
}

/* Lets the handler see the head. Whoever is neither attached to the exchange nor has answered it
 * gets to know of the request when it is complete. */
static void offer(struct vts_h2 *h2, struct vts_h2_stream *stream)
{
    struct vts_exchange *exchange = &stream->exchange;

    if (!stream->has_ended && !has_header_room(h2, stream)) {
        refuse(h2, stream, VTS_LIMIT_HEADER_MEMORY);
        return;
    }
    vts_h2_stream_set_state(stream, VTS_H2_STREAM_OFFERED);
    vts_conn_begin(h2->conn, exchange);
    if (stream->state != VTS_H2_STREAM_OFFERED && exchange->user_ops == NULL)
        return;
    if (!stream->has_ended)
        await_body(h2, stream);
    else if (exchange->user_ops != NULL)
        vts_h2_end_request(h2, stream);
    else
        vts_h2_handle(h2, stream, 0, NULL);
}

static void on_head_complete(struct vts_h2 *h2, struct vts_h2_stream *stream)
{
    const struct vts_limits *limits = h2->conn->server->limits;
    const struct vts_request *request = &stream->exchange.request;

    h2->conn->requests++;
    if (stream->is_head_too_large) {
        enum vts_limit limit =
            stream->header_fields > vts_limits_get(limits, VTS_LIMIT_HEADER_FIELDS)
                ? VTS_LIMIT_HEADER_FIELDS
                : VTS_LIMIT_HEADER_BYTES;

        vts_limits_hit(h2->conn->server->limits, limit);
        vts_h2_handle(h2, stream, 431, "the request's header is too large");
    } else if (request->target.len > vts_limits_get(limits, VTS_LIMIT_PATH_BYTES)) {
        vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_PATH_BYTES);
        vts_h2_handle(h2, stream, 414, "the request's path is too long");
    } else if (has_other_host(request)) {
        vts_h2_handle(h2, stream, 400, "host and :authority differ");
    } else {
        offer(h2, stream);
    }
}

static void note_request(struct vts_h2 *h2)
{
    int64_t now_ns = vts_conn_now_ns(h2->conn);

    if (h2->open_count == 0)
        h2->is_sparse = h2->conn->requests == 0 ||
                        now_ns - h2->conn->active_ns >= (int64_t)VTS_H2_QUIET_MS * VTS_NS_PER_MS;
    h2->open_count++;
    h2->is_trimmed = false;
    h2->conn->active_ns = now_ns;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct vts_h2 *h2 = user;
    struct vts_h2_stream *stream;

    if (frame->headers.cat != NGHTTP2_HCAT_REQUEST)
        return 0;
    stream = vts_h2_stream_new(h2->conn, frame->hd.stream_id);
    if (stream == NULL)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
    vts_exchange_init(&stream->exchange, &vts_h2_exchange_ops, &stream->head->exchange_head);
    vts_list_push_back(&h2->streams, &stream->link);
    note_request(h2);
    h2->recent = stream;
    return nghttp2_session_set_stream_user_data(session, frame->hd.stream_id, stream) == 0
               ? 0
               : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, nghttp2_rcbuf *name,
                     nghttp2_rcbuf *value, uint8_t flags, void *user)
{
    struct vts_h2 *h2 = user;
    struct vts_h2_stream *stream = vts_h2_find_stream(h2, frame->hd.stream_id);
    enum vts_limit limit;

    (void)session;
    (void)flags;
    if (stream == NULL || h2->conn->state >= VTS_CONN_ENDING)
        return 0;
    if (stream->state != VTS_H2_STREAM_HEADERS) {
        if (++stream->trailer_fields >
            vts_limits_get(h2->conn->server->limits, VTS_LIMIT_TRAILER_FIELDS))
            vts_h2_end_by_limit(h2, VTS_LIMIT_TRAILER_FIELDS);
        return 0;
    }
    if (vts_h2_stream_add_field(stream, name, value, &limit) != VTS_OK)
        vts_h2_end_by_limit(h2, limit);
    return 0;
}

static void on_request_frame(struct vts_h2 *h2, struct vts_h2_stream *stream,
                             const nghttp2_frame *frame)
{
    stream->has_ended = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (stream->state == VTS_H2_STREAM_HEADERS)
        on_head_complete(h2, stream);
    else if (stream->has_ended && stream->state == VTS_H2_STREAM_BODY)
        vts_h2_handle(h2, stream, 0, NULL);
    else if (stream->has_ended)
        vts_h2_end_request(h2, stream);
}

static void on_settings(struct vts_h2 *h2, const nghttp2_frame *frame)
{
    if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
        h2->has_ack = true;
    else
        h2->has_settings = true;
}

static int on_frame_recv(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct vts_h2 *h2 = user;
    struct vts_h2_stream *stream;

    (void)session;
    if (h2->conn->state >= VTS_CONN_ENDING)
        return 0;
    switch (frame->hd.type) {
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        stream = vts_h2_find_stream(h2, frame->hd.stream_id);
        if (stream != NULL)
            on_request_frame(h2, stream, frame);
        break;
    case NGHTTP2_SETTINGS:
        on_settings(h2, frame);
        break;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) != 0)
            vts_h2_on_ping_ack(h2, frame->ping.opaque_data);
        break;
    default:
        break;
    }
    return 0;
}

/* A body that nobody takes only counts. */
static void throw_away(struct vts_h2 *h2, struct vts_h2_stream *stream)
{
    if (stream->state != VTS_H2_STREAM_BODY ||
        stream->body_bytes <= vts_limits_get(h2->conn->server->limits, VTS_LIMIT_BODY_BYTES))
        return;
    vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_BODY_BYTES);
    vts_h2_handle(h2, stream, 413, "the request's body is too large");
}

static void pass_on(struct vts_h2 *h2, struct vts_h2_stream *stream, struct vts_str bytes)
{
    struct vts_exchange *exchange = &stream->exchange;

    stream->held_bytes += bytes.len;
    h2->held_bytes += bytes.len;
    if (h2->held_bytes > vts_limits_get(h2->conn->server->limits, VTS_LIMIT_BODY_MEMORY)) {
        vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_BODY_MEMORY);
        vts_h2_break_off(h2, stream, NGHTTP2_ENHANCE_YOUR_CALM);
        return;
    }
    if (!exchange->is_body_due) { /* the rate is that of a message, not of the silence before it */
        stream->body_mark_bytes = stream->body_bytes - bytes.len;
        stream->body_mark_ns = vts_conn_now_ns(h2->conn);
    }
    exchange->user_ops->on_body(exchange->user, bytes);
}

void vts_h2_release(struct vts_exchange *exchange, size_t len)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);

    VTS_ASSERT(len <= stream->held_bytes);
    stream->held_bytes -= len;
    vts_h2_of(stream->conn)->held_bytes -= len;
}

void vts_h2_consume(struct vts_exchange *exchange, size_t len)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);

    if (stream->has_ended)
        return;
    if (nghttp2_session_consume_stream(vts_h2_of(stream->conn)->session, stream->id, len) != 0)
        vts_conn_end(stream->conn, "out of memory");
    vts_conn_schedule(stream->conn);
}

static int on_data_chunk(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                         size_t len, void *user)
{
    struct vts_h2 *h2 = user;
    struct vts_h2_stream *stream = vts_h2_find_stream(h2, id);
    bool is_taken = stream != NULL && stream->exchange.user_ops != NULL &&
                    stream->state != VTS_H2_STREAM_SENT && h2->conn->state < VTS_CONN_ENDING;

    (void)session;
    (void)flags;
    h2->unconsumed_bytes += len;
    if (!is_taken && nghttp2_session_consume_stream(session, id, len) != 0)
        vts_conn_end(h2->conn, "out of memory");
    if (stream == NULL)
        return 0;
    stream->body_bytes += len;
    if (is_taken)
        pass_on(h2, stream, vts_str_make(bytes, len));
    else
        throw_away(h2, stream);
    return 0;
}

static int on_invalid_frame(nghttp2_session *session, const nghttp2_frame *frame, int error,
                            void *user)
{
    struct vts_h2 *h2 = user;

    (void)session;
    (void)frame;
    (void)error;
    vts_h2_obey(h2, vts_frame_guard_glitch(&h2->guard, vts_conn_now_ns(h2->conn)));
    return 0;
}

static int on_stream_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
    struct vts_h2 *h2 = user;
    struct vts_h2_stream *stream = vts_h2_find_stream(h2, id);

    (void)session;
    (void)error_code;
    if (stream == NULL)
        return 0;
    vts_h2_stop_awaiting(stream);
    vts_exchange_detach(&stream->exchange); /* the user may still give back what it held */
    h2->held_bytes -= stream->held_bytes;
    if (stream->is_kept) {
        h2->kept_count--;
        h2->watches_count -= stream->watches_count;
        vts_conn_let_go(h2->conn);
    }
    vts_h2_forget_head(h2, stream);
    h2->recent = NULL;
    h2->open_count--;
    h2->conn->active_ns = vts_conn_now_ns(h2->conn);
    vts_h2_stream_free(stream);
    return 0;
}

void vts_h2_request_set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback2(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame_recv);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data_chunk);
    nghttp2_session_callbacks_set_on_invalid_frame_recv_callback(callbacks, on_invalid_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_stream_close);
}
