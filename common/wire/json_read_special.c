/* SPDX-License-Identifier: Apache-2.0 */
/* json_read_special.c - the well-known types whose JSON is not an object of their fields. */
#include "common/base/assert.h"
#include "common/wire/json_number.h"
#include "common/wire/json_reader.h"
#include "common/wire/json_time.h"
#include "common/wire/message_limit.h"
#include "google/protobuf/any.pb-c.h"
#include "google/protobuf/duration.pb-c.h"
#include "google/protobuf/field_mask.pb-c.h"
#include "google/protobuf/struct.pb-c.h"
#include "google/protobuf/timestamp.pb-c.h"

static struct vts_str text_of(const struct vts_json_token *token)
{
    return vts_str_make(token->text, token->len);
}

static enum vts_err read_timestamp(struct vts_json_reader *reader,
                                   const struct vts_json_token *token,
                                   Google__Protobuf__Timestamp *stamp)
{
    struct vts_json_time time;

    if (token->kind != VTS_JSON_STRING || vts_json_timestamp_read(text_of(token), &time) != VTS_OK)
        return vts_json_refuse(reader, "a time as in \"2024-01-02T03:04:05Z\" is wanted");
    stamp->seconds = time.seconds;
    stamp->nanos = time.nanos;
    return VTS_OK;
}

static enum vts_err read_duration(struct vts_json_reader *reader,
                                  const struct vts_json_token *token,
                                  Google__Protobuf__Duration *span)
{
    struct vts_json_time time;

    if (token->kind != VTS_JSON_STRING || vts_json_duration_read(text_of(token), &time) != VTS_OK)
        return vts_json_refuse(reader, "a duration as in \"1.5s\" is wanted");
    span->seconds = time.seconds;
    span->nanos = time.nanos;
    return VTS_OK;
}

/* Bytes of a path in the message; 0 when it is none. "fooBar" becomes "foo_bar". */
static size_t path_len(struct vts_str path)
{
    size_t len = 0;
    char last = '.';

    for (size_t i = 0; i < path.len; last = path.ptr[i++]) {
        char c = path.ptr[i];
        bool is_upper = c >= 'A' && c <= 'Z';

        if (!is_upper && !(c >= 'a' && c <= 'z') && !(c >= '0' && c <= '9') &&
            !(c == '.' && last != '.'))
            return 0;
        len += is_upper ? 2 : 1;
    }
    return last == '.' ? 0 : len;
}

static enum vts_err read_path(struct vts_json_reader *reader, struct vts_str path, char **ret_path)
{
    size_t len = path_len(path);
    char *out;

    if (len == 0)
        return vts_json_refuse(reader, "paths as in \"fooBar,baz\" are wanted");
    out = vts_json_reader_alloc(reader, len + 1);
    if (out == NULL)
        return VTS_ERR_NOMEM;
    *ret_path = out;
    for (size_t i = 0; i < path.len; i++) {
        bool is_upper = path.ptr[i] >= 'A' && path.ptr[i] <= 'Z';

        if (is_upper)
            *out++ = '_';
        *out++ = is_upper ? (char)(path.ptr[i] - 'A' + 'a') : path.ptr[i];
    }
    return VTS_OK;
}

static enum vts_err read_field_mask(struct vts_json_reader *reader,
                                    const struct vts_json_token *token,
                                    Google__Protobuf__FieldMask *mask)
{
    struct vts_str rest = text_of(token);
    struct vts_str path;
    size_t count = 1;
    enum vts_err err = VTS_OK;

    if (token->kind != VTS_JSON_STRING)
        return vts_json_refuse(reader, "a string is wanted");
    if (rest.len == 0)
        return VTS_OK;
    for (size_t i = 0; i < rest.len; i++)
        count += rest.ptr[i] == ',' ? 1 : 0;
    /* They are elements as those of an array are. */
    if (count > reader->options->max_values) {
        (void)vts_error_set(reader->error, VTS_ERR_LIMIT, "a mask of more than %zu paths",
                            reader->options->max_values); /* returned below */
        return vts_message_limit_met(reader->error, VTS_MESSAGE_LIMIT_ELEMENTS);
    }
    mask->paths = vts_json_reader_alloc(reader, count * sizeof(*mask->paths));
    if (mask->paths == NULL)
        return VTS_ERR_NOMEM;
    while (err == VTS_OK && vts_str_split(&rest, ',', &path)) {
        err = read_path(reader, path, &mask->paths[mask->n_paths]);
        if (err == VTS_OK)
            mask->n_paths++;
    }
    return err;
}

static enum vts_err read_number(struct vts_json_reader *reader, const struct vts_json_token *token,
                                double *ret_value)
{
    if (vts_json_number_to_double(text_of(token), false, ret_value) != VTS_OK)
        return vts_json_refuse(reader, "the number is out of range");
    return VTS_OK;
}

/* The member of a Value that a kind of JSON is. */
static Google__Protobuf__Value__KindCase value_kind(enum vts_json_kind kind)
{
    switch (kind) {
    case VTS_JSON_OBJECT:
        return GOOGLE__PROTOBUF__VALUE__KIND_STRUCT_VALUE;
    case VTS_JSON_ARRAY:
        return GOOGLE__PROTOBUF__VALUE__KIND_LIST_VALUE;
    case VTS_JSON_STRING:
        return GOOGLE__PROTOBUF__VALUE__KIND_STRING_VALUE;
    case VTS_JSON_NUMBER:
        return GOOGLE__PROTOBUF__VALUE__KIND_NUMBER_VALUE;
    case VTS_JSON_TRUE:
    case VTS_JSON_FALSE:
        return GOOGLE__PROTOBUF__VALUE__KIND_BOOL_VALUE;
    case VTS_JSON_NULL:
        return GOOGLE__PROTOBUF__VALUE__KIND_NULL_VALUE;
    }
    VTS_UNREACHABLE();
}

static enum vts_err read_any_value(struct vts_json_reader *reader, uint32_t at,
                                   Google__Protobuf__Value *value)
{
    const struct vts_json_token *token = vts_json_token_at(reader, at);
    Google__Protobuf__Value__KindCase kind = value_kind(token->kind);
    const ProtobufCFieldDescriptor *field =
        protobuf_c_message_descriptor_get_field(value->base.descriptor, (unsigned)kind);
    void *to = (char *)value + field->offset;

    memset(to, 0, vts_json_value_size(field->type));
    value->kind_case = kind;
    if (token->kind == VTS_JSON_NUMBER)
        return read_number(reader, token, to);
    return vts_json_read_value(reader, field, at, to);
}

/* The value of an object's member; NULL when there is none. */
static const struct vts_json_token *find_member(const struct vts_json_reader *reader, uint32_t at,
                                                const char *name)
{
    const struct vts_json_token *object = vts_json_token_at(reader, at);

    for (uint32_t i = at + 1; i < object->end; i = vts_json_token_at(reader, i + 1)->end)
        if (vts_str_equals_text(text_of(vts_json_token_at(reader, i)), name))
            return vts_json_token_at(reader, i + 1);
    return NULL;
}

/* The message an Any holds: in the member "value" when it has a form of its own, otherwise in all
 * members but "@type". */
static enum vts_err read_any_content(struct vts_json_reader *reader,
                                     const ProtobufCMessageDescriptor *type, uint32_t at,
                                     ProtobufCMessage **ret_content)
{
    const struct vts_json_token *value = find_member(reader, at, "value");
    ProtobufCMessage *content;
    enum vts_err err;

    if (vts_json_form_of(type) != VTS_JSON_FORM_FIELDS) {
        if (value == NULL ||
            (vts_json_token_at(reader, at)->count != 2 && !reader->options->ignore_unknown))
            return vts_json_refuse(reader, "\"value\" beside \"@type\" is wanted");
        return vts_json_read_message(reader, type, (uint32_t)(value - reader->doc.tokens),
                                     ret_content);
    }
    content = vts_json_reader_alloc(reader, type->sizeof_message);
    if (content == NULL)
        return VTS_ERR_NOMEM;
    protobuf_c_message_init(type, content);
    err = vts_json_read_fields(reader, content, at, "@type");
    if (err == VTS_OK)
        *ret_content = content;
    else
        protobuf_c_message_free_unpacked(content, reader->allocator);
    return err;
}

static enum vts_err pack_content(struct vts_json_reader *reader, const ProtobufCMessage *content,
                                 ProtobufCBinaryData *ret_bytes)
{
    size_t len = protobuf_c_message_get_packed_size(content);

    if (len == 0)
        return VTS_OK;
    ret_bytes->data = vts_json_reader_alloc(reader, len);
    if (ret_bytes->data == NULL)
        return VTS_ERR_NOMEM;
    ret_bytes->len = protobuf_c_message_pack(content, ret_bytes->data);
    return VTS_OK;
}

/* An Any of a type that is not known, as the writer's any_as_bytes has it. */
static enum vts_err read_any_bytes(struct vts_json_reader *reader, uint32_t at,
                                   Google__Protobuf__Any *any)
{
    const struct vts_json_token *value = find_member(reader, at, "value");

    if (!reader->options->any_as_bytes)
        return vts_json_refuse(reader, "its \"@type\" is not known here");
    if (value == NULL || value->kind != VTS_JSON_STRING ||
        vts_json_token_at(reader, at)->count != 2)
        return vts_json_refuse(reader, "\"value\" in base64 is wanted");
    return vts_json_read_bytes(reader, text_of(value), &any->value);
}

static enum vts_err read_any(struct vts_json_reader *reader, uint32_t at,
                             Google__Protobuf__Any *any)
{
    const struct vts_json_token *object = vts_json_token_at(reader, at);
    const struct vts_json_token *type_url =
        object->kind == VTS_JSON_OBJECT ? find_member(reader, at, "@type") : NULL;
    const ProtobufCMessageDescriptor *type;
    ProtobufCMessage *content = NULL;
    enum vts_err err;

    if (object->kind == VTS_JSON_OBJECT && object->count == 0)
        return VTS_OK;
    if (type_url == NULL || type_url->kind != VTS_JSON_STRING)
        return vts_json_refuse(reader, "an object with \"@type\" is wanted");
    err = vts_json_read_text(reader, text_of(type_url), &any->type_url);
    if (err != VTS_OK)
        return err;
    type = vts_json_find_any(reader->options->types, text_of(type_url));
    if (type == NULL)
        return read_any_bytes(reader, at, any);
    err = read_any_content(reader, type, at, &content);
    if (err != VTS_OK)
        return err;
    err = pack_content(reader, content, &any->value);
    protobuf_c_message_free_unpacked(content, reader->allocator);
    return err;
}

enum vts_err vts_json_read_special(struct vts_json_reader *reader, enum vts_json_form form,
                                   uint32_t at, ProtobufCMessage *message)
{
    const struct vts_json_token *token = vts_json_token_at(reader, at);
    const ProtobufCFieldDescriptor *first = &message->descriptor->fields[0];

    switch (form) {
    case VTS_JSON_FORM_ANY:
        return read_any(reader, at, (Google__Protobuf__Any *)message);
    case VTS_JSON_FORM_DURATION:
        return read_duration(reader, token, (Google__Protobuf__Duration *)message);
    case VTS_JSON_FORM_FIELD_MASK:
        return read_field_mask(reader, token, (Google__Protobuf__FieldMask *)message);
    case VTS_JSON_FORM_LIST_VALUE:
        return vts_json_read_list(reader, first, at, message);
    case VTS_JSON_FORM_STRUCT:
        return vts_json_read_map(reader, first, at, message);
    case VTS_JSON_FORM_TIMESTAMP:
        return read_timestamp(reader, token, (Google__Protobuf__Timestamp *)message);
    case VTS_JSON_FORM_VALUE:
        return read_any_value(reader, at, (Google__Protobuf__Value *)message);
    case VTS_JSON_FORM_WRAPPER:
        return vts_json_read_value(reader, first, at, (char *)message + first->offset);
    case VTS_JSON_FORM_FIELDS:
        break;
    }
    VTS_UNREACHABLE();
}
