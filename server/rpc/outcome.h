/* SPDX-License-Identifier: Apache-2.0 */
/* How a request ends when it does not succeed: the one place that turns codes into answers. */
#ifndef VTS_RPC_OUTCOME_H
#define VTS_RPC_OUTCOME_H

#include "common/wire/error_json.h"
#include "common/wire/rpc_code.h"
#include "server/http/exchange.h"

/* Each answers the exchange. message is for people and is copied. */

struct vts_outcome {
    int http_code;
    enum vts_rpc_code code; /* says what kind of failure it is */
    const char *message;
    const struct vts_error_detail *details;
    size_t details_count;
};

/* With the error body of REST and Connect. All is copied. */
void vts_outcome_send_details(struct vts_exchange *exchange, const struct vts_outcome *outcome);
/* With the code's own HTTP status and the error body of REST and Connect. */
void vts_outcome_send(struct vts_exchange *exchange, enum vts_rpc_code code, const char *message);
/* With an HTTP status that no rpc code maps to, such as 405; code says what kind of failure it is.
 */
void vts_outcome_send_http(struct vts_exchange *exchange, int http_code, enum vts_rpc_code code,
                           const char *message);
/* 405 with an Allow field, which is a literal. */
void vts_outcome_send_not_allowed(struct vts_exchange *exchange, const char *allow);
/* As a gRPC Trailers-Only response: HTTP 200 with the code in the header. content_type and message
 * are literals, the latter of printable ASCII without "%". */
void vts_outcome_send_grpc(struct vts_exchange *exchange, const char *content_type,
                           enum vts_rpc_code code, const char *message);

#endif
