/* SPDX-License-Identifier: Apache-2.0 */
/* line.c - a tree that counts, under a lock that its one writer holds for a change, and readers for
 * a look.
 *
 * The writer's own looks need no lock. What a reader found holds until the line's number of changes
 * is another one.
 */
#include "server/jobs/line.h"

#include <pthread.h>

#include "common/base/mem.h"

struct vts_line {
    _Atomic uint32_t refs;
    _Atomic uint32_t changes; /* begins at 1, for what is known of none is 0 */
    pthread_mutex_t lock;
    struct vts_tree tree;
};

struct vts_line *vts_line_new(const struct vts_tree_ops *ops)
{
    struct vts_line *line = vts_mem_zalloc(sizeof(*line));

    if (line == NULL)
        return NULL;
    atomic_init(&line->refs, 1);
    atomic_init(&line->changes, 1);
    line->tree.ops = ops;
    (void)pthread_mutex_init(&line->lock, NULL); /* cannot fail on Linux */
    return line;
}

struct vts_line *vts_line_ref(struct vts_line *line)
{
    atomic_fetch_add_explicit(&line->refs, 1, memory_order_relaxed);
    return line;
}

void vts_line_unref(struct vts_line *line)
{
    if (line == NULL || atomic_fetch_sub_explicit(&line->refs, 1, memory_order_acq_rel) != 1)
        return;
    (void)pthread_mutex_destroy(&line->lock);
    vts_mem_free(line);
}

const struct vts_tree *vts_line_tree(const struct vts_line *line)
{
    return &line->tree;
}

static void note_change(struct vts_line *line)
{
    atomic_fetch_add_explicit(&line->changes, 1, memory_order_relaxed);
}

void vts_line_add(struct vts_line *line, const struct vts_job_place *place,
                  struct vts_tree_node *node)
{
    pthread_mutex_lock(&line->lock);
    vts_tree_insert(&line->tree, place, node);
    note_change(line);
    pthread_mutex_unlock(&line->lock);
}

void vts_line_remove(struct vts_line *line, const struct vts_job_place *place,
                     const struct vts_tree_node *node)
{
    pthread_mutex_lock(&line->lock);
    vts_tree_remove(&line->tree, place, node);
    note_change(line);
    pthread_mutex_unlock(&line->lock);
}

void vts_line_clear(struct vts_line *line)
{
    pthread_mutex_lock(&line->lock);
    line->tree.root = NULL;
    note_change(line);
    pthread_mutex_unlock(&line->lock);
}

int32_t vts_line_position(struct vts_line *line, const struct vts_job_place *place,
                          vts_line_known *known)
{
    uint32_t changes = atomic_load_explicit(&line->changes, memory_order_relaxed);
    uint64_t found = atomic_load_explicit(known, memory_order_relaxed);
    uint32_t ahead_count;

    if (found != 0 && (uint32_t)(found >> 32) == changes)
        return (int32_t)(uint32_t)found;
    pthread_mutex_lock(&line->lock);
    ahead_count = vts_tree_count_before(&line->tree, place);
    changes = atomic_load_explicit(&line->changes, memory_order_relaxed);
    pthread_mutex_unlock(&line->lock);
    if (ahead_count >= INT32_MAX)
        ahead_count = INT32_MAX - 1;
    atomic_store_explicit(known, (uint64_t)changes << 32 | (ahead_count + 1), memory_order_relaxed);
    return (int32_t)ahead_count + 1;
}
