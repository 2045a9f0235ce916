/* SPDX-License-Identifier: Apache-2.0 */
/* test_timeout.c - the examples and the edges of both timeout headers. */
#include "common/wire/timeout.h"

#include <CUnit/CUnit.h>

#include "common/base/clock.h"
#include "tests/support/suite.h"

static int64_t parse_grpc(const char *text)
{
    int64_t ns = -1;

    return vts_timeout_parse_grpc(vts_str_of(text), &ns) == VTS_OK ? ns : -1;
}

static int64_t parse_connect(const char *text)
{
    int64_t ns = -1;

    return vts_timeout_parse_connect(vts_str_of(text), &ns) == VTS_OK ? ns : -1;
}

static void grpc_timeout_each_unit_is_read(void)
{
    CU_ASSERT_EQUAL(parse_grpc("1n"), 1);
    CU_ASSERT_EQUAL(parse_grpc("2u"), 2000);
    CU_ASSERT_EQUAL(parse_grpc("3m"), 3 * (int64_t)VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(parse_grpc("4S"), 4 * (int64_t)VTS_NS_PER_S);
    CU_ASSERT_EQUAL(parse_grpc("5M"), 300 * (int64_t)VTS_NS_PER_S);
    CU_ASSERT_EQUAL(parse_grpc("6H"), 21600 * (int64_t)VTS_NS_PER_S);
    CU_ASSERT_EQUAL(parse_grpc("0S"), 0);
    CU_ASSERT_EQUAL(parse_grpc("00000001n"), 1);
}

static void grpc_timeout_eight_digits_of_hours_are_clamped(void)
{
    CU_ASSERT_EQUAL(parse_grpc("99999999H"), INT64_MAX);
    CU_ASSERT_EQUAL(parse_grpc("99999999M"), (int64_t)99999999 * 60 * VTS_NS_PER_S);
}

static void grpc_timeout_other_shapes_are_refused(void)
{
    static const char *const bad[] = {"",    "S",   "1",   "1x",   "1s",         "-1S", "+1S",
                                      " 1S", "1S ", "1 S", "1.5S", "999999999S", "1SS", "0x1S"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++)
        CU_ASSERT_EQUAL(parse_grpc(bad[i]), -1);
}

static void connect_timeout_is_digits_of_milliseconds(void)
{
    CU_ASSERT_EQUAL(parse_connect("0"), 0);
    CU_ASSERT_EQUAL(parse_connect("1500"), 1500 * (int64_t)VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(parse_connect("9999999999"), INT64_C(9999999999) * VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(parse_connect("10000000000"), -1);
    CU_ASSERT_EQUAL(parse_connect(""), -1);
    CU_ASSERT_EQUAL(parse_connect("-1"), -1);
    CU_ASSERT_EQUAL(parse_connect("1s"), -1);
}

static void grpc_timeout_is_written_in_the_finest_unit_that_fits(void)
{
    static const struct {
        int64_t ns;
        const char *text;
    } cases[] = {
        {-1, "0n"},
        {0, "0n"},
        {99999999, "99999999n"},
        {100000000, "100000u"},
        {100000001, "100001u"},
        {(int64_t)250 * VTS_NS_PER_S, "250000m"},
        {INT64_MAX, "2562048H"},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(cases); i++) {
        char text[VTS_TIMEOUT_TEXT_BYTES];

        vts_timeout_format_grpc(cases[i].ns, text);
        CU_ASSERT_STRING_EQUAL(text, cases[i].text);
    }
}

static void grpc_timeout_written_is_never_read_as_less(void)
{
    for (int64_t ns = 1; ns < INT64_MAX / 7; ns = ns * 7 + 3) {
        char text[VTS_TIMEOUT_TEXT_BYTES];

        vts_timeout_format_grpc(ns, text);
        CU_ASSERT(parse_grpc(text) >= ns);
    }
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"grpc_timeout_each_unit_is_read", grpc_timeout_each_unit_is_read},
        {"grpc_timeout_eight_digits_of_hours_are_clamped",
         grpc_timeout_eight_digits_of_hours_are_clamped},
        {"grpc_timeout_other_shapes_are_refused", grpc_timeout_other_shapes_are_refused},
        {"connect_timeout_is_digits_of_milliseconds", connect_timeout_is_digits_of_milliseconds},
        {"grpc_timeout_is_written_in_the_finest_unit_that_fits",
         grpc_timeout_is_written_in_the_finest_unit_that_fits},
        {"grpc_timeout_written_is_never_read_as_less", grpc_timeout_written_is_never_read_as_less},
    };

    return vts_test_run("timeout", tests, VTS_ARRAY_LEN(tests));
}
