/* SPDX-License-Identifier: Apache-2.0 */
/* test_assert.c - that a broken invariant ends the process and names itself. */
#include <CUnit/CUnit.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "tests/support/suite.h"

static void fail_an_assert(void)
{
    int apples = 2;

    VTS_ASSERT(apples == 3);
}

static void reach_the_unreachable(void)
{
    VTS_UNREACHABLE();
}

static void pass_an_assert(void)
{
    int apples = 3;

    VTS_ASSERT(apples == 3);
}

/* Runs fn in a child whose stderr ends up in text; returns how the child ended, as waitpid tells.
 */
static int run_in_child(void (*fn)(void), char *text, size_t size)
{
    const struct rlimit no_core = {0, 0};
    int status = -1;
    size_t len = 0;
    ssize_t got;
    int fds[2];
    pid_t child;

    CU_ASSERT_EQUAL_FATAL(pipe(fds), 0);
    child = fork();
    if (child == 0) {
        (void)setrlimit(RLIMIT_CORE, &no_core); /* a core file would only be in the way */
        (void)signal(SIGABRT, SIG_DFL);
        (void)dup2(fds[1], STDERR_FILENO);
        fn();
        _exit(0);
    }
    CU_ASSERT_FATAL(child > 0);
    (void)close(fds[1]);
    while ((got = read(fds[0], text + len, size - 1 - len)) > 0)
        len += (size_t)got;
    text[len] = '\0';
    (void)close(fds[0]);
    CU_ASSERT_EQUAL(waitpid(child, &status, 0), child);
    return status;
}

static void assert_that_fails_aborts_with_its_expression(void)
{
    char text[500];
    int status = run_in_child(fail_an_assert, text, sizeof(text));

    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "apples == 3"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "test_assert.c:"));
}

static void assert_unreachable_aborts(void)
{
    char text[500];
    int status = run_in_child(reach_the_unreachable, text, sizeof(text));

    CU_ASSERT(WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "unreachable"));
}

static void assert_that_holds_does_nothing(void)
{
    char text[500];
    int status = run_in_child(pass_an_assert, text, sizeof(text));

    CU_ASSERT(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    CU_ASSERT_STRING_EQUAL(text, "");
}

static const struct vts_test tests[] = {
    {"assert_that_fails_aborts_with_its_expression", assert_that_fails_aborts_with_its_expression},
    {"assert_unreachable_aborts", assert_unreachable_aborts},
    {"assert_that_holds_does_nothing", assert_that_holds_does_nothing},
};

int main(void)
{
    return vts_test_run("test_assert", tests, VTS_ARRAY_LEN(tests));
}
