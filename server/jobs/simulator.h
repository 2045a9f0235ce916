/* SPDX-License-Identifier: Apache-2.0 */
/* Make-believe workers inside the server: they lease jobs from the keeper, report on them, end them
 * or fall silent, as simulation.h has it, by the commands that other workers' calls become.
 *
 * They have no thread and no timers: what a worker does next, it does when the keeper answers it,
 * and a held heartbeat is what wakes it in time for its next report. A worker that crashes is
 * followed by another one at once; its job waits for the end of the lease. */
#ifndef VTS_JOBS_SIMULATOR_H
#define VTS_JOBS_SIMULATOR_H

#include "server/jobs/keeper.h"
#include "server/jobs/simulation.h"

struct vts_simulator;

enum {
    /* How often it is time for vts_simulator_wake(). */
    VTS_SIMULATOR_WAKE_MS = 2000,
    /* Steps of the keeper from the start to the end of a job that takes no time. */
    VTS_SIMULATOR_STEPS = 3,
};

/* Makes the workers, who do nothing yet. The keeper must outlive the last call but
 * vts_simulator_free(); options are copied. now_ns is the keeper's; NULL: vts_clock_now_ns().
 * VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_simulator_new(struct vts_keeper *keeper,
                                              const struct vts_simulation_options *options,
                                              int64_t (*now_ns)(void),
                                              struct vts_simulator **ret_simulator);
/* The first time, submits the job `default` to the first queue, unless there is one already, and
 * sets the workers to work. After that, has those try again who could not go on, because memory,
 * the keeper or the store failed them. From any thread. */
void vts_simulator_wake(struct vts_simulator *simulator);
/* When the keeper is freed. Accepts NULL. */
void vts_simulator_free(struct vts_simulator *simulator);

#endif
