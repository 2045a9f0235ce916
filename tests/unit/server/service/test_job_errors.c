/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_errors.c - the table of failures, and the details that programs read. */
#include "server/service/job_errors.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/pb_heap.h"
#include "google/rpc/error_details.pb-c.h"
#include "tests/support/suite.h"

enum { ARENA_BYTES = 64 * 1024 };

static void reasons_have_the_form_that_is_wanted(void)
{
    for (int i = 0; i < VTS_JOB_ERROR_COUNT; i++) {
        const struct vts_job_error_row *row = vts_job_error_row((enum vts_job_error)i);
        size_t len = strlen(row->reason);

        /* https://google.aip.dev/193: [A-Z][A-Z0-9_]+[A-Z0-9], at most 63. */
        CU_ASSERT(len >= 3 && len <= 63);
        CU_ASSERT_EQUAL(strspn(row->reason, "ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), len);
        CU_ASSERT(row->reason[0] != '_' && row->reason[len - 1] != '_');
        CU_ASSERT(row->code != VTS_RPC_OK);
        CU_ASSERT(row->http_code == 0 || (row->http_code >= 400 && row->http_code < 600));
        CU_ASSERT(row->text[0] != '\0');
        /* Who is told to come again is told when (https://google.aip.dev/194). */
        CU_ASSERT(row->code != VTS_RPC_UNAVAILABLE || row->retry_s > 0);
    }
}

static const struct {
    enum vts_keeper_refusal refusal;
    enum vts_job_refusal machine;
    enum vts_job_error error;
} refusals[] = {
    {VTS_KEEPER_MACHINE, VTS_JOB_REFUSAL_LEASE_LOST, VTS_JOB_ERROR_LEASE_LOST},
    {VTS_KEEPER_MACHINE, VTS_JOB_REFUSAL_NOT_RETRYABLE, VTS_JOB_ERROR_JOB_NOT_RETRYABLE},
    {VTS_KEEPER_MACHINE, VTS_JOB_REFUSAL_DONE, VTS_JOB_ERROR_JOB_DONE},
    {VTS_KEEPER_INVALID, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_INVALID_REQUEST},
    {VTS_KEEPER_JOB_NOT_FOUND, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_JOB_NOT_FOUND},
    {VTS_KEEPER_JOB_GONE, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_JOB_GONE},
    {VTS_KEEPER_JOB_EXISTS, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_JOB_ALREADY_EXISTS},
    {VTS_KEEPER_REQUEST_ID_REUSED, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_REQUEST_ID_REUSED},
    {VTS_KEEPER_ETAG_MISMATCH, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_ETAG_MISMATCH},
    {VTS_KEEPER_JOB_NOT_DONE, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_JOB_NOT_DONE},
    {VTS_KEEPER_FULL, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_QUEUE_FULL},
    {VTS_KEEPER_BAD_PAGE_TOKEN, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_INVALID_REQUEST},
    {VTS_KEEPER_STORE_FAILED, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_STORE_UNAVAILABLE},
    {VTS_KEEPER_NO_MEMORY, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_OUT_OF_MEMORY},
    {VTS_KEEPER_STOPPING, VTS_JOB_REFUSAL_NONE, VTS_JOB_ERROR_SERVER_STOPPING},
};

static void refusals_of_the_keeper_have_their_reasons(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(refusals); i++) {
        struct vts_keeper_command command = {.kind = VTS_KEEPER_EVENT,
                                             .job_id = "a",
                                             .refusal = refusals[i].refusal,
                                             .violation = {"field", "text"}};
        struct vts_job_fault fault;

        command.change.refusal = refusals[i].machine;
        fault = vts_job_fault_of(&command);
        CU_ASSERT_EQUAL(fault.error, refusals[i].error);
        CU_ASSERT_STRING_EQUAL(fault.job_id, "a");
        CU_ASSERT_EQUAL(fault.violation.field != NULL,
                        fault.error == VTS_JOB_ERROR_INVALID_REQUEST);
    }
}

static void *unpack(const Google__Protobuf__Any *any, const char *type,
                    const ProtobufCMessageDescriptor *descriptor)
{
    CU_ASSERT_STRING_EQUAL(any->type_url, type);
    return protobuf_c_message_unpack(descriptor, vts_pb_heap_plain(), any->value.len,
                                     any->value.data);
}

static void release(void *message)
{
    protobuf_c_message_free_unpacked(message, vts_pb_heap_plain());
}

static void check_info(const Google__Protobuf__Any *any, const char *reason, const char *key,
                       const char *value)
{
    Google__Rpc__ErrorInfo *info = unpack(any, "type.googleapis.com/google.rpc.ErrorInfo",
                                          &google__rpc__error_info__descriptor);

    CU_ASSERT_PTR_NOT_NULL_FATAL(info);
    CU_ASSERT_STRING_EQUAL(info->reason, reason);
    CU_ASSERT_STRING_EQUAL(info->domain, "vtstatus");
    CU_ASSERT_EQUAL_FATAL(info->n_metadata, key == NULL ? 0 : 1);
    if (key != NULL) {
        CU_ASSERT_STRING_EQUAL(info->metadata[0]->key, key);
        CU_ASSERT_STRING_EQUAL(info->metadata[0]->value, value);
    }
    release(info);
}

static void failure_names_its_job(void)
{
    struct vts_job_fault fault = {.error = VTS_JOB_ERROR_JOB_NOT_FOUND, .job_id = "a"};
    struct vts_arena arena;
    Google__Rpc__Status *status;

    vts_arena_init(&arena, ARENA_BYTES);
    status = vts_job_fault_make(&fault, &arena);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_EQUAL(status->code, VTS_RPC_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(status->message, "there is no job with this id");
    CU_ASSERT_EQUAL_FATAL(status->n_details, 1);
    check_info(status->details[0], "JOB_NOT_FOUND", "jobId", "a");
    /* What is no id is not told back. */
    fault.job_id = "a/b";
    status = vts_job_fault_make(&fault, &arena);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    check_info(status->details[0], "JOB_NOT_FOUND", NULL, NULL);
    vts_arena_fini(&arena);
}

static void failure_by_a_field_names_the_field(void)
{
    const struct vts_job_fault fault = {.error = VTS_JOB_ERROR_INVALID_REQUEST,
                                        .violation = {"spec.source_uri", "is required"}};
    Google__Rpc__BadRequest *bad;
    struct vts_arena arena;
    Google__Rpc__Status *status;

    vts_arena_init(&arena, ARENA_BYTES);
    status = vts_job_fault_make(&fault, &arena);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_STRING_EQUAL(status->message, "spec.source_uri is required");
    CU_ASSERT_EQUAL_FATAL(status->n_details, 2);
    check_info(status->details[0], "INVALID_REQUEST", "field", "spec.source_uri");
    bad = unpack(status->details[1], "type.googleapis.com/google.rpc.BadRequest",
                 &google__rpc__bad_request__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bad);
    CU_ASSERT_EQUAL_FATAL(bad->n_field_violations, 1);
    CU_ASSERT_STRING_EQUAL(bad->field_violations[0]->field, "spec.source_uri");
    CU_ASSERT_STRING_EQUAL(bad->field_violations[0]->description, "is required");
    release(bad);
    vts_arena_fini(&arena);
}

static void failure_that_passes_says_when(void)
{
    const struct vts_job_fault fault = {.error = VTS_JOB_ERROR_QUEUE_FULL};
    Google__Rpc__RetryInfo *retry;
    struct vts_arena arena;
    Google__Rpc__Status *status;

    vts_arena_init(&arena, ARENA_BYTES);
    status = vts_job_fault_make(&fault, &arena);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_EQUAL_FATAL(status->n_details, 2);
    retry = unpack(status->details[1], "type.googleapis.com/google.rpc.RetryInfo",
                   &google__rpc__retry_info__descriptor);
    CU_ASSERT_PTR_NOT_NULL_FATAL(retry);
    CU_ASSERT_EQUAL(retry->retry_delay->seconds,
                    vts_job_error_row(VTS_JOB_ERROR_QUEUE_FULL)->retry_s);
    release(retry);
    vts_arena_fini(&arena);
}

static void failure_without_memory_is_none(void)
{
    const struct vts_job_fault fault = {.error = VTS_JOB_ERROR_JOB_GONE, .job_id = "a"};
    struct vts_arena arena;

    vts_arena_init(&arena, 128);
    CU_ASSERT_PTR_NULL(vts_job_fault_make(&fault, &arena));
    vts_arena_fini(&arena);
    vts_arena_init(&arena, ARENA_BYTES);
    (void)vts_mem_fail_after(0); /* nothing failed before */
    CU_ASSERT_PTR_NULL(vts_job_fault_make(&fault, &arena));
    (void)vts_mem_fail_after(-1); /* it has */
    vts_arena_fini(&arena);
}

static const struct vts_test tests[] = {
    {"reasons_have_the_form_that_is_wanted", reasons_have_the_form_that_is_wanted},
    {"refusals_of_the_keeper_have_their_reasons", refusals_of_the_keeper_have_their_reasons},
    {"failure_names_its_job", failure_names_its_job},
    {"failure_by_a_field_names_the_field", failure_by_a_field_names_the_field},
    {"failure_that_passes_says_when", failure_that_passes_says_when},
    {"failure_without_memory_is_none", failure_without_memory_is_none},
};

int main(void)
{
    return vts_test_run("test_job_errors", tests, VTS_ARRAY_LEN(tests));
}
