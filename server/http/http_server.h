/* SPDX-License-Identifier: Apache-2.0 */
/* The HTTP side of one loop: its listeners, its connections, and what they share. */
#ifndef VTS_HTTP_HTTP_SERVER_H
#define VTS_HTTP_HTTP_SERVER_H

#include <stdatomic.h>

#include "server/guard/identities.h"
#include "server/guard/limits.h"
#include "server/http/exchange.h"
#include "server/io/listener.h"
#include "server/io/loop.h"
#include "server/io/tls_ctx.h"

struct vts_http_server;

/* Shared by the servers of all loops; outlives them. */
struct vts_http_shared {
    struct vts_limits *limits;
    struct vts_identities *identities; /* NULL: clients show no certificates */
    _Atomic uint64_t connections;      /* open in all loops */
    struct vts_http_server **servers;
    unsigned servers_count;
};

/* handler is copied. fd is a listening socket; it and tls are adopted, on failure too.
 * VTS_ERR_NOMEM or VTS_ERR_IO. Before the loop runs, or in its thread. */
VTS_MUST_CHECK enum vts_err vts_http_server_new(struct vts_loop *loop,
                                                struct vts_http_shared *shared,
                                                const struct vts_http_handler *handler, int fd,
                                                struct vts_tls_ctx *tls,
                                                struct vts_http_server **ret_server);
/* Accepts connections without TLS from fd, a listening socket that nobody beyond this machine
 * reaches; it is adopted, on failure too. At most once a server. As vts_http_server_new(). */
VTS_MUST_CHECK enum vts_err vts_http_server_listen_insecure(struct vts_http_server *server, int fd);
/* After the loop has stopped: closes the listeners and what is left of the connections. Their
 * sockets go when the loop is freed; then vts_http_server_free() may be called. NULL is accepted.
 */
void vts_http_server_stop(struct vts_http_server *server);
/* After vts_loop_free(). NULL is accepted. */
void vts_http_server_free(struct vts_http_server *server);

/* The rest: loop thread only. */

/* Connections accepted from now on use tls, which is adopted. */
void vts_http_server_set_tls(struct vts_http_server *server, struct vts_tls_ctx *tls);

typedef void (*vts_drained_fn)(void *context);
/* Stops listening, tells every peer to go, lets open requests finish, and calls on_drained when
 * the last connection is gone, at the latest after the drain limit. */
void vts_http_server_drain(struct vts_http_server *server, vts_drained_fn on_drained,
                           void *context);

#endif
