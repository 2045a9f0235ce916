/* SPDX-License-Identifier: Apache-2.0 */
/* descriptor_files_read.c - makes the tables of struct vts_descriptor_files from a
 * FileDescriptorSet.
 *
 * The set is walked twice by the same functions: once to count, once to write into arrays of just
 * that size. While counting, a name has a length and no bytes. The files' own bytes are not
 * touched: the index points to where they lie in the set.
 */
#include <stdlib.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "common/wire/descriptor_files_tables.h"
#include "common/wire/pb_heap.h"
#include "google/protobuf/descriptor.pb-c.h"

enum { MAX_NESTING = 32, MAX_COUNT = 65535, FILE_TAG = 1 << 3 | 2, LENGTH_BITS_MAX = 28 };

struct builder {
    struct vts_descriptor_files *into; /* NULL while counting */
    size_t file_count;                 /* those that are done */
    size_t import_count;
    size_t symbol_count;
    size_t extension_count;
    size_t text_len;
    enum vts_err err; /* the first fault; the rest of the walk is then without meaning */
};

static void fail(struct builder *builder, enum vts_err err)
{
    if (builder->err == VTS_OK)
        builder->err = err;
}

/* Writes "scope.name", or the name alone in no scope, and a NUL. */
static struct vts_str add_text(struct builder *builder, struct vts_str scope, const char *name)
{
    size_t name_len = strlen(name);
    size_t lead_len = scope.len == 0 ? 0 : scope.len + 1;
    char *at = NULL;

    if (builder->into != NULL) {
        at = builder->into->text + builder->text_len;
        memcpy(at, scope.ptr, scope.len);
        at[scope.len] = '.'; /* in no scope the name goes over it */
        memcpy(at + lead_len, name, name_len + 1);
    }
    builder->text_len += lead_len + name_len + 1;
    return vts_str_make(at, lead_len + name_len);
}

/* ---- names ------------------------------------------------------------------------------- */

/* The file that the walk is in. */
static const struct vts_descriptor_file *file_of(const struct builder *builder)
{
    return &builder->into->files[builder->file_count];
}

/* Returns the full name, which is the scope of what is inside. */
static struct vts_str add_symbol(struct builder *builder, struct vts_str scope, const char *name,
                                 bool is_message)
{
    struct vts_str full_name;

    if (name == NULL || name[0] == '\0') {
        fail(builder, VTS_ERR_INVALID);
        return scope;
    }
    full_name = add_text(builder, scope, name);
    if (builder->into != NULL)
        builder->into->symbols[builder->symbol_count] = (struct vts_symbol){
            .full_name = full_name.ptr, .file = file_of(builder), .is_message = is_message};
    builder->symbol_count++;
    return full_name;
}

static void add_extension(struct builder *builder, struct vts_str scope,
                          const Google__Protobuf__FieldDescriptorProto *field)
{
    const char *type = field->extendee;
    struct vts_str copy;

    (void)add_symbol(builder, scope, field->name, false); /* nothing is inside */
    if (type == NULL) {
        fail(builder, VTS_ERR_INVALID);
        return;
    }
    /* Types are written ".pkg.Name" once protoc has resolved them. */
    copy = add_text(builder, vts_str_of(""), type[0] == '.' ? type + 1 : type);
    if (builder->into != NULL)
        builder->into->extensions[builder->extension_count] = (struct vts_extension){
            .type = copy.ptr, .number = field->number, .file = file_of(builder)};
    builder->extension_count++;
}

static void walk_enum(struct builder *builder, struct vts_str scope,
                      const Google__Protobuf__EnumDescriptorProto *type)
{
    (void)add_symbol(builder, scope, type->name, false); /* its values are beside it */
    for (size_t i = 0; i < type->n_value; i++)
        (void)add_symbol(builder, scope, type->value[i]->name, false);
}

static void walk_message(struct builder *builder, struct vts_str scope,
                         const Google__Protobuf__DescriptorProto *message, unsigned nesting)
{
    struct vts_str inside;

    if (nesting == MAX_NESTING) {
        fail(builder, VTS_ERR_LIMIT);
        return;
    }
    inside = add_symbol(builder, scope, message->name, true);
    for (size_t i = 0; i < message->n_field; i++)
        (void)add_symbol(builder, inside, message->field[i]->name, false);
    for (size_t i = 0; i < message->n_oneof_decl; i++)
        (void)add_symbol(builder, inside, message->oneof_decl[i]->name, false);
    for (size_t i = 0; i < message->n_extension; i++)
        add_extension(builder, inside, message->extension[i]);
    for (size_t i = 0; i < message->n_enum_type; i++)
        walk_enum(builder, inside, message->enum_type[i]);
    for (size_t i = 0; i < message->n_nested_type; i++)
        walk_message(builder, inside, message->nested_type[i], nesting + 1);
}

static void walk_service(struct builder *builder, struct vts_str scope,
                         const Google__Protobuf__ServiceDescriptorProto *service)
{
    struct vts_str inside = add_symbol(builder, scope, service->name, false);

    for (size_t i = 0; i < service->n_method; i++)
        (void)add_symbol(builder, inside, service->method[i]->name, false);
}

static void walk_names(struct builder *builder, const Google__Protobuf__FileDescriptorProto *file)
{
    struct vts_str scope = vts_str_of(file->package);

    for (size_t i = 0; i < file->n_message_type; i++)
        walk_message(builder, scope, file->message_type[i], 0);
    for (size_t i = 0; i < file->n_enum_type; i++)
        walk_enum(builder, scope, file->enum_type[i]);
    for (size_t i = 0; i < file->n_service; i++)
        walk_service(builder, scope, file->service[i]);
    for (size_t i = 0; i < file->n_extension; i++)
        add_extension(builder, scope, file->extension[i]);
}

/* ---- files ------------------------------------------------------------------------------- */

static void add_import(struct builder *builder, const char *name)
{
    size_t place = builder->import_count++;

    if (builder->into == NULL)
        return;
    for (size_t i = 0; i < builder->file_count; i++)
        if (strcmp(builder->into->files[i].name, name) == 0) {
            builder->into->imports[place] = &builder->into->files[i];
            return;
        }
    fail(builder, VTS_ERR_INVALID);
}

static void walk_file(struct builder *builder, const Google__Protobuf__FileDescriptorProto *file,
                      struct vts_str bytes)
{
    size_t first_import = builder->import_count;
    struct vts_str name;

    if (file->name == NULL) {
        fail(builder, VTS_ERR_INVALID);
        return;
    }
    name = add_text(builder, vts_str_of(""), file->name);
    for (size_t i = 0; i < file->n_dependency; i++)
        add_import(builder, file->dependency[i]);
    if (builder->into != NULL)
        builder->into->files[builder->file_count] = (struct vts_descriptor_file){
            .index = (uint32_t)builder->file_count,
            .name = name.ptr,
            .bytes = bytes,
            .imports = builder->into->imports + first_import,
            .import_count = (uint32_t)file->n_dependency,
        };
    walk_names(builder, file);
    builder->file_count++;
}

/* Takes the next file's bytes off the front of a set: tag, length, bytes
 * (https://protobuf.dev/programming-guides/encoding/#length-types). */
static enum vts_err take_file(struct vts_str *rest, struct vts_str *ret_bytes)
{
    const unsigned char *bytes = (const unsigned char *)rest->ptr;
    size_t len = 0;
    size_t at = 1;

    if (rest->len == 0 || bytes[0] != FILE_TAG)
        return VTS_ERR_INVALID;
    for (unsigned shift = 0;; shift += 7) {
        if (at == rest->len || shift > LENGTH_BITS_MAX)
            return VTS_ERR_INVALID;
        len |= (size_t)(bytes[at] & 0x7f) << shift;
        if (bytes[at++] < 0x80)
            break;
    }
    if (len > rest->len - at)
        return VTS_ERR_INVALID;
    *ret_bytes = vts_str_make(rest->ptr + at, len);
    *rest = vts_str_make(rest->ptr + at + len, rest->len - at - len);
    return VTS_OK;
}

static enum vts_err walk(struct builder *builder, const Google__Protobuf__FileDescriptorSet *set,
                         struct vts_str bytes)
{
    for (size_t i = 0; i < set->n_file && builder->err == VTS_OK; i++) {
        struct vts_str file;

        builder->err = take_file(&bytes, &file);
        if (builder->err == VTS_OK)
            walk_file(builder, set->file[i], file);
    }
    if (builder->file_count > MAX_COUNT || builder->import_count > MAX_COUNT ||
        builder->symbol_count > MAX_COUNT || builder->extension_count > MAX_COUNT)
        fail(builder, VTS_ERR_LIMIT);
    return builder->err;
}

/* ---- tables ------------------------------------------------------------------------------ */

/* Room for what was counted. */
static struct vts_descriptor_files *make_tables(const struct builder *counts)
{
    struct vts_descriptor_files *tables = vts_mem_zalloc(sizeof(*tables));

    if (tables == NULL)
        return NULL;
    tables->files = vts_mem_zalloc(counts->file_count * sizeof(*tables->files));
    tables->by_name = vts_mem_zalloc(counts->file_count * sizeof(struct vts_descriptor_file *));
    tables->imports = vts_mem_zalloc(counts->import_count * sizeof(struct vts_descriptor_file *));
    tables->symbols = vts_mem_zalloc(counts->symbol_count * sizeof(*tables->symbols));
    tables->extensions = vts_mem_zalloc(counts->extension_count * sizeof(*tables->extensions));
    tables->extension_numbers =
        vts_mem_zalloc(counts->extension_count * sizeof(*tables->extension_numbers));
    tables->text = vts_mem_zalloc(counts->text_len);
    if (tables->files == NULL || tables->by_name == NULL || tables->imports == NULL ||
        tables->symbols == NULL || tables->extensions == NULL ||
        tables->extension_numbers == NULL || tables->text == NULL) {
        vts_descriptor_files_free(tables);
        return NULL;
    }
    return tables;
}

static int compare_files(const void *a, const void *b)
{
    return strcmp((*(const struct vts_descriptor_file *const *)a)->name,
                  (*(const struct vts_descriptor_file *const *)b)->name);
}

static int compare_symbols(const void *a, const void *b)
{
    return strcmp(((const struct vts_symbol *)a)->full_name,
                  ((const struct vts_symbol *)b)->full_name);
}

static int compare_extensions(const void *a, const void *b)
{
    const struct vts_extension *left = a;
    const struct vts_extension *right = b;
    int order = strcmp(left->type, right->type);

    return order != 0 ? order : (left->number > right->number) - (left->number < right->number);
}

static void sort_tables(struct vts_descriptor_files *tables, const struct builder *counts)
{
    tables->file_count = counts->file_count;
    tables->symbol_count = counts->symbol_count;
    tables->extension_count = counts->extension_count;
    for (size_t i = 0; i < tables->file_count; i++)
        tables->by_name[i] = &tables->files[i];
    qsort(tables->by_name, tables->file_count, sizeof(struct vts_descriptor_file *), compare_files);
    qsort(tables->symbols, tables->symbol_count, sizeof(*tables->symbols), compare_symbols);
    qsort(tables->extensions, tables->extension_count, sizeof(*tables->extensions),
          compare_extensions);
    for (size_t i = 0; i < tables->extension_count; i++)
        tables->extension_numbers[i] = tables->extensions[i].number;
}

enum vts_err vts_descriptor_files_new(struct vts_str bytes, struct vts_descriptor_files **ret_files)
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
    err = walk(&counts, set, bytes);
    if (err != VTS_OK)
        goto out;
    err = VTS_ERR_NOMEM;
    fill.into = make_tables(&counts);
    if (fill.into == NULL)
        goto out;
    err = walk(&fill, set, bytes);
    if (err != VTS_OK)
        goto out;
    VTS_ASSERT(fill.text_len == counts.text_len);
    sort_tables(fill.into, &fill);
    *ret_files = fill.into;
    fill.into = NULL; /* moved to the caller */
out:
    vts_descriptor_files_free(fill.into);
    google__protobuf__file_descriptor_set__free_unpacked(set, &heap.allocator);
    return err;
}
