/* SPDX-License-Identifier: Apache-2.0 */
/* tree.c - a treap (Seidel, Aragon: Randomized Search Trees, 1996).
 *
 * A visit recurses as deep as the tree is: with random ranks some fifty levels for a million nodes.
 */
#include "common/base/tree.h"

#include "common/base/assert.h"

/* Divides the nodes below `node` into those before the key and those after it. */
static void split(const struct vts_tree *tree, struct vts_tree_node *node, const void *key,
                  struct vts_tree_node **before, struct vts_tree_node **after)
{
    while (node != NULL) {
        if (tree->ops->order(key, node) < 0) {
            *after = node;
            after = &node->before;
            node = node->before;
        } else {
            *before = node;
            before = &node->after;
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

    while (*link != NULL && tree->ops->rank(*link) >= rank)
        link = tree->ops->order(key, *link) < 0 ? &(*link)->before : &(*link)->after;
    split(tree, *link, key, &node->before, &node->after);
    *link = node;
}

void vts_tree_remove(struct vts_tree *tree, const void *key, const struct vts_tree_node *node)
{
    struct vts_tree_node **link = &tree->root;
    struct vts_tree_node *before = node->before;
    struct vts_tree_node *after = node->after;

    while (*link != node) {
        VTS_ASSERT(*link != NULL);
        link = tree->ops->order(key, *link) < 0 ? &(*link)->before : &(*link)->after;
    }
    while (before != NULL && after != NULL) {
        if (tree->ops->rank(before) >= tree->ops->rank(after)) {
            *link = before;
            link = &before->after;
            before = before->after;
        } else {
            *link = after;
            link = &after->before;
            after = after->before;
        }
    }
    *link = before != NULL ? before : after;
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
