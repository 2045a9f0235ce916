/* SPDX-License-Identifier: Apache-2.0 */
/* json_types.c - names, forms and sizes, by descriptor. */
#include "common/wire/json_types.h"

#include <stdio.h>

#include "common/base/assert.h"

enum vts_json_form vts_json_form_of(const ProtobufCMessageDescriptor *type)
{
    static const struct {
        const char *name;
        enum vts_json_form form;
    } forms[] = {
        {"Any", VTS_JSON_FORM_ANY},
        {"BoolValue", VTS_JSON_FORM_WRAPPER},
        {"BytesValue", VTS_JSON_FORM_WRAPPER},
        {"DoubleValue", VTS_JSON_FORM_WRAPPER},
        {"Duration", VTS_JSON_FORM_DURATION},
        {"FieldMask", VTS_JSON_FORM_FIELD_MASK},
        {"FloatValue", VTS_JSON_FORM_WRAPPER},
        {"Int32Value", VTS_JSON_FORM_WRAPPER},
        {"Int64Value", VTS_JSON_FORM_WRAPPER},
        {"ListValue", VTS_JSON_FORM_LIST_VALUE},
        {"StringValue", VTS_JSON_FORM_WRAPPER},
        {"Struct", VTS_JSON_FORM_STRUCT},
        {"Timestamp", VTS_JSON_FORM_TIMESTAMP},
        {"UInt32Value", VTS_JSON_FORM_WRAPPER},
        {"UInt64Value", VTS_JSON_FORM_WRAPPER},
        {"Value", VTS_JSON_FORM_VALUE},
    };

    if (strcmp(type->package_name, "google.protobuf") != 0)
        return VTS_JSON_FORM_FIELDS;
    for (size_t i = 0; i < VTS_ARRAY_LEN(forms); i++)
        if (strcmp(type->name + strlen("google.protobuf."), forms[i].name) == 0)
            return forms[i].form;
    return VTS_JSON_FORM_FIELDS;
}

bool vts_json_is_null_value(const ProtobufCFieldDescriptor *field)
{
    return field->type == PROTOBUF_C_TYPE_ENUM &&
           strcmp(((const ProtobufCEnumDescriptor *)field->descriptor)->name,
                  "google.protobuf.NullValue") == 0;
}

size_t vts_json_value_size(ProtobufCType type)
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
    VTS_UNREACHABLE();
}

const struct vts_message_facts *vts_json_facts_of(const struct vts_json_types *types,
                                                  const ProtobufCMessageDescriptor *type)
{
    if (types == NULL || types->descriptors == NULL)
        return NULL;
    return vts_descriptors_find_message(types->descriptors, type->name);
}

const struct vts_field_facts *vts_json_field_facts(const struct vts_message_facts *facts,
                                                   const ProtobufCMessageDescriptor *type,
                                                   unsigned i)
{
    if (facts == NULL)
        return NULL;
    /* Both are sorted by number, so that the search is needed only when the two versions differ. */
    if (i < facts->field_count && facts->fields[i].number == type->fields[i].id)
        return &facts->fields[i];
    return vts_descriptors_find_field(facts, type->fields[i].id);
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

void vts_json_write_camel(struct vts_buf *buf, const char *name)
{
    bool is_upper = false;

    for (; *name != '\0'; name++) {
        char c = is_upper ? upper(*name) : *name;

        is_upper = *name == '_';
        if (!is_upper)
            vts_buf_append(buf, &c, 1);
    }
}

/* Whether text is name as vts_json_write_camel writes it. */
static bool is_camel_of(const char *name, struct vts_str text)
{
    bool is_upper = false;
    size_t at = 0;

    for (; *name != '\0'; name++) {
        char c = is_upper ? upper(*name) : *name;

        is_upper = *name == '_';
        if (!is_upper && (at == text.len || text.ptr[at++] != c))
            return false;
    }
    return at == text.len;
}

const ProtobufCFieldDescriptor *vts_json_find_field(const struct vts_message_facts *facts,
                                                    const ProtobufCMessageDescriptor *type,
                                                    struct vts_str name)
{
    if (facts != NULL) {
        const struct vts_field_facts *found = vts_descriptors_find_field_named(facts, name);

        return found == NULL ? NULL : protobuf_c_message_descriptor_get_field(type, found->number);
    }
    for (unsigned i = 0; i < type->n_fields; i++)
        if (vts_str_equals_text(name, type->fields[i].name) ||
            is_camel_of(type->fields[i].name, name))
            return &type->fields[i];
    return NULL;
}

const ProtobufCMessageDescriptor *vts_json_find_any(const struct vts_json_types *types,
                                                    struct vts_str type_url)
{
    size_t name_at = type_url.len;

    while (name_at > 0 && type_url.ptr[name_at - 1] != '/')
        name_at--;
    if (name_at == 0 || types == NULL)
        return NULL;
    for (size_t i = 0; i < types->message_count; i++)
        if (vts_str_equals_text(vts_str_make(type_url.ptr + name_at, type_url.len - name_at),
                                types->messages[i]->name))
            return types->messages[i];
    return NULL;
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

static const char *word_in(const ProtobufCEnumDescriptor *type, const char *value_name)
{
    return value_name + enum_prefix_len(type->short_name, value_name);
}

void vts_json_write_word(struct vts_buf *buf, const ProtobufCEnumDescriptor *type,
                         const ProtobufCEnumValue *value)
{
    for (const char *c = word_in(type, value->name); *c != '\0'; c++) {
        char letter = lower(*c);

        vts_buf_append(buf, &letter, 1);
    }
}

void vts_json_describe_enum(const ProtobufCEnumDescriptor *type, char *text, size_t size)
{
    struct vts_buf buf;
    size_t start_len;

    vts_buf_init(&buf, size - 1);
    vts_buf_append_text(&buf, "one of ");
    start_len = buf.len;
    for (unsigned i = 0; i < type->n_values; i++) {
        if (strcmp(word_in(type, type->values[i].name), "UNSPECIFIED") == 0)
            continue;
        if (buf.len > start_len)
            vts_buf_append_text(&buf, ", ");
        vts_json_write_word(&buf, type, &type->values[i]);
    }
    vts_buf_append_text(&buf, " is wanted");
    if (vts_buf_check(&buf) == VTS_OK)
        (void)snprintf(text, size, "%.*s", (int)buf.len, buf.ptr);
    else
        (void)snprintf(text, size, "there is no enum value of that name");
    vts_buf_fini(&buf);
}

static bool is_word_of(const ProtobufCEnumDescriptor *type, const char *value_name,
                       struct vts_str text)
{
    const char *word = word_in(type, value_name);

    for (size_t i = 0; i < text.len; i++)
        if (word[i] == '\0' || lower(word[i]) != text.ptr[i])
            return false;
    return word[text.len] == '\0';
}

static bool is_text(struct vts_str text, const char *name)
{
    return strlen(name) == text.len && memcmp(text.ptr, name, text.len) == 0;
}

const ProtobufCEnumValue *vts_json_find_enum(const ProtobufCEnumDescriptor *type,
                                             struct vts_str name)
{
    for (unsigned i = 0; i < type->n_value_names; i++)
        if (is_text(name, type->values_by_name[i].name))
            return &type->values[type->values_by_name[i].index];
    for (unsigned i = 0; i < type->n_value_names; i++)
        if (is_word_of(type, type->values_by_name[i].name, name))
            return &type->values[type->values_by_name[i].index];
    return NULL;
}
