/* SPDX-License-Identifier: Apache-2.0 */
/* The bytes inside a google.protobuf.Any. For json_*.c only. */
#ifndef VTS_WIRE_JSON_ANY_H
#define VTS_WIRE_JSON_ANY_H

#include "common/wire/pb_heap.h"

struct vts_json_any_content {
    ProtobufCMessage *message;
    struct vts_pb_heap heap;
};

/* Unpacks the bytes, which may be a peer's: nothing is unpacked that does not pass vts_scan_check,
 * is nested deeper than max_depth messages, the outermost counted, or takes more memory than a
 * multiple of the bytes. VTS_ERR_INVALID when they are no such message, VTS_ERR_LIMIT,
 * VTS_ERR_NOMEM. max_depth is up to VTS_JSON_MAX_WRITE_DEPTH. */
VTS_MUST_CHECK enum vts_err vts_json_any_unpack(const ProtobufCMessageDescriptor *type,
                                                ProtobufCBinaryData bytes, unsigned max_depth,
                                                struct vts_json_any_content *ret_content);
void vts_json_any_free(struct vts_json_any_content *content);

#endif
