/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's immutable part, shared by all threads: which methods there are and what is known
 * of them. */
#ifndef VTS_RPC_RPC_H
#define VTS_RPC_RPC_H

#include "common/wire/descriptors.h"
#include "common/wire/json.h"
#include "server/guard/limits.h"
#include "server/rpc/service.h"

enum vts_rpc_kind {
    VTS_RPC_UNARY,
    VTS_RPC_CLIENT_STREAM,
    VTS_RPC_SERVER_STREAM,
    VTS_RPC_BIDI_STREAM,
};

struct vts_rest_binding;

struct vts_rpc_method {
    char *path; /* "/package.Service/Method" */
    size_t path_len;
    enum vts_rpc_kind kind;
    bool is_guarded; /* as its service's row says */
    bool is_safe;    /* idempotency_level = NO_SIDE_EFFECTS: may be called by GET */
    size_t request_max_bytes;
    size_t request_max_elements;
    const ProtobufCMessageDescriptor *input;
    const ProtobufCMessageDescriptor *output;
    const struct vts_call_handler *handler; /* NULL: unimplemented */
    void *context;
};

static inline bool vts_rpc_has_one_request(const struct vts_rpc_method *method)
{
    return method->kind == VTS_RPC_UNARY || method->kind == VTS_RPC_SERVER_STREAM;
}

static inline bool vts_rpc_has_one_response(const struct vts_rpc_method *method)
{
    return method->kind == VTS_RPC_UNARY || method->kind == VTS_RPC_CLIENT_STREAM;
}

/* Everything is borrowed and outlives the runtime. */
struct vts_rpc_options {
    struct vts_str descriptor_set; /* serialized; has all services */
    const struct vts_service_row *services;
    size_t services_count;
    /* What an Any may hold when it is JSON. */
    const ProtobufCMessageDescriptor *const *any_types;
    size_t any_types_count;
    struct vts_limits *limits;
    /* Which pages of others may call from a browser: a list with commas of origins, "*" for all
     * and "reads" for all that call what is not guarded; NULL for none
     * (https://fetch.spec.whatwg.org/#http-cors-protocol). */
    const char *origins;
};

struct vts_rpc {
    struct vts_rpc_options options;
    struct vts_descriptors *descriptors;
    struct vts_json_types json_types;
    struct vts_rpc_method *methods; /* by length of the path, then by its bytes */
    size_t methods_count;
    struct vts_rest_binding *bindings; /* the services' rows of REST */
    size_t bindings_count;
};

/* VTS_ERR_NOMEM, or VTS_ERR_INVALID when the rows and the descriptors do not fit. */
VTS_MUST_CHECK enum vts_err vts_rpc_new(const struct vts_rpc_options *options,
                                        struct vts_rpc **ret_rpc, struct vts_error *error);
/* Accepts NULL. */
void vts_rpc_free(struct vts_rpc *rpc);
/* NULL when no registered service has such a method. */
const struct vts_rpc_method *vts_rpc_find_method(const struct vts_rpc *rpc, struct vts_str path);

#endif
