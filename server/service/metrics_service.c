/* SPDX-License-Identifier: Apache-2.0 */
/* metrics_service.c - writes the counters out when asked. */
#include "server/service/metrics_service.h"

#include "common/base/mem.h"
#include "server/rpc/dialect_rest.h"
#include "server/rpc/outcome.h"

enum { BODY_MAX_BYTES = 256 * 1024 };

void vts_metrics_service_get(void *context, struct vts_exchange *exchange)
{
    const struct vts_metrics_source *source = context;
    struct vts_buf body;

    vts_buf_init(&body, BODY_MAX_BYTES);
    source->write(source->context, &body);
    if (vts_buf_check(&body) != VTS_OK) {
        vts_buf_fini(&body);
        vts_outcome_send(exchange, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    vts_rest_send_text(exchange, 200, "text/plain; version=0.0.4; charset=utf-8",
                       vts_buf_str(&body), vts_mem_free, body.ptr);
}
