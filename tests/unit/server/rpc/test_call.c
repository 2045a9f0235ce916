/* SPDX-License-Identifier: Apache-2.0 */
/* test_call.c - the life of a call: its events in order, its time, and its end in every way. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "server/rpc/call_parts.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

enum { LARGE_BYTES = 60 * 1000 };

static struct toy_bench bench;

/* Content types for calls of one message, and for streams. */
static const char *const unary_types[] = {
    "application/grpc",
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc-web",
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
    "application/grpc-web-text+json",
    "application/proto",
    "application/json",
};

static const char *const stream_types[] = {
    "application/grpc",          "application/grpc+json",     "application/grpc-web",
    "application/grpc-web+json", "application/grpc-web-text", "application/connect+proto",
    "application/connect+json",
};

/* The exchange closes: the handler hears of the end now, unless it has. */
static void expect_one_end(void)
{
    fake_exchange_close(&bench.fake);
    CU_ASSERT_EQUAL(bench.toy.ends, 1);
    CU_ASSERT_PTR_NULL(bench.toy.call);
}

static void expect_answer(unsigned messages, const char *text, int code)
{
    struct toy_answer answer;

    toy_bench_look(&bench, &answer);
    CU_ASSERT_EQUAL(answer.messages, messages);
    CU_ASSERT_STRING_EQUAL(answer.text, text);
    CU_ASSERT_EQUAL(toy_bench_code(&bench), code);
}

/* ---- the four kinds -------------------------------------------------------------------- */

/* However the bytes are cut. */
static const size_t steps[] = {1, 2, 7, SIZE_MAX};

static void unary_call_is_answered_in_every_dialect(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    for (size_t i = 0; i < VTS_ARRAY_LEN(unary_types) * VTS_ARRAY_LEN(steps); i++) {
        const char *type = unary_types[i / VTS_ARRAY_LEN(steps)];

        toy_bench_start(&bench, "Unary", type);
        bench.step = bench.cap = steps[i % VTS_ARRAY_LEN(steps)];
        if (bench.cap == SIZE_MAX)
            bench.cap = 4096;
        CU_ASSERT(toy_bench_ask(&bench, "hello", 10));
        CU_ASSERT_EQUAL(bench.toy.messages, 0); /* it may not be the only one */
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(bench.toy.messages, 1);
        CU_ASSERT_EQUAL(bench.toy.body_bytes, 10);
        toy_bench_read(&bench);
        expect_answer(1, "hello", VTS_RPC_OK);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "content-type"), type);
        CU_ASSERT_EQUAL(bench.toy.ends, 0);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

static void answer_thrice(struct vts_call *call, const Toy__V1__Ask *ask)
{
    CU_ASSERT_EQUAL(toy_tell(call, ask->text, 0), VTS_OK);
}

static void tell_until_third(struct vts_call *call)
{
    static const char *const texts[] = {"b", "c"};
    unsigned index = toy_of(call)->writables - 1;

    if (index < VTS_ARRAY_LEN(texts) && toy_tell(call, texts[index], 0) == VTS_OK)
        return;
    toy_finish(call);
}

static void server_stream_is_written_as_it_is_read(void)
{
    toy_bench_open(
        &bench, &(struct toy_script){.on_message = answer_thrice, .on_writable = tell_until_third});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types) * 2; i++) {
        toy_bench_start(&bench, "Repeat", stream_types[i / 2]);
        bench.cap = i % 2 == 0 ? 1 : 4096;
        CU_ASSERT(toy_bench_ask(&bench, "a", 0));
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(bench.fake.started_count, 1);
        CU_ASSERT_EQUAL(bench.toy.writables, 0); /* nothing has been taken yet */
        toy_bench_read(&bench);
        expect_answer(3, "a,b,c", VTS_RPC_OK);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

static void client_stream_is_summed_up(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_half_close = toy_sum_up});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types) * 2; i++) {
        toy_bench_start(&bench, "Collect", stream_types[i / 2]);
        bench.step = i % 2 == 0 ? 1 : SIZE_MAX;
        CU_ASSERT_EQUAL(bench.toy.starts, 1);
        CU_ASSERT(toy_bench_ask(&bench, "a", 100));
        CU_ASSERT_EQUAL(bench.toy.messages, 1); /* at once */
        CU_ASSERT(toy_bench_ask(&bench, "b", 11) && toy_bench_ask(&bench, "", 0));
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(bench.toy.body_bytes, 111);
        CU_ASSERT_FALSE(bench.fake.exchange.response.ends_request);
        expect_answer(1, "a,b,", VTS_RPC_OK);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

static void stream_without_messages_is_one(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_half_close = toy_finish});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        toy_bench_start(&bench, "Chat", stream_types[i]);
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        expect_answer(0, "", VTS_RPC_OK);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

static void chat_goes_both_ways_at_once(void)
{
    toy_bench_open(&bench,
                   &(struct toy_script){.on_message = toy_echo, .on_half_close = toy_finish});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        toy_bench_start(&bench, "Chat", stream_types[i]);
        CU_ASSERT_EQUAL(bench.fake.started_count, 0);
        CU_ASSERT(toy_bench_ask(&bench, "a", 0));
        toy_bench_read(&bench);
        CU_ASSERT(bench.fake.is_deferred && bench.fake.body_len > 0);
        CU_ASSERT(toy_bench_ask(&bench, "b", 0));
        CU_ASSERT(!bench.fake.is_deferred);
        toy_bench_read(&bench);
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        expect_answer(2, "a,b", VTS_RPC_OK);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

/* ---- ends by the handler --------------------------------------------------------------- */

static void finish_late(struct vts_call *call)
{
    vts_call_finish(call, VTS_RPC_ABORTED, "here");
    CU_ASSERT(vts_call_is_over(call));
    CU_ASSERT_EQUAL(toy_tell(call, "late", 0), VTS_ERR_CLOSED);
    vts_call_finish(call, VTS_RPC_OK, "no"); /* harmless */
    vts_call_start(call);
    toy_resume(call);
    CU_ASSERT_EQUAL(toy_of(call)->ends, 0); /* it comes later */
}

static void finish_late_on_message(struct vts_call *call, const Toy__V1__Ask *ask)
{
    finish_late(call);
    CU_ASSERT_STRING_EQUAL(ask->text, "a"); /* still there */
}

static void pause_first(struct vts_call *call)
{
    toy_pause(call);
}

static void start_first(struct vts_call *call)
{
    vts_call_start(call);
}

static void handler_may_finish_in_any_event(void)
{
    static const struct toy_script scripts[] = {
        {.on_start = finish_late},
        {.on_message = finish_late_on_message},
        {.on_half_close = finish_late},
        {.on_start = start_first, .on_message = finish_late_on_message},
        {.on_start = start_first, .on_half_close = finish_late},
        {.on_start = start_first, .on_writable = finish_late},
        {.on_start = pause_first, .on_drain = finish_late},
        {.on_start = start_first, .on_drain = finish_late},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(scripts) * VTS_ARRAY_LEN(stream_types); i++) {
        toy_bench_open(&bench, &scripts[i / VTS_ARRAY_LEN(stream_types)]);
        toy_bench_start(&bench, "Chat", stream_types[i % VTS_ARRAY_LEN(stream_types)]);
        toy_bench_read(&bench);
        (void)toy_bench_ask(&bench, "a", 0); /* perhaps for nothing */
        (void)toy_bench_ask(&bench, "b", 0);
        vts_rpc_loop_drain(bench.loop);
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_ABORTED);
        CU_ASSERT_STRING_EQUAL(toy_bench_message(&bench), "here");
        vts_rpc_loop_drain(bench.loop); /* over: nobody hears of it */
        expect_one_end();
        toy_bench_close(&bench);
    }
}

static void handler_of_one_message_may_fail(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = finish_late_on_message});
    for (size_t i = 0; i < VTS_ARRAY_LEN(unary_types); i++) {
        toy_bench_start(&bench, "Unary", unary_types[i]);
        toy_bench_call(&bench, "a");
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_ABORTED);
        CU_ASSERT_STRING_EQUAL(toy_bench_message(&bench), "here");
        CU_ASSERT_EQUAL(bench.fake.started_count, 0); /* all of it at once */
        expect_one_end();
    }
    toy_bench_close(&bench);
}

static void handler_may_answer_later(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(unary_types); i++) {
        toy_bench_start(&bench, "Unary", unary_types[i]);
        toy_bench_call(&bench, "a");
        CU_ASSERT_EQUAL(bench.fake.sent_count + bench.fake.started_count, 0);
        CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "later", 0), VTS_OK);
        CU_ASSERT_EQUAL(bench.fake.started_count, 0); /* the outcome is not known */
        toy_finish(bench.toy.call);
        toy_bench_read(&bench);
        expect_answer(1, "later", VTS_RPC_OK);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

/* ---- ends by others -------------------------------------------------------------------- */

static void client_may_go_at_any_moment(void)
{
    static const char *const methods[] = {"Unary", "Repeat", "Collect", "Chat"};

    toy_bench_open(&bench, &(struct toy_script){.on_writable = start_first});
    for (size_t i = 0; i < VTS_ARRAY_LEN(methods); i++) {
        bool has_start = i >= 2;

        /* Before anything; an end is heard of only after a beginning. */
        toy_bench_start(&bench, methods[i], "application/grpc");
        fake_exchange_close(&bench.fake);
        CU_ASSERT_EQUAL(bench.toy.ends, has_start);
        /* In the middle of a message. */
        toy_bench_start(&bench, methods[i], "application/grpc");
        CU_ASSERT(toy_bench_give_raw(&bench, vts_str_make("\0\0\0\0\5abc", 8)));
        fake_exchange_close(&bench.fake);
        CU_ASSERT_EQUAL(bench.toy.ends, has_start);
        /* After the message, before the end. */
        toy_bench_start(&bench, methods[i], "application/grpc");
        CU_ASSERT(toy_bench_ask(&bench, "a", 0));
        fake_exchange_close(&bench.fake);
        CU_ASSERT_EQUAL(bench.toy.ends, has_start);
        /* While an answer is awaited. */
        toy_bench_start(&bench, methods[i], "application/grpc");
        toy_bench_call(&bench, "a");
        expect_one_end();
        /* While it is on its way. */
        toy_bench_start(&bench, methods[i], "application/grpc");
        toy_bench_call(&bench, "a");
        CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "answer", 100), VTS_OK);
        (void)fake_exchange_read(&bench.fake, 3);
        expect_one_end();
        /* After it. */
        toy_bench_start(&bench, methods[i], "application/grpc");
        toy_bench_call(&bench, "a");
        CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "answer", 100), VTS_OK);
        toy_finish(bench.toy.call);
        toy_bench_read(&bench);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

static void broken_message_ends_a_stream_at_once(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_echo});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        toy_bench_start(&bench, "Chat", stream_types[i]);
        CU_ASSERT(toy_bench_ask(&bench, "a", 0));
        toy_bench_read(&bench);
        (void)toy_bench_give(&bench, 0, vts_str_of("\xff\xff"));
        CU_ASSERT_EQUAL(bench.toy.ends, 1); /* without waiting for the exchange */
        CU_ASSERT_EQUAL(bench.toy.messages, 1);
        toy_bench_read(&bench);
        CU_ASSERT(bench.fake.is_over);
        CU_ASSERT_NOT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
        CU_ASSERT(bench.fake.exchange.response.ends_request);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

/* ---- time ------------------------------------------------------------------------------ */

static void start_with_timeout(const char *method, const char *type, const char *field,
                               const char *timeout)
{
    toy_bench_make(&bench, method, type);
    fake_exchange_add_header(&bench.fake, field, timeout);
    toy_bench_begin(&bench);
}

static void deadline_is_kept_before_during_and_after_the_request(void)
{
    static const char *const methods[] = {"Unary", "Repeat", "Collect", "Chat"};

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(methods) * 3; i++) {
        start_with_timeout(methods[i / 3], "application/grpc", "grpc-timeout", "100m");
        if (i % 3 > 0)
            CU_ASSERT(toy_bench_ask(&bench, "a", 0));
        if (i % 3 > 1)
            toy_bench_end(&bench);
        fake_exchange_move_clock(&bench.fake, INT64_C(99) * VTS_NS_PER_MS);
        CU_ASSERT_EQUAL(bench.fake.sent_count, 0);
        fake_exchange_move_clock(&bench.fake, VTS_NS_PER_MS);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_DEADLINE_EXCEEDED);
        CU_ASSERT_EQUAL(bench.toy.ends, i % 3 > 1 || i >= 6);
        toy_bench_end(&bench);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void deadline_of_connect_is_kept(void)
{
    toy_bench_open(&bench, NULL);
    start_with_timeout("Unary", "application/json", "connect-timeout-ms", "100");
    toy_bench_call(&bench, "a");
    CU_ASSERT_EQUAL(vts_call_timeout_ns(bench.toy.call), INT64_C(100) * VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(vts_call_deadline_ns(bench.toy.call),
                    bench.fake.now_ns + INT64_C(100) * VTS_NS_PER_MS);
    fake_exchange_move_clock(&bench.fake, INT64_C(100) * VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_DEADLINE_EXCEEDED);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 504);
    expect_one_end();
    toy_bench_close(&bench);
}

static void deadline_between_messages_has_an_outcome(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        start_with_timeout("Repeat", stream_types[i],
                           strstr(stream_types[i], "grpc") ? "grpc-timeout" : "connect-timeout-ms",
                           strstr(stream_types[i], "grpc") ? "1S" : "1000");
        toy_bench_call(&bench, "a");
        CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "one", 0), VTS_OK);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "two", 0), VTS_OK); /* is dropped */
        fake_exchange_move_clock(&bench.fake, VTS_NS_PER_S);
        CU_ASSERT_EQUAL(bench.toy.ends, 1);
        toy_bench_read(&bench);
        expect_answer(1, "one", VTS_RPC_DEADLINE_EXCEEDED);
        expect_one_end();
    }
    toy_bench_close(&bench);
}

static void deadline_in_a_message_breaks_it_off(void)
{
    toy_bench_open(&bench, NULL);
    start_with_timeout("Repeat", "application/grpc", "grpc-timeout", "1S");
    toy_bench_call(&bench, "a");
    CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "one", 0), VTS_OK);
    CU_ASSERT_EQUAL(fake_exchange_read(&bench.fake, 6), 6);
    fake_exchange_move_clock(&bench.fake, VTS_NS_PER_S);
    CU_ASSERT_EQUAL(bench.fake.resets_count, 1);
    CU_ASSERT_EQUAL(bench.toy.ends, 1);
    expect_one_end();
    toy_bench_close(&bench);
}

static void timeout_of_nothing_has_passed_already(void)
{
    toy_bench_open(&bench, NULL);
    start_with_timeout("Chat", "application/grpc", "grpc-timeout", "0n");
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_DEADLINE_EXCEEDED);
    CU_ASSERT_EQUAL(bench.toy.starts + bench.toy.ends, 0);
    toy_bench_close(&bench);
}

static void timeout_past_the_end_of_time_is_none(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    start_with_timeout("Unary", "application/grpc", "grpc-timeout", "99999999H");
    toy_bench_call(&bench, "a");
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
    toy_bench_close(&bench);
}

static void single_answer_is_not_awaited_for_ever(void)
{
    static const struct {
        const char *method;
        bool is_bound;
    } rows[] = {{"Unary", true}, {"Collect", true}, {"Repeat", false}, {"Chat", false}};

    toy_bench_open_with(&bench, NULL, "unary_ms=5000", NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows) * 2; i++) {
        /* A later deadline of the client's does not help. */
        if (i % 2 == 0)
            toy_bench_start(&bench, rows[i / 2].method, "application/grpc");
        else
            start_with_timeout(rows[i / 2].method, "application/grpc", "grpc-timeout", "1H");
        fake_exchange_move_clock(&bench.fake, INT64_C(60) * VTS_NS_PER_S);
        CU_ASSERT_EQUAL(bench.fake.sent_count, 0); /* that time is the client's */
        toy_bench_call(&bench, "a");
        fake_exchange_move_clock(&bench.fake, INT64_C(4999) * VTS_NS_PER_MS);
        CU_ASSERT_EQUAL(bench.fake.sent_count, 0);
        fake_exchange_move_clock(&bench.fake, VTS_NS_PER_MS);
        CU_ASSERT_EQUAL(bench.fake.sent_count, rows[i / 2].is_bound);
        expect_one_end();
    }
    CU_ASSERT_EQUAL(atomic_load(&bench.limits.hits[VTS_LIMIT_UNARY_MS]), 4);
    /* The client's own deadline is no limit of ours. */
    start_with_timeout("Unary", "application/grpc", "grpc-timeout", "1S");
    toy_bench_call(&bench, "a");
    fake_exchange_move_clock(&bench.fake, VTS_NS_PER_S);
    expect_one_end();
    CU_ASSERT_EQUAL(atomic_load(&bench.limits.hits[VTS_LIMIT_UNARY_MS]), 4);
    toy_bench_close(&bench);
}

static void keep(struct vts_call *call, const struct Toy__V1__Ask *ask)
{
    (void)ask;
    CU_ASSERT_EQUAL(vts_call_keep(call, 1), VTS_OK);
}

static void call_that_is_kept_has_the_clients_deadline_only(void)
{
    toy_bench_open_with(&bench, &(struct toy_script){.on_message = keep}, "unary_ms=5000", NULL);
    start_with_timeout("Unary", "application/grpc", "grpc-timeout", "8S");
    toy_bench_call(&bench, "a");
    fake_exchange_move_clock(&bench.fake, INT64_C(7999) * VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(bench.fake.sent_count, 0);
    fake_exchange_move_clock(&bench.fake, VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_DEADLINE_EXCEEDED);
    toy_bench_close(&bench);
}

static void body_is_due_where_a_message_is(void)
{
    const bool *is_due = &bench.fake.exchange.is_body_due;

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_echo});
    toy_bench_start(&bench, "Unary", "application/grpc");
    CU_ASSERT(*is_due);
    CU_ASSERT(toy_bench_ask(&bench, "a", 0));
    CU_ASSERT(*is_due); /* its end is */
    toy_bench_end(&bench);
    CU_ASSERT(!*is_due);
    fake_exchange_close(&bench.fake);

    toy_bench_start(&bench, "Chat", "application/grpc");
    CU_ASSERT(!*is_due); /* a stream may be silent */
    CU_ASSERT(toy_bench_give_raw(&bench, vts_str_make("\0\0", 2)));
    CU_ASSERT(*is_due);
    CU_ASSERT(toy_bench_give_raw(&bench, vts_str_make("\0\0\0", 3)));
    CU_ASSERT_EQUAL(bench.toy.messages, 1);
    CU_ASSERT(!*is_due);
    CU_ASSERT(toy_bench_give_raw(&bench, vts_str_make("\0\0\0\0\5ab", 7)));
    toy_pause(bench.toy.call);
    CU_ASSERT(toy_bench_give_raw(&bench, vts_str_make("c", 1)));
    CU_ASSERT(!*is_due); /* the handler keeps it waiting */
    toy_resume(bench.toy.call);
    CU_ASSERT(*is_due);
    vts_call_finish(bench.toy.call, VTS_RPC_OK, NULL);
    CU_ASSERT(!*is_due);
    toy_bench_close(&bench);
}

/* ---- the rest -------------------------------------------------------------------------- */

static void drain_is_told_to_calls_that_are_open(void)
{
    toy_bench_open(&bench, NULL);
    toy_bench_start(&bench, "Repeat", "application/grpc");
    toy_bench_call(&bench, "a");
    vts_rpc_loop_drain(bench.loop);
    CU_ASSERT_EQUAL(bench.toy.drains, 1);
    toy_finish(bench.toy.call);
    vts_rpc_loop_drain(bench.loop);
    CU_ASSERT_EQUAL(bench.toy.drains, 1); /* it is over */
    toy_bench_close(&bench);
}

static void kept_call_goes_on_without_its_request(void)
{
    toy_bench_open(&bench, NULL);
    toy_bench_start(&bench, "Repeat", "application/grpc");
    toy_bench_call(&bench, "a");
    CU_ASSERT_EQUAL(vts_call_keep(bench.toy.call, 1), VTS_OK);
    CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "one", 0), VTS_OK);
    toy_finish(bench.toy.call);
    toy_bench_read(&bench);
    expect_answer(1, "one", VTS_RPC_OK);
    fake_exchange_close(&bench.fake);

    toy_bench_start(&bench, "Repeat", "application/grpc");
    bench.fake.is_full = true;
    toy_bench_call(&bench, "a");
    CU_ASSERT_EQUAL(vts_call_keep(bench.toy.call, 1), VTS_ERR_LIMIT);
    CU_ASSERT_FALSE(vts_call_is_over(bench.toy.call));
    toy_finish(bench.toy.call);
    toy_bench_close(&bench);
}

static void answer_and_look_again(struct vts_call *call, const Toy__V1__Ask *ask)
{
    toy_answer(call, ask);
    CU_ASSERT(vts_call_is_over(call) && strcmp(ask->text, "a") == 0);
}

/* A client that does not read its answer has us keep no more than that. */
static void request_goes_once_the_outcome_is_known(void)
{
    static void (*const answers[])(struct vts_call *,
                                   const Toy__V1__Ask *) = {answer_and_look_again, NULL};

    for (size_t i = 0; i < VTS_ARRAY_LEN(answers); i++) {
        struct vts_call *call;

        toy_bench_open(&bench, &(struct toy_script){.on_message = answers[i]});
        toy_bench_start(&bench, "Unary", "application/grpc");
        CU_ASSERT(toy_bench_ask(&bench, "a", LARGE_BYTES));
        toy_bench_end(&bench);
        call = bench.fake.exchange.user;
        if (answers[i] == NULL) {
            CU_ASSERT(vts_arena_used_bytes(&call->arena) >= LARGE_BYTES);
            CU_ASSERT_EQUAL(toy_tell(call, "late", 0), VTS_OK);
            vts_call_finish(call, VTS_RPC_OK, NULL);
        }
        CU_ASSERT_EQUAL(vts_arena_used_bytes(&call->arena), 0);
        toy_bench_read(&bench);
        expect_answer(1, answers[i] == NULL ? "late" : "a", VTS_RPC_OK);
        toy_bench_close(&bench);
    }
}

/* Of the method in this loop. */
static const struct vts_rpc_counts *counts_of(const char *path)
{
    const struct vts_rpc_method *method = vts_rpc_find_method(bench.rpc, vts_str_of(path));

    return &bench.loop->counts[method - bench.rpc->methods];
}

static void calls_and_messages_are_counted(void)
{
    const struct vts_rpc_counts *counts;

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    for (size_t i = 0; i < VTS_ARRAY_LEN(unary_types); i++) {
        toy_bench_start(&bench, "Unary", unary_types[i]);
        toy_bench_call(&bench, "a");
    }
    toy_bench_start(&bench, "Unary", "application/grpc");
    fake_exchange_close(&bench.fake);
    counts = counts_of("/toy.v1.ToyService/Unary");
    CU_ASSERT_EQUAL(counts->started, VTS_ARRAY_LEN(unary_types) + 1);
    CU_ASSERT_EQUAL(counts->received, VTS_ARRAY_LEN(unary_types));
    CU_ASSERT_EQUAL(counts->sent, VTS_ARRAY_LEN(unary_types));
    CU_ASSERT_EQUAL(counts->handled[VTS_RPC_OK], VTS_ARRAY_LEN(unary_types));
    CU_ASSERT_EQUAL(counts->handled[VTS_RPC_CANCELLED], 1);

    toy_bench_make_get(&bench, "Read", "encoding=proto&message=");
    toy_bench_begin(&bench);
    toy_bench_end(&bench);
    counts = counts_of("/toy.v1.ToyService/Read");
    CU_ASSERT_EQUAL(counts->received, 1);
    CU_ASSERT_EQUAL(counts->handled[VTS_RPC_OK], 1);
    toy_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"unary_call_is_answered_in_every_dialect", unary_call_is_answered_in_every_dialect},
    {"server_stream_is_written_as_it_is_read", server_stream_is_written_as_it_is_read},
    {"client_stream_is_summed_up", client_stream_is_summed_up},
    {"stream_without_messages_is_one", stream_without_messages_is_one},
    {"chat_goes_both_ways_at_once", chat_goes_both_ways_at_once},
    {"handler_may_finish_in_any_event", handler_may_finish_in_any_event},
    {"handler_of_one_message_may_fail", handler_of_one_message_may_fail},
    {"handler_may_answer_later", handler_may_answer_later},
    {"client_may_go_at_any_moment", client_may_go_at_any_moment},
    {"broken_message_ends_a_stream_at_once", broken_message_ends_a_stream_at_once},
    {"deadline_is_kept_before_during_and_after_the_request",
     deadline_is_kept_before_during_and_after_the_request},
    {"deadline_of_connect_is_kept", deadline_of_connect_is_kept},
    {"deadline_between_messages_has_an_outcome", deadline_between_messages_has_an_outcome},
    {"deadline_in_a_message_breaks_it_off", deadline_in_a_message_breaks_it_off},
    {"timeout_of_nothing_has_passed_already", timeout_of_nothing_has_passed_already},
    {"timeout_past_the_end_of_time_is_none", timeout_past_the_end_of_time_is_none},
    {"single_answer_is_not_awaited_for_ever", single_answer_is_not_awaited_for_ever},
    {"call_that_is_kept_has_the_clients_deadline_only",
     call_that_is_kept_has_the_clients_deadline_only},
    {"body_is_due_where_a_message_is", body_is_due_where_a_message_is},
    {"drain_is_told_to_calls_that_are_open", drain_is_told_to_calls_that_are_open},
    {"kept_call_goes_on_without_its_request", kept_call_goes_on_without_its_request},
    {"request_goes_once_the_outcome_is_known", request_goes_once_the_outcome_is_known},
    {"calls_and_messages_are_counted", calls_and_messages_are_counted},
};

int main(void)
{
    return vts_test_run("test_call", tests, VTS_ARRAY_LEN(tests));
}
