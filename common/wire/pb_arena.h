/* SPDX-License-Identifier: Apache-2.0 */
/* An allocator for protobuf-c that takes from an arena. */
#ifndef VTS_WIRE_PB_ARENA_H
#define VTS_WIRE_PB_ARENA_H

#include <protobuf-c/protobuf-c.h>

#include "common/base/arena.h"

/* Frees nothing: what is unpacked with it lives as long as the arena's content, and needs no
 * free_unpacked. When unpacking fails, vts_arena_check tells whether memory was the reason. The
 * arena must stay where it is while the allocator is used. */
ProtobufCAllocator vts_pb_arena_allocator(struct vts_arena *arena);
/* An empty message of the type, in the arena; NULL as vts_arena_alloc(). */
VTS_MUST_CHECK void *vts_pb_arena_new(struct vts_arena *arena,
                                      const ProtobufCMessageDescriptor *type);
/* A copy of the message and all it holds, in the arena; NULL as vts_arena_alloc(). */
VTS_MUST_CHECK void *vts_pb_arena_copy(struct vts_arena *arena, const ProtobufCMessage *message);

#endif
