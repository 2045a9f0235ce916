/* SPDX-License-Identifier: Apache-2.0 */
/* json_read.c - fills messages of protobuf-c from the tokens of a JSON text, by descriptor.
 *
 * A message is at every moment one that protobuf_c_message_free_unpacked may free: lists count
 * only what is whole, and a oneof is claimed with its member zeroed. So a failure anywhere ends in
 * one free of the root.
 */
#include "common/base/assert.h"
#include "common/wire/json_reader.h"
#include "common/wire/pb_heap.h"

const struct vts_json_read_options vts_json_read_defaults = {
    .max_bytes = (size_t)1024 * 1024,
    .max_values = 10000,
    .max_depth = 32,
};

void *vts_json_reader_alloc(struct vts_json_reader *reader, size_t size)
{
    void *ptr = reader->allocator->alloc(reader->allocator->allocator_data, size);

    if (ptr == NULL)
        (void)vts_error_set(reader->error, VTS_ERR_NOMEM, "out of memory"); /* NULL says it too */
    else
        memset(ptr, 0, size);
    return ptr;
}

enum vts_err vts_json_read_message(struct vts_json_reader *reader,
                                   const ProtobufCMessageDescriptor *type, uint32_t at,
                                   ProtobufCMessage **ret_message)
{
    enum vts_json_form form = vts_json_form_of(type);
    ProtobufCMessage *message = vts_json_reader_alloc(reader, type->sizeof_message);
    enum vts_err err;

    if (message == NULL)
        return VTS_ERR_NOMEM;
    protobuf_c_message_init(type, message);
    if (form == VTS_JSON_FORM_FIELDS)
        err = vts_json_read_fields(reader, message, at, NULL);
    else
        err = vts_json_read_special(reader, form, at, message);
    if (err == VTS_OK)
        *ret_message = message;
    else
        protobuf_c_message_free_unpacked(message, reader->allocator);
    return err;
}

/* The types for which null is a value and not the lack of one. */
static bool takes_null(const ProtobufCFieldDescriptor *field)
{
    if (field->type == PROTOBUF_C_TYPE_MESSAGE)
        return vts_json_form_of(field->descriptor) == VTS_JSON_FORM_VALUE;
    return vts_json_is_null_value(field);
}

enum vts_err vts_json_read_list(struct vts_json_reader *reader,
                                const ProtobufCFieldDescriptor *field, uint32_t at,
                                ProtobufCMessage *message)
{
    const struct vts_json_token *array = vts_json_token_at(reader, at);
    struct vts_json_path path = {.up = reader->path};
    size_t *count = (size_t *)((char *)message + field->quantifier_offset);
    size_t size = vts_json_value_size(field->type);
    enum vts_err err = VTS_OK;
    char *elements;

    if (array->kind != VTS_JSON_ARRAY)
        return vts_json_refuse(reader, "an array is wanted");
    if (array->count == 0)
        return VTS_OK;
    elements = vts_json_reader_alloc(reader, array->count * size);
    if (elements == NULL)
        return VTS_ERR_NOMEM;
    *(char **)((char *)message + field->offset) = elements;
    reader->path = &path;
    for (uint32_t i = at + 1; i < array->end && err == VTS_OK;
         i = vts_json_token_at(reader, i)->end) {
        err = vts_json_read_value(reader, field, i, elements + *count * size);
        if (err == VTS_OK)
            (*count)++;
        else if (err == VTS_ERR_NOT_FOUND)
            err = VTS_OK;
        path.index++;
    }
    reader->path = path.up;
    return err;
}

/* One entry of a map; every entry's message has the fields key = 1 and value = 2. */
static enum vts_err read_entry(struct vts_json_reader *reader,
                               const ProtobufCMessageDescriptor *type, uint32_t at,
                               ProtobufCMessage **ret_entry)
{
    const struct vts_json_token *key = vts_json_token_at(reader, at);
    ProtobufCMessage *entry = vts_json_reader_alloc(reader, type->sizeof_message);
    enum vts_err err;

    if (entry == NULL)
        return VTS_ERR_NOMEM;
    protobuf_c_message_init(type, entry);
    err = vts_json_read_key(reader, &type->fields[0], vts_str_make(key->text, key->len),
                            (char *)entry + type->fields[0].offset);
    if (err == VTS_OK)
        err = vts_json_read_value(reader, &type->fields[1], at + 1,
                                  (char *)entry + type->fields[1].offset);
    if (err == VTS_OK)
        *ret_entry = entry;
    else
        protobuf_c_message_free_unpacked(entry, reader->allocator);
    return err;
}

enum vts_err vts_json_read_map(struct vts_json_reader *reader,
                               const ProtobufCFieldDescriptor *field, uint32_t at,
                               ProtobufCMessage *message)
{
    const struct vts_json_token *object = vts_json_token_at(reader, at);
    struct vts_json_path path = {.up = reader->path};
    size_t *count = (size_t *)((char *)message + field->quantifier_offset);
    enum vts_err err = VTS_OK;
    ProtobufCMessage **entries;

    if (object->kind != VTS_JSON_OBJECT)
        return vts_json_refuse(reader, "an object is wanted");
    if (object->count == 0)
        return VTS_OK;
    entries = vts_json_reader_alloc(reader, object->count * sizeof(ProtobufCMessage *));
    if (entries == NULL)
        return VTS_ERR_NOMEM;
    *(ProtobufCMessage ***)((char *)message + field->offset) = entries;
    reader->path = &path;
    for (uint32_t i = at + 1; i < object->end && err == VTS_OK;
         i = vts_json_token_at(reader, i + 1)->end) {
        path.name =
            vts_str_make(vts_json_token_at(reader, i)->text, vts_json_token_at(reader, i)->len);
        err = read_entry(reader, field->descriptor, i, &entries[*count]);
        if (err == VTS_OK)
            (*count)++;
        else if (err == VTS_ERR_NOT_FOUND)
            err = VTS_OK;
    }
    reader->path = path.up;
    return err;
}

static enum vts_err read_oneof_member(struct vts_json_reader *reader,
                                      const ProtobufCFieldDescriptor *field, uint32_t at,
                                      ProtobufCMessage *message)
{
    uint32_t *which = (uint32_t *)((char *)message + field->quantifier_offset);
    void *to = (char *)message + field->offset;
    enum vts_err err;

    if (*which != 0)
        return vts_json_refuse(reader, "another member of its oneof is set too");
    memset(to, 0, vts_json_value_size(field->type));
    *which = field->id;
    err = vts_json_read_value(reader, field, at, to);
    if (err == VTS_ERR_NOT_FOUND)
        *which = 0;
    return err;
}

static enum vts_err read_field(struct vts_json_reader *reader,
                               const ProtobufCFieldDescriptor *field, bool is_map, uint32_t at,
                               ProtobufCMessage *message)
{
    bool is_list = field->label == PROTOBUF_C_LABEL_REPEATED;
    enum vts_err err;

    if (vts_json_token_at(reader, at)->kind == VTS_JSON_NULL && (is_list || !takes_null(field)))
        return VTS_OK;
    if (is_map)
        return vts_json_read_map(reader, field, at, message);
    if (is_list)
        return vts_json_read_list(reader, field, at, message);
    if ((field->flags & PROTOBUF_C_FIELD_FLAG_ONEOF) != 0)
        err = read_oneof_member(reader, field, at, message);
    else
        err = vts_json_read_value(reader, field, at, (char *)message + field->offset);
    return err == VTS_ERR_NOT_FOUND ? VTS_OK : err;
}

/* Two names lead to one field, so that keys which differ may still say it twice. */
static bool was_seen(unsigned char *seen, size_t index)
{
    bool was = (seen[index / 8] >> index % 8 & 1) != 0;

    seen[index / 8] |= (unsigned char)(1U << index % 8);
    return was;
}

static enum vts_err read_found(struct vts_json_reader *reader, ProtobufCMessage *message,
                               const ProtobufCFieldDescriptor *field, uint32_t at,
                               unsigned char *seen)
{
    const ProtobufCMessageDescriptor *type = message->descriptor;
    unsigned index = (unsigned)(field - type->fields);
    const struct vts_field_facts *facts =
        vts_json_field_facts(vts_json_facts_of(reader->options->types, type), type, index);

    if (was_seen(seen, index))
        return vts_json_refuse(reader, "the field is there twice");
    return read_field(reader, field, facts != NULL && facts->is_map, at, message);
}

/* The message whose members stand in the root. It is there once: so or under its own name. */
static enum vts_err open_flat(struct vts_json_reader *reader, ProtobufCMessage *root,
                              const ProtobufCFieldDescriptor *outer, unsigned char *seen)
{
    const ProtobufCMessageDescriptor *type = outer->descriptor;

    if (reader->flat != NULL)
        return VTS_OK;
    if (was_seen(seen, (size_t)(outer - root->descriptor->fields)))
        return vts_json_refuse(reader, "the field is there twice");
    reader->flat = vts_json_reader_alloc(reader, type->sizeof_message);
    if (reader->flat == NULL)
        return VTS_ERR_NOMEM;
    protobuf_c_message_init(type, reader->flat);
    *(ProtobufCMessage **)((char *)root + outer->offset) = reader->flat;
    return VTS_OK;
}

/* VTS_ERR_NOT_FOUND when it is no member of it either. */
static enum vts_err read_flat(struct vts_json_reader *reader, ProtobufCMessage *root, uint32_t at,
                              unsigned char *seen)
{
    const ProtobufCFieldDescriptor *outer =
        protobuf_c_message_descriptor_get_field_by_name(root->descriptor, reader->options->flat);
    const ProtobufCMessageDescriptor *type = outer->descriptor;
    const ProtobufCFieldDescriptor *field = vts_json_find_field(
        vts_json_facts_of(reader->options->types, type), type, reader->path->name);
    enum vts_err err;

    if (field == NULL)
        return VTS_ERR_NOT_FOUND;
    VTS_ASSERT(type->n_fields <= VTS_JSON_MAX_FIELDS);
    err = open_flat(reader, root, outer, seen);
    return err != VTS_OK ? err : read_found(reader, reader->flat, field, at, reader->flat_seen);
}

static enum vts_err read_member(struct vts_json_reader *reader, ProtobufCMessage *message,
                                const struct vts_message_facts *facts, uint32_t at,
                                unsigned char *seen)
{
    const ProtobufCFieldDescriptor *field =
        vts_json_find_field(facts, message->descriptor, reader->path->name);
    enum vts_err err = VTS_ERR_NOT_FOUND;

    if (field != NULL)
        return read_found(reader, message, field, at, seen);
    if (reader->options->flat != NULL && reader->path->up == NULL)
        err = read_flat(reader, message, at, seen);
    if (err != VTS_ERR_NOT_FOUND || reader->options->ignore_unknown)
        return err == VTS_ERR_NOT_FOUND ? VTS_OK : err;
    return vts_json_refuse(reader, "there is no such field");
}

enum vts_err vts_json_read_fields(struct vts_json_reader *reader, ProtobufCMessage *message,
                                  uint32_t at, const char *but)
{
    const struct vts_json_token *object = vts_json_token_at(reader, at);
    const struct vts_message_facts *facts =
        vts_json_facts_of(reader->options->types, message->descriptor);
    struct vts_json_path path = {.up = reader->path};
    unsigned char seen[VTS_JSON_MAX_FIELDS / 8] = {0};
    enum vts_err err = VTS_OK;

    VTS_ASSERT(message->descriptor->n_fields <= VTS_JSON_MAX_FIELDS);
    if (object->kind != VTS_JSON_OBJECT)
        return vts_json_refuse(reader, "an object is wanted");
    reader->path = &path;
    for (uint32_t i = at + 1; i < object->end && err == VTS_OK;
         i = vts_json_token_at(reader, i + 1)->end) {
        path.name =
            vts_str_make(vts_json_token_at(reader, i)->text, vts_json_token_at(reader, i)->len);
        if (but == NULL || !vts_str_equals_text(path.name, but))
            err = read_member(reader, message, facts, i + 1, seen);
    }
    reader->path = path.up;
    return err;
}

enum vts_err vts_json_read(struct vts_str json, const ProtobufCMessageDescriptor *type,
                           const struct vts_json_read_options *options, struct vts_error *error,
                           ProtobufCMessage **ret_message)
{
    struct vts_json_limits limits = {
        .max_bytes = options->max_bytes,
        .max_values = options->max_values,
        .max_depth = options->max_depth < VTS_JSON_MAX_READ_DEPTH ? options->max_depth
                                                                  : VTS_JSON_MAX_READ_DEPTH,
    };
    struct vts_json_reader reader = {
        .options = options,
        .allocator = options->allocator == NULL ? vts_pb_heap_plain() : options->allocator,
        .error = error,
    };
    enum vts_err err = vts_json_doc_parse(json, &limits, error, &reader.doc);

    if (err != VTS_OK)
        return err;
    err = vts_json_read_message(&reader, type, 0, ret_message);
    vts_json_doc_free(&reader.doc);
    return err;
}

void vts_json_free(ProtobufCMessage *message)
{
    protobuf_c_message_free_unpacked(message, vts_pb_heap_plain());
}
