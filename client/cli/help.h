/* SPDX-License-Identifier: Apache-2.0 */
/* The help texts. */
#ifndef VTS_CLI_HELP_H
#define VTS_CLI_HELP_H

#include <stdio.h>

#include "client/cli/options.h"

/* VTS_CLI_COMMAND_NONE: about the whole program. */
/* The help of a command, or of all for VTS_CLI_COMMAND_NONE, without what is told of every one. */
const char *vts_cli_help_text(enum vts_cli_command command);
/* The flags of all commands. */
extern const char vts_cli_help_flags[];

/* What is told of a command, or of a flag of it, up to the end of the first sentence and on one
 * line; cut off at the size. "" when there is nothing. */
void vts_cli_help_of_command(enum vts_cli_command command, char *text, size_t size);
void vts_cli_help_of_flag(enum vts_cli_command command, const char *flag, char *text, size_t size);

void vts_cli_help_print(FILE *file, enum vts_cli_command command);

#endif
