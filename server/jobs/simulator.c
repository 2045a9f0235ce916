/* SPDX-License-Identifier: Apache-2.0 */
/* simulator.c - plans the steps of a simulated job.
 *
 * A job queues, is picked up, and goes through the phases of a translation. How the time divides
 * among the phases, how it ends and where it fails are drawn from the seed. Progress is reported at
 * each hundredth of the run, but not more than four times a second, as a real worker's would be.
 */
#include "server/jobs/simulator.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/wire/rpc_code.h"

enum { PHASES = 6, REPORTS_MAX = 100, STEPS_MAX = PHASES + REPORTS_MAX + 3, TEXT_MAX_BYTES = 32 };

static const int64_t report_gap_min_ns = (int64_t)250 * VTS_NS_PER_MS;
static const int64_t delay_max_ns = (int64_t)24 * 3600 * VTS_NS_PER_S;

/* A phase, its usual share of the time, and how it fails when it does. */
static const struct phase {
    const char *name;
    double share;
    const char *message;
    enum vts_rpc_code error_code;
    const char *error_message;
} phases[PHASES] = {
    {"download", 0.10, "fetching the source video", VTS_RPC_UNAVAILABLE,
     "download: the source stopped answering"},
    {"transcribe", 0.25, "writing down what is said", VTS_RPC_FAILED_PRECONDITION,
     "transcribe: no speech was found"},
    {"translate", 0.15, "translating the transcript", VTS_RPC_RESOURCE_EXHAUSTED,
     "translate: the translation quota is used up"},
    {"synthesize", 0.20, "speaking the translation", VTS_RPC_INTERNAL,
     "synthesize: the voice model crashed"},
    {"encode", 0.20, "putting sound and picture together", VTS_RPC_INTERNAL,
     "encode: the encoder ended with an error"},
    {"upload", 0.10, "storing the result", VTS_RPC_UNAVAILABLE,
     "upload: the storage is not reachable"},
};

enum step_kind { STEP_QUEUED, STEP_REPORT, STEP_SUCCEEDED, STEP_FAILED };

struct vts_simulation_step {
    int64_t at_ns; /* since the start */
    enum step_kind kind;
    int phase;
    float percent;
};

/* ---- options ----------------------------------------------------------------------------- */

/* strtod() alone would take hexadecimal and exponents too. */
static bool is_number_char(char c)
{
    return (c >= '0' && c <= '9') || c == '.';
}

static enum vts_err parse_number(struct vts_str text, double max, double *ret_value,
                                 struct vts_str *ret_rest)
{
    char copy[TEXT_MAX_BYTES];
    size_t len = 0;
    char *end;
    double value;

    while (len < text.len && len < sizeof(copy) - 1 && is_number_char(text.ptr[len]))
        len++;
    if (len == 0 || text.ptr[0] == '.')
        return VTS_ERR_INVALID;
    memcpy(copy, text.ptr, len);
    copy[len] = '\0';
    value = strtod(copy, &end);
    if (value > max)
        return VTS_ERR_INVALID;
    *ret_value = value;
    *ret_rest = vts_str_make(text.ptr + (end - copy), text.len - (size_t)(end - copy));
    return VTS_OK;
}

static enum vts_err parse_delay(struct vts_str text, int64_t *ret_ns)
{
    static const struct {
        const char *name;
        int64_t ns;
    } units[] = {{"ms", VTS_NS_PER_MS},
                 {"s", VTS_NS_PER_S},
                 {"m", (int64_t)60 * VTS_NS_PER_S},
                 {"h", (int64_t)3600 * VTS_NS_PER_S}};
    struct vts_str unit;
    double value;

    if (parse_number(text, 1e9, &value, &unit) != VTS_OK)
        return VTS_ERR_INVALID;
    for (size_t i = 0; i < VTS_ARRAY_LEN(units); i++) {
        if (!vts_str_equals_text(unit, units[i].name))
            continue;
        if (value * (double)units[i].ns > (double)delay_max_ns)
            return VTS_ERR_INVALID;
        *ret_ns = (int64_t)(value * (double)units[i].ns);
        return VTS_OK;
    }
    return VTS_ERR_INVALID;
}

static enum vts_err parse_part(struct vts_str name, struct vts_str value,
                               struct vts_simulation_options *options)
{
    struct vts_str rest;

    if (vts_str_equals_text(name, "delay"))
        return parse_delay(value, &options->delay_ns);
    if (vts_str_equals_text(name, "seed"))
        return vts_str_to_u64(value, UINT64_MAX, &options->seed);
    if (vts_str_equals_text(name, "error_rate") &&
        parse_number(value, 1.0, &options->error_rate, &rest) == VTS_OK && rest.len == 0)
        return VTS_OK;
    return VTS_ERR_INVALID;
}

enum vts_err vts_simulation_parse(const char *text, struct vts_simulation_options *ret_options,
                                  struct vts_error *error)
{
    struct vts_simulation_options options = {
        .delay_ns = (int64_t)8 * VTS_NS_PER_S, .error_rate = 0.2, .seed = 1};
    struct vts_str rest = vts_str_of(text);
    struct vts_str part;

    while (text[0] != '\0' && vts_str_split(&rest, ',', &part)) {
        struct vts_str value = part;
        struct vts_str name;

        (void)vts_str_split(&value, '=', &name); /* a part without "=" fails as one without value */
        if (parse_part(name, value, &options) != VTS_OK)
            return vts_error_set(error, VTS_ERR_INVALID,
                                 "\"%.*s\" is none of delay=8s, error_rate=0.2, seed=1 (delay in "
                                 "ms, s, m or h, up to 24h; error_rate from 0 to 1)",
                                 (int)part.len, part.ptr);
    }
    *ret_options = options;
    return VTS_OK;
}

/* ---- planning ---------------------------------------------------------------------------- */

static void add_step(struct vts_simulation *simulation, enum step_kind kind, int64_t at_ns,
                     int phase, double percent)
{
    simulation->steps[simulation->steps_count++] = (struct vts_simulation_step){
        .at_ns = at_ns, .kind = kind, .phase = phase, .percent = (float)percent};
}

/* Draws how the time divides; ends[i] is where phase i ends, the last at 1. */
static void draw_phase_ends(struct vts_rng *rng, double ends[PHASES])
{
    double sum = 0;

    for (int i = 0; i < PHASES; i++) {
        sum += phases[i].share * (0.7 + 0.6 * vts_rng_next_unit(rng));
        ends[i] = sum;
    }
    for (int i = 0; i < PHASES; i++)
        ends[i] /= sum;
}

/* Reports from pick-up to the end, at which `reach` of the whole work is done. */
static void plan_reports(struct vts_simulation *simulation, const double ends[PHASES],
                         int64_t start_ns, double reach)
{
    int64_t span_ns = simulation->options.delay_ns - start_ns;
    int64_t gap_ns =
        span_ns / REPORTS_MAX > report_gap_min_ns ? span_ns / REPORTS_MAX + 1 : report_gap_min_ns;
    int phase = 0;

    for (int64_t at_ns = 0; at_ns < span_ns; at_ns += gap_ns) {
        double done = reach * (double)at_ns / (double)span_ns;

        while (phase < PHASES - 1 && done >= ends[phase])
            phase++;
        add_step(simulation, STEP_REPORT, start_ns + at_ns, phase, (double)(int)(done * 1000) / 10);
    }
}

static void plan(struct vts_simulation *simulation)
{
    const struct vts_simulation_options *options = &simulation->options;
    int64_t pick_up_ns =
        options->delay_ns / 20 < VTS_NS_PER_S ? options->delay_ns / 20 : VTS_NS_PER_S;
    double ends[PHASES];
    struct vts_rng rng;
    bool fails;
    double reach;

    vts_rng_init(&rng, options->seed);
    fails = vts_rng_next_unit(&rng) < options->error_rate;
    reach = fails ? 0.05 + 0.9 * vts_rng_next_unit(&rng) : 1;
    draw_phase_ends(&rng, ends);
    add_step(simulation, STEP_QUEUED, 0, 0, 0);
    plan_reports(simulation, ends, pick_up_ns, reach);
    add_step(simulation, fails ? STEP_FAILED : STEP_SUCCEEDED, options->delay_ns, PHASES - 1, 100);
}

enum vts_err vts_simulation_init(struct vts_simulation *simulation, const char *id,
                                 const struct vts_simulation_options *options, int64_t start_ns,
                                 int64_t start_wall_ns)
{
    *simulation = (struct vts_simulation){.options = *options,
                                          .start_ns = start_ns,
                                          .start_wall_ns = start_wall_ns,
                                          .job = {.id = id}};
    simulation->steps = vts_mem_alloc(STEPS_MAX * sizeof(*simulation->steps));
    if (simulation->steps == NULL)
        return VTS_ERR_NOMEM;
    plan(simulation);
    simulation->job.expected_end_ns = start_ns + options->delay_ns;
    simulation->job.expected_end_wall_ns = start_wall_ns + options->delay_ns;
    return VTS_OK;
}

void vts_simulation_fini(struct vts_simulation *simulation)
{
    vts_mem_free(simulation->steps);
    simulation->steps = NULL;
}

int64_t vts_simulation_due_ns(const struct vts_simulation *simulation)
{
    if (simulation->next_step == simulation->steps_count)
        return INT64_MAX;
    return simulation->start_ns + simulation->steps[simulation->next_step].at_ns;
}

static void report(struct vts_job *job, const struct vts_simulation_step *step)
{
    job->state = VTS_JOB_RUNNING;
    job->queue_position = 0;
    job->attempt = 1;
    job->percent = step->percent;
    job->phase = phases[step->phase].name;
    job->phase_index = step->phase + 1;
    job->phase_count = PHASES;
    job->progress_message = phases[step->phase].message;
}

/* The phase that was reported last is the one that fails. */
static void fail(struct vts_job *job)
{
    int phase = job->phase_index == 0 ? 0 : job->phase_index - 1;

    job->state = VTS_JOB_FAILED;
    job->queue_position = 0;
    job->error_code = (int32_t)phases[phase].error_code;
    job->error_message = phases[phase].error_message;
    job->progress_message = NULL;
}

void vts_simulation_step(struct vts_simulation *simulation)
{
    const struct vts_simulation_step *step = &simulation->steps[simulation->next_step++];
    struct vts_job *job = &simulation->job;

    job->revision++;
    job->update_wall_ns = simulation->start_wall_ns + step->at_ns;
    switch (step->kind) {
    case STEP_QUEUED:
        job->state = VTS_JOB_PENDING;
        job->queue_position = 1;
        break;
    case STEP_REPORT:
        report(job, step);
        break;
    case STEP_SUCCEEDED:
        report(job, step);
        job->state = VTS_JOB_SUCCEEDED;
        job->progress_message = NULL;
        job->output_uri = "simulated:///translated.mp4";
        break;
    case STEP_FAILED:
        fail(job);
        break;
    }
}
