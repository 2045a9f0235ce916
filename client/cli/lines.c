/* SPDX-License-Identifier: Apache-2.0 */
/* lines.c - a line longer than its room loses its end, a text longer than its room its beginning.
 */
#include "client/cli/lines.h"

#include <string.h>

void vts_cli_lines_init(struct vts_cli_lines *lines, vts_cli_line_fn on_line, void *context)
{
    lines->on_line = on_line;
    lines->context = context;
    lines->len = 0;
    lines->is_cut = false;
}

static void hand_on(struct vts_cli_lines *lines)
{
    if (lines->len > 0 && lines->line[lines->len - 1] == '\r')
        lines->len--;
    lines->line[lines->len] = '\0';
    lines->on_line(lines->line, lines->context);
    lines->len = 0;
    lines->is_cut = false;
}

static void add(struct vts_cli_lines *lines, const char *bytes, size_t len)
{
    size_t room = sizeof(lines->line) - 1 - lines->len;

    lines->is_cut = lines->is_cut || len > room;
    len = len < room ? len : room;
    for (size_t i = 0; i < len; i++)
        lines->line[lines->len++] = bytes[i] != '\0' ? bytes[i] : '?';
}

void vts_cli_lines_feed(struct vts_cli_lines *lines, const char *bytes, size_t len)
{
    while (len > 0) {
        const char *end = memchr(bytes, '\n', len);
        size_t part = end != NULL ? (size_t)(end - bytes) : len;

        add(lines, bytes, part);
        if (end == NULL)
            return;
        hand_on(lines);
        bytes += part + 1;
        len -= part + 1;
    }
}

void vts_cli_lines_finish(struct vts_cli_lines *lines)
{
    if (lines->len > 0 || lines->is_cut)
        hand_on(lines);
}

static bool is_blank(const char *line)
{
    return line[strspn(line, " \t")] == '\0';
}

static void drop_first_line(struct vts_cli_tail *tail)
{
    const char *end = memchr(tail->text, '\n', tail->len);
    size_t dropped = end != NULL ? (size_t)(end - tail->text) + 1 : tail->len;

    tail->len -= dropped;
    memmove(tail->text, tail->text + dropped, tail->len);
}

void vts_cli_tail_add(struct vts_cli_tail *tail, const char *line)
{
    size_t len = strlen(line);
    size_t max = sizeof(tail->text) - 2; /* a line end in front, a NUL behind */

    if (is_blank(line))
        return;
    len = len < max ? len : max;
    while (tail->len > 0 && tail->len + 1 + len >= sizeof(tail->text))
        drop_first_line(tail);
    if (tail->len > 0)
        tail->text[tail->len++] = '\n';
    memcpy(tail->text + tail->len, line, len);
    tail->len += len;
    tail->text[tail->len] = '\0';
}
