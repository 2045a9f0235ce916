/* SPDX-License-Identifier: Apache-2.0 */
/* completion_fish.c - a line for each flag of each command. */
#include <stdio.h>
#include <string.h>

#include "client/cli/completion.h"
#include "client/cli/flags.h"
#include "client/cli/help.h"

static void print_quoted(const char *text)
{
    putchar('\'');
    for (; *text != '\0'; text++) {
        char one[] = {*text, '\0'};

        if (*text == '\\')
            putchar('\\');
        vts_cli_completion_quote(one, "\\'");
    }
    putchar('\'');
}

/* Whether every command has it, in the same meaning. */
static bool is_global(const struct vts_cli_flag_view *flag)
{
    struct vts_cli_flag_view global;

    for (size_t i = 0; vts_cli_flag_look(VTS_CLI_COMMAND_NONE, i, &global); i++)
        if (strcmp(global.name, flag->name) == 0 && strcmp(global.help_name, flag->help_name) == 0)
            return true;
    return false;
}

static void print_flag(enum vts_cli_command command, const struct vts_cli_flag_view *flag)
{
    char help[VTS_CLI_HELP_BYTES];

    fputs("complete -c vtstatus", stdout);
    if (command != VTS_CLI_COMMAND_NONE)
        printf(" -n '__fish_seen_subcommand_from %s'", vts_cli_command_name(command));
    if (flag->letter != '\0')
        printf(" -s %c", flag->letter);
    printf(" -l %s", flag->name);
    if (flag->takes_file)
        fputs(" -r -F", stdout);
    else if (flag->words != NULL)
        printf(" -x -a '%s'", flag->words);
    else if (flag->takes_value)
        fputs(" -x", stdout);
    vts_cli_help_of_flag(command, flag->help_name, help, sizeof(help));
    fputs(" -d ", stdout);
    print_quoted(help);
    putchar('\n');
}

static void print_command(enum vts_cli_command command)
{
    struct vts_cli_flag_view flag;
    char help[VTS_CLI_HELP_BYTES];

    vts_cli_help_of_command(command, help, sizeof(help));
    printf(
        "complete -c vtstatus -n \"not __fish_seen_subcommand_from $__vtstatus_commands\" -a %s "
        "-d ",
        vts_cli_command_name(command));
    print_quoted(help);
    putchar('\n');
    for (size_t i = 0; vts_cli_flag_look(command, i, &flag); i++)
        if (!is_global(&flag))
            print_flag(command, &flag);
}

void vts_cli_completion_fish(void)
{
    struct vts_cli_flag_view flag;

    fputs(
        "# fish completion for vtstatus; printed by: vtstatus completion fish\n"
        "set -g __vtstatus_commands help",
        stdout);
    for (int i = 1; i < VTS_CLI_COMMAND_COUNT; i++)
        printf(" %s", vts_cli_command_name((enum vts_cli_command)i));
    fputs("\ncomplete -c vtstatus -f\n", stdout);
    for (size_t i = 0; vts_cli_flag_look(VTS_CLI_COMMAND_NONE, i, &flag); i++)
        print_flag(VTS_CLI_COMMAND_NONE, &flag);
    for (int i = 1; i < VTS_CLI_COMMAND_COUNT; i++)
        print_command((enum vts_cli_command)i);
    fputs(
        "complete -c vtstatus -n \"not __fish_seen_subcommand_from $__vtstatus_commands\" -a help "
        "-d 'explain a command and its flags'\n"
        "complete -c vtstatus -n '__fish_seen_subcommand_from help' -a \"$__vtstatus_commands\"\n"
        "complete -c vtstatus -n '__fish_seen_subcommand_from completion' -a 'bash zsh fish'\n"
        "complete -c vtstatus -n '__fish_seen_subcommand_from work' -F\n",
        stdout);
}
