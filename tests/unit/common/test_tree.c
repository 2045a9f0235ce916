/* SPDX-License-Identifier: Apache-2.0 */
/* test_tree.c - order, visits from any place, and depth of the tree. */
#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "common/base/tree.h"
#include "tests/support/suite.h"

enum { MEMBERS = 300, STEPS = 5000, MANY = 100000, DEPTH_MAX = 60 };

struct member {
    int number;
    uint32_t rank;
    bool is_in;
    uint32_t count;
    struct vts_tree_node node;
};

static const struct member *member_of(const struct vts_tree_node *node)
{
    return VTS_CONTAINER_OF(node, const struct member, node);
}

static int order(const void *key, const struct vts_tree_node *node)
{
    int number = *(const int *)key;

    return (number > member_of(node)->number) - (number < member_of(node)->number);
}

static uint32_t rank(const struct vts_tree_node *node)
{
    return member_of(node)->rank;
}

static uint32_t *count(struct vts_tree_node *node)
{
    return &VTS_CONTAINER_OF(node, struct member, node)->count;
}

static const struct vts_tree_ops ops = {.order = order, .rank = rank};
static const struct vts_tree_ops counting_ops = {.order = order, .rank = rank, .count = count};

static void fill(struct member *members, int count, struct vts_rng *rng)
{
    for (int i = 0; i < count; i++)
        members[i] = (struct member){.number = i, .rank = (uint32_t)vts_rng_next(rng)};
}

/* What a visit has seen. */
struct seen {
    int count;
    int max;
    int last;
    bool is_in_order;
    int step; /* 1 or -1 */
};

static bool see(struct vts_tree_node *node, void *context)
{
    struct seen *seen = context;
    int number = member_of(node)->number;

    if (seen->count > 0 && (number - seen->last) * seen->step <= 0)
        seen->is_in_order = false;
    seen->last = number;
    return ++seen->count < seen->max;
}

static struct seen visit(const struct vts_tree *tree, const int *key, int step, int max)
{
    struct seen seen = {.max = max, .step = step, .is_in_order = true};

    if (step > 0)
        vts_tree_visit_after(tree, key, see, &seen);
    else
        vts_tree_visit_before(tree, key, see, &seen);
    return seen;
}

static int count_in(const struct member *members, int from, int to)
{
    int count = 0;

    for (int i = from; i < to; i++)
        count += members[i].is_in;
    return count;
}

static void check_against(const struct vts_tree *tree, const struct member *members, int key)
{
    struct seen up = visit(tree, &key, 1, MEMBERS + 1);
    struct seen down = visit(tree, &key, -1, MEMBERS + 1);

    CU_ASSERT(up.is_in_order && down.is_in_order);
    CU_ASSERT_EQUAL_FATAL(up.count, count_in(members, key + 1, MEMBERS));
    CU_ASSERT_EQUAL_FATAL(down.count, count_in(members, 0, key));
    CU_ASSERT_EQUAL_FATAL(visit(tree, NULL, 1, MEMBERS + 1).count, count_in(members, 0, MEMBERS));
    CU_ASSERT_EQUAL_FATAL(visit(tree, NULL, -1, MEMBERS + 1).count, count_in(members, 0, MEMBERS));
}

static void play(const struct vts_tree_ops *tree_ops, uint64_t seed)
{
    struct member members[MEMBERS];
    struct vts_tree tree = {.ops = tree_ops};
    struct vts_rng rng;

    vts_rng_init(&rng, seed);
    fill(members, MEMBERS, &rng);
    for (int step = 0; step < STEPS; step++) {
        int i = (int)(vts_rng_next(&rng) % MEMBERS);

        if (members[i].is_in)
            vts_tree_remove(&tree, &i, &members[i].node);
        else
            vts_tree_insert(&tree, &i, &members[i].node);
        members[i].is_in = !members[i].is_in;
        check_against(&tree, members, (int)(vts_rng_next(&rng) % MEMBERS));
        for (int key = 0; tree_ops->count != NULL && key <= MEMBERS; key += 13)
            CU_ASSERT_EQUAL_FATAL(vts_tree_count_before(&tree, &key),
                                  (uint32_t)count_in(members, 0, key));
    }
}

static void tree_agrees_with_a_model(void)
{
    play(&ops, 1);
}

static void tree_that_counts_agrees_with_a_model(void)
{
    play(&counting_ops, 2);
}

static void visit_stops_when_it_is_told(void)
{
    struct member members[MEMBERS];
    struct vts_tree tree = {.ops = &ops};
    struct vts_rng rng;

    vts_rng_init(&rng, 2);
    fill(members, MEMBERS, &rng);
    CU_ASSERT_EQUAL(visit(&tree, NULL, 1, 5).count, 0);
    for (int i = 0; i < MEMBERS; i++)
        vts_tree_insert(&tree, &i, &members[i].node);
    CU_ASSERT_EQUAL(visit(&tree, NULL, 1, 5).last, 4);
    CU_ASSERT_EQUAL(visit(&tree, NULL, -1, 5).last, MEMBERS - 5);
    CU_ASSERT_EQUAL(visit(&tree, &(int){100}, 1, 1).last, 101);
    CU_ASSERT_EQUAL(visit(&tree, &(int){100}, -1, 1).last, 99);
}

static int depth_of(const struct vts_tree_node *node)
{
    int before;
    int after;

    if (node == NULL)
        return 0;
    before = depth_of(node->before);
    after = depth_of(node->after);
    return 1 + (before > after ? before : after);
}

static void tree_filled_in_order_stays_flat(void)
{
    struct member *members = vts_mem_alloc(MANY * sizeof(*members));
    struct vts_tree tree = {.ops = &ops};
    struct vts_rng rng;

    CU_ASSERT_PTR_NOT_NULL_FATAL(members);
    vts_rng_init(&rng, 3);
    fill(members, MANY, &rng);
    for (int i = 0; i < MANY; i++)
        vts_tree_insert(&tree, &i, &members[i].node);
    CU_ASSERT(depth_of(tree.root) < DEPTH_MAX);
    for (int i = 0; i < MANY; i++)
        vts_tree_remove(&tree, &i, &members[i].node);
    CU_ASSERT_PTR_NULL(tree.root);
    vts_mem_free(members);
}

static const struct vts_test tests[] = {
    {"tree_agrees_with_a_model", tree_agrees_with_a_model},
    {"tree_that_counts_agrees_with_a_model", tree_that_counts_agrees_with_a_model},
    {"visit_stops_when_it_is_told", visit_stops_when_it_is_told},
    {"tree_filled_in_order_stays_flat", tree_filled_in_order_stays_flat},
};

int main(void)
{
    return vts_test_run("test_tree", tests, VTS_ARRAY_LEN(tests));
}
