/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator for protobuf-c on the heap of common/base/mem.h that has a budget, since a decoder
 * may make 60 bytes of one, and that tells why it failed, since a decoder does not. */
#ifndef VTS_WIRE_PB_HEAP_H
#define VTS_WIRE_PB_HEAP_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/err.h"

struct vts_pb_heap {
    ProtobufCAllocator allocator;
    size_t left_bytes;
    enum vts_err err; /* VTS_OK, or VTS_ERR_LIMIT or VTS_ERR_NOMEM of the first failure */
};

/* The budget counts what is asked for; freeing gives nothing back. */
void vts_pb_heap_init(struct vts_pb_heap *heap, size_t budget_bytes);
/* The same heap without a budget and without memory of failures; for any thread. */
ProtobufCAllocator *vts_pb_heap_plain(void);

#endif
