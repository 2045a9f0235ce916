/* SPDX-License-Identifier: Apache-2.0 */
/* counters.c - relaxed atomics: each counter is right by itself, none waits for another. */
#include "client/src/counters.h"

#include <string.h>

#include "client/src/client.h"
#include "common/base/clock.h"

static uint64_t load(const atomic_uint_fast64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static double seconds(const atomic_int_fast64_t *ns)
{
    return (double)atomic_load_explicit(ns, memory_order_relaxed) / VTS_NS_PER_S;
}

void vts_counters_tell_end(struct vts_counters *counters, int64_t delay_ns)
{
    int_fast64_t delay = delay_ns > 0 ? delay_ns : 0;
    int_fast64_t max = atomic_load_explicit(&counters->delay_max_ns, memory_order_relaxed);

    vts_counters_add(&counters->ends, 1);
    atomic_store_explicit(&counters->delay_last_ns, delay, memory_order_relaxed);
    (void)atomic_fetch_add_explicit(&counters->delay_sum_ns, delay, memory_order_relaxed);
    while (delay > max && !atomic_compare_exchange_weak(&counters->delay_max_ns, &max, delay))
        continue;
}

void vts_counters_read(const struct vts_counters *counters, struct vts_stats *ret_stats)
{
    *ret_stats = (struct vts_stats){
        .size = sizeof(*ret_stats),
        .requests = load(&counters->requests),
        .bytes_in = load(&counters->bytes_in),
        .bytes_out = load(&counters->bytes_out),
        .retries = load(&counters->retries),
        .falls = load(&counters->falls),
        .climbs = load(&counters->climbs),
        .ends = load(&counters->ends),
        .last_delay = seconds(&counters->delay_last_ns),
        .max_delay = seconds(&counters->delay_max_ns),
        .total_delay = seconds(&counters->delay_sum_ns),
        .rung = (enum vts_wait_mode)atomic_load_explicit(&counters->rung, memory_order_relaxed)};
}

void vts_client_stats_sized(const struct vts_client *client, struct vts_stats *ret_stats,
                            size_t size)
{
    struct vts_stats stats;

    vts_counters_read(&client->counters, &stats);
    memset(ret_stats, 0, size);
    memcpy(ret_stats, &stats, size < sizeof(stats) ? size : sizeof(stats));
    ret_stats->size = size;
}
