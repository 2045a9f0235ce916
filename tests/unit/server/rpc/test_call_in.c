/* SPDX-License-Identifier: Apache-2.0 */
/* test_call_in.c - requests: pausing and windows, sizes, and bodies that are wrong. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/wire/base64.h"
#include "common/wire/envelope.h"
#include "server/rpc/call_parts.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

enum { STEP_BYTES = 16 * 1024, LARGE_BYTES = 300 * 1024, MAX_BYTES = 1024 * 1024 };

static struct toy_bench bench;

static const char *const stream_types[] = {
    "application/grpc",          "application/grpc+json",     "application/grpc-web",
    "application/grpc-web-text", "application/connect+proto", "application/connect+json",
};

static const char *const single_types[] = {
    "application/grpc",  "application/grpc-web", "application/grpc-web-text",
    "application/proto", "application/json",
};

/* All that was given is either kept, with its account open, or given back. */
static void expect_all_released(void)
{
    CU_ASSERT_EQUAL(bench.fake.released_bytes, bench.fake.given_bytes);
}

static struct vts_buf gzip_of(struct vts_str bytes)
{
    struct vts_gzip gzip;
    struct vts_buf packed;

    vts_gzip_init(&gzip);
    vts_buf_init(&packed, MAX_BYTES);
    CU_ASSERT_EQUAL_FATAL(vts_gzip_deflate(&gzip, bytes, &packed), VTS_OK);
    vts_gzip_fini(&gzip);
    return packed;
}

/* ---- pausing and the window -------------------------------------------------------------------
 */

static void pause_on_message(struct vts_call *call, const Toy__V1__Ask *ask)
{
    (void)ask;
    toy_pause(call);
}

static void paused_call_gets_nothing_until_it_resumes(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = pause_on_message});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types) * 2; i++) {
        toy_bench_start(&bench, "Chat", stream_types[i / 2]);
        bench.step = i % 2 == 0 ? 1 : SIZE_MAX;
        CU_ASSERT(toy_bench_ask(&bench, "a", 0) && toy_bench_ask(&bench, "b", 0) &&
                  toy_bench_ask(&bench, "c", 0));
        toy_bench_end(&bench);
        for (unsigned messages = 1; messages <= 3; messages++) {
            CU_ASSERT_EQUAL(bench.toy.messages, messages);
            CU_ASSERT_EQUAL(bench.toy.half_closes, 0);
            toy_resume(bench.toy.call);
        }
        CU_ASSERT_EQUAL(bench.toy.half_closes, 1);
        CU_ASSERT_STRING_EQUAL(bench.toy.text, "a,b,c");
        expect_all_released();
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void end_of_the_body_waits_for_a_paused_call(void)
{
    toy_bench_open(&bench, NULL);
    toy_bench_start(&bench, "Chat", "application/grpc");
    toy_pause(bench.toy.call);
    toy_bench_end(&bench);
    CU_ASSERT_EQUAL(bench.toy.half_closes, 0);
    toy_resume(bench.toy.call);
    CU_ASSERT_EQUAL(bench.toy.half_closes, 1);
    toy_resume(bench.toy.call); /* harmless */
    CU_ASSERT_EQUAL(bench.toy.half_closes, 1);
    toy_bench_close(&bench);
}

static void pause_and_resume(struct vts_call *call, const Toy__V1__Ask *ask)
{
    (void)ask;
    toy_pause(call);
    toy_resume(call);
    CU_ASSERT_EQUAL(toy_of(call)->half_closes, 0); /* not from within */
}

static void resume_within_a_message_goes_on_behind_it(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = pause_and_resume});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        toy_bench_start(&bench, "Chat", stream_types[i]);
        CU_ASSERT(toy_bench_ask(&bench, "a", 0) && toy_bench_ask(&bench, "b", 0));
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(bench.toy.messages, 2);
        CU_ASSERT_EQUAL(bench.toy.half_closes, 1);
        expect_all_released();
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

/* The client floods; what is kept of it never exceeds the window. */
static void paused_call_holds_its_client_back(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        toy_bench_start(&bench, "Chat", stream_types[i]);
        bench.step = STEP_BYTES;
        toy_pause(bench.toy.call);
        CU_ASSERT(!toy_bench_ask(&bench, "a", LARGE_BYTES));
        CU_ASSERT_EQUAL(fake_exchange_window(&bench.fake), 0);
        CU_ASSERT_EQUAL(bench.fake.consumed_bytes, 0);
        CU_ASSERT_EQUAL(bench.fake.given_bytes, FAKE_WINDOW_BYTES);
        toy_resume(bench.toy.call);
        CU_ASSERT_EQUAL(fake_exchange_window(&bench.fake), FAKE_WINDOW_BYTES);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static unsigned asked;

static void resume_when_written(struct vts_call *call)
{
    toy_resume(call);
}

static void echo_and_pause(struct vts_call *call, const Toy__V1__Ask *ask)
{
    toy_echo(call, ask);
    toy_pause(call);
    asked++;
}

/* A reader that is slow holds back the handler, and the handler its client. */
static void slow_reader_holds_back_the_writer(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = echo_and_pause,
                                                .on_writable = resume_when_written,
                                                .on_half_close = toy_finish});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        struct toy_answer answer;

        asked = 0;
        toy_bench_start(&bench, "Chat", stream_types[i]);
        for (int j = 0; j < 5; j++)
            CU_ASSERT(toy_bench_ask(&bench, "m", 100));
        CU_ASSERT_EQUAL(asked, 1);
        CU_ASSERT(fake_exchange_read(&bench.fake, 50) == 50);
        CU_ASSERT_EQUAL(asked, 1);
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(asked, 5);
        toy_bench_look(&bench, &answer);
        CU_ASSERT_STRING_EQUAL(answer.text, "m,m,m,m,m");
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
        expect_all_released();
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void large_messages_pass_the_window(void)
{
    static const size_t steps[] = {1000, STEP_BYTES, SIZE_MAX};

    toy_bench_open(&bench, &(struct toy_script){.on_half_close = toy_sum_up});
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types) * VTS_ARRAY_LEN(steps); i++) {
        toy_bench_start(&bench, "Collect", stream_types[i / VTS_ARRAY_LEN(steps)]);
        bench.step = steps[i % VTS_ARRAY_LEN(steps)];
        CU_ASSERT(toy_bench_ask(&bench, "a", LARGE_BYTES) && toy_bench_ask(&bench, "b", 5) &&
                  toy_bench_ask(&bench, "c", LARGE_BYTES));
        CU_ASSERT_EQUAL(bench.toy.messages, 3);
        CU_ASSERT_EQUAL(bench.toy.body_bytes, 2 * LARGE_BYTES + 5);
        expect_all_released();
        fake_exchange_close(&bench.fake);
    }
    for (size_t i = 0; i < VTS_ARRAY_LEN(single_types); i++) {
        toy_bench_start(&bench, "Unary", single_types[i]);
        CU_ASSERT(toy_bench_ask(&bench, "a", LARGE_BYTES));
        /* It is counted until the client has said all. */
        CU_ASSERT(bench.fake.given_bytes - bench.fake.released_bytes >= LARGE_BYTES);
        CU_ASSERT(fake_exchange_window(&bench.fake) > FAKE_WINDOW_BYTES / 2);
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(bench.toy.body_bytes, LARGE_BYTES);
        expect_all_released();
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

/* What comes after the outcome is thrown away, and its room given back. */
static void body_behind_the_outcome_is_thrown_away(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        toy_bench_start(&bench, "Chat", stream_types[i]);
        CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "held", 0), VTS_OK);
        toy_finish(bench.toy.call); /* the response is not read, and so goes on */
        bench.step = 5000;
        CU_ASSERT(toy_bench_ask(&bench, "a", LARGE_BYTES));
        CU_ASSERT_EQUAL(bench.toy.messages, 0);
        expect_all_released();
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

/* ---- sizes ------------------------------------------------------------------------------------
 */

/* An Ask of just that many bytes. */
static struct vts_buf ask_of(size_t bytes)
{
    struct vts_buf payload;
    size_t body_bytes = bytes;

    do {
        vts_buf_init(&payload, (size_t)2 * MAX_BYTES);
        toy_bench_encode(&bench, "", body_bytes, &payload);
        body_bytes--;
        if (payload.len <= bytes)
            return payload;
        vts_buf_fini(&payload);
    } while (true);
}

static void message_at_the_limit_passes_and_one_past_it_does_not(void)
{
    toy_bench_open_with(&bench, &(struct toy_script){.on_message = toy_answer},
                        "message_bytes=5000", NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(single_types) * 4; i++) {
        const char *method = i % 4 < 2 ? "Unary" : "Small";
        size_t max = i % 4 < 2 ? 5000 : TOY_SMALL_MAX_BYTES;
        bool is_past = i % 2 == 1;
        struct vts_buf payload;
        char text[64];

        toy_bench_start(&bench, method, single_types[i / 4]);
        if (bench.is_json)
            continue; /* its bytes come by fours */
        payload = ask_of(max + is_past);
        CU_ASSERT_EQUAL(payload.len, max + is_past);
        (void)toy_bench_give(&bench, 0, vts_buf_str(&payload));
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), is_past ? VTS_RPC_RESOURCE_EXHAUSTED : VTS_RPC_OK);
        (void)snprintf(text, sizeof(text), "%zu bytes; the maximum is %zu", max + 1, max);
        CU_ASSERT_EQUAL(strstr(toy_bench_message(&bench), text) != NULL, is_past);
        vts_buf_fini(&payload);
    }
    CU_ASSERT_EQUAL(bench.limits.hits[VTS_LIMIT_MESSAGE_BYTES], 8);
    toy_bench_close(&bench);
}

static void json_past_the_limit_is_refused(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    toy_bench_start(&bench, "Small", "application/json");
    (void)toy_bench_ask(&bench, "", TOY_SMALL_MAX_BYTES);
    toy_bench_end(&bench);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 429);
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_RESOURCE_EXHAUSTED);
    CU_ASSERT_PTR_NOT_NULL(strstr(toy_bench_message(&bench), "the maximum is 64"));
    toy_bench_close(&bench);
}

static void announced_size_is_judged_before_it_comes(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        toy_bench_start(&bench, "Chat", stream_types[i]);
        CU_ASSERT(toy_bench_give_raw(&bench, vts_str_make("\0\xff\xff\xff\xff\0", 6)));
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_RESOURCE_EXHAUSTED);
        CU_ASSERT_STRING_EQUAL(toy_bench_message(&bench),
                               "the message has 4294967295 bytes; the maximum is 1048576");
        expect_all_released();
    }
    toy_bench_close(&bench);
}

static void start_compressed(const char *method, const char *type)
{
    toy_bench_make(&bench, method, type);
    fake_exchange_add_header(&bench.fake,
                             strstr(type, "grpc")      ? "grpc-encoding"
                             : strstr(type, "connect") ? "connect-content-encoding"
                                                       : "content-encoding",
                             "gzip");
    toy_bench_begin(&bench);
}

static void compressed_messages_are_inflated(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types) + VTS_ARRAY_LEN(single_types); i++) {
        bool is_stream = i < VTS_ARRAY_LEN(stream_types);
        struct vts_buf payload;
        struct vts_buf packed;

        start_compressed(is_stream ? "Chat" : "Unary",
                         is_stream ? stream_types[i]
                                   : single_types[i - VTS_ARRAY_LEN(stream_types)]);
        vts_buf_init(&payload, MAX_BYTES);
        toy_bench_encode(&bench, "packed", 3000, &payload);
        packed = gzip_of(vts_buf_str(&payload));
        CU_ASSERT(packed.len < payload.len);
        CU_ASSERT(toy_bench_give(&bench, VTS_ENVELOPE_COMPRESSED, vts_buf_str(&packed)));
        if (is_stream) { /* plain ones may come between */
            CU_ASSERT(vts_call_was_compressed(bench.toy.call));
            CU_ASSERT(toy_bench_ask(&bench, "plain", 0));
            CU_ASSERT(!vts_call_was_compressed(bench.toy.call));
        }
        toy_bench_end(&bench);
        CU_ASSERT_STRING_EQUAL(bench.toy.text, is_stream ? "packed,plain" : "packed");
        CU_ASSERT_EQUAL(bench.toy.body_bytes, 3000);
        CU_ASSERT_EQUAL(vts_call_was_compressed(bench.toy.call), !is_stream);
        vts_buf_fini(&packed);
        vts_buf_fini(&payload);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void empty_body_is_an_empty_message_whatever_its_encoding(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    start_compressed("Unary", "application/proto");
    toy_bench_end(&bench);
    toy_bench_read(&bench);
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
    CU_ASSERT_EQUAL(bench.toy.messages, 1);
    toy_bench_close(&bench);
}

static void message_that_inflates_past_the_limit_is_refused(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(single_types); i++) {
        char zeros[TOY_SMALL_MAX_BYTES + 1] = {0};
        struct vts_buf packed = gzip_of(vts_str_make(zeros, sizeof(zeros)));

        start_compressed("Small", single_types[i]);
        (void)toy_bench_give(&bench, VTS_ENVELOPE_COMPRESSED, vts_buf_str(&packed));
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_RESOURCE_EXHAUSTED);
        CU_ASSERT_PTR_NOT_NULL(strstr(toy_bench_message(&bench), "the maximum is 64"));
        vts_buf_fini(&packed);
    }
    toy_bench_close(&bench);
}

/* 60 bytes of memory for each byte: the arena's budget ends it. */
static void message_of_too_much_memory_is_refused(void)
{
    char bytes[TOY_SMALL_MAX_BYTES];

    toy_bench_open_with(&bench, &(struct toy_script){.on_message = toy_answer},
                        "message_bytes=20000,message_elements=1000000", NULL);
    for (size_t i = 0; i < 2; i++) {
        struct vts_buf payload;

        toy_bench_start(&bench, "Unary", "application/grpc");
        vts_buf_init(&payload, MAX_BYTES);
        for (size_t j = 0; j < (i == 0 ? 1000 : 10000); j++)
            vts_buf_append(&payload, "\x78\x01", 2); /* an unknown field */
        CU_ASSERT(toy_bench_give(&bench, 0, vts_buf_str(&payload)));
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), i == 0 ? VTS_RPC_OK : VTS_RPC_RESOURCE_EXHAUSTED);
        vts_buf_fini(&payload);
    }
    CU_ASSERT_PTR_NOT_NULL(strstr(toy_bench_message(&bench), "160000 bytes of memory"));
    /* The budget of small methods does for their messages. */
    toy_bench_start(&bench, "Small", "application/grpc");
    for (size_t j = 0; j < sizeof(bytes); j += 2)
        memcpy(bytes + j, "\x78\x01", 2);
    CU_ASSERT(toy_bench_give(&bench, 0, vts_str_make(bytes, sizeof(bytes))));
    toy_bench_end(&bench);
    toy_bench_read(&bench);
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
    toy_bench_close(&bench);
}

static void limits_of_a_message_are_counted_each_by_itself(void)
{
    static const struct {
        const char *type;
        const char *body;
        enum vts_limit limit;
    } rows[] = {
        {"application/proto", "\x18\x01\x18\x01\x18\x01\x18\x01\x18\x01",
         VTS_LIMIT_MESSAGE_ELEMENTS},
        {"application/json", "{\"numbers\":[1,2,3]}", VTS_LIMIT_MESSAGE_ELEMENTS},
        {"application/proto", "\x22\x04\x22\x02\x22", VTS_LIMIT_MESSAGE_DEPTH},
        {"application/json", "{\"inner\":{\"inner\":{}}}", VTS_LIMIT_MESSAGE_DEPTH},
    };

    toy_bench_open_with(&bench, NULL, "message_elements=4,message_depth=2", NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        /* The empty innermost message's length is the NUL. */
        size_t len = strlen(rows[i].body) + (rows[i].body[0] == 0x22 ? 1 : 0);
        uint64_t before = bench.limits.hits[rows[i].limit];

        toy_bench_start(&bench, "Unary", rows[i].type);
        CU_ASSERT(toy_bench_give(&bench, 0, vts_str_make(rows[i].body, len)));
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_RESOURCE_EXHAUSTED);
        CU_ASSERT_EQUAL(bench.limits.hits[rows[i].limit], before + 1);
    }
    CU_ASSERT_EQUAL(bench.limits.hits[VTS_LIMIT_MESSAGE_BYTES], 0);
    toy_bench_close(&bench);
}

/* ---- what is wrong ----------------------------------------------------------------------------
 */

struct wrong {
    const char *type;
    int code;
};

/* Gives the pieces of a body to each type's method and looks at the outcome. */
static void expect_codes(const char *method, const struct wrong *rows, size_t count, uint8_t flags,
                         struct vts_str payload)
{
    toy_bench_open(&bench,
                   &(struct toy_script){.on_message = toy_echo, .on_half_close = toy_finish});
    for (size_t i = 0; i < count; i++) {
        toy_bench_start(&bench, method, rows[i].type);
        (void)toy_bench_give(&bench, flags, payload);
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), rows[i].code);
        CU_ASSERT_EQUAL(bench.toy.messages, 0);
        CU_ASSERT_EQUAL(bench.fake.resets_count, 0);
        CU_ASSERT_STRING_NOT_EQUAL(toy_bench_message(&bench), "(none)");
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void payload_that_does_not_parse_has_each_dialects_code(void)
{
    static const struct wrong proto[] = {
        {"application/grpc", VTS_RPC_INTERNAL},
        {"application/grpc-web", VTS_RPC_INTERNAL},
        {"application/grpc-web-text", VTS_RPC_INTERNAL},
        {"application/proto", VTS_RPC_INVALID_ARGUMENT},
        {"application/grpc+json", VTS_RPC_INVALID_ARGUMENT},
        {"application/grpc-web+json", VTS_RPC_INVALID_ARGUMENT},
        {"application/json", VTS_RPC_INVALID_ARGUMENT},
    };
    static const struct wrong streams[] = {
        {"application/grpc", VTS_RPC_INTERNAL},
        {"application/connect+proto", VTS_RPC_INVALID_ARGUMENT},
        {"application/connect+json", VTS_RPC_INVALID_ARGUMENT},
    };

    expect_codes("Unary", proto, VTS_ARRAY_LEN(proto), 0, vts_str_of("\x0a\x7f"));
    expect_codes("Chat", streams, VTS_ARRAY_LEN(streams), 0, vts_str_of("\x0a\x7f"));
}

static void text_that_is_no_utf8_is_the_callers_fault(void)
{
    static const struct wrong rows[] = {
        {"application/grpc", VTS_RPC_INVALID_ARGUMENT},
        {"application/grpc-web", VTS_RPC_INVALID_ARGUMENT},
        {"application/proto", VTS_RPC_INVALID_ARGUMENT},
    };

    expect_codes("Unary", rows, VTS_ARRAY_LEN(rows), 0, vts_str_of("\x0a\x01\xff"));
    expect_codes("Unary", rows, VTS_ARRAY_LEN(rows), 0, vts_str_make("\x0a\x01\0", 3));
}

static void deep_and_crowded_messages_are_refused(void)
{
    static const struct wrong rows[] = {{"application/grpc", VTS_RPC_RESOURCE_EXHAUSTED},
                                        {"application/proto", VTS_RPC_RESOURCE_EXHAUSTED}};
    struct vts_buf payload;

    vts_buf_init(&payload, MAX_BYTES);
    vts_buf_append(&payload, "\x22\x80\x01", 3);
    for (int depth = 64; depth > 0; depth--) /* inner of inner of inner */
        vts_buf_append(&payload, (char[]){0x22, (char)(2 * depth - 2)}, 2);
    expect_codes("Unary", rows, VTS_ARRAY_LEN(rows), 0, vts_str_make(payload.ptr, payload.len));
    vts_buf_fini(&payload);
    for (int i = 0; i < 10001; i++)
        vts_buf_append(&payload, "\x18\x01", 2);
    expect_codes("Unary", rows, VTS_ARRAY_LEN(rows), 0, vts_buf_str(&payload));
    vts_buf_fini(&payload);
}

static const struct wrong internal_everywhere[] = {
    {"application/grpc", VTS_RPC_INTERNAL},
    {"application/grpc-web", VTS_RPC_INTERNAL},
    {"application/grpc-web-text", VTS_RPC_INTERNAL},
    {"application/connect+proto", VTS_RPC_INTERNAL},
    {"application/connect+json", VTS_RPC_INTERNAL},
};

static void compressed_bit_without_an_encoding_is_internal(void)
{
    expect_codes("Chat", internal_everywhere, VTS_ARRAY_LEN(internal_everywhere),
                 VTS_ENVELOPE_COMPRESSED, vts_str_of(""));
}

static void flags_that_mean_nothing_are_internal(void)
{
    static const uint8_t flags[] = {0x02, 0x03, 0x04, 0x80, 0x81, 0xff};

    for (size_t i = 0; i < VTS_ARRAY_LEN(flags); i++)
        expect_codes("Chat", internal_everywhere, VTS_ARRAY_LEN(internal_everywhere), flags[i],
                     vts_str_of("{}"));
}

static void body_that_ends_in_a_message_is_refused(void)
{
    static const struct wrong rows[] = {
        {"application/grpc", VTS_RPC_INTERNAL},
        {"application/grpc-web", VTS_RPC_INTERNAL},
        {"application/grpc-web-text", VTS_RPC_INTERNAL},
        {"application/connect+proto", VTS_RPC_INVALID_ARGUMENT},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows) * 2; i++) {
        toy_bench_start(&bench, "Chat", rows[i / 2].type);
        CU_ASSERT(toy_bench_give_raw(&bench, vts_str_make("\0\0\0\0\5abc", i % 2 == 0 ? 8 : 3)));
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), rows[i / 2].code);
        CU_ASSERT_EQUAL(bench.toy.ends, 1);
    }
    toy_bench_close(&bench);
}

static void number_of_messages_is_one_where_it_must_be(void)
{
    static const char *const types[] = {"application/grpc", "application/grpc-web",
                                        "application/grpc-web-text", "application/connect+proto"};

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_echo});
    for (size_t i = 0; i < VTS_ARRAY_LEN(types); i++) {
        for (int count = 0; count <= 2; count += 2) {
            toy_bench_start(&bench, "Repeat", types[i]);
            for (int j = 0; j < count; j++)
                (void)toy_bench_ask(&bench, "a", 0);
            toy_bench_end(&bench);
            toy_bench_read(&bench);
            CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_UNIMPLEMENTED);
            CU_ASSERT_EQUAL(bench.toy.messages, 0);
        }
    }
    toy_bench_close(&bench);
}

static void compressed_rubbish_has_each_dialects_code(void)
{
    static const struct wrong rows[] = {
        {"application/grpc", VTS_RPC_INTERNAL},
        {"application/grpc-web", VTS_RPC_INTERNAL},
        {"application/proto", VTS_RPC_INVALID_ARGUMENT},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        start_compressed("Unary", rows[i].type);
        CU_ASSERT(toy_bench_give(&bench, VTS_ENVELOPE_COMPRESSED, vts_str_of("rubbish")));
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), rows[i].code);
        CU_ASSERT_EQUAL(bench.toy.messages, 0);
    }
    toy_bench_close(&bench);
}

/* ---- base64 -----------------------------------------------------------------------------------
 */

static int code_of_text(const char *text, size_t step)
{
    toy_bench_start(&bench, "Unary", "application/grpc-web-text");
    (void)fake_exchange_give(&bench.fake, vts_str_of(text), step);
    toy_bench_end(&bench);
    toy_bench_read(&bench);
    return toy_bench_code(&bench);
}

static void text_may_come_in_padded_pieces(void)
{
    static const struct {
        const char *text;
        int code;
    } rows[] = {
        {"AAAAAAMKAWE=", VTS_RPC_OK}, /* an envelope of "\n\1a" */
        {"AAAAAAM=CgFh", VTS_RPC_OK}, /* padded in the middle */
        {"AA==AA==AA==AAMKAWE=", VTS_RPC_OK},
        {"AAAAAAMKAWE", VTS_RPC_INTERNAL},   /* the last piece is not whole */
        {"AAAAAAMKAWF=", VTS_RPC_INTERNAL},  /* bits behind the last byte */
        {"AAAA AAMKAWE=", VTS_RPC_INTERNAL}, /* a blank */
        {"AAAAAAMK====", VTS_RPC_INTERNAL},
        {"A", VTS_RPC_INTERNAL},
        {"", VTS_RPC_UNIMPLEMENTED}, /* no message */
    };

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        for (size_t step = 1; step <= 21; step += 4) {
            CU_ASSERT_EQUAL(code_of_text(rows[i].text, step), rows[i].code);
            CU_ASSERT_STRING_EQUAL(bench.toy.text, rows[i].code == VTS_RPC_OK ? "a" : "");
        }
    toy_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"paused_call_gets_nothing_until_it_resumes", paused_call_gets_nothing_until_it_resumes},
    {"end_of_the_body_waits_for_a_paused_call", end_of_the_body_waits_for_a_paused_call},
    {"resume_within_a_message_goes_on_behind_it", resume_within_a_message_goes_on_behind_it},
    {"paused_call_holds_its_client_back", paused_call_holds_its_client_back},
    {"slow_reader_holds_back_the_writer", slow_reader_holds_back_the_writer},
    {"large_messages_pass_the_window", large_messages_pass_the_window},
    {"body_behind_the_outcome_is_thrown_away", body_behind_the_outcome_is_thrown_away},
    {"message_at_the_limit_passes_and_one_past_it_does_not",
     message_at_the_limit_passes_and_one_past_it_does_not},
    {"json_past_the_limit_is_refused", json_past_the_limit_is_refused},
    {"announced_size_is_judged_before_it_comes", announced_size_is_judged_before_it_comes},
    {"compressed_messages_are_inflated", compressed_messages_are_inflated},
    {"empty_body_is_an_empty_message_whatever_its_encoding",
     empty_body_is_an_empty_message_whatever_its_encoding},
    {"message_that_inflates_past_the_limit_is_refused",
     message_that_inflates_past_the_limit_is_refused},
    {"limits_of_a_message_are_counted_each_by_itself",
     limits_of_a_message_are_counted_each_by_itself},
    {"message_of_too_much_memory_is_refused", message_of_too_much_memory_is_refused},
    {"payload_that_does_not_parse_has_each_dialects_code",
     payload_that_does_not_parse_has_each_dialects_code},
    {"text_that_is_no_utf8_is_the_callers_fault", text_that_is_no_utf8_is_the_callers_fault},
    {"deep_and_crowded_messages_are_refused", deep_and_crowded_messages_are_refused},
    {"compressed_bit_without_an_encoding_is_internal",
     compressed_bit_without_an_encoding_is_internal},
    {"flags_that_mean_nothing_are_internal", flags_that_mean_nothing_are_internal},
    {"body_that_ends_in_a_message_is_refused", body_that_ends_in_a_message_is_refused},
    {"number_of_messages_is_one_where_it_must_be", number_of_messages_is_one_where_it_must_be},
    {"compressed_rubbish_has_each_dialects_code", compressed_rubbish_has_each_dialects_code},
    {"text_may_come_in_padded_pieces", text_may_come_in_padded_pieces},
};

int main(void)
{
    return vts_test_run("test_call_in", tests, VTS_ARRAY_LEN(tests));
}
