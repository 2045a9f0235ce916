/* SPDX-License-Identifier: Apache-2.0 */
/* pb_arena.c - passes on; the arena counts, and remembers why it failed. */
#include "common/wire/pb_arena.h"

static void *allocate(void *context, size_t size)
{
    struct vts_arena *arena = context;

    return vts_arena_alloc(arena, size);
}

static void release(void *context, void *ptr)
{
    (void)context; /* nothing in an arena is freed singly */
    (void)ptr;
}

ProtobufCAllocator vts_pb_arena_allocator(struct vts_arena *arena)
{
    return (ProtobufCAllocator){.alloc = allocate, .free = release, .allocator_data = arena};
}

void *vts_pb_arena_new(struct vts_arena *arena, const ProtobufCMessageDescriptor *type)
{
    void *message = vts_arena_alloc(arena, type->sizeof_message);

    if (message != NULL)
        protobuf_c_message_init(type, message);
    return message;
}

void *vts_pb_arena_copy(struct vts_arena *arena, const ProtobufCMessage *message)
{
    ProtobufCAllocator allocator = vts_pb_arena_allocator(arena);
    size_t len = protobuf_c_message_get_packed_size(message);
    uint8_t *bytes = vts_arena_alloc(arena, len);

    if (bytes == NULL)
        return NULL;
    (void)protobuf_c_message_pack(message, bytes); /* as many as it said */
    return protobuf_c_message_unpack(message->descriptor, &allocator, len, bytes);
}
