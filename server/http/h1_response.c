/* SPDX-License-Identifier: Apache-2.0 */
/* h1_response.c - from a response to bytes.
 *
 * Heads and whole responses go to `out`. A streamed body is asked for piece by piece when all that
 * stands before it is out, so that no more of it is kept than the transport takes at once.
 */
#include <http_parser.h>
#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "server/http/h1.h"

enum {
    CHUNK_SIZE_BYTES = 6, /* "3fff" and its CRLF */
    CHUNK_END_BYTES = 2,
    LAST_CHUNK_BYTES = 5,
};

static const char *reason_phrase(int code)
{
    switch (code) {
#define XX(number, name, text)                                                                     \
    case number:                                                                                   \
        return #text;
        HTTP_STATUS_MAP(XX)
#undef XX
    default:
        return "Unknown";
    }
}

/* ---- heads --------------------------------------------------------------------------------- */

static void append_headers(struct vts_buf *out, const struct vts_header *headers, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        vts_buf_append_str(out, headers[i].name);
        vts_buf_append_text(out, ": ");
        vts_buf_append_str(out, headers[i].value);
        vts_buf_append_text(out, "\r\n");
    }
}

static void begin_head(struct vts_h1 *h1)
{
    const struct vts_response *response = &h1->exchange.response;
    struct vts_str date = vts_conn_date(h1->conn);

    vts_conn_count_response(h1->conn, &h1->exchange);
    vts_buf_append_format(&h1->out, "HTTP/1.1 %d %s\r\ndate: %.*s\r\n", response->code,
                          reason_phrase(response->code), (int)date.len, date.ptr);
    append_headers(&h1->out, response->headers, response->headers_count);
    VTS_ASSERT(response->more_headers_count <= VTS_RESPONSE_MORE_MAX);
    append_headers(&h1->out, response->more_headers, response->more_headers_count);
}

static void append_length(struct vts_h1 *h1, uint64_t length)
{
    vts_buf_append_format(&h1->out, "content-length: %llu\r\n", (unsigned long long)length);
}

static void end_head(struct vts_h1 *h1)
{
    vts_buf_append_text(&h1->out, h1->closes ? "connection: close\r\n\r\n" : "\r\n");
    vts_h1_drop_request(h1);
}

/* The response is written, or what there is of it yet. */
static void end_writing(struct vts_h1 *h1, enum vts_h1_state next)
{
    if (vts_buf_check(&h1->out) != VTS_OK)
        vts_conn_end(h1->conn, "out of memory");
    vts_h1_set_state(h1, next);
    vts_conn_schedule(h1->conn);
}

/* ---- whole responses ----------------------------------------------------------------------- */

static void send_response(struct vts_exchange *exchange)
{
    struct vts_h1 *h1 = VTS_CONTAINER_OF(exchange, struct vts_h1, exchange);
    const struct vts_response *response = &exchange->response;
    bool has_body = vts_response_can_have_body(response->code);
    bool is_head = exchange->request.method == VTS_METHOD_HEAD;

    if (h1->state != VTS_H1_HANDLED || h1->conn->is_broken_off)
        return;
    h1->closes = h1->closes || h1->body.form != VTS_H1_BODY_NONE;
    begin_head(h1);
    /* To HEAD, a body that nobody made has no length yet. */
    if (has_body && !(is_head && vts_response_body_len(response) == 0))
        append_length(h1, vts_response_body_len(response));
    end_head(h1);
    if (has_body && !is_head) {
        vts_buf_append_str(&h1->out, response->body);
        vts_buf_append(&h1->out, response->tail, response->tail_len);
    }
    vts_exchange_fini(exchange);
    end_writing(h1, VTS_H1_SENT);
    if (exchange->user_ops == NULL)
        vts_h1_end_exchange(h1);
}

/* ---- streamed responses -------------------------------------------------------------------- */

/* Says in the head how the body's end will be seen (RFC 9112 6.3). */
static void choose_framing(struct vts_h1 *h1)
{
    int64_t length = h1->exchange.response.length;

    if (length != VTS_LENGTH_UNKNOWN) {
        h1->framing = VTS_H1_BY_LENGTH;
        h1->length_left = (uint64_t)length;
        append_length(h1, (uint64_t)length);
    } else if (h1->exchange.request.method == VTS_METHOD_HEAD) {
        return;
    } else if (h1->is_http_1_0) {
        h1->framing = VTS_H1_BY_CLOSE;
        h1->closes = true;
    } else {
        h1->framing = VTS_H1_BY_CHUNKS;
        vts_buf_append_text(&h1->out, "transfer-encoding: chunked\r\n");
    }
}

static void start_response(struct vts_exchange *exchange)
{
    struct vts_h1 *h1 = VTS_CONTAINER_OF(exchange, struct vts_h1, exchange);
    bool has_body = vts_response_can_have_body(exchange->response.code) &&
                    exchange->request.method != VTS_METHOD_HEAD && exchange->response.length != 0;

    if (h1->state != VTS_H1_HANDLED || h1->conn->is_broken_off)
        return;
    h1->closes =
        h1->closes || (exchange->response.ends_request && h1->body.form != VTS_H1_BODY_NONE);
    begin_head(h1);
    if (vts_response_can_have_body(exchange->response.code))
        choose_framing(h1);
    end_head(h1);
    end_writing(h1, has_body ? VTS_H1_STREAMING : VTS_H1_SENT);
}

/* Puts the framing around len bytes that stand CHUNK_SIZE_BYTES behind out; returns its whole
 * length. */
static size_t frame_chunk(char *out, size_t len, bool is_end)
{
    char size[CHUNK_SIZE_BYTES + 1];
    size_t at = 0;

    if (len > 0) {
        at = (size_t)snprintf(size, sizeof(size), "%zx\r\n", len);
        VTS_ASSERT(at <= CHUNK_SIZE_BYTES);
        if (at < CHUNK_SIZE_BYTES)
            memmove(out + at, out + CHUNK_SIZE_BYTES, len);
        memcpy(out, size, at);
        at += len;
        memcpy(out + at, "\r\n", CHUNK_END_BYTES);
        at += CHUNK_END_BYTES;
    }
    if (!is_end)
        return at;
    memcpy(out + at, "0\r\n\r\n", LAST_CHUNK_BYTES);
    return at + LAST_CHUNK_BYTES;
}

/* Asks the user for up to cap bytes. Returns false when there is nothing to write. */
static bool ask_user(struct vts_h1 *h1, char *out, size_t cap, size_t *ret_len, bool *ret_is_end)
{
    struct vts_exchange *exchange = &h1->exchange;
    bool is_end = false;
    size_t len = exchange->user_ops->read(exchange->user, out, cap, &is_end);

    VTS_ASSERT(len <= cap);
    h1->is_deferred = len == 0 && !is_end;
    if (h1->is_deferred || h1->conn->state >= VTS_CONN_ENDING)
        return false;
    *ret_len = len;
    *ret_is_end = is_end;
    return true;
}

static size_t read_chunk(struct vts_h1 *h1, char *out, size_t cap)
{
    size_t len;
    bool is_end;

    if (!ask_user(h1, out + CHUNK_SIZE_BYTES,
                  cap - CHUNK_SIZE_BYTES - CHUNK_END_BYTES - LAST_CHUNK_BYTES, &len, &is_end))
        return 0;
    if (is_end)
        vts_h1_set_state(h1, VTS_H1_SENT);
    return frame_chunk(out, len, is_end);
}

static size_t read_counted(struct vts_h1 *h1, char *out, size_t cap)
{
    size_t len;
    bool is_end;

    if (!ask_user(h1, out, h1->length_left < cap ? (size_t)h1->length_left : cap, &len, &is_end))
        return 0;
    h1->length_left -= len;
    if (h1->length_left == 0)
        vts_h1_set_state(h1, VTS_H1_SENT);
    else if (is_end)
        vts_conn_break_off(h1->conn, "a response is shorter than it said");
    return len;
}

static size_t read_plain(struct vts_h1 *h1, char *out, size_t cap)
{
    size_t len;
    bool is_end;

    if (!ask_user(h1, out, cap, &len, &is_end))
        return 0;
    if (is_end)
        vts_h1_set_state(h1, VTS_H1_SENT);
    return len;
}

size_t vts_h1_read_piece(struct vts_h1 *h1, char *out, size_t cap)
{
    if (h1->is_deferred)
        return 0;
    switch (h1->framing) {
    case VTS_H1_BY_CHUNKS:
        return read_chunk(h1, out, cap);
    case VTS_H1_BY_LENGTH:
        return read_counted(h1, out, cap);
    case VTS_H1_BY_CLOSE:
        return read_plain(h1, out, cap);
    }
    VTS_UNREACHABLE();
}

static void resume(struct vts_exchange *exchange)
{
    struct vts_h1 *h1 = VTS_CONTAINER_OF(exchange, struct vts_h1, exchange);

    if (!h1->is_deferred)
        return;
    h1->is_deferred = false;
    vts_conn_schedule(h1->conn);
}

static void reset(struct vts_exchange *exchange)
{
    struct vts_h1 *h1 = VTS_CONTAINER_OF(exchange, struct vts_h1, exchange);

    if (h1->state >= VTS_H1_HANDLED && h1->state <= VTS_H1_SENT)
        vts_conn_break_off(h1->conn, "a request was broken off");
}

static struct vts_conn *find_conn(const struct vts_exchange *exchange)
{
    return VTS_CONTAINER_OF(exchange, struct vts_h1, exchange)->conn;
}

/* The only one of its connection. */
static bool keep(struct vts_exchange *exchange, uint32_t watches_count)
{
    struct vts_conn *conn = find_conn(exchange);
    struct vts_limits *limits = conn->server->limits;

    if (watches_count > vts_limits_get(limits, VTS_LIMIT_CONNECTION_WATCHES)) {
        vts_limits_hit(limits, VTS_LIMIT_CONNECTION_WATCHES);
        return false;
    }
    return conn->held_count > 0 || vts_conn_hold(conn);
}

static void charge(struct vts_exchange *exchange, size_t len)
{
    struct vts_h1 *h1 = VTS_CONTAINER_OF(exchange, struct vts_h1, exchange);

    h1->turn_bytes += len;
}

/* The next request waits for this one's answer anyway. */
static void refund(struct vts_exchange *exchange, size_t len)
{
    (void)exchange;
    (void)len;
}

const struct vts_exchange_ops vts_h1_exchange_ops = {.is_duplex = false,
                                                     .find_conn = find_conn,
                                                     .send = send_response,
                                                     .start = start_response,
                                                     .resume = resume,
                                                     .consume = vts_h1_consume,
                                                     .release = vts_h1_release,
                                                     .charge = charge,
                                                     .refund = refund,
                                                     .reset = reset,
                                                     .keep = keep,
                                                     .now_ns = vts_conn_exchange_now_ns,
                                                     .set_timer = vts_conn_exchange_set_timer,
                                                     .stop_timer = vts_conn_exchange_stop_timer,
                                                     .peer_number = vts_conn_exchange_peer_number,
                                                     .write_peer = vts_conn_exchange_write_peer};
