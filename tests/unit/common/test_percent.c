/* SPDX-License-Identifier: Apache-2.0 */
/* test_percent.c - grpc-message both ways, and query values. */
#include "common/wire/percent.h"

#include <CUnit/CUnit.h>

#include "tests/support/suite.h"

static bool encodes_to(struct vts_str text, const char *expected)
{
    struct vts_buf buf;
    bool is_equal;

    vts_buf_init(&buf, 1024);
    vts_percent_encode_message(&buf, text);
    is_equal = vts_str_equals_text(vts_buf_str(&buf), expected);
    vts_buf_fini(&buf);
    return is_equal;
}

static bool decodes_to(const char *text, const char *expected)
{
    struct vts_buf buf;
    bool is_equal;

    vts_buf_init(&buf, 1024);
    vts_percent_decode_message(&buf, vts_str_of(text));
    is_equal = vts_str_equals_text(vts_buf_str(&buf), expected);
    vts_buf_fini(&buf);
    return is_equal;
}

static enum vts_err decode_query(const char *text, struct vts_buf *buf)
{
    vts_buf_init(buf, 64);
    return vts_percent_decode_query(buf, vts_str_of(text));
}

static void percent_message_printable_ascii_stays(void)
{
    CU_ASSERT(encodes_to(vts_str_of("Hello, world! ~"), "Hello, world! ~"));
    CU_ASSERT(encodes_to(vts_str_of(""), ""));
}

static void percent_message_blank_at_an_end_is_escaped(void)
{
    CU_ASSERT(encodes_to(vts_str_of(" a b "), "%20a b%20"));
    CU_ASSERT(encodes_to(vts_str_of("  a  "), "%20 a %20"));
    CU_ASSERT(encodes_to(vts_str_of(" "), "%20"));
}

static void percent_message_all_else_is_escaped(void)
{
    CU_ASSERT(encodes_to(vts_str_of("100%"), "100%25"));
    CU_ASSERT(encodes_to(vts_str_of("a\r\nb\t\x7f"), "a%0D%0Ab%09%7F"));
    CU_ASSERT(encodes_to(vts_str_of("\xc3\xa9\xe2\x98\xba"), "%C3%A9%E2%98%BA"));
    CU_ASSERT(encodes_to(vts_str_make("a\0b", 3), "a%00b"));
}

static void percent_message_what_is_no_utf8_is_replaced(void)
{
    CU_ASSERT(encodes_to(vts_str_of("a\xff"), "a%EF%BF%BD"));
    CU_ASSERT(encodes_to(vts_str_of("\xe2\x98"), "%EF%BF%BD%EF%BF%BD"));
}

static void percent_message_decoding_never_fails(void)
{
    CU_ASSERT(decodes_to("100%25", "100%"));
    CU_ASSERT(decodes_to("%c3%A9", "\xc3\xa9"));
    CU_ASSERT(decodes_to("%", "%"));
    CU_ASSERT(decodes_to("%4", "%4"));
    CU_ASSERT(decodes_to("%zz%41", "%zzA"));
    CU_ASSERT(decodes_to("a+b", "a+b"));
}

static void percent_query_plus_is_a_blank(void)
{
    struct vts_buf buf;

    CU_ASSERT_EQUAL(decode_query("a+b%20c%2B", &buf), VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "a b c+"));
    vts_buf_fini(&buf);
}

static void percent_query_broken_sequence_is_refused(void)
{
    static const char *const bad[] = {"%", "a%4", "%zz", "%4g"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++) {
        struct vts_buf buf;

        CU_ASSERT_EQUAL(decode_query(bad[i], &buf), VTS_ERR_PROTOCOL);
        vts_buf_fini(&buf);
    }
}

static void percent_path_plus_is_itself(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 100);
    CU_ASSERT_EQUAL(vts_percent_decode_path(&buf, vts_str_of("a+b%20c%2F")), VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "a+b c/"));
    CU_ASSERT_EQUAL(vts_percent_decode_path(&buf, vts_str_of("%4")), VTS_ERR_PROTOCOL);
    vts_buf_fini(&buf);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"percent_message_printable_ascii_stays", percent_message_printable_ascii_stays},
        {"percent_message_blank_at_an_end_is_escaped", percent_message_blank_at_an_end_is_escaped},
        {"percent_message_all_else_is_escaped", percent_message_all_else_is_escaped},
        {"percent_message_what_is_no_utf8_is_replaced",
         percent_message_what_is_no_utf8_is_replaced},
        {"percent_message_decoding_never_fails", percent_message_decoding_never_fails},
        {"percent_query_plus_is_a_blank", percent_query_plus_is_a_blank},
        {"percent_query_broken_sequence_is_refused", percent_query_broken_sequence_is_refused},
        {"percent_path_plus_is_itself", percent_path_plus_is_itself},
    };

    return vts_test_run("percent", tests, VTS_ARRAY_LEN(tests));
}
