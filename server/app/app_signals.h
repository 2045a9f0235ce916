/* SPDX-License-Identifier: Apache-2.0 */
/* Signals as plain events of the main thread. */
#ifndef VTS_APP_APP_SIGNALS_H
#define VTS_APP_APP_SIGNALS_H

#include <stdint.h>

/* Blocks the signals we live by (TERM, INT, HUP) in this thread and those it starts, and ignores
 * SIGPIPE. Before other threads start. */
void vts_signals_block(void);
/* Waits until one of them comes, or until deadline_ns on the monotonic clock (INT64_MAX: for ever).
 * Returns the signal's number, or 0 when the time is up. */
int vts_signals_wait(int64_t deadline_ns);
/* Ends a wait of the main thread from another one: vts_signals_wait returns SIGUSR1. */
void vts_signals_wake_main(void);

#endif
