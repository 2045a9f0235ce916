/* SPDX-License-Identifier: Apache-2.0 */
/* Base64 (RFC 4648), as gRPC metadata, ProtoJSON and Connect write it. */
#ifndef VTS_WIRE_BASE64_H
#define VTS_WIRE_BASE64_H

#include "common/base/buf.h"

enum vts_base64_padding { VTS_BASE64_PADDED, VTS_BASE64_UNPADDED };

/* Appends bytes in the standard alphabet. */
void vts_base64_encode(struct vts_buf *buf, struct vts_str bytes, enum vts_base64_padding padding);
/* Appends what text says. Takes the standard and the URL-safe alphabet, padded or not, since peers
 * send all four; refuses white space, padding in the wrong place, and bits that are set behind the
 * last byte. VTS_ERR_PROTOCOL, or what the buffer says; the buffer may then hold a part. */
VTS_MUST_CHECK enum vts_err vts_base64_decode(struct vts_buf *buf, struct vts_str text);

#endif
