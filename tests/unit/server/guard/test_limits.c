/* SPDX-License-Identifier: Apache-2.0 */
/* test_limits.c - the table of bounds: defaults, changes, counts, and how they are written. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/guard/limits.h"
#include "tests/support/suite.h"

enum { METRICS_MAX_BYTES = 64 * 1024 };

static const struct row {
    const char *name;
    uint64_t value;
} rows[] = {
#define X(name, text, value, unit, why) {text, value},
#include "server/guard/limits.def"
#undef X
};

static void init_gives_the_tables_defaults(void)
{
    struct vts_limits limits;

    vts_limits_init(&limits);
    CU_ASSERT_EQUAL(VTS_ARRAY_LEN(rows), VTS_LIMIT_COUNT);
    for (int i = 0; i < VTS_LIMIT_COUNT; i++) {
        CU_ASSERT_EQUAL(vts_limits_get(&limits, (enum vts_limit)i), rows[i].value);
        CU_ASSERT_EQUAL(limits.hits[i], 0);
    }
}

static void names_are_the_tables_and_unique(void)
{
    for (int i = 0; i < VTS_LIMIT_COUNT; i++) {
        CU_ASSERT_STRING_EQUAL(vts_limits_name((enum vts_limit)i), rows[i].name);
        for (int j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(rows[i].name, rows[j].name);
    }
}

static void parse_of_every_name_changes_that_limit_only(void)
{
    for (int i = 0; i < VTS_LIMIT_COUNT; i++) {
        struct vts_limits limits;
        char pair[64];

        vts_limits_init(&limits);
        (void)snprintf(pair, sizeof(pair), "%s=%d", rows[i].name, 1234567);
        CU_ASSERT_EQUAL(vts_limits_parse(&limits, pair, NULL), VTS_OK);
        for (int j = 0; j < VTS_LIMIT_COUNT; j++)
            CU_ASSERT_EQUAL(limits.values[j], i == j ? 1234567 : rows[j].value);
    }
}

static void parse_of_several_pairs_sets_them_all(void)
{
    struct vts_limits limits;

    vts_limits_init(&limits);
    CU_ASSERT_EQUAL(vts_limits_parse(&limits, "streams=1, bodies=1000000000 ,streams=3", NULL),
                    VTS_OK);
    CU_ASSERT_EQUAL(vts_limits_get(&limits, VTS_LIMIT_STREAMS), 3);
    CU_ASSERT_EQUAL(vts_limits_get(&limits, VTS_LIMIT_BODIES), 1000000000);
}

static void parse_of_bad_pair_names_it(void)
{
    static const struct {
        const char *pairs;
        const char *text;
    } bad[] = {
        {"", "no limit named \"\""},
        {"streams", "\"streams\" is not NAME=NUMBER"},
        {"streams=", "\"streams=\" is not"},
        {"streams=0", "\"streams=0\" is not"},
        {"streams=-1", "\"streams=-1\" is not"},
        {"streams=1.5", "\"streams=1.5\" is not"},
        {"streams=1000000001", "\"streams=1000000001\" is not"},
        {"streams=99999999999999999999999", "is not"},
        {"streams=1=2", "\"streams=1=2\" is not"},
        {"max_age_ms=-1", "\"max_age_ms=-1\" is not NAME=NUMBER with a number from 0"},
        {"max_age_ms=", "\"max_age_ms=\" is not"},
        {"=5", "no limit named \"\""},
        {"STREAMS=5", "no limit named \"STREAMS\""},
        {"streams=5,,bodies=5", "no limit named \"\""},
        {"streams=5,wishes=3", "no limit named \"wishes\""},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++) {
        struct vts_error error = {.text = ""};
        struct vts_limits limits;

        vts_limits_init(&limits);
        CU_ASSERT_EQUAL(vts_limits_parse(&limits, bad[i].pairs, &error), VTS_ERR_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, bad[i].text));
    }
}

static void parse_takes_0_where_it_is_the_default_only(void)
{
    for (int i = 0; i < VTS_LIMIT_COUNT; i++) {
        struct vts_limits limits;
        char pairs[128];

        vts_limits_init(&limits);
        (void)snprintf(pairs, sizeof(pairs), "%s=5,%s=0", rows[i].name, rows[i].name);
        if (rows[i].value == 0) {
            CU_ASSERT_EQUAL(vts_limits_parse(&limits, pairs, NULL), VTS_OK);
            CU_ASSERT_EQUAL(limits.values[i], 0);
        } else {
            CU_ASSERT_EQUAL(vts_limits_parse(&limits, pairs, NULL), VTS_ERR_INVALID);
            CU_ASSERT_EQUAL(limits.values[i], 5);
        }
    }
}

static void parse_keeps_the_pairs_before_the_fault(void)
{
    struct vts_limits limits;

    vts_limits_init(&limits);
    CU_ASSERT_EQUAL(vts_limits_parse(&limits, "streams=5,bodies=x", NULL), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_limits_get(&limits, VTS_LIMIT_STREAMS), 5);
}

static void get_ns_turns_milliseconds_into_nanoseconds(void)
{
    struct vts_limits limits;

    vts_limits_init(&limits);
    CU_ASSERT_EQUAL(vts_limits_parse(&limits, "idle_ms=1,drain_ms=1000000000", NULL), VTS_OK);
    CU_ASSERT_EQUAL(vts_limits_get_ns(&limits, VTS_LIMIT_IDLE_MS), VTS_NS_PER_MS);
    CU_ASSERT_EQUAL(vts_limits_get_ns(&limits, VTS_LIMIT_DRAIN_MS),
                    INT64_C(1000000000) * VTS_NS_PER_MS);
}

static void metrics_have_a_series_for_each_limit(void)
{
    struct vts_limits limits;
    struct vts_buf buf;

    vts_limits_init(&limits);
    for (int i = 0; i < VTS_LIMIT_COUNT; i++)
        for (int j = 0; j < i; j++)
            vts_limits_hit(&limits, (enum vts_limit)i);
    vts_buf_init(&buf, METRICS_MAX_BYTES);
    vts_limits_write_metrics(&limits, &buf);
    vts_buf_append(&buf, "", 1);
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT_PTR_NOT_NULL(strstr(buf.ptr, "# TYPE vts_limit_hits_total counter\n"));
    for (int i = 0; i < VTS_LIMIT_COUNT; i++) {
        char line[128];

        (void)snprintf(line, sizeof(line), "\nvts_limit_hits_total{limit=\"%s\"} %d\n",
                       rows[i].name, i);
        CU_ASSERT_PTR_NOT_NULL(strstr(buf.ptr, line));
    }
    vts_buf_fini(&buf);
}

static const struct vts_test tests[] = {
    {"init_gives_the_tables_defaults", init_gives_the_tables_defaults},
    {"names_are_the_tables_and_unique", names_are_the_tables_and_unique},
    {"parse_of_every_name_changes_that_limit_only", parse_of_every_name_changes_that_limit_only},
    {"parse_of_several_pairs_sets_them_all", parse_of_several_pairs_sets_them_all},
    {"parse_of_bad_pair_names_it", parse_of_bad_pair_names_it},
    {"parse_takes_0_where_it_is_the_default_only", parse_takes_0_where_it_is_the_default_only},
    {"parse_keeps_the_pairs_before_the_fault", parse_keeps_the_pairs_before_the_fault},
    {"get_ns_turns_milliseconds_into_nanoseconds", get_ns_turns_milliseconds_into_nanoseconds},
    {"metrics_have_a_series_for_each_limit", metrics_have_a_series_for_each_limit},
};

int main(void)
{
    return vts_test_run("test_limits", tests, VTS_ARRAY_LEN(tests));
}
