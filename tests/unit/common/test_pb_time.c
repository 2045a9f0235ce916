/* SPDX-License-Identifier: Apache-2.0 */
/* test_pb_time.c - what times may say, and their way to nanoseconds and back. */
#include "common/wire/pb_time.h"

#include <CUnit/CUnit.h>

#include "tests/support/suite.h"

static void timestamp_is_valid_from_year_1_to_year_9999(void)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        bool is_valid;
    } rows[] = {
        {0, 0, true},
        {0, 999999999, true},
        {0, 1000000000, false},
        {0, -1, false},
        {INT64_C(-62135596800), 0, true},
        {INT64_C(-62135596801), 999999999, false},
        {INT64_C(253402300799), 999999999, true},
        {INT64_C(253402300800), 0, false},
        {INT64_MAX, 0, false},
        {INT64_MIN, 0, false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(vts_pb_timestamp_is_valid(rows[i].seconds, rows[i].nanos),
                        rows[i].is_valid);
}

static void duration_is_valid_up_to_10000_years_with_one_sign(void)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        bool is_valid;
    } rows[] = {
        {0, 0, true},
        {0, -999999999, true},
        {1, -1, false},
        {-1, 1, false},
        {-1, -1, true},
        {1, 1000000000, false},
        {-1, -1000000000, false},
        {INT64_C(315576000000), 999999999, true},
        {INT64_C(315576000001), 0, false},
        {INT64_C(-315576000000), 0, true},
        {INT64_C(-315576000001), 0, false},
        {INT64_MIN, INT32_MIN, false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(vts_pb_duration_is_valid(rows[i].seconds, rows[i].nanos), rows[i].is_valid);
}

static void timestamp_of_ns_and_back_is_the_same(void)
{
    static const struct {
        int64_t ns;
        int64_t seconds;
        int32_t nanos;
    } rows[] = {
        {0, 0, 0},
        {1, 0, 1},
        {-1, -1, 999999999},
        {INT64_C(-1000000000), -1, 0},
        {INT64_C(1700000000500000000), 1700000000, 500000000},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

        vts_pb_timestamp_set(&stamp, rows[i].ns);
        CU_ASSERT_EQUAL(stamp.seconds, rows[i].seconds);
        CU_ASSERT_EQUAL(stamp.nanos, rows[i].nanos);
        CU_ASSERT_EQUAL(vts_pb_timestamp_ns(&stamp), rows[i].ns);
    }
}

static void timestamp_of_the_ends_is_valid(void)
{
    Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    vts_pb_timestamp_set(&stamp, INT64_MAX);
    CU_ASSERT(vts_pb_timestamp_is_valid(stamp.seconds, stamp.nanos));
    vts_pb_timestamp_set(&stamp, INT64_MIN);
    CU_ASSERT(vts_pb_timestamp_is_valid(stamp.seconds, stamp.nanos));
}

static void time_past_64_bits_is_the_last_there_is(void)
{
    Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;

    stamp.seconds = INT64_C(253402300799);
    stamp.nanos = 999999999;
    CU_ASSERT_EQUAL(vts_pb_timestamp_ns(&stamp), INT64_MAX);
    stamp.seconds = INT64_C(-62135596800);
    CU_ASSERT_EQUAL(vts_pb_timestamp_ns(&stamp), INT64_MIN);
    stamp.seconds = INT64_MIN;
    stamp.nanos = INT32_MIN;
    CU_ASSERT_EQUAL(vts_pb_timestamp_ns(&stamp), INT64_MIN);
    duration.seconds = INT64_MAX;
    duration.nanos = INT32_MAX;
    CU_ASSERT_EQUAL(vts_pb_duration_ns(&duration), INT64_MAX);
    duration.seconds = -1;
    duration.nanos = -500000000;
    CU_ASSERT_EQUAL(vts_pb_duration_ns(&duration), INT64_C(-1500000000));
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"timestamp_is_valid_from_year_1_to_year_9999",
         timestamp_is_valid_from_year_1_to_year_9999},
        {"duration_is_valid_up_to_10000_years_with_one_sign",
         duration_is_valid_up_to_10000_years_with_one_sign},
        {"timestamp_of_ns_and_back_is_the_same", timestamp_of_ns_and_back_is_the_same},
        {"timestamp_of_the_ends_is_valid", timestamp_of_the_ends_is_valid},
        {"time_past_64_bits_is_the_last_there_is", time_past_64_bits_is_the_last_there_is},
    };

    return vts_test_run("pb_time", tests, VTS_ARRAY_LEN(tests));
}
