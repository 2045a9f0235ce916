/* SPDX-License-Identifier: Apache-2.0 */
/* test_arena.c - what is handed out is apart from all else, and ends at the budget. */
#include "common/base/arena.h"

#include <CUnit/CUnit.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "tests/support/suite.h"

enum { PIECES = 400, BUDGET_BYTES = 4 * 1024 * 1024 };

struct piece {
    unsigned char *bytes;
    size_t size;
};

/* Fills `count` pieces of every size, from nothing to more than a block, each with its own number.
 */
static void fill_pieces(struct vts_arena *arena, struct vts_rng *rng, struct piece *pieces,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        size_t size = (size_t)(vts_rng_next(rng) % (UINT64_C(1) << vts_rng_next(rng) % 18));

        pieces[i] = (struct piece){vts_arena_alloc(arena, size), size};
        CU_ASSERT_PTR_NOT_NULL_FATAL(pieces[i].bytes);
        CU_ASSERT_EQUAL((uintptr_t)pieces[i].bytes % 16, 0);
        memset(pieces[i].bytes, (int)(i % 251), size);
    }
}

static bool are_untouched(const struct piece *pieces, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (size_t k = 0; k < pieces[i].size; k++)
            if (pieces[i].bytes[k] != i % 251)
                return false;
    return true;
}

static void arena_pieces_of_every_size_stay_apart(void)
{
    struct piece pieces[PIECES];
    struct vts_arena arena;
    struct vts_rng rng;

    vts_rng_init(&rng, 7);
    vts_arena_init(&arena, SIZE_MAX);
    for (int round = 0; round < 3; round++) {
        fill_pieces(&arena, &rng, pieces, PIECES);
        CU_ASSERT(are_untouched(pieces, PIECES));
        vts_arena_reset(&arena);
    }
    vts_arena_fini(&arena);
}

static void arena_budget_counts_in_sixteens(void)
{
    struct vts_arena arena;

    vts_arena_init(&arena, 64);
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 0));
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 17));
    CU_ASSERT_EQUAL(vts_arena_used_bytes(&arena), 48);
    CU_ASSERT_PTR_NULL(vts_arena_alloc(&arena, 17));
    CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_ERR_LIMIT);
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 16));
    CU_ASSERT_PTR_NULL(vts_arena_alloc(&arena, 1));
    CU_ASSERT_EQUAL(vts_arena_used_bytes(&arena), 64);
    vts_arena_fini(&arena);
}

static void arena_impossible_sizes_are_refused(void)
{
    struct vts_arena arena;

    vts_arena_init(&arena, SIZE_MAX);
    CU_ASSERT_PTR_NULL(vts_arena_alloc(&arena, SIZE_MAX));
    CU_ASSERT_PTR_NULL(vts_arena_alloc(&arena, SIZE_MAX - 16));
    CU_ASSERT_PTR_NULL(vts_arena_strndup(&arena, "", SIZE_MAX));
    CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_ERR_LIMIT);
    vts_arena_fini(&arena);
}

static void arena_reset_starts_anew_without_the_heap(void)
{
    struct vts_arena arena;

    vts_arena_init(&arena, BUDGET_BYTES);
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 100));
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 100000));
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 2000));
    CU_ASSERT_PTR_NULL(vts_arena_alloc(&arena, BUDGET_BYTES));
    vts_arena_reset(&arena);
    CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_OK);
    CU_ASSERT_EQUAL(vts_arena_used_bytes(&arena), 0);

    (void)vts_mem_fail_after(0); /* nothing failed before */
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 900));
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 0);
    vts_arena_fini(&arena);
}

static void arena_rewind_keeps_the_largest_block(void)
{
    struct vts_arena arena;
    size_t sizes[] = {100, 1500, 5000, 9000};

    vts_arena_init(&arena, BUDGET_BYTES);
    for (int round = 0; round < 3; round++) {
        (void)vts_mem_fail_after(round < 2 ? -1 : 0); /* all of it is there by then */
        for (size_t i = 0; i < VTS_ARRAY_LEN(sizes); i++)
            CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, round == 0 ? sizes[i] : 2000));
        CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 0);
        vts_arena_rewind(&arena);
        CU_ASSERT_EQUAL(vts_arena_used_bytes(&arena), 0);
        CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_OK);
    }
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, (size_t)200 * 1024)); /* too large to keep */
    vts_arena_rewind(&arena);
    (void)vts_mem_fail_after(0);
    CU_ASSERT_PTR_NULL(vts_arena_alloc(&arena, (size_t)200 * 1024));
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    vts_arena_fini(&arena);
    vts_arena_rewind(&arena); /* of nothing */
    vts_arena_fini(&arena);
}

static void arena_reset_without_a_small_block_frees_all(void)
{
    struct vts_arena arena;

    vts_arena_init(&arena, BUDGET_BYTES);
    vts_arena_reset(&arena);
    CU_ASSERT_PTR_NULL(arena.blocks);
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 5000));
    vts_arena_reset(&arena);
    CU_ASSERT_PTR_NULL(arena.blocks);
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 5000));
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 6000));
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 50));
    vts_arena_reset(&arena);
    CU_ASSERT_PTR_NOT_NULL(arena.blocks);
    vts_arena_fini(&arena);
}

static void arena_without_memory_fails_and_goes_on(void)
{
    struct vts_arena arena;

    vts_arena_init(&arena, BUDGET_BYTES);
    (void)vts_mem_fail_after(0); /* nothing failed before */
    CU_ASSERT_PTR_NULL(vts_arena_alloc(&arena, 8));
    (void)vts_mem_fail_after(0); /* as above */
    CU_ASSERT_PTR_NULL(vts_arena_alloc(&arena, 80000));
    (void)vts_mem_fail_after(-1); /* it has */
    CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_arena_used_bytes(&arena), 0);
    CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 8));
    vts_arena_fini(&arena);
}

static void arena_text_is_copied_with_a_nul(void)
{
    struct vts_arena arena;
    char *empty;
    char *text;

    vts_arena_init(&arena, 32);
    text = vts_arena_strndup(&arena, "job-1", 3);
    empty = vts_arena_strndup(&arena, NULL, 0);
    CU_ASSERT_STRING_EQUAL(text, "job");
    CU_ASSERT_STRING_EQUAL(empty, "");
    CU_ASSERT_PTR_NULL(vts_arena_strndup(&arena, "x", 1));
    vts_arena_fini(&arena);
}

/* Of AddressSanitizer's runtime; NULL in a program without it. */
__attribute__((weak)) int __asan_address_is_poisoned(const volatile void *ptr);

static void arena_bytes_behind_a_piece_are_poisoned(void)
{
    struct vts_arena arena;
    char *bytes;

    if (__asan_address_is_poisoned == NULL)
        return;
    vts_arena_init(&arena, 1024);
    for (size_t size = 1; size <= 32; size++) {
        bytes = vts_arena_alloc(&arena, size);
        CU_ASSERT_PTR_NOT_NULL(vts_arena_alloc(&arena, 1));
        CU_ASSERT_EQUAL(__asan_address_is_poisoned(bytes + size - 1), 0);
        CU_ASSERT_NOT_EQUAL(__asan_address_is_poisoned(bytes + size), 0);
        vts_arena_reset(&arena);
        CU_ASSERT_NOT_EQUAL(__asan_address_is_poisoned(bytes), 0);
    }
    vts_arena_fini(&arena);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"arena_pieces_of_every_size_stay_apart", arena_pieces_of_every_size_stay_apart},
        {"arena_budget_counts_in_sixteens", arena_budget_counts_in_sixteens},
        {"arena_impossible_sizes_are_refused", arena_impossible_sizes_are_refused},
        {"arena_reset_starts_anew_without_the_heap", arena_reset_starts_anew_without_the_heap},
        {"arena_rewind_keeps_the_largest_block", arena_rewind_keeps_the_largest_block},
        {"arena_reset_without_a_small_block_frees_all",
         arena_reset_without_a_small_block_frees_all},
        {"arena_without_memory_fails_and_goes_on", arena_without_memory_fails_and_goes_on},
        {"arena_text_is_copied_with_a_nul", arena_text_is_copied_with_a_nul},
        {"arena_bytes_behind_a_piece_are_poisoned", arena_bytes_behind_a_piece_are_poisoned},
    };

    return vts_test_run("arena", tests, VTS_ARRAY_LEN(tests));
}
