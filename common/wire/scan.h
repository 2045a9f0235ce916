/* SPDX-License-Identifier: Apache-2.0 */
/* A look at an encoded message before protobuf-c unpacks it.
 *
 * protobuf-c follows nesting without a limit, makes 60 bytes of one, and takes strings that are no
 * UTF-8 or hold a NUL, which would be cut off unseen. What passes here it unpacks, unless memory
 * runs out or a proto2 message lacks a required field. */
#ifndef VTS_WIRE_SCAN_H
#define VTS_WIRE_SCAN_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/err.h"
#include "common/base/str.h"

enum {
    VTS_SCAN_MAX_DEPTH = 128,
    VTS_SCAN_MAX_FIELDS = 256,
};

struct vts_scan_limits {
    /* Messages inside each other, the outermost not counted; up to VTS_SCAN_MAX_DEPTH. */
    unsigned max_depth;
    /* Fields at every level, known or not; a packed list counts as its elements. */
    size_t max_elements;
    /* All that unpacking asks an allocator for, each piece rounded up to 16 bytes as in an arena;
     * what is freed on the way is not given back. */
    size_t max_memory_bytes;
};

/* Checks bytes as a message of the type.
 *
 * VTS_ERR_PROTOCOL when they are not fields all through
 * (https://protobuf.dev/programming-guides/encoding/), or for a field of the wrong wire type,
 * groups among them. VTS_ERR_INVALID for what is protobuf and yet no such message: a string that is
 * no UTF-8 or has a NUL, or a field that holds one message and stands there twice, since protobuf-c
 * merges the two wrongly. VTS_ERR_LIMIT when the message is
 * past a limit, has 2 GiB, or is of a type with more than VTS_SCAN_MAX_FIELDS fields. *error, which
 * may be NULL, gets a text for the peer that repeats nothing of its bytes; its detail is an enum
 * vts_message_limit then. */
VTS_MUST_CHECK enum vts_err vts_scan_check(struct vts_str bytes,
                                           const ProtobufCMessageDescriptor *type,
                                           const struct vts_scan_limits *limits,
                                           struct vts_error *error);

#endif
