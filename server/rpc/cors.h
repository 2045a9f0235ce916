/* SPDX-License-Identifier: Apache-2.0 */
/* Calls from pages of other origins, as browsers ask for leave
 * (https://fetch.spec.whatwg.org/#http-cors-protocol). Inside server/rpc only. */
#ifndef VTS_RPC_CORS_H
#define VTS_RPC_CORS_H

#include "server/rpc/call_parts.h"

/* Answers if the request is a preflight; otherwise returns false. verbs, such as "GET, POST", is
 * copied, at most 64 bytes. method is what the path leads to; NULL: nothing that is guarded. */
bool vts_cors_answer_preflight(const struct vts_rpc *rpc, struct vts_exchange *exchange,
                               const struct vts_rpc_method *method, struct vts_str verbs);
/* Adds what lets a page read the response; method as above. */
void vts_cors_add(const struct vts_rpc *rpc, struct vts_exchange *exchange,
                  const struct vts_rpc_method *method);
/* As above, and the call's own metadata. */
void vts_cors_add_to_call(struct vts_call *call, const struct vts_rpc *rpc);
/* Breaks a call of a guarded method that comes from a page which may not make it. Browsers ask for
 * leave before most calls, but not before a POST without a body, nor before a GET. */
void vts_cors_check(struct vts_call *call, const struct vts_rpc *rpc);

#endif
