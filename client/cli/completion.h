/* SPDX-License-Identifier: Apache-2.0 */
/* What lets shells complete the command line, made of the tables of commands, flags and help. */
#ifndef VTS_CLI_COMPLETION_H
#define VTS_CLI_COMPLETION_H

#include "client/cli/options.h"

enum { VTS_CLI_HELP_BYTES = 200 };

/* Prints the script for "bash", "zsh" or "fish" on stdout; returns the exit status. */
int vts_cli_completion_print(const char *shell);

/* One of them each. */
void vts_cli_completion_bash(void);
void vts_cli_completion_zsh(void);
void vts_cli_completion_fish(void);

/* Writes text as it may stand between single quotes of that shell, which are not written. */
void vts_cli_completion_quote(const char *text, const char *quote);

struct vts_cli_flag_view;

/* The index-th name of a flag, of any command, as the first command has it that takes it; false:
 * there are no more. */
bool vts_cli_completion_flag(size_t index, struct vts_cli_flag_view *ret_view);

/* Whether the words behind the command are files or commands of this machine; those of others,
 * such as jobs, are not known here. */
bool vts_cli_completion_runs_commands(enum vts_cli_command command);

#endif
