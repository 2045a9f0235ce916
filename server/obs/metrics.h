/* SPDX-License-Identifier: Apache-2.0 */
/* Counters. Each thread counts into its own struct vts_metrics; a reader sums them up. */
#ifndef VTS_OBS_METRICS_H
#define VTS_OBS_METRICS_H

#include <stdatomic.h>
#include <stdint.h>

#include "common/base/buf.h"

enum vts_metric {
#define X(name, metric, help) VTS_METRIC_##name,
#include "server/obs/metrics.def"
#undef X
    VTS_METRIC_COUNT
};

struct vts_metrics {
    _Atomic uint64_t values[VTS_METRIC_COUNT];
};

/* Only the thread that owns the struct adds; so no locked instruction is needed. */
static inline void vts_metrics_add(struct vts_metrics *metrics, enum vts_metric metric,
                                   uint64_t amount)
{
    uint64_t value = atomic_load_explicit(&metrics->values[metric], memory_order_relaxed);

    atomic_store_explicit(&metrics->values[metric], value + amount, memory_order_relaxed);
}

/* Adds what `from` has counted to the plain sums. Callable from any thread. */
void vts_metrics_sum(const struct vts_metrics *from, uint64_t sums[VTS_METRIC_COUNT]);
/* Appends the sums in the Prometheus text format 0.0.4. */
void vts_metrics_write(struct vts_buf *buf, const uint64_t sums[VTS_METRIC_COUNT]);
/* Appends the "# HELP" and "# TYPE" lines of one family. */
void vts_metrics_write_family(struct vts_buf *buf, const char *name, const char *type,
                              const char *help);

#endif
