/* SPDX-License-Identifier: Apache-2.0 */
/* completion_zsh.c - zsh's own _arguments does the work: it gets each command's flags. */
#include <stdio.h>

#include "client/cli/completion.h"
#include "client/cli/flags.h"
#include "client/cli/help.h"

/* Characters with a meaning in a specification get a backslash. */
static void print_text(const char *text)
{
    for (; *text != '\0'; text++) {
        char one[] = {*text, '\0'};

        if (*text == '[' || *text == ']' || *text == ':' || *text == '\\')
            putchar('\\');
        vts_cli_completion_quote(one, "'\\''");
    }
}

static void print_value(const struct vts_cli_flag_view *flag)
{
    if (!flag->takes_value)
        return;
    printf(":%s:", flag->name);
    if (flag->takes_file)
        fputs("_files", stdout);
    else if (flag->words != NULL)
        printf("(%s)", flag->words);
}

/* The flag's two names, when it has them, exclude each other. */
static void print_name(const struct vts_cli_flag_view *flag, bool is_letter)
{
    if (flag->is_repeatable)
        putchar('*');
    else if (flag->letter != '\0')
        printf("(-%c --%s)", flag->letter, flag->name);
    if (is_letter)
        printf("-%c%s", flag->letter, flag->takes_value ? "+" : "");
    else
        printf("--%s%s", flag->name, flag->takes_value ? "=" : "");
}

static void print_flag(enum vts_cli_command command, const struct vts_cli_flag_view *flag)
{
    char help[VTS_CLI_HELP_BYTES];

    vts_cli_help_of_flag(command, flag->help_name, help, sizeof(help));
    for (int is_letter = 0; is_letter <= (flag->letter != '\0' ? 1 : 0); is_letter++) {
        fputs("            '", stdout);
        print_name(flag, is_letter != 0);
        putchar('[');
        print_text(help);
        putchar(']');
        print_value(flag);
        fputs("' \\\n", stdout);
    }
}

static void print_flags(enum vts_cli_command command)
{
    struct vts_cli_flag_view flag;

    for (size_t i = 0; vts_cli_flag_look(command, i, &flag); i++)
        print_flag(command, &flag);
}

static void print_command(enum vts_cli_command command)
{
    /* -S: what follows "--" is all the command's own. */
    printf("    %s)\n        _arguments -s%s \\\n", vts_cli_command_name(command),
           vts_cli_completion_runs_commands(command) ? " -S" : "");
    print_flags(command);
    if (vts_cli_completion_runs_commands(command))
        fputs("            '*:::command:_normal' ;;\n", stdout);
    else if (command == VTS_CLI_COMMAND_COMPLETION)
        fputs("            '1:shell:(bash zsh fish)' ;;\n", stdout);
    else
        fputs("            ;;\n", stdout);
}

/* They are not named commands: zsh's table of that name, which _normal needs, would be hidden. */
static void print_list_of_commands(void)
{
    char help[VTS_CLI_HELP_BYTES];

    fputs("    subcommands=(\n", stdout);
    for (int i = 1; i < VTS_CLI_COMMAND_COUNT; i++) {
        vts_cli_help_of_command((enum vts_cli_command)i, help, sizeof(help));
        printf("        '%s:", vts_cli_command_name((enum vts_cli_command)i));
        print_text(help);
        fputs("'\n", stdout);
    }
    fputs("        'help:explain a command and its flags'\n    )\n", stdout);
}

void vts_cli_completion_zsh(void)
{
    fputs(
        "#compdef vtstatus\n"
        "# zsh completion for vtstatus; printed by: vtstatus completion zsh\n"
        "_vtstatus() {\n"
        "    local curcontext=$curcontext state line\n"
        "    local -a subcommands\n"
        "    typeset -A opt_args\n",
        stdout);
    print_list_of_commands();
    fputs("    _arguments -C -s -A '-*' \\\n", stdout);
    print_flags(VTS_CLI_COMMAND_NONE);
    fputs(
        "            '1: :->command' \\\n"
        "            '*:: :->rest' && return\n"
        "    case $state in\n"
        "    command)\n"
        "        _describe -t commands command subcommands\n"
        "        return ;;\n"
        "    esac\n"
        "    case $words[1] in\n"
        "    help)\n"
        "        _describe -t commands command subcommands ;;\n",
        stdout);
    for (int i = 1; i < VTS_CLI_COMMAND_COUNT; i++)
        print_command((enum vts_cli_command)i);
    fputs(
        "    esac\n"
        "}\n"
        "if [[ $funcstack[1] == _vtstatus ]]; then\n"
        "    _vtstatus \"$@\"\n"
        "else\n"
        "    compdef _vtstatus vtstatus\n"
        "fi\n",
        stdout);
}
