/* SPDX-License-Identifier: Apache-2.0 */
/* scan.c - walks tags and lengths with a stack of its own, and adds up what unpacking will cost.
 *
 * The sums follow protobuf-c: a struct for each message, a copy of each string, an array for each
 * list, a record with a copy for each unknown field, and, for messages of more than 16 fields,
 * tables that it keeps while it works.
 */
#include "common/wire/scan.h"

#include <stdbool.h>

#include "common/base/assert.h"
#include "common/base/utf8.h"
#include "common/wire/message_limit.h"

enum { WIRE_VARINT = 0, WIRE_64_BITS = 1, WIRE_LEN = 2, WIRE_32_BITS = 5 };

enum {
    MAX_TAG_BYTES = 5,
    MAX_LENGTH_BYTES = 5,
    MAX_VARINT_BYTES = 10,
    SEEN_BITS = 64,
    SEEN_WORDS = VTS_SCAN_MAX_FIELDS / SEEN_BITS,
    /* protobuf-c's table of the fields of a message: the first part is on its stack, each further
     * one as large as all before it and one first part more. */
    TABLE_FIRST_FIELDS = 16,
    TABLE_FIELD_BYTES = 32,
    /* Above that, protobuf-c allocates its bit map of required fields. */
    BITMAP_STACK_FIELDS = 128,
};

/* A message that is being scanned. */
struct frame {
    const uint8_t *end;
    const ProtobufCMessageDescriptor *type;
    size_t field_count;
    uint64_t seen[SEEN_WORDS]; /* a bit for each known field */
};

struct scan {
    const uint8_t *at;
    const struct vts_scan_limits *limits;
    struct vts_error *error;
    size_t element_count;
    size_t memory_bytes;
    unsigned depth; /* of the frame in use */
    struct frame frames[VTS_SCAN_MAX_DEPTH + 1];
};

/* A field's value: `bytes` of it when it has a length, and all that stands behind the tag. */
struct value {
    unsigned wire_type;
    struct vts_str bytes;
    size_t encoded_bytes;
};

static const struct {
    uint8_t wire_type;
    uint8_t size; /* of a list's element */
} kinds[] = {
    [PROTOBUF_C_TYPE_INT32] = {WIRE_VARINT, 4},
    [PROTOBUF_C_TYPE_SINT32] = {WIRE_VARINT, 4},
    [PROTOBUF_C_TYPE_SFIXED32] = {WIRE_32_BITS, 4},
    [PROTOBUF_C_TYPE_INT64] = {WIRE_VARINT, 8},
    [PROTOBUF_C_TYPE_SINT64] = {WIRE_VARINT, 8},
    [PROTOBUF_C_TYPE_SFIXED64] = {WIRE_64_BITS, 8},
    [PROTOBUF_C_TYPE_UINT32] = {WIRE_VARINT, 4},
    [PROTOBUF_C_TYPE_FIXED32] = {WIRE_32_BITS, 4},
    [PROTOBUF_C_TYPE_UINT64] = {WIRE_VARINT, 8},
    [PROTOBUF_C_TYPE_FIXED64] = {WIRE_64_BITS, 8},
    [PROTOBUF_C_TYPE_FLOAT] = {WIRE_32_BITS, 4},
    [PROTOBUF_C_TYPE_DOUBLE] = {WIRE_64_BITS, 8},
    [PROTOBUF_C_TYPE_BOOL] = {WIRE_VARINT, sizeof(protobuf_c_boolean)},
    [PROTOBUF_C_TYPE_ENUM] = {WIRE_VARINT, 4},
    [PROTOBUF_C_TYPE_STRING] = {WIRE_LEN, sizeof(char *)},
    [PROTOBUF_C_TYPE_BYTES] = {WIRE_LEN, sizeof(ProtobufCBinaryData)},
    [PROTOBUF_C_TYPE_MESSAGE] = {WIRE_LEN, sizeof(void *)},
};

static size_t round_up(size_t size)
{
    return (size + 15) & ~(size_t)15;
}

static enum vts_err fail_broken(struct scan *scan)
{
    return vts_error_set(scan->error, VTS_ERR_PROTOCOL, "the message is not protobuf all through");
}

static enum vts_err fail_field(struct scan *scan, enum vts_err err,
                               const ProtobufCFieldDescriptor *field, const char *what)
{
    return vts_error_set(scan->error, err, "%s of %s %s", field->name,
                         scan->frames[scan->depth].type->name, what);
}

static enum vts_err check_limits(struct scan *scan)
{
    const struct vts_scan_limits *limits = scan->limits;

    if (scan->element_count > limits->max_elements) {
        (void)vts_error_set(scan->error, VTS_ERR_LIMIT,
                            "the message has more than %zu fields and list elements",
                            limits->max_elements); /* returned below */
        return vts_message_limit_met(scan->error, VTS_MESSAGE_LIMIT_ELEMENTS);
    }
    if (scan->memory_bytes > limits->max_memory_bytes)
        return vts_error_set(scan->error, VTS_ERR_LIMIT,
                             "the message takes more than %zu bytes of memory",
                             limits->max_memory_bytes);
    return VTS_OK;
}

/* Reads at most max_bytes off the front of what is left of the frame. */
static bool take_varint(struct scan *scan, const uint8_t *end, unsigned max_bytes,
                        uint64_t *ret_value)
{
    const uint8_t *at = scan->at;
    uint64_t value = 0;

    for (unsigned i = 0; i < max_bytes && at < end; i++) {
        uint8_t byte = *at++;

        value |= (uint64_t)(byte & 0x7f) << (7 * i);
        if (byte < 0x80) {
            scan->at = at;
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* False when the value is cut off or of no wire type that is in use. */
static bool take_value(struct scan *scan, const uint8_t *end, struct value *value)
{
    const uint8_t *start = scan->at;
    uint64_t len = 0;

    switch (value->wire_type) {
    case WIRE_VARINT:
        if (!take_varint(scan, end, MAX_VARINT_BYTES, &len))
            return false;
        len = 0;
        break;
    case WIRE_64_BITS:
        len = 8;
        break;
    case WIRE_32_BITS:
        len = 4;
        break;
    case WIRE_LEN:
        if (!take_varint(scan, end, MAX_LENGTH_BYTES, &len))
            return false;
        break;
    default: /* groups, and what was never defined */
        return false;
    }
    if (len > (uint64_t)(end - scan->at))
        return false;
    value->bytes = vts_str_make(scan->at, (size_t)len);
    scan->at += len;
    value->encoded_bytes = (size_t)(scan->at - start);
    return true;
}

/* Most types number their fields from 1 without gaps. */
static const ProtobufCFieldDescriptor *find_field(const ProtobufCMessageDescriptor *type,
                                                  uint32_t number)
{
    if (number <= type->n_fields && type->fields[number - 1].id == number)
        return &type->fields[number - 1];
    return protobuf_c_message_descriptor_get_field(type, number);
}

/* Notes that the field is there; returns whether it was before. */
static bool mark_seen(struct frame *frame, const ProtobufCFieldDescriptor *field)
{
    size_t index = (size_t)(field - frame->type->fields);
    uint64_t bit = UINT64_C(1) << (index % SEEN_BITS);
    bool was_seen = (frame->seen[index / SEEN_BITS] & bit) != 0;

    frame->seen[index / SEEN_BITS] |= bit;
    return was_seen;
}

/* Counts a field, and the part that it may begin of protobuf-c's table of them. */
static void count_field(struct scan *scan, struct frame *frame)
{
    size_t next_part = frame->field_count + TABLE_FIRST_FIELDS;

    if (frame->field_count > 0 && (next_part & (next_part - 1)) == 0)
        scan->memory_bytes += next_part * TABLE_FIELD_BYTES;
    frame->field_count++;
    scan->element_count++;
}

static enum vts_err check_type(struct scan *scan, const ProtobufCMessageDescriptor *type)
{
    if (type->n_fields > VTS_SCAN_MAX_FIELDS)
        return vts_error_set(scan->error, VTS_ERR_LIMIT, "%s has too many fields", type->name);
    return VTS_OK;
}

static void enter_message(struct scan *scan, const ProtobufCMessageDescriptor *type,
                          struct vts_str bytes)
{
    const uint8_t *start = (const uint8_t *)bytes.ptr;

    scan->frames[scan->depth] = (struct frame){.end = start + bytes.len, .type = type};
    scan->at = start;
    scan->memory_bytes += round_up(type->sizeof_message);
    if (type->n_fields > BITMAP_STACK_FIELDS)
        scan->memory_bytes += round_up((type->n_fields + 7) / 8);
}

static enum vts_err enter_field(struct scan *scan, const ProtobufCFieldDescriptor *field,
                                struct vts_str bytes)
{
    if (scan->depth == scan->limits->max_depth) {
        (void)vts_error_set(scan->error, VTS_ERR_LIMIT, "messages nest deeper than %u",
                            scan->limits->max_depth); /* returned below */
        return vts_message_limit_met(scan->error, VTS_MESSAGE_LIMIT_DEPTH);
    }
    scan->depth++;
    enter_message(scan, field->descriptor, bytes);
    return check_type(scan, field->descriptor);
}

/* Counts varints by their last bytes; false when one is too long, or the last one cut off. */
static bool count_varints(struct vts_str bytes, size_t *ret_count)
{
    size_t count = 0;
    unsigned len = 0;

    for (size_t i = 0; i < bytes.len; i++) {
        if (++len > MAX_VARINT_BYTES)
            return false;
        if ((unsigned char)bytes.ptr[i] >= 0x80)
            continue;
        count++;
        len = 0;
    }
    *ret_count = count;
    return len == 0;
}

/* protobuf-c wants booleans of a packed list to be one byte of 0 or 1. */
static bool count_bools(struct vts_str bytes, size_t *ret_count)
{
    for (size_t i = 0; i < bytes.len; i++)
        if ((unsigned char)bytes.ptr[i] > 1)
            return false;
    *ret_count = bytes.len;
    return true;
}

static bool count_packed(ProtobufCType type, struct vts_str bytes, size_t *ret_count)
{
    size_t size = kinds[type].size;

    if (type == PROTOBUF_C_TYPE_BOOL)
        return count_bools(bytes, ret_count);
    if (kinds[type].wire_type == WIRE_VARINT)
        return count_varints(bytes, ret_count);
    *ret_count = bytes.len / size;
    return bytes.len % size == 0;
}

/* What a list grows by; the field itself is counted already. */
static enum vts_err scan_list(struct scan *scan, struct frame *frame,
                              const ProtobufCFieldDescriptor *field, const struct value *value)
{
    size_t count = 1;
    bool is_packed =
        value->wire_type == WIRE_LEN && kinds[field->type].wire_type != value->wire_type;

    if (is_packed && !count_packed(field->type, value->bytes, &count))
        return fail_field(scan, VTS_ERR_PROTOCOL, field, "is not a packed list");
    if (!mark_seen(frame, field))
        scan->memory_bytes += 15; /* what rounding adds to its array */
    scan->memory_bytes += count * kinds[field->type].size;
    scan->element_count += count > 1 ? count - 1 : 0;
    return VTS_OK;
}

static enum vts_err scan_content(struct scan *scan, const ProtobufCFieldDescriptor *field,
                                 const struct value *value)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_STRING:
        scan->memory_bytes += round_up(value->bytes.len + 1);
        return vts_utf8_is_c_string(value->bytes)
                   ? VTS_OK
                   : fail_field(scan, VTS_ERR_INVALID, field, "is not UTF-8 text without NUL");
    case PROTOBUF_C_TYPE_BYTES:
        scan->memory_bytes += round_up(value->bytes.len);
        return VTS_OK;
    case PROTOBUF_C_TYPE_MESSAGE:
        return enter_field(scan, field, value->bytes);
    default: /* a number, in the message or in an array */
        return VTS_OK;
    }
}

static enum vts_err scan_known(struct scan *scan, struct frame *frame,
                               const ProtobufCFieldDescriptor *field, const struct value *value)
{
    bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;

    if (value->wire_type != kinds[field->type].wire_type &&
        !(is_list && value->wire_type == WIRE_LEN))
        return fail_field(scan, VTS_ERR_PROTOCOL, field, "is of another type");
    if (is_list) {
        enum vts_err err = scan_list(scan, frame, field, value);

        if (err != VTS_OK)
            return err;
    } else if (mark_seen(frame, field) && field->type == PROTOBUF_C_TYPE_MESSAGE) {
        return fail_field(scan, VTS_ERR_INVALID, field, "is there twice");
    }
    return scan_content(scan, field, value);
}

static enum vts_err scan_field(struct scan *scan, struct frame *frame)
{
    const ProtobufCFieldDescriptor *field;
    struct value value;
    uint64_t tag;
    enum vts_err err = VTS_OK;

    if (!take_varint(scan, frame->end, MAX_TAG_BYTES, &tag) || tag > UINT32_MAX || tag >> 3 == 0)
        return fail_broken(scan);
    value.wire_type = tag & 7;
    if (!take_value(scan, frame->end, &value))
        return fail_broken(scan);
    count_field(scan, frame);
    field = find_field(frame->type, (uint32_t)(tag >> 3));
    if (field != NULL)
        err = scan_known(scan, frame, field, &value);
    else
        scan->memory_bytes +=
            round_up(sizeof(ProtobufCMessageUnknownField)) + round_up(value.encoded_bytes);
    return err != VTS_OK ? err : check_limits(scan);
}

enum vts_err vts_scan_check(struct vts_str bytes, const ProtobufCMessageDescriptor *type,
                            const struct vts_scan_limits *limits, struct vts_error *error)
{
    struct scan scan;
    enum vts_err err;

    VTS_ASSERT(limits->max_depth <= VTS_SCAN_MAX_DEPTH);
    if (bytes.len > INT32_MAX)
        return vts_error_set(error, VTS_ERR_LIMIT, "the message is larger than 2 GiB");
    if (bytes.len == 0)
        bytes = vts_str_make("", 0); /* which may be NULL, and pointers are compared */
    /* Frames are written when they are entered; to clear all of them would take longest. */
    scan.limits = limits;
    scan.error = error;
    scan.element_count = 0;
    scan.memory_bytes = 0;
    scan.depth = 0;
    enter_message(&scan, type, bytes);
    err = check_type(&scan, type);
    if (err == VTS_OK)
        err = check_limits(&scan);
    while (err == VTS_OK) {
        struct frame *frame = &scan.frames[scan.depth];

        if (scan.at < frame->end)
            err = scan_field(&scan, frame);
        else if (scan.depth > 0)
            scan.depth--;
        else
            break;
    }
    return err;
}
