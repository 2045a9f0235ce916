/* SPDX-License-Identifier: Apache-2.0 */
/* test_call_asks.c - what a handler can ask of its call, and that a new call knows nothing of old
 * ones.
 */
#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "server/rpc/call_parts.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"

static struct toy_bench bench;

static void call_knows_its_request(void)
{
    char peer[VTS_PEER_TEXT_BYTES];
    const struct vts_header *headers;
    size_t count = 0;

    toy_bench_open(&bench, NULL);
    toy_bench_make(&bench, "Unary", "application/grpc");
    fake_exchange_add_header(&bench.fake, "x-one", "1");
    fake_exchange_add_header(&bench.fake, "x-one", "2");
    toy_bench_begin(&bench);
    toy_bench_call(&bench, "a");
    CU_ASSERT_PTR_EQUAL(vts_call_context(bench.toy.call), &bench.toy);
    CU_ASSERT_STRING_EQUAL(vts_call_path(bench.toy.call), "/toy.v1.ToyService/Unary");
    CU_ASSERT_EQUAL(vts_call_deadline_ns(bench.toy.call),
                    bench.fake.now_ns + INT64_C(300) * VTS_NS_PER_S);
    CU_ASSERT(vts_call_timeout_ns(bench.toy.call) < 0);
    CU_ASSERT_EQUAL(vts_call_now_ns(bench.toy.call), bench.fake.now_ns);
    CU_ASSERT_EQUAL(vts_call_loop_index(bench.toy.call), 0);
    CU_ASSERT_PTR_NULL(vts_call_query(bench.toy.call).ptr);
    vts_call_write_peer(bench.toy.call, peer);
    CU_ASSERT_STRING_EQUAL(peer, "192.0.2.7");
    headers = vts_call_headers(bench.toy.call, &count);
    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT(vts_str_equals_text(headers[2].value, "2"));
    vts_call_finish(bench.toy.call, VTS_RPC_NOT_FOUND, NULL);
    CU_ASSERT_PTR_NULL(vts_call_headers(bench.toy.call, &count)); /* they are gone */
    CU_ASSERT_EQUAL(count, 0);
    toy_bench_close(&bench);
}

static unsigned ticks;

static void tick(void *context)
{
    (void)context;
    ticks++;
}

static void handler_has_timers(void)
{
    struct vts_timer timer;

    toy_bench_open(&bench, NULL);
    vts_timer_init(&timer, tick, NULL);
    toy_bench_start(&bench, "Chat", "application/grpc");
    vts_call_set_timer(bench.toy.call, &timer, bench.fake.now_ns + 5);
    fake_exchange_move_clock(&bench.fake, 5);
    CU_ASSERT_EQUAL(ticks, 1);
    vts_call_set_timer(bench.toy.call, &timer, bench.fake.now_ns + 5);
    vts_call_stop_timer(bench.toy.call, &timer);
    fake_exchange_move_clock(&bench.fake, 5);
    CU_ASSERT_EQUAL(ticks, 1);
    toy_bench_close(&bench);
}

/* Calls are used again: nothing of one may show in the next. */
static void call_begins_clean(void)
{
    size_t count;

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    toy_bench_make(&bench, "Chat", "application/grpc-web-text");
    fake_exchange_add_header(&bench.fake, "grpc-timeout", "1S");
    fake_exchange_add_header(&bench.fake, "grpc-encoding", "gzip");
    toy_bench_begin(&bench);
    CU_ASSERT_EQUAL(vts_call_add_header(bench.toy.call, "x-left", vts_str_of("over")), VTS_OK);
    CU_ASSERT(toy_bench_give_raw(&bench, vts_str_make("\0\0\0\0\5abc", 8)));
    toy_pause(bench.toy.call);
    fake_exchange_close(&bench.fake);
    toy_bench_start(&bench, "Unary", "application/grpc");
    toy_bench_call(&bench, "a");
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "x-left"), "(none)");
    count = bench.loop->idle_calls_count;
    toy_bench_close(&bench);
    CU_ASSERT_EQUAL(count, 0); /* the first one was in use again */
}

static const struct vts_test tests[] = {
    {"call_knows_its_request", call_knows_its_request},
    {"handler_has_timers", handler_has_timers},
    {"call_begins_clean", call_begins_clean},
};

int main(void)
{
    return vts_test_run("test_call_asks", tests, VTS_ARRAY_LEN(tests));
}
