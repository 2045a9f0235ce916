/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_contract.c - what the keeper relies on, of whichever store the argument names.
 *
 * What a store on disk must hold is looked at twice: in the open store, and after it was closed and
 * opened again.
 */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/mem.h"
#include "server/store/store_open.h"
#include "tests/support/scratch.h"
#include "tests/support/store_content.h"

enum { SPEC_BYTES = 300, MANY = 1000, LARGE_BYTES = 1024 * 1024 };

/* The store of the argument. */
static const char *kind;
static bool is_durable;

struct subject {
    char spec[SPEC_BYTES];
    struct vts_store *store;
};

static void open_store(struct subject *subject)
{
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL(vts_store_open(subject->spec, &subject->store, &error), VTS_OK);
    CU_ASSERT_STRING_EQUAL_FATAL(error.text, "");
}

/* A new store, empty. */
static void begin(struct subject *subject)
{
    static unsigned files;
    char name[32];

    (void)snprintf(name, sizeof(name), "store-%u.db", files++);
    (void)snprintf(subject->spec, sizeof(subject->spec), "%s%s%s", kind, is_durable ? ":" : "",
                   is_durable ? vts_scratch_path(name) : "");
    open_store(subject);
}

static void end(struct subject *subject)
{
    subject->store->ops->close(subject->store);
}

static struct vts_store_write make_write(const char *id, uint64_t expected, uint64_t version,
                                         const char *record)
{
    return (struct vts_store_write){vts_str_of(id), expected, version, vts_str_of(record)};
}

static enum vts_err commit(struct subject *subject, const struct vts_store_write *writes,
                           size_t count)
{
    return subject->store->ops->commit(subject->store, writes, count, NULL);
}

static enum vts_err commit_one(struct subject *subject, const char *id, uint64_t expected,
                               uint64_t version, const char *record)
{
    struct vts_store_write write = make_write(id, expected, version, record);

    return commit(subject, &write, 1);
}

static void load(struct subject *subject, struct store_content *ret_content)
{
    CU_ASSERT_EQUAL_FATAL(store_content_load(subject->store, ret_content, NULL), VTS_OK);
}

/* Loads what the store holds, and sees that it holds the same when it is opened again. */
static void load_durable(struct subject *subject, struct store_content *ret_content)
{
    struct store_content again;

    load(subject, ret_content);
    if (!is_durable)
        return;
    end(subject);
    open_store(subject);
    load(subject, &again);
    CU_ASSERT(store_content_equals(&again, ret_content));
    store_content_free(&again);
}

static bool has(const struct store_content *content, const char *id, uint64_t version,
                const char *record)
{
    const struct store_row *row = store_content_find(content, id);

    return row != NULL && row->version == version && vts_str_equals_text(row->record, record);
}

/* The store holds this one record and nothing else. */
static void expect_only(struct subject *subject, const char *id, uint64_t version,
                        const char *record)
{
    struct store_content content;

    load_durable(subject, &content);
    CU_ASSERT_EQUAL(content.count, 1);
    CU_ASSERT(has(&content, id, version, record));
    store_content_free(&content);
}

static void expect_nothing(struct subject *subject)
{
    struct store_content content;

    load_durable(subject, &content);
    CU_ASSERT_EQUAL(content.count, 0);
    store_content_free(&content);
}

static void store_when_new_is_empty(void)
{
    struct subject subject;

    begin(&subject);
    CU_ASSERT_STRING_EQUAL(subject.store->ops->name, kind);
    expect_nothing(&subject);
    end(&subject);
}

static void store_gives_back_what_was_written(void)
{
    struct subject subject;

    begin(&subject);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 0, 1, "first"), VTS_OK);
    expect_only(&subject, "job-1", 1, "first");
    end(&subject);
}

static void store_record_is_replaced(void)
{
    struct subject subject;

    begin(&subject);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 0, 1, "first"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 1, 2, "a second, longer one"), VTS_OK);
    expect_only(&subject, "job-1", 2, "a second, longer one");
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 2, 3, ""), VTS_OK);
    expect_only(&subject, "job-1", 3, "");
    end(&subject);
}

static void store_record_is_removed(void)
{
    struct subject subject;

    begin(&subject);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 0, 1, "first"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-2", 0, 1, "second"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 1, 0, ""), VTS_OK);
    expect_only(&subject, "job-2", 1, "second");
    /* And may come again. */
    CU_ASSERT_EQUAL(commit_one(&subject, "job-2", 1, 0, "ignored"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 0, 9, "again"), VTS_OK);
    expect_only(&subject, "job-1", 9, "again");
    end(&subject);
}

static void store_record_of_any_bytes_is_kept(void)
{
    struct subject subject;
    struct store_content content;
    struct vts_store_write write = make_write("job-1", 0, 1, NULL);
    char bytes[256];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(255 - i);
    write.record = vts_str_make(bytes, sizeof(bytes));
    begin(&subject);
    CU_ASSERT_EQUAL(commit(&subject, &write, 1), VTS_OK);
    load_durable(&subject, &content);
    CU_ASSERT_EQUAL_FATAL(content.count, 1);
    CU_ASSERT(vts_str_equals(content.rows[0].record, write.record));
    store_content_free(&content);
    end(&subject);
}

static void store_record_that_is_empty_is_kept(void)
{
    struct subject subject;
    struct vts_store_write write = {vts_str_of("job-1"), 0, 1, {NULL, 0}};

    begin(&subject);
    CU_ASSERT_EQUAL(commit(&subject, &write, 1), VTS_OK);
    expect_only(&subject, "job-1", 1, "");
    end(&subject);
}

static void store_version_of_64_bits_is_kept(void)
{
    struct subject subject;

    begin(&subject);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 0, INT64_MAX, "a"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", INT64_MAX, UINT64_C(1) << 63, "b"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", UINT64_C(1) << 63, UINT64_MAX, "c"), VTS_OK);
    expect_only(&subject, "job-1", UINT64_MAX, "c");
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", INT64_MAX, 1, "d"), VTS_ERR_CONFLICT);
    /* A version need not rise. */
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", UINT64_MAX, 1, "e"), VTS_OK);
    expect_only(&subject, "job-1", 1, "e");
    end(&subject);
}

/* Writes that clash with a store that holds "there" at version 5 and no "missing". */
static const struct clash {
    const char *id;
    uint64_t expected;
    uint64_t version;
} clashes[] = {
    {"there", 0, 1},   /* create what is there */
    {"there", 4, 6},   /* replace a version that is gone */
    {"there", 6, 7},   /* replace one that is to come */
    {"there", 4, 0},   /* remove a version that is gone */
    {"there", 0, 0},   /* be sure that nothing is there */
    {"missing", 1, 2}, /* replace what is not there */
    {"missing", 1, 0}, /* remove it */
};

/* The clash is the write at `place` of four; the others would do. */
static void try_clash(const struct clash *clash, size_t place)
{
    struct subject subject;
    struct vts_error error = {.text = ""};
    struct vts_store_write writes[4] = {
        make_write("new-1", 0, 1, "new"),
        make_write("old", 2, 3, "changed"),
        make_write("gone", 2, 0, ""),
    };

    begin(&subject);
    CU_ASSERT_EQUAL(commit_one(&subject, "there", 0, 5, "there"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "old", 0, 2, "old"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "gone", 0, 2, "gone"), VTS_OK);
    writes[3] = writes[place];
    writes[place] = make_write(clash->id, clash->expected, clash->version, "clash");
    CU_ASSERT_EQUAL(subject.store->ops->commit(subject.store, writes, 4, &error), VTS_ERR_CONFLICT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, clash->id));

    CU_ASSERT_EQUAL(commit_one(&subject, "old", 2, 0, ""), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "gone", 2, 0, ""), VTS_OK);
    expect_only(&subject, "there", 5, "there");
    end(&subject);
}

static void store_conflict_leaves_the_whole_batch_unwritten(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(clashes); i++)
        for (size_t place = 0; place < 4; place++)
            try_clash(&clashes[i], place);
}

static void store_expecting_nothing_of_nothing_is_met(void)
{
    struct subject subject;

    begin(&subject);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 0, 0, ""), VTS_OK);
    CU_ASSERT_EQUAL(commit(&subject, NULL, 0), VTS_OK);
    expect_nothing(&subject);
    end(&subject);
}

static void store_writes_of_one_id_follow_each_other(void)
{
    struct subject subject;
    const struct vts_store_write life[] = {
        make_write("job-1", 0, 1, "made"),
        make_write("job-1", 1, 2, "changed"),
        make_write("job-1", 2, 0, ""),
        make_write("job-1", 0, 3, "made again"),
    };
    const struct vts_store_write broken[] = {
        make_write("job-1", 3, 0, ""),
        make_write("job-1", 0, 4, "made a third time"),
        make_write("job-1", 3, 5, "too late"),
    };

    begin(&subject);
    CU_ASSERT_EQUAL(commit(&subject, life, 3), VTS_OK);
    expect_nothing(&subject);
    CU_ASSERT_EQUAL(commit(&subject, life, 4), VTS_OK);
    expect_only(&subject, "job-1", 3, "made again");
    CU_ASSERT_EQUAL(commit(&subject, broken, 3), VTS_ERR_CONFLICT);
    expect_only(&subject, "job-1", 3, "made again");
    end(&subject);
}

/* The ids and records of a large batch. */
struct batch {
    struct vts_store_write writes[MANY];
    char ids[MANY][24];
    char records[MANY][48];
};

static struct batch *make_batch(void)
{
    struct batch *batch = vts_mem_zalloc(sizeof(*batch));

    CU_ASSERT_PTR_NOT_NULL_FATAL(batch);
    for (int i = 0; i < MANY; i++) {
        /* 7919 shares no factor with 1000: every number comes once, in no order. */
        (void)snprintf(batch->ids[i], sizeof(batch->ids[i]), "job-%d", i * 7919 % MANY);
        (void)snprintf(batch->records[i], sizeof(batch->records[i]), "record of %s", batch->ids[i]);
        batch->writes[i] = make_write(batch->ids[i], 0, 1, batch->records[i]);
    }
    return batch;
}

static void expect_batch(struct subject *subject, const struct batch *batch, uint64_t version)
{
    struct store_content content;

    load_durable(subject, &content);
    CU_ASSERT_EQUAL(content.count, MANY);
    for (int i = 0; i < MANY; i++)
        CU_ASSERT(has(&content, batch->ids[i], version, batch->records[i]));
    store_content_free(&content);
}

static void store_takes_a_thousand_writes_at_once(void)
{
    struct subject subject;
    struct batch *batch = make_batch();

    begin(&subject);
    CU_ASSERT_EQUAL(commit(&subject, batch->writes, MANY), VTS_OK);
    expect_batch(&subject, batch, 1);
    for (int i = 0; i < MANY; i++) {
        batch->writes[i].expected_version = 1;
        batch->writes[i].version = 2;
    }
    CU_ASSERT_EQUAL(commit(&subject, batch->writes, MANY), VTS_OK);
    expect_batch(&subject, batch, 2);
    CU_ASSERT_EQUAL(commit(&subject, batch->writes, MANY), VTS_ERR_CONFLICT);
    for (int i = 0; i < MANY; i++) {
        batch->writes[i].expected_version = 2;
        batch->writes[i].version = 0;
    }
    batch->writes[MANY - 1].expected_version = 3;
    CU_ASSERT_EQUAL(commit(&subject, batch->writes, MANY), VTS_ERR_CONFLICT);
    expect_batch(&subject, batch, 2);
    batch->writes[MANY - 1].expected_version = 2;
    CU_ASSERT_EQUAL(commit(&subject, batch->writes, MANY), VTS_OK);
    expect_nothing(&subject);
    end(&subject);
    vts_mem_free(batch);
}

static void store_order_of_other_ids_does_not_matter(void)
{
    enum { SLICE = 100 };
    struct subject forward;
    struct subject backward;
    struct store_content contents[2];
    struct batch *batch = make_batch();

    begin(&forward);
    begin(&backward);
    CU_ASSERT_EQUAL(commit(&forward, batch->writes, MANY), VTS_OK);
    for (int i = MANY - SLICE; i >= 0; i -= SLICE)
        CU_ASSERT_EQUAL(commit(&backward, &batch->writes[i], SLICE), VTS_OK);
    load_durable(&forward, &contents[0]);
    load_durable(&backward, &contents[1]);
    CU_ASSERT(store_content_equals(&contents[0], &contents[1]));
    store_content_free(&contents[0]);
    store_content_free(&contents[1]);
    end(&forward);
    end(&backward);
    vts_mem_free(batch);
}

static void store_takes_records_of_a_megabyte(void)
{
    struct subject subject;
    struct store_content content;
    struct vts_store_write writes[4];
    char *bytes = vts_mem_alloc(LARGE_BYTES + VTS_ARRAY_LEN(writes));

    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    for (size_t i = 0; i < LARGE_BYTES + VTS_ARRAY_LEN(writes); i++)
        bytes[i] = (char)(i * 31 >> 3);
    for (size_t i = 0; i < VTS_ARRAY_LEN(writes); i++) {
        static const char *const ids[] = {"a", "b", "c", "d"};

        writes[i] = make_write(ids[i], 0, 1, NULL);
        writes[i].record = vts_str_make(bytes + i, LARGE_BYTES);
    }
    begin(&subject);
    CU_ASSERT_EQUAL(commit(&subject, writes, VTS_ARRAY_LEN(writes)), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "b", 1, 2, "small now"), VTS_OK);
    load_durable(&subject, &content);
    CU_ASSERT_EQUAL_FATAL(content.count, VTS_ARRAY_LEN(writes));
    CU_ASSERT(vts_str_equals(content.rows[0].record, writes[0].record));
    CU_ASSERT(has(&content, "b", 2, "small now"));
    CU_ASSERT(vts_str_equals(content.rows[3].record, writes[3].record));
    store_content_free(&content);
    end(&subject);
    vts_mem_free(bytes);
}

static void store_takes_ids_of_every_kind(void)
{
    static const char *const ids[] = {
        "a",
        "A", /* another than "a" */
        "aa",
        "a.",
        "0",
        "00", /* no numbers */
        "1e3",
        "-",
        "_",
        "~",
        ".",
        "..",
        "%",
        "'; DROP TABLE job; --",
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._~-",
    };
    struct subject subject;
    struct store_content content;

    begin(&subject);
    for (size_t i = 0; i < VTS_ARRAY_LEN(ids); i++)
        CU_ASSERT_EQUAL(commit_one(&subject, ids[i], 0, i + 1, ids[i]), VTS_OK);
    load_durable(&subject, &content);
    CU_ASSERT_EQUAL(content.count, VTS_ARRAY_LEN(ids));
    for (size_t i = 0; i < VTS_ARRAY_LEN(ids); i++)
        CU_ASSERT(has(&content, ids[i], i + 1, ids[i]));
    store_content_free(&content);
    for (size_t i = 0; i < VTS_ARRAY_LEN(ids); i++)
        CU_ASSERT_EQUAL(commit_one(&subject, ids[i], i + 1, 0, ""), VTS_OK);
    expect_nothing(&subject);
    end(&subject);
}

static void store_takes_the_longest_ids(void)
{
    enum { ID_MAX = 128 };
    struct subject subject;
    struct store_content content;
    char ids[2][ID_MAX + 1];

    begin(&subject);
    for (int i = 0; i < 2; i++) {
        memset(ids[i], 'x', ID_MAX);
        ids[i][ID_MAX - 1] = (char)('0' + i);
        ids[i][ID_MAX] = '\0';
        CU_ASSERT_EQUAL(commit_one(&subject, ids[i], 0, 1, ids[i]), VTS_OK);
    }
    load_durable(&subject, &content);
    CU_ASSERT(has(&content, ids[0], 1, ids[0]) && has(&content, ids[1], 1, ids[1]));
    store_content_free(&content);
    end(&subject);
}

/* An id is not NUL-terminated: what follows it in memory must not become part of it. */
static void store_id_ends_where_it_ends(void)
{
    struct subject subject;
    struct vts_store_write write = {vts_str_make("job-1234", 5), 0, 1,
                                    vts_str_make("recording", 6)};

    begin(&subject);
    CU_ASSERT_EQUAL(commit(&subject, &write, 1), VTS_OK);
    expect_only(&subject, "job-1", 1, "record");
    end(&subject);
}

static enum vts_err refuse_second(void *context, struct vts_str id, uint64_t version,
                                  struct vts_str record)
{
    int *calls = context;

    (void)id;
    (void)version;
    (void)record;
    return ++*calls == 2 ? VTS_ERR_LIMIT : VTS_OK;
}

static void store_loading_ends_with_the_callers_error(void)
{
    struct subject subject;
    int calls = 0;

    begin(&subject);
    CU_ASSERT_EQUAL(commit_one(&subject, "a", 0, 1, "a"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "b", 0, 1, "b"), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "c", 0, 1, "c"), VTS_OK);
    CU_ASSERT_EQUAL(subject.store->ops->load(subject.store, refuse_second, &calls, NULL),
                    VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(calls, 2);
    /* And nothing is left of it. */
    CU_ASSERT_EQUAL(commit_one(&subject, "a", 1, 0, ""), VTS_OK);
    CU_ASSERT_EQUAL(commit_one(&subject, "b", 1, 0, ""), VTS_OK);
    expect_only(&subject, "c", 1, "c");
    end(&subject);
}

static void store_tidying_changes_nothing(void)
{
    struct subject subject;
    struct batch *batch = make_batch();

    begin(&subject);
    subject.store->ops->tidy(subject.store);
    CU_ASSERT_EQUAL(commit(&subject, batch->writes, MANY), VTS_OK);
    subject.store->ops->tidy(subject.store);
    subject.store->ops->tidy(subject.store);
    expect_batch(&subject, batch, 1);
    end(&subject);
    vts_mem_free(batch);
}

static void store_is_opened_many_times(void)
{
    struct subject subject;
    uint64_t version = 1;

    begin(&subject);
    CU_ASSERT_EQUAL(commit_one(&subject, "job-1", 0, 1, "kept"), VTS_OK);
    for (int i = 0; is_durable && i < 50; i++, version++) {
        end(&subject);
        open_store(&subject);
        CU_ASSERT_EQUAL(commit_one(&subject, "job-1", version, version + 1, "kept"), VTS_OK);
    }
    expect_only(&subject, "job-1", version, "kept");
    end(&subject);
}

static void *commit_in_thread(void *context)
{
    (void)commit_one(context, "job-1", 0, 1, "first"); /* the test looks at what is there */
    return NULL;
}

static void store_is_handed_to_another_thread(void)
{
    struct subject subject;
    pthread_t thread;

    begin(&subject);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, commit_in_thread, &subject), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_join(thread, NULL), 0);
    expect_only(&subject, "job-1", 1, "first");
    end(&subject);
}

int main(int argc, char **argv)
{
    static const struct vts_test tests[] = {
        {"store_when_new_is_empty", store_when_new_is_empty},
        {"store_gives_back_what_was_written", store_gives_back_what_was_written},
        {"store_record_is_replaced", store_record_is_replaced},
        {"store_record_is_removed", store_record_is_removed},
        {"store_record_of_any_bytes_is_kept", store_record_of_any_bytes_is_kept},
        {"store_record_that_is_empty_is_kept", store_record_that_is_empty_is_kept},
        {"store_version_of_64_bits_is_kept", store_version_of_64_bits_is_kept},
        {"store_conflict_leaves_the_whole_batch_unwritten",
         store_conflict_leaves_the_whole_batch_unwritten},
        {"store_expecting_nothing_of_nothing_is_met", store_expecting_nothing_of_nothing_is_met},
        {"store_writes_of_one_id_follow_each_other", store_writes_of_one_id_follow_each_other},
        {"store_takes_a_thousand_writes_at_once", store_takes_a_thousand_writes_at_once},
        {"store_order_of_other_ids_does_not_matter", store_order_of_other_ids_does_not_matter},
        {"store_takes_records_of_a_megabyte", store_takes_records_of_a_megabyte},
        {"store_takes_ids_of_every_kind", store_takes_ids_of_every_kind},
        {"store_takes_the_longest_ids", store_takes_the_longest_ids},
        {"store_id_ends_where_it_ends", store_id_ends_where_it_ends},
        {"store_loading_ends_with_the_callers_error", store_loading_ends_with_the_callers_error},
        {"store_tidying_changes_nothing", store_tidying_changes_nothing},
        {"store_is_opened_many_times", store_is_opened_many_times},
        {"store_is_handed_to_another_thread", store_is_handed_to_another_thread},
    };
    char suite_name[48];

    if (argc != 2) {
        fprintf(stderr, "usage: %s memory|sqlite\n", argv[0]);
        return 2;
    }
    kind = argv[1];
    is_durable = strcmp(kind, "memory") != 0;
    (void)snprintf(suite_name, sizeof(suite_name), "store_contract_%s", kind);
    return vts_scratch_run(suite_name, tests, VTS_ARRAY_LEN(tests));
}
