/* SPDX-License-Identifier: Apache-2.0 */
/* suite.c - from a table of tests to an exit code, by CUnit's basic mode.
 *
 * A program that ran nothing fails: an empty table must not look like success.
 */
#include "tests/support/suite.h"

#include <CUnit/Basic.h>
#include <stdio.h>
#include <stdlib.h>

static CU_ErrorCode add_tests(const char *suite_name, const struct vts_test *tests, size_t count)
{
    CU_pSuite suite = CU_add_suite(suite_name, NULL, NULL);

    if (suite == NULL)
        return CU_get_error();
    for (size_t i = 0; i < count; i++)
        if (CU_add_test(suite, tests[i].name, tests[i].fn) == NULL)
            return CU_get_error();
    return CUE_SUCCESS;
}

static CU_ErrorCode run_suite(const char *suite_name, const struct vts_test *tests, size_t count)
{
    CU_ErrorCode err = CU_initialize_registry();

    if (err != CUE_SUCCESS)
        return err;
    err = add_tests(suite_name, tests, count);
    if (err != CUE_SUCCESS)
        return err;
    CU_basic_set_mode(CU_BRM_NORMAL);
    return CU_basic_run_tests();
}

int vts_test_run(const char *suite_name, const struct vts_test *tests, size_t count)
{
    unsigned int ran;
    unsigned int failed;
    CU_ErrorCode err;

    /* What a crashing test printed must not be lost in a buffer. */
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    err = run_suite(suite_name, tests, count);
    ran = CU_get_number_of_tests_run();
    failed = CU_get_number_of_tests_failed();
    if (err != CUE_SUCCESS)
        fprintf(stderr, "%s: %s\n", suite_name, CU_get_error_msg());
    if (err != CUE_SUCCESS || ran != count || ran == 0)
        failed++;
    CU_cleanup_registry();
    printf("\n%s: %u passed, %u failed\n", suite_name, ran < failed ? 0 : ran - failed, failed);
    return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
