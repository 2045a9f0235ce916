/* SPDX-License-Identifier: Apache-2.0 */
/* A line for each of several jobs on stderr, redrawn in place. One thread at a time. */
#ifndef VTS_CLI_BOARD_H
#define VTS_CLI_BOARD_H

#include <stdbool.h>
#include <stddef.h>

#include <vtstatus/jobs.h>

struct vts_cli_board_line {
    const char *job_id; /* the caller's */
    struct vts_status *status;
};

struct vts_cli_board {
    bool is_on; /* otherwise nothing is drawn */
    bool has_colors;
    struct vts_cli_board_line *lines;
    size_t lines_count;
    size_t drawn_count; /* lines that are on the terminal, above the cursor */
};

/* False without memory. More lines than the terminal is high turn it off. */
bool vts_cli_board_init(struct vts_cli_board *board, bool is_on, const char *const *job_ids,
                        size_t count);
/* Removes the lines and frees the statuses. */
void vts_cli_board_fini(struct vts_cli_board *board);
/* Takes a reference of the status and draws. NULL: nothing new, or, with a failure, why. */
void vts_cli_board_update(struct vts_cli_board *board, const struct vts_status *status,
                          const char *failure);
/* Removes the lines from the terminal; the next update draws them anew. */
void vts_cli_board_hide(struct vts_cli_board *board);

#endif
