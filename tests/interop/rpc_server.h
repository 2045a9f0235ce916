/* SPDX-License-Identifier: Apache-2.0 */
/* A program that serves calls and nothing else: the runtime of server/ without the product.
 *
 * It shows what another program needs of it: loops with their listeners, TLS, a router without
 * routes, and somebody who waits for the end. */
#ifndef VTS_TESTS_INTEROP_RPC_SERVER_H
#define VTS_TESTS_INTEROP_RPC_SERVER_H

#include "server/io/listener.h"
#include "server/io/tls_ctx.h"
#include "server/rpc/rpc.h"

enum { RPC_SERVER_THREADS_MAX = 8 };

struct rpc_server_options {
    struct vts_address listen; /* port 0: the kernel chooses */
    struct vts_tls_files tls;  /* read before the server listens, and not later */
    struct vts_rpc_options rpc;
    unsigned threads; /* loops: 1 to RPC_SERVER_THREADS_MAX */
    int stop_fd;      /* the server stops when its other end is closed; -1: only when told */
    /* It listens. NULL, or what shall be done then; what goes wrong there stops the server. */
    enum vts_err (*on_listening)(void *context, uint16_t port, struct vts_error *error);
    void *context;
};

/* Serves until SIGTERM or SIGINT, lets open calls finish, and returns; a second signal ends it at
 * once. Logs "listening", with address and port. To be called once a process, before it has other
 * threads. Otherwise error has a text for people. */
VTS_MUST_CHECK enum vts_err rpc_server_run(const struct rpc_server_options *options,
                                           struct vts_error *error);

#endif
