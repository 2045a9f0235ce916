/* SPDX-License-Identifier: Apache-2.0 */
/* Metadata of an RPC: the headers and trailers that belong to the application
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests, "Custom-Metadata").
 * Names are in lower case, as HTTP/2 has them. */
#ifndef VTS_WIRE_METADATA_H
#define VTS_WIRE_METADATA_H

#include <stdbool.h>

#include "common/base/buf.h"

/* Whether the protocol keeps the name for itself, so that an application neither sees nor sets it:
 * pseudo-headers, what frames and codes a message in HTTP, "grpc-…" and "connect-…". Not so
 * user-agent, grpc-previous-rpc-attempts and grpc-retry-pushback-ms, which tell it something. */
bool vts_metadata_is_reserved(struct vts_str name);
/* Whether values are bytes in base64: the name ends in "-bin". */
bool vts_metadata_is_binary(struct vts_str name);
/* One or more of [0-9a-z_.-]. */
bool vts_metadata_is_name(struct vts_str name);
/* Printable ASCII without blanks at its ends; may be empty, as peers send it. */
bool vts_metadata_is_ascii_value(struct vts_str value);

/* Takes one value off the front of a "-bin" header, which holds several when a peer joined them by
 * commas, and appends its bytes. Padded or not, in either alphabet. VTS_ERR_NOT_FOUND when *rest
 * was exhausted before, which its NULL ptr tells; an empty header is one empty value.
 * VTS_ERR_PROTOCOL, or what the buffer says; the buffer may then hold a part. */
VTS_MUST_CHECK enum vts_err vts_metadata_next_binary(struct vts_str *rest, struct vts_buf *out);

/* Whether a list as in accept-encoding or grpc-accept-encoding names the token, in any case. An
 * element with q=0 or a malformed q does not (RFC 9110 section 12.4.2), and "*" names nothing. */
bool vts_metadata_list_has(struct vts_str list, const char *token);

#endif
