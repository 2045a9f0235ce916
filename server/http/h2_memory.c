/* SPDX-License-Identifier: Apache-2.0 */
/* h2_memory.c - an allocator for nghttp2 that knows its two large blocks, and keeps the small ones.
 *
 * The large ones are known by when they are asked for, while a session is made, and by their size.
 * Later requests as large are header values and further frames of a header block, which are private
 * to their session. Pages lie in one mapping, reserved for the most sessions there may be; a page
 * that nobody wrote to is not resident.
 */
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "server/http/h2_session.h"

enum {
    FRAME_BYTES = 16 * 1024,
    FRAME_BUFFER_BYTES = FRAME_BYTES + 64,
    PAGE_BYTES = 4096,
    CLASS_STEP_BYTES = 32,
    CLASSES = 16,
    IDLE_BLOCKS_MAX = 1024, /* of one size class */
};

/* Stands before every block from the heap. */
union block {
    struct {
        union block *next;   /* while idle */
        uint32_t size_class; /* CLASSES: too large to keep */
    } of;
    max_align_t alignment;
};

struct vts_h2_memory {
    bool is_making_session;
    bool is_buffer_lent; /* to the session being made */
    void *page;          /* of the session being made */
    char *pages;         /* the mapping; NULL when the system refused it */
    size_t pages_max;
    size_t pages_begun; /* pages behind these were never used */
    /* A stack of pages that are free again; it lies behind the pages in the mapping. */
    uint32_t *free_pages;
    size_t free_count;
    union block *idle[CLASSES];
    uint32_t idle_count[CLASSES];
    char frame_buffer[FRAME_BUFFER_BYTES];
};

static size_t mapping_bytes(size_t pages_max)
{
    return pages_max * (PAGE_BYTES + sizeof(uint32_t));
}

struct vts_h2_memory *vts_h2_memory_new(size_t sessions_max)
{
    struct vts_h2_memory *memory = vts_mem_zalloc(sizeof(*memory));

    if (memory == NULL)
        return NULL;
    memory->pages_max = sessions_max;
    memory->pages = mmap(NULL, mapping_bytes(sessions_max), PROT_READ | PROT_WRITE,
                         MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory->pages == MAP_FAILED) {
        memory->pages = NULL;
        memory->pages_max = 0;
    } else {
        memory->free_pages = (uint32_t *)(void *)(memory->pages + sessions_max * PAGE_BYTES);
    }
    return memory;
}

void vts_h2_memory_free(struct vts_h2_memory *memory)
{
    if (memory == NULL)
        return;
    if (memory->pages != NULL)
        (void)munmap(memory->pages, mapping_bytes(memory->pages_max)); /* it is ours */
    for (int i = 0; i < CLASSES; i++) {
        while (memory->idle[i] != NULL) {
            union block *block = memory->idle[i];

            memory->idle[i] = block->of.next;
            vts_mem_free(block);
        }
    }
    vts_mem_free(memory);
}

static void *take_page(struct vts_h2_memory *memory)
{
    size_t place;

    if (memory->free_count > 0)
        place = memory->free_pages[--memory->free_count];
    else if (memory->pages_begun < memory->pages_max)
        place = memory->pages_begun++;
    else
        return NULL;
    return memory->pages + place * PAGE_BYTES;
}

/* Back to the system: it reads as zeros when it is next used. */
static void drop_page(void *page)
{
    (void)madvise(page, PAGE_BYTES, MADV_DONTNEED); /* cannot fail for a page of our mapping */
}

static bool is_page(const struct vts_h2_memory *memory, const void *ptr)
{
    const char *at = ptr;

    return memory->pages != NULL && at >= memory->pages &&
           at < memory->pages + memory->pages_max * PAGE_BYTES;
}

static void give_back_page(struct vts_h2_memory *memory, void *ptr)
{
    drop_page(ptr);
    memory->free_pages[memory->free_count++] =
        (uint32_t)((size_t)((char *)ptr - memory->pages) / PAGE_BYTES);
}

/* A request makes a dozen small blocks that live as long as it does; what was freed last is used
 * first. */
static void *take_block(struct vts_h2_memory *memory, size_t size)
{
    size_t size_class = size == 0 ? 0 : (size - 1) / CLASS_STEP_BYTES;
    union block *block;

    if (size_class >= CLASSES) {
        size_class = CLASSES;
        block = vts_mem_alloc(sizeof(*block) + size);
    } else if (memory->idle[size_class] != NULL) {
        block = memory->idle[size_class];
        memory->idle[size_class] = block->of.next;
        memory->idle_count[size_class]--;
    } else {
        block = vts_mem_alloc(sizeof(*block) + (size_class + 1) * CLASS_STEP_BYTES);
    }
    if (block == NULL)
        return NULL;
    block->of.size_class = (uint32_t)size_class;
    return block + 1;
}

static void give_back_block(struct vts_h2_memory *memory, void *ptr)
{
    union block *block = (union block *)ptr - 1;
    uint32_t size_class = block->of.size_class;

    if (size_class == CLASSES || memory->idle_count[size_class] == IDLE_BLOCKS_MAX) {
        vts_mem_free(block);
        return;
    }
    block->of.next = memory->idle[size_class];
    memory->idle[size_class] = block;
    memory->idle_count[size_class]++;
}

static void *allocate(size_t size, void *user)
{
    struct vts_h2_memory *memory = user;

    if (!memory->is_making_session || memory->is_buffer_lent || size < FRAME_BYTES ||
        size > FRAME_BUFFER_BYTES)
        return take_block(memory, size);
    memory->is_buffer_lent = true;
    return memory->frame_buffer;
}

static void *allocate_zeroed(size_t count, size_t size, void *user)
{
    struct vts_h2_memory *memory = user;
    void *ptr;

    if (memory->is_making_session && memory->page == NULL && count * size == PAGE_BYTES) {
        memory->page = take_page(memory);
        if (memory->page != NULL)
            return memory->page;
    }
    ptr = take_block(memory, count * size); /* of nghttp2's own structs: no overflow */
    if (ptr != NULL)
        memset(ptr, 0, count * size);
    return ptr;
}

static void release(void *ptr, void *user)
{
    struct vts_h2_memory *memory = user;

    if (ptr == NULL || ptr == memory->frame_buffer)
        return;
    if (is_page(memory, ptr))
        give_back_page(memory, ptr);
    else
        give_back_block(memory, ptr);
}

static void *resize(void *ptr, size_t size, void *user)
{
    struct vts_h2_memory *memory = user;
    union block *block;

    if (ptr == NULL)
        return allocate(size, user);
    /* nghttp2 replaces frame buffers and tables, it does not grow them in place. */
    VTS_ASSERT(ptr != memory->frame_buffer && !is_page(memory, ptr));
    block = (union block *)ptr - 1;
    if (block->of.size_class < CLASSES &&
        size <= (size_t)(block->of.size_class + 1) * CLASS_STEP_BYTES)
        return ptr;
    block = vts_mem_realloc(block, sizeof(*block) + size);
    if (block == NULL)
        return NULL;
    block->of.size_class = CLASSES;
    return block + 1;
}

enum vts_err vts_h2_memory_new_session(struct vts_h2_memory *memory,
                                       const nghttp2_session_callbacks *callbacks,
                                       const nghttp2_option *options, void *user,
                                       nghttp2_session **ret_session, void **ret_page)
{
    nghttp2_mem allocator = {.mem_user_data = memory,
                             .malloc = allocate,
                             .free = release,
                             .calloc = allocate_zeroed,
                             .realloc = resize};
    int result;

    memory->is_making_session = true;
    memory->is_buffer_lent = false;
    memory->page = NULL;
    result = nghttp2_session_server_new3(ret_session, callbacks, user, options, &allocator);
    memory->is_making_session = false;
    if (result != 0)
        return VTS_ERR_NOMEM;
    *ret_page = memory->page;
    return VTS_OK;
}

void vts_h2_memory_trim(void *page)
{
    static const char zeros[PAGE_BYTES];

    if (memcmp(page, zeros, PAGE_BYTES) == 0)
        drop_page(page);
}
