/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.c - walks a message by its protobuf-c descriptor and writes ProtoJSON.
 *
 * Recursion follows the nesting of messages, and struct vts_json_writer counts it. Types with a
 * form of their own are in json_write_special.c, maps in json_write_map.c.
 */
#include "common/base/json_text.h"
#include "common/base/mem.h"
#include "common/wire/base64.h"
#include "common/wire/json_number.h"
#include "common/wire/json_writer.h"

void vts_json_write_base64(struct vts_buf *buf, ProtobufCBinaryData bytes)
{
    vts_buf_append_text(buf, "\"");
    vts_base64_encode(buf, vts_str_make(bytes.data, bytes.len), VTS_BASE64_PADDED);
    vts_buf_append_text(buf, "\"");
}

static void write_enum(struct vts_json_writer *writer, const ProtobufCFieldDescriptor *field,
                       int number)
{
    const ProtobufCEnumDescriptor *type = field->descriptor;
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(type, number);

    if (vts_json_is_null_value(field)) {
        vts_buf_append_text(writer->buf, "null");
        return;
    }
    if (value == NULL) {
        vts_buf_append_format(writer->buf, "%d", number);
        return;
    }
    vts_buf_append_text(writer->buf, "\"");
    if (writer->options->enums == VTS_JSON_ENUM_NAMES)
        vts_buf_append_text(writer->buf, value->name);
    else
        vts_json_write_word(writer->buf, type, value);
    vts_buf_append_text(writer->buf, "\"");
}

/* A map's entry may come off the wire without its value, which is then an empty message. */
static enum vts_err write_missing_message(struct vts_json_writer *writer,
                                          const ProtobufCMessageDescriptor *type)
{
    ProtobufCMessage *message = vts_mem_alloc(type->sizeof_message);
    enum vts_err err;

    if (message == NULL)
        return VTS_ERR_NOMEM;
    protobuf_c_message_init(type, message);
    err = vts_json_write_message(writer, message);
    vts_mem_free(message);
    return err;
}

enum vts_err vts_json_write_value(struct vts_json_writer *writer,
                                  const ProtobufCFieldDescriptor *field, const void *at)
{
    struct vts_buf *buf = writer->buf;

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        vts_buf_append_format(buf, "%d", *(const int32_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        vts_buf_append_format(buf, "%u", *(const uint32_t *)at);
        break;
    /* 64 bits travel as strings: a JSON number is a double to many readers. */
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        vts_buf_append_format(buf, "\"%lld\"", (long long)*(const int64_t *)at);
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        vts_buf_append_format(buf, "\"%llu\"", (unsigned long long)*(const uint64_t *)at);
        break;
    case PROTOBUF_C_TYPE_FLOAT:
        vts_json_number_write(buf, (double)*(const float *)at, true);
        break;
    case PROTOBUF_C_TYPE_DOUBLE:
        vts_json_number_write(buf, *(const double *)at, false);
        break;
    case PROTOBUF_C_TYPE_BOOL:
        vts_buf_append_text(buf, *(const protobuf_c_boolean *)at ? "true" : "false");
        break;
    case PROTOBUF_C_TYPE_ENUM:
        write_enum(writer, field, *(const int *)at);
        break;
    case PROTOBUF_C_TYPE_STRING:
        vts_json_text_write(buf, vts_str_of(*(char *const *)at));
        break;
    case PROTOBUF_C_TYPE_BYTES:
        vts_json_write_base64(buf, *(const ProtobufCBinaryData *)at);
        break;
    case PROTOBUF_C_TYPE_MESSAGE:
        if (*(ProtobufCMessage *const *)at == NULL)
            return write_missing_message(writer, field->descriptor);
        return vts_json_write_message(writer, *(ProtobufCMessage *const *)at);
    }
    return VTS_OK;
}

/* Whether a field without presence holds its default (proto3 implicit presence). */
static bool is_default(const ProtobufCFieldDescriptor *field, const void *at)
{
    static const char zeros[sizeof(ProtobufCBinaryData)];

    if (field->type == PROTOBUF_C_TYPE_STRING)
        return *(char *const *)at == NULL || **(char *const *)at == '\0';
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)at)->len == 0;
    return memcmp(at, zeros, vts_json_value_size(field->type)) == 0;
}

static bool is_oneof_member(const ProtobufCFieldDescriptor *field)
{
    return (field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0;
}

bool vts_json_is_present(const ProtobufCFieldDescriptor *field, const ProtobufCMessage *message)
{
    const char *base = (const char *)message;

    if (is_oneof_member(field))
        return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(base + field->quantifier_offset) > 0;
    return !is_default(field, base + field->offset);
}

static bool has_presence(const ProtobufCFieldDescriptor *field)
{
    return is_oneof_member(field) ||
           (field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED);
}

enum vts_err vts_json_write_list(struct vts_json_writer *writer,
                                 const ProtobufCFieldDescriptor *field,
                                 const ProtobufCMessage *message)
{
    const char *elements = *(const char *const *)((const char *)message + field->offset);
    size_t count = *(const size_t *)((const char *)message + field->quantifier_offset);

    vts_buf_append_text(writer->buf, "[");
    for (size_t i = 0; i < count; i++) {
        enum vts_err err;

        if (i > 0)
            vts_buf_append_text(writer->buf, ",");
        err = vts_json_write_value(writer, field, elements + i * vts_json_value_size(field->type));
        if (err != VTS_OK)
            return err;
    }
    vts_buf_append_text(writer->buf, "]");
    return VTS_OK;
}

static enum vts_err write_field(struct vts_json_writer *writer,
                                const ProtobufCFieldDescriptor *field,
                                const struct vts_field_facts *facts,
                                const ProtobufCMessage *message)
{
    vts_buf_append_text(writer->buf, "\"");
    if (facts != NULL)
        vts_buf_append_text(writer->buf, facts->json_name);
    else
        vts_json_write_camel(writer->buf, field->name);
    vts_buf_append_text(writer->buf, "\":");
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return vts_json_write_value(writer, field, (const char *)message + field->offset);
    if (facts != NULL && facts->is_map)
        return vts_json_write_map(writer, field, message);
    return vts_json_write_list(writer, field, message);
}

enum vts_err vts_json_write_fields(struct vts_json_writer *writer, const ProtobufCMessage *message,
                                   bool is_first)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    const struct vts_message_facts *facts = vts_json_facts_of(writer->options->types, type);

    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        enum vts_err err;

        if (!vts_json_is_present(field, message) &&
            (!writer->options->with_defaults || has_presence(field)))
            continue;
        if (!is_first)
            vts_buf_append_text(writer->buf, ",");
        is_first = false;
        err = write_field(writer, field, vts_json_field_facts(facts, type, i), message);
        if (err != VTS_OK)
            return err;
    }
    return VTS_OK;
}

enum vts_err vts_json_write_message(struct vts_json_writer *writer, const ProtobufCMessage *message)
{
    enum vts_json_form form = vts_json_form_of(message->descriptor);
    enum vts_err err;

    if (writer->depth == VTS_JSON_MAX_WRITE_DEPTH)
        return VTS_ERR_LIMIT;
    writer->depth++;
    if (form != VTS_JSON_FORM_FIELDS) {
        err = vts_json_write_special(writer, form, message);
    } else {
        vts_buf_append_text(writer->buf, "{");
        err = vts_json_write_fields(writer, message, true);
        vts_buf_append_text(writer->buf, "}");
    }
    writer->depth--;
    return err;
}

enum vts_err vts_json_write(struct vts_buf *buf, const ProtobufCMessage *message,
                            const struct vts_json_write_options *options)
{
    static const struct vts_json_write_options no_options;
    struct vts_json_writer writer = {
        .buf = buf,
        .options = options == NULL ? &no_options : options,
    };
    enum vts_err err = vts_json_write_message(&writer, message);

    return err != VTS_OK ? err : vts_buf_check(buf);
}
