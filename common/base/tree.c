/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - a treap (Seidel, Aragon: Randomized Search Trees, 1996).
 *
 * A visit recurses as deep as the tree is: with random ranks some fifty levels for a million nodes.
 */
#include "common/base/tree.h"

#include "common/base/assert.h"

static uint32_t count_of(const struct vts_tree *tree, struct vts_tree_node *node)
{
    return node == NULL || tree->ops->count == NULL ? 0 : *tree->ops->count(node);
}

static void set_count(const struct vts_tree *tree, struct vts_tree_node *node, uint32_t count)
{
    if (tree->ops->count != NULL)
        *tree->ops->count(node) = count;
}

static uint32_t count_before(const struct vts_tree *tree, struct vts_tree_node *node,
                             const void *key)
{
    uint32_t count = 0;

    while (node != NULL) {
        if (tree->ops->order(key, node) <= 0) {
            node = node->before;
        } else {
            count += count_of(tree, node->before) + 1;
            node = node->after;
        }
    }
    return count;
}

/* Divides the nodes below `node` into those before the key and those after it. What is cut off a
 * node on the way is all on one side of the key, so its count is known at once. */
static void split(const struct vts_tree *tree, struct vts_tree_node *node, const void *key,
                  struct vts_tree_node **before, struct vts_tree_node **after)
{
    uint32_t before_count = tree->ops->count == NULL ? 0 : count_before(tree, node, key);

    while (node != NULL) {
        if (tree->ops->order(key, node) < 0) {
            *after = node;
            after = &node->before;
            set_count(tree, node, count_of(tree, node) - before_count);
            node = node->before;
        } else {
            *before = node;
            before = &node->after;
            set_count(tree, node, before_count);
            before_count -= count_of(tree, node->before) + 1;
            node = node->after;
        }
    }
    *before = NULL;
    *after = NULL;
}

void vts_tree_insert(struct vts_tree *tree, const void *key, struct vts_tree_node *node)
{
    uint32_t rank = tree->ops->rank(node);
    struct vts_tree_node **link = &tree->root;

    while (*link != NULL && tree->ops->rank(*link) >= rank) {
        set_count(tree, *link, count_of(tree, *link) + 1);
        link = tree->ops->order(key, *link) < 0 ? &(*link)->before : &(*link)->after;
    }
    set_count(tree, node, count_of(tree, *link) + 1);
    split(tree, *link, key, &node->before, &node->after);
    *link = node;
}

/* Puts at *link what is made of two trees, of which the one is all before the other. */
static void join(const struct vts_tree *tree, struct vts_tree_node *before,
                 struct vts_tree_node *after, struct vts_tree_node **link)
{
    uint32_t count = count_of(tree, before) + count_of(tree, after);

    while (before != NULL && after != NULL) {
        if (tree->ops->rank(before) >= tree->ops->rank(after)) {
            *link = before;
            link = &before->after;
            set_count(tree, before, count);
            count -= count_of(tree, before->before) + 1;
            before = before->after;
        } else {
            *link = after;
            link = &after->before;
            set_count(tree, after, count);
            count -= count_of(tree, after->after) + 1;
            after = after->before;
        }
    }
    *link = before != NULL ? before : after;
}

void vts_tree_remove(struct vts_tree *tree, const void *key, const struct vts_tree_node *node)
{
    struct vts_tree_node **link = &tree->root;

    while (*link != node) {
        VTS_ASSERT(*link != NULL);
        set_count(tree, *link, count_of(tree, *link) - 1);
        link = tree->ops->order(key, *link) < 0 ? &(*link)->before : &(*link)->after;
    }
    join(tree, node->before, node->after, link);
}

uint32_t vts_tree_count_before(const struct vts_tree *tree, const void *key)
{
    VTS_ASSERT(tree->ops->count != NULL);
    return count_before(tree, tree->root, key);
}

static bool visit_up(const struct vts_tree *tree, struct vts_tree_node *node, const void *key,
                     vts_tree_visit_fn visit, void *context)
{
    if (node == NULL)
        return true;
    if (key != NULL && tree->ops->order(key, node) >= 0)
        return visit_up(tree, node->after, key, visit, context);
    return visit_up(tree, node->before, key, visit, context) && visit(node, context) &&
           visit_up(tree, node->after, NULL, visit, context);
}

static bool visit_down(const struct vts_tree *tree, struct vts_tree_node *node, const void *key,
                       vts_tree_visit_fn visit, void *context)
{
    if (node == NULL)
        return true;
    if (key != NULL && tree->ops->order(key, node) <= 0)
        return visit_down(tree, node->before, key, visit, context);
    return visit_down(tree, node->after, key, visit, context) && visit(node, context) &&
           visit_down(tree, node->before, NULL, visit, context);
}

void vts_tree_visit_after(const struct vts_tree *tree, const void *key, vts_tree_visit_fn visit,
                          void *context)
{
    (void)visit_up(tree, tree->root, key, visit, context); /* whether it came to the end */
}

void vts_tree_visit_before(const struct vts_tree *tree, const void *key, vts_tree_visit_fn visit,
                           void *context)
{
    (void)visit_down(tree, tree->root, key, visit, context); /* whether it came to the end */
}
