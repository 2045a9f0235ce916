/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper_fault.c - a store that fails, memory that runs out, loops that take no news. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "server/jobs/job.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/keeper_bench.h"

enum { LOG_BYTES = 4096, COMMANDS = 9 };

static const int64_t second_ns = VTS_NS_PER_S;
static const int64_t minute_ns = (int64_t)60 * VTS_NS_PER_S;
static const int64_t day_ns = (int64_t)24 * 3600 * VTS_NS_PER_S;

static void set_up(struct keeper_bench *bench)
{
    keeper_bench_init(bench);
    keeper_bench_open(bench);
}

static void expect(const struct keeper_answer *answer, enum vts_keeper_refusal refusal)
{
    CU_ASSERT_EQUAL_FATAL(answer->count, 1);
    CU_ASSERT_EQUAL(answer->command->refusal, refusal);
    CU_ASSERT(refusal == VTS_KEEPER_OK || answer->command->record == NULL);
}

static enum vts_keeper_refusal tell(struct keeper_bench *bench, const char *id,
                                    enum vts_job_event_kind kind)
{
    struct keeper_answer answer = {.count = 0};
    enum vts_keeper_refusal refusal =
        keeper_bench_run(bench, keeper_bench_event(&answer, id, kind));

    keeper_answer_fini(&answer);
    return refusal;
}

/* ---- the store fails --------------------------------------------------------------------- */

static void commit_that_fails_leaves_nothing(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[3] = {{.count = 0}};

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    bench.commits_left = 0;
    keeper_bench_submit(&bench, keeper_bench_event(&answers[0], "a", VTS_JOB_EVENT_CANCEL));
    keeper_bench_submit(&bench, keeper_bench_create(&answers[1], "b"));
    keeper_bench_submit(&bench, keeper_bench_create(&answers[2], ""));
    (void)vts_keeper_step(bench.keeper);
    for (int i = 0; i < 3; i++) {
        expect(&answers[i], VTS_KEEPER_STORE_FAILED);
        keeper_answer_fini(&answers[i]);
    }
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_PENDING); /* reads go on */
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 1);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "b"), VTS_KEEPER_JOB_NOT_FOUND);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "b"), 0);
    bench.commits_left = -1; /* and the disk recovers */
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_OK);
    keeper_bench_make(&bench, "b");
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 2);
    keeper_bench_fini(&bench);
}

static void answer_that_rests_on_a_failed_commit_is_none(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[COMMANDS] = {{.count = 0}};

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    bench.commits_left = 0;
    keeper_bench_submit(&bench, keeper_bench_event(&answers[0], "a", VTS_JOB_EVENT_CANCEL));
    /* Refused, or without change, because of what will not have been. */
    keeper_bench_submit(&bench, keeper_bench_event(&answers[1], "a", VTS_JOB_EVENT_CANCEL));
    keeper_bench_submit(&bench, keeper_bench_event(&answers[2], "a", VTS_JOB_EVENT_COMPLETE));
    keeper_bench_submit(&bench, keeper_bench_delete(&answers[3], "a"));
    keeper_bench_submit(&bench, keeper_bench_delete(&answers[4], "a"));
    keeper_bench_submit(&bench, keeper_bench_create(&answers[5], "a"));
    /* And these rest on nothing of it. */
    keeper_bench_submit(&bench, keeper_bench_event(&answers[6], "b", VTS_JOB_EVENT_CANCEL));
    keeper_bench_submit(&bench, keeper_bench_create(&answers[7], "no/id"));
    keeper_bench_submit(&bench, keeper_bench_get(&answers[8], "a"));
    (void)vts_keeper_step(bench.keeper);
    for (int i = 0; i < 6; i++)
        expect(&answers[i], VTS_KEEPER_STORE_FAILED);
    expect(&answers[6], VTS_KEEPER_JOB_NOT_FOUND);
    expect(&answers[7], VTS_KEEPER_INVALID);
    expect(&answers[8], VTS_KEEPER_OK);
    CU_ASSERT_EQUAL((int)answers[8].command->record->job->status->state, VTS_JOB_PENDING);
    for (int i = 0; i < COMMANDS; i++)
        keeper_answer_fini(&answers[i]);
    keeper_bench_fini(&bench);
}

static struct vts_keeper_command *create_with(struct keeper_answer *answer, const char *request_id)
{
    struct vts_keeper_command *command = keeper_bench_create(answer, "");

    ((Vtstatus__V1__CreateJobRequest *)(uintptr_t)command->create)->request_id =
        (char *)(uintptr_t)request_id;
    return command;
}

static void request_that_failed_may_be_repeated(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[2] = {{.count = 0}};

    set_up(&bench);
    bench.commits_left = 0;
    keeper_bench_submit(&bench, create_with(&answers[0], "r"));
    keeper_bench_submit(&bench, create_with(&answers[1], "r"));
    (void)vts_keeper_step(bench.keeper);
    expect(&answers[0], VTS_KEEPER_STORE_FAILED);
    expect(&answers[1], VTS_KEEPER_STORE_FAILED);
    bench.commits_left = -1;
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answers[0], "r")), VTS_KEEPER_OK);
    CU_ASSERT_FALSE(answers[0].command->was_there);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answers[1], "r")), VTS_KEEPER_OK);
    CU_ASSERT_TRUE(answers[1].command->was_there);
    keeper_answer_fini(&answers[0]);
    keeper_answer_fini(&answers[1]);
    keeper_bench_fini(&bench);
}

static void lease_that_failed_leaves_the_job_to_others(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer waiting = {.count = 0};

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    bench.commits_left = 0;
    keeper_bench_submit(&bench, keeper_bench_lease(&lease, 0));
    keeper_bench_submit(&bench, keeper_bench_lease(&waiting, minute_ns));
    (void)vts_keeper_step(bench.keeper);
    expect(&lease, VTS_KEEPER_STORE_FAILED);
    /* It would else wait beside a job that is ready. */
    expect(&waiting, VTS_KEEPER_STORE_FAILED);
    bench.commits_left = -1;
    keeper_bench_take(&bench, &lease, "a");
    keeper_answer_fini(&lease);
    keeper_answer_fini(&waiting);
    keeper_bench_fini(&bench);
}

static void lease_that_waits_outlasts_failures_that_are_not_its_own(void)
{
    struct keeper_bench bench;
    struct keeper_answer waiting[2] = {{.count = 0}};
    struct keeper_answer created = {.count = 0};

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_OK);
    for (int i = 0; i < 2; i++)
        keeper_bench_submit(&bench, keeper_bench_lease(&waiting[i], minute_ns));
    (void)vts_keeper_step(bench.keeper);
    bench.commits_left = 0;
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&created, "b")),
                    VTS_KEEPER_STORE_FAILED);
    expect(&waiting[0], VTS_KEEPER_STORE_FAILED); /* it had been given the job */
    CU_ASSERT_EQUAL(waiting[1].count, 0);
    bench.commits_left = -1;
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_RETRY), VTS_KEEPER_OK);
    expect(&waiting[1], VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(keeper_answer_id(&waiting[1]), "a");
    keeper_answer_fini(&waiting[0]);
    keeper_answer_fini(&waiting[1]);
    keeper_answer_fini(&created);
    keeper_bench_fini(&bench);
}

/* Job a is leased, and a heartbeat waits for news of it. */
static void hold_heartbeat(struct keeper_bench *bench, struct keeper_answer *lease,
                           struct keeper_answer *heartbeat, int64_t wait_ns)
{
    struct vts_keeper_command *command;

    keeper_bench_make(bench, "a");
    keeper_bench_take(bench, lease, "a");
    command = keeper_bench_report(heartbeat, lease, VTS_JOB_EVENT_HEARTBEAT);
    command->wait_ns = wait_ns;
    keeper_bench_submit(bench, command);
    (void)vts_keeper_step(bench->keeper);
}

static void heartbeat_hears_nothing_of_a_cancellation_that_failed(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer heartbeat = {.count = 0};

    set_up(&bench);
    hold_heartbeat(&bench, &lease, &heartbeat, minute_ns);
    bench.commits_left = 0;
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_STORE_FAILED);
    CU_ASSERT_EQUAL(heartbeat.count, 0);
    bench.commits_left = -1;
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_OK);
    expect(&heartbeat, VTS_KEEPER_OK);
    CU_ASSERT_TRUE(heartbeat.command->is_cancel_requested);
    keeper_answer_fini(&lease);
    keeper_answer_fini(&heartbeat);
    keeper_bench_fini(&bench);
}

static void heartbeat_that_has_waited_rests_on_no_later_commit(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer heartbeat = {.count = 0};

    set_up(&bench);
    hold_heartbeat(&bench, &lease, &heartbeat, second_ns);
    bench.commits_left = 0;
    keeper_bench_pass(second_ns);
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_STORE_FAILED);
    expect(&heartbeat, VTS_KEEPER_OK);
    CU_ASSERT_FALSE(heartbeat.command->is_cancel_requested);
    keeper_answer_fini(&lease);
    keeper_answer_fini(&heartbeat);
    keeper_bench_fini(&bench);
}

static void what_time_brings_is_tried_again(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};

    set_up(&bench);
    keeper_bench_make_done(&bench, "done");
    keeper_bench_make(&bench, "run");
    keeper_bench_pass(7 * day_ns - second_ns);
    keeper_bench_take(&bench, &lease, "run");
    bench.commits_left = 0;
    keeper_bench_pass((int64_t)KEEPER_BENCH_LEASE_S * second_ns);
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), second_ns); /* and no spinning */
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "run"), VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "done"), VTS_KEEPER_OK);
    bench.commits_left = -1;
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "done"), VTS_KEEPER_OK); /* not yet */
    keeper_bench_pass(second_ns);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "run"), VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "done"), VTS_KEEPER_JOB_GONE);
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

/* How often a text stands in what is written to stderr from begin_log() on. */
static int begin_log(int *ret_stderr)
{
    int file = memfd_create("log", 0);

    CU_ASSERT_FATAL(file >= 0);
    *ret_stderr = dup(STDERR_FILENO);
    CU_ASSERT_EQUAL_FATAL(dup2(file, STDERR_FILENO), STDERR_FILENO);
    return file;
}

static void end_log(int file, int old_stderr, char ret_log[LOG_BYTES])
{
    ssize_t len;

    CU_ASSERT_EQUAL_FATAL(dup2(old_stderr, STDERR_FILENO), STDERR_FILENO);
    len = pread(file, ret_log, LOG_BYTES - 1, 0);
    CU_ASSERT_FATAL(len >= 0);
    ret_log[len] = '\0';
    (void)close(file);       /* nothing of it is needed any more */
    (void)close(old_stderr); /* it has its own number again */
}

static int count_of(const char *text, const char *part)
{
    int count = 0;

    for (const char *at = strstr(text, part); at != NULL; at = strstr(at + 1, part))
        count++;
    return count;
}

static void failing_is_logged_once_an_episode(void)
{
    struct keeper_bench bench;
    char log[LOG_BYTES];
    int old_stderr;
    int file = begin_log(&old_stderr);

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    for (int episode = 0; episode < 2; episode++) {
        bench.commits_left = 0;
        for (int i = 0; i < 3; i++)
            CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_STORE_FAILED);
        bench.commits_left = -1;
        CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_OK);
        CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_RETRY), VTS_KEEPER_OK);
    }
    keeper_bench_fini(&bench);
    end_log(file, old_stderr, log);
    CU_ASSERT_EQUAL(count_of(log, "cannot be stored"), 2);
    CU_ASSERT_EQUAL(count_of(log, "the disk is full"), 2);
    CU_ASSERT_EQUAL(count_of(log, "stored again"), 2);
}

/* ---- memory runs out --------------------------------------------------------------------- */

/* A batch with a bit of everything: jobs "a", which runs, and "b", which is done, are there. */
static void submit_everything(struct keeper_bench *bench, const struct keeper_answer *lease,
                              struct keeper_answer answers[COMMANDS],
                              const Vtstatus__V1__ListJobsRequest *query)
{
    struct vts_keeper_command *commands[COMMANDS];

    commands[0] = create_with(&answers[0], "r");
    commands[1] = keeper_bench_create(&answers[1], "c");
    commands[2] = keeper_bench_get(&answers[2], "a");
    commands[3] = keeper_bench_command(VTS_KEEPER_LIST, &answers[3]);
    commands[3]->list = query;
    commands[4] = keeper_bench_report(&answers[4], lease, VTS_JOB_EVENT_HEARTBEAT);
    commands[4]->wait_ns = minute_ns;
    commands[5] = keeper_bench_delete(&answers[5], "b");
    commands[6] = keeper_bench_lease(&answers[6], minute_ns);
    commands[7] = keeper_bench_lease(&answers[7], minute_ns);
    commands[8] = keeper_bench_lease(&answers[8], minute_ns);
    for (int i = 0; i < COMMANDS; i++)
        keeper_bench_submit(bench, commands[i]);
}

/* One of them with the n-th allocation of the step failing; false when none did. */
static bool fail_one(long n)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answers[COMMANDS] = {{.count = 0}};
    Vtstatus__V1__ListJobsRequest query = VTSTATUS__V1__LIST_JOBS_REQUEST__INIT;
    bool has_failed;

    set_up(&bench);
    keeper_bench_make_done(&bench, "b");
    keeper_bench_make(&bench, "a");
    keeper_bench_take(&bench, &lease, "a");
    submit_everything(&bench, &lease, answers, &query);
    (void)vts_mem_fail_after(n);
    (void)vts_keeper_step(bench.keeper);
    has_failed = vts_mem_fail_after(-1) != 0;
    keeper_bench_pass(2 * second_ns); /* what was put off is done */
    keeper_bench_settle(&bench);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 2);
    keeper_bench_close(&bench);
    for (int i = 0; i < COMMANDS; i++) {
        CU_ASSERT_EQUAL_FATAL(answers[i].count, 1);
        CU_ASSERT(answers[i].command->refusal == VTS_KEEPER_OK ||
                  answers[i].command->refusal == VTS_KEEPER_STOPPING ||
                  (has_failed && (answers[i].command->refusal == VTS_KEEPER_NO_MEMORY ||
                                  answers[i].command->refusal == VTS_KEEPER_STORE_FAILED)));
        keeper_answer_fini(&answers[i]);
    }
    keeper_bench_open(&bench); /* what is stored is whole */
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
    return has_failed;
}

static void step_without_memory_answers_everything_once(void)
{
    long n = 0;

    while (n < 1000 && fail_one(n))
        n++;
    CU_ASSERT(n > 20 && n < 1000);
}

/* The jobs whose time has come, with each allocation failing in turn. */
static void time_without_memory_comes_later(void)
{
    long n = 0;
    bool has_failed = true;

    for (; n < 1000 && has_failed; n++) {
        struct keeper_bench bench;
        struct keeper_answer lease = {.count = 0};

        set_up(&bench);
        keeper_bench_make_done(&bench, "c");
        keeper_bench_pass(7 * day_ns);
        keeper_bench_settle(&bench);
        keeper_bench_make_done(&bench, "b");
        keeper_bench_make(&bench, "a");
        keeper_bench_take(&bench, &lease, "a");
        keeper_bench_pass(7 * day_ns);
        (void)vts_mem_fail_after(n);
        (void)vts_keeper_step(bench.keeper);
        has_failed = vts_mem_fail_after(-1) != 0;
        keeper_bench_pass(second_ns);
        keeper_bench_settle(&bench);
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, "b"), VTS_KEEPER_JOB_GONE);
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, "c"), VTS_KEEPER_JOB_NOT_FOUND);
        CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_PENDING);
        CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 3);
        keeper_answer_fini(&lease);
        keeper_bench_fini(&bench);
    }
    CU_ASSERT(n > 5 && n < 1000);
}

static void keeper_without_memory_is_none(void)
{
    struct keeper_bench bench;
    struct vts_error error;
    enum vts_err err = VTS_ERR_NOMEM;
    long n = 0;

    set_up(&bench);
    keeper_bench_make_done(&bench, "b");
    keeper_bench_make(&bench, "a");
    keeper_bench_close(&bench);
    for (; n < 1000 && err != VTS_OK; n++) {
        (void)vts_mem_fail_after(n);
        err = keeper_bench_try_open(&bench, &error);
        CU_ASSERT_EQUAL(vts_mem_fail_after(-1) != 0, err == VTS_ERR_NOMEM);
    }
    CU_ASSERT(n > 10 && n < 1000);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_PENDING);
    keeper_bench_fini(&bench);
}

static void command_without_memory_is_none(void)
{
    struct vts_keeper_command *command = NULL;

    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_keeper_command_new(VTS_KEEPER_GET, NULL, NULL, &command), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_PTR_NULL(command);
    vts_keeper_command_free(NULL);
}

/* ---- loops take no news ------------------------------------------------------------------ */

/* A loop that may refuse posts, and runs them at once otherwise. */
struct loop {
    bool refuses;
    unsigned posts_count;
    void (*fn)(void *);
    void *argument;
};

static enum vts_err post(void *context, void (*fn)(void *), void *argument)
{
    struct loop *loop = context;

    if (loop->refuses)
        return VTS_ERR_LIMIT;
    loop->posts_count++;
    loop->fn = fn;
    loop->argument = argument;
    return VTS_OK;
}

static void count(void *context)
{
    ++*(unsigned *)context;
}

/* Runs what was posted; returns how often the watch has been told by now. */
static unsigned run_loop(struct loop *loop, const unsigned *told)
{
    void (*fn)(void *) = loop->fn;

    loop->fn = NULL;
    if (fn != NULL)
        fn(loop->argument);
    return *told;
}

static void news_that_found_no_way_are_told_a_little_later(void)
{
    struct keeper_bench bench;
    struct loop loop = {.refuses = true};
    struct keeper_answer answer = {.count = 0};
    struct vts_watch watch;
    unsigned told = 0;

    set_up(&bench);
    vts_watch_hub_set_loop(bench.hub, 0, post, &loop);
    CU_ASSERT_EQUAL_FATAL(vts_watch_start(bench.hub, 0, vts_str_of("a"), &watch, count, &told),
                          VTS_OK);
    keeper_bench_submit(&bench, keeper_bench_create(&answer, "a"));
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), second_ns / 10);
    expect(&answer, VTS_KEEPER_OK);
    loop.refuses = false;
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(run_loop(&loop, &told), 0);
    keeper_bench_pass(second_ns / 10);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(run_loop(&loop, &told), 1);
    loop.refuses = true; /* what is newer takes the place of what is older */
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "a")), VTS_KEEPER_OK);
    loop.refuses = false;
    loop.posts_count = 0;
    keeper_bench_pass(second_ns / 10);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(loop.posts_count, 1);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 0);
    CU_ASSERT_EQUAL(run_loop(&loop, &told), 2);
    CU_ASSERT_EQUAL(keeper_bench_last_revision(&watch), 2);
    vts_watch_stop(&watch);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void news_of_a_job_that_is_made_anew_are_not_mixed_up(void)
{
    struct keeper_bench bench;
    struct loop loop = {.refuses = true};
    struct vts_watch watch;
    unsigned told = 0;

    set_up(&bench);
    keeper_bench_make_done(&bench, "a");
    vts_watch_hub_set_loop(bench.hub, 0, post, &loop);
    CU_ASSERT_EQUAL_FATAL(vts_watch_start(bench.hub, 0, vts_str_of("a"), &watch, count, &told),
                          VTS_OK);
    keeper_bench_pass(7 * day_ns);
    (void)vts_keeper_step(bench.keeper); /* gone, but not told */
    keeper_bench_pass(day_ns);
    (void)vts_keeper_step(bench.keeper); /* forgotten, but still not told */
    keeper_bench_make(&bench, "a");
    loop.refuses = false;
    keeper_bench_pass(second_ns / 10);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(run_loop(&loop, &told), 1);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 1);
    loop.refuses = true; /* and a keeper may go with news untold */
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL), VTS_KEEPER_OK);
    keeper_bench_close(&bench);
    vts_watch_stop(&watch);
    keeper_bench_fini(&bench);
}

static const struct vts_test tests[] = {
    {"commit_that_fails_leaves_nothing", commit_that_fails_leaves_nothing},
    {"answer_that_rests_on_a_failed_commit_is_none", answer_that_rests_on_a_failed_commit_is_none},
    {"request_that_failed_may_be_repeated", request_that_failed_may_be_repeated},
    {"lease_that_failed_leaves_the_job_to_others", lease_that_failed_leaves_the_job_to_others},
    {"lease_that_waits_outlasts_failures_that_are_not_its_own",
     lease_that_waits_outlasts_failures_that_are_not_its_own},
    {"heartbeat_hears_nothing_of_a_cancellation_that_failed",
     heartbeat_hears_nothing_of_a_cancellation_that_failed},
    {"heartbeat_that_has_waited_rests_on_no_later_commit",
     heartbeat_that_has_waited_rests_on_no_later_commit},
    {"what_time_brings_is_tried_again", what_time_brings_is_tried_again},
    {"failing_is_logged_once_an_episode", failing_is_logged_once_an_episode},
    {"step_without_memory_answers_everything_once", step_without_memory_answers_everything_once},
    {"time_without_memory_comes_later", time_without_memory_comes_later},
    {"keeper_without_memory_is_none", keeper_without_memory_is_none},
    {"command_without_memory_is_none", command_without_memory_is_none},
    {"news_that_found_no_way_are_told_a_little_later",
     news_that_found_no_way_are_told_a_little_later},
    {"news_of_a_job_that_is_made_anew_are_not_mixed_up",
     news_of_a_job_that_is_made_anew_are_not_mixed_up},
};

int main(void)
{
    return vts_test_run("test_keeper_fault", tests, VTS_ARRAY_LEN(tests));
}
