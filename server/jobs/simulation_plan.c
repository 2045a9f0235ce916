/* SPDX-License-Identifier: Apache-2.0 */
/* simulation_plan.c - draws an attempt, and tells what there is to report of it.
 *
 * A worker's percent follows the usual shares of the phases, but how long each really takes is
 * drawn: so progress rises now faster, now slower, and who reckons the end from it errs a little,
 * as with real work.
 */
#include <math.h>

#include "common/base/clock.h"
#include "common/base/hash.h"
#include "common/base/rng.h"
#include "server/jobs/simulation.h"

enum { REPORTS_MAX = 100 };

static const int64_t report_gap_min_ns = (int64_t)250 * VTS_NS_PER_MS;
static const int64_t delay_max_ns = (int64_t)24 * 3600 * VTS_NS_PER_S;
static const double two_pi = 6.283185307179586;

/* A phase, its usual share of the work, and how it fails when it does. */
static const struct phase {
    const char *name;
    double percent;
    const char *message;
    enum vts_rpc_code error_code;
    const char *error_message;
} phases[VTS_SIMULATION_PHASES] = {
    {"download", 10, "fetching the source video", VTS_RPC_UNAVAILABLE,
     "download: the source stopped answering"},
    {"transcribe", 25, "writing down what is said", VTS_RPC_FAILED_PRECONDITION,
     "transcribe: no speech was found"},
    {"translate", 15, "translating the transcript", VTS_RPC_RESOURCE_EXHAUSTED,
     "translate: the translation quota is used up"},
    {"synthesize", 20, "speaking the translation", VTS_RPC_INTERNAL,
     "synthesize: the voice model crashed"},
    {"encode", 20, "putting sound and picture together", VTS_RPC_INTERNAL,
     "encode: the encoder ended with an error"},
    {"upload", 10, "storing the result", VTS_RPC_UNAVAILABLE,
     "upload: the storage is not reachable"},
};

/* ---- drawing ----------------------------------------------------------------------------- */

static double draw_normal(struct vts_rng *rng)
{
    /* Box and Muller; the logarithm is of (0, 1]. */
    double radius = sqrt(-2 * log(1 - vts_rng_next_unit(rng)));

    return radius * cos(two_pi * vts_rng_next_unit(rng));
}

static int64_t draw_delay_ns(struct vts_rng *rng, const struct vts_simulation_delay *delay)
{
    double ns = (double)delay->ns;

    switch (delay->shape) {
    case VTS_SIMULATION_FIXED:
        return delay->ns;
    case VTS_SIMULATION_UNIFORM:
        ns += (double)(delay->most_ns - delay->ns) * vts_rng_next_unit(rng);
        break;
    case VTS_SIMULATION_LOGNORMAL:
        ns *= exp(delay->sigma * draw_normal(rng));
        break;
    }
    return ns < (double)delay_max_ns ? (int64_t)ns : delay_max_ns;
}

/* Draws how the time divides. */
static void draw_phase_ends(struct vts_rng *rng, double ends[VTS_SIMULATION_PHASES])
{
    double sum = 0;

    for (int i = 0; i < VTS_SIMULATION_PHASES; i++) {
        sum += phases[i].percent * (0.7 + 0.6 * vts_rng_next_unit(rng));
        ends[i] = sum;
    }
    for (int i = 0; i < VTS_SIMULATION_PHASES; i++)
        ends[i] /= sum;
}

static enum vts_simulation_end draw_end(struct vts_rng *rng,
                                        const struct vts_simulation_options *options)
{
    bool crashes = vts_rng_next_unit(rng) < options->crash_rate;
    bool fails = vts_rng_next_unit(rng) < options->error_rate;

    if (crashes)
        return VTS_SIMULATION_CRASHES;
    return fails ? VTS_SIMULATION_FAILS : VTS_SIMULATION_SUCCEEDS;
}

void vts_simulation_plan(const struct vts_simulation_options *options, const char *job_id,
                         int32_t attempt, struct vts_simulation_plan *ret_plan)
{
    const struct vts_hash_key key = {{options->seed, (uint64_t)attempt}};
    struct vts_rng rng;

    vts_rng_init(&rng, vts_hash(&key, vts_str_of(job_id)));
    ret_plan->end = draw_end(&rng, options);
    ret_plan->reach = 0.05 + 0.9 * vts_rng_next_unit(&rng);
    if (ret_plan->end == VTS_SIMULATION_SUCCEEDS)
        ret_plan->reach = 1;
    draw_phase_ends(&rng, ret_plan->phase_ends);
    ret_plan->delay_ns = draw_delay_ns(&rng, &options->delay);
}

/* ---- reports ----------------------------------------------------------------------------- */

static int64_t gap_ns(const struct vts_simulation_plan *plan)
{
    int64_t hundredth_ns = plan->delay_ns / REPORTS_MAX + 1;

    return hundredth_ns > report_gap_min_ns ? hundredth_ns : report_gap_min_ns;
}

void vts_simulation_report(const struct vts_simulation_plan *plan, int64_t elapsed_ns,
                           struct vts_simulation_report *ret_report)
{
    int64_t at_ns = elapsed_ns - elapsed_ns % gap_ns(plan);
    double done = elapsed_ns >= plan->delay_ns
                      ? plan->reach
                      : plan->reach * (double)at_ns / (double)plan->delay_ns;
    double start = 0;
    double percent = 0; /* of the phases before */
    double share;
    int i = 0;

    for (; i < VTS_SIMULATION_PHASES - 1 && done >= plan->phase_ends[i]; i++) {
        start = plan->phase_ends[i];
        percent += phases[i].percent;
    }
    share = (done - start) / (plan->phase_ends[i] - start);
    percent += phases[i].percent * share;
    *ret_report = (struct vts_simulation_report){.percent = (float)((int)(percent * 10)) / 10,
                                                 .phase_index = i + 1,
                                                 .phase = phases[i].name,
                                                 .message = phases[i].message,
                                                 .error_code = phases[i].error_code,
                                                 .error_message = phases[i].error_message};
}

int64_t vts_simulation_next_report_ns(const struct vts_simulation_plan *plan, int64_t elapsed_ns)
{
    int64_t next_ns = (elapsed_ns / gap_ns(plan) + 1) * gap_ns(plan);

    return next_ns < plan->delay_ns ? next_ns : plan->delay_ns;
}
