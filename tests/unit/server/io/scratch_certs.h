/* SPDX-License-Identifier: Apache-2.0 */
/* Certificates in a folder of their own, as make_test_certs.sh makes them. */
#ifndef VTS_TESTS_SCRATCH_CERTS_H
#define VTS_TESTS_SCRATCH_CERTS_H

#include <stdbool.h>

#include "tests/support/suite.h"

/* Makes the folder, runs the tests and removes it; returns the program's exit code. */
int scratch_certs_run(const char *suite_name, const struct vts_test *tests, size_t count);
/* The path of a file in the folder; valid until the fourth call after this one. */
const char *scratch_certs_path(const char *name);

#endif
