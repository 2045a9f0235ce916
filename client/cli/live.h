/* SPDX-License-Identifier: Apache-2.0 */
/* The progress line on stderr, redrawn in place. Its functions may be called from two threads: the
 * one that polls and the one that counts the seconds. */
#ifndef VTS_CLI_LIVE_H
#define VTS_CLI_LIVE_H

#include <pthread.h>

#include <vtstatus/client.h>

struct vts_cli_live {
    bool is_on; /* otherwise every call does nothing */
    bool has_colors;
    const char *job_id;
    pthread_mutex_t lock; /* guards what follows */
    struct vts_status *status;
    char failure[512]; /* as long as the text of an error */
    double next_poll;
};

void vts_cli_live_init(struct vts_cli_live *live, bool is_on, const char *job_id);
/* Draws the line before there is anything to tell. */
void vts_cli_live_show(struct vts_cli_live *live);
/* Removes the line. */
void vts_cli_live_fini(struct vts_cli_live *live);
/* What the last try brought. */
void vts_cli_live_update(struct vts_cli_live *live, const struct vts_poll_event *event);
/* A second has passed. */
void vts_cli_live_tick(struct vts_cli_live *live);

#endif
