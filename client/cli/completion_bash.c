/* SPDX-License-Identifier: Apache-2.0 */
/* completion_bash.c - one function that finds the command among the words, and what may follow.
 *
 * It needs nothing but bash 4. Readline splits words at '=' and ':' too, so that --flag=value is
 * three; they are joined first. A word that it completes is what stands behind such a character.
 */
#include <stdio.h>

#include "client/cli/completion.h"
#include "client/cli/flags.h"

static const char head[] =
    "# bash completion for vtstatus; printed by: vtstatus completion bash\n"
    "_vtstatus() {\n"
    "    local cur=${COMP_WORDS[COMP_CWORD]} prev='' command='' flags='' words=''\n"
    "    local i word is_joined='' line=()\n"
    "    COMPREPLY=()\n"
    "    for ((i = 1; i <= COMP_CWORD; i++)); do\n"
    "        word=${COMP_WORDS[i]}\n"
    "        if ((${#line[@]} > 0)) && [[ $word =~ ^[=:]+$ ]]; then\n"
    "            line[-1]+=$word\n"
    "            is_joined=1\n"
    "        elif [[ $is_joined ]]; then\n"
    "            line[-1]+=$word\n"
    "            is_joined=''\n"
    "        else\n"
    "            line+=(\"$word\")\n"
    "        fi\n"
    "    done\n"
    "    if [[ $cur =~ ^[=:]+$ ]]; then cur=''; fi\n"
    "    if [[ ${line[-1]} == --*=* ]]; then\n"
    "        prev=${line[-1]%%=*}\n"
    "    elif ((${#line[@]} > 1)); then\n"
    "        prev=${line[-2]}\n"
    "    fi\n"
    "    for ((i = 0; i < ${#line[@]} - 1; i++)); do\n"
    "        case ${line[i]} in\n";

static const char after_skipping[] =
    "            ((i++)) ;;\n"
    "        -*) ;;\n"
    "        *)\n"
    "            command=${line[i]}\n"
    "            break ;;\n"
    "        esac\n"
    "    done\n";

static const char tail[] =
    "    if [[ $cur == -* ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$flags\" -- \"$cur\")\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$cur\")\n"
    "    fi\n"
    "}\n"
    "complete -F _vtstatus vtstatus\n";

/* "--output|-o" */
static void print_names(const struct vts_cli_flag_view *flag)
{
    printf("--%s", flag->name);
    if (flag->letter != '\0')
        printf("|-%c", flag->letter);
}

/* The pattern of all flags with a value, or, with is_file, of those whose value is a file. */
static void print_pattern(bool is_file)
{
    struct vts_cli_flag_view flag;
    bool has_some = false;

    for (size_t i = 0; vts_cli_completion_flag(i, &flag); i++) {
        if (is_file ? !flag.takes_file : !flag.takes_value)
            continue;
        fputs(has_some ? "|" : "", stdout);
        print_names(&flag);
        has_some = true;
    }
}

/* The values of the flag in prev. */
static void print_values(void)
{
    struct vts_cli_flag_view flag;

    fputs("    case $prev in\n    ", stdout);
    print_pattern(true);
    fputs(
        ")\n"
        "        compopt -o filenames\n"
        "        mapfile -t COMPREPLY < <(compgen -f -- \"$cur\")\n"
        "        return ;;\n",
        stdout);
    for (size_t i = 0; vts_cli_completion_flag(i, &flag); i++) {
        if (flag.words == NULL)
            continue;
        fputs("    ", stdout);
        print_names(&flag);
        printf(
            ")\n"
            "        mapfile -t COMPREPLY < <(compgen -W '%s' -- \"$cur\")\n"
            "        return ;;\n",
            flag.words);
    }
    fputs("    ", stdout);
    print_pattern(false);
    fputs(") return ;;\n    esac\n", stdout);
}

static void print_flags(enum vts_cli_command command)
{
    struct vts_cli_flag_view flag;

    for (size_t i = 0; vts_cli_flag_look(command, i, &flag); i++) {
        printf("%s--%s", i > 0 ? " " : "", flag.name);
        if (flag.letter != '\0')
            printf(" -%c", flag.letter);
    }
}

static void print_commands(void)
{
    for (int i = 1; i < VTS_CLI_COMMAND_COUNT; i++)
        printf("%s ", vts_cli_command_name((enum vts_cli_command)i));
    fputs("help", stdout);
}

static void print_command(enum vts_cli_command command)
{
    printf("    %s)\n", vts_cli_command_name(command));
    if (vts_cli_completion_runs_commands(command))
        fputs(
            "        if [[ $cur != -* ]]; then\n"
            "            compopt -o filenames\n"
            "            mapfile -t COMPREPLY < <(compgen -c -f -- \"$cur\" | sort -u)\n"
            "            return\n"
            "        fi\n",
            stdout);
    if (command == VTS_CLI_COMMAND_COMPLETION)
        fputs("        words='bash zsh fish'\n", stdout);
    fputs("        flags='", stdout);
    print_flags(command);
    fputs("' ;;\n", stdout);
}

void vts_cli_completion_bash(void)
{
    fputs(head, stdout);
    fputs("        ", stdout);
    print_pattern(false);
    fputs(")\n", stdout);
    fputs(after_skipping, stdout);
    print_values();
    fputs("    case $command in\n    '')\n        words='", stdout);
    print_commands();
    fputs("'\n        flags='", stdout);
    print_flags(VTS_CLI_COMMAND_NONE);
    fputs("' ;;\n    help)\n        words='", stdout);
    print_commands();
    fputs("' ;;\n", stdout);
    for (int i = 1; i < VTS_CLI_COMMAND_COUNT; i++)
        print_command((enum vts_cli_command)i);
    fputs("    esac\n", stdout);
    fputs(tail, stdout);
}
