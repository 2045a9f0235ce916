/* SPDX-License-Identifier: Apache-2.0 */
/* A life of an SQLite store on the fake disk, whose every acknowledgement is kept in mind.
 *
 * A second store, in memory, is told what the first one acknowledged. What the first one holds must
 * be that; after a cut of the power or a new opening, it may also have one commit that it could not
 * acknowledge, since nobody can know how far that came. */
#ifndef VTS_TESTS_STORE_TRIAL_H
#define VTS_TESTS_STORE_TRIAL_H

#include <stdbool.h>

#include "server/jobs/store.h"
#include "tests/support/store_content.h"

enum {
    STORE_TRIAL_STEPS = 12,
    STORE_TRIAL_REOPENED_AFTER = 6, /* steps, in a whole life */
    STORE_TRIAL_FAILED_MAX = 2 * STORE_TRIAL_STEPS,
};

struct store_trial {
    struct vts_store *store;                 /* NULL: closed */
    struct vts_store *expected;              /* what was acknowledged */
    struct store_content content;            /* of it */
    unsigned step;                           /* the next one */
    unsigned failed[STORE_TRIAL_FAILED_MAX]; /* steps not acknowledged since the last that was */
    unsigned failed_count;
    struct vts_error error; /* of the last thing that failed */
    enum vts_err failure;   /* what a fault is told as: VTS_ERR_IO, until the test says otherwise */
    void (*heal)(void);     /* ends the fault: fake_disk_heal, until the test says otherwise */
};

/* The file of the store on the fake disk. */
const char *store_trial_path(void);

/* A trial on an empty disk; the store is not open yet. */
void store_trial_begin(struct store_trial *trial);
/* Closes what is open. */
void store_trial_end(struct store_trial *trial);

/* Opens the store, with little room in its log. */
VTS_MUST_CHECK enum vts_err store_trial_open(struct store_trial *trial);
void store_trial_close(struct store_trial *trial);
/* Commits the next step: a batch that the number and what was acknowledged determine, of new,
 * changed and removed records, small and large. Some steps tidy before. */
VTS_MUST_CHECK enum vts_err store_trial_commit(struct store_trial *trial);
/* Whether the store holds what was acknowledged. When may_have_failed, one of the commits that
 * failed may be there, too; it then counts as acknowledged. */
bool store_trial_holds(struct store_trial *trial, bool may_have_failed);

/* The same with asserts of CUnit: when something fails, it says so, leaves nothing behind, and
 * works once the fault is healed. */

void store_trial_open_at_last(struct store_trial *trial);
void store_trial_commit_at_last(struct store_trial *trial);
/* All steps that are left; in the middle the store is closed and opened. */
void store_trial_live_on(struct store_trial *trial);
/* Cuts the power; what was acknowledged is there although nothing outlives the cut that was not
 * synced. */
void store_trial_expect_durable(struct store_trial *trial);

#endif
