/* SPDX-License-Identifier: Apache-2.0 */
/* status_glance.c - walks over the fields of a message
 * (https://protobuf.dev/programming-guides/encoding/). */
#include "client/src/status_glance.h"

enum { VARINT = 0, FIXED64 = 1, BYTES = 2, FIXED32 = 5 }; /* wire types */
enum { STATUS = 1 };                                      /* of the responses */
enum { JOB_ID = 1, DONE = 3, REVISION = 4 };              /* of JobStatus */

struct field {
    uint64_t number;
    unsigned type;
    uint64_t value;       /* of VARINT */
    struct vts_str bytes; /* of BYTES */
};

static bool take_varint(struct vts_str *rest, uint64_t *ret_value)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && rest->len > 0; shift += 7) {
        uint64_t byte = (unsigned char)rest->ptr[0];

        *rest = vts_str_make(rest->ptr + 1, rest->len - 1);
        value |= (byte & 0x7f) << shift;
        if (byte < 0x80) {
            *ret_value = value;
            return true;
        }
    }
    return false;
}

static bool take_bytes(struct vts_str *rest, uint64_t len, struct vts_str *ret_bytes)
{
    if (len > rest->len)
        return false;
    *ret_bytes = vts_str_make(rest->ptr, (size_t)len);
    *rest = vts_str_make(rest->ptr + len, rest->len - (size_t)len);
    return true;
}

/* False at something that is no field. */
static bool take_field(struct vts_str *rest, struct field *ret_field)
{
    uint64_t tag;
    uint64_t len = 0;

    if (!take_varint(rest, &tag))
        return false;
    ret_field->number = tag >> 3;
    ret_field->type = (unsigned)(tag & 7);
    switch (ret_field->type) {
    case VARINT:
        return take_varint(rest, &ret_field->value);
    case FIXED64:
        return take_bytes(rest, 8, &ret_field->bytes);
    case FIXED32:
        return take_bytes(rest, 4, &ret_field->bytes);
    case BYTES:
        return take_varint(rest, &len) && take_bytes(rest, len, &ret_field->bytes);
    default:
        return false;
    }
}

/* The last of several counts, as when a message is decoded. */
static bool read_status(struct vts_str bytes, struct vts_status_glance *ret_glance)
{
    struct field field;

    *ret_glance = (struct vts_status_glance){.revision = 0};
    while (bytes.len > 0) {
        if (!take_field(&bytes, &field))
            return false;
        if (field.number == JOB_ID && field.type == BYTES)
            ret_glance->job_id = field.bytes;
        else if (field.number == DONE && field.type == VARINT)
            ret_glance->is_done = field.value != 0;
        else if (field.number == REVISION && field.type == VARINT)
            ret_glance->revision = field.value;
    }
    return ret_glance->job_id.len > 0 && ret_glance->revision > 0;
}

bool vts_status_glance(struct vts_str bytes, struct vts_status_glance *ret_glance)
{
    struct field field;

    /* Several would be joined; nobody sends that. */
    return take_field(&bytes, &field) && field.number == STATUS && field.type == BYTES &&
           bytes.len == 0 && read_status(field.bytes, ret_glance);
}
