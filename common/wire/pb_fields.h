/* SPDX-License-Identifier: Apache-2.0 */
/* Protobuf fields around bytes that are encoded already
 * (https://protobuf.dev/programming-guides/encoding/#length-types). */
#ifndef VTS_WIRE_PB_FIELDS_H
#define VTS_WIRE_PB_FIELDS_H

#include "common/base/buf.h"

/* Field numbers are below 16, so that a tag is one byte. */
enum { VTS_PB_HEAD_MAX = 1 + 10 };

/* Writes the tag and the length of a field of bytes; returns how long that is. */
size_t vts_pb_write_head(unsigned number, size_t len, char ret_head[VTS_PB_HEAD_MAX]);
/* How long a field of len bytes is, with its head. */
size_t vts_pb_field_bytes(size_t len);
/* Append the head of a field, or all of it. */
void vts_pb_append_head(struct vts_buf *buf, unsigned number, size_t len);
void vts_pb_append_field(struct vts_buf *buf, unsigned number, struct vts_str bytes);

#endif
