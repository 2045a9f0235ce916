/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_read.c - JSON into messages: what is taken is shown by writing it again. */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/wire/json.h"
#include "common/wire/pb_heap.h"
#include "every_type.pb-c.h"
#include "tests/support/every_type.h"
#include "tests/support/suite.h"

/* What is read, and how it is written again; NULL when it is the same. */
struct taken {
    const char *json;
    const char *written;
};

/* What is read, and what the reader says of it. */
struct refused {
    const char *json;
    const char *error;
};

static struct vts_json_read_options options_with_types(void)
{
    struct vts_json_read_options options = vts_json_read_defaults;

    options.types = vts_test_every_type();
    return options;
}

static void check_text(const ProtobufCMessage *message, const char *expected)
{
    const struct vts_json_write_options options = {.types = vts_test_every_type(),
                                                   .any_as_bytes = true};
    struct vts_buf buf;

    vts_buf_init(&buf, 100000);
    CU_ASSERT_EQUAL(vts_json_write(&buf, message, &options), VTS_OK);
    if (!vts_str_equals_text(vts_buf_str(&buf), expected))
        printf("\nread     %.*s\nexpected %s\n", (int)buf.len, buf.ptr, expected);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), expected));
    vts_buf_fini(&buf);
}

static void check_one(const ProtobufCMessageDescriptor *type,
                      const struct vts_json_read_options *options, struct taken row)
{
    struct vts_error error = {.text = ""};
    ProtobufCMessage *message = NULL;
    enum vts_err err = vts_json_read(vts_str_of(row.json), type, options, &error, &message);

    if (err != VTS_OK)
        printf("\n%s: %s\n", row.json, error.text);
    CU_ASSERT_EQUAL(err, VTS_OK);
    if (message != NULL)
        check_text(message, row.written == NULL ? row.json : row.written);
    vts_json_free(message);
}

static void check_taken(const ProtobufCMessageDescriptor *type, const struct taken *rows,
                        size_t count)
{
    struct vts_json_read_options options = options_with_types();

    for (size_t i = 0; i < count; i++)
        check_one(type, &options, rows[i]);
}

static void check_refused(const ProtobufCMessageDescriptor *type, const struct refused *rows,
                          size_t count)
{
    struct vts_json_read_options options = options_with_types();

    for (size_t i = 0; i < count; i++) {
        struct vts_error error = {.text = ""};
        ProtobufCMessage *message = NULL;

        CU_ASSERT_EQUAL(vts_json_read(vts_str_of(rows[i].json), type, &options, &error, &message),
                        VTS_ERR_INVALID);
        if (strcmp(error.text, rows[i].error) != 0)
            printf("\n%s: %s\nexpected %s\n", rows[i].json, error.text, rows[i].error);
        CU_ASSERT_STRING_EQUAL(error.text, rows[i].error);
        CU_ASSERT_PTR_NULL(message);
    }
}

static void json_read_integers(void)
{
    static const struct taken rows[] = {
        {"{\"int32Field\":-2147483648,\"uint32Field\":4294967295}", NULL},
        {"{\"int64Field\":\"-9223372036854775808\",\"uint64Field\":\"18446744073709551615\"}",
         NULL},
        {"{\"uint64Field\":18446744073709551615}", "{\"uint64Field\":\"18446744073709551615\"}"},
        {"{\"int64Field\":9007199254740993}", "{\"int64Field\":\"9007199254740993\"}"},
        {"{\"int32Field\":\"5\"}", "{\"int32Field\":5}"},
        {"{\"int32Field\":1e2,\"sint32Field\":\"1.0\"}", "{\"int32Field\":100,\"sint32Field\":1}"},
        {"{\"int32Field\":-0,\"uint32Field\":-0.0}", "{}"},
        {"{\"fixed32Field\":1,\"sfixed32Field\":-1,\"fixed64Field\":2,\"sfixed64Field\":-2}",
         "{\"sfixed32Field\":-1,\"fixed32Field\":1,\"sfixed64Field\":\"-2\",\"fixed64Field\":"
         "\"2\"}"},
    };
    static const struct refused bad[] = {
        {"{\"int32Field\":2147483648}", "int32Field: the integer is out of range"},
        {"{\"int32Field\":-2147483649}", "int32Field: the integer is out of range"},
        {"{\"uint32Field\":-1}", "uint32Field: the integer is out of range"},
        {"{\"uint32Field\":4294967296}", "uint32Field: the integer is out of range"},
        {"{\"int64Field\":9223372036854775808}", "int64Field: the integer is out of range"},
        {"{\"int64Field\":-9223372036854775809}", "int64Field: the integer is out of range"},
        {"{\"uint64Field\":18446744073709551616}", "uint64Field: an integer is wanted"},
        {"{\"int32Field\":1.5}", "int32Field: an integer is wanted"},
        {"{\"int32Field\":\"\"}", "int32Field: an integer is wanted"},
        {"{\"int32Field\":\" 1\"}", "int32Field: an integer is wanted"},
        {"{\"int32Field\":true}", "int32Field: an integer is wanted"},
        {"{\"int32Field\":[]}", "int32Field: an integer is wanted"},
    };

    check_taken(&vtstest__every_type__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__every_type__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_reals(void)
{
    static const struct taken rows[] = {
        {"{\"floatField\":0.1,\"doubleField\":0.1}", NULL},
        {"{\"floatField\":-0,\"doubleField\":-0}", NULL},
        {"{\"doubleField\":\"1.5\"}", "{\"doubleField\":1.5}"},
        {"{\"floatField\":\"NaN\",\"doubleField\":\"-Infinity\"}", NULL},
        {"{\"floatField\":\"Infinity\"}", NULL},
        {"{\"floatField\":3.4028235e+38,\"doubleField\":1e-400}", "{\"floatField\":3.4028235e+38}"},
    };
    static const struct refused bad[] = {
        {"{\"floatField\":3.5e38}", "floatField: a number in its type's range is wanted"},
        {"{\"doubleField\":1e309}", "doubleField: a number in its type's range is wanted"},
        {"{\"doubleField\":\"nan\"}", "doubleField: a number in its type's range is wanted"},
        {"{\"doubleField\":\"\"}", "doubleField: a number in its type's range is wanted"},
        {"{\"doubleField\":\"1,5\"}", "doubleField: a number in its type's range is wanted"},
        {"{\"doubleField\":true}", "doubleField: a number is wanted"},
        {"{\"doubleField\":NaN}", "no JSON: no value at byte 15"},
    };

    check_taken(&vtstest__every_type__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__every_type__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_bools_strings_and_bytes(void)
{
    static const struct taken rows[] = {
        {"{\"boolField\":true,\"stringField\":\"\xc3\xbc\"}", NULL},
        {"{\"boolField\":false,\"stringField\":\"\",\"bytesField\":\"\"}", "{}"},
        {"{\"stringField\":\"\\ud83d\\ude00\\n\"}", "{\"stringField\":\"\xf0\x9f\x98\x80\\n\"}"},
        {"{\"bytesField\":\"+/8A\"}", NULL},
        {"{\"bytesField\":\"-_8A\"}", "{\"bytesField\":\"+/8A\"}"},
        {"{\"bytesField\":\"Zg\"}", "{\"bytesField\":\"Zg==\"}"},
    };
    static const struct refused bad[] = {
        {"{\"boolField\":\"true\"}", "boolField: true or false is wanted"},
        {"{\"boolField\":1}", "boolField: true or false is wanted"},
        {"{\"stringField\":1}", "stringField: a string is wanted"},
        {"{\"bytesField\":\"a\"}", "bytesField: base64 is wanted"},
        {"{\"bytesField\":\"Zg=\"}", "bytesField: base64 is wanted"},
        {"{\"bytesField\":\"Z g=\"}", "bytesField: base64 is wanted"},
        {"{\"bytesField\":[1]}", "bytesField: base64 is wanted"},
    };

    check_taken(&vtstest__every_type__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__every_type__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_enums_by_name_number_or_word(void)
{
    static const struct taken rows[] = {
        {"{\"enumField\":\"DARK_COLOR_DEEP_RED\"}", NULL},
        {"{\"enumField\":1}", "{\"enumField\":\"DARK_COLOR_DEEP_RED\"}"},
        {"{\"enumField\":-1}", "{\"enumField\":\"DARK_COLOR_NEGATIVE\"}"},
        {"{\"enumField\":\"deep_red\"}", "{\"enumField\":\"DARK_COLOR_DEEP_RED\"}"},
        {"{\"outcome\":\"not_found\"}", "{\"outcome\":\"NOT_FOUND\"}"},
        {"{\"level\":\"LEVEL_TOP\"}", "{\"level\":\"LEVEL_HIGH\"}"},
        {"{\"level\":\"top\"}", "{\"level\":\"LEVEL_HIGH\"}"},
        {"{\"enumField\":77}", NULL},
    };
    static const struct refused bad[] = {
        {"{\"enumField\":\"Deep_Red\"}", "enumField: one of negative, deep_red is wanted"},
        {"{\"enumField\":\"\"}", "enumField: one of negative, deep_red is wanted"},
        {"{\"enumField\":\"deep_re\"}", "enumField: one of negative, deep_red is wanted"},
        {"{\"enumField\":\"deep_redd\"}", "enumField: one of negative, deep_red is wanted"},
        {"{\"enumField\":1.5}", "enumField: an integer is wanted"},
        {"{\"enumField\":2147483648}", "enumField: the integer is out of range"},
        {"{\"enumField\":true}", "enumField: the name or number of an enum value is wanted"},
    };

    check_taken(&vtstest__every_type__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__every_type__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_names_of_both_kinds(void)
{
    static const struct taken rows[] = {
        {"{\"a__b\":1,\"x_1\":2,\"_lead\":3,\"trail_\":4,\"job_id\":5,\"renamed\":6}",
         "{\"aB\":1,\"x1\":2,\"Lead\":3,\"trail\":4,\"jobId\":5,\"@other-name\":6}"},
        {"{\"aB\":1,\"@other-name\":6}", NULL},
        {"{\"\\u006aobId\":5}", "{\"jobId\":5}"},
    };
    static const struct refused bad[] = {
        {"{\"jobId\":1,\"job_id\":1}", "job_id: the field is there twice"},
        {"{\"job_id\":null,\"jobId\":1}", "jobId: the field is there twice"},
        {"{\"jobId\":1,\"jobId\":1}", "an object has a key twice"},
        {"{\"JobId\":1}", "JobId: there is no such field"},
        {"{\"a\\u001bb<\xc3\xbc>\":1}", "a?b????: there is no such field"},
        {"{\"\":1}", "there is no such field"},
        {"{\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\":1}",
         "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx...: there is no such field"},
        {"[]", "an object is wanted"},
        {"null", "an object is wanted"},
        {"1", "an object is wanted"},
    };

    check_taken(&vtstest__odd_names__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__odd_names__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_without_facts_derives_names(void)
{
    struct vts_json_read_options options = vts_json_read_defaults;

    check_one(&vtstest__odd_names__descriptor, &options,
              (struct taken){"{\"aB\":1,\"jobId\":2,\"trail_\":3,\"renamed\":4}",
                             "{\"aB\":1,\"trail\":3,\"jobId\":2,\"@other-name\":4}"});
}

static void json_read_lists(void)
{
    static const struct taken rows[] = {
        {"{\"ints\":[1,-2],\"longs\":[\"3\"],\"floats\":[0.5],\"doubles\":[\"NaN\"],"
         "\"bools\":[true,false],\"strings\":[\"\",\"a\"],\"blobs\":[\"\",\"AA==\"],"
         "\"colors\":[\"DARK_COLOR_DEEP_RED\",7],\"messages\":[{},{\"int32Field\":1}],"
         "\"stamps\":[\"1970-01-01T00:00:00Z\"]}",
         NULL},
        {"{\"ints\":[],\"strings\":null}", "{}"},
    };
    static const struct refused bad[] = {
        {"{\"ints\":1}", "ints: an array is wanted"},
        {"{\"ints\":{}}", "ints: an array is wanted"},
        {"{\"ints\":[1,null]}", "ints[1]: an integer is wanted"},
        {"{\"strings\":[\"a\",\"b\",3]}", "strings[2]: a string is wanted"},
        {"{\"messages\":[null]}", "messages[0]: an object is wanted"},
        {"{\"messages\":[{},{\"messageField\":{\"int32Field\":true}}]}",
         "messages[1].messageField.int32Field: an integer is wanted"},
        {"{\"ints\":[[1]]}", "ints[0]: an integer is wanted"},
    };

    check_taken(&vtstest__lists__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__lists__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_maps(void)
{
    static const struct taken rows[] = {
        {"{\"byString\":{\"\":1,\"a\":2},\"byInt32\":{\"-1\":\"x\",\"2\":\"\"},"
         "\"byInt64\":{\"-9223372036854775808\":\"AA==\"},\"byUint32\":{\"4294967295\":0.5},"
         "\"byUint64\":{\"18446744073709551615\":true},\"bySint32\":{\"-5\":\"6\"},"
         "\"bySint64\":{\"7\":\"NaN\"},\"byFixed32\":{\"8\":\"DARK_COLOR_DEEP_RED\"},"
         "\"byFixed64\":{\"9\":{\"int32Field\":1}},\"bySfixed32\":{\"10\":\"1970-01-01T00:00:00Z\"}"
         ","
         "\"bySfixed64\":{\"-11\":null},\"byBool\":{\"false\":\"f\",\"true\":\"t\"}}",
         NULL},
        {"{\"byString\":{},\"byInt32\":null}", "{}"},
        {"{\"byInt32\":{\"10\":\"\",\"9\":\"\",\"-1\":\"\"}}",
         "{\"byInt32\":{\"-1\":\"\",\"9\":\"\",\"10\":\"\"}}"},
    };
    static const struct refused bad[] = {
        {"{\"byString\":[]}", "byString: an object is wanted"},
        {"{\"byString\":{\"a\":null}}", "byString.a: an integer is wanted"},
        {"{\"byString\":{\"a\":1,\"a\":2}}", "an object has a key twice"},
        {"{\"byInt32\":{\"a\":\"\"}}", "byInt32.a: an integer as key is wanted"},
        {"{\"byInt32\":{\"\":\"\"}}", "byInt32.: an integer is wanted"},
        {"{\"byInt32\":{\"1.0\":\"\"}}", "byInt32.1.0: an integer as key is wanted"},
        {"{\"byInt32\":{\"1e0\":\"\"}}", "byInt32.1e0: an integer as key is wanted"},
        {"{\"byInt32\":{\"01\":\"\"}}", "byInt32.01: an integer is wanted"},
        {"{\"byInt32\":{\"-0\":\"\"}}", "byInt32.-0: an integer as key is wanted"},
        {"{\"byInt32\":{\"2147483648\":\"\"}}", "byInt32.2147483648: the integer is out of range"},
        {"{\"byUint32\":{\"-1\":1}}", "byUint32.-1: the integer is out of range"},
        {"{\"byBool\":{\"1\":\"\"}}", "byBool.1: the key \"true\" or \"false\" is wanted"},
        {"{\"byBool\":{\"True\":\"\"}}", "byBool.True: the key \"true\" or \"false\" is wanted"},
        {"{\"byFixed64\":{\"9\":{\"int32Field\":\"x\"}}}",
         "byFixed64.9.int32Field: an integer is wanted"},
        {"{\"byFixed64\":{\"9\":null}}", "byFixed64.9: an object is wanted"},
    };

    check_taken(&vtstest__maps__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__maps__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_oneofs(void)
{
    static const struct taken rows[] = {
        {"{\"number\":0}", NULL},
        {"{\"text\":\"\"}", NULL},
        {"{\"blob\":\"\"}", NULL},
        {"{\"flag\":false}", NULL},
        {"{\"message\":{}}", NULL},
        {"{\"real\":0}", NULL},
        {"{\"number\":null}", "{}"},
        {"{\"number\":null,\"text\":\"a\"}", "{\"text\":\"a\"}"},
        {"{\"text\":\"a\",\"number\":null}", "{\"text\":\"a\"}"},
    };
    static const struct refused bad[] = {
        {"{\"number\":0,\"text\":\"\"}", "text: another member of its oneof is set too"},
        {"{\"text\":\"a\",\"message\":{}}", "message: another member of its oneof is set too"},
        {"{\"text\":1}", "text: a string is wanted"},
        {"{\"message\":{\"int32Field\":\"x\"}}", "message.int32Field: an integer is wanted"},
    };

    check_taken(&vtstest__choice__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__choice__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_null_is_unset(void)
{
    static const struct taken rows[] = {
        {"{\"int32Field\":null,\"int64Field\":null,\"floatField\":null,\"boolField\":null,"
         "\"stringField\":null,\"bytesField\":null,\"enumField\":null,\"messageField\":null}",
         "{}"},
    };
    static const struct taken wrapped[] = {
        {"{\"int32Value\":null,\"list\":[1]}", "{\"list\":[1]}"}};

    check_taken(&vtstest__every_type__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_taken(&vtstest__wrapped__descriptor, wrapped, VTS_ARRAY_LEN(wrapped));
}

static void json_read_wrappers(void)
{
    static const struct taken rows[] = {
        {"{\"doubleValue\":0,\"floatValue\":\"NaN\",\"int64Value\":\"0\",\"uint64Value\":\"1\","
         "\"int32Value\":0,\"uint32Value\":2,\"boolValue\":false,\"stringValue\":\"\","
         "\"bytesValue\":\"\",\"list\":[0,1]}",
         NULL},
        {"{\"int64Value\":5}", "{\"int64Value\":\"5\"}"},
    };
    static const struct refused bad[] = {
        {"{\"int32Value\":{\"value\":1}}", "int32Value: an integer is wanted"},
        {"{\"boolValue\":\"true\"}", "boolValue: true or false is wanted"},
        {"{\"list\":[null]}", "list[0]: an integer is wanted"},
    };

    check_taken(&vtstest__wrapped__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__wrapped__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_struct_and_value(void)
{
    static const struct taken rows[] = {
        {"{\"struct\":{\"a\":null,\"b\":[1,\"x\",true,[],{}],\"c\":{\"d\":1.5}}}", NULL},
        {"{\"struct\":{},\"value\":null,\"list\":[],\"values\":[null,1]}", NULL},
        {"{\"value\":[]}", NULL},
        {"{\"value\":-0}", NULL},
        {"{\"value\":\"NaN\"}", NULL},
        {"{\"null\":null}", "{}"},
        {"{\"null\":\"NULL_VALUE\"}", "{}"},
        {"{\"null\":0,\"struct\":null}", "{}"},
        {"{\"chosenNull\":null}", NULL},
        {"{\"chosenValue\":null}", NULL},
        {"{\"chosenSpan\":null}", "{}"},
        {"{\"chosenSpan\":\"1s\"}", NULL},
    };
    static const struct refused bad[] = {
        {"{\"struct\":[]}", "struct: an object is wanted"},
        {"{\"list\":{}}", "list: an array is wanted"},
        {"{\"value\":1e999}", "value: the number is out of range"},
        {"{\"struct\":{\"a\":{\"b\":[0,1e999]}}}", "struct.a.b[1]: the number is out of range"},
        {"{\"chosenNull\":null,\"chosenValue\":null}",
         "chosenValue: another member of its oneof is set too"},
        {"{\"null\":\"nothing\"}", "null: one of null_value is wanted"},
    };

    check_taken(&vtstest__dynamic__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__dynamic__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_times_masks_and_empty(void)
{
    static const struct taken rows[] = {
        {"{\"stamp\":\"2024-01-02T03:04:05.006Z\",\"span\":\"-1.500s\"}", NULL},
        {"{\"stamp\":\"2024-01-02T05:04:05.1+02:00\"}", "{\"stamp\":\"2024-01-02T03:04:05.100Z\"}"},
        {"{\"mask\":\"fooBar,baz.quxQuux\"}", NULL},
        {"{\"mask\":\"\",\"empty\":{}}", NULL},
    };
    static const struct refused bad[] = {
        {"{\"stamp\":\"2024-01-02\"}", "stamp: a time as in \"2024-01-02T03:04:05Z\" is wanted"},
        {"{\"stamp\":5}", "stamp: a time as in \"2024-01-02T03:04:05Z\" is wanted"},
        {"{\"stamp\":{}}", "stamp: a time as in \"2024-01-02T03:04:05Z\" is wanted"},
        {"{\"span\":\"1\"}", "span: a duration as in \"1.5s\" is wanted"},
        {"{\"mask\":\"foo_bar\"}", "mask: paths as in \"fooBar,baz\" are wanted"},
        {"{\"mask\":\"a,,b\"}", "mask: paths as in \"fooBar,baz\" are wanted"},
        {"{\"mask\":\"a,\"}", "mask: paths as in \"fooBar,baz\" are wanted"},
        {"{\"mask\":\"a..b\"}", "mask: paths as in \"fooBar,baz\" are wanted"},
        {"{\"mask\":[\"a\"]}", "mask: a string is wanted"},
        {"{\"empty\":{\"a\":1}}", "empty.a: there is no such field"},
        {"{\"empty\":[]}", "empty: an object is wanted"},
    };

    check_taken(&vtstest__well_known__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__well_known__descriptor, bad, VTS_ARRAY_LEN(bad));
}

#define URL "type.googleapis.com/"

static void json_read_any(void)
{
    static const struct taken rows[] = {
        {"{\"any\":{}}", NULL},
        {"{\"any\":{\"@type\":\"" URL "vtstest.EveryType\",\"int32Field\":5}}", NULL},
        {"{\"any\":{\"int32_field\":5,\"@type\":\"" URL "vtstest.EveryType\"}}",
         "{\"any\":{\"@type\":\"" URL "vtstest.EveryType\",\"int32Field\":5}}"},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Empty\"}}", NULL},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Duration\",\"value\":\"1s\"}}", NULL},
        {"{\"any\":{\"@type\":\"other.org/x/google.protobuf.Duration\",\"value\":\"1s\"}}", NULL},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Int64Value\",\"value\":\"7\"}}", NULL},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Struct\",\"value\":{\"value\":1}}}", NULL},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Value\",\"value\":null}}", NULL},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Any\",\"value\":{\"@type\":\"" URL
         "vtstest.Choice\",\"text\":\"\"}}}",
         NULL},
        {"{\"anys\":[{\"@type\":\"" URL "vtstest.Maps\",\"byBool\":{\"true\":\"t\"}},{}]}", NULL},
    };
    static const struct refused bad[] = {
        {"{\"any\":[]}", "any: an object with \"@type\" is wanted"},
        {"{\"any\":{\"int32Field\":5}}", "any: an object with \"@type\" is wanted"},
        {"{\"any\":{\"@type\":5}}", "any: an object with \"@type\" is wanted"},
        {"{\"any\":{\"@type\":\"\"}}", "any: its \"@type\" is not known here"},
        {"{\"any\":{\"@type\":\"vtstest.Maps\"}}", "any: its \"@type\" is not known here"},
        {"{\"any\":{\"@type\":\"" URL "a.B\"}}", "any: its \"@type\" is not known here"},
        {"{\"any\":{\"@type\":\"" URL "vtstest.EveryType\",\"value\":1}}",
         "any.value: there is no such field"},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Duration\"}}",
         "any: \"value\" beside \"@type\" is wanted"},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Duration\",\"value\":\"1s\",\"a\":1}}",
         "any: \"value\" beside \"@type\" is wanted"},
        {"{\"any\":{\"@type\":\"" URL "google.protobuf.Duration\",\"value\":5}}",
         "any: a duration as in \"1.5s\" is wanted"},
        {"{\"anys\":[{},null]}", "anys[1]: an object with \"@type\" is wanted"},
    };

    check_taken(&vtstest__well_known__descriptor, rows, VTS_ARRAY_LEN(rows));
    check_refused(&vtstest__well_known__descriptor, bad, VTS_ARRAY_LEN(bad));
}

static void json_read_unknown_any_as_bytes(void)
{
    struct vts_json_read_options options = options_with_types();
    struct vts_error error;
    ProtobufCMessage *message = NULL;

    options.any_as_bytes = true;
    check_one(&vtstest__well_known__descriptor, &options,
              (struct taken){"{\"any\":{\"@type\":\"" URL "a.B\",\"value\":\"AQI=\"}}", NULL});
    CU_ASSERT_EQUAL(vts_json_read(vts_str_of("{\"any\":{\"@type\":\"" URL "a.B\",\"a\":1}}"),
                                  &vtstest__well_known__descriptor, &options, &error, &message),
                    VTS_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(error.text, "any: \"value\" in base64 is wanted");
}

static void json_read_unknown_may_be_ignored(void)
{
    static const struct taken rows[] = {
        {"{\"nothing\":[{\"a\":1}],\"int32Field\":1}", "{\"int32Field\":1}"},
        {"{\"enumField\":\"BLUE\",\"int32Field\":1}", "{\"int32Field\":1}"},
        {"{\"messageField\":{\"x\":{}}}", "{\"messageField\":{}}"},
    };
    struct vts_json_read_options options = options_with_types();

    options.ignore_unknown = true;
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        check_one(&vtstest__every_type__descriptor, &options, rows[i]);
    check_one(&vtstest__lists__descriptor, &options,
              (struct taken){"{\"colors\":[\"BLUE\",1,\"BLUE\"]}",
                             "{\"colors\":[\"DARK_COLOR_DEEP_RED\"]}"});
    check_one(&vtstest__maps__descriptor, &options,
              (struct taken){"{\"byFixed32\":{\"1\":\"BLUE\",\"2\":1}}",
                             "{\"byFixed32\":{\"2\":\"DARK_COLOR_DEEP_RED\"}}"});
    check_one(&vtstest__choice__descriptor, &options, (struct taken){"{\"color\":\"BLUE\"}", "{}"});
}

static void check_limit(const struct vts_json_read_options *options, const char *json,
                        enum vts_err expected)
{
    ProtobufCMessage *message = NULL;

    CU_ASSERT_EQUAL(
        vts_json_read(vts_str_of(json), &vtstest__dynamic__descriptor, options, NULL, &message),
        expected);
    vts_json_free(message);
}

/* {"value":[[…]]} with `depth` levels in all. */
static void make_deep(char *text, size_t depth)
{
    text += snprintf(text, 10, "{\"value\":");
    memset(text, '[', depth - 1);
    memset(text + depth - 1, ']', depth - 1);
    memcpy(text + 2 * depth - 2, "}", 2);
}

static void json_read_limits_are_kept(void)
{
    struct vts_json_read_options options = options_with_types();
    char text[3000];

    make_deep(text, 32);
    check_limit(&options, text, VTS_OK);
    make_deep(text, 33);
    check_limit(&options, text, VTS_ERR_LIMIT);
    options.max_depth = 1000;
    make_deep(text, VTS_JSON_MAX_READ_DEPTH);
    check_limit(&options, text, VTS_OK);
    make_deep(text, VTS_JSON_MAX_READ_DEPTH + 1);
    check_limit(&options, text, VTS_ERR_LIMIT);
    make_deep(text, 1400);
    check_limit(&options, text, VTS_ERR_LIMIT);
    options.max_values = 4;
    check_limit(&options, "{\"list\":[1,2]}", VTS_OK);
    check_limit(&options, "{\"list\":[1,2,3]}", VTS_ERR_LIMIT);
    options.max_bytes = 11;
    check_limit(&options, "{\"list\":[]}", VTS_OK);
    check_limit(&options, "{\"list\":[]} ", VTS_ERR_LIMIT);
}

static void json_read_well_known_type_may_stand_alone(void)
{
    static const struct refused bad[] = {{"null", "a duration as in \"1.5s\" is wanted"},
                                         {"{}", "a duration as in \"1.5s\" is wanted"}};
    struct vts_json_read_options options = options_with_types();

    check_one(&google__protobuf__duration__descriptor, &options, (struct taken){"\"1s\"", NULL});
    check_one(&google__protobuf__value__descriptor, &options, (struct taken){"null", NULL});
    check_one(&google__protobuf__value__descriptor, &options, (struct taken){"[1]", NULL});
    check_one(&google__protobuf__int64_value__descriptor, &options, (struct taken){"\"5\"", NULL});
    check_one(&google__protobuf__struct__descriptor, &options, (struct taken){"{\"a\":1}", NULL});
    check_refused(&google__protobuf__duration__descriptor, bad, VTS_ARRAY_LEN(bad));
}

/* Everything that allocates, in one text. */
static const char rich_json[] =
    "{\"every\":{\"stringField\":\"a\\n\",\"bytesField\":\"AQID\",\"messageField\":{}},"
    "\"lists\":{\"ints\":[1],\"strings\":[\"a\",\"b\"],\"blobs\":[\"AQ==\"],\"messages\":[{},{}]},"
    "\"choice\":{\"text\":\"t\"},\"maps\":{\"byString\":{\"a\":1,\"b\":2},\"byInt32\":{\"1\":\"x\"}"
    ","
    "\"byFixed64\":{\"1\":{}}},\"wrapped\":{\"stringValue\":\"s\"},"
    "\"dynamic\":{\"struct\":{\"a\":[1,\"x\",{\"b\":null}]}},"
    "\"wellKnown\":{\"stamp\":\"1970-01-01T00:00:00Z\",\"any\":{\"@type\":\"" URL
    "vtstest.EveryType\",\"stringField\":\"z\"},\"mask\":\"a,bC\"}}";

static void json_read_without_memory_fails(void)
{
    struct vts_json_read_options options = options_with_types();
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_error error = {.text = ""};
        ProtobufCMessage *message = NULL;
        enum vts_err err;

        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        err = vts_json_read(vts_str_of(rich_json), &vtstest__whole__descriptor, &options, &error,
                            &message);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        CU_ASSERT_STRING_EQUAL(error.text, has_failed ? "out of memory" : "");
        CU_ASSERT(has_failed || count > 40);
        vts_json_free(message);
    }
}

static void json_read_takes_the_callers_allocator(void)
{
    struct vts_json_read_options options = options_with_types();
    struct vts_pb_heap heap;
    ProtobufCMessage *message = NULL;

    vts_pb_heap_init(&heap, 100000);
    options.allocator = &heap.allocator;
    CU_ASSERT_EQUAL(
        vts_json_read(vts_str_of(rich_json), &vtstest__whole__descriptor, &options, NULL, &message),
        VTS_OK);
    CU_ASSERT(heap.left_bytes < 100000);
    protobuf_c_message_free_unpacked(message, &heap.allocator);
    vts_pb_heap_init(&heap, 1000);
    CU_ASSERT_EQUAL(
        vts_json_read(vts_str_of(rich_json), &vtstest__whole__descriptor, &options, NULL, &message),
        VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(heap.err, VTS_ERR_LIMIT);
}

/* Whatever is cut off the end, nothing is left of it. */
static void json_read_cut_texts_are_refused(void)
{
    struct vts_json_read_options options = options_with_types();

    for (size_t len = 0; len < sizeof(rich_json) - 1; len++) {
        ProtobufCMessage *message = NULL;
        struct vts_error error;

        CU_ASSERT_EQUAL(vts_json_read(vts_str_make(rich_json, len), &vtstest__whole__descriptor,
                                      &options, &error, &message),
                        VTS_ERR_INVALID);
    }
}

/* What message_field has may stand in the message itself. */
static void json_read_flat_field_takes_its_members_from_the_message(void)
{
    static const struct taken rows[] = {
        {"{\"every\":{\"int32Field\":1}}", NULL},
        {"{\"int32Field\":1}", "{\"every\":{\"int32Field\":1}}"},
        {"{\"string_field\":\"a\",\"choice\":{\"number\":1},\"boolField\":true}",
         "{\"every\":{\"boolField\":true,\"stringField\":\"a\"},\"choice\":{\"number\":1}}"},
        {"{\"every\":{\"messageField\":{\"int32Field\":2}}}", NULL},
        {"{\"messageField\":{\"int32Field\":2}}",
         "{\"every\":{\"messageField\":{\"int32Field\":2}}}"},
    };
    struct vts_json_read_options options = options_with_types();

    options.flat = "every";
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        check_one(&vtstest__whole__descriptor, &options, rows[i]);
}

static void json_read_flat_field_is_there_once(void)
{
    static const struct refused rows[] = {
        {"{\"int32Field\":1,\"every\":{}}", "every: the field is there twice"},
        {"{\"every\":{},\"int32Field\":1}", "int32Field: the field is there twice"},
        {"{\"int32Field\":1,\"int32_field\":1}", "int32_field: the field is there twice"},
        {"{\"int32Field\":\"x\"}", "int32Field: an integer is wanted"},
        {"{\"nothing\":1}", "nothing: there is no such field"},
        {"{\"choice\":{\"int32Field\":1}}", "choice.int32Field: there is no such field"},
    };
    struct vts_json_read_options options = options_with_types();

    options.flat = "every";
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_error error = {.text = ""};
        ProtobufCMessage *message = NULL;

        CU_ASSERT_EQUAL(vts_json_read(vts_str_of(rows[i].json), &vtstest__whole__descriptor,
                                      &options, &error, &message),
                        VTS_ERR_INVALID);
        CU_ASSERT_STRING_EQUAL(error.text, rows[i].error);
        CU_ASSERT_PTR_NULL(message);
    }
    options.ignore_unknown = true;
    check_one(&vtstest__whole__descriptor, &options, (struct taken){"{\"nothing\":1}", "{}"});
}

static const struct vts_test tests[] = {
    {"json_read_integers", json_read_integers},
    {"json_read_reals", json_read_reals},
    {"json_read_bools_strings_and_bytes", json_read_bools_strings_and_bytes},
    {"json_read_enums_by_name_number_or_word", json_read_enums_by_name_number_or_word},
    {"json_read_names_of_both_kinds", json_read_names_of_both_kinds},
    {"json_read_without_facts_derives_names", json_read_without_facts_derives_names},
    {"json_read_lists", json_read_lists},
    {"json_read_maps", json_read_maps},
    {"json_read_oneofs", json_read_oneofs},
    {"json_read_null_is_unset", json_read_null_is_unset},
    {"json_read_wrappers", json_read_wrappers},
    {"json_read_struct_and_value", json_read_struct_and_value},
    {"json_read_times_masks_and_empty", json_read_times_masks_and_empty},
    {"json_read_any", json_read_any},
    {"json_read_unknown_any_as_bytes", json_read_unknown_any_as_bytes},
    {"json_read_unknown_may_be_ignored", json_read_unknown_may_be_ignored},
    {"json_read_limits_are_kept", json_read_limits_are_kept},
    {"json_read_well_known_type_may_stand_alone", json_read_well_known_type_may_stand_alone},
    {"json_read_without_memory_fails", json_read_without_memory_fails},
    {"json_read_takes_the_callers_allocator", json_read_takes_the_callers_allocator},
    {"json_read_cut_texts_are_refused", json_read_cut_texts_are_refused},
    {"json_read_flat_field_takes_its_members_from_the_message",
     json_read_flat_field_takes_its_members_from_the_message},
    {"json_read_flat_field_is_there_once", json_read_flat_field_is_there_once},
};

int main(void)
{
    return vts_test_run("test_json_read", tests, VTS_ARRAY_LEN(tests));
}
