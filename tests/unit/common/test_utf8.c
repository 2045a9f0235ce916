/* SPDX-License-Identifier: Apache-2.0 */
/* test_utf8.c - what RFC 3629 takes and what it does not. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/utf8.h"
#include "tests/support/suite.h"

static uint32_t decoded(const char *text)
{
    uint32_t code_point = 0xffffffff;
    size_t len = vts_utf8_decode(text, strlen(text), &code_point);

    return len == strlen(text) ? code_point : 0xffffffff;
}

static void decode_takes_every_length(void)
{
    CU_ASSERT_EQUAL(decoded("a"), 'a');
    CU_ASSERT_EQUAL(decoded("\xc2\x80"), 0x80);
    CU_ASSERT_EQUAL(decoded("\xdf\xbf"), 0x7ff);
    CU_ASSERT_EQUAL(decoded("\xe0\xa0\x80"), 0x800);
    CU_ASSERT_EQUAL(decoded("\xef\xbf\xbf"), 0xffff);
    CU_ASSERT_EQUAL(decoded("\xf0\x90\x80\x80"), 0x10000);
    CU_ASSERT_EQUAL(decoded("\xf4\x8f\xbf\xbf"), 0x10ffff);
}

static void decode_refuses_what_is_none(void)
{
    const char *const bad[] = {"\x80",
                               "\xbf",
                               "\xc0\x80",
                               "\xc1\xbf",
                               "\xe0\x9f\xbf",
                               "\xed\xa0\x80",
                               "\xf0\x8f\xbf\xbf",
                               "\xf4\x90\x80\x80",
                               "\xf5\x80\x80\x80",
                               "\xff",
                               "\xc3",
                               "\xe2\x82",
                               "\xf0\x9f\x98",
                               "\xc3(",
                               "\xe2(\xa1"};
    uint32_t code_point;

    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++)
        CU_ASSERT_EQUAL(vts_utf8_decode(bad[i], strlen(bad[i]), &code_point), 0);
    CU_ASSERT_EQUAL(vts_utf8_decode("", 0, &code_point), 0);
}

static void c_string_has_no_nul_inside(void)
{
    CU_ASSERT(vts_utf8_is_c_string(vts_str_make("a\xc3\xa9", 3)));
    CU_ASSERT(vts_utf8_is_c_string(vts_str_make("", 0)));
    CU_ASSERT(!vts_utf8_is_c_string(vts_str_make("a\0b", 3)));
    CU_ASSERT(!vts_utf8_is_c_string(vts_str_make("a\xc3", 2)));
}

static void c_string_faults_are_found_at_every_place(void)
{
    const char text[] = "0123456789abcdefghijk";
    char copy[sizeof(text)];

    for (size_t i = 0; i < sizeof(text) - 1; i++) {
        memcpy(copy, text, sizeof(copy));
        copy[i] = '\0';
        CU_ASSERT(!vts_utf8_is_c_string(vts_str_make(copy, sizeof(copy) - 1)));
        copy[i] = '\x80';
        CU_ASSERT(!vts_utf8_is_c_string(vts_str_make(copy, sizeof(copy) - 1)));
        CU_ASSERT(vts_utf8_is_c_string(vts_str_make(copy, i)));
        copy[i] = '\x7f';
        CU_ASSERT(vts_utf8_is_c_string(vts_str_make(copy, sizeof(copy) - 1)));
        if (i == 0)
            continue;
        memcpy(copy + i - 1, "\xc3\xa9", 2);
        CU_ASSERT(vts_utf8_is_c_string(vts_str_make(copy, sizeof(copy) - 1)));
    }
}

static void control_characters_are_known(void)
{
    CU_ASSERT(vts_utf8_is_control(0) && vts_utf8_is_control(0x1b) && vts_utf8_is_control(0x7f) &&
              vts_utf8_is_control(0x9b));
    CU_ASSERT(!vts_utf8_is_control(' ') && !vts_utf8_is_control(0xa0));
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"decode_takes_every_length", decode_takes_every_length},
        {"decode_refuses_what_is_none", decode_refuses_what_is_none},
        {"c_string_has_no_nul_inside", c_string_has_no_nul_inside},
        {"c_string_faults_are_found_at_every_place", c_string_faults_are_found_at_every_place},
        {"control_characters_are_known", control_characters_are_known},
    };

    return vts_test_run("utf8", tests, VTS_ARRAY_LEN(tests));
}
