/* SPDX-License-Identifier: Apache-2.0 */
/* terminal.c - asks the descriptor and the environment (https://no-color.org). */
#include "client/cli/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

bool vts_cli_terminal_can_redraw(FILE *file)
{
    const char *term = getenv("TERM");

    return isatty(fileno(file)) && term != NULL && strcmp(term, "dumb") != 0;
}

bool vts_cli_terminal_has_colors(FILE *file)
{
    const char *no_color = getenv("NO_COLOR");
    const char *forced = getenv("CLICOLOR_FORCE");

    if (no_color != NULL && no_color[0] != '\0')
        return false;
    if (forced != NULL && forced[0] != '\0' && strcmp(forced, "0") != 0)
        return true;
    return vts_cli_terminal_can_redraw(file);
}

unsigned vts_cli_terminal_columns(FILE *file)
{
    struct winsize size;

    if (ioctl(fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_col == 0)
        return 80;
    return size.ws_col;
}

unsigned vts_cli_terminal_rows(FILE *file)
{
    struct winsize size;

    if (ioctl(fileno(file), TIOCGWINSZ, &size) != 0 || size.ws_row == 0)
        return 24;
    return size.ws_row;
}
