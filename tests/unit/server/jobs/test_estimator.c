/* SPDX-License-Identifier: Apache-2.0 */
/* test_estimator.c - what the lives of jobs teach of others. The jobs go through the machine. */
#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "server/jobs/estimator.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/job_bench.h"

static struct vts_estimator *make(void)
{
    struct vts_estimator *estimator = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_estimator_new(&estimator), VTS_OK);
    return estimator;
}

static void init(struct job_bench *job, const char *source, const char *target)
{
    Vtstatus__V1__CreateJobRequest request = job_bench_request();

    request.spec->source_language = (char *)(uintptr_t)source;
    request.spec->target_language = (char *)(uintptr_t)target;
    job_bench_init_with(job, &request);
}

static void pass_s(struct job_bench *job, int64_t seconds)
{
    job_bench_pass(job, seconds * VTS_NS_PER_S);
}

static void report(struct job_bench *job, const char *phase, float percent)
{
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    const struct vts_job_event event = {
        .kind = VTS_JOB_EVENT_HEARTBEAT, .token = "t", .progress = &progress};

    progress.phase = (char *)(uintptr_t)phase;
    progress.percent = percent;
    CU_ASSERT_EQUAL(job_bench_apply(job, &event), VTS_JOB_REFUSAL_NONE);
}

/* A job that waits for 5 s, and is in each of two phases for so long. */
static void learn_one(struct vts_estimator *estimator, const char *source, const char *target,
                      int64_t hear_s, int64_t speak_s)
{
    struct job_bench job;

    init(&job, source, target);
    pass_s(&job, 5);
    CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
    report(&job, "hear", 0);
    pass_s(&job, hear_s);
    report(&job, "speak", 0);
    pass_s(&job, speak_s);
    CU_ASSERT_EQUAL(job_bench_complete(&job, "t"), VTS_JOB_REFUSAL_NONE);
    vts_estimator_learn(estimator, job.record);
    job_bench_fini(&job);
}

static void learn(struct vts_estimator *estimator, const char *source, const char *target,
                  int64_t hear_s, int64_t speak_s)
{
    for (int i = 0; i < 3; i++)
        learn_one(estimator, source, target, hear_s, speak_s);
}

/* In seconds from now; -1: there is no telling. */
static int64_t left_s(const struct vts_estimator *estimator, const struct job_bench *job)
{
    int64_t end_ns = vts_estimator_end_ns(estimator, job->record, job->now_ns);

    return end_ns == 0 ? -1 : (end_ns - job->now_ns) / VTS_NS_PER_S;
}

static void nothing_is_known_at_first(void)
{
    struct vts_estimator *estimator = make();
    struct job_bench job;

    init(&job, "en", "de");
    CU_ASSERT_EQUAL(left_s(estimator, &job), -1);
    CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(left_s(estimator, &job), -1);
    pass_s(&job, 10);
    report(&job, "hear", 25);
    CU_ASSERT_EQUAL(left_s(estimator, &job), 30); /* as it goes on */
    job_bench_fini(&job);
    vts_estimator_free(estimator);
    vts_estimator_free(NULL);
}

static void each_step_of_a_job_is_like_the_same_step_of_others(void)
{
    struct vts_estimator *estimator = make();
    struct job_bench job;

    learn(estimator, "en", "de", 20, 10);
    init(&job, "EN", "DE"); /* the same languages */
    CU_ASSERT_EQUAL(left_s(estimator, &job), 35);
    pass_s(&job, 4);
    CU_ASSERT_EQUAL(left_s(estimator, &job), 31);
    CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(left_s(estimator, &job), 30);
    report(&job, "hear", 0);
    pass_s(&job, 8);
    CU_ASSERT_EQUAL(left_s(estimator, &job), 22);
    report(&job, "speak", 0);
    CU_ASSERT_EQUAL(left_s(estimator, &job), 10);
    pass_s(&job, 1);
    report(&job, "new", 0); /* a phase that is not known: the attempt is */
    CU_ASSERT_EQUAL(left_s(estimator, &job), 21);
    CU_ASSERT_EQUAL(job_bench_complete(&job, "t"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(left_s(estimator, &job), -1);
    job_bench_fini(&job);
    vts_estimator_free(estimator);
}

static void progress_counts_the_more_the_further_it_is(void)
{
    struct vts_estimator *estimator = make();
    struct job_bench job;

    learn(estimator, "en", "de", 30, 10);
    init(&job, "en", "de");
    CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
    report(&job, "hear", 0);
    pass_s(&job, 20);
    report(&job, "hear", 20); /* 20 s are learned to be left, and 80 s by its own measure */
    CU_ASSERT_EQUAL(left_s(estimator, &job), 68);
    pass_s(&job, 1);
    report(&job, "hear", 50); /* and now 19 s and 21 s; its own is trusted */
    CU_ASSERT_EQUAL(left_s(estimator, &job), 21);
    job_bench_fini(&job);
    vts_estimator_free(estimator);
}

static void the_narrowest_that_is_known_counts(void)
{
    static const struct {
        const char *source;
        const char *target;
        int64_t left_s;
    } rows[] = {
        {"en", "de", 35}, /* as the pair */
        {"fr", "de", 47}, /* as the target, half of which is slow */
        {"", "de", 47},
        {"ja", "ja", 105}, /* as any, most of which are slower still */
    };
    struct vts_estimator *estimator = make();
    struct job_bench job;

    learn(estimator, "en", "de", 20, 10);
    learn(estimator, "es", "de", 40, 15);
    learn(estimator, "en", "th", 50, 50);
    learn(estimator, "en", "th", 50, 50);
    learn(estimator, "en", "th", 50, 50);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        init(&job, rows[i].source, rows[i].target);
        CU_ASSERT_EQUAL(left_s(estimator, &job), rows[i].left_s);
        job_bench_fini(&job);
    }
    vts_estimator_free(estimator);
}

static void whoever_takes_longer_than_all_is_measured_by_itself(void)
{
    struct vts_estimator *estimator = make();
    struct job_bench job;

    learn(estimator, "en", "de", 20, 10);
    init(&job, "en", "de");
    pass_s(&job, 40);
    CU_ASSERT_EQUAL(left_s(estimator, &job), -1);
    CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
    pass_s(&job, 50);
    CU_ASSERT_EQUAL(left_s(estimator, &job), -1);
    report(&job, "slow", 50);
    CU_ASSERT_EQUAL(left_s(estimator, &job), 50);
    job_bench_fini(&job);
    vts_estimator_free(estimator);
}

static void failures_teach_nothing_and_only_the_attempt_that_succeeds_counts(void)
{
    struct vts_estimator *estimator = make();
    struct job_bench job;

    for (int i = 0; i < 3; i++) {
        init(&job, "en", "de");
        CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
        report(&job, "hear", 0);
        pass_s(&job, 50);
        CU_ASSERT_EQUAL(job_bench_fail(&job, "t", true), VTS_JOB_REFUSAL_NONE);
        vts_estimator_learn(estimator, job.record);
        pass_s(&job, 10); /* the pause after a failure is over, and it is ready */
        CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
        CU_ASSERT_EQUAL(job.record->n_phase_starts, 0);
        report(&job, "hear", 0);
        pass_s(&job, 12);
        CU_ASSERT_EQUAL(job_bench_complete(&job, "t"), VTS_JOB_REFUSAL_NONE);
        vts_estimator_learn(estimator, job.record);
        job_bench_fini(&job);
    }
    init(&job, "en", "de");
    CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
    report(&job, "hear", 0);
    CU_ASSERT_EQUAL(left_s(estimator, &job), 12);
    job_bench_fini(&job);
    vts_estimator_free(estimator);
}

/* ---- phases in the record ------------------------------------------------------------------ */

static void phases_are_noted_once_and_so_many(void)
{
    struct job_bench job;
    char name[3] = "a0";

    init(&job, "en", "de");
    CU_ASSERT_EQUAL(job_bench_lease(&job, "t"), VTS_JOB_REFUSAL_NONE);
    report(&job, "", 1);
    CU_ASSERT_EQUAL(job.record->n_phase_starts, 0);
    report(&job, "a0", 2);
    pass_s(&job, 1);
    report(&job, "b", 3);
    report(&job, "a0", 4);
    CU_ASSERT_EQUAL_FATAL(job.record->n_phase_starts, 2);
    CU_ASSERT_STRING_EQUAL(job.record->phase_starts[1]->phase, "b");
    CU_ASSERT_EQUAL(job_bench_time(job.record->phase_starts[1]->start_time) -
                        job_bench_time(job.record->phase_starts[0]->start_time),
                    VTS_NS_PER_S);
    for (int i = 0; i < 40; i++) {
        name[0] = (char)('c' + i % 20);
        name[1] = (char)('0' + i / 20);
        report(&job, name, 5);
    }
    CU_ASSERT_EQUAL(job.record->n_phase_starts, 16);
    CU_ASSERT_EQUAL(job_bench_release(&job, "t"), VTS_JOB_REFUSAL_NONE);
    CU_ASSERT_EQUAL(job.record->n_phase_starts, 0);
    CU_ASSERT_PTR_NULL(job.record->ready_time);
    job_bench_fini(&job);
}

static const struct vts_test tests[] = {
    {"nothing_is_known_at_first", nothing_is_known_at_first},
    {"each_step_of_a_job_is_like_the_same_step_of_others",
     each_step_of_a_job_is_like_the_same_step_of_others},
    {"progress_counts_the_more_the_further_it_is", progress_counts_the_more_the_further_it_is},
    {"the_narrowest_that_is_known_counts", the_narrowest_that_is_known_counts},
    {"whoever_takes_longer_than_all_is_measured_by_itself",
     whoever_takes_longer_than_all_is_measured_by_itself},
    {"failures_teach_nothing_and_only_the_attempt_that_succeeds_counts",
     failures_teach_nothing_and_only_the_attempt_that_succeeds_counts},
    {"phases_are_noted_once_and_so_many", phases_are_noted_once_and_so_many},
};

int main(void)
{
    return vts_test_run("test_estimator", tests, VTS_ARRAY_LEN(tests));
}
