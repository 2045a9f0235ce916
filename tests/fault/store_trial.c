/* SPDX-License-Identifier: Apache-2.0 */
/* store_trial.c - what is committed, step by step, and what must be there.
 *
 * A commit that failed is not kept: it follows from its step and from what was acknowledged, and
 * while it is in doubt nothing else is acknowledged.
 */
#include "tests/fault/store_trial.h"

#include <stdio.h>

#include "common/base/assert.h"
#include "server/store/store_memory.h"
#include "server/store/store_sqlite.h"
#include "tests/support/fake_disk.h"
#include "tests/support/scratch.h"

enum { BATCH_MAX = 40, NOISE_BYTES = 32 * 1024, NOISE_STEPS = 997, LARGE_BYTES = 12000 };

/* Small, so that a trial meets several checkpoints of both kinds. */
static const struct vts_store_sqlite_options options = {
    .tidy_bytes = 32L * 1024,
    .wal_max_bytes = 96L * 1024,
};

struct batch {
    size_t count;
    struct vts_store_write writes[BATCH_MAX];
    char ids[BATCH_MAX][24];
};

const char *store_trial_path(void)
{
    static char path[256];

    if (path[0] == '\0')
        (void)snprintf(path, sizeof(path), "%s", vts_scratch_path("trial.db"));
    return path;
}

/* Bytes without a pattern, other ones for each step and write. */
static struct vts_str make_record(unsigned step, size_t number, size_t len)
{
    static char noise[NOISE_BYTES];

    for (size_t i = 0; noise[0] == '\0' && i < NOISE_BYTES; i++)
        noise[NOISE_BYTES - 1 - i] = (char)(i * i % 251 + i / 7 + 1);
    return vts_str_make(noise + ((size_t)step * 61 + number * 13) % NOISE_STEPS, len);
}

static void add_new(struct batch *batch, unsigned step, size_t len)
{
    size_t i = batch->count++;

    VTS_ASSERT(i < BATCH_MAX);
    (void)snprintf(batch->ids[i], sizeof(batch->ids[i]), "job-%u-%zu", step * 7919 % 97, i);
    batch->writes[i] =
        (struct vts_store_write){vts_str_of(batch->ids[i]), 0, step + 1, make_record(step, i, len)};
}

/* The record is removed when len is 0. */
static void add_change(struct batch *batch, unsigned step, const struct store_row *row, size_t len)
{
    size_t i = batch->count++;

    VTS_ASSERT(i < BATCH_MAX && row->id.len < sizeof(batch->ids[i]));
    memcpy(batch->ids[i], row->id.ptr, row->id.len);
    batch->writes[i] =
        (struct vts_store_write){vts_str_make(batch->ids[i], row->id.len), row->version,
                                 len == 0 ? 0 : row->version + step + 1, make_record(step, i, len)};
}

/* count changes of what is there, spread over all of it. */
static void add_changes(struct batch *batch, unsigned step, const struct store_content *content,
                        size_t count, size_t len)
{
    size_t stride = content->count / count;

    for (size_t i = 0; i < count && i < content->count; i++)
        add_change(batch, step, &content->rows[stride == 0 ? i : i * stride], len);
}

static void make_batch(struct batch *batch, unsigned step, const struct store_content *content)
{
    batch->count = 0;
    switch (step % 5) {
    case 0:
        for (int i = 0; i < 30; i++)
            add_new(batch, step, 300);
        return;
    case 1:
        add_changes(batch, step, content, 1, 280);
        return;
    case 2:
        add_changes(batch, step, content, 6, 700);
        add_new(batch, step, LARGE_BYTES);
        return;
    case 3:
        add_changes(batch, step, content, 4, 0);
        add_new(batch, step, 40);
        return;
    default:
        add_changes(batch, step, content, 10, 350);
        return;
    }
}

static void load_expected(struct store_trial *trial)
{
    enum vts_err err;

    store_content_free(&trial->content);
    err = store_content_load(trial->expected, &trial->content, NULL);
    VTS_ASSERT(err == VTS_OK);
}

/* Commits the batch of a step to either store. */
static enum vts_err commit_step(struct store_trial *trial, struct vts_store *store, unsigned step)
{
    struct batch batch;

    make_batch(&batch, step, &trial->content);
    return store->ops->commit(store, batch.writes, batch.count, &trial->error);
}

static void acknowledge(struct store_trial *trial, unsigned step)
{
    enum vts_err err = commit_step(trial, trial->expected, step);

    VTS_ASSERT(err == VTS_OK);
    load_expected(trial);
    trial->failed_count = 0;
}

static void begin(struct store_trial *trial)
{
    enum vts_err err;

    *trial = (struct store_trial){.failure = VTS_ERR_IO, .heal = fake_disk_heal};
    err = vts_store_memory_new(&trial->expected);
    VTS_ASSERT(err == VTS_OK);
}

static void end(struct store_trial *trial)
{
    trial->expected->ops->close(trial->expected);
    store_content_free(&trial->content);
}

void store_trial_begin(struct store_trial *trial)
{
    begin(trial);
    fake_disk_wipe();
}

void store_trial_end(struct store_trial *trial)
{
    store_trial_close(trial);
    end(trial);
    fake_disk_wipe();
}

enum vts_err store_trial_open(struct store_trial *trial)
{
    return vts_store_sqlite_open(store_trial_path(), &options, &trial->store, &trial->error);
}

void store_trial_close(struct store_trial *trial)
{
    if (trial->store != NULL)
        trial->store->ops->close(trial->store);
    trial->store = NULL;
}

enum vts_err store_trial_commit(struct store_trial *trial)
{
    unsigned step = trial->step++;
    enum vts_err err;

    if (step % 3 == 2)
        trial->store->ops->tidy(trial->store);
    err = commit_step(trial, trial->store, step);
    if (err == VTS_OK) {
        acknowledge(trial, step);
        return VTS_OK;
    }
    VTS_ASSERT(trial->failed_count < STORE_TRIAL_FAILED_MAX);
    trial->failed[trial->failed_count++] = step;
    return err;
}

/* What would be expected if that step had been acknowledged. */
static bool is_as_if(const struct store_trial *trial, unsigned step,
                     const struct store_content *found)
{
    struct store_trial other;
    bool is_equal;

    begin(&other);
    for (size_t i = 0; i < trial->content.count; i++) {
        const struct store_row *row = &trial->content.rows[i];
        struct vts_store_write write = {row->id, 0, row->version, row->record};
        enum vts_err err = other.expected->ops->commit(other.expected, &write, 1, NULL);

        VTS_ASSERT(err == VTS_OK);
    }
    load_expected(&other);
    acknowledge(&other, step);
    is_equal = store_content_equals(&other.content, found);
    end(&other);
    return is_equal;
}

static bool is_as_if_one_had_not_failed(struct store_trial *trial,
                                        const struct store_content *found)
{
    for (unsigned i = 0; i < trial->failed_count; i++)
        if (is_as_if(trial, trial->failed[i], found)) {
            acknowledge(trial, trial->failed[i]);
            return true;
        }
    return false;
}

bool store_trial_holds(struct store_trial *trial, bool may_have_failed)
{
    struct store_content found;
    bool holds;

    if (store_content_load(trial->store, &found, &trial->error) != VTS_OK)
        return false;
    holds = store_content_equals(&trial->content, &found) ||
            (may_have_failed && is_as_if_one_had_not_failed(trial, &found));
    store_content_free(&found);
    return holds;
}
