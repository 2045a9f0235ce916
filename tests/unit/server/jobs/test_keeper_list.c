/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper_list.c - lists of jobs: filters, order, pages and their tokens. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/jobs/job.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/keeper_bench.h"

enum { MANY = 2500, TEXT_BYTES = 256 };

static Vtstatus__V1__ListJobsRequest query_init(void)
{
    Vtstatus__V1__ListJobsRequest query = VTSTATUS__V1__LIST_JOBS_REQUEST__INIT;

    return query;
}

static enum vts_keeper_refusal list(struct keeper_bench *bench, struct keeper_answer *answer,
                                    const Vtstatus__V1__ListJobsRequest *query)
{
    struct vts_keeper_command *command = keeper_bench_command(VTS_KEEPER_LIST, answer);

    command->list = query;
    return keeper_bench_run(bench, command);
}

/* The ids of the page as one text, such as "a b c". */
static const char *ids_of(const struct keeper_answer *answer)
{
    static char text[TEXT_BYTES];
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < answer->command->jobs_count && at < sizeof(text); i++)
        at += (size_t)snprintf(text + at, sizeof(text) - at, "%s%s", i == 0 ? "" : " ",
                               answer->command->jobs[i]->id);
    return text;
}

/* The ids of the first page. */
static const char *listed(struct keeper_bench *bench, const Vtstatus__V1__ListJobsRequest *query)
{
    struct keeper_answer answer = {.count = 0};
    const char *ids;

    CU_ASSERT_EQUAL_FATAL(list(bench, &answer, query), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(answer.command->next_page_token, "");
    ids = ids_of(&answer);
    keeper_answer_fini(&answer);
    return ids;
}

static void make(struct keeper_bench *bench, const char *id, const char *queue, const char *team)
{
    struct keeper_answer answer = {.count = 0};
    struct vts_keeper_command *command = keeper_bench_create(&answer, id);

    ((Vtstatus__V1__CreateJobRequest *)(uintptr_t)command->create)->queue =
        (char *)(uintptr_t)queue;
    if (team != NULL)
        keeper_bench_label(command, "team", team);
    CU_ASSERT_EQUAL_FATAL(keeper_bench_run(bench, command), VTS_KEEPER_OK);
    keeper_answer_fini(&answer);
}

/* Jobs a to e, a second apart but for c and d, which are of the same instant. */
static void set_up(struct keeper_bench *bench)
{
    keeper_bench_init(bench);
    keeper_bench_open(bench);
    make(bench, "a", "", "red");
    keeper_bench_pass(VTS_NS_PER_S);
    make(bench, "b", "slow", "blue");
    keeper_bench_pass(VTS_NS_PER_S);
    make(bench, "d", "", NULL);
    make(bench, "c", "", "blue");
    keeper_bench_pass(VTS_NS_PER_S);
    make(bench, "e", "slow", NULL);
}

static void list_has_all_jobs_newest_first(void)
{
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();

    keeper_bench_init(&bench);
    keeper_bench_open(&bench);
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "");
    keeper_bench_fini(&bench);
    set_up(&bench);
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "e d c b a");
    query.order = VTSTATUS__V1__JOB_ORDER__JOB_ORDER_NEWEST_FIRST;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "e d c b a");
    query.order = VTSTATUS__V1__JOB_ORDER__JOB_ORDER_OLDEST_FIRST;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "a b c d e");
    keeper_bench_close(&bench);
    keeper_bench_open(&bench);
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "a b c d e");
    keeper_bench_fini(&bench);
}

static void list_keeps_to_state_queue_and_labels(void)
{
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();
    Vtstatus__V1__State states[] = {VTSTATUS__V1__STATE__STATE_CANCELLED,
                                    VTSTATUS__V1__STATE__STATE_RUNNING};
    char *labels[] = {(char[]){"team=blue"}, (char[]){"team=red"}};
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    query.states = states;
    query.n_states = 2;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "");
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_event(&answer, "c", VTS_JOB_EVENT_CANCEL)),
        VTS_KEEPER_OK);
    keeper_bench_take(&bench, &answer, "a");
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "c a");
    query.n_states = 0;
    query.queue = (char[]){"slow"};
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "e b");
    query.labels = labels;
    query.n_labels = 1;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "b");
    query.queue = (char[]){"nowhere"};
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "");
    query.queue = (char[]){""};
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "c b");
    query.n_labels = 2;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "");
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void list_keeps_to_the_time_of_creation(void)
{
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();
    Google__Protobuf__Timestamp after = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Timestamp before = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    set_up(&bench);
    after.seconds = keeper_bench_wall_ns / VTS_NS_PER_S - 3;  /* a's */
    before.seconds = keeper_bench_wall_ns / VTS_NS_PER_S - 1; /* c's and d's */
    query.created_after = &after;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "e d c b");
    query.created_before = &before;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "b");
    query.created_after = NULL;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "b a");
    query.order = VTSTATUS__V1__JOB_ORDER__JOB_ORDER_OLDEST_FIRST;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "a b");
    query.created_after = &after;
    before.nanos = 1;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "b c d");
    after = before;
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "");
    keeper_bench_fini(&bench);
}

static void deleted_job_is_not_listed(void)
{
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();
    struct keeper_answer answer = {.count = 0};

    set_up(&bench);
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_event(&answer, "c", VTS_JOB_EVENT_CANCEL)),
        VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "c")), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "e d b a");
    keeper_bench_close(&bench);
    keeper_bench_open(&bench);
    CU_ASSERT_STRING_EQUAL(listed(&bench, &query), "e d b a");
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void pages_follow_each_other_while_jobs_come_and_go(void)
{
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();
    struct keeper_answer page = {.count = 0};
    struct keeper_answer answer = {.count = 0};
    char token[TEXT_BYTES];

    set_up(&bench);
    query.page_size = 2;
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(ids_of(&page), "e d");
    (void)snprintf(token, sizeof(token), "%s", page.command->next_page_token);
    query.page_token = token;
    /* The one where the page ended goes, and there is a new one in front. */
    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_event(&answer, "d", VTS_JOB_EVENT_CANCEL)),
        VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(keeper_bench_run(&bench, keeper_bench_delete(&answer, "d")), VTS_KEEPER_OK);
    make(&bench, "f", "", NULL);
    keeper_bench_close(&bench); /* tokens hold after a restart */
    keeper_bench_open(&bench);
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(ids_of(&page), "c b");
    (void)snprintf(token, sizeof(token), "%s", page.command->next_page_token);
    query.page_size = 1; /* not part of the query */
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(ids_of(&page), "a");
    CU_ASSERT_STRING_EQUAL(page.command->next_page_token, "");
    keeper_answer_fini(&page);
    keeper_answer_fini(&answer);
    keeper_bench_fini(&bench);
}

static void page_token_is_for_its_query_only(void)
{
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();
    struct keeper_answer page = {.count = 0};
    char token[TEXT_BYTES];
    size_t len;

    set_up(&bench);
    query.page_size = 2;
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_OK);
    (void)snprintf(token, sizeof(token), "%s", page.command->next_page_token);
    query.page_token = token;
    query.order = VTSTATUS__V1__JOB_ORDER__JOB_ORDER_OLDEST_FIRST;
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_BAD_PAGE_TOKEN);
    query.order = VTSTATUS__V1__JOB_ORDER__JOB_ORDER_NEWEST_FIRST; /* as unspecified */
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_OK);
    query.queue = (char[]){"slow"};
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_BAD_PAGE_TOKEN);
    query.queue = (char[]){""};
    len = strlen(token);
    for (size_t i = 0; i < len; i++) {
        char letter = token[i];

        token[i] = letter == '1' ? '2' : '1';
        CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_BAD_PAGE_TOKEN);
        token[i] = letter;
    }
    token[32] = '\0'; /* without the job */
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_BAD_PAGE_TOKEN);
    query.page_token = (char[]){"x"};
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_BAD_PAGE_TOKEN);
    keeper_answer_fini(&page);
    keeper_bench_fini(&bench);
}

/* ---- many -------------------------------------------------------------------------------- */

static void make_many(struct keeper_bench *bench)
{
    struct keeper_answer *answers = vts_mem_zalloc(MANY * sizeof(*answers));
    char id[16];

    CU_ASSERT_PTR_NOT_NULL_FATAL(answers);
    for (int i = 0; i < MANY; i++) {
        struct vts_keeper_command *command;

        (void)snprintf(id, sizeof(id), "j%05d", i);
        command = keeper_bench_create(&answers[i], "");
        command->create =
            keeper_bench_request(command, vts_arena_strndup(&command->arena, id, strlen(id)));
        keeper_bench_submit(bench, command);
        keeper_bench_pass(i % 3);
        if (i % 500 == 0)
            (void)vts_keeper_step(bench->keeper); /* so that ages differ */
    }
    keeper_bench_settle(bench);
    for (int i = 0; i < MANY; i++) {
        CU_ASSERT_EQUAL(answers[i].count, 1);
        keeper_answer_fini(&answers[i]);
    }
    vts_mem_free(answers);
}

/* Walks through all pages; returns how many jobs there were, which must come in order. */
static int walk(struct keeper_bench *bench, Vtstatus__V1__ListJobsRequest *query, size_t jobs_max)
{
    struct keeper_answer page = {.count = 0};
    char token[TEXT_BYTES] = "";
    char last[16] = "";
    int count = 0;

    query->page_token = token;
    do {
        CU_ASSERT_EQUAL_FATAL(list(bench, &page, query), VTS_KEEPER_OK);
        CU_ASSERT(page.command->jobs_count <= jobs_max);
        for (size_t i = 0; i < page.command->jobs_count; i++, count++) {
            CU_ASSERT(strcmp(page.command->jobs[i]->id, last) > 0);
            (void)snprintf(last, sizeof(last), "%s", page.command->jobs[i]->id);
        }
        (void)snprintf(token, sizeof(token), "%s", page.command->next_page_token);
    } while (token[0] != '\0' && count <= MANY);
    keeper_answer_fini(&page);
    return count;
}

static void pages_have_every_job_once(void)
{
    static const struct {
        int size;
        size_t jobs_max;
    } sizes[] = {{0, 50}, {-1, 50}, {7, 7}, {1000, 1000}, {5000, 1000}};
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();

    keeper_bench_init(&bench);
    keeper_bench_open(&bench);
    make_many(&bench);
    query.order = VTSTATUS__V1__JOB_ORDER__JOB_ORDER_OLDEST_FIRST;
    for (size_t i = 0; i < VTS_ARRAY_LEN(sizes); i++) {
        query.page_size = sizes[i].size;
        CU_ASSERT_EQUAL(walk(&bench, &query, sizes[i].jobs_max), MANY);
    }
    keeper_bench_fini(&bench);
}

/* The jobs that lists look at are counted, so that commands of others have their turn. */
static void many_lists_are_answered_in_several_batches(void)
{
    enum { LISTS = 12 };
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();
    struct keeper_answer pages[LISTS] = {{.count = 0}};
    unsigned answered = 0;

    keeper_bench_init(&bench);
    keeper_bench_open(&bench);
    make_many(&bench);
    query.page_size = 1000;
    for (int i = 0; i < LISTS; i++) {
        struct vts_keeper_command *command = keeper_bench_command(VTS_KEEPER_LIST, &pages[i]);

        command->list = &query;
        keeper_bench_submit(&bench, command);
    }
    CU_ASSERT_EQUAL(vts_keeper_step(bench.keeper), 0); /* there is more to do */
    for (int i = 0; i < LISTS; i++)
        answered += pages[i].count;
    CU_ASSERT(answered > 0 && answered < LISTS);
    keeper_bench_settle(&bench);
    for (int i = 0; i < LISTS; i++) {
        CU_ASSERT_EQUAL_FATAL(pages[i].count, 1);
        CU_ASSERT_EQUAL(pages[i].command->jobs_count, 1000);
        keeper_answer_fini(&pages[i]);
    }
    keeper_bench_fini(&bench);
}

/* Makes ten jobs, a to c the oldest, of some 64 KB each. */
static void make_large(struct keeper_bench *bench)
{
    enum { OPTIONS = 64 };
    static const char *const ids[] = {"a", "b", "c"};
    Vtstatus__V1__TranslationSpec__OptionsEntry entries[OPTIONS];
    Vtstatus__V1__TranslationSpec__OptionsEntry *options[OPTIONS];
    struct keeper_answer answer = {.count = 0};
    char keys[OPTIONS][8];
    char value[1001] = "";

    memset(value, 'v', sizeof(value) - 1);
    for (int i = 0; i < OPTIONS; i++) {
        vtstatus__v1__translation_spec__options_entry__init(&entries[i]);
        (void)snprintf(keys[i], sizeof(keys[i]), "k%d", i);
        entries[i].key = keys[i];
        entries[i].value = value;
        options[i] = &entries[i];
    }
    for (size_t i = 0; i < 10; i++) {
        struct vts_keeper_command *command =
            keeper_bench_create(&answer, i < VTS_ARRAY_LEN(ids) ? ids[i] : "");

        command->create->spec->options = options;
        command->create->spec->n_options = OPTIONS;
        CU_ASSERT_EQUAL_FATAL(keeper_bench_run(bench, command), VTS_KEEPER_OK);
        keeper_bench_pass(1);
    }
    keeper_answer_fini(&answer);
}

/* A page is cut at half a mebibyte, so that it stays an answer that clients take. */
static void page_of_large_jobs_is_short(void)
{
    struct keeper_bench bench;
    Vtstatus__V1__ListJobsRequest query = query_init();
    struct keeper_answer page = {.count = 0};
    struct keeper_answer rest = {.count = 0};

    keeper_bench_init(&bench);
    keeper_bench_open(&bench);
    make_large(&bench);
    query.page_size = 10;
    CU_ASSERT_EQUAL(list(&bench, &page, &query), VTS_KEEPER_OK);
    CU_ASSERT_EQUAL(page.command->jobs_count, 8);
    query.page_token = (char *)(uintptr_t)page.command->next_page_token;
    CU_ASSERT_EQUAL(list(&bench, &rest, &query), VTS_KEEPER_OK);
    CU_ASSERT_STRING_EQUAL(ids_of(&rest), "b a");
    CU_ASSERT_STRING_EQUAL(rest.command->next_page_token, "");
    keeper_answer_fini(&page);
    keeper_answer_fini(&rest);
    keeper_bench_fini(&bench);
}

static const struct vts_test tests[] = {
    {"list_has_all_jobs_newest_first", list_has_all_jobs_newest_first},
    {"list_keeps_to_state_queue_and_labels", list_keeps_to_state_queue_and_labels},
    {"list_keeps_to_the_time_of_creation", list_keeps_to_the_time_of_creation},
    {"deleted_job_is_not_listed", deleted_job_is_not_listed},
    {"pages_follow_each_other_while_jobs_come_and_go",
     pages_follow_each_other_while_jobs_come_and_go},
    {"page_token_is_for_its_query_only", page_token_is_for_its_query_only},
    {"pages_have_every_job_once", pages_have_every_job_once},
    {"many_lists_are_answered_in_several_batches", many_lists_are_answered_in_several_batches},
    {"page_of_large_jobs_is_short", page_of_large_jobs_is_short},
};

int main(void)
{
    return vts_test_run("test_keeper_list", tests, VTS_ARRAY_LEN(tests));
}
