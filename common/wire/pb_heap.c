/* SPDX-License-Identifier: Apache-2.0 */
/* pb_heap.c - counts down and passes on. */
#include "common/wire/pb_heap.h"

#include "common/base/mem.h"

static void *allocate(void *context, size_t size)
{
    struct vts_pb_heap *heap = context;
    void *ptr = size > heap->left_bytes ? NULL : vts_mem_alloc(size);

    if (ptr != NULL)
        heap->left_bytes -= size;
    else if (heap->err == VTS_OK)
        heap->err = size > heap->left_bytes ? VTS_ERR_LIMIT : VTS_ERR_NOMEM;
    return ptr;
}

static void release(void *context, void *ptr)
{
    (void)context;
    vts_mem_free(ptr);
}

void vts_pb_heap_init(struct vts_pb_heap *heap, size_t budget_bytes)
{
    *heap = (struct vts_pb_heap){
        .allocator = {.alloc = allocate, .free = release, .allocator_data = heap},
        .left_bytes = budget_bytes,
    };
}

static void *allocate_plain(void *context, size_t size)
{
    (void)context;
    return vts_mem_alloc(size);
}

ProtobufCAllocator *vts_pb_heap_plain(void)
{
    static ProtobufCAllocator plain = {.alloc = allocate_plain, .free = release};

    return &plain;
}
