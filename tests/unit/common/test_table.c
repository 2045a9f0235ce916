/* SPDX-License-Identifier: Apache-2.0 */
/* test_table.c - the hash table of pointers, with hashes that collide and against a model. */
#include <CUnit/CUnit.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/base/table.h"
#include "tests/support/suite.h"

enum { ITEMS = 500, STEPS = 50000 };

static bool is_same(const void *item, const void *key)
{
    return *(const int *)item == *(const int *)key;
}

static void reserve(struct vts_table *table, size_t count)
{
    CU_ASSERT_EQUAL_FATAL(vts_table_reserve(table, count), VTS_OK);
}

static void table_that_is_empty_finds_nothing(void)
{
    struct vts_table table = {.cap = 0};
    int item = 1;

    CU_ASSERT_PTR_NULL(vts_table_find(&table, 7, is_same, &item));
    vts_table_remove(&table, 7, &item);
    CU_ASSERT_EQUAL(table.count, 0);
    vts_table_fini(&table);
}

static void items_of_one_hash_are_told_apart(void)
{
    struct vts_table table = {.cap = 0};
    int items[] = {1, 2, 3};
    int other = 4;

    reserve(&table, VTS_ARRAY_LEN(items));
    for (size_t i = 0; i < VTS_ARRAY_LEN(items); i++)
        vts_table_add(&table, 0, &items[i]);
    for (size_t i = 0; i < VTS_ARRAY_LEN(items); i++)
        CU_ASSERT_PTR_EQUAL(vts_table_find(&table, 0, is_same, &items[i]), &items[i]);
    CU_ASSERT_PTR_NULL(vts_table_find(&table, 0, is_same, &other));
    CU_ASSERT_PTR_NULL(vts_table_find(&table, 2, is_same, &items[0]));
    vts_table_remove(&table, 0, &items[0]);
    CU_ASSERT_PTR_NULL(vts_table_find(&table, 0, is_same, &items[0]));
    CU_ASSERT_PTR_EQUAL(vts_table_find(&table, 0, is_same, &items[2]), &items[2]);
    CU_ASSERT_EQUAL(table.count, 2);
    vts_table_fini(&table);
}

/* Hashes with few values, so that runs are long and go around the end. */
static void table_agrees_with_a_model(void)
{
    struct vts_table table = {.cap = 0};
    int items[ITEMS];
    bool is_in[ITEMS] = {false};
    struct vts_rng rng;

    vts_rng_init(&rng, 5);
    for (int i = 0; i < ITEMS; i++)
        items[i] = i;
    for (int step = 0; step < STEPS; step++) {
        int i = (int)(vts_rng_next(&rng) % ITEMS);
        uint32_t hash = (uint32_t)(i % 37) * UINT32_C(0x0fffffff);

        CU_ASSERT_PTR_EQUAL_FATAL(vts_table_find(&table, hash, is_same, &items[i]),
                                  is_in[i] ? &items[i] : NULL);
        if (is_in[i]) {
            vts_table_remove(&table, hash, &items[i]);
        } else {
            reserve(&table, table.count + 1);
            vts_table_add(&table, hash, &items[i]);
        }
        is_in[i] = !is_in[i];
    }
    vts_table_fini(&table);
}

static void table_without_memory_stays_as_it_was(void)
{
    struct vts_table table = {.cap = 0};
    int item = 1;

    reserve(&table, 1);
    vts_table_add(&table, 9, &item);
    for (long n = 0; n < 2; n++) {
        vts_mem_fail_after(n);
        CU_ASSERT_EQUAL(vts_table_reserve(&table, 1000), VTS_ERR_NOMEM);
        CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    }
    CU_ASSERT_PTR_EQUAL(vts_table_find(&table, 9, is_same, &item), &item);
    reserve(&table, 1000);
    CU_ASSERT_PTR_EQUAL(vts_table_find(&table, 9, is_same, &item), &item);
    vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_table_reserve(&table, 1000), VTS_OK); /* there is room already */
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 0);
    vts_table_fini(&table);
}

static const struct vts_test tests[] = {
    {"table_that_is_empty_finds_nothing", table_that_is_empty_finds_nothing},
    {"items_of_one_hash_are_told_apart", items_of_one_hash_are_told_apart},
    {"table_agrees_with_a_model", table_agrees_with_a_model},
    {"table_without_memory_stays_as_it_was", table_without_memory_stays_as_it_was},
};

int main(void)
{
    return vts_test_run("test_table", tests, VTS_ARRAY_LEN(tests));
}
