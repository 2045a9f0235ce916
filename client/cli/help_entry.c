/* SPDX-License-Identifier: Apache-2.0 */
/* help_entry.c - finds what is told of one command or flag in the text of the help, so that it is
 * written once. */
#include <stdio.h>
#include <string.h>

#include "client/cli/help.h"

/* An entry is a line of two blanks, a name, and what is told of it behind two blanks or more; lines
 * that are indented deeper go on with that. */
enum { MIN_INDENT = 20 };

static size_t line_len(const char *line)
{
    return strcspn(line, "\n");
}

/* The line behind this one; NULL: it was the last. */
static const char *next_line(const char *line)
{
    line += line_len(line);
    return line[0] == '\n' && line[1] != '\0' ? line + 1 : NULL;
}

/* Where the name ends, when it is among the names of the entry that this line begins: a name is
 * everything up to two blanks. */
static const char *find_name(const char *line, const char *name)
{
    size_t len = strlen(name);
    const char *end = line + line_len(line);
    const char *gap;

    if (strncmp(line, "  ", 2) != 0 || line[2] == ' ')
        return NULL;
    line += 2;
    gap = strstr(line, "  ");
    if (gap != NULL && gap < end)
        end = gap;
    for (; line < end; line++)
        if (strncmp(line, name, len) == 0 && strchr(" ,\n", line[len]) != NULL)
            return end;
    return NULL;
}

/* Appends a line's words; returns whether the sentence goes on. */
static bool add_line(const char *line, char *text, size_t size)
{
    size_t used = strlen(text);

    line += strspn(line, " ");
    if (used > 0 && used + 1 < size)
        text[used++] = ' ';
    for (; *line != '\n' && *line != '\0' && used + 1 < size; line++) {
        bool ends_word = line[1] == ' ' || line[1] == '\n' || line[1] == '\0';

        /* A full stop that stands alone is a character that is told of. */
        if (*line == ';' || (strchr(".:", *line) != NULL && ends_word && line[-1] != ' '))
            break;
        text[used++] = *line;
    }
    text[used] = '\0';
    return *line == '\n';
}

static void tell_entry(const char *help, const char *name, char *text, size_t size)
{
    const char *line = help;
    const char *end = NULL;
    bool goes_on;

    text[0] = '\0';
    for (; line != NULL && end == NULL; line = end == NULL ? next_line(line) : line)
        end = find_name(line, name);
    if (end == NULL)
        return;
    goes_on = *end == '\n' || add_line(end, text, size);
    for (line = next_line(end); goes_on && line != NULL; line = next_line(line)) {
        if (strspn(line, " ") < MIN_INDENT)
            return;
        goes_on = add_line(line, text, size);
    }
}

void vts_cli_help_of_command(enum vts_cli_command command, char *text, size_t size)
{
    tell_entry(vts_cli_help_text(VTS_CLI_COMMAND_NONE), vts_cli_command_name(command), text, size);
}

void vts_cli_help_of_flag(enum vts_cli_command command, const char *flag, char *text, size_t size)
{
    char name[64];

    (void)snprintf(name, sizeof(name), "--%s", flag);
    tell_entry(vts_cli_help_text(command), name, text, size);
    if (text[0] == '\0')
        tell_entry(vts_cli_help_flags, name, text, size);
    /* It may be taken in the meaning of another command, which its own text names. */
    for (int i = 1; text[0] == '\0' && i < VTS_CLI_COMMAND_COUNT; i++)
        tell_entry(vts_cli_help_text((enum vts_cli_command)i), name, text, size);
}
