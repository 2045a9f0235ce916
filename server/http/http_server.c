/* SPDX-License-Identifier: Apache-2.0 */
/* http_server.c - accepts connections within the caps, and drains them at the end.
 *
 * At a cap the listeners pause, so that connections wait in the kernel's queue; they go on at nine
 * tenths. While handshakes are at their cap, those that have lasted three seconds make room, and
 * those that never said a word do so after a tenth: otherwise they could keep everybody else
 * waiting. What comes without TLS shakes no hands and is not kept waiting by those that do.
 */
#include "server/http/http_server.h"

#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/http/conn.h"
#include "server/http/h2_memory.h"

enum {
    PATIENCE_MS = 3000,
    SILENCE_PATIENCE_MS = 100,
    /* Of connections; fewer leave nothing worth giving back. */
    RUSH_LEAST = 100,
    TRIM_DELAY_MS = 200,
    /* More connections than these are told to go over a second, lest they all come back at once. */
    DRAIN_AT_ONCE_MAX = 1000,
    DRAIN_STEP_MS = 10,
    DRAIN_STEPS = 100,
};

static uint64_t handshakes_max(const struct vts_http_server *server)
{
    uint64_t share =
        vts_limits_get(server->limits, VTS_LIMIT_HANDSHAKES) / server->shared->servers_count;

    return share == 0 ? 1 : share;
}

/* A client says hello as soon as it is connected; what it says next may take a round trip. When a
 * turn takes long, what it said may still wait for us. */
static bool is_slow(const struct vts_conn *conn, int64_t now_ns)
{
    int64_t patience_ms =
        vts_transport_bytes_in(conn->transport) == 0 ? SILENCE_PATIENCE_MS : PATIENCE_MS;

    return now_ns - conn->opened_ns >= patience_ms * VTS_NS_PER_MS &&
           !vts_transport_has_unread(conn->transport);
}

static void end_slow_handshakes(void *context)
{
    struct vts_http_server *server = context;
    int64_t now_ns = vts_loop_now_ns(server->loop);
    struct vts_list *link = server->shaking_hands.next;

    while (link != &server->shaking_hands) {
        struct vts_conn *conn = VTS_CONTAINER_OF(link, struct vts_conn, link);

        link = link->next; /* the connection may change to the other list */
        if (is_slow(conn, now_ns))
            vts_conn_abort(conn, vts_limits_name(VTS_LIMIT_HANDSHAKES));
    }
    if (server->pause == VTS_PAUSE_HANDSHAKES)
        vts_loop_timer_set(server->loop, &server->pause_timer,
                           now_ns + (int64_t)SILENCE_PATIENCE_MS * VTS_NS_PER_MS);
}

/* Without TLS there is no handshake to wait for. */
static void set_pause(struct vts_http_server *server, enum vts_pause pause)
{
    server->pause = pause;
    if (server->listener != NULL)
        vts_listener_set_paused(server->listener, pause != VTS_PAUSE_NONE);
    if (server->insecure_listener != NULL)
        vts_listener_set_paused(server->insecure_listener, pause == VTS_PAUSE_CONNECTIONS);
}

/* Pauses when a cap is reached. While handshakes hold up those with TLS, the others may still reach
 * the cap of all. */
static void check_caps(struct vts_http_server *server)
{
    uint64_t connections = atomic_load(&server->shared->connections);

    if (server->pause == VTS_PAUSE_CONNECTIONS)
        return;
    if (connections >= vts_limits_get(server->limits, VTS_LIMIT_CONNECTIONS)) {
        vts_limits_hit(server->limits, VTS_LIMIT_CONNECTIONS);
        set_pause(server, VTS_PAUSE_CONNECTIONS);
    } else if (server->pause == VTS_PAUSE_NONE && server->handshakes >= handshakes_max(server)) {
        vts_limits_hit(server->limits, VTS_LIMIT_HANDSHAKES);
        set_pause(server, VTS_PAUSE_HANDSHAKES);
        vts_loop_timer_set(server->loop, &server->pause_timer,
                           vts_loop_now_ns(server->loop) +
                               (int64_t)SILENCE_PATIENCE_MS * VTS_NS_PER_MS);
    }
}

/* Nine tenths of the cap, and always below it. */
static uint64_t connections_to_resume_at(const struct vts_http_server *server)
{
    uint64_t connections_max = vts_limits_get(server->limits, VTS_LIMIT_CONNECTIONS);

    return connections_max - connections_max / 10 - 1;
}

static bool has_room(const struct vts_http_server *server)
{
    switch (server->pause) {
    case VTS_PAUSE_NONE:
        return true;
    case VTS_PAUSE_CONNECTIONS:
        return atomic_load(&server->shared->connections) <= connections_to_resume_at(server);
    case VTS_PAUSE_HANDSHAKES:
        return server->handshakes < handshakes_max(server);
    }
    VTS_UNREACHABLE();
}

static void resume_if_room(struct vts_http_server *server)
{
    if (server->pause == VTS_PAUSE_NONE || !has_room(server))
        return;
    vts_loop_timer_stop(server->loop, &server->pause_timer);
    set_pause(server, VTS_PAUSE_NONE);
    check_caps(server); /* the other cap may be what holds now */
}

static void on_room(void *context)
{
    resume_if_room(context);
}

/* A connection that ends in one loop may be what another loop waits for. */
static void tell_others_of_room(struct vts_http_server *server, uint64_t connections)
{
    struct vts_http_shared *shared = server->shared;

    if (server->is_draining || connections != connections_to_resume_at(server))
        return;
    for (unsigned i = 0; i < shared->servers_count; i++) {
        struct vts_http_server *other = shared->servers[i];

        if (other != server && vts_loop_post(other->loop, on_room, other) != VTS_OK)
            continue; /* it resumes when a connection of its own ends */
    }
}

void vts_http_server_handshake_over(struct vts_http_server *server)
{
    server->handshakes--;
    resume_if_room(server);
}

static void finish_drain(struct vts_http_server *server)
{
    vts_drained_fn on_drained = server->on_drained;

    vts_loop_timer_stop(server->loop, &server->drain_timer);
    vts_loop_timer_stop(server->loop, &server->drain_share_timer);
    server->on_drained = NULL;
    if (on_drained != NULL)
        on_drained(server->drained_context);
}

static void trim(void *context)
{
    struct vts_http_server *server = context;

    vts_h2_stream_free_idle(server);
    vts_mem_trim();
}

/* A rush is over when a tenth of its connections is left: what it took goes back to the system, a
 * little later, when there is nothing else to do. */
static void note_gone(struct vts_http_server *server)
{
    server->conns_count--;
    if (server->conns_most < RUSH_LEAST || server->conns_count > server->conns_most / 10)
        return;
    server->conns_most = server->conns_count;
    vts_loop_timer_set(server->loop, &server->trim_timer,
                       vts_loop_now_ns(server->loop) + (int64_t)TRIM_DELAY_MS * VTS_NS_PER_MS);
}

void vts_http_server_conn_gone(struct vts_http_server *server)
{
    uint64_t connections = atomic_fetch_sub(&server->shared->connections, 1) - 1;

    note_gone(server);
    resume_if_room(server);
    tell_others_of_room(server, connections);
    if (server->is_draining && server->conns_count == 0)
        finish_drain(server);
}

static void count_accepted(struct vts_http_server *server)
{
    atomic_fetch_add(&server->shared->connections, 1);
    server->conns_count++;
    if (server->conns_most < server->conns_count)
        server->conns_most = server->conns_count;
}

static void on_accept(void *context, int fd, const struct vts_address *peer)
{
    struct vts_http_server *server = context;

    count_accepted(server);
    vts_conn_accept(server, fd, peer);
    check_caps(server);
}

static void on_accept_insecure(void *context, int fd, const struct vts_address *peer)
{
    struct vts_http_server *server = context;

    count_accepted(server);
    vts_conn_accept_insecure(server, fd, peer);
    check_caps(server);
}

static void abort_handshakes(struct vts_http_server *server, const char *reason)
{
    while (!vts_list_is_empty(&server->shaking_hands))
        vts_conn_abort(VTS_CONTAINER_OF(server->shaking_hands.next, struct vts_conn, link), reason);
}

/* The sockets close in the loop's next turn. */
static void abort_all(struct vts_http_server *server, const char *reason)
{
    abort_handshakes(server, reason);
    for (struct vts_list *link = server->conns.next; link != &server->conns; link = link->next)
        vts_conn_abort(VTS_CONTAINER_OF(link, struct vts_conn, link), reason);
}

static void on_drain_over(void *context)
{
    struct vts_http_server *server = context;

    vts_limits_hit(server->limits, VTS_LIMIT_DRAIN_MS);
    abort_all(server, vts_limits_name(VTS_LIMIT_DRAIN_MS));
}

/* Writes what exchanges had to say outside the turns of their connections. */
static void pump_scheduled(void *context)
{
    struct vts_http_server *server = context;

    while (!vts_list_is_empty(&server->scheduled)) {
        struct vts_conn *conn =
            VTS_CONTAINER_OF(server->scheduled.next, struct vts_conn, scheduled_link);

        vts_list_remove(&conn->scheduled_link);
        vts_conn_pump(conn);
    }
}

/* Tells the next ones to go. Each moves to the list's end, so a round meets all; meeting one twice
 * does no harm. */
static void drain_share(void *context)
{
    struct vts_http_server *server = context;

    for (uint64_t i = 0; i < server->drain_share && server->drain_left > 0; i++) {
        struct vts_list *link = server->conns.next;

        vts_list_remove(link);
        vts_list_push_back(&server->conns, link);
        vts_conn_drain(VTS_CONTAINER_OF(link, struct vts_conn, link));
        server->drain_left--;
    }
    if (server->drain_left > 0)
        vts_loop_timer_set(server->loop, &server->drain_share_timer,
                           vts_loop_now_ns(server->loop) + (int64_t)DRAIN_STEP_MS * VTS_NS_PER_MS);
}

enum vts_err vts_http_server_new(struct vts_loop *loop, struct vts_http_shared *shared,
                                 const struct vts_http_handler *handler, int fd,
                                 struct vts_tls_ctx *tls, struct vts_http_server **ret_server)
{
    struct vts_http_server *server = vts_mem_zalloc(sizeof(*server));
    struct vts_h2_memory *h2_memory =
        vts_h2_memory_new(vts_limits_get(shared->limits, VTS_LIMIT_CONNECTIONS));
    enum vts_err err;

    if (server == NULL || h2_memory == NULL) {
        vts_mem_free(server);
        vts_h2_memory_free(h2_memory);
        vts_tls_ctx_unref(tls);
        (void)close(fd);
        return VTS_ERR_NOMEM;
    }
    server->h2_memory = h2_memory;
    server->loop = loop;
    server->shared = shared;
    server->limits = shared->limits;
    server->handler = *handler;
    server->tls = tls;
    server->date_second = -1;
    vts_rng_init(&server->rng, vts_rng_seed_from_system());
    vts_list_init(&server->shaking_hands);
    vts_list_init(&server->conns);
    vts_list_init(&server->scheduled);
    vts_list_init(&server->idle_streams);
    vts_list_init(&server->idle_heads);
    vts_timer_init(&server->scheduled_timer, pump_scheduled, server);
    vts_timer_init(&server->pause_timer, end_slow_handshakes, server);
    vts_timer_init(&server->drain_timer, on_drain_over, server);
    vts_timer_init(&server->trim_timer, trim, server);
    vts_timer_init(&server->drain_share_timer, drain_share, server);
    err = vts_listener_new(loop, fd, on_accept, server, &server->listener);
    if (err != VTS_OK) {
        vts_tls_ctx_unref(tls);
        vts_h2_memory_free(h2_memory);
        vts_mem_free(server);
        return err;
    }
    *ret_server = server;
    return VTS_OK;
}

enum vts_err vts_http_server_listen_insecure(struct vts_http_server *server, int fd)
{
    return vts_listener_new(server->loop, fd, on_accept_insecure, server,
                            &server->insecure_listener);
}

static void stop_listening(struct vts_http_server *server)
{
    vts_listener_close(server->listener);
    vts_listener_close(server->insecure_listener);
    server->listener = server->insecure_listener = NULL;
}

void vts_http_server_stop(struct vts_http_server *server)
{
    if (server == NULL)
        return;
    server->is_draining = true;
    server->on_drained = NULL;
    stop_listening(server);
    abort_all(server, "stopped");
    vts_loop_timer_stop(server->loop, &server->pause_timer);
    vts_loop_timer_stop(server->loop, &server->drain_timer);
    vts_loop_timer_stop(server->loop, &server->scheduled_timer);
    vts_loop_timer_stop(server->loop, &server->trim_timer);
    vts_loop_timer_stop(server->loop, &server->drain_share_timer);
}

void vts_http_server_free(struct vts_http_server *server)
{
    if (server == NULL)
        return;
    VTS_ASSERT(vts_list_is_empty(&server->shaking_hands) && vts_list_is_empty(&server->conns));
    vts_h2_stream_free_idle(server);
    vts_h2_memory_free(server->h2_memory);
    vts_tls_ctx_unref(server->tls);
    vts_mem_free(server);
}

void vts_http_server_set_tls(struct vts_http_server *server, struct vts_tls_ctx *tls)
{
    vts_tls_ctx_unref(server->tls);
    server->tls = tls;
}

void vts_http_server_drain(struct vts_http_server *server, vts_drained_fn on_drained, void *context)
{
    if (server->is_draining)
        return;
    server->is_draining = true;
    server->on_drained = on_drained;
    server->drained_context = context;
    stop_listening(server);
    if (server->conns_count == 0) {
        finish_drain(server);
        return;
    }
    vts_loop_timer_set(server->loop, &server->drain_timer,
                       vts_loop_now_ns(server->loop) +
                           vts_limits_get_ns(server->limits, VTS_LIMIT_DRAIN_MS));
    abort_handshakes(server, "drained");
    server->drain_left = server->conns_count;
    server->drain_share = server->drain_left <= DRAIN_AT_ONCE_MAX
                              ? server->drain_left
                              : server->drain_left / DRAIN_STEPS + 1;
    drain_share(server);
}
