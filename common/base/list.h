/* SPDX-License-Identifier: Apache-2.0 */
/* A doubly linked list whose links live inside its members; no allocation, removal in O(1). */
#ifndef VTS_BASE_LIST_H
#define VTS_BASE_LIST_H

#include <stdbool.h>

/* As the head of a list it points at its first and last member; in a member, at its neighbours. */
struct vts_list {
    struct vts_list *next;
    struct vts_list *prev;
};

static inline void vts_list_init(struct vts_list *list)
{
    list->next = list;
    list->prev = list;
}

static inline bool vts_list_is_empty(const struct vts_list *list)
{
    return list->next == list;
}

static inline void vts_list_push_back(struct vts_list *list, struct vts_list *member)
{
    member->prev = list->prev;
    member->next = list;
    list->prev->next = member;
    list->prev = member;
}

/* The member becomes an empty list of its own, so that removing twice does no harm. */
static inline void vts_list_remove(struct vts_list *member)
{
    member->prev->next = member->next;
    member->next->prev = member->prev;
    vts_list_init(member);
}

/* All members of the one list go to the end of the other, in their order. */
static inline void vts_list_move_all(struct vts_list *from, struct vts_list *to)
{
    if (vts_list_is_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    vts_list_init(from);
}

#endif
