/* SPDX-License-Identifier: Apache-2.0 */
/* durations.c - a table of kinds, each with a ring of its last durations.
 *
 * All kinds stand in one array and in a list by when they were added to, so a new one takes the
 * place of the oldest without asking for memory.
 */
#include "server/jobs/durations.h"

#include <stdlib.h>

#include "common/base/list.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/base/table.h"

struct kind {
    struct vts_list link; /* least lately added to, first */
    uint64_t number;
    bool is_used;
    uint32_t added_count; /* up to what is kept */
    uint32_t next;        /* in the ring */
    int64_t durations_ns[VTS_DURATIONS_KEPT];
};

struct vts_durations {
    struct vts_table table;
    struct vts_list by_age;
    struct kind kinds[];
};

enum vts_err vts_durations_new(size_t kinds_max, struct vts_durations **ret_durations)
{
    struct vts_durations *durations =
        vts_mem_zalloc(sizeof(*durations) + kinds_max * sizeof(struct kind));

    if (durations == NULL)
        return VTS_ERR_NOMEM;
    if (vts_table_reserve(&durations->table, kinds_max) != VTS_OK) {
        vts_mem_free(durations);
        return VTS_ERR_NOMEM;
    }
    vts_list_init(&durations->by_age);
    for (size_t i = 0; i < kinds_max; i++)
        vts_list_push_back(&durations->by_age, &durations->kinds[i].link);
    *ret_durations = durations;
    return VTS_OK;
}

void vts_durations_free(struct vts_durations *durations)
{
    if (durations == NULL)
        return;
    vts_table_fini(&durations->table);
    vts_mem_free(durations);
}

static bool has_number(const void *item, const void *key)
{
    return ((const struct kind *)item)->number == *(const uint64_t *)key;
}

static struct kind *find(const struct vts_durations *durations, uint64_t number)
{
    return vts_table_find(&durations->table, (uint32_t)number, has_number, &number);
}

/* In the place of the oldest. */
static struct kind *replace_oldest(struct vts_durations *durations, uint64_t number)
{
    struct kind *kind = VTS_CONTAINER_OF(durations->by_age.next, struct kind, link);

    if (kind->is_used)
        vts_table_remove(&durations->table, (uint32_t)kind->number, kind);
    kind->is_used = true;
    kind->number = number;
    kind->added_count = 0;
    kind->next = 0;
    vts_table_add(&durations->table, (uint32_t)number, kind);
    return kind;
}

void vts_durations_add(struct vts_durations *durations, uint64_t number, int64_t duration_ns)
{
    struct kind *kind = find(durations, number);

    if (duration_ns < 0)
        return;
    if (kind == NULL)
        kind = replace_oldest(durations, number);
    kind->durations_ns[kind->next] = duration_ns;
    kind->next = (kind->next + 1) % VTS_DURATIONS_KEPT;
    if (kind->added_count < VTS_DURATIONS_KEPT)
        kind->added_count++;
    vts_list_remove(&kind->link);
    vts_list_push_back(&durations->by_age, &kind->link);
}

static int order_durations(const void *a, const void *b)
{
    int64_t first = *(const int64_t *)a;
    int64_t second = *(const int64_t *)b;

    return (first > second) - (first < second);
}

bool vts_durations_guess(const struct vts_durations *durations, uint64_t number, int64_t elapsed_ns,
                         int64_t *ret_duration_ns)
{
    const struct kind *kind = find(durations, number);
    int64_t longer_ns[VTS_DURATIONS_KEPT];
    size_t count = 0;

    if (kind == NULL || kind->added_count < VTS_DURATIONS_LEAST)
        return false;
    for (size_t i = 0; i < kind->added_count; i++)
        if (kind->durations_ns[i] > elapsed_ns)
            longer_ns[count++] = kind->durations_ns[i];
    if (count == 0)
        return false;
    qsort(longer_ns, count, sizeof(longer_ns[0]), order_durations);
    /* Between the two in the middle when there are two; the sum of halves cannot overflow. */
    *ret_duration_ns = longer_ns[(count - 1) / 2] / 2 + longer_ns[count / 2] / 2;
    return true;
}
