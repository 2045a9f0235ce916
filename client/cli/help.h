/* SPDX-License-Identifier: Apache-2.0 */
/* The help texts. */
#ifndef VTS_CLI_HELP_H
#define VTS_CLI_HELP_H

#include <stdio.h>

#include "client/cli/options.h"

/* VTS_CLI_COMMAND_NONE: about the whole program. */
void vts_cli_help_print(FILE *file, enum vts_cli_command command);

#endif
