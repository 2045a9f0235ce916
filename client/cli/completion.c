/* SPDX-License-Identifier: Apache-2.0 */
/* completion.c - which script, and what they share. */
#include "client/cli/completion.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/exit_code.h"
#include "client/cli/flags.h"
#include "client/cli/output.h"

void vts_cli_completion_quote(const char *text, const char *quote)
{
    for (; *text != '\0'; text++)
        if (*text == '\'')
            fputs(quote, stdout);
        else
            putchar(*text);
}

static bool takes(enum vts_cli_command command, const char *name)
{
    struct vts_cli_flag_view flag;

    for (size_t i = 0; vts_cli_flag_look(command, i, &flag); i++)
        if (strcmp(flag.name, name) == 0)
            return true;
    return false;
}

static bool is_first(enum vts_cli_command command, const char *name)
{
    for (int i = 0; i < (int)command; i++)
        if (takes((enum vts_cli_command)i, name))
            return false;
    return true;
}

bool vts_cli_completion_flag(size_t index, struct vts_cli_flag_view *ret_view)
{
    size_t count = 0;

    for (int i = 0; i < VTS_CLI_COMMAND_COUNT; i++)
        for (size_t j = 0; vts_cli_flag_look((enum vts_cli_command)i, j, ret_view); j++)
            if (is_first((enum vts_cli_command)i, ret_view->name) && count++ == index)
                return true;
    return false;
}

bool vts_cli_completion_runs_commands(enum vts_cli_command command)
{
    return command == VTS_CLI_COMMAND_WORK;
}

int vts_cli_completion_print(const char *shell)
{
    if (strcmp(shell, "bash") == 0) {
        vts_cli_completion_bash();
    } else if (strcmp(shell, "zsh") == 0) {
        vts_cli_completion_zsh();
    } else if (strcmp(shell, "fish") == 0) {
        vts_cli_completion_fish();
    } else {
        vts_cli_output_error("completion knows the shells bash, zsh and fish");
        return VTS_CLI_EXIT_USAGE;
    }
    return VTS_CLI_EXIT_OK;
}
