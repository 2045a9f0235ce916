/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json_read.c - what is read can be written, and comes back the same. */
#include <protobuf-c/protobuf-c.h>

#include "common/base/assert.h"
#include "common/wire/json.h"
#include "common/wire/pb_heap.h"
#include "every_type.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/every_type.h"

enum { MAX_TEXT_BYTES = 1 << 20, MAX_WRITTEN_BYTES = 8 << 20, HEAP_BYTES = 4 << 20 };

static ProtobufCMessage *read(struct vts_str json, struct vts_pb_heap *heap, bool ignore_unknown)
{
    struct vts_json_read_options options = vts_json_read_defaults;
    struct vts_error error = {.text = ""};
    ProtobufCMessage *message = NULL;
    enum vts_err err;

    vts_pb_heap_init(heap, HEAP_BYTES);
    options.types = vts_test_every_type();
    options.allocator = &heap->allocator;
    options.ignore_unknown = ignore_unknown;
    err = vts_json_read(json, &vtstest__whole__descriptor, &options, &error, &message);
    VTS_ASSERT((err == VTS_OK) == (message != NULL));
    VTS_ASSERT((err == VTS_OK) == (error.text[0] == '\0'));
    return message;
}

static void write(struct vts_buf *buf, const ProtobufCMessage *message)
{
    const struct vts_json_write_options options = {.types = vts_test_every_type()};
    enum vts_err err;

    vts_buf_init(buf, MAX_WRITTEN_BYTES);
    err = vts_json_write(buf, message, &options);
    VTS_ASSERT(err == VTS_OK || err == VTS_ERR_LIMIT);
}

static void check_again(struct vts_str json)
{
    struct vts_pb_heap heap;
    struct vts_buf buf;
    ProtobufCMessage *message = read(json, &heap, false);

    VTS_ASSERT(message != NULL);
    write(&buf, message);
    VTS_ASSERT(vts_str_equals(vts_buf_str(&buf), json));
    vts_buf_fini(&buf);
    protobuf_c_message_free_unpacked(message, &heap.allocator);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    bool ignore_unknown = len > 0 && bytes[0] == ' ';
    struct vts_pb_heap heap;
    struct vts_buf buf;
    ProtobufCMessage *message = read(vts_str_make(bytes, len), &heap, ignore_unknown);

    if (message == NULL)
        return 0;
    write(&buf, message);
    if (vts_buf_check(&buf) == VTS_OK && buf.len <= MAX_TEXT_BYTES)
        check_again(vts_buf_str(&buf));
    vts_buf_fini(&buf);
    protobuf_c_message_free_unpacked(message, &heap.allocator);
    return 0;
}
