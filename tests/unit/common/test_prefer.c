/* SPDX-License-Identifier: Apache-2.0 */
/* test_prefer.c - how long a Prefer header says that its client would wait. */
#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "common/wire/prefer.h"
#include "tests/support/suite.h"

static const uint64_t untouched = 77;

/* The seconds, or `untouched` when there are none. */
static uint64_t wait_of(const char *prefer)
{
    uint64_t seconds = untouched;

    CU_ASSERT_EQUAL(vts_prefer_wait(vts_str_of(prefer), &seconds), seconds != untouched);
    return seconds;
}

static void wait_is_found_among_preferences(void)
{
    static const struct {
        const char *prefer;
        uint64_t seconds;
    } rows[] = {
        {"wait=10", 10},
        {"wait=0", 0},
        {"wait=007", 7},
        {"WAIT=10", 10},
        {" wait = 10 ", 10},
        {"respond-async, wait=10", 10},
        {"respond-async,wait=10,handling=lenient", 10},
        {"wait=10; foo=bar", 10},
        {"wait=\"10\"", 10},
        {"foo=\"wait=5, wait=6\", wait=7", 7},
        {", ,wait=10", 10},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(wait_of(rows[i].prefer), rows[i].seconds);
}

static void wait_that_is_none_is_passed_over(void)
{
    static const char *const rows[] = {
        "",        ",",         "wait",      "wait=",    "wait=\"\"",
        "wait=-1", "wait=1.5",  "wait=ten",  "wait=1s",  "wait=1 2",
        "wait==1", "await=10",  "wait10=1",  "wait;=10", "foo;wait=10",
        "=10",     "\"wait=10", "wait=\"10", "wait:10",  "waiting=10",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(wait_of(rows[i]), untouched);
    CU_ASSERT_FALSE(vts_prefer_wait(vts_str_make(NULL, 0), &(uint64_t){0}));
}

static void first_wait_counts_and_no_other(void)
{
    CU_ASSERT_EQUAL(wait_of("wait=1, wait=2"), 1);
    CU_ASSERT_EQUAL(wait_of("wait=x, wait=2"), untouched);
    CU_ASSERT_EQUAL(wait_of("wait, wait=2"), untouched);
    CU_ASSERT_EQUAL(wait_of("Wait=3;wait=4, wait=2"), 3);
}

static void wait_of_ages_is_the_longest(void)
{
    CU_ASSERT_EQUAL(wait_of("wait=1000000000"), VTS_PREFER_WAIT_MAX_S);
    CU_ASSERT_EQUAL(wait_of("wait=1000000001"), VTS_PREFER_WAIT_MAX_S);
    CU_ASSERT_EQUAL(wait_of("wait=99999999999999999999999999999999"), VTS_PREFER_WAIT_MAX_S);
    CU_ASSERT_EQUAL(wait_of("wait=99999999999999999999999999999999x"), untouched);
}

static const struct vts_test tests[] = {
    {"wait_is_found_among_preferences", wait_is_found_among_preferences},
    {"wait_that_is_none_is_passed_over", wait_that_is_none_is_passed_over},
    {"first_wait_counts_and_no_other", first_wait_counts_and_no_other},
    {"wait_of_ages_is_the_longest", wait_of_ages_is_the_longest},
};

int main(void)
{
    return vts_test_run("test_prefer", tests, VTS_ARRAY_LEN(tests));
}
