/* SPDX-License-Identifier: Apache-2.0 */
/* Which method answers which path and verb: the rows of the services, looked up and checked once.
 * Inside server/rpc only. */
#ifndef VTS_RPC_REST_BINDING_H
#define VTS_RPC_REST_BINDING_H

#include "server/rpc/rest_path.h"
#include "server/rpc/rpc.h"

struct vts_rest_binding {
    const struct vts_rest_row *row;
    const struct vts_rpc_method *method;
    size_t lead_len;                          /* of the row's path, before the first variable */
    const ProtobufCFieldDescriptor *answer;   /* the row's; NULL: all of the answer */
    const ProtobufCFieldDescriptor *if_match; /* the row's, or NULL */
};

/* Fills rpc->bindings; its methods are there. VTS_ERR_NOMEM, or VTS_ERR_INVALID when a row and the
 * descriptors do not fit. */
VTS_MUST_CHECK enum vts_err vts_rest_bindings_make(struct vts_rpc *rpc, struct vts_error *error);

/* The field of that name; NULL when there is none. */
const ProtobufCFieldDescriptor *vts_rest_find_field(const ProtobufCMessageDescriptor *type,
                                                    struct vts_str name);

/* The binding of the path and verb; HEAD has those of GET. NULL when there is none: then
 * *ret_verbs has the bits 1 << enum vts_method of those that the path has, if any. */
const struct vts_rest_binding *vts_rest_binding_find(const struct vts_rpc *rpc, struct vts_str path,
                                                     enum vts_method verb,
                                                     struct vts_rest_match *ret_match,
                                                     unsigned *ret_verbs);

#endif
