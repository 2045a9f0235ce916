/* SPDX-License-Identifier: Apache-2.0 */
/* test_etag.c - which entity tags an If-None-Match header names. */
#include <CUnit/CUnit.h>

#include "common/wire/etag.h"
#include "tests/support/suite.h"

static bool is_listed(const char *header, const char *etag)
{
    return vts_etag_is_listed(vts_str_of(header), vts_str_of(etag));
}

static void etag_alone_is_found(void)
{
    CU_ASSERT(is_listed("\"r7\"", "\"r7\""));
    CU_ASSERT(is_listed(" \"r7\"\t", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("\"r7\"", "\"r8\""));
    CU_ASSERT_FALSE(is_listed("\"r70\"", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("\"r7\"", "\"r70\""));
}

static void etag_weakness_does_not_count(void)
{
    CU_ASSERT(is_listed("W/\"r7\"", "W/\"r7\""));
    CU_ASSERT(is_listed("\"r7\"", "W/\"r7\""));
    CU_ASSERT(is_listed("W/\"r7\"", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("w/\"r7\"", "\"r7\""));
}

static void etag_in_a_list_is_found_anywhere(void)
{
    CU_ASSERT(is_listed("\"a\", W/\"r7\" ,\"b\"", "\"r7\""));
    CU_ASSERT(is_listed("\"r7\",\"b\"", "\"r7\""));
    CU_ASSERT(is_listed("\"a\",\"r7\"", "\"r7\""));
    CU_ASSERT(is_listed(",, \"r7\",", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("\"a\", \"b\", \"c\"", "\"r7\""));
}

static void etag_star_names_every_tag(void)
{
    CU_ASSERT(is_listed("*", "\"r7\""));
    CU_ASSERT(is_listed(" * ", "W/\"r7\""));
    CU_ASSERT_FALSE(is_listed("**", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("\"*\"", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("\"a\", *", "\"r7\""));
}

static void etag_comma_inside_quotes_separates_nothing(void)
{
    CU_ASSERT(is_listed("\"a,b\"", "\"a,b\""));
    CU_ASSERT(is_listed("\"x\", \"a,b\"", "\"a,b\""));
    CU_ASSERT_FALSE(is_listed("\"a,r7,b\"", "r7"));
}

static void etag_backslash_escapes_nothing(void)
{
    CU_ASSERT(is_listed("\"a\\\", \"r7\"", "\"r7\""));
    CU_ASSERT(is_listed("\"a\\\"", "\"a\\\""));
}

static void etag_without_quotes_is_none(void)
{
    CU_ASSERT_FALSE(is_listed("r7", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("\"r7", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("", "\"r7\""));
    CU_ASSERT_FALSE(is_listed("   ", "\"r7\""));
    CU_ASSERT_FALSE(is_listed(NULL, "\"r7\""));
    CU_ASSERT_FALSE(is_listed("W/", "\"r7\""));
}

static const struct vts_test tests[] = {
    {"etag_alone_is_found", etag_alone_is_found},
    {"etag_weakness_does_not_count", etag_weakness_does_not_count},
    {"etag_in_a_list_is_found_anywhere", etag_in_a_list_is_found_anywhere},
    {"etag_star_names_every_tag", etag_star_names_every_tag},
    {"etag_comma_inside_quotes_separates_nothing", etag_comma_inside_quotes_separates_nothing},
    {"etag_backslash_escapes_nothing", etag_backslash_escapes_nothing},
    {"etag_without_quotes_is_none", etag_without_quotes_is_none},
};

int main(void)
{
    return vts_test_run("test_etag", tests, VTS_ARRAY_LEN(tests));
}
