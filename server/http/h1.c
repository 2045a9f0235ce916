/* SPDX-License-Identifier: Apache-2.0 */
/* h1.c - HTTP/1.1 for clients that do not offer h2: what comes, what goes, the connection's life.
 *
 * One request is worked on at a time. While it is, what follows it waits in `in` up to a bound, and
 * then in the socket. A request after much work waits for another turn. Behind a body that was not
 * read to its end nothing is ever read as a request, which is all that request smuggling needs.
 */
#include "server/http/h1.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum {
    INPUT_ROOM_BYTES = 128 * 1024,  /* over a header section: twice what one turn reads */
    INPUT_PAUSE_BYTES = 16 * 1024,  /* waiting behind a request; past it nothing is read */
    OUTPUT_PAUSE_BYTES = 64 * 1024, /* answers that wait; the next request waits with them */
    OUTPUT_MAX_BYTES = 4 * 1024 * 1024,
    PIECE_MIN_BYTES = 1024, /* less room is not worth asking a user for more */
};

void vts_h1_set_state(struct vts_h1 *h1, enum vts_h1_state next)
{
    VTS_ASSERT(next > h1->state || (next == VTS_H1_READING && h1->state == VTS_H1_SENT));
    h1->state = next;
}

void vts_h1_end_exchange(struct vts_h1 *h1)
{
    bool closes = h1->closes || h1->body.form != VTS_H1_BODY_NONE;

    vts_h1_set_state(h1, closes ? VTS_H1_CLOSING : VTS_H1_READING);
    h1->conn->active_ns = h1->header_since_ns = vts_conn_now_ns(h1->conn);
    h1->seen = 0;
    h1->is_first_done = true;
    vts_exchange_detach(&h1->exchange);
    if (h1->conn->held_count > 0)
        vts_conn_let_go(h1->conn);
}

/* Whether the next request waits for another turn. */
static bool is_held(const struct vts_h1 *h1)
{
    return h1->turn_bytes >= VTS_TURN_BYTES;
}

/* Whether the next request may be begun: one whose answer nobody takes yet is enough. */
static bool can_begin(const struct vts_h1 *h1)
{
    return h1->state == VTS_H1_READING && h1->conn->state < VTS_CONN_ENDING && h1->in.len > 0 &&
           h1->out.len < OUTPUT_PAUSE_BYTES && !is_held(h1);
}

/* Does what there is input for. */
static void work(struct vts_h1 *h1)
{
    vts_h1_feed(h1);
    while (can_begin(h1) && vts_h1_take_request(h1))
        vts_h1_feed(h1);
    vts_transport_set_reading(h1->conn->transport, (h1->state == VTS_H1_READING && !is_held(h1)) ||
                                                       h1->in.len < INPUT_PAUSE_BYTES);
}

static void on_data(struct vts_conn *conn, const char *bytes, size_t len)
{
    struct vts_h1 *h1 = vts_h1_of(conn);

    if (h1->state == VTS_H1_CLOSING)
        return;
    if (h1->in.len == 0)
        h1->header_since_ns = vts_conn_now_ns(conn);
    vts_buf_append(&h1->in, bytes, len);
    if (vts_buf_check(&h1->in) != VTS_OK)
        vts_conn_end(conn, "too much input before an answer was taken");
    work(h1);
}

static size_t take_out(struct vts_h1 *h1, char *out, size_t cap)
{
    size_t len = h1->out.len < cap ? h1->out.len : cap;

    if (len == 0)
        return 0;
    memcpy(out, h1->out.ptr, len);
    vts_buf_consume(&h1->out, len);
    return len;
}

/* All that was written so far is out. */
static void go_on(struct vts_h1 *h1)
{
    if (h1->state == VTS_H1_SENT)
        vts_h1_end_exchange(h1);
    work(h1);
}

static size_t produce_part(struct vts_h1 *h1, char *out, size_t cap)
{
    size_t len = 0;

    if (h1->out.len > 0)
        return take_out(h1, out, cap);
    if (h1->state == VTS_H1_STREAMING && h1->conn->state < VTS_CONN_ENDING)
        len = vts_h1_read_piece(h1, out, cap);
    if (len > 0)
        return len;
    go_on(h1);
    return take_out(h1, out, cap);
}

static size_t produce(struct vts_conn *conn, char *out)
{
    struct vts_h1 *h1 = vts_h1_of(conn);
    size_t len = 0;
    size_t part;

    do {
        part = produce_part(h1, out + len, VTS_GATHER_BYTES - len);
        len += part;
    } while (part > 0 && VTS_GATHER_BYTES - len >= PIECE_MIN_BYTES);
    if (h1->out.len == 0)
        vts_buf_fini(&h1->out); /* an idle connection keeps no buffer */
    if (h1->in.len == 0)
        vts_buf_fini(&h1->in);
    return len;
}

static bool is_finished(const struct vts_conn *conn)
{
    const struct vts_h1 *h1 = vts_h1_of(conn);

    if (h1->out.len > 0)
        return false;
    return h1->state == VTS_H1_CLOSING ||
           (h1->state == VTS_H1_READING && conn->state == VTS_CONN_DRAINING);
}

/* A turn is over, and perhaps the time for which the next request was held: the pump that follows
 * begins it then. Returns when to ask again, if it is before due_ns. */
static int64_t end_turn(struct vts_h1 *h1, int64_t now_ns, int64_t due_ns)
{
    if (!is_held(h1)) {
        h1->turn_bytes = 0;
        return due_ns;
    }
    if (h1->go_on_ns == 0)
        h1->go_on_ns = now_ns + 1; /* the loop's other work comes first */
    if (now_ns < h1->go_on_ns)
        return h1->go_on_ns < due_ns ? h1->go_on_ns : due_ns;
    h1->turn_bytes = 0;
    h1->go_on_ns = 0;
    return now_ns;
}

static int64_t check_request(struct vts_conn *conn, int64_t now_ns)
{
    struct vts_h1 *h1 = vts_h1_of(conn);
    enum vts_limit limit = VTS_LIMIT_IDLE_MS;
    int64_t since_ns = conn->active_ns;
    int64_t due_ns;

    if (h1->state != VTS_H1_READING)
        return vts_h1_check_body(h1, now_ns);
    if (h1->out.len > 0)
        return INT64_MAX; /* while answers wait, the deadline is the transport's */
    if (h1->in.len > 0) {
        limit = VTS_LIMIT_HEADER_MS;
        since_ns = h1->header_since_ns;
    } else if (!h1->is_first_done) {
        limit = VTS_LIMIT_PREFACE_MS;
    }
    due_ns = since_ns + vts_limits_get_ns(conn->server->limits, limit);
    if (now_ns >= due_ns)
        vts_conn_end_by_limit(conn, limit);
    return due_ns;
}

static int64_t check_deadlines(struct vts_conn *conn, int64_t now_ns)
{
    return end_turn(vts_h1_of(conn), now_ns, check_request(conn, now_ns));
}

static void drain(struct vts_conn *conn)
{
    vts_h1_of(conn)->closes = true;
}

static enum vts_err start(struct vts_conn *conn)
{
    const struct vts_limits *limits = conn->server->limits;
    struct vts_h1 *h1 = vts_mem_zalloc(sizeof(*h1));

    if (h1 == NULL)
        return VTS_ERR_NOMEM;
    h1->conn = conn;
    vts_buf_init(&h1->in, vts_limits_get(limits, VTS_LIMIT_HEADER_BYTES) + INPUT_ROOM_BYTES);
    vts_buf_init(&h1->out, OUTPUT_MAX_BYTES);
    conn->protocol = h1;
    return VTS_OK;
}

static void h1_free(struct vts_conn *conn)
{
    struct vts_h1 *h1 = vts_h1_of(conn);

    /* A body that ends with the connection must not look complete. */
    if (h1->state == VTS_H1_STREAMING)
        conn->is_broken_off = true;
    vts_exchange_detach(&h1->exchange);
    vts_h1_drop_request(h1);
    vts_buf_fini(&h1->in);
    vts_buf_fini(&h1->out);
    vts_mem_free(h1);
    conn->protocol = NULL;
}

const struct vts_conn_ops vts_h1_ops = {
    .name = "http/1.1",
    .start = start,
    .free = h1_free,
    .on_data = on_data,
    .produce = produce,
    .is_finished = is_finished,
    .check_deadlines = check_deadlines,
    .drain = drain,
};
