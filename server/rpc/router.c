/* SPDX-License-Identifier: Apache-2.0 */
/* router.c - from path and method to the function that answers.
 *
 * Paths are compared as they came: no decoding, no normalising, so there is one spelling of each
 * and nothing to bypass.
 */
#include "server/rpc/router.h"

#include <string.h>

#include "server/rpc/cors.h"
#include "server/rpc/dispatch.h"
#include "server/rpc/outcome.h"
#include "server/rpc/rest_call.h"

static bool matches(const struct vts_route *route, struct vts_str path)
{
    size_t len = strlen(route->path);

    if (route->path[len - 1] == '/')
        return vts_str_starts_with(path, route->path);
    return vts_str_equals_text(path, route->path);
}

static const struct vts_route *find_route(const struct vts_router *router, struct vts_str path)
{
    for (size_t i = 0; i < router->routes_count; i++)
        if (matches(&router->routes[i], path))
            return &router->routes[i];
    return NULL;
}

static bool allows(const struct vts_route *route, enum vts_method method)
{
    return (route->methods & 1u << method) != 0;
}

/* HTTP's refusals by the kind of failure they are. */
static enum vts_rpc_code code_of_fault(int fault)
{
    switch (fault) {
    case 408:
        return VTS_RPC_DEADLINE_EXCEEDED;
    case 413:
    case 414:
    case 431:
        return VTS_RPC_RESOURCE_EXHAUSTED;
    case 501:
    case 505:
        return VTS_RPC_UNIMPLEMENTED;
    default:
        return VTS_RPC_INVALID_ARGUMENT;
    }
}

void vts_router_handle(void *context, struct vts_exchange *exchange)
{
    const struct vts_router *router = context;
    const struct vts_request *request = &exchange->request;
    const struct vts_route *route;

    if (request->fault != 0) {
        vts_outcome_send_http(exchange, request->fault, code_of_fault(request->fault),
                              request->fault_text);
        return;
    }
    if (request->method == VTS_METHOD_OTHER) {
        vts_outcome_send_http(exchange, 501, VTS_RPC_UNIMPLEMENTED,
                              "this method is not known here");
        return;
    }
    route = find_route(router, request->path);
    if (route == NULL) {
        vts_dispatch_refuse(router->rpc, exchange);
        return;
    }
    if (route->is_for_pages)
        vts_cors_add(router->rpc->rpc, exchange, NULL);
    if (allows(route, request->method))
        route->handle(route->context, exchange);
    else
        vts_outcome_send_not_allowed(exchange, route->allow);
}

static void begin_route(const struct vts_router *router, struct vts_exchange *exchange)
{
    const struct vts_route *route = find_route(router, exchange->request.path);

    if (route == NULL || route->is_held == NULL || !allows(route, exchange->request.method) ||
        !route->is_held(exchange))
        return;
    if (route->is_for_pages)
        vts_cors_add(router->rpc->rpc, exchange, NULL);
    route->begin(route->context, router->rpc, exchange);
}

void vts_router_begin(void *context, struct vts_exchange *exchange)
{
    const struct vts_router *router = context;
    const struct vts_request *request = &exchange->request;

    /* Calls are POST, or GET with a query; a browser asks first whether it may call. */
    bool may_be_call = request->method == VTS_METHOD_POST ||
                       request->method == VTS_METHOD_OPTIONS || request->query.len > 0;

    if (vts_rest_call_begin(router->rpc, exchange))
        return;
    if (!may_be_call || !vts_dispatch_begin(router->rpc, exchange))
        begin_route(router, exchange);
}
