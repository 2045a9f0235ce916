/* SPDX-License-Identifier: Apache-2.0 */
/* scratch_certs.c - runs the script that makes them, and takes everything away again. */
#include "tests/unit/server/io/scratch_certs.h"

#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>

enum { PATH_MAX_BYTES = 256, PATHS = 4 };

extern char **environ;

static char folder[] = "/tmp/vtstatus-certs-XXXXXX";

/* Runs a program to its end; returns whether it exited with 0. */
static bool run(const char *program, const char *first, const char *second)
{
    char *const argv[] = {(char *)(uintptr_t)program, (char *)(uintptr_t)first,
                          (char *)(uintptr_t)second, NULL};
    pid_t pid;
    int status;

    return posix_spawnp(&pid, program, NULL, NULL, argv, environ) == 0 &&
           waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int scratch_certs_run(const char *suite_name, const struct vts_test *tests, size_t count)
{
    int code = EXIT_FAILURE;

    if (mkdtemp(folder) == NULL)
        return EXIT_FAILURE;
    if (run(VTS_MAKE_TEST_CERTS, folder, NULL))
        code = vts_test_run(suite_name, tests, count);
    else
        fprintf(stderr, "%s: certificates could not be made\n", suite_name);
    if (!run("rm", "-rf", folder))
        code = EXIT_FAILURE;
    return code;
}

const char *scratch_certs_path(const char *name)
{
    static char paths[PATHS][PATH_MAX_BYTES];
    static int next;
    char *path = paths[next++ % PATHS];

    (void)snprintf(path, PATH_MAX_BYTES, "%s/%s", folder, name);
    return path;
}
