/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from pages of other origins, as browsers ask for leave
 * (https://fetch.spec.whatwg.org/#http-cors-protocol). Inside server/rpc only. */
#ifndef VTS_RPC_CORS_H
#define VTS_RPC_CORS_H

#include "server/rpc/call_parts.h"

/* Answers if the request is a preflight; otherwise returns false. methods, such as "GET, POST", is
 * copied, at most 64 bytes. */
bool vts_cors_answer_preflight(const struct vts_rpc *rpc, struct vts_exchange *exchange,
                               struct vts_str methods);
/* Adds what lets a page read the response. */
void vts_cors_add(const struct vts_rpc *rpc, struct vts_exchange *exchange);
/* As above, and the call's own metadata. */
void vts_cors_add_to_call(struct vts_call *call, const struct vts_rpc *rpc);

#endif
