/* SPDX-License-Identifier: Apache-2.0 */
/* h2_response.c - from a response to frames, made only when the peer takes them.
 *
 * Bodies are copied into DATA frames on demand, straight from the bytes that all answers share.
 */
#include <string.h>

#include "common/base/assert.h"
#include "server/http/h2_session.h"

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

static nghttp2_nv make_field(struct vts_str name, struct vts_str value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name.ptr,
                        .namelen = name.len,
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
    fields[count++] = make_field(vts_str_of(":status"), vts_str_make(stream->code_text, 3));
    fields[count++] = make_field(vts_str_of("date"), vts_conn_date(stream->conn));
    if (has_body && vts_response_body_len(response) > 0)
        vts_response_add_number(response, "content-length", vts_response_body_len(response));
    for (size_t i = 0; i < response->headers_count; i++)
        fields[count++] = make_field(response->headers[i].name, response->headers[i].value);
    return count;
}

static void send_response(struct vts_exchange *exchange)
{
    struct vts_h2_stream *stream = VTS_CONTAINER_OF(exchange, struct vts_h2_stream, exchange);
    struct vts_conn *conn = stream->conn;
    struct vts_h2 *h2 = vts_h2_of(conn);
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
    /* A window held at zero must not make us hold the request too (CVE-2026-49975). */
    vts_h2_stream_drop_head(stream);
}

const struct vts_exchange_ops vts_h2_exchange_ops = {.send = send_response};

static void count_reset(struct vts_h2 *h2, const nghttp2_frame *frame)
{
    /* Past the concurrent streams, nghttp2 refuses by itself, before there is a stream of ours. */
    if (frame->rst_stream.error_code == NGHTTP2_REFUSED_STREAM &&
        nghttp2_session_get_stream_user_data(h2->session, frame->hd.stream_id) == NULL)
        vts_limits_hit(h2->conn->server->limits, VTS_LIMIT_STREAMS);
    h2->conn->resets_sent++;
    vts_h2_obey(h2, vts_frame_guard_reset(&h2->guard, vts_conn_now_ns(h2->conn)));
}

static int on_frame_send(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    struct vts_h2 *h2 = user;
    struct vts_h2_stream *stream;

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
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0)
        return 0;
    stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);
    if (stream != NULL && !stream->has_ended) {
        vts_h2_stream_set_state(stream, VTS_H2_STREAM_SENT);
        stream->sent_mark_ns = vts_conn_now_ns(h2->conn);
    }
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
        VTS_ASSERT((size_t)part <= VTS_GATHER_ROOM_BYTES - len);
        memcpy(out + len, bytes, (size_t)part);
        len += (size_t)part;
    }
    return len;
}
