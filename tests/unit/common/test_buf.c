/* SPDX-License-Identifier: Apache-2.0 */
/* test_buf.c - the bounds of the byte buffer, and that its first failure sticks. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/mem.h"
#include "tests/support/suite.h"

static void buf_append_collects_bytes(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 100);
    vts_buf_append(&buf, "a\0b", 3);
    vts_buf_append_text(&buf, "cd");
    vts_buf_append_str(&buf, vts_str_make("efgh", 2));
    vts_buf_append_format(&buf, "%d-%s", 7, "x");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT(vts_str_equals(vts_buf_str(&buf), vts_str_make("a\0bcdef7-x", 10)));
    vts_buf_fini(&buf);
}

static void buf_append_up_to_maximum_succeeds(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 5);
    vts_buf_append_text(&buf, "123");
    vts_buf_append_text(&buf, "45");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT(buf.cap <= 5);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "12345"));
    vts_buf_fini(&buf);
}

static void buf_append_past_maximum_sticks(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 5);
    vts_buf_append_text(&buf, "123");
    vts_buf_append_text(&buf, "456");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    vts_buf_append_text(&buf, "4");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "123"));
    vts_buf_fini(&buf);
}

static void buf_append_nothing_succeeds_when_full(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 0);
    vts_buf_append(&buf, NULL, 0);
    vts_buf_append_text(&buf, "");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    vts_buf_append_text(&buf, "x");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(buf.len, 0);
    vts_buf_fini(&buf);
}

static void buf_append_grows_over_many_sizes(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 100000);
    for (int i = 0; i < 25000; i++)
        vts_buf_append_text(&buf, "abcd");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT_EQUAL(buf.len, 100000);
    CU_ASSERT(memcmp(buf.ptr + 99996, "abcd", 4) == 0);
    vts_buf_append_text(&buf, "e");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
}

static void buf_append_format_longer_than_a_line_is_whole(void)
{
    char text[3000];
    struct vts_buf buf;

    memset(text, 'x', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    vts_buf_init(&buf, 4000);
    vts_buf_append_format(&buf, "<%s>", text);
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT_EQUAL(buf.len, 3001);
    CU_ASSERT_EQUAL(buf.ptr[3000], '>');
    vts_buf_append_format(&buf, "%s", text);
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(buf.len, 3001);
    vts_buf_fini(&buf);
}

static void buf_append_format_may_fill_the_maximum(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 4);
    vts_buf_append_format(&buf, "%s", "1234");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "1234"));
    vts_buf_fini(&buf);
}

static void buf_reserve_then_commit_adds_what_was_written(void)
{
    struct vts_buf buf;
    char *room;

    vts_buf_init(&buf, 1000);
    vts_buf_append_text(&buf, "a");
    room = vts_buf_reserve(&buf, 500);
    CU_ASSERT_PTR_NOT_NULL_FATAL(room);
    memcpy(room, "bc", 2);
    CU_ASSERT_EQUAL(buf.len, 1);
    vts_buf_commit(&buf, 2);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "abc"));
    vts_buf_fini(&buf);
}

static void buf_reserve_of_nothing_gives_a_pointer(void)
{
    static const size_t maxima[] = {0, 1, 1000};

    for (size_t i = 0; i < VTS_ARRAY_LEN(maxima); i++) {
        struct vts_buf buf;

        vts_buf_init(&buf, maxima[i]);
        CU_ASSERT_PTR_NOT_NULL(vts_buf_reserve(&buf, 0));
        CU_ASSERT_PTR_NOT_NULL(vts_buf_reserve(&buf, 0));
        vts_buf_commit(&buf, 0);
        CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
        vts_buf_fini(&buf);
    }
}

static void buf_reserve_past_maximum_is_refused(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 10);
    CU_ASSERT_PTR_NULL(vts_buf_reserve(&buf, 11));
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
    vts_buf_append_text(&buf, "0123456789");
    CU_ASSERT_PTR_NULL(vts_buf_reserve(&buf, SIZE_MAX));
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
}

static void buf_reserve_without_bound_ends(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, SIZE_MAX);
    vts_buf_append_text(&buf, "abc");
    CU_ASSERT_EQUAL(vts_mem_fail_after(0), 0);
    CU_ASSERT_PTR_NULL(vts_buf_reserve(&buf, SIZE_MAX - 3));
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_NOMEM);
    vts_buf_fini(&buf);
}

static void buf_without_memory_sticks_and_keeps_bytes(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 1000);
    vts_buf_append_text(&buf, "kept");
    CU_ASSERT_EQUAL(vts_mem_fail_after(0), 0);
    CU_ASSERT_PTR_NULL(vts_buf_reserve(&buf, 500));
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    vts_buf_append_text(&buf, "late");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_NOMEM);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "kept"));
    vts_buf_fini(&buf);
}

static void buf_consume_drops_the_front(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 100);
    vts_buf_append_text(&buf, "abcdef");
    vts_buf_consume(&buf, 2);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "cdef"));
    vts_buf_consume(&buf, 0);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "cdef"));
    vts_buf_consume(&buf, 4);
    CU_ASSERT_EQUAL(buf.len, 0);
    vts_buf_append_text(&buf, "g");
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "g"));
    vts_buf_fini(&buf);
}

static void buf_consumed_room_is_used_again(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 10);
    vts_buf_append_text(&buf, "0123456789");
    for (int i = 0; i < 100; i++) {
        char digit = (char)('0' + i % 10);

        vts_buf_consume(&buf, 1);
        vts_buf_append(&buf, &digit, 1);
    }
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "0123456789"));
    vts_buf_consume(&buf, 7);
    vts_buf_append_text(&buf, "abc");
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), "789abc"));
    vts_buf_fini(&buf);
}

static void buf_fini_makes_it_usable_again(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 3);
    vts_buf_append_text(&buf, "long");
    vts_buf_fini(&buf);
    vts_buf_append_text(&buf, "abc");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_OK);
    vts_buf_append_text(&buf, "d");
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
    vts_buf_fini(&buf);
}

static const struct vts_test tests[] = {
    {"buf_append_collects_bytes", buf_append_collects_bytes},
    {"buf_append_up_to_maximum_succeeds", buf_append_up_to_maximum_succeeds},
    {"buf_append_past_maximum_sticks", buf_append_past_maximum_sticks},
    {"buf_append_nothing_succeeds_when_full", buf_append_nothing_succeeds_when_full},
    {"buf_append_grows_over_many_sizes", buf_append_grows_over_many_sizes},
    {"buf_append_format_longer_than_a_line_is_whole",
     buf_append_format_longer_than_a_line_is_whole},
    {"buf_append_format_may_fill_the_maximum", buf_append_format_may_fill_the_maximum},
    {"buf_reserve_then_commit_adds_what_was_written",
     buf_reserve_then_commit_adds_what_was_written},
    {"buf_reserve_of_nothing_gives_a_pointer", buf_reserve_of_nothing_gives_a_pointer},
    {"buf_reserve_past_maximum_is_refused", buf_reserve_past_maximum_is_refused},
    {"buf_reserve_without_bound_ends", buf_reserve_without_bound_ends},
    {"buf_without_memory_sticks_and_keeps_bytes", buf_without_memory_sticks_and_keeps_bytes},
    {"buf_consume_drops_the_front", buf_consume_drops_the_front},
    {"buf_consumed_room_is_used_again", buf_consumed_room_is_used_again},
    {"buf_fini_makes_it_usable_again", buf_fini_makes_it_usable_again},
};

int main(void)
{
    return vts_test_run("test_buf", tests, VTS_ARRAY_LEN(tests));
}
