/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the JSON reader that call each other. For json_*.c only.
 *
 * Each reads the value whose token is `at`. Recursion follows the nesting of the text, which
 * vts_json_doc_parse has bounded. */
#ifndef VTS_WIRE_JSON_READER_H
#define VTS_WIRE_JSON_READER_H

#include "common/wire/json_token.h"
#include "common/wire/json_types.h"

/* No .proto of sense has more; a larger one is our mistake. */
enum { VTS_JSON_MAX_FIELDS = 1024 };

/* Where in the message the reader is, innermost first: for the texts of errors. */
struct vts_json_path {
    const struct vts_json_path *up;
    struct vts_str name; /* of a field, or a map's key; NULL for an index */
    size_t index;
};

struct vts_json_reader {
    const struct vts_json_read_options *options;
    ProtobufCAllocator *allocator;
    struct vts_error *error;
    struct vts_json_doc doc;
    const struct vts_json_path *path;
    ProtobufCMessage *flat; /* the message of options->flat, once it has got a member so */
    unsigned char flat_seen[VTS_JSON_MAX_FIELDS / 8];
};

static inline const struct vts_json_token *vts_json_token_at(const struct vts_json_reader *reader,
                                                             uint32_t at)
{
    return &reader->doc.tokens[at];
}

/* VTS_ERR_INVALID, with "path: why" as its text. */
enum vts_err vts_json_refuse(struct vts_json_reader *reader, const char *why);
/* Zeroed memory for the message; NULL, with the error's text, when there is none. */
VTS_MUST_CHECK void *vts_json_reader_alloc(struct vts_json_reader *reader, size_t size);

/* A message of the type, in whatever form it has. */
VTS_MUST_CHECK enum vts_err vts_json_read_message(struct vts_json_reader *reader,
                                                  const ProtobufCMessageDescriptor *type,
                                                  uint32_t at, ProtobufCMessage **ret_message);
/* The members of an object into the fields of an empty message. A member named `but` (it may be
 * NULL) is passed over. */
VTS_MUST_CHECK enum vts_err vts_json_read_fields(struct vts_json_reader *reader,
                                                 ProtobufCMessage *message, uint32_t at,
                                                 const char *but);
/* An array, or an object, into a repeated field of an empty message. */
VTS_MUST_CHECK enum vts_err vts_json_read_list(struct vts_json_reader *reader,
                                               const ProtobufCFieldDescriptor *field, uint32_t at,
                                               ProtobufCMessage *message);
VTS_MUST_CHECK enum vts_err vts_json_read_map(struct vts_json_reader *reader,
                                              const ProtobufCFieldDescriptor *field, uint32_t at,
                                              ProtobufCMessage *message);
/* One value of the field's type into zeroed memory. VTS_ERR_NOT_FOUND: an enum value of unknown
 * name, which the options say to leave out. */
VTS_MUST_CHECK enum vts_err vts_json_read_value(struct vts_json_reader *reader,
                                                const ProtobufCFieldDescriptor *field, uint32_t at,
                                                void *to);
/* A map's key. */
VTS_MUST_CHECK enum vts_err vts_json_read_key(struct vts_json_reader *reader,
                                              const ProtobufCFieldDescriptor *field,
                                              struct vts_str text, void *to);
/* text as a string of protobuf-c. */
VTS_MUST_CHECK enum vts_err vts_json_read_text(struct vts_json_reader *reader, struct vts_str text,
                                               char **ret_text);
VTS_MUST_CHECK enum vts_err vts_json_read_bytes(struct vts_json_reader *reader,
                                                struct vts_str base64,
                                                ProtobufCBinaryData *ret_bytes);
/* Into an empty message with a form of its own. */
VTS_MUST_CHECK enum vts_err vts_json_read_special(struct vts_json_reader *reader,
                                                  enum vts_json_form form, uint32_t at,
                                                  ProtobufCMessage *message);

#endif
