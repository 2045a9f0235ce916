/* SPDX-License-Identifier: Apache-2.0 */
/* protobuf_check.c - walks tags and lengths (https://protobuf.dev/programming-guides/encoding/);
 * recursion is bounded by max_depth. */
#include "client/src/protobuf_check.h"

#include <stdint.h>

#include "common/base/utf8.h"

enum { WIRE_VARINT = 0, WIRE_64_BITS = 1, WIRE_LEN = 2, WIRE_32_BITS = 5 };

static enum vts_err take_varint(struct vts_str *rest, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (size_t i = 0; i < rest->len && i < 10; i++) {
        uint64_t byte = (unsigned char)rest->ptr[i];

        value |= (byte & 0x7f) << (7 * i);
        if ((byte & 0x80) != 0)
            continue;
        *rest = vts_str_make(rest->ptr + i + 1, rest->len - i - 1);
        *ret_value = value;
        return VTS_OK;
    }
    return VTS_ERR_PROTOCOL;
}

static enum vts_err take_bytes(struct vts_str *rest, uint64_t len, struct vts_str *ret_bytes)
{
    if (len > rest->len)
        return VTS_ERR_PROTOCOL;
    *ret_bytes = vts_str_make(rest->ptr, (size_t)len);
    *rest = vts_str_make(rest->ptr + len, rest->len - (size_t)len);
    return VTS_OK;
}

/* Takes a field's value off the front; *ret_bytes is what it holds when it has a length. */
static enum vts_err take_value(struct vts_str *rest, unsigned wire_type, struct vts_str *ret_bytes)
{
    uint64_t number = 0;
    enum vts_err err;

    switch (wire_type) {
    case WIRE_VARINT:
        return take_varint(rest, &number);
    case WIRE_64_BITS:
        return take_bytes(rest, 8, ret_bytes);
    case WIRE_32_BITS:
        return take_bytes(rest, 4, ret_bytes);
    case WIRE_LEN:
        err = take_varint(rest, &number);
        return err != VTS_OK ? err : take_bytes(rest, number, ret_bytes);
    default: /* groups, and what was never defined */
        return VTS_ERR_PROTOCOL;
    }
}

static enum vts_err check_value(const ProtobufCFieldDescriptor *field, struct vts_str bytes,
                                unsigned max_depth)
{
    if (field->type == PROTOBUF_C_TYPE_STRING)
        return vts_utf8_is_c_string(bytes) ? VTS_OK : VTS_ERR_PROTOCOL;
    if (field->type != PROTOBUF_C_TYPE_MESSAGE)
        return VTS_OK;
    if (max_depth == 0)
        return VTS_ERR_LIMIT;
    return vts_protobuf_check(field->descriptor, bytes, max_depth - 1);
}

enum vts_err vts_protobuf_check(const ProtobufCMessageDescriptor *descriptor, struct vts_str bytes,
                                unsigned max_depth)
{
    while (bytes.len > 0) {
        const ProtobufCFieldDescriptor *field;
        struct vts_str value = {0};
        uint64_t tag = 0;
        enum vts_err err = take_varint(&bytes, &tag);

        if (err == VTS_OK)
            err = take_value(&bytes, tag & 7, &value);
        if (err != VTS_OK)
            return err;
        if (tag >> 3 == 0 || tag > UINT32_MAX)
            return VTS_ERR_PROTOCOL;
        field = protobuf_c_message_descriptor_get_field(descriptor, (unsigned)(tag >> 3));
        if (field == NULL || (tag & 7) != WIRE_LEN)
            continue;
        err = check_value(field, value, max_depth);
        if (err != VTS_OK)
            return err;
    }
    return VTS_OK;
}
