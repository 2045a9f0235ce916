/* SPDX-License-Identifier: Apache-2.0 */
/* The last status of each job with its ETag, so that a 304 has something to stand for. A fixed
 * number of jobs; the one not used for longest makes room. */
#ifndef VTS_CLIENT_STATUS_CACHE_H
#define VTS_CLIENT_STATUS_CACHE_H

#include <vtstatus/client.h>

enum {
    VTS_STATUS_CACHE_MAX_ENTRIES = 64,
    /* Larger ones are asked for in full each time; a real one takes well under 4 KiB. */
    VTS_STATUS_CACHE_MAX_STATUS_BYTES = 64 * 1024,
};

struct vts_status_cache_entry {
    struct vts_status *status; /* NULL: the entry is free. It knows its job's id */
    char etag[128];
    uint64_t used_at; /* on the cache's own count */
};

struct vts_status_cache {
    struct vts_status_cache_entry entries[VTS_STATUS_CACHE_MAX_ENTRIES];
    uint64_t clock;
};

/* Borrowed until the cache is next changed; NULL when there is none. */
const struct vts_status_cache_entry *vts_status_cache_find(struct vts_status_cache *cache,
                                                           const char *job_id);
/* Takes a reference of its own. An ETag that is empty or too long makes it forget the job. */
void vts_status_cache_put(struct vts_status_cache *cache, struct vts_status *status,
                          const char *etag);
void vts_status_cache_fini(struct vts_status_cache *cache);

#endif
