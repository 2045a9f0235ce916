/* SPDX-License-Identifier: Apache-2.0 */
/* fault_store_power.c - the power is cut at each operation of the SQLite store's disk.
 *
 * Whatever outlives the cut of what was not synced, what was acknowledged is there, and a commit is
 * there as a whole or not at all.
 */
#include <CUnit/CUnit.h>

#include "common/base/rng.h"
#include "server/obs/log.h"
#include "tests/fault/store_trial.h"
#include "tests/support/fake_disk.h"
#include "tests/support/scratch.h"

enum { ROUNDS = 250 };

/* The operations of a trial in which nothing fails. */
static long count_operations(void)
{
    struct store_trial trial;
    long operations;

    store_trial_begin(&trial);
    store_trial_live_on(&trial);
    store_trial_close(&trial);
    operations = fake_disk_operations();
    store_trial_end(&trial);
    return operations;
}

/* As store_trial_live_on(), until the power is cut. */
static void live_until_the_cut(struct store_trial *trial)
{
    while (fake_disk_has_power() && trial->step < STORE_TRIAL_STEPS) {
        enum vts_err err = VTS_OK;

        if (trial->store == NULL)
            err = store_trial_open(trial);
        if (err == VTS_OK)
            err = store_trial_commit(trial);
        CU_ASSERT(err == VTS_OK || err == VTS_ERR_IO);
        if (err != VTS_OK)
            fake_disk_heal();
        if (trial->step == STORE_TRIAL_REOPENED_AFTER)
            store_trial_close(trial);
    }
    store_trial_close(trial);
}

/* Lives until the cut, looks at what is left of the world, and lives to the end. */
static void try_cut(struct store_trial *trial, enum fake_survivors survivors, uint64_t seed)
{
    live_until_the_cut(trial);
    fake_disk_restart(survivors, seed);
    CU_ASSERT_EQUAL_FATAL(store_trial_open(trial), VTS_OK);
    CU_ASSERT(store_trial_holds(trial, true));
    store_trial_live_on(trial);
    store_trial_expect_durable(trial);
}

static void try_cuts(enum fake_survivors survivors)
{
    long operations = count_operations();
    struct store_trial trial;

    CU_ASSERT(operations > 150);
    for (long at = 0; at < operations; at++) {
        store_trial_begin(&trial);
        fake_disk_cut_power(at);
        try_cut(&trial, survivors, (uint64_t)at);
        store_trial_end(&trial);
    }
}

static void store_outlives_a_cut_that_leaves_what_was_synced(void)
{
    try_cuts(FAKE_SURVIVORS_NONE);
}

static void store_outlives_a_cut_that_leaves_everything(void)
{
    try_cuts(FAKE_SURVIVORS_ALL);
}

static void store_outlives_a_cut_that_leaves_some_sectors(void)
{
    try_cuts(FAKE_SURVIVORS_SOME);
}

/* The file is created, not without a fault; the power is cut right after the first commit. */
static void store_outlives_a_fault_while_it_is_created(void)
{
    static const enum fake_fault faults[] = {FAKE_FAULT_EIO, FAKE_FAULT_FULL, FAKE_FAULT_SHORT};
    long operations = count_operations();
    struct store_trial trial;

    for (unsigned i = 0; i < VTS_ARRAY_LEN(faults); i++)
        for (long at = 0; at < operations / 4; at++) {
            store_trial_begin(&trial);
            fake_disk_fail(faults[i], at, 1);
            store_trial_open_at_last(&trial);
            store_trial_commit_at_last(&trial);
            store_trial_expect_durable(&trial);
            store_trial_end(&trial);
        }
}

/* The disk fails once, loses what it did not sync, and some time later the power is cut. */
static void store_outlives_a_fault_and_then_a_cut(void)
{
    static const enum fake_fault faults[] = {FAKE_FAULT_EIO, FAKE_FAULT_FULL, FAKE_FAULT_SHORT};
    long operations = count_operations();
    struct store_trial trial;
    struct vts_rng rng;

    vts_rng_init(&rng, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        long at = (long)(vts_rng_next(&rng) % (uint64_t)operations);

        store_trial_begin(&trial);
        fake_disk_fail(faults[i % VTS_ARRAY_LEN(faults)], at, i % 2 == 0 ? 1 : 20);
        fake_disk_cut_power(at + 1 + (long)(vts_rng_next(&rng) % 60));
        try_cut(&trial, i % 4 == 0 ? FAKE_SURVIVORS_NONE : FAKE_SURVIVORS_SOME, i);
        store_trial_end(&trial);
    }
}

/* The power is cut again while the store brings in what the first cut left. */
static void store_outlives_a_cut_while_it_recovers(void)
{
    long operations = count_operations();
    struct store_trial trial;
    struct vts_rng rng;

    vts_rng_init(&rng, 2);
    for (unsigned i = 0; i < ROUNDS; i++) {
        store_trial_begin(&trial);
        fake_disk_cut_power((long)(vts_rng_next(&rng) % (uint64_t)operations));
        live_until_the_cut(&trial);
        fake_disk_restart(FAKE_SURVIVORS_SOME, i);
        fake_disk_cut_power((long)(vts_rng_next(&rng) % 12));
        if (store_trial_open(&trial) == VTS_OK)
            CU_ASSERT(store_trial_holds(&trial, true));
        try_cut(&trial, FAKE_SURVIVORS_SOME, i);
        store_trial_end(&trial);
    }
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"store_outlives_a_cut_that_leaves_what_was_synced",
         store_outlives_a_cut_that_leaves_what_was_synced},
        {"store_outlives_a_cut_that_leaves_everything",
         store_outlives_a_cut_that_leaves_everything},
        {"store_outlives_a_cut_that_leaves_some_sectors",
         store_outlives_a_cut_that_leaves_some_sectors},
        {"store_outlives_a_fault_while_it_is_created", store_outlives_a_fault_while_it_is_created},
        {"store_outlives_a_fault_and_then_a_cut", store_outlives_a_fault_and_then_a_cut},
        {"store_outlives_a_cut_while_it_recovers", store_outlives_a_cut_while_it_recovers},
    };

    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT); /* checkpoints are meant to fail */
    fake_disk_install();
    return vts_scratch_run("fault_store_power", tests, VTS_ARRAY_LEN(tests));
}
