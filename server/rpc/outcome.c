/* SPDX-License-Identifier: Apache-2.0 */
/* outcome.c - refusals, in the form each dialect reads. */
#include "server/rpc/outcome.h"

#include "common/base/mem.h"

enum { BODY_MAX_BYTES = 4096 };

void vts_outcome_send_details(struct vts_exchange *exchange, const struct vts_outcome *outcome)
{
    struct vts_response *response = &exchange->response;
    struct vts_buf body;

    vts_buf_init(&body, BODY_MAX_BYTES);
    vts_error_json_write(&body, vts_rpc_code_word(outcome->code), outcome->message,
                         outcome->details, outcome->details_count);
    response->code = outcome->http_code;
    vts_response_add_text(response, "content-type", "application/json");
    vts_response_add_text(response, "cache-control", "no-store");
    /* Without memory the code alone must do. */
    if (vts_buf_check(&body) == VTS_OK) {
        response->body = vts_buf_str(&body);
        response->owner = body.ptr;
        response->release = vts_mem_free;
    } else {
        vts_buf_fini(&body);
    }
    vts_exchange_send(exchange);
}

void vts_outcome_send_http(struct vts_exchange *exchange, int http_code, enum vts_rpc_code code,
                           const char *message)
{
    const struct vts_outcome outcome = {.http_code = http_code, .code = code, .message = message};

    vts_outcome_send_details(exchange, &outcome);
}

void vts_outcome_send(struct vts_exchange *exchange, enum vts_rpc_code code, const char *message)
{
    vts_outcome_send_http(exchange, vts_rpc_code_http(code), code, message);
}

void vts_outcome_send_not_allowed(struct vts_exchange *exchange, const char *allow)
{
    vts_response_add_text(&exchange->response, "allow", allow);
    vts_outcome_send_http(exchange, 405, VTS_RPC_UNIMPLEMENTED,
                          "this method is not allowed here; the Allow field lists those that are");
}

void vts_outcome_send_grpc(struct vts_exchange *exchange, const char *content_type,
                           enum vts_rpc_code code, const char *message)
{
    struct vts_response *response = &exchange->response;

    response->code = 200;
    vts_response_add_text(response, "content-type", content_type);
    vts_response_add_number(response, "grpc-status", (uint64_t)code);
    vts_response_add_text(response, "grpc-message", message);
    vts_exchange_send(exchange);
}
