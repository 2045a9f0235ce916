/* SPDX-License-Identifier: Apache-2.0 */
/* json_query.c - from "state=pending&state=running&page_size=10" to
 * {"states":["pending","running"],"page_size":"10"}.
 *
 * JSON has a reader that knows every type, names and words of enums among them, and takes most
 * values as strings. So only true, false and numbers of enums are written otherwise.
 */
#include "common/wire/json_query.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/json_text.h"
#include "common/base/utf8.h"
#include "common/wire/json_types.h"
#include "common/wire/percent.h"

enum {
    NAME_IN_ERROR_MAX = 64,
    FIELDS_MAX = 64,
    ENUM_DIGITS_MAX = 10, /* of 32 bits; readers of JSON refuse numbers that are much longer */
};

struct parameter {
    struct vts_str name;
    struct vts_str value; /* percent-encoded */
};

struct writer {
    const struct vts_message_facts *facts;
    const ProtobufCMessageDescriptor *type;
    uint64_t written; /* bits of the fields that are */
    struct vts_buf *out;
    struct vts_error *error;
};

/* The next parameter that is not empty; false when there is none. */
static bool next_parameter(struct vts_str *rest, struct parameter *ret_parameter)
{
    struct vts_str part;

    while (vts_str_split(rest, '&', &part)) {
        if (part.len == 0)
            continue;
        (void)vts_str_split(&part, '=', &ret_parameter->name); /* there is something */
        ret_parameter->value = part.ptr == NULL ? vts_str_of("") : part;
        return true;
    }
    return false;
}

/* A name that is no text to be shown is left out. */
static enum vts_err refuse(struct vts_error *error, struct vts_str name, const char *why)
{
    int len = name.len < NAME_IN_ERROR_MAX ? (int)name.len : NAME_IN_ERROR_MAX;

    for (int i = 0; i < len; i++)
        if (name.ptr[i] < 0x20 || name.ptr[i] > 0x7e)
            return vts_error_set(error, VTS_ERR_INVALID, "in the query: %s", why);
    return vts_error_set(error, VTS_ERR_INVALID, "%.*s, in the query: %s", len, name.ptr, why);
}

/* ---- fields ---------------------------------------------------------------------------- */

static bool is_list(const ProtobufCFieldDescriptor *field)
{
    return field->label == PROTOBUF_C_LABEL_REPEATED;
}

/* "state" for "states": what a list's values are called one by one. */
static const ProtobufCFieldDescriptor *find_list(const ProtobufCMessageDescriptor *type,
                                                 struct vts_str name)
{
    for (unsigned i = 0; i < type->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &type->fields[i];
        size_t len = strlen(field->name);

        if (is_list(field) && len > 1 && field->name[len - 1] == 's' &&
            vts_str_equals(name, vts_str_make(field->name, len - 1)))
            return field;
    }
    return NULL;
}

static const ProtobufCFieldDescriptor *find_field(const struct writer *writer, struct vts_str name)
{
    const ProtobufCFieldDescriptor *field = vts_json_find_field(writer->facts, writer->type, name);

    return field != NULL ? field : find_list(writer->type, name);
}

/* Whether the field is to be written, which it is once. */
static bool is_first(struct writer *writer, const ProtobufCFieldDescriptor *field)
{
    uint64_t bit = (uint64_t)1 << (field - writer->type->fields);
    bool is_new = (writer->written & bit) == 0;

    writer->written |= bit;
    return is_new;
}

/* ---- values ---------------------------------------------------------------------------- */

static bool is_bare(const ProtobufCFieldDescriptor *field, struct vts_str value)
{
    if (field->type == PROTOBUF_C_TYPE_BOOL)
        return vts_str_equals_text(value, "true") || vts_str_equals_text(value, "false");
    if (field->type != PROTOBUF_C_TYPE_ENUM || value.len == 0 || value.len > ENUM_DIGITS_MAX)
        return false;
    for (size_t i = 0; i < value.len; i++)
        if (value.ptr[i] < '0' || value.ptr[i] > '9')
            return false;
    return value.len == 1 || value.ptr[0] != '0'; /* which would be no JSON */
}

/* Here the parameter can be named as it was written; the reader knows it as an item of a list. */
static enum vts_err check_enum(const struct writer *writer, const ProtobufCFieldDescriptor *field,
                               struct vts_str name, struct vts_str value)
{
    char wanted[VTS_JSON_ENUM_TEXT_BYTES];

    if (field->type != PROTOBUF_C_TYPE_ENUM || vts_json_find_enum(field->descriptor, value) != NULL)
        return VTS_OK;
    vts_json_describe_enum(field->descriptor, wanted, sizeof(wanted));
    return refuse(writer->error, name, wanted);
}

static enum vts_err write_value(struct writer *writer, const ProtobufCFieldDescriptor *field,
                                const struct parameter *parameter)
{
    struct vts_buf value;
    struct vts_str text;
    enum vts_err err;

    vts_buf_init(&value, parameter->value.len);
    err = vts_percent_decode_query(&value, parameter->value);
    text = vts_buf_str(&value);
    if (err == VTS_ERR_PROTOCOL || (err == VTS_OK && !vts_utf8_is_c_string(text)))
        err = refuse(writer->error, parameter->name, "percent-encoded UTF-8 is wanted");
    else if (err == VTS_OK && !is_bare(field, text))
        err = check_enum(writer, field, parameter->name, text);
    if (err == VTS_OK && is_bare(field, text))
        vts_buf_append_str(writer->out, text);
    else if (err == VTS_OK)
        vts_json_text_write(writer->out, text);
    vts_buf_fini(&value);
    return err;
}

/* The field with all its values: the first, and those in the parameters behind it. */
static enum vts_err write_field(struct writer *writer, const ProtobufCFieldDescriptor *field,
                                struct parameter parameter, struct vts_str rest)
{
    enum vts_err err;

    vts_json_text_write(writer->out, vts_str_of(field->name));
    vts_buf_append_text(writer->out, is_list(field) ? ":[" : ":");
    err = write_value(writer, field, &parameter);
    while (err == VTS_OK && next_parameter(&rest, &parameter)) {
        if (find_field(writer, parameter.name) != field)
            continue;
        if (!is_list(field))
            return refuse(writer->error, parameter.name, "the parameter is there twice");
        vts_buf_append_text(writer->out, ",");
        err = write_value(writer, field, &parameter);
    }
    if (is_list(field))
        vts_buf_append_text(writer->out, "]");
    return err;
}

enum vts_err vts_json_query_write(struct vts_buf *buf, struct vts_str query,
                                  const ProtobufCMessageDescriptor *type,
                                  const struct vts_json_types *types, struct vts_error *error)
{
    struct writer writer = {
        .facts = vts_json_facts_of(types, type), .type = type, .out = buf, .error = error};
    struct parameter parameter;
    enum vts_err err = VTS_OK;

    VTS_ASSERT(type->n_fields <= FIELDS_MAX);
    vts_buf_append_text(buf, "{");
    while (err == VTS_OK && next_parameter(&query, &parameter)) {
        const ProtobufCFieldDescriptor *field = find_field(&writer, parameter.name);

        if (field == NULL)
            return refuse(error, parameter.name, "there is no such parameter");
        if (!is_first(&writer, field))
            continue;
        if ((writer.written & (writer.written - 1)) != 0) /* it is not the only one */
            vts_buf_append_text(buf, ",");
        err = write_field(&writer, field, parameter, query);
    }
    vts_buf_append_text(buf, "}");
    return err != VTS_OK ? err : vts_buf_check(buf);
}
