/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper.c - commands that create, change, look at and delete jobs. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "server/jobs/job.h"
#include "server/store/store_memory.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/keeper_bench.h"

static const int64_t second_ns = VTS_NS_PER_S;
static const int64_t day_ns = (int64_t)24 * 3600 * VTS_NS_PER_S;

static void set_up(struct keeper_bench *bench)
{
    keeper_bench_init(bench);
    keeper_bench_open(bench);
}

/* The event's refusal by the keeper. */
static enum vts_keeper_refusal tell(struct keeper_bench *bench, const char *id,
                                    enum vts_job_event_kind kind, const char *etag)
{
    struct keeper_answer answer = {.count = 0};
    struct vts_keeper_command *command = keeper_bench_event(&answer, id, kind);
    enum vts_keeper_refusal refusal;

    command->etag = etag;
    refusal = keeper_bench_run(bench, command);
    keeper_answer_fini(&answer);
    return refusal;
}

/* ---- create and get ---------------------------------------------------------------------- */

static void job_that_is_created_is_stored_published_and_found(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_JOB_NOT_FOUND);
    keeper_bench_submit(&bench, keeper_bench_create(&answer, "a"));
    CU_ASSERT_EQUAL(answer.count, 0);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL_FATAL(answer.count, 1);
    CU_ASSERT_EQUAL(answer.command->refusal, VTS_KEEPER_OK);
    CU_ASSERT_FALSE(answer.command->was_there);
    CU_ASSERT_STRING_EQUAL(keeper_answer_id(&answer), "a");
    CU_ASSERT_STRING_EQUAL(answer.command->record->job->queue, "default");
    CU_ASSERT_EQUAL(bench.commits_count, 1);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 1);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(bench.commits_count, 1); /* looking writes nothing */
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void job_id_is_made_when_none_is_given(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[2] = {{.count = 0}};

    set_up(&bench);
    for (int i = 0; i < 2; i++)
        CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answers[i], "")),
                        VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(strlen(keeper_answer_id(&answers[0])), 26);
    CU_ASSERT(vts_job_id_is_valid(vts_str_of(keeper_answer_id(&answers[0]))));
    CU_ASSERT_STRING_NOT_EQUAL(keeper_answer_id(&answers[0]), keeper_answer_id(&answers[1]));
    keeper_answer_fini(&answers[0]);
    keeper_answer_fini(&answers[1]);
    keeper_bench_fini(&bench);
}

static void seed_makes_the_same_ids_but_none_twice(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[2] = {{.count = 0}};

    keeper_bench_init(&bench);
    bench.options.seed = 7;
    for (int i = 0; i < 2; i++) {
        keeper_bench_open(&bench);
        CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answers[i], "")),
                        VTS_KEEPER_OK);
        keeper_bench_close(&bench);
    }
    CU_ASSERT_STRING_NOT_EQUAL(keeper_answer_id(&answers[0]), keeper_answer_id(&answers[1]));
    bench.records->ops->close(bench.records);
    CU_ASSERT_EQUAL_FATAL(vts_store_memory_new(&bench.records), VTS_OK);
    keeper_bench_open(&bench);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answers[1], "")), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(keeper_answer_id(&answers[0]), keeper_answer_id(&answers[1]));
    keeper_answer_fini(&answers[0]);
    keeper_answer_fini(&answers[1]);
    keeper_bench_fini(&bench);
}

static void request_that_is_no_good_is_refused_with_the_reason(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answer, "no/id")),
                    VTS_KEEPER_INVALID);
    CU_ASSERT_STRING_EQUAL(answer.command->violation.field, "job_id");
    CU_ASSERT_PTR_NULL(answer.command->record);
    CU_ASSERT_EQUAL(bench.commits_count, 0);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void job_is_not_created_twice(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[2] = {{.count = 0}};

    set_up(&bench);
    keeper_bench_submit(&bench, keeper_bench_create(&answers[0], "a"));
    keeper_bench_submit(&bench, keeper_bench_create(&answers[1], "a")); /* of the same batch */
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(answers[0].command->refusal, VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(answers[1].command->refusal, VTS_KEEPER_JOB_EXISTS);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answers[1], "a")),
                    VTS_KEEPER_JOB_EXISTS);
    keeper_answer_fini(&answers[0]);
    keeper_answer_fini(&answers[1]);
    keeper_bench_fini(&bench);
}

static void jobs_have_a_maximum(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};

    keeper_bench_init(&bench);
    bench.options.jobs_max = 2;
    keeper_bench_open(&bench);
    keeper_bench_make_done(&bench, "a");
    keeper_bench_make(&bench, "b");
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answer, "c")), VTS_KEEPER_FULL);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "a")), VTS_KEEPER_OK);
    /* A tombstone is a record too. */
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answer, "c")), VTS_KEEPER_FULL);
    keeper_bench_pass(day_ns);
    keeper_bench_settle(&bench);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answer, "c")), VTS_KEEPER_OK);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

/* ---- request ids ------------------------------------------------------------------------- */

static struct vts_keeper_command *create_with(struct keeper_answer *answer, const char *request_id,
                                              const char *language)
{
    struct vts_keeper_command *command = keeper_bench_create(answer, "");
    Vtstatus__V1__CreateJobRequest *request = keeper_bench_request(command, "");

    request->request_id = (char *)(uintptr_t)request_id;
    request->spec->target_language = (char *)(uintptr_t)language;
    command->create = request;
    return command;
}

static void request_id_that_is_repeated_gives_the_same_job(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[3] = {{.count = 0}};

    set_up(&bench);
    keeper_bench_submit(&bench, create_with(&answers[0], "r", "de"));
    keeper_bench_submit(&bench, create_with(&answers[1], "r", "de")); /* of the same batch */
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_FALSE(answers[0].command->was_there);
    CU_ASSERT_TRUE(answers[1].command->was_there);
    CU_ASSERT_STRING_EQUAL(keeper_answer_id(&answers[1]), keeper_answer_id(&answers[0]));
    CU_ASSERT_EQUAL(tell(&bench, keeper_answer_id(&answers[0]), VTS_JOB_EVENT_CANCEL, NULL),
                    VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answers[2], "r", "de")), VTS_KEEPER_OK);
    CU_ASSERT_TRUE(answers[2].command->was_there);
    CU_ASSERT_EQUAL((int)answers[2].command->record->job->status->state, VTS_JOB_CANCELLED);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answers[2], "s", "de")), VTS_KEEPER_OK);
    CU_ASSERT_FALSE(answers[2].command->was_there);
    for (int i = 0; i < 3; i++)
        keeper_answer_fini(&answers[i]);
    keeper_bench_fini(&bench);
}

static void request_id_is_not_for_another_request(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answer, "r", "de")), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answer, "r", "fr")),
                    VTS_KEEPER_REQUEST_ID_REUSED);
    CU_ASSERT_PTR_NULL(answer.command->record);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void request_id_is_known_for_a_day_and_after_a_restart(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answer, "r", "de")), VTS_KEEPER_OK);
    keeper_bench_close(&bench);
    keeper_bench_pass(day_ns - 1);
    keeper_bench_open(&bench);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answer, "r", "de")), VTS_KEEPER_OK);
    CU_ASSERT_TRUE(answer.command->was_there);
    keeper_bench_pass(1);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answer, "r", "fr")), VTS_KEEPER_OK);
    CU_ASSERT_FALSE(answer.command->was_there);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answer, "r", "fr")), VTS_KEEPER_OK);
    CU_ASSERT_TRUE(answer.command->was_there); /* of the new one */
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void request_id_outlives_its_job(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[3] = {{.count = 0}};
    const char *id;

    set_up(&bench);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answers[0], "r", "de")), VTS_KEEPER_OK);
    id = keeper_answer_id(&answers[0]);
    CU_ASSERT_EQUAL(tell(&bench, id, VTS_JOB_EVENT_CANCEL, NULL), VTS_KEEPER_OK);
    keeper_bench_submit(&bench, keeper_bench_delete(&answers[1], id));
    keeper_bench_submit(&bench, create_with(&answers[2], "r", "de")); /* of the same batch */
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(answers[2].command->refusal, VTS_KEEPER_JOB_GONE);
    CU_ASSERT_STRING_EQUAL(answers[2].command->job_id, id);
    keeper_bench_close(&bench); /* it is remembered after a restart, too */
    keeper_bench_pass(day_ns - 1);
    keeper_bench_open(&bench);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answers[2], "r", "de")),
                    VTS_KEEPER_JOB_GONE);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answers[2], "r", "fr")),
                    VTS_KEEPER_REQUEST_ID_REUSED);
    keeper_bench_pass(1);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, create_with(&answers[2], "r", "de")), VTS_KEEPER_OK);
    CU_ASSERT_FALSE(answers[2].command->was_there);
    for (int i = 0; i < 3; i++)
        keeper_answer_fini(&answers[i]);
    keeper_bench_fini(&bench);
}

/* ---- events ------------------------------------------------------------------------------ */

static void event_changes_the_job_and_what_is_seen_of_it(void)
{
    struct keeper_bench bench;

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL, NULL), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 2);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_CANCELLED);
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_RETRY, NULL), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_PENDING);
    keeper_bench_fini(&bench);
}

static void event_that_the_machine_refuses_changes_nothing(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_event(&answer, "a", VTS_JOB_EVENT_RETRY)),
                    VTS_KEEPER_MACHINE);
    CU_ASSERT_EQUAL(answer.command->change.refusal, VTS_JOB_REFUSAL_NOT_RETRYABLE);
    CU_ASSERT_PTR_NULL(answer.command->record);
    CU_ASSERT_EQUAL(bench.commits_count, 1);
    CU_ASSERT_EQUAL(tell(&bench, "b", VTS_JOB_EVENT_CANCEL, NULL), VTS_KEEPER_JOB_NOT_FOUND);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void event_with_an_etag_needs_that_revision(void)
{
    struct keeper_bench bench;

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL, "W/\"r2\""), VTS_KEEPER_ETAG_MISMATCH);
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL, "r1"), VTS_KEEPER_ETAG_MISMATCH);
    CU_ASSERT_EQUAL(keeper_bench_state(&bench, "a"), VTS_JOB_PENDING);
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL, "\"r1\""), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_RETRY, "W/\"r2\""), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL, "*"), VTS_KEEPER_OK);
    keeper_bench_fini(&bench);
}

static void events_of_one_batch_follow_each_other(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[4] = {{.count = 0}};
    struct keeper_answer got = {.count = 0};

    set_up(&bench);
    keeper_bench_submit(&bench, keeper_bench_get(&got, "a"));
    keeper_bench_submit(&bench, keeper_bench_create(&answers[0], "a"));
    keeper_bench_submit(&bench, keeper_bench_event(&answers[1], "a", VTS_JOB_EVENT_CANCEL));
    keeper_bench_submit(&bench, keeper_bench_event(&answers[2], "a", VTS_JOB_EVENT_RETRY));
    keeper_bench_submit(&bench, keeper_bench_event(&answers[3], "a", VTS_JOB_EVENT_CANCEL));
    (void)vts_keeper_step(bench.keeper);
    for (int i = 0; i < 4; i++) {
        CU_ASSERT_EQUAL(answers[i].command->refusal, VTS_KEEPER_OK);
        CU_ASSERT_EQUAL(answers[i].command->record->job->status->revision, (uint64_t)i + 1);
    }
    CU_ASSERT_EQUAL(got.command->record->job->status->revision, 4); /* what is durable */
    CU_ASSERT_EQUAL(bench.commits_count, 1);
    CU_ASSERT_EQUAL(bench.writes_count, 1);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 4);
    for (int i = 0; i < 4; i++)
        keeper_answer_fini(&answers[i]);
    keeper_answer_fini(&got);
    keeper_bench_fini(&bench);
}

/* ---- delete ------------------------------------------------------------------------------ */

static void job_that_is_deleted_is_gone_for_a_day(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    keeper_bench_make_done(&bench, "a");
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "a")), VTS_KEEPER_OK);
    CU_ASSERT_PTR_NULL(answer.command->record);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 0);
    keeper_bench_close(&bench); /* it is gone after a restart, too */
    keeper_bench_open(&bench);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_JOB_GONE);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "a")),
                    VTS_KEEPER_JOB_GONE);
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_RETRY, NULL), VTS_KEEPER_JOB_GONE);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_create(&answer, "a")),
                    VTS_KEEPER_JOB_EXISTS);
    keeper_bench_pass(day_ns - second_ns);
    keeper_bench_settle(&bench);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_JOB_GONE);
    keeper_bench_pass(second_ns);
    keeper_bench_settle(&bench);
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_JOB_NOT_FOUND);
    keeper_bench_make(&bench, "a");
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void job_that_is_not_done_is_not_deleted(void)
{
    struct keeper_bench bench;
    struct keeper_answer answer = {.count = 0};
    struct vts_keeper_command *command;

    set_up(&bench);
    keeper_bench_make(&bench, "a");
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "a")),
                    VTS_KEEPER_JOB_NOT_DONE);
    CU_ASSERT_EQUAL(tell(&bench, "a", VTS_JOB_EVENT_CANCEL, NULL), VTS_KEEPER_OK);
    command = keeper_bench_delete(&answer, "a");
    command->etag = "W/\"r1\"";
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, command), VTS_KEEPER_ETAG_MISMATCH);
    command = keeper_bench_delete(&answer, "a");
    command->etag = "W/\"r2\"";
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, command), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "b")),
                    VTS_KEEPER_JOB_NOT_FOUND);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static enum vts_err ignore_post(void *context, void (*fn)(void *), void *argument)
{
    (void)context;
    (void)fn;
    (void)argument;
    return VTS_OK;
}

static void ignore_news(void *context)
{
    (void)context;
}

static void job_may_be_cancelled_and_deleted_in_one_batch(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[3] = {{.count = 0}};
    struct vts_watch watch;

    set_up(&bench);
    vts_watch_hub_set_loop(bench.hub, 0, ignore_post, NULL);
    CU_ASSERT_EQUAL_FATAL(vts_watch_start(bench.hub, 0, vts_str_of("a"), &watch, ignore_news, NULL),
                          VTS_OK);
    keeper_bench_submit(&bench, keeper_bench_create(&answers[0], "a"));
    keeper_bench_submit(&bench, keeper_bench_event(&answers[1], "a", VTS_JOB_EVENT_CANCEL));
    keeper_bench_submit(&bench, keeper_bench_delete(&answers[2], "a"));
    (void)vts_keeper_step(bench.keeper);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(answers[i].command->refusal, VTS_KEEPER_OK);
        keeper_answer_fini(&answers[i]);
    }
    CU_ASSERT_EQUAL(keeper_bench_look(&bench, "a"), VTS_KEEPER_JOB_GONE);
    CU_ASSERT_EQUAL(keeper_bench_revision(&bench, "a"), 0);
    CU_ASSERT_EQUAL(keeper_bench_last_revision(&watch), 2); /* the end is not lost */
    vts_watch_stop(&watch);
    keeper_bench_fini(&bench);
}

/* ---- the end ----------------------------------------------------------------------------- */

static void commands_have_a_maximum(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[3] = {{.count = 0}};
    struct vts_keeper_command *last;

    keeper_bench_init(&bench);
    bench.options.commands_max = 2;
    keeper_bench_open(&bench);
    keeper_bench_submit(&bench, keeper_bench_create(&answers[0], "a"));
    keeper_bench_submit(&bench, keeper_bench_lease(&answers[1], day_ns));
    last = keeper_bench_get(&answers[2], "a");
    CU_ASSERT_EQUAL(vts_keeper_submit(bench.keeper, last), VTS_ERR_LIMIT);
    (void)vts_keeper_step(bench.keeper);
    keeper_bench_submit(&bench, last);
    (void)vts_keeper_step(bench.keeper);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(answers[i].count, 1);
        keeper_answer_fini(&answers[i]);
    }
    keeper_bench_fini(&bench);
}

static void commands_that_wait_are_answered_when_the_keeper_goes(void)
{
    struct keeper_bench bench;
    struct keeper_answer answers[3] = {{.count = 0}};

    set_up(&bench);
    keeper_bench_submit(&bench, keeper_bench_lease(&answers[0], day_ns));
    (void)vts_keeper_step(bench.keeper);
    keeper_bench_submit(&bench, keeper_bench_create(&answers[1], "a"));
    keeper_bench_submit(&bench, keeper_bench_get(&answers[2], "a"));
    keeper_bench_close(&bench);
    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL_FATAL(answers[i].count, 1);
        CU_ASSERT_EQUAL(answers[i].command->refusal, VTS_KEEPER_STOPPING);
        keeper_answer_fini(&answers[i]);
    }
    CU_ASSERT_EQUAL(bench.commits_count, 0);
    keeper_bench_fini(&bench);
}

static void store_is_tidied_when_it_is_quiet(void)
{
    struct keeper_bench bench;

    set_up(&bench);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(bench.tidied_count, 0); /* nothing was written */
    keeper_bench_make(&bench, "a");
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), second_ns);
    CU_ASSERT_EQUAL(bench.tidied_count, 0);
    keeper_bench_pass(second_ns);
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), INT64_MAX);
    CU_ASSERT_EQUAL(bench.tidied_count, 1);
    (void)vts_keeper_step(bench.keeper);
    CU_ASSERT_EQUAL(bench.tidied_count, 1);
    keeper_bench_fini(&bench);
}

static const struct vts_test tests[] = {
    {"job_that_is_created_is_stored_published_and_found",
     job_that_is_created_is_stored_published_and_found},
    {"job_id_is_made_when_none_is_given", job_id_is_made_when_none_is_given},
    {"seed_makes_the_same_ids_but_none_twice", seed_makes_the_same_ids_but_none_twice},
    {"request_that_is_no_good_is_refused_with_the_reason",
     request_that_is_no_good_is_refused_with_the_reason},
    {"job_is_not_created_twice", job_is_not_created_twice},
    {"jobs_have_a_maximum", jobs_have_a_maximum},
    {"request_id_that_is_repeated_gives_the_same_job",
     request_id_that_is_repeated_gives_the_same_job},
    {"request_id_is_not_for_another_request", request_id_is_not_for_another_request},
    {"request_id_is_known_for_a_day_and_after_a_restart",
     request_id_is_known_for_a_day_and_after_a_restart},
    {"request_id_outlives_its_job", request_id_outlives_its_job},
    {"event_changes_the_job_and_what_is_seen_of_it", event_changes_the_job_and_what_is_seen_of_it},
    {"event_that_the_machine_refuses_changes_nothing",
     event_that_the_machine_refuses_changes_nothing},
    {"event_with_an_etag_needs_that_revision", event_with_an_etag_needs_that_revision},
    {"events_of_one_batch_follow_each_other", events_of_one_batch_follow_each_other},
    {"job_that_is_deleted_is_gone_for_a_day", job_that_is_deleted_is_gone_for_a_day},
    {"job_that_is_not_done_is_not_deleted", job_that_is_not_done_is_not_deleted},
    {"job_may_be_cancelled_and_deleted_in_one_batch",
     job_may_be_cancelled_and_deleted_in_one_batch},
    {"commands_have_a_maximum", commands_have_a_maximum},
    {"commands_that_wait_are_answered_when_the_keeper_goes",
     commands_that_wait_are_answered_when_the_keeper_goes},
    {"store_is_tidied_when_it_is_quiet", store_is_tidied_when_it_is_quiet},
};

int main(void)
{
    return vts_test_run("test_keeper", tests, VTS_ARRAY_LEN(tests));
}
