/* SPDX-License-Identifier: Apache-2.0 */
/* identities.c - a table of names with a lock; what is counted needs none. */
#include "server/guard/identities.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/hash.h"
#include "common/base/mem.h"
#include "common/base/table.h"

struct vts_identity {
    _Atomic uint64_t held;
    size_t connections; /* with the lock */
    uint32_t hash;
    char name[];
};

struct vts_identities {
    pthread_mutex_t lock;
    struct vts_hash_key key;
    struct vts_table table;
};

enum vts_err vts_identities_new(struct vts_identities **ret_identities)
{
    struct vts_identities *identities = vts_mem_zalloc(sizeof(*identities));

    if (identities == NULL)
        return VTS_ERR_NOMEM;
    if (pthread_mutex_init(&identities->lock, NULL) != 0) {
        vts_mem_free(identities);
        return VTS_ERR_NOMEM;
    }
    identities->key = vts_hash_key_from_system();
    *ret_identities = identities;
    return VTS_OK;
}

void vts_identities_free(struct vts_identities *identities)
{
    if (identities == NULL)
        return;
    VTS_ASSERT(identities->table.count == 0);
    vts_table_fini(&identities->table);
    (void)pthread_mutex_destroy(&identities->lock); /* nobody holds it */
    vts_mem_free(identities);
}

static bool has_name(const void *item, const void *name)
{
    const struct vts_identity *identity = item;

    return strcmp(identity->name, name) == 0;
}

/* With the lock; NULL without memory. */
static struct vts_identity *add(struct vts_identities *identities, uint32_t hash, const char *name)
{
    size_t len = strlen(name);
    struct vts_identity *identity = vts_mem_alloc(sizeof(*identity) + len + 1);

    if (identity == NULL ||
        vts_table_reserve(&identities->table, identities->table.count + 1) != VTS_OK) {
        vts_mem_free(identity);
        return NULL;
    }
    atomic_init(&identity->held, 0);
    identity->connections = 0;
    identity->hash = hash;
    memcpy(identity->name, name, len + 1);
    vts_table_add(&identities->table, hash, identity);
    return identity;
}

enum vts_err vts_identities_enter(struct vts_identities *identities, const char *name,
                                  struct vts_identity **ret_identity)
{
    uint32_t hash = (uint32_t)vts_hash(&identities->key, vts_str_of(name)) | 1; /* 0 means free */
    struct vts_identity *identity;

    pthread_mutex_lock(&identities->lock);
    identity = vts_table_find(&identities->table, hash, has_name, name);
    if (identity == NULL)
        identity = add(identities, hash, name);
    if (identity != NULL)
        identity->connections++;
    pthread_mutex_unlock(&identities->lock);
    if (identity == NULL)
        return VTS_ERR_NOMEM;
    *ret_identity = identity;
    return VTS_OK;
}

void vts_identities_leave(struct vts_identities *identities, struct vts_identity *identity)
{
    bool is_last;

    if (identity == NULL)
        return;
    pthread_mutex_lock(&identities->lock);
    is_last = --identity->connections == 0;
    if (is_last)
        vts_table_remove(&identities->table, identity->hash, identity);
    pthread_mutex_unlock(&identities->lock);
    if (is_last)
        vts_mem_free(identity);
}

const char *vts_identity_name(const struct vts_identity *identity)
{
    return identity->name;
}

bool vts_identity_hold(struct vts_identity *identity, uint64_t max)
{
    if (atomic_fetch_add(&identity->held, 1) < max)
        return true;
    (void)atomic_fetch_sub(&identity->held, 1);
    return false;
}

void vts_identity_let_go(struct vts_identity *identity)
{
    uint64_t held = atomic_fetch_sub(&identity->held, 1);

    VTS_ASSERT(held > 0);
}
