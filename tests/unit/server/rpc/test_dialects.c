/* SPDX-License-Identifier: Apache-2.0 */
/* test_dialects.c - heads, outcomes and the very bytes of each dialect. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/wire/base64.h"
#include "common/wire/envelope.h"
#include "server/rpc/call_parts.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

static struct toy_bench bench;

static const struct row {
    enum vts_rpc_code code;
    const char *word;
    int http_code;
} codes[] = {
#define X(number, name, word, http_code) {VTS_RPC_##name, word, http_code},
#include "common/wire/rpc_code.def"
#undef X
};

static const char *const all_types[] = {
    "application/grpc",
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
    "application/grpc-web-text+json",
    "application/connect+proto",
    "application/connect+json",
    "application/proto",
    "application/json",
};

static bool is_unary_connect(const char *type)
{
    return strcmp(type, "application/proto") == 0 || strcmp(type, "application/json") == 0;
}

static bool is_grpc_family(const char *type)
{
    return strstr(type, "grpc") != NULL;
}

/* A call whose handler waits for the test. */
static struct vts_call *begin(const char *method, const char *type)
{
    toy_bench_start(&bench, method, type);
    CU_ASSERT(toy_bench_ask(&bench, "a", 0));
    toy_bench_end(&bench);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench.toy.call);
    return bench.toy.call;
}

static const char *method_for(const char *type)
{
    return is_unary_connect(type) ? "Unary" : "Repeat";
}

/* A field of the response's head. */
static const char *head(const char *name)
{
    return fake_exchange_field(&bench.fake, name);
}

static void expect_body(const char *bytes, size_t len)
{
    CU_ASSERT_EQUAL(bench.fake.body_len, len);
    CU_ASSERT_EQUAL(memcmp(bench.fake.body, bytes, len), 0);
}

/* ---- outcomes ----------------------------------------------------------------------------------
 */

static void every_code_is_told_in_every_dialect(void)
{
    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(codes) * VTS_ARRAY_LEN(all_types); i++) {
        const struct row *row = &codes[i / VTS_ARRAY_LEN(all_types)];
        const char *type = all_types[i % VTS_ARRAY_LEN(all_types)];
        struct vts_call *call = begin(method_for(type), type);

        if (row->code == VTS_RPC_OK && is_unary_connect(type))
            CU_ASSERT_EQUAL(toy_tell(call, "", 0), VTS_OK);
        vts_call_finish(call, row->code, "told so");
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), (int)row->code);
        CU_ASSERT_EQUAL(bench.fake.exchange.response.code,
                        is_unary_connect(type) ? row->http_code : 200);
        if (row->code != VTS_RPC_OK)
            CU_ASSERT_STRING_EQUAL(toy_bench_message(&bench), "told so");
        CU_ASSERT_STRING_EQUAL(
            head("content-type"),
            is_unary_connect(type) && row->code != VTS_RPC_OK ? "application/json" : type);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void grpc_outcome_before_a_message_is_trailers_only(void)
{
    static const char *const types[] = {"application/grpc", "application/grpc-web",
                                        "application/grpc-web-text"};

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(types); i++) {
        struct vts_call *call = begin("Repeat", types[i]);

        CU_ASSERT_EQUAL(vts_call_add_header(call, "x-head", vts_str_of("h")), VTS_OK);
        CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-tail", vts_str_of("t")), VTS_OK);
        vts_call_finish(call, VTS_RPC_UNAVAILABLE, "try later");
        CU_ASSERT_EQUAL(bench.fake.sent_count, 1); /* one HEADERS with END_STREAM */
        CU_ASSERT_EQUAL(bench.fake.body_len, 0);
        CU_ASSERT_EQUAL(bench.fake.exchange.response.trailers_count, 0);
        CU_ASSERT_STRING_EQUAL(head("grpc-status"), "14");
        CU_ASSERT_STRING_EQUAL(head("grpc-message"), "try later");
        CU_ASSERT_STRING_EQUAL(head("x-head"), "h");
        CU_ASSERT_STRING_EQUAL(head("x-tail"), "t");
        CU_ASSERT_STRING_EQUAL(head("content-type"), types[i]);
        CU_ASSERT_STRING_EQUAL(head("content-length"), "(none)");
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void grpc_outcome_behind_messages_is_in_the_trailers(void)
{
    const struct vts_response *response = &bench.fake.exchange.response;
    struct vts_call *call;

    toy_bench_open(&bench, NULL);
    call = begin("Repeat", "application/grpc");
    CU_ASSERT_EQUAL(vts_call_add_header(call, "x-head", vts_str_of("h")), VTS_OK);
    CU_ASSERT_EQUAL(toy_tell(call, "x", 0), VTS_OK);
    CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-tail", vts_str_of("1")), VTS_OK);
    CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-tail", vts_str_of("2")), VTS_OK);
    toy_bench_read(&bench);
    vts_call_finish(call, VTS_RPC_OK, NULL);
    toy_bench_read(&bench);
    expect_body("\0\0\0\0\3\x0a\1x", 8);
    CU_ASSERT_STRING_EQUAL(head("x-head"), "h");
    CU_ASSERT_STRING_EQUAL(head("grpc-status"), "(none)");
    CU_ASSERT_EQUAL_FATAL(response->trailers_count, 3);
    CU_ASSERT_STRING_EQUAL(fake_exchange_trailer(&bench.fake, "grpc-status"), "0");
    CU_ASSERT_STRING_EQUAL(fake_exchange_trailer(&bench.fake, "grpc-message"), "(none)");
    CU_ASSERT(vts_str_equals_text(response->trailers[1].value, "1")); /* in their order */
    CU_ASSERT(vts_str_equals_text(response->trailers[2].value, "2"));
    toy_bench_close(&bench);
}

static void grpc_message_is_percent_encoded(void)
{
    static const struct {
        const char *message;
        const char *encoded;
    } rows[] = {
        {"plain text ~", "plain text ~"}, {"50%", "50%25"},      {"a\r\nb", "a%0D%0Ab"},
        {"\xc3\xa9", "%C3%A9"},           {"\xff", "%EF%BF%BD"}, {"", "(none)"},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        vts_call_finish(begin("Unary", "application/grpc"), VTS_RPC_UNKNOWN, rows[i].message);
        CU_ASSERT_STRING_EQUAL(head("grpc-message"), rows[i].encoded);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void long_message_is_cut_at_a_whole_character(void)
{
    char message[2048];

    memset(message, 'm', sizeof(message));
    message[sizeof(message) - 1] = '\0';
    memcpy(message + 1023, "\xc3\xa9", 2); /* over the edge of 1 KiB */
    toy_bench_open(&bench, NULL);
    vts_call_finish(begin("Unary", "application/grpc"), VTS_RPC_UNKNOWN, message);
    CU_ASSERT_EQUAL(strlen(head("grpc-message")), 1023);
    CU_ASSERT_PTR_NULL(strchr(head("grpc-message"), '%'));
    toy_bench_close(&bench);
}

/* google.rpc.Status{code: 5, message: "no", details: [Any{type_url: ".../a.B", value: "xyz"}]} */
static const char packed_status[] =
    "\x08\x05\x12\x02no\x1a\x21\x0a\x1atype.googleapis.com/toy.B_\x12\x03xyz";

static const struct vts_error_detail details[] = {{"toy.B_", {"xyz", 3}}};

static void grpc_details_repeat_the_outcome_unpadded(void)
{
    struct vts_buf text;

    vts_buf_init(&text, 1024);
    vts_base64_encode(&text, vts_str_make(packed_status, sizeof(packed_status) - 1),
                      VTS_BASE64_UNPADDED);
    vts_buf_append(&text, "", 1);
    CU_ASSERT_PTR_NULL(strchr(text.ptr, '='));
    toy_bench_open(&bench, NULL);
    vts_call_fail(begin("Unary", "application/grpc"), VTS_RPC_NOT_FOUND, "no", details, 1);
    CU_ASSERT_STRING_EQUAL(head("grpc-status-details-bin"), text.ptr);
    CU_ASSERT_STRING_EQUAL(head("grpc-status"), "5");
    fake_exchange_close(&bench.fake);
    /* Behind a message they are trailers. */
    CU_ASSERT_EQUAL(toy_tell(begin("Repeat", "application/grpc"), "", 0), VTS_OK);
    vts_call_fail(bench.toy.call, VTS_RPC_NOT_FOUND, "no", details, 1);
    toy_bench_read(&bench);
    CU_ASSERT_STRING_EQUAL(fake_exchange_trailer(&bench.fake, "grpc-status-details-bin"), text.ptr);
    toy_bench_close(&bench);
    vts_buf_fini(&text);
}

/* ---- gRPC-Web ----------------------------------------------------------------------------------
 */

static void web_trailers_are_the_last_envelope(void)
{
    static const char expected[] =
        "\0\0\0\0\3\x0a\1x"
        "\x80\0\0\0\x36"
        "grpc-status: 9\r\ngrpc-message: no %0A more\r\nx-tail: t\r\n";
    struct vts_call *call;

    toy_bench_open(&bench, NULL);
    call = begin("Repeat", "application/grpc-web+proto");
    CU_ASSERT_EQUAL(toy_tell(call, "x", 0), VTS_OK);
    CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-tail", vts_str_of("t")), VTS_OK);
    toy_bench_read(&bench);
    vts_call_finish(call, VTS_RPC_FAILED_PRECONDITION, "no \n more");
    toy_bench_read(&bench);
    expect_body(expected, sizeof(expected) - 1);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.trailers_count, 0); /* browsers drop them */
    toy_bench_close(&bench);
}

static void web_text_is_padded_piece_by_piece(void)
{
    struct vts_call *call;

    toy_bench_open(&bench, NULL);
    call = begin("Repeat", "application/grpc-web-text");
    CU_ASSERT_EQUAL(toy_tell(call, "x", 0), VTS_OK);
    toy_bench_read(&bench);
    CU_ASSERT_STRING_EQUAL(bench.fake.body, "AAAAAAMKAXg=");
    toy_finish(call);
    toy_bench_read(&bench);
    CU_ASSERT_STRING_EQUAL(bench.fake.body,
                           "AAAAAAMKAXg="
                           "gAAAABBncnBjLXN0YXR1czogMA0K");
    toy_bench_close(&bench);
}

static void web_works_over_http1(void)
{
    static const char *const types[] = {"application/grpc-web", "application/grpc-web-text",
                                        "application/connect+proto"};

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_echo});
    for (size_t i = 0; i < VTS_ARRAY_LEN(types); i++) {
        toy_bench_make(&bench, "Repeat", types[i]);
        fake_exchange_set_http1(&bench.fake);
        toy_bench_begin(&bench);
        toy_bench_call(&bench, "a");
        toy_finish(bench.toy.call);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
        CU_ASSERT_EQUAL(bench.fake.exchange.response.length, VTS_LENGTH_UNKNOWN);
    }
    toy_bench_close(&bench);
}

/* ---- Connect -----------------------------------------------------------------------------------
 */

static void connect_unary_has_a_length_and_trailers_in_its_head(void)
{
    static const char *const types[] = {"application/proto", "application/json"};

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(types) * 2; i++) {
        struct vts_call *call = begin("Unary", types[i / 2]);

        CU_ASSERT_EQUAL(vts_call_add_header(call, "x-head", vts_str_of("h")), VTS_OK);
        CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-tail", vts_str_of("t")), VTS_OK);
        CU_ASSERT_EQUAL(toy_tell(call, "x", 0), VTS_OK);
        vts_call_finish(call, i % 2 == 0 ? VTS_RPC_OK : VTS_RPC_ABORTED, "no");
        toy_bench_read(&bench);
        CU_ASSERT_STRING_EQUAL(head("x-head"), "h");
        CU_ASSERT_STRING_EQUAL(head("trailer-x-tail"), "t");
        CU_ASSERT_STRING_EQUAL(head("x-tail"), "(none)");
        CU_ASSERT_STRING_EQUAL(head("accept-encoding"), "gzip");
        if (i % 2 == 1)
            expect_body("{\"code\":\"aborted\",\"message\":\"no\"}", 33);
        else if (i == 0)
            expect_body("\x0a\1x", 3);
        else
            expect_body("{\"text\":\"x\"}", 12);
        if (i % 2 == 0)
            CU_ASSERT_EQUAL(bench.fake.exchange.response.length, (int64_t)bench.fake.body_len);
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

static void connect_error_has_its_details(void)
{
    static const char expected[] =
        "{\"code\":\"not_found\",\"message\":\"no\","
        "\"details\":[{\"type\":\"toy.B_\",\"value\":\"eHl6\"}]}";
    char end[256];

    toy_bench_open(&bench, NULL);
    vts_call_fail(begin("Unary", "application/proto"), VTS_RPC_NOT_FOUND, "no", details, 1);
    expect_body(expected, sizeof(expected) - 1);
    fake_exchange_close(&bench.fake);
    vts_call_fail(begin("Repeat", "application/connect+proto"), VTS_RPC_NOT_FOUND, "no", details,
                  1);
    toy_bench_read(&bench);
    (void)snprintf(end, sizeof(end), "{\"error\":%s}", expected);
    CU_ASSERT_EQUAL(bench.fake.body[0], VTS_ENVELOPE_CONNECT_END);
    CU_ASSERT_STRING_EQUAL(bench.fake.body + VTS_ENVELOPE_PREFIX_BYTES, end);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 200);
    toy_bench_close(&bench);
}

static void connect_message_that_is_empty_is_left_out(void)
{
    toy_bench_open(&bench, NULL);
    vts_call_finish(begin("Unary", "application/json"), VTS_RPC_NOT_FOUND, NULL);
    expect_body("{\"code\":\"not_found\"}", 20);
    toy_bench_close(&bench);
}

static void connect_stream_ends_with_an_envelope(void)
{
    static const struct {
        enum vts_rpc_code code;
        bool has_metadata;
        const char *json;
    } rows[] = {
        {VTS_RPC_OK, false, "{}"},
        {VTS_RPC_OK, true, "{\"metadata\":{\"x-a\":[\"1\",\"3\"],\"x-b\":[\"2\"]}}"},
        {VTS_RPC_CANCELLED, false, "{\"error\":{\"code\":\"canceled\",\"message\":\"m\"}}"},
        {VTS_RPC_CANCELLED, true,
         "{\"error\":{\"code\":\"canceled\",\"message\":\"m\"},"
         "\"metadata\":{\"x-a\":[\"1\",\"3\"],\"x-b\":[\"2\"]}}"},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_call *call = begin("Repeat", "application/connect+json");
        struct toy_answer answer;

        if (rows[i].has_metadata) {
            CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-a", vts_str_of("1")), VTS_OK);
            CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-b", vts_str_of("2")), VTS_OK);
            CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-a", vts_str_of("3")), VTS_OK);
        }
        vts_call_finish(call, rows[i].code, "m");
        toy_bench_read(&bench);
        toy_bench_look(&bench, &answer);
        CU_ASSERT_EQUAL(answer.end_flags, VTS_ENVELOPE_CONNECT_END);
        CU_ASSERT_STRING_EQUAL(answer.end, rows[i].json);
        CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 200);
        CU_ASSERT_STRING_EQUAL(head("connect-accept-encoding"), "gzip");
        fake_exchange_close(&bench.fake);
    }
    toy_bench_close(&bench);
}

/* ---- heads that are wrong ----------------------------------------------------------------------
 */

/* The outcome of a call with one more field; -1 for a code is none in the body. */
static int code_with(const char *type, const char *name, const char *value)
{
    toy_bench_make(&bench, method_for(type), type);
    fake_exchange_add_header(&bench.fake, name, value);
    toy_bench_begin(&bench);
    if (fake_exchange_is_open(&bench.fake))
        (void)toy_bench_ask(&bench, "a", 0);
    toy_bench_end(&bench);
    toy_bench_read(&bench);
    return toy_bench_code(&bench);
}

static void timeout_that_is_malformed_has_each_dialects_code(void)
{
    static const struct {
        const char *type;
        int code;
        int http_code;
    } rows[] = {
        {"application/grpc", VTS_RPC_INTERNAL, 400},
        {"application/grpc-web", VTS_RPC_INVALID_ARGUMENT, 200},
        {"application/grpc-web-text", VTS_RPC_INVALID_ARGUMENT, 200},
        {"application/connect+proto", VTS_RPC_INVALID_ARGUMENT, 200},
        {"application/proto", VTS_RPC_INVALID_ARGUMENT, 400},
        {"application/json", VTS_RPC_INVALID_ARGUMENT, 400},
    };
    static const char *const timeouts[] = {"x", "", "-1S", "99999999999H", "5"};

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows) * VTS_ARRAY_LEN(timeouts); i++) {
        const char *timeout = timeouts[i % VTS_ARRAY_LEN(timeouts)];
        const char *type = rows[i / VTS_ARRAY_LEN(timeouts)].type;
        bool is_grpc = is_grpc_family(type);

        if (!is_grpc && strcmp(timeout, "5") == 0)
            continue; /* five milliseconds */
        CU_ASSERT_EQUAL(code_with(type, is_grpc ? "grpc-timeout" : "connect-timeout-ms", timeout),
                        rows[i / VTS_ARRAY_LEN(timeouts)].code);
        CU_ASSERT_EQUAL(bench.fake.exchange.response.code,
                        rows[i / VTS_ARRAY_LEN(timeouts)].http_code);
        CU_ASSERT_EQUAL(bench.toy.messages + bench.toy.ends, 0);
    }
    toy_bench_close(&bench);
}

static void binary_metadata_that_is_malformed_has_each_dialects_code(void)
{
    static const struct {
        const char *type;
        int code;
        int http_code;
    } rows[] = {
        {"application/grpc", VTS_RPC_INTERNAL, 400},
        {"application/grpc-web", VTS_RPC_INTERNAL, 400},
        {"application/connect+proto", VTS_RPC_INVALID_ARGUMENT, 200},
        {"application/proto", VTS_RPC_INVALID_ARGUMENT, 400},
    };
    static const char *const good[] = {"AAEC", "AAE=", "AAE", "", "AAEC,AAE=, AA", "_-8"};
    static const char *const bad[] = {"A", "A===", "AAE==", "A A", "AAEC,!", "\xc3\xa9"};

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        for (size_t j = 0; j < VTS_ARRAY_LEN(good); j++)
            CU_ASSERT_EQUAL(code_with(rows[i].type, "x-a-bin", good[j]), VTS_RPC_OK);
        for (size_t j = 0; j < VTS_ARRAY_LEN(bad); j++) {
            CU_ASSERT_EQUAL(code_with(rows[i].type, "x-a-bin", bad[j]), rows[i].code);
            CU_ASSERT_EQUAL(bench.fake.exchange.response.code, rows[i].http_code);
            CU_ASSERT_EQUAL(code_with(rows[i].type, "x-a", bad[j]), VTS_RPC_OK);
        }
    }
    toy_bench_close(&bench);
}

static void compression_that_is_unknown_is_unimplemented(void)
{
    static const struct {
        const char *type;
        const char *field;
        int http_code;
        const char *known;
        const char *names;
    } rows[] = {
        {"application/grpc", "grpc-encoding", 200, "grpc-accept-encoding", "identity,gzip"},
        {"application/grpc-web", "grpc-encoding", 200, "grpc-accept-encoding", "identity,gzip"},
        {"application/connect+proto", "connect-content-encoding", 200, "connect-accept-encoding",
         "gzip"},
        {"application/proto", "content-encoding", 501, "accept-encoding", "gzip"},
        {"application/json", "content-encoding", 501, "accept-encoding", "gzip"},
    };

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        CU_ASSERT_EQUAL(code_with(rows[i].type, rows[i].field, "br"), VTS_RPC_UNIMPLEMENTED);
        CU_ASSERT_EQUAL(bench.fake.exchange.response.code, rows[i].http_code);
        CU_ASSERT_STRING_EQUAL(head(rows[i].known), rows[i].names);
        CU_ASSERT_EQUAL(bench.toy.messages, 0);
        CU_ASSERT_EQUAL(code_with(rows[i].type, rows[i].field, "identity"), VTS_RPC_OK);
    }
    toy_bench_close(&bench);
}

static void encodings_are_named_to_clients_who_do(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    CU_ASSERT_EQUAL(code_with("application/grpc", "x-a", "1"), VTS_RPC_OK);
    CU_ASSERT_STRING_EQUAL(head("grpc-accept-encoding"), "(none)");
    CU_ASSERT_EQUAL(code_with("application/grpc", "grpc-accept-encoding", "br"), VTS_RPC_OK);
    CU_ASSERT_STRING_EQUAL(head("grpc-accept-encoding"), "identity,gzip");
    CU_ASSERT_EQUAL(code_with("application/grpc", "grpc-encoding", "gzip"), VTS_RPC_OK);
    CU_ASSERT_STRING_EQUAL(head("grpc-accept-encoding"), "identity,gzip");
    toy_bench_close(&bench);
}

static void connect_version_is_one_or_unsaid(void)
{
    static const char *const types[] = {"application/proto", "application/connect+proto"};

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    for (size_t i = 0; i < VTS_ARRAY_LEN(types); i++) {
        CU_ASSERT_EQUAL(code_with(types[i], "connect-protocol-version", "1"), VTS_RPC_OK);
        CU_ASSERT_EQUAL(code_with(types[i], "connect-protocol-version", "2"),
                        VTS_RPC_INVALID_ARGUMENT);
        CU_ASSERT_EQUAL(code_with(types[i], "connect-protocol-version", ""),
                        VTS_RPC_INVALID_ARGUMENT);
    }
    CU_ASSERT_EQUAL(code_with("application/grpc", "connect-protocol-version", "2"), VTS_RPC_OK);
    toy_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"every_code_is_told_in_every_dialect", every_code_is_told_in_every_dialect},
    {"grpc_outcome_before_a_message_is_trailers_only",
     grpc_outcome_before_a_message_is_trailers_only},
    {"grpc_outcome_behind_messages_is_in_the_trailers",
     grpc_outcome_behind_messages_is_in_the_trailers},
    {"grpc_message_is_percent_encoded", grpc_message_is_percent_encoded},
    {"long_message_is_cut_at_a_whole_character", long_message_is_cut_at_a_whole_character},
    {"grpc_details_repeat_the_outcome_unpadded", grpc_details_repeat_the_outcome_unpadded},
    {"web_trailers_are_the_last_envelope", web_trailers_are_the_last_envelope},
    {"web_text_is_padded_piece_by_piece", web_text_is_padded_piece_by_piece},
    {"web_works_over_http1", web_works_over_http1},
    {"connect_unary_has_a_length_and_trailers_in_its_head",
     connect_unary_has_a_length_and_trailers_in_its_head},
    {"connect_error_has_its_details", connect_error_has_its_details},
    {"connect_message_that_is_empty_is_left_out", connect_message_that_is_empty_is_left_out},
    {"connect_stream_ends_with_an_envelope", connect_stream_ends_with_an_envelope},
    {"timeout_that_is_malformed_has_each_dialects_code",
     timeout_that_is_malformed_has_each_dialects_code},
    {"binary_metadata_that_is_malformed_has_each_dialects_code",
     binary_metadata_that_is_malformed_has_each_dialects_code},
    {"compression_that_is_unknown_is_unimplemented", compression_that_is_unknown_is_unimplemented},
    {"encodings_are_named_to_clients_who_do", encodings_are_named_to_clients_who_do},
    {"connect_version_is_one_or_unsaid", connect_version_is_one_or_unsaid},
};

int main(void)
{
    return vts_test_run("test_dialects", tests, VTS_ARRAY_LEN(tests));
}
