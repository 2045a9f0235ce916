/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_service.c - writes the counters out when asked. */
#include "server/service/metrics_service.h"

#include "common/base/mem.h"
#include "server/rpc/outcome.h"

enum { BODY_MAX_BYTES = 256 * 1024 };

void vts_metrics_service_get(void *context, struct vts_exchange *exchange)
{
    const struct vts_metrics_source *source = context;
    struct vts_response *response = &exchange->response;
    struct vts_buf body;

    vts_buf_init(&body, BODY_MAX_BYTES);
    source->write(source->context, &body);
    if (vts_buf_check(&body) != VTS_OK) {
        vts_buf_fini(&body);
        vts_outcome_send(exchange, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    response->code = 200;
    vts_response_add_text(response, "content-type", "text/plain; version=0.0.4; charset=utf-8");
    vts_response_add_text(response, "cache-control", "no-store");
    response->body = vts_buf_str(&body);
    response->owner = body.ptr;
    response->release = vts_mem_free;
    vts_exchange_send(exchange);
}
