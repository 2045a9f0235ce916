/* SPDX-License-Identifier: Apache-2.0 */
/* job_bench.c - one event a call, with the promises that hold for every event. */
#include "tests/unit/server/jobs/job_bench.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"
#include "server/jobs/job_record.h"

enum { ARENA_MAX_BYTES = 1024 * 1024, RECORD_MAX_BYTES = 256 * 1024 };

struct packed {
    size_t len;
    uint8_t bytes[RECORD_MAX_BYTES];
};

/* Literals are not const to protobuf-c, which does not write to them. */
static char *literal(const char *text)
{
    return (char *)(uintptr_t)text;
}

Vtstatus__V1__CreateJobRequest job_bench_request(void)
{
    static Vtstatus__V1__TranslationSpec spec;
    Vtstatus__V1__CreateJobRequest request = VTSTATUS__V1__CREATE_JOB_REQUEST__INIT;

    vtstatus__v1__translation_spec__init(&spec);
    spec.source_uri = literal("s3://videos/a.mp4");
    spec.target_language = literal("de");
    request.spec = &spec;
    return request;
}

static void pack(const struct job_bench *bench, struct packed *ret_packed)
{
    ret_packed->len = vtstatus__store__v1__job_record__get_packed_size(bench->record);
    CU_ASSERT_FATAL(ret_packed->len <= sizeof(ret_packed->bytes));
    (void)vtstatus__store__v1__job_record__pack(bench->record, ret_packed->bytes);
}

static void unpack(struct job_bench *bench, const struct packed *packed)
{
    ProtobufCAllocator allocator = vts_pb_arena_allocator(&bench->arena);

    bench->record = vtstatus__store__v1__job_record__unpack(&allocator, packed->len, packed->bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench->record);
    bench->job = bench->record->job;
    bench->status = bench->job->status;
}

/* As if it had been stored and loaded. */
static void reload(struct job_bench *bench)
{
    static struct packed packed;

    pack(bench, &packed);
    vts_arena_reset(&bench->arena);
    unpack(bench, &packed);
}

void job_bench_init_with(struct job_bench *bench, const Vtstatus__V1__CreateJobRequest *request)
{
    *bench = (struct job_bench){.now_ns = INT64_C(1700000000) * VTS_NS_PER_S};
    vts_arena_init(&bench->arena, ARENA_MAX_BYTES);
    CU_ASSERT_EQUAL_FATAL(
        vts_job_record_new(request, "job-1", bench->now_ns, &bench->arena, &bench->record, NULL),
        VTS_OK);
    reload(bench);
    CU_ASSERT_PTR_NULL(vts_job_check(bench->record));
}

void job_bench_init(struct job_bench *bench)
{
    Vtstatus__V1__CreateJobRequest request = job_bench_request();

    job_bench_init_with(bench, &request);
}

void job_bench_fini(struct job_bench *bench)
{
    vts_arena_fini(&bench->arena);
}

void job_bench_init_in(struct job_bench *bench, enum vts_job_state state)
{
    job_bench_init(bench);
    if (state != VTS_JOB_PENDING)
        (void)job_bench_lease(bench, "t");
    if (state == VTS_JOB_CANCELLING || state == VTS_JOB_CANCELLED)
        (void)job_bench_cancel(bench, "");
    if (state == VTS_JOB_CANCELLED || state == VTS_JOB_FAILED)
        (void)job_bench_fail(bench, "t", false);
    if (state == VTS_JOB_SUCCEEDED)
        (void)job_bench_complete(bench, "t");
    CU_ASSERT_EQUAL_FATAL(bench->status->state, (Vtstatus__V1__State)state);
}

enum vts_job_refusal job_bench_apply(struct job_bench *bench, const struct vts_job_event *event)
{
    static struct packed before;
    static struct packed after;
    uint64_t version = bench->record->version;
    uint64_t revision = bench->status->revision;

    pack(bench, &before);
    CU_ASSERT_EQUAL_FATAL(
        vts_job_apply(bench->record, event, bench->now_ns, &bench->arena, &bench->change), VTS_OK);
    pack(bench, &after);
    CU_ASSERT_EQUAL(bench->record->version, version + bench->change.is_changed);
    CU_ASSERT_EQUAL(bench->status->revision, revision + bench->change.is_visible);
    CU_ASSERT(bench->change.is_changed || !bench->change.is_visible);
    CU_ASSERT(bench->change.refusal == VTS_JOB_REFUSAL_NONE || !bench->change.is_changed);
    if (!bench->change.is_changed)
        CU_ASSERT(before.len == after.len && memcmp(before.bytes, after.bytes, before.len) == 0);
    if (bench->change.is_visible)
        CU_ASSERT_EQUAL(job_bench_time(bench->status->update_time), bench->now_ns);
    reload(bench);
    CU_ASSERT_PTR_NULL(vts_job_check(bench->record));
    return bench->change.refusal;
}

enum vts_job_refusal job_bench_lease(struct job_bench *bench, const char *token)
{
    const struct vts_job_event event = {.kind = VTS_JOB_EVENT_LEASE,
                                        .token = token,
                                        .worker_id = "w",
                                        .lease_duration_ns =
                                            (int64_t)JOB_BENCH_LEASE_S * VTS_NS_PER_S};

    return job_bench_apply(bench, &event);
}

enum vts_job_refusal job_bench_heartbeat(struct job_bench *bench, const char *token)
{
    const struct vts_job_event event = {.kind = VTS_JOB_EVENT_HEARTBEAT, .token = token};

    return job_bench_apply(bench, &event);
}

enum vts_job_refusal job_bench_report(struct job_bench *bench, const char *token, float percent)
{
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    const struct vts_job_event event = {
        .kind = VTS_JOB_EVENT_HEARTBEAT, .token = token, .progress = &progress};

    progress.percent = percent;
    progress.phase = literal("p");
    return job_bench_apply(bench, &event);
}

enum vts_job_refusal job_bench_complete(struct job_bench *bench, const char *token)
{
    const struct vts_job_event event = {
        .kind = VTS_JOB_EVENT_COMPLETE, .token = token, .output_uri = "s3://videos/a.de.mp4"};

    return job_bench_apply(bench, &event);
}

enum vts_job_refusal job_bench_fail(struct job_bench *bench, const char *token, bool is_retryable)
{
    Google__Rpc__Status error = GOOGLE__RPC__STATUS__INIT;
    const struct vts_job_event event = {.kind = VTS_JOB_EVENT_FAIL,
                                        .token = token,
                                        .error = &error,
                                        .is_retryable = is_retryable,
                                        .retry_delay_ns = -1};

    error.code = VTS_RPC_INTERNAL;
    error.message = literal("broken");
    return job_bench_apply(bench, &event);
}

enum vts_job_refusal job_bench_release(struct job_bench *bench, const char *token)
{
    const struct vts_job_event event = {.kind = VTS_JOB_EVENT_RELEASE, .token = token};

    return job_bench_apply(bench, &event);
}

enum vts_job_refusal job_bench_cancel(struct job_bench *bench, const char *reason)
{
    const struct vts_job_event event = {.kind = VTS_JOB_EVENT_CANCEL, .reason = reason};

    return job_bench_apply(bench, &event);
}

enum vts_job_refusal job_bench_retry(struct job_bench *bench)
{
    const struct vts_job_event event = {.kind = VTS_JOB_EVENT_RETRY};

    return job_bench_apply(bench, &event);
}

void job_bench_pass(struct job_bench *bench, int64_t ns)
{
    const struct vts_job_event event = {.kind = VTS_JOB_EVENT_TIME};

    bench->now_ns += ns;
    CU_ASSERT_EQUAL(job_bench_apply(bench, &event), VTS_JOB_REFUSAL_NONE);
}

int64_t job_bench_time(const Google__Protobuf__Timestamp *stamp)
{
    return stamp == NULL ? INT64_MIN : vts_pb_timestamp_ns(stamp);
}

const Vtstatus__V1__Attempt *job_bench_attempt(const struct job_bench *bench)
{
    CU_ASSERT_FATAL(bench->job->n_attempts > 0);
    return bench->job->attempts[bench->job->n_attempts - 1];
}

void job_bench_expect_state(const struct job_bench *bench, enum vts_job_state state)
{
    CU_ASSERT(bench->change.is_visible);
    CU_ASSERT_EQUAL(bench->status->state, (Vtstatus__V1__State)state);
    CU_ASSERT_EQUAL(bench->status->done != 0, vts_job_is_done(state));
    CU_ASSERT_EQUAL(bench->status->status, vts_job_project(state));
}

void job_bench_expect_error(const struct job_bench *bench, enum vts_rpc_code code, const char *text)
{
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench->status->error);
    CU_ASSERT_EQUAL(bench->status->error->code, (int32_t)code);
    CU_ASSERT_STRING_EQUAL(bench->status->error->message, text);
}

void job_bench_expect_lost(struct job_bench *bench, const char *token)
{
    static const enum vts_job_event_kind kinds[] = {VTS_JOB_EVENT_HEARTBEAT, VTS_JOB_EVENT_COMPLETE,
                                                    VTS_JOB_EVENT_FAIL, VTS_JOB_EVENT_RELEASE};

    for (size_t i = 0; i < VTS_ARRAY_LEN(kinds); i++) {
        const struct vts_job_event event = {.kind = kinds[i], .token = token};

        CU_ASSERT_EQUAL(job_bench_apply(bench, &event), VTS_JOB_REFUSAL_LEASE_LOST);
    }
}
