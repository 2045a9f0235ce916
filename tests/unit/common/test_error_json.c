/* SPDX-License-Identifier: Apache-2.0 */
/* test_error_json.c - error bodies, written and read. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/wire/error_json.h"
#include "tests/support/suite.h"

static void check_written(const char *code_word, const char *message, const char *expected)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 1000);
    vts_error_json_write(&buf, code_word, message, NULL, 0);
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), expected));
    vts_buf_fini(&buf);
}

static void error_json_write_has_code_and_message(void)
{
    check_written("not_found", "no job \"x\"",
                  "{\"code\":\"not_found\",\"message\":\"no job \\\"x\\\"\"}");
    check_written("internal", "bad \xff",
                  "{\"code\":\"internal\",\"message\":\"bad \xef\xbf\xbd\"}");
}

static void error_json_write_leaves_out_an_empty_message(void)
{
    check_written("unavailable", "", "{\"code\":\"unavailable\"}");
}

static void error_json_write_without_memory_fails(void)
{
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_buf buf;

        vts_buf_init(&buf, 1000);
        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        vts_error_json_write(&buf, "not_found", "a text longer than the buffer's first 64 bytes",
                             NULL, 0);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(vts_buf_check(&buf), has_failed ? VTS_ERR_NOMEM : VTS_OK);
        CU_ASSERT(has_failed || count >= 2);
        vts_buf_fini(&buf);
    }
}

static void check_read(const char *json, const char *code_word, const char *message)
{
    struct vts_error_body body;

    CU_ASSERT_EQUAL_FATAL(vts_error_json_read(vts_str_of(json), &body), VTS_OK);
    CU_ASSERT_STRING_EQUAL(body.code_word, code_word);
    CU_ASSERT_STRING_EQUAL(body.message, message);
}

static void error_json_read_finds_code_and_message(void)
{
    check_read("{\"code\":\"not_found\",\"message\":\"no such job\"}", "not_found", "no such job");
    check_read(" { \"message\" : \"\\u00fc\\n\" , \"code\" : \"a\" } ", "a", "\xc3\xbc\n");
    check_read("{\"code\":\"x\"}", "x", "");
    check_read("{\"code\":\"\",\"message\":\"\"}", "", "");
}

static void error_json_read_ignores_other_members(void)
{
    check_read("{\"code\":\"a\",\"details\":[{\"type\":\"t\",\"value\":\"v\"}],\"x\":null}", "a",
               "");
}

static const char *reason_in(const char *details)
{
    static struct vts_error_body body;
    char json[256];

    (void)snprintf(json, sizeof(json), "{\"code\":\"aborted\",\"details\":%s}", details);
    CU_ASSERT_EQUAL_FATAL(vts_error_json_read(vts_str_of(json), &body), VTS_OK);
    return body.reason;
}

static void error_json_read_finds_the_reason(void)
{
    static const char info[] = "{\"type\":\"google.rpc.ErrorInfo\",\"value\":\"CgpMRUFTRV9MT1NU\"}";
    char details[200];

    (void)snprintf(details, sizeof(details), "[%s]", info);
    CU_ASSERT_STRING_EQUAL(reason_in(details), "LEASE_LOST");
    (void)snprintf(details, sizeof(details), "[{\"type\":\"t\",\"value\":\"\"},7,%s]", info);
    CU_ASSERT_STRING_EQUAL(reason_in(details), "LEASE_LOST");
}

static void error_json_read_finds_the_job(void)
{
    struct vts_error_body body;

    CU_ASSERT_EQUAL_FATAL(
        vts_error_json_read(
            vts_str_of("{\"code\":\"not_found\",\"details\":[{\"type\":\"google.rpc.ErrorInfo\","
                       "\"value\":\"Cg1KT0JfTk9UX0ZPVU5EGgYKAXgSAXkaDAoFam9iSWQSA2EtMQ\"}]}"),
            &body),
        VTS_OK);
    CU_ASSERT_STRING_EQUAL(body.job_id, "a-1");
    CU_ASSERT_EQUAL_FATAL(vts_error_json_read(vts_str_of("{\"code\":\"not_found\"}"), &body),
                          VTS_OK);
    CU_ASSERT_STRING_EQUAL(body.job_id, "");
}

static void error_json_read_does_without_a_reason(void)
{
    CU_ASSERT_STRING_EQUAL(reason_in("[]"), "");
    CU_ASSERT_STRING_EQUAL(reason_in("null"), "");
    CU_ASSERT_STRING_EQUAL(reason_in("[{\"type\":\"google.rpc.ErrorInfo\"}]"), "");
    CU_ASSERT_STRING_EQUAL(reason_in("[{\"type\":\"google.rpc.ErrorInfo\",\"value\":\"!\"}]"), "");
    /* Field 1 with 10 bytes announced and one there; then field 1 that is no UTF-8. */
    CU_ASSERT_STRING_EQUAL(reason_in("[{\"type\":\"google.rpc.ErrorInfo\",\"value\":\"CgpM\"}]"),
                           "");
    CU_ASSERT_STRING_EQUAL(reason_in("[{\"type\":\"google.rpc.ErrorInfo\",\"value\":\"CgH/\"}]"),
                           "");
}

static double retry_delay_in(const char *details)
{
    struct vts_error_body body;
    char json[256];

    (void)snprintf(json, sizeof(json), "{\"code\":\"unavailable\",\"details\":%s}", details);
    CU_ASSERT_EQUAL_FATAL(vts_error_json_read(vts_str_of(json), &body), VTS_OK);
    return body.retry_delay;
}

static void error_json_read_finds_the_retry_delay(void)
{
    /* retry_delay {seconds: 3 nanos: 500000000}; {seconds: -1}; none. */
    CU_ASSERT_EQUAL(retry_delay_in("[{\"type\":\"google.rpc.RetryInfo\",\"value\":"
                                   "\"CggIAxCAyrXuAQ\"}]"),
                    3.5);
    CU_ASSERT(retry_delay_in("[{\"type\":\"google.rpc.RetryInfo\",\"value\":"
                             "\"CgsI////////////AQ\"}]") < 0);
    CU_ASSERT(retry_delay_in("[{\"type\":\"google.rpc.RetryInfo\",\"value\":\"\"}]") < 0);
    CU_ASSERT(retry_delay_in("[]") < 0);
}

static enum vts_err read_end(const char *json, bool *ret_is_error, struct vts_error_body *ret_body)
{
    return vts_error_json_read_end(vts_str_of(json), ret_is_error, ret_body);
}

static void error_json_read_end_tells_success_from_error(void)
{
    struct vts_error_body body;
    bool is_error = true;

    CU_ASSERT_EQUAL(read_end("{}", &is_error, &body), VTS_OK);
    CU_ASSERT(!is_error);
    CU_ASSERT_EQUAL(read_end("{\"metadata\":{\"a\":[\"b\"]}}", &is_error, &body), VTS_OK);
    CU_ASSERT(!is_error);
    CU_ASSERT_EQUAL(
        read_end("{\"error\":{\"code\":\"unavailable\",\"message\":\"m\"}}", &is_error, &body),
        VTS_OK);
    CU_ASSERT(is_error);
    CU_ASSERT_STRING_EQUAL(body.code_word, "unavailable");
    CU_ASSERT_STRING_EQUAL(body.message, "m");
}

static void error_json_read_end_refuses_other_shapes(void)
{
    static const char *const texts[] = {
        "", "null", "[]", "{", "{\"error\":null}", "{\"error\":{}}", "{\"error\":[]}", "{} {}",
    };
    struct vts_error_body body;
    bool is_error = false;

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++)
        CU_ASSERT_EQUAL(read_end(texts[i], &is_error, &body), VTS_ERR_PROTOCOL);
}

static void check_refused(struct vts_str json)
{
    struct vts_error_body body = {"code", "message", .reason = "reason", .retry_delay = 7};

    CU_ASSERT_EQUAL(vts_error_json_read(json, &body), VTS_ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(body.code_word, "code");
    CU_ASSERT_STRING_EQUAL(body.message, "message");
    CU_ASSERT_STRING_EQUAL(body.reason, "reason");
    CU_ASSERT_EQUAL(body.retry_delay, 7);
}

static void error_json_read_refuses_other_shapes(void)
{
    static const char *const texts[] = {
        "",
        "null",
        "[]",
        "\"code\"",
        "{}",
        "{\"message\":\"m\"}",
        "{\"code\":5}",
        "{\"code\":null}",
        "{\"code\":\"a\",\"message\":7}",
        "{\"code\":\"a\",\"message\":null}",
        "{\"code\":\"a\"} x",
        "{\"code\":\"a\",}",
        "{'code':'a'}",
        "{\"code\":\"a\"",
        "{\"code\":\"\xff\"}",
        "{\"code\":\"\\ud800\"}",
        "{\"code\":\"a\\u0000b\"}",
        "<html></html>",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++)
        check_refused(vts_str_of(texts[i]));
    check_refused(vts_str_make(NULL, 0));
    check_refused(vts_str_make("{\"code\":\"a\"}\0", 13));
}

static void error_json_read_refuses_every_cut_off_body(void)
{
    static const char json[] = "{\"code\":\"not_found\",\"message\":\"\\u00fc\",\"details\":[{}]}";

    for (size_t len = 0; len < sizeof(json) - 1; len++)
        check_refused(vts_str_make(json, len));
}

static void error_json_read_refuses_duplicates(void)
{
    check_refused(vts_str_of("{\"code\":\"a\",\"code\":\"b\"}"));
    check_refused(vts_str_of("{\"code\":\"a\",\"message\":\"b\",\"message\":\"b\"}"));
}

static void error_json_read_refuses_deep_nesting(void)
{
    enum { DEPTH = 100000 };
    struct vts_buf json;

    vts_buf_init(&json, (size_t)4 * DEPTH);
    vts_buf_append_text(&json, "{\"code\":\"a\",\"details\":");
    for (int i = 0; i < DEPTH; i++)
        vts_buf_append_text(&json, "[");
    for (int i = 0; i < DEPTH; i++)
        vts_buf_append_text(&json, "]");
    vts_buf_append_text(&json, "}");
    CU_ASSERT_EQUAL(vts_buf_check(&json), VTS_OK);
    check_refused(vts_buf_str(&json));
    vts_buf_fini(&json);
}

static void error_json_read_cuts_off_huge_texts(void)
{
    struct vts_error_body body;
    struct vts_buf json;

    vts_buf_init(&json, 3000000);
    vts_buf_append_text(&json, "{\"code\":\"");
    for (int i = 0; i < 1000000; i++)
        vts_buf_append_text(&json, "c");
    vts_buf_append_text(&json, "\",\"message\":\"");
    for (int i = 0; i < 1000000; i++)
        vts_buf_append_text(&json, "m");
    vts_buf_append_text(&json, "\"}");
    CU_ASSERT_EQUAL_FATAL(vts_error_json_read(vts_buf_str(&json), &body), VTS_OK);
    CU_ASSERT_EQUAL(strlen(body.code_word), sizeof(body.code_word) - 1);
    CU_ASSERT_EQUAL(strlen(body.message), sizeof(body.message) - 1);
    vts_buf_fini(&json);
}

/* Three-byte characters after 0, 1 or 2 others: the cut falls at every place in one. */
static void error_json_read_cuts_off_at_a_whole_character(void)
{
    for (size_t shift = 0; shift < 3; shift++) {
        struct vts_error_body body;
        struct vts_buf json;
        size_t kept;

        vts_buf_init(&json, 2000);
        vts_buf_append_text(&json, "{\"code\":\"x\",\"message\":\"");
        for (size_t i = 0; i < shift; i++)
            vts_buf_append_text(&json, "a");
        for (int i = 0; i < 100; i++)
            vts_buf_append_text(&json, "\xe2\x82\xac");
        vts_buf_append_text(&json, "\"}");
        CU_ASSERT_EQUAL_FATAL(vts_error_json_read(vts_buf_str(&json), &body), VTS_OK);
        kept = strlen(body.message);
        CU_ASSERT_EQUAL((kept - shift) % 3, 0);
        CU_ASSERT(kept >= sizeof(body.message) - 3);
        vts_buf_fini(&json);
    }
}

/* Whatever bytes a message has, what is written can be read. */
static void error_json_read_takes_what_write_made(void)
{
    struct vts_rng rng;

    vts_rng_init(&rng, 7);
    for (int round = 0; round < 2000; round++) {
        struct vts_error_body body;
        struct vts_buf json;
        char message[40];

        for (size_t i = 0; i < sizeof(message) - 1; i++)
            message[i] = (char)(vts_rng_next(&rng) % 255 + 1);
        message[vts_rng_next(&rng) % sizeof(message)] = '\0';
        message[sizeof(message) - 1] = '\0';
        vts_buf_init(&json, 1000);
        vts_error_json_write(&json, "internal", message, NULL, 0);
        CU_ASSERT_EQUAL(vts_error_json_read(vts_buf_str(&json), &body), VTS_OK);
        vts_buf_fini(&json);
    }
}

static void add_detail(const struct vts_error_detail *detail, void *context)
{
    char *seen = context;
    size_t len = strlen(seen);

    (void)snprintf(seen + len, 100 - len, "%s=%.*s;", detail->type, (int)detail->value.len,
                   detail->value.ptr);
}

static void check_details(const char *json, const char *expected)
{
    char seen[100] = "";

    vts_error_json_each_detail(vts_str_of(json), add_detail, seen);
    CU_ASSERT_STRING_EQUAL(seen, expected);
}

static void error_json_each_detail_finds_those_that_can_be_read(void)
{
    static const char body[] =
        "{\"code\":\"a\",\"details\":[{\"type\":\"t\",\"value\":\"YWI\"},{},7,"
        "{\"type\":\"t\"},{\"type\":\"u\",\"value\":\"?\"},{\"type\":\"u\",\"value\":\"\"}]}";
    char end[300];

    check_details(body, "t=ab;u=;");
    (void)snprintf(end, sizeof(end), "{\"error\":%s}", body);
    check_details(end, "t=ab;u=;");
    check_details("{}", "");
    check_details("[]", "");
    check_details("", "");
    check_details("{\"code\":\"a\",\"details\":7}", "");
}

static const struct vts_test tests[] = {
    {"error_json_write_has_code_and_message", error_json_write_has_code_and_message},
    {"error_json_write_leaves_out_an_empty_message", error_json_write_leaves_out_an_empty_message},
    {"error_json_write_without_memory_fails", error_json_write_without_memory_fails},
    {"error_json_read_finds_code_and_message", error_json_read_finds_code_and_message},
    {"error_json_read_ignores_other_members", error_json_read_ignores_other_members},
    {"error_json_read_finds_the_reason", error_json_read_finds_the_reason},
    {"error_json_read_finds_the_retry_delay", error_json_read_finds_the_retry_delay},
    {"error_json_read_finds_the_job", error_json_read_finds_the_job},
    {"error_json_read_does_without_a_reason", error_json_read_does_without_a_reason},
    {"error_json_read_end_tells_success_from_error", error_json_read_end_tells_success_from_error},
    {"error_json_read_end_refuses_other_shapes", error_json_read_end_refuses_other_shapes},
    {"error_json_read_refuses_other_shapes", error_json_read_refuses_other_shapes},
    {"error_json_read_refuses_every_cut_off_body", error_json_read_refuses_every_cut_off_body},
    {"error_json_read_refuses_duplicates", error_json_read_refuses_duplicates},
    {"error_json_read_refuses_deep_nesting", error_json_read_refuses_deep_nesting},
    {"error_json_read_cuts_off_huge_texts", error_json_read_cuts_off_huge_texts},
    {"error_json_read_cuts_off_at_a_whole_character",
     error_json_read_cuts_off_at_a_whole_character},
    {"error_json_read_takes_what_write_made", error_json_read_takes_what_write_made},
    {"error_json_each_detail_finds_those_that_can_be_read",
     error_json_each_detail_finds_those_that_can_be_read},
};

int main(void)
{
    return vts_test_run("test_error_json", tests, VTS_ARRAY_LEN(tests));
}
