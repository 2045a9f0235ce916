/* SPDX-License-Identifier: Apache-2.0 */
/* test_keeper_estimates.c - what a keeper learns from its jobs, and what it tells of others. */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_heap.h"
#include "common/wire/pb_time.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/keeper_bench.h"

enum { RUNS_S = 40, WAITS_S = 10 };

static struct keeper_bench bench;

static void pass_s(int64_t seconds)
{
    keeper_bench_pass(seconds * VTS_NS_PER_S);
}

static void finish(struct keeper_answer *lease)
{
    struct keeper_answer answer = {.count = 0};

    CU_ASSERT_EQUAL(
        keeper_bench_run(&bench, keeper_bench_report(&answer, lease, VTS_JOB_EVENT_COMPLETE)),
        VTS_KEEPER_OK);
    keeper_answer_fini(&answer);
    keeper_answer_fini(lease);
}

static void teach(const char *prefix)
{
    for (int i = 0; i < 3; i++) {
        struct keeper_answer lease = {.count = 0};
        char id[16];

        (void)snprintf(id, sizeof(id), "%s%d", prefix, i);
        keeper_bench_make(&bench, id);
        pass_s(WAITS_S);
        keeper_bench_take(&bench, &lease, id);
        pass_s(RUNS_S);
        finish(&lease);
    }
}

/* What is published, in seconds from now; -1: there is no telling. */
static int64_t left_s(const char *id)
{
    struct vts_status_view view;
    Vtstatus__V1__JobStatus *status;
    struct vts_str proto;
    int64_t end_ns;
    int64_t wall_ns;

    CU_ASSERT_EQUAL_FATAL(vts_check_status(bench.board, vts_str_of(id), keeper_bench_now_ns, &view),
                          VTS_OK);
    end_ns = vts_snapshot_expected_end_ns(view.snapshot);
    wall_ns = vts_snapshot_expected_end_wall_ns(view.snapshot);
    proto = vts_snapshot_proto(view.snapshot);
    status = vtstatus__v1__job_status__unpack(vts_pb_heap_plain(), proto.len,
                                              (const uint8_t *)proto.ptr);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_EQUAL(end_ns == 0, status->estimated_completion_time == NULL);
    if (status->estimated_completion_time != NULL) {
        CU_ASSERT_EQUAL(vts_pb_timestamp_ns(status->estimated_completion_time), wall_ns);
        CU_ASSERT_EQUAL(end_ns - keeper_bench_now_ns, wall_ns - keeper_bench_wall_ns);
    }
    vtstatus__v1__job_status__free_unpacked(status, vts_pb_heap_plain());
    vts_snapshot_unref(view.snapshot);
    return end_ns == 0 ? -1 : (end_ns - keeper_bench_now_ns) / VTS_NS_PER_S;
}

static void set_up(void)
{
    keeper_bench_init(&bench);
    keeper_bench_open(&bench);
}

static void a_new_job_is_expected_to_take_as_long_as_others_did(void)
{
    struct keeper_answer lease = {.count = 0};

    set_up();
    keeper_bench_make(&bench, "first");
    CU_ASSERT_EQUAL(left_s("first"), -1);
    keeper_bench_take(&bench, &lease, "first");
    CU_ASSERT_EQUAL(left_s("first"), -1);
    finish(&lease);
    teach("a");
    keeper_bench_make(&bench, "new");
    CU_ASSERT_EQUAL(left_s("new"), RUNS_S + WAITS_S);
    pass_s(1);
    CU_ASSERT_EQUAL(left_s("new"), RUNS_S + WAITS_S - 1);
    keeper_bench_take(&bench, &lease, "new");
    CU_ASSERT_EQUAL(left_s("new"), RUNS_S);
    finish(&lease);
    CU_ASSERT_EQUAL(left_s("new"), -1);
    keeper_bench_fini(&bench);
}

static void a_success_that_was_not_stored_teaches_nothing(void)
{
    struct keeper_answer lease = {.count = 0};
    struct keeper_answer answer = {.count = 0};

    set_up();
    for (int i = 0; i < 3; i++) {
        keeper_bench_make(&bench, i == 0 ? "a" : i == 1 ? "b" : "c");
        keeper_bench_take(&bench, &lease, i == 0 ? "a" : i == 1 ? "b" : "c");
        pass_s(RUNS_S);
        bench.commits_left = 0;
        CU_ASSERT_EQUAL(
            keeper_bench_run(&bench, keeper_bench_report(&answer, &lease, VTS_JOB_EVENT_COMPLETE)),
            VTS_KEEPER_STORE_FAILED);
        bench.commits_left = -1;
        keeper_answer_fini(&answer);
        keeper_answer_fini(&lease);
    }
    keeper_bench_make(&bench, "new");
    CU_ASSERT_EQUAL(left_s("new"), -1);
    keeper_bench_fini(&bench);
}

/* What waits is told when it is leased, what runs at once. */
static void it_is_learned_anew_when_the_jobs_are_loaded(void)
{
    struct keeper_answer lease = {.count = 0};

    set_up();
    teach("a");
    keeper_bench_make(&bench, "running");
    keeper_bench_take(&bench, &lease, "running");
    keeper_bench_make(&bench, "waiting");
    keeper_bench_close(&bench);
    pass_s(5);
    keeper_bench_open(&bench);
    CU_ASSERT_EQUAL(left_s("running"), RUNS_S - 5);
    CU_ASSERT_EQUAL(left_s("waiting"), -1);
    keeper_bench_make(&bench, "new");
    CU_ASSERT_EQUAL(left_s("new"), RUNS_S + WAITS_S);
    finish(&lease);
    keeper_bench_take(&bench, &lease, "waiting");
    CU_ASSERT_EQUAL(left_s("waiting"), RUNS_S);
    keeper_answer_fini(&lease);
    keeper_bench_fini(&bench);
}

static const struct vts_test tests[] = {
    {"a_new_job_is_expected_to_take_as_long_as_others_did",
     a_new_job_is_expected_to_take_as_long_as_others_did},
    {"a_success_that_was_not_stored_teaches_nothing",
     a_success_that_was_not_stored_teaches_nothing},
    {"it_is_learned_anew_when_the_jobs_are_loaded", it_is_learned_anew_when_the_jobs_are_loaded},
};

int main(void)
{
    return vts_test_run("test_keeper_estimates", tests, VTS_ARRAY_LEN(tests));
}
