/* SPDX-License-Identifier: Apache-2.0 */
/* store_memory.c - a hash table of records.
 *
 * A commit first makes everything that takes memory: a copy of each record, and an entry for each
 * id that is new. Then it swaps records in, one write after the other, and on a conflict swaps them
 * out again in reverse; a swap cannot fail. At last the entries that have no record go.
 */
#include "server/store/store_memory.h"

#define uthash_malloc(size) vts_mem_alloc(size)
#define uthash_free(ptr, size) vts_mem_free(ptr)
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "common/base/mem.h"

/* What is kept under an id. Version 0 is nothing, and so between commits no entry has it. */
struct content {
    uint64_t version;
    char *record;
    size_t len;
};

struct entry {
    UT_hash_handle hh;
    struct content content;
    size_t id_len;
    char id[]; /* the key, without NUL */
};

struct memory_store {
    struct vts_store base;
    struct entry *entries;
};

/* One write: before it is swapped in, what will be; after that, what was. */
struct change {
    struct entry *entry;
    struct content content;
};

static struct memory_store *of_base(struct vts_store *base)
{
    return VTS_CONTAINER_OF(base, struct memory_store, base);
}

static void remove_entry(struct memory_store *store, struct entry *entry)
{
    HASH_DELETE(hh, store->entries, entry);
    vts_mem_free(entry->content.record);
    vts_mem_free(entry);
}

static struct entry *find_or_add_entry(struct memory_store *store, struct vts_str id)
{
    struct entry *entry;

    HASH_FIND(hh, store->entries, id.ptr, id.len, entry);
    if (entry != NULL)
        return entry;
    entry = vts_mem_zalloc(sizeof(*entry) + id.len);
    if (entry == NULL)
        return NULL;
    memcpy(entry->id, id.ptr, id.len);
    entry->id_len = id.len;
    HASH_ADD_KEYPTR(hh, store->entries, entry->id, id.len, entry);
    if (entry->hh.tbl != NULL)
        return entry;
    vts_mem_free(entry); /* uthash had no memory */
    return NULL;
}

static enum vts_err prepare_change(struct memory_store *store, const struct vts_store_write *write,
                                   struct change *change)
{
    change->entry = find_or_add_entry(store, write->id);
    if (change->entry == NULL)
        return VTS_ERR_NOMEM;
    change->content.version = write->version;
    if (write->version == 0)
        return VTS_OK;
    change->content.record = vts_mem_alloc(write->record.len);
    if (change->content.record == NULL)
        return VTS_ERR_NOMEM;
    if (write->record.len > 0)
        memcpy(change->content.record, write->record.ptr, write->record.len);
    change->content.len = write->record.len;
    return VTS_OK;
}

static void swap(struct change *change)
{
    struct content content = change->entry->content;

    change->entry->content = change->content;
    change->content = content;
}

/* All or none of them. */
static enum vts_err swap_all(struct change *changes, const struct vts_store_write *writes,
                             size_t count, struct vts_error *error)
{
    for (size_t i = 0; i < count; i++) {
        uint64_t version = changes[i].entry->content.version;

        if (version == writes[i].expected_version) {
            swap(&changes[i]);
            continue;
        }
        for (size_t undone = i; undone > 0; undone--)
            swap(&changes[undone - 1]);
        return vts_error_set(error, VTS_ERR_CONFLICT, "%.*s is at version %llu, not %llu",
                             (int)writes[i].id.len, writes[i].id.ptr, (unsigned long long)version,
                             (unsigned long long)writes[i].expected_version);
    }
    return VTS_OK;
}

/* Frees what the changes hold, and the entries that have no record. Several changes may share an
 * entry, so each looks it up anew. */
static void finish_changes(struct memory_store *store, struct change *changes,
                           const struct vts_store_write *writes, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct entry *entry;

        vts_mem_free(changes[i].content.record);
        HASH_FIND(hh, store->entries, writes[i].id.ptr, writes[i].id.len, entry);
        if (entry != NULL && entry->content.version == 0)
            remove_entry(store, entry);
    }
    vts_mem_free(changes);
}

static enum vts_err commit(struct vts_store *base, const struct vts_store_write *writes,
                           size_t count, struct vts_error *error)
{
    struct memory_store *store = of_base(base);
    struct change *changes = vts_mem_zalloc(count * sizeof(*changes));
    enum vts_err err = VTS_OK;

    if (changes == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "no memory for a commit");
    for (size_t i = 0; i < count && err == VTS_OK; i++)
        err = prepare_change(store, &writes[i], &changes[i]);
    if (err == VTS_OK)
        err = swap_all(changes, writes, count, error);
    else
        (void)vts_error_set(error, err, "no memory for a commit"); /* err is kept */
    finish_changes(store, changes, writes, count);
    return err;
}

static enum vts_err load(struct vts_store *base, vts_store_load_fn load_record, void *context,
                         struct vts_error *error)
{
    struct entry *entry;
    struct entry *next;

    (void)error; /* nothing of its own can fail */
    HASH_ITER(hh, of_base(base)->entries, entry, next)
    {
        enum vts_err err =
            load_record(context, vts_str_make(entry->id, entry->id_len), entry->content.version,
                        vts_str_make(entry->content.record, entry->content.len));

        if (err != VTS_OK)
            return err;
    }
    return VTS_OK;
}

static void tidy(struct vts_store *base)
{
    (void)base; /* it is always tidy */
}

static void close_store(struct vts_store *base)
{
    struct memory_store *store = of_base(base);
    struct entry *entry;
    struct entry *next;

    HASH_ITER(hh, store->entries, entry, next)
    remove_entry(store, entry);
    vts_mem_free(store);
}

static const struct vts_store_ops store_memory_ops = {
    .name = "memory",
    .load = load,
    .commit = commit,
    .tidy = tidy,
    .close = close_store,
};

enum vts_err vts_store_memory_new(struct vts_store **ret_store)
{
    struct memory_store *store = vts_mem_zalloc(sizeof(*store));

    if (store == NULL)
        return VTS_ERR_NOMEM;
    store->base.ops = &store_memory_ops;
    *ret_store = &store->base;
    return VTS_OK;
}
