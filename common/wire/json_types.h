/* SPDX-License-Identifier: Apache-2.0 */
/* What the JSON writer and reader both ask of types. For json_*.c only. */
#ifndef VTS_WIRE_JSON_TYPES_H
#define VTS_WIRE_JSON_TYPES_H

#include "common/wire/json.h"

/* How a message looks in JSON. */
enum vts_json_form {
    VTS_JSON_FORM_FIELDS, /* an object of its fields: most */
    VTS_JSON_FORM_ANY,
    VTS_JSON_FORM_DURATION,
    VTS_JSON_FORM_FIELD_MASK,
    VTS_JSON_FORM_LIST_VALUE,
    VTS_JSON_FORM_STRUCT,
    VTS_JSON_FORM_TIMESTAMP,
    VTS_JSON_FORM_VALUE,
    VTS_JSON_FORM_WRAPPER,
};

enum vts_json_form vts_json_form_of(const ProtobufCMessageDescriptor *type);
/* google.protobuf.NullValue, which is null. */
bool vts_json_is_null_value(const ProtobufCFieldDescriptor *field);
/* Bytes of one value of the type in a message. */
size_t vts_json_value_size(ProtobufCType type);

/* The facts about a type; NULL when there are none. */
const struct vts_message_facts *vts_json_facts_of(const struct vts_json_types *types,
                                                  const ProtobufCMessageDescriptor *type);
/* The facts about its i-th field; NULL when there are none. */
const struct vts_field_facts *vts_json_field_facts(const struct vts_message_facts *facts,
                                                   const ProtobufCMessageDescriptor *type,
                                                   unsigned i);
/* The field of that name, in the .proto or in JSON; NULL when there is none. */
const ProtobufCFieldDescriptor *vts_json_find_field(const struct vts_message_facts *facts,
                                                    const ProtobufCMessageDescriptor *type,
                                                    struct vts_str name);
/* Appends the JSON name that protoc gives a field: "poll_after" becomes "pollAfter". */
void vts_json_write_camel(struct vts_buf *buf, const char *name);

/* The registered type that a type URL names; NULL when there is none. */
const ProtobufCMessageDescriptor *vts_json_find_any(const struct vts_json_types *types,
                                                    struct vts_str type_url);

/* Appends an enum value's REST word: its name without the enum's prefix, in lower case. */
void vts_json_write_word(struct vts_buf *buf, const ProtobufCEnumDescriptor *type,
                         const ProtobufCEnumValue *value);
enum { VTS_JSON_ENUM_TEXT_BYTES = 160 }; /* an error's text has room for it and a path */

/* Writes "one of pending, running is wanted" with the words of all values but "unspecified"; a text
 * that does not name them when they do not fit. */
void vts_json_describe_enum(const ProtobufCEnumDescriptor *type, char *text, size_t size);
/* The value of that name or REST word; NULL when there is none. */
const ProtobufCEnumValue *vts_json_find_enum(const ProtobufCEnumDescriptor *type,
                                             struct vts_str name);

#endif
