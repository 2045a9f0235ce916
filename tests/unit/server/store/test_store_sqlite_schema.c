/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_sqlite_schema.c - files of older and newer programs: a store of today, and schemas
 * that programs to come may have.
 */
#include <CUnit/CUnit.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "server/store/store_sqlite.h"
#include "server/store/store_sqlite_file.h"
#include "tests/support/scratch.h"

/* The first step is whatever the store has; these files have had it. */
static const char has_had[] = "SELECT no_such_column";

static const char *const good_steps[] = {
    has_had,
    "ALTER TABLE job ADD COLUMN queue TEXT NOT NULL DEFAULT 'default';"
    "UPDATE job SET queue = 'old'",
    "CREATE INDEX job_queue ON job (queue);"
    "CREATE TABLE worker (id TEXT) STRICT",
};

/* The last one fails at its second half, when much is done. */
static const char *const bad_steps[] = {
    has_had,
    "ALTER TABLE job ADD COLUMN queue TEXT NOT NULL DEFAULT 'default'",
    "UPDATE job SET version = 100; DELETE FROM job WHERE id = 'job-1';"
    "CREATE TABLE worker (id TEXT) STRICT; INSERT INTO worker VALUES (1, 2)",
};

static const struct vts_store_sqlite_schema second = {good_steps, 2};
static const struct vts_store_sqlite_schema third = {good_steps, 3};
static const struct vts_store_sqlite_schema broken = {bad_steps, 3};

/* ---- files ------------------------------------------------------------------------------- */

/* A file as the store of today leaves it, with two records. */
static const char *make_file(void)
{
    static const struct vts_store_write writes[] = {
        {.id = {"job-1", 5}, .version = 7, .record = {"one", 3}},
        {.id = {"job-2", 5}, .version = 8, .record = {"two", 3}},
    };
    static unsigned files;
    struct vts_store *store = NULL;
    const char *path;
    char name[32];

    (void)snprintf(name, sizeof(name), "schema-%u.db", files++);
    path = vts_scratch_path(name);
    CU_ASSERT_EQUAL_FATAL(vts_store_sqlite_open(path, NULL, &store, NULL), VTS_OK);
    CU_ASSERT_EQUAL(store->ops->commit(store, writes, VTS_ARRAY_LEN(writes), NULL), VTS_OK);
    store->ops->close(store);
    return path;
}

static void migrate(const char *path, const struct vts_store_sqlite_schema *schema)
{
    struct vts_error error = {.text = ""};
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL(vts_store_sqlite_file_open(path, schema, &db, &error), VTS_OK);
    CU_ASSERT_STRING_EQUAL_FATAL(error.text, "");
    CU_ASSERT_EQUAL(sqlite3_close(db), SQLITE_OK);
}

/* Opening fails in these words. */
static void expect_refusal(const char *path, const struct vts_store_sqlite_schema *schema,
                           enum vts_err err, const char *said)
{
    struct vts_error error = {.text = ""};
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL(vts_store_sqlite_file_open(path, schema, &db, &error), err);
    CU_ASSERT_PTR_NULL(db);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, said));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
}

/* The first value of the first row, as text. */
static void expect_value(const char *path, const char *sql, const char *wanted)
{
    sqlite3_stmt *statement = NULL;
    sqlite3 *db = NULL;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL_FATAL(sqlite3_prepare_v2(db, sql, -1, &statement, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_step(statement), SQLITE_ROW);
    CU_ASSERT_STRING_EQUAL((const char *)sqlite3_column_text(statement, 0), wanted);
    CU_ASSERT_EQUAL(sqlite3_finalize(statement), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_close(db), SQLITE_OK);
}

struct image {
    size_t len;
    char bytes[64 * 1024];
};

static void read_image(const char *path, struct image *ret_image)
{
    FILE *file = fopen(path, "re");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    ret_image->len = fread(ret_image->bytes, 1, sizeof(ret_image->bytes), file);
    CU_ASSERT(ret_image->len > 0 && ret_image->len < sizeof(ret_image->bytes));
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static bool has_log(const char *path)
{
    char name[300];
    struct stat status;

    (void)snprintf(name, sizeof(name), "%s-wal", path);
    return stat(name, &status) == 0;
}

/* ---- cases ------------------------------------------------------------------------------- */

static void older_file_takes_the_steps_it_has_not_had(void)
{
    const char *path = make_file();

    migrate(path, &second);
    expect_value(path, "PRAGMA user_version", "2");
    expect_value(path, "SELECT group_concat(id || version || record || queue) FROM job",
                 "job-17oneold,job-28twoold");
    migrate(path, &third); /* by one more, and not by those before */
    expect_value(path, "PRAGMA user_version", "3");
    expect_value(path, "SELECT count(*) FROM sqlite_schema WHERE name = 'job_queue'", "1");
    migrate(path, &third);
    expect_value(path, "PRAGMA user_version", "3");
}

static void older_file_takes_several_steps_at_once(void)
{
    const char *path = make_file();

    migrate(path, &third);
    expect_value(path, "PRAGMA user_version", "3");
    expect_value(path, "SELECT count(*) FROM job WHERE queue = 'old'", "2");
    expect_value(path, "SELECT count(*) FROM worker", "0");
}

static void file_of_a_newer_program_is_refused_untouched(void)
{
    static struct image before;
    static struct image after;
    const char *path = make_file();

    migrate(path, &third);
    read_image(path, &before);
    expect_refusal(path, &second, VTS_ERR_INVALID, "was written by a newer vtstatusd");
    expect_refusal(path, &second, VTS_ERR_INVALID, "its schema is 3, this program knows 2");
    expect_refusal(path, NULL, VTS_ERR_INVALID, "its schema is 3, this program knows 1");
    read_image(path, &after);
    CU_ASSERT(before.len == after.len && memcmp(before.bytes, after.bytes, before.len) == 0);
    CU_ASSERT_FALSE(has_log(path));
}

static void steps_that_fail_half_way_leave_the_file_as_it_was(void)
{
    static struct image before;
    static struct image after;
    const char *path = make_file();
    struct vts_store *store = NULL;

    read_image(path, &before);
    for (int i = 0; i < 2; i++)
        expect_refusal(path, &broken, VTS_ERR_IO,
                       "the store stays at schema 1, as it cannot become 3: ");
    read_image(path, &after);
    CU_ASSERT(before.len == after.len && memcmp(before.bytes, after.bytes, before.len) == 0);
    CU_ASSERT_FALSE(has_log(path));
    expect_value(path, "SELECT group_concat(id || version || record) FROM job",
                 "job-17one,job-28two");
    /* The older program goes on with it, and so does a newer one that is right. */
    CU_ASSERT_EQUAL_FATAL(vts_store_sqlite_open(path, NULL, &store, NULL), VTS_OK);
    store->ops->close(store);
    migrate(path, &third);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"older_file_takes_the_steps_it_has_not_had", older_file_takes_the_steps_it_has_not_had},
        {"older_file_takes_several_steps_at_once", older_file_takes_several_steps_at_once},
        {"file_of_a_newer_program_is_refused_untouched",
         file_of_a_newer_program_is_refused_untouched},
        {"steps_that_fail_half_way_leave_the_file_as_it_was",
         steps_that_fail_half_way_leave_the_file_as_it_was},
    };

    return vts_scratch_run("store_sqlite_schema", tests, VTS_ARRAY_LEN(tests));
}
