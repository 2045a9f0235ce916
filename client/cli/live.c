/* SPDX-License-Identifier: Apache-2.0 */
/* live.c - each redraw is one write: the line's start, the text, and the rest of the line cleared,
 * so that nothing flickers. */
#include "client/cli/live.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/progress.h"
#include "client/cli/terminal.h"

enum { MAX_COLUMNS = 200 };

static const char clear_to_end[] = "\x1b[K";

static void draw(const struct vts_cli_live *live)
{
    struct vts_cli_progress progress = {.job_id = live->job_id,
                                        .status = live->status,
                                        .failure = live->failure,
                                        .next_poll = live->next_poll};
    unsigned columns = vts_cli_terminal_columns(stderr);
    char line[4 * MAX_COLUMNS + 64];

    /* The last column stays free: some terminals wrap as soon as it is written. */
    columns = columns > 1 ? columns - 1 : 1;
    vts_cli_progress_render(&progress, columns < MAX_COLUMNS ? columns : MAX_COLUMNS,
                            live->has_colors, line, sizeof(line));
    fprintf(stderr, "\r%s%s", line, clear_to_end);
}

void vts_cli_live_init(struct vts_cli_live *live, bool is_on, const char *job_id)
{
    *live = (struct vts_cli_live){.is_on = is_on,
                                  .has_colors = vts_cli_terminal_has_colors(stderr),
                                  .job_id = job_id != NULL ? job_id : "default"};
    (void)pthread_mutex_init(&live->lock, NULL); /* cannot fail with default attributes */
}

void vts_cli_live_show(struct vts_cli_live *live)
{
    if (!live->is_on)
        return;
    (void)pthread_mutex_lock(&live->lock);
    draw(live);
    (void)pthread_mutex_unlock(&live->lock);
}

void vts_cli_live_fini(struct vts_cli_live *live)
{
    if (live->is_on)
        fprintf(stderr, "\r%s", clear_to_end);
    vts_status_free(live->status);
    (void)pthread_mutex_destroy(&live->lock); /* nobody holds it any more */
}

void vts_cli_live_update(struct vts_cli_live *live, const struct vts_poll_event *event)
{
    if (!live->is_on)
        return;
    (void)pthread_mutex_lock(&live->lock); /* locking cannot fail: it is taken once a call */
    vts_status_free(live->status);
    live->status = vts_status_ref(event->status);
    live->next_poll = event->next_poll;
    live->failure[0] = '\0';
    if (event->error != NULL)
        (void)snprintf(live->failure, sizeof(live->failure), "%s", event->error->text);
    draw(live);
    (void)pthread_mutex_unlock(&live->lock);
}

void vts_cli_live_tick(struct vts_cli_live *live)
{
    if (!live->is_on)
        return;
    (void)pthread_mutex_lock(&live->lock);
    live->next_poll -= 1;
    draw(live);
    (void)pthread_mutex_unlock(&live->lock);
}
