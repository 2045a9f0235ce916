/* SPDX-License-Identifier: Apache-2.0 */
/* Where the keeper puts what must not be lost: the interface that a store implements.
 *
 * A record is bytes with a version. Writes compare versions and set, so that a store that several
 * servers share can join. All functions are for the keeper's thread and may block. */
#ifndef VTS_JOBS_STORE_H
#define VTS_JOBS_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/str.h"

struct vts_store;

/* One record to be written or removed. */
struct vts_store_write {
    struct vts_str id;
    uint64_t expected_version; /* what must be there; 0: nothing */
    uint64_t version;          /* what will be; 0: the record is removed */
    struct vts_str record;
};

/* Gets each record while a store is loaded; what it is given is borrowed. An error ends the loading
 * with it. */
typedef enum vts_err (*vts_store_load_fn)(void *context, struct vts_str id, uint64_t version,
                                          struct vts_str record);

struct vts_store_ops {
    const char *name;
    /* Calls load for each record, in no order. VTS_ERR_IO with a text. */
    enum vts_err (*load)(struct vts_store *store, vts_store_load_fn load, void *context,
                         struct vts_error *error);
    /* Writes all or nothing, in the order given, and returns when it is durable. VTS_ERR_CONFLICT:
     * a version was not the expected one. VTS_ERR_IO, with a text for the log: nothing was written,
     * as far as can be known; the next commit may succeed. VTS_ERR_NOMEM. */
    enum vts_err (*commit)(struct vts_store *store, const struct vts_store_write *writes,
                           size_t count, struct vts_error *error);
    /* Work for a quiet moment, such as a checkpoint. */
    void (*tidy)(struct vts_store *store);
    void (*close)(struct vts_store *store);
};

/* The first member of a store's own struct. */
struct vts_store {
    const struct vts_store_ops *ops;
};

#endif
