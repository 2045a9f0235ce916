/* SPDX-License-Identifier: Apache-2.0 */
/* test_rest_call.c - calls as paths, queries and bodies, and their outcomes as HTTP has them. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/gzip.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

static struct toy_bench bench;

/* What a handler may say beside its answer; the rest of a script's on_message. */
static struct vts_call_hints hints;
static const char *etag;

/* Echoes the request whole. */
static void answer_all(struct vts_call *call, const Toy__V1__Ask *ask)
{
    Toy__V1__Tell tell = TOY__V1__TELL__INIT;

    tell.text = ask->text;
    tell.asked = (Toy__V1__Ask *)(uintptr_t)ask;
    vts_call_hint(call, &hints);
    if (etag != NULL && vts_call_is_current(call, vts_str_of(etag)))
        return;
    if (vts_call_send(call, &tell.base) == VTS_OK)
        vts_call_finish(call, VTS_RPC_OK, NULL);
    else
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
}

static void open_bench(void)
{
    hints = (struct vts_call_hints){.http_code = 0};
    etag = NULL;
    toy_bench_open(&bench, &(struct toy_script){.on_message = answer_all});
}

/* Makes an exchange; the fields come before ask(). content_type may be NULL. */
static void make(enum vts_method verb, const char *target, const char *content_type)
{
    toy_bench_make(&bench, target, content_type);
    bench.fake.exchange.request.method = verb;
}

/* Gives the body and returns HTTP's code. */
static int ask(const char *body)
{
    toy_bench_begin(&bench);
    if (bench.fake.exchange.user_ops != NULL)
        (void)fake_exchange_give(&bench.fake, vts_str_of(body), SIZE_MAX); /* or it is refused */
    toy_bench_end(&bench);
    toy_bench_read(&bench);
    CU_ASSERT_EQUAL(bench.fake.sent_count, 1);
    CU_ASSERT_EQUAL(bench.fake.started_count, 0);
    return bench.fake.exchange.response.code;
}

static void check_body(const char *expected)
{
    if (strcmp(bench.fake.body, expected) != 0)
        printf("\ngot      %s\nexpected %s\n", bench.fake.body, expected);
    CU_ASSERT_STRING_EQUAL(bench.fake.body, expected);
}

static const char *field(const char *name)
{
    return fake_exchange_field(&bench.fake, name);
}

/* ---- requests -------------------------------------------------------------------------- */

static void request_is_the_query(void)
{
    open_bench();
    make(VTS_METHOD_GET, "/v1/toys?text=a+b&number=1&number=2&mood=good", NULL);
    CU_ASSERT_EQUAL(ask(""), 200);
    check_body(
        "{\"text\":\"a b\",\"asked\":{\"text\":\"a b\",\"numbers\":[1,2],\"mood\":\"good\"}}");
    CU_ASSERT_STRING_EQUAL(field("content-type"), "application/json");
    toy_bench_close(&bench);
}

static void request_is_the_body(void)
{
    open_bench();
    make(VTS_METHOD_POST, "/v1/toys", "application/json; charset=utf-8");
    CU_ASSERT_EQUAL(ask("{\"text\":\"hi\",\"mood\":\"MOOD_GOOD\"}"), 201);
    check_body("{\"text\":\"hi\",\"asked\":{\"text\":\"hi\",\"mood\":\"good\"}}");
    make(VTS_METHOD_POST, "/v1/toys", "application/x-protobuf");
    CU_ASSERT_EQUAL(ask("\x0a\x02hi"), 201);
    check_body("{\"text\":\"hi\",\"asked\":{\"text\":\"hi\"}}");
    toy_bench_close(&bench);
}

static void body_may_have_what_its_flat_field_has(void)
{
    open_bench();
    make(VTS_METHOD_POST, "/v1/toys", "application/json");
    CU_ASSERT_EQUAL(ask("{\"note\":\"n\",\"tag\":\"t\"}"), 201);
    check_body("{\"asked\":{\"tag\":\"t\",\"extra\":{\"note\":\"n\"}}}");
    make(VTS_METHOD_POST, "/v1/toys/a:show", "application/json");
    CU_ASSERT_EQUAL(ask("{\"note\":\"n\"}"), 400); /* whose row has none */
    toy_bench_close(&bench);
}

static void body_may_be_left_out(void)
{
    open_bench();
    make(VTS_METHOD_POST, "/v1/toys", NULL);
    CU_ASSERT_EQUAL(ask(""), 201);
    check_body("{\"asked\":{}}");
    toy_bench_close(&bench);
}

static void path_fills_its_field_whatever_else_says(void)
{
    open_bench();
    make(VTS_METHOD_GET, "/v1/toys/a%2Fb+c?tag=t", NULL);
    CU_ASSERT_EQUAL(ask(""), 200);
    check_body("{\"text\":\"a/b+c\",\"asked\":{\"text\":\"a/b+c\",\"tag\":\"t\"}}");
    make(VTS_METHOD_POST, "/v1/toys/path:show", "application/json");
    CU_ASSERT_EQUAL(ask("{\"text\":\"body\",\"tag\":\"t\"}"), 200);
    check_body("{\"text\":\"path\",\"tag\":\"t\"}");
    toy_bench_close(&bench);
}

static void if_match_fills_its_field(void)
{
    static const struct {
        const char *tags;
        const char *tag;
    } rows[] = {{"W/\"r7\"", "W/\"r7\""}, {"*", ""}, {NULL, ""}};

    open_bench();
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        char wanted[128];

        make(VTS_METHOD_POST, "/v1/toys/a:small", "application/json");
        if (rows[i].tags != NULL)
            fake_exchange_add_header(&bench.fake, "if-match", rows[i].tags);
        CU_ASSERT_EQUAL(ask(""), 200);
        (void)snprintf(wanted, sizeof(wanted), "{\"text\":\"a\",\"asked\":{\"text\":\"a\"%s}}",
                       rows[i].tag[0] == '\0' ? "" : ",\"tag\":\"W/\\\"r7\\\"\"");
        check_body(wanted);
    }
    /* Where the row does not name a field, nobody looks at it. */
    make(VTS_METHOD_POST, "/v1/toys/a:show", NULL);
    fake_exchange_add_header(&bench.fake, "if-match", "\"r7\"");
    CU_ASSERT_EQUAL(ask(""), 200);
    check_body("{\"text\":\"a\"}");
    toy_bench_close(&bench);
}

static void request_that_is_wrong_is_refused(void)
{
    static const struct {
        enum vts_method verb;
        const char *target;
        const char *content_type;
        const char *body;
        int http_code;
        const char *word;
    } rows[] = {
        {VTS_METHOD_GET, "/v1/toys?other=1", NULL, "", 400, "other, in the query"},
        {VTS_METHOD_GET, "/v1/toys?number=x", NULL, "", 400, "numbers[0]: an integer is wanted"},
        {VTS_METHOD_GET, "/v1/toys/%zz", NULL, "", 400, "text, in the path"},
        {VTS_METHOD_GET, "/v1/toys/a%00", NULL, "", 400, "text, in the path"},
        {VTS_METHOD_GET, "/v1/toys/%ff", NULL, "", 400, "text, in the path"},
        {VTS_METHOD_GET, "/v1/toys", NULL, "x", 400, "takes no body"},
        {VTS_METHOD_DELETE, "/v1/toys/a", "application/json", "{}", 400, "takes no body"},
        {VTS_METHOD_POST, "/v1/toys?text=a", "application/json", "{}", 400, "takes no query"},
        {VTS_METHOD_POST, "/v1/toys", "application/json", "{", 400, "invalid_argument"},
        {VTS_METHOD_POST, "/v1/toys", "application/json", "{\"x\":1}", 400, "no such field"},
        {VTS_METHOD_POST, "/v1/toys", "application/x-protobuf", "\x0a\x05", 400,
         "invalid_argument"},
        {VTS_METHOD_POST, "/v1/toys", NULL, "{}", 415, "no content type"},
        {VTS_METHOD_POST, "/v1/toys", "text/plain", "", 415, "application/x-protobuf"},
        {VTS_METHOD_POST, "/v1/toys", "application/proto", "", 415, "application/x-protobuf"},
        {VTS_METHOD_POST, "/v1/toys/a:small", "application/json",
         "{\"tag\":\"0123456789012345678901234567890123456789012345678901234567890123\"}", 413,
         "resource_exhausted"},
        {VTS_METHOD_POST, "/v1/missing", "application/json", "{}", 501, "unimplemented"},
    };

    open_bench();
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        make(rows[i].verb, rows[i].target, rows[i].content_type);
        CU_ASSERT_EQUAL(ask(rows[i].body), rows[i].http_code);
        if (strstr(bench.fake.body, rows[i].word) == NULL)
            printf("\n%s: %s\n", rows[i].target, bench.fake.body);
        CU_ASSERT_PTR_NOT_NULL(strstr(bench.fake.body, rows[i].word));
        CU_ASSERT_STRING_EQUAL(field("content-type"), "application/json");
        CU_ASSERT_STRING_EQUAL(field("cache-control"), "no-store");
        CU_ASSERT_STRING_EQUAL(field("accept"), rows[i].http_code == 415
                                                    ? "application/json, application/x-protobuf"
                                                    : "(none)");
        CU_ASSERT_EQUAL(bench.toy.messages, 0);
    }
    toy_bench_close(&bench);
}

static void encoding_that_is_not_known_is_refused(void)
{
    open_bench();
    make(VTS_METHOD_POST, "/v1/toys", "application/json");
    fake_exchange_add_header(&bench.fake, "content-encoding", "br");
    CU_ASSERT_EQUAL(ask("{}"), 415);
    CU_ASSERT_STRING_EQUAL(field("accept-encoding"), "gzip");
    toy_bench_close(&bench);
}

static void body_that_is_compressed_is_taken(void)
{
    struct vts_gzip gzip;
    struct vts_buf packed;

    open_bench();
    vts_gzip_init(&gzip);
    vts_buf_init(&packed, 1000);
    CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_str_of("{\"text\":\"hi\"}"), &packed), VTS_OK);
    make(VTS_METHOD_POST, "/v1/toys/a:show", "application/json");
    fake_exchange_add_header(&bench.fake, "content-encoding", "gzip");
    toy_bench_begin(&bench);
    CU_ASSERT_EQUAL(fake_exchange_give(&bench.fake, vts_buf_str(&packed), 3), packed.len);
    toy_bench_end(&bench);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 200);
    check_body("{\"text\":\"a\"}");
    vts_buf_fini(&packed);
    vts_gzip_fini(&gzip);
    toy_bench_close(&bench);
}

static void verb_that_is_not_the_paths_is_refused(void)
{
    static const struct {
        enum vts_method verb;
        const char *target;
        const char *allow;
    } rows[] = {
        {VTS_METHOD_PUT, "/v1/toys", "GET, HEAD, POST"},
        {VTS_METHOD_POST, "/v1/toys/a", "GET, HEAD, DELETE"},
        {VTS_METHOD_GET, "/v1/toys/a:show", "POST"},
        {VTS_METHOD_OPTIONS, "/v1/toys/a:show", "POST"},
    };

    open_bench();
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        make(rows[i].verb, rows[i].target, "application/json");
        CU_ASSERT_EQUAL(ask(""), 405);
        CU_ASSERT_STRING_EQUAL(field("allow"), rows[i].allow);
        CU_ASSERT_PTR_NOT_NULL(strstr(bench.fake.body, "\"code\":\"unimplemented\""));
    }
    make(VTS_METHOD_GET, "/v1/toys/a/b", NULL);
    CU_ASSERT_EQUAL(ask(""), 404);
    toy_bench_close(&bench);
}

/* ---- answers --------------------------------------------------------------------------- */

static void answer_comes_as_the_client_likes_it(void)
{
    open_bench();
    make(VTS_METHOD_POST, "/v1/toys/a:show", "application/json");
    fake_exchange_add_header(&bench.fake, "accept", "application/x-protobuf");
    CU_ASSERT_EQUAL(ask("{}"), 200);
    check_body(
        "\x0a\x01"
        "a");
    CU_ASSERT_STRING_EQUAL(field("content-type"), "application/x-protobuf");
    CU_ASSERT_STRING_EQUAL(field("vary"), "accept, accept-encoding");
    make(VTS_METHOD_POST, "/v1/toys/a:show", "application/json");
    fake_exchange_add_header(&bench.fake, "accept", "text/html");
    CU_ASSERT_EQUAL(ask("{}"), 406);
    CU_ASSERT_EQUAL(bench.toy.messages, 0);
    make(VTS_METHOD_GET, "/v1/toys/a", NULL);
    fake_exchange_add_header(&bench.fake, "accept", "text/event-stream");
    CU_ASSERT_EQUAL(ask(""), 406); /* which is for resources that change, and end */
    CU_ASSERT_EQUAL(bench.toy.messages, 0);
    toy_bench_close(&bench);
}

static void answer_is_compressed_when_it_pays(void)
{
    static const char zeros[] = "{\"numbers\":[";
    struct vts_buf body;

    open_bench();
    vts_buf_init(&body, 10000);
    vts_buf_append_text(&body, zeros);
    for (int i = 0; i < 2000; i++)
        vts_buf_append_text(&body, i == 0 ? "1" : ",1");
    vts_buf_append(&body, "]}", 3);
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(&body), VTS_OK);
    make(VTS_METHOD_POST, "/v1/toys/a:show", "application/json");
    fake_exchange_add_header(&bench.fake, "accept-encoding", "gzip");
    CU_ASSERT_EQUAL(ask(body.ptr), 200);
    CU_ASSERT_STRING_EQUAL(field("content-encoding"), "gzip");
    CU_ASSERT(bench.fake.body_len < 200);
    vts_buf_fini(&body);
    make(VTS_METHOD_POST, "/v1/toys/a:show", "application/json");
    fake_exchange_add_header(&bench.fake, "accept-encoding", "gzip");
    CU_ASSERT_EQUAL(ask("{}"), 200);
    CU_ASSERT_STRING_EQUAL(field("content-encoding"), "(none)");
    toy_bench_close(&bench);
}

static void answer_without_content_has_none(void)
{
    open_bench();
    make(VTS_METHOD_DELETE, "/v1/toys/a", NULL);
    CU_ASSERT_EQUAL(ask(""), 204);
    CU_ASSERT_EQUAL(bench.fake.body_len, 0);
    CU_ASSERT_STRING_EQUAL(field("content-type"), "(none)");
    toy_bench_close(&bench);
}

static void answer_says_what_the_handler_hints(void)
{
    open_bench();
    hints = (struct vts_call_hints){
        .http_code = 202, .retry_after_s = 7, .location = vts_str_of("/v1/toys/a")};
    etag = "W/\"r1\"";
    make(VTS_METHOD_POST, "/v1/toys", "application/json");
    CU_ASSERT_EQUAL(ask("{}"), 202);
    CU_ASSERT_STRING_EQUAL(field("retry-after"), "7");
    CU_ASSERT_STRING_EQUAL(field("location"), "/v1/toys/a");
    CU_ASSERT_STRING_EQUAL(field("etag"), "W/\"r1\"");
    CU_ASSERT_STRING_EQUAL(field("cache-control"), "no-cache");
    /* Other dialects do not know of them. */
    toy_bench_start(&bench, "Unary", "application/json");
    toy_bench_call(&bench, "hi");
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 200);
    CU_ASSERT_STRING_EQUAL(field("location"), "(none)");
    CU_ASSERT_STRING_EQUAL(field("etag"), "(none)");
    toy_bench_close(&bench);
}

static void answer_that_the_client_has_is_not_sent_again(void)
{
    static const struct {
        enum vts_method verb;
        const char *target;
        const char *known;
        int http_code;
    } rows[] = {
        {VTS_METHOD_GET, "/v1/toys/a", "\"r1\"", 304},
        {VTS_METHOD_HEAD, "/v1/toys/a", "W/\"r1\"", 304},
        {VTS_METHOD_GET, "/v1/toys/a", "\"r2\"", 200},
        {VTS_METHOD_POST, "/v1/toys", "\"r1\"", 201},
    };

    open_bench();
    etag = "W/\"r1\"";
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        make(rows[i].verb, rows[i].target, "application/json");
        fake_exchange_add_header(&bench.fake, "if-none-match", rows[i].known);
        CU_ASSERT_EQUAL(ask(""), rows[i].http_code);
        CU_ASSERT_EQUAL(bench.fake.body_len == 0, rows[i].http_code == 304);
        CU_ASSERT_STRING_EQUAL(field("etag"), "W/\"r1\"");
    }
    toy_bench_close(&bench);
}

/* ---- outcomes -------------------------------------------------------------------------- */

static void fail_with_details(struct vts_call *call, const Toy__V1__Ask *asked)
{
    const struct vts_error_detail detail = {"toy.v1.Ask", vts_str_of("\x0a\x01x")};

    vts_call_hint(call, &hints);
    CU_ASSERT_EQUAL(toy_tell(call, asked->text, 0), VTS_OK); /* it is not sent */
    vts_call_fail(call, VTS_RPC_NOT_FOUND, "gone", &detail, 1);
}

static void failure_is_json_with_its_details(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = fail_with_details});
    hints = (struct vts_call_hints){.http_code = 0};
    make(VTS_METHOD_GET, "/v1/toys/a", NULL);
    fake_exchange_add_header(&bench.fake, "accept", "application/x-protobuf");
    CU_ASSERT_EQUAL(ask(""), 404);
    check_body(
        "{\"code\":\"not_found\",\"message\":\"gone\",\"details\":[{\"type\":\"toy.v1.Ask\","
        "\"value\":\"CgF4\"}]}");
    CU_ASSERT_STRING_EQUAL(field("content-type"), "application/json");
    hints = (struct vts_call_hints){.http_code = 410, .retry_after_s = 2};
    make(VTS_METHOD_GET, "/v1/toys/a", NULL);
    CU_ASSERT_EQUAL(ask(""), 410);
    CU_ASSERT_STRING_EQUAL(field("retry-after"), "2");
    /* Connect has the code's own. */
    toy_bench_start(&bench, "Unary", "application/json");
    toy_bench_call(&bench, "hi");
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 404);
    toy_bench_close(&bench);
}

static void say_nothing(struct vts_call *call, const Toy__V1__Ask *asked)
{
    (void)call;
    (void)asked;
}

static void answer_may_come_later(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = say_nothing});
    make(VTS_METHOD_POST, "/v1/toys", "application/json");
    toy_bench_begin(&bench);
    CU_ASSERT(toy_bench_give_raw(&bench, vts_str_of("{}")));
    toy_bench_end(&bench);
    CU_ASSERT_EQUAL(bench.fake.sent_count, 0);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench.toy.call);
    CU_ASSERT_EQUAL(toy_tell(bench.toy.call, "late", 0), VTS_OK);
    vts_call_finish(bench.toy.call, VTS_RPC_OK, NULL);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 201);
    check_body("{\"text\":\"late\"}");
    toy_bench_close(&bench);
}

static void send_encoded(struct vts_call *call, const Toy__V1__Ask *asked)
{
    static const struct vts_encoded encoded = {.lead_len = 2,
                                               .lead = "\x1a\x05",
                                               .body = {"\x0a\x01", 2},
                                               .tail_len = 3,
                                               .tail = "x0\x01"};

    (void)asked;
    CU_ASSERT_EQUAL(vts_call_send_encoded(call, &encoded), VTS_OK);
    vts_call_finish(call, VTS_RPC_OK, NULL);
}

static void answer_that_is_encoded_already_is_told_as_all_are(void)
{
    static const char *const accepts[] = {"application/json", "application/x-protobuf"};
    static const char *const bodies[] = {"{\"text\":\"x\",\"mood\":\"good\"}", "\x0a\x01x0\x01"};

    toy_bench_open(&bench, &(struct toy_script){.on_message = send_encoded});
    for (size_t i = 0; i < VTS_ARRAY_LEN(accepts); i++) {
        make(VTS_METHOD_POST, "/v1/toys/a:show", "application/json");
        fake_exchange_add_header(&bench.fake, "accept", accepts[i]);
        CU_ASSERT_EQUAL(ask("{}"), 200);
        check_body(bodies[i]);
    }
    toy_bench_close(&bench);
}

static void answer_without_its_part_fails(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    make(VTS_METHOD_POST, "/v1/toys/a:show", "application/json");
    CU_ASSERT(ask("{}") >= 400); /* Show answers with "asked", which is not there */
    toy_bench_close(&bench);
}

static void client_that_goes_away_ends_the_call(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = say_nothing});
    make(VTS_METHOD_POST, "/v1/toys", "application/json");
    toy_bench_begin(&bench);
    toy_bench_end(&bench);
    fake_exchange_close(&bench.fake);
    CU_ASSERT_EQUAL(bench.toy.ends, 1);
    CU_ASSERT_EQUAL(bench.fake.sent_count, 0);
    toy_bench_close(&bench);
}

static void browser_may_ask_for_leave(void)
{
    toy_bench_open_with(&bench, &(struct toy_script){.on_message = toy_answer}, NULL, "*");
    make(VTS_METHOD_OPTIONS, "/v1/toys/a", NULL);
    fake_exchange_add_header(&bench.fake, "origin", "https://example.org");
    fake_exchange_add_header(&bench.fake, "access-control-request-method", "DELETE");
    CU_ASSERT_EQUAL(ask(""), 204);
    CU_ASSERT_STRING_EQUAL(field("access-control-allow-methods"), "GET, HEAD, DELETE");
    CU_ASSERT_STRING_EQUAL(field("access-control-allow-origin"), "https://example.org");
    make(VTS_METHOD_GET, "/v1/toys/a", NULL);
    fake_exchange_add_header(&bench.fake, "origin", "https://example.org");
    CU_ASSERT_EQUAL(ask(""), 200);
    CU_ASSERT_STRING_EQUAL(field("access-control-allow-origin"), "https://example.org");
    toy_bench_close(&bench);
}

static void call_without_memory_is_still_answered(void)
{
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        int code;

        open_bench();
        hints.location = vts_str_of("/v1/toys/a");
        make(VTS_METHOD_POST, "/v1/toys/a:small", "application/json");
        fake_exchange_add_header(&bench.fake, "if-match", "\"r1\"");
        toy_bench_begin(&bench);
        (void)vts_mem_fail_after(count);
        if (bench.fake.exchange.user_ops != NULL)
            (void)fake_exchange_give(&bench.fake, vts_str_of("{\"mood\":1}"), SIZE_MAX);
        toy_bench_end(&bench);
        has_failed = vts_mem_fail_after(-1) != 0;
        code = bench.fake.exchange.response.code;
        CU_ASSERT_EQUAL(bench.fake.sent_count, 1);
        CU_ASSERT(code == 200 || code == 429);
        toy_bench_close(&bench);
    }
}

static const struct vts_test tests[] = {
    {"request_is_the_query", request_is_the_query},
    {"request_is_the_body", request_is_the_body},
    {"body_may_have_what_its_flat_field_has", body_may_have_what_its_flat_field_has},
    {"body_may_be_left_out", body_may_be_left_out},
    {"path_fills_its_field_whatever_else_says", path_fills_its_field_whatever_else_says},
    {"if_match_fills_its_field", if_match_fills_its_field},
    {"request_that_is_wrong_is_refused", request_that_is_wrong_is_refused},
    {"encoding_that_is_not_known_is_refused", encoding_that_is_not_known_is_refused},
    {"body_that_is_compressed_is_taken", body_that_is_compressed_is_taken},
    {"verb_that_is_not_the_paths_is_refused", verb_that_is_not_the_paths_is_refused},
    {"answer_comes_as_the_client_likes_it", answer_comes_as_the_client_likes_it},
    {"answer_is_compressed_when_it_pays", answer_is_compressed_when_it_pays},
    {"answer_without_content_has_none", answer_without_content_has_none},
    {"answer_says_what_the_handler_hints", answer_says_what_the_handler_hints},
    {"answer_that_the_client_has_is_not_sent_again", answer_that_the_client_has_is_not_sent_again},
    {"failure_is_json_with_its_details", failure_is_json_with_its_details},
    {"answer_may_come_later", answer_may_come_later},
    {"answer_that_is_encoded_already_is_told_as_all_are",
     answer_that_is_encoded_already_is_told_as_all_are},
    {"answer_without_its_part_fails", answer_without_its_part_fails},
    {"client_that_goes_away_ends_the_call", client_that_goes_away_ends_the_call},
    {"browser_may_ask_for_leave", browser_may_ask_for_leave},
    {"call_without_memory_is_still_answered", call_without_memory_is_still_answered},
};

int main(void)
{
    return vts_test_run("test_rest_call", tests, VTS_ARRAY_LEN(tests));
}
