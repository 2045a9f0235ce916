/* SPDX-License-Identifier: Apache-2.0 */
/* A disk in memory that SQLite writes to, and that fails when it is told to.
 *
 * It keeps apart what was written and what was synced, so that a cut of the power can take away the
 * difference. Every write, sync, truncation, deletion and creation is an operation with a number,
 * from 0 on; reads have numbers of their own. There is one disk in a program, for one thread. */
#ifndef VTS_TESTS_FAKE_DISK_H
#define VTS_TESTS_FAKE_DISK_H

#include <stdbool.h>
#include <stdint.h>

enum fake_fault {
    FAKE_FAULT_EIO,   /* the operation does nothing and fails; so does a read, of its own number */
    FAKE_FAULT_FULL,  /* the same of a write, a sync or a creation, for want of room */
    FAKE_FAULT_SHORT, /* of a write only half arrives; then there is no room */
    FAKE_FAULT_READ,  /* a read fails; the number is that of a read */
};

/* What a cut of the power leaves of what was not synced. */
enum fake_survivors { FAKE_SURVIVORS_NONE, FAKE_SURVIVORS_ALL, FAKE_SURVIVORS_SOME };

/* Makes the disk SQLite's default. Before SQLite is used. */
void fake_disk_install(void);
/* An empty disk without faults, whose operations are counted from 0. */
void fake_disk_wipe(void);

long fake_disk_operations(void);
long fake_disk_reads(void);
/* Operations `at` to `at + count - 1` fail. A sync that fails loses what it should have synced: a
 * later one does not make up for it, as on Linux. */
void fake_disk_fail(enum fake_fault fault, long at, long count);
/* No further fault. */
void fake_disk_heal(void);
/* Files can be opened for reading only. */
void fake_disk_make_read_only(void);
/* Overwrites bytes of a file, as a failing disk does. */
void fake_disk_damage(const char *name, long offset, long len);

/* From operation `at` on, everything fails until the restart. */
void fake_disk_cut_power(long at);
bool fake_disk_has_power(void);
/* The power comes back: what was synced is there, and so much of the rest. Operations are counted
 * from 0 again, and no fault is left. */
void fake_disk_restart(enum fake_survivors survivors, uint64_t seed);

#endif
