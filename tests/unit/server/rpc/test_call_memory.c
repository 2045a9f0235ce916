/* SPDX-License-Identifier: Apache-2.0 */
/* test_call_memory.c - calls whose n-th allocation fails, for each n: every one of them ends, with
 * an outcome that is true or with none. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/envelope.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

enum { ALLOCATIONS_MAX = 500, BODY_BYTES = 3000, BUF_BYTES = 64 * 1024, STEP_BYTES = 500 };

static struct toy_bench bench;

/* ---- handlers that use all there is ------------------------------------------------------------
 */

static void add_metadata(struct vts_call *call)
{
    /* Without memory the answer goes without. */
    (void)!vts_call_add_header(call, "x-head", vts_str_of("1"));
    (void)!vts_call_add_trailer(call, "x-tail-bin", vts_str_of("AAEC"));
}

static void answer(struct vts_call *call, const Toy__V1__Ask *ask)
{
    add_metadata(call);
    toy_answer(call, ask);
}

static void fail(struct vts_call *call, const Toy__V1__Ask *ask)
{
    const struct vts_error_detail details[] = {{"toy.v1.Ask", vts_str_of("\x0a\x01x")},
                                               {"toy.v1.Tell", vts_str_of("\x0a\x01y")}};

    (void)ask;
    add_metadata(call);
    vts_call_fail(call, VTS_RPC_ABORTED, "no \n more", details, VTS_ARRAY_LEN(details));
}

static void start_chat(struct vts_call *call)
{
    add_metadata(call);
    vts_call_start(call);
}

static void pause_and_echo(struct vts_call *call, const Toy__V1__Ask *ask)
{
    toy_pause(call);
    toy_echo(call, ask);
}

static void resume_chat(struct vts_call *call)
{
    toy_resume(call);
}

static void finish_chat(struct vts_call *call)
{
    fail(call, NULL);
}

/* ---- the runs -----------------------------------------------------------------------------------
 */

struct run {
    const char *method;
    const char *type;
    struct toy_script script;
    unsigned asks;
    const char *encoding; /* what the client takes, and sends for the first message */
    int code;             /* when memory is there */
};

/* The client does its part, as far as the exchange lets it. */
static void play(struct vts_str body)
{
    size_t at = 0;

    toy_bench_begin(&bench);
    toy_bench_read(&bench);
    while (at < body.len && fake_exchange_is_open(&bench.fake)) {
        size_t step = body.len - at < STEP_BYTES ? body.len - at : STEP_BYTES;

        at += fake_exchange_give(&bench.fake, vts_str_make(body.ptr + at, step), step);
        toy_bench_read(&bench);
    }
    toy_bench_end(&bench);
    toy_bench_read(&bench);
}

/* The body of the request, which must cost no memory of the run's. */
static struct vts_buf make_body(const struct run *run)
{
    struct vts_gzip gzip;
    struct vts_buf payload;
    struct vts_buf packed;
    struct vts_buf body;

    toy_bench_make(&bench, run->method, run->type);
    vts_gzip_init(&gzip);
    vts_buf_init(&payload, BUF_BYTES);
    vts_buf_init(&packed, BUF_BYTES);
    vts_buf_init(&body, BUF_BYTES);
    toy_bench_encode(&bench, "packed", BODY_BYTES, &payload);
    CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_buf_str(&payload), &packed), VTS_OK);
    for (unsigned i = 0; i < run->asks; i++)
        if (i == 0 && run->encoding != NULL)
            toy_bench_write(&bench, VTS_ENVELOPE_COMPRESSED, vts_buf_str(&packed), &body);
        else
            toy_bench_write(&bench, 0, vts_buf_str(&payload), &body);
    vts_buf_fini(&packed);
    vts_buf_fini(&payload);
    vts_gzip_fini(&gzip);
    return body;
}

static void make(const struct run *run)
{
    static const char *const fields[] = {
        "grpc-encoding",           "grpc-accept-encoding", "connect-content-encoding",
        "connect-accept-encoding", "content-encoding",     "accept-encoding"};

    toy_bench_make(&bench, run->method, run->type);
    fake_exchange_add_header(&bench.fake, "x-a-bin", "AAEC,AAEC");
    fake_exchange_add_header(&bench.fake, "origin", "https://a.example");
    for (size_t i = 0; run->encoding != NULL && i < VTS_ARRAY_LEN(fields); i++)
        fake_exchange_add_header(&bench.fake, fields[i], run->encoding);
}

/* Success comes with its one answer; only calls that have one succeed here. */
static void expect_truth(void)
{
    struct toy_answer told;

    if (toy_bench_code(&bench) != VTS_RPC_OK)
        return;
    toy_bench_look(&bench, &told);
    CU_ASSERT_EQUAL(told.messages, 1);
    CU_ASSERT(told.body_bytes >= BODY_BYTES);
}

static void fail_each_allocation(const struct run *run)
{
    struct vts_buf body;
    long count = 0;
    int has_failed = 1;

    toy_bench_open_with(&bench, &run->script, NULL, "*");
    body = make_body(run);
    for (; has_failed && count < ALLOCATIONS_MAX; count++) {
        make(run);
        (void)vts_mem_fail_after(count);
        play(vts_buf_str(&body));
        has_failed = vts_mem_fail_after(-1);
        CU_ASSERT(bench.fake.is_over || bench.fake.resets_count > 0);
        expect_truth();
        if (!has_failed)
            CU_ASSERT_EQUAL(toy_bench_code(&bench), run->code);
        fake_exchange_close(&bench.fake);
        CU_ASSERT(bench.toy.ends <= 1);
    }
    CU_ASSERT(count > 2 && count < ALLOCATIONS_MAX);
    vts_buf_fini(&body);
    toy_bench_close(&bench);
}

static void each_call_ends_whatever_allocation_fails(void)
{
    static const struct run runs[] = {
        {"Unary", "application/grpc", {.on_message = answer}, 1, NULL, VTS_RPC_OK},
        {"Unary", "application/grpc", {.on_message = answer}, 1, "gzip", VTS_RPC_OK},
        {"Unary", "application/grpc+json", {.on_message = answer}, 1, "gzip", VTS_RPC_OK},
        {"Unary", "application/grpc", {.on_message = fail}, 1, NULL, VTS_RPC_ABORTED},
        {"Unary", "application/grpc-web", {.on_message = answer}, 1, "gzip", VTS_RPC_OK},
        {"Unary", "application/grpc-web-text", {.on_message = answer}, 1, "gzip", VTS_RPC_OK},
        {"Unary", "application/grpc-web-text", {.on_message = fail}, 1, NULL, VTS_RPC_ABORTED},
        {"Unary", "application/proto", {.on_message = answer}, 1, "gzip", VTS_RPC_OK},
        {"Unary", "application/json", {.on_message = answer}, 1, "gzip", VTS_RPC_OK},
        {"Unary", "application/json", {.on_message = fail}, 1, NULL, VTS_RPC_ABORTED},
        {"Unary", "application/grpc", {.on_message = answer}, 2, NULL, VTS_RPC_UNIMPLEMENTED},
        {"Missing", "application/grpc", {.on_start = NULL}, 1, NULL, VTS_RPC_UNIMPLEMENTED},
        {"Collect", "application/grpc", {.on_half_close = toy_sum_up}, 3, "gzip", VTS_RPC_OK},
        {"Collect",
         "application/connect+json",
         {.on_half_close = toy_sum_up},
         3,
         "gzip",
         VTS_RPC_OK},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(runs); i++)
        fail_each_allocation(&runs[i]);
}

static void each_stream_ends_whatever_allocation_fails(void)
{
    static const char *const types[] = {
        "application/grpc",          "application/grpc+json",     "application/grpc-web",
        "application/grpc-web-text", "application/connect+proto", "application/connect+json",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(types) * 3; i++) {
        struct run run = {.method = "Chat",
                          .type = types[i / 3],
                          .asks = 4,
                          .encoding = i % 3 == 2 ? "gzip" : NULL,
                          .code = VTS_RPC_ABORTED};

        run.script = (struct toy_script){
            .on_start = start_chat, .on_message = toy_echo, .on_half_close = finish_chat};
        if (i % 3 == 1) {
            run.script.on_message = pause_and_echo;
            run.script.on_writable = resume_chat;
        }
        fail_each_allocation(&run);
    }
}

static void each_get_ends_whatever_allocation_fails(void)
{
    int has_failed = 1;

    for (long count = 0; has_failed; count++) {
        toy_bench_open(&bench, &(struct toy_script){.on_message = answer});
        toy_bench_make_get(&bench, "Read", "encoding=proto&base64=1&message=CgVoZWxsbw&connect=v1");
        (void)vts_mem_fail_after(count);
        toy_bench_begin(&bench);
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        has_failed = vts_mem_fail_after(-1);
        CU_ASSERT(bench.fake.is_over);
        if (!has_failed)
            CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
        toy_bench_close(&bench);
    }
}

static const struct vts_test tests[] = {
    {"each_call_ends_whatever_allocation_fails", each_call_ends_whatever_allocation_fails},
    {"each_stream_ends_whatever_allocation_fails", each_stream_ends_whatever_allocation_fails},
    {"each_get_ends_whatever_allocation_fails", each_get_ends_whatever_allocation_fails},
};

int main(void)
{
    return vts_test_run("test_call_memory", tests, VTS_ARRAY_LEN(tests));
}
