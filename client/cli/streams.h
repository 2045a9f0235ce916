/* SPDX-License-Identifier: Apache-2.0 */
/* The standard streams: whoever is told something must get it, or it is said that they did not. */
#ifndef VTS_CLI_STREAMS_H
#define VTS_CLI_STREAMS_H

#include <stdbool.h>

/* Before anything is opened: a standard descriptor that is closed would become one of a file or a
 * connection. Writing into a pipe that nobody reads is from now on an error, not a signal. */
void vts_cli_streams_open(void);

/* Sends what was printed on its way, for whoever waits for it now. False when nobody gets it; why
 * is remembered for vts_cli_streams_finish(). From any thread. */
bool vts_cli_streams_flush(void);

/* The same at the end of all; returns the exit status, which is VTS_CLI_EXIT_USAGE, after a line on
 * stderr, when output was lost. A reader that went away had what it wanted: exit_code stands. */
int vts_cli_streams_finish(int exit_code);

#endif
