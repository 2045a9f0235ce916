/* SPDX-License-Identifier: Apache-2.0 */
/* test_accept.c - which media type an Accept header chooses. */
#include <CUnit/CUnit.h>

#include "common/base/buf.h"
#include "common/wire/accept.h"
#include "tests/support/suite.h"

enum { NONE = -1, JSON, PROTO, EVENTS };

static const char *const offers[] = {
    "application/json",
    "application/x-protobuf",
    "text/event-stream",
};

static int choose(const char *accept)
{
    return vts_accept_choose(vts_str_of(accept), offers, VTS_ARRAY_LEN(offers));
}

static void accept_empty_takes_the_first_offer(void)
{
    CU_ASSERT_EQUAL(choose(""), JSON);
    CU_ASSERT_EQUAL(choose(" \t"), JSON);
    CU_ASSERT_EQUAL(choose(NULL), JSON);
}

static void accept_exact_type_is_chosen(void)
{
    CU_ASSERT_EQUAL(choose("application/x-protobuf"), PROTO);
    CU_ASSERT_EQUAL(choose("text/event-stream"), EVENTS);
    CU_ASSERT_EQUAL(choose("image/png"), NONE);
    CU_ASSERT_EQUAL(choose("application/x-protobu"), NONE);
    CU_ASSERT_EQUAL(choose("application/x-protobuf2"), NONE);
}

static void accept_types_compare_without_case(void)
{
    CU_ASSERT_EQUAL(choose("Application/X-PROTOBUF"), PROTO);
    CU_ASSERT_EQUAL(choose("TEXT/*"), EVENTS);
}

static void accept_ranges_match(void)
{
    CU_ASSERT_EQUAL(choose("*/*"), JSON);
    CU_ASSERT_EQUAL(choose("text/*"), EVENTS);
    CU_ASSERT_EQUAL(choose("application/*"), JSON);
    CU_ASSERT_EQUAL(choose("image/*"), NONE);
    CU_ASSERT_EQUAL(choose("*/json"), NONE);
    CU_ASSERT_EQUAL(choose("application/*json"), NONE);
    CU_ASSERT_EQUAL(choose("applicatio/*"), NONE);
    CU_ASSERT_EQUAL(choose("*"), NONE);
}

static void accept_higher_quality_wins(void)
{
    CU_ASSERT_EQUAL(choose("application/x-protobuf;q=0.1, application/json"), JSON);
    CU_ASSERT_EQUAL(choose("application/json;q=0.1, application/x-protobuf"), PROTO);
    CU_ASSERT_EQUAL(choose("application/json;q=0.998,application/x-protobuf;q=0.999"), PROTO);
    CU_ASSERT_EQUAL(choose("application/json;q=0.5,application/x-protobuf;q=0.51"), PROTO);
    CU_ASSERT_EQUAL(choose("application/json;q=0.1,*/*;q=0.2"), PROTO);
}

static void accept_equal_quality_keeps_our_order(void)
{
    CU_ASSERT_EQUAL(choose("application/x-protobuf, application/json"), JSON);
    CU_ASSERT_EQUAL(choose("text/event-stream;q=0.5, application/x-protobuf;q=0.500"), PROTO);
    CU_ASSERT_EQUAL(choose("application/x-protobuf;q=1.000, application/json;q=1"), JSON);
}

static void accept_quality_zero_forbids(void)
{
    CU_ASSERT_EQUAL(choose("application/json;q=0"), NONE);
    CU_ASSERT_EQUAL(choose("application/json;q=0.000, */*;q=0.001"), PROTO);
    CU_ASSERT_EQUAL(choose("*/*;q=0"), NONE);
}

static void accept_more_specific_range_decides(void)
{
    CU_ASSERT_EQUAL(choose("*/*, application/json;q=0"), PROTO);
    CU_ASSERT_EQUAL(choose("application/json;q=0, */*"), PROTO);
    CU_ASSERT_EQUAL(choose("application/*;q=0.1, */*;q=0.9"), EVENTS);
    CU_ASSERT_EQUAL(choose("application/*;q=0, application/x-protobuf, */*;q=0.5"), PROTO);
}

static void accept_repeated_range_counts_at_its_best(void)
{
    CU_ASSERT_EQUAL(
        choose("application/json;q=0.1, application/x-protobuf;q=0.5, application/json"), JSON);
    CU_ASSERT_EQUAL(
        choose("application/json, application/x-protobuf;q=0.5, application/json;q=0.1"), JSON);
}

static void accept_other_parameters_are_ignored(void)
{
    CU_ASSERT_EQUAL(choose("application/x-protobuf; charset=utf-8"), PROTO);
    CU_ASSERT_EQUAL(choose("application/json;v=1;q=0.1;x=2, text/event-stream;q=0.2"), EVENTS);
    CU_ASSERT_EQUAL(choose("application/json;v=\",;q=1\";Q=0.1,text/event-stream;q=0.2"), EVENTS);
    CU_ASSERT_EQUAL(choose("\tapplication/x-protobuf ; q=0.5 , text/event-stream ;q=0.4 "), PROTO);
}

static void accept_malformed_ranges_are_passed_over(void)
{
    static const char *const qualities[] = {"",    "2",     "1.1",    "1.001", "-1",  "0,5",
                                            "0.x", ".5",    "0.1234", "00.1",  "abc", "0 .5",
                                            "1e0", "\"1\"", "0.5x",   "1.0000"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(qualities); i++) {
        struct vts_buf header;

        vts_buf_init(&header, 200);
        vts_buf_append_format(&header, "application/x-protobuf;q=%s, text/event-stream;q=0.001",
                              qualities[i]);
        CU_ASSERT_EQUAL(vts_accept_choose(vts_buf_str(&header), offers, VTS_ARRAY_LEN(offers)),
                        EVENTS);
        vts_buf_fini(&header);
    }
    CU_ASSERT_EQUAL(choose(",, ;q=1, /, application/x-protobuf"), PROTO);
    CU_ASSERT_EQUAL(choose("application/json;q"), NONE);
    CU_ASSERT_EQUAL(choose("\"unterminated, application/json"), NONE);
}

static void accept_long_header_is_read_to_its_end(void)
{
    struct vts_buf header;

    vts_buf_init(&header, 20000);
    for (int i = 0; i < 1000; i++)
        vts_buf_append_format(&header, "x/type-%d;q=0.5,", i);
    vts_buf_append_text(&header, "application/x-protobuf;q=0.001");
    CU_ASSERT_EQUAL(vts_buf_check(&header), VTS_OK);
    CU_ASSERT_EQUAL(vts_accept_choose(vts_buf_str(&header), offers, VTS_ARRAY_LEN(offers)), PROTO);
    vts_buf_fini(&header);
}

static const struct vts_test tests[] = {
    {"accept_empty_takes_the_first_offer", accept_empty_takes_the_first_offer},
    {"accept_exact_type_is_chosen", accept_exact_type_is_chosen},
    {"accept_types_compare_without_case", accept_types_compare_without_case},
    {"accept_ranges_match", accept_ranges_match},
    {"accept_higher_quality_wins", accept_higher_quality_wins},
    {"accept_equal_quality_keeps_our_order", accept_equal_quality_keeps_our_order},
    {"accept_quality_zero_forbids", accept_quality_zero_forbids},
    {"accept_more_specific_range_decides", accept_more_specific_range_decides},
    {"accept_repeated_range_counts_at_its_best", accept_repeated_range_counts_at_its_best},
    {"accept_other_parameters_are_ignored", accept_other_parameters_are_ignored},
    {"accept_malformed_ranges_are_passed_over", accept_malformed_ranges_are_passed_over},
    {"accept_long_header_is_read_to_its_end", accept_long_header_is_read_to_its_end},
};

int main(void)
{
    return vts_test_run("test_accept", tests, VTS_ARRAY_LEN(tests));
}
