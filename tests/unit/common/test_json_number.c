/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_number.c - integers read exactly, reals whatever the locale. */
#include "common/wire/json_number.h"

#include <CUnit/CUnit.h>
#include <float.h>
#include <locale.h>
#include <math.h>
#include <stdio.h>

#include "tests/support/suite.h"

static void json_number_integers_are_exact(void)
{
    static const struct {
        const char *text;
        uint64_t magnitude;
        bool is_negative;
    } rows[] = {
        {"0", 0, false},
        {"-0", 0, true},
        {"0e999999999999", 0, false},
        {"0.000", 0, false},
        {"1.0", 1, false},
        {"1e2", 100, false},
        {"1.5e1", 15, false},
        {"-120e-1", 12, true},
        {"100000000000000000000e-20", 1, false},
        {"9007199254740993", 9007199254740993U, false},
        {"18446744073709551615", UINT64_MAX, false},
        {"-9223372036854775808", (uint64_t)INT64_MAX + 1, true},
        {"1844674407370955161.5e1", UINT64_MAX, false},
        {"1e19", 10000000000000000000U, false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_json_integer integer = {0, false};

        CU_ASSERT_EQUAL(vts_json_number_to_integer(vts_str_of(rows[i].text), &integer), VTS_OK);
        CU_ASSERT_EQUAL(integer.magnitude, rows[i].magnitude);
        CU_ASSERT_EQUAL(integer.is_negative, rows[i].is_negative);
    }
}

static void json_number_other_texts_are_no_integers(void)
{
    static const char *const texts[] = {
        "",      "-",
        "1.5",   "1e-1",
        "0.1",   "18446744073709551616",
        "1e20",  "1e99999999999",
        "1e-9",  " 1",
        "1 ",    "+1",
        "01",    "0x1",
        "1.",    "NaN",
        "1e",    "1,0",
        "--1",   "1-",
        "1e2.5", "11111111111111111111111111111111111111111111111111111111111111111",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++) {
        struct vts_json_integer integer;

        CU_ASSERT_EQUAL(vts_json_number_to_integer(vts_str_of(texts[i]), &integer),
                        VTS_ERR_INVALID);
    }
    CU_ASSERT_EQUAL(vts_json_number_len(vts_str_make("1\0"
                                                     "2",
                                                     3)),
                    1);
    CU_ASSERT_EQUAL(vts_json_number_len(vts_str_make("12", 1)), 1);
}

static void json_number_reals_are_read(void)
{
    static const struct {
        const char *text;
        double value;
    } rows[] = {
        {"0.1", 0.1},
        {"1e2", 100},
        {"-1.5", -1.5},
        {"1.7976931348623157e308", DBL_MAX},
        {"5e-324", 0x1p-1074},
        {"1e-400", 0},
        {"123456789012345678901234567890", 123456789012345678901234567890.0},
    };
    double value;

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of(rows[i].text), false, &value), VTS_OK);
        CU_ASSERT_EQUAL(value, rows[i].value);
    }
    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("-0"), false, &value), VTS_OK);
    CU_ASSERT(signbit(value));
    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("0.1"), true, &value), VTS_OK);
    CU_ASSERT_EQUAL(value, (double)0.1F);
    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("3.4028235e38"), true, &value), VTS_OK);
    CU_ASSERT_EQUAL(value, (double)FLT_MAX);
}

static void json_number_too_large_reals_are_refused(void)
{
    double value;

    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("1.8e308"), false, &value),
                    VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("-1e999999"), false, &value),
                    VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("3.5e38"), true, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("0x1p3"), true, &value), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("inf"), true, &value), VTS_ERR_INVALID);
}

static void check_text(double value, bool is_float, const char *expected)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 100);
    vts_json_number_write(&buf, value, is_float);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), expected));
    vts_buf_fini(&buf);
}

static void json_number_smallest_values_are_short(void)
{
    check_text(0x1p-1074, false, "5e-324");
    check_text((double)0x1p-149F, true, "1e-45");
    check_text(DBL_MIN, false, "2.2250738585072014e-308");
    check_text((double)FLT_MIN, true, "1.1754944e-38");
    check_text(-0.0, true, "-0");
}

/* Skipped without such a locale; the C locale's result holds in any case. */
static void json_number_locale_changes_nothing(void)
{
    bool has_comma = setlocale(LC_ALL, "de_DE.UTF-8") != NULL;
    double value;

    check_text(1.5, false, "1.5");
    CU_ASSERT_EQUAL(vts_json_number_to_double(vts_str_of("1.5"), false, &value), VTS_OK);
    CU_ASSERT_EQUAL(value, 1.5);
    if (has_comma)
        (void)setlocale(LC_ALL, "C"); /* what the program began with */
}

static const struct vts_test tests[] = {
    {"json_number_integers_are_exact", json_number_integers_are_exact},
    {"json_number_other_texts_are_no_integers", json_number_other_texts_are_no_integers},
    {"json_number_reals_are_read", json_number_reals_are_read},
    {"json_number_too_large_reals_are_refused", json_number_too_large_reals_are_refused},
    {"json_number_smallest_values_are_short", json_number_smallest_values_are_short},
    {"json_number_locale_changes_nothing", json_number_locale_changes_nothing},
};

int main(void)
{
    return vts_test_run("test_json_number", tests, VTS_ARRAY_LEN(tests));
}
