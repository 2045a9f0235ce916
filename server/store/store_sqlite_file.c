/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite_file.c - the file of the SQLite store: whose it is, and what is in it.
 *
 * The lock comes first and stays until the end (locking_mode=EXCLUSIVE), so nothing that was found
 * out changes afterwards, SQLite is never busy, and the index of its log needs no shared memory.
 * Only when the file has turned out to be ours, or empty, is it written to.
 */
#include "server/store/store_sqlite_file.h"

#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/mem.h"

/* A step that was published is never edited.
 *
 * A table with rowids: new records are appended, only the index is written here and there. Keyed by
 * id alone, inserts took twice as long, and records past 1 KB two pages each. */
static const char *const our_steps[] = {
    "CREATE TABLE job ("
    "  id TEXT NOT NULL UNIQUE,"
    "  version INTEGER NOT NULL," /* the 64 bits of an unsigned one */
    "  record BLOB NOT NULL"
    ") STRICT",
};

static const struct vts_store_sqlite_schema our_schema = {our_steps, VTS_ARRAY_LEN(our_steps)};

enum { APPLICATION_ID = 0x76747374 }; /* "vtst": whose file it is, in SQLite's header */

struct identity {
    int application_id;
    int version;
    int objects; /* tables, indices and the like */
};

static enum vts_err run(sqlite3 *db, const char *path, const char *sql, struct vts_error *error)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK
               ? VTS_OK
               : vts_store_sqlite_fail(db, path, error);
}

/* Of a folder SQLite says only that it cannot be opened, and of a pipe that the disk fails. */
static enum vts_err check_file(const char *path, struct vts_error *error)
{
    struct stat status;

    if (stat(path, &status) != 0 || S_ISREG(status.st_mode))
        return VTS_OK; /* what else is wrong is SQLite's to say */
    return vts_error_set(error, VTS_ERR_IO, "the store is %s: name a file%s (%s)",
                         S_ISDIR(status.st_mode) ? "a folder" : "no regular file",
                         S_ISDIR(status.st_mode) ? " in it" : "", path);
}

/* SQLite's own way of creating a file would let others read it. The log gets the file's mode. A
 * file that is there is not touched: to close it would take away the lock of a store that this
 * process has open on it. */
static enum vts_err create_file(const char *path, struct vts_error *error)
{
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0)
        (void)close(fd); /* nothing was written */
    if (fd >= 0)
        return VTS_OK;
    if (errno == EEXIST)
        return check_file(path, error);
    if (errno == ENOENT || errno == ENOTDIR)
        return vts_error_set(error, VTS_ERR_IO, "the store's folder does not exist: make it (%s)",
                             path);
    return vts_error_set(error, VTS_ERR_IO, "the store cannot be created: %s (%s)", strerror(errno),
                         path);
}

/* "./" keeps SQLite from finding more in a name than a name: "file:…" and ":memory:". */
static int open_database(const char *path, sqlite3 **ret_db)
{
    const char *prefix = path[0] == '/' ? "" : "./";
    size_t size = strlen(prefix) + strlen(path) + 1;
    char *name = vts_mem_alloc(size);
    int code;

    if (name == NULL)
        return SQLITE_NOMEM;
    (void)snprintf(name, size, "%s%s", prefix, path);
    code = sqlite3_open_v2(name, ret_db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX, NULL);
    vts_mem_free(name);
    return code;
}

/* Takes the lock, which also brings in what a server that was killed left in its log. A file that
 * may not be written is opened all the same, for reading, and then locks nobody out. */
static enum vts_err lock_database(sqlite3 *db, const char *path, struct vts_error *error)
{
    if (sqlite3_db_readonly(db, "main") != 0)
        return vts_error_set(error, VTS_ERR_IO,
                             "the store is read-only: this user needs write access (%s)", path);
    return run(db, path,
               "PRAGMA locking_mode = EXCLUSIVE;"
               "PRAGMA trusted_schema = OFF;"
               "PRAGMA cell_size_check = ON;"
               "BEGIN EXCLUSIVE;"
               "COMMIT",
               error);
}

static enum vts_err read_identity(sqlite3 *db, const char *path, struct identity *ret_identity,
                                  struct vts_error *error)
{
    static const char sql[] =
        "SELECT application_id, user_version,"
        "  (SELECT count(*) FROM sqlite_schema)"
        " FROM pragma_application_id, pragma_user_version";
    sqlite3_stmt *statement = NULL;
    enum vts_err err = VTS_OK;

    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW) {
        ret_identity->application_id = sqlite3_column_int(statement, 0);
        ret_identity->version = sqlite3_column_int(statement, 1);
        ret_identity->objects = sqlite3_column_int(statement, 2);
    } else {
        err = vts_store_sqlite_fail(db, path, error);
    }
    (void)sqlite3_finalize(statement); /* repeats what the step said */
    return err;
}

static enum vts_err judge_identity(const struct identity *identity,
                                   const struct vts_store_sqlite_schema *schema, const char *path,
                                   struct vts_error *error)
{
    bool is_blank =
        identity->application_id == 0 && identity->version == 0 && identity->objects == 0;

    if (!is_blank && identity->application_id != APPLICATION_ID)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "the store's file is another program's: name another one (%s)", path);
    if (identity->version > schema->steps_count)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "the store was written by a newer vtstatusd: start that one (its "
                             "schema is %d, this program knows %d: %s)",
                             identity->version, schema->steps_count, path);
    return VTS_OK;
}

/* Every commit is synced (FULL). When the log is begun anew it keeps its room on disk, up to the
 * limit: to overwrite is cheaper than to append. Checkpoints are the store's to make. */
static enum vts_err enter_wal(sqlite3 *db, const char *path, struct vts_error *error)
{
    return run(db, path,
               "PRAGMA journal_mode = WAL;"
               "PRAGMA synchronous = FULL;"
               "PRAGMA journal_size_limit = 67108864;"
               "PRAGMA wal_autocheckpoint = 0",
               error);
}

/* What fails half-way is rolled back when the database is closed. */
static enum vts_err take_steps(sqlite3 *db, const struct vts_store_sqlite_schema *schema,
                               int version, const char *path, struct vts_error *error)
{
    char mark[96];
    enum vts_err err = run(db, path, "BEGIN", error);

    for (int i = version; i < schema->steps_count && err == VTS_OK; i++)
        err = run(db, path, schema->steps[i], error);
    if (err != VTS_OK)
        return err;
    (void)snprintf(mark, sizeof(mark),
                   "PRAGMA application_id = %d; PRAGMA user_version = %d; COMMIT", APPLICATION_ID,
                   schema->steps_count);
    return run(db, path, mark, error);
}

static enum vts_err update_schema(sqlite3 *db, const struct vts_store_sqlite_schema *schema,
                                  int version, const char *path, struct vts_error *error)
{
    struct vts_error why = {.text = ""};
    enum vts_err err;

    if (version == schema->steps_count)
        return VTS_OK;
    err = take_steps(db, schema, version, path, &why);
    if (err == VTS_OK)
        return VTS_OK;
    return vts_error_set(error, err, "the store stays at schema %d, as it cannot become %d: %s",
                         version, schema->steps_count, why.text);
}

static enum vts_err prepare_database(sqlite3 *db, const struct vts_store_sqlite_schema *schema,
                                     const char *path, struct vts_error *error)
{
    struct identity identity = {0};
    enum vts_err err = lock_database(db, path, error);

    if (err == VTS_OK)
        err = read_identity(db, path, &identity, error);
    if (err == VTS_OK)
        err = judge_identity(&identity, schema, path, error);
    if (err == VTS_OK)
        err = enter_wal(db, path, error);
    if (err == VTS_OK)
        err = update_schema(db, schema, identity.version, path, error);
    return err;
}

enum vts_err vts_store_sqlite_file_open(const char *path,
                                        const struct vts_store_sqlite_schema *schema,
                                        sqlite3 **ret_db, struct vts_error *error)
{
    sqlite3 *db = NULL;
    enum vts_err err = create_file(path, error);
    int code;

    if (err != VTS_OK)
        return err;
    if (open_database(path, &db) == SQLITE_OK)
        err = prepare_database(db, schema == NULL ? &our_schema : schema, path, error);
    else
        err = vts_store_sqlite_fail(db, path, error);
    if (err == VTS_OK) {
        *ret_db = db;
        return VTS_OK;
    }
    code = sqlite3_close(db);
    VTS_ASSERT(code == SQLITE_OK); /* no statement is left */
    return err;
}
