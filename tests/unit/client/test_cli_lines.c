/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_lines.c - what a command writes, cut into lines, and its end. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/lines.h"
#include "tests/support/suite.h"

static struct vts_cli_lines lines;
static char seen[256]; /* each line in brackets; of a long one its length */

static void on_line(const char *line, void *context)
{
    size_t len = strlen(seen);

    CU_ASSERT_PTR_EQUAL(context, seen);
    if (strlen(line) < 50)
        (void)snprintf(seen + len, sizeof(seen) - len, "[%s]", line);
    else
        (void)snprintf(seen + len, sizeof(seen) - len, "[%zu]", strlen(line));
}

static void start(void)
{
    seen[0] = '\0';
    vts_cli_lines_init(&lines, on_line, seen);
}

static void lines_come_in_pieces_of_every_size(void)
{
    static const char text[] = "one\n\ntwo three\r\nfour";
    size_t len = sizeof(text) - 1;

    for (size_t step = 1; step <= len; step++) {
        start();
        for (size_t at = 0; at < len; at += step)
            vts_cli_lines_feed(&lines, text + at, step < len - at ? step : len - at);
        CU_ASSERT_STRING_EQUAL(seen, "[one][][two three]");
        vts_cli_lines_finish(&lines);
        vts_cli_lines_finish(&lines);
        CU_ASSERT_STRING_EQUAL(seen, "[one][][two three][four]");
    }
}

static void lines_have_no_nul(void)
{
    start();
    vts_cli_lines_feed(&lines, "a\0b\n", 4);
    CU_ASSERT_STRING_EQUAL(seen, "[a?b]");
}

static void lines_that_are_too_long_lose_their_ends(void)
{
    char expected[64];

    start();
    for (int i = 0; i < 3 * VTS_CLI_LINE_BYTES; i++)
        vts_cli_lines_feed(&lines, "x", 1);
    vts_cli_lines_feed(&lines, "\nshort\n", 7);
    (void)snprintf(expected, sizeof(expected), "[%d][short]", VTS_CLI_LINE_BYTES - 1);
    CU_ASSERT_STRING_EQUAL(seen, expected);
}

static void tail_keeps_the_last_lines(void)
{
    struct vts_cli_tail tail = {.len = 0};
    char line[100];

    vts_cli_tail_add(&tail, "first");
    vts_cli_tail_add(&tail, "  \t");
    vts_cli_tail_add(&tail, "");
    vts_cli_tail_add(&tail, "second");
    CU_ASSERT_STRING_EQUAL(tail.text, "first\nsecond");
    for (int i = 0; i < 10000; i++) {
        (void)snprintf(line, sizeof(line), "line %d", i);
        vts_cli_tail_add(&tail, line);
        CU_ASSERT_EQUAL_FATAL(strlen(tail.text), tail.len);
    }
    CU_ASSERT_STRING_EQUAL(tail.text + tail.len - 19, "line 9998\nline 9999");
    CU_ASSERT_EQUAL(strncmp(tail.text, "line ", 5), 0);
    CU_ASSERT(tail.len > VTS_CLI_TAIL_BYTES - 12);
}

static void tail_keeps_the_start_of_a_line_that_is_too_long(void)
{
    struct vts_cli_tail tail = {.len = 0};
    char line[2 * VTS_CLI_TAIL_BYTES];

    memset(line, 'x', sizeof(line));
    line[sizeof(line) - 1] = '\0';
    vts_cli_tail_add(&tail, "first");
    vts_cli_tail_add(&tail, line);
    CU_ASSERT_EQUAL(tail.len, VTS_CLI_TAIL_BYTES - 2);
    CU_ASSERT_EQUAL(tail.text[0], 'x');
    vts_cli_tail_add(&tail, "last");
    CU_ASSERT_STRING_EQUAL(tail.text, "last");
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"lines_come_in_pieces_of_every_size", lines_come_in_pieces_of_every_size},
        {"lines_have_no_nul", lines_have_no_nul},
        {"lines_that_are_too_long_lose_their_ends", lines_that_are_too_long_lose_their_ends},
        {"tail_keeps_the_last_lines", tail_keeps_the_last_lines},
        {"tail_keeps_the_start_of_a_line_that_is_too_long",
         tail_keeps_the_start_of_a_line_that_is_too_long},
    };

    return vts_test_run("cli_lines", tests, VTS_ARRAY_LEN(tests));
}
