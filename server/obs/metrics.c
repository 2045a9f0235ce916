/* SPDX-License-Identifier: Apache-2.0 */
/* metrics.c - summing the threads' counters and writing them for Prometheus. */
#include "server/obs/metrics.h"

static const struct {
    const char *name;
    const char *help;
} metric_texts[VTS_METRIC_COUNT] = {
#define X(name, metric, help) [VTS_METRIC_##name] = {metric, help},
#include "server/obs/metrics.def"
#undef X
};

void vts_metrics_sum(const struct vts_metrics *from, uint64_t sums[VTS_METRIC_COUNT])
{
    for (int i = 0; i < VTS_METRIC_COUNT; i++)
        sums[i] += atomic_load_explicit(&from->values[i], memory_order_relaxed);
}

void vts_metrics_write_family(struct vts_buf *buf, const char *name, const char *type,
                              const char *help)
{
    vts_buf_append_format(buf, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

void vts_metrics_write(struct vts_buf *buf, const uint64_t sums[VTS_METRIC_COUNT])
{
    for (int i = 0; i < VTS_METRIC_COUNT; i++) {
        vts_metrics_write_family(buf, metric_texts[i].name, "counter", metric_texts[i].help);
        vts_buf_append_format(buf, "%s %llu\n", metric_texts[i].name, (unsigned long long)sums[i]);
    }
}
