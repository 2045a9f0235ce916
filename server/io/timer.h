/* SPDX-License-Identifier: Apache-2.0 */
/* Timers of one loop, kept in a heap, so that any number of them costs one kernel timer.
 * Loop thread only. */
#ifndef VTS_IO_TIMER_H
#define VTS_IO_TIMER_H

#include <stdbool.h>
#include <stdint.h>

typedef void (*vts_timer_fn)(void *context);

/* Lives inside the object it serves; its links are the heap's, so setting a timer never fails. */
struct vts_timer {
    int64_t due_ns;
    bool is_running;
    vts_timer_fn fn;
    void *context;
    struct vts_timer *child;
    struct vts_timer *next; /* sibling */
    struct vts_timer *prev; /* sibling, or the parent of a first child */
};

struct vts_timer_heap {
    struct vts_timer *root; /* the timer due first; NULL when none runs */
};

void vts_timer_init(struct vts_timer *timer, vts_timer_fn fn, void *context);
/* Starts the timer or moves it. */
void vts_timer_heap_set(struct vts_timer_heap *heap, struct vts_timer *timer, int64_t due_ns);
/* Harmless when it does not run. */
void vts_timer_heap_remove(struct vts_timer_heap *heap, struct vts_timer *timer);

#endif
