/* SPDX-License-Identifier: Apache-2.0 */
/* test_pb_arena.c - messages unpacked into an arena. */
#include "common/wire/pb_arena.h"

#include <CUnit/CUnit.h>
#include <stdint.h>

#include "common/base/mem.h"
#include "tests/support/suite.h"
#include "vtstatus/v1/status_service.pb-c.h"

/* job_id "job-1". */
static const uint8_t bytes[] = {0x0a, 5, 'j', 'o', 'b', '-', '1'};

static Vtstatus__V1__GetStatusRequest *unpack(struct vts_arena *arena)
{
    ProtobufCAllocator allocator = vts_pb_arena_allocator(arena);

    return vtstatus__v1__get_status_request__unpack(&allocator, sizeof(bytes), bytes);
}

static void pb_arena_unpacks_and_needs_no_free(void)
{
    struct vts_arena arena;
    Vtstatus__V1__GetStatusRequest *request;

    vts_arena_init(&arena, 1024);
    request = unpack(&arena);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_STRING_EQUAL(request->job_id, "job-1");
    CU_ASSERT(vts_arena_used_bytes(&arena) >= sizeof(*request) + 6);
    vts_arena_fini(&arena);
}

static void pb_arena_free_unpacked_is_harmless(void)
{
    struct vts_arena arena;
    ProtobufCAllocator allocator = vts_pb_arena_allocator(&arena);

    vts_arena_init(&arena, 1024);
    vtstatus__v1__get_status_request__free_unpacked(unpack(&arena), &allocator);
    CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_OK);
    vts_arena_fini(&arena);
}

static void pb_arena_failures_tell_why(void)
{
    struct vts_arena arena;

    vts_arena_init(&arena, sizeof(Vtstatus__V1__GetStatusRequest) + 8);
    CU_ASSERT_PTR_NULL(unpack(&arena));
    CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_ERR_LIMIT);
    vts_arena_fini(&arena);

    (void)vts_mem_fail_after(0); /* nothing failed before */
    CU_ASSERT_PTR_NULL(unpack(&arena));
    (void)vts_mem_fail_after(-1); /* it has */
    CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_ERR_NOMEM);
    vts_arena_fini(&arena);
}

static void pb_arena_new_is_empty_or_says_why_not(void)
{
    struct vts_arena arena;
    Vtstatus__V1__GetStatusRequest *request;

    vts_arena_init(&arena, sizeof(*request) + 15);
    request = vts_pb_arena_new(&arena, &vtstatus__v1__get_status_request__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(request);
    CU_ASSERT_PTR_EQUAL(request->base.descriptor, &vtstatus__v1__get_status_request__descriptor);
    CU_ASSERT_STRING_EQUAL(request->job_id, "");
    request = vts_pb_arena_new(&arena, &vtstatus__v1__get_status_request__descriptor);
    CU_ASSERT_PTR_NULL(request);
    CU_ASSERT_EQUAL(vts_arena_check(&arena), VTS_ERR_LIMIT);
    vts_arena_fini(&arena);
}

static void pb_arena_copy_outlives_what_it_was_made_of(void)
{
    struct vts_arena first;
    struct vts_arena second;
    Vtstatus__V1__GetStatusRequest *copy;

    vts_arena_init(&first, 1024);
    vts_arena_init(&second, 1024);
    copy = vts_pb_arena_copy(&second, &unpack(&first)->base);
    vts_arena_fini(&first);
    CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
    CU_ASSERT_STRING_EQUAL(copy->job_id, "job-1");
    vts_arena_init(&first, 16);
    CU_ASSERT_PTR_NULL(vts_pb_arena_copy(&first, &copy->base));
    CU_ASSERT_EQUAL(vts_arena_check(&first), VTS_ERR_LIMIT);
    vts_arena_fini(&first);
    vts_arena_fini(&second);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"pb_arena_unpacks_and_needs_no_free", pb_arena_unpacks_and_needs_no_free},
        {"pb_arena_free_unpacked_is_harmless", pb_arena_free_unpacked_is_harmless},
        {"pb_arena_failures_tell_why", pb_arena_failures_tell_why},
        {"pb_arena_new_is_empty_or_says_why_not", pb_arena_new_is_empty_or_says_why_not},
        {"pb_arena_copy_outlives_what_it_was_made_of", pb_arena_copy_outlives_what_it_was_made_of},
    };

    return vts_test_run("pb_arena", tests, VTS_ARRAY_LEN(tests));
}
