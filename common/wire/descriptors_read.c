/* SPDX-License-Identifier: Apache-2.0 */
/* descriptors_read.c - makes the tables of struct vts_descriptors from a FileDescriptorSet.
 *
 * The set is walked twice by the same functions: once to count, once to copy into arrays of just
 * that size. Afterwards the set is freed; of some 100 KB unpacked a few stay.
 */
#include <stdio.h>
#include <stdlib.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "common/wire/descriptors_tables.h"
#include "common/wire/pb_heap.h"
#include "google/protobuf/descriptor.pb-c.h"

enum { MAX_NESTING = 32, MAX_COUNT = 65535, MAX_NAME_BYTES = 1024 };

struct builder {
    struct vts_descriptors *into; /* NULL while counting */
    size_t message_count;
    size_t service_count;
    size_t field_count;
    size_t field_name_count;
    size_t method_count;
    size_t text_len;
    enum vts_err err; /* the first fault; the rest of the walk is then without meaning */
};

static const char *add_text(struct builder *builder, const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = builder->into == NULL ? NULL : builder->into->text + builder->text_len;

    if (copy != NULL)
        memcpy(copy, text, size);
    builder->text_len += size;
    return copy;
}

/* "scope.name", or the name alone in no scope. */
static bool join(char *full_name, const char *scope, const char *name)
{
    int len = snprintf(full_name, MAX_NAME_BYTES, "%s%s%s", scope, scope[0] == '\0' ? "" : ".",
                       name == NULL ? "" : name);

    return len > 0 && len < MAX_NAME_BYTES;
}

/* A map is a list of entries, whose type is declared inside the message itself. */
static bool is_map(const Google__Protobuf__DescriptorProto *message, const char *full_name,
                   const Google__Protobuf__FieldDescriptorProto *field)
{
    size_t prefix_len = strlen(full_name);
    const char *type = field->type_name;

    if (type == NULL || type[0] != '.' || strncmp(type + 1, full_name, prefix_len) != 0 ||
        type[1 + prefix_len] != '.')
        return false;
    type += prefix_len + 2;
    for (size_t i = 0; i < message->n_nested_type; i++) {
        const Google__Protobuf__DescriptorProto *nested = message->nested_type[i];

        if (nested->name != NULL && strcmp(nested->name, type) == 0)
            return nested->options != NULL && nested->options->map_entry != 0;
    }
    return false;
}

static void add_field(struct builder *builder, const Google__Protobuf__DescriptorProto *message,
                      const char *full_name, const Google__Protobuf__FieldDescriptorProto *field)
{
    const char *name;
    const char *json_name;

    if (field->name == NULL || field->json_name == NULL || field->number <= 0) {
        builder->err = VTS_ERR_INVALID;
        return;
    }
    name = add_text(builder, field->name);
    json_name = add_text(builder, field->json_name);
    if (builder->into != NULL)
        builder->into->fields[builder->field_count] = (struct vts_field_facts){
            .name = name,
            .json_name = json_name,
            .number = (uint32_t)field->number,
            .is_map = is_map(message, full_name, field),
            .is_proto3_optional = field->proto3_optional != 0,
        };
    builder->field_count++;
}

static int compare_fields(const void *a, const void *b)
{
    uint32_t left = ((const struct vts_field_facts *)a)->number;
    uint32_t right = ((const struct vts_field_facts *)b)->number;

    return (left > right) - (left < right);
}

static int compare_field_names(const void *a, const void *b)
{
    return strcmp(((const struct vts_field_name *)a)->name,
                  ((const struct vts_field_name *)b)->name);
}

/* Both names of each field, once where they are the same. */
static void add_field_names(struct builder *builder, struct vts_message_facts *facts)
{
    struct vts_field_name *names = builder->into->field_names + builder->field_name_count;

    for (uint32_t i = 0; i < facts->field_count; i++) {
        const struct vts_field_facts *field = &facts->fields[i];

        *names++ = (struct vts_field_name){.name = field->name, .index = i};
        if (strcmp(field->name, field->json_name) != 0)
            *names++ = (struct vts_field_name){.name = field->json_name, .index = i};
    }
    facts->field_names = builder->into->field_names + builder->field_name_count;
    facts->field_name_count = (uint32_t)(names - facts->field_names);
    qsort(builder->into->field_names + builder->field_name_count, facts->field_name_count,
          sizeof(*names), compare_field_names);
}

static void add_message(struct builder *builder, const Google__Protobuf__DescriptorProto *message,
                        const char *scope, unsigned nesting)
{
    char full_name[MAX_NAME_BYTES];
    size_t first_field = builder->field_count;
    const char *name;

    if (nesting == MAX_NESTING || !join(full_name, scope, message->name)) {
        builder->err = nesting == MAX_NESTING ? VTS_ERR_LIMIT : VTS_ERR_INVALID;
        return;
    }
    name = add_text(builder, full_name);
    for (size_t i = 0; i < message->n_field; i++)
        add_field(builder, message, full_name, message->field[i]);
    if (builder->into != NULL) {
        struct vts_message_facts *facts = &builder->into->messages[builder->message_count];

        qsort(builder->into->fields + first_field, message->n_field, sizeof(*facts->fields),
              compare_fields);
        *facts = (struct vts_message_facts){
            .full_name = name,
            .fields = builder->into->fields + first_field,
            .field_count = (uint32_t)message->n_field,
            .is_map_entry = message->options != NULL && message->options->map_entry != 0,
        };
        add_field_names(builder, facts);
    }
    builder->message_count++;
    builder->field_name_count += 2 * message->n_field;
    for (size_t i = 0; i < message->n_nested_type; i++)
        add_message(builder, message->nested_type[i], full_name, nesting + 1);
}

static enum vts_idempotency idempotency_of(const Google__Protobuf__MethodOptions *options)
{
    if (options == NULL)
        return VTS_IDEMPOTENCY_UNKNOWN;
    switch (options->idempotency_level) {
    case GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__NO_SIDE_EFFECTS:
        return VTS_IDEMPOTENCY_NO_SIDE_EFFECTS;
    case GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__IDEMPOTENT:
        return VTS_IDEMPOTENCY_IDEMPOTENT;
    default: /* a number of another's enum */
        return VTS_IDEMPOTENCY_UNKNOWN;
    }
}

/* Types are written ".pkg.Name" once protoc has resolved them. */
static const char *add_type(struct builder *builder, const char *type)
{
    return add_text(builder, type[0] == '.' ? type + 1 : type);
}

static void add_method(struct builder *builder,
                       const Google__Protobuf__MethodDescriptorProto *method)
{
    struct vts_method_facts facts = {.idempotency = idempotency_of(method->options)};

    if (method->name == NULL || method->input_type == NULL || method->output_type == NULL) {
        builder->err = VTS_ERR_INVALID;
        return;
    }
    facts.name = add_text(builder, method->name);
    facts.input = add_type(builder, method->input_type);
    facts.output = add_type(builder, method->output_type);
    facts.client_streaming = method->client_streaming != 0;
    facts.server_streaming = method->server_streaming != 0;
    if (builder->into != NULL)
        builder->into->methods[builder->method_count] = facts;
    builder->method_count++;
}

static void add_service(struct builder *builder,
                        const Google__Protobuf__ServiceDescriptorProto *service, const char *scope)
{
    char full_name[MAX_NAME_BYTES];
    size_t first_method = builder->method_count;
    const char *name;

    if (!join(full_name, scope, service->name)) {
        builder->err = VTS_ERR_INVALID;
        return;
    }
    name = add_text(builder, full_name);
    for (size_t i = 0; i < service->n_method; i++)
        add_method(builder, service->method[i]);
    if (builder->into != NULL)
        builder->into->services[builder->service_count] = (struct vts_service_facts){
            .full_name = name,
            .methods = builder->into->methods + first_method,
            .method_count = (uint32_t)service->n_method,
        };
    builder->service_count++;
}

static enum vts_err walk(struct builder *builder, const Google__Protobuf__FileDescriptorSet *set)
{
    for (size_t i = 0; i < set->n_file; i++) {
        const Google__Protobuf__FileDescriptorProto *file = set->file[i];
        const char *package = file->package == NULL ? "" : file->package;

        for (size_t j = 0; j < file->n_message_type; j++)
            add_message(builder, file->message_type[j], package, 0);
        for (size_t j = 0; j < file->n_service; j++)
            add_service(builder, file->service[j], package);
    }
    if (builder->err == VTS_OK &&
        (builder->message_count > MAX_COUNT || builder->field_count > MAX_COUNT ||
         builder->method_count > MAX_COUNT || builder->service_count > MAX_COUNT))
        builder->err = VTS_ERR_LIMIT;
    return builder->err;
}

/* Room for what was counted. */
static struct vts_descriptors *make_tables(const struct builder *counts)
{
    struct vts_descriptors *tables = vts_mem_zalloc(sizeof(*tables));

    if (tables == NULL)
        return NULL;
    tables->messages = vts_mem_zalloc(counts->message_count * sizeof(*tables->messages));
    tables->services = vts_mem_zalloc(counts->service_count * sizeof(*tables->services));
    tables->fields = vts_mem_zalloc(counts->field_count * sizeof(*tables->fields));
    tables->field_names = vts_mem_zalloc(counts->field_name_count * sizeof(*tables->field_names));
    tables->methods = vts_mem_zalloc(counts->method_count * sizeof(*tables->methods));
    tables->text = vts_mem_zalloc(counts->text_len);
    if (tables->messages == NULL || tables->services == NULL || tables->fields == NULL ||
        tables->field_names == NULL || tables->methods == NULL || tables->text == NULL) {
        vts_descriptors_free(tables);
        return NULL;
    }
    return tables;
}

static int compare_messages(const void *a, const void *b)
{
    return strcmp(((const struct vts_message_facts *)a)->full_name,
                  ((const struct vts_message_facts *)b)->full_name);
}

static int compare_services(const void *a, const void *b)
{
    return strcmp(((const struct vts_service_facts *)a)->full_name,
                  ((const struct vts_service_facts *)b)->full_name);
}

static void sort_tables(struct vts_descriptors *tables, const struct builder *counts)
{
    tables->message_count = counts->message_count;
    tables->service_count = counts->service_count;
    qsort(tables->messages, tables->message_count, sizeof(*tables->messages), compare_messages);
    qsort(tables->services, tables->service_count, sizeof(*tables->services), compare_services);
}

enum vts_err vts_descriptors_new(struct vts_str bytes, struct vts_descriptors **ret_descriptors)
{
    struct vts_pb_heap heap;
    struct builder counts = {.into = NULL};
    struct builder fill = {.into = NULL};
    Google__Protobuf__FileDescriptorSet *set;
    enum vts_err err;

    vts_pb_heap_init(&heap, SIZE_MAX);
    set = google__protobuf__file_descriptor_set__unpack(&heap.allocator, bytes.len,
                                                        (const uint8_t *)bytes.ptr);
    if (set == NULL)
        return heap.err != VTS_OK ? heap.err : VTS_ERR_INVALID;
    err = walk(&counts, set);
    if (err != VTS_OK)
        goto out;
    err = VTS_ERR_NOMEM;
    fill.into = make_tables(&counts);
    if (fill.into == NULL)
        goto out;
    err = walk(&fill, set);
    VTS_ASSERT(err == VTS_OK && fill.text_len == counts.text_len);
    sort_tables(fill.into, &fill);
    *ret_descriptors = fill.into;
out:
    google__protobuf__file_descriptor_set__free_unpacked(set, &heap.allocator);
    return err;
}
