/* SPDX-License-Identifier: Apache-2.0 */
/* test_answer.c - header lines and bodies as libcurl hands them over. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "client/src/answer.h"
#include "tests/support/suite.h"

static struct vts_answer answer;

static enum vts_err add(const char *line)
{
    return vts_answer_add_line(&answer, vts_str_of(line));
}

static void start(const char *const lines[], size_t count)
{
    vts_answer_init(&answer);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_EQUAL(add(lines[i]), VTS_OK);
}

static void answer_reads_the_fields_it_uses(void)
{
    const char *const lines[] = {"HTTP/2 200 \r\n",
                                 "Content-Type: Application/X-Protobuf; charset=x\r\n",
                                 "etag: W/\"r7\"\r\n",
                                 "x-other: value\r\n",
                                 "retry-after:  3 \r\n",
                                 "Content-Length: 4\r\n",
                                 "\r\n"};

    start(lines, VTS_ARRAY_LEN(lines));
    CU_ASSERT_EQUAL(answer.http_code, 200);
    CU_ASSERT_STRING_EQUAL(answer.content_type, "application/x-protobuf");
    CU_ASSERT_STRING_EQUAL(answer.etag, "W/\"r7\"");
    CU_ASSERT_EQUAL(answer.retry_after, 3);
    CU_ASSERT(!vts_answer_is_complete(&answer));
    CU_ASSERT_EQUAL(vts_answer_add_body(&answer, vts_str_of("ab")), VTS_OK);
    CU_ASSERT_EQUAL(vts_answer_add_body(&answer, vts_str_of("cd")), VTS_OK);
    CU_ASSERT(vts_answer_is_complete(&answer));
    CU_ASSERT_EQUAL(vts_answer_add_body(&answer, vts_str_of("e")), VTS_OK);
    CU_ASSERT(!vts_answer_is_complete(&answer));
    vts_answer_fini(&answer);
}

static void answer_cut_off_in_its_header_is_not_complete(void)
{
    const char *const lines[] = {"HTTP/1.1 200 OK\r\n", "content-len"};

    start(lines, VTS_ARRAY_LEN(lines));
    CU_ASSERT(!vts_answer_is_complete(&answer));
    CU_ASSERT_EQUAL(add("\r\n"), VTS_OK);
    CU_ASSERT(vts_answer_is_complete(&answer));
    vts_answer_fini(&answer);
}

static void answer_starts_anew_after_an_interim_one(void)
{
    const char *const lines[] = {"HTTP/1.1 103 Early Hints\r\n",  "etag: \"old\"\r\n",
                                 "content-length: 5\r\n",         "\r\n",
                                 "HTTP/1.1 304 Not Modified\r\n", "\r\n"};

    start(lines, VTS_ARRAY_LEN(lines));
    CU_ASSERT_EQUAL(answer.http_code, 304);
    CU_ASSERT_STRING_EQUAL(answer.etag, "");
    CU_ASSERT(!answer.has_content_length);
    CU_ASSERT_EQUAL(answer.header_fields, 6);
    vts_answer_fini(&answer);
}

static void answer_ignores_trailers(void)
{
    const char *const lines[] = {"HTTP/2 200\r\n", "\r\n", "etag: \"late\"\r\n"};

    start(lines, VTS_ARRAY_LEN(lines));
    CU_ASSERT_STRING_EQUAL(answer.etag, "");
    vts_answer_fini(&answer);
}

static void answer_of_304_is_complete_without_a_body(void)
{
    const char *const lines[] = {"HTTP/2 304\r\n", "content-length: 70\r\n", "\r\n"};

    start(lines, VTS_ARRAY_LEN(lines));
    CU_ASSERT(vts_answer_is_complete(&answer));
    vts_answer_fini(&answer);
}

static double retry_after_of(const char *line)
{
    double seconds;

    vts_answer_init(&answer);
    CU_ASSERT_EQUAL(add(line), VTS_OK);
    seconds = answer.retry_after;
    vts_answer_fini(&answer);
    return seconds;
}

static void poll_after_is_finer(void)
{
    vts_answer_init(&answer);
    CU_ASSERT(answer.poll_after < 0);
    CU_ASSERT_EQUAL(vts_answer_add_line(&answer, vts_str_of("HTTP/2 304\r\n")), VTS_OK);
    CU_ASSERT_EQUAL(vts_answer_add_line(&answer, vts_str_of("retry-after: 1\r\n")), VTS_OK);
    CU_ASSERT_EQUAL(vts_answer_hint(&answer), 1);
    CU_ASSERT_EQUAL(vts_answer_add_line(&answer, vts_str_of("poll-after-ms: 250\r\n")), VTS_OK);
    CU_ASSERT_EQUAL(vts_answer_hint(&answer), 0.25);
    CU_ASSERT_EQUAL(answer.retry_after, 1);
    CU_ASSERT_EQUAL(answer.poll_after, 0.25);
    CU_ASSERT_EQUAL(vts_answer_add_line(&answer, vts_str_of("poll-after-ms: 0.5\r\n")), VTS_OK);
    CU_ASSERT_EQUAL(answer.poll_after, 0.25);
    vts_answer_fini(&answer);
}

static void retry_after_is_seconds_and_bounded(void)
{
    CU_ASSERT_EQUAL(retry_after_of("retry-after: 0\r\n"), 0);
    CU_ASSERT_EQUAL(retry_after_of("retry-after: 315360000\r\n"), 315360000);
    CU_ASSERT(retry_after_of("retry-after: 99999999999999999999999\r\n") > 1e9);
    CU_ASSERT(retry_after_of("retry-after: 99999999999999999999999\r\n") < 1e10);
    CU_ASSERT(retry_after_of("retry-after: -1\r\n") < 0);
    CU_ASSERT(retry_after_of("retry-after: 1.5\r\n") < 0);
    CU_ASSERT(retry_after_of("retry-after:\r\n") < 0);
    CU_ASSERT(retry_after_of("retry-after: Wed, 21 Oct 2025 07:28:00 GMT\r\n") < 0);
}

static void etag_that_could_not_be_sent_back_is_dropped(void)
{
    char line[300] = "etag: \"";

    vts_answer_init(&answer);
    CU_ASSERT_EQUAL(add("etag: \"a b\"\r\n"), VTS_OK);
    CU_ASSERT_STRING_EQUAL(answer.etag, "");
    CU_ASSERT_EQUAL(add("etag: \"a\x01\"\r\n"), VTS_OK);
    CU_ASSERT_STRING_EQUAL(answer.etag, "");
    memset(line + strlen(line), 'x', 200);
    CU_ASSERT_EQUAL(add(line), VTS_OK);
    CU_ASSERT_STRING_EQUAL(answer.etag, "");
    vts_answer_fini(&answer);
}

static void status_lines_that_are_none_give_no_code(void)
{
    const char *const lines[] = {"HTTP/1.1\r\n", "HTTP/1.1 abc\r\n", "HTTP/1.1 99999 x\r\n",
                                 "HTTP/\r\n",    "nonsense\r\n",     ":\r\n"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(lines); i++) {
        start(lines + i, 1);
        CU_ASSERT_EQUAL(answer.http_code, 0);
        vts_answer_fini(&answer);
    }
}

static void header_has_a_bounded_number_of_fields(void)
{
    vts_answer_init(&answer);
    for (int i = 0; i < VTS_ANSWER_MAX_HEADER_FIELDS; i++)
        CU_ASSERT_EQUAL(add("a: b\r\n"), VTS_OK);
    CU_ASSERT_EQUAL(add("a: b\r\n"), VTS_ERR_LIMIT);
    vts_answer_fini(&answer);
}

static void header_has_a_bounded_size(void)
{
    static char line[VTS_ANSWER_MAX_HEADER_BYTES + 1];

    memset(line, 'a', sizeof(line));
    vts_answer_init(&answer);
    CU_ASSERT_EQUAL(vts_answer_add_line(&answer, vts_str_make(line, sizeof(line) - 1)), VTS_OK);
    CU_ASSERT_EQUAL(add("a"), VTS_ERR_LIMIT);
    vts_answer_fini(&answer);
}

static void body_has_a_bounded_size(void)
{
    static char body[VTS_ANSWER_MAX_BODY_BYTES];

    vts_answer_init(&answer);
    CU_ASSERT_EQUAL(vts_answer_add_body(&answer, vts_str_make(body, sizeof(body))), VTS_OK);
    CU_ASSERT_EQUAL(vts_answer_add_body(&answer, vts_str_of("x")), VTS_ERR_LIMIT);
    vts_answer_fini(&answer);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"answer_reads_the_fields_it_uses", answer_reads_the_fields_it_uses},
        {"answer_cut_off_in_its_header_is_not_complete",
         answer_cut_off_in_its_header_is_not_complete},
        {"answer_starts_anew_after_an_interim_one", answer_starts_anew_after_an_interim_one},
        {"answer_ignores_trailers", answer_ignores_trailers},
        {"answer_of_304_is_complete_without_a_body", answer_of_304_is_complete_without_a_body},
        {"poll_after_is_finer", poll_after_is_finer},
        {"retry_after_is_seconds_and_bounded", retry_after_is_seconds_and_bounded},
        {"etag_that_could_not_be_sent_back_is_dropped",
         etag_that_could_not_be_sent_back_is_dropped},
        {"status_lines_that_are_none_give_no_code", status_lines_that_are_none_give_no_code},
        {"header_has_a_bounded_number_of_fields", header_has_a_bounded_number_of_fields},
        {"header_has_a_bounded_size", header_has_a_bounded_size},
        {"body_has_a_bounded_size", body_has_a_bounded_size},
    };

    return vts_test_run("answer", tests, VTS_ARRAY_LEN(tests));
}
