/* SPDX-License-Identifier: Apache-2.0 */
/* What is counted of calls, under the names that dashboards for gRPC know
 * (https://github.com/grpc-ecosystem/go-grpc-middleware/tree/main/providers/prometheus). */
#ifndef VTS_RPC_RPC_METRICS_H
#define VTS_RPC_RPC_METRICS_H

#include <stdatomic.h>

#include "common/base/buf.h"
#include "common/wire/rpc_code.h"

struct vts_rpc;
struct vts_rpc_loop;

enum { VTS_RPC_CODES = VTS_RPC_UNAUTHENTICATED + 1 };

/* Of one method in one loop, whose thread alone adds. */
struct vts_rpc_counts {
    _Atomic uint64_t started;
    _Atomic uint64_t received; /* messages */
    _Atomic uint64_t sent;
    _Atomic uint64_t handled[VTS_RPC_CODES];
};

static inline void vts_rpc_count(_Atomic uint64_t *counter)
{
    uint64_t value = atomic_load_explicit(counter, memory_order_relaxed);

    atomic_store_explicit(counter, value + 1, memory_order_relaxed);
}

/* Appends the sums over all loops in the Prometheus text format. From any thread. */
void vts_rpc_write_metrics(const struct vts_rpc *rpc, struct vts_rpc_loop *const loops[],
                           size_t loops_count, struct vts_buf *buf);

#endif
