/* SPDX-License-Identifier: Apache-2.0 */
/* status_cache.c - 64 entries, found by looking at each: nothing beside the request it saves. */
#include "client/src/status_cache.h"

#include <string.h>

#include "client/src/status.h"

static struct vts_status_cache_entry *find(struct vts_status_cache *cache, const char *job_id)
{
    for (size_t i = 0; i < VTS_STATUS_CACHE_MAX_ENTRIES; i++) {
        struct vts_status_cache_entry *entry = &cache->entries[i];

        if (entry->status != NULL && strcmp(vts_status_job_id(entry->status), job_id) == 0)
            return entry;
    }
    return NULL;
}

static struct vts_status_cache_entry *least_used(struct vts_status_cache *cache)
{
    struct vts_status_cache_entry *oldest = &cache->entries[0];

    for (size_t i = 0; i < VTS_STATUS_CACHE_MAX_ENTRIES; i++) {
        struct vts_status_cache_entry *entry = &cache->entries[i];

        if (entry->status == NULL)
            return entry;
        if (entry->used_at < oldest->used_at)
            oldest = entry;
    }
    return oldest;
}

static void drop(struct vts_status_cache_entry *entry)
{
    vts_status_free(entry->status);
    entry->status = NULL;
}

const struct vts_status_cache_entry *vts_status_cache_find(struct vts_status_cache *cache,
                                                           const char *job_id)
{
    struct vts_status_cache_entry *entry = find(cache, job_id);

    if (entry != NULL)
        entry->used_at = ++cache->clock;
    return entry;
}

void vts_status_cache_put(struct vts_status_cache *cache, struct vts_status *status,
                          const char *etag)
{
    struct vts_status_cache_entry *entry = find(cache, vts_status_job_id(status));
    bool is_kept = etag[0] != '\0' && strlen(etag) < sizeof(entry->etag) &&
                   vts_status_memory_bytes(status) <= VTS_STATUS_CACHE_MAX_STATUS_BYTES;

    if (entry != NULL)
        drop(entry);
    if (!is_kept)
        return;
    if (entry == NULL)
        entry = least_used(cache);
    drop(entry);
    entry->status = vts_status_ref(status);
    memcpy(entry->etag, etag, strlen(etag) + 1);
    entry->used_at = ++cache->clock;
}

void vts_status_cache_fini(struct vts_status_cache *cache)
{
    for (size_t i = 0; i < VTS_STATUS_CACHE_MAX_ENTRIES; i++)
        drop(&cache->entries[i]);
}
