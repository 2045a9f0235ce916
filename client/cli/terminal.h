/* SPDX-License-Identifier: Apache-2.0 */
/* What is known of the terminal, if there is one. */
#ifndef VTS_CLI_TERMINAL_H
#define VTS_CLI_TERMINAL_H

#include <stdbool.h>
#include <stdio.h>

/* Whether it is a terminal that can redraw a line. */
bool vts_cli_terminal_can_redraw(FILE *file);
/* Whether to write colours there: NO_COLOR and TERM=dumb say no, CLICOLOR_FORCE says yes. */
bool vts_cli_terminal_has_colors(FILE *file);
/* Its width, 80 when it does not tell. */
unsigned vts_cli_terminal_columns(FILE *file);
/* Its height, 24 when it does not tell. */
unsigned vts_cli_terminal_rows(FILE *file);

#endif
