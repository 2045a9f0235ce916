/* SPDX-License-Identifier: Apache-2.0 */
/* h2_response.c - from a response to frames, made only when the peer takes them.
 *
 * Bodies are copied into DATA frames on demand: straight from the bytes that all answers share, or
 * by the user who makes them piece by piece.
 */
#include <string.h>

#include "common/base/assert.h"
#include "server/http/h2_session.h"

enum { FIELDS_MAX = 3 + VTS_RESPONSE_HEADERS_MAX + VTS_RESPONSE_MORE_MAX };

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct vts_h2_stream *stream = source->ptr;
    struct vts_response *response = &stream->exchange.response;
    size_t total = vts_response_body_len(response);
    size_t sent = (size_t)stream->sent;
    size_t len = total - sent < cap ? total - sent : cap;
    size_t from_body = 0;

    (void)session;
    (void)id;
    (void)user;
    if (sent < response->body.len) {
        from_body = response->body.len - sent;
        from_body = from_body < len ? from_body : len;
        memcpy(out, response->body.ptr + sent, from_body);
    }
    if (from_body < len)
        memcpy(out + from_body, response->tail + (sent + from_body - response->body.len),
               len - from_body);
    stream->sent += len;
    if (stream->sent == total)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static nghttp2_nv make_field(struct vts_str name, struct vts_str value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.ptr,
                        .namelen = name.len,
                        .value = (uint8_t *)(uintptr_t)value.ptr,
                        .valuelen = value.len,
                        .flags = NGHTTP2_NV_FLAG_NO_COPY_NAME | NGHTTP2_NV_FLAG_NO_COPY_VALUE};
}

static size_t make_fields(const struct vts_header *headers, size_t count, nghttp2_nv *fields)
{
    for (size_t i = 0; i < count; i++)
        fields[i] = make_field(headers[i].name, headers[i].value);
    return count;
}

/* Trailers only here: submitted any earlier, they would overtake the body. */
static int submit_trailers(nghttp2_session *session, struct vts_h2_stream *stream)
{
    const struct vts_response *response = &stream->exchange.response;
    nghttp2_nv fields[FIELDS_MAX];

    VTS_ASSERT(response->trailers_count <= FIELDS_MAX);
    return nghttp2_submit_trailer(
        session, stream->id, fields,
        make_fields(response->trailers, response->trailers_count, fields));
}

static ssize_t read_user(nghttp2_session *session, int32_t id, uint8_t *out, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct vts_h2_stream *stream = source->ptr;
    struct vts_exchange *exchange = &stream->exchange;
    bool is_end = false;
    size_t len = exchange->user_ops->read(exchange->user, (char *)out, cap, &is_end);

    (void)id;
    (void)user;
    if (stream->state == VTS_H2_STREAM_SENT)
        return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE; /* the user has just broken it off */
    stream->sent += len;
    if (!is_end && len == 0) {
        stream->is_deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (!is_end)
        return (ssize_t)len;
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (exchange->response.trailers_count == 0)
        return (ssize_t)len;
    *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
    return submit_trailers(session, stream) == 0 ? (ssize_t)len
                                                 : NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
}

/* Turns the response's head into fields; returns how many. */
static size_t make_head(struct vts_h2_stream *stream, int64_t length, nghttp2_nv *fields)
{
    struct vts_response *response = &stream->exchange.response;
    size_t count = 0;

    for (int i = 2, code = response->code; i >= 0; i--, code /= 10)
        stream->code_text[i] = (char)('0' + code % 10);
    fields[count++] = make_field(vts_str_of(":status"), vts_str_make(stream->code_text, 3));
    fields[count++] = make_field(vts_str_of("date"), vts_conn_date(stream->conn));
    if (length > 0)
        vts_response_add_number(response, "content-length", (uint64_t)length);
    count += make_fields(response->headers, response->headers_count, fields + count);
    VTS_ASSERT(response->more_headers_count <= VTS_RESPONSE_MORE_MAX);
    return count +
           make_fields(response->more_headers, response->more_headers_count, fields + count);
}

/* length is the body's, for the head; provider NULL ends the stream with the head. */
static void submit(struct vts_h2_stream *stream, int64_t length,
                   const nghttp2_data_provider *provider)
{
    struct vts_conn *conn = stream->conn;
    nghttp2_nv fields[FIELDS_MAX];
    size_t count;

    if (stream->state >= VTS_H2_STREAM_ANSWERED)
        return; /* it was broken off */
    vts_conn_count_response(conn, &stream->exchange);
    vts_h2_forget_head(vts_h2_of(conn), stream);
    vts_h2_stream_set_state(stream, VTS_H2_STREAM_ANSWERED);
    stream->sent_mark_ns = vts_conn_now_ns(conn);
    count = make_head(stream, length, fields);
    if (nghttp2_submit_response(vts_h2_of(conn)->session, stream->id, fields, count, provider) != 0)
        vts_conn_end(conn, "out of memory");
    /* A window held at zero must not make us hold the request too (CVE-2026-49975). */
    vts_h2_stream_drop_request(stream);
    vts_conn_schedule(conn);
}

static void send_response(struct vts_exchange *exchange)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_body};
    size_t len = vts_response_can_have_body(exchange->response.code)
                     ? vts_response_body_len(&exchange->response)
                     : 0;

    submit(stream, (int64_t)len,
           len > 0 && exchange->request.method != VTS_METHOD_HEAD ? &provider : NULL);
}

static void start_response(struct vts_exchange *exchange)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);
    nghttp2_data_provider provider = {.source.ptr = stream, .read_callback = read_user};

    submit(stream, exchange->response.length, &provider);
}

static void resume(struct vts_exchange *exchange)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);
    struct vts_conn *conn = stream->conn;

    if (!stream->is_deferred)
        return;
    stream->is_deferred = false;
    stream->sent_mark = stream->sent;
    stream->sent_mark_ns = vts_conn_now_ns(conn);
    if (nghttp2_session_resume_data(vts_h2_of(conn)->session, stream->id) != 0)
        vts_conn_end(conn, "out of memory");
    vts_conn_schedule(conn);
}

static void reset(struct vts_exchange *exchange)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);

    vts_h2_break_off(vts_h2_of(stream->conn), stream, NGHTTP2_CANCEL);
}

void vts_h2_forget_head(struct vts_h2 *h2, struct vts_h2_stream *stream)
{
    if (stream->is_head_kept)
        h2->kept_header_bytes -= stream->header_bytes;
    stream->is_head_kept = false;
}

/* Whether the request's header may stay for as long as there is no answer. */
static bool keep_head(struct vts_h2 *h2, struct vts_h2_stream *stream)
{
    uint64_t max_bytes = vts_limits_get(h2->conn->server->limits, VTS_LIMIT_HEADER_MEMORY);

    if (stream->state >= VTS_H2_STREAM_ANSWERED || stream->is_head_kept)
        return true;
    if (h2->kept_header_bytes + stream->header_bytes > max_bytes)
        return false;
    h2->kept_header_bytes += stream->header_bytes;
    stream->is_head_kept = true;
    return true;
}

/* Whether there is room for another that waits. */
static bool has_room(const struct vts_h2 *h2, uint32_t watches_count)
{
    struct vts_limits *limits = h2->conn->server->limits;

    if (h2->kept_count >= vts_limits_get(limits, VTS_LIMIT_KEPT_STREAMS)) {
        vts_limits_hit(limits, VTS_LIMIT_KEPT_STREAMS);
        return false;
    }
    if ((uint64_t)h2->watches_count + watches_count >
        vts_limits_get(limits, VTS_LIMIT_CONNECTION_WATCHES)) {
        vts_limits_hit(limits, VTS_LIMIT_CONNECTION_WATCHES);
        return false;
    }
    return true;
}

static bool keep(struct vts_exchange *exchange, uint32_t watches_count)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);
    struct vts_h2 *h2 = vts_h2_of(stream->conn);
    struct vts_limits *limits = stream->conn->server->limits;

    if (!stream->is_kept && !has_room(h2, watches_count))
        return false;
    if (!keep_head(h2, stream)) {
        vts_limits_hit(limits, VTS_LIMIT_HEADER_MEMORY);
        return false;
    }
    if (stream->is_kept)
        return true;
    stream->is_kept = vts_conn_hold(stream->conn);
    if (!stream->is_kept)
        return false;
    stream->watches_count = watches_count;
    h2->watches_count += watches_count;
    h2->kept_count++;
    return true;
}

static struct vts_conn *find_conn(const struct vts_exchange *exchange)
{
    return VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange)->conn;
}

const struct vts_exchange_ops vts_h2_exchange_ops = {.is_duplex = true,
                                                     .find_conn = find_conn,
                                                     .send = send_response,
                                                     .start = start_response,
                                                     .resume = resume,
                                                     .consume = vts_h2_consume,
                                                     .release = vts_h2_release,
                                                     .charge = vts_h2_charge,
                                                     .refund = vts_h2_refund,
                                                     .reset = reset,
                                                     .keep = keep,
                                                     .now_ns = vts_conn_exchange_now_ns,
                                                     .set_timer = vts_conn_exchange_set_timer,
                                                     .stop_timer = vts_conn_exchange_stop_timer,
                                                     .peer_number = vts_conn_exchange_peer_number,
                                                     .write_peer = vts_conn_exchange_write_peer};

static void count_reset(struct vts_h2 *h2, const nghttp2_frame *frame)
{
    /* Past the concurrent streams, nghttp2 refuses by itself, before there is a stream of ours. */
    if (frame->rst_stream.error_code == NGHTTP2_REFUSED_STREAM &&
        vts_h2_find_stream(h2, frame->hd.stream_id) == NULL)
        vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_STREAMS);
    h2->conn->resets_sent++;
    vts_h2_obey(h2, vts_frame_guard_reset(&h2->guard, vts_conn_now_ns(h2->conn)));
}

static void on_stream_frame(struct vts_h2 *h2, struct vts_h2_stream *stream,
                            const nghttp2_frame *frame)
{
    /* The first HEADERS are the response's head. A stream that lives on needs it no more. */
    if (frame->hd.type == NGHTTP2_HEADERS && stream->exchange.user_ops != NULL)
        vts_h2_stream_drop_head(stream);
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0 || stream->has_ended ||
        stream->state == VTS_H2_STREAM_SENT)
        return;
    vts_h2_stream_set_state(stream, VTS_H2_STREAM_SENT);
    stream->sent_mark_ns = vts_conn_now_ns(h2->conn);
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct vts_h2 *h2 = user;
    struct vts_h2_stream *stream;

    (void)session;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        count_reset(h2, frame);
        return 0;
    }
    /* nghttp2 ends the session by itself when the peer breaks the protocol. */
    if (frame->hd.type == NGHTTP2_GOAWAY && frame->goaway.error_code != NGHTTP2_NO_ERROR &&
        h2->conn->end_reason == NULL)
        h2->conn->end_reason = nghttp2_http2_strerror(frame->goaway.error_code);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA)
        return 0;
    vts_frame_guard_sent(&h2->guard, frame->hd.type == NGHTTP2_DATA);
    stream = vts_h2_find_stream(h2, frame->hd.stream_id);
    if (stream != NULL)
        on_stream_frame(h2, stream, frame);
    return 0;
}

void vts_h2_response_set_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_send);
}

size_t vts_h2_produce(struct vts_conn *conn, char *out)
{
    struct vts_h2 *h2 = vts_h2_of(conn);
    size_t len = 0;

    while (len < VTS_GATHER_BYTES) {
        const uint8_t *bytes;
        ssize_t part = nghttp2_session_mem_send(h2->session, &bytes);

        if (part < 0)
            vts_conn_end(conn, nghttp2_strerror((int)part));
        if (part <= 0)
            break;
        VTS_ASSERT((size_t)part + VTS_H2_NOTICE_MAX <= VTS_GATHER_ROOM_BYTES - len);
        len += vts_h2_copy_frame(h2, out + len, bytes, (size_t)part);
    }
    return len;
}
