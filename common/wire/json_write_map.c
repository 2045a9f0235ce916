/* SPDX-License-Identifier: Apache-2.0 */
/* json_write_map.c - maps as objects.
 *
 * protobuf-c has a map as a list of entries, and keeps every entry that came off the wire; of two
 * with one key the last counts. So the entries are sorted, by key and then by place, which also
 * makes the output of one map always the same.
 */
#include <stdlib.h>

#include "common/base/json_text.h"
#include "common/base/mem.h"
#include "common/wire/json_writer.h"

/* An entry's message and where its key is; every entry has the fields key = 1 and value = 2. */
struct map_entry {
    const ProtobufCMessage *message;
    size_t index;
};

static const ProtobufCFieldDescriptor *key_field(const struct map_entry *entry)
{
    return &entry->message->descriptor->fields[0];
}

static const void *key_at(const struct map_entry *entry)
{
    return (const char *)entry->message + key_field(entry)->offset;
}

static int64_t signed_key(const struct map_entry *entry)
{
    return vts_json_value_size(key_field(entry)->type) == 4 ? *(const int32_t *)key_at(entry)
                                                            : *(const int64_t *)key_at(entry);
}

static uint64_t unsigned_key(const struct map_entry *entry)
{
    return vts_json_value_size(key_field(entry)->type) == 4 ? *(const uint32_t *)key_at(entry)
                                                            : *(const uint64_t *)key_at(entry);
}

static bool bool_key(const struct map_entry *entry)
{
    return *(const protobuf_c_boolean *)key_at(entry) != 0;
}

static const char *text_key(const struct map_entry *entry)
{
    return vts_str_of(*(char *const *)key_at(entry)).ptr;
}

static int compare_keys(const struct map_entry *a, const struct map_entry *b)
{
    switch (key_field(a)->type) {
    case PROTOBUF_C_TYPE_STRING:
        return strcmp(text_key(a), text_key(b));
    case PROTOBUF_C_TYPE_BOOL:
        return (int)bool_key(a) - (int)bool_key(b);
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        return (unsigned_key(a) > unsigned_key(b)) - (unsigned_key(a) < unsigned_key(b));
    default: /* the signed integers; proto has no other keys */
        return (signed_key(a) > signed_key(b)) - (signed_key(a) < signed_key(b));
    }
}

static int compare_entries(const void *a, const void *b)
{
    const struct map_entry *left = a;
    const struct map_entry *right = b;
    int order = compare_keys(left, right);

    return order != 0 ? order : (left->index > right->index) - (left->index < right->index);
}

static void write_key(struct vts_buf *buf, const struct map_entry *entry)
{
    switch (key_field(entry)->type) {
    case PROTOBUF_C_TYPE_STRING:
        vts_json_text_write(buf, vts_str_of(text_key(entry)));
        break;
    case PROTOBUF_C_TYPE_BOOL:
        vts_buf_append_text(buf, bool_key(entry) ? "\"true\"" : "\"false\"");
        break;
    case PROTOBUF_C_TYPE_UINT32:
    case PROTOBUF_C_TYPE_FIXED32:
    case PROTOBUF_C_TYPE_UINT64:
    case PROTOBUF_C_TYPE_FIXED64:
        vts_buf_append_format(buf, "\"%llu\"", (unsigned long long)unsigned_key(entry));
        break;
    default:
        vts_buf_append_format(buf, "\"%lld\"", (long long)signed_key(entry));
        break;
    }
}

static enum vts_err write_entries(struct vts_json_writer *writer, const struct map_entry *entries,
                                  size_t count)
{
    const char *comma = "";
    enum vts_err err = VTS_OK;

    for (size_t i = 0; i < count && err == VTS_OK; i++) {
        const ProtobufCFieldDescriptor *value = &entries[i].message->descriptor->fields[1];

        if (i + 1 < count && compare_keys(&entries[i], &entries[i + 1]) == 0)
            continue;
        vts_buf_append_text(writer->buf, comma);
        write_key(writer->buf, &entries[i]);
        vts_buf_append_text(writer->buf, ":");
        err = vts_json_write_value(writer, value, (const char *)entries[i].message + value->offset);
        comma = ",";
    }
    return err;
}

enum vts_err vts_json_write_map(struct vts_json_writer *writer,
                                const ProtobufCFieldDescriptor *field,
                                const ProtobufCMessage *message)
{
    ProtobufCMessage *const *messages =
        *(ProtobufCMessage *const *const *)((const char *)message + field->offset);
    size_t count = *(const size_t *)((const char *)message + field->quantifier_offset);
    struct map_entry *entries = vts_mem_alloc(count * sizeof(*entries));
    enum vts_err err;

    if (entries == NULL)
        return VTS_ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        entries[i] = (struct map_entry){.message = messages[i], .index = i};
    qsort(entries, count, sizeof(*entries), compare_entries);
    vts_buf_append_text(writer->buf, "{");
    err = write_entries(writer, entries, count);
    vts_buf_append_text(writer->buf, "}");
    vts_mem_free(entries);
    return err;
}
