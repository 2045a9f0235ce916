/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper_lease.c - which job goes to which worker, and commands that wait. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/jobs/job.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/keeper_bench.h"

enum { MANY = 200 };

static const int64_t second_ns = VTS_NS_PER_S;
static const int64_t minute_ns = (int64_t)60 * VTS_NS_PER_S;

static void set_up(struct keeper_bench *bench)
{
    keeper_bench_init(bench);
    keeper_bench_open(bench);
}

/* Makes a job a moment later than the one before. */
static void make(struct keeper_bench *bench, const char *id, const char *queue, int priority,
                 const char *team)
{
    struct keeper_answer answer = {.count = 0};
    struct vts_keeper_command *command = keeper_bench_create(&answer, id);
    Vtstatus__V1__CreateJobRequest *request = keeper_bench_request(command, id);

    keeper_bench_pass(1);
    request->queue = (char *)(uintptr_t)queue;
    request->priority = priority;
    command->create = request;
    if (team != NULL)
        keeper_bench_label(command, "team", team);
    CU_ASSERT_EQUAL_FATAL(keeper_bench_run(bench, command), VTS_KEEPER_OK);
    keeper_answer_fini(&answer);
}

static char *queue_names[] = {(char[]){"default"}, (char[]){"slow"}, (char[]){"slow"}};
static char *team_labels[] = {(char[]){"team=blue"}};

/* Leases from the queues; the id of the job, or "". */
static struct vts_keeper_command *lease_of(struct keeper_answer *answer, size_t queues_count,
                                           char *const *queues, int64_t wait_ns)
{
    struct vts_keeper_command *command = keeper_bench_lease(answer, wait_ns);

    command->lease.queues_count = queues_count;
    command->lease.queues = queues;
    return command;
}

static struct vts_keeper_command *lease_labelled(struct keeper_answer *answer, int64_t wait_ns)
{
    struct vts_keeper_command *command = keeper_bench_lease(answer, wait_ns);

    command->lease.labels_count = 1;
    command->lease.labels = team_labels;
    return command;
}

/* Whether the command came back with this job; "" for none. */
static bool got(const struct keeper_answer *answer, const char *id)
{
    return answer->count == 1 && answer->command->refusal == VTS_KEEPER_OK &&
           strcmp(keeper_answer_id(answer), id) == 0;
}

/* ---- which job --------------------------------------------------------------------------- */

static void lease_makes_the_job_run(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    keeper_bench_take(&bench, &lease, "a");
    CU_ASSERT_EQUAL(strlen(lease.command->record->lease_token), 26);
    CU_ASSERT_STRING_EQUAL(lease.command->record->job->attempts[0]->worker_id, "w");
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 2);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_lease(&lease, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, "")); /* there is no other */
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

static void jobs_go_by_priority_and_then_by_age(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    static const char *const order[] = {"urgent", "old", "new", "idle"};

    set_up(&bench);
    make(&bench, "idle", "", -5, NULL);
    make(&bench, "old", "", 0, NULL);
    make(&bench, "new", "", 0, NULL);
    make(&bench, "urgent", "", 5, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(order); i++)
        keeper_bench_take(&bench, &lease, order[i]);
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

static void order_holds_after_a_restart_and_for_jobs_given_back(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answer = {.count = 0};
    char id[16];

    set_up(&bench);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "j%d", i);
        make(&bench, id, "", i % 3, NULL);
    }
    keeper_bench_take(&bench, &lease, "j2");
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_RELEASE)),
        VTS_KEEPER_OK);
    keeper_bench_close(&bench);
    keeper_bench_open(&bench);
    for (int priority = 2; priority >= 0; priority--) {
        for (int i = priority; i < MANY; i += 3) {
            (void)snprintf(id, sizeof(id), "j%d", i);
            keeper_bench_take(&bench, &lease, id);
        }
    }
    keeper_answer_fini(&lease);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void queues_are_apart_and_the_best_of_several_comes_first(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};

    set_up(&bench);
    make(&bench, "a", "", 0, NULL);
    make(&bench, "b", "slow", 1, NULL);
    make(&bench, "c", "other", 9, NULL);
    make(&bench, "d", "slow", 0, NULL);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, lease_of(&lease, 2, queue_names, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, "b"));
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, lease_of(&lease, 2, queue_names, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, "a"));
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, lease_of(&lease, 1, queue_names, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, ""));
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, lease_of(&lease, 2, queue_names, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, "d"));
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

static void lease_with_labels_passes_by_other_jobs(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};

    set_up(&bench);
    make(&bench, "a", "", 9, NULL);
    make(&bench, "b", "", 8, "red");
    make(&bench, "c", "", 0, "blue");
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, lease_labelled(&lease, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, "c"));
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, lease_labelled(&lease, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, ""));
    keeper_bench_take(&bench, &lease, "a");
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

/* Labels whose bits are the same are still told apart. */
static void labels_are_more_than_their_bits(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    char team[16];

    set_up(&bench);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(team, sizeof(team), "t%d", i);
        make(&bench, team, "", 0, team);
    }
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, lease_labelled(&lease, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, ""));
    make(&bench, "b", "", 0, "blue");
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, lease_labelled(&lease, 0)), VTS_KEEPER_OK);
    CU_ASSERT(got(&lease, "b"));
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

/* As lists are, leases that look through many jobs are put off to further batches. */
static void many_leases_with_labels_are_served_in_several_batches(void)
{
    enum { LEASES = 1100 };
    struct keeper_bench bench;
    struct keeper_answer *leases = vts_mem_zalloc(LEASES * sizeof(*leases));
    unsigned answered = 0;
    char id[16];

    CU_ASSERT_PTR_NOT_NULL_FATAL(leases);
    set_up(&bench);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "j%d", i);
        make(&bench, id, "", 0, NULL);
    }
    for (int i = 0; i < LEASES; i++)
        keeper_bench_submit(&bench, lease_labelled(&leases[i], 0));
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), 0);
    for (int i = 0; i < LEASES; i++)
        answered += leases[i].count;
    CU_ASSERT(answered > 0 && answered < LEASES);
    keeper_bench_settle(&bench);
    for (int i = 0; i < LEASES; i++) {
        CU_ASSERT(got(&leases[i], ""));
        keeper_answer_fini(&leases[i]);
    }
    vts_mem_free(leases);
    keeper_bench_fini(&bench);
}

/* ---- leases that wait -------------------------------------------------------------------- */

static void lease_waits_for_a_job_in_the_order_of_arrival(void)
{
    struct keeper_bench bench;
    struct keeper_answer waiting[2] = {{.count = 0}};

    set_up(&bench);
    for (int i = 0; i < 2; i++) {
        keeper_bench_submit(&bench, keeper_bench_lease(&waiting[i], minute_ns));
        CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), minute_ns);
        CU_ASSERT_EQUAL(waiting[i].count, 0);
    }
    make(&bench, "a", "", 0, NULL);
    CU_ASSERT(got(&waiting[0], "a"));
    CU_ASSERT_EQUAL(waiting[1].count, 0);
    make(&bench, "b", "", 0, NULL);
    CU_ASSERT(got(&waiting[1], "b"));
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "b"), VTS_JOB_RUNNING);
    keeper_answer_fini(&waiting[0]);
    keeper_answer_fini(&waiting[1]);
    keeper_bench_fini(&bench);
}

static void best_job_of_a_batch_goes_to_the_one_that_waits(void)
{
    struct keeper_bench bench;
    struct keeper_answer waiting = {.count = 0};
    struct keeper_answer created[2] = {{.count = 0}};
    struct keeper_answer late = {.count = 0};
    struct vts_keeper_command *command;

    set_up(&bench);
    keeper_bench_submit(&bench, keeper_bench_lease(&waiting, minute_ns));
    (void)vts_keeper_step(bench.keeper);
    keeper_bench_submit(&bench, keeper_bench_lease(&late, 0));
    keeper_bench_submit(&bench, keeper_bench_create(&created[0], "a"));
    command = keeper_bench_create(&created[1], "b");
    ((Vtstatus__V1__CreateJobRequest *)(uintptr_t)command->create)->priority = 1;
    keeper_bench_submit(&bench, command);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT(got(&waiting, "b"));
    CU_ASSERT(got(&late, "a"));
    CU_ASSERT_EQUAL(bench.commits_count, 1);
    CU_ASSERT_EQUAL(bench.writes_count, 2);
    keeper_answer_fini(&waiting);
    keeper_answer_fini(&late);
    keeper_answer_fini(&created[0]);
    keeper_answer_fini(&created[1]);
    keeper_bench_fini(&bench);
}

static void lease_that_waits_takes_only_what_it_asked_for(void)
{
    struct keeper_bench bench;
    struct keeper_answer blue = {.count = 0};
    struct keeper_answer slow = {.count = 0};

    set_up(&bench);
    keeper_bench_submit(&bench, lease_labelled(&blue, minute_ns));
    keeper_bench_submit(&bench, lease_of(&slow, 3, queue_names, minute_ns));
    (void)vts_keeper_step(bench.keeper);
    make(&bench, "x", "other", 0, NULL);
    CU_ASSERT_EQUAL(blue.count + slow.count, 0);
    make(&bench, "r", "", 0, "red");
    CU_ASSERT_EQUAL(blue.count, 0);
    CU_ASSERT(got(&slow, "r")); /* the first in line did not want it */
    make(&bench, "b", "", 0, "blue");
    CU_ASSERT(got(&blue, "b"));
    keeper_bench_submit(&bench, lease_of(&slow, 3, queue_names, minute_ns));
    (void)vts_keeper_step(bench.keeper);
    make(&bench, "s", "slow", 0, NULL);
    CU_ASSERT(got(&slow, "s"));
    keeper_answer_fini(&blue);
    keeper_answer_fini(&slow);
    keeper_bench_fini(&bench);
}

static void lease_ends_without_a_job_when_its_time_is_over(void)
{
    struct keeper_bench bench;
    struct keeper_answer waiting[2] = {{.count = 0}};

    set_up(&bench);
    keeper_bench_submit(&bench, keeper_bench_lease(&waiting[0], minute_ns));
    keeper_bench_submit(&bench, keeper_bench_lease(&waiting[1], 2 * minute_ns));
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), minute_ns);
    keeper_bench_pass(minute_ns - 1);
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), 1);
    keeper_bench_pass(1);
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), minute_ns);
    CU_ASSERT(got(&waiting[0], ""));
    make(&bench, "a", "", 0, NULL);
    CU_ASSERT(got(&waiting[1], "a"));
    keeper_answer_fini(&waiting[0]);
    keeper_answer_fini(&waiting[1]);
    keeper_bench_fini(&bench);
}

static void every_way_to_become_ready_wakes_a_lease(void)
{
    static const struct {
        enum vts_job_event_kind events[2];
        size_t count;
    } ways[] = {
        {{VTS_JOB_EVENT_RELEASE}, 1},
        {{VTS_JOB_EVENT_CANCEL, VTS_JOB_EVENT_FAIL}, 2}, /* and retry, below */
    };
    struct keeper_bench bench;

    for (size_t i = 0; i < VTS_ARRAY_LEN(ways); i++) {
        struct keeper_answer lease = {.count = 0};
        struct keeper_answer waiting = {.count = 0};
        struct keeper_answer answer = {.count = 0};

        set_up(&bench);
        make(&bench, "a", "", 0, NULL);
        keeper_bench_take(&bench, &lease, "a");
        keeper_bench_submit(&bench, keeper_bench_lease(&waiting, minute_ns));
        for (size_t j = 0; j < ways[i].count; j++)
            CU_ASSERT_EQUAL(
                keeper_bench_run(&bench, keeper_bench_report(&answer, &lease, ways[i].events[j])),
                VTS_KEEPER_OK);
        if (waiting.count == 0)
            CU_ASSERT_EQUAL(
                keeper_bench_run(&bench, keeper_bench_event(&answer, "a", VTS_JOB_EVENT_RETRY)),
                VTS_KEEPER_OK);
        CU_ASSERT(got(&waiting, "a"));
        keeper_answer_fini(&lease);
        keeper_answer_fini(&waiting);
        keeper_answer_fini(&answer);
        keeper_bench_fini(&bench);
    }
}

static void lease_that_is_lost_wakes_a_lease(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer waiting = {.count = 0};

    set_up(&bench);
    make(&bench, "a", "", 0, NULL);
    keeper_bench_take(&bench, &lease, "a");
    keeper_bench_submit(&bench, keeper_bench_lease(&waiting, 10 * minute_ns));
    keeper_bench_settle(&bench);
    keeper_bench_pass((int64_t)KEEPER_BENCH_LEASE_S * second_ns);
    for (int i = 0; i < 10 && waiting.count == 0; i++) {
        keeper_bench_settle(&bench);
        keeper_bench_pass(second_ns); /* should it back off */
    }
    CU_ASSERT(got(&waiting, "a"));
    CU_ASSERT_STRING_NOT_EQUAL(waiting.command->record->lease_token,
                               lease.command->record->lease_token);
    keeper_answer_fini(&lease);
    keeper_answer_fini(&waiting);
    keeper_bench_fini(&bench);
}

static void lease_that_is_forgotten_is_answered_and_takes_no_job(void)
{
    struct keeper_bench bench;
    struct keeper_answer waiting[3] = {{.count = 0}};

    set_up(&bench);
    keeper_bench_submit(&bench, keeper_bench_lease(&waiting[0], minute_ns));
    keeper_bench_submit(&bench, keeper_bench_lease(&waiting[1], minute_ns));
    (void)vts_keeper_step(bench.keeper);
    vts_keeper_forget(bench.keeper, &waiting[0]);
    vts_keeper_forget(bench.keeper, &bench); /* nobody's */
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT(got(&waiting[0], ""));
    CU_ASSERT_EQUAL(waiting[1].count, 0);
    vts_keeper_forget(bench.keeper, &waiting[0]); /* again, which is harmless */
    /* One that is forgotten before the keeper has seen it. */
    keeper_bench_submit(&bench, keeper_bench_lease(&waiting[2], minute_ns));
    vts_keeper_forget(bench.keeper, &waiting[2]);
    make(&bench, "a", "", 0, NULL);
    CU_ASSERT(got(&waiting[1], "a"));
    CU_ASSERT(got(&waiting[2], ""));
    for (int i = 0; i < 3; i++)
        keeper_answer_fini(&waiting[i]);
    keeper_bench_fini(&bench);
}

/* ---- heartbeats that wait ---------------------------------------------------------------- */

/* A job "a" that runs, and a heartbeat for it that waits. */
static void set_up_heartbeat(struct keeper_bench *bench, struct keeper_answer *lease,
                             struct keeper_answer *heartbeat)
{
    struct vts_keeper_command *command;

    set_up(bench);
    make(bench, "a", "", 0, NULL);
    keeper_bench_take(bench, lease, "a");
    command = keeper_bench_report(heartbeat, lease, VTS_JOB_EVENT_HEARTBEAT);
    command->event.lease_duration_ns = 2 * minute_ns;
    command->wait_ns = minute_ns;
    keeper_bench_submit(bench, command);
    keeper_bench_pass(second_ns);
    (void)vts_keeper_step(bench->keeper);
    CU_ASSERT_EQUAL(heartbeat->count, 0);
}

static void tear_down_heartbeat(struct keeper_bench *bench, struct keeper_answer *lease,
                                struct keeper_answer *heartbeat)
{
    keeper_answer_fini(lease);
    keeper_answer_fini(heartbeat);
    keeper_bench_fini(bench);
}

static void heartbeat_that_waits_is_durable_before(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer heartbeat = {.count = 0};
    struct keeper_answer answer = {.count = 0};

    set_up_heartbeat(&bench, &lease, &heartbeat);
    CU_ASSERT_EQUAL(bench.commits_count, 3);
    keeper_bench_pass(minute_ns + second_ns); /* the first lease would be lost */
    keeper_bench_settle(&bench);
    CU_ASSERT_EQUAL_FATAL(heartbeat.count, 1);
    CU_ASSERT_EQUAL(heartbeat.command->refusal, VTS_KEEPER_OK);
    CU_ASSERT_FALSE(heartbeat.command->is_cancel_requested);
    CU_ASSERT_PTR_NOT_NULL(heartbeat.command->record);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_HEARTBEAT)),
        VTS_KEEPER_OK);
    CU_ASSERT_FALSE(answer.command->is_cancel_requested);
    keeper_answer_fini(&answer);
    tear_down_heartbeat(&bench, &lease, &heartbeat);
}

static void heartbeat_waits_for_two_thirds_of_its_lease_at_most(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer heartbeat = {.count = 0};
    struct vts_keeper_command *command;

    set_up(&bench);
    make(&bench, "a", "", 0, NULL);
    keeper_bench_take(&bench, &lease, "a");
    command = keeper_bench_report(&heartbeat, &lease, VTS_JOB_EVENT_HEARTBEAT);
    command->event.lease_duration_ns = minute_ns;
    command->wait_ns = 5 * minute_ns;
    keeper_bench_submit(&bench, command);
    (void)vts_keeper_step(bench.keeper);
    keeper_bench_pass(minute_ns / 3 * 2 - 1);
    keeper_bench_settle(&bench);
    CU_ASSERT_EQUAL(heartbeat.count, 0);
    keeper_bench_pass(1);
    keeper_bench_settle(&bench);
    CU_ASSERT_EQUAL_FATAL(heartbeat.count, 1);
    CU_ASSERT_EQUAL(heartbeat.command->refusal, VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_RUNNING);
    tear_down_heartbeat(&bench, &lease, &heartbeat);
}

static void heartbeat_hears_of_a_cancellation_at_once(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer heartbeat = {.count = 0};
    struct keeper_answer answer = {.count = 0};
    struct vts_keeper_command *command;

    set_up_heartbeat(&bench, &lease, &heartbeat);
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_event(&answer, "a", VTS_JOB_EVENT_CANCEL)),
        VTS_KEEPER_OK);
    CU_ASSERT_EQUAL_FATAL(heartbeat.count, 1);
    CU_ASSERT_EQUAL(heartbeat.command->refusal, VTS_KEEPER_OK);
    CU_ASSERT_TRUE(heartbeat.command->is_cancel_requested);
    CU_ASSERT_EQUAL((int)heartbeat.command->record->job->status->state, VTS_JOB_CANCELLING);
    /* One that comes later does not wait. */
    command = keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_HEARTBEAT);
    command->wait_ns = minute_ns;
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, command), VTS_KEEPER_OK);
    CU_ASSERT_TRUE(answer.command->is_cancel_requested);
    keeper_answer_fini(&answer);
    tear_down_heartbeat(&bench, &lease, &heartbeat);
}

static void heartbeat_ends_when_its_lease_does(void)
{
    static const enum vts_job_event_kind ends[] = {VTS_JOB_EVENT_COMPLETE, VTS_JOB_EVENT_RELEASE,
                                                   VTS_JOB_EVENT_FAIL};

    for (size_t i = 0; i < VTS_ARRAY_LEN(ends); i++) {
        struct keeper_bench bench;
        struct keeper_answer lease = {.count = 0};
        struct keeper_answer heartbeat = {.count = 0};
        struct keeper_answer answers[2] = {{.count = 0}};

        set_up_heartbeat(&bench, &lease, &heartbeat);
        keeper_bench_submit(&bench, keeper_bench_report(&answers[0], &lease, ends[i]));
        keeper_bench_submit(&bench, keeper_bench_lease(&answers[1], 0)); /* takes it at once */
        (void)vts_keeper_step(bench.keeper);
        CU_ASSERT_EQUAL(answers[0].command->refusal, VTS_KEEPER_OK);
        CU_ASSERT_EQUAL_FATAL(heartbeat.count, 1);
        CU_ASSERT_EQUAL(heartbeat.command->refusal, VTS_KEEPER_MACHINE);
        CU_ASSERT_EQUAL(heartbeat.command->change.refusal, VTS_JOB_REFUSAL_LEASE_LOST);
        CU_ASSERT_PTR_NULL(heartbeat.command->record);
        keeper_answer_fini(&answers[0]);
        keeper_answer_fini(&answers[1]);
        tear_down_heartbeat(&bench, &lease, &heartbeat);
    }
}

static void heartbeat_waits_on_when_another_one_reports(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer heartbeat = {.count = 0};
    struct keeper_answer answer = {.count = 0};
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    struct vts_keeper_command *command;

    set_up_heartbeat(&bench, &lease, &heartbeat);
    progress.percent = 50;
    command = keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_HEARTBEAT);
    command->event.progress = &progress;
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, command), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 3);
    CU_ASSERT_EQUAL(heartbeat.count, 0);
    vts_keeper_forget(bench.keeper, &heartbeat);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL_FATAL(heartbeat.count, 1);
    CU_ASSERT_EQUAL(heartbeat.command->record->job->status->revision, 3); /* as it is now */
    keeper_answer_fini(&answer);
    tear_down_heartbeat(&bench, &lease, &heartbeat);
}

static const struct vts_test tests[] = {
    {"lease_makes_the_job_run", lease_makes_the_job_run},
    {"jobs_go_by_priority_and_then_by_age", jobs_go_by_priority_and_then_by_age},
    {"order_holds_after_a_restart_and_for_jobs_given_back",
     order_holds_after_a_restart_and_for_jobs_given_back},
    {"queues_are_apart_and_the_best_of_several_comes_first",
     queues_are_apart_and_the_best_of_several_comes_first},
    {"lease_with_labels_passes_by_other_jobs", lease_with_labels_passes_by_other_jobs},
    {"labels_are_more_than_their_bits", labels_are_more_than_their_bits},
    {"many_leases_with_labels_are_served_in_several_batches",
     many_leases_with_labels_are_served_in_several_batches},
    {"lease_waits_for_a_job_in_the_order_of_arrival",
     lease_waits_for_a_job_in_the_order_of_arrival},
    {"best_job_of_a_batch_goes_to_the_one_that_waits",
     best_job_of_a_batch_goes_to_the_one_that_waits},
    {"lease_that_waits_takes_only_what_it_asked_for",
     lease_that_waits_takes_only_what_it_asked_for},
    {"lease_ends_without_a_job_when_its_time_is_over",
     lease_ends_without_a_job_when_its_time_is_over},
    {"every_way_to_become_ready_wakes_a_lease", every_way_to_become_ready_wakes_a_lease},
    {"lease_that_is_lost_wakes_a_lease", lease_that_is_lost_wakes_a_lease},
    {"lease_that_is_forgotten_is_answered_and_takes_no_job",
     lease_that_is_forgotten_is_answered_and_takes_no_job},
    {"heartbeat_that_waits_is_durable_before", heartbeat_that_waits_is_durable_before},
    {"heartbeat_waits_for_two_thirds_of_its_lease_at_most",
     heartbeat_waits_for_two_thirds_of_its_lease_at_most},
    {"heartbeat_hears_of_a_cancellation_at_once", heartbeat_hears_of_a_cancellation_at_once},
    {"heartbeat_ends_when_its_lease_does", heartbeat_ends_when_its_lease_does},
    {"heartbeat_waits_on_when_another_one_reports", heartbeat_waits_on_when_another_one_reports},
};

int main(void)
{
    return vts_test_run("test_keeper_lease", tests, VTS_ARRAY_LEN(tests));
}
