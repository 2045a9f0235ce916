/* SPDX-License-Identifier: Apache-2.0 */
/* test_label_log.c - what readers of a label are told, with a board that the test publishes on.
 */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "server/jobs/label_log.h"
#include "tests/support/suite.h"

enum { JOBS_MAX = 4, ENTRIES_MAX = 6, MANY = 9000, ROUNDS = 3000 };

struct bench {
    struct vts_board *board;
    struct vts_label_logs *logs;
};

static void set_up(struct bench *bench, uint64_t jobs_max, uint64_t entries_max)
{
    CU_ASSERT_EQUAL_FATAL(vts_board_new(&bench->board), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_label_logs_new(bench->board, jobs_max, entries_max, &bench->logs),
                          VTS_OK);
}

static void tear_down(struct bench *bench)
{
    CU_ASSERT_FALSE(vts_label_logs_are_read(bench->logs));
    vts_label_logs_free(bench->logs);
    vts_board_free(bench->board);
}

static struct vts_snapshot *make(const char *id, const char *value, uint64_t revision, bool is_done)
{
    Vtstatus__V1__Job__LabelsEntry own = VTSTATUS__V1__JOB__LABELS_ENTRY__INIT;
    Vtstatus__V1__Job__LabelsEntry other = VTSTATUS__V1__JOB__LABELS_ENTRY__INIT;
    Vtstatus__V1__Job__LabelsEntry *labels[] = {&other, &own};
    Vtstatus__V1__JobStatus status = VTSTATUS__V1__JOB_STATUS__INIT;
    Vtstatus__V1__Job job = VTSTATUS__V1__JOB__INIT;
    struct vts_snapshot *snapshot = NULL;

    other.key = "other";
    other.value = "";
    own.key = "k";
    own.value = (char *)(uintptr_t)value;
    status.job_id = (char *)(uintptr_t)id;
    status.revision = revision;
    status.done = is_done;
    job.status = &status;
    job.labels = labels;
    job.n_labels = 2;
    CU_ASSERT_EQUAL_FATAL(vts_snapshot_of_job(&job, &(struct vts_snapshot_extras){0}, &snapshot),
                          VTS_OK);
    return snapshot;
}

/* As the hub does it. */
static void note(struct bench *bench, struct vts_snapshot *snapshot, bool is_removed)
{
    struct vts_str label;

    for (size_t at = 0; vts_snapshot_next_label(snapshot, &at, &label);)
        (void)vts_label_logs_note(bench->logs, label, snapshot, is_removed);
}

static void publish(struct bench *bench, const char *id, uint64_t revision, bool is_done)
{
    struct vts_snapshot *snapshot = make(id, "v", revision, is_done);
    struct vts_snapshot *ours = vts_snapshot_ref(snapshot);

    CU_ASSERT_EQUAL_FATAL(vts_board_publish(bench->board, snapshot), VTS_OK);
    note(bench, ours, false);
    vts_snapshot_unref(ours);
}

static void remove_job(struct bench *bench, const char *id)
{
    struct vts_snapshot *snapshot = vts_board_remove(bench->board, vts_str_of(id));

    CU_ASSERT_PTR_NOT_NULL_FATAL(snapshot);
    note(bench, snapshot, true);
    vts_snapshot_unref(snapshot);
}

static void open_reader(struct bench *bench, struct vts_label_reader *reader)
{
    CU_ASSERT_EQUAL_FATAL(vts_label_reader_open(bench->logs, vts_str_of("k=v"), reader), VTS_OK);
}

static enum vts_err next(struct vts_label_reader *reader, struct vts_label_news *ret_news)
{
    bool is_gathering = false;
    enum vts_err err;

    do {
        err = vts_label_reader_next(reader, ret_news, &is_gathering);
    } while (err == VTS_ERR_AGAIN && is_gathering);
    return err;
}

static void expect(struct vts_label_reader *reader, const char *id, uint64_t revision)
{
    struct vts_label_news news;

    CU_ASSERT_EQUAL_FATAL(next(reader, &news), VTS_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(news.snapshot);
    CU_ASSERT(vts_str_equals_text(vts_snapshot_job_id(news.snapshot), id));
    CU_ASSERT_EQUAL(vts_snapshot_revision(news.snapshot), revision);
    vts_snapshot_unref(news.snapshot);
}

static void expect_removed(struct vts_label_reader *reader, const char *id)
{
    struct vts_label_news news;

    CU_ASSERT_EQUAL_FATAL(next(reader, &news), VTS_OK);
    CU_ASSERT_PTR_NULL_FATAL(news.snapshot);
    CU_ASSERT_STRING_EQUAL(news.removed_id, id);
}

static void expect_end(struct vts_label_reader *reader, enum vts_err err)
{
    struct vts_label_news news;

    CU_ASSERT_EQUAL(next(reader, &news), err);
}

/* ---- news -------------------------------------------------------------------------------- */

static void reader_gets_what_is_there_and_then_what_comes(void)
{
    struct vts_label_reader reader;
    struct bench bench;

    set_up(&bench, JOBS_MAX, ENTRIES_MAX);
    publish(&bench, "a", 1, false);
    open_reader(&bench, &reader);
    CU_ASSERT_TRUE(vts_label_logs_are_read(bench.logs));
    expect(&reader, "a", 1);
    expect_end(&reader, VTS_ERR_AGAIN);
    publish(&bench, "b", 1, false);
    publish(&bench, "a", 2, false);
    publish(&bench, "a", 3, true);
    expect(&reader, "b", 1);
    expect(&reader, "a", 3); /* the newest only */
    remove_job(&bench, "a");
    expect_removed(&reader, "a");
    expect_end(&reader, VTS_ERR_AGAIN);
    vts_label_reader_close(&reader);
    tear_down(&bench);
}

static void other_labels_are_passed_by(void)
{
    struct vts_snapshot *snapshot = make("a", "v2", 1, false);
    struct vts_label_reader reader;
    struct bench bench;

    set_up(&bench, JOBS_MAX, ENTRIES_MAX);
    open_reader(&bench, &reader);
    CU_ASSERT_FALSE(vts_label_logs_note(bench.logs, vts_str_of("k=v2"), snapshot, false));
    CU_ASSERT_EQUAL_FATAL(vts_board_publish(bench.board, snapshot), VTS_OK);
    expect_end(&reader, VTS_ERR_AGAIN);
    vts_label_reader_close(&reader);
    tear_down(&bench);
}

static void readers_have_places_of_their_own(void)
{
    struct vts_label_reader early;
    struct vts_label_reader late;
    struct bench bench;

    set_up(&bench, JOBS_MAX, ENTRIES_MAX);
    publish(&bench, "a", 1, false);
    open_reader(&bench, &early);
    expect(&early, "a", 1);
    remove_job(&bench, "a");
    publish(&bench, "b", 1, false);
    open_reader(&bench, &late);
    expect(&late, "b", 1); /* what was removed before it came is nothing to it */
    expect_end(&late, VTS_ERR_AGAIN);
    remove_job(&bench, "b");
    expect_removed(&late, "b");
    vts_label_reader_close(&late);
    expect_removed(&early, "a");
    expect_removed(&early, "b");
    expect_end(&early, VTS_ERR_AGAIN);
    vts_label_reader_close(&early);
    tear_down(&bench);
}

static void a_job_that_comes_back_under_its_id_is_told(void)
{
    struct vts_label_reader reader;
    struct bench bench;

    set_up(&bench, JOBS_MAX, ENTRIES_MAX);
    publish(&bench, "a", 7, true);
    open_reader(&bench, &reader);
    expect(&reader, "a", 7);
    remove_job(&bench, "a");
    publish(&bench, "a", 1, false);
    expect(&reader, "a", 1);
    expect_end(&reader, VTS_ERR_AGAIN);
    vts_label_reader_close(&reader);
    tear_down(&bench);
}

static void a_large_board_is_looked_through_in_pieces(void)
{
    struct vts_label_reader reader;
    struct vts_label_news news;
    struct bench bench;
    bool is_gathering = false;
    unsigned pieces = 0;
    unsigned told = 0;
    enum vts_err err;
    char id[16];

    set_up(&bench, MANY, MANY);
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        publish(&bench, id, 1, false);
    }
    open_reader(&bench, &reader);
    while ((err = vts_label_reader_next(&reader, &news, &is_gathering)) == VTS_OK || is_gathering) {
        pieces += is_gathering;
        told += err == VTS_OK;
        if (err == VTS_OK)
            vts_snapshot_unref(news.snapshot);
    }
    CU_ASSERT_EQUAL(told, MANY);
    CU_ASSERT(pieces > 2);
    vts_label_reader_close(&reader);
    tear_down(&bench);
}

/* ---- bounds ------------------------------------------------------------------------------ */

static void done_jobs_make_room_and_only_for_what_was_read(void)
{
    struct vts_label_reader quick;
    struct vts_label_reader slow;
    struct bench bench;

    set_up(&bench, 2, ENTRIES_MAX);
    open_reader(&bench, &quick);
    open_reader(&bench, &slow);
    expect_end(&slow, VTS_ERR_AGAIN);
    publish(&bench, "a", 1, true);
    publish(&bench, "b", 1, false);
    expect(&quick, "a", 1);
    publish(&bench, "c", 1, false); /* in the place of "a", which the slow one has not read */
    expect(&quick, "b", 1);
    expect(&quick, "c", 1);
    expect_end(&slow, VTS_ERR_LIMIT);
    publish(&bench, "d", 1, false);
    expect_end(&quick, VTS_ERR_LIMIT);
    vts_label_reader_close(&quick);
    vts_label_reader_close(&slow);
    open_reader(&bench, &quick);
    expect_end(&quick, VTS_ERR_LIMIT); /* the board has too many still */
    vts_label_reader_close(&quick);
    tear_down(&bench);
}

static void of_done_jobs_that_are_there_some_are_told(void)
{
    struct vts_label_reader reader;
    struct vts_label_news news;
    struct bench bench;
    unsigned told = 0;
    char id[16];

    set_up(&bench, 2, ENTRIES_MAX);
    for (int i = 0; i < 10; i++) {
        (void)snprintf(id, sizeof(id), "%d", i);
        publish(&bench, id, 1, true);
    }
    publish(&bench, "open", 1, false);
    open_reader(&bench, &reader);
    while (next(&reader, &news) == VTS_OK) {
        told++;
        vts_snapshot_unref(news.snapshot);
    }
    CU_ASSERT_EQUAL(told, 2);
    publish(&bench, "open", 2, true);
    expect(&reader, "open", 2);
    vts_label_reader_close(&reader);
    tear_down(&bench);
}

static void all_logs_together_are_bounded(void)
{
    struct vts_label_reader reader;
    struct bench bench;

    set_up(&bench, JOBS_MAX, 1);
    open_reader(&bench, &reader);
    publish(&bench, "a", 1, false);
    expect(&reader, "a", 1);
    publish(&bench, "b", 1, false);
    expect_end(&reader, VTS_ERR_LIMIT);
    vts_label_reader_close(&reader);
    remove_job(&bench, "b");
    open_reader(&bench, &reader); /* what a log had is given back */
    expect(&reader, "a", 1);
    vts_label_reader_close(&reader);
    tear_down(&bench);
}

/* ---- threads ----------------------------------------------------------------------------- */

struct following {
    struct bench *bench;
    _Atomic bool has_begun;
    bool is_last_read;
};

static void *follow(void *context)
{
    struct following *following = context;
    struct vts_label_reader reader;
    struct vts_label_news news;

    if (vts_label_reader_open(following->bench->logs, vts_str_of("k=v"), &reader) != VTS_OK) {
        atomic_store(&following->has_begun, true);
        return NULL;
    }
    while (!following->is_last_read) {
        enum vts_err err = next(&reader, &news);

        atomic_store(&following->has_begun, true);
        if (err != VTS_OK)
            continue;
        if (news.snapshot != NULL)
            following->is_last_read = vts_snapshot_revision(news.snapshot) == ROUNDS &&
                                      vts_str_equals_text(vts_snapshot_job_id(news.snapshot), "a");
        vts_snapshot_unref(news.snapshot);
    }
    vts_label_reader_close(&reader);
    return NULL;
}

static void readers_of_other_threads_get_the_last(void)
{
    enum { THREADS = 2 };
    struct following followings[THREADS];
    pthread_t threads[THREADS];
    struct bench bench;

    set_up(&bench, JOBS_MAX, ENTRIES_MAX);
    for (int i = 0; i < THREADS; i++) {
        followings[i] = (struct following){.bench = &bench};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, follow, &followings[i]), 0);
    }
    for (int i = 0; i < THREADS; i++)
        while (!atomic_load(&followings[i].has_begun))
            ;
    for (uint64_t round = 1; round <= ROUNDS; round++) {
        publish(&bench, "b", round, false);
        publish(&bench, "a", round, false);
        remove_job(&bench, "b");
    }
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_join(threads[i], NULL), 0);
        CU_ASSERT_TRUE(followings[i].is_last_read);
    }
    tear_down(&bench);
}

static const struct vts_test tests[] = {
    {"reader_gets_what_is_there_and_then_what_comes",
     reader_gets_what_is_there_and_then_what_comes},
    {"other_labels_are_passed_by", other_labels_are_passed_by},
    {"readers_have_places_of_their_own", readers_have_places_of_their_own},
    {"a_job_that_comes_back_under_its_id_is_told", a_job_that_comes_back_under_its_id_is_told},
    {"a_large_board_is_looked_through_in_pieces", a_large_board_is_looked_through_in_pieces},
    {"done_jobs_make_room_and_only_for_what_was_read",
     done_jobs_make_room_and_only_for_what_was_read},
    {"of_done_jobs_that_are_there_some_are_told", of_done_jobs_that_are_there_some_are_told},
    {"all_logs_together_are_bounded", all_logs_together_are_bounded},
    {"readers_of_other_threads_get_the_last", readers_of_other_threads_get_the_last},
};

int main(void)
{
    return vts_test_run("test_label_log", tests, VTS_ARRAY_LEN(tests));
}
