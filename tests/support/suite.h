/* SPDX-License-Identifier: Apache-2.0 */
/* A test program: one table of CUnit tests, run as one suite. */
#ifndef VTS_TESTS_SUITE_H
#define VTS_TESTS_SUITE_H

#include <stddef.h>

#include "common/base/macros.h"

struct vts_test {
    const char *name;
    void (*fn)(void);
};

/* Runs the tests in the table's order and prints what failed; the last line says
 * "NAME: N passed, N failed", which scripts/test.sh adds up. Returns the program's exit code: 0
 * only when at least one test ran and none failed. */
int vts_test_run(const char *suite_name, const struct vts_test *tests, size_t count);

#endif
