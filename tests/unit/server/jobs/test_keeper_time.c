/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper_time.c - what time and a restart bring to jobs. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/jobs/job.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/keeper_bench.h"

enum { MANY = 3000 };

static const int64_t second_ns = VTS_NS_PER_S;
static const int64_t day_ns = (int64_t)24 * 3600 * VTS_NS_PER_S;

static void set_up(struct keeper_bench *bench)
{
    keeper_bench_init(bench);
    keeper_bench_open(bench);
}

/* Lets time pass, and whatever is due happen. */
static void pass(struct keeper_bench *bench, int64_t ns)
{
    keeper_bench_pass(ns);
    keeper_bench_settle(bench);
}

/* Makes a job with a ttl and a start time, both perhaps 0. */
static void make(struct keeper_bench *bench, const char *id, int64_t ttl_s, int64_t start_in_s)
{
    struct keeper_answer answer = {.count = 0};
    struct vts_keeper_command *command = keeper_bench_create(&answer, id);
    Vtstatus__V1__CreateJobRequest *request = keeper_bench_request(command, id);
    Google__Protobuf__Duration ttl = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Protobuf__Timestamp start = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    ttl.seconds = ttl_s;
    start.seconds = keeper_bench_wall_ns / VTS_NS_PER_S + start_in_s;
    request->ttl = ttl_s == 0 ? NULL : &ttl;
    request->start_time = start_in_s == 0 ? NULL : &start;
    command->create = request;
    CU_ASSERT_EQUAL_FATAL(keeper_bench_run(bench, command), VTS_KEEPER_OK);
    keeper_answer_fini(&answer);
}

static void end(struct keeper_bench *bench, const char *id, enum vts_job_event_kind kind)
{
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answer = {.count = 0};

    keeper_bench_take(bench, &lease, id);
    CU_ASSERT_EQUAL_FATAL(keeper_bench_run(bench, keeper_bench_report(&answer, &lease, kind)),
                          VTS_KEEPER_OK);
    keeper_answer_fini(&lease);
    keeper_answer_fini(&answer);
}

/* ---- keeping and forgetting -------------------------------------------------------------- */

static void job_that_is_done_is_kept_as_long_as_it_says(void)
{
    static const struct {
        enum vts_job_event_kind end;
        int64_t ttl_s;
        int64_t kept_ns;
    } cases[] = {{VTS_JOB_EVENT_COMPLETE, 0, 7 * day_ns},
                 {VTS_JOB_EVENT_FAIL, 0, 30 * day_ns},
                 {VTS_JOB_EVENT_COMPLETE, 3600, 3600 * second_ns},
                 {VTS_JOB_EVENT_FAIL, 3600, 3600 * second_ns}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(cases); i++) {
        struct keeper_bench bench;

        set_up(&bench);
        make(&bench, "a", cases[i].ttl_s, 0);
        end(&bench, "a", cases[i].end);
        pass(&bench, cases[i].kept_ns - 1);
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_OK);
        CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 3);
        pass(&bench, 1);
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_JOB_GONE);
        CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 0);
        keeper_bench_close(&bench);
        keeper_bench_open(&bench);
        pass(&bench, day_ns - 1);
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_JOB_GONE);
        pass(&bench, 1); /* as one that was deleted */
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_JOB_NOT_FOUND);
        keeper_bench_fini(&bench);
    }
}

static void job_that_is_retried_is_not_forgotten(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    make(&bench, "a", 60, 0);
    end(&bench, "a", VTS_JOB_EVENT_FAIL);
    pass(&bench, 59 * second_ns);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_event(&answer, "a", VTS_JOB_EVENT_RETRY)),
                    VTS_KEEPER_OK);
    pass(&bench, 100 * day_ns);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_PENDING);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

/* Makes jobs "j0" and so on, and cancels them. */
static void make_many(struct keeper_bench *bench, char ids[MANY][8])
{
    struct keeper_answer *answers = vts_mem_zalloc(MANY * sizeof(*answers));
    struct keeper_answer *cancels = vts_mem_zalloc(MANY * sizeof(*cancels));

    CU_ASSERT_FATAL(answers != NULL && cancels != NULL);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "j%d", i);
        keeper_bench_submit(bench, keeper_bench_create(&answers[i], ids[i]));
        keeper_bench_submit(bench, keeper_bench_event(&cancels[i], ids[i], VTS_JOB_EVENT_CANCEL));
    }
    keeper_bench_settle(bench);
    for (int i = 0; i < MANY; i++) {
        CU_ASSERT(answers[i].count == 1 && cancels[i].count == 1);
        CU_ASSERT_EQUAL(cancels[i].command->refusal, VTS_KEEPER_OK);
        keeper_answer_fini(&answers[i]);
        keeper_answer_fini(&cancels[i]);
    }
    vts_mem_free(answers);
    vts_mem_free(cancels);
}

/* More than one batch takes; they go a batch at a time. */
static void many_jobs_are_forgotten_in_several_batches(void)
{
    struct keeper_bench bench;
    uint64_t commits_before;
    char ids[MANY][8];

    set_up(&bench);
    make_many(&bench, ids);
    commits_before = bench.commits_count;
    pass(&bench, 7 * day_ns);
    CU_ASSERT_EQUAL(bench.commits_count, commits_before + 3);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, ids[i]), VTS_KEEPER_JOB_GONE);
    pass(&bench, day_ns);
    CU_ASSERT_EQUAL(bench.commits_count, commits_before + 6);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, ids[i]), VTS_KEEPER_JOB_NOT_FOUND);
    keeper_bench_fini(&bench);
}

/* ---- starts and ends --------------------------------------------------------------------- */

static void job_starts_when_its_time_has_come(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};

    set_up(&bench);
    make(&bench, "a", 0, 10);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_lease(&lease, 0)), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(keeper_answer_id(&lease), "");
    keeper_bench_submit(&bench, keeper_bench_lease(&lease, 60 * second_ns));
    lease = (struct keeper_answer){.count = 0};
    pass(&bench, 10 * second_ns - 1);
    CU_ASSERT_EQUAL(lease.count, 0);
    pass(&bench, 1);
    CU_ASSERT_EQUAL(lease.count, 1);
    CU_ASSERT_STRING_EQUAL(keeper_answer_id(&lease), "a");
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

static void step_says_when_something_is_due(void)
{
    struct keeper_bench bench;

    set_up(&bench);
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), INT64_MAX);
    make(&bench, "a", 0, 5);
    pass(&bench, second_ns); /* the store is tidied */
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), 4 * second_ns);
    make(&bench, "b", 0, 3600);
    pass(&bench, 4 * second_ns); /* a starts */
    pass(&bench, second_ns);
    /* The wall clock may be set meanwhile, so it is looked at now and then. */
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), 10 * second_ns);
    keeper_bench_fini(&bench);
}

static void lease_that_is_not_kept_is_lost(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    keeper_bench_take(&bench, &lease, "a");
    pass(&bench, (int64_t)KEEPER_BENCH_LEASE_S * second_ns - 1);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_RUNNING);
    pass(&bench, 1);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_COMPLETE)),
        VTS_KEEPER_MACHINE);
    CU_ASSERT_EQUAL(answer.command->change.refusal, VTS_JOB_REFUSAL_LEASE_LOST);
    keeper_answer_fini(&lease);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void progress_that_was_held_back_is_seen_later(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answer = {.count = 0};
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    keeper_bench_take(&bench, &lease, "a");
    for (int i = 1; i <= 2; i++) {
        struct vts_keeper_command *command =
            keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_HEARTBEAT);

        progress.percent = (float)i * 10;
        command->event.progress = &progress;
        CU_ASSERT_EQUAL(keeper_bench_run(&bench, command), VTS_KEEPER_OK);
    }
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 3);
    pass(&bench, second_ns / 4);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 4);
    keeper_answer_fini(&lease);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void poll_hint_follows_the_progress(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answer = {.count = 0};
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    struct vts_keeper_command *command;
    struct vts_status_view view;

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    keeper_bench_take(&bench, &lease, "a");
    pass(&bench, 10 * second_ns);
    command = keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_HEARTBEAT);
    progress.percent = 50;
    command->event.progress = &progress;
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, command), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL_FATAL(
        vts_check_status(bench.board, vts_str_of("a"), keeper_bench_now_ns, &view), VTS_OK);
    CU_ASSERT_EQUAL(view.poll_after_ns, 5 * second_ns); /* half of what is left */
    vts_snapshot_unref(view.snapshot);
    keeper_answer_fini(&lease);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void clock_that_is_set_back_harms_nothing(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};

    set_up(&bench);
    make(&bench, "a", 0, 10);
    keeper_bench_make(&bench, "b");
    keeper_bench_wall_ns -= 100 * second_ns;
    keeper_bench_settle(&bench);
    keeper_bench_take(&bench, &lease, "b");
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_lease(&lease, 0)), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(keeper_answer_id(&lease), "");
    pass(&bench, 110 * second_ns);
    keeper_bench_take(&bench, &lease, "a");
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

/* ---- restarts ---------------------------------------------------------------------------- */

/* With a board that is empty. */
static void restart(struct keeper_bench *bench)
{
    keeper_bench_close(bench);
    vts_watch_hub_free(bench->hub);
    vts_board_free(bench->board);
    CU_ASSERT_EQUAL_FATAL(vts_board_new(&bench->board), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_watch_hub_new(bench->board, 1, 10, 1000, &bench->hub), VTS_OK);
    bench->options.hub = bench->hub;
    keeper_bench_open(bench);
}

static void jobs_are_as_they_were_after_a_restart(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    keeper_bench_make(&bench, "run");
    keeper_bench_take(&bench, &lease, "run");
    keeper_bench_make_done(&bench, "done");
    keeper_bench_make(&bench, "wait");
    make(&bench, "later", 0, 30);
    restart(&bench);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "run"), 2);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "done"), 3);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "wait"), 1);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "run"), VTS_JOB_RUNNING);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "done"), VTS_JOB_SUCCEEDED);
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_COMPLETE)),
        VTS_KEEPER_OK);
    keeper_bench_take(&bench, &lease, "wait");
    pass(&bench, 30 * second_ns);
    keeper_bench_take(&bench, &lease, "later");
    keeper_answer_fini(&lease);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

/* So many that a second thread publishes them. */
static void many_jobs_are_there_after_a_restart(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};
    char ids[MANY][8];

    set_up(&bench);
    make_many(&bench, ids);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "j7")), VTS_KEEPER_OK);
    restart(&bench);
    for (int i = 0; i < MANY; i++) {
        CU_ASSERT_EQUAL(keeper_bench_revision(&bench, ids[i]), i == 7 ? 0 : 2);
        CU_ASSERT_EQUAL(keeper_bench_look(&bench, ids[i]),
                        i == 7 ? VTS_KEEPER_JOB_GONE : VTS_KEEPER_OK);
    }
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void what_was_due_while_the_keeper_was_away_happens_at_once(void)
{
    struct keeper_bench bench;
    struct keeper_answer lease = {.count = 0};

    set_up(&bench);
    keeper_bench_make(&bench, "run");
    keeper_bench_take(&bench, &lease, "run");
    keeper_bench_make_done(&bench, "done");
    keeper_bench_close(&bench);
    keeper_bench_pass(7 * day_ns);
    keeper_bench_open(&bench);
    keeper_bench_settle(&bench);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "run"), VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "done"), VTS_KEEPER_JOB_GONE);
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

/* Puts a record into the store that the keeper must not take. */
static void refuse_record(const char *id, uint64_t version, struct vts_str record,
                          const char *reason)
{
    struct keeper_bench bench;
    struct vts_error error = {.text = ""};
    char ids[MANY][8];
    const struct vts_store_write write = {
        .id = vts_str_of(id), .version = version, .record = record};

    set_up(&bench);
    make_many(&bench, ids);
    keeper_bench_close(&bench);
    CU_ASSERT_EQUAL_FATAL(bench.records->ops->commit(bench.records, &write, 1, &error), VTS_OK);
    CU_ASSERT_EQUAL(keeper_bench_try_open(&bench, &error), VTS_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, id));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, reason));
    keeper_bench_fini(&bench);
}

static void record_that_is_no_good_is_not_loaded(void)
{
    Vtstatus__Store__V1__JobRecord record = VTSTATUS__STORE__V1__JOB_RECORD__INIT;
    Vtstatus__V1__Job job = VTSTATUS__V1__JOB__INIT;
    Google__Protobuf__Timestamp until = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    uint8_t bytes[256];
    struct vts_str packed;

    record.job = &job;
    record.version = 5;
    job.id = (char[]){"b"};
    packed = vts_str_make(bytes, vtstatus__store__v1__job_record__pack(&record, bytes));
    refuse_record("b", 5, vts_str_of("\xff\xff"), "it cannot be read");
    refuse_record("b", 5, packed, "record of job"); /* the check says what is missing */
    until.seconds = keeper_bench_wall_ns / VTS_NS_PER_S + 1;
    record.tombstone_expire_time = &until;
    packed = vts_str_make(bytes, vtstatus__store__v1__job_record__pack(&record, bytes));
    refuse_record("c", 5, packed, "another job's");
    refuse_record("b", 4, packed, "version");
}

static const struct vts_test tests[] = {
    {"job_that_is_done_is_kept_as_long_as_it_says", job_that_is_done_is_kept_as_long_as_it_says},
    {"job_that_is_retried_is_not_forgotten", job_that_is_retried_is_not_forgotten},
    {"many_jobs_are_forgotten_in_several_batches", many_jobs_are_forgotten_in_several_batches},
    {"job_starts_when_its_time_has_come", job_starts_when_its_time_has_come},
    {"step_says_when_something_is_due", step_says_when_something_is_due},
    {"lease_that_is_not_kept_is_lost", lease_that_is_not_kept_is_lost},
    {"progress_that_was_held_back_is_seen_later", progress_that_was_held_back_is_seen_later},
    {"poll_hint_follows_the_progress", poll_hint_follows_the_progress},
    {"clock_that_is_set_back_harms_nothing", clock_that_is_set_back_harms_nothing},
    {"jobs_are_as_they_were_after_a_restart", jobs_are_as_they_were_after_a_restart},
    {"many_jobs_are_there_after_a_restart", many_jobs_are_there_after_a_restart},
    {"what_was_due_while_the_keeper_was_away_happens_at_once",
     what_was_due_while_the_keeper_was_away_happens_at_once},
    {"record_that_is_no_good_is_not_loaded", record_that_is_no_good_is_not_loaded},
};

int main(void)
{
    return vts_test_run("test_keeper_time", tests, VTS_ARRAY_LEN(tests));
}
