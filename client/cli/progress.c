/* SPDX-License-Identifier: Apache-2.0 */
/* progress.c - a pure function from what is known to a line of text.
 *
 *     default [###########.............]  42 % transcribe (2 of 6), next look in 3 s
 *
 * The bar takes what the words leave; without room for a bar there is none, and what still does not
 * fit is cut off at the right.
 */
#include "client/cli/progress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/output.h"
#include "client/cli/text.h"

enum {
    MIN_BAR = 10,
    MAX_BAR = 40,
    MAX_JOB_COLUMNS = 40,
    /* Kept free for the words, so that the bar does not change its length with every one: " 100 %",
     * " synthesize (4 of 6)" and ", next look in 20 s". */
    LEAST_WORDS = 6 + 20 + 19,
};

struct line {
    char *out;
    size_t size;
    size_t len;
    size_t columns;
    size_t max_columns;
};

static void add_text(struct line *line, const char *text, size_t max_columns)
{
    size_t left = line->max_columns - line->columns;
    size_t len = 0;

    line->columns += vts_cli_text_escape(text, line->out + line->len, line->size - line->len,
                                         max_columns < left ? max_columns : left, &len);
    line->len += len;
}

/* Takes no columns: a colour, or the end of one. */
static void add_color(struct line *line, const char *color)
{
    size_t len = strlen(color);

    if (line->len + len >= line->size)
        return;
    memcpy(line->out + line->len, color, len + 1);
    line->len += len;
}

static void format_waiting(const struct vts_status *status, char *text, size_t size)
{
    char waiting[64];

    vts_cli_output_format_waiting(status, waiting, sizeof(waiting));
    (void)snprintf(text, size, " %s, %s", vts_status_word(status), waiting);
}

static void format_what(const struct vts_cli_progress *progress, char *text, size_t size)
{
    const struct vts_status *status = progress->status;

    if (progress->failure[0] != '\0')
        (void)snprintf(text, size, " %s", progress->failure);
    else if (status == NULL)
        (void)snprintf(text, size, " asking");
    else if (vts_status_state(status) == VTS_STATE_PENDING)
        format_waiting(status, text, size);
    else if (vts_status_phase(status)[0] != '\0' && vts_status_phase_count(status) > 0)
        (void)snprintf(text, size, " %s (%d of %d)", vts_status_phase(status),
                       vts_status_phase_index(status), vts_status_phase_count(status));
    else if (vts_status_phase(status)[0] != '\0')
        (void)snprintf(text, size, " %s", vts_status_phase(status));
    else
        (void)snprintf(text, size, " %s", vts_status_state_word(status));
}

static void format_next(const struct vts_cli_progress *progress, char *text, size_t size)
{
    if (progress->next_poll > 0)
        (void)snprintf(text, size, ", next look in %.0f s", ceil(progress->next_poll));
    else
        text[0] = '\0';
}

static void add_bar(struct line *line, const struct vts_status *status, size_t words_columns,
                    bool has_colors)
{
    size_t left = line->max_columns - line->columns;
    size_t words = words_columns > LEAST_WORDS ? words_columns : LEAST_WORDS;
    size_t taken = words + 3; /* a blank and the brackets */
    size_t width = left > taken ? left - taken : 0;
    size_t filled;

    if (width < MIN_BAR)
        return;
    width = width < MAX_BAR ? width : MAX_BAR;
    filled = (size_t)(vts_cli_output_percent(status) / 100 * (double)width);
    add_text(line, " [", 2);
    add_color(line, vts_cli_output_color(status, has_colors));
    for (size_t i = 0; i < width; i++)
        add_text(line, i < filled ? "#" : ".", 1);
    add_color(line, vts_cli_output_plain(has_colors));
    add_text(line, "]", 1);
}

static size_t columns_of(const char *text)
{
    char room[1024];

    return vts_cli_text_escape(text, room, sizeof(room), sizeof(room), NULL);
}

void vts_cli_progress_render(const struct vts_cli_progress *progress, unsigned columns,
                             bool has_colors, char *out, size_t size)
{
    struct line line = {.out = out, .size = size, .max_columns = columns};
    char percent[16] = "";
    char what[512];
    char next[64];

    format_what(progress, what, sizeof(what));
    format_next(progress, next, sizeof(next));
    out[0] = '\0';
    add_text(&line, progress->job_id, MAX_JOB_COLUMNS);
    if (progress->status != NULL) {
        (void)snprintf(percent, sizeof(percent), " %3.0f %%",
                       vts_cli_output_percent(progress->status));
        if (progress->failure[0] == '\0')
            add_bar(&line, progress->status,
                    columns_of(percent) + columns_of(what) + columns_of(next), has_colors);
    }
    add_text(&line, percent, columns);
    add_text(&line, what, columns);
    add_text(&line, next, columns);
}
