/* SPDX-License-Identifier: Apache-2.0 */
/* json_write_special.c - the well-known types whose JSON is not an object of their fields. */
#include <math.h>

#include "common/base/assert.h"
#include "common/base/json_text.h"
#include "common/wire/json_any.h"
#include "common/wire/json_time.h"
#include "common/wire/json_writer.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

static enum vts_err write_timestamp(struct vts_buf *buf, const Google__Protobuf__Timestamp *stamp)
{
    return vts_json_timestamp_write(buf, (struct vts_json_time){stamp->seconds, stamp->nanos});
}

static enum vts_err write_duration(struct vts_buf *buf, const Google__Protobuf__Duration *span)
{
    return vts_json_duration_write(buf, (struct vts_json_time){span->seconds, span->nanos});
}

/* Appends "foo_bar.baz" as "fooBar.baz"; false when that could not be read back. */
static bool write_path(struct vts_buf *buf, const char *path)
{
    char last = '.';

    for (const char *c = path; *c != '\0'; last = *c++) {
        bool is_lower = *c >= 'a' && *c <= 'z';
        char out = last == '_' ? (char)(*c - 'a' + 'A') : *c;

        if (last == '_' ? !is_lower
                        : !is_lower && *c != '_' && !(*c == '.' && last != '.') &&
                              !(*c >= '0' && *c <= '9'))
            return false;
        if (*c != '_')
            vts_buf_append(buf, &out, 1);
    }
    return last != '.' && last != '_';
}

static enum vts_err write_field_mask(struct vts_buf *buf, const Google__Protobuf__FieldMask *mask)
{
    vts_buf_append_text(buf, "\"");
    for (size_t i = 0; i < mask->n_paths; i++) {
        if (i > 0)
            vts_buf_append_text(buf, ",");
        if (!write_path(buf, mask->paths[i]))
            return VTS_ERR_INVALID;
    }
    vts_buf_append_text(buf, "\"");
    return VTS_OK;
}

/* A Value in which nothing is set is written as null too, as other implementations do. */
static enum vts_err write_any_value(struct vts_json_writer *writer,
                                    const Google__Protobuf__Value *value)
{
    const ProtobufCMessageDescriptor *type = value->base.descriptor;

    if (value->kind_case == GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE &&
        !isfinite(value->number_value))
        return VTS_ERR_INVALID;
    for (unsigned i = 0; i < type->n_fields; i++)
        if (vts_json_is_present(&type->fields[i], &value->base))
            return vts_json_write_value(writer, &type->fields[i],
                                        (const char *)value + type->fields[i].offset);
    vts_buf_append_text(writer->buf, "null");
    return VTS_OK;
}

static void write_type_url(struct vts_buf *buf, const char *type_url)
{
    vts_buf_append_text(buf, "{\"@type\":");
    vts_json_text_write(buf, vts_str_of(type_url));
}

static enum vts_err write_known_any(struct vts_json_writer *writer,
                                    const Google__Protobuf__Any *any,
                                    const ProtobufCMessageDescriptor *type)
{
    struct vts_json_any_content content;
    enum vts_err err =
        vts_json_any_unpack(type, any->value, VTS_JSON_MAX_WRITE_DEPTH - writer->depth, &content);

    if (err != VTS_OK)
        return err;
    write_type_url(writer->buf, any->type_url);
    if (vts_json_form_of(type) == VTS_JSON_FORM_FIELDS) {
        err = vts_json_write_fields(writer, content.message, false);
    } else {
        vts_buf_append_text(writer->buf, ",\"value\":");
        err = vts_json_write_message(writer, content.message);
    }
    vts_buf_append_text(writer->buf, "}");
    vts_json_any_free(&content);
    return err;
}

static enum vts_err write_any_as_bytes(struct vts_json_writer *writer,
                                       const Google__Protobuf__Any *any)
{
    write_type_url(writer->buf, any->type_url);
    vts_buf_append_text(writer->buf, ",\"value\":");
    vts_json_write_base64(writer->buf, any->value);
    vts_buf_append_text(writer->buf, "}");
    return VTS_OK;
}

static enum vts_err write_any(struct vts_json_writer *writer, const Google__Protobuf__Any *any)
{
    struct vts_str type_url = vts_str_of(any->type_url);
    const ProtobufCMessageDescriptor *type = vts_json_find_any(writer->options->types, type_url);
    size_t len = writer->buf->len;
    enum vts_err err = VTS_ERR_NOT_FOUND;

    if (type_url.len == 0 && any->value.len == 0) {
        vts_buf_append_text(writer->buf, "{}");
        return VTS_OK;
    }
    if (type != NULL)
        err = write_known_any(writer, any, type);
    if (!writer->options->any_as_bytes || (err != VTS_ERR_NOT_FOUND && err != VTS_ERR_INVALID))
        return err;
    writer->buf->len = len; /* without what there was before it turned out to be none */
    return write_any_as_bytes(writer, any);
}

enum vts_err vts_json_write_special(struct vts_json_writer *writer, enum vts_json_form form,
                                    const ProtobufCMessage *message)
{
    const ProtobufCFieldDescriptor *first = &message->descriptor->fields[0];

    switch (form) {
    case VTS_JSON_FORM_ANY:
        return write_any(writer, (const Google__Protobuf__Any *)message);
    case VTS_JSON_FORM_DURATION:
        return write_duration(writer->buf, (const Google__Protobuf__Duration *)message);
    case VTS_JSON_FORM_FIELD_MASK:
        return write_field_mask(writer->buf, (const Google__Protobuf__FieldMask *)message);
    case VTS_JSON_FORM_LIST_VALUE:
        return vts_json_write_list(writer, first, message);
    case VTS_JSON_FORM_STRUCT:
        return vts_json_write_map(writer, first, message);
    case VTS_JSON_FORM_TIMESTAMP:
        return write_timestamp(writer->buf, (const Google__Protobuf__Timestamp *)message);
    case VTS_JSON_FORM_VALUE:
        return write_any_value(writer, (const Google__Protobuf__Value *)message);
    case VTS_JSON_FORM_WRAPPER:
        return vts_json_write_value(writer, first, (const char *)message + first->offset);
    case VTS_JSON_FORM_FIELDS:
        break;
    }
    VTS_UNREACHABLE();
}
