/* SPDX-License-Identifier: Apache-2.0 */
/* The threads that serve: each has a loop with its own listeners, connections and calls. All
 * functions are for the main thread, which reaches the workers by posts only. */
#ifndef VTS_APP_APP_WORKERS_H
#define VTS_APP_APP_WORKERS_H

#include "server/io/tls_ctx.h"
#include "server/jobs/watch_hub.h"
#include "server/obs/metrics.h"
#include "server/rpc/router.h"

struct vts_workers;

/* Everything is borrowed and outlives the workers. */
struct vts_workers_options {
    struct vts_limits *limits;
    const struct vts_rpc *rpc;
    struct vts_watch_hub *hub;
    const struct vts_route *routes;
    size_t routes_count;
};

/* Makes count workers, which do not run yet. fds has a listening socket for each; they are adopted,
 * on failure too. VTS_ERR_NOMEM or VTS_ERR_IO. */
VTS_MUST_CHECK enum vts_err vts_workers_new(const struct vts_workers_options *options,
                                            unsigned count, const int fds[],
                                            struct vts_tls_ctx *tls,
                                            struct vts_workers **ret_workers);
/* Has each worker accept connections without TLS too. As vts_workers_new() for fds, and before
 * vts_workers_start(). */
VTS_MUST_CHECK enum vts_err vts_workers_listen_insecure(struct vts_workers *workers,
                                                        const int fds[]);
/* VTS_ERR_IO when there cannot be so many threads; those that run are ended by
 * vts_workers_free(). */
VTS_MUST_CHECK enum vts_err vts_workers_start(struct vts_workers *workers);
/* Ends the threads, whatever they are at; what comes for them waits from then on. Accepts NULL. */
void vts_workers_stop(struct vts_workers *workers);
/* The same, and closes what is open; what has come for the threads is let go. Accepts NULL. */
void vts_workers_free(struct vts_workers *workers);

/* Connections accepted from some time soon on use tls. */
void vts_workers_set_tls(struct vts_workers *workers, struct vts_tls_ctx *tls);
/* Has every worker end its waiting calls, say goodbye to its connections and listen no more.
 * vts_signals_wake_main() is called when the last connection is gone. On an error, for lack of
 * memory, only some of them do. */
VTS_MUST_CHECK enum vts_err vts_workers_drain(struct vts_workers *workers);
/* After vts_workers_drain(): whether the last connection is gone. */
bool vts_workers_are_drained(const struct vts_workers *workers);

/* Adds what the workers count; from any thread. */
void vts_workers_sum_metrics(const struct vts_workers *workers, uint64_t sums[VTS_METRIC_COUNT]);
/* Appends what is counted of calls; from any thread. */
void vts_workers_write_rpc_metrics(const struct vts_workers *workers, struct vts_buf *buf);

#endif
