/* SPDX-License-Identifier: Apache-2.0 */
/* Percent-encoding: of "grpc-message", and of paths and query strings. */
#ifndef VTS_WIRE_PERCENT_H
#define VTS_WIRE_PERCENT_H

#include "common/base/buf.h"

/* Appends text as "grpc-message" wants it: 0x20 to 0x7E but "%" literally, all else and a blank at
 * either end as %XX in upper case; what is no UTF-8 becomes U+FFFD first
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#responses). */
void vts_percent_encode_message(struct vts_buf *buf, struct vts_str text);
/* Appends what a "grpc-message" says. Never fails but for the buffer: broken sequences stay. */
void vts_percent_decode_message(struct vts_buf *buf, struct vts_str text);
/* Appends the value of a query parameter: %XX decoded and "+" a blank. VTS_ERR_PROTOCOL for a
 * broken sequence, or what the buffer says. */
VTS_MUST_CHECK enum vts_err vts_percent_decode_query(struct vts_buf *buf, struct vts_str text);
/* As above, of a path's segment, where "+" is itself. */
VTS_MUST_CHECK enum vts_err vts_percent_decode_path(struct vts_buf *buf, struct vts_str text);

#endif
