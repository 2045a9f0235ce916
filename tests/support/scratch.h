/* SPDX-License-Identifier: Apache-2.0 */
/* A test program with a folder of its own for files. */
#ifndef VTS_TESTS_SCRATCH_H
#define VTS_TESTS_SCRATCH_H

#include "tests/support/suite.h"

/* Makes the folder, runs the tests and removes it with all that is in it; returns the program's
 * exit code. */
int vts_scratch_run(const char *suite_name, const struct vts_test *tests, size_t count);
/* The path of a file in the folder; valid until the fourth call after this one. */
const char *vts_scratch_path(const char *name);

#endif
