/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_text.c - what a terminal gets to see. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "client/cli/text.h"
#include "tests/support/suite.h"

static void check(const char *text, const char *expected, size_t columns)
{
    char out[200];
    size_t len = 0;

    CU_ASSERT_EQUAL(vts_cli_text_escape(text, out, sizeof(out), 1000, &len), columns);
    CU_ASSERT_STRING_EQUAL(out, expected);
    CU_ASSERT_EQUAL(len, strlen(expected));
}

static void text_that_is_harmless_stays(void)
{
    check("", "", 0);
    check("transcribe 42%", "transcribe 42%", 14);
    check("d\xc3\xa9j\xc3\xa0", "d\xc3\xa9j\xc3\xa0", 4);
    check("\xe6\x97\xa5\xe6\x9c\xac", "\xe6\x97\xa5\xe6\x9c\xac", 4); /* two wide characters */
    check("e\xcc\x81", "e\xcc\x81", 1);                               /* a combining one */
}

static void text_that_commands_a_terminal_is_spelt_out(void)
{
    check("a\x1b[2Jb", "a\\x1b[2Jb", 9);
    check("\r\n\t\x07\x7f", "\\x0d\\x0a\\x09\\x07\\x7f", 20);
    check("\xc2\x9b", "\\x9b", 4); /* CSI as one character */
}

static void text_that_turns_the_writing_is_spelt_out(void)
{
    check(
        "a\xe2\x80\xae"
        "b",
        "a\\u202eb", 8);
    check("\xe2\x81\xa6", "\\u2066", 6);
    check("\xe2\x80\xa8", "\\u2028", 6);
}

static void text_that_is_no_utf8_is_spelt_out(void)
{
    check("\xff", "\\xff", 4);
    check("\xc3(", "\\xc3(", 5);
    check("\xe2\x82", "\\xe2\\x82", 8);
    check("\x9b", "\\x9b", 4); /* CSI to a terminal of 8 bits */
}

static void text_is_cut_between_characters(void)
{
    char out[64];

    CU_ASSERT_EQUAL(vts_cli_text_escape("abcdef", out, sizeof(out), 3, NULL), 3);
    CU_ASSERT_STRING_EQUAL(out, "abc");
    CU_ASSERT_EQUAL(vts_cli_text_escape("a\x1b"
                                        "b",
                                        out, sizeof(out), 4, NULL),
                    1);
    CU_ASSERT_STRING_EQUAL(out, "a");
    CU_ASSERT_EQUAL(vts_cli_text_escape("\xe6\x97\xa5\xe6\x9c\xac", out, sizeof(out), 3, NULL), 2);
    CU_ASSERT_STRING_EQUAL(out, "\xe6\x97\xa5");
    CU_ASSERT_EQUAL(vts_cli_text_escape("\xc3\xa9\xc3\xa9", out, 4, 100, NULL), 1);
    CU_ASSERT_STRING_EQUAL(out, "\xc3\xa9");
    CU_ASSERT_EQUAL(vts_cli_text_escape("abc", out, 1, 100, NULL), 0);
    CU_ASSERT_STRING_EQUAL(out, "");
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"text_that_is_harmless_stays", text_that_is_harmless_stays},
        {"text_that_commands_a_terminal_is_spelt_out", text_that_commands_a_terminal_is_spelt_out},
        {"text_that_turns_the_writing_is_spelt_out", text_that_turns_the_writing_is_spelt_out},
        {"text_that_is_no_utf8_is_spelt_out", text_that_is_no_utf8_is_spelt_out},
        {"text_is_cut_between_characters", text_is_cut_between_characters},
    };

    vts_cli_text_init();
    return vts_test_run("cli_text", tests, VTS_ARRAY_LEN(tests));
}
