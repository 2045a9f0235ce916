/* SPDX-License-Identifier: Apache-2.0 */
/* test_json_round.c - what is written is read again as the same, for messages filled at random,
 * and what only a message off the wire can hold. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/wire/json.h"
#include "every_type.pb-c.h"
#include "tests/support/every_type.h"
#include "tests/support/random_message.h"
#include "tests/support/suite.h"

enum { ROUNDS = 300, MAX_BYTES = 16 * 1024 * 1024 };

static enum vts_err write(struct vts_buf *buf, const ProtobufCMessage *message, bool with_defaults,
                          enum vts_json_enums enums)
{
    const struct vts_json_write_options options = {
        .types = vts_test_every_type(), .enums = enums, .with_defaults = with_defaults};

    vts_buf_init(buf, MAX_BYTES);
    return vts_json_write(buf, message, &options);
}

static enum vts_err read(struct vts_str json, const ProtobufCMessageDescriptor *type,
                         ProtobufCMessage **ret_message)
{
    struct vts_json_read_options options = vts_json_read_defaults;
    struct vts_error error = {.text = ""};
    enum vts_err err;

    options.types = vts_test_every_type();
    options.max_bytes = MAX_BYTES;
    options.max_values = 1000000;
    options.max_depth = VTS_JSON_MAX_READ_DEPTH;
    err = vts_json_read(json, type, &options, &error, ret_message);
    if (err != VTS_OK)
        printf("\n%s in %.*s\n", error.text, (int)json.len, json.ptr);
    return err;
}

/* Returns whether message could be written: NaN in a Value cannot. */
static bool check_round(const ProtobufCMessage *message, bool with_defaults,
                        enum vts_json_enums enums)
{
    struct vts_buf first;
    struct vts_buf second;
    ProtobufCMessage *again = NULL;

    if (write(&first, message, with_defaults, enums) != VTS_OK) {
        vts_buf_fini(&first);
        return false;
    }
    CU_ASSERT_EQUAL_FATAL(read(vts_buf_str(&first), message->descriptor, &again), VTS_OK);
    CU_ASSERT_EQUAL(write(&second, again, with_defaults, enums), VTS_OK);
    CU_ASSERT(vts_str_equals(vts_buf_str(&first), vts_buf_str(&second)));
    vts_json_free(again);
    vts_buf_fini(&first);
    vts_buf_fini(&second);
    return true;
}

static void json_round_random_messages_come_back(void)
{
    struct vts_rng rng;
    int written = 0;

    vts_rng_init(&rng, 20240102);
    for (int i = 0; i < ROUNDS; i++) {
        ProtobufCMessage *message = vts_test_random_message(&rng, &vtstest__whole__descriptor);

        if (check_round(message, i % 2 == 0,
                        i % 3 == 0 ? VTS_JSON_ENUM_WORDS : VTS_JSON_ENUM_NAMES))
            written++;
        protobuf_c_message_free_unpacked(message, NULL);
    }
    CU_ASSERT(written > ROUNDS / 2);
}

static void check_written(const void *message, bool with_defaults, const char *expected)
{
    struct vts_buf buf;

    CU_ASSERT_EQUAL(write(&buf, message, with_defaults, VTS_JSON_ENUM_NAMES), VTS_OK);
    if (!vts_str_equals_text(vts_buf_str(&buf), expected))
        printf("\nwrote    %.*s\nexpected %s\n", (int)buf.len, buf.ptr, expected);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), expected));
    vts_buf_fini(&buf);
}

static void check_refused(const void *message, enum vts_err expected)
{
    struct vts_buf buf;

    CU_ASSERT_EQUAL(write(&buf, message, false, VTS_JSON_ENUM_NAMES), expected);
    vts_buf_fini(&buf);
}

/* Fields with presence stay out even then. */
static void json_round_defaults_are_written_when_asked_for(void)
{
    Vtstest__EveryType every = VTSTEST__EVERY_TYPE__INIT;
    Vtstest__Maps maps = VTSTEST__MAPS__INIT;
    Vtstest__Choice choice = VTSTEST__CHOICE__INIT;
    Vtstest__Lists lists = VTSTEST__LISTS__INIT;

    check_written(&every, true,
                  "{\"int32Field\":0,\"sint32Field\":0,\"sfixed32Field\":0,\"uint32Field\":0,"
                  "\"fixed32Field\":0,\"int64Field\":\"0\",\"sint64Field\":\"0\","
                  "\"sfixed64Field\":\"0\",\"uint64Field\":\"0\",\"fixed64Field\":\"0\","
                  "\"floatField\":0,\"doubleField\":0,\"boolField\":false,\"stringField\":\"\","
                  "\"bytesField\":\"\",\"enumField\":\"DARK_COLOR_UNSPECIFIED\","
                  "\"outcome\":\"FINE\",\"level\":\"LEVEL_LOW\"}");
    check_written(&maps, true,
                  "{\"byString\":{},\"byInt32\":{},\"byInt64\":{},\"byUint32\":{},\"byUint64\":{},"
                  "\"bySint32\":{},\"bySint64\":{},\"byFixed32\":{},\"byFixed64\":{},"
                  "\"bySfixed32\":{},\"bySfixed64\":{},\"byBool\":{}}");
    check_written(&choice, true, "{}");
    check_written(&lists, true,
                  "{\"ints\":[],\"longs\":[],\"floats\":[],\"doubles\":[],\"bools\":[],"
                  "\"strings\":[],\"blobs\":[],\"colors\":[],\"messages\":[],\"stamps\":[]}");
}

/* Entries of one key are kept by the decoder; the last counts. */
static void json_round_last_entry_of_a_key_counts(void)
{
    Vtstest__Maps__ByStringEntry entries[] = {
        VTSTEST__MAPS__BY_STRING_ENTRY__INIT, VTSTEST__MAPS__BY_STRING_ENTRY__INIT,
        VTSTEST__MAPS__BY_STRING_ENTRY__INIT, VTSTEST__MAPS__BY_STRING_ENTRY__INIT};
    Vtstest__Maps__ByStringEntry *pointers[] = {&entries[0], &entries[1], &entries[2], &entries[3]};
    Vtstest__Maps maps = VTSTEST__MAPS__INIT;

    for (int i = 0; i < 4; i++)
        entries[i].value = i;
    entries[0].key = "b";
    entries[1].key = "a";
    entries[2].key = "b";
    entries[3].key = "a";
    maps.n_by_string = VTS_ARRAY_LEN(pointers);
    maps.by_string = pointers;
    check_written(&maps, false, "{\"byString\":{\"a\":3,\"b\":2}}");
}

/* What the wire leaves out of an entry is at its default. */
static void json_round_entry_without_value_is_empty(void)
{
    Vtstest__Maps__ByFixed64Entry message = VTSTEST__MAPS__BY_FIXED64_ENTRY__INIT;
    Vtstest__Maps__BySfixed32Entry stamp = VTSTEST__MAPS__BY_SFIXED32_ENTRY__INIT;
    Vtstest__Maps__BySfixed64Entry value = VTSTEST__MAPS__BY_SFIXED64_ENTRY__INIT;
    Vtstest__Maps maps = VTSTEST__MAPS__INIT;

    maps.n_by_fixed64 = 1;
    maps.by_fixed64 = (Vtstest__Maps__ByFixed64Entry *[]){&message};
    maps.n_by_sfixed32 = 1;
    maps.by_sfixed32 = (Vtstest__Maps__BySfixed32Entry *[]){&stamp};
    maps.n_by_sfixed64 = 1;
    maps.by_sfixed64 = (Vtstest__Maps__BySfixed64Entry *[]){&value};
    check_written(&maps, false,
                  "{\"byFixed64\":{\"0\":{}},\"bySfixed32\":{\"0\":\"1970-01-01T00:00:00Z\"},"
                  "\"bySfixed64\":{\"0\":null}}");
}

static void json_round_values_without_json_are_refused(void)
{
    static char *const bad_paths[] = {"Foo", "a_1", "a_", "a__b", "a..b", ".a", "", "a b", "a,b"};
    Google__Protobuf__Value value = GOOGLE__PROTOBUF__VALUE__INIT;
    Google__Protobuf__FieldMask mask = GOOGLE__PROTOBUF__FIELD_MASK__INIT;

    check_written(&value, false, "null");
    value.kind_case = GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
    value.number_value = (double)NAN;
    check_refused(&value, VTS_ERR_INVALID);
    value.number_value = -HUGE_VAL;
    check_refused(&value, VTS_ERR_INVALID);
    mask.n_paths = 1;
    for (size_t i = 0; i < VTS_ARRAY_LEN(bad_paths); i++) {
        char *path = bad_paths[i];

        mask.paths = &path;
        check_refused(&mask, VTS_ERR_INVALID);
    }
}

static void json_round_any_of_broken_bytes_is_refused(void)
{
    static uint8_t broken[] = {0x08};
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

    any.type_url = "type.googleapis.com/vtstest.EveryType";
    check_written(&any, false, "{\"@type\":\"type.googleapis.com/vtstest.EveryType\"}");
    any.value = (ProtobufCBinaryData){.len = sizeof(broken), .data = broken};
    check_refused(&any, VTS_ERR_INVALID);
    broken[0] = 0x0b; /* a group */
    check_refused(&any, VTS_ERR_INVALID);
    any.type_url = "type.googleapis.com/a.B";
    check_refused(&any, VTS_ERR_NOT_FOUND);
    any.type_url = "";
    check_refused(&any, VTS_ERR_NOT_FOUND);
}

/* EveryType.message_field is 17: each level is its tag and a length of one to three bytes. */
static size_t nest(uint8_t *end, int levels)
{
    size_t len = 0;

    for (int i = 0; i < levels; i++) {
        size_t rest = len;
        uint8_t *at = end - len;

        if (rest >= 128)
            *--at = (uint8_t)(rest >> 7);
        *--at = (uint8_t)((rest & 0x7f) | (rest >= 128 ? 0x80 : 0));
        *--at = 0x01;
        *--at = 0x8a;
        len = (size_t)(end - at);
    }
    return len;
}

/* protobuf-c would follow any nesting until the stack is gone. */
static void json_round_any_of_deep_bytes_is_refused(void)
{
    static uint8_t bytes[16384];
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    size_t len;

    any.type_url = "type.googleapis.com/vtstest.EveryType";
    len = nest(bytes + sizeof(bytes), 3500);
    any.value = (ProtobufCBinaryData){.len = len, .data = bytes + sizeof(bytes) - len};
    check_refused(&any, VTS_ERR_LIMIT);
    len = nest(bytes + sizeof(bytes), VTS_JSON_MAX_WRITE_DEPTH - 1);
    any.value = (ProtobufCBinaryData){.len = len, .data = bytes + sizeof(bytes) - len};
    check_refused(&any, VTS_ERR_LIMIT);
    len = nest(bytes + sizeof(bytes), 3);
    any.value = (ProtobufCBinaryData){.len = len, .data = bytes + sizeof(bytes) - len};
    check_written(&any, false,
                  "{\"@type\":\"type.googleapis.com/vtstest.EveryType\","
                  "\"messageField\":{\"messageField\":{\"messageField\":{}}}}");
}

/* Two bytes each become a message of hundreds. */
static void json_round_any_that_swells_is_refused(void)
{
    static uint8_t bytes[100000];
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;

    for (size_t i = 0; i < sizeof(bytes); i += 2)
        bytes[i] = 9 << 3 | 2;
    any.type_url = "type.googleapis.com/vtstest.Lists";
    any.value = (ProtobufCBinaryData){.len = sizeof(bytes), .data = bytes};
    check_refused(&any, VTS_ERR_LIMIT);
}

static void json_round_deep_messages_are_refused(void)
{
    static Vtstest__EveryType levels[VTS_JSON_MAX_WRITE_DEPTH + 1];

    for (size_t i = 0; i < VTS_ARRAY_LEN(levels); i++) {
        vtstest__every_type__init(&levels[i]);
        levels[i].message_field = i == 0 ? NULL : &levels[i - 1];
    }
    check_refused(&levels[VTS_JSON_MAX_WRITE_DEPTH - 1], VTS_OK);
    check_refused(&levels[VTS_JSON_MAX_WRITE_DEPTH], VTS_ERR_LIMIT);
}

static void json_round_writing_without_memory_fails(void)
{
    struct vts_rng rng;
    ProtobufCMessage *message;
    bool has_failed = true;

    vts_rng_init(&rng, 5);
    do {
        message = vts_test_random_message(&rng, &vtstest__maps__descriptor);
        has_failed = !check_round(message, false, VTS_JSON_ENUM_NAMES);
        if (has_failed)
            protobuf_c_message_free_unpacked(message, NULL);
    } while (has_failed);
    (void)vts_test_every_type(); /* made before memory fails */
    has_failed = true;
    for (long count = 0; has_failed; count++) {
        struct vts_buf buf;
        enum vts_err err;

        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        err = write(&buf, message, false, VTS_JSON_ENUM_NAMES);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        vts_buf_fini(&buf);
    }
    protobuf_c_message_free_unpacked(message, NULL);
}

static const struct vts_test tests[] = {
    {"json_round_random_messages_come_back", json_round_random_messages_come_back},
    {"json_round_defaults_are_written_when_asked_for",
     json_round_defaults_are_written_when_asked_for},
    {"json_round_last_entry_of_a_key_counts", json_round_last_entry_of_a_key_counts},
    {"json_round_entry_without_value_is_empty", json_round_entry_without_value_is_empty},
    {"json_round_values_without_json_are_refused", json_round_values_without_json_are_refused},
    {"json_round_any_of_broken_bytes_is_refused", json_round_any_of_broken_bytes_is_refused},
    {"json_round_any_of_deep_bytes_is_refused", json_round_any_of_deep_bytes_is_refused},
    {"json_round_any_that_swells_is_refused", json_round_any_that_swells_is_refused},
    {"json_round_deep_messages_are_refused", json_round_deep_messages_are_refused},
    {"json_round_writing_without_memory_fails", json_round_writing_without_memory_fails},
};

int main(void)
{
    return vts_test_run("test_json_round", tests, VTS_ARRAY_LEN(tests));
}
