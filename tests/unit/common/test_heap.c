/* SPDX-License-Identifier: Apache-2.0 */
/* test_heap.c - what is due first, while nodes come, move and go. */
#include <CUnit/CUnit.h>

#include "common/base/heap.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "tests/support/suite.h"

enum { NODES = 200, STEPS = 20000 };

/* The least due of those that are in; INT64_MAX without any. */
static int64_t least(const struct vts_heap_node *nodes)
{
    int64_t due_ns = INT64_MAX;

    for (int i = 0; i < NODES; i++)
        if (nodes[i].place != 0 && nodes[i].due_ns < due_ns)
            due_ns = nodes[i].due_ns;
    return due_ns;
}

static void heap_gives_the_earliest_in_every_state(void)
{
    struct vts_heap heap = {.cap = 0};
    struct vts_heap_node nodes[NODES] = {{.place = 0}};
    struct vts_rng rng;

    vts_rng_init(&rng, 3);
    CU_ASSERT_PTR_NULL(vts_heap_first(&heap));
    CU_ASSERT_EQUAL_FATAL(vts_heap_reserve(&heap, NODES), VTS_OK);
    for (int step = 0; step < STEPS; step++) {
        struct vts_heap_node *node = &nodes[vts_rng_next(&rng) % NODES];

        if (vts_rng_next(&rng) % 3 == 0)
            vts_heap_remove(&heap, node);
        else
            vts_heap_set(&heap, node, (int64_t)(vts_rng_next(&rng) % 50));
        if (heap.count == 0)
            CU_ASSERT_PTR_NULL_FATAL(vts_heap_first(&heap))
        else
            CU_ASSERT_EQUAL_FATAL(vts_heap_first(&heap)->due_ns, least(nodes));
    }
    vts_heap_fini(&heap);
}

static void heap_empties_in_order(void)
{
    struct vts_heap heap = {.cap = 0};
    struct vts_heap_node nodes[NODES] = {{.place = 0}};
    struct vts_rng rng;
    int64_t last_ns = -1;

    vts_rng_init(&rng, 4);
    CU_ASSERT_EQUAL_FATAL(vts_heap_reserve(&heap, NODES), VTS_OK);
    for (int i = 0; i < NODES; i++)
        vts_heap_set(&heap, &nodes[i], (int64_t)(vts_rng_next(&rng) % 1000));
    for (int i = 0; i < NODES; i++) {
        struct vts_heap_node *first = vts_heap_first(&heap);

        CU_ASSERT(first->due_ns >= last_ns);
        last_ns = first->due_ns;
        vts_heap_remove(&heap, first);
        vts_heap_remove(&heap, first); /* no harm */
    }
    CU_ASSERT_EQUAL(heap.count, 0);
    vts_heap_fini(&heap);
}

static void heap_without_memory_stays_as_it_was(void)
{
    struct vts_heap heap = {.cap = 0};
    struct vts_heap_node node = {.place = 0};

    CU_ASSERT_EQUAL_FATAL(vts_heap_reserve(&heap, 1), VTS_OK);
    vts_heap_set(&heap, &node, 5);
    vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_heap_reserve(&heap, 1000), VTS_ERR_NOMEM);
    (void)vts_mem_fail_after(-1); /* that it failed shows above */
    CU_ASSERT_EQUAL(vts_heap_reserve(&heap, SIZE_MAX), VTS_ERR_NOMEM);
    CU_ASSERT_PTR_EQUAL(vts_heap_first(&heap), &node);
    vts_heap_fini(&heap);
}

static const struct vts_test tests[] = {
    {"heap_gives_the_earliest_in_every_state", heap_gives_the_earliest_in_every_state},
    {"heap_empties_in_order", heap_empties_in_order},
    {"heap_without_memory_stays_as_it_was", heap_without_memory_stays_as_it_was},
};

int main(void)
{
    return vts_test_run("test_heap", tests, VTS_ARRAY_LEN(tests));
}
