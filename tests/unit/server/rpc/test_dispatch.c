/* SPDX-License-Identifier: Apache-2.0 */
/* test_dispatch.c - which request is a call, of which dialect; Connect's GET; pages of others. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/rpc/call_parts.h"
#include "server/rpc/dialect.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

static struct toy_bench bench;
static const struct toy_script answers = {.on_message = toy_answer};

static const char *head(const char *name)
{
    return fake_exchange_field(&bench.fake, name);
}

static int http_code(void)
{
    return bench.fake.exchange.response.code;
}

/* ---- media types -------------------------------------------------------------------------------
 */

static void media_type_chooses_dialect_and_codec(void)
{
    static const struct {
        const char *content_type;
        const struct vts_dialect *dialect; /* NULL: it is refused */
        enum vts_codec codec;
    } rows[] = {
        {"application/grpc", &vts_dialect_grpc, VTS_CODEC_PROTO},
        {"application/grpc+proto", &vts_dialect_grpc, VTS_CODEC_PROTO},
        {"application/grpc+json", &vts_dialect_grpc, VTS_CODEC_JSON},
        {"application/grpc;charset=utf-8", &vts_dialect_grpc, VTS_CODEC_PROTO},
        {"Application/GRPC ; x=y", &vts_dialect_grpc, VTS_CODEC_PROTO},
        {"application/grpc-web", &vts_dialect_grpc_web, VTS_CODEC_PROTO},
        {"application/grpc-web+proto", &vts_dialect_grpc_web, VTS_CODEC_PROTO},
        {"application/grpc-web+json", &vts_dialect_grpc_web, VTS_CODEC_JSON},
        {"application/grpc-web-text", &vts_dialect_grpc_web_text, VTS_CODEC_PROTO},
        {"application/grpc-web-text+proto", &vts_dialect_grpc_web_text, VTS_CODEC_PROTO},
        {"application/connect+proto", &vts_dialect_connect_stream, VTS_CODEC_PROTO},
        {"application/connect+json", &vts_dialect_connect_stream, VTS_CODEC_JSON},
        {"application/grpcx", NULL, 0},
        {"application/grpc+foo", NULL, 0},
        {"application/grpc-webx", NULL, 0},
        {"application/grpc-web+foo", NULL, 0},
        {"application/connect+foo", NULL, 0},
        {"application/connect", NULL, 0},
        {"application/foo", NULL, 0},
        {"image/jpeg", NULL, 0},
        {"text/plain", NULL, 0},
        {"", NULL, 0},
        {";", NULL, 0},
        /* Of one message only. */
        {"application/proto", NULL, 0},
        {"application/json", NULL, 0},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        toy_bench_start(&bench, "Chat", rows[i].content_type);
        if (rows[i].dialect != NULL) {
            CU_ASSERT_PTR_NOT_NULL_FATAL(bench.toy.call);
            CU_ASSERT_PTR_EQUAL(bench.toy.call->dialect, rows[i].dialect);
            CU_ASSERT_EQUAL(bench.toy.call->codec, rows[i].codec);
            continue;
        }
        CU_ASSERT_PTR_NULL(bench.toy.call);
        CU_ASSERT_EQUAL(http_code(), 415);
        CU_ASSERT_PTR_NOT_NULL(strstr(head("accept-post"), "application/grpc"));
    }
    toy_bench_start(&bench, "Chat", NULL);
    CU_ASSERT_EQUAL(http_code(), 415);
    toy_bench_close(&bench);
}

static void unary_connect_is_for_methods_of_one_message(void)
{
    static const struct {
        const char *method;
        const char *content_type;
        bool is_taken;
    } rows[] = {
        {"Unary", "application/proto", true},
        {"Unary", "application/json", true},
        {"Unary", "Application/JSON; charset=\"utf-8\"", true},
        {"Unary", "application/connect+proto", false},
        {"Unary", "application/connect+json", false},
        {"Collect", "application/proto", false},
        {"Repeat", "application/json", false},
        {"Repeat", "application/connect+json", true},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        toy_bench_start(&bench, rows[i].method, rows[i].content_type);
        CU_ASSERT_EQUAL(bench.fake.sent_count, !rows[i].is_taken);
        if (!rows[i].is_taken)
            CU_ASSERT_EQUAL(http_code(), 415);
    }
    toy_bench_close(&bench);
}

static void unknown_method_is_refused_in_the_clients_words(void)
{
    static const struct {
        const char *content_type;
        int http_code;
        const char *grpc_status;
    } rows[] = {
        {"application/grpc", 200, "12"},
        {"application/grpc+json", 200, "12"},
        {"application/grpc-web", 200, "12"},
        {"application/grpc-web-text", 200, "12"},
        {"application/proto", 404, "(none)"},
        {"application/json", 404, "(none)"},
        {"application/connect+proto", 404, "(none)"},
        {"application/connect+json", 404, "(none)"},
    };
    static const char *const paths[] = {"/toy.v1.ToyService/Nothing", "/toy.v1.Nobody/Unary"};

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows) * VTS_ARRAY_LEN(paths); i++) {
        size_t row = i / VTS_ARRAY_LEN(paths);

        toy_bench_start(&bench, paths[i % VTS_ARRAY_LEN(paths)], rows[row].content_type);
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(bench.fake.sent_count, 1);
        CU_ASSERT_EQUAL(http_code(), rows[row].http_code);
        CU_ASSERT_STRING_EQUAL(head("grpc-status"), rows[row].grpc_status);
        CU_ASSERT_STRING_EQUAL(head("content-type"), rows[row].http_code == 200
                                                         ? rows[row].content_type
                                                         : "application/json");
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_UNIMPLEMENTED);
    }
    toy_bench_close(&bench);
}

static void method_without_a_handler_is_unimplemented(void)
{
    static const char *const types[] = {"application/grpc", "application/grpc-web",
                                        "application/proto", "application/json"};

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(types); i++) {
        toy_bench_start(&bench, "Missing", types[i]);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_UNIMPLEMENTED);
        CU_ASSERT_EQUAL(bench.toy.ends, 0);
    }
    toy_bench_close(&bench);
}

static void wrong_verb_is_told_the_right_ones(void)
{
    static const struct {
        const char *method;
        const char *allow;
    } rows[] = {{"Unary", "POST"}, {"Read", "GET, POST"}, {"Chat", "POST"}};
    static const enum vts_method verbs[] = {VTS_METHOD_GET,   VTS_METHOD_HEAD,
                                            VTS_METHOD_PUT,   VTS_METHOD_DELETE,
                                            VTS_METHOD_PATCH, VTS_METHOD_OPTIONS};

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows) * VTS_ARRAY_LEN(verbs) * 2; i++) {
        const char *method = rows[i / 2 / VTS_ARRAY_LEN(verbs)].method;
        enum vts_method verb = verbs[i / 2 % VTS_ARRAY_LEN(verbs)];

        if (i % 2 == 0)
            toy_bench_make(&bench, method, "application/grpc");
        else
            toy_bench_make_get(&bench, method, "x=y");
        bench.fake.exchange.request.method = verb;
        toy_bench_begin(&bench);
        toy_bench_end(&bench);
        if (strcmp(method, "Read") == 0 && verb == VTS_METHOD_GET) {
            CU_ASSERT_EQUAL(http_code(), 415); /* the verb is right, the query is not */
            continue;
        }
        CU_ASSERT_EQUAL(http_code(), 405);
        CU_ASSERT_STRING_EQUAL(head("allow"), rows[i / 2 / VTS_ARRAY_LEN(verbs)].allow);
    }
    toy_bench_close(&bench);
}

static void http1_carries_what_needs_no_trailers_and_one_way_at_a_time(void)
{
    static const struct {
        const char *method;
        const char *content_type;
        bool is_carried;
    } rows[] = {
        {"Unary", "application/grpc", false},
        {"Chat", "application/grpc", false},
        {"Unary", "application/grpc-web", true},
        {"Repeat", "application/grpc-web-text", true},
        {"Collect", "application/connect+proto", true},
        {"Chat", "application/connect+proto", false},
        {"Chat", "application/grpc-web", false},
        {"Unary", "application/json", true},
    };

    toy_bench_open(&bench, NULL);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        toy_bench_make(&bench, rows[i].method, rows[i].content_type);
        fake_exchange_set_http1(&bench.fake);
        toy_bench_begin(&bench);
        CU_ASSERT_EQUAL(bench.fake.sent_count, !rows[i].is_carried);
        if (!rows[i].is_carried)
            CU_ASSERT_EQUAL(http_code(), 505);
    }
    toy_bench_close(&bench);
}

static void call_without_memory_is_refused(void)
{
    toy_bench_open(&bench, NULL);
    toy_bench_make(&bench, "Unary", "application/grpc");
    (void)vts_mem_fail_after(0);
    toy_bench_begin(&bench);
    (void)vts_mem_fail_after(-1);
    CU_ASSERT_EQUAL(http_code(), 503);
    CU_ASSERT_PTR_NULL(bench.fake.exchange.user_ops);
    toy_bench_close(&bench);
}

/* ---- Connect GET -------------------------------------------------------------------------------
 */

static void get(const char *method, const char *query)
{
    toy_bench_make_get(&bench, method, query);
    toy_bench_begin(&bench);
    toy_bench_end(&bench);
    toy_bench_read(&bench);
}

static void get_reads_a_safe_method(void)
{
    static const struct {
        const char *query;
        const char *text;
        const char *content_type;
    } rows[] = {
        {"connect=v1&base64=1&encoding=proto&message=CgVoZWxsbw", "hello", "application/proto"},
        {"message=CgVoZWxsbw%3D%3D&base64=1&encoding=proto", "hello", "application/proto"},
        {"base64=1&encoding=proto&message=CgI_Pw", "??", "application/proto"}, /* URL-safe */
        {"encoding=proto&message=%0a%05hello", "hello", "application/proto"},
        {"encoding=json&message=%7B%22text%22%3A%22a+b%22%7D", "a b", "application/json"},
        {"encoding=json&message={%22text%22:%22x%22}&unknown=1&&x", "x", "application/json"},
        {"encoding=proto&message=", "", "application/proto"},
        {"encoding=proto&message", "", "application/proto"},
        {"encoding=proto&message=&base64=0&compression=", "", "application/proto"},
        {"encoding=proto&message=&compression=identity", "", "application/proto"},
        {"encoding=proto&message=&compression=gzip", "", "application/proto"},
    };

    toy_bench_open(&bench, &answers);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct toy_answer answer;

        get("Read", rows[i].query);
        CU_ASSERT_EQUAL(http_code(), 200);
        CU_ASSERT_STRING_EQUAL(bench.toy.text, rows[i].text);
        toy_bench_look(&bench, &answer);
        CU_ASSERT_STRING_EQUAL(answer.text, rows[i].text);
        CU_ASSERT_STRING_EQUAL(head("content-type"), rows[i].content_type);
        CU_ASSERT_STRING_EQUAL(head("vary"), "accept-encoding");
    }
    toy_bench_close(&bench);
}

static void get_that_is_wrong_is_refused(void)
{
    static const struct {
        const char *query;
        int http_code;
        int code;
    } rows[] = {
        {"message=", 415, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=foo&message=", 415, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=&message=", 415, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=proto", 400, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=proto&message=&connect=v2", 400, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=proto&message=&connect=", 400, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=proto&message=&compression=br", 501, VTS_RPC_UNIMPLEMENTED},
        {"encoding=proto&message=%zz", 400, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=proto&message=!&base64=1", 400, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=proto&message=%0a%05hell", 400, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=proto&message=%0a%01%ff", 400, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=json&message=nothing", 400, VTS_RPC_INVALID_ARGUMENT},
        {"encoding=proto&message=AAAA&base64=1&compression=gzip", 400, VTS_RPC_INVALID_ARGUMENT},
    };

    toy_bench_open(&bench, &answers);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        get("Read", rows[i].query);
        CU_ASSERT_EQUAL(http_code(), rows[i].http_code);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), rows[i].code);
        CU_ASSERT_EQUAL(bench.toy.messages + bench.toy.ends, 0);
    }
    /* Methods that may do something. */
    get("Unary", "encoding=proto&message=");
    CU_ASSERT_EQUAL(http_code(), 405);
    toy_bench_close(&bench);
}

static void get_without_a_query_is_refused_when_it_is_complete(void)
{
    toy_bench_open(&bench, &answers);
    toy_bench_make(&bench, "Read", NULL);
    bench.fake.exchange.request.method = VTS_METHOD_GET;
    toy_bench_begin(&bench);
    CU_ASSERT_EQUAL(bench.fake.sent_count, 0);
    toy_bench_end(&bench);
    CU_ASSERT_EQUAL(http_code(), 415);
    toy_bench_close(&bench);
}

static void get_with_a_body_is_refused(void)
{
    toy_bench_open(&bench, &answers);
    toy_bench_make_get(&bench, "Read", "encoding=proto&message=");
    toy_bench_begin(&bench);
    CU_ASSERT(toy_bench_give_raw(&bench, vts_str_of("x")));
    CU_ASSERT_EQUAL(http_code(), 415);
    CU_ASSERT_EQUAL(bench.toy.messages, 0);
    toy_bench_close(&bench);
}

static void get_keeps_to_the_methods_limit(void)
{
    char query[1200] = "encoding=json&message=%7B%22text%22:%22";
    size_t len = strlen(query);

    memset(query + len, 'x', 1000);
    memcpy(query + len + 1000, "%22%7D", 7);
    toy_bench_open_with(&bench, &answers, "message_bytes=1000", NULL);
    get("Read", query);
    CU_ASSERT_EQUAL(http_code(), 429);
    CU_ASSERT_PTR_NOT_NULL(
        strstr(toy_bench_message(&bench), "the message has 1011 bytes; the maximum is 1000"));
    memcpy(query + len + 989, "%22%7D", 7);
    get("Read", query);
    CU_ASSERT_EQUAL(http_code(), 200);
    toy_bench_close(&bench);
}

/* ---- entity tags -------------------------------------------------------------------------------
 */

static void answer_unless_current(struct vts_call *call, const Toy__V1__Ask *ask)
{
    if (!vts_call_is_current(call, vts_str_of("W/\"r7\"")))
        toy_answer(call, ask);
    else
        CU_ASSERT(vts_call_is_over(call));
}

static void get_with_the_entity_tag_is_answered_304(void)
{
    static const struct {
        const char *known; /* NULL: none */
        int http_code;
    } rows[] = {{NULL, 200}, {"W/\"r6\"", 200}, {"W/\"r7\"", 304}, {"\"r7\"", 304}, {"*", 304}};

    toy_bench_open(&bench, &(struct toy_script){.on_message = answer_unless_current});
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        toy_bench_make_get(&bench, "Read", "encoding=proto&message=%0a%01a");
        if (rows[i].known != NULL)
            fake_exchange_add_header(&bench.fake, "if-none-match", rows[i].known);
        toy_bench_begin(&bench);
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(http_code(), rows[i].http_code);
        CU_ASSERT_STRING_EQUAL(head("etag"), "W/\"r7\"");
        CU_ASSERT_STRING_EQUAL(head("cache-control"), "no-cache");
        CU_ASSERT_EQUAL(bench.fake.body_len, rows[i].http_code == 200 ? 3 : 0);
        CU_ASSERT_STRING_EQUAL(head("content-type"),
                               rows[i].http_code == 200 ? "application/proto" : "(none)");
    }
    toy_bench_close(&bench);
}

static void post_has_no_entity_tag(void)
{
    static const char *const types[] = {"application/proto", "application/grpc"};

    toy_bench_open(&bench, &(struct toy_script){.on_message = answer_unless_current});
    for (size_t i = 0; i < VTS_ARRAY_LEN(types); i++) {
        toy_bench_make(&bench, "Read", types[i]);
        fake_exchange_add_header(&bench.fake, "if-none-match", "*");
        toy_bench_begin(&bench);
        toy_bench_call(&bench, "a");
        CU_ASSERT_EQUAL(http_code(), 200);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
        CU_ASSERT_STRING_EQUAL(head("etag"), "(none)");
    }
    toy_bench_close(&bench);
}

/* ---- pages of others ---------------------------------------------------------------------------
 */

static void preflight(const char *origin, const char *method, const char *headers)
{
    toy_bench_make(&bench, "Unary", NULL);
    bench.fake.exchange.request.method = VTS_METHOD_OPTIONS;
    if (origin != NULL)
        fake_exchange_add_header(&bench.fake, "origin", origin);
    if (method != NULL)
        fake_exchange_add_header(&bench.fake, "access-control-request-method", method);
    if (headers != NULL)
        fake_exchange_add_header(&bench.fake, "access-control-request-headers", headers);
    toy_bench_begin(&bench);
    toy_bench_end(&bench);
}

static void preflight_gives_leave_to_listed_origins(void)
{
    static const struct {
        const char *origins;
        const char *origin;
        bool is_allowed;
    } rows[] = {
        {"https://a.example", "https://a.example", true},
        {"https://b.example , https://a.example", "https://a.example", true},
        {"*", "https://a.example", true},
        {"reads", "https://a.example", false},
        {"reads,https://a.example", "https://a.example", true},
        {"https://a.example", "https://a.example:8443", false},
        {"https://a.example", "https://a.exampl", false},
        {"https://a.example", "https://A.example", false},
        {"https://a.example", "null", false},
        {"https://a.example,", "", false},
        {"", "", false},
        {NULL, "https://a.example", false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        toy_bench_open_with(&bench, NULL, NULL, rows[i].origins);
        preflight(rows[i].origin, "POST", "content-type,x-a");
        CU_ASSERT_EQUAL(http_code(), 204);
        CU_ASSERT_EQUAL(bench.fake.body_len, 0);
        CU_ASSERT_STRING_EQUAL(head("access-control-allow-origin"),
                               rows[i].is_allowed ? rows[i].origin : "(none)");
        CU_ASSERT_STRING_EQUAL(head("access-control-allow-methods"),
                               rows[i].is_allowed ? "GET, POST" : "(none)");
        CU_ASSERT_STRING_EQUAL(head("access-control-allow-headers"),
                               rows[i].is_allowed ? "content-type,x-a" : "(none)");
        CU_ASSERT_STRING_EQUAL(head("access-control-allow-credentials"), "(none)");
        toy_bench_close(&bench);
    }
}

static void preflight_that_is_none_is_a_request_as_any(void)
{
    toy_bench_open_with(&bench, NULL, NULL, "*");
    preflight(NULL, "POST", NULL);
    CU_ASSERT_EQUAL(http_code(), 405);
    preflight("https://a.example", NULL, NULL);
    CU_ASSERT_EQUAL(http_code(), 405);
    preflight("https://a.example", "POST", NULL);
    CU_ASSERT_EQUAL(http_code(), 204);
    CU_ASSERT_STRING_EQUAL(head("access-control-allow-headers"), "(none)");
    toy_bench_close(&bench);
}

static void preflight_that_asks_for_too_much_gets_no_headers(void)
{
    char headers[1100];

    memset(headers, 'x', sizeof(headers));
    headers[sizeof(headers) - 1] = '\0';
    toy_bench_open_with(&bench, NULL, NULL, "*");
    preflight("https://a.example", "POST", headers);
    CU_ASSERT_EQUAL(http_code(), 204);
    CU_ASSERT_STRING_EQUAL(head("access-control-allow-headers"), "(none)");
    toy_bench_close(&bench);
}

static void add_metadata_and_answer(struct vts_call *call, const Toy__V1__Ask *ask)
{
    CU_ASSERT_EQUAL(vts_call_add_header(call, "x-a", vts_str_of("1")), VTS_OK);
    CU_ASSERT_EQUAL(vts_call_add_header(call, "x-a", vts_str_of("2")), VTS_OK);
    CU_ASSERT_EQUAL(vts_call_add_trailer(call, "x-b", vts_str_of("3")), VTS_OK);
    toy_answer(call, ask);
}

static void answers_and_refusals_may_be_read_by_listed_origins(void)
{
    static const struct {
        const char *path;
        const char *content_type;
        int http_code;
        int denied_http_code; /* gRPC's outcome stands elsewhere */
    } rows[] = {
        {"Unary", "application/grpc-web", 200, 200},
        {"Unary", "application/json", 200, 403},
        {"Unary", "text/plain", 415, 415},
        {"Nothing", "application/grpc-web", 200, 200},
        {"Nothing", "application/json", 404, 404},
        {"Missing", "application/json", 501, 403},
        {"Repeat", "application/grpc-web", 200, 200},
    };
    const char *origin = "https://a.example";

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows) * 2; i++) {
        bool is_allowed = i % 2 == 0;
        const char *exposed;

        toy_bench_open_with(&bench, &(struct toy_script){.on_message = add_metadata_and_answer},
                            NULL, is_allowed ? origin : "https://b.example");
        toy_bench_make(&bench, rows[i / 2].path, rows[i / 2].content_type);
        fake_exchange_add_header(&bench.fake, "origin", origin);
        toy_bench_begin(&bench);
        if (fake_exchange_is_open(&bench.fake))
            (void)toy_bench_ask(&bench, "a", 0);
        toy_bench_end(&bench);
        toy_bench_read(&bench);
        CU_ASSERT_EQUAL(http_code(),
                        is_allowed ? rows[i / 2].http_code : rows[i / 2].denied_http_code);
        CU_ASSERT(is_allowed || bench.toy.messages == 0);
        CU_ASSERT_STRING_EQUAL(head("access-control-allow-origin"), is_allowed ? origin : "(none)");
        CU_ASSERT_STRING_EQUAL(head("vary"), "origin"); /* caches must know */
        exposed = head("access-control-expose-headers");
        CU_ASSERT_EQUAL(strstr(exposed, "grpc-status,grpc-message,grpc-status-details-bin") != NULL,
                        is_allowed);
        if (is_allowed && bench.toy.messages > 0)
            CU_ASSERT_PTR_NOT_NULL(strstr(exposed, ",x-a,x-b,trailer-x-b"));
        toy_bench_close(&bench);
    }
}

static void requests_of_no_page_are_answered_as_ever(void)
{
    toy_bench_open(&bench, &answers);
    toy_bench_start(&bench, "Unary", "application/json");
    toy_bench_call(&bench, "a");
    CU_ASSERT_STRING_EQUAL(head("vary"), "(none)");
    CU_ASSERT_STRING_EQUAL(head("access-control-allow-origin"), "(none)");
    CU_ASSERT_STRING_EQUAL(head("access-control-expose-headers"), "(none)");
    toy_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"media_type_chooses_dialect_and_codec", media_type_chooses_dialect_and_codec},
    {"unary_connect_is_for_methods_of_one_message", unary_connect_is_for_methods_of_one_message},
    {"unknown_method_is_refused_in_the_clients_words",
     unknown_method_is_refused_in_the_clients_words},
    {"method_without_a_handler_is_unimplemented", method_without_a_handler_is_unimplemented},
    {"wrong_verb_is_told_the_right_ones", wrong_verb_is_told_the_right_ones},
    {"http1_carries_what_needs_no_trailers_and_one_way_at_a_time",
     http1_carries_what_needs_no_trailers_and_one_way_at_a_time},
    {"call_without_memory_is_refused", call_without_memory_is_refused},
    {"get_reads_a_safe_method", get_reads_a_safe_method},
    {"get_that_is_wrong_is_refused", get_that_is_wrong_is_refused},
    {"get_without_a_query_is_refused_when_it_is_complete",
     get_without_a_query_is_refused_when_it_is_complete},
    {"get_with_a_body_is_refused", get_with_a_body_is_refused},
    {"get_keeps_to_the_methods_limit", get_keeps_to_the_methods_limit},
    {"get_with_the_entity_tag_is_answered_304", get_with_the_entity_tag_is_answered_304},
    {"post_has_no_entity_tag", post_has_no_entity_tag},
    {"preflight_gives_leave_to_listed_origins", preflight_gives_leave_to_listed_origins},
    {"preflight_that_is_none_is_a_request_as_any", preflight_that_is_none_is_a_request_as_any},
    {"preflight_that_asks_for_too_much_gets_no_headers",
     preflight_that_asks_for_too_much_gets_no_headers},
    {"answers_and_refusals_may_be_read_by_listed_origins",
     answers_and_refusals_may_be_read_by_listed_origins},
    {"requests_of_no_page_are_answered_as_ever", requests_of_no_page_are_answered_as_ever},
};

int main(void)
{
    return vts_test_run("test_dispatch", tests, VTS_ARRAY_LEN(tests));
}
