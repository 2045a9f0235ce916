/* SPDX-License-Identifier: Apache-2.0 */
/* Messages of protobuf-c as ProtoJSON and back (https://protobuf.dev/programming-guides/json/).
 *
 * What a protobuf-c descriptor does not tell comes from struct vts_json_types. The types that have
 * a JSON form of their own (google.protobuf.Timestamp, Duration, FieldMask, Any, Struct, Value,
 * ListValue and the wrappers) are known by their full names. */
#ifndef VTS_WIRE_JSON_H
#define VTS_WIRE_JSON_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/buf.h"
#include "common/wire/descriptors.h"

/* Borrowed and never written to: many threads may share one. */
struct vts_json_types {
    /* For messages it does not have, or when it is NULL, JSON names are made from the names of the
     * fields, and maps are lists of their entries. */
    const struct vts_descriptors *descriptors;
    /* The types an Any may hold. */
    const ProtobufCMessageDescriptor *const *messages;
    size_t message_count;
};

enum vts_json_enums {
    VTS_JSON_ENUM_NAMES, /* "STATUS_PENDING": ProtoJSON */
    VTS_JSON_ENUM_WORDS, /* "pending": the enum's prefix dropped, in lower case, for REST */
};

/* All zeros is ProtoJSON as a peer expects it, without types. */
struct vts_json_write_options {
    const struct vts_json_types *types;
    enum vts_json_enums enums;
    /* Fields without presence are written even at their default. */
    bool with_defaults;
    /* An Any of a type that is not among the types, or that holds no such message, is written as
     * its
     * "@type" and, in base64, its "value"; otherwise it is VTS_ERR_NOT_FOUND or VTS_ERR_INVALID. */
    bool any_as_bytes;
};

enum { VTS_JSON_MAX_WRITE_DEPTH = 100 };

/* Appends the message as one line, maps sorted by key. Bytes in a string that are no UTF-8 become
 * U+FFFD. options may be NULL: all zeros.
 *
 * VTS_ERR_INVALID: a Timestamp, Duration, FieldMask or Any that JSON cannot say, or NaN in a Value.
 * VTS_ERR_NOT_FOUND: see any_as_bytes. VTS_ERR_LIMIT: messages nested deeper than
 * VTS_JSON_MAX_WRITE_DEPTH. Otherwise what the buffer says, which may hold a part. */
VTS_MUST_CHECK enum vts_err vts_json_write(struct vts_buf *buf, const ProtobufCMessage *message,
                                           const struct vts_json_write_options *options);

struct vts_json_read_options {
    const struct vts_json_types *types;
    /* Makes the message and all it holds; NULL for the heap of common/base/mem.h. */
    ProtobufCAllocator *allocator;
    size_t max_bytes;
    size_t max_values;  /* in objects and arrays, they themselves included */
    unsigned max_depth; /* of objects and arrays in each other; at most VTS_JSON_MAX_READ_DEPTH */
    /* Fields the type does not have, and enum values of unknown names, are left out. */
    bool ignore_unknown;
    /* Takes what the writer's any_as_bytes writes. */
    bool any_as_bytes;
    /* A message field of the type, by its name in the .proto: what that has may stand in the JSON
     * in its place. NULL: none. */
    const char *flat;
};

enum { VTS_JSON_MAX_READ_DEPTH = 100 };

/* The product's limits, without types. */
extern const struct vts_json_read_options vts_json_read_defaults;

/* Makes a message of the type from JSON text; the caller frees it with
 * protobuf_c_message_free_unpacked and the same allocator (vts_json_free for the heap).
 *
 * Takes what a conforming parser must: both names of a field, numbers as strings, enums by name,
 * number or REST word, either alphabet of base64. Refuses duplicate keys, two members of a oneof,
 * and NUL in strings, which protobuf-c cannot carry. VTS_ERR_INVALID: it is no JSON, or not such a
 * message; error, which may be NULL, then has a text for the peer that names the field and holds
 * nothing of the input unescaped. VTS_ERR_LIMIT: too long, too deep, or too many values, and the
 * error's detail is an enum vts_message_limit.
 * VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_json_read(struct vts_str json,
                                          const ProtobufCMessageDescriptor *type,
                                          const struct vts_json_read_options *options,
                                          struct vts_error *error, ProtobufCMessage **ret_message);
/* Frees what vts_json_read made with a NULL allocator; message may be NULL. */
void vts_json_free(ProtobufCMessage *message);

#endif
