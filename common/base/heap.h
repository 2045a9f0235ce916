/* SPDX-License-Identifier: Apache-2.0 */
/* A heap of what is due: the earliest first. Its nodes live inside what waits. */
#ifndef VTS_BASE_HEAP_H
#define VTS_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Zeroed, it is in no heap. */
struct vts_heap_node {
    int64_t due_ns; /* on the clock of the heap's owner */
    uint32_t place; /* in the heap, from 1; 0: in none */
};

/* Zeroed, it is an empty heap. */
struct vts_heap {
    struct vts_heap_node **nodes;
    size_t cap;
    size_t count;
};

/* Frees the heap, not the nodes. */
void vts_heap_fini(struct vts_heap *heap);
/* Makes room for `count` nodes in all. VTS_ERR_NOMEM; the heap is as it was then. */
VTS_MUST_CHECK enum vts_err vts_heap_reserve(struct vts_heap *heap, size_t count);
/* Puts the node in, for which room must have been reserved, or moves it. */
void vts_heap_set(struct vts_heap *heap, struct vts_heap_node *node, int64_t due_ns);
/* Does nothing when the node is in no heap. */
void vts_heap_remove(struct vts_heap *heap, struct vts_heap_node *node);
/* The earliest; NULL when there is none. */
struct vts_heap_node *vts_heap_first(const struct vts_heap *heap);

#endif
