/* SPDX-License-Identifier: Apache-2.0 */
/* A make-believe translation: what a worker would report of it, and when.
 *
 * Pure: the run is a list of steps made from the options alone, so the same seed gives the same
 * run. Whoever plays it publishes each step at its time. */
#ifndef VTS_JOBS_SIMULATOR_H
#define VTS_JOBS_SIMULATOR_H

#include "server/jobs/job.h"

struct vts_simulation_options {
    int64_t delay_ns;  /* from the start to the end */
    double error_rate; /* probability of ending in error, 0 to 1 */
    uint64_t seed;
};

/* Reads "delay=8s,error_rate=0.2,seed=1"; each part may be left out. A delay is a number with ms,
 * s, m or h, up to 24 h. VTS_ERR_INVALID with a text that names the fault. */
VTS_MUST_CHECK enum vts_err vts_simulation_parse(const char *text,
                                                 struct vts_simulation_options *ret_options,
                                                 struct vts_error *error);

struct vts_simulation {
    struct vts_simulation_options options;
    int64_t start_ns; /* monotonic */
    int64_t start_wall_ns;
    struct vts_job job; /* as of the last step taken */
    size_t steps_count;
    size_t next_step;
    struct vts_simulation_step *steps;
};

/* Plans the run of the job `id`, which is a literal, starting at the given instants.
 * VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_simulation_init(struct vts_simulation *simulation, const char *id,
                                                const struct vts_simulation_options *options,
                                                int64_t start_ns, int64_t start_wall_ns);
void vts_simulation_fini(struct vts_simulation *simulation);
/* When the next step is due on the monotonic clock; INT64_MAX after the last. */
int64_t vts_simulation_due_ns(const struct vts_simulation *simulation);
/* Takes the next step: simulation->job then is what it looks like, one revision on. */
void vts_simulation_step(struct vts_simulation *simulation);

#endif
