/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the SQLite store, and how a failure is told. */
#ifndef VTS_STORE_SQLITE_FILE_H
#define VTS_STORE_SQLITE_FILE_H

#include <stdint.h>

#include "common/base/err.h"

struct sqlite3;

/* How a file comes to what the program works with: step n, counted from 0, is the SQL that makes
 * version n + 1 of version n. A file's user_version is the number of steps it has had. */
struct vts_store_sqlite_schema {
    const char *const *steps;
    int steps_count;
};

/* Opens or creates the file, locks it, sees that it is ours, and takes the steps that it has not
 * had, all or none of them. schema NULL: the store's own. The errors are those of
 * vts_store_sqlite_open(). The caller ends it with sqlite3_close(). */
VTS_MUST_CHECK enum vts_err vts_store_sqlite_file_open(const char *path,
                                                       const struct vts_store_sqlite_schema *schema,
                                                       struct sqlite3 **ret_db,
                                                       struct vts_error *error);

/* What the last call on db met, as an error with a text that says what to do. VTS_ERR_NOMEM or
 * VTS_ERR_IO. db may be NULL: there was no memory for it. */
VTS_MUST_CHECK enum vts_err vts_store_sqlite_fail(struct sqlite3 *db, const char *path,
                                                  struct vts_error *error);

#endif
