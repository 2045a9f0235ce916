/* SPDX-License-Identifier: Apache-2.0 */
/* test_str.c - comparing, cutting and reading borrowed text. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/str.h"
#include "tests/support/suite.h"

static void str_of_null_is_empty(void)
{
    struct vts_str text = vts_str_of(NULL);

    CU_ASSERT_EQUAL(text.len, 0);
    CU_ASSERT_PTR_NOT_NULL(text.ptr);
}

static void str_equals_compares_bytes_and_length(void)
{
    CU_ASSERT(vts_str_equals(vts_str_make("a\0b", 3), vts_str_make("a\0b", 3)));
    CU_ASSERT_FALSE(vts_str_equals(vts_str_make("a\0b", 3), vts_str_make("a\0c", 3)));
    CU_ASSERT_FALSE(vts_str_equals(vts_str_of("ab"), vts_str_of("abc")));
    CU_ASSERT(vts_str_equals(vts_str_make(NULL, 0), vts_str_of("")));
    CU_ASSERT(vts_str_equals_text(vts_str_make("abc", 2), "ab"));
    CU_ASSERT_FALSE(vts_str_equals_text(vts_str_of("AB"), "ab"));
}

static void str_equals_nocase_folds_ascii_letters_only(void)
{
    CU_ASSERT(vts_str_equals_nocase(vts_str_of("CoNtEnT-TyPe"), "content-type"));
    CU_ASSERT(vts_str_equals_nocase(vts_str_of("abcxyz"), "ABCXYZ"));
    CU_ASSERT_FALSE(vts_str_equals_nocase(vts_str_of("abc"), "abcd"));
    CU_ASSERT_FALSE(vts_str_equals_nocase(vts_str_of("@["), "`{"));
    CU_ASSERT_FALSE(vts_str_equals_nocase(vts_str_of("\xc4"), "\xe4"));
    CU_ASSERT(vts_str_equals_nocase(vts_str_make(NULL, 0), ""));
}

static void str_starts_with_compares_the_front(void)
{
    CU_ASSERT(vts_str_starts_with(vts_str_of("W/\"x\""), "W/"));
    CU_ASSERT(vts_str_starts_with(vts_str_of("W/"), "W/"));
    CU_ASSERT(vts_str_starts_with(vts_str_of("x"), ""));
    CU_ASSERT_FALSE(vts_str_starts_with(vts_str_of("W"), "W/"));
    CU_ASSERT_FALSE(vts_str_starts_with(vts_str_make(NULL, 0), "W/"));
}

static void str_trim_drops_blanks_at_both_ends(void)
{
    CU_ASSERT(vts_str_equals_text(vts_str_trim(vts_str_of(" \t a b\t ")), "a b"));
    CU_ASSERT(vts_str_equals_text(vts_str_trim(vts_str_of("\n a")), "\n a"));
    CU_ASSERT_EQUAL(vts_str_trim(vts_str_of(" \t ")).len, 0);
    CU_ASSERT_EQUAL(vts_str_trim(vts_str_make(NULL, 0)).len, 0);
}

/* Joins what a split yields, each part in brackets. */
static const char *parts_of(const char *text, bool is_quoted)
{
    static char joined[256];
    struct vts_str rest = vts_str_of(text);
    struct vts_str part;
    size_t len = 0;

    while (is_quoted ? vts_str_split_quoted(&rest, ',', &part) : vts_str_split(&rest, ',', &part)) {
        joined[len++] = '[';
        memcpy(joined + len, part.ptr, part.len);
        len += part.len;
        joined[len++] = ']';
    }
    joined[len] = '\0';
    return joined;
}

static void str_split_yields_every_part(void)
{
    CU_ASSERT_STRING_EQUAL(parts_of("a,bc,d", false), "[a][bc][d]");
    CU_ASSERT_STRING_EQUAL(parts_of("abc", false), "[abc]");
}

static void str_split_keeps_empty_parts(void)
{
    CU_ASSERT_STRING_EQUAL(parts_of("", false), "[]");
    CU_ASSERT_STRING_EQUAL(parts_of(",", false), "[][]");
    CU_ASSERT_STRING_EQUAL(parts_of("a,,b,", false), "[a][][b][]");
}

static void str_split_of_exhausted_rest_ends(void)
{
    struct vts_str rest = vts_str_make(NULL, 0);
    struct vts_str part = vts_str_of("untouched");

    CU_ASSERT_FALSE(vts_str_split(&rest, ',', &part));
    CU_ASSERT_FALSE(vts_str_split_quoted(&rest, ',', &part));
    CU_ASSERT(vts_str_equals_text(part, "untouched"));
}

static void str_split_quoted_passes_over_quotes(void)
{
    CU_ASSERT_STRING_EQUAL(parts_of("a=\"x,y\",b", true), "[a=\"x,y\"][b]");
    CU_ASSERT_STRING_EQUAL(parts_of("\"a\\\",b\",c", true), "[\"a\\\",b\"][c]");
    CU_ASSERT_STRING_EQUAL(parts_of("a\\,b", true), "[a\\][b]");
    CU_ASSERT_STRING_EQUAL(parts_of("", true), "[]");
    CU_ASSERT_STRING_EQUAL(parts_of("a,", true), "[a][]");
}

static void str_split_quoted_without_end_takes_the_rest(void)
{
    CU_ASSERT_STRING_EQUAL(parts_of("a,\"b,c", true), "[a][\"b,c]");
    CU_ASSERT_STRING_EQUAL(parts_of("\"b,\\", true), "[\"b,\\]");
    CU_ASSERT_STRING_EQUAL(parts_of("\"", true), "[\"]");
}

static enum vts_err read_u64(const char *text, uint64_t max, uint64_t *ret_value)
{
    return vts_str_to_u64(vts_str_of(text), max, ret_value);
}

static void str_to_u64_reads_digits(void)
{
    uint64_t value = 1;

    CU_ASSERT_EQUAL(read_u64("0", 0, &value), VTS_OK);
    CU_ASSERT_EQUAL(value, 0);
    CU_ASSERT_EQUAL(read_u64("0042", 42, &value), VTS_OK);
    CU_ASSERT_EQUAL(value, 42);
    CU_ASSERT_EQUAL(read_u64("18446744073709551615", UINT64_MAX, &value), VTS_OK);
    CU_ASSERT_EQUAL(value, UINT64_MAX);
}

static void str_to_u64_past_maximum_is_refused(void)
{
    uint64_t value = 7;

    CU_ASSERT_EQUAL(read_u64("43", 42, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(read_u64("9", 5, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(read_u64("1", 0, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(read_u64("18446744073709551616", UINT64_MAX, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(read_u64("99999999999999999999999", UINT64_MAX, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(value, 7);
}

static void str_to_u64_of_anything_else_is_refused(void)
{
    static const char *const texts[] = {"", " 1", "1 ", "+1", "-1", "0x1", "1.0", "1e2", "/", ":"};
    uint64_t value = 7;

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++)
        CU_ASSERT_EQUAL(read_u64(texts[i], UINT64_MAX, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_str_to_u64(vts_str_make("1\0", 2), 9, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(value, 7);
}

static void write_u64_writes_all_digits_and_no_more(void)
{
    static const struct {
        uint64_t value;
        const char *text;
    } rows[] = {{0, "0"},     {9, "9"},     {10, "10"},
                {100, "100"}, {999, "999"}, {UINT64_MAX, "18446744073709551615"}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        char out[VTS_STR_U64_DIGITS + 1] = "....................";
        size_t len = vts_str_write_u64(out, rows[i].value);

        CU_ASSERT(vts_str_equals_text(vts_str_make(out, len), rows[i].text));
        CU_ASSERT(len == VTS_STR_U64_DIGITS || out[len] == '.');
    }
}

static void pieces_are_copied_as_one(void)
{
    const struct vts_str pieces[] = {vts_str_of("ab"), vts_str_make(NULL, 0), vts_str_of("cde"),
                                     vts_str_of("f")};
    const char joined[] = "abcdef";
    const size_t total = sizeof(joined) - 1;

    for (size_t skip = 0; skip <= total; skip++)
        for (size_t cap = 0; cap <= total + 1; cap++) {
            size_t wanted = total - skip < cap ? total - skip : cap;
            char out[8] = "........";

            CU_ASSERT_EQUAL(vts_str_copy_pieces(pieces, VTS_ARRAY_LEN(pieces), skip, out, cap),
                            wanted);
            CU_ASSERT_EQUAL(memcmp(out, joined + skip, wanted), 0);
            CU_ASSERT_EQUAL(out[wanted], '.');
        }
}

static const struct vts_test tests[] = {
    {"str_of_null_is_empty", str_of_null_is_empty},
    {"str_equals_compares_bytes_and_length", str_equals_compares_bytes_and_length},
    {"str_equals_nocase_folds_ascii_letters_only", str_equals_nocase_folds_ascii_letters_only},
    {"str_starts_with_compares_the_front", str_starts_with_compares_the_front},
    {"str_trim_drops_blanks_at_both_ends", str_trim_drops_blanks_at_both_ends},
    {"str_split_yields_every_part", str_split_yields_every_part},
    {"str_split_keeps_empty_parts", str_split_keeps_empty_parts},
    {"str_split_of_exhausted_rest_ends", str_split_of_exhausted_rest_ends},
    {"str_split_quoted_passes_over_quotes", str_split_quoted_passes_over_quotes},
    {"str_split_quoted_without_end_takes_the_rest", str_split_quoted_without_end_takes_the_rest},
    {"pieces_are_copied_as_one", pieces_are_copied_as_one},
    {"write_u64_writes_all_digits_and_no_more", write_u64_writes_all_digits_and_no_more},
    {"str_to_u64_reads_digits", str_to_u64_reads_digits},
    {"str_to_u64_past_maximum_is_refused", str_to_u64_past_maximum_is_refused},
    {"str_to_u64_of_anything_else_is_refused", str_to_u64_of_anything_else_is_refused},
};

int main(void)
{
    return vts_test_run("test_str", tests, VTS_ARRAY_LEN(tests));
}
