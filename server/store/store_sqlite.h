/* SPDX-License-Identifier: Apache-2.0 */
/* A store in one SQLite file, for one server. */
#ifndef VTS_STORE_SQLITE_H
#define VTS_STORE_SQLITE_H

#include "server/jobs/store.h"

/* When the write-ahead log is brought home into the file, by its length. */
struct vts_store_sqlite_options {
    int64_t tidy_bytes;    /* at or past it, tidy() does so */
    int64_t wal_max_bytes; /* at or past it, a commit does so without waiting for a quiet moment */
};

/* Opens the file, or creates it with mode 0600 in a folder that must be there. options may be NULL,
 * for the defaults: 4 MiB and 64 MiB.
 *
 * The file stays locked until the store is closed. VTS_ERR_INVALID: it is another program's, or a
 * newer vtstatusd's. VTS_ERR_IO: the system refuses, or it is open already, here or in another
 * process. VTS_ERR_NOMEM. There is a text for each. */
VTS_MUST_CHECK enum vts_err vts_store_sqlite_open(const char *path,
                                                  const struct vts_store_sqlite_options *options,
                                                  struct vts_store **ret_store,
                                                  struct vts_error *error);

#endif
