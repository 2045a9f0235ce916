/* SPDX-License-Identifier: Apache-2.0 */
/* json_read_value.c - one value of each type, and the keys of maps. */
#include <math.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "common/wire/base64.h"
#include "common/wire/json_number.h"
#include "common/wire/json_reader.h"

static struct vts_str text_of(const struct vts_json_token *token)
{
    return vts_str_make(token->text, token->len);
}

enum vts_err vts_json_read_text(struct vts_json_reader *reader, struct vts_str text,
                                char **ret_text)
{
    char *copy = vts_json_reader_alloc(reader, text.len + 1);

    if (copy == NULL)
        return VTS_ERR_NOMEM;
    memcpy(copy, text.ptr, text.len);
    *ret_text = copy;
    return VTS_OK;
}

enum vts_err vts_json_read_bytes(struct vts_json_reader *reader, struct vts_str base64,
                                 ProtobufCBinaryData *ret_bytes)
{
    struct vts_buf buf;
    enum vts_err err;
    uint8_t *copy;

    vts_buf_init(&buf, base64.len);
    err = vts_base64_decode(&buf, base64);
    if (err != VTS_OK) {
        vts_buf_fini(&buf);
        return err == VTS_ERR_NOMEM ? vts_error_set(reader->error, err, "out of memory")
                                    : vts_json_refuse(reader, "base64 is wanted");
    }
    if (buf.len > 0) {
        copy = vts_json_reader_alloc(reader, buf.len);
        err = copy == NULL ? VTS_ERR_NOMEM : VTS_OK;
        if (copy != NULL) {
            memcpy(copy, buf.ptr, buf.len);
            *ret_bytes = (ProtobufCBinaryData){.len = buf.len, .data = copy};
        }
    }
    vts_buf_fini(&buf);
    return err;
}

/* An integer in two's complement, when it lies in the range of its type. */
static enum vts_err read_integer(struct vts_json_reader *reader, struct vts_str text,
                                 ProtobufCType type, uint64_t *ret_value)
{
    struct vts_json_integer integer;
    uint64_t max;
    bool is_signed = true;

    switch (type) {
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        is_signed = false;
        max = UINT32_MAX;
        break;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        is_signed = false;
        max = UINT64_MAX;
        break;
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        max = INT64_MAX;
        break;
    default: /* the signed ones of 32 bits, and enums */
        max = INT32_MAX;
        break;
    }
    if (vts_json_number_to_integer(text, &integer) != VTS_OK)
        return vts_json_refuse(reader, "an integer is wanted");
    if (integer.is_negative && integer.magnitude > 0)
        max = is_signed ? max + 1 : 0;
    if (integer.magnitude > max)
        return vts_json_refuse(reader, "the integer is out of range");
    *ret_value = integer.is_negative ? 0 - integer.magnitude : integer.magnitude;
    return VTS_OK;
}

/* Stores an integer of 4 or 8 bytes. */
static void store_integer(ProtobufCType type, uint64_t value, void *to)
{
    uint32_t low = (uint32_t)value;

    if (vts_json_value_size(type) == sizeof(low))
        memcpy(to, &low, sizeof(low));
    else
        memcpy(to, &value, sizeof(value));
}

static enum vts_err read_integer_value(struct vts_json_reader *reader,
                                       const ProtobufCFieldDescriptor *field,
                                       const struct vts_json_token *token, void *to)
{
    uint64_t value = 0;
    enum vts_err err;

    if (token->kind != VTS_JSON_NUMBER && token->kind != VTS_JSON_STRING)
        return vts_json_refuse(reader, "an integer is wanted");
    err = read_integer(reader, text_of(token), field->type, &value);
    if (err == VTS_OK)
        store_integer(field->type, value, to);
    return err;
}

static bool read_not_finite(struct vts_str text, double *ret_value)
{
    if (vts_str_equals_text(text, "NaN"))
        *ret_value = (double)NAN;
    else if (vts_str_equals_text(text, "Infinity"))
        *ret_value = HUGE_VAL;
    else if (vts_str_equals_text(text, "-Infinity"))
        *ret_value = -HUGE_VAL;
    else
        return false;
    return true;
}

static enum vts_err read_real(struct vts_json_reader *reader, const ProtobufCFieldDescriptor *field,
                              const struct vts_json_token *token, void *to)
{
    bool is_float = field->type == PROTOBUF_C_TYPE_FLOAT;
    double value = 0;
    enum vts_err err = VTS_OK;

    if (token->kind != VTS_JSON_NUMBER && token->kind != VTS_JSON_STRING)
        return vts_json_refuse(reader, "a number is wanted");
    if (token->kind != VTS_JSON_STRING || !read_not_finite(text_of(token), &value))
        err = vts_json_number_to_double(text_of(token), is_float, &value);
    if (err != VTS_OK)
        return vts_json_refuse(reader, "a number in its type's range is wanted");
    if (is_float)
        *(float *)to = (float)value;
    else
        *(double *)to = value;
    return VTS_OK;
}

static enum vts_err read_bool(struct vts_json_reader *reader, const struct vts_json_token *token,
                              void *to)
{
    if (token->kind != VTS_JSON_TRUE && token->kind != VTS_JSON_FALSE)
        return vts_json_refuse(reader, "true or false is wanted");
    *(protobuf_c_boolean *)to = token->kind == VTS_JSON_TRUE;
    return VTS_OK;
}

static enum vts_err read_enum(struct vts_json_reader *reader, const ProtobufCFieldDescriptor *field,
                              const struct vts_json_token *token, void *to)
{
    const ProtobufCEnumValue *value;
    char wanted[VTS_JSON_ENUM_TEXT_BYTES];

    if (token->kind == VTS_JSON_NUMBER)
        return read_integer_value(reader, field, token, to);
    if (token->kind == VTS_JSON_NULL && vts_json_is_null_value(field))
        return VTS_OK;
    if (token->kind != VTS_JSON_STRING)
        return vts_json_refuse(reader, "the name or number of an enum value is wanted");
    value = vts_json_find_enum(field->descriptor, text_of(token));
    if (value == NULL && reader->options->ignore_unknown)
        return VTS_ERR_NOT_FOUND;
    if (value == NULL) {
        vts_json_describe_enum(field->descriptor, wanted, sizeof(wanted));
        return vts_json_refuse(reader, wanted);
    }
    store_integer(field->type, (uint64_t)value->value, to);
    return VTS_OK;
}

enum vts_err vts_json_read_value(struct vts_json_reader *reader,
                                 const ProtobufCFieldDescriptor *field, uint32_t at, void *to)
{
    const struct vts_json_token *token = vts_json_token_at(reader, at);

    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return read_integer_value(reader, field, token, to);
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_DOUBLE:
        return read_real(reader, field, token, to);
    case PROTOBUF_C_TYPE_BOOL:
        return read_bool(reader, token, to);
    case PROTOBUF_C_TYPE_ENUM:
        return read_enum(reader, field, token, to);
    case PROTOBUF_C_TYPE_STRING:
        return token->kind == VTS_JSON_STRING ? vts_json_read_text(reader, text_of(token), to)
                                              : vts_json_refuse(reader, "a string is wanted");
    case PROTOBUF_C_TYPE_BYTES:
        return token->kind == VTS_JSON_STRING ? vts_json_read_bytes(reader, text_of(token), to)
                                              : vts_json_refuse(reader, "base64 is wanted");
    case PROTOBUF_C_TYPE_MESSAGE:
        return vts_json_read_message(reader, field->descriptor, at, to);
    }
    VTS_UNREACHABLE();
}

/* Whether an integer is written in the one way that a map's key is: so two texts are two keys. */
static bool is_plain_integer(struct vts_str text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!(text.ptr[i] >= '0' && text.ptr[i] <= '9') && !(text.ptr[i] == '-' && i == 0))
            return false;
    return !vts_str_equals_text(text, "-0");
}

enum vts_err vts_json_read_key(struct vts_json_reader *reader,
                               const ProtobufCFieldDescriptor *field, struct vts_str text, void *to)
{
    uint64_t value = 0;
    enum vts_err err;

    if (field->type == PROTOBUF_C_TYPE_STRING)
        return vts_json_read_text(reader, text, to);
    if (field->type == PROTOBUF_C_TYPE_BOOL) {
        if (!vts_str_equals_text(text, "true") && !vts_str_equals_text(text, "false"))
            return vts_json_refuse(reader, "the key \"true\" or \"false\" is wanted");
        *(protobuf_c_boolean *)to = text.len == 4;
        return VTS_OK;
    }
    if (!is_plain_integer(text))
        return vts_json_refuse(reader, "an integer as key is wanted");
    err = read_integer(reader, text, field->type, &value);
    if (err == VTS_OK)
        store_integer(field->type, value, to);
    return err;
}
