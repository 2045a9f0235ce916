/* SPDX-License-Identifier: Apache-2.0 */
/* Messages as ProtoJSON (https://protobuf.dev/programming-guides/json/), by their descriptors. */
#ifndef VTS_WIRE_JSON_WRITE_H
#define VTS_WIRE_JSON_WRITE_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/buf.h"

enum vts_json_enums {
    VTS_JSON_ENUM_NAMES, /* "STATUS_PENDING": ProtoJSON */
    VTS_JSON_ENUM_WORDS, /* "pending": the enum's prefix dropped, in lower case, for REST */
};

/* Appends the message as one line. Fields at their default are left out.
 *
 * Timestamp and Duration have their special forms. An Any is written as its "@type" and, in
 * base64, its "value", since its type is not known here. Maps are written as lists of their
 * entries: protobuf-c's descriptors do not tell a map from a repeated field.
 * VTS_ERR_INVALID for a Timestamp or Duration out of range; otherwise what the buffer says. */
VTS_MUST_CHECK enum vts_err vts_json_write(struct vts_buf *buf, const ProtobufCMessage *message,
                                           enum vts_json_enums enums);

#endif
