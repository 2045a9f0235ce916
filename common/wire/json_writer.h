/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the JSON writer that call each other. For json_*.c only. */
#ifndef VTS_WIRE_JSON_WRITER_H
#define VTS_WIRE_JSON_WRITER_H

#include "common/wire/json_types.h"

struct vts_json_writer {
    struct vts_buf *buf;
    const struct vts_json_write_options *options;
    unsigned depth; /* of messages, up to VTS_JSON_MAX_WRITE_DEPTH */
};

VTS_MUST_CHECK enum vts_err vts_json_write_message(struct vts_json_writer *writer,
                                                   const ProtobufCMessage *message);
/* One value of the field's type; at points to where a message holds it. */
VTS_MUST_CHECK enum vts_err vts_json_write_value(struct vts_json_writer *writer,
                                                 const ProtobufCFieldDescriptor *field,
                                                 const void *at);
/* A repeated field of message: as an array, or as an object of its entries. */
VTS_MUST_CHECK enum vts_err vts_json_write_list(struct vts_json_writer *writer,
                                                const ProtobufCFieldDescriptor *field,
                                                const ProtobufCMessage *message);
VTS_MUST_CHECK enum vts_err vts_json_write_map(struct vts_json_writer *writer,
                                               const ProtobufCFieldDescriptor *field,
                                               const ProtobufCMessage *message);
/* The fields of message, without braces, a comma before each but the first of an object. */
VTS_MUST_CHECK enum vts_err vts_json_write_fields(struct vts_json_writer *writer,
                                                  const ProtobufCMessage *message, bool is_first);
/* A message with a form of its own. */
VTS_MUST_CHECK enum vts_err vts_json_write_special(struct vts_json_writer *writer,
                                                   enum vts_json_form form,
                                                   const ProtobufCMessage *message);
/* Whether message has the field, which for one without presence means: not at its default. */
bool vts_json_is_present(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message);
void vts_json_write_base64(struct vts_buf *buf, ProtobufCBinaryData bytes);

#endif
