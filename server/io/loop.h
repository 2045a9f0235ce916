/* SPDX-License-Identifier: Apache-2.0 */
/* An event loop for one thread: sockets, timers, and messages from other threads. */
#ifndef VTS_IO_LOOP_H
#define VTS_IO_LOOP_H

#include <stdint.h>

#include "common/base/err.h"
#include "server/io/timer.h"
#include "server/obs/metrics.h"

struct vts_loop;

/* Runs in the loop's thread. */
typedef void (*vts_loop_fn)(void *context);

/* VTS_ERR_NOMEM, or VTS_ERR_IO when the system gives no more descriptors. */
VTS_MUST_CHECK enum vts_err vts_loop_new(struct vts_loop **ret_loop);
/* After vts_loop_run has returned; posts that were not run are dropped. */
void vts_loop_free(struct vts_loop *loop);
/* Runs until vts_loop_stop. */
void vts_loop_run(struct vts_loop *loop);
/* Ends vts_loop_run after the present turn. Loop thread only. */
void vts_loop_stop(struct vts_loop *loop);

/* Runs fn(context) in the loop's thread, soon and in order. From any thread, while the loop lives.
 * VTS_ERR_LIMIT when too many wait already, VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_loop_post(struct vts_loop *loop, vts_loop_fn fn, void *context);

/* The rest: loop thread only. */

/* The monotonic clock as it was when this turn began, in whole milliseconds. */
int64_t vts_loop_now_ns(const struct vts_loop *loop);
void vts_loop_timer_set(struct vts_loop *loop, struct vts_timer *timer, int64_t due_ns);
void vts_loop_timer_stop(struct vts_loop *loop, struct vts_timer *timer);
struct vts_metrics *vts_loop_metrics(struct vts_loop *loop);

#endif
