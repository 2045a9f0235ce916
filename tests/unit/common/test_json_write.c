/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_write.c - messages of every type as ProtoJSON.
 *
 * every_type.proto has a field of each type; the expected texts follow
 * https://protobuf.dev/programming-guides/json/.
 */
#include <CUnit/CUnit.h>
#include <float.h>
#include <limits.h>
#include <math.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/wire/json.h"
#include "every_type.pb-c.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"
#include "tests/support/every_type.h"
#include "tests/support/suite.h"
#include "vtstatus/v1/status_service.pb-c.h"

static const struct vts_json_write_options words = {.enums = VTS_JSON_ENUM_WORDS};

static void check_json(const void *message, const struct vts_json_write_options *options,
                       const char *expected)
{
    struct vts_buf buf;
    struct vts_str written;

    vts_buf_init(&buf, 10000);
    CU_ASSERT_EQUAL(vts_json_write(&buf, message, options), VTS_OK);
    written = vts_buf_str(&buf);
    if (!vts_str_equals_text(written, expected))
        printf("\nwrote    %.*s\nexpected %s\n", (int)written.len, written.ptr, expected);
    CU_ASSERT(vts_str_equals_text(written, expected));
    vts_buf_fini(&buf);
}

static void check_names(const void *message, const char *expected)
{
    check_json(message, NULL, expected);
}

static void check_words(const void *message, const char *expected)
{
    check_json(message, &words, expected);
}

static void check_error(const void *message, enum vts_err expected)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 10000);
    CU_ASSERT_EQUAL(vts_json_write(&buf, message, NULL), expected);
    vts_buf_fini(&buf);
}

static void check_invalid(const void *message)
{
    check_error(message, VTS_ERR_INVALID);
}

static void json_write_defaults_are_left_out(void)
{
    const Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;
    const Vtstest__Lists lists = VTSTEST__LISTS__INIT;
    const Vtstest__Choice choice = VTSTEST__CHOICE__INIT;
    const Vtstest__WellKnown well_known = VTSTEST__WELL_KNOWN__INIT;

    check_names(&every, "{}");
    check_names(&lists, "{}");
    check_names(&choice, "{}");
    check_names(&well_known, "{}");
}

static void json_write_null_string_is_a_default(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.string_field = NULL;
    check_names(&every, "{}");
}

static void json_write_32_bits_are_numbers(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.int32_field = INT32_MIN;
    every.sint32_field = -1;
    every.sfixed32_field = INT32_MAX;
    every.uint32_field = UINT32_MAX;
    every.fixed32_field = 1;
    check_names(&every,
                "{\"int32Field\":-2147483648,\"sint32Field\":-1,\"sfixed32Field\":2147483647,"
                "\"uint32Field\":4294967295,\"fixed32Field\":1}");
}

static void json_write_64_bits_are_strings(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.int64_field = INT64_MIN;
    every.sint64_field = -1;
    every.sfixed64_field = INT64_MAX;
    every.uint64_field = UINT64_MAX;
    every.fixed64_field = 1;
    check_names(&every,
                "{\"int64Field\":\"-9223372036854775808\",\"sint64Field\":\"-1\","
                "\"sfixed64Field\":\"9223372036854775807\","
                "\"uint64Field\":\"18446744073709551615\",\"fixed64Field\":\"1\"}");
}

/* A value that only its upper half tells from zero must not pass for a default. */
static void json_write_64_bits_are_compared_whole(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.uint64_field = UINT64_C(1) << 32;
    check_names(&every, "{\"uint64Field\":\"4294967296\"}");
}

static void json_write_bool_string_and_bytes(void)
{
    static uint8_t bytes[] = {0xfb, 0xff, 0x00};
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.bool_field = 1;
    every.string_field = "a \"\xc3\xbc\"\n\xff";
    every.bytes_field = (ProtobufCBinaryData){.len = sizeof(bytes), .data = bytes};
    check_names(&every,
                "{\"boolField\":true,\"stringField\":\"a \\\"\xc3\xbc\\\"\\n\xef\xbf\xbd\","
                "\"bytesField\":\"+/8A\"}");
}

static void json_write_bytes_are_padded_base64(void)
{
    static const char *const expected[] = {
        "{}",
        "{\"bytesField\":\"Zg==\"}",
        "{\"bytesField\":\"Zm8=\"}",
        "{\"bytesField\":\"Zm9v\"}",
        "{\"bytesField\":\"Zm9vYg==\"}",
        "{\"bytesField\":\"Zm9vYmE=\"}",
        "{\"bytesField\":\"Zm9vYmFy\"}",
    };
    static uint8_t bytes[] = "foobar";

    for (size_t len = 0; len < VTS_ARRAY_LEN(expected); len++) {
        Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

        every.bytes_field = (ProtobufCBinaryData){.len = len, .data = bytes};
        check_names(&every, expected[len]);
    }
}

static void check_double(double value, const char *expected)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;
    char json[80];

    every.double_field = value;
    (void)snprintf(json, sizeof(json), "{\"doubleField\":%s}", expected);
    check_names(&every, json);
}

static void json_write_double_is_shortest(void)
{
    check_double(0.1, "0.1");
    check_double(-1.5, "-1.5");
    check_double(1.0 / 3, "0.3333333333333333");
    check_double(0.1 + 0.2, "0.30000000000000004");
    check_double(100, "100");
    check_double(1e300, "1e+300");
    check_double(DBL_MAX, "1.7976931348623157e+308");
    check_double(DBL_MIN, "2.2250738585072014e-308");
    check_double(-0.0, "-0");
}

static void check_float(float value, const char *expected)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;
    char json[80];

    every.float_field = value;
    (void)snprintf(json, sizeof(json), "{\"floatField\":%s}", expected);
    check_names(&every, json);
}

static void json_write_float_is_shortest(void)
{
    check_float(0.1F, "0.1");
    check_float(33.3F, "33.3");
    check_float(16777216.0F, "16777216");
    check_float(1.0F / 3, "0.33333334");
    check_float(FLT_MAX, "3.4028235e+38");
    check_float(-0.0F, "-0");
}

static void json_write_not_finite_numbers_are_strings(void)
{
    check_double((double)NAN, "\"NaN\"");
    check_double(HUGE_VAL, "\"Infinity\"");
    check_double(-HUGE_VAL, "\"-Infinity\"");
    check_float(NAN, "\"NaN\"");
    check_float(HUGE_VALF, "\"Infinity\"");
    check_float(-HUGE_VALF, "\"-Infinity\"");
}

static void json_write_enum_names_and_words(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.enum_field = VTSTEST__DARK_COLOR__DARK_COLOR_DEEP_RED;
    check_names(&every, "{\"enumField\":\"DARK_COLOR_DEEP_RED\"}");
    check_words(&every, "{\"enumField\":\"deep_red\"}");
    every.enum_field = VTSTEST__DARK_COLOR__DARK_COLOR_NEGATIVE;
    check_names(&every, "{\"enumField\":\"DARK_COLOR_NEGATIVE\"}");
    check_words(&every, "{\"enumField\":\"negative\"}");
}

static void json_write_enum_without_prefix_keeps_its_name(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.outcome = VTSTEST__OUTCOME__NOT_FOUND;
    check_names(&every, "{\"outcome\":\"NOT_FOUND\"}");
    check_words(&every, "{\"outcome\":\"not_found\"}");
    every.outcome = VTSTEST__OUTCOME__OUTCOME_;
    check_words(&every, "{\"outcome\":\"outcome_\"}");
}

static void json_write_enum_alias_has_the_first_name(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.level = VTSTEST__LEVEL__LEVEL_TOP;
    check_names(&every, "{\"level\":\"LEVEL_HIGH\"}");
}

static void json_write_unknown_enum_is_its_number(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;

    every.enum_field = (Vtstest__DarkColor)77;
    check_names(&every, "{\"enumField\":77}");
    check_words(&every, "{\"enumField\":77}");
    every.enum_field = (Vtstest__DarkColor)-77;
    check_words(&every, "{\"enumField\":-77}");
}

static void json_write_nested_message_is_an_object(void)
{
    Vtstest__EveryType inner = VTSTEST__EVERY_TYPE__INIT;
    Vtstest__EveryType middle = VTSTEST__EVERY_TYPE__INIT;
    Vtstest__EveryType outer = VTSTEST__EVERY_TYPE__INIT;

    middle.message_field = &inner;
    outer.message_field = &middle;
    outer.bool_field = 1;
    check_names(&outer, "{\"boolField\":true,\"messageField\":{\"messageField\":{}}}");
}

static void json_write_names_are_camel_case(void)
{
    Vtstest__OddNames names = VTSTEST__ODD_NAMES__INIT;

    names.a__b = 1;
    names.x_1 = 2;
    names._lead = 3;
    names.trail_ = 4;
    names.job_id = 5;
    names.mixedcase_name = 6;
    check_names(&names,
                "{\"aB\":1,\"x1\":2,\"Lead\":3,\"trail\":4,\"jobId\":5,\"mixedCaseName\":6}");
}

static void json_write_lists_of_numbers(void)
{
    int32_t ints[] = {0, -1, 2};
    uint64_t longs[] = {0, UINT64_MAX};
    float floats[] = {0, 0.1F, NAN};
    double doubles[] = {0, 0.1, -HUGE_VAL};
    protobuf_c_boolean bools[] = {0, 1, 0};
    Vtstest__Lists lists = VTSTEST__LISTS__INIT;

    lists.n_ints = VTS_ARRAY_LEN(ints);
    lists.ints = ints;
    lists.n_longs = VTS_ARRAY_LEN(longs);
    lists.longs = longs;
    lists.n_floats = VTS_ARRAY_LEN(floats);
    lists.floats = floats;
    lists.n_doubles = VTS_ARRAY_LEN(doubles);
    lists.doubles = doubles;
    lists.n_bools = VTS_ARRAY_LEN(bools);
    lists.bools = bools;
    check_names(&lists,
                "{\"ints\":[0,-1,2],\"longs\":[\"0\",\"18446744073709551615\"],"
                "\"floats\":[0,0.1,\"NaN\"],\"doubles\":[0,0.1,\"-Infinity\"],"
                "\"bools\":[false,true,false]}");
}

static void json_write_lists_of_texts_and_enums(void)
{
    char *strings[] = {"", "a\tb"};
    ProtobufCBinaryData blobs[] = {{.len = 0}, {.len = 1, .data = (uint8_t[]){0}}};
    Vtstest__DarkColor colors[] = {VTSTEST__DARK_COLOR__DARK_COLOR_UNSPECIFIED,
                                   VTSTEST__DARK_COLOR__DARK_COLOR_DEEP_RED, 9};
    Vtstest__Lists lists = VTSTEST__LISTS__INIT;

    lists.n_strings = VTS_ARRAY_LEN(strings);
    lists.strings = strings;
    lists.n_blobs = VTS_ARRAY_LEN(blobs);
    lists.blobs = blobs;
    lists.n_colors = VTS_ARRAY_LEN(colors);
    lists.colors = colors;
    check_words(&lists,
                "{\"strings\":[\"\",\"a\\tb\"],\"blobs\":[\"\",\"AA==\"],"
                "\"colors\":[\"unspecified\",\"deep_red\",9]}");
}

static void json_write_list_of_one_message(void)
{
    Vtstest__EveryType empty = VTSTEST__EVERY_TYPE__INIT;
    Vtstest__EveryType full = VTSTEST__EVERY_TYPE__INIT;
    Vtstest__EveryType *messages[] = {&empty, &full};
    Vtstest__Lists lists = VTSTEST__LISTS__INIT;

    full.int32_field = 5;
    lists.n_messages = 1;
    lists.messages = messages;
    check_names(&lists, "{\"messages\":[{}]}");
    lists.n_messages = 2;
    check_names(&lists, "{\"messages\":[{},{\"int32Field\":5}]}");
}

static void json_write_list_with_an_invalid_member_is_refused(void)
{
    Google__Protobuf__Timestamp good = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Timestamp bad = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Timestamp *stamps[] = {&good, &bad, &good};
    Vtstest__Lists lists = VTSTEST__LISTS__INIT;

    bad.nanos = -1;
    lists.n_stamps = VTS_ARRAY_LEN(stamps);
    lists.stamps = stamps;
    check_invalid(&lists);
    lists.n_stamps = 1;
    check_names(&lists, "{\"stamps\":[\"1970-01-01T00:00:00Z\"]}");
}

/* A member of a oneof has presence: it is written even at its type's default. */
static void json_write_oneof_writes_the_set_member(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;
    Vtstest__Choice choice = VTSTEST__CHOICE__INIT;

    choice.choice_case = VTSTEST__CHOICE__CHOICE_NUMBER;
    check_names(&choice, "{\"number\":0}");
    choice.number = 7;
    check_names(&choice, "{\"number\":7}");
    choice = (Vtstest__Choice)VTSTEST__CHOICE__INIT;
    choice.choice_case = VTSTEST__CHOICE__CHOICE_TEXT;
    check_names(&choice, "{\"text\":\"\"}");
    choice.choice_case = VTSTEST__CHOICE__CHOICE_BLOB;
    check_names(&choice, "{\"blob\":\"\"}");
    choice.choice_case = VTSTEST__CHOICE__CHOICE_FLAG;
    check_names(&choice, "{\"flag\":false}");
    choice.choice_case = VTSTEST__CHOICE__CHOICE_COLOR;
    check_words(&choice, "{\"color\":\"unspecified\"}");
    choice.choice_case = VTSTEST__CHOICE__CHOICE_REAL;
    check_names(&choice, "{\"real\":0}");
    choice.choice_case = VTSTEST__CHOICE__CHOICE_MESSAGE;
    choice.message = &every;
    check_names(&choice, "{\"message\":{}}");
}

static void json_write_status_result_has_status_or_error(void)
{
    Vtstatus__V1__JobStatus status = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Rpc__Status error = GOOGLE__RPC__STATUS__INIT;
    Vtstatus__V1__StatusResult result = VTSTATUS__V1__STATUS_RESULT__INIT;

    result.job_id = "a";
    check_words(&result, "{\"jobId\":\"a\"}");
    result.result_case = VTSTATUS__V1__STATUS_RESULT__RESULT_STATUS;
    result.status = &status;
    status.status = VTSTATUS__V1__STATUS__STATUS_PENDING;
    check_words(&result, "{\"jobId\":\"a\",\"status\":{\"status\":\"pending\"}}");
    result.result_case = VTSTATUS__V1__STATUS_RESULT__RESULT_ERROR;
    result.error = &error;
    error.code = 5;
    check_words(&result, "{\"jobId\":\"a\",\"error\":{\"code\":5}}");
}

static void check_stamp(int64_t seconds, int32_t nanos, const char *expected)
{
    Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Vtstest__WellKnown message = VTSTEST__WELL_KNOWN__INIT;
    char json[80];

    stamp.seconds = seconds;
    stamp.nanos = nanos;
    message.stamp = &stamp;
    if (expected == NULL) {
        check_invalid(&message);
        return;
    }
    (void)snprintf(json, sizeof(json), "{\"stamp\":\"%s\"}", expected);
    check_names(&message, json);
}

static void json_write_timestamp_has_0_3_6_or_9_digits(void)
{
    check_stamp(0, 0, "1970-01-01T00:00:00Z");
    check_stamp(1704164645, 6000000, "2024-01-02T03:04:05.006Z");
    check_stamp(1704164645, 60000000, "2024-01-02T03:04:05.060Z");
    check_stamp(1704164645, 6000, "2024-01-02T03:04:05.000006Z");
    check_stamp(1704164645, 123456000, "2024-01-02T03:04:05.123456Z");
    check_stamp(1704164645, 6, "2024-01-02T03:04:05.000000006Z");
    check_stamp(1709164800, 999999999, "2024-02-29T00:00:00.999999999Z");
}

static void json_write_timestamp_before_1970_counts_back(void)
{
    check_stamp(-1, 500000000, "1969-12-31T23:59:59.500Z");
    check_stamp(-62135596800, 0, "0001-01-01T00:00:00Z");
    check_stamp(253402300799, 999999999, "9999-12-31T23:59:59.999999999Z");
}

static void json_write_timestamp_out_of_range_is_refused(void)
{
    check_stamp(-62135596801, 0, NULL);
    check_stamp(253402300800, 0, NULL);
    check_stamp(INT64_MIN, 0, NULL);
    check_stamp(INT64_MAX, 0, NULL);
    check_stamp(0, -1, NULL);
    check_stamp(0, 1000000000, NULL);
    check_stamp(0, INT32_MIN, NULL);
}

static void check_span(int64_t seconds, int32_t nanos, const char *expected)
{
    Google__Protobuf__Duration span = GOOGLE__PROTOBUF__DURATION__INIT;
    Vtstest__WellKnown message = VTSTEST__WELL_KNOWN__INIT;
    char json[80];

    span.seconds = seconds;
    span.nanos = nanos;
    message.span = &span;
    if (expected == NULL) {
        check_invalid(&message);
        return;
    }
    (void)snprintf(json, sizeof(json), "{\"span\":\"%s\"}", expected);
    check_names(&message, json);
}

static void json_write_duration_has_0_3_6_or_9_digits(void)
{
    check_span(0, 0, "0s");
    check_span(1, 500000000, "1.500s");
    check_span(3, 1000, "3.000001s");
    check_span(3, 1, "3.000000001s");
    check_span(315576000000, 999999999, "315576000000.999999999s");
}

static void json_write_duration_may_be_negative(void)
{
    check_span(-1, 0, "-1s");
    check_span(0, -500000000, "-0.500s");
    check_span(-3, -1, "-3.000000001s");
    check_span(-315576000000, 0, "-315576000000s");
}

static void json_write_duration_out_of_range_is_refused(void)
{
    check_span(315576000001, 0, NULL);
    check_span(-315576000001, 0, NULL);
    check_span(INT64_MIN, 0, NULL);
    check_span(INT64_MAX, 0, NULL);
    check_span(0, 1000000000, NULL);
    check_span(0, -1000000000, NULL);
    check_span(1, -1, NULL);
    check_span(-1, 1, NULL);
    check_span(0, INT32_MIN, NULL);
}

static const struct vts_json_write_options any_as_bytes = {.any_as_bytes = true};

static void json_write_unknown_any_is_refused_or_bytes(void)
{
    static uint8_t bytes[] = {1, 2, 3, 4};
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Vtstest__WellKnown message = VTSTEST__WELL_KNOWN__INIT;

    any.type_url = "type.googleapis.com/a.B";
    any.value = (ProtobufCBinaryData){.len = sizeof(bytes), .data = bytes};
    message.any = &any;
    check_error(&message, VTS_ERR_NOT_FOUND);
    check_json(&message, &any_as_bytes,
               "{\"any\":{\"@type\":\"type.googleapis.com/a.B\",\"value\":\"AQIDBA==\"}}");
}

/* A known type whose bytes are none, or that JSON cannot say: a Duration whose signs differ. */
static void json_write_any_that_is_not_its_type_is_refused_or_bytes(void)
{
    static uint8_t bytes[] = {8, 1, 16, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1};
    const struct vts_json_write_options with_types = {.types = vts_test_every_type()};
    struct vts_json_write_options options = {.types = vts_test_every_type(), .any_as_bytes = true};
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Vtstest__WellKnown message = VTSTEST__WELL_KNOWN__INIT;
    struct vts_buf buf;

    any.type_url = "x/google.protobuf.Duration";
    any.value = (ProtobufCBinaryData){.len = sizeof(bytes), .data = bytes};
    message.any = &any;
    check_json(&message, &options,
               "{\"any\":{\"@type\":\"x/google.protobuf.Duration\",\"value\":"
               "\"CAEQ////////////AQ==\"}}");
    any.value.len = 1;
    check_json(&message, &options,
               "{\"any\":{\"@type\":\"x/google.protobuf.Duration\",\"value\":\"CA==\"}}");
    vts_buf_init(&buf, 1000);
    CU_ASSERT_EQUAL(vts_json_write(&buf, &message.base, &with_types), VTS_ERR_INVALID);
    vts_buf_fini(&buf);
}

static void json_write_well_known_type_may_stand_alone(void)
{
    const Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Duration span = GOOGLE__PROTOBUF__DURATION__INIT;

    span.seconds = 2;
    check_names(&stamp, "\"1970-01-01T00:00:00Z\"");
    check_names(&span, "\"2s\"");
}

static void fill_job_status(Vtstatus__V1__JobStatus *status, Vtstatus__V1__Progress *progress,
                            Google__Protobuf__Duration *poll_after,
                            Google__Protobuf__Timestamp *update_time)
{
    *status = (Vtstatus__V1__JobStatus)VTSTATUS__V1__JOB_STATUS__INIT;
    *progress = (Vtstatus__V1__Progress)VTSTATUS__V1__PROGRESS__INIT;
    *poll_after = (Google__Protobuf__Duration)GOOGLE__PROTOBUF__DURATION__INIT;
    *update_time = (Google__Protobuf__Timestamp)GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    status->job_id = "default";
    status->status = VTSTATUS__V1__STATUS__STATUS_PENDING;
    status->revision = 7;
    poll_after->nanos = 200000000;
    status->poll_after = poll_after;
    status->state = VTSTATUS__V1__STATE__STATE_RUNNING;
    progress->percent = 33.3F;
    progress->phase = "transcribe";
    progress->phase_index = 2;
    progress->phase_count = 6;
    status->progress = progress;
    update_time->seconds = 1704164645;
    status->update_time = update_time;
    status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED;
}

static const char job_status_json[] =
    "{\"jobId\":\"default\",\"status\":\"pending\",\"revision\":\"7\",\"pollAfter\":\"0.200s\","
    "\"state\":\"running\",\"progress\":{\"percent\":33.3,\"phase\":\"transcribe\","
    "\"phaseIndex\":2,\"phaseCount\":6},\"updateTime\":\"2024-01-02T03:04:05Z\","
    "\"pendingReason\":\"queued\"}";

static void json_write_job_status_as_rest_shows_it(void)
{
    Vtstatus__V1__JobStatus status;
    Vtstatus__V1__Progress progress;
    Google__Protobuf__Duration poll_after;
    Google__Protobuf__Timestamp update_time;

    fill_job_status(&status, &progress, &poll_after, &update_time);
    check_words(&status, job_status_json);
}

static void json_write_past_the_maximum_fails(void)
{
    Vtstatus__V1__JobStatus status;
    Vtstatus__V1__Progress progress;
    Google__Protobuf__Duration poll_after;
    Google__Protobuf__Timestamp update_time;

    fill_job_status(&status, &progress, &poll_after, &update_time);
    for (size_t max = 0; max < sizeof(job_status_json); max++) {
        struct vts_buf buf;

        vts_buf_init(&buf, max);
        CU_ASSERT_EQUAL(vts_json_write(&buf, &status.base, &words),
                        max < sizeof(job_status_json) - 1 ? VTS_ERR_LIMIT : VTS_OK);
        vts_buf_fini(&buf);
    }
}

static void json_write_without_memory_fails(void)
{
    Vtstatus__V1__JobStatus status;
    Vtstatus__V1__Progress progress;
    Google__Protobuf__Duration poll_after;
    Google__Protobuf__Timestamp update_time;
    bool has_failed = true;

    fill_job_status(&status, &progress, &poll_after, &update_time);
    for (long count = 0; has_failed; count++) {
        struct vts_buf buf;
        enum vts_err err;

        vts_buf_init(&buf, 10000);
        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        err = vts_json_write(&buf, &status.base, &words);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        CU_ASSERT(has_failed || count >= 3);
        vts_buf_fini(&buf);
    }
}

static const struct vts_test tests[] = {
    {"json_write_defaults_are_left_out", json_write_defaults_are_left_out},
    {"json_write_null_string_is_a_default", json_write_null_string_is_a_default},
    {"json_write_32_bits_are_numbers", json_write_32_bits_are_numbers},
    {"json_write_64_bits_are_strings", json_write_64_bits_are_strings},
    {"json_write_64_bits_are_compared_whole", json_write_64_bits_are_compared_whole},
    {"json_write_bool_string_and_bytes", json_write_bool_string_and_bytes},
    {"json_write_bytes_are_padded_base64", json_write_bytes_are_padded_base64},
    {"json_write_double_is_shortest", json_write_double_is_shortest},
    {"json_write_float_is_shortest", json_write_float_is_shortest},
    {"json_write_not_finite_numbers_are_strings", json_write_not_finite_numbers_are_strings},
    {"json_write_enum_names_and_words", json_write_enum_names_and_words},
    {"json_write_enum_without_prefix_keeps_its_name",
     json_write_enum_without_prefix_keeps_its_name},
    {"json_write_enum_alias_has_the_first_name", json_write_enum_alias_has_the_first_name},
    {"json_write_unknown_enum_is_its_number", json_write_unknown_enum_is_its_number},
    {"json_write_nested_message_is_an_object", json_write_nested_message_is_an_object},
    {"json_write_names_are_camel_case", json_write_names_are_camel_case},
    {"json_write_lists_of_numbers", json_write_lists_of_numbers},
    {"json_write_lists_of_texts_and_enums", json_write_lists_of_texts_and_enums},
    {"json_write_list_of_one_message", json_write_list_of_one_message},
    {"json_write_list_with_an_invalid_member_is_refused",
     json_write_list_with_an_invalid_member_is_refused},
    {"json_write_oneof_writes_the_set_member", json_write_oneof_writes_the_set_member},
    {"json_write_status_result_has_status_or_error", json_write_status_result_has_status_or_error},
    {"json_write_timestamp_has_0_3_6_or_9_digits", json_write_timestamp_has_0_3_6_or_9_digits},
    {"json_write_timestamp_before_1970_counts_back", json_write_timestamp_before_1970_counts_back},
    {"json_write_timestamp_out_of_range_is_refused", json_write_timestamp_out_of_range_is_refused},
    {"json_write_duration_has_0_3_6_or_9_digits", json_write_duration_has_0_3_6_or_9_digits},
    {"json_write_duration_may_be_negative", json_write_duration_may_be_negative},
    {"json_write_duration_out_of_range_is_refused", json_write_duration_out_of_range_is_refused},
    {"json_write_unknown_any_is_refused_or_bytes", json_write_unknown_any_is_refused_or_bytes},
    {"json_write_any_that_is_not_its_type_is_refused_or_bytes",
     json_write_any_that_is_not_its_type_is_refused_or_bytes},
    {"json_write_well_known_type_may_stand_alone", json_write_well_known_type_may_stand_alone},
    {"json_write_job_status_as_rest_shows_it", json_write_job_status_as_rest_shows_it},
    {"json_write_past_the_maximum_fails", json_write_past_the_maximum_fails},
    {"json_write_without_memory_fails", json_write_without_memory_fails},
};

int main(void)
{
    return vts_test_run("test_json_write", tests, VTS_ARRAY_LEN(tests));
}
