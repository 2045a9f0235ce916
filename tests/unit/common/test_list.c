/* SPDX-License-Identifier: Apache-2.0 */
/* test_list.c - order and removal in the linked list. */
#include <CUnit/CUnit.h>

#include "common/base/list.h"
#include "tests/support/suite.h"

struct item {
    int number;
    struct vts_list link;
};

/* The members' numbers as decimal digits, read forwards, checked against the way back. */
static int digits_of(const struct vts_list *list)
{
    int forwards = 0;
    int backwards = 0;
    int weight = 1;

    for (const struct vts_list *at = list->next; at != list; at = at->next)
        forwards = forwards * 10 + VTS_CONTAINER_OF(at, const struct item, link)->number;
    for (const struct vts_list *at = list->prev; at != list; at = at->prev) {
        backwards += weight * VTS_CONTAINER_OF(at, const struct item, link)->number;
        weight *= 10;
    }
    return forwards == backwards ? forwards : -1;
}

static void list_init_is_empty(void)
{
    struct vts_list list;

    vts_list_init(&list);
    CU_ASSERT(vts_list_is_empty(&list));
    CU_ASSERT_EQUAL(digits_of(&list), 0);
}

static void list_push_back_keeps_order(void)
{
    struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};
    struct vts_list list;

    vts_list_init(&list);
    for (size_t i = 0; i < VTS_ARRAY_LEN(items); i++)
        vts_list_push_back(&list, &items[i].link);
    CU_ASSERT_FALSE(vts_list_is_empty(&list));
    CU_ASSERT_EQUAL(digits_of(&list), 123);
}

static void list_remove_takes_any_member(void)
{
    struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}};
    struct vts_list list;

    vts_list_init(&list);
    for (size_t i = 0; i < VTS_ARRAY_LEN(items); i++)
        vts_list_push_back(&list, &items[i].link);
    vts_list_remove(&items[1].link);
    CU_ASSERT_EQUAL(digits_of(&list), 13);
    vts_list_remove(&items[0].link);
    CU_ASSERT_EQUAL(digits_of(&list), 3);
    vts_list_remove(&items[2].link);
    CU_ASSERT(vts_list_is_empty(&list));
}

static void list_remove_twice_does_no_harm(void)
{
    struct item items[] = {{.number = 1}, {.number = 2}};
    struct vts_list list;

    vts_list_init(&list);
    vts_list_push_back(&list, &items[0].link);
    vts_list_push_back(&list, &items[1].link);
    vts_list_remove(&items[0].link);
    vts_list_remove(&items[0].link);
    CU_ASSERT_EQUAL(digits_of(&list), 2);
    vts_list_push_back(&list, &items[0].link);
    CU_ASSERT_EQUAL(digits_of(&list), 21);
}

static void list_move_all_keeps_both_orders(void)
{
    struct item items[] = {{.number = 1}, {.number = 2}, {.number = 3}, {.number = 4}};
    struct vts_list from;
    struct vts_list to;

    vts_list_init(&from);
    vts_list_init(&to);
    vts_list_move_all(&from, &to);
    CU_ASSERT(vts_list_is_empty(&to));
    vts_list_push_back(&from, &items[0].link);
    vts_list_move_all(&from, &to);
    CU_ASSERT_EQUAL(digits_of(&to), 1);
    for (size_t i = 1; i < VTS_ARRAY_LEN(items); i++)
        vts_list_push_back(&from, &items[i].link);
    vts_list_move_all(&from, &to);
    CU_ASSERT_EQUAL(digits_of(&to), 1234);
    CU_ASSERT(vts_list_is_empty(&from));
}

static const struct vts_test tests[] = {
    {"list_init_is_empty", list_init_is_empty},
    {"list_push_back_keeps_order", list_push_back_keeps_order},
    {"list_remove_takes_any_member", list_remove_takes_any_member},
    {"list_remove_twice_does_no_harm", list_remove_twice_does_no_harm},
    {"list_move_all_keeps_both_orders", list_move_all_keeps_both_orders},
};

int main(void)
{
    return vts_test_run("test_list", tests, VTS_ARRAY_LEN(tests));
}
