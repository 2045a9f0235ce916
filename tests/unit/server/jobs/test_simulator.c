/* SPDX-License-Identifier: Apache-2.0 */
/* test_simulator.c - simulated workers on a keeper that is run by hand, in time that is moved by
 * hand. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/jobs/simulator.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/keeper_bench.h"

enum { ATTEMPTS = 3 }; /* of a job that asks for no other number */

static const int64_t tick_ns = (int64_t)50 * VTS_NS_PER_MS;

static struct keeper_bench bench;
static struct vts_simulator *simulator;
static struct vts_simulation_options options;

static int64_t read_now(void)
{
    return keeper_bench_now_ns;
}

static void make_simulator(const char *text)
{
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL_FATAL(vts_simulation_parse(text, &options, &error), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_simulator_new(bench.keeper, &options, read_now, &simulator), VTS_OK);
}

static void free_simulator(void)
{
    keeper_bench_close(&bench);
    vts_simulator_free(simulator);
    simulator = NULL;
}

static void step(int count)
{
    for (int i = 0; i < count; i++)
        (void)vts_keeper_step(bench.keeper); /* when the next is due is for the clock to tell */
}

/* Makes keeper and workers, and has them do what is due at once. */
static void begin(const char *text)
{
    keeper_bench_init(&bench);
    keeper_bench_open(&bench);
    make_simulator(text);
    vts_simulator_wake(simulator);
    step(VTS_SIMULATOR_STEPS);
}

static void end(void)
{
    free_simulator();
    keeper_bench_fini(&bench);
}

/* Lets time pass, and wakes the workers now and then as the server does. */
static void play(int64_t span_ns)
{
    for (int64_t at_ns = tick_ns; at_ns <= span_ns; at_ns += tick_ns) {
        keeper_bench_pass(tick_ns);
        if (at_ns % ((int64_t)VTS_SIMULATOR_WAKE_MS * VTS_NS_PER_MS) == 0)
            vts_simulator_wake(simulator);
        step(VTS_SIMULATOR_STEPS + 1); /* an attempt's end, and another job's beginning */
    }
}

static void play_s(int64_t span_s)
{
    play(span_s * VTS_NS_PER_S);
}

static const Vtstatus__V1__Job *look_at(struct keeper_answer *answer, const char *id)
{
    CU_ASSERT_EQUAL_FATAL(keeper_bench_run(&bench, keeper_bench_get(answer, id)), VTS_KEEPER_OK);
    return answer->command->record->job;
}

static void make_many(int count)
{
    char id[32];

    for (int i = 0; i < count; i++) {
        (void)snprintf(id, sizeof(id), "job-%d", i);
        keeper_bench_make(&bench, id);
    }
}

/* ---- the job `default` ------------------------------------------------------------------- */

static void default_job_is_submitted_and_played(void)
{
    struct keeper_answer answer = {.count = 0};
    const Vtstatus__V1__Job *job;

    begin("delay=8s,error_rate=0");
    job = look_at(&answer, "default");
    CU_ASSERT_EQUAL(job->status->state, VTSTATUS__V1__STATE__STATE_RUNNING);
    CU_ASSERT_STRING_EQUAL(job->status->progress->phase, "download");
    CU_ASSERT_EQUAL(job->status->progress->phase_count, VTS_SIMULATION_PHASES);
    CU_ASSERT_STRING_EQUAL(job->attempts[0]->worker_id, "simulator-1");
    play_s(7);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_RUNNING);
    CU_ASSERT(keeper_bench_revision(&bench, "default") > 25); /* four a second */
    CU_ASSERT(keeper_bench_revision(&bench, "default") < 35);
    play_s(1);
    job = look_at(&answer, "default");
    CU_ASSERT_EQUAL(job->status->state, VTSTATUS__V1__STATE__STATE_SUCCEEDED);
    CU_ASSERT_EQUAL(job->status->progress->percent, 100);
    CU_ASSERT_STRING_EQUAL(job->status->progress->phase, "upload");
    CU_ASSERT_STRING_EQUAL(job->status->output_uri, "simulated:///translated.mp4");
    keeper_answer_fini(&answer);
    end();
}

static void job_without_delay_is_done_within_the_first_steps(void)
{
    struct keeper_answer answer = {.count = 0};
    const Vtstatus__V1__JobStatus *status;

    begin("delay=0s,error_rate=1");
    status = look_at(&answer, "default")->status;
    CU_ASSERT_EQUAL(status->state, VTSTATUS__V1__STATE__STATE_FAILED);
    CU_ASSERT_EQUAL(
        strncmp(status->error->message, status->progress->phase, strlen(status->progress->phase)),
        0);
    CU_ASSERT_NOT_EQUAL(status->error->code, 0);
    keeper_answer_fini(&answer);
    end();
}

/* As after a restart with a file: what is done stays done. */
static void default_job_that_is_done_is_left_alone(void)
{
    uint64_t revision;

    begin("delay=1s,error_rate=0");
    play_s(2);
    revision = keeper_bench_revision(&bench, "default");
    free_simulator();

    keeper_bench_open(&bench);
    make_simulator("delay=1s,error_rate=1");
    vts_simulator_wake(simulator);
    play_s(5);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_SUCCEEDED);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "default"), revision);
    end();
}

/* And what was under way has another attempt when the lost worker's lease is over. */
static void default_job_that_was_under_way_goes_on(void)
{
    struct keeper_answer answer = {.count = 0};
    const Vtstatus__V1__Job *job;

    begin("delay=10s,error_rate=0,lease=5s");
    play_s(3);
    free_simulator();

    keeper_bench_open(&bench);
    make_simulator("delay=10s,error_rate=0,lease=5s");
    vts_simulator_wake(simulator);
    play_s(16);
    job = look_at(&answer, "default");
    CU_ASSERT_EQUAL(job->status->state, VTSTATUS__V1__STATE__STATE_SUCCEEDED);
    CU_ASSERT_EQUAL(job->status->attempt, 2);
    keeper_answer_fini(&answer);
    end();
}

/* ---- jobs of others ---------------------------------------------------------------------- */

/* What becomes of the job by the plans of its attempts. */
static int foretell(const char *id, int *ret_attempts)
{
    for (int attempt = 1; attempt <= ATTEMPTS; attempt++) {
        struct vts_simulation_plan plan;

        vts_simulation_plan(&options, id, attempt, &plan);
        *ret_attempts = attempt;
        if (plan.end != VTS_SIMULATION_CRASHES)
            return plan.end == VTS_SIMULATION_SUCCEEDS ? VTS_JOB_SUCCEEDED : VTS_JOB_FAILED;
    }
    return VTS_JOB_FAILED;
}

static void jobs_end_as_their_plans_say(void)
{
    enum { JOBS = 300 };
    struct keeper_answer answer = {.count = 0};
    int outcomes[ATTEMPTS + 1][VTS_JOB_CANCELLED + 1] = {{0}};

    begin("workers=20,delay=uniform:0s:2s,error_rate=0.3,crash_rate=0.4,lease=1s,seed=5");
    make_many(JOBS);
    play_s(60);
    for (int i = 0; i < JOBS; i++) {
        char id[32];
        const Vtstatus__V1__JobStatus *status;
        int attempts = 0;

        (void)snprintf(id, sizeof(id), "job-%d", i);
        status = look_at(&answer, id)->status;
        CU_ASSERT_EQUAL((int)status->state, foretell(id, &attempts));
        CU_ASSERT_EQUAL(status->attempt, attempts);
        outcomes[attempts][status->state]++;
    }
    for (int attempts = 1; attempts <= ATTEMPTS; attempts++) {
        CU_ASSERT(outcomes[attempts][VTS_JOB_SUCCEEDED] > 0);
        CU_ASSERT(outcomes[attempts][VTS_JOB_FAILED] > 0);
    }
    keeper_answer_fini(&answer);
    end();
}

static void crash_is_seen_when_the_lease_is_over(void)
{
    struct keeper_answer answer = {.count = 0};
    const Vtstatus__V1__Job *job;

    begin("delay=1s,error_rate=0,crash_rate=1,lease=3s");
    play_s(3);
    job = look_at(&answer, "default");
    CU_ASSERT_EQUAL(job->status->state, VTSTATUS__V1__STATE__STATE_RUNNING);
    CU_ASSERT_EQUAL(job->status->attempt, 1);
    play_s(2);
    CU_ASSERT_EQUAL(look_at(&answer, "default")->status->attempt, 2);
    play_s(10);
    job = look_at(&answer, "default");
    CU_ASSERT_EQUAL(job->status->state, VTSTATUS__V1__STATE__STATE_FAILED);
    CU_ASSERT_EQUAL(job->n_attempts, ATTEMPTS);
    CU_ASSERT_PTR_NOT_NULL(strstr(job->status->error->message, "the worker was lost"));
    keeper_answer_fini(&answer);
    end();
}

/* A long job has few reports; the lease is kept all the same. */
static void lease_is_kept_between_reports(void)
{
    struct keeper_answer answer = {.count = 0};

    begin("delay=10m,error_rate=0,lease=1s"); /* a report each 6 s */
    play_s(601);
    CU_ASSERT_EQUAL(look_at(&answer, "default")->status->attempt, 1);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_SUCCEEDED);
    keeper_answer_fini(&answer);
    end();
}

static void cancelled_job_is_given_up_at_once(void)
{
    struct keeper_answer answer = {.count = 0};

    begin("delay=24h,error_rate=0");
    keeper_bench_make(&bench, "next");
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_event(&answer, "default", VTS_JOB_EVENT_CANCEL)),
        VTS_KEEPER_OK);
    step(3);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_CANCELLED);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "next"), VTS_JOB_RUNNING);
    keeper_answer_fini(&answer);
    end();
}

static void other_queues_are_left_to_others(void)
{
    begin("queues=slow:fast,delay=0s,error_rate=0");
    keeper_bench_make(&bench, "elsewhere"); /* in the queue `default` */
    play_s(1);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "elsewhere"), VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_SUCCEEDED); /* of `slow` */
    end();
}

static void ten_thousand_jobs_run_at_once(void)
{
    enum { JOBS = 9999 }; /* and `default` */
    struct keeper_answer answer = {.count = 0};
    int running = 0;
    int done = 0;

    begin("workers=10000,delay=3s,error_rate=0");
    make_many(JOBS);
    play(tick_ns);
    for (int pass = 0; pass < 2; pass++) {
        for (int i = 0; i < JOBS; i++) {
            char id[32];
            Vtstatus__V1__State state;

            (void)snprintf(id, sizeof(id), "job-%d", i);
            state = look_at(&answer, id)->status->state;
            running += state == VTSTATUS__V1__STATE__STATE_RUNNING;
            done += state == VTSTATUS__V1__STATE__STATE_SUCCEEDED;
        }
        if (pass == 0)
            play_s(4);
    }
    CU_ASSERT_EQUAL(running, JOBS);
    CU_ASSERT_EQUAL(done, JOBS);
    keeper_answer_fini(&answer);
    end();
}

/* ---- when things go wrong ---------------------------------------------------------------- */

static void workers_go_on_when_the_store_does(void)
{
    begin("workers=2,delay=2s,error_rate=0");
    keeper_bench_make(&bench, "waits");
    play_s(1);
    bench.commits_left = 0;
    play_s(3);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_RUNNING);
    bench.commits_left = -1;
    play_s(2);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_SUCCEEDED);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "waits"), VTS_JOB_SUCCEEDED);
    end();
}

static void default_job_is_submitted_when_the_store_can(void)
{
    keeper_bench_init(&bench);
    keeper_bench_open(&bench);
    bench.commits_left = 0;
    make_simulator("delay=0s,error_rate=0");
    vts_simulator_wake(simulator);
    play_s(2);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), 0);
    bench.commits_left = -1;
    play_s(2);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_SUCCEEDED);
    end();
}

/* While others use up what the keeper takes, workers rest. */
static void workers_wait_for_room_at_the_keeper(void)
{
    struct keeper_answer answers[4] = {{.count = 0}};

    keeper_bench_init(&bench);
    bench.options.commands_max = 4;
    keeper_bench_open(&bench);
    for (int i = 0; i < 4; i++)
        keeper_bench_submit(&bench, keeper_bench_lease(&answers[i], VTS_NS_PER_S));
    make_simulator("workers=3,delay=0s,error_rate=0");
    vts_simulator_wake(simulator);
    step(VTS_SIMULATOR_STEPS);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "default"), 0);
    play_s(3);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_SUCCEEDED);
    for (int i = 0; i < 4; i++)
        keeper_answer_fini(&answers[i]);
    end();
}

static void simulator_without_memory_is_not_made(void)
{
    keeper_bench_init(&bench);
    keeper_bench_open(&bench);
    CU_ASSERT_EQUAL_FATAL(vts_simulation_parse("", &options, NULL), VTS_OK);
    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_simulator_new(bench.keeper, &options, read_now, &simulator), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    keeper_bench_fini(&bench);
}

/* Whichever allocation fails, the workers go on a second later. */
static void workers_without_memory_rest_and_go_on(void)
{
    for (long n = 0; n < 60; n++) {
        keeper_bench_init(&bench);
        keeper_bench_open(&bench);
        make_simulator("delay=500ms,error_rate=0,lease=1s");
        (void)vts_mem_fail_after(n);
        vts_simulator_wake(simulator);
        play((int64_t)800 * VTS_NS_PER_MS);
        (void)vts_mem_fail_after(-1);
        play_s(4);
        CU_ASSERT_EQUAL(keeper_bench_state(&bench, "default"), VTS_JOB_SUCCEEDED);
        end();
    }
}

static const struct vts_test tests[] = {
    {"default_job_is_submitted_and_played", default_job_is_submitted_and_played},
    {"job_without_delay_is_done_within_the_first_steps",
     job_without_delay_is_done_within_the_first_steps},
    {"default_job_that_is_done_is_left_alone", default_job_that_is_done_is_left_alone},
    {"default_job_that_was_under_way_goes_on", default_job_that_was_under_way_goes_on},
    {"jobs_end_as_their_plans_say", jobs_end_as_their_plans_say},
    {"crash_is_seen_when_the_lease_is_over", crash_is_seen_when_the_lease_is_over},
    {"lease_is_kept_between_reports", lease_is_kept_between_reports},
    {"cancelled_job_is_given_up_at_once", cancelled_job_is_given_up_at_once},
    {"other_queues_are_left_to_others", other_queues_are_left_to_others},
    {"ten_thousand_jobs_run_at_once", ten_thousand_jobs_run_at_once},
    {"workers_go_on_when_the_store_does", workers_go_on_when_the_store_does},
    {"default_job_is_submitted_when_the_store_can", default_job_is_submitted_when_the_store_can},
    {"workers_wait_for_room_at_the_keeper", workers_wait_for_room_at_the_keeper},
    {"simulator_without_memory_is_not_made", simulator_without_memory_is_not_made},
    {"workers_without_memory_rest_and_go_on", workers_without_memory_rest_and_go_on},
};

int main(void)
{
    return vts_test_run("test_simulator", tests, VTS_ARRAY_LEN(tests));
}
