/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers and times as people type them. */
#ifndef VTS_CLI_DURATION_H
#define VTS_CLI_DURATION_H

#include <stdbool.h>

/* A decimal number such as "0.2", and nothing else: no sign, no "inf". */
bool vts_cli_number_parse(const char *text, double *ret_number);
/* A number of seconds, or one with a unit: 500ms, 2s, 5m, 1h. */
bool vts_cli_duration_parse(const char *text, double *ret_seconds);

#endif
