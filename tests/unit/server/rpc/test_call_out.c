/* SPDX-License-Identifier: Apache-2.0 */
/* test_call_out.c - answers: what is sent when, in which pieces, compressed or not, with what
 * metadata. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/wire/envelope.h"
#include "server/rpc/call_parts.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

static struct toy_bench bench;

static const char *const stream_types[] = {
    "application/grpc",          "application/grpc+json",          "application/grpc-web",
    "application/grpc-web-text", "application/grpc-web-text+json", "application/connect+proto",
    "application/connect+json",
};

static const char *const unary_types[] = {
    "application/grpc",          "application/grpc+json", "application/grpc-web",
    "application/grpc-web-text", "application/proto",     "application/json",
};

/* A call whose handler waits for the test. */
static struct vts_call *begin(const char *method, const char *type)
{
    toy_bench_start(&bench, method, type);
    CU_ASSERT(toy_bench_ask(&bench, "a", 0));
    toy_bench_end(&bench);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench.toy.call);
    return bench.toy.call;
}

static struct vts_call *begin_with(const char *method, const char *type, const char *name,
                                   const char *value)
{
    toy_bench_make(&bench, method, type);
    fake_exchange_add_header(&bench.fake, name, value);
    toy_bench_begin(&bench);
    CU_ASSERT(toy_bench_ask(&bench, "a", 0));
    toy_bench_end(&bench);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench.toy.call);
    return bench.toy.call;
}

static const char *accept_field(const char *type)
{
    return strstr(type, "grpc")      ? "grpc-accept-encoding"
           : strstr(type, "connect") ? "connect-accept-encoding"
                                     : "accept-encoding";
}

static const char *encoding_field(const char *type)
{
    return strstr(type, "grpc")      ? "grpc-encoding"
           : strstr(type, "connect") ? "connect-content-encoding"
                                     : "content-encoding";
}

/* ---- when -------------------------------------------------------------------------------------
 */

static void stream_takes_one_message_at_a_time(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        struct vts_call *call = begin("Repeat", stream_types[i]);
        struct toy_answer answer;

        CU_ASSERT(vts_call_can_send(call));
        CU_ASSERT_EQUAL(toy_tell(call, "one", 0), VTS_OK);
        CU_ASSERT_EQUAL(bench.fake.started_count, 1); /* nothing is held back */
        CU_ASSERT(!vts_call_can_send(call));
        CU_ASSERT_EQUAL(toy_tell(call, "two", 0), VTS_ERR_AGAIN);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_tell(call, "three", 0), VTS_OK);
        toy_finish(call); /* what was sent before still goes out */
        CU_ASSERT(!vts_call_can_send(call));
        CU_ASSERT_EQUAL(toy_tell(call, "four", 0), VTS_ERR_CLOSED);
        toy_bench_read(&bench);
        toy_bench_look(&bench, &answer);
        CU_ASSERT_STRING_EQUAL(answer.text, "one,three");
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void single_answer_is_held_until_the_outcome(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(unary_types); i++) {
        struct vts_call *call = begin("Unary", unary_types[i]);

        CU_ASSERT_EQUAL(toy_tell(call, "one", 0), VTS_OK);
        CU_ASSERT_EQUAL(toy_tell(call, "two", 0), VTS_ERR_INVALID);
        vts_call_start(call); /* not for this kind */
        CU_ASSERT_EQUAL(bench.fake.started_count + bench.fake.sent_count, 0);
        /* It is not told when the outcome is a failure. */
        vts_call_finish(call, VTS_RPC_DATA_LOSS, "lost");
        CU_ASSERT_EQUAL(bench.fake.started_count, 0);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_DATA_LOSS);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void success_without_the_answer_is_none(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(unary_types); i++) {
        toy_finish(begin("Unary", unary_types[i]));
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_INTERNAL);
        CU_ASSERT_STRING_EQUAL(toy_bench_message(&bench), "the method gave no answer");
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void head_may_go_before_the_first_message(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        struct vts_call *call = begin("Repeat", stream_types[i]);

        CU_ASSERT_EQUAL(vts_call_add_header(call, "x-a", vts_str_of("1")), VTS_OK);
        vts_call_start(call);
        vts_call_start(call); /* harmless */
        CU_ASSERT_EQUAL(bench.fake.started_count, 1);
        CU_ASSERT_EQUAL(vts_call_add_header(call, "x-b", vts_str_of("2")), VTS_ERR_INVALID);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "x-a"), "1");
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(bench.fake.body_len, 0);
        vts_call_finish(call, VTS_RPC_ABORTED, "enough");
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_ABORTED);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void tell_on_writable(struct vts_call *call)
{
    if (toy_of(call)->writables <= 3)
        CU_ASSERT_EQUAL(toy_tell(call, "w", 0), VTS_OK);
}

static void writable_is_told_when_a_message_is_gone(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_writable = tell_on_writable});
    CU_ASSERT_EQUAL(toy_tell(begin("Repeat", "application/grpc"), "first", 100), VTS_OK);
    (void)fake_exchange_read(&bench.fake, 50);
    CU_ASSERT_EQUAL(bench.toy.writables, 0);
    toy_bench_read(&bench);
    CU_ASSERT(bench.toy.writables >= 4); /* after each of them, and until nothing comes */
    CU_ASSERT(bench.fake.is_deferred);
    toy_finish(bench.toy.call);
    CU_ASSERT(!bench.fake.is_deferred);
    toy_bench_read(&bench);
    CU_ASSERT(bench.fake.is_over);
    toy_bench_close(&bench);
}

static void any_size_of_the_pieces_gives_the_same(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        static char whole[FAKE_BODY_MAX_BYTES];
        size_t whole_len = 0;

        for (size_t cap = 20000; cap > 0; cap /= 5) {
            struct vts_call *call = begin("Repeat", stream_types[i]);

            bench.cap = cap;
            CU_ASSERT_EQUAL(toy_tell(call, "one", 10000), VTS_OK);
            toy_bench_read(&bench);
            CU_ASSERT_EQUAL(toy_tell(call, "two", 1), VTS_OK);
            vts_call_finish(call, VTS_RPC_NOT_FOUND, "and no more");
            toy_bench_read(&bench);
            CU_ASSERT(bench.fake.is_over);
            if (whole_len == 0) {
                whole_len = bench.fake.body_len;
                memcpy(whole, bench.fake.body, whole_len);
            }
            CU_ASSERT_EQUAL(bench.fake.body_len, whole_len);
            CU_ASSERT_EQUAL(memcmp(bench.fake.body, whole, whole_len), 0);
            fake_exchange_close(&bench.fake);
        }
    }
    toy_bench_close(&bench);
}

/* ---- encoded messages --------------------------------------------------------------------------
 */

static unsigned released;

static void count_release(void *owner)
{
    CU_ASSERT_PTR_EQUAL(owner, &released);
    released++;
}

/* A Tell of "xxxx" and as many bytes, in three pieces. */
static struct vts_encoded make_encoded(void)
{
    struct vts_encoded encoded = {.lead = "\x0a\x04xx",
                                  .lead_len = 4,
                                  .body = vts_str_of("xx\x12\x04yy"),
                                  .tail = "yy",
                                  .tail_len = 2,
                                  .release = count_release,
                                  .owner = &released};

    released = 0;
    return encoded;
}

static void encoded_message_is_sent_in_any_dialect_and_given_back(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types) * 2; i++) {
        struct vts_call *call = begin("Repeat", stream_types[i / 2]);
        struct vts_encoded encoded = make_encoded();
        struct toy_answer answer;

        bench.cap = i % 2 == 0 ? 1 : 4096;
        CU_ASSERT_EQUAL(vts_call_send_encoded(call, &encoded), VTS_OK);
        CU_ASSERT_EQUAL(vts_call_send_encoded(call, &encoded), VTS_ERR_AGAIN);
        CU_ASSERT(released >= 1); /* the refused one */
        toy_finish(call);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(released, 2);
        toy_bench_look(&bench, &answer);
        CU_ASSERT_EQUAL(answer.messages, 1);
        CU_ASSERT_STRING_EQUAL(answer.text, "xxxx");
        CU_ASSERT_EQUAL(answer.body_bytes, 4);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void encoded_message_is_given_back_when_nobody_takes_it(void)
{
    struct vts_encoded encoded;
    struct vts_call *call;

    toy_bench_open(&bench, NULL);
    call = begin("Repeat", "application/grpc");
    encoded = make_encoded();
    CU_ASSERT_EQUAL(vts_call_send_encoded(call, &encoded), VTS_OK);
    CU_ASSERT_EQUAL(released, 0);
    fake_exchange_close(&bench.fake); /* the client goes */
    CU_ASSERT_EQUAL(released, 1);

    call = begin("Unary", "application/grpc");
    encoded = make_encoded();
    CU_ASSERT_EQUAL(vts_call_send_encoded(call, &encoded), VTS_OK);
    vts_call_finish(call, VTS_RPC_ABORTED, NULL); /* it is not told */
    CU_ASSERT_EQUAL(released, 1);
    CU_ASSERT_EQUAL(vts_call_send_encoded(call, &encoded), VTS_ERR_CLOSED);
    CU_ASSERT_EQUAL(released, 2);
    toy_bench_close(&bench);
}

static void encoded_message_that_json_cannot_say_is_refused(void)
{
    struct vts_encoded encoded;

    toy_bench_open(&bench, NULL);
    encoded = make_encoded();
    encoded.body = vts_str_of("broken");
    CU_ASSERT_NOT_EQUAL(vts_call_send_encoded(begin("Unary", "application/grpc+json"), &encoded),
                        VTS_OK);
    CU_ASSERT_EQUAL(released, 1);
    vts_call_finish(bench.toy.call, VTS_RPC_INTERNAL, "broken");
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_INTERNAL);
    toy_bench_close(&bench);
}

/* ---- compression -------------------------------------------------------------------------------
 */

/* One message of so many bytes; returns whether it was compressed. */
static bool is_compressed(const char *method, const char *type, const char *accept,
                          enum vts_compress compress, size_t bytes)
{
    struct vts_call *call = begin_with(method, type, accept_field(type), accept);
    const char *encoding;
    struct toy_answer answer;

    vts_call_set_compress(call, compress);
    CU_ASSERT_EQUAL(toy_tell(call, "m", bytes), VTS_OK);
    toy_finish(call);
    toy_bench_read(&bench);
    CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
    toy_bench_look(&bench, &answer);
    CU_ASSERT_EQUAL(answer.body_bytes, bytes);
    encoding = fake_exchange_field(&bench.fake, encoding_field(type));
    if (answer.compressed > 0)
        CU_ASSERT_STRING_EQUAL(encoding, "gzip"); /* a bit without the name is an error */
    fake_exchange_close(&bench.fake);
    return answer.compressed > 0;
}

static void message_is_compressed_when_it_pays_and_is_wanted(void)
{
    static const struct {
        enum vts_compress compress;
        const char *accept;
        size_t bytes;
        bool is_compressed;
    } rows[] = {
        {VTS_COMPRESS_AUTO, "gzip", 2000, true},
        {VTS_COMPRESS_AUTO, "identity, gzip", 2000, true},
        {VTS_COMPRESS_AUTO, "gzip", 100, false},
        {VTS_COMPRESS_AUTO, "identity,deflate", 2000, false},
        {VTS_COMPRESS_AUTO, "gzip;q=0", 2000, false},
        {VTS_COMPRESS_NEVER, "gzip", 2000, false},
        {VTS_COMPRESS_ALWAYS, "gzip", 2000, true},
        {VTS_COMPRESS_ALWAYS, "gzip", 1, true},
        {VTS_COMPRESS_ALWAYS, "br", 2000, false},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        for (size_t j = 0; j < VTS_ARRAY_LEN(stream_types); j++)
            CU_ASSERT_EQUAL(is_compressed("Repeat", stream_types[j], rows[i].accept,
                                          rows[i].compress, rows[i].bytes),
                            rows[i].is_compressed);
        for (size_t j = 0; j < VTS_ARRAY_LEN(unary_types); j++)
            CU_ASSERT_EQUAL(is_compressed("Unary", unary_types[j], rows[i].accept, rows[i].compress,
                                          rows[i].bytes),
                            rows[i].is_compressed);
    }
    toy_bench_close(&bench);
}

static void stream_may_change_its_mind_about_compression(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(stream_types); i++) {
        struct vts_call *call =
            begin_with("Repeat", stream_types[i], accept_field(stream_types[i]), "gzip");
        struct toy_answer answer;

        for (int j = 0; j < 4; j++) {
            vts_call_set_compress(call, j % 2 == 0 ? VTS_COMPRESS_NEVER : VTS_COMPRESS_ALWAYS);
            CU_ASSERT_EQUAL(toy_tell(call, "m", 2000), VTS_OK);
            toy_bench_read(&bench);
        }
        toy_finish(call);
        toy_bench_read(&bench);
        toy_bench_look(&bench, &answer);
        CU_ASSERT_EQUAL(answer.messages, 4);
        CU_ASSERT_EQUAL(answer.compressed, 2);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, encoding_field(stream_types[i])),
                               "gzip");
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void single_answer_that_is_plain_announces_nothing(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(unary_types); i++) {
        CU_ASSERT(!is_compressed("Unary", unary_types[i], "gzip", VTS_COMPRESS_AUTO, 10));
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, encoding_field(unary_types[i])),
                               "(none)");
    }
    toy_bench_close(&bench);
}

/* ---- metadata ----------------------------------------------------------------------------------
 */

static void metadata_that_is_none_is_refused(void)
{
    static const struct {
        const char *name;
        const char *value;
        enum vts_err err;
    } rows[] = {
        {"x-a", "1", VTS_OK},
        {"x-a", "", VTS_OK},
        {"x_a.b-c9", "a b~", VTS_OK},
        {"x-bin", "AAEC", VTS_OK},
        {"retry-after", "3", VTS_OK},
        {"grpc-retry-pushback-ms", "100", VTS_OK},
        {"", "1", VTS_ERR_INVALID},
        {"X-a", "1", VTS_ERR_INVALID},
        {"x a", "1", VTS_ERR_INVALID},
        {":status", "200", VTS_ERR_INVALID},
        {"x-a\r\n", "1", VTS_ERR_INVALID},
        {"x-a", " 1", VTS_ERR_INVALID},
        {"x-a", "1\n", VTS_ERR_INVALID},
        {"x-a", "\xc3\xa9", VTS_ERR_INVALID},
        {"grpc-status", "0", VTS_ERR_INVALID},
        {"grpc-message", "no", VTS_ERR_INVALID},
        {"content-type", "text/html", VTS_ERR_INVALID},
        {"content-length", "5", VTS_ERR_INVALID},
        {"transfer-encoding", "chunked", VTS_ERR_INVALID},
        {"connect-protocol-version", "2", VTS_ERR_INVALID},
        {"te", "trailers", VTS_ERR_INVALID},
    };
    struct vts_call *call;

    toy_bench_open(&bench, NULL);
    call = begin("Unary", "application/grpc");
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_str value = vts_str_of(rows[i].value);

        CU_ASSERT_EQUAL(vts_call_add_header(call, rows[i].name, value), rows[i].err);
        CU_ASSERT_EQUAL(vts_call_add_trailer(call, rows[i].name, value), rows[i].err);
    }
    vts_call_finish(call, VTS_RPC_NOT_FOUND, NULL);
    CU_ASSERT_EQUAL(vts_call_add_header(call, "x-late", vts_str_of("1")), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-late", vts_str_of("1")), VTS_ERR_INVALID);
    toy_bench_close(&bench);
}

/* As RFC 9113 6.5.2 counts. */
static size_t section_bytes(const struct vts_header *fields, size_t count)
{
    size_t bytes = 0;

    for (size_t i = 0; i < count; i++)
        bytes += fields[i].name.len + fields[i].value.len + 32;
    return bytes;
}

static size_t head_bytes(void)
{
    const struct vts_response *response = &bench.fake.exchange.response;

    return section_bytes(response->headers, response->headers_count) +
           section_bytes(response->more_headers, response->more_headers_count);
}

/* Fills the metadata up; value is repeated until it is refused. */
static void fill_metadata(struct vts_call *call, const char *value)
{
    unsigned count = 0;
    enum vts_err err = VTS_OK;

    while (err == VTS_OK) {
        err = count % 2 == 0 ? vts_call_add_header(call, "x-head", vts_str_of(value))
                             : vts_call_add_trailer(call, "x-tail", vts_str_of(value));
        count++;
    }
    CU_ASSERT_EQUAL(err, VTS_ERR_LIMIT);
    CU_ASSERT(count > 5 && count <= 61);
}

static void outcome_fits_a_peers_header_section(void)
{
    static const char *const values[] = {"", "0123456789", NULL};
    static char long_value[1001];
    static char message[4001];
    static char detail[4000];
    const struct vts_error_detail details[] = {
        {"google.rpc.DebugInfo", vts_str_make(detail, sizeof(detail))}};

    memset(long_value, 'v', sizeof(long_value) - 1);
    toy_bench_open_with(&bench, NULL, NULL, "*");
    for (size_t i = 0; i < VTS_ARRAY_LEN(values) * 3; i++) {
        const char *value = values[i / 3] == NULL ? long_value : values[i / 3];
        struct vts_call *call;

        memset(message, i % 3 == 0 ? 'm' : i % 3 == 1 ? '\n' : '\xff', sizeof(message) - 1);
        /* All in one section, or two. */
        call = begin("Unary", "application/grpc");
        fill_metadata(call, value);
        vts_call_fail(call, VTS_RPC_ABORTED, message, details, VTS_ARRAY_LEN(details));
        CU_ASSERT(head_bytes() <= 8192);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_ABORTED);
        CU_ASSERT_STRING_NOT_EQUAL(toy_bench_message(&bench), "(none)");
        fake_exchange_close(&bench.fake);

        call = begin("Repeat", "application/grpc");
        fill_metadata(call, value);
        vts_call_start(call);
        vts_call_fail(call, VTS_RPC_ABORTED, message, details, VTS_ARRAY_LEN(details));
        toy_bench_read(&bench);
        CU_ASSERT(head_bytes() <= 8192);
        CU_ASSERT(section_bytes(bench.fake.exchange.response.trailers,
                                bench.fake.exchange.response.trailers_count) <= 8192);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_ABORTED);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"stream_takes_one_message_at_a_time", stream_takes_one_message_at_a_time},
    {"single_answer_is_held_until_the_outcome", single_answer_is_held_until_the_outcome},
    {"success_without_the_answer_is_none", success_without_the_answer_is_none},
    {"head_may_go_before_the_first_message", head_may_go_before_the_first_message},
    {"writable_is_told_when_a_message_is_gone", writable_is_told_when_a_message_is_gone},
    {"any_size_of_the_pieces_gives_the_same", any_size_of_the_pieces_gives_the_same},
    {"encoded_message_is_sent_in_any_dialect_and_given_back",
     encoded_message_is_sent_in_any_dialect_and_given_back},
    {"encoded_message_is_given_back_when_nobody_takes_it",
     encoded_message_is_given_back_when_nobody_takes_it},
    {"encoded_message_that_json_cannot_say_is_refused",
     encoded_message_that_json_cannot_say_is_refused},
    {"message_is_compressed_when_it_pays_and_is_wanted",
     message_is_compressed_when_it_pays_and_is_wanted},
    {"stream_may_change_its_mind_about_compression", stream_may_change_its_mind_about_compression},
    {"single_answer_that_is_plain_announces_nothing",
     single_answer_that_is_plain_announces_nothing},
    {"metadata_that_is_none_is_refused", metadata_that_is_none_is_refused},
    {"outcome_fits_a_peers_header_section", outcome_fits_a_peers_header_section},
};

int main(void)
{
    return vts_test_run("test_call_out", tests, VTS_ARRAY_LEN(tests));
}
