/* SPDX-License-Identifier: Apache-2.0 */
/* test_simulation.c - the make-believe attempt: its options, its shape, and that a seed repeats it.
 */
#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "server/jobs/simulation.h"
#include "tests/support/suite.h"

enum { MANY = 2000 };

static const int64_t day_ns = INT64_C(86400) * VTS_NS_PER_S;

static struct vts_simulation_options parse(const char *text)
{
    struct vts_simulation_options options = {0};
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL_FATAL(vts_simulation_parse(text, &options, &error), VTS_OK);
    return options;
}

/* ---- options ----------------------------------------------------------------------------- */

static void parse_of_nothing_gives_the_defaults(void)
{
    struct vts_simulation_options options = parse("");

    CU_ASSERT_EQUAL(options.workers_count, 1);
    CU_ASSERT_EQUAL(options.delay.shape, VTS_SIMULATION_FIXED);
    CU_ASSERT_EQUAL(options.delay.ns, INT64_C(8) * VTS_NS_PER_S);
    CU_ASSERT_EQUAL(options.error_rate, 0.2);
    CU_ASSERT_EQUAL(options.crash_rate, 0);
    CU_ASSERT_EQUAL(options.seed, 1);
    CU_ASSERT_EQUAL(options.lease_ns, INT64_C(60) * VTS_NS_PER_S);
    CU_ASSERT_EQUAL(options.queues_count, 1);
    CU_ASSERT_STRING_EQUAL(options.queues[0], "default");
}

static void parse_of_all_parts_reads_them_in_any_order(void)
{
    struct vts_simulation_options options = parse(
        "seed=18446744073709551615,delay=1.5s,queues=slow:gpu-2,error_rate=0.75,"
        "workers=100000,lease=1s,crash_rate=1");

    CU_ASSERT_EQUAL(options.delay.ns, INT64_C(1500) * VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(options.error_rate, 0.75);
    CU_ASSERT_EQUAL(options.crash_rate, 1);
    CU_ASSERT_EQUAL(options.seed, UINT64_MAX);
    CU_ASSERT_EQUAL(options.workers_count, VTS_SIMULATION_WORKERS_MAX);
    CU_ASSERT_EQUAL(options.lease_ns, VTS_NS_PER_S);
    CU_ASSERT_EQUAL(options.queues_count, 2);
    CU_ASSERT_STRING_EQUAL(options.queues[0], "slow");
    CU_ASSERT_STRING_EQUAL(options.queues[1], "gpu-2");
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
        CU_ASSERT_EQUAL(parse(rows[i].text).delay.ns, rows[i].ns);
}

static void parse_of_delay_reads_every_shape(void)
{
    struct vts_simulation_delay uniform = parse("delay=uniform:2s:20s").delay;
    struct vts_simulation_delay lognormal = parse("delay=lognormal:400ms:0.8").delay;

    CU_ASSERT_EQUAL(uniform.shape, VTS_SIMULATION_UNIFORM);
    CU_ASSERT_EQUAL(uniform.ns, INT64_C(2) * VTS_NS_PER_S);
    CU_ASSERT_EQUAL(uniform.most_ns, INT64_C(20) * VTS_NS_PER_S);
    CU_ASSERT_EQUAL(lognormal.shape, VTS_SIMULATION_LOGNORMAL);
    CU_ASSERT_EQUAL(lognormal.ns, INT64_C(400) * VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(lognormal.sigma, 0.8);
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
        "delay=8s:",
        "delay=8s:9s",
        "delay=uniform",
        "delay=uniform:",
        "delay=uniform:1s",
        "delay=uniform:1s:",
        "delay=uniform:2s:1s",
        "delay=uniform:1s:25h",
        "delay=uniform:1s:2s:3s",
        "delay=lognormal",
        "delay=lognormal:1s",
        "delay=lognormal:1s:",
        "delay=lognormal:1s:-1",
        "delay=lognormal:1s:5.1",
        "delay=lognormal:1s:1s",
        "delay=lognormal:25h:1",
        "delay=normal:1s:2s",
        "crash_rate=1.1",
        "crash_rate=",
        "workers=0",
        "workers=100001",
        "workers=-1",
        "workers=",
        "workers",
        "lease=999ms",
        "lease=3601s",
        "lease=",
        "queues=",
        "queues",
        "queues=a:",
        "queues=:a",
        "queues=A",
        "queues=a:b:c:d:e:f:g:h:i",
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
        struct vts_error error = {.text = ""};
        char quoted[128] = "\"";

        memcpy(quoted + 1, parts[i], strlen(parts[i]) + 1);
        CU_ASSERT_EQUAL(vts_simulation_parse(parts[i], &options, &error), VTS_ERR_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, quoted));
        CU_ASSERT_EQUAL(options.seed, 42);
    }
}

static void expect_text(const char *part, const char *words)
{
    struct vts_simulation_options options;
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL(vts_simulation_parse(part, &options, &error), VTS_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
}

static void parse_of_bad_part_says_what_it_must_be(void)
{
    char name[400];

    expect_text("lease=0.5s", "lease must be a time in ms, s, m or h, from 1s to 1h");
    expect_text("workers=0", "workers must be a whole number from 1 to 100000");
    expect_text("delay=uniform:5s:2s", "LEAST:MOST");
    expect_text("delay=lognormal:8s", "MEDIAN:SIGMA, a time and a number from 0 to 5");
    expect_text("crash_rate=2", "crash_rate must be a number from 0 to 1");
    expect_text("queues=:", "queues must be 1 to 8 names");
    expect_text("colour=red", "workers, delay, error_rate, crash_rate, lease, queues, seed");
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    expect_text(name, "xxx\" is no part of a simulation");
}

static void parse_of_a_part_given_twice_fails(void)
{
    expect_text("delay=uniform:0s:24h,delay=3s", "\"delay=3s\": delay is given twice");
    expect_text("seed=1,lease=5s,seed=1", "seed is given twice");
}

static void parse_of_bad_part_behind_a_good_one_fails(void)
{
    struct vts_simulation_options options = {.seed = 42};
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL(vts_simulation_parse("seed=5,delay=x", &options, &error), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(options.seed, 42);
    CU_ASSERT_EQUAL(vts_simulation_parse("seed=5,,delay=8s", &options, NULL), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_simulation_parse("seed=5,", &options, NULL), VTS_ERR_INVALID);
}

/* ---- drawing ----------------------------------------------------------------------------- */

static struct vts_simulation_plan plan_of(const struct vts_simulation_options *options,
                                          const char *job_id, int32_t attempt)
{
    struct vts_simulation_plan plan;

    vts_simulation_plan(options, job_id, attempt, &plan);
    return plan;
}

/* The plan of one of many jobs. */
static struct vts_simulation_plan plan_of_nth(const struct vts_simulation_options *options, int n)
{
    char job_id[32];

    (void)snprintf(job_id, sizeof(job_id), "job-%d", n);
    return plan_of(options, job_id, 1);
}

static bool is_same_plan(const struct vts_simulation_plan *a, const struct vts_simulation_plan *b)
{
    for (int i = 0; i < VTS_SIMULATION_PHASES; i++)
        if (a->phase_ends[i] != b->phase_ends[i])
            return false;
    return a->delay_ns == b->delay_ns && a->end == b->end && a->reach == b->reach;
}

static void same_seed_job_and_attempt_give_the_same_plan(void)
{
    struct vts_simulation_options options =
        parse("delay=lognormal:60s:0.5,error_rate=0.3,crash_rate=0.3");

    for (options.seed = 0; options.seed < 50; options.seed++) {
        struct vts_simulation_plan plan = plan_of(&options, "film", 2);
        struct vts_simulation_plan again = plan_of(&options, "film", 2);

        CU_ASSERT(is_same_plan(&plan, &again));
    }
}

static void another_seed_job_or_attempt_gives_another_plan(void)
{
    struct vts_simulation_options options = parse("delay=lognormal:60s:0.5,seed=7");
    struct vts_simulation_plan plan = plan_of(&options, "film", 1);
    struct vts_simulation_plan other_attempt = plan_of(&options, "film", 2);
    struct vts_simulation_plan other_job = plan_of(&options, "film2", 1);
    struct vts_simulation_plan other_seed;

    options.seed = 8;
    other_seed = plan_of(&options, "film", 1);
    CU_ASSERT_FALSE(is_same_plan(&plan, &other_attempt));
    CU_ASSERT_FALSE(is_same_plan(&plan, &other_job));
    CU_ASSERT_FALSE(is_same_plan(&plan, &other_seed));
}

/* Another machine, another year: what was published of a run must stay repeatable. */
static void plans_never_change(void)
{
    struct vts_simulation_options options = parse("error_rate=0.5,crash_rate=0.3,seed=42");
    static const enum vts_simulation_end ends[] = {
        VTS_SIMULATION_FAILS,    VTS_SIMULATION_FAILS,    VTS_SIMULATION_SUCCEEDS,
        VTS_SIMULATION_CRASHES,  VTS_SIMULATION_CRASHES,  VTS_SIMULATION_FAILS,
        VTS_SIMULATION_FAILS,    VTS_SIMULATION_SUCCEEDS, VTS_SIMULATION_FAILS,
        VTS_SIMULATION_SUCCEEDS, VTS_SIMULATION_FAILS,    VTS_SIMULATION_FAILS,
    };

    for (int i = 0; i < (int)VTS_ARRAY_LEN(ends); i++)
        CU_ASSERT_EQUAL(plan_of_nth(&options, i).end, ends[i]);
}

/* Of MANY jobs, those that end so. */
static int count_ends(const char *text, enum vts_simulation_end end)
{
    struct vts_simulation_options options = parse(text);
    int count = 0;

    for (int i = 0; i < MANY; i++)
        count += plan_of_nth(&options, i).end == end;
    return count;
}

static void rates_are_kept(void)
{
    static const char half_each[] = "error_rate=0.5,crash_rate=0.5";

    CU_ASSERT_EQUAL(count_ends("error_rate=0", VTS_SIMULATION_SUCCEEDS), MANY);
    CU_ASSERT_EQUAL(count_ends("error_rate=1", VTS_SIMULATION_FAILS), MANY);
    CU_ASSERT_EQUAL(count_ends("error_rate=1,crash_rate=1", VTS_SIMULATION_CRASHES), MANY);
    CU_ASSERT(abs(count_ends("error_rate=0.2", VTS_SIMULATION_FAILS) - MANY / 5) < MANY / 20);
    CU_ASSERT(abs(count_ends(half_each, VTS_SIMULATION_CRASHES) - MANY / 2) < MANY / 20);
    /* Half of those that do not crash. */
    CU_ASSERT(abs(count_ends(half_each, VTS_SIMULATION_FAILS) - MANY / 4) < MANY / 20);
}

static int order_ns(const void *a, const void *b)
{
    int64_t first_ns = *(const int64_t *)a;
    int64_t second_ns = *(const int64_t *)b;

    return (first_ns > second_ns) - (first_ns < second_ns);
}

/* The delays of MANY jobs, the shortest first. */
static void draw_delays(const char *text, int64_t ret_delays_ns[MANY])
{
    struct vts_simulation_options options = parse(text);

    for (int i = 0; i < MANY; i++)
        ret_delays_ns[i] = plan_of_nth(&options, i).delay_ns;
    qsort(ret_delays_ns, MANY, sizeof(ret_delays_ns[0]), order_ns);
}

/* The delay that so great a share of the jobs stays below. */
static double quantile_s(const int64_t delays_ns[MANY], double share)
{
    return (double)delays_ns[(size_t)(share * MANY)] / 1e9;
}

static void fixed_delay_is_always_the_same(void)
{
    int64_t delays_ns[MANY];

    draw_delays("delay=1500ms", delays_ns);
    CU_ASSERT_EQUAL(delays_ns[0], INT64_C(1500) * VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(delays_ns[MANY - 1], INT64_C(1500) * VTS_NS_PER_MS);
}

static void uniform_delays_fill_their_range_evenly(void)
{
    int64_t delays_ns[MANY];

    draw_delays("delay=uniform:10s:20s", delays_ns);
    CU_ASSERT(delays_ns[0] >= INT64_C(10) * VTS_NS_PER_S);
    CU_ASSERT(delays_ns[MANY - 1] < INT64_C(20) * VTS_NS_PER_S);
    for (int i = 1; i < 10; i++)
        CU_ASSERT_DOUBLE_EQUAL(quantile_s(delays_ns, 0.1 * i), 10 + i, 0.5);
}

static void lognormal_delays_have_their_median_and_spread(void)
{
    int64_t delays_ns[MANY];

    draw_delays("delay=lognormal:60s:0.5", delays_ns);
    CU_ASSERT_DOUBLE_EQUAL(quantile_s(delays_ns, 0.5), 60, 3);
    /* One standard deviation to either side. */
    CU_ASSERT_DOUBLE_EQUAL(quantile_s(delays_ns, 0.1587), 60 * exp(-0.5), 3);
    CU_ASSERT_DOUBLE_EQUAL(quantile_s(delays_ns, 0.8413), 60 * exp(0.5), 6);
}

static void no_delay_is_past_a_day(void)
{
    int64_t delays_ns[MANY];

    draw_delays("delay=lognormal:24h:5", delays_ns);
    CU_ASSERT(delays_ns[0] >= 0);
    CU_ASSERT_EQUAL(delays_ns[MANY - 1], day_ns);
}

/* ---- reports ----------------------------------------------------------------------------- */

static struct vts_simulation_report report_at(const struct vts_simulation_plan *plan,
                                              int64_t elapsed_ns)
{
    struct vts_simulation_report report;

    vts_simulation_report(plan, elapsed_ns, &report);
    return report;
}

/* Goes through all reports of an attempt; returns how many there are, and in *ret_phases the phases
 * seen, a bit each. */
static int check_run(const struct vts_simulation_plan *plan, unsigned *ret_phases)
{
    struct vts_simulation_report last = {.phase_index = 1};
    int64_t at_ns = 0;
    int count = 0;

    *ret_phases = 0;
    for (;;) {
        struct vts_simulation_report report = report_at(plan, at_ns);
        int64_t next_ns = vts_simulation_next_report_ns(plan, at_ns);

        CU_ASSERT(report.percent >= last.percent && report.percent <= 100);
        CU_ASSERT(report.phase_index >= last.phase_index);
        CU_ASSERT_FATAL(report.phase_index <= VTS_SIMULATION_PHASES);
        *ret_phases |= 1U << report.phase_index;
        last = report;
        count++;
        if (at_ns >= plan->delay_ns)
            return count;
        CU_ASSERT_FATAL(next_ns > at_ns && next_ns <= plan->delay_ns);
        CU_ASSERT(next_ns - at_ns >= INT64_C(250) * VTS_NS_PER_MS || next_ns == plan->delay_ns);
        at_ns = next_ns;
    }
}

static void run_of_any_delay_rises_to_its_end(void)
{
    static const char *const delays[] = {
        "delay=0s",  "delay=1ms", "delay=249ms", "delay=8s",
        "delay=25s", "delay=26s", "delay=3600s", "delay=24h",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(delays); i++) {
        struct vts_simulation_options options = parse(delays[i]);

        for (int n = 0; n < 20; n++) {
            struct vts_simulation_plan plan = plan_of_nth(&options, n);
            unsigned phases;

            CU_ASSERT(check_run(&plan, &phases) <= 102);
        }
    }
}

static void success_goes_through_every_phase_to_100(void)
{
    static const char *const names[] = {"download",   "transcribe", "translate",
                                        "synthesize", "encode",     "upload"};
    struct vts_simulation_options options = parse("delay=600s,error_rate=0");
    struct vts_simulation_plan plan = plan_of(&options, "film", 1);
    unsigned phases;

    CU_ASSERT_EQUAL(check_run(&plan, &phases), 101);
    CU_ASSERT_EQUAL(phases, 0x7e); /* 1 to 6 */
    CU_ASSERT_EQUAL(report_at(&plan, 0).percent, 0);
    CU_ASSERT_EQUAL(report_at(&plan, plan.delay_ns).percent, 100);
    for (int64_t at_ns = 0; at_ns < plan.delay_ns; at_ns += VTS_NS_PER_S) {
        struct vts_simulation_report report = report_at(&plan, at_ns);

        CU_ASSERT_STRING_EQUAL(report.phase, names[report.phase_index - 1]);
    }
}

static void failure_stops_short_and_names_its_phase(void)
{
    struct vts_simulation_options options = parse("delay=30s,error_rate=1");

    for (int n = 0; n < 200; n++) {
        struct vts_simulation_plan plan = plan_of_nth(&options, n);
        struct vts_simulation_report report = report_at(&plan, plan.delay_ns);

        CU_ASSERT(report.percent < 100);
        CU_ASSERT_NOT_EQUAL(report.error_code, VTS_RPC_OK);
        CU_ASSERT_EQUAL(strncmp(report.error_message, report.phase, strlen(report.phase)), 0);
    }
}

/* A report that comes late says what it would have said in time. */
static void reports_do_not_depend_on_when_they_are_made(void)
{
    struct vts_simulation_options options = parse("delay=100s,error_rate=0");
    struct vts_simulation_plan plan = plan_of(&options, "film", 1);
    int64_t due_ns = vts_simulation_next_report_ns(&plan, INT64_C(40) * VTS_NS_PER_S);
    int64_t late_ns = vts_simulation_next_report_ns(&plan, due_ns) - 1;

    CU_ASSERT_EQUAL(report_at(&plan, due_ns).percent, report_at(&plan, late_ns).percent);
    CU_ASSERT(report_at(&plan, late_ns + 1).percent > report_at(&plan, late_ns).percent);
}

static const struct vts_test tests[] = {
    {"parse_of_nothing_gives_the_defaults", parse_of_nothing_gives_the_defaults},
    {"parse_of_all_parts_reads_them_in_any_order", parse_of_all_parts_reads_them_in_any_order},
    {"parse_of_delay_reads_every_unit", parse_of_delay_reads_every_unit},
    {"parse_of_delay_reads_every_shape", parse_of_delay_reads_every_shape},
    {"parse_of_bad_part_names_it_and_changes_nothing",
     parse_of_bad_part_names_it_and_changes_nothing},
    {"parse_of_bad_part_says_what_it_must_be", parse_of_bad_part_says_what_it_must_be},
    {"parse_of_a_part_given_twice_fails", parse_of_a_part_given_twice_fails},
    {"parse_of_bad_part_behind_a_good_one_fails", parse_of_bad_part_behind_a_good_one_fails},
    {"same_seed_job_and_attempt_give_the_same_plan", same_seed_job_and_attempt_give_the_same_plan},
    {"another_seed_job_or_attempt_gives_another_plan",
     another_seed_job_or_attempt_gives_another_plan},
    {"plans_never_change", plans_never_change},
    {"rates_are_kept", rates_are_kept},
    {"fixed_delay_is_always_the_same", fixed_delay_is_always_the_same},
    {"uniform_delays_fill_their_range_evenly", uniform_delays_fill_their_range_evenly},
    {"lognormal_delays_have_their_median_and_spread",
     lognormal_delays_have_their_median_and_spread},
    {"no_delay_is_past_a_day", no_delay_is_past_a_day},
    {"run_of_any_delay_rises_to_its_end", run_of_any_delay_rises_to_its_end},
    {"success_goes_through_every_phase_to_100", success_goes_through_every_phase_to_100},
    {"failure_stops_short_and_names_its_phase", failure_stops_short_and_names_its_phase},
    {"reports_do_not_depend_on_when_they_are_made", reports_do_not_depend_on_when_they_are_made},
};

int main(void)
{
    return vts_test_run("test_simulation", tests, VTS_ARRAY_LEN(tests));
}
