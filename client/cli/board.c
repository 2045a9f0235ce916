/* SPDX-License-Identifier: Apache-2.0 */
/* board.c - each redraw is one write: up to the first line, each line with the rest of it cleared.
 */
#include "client/cli/board.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/progress.h"
#include "client/cli/terminal.h"

enum { MAX_COLUMNS = 200 };

bool vts_cli_board_init(struct vts_cli_board *board, bool is_on, const char *const *job_ids,
                        size_t count)
{
    *board = (struct vts_cli_board){.is_on = is_on && count < vts_cli_terminal_rows(stderr),
                                    .has_colors = vts_cli_terminal_has_colors(stderr),
                                    .lines = calloc(count, sizeof(*board->lines))};
    if (board->lines == NULL)
        return false;
    board->lines_count = count;
    for (size_t i = 0; i < count; i++)
        board->lines[i].job_id = job_ids[i];
    return true;
}

void vts_cli_board_fini(struct vts_cli_board *board)
{
    vts_cli_board_hide(board);
    for (size_t i = 0; i < board->lines_count; i++)
        vts_status_free(board->lines[i].status);
    free(board->lines);
}

void vts_cli_board_hide(struct vts_cli_board *board)
{
    if (board->drawn_count > 0)
        fprintf(stderr, "\x1b[%zuA\x1b[J", board->drawn_count);
    board->drawn_count = 0;
}

static void draw_line(FILE *file, const struct vts_cli_board *board,
                      const struct vts_cli_board_line *line, const char *failure)
{
    bool is_done = line->status != NULL && vts_status_is_done(line->status);
    struct vts_cli_progress progress = {
        .job_id = line->job_id, .status = line->status, .failure = is_done ? "" : failure};
    unsigned columns = vts_cli_terminal_columns(stderr);
    char text[4 * MAX_COLUMNS + 64];

    /* The last column stays free: some terminals wrap as soon as it is written. */
    columns = columns > 1 ? columns - 1 : 1;
    vts_cli_progress_render(&progress, columns < MAX_COLUMNS ? columns : MAX_COLUMNS,
                            board->has_colors, text, sizeof(text));
    fprintf(file, "\r%s\x1b[K\n", text);
}

static void draw(struct vts_cli_board *board, const char *failure)
{
    char *text = NULL;
    size_t size = 0;
    FILE *file = open_memstream(&text, &size);

    if (file == NULL)
        return; /* the next one may have the memory */
    if (board->drawn_count > 0)
        fprintf(file, "\x1b[%zuA", board->drawn_count);
    for (size_t i = 0; i < board->lines_count; i++)
        draw_line(file, board, &board->lines[i], failure);
    if (fclose(file) == 0) {
        fputs(text, stderr);
        board->drawn_count = board->lines_count;
    }
    free(text);
}

static void take(struct vts_cli_board *board, const struct vts_status *status)
{
    for (size_t i = 0; i < board->lines_count; i++) {
        struct vts_cli_board_line *line = &board->lines[i];

        if (strcmp(line->job_id, vts_status_job_id(status)) != 0)
            continue;
        vts_status_free(line->status);
        line->status = vts_status_ref(status);
    }
}

void vts_cli_board_update(struct vts_cli_board *board, const struct vts_status *status,
                          const char *failure)
{
    if (status != NULL)
        take(board, status);
    if (board->is_on)
        draw(board, failure);
}
