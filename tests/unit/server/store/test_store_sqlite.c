/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_sqlite.c - the file of the SQLite store on a real disk: whose it is, who may have it,
 * and how long its log gets.
 *
 * Nobody here opens and closes a file that a store has open: that would take away its lock.
 */
#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "server/store/store_sqlite.h"
#include "tests/support/scratch.h"
#include "tests/support/store_content.h"

enum { PATH_BYTES = 300, ACKNOWLEDGED = 20, RECORD_MAX = 64 * 1024 };

static const long kib = 1024;

/* A file of the test's own, which is not there yet. */
static const char *new_path(void)
{
    static unsigned files;
    char name[32];

    (void)snprintf(name, sizeof(name), "file-%u.db", files++);
    return vts_scratch_path(name);
}

static struct vts_store *open_store(const char *path)
{
    struct vts_store *store = NULL;
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL(vts_store_sqlite_open(path, NULL, &store, &error), VTS_OK);
    CU_ASSERT_STRING_EQUAL_FATAL(error.text, "");
    return store;
}

static void close_store(struct vts_store *store)
{
    store->ops->close(store);
}

static enum vts_err put(struct vts_store *store, const char *id, uint64_t version, size_t len,
                        struct vts_error *error)
{
    static char bytes[RECORD_MAX];
    struct vts_store_write write = {vts_str_of(id), version - 1, version, vts_str_make(bytes, len)};

    /* Another record each time: SQLite does not write what has not changed. */
    CU_ASSERT_FATAL(len <= sizeof(bytes));
    memset(bytes, (int)version, len);
    return store->ops->commit(store, &write, 1, error);
}

static size_t count_records(struct vts_store *store)
{
    struct store_content content;
    size_t count;

    CU_ASSERT_EQUAL_FATAL(store_content_load(store, &content, NULL), VTS_OK);
    count = content.count;
    store_content_free(&content);
    return count;
}

/* Opening fails, in these words. */
static void expect_refusal(const char *path, enum vts_err err, const char *said)
{
    struct vts_store *store = NULL;
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL(vts_store_sqlite_open(path, NULL, &store, &error), err);
    CU_ASSERT_PTR_NULL(store);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, said));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
}

static const char *wal_of(const char *path)
{
    static char name[PATH_BYTES];

    (void)snprintf(name, sizeof(name), "%s-wal", path);
    return name;
}

/* -1: there is no such file. */
static long size_of(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? (long)status.st_size : -1;
}

static unsigned mode_of(const char *path)
{
    struct stat status;

    return stat(path, &status) == 0 ? status.st_mode & 07777U : 0;
}

static void write_file(const char *path, const char *text)
{
    FILE *file = fopen(path, "we");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT(fputs(text, file) >= 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void expect_file(const char *path, const char *text)
{
    char bytes[256];
    FILE *file = fopen(path, "re");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fread(bytes, 1, sizeof(bytes), file), strlen(text));
    CU_ASSERT_EQUAL(memcmp(bytes, text, strlen(text)), 0);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

/* What another program does to a file. */
static void run_sql(const char *path, const char *sql)
{
    sqlite3 *db;

    CU_ASSERT_EQUAL_FATAL(sqlite3_open(path, &db), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
    CU_ASSERT_EQUAL(sqlite3_close(db), SQLITE_OK);
}

static void sqlite_file_is_created_for_its_owner_alone(void)
{
    const char *path = new_path();
    mode_t mask = umask(0);
    struct vts_store *store = open_store(path);

    CU_ASSERT_EQUAL(put(store, "job-1", 1, 10, NULL), VTS_OK);
    CU_ASSERT_EQUAL(mode_of(path), 0600);
    CU_ASSERT_EQUAL(mode_of(wal_of(path)), 0600);
    close_store(store);
    CU_ASSERT_EQUAL(size_of(wal_of(path)), -1);
    (void)umask(mask); /* it cannot fail */
}

static void sqlite_file_keeps_the_mode_it_has(void)
{
    const char *path = new_path();

    write_file(path, "");
    CU_ASSERT_EQUAL(chmod(path, 0640), 0);
    close_store(open_store(path));
    CU_ASSERT_EQUAL(mode_of(path), 0640);
}

static void sqlite_folder_that_is_missing_is_named(void)
{
    char path[PATH_BYTES];

    (void)snprintf(path, sizeof(path), "%s/jobs.db", new_path());
    expect_refusal(path, VTS_ERR_IO, "the store's folder does not exist: make it");
}

static void sqlite_path_of_a_folder_is_refused(void)
{
    const char *path = new_path();

    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    expect_refusal(path, VTS_ERR_IO, "the store is a folder: name a file in it");
}

static void sqlite_link_to_nowhere_is_refused(void)
{
    const char *path = new_path();
    const char *target = new_path();

    CU_ASSERT_EQUAL(symlink(target, path), 0);
    expect_refusal(path, VTS_ERR_IO, "the store cannot be opened");
    CU_ASSERT_EQUAL(size_of(target), -1);
}

static void sqlite_names_are_only_names(void)
{
    static const char *const names[] = {":memory:", "file:odd?mode=memory", "-odd name%20"};
    char before[PATH_BYTES];

    CU_ASSERT_PTR_NOT_NULL_FATAL(getcwd(before, sizeof(before)));
    CU_ASSERT_EQUAL_FATAL(chdir(vts_scratch_path("")), 0);
    for (size_t i = 0; i < VTS_ARRAY_LEN(names); i++) {
        struct vts_store *store = open_store(names[i]);

        CU_ASSERT_EQUAL(put(store, "job-1", 1, 10, NULL), VTS_OK);
        close_store(store);
        CU_ASSERT(size_of(names[i]) > 0);
        store = open_store(names[i]);
        CU_ASSERT_EQUAL(count_records(store), 1);
        close_store(store);
    }
    CU_ASSERT_EQUAL(chdir(before), 0);
}

static void sqlite_file_that_is_none_is_left_alone(void)
{
    static const char *const texts[] = {
        "xy",
        "This is a diary, and it is longer than the head of a database, which has a hundred bytes, "
        "so that it is really looked at.",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++) {
        const char *path = new_path();

        write_file(path, texts[i]);
        expect_refusal(path, VTS_ERR_IO, "the store's file is no SQLite database");
        expect_file(path, texts[i]);
    }
}

static void sqlite_file_of_another_program_is_left_alone(void)
{
    static const char *const sqls[] = {
        "CREATE TABLE song (title TEXT)",
        "PRAGMA application_id = 1",
        "PRAGMA user_version = 1",
        "PRAGMA journal_mode = WAL; CREATE TABLE job (id TEXT)",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(sqls); i++) {
        const char *path = new_path();
        long size;

        run_sql(path, sqls[i]);
        size = size_of(path);
        expect_refusal(path, VTS_ERR_INVALID, "the store's file is another program's");
        CU_ASSERT_EQUAL(size_of(path), size);
        run_sql(path, sqls[i][0] == 'C' ? "INSERT INTO song VALUES ('a')" : "SELECT 1");
    }
}

static void sqlite_file_of_a_newer_program_is_refused(void)
{
    const char *path = new_path();
    struct vts_store *store = open_store(path);

    CU_ASSERT_EQUAL(put(store, "job-1", 1, 10, NULL), VTS_OK);
    close_store(store);
    run_sql(path, "PRAGMA user_version = 2");
    expect_refusal(path, VTS_ERR_INVALID, "was written by a newer vtstatusd");
    run_sql(path, "PRAGMA user_version = 1");
    store = open_store(path);
    CU_ASSERT_EQUAL(count_records(store), 1);
    close_store(store);
}

static void sqlite_file_that_is_empty_is_taken(void)
{
    const char *path = new_path();
    struct vts_store *store;

    write_file(path, "");
    store = open_store(path);
    CU_ASSERT_EQUAL(put(store, "job-1", 1, 10, NULL), VTS_OK);
    close_store(store);
}

/* As sqlite3's own shell leaves it when somebody turned the log off. */
static void sqlite_file_in_another_mode_is_taken(void)
{
    const char *path = new_path();
    struct vts_store *store = open_store(path);

    CU_ASSERT_EQUAL(put(store, "job-1", 1, 10, NULL), VTS_OK);
    close_store(store);
    run_sql(path, "PRAGMA journal_mode = DELETE");
    store = open_store(path);
    CU_ASSERT_EQUAL(put(store, "job-1", 2, 10, NULL), VTS_OK);
    CU_ASSERT(size_of(wal_of(path)) > 0);
    close_store(store);
}

static void sqlite_file_without_its_table_is_refused(void)
{
    const char *path = new_path();

    close_store(open_store(path));
    run_sql(path, "DROP TABLE job");
    expect_refusal(path, VTS_ERR_IO, "no such table");
}

static void sqlite_second_store_in_a_process_is_refused(void)
{
    const char *path = new_path();
    struct vts_store *store = open_store(path);

    expect_refusal(path, VTS_ERR_IO, "the store is in use by another server");
    CU_ASSERT_EQUAL(put(store, "job-1", 1, 10, NULL), VTS_OK);
    expect_refusal(path, VTS_ERR_IO, "the store is in use by another server");
    close_store(store);
    store = open_store(path);
    CU_ASSERT_EQUAL(count_records(store), 1);
    close_store(store);
}

/* Starts a process that opens the store, commits records and tells of each by a byte, and then does
 * nothing until it is killed. Returns its id; *ret_fd reads the bytes. */
static pid_t start_server(const char *path, int *ret_fd)
{
    int ends[2];
    pid_t pid;

    CU_ASSERT_EQUAL_FATAL(pipe2(ends, O_CLOEXEC), 0);
    pid = fork();
    CU_ASSERT_FATAL(pid >= 0);
    if (pid == 0) {
        struct vts_store *store;
        char id[16];

        if (vts_store_sqlite_open(path, NULL, &store, NULL) != VTS_OK)
            _exit(1);
        for (int i = 0; i < ACKNOWLEDGED; i++) {
            (void)snprintf(id, sizeof(id), "job-%d", i);
            if (put(store, id, 1, 300, NULL) != VTS_OK || write(ends[1], "", 1) != 1)
                _exit(1);
        }
        for (;;)
            (void)pause(); /* a signal that does not kill changes nothing */
    }
    (void)close(ends[1]); /* the child's */
    *ret_fd = ends[0];
    return pid;
}

static void await_bytes(int fd, int count)
{
    char byte;

    for (int i = 0; i < count; i++)
        CU_ASSERT_EQUAL_FATAL(read(fd, &byte, 1), 1);
}

static void sqlite_second_process_is_refused_until_the_first_ends(void)
{
    const char *path = new_path();
    int fd;
    int status;
    pid_t pid = start_server(path, &fd);
    struct vts_store *store;

    await_bytes(fd, ACKNOWLEDGED);
    expect_refusal(path, VTS_ERR_IO, "the store is in use by another server");
    CU_ASSERT_EQUAL(kill(pid, SIGKILL), 0);
    CU_ASSERT_EQUAL(waitpid(pid, &status, 0), pid);
    CU_ASSERT(WIFSIGNALED(status));
    (void)close(fd); /* it was only read */

    /* What it acknowledged is still in its log, and comes in now. */
    CU_ASSERT(size_of(wal_of(path)) > 0);
    store = open_store(path);
    CU_ASSERT_EQUAL(count_records(store), ACKNOWLEDGED);
    close_store(store);
}

/* Commits records of 10 KiB until that many bytes were written; what they came to in the log at
 * most. */
static long write_and_watch_log(struct vts_store *store, const char *path, long bytes, bool tidies)
{
    enum { RECORD_BYTES = 10 * 1024 };
    static uint64_t version;
    long most = 0;
    char id[16];

    (void)snprintf(id, sizeof(id), "job-%llu", (unsigned long long)version++);
    for (long i = 0; i * RECORD_BYTES < bytes; i++) {
        long size;

        CU_ASSERT_EQUAL(put(store, id, (uint64_t)i + 1, RECORD_BYTES, NULL), VTS_OK);
        if (tidies)
            store->ops->tidy(store);
        size = size_of(wal_of(path));
        most = size > most ? size : most;
    }
    return most;
}

static void sqlite_log_is_bounded_by_tidying(void)
{
    static const struct vts_store_sqlite_options options = {128L * 1024, 1024L * 1024};
    const char *path = new_path();
    struct vts_store *store;

    CU_ASSERT_EQUAL_FATAL(vts_store_sqlite_open(path, &options, &store, NULL), VTS_OK);
    CU_ASSERT(write_and_watch_log(store, path, 500 * kib, false) > 500 * kib);
    close_store(store);
    CU_ASSERT_EQUAL_FATAL(vts_store_sqlite_open(path, &options, &store, NULL), VTS_OK);
    CU_ASSERT(write_and_watch_log(store, path, 500 * kib, true) < 192 * kib);
    /* Brought home: the file has it, without being closed. */
    CU_ASSERT(size_of(path) > 10 * kib);
    close_store(store);
}

static void sqlite_log_is_bounded_without_a_quiet_moment(void)
{
    static const struct vts_store_sqlite_options options = {64L * 1024, 256L * 1024};
    const char *path = new_path();
    struct vts_store *store;
    long most;

    CU_ASSERT_EQUAL_FATAL(vts_store_sqlite_open(path, &options, &store, NULL), VTS_OK);
    most = write_and_watch_log(store, path, 1024 * kib, false);
    CU_ASSERT(most >= 256 * kib);
    CU_ASSERT(most < 320 * kib);
    close_store(store);
}

/* A real refusal by the system, and a real recovery. */
static void sqlite_store_works_on_when_the_file_may_grow_again(void)
{
    const char *path = new_path();
    struct vts_store *store = open_store(path);
    struct vts_error error = {.text = ""};
    struct rlimit before;
    struct rlimit tight;
    void (*handler)(int) = signal(SIGXFSZ, SIG_IGN);

    CU_ASSERT_EQUAL(put(store, "job-1", 1, 10, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(getrlimit(RLIMIT_FSIZE, &before), 0);
    tight = before;
    tight.rlim_cur = (rlim_t)size_of(wal_of(path)) + 5000;
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &tight), 0);
    CU_ASSERT_EQUAL(put(store, "job-2", 1, 60000, &error), VTS_ERR_IO);
    CU_ASSERT_EQUAL(put(store, "job-2", 1, 60000, &error), VTS_ERR_IO);
    CU_ASSERT_EQUAL_FATAL(setrlimit(RLIMIT_FSIZE, &before), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "disk I/O error, code 778")); /* IOERR_WRITE */
    CU_ASSERT_EQUAL(count_records(store), 1);
    CU_ASSERT_EQUAL(put(store, "job-2", 1, 60000, NULL), VTS_OK);
    close_store(store);
    (void)signal(SIGXFSZ, handler); /* as it was */
    store = open_store(path);
    CU_ASSERT_EQUAL(count_records(store), 2);
    close_store(store);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"sqlite_file_is_created_for_its_owner_alone", sqlite_file_is_created_for_its_owner_alone},
        {"sqlite_file_keeps_the_mode_it_has", sqlite_file_keeps_the_mode_it_has},
        {"sqlite_folder_that_is_missing_is_named", sqlite_folder_that_is_missing_is_named},
        {"sqlite_path_of_a_folder_is_refused", sqlite_path_of_a_folder_is_refused},
        {"sqlite_link_to_nowhere_is_refused", sqlite_link_to_nowhere_is_refused},
        {"sqlite_names_are_only_names", sqlite_names_are_only_names},
        {"sqlite_file_that_is_none_is_left_alone", sqlite_file_that_is_none_is_left_alone},
        {"sqlite_file_of_another_program_is_left_alone",
         sqlite_file_of_another_program_is_left_alone},
        {"sqlite_file_of_a_newer_program_is_refused", sqlite_file_of_a_newer_program_is_refused},
        {"sqlite_file_that_is_empty_is_taken", sqlite_file_that_is_empty_is_taken},
        {"sqlite_file_in_another_mode_is_taken", sqlite_file_in_another_mode_is_taken},
        {"sqlite_file_without_its_table_is_refused", sqlite_file_without_its_table_is_refused},
        {"sqlite_second_store_in_a_process_is_refused",
         sqlite_second_store_in_a_process_is_refused},
        {"sqlite_second_process_is_refused_until_the_first_ends",
         sqlite_second_process_is_refused_until_the_first_ends},
        {"sqlite_log_is_bounded_by_tidying", sqlite_log_is_bounded_by_tidying},
        {"sqlite_log_is_bounded_without_a_quiet_moment",
         sqlite_log_is_bounded_without_a_quiet_moment},
        {"sqlite_store_works_on_when_the_file_may_grow_again",
         sqlite_store_works_on_when_the_file_may_grow_again},
    };

    return vts_scratch_run("store_sqlite", tests, VTS_ARRAY_LEN(tests));
}
