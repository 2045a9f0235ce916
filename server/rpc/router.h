/* SPDX-License-Identifier: Apache-2.0 */
/* Finds who answers a request: a closed table over the raw path, nothing else. */
#ifndef VTS_RPC_ROUTER_H
#define VTS_RPC_ROUTER_H

#include <protobuf-c/protobuf-c.h>

#include "server/http/exchange.h"

struct vts_route {
    const char *path;  /* ends in "/" when it stands for all that begins with it */
    const char *allow; /* the Allow field: the methods that `methods` has */
    unsigned methods;  /* bits 1 << enum vts_method */
    vts_exchange_fn handle;
    void *context;
};

enum { VTS_ROUTES_READ = 1u << VTS_METHOD_GET | 1u << VTS_METHOD_HEAD };

struct vts_router {
    const struct vts_route *routes;
    size_t routes_count;
    const ProtobufCServiceDescriptor *const *services; /* known by name, not served yet */
    size_t services_count;
};

void vts_router_begin(void *router, struct vts_exchange *exchange);
/* A vts_exchange_fn; the context is a struct vts_router, immutable and shared by all threads. */
void vts_router_handle(void *router, struct vts_exchange *exchange);

#endif
