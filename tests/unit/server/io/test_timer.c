/* SPDX-License-Identifier: Apache-2.0 */
/* test_timer.c - the heap of timers against a plain search, and its edges. */
#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "common/base/rng.h"
#include "server/io/timer.h"
#include "tests/support/suite.h"

enum { TIMERS = 200, OPERATIONS = 20000 };

static void init_timers(struct vts_timer *timers, int count)
{
    for (int i = 0; i < count; i++)
        vts_timer_init(&timers[i], NULL, &timers[i]);
}

/* The earliest instant at which a timer of the array is due; INT64_MAX when none runs. */
static int64_t earliest(const struct vts_timer *timers, int count)
{
    int64_t due_ns = INT64_MAX;

    for (int i = 0; i < count; i++)
        if (timers[i].is_running && timers[i].due_ns < due_ns)
            due_ns = timers[i].due_ns;
    return due_ns;
}

static int64_t root_due_ns(const struct vts_timer_heap *heap)
{
    return heap->root == NULL ? INT64_MAX : heap->root->due_ns;
}

/* Empties the heap; returns how many timers it held, or -1 when they came out of order. */
static int drain(struct vts_timer_heap *heap)
{
    int64_t last_ns = INT64_MIN;
    int count = 0;

    while (heap->root != NULL) {
        struct vts_timer *timer = heap->root;

        if (timer->due_ns < last_ns || !timer->is_running)
            return -1;
        last_ns = timer->due_ns;
        vts_timer_heap_remove(heap, timer);
        if (timer->is_running)
            return -1;
        count++;
    }
    return count;
}

static void timer_init_keeps_function_and_does_not_run(void)
{
    struct vts_timer timer;
    int context;

    vts_timer_init(&timer, NULL, &context);
    CU_ASSERT_FALSE(timer.is_running);
    CU_ASSERT_PTR_EQUAL(timer.context, &context);
}

static void heap_of_one_is_empty_after_remove(void)
{
    struct vts_timer_heap heap = {NULL};
    struct vts_timer timer;

    init_timers(&timer, 1);
    vts_timer_heap_set(&heap, &timer, 5);
    CU_ASSERT_PTR_EQUAL(heap.root, &timer);
    CU_ASSERT(timer.is_running);
    vts_timer_heap_remove(&heap, &timer);
    CU_ASSERT_PTR_NULL(heap.root);
    CU_ASSERT_FALSE(timer.is_running);
}

static void remove_not_running_changes_nothing(void)
{
    struct vts_timer_heap heap = {NULL};
    struct vts_timer timers[3];

    init_timers(timers, 3);
    vts_timer_heap_remove(&heap, &timers[2]);
    CU_ASSERT_PTR_NULL(heap.root);
    vts_timer_heap_set(&heap, &timers[0], 1);
    vts_timer_heap_set(&heap, &timers[1], 2);
    vts_timer_heap_remove(&heap, &timers[2]);
    vts_timer_heap_remove(&heap, &timers[1]);
    vts_timer_heap_remove(&heap, &timers[1]);
    CU_ASSERT_EQUAL(drain(&heap), 1);
}

static void remove_each_of_many_leaves_the_others(void)
{
    enum { COUNT = 16 };

    for (int removed = 0; removed < COUNT; removed++) {
        struct vts_timer_heap heap = {NULL};
        struct vts_timer timers[COUNT];

        init_timers(timers, COUNT);
        for (int i = 0; i < COUNT; i++)
            vts_timer_heap_set(&heap, &timers[i], (i * 7) % COUNT);
        /* Removing the root once gives the heap more than two levels. */
        vts_timer_heap_remove(&heap, &timers[0]);
        vts_timer_heap_remove(&heap, &timers[removed]);
        CU_ASSERT_EQUAL(root_due_ns(&heap), earliest(timers, COUNT));
        CU_ASSERT_EQUAL(drain(&heap), removed == 0 ? COUNT - 1 : COUNT - 2);
    }
}

static void set_running_timer_moves_it(void)
{
    struct vts_timer_heap heap = {NULL};
    struct vts_timer timers[3];

    init_timers(timers, 3);
    for (int i = 0; i < 3; i++)
        vts_timer_heap_set(&heap, &timers[i], INT64_C(10) * (i + 1));
    vts_timer_heap_set(&heap, &timers[2], 5);
    CU_ASSERT_PTR_EQUAL(heap.root, &timers[2]);
    vts_timer_heap_set(&heap, &timers[2], 15);
    CU_ASSERT_PTR_EQUAL(heap.root, &timers[0]);
    vts_timer_heap_set(&heap, &timers[0], 100);
    CU_ASSERT_PTR_EQUAL(heap.root, &timers[2]);
    CU_ASSERT_EQUAL(drain(&heap), 3);
}

static void equal_deadlines_all_come_out(void)
{
    struct vts_timer_heap heap = {NULL};
    struct vts_timer timers[TIMERS];

    init_timers(timers, TIMERS);
    for (int i = 0; i < TIMERS; i++)
        vts_timer_heap_set(&heap, &timers[i], 42);
    CU_ASSERT_EQUAL(drain(&heap), TIMERS);
    CU_ASSERT_EQUAL(earliest(timers, TIMERS), INT64_MAX);
}

static void extreme_deadlines_keep_their_order(void)
{
    static const int64_t dues[] = {INT64_MAX, 0, INT64_MIN, -1, INT64_MAX - 1};
    struct vts_timer_heap heap = {NULL};
    struct vts_timer timers[VTS_ARRAY_LEN(dues)];

    init_timers(timers, VTS_ARRAY_LEN(dues));
    for (size_t i = 0; i < VTS_ARRAY_LEN(dues); i++)
        vts_timer_heap_set(&heap, &timers[i], dues[i]);
    CU_ASSERT_EQUAL(heap.root->due_ns, INT64_MIN);
    CU_ASSERT_EQUAL(drain(&heap), (int)VTS_ARRAY_LEN(dues));
}

static void sorted_and_reversed_input_come_out_sorted(void)
{
    struct vts_timer_heap heap = {NULL};
    struct vts_timer timers[TIMERS];

    init_timers(timers, TIMERS);
    for (int i = 0; i < TIMERS; i++)
        vts_timer_heap_set(&heap, &timers[i], i);
    CU_ASSERT_EQUAL(drain(&heap), TIMERS);
    for (int i = 0; i < TIMERS; i++)
        vts_timer_heap_set(&heap, &timers[i], -i);
    CU_ASSERT_EQUAL(drain(&heap), TIMERS);
}

static void act_randomly(struct vts_rng *rng, struct vts_timer_heap *heap, struct vts_timer *timers)
{
    struct vts_timer *timer = &timers[vts_rng_next(rng) % TIMERS];

    switch (vts_rng_next(rng) % 4) {
    case 0:
        vts_timer_heap_remove(heap, timer);
        break;
    case 1:
        if (heap->root != NULL)
            vts_timer_heap_remove(heap, heap->root);
        break;
    default:
        vts_timer_heap_set(heap, timer, (int64_t)(vts_rng_next(rng) % 100));
        break;
    }
}

static void random_operations_agree_with_a_search(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++) {
        struct vts_timer_heap heap = {NULL};
        struct vts_timer timers[TIMERS];
        struct vts_rng rng;
        int running = 0;

        vts_rng_init(&rng, seed);
        init_timers(timers, TIMERS);
        for (int i = 0; i < OPERATIONS; i++) {
            act_randomly(&rng, &heap, timers);
            CU_ASSERT_EQUAL_FATAL(root_due_ns(&heap), earliest(timers, TIMERS));
        }
        for (int i = 0; i < TIMERS; i++)
            running += timers[i].is_running;
        CU_ASSERT_EQUAL(drain(&heap), running);
    }
}

static const struct vts_test tests[] = {
    {"timer_init_keeps_function_and_does_not_run", timer_init_keeps_function_and_does_not_run},
    {"heap_of_one_is_empty_after_remove", heap_of_one_is_empty_after_remove},
    {"remove_not_running_changes_nothing", remove_not_running_changes_nothing},
    {"remove_each_of_many_leaves_the_others", remove_each_of_many_leaves_the_others},
    {"set_running_timer_moves_it", set_running_timer_moves_it},
    {"equal_deadlines_all_come_out", equal_deadlines_all_come_out},
    {"extreme_deadlines_keep_their_order", extreme_deadlines_keep_their_order},
    {"sorted_and_reversed_input_come_out_sorted", sorted_and_reversed_input_come_out_sorted},
    {"random_operations_agree_with_a_search", random_operations_agree_with_a_search},
};

int main(void)
{
    return vts_test_run("test_timer", tests, VTS_ARRAY_LEN(tests));
}
