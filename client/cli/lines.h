/* SPDX-License-Identifier: Apache-2.0 */
/* What a command writes: cut into lines as it comes, and its end kept. Both are bounded. */
#ifndef VTS_CLI_LINES_H
#define VTS_CLI_LINES_H

#include <stdbool.h>
#include <stddef.h>

enum { VTS_CLI_LINE_BYTES = 16 * 1024, VTS_CLI_TAIL_BYTES = 4 * 1024 };

/* A line without its end, NUL-terminated; NULs in it are '?'. */
typedef void (*vts_cli_line_fn)(const char *line, void *context);

struct vts_cli_lines {
    vts_cli_line_fn on_line;
    void *context;
    size_t len;
    bool is_cut; /* the present line is longer than there is room for; the rest is dropped */
    char line[VTS_CLI_LINE_BYTES];
};

void vts_cli_lines_init(struct vts_cli_lines *lines, vts_cli_line_fn on_line, void *context);
void vts_cli_lines_feed(struct vts_cli_lines *lines, const char *bytes, size_t len);
/* A last line may have no end. */
void vts_cli_lines_finish(struct vts_cli_lines *lines);

/* The last whole lines of all that were added, as many as there is room for, '\n' between them. */
struct vts_cli_tail {
    size_t len;
    char text[VTS_CLI_TAIL_BYTES];
};

/* Blank lines are left out. */
void vts_cli_tail_add(struct vts_cli_tail *tail, const char *line);

#endif
