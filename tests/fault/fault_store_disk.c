/* SPDX-License-Identifier: Apache-2.0 */
/* fault_store_disk.c - each operation of the SQLite store's disk fails in turn.
 *
 * A commit that fails leaves nothing; what was acknowledged stays; and once the disk is well again
 * the store works on, without being opened anew.
 */
#include <CUnit/CUnit.h>
#include <limits.h>
#include <stdio.h>

#include "server/obs/log.h"
#include "tests/fault/store_trial.h"
#include "tests/support/fake_disk.h"
#include "tests/support/scratch.h"

/* What the store says of a fault that its operator can mend. */
struct expected_text {
    enum fake_fault fault;
    const char *text;
};

/* A whole trial with a fault, which ends when somebody was told. The disk's numbers at its end. */
static void try_fault(enum fake_fault fault, long at, long count, long *ret_operations,
                      long *ret_reads)
{
    struct store_trial trial;

    store_trial_begin(&trial);
    fake_disk_fail(fault, at, count);
    store_trial_live_on(&trial);
    *ret_operations = fake_disk_operations();
    *ret_reads = fake_disk_reads();
    store_trial_expect_durable(&trial);
    store_trial_end(&trial);
}

static void try_faults(enum fake_fault fault)
{
    long operations;
    long reads;
    long last;

    try_fault(fault, 0, 0, &operations, &reads);
    last = fault == FAKE_FAULT_READ ? reads : operations;
    CU_ASSERT(last > 50);
    for (long at = 0; at < last; at++) {
        try_fault(fault, at, 1, &operations, &reads);
        try_fault(fault, at, LONG_MAX, &operations, &reads);
    }
}

static void store_outlives_a_failing_disk(void)
{
    try_faults(FAKE_FAULT_EIO);
}

static void store_outlives_a_full_disk(void)
{
    try_faults(FAKE_FAULT_FULL);
}

static void store_outlives_short_writes(void)
{
    try_faults(FAKE_FAULT_SHORT);
}

static void store_outlives_failing_reads(void)
{
    try_faults(FAKE_FAULT_READ);
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
        {"store_outlives_a_failing_disk", store_outlives_a_failing_disk},
        {"store_outlives_a_full_disk", store_outlives_a_full_disk},
        {"store_outlives_short_writes", store_outlives_short_writes},
        {"store_outlives_failing_reads", store_outlives_failing_reads},
        {"store_says_what_to_do", store_says_what_to_do},
        {"store_that_is_read_only_is_refused", store_that_is_read_only_is_refused},
        {"store_that_is_damaged_says_so", store_that_is_damaged_says_so},
    };

    vts_log_setup(VTS_LOG_ERROR, VTS_LOG_TEXT); /* checkpoints are meant to fail */
    fake_disk_install();
    return vts_scratch_run("fault_store_disk", tests, VTS_ARRAY_LEN(tests));
}
