/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_waiter.c - what a reader of news gets, in which order, and when it is over. */
#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "server/service/status_waiter.h"
#include "tests/support/suite.h"
#include "tests/unit/server/service/status_bench.h"

static struct status_bench bench;
static struct vts_status_waiter *waiter;
static unsigned told;

static void count_news(void *context)
{
    CU_ASSERT_PTR_EQUAL(context, &told);
    told++;
}

static void open_bench_until(size_t jobs_max, enum vts_status_until until)
{
    status_bench_open(&bench);
    told = 0;
    CU_ASSERT_EQUAL_FATAL(
        vts_status_waiter_new(&bench.service, 0, jobs_max, until, count_news, &told, &waiter),
        VTS_OK);
}

static void open_bench(size_t jobs_max)
{
    open_bench_until(jobs_max, VTS_STATUS_UNTIL_CHANGE);
}

static void close_bench(void)
{
    vts_status_waiter_free(waiter);
    status_bench_close(&bench);
}

static void add(const char *id, uint64_t revision)
{
    CU_ASSERT_EQUAL_FATAL(vts_status_waiter_add(waiter, vts_str_of(id), revision), VTS_OK);
}

/* The next news must be this. */
static void expect(const char *id, uint64_t revision)
{
    struct vts_status_view view;

    CU_ASSERT_EQUAL_FATAL(vts_status_waiter_next(waiter, 0, &view), VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_snapshot_job_id(view.snapshot), id));
    CU_ASSERT(vts_str_equals_text(vts_status_waiter_job_id(waiter), id));
    CU_ASSERT_EQUAL(vts_snapshot_revision(view.snapshot), revision);
    vts_snapshot_unref(view.snapshot);
}

/* There must be no news. */
static void expect_none(enum vts_err err)
{
    struct vts_status_view view;

    CU_ASSERT_EQUAL(vts_status_waiter_next(waiter, 0, &view), err);
}

static void reader_without_a_revision_gets_the_present_one(void)
{
    open_bench(1);
    add("default", 0);
    expect("default", 4);
    expect_none(VTS_ERR_AGAIN);
    CU_ASSERT_EQUAL(told, 0);
    status_bench_move(&bench, 5);
    CU_ASSERT_EQUAL(told, 1);
    expect("default", 5);
    expect_none(VTS_ERR_AGAIN);
    close_bench();
}

static void reader_who_is_current_gets_what_follows(void)
{
    open_bench(1);
    add("default", 4);
    CU_ASSERT(vts_str_equals_text(vts_status_waiter_job_id(waiter), "default"));
    expect_none(VTS_ERR_AGAIN);
    status_bench_move(&bench, 5);
    expect("default", 5);
    expect_none(VTS_ERR_AGAIN);
    close_bench();
}

static void reader_with_any_other_revision_gets_the_present_one(void)
{
    static const uint64_t others[] = {1, 3, 5, UINT64_MAX};

    for (size_t i = 0; i < VTS_ARRAY_LEN(others); i++) {
        open_bench(1);
        add("default", others[i]);
        expect("default", 4);
        close_bench();
    }
}

static void slow_reader_gets_the_newest_only(void)
{
    open_bench(1);
    add("default", 0);
    for (uint64_t revision = 5; revision < 20; revision++)
        status_bench_move(&bench, revision);
    CU_ASSERT_EQUAL(told, 15);
    expect("default", 19);
    expect_none(VTS_ERR_AGAIN);
    status_bench_move(&bench, 20);
    status_bench_publish(&bench, "default", VTS_JOB_SUCCEEDED, 21);
    expect("default", 21);
    expect_none(VTS_ERR_CLOSED);
    close_bench();
}

static void jobs_have_their_turns(void)
{
    open_bench(3);
    status_bench_publish(&bench, "b", VTS_JOB_PENDING, 1);
    add("default", 0);
    add("film", 0);
    add("b", 0);
    expect("default", 4);
    status_bench_move(&bench, 5); /* behind the others now */
    expect("film", 9);
    status_bench_publish(&bench, "b", VTS_JOB_PENDING, 2); /* not twice */
    expect("b", 2);
    expect("default", 5);
    expect_none(VTS_ERR_AGAIN);
    close_bench();
}

static void reader_of_what_is_done_is_told_that_this_was_all(void)
{
    open_bench(2);
    add("film", 9);
    expect_none(VTS_ERR_CLOSED);
    add("default", 4);
    expect_none(VTS_ERR_AGAIN);
    status_bench_publish(&bench, "default", VTS_JOB_FAILED, 5);
    expect("default", 5);
    expect_none(VTS_ERR_CLOSED);
    expect_none(VTS_ERR_CLOSED);
    close_bench();
}

static void job_that_begins_anew_is_not_over(void)
{
    open_bench(1);
    add("film", 9);
    expect_none(VTS_ERR_CLOSED);
    status_bench_publish(&bench, "film", VTS_JOB_PENDING, 10);
    expect("film", 10);
    expect_none(VTS_ERR_AGAIN);
    status_bench_publish(&bench, "film", VTS_JOB_SUCCEEDED, 11);
    expect("film", 11);
    expect_none(VTS_ERR_CLOSED);
    close_bench();
}

static void job_that_is_gone_is_not_found(void)
{
    open_bench(2);
    add("film", 9);
    add("gone", 0);
    expect_none(VTS_ERR_NOT_FOUND);
    CU_ASSERT(vts_str_equals_text(vts_status_waiter_job_id(waiter), "gone"));
    expect_none(VTS_ERR_CLOSED); /* the other one is done */
    close_bench();
}

/* It ends and is removed before its reader looks. */
static void job_that_is_removed_is_told_to_its_last(void)
{
    struct vts_status_view view;

    open_bench(2);
    add("default", 4);
    add("film", 9);
    expect_none(VTS_ERR_AGAIN);
    status_bench_publish(&bench, "default", VTS_JOB_CANCELLED, 5);
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("default")), VTS_OK);
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("film")), VTS_OK);
    expect("default", 5);
    CU_ASSERT_EQUAL_FATAL(vts_status_waiter_check(waiter, 0, &view), VTS_OK);
    CU_ASSERT_EQUAL(vts_snapshot_revision(view.snapshot), 5);
    vts_snapshot_unref(view.snapshot);
    expect_none(VTS_ERR_CLOSED);
    /* A second try to remove it takes nothing away. */
    CU_ASSERT_EQUAL(vts_watch_hub_remove(bench.hub, vts_str_of("default")), VTS_OK);
    expect_none(VTS_ERR_CLOSED);
    close_bench();
}

static void watches_are_bounded_and_given_back(void)
{
    open_bench(STATUS_BENCH_WATCHES_MAX + 1);
    for (unsigned i = 0; i < STATUS_BENCH_WATCHES_MAX; i++)
        add("default", 0);
    CU_ASSERT_EQUAL(atomic_load(&bench.limits.hits[VTS_LIMIT_WATCHES]), 0);
    CU_ASSERT_EQUAL(vts_status_waiter_add(waiter, vts_str_of("film"), 0), VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(atomic_load(&bench.limits.hits[VTS_LIMIT_WATCHES]), 1);
    expect("default", 4); /* the others go on */
    close_bench();
    vts_status_waiter_free(NULL);
}

static bool is_settled(void)
{
    return vts_status_waiter_is_settled(waiter, 0);
}

static void change_is_any_other_revision_or_the_end(void)
{
    open_bench(1);
    add("default", 4);
    CU_ASSERT_FALSE(is_settled());
    status_bench_move(&bench, 5);
    CU_ASSERT(is_settled());
    CU_ASSERT_FALSE(is_settled()); /* it was taken */
    close_bench();
    open_bench(1);
    add("film", 9);
    CU_ASSERT(is_settled());
    close_bench();
}

static void done_is_not_any_change(void)
{
    open_bench_until(1, VTS_STATUS_UNTIL_DONE);
    add("default", 0);
    CU_ASSERT_FALSE(is_settled());
    status_bench_move(&bench, 5);
    CU_ASSERT_FALSE(is_settled());
    status_bench_publish(&bench, "default", VTS_JOB_CANCELLED, 6);
    CU_ASSERT(is_settled());
    CU_ASSERT(is_settled());
    close_bench();
}

static void reader_of_ends_gets_nothing_between(void)
{
    open_bench_until(3, VTS_STATUS_UNTIL_DONE);
    add("default", 0);
    add("film", 9);
    expect("default", 4); /* of what it does not know, the present status */
    expect_none(VTS_ERR_AGAIN);
    status_bench_move(&bench, 5);
    status_bench_publish(&bench, "film", VTS_JOB_PENDING, 10);
    expect_none(VTS_ERR_AGAIN);
    status_bench_publish(&bench, "default", VTS_JOB_FAILED, 6);
    expect("default", 6);
    expect_none(VTS_ERR_AGAIN);
    status_bench_publish(&bench, "film", VTS_JOB_SUCCEEDED, 11);
    expect("film", 11);
    expect_none(VTS_ERR_CLOSED);
    close_bench();
}

static void wait_ends_a_little_before_the_deadline(void)
{
    const int64_t ms = VTS_NS_PER_MS;
    const int64_t now_ns = INT64_C(5) * VTS_NS_PER_S;
    const struct {
        int64_t wait_ms;
        int64_t deadline_ms; /* -1: never */
        int64_t due_ms;
    } rows[] = {
        {300000, -1, 300000},   {1, -1, 1},         {0, -1, 0},        {300000, 1000, 950},
        {300000, 60000, 59500}, {300000, 400, 380}, {300000, 100, 80}, {300000, 20, 0},
        {300000, 19, 0},        {300000, 0, 0},     {900, 1000, 900},  {960, 1000, 950},
        {300000, -5, 0},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        int64_t deadline_ns =
            rows[i].deadline_ms == -1 ? INT64_MAX : now_ns + rows[i].deadline_ms * ms;

        CU_ASSERT_EQUAL(vts_status_wait_due_ns(now_ns, rows[i].wait_ms * ms, deadline_ns),
                        now_ns + rows[i].due_ms * ms);
    }
}

static void spread_stays_within_its_bound(void)
{
    for (int i = 0; i < 1000; i++) {
        int ms = vts_status_spread_ms();

        CU_ASSERT(ms >= 0 && ms < VTS_STATUS_SPREAD_MS);
    }
}

static const struct vts_test tests[] = {
    {"reader_without_a_revision_gets_the_present_one",
     reader_without_a_revision_gets_the_present_one},
    {"reader_who_is_current_gets_what_follows", reader_who_is_current_gets_what_follows},
    {"reader_with_any_other_revision_gets_the_present_one",
     reader_with_any_other_revision_gets_the_present_one},
    {"slow_reader_gets_the_newest_only", slow_reader_gets_the_newest_only},
    {"jobs_have_their_turns", jobs_have_their_turns},
    {"reader_of_what_is_done_is_told_that_this_was_all",
     reader_of_what_is_done_is_told_that_this_was_all},
    {"job_that_begins_anew_is_not_over", job_that_begins_anew_is_not_over},
    {"job_that_is_gone_is_not_found", job_that_is_gone_is_not_found},
    {"job_that_is_removed_is_told_to_its_last", job_that_is_removed_is_told_to_its_last},
    {"watches_are_bounded_and_given_back", watches_are_bounded_and_given_back},
    {"change_is_any_other_revision_or_the_end", change_is_any_other_revision_or_the_end},
    {"done_is_not_any_change", done_is_not_any_change},
    {"reader_of_ends_gets_nothing_between", reader_of_ends_gets_nothing_between},
    {"wait_ends_a_little_before_the_deadline", wait_ends_a_little_before_the_deadline},
    {"spread_stays_within_its_bound", spread_stays_within_its_bound},
};

int main(void)
{
    return vts_test_run("test_status_waiter", tests, VTS_ARRAY_LEN(tests));
}
