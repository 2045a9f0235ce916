/* SPDX-License-Identifier: Apache-2.0 */
/* conn.c - one connection from accept to its last line in the log.
 *
 * A turn is: input goes to the protocol, then pump() writes all that came of it, and only then is
 * a connection that ended given up. So a protocol is never freed while its callback is on the
 * stack. The connection itself stays until its socket is closed, so that counts and caps tell the
 * truth. Deadlines run on one lazy timer: work moves no timer, the timer looks again when it fires.
 */
#include "server/http/conn.h"

#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "server/obs/log.h"

enum { CONN_MAGIC = 0x636f6e6e };

static void set_state(struct vts_conn *conn, enum vts_conn_state next)
{
    VTS_ASSERT(next > conn->state);
    conn->state = next;
}

static void count(struct vts_conn *conn, enum vts_metric metric)
{
    vts_metrics_add(vts_loop_metrics(conn->server->loop), metric, 1);
}

int64_t vts_conn_now_ns(const struct vts_conn *conn)
{
    return vts_loop_now_ns(conn->server->loop);
}

/* HTTP/2 abuse leaves no trace in access logs; this line is where it shows. */
static void log_end(struct vts_conn *conn)
{
    struct vts_log_line line;
    char peer[VTS_ADDRESS_TEXT_BYTES];

    if (!vts_log_is_on(VTS_LOG_INFO))
        return;
    vts_address_format(&conn->peer, peer);
    vts_log_begin(&line, VTS_LOG_INFO, "connection ended");
    vts_log_str(&line, "peer", vts_str_of(peer));
    if (conn->identity != NULL)
        vts_log_str(&line, "identity", vts_str_of(vts_identity_name(conn->identity)));
    vts_log_str(&line, "protocol", vts_str_of(conn->ops == NULL ? "none" : conn->ops->name));
    vts_log_str(&line, "tls", vts_str_of(vts_transport_tls_version(conn->transport)));
    vts_log_str(&line, "reason", vts_str_of(conn->end_reason));
    vts_log_int(&line, "requests", (int64_t)conn->requests);
    vts_log_int(&line, "resets_received", (int64_t)conn->resets_received);
    vts_log_int(&line, "resets_sent", (int64_t)conn->resets_sent);
    vts_log_int(&line, "glitches", (int64_t)conn->glitches);
    vts_log_int(&line, "bytes_in", (int64_t)vts_transport_bytes_in(conn->transport));
    vts_log_int(&line, "bytes_out", (int64_t)vts_transport_bytes_out(conn->transport));
    vts_log_int(&line, "ms", (vts_conn_now_ns(conn) - conn->opened_ns) / VTS_NS_PER_MS);
    vts_log_end(&line);
}

bool vts_conn_hold(struct vts_conn *conn)
{
    struct vts_limits *limits = conn->server->limits;

    if (conn->identity != NULL &&
        !vts_identity_hold(conn->identity, vts_limits_get(limits, VTS_LIMIT_IDENTITY_STREAMS))) {
        vts_limits_hit(limits, VTS_LIMIT_IDENTITY_STREAMS);
        return false;
    }
    conn->held_count++;
    return true;
}

void vts_conn_let_go(struct vts_conn *conn)
{
    VTS_ASSERT(conn->held_count > 0);
    conn->held_count--;
    if (conn->identity != NULL)
        vts_identity_let_go(conn->identity);
}

static void forget_identity(struct vts_conn *conn)
{
    while (conn->held_count > 0)
        vts_conn_let_go(conn);
    vts_identities_leave(conn->server->shared->identities, conn->identity);
    conn->identity = NULL;
}

static void conn_free(struct vts_conn *conn)
{
    struct vts_http_server *server = conn->server;

    vts_loop_timer_stop(server->loop, &conn->timer);
    vts_list_remove(&conn->link);
    vts_list_remove(&conn->scheduled_link);
    count(conn, VTS_METRIC_CONNECTIONS_CLOSED);
    conn->magic = 0;
    vts_mem_free(conn);
    vts_http_server_conn_gone(server);
}

static void end_handshake(struct vts_conn *conn)
{
    vts_list_remove(&conn->link);
    vts_list_push_back(&conn->server->conns, &conn->link);
    vts_http_server_handshake_over(conn->server);
}

/* All but the socket and its place in the list goes now. */
static void leave(struct vts_conn *conn)
{
    if (conn->end_reason == NULL)
        conn->end_reason = "finished";
    log_end(conn);
    if (conn->state == VTS_CONN_SHAKING_HANDS)
        end_handshake(conn);
    set_state(conn, VTS_CONN_LEAVING);
    if (conn->protocol != NULL)
        conn->ops->free(conn);
    forget_identity(conn);
}

void vts_conn_abort(struct vts_conn *conn, const char *reason)
{
    if (conn->state != VTS_CONN_LEAVING) {
        conn->end_reason = reason;
        leave(conn);
    }
    vts_transport_abort(conn->transport);
}

static void conn_close(struct vts_conn *conn)
{
    leave(conn);
    if (conn->is_broken_off) {
        vts_transport_flush(conn->transport); /* its bytes lie in a buffer that all use */
        vts_transport_abort(conn->transport);
        return;
    }
    vts_transport_close(conn->transport);
    conn->waiting_ns = vts_conn_now_ns(conn);
    vts_loop_timer_set(conn->server->loop, &conn->timer,
                       conn->waiting_ns +
                           vts_limits_get_ns(conn->server->limits, VTS_LIMIT_LINGER_MS));
}

/* Our end is out once no output waits, and from then on the peer has a moment for its own. A slow
 * reader gets the last answer whole; one that reads nothing is given up as ever. */
static void check_linger(struct vts_conn *conn)
{
    struct vts_limits *limits = conn->server->limits;
    int64_t now_ns = vts_conn_now_ns(conn);
    int64_t stalled_ns = vts_transport_stalled_since_ns(conn->transport);
    enum vts_limit limit = stalled_ns != 0 ? VTS_LIMIT_WRITE_STALL_MS : VTS_LIMIT_LINGER_MS;
    int64_t due_ns;

    if (stalled_ns != 0 && now_ns < stalled_ns + vts_limits_get_ns(limits, limit))
        conn->waiting_ns = now_ns;
    due_ns = conn->waiting_ns + vts_limits_get_ns(limits, VTS_LIMIT_LINGER_MS);
    if (now_ns < due_ns) {
        vts_loop_timer_set(conn->server->loop, &conn->timer, due_ns);
        return;
    }
    vts_limits_hit(limits, limit);
    vts_transport_abort(conn->transport);
}

void vts_conn_end(struct vts_conn *conn, const char *reason)
{
    if (conn->state >= VTS_CONN_ENDING)
        return;
    /* During the handshake nothing has been promised and nothing is to be written. */
    if (conn->state == VTS_CONN_SHAKING_HANDS)
        end_handshake(conn);
    conn->end_reason = reason;
    set_state(conn, VTS_CONN_ENDING);
}

void vts_conn_end_by_limit(struct vts_conn *conn, enum vts_limit limit)
{
    if (conn->state >= VTS_CONN_ENDING)
        return;
    vts_limits_hit(conn->server->limits, limit);
    vts_conn_end(conn, vts_limits_name(limit));
}

void vts_conn_break_off(struct vts_conn *conn, const char *reason)
{
    conn->is_broken_off = true;
    vts_conn_end(conn, reason);
    vts_conn_schedule(conn);
}

/* Moves the timer only towards an earlier deadline; it finds out about later ones when it fires. */
static void arm_timer(struct vts_conn *conn, int64_t due_ns)
{
    if (due_ns != INT64_MAX && (!conn->timer.is_running || conn->timer.due_ns > due_ns))
        vts_loop_timer_set(conn->server->loop, &conn->timer, due_ns);
}

/* The deadlines every protocol has. */
static int64_t check_common_deadlines(struct vts_conn *conn, int64_t now_ns)
{
    const struct vts_limits *limits = conn->server->limits;
    int64_t stalled_ns = vts_transport_stalled_since_ns(conn->transport);
    int64_t due_ns;

    if (conn->state == VTS_CONN_SHAKING_HANDS) {
        due_ns = conn->opened_ns + vts_limits_get_ns(limits, VTS_LIMIT_HANDSHAKE_MS);
        if (now_ns >= due_ns)
            vts_conn_end_by_limit(conn, VTS_LIMIT_HANDSHAKE_MS);
        return due_ns;
    }
    if (stalled_ns == 0)
        return INT64_MAX;
    due_ns = stalled_ns + vts_limits_get_ns(limits, VTS_LIMIT_WRITE_STALL_MS);
    if (now_ns >= due_ns)
        vts_conn_end_by_limit(conn, VTS_LIMIT_WRITE_STALL_MS);
    return due_ns;
}

static int64_t check_deadlines(struct vts_conn *conn)
{
    int64_t now_ns = vts_conn_now_ns(conn);
    int64_t due_ns = check_common_deadlines(conn, now_ns);

    if (conn->protocol != NULL && conn->state != VTS_CONN_ENDING) {
        int64_t protocol_due_ns = conn->ops->check_deadlines(conn, now_ns);

        if (protocol_due_ns < due_ns)
            due_ns = protocol_due_ns;
    }
    return due_ns;
}

/* Writes what the protocol has; returns false when the transport is broken. */
static bool write_output(struct vts_conn *conn)
{
    char *gather = conn->server->gather;
    size_t len;

    while (conn->protocol != NULL && !conn->is_broken_off &&
           vts_transport_can_write(conn->transport) &&
           (len = conn->ops->produce(conn, gather)) > 0) {
        for (size_t at = 0; at < len; at += VTS_GATHER_BYTES) {
            size_t part = len - at < VTS_GATHER_BYTES ? len - at : VTS_GATHER_BYTES;

            if (vts_transport_write(conn->transport, gather + at, part) != VTS_OK)
                return false;
        }
    }
    return true;
}

void vts_conn_schedule(struct vts_conn *conn)
{
    struct vts_http_server *server = conn->server;

    if (conn->is_in_turn || conn->state >= VTS_CONN_LEAVING ||
        !vts_list_is_empty(&conn->scheduled_link))
        return;
    vts_list_push_back(&server->scheduled, &conn->scheduled_link);
    if (!server->scheduled_timer.is_running)
        vts_loop_timer_set(server->loop, &server->scheduled_timer, vts_conn_now_ns(conn));
}

static void pump(struct vts_conn *conn)
{
    bool is_whole = write_output(conn);

    if (!is_whole || conn->state == VTS_CONN_ENDING ||
        (conn->protocol != NULL && conn->ops->is_finished(conn))) {
        conn_close(conn);
        return;
    }
    /* Flushed first, for whether the peer takes it is what one of the deadlines is about. */
    vts_transport_flush(conn->transport);
    arm_timer(conn, check_deadlines(conn));
    if (conn->state == VTS_CONN_ENDING) {
        (void)write_output(conn); /* the reason, if it can still be told */
        conn_close(conn);
    }
}

void vts_conn_pump(struct vts_conn *conn)
{
    if (conn->state >= VTS_CONN_LEAVING)
        return;
    conn->is_in_turn = true;
    pump(conn);
    conn->is_in_turn = false;
}

static void on_timer(void *context)
{
    struct vts_conn *conn = context;

    VTS_ASSERT(conn->magic == CONN_MAGIC);
    if (conn->state == VTS_CONN_LEAVING) {
        check_linger(conn);
        return;
    }
    (void)check_deadlines(conn); /* the pump asks again, after acting on this */
    vts_conn_pump(conn);
}

void vts_conn_drain(struct vts_conn *conn)
{
    if (conn->state != VTS_CONN_OPEN)
        return;
    set_state(conn, VTS_CONN_DRAINING);
    conn->end_reason = "drained";
    conn->ops->drain(conn);
    vts_conn_pump(conn);
}

static enum vts_err learn_identity(struct vts_conn *conn)
{
    struct vts_identities *identities = conn->server->shared->identities;
    char name[VTS_PEER_NAME_BYTES];

    if (identities == NULL || !vts_transport_peer_name(conn->transport, name))
        return VTS_OK;
    return vts_identities_enter(identities, name, &conn->identity);
}

static void start_protocol(struct vts_conn *conn, const struct vts_conn_ops *ops)
{
    conn->ops = ops;
    set_state(conn, VTS_CONN_OPEN);
    conn->active_ns = vts_conn_now_ns(conn);
    if (learn_identity(conn) != VTS_OK || conn->ops->start(conn) != VTS_OK)
        vts_conn_end(conn, "out of memory");
}

static void on_open(void *owner, struct vts_str alpn)
{
    struct vts_conn *conn = owner;

    VTS_ASSERT(conn->magic == CONN_MAGIC);
    count(conn, VTS_METRIC_HANDSHAKES);
    end_handshake(conn);
    vts_transport_set_key_updates_max(conn->transport,
                                      vts_limits_get(conn->server->limits, VTS_LIMIT_KEY_UPDATES));
    start_protocol(conn, vts_str_equals_text(alpn, "h2") ? &vts_h2_ops : &vts_h1_ops);
}

static void on_data(void *owner, const char *bytes, size_t len)
{
    struct vts_conn *conn = owner;

    conn->is_in_turn = true; /* until on_turn() has pumped */
    if (conn->state != VTS_CONN_ENDING)
        conn->ops->on_data(conn, bytes, len);
}

static void on_turn(void *owner)
{
    struct vts_conn *conn = owner;

    if (vts_transport_has_key_flood(conn->transport))
        vts_conn_end_by_limit(conn, VTS_LIMIT_KEY_UPDATES);
    vts_conn_pump(conn);
}

static void on_end(void *owner, enum vts_transport_end end, const char *detail)
{
    struct vts_conn *conn = owner;

    VTS_ASSERT(conn->magic == CONN_MAGIC);
    if (end == VTS_TRANSPORT_END_TLS && conn->state == VTS_CONN_SHAKING_HANDS)
        count(conn, VTS_METRIC_HANDSHAKES_FAILED);
    if (conn->end_reason == NULL)
        conn->end_reason = detail;
    if (end == VTS_TRANSPORT_END_RESET)
        vts_conn_abort(conn, conn->end_reason); /* nobody takes what still waits */
    else
        conn_close(conn);
}

static void on_gone(void *owner)
{
    conn_free(owner);
}

static const struct vts_transport_ops transport_ops = {.on_open = on_open,
                                                       .on_data = on_data,
                                                       .on_turn = on_turn,
                                                       .on_end = on_end,
                                                       .on_gone = on_gone};

/* Once a connection, since it is asked for by every read of a status. */
static uint64_t number_peer(const struct vts_address *peer)
{
    static const struct vts_hash_key key = {{0, 0}}; /* the same on every loop */
    char text[VTS_ADDRESS_TEXT_BYTES];

    vts_address_format(peer, text);
    return vts_hash(&key, vts_str_of(text));
}

/* NULL when there cannot be one; the server knows of it then. */
static struct vts_conn *make_conn(struct vts_http_server *server, int fd,
                                  const struct vts_address *peer, struct vts_tls_ctx *tls)
{
    struct vts_conn *conn = vts_mem_zalloc(sizeof(*conn));

    if (conn == NULL) {
        (void)close(fd); /* there is nobody to tell */
        vts_http_server_conn_gone(server);
        return NULL;
    }
    conn->magic = CONN_MAGIC;
    conn->server = server;
    conn->peer = *peer;
    conn->peer_number = number_peer(peer);
    conn->opened_ns = vts_conn_now_ns(conn);
    vts_list_init(&conn->link);
    vts_list_init(&conn->scheduled_link);
    vts_timer_init(&conn->timer, on_timer, conn);
    count(conn, VTS_METRIC_CONNECTIONS);
    if (vts_transport_new(server->loop, fd, tls, &transport_ops, conn, &conn->transport) == VTS_OK)
        return conn;
    conn_free(conn);
    return NULL;
}

void vts_conn_accept(struct vts_http_server *server, int fd, const struct vts_address *peer)
{
    struct vts_conn *conn = make_conn(server, fd, peer, server->tls);

    if (conn == NULL)
        return;
    server->handshakes++;
    vts_list_push_back(&server->shaking_hands, &conn->link);
    arm_timer(conn, check_deadlines(conn));
}

void vts_conn_accept_insecure(struct vts_http_server *server, int fd,
                              const struct vts_address *peer)
{
    struct vts_conn *conn = make_conn(server, fd, peer, NULL);

    if (conn == NULL)
        return;
    vts_list_push_back(&server->conns, &conn->link);
    start_protocol(conn, &vts_preface_ops);
    vts_conn_pump(conn);
}
