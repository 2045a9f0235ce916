/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_scan.c - what the scan passes unpacks within the budget, and comes back the same.
 *
 * The first four bytes choose the type and the limits.
 */
#include <protobuf-c/protobuf-c.h>

#include "common/base/assert.h"
#include "common/base/buf.h"
#include "common/base/utf8.h"
#include "common/wire/pb_arena.h"
#include "common/wire/scan.h"
#include "every_type.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "vtstatus/v1/job.pb-c.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum { HEAD_BYTES = 4, MAX_PACKED_BYTES = 16 << 20 };

static const ProtobufCMessageDescriptor *const types[] = {
    &vtstest__whole__descriptor,
    &vtstest__every_type__descriptor,
    &vtstest__lists__descriptor,
    &vtstest__choice__descriptor,
    &vtstest__maps__descriptor,
    &google__protobuf__value__descriptor,
    &vtstatus__v1__job__descriptor,
    &vtstatus__v1__get_status_request__descriptor,
    &vtstatus__v1__batch_get_status_response__descriptor,
};

static enum vts_err scan(struct vts_str bytes, const ProtobufCMessageDescriptor *type,
                         const struct vts_scan_limits *limits)
{
    struct vts_error error = {.text = ""};
    enum vts_err err = vts_scan_check(bytes, type, limits, &error);
    struct vts_str text = vts_str_of(error.text);

    VTS_ASSERT(err == VTS_OK || err == VTS_ERR_PROTOCOL || err == VTS_ERR_INVALID ||
               err == VTS_ERR_LIMIT);
    VTS_ASSERT((err == VTS_OK) == (text.len == 0));
    VTS_ASSERT(vts_utf8_is_c_string(text));
    VTS_ASSERT(err == vts_scan_check(bytes, type, limits, NULL));
    return err;
}

/* Appends the message packed again; it has passed the scan. */
static void repack(struct vts_str bytes, const ProtobufCMessageDescriptor *type,
                   const struct vts_scan_limits *limits, struct vts_buf *buf)
{
    struct vts_arena arena;
    ProtobufCAllocator allocator = vts_pb_arena_allocator(&arena);
    ProtobufCMessage *message;
    size_t len;
    char *room;

    vts_arena_init(&arena, limits->max_memory_bytes);
    message = protobuf_c_message_unpack(type, &allocator, bytes.len, (const uint8_t *)bytes.ptr);
    VTS_ASSERT(message != NULL);
    VTS_ASSERT(protobuf_c_message_check(message));
    len = protobuf_c_message_get_packed_size(message);
    room = vts_buf_reserve(buf, len);
    VTS_ASSERT(room != NULL);
    VTS_ASSERT(protobuf_c_message_pack(message, (uint8_t *)room) == len);
    vts_buf_commit(buf, len);
    vts_arena_fini(&arena);
}

/* What is packed once more costs no more than before, and stays as it is. */
static void check_packed(struct vts_str bytes, const ProtobufCMessageDescriptor *type,
                         const struct vts_scan_limits *limits)
{
    struct vts_buf once;
    struct vts_buf twice;

    vts_buf_init(&once, MAX_PACKED_BYTES);
    vts_buf_init(&twice, MAX_PACKED_BYTES);
    repack(bytes, type, limits, &once);
    VTS_ASSERT(scan(vts_buf_str(&once), type, limits) == VTS_OK);
    repack(vts_buf_str(&once), type, limits, &twice);
    VTS_ASSERT(vts_str_equals(vts_buf_str(&once), vts_buf_str(&twice)));
    vts_buf_fini(&once);
    vts_buf_fini(&twice);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    const ProtobufCMessageDescriptor *type;
    struct vts_scan_limits limits;
    struct vts_str message;

    if (len < HEAD_BYTES)
        return 0;
    type = types[bytes[0] % VTS_ARRAY_LEN(types)];
    limits.max_depth = bytes[1] % (VTS_SCAN_MAX_DEPTH + 1U);
    limits.max_elements = (size_t)1 << bytes[2] % 16;
    /* In eighths of an octave, since the sums are to be exact. */
    limits.max_memory_bytes = ((size_t)8 + bytes[3] % 8) << bytes[3] / 8 % 20;
    message = vts_str_make(bytes + HEAD_BYTES, len - HEAD_BYTES);
    if (scan(message, type, &limits) == VTS_OK)
        check_packed(message, type, &limits);
    return 0;
}
