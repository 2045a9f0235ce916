/* SPDX-License-Identifier: Apache-2.0 */
/* What a call of the conformance service has heard, to be told to the client in its answers. */
#ifndef VTS_TESTS_INTEROP_CONFORMANCE_HEARD_H
#define VTS_TESTS_INTEROP_CONFORMANCE_HEARD_H

#include "common/base/arena.h"
#include "server/rpc/call.h"

struct heard;
struct Connectrpc__Conformance__V1__ConformancePayload__RequestInfo;

/* The head of the request; before the response begins. VTS_ERR_INVALID for a query that cannot be
 * decoded. This and the following: VTS_ERR_NOMEM, or VTS_ERR_LIMIT when the call has heard too
 * much. */
VTS_MUST_CHECK enum vts_err heard_new(const struct vts_call *call, struct heard **ret_heard);
/* Accepts NULL. */
void heard_free(struct heard *heard);
/* For all that lives as long. */
struct vts_arena *heard_arena(struct heard *heard);

VTS_MUST_CHECK enum vts_err heard_add(struct heard *heard, const ProtobufCMessage *request);
/* A copy of the first request; NULL: there was none. */
const ProtobufCMessage *heard_first(const struct heard *heard);
/* What the next answer tells: at first all, later only the requests that have come since; NULL when
 * there is nothing. It lives as long as the call. */
VTS_MUST_CHECK enum vts_err
heard_tell(struct heard *heard,
           struct Connectrpc__Conformance__V1__ConformancePayload__RequestInfo **ret_info);

#endif
