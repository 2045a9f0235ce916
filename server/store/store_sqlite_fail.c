/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite_fail.c - from SQLite's codes to an error and a line for the operator.
 *
 * The line begins with what to do, since it is cut off at its end when the path is long.
 */
#include <sqlite3.h>
#include <stdbool.h>
#include <string.h>

#include "server/store/store_sqlite_file.h"

struct advice {
    int code; /* SQLite's primary one */
    const char *text;
};

static const struct advice advices[] = {
    {SQLITE_NOMEM, "no memory for the store"},
    {SQLITE_BUSY,
     "the store is in use by another server: stop that one, or give this one a file of its own"},
    {SQLITE_FULL, "the store's disk is full: make room, and writing goes on"},
    {SQLITE_IOERR, "the store's disk fails: see the system's log for why"},
    {SQLITE_READONLY,
     "the store is read-only: this user needs write access to the file and its folder"},
    {SQLITE_CANTOPEN,
     "the store cannot be opened: this user needs access to the file and its folder"},
    {SQLITE_NOTADB,
     "the store's file is no SQLite database: name another file, or move this one away"},
    {SQLITE_CORRUPT,
     "the store's file is damaged: put back a sound copy, or move it away to begin without jobs"},
};

static const char *find_advice(int code)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(advices); i++)
        if (advices[i].code == code)
            return advices[i].text;
    return "the store's file cannot be used";
}

enum vts_err vts_store_sqlite_fail(struct sqlite3 *db, const char *path, struct vts_error *error)
{
    int extended = sqlite3_extended_errcode(db); /* SQLITE_NOMEM for NULL */
    int code = extended == SQLITE_IOERR_NOMEM ? SQLITE_NOMEM : extended & 0xff;
    bool is_systems = code == SQLITE_IOERR || code == SQLITE_CANTOPEN;
    int reason = is_systems ? sqlite3_system_errno(db) : 0;

    /* The extended code says which of the system's calls it was. */
    return vts_error_set(error, code == SQLITE_NOMEM ? VTS_ERR_NOMEM : VTS_ERR_IO,
                         "%s (%s: %s, code %d%s%s)", find_advice(code), path, sqlite3_errmsg(db),
                         extended, reason == 0 ? "" : ": ", reason == 0 ? "" : strerror(reason));
}
