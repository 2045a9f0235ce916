/* SPDX-License-Identifier: Apache-2.0 */
/* Time, in nanoseconds: the command's own, since it uses nothing of the library but its headers. */
#ifndef VTS_CLI_CLOCK_H
#define VTS_CLI_CLOCK_H

#include <stdint.h>

/* The monotonic clock: for waiting. */
int64_t vts_cli_clock_now_ns(void);
/* Since the Unix epoch: for what the server is told. */
int64_t vts_cli_clock_wall_ns(void);

#endif
