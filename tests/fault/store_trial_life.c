/* SPDX-License-Identifier: Apache-2.0 */
/* store_trial_life.c - a trial from its beginning to its end, with a fault somewhere on the way.
 *
 * Nobody sleeps until the disk is well again: the first failure that is told to somebody heals it.
 */
#include <CUnit/CUnit.h>

#include "tests/fault/store_trial.h"
#include "tests/support/fake_disk.h"

void store_trial_open_at_last(struct store_trial *trial)
{
    enum vts_err err = store_trial_open(trial);

    if (err == VTS_OK)
        return;
    CU_ASSERT_EQUAL(err, trial->failure);
    CU_ASSERT_STRING_NOT_EQUAL(trial->error.text, "");
    trial->heal();
    CU_ASSERT_EQUAL_FATAL(store_trial_open(trial), VTS_OK);
}

void store_trial_commit_at_last(struct store_trial *trial)
{
    enum vts_err err = store_trial_commit(trial);

    if (err == VTS_OK)
        return;
    CU_ASSERT_EQUAL(err, trial->failure);
    CU_ASSERT_STRING_NOT_EQUAL(trial->error.text, "");
    trial->heal();
    CU_ASSERT(store_trial_holds(trial, false));
    CU_ASSERT_EQUAL(store_trial_commit(trial), VTS_OK);
}

/* Loading may be what fails. */
static bool holds_at_last(struct store_trial *trial, bool may_have_failed)
{
    if (store_trial_holds(trial, may_have_failed))
        return true;
    trial->heal();
    return store_trial_holds(trial, may_have_failed);
}

void store_trial_live_on(struct store_trial *trial)
{
    if (trial->store == NULL)
        store_trial_open_at_last(trial);
    while (trial->step < STORE_TRIAL_STEPS) {
        store_trial_commit_at_last(trial);
        if (trial->step == STORE_TRIAL_REOPENED_AFTER) {
            store_trial_close(trial);
            store_trial_open_at_last(trial);
            CU_ASSERT(holds_at_last(trial, true));
        }
    }
    trial->heal();
    CU_ASSERT(store_trial_holds(trial, false));
}

void store_trial_expect_durable(struct store_trial *trial)
{
    fake_disk_cut_power(0);
    store_trial_close(trial);
    fake_disk_restart(FAKE_SURVIVORS_NONE, 0);
    CU_ASSERT_EQUAL_FATAL(store_trial_open(trial), VTS_OK);
    CU_ASSERT(store_trial_holds(trial, false));
}
