/* SPDX-License-Identifier: Apache-2.0 */
/* From a request to a call: which dialect, which codec, which method. */
#ifndef VTS_RPC_DISPATCH_H
#define VTS_RPC_DISPATCH_H

#include "server/rpc/rpc_loop.h"

/* Begins a call, or refuses it, if the request is one: then the exchange is attached or answered.
 * Otherwise returns false and leaves it alone: it is for the REST routes. */
bool vts_dispatch_begin(struct vts_rpc_loop *loop, struct vts_exchange *exchange);
/* Answers a complete request that is neither a call nor for a route. */
void vts_dispatch_refuse(struct vts_rpc_loop *loop, struct vts_exchange *exchange);

#endif
