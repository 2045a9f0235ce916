/* SPDX-License-Identifier: Apache-2.0 */
/* test_scan.c - what passes unpacks within its budget; what must not reach protobuf-c does not. */
#include "common/wire/scan.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "common/wire/pb_arena.h"
#include "every_type.pb-c.h"
#include "tests/support/random_message.h"
#include "tests/support/suite.h"
#include "vtstatus/v1/status_service.pb-c.h"

static const struct vts_scan_limits product = {
    .max_depth = 64,
    .max_elements = 10000,
    .max_memory_bytes = 8 << 20,
};

static enum vts_err check(struct vts_str bytes, const ProtobufCMessageDescriptor *type)
{
    struct vts_error error = {.text = ""};
    enum vts_err err = vts_scan_check(bytes, type, &product, &error);

    CU_ASSERT_EQUAL(err == VTS_OK, error.text[0] == '\0');
    return err;
}

/* Of a copy without anything behind it, so that a sanitizer sees one byte too many. */
static enum vts_err check_text(const char *bytes, size_t size,
                               const ProtobufCMessageDescriptor *type)
{
    char *copy = vts_mem_alloc(size - 1);
    enum vts_err err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    memcpy(copy, bytes, size - 1);
    err = check(vts_str_make(copy, size - 1), type);
    vts_mem_free(copy);
    return err;
}

static size_t write_varint(char *at, size_t value)
{
    size_t len = 0;

    for (; value > 127; value >>= 7)
        at[len++] = (char)(value | 0x80);
    at[len++] = (char)value;
    return len;
}

/* Appends a field of any length. */
static void add_field(struct vts_buf *buf, unsigned number, struct vts_str content)
{
    char head[20];
    size_t len = write_varint(head, number << 3 | 2);

    len += write_varint(head + len, content.len);
    vts_buf_append(buf, head, len);
    vts_buf_append_str(buf, content);
}

/* `depth` messages inside each other, written from the innermost out. */
static struct vts_buf nested(size_t depth)
{
    size_t room = depth * 8 + 16;
    char *bytes = vts_mem_alloc(room);
    struct vts_buf buf;
    size_t at = room;

    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t i = 0; i < depth; i++) {
        char head[20];
        size_t len = write_varint(head, 17 << 3 | 2);

        len += write_varint(head + len, room - at);
        at -= len;
        memcpy(bytes + at, head, len);
    }
    vts_buf_init(&buf, room);
    vts_buf_append(&buf, bytes + at, room - at);
    vts_mem_free(bytes);
    return buf;
}

static struct vts_buf repeated(const char *piece, size_t len, size_t count)
{
    struct vts_buf buf;

    vts_buf_init(&buf, len * count);
    for (size_t i = 0; i < count; i++)
        vts_buf_append(&buf, piece, len);
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(&buf), VTS_OK);
    return buf;
}

static enum vts_err check_repeated(const char *piece, size_t size, size_t count,
                                   const ProtobufCMessageDescriptor *type)
{
    struct vts_buf buf = repeated(piece, size - 1, count);
    enum vts_err err = check(vts_buf_str(&buf), type);

    vts_buf_fini(&buf);
    return err;
}

/* The least max_memory_bytes that the message passes with. */
static size_t smallest_budget(struct vts_str bytes, const ProtobufCMessageDescriptor *type)
{
    struct vts_scan_limits limits = product;
    size_t low = 0;
    size_t high = product.max_memory_bytes;

    while (low < high) {
        limits.max_memory_bytes = low + (high - low) / 2;
        if (vts_scan_check(bytes, type, &limits, NULL) == VTS_OK)
            high = limits.max_memory_bytes;
        else
            low = limits.max_memory_bytes + 1;
    }
    return low;
}

/* The arena bytes it really takes; the budget must have been enough. */
static size_t unpacked_bytes(struct vts_str bytes, const ProtobufCMessageDescriptor *type,
                             size_t budget)
{
    struct vts_arena arena;
    ProtobufCAllocator allocator = vts_pb_arena_allocator(&arena);
    size_t used;

    vts_arena_init(&arena, budget);
    CU_ASSERT_PTR_NOT_NULL(
        protobuf_c_message_unpack(type, &allocator, bytes.len, (const uint8_t *)bytes.ptr));
    used = vts_arena_used_bytes(&arena);
    vts_arena_fini(&arena);
    return used;
}

static void check_budget(struct vts_str bytes, const ProtobufCMessageDescriptor *type,
                         size_t max_slack)
{
    size_t budget = smallest_budget(bytes, type);
    size_t used = unpacked_bytes(bytes, type, budget);

    CU_ASSERT(used <= budget);
    CU_ASSERT(budget - used <= max_slack);
}

static void scan_random_messages_unpack_within_their_budget(void)
{
    struct vts_rng rng;

    vts_rng_init(&rng, 11);
    for (int i = 0; i < 300; i++) {
        ProtobufCMessage *message = vts_test_random_message(&rng, &vtstest__whole__descriptor);
        size_t len = protobuf_c_message_get_packed_size(message);
        uint8_t *bytes = vts_mem_alloc(len);
        struct vts_str packed = vts_str_make(bytes, len);

        CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
        (void)protobuf_c_message_pack(message, bytes); /* len bytes, as asked for */
        CU_ASSERT_EQUAL(check(packed, &vtstest__whole__descriptor), VTS_OK);
        check_budget(packed, &vtstest__whole__descriptor, len + 64);
        vts_mem_free(bytes);
        protobuf_c_message_free_unpacked(message, NULL);
    }
}

static void scan_budget_is_exact_without_lists(void)
{
    const char request[] = "\x0a\x05job-1";
    const char every[] =
        "\x08\x07\x72\x03"
        "abc\x7a\x01x\x8a\x01\x02\x08\x01";

    check_budget(vts_str_make("", 0), &vtstatus__v1__get_status_request__descriptor, 0);
    check_budget(vts_str_make(NULL, 0), &vtstatus__v1__get_status_request__descriptor, 0);
    check_budget(vts_str_make(request, sizeof(request) - 1),
                 &vtstatus__v1__get_status_request__descriptor, 0);
    check_budget(vts_str_make(every, sizeof(every) - 1), &vtstest__every_type__descriptor, 0);
}

/* With unknown fields, whose records are rounded up one by one. */
static void scan_budget_follows_the_tables_of_many_fields(void)
{
    static const size_t counts[] = {15, 16, 17, 47, 48, 49, 112, 113, 1000, 10000};

    for (size_t i = 0; i < VTS_ARRAY_LEN(counts); i++) {
        struct vts_buf buf = repeated("\xc0\x3e\x05", 3, counts[i]);

        check_budget(vts_buf_str(&buf), &vtstest__lists__descriptor, 8 * counts[i]);
        vts_buf_fini(&buf);
    }
}

static void scan_lists_packed_or_not_have_a_budget(void)
{
    static const struct {
        const char *piece;
        size_t size;
    } pieces[] = {
        {"\x08\x05", 3},                 /* ints, one by one */
        {"\x0a\x03\x05\x80\x01", 6},     /* ints, packed */
        {"\x12\x00", 3},                 /* longs, none packed */
        {"\x1a\x04\x00\x00\x80\x3f", 7}, /* floats */
        {"\x1d\x00\x00\x80\x3f", 6},     /* floats, one by one */
        {"\x22\x08\x00\x00\x00\x00\x00\x00\xf0\x3f", 11},
        {"\x2a\x02\x00\x01", 5}, /* bools */
        {"\x32\x01x", 4},        /* strings */
        {"\x3a\x00", 3},         /* blobs */
        {"\x42\x01\x01", 4},     /* colors */
        {"\x4a\x02\x08\x01", 5}, /* messages */
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(pieces); i++) {
        struct vts_buf buf = repeated(pieces[i].piece, pieces[i].size - 1, 100);

        CU_ASSERT_EQUAL(check(vts_buf_str(&buf), &vtstest__lists__descriptor), VTS_OK);
        check_budget(vts_buf_str(&buf), &vtstest__lists__descriptor, 15);
        vts_buf_fini(&buf);
    }
}

static void scan_depth_ends_at_its_limit(void)
{
    static const struct {
        size_t depth;
        enum vts_err err;
    } cases[] = {{63, VTS_OK}, {64, VTS_OK}, {65, VTS_ERR_LIMIT}, {100000, VTS_ERR_LIMIT}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(cases); i++) {
        struct vts_buf buf = nested(cases[i].depth);

        CU_ASSERT_EQUAL(check(vts_buf_str(&buf), &vtstest__every_type__descriptor), cases[i].err);
        if (cases[i].err == VTS_OK)
            check_budget(vts_buf_str(&buf), &vtstest__every_type__descriptor, 0);
        vts_buf_fini(&buf);
    }
}

static void scan_depth_may_be_none_or_the_most(void)
{
    struct vts_scan_limits limits = product;
    struct vts_buf buf = nested(VTS_SCAN_MAX_DEPTH);

    limits.max_depth = VTS_SCAN_MAX_DEPTH;
    CU_ASSERT_EQUAL(
        vts_scan_check(vts_buf_str(&buf), &vtstest__every_type__descriptor, &limits, NULL), VTS_OK);
    limits.max_depth = 0;
    CU_ASSERT_EQUAL(
        vts_scan_check(vts_buf_str(&buf), &vtstest__every_type__descriptor, &limits, NULL),
        VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(
        vts_scan_check(vts_str_of("\x08\x05"), &vtstest__every_type__descriptor, &limits, NULL),
        VTS_OK);
    vts_buf_fini(&buf);
}

static void scan_elements_end_at_their_limit(void)
{
    const ProtobufCMessageDescriptor *lists = &vtstest__lists__descriptor;
    struct vts_buf ints = repeated("\x07", 1, 10000);
    struct vts_buf buf;

    CU_ASSERT_EQUAL(check_repeated("\x78\x01", 3, 10000, lists), VTS_OK); /* unknown */
    CU_ASSERT_EQUAL(check_repeated("\x78\x01", 3, 10001, lists), VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(check_repeated("\x0a\x00", 3, 10001, lists), VTS_ERR_LIMIT); /* packed */
    CU_ASSERT_EQUAL(check_repeated("\x4a\x02\x08\x01", 5, 5000, lists), VTS_OK);
    CU_ASSERT_EQUAL(check_repeated("\x4a\x02\x08\x01", 5, 5001, lists), VTS_ERR_LIMIT);

    vts_buf_init(&buf, 20000);
    add_field(&buf, 1, vts_buf_str(&ints));
    CU_ASSERT_EQUAL(check(vts_buf_str(&buf), lists), VTS_OK);
    vts_buf_append_text(&buf, "\x08\x05");
    CU_ASSERT_EQUAL(check(vts_buf_str(&buf), lists), VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
    vts_buf_fini(&ints);
}

static void scan_memory_ends_at_its_limit(void)
{
    struct vts_scan_limits limits = product;
    struct vts_buf buf = repeated("\x4a\x00", 2, 2 << 20);

    limits.max_elements = SIZE_MAX;
    CU_ASSERT_EQUAL(vts_scan_check(vts_buf_str(&buf), &vtstest__lists__descriptor, &limits, NULL),
                    VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(
        vts_scan_check(vts_str_make(buf.ptr, 2000), &vtstest__lists__descriptor, &limits, NULL),
        VTS_OK);
    limits.max_memory_bytes = 0;
    CU_ASSERT_EQUAL(vts_scan_check(vts_str_make("", 0), &vtstest__lists__descriptor, &limits, NULL),
                    VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
}

/* Fields of EveryType, by number: 1 int32, 5 fixed32, 10 fixed64, 13 bool, 14 string, 17 message.
 */
static void scan_broken_bytes_are_refused(void)
{
    static const struct {
        const char *bytes;
        size_t size;
    } broken[] = {
        {"\x08", 2},                                              /* no value */
        {"\x08\x80", 3},                                          /* half a varint */
        {"\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 13}, /* eleven bytes */
        {"\x80", 2},                                              /* half a tag */
        {"\x88\x80\x80\x80\x80\x00\x01", 8},                      /* a tag of six bytes */
        {"\x88\x80\x80\x80\x10\x01", 7},                          /* a tag past 32 bits */
        {"\x00\x01", 3},                                          /* field 0 */
        {"\x02\x00", 3},                                          /* field 0 */
        {"\x0b\x0c", 3},                                          /* a group */
        {"\xc3\x3e\xc4\x3e", 5},                                  /* an unknown group */
        {"\x0e", 2},                                              /* wire type 6 */
        {"\x0f", 2},                                              /* wire type 7 */
        {"\x72\x02x", 4},                                         /* longer than the message */
        {"\x72\xff\xff\xff\xff\x0f", 7},                          /* 4 GiB */
        {"\x72\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12},     /* 2^64 - 1 */
        {"\x72\x81\x80\x80\x80\x80\x00x", 9},                     /* a length of six bytes */
        {"\x2d\x01\x02\x03", 5},                                  /* three bytes of four */
        {"\x51\x01\x02\x03\x04\x05\x06\x07", 9},                  /* seven of eight */
        {"\x8a\x01\x02\x08", 5},                                  /* cut off inside */
        {"\x8a\x01\x01\x08\x01", 6},                              /* goes on outside */
        {"\x8a\x01\x02\x72\x01x", 7},                             /* longer than its message */
        {"\xc2\x3e\x03xy", 6},                                    /* unknown and cut off */
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(broken); i++)
        CU_ASSERT_EQUAL(
            check_text(broken[i].bytes, broken[i].size, &vtstest__every_type__descriptor),
            VTS_ERR_PROTOCOL);
}

static void scan_wrong_wire_types_are_refused(void)
{
    static const struct {
        const char *bytes;
        size_t size;
    } wrong[] = {
        {"\x0a\x01\x05", 4},         /* an int32 as bytes */
        {"\x0d\x01\x02\x03\x04", 6}, /* an int32 in 32 bits */
        {"\x28\x05", 3},             /* a fixed32 as a varint */
        {"\x55\x01\x02\x03\x04", 6}, /* a fixed64 in 32 bits */
        {"\x6d\x01\x00\x00\x00", 6}, /* a bool in 32 bits */
        {"\x6a\x01\x01", 4},         /* a bool as bytes */
        {"\x70\x05", 3},             /* a string as a varint */
        {"\x88\x01\x05", 4},         /* a message as a varint */
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(wrong); i++)
        CU_ASSERT_EQUAL(check_text(wrong[i].bytes, wrong[i].size, &vtstest__every_type__descriptor),
                        VTS_ERR_PROTOCOL);
    /* Of lists: floats as varints, strings in 32 bits. */
    CU_ASSERT_EQUAL(check_text("\x18\x01", 3, &vtstest__lists__descriptor), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(check_text("\x35xxxx", 6, &vtstest__lists__descriptor), VTS_ERR_PROTOCOL);
}

static void scan_broken_packed_lists_are_refused(void)
{
    static const struct {
        const char *bytes;
        size_t size;
    } broken[] = {
        {"\x0a\x01\x80", 4},                                          /* half a varint */
        {"\x0a\x0b\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 14}, /* eleven bytes */
        {"\x1a\x03\x01\x02\x03", 6},     /* three quarters of a float */
        {"\x22\x04\x01\x02\x03\x04", 7}, /* half a double */
        {"\x2a\x01\x02", 4},             /* a bool of 2 */
        {"\x2a\x02\x81\x00", 5},         /* a bool of two bytes */
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(broken); i++)
        CU_ASSERT_EQUAL(check_text(broken[i].bytes, broken[i].size, &vtstest__lists__descriptor),
                        VTS_ERR_PROTOCOL);
}

static void scan_long_but_complete_varints_pass(void)
{
    const ProtobufCMessageDescriptor *type = &vtstest__every_type__descriptor;

    CU_ASSERT_EQUAL(check_text("\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01", 12, type), VTS_OK);
    CU_ASSERT_EQUAL(check_text("\x88\x80\x80\x80\x00\x01", 7, type), VTS_OK); /* a padded tag */
    CU_ASSERT_EQUAL(check_text("\x72\x81\x80\x80\x80\x00x", 8, type), VTS_OK);
    CU_ASSERT_EQUAL(check_text("\xf8\xff\xff\xff\x0f\x01", 7, type), VTS_OK); /* 2^29 - 1 */
}

static void scan_strings_are_text(void)
{
    const ProtobufCMessageDescriptor *type = &vtstest__every_type__descriptor;

    CU_ASSERT_EQUAL(check_text("\x72\x02\xc3\xa9", 5, type), VTS_OK);
    CU_ASSERT_EQUAL(check_text("\x72\x02\xc3\x28", 5, type), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(check_text("\x72\x01\x00", 4, type), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(check_text("\x7a\x02\xff\x00", 5, type), VTS_OK); /* bytes */
    CU_ASSERT_EQUAL(check_text("\x8a\x01\x03\x72\x01\xff", 7, type), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(check_text("\x32\x01\xff", 4, &vtstest__lists__descriptor), VTS_ERR_INVALID);
    /* A map's key. */
    CU_ASSERT_EQUAL(check_text("\x0a\x03\x0a\x01\xff", 6, &vtstest__maps__descriptor),
                    VTS_ERR_INVALID);
}

static void scan_a_single_message_twice_is_refused(void)
{
    CU_ASSERT_EQUAL(check_text("\x8a\x01\x00\x8a\x01\x00", 7, &vtstest__every_type__descriptor),
                    VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(check_text("\x32\x00\x08\x01\x32\x00", 7, &vtstest__choice__descriptor),
                    VTS_ERR_INVALID);
    /* Of anything else the last one counts; lists grow; a choice may change. */
    CU_ASSERT_EQUAL(
        check_text("\x08\x01\x08\x02\x72\x01x\x72\x01y", 11, &vtstest__every_type__descriptor),
        VTS_OK);
    CU_ASSERT_EQUAL(check_text("\x4a\x00\x4a\x00", 5, &vtstest__lists__descriptor), VTS_OK);
    CU_ASSERT_EQUAL(check_text("\x12\x01x\x32\x00\x08\x01", 8, &vtstest__choice__descriptor),
                    VTS_OK);
}

static void scan_a_type_of_too_many_fields_is_refused(void)
{
    static const ProtobufCMessageDescriptor vast = {
        .name = "Vast",
        .sizeof_message = sizeof(ProtobufCMessage),
        .n_fields = VTS_SCAN_MAX_FIELDS + 1,
    };

    CU_ASSERT_EQUAL(check(vts_str_make("", 0), &vast), VTS_ERR_LIMIT);
}

static void scan_texts_name_fields_and_repeat_no_input(void)
{
    const ProtobufCMessageDescriptor *type = &vtstatus__v1__get_status_request__descriptor;
    struct vts_error error;

    CU_ASSERT_EQUAL(vts_scan_check(vts_str_of("\x0a\x07secret\xff"), type, &product, &error),
                    VTS_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(error.text,
                           "job_id of vtstatus.v1.GetStatusRequest is not UTF-8 text without NUL");
    CU_ASSERT_EQUAL(vts_scan_check(vts_str_of("\x0a\x09secret"), type, &product, &error),
                    VTS_ERR_PROTOCOL);
    CU_ASSERT_STRING_EQUAL(error.text, "the message is not protobuf all through");
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"scan_random_messages_unpack_within_their_budget",
         scan_random_messages_unpack_within_their_budget},
        {"scan_budget_is_exact_without_lists", scan_budget_is_exact_without_lists},
        {"scan_budget_follows_the_tables_of_many_fields",
         scan_budget_follows_the_tables_of_many_fields},
        {"scan_lists_packed_or_not_have_a_budget", scan_lists_packed_or_not_have_a_budget},
        {"scan_depth_ends_at_its_limit", scan_depth_ends_at_its_limit},
        {"scan_depth_may_be_none_or_the_most", scan_depth_may_be_none_or_the_most},
        {"scan_elements_end_at_their_limit", scan_elements_end_at_their_limit},
        {"scan_memory_ends_at_its_limit", scan_memory_ends_at_its_limit},
        {"scan_broken_bytes_are_refused", scan_broken_bytes_are_refused},
        {"scan_wrong_wire_types_are_refused", scan_wrong_wire_types_are_refused},
        {"scan_broken_packed_lists_are_refused", scan_broken_packed_lists_are_refused},
        {"scan_long_but_complete_varints_pass", scan_long_but_complete_varints_pass},
        {"scan_strings_are_text", scan_strings_are_text},
        {"scan_a_single_message_twice_is_refused", scan_a_single_message_twice_is_refused},
        {"scan_a_type_of_too_many_fields_is_refused", scan_a_type_of_too_many_fields_is_refused},
        {"scan_texts_name_fields_and_repeat_no_input", scan_texts_name_fields_and_repeat_no_input},
    };

    return vts_test_run("scan", tests, VTS_ARRAY_LEN(tests));
}
