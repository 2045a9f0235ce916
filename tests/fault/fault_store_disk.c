/* SPDX-License-Identifier: Apache-2.0 */
/* fault_store_disk.c - each operation of the SQLite store's disk fails in turn, and the power is
 * cut at each.
 *
 * Whatever happens, what was acknowledged stays, a commit is there as a whole or not at all, and
 * once the disk is well again the store works on, without being opened anew.
 */
#include <CUnit/CUnit.h>
#include <limits.h>
#include <stdio.h>

#include "common/base/rng.h"
#include "server/obs/log.h"
#include "tests/fault/store_trial.h"
#include "tests/support/fake_disk.h"
#include "tests/support/scratch.h"

enum { ROUNDS = 400 };

/* What the store says of a fault that its operator can mend. */
struct expected_text {
    enum fake_fault fault;
    const char *text;
};

/* The disk's numbers over a trial in which nothing fails. */
static long all_operations;
static long all_reads;

/* A whole trial with a fault; lasting ones end when somebody was told. */
static void try_fault(enum fake_fault fault, long at, long count)
{
    struct store_trial trial;

    store_trial_begin(&trial);
    fake_disk_fail(fault, at, count);
    store_trial_live_on(&trial);
    store_trial_expect_durable(&trial);
    store_trial_end(&trial);
}

static void try_faults(enum fake_fault fault, long numbers)
{
    CU_ASSERT(numbers > 50);
    for (long at = 0; at < numbers; at++) {
        try_fault(fault, at, 1);
        try_fault(fault, at, LONG_MAX);
    }
}

static void store_without_a_fault_keeps_all(void)
{
    struct store_trial trial;

    store_trial_begin(&trial);
    store_trial_live_on(&trial);
    CU_ASSERT_EQUAL(trial.step, STORE_TRIAL_STEPS);
    store_trial_close(&trial);
    all_operations = fake_disk_operations();
    all_reads = fake_disk_reads();
    CU_ASSERT_EQUAL_FATAL(store_trial_open(&trial), VTS_OK);
    store_trial_expect_durable(&trial);
    store_trial_end(&trial);
}

static void store_outlives_a_failing_disk(void)
{
    try_faults(FAKE_FAULT_EIO, all_operations);
}

static void store_outlives_a_full_disk(void)
{
    try_faults(FAKE_FAULT_FULL, all_operations);
}

static void store_outlives_short_writes(void)
{
    try_faults(FAKE_FAULT_SHORT, all_operations);
}

static void store_outlives_failing_reads(void)
{
    try_faults(FAKE_FAULT_READ, all_reads);
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
    struct store_trial trial;

    for (long at = 0; at < all_operations; at++) {
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
    struct store_trial trial;

    for (unsigned i = 0; i < VTS_ARRAY_LEN(faults); i++)
        for (long at = 0; at < all_operations / 4; at++) {
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
    struct store_trial trial;
    struct vts_rng rng;

    vts_rng_init(&rng, 1);
    for (unsigned i = 0; i < ROUNDS; i++) {
        long at = (long)(vts_rng_next(&rng) % (uint64_t)all_operations);

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
    struct store_trial trial;
    struct vts_rng rng;

    vts_rng_init(&rng, 2);
    for (unsigned i = 0; i < ROUNDS; i++) {
        store_trial_begin(&trial);
        fake_disk_cut_power((long)(vts_rng_next(&rng) % (uint64_t)all_operations));
        live_until_the_cut(&trial);
        fake_disk_restart(FAKE_SURVIVORS_SOME, i);
        fake_disk_cut_power((long)(vts_rng_next(&rng) % 12));
        if (store_trial_open(&trial) == VTS_OK)
            CU_ASSERT(store_trial_holds(&trial, true));
        try_cut(&trial, FAKE_SURVIVORS_SOME, i);
        store_trial_end(&trial);
    }
}

static void store_says_what_to_do(void)
{
    static const struct expected_text texts[] = {
        {FAKE_FAULT_FULL, "the store's disk is full: make room"},
        {FAKE_FAULT_SHORT, "the store's disk is full: make room"},
        {FAKE_FAULT_EIO, "the store's disk fails"},
    };
    struct store_trial trial;

    for (size_t i = 0; i < VTS_ARRAY_LEN(texts); i++) {
        store_trial_begin(&trial);
        CU_ASSERT_EQUAL_FATAL(store_trial_open(&trial), VTS_OK);
        fake_disk_fail(texts[i].fault, fake_disk_operations(), LONG_MAX);
        for (int again = 0; again < 3; again++) {
            CU_ASSERT_EQUAL(store_trial_commit(&trial), VTS_ERR_IO);
            CU_ASSERT_PTR_NOT_NULL(strstr(trial.error.text, texts[i].text));
            CU_ASSERT_PTR_NOT_NULL(strstr(trial.error.text, store_trial_path()));
            trial.step = 0;
        }
        store_trial_end(&trial);
    }
}

static void store_that_is_read_only_is_refused(void)
{
    struct store_trial trial;

    store_trial_begin(&trial);
    store_trial_live_on(&trial);
    store_trial_close(&trial);
    fake_disk_make_read_only();
    CU_ASSERT_EQUAL(store_trial_open(&trial), VTS_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(trial.error.text, "the store is read-only"));
    store_trial_end(&trial);
}

/* Pages that were read before are in SQLite's memory, so it is opened anew. */
static void store_that_is_damaged_says_so(void)
{
    enum { PAGE_BYTES = 4096 };
    struct store_trial trial;

    store_trial_begin(&trial);
    store_trial_live_on(&trial);
    store_trial_close(&trial);
    fake_disk_damage(store_trial_path(), PAGE_BYTES, 4L * PAGE_BYTES);
    CU_ASSERT_EQUAL_FATAL(store_trial_open(&trial), VTS_OK);
    CU_ASSERT(!store_trial_holds(&trial, false));
    CU_ASSERT_PTR_NOT_NULL(strstr(trial.error.text, "the store's file is damaged"));
    CU_ASSERT_EQUAL(store_trial_commit(&trial), VTS_ERR_IO);
    CU_ASSERT_PTR_NOT_NULL(strstr(trial.error.text, "the store's file is damaged"));
    store_trial_end(&trial);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"store_without_a_fault_keeps_all",
         store_without_a_fault_keeps_all}, /* counts for others */
        {"store_outlives_a_failing_disk", store_outlives_a_failing_disk},
        {"store_outlives_a_full_disk", store_outlives_a_full_disk},
        {"store_outlives_short_writes", store_outlives_short_writes},
        {"store_outlives_failing_reads", store_outlives_failing_reads},
        {"store_outlives_a_cut_that_leaves_what_was_synced",
         store_outlives_a_cut_that_leaves_what_was_synced},
        {"store_outlives_a_cut_that_leaves_everything",
         store_outlives_a_cut_that_leaves_everything},
        {"store_outlives_a_cut_that_leaves_some_sectors",
         store_outlives_a_cut_that_leaves_some_sectors},
        {"store_outlives_a_fault_while_it_is_created", store_outlives_a_fault_while_it_is_created},
        {"store_outlives_a_fault_and_then_a_cut", store_outlives_a_fault_and_then_a_cut},
        {"store_outlives_a_cut_while_it_recovers", store_outlives_a_cut_while_it_recovers},
        {"store_says_what_to_do", store_says_what_to_do},
        {"store_that_is_read_only_is_refused", store_that_is_read_only_is_refused},
        {"store_that_is_damaged_says_so", store_that_is_damaged_says_so},
    };

    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT); /* checkpoints are meant to fail */
    fake_disk_install();
    return vts_scratch_run("fault_store_disk", tests, VTS_ARRAY_LEN(tests));
}
