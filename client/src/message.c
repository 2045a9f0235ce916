/* SPDX-License-Identifier: Apache-2.0 */
/* message.c - a scan before the decoder, which would take what no peer may send. */
#include "client/src/message.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/pb_heap.h"
#include "common/wire/pb_time.h"
#include "common/wire/scan.h"
#include "descriptor_set.h"

enum {
    /* The deepest is a page of jobs, a job, its status, an error, an Any: nothing in them can
     * contain itself. */
    MAX_DEPTH = 8,
    MAX_JSON_BYTES = 8 << 20,
};

enum vts_err vts_message_decode(struct vts_str bytes, const ProtobufCMessageDescriptor *type,
                                size_t *memory_bytes, ProtobufCMessage **ret_message,
                                struct vts_error *error)
{
    const struct vts_scan_limits limits = {
        .max_depth = MAX_DEPTH,
        .max_elements = bytes.len, /* memory is what bounds them */
        .max_memory_bytes = *memory_bytes,
    };
    enum vts_err err = vts_scan_check(bytes, type, &limits, error);
    struct vts_pb_heap heap;
    ProtobufCMessage *message;

    if (err != VTS_OK)
        return err == VTS_ERR_INVALID ? VTS_ERR_PROTOCOL : err;
    vts_pb_heap_init(&heap, *memory_bytes);
    message =
        protobuf_c_message_unpack(type, &heap.allocator, bytes.len, (const uint8_t *)bytes.ptr);
    if (message != NULL) {
        *memory_bytes -= heap.left_bytes;
        *ret_message = message;
        return VTS_OK;
    }
    if (heap.err == VTS_ERR_NOMEM)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    /* The scan lets nothing pass that fails otherwise. */
    return vts_error_set(error, VTS_ERR_PROTOCOL, "its fields are not those of a %s",
                         type->short_name);
}

void vts_message_free(ProtobufCMessage *message)
{
    if (message != NULL)
        protobuf_c_message_free_unpacked(message, vts_pb_heap_plain());
}

ProtobufCMessage *vts_message_detach(ProtobufCMessage *message, unsigned field_index)
{
    const ProtobufCFieldDescriptor *field = &message->descriptor->fields[field_index];
    ProtobufCMessage **place = (ProtobufCMessage **)((char *)message + field->offset);
    ProtobufCMessage *part = *place;

    VTS_ASSERT(field->type == PROTOBUF_C_TYPE_MESSAGE && field->label != PROTOBUF_C_LABEL_REPEATED);
    *place = NULL;
    return part;
}

char *vts_message_text(const char *text)
{
    /* protobuf-c has no const strings. */
    return (char *)(text != NULL ? text : "");
}

static char *filter_of(const struct vts_pair *pair, struct vts_arena *arena)
{
    size_t size = strlen(pair->key) + strlen(pair->value) + 2;
    char *filter = vts_arena_alloc(arena, size);

    if (filter != NULL)
        (void)snprintf(filter, size, "%s=%s", pair->key, pair->value);
    return filter;
}

char **vts_message_filters(const struct vts_pair *pairs, size_t count, struct vts_arena *arena)
{
    char **filters = vts_arena_alloc(arena, count * sizeof(*filters));

    for (size_t i = 0; filters != NULL && i < count; i++) {
        filters[i] = filter_of(&pairs[i], arena);
        if (filters[i] == NULL)
            return NULL;
    }
    return filters;
}

void vts_message_encode(struct vts_buf *buf, const ProtobufCMessage *message)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    char *room = vts_buf_reserve(buf, len);

    if (room != NULL)
        vts_buf_commit(buf, protobuf_c_message_pack(message, (uint8_t *)room));
}

static enum vts_client_code write_json(const ProtobufCMessage *message,
                                       const struct vts_json_write_options *options,
                                       char **ret_json)
{
    enum vts_client_code code = VTS_CLIENT_NO_MEMORY;
    struct vts_buf buf;

    vts_buf_init(&buf, MAX_JSON_BYTES);
    if (vts_json_write(&buf, message, options) == VTS_OK) {
        char *json = vts_mem_strndup(buf.ptr, buf.len);

        if (json != NULL) {
            *ret_json = json;
            code = VTS_CLIENT_OK;
        }
    }
    vts_buf_fini(&buf);
    return code;
}

enum vts_client_code vts_message_to_json(const ProtobufCMessage *message,
                                         const struct vts_json_types *types, char **ret_json)
{
    /* What a server put into an error's details is of types not known here. */
    const struct vts_json_write_options options = {
        .types = types, .enums = VTS_JSON_ENUM_WORDS, .any_as_bytes = true};

    return write_json(message, &options, ret_json);
}

enum vts_client_code vts_message_to_proto_json(const ProtobufCMessage *message, char **ret_json)
{
    struct vts_str set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len);
    struct vts_json_types types = {.descriptors = NULL};
    const struct vts_json_write_options options = {.types = &types, .any_as_bytes = true};
    struct vts_descriptors *descriptors = NULL;
    enum vts_client_code code;

    /* It alone tells a map from a list of entries. */
    if (vts_descriptors_new(set, &descriptors) != VTS_OK)
        return VTS_CLIENT_NO_MEMORY;
    types.descriptors = descriptors;
    code = write_json(message, &options, ret_json);
    vts_descriptors_free(descriptors);
    return code;
}

bool vts_message_time_is_valid(const Google__Protobuf__Timestamp *time)
{
    return time == NULL || vts_pb_timestamp_is_valid(time->seconds, time->nanos);
}

bool vts_message_duration_is_valid(const Google__Protobuf__Duration *duration)
{
    return duration == NULL || vts_pb_duration_is_valid(duration->seconds, duration->nanos);
}

int64_t vts_message_time_ns(const Google__Protobuf__Timestamp *time)
{
    return time == NULL ? 0 : vts_pb_timestamp_ns(time);
}

double vts_message_duration_s(const Google__Protobuf__Duration *duration)
{
    if (duration == NULL)
        return 0;
    return (double)duration->seconds + (double)duration->nanos / VTS_NS_PER_S;
}

void vts_message_set_duration(Google__Protobuf__Duration *duration, double seconds)
{
    int64_t ns = (int64_t)llround(seconds * VTS_NS_PER_S);

    duration->seconds = ns / VTS_NS_PER_S;
    duration->nanos = (int32_t)(ns % VTS_NS_PER_S);
}
