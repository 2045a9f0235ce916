/* SPDX-License-Identifier: Apache-2.0 */
/* json_any.c - unpacks what an Any holds, after a look at its nesting.
 *
 * protobuf-c's decoder recurses as deep as its input does. A scan of the whole message cannot see
 * into an Any, whose bytes are only bytes to it; this one stops at max_depth.
 */
#include "common/wire/json_any.h"

#include <stdbool.h>

enum { WIRE_VARINT = 0, WIRE_FIXED64 = 1, WIRE_BYTES = 2, WIRE_FIXED32 = 5 };

struct cursor {
    const uint8_t *at;
    const uint8_t *end;
};

static bool take_varint(struct cursor *cursor, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && cursor->at < cursor->end; shift += 7) {
        uint8_t byte = *cursor->at++;

        value |= (uint64_t)(byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

/* Takes a field's value off the front; ret_bytes has what a length-delimited one holds. */
static bool take_value(struct cursor *cursor, unsigned wire_type, struct cursor *ret_bytes)
{
    uint64_t len;

    *ret_bytes = (struct cursor){cursor->at, cursor->at};
    if (wire_type == WIRE_VARINT)
        return take_varint(cursor, &len);
    if (wire_type == WIRE_FIXED64)
        len = 8;
    else if (wire_type == WIRE_FIXED32)
        len = 4;
    else if (wire_type != WIRE_BYTES || !take_varint(cursor, &len))
        return false;
    if (len > (uint64_t)(cursor->end - cursor->at))
        return false;
    if (wire_type == WIRE_BYTES)
        *ret_bytes = (struct cursor){cursor->at, cursor->at + len};
    cursor->at += len;
    return true;
}

/* VTS_ERR_INVALID for broken bytes, VTS_ERR_LIMIT for more than max_depth messages in each other.
 */
static enum vts_err check_nesting(const ProtobufCMessageDescriptor *type, struct cursor cursor,
                                  unsigned max_depth)
{
    enum vts_err err = max_depth == 0 ? VTS_ERR_LIMIT : VTS_OK;

    while (cursor.at < cursor.end && err == VTS_OK) {
        const ProtobufCFieldDescriptor *field;
        struct cursor bytes;
        uint64_t tag;

        if (!take_varint(&cursor, &tag) || tag > UINT32_MAX ||
            !take_value(&cursor, (unsigned)(tag & 7), &bytes))
            return VTS_ERR_INVALID;
        field = protobuf_c_message_descriptor_get_field(type, (unsigned)(tag >> 3));
        if (field != NULL && field->type == PROTOBUF_C_TYPE_MESSAGE && (tag & 7) == WIRE_BYTES)
            err = check_nesting(field->descriptor, bytes, max_depth - 1);
    }
    return err;
}

enum vts_err vts_json_any_unpack(const ProtobufCMessageDescriptor *type, ProtobufCBinaryData bytes,
                                 unsigned max_depth, struct vts_json_any_content *ret_content)
{
    static const uint8_t nothing;
    const uint8_t *start = bytes.len == 0 ? &nothing : bytes.data;
    enum vts_err err = check_nesting(type, (struct cursor){start, start + bytes.len}, max_depth);

    if (err != VTS_OK)
        return err;
    /* Enough for any message of ours; a list of empty ones, 60 times its bytes, is refused. */
    vts_pb_heap_init(&ret_content->heap, (size_t)64 * 1024 + 16 * bytes.len);
    ret_content->message =
        protobuf_c_message_unpack(type, &ret_content->heap.allocator, bytes.len, start);
    if (ret_content->message != NULL)
        return VTS_OK;
    return ret_content->heap.err != VTS_OK ? ret_content->heap.err : VTS_ERR_INVALID;
}

void vts_json_any_free(struct vts_json_any_content *content)
{
    protobuf_c_message_free_unpacked(content->message, &content->heap.allocator);
}
