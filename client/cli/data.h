/* SPDX-License-Identifier: Apache-2.0 */
/* A request's text, from where the command line says. */
#ifndef VTS_CLI_DATA_H
#define VTS_CLI_DATA_H

#include <stdbool.h>

/* source: the text itself, "@FILE", or "-" or "@-" for stdin; NULL: "". Up to 1 MiB and without
 * NUL. False when it cannot be read, of which it tells on stderr. The caller frees *ret_text with
 * free(). */
bool vts_cli_data_read(const char *source, char **ret_text);

#endif
