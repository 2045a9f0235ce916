/* SPDX-License-Identifier: Apache-2.0 */
/* fault_store_memory.c - each allocation of a store fails in turn, ours and SQLite's.
 *
 * A store without memory says so, has written nothing, and works on when there is some again.
 */
#include <CUnit/CUnit.h>
#include <limits.h>
#include <sqlite3.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "server/obs/log.h"
#include "server/store/store_memory.h"
#include "server/store/store_open.h"
#include "tests/fault/store_trial.h"
#include "tests/support/fake_disk.h"
#include "tests/support/scratch.h"
#include "tests/support/store_content.h"

/* SQLite asks for memory thousands of times; each of these is tried, by turns over the life. */
enum { STRIDE = 13 };

static sqlite3_mem_methods real_memory;
static long allocations;
static long failing_at;
static long failing_count;

static bool is_failing(void)
{
    long number = allocations++;

    return number >= failing_at && number - failing_at < failing_count;
}

static void *allocate(int size)
{
    return is_failing() ? NULL : real_memory.xMalloc(size);
}

static void *reallocate(void *ptr, int size)
{
    return is_failing() ? NULL : real_memory.xRealloc(ptr, size);
}

static void heal(void)
{
    failing_count = 0;
}

/* Before SQLite is used. */
static void install_memory(void)
{
    sqlite3_mem_methods methods;
    int code = sqlite3_config(SQLITE_CONFIG_GETMALLOC, &real_memory);

    VTS_ASSERT(code == SQLITE_OK);
    methods = real_memory;
    methods.xMalloc = allocate;
    methods.xRealloc = reallocate;
    code = sqlite3_config(SQLITE_CONFIG_MALLOC, &methods);
    VTS_ASSERT(code == SQLITE_OK);
}

static void try_failure(long at, long count)
{
    struct store_trial trial;

    store_trial_begin(&trial);
    trial.heal = heal;
    trial.failure = VTS_ERR_NOMEM;
    allocations = 0;
    failing_at = at;
    failing_count = count;
    store_trial_live_on(&trial);
    heal();
    store_trial_expect_durable(&trial);
    store_trial_end(&trial);
}

static void sqlite_store_outlives_a_lack_of_memory(void)
{
    long all;

    try_failure(0, 0);
    all = allocations;
    CU_ASSERT(all > 500);
    for (long at = 0; at < all; at += STRIDE) {
        try_failure(at, 1);
        try_failure(at + STRIDE / 2, LONG_MAX);
    }
}

static void sqlite_store_without_memory_is_not_opened(void)
{
    const char *path = vts_scratch_path("no-memory.db");
    struct vts_store *store = NULL;
    struct vts_error error;
    char spec[300];
    long at = 0;
    enum vts_err err = VTS_ERR_NOMEM;

    fake_disk_wipe();
    (void)snprintf(spec, sizeof(spec), "sqlite:%s", path);
    while (err == VTS_ERR_NOMEM && at < 100) {
        (void)vts_mem_fail_after(at++); /* nothing had failed */
        error.text[0] = '\0';
        err = vts_store_open(spec, &store, &error);
        if (vts_mem_fail_after(-1) == 0)
            break;
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no memory"));
    }
    CU_ASSERT(at > 2);
    CU_ASSERT_EQUAL_FATAL(err, VTS_OK);
    store->ops->close(store);
}

static void memory_store_without_memory_is_not_opened(void)
{
    struct vts_store *store = NULL;
    struct vts_error error = {.text = ""};

    (void)vts_mem_fail_after(0); /* nothing had failed */
    CU_ASSERT_EQUAL(vts_store_open("memory", &store, &error), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_STRING_NOT_EQUAL(error.text, "");
    CU_ASSERT_PTR_NULL(store);
}

/* Replaces, removes and creates. */
static const struct vts_store_write mixed[] = {
    {{"new", 3}, 0, 1, {"new", 3}},
    {{"kept", 4}, 1, 2, {"changed", 7}},
    {{"gone", 4}, 1, 0, {"", 0}},
};

static void fill(struct vts_store *store, struct store_content *ret_content)
{
    static const struct vts_store_write writes[] = {
        {{"kept", 4}, 0, 1, {"kept", 4}},
        {{"gone", 4}, 0, 1, {"gone", 4}},
    };

    CU_ASSERT_EQUAL(store->ops->commit(store, writes, VTS_ARRAY_LEN(writes), NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(store_content_load(store, ret_content, NULL), VTS_OK);
}

static void memory_store_without_memory_changes_nothing(void)
{
    enum vts_err err = VTS_ERR_NOMEM;

    for (long at = 0; err != VTS_OK && at < 100; at++) {
        struct vts_store *store;
        struct store_content before;
        struct store_content after;
        struct vts_error error = {.text = ""};
        int has_failed;

        CU_ASSERT_EQUAL_FATAL(vts_store_memory_new(&store), VTS_OK);
        fill(store, &before);
        (void)vts_mem_fail_after(at); /* nothing had failed */
        err = store->ops->commit(store, mixed, VTS_ARRAY_LEN(mixed), &error);
        has_failed = vts_mem_fail_after(-1);
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        CU_ASSERT_EQUAL(error.text[0] != '\0', has_failed);
        CU_ASSERT_EQUAL_FATAL(store_content_load(store, &after, NULL), VTS_OK);
        CU_ASSERT_EQUAL(store_content_equals(&before, &after), has_failed);
        store_content_free(&before);
        store_content_free(&after);
        store->ops->close(store);
    }
    CU_ASSERT_EQUAL(err, VTS_OK);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"sqlite_store_outlives_a_lack_of_memory", sqlite_store_outlives_a_lack_of_memory},
        {"sqlite_store_without_memory_is_not_opened", sqlite_store_without_memory_is_not_opened},
        {"memory_store_without_memory_is_not_opened", memory_store_without_memory_is_not_opened},
        {"memory_store_without_memory_changes_nothing",
         memory_store_without_memory_changes_nothing},
    };

    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT); /* checkpoints are meant to fail */
    install_memory();
    fake_disk_install();
    return vts_scratch_run("fault_store_memory", tests, VTS_ARRAY_LEN(tests));
}
