/* SPDX-License-Identifier: Apache-2.0 */
/* Calls written as REST: a path, a query and a body are the request, HTTP's code is the outcome.
 * The same handlers answer them as in all dialects. */
#ifndef VTS_RPC_REST_CALL_H
#define VTS_RPC_REST_CALL_H

#include "server/rpc/rpc_loop.h"

/* Begins a call, or refuses it, if the path is one of the services' rows of REST: then the exchange
 * is attached or answered, and the result true. */
bool vts_rest_call_begin(struct vts_rpc_loop *loop, struct vts_exchange *exchange);

#endif
