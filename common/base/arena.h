/* SPDX-License-Identifier: Apache-2.0 */
/* Memory for one piece of work, such as a call: taken bit by bit, given back all at once.
 *
 * Nothing in an arena is freed singly or outlives it. */
#ifndef VTS_BASE_ARENA_H
#define VTS_BASE_ARENA_H

#include <stddef.h>

#include "common/base/err.h"

struct vts_arena_block;

struct vts_arena {
    struct vts_arena_block *blocks; /* the one in use first */
    char *at;                       /* what is free in it */
    size_t room_bytes;              /* from at on */
    size_t left_bytes;              /* of the budget */
    size_t max_bytes;
    enum vts_err err;
};

/* The budget counts allocations, each rounded up to a multiple of 16; the heap may be asked for
 * about twice as much. Allocates nothing yet. */
void vts_arena_init(struct vts_arena *arena, size_t max_bytes);
void vts_arena_fini(struct vts_arena *arena);
/* Frees everything but one small block, which serves the next piece of work; the budget is whole
 * again and failures are forgotten. */
void vts_arena_reset(struct vts_arena *arena);
/* The same, but keeps the largest block, up to 64 KiB: for pieces of work without end. */
void vts_arena_rewind(struct vts_arena *arena);
/* 16-byte aligned, not cleared. NULL past the budget or without memory; after that a smaller one
 * may still succeed. Size 0 is allowed. */
VTS_MUST_CHECK void *vts_arena_alloc(struct vts_arena *arena, size_t size);
/* Copies len bytes and adds a NUL; NULL as above. text may be NULL when len is 0. */
VTS_MUST_CHECK char *vts_arena_strndup(struct vts_arena *arena, const char *text, size_t len);
/* VTS_OK, or what the first failed allocation met: VTS_ERR_LIMIT or VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_arena_check(const struct vts_arena *arena);
/* What allocations have taken of the budget. */
size_t vts_arena_used_bytes(const struct vts_arena *arena);

#endif
