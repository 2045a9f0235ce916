/* SPDX-License-Identifier: Apache-2.0 */
/* Holds a lease: a thread that renews it at each third of its time, with heartbeats that the server
 * holds back, so that a cancellation is heard of at once. */
#ifndef VTS_CLI_WORK_HOLD_H
#define VTS_CLI_WORK_HOLD_H

#include <pthread.h>
#include <stdatomic.h>

#include "client/cli/options.h"
#include "client/cli/work_process.h"

struct vts_cli_hold {
    struct vts_client *client; /* its own */
    const struct vts_lease *lease;
    double interval; /* s, a third of the lease */
    pthread_t thread;
    atomic_bool is_over;
    int over_fd; /* readable when is_over */
    atomic_int stop;
    int stop_fd; /* readable when stop is other than VTS_CLI_STOP_NONE */
};

/* False, with a line on stderr, when there can be no client or no thread. */
bool vts_cli_hold_start(struct vts_cli_hold *hold, const struct vts_cli_options *options,
                        const struct vts_lease *lease);
/* Ends the thread; the lease is not renewed any more. */
void vts_cli_hold_stop(struct vts_cli_hold *hold);
/* From any thread: the command is to stop. The first reason is kept. */
void vts_cli_hold_tell(struct vts_cli_hold *hold, enum vts_cli_stop stop);

/* What a heartbeat's outcome says about the command, whoever sent it. */
enum vts_cli_stop vts_cli_hold_judge(enum vts_client_code code, bool is_cancel_requested);

#endif
