/* SPDX-License-Identifier: Apache-2.0 */
/* The line that shows, while polling, how far the job is. */
#ifndef VTS_CLI_PROGRESS_H
#define VTS_CLI_PROGRESS_H

#include <stddef.h>

#include <vtstatus/client.h>

struct vts_cli_progress {
    const char *job_id;              /* as the user gave it */
    const struct vts_status *status; /* NULL: none came yet */
    const char *failure;             /* of the last try; "" when it succeeded */
    double next_poll;                /* s; not positive: asking right now */
};

/* Writes the line, NUL-terminated and without a line end, into out: at most `columns` wide,
 * whatever the strings in it. 4 bytes a column and 64 more are always enough room. */
void vts_cli_progress_render(const struct vts_cli_progress *progress, unsigned columns,
                             bool has_colors, char *out, size_t size);

#endif
