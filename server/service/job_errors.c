/* SPDX-License-Identifier: Apache-2.0 */
/* job_errors.c - from a refusal to an outcome with its details.
 *
 * Every outcome has exactly one ErrorInfo, so that programs never need to read the text.
 */
#include "server/service/job_errors.h"

#include <stdio.h>

#include "common/base/assert.h"
#include "common/wire/pb_arena.h"
#include "google/rpc/error_details.pb-c.h"
#include "server/jobs/job.h"
#include "server/rpc/outcome.h"

enum { DETAILS_MAX = 3, METADATA_MAX = 2, MESSAGE_BYTES = 512, ARENA_BYTES = 16 * 1024 };

static const char domain[] = "vtstatus";

static const struct vts_job_error_row rows[] = {
#define X(reason, code, http_code, retry_s, text)                                                  \
    {#reason, VTS_RPC_##code, http_code, retry_s, text},
#include "server/service/job_errors.def"
#undef X
};

const struct vts_job_error_row *vts_job_error_row(enum vts_job_error error)
{
    return &rows[error];
}

/* ---- what the keeper says -------------------------------------------------------------- */

static enum vts_job_error error_of_machine(enum vts_job_refusal refusal)
{
    switch (refusal) {
    case VTS_JOB_REFUSAL_LEASE_LOST:
        return VTS_JOB_ERROR_LEASE_LOST;
    case VTS_JOB_REFUSAL_NOT_RETRYABLE:
        return VTS_JOB_ERROR_JOB_NOT_RETRYABLE;
    case VTS_JOB_REFUSAL_DONE:
        return VTS_JOB_ERROR_JOB_DONE;
    case VTS_JOB_REFUSAL_NONE:
    case VTS_JOB_REFUSAL_NOT_LEASABLE: /* only the keeper itself leases, and what can be leased */
        break;
    }
    VTS_UNREACHABLE();
}

static enum vts_job_error error_of(const struct vts_keeper_command *command)
{
    switch (command->refusal) {
    case VTS_KEEPER_MACHINE:
        return error_of_machine(command->change.refusal);
    case VTS_KEEPER_INVALID:
    case VTS_KEEPER_BAD_PAGE_TOKEN:
        return VTS_JOB_ERROR_INVALID_REQUEST;
    case VTS_KEEPER_JOB_NOT_FOUND:
        return VTS_JOB_ERROR_JOB_NOT_FOUND;
    case VTS_KEEPER_JOB_GONE:
        return VTS_JOB_ERROR_JOB_GONE;
    case VTS_KEEPER_JOB_EXISTS:
        return VTS_JOB_ERROR_JOB_ALREADY_EXISTS;
    case VTS_KEEPER_REQUEST_ID_REUSED:
        return VTS_JOB_ERROR_REQUEST_ID_REUSED;
    case VTS_KEEPER_ETAG_MISMATCH:
        return VTS_JOB_ERROR_ETAG_MISMATCH;
    case VTS_KEEPER_JOB_NOT_DONE:
        return VTS_JOB_ERROR_JOB_NOT_DONE;
    case VTS_KEEPER_FULL:
        return VTS_JOB_ERROR_QUEUE_FULL;
    case VTS_KEEPER_STORE_FAILED:
        return VTS_JOB_ERROR_STORE_UNAVAILABLE;
    case VTS_KEEPER_NO_MEMORY:
        return VTS_JOB_ERROR_OUT_OF_MEMORY;
    case VTS_KEEPER_STOPPING:
        return VTS_JOB_ERROR_SERVER_STOPPING;
    case VTS_KEEPER_OK:
        break;
    }
    VTS_UNREACHABLE();
}

struct vts_job_fault vts_job_fault_of(const struct vts_keeper_command *command)
{
    struct vts_job_fault fault = {.error = error_of(command), .job_id = command->job_id};

    if (command->kind == VTS_KEEPER_CREATE && command->refusal != VTS_KEEPER_JOB_GONE)
        fault.job_id = command->create->job_id;
    if (command->refusal == VTS_KEEPER_INVALID)
        fault.violation = command->violation;
    if (command->refusal == VTS_KEEPER_BAD_PAGE_TOKEN)
        fault.violation = (struct vts_job_violation){
            "page_token", "must be from the answer before, with the same other fields"};
    return fault;
}

/* ---- details --------------------------------------------------------------------------- */

/* protobuf-c's strings are not const, and it does not write to them. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

static bool has_job_id(const struct vts_job_fault *fault)
{
    return fault->job_id != NULL && vts_job_id_is_valid(vts_str_of(fault->job_id));
}

/* Packs into the arena; an empty value without memory. */
static struct vts_error_detail pack(const char *type, const ProtobufCMessage *message,
                                    struct vts_arena *arena)
{
    uint8_t *bytes = vts_arena_alloc(arena, protobuf_c_message_get_packed_size(message));

    if (bytes == NULL)
        return (struct vts_error_detail){type, vts_str_of("")};
    return (struct vts_error_detail){type,
                                     vts_str_make(bytes, protobuf_c_message_pack(message, bytes))};
}

static struct vts_error_detail pack_info(const struct vts_job_fault *fault, struct vts_arena *arena)
{
    Google__Rpc__ErrorInfo__MetadataEntry items[METADATA_MAX];
    Google__Rpc__ErrorInfo__MetadataEntry *entries[METADATA_MAX] = {&items[0], &items[1]};
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    size_t count = 0;

    for (size_t i = 0; i < METADATA_MAX; i++)
        google__rpc__error_info__metadata_entry__init(&items[i]);
    if (has_job_id(fault)) {
        items[count].key = borrow("jobId");
        items[count++].value = borrow(fault->job_id);
    }
    if (fault->violation.field != NULL) {
        items[count].key = borrow("field");
        items[count++].value = borrow(fault->violation.field);
    }
    info.reason = borrow(rows[fault->error].reason);
    info.domain = borrow(domain);
    info.metadata = entries;
    info.n_metadata = count;
    return pack("google.rpc.ErrorInfo", &info.base, arena);
}

static struct vts_error_detail pack_violation(const struct vts_job_violation *violation,
                                              struct vts_arena *arena)
{
    Google__Rpc__BadRequest__FieldViolation one = GOOGLE__RPC__BAD_REQUEST__FIELD_VIOLATION__INIT;
    Google__Rpc__BadRequest__FieldViolation *list[] = {&one};
    Google__Rpc__BadRequest bad = GOOGLE__RPC__BAD_REQUEST__INIT;

    one.field = borrow(violation->field);
    one.description = borrow(violation->text);
    bad.field_violations = list;
    bad.n_field_violations = 1;
    return pack("google.rpc.BadRequest", &bad.base, arena);
}

static struct vts_error_detail pack_retry(int retry_s, struct vts_arena *arena)
{
    Google__Protobuf__Duration delay = GOOGLE__PROTOBUF__DURATION__INIT;
    Google__Rpc__RetryInfo retry = GOOGLE__RPC__RETRY_INFO__INIT;

    delay.seconds = retry_s;
    retry.retry_delay = &delay;
    return pack("google.rpc.RetryInfo", &retry.base, arena);
}

static size_t pack_details(const struct vts_job_fault *fault, struct vts_arena *arena,
                           struct vts_error_detail ret_details[DETAILS_MAX])
{
    size_t count = 0;

    ret_details[count++] = pack_info(fault, arena);
    if (fault->violation.field != NULL)
        ret_details[count++] = pack_violation(&fault->violation, arena);
    if (rows[fault->error].retry_s > 0)
        ret_details[count++] = pack_retry(rows[fault->error].retry_s, arena);
    return count;
}

/* The text of a violation says more than the row's. */
static const char *write_message(const struct vts_job_fault *fault, char text[MESSAGE_BYTES])
{
    if (fault->violation.field == NULL)
        return rows[fault->error].text;
    (void)snprintf(text, MESSAGE_BYTES, "%s %s", fault->violation.field, fault->violation.text);
    return text;
}

/* ---- outcomes -------------------------------------------------------------------------- */

void vts_job_error_count(const struct vts_call *call, enum vts_job_error error)
{
    if (error == VTS_JOB_ERROR_QUEUE_FULL)
        vts_call_hit_limit(call, VTS_LIMIT_JOBS);
    else if (error == VTS_JOB_ERROR_SERVER_BUSY)
        vts_call_hit_limit(call, VTS_LIMIT_JOB_REQUESTS);
}

void vts_job_fault_fail(struct vts_call *call, const struct vts_job_fault *fault)
{
    const struct vts_job_error_row *row = &rows[fault->error];
    const struct vts_call_hints hints = {.http_code = row->http_code,
                                         .retry_after_s = row->retry_s};
    struct vts_error_detail details[DETAILS_MAX];
    char text[MESSAGE_BYTES];
    struct vts_arena arena;
    size_t count;

    vts_arena_init(&arena, ARENA_BYTES);
    count = pack_details(fault, &arena, details);
    if (vts_arena_check(&arena) != VTS_OK)
        count = 0; /* the code and the text must do */
    vts_job_error_count(call, fault->error);
    vts_call_hint(call, &hints);
    vts_call_fail(call, row->code, write_message(fault, text), details, count);
    vts_arena_fini(&arena);
}

void vts_job_fault_send(struct vts_exchange *exchange, const struct vts_job_fault *fault)
{
    const struct vts_job_error_row *row = &rows[fault->error];
    struct vts_error_detail details[DETAILS_MAX];
    struct vts_outcome outcome = {.http_code = row->http_code != 0 ? row->http_code
                                                                   : vts_rpc_code_http(row->code),
                                  .code = row->code,
                                  .details = details};
    char text[MESSAGE_BYTES];
    struct vts_arena arena;

    vts_arena_init(&arena, ARENA_BYTES);
    outcome.message = write_message(fault, text);
    outcome.details_count = pack_details(fault, &arena, details);
    if (vts_arena_check(&arena) != VTS_OK)
        outcome.details_count = 0;
    if (row->retry_s > 0)
        vts_response_add_number(&exchange->response, "retry-after", (uint64_t)row->retry_s);
    vts_outcome_send_details(exchange, &outcome);
    vts_arena_fini(&arena);
}

void vts_job_fault_refuse(struct vts_call *call, const char *job_id,
                          const struct vts_job_violation *violation)
{
    const struct vts_job_fault fault = {
        .error = VTS_JOB_ERROR_INVALID_REQUEST, .job_id = job_id, .violation = *violation};

    vts_job_fault_fail(call, &fault);
}

static Google__Protobuf__Any *make_any(const struct vts_error_detail *detail,
                                       struct vts_arena *arena)
{
    static const char prefix[] = "type.googleapis.com/";
    Google__Protobuf__Any *any = vts_pb_arena_new(arena, &google__protobuf__any__descriptor);
    size_t len = sizeof(prefix) + strlen(detail->type);
    char *url = vts_arena_alloc(arena, len);

    if (any == NULL || url == NULL)
        return NULL;
    (void)snprintf(url, len, "%s%s", prefix, detail->type);
    any->type_url = url;
    any->value.data = (uint8_t *)(uintptr_t)detail->value.ptr;
    any->value.len = detail->value.len;
    return any;
}

Google__Rpc__Status *vts_job_fault_make(const struct vts_job_fault *fault, struct vts_arena *arena)
{
    Google__Rpc__Status *status = vts_pb_arena_new(arena, &google__rpc__status__descriptor);
    Google__Protobuf__Any **list =
        vts_arena_alloc(arena, DETAILS_MAX * sizeof(Google__Protobuf__Any *));
    struct vts_error_detail details[DETAILS_MAX];
    char text[MESSAGE_BYTES];
    const char *message = write_message(fault, text);

    if (status == NULL || list == NULL)
        return NULL;
    status->code = (int32_t)rows[fault->error].code;
    status->message = vts_arena_strndup(arena, message, strlen(message));
    status->n_details = pack_details(fault, arena, details);
    status->details = list;
    for (size_t i = 0; i < status->n_details; i++)
        list[i] = make_any(&details[i], arena);
    return vts_arena_check(arena) == VTS_OK ? status : NULL;
}
