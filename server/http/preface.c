/* SPDX-License-Identifier: Apache-2.0 */
/* preface.c - a connection without TLS until its first bytes tell which HTTP it is.
 *
 * With TLS the handshake has chosen it (ALPN). Without, a client that knows HTTP/2 is spoken begins
 * with the preface (RFC 9113 3.3 and 3.4), which no request of HTTP/1.1 begins with. What matched
 * so far is known by its length, so nothing is kept of it. A peer that speaks no HTTP at all is not
 * kept until its time is over: mostly it is one that wants TLS.
 */
#include <string.h>

#include "common/base/mem.h"
#include "server/http/conn.h"

static const char preface_text[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n";

enum {
    PREFACE_BYTES = sizeof(preface_text) - 1,
    TLS_HANDSHAKE = 22, /* a record's type (RFC 8446 5.1), its first byte */
};

struct preface {
    size_t matched; /* bytes that came, all as in preface_text */
};

static enum vts_err start(struct vts_conn *conn)
{
    conn->protocol = vts_mem_zalloc(sizeof(struct preface));
    return conn->protocol == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

static void preface_free(struct vts_conn *conn)
{
    vts_mem_free(conn->protocol);
    conn->protocol = NULL;
}

static size_t match(size_t matched, const char *bytes, size_t len)
{
    size_t count = 0;

    while (count < len && matched + count < PREFACE_BYTES &&
           bytes[count] == preface_text[matched + count])
        count++;
    return count;
}

/* The protocol hears all that came, from the first byte on. */
static void hand_over(struct vts_conn *conn, const struct vts_conn_ops *ops, size_t matched,
                      const char *bytes, size_t len)
{
    preface_free(conn);
    conn->ops = ops;
    if (ops->start(conn) != VTS_OK) {
        vts_conn_end(conn, "out of memory");
        return;
    }
    if (matched > 0)
        ops->on_data(conn, preface_text, matched);
    if (len > 0 && conn->state < VTS_CONN_ENDING)
        ops->on_data(conn, bytes, len);
}

/* Whether a request of HTTP/1.1 may begin so: with a method, or an empty line before it. */
static bool can_begin(char first)
{
    return first == '\r' || first == '\n' || (first > ' ' && first < 0x7f);
}

static void on_data(struct vts_conn *conn, const char *bytes, size_t len)
{
    struct preface *preface = conn->protocol;
    size_t before = preface->matched;
    size_t count = match(before, bytes, len);

    if (before + count == PREFACE_BYTES)
        hand_over(conn, &vts_h2_ops, before, bytes, len);
    else if (before + count == 0 && len > 0 && !can_begin(bytes[0]))
        vts_conn_end(conn, bytes[0] == TLS_HANDSHAKE ? "TLS where there is none" : "no HTTP");
    else if (count < len)
        hand_over(conn, &vts_h1_ops, before, bytes, len);
    else
        preface->matched += count;
}

static size_t produce(struct vts_conn *conn, char *out)
{
    (void)conn;
    (void)out;
    return 0; /* in either protocol the client speaks first */
}

static bool is_finished(const struct vts_conn *conn)
{
    return conn->state == VTS_CONN_DRAINING;
}

static int64_t check_deadlines(struct vts_conn *conn, int64_t now_ns)
{
    int64_t due_ns =
        conn->opened_ns + vts_limits_get_ns(conn->server->limits, VTS_LIMIT_PREFACE_MS);

    if (now_ns >= due_ns)
        vts_conn_end_by_limit(conn, VTS_LIMIT_PREFACE_MS);
    return due_ns;
}

static void drain(struct vts_conn *conn)
{
    (void)conn; /* is_finished() sees that it is wanted */
}

const struct vts_conn_ops vts_preface_ops = {
    .name = "none",
    .start = start,
    .free = preface_free,
    .on_data = on_data,
    .produce = produce,
    .is_finished = is_finished,
    .check_deadlines = check_deadlines,
    .drain = drain,
};
