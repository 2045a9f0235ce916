/* SPDX-License-Identifier: Apache-2.0 */
/* assert.c - the end of a process whose invariants broke.
 *
 * The line goes to stderr, which is unbuffered, so it is out before the abort.
 */
#include "common/base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void vts_assert_fail(const char *expr, const char *file, int line)
{
    fprintf(stderr, "assertion failed: %s (%s:%d)\n", expr, file, line);
    abort();
}
