/* SPDX-License-Identifier: Apache-2.0 */
/* scratch.c - mkdtemp(3), and a walk that removes what it finds. */
#include "tests/support/scratch.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

enum { PATH_MAX_BYTES = 256, PATHS = 4, DESCRIPTORS = 8 };

static char folder[] = "/tmp/vtstatus-scratch-XXXXXX";

static int remove_entry(const char *path, const struct stat *status, int kind, struct FTW *where)
{
    (void)status;
    (void)kind;
    (void)where;
    return remove(path);
}

int vts_scratch_run(const char *suite_name, const struct vts_test *tests, size_t count)
{
    int code;

    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    code = vts_test_run(suite_name, tests, count);
    return nftw(folder, remove_entry, DESCRIPTORS, FTW_DEPTH | FTW_PHYS) == 0 ? code : EXIT_FAILURE;
}

const char *vts_scratch_path(const char *name)
{
    static char paths[PATHS][PATH_MAX_BYTES];
    static int next;
    char *path = paths[next++ % PATHS];

    (void)snprintf(path, PATH_MAX_BYTES, "%s/%s", folder, name);
    return path;
}
