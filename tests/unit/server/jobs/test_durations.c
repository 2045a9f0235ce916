/* SPDX-License-Identifier: Apache-2.0 */
/* test_durations.c - what is guessed from which durations. */
#include <CUnit/CUnit.h>

#include "server/jobs/durations.h"
#include "tests/support/suite.h"

enum { KINDS_MAX = 4, A = 1, B = 2 };

static struct vts_durations *make(void)
{
    struct vts_durations *durations = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_durations_new(KINDS_MAX, &durations), VTS_OK);
    return durations;
}

static void add_all(struct vts_durations *durations, uint64_t kind, const int64_t *list_ns,
                    size_t count)
{
    for (size_t i = 0; i < count; i++)
        vts_durations_add(durations, kind, list_ns[i]);
}

/* -1: there is none. */
static int64_t guess(const struct vts_durations *durations, uint64_t kind, int64_t elapsed_ns)
{
    int64_t guessed_ns = -1;

    return vts_durations_guess(durations, kind, elapsed_ns, &guessed_ns) ? guessed_ns : -1;
}

static void a_few_are_no_basis(void)
{
    static const int64_t list_ns[VTS_DURATIONS_LEAST] = {10, 10, 10};
    struct vts_durations *durations = make();

    CU_ASSERT_EQUAL(guess(durations, A, 0), -1);
    add_all(durations, A, list_ns, VTS_DURATIONS_LEAST - 1);
    vts_durations_add(durations, A, -5);
    CU_ASSERT_EQUAL(guess(durations, A, 0), -1);
    vts_durations_add(durations, A, 10);
    CU_ASSERT_EQUAL(guess(durations, A, 0), 10);
    CU_ASSERT_EQUAL(guess(durations, B, 0), -1);
    vts_durations_free(durations);
    vts_durations_free(NULL);
}

static void guess_is_the_median_and_so_unmoved_by_what_is_odd(void)
{
    static const int64_t list_ns[] = {1000, 1010, 990, 1020, 980, INT64_MAX, 0};
    struct vts_durations *durations = make();

    add_all(durations, A, list_ns, VTS_ARRAY_LEN(list_ns));
    CU_ASSERT_EQUAL(guess(durations, A, -1), 1000);
    vts_durations_add(durations, A, 2000);
    CU_ASSERT_EQUAL(guess(durations, A, -1), 1005);
    vts_durations_free(durations);
}

static void what_lasts_is_like_those_that_lasted(void)
{
    static const int64_t list_ns[] = {100, 100, 100, 400, 600};
    struct vts_durations *durations = make();

    add_all(durations, A, list_ns, VTS_ARRAY_LEN(list_ns));
    CU_ASSERT_EQUAL(guess(durations, A, 99), 100);
    CU_ASSERT_EQUAL(guess(durations, A, 100), 500);
    CU_ASSERT_EQUAL(guess(durations, A, 400), 600);
    CU_ASSERT_EQUAL(guess(durations, A, 600), -1);
    vts_durations_free(durations);
}

static void only_the_last_ones_count(void)
{
    struct vts_durations *durations = make();

    for (int i = 0; i < 3 * VTS_DURATIONS_KEPT; i++)
        vts_durations_add(durations, A, 100);
    for (int i = 0; i < VTS_DURATIONS_KEPT; i++)
        vts_durations_add(durations, A, 200);
    CU_ASSERT_EQUAL(guess(durations, A, 0), 200);
    CU_ASSERT_EQUAL(guess(durations, A, 199), 200);
    vts_durations_free(durations);
}

static void the_kind_added_to_least_lately_leaves(void)
{
    static const int64_t list_ns[] = {10, 10, 10};
    struct vts_durations *durations = make();

    for (uint64_t kind = 0; kind < KINDS_MAX; kind++)
        add_all(durations, kind, list_ns, VTS_ARRAY_LEN(list_ns));
    vts_durations_add(durations, 0, 10);
    add_all(durations, 99, list_ns, VTS_ARRAY_LEN(list_ns));
    CU_ASSERT_EQUAL(guess(durations, 0, 0), 10);
    CU_ASSERT_EQUAL(guess(durations, 1, 0), -1);
    CU_ASSERT_EQUAL(guess(durations, 2, 0), 10);
    CU_ASSERT_EQUAL(guess(durations, 99, 0), 10);
    for (uint64_t kind = 0; kind < 1000; kind++)
        add_all(durations, kind, list_ns, VTS_ARRAY_LEN(list_ns));
    CU_ASSERT_EQUAL(guess(durations, 999, 0), 10);
    CU_ASSERT_EQUAL(guess(durations, 999 - KINDS_MAX, 0), -1);
    vts_durations_free(durations);
}

/* Numbers alike in what the table looks at first are still others. */
static void kinds_are_told_apart_by_all_of_their_number(void)
{
    static const int64_t list_ns[] = {10, 10, 10};
    struct vts_durations *durations = make();

    add_all(durations, A, list_ns, VTS_ARRAY_LEN(list_ns));
    CU_ASSERT_EQUAL(guess(durations, (UINT64_C(1) << 32) + A, 0), -1);
    vts_durations_free(durations);
}

static const struct vts_test tests[] = {
    {"a_few_are_no_basis", a_few_are_no_basis},
    {"guess_is_the_median_and_so_unmoved_by_what_is_odd",
     guess_is_the_median_and_so_unmoved_by_what_is_odd},
    {"what_lasts_is_like_those_that_lasted", what_lasts_is_like_those_that_lasted},
    {"only_the_last_ones_count", only_the_last_ones_count},
    {"the_kind_added_to_least_lately_leaves", the_kind_added_to_least_lately_leaves},
    {"kinds_are_told_apart_by_all_of_their_number", kinds_are_told_apart_by_all_of_their_number},
};

int main(void)
{
    return vts_test_run("test_durations", tests, VTS_ARRAY_LEN(tests));
}
