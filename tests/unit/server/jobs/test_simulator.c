/* SPDX-License-Identifier: Apache-2.0 */
/* test_simulator.c - the make-believe run: its options, its shape, and that a seed repeats it. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/jobs/simulator.h"
#include "tests/support/suite.h"

static const int64_t start_ns = INT64_C(77) * VTS_NS_PER_S;
static const int64_t start_wall_ns = INT64_C(1700000000) * VTS_NS_PER_S;

static struct vts_simulation_options parse(const char *text)
{
    struct vts_simulation_options options = {0};
    struct vts_error error = {""};

    CU_ASSERT_EQUAL_FATAL(vts_simulation_parse(text, &options, &error), VTS_OK);
    return options;
}

static void begin(struct vts_simulation *simulation, const struct vts_simulation_options *options)
{
    CU_ASSERT_EQUAL_FATAL(
        vts_simulation_init(simulation, "default", options, start_ns, start_wall_ns), VTS_OK);
}

/* Takes every step; returns the last instant at which one was due. */
static int64_t play_to_the_end(struct vts_simulation *simulation)
{
    int64_t last_ns = INT64_MIN;
    int64_t due_ns;

    while ((due_ns = vts_simulation_due_ns(simulation)) != INT64_MAX) {
        CU_ASSERT_FATAL(due_ns >= last_ns);
        last_ns = due_ns;
        vts_simulation_step(simulation);
    }
    return last_ns;
}

/* ---- options ----------------------------------------------------------------------------- */

static void parse_of_nothing_gives_the_defaults(void)
{
    struct vts_simulation_options options = parse("");

    CU_ASSERT_EQUAL(options.delay_ns, INT64_C(8) * VTS_NS_PER_S);
    CU_ASSERT_EQUAL(options.error_rate, 0.2);
    CU_ASSERT_EQUAL(options.seed, 1);
}

static void parse_of_all_parts_reads_them_in_any_order(void)
{
    struct vts_simulation_options options =
        parse("seed=18446744073709551615,delay=1.5s,error_rate=0.75");

    CU_ASSERT_EQUAL(options.delay_ns, INT64_C(1500) * VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(options.error_rate, 0.75);
    CU_ASSERT_EQUAL(options.seed, UINT64_MAX);
}

static void parse_of_delay_reads_every_unit(void)
{
    static const struct {
        const char *text;
        int64_t ns;
    } rows[] = {
        {"delay=0s", 0},
        {"delay=250ms", INT64_C(250) * VTS_NS_PER_MS},
        {"delay=90s", INT64_C(90) * VTS_NS_PER_S},
        {"delay=2m", INT64_C(120) * VTS_NS_PER_S},
        {"delay=0.5h", INT64_C(1800) * VTS_NS_PER_S},
        {"delay=24h", INT64_C(86400) * VTS_NS_PER_S},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(parse(rows[i].text).delay_ns, rows[i].ns);
}

static void parse_of_bad_part_names_it_and_changes_nothing(void)
{
    static const char *const parts[] = {
        "delay",
        "delay=",
        "delay=s",
        "delay=8",
        "delay=8x",
        "delay=-1s",
        "delay=25h",
        "delay=86401s",
        "delay= 8s",
        "delay=8s ",
        "delay=1e99s",
        "delay=nans",
        "delay=infs",
        "delay=0x10s",
        "delay=1e3s",
        "error_rate=1.1",
        "error_rate=-0.1",
        "error_rate=",
        "error_rate=x",
        "error_rate=0.5x",
        "error_rate=nan",
        "seed=-1",
        "seed=",
        "seed=1.5",
        "seed=18446744073709551616",
        "colour=red",
        "=",
        "=8s",
        "DELAY=8s",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(parts); i++) {
        struct vts_simulation_options options = {.seed = 42};
        struct vts_error error = {""};
        char quoted[64] = "\"";

        memcpy(quoted + 1, parts[i], strlen(parts[i]) + 1);
        CU_ASSERT_EQUAL(vts_simulation_parse(parts[i], &options, &error), VTS_ERR_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, quoted));
        CU_ASSERT_EQUAL(options.seed, 42);
    }
}

static void parse_of_bad_part_behind_a_good_one_fails(void)
{
    struct vts_simulation_options options = {.seed = 42};
    struct vts_error error = {""};

    CU_ASSERT_EQUAL(vts_simulation_parse("seed=5,delay=x", &options, &error), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(options.seed, 42);
    CU_ASSERT_EQUAL(vts_simulation_parse("seed=5,,delay=8s", &options, NULL), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_simulation_parse("seed=5,", &options, NULL), VTS_ERR_INVALID);
}

/* ---- runs -------------------------------------------------------------------------------- */

static void check_same_run(uint64_t seed)
{
    const struct vts_simulation_options options = {
        .delay_ns = INT64_C(60) * VTS_NS_PER_S, .error_rate = 0.5, .seed = seed};
    struct vts_simulation a;
    struct vts_simulation b;

    begin(&a, &options);
    begin(&b, &options);
    while (vts_simulation_due_ns(&a) != INT64_MAX) {
        CU_ASSERT_EQUAL_FATAL(vts_simulation_due_ns(&a), vts_simulation_due_ns(&b));
        vts_simulation_step(&a);
        vts_simulation_step(&b);
        CU_ASSERT_EQUAL(a.job.state, b.job.state);
        CU_ASSERT_EQUAL(a.job.percent, b.job.percent);
        CU_ASSERT_EQUAL(a.job.phase_index, b.job.phase_index);
        CU_ASSERT_EQUAL(a.job.error_code, b.job.error_code);
    }
    CU_ASSERT_EQUAL(vts_simulation_due_ns(&b), INT64_MAX);
    vts_simulation_fini(&a);
    vts_simulation_fini(&b);
}

static void same_seed_gives_the_same_run(void)
{
    for (uint64_t seed = 0; seed < 50; seed++)
        check_same_run(seed);
}

static void other_seeds_give_other_runs(void)
{
    struct vts_simulation_options options = {
        .delay_ns = INT64_C(60) * VTS_NS_PER_S, .error_rate = 0.5, .seed = 0};
    int failed = 0;

    for (; options.seed < 1000; options.seed++) {
        struct vts_simulation simulation;

        begin(&simulation, &options);
        (void)play_to_the_end(&simulation);
        failed += simulation.job.state == VTS_JOB_FAILED;
        vts_simulation_fini(&simulation);
    }
    CU_ASSERT(failed > 400 && failed < 600);
}

/* What holds of every step, whatever the options. */
static void check_step(const struct vts_job *before, const struct vts_job *after)
{
    CU_ASSERT_EQUAL(after->revision, before->revision + 1);
    CU_ASSERT(after->percent >= before->percent && after->percent <= 100);
    CU_ASSERT(after->phase_index >= before->phase_index && after->phase_index <= 6);
    CU_ASSERT(after->update_wall_ns >= before->update_wall_ns);
    CU_ASSERT_FALSE(before->state != 0 && vts_job_is_done(before->state));
    CU_ASSERT_EQUAL(after->phase == NULL, after->phase_index == 0);
}

/* Plays a run and checks it on the way; the job's last shape goes to *ret_last. */
static void check_run(const struct vts_simulation_options *options, struct vts_job *ret_last)
{
    struct vts_simulation simulation;
    int64_t due_ns = INT64_MAX;

    begin(&simulation, options);
    CU_ASSERT_EQUAL(vts_simulation_due_ns(&simulation), start_ns);
    while (vts_simulation_due_ns(&simulation) != INT64_MAX) {
        struct vts_job before = simulation.job;

        due_ns = vts_simulation_due_ns(&simulation);
        vts_simulation_step(&simulation);
        check_step(&before, &simulation.job);
    }
    CU_ASSERT_EQUAL(due_ns, start_ns + options->delay_ns);
    CU_ASSERT(vts_job_is_done(simulation.job.state));
    CU_ASSERT_EQUAL(simulation.job.update_wall_ns, start_wall_ns + options->delay_ns);
    *ret_last = simulation.job;
    vts_simulation_fini(&simulation);
}

static void run_of_any_delay_rises_and_ends_on_time(void)
{
    static const int64_t delays_ns[] = {
        0,
        1,
        999,
        INT64_C(1) * VTS_NS_PER_MS,
        INT64_C(249) * VTS_NS_PER_MS,
        INT64_C(8) * VTS_NS_PER_S,
        /* About where the reports stop being four a second. */
        INT64_C(25000000099),
        INT64_C(26000000099),
        INT64_C(26000000100),
        INT64_C(3600) * VTS_NS_PER_S,
        INT64_C(86400) * VTS_NS_PER_S,
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(delays_ns); i++) {
        for (uint64_t seed = 0; seed < 20; seed++) {
            const struct vts_simulation_options options = {
                .delay_ns = delays_ns[i], .error_rate = 0.5, .seed = seed};
            struct vts_job last;

            check_run(&options, &last);
        }
    }
}

static void run_with_error_rate_zero_always_succeeds(void)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        const struct vts_simulation_options options = {
            .delay_ns = VTS_NS_PER_S, .error_rate = 0, .seed = seed};
        struct vts_job last;

        check_run(&options, &last);
        CU_ASSERT_EQUAL(last.state, VTS_JOB_SUCCEEDED);
        CU_ASSERT_EQUAL(last.percent, 100);
        CU_ASSERT_EQUAL(last.error_code, 0);
        CU_ASSERT_PTR_NOT_NULL(last.output_uri);
    }
}

static void run_with_error_rate_one_always_fails(void)
{
    for (uint64_t seed = 0; seed < 200; seed++) {
        const struct vts_simulation_options options = {
            .delay_ns = INT64_C(30) * VTS_NS_PER_S, .error_rate = 1, .seed = seed};
        struct vts_job last;

        check_run(&options, &last);
        CU_ASSERT_EQUAL(last.state, VTS_JOB_FAILED);
        CU_ASSERT(last.percent < 100);
        CU_ASSERT_NOT_EQUAL(last.error_code, 0);
        CU_ASSERT_PTR_NULL(last.output_uri);
        /* The message names the phase that failed. */
        CU_ASSERT_EQUAL(strncmp(last.error_message, last.phase, strlen(last.phase)), 0);
    }
}

static void run_begins_queued_and_goes_through_every_phase(void)
{
    static const char *const names[] = {"download",   "transcribe", "translate",
                                        "synthesize", "encode",     "upload"};
    const struct vts_simulation_options options = {
        .delay_ns = INT64_C(600) * VTS_NS_PER_S, .error_rate = 0, .seed = 3};
    struct vts_simulation simulation;
    int seen = 0;

    begin(&simulation, &options);
    vts_simulation_step(&simulation);
    CU_ASSERT_EQUAL(simulation.job.state, VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(simulation.job.queue_position, 1);
    CU_ASSERT_EQUAL(simulation.job.expected_end_ns, start_ns + options.delay_ns);
    while (vts_simulation_due_ns(&simulation) != INT64_MAX) {
        vts_simulation_step(&simulation);
        CU_ASSERT_EQUAL(simulation.job.queue_position, 0);
        CU_ASSERT_STRING_EQUAL(simulation.job.phase, names[simulation.job.phase_index - 1]);
        seen |= 1 << simulation.job.phase_index;
    }
    CU_ASSERT_EQUAL(seen, 0x7e); /* 1 to 6 */
    vts_simulation_fini(&simulation);
}

static void run_reports_at_most_four_times_a_second(void)
{
    const struct vts_simulation_options options = {
        .delay_ns = INT64_C(10) * VTS_NS_PER_S, .error_rate = 0, .seed = 3};
    struct vts_simulation simulation;
    int64_t last_ns = INT64_MIN / 2;

    begin(&simulation, &options);
    vts_simulation_step(&simulation); /* queued: no report */
    while (vts_simulation_due_ns(&simulation) < start_ns + options.delay_ns) {
        CU_ASSERT(vts_simulation_due_ns(&simulation) - last_ns >= INT64_C(250) * VTS_NS_PER_MS);
        last_ns = vts_simulation_due_ns(&simulation);
        vts_simulation_step(&simulation);
    }
    vts_simulation_fini(&simulation);
}

static void init_without_memory_fails_and_may_be_finished(void)
{
    const struct vts_simulation_options options = {.delay_ns = VTS_NS_PER_S};
    struct vts_simulation simulation;

    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_simulation_init(&simulation, "default", &options, start_ns, start_wall_ns),
                    VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    vts_simulation_fini(&simulation);
}

static const struct vts_test tests[] = {
    {"parse_of_nothing_gives_the_defaults", parse_of_nothing_gives_the_defaults},
    {"parse_of_all_parts_reads_them_in_any_order", parse_of_all_parts_reads_them_in_any_order},
    {"parse_of_delay_reads_every_unit", parse_of_delay_reads_every_unit},
    {"parse_of_bad_part_names_it_and_changes_nothing",
     parse_of_bad_part_names_it_and_changes_nothing},
    {"parse_of_bad_part_behind_a_good_one_fails", parse_of_bad_part_behind_a_good_one_fails},
    {"same_seed_gives_the_same_run", same_seed_gives_the_same_run},
    {"other_seeds_give_other_runs", other_seeds_give_other_runs},
    {"run_of_any_delay_rises_and_ends_on_time", run_of_any_delay_rises_and_ends_on_time},
    {"run_with_error_rate_zero_always_succeeds", run_with_error_rate_zero_always_succeeds},
    {"run_with_error_rate_one_always_fails", run_with_error_rate_one_always_fails},
    {"run_begins_queued_and_goes_through_every_phase",
     run_begins_queued_and_goes_through_every_phase},
    {"run_reports_at_most_four_times_a_second", run_reports_at_most_four_times_a_second},
    {"init_without_memory_fails_and_may_be_finished",
     init_without_memory_fails_and_may_be_finished},
};

int main(void)
{
    return vts_test_run("test_simulator", tests, VTS_ARRAY_LEN(tests));
}
