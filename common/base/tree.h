/* SPDX-License-Identifier: Apache-2.0 */
/* An ordered set whose nodes live inside its members; nothing is ever allocated.
 *
 * It is a treap: ordered by key, and a heap by a rank that each member has. The ranks must be as
 * good as random, and unknown to whoever chooses the keys; then the tree is about as deep as it
 * must be. */
#ifndef VTS_BASE_TREE_H
#define VTS_BASE_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vts_tree_node {
    struct vts_tree_node *before; /* what is less */
    struct vts_tree_node *after;
};

struct vts_tree_ops {
    /* Negative when the key comes before the node, 0 when it is the node's own. */
    int (*order)(const void *key, const struct vts_tree_node *node);
    uint32_t (*rank)(const struct vts_tree_node *node);
    /* Where a member keeps the tree's count of it and of all below it; NULL: the tree does not
     * count. */
    uint32_t *(*count)(struct vts_tree_node *node);
};

struct vts_tree {
    const struct vts_tree_ops *ops;
    struct vts_tree_node *root; /* NULL: it is empty */
};

/* No node may have the key yet. */
void vts_tree_insert(struct vts_tree *tree, const void *key, struct vts_tree_node *node);
/* The node, which has that key, must be in the tree. */
void vts_tree_remove(struct vts_tree *tree, const void *key, const struct vts_tree_node *node);

/* Returns whether to go on. It must leave the tree as it is. */
typedef bool (*vts_tree_visit_fn)(struct vts_tree_node *node, void *context);

/* Visits, in order, all nodes that come after the key, or all when it is NULL. */
void vts_tree_visit_after(const struct vts_tree *tree, const void *key, vts_tree_visit_fn visit,
                          void *context);
/* The same against the order: all that come before the key. */
void vts_tree_visit_before(const struct vts_tree *tree, const void *key, vts_tree_visit_fn visit,
                           void *context);
/* How many nodes come before the key, in a tree that counts. */
uint32_t vts_tree_count_before(const struct vts_tree *tree, const void *key);

#endif
