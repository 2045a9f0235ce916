/* SPDX-License-Identifier: Apache-2.0 */
/* timer.c - a pairing heap (Fredman, Sedgewick, Sleator, Tarjan 1986) whose nodes are the timers.
 *
 * Setting is O(1), removing O(log n) amortised, and neither allocates.
 */
#include "server/io/timer.h"

#include <stddef.h>

void vts_timer_init(struct vts_timer *timer, vts_timer_fn fn, void *context)
{
    *timer = (struct vts_timer){.fn = fn, .context = context};
}

/* Makes the later of two roots the first child of the earlier; either may be NULL. */
static struct vts_timer *meld(struct vts_timer *a, struct vts_timer *b)
{
    if (a == NULL || b == NULL)
        return a == NULL ? b : a;
    if (b->due_ns < a->due_ns) {
        struct vts_timer *earlier = b;

        b = a;
        a = earlier;
    }
    b->next = a->child;
    if (b->next != NULL)
        b->next->prev = b;
    b->prev = a;
    a->child = b;
    return a;
}

/* Melds a list of siblings into one root: in pairs from the left, then the pairs from the right. */
static struct vts_timer *meld_siblings(struct vts_timer *first)
{
    struct vts_timer *pairs = NULL;
    struct vts_timer *root = NULL;

    while (first != NULL) {
        struct vts_timer *second = first->next;
        struct vts_timer *rest = second == NULL ? NULL : second->next;
        struct vts_timer *pair;

        first->next = NULL;
        if (second != NULL)
            second->next = NULL;
        pair = meld(first, second);
        pair->next = pairs;
        pairs = pair;
        first = rest;
    }
    while (pairs != NULL) {
        struct vts_timer *rest = pairs->next;

        pairs->next = NULL;
        root = meld(root, pairs);
        pairs = rest;
    }
    if (root != NULL)
        root->prev = NULL;
    return root;
}

void vts_timer_heap_remove(struct vts_timer_heap *heap, struct vts_timer *timer)
{
    struct vts_timer *orphans;

    if (!timer->is_running)
        return;
    orphans = meld_siblings(timer->child);
    if (timer == heap->root) {
        heap->root = orphans;
    } else {
        if (timer->prev->child == timer)
            timer->prev->child = timer->next;
        else
            timer->prev->next = timer->next;
        if (timer->next != NULL)
            timer->next->prev = timer->prev;
        heap->root = meld(heap->root, orphans);
    }
    timer->is_running = false;
    timer->child = timer->next = timer->prev = NULL;
}

void vts_timer_heap_set(struct vts_timer_heap *heap, struct vts_timer *timer, int64_t due_ns)
{
    vts_timer_heap_remove(heap, timer);
    timer->due_ns = due_ns;
    timer->is_running = true;
    heap->root = meld(heap->root, timer);
}
