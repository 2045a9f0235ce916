/* SPDX-License-Identifier: Apache-2.0 */
/* test_watch_hub.c - news of jobs to those who watch them, with loops that the test runs by hand.
 */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/jobs/watch_hub.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/sample_snapshot.h"

enum { LOOPS = 2, POSTS_MAX = 8, SLICE = 256, MANY = 1000, ROUNDS = 5000 };

/* A loop that keeps what is posted until it is run. */
struct hand_loop {
    pthread_mutex_t lock;
    size_t posts_count;
    bool refuses;
    struct {
        void (*fn)(void *);
        void *argument;
    } posts[POSTS_MAX];
};

struct bench {
    struct vts_board *board;
    struct vts_watch_hub *hub;
    struct hand_loop loops[LOOPS];
};

static enum vts_err post(void *context, void (*fn)(void *), void *argument)
{
    struct hand_loop *loop = context;
    enum vts_err err = VTS_ERR_LIMIT;

    pthread_mutex_lock(&loop->lock);
    if (!loop->refuses && loop->posts_count < POSTS_MAX) {
        loop->posts[loop->posts_count].fn = fn;
        loop->posts[loop->posts_count++].argument = argument;
        err = VTS_OK;
    }
    pthread_mutex_unlock(&loop->lock);
    return err;
}

/* Runs what is posted now; returns how many that was. */
static size_t run(struct bench *bench, unsigned index)
{
    struct hand_loop *loop = &bench->loops[index];
    struct hand_loop taken;

    pthread_mutex_lock(&loop->lock);
    taken = *loop;
    loop->posts_count = 0;
    pthread_mutex_unlock(&loop->lock);
    for (size_t i = 0; i < taken.posts_count; i++)
        taken.posts[i].fn(taken.posts[i].argument);
    return taken.posts_count;
}

static void set_up(struct bench *bench, uint64_t watches_max)
{
    memset(bench, 0, sizeof(*bench));
    CU_ASSERT_EQUAL_FATAL(vts_board_new(&bench->board), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_watch_hub_new(bench->board, LOOPS, watches_max, 1000, &bench->hub),
                          VTS_OK);
    for (unsigned i = 0; i < LOOPS; i++) {
        (void)pthread_mutex_init(&bench->loops[i].lock, NULL); /* cannot fail on Linux */
        vts_watch_hub_set_loop(bench->hub, i, post, &bench->loops[i]);
    }
}

static void tear_down(struct bench *bench)
{
    vts_watch_hub_free(bench->hub);
    vts_board_free(bench->board);
    for (unsigned i = 0; i < LOOPS; i++)
        (void)pthread_mutex_destroy(&bench->loops[i].lock);
}

static enum vts_err publish(struct bench *bench, const char *id, uint64_t revision)
{
    const struct sample_job job = {.id = id, .state = VTS_JOB_RUNNING, .revision = revision};
    struct vts_snapshot *snapshot = NULL;

    CU_ASSERT_EQUAL_FATAL(sample_snapshot_new(&job, &snapshot), VTS_OK);
    return vts_watch_hub_publish(bench->hub, snapshot);
}

static void count(void *context)
{
    ++*(unsigned *)context;
}

static void start(struct bench *bench, unsigned loop, const char *id, struct vts_watch *watch,
                  unsigned *told)
{
    CU_ASSERT_EQUAL_FATAL(vts_watch_start(bench->hub, loop, vts_str_of(id), watch, count, told),
                          VTS_OK);
}

static void news_go_to_the_watches_of_the_job_in_every_loop(void)
{
    struct bench bench;
    struct vts_watch a[2];
    struct vts_watch b;
    unsigned told_a[2] = {0};
    unsigned told_b = 0;

    set_up(&bench, 10);
    start(&bench, 0, "a", &a[0], &told_a[0]);
    start(&bench, 1, "a", &a[1], &told_a[1]);
    start(&bench, 0, "b", &b, &told_b);
    CU_ASSERT(vts_str_equals_text(vts_watch_job_id(&b), "b"));
    CU_ASSERT_EQUAL(publish(&bench, "a", 1), VTS_OK);
    CU_ASSERT_EQUAL(told_a[0] + told_a[1], 0); /* only in their own threads */
    CU_ASSERT_EQUAL(run(&bench, 0), 1);
    CU_ASSERT_EQUAL(run(&bench, 1), 1);
    CU_ASSERT_EQUAL(told_a[0], 1);
    CU_ASSERT_EQUAL(told_a[1], 1);
    CU_ASSERT_EQUAL(told_b, 0);
    CU_ASSERT_EQUAL(publish(&bench, "nobody's", 1), VTS_OK);
    CU_ASSERT_EQUAL(run(&bench, 0) + run(&bench, 1), 0);
    vts_watch_stop(&a[0]);
    vts_watch_stop(&a[1]);
    vts_watch_stop(&b);
    tear_down(&bench);
}

static void news_before_the_loop_looks_are_one(void)
{
    struct bench bench;
    struct vts_watch watch;
    unsigned told = 0;

    set_up(&bench, 10);
    start(&bench, 0, "a", &watch, &told);
    for (uint64_t revision = 1; revision <= 5; revision++)
        CU_ASSERT_EQUAL(publish(&bench, "a", revision), VTS_OK);
    CU_ASSERT_EQUAL(run(&bench, 0), 1);
    CU_ASSERT_EQUAL(told, 1);
    CU_ASSERT_EQUAL(publish(&bench, "a", 6), VTS_OK);
    (void)run(&bench, 0);
    CU_ASSERT_EQUAL(told, 2);
    vts_watch_stop(&watch);
    tear_down(&bench);
}

static void watch_that_is_stopped_is_told_nothing(void)
{
    struct bench bench;
    struct vts_watch watches[2];
    unsigned told = 0;

    set_up(&bench, 10);
    start(&bench, 0, "a", &watches[0], &told);
    CU_ASSERT_EQUAL(publish(&bench, "a", 1), VTS_OK);
    vts_watch_stop(&watches[0]); /* marked, and the last of its job */
    (void)run(&bench, 0);
    CU_ASSERT_EQUAL(told, 0);
    start(&bench, 0, "a", &watches[1], &told);
    CU_ASSERT_EQUAL(publish(&bench, "a", 2), VTS_OK);
    (void)run(&bench, 0);
    CU_ASSERT_EQUAL(told, 1);
    vts_watch_stop(&watches[1]);
    tear_down(&bench);
}

/* The first one that is told stops all. */
struct stopper {
    struct vts_watch watches[3];
    unsigned told;
};

static void stop_all(void *context)
{
    struct stopper *stopper = context;

    stopper->told++;
    for (size_t i = 0; i < VTS_ARRAY_LEN(stopper->watches); i++)
        vts_watch_stop(&stopper->watches[i]);
}

static void watch_may_stop_itself_and_others(void)
{
    struct bench bench;
    struct stopper stopper = {.told = 0};

    set_up(&bench, 10);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stopper.watches); i++)
        CU_ASSERT_EQUAL_FATAL(
            vts_watch_start(bench.hub, 0, vts_str_of("a"), &stopper.watches[i], stop_all, &stopper),
            VTS_OK);
    CU_ASSERT_EQUAL(publish(&bench, "a", 1), VTS_OK);
    (void)run(&bench, 0);
    CU_ASSERT_EQUAL(stopper.told, 1);
    tear_down(&bench);
}

static void many_watches_are_told_a_slice_a_turn(void)
{
    struct bench bench;
    struct vts_watch *watches = vts_mem_zalloc(MANY * sizeof(*watches));
    unsigned told = 0;
    unsigned turns = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(watches);
    set_up(&bench, MANY);
    for (int i = 0; i < MANY; i++)
        start(&bench, 0, "a", &watches[i], &told);
    CU_ASSERT_EQUAL(publish(&bench, "a", 1), VTS_OK);
    while (run(&bench, 0) > 0) {
        turns++;
        CU_ASSERT(told <= turns * SLICE);
    }
    CU_ASSERT_EQUAL(told, MANY);
    CU_ASSERT_EQUAL(turns, (MANY + SLICE - 1) / SLICE);
    for (int i = 0; i < MANY; i++)
        vts_watch_stop(&watches[i]);
    vts_mem_free(watches);
    tear_down(&bench);
}

static void watches_have_a_maximum(void)
{
    struct bench bench;
    struct vts_watch watches[3];
    unsigned told = 0;

    set_up(&bench, 2);
    start(&bench, 0, "a", &watches[0], &told);
    start(&bench, 1, "b", &watches[1], &told);
    CU_ASSERT_EQUAL(vts_watch_start(bench.hub, 0, vts_str_of("c"), &watches[2], count, &told),
                    VTS_ERR_LIMIT);
    vts_watch_stop(&watches[0]);
    start(&bench, 0, "c", &watches[2], &told);
    vts_watch_stop(&watches[1]);
    vts_watch_stop(&watches[2]);
    tear_down(&bench);
}

static void watch_without_memory_is_none(void)
{
    struct bench bench;
    struct vts_watch watch;
    unsigned told = 0;

    set_up(&bench, 1);
    for (long n = 0; n < 4; n++) {
        vts_mem_fail_after(n);
        if (vts_watch_start(bench.hub, 0, vts_str_of("a"), &watch, count, &told) == VTS_OK)
            vts_watch_stop(&watch);
        (void)vts_mem_fail_after(-1); /* whether it failed shows above */
    }
    start(&bench, 0, "a", &watch, &told); /* none of them counts */
    vts_watch_stop(&watch);
    tear_down(&bench);
}

static void news_that_found_no_way_go_with_the_next(void)
{
    struct bench bench;
    struct vts_watch watch;
    unsigned told = 0;

    set_up(&bench, 1);
    start(&bench, 0, "a", &watch, &told);
    bench.loops[0].refuses = true;
    CU_ASSERT_EQUAL(publish(&bench, "a", 1), VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(run(&bench, 0), 0);
    bench.loops[0].refuses = false;
    CU_ASSERT_EQUAL(publish(&bench, "a", 1), VTS_OK);
    (void)run(&bench, 0);
    CU_ASSERT_EQUAL(told, 1);
    vts_watch_stop(&watch);
    tear_down(&bench);
}

static void job_that_is_removed_is_news_too(void)
{
    struct bench bench;
    struct vts_watch watch;
    struct vts_status_view view;
    unsigned told = 0;

    set_up(&bench, 1);
    CU_ASSERT_EQUAL(publish(&bench, "a", 1), VTS_OK);
    start(&bench, 1, "a", &watch, &told);
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("a")), VTS_OK);
    CU_ASSERT_EQUAL(vts_check_status(bench.board, vts_str_of("a"), 0, &view), VTS_ERR_NOT_FOUND);
    (void)run(&bench, 1);
    CU_ASSERT_EQUAL(told, 1);
    bench.loops[1].refuses = true;
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("a")), VTS_ERR_LIMIT);
    bench.loops[1].refuses = false;
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("a")), VTS_OK);
    (void)run(&bench, 1);
    CU_ASSERT_EQUAL(told, 2);
    vts_watch_stop(&watch);
    tear_down(&bench);
}

/* What a watcher does with news: it looks at the board. */
struct reader {
    struct bench *bench;
    uint64_t seen;
};

static void look(void *context)
{
    struct reader *reader = context;
    struct vts_status_view view;

    CU_ASSERT_EQUAL_FATAL(vts_check_status(reader->bench->board, vts_str_of("a"), 0, &view),
                          VTS_OK);
    CU_ASSERT(vts_snapshot_revision(view.snapshot) >= reader->seen);
    reader->seen = vts_snapshot_revision(view.snapshot);
    vts_snapshot_unref(view.snapshot);
}

static void *publish_many(void *context)
{
    for (uint64_t revision = 1; revision <= ROUNDS; revision++)
        CU_ASSERT_EQUAL(publish(context, "a", revision), VTS_OK);
    return NULL;
}

static void last_news_of_another_thread_arrive(void)
{
    struct bench bench;
    struct reader reader = {.bench = &bench};
    struct vts_watch watch;
    pthread_t publisher;

    set_up(&bench, 1);
    CU_ASSERT_EQUAL_FATAL(vts_watch_start(bench.hub, 0, vts_str_of("a"), &watch, look, &reader),
                          VTS_OK);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&publisher, NULL, publish_many, &bench), 0);
    while (reader.seen < ROUNDS)
        (void)run(&bench, 0);            /* none is a turn without news */
    (void)pthread_join(publisher, NULL); /* fails only for a thread that is none */
    vts_watch_stop(&watch);
    tear_down(&bench);
}

/* ---- labels ------------------------------------------------------------------------------ */

static enum vts_err publish_labelled(struct bench *bench, const char *id, uint64_t revision)
{
    Vtstatus__V1__Job__LabelsEntry label = VTSTATUS__V1__JOB__LABELS_ENTRY__INIT;
    Vtstatus__V1__Job__LabelsEntry *labels[] = {&label};
    Vtstatus__V1__JobStatus status = VTSTATUS__V1__JOB_STATUS__INIT;
    Vtstatus__V1__Job job = VTSTATUS__V1__JOB__INIT;
    struct vts_snapshot *snapshot = NULL;

    label.key = "k";
    label.value = "v";
    status.job_id = (char *)(uintptr_t)id;
    status.revision = revision;
    job.status = &status;
    job.labels = labels;
    job.n_labels = 1;
    CU_ASSERT_EQUAL_FATAL(
        vts_snapshot_of_job(&job, &(struct vts_snapshot_extras){.line = NULL}, &snapshot), VTS_OK);
    return vts_watch_hub_publish(bench->hub, snapshot);
}

/* What the reader gets: a revision, 0 for a job that was removed, -1 for nothing. */
static int64_t read_next(struct vts_label_reader *reader)
{
    struct vts_label_news news;
    bool is_gathering = false;
    int64_t revision = 0;

    if (vts_label_reader_next(reader, &news, &is_gathering) != VTS_OK)
        return -1;
    if (news.snapshot != NULL)
        revision = (int64_t)vts_snapshot_revision(news.snapshot);
    vts_snapshot_unref(news.snapshot);
    return revision;
}

static void start_following(struct bench *bench, unsigned loop, struct vts_watch *watch,
                            unsigned *told, struct vts_label_reader *reader)
{
    start(bench, loop, "k=v", watch, told);
    CU_ASSERT_EQUAL_FATAL(
        vts_label_reader_open(vts_watch_hub_labels(bench->hub), vts_str_of("k=v"), reader), VTS_OK);
    while (read_next(reader) >= 0)
        ;
}

static void news_go_to_the_watches_of_the_jobs_labels(void)
{
    struct vts_label_reader reader;
    struct vts_watch watch;
    struct bench bench;
    unsigned told = 0;

    set_up(&bench, 10);
    start_following(&bench, 1, &watch, &told, &reader);
    CU_ASSERT_EQUAL(publish(&bench, "other", 1), VTS_OK);
    CU_ASSERT_EQUAL(run(&bench, 0) + run(&bench, 1), 0);
    CU_ASSERT_EQUAL(publish_labelled(&bench, "a", 5), VTS_OK);
    CU_ASSERT_EQUAL(run(&bench, 0), 0);
    CU_ASSERT_EQUAL(run(&bench, 1), 1);
    CU_ASSERT_EQUAL(told, 1);
    CU_ASSERT_EQUAL(read_next(&reader), 5);
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("a")), VTS_OK);
    CU_ASSERT_EQUAL(run(&bench, 1), 1);
    CU_ASSERT_EQUAL(told, 2);
    CU_ASSERT_EQUAL(read_next(&reader), 0);
    vts_label_reader_close(&reader);
    vts_watch_stop(&watch);
    tear_down(&bench);
}

/* The board has lost the job by then, and its labels with it. */
static void a_removal_that_could_not_be_told_is_told_with_the_next_try(void)
{
    struct vts_label_reader reader;
    struct vts_watch watch;
    struct bench bench;
    unsigned told = 0;

    set_up(&bench, 10);
    CU_ASSERT_EQUAL(publish_labelled(&bench, "a", 5), VTS_OK);
    start_following(&bench, 0, &watch, &told, &reader);
    bench.loops[0].refuses = true;
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("a")), VTS_ERR_LIMIT);
    bench.loops[0].refuses = false;
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("a")), VTS_OK);
    CU_ASSERT_EQUAL(run(&bench, 0), 1);
    CU_ASSERT_EQUAL(told, 1);
    CU_ASSERT_EQUAL(read_next(&reader), 0);
    vts_label_reader_close(&reader);
    vts_watch_stop(&watch);
    tear_down(&bench);
}

static void a_watch_may_ask_for_another_turn(void)
{
    struct vts_watch watch;
    struct bench bench;
    unsigned told = 0;

    set_up(&bench, 10);
    start(&bench, 0, "a", &watch, &told);
    CU_ASSERT_EQUAL(vts_watch_again(&watch), VTS_OK);
    CU_ASSERT_EQUAL(vts_watch_again(&watch), VTS_OK);
    CU_ASSERT_EQUAL(told, 0);
    CU_ASSERT_EQUAL(run(&bench, 0), 1);
    CU_ASSERT_EQUAL(told, 1);
    bench.loops[0].refuses = true;
    CU_ASSERT_EQUAL(vts_watch_again(&watch), VTS_ERR_LIMIT);
    vts_watch_stop(&watch);
    tear_down(&bench);
}

static const struct vts_test tests[] = {
    {"news_go_to_the_watches_of_the_job_in_every_loop",
     news_go_to_the_watches_of_the_job_in_every_loop},
    {"news_before_the_loop_looks_are_one", news_before_the_loop_looks_are_one},
    {"watch_that_is_stopped_is_told_nothing", watch_that_is_stopped_is_told_nothing},
    {"watch_may_stop_itself_and_others", watch_may_stop_itself_and_others},
    {"many_watches_are_told_a_slice_a_turn", many_watches_are_told_a_slice_a_turn},
    {"watches_have_a_maximum", watches_have_a_maximum},
    {"watch_without_memory_is_none", watch_without_memory_is_none},
    {"news_that_found_no_way_go_with_the_next", news_that_found_no_way_go_with_the_next},
    {"job_that_is_removed_is_news_too", job_that_is_removed_is_news_too},
    {"last_news_of_another_thread_arrive", last_news_of_another_thread_arrive},
    {"news_go_to_the_watches_of_the_jobs_labels", news_go_to_the_watches_of_the_jobs_labels},
    {"a_removal_that_could_not_be_told_is_told_with_the_next_try",
     a_removal_that_could_not_be_told_is_told_with_the_next_try},
    {"a_watch_may_ask_for_another_turn", a_watch_may_ask_for_another_turn},
};

int main(void)
{
    return vts_test_run("test_watch_hub", tests, VTS_ARRAY_LEN(tests));
}
