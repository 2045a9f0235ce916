/* SPDX-License-Identifier: Apache-2.0 */
/* test_rpc_loop.c - names of calls, and messages from other threads to them. */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/rpc/call_parts.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"

enum { POSTS_MAX = 1 << 16, THREADS = 4, POSTS_OF_EACH = 1000, CALLS = 200 };

static struct toy_bench bench;

/* What posts have told. */
static struct {
    unsigned calls;
    unsigned gone;
    struct vts_call *last;
    unsigned contexts[4];
    unsigned contexts_count;
} told;

static void tell(struct vts_call *call, void *context)
{
    told.last = call;
    if (call != NULL)
        told.calls++;
    else
        told.gone++;
    if (context != NULL && told.contexts_count < VTS_ARRAY_LEN(told.contexts))
        told.contexts[told.contexts_count++] = *(unsigned *)context;
}

static void open_bench(void)
{
    memset(&told, 0, sizeof(told));
    toy_bench_open(&bench, NULL);
}

static struct vts_call *begin(struct vts_call_ref *ret_ref)
{
    toy_bench_start(&bench, "Chat", "application/grpc");
    CU_ASSERT_EQUAL_FATAL(vts_call_make_ref(bench.toy.call, ret_ref), VTS_OK);
    return bench.toy.call;
}

static void post_finds_its_call_in_the_loop(void)
{
    struct vts_call_ref ref;
    struct vts_call_ref again;
    struct vts_call *call;

    open_bench();
    call = begin(&ref);
    CU_ASSERT_EQUAL(vts_call_make_ref(call, &again), VTS_OK);
    CU_ASSERT_EQUAL(memcmp(&ref, &again, sizeof(ref)), 0); /* a call has one name */
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_OK);
    CU_ASSERT_EQUAL(told.calls, 0); /* not here and now */
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.calls, 1);
    CU_ASSERT_PTR_EQUAL(told.last, call);
    toy_bench_close(&bench);
}

static void posts_run_in_order_after_one_wake_up(void)
{
    static unsigned numbers[] = {3, 1, 2};
    struct vts_call_ref ref;

    open_bench();
    (void)begin(&ref);
    for (size_t i = 0; i < VTS_ARRAY_LEN(numbers); i++)
        CU_ASSERT_EQUAL(vts_call_post(ref, tell, &numbers[i]), VTS_OK);
    CU_ASSERT_EQUAL(toy_bench_run_posts(&bench), 1);
    CU_ASSERT_EQUAL_FATAL(told.contexts_count, 3);
    CU_ASSERT_EQUAL(memcmp(told.contexts, numbers, sizeof(numbers)), 0);
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_OK);
    CU_ASSERT_EQUAL(toy_bench_run_posts(&bench), 1); /* another turn, another wake-up */
    CU_ASSERT_EQUAL(told.calls, 4);
    toy_bench_close(&bench);
}

static void name_of_a_call_that_is_gone_finds_nothing(void)
{
    struct vts_call_ref old;
    struct vts_call_ref next;

    open_bench();
    (void)begin(&old);
    fake_exchange_close(&bench.fake);
    CU_ASSERT_EQUAL(vts_call_post(old, tell, NULL), VTS_OK);
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.gone, 1);
    /* Another call has its memory and its place, and is not it. */
    (void)begin(&next);
    CU_ASSERT_EQUAL(next.slot, old.slot);
    CU_ASSERT_NOT_EQUAL(next.generation, old.generation);
    CU_ASSERT_EQUAL(vts_call_post(old, tell, NULL), VTS_OK);
    CU_ASSERT_EQUAL(vts_call_post(next, tell, NULL), VTS_OK);
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.gone, 2);
    CU_ASSERT_EQUAL(told.calls, 1);
    toy_bench_close(&bench);
}

static void call_that_is_over_finds_no_post_though_its_exchange_is_open(void)
{
    struct vts_call_ref ref;

    open_bench();
    (void)begin(&ref);
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_OK);
    toy_finish(bench.toy.call); /* between the post and its run */
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.gone, 1);
    CU_ASSERT_EQUAL(told.calls, 0);
    toy_bench_close(&bench);
}

static void post_that_nobody_wakes_the_loop_for_fails(void)
{
    struct vts_call_ref ref;

    open_bench();
    (void)begin(&ref);
    bench.post_err = VTS_ERR_LIMIT;
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_ERR_LIMIT);
    bench.post_err = VTS_OK;
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_OK); /* and wakes it now */
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.calls, 1);
    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_ERR_NOMEM);
    (void)vts_mem_fail_after(-1);
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.calls, 1);
    toy_bench_close(&bench);
}

static void queue_of_posts_is_bounded(void)
{
    struct vts_call_ref ref;

    open_bench();
    (void)begin(&ref);
    for (int i = 0; i < POSTS_MAX; i++)
        if (vts_call_post(ref, tell, NULL) != VTS_OK)
            CU_FAIL_FATAL("it has room");
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_ERR_LIMIT);
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.calls, POSTS_MAX);
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_OK);
    (void)toy_bench_run_posts(&bench);
    toy_bench_close(&bench);
}

static void posts_left_at_the_end_run_without_a_call(void)
{
    struct vts_call_ref ref;

    open_bench();
    (void)begin(&ref);
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_OK);
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_OK);
    toy_bench_close(&bench);
    CU_ASSERT_EQUAL(told.gone, 2);
    CU_ASSERT_EQUAL(told.calls, 0);
}

static void post_again(struct vts_call *call, void *context)
{
    struct vts_call_ref *ref = context;

    tell(call, NULL);
    if (told.calls < 3)
        CU_ASSERT_EQUAL(vts_call_post(*ref, post_again, context), VTS_OK);
}

static void post_may_post(void)
{
    struct vts_call_ref ref;

    open_bench();
    (void)begin(&ref);
    CU_ASSERT_EQUAL(vts_call_post(ref, post_again, &ref), VTS_OK);
    for (unsigned calls = 1; calls <= 3; calls++) {
        CU_ASSERT_EQUAL(toy_bench_run_posts(&bench), 1);
        CU_ASSERT_EQUAL(told.calls, calls);
    }
    CU_ASSERT_EQUAL(toy_bench_run_posts(&bench), 0);
    toy_bench_close(&bench);
}

static void end_call(struct vts_call *call, void *context)
{
    (void)context;
    if (call != NULL)
        vts_call_finish(call, VTS_RPC_ABORTED, "posted");
}

static void post_may_end_the_call_of_the_next(void)
{
    struct vts_call_ref ref;

    open_bench();
    (void)begin(&ref);
    CU_ASSERT_EQUAL(vts_call_post(ref, end_call, NULL), VTS_OK);
    CU_ASSERT_EQUAL(vts_call_post(ref, tell, NULL), VTS_OK);
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.gone, 1);
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_ABORTED);
    toy_bench_close(&bench);
}

static void *post_much(void *ref)
{
    for (int i = 0; i < POSTS_OF_EACH; i++)
        if (vts_call_post(*(struct vts_call_ref *)ref, tell, NULL) != VTS_OK)
            return ref;
    return NULL;
}

/* The loop's thread runs posts while others post; none is lost and none comes twice. */
static void posts_from_other_threads_all_arrive(void)
{
    pthread_t threads[THREADS];
    struct vts_call_ref ref;
    void *failed = NULL;

    open_bench();
    (void)begin(&ref);
    for (int i = 0; i < THREADS; i++)
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, post_much, &ref), 0);
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL(pthread_join(threads[i], &failed), 0);
        CU_ASSERT_PTR_NULL(failed);
        (void)toy_bench_run_posts(&bench);
        CU_ASSERT(told.calls >= (unsigned)(i + 1) * POSTS_OF_EACH);
    }
    CU_ASSERT_EQUAL(told.calls, THREADS * POSTS_OF_EACH);
    toy_bench_close(&bench);
}

/* More calls at once than the table begins with. */
static void many_calls_have_names(void)
{
    static struct fake_exchange fakes[CALLS];
    static struct vts_call_ref refs[CALLS];

    open_bench();
    for (int i = 0; i < CALLS; i++) {
        fake_exchange_init(&fakes[i], VTS_METHOD_POST, "/toy.v1.ToyService/Unary");
        fake_exchange_add_header(&fakes[i], "content-type", "application/grpc");
        vts_router_begin(&bench.router, &fakes[i].exchange);
        CU_ASSERT_PTR_NOT_NULL_FATAL(fakes[i].exchange.user);
        CU_ASSERT_EQUAL_FATAL(vts_call_make_ref(fakes[i].exchange.user, &refs[i]), VTS_OK);
        CU_ASSERT_EQUAL(vts_call_post(refs[i], tell, NULL), VTS_OK);
    }
    for (int i = 0; i < CALLS; i += 2)
        fake_exchange_fini(&fakes[i]);
    (void)toy_bench_run_posts(&bench);
    CU_ASSERT_EQUAL(told.calls, CALLS / 2);
    CU_ASSERT_EQUAL(told.gone, CALLS / 2);
    for (int i = 1; i < CALLS; i += 2)
        fake_exchange_fini(&fakes[i]);
    toy_bench_close(&bench);
}

static void name_without_memory_is_none(void)
{
    struct vts_call_ref ref;

    open_bench();
    toy_bench_start(&bench, "Chat", "application/grpc");
    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_call_make_ref(bench.toy.call, &ref), VTS_ERR_NOMEM);
    (void)vts_mem_fail_after(-1);
    CU_ASSERT_EQUAL(vts_call_make_ref(bench.toy.call, &ref), VTS_OK);
    toy_bench_close(&bench);
}

static void loop_without_memory_is_none(void)
{
    struct vts_rpc_loop *loop = NULL;
    enum vts_err err;

    open_bench();
    for (long count = 0;; count++) {
        (void)vts_mem_fail_after(count);
        err = vts_rpc_loop_new(bench.rpc, NULL, NULL, &loop);
        if (vts_mem_fail_after(-1) == 0)
            break;
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
    }
    CU_ASSERT_EQUAL(err, VTS_OK);
    vts_rpc_loop_free(loop);
    vts_rpc_loop_free(NULL);
    toy_bench_close(&bench);
}

static void count_drain(void *context)
{
    ++*(unsigned *)context;
}

static void drain_is_told_to_what_is_held(void)
{
    struct vts_held early;
    struct vts_held gone;
    struct vts_held late;
    unsigned told_early = 0;
    unsigned told_gone = 0;
    unsigned told_late = 0;

    open_bench();
    vts_rpc_loop_hold(bench.loop, &early, count_drain, &told_early);
    vts_rpc_loop_hold(bench.loop, &gone, count_drain, &told_gone);
    vts_rpc_loop_let_go(&gone);
    vts_rpc_loop_let_go(&gone); /* which does no harm */
    CU_ASSERT_EQUAL(told_early, 0);
    vts_rpc_loop_drain(bench.loop);
    CU_ASSERT_EQUAL(told_early, 1);
    vts_rpc_loop_hold(bench.loop, &late, count_drain, &told_late);
    CU_ASSERT_EQUAL(told_late, 1);
    CU_ASSERT_EQUAL(told_early, 1);
    CU_ASSERT_EQUAL(told_gone, 0);
    vts_rpc_loop_let_go(&early);
    vts_rpc_loop_let_go(&late);
    toy_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"drain_is_told_to_what_is_held", drain_is_told_to_what_is_held},
    {"post_finds_its_call_in_the_loop", post_finds_its_call_in_the_loop},
    {"posts_run_in_order_after_one_wake_up", posts_run_in_order_after_one_wake_up},
    {"name_of_a_call_that_is_gone_finds_nothing", name_of_a_call_that_is_gone_finds_nothing},
    {"call_that_is_over_finds_no_post_though_its_exchange_is_open",
     call_that_is_over_finds_no_post_though_its_exchange_is_open},
    {"post_that_nobody_wakes_the_loop_for_fails", post_that_nobody_wakes_the_loop_for_fails},
    {"queue_of_posts_is_bounded", queue_of_posts_is_bounded},
    {"posts_left_at_the_end_run_without_a_call", posts_left_at_the_end_run_without_a_call},
    {"post_may_post", post_may_post},
    {"post_may_end_the_call_of_the_next", post_may_end_the_call_of_the_next},
    {"posts_from_other_threads_all_arrive", posts_from_other_threads_all_arrive},
    {"many_calls_have_names", many_calls_have_names},
    {"name_without_memory_is_none", name_without_memory_is_none},
    {"loop_without_memory_is_none", loop_without_memory_is_none},
};

int main(void)
{
    return vts_test_run("test_rpc_loop", tests, VTS_ARRAY_LEN(tests));
}
