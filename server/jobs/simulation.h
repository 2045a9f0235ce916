/* SPDX-License-Identifier: Apache-2.0 */
/* A make-believe translation: how long an attempt at a job takes, what its worker has to report
 * meanwhile, and how it ends.
 *
 * Pure: everything is drawn from the seed, the job's id and the attempt's number, so the same seed
 * gives the same run of the same job, whoever plays it and whenever. */
#ifndef VTS_JOBS_SIMULATION_H
#define VTS_JOBS_SIMULATION_H

#include "common/base/err.h"
#include "common/wire/rpc_code.h"
#include "server/jobs/job_request.h"

enum {
    VTS_SIMULATION_WORKERS_MAX = 100000,
    VTS_SIMULATION_QUEUES_MAX = 8,
    VTS_SIMULATION_PHASES = 6,
};

/* ---- options ----------------------------------------------------------------------------- */

enum vts_simulation_shape {
    VTS_SIMULATION_FIXED,
    VTS_SIMULATION_UNIFORM,
    VTS_SIMULATION_LOGNORMAL,
};

/* How long attempts take, from the lease to the end. */
struct vts_simulation_delay {
    enum vts_simulation_shape shape;
    int64_t ns;      /* FIXED: always; UNIFORM: at least; LOGNORMAL: the median */
    int64_t most_ns; /* UNIFORM */
    double sigma;    /* LOGNORMAL: standard deviation of the natural logarithm */
};

struct vts_simulation_options {
    uint64_t workers_count;
    struct vts_simulation_delay delay;
    double error_rate; /* probability that an attempt which does not crash ends the job in error */
    double crash_rate; /* probability that an attempt's worker falls silent at its end */
    uint64_t seed;
    int64_t lease_ns;
    size_t queues_count;
    char queues[VTS_SIMULATION_QUEUES_MAX][VTS_JOB_QUEUE_MAX + 1];
};

/* Reads "workers=1,delay=8s,..." by simulation.def; what is left out is as written there.
 * VTS_ERR_INVALID with a text that names the fault. */
VTS_MUST_CHECK enum vts_err vts_simulation_parse(const char *text,
                                                 struct vts_simulation_options *ret_options,
                                                 struct vts_error *error);

/* ---- one attempt at one job -------------------------------------------------------------- */

enum vts_simulation_end { VTS_SIMULATION_SUCCEEDS, VTS_SIMULATION_FAILS, VTS_SIMULATION_CRASHES };

struct vts_simulation_plan {
    int64_t delay_ns; /* from the lease to the end, whichever that is; at most 24 h */
    enum vts_simulation_end end;
    double reach;                             /* how much of the time for all the work that is */
    double phase_ends[VTS_SIMULATION_PHASES]; /* in the time for all the work, the last at 1 */
};

void vts_simulation_plan(const struct vts_simulation_options *options, const char *job_id,
                         int32_t attempt, struct vts_simulation_plan *ret_plan);

/* Texts are literals. */
struct vts_simulation_report {
    float percent;
    int32_t phase_index; /* from 1 */
    const char *phase;
    const char *message;
    enum vts_rpc_code error_code; /* of a failure in this phase */
    const char *error_message;
};

/* What the last report was that is due by elapsed_ns after the lease; from delay_ns on, it is the
 * one before the end. */
void vts_simulation_report(const struct vts_simulation_plan *plan, int64_t elapsed_ns,
                           struct vts_simulation_report *ret_report);
/* When the next report after elapsed_ns is due, at the latest the one before the end. Reports come
 * at each hundredth of the delay, but not more than four times a second. */
int64_t vts_simulation_next_report_ns(const struct vts_simulation_plan *plan, int64_t elapsed_ns);

#endif
