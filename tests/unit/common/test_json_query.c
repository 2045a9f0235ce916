/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_query.c - queries as JSON, and what the reader then makes of them. */
#include "common/wire/json_query.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "common/base/macros.h"
#include "every_type.pb-c.h"
#include "tests/support/every_type.h"
#include "tests/support/suite.h"

static const ProtobufCMessageDescriptor *const every = &vtstest__every_type__descriptor;
static const ProtobufCMessageDescriptor *const lists = &vtstest__lists__descriptor;

static void check_written(const ProtobufCMessageDescriptor *type,
                          const struct vts_json_types *types, const char *query,
                          const char *expected)
{
    struct vts_error error = {.text = ""};
    struct vts_buf buf;

    vts_buf_init(&buf, 10000);
    CU_ASSERT_EQUAL(vts_json_query_write(&buf, vts_str_of(query), type, types, &error), VTS_OK);
    if (!vts_str_equals_text(vts_buf_str(&buf), expected))
        printf("\n%s\ngave     %.*s %s\nexpected %s\n", query, (int)buf.len, buf.ptr, error.text,
               expected);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), expected));
    vts_buf_fini(&buf);
}

static void check_refused(const ProtobufCMessageDescriptor *type, const char *query,
                          const char *text)
{
    struct vts_error error = {.text = ""};
    struct vts_buf buf;

    vts_buf_init(&buf, 10000);
    CU_ASSERT_EQUAL(
        vts_json_query_write(&buf, vts_str_of(query), type, vts_test_every_type(), &error),
        VTS_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(error.text, text);
    vts_buf_fini(&buf);
}

static void query_parameter_has_either_name_of_its_field(void)
{
    check_written(every, vts_test_every_type(), "int32_field=1", "{\"int32_field\":\"1\"}");
    check_written(every, vts_test_every_type(), "int32Field=1", "{\"int32_field\":\"1\"}");
    check_written(every, NULL, "int32Field=1", "{\"int32_field\":\"1\"}");
}

static void query_without_parameters_is_an_empty_object(void)
{
    check_written(every, NULL, "", "{}");
    check_written(every, NULL, "&&", "{}");
}

static void query_values_are_decoded(void)
{
    check_written(every, NULL, "string_field=a+b%2Bc%22&bool_field=true&",
                  "{\"string_field\":\"a b+c\\\"\",\"bool_field\":true}");
    check_written(every, NULL, "string_field", "{\"string_field\":\"\"}");
    check_written(every, NULL, "string_field=", "{\"string_field\":\"\"}");
    check_written(every, NULL, "string_field=a=b", "{\"string_field\":\"a=b\"}");
    check_written(every, NULL, "string_field=%C3%A9", "{\"string_field\":\"\xc3\xa9\"}");
}

static void query_enums_come_by_name_word_or_number(void)
{
    check_written(every, NULL, "enum_field=DARK_COLOR_DEEP_RED",
                  "{\"enum_field\":\"DARK_COLOR_DEEP_RED\"}");
    check_written(every, NULL, "enum_field=deep_red", "{\"enum_field\":\"deep_red\"}");
    check_written(every, NULL, "enum_field=1", "{\"enum_field\":1}");
    check_written(every, NULL, "bool_field=1", "{\"bool_field\":\"1\"}");
}

static void query_list_takes_its_values_from_wherever_they_stand(void)
{
    check_written(lists, vts_test_every_type(), "ints=1&longs=7&int=2&ints=3",
                  "{\"ints\":[\"1\",\"2\",\"3\"],\"longs\":[\"7\"]}");
    check_written(lists, vts_test_every_type(), "int=2", "{\"ints\":[\"2\"]}");
}

static void query_of_a_wrong_name_is_refused(void)
{
    check_refused(every, "nothing=1", "nothing, in the query: there is no such parameter");
    check_refused(every, "bool_field=true&int32_fiel=1",
                  "int32_fiel, in the query: there is no such parameter");
    check_refused(every, "=1", ", in the query: there is no such parameter");
    check_refused(every, "int32%5Ffield=1",
                  "int32%5Ffield, in the query: there is no such parameter");
    check_refused(every, "caf\xc3\xa9=1", "in the query: there is no such parameter");
    /* Only lists have another name. */
    check_refused(lists, "s=1", "s, in the query: there is no such parameter");
}

static void query_of_a_wrong_enum_lists_the_words(void)
{
    check_refused(every, "enum_field=red",
                  "enum_field, in the query: one of negative, deep_red is wanted");
    check_refused(every, "enum_field=99999999999999999999",
                  "enum_field, in the query: one of negative, deep_red is wanted");
    check_refused(every, "enum_field=01",
                  "enum_field, in the query: one of negative, deep_red is wanted");
}

static void query_parameter_that_is_there_twice_is_refused(void)
{
    check_refused(every, "int32_field=1&bool_field=true&int32Field=1",
                  "int32Field, in the query: the parameter is there twice");
}

static void query_value_that_is_no_text_is_refused(void)
{
    static const char *const bad[] = {"string_field=%", "string_field=%zz", "string_field=%ff",
                                      "string_field=a%00b", "string_field=%ed%a0%80"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++)
        check_refused(every, bad[i], "string_field, in the query: percent-encoded UTF-8 is wanted");
}

static void query_longer_than_the_buffer_is_refused(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 20);
    CU_ASSERT_EQUAL(
        vts_json_query_write(&buf, vts_str_of("string_field=1234567890"), every, NULL, NULL),
        VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
}

/* What is written is read again, with its types. */
static void query_is_what_the_reader_takes(void)
{
    struct vts_json_read_options options = vts_json_read_defaults;
    Vtstest__EveryType *message;
    ProtobufCMessage *read = NULL;
    struct vts_buf buf;

    vts_buf_init(&buf, 1000);
    options.types = vts_test_every_type();
    CU_ASSERT_EQUAL(vts_json_query_write(&buf,
                                         vts_str_of("int64Field=-5&enumField=deep_red&boolField="
                                                    "true&doubleField=1e3&stringField=%20"),
                                         every, vts_test_every_type(), NULL),
                    VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_json_read(vts_buf_str(&buf), every, &options, NULL, &read), VTS_OK);
    message = (Vtstest__EveryType *)read;
    CU_ASSERT_EQUAL(message->int64_field, -5);
    CU_ASSERT_EQUAL(message->enum_field, VTSTEST__DARK_COLOR__DARK_COLOR_DEEP_RED);
    CU_ASSERT(message->bool_field);
    CU_ASSERT_EQUAL(message->double_field, 1000.0);
    CU_ASSERT_STRING_EQUAL(message->string_field, " ");
    vts_json_free(read);
    vts_buf_fini(&buf);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"query_parameter_has_either_name_of_its_field",
         query_parameter_has_either_name_of_its_field},
        {"query_without_parameters_is_an_empty_object",
         query_without_parameters_is_an_empty_object},
        {"query_values_are_decoded", query_values_are_decoded},
        {"query_enums_come_by_name_word_or_number", query_enums_come_by_name_word_or_number},
        {"query_list_takes_its_values_from_wherever_they_stand",
         query_list_takes_its_values_from_wherever_they_stand},
        {"query_of_a_wrong_name_is_refused", query_of_a_wrong_name_is_refused},
        {"query_of_a_wrong_enum_lists_the_words", query_of_a_wrong_enum_lists_the_words},
        {"query_parameter_that_is_there_twice_is_refused",
         query_parameter_that_is_there_twice_is_refused},
        {"query_value_that_is_no_text_is_refused", query_value_that_is_no_text_is_refused},
        {"query_longer_than_the_buffer_is_refused", query_longer_than_the_buffer_is_refused},
        {"query_is_what_the_reader_takes", query_is_what_the_reader_takes},
    };

    return vts_test_run("json_query", tests, VTS_ARRAY_LEN(tests));
}
