/* SPDX-License-Identifier: Apache-2.0 */
/* The worker, and its slots: each is a thread that takes one job after the other. */
#ifndef VTS_CLI_WORK_SLOT_H
#define VTS_CLI_WORK_SLOT_H

#include <pthread.h>

#include "client/cli/options.h"
#include "client/cli/work_hold.h"

/*   TAKING    jobs are taken
 *   DRAINING  no more; those that run go on to their ends
 *   STOPPING  those that run are stopped and given back
 *
 * It only moves down this list, in vts_cli_worker_move(). */
enum vts_cli_worker_phase {
    VTS_CLI_WORKER_TAKING,
    VTS_CLI_WORKER_DRAINING,
    VTS_CLI_WORKER_STOPPING,
};

struct vts_cli_slot {
    struct vts_cli_worker *worker;
    char worker_id[129];
    struct vts_client *lease_client;  /* cancelled when the worker drains */
    struct vts_client *report_client; /* for all but leases and what a hold sends */
    pthread_t thread;
    bool has_thread;
    struct vts_cli_hold *hold; /* of the job that runs, or NULL */
};

struct vts_cli_worker {
    const struct vts_cli_options *options;
    struct vts_cli_slot *slots;
    size_t slots_count;
    int drain_fd;         /* readable from DRAINING on */
    int stop_fd;          /* readable from STOPPING on */
    pthread_mutex_t lock; /* guards what follows, and each slot's hold */
    enum vts_cli_worker_phase phase;
    int exit_code; /* the first failure that ends the work */
};

/* From any thread. A phase that is behind us already changes nothing. */
void vts_cli_worker_move(struct vts_cli_worker *worker, enum vts_cli_worker_phase phase);

/* The slot's thread: works until the worker drains. */
void *vts_cli_slot_run(void *slot);

#endif
