/* SPDX-License-Identifier: Apache-2.0 */
/* test_mem.c - the heap's edges and its switch for failures. */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/support/suite.h"

static void mem_alloc_of_nothing_gives_a_pointer(void)
{
    void *plain = vts_mem_alloc(0);
    void *zeroed = vts_mem_zalloc(0);
    void *grown = vts_mem_realloc(NULL, 0);

    CU_ASSERT_PTR_NOT_NULL(plain);
    CU_ASSERT_PTR_NOT_NULL(zeroed);
    CU_ASSERT_PTR_NOT_NULL(grown);
    vts_mem_free(plain);
    vts_mem_free(zeroed);
    vts_mem_free(grown);
    vts_mem_free(NULL);
}

static void mem_zalloc_gives_zeros(void)
{
    static const char zeros[200];
    char *bytes = vts_mem_alloc(sizeof(zeros));

    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    memset(bytes, 1, sizeof(zeros));
    vts_mem_free(bytes);
    bytes = vts_mem_zalloc(sizeof(zeros));
    CU_ASSERT_PTR_NOT_NULL_FATAL(bytes);
    CU_ASSERT(memcmp(bytes, zeros, sizeof(zeros)) == 0);
    vts_mem_free(bytes);
}

static void mem_realloc_keeps_the_bytes(void)
{
    char *bytes = vts_mem_strdup("kept");
    char *grown = vts_mem_realloc(bytes, 10000);

    CU_ASSERT_PTR_NOT_NULL_FATAL(grown);
    CU_ASSERT_STRING_EQUAL(grown, "kept");
    vts_mem_free(grown);
}

static void mem_strdup_copies(void)
{
    char *copy = vts_mem_strdup("text");

    CU_ASSERT_STRING_EQUAL(copy, "text");
    vts_mem_free(copy);
    CU_ASSERT_PTR_NULL(vts_mem_strdup(NULL));
}

static void mem_strndup_adds_the_end(void)
{
    char *copy = vts_mem_strndup("abcdef", 3);
    char *empty = vts_mem_strndup("", 0);

    CU_ASSERT_STRING_EQUAL(copy, "abc");
    CU_ASSERT_STRING_EQUAL(empty, "");
    vts_mem_free(copy);
    vts_mem_free(empty);
}

/* Which of ten allocations failed: 1 for the first. 0 for none; -1 for more than one. */
static int failed_of_ten(void)
{
    int failed = 0;

    for (int i = 1; i <= 10; i++) {
        void *ptr = vts_mem_alloc(8);

        if (ptr == NULL)
            failed = failed == 0 ? i : -1;
        vts_mem_free(ptr);
    }
    return failed;
}

static void mem_fail_after_fails_one(void)
{
    for (int count = 0; count < 10; count++) {
        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        CU_ASSERT_EQUAL(failed_of_ten(), count + 1);
        CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
        CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 0);
    }
}

static void mem_fail_after_not_reached_says_so(void)
{
    CU_ASSERT_EQUAL(vts_mem_fail_after(10), 0);
    CU_ASSERT_EQUAL(failed_of_ten(), 0);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 0);
    CU_ASSERT_EQUAL(failed_of_ten(), 0);
}

static void mem_fail_after_holds_for_every_function(void)
{
    char *kept = vts_mem_strdup("kept");

    CU_ASSERT_PTR_NOT_NULL_FATAL(kept);
    CU_ASSERT_EQUAL(vts_mem_fail_after(0), 0);
    CU_ASSERT_PTR_NULL(vts_mem_zalloc(8));
    CU_ASSERT_EQUAL(vts_mem_fail_after(0), 1);
    CU_ASSERT_PTR_NULL(vts_mem_realloc(kept, 8));
    CU_ASSERT_EQUAL(vts_mem_fail_after(0), 1);
    CU_ASSERT_PTR_NULL(vts_mem_strdup("x"));
    CU_ASSERT_EQUAL(vts_mem_fail_after(0), 1);
    CU_ASSERT_PTR_NULL(vts_mem_strndup("x", 1));
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_STRING_EQUAL(kept, "kept");
    vts_mem_free(kept);
}

static void *count_failures(void *context)
{
    *(int *)context = failed_of_ten();
    return NULL;
}

static void mem_fail_after_spares_other_threads(void)
{
    int failed_elsewhere = -1;
    pthread_t thread;

    CU_ASSERT_EQUAL(vts_mem_fail_after(0), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, count_failures, &failed_elsewhere), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_join(thread, NULL), 0);
    CU_ASSERT_EQUAL(failed_elsewhere, 0);
    CU_ASSERT_EQUAL(failed_of_ten(), 1);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
}

static const struct vts_test tests[] = {
    {"mem_alloc_of_nothing_gives_a_pointer", mem_alloc_of_nothing_gives_a_pointer},
    {"mem_zalloc_gives_zeros", mem_zalloc_gives_zeros},
    {"mem_realloc_keeps_the_bytes", mem_realloc_keeps_the_bytes},
    {"mem_strdup_copies", mem_strdup_copies},
    {"mem_strndup_adds_the_end", mem_strndup_adds_the_end},
    {"mem_fail_after_fails_one", mem_fail_after_fails_one},
    {"mem_fail_after_not_reached_says_so", mem_fail_after_not_reached_says_so},
    {"mem_fail_after_holds_for_every_function", mem_fail_after_holds_for_every_function},
    {"mem_fail_after_spares_other_threads", mem_fail_after_spares_other_threads},
};

int main(void)
{
    return vts_test_run("test_mem", tests, VTS_ARRAY_LEN(tests));
}
