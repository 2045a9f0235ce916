/* SPDX-License-Identifier: Apache-2.0 */
/* A hash table of pointers, made for millions of them: twelve bytes a slot, nothing an item.
 *
 * The table knows the hashes of its items, 32 bits each, and asks the caller which item of a hash
 * is meant. The hash must be one that peers cannot steer (common/base/hash.h). Its maximum is the
 * caller's: adding never allocates, reserving does. */
#ifndef VTS_BASE_TABLE_H
#define VTS_BASE_TABLE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/* Zeroed, it is an empty table. */
struct vts_table {
    uint32_t *hashes; /* 0: the slot is free */
    void **items;
    size_t cap; /* 0, or a power of two */
    size_t count;
};

typedef bool (*vts_table_match_fn)(const void *item, const void *key);

/* Frees the table, not the items. */
void vts_table_fini(struct vts_table *table);
/* Makes room for `count` items in all. VTS_ERR_NOMEM; the table is as it was then. */
VTS_MUST_CHECK enum vts_err vts_table_reserve(struct vts_table *table, size_t count);
/* Room must have been reserved. Nobody looks whether there is an equal item. */
void vts_table_add(struct vts_table *table, uint32_t hash, void *item);
/* An item of that hash that matches the key; NULL when there is none. */
void *vts_table_find(const struct vts_table *table, uint32_t hash, vts_table_match_fn match,
                     const void *key);
/* Does nothing when the item is not there. */
void vts_table_remove(struct vts_table *table, uint32_t hash, const void *item);

#endif
