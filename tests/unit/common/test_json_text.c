/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_text.c - escaping, and bytes that are no UTF-8. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json_text.h"
#include "common/base/mem.h"
#include "tests/support/suite.h"

static void check_written(const void *bytes, size_t len, const char *expected)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 1000);
    vts_json_text_write(&buf, vts_str_make(bytes, len));
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), expected));
    vts_buf_fini(&buf);
}

static void check_text(const char *text, const char *expected)
{
    check_written(text, strlen(text), expected);
}

static void json_text_plain_is_only_quoted(void)
{
    check_text("", "\"\"");
    check_written(NULL, 0, "\"\"");
    check_text("job 1/2 <ok> ~", "\"job 1/2 <ok> ~\"");
}

static void json_text_special_characters_are_escaped(void)
{
    check_text("a\"b\\c", "\"a\\\"b\\\\c\"");
    check_text("\n\r\t", "\"\\n\\r\\t\"");
    check_text("\"", "\"\\\"\"");
}

static void json_text_control_characters_beyond_ascii_are_escaped(void)
{
    check_text("a\xc2\x80\xc2\x9b\x33m\xc2\xa0", "\"a\\u0080\\u009b3m\xc2\xa0\"");
}

static void json_text_control_characters_are_escaped(void)
{
    for (int c = 0; c <= 0x7f; c++) {
        char byte = (char)c;
        char expected[16];

        if ((c >= 0x20 && c != 0x7f) || c == '\n' || c == '\r' || c == '\t')
            continue;
        (void)snprintf(expected, sizeof(expected), "\"\\u%04x\"", (unsigned)c);
        check_written(&byte, 1, expected);
    }
}

static void json_text_nul_in_the_middle_is_kept(void)
{
    check_written("a\0b", 3, "\"a\\u0000b\"");
}

/* The first and the last character of each length that are no controls, and both sides of the
 * surrogates. */
static void json_text_valid_utf8_passes(void)
{
    check_text("\xc2\xa0", "\"\xc2\xa0\"");
    check_text("\xdf\xbf", "\"\xdf\xbf\"");
    check_text("\xe0\xa0\x80", "\"\xe0\xa0\x80\"");
    check_text("\xed\x9f\xbf", "\"\xed\x9f\xbf\"");
    check_text("\xee\x80\x80", "\"\xee\x80\x80\"");
    check_text("\xef\xbf\xbf", "\"\xef\xbf\xbf\"");
    check_text("\xf0\x90\x80\x80", "\"\xf0\x90\x80\x80\"");
    check_text("\xf4\x8f\xbf\xbf", "\"\xf4\x8f\xbf\xbf\"");
    check_text("gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80!", "\"gr\xc3\xbc\xc3\x9f \xf0\x9f\x98\x80!\"");
}

/* Every byte of a sequence that is none becomes one U+FFFD. */
static void check_replaced(const char *bytes)
{
    char text[16];
    char expected[64];
    int len = snprintf(expected, sizeof(expected), "\"<");

    for (size_t i = 0; i < strlen(bytes); i++)
        len += snprintf(expected + len, sizeof(expected) - (size_t)len, "\xef\xbf\xbd");
    (void)snprintf(expected + len, sizeof(expected) - (size_t)len, ">\"");
    (void)snprintf(text, sizeof(text), "<%s>", bytes);
    check_text(text, expected);
}

static void json_text_stray_bytes_are_replaced(void)
{
    check_replaced("\x80");
    check_replaced("\xbf\x80");
    for (int c = 0xf5; c <= 0xff; c++) {
        const char bytes[] = {(char)c, (char)0x80, (char)0x80, (char)0x80, '\0'};

        check_replaced(bytes);
    }
}

static void json_text_overlong_forms_are_replaced(void)
{
    check_replaced("\xc0\x80");
    check_replaced("\xc1\xbf");
    check_replaced("\xe0\x80\x80");
    check_replaced("\xe0\x9f\xbf");
    check_replaced("\xf0\x80\x80\x80");
    check_replaced("\xf0\x8f\xbf\xbf");
}

static void json_text_surrogates_are_replaced(void)
{
    check_replaced("\xed\xa0\x80");
    check_replaced("\xed\xbf\xbf");
}

static void json_text_above_the_last_character_is_replaced(void)
{
    check_replaced("\xf4\x90\x80\x80");
    check_replaced("\xf7\xbf\xbf\xbf");
}

static void json_text_cut_off_sequences_are_replaced(void)
{
    check_replaced("\xc3");
    check_replaced("\xe2\x82");
    check_replaced("\xf0\x9f\x98");
    check_written("\xf0\x9f\x98\x80", 3,
                  "\""
                  "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"
                  "\"");
    check_text("\xe2\x82\"",
               "\""
               "\xef\xbf\xbd\xef\xbf\xbd"
               "\\\"\"");
    check_text("\xe2\xe2\x82\xac",
               "\"\xef\xbf\xbd"
               "\xe2\x82\xac\"");
}

static void json_text_past_the_maximum_fails(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 5);
    vts_json_text_write(&buf, vts_str_of("abcd"));
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
}

static void json_text_without_memory_fails(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 1000);
    CU_ASSERT_EQUAL(vts_mem_fail_after(0), 0);
    vts_json_text_write(&buf, vts_str_of("abcd"));
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_NOMEM);
    vts_buf_fini(&buf);
}

static const struct vts_test tests[] = {
    {"json_text_plain_is_only_quoted", json_text_plain_is_only_quoted},
    {"json_text_special_characters_are_escaped", json_text_special_characters_are_escaped},
    {"json_text_control_characters_beyond_ascii_are_escaped",
     json_text_control_characters_beyond_ascii_are_escaped},
    {"json_text_control_characters_are_escaped", json_text_control_characters_are_escaped},
    {"json_text_nul_in_the_middle_is_kept", json_text_nul_in_the_middle_is_kept},
    {"json_text_valid_utf8_passes", json_text_valid_utf8_passes},
    {"json_text_stray_bytes_are_replaced", json_text_stray_bytes_are_replaced},
    {"json_text_overlong_forms_are_replaced", json_text_overlong_forms_are_replaced},
    {"json_text_surrogates_are_replaced", json_text_surrogates_are_replaced},
    {"json_text_above_the_last_character_is_replaced",
     json_text_above_the_last_character_is_replaced},
    {"json_text_cut_off_sequences_are_replaced", json_text_cut_off_sequences_are_replaced},
    {"json_text_past_the_maximum_fails", json_text_past_the_maximum_fails},
    {"json_text_without_memory_fails", json_text_without_memory_fails},
};

int main(void)
{
    return vts_test_run("test_json_text", tests, VTS_ARRAY_LEN(tests));
}
