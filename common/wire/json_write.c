/* SPDX-License-Identifier: Apache-2.0 */
/* json_write.c - walks a message by its protobuf-c descriptor and writes ProtoJSON.
 *
 * Recursion follows the nesting of the message; what is written here was made by the caller or
 * went through a decoder that bounds depth.
 */
#include "common/wire/json_write.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/json_text.h"
#include "common/wire/base64.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

static enum vts_err write_message(struct vts_buf *buf, const ProtobufCMessage *message,
                                  enum vts_json_enums enums);

/* Appends the fraction of a second with 0, 3, 6 or 9 digits, as few as say it all. */
static void write_nanos(struct vts_buf *buf, int32_t nanos)
{
    if (nanos == 0)
        return;
    if (nanos % 1000000 == 0)
        vts_buf_append_format(buf, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0)
        vts_buf_append_format(buf, ".%06d", nanos / 1000);
    else
        vts_buf_append_format(buf, ".%09d", nanos);
}

static enum vts_err write_timestamp(struct vts_buf *buf, const Google__Protobuf__Timestamp *stamp)
{
    /* 0001-01-01T00:00:00Z to 9999-12-31T23:59:59Z. */
    const int64_t min_seconds = INT64_C(-62135596800);
    const int64_t max_seconds = INT64_C(253402300799);
    time_t seconds = (time_t)stamp->seconds;
    struct tm utc;

    if (stamp->seconds < min_seconds || stamp->seconds > max_seconds || stamp->nanos < 0 ||
        stamp->nanos > 999999999 || gmtime_r(&seconds, &utc) == NULL)
        return VTS_ERR_INVALID;
    vts_buf_append_format(buf, "\"%04d-%02d-%02dT%02d:%02d:%02d", utc.tm_year + 1900,
                          utc.tm_mon + 1, utc.tm_mday, utc.tm_hour, utc.tm_min, utc.tm_sec);
    write_nanos(buf, stamp->nanos);
    vts_buf_append_text(buf, "Z\"");
    return VTS_OK;
}

static enum vts_err write_duration(struct vts_buf *buf, const Google__Protobuf__Duration *duration)
{
    const int64_t max_seconds = INT64_C(315576000000);
    int64_t seconds = duration->seconds;
    int32_t nanos = duration->nanos;
    bool is_negative = seconds < 0 || nanos < 0;

    if (seconds < -max_seconds || seconds > max_seconds || nanos < -999999999 ||
        nanos > 999999999 || (seconds < 0 && nanos > 0) || (seconds > 0 && nanos < 0))
        return VTS_ERR_INVALID;
    vts_buf_append_format(buf, "\"%s%lld", is_negative ? "-" : "",
                          (long long)(seconds < 0 ? -seconds : seconds));
    write_nanos(buf, nanos < 0 ? -nanos : nanos);
    vts_buf_append_text(buf, "s\"");
    return VTS_OK;
}

static void write_base64(struct vts_buf *buf, const uint8_t *bytes, size_t len)
{
    vts_buf_append_text(buf, "\"");
    vts_base64_encode(buf, vts_str_make(bytes, len), VTS_BASE64_PADDED);
    vts_buf_append_text(buf, "\"");
}

static void write_any(struct vts_buf *buf, const Google__Protobuf__Any *any)
{
    vts_buf_append_text(buf, "{\"@type\":");
    vts_json_text_write(buf, vts_str_of(any->type_url));
    vts_buf_append_text(buf, ",\"value\":");
    write_base64(buf, any->value.data, any->value.len);
    vts_buf_append_text(buf, "}");
}

/* A program that uses the library may have a locale with another decimal point, of some bytes. */
static void undo_locale(char *text)
{
    char *out = text;

    for (const char *c = text; *c != '\0'; c++)
        if (strchr("0123456789+-e", *c) != NULL)
            *out++ = *c;
        else if (out == text || out[-1] != '.')
            *out++ = '.';
    *out = '\0';
}

/* The shortest decimal that reads back as the same value. */
static void write_number(struct vts_buf *buf, double value, bool is_float)
{
    char text[40];

    if (isnan(value) || isinf(value)) {
        vts_buf_append_text(buf, isnan(value) ? "\"NaN\""
                                 : value > 0  ? "\"Infinity\""
                                              : "\"-Infinity\"");
        return;
    }
    for (int digits = is_float ? 6 : 15; digits <= 17; digits++) {
        (void)snprintf(text, sizeof(text), "%.*g", digits, value);
        if (is_float ? strtof(text, NULL) == (float)value : strtod(text, NULL) == value)
            break;
    }
    undo_locale(text);
    vts_buf_append_text(buf, text);
}

/* ASCII only: the C library's own follow the locale, and in Turkish "id" is not "ID". */
static char upper(char c)
{
    return c >= 'a' && c <= 'z' ? (char)(c - 'a' + 'A') : c;
}

static char lower(char c)
{
    return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
}

/* "PendingReason" has the values "PENDING_REASON_...": the length of that prefix, or 0 when
 * value_name has another form. */
static size_t enum_prefix_len(const char *enum_name, const char *value_name)
{
    const char *at = value_name;

    for (const char *c = enum_name; *c != '\0'; c++) {
        if (c > enum_name && lower(*c) != *c && *at++ != '_')
            return 0;
        if (*at++ != upper(*c))
            return 0;
    }
    return at[0] == '_' && at[1] != '\0' ? (size_t)(at - value_name) + 1 : 0;
}

static void write_enum(struct vts_buf *buf, const ProtobufCEnumDescriptor *descriptor, int number,
                       enum vts_json_enums enums)
{
    const ProtobufCEnumValue *value = protobuf_c_enum_descriptor_get_value(descriptor, number);
    const char *word;

    if (value == NULL) {
        vts_buf_append_format(buf, "%d", number);
        return;
    }
    if (enums == VTS_JSON_ENUM_NAMES) {
        vts_buf_append_format(buf, "\"%s\"", value->name);
        return;
    }
    word = value->name + enum_prefix_len(descriptor->short_name, value->name);
    vts_buf_append_text(buf, "\"");
    for (; *word != '\0'; word++) {
        char c = lower(*word);

        vts_buf_append(buf, &c, 1);
    }
    vts_buf_append_text(buf, "\"");
}

static enum vts_err write_value(struct vts_buf *buf, const ProtobufCFieldDescriptor *field,
                                const void *at, enum vts_json_enums enums)
{
    switch (field->type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
        vts_buf_append_format(buf, "%d", *(const int32_t *)at);
        return VTS_OK;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
        vts_buf_append_format(buf, "%u", *(const uint32_t *)at);
        return VTS_OK;
    /* 64 bits travel as strings: a JSON number is a double to many readers. */
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
        vts_buf_append_format(buf, "\"%lld\"", (long long)*(const int64_t *)at);
        return VTS_OK;
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        vts_buf_append_format(buf, "\"%llu\"", (unsigned long long)*(const uint64_t *)at);
        return VTS_OK;
    case PROTOBUF_C_TYPE_FLOAT:
        write_number(buf, (double)*(const float *)at, true);
        return VTS_OK;
    case PROTOBUF_C_TYPE_DOUBLE:
        write_number(buf, *(const double *)at, false);
        return VTS_OK;
    case PROTOBUF_C_TYPE_BOOL:
        vts_buf_append_text(buf, *(const protobuf_c_boolean *)at ? "true" : "false");
        return VTS_OK;
    case PROTOBUF_C_TYPE_ENUM:
        write_enum(buf, field->descriptor, *(const int *)at, enums);
        return VTS_OK;
    case PROTOBUF_C_TYPE_STRING:
        vts_json_text_write(buf, vts_str_of(*(char *const *)at));
        return VTS_OK;
    case PROTOBUF_C_TYPE_BYTES:
        write_base64(buf, ((const ProtobufCBinaryData *)at)->data,
                     ((const ProtobufCBinaryData *)at)->len);
        return VTS_OK;
    case PROTOBUF_C_TYPE_MESSAGE:
        return write_message(buf, *(ProtobufCMessage *const *)at, enums);
    }
    return VTS_ERR_INVALID;
}

static size_t value_size(ProtobufCType type)
{
    switch (type) {
    case PROTOBUF_C_TYPE_INT32:
    case PROTOBUF_C_TYPE_SINT32:
    case PROTOBUF_C_TYPE_SFIXED32:
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_FLOAT:
    case PROTOBUF_C_TYPE_ENUM:
        return 4;
    case PROTOBUF_C_TYPE_BOOL:
        return sizeof(protobuf_c_boolean);
    case PROTOBUF_C_TYPE_INT64:
    case PROTOBUF_C_TYPE_SINT64:
    case PROTOBUF_C_TYPE_SFIXED64:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
    case PROTOBUF_C_TYPE_DOUBLE:
        return 8;
    case PROTOBUF_C_TYPE_STRING:
    case PROTOBUF_C_TYPE_MESSAGE:
        return sizeof(void *);
    case PROTOBUF_C_TYPE_BYTES:
        return sizeof(ProtobufCBinaryData);
    }
    return 0;
}

/* Whether a field without presence holds its default (proto3 implicit presence). */
static bool is_default(const ProtobufCFieldDescriptor *field, const void *at)
{
    static const char zeros[sizeof(ProtobufCBinaryData)];

    if (field->type == PROTOBUF_C_TYPE_STRING)
        return *(char *const *)at == NULL || **(char *const *)at == '\0';
    if (field->type == PROTOBUF_C_TYPE_BYTES)
        return ((const ProtobufCBinaryData *)at)->len == 0;
    return memcmp(at, zeros, value_size(field->type)) == 0;
}

static bool is_present(const ProtobufCFieldDescriptor *field, const char *base)
{
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        return *(const uint32_t *)(base + field->quantifier_offset) == field->id;
    if (field->label == PROTOBUF_C_LABEL_REPEATED)
        return *(const size_t *)(base + field->quantifier_offset) > 0;
    return !is_default(field, base + field->offset);
}

/* "poll_after" becomes "pollAfter". */
static void write_name(struct vts_buf *buf, const char *name)
{
    bool is_upper = false;

    vts_buf_append_text(buf, "\"");
    for (; *name != '\0'; name++) {
        char c = is_upper ? upper(*name) : *name;

        is_upper = *name == '_';
        if (!is_upper)
            vts_buf_append(buf, &c, 1);
    }
    vts_buf_append_text(buf, "\":");
}

static enum vts_err write_field(struct vts_buf *buf, const ProtobufCFieldDescriptor *field,
                                const char *base, enum vts_json_enums enums)
{
    const char *elements;
    size_t count;

    write_name(buf, field->name);
    if (field->label != PROTOBUF_C_LABEL_REPEATED)
        return write_value(buf, field, base + field->offset, enums);

    elements = *(const char *const *)(base + field->offset);
    count = *(const size_t *)(base + field->quantifier_offset);
    vts_buf_append_text(buf, "[");
    for (size_t i = 0; i < count; i++) {
        enum vts_err err;

        if (i > 0)
            vts_buf_append_text(buf, ",");
        err = write_value(buf, field, elements + i * value_size(field->type), enums);
        if (err != VTS_OK)
            return err;
    }
    vts_buf_append_text(buf, "]");
    return VTS_OK;
}

static enum vts_err write_message(struct vts_buf *buf, const ProtobufCMessage *message,
                                  enum vts_json_enums enums)
{
    const ProtobufCMessageDescriptor *descriptor = message->descriptor;
    bool is_first = true;

    if (descriptor == &google__protobuf__timestamp__descriptor)
        return write_timestamp(buf, (const Google__Protobuf__Timestamp *)message);
    if (descriptor == &google__protobuf__duration__descriptor)
        return write_duration(buf, (const Google__Protobuf__Duration *)message);
    if (descriptor == &google__protobuf__any__descriptor) {
        write_any(buf, (const Google__Protobuf__Any *)message);
        return VTS_OK;
    }

    vts_buf_append_text(buf, "{");
    for (unsigned i = 0; i < descriptor->n_fields; i++) {
        const ProtobufCFieldDescriptor *field = &descriptor->fields[i];
        enum vts_err err;

        if (!is_present(field, (const char *)message))
            continue;
        if (!is_first)
            vts_buf_append_text(buf, ",");
        is_first = false;
        err = write_field(buf, field, (const char *)message, enums);
        if (err != VTS_OK)
            return err;
    }
    vts_buf_append_text(buf, "}");
    return VTS_OK;
}

enum vts_err vts_json_write(struct vts_buf *buf, const ProtobufCMessage *message,
                            enum vts_json_enums enums)
{
    enum vts_err err = write_message(buf, message, enums);

    return err != VTS_OK ? err : vts_buf_check(buf);
}
