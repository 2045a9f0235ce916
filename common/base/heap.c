/* SPDX-License-Identifier: Apache-2.0 */
/* heap.c - a binary heap in an array; each node knows its place there. */
#include "common/base/heap.h"

#include "common/base/assert.h"
#include "common/base/mem.h"

enum { MIN_CAP = 16 };

void vts_heap_fini(struct vts_heap *heap)
{
    vts_mem_free(heap->nodes);
    *heap = (struct vts_heap){.cap = 0};
}

enum vts_err vts_heap_reserve(struct vts_heap *heap, size_t count)
{
    size_t cap = heap->cap == 0 ? MIN_CAP : heap->cap;
    struct vts_heap_node **nodes;

    if (count <= heap->cap)
        return VTS_OK;
    if (count >= UINT32_MAX)
        return VTS_ERR_NOMEM;
    while (cap < count)
        cap *= 2;
    nodes = vts_mem_realloc(heap->nodes, cap * sizeof(struct vts_heap_node *));
    if (nodes == NULL)
        return VTS_ERR_NOMEM;
    heap->nodes = nodes;
    heap->cap = cap;
    return VTS_OK;
}

static void put(struct vts_heap *heap, size_t place, struct vts_heap_node *node)
{
    heap->nodes[place - 1] = node;
    node->place = (uint32_t)place;
}

static struct vts_heap_node *at(const struct vts_heap *heap, size_t place)
{
    return heap->nodes[place - 1];
}

/* Finds the node's place from a free one on. */
static void sift_up(struct vts_heap *heap, size_t place, struct vts_heap_node *node)
{
    for (; place > 1 && at(heap, place / 2)->due_ns > node->due_ns; place /= 2)
        put(heap, place, at(heap, place / 2));
    put(heap, place, node);
}

static void sift_down(struct vts_heap *heap, size_t place, struct vts_heap_node *node)
{
    for (;;) {
        size_t child = place * 2;

        if (child < heap->count && at(heap, child + 1)->due_ns < at(heap, child)->due_ns)
            child++;
        if (child > heap->count || at(heap, child)->due_ns >= node->due_ns)
            break;
        put(heap, place, at(heap, child));
        place = child;
    }
    put(heap, place, node);
}

void vts_heap_set(struct vts_heap *heap, struct vts_heap_node *node, int64_t due_ns)
{
    int64_t before_ns = node->due_ns;

    node->due_ns = due_ns;
    if (node->place == 0) {
        VTS_ASSERT(heap->count < heap->cap);
        sift_up(heap, ++heap->count, node);
    } else if (due_ns < before_ns) {
        sift_up(heap, node->place, node);
    } else {
        sift_down(heap, node->place, node);
    }
}

void vts_heap_remove(struct vts_heap *heap, struct vts_heap_node *node)
{
    size_t place = node->place;
    struct vts_heap_node *last;

    if (place == 0)
        return;
    last = at(heap, heap->count--);
    node->place = 0;
    if (last == node)
        return;
    if (last->due_ns < node->due_ns)
        sift_up(heap, place, last);
    else
        sift_down(heap, place, last);
}

struct vts_heap_node *vts_heap_first(const struct vts_heap *heap)
{
    return heap->count == 0 ? NULL : at(heap, 1);
}
