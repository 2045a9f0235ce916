/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_strict.c - header sections that are let through, and those that are not. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/rng.h"
#include "server/http/h1_strict.h"
#include "tests/support/suite.h"

/* A literal with its NUL bytes. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

static const struct row {
    struct vts_str head;
    int code;
} rows[] = {
    {BYTES("GET / HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {BYTES("GET / HTTP/1.0\r\n\r\n"), 0},
    {BYTES("OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {BYTES("GET http://a/b?c HTTP/1.1\r\nHost: a\r\n\r\n"), 0},
    {BYTES("M-SEARCH!#$%&'*+.^_`|~09 /x HTTP/1.1\r\n\r\n"), 0},
    {BYTES("GET / HTTP/1.1\r\nA:\r\nB: \t x \t\r\nC:y:z\r\n\r\n"), 0},
    {BYTES("GET / HTTP/1.1\r\nA: caf\xc3\xa9 \xff\r\n\r\n"), 0}, /* obs-text in a value */

    /* The request line. */
    {BYTES("\r\n\r\n"), 400},
    {BYTES("\r\nGET / HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET\r\n\r\n"), 400},
    {BYTES("GET /\r\n\r\n"), 400},
    {BYTES("GET  / HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET /  HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1 \r\n\r\n"), 400},
    {BYTES(" GET / HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET\t/\tHTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET / x HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GE(T / HTTP/1.1\r\n\r\n"), 400},
    {BYTES("G\0T / HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET /\0 HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET /\x01 HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET /\x7f HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET /\x80 HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET /\xff HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET /\t HTTP/1.1\r\n\r\n"), 400},
    {BYTES("GET / http/1.1\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.10\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1\r\n\r\n"), 400},
    {BYTES("GET / XTTP/1.1\r\n\r\n"), 400},

    /* Other versions. */
    {BYTES("GET / HTTP/2.0\r\n\r\n"), 505},
    {BYTES("GET / HTTP/1.2\r\n\r\n"), 505},
    {BYTES("GET / HTTP/0.9\r\n\r\n"), 505},
    {BYTES("PRI * HTTP/2.0\r\n\r\n"), 505},

    /* Ends of lines. */
    {BYTES("GET / HTTP/1.1\n\n"), 400},
    {BYTES("GET / HTTP/1.1\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\r\n\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\n\n"), 400},
    {BYTES("GET / HTTP/1.1\r\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\r\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\rB: c\r\n\r\n"), 400},
    {BYTES("\n\n"), 400},

    /* Fields. */
    {BYTES("GET / HTTP/1.1\r\nHost : a\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost\t: a\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\n Host: a\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\r\n b\r\n\r\n"), 400}, /* folded */
    {BYTES("GET / HTTP/1.1\r\nHost: a\r\n\tb\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\n: a\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nH\0st: a\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nH\xc3\xa9: a\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nH(x): a\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\0b\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\x08\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\x7f\r\n\r\n"), 400},
    {BYTES("GET / HTTP/1.1\r\nHost: a\x1b[2J\r\n\r\n"), 400},
};

static void head_of_each_row_gets_its_code(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        const char *text = NULL;
        int code = vts_h1_check_head(rows[i].head, &text);

        if (code != rows[i].code)
            fprintf(stderr, "row %zu: code %d, not %d\n", i, code, rows[i].code);
        CU_ASSERT_EQUAL(code, rows[i].code);
        if (code != 0)
            CU_ASSERT(text != NULL && text[0] != '\0');
    }
}

static void head_len_of_each_row_is_all_of_it(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_str head = rows[i].head;

        /* An empty line in front is a section of its own only for who counts lines. */
        if (head.ptr[0] == '\r' || head.ptr[0] == '\n')
            continue;
        CU_ASSERT_EQUAL(vts_h1_head_len(head, 0), head.len);
    }
}

static void head_len_ends_at_the_first_empty_line(void)
{
    static const char two[] = "GET / HTTP/1.1\r\n\r\nGET / HTTP/1.1\r\n\r\n";

    CU_ASSERT_EQUAL(vts_h1_head_len(vts_str_of(two), 0), 18);
    CU_ASSERT_EQUAL(vts_h1_head_len(vts_str_of("GET / HTTP/1.1\r\n\r"), 0), 0);
    CU_ASSERT_EQUAL(vts_h1_head_len(vts_str_of("GET / HTTP/1.1\r\n"), 0), 0);
    CU_ASSERT_EQUAL(vts_h1_head_len(vts_str_make("", 0), 0), 0);
}

/* The section comes in two parts, cut anywhere; the first was looked at without success. */
static void head_len_in_parts_finds_the_end_wherever_cut(void)
{
    static const char *const heads[] = {"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / HTTP/1.1\n\n",
                                        "GET / HTTP/1.1\n\r\n", "GET / HTTP/1.1\r\n\n"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(heads); i++) {
        struct vts_str head = vts_str_of(heads[i]);

        for (size_t seen = 0; seen < head.len; seen++) {
            CU_ASSERT_EQUAL(vts_h1_head_len(vts_str_make(head.ptr, seen), 0), 0);
            CU_ASSERT_EQUAL(vts_h1_head_len(head, seen), head.len);
        }
    }
}

static bool has_bare_or_control_bytes(struct vts_str head)
{
    for (size_t i = 0; i < head.len; i++) {
        unsigned char c = (unsigned char)head.ptr[i];

        if (c == '\r' && (i + 1 == head.len || head.ptr[i + 1] != '\n'))
            return true;
        if (c == '\n' && (i == 0 || head.ptr[i - 1] != '\r'))
            return true;
        if (c == 0x7f || (c < 0x20 && c != '\r' && c != '\n' && c != '\t'))
            return true;
    }
    return false;
}

/* Overwrites a few bytes of a good section with bytes that matter. */
static void mutate(struct vts_rng *rng, char *head, size_t len)
{
    static const char bytes[] =
        "\r\n\t :\0\x7f\xff"
        "A/";
    uint64_t count = 1 + vts_rng_next(rng) % 3;

    for (uint64_t i = 0; i < count; i++)
        head[vts_rng_next(rng) % len] = bytes[vts_rng_next(rng) % (sizeof(bytes) - 1)];
}

static void mutated_head_that_passes_has_no_stray_bytes(void)
{
    static const char good[] = "GET /a HTTP/1.1\r\nHost: a\r\nAccept: */*\r\n\r\n";
    unsigned passed = 0;
    struct vts_rng rng;

    vts_rng_init(&rng, 9);
    for (int i = 0; i < 20000; i++) {
        char copy[sizeof(good)];
        const char *text;
        struct vts_str head;

        memcpy(copy, good, sizeof(good));
        mutate(&rng, copy, sizeof(good) - 1);
        head = vts_str_make(copy, vts_h1_head_len(vts_str_make(copy, sizeof(good) - 1), 0));
        if (head.len == 0 || vts_h1_check_head(head, &text) != 0)
            continue;
        passed++;
        CU_ASSERT_FALSE(has_bare_or_control_bytes(head));
    }
    CU_ASSERT(passed > 1000); /* otherwise the test proved nothing */
}

static const struct vts_test tests[] = {
    {"head_of_each_row_gets_its_code", head_of_each_row_gets_its_code},
    {"head_len_of_each_row_is_all_of_it", head_len_of_each_row_is_all_of_it},
    {"head_len_ends_at_the_first_empty_line", head_len_ends_at_the_first_empty_line},
    {"head_len_in_parts_finds_the_end_wherever_cut", head_len_in_parts_finds_the_end_wherever_cut},
    {"mutated_head_that_passes_has_no_stray_bytes", mutated_head_that_passes_has_no_stray_bytes},
};

int main(void)
{
    return vts_test_run("test_h1_strict", tests, VTS_ARRAY_LEN(tests));
}
