/* SPDX-License-Identifier: Apache-2.0 */
/* Timeouts in request headers: how long the caller will wait. */
#ifndef VTS_WIRE_TIMEOUT_H
#define VTS_WIRE_TIMEOUT_H

#include <stdint.h>

#include "common/base/str.h"

/* Reads a "grpc-timeout" value: 1 to 8 digits and a unit of H M S m u n
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md). *ret_ns is clamped to
 * INT64_MAX, because eight digits of hours do not fit. Any other shape is VTS_ERR_PROTOCOL. */
VTS_MUST_CHECK enum vts_err vts_timeout_parse_grpc(struct vts_str text, int64_t *ret_ns);
/* Reads a "connect-timeout-ms" value: 1 to 10 digits
 * (https://connectrpc.com/docs/protocol/#unary-request). Any other shape is VTS_ERR_PROTOCOL. */
VTS_MUST_CHECK enum vts_err vts_timeout_parse_connect(struct vts_str text, int64_t *ret_ns);

enum { VTS_TIMEOUT_TEXT_BYTES = 16 };

/* Writes a "grpc-timeout" value in the finest unit that fits, rounded up, so that the peer never
 * waits less than was meant. What is not positive becomes "0n". */
void vts_timeout_format_grpc(int64_t timeout_ns, char ret_text[VTS_TIMEOUT_TEXT_BYTES]);

#endif
