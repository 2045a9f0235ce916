/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_time.c - times and durations from text; test_json_write.c has the other way. */
#include "common/wire/json_time.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "tests/support/suite.h"

struct row {
    const char *text;
    int64_t seconds;
    int32_t nanos;
};

typedef enum vts_err (*read_fn)(struct vts_str text, struct vts_json_time *ret_time);

static void check_rows(read_fn read, const struct row *rows, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vts_json_time time = {0, 0};

        CU_ASSERT_EQUAL(read(vts_str_of(rows[i].text), &time), VTS_OK);
        if (time.seconds != rows[i].seconds || time.nanos != rows[i].nanos)
            printf("\n%s: %lld %d\n", rows[i].text, (long long)time.seconds, time.nanos);
        CU_ASSERT_EQUAL(time.seconds, rows[i].seconds);
        CU_ASSERT_EQUAL(time.nanos, rows[i].nanos);
    }
}

static void check_refused(read_fn read, const char *const *texts, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct vts_json_time time;
        enum vts_err err = read(vts_str_of(texts[i]), &time);

        if (err != VTS_ERR_INVALID)
            printf("\n%s is taken\n", texts[i]);
        CU_ASSERT_EQUAL(err, VTS_ERR_INVALID);
    }
}

static void json_time_timestamps_are_read(void)
{
    static const struct row rows[] = {
        {"1970-01-01T00:00:00Z", 0, 0},
        {"2024-01-02T03:04:05.006Z", 1704164645, 6000000},
        {"2024-02-29T23:59:59.999999999Z", 1709251199, 999999999},
        {"2000-02-29T00:00:00Z", 951782400, 0},
        {"1969-12-31T23:59:59.5Z", -1, 500000000},
        {"2024-01-02T03:04:05.1234567Z", 1704164645, 123456700},
        {"2024-01-02T05:04:05+02:00", 1704164645, 0},
        {"2024-01-01T21:34:05-05:30", 1704164645, 0},
        {"1970-01-01T00:00:00-00:00", 0, 0},
        {"0001-01-01T00:00:00Z", INT64_C(-62135596800), 0},
        {"9999-12-31T23:59:59.999999999Z", INT64_C(253402300799), 999999999},
        {"9999-12-31T23:59:59+00:01", INT64_C(253402300739), 0},
    };

    check_rows(vts_json_timestamp_read, rows, VTS_ARRAY_LEN(rows));
}

static void json_time_other_texts_are_no_timestamps(void)
{
    static const char *const texts[] = {
        "",
        "1970-01-01",
        "1970-01-01T00:00:00",
        "1970-01-01 00:00:00Z",
        "1970-01-01t00:00:00Z",
        "1970-01-01T00:00:00z",
        "1970-01-01T00:00:00.Z",
        "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00,5Z",
        "1970-01-01T00:00:00Z ",
        " 1970-01-01T00:00:00Z",
        "1970-01-01T00:00:60Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T24:00:00Z",
        "1970-00-01T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1970-02-29T00:00:00Z",
        "1900-02-29T00:00:00Z",
        "1970-04-31T00:00:00Z",
        "0000-01-01T00:00:00Z",
        "0001-01-01T00:00:00+00:01",
        "9999-12-31T23:59:59-00:01",
        "10000-01-01T00:00:00Z",
        "-001-01-01T00:00:00Z",
        "1970-1-1T0:0:0Z",
        "1970-01-01T00:00:00+0000",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+00:60",
        "1970-01-01T00:00Z",
    };

    check_refused(vts_json_timestamp_read, texts, VTS_ARRAY_LEN(texts));
}

static void json_time_durations_are_read(void)
{
    static const struct row rows[] = {
        {"0s", 0, 0},
        {"1.5s", 1, 500000000},
        {"-1.5s", -1, -500000000},
        {"-0.5s", 0, -500000000},
        {"1.000000001s", 1, 1},
        {"007s", 7, 0},
        {"315576000000s", INT64_C(315576000000), 0},
        {"-315576000000.999999999s", INT64_C(-315576000000), -999999999},
    };

    check_rows(vts_json_duration_read, rows, VTS_ARRAY_LEN(rows));
}

static void json_time_other_texts_are_no_durations(void)
{
    static const char *const texts[] = {
        "",     "s",   "1",    "1.s",  ".5s",  "1.0000000001s", "+1s",
        "--1s", "1s ", " 1s",  "1S",   "1 s",  "315576000001s", "1000000000000s",
        "1ms",  "-s",  "1e3s", "0x1s", "1,5s", "1.5",           "9999999999999999999999s",
    };

    check_refused(vts_json_duration_read, texts, VTS_ARRAY_LEN(texts));
}

static void json_time_every_day_comes_back(void)
{
    for (int64_t day = -719162; day <= 2932896; day += 13) {
        struct vts_json_time time = {0, 0};
        struct vts_buf buf;

        vts_buf_init(&buf, 100);
        CU_ASSERT_EQUAL(vts_json_timestamp_write(&buf, (struct vts_json_time){day * 86400, 1}),
                        VTS_OK);
        CU_ASSERT_EQUAL(vts_json_timestamp_read(vts_str_make(buf.ptr + 1, buf.len - 2), &time),
                        VTS_OK);
        CU_ASSERT_EQUAL(time.seconds, day * 86400);
        vts_buf_fini(&buf);
    }
}

static const struct vts_test tests[] = {
    {"json_time_timestamps_are_read", json_time_timestamps_are_read},
    {"json_time_other_texts_are_no_timestamps", json_time_other_texts_are_no_timestamps},
    {"json_time_durations_are_read", json_time_durations_are_read},
    {"json_time_other_texts_are_no_durations", json_time_other_texts_are_no_durations},
    {"json_time_every_day_comes_back", json_time_every_day_comes_back},
};

int main(void)
{
    return vts_test_run("test_json_time", tests, VTS_ARRAY_LEN(tests));
}
