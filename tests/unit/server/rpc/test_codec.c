/* SPDX-License-Identifier: Apache-2.0 */
/* test_codec.c - messages in both codecs, and the limits of one. */
#include "server/rpc/codec.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/message_limit.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

enum { ARENA_BYTES = 64 * 1024, BUF_BYTES = 1024, ELEMENTS_MAX = 100 };

static struct toy_bench bench;

static enum vts_err decode(enum vts_codec codec, struct vts_str bytes, struct vts_arena *arena,
                           struct vts_error *error, const Toy__V1__Ask **ret_ask)
{
    const struct vts_rpc_method method = {.input = &toy__v1__ask__descriptor,
                                          .request_max_elements = ELEMENTS_MAX};
    const ProtobufCMessage *message = NULL;
    enum vts_err err = vts_codec_decode(bench.rpc, codec, &method, bytes, arena, error, &message);

    *ret_ask = (const Toy__V1__Ask *)message;
    return err;
}

static const struct {
    enum vts_codec codec;
    const char *bytes;
    size_t len;
} same[] = {
    {VTS_CODEC_PROTO, "\x0a\x02hi\x12\x03\0\1\2\x1a\x02\x05\x07\x22\x03\x0a\x01i", 18},
    {VTS_CODEC_JSON,
     "{\"text\":\"hi\",\"body\":\"AAEC\",\"numbers\":[5,7],\"inner\":{\"text\":\"i\"}}", 64},
};

static void message_is_the_same_in_both_codecs(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(same); i++) {
        struct vts_str bytes = vts_str_make(same[i].bytes, same[i].len);
        struct vts_error error = {.text = ""};
        const Toy__V1__Ask *ask;
        struct vts_arena arena;
        struct vts_buf out;

        vts_arena_init(&arena, ARENA_BYTES);
        CU_ASSERT_EQUAL_FATAL(decode(same[i].codec, bytes, &arena, &error, &ask), VTS_OK);
        CU_ASSERT_STRING_EQUAL(ask->text, "hi");
        CU_ASSERT_EQUAL(ask->body.len, 3);
        CU_ASSERT_EQUAL(ask->n_numbers, 2);
        CU_ASSERT_STRING_EQUAL(ask->inner->text, "i");
        for (size_t j = 0; j < VTS_ARRAY_LEN(same); j++) {
            vts_buf_init(&out, BUF_BYTES);
            CU_ASSERT_EQUAL(vts_codec_encode(bench.rpc, same[j].codec, &ask->base, &out), VTS_OK);
            CU_ASSERT(vts_str_equals(vts_buf_str(&out), vts_str_make(same[j].bytes, same[j].len)));
            vts_buf_fini(&out);
        }
        vts_arena_fini(&arena);
    }
    toy_bench_close(&bench);
}

static void message_that_is_none_is_told_why(void)
{
    static const struct {
        enum vts_codec codec;
        const char *bytes;
        size_t len;
        enum vts_err err;
    } rows[] = {
        {VTS_CODEC_PROTO, "", 0, VTS_OK},
        {VTS_CODEC_PROTO, "\x0a\x02h", 3, VTS_ERR_PROTOCOL},
        {VTS_CODEC_PROTO, "\x0a\x01\xff", 3, VTS_ERR_INVALID},
        {VTS_CODEC_PROTO, "\x0a\x01\0", 3, VTS_ERR_INVALID},
        {VTS_CODEC_PROTO, "\x22\x00\x22\x00", 4, VTS_ERR_INVALID},
        {VTS_CODEC_JSON, "{}", 2, VTS_OK},
        {VTS_CODEC_JSON, "", 0, VTS_ERR_INVALID},
        {VTS_CODEC_JSON, "{\"text\":5}", 10, VTS_ERR_INVALID},
        {VTS_CODEC_JSON, "{\"other\":5}", 11, VTS_ERR_INVALID},
        {VTS_CODEC_JSON, "[]", 2, VTS_ERR_INVALID},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_error error = {.text = ""};
        const Toy__V1__Ask *ask;
        struct vts_arena arena;

        vts_arena_init(&arena, ARENA_BYTES);
        CU_ASSERT_EQUAL(
            decode(rows[i].codec, vts_str_make(rows[i].bytes, rows[i].len), &arena, &error, &ask),
            rows[i].err);
        CU_ASSERT_EQUAL(error.text[0] == '\0', rows[i].err == VTS_OK);
        vts_arena_fini(&arena);
    }
    toy_bench_close(&bench);
}

static void arena_bounds_what_a_message_may_take(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(same); i++) {
        enum vts_err err = VTS_ERR_LIMIT;
        size_t max_bytes = 0;

        toy_bench_open(&bench, NULL);
        for (; err != VTS_OK; max_bytes += 16) {
            struct vts_error error = {.text = ""};
            const Toy__V1__Ask *ask;
            struct vts_arena arena;

            vts_arena_init(&arena, max_bytes);
            err = decode(same[i].codec, vts_str_make(same[i].bytes, same[i].len), &arena, &error,
                         &ask);
            CU_ASSERT(err == VTS_OK || err == VTS_ERR_LIMIT || err == VTS_ERR_NOMEM);
            vts_arena_fini(&arena);
        }
        CU_ASSERT(max_bytes > 2 * sizeof(Toy__V1__Ask) && max_bytes < 1024);
        toy_bench_close(&bench);
    }
}

static void depth_is_bounded_in_both_codecs(void)
{
    static const struct {
        unsigned depth;
        enum vts_err proto;
        enum vts_err json;
    } rows[] = {{31, VTS_OK, VTS_OK},
                {32, VTS_OK, VTS_ERR_LIMIT},
                {61, VTS_OK, VTS_ERR_LIMIT},
                {64, VTS_ERR_LIMIT, VTS_ERR_LIMIT}};

    toy_bench_open_with(&bench, NULL, "message_depth=62", NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        char proto[128];
        char json[1024] = "";
        struct vts_error error = {.text = ""};
        const Toy__V1__Ask *ask;
        struct vts_arena arena;
        size_t left = rows[i].depth < 63 ? rows[i].depth : 63;

        for (size_t j = 0; j < left; j++) {
            proto[2 * j] = 0x22;
            proto[2 * j + 1] = (char)(2 * (left - j - 1));
            memcpy(json + strlen(json), "{\"inner\":", 10);
        }
        memcpy(json + strlen(json), "{}", 3);
        memset(json + strlen(json), '}', left);
        vts_arena_init(&arena, ARENA_BYTES);
        CU_ASSERT_EQUAL(
            decode(VTS_CODEC_PROTO, vts_str_make(proto, 2 * left), &arena, &error, &ask),
            rows[i].proto);
        vts_arena_reset(&arena);
        CU_ASSERT(rows[i].proto == VTS_OK || error.detail == VTS_MESSAGE_LIMIT_DEPTH);
        CU_ASSERT_EQUAL(decode(VTS_CODEC_JSON, vts_str_of(json), &arena, &error, &ask),
                        rows[i].json);
        CU_ASSERT(rows[i].json == VTS_OK || error.detail == VTS_MESSAGE_LIMIT_DEPTH);
        vts_arena_fini(&arena);
    }
    toy_bench_close(&bench);
}

/* A list of so many numbers. JSON counts the message, the list and each number; the scan the
 * numbers. */
static enum vts_err decode_numbers(enum vts_codec codec, size_t count, struct vts_error *error)
{
    const Toy__V1__Ask *ask;
    struct vts_arena arena;
    struct vts_buf bytes;
    enum vts_err err;

    vts_buf_init(&bytes, BUF_BYTES);
    vts_buf_append_text(&bytes, codec == VTS_CODEC_JSON ? "{\"numbers\":[0" : "");
    for (size_t i = codec == VTS_CODEC_JSON ? 1 : 0; i < count; i++)
        vts_buf_append_text(&bytes, codec == VTS_CODEC_JSON ? ",0" : "\x18\x01");
    vts_buf_append_text(&bytes, codec == VTS_CODEC_JSON ? "]}" : "");
    vts_arena_init(&arena, ARENA_BYTES);
    err = decode(codec, vts_buf_str(&bytes), &arena, error, &ask);
    vts_arena_fini(&arena);
    vts_buf_fini(&bytes);
    return err;
}

static void elements_are_bounded_in_both_codecs(void)
{
    static const struct {
        enum vts_codec codec;
        size_t most;
    } rows[] = {{VTS_CODEC_PROTO, ELEMENTS_MAX}, {VTS_CODEC_JSON, ELEMENTS_MAX - 2}};

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_error error = {.text = ""};

        CU_ASSERT_EQUAL(decode_numbers(rows[i].codec, rows[i].most, &error), VTS_OK);
        CU_ASSERT_EQUAL(decode_numbers(rows[i].codec, rows[i].most + 1, &error), VTS_ERR_LIMIT);
        CU_ASSERT_EQUAL(error.detail, VTS_MESSAGE_LIMIT_ELEMENTS);
    }
    toy_bench_close(&bench);
}

static void answer_past_the_buffer_is_refused(void)
{
    Toy__V1__Tell tell = TOY__V1__TELL__INIT;
    struct vts_buf out;

    toy_bench_open(&bench, NULL);
    tell.text = (char *)(uintptr_t) "four";
    for (size_t i = 0; i < VTS_ARRAY_LEN(same); i++) {
        size_t max_bytes = same[i].codec == VTS_CODEC_PROTO ? 6 : 15;

        vts_buf_init(&out, max_bytes);
        CU_ASSERT_EQUAL(vts_codec_encode(bench.rpc, same[i].codec, &tell.base, &out), VTS_OK);
        vts_buf_fini(&out);
        vts_buf_init(&out, max_bytes - 1);
        CU_ASSERT_EQUAL(vts_codec_encode(bench.rpc, same[i].codec, &tell.base, &out),
                        VTS_ERR_LIMIT);
        vts_buf_fini(&out);
    }
    toy_bench_close(&bench);
}

static void codec_without_memory_fails_cleanly(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(same); i++) {
        int has_failed = 1;

        for (long count = 0; has_failed; count++) {
            struct vts_error error = {.text = ""};
            const Toy__V1__Ask *ask;
            struct vts_arena arena;
            struct vts_buf out;
            enum vts_err err;

            vts_arena_init(&arena, ARENA_BYTES);
            vts_buf_init(&out, BUF_BYTES);
            (void)vts_mem_fail_after(count);
            err = decode(same[i].codec, vts_str_make(same[i].bytes, same[i].len), &arena, &error,
                         &ask);
            if (err == VTS_OK)
                err = vts_codec_encode(bench.rpc, same[i].codec, &ask->base, &out);
            has_failed = vts_mem_fail_after(-1);
            CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
            vts_buf_fini(&out);
            vts_arena_fini(&arena);
        }
    }
    toy_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"message_is_the_same_in_both_codecs", message_is_the_same_in_both_codecs},
    {"message_that_is_none_is_told_why", message_that_is_none_is_told_why},
    {"arena_bounds_what_a_message_may_take", arena_bounds_what_a_message_may_take},
    {"depth_is_bounded_in_both_codecs", depth_is_bounded_in_both_codecs},
    {"elements_are_bounded_in_both_codecs", elements_are_bounded_in_both_codecs},
    {"answer_past_the_buffer_is_refused", answer_past_the_buffer_is_refused},
    {"codec_without_memory_fails_cleanly", codec_without_memory_fails_cleanly},
};

int main(void)
{
    return vts_test_run("test_codec", tests, VTS_ARRAY_LEN(tests));
}
