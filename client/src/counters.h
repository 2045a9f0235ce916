/* SPDX-License-Identifier: Apache-2.0 */
/* What a client counts. Every function may be called from any thread. */
#ifndef VTS_CLIENT_COUNTERS_H
#define VTS_CLIENT_COUNTERS_H

#include <stdatomic.h>
#include <vtstatus/wait.h>

struct vts_counters {
    atomic_uint_fast64_t requests;
    atomic_uint_fast64_t bytes_in;
    atomic_uint_fast64_t bytes_out;
    atomic_uint_fast64_t retries;
    atomic_uint_fast64_t falls;
    atomic_uint_fast64_t climbs;
    atomic_uint_fast64_t ends;
    atomic_int_fast64_t delay_last_ns;
    atomic_int_fast64_t delay_max_ns;
    atomic_int_fast64_t delay_sum_ns;
    atomic_int rung; /* enum vts_wait_mode */
};

static inline void vts_counters_add(atomic_uint_fast64_t *counter, uint64_t count)
{
    (void)atomic_fetch_add_explicit(counter, count, memory_order_relaxed);
}

/* An end was told, so long after the server wrote it; by two clocks, so that it may seem to be
 * before: that counts as 0. */
void vts_counters_tell_end(struct vts_counters *counters, int64_t delay_ns);

/* As vts_client_stats has it. */
void vts_counters_read(const struct vts_counters *counters, struct vts_stats *ret_stats);

#endif
