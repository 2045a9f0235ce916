/* SPDX-License-Identifier: Apache-2.0 */
/* The counters, for Prometheus. */
#ifndef VTS_SERVICE_METRICS_SERVICE_H
#define VTS_SERVICE_METRICS_SERVICE_H

#include "common/base/buf.h"

struct vts_exchange;

struct vts_metrics_source {
    /* Appends every counter in the Prometheus text format; from any thread. */
    void (*write)(void *context, struct vts_buf *buf);
    void *context;
};

/* GET /metrics; takes a struct vts_metrics_source. */
void vts_metrics_service_get(void *source, struct vts_exchange *exchange);

#endif
