/* SPDX-License-Identifier: Apache-2.0 */
/* A look at an encoded message before protobuf-c decodes it.
 *
 * protobuf-c takes strings that are no UTF-8 or hold a NUL, which would be cut off unseen, and
 * follows nesting without a limit. */
#ifndef VTS_CLIENT_PROTOBUF_CHECK_H
#define VTS_CLIENT_PROTOBUF_CHECK_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/err.h"
#include "common/base/str.h"

/* VTS_ERR_PROTOCOL when the bytes are not fields all through, or a string in a field the
 * descriptor knows, at any depth, is no UTF-8 or has a NUL. VTS_ERR_LIMIT when messages nest deeper
 * than max_depth below the outermost. */
VTS_MUST_CHECK enum vts_err vts_protobuf_check(const ProtobufCMessageDescriptor *descriptor,
                                               struct vts_str bytes, unsigned max_depth);

#endif
