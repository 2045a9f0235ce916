/* SPDX-License-Identifier: Apache-2.0 */
/* h1_body.c - a request's body on its way to an attached user.
 *
 * The user gets no more than the window lets through; the rest stays in `in`, and soon in the
 * socket. The end of a body needs no window. A body that goes wrong ends its request, and the
 * connection with it.
 */
#include "common/base/assert.h"
#include "common/base/clock.h"
#include "server/http/h1.h"

enum { WINDOW_BYTES = 64 * 1024 };

void vts_h1_body_begin(struct vts_h1 *h1, enum vts_h1_body_form form, uint64_t length)
{
    const struct vts_limits *limits = h1->conn->server->limits;

    h1->body = (struct vts_h1_body){.form = form,
                                    .left = length,
                                    .window = WINDOW_BYTES,
                                    .active_ns = vts_conn_now_ns(h1->conn)};
    vts_h1_chunks_init(&h1->body.chunks, vts_limits_get(limits, VTS_LIMIT_TRAILER_FIELDS));
}

/* Whether somebody waits for more of a body. */
static bool is_awaited(const struct vts_h1 *h1)
{
    return (h1->state == VTS_H1_HANDLED || h1->state == VTS_H1_STREAMING) &&
           h1->exchange.user_ops != NULL && h1->body.form != VTS_H1_BODY_NONE &&
           h1->conn->state < VTS_CONN_ENDING;
}

static size_t smaller(uint64_t a, uint64_t b)
{
    return (size_t)(a < b ? a : b);
}

/* Brings the next piece to the front of `in`, without what frames it; ret_piece->len is 0 when
 * there is none, or no room for it. Notices the body's end. */
static enum vts_err find_piece(struct vts_h1 *h1, struct vts_str *ret_piece)
{
    struct vts_h1_body *body = &h1->body;
    struct vts_str rest = vts_buf_str(&h1->in);
    enum vts_err err;

    if (body->form == VTS_H1_BODY_LENGTH) {
        *ret_piece = vts_str_make(rest.ptr, smaller(body->left, smaller(rest.len, body->window)));
        body->left -= ret_piece->len;
        if (body->left == 0)
            body->form = VTS_H1_BODY_NONE;
        return VTS_OK;
    }
    err = vts_h1_chunks_take(&body->chunks, &rest, body->window, ret_piece);
    if (err != VTS_OK)
        return err;
    vts_buf_consume(&h1->in, h1->in.len - rest.len - ret_piece->len);
    if (vts_h1_chunks_is_over(&body->chunks))
        body->form = VTS_H1_BODY_NONE;
    return VTS_OK;
}

static void refuse_broken(struct vts_h1 *h1, enum vts_err err)
{
    if (err == VTS_ERR_LIMIT)
        vts_limits_hit(h1->conn->server->limits, VTS_LIMIT_TRAILER_FIELDS);
    vts_h1_refuse(h1, 400, "the request's body is not chunked as it says");
}

static void pass_on(struct vts_h1 *h1, struct vts_str piece)
{
    struct vts_exchange *exchange = &h1->exchange;
    struct vts_h1_body *body = &h1->body;
    struct vts_limits *limits = h1->conn->server->limits;

    body->window -= piece.len;
    body->held_bytes += piece.len;
    body->bytes += piece.len;
    body->active_ns = vts_conn_now_ns(h1->conn);
    if (body->held_bytes > vts_limits_get(limits, VTS_LIMIT_BODY_MEMORY)) {
        vts_limits_hit(limits, VTS_LIMIT_BODY_MEMORY);
        vts_h1_refuse(h1, 413, "the request's body is larger than can be kept");
        return;
    }
    if (!exchange->is_body_due) /* the rate is that of a message, not of the silence before it */
        body->was_due = false;
    exchange->user_ops->on_body(exchange->user, piece);
}

/* Whether the user is still to hear of the body that has just ended. */
static bool is_end_awaited(const struct vts_h1 *h1)
{
    return h1->body.form == VTS_H1_BODY_NONE && h1->exchange.user_ops != NULL &&
           (h1->state == VTS_H1_HANDLED || h1->state == VTS_H1_STREAMING) &&
           h1->conn->state < VTS_CONN_ENDING;
}

void vts_h1_feed(struct vts_h1 *h1)
{
    struct vts_str piece = {"", 0};

    if (!is_awaited(h1))
        return;
    do {
        enum vts_err err = find_piece(h1, &piece);

        if (err != VTS_OK) {
            refuse_broken(h1, err);
            return;
        }
        if (piece.len > 0)
            pass_on(h1, piece);
        vts_buf_consume(&h1->in, piece.len);
    } while (piece.len > 0 && is_awaited(h1));
    if (is_end_awaited(h1))
        h1->exchange.user_ops->on_body_end(h1->exchange.user);
}

void vts_h1_consume(struct vts_exchange *exchange, size_t len)
{
    struct vts_h1 *h1 = VTS_CONTAINER_OF(exchange, struct vts_h1, exchange);

    VTS_ASSERT(len <= WINDOW_BYTES - h1->body.window);
    h1->body.window += len;
    h1->body.active_ns = vts_conn_now_ns(h1->conn);
    vts_conn_schedule(h1->conn);
}

void vts_h1_release(struct vts_exchange *exchange, size_t len)
{
    struct vts_h1 *h1 = VTS_CONTAINER_OF(exchange, struct vts_h1, exchange);

    VTS_ASSERT(len <= h1->body.held_bytes);
    h1->body.held_bytes -= len;
}

/* Whether a body that is due comes fast enough; starts to measure it anew from time to time. */
static bool is_fast_enough(struct vts_h1 *h1, int64_t now_ns)
{
    const struct vts_limits *limits = h1->conn->server->limits;
    struct vts_h1_body *body = &h1->body;
    uint64_t least_bytes = vts_limits_get(limits, VTS_LIMIT_BODY_RATE) *
                           vts_limits_get(limits, VTS_LIMIT_BODY_RATE_MS) / 1000;

    if (body->was_due && now_ns - body->mark_ns < vts_limits_get_ns(limits, VTS_LIMIT_BODY_RATE_MS))
        return true;
    if (body->was_due && body->bytes - body->mark_bytes < least_bytes)
        return false;
    body->was_due = true;
    body->mark_bytes = body->bytes;
    body->mark_ns = now_ns;
    return true;
}

/* Otherwise the peer is not to blame: while output waits, nothing is read. */
static bool may_come(const struct vts_h1 *h1)
{
    return h1->body.window > 0 && vts_transport_can_write(h1->conn->transport);
}

int64_t vts_h1_check_body(struct vts_h1 *h1, int64_t now_ns)
{
    struct vts_limits *limits = h1->conn->server->limits;
    enum vts_limit limit = h1->exchange.is_body_due ? VTS_LIMIT_BODY_RATE : VTS_LIMIT_IDLE_MS;
    int64_t idle_due_ns = h1->body.active_ns + vts_limits_get_ns(limits, VTS_LIMIT_IDLE_MS);

    if (!is_awaited(h1))
        return INT64_MAX;
    if (!may_come(h1)) {
        h1->body.was_due = false;
        h1->body.active_ns = now_ns;
        return INT64_MAX;
    }
    if (limit == VTS_LIMIT_BODY_RATE && is_fast_enough(h1, now_ns))
        return h1->body.mark_ns + vts_limits_get_ns(limits, VTS_LIMIT_BODY_RATE_MS);
    if (limit == VTS_LIMIT_IDLE_MS) {
        h1->body.was_due = false;
        if (now_ns < idle_due_ns)
            return idle_due_ns;
    }
    vts_limits_hit(limits, limit);
    vts_h1_refuse(h1, 408, "the request's body comes too slowly");
    return now_ns; /* what was answered is yet to be written */
}
