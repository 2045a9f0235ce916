/* SPDX-License-Identifier: Apache-2.0 */
/* json_any.c - unpacks what an Any holds, after a scan of its own.
 *
 * The scan of the message around it cannot see into an Any, whose bytes are only bytes to it.
 */
#include "common/wire/json_any.h"

#include "common/wire/scan.h"

enum vts_err vts_json_any_unpack(const ProtobufCMessageDescriptor *type, ProtobufCBinaryData bytes,
                                 unsigned max_depth, struct vts_json_any_content *ret_content)
{
    const struct vts_scan_limits limits = {
        .max_depth = max_depth - 1,
        .max_elements = bytes.len, /* memory is what bounds them */
        /* Enough for any message of ours; a list of empty ones, 60 times its bytes, is refused. */
        .max_memory_bytes = (size_t)64 * 1024 + 16 * bytes.len,
    };
    enum vts_err err;

    if (max_depth == 0)
        return VTS_ERR_LIMIT;
    err = vts_scan_check(vts_str_make(bytes.data, bytes.len), type, &limits, NULL);
    if (err != VTS_OK)
        return err == VTS_ERR_PROTOCOL ? VTS_ERR_INVALID : err;
    vts_pb_heap_init(&ret_content->heap, limits.max_memory_bytes);
    ret_content->message =
        protobuf_c_message_unpack(type, &ret_content->heap.allocator, bytes.len, bytes.data);
    if (ret_content->message != NULL)
        return VTS_OK;
    return ret_content->heap.err != VTS_OK ? ret_content->heap.err : VTS_ERR_INVALID;
}

void vts_json_any_free(struct vts_json_any_content *content)
{
    protobuf_c_message_free_unpacked(content->message, &content->heap.allocator);
}
