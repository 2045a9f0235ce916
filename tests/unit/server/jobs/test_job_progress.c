/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_progress.c - what is seen of an attempt's progress, and when. */
#include <CUnit/CUnit.h>
#include <math.h>

#include "common/base/clock.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/job_bench.h"

static const int64_t ms = VTS_NS_PER_MS;

/* Asserts what is visible, and how the last event got it there. */
static void expect_seen(const struct job_bench *bench, float percent, bool is_visible)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench->status->progress);
    CU_ASSERT_EQUAL(bench->status->progress->percent, percent);
    CU_ASSERT_EQUAL(bench->change.is_visible, is_visible);
}

static enum vts_job_refusal report(struct job_bench *bench, const Vtstatus__V1__Progress *progress)
{
    const struct vts_job_event event = {
        .kind = VTS_JOB_EVENT_HEARTBEAT, .token = "t", .progress = progress};

    return job_bench_apply(bench, &event);
}

static void report_is_seen_as_it_is(void)
{
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    struct job_bench bench;

    progress.percent = 12.5F;
    progress.phase = (char *)(uintptr_t) "transcribe";
    progress.phase_index = 2;
    progress.phase_count = 6;
    progress.message = (char *)(uintptr_t) "writing down";
    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(report(&bench, &progress), VTS_JOB_REFUSAL_NONE);
    expect_seen(&bench, 12.5F, true);
    CU_ASSERT_STRING_EQUAL(bench.status->progress->phase, "transcribe");
    CU_ASSERT_EQUAL(bench.status->progress->phase_index, 2);
    CU_ASSERT_EQUAL(bench.status->progress->phase_count, 6);
    CU_ASSERT_STRING_EQUAL(bench.status->progress->message, "writing down");
    job_bench_fini(&bench);
}

static void report_of_the_same_is_no_revision(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_report(&bench, "t", 10);
    (void)job_bench_report(&bench, "t", 10);
    expect_seen(&bench, 10, false);
    CU_ASSERT_FALSE(bench.change.is_changed);
    bench.now_ns += 300 * ms;
    (void)job_bench_report(&bench, "t", 10);
    expect_seen(&bench, 10, false);
    CU_ASSERT(bench.change.is_changed); /* the lease */
    job_bench_fini(&bench);
}

static void percent_never_falls_and_stays_in_bounds(void)
{
    static const struct {
        float reported;
        float seen;
    } rows[] = {
        {-5, 0},  {-INFINITY, 0}, {NAN, 0},      {0.5F, 0.5F},    {0.25F, 0.5F}, {NAN, 0.5F},
        {99, 99}, {-1, 99},       {100.5F, 100}, {INFINITY, 100}, {NAN, 100},    {50, 100},
    };
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        bench.now_ns += 250 * ms;
        CU_ASSERT_EQUAL(job_bench_report(&bench, "t", rows[i].reported), VTS_JOB_REFUSAL_NONE);
        CU_ASSERT_EQUAL(bench.status->progress->percent, rows[i].seen);
    }
    job_bench_fini(&bench);
}

static void infinite_percent_is_the_whole(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_report(&bench, "t", INFINITY);
    expect_seen(&bench, 100, true);
    job_bench_fini(&bench);
}

static void report_too_early_is_held_until_it_is_due(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_report(&bench, "t", 10);
    expect_seen(&bench, 10, true);
    bench.now_ns += 100 * ms;
    (void)job_bench_report(&bench, "t", 20);
    expect_seen(&bench, 10, false);
    CU_ASSERT(bench.change.is_changed);
    CU_ASSERT_EQUAL(vts_job_due_ns(bench.record), bench.now_ns + 150 * ms);
    job_bench_pass(&bench, 150 * ms - 1);
    CU_ASSERT_FALSE(bench.change.is_changed);
    job_bench_pass(&bench, 1);
    expect_seen(&bench, 20, true);
    CU_ASSERT(vts_job_due_ns(bench.record) > bench.now_ns + 250 * ms);
    job_bench_fini(&bench);
}

static void newest_of_what_is_held_is_seen(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_report(&bench, "t", 10);
    (void)job_bench_report(&bench, "t", 30);
    (void)job_bench_report(&bench, "t", 20); /* no fall behind what is held either */
    expect_seen(&bench, 10, false);
    bench.now_ns += 250 * ms;
    (void)job_bench_report(&bench, "t", 40);
    expect_seen(&bench, 40, true);
    CU_ASSERT_PTR_NULL(bench.record->held_progress);
    job_bench_fini(&bench);
}

static void report_that_goes_back_to_what_is_seen_holds_nothing(void)
{
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    progress.message = (char *)(uintptr_t) "a";
    (void)report(&bench, &progress);
    progress.message = (char *)(uintptr_t) "b";
    (void)report(&bench, &progress);
    CU_ASSERT_PTR_NOT_NULL(bench.record->held_progress);
    progress.message = (char *)(uintptr_t) "a";
    (void)report(&bench, &progress);
    CU_ASSERT(bench.change.is_changed);
    CU_ASSERT_FALSE(bench.change.is_visible);
    CU_ASSERT_PTR_NULL(bench.record->held_progress);
    job_bench_fini(&bench);
}

static void reports_all_the_time_are_four_revisions_a_second(void)
{
    struct job_bench bench;
    uint64_t revision;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    revision = bench.status->revision;
    for (int i = 1; i <= 1000; i++) {
        bench.now_ns += 10 * ms;
        (void)job_bench_report(&bench, "t", (float)i / 10);
    }
    CU_ASSERT_EQUAL(bench.status->revision, revision + 40);
    job_bench_fini(&bench);
}

static void held_progress_is_seen_with_the_next_change(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_report(&bench, "t", 10);
    (void)job_bench_report(&bench, "t", 20);
    (void)job_bench_cancel(&bench, "");
    expect_seen(&bench, 20, true);
    CU_ASSERT_PTR_NULL(bench.record->held_progress);
    (void)job_bench_report(&bench, "t", 30);
    expect_seen(&bench, 20, false);
    (void)job_bench_fail(&bench, "t", false);
    expect_seen(&bench, 30, true);
    job_bench_fini(&bench);
}

static void clock_set_back_holds_nothing_back(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_report(&bench, "t", 10);
    bench.now_ns -= 3600 * (int64_t)VTS_NS_PER_S;
    (void)job_bench_report(&bench, "t", 20);
    expect_seen(&bench, 20, true);
    job_bench_fini(&bench);
}

static void end_of_an_attempt_leaves_its_progress_and_not_its_message(void)
{
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    struct job_bench bench;

    progress.percent = 60;
    progress.phase = (char *)(uintptr_t) "encode";
    progress.message = (char *)(uintptr_t) "encoding";
    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)report(&bench, &progress);
    (void)job_bench_fail(&bench, "t", true);
    expect_seen(&bench, 60, true);
    CU_ASSERT_STRING_EQUAL(bench.status->progress->phase, "encode");
    CU_ASSERT_STRING_EQUAL(bench.status->progress->message, "");
    job_bench_fini(&bench);
}

static void new_attempt_starts_at_0_without_a_phase(void)
{
    struct job_bench bench;

    job_bench_init_in(&bench, VTS_JOB_RUNNING);
    (void)job_bench_report(&bench, "t", 60);
    (void)job_bench_fail(&bench, "t", true);
    bench.now_ns += VTS_NS_PER_S;
    (void)job_bench_lease(&bench, "u");
    expect_seen(&bench, 0, true);
    CU_ASSERT_STRING_EQUAL(bench.status->progress->phase, "");
    (void)job_bench_report(&bench, "u", 5);
    expect_seen(&bench, 5, true);
    job_bench_fini(&bench);
}

static const struct vts_test tests[] = {
    {"report_is_seen_as_it_is", report_is_seen_as_it_is},
    {"report_of_the_same_is_no_revision", report_of_the_same_is_no_revision},
    {"percent_never_falls_and_stays_in_bounds", percent_never_falls_and_stays_in_bounds},
    {"infinite_percent_is_the_whole", infinite_percent_is_the_whole},
    {"report_too_early_is_held_until_it_is_due", report_too_early_is_held_until_it_is_due},
    {"newest_of_what_is_held_is_seen", newest_of_what_is_held_is_seen},
    {"report_that_goes_back_to_what_is_seen_holds_nothing",
     report_that_goes_back_to_what_is_seen_holds_nothing},
    {"reports_all_the_time_are_four_revisions_a_second",
     reports_all_the_time_are_four_revisions_a_second},
    {"held_progress_is_seen_with_the_next_change", held_progress_is_seen_with_the_next_change},
    {"clock_set_back_holds_nothing_back", clock_set_back_holds_nothing_back},
    {"end_of_an_attempt_leaves_its_progress_and_not_its_message",
     end_of_an_attempt_leaves_its_progress_and_not_its_message},
    {"new_attempt_starts_at_0_without_a_phase", new_attempt_starts_at_0_without_a_phase},
};

int main(void)
{
    return vts_test_run("test_job_progress", tests, VTS_ARRAY_LEN(tests));
}
