/* SPDX-License-Identifier: Apache-2.0 */
/* table.c - open addressing with linear probing.
 *
 * Three quarters of the slots are in use at most. Removing closes the gap at once by moving later
 * items of the same run forward, so that there are no marks of former items to step over.
 */
#include "common/base/table.h"

#include "common/base/assert.h"
#include "common/base/mem.h"

enum { MIN_CAP = 16 };

void vts_table_fini(struct vts_table *table)
{
    vts_mem_free(table->hashes);
    vts_mem_free(table->items);
    *table = (struct vts_table){.cap = 0};
}

static size_t room_of(size_t cap)
{
    return cap / 4 * 3;
}

/* 0 is the mark of a free slot, so that hash becomes another one. */
static uint32_t mark_of(uint32_t hash)
{
    return hash == 0 ? 1 : hash;
}

static size_t next_slot(const struct vts_table *table, size_t slot)
{
    return (slot + 1) & (table->cap - 1);
}

void vts_table_add(struct vts_table *table, uint32_t hash, void *item)
{
    size_t slot = mark_of(hash) & (table->cap - 1);

    VTS_ASSERT(table->count < room_of(table->cap));
    while (table->hashes[slot] != 0)
        slot = next_slot(table, slot);
    table->hashes[slot] = mark_of(hash);
    table->items[slot] = item;
    table->count++;
}

enum vts_err vts_table_reserve(struct vts_table *table, size_t count)
{
    struct vts_table larger = {.cap = table->cap == 0 ? MIN_CAP : table->cap};

    if (count <= room_of(table->cap))
        return VTS_OK;
    while (room_of(larger.cap) < count)
        larger.cap *= 2;
    larger.hashes = vts_mem_zalloc(larger.cap * sizeof(*larger.hashes));
    larger.items = vts_mem_alloc(larger.cap * sizeof(*larger.items));
    if (larger.hashes == NULL || larger.items == NULL) {
        vts_table_fini(&larger);
        return VTS_ERR_NOMEM;
    }
    for (size_t slot = 0; slot < table->cap; slot++)
        if (table->hashes[slot] != 0)
            vts_table_add(&larger, table->hashes[slot], table->items[slot]);
    vts_table_fini(table);
    *table = larger;
    return VTS_OK;
}

void *vts_table_find(const struct vts_table *table, uint32_t hash, vts_table_match_fn match,
                     const void *key)
{
    uint32_t mark = mark_of(hash);

    if (table->count == 0)
        return NULL;
    for (size_t slot = mark & (table->cap - 1); table->hashes[slot] != 0;
         slot = next_slot(table, slot))
        if (table->hashes[slot] == mark && match(table->items[slot], key))
            return table->items[slot];
    return NULL;
}

/* Moves what may not stay behind a gap into it, and the gap with it, to the end of the run. */
static void close_gap(struct vts_table *table, size_t gap)
{
    size_t mask = table->cap - 1;

    for (size_t slot = next_slot(table, gap); table->hashes[slot] != 0;
         slot = next_slot(table, slot)) {
        size_t home = table->hashes[slot] & mask;

        if (((slot - home) & mask) < ((slot - gap) & mask))
            continue; /* its home lies behind the gap */
        table->hashes[gap] = table->hashes[slot];
        table->items[gap] = table->items[slot];
        gap = slot;
    }
    table->hashes[gap] = 0;
}

void vts_table_remove(struct vts_table *table, uint32_t hash, const void *item)
{
    if (table->count == 0)
        return;
    for (size_t slot = mark_of(hash) & (table->cap - 1); table->hashes[slot] != 0;
         slot = next_slot(table, slot)) {
        if (table->items[slot] != item)
            continue;
        table->count--;
        close_gap(table, slot);
        return;
    }
}
