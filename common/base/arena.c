/* SPDX-License-Identifier: Apache-2.0 */
/* arena.c - cuts allocations off the front of blocks.
 *
 * The first block is small, so that the allocator's cache of the thread serves it; each further one
 * is twice as large as the one before, up to MAX_BLOCK_BYTES. What is larger than that next block
 * has a block of its own, so that the room of the present one is not lost. Under AddressSanitizer
 * what is not handed out is poisoned, with a gap between allocations.
 */
#include "common/base/arena.h"

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"

enum {
    ALIGN_BYTES = 16,
    FIRST_BLOCK_BYTES = 1024, /* glibc caches up to 1032 for each thread */
    MAX_BLOCK_BYTES = 64 * 1024,
};

struct vts_arena_block {
    struct vts_arena_block *next;
    size_t size; /* of all of it */
    _Alignas(ALIGN_BYTES) char bytes[];
};

/* Of AddressSanitizer's runtime; NULL in a program without it. */
__attribute__((weak)) void __asan_poison_memory_region(const volatile void *ptr, size_t size);
__attribute__((weak)) void __asan_unpoison_memory_region(const volatile void *ptr, size_t size);

static bool has_sanitizer(void)
{
    return __asan_poison_memory_region != NULL && __asan_unpoison_memory_region != NULL;
}

static void poison(const void *ptr, size_t size)
{
    if (has_sanitizer())
        __asan_poison_memory_region(ptr, size);
}

static void unpoison(const void *ptr, size_t size)
{
    if (has_sanitizer())
        __asan_unpoison_memory_region(ptr, size);
}

static size_t payload_bytes(const struct vts_arena_block *block)
{
    return block->size - sizeof(*block);
}

static struct vts_arena_block *make_block(size_t size)
{
    struct vts_arena_block *block = vts_mem_alloc(size);

    if (block == NULL)
        return NULL;
    *block = (struct vts_arena_block){.size = size};
    poison(block->bytes, payload_bytes(block));
    return block;
}

static void free_block(struct vts_arena_block *block)
{
    unpoison(block->bytes, payload_bytes(block));
    vts_mem_free(block);
}

static void use_from_start(struct vts_arena *arena, struct vts_arena_block *block)
{
    arena->at = block->bytes;
    arena->room_bytes = payload_bytes(block);
}

void vts_arena_init(struct vts_arena *arena, size_t max_bytes)
{
    *arena = (struct vts_arena){.left_bytes = max_bytes, .max_bytes = max_bytes};
}

void vts_arena_fini(struct vts_arena *arena)
{
    struct vts_arena_block *block = arena->blocks;

    while (block != NULL) {
        struct vts_arena_block *next = block->next;

        free_block(block);
        block = next;
    }
    vts_arena_init(arena, arena->max_bytes);
}

/* Takes the largest block up to that size out of the list; NULL when there is none. */
static struct vts_arena_block *take_largest(struct vts_arena *arena, size_t max_bytes)
{
    struct vts_arena_block **found = NULL;
    struct vts_arena_block *block = NULL;

    for (struct vts_arena_block **link = &arena->blocks; *link != NULL; link = &(*link)->next)
        if ((*link)->size <= max_bytes && (found == NULL || (*link)->size > (*found)->size))
            found = link;
    if (found != NULL) {
        block = *found;
        *found = block->next;
    }
    return block;
}

static void reset(struct vts_arena *arena, size_t kept_max_bytes)
{
    struct vts_arena_block *kept = take_largest(arena, kept_max_bytes);

    vts_arena_fini(arena);
    if (kept == NULL)
        return;
    kept->next = NULL;
    poison(kept->bytes, payload_bytes(kept));
    arena->blocks = kept;
    use_from_start(arena, kept);
}

void vts_arena_reset(struct vts_arena *arena)
{
    reset(arena, FIRST_BLOCK_BYTES);
}

void vts_arena_rewind(struct vts_arena *arena)
{
    reset(arena, MAX_BLOCK_BYTES);
}

/* A block that becomes the present one. */
static bool add_block(struct vts_arena *arena, size_t size)
{
    struct vts_arena_block *block = make_block(size);

    if (block == NULL)
        return false;
    block->next = arena->blocks;
    arena->blocks = block;
    use_from_start(arena, block);
    return true;
}

/* Behind the present one, which stays so. */
static void *add_own_block(struct vts_arena *arena, size_t size)
{
    struct vts_arena_block *block = make_block(sizeof(*block) + size);

    if (block == NULL)
        return NULL;
    if (arena->blocks == NULL) {
        arena->blocks = block;
    } else {
        block->next = arena->blocks->next;
        arena->blocks->next = block;
    }
    return block->bytes;
}

static size_t next_block_bytes(const struct vts_arena *arena)
{
    /* Without room the newest block may be one of a single allocation. */
    if (arena->at == NULL)
        return FIRST_BLOCK_BYTES;
    return arena->blocks->size >= MAX_BLOCK_BYTES / 2 ? MAX_BLOCK_BYTES : arena->blocks->size * 2;
}

/* size bytes of the heap for a multiple of ALIGN_BYTES. */
static void *take(struct vts_arena *arena, size_t size)
{
    size_t gap = has_sanitizer() ? ALIGN_BYTES : 0;
    size_t next = next_block_bytes(arena);
    char *ptr;

    if (size + gap > arena->room_bytes) {
        if (size + gap > next - sizeof(struct vts_arena_block))
            return add_own_block(arena, size);
        if (!add_block(arena, next))
            return NULL;
    }
    ptr = arena->at;
    arena->at += size + gap;
    arena->room_bytes -= size + gap;
    return ptr;
}

static void *fail(struct vts_arena *arena, enum vts_err err)
{
    if (arena->err == VTS_OK)
        arena->err = err;
    return NULL;
}

void *vts_arena_alloc(struct vts_arena *arena, size_t size)
{
    size_t rounded = size == 0 ? ALIGN_BYTES : (size + ALIGN_BYTES - 1) / ALIGN_BYTES * ALIGN_BYTES;
    void *ptr;

    if (size > SIZE_MAX / 2 || rounded > arena->left_bytes)
        return fail(arena, VTS_ERR_LIMIT);
    ptr = take(arena, rounded);
    if (ptr == NULL)
        return fail(arena, VTS_ERR_NOMEM);
    arena->left_bytes -= rounded;
    unpoison(ptr, size);
    return ptr;
}

char *vts_arena_strndup(struct vts_arena *arena, const char *text, size_t len)
{
    char *copy = len == SIZE_MAX ? fail(arena, VTS_ERR_LIMIT) : vts_arena_alloc(arena, len + 1);

    if (copy == NULL)
        return NULL;
    if (len > 0)
        memcpy(copy, text, len);
    copy[len] = '\0';
    return copy;
}

enum vts_err vts_arena_check(const struct vts_arena *arena)
{
    return arena->err;
}

size_t vts_arena_used_bytes(const struct vts_arena *arena)
{
    return arena->max_bytes - arena->left_bytes;
}
