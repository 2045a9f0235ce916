/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the SQLite store, and how a failure is told. */
#ifndef VTS_STORE_SQLITE_FILE_H
#define VTS_STORE_SQLITE_FILE_H

#include <stdint.h>

#include "common/base/err.h"

struct sqlite3;

/* Opens or creates the file, locks it, sees that it is ours, and brings its schema up to date; the
 * errors are those of vts_store_sqlite_open(). The caller ends it with sqlite3_close(). */
VTS_MUST_CHECK enum vts_err vts_store_sqlite_file_open(const char *path, struct sqlite3 **ret_db,
                                                       struct vts_error *error);

/* What the last call on db met, as an error with a text that says what to do. VTS_ERR_NOMEM or
 * VTS_ERR_IO. db may be NULL: there was no memory for it. */
VTS_MUST_CHECK enum vts_err vts_store_sqlite_fail(struct sqlite3 *db, const char *path,
                                                  struct vts_error *error);

#endif
