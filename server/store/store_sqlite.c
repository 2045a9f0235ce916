/* SPDX-License-Identifier: Apache-2.0 */
/* store_sqlite.c - records as rows of a table in one SQLite file.
 *
 * A commit is one transaction: for each write the row's version is read and compared, and the row
 * set. SQLite appends the changed pages to its write-ahead log and syncs that once; then the commit
 * is durable. Now and then the log is copied into the file (a checkpoint): in a quiet moment, or,
 * when there is none, by the commit that finds the log too long.
 *
 * After a failure the transaction is rolled back. SQLite reads again from disk what it is no longer
 * sure of, so the next commit works as soon as the disk does, and the lock is held all the while.
 * One thread at a time, so the connection has no mutex.
 */
#include "server/store/store_sqlite.h"

#include <sqlite3.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "server/obs/log.h"
#include "server/store/store_sqlite_file.h"

enum {
    WAL_FRAME_BYTES = 4096 + 24, /* a page of the file in its log, with the frame's head */
    TIDY_BYTES = 4 * 1024 * 1024,
    WAL_MAX_BYTES = 64 * 1024 * 1024, /* copied in some tenths of a second */
};

enum statement { BEGIN, COMMIT, ROLLBACK, FIND, INSERT, UPDATE, REMOVE, LOAD, STATEMENTS };

static const char *const statement_texts[STATEMENTS] = {
    [BEGIN] = "BEGIN",
    [COMMIT] = "COMMIT",
    [ROLLBACK] = "ROLLBACK",
    [FIND] = "SELECT rowid, version FROM job WHERE id = ?1",
    [INSERT] = "INSERT INTO job (id, version, record) VALUES (?1, ?2, ?3)",
    [UPDATE] = "UPDATE job SET version = ?2, record = ?3 WHERE rowid = ?1",
    [REMOVE] = "DELETE FROM job WHERE rowid = ?1",
    [LOAD] = "SELECT id, version, record FROM job",
};

struct sqlite_store {
    struct vts_store base;
    struct vts_store_sqlite_options options;
    char *path; /* as the operator wrote it */
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    int64_t wal_bytes;     /* in the log and perhaps not in the file yet */
    int64_t next_wal_stop; /* at or past it, a commit makes a checkpoint */
};

/* Where a record is. */
struct row {
    int64_t rowid;
    uint64_t version; /* 0: there is none */
};

static struct sqlite_store *of_base(struct vts_store *base)
{
    return VTS_CONTAINER_OF(base, struct sqlite_store, base);
}

static enum vts_err fail(struct sqlite_store *store, struct vts_error *error)
{
    return vts_store_sqlite_fail(store->db, store->path, error);
}

/* Runs a statement that has no rows. */
static enum vts_err run(struct sqlite_store *store, enum statement which, struct vts_error *error)
{
    sqlite3_stmt *statement = store->statements[which];
    enum vts_err err = sqlite3_step(statement) == SQLITE_DONE ? VTS_OK : fail(store, error);

    (void)sqlite3_reset(statement); /* repeats what the step said */
    return err;
}

/* What is bound stays the caller's, and only until the statement has run. */
static int bind_text(sqlite3_stmt *statement, int index, struct vts_str text)
{
    return sqlite3_bind_text64(statement, index, text.ptr, text.len, SQLITE_STATIC, SQLITE_UTF8);
}

/* A NULL pointer would be SQL's NULL, not an empty record. */
static int bind_blob(sqlite3_stmt *statement, int index, struct vts_str bytes)
{
    return sqlite3_bind_blob64(statement, index, bytes.len == 0 ? "" : bytes.ptr, bytes.len,
                               SQLITE_STATIC);
}

static enum vts_err find_row(struct sqlite_store *store, struct vts_str id, struct row *ret_row,
                             struct vts_error *error)
{
    sqlite3_stmt *statement = store->statements[FIND];
    enum vts_err err = VTS_OK;
    int code = bind_text(statement, 1, id);

    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    if (code == SQLITE_ROW)
        *ret_row = (struct row){sqlite3_column_int64(statement, 0),
                                (uint64_t)sqlite3_column_int64(statement, 1)};
    else if (code == SQLITE_DONE)
        *ret_row = (struct row){0, 0};
    else
        err = fail(store, error);
    (void)sqlite3_reset(statement); /* repeats what the step said */
    return err;
}

static enum vts_err set_row(struct sqlite_store *store, const struct row *row,
                            const struct vts_store_write *write, struct vts_error *error)
{
    enum statement which = row->version == 0 ? INSERT : UPDATE;
    sqlite3_stmt *statement = store->statements[which];
    int code = row->version == 0 ? bind_text(statement, 1, write->id)
                                 : sqlite3_bind_int64(statement, 1, row->rowid);

    if (code == SQLITE_OK)
        code = sqlite3_bind_int64(statement, 2, (int64_t)write->version);
    if (code == SQLITE_OK)
        code = bind_blob(statement, 3, write->record);
    return code == SQLITE_OK ? run(store, which, error) : fail(store, error);
}

static enum vts_err remove_row(struct sqlite_store *store, const struct row *row,
                               struct vts_error *error)
{
    if (row->version == 0)
        return VTS_OK;
    return sqlite3_bind_int64(store->statements[REMOVE], 1, row->rowid) == SQLITE_OK
               ? run(store, REMOVE, error)
               : fail(store, error);
}

static enum vts_err write_row(struct sqlite_store *store, const struct vts_store_write *write,
                              struct vts_error *error)
{
    struct row row = {0, 0};
    enum vts_err err = find_row(store, write->id, &row, error);

    if (err != VTS_OK)
        return err;
    if (row.version != write->expected_version)
        return vts_error_set(error, VTS_ERR_CONFLICT, "%.*s is at version %llu, not %llu",
                             (int)write->id.len, write->id.ptr, (unsigned long long)row.version,
                             (unsigned long long)write->expected_version);
    return write->version == 0 ? remove_row(store, &row, error)
                               : set_row(store, &row, write, error);
}

/* SQLite may have rolled back by itself, as when the disk is full. */
static enum vts_err roll_back(struct sqlite_store *store, struct vts_error *error)
{
    return sqlite3_get_autocommit(store->db) != 0 ? VTS_OK : run(store, ROLLBACK, error);
}

/* Copies the log into the file; the next commit then begins the log anew. Nobody reads beside us,
 * so PASSIVE is as thorough as any other mode and waits for nothing. A failure loses nothing: the
 * log is durable, and it is tried again when the log has grown a little more. */
static void make_checkpoint(struct sqlite_store *store)
{
    struct vts_log_line line;
    struct vts_error error;

    if (sqlite3_wal_checkpoint_v2(store->db, "main", SQLITE_CHECKPOINT_PASSIVE, NULL, NULL) ==
        SQLITE_OK) {
        store->wal_bytes = 0;
        store->next_wal_stop = store->options.wal_max_bytes;
        return;
    }
    (void)fail(store, &error); /* it is told in the log and nowhere else */
    store->next_wal_stop = store->wal_bytes + store->options.tidy_bytes;
    vts_log_begin(&line, VTS_LOG_WARN, "store checkpoint failed");
    vts_log_str(&line, "reason", vts_str_of(error.text));
    vts_log_end(&line);
}

static enum vts_err commit(struct vts_store *base, const struct vts_store_write *writes,
                           size_t count, struct vts_error *error)
{
    struct sqlite_store *store = of_base(base);
    enum vts_err err = roll_back(store, error); /* when the last commit could not even do that */

    if (err == VTS_OK)
        err = run(store, BEGIN, error);
    for (size_t i = 0; i < count && err == VTS_OK; i++)
        err = write_row(store, &writes[i], error);
    if (err == VTS_OK)
        err = run(store, COMMIT, error);
    if (err != VTS_OK) {
        (void)roll_back(store, NULL); /* if not now, then when the next commit begins */
        return err;
    }
    if (store->wal_bytes >= store->next_wal_stop)
        make_checkpoint(store);
    return VTS_OK;
}

/* SQLite tells the length of its log after each transaction that wrote to it. */
static int note_wal(void *context, sqlite3 *db, const char *name, int pages)
{
    struct sqlite_store *store = context;

    (void)db;
    (void)name;
    store->wal_bytes = (int64_t)pages * WAL_FRAME_BYTES;
    return SQLITE_OK;
}

static void tidy(struct vts_store *base)
{
    struct sqlite_store *store = of_base(base);

    if (store->wal_bytes >= store->options.tidy_bytes)
        make_checkpoint(store);
}

/* The id is read as a blob, too: as text SQLite would copy it to end it with a NUL. */
static struct vts_str column(sqlite3_stmt *statement, int index)
{
    const void *ptr = sqlite3_column_blob(statement, index);

    return vts_str_make(ptr == NULL ? "" : ptr, (size_t)sqlite3_column_bytes(statement, index));
}

/* What the keeper says of a record does not know where that is. */
static enum vts_err refuse_record(const struct sqlite_store *store, struct vts_error *error)
{
    struct vts_error why = *error;

    return vts_error_set(error, VTS_ERR_INVALID,
                         "put back a sound copy of the store, or move it away to begin without "
                         "jobs (%s: %s)",
                         store->path, why.text);
}

static enum vts_err load(struct vts_store *base, vts_store_load_fn load_record, void *context,
                         struct vts_error *error)
{
    struct sqlite_store *store = of_base(base);
    sqlite3_stmt *statement = store->statements[LOAD];
    enum vts_err err = VTS_OK;
    int code = SQLITE_ROW;

    while (err == VTS_OK && (code = sqlite3_step(statement)) == SQLITE_ROW)
        err = load_record(context, column(statement, 0),
                          (uint64_t)sqlite3_column_int64(statement, 1), column(statement, 2));
    if (err == VTS_OK && code != SQLITE_DONE)
        err = fail(store, error);
    (void)sqlite3_reset(statement); /* repeats what the step said */
    return err == VTS_ERR_INVALID && error != NULL ? refuse_record(store, error) : err;
}

/* Closing copies what is left of the log into the file; when that fails the log stays. */
static void close_store(struct vts_store *base)
{
    struct sqlite_store *store = of_base(base);
    int code;

    for (int i = 0; i < STATEMENTS; i++)
        (void)sqlite3_finalize(store->statements[i]); /* repeats what its last step said */
    code = sqlite3_close(store->db);
    VTS_ASSERT(code == SQLITE_OK); /* no statement is left */
    vts_mem_free(store->path);
    vts_mem_free(store);
}

static const struct vts_store_ops store_sqlite_ops = {
    .name = "sqlite",
    .load = load,
    .commit = commit,
    .tidy = tidy,
    .close = close_store,
};

static enum vts_err prepare_statements(struct sqlite_store *store, struct vts_error *error)
{
    for (int i = 0; i < STATEMENTS; i++)
        if (sqlite3_prepare_v3(store->db, statement_texts[i], -1, SQLITE_PREPARE_PERSISTENT,
                               &store->statements[i], NULL) != SQLITE_OK)
            return fail(store, error);
    return VTS_OK;
}

enum vts_err vts_store_sqlite_open(const char *path, const struct vts_store_sqlite_options *options,
                                   struct vts_store **ret_store, struct vts_error *error)
{
    static const struct vts_store_sqlite_options defaults = {TIDY_BYTES, WAL_MAX_BYTES};
    struct sqlite_store *store = vts_mem_zalloc(sizeof(*store));
    enum vts_err err;

    if (store == NULL)
        return vts_store_sqlite_fail(NULL, path, error);
    store->base.ops = &store_sqlite_ops;
    store->options = options == NULL ? defaults : *options;
    store->next_wal_stop = store->options.wal_max_bytes;
    store->path = vts_mem_strdup(path);
    if (store->path == NULL)
        err = vts_store_sqlite_fail(NULL, path, error);
    else
        err = vts_store_sqlite_file_open(path, NULL, &store->db, error);
    if (err == VTS_OK)
        err = prepare_statements(store, error);
    if (err != VTS_OK) {
        close_store(&store->base);
        return err;
    }
    (void)sqlite3_wal_hook(store->db, note_wal, store); /* there was none before */
    *ret_store = &store->base;
    return VTS_OK;
}
