/* SPDX-License-Identifier: Apache-2.0 */
/* Time, in nanoseconds. Callable from any thread. */
#ifndef VTS_BASE_CLOCK_H
#define VTS_BASE_CLOCK_H

#include <stdint.h>

enum { VTS_NS_PER_MS = 1000000, VTS_NS_PER_S = 1000000000 };

/* The monotonic clock: for timeouts and deadlines. */
int64_t vts_clock_now_ns(void);
/* Nanoseconds since the Unix epoch: for people and records. */
int64_t vts_clock_wall_ns(void);

#endif
