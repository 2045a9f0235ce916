/* SPDX-License-Identifier: Apache-2.0 */
/* router.c - from path and method to the function that answers.
 *
 * Paths are compared as they came: no decoding, no normalising, so there is one spelling of each
 * and nothing to bypass. Services of the contract that have no implementation say so in the
 * caller's own dialect.
 */
#include "server/rpc/router.h"

#include <string.h>

#include "server/rpc/outcome.h"

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

/* Whether path is "/package.Service/Method" of a known service. */
static bool is_known_method(const struct vts_router *router, struct vts_str path)
{
    struct vts_str service;

    if (path.len == 0 || path.ptr[0] != '/')
        return false;
    path = vts_str_make(path.ptr + 1, path.len - 1);
    if (!vts_str_split(&path, '/', &service))
        return false;
    for (size_t i = 0; i < router->services_count; i++) {
        const ProtobufCServiceDescriptor *descriptor = router->services[i];

        if (!vts_str_equals_text(service, descriptor->name))
            continue;
        for (unsigned j = 0; j < descriptor->n_methods; j++)
            if (vts_str_equals_text(path, descriptor->methods[j].name))
                return true;
    }
    return false;
}

/* "application/grpc", alone or followed by "+" or ";": and so not "application/grpc-web". */
static bool is_grpc(struct vts_str content_type)
{
    static const char name[] = "application/grpc";
    size_t len = sizeof(name) - 1;

    return vts_str_starts_with(content_type, name) &&
           (content_type.len == len || content_type.ptr[len] == '+' ||
            content_type.ptr[len] == ';');
}

static void refuse_unknown(const struct vts_router *router, struct vts_exchange *exchange)
{
    const struct vts_request *request = &exchange->request;
    bool is_known = is_known_method(router, request->path);

    if (request->method == VTS_METHOD_POST && is_grpc(request->fields[VTS_FIELD_CONTENT_TYPE]))
        vts_outcome_send_grpc(exchange, VTS_RPC_UNIMPLEMENTED, "this method is not implemented");
    else if (is_known && request->method != VTS_METHOD_POST)
        vts_outcome_send_not_allowed(exchange, "POST");
    else if (is_known)
        vts_outcome_send(exchange, VTS_RPC_UNIMPLEMENTED, "this method is not implemented");
    else
        vts_outcome_send(exchange, VTS_RPC_NOT_FOUND, "there is nothing at this path");
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
    if (route == NULL)
        refuse_unknown(router, exchange);
    else if ((route->methods & 1u << request->method) == 0)
        vts_outcome_send_not_allowed(exchange, route->allow);
    else
        route->handle(route->context, exchange);
}

void vts_router_begin(void *router, struct vts_exchange *exchange)
{
    (void)router;
    (void)exchange;
}
