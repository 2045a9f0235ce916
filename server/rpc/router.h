/* SPDX-License-Identifier: Apache-2.0 */
/* Finds who answers a request: a closed table over the raw path, nothing else. */
#ifndef VTS_RPC_ROUTER_H
#define VTS_RPC_ROUTER_H

#include "server/rpc/rpc_loop.h"

struct vts_route {
    const char *path;  /* ends in "/" when it stands for all that begins with it */
    const char *allow; /* the Allow field: the methods that `methods` has */
    unsigned methods;  /* bits 1 << enum vts_method */
    bool is_for_pages; /* of other origins too, as far as the operator lets them */
    vts_exchange_fn handle;
    void *context;
    /* Whether a request, of which the head is there, is for `begin` in place of `handle`: it is
     * answered later, or piece by piece. NULL: none is. */
    bool (*is_held)(const struct vts_exchange *exchange);
    /* Attaches to the exchange, or answers it. */
    void (*begin)(void *context, struct vts_rpc_loop *loop, struct vts_exchange *exchange);
};

enum { VTS_ROUTES_READ = 1u << VTS_METHOD_GET | 1u << VTS_METHOD_HEAD };

struct vts_router {
    const struct vts_route *routes;
    size_t routes_count;
    struct vts_rpc_loop *rpc; /* where calls go */
};

/* As vts_http_handler; the context is a struct vts_router, one a loop. */
void vts_router_begin(void *router, struct vts_exchange *exchange);
void vts_router_handle(void *router, struct vts_exchange *exchange);

#endif
