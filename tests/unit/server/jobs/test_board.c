/* SPDX-License-Identifier: Apache-2.0 */
/* test_board.c - finding what was published, from one thread and from many. */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/jobs/board.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/sample_snapshot.h"

enum { MANY = 5000, READERS = 3, SHARED_JOBS = 8, SHARDS = 64, REVISIONS = 2000 };

static const int64_t now_ns = INT64_C(100) * VTS_NS_PER_S;

static struct vts_board *make_board(void)
{
    struct vts_board *board = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_board_new(&board), VTS_OK);
    return board;
}

static struct vts_snapshot *make_snapshot(const char *id, uint64_t revision)
{
    const struct sample_job job = {.id = id,
                                   .state = VTS_JOB_RUNNING,
                                   .revision = revision,
                                   .expected_end_ns = now_ns + INT64_C(10) * VTS_NS_PER_S};
    struct vts_snapshot *snapshot = NULL;

    CU_ASSERT_EQUAL_FATAL(sample_snapshot_new(&job, &snapshot), VTS_OK);
    return snapshot;
}

static void publish(struct vts_board *board, const char *id, uint64_t revision)
{
    CU_ASSERT_EQUAL_FATAL(vts_board_publish(board, make_snapshot(id, revision)), VTS_OK);
}

/* The revision that the board shows of the job; 0 when it has none. */
static uint64_t revision_of(struct vts_board *board, const char *id)
{
    struct vts_status_view view;
    uint64_t revision;
    char text[32];

    if (vts_check_status(board, vts_str_of(id), now_ns, &view) != VTS_OK)
        return 0;
    (void)snprintf(text, sizeof(text), "%.*s", (int)vts_snapshot_etag(view.snapshot).len,
                   vts_snapshot_etag(view.snapshot).ptr);
    revision = strtoull(text + strlen("W/\"r"), NULL, 10);
    vts_snapshot_unref(view.snapshot);
    return revision;
}

static void board_that_is_empty_finds_nothing(void)
{
    struct vts_board *board = make_board();
    struct vts_status_view view;

    CU_ASSERT_EQUAL(vts_check_status(board, vts_str_of("a"), now_ns, &view), VTS_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(vts_check_status(board, vts_str_of(""), now_ns, &view), VTS_ERR_NOT_FOUND);
    vts_board_free(board);
    vts_board_free(NULL);
}

static void job_that_is_removed_is_not_found(void)
{
    struct vts_board *board = make_board();
    struct vts_snapshot *removed;
    struct vts_status_view view;

    publish(board, "a", 1);
    publish(board, "b", 2);
    CU_ASSERT_EQUAL_FATAL(vts_check_status(board, vts_str_of("a"), now_ns, &view), VTS_OK);
    removed = vts_board_remove(board, vts_str_of("a"));
    CU_ASSERT_PTR_EQUAL(removed, view.snapshot);
    vts_snapshot_unref(removed);
    CU_ASSERT_PTR_NULL(vts_board_remove(board, vts_str_of("a")));
    CU_ASSERT_EQUAL(revision_of(board, "a"), 0);
    CU_ASSERT_EQUAL(revision_of(board, "b"), 2);
    CU_ASSERT(vts_str_equals_text(vts_snapshot_job_id(view.snapshot), "a")); /* a reader's own */
    vts_snapshot_unref(view.snapshot);
    publish(board, "a", 3);
    CU_ASSERT_EQUAL(revision_of(board, "a"), 3);
    vts_board_free(board);
}

static void published_job_is_found_by_its_whole_id(void)
{
    struct vts_board *board = make_board();

    publish(board, "job", 3);
    CU_ASSERT_EQUAL(revision_of(board, "job"), 3);
    CU_ASSERT_EQUAL(revision_of(board, "jo"), 0);
    CU_ASSERT_EQUAL(revision_of(board, "job1"), 0);
    CU_ASSERT_EQUAL(revision_of(board, "Job"), 0);
    vts_board_free(board);
}

static void empty_id_means_default(void)
{
    struct vts_board *board = make_board();

    publish(board, "default", 5);
    CU_ASSERT_EQUAL(revision_of(board, ""), 5);
    CU_ASSERT_EQUAL(revision_of(board, "default"), 5);
    vts_board_free(board);
}

static void newer_revision_takes_the_place(void)
{
    struct vts_board *board = make_board();

    for (uint64_t revision = 1; revision <= 10; revision++) {
        publish(board, "job", revision);
        CU_ASSERT_EQUAL(revision_of(board, "job"), revision);
    }
    vts_board_free(board);
}

static void invalid_ids_are_refused(void)
{
    static const char *const ids[] = {"a/b", "a b", "%61", "\xc3\xa9", "a\n"};
    char too_long[VTS_JOB_ID_MAX + 2];
    struct vts_board *board = make_board();
    struct vts_status_view view;

    memset(too_long, 'a', sizeof(too_long) - 1);
    too_long[sizeof(too_long) - 1] = '\0';
    for (size_t i = 0; i < VTS_ARRAY_LEN(ids); i++)
        CU_ASSERT_EQUAL(vts_check_status(board, vts_str_of(ids[i]), now_ns, &view),
                        VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_check_status(board, vts_str_of(too_long), now_ns, &view), VTS_ERR_INVALID);
    vts_board_free(board);
}

static void hint_is_given_until_the_job_is_done(void)
{
    const struct sample_job done = {.id = "job", .state = VTS_JOB_FAILED, .revision = 2};
    struct vts_board *board = make_board();
    struct vts_snapshot *snapshot = NULL;
    struct vts_status_view view;

    publish(board, "job", 1);
    CU_ASSERT_EQUAL_FATAL(vts_check_status(board, vts_str_of("job"), now_ns, &view), VTS_OK);
    CU_ASSERT_EQUAL(view.poll_after_ns, INT64_C(5) * VTS_NS_PER_S);
    vts_snapshot_unref(view.snapshot);
    CU_ASSERT_EQUAL_FATAL(sample_snapshot_new(&done, &snapshot), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_board_publish(board, snapshot), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_check_status(board, vts_str_of("job"), now_ns, &view), VTS_OK);
    CU_ASSERT(view.poll_after_ns < 0);
    vts_snapshot_unref(view.snapshot);
    vts_board_free(board);
}

static void many_ids_are_all_found(void)
{
    struct vts_board *board = make_board();
    char id[16];

    for (uint64_t i = 1; i <= MANY; i++) {
        (void)snprintf(id, sizeof(id), "job-%llu", (unsigned long long)i);
        publish(board, id, i);
    }
    for (uint64_t i = 1; i <= MANY; i++) {
        (void)snprintf(id, sizeof(id), "job-%llu", (unsigned long long)i);
        CU_ASSERT_EQUAL(revision_of(board, id), i);
    }
    vts_board_free(board);
}

static void view_outlives_the_board(void)
{
    struct vts_board *board = make_board();
    struct vts_status_view view;

    publish(board, "job", 1);
    CU_ASSERT_EQUAL_FATAL(vts_check_status(board, vts_str_of("job"), now_ns, &view), VTS_OK);
    vts_board_free(board);
    CU_ASSERT(vts_str_equals_text(vts_snapshot_etag(view.snapshot), "W/\"r1\""));
    vts_snapshot_unref(view.snapshot);
}

/* ---- without memory ---------------------------------------------------------------------- */

static void new_without_memory_fails(void)
{
    struct vts_board *board = NULL;

    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_board_new(&board), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_PTR_NULL(board);
}

/* Publishes with each allocation failing in turn until it works; returns how many failed. */
static long publish_against_failures(struct vts_board *board, const char *id)
{
    for (long count = 0;; count++) {
        struct vts_snapshot *snapshot = make_snapshot(id, 1);
        enum vts_err err;

        (void)vts_mem_fail_after(count);
        err = vts_board_publish(board, snapshot);
        if (vts_mem_fail_after(-1) == 0) {
            CU_ASSERT_EQUAL(err, VTS_OK);
            return count;
        }
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
        CU_ASSERT_EQUAL(revision_of(board, id), 0);
    }
}

/* So many ids that the table of each shard grows a few times. */
static void publish_without_memory_fails_and_harms_nothing(void)
{
    struct vts_board *board = make_board();
    long failed = 0;
    char id[16];

    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "job-%d", i);
        failed += publish_against_failures(board, id);
    }
    CU_ASSERT(failed > SHARDS); /* twice for each growth of a table */
    for (int i = 0; i < MANY; i++) {
        (void)snprintf(id, sizeof(id), "job-%d", i);
        CU_ASSERT_EQUAL(revision_of(board, id), 1);
    }
    vts_board_free(board);
}

static void newer_revision_needs_no_memory(void)
{
    struct vts_board *board = make_board();
    struct vts_snapshot *snapshot = make_snapshot("job", 2);

    publish(board, "job", 1);
    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_board_publish(board, snapshot), VTS_OK);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 0);
    CU_ASSERT_EQUAL(revision_of(board, "job"), 2);
    vts_board_free(board);
}

/* ---- from several threads ---------------------------------------------------------------- */

struct reader {
    struct vts_board *board;
    unsigned steps_back; /* how often a revision was older than one seen before */
    uint64_t last[SHARED_JOBS];
};

static void shared_id(char id[8], int job)
{
    (void)snprintf(id, 8, "job-%d", job);
}

/* Reads all jobs until each shows its last revision. */
static void *read_to_the_end(void *context)
{
    struct reader *reader = context;
    int done;

    do {
        done = 0;
        for (int job = 0; job < SHARED_JOBS; job++) {
            uint64_t revision;
            char id[8];

            shared_id(id, job);
            revision = revision_of(reader->board, id);
            reader->steps_back += revision < reader->last[job];
            reader->last[job] = revision;
            done += revision == REVISIONS;
        }
    } while (done < SHARED_JOBS);
    return NULL;
}

static void readers_see_revisions_rise_while_they_are_published(void)
{
    struct vts_board *board = make_board();
    struct reader readers[READERS];
    pthread_t threads[READERS];

    for (int i = 0; i < READERS; i++) {
        readers[i] = (struct reader){.board = board};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, read_to_the_end, &readers[i]), 0);
    }
    for (uint64_t revision = 1; revision <= REVISIONS; revision++) {
        for (int job = 0; job < SHARED_JOBS; job++) {
            char id[8];

            shared_id(id, job);
            publish(board, id, revision);
        }
    }
    for (int i = 0; i < READERS; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_join(threads[i], NULL), 0);
        CU_ASSERT_EQUAL(readers[i].steps_back, 0);
    }
    vts_board_free(board);
}

/* The hint that the caller gets, in whole milliseconds. */
static int64_t hint_ms(struct vts_board *board, uint64_t caller, const char *id)
{
    struct vts_status_view view;

    CU_ASSERT_EQUAL_FATAL(vts_check_status(board, vts_str_of(id), now_ns, &view), VTS_OK);
    vts_board_spread(board, caller, &view);
    vts_snapshot_unref(view.snapshot);
    return view.poll_after_ns / VTS_NS_PER_MS;
}

static void publish_without_end(struct vts_board *board, const char *id)
{
    const struct sample_job job = {.id = id, .state = VTS_JOB_RUNNING, .revision = 1};
    struct vts_snapshot *snapshot = NULL;

    CU_ASSERT_EQUAL_FATAL(sample_snapshot_new(&job, &snapshot), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_board_publish(board, snapshot), VTS_OK);
}

static void hints_are_spread_by_caller_and_job_and_stay(void)
{
    enum { CALLERS = 50 };
    struct vts_board *board = make_board();
    int64_t first_ms = 0;
    int others_count = 0;

    publish_without_end(board, "a");
    publish_without_end(board, "b");
    for (uint64_t caller = 0; caller < CALLERS; caller++) {
        int64_t a_ms = hint_ms(board, caller, "a");

        CU_ASSERT(a_ms >= 800 && a_ms <= 1000);
        CU_ASSERT_EQUAL(a_ms, hint_ms(board, caller, "a"));
        others_count += a_ms != hint_ms(board, caller, "b");
        first_ms = caller == 0 ? a_ms : first_ms;
        others_count += a_ms != first_ms;
    }
    CU_ASSERT(others_count > CALLERS); /* of nearly twice as many */
    vts_board_free(board);
}

static const struct vts_test tests[] = {
    {"board_that_is_empty_finds_nothing", board_that_is_empty_finds_nothing},
    {"job_that_is_removed_is_not_found", job_that_is_removed_is_not_found},
    {"published_job_is_found_by_its_whole_id", published_job_is_found_by_its_whole_id},
    {"empty_id_means_default", empty_id_means_default},
    {"newer_revision_takes_the_place", newer_revision_takes_the_place},
    {"invalid_ids_are_refused", invalid_ids_are_refused},
    {"hint_is_given_until_the_job_is_done", hint_is_given_until_the_job_is_done},
    {"many_ids_are_all_found", many_ids_are_all_found},
    {"view_outlives_the_board", view_outlives_the_board},
    {"new_without_memory_fails", new_without_memory_fails},
    {"publish_without_memory_fails_and_harms_nothing",
     publish_without_memory_fails_and_harms_nothing},
    {"newer_revision_needs_no_memory", newer_revision_needs_no_memory},
    {"readers_see_revisions_rise_while_they_are_published",
     readers_see_revisions_rise_while_they_are_published},
    {"hints_are_spread_by_caller_and_job_and_stay", hints_are_spread_by_caller_and_job_and_stay},
};

int main(void)
{
    return vts_test_run("test_board", tests, VTS_ARRAY_LEN(tests));
}
