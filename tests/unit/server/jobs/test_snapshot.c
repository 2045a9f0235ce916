/* SPDX-License-Identifier: Apache-2.0 */
/* test_snapshot.c - that readers of both forms get back what was known of the job. */
#include <CUnit/CUnit.h>
#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/jobs/snapshot.h"
#include "tests/support/suite.h"
#include "tests/unit/server/jobs/sample_snapshot.h"
#include "vtstatus/v1/status.pb-c.h"

typedef Vtstatus__V1__JobStatus JobStatus;

/* Every field set; 2023-11-14T22:13:20.5Z and a minute later. */
static const struct sample_job full_job = {
    .id = "job-1",
    .state = VTS_JOB_RUNNING,
    .revision = 7,
    .percent = 12.5F,
    .phase = "transcribe",
    .phase_index = 2,
    .phase_count = 6,
    .progress_message = "writing \"down\"",
    .attempt = 3,
    .queue_position = 0,
    .update_wall_ns = INT64_C(1700000000500000000),
    .expected_end_ns = 12345,
    .expected_end_wall_ns = INT64_C(1700000060000000000),
};

static struct vts_snapshot *make_snapshot(const struct sample_job *job)
{
    struct vts_snapshot *snapshot = NULL;

    CU_ASSERT_EQUAL_FATAL(sample_snapshot_new(job, &snapshot), VTS_OK);
    return snapshot;
}

/* The protobuf body as it goes out, decoded; the caller frees it. */
static JobStatus *decode_proto(struct vts_snapshot *snapshot, int64_t poll_after_ns)
{
    struct vts_str body = vts_snapshot_proto(snapshot);
    char tail[VTS_SNAPSHOT_TAIL_MAX];
    size_t tail_len = vts_snapshot_proto_tail(snapshot, poll_after_ns, tail);
    uint8_t bytes[4096];
    JobStatus *status;

    CU_ASSERT_FATAL(tail_len <= sizeof(tail) && body.len + tail_len <= sizeof(bytes));
    memcpy(bytes, body.ptr, body.len);
    memcpy(bytes + body.len, tail, tail_len);
    status = vtstatus__v1__job_status__unpack(NULL, body.len + tail_len, bytes);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    return status;
}

static struct vts_str json_of(struct vts_snapshot *snapshot)
{
    struct vts_str json = {0};

    CU_ASSERT_EQUAL_FATAL(vts_snapshot_json(snapshot, &json), VTS_OK);
    return json;
}

/* The JSON body as it goes out, parsed; the caller gives it back. */
static json_t *decode_json(struct vts_snapshot *snapshot, int64_t poll_after_ns)
{
    struct vts_str body = json_of(snapshot);
    char tail[VTS_SNAPSHOT_TAIL_MAX];
    size_t tail_len = vts_snapshot_json_tail(snapshot, poll_after_ns, tail);
    char text[4096];
    json_t *json;

    CU_ASSERT_FATAL(tail_len <= sizeof(tail) && body.len + tail_len <= sizeof(text));
    memcpy(text, body.ptr, body.len);
    memcpy(text + body.len, tail, tail_len);
    json = json_loadb(text, body.len + tail_len, JSON_REJECT_DUPLICATES, NULL);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    return json;
}

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text == NULL ? "(none)" : text;
}

static void proto_of_full_job_decodes_back(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    JobStatus *status = decode_proto(snapshot, -1);

    CU_ASSERT_STRING_EQUAL(status->job_id, "job-1");
    CU_ASSERT_EQUAL(status->status, VTSTATUS__V1__STATUS__STATUS_PENDING);
    CU_ASSERT_EQUAL(status->state, VTSTATUS__V1__STATE__STATE_RUNNING);
    CU_ASSERT_FALSE(status->done);
    CU_ASSERT_EQUAL(status->revision, 7);
    CU_ASSERT_EQUAL(status->attempt, 3);
    CU_ASSERT_PTR_NULL(status->poll_after);
    CU_ASSERT_PTR_NULL(status->error);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status->progress);
    CU_ASSERT_EQUAL(status->progress->percent, 12.5F);
    CU_ASSERT_STRING_EQUAL(status->progress->phase, "transcribe");
    CU_ASSERT_EQUAL(status->progress->phase_index, 2);
    CU_ASSERT_EQUAL(status->progress->phase_count, 6);
    CU_ASSERT_STRING_EQUAL(status->progress->message, "writing \"down\"");
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    vts_snapshot_unref(snapshot);
}

static void proto_of_full_job_tells_the_times(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    JobStatus *status = decode_proto(snapshot, -1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(status->update_time);
    CU_ASSERT_EQUAL(status->update_time->seconds, 1700000000);
    CU_ASSERT_EQUAL(status->update_time->nanos, 500000000);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status->estimated_completion_time);
    CU_ASSERT_EQUAL(status->estimated_completion_time->seconds, 1700000060);
    CU_ASSERT_EQUAL(status->estimated_completion_time->nanos, 0);
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    vts_snapshot_unref(snapshot);
}

static void json_of_full_job_says_the_same(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    json_t *json = decode_json(snapshot, -1);
    json_t *progress = json_object_get(json, "progress");

    CU_ASSERT_STRING_EQUAL(text_of(json, "jobId"), "job-1");
    CU_ASSERT_STRING_EQUAL(text_of(json, "status"), "pending");
    CU_ASSERT_STRING_EQUAL(text_of(json, "state"), "running");
    CU_ASSERT_STRING_EQUAL(text_of(json, "revision"), "7");
    CU_ASSERT_STRING_EQUAL(text_of(json, "updateTime"), "2023-11-14T22:13:20.500Z");
    CU_ASSERT_STRING_EQUAL(text_of(json, "estimatedCompletionTime"), "2023-11-14T22:14:20Z");
    CU_ASSERT_EQUAL(json_integer_value(json_object_get(json, "attempt")), 3);
    CU_ASSERT_PTR_NULL(json_object_get(json, "pollAfter"));
    CU_ASSERT_EQUAL(json_number_value(json_object_get(progress, "percent")), 12.5);
    CU_ASSERT_STRING_EQUAL(text_of(progress, "phase"), "transcribe");
    CU_ASSERT_STRING_EQUAL(text_of(progress, "message"), "writing \"down\"");
    json_decref(json);
    vts_snapshot_unref(snapshot);
}

static void json_without_tail_stops_before_the_brace(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    struct vts_str json = json_of(snapshot);

    CU_ASSERT_PTR_NULL(json_loadb(json.ptr, json.len, 0, NULL));
    CU_ASSERT_EQUAL(json.ptr[0], '{');
    vts_snapshot_unref(snapshot);
}

static const struct projection {
    enum vts_job_state state;
    Vtstatus__V1__Status status;
    const char *status_word;
    const char *state_word;
    bool is_done;
} projections[] = {
    {VTS_JOB_PENDING, VTSTATUS__V1__STATUS__STATUS_PENDING, "pending", "pending", false},
    {VTS_JOB_RUNNING, VTSTATUS__V1__STATUS__STATUS_PENDING, "pending", "running", false},
    {VTS_JOB_CANCELLING, VTSTATUS__V1__STATUS__STATUS_PENDING, "pending", "cancelling", false},
    {VTS_JOB_SUCCEEDED, VTSTATUS__V1__STATUS__STATUS_COMPLETED, "completed", "succeeded", true},
    {VTS_JOB_FAILED, VTSTATUS__V1__STATUS__STATUS_ERROR, "error", "failed", true},
    {VTS_JOB_CANCELLED, VTSTATUS__V1__STATUS__STATUS_ERROR, "error", "cancelled", true},
};

static void check_projection(const struct projection *row)
{
    struct sample_job job = full_job;
    struct vts_snapshot *snapshot;
    JobStatus *status;
    json_t *json;

    job.state = row->state;
    snapshot = make_snapshot(&job);
    status = decode_proto(snapshot, -1);
    json = decode_json(snapshot, -1);
    CU_ASSERT_EQUAL(status->status, row->status);
    CU_ASSERT_EQUAL((int)status->state, (int)row->state);
    CU_ASSERT_EQUAL(status->done != 0, row->is_done);
    CU_ASSERT_EQUAL(vts_snapshot_is_done(snapshot), row->is_done);
    CU_ASSERT_EQUAL(status->estimated_completion_time == NULL, row->is_done);
    CU_ASSERT_STRING_EQUAL(text_of(json, "status"), row->status_word);
    CU_ASSERT_STRING_EQUAL(text_of(json, "state"), row->state_word);
    CU_ASSERT_EQUAL(json_is_true(json_object_get(json, "done")), row->is_done);
    json_decref(json);
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    vts_snapshot_unref(snapshot);
}

static void projection_of_every_state_is_as_promised(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(projections); i++)
        check_projection(&projections[i]);
}

static void pending_reason_is_told_while_pending_only(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(projections); i++) {
        struct sample_job job = full_job;
        struct vts_snapshot *snapshot;
        JobStatus *status;

        job.state = projections[i].state;
        job.queue_position = job.state == VTS_JOB_PENDING ? 4 : 0;
        snapshot = make_snapshot(&job);
        status = decode_proto(snapshot, -1);
        CU_ASSERT_EQUAL(status->pending_reason,
                        job.state == VTS_JOB_PENDING
                            ? VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED
                            : VTSTATUS__V1__PENDING_REASON__PENDING_REASON_UNSPECIFIED);
        CU_ASSERT_EQUAL(status->queue_position, job.queue_position);
        vtstatus__v1__job_status__free_unpacked(status, NULL);
        vts_snapshot_unref(snapshot);
    }
}

static void failed_job_tells_its_error(void)
{
    struct sample_job job = full_job;
    struct vts_snapshot *snapshot;
    JobStatus *status;
    json_t *json;

    job.state = VTS_JOB_FAILED;
    job.error_code = 9;
    job.error_message = "no speech was found";
    snapshot = make_snapshot(&job);
    status = decode_proto(snapshot, -1);
    json = decode_json(snapshot, -1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status->error);
    CU_ASSERT_EQUAL(status->error->code, 9);
    CU_ASSERT_STRING_EQUAL(status->error->message, "no speech was found");
    CU_ASSERT_STRING_EQUAL(text_of(json_object_get(json, "error"), "message"),
                           "no speech was found");
    json_decref(json);
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    vts_snapshot_unref(snapshot);
}

static void bare_job_has_no_optional_parts(void)
{
    const struct sample_job job = {.id = "x", .state = VTS_JOB_PENDING, .revision = 1};
    struct vts_snapshot *snapshot = make_snapshot(&job);
    JobStatus *status = decode_proto(snapshot, -1);
    json_t *json = decode_json(snapshot, -1);

    CU_ASSERT_PTR_NULL(status->progress);
    CU_ASSERT_PTR_NULL(status->error);
    CU_ASSERT_PTR_NULL(status->estimated_completion_time);
    CU_ASSERT_STRING_EQUAL(status->output_uri, "");
    CU_ASSERT_PTR_NULL(json_object_get(json, "progress"));
    CU_ASSERT_PTR_NULL(json_object_get(json, "error"));
    CU_ASSERT_PTR_NULL(json_object_get(json, "outputUri"));
    json_decref(json);
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    vts_snapshot_unref(snapshot);
}

static void succeeded_job_tells_its_output(void)
{
    struct sample_job job = full_job;
    struct vts_snapshot *snapshot;
    JobStatus *status;

    job.state = VTS_JOB_SUCCEEDED;
    job.output_uri = "s3://bucket/movie.mp4";
    snapshot = make_snapshot(&job);
    status = decode_proto(snapshot, -1);
    CU_ASSERT_STRING_EQUAL(status->output_uri, "s3://bucket/movie.mp4");
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    vts_snapshot_unref(snapshot);
}

static void tails_add_the_hint_and_nothing_else(void)
{
    static const struct {
        int64_t ns;
        const char *text;
    } rows[] = {
        {0, "0s"},
        {INT64_C(200000000), "0.200s"},
        {INT64_C(999000000), "0.999s"},
        {VTS_NS_PER_S, "1s"},
        {INT64_C(30) * VTS_NS_PER_S, "30s"},
        {INT64_C(12345) * VTS_NS_PER_MS, "12.345s"},
        {INT64_C(1000001000000), "1000.001s"},
    };
    struct vts_snapshot *snapshot = make_snapshot(&full_job);

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        JobStatus *status = decode_proto(snapshot, rows[i].ns);
        json_t *json = decode_json(snapshot, rows[i].ns);

        CU_ASSERT_PTR_NOT_NULL_FATAL(status->poll_after);
        CU_ASSERT_EQUAL(status->poll_after->seconds, rows[i].ns / VTS_NS_PER_S);
        CU_ASSERT_EQUAL(status->poll_after->nanos, rows[i].ns % VTS_NS_PER_S);
        CU_ASSERT_EQUAL(status->revision, 7);
        CU_ASSERT_STRING_EQUAL(text_of(json, "pollAfter"), rows[i].text);
        CU_ASSERT_STRING_EQUAL(text_of(json, "revision"), "7");
        json_decref(json);
        vtstatus__v1__job_status__free_unpacked(status, NULL);
    }
    vts_snapshot_unref(snapshot);
}

static void tails_of_the_longest_hint_fit(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    JobStatus *status = decode_proto(snapshot, INT64_MAX);
    json_t *json = decode_json(snapshot, INT64_MAX);

    CU_ASSERT_PTR_NOT_NULL_FATAL(status->poll_after);
    CU_ASSERT_EQUAL(status->poll_after->seconds, INT64_MAX / VTS_NS_PER_S);
    CU_ASSERT_STRING_EQUAL(text_of(json, "pollAfter"), "9223372036.854s");
    json_decref(json);
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    vts_snapshot_unref(snapshot);
}

static void tails_without_hint_complete_the_bodies(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    char tail[VTS_SNAPSHOT_TAIL_MAX];

    CU_ASSERT_EQUAL(vts_snapshot_proto_tail(snapshot, -1, tail), 0);
    CU_ASSERT_EQUAL(vts_snapshot_json_tail(snapshot, -1, tail), 1);
    CU_ASSERT_EQUAL(tail[0], '}');
    vts_snapshot_unref(snapshot);
}

static void etag_is_weak_and_names_the_revision(void)
{
    struct sample_job job = full_job;
    struct vts_snapshot *snapshot = make_snapshot(&job);

    CU_ASSERT(vts_str_equals_text(vts_snapshot_etag(snapshot), "W/\"r7\""));
    vts_snapshot_unref(snapshot);
    job.revision = UINT64_MAX;
    snapshot = make_snapshot(&job);
    CU_ASSERT(vts_str_equals_text(vts_snapshot_etag(snapshot), "W/\"r18446744073709551615\""));
    vts_snapshot_unref(snapshot);
}

static void snapshot_keeps_copies_of_the_jobs_strings(void)
{
    char id[] = "mine";
    char phase[] = "encode";
    struct sample_job job = full_job;
    struct vts_snapshot *snapshot;
    JobStatus *status;

    job.id = id;
    job.phase = phase;
    snapshot = make_snapshot(&job);
    memset(id, 'x', sizeof(id));
    memset(phase, 'x', sizeof(phase));
    status = decode_proto(snapshot, -1);
    CU_ASSERT(vts_str_equals_text(vts_snapshot_job_id(snapshot), "mine"));
    CU_ASSERT_STRING_EQUAL(status->job_id, "mine");
    CU_ASSERT_STRING_EQUAL(status->progress->phase, "encode");
    CU_ASSERT_EQUAL(vts_snapshot_expected_end_ns(snapshot), 12345);
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    vts_snapshot_unref(snapshot);
}

static void snapshot_lives_until_its_last_reference(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    struct vts_snapshot *other = vts_snapshot_ref(snapshot);

    CU_ASSERT_PTR_EQUAL(other, snapshot);
    vts_snapshot_unref(snapshot);
    CU_ASSERT(vts_str_equals_text(vts_snapshot_job_id(other), "job-1"));
    vts_snapshot_unref(other);
    vts_snapshot_unref(NULL);
}

static void snapshot_of_time_out_of_range_is_refused(void)
{
    struct vts_snapshot *snapshot = NULL;
    JobStatus status = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    stamp.nanos = -1;
    status.update_time = &stamp;
    CU_ASSERT_EQUAL(vts_snapshot_of_status(&status, 0, &snapshot), VTS_ERR_INVALID);
    status.update_time = NULL;
    status.estimated_completion_time = &stamp;
    CU_ASSERT_EQUAL(vts_snapshot_of_status(&status, 0, &snapshot), VTS_ERR_INVALID);
    CU_ASSERT_PTR_NULL(snapshot);
}

static void snapshot_too_large_is_refused(void)
{
    static char message[80 * 1024];
    struct vts_snapshot *snapshot = NULL;
    struct sample_job job = full_job;

    memset(message, 'm', sizeof(message) - 1);
    job.progress_message = message;
    CU_ASSERT_EQUAL(sample_snapshot_new(&job, &snapshot), VTS_ERR_LIMIT);
    CU_ASSERT_PTR_NULL(snapshot);
}

static void snapshot_just_small_enough_has_json_whatever_it_says(void)
{
    static char message[65400];
    struct sample_job job = full_job;
    struct vts_snapshot *snapshot;

    memset(message, '\1', sizeof(message) - 1); /* six bytes each in JSON */
    job.progress_message = message;
    snapshot = make_snapshot(&job);
    CU_ASSERT(json_of(snapshot).len > 6 * (sizeof(message) - 1));
    vts_snapshot_unref(snapshot);
}

static void snapshot_of_status_leaves_the_hint_out(void)
{
    struct vts_snapshot *snapshot = NULL;
    JobStatus status = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Protobuf__Duration hint = GOOGLE__PROTOBUF__DURATION__INIT;
    JobStatus *decoded;

    status.job_id = (char *)(uintptr_t) "job-2";
    status.poll_after = &hint;
    status.queue_position = 4;
    CU_ASSERT_EQUAL_FATAL(vts_snapshot_of_status(&status, 77, &snapshot), VTS_OK);
    decoded = decode_proto(snapshot, -1);
    CU_ASSERT_PTR_NULL(decoded->poll_after);
    CU_ASSERT_EQUAL(decoded->queue_position, 4);
    CU_ASSERT_EQUAL(vts_snapshot_expected_end_ns(snapshot), 77);
    vtstatus__v1__job_status__free_unpacked(decoded, NULL);
    vts_snapshot_unref(snapshot);
}

static void error_details_of_any_type_are_told(void)
{
    static uint8_t value[] = {1, 2, 3};
    struct vts_snapshot *snapshot = NULL;
    JobStatus status = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Rpc__Status error = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Any typed = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any untyped = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any *details[] = {&typed, &untyped};
    json_t *json;

    typed.type_url = (char *)(uintptr_t) "type.googleapis.com/google.protobuf.Duration";
    typed.value = (ProtobufCBinaryData){.len = sizeof(value), .data = value};
    untyped.value = typed.value;
    error.n_details = VTS_ARRAY_LEN(details);
    error.details = details;
    status.error = &error;
    CU_ASSERT_EQUAL_FATAL(vts_snapshot_of_status(&status, 0, &snapshot), VTS_OK);
    json = decode_json(snapshot, -1);
    CU_ASSERT_EQUAL(json_array_size(json_object_get(json_object_get(json, "error"), "details")), 2);
    json_decref(json);
    vts_snapshot_unref(snapshot);
}

static void snapshot_without_memory_fails_and_leaks_nothing(void)
{
    struct vts_snapshot *snapshot = NULL;

    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(sample_snapshot_new(&full_job, &snapshot), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_PTR_NULL(snapshot);
}

static void json_is_made_once(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    struct vts_str first = json_of(snapshot);
    struct vts_str second;

    (void)vts_mem_fail_after(0);
    second = json_of(snapshot);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 0); /* nothing was asked for */
    CU_ASSERT_PTR_EQUAL(first.ptr, second.ptr);
    CU_ASSERT_EQUAL(first.len, second.len);
    vts_snapshot_unref(snapshot);
}

static void json_without_memory_fails_each_time_and_comes_later(void)
{
    struct vts_snapshot *snapshot = make_snapshot(&full_job);
    struct vts_str json = {0};
    long count = 0;

    for (;; count++) {
        enum vts_err err;

        (void)vts_mem_fail_after(count);
        err = vts_snapshot_json(snapshot, &json);
        if (vts_mem_fail_after(-1) == 0) {
            CU_ASSERT_EQUAL(err, VTS_OK);
            break;
        }
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
        CU_ASSERT_PTR_NULL(json.ptr);
    }
    CU_ASSERT(count >= 3); /* the message, the writer's buffer, the text */
    CU_ASSERT_EQUAL(json.ptr[0], '{');
    vts_snapshot_unref(snapshot);
}

enum { READERS = 4, ROUNDS = 200 };

/* What each reader got of the snapshot of the round. */
struct reader {
    pthread_t thread;
    pthread_barrier_t *barrier;
    struct vts_snapshot *const *snapshots;
    struct vts_str seen[ROUNDS];
};

static void *read_all(void *context)
{
    struct reader *reader = context;

    for (int i = 0; i < ROUNDS; i++) {
        (void)pthread_barrier_wait(reader->barrier); /* its value says who was last */
        if (vts_snapshot_json(reader->snapshots[i], &reader->seen[i]) != VTS_OK)
            reader->seen[i] = vts_str_make(NULL, 0);
    }
    return NULL;
}

static void json_is_the_same_for_readers_of_one_moment(void)
{
    static struct reader readers[READERS];
    struct vts_snapshot *snapshots[ROUNDS];
    pthread_barrier_t barrier;

    CU_ASSERT_EQUAL_FATAL(pthread_barrier_init(&barrier, NULL, READERS), 0);
    for (int i = 0; i < ROUNDS; i++)
        snapshots[i] = make_snapshot(&full_job);
    for (int i = 0; i < READERS; i++) {
        readers[i].barrier = &barrier;
        readers[i].snapshots = snapshots;
        CU_ASSERT_EQUAL_FATAL(pthread_create(&readers[i].thread, NULL, read_all, &readers[i]), 0);
    }
    for (int i = 0; i < READERS; i++)
        (void)pthread_join(readers[i].thread, NULL); /* fails only for a thread that is none */
    for (int i = 0; i < ROUNDS; i++) {
        CU_ASSERT_PTR_NOT_NULL(readers[0].seen[i].ptr);
        for (int k = 1; k < READERS; k++)
            CU_ASSERT_PTR_EQUAL(readers[k].seen[i].ptr, readers[0].seen[i].ptr);
        vts_snapshot_unref(snapshots[i]);
    }
    (void)pthread_barrier_destroy(&barrier); /* nobody waits at it */
}

static const struct vts_test tests[] = {
    {"proto_of_full_job_decodes_back", proto_of_full_job_decodes_back},
    {"proto_of_full_job_tells_the_times", proto_of_full_job_tells_the_times},
    {"json_of_full_job_says_the_same", json_of_full_job_says_the_same},
    {"json_without_tail_stops_before_the_brace", json_without_tail_stops_before_the_brace},
    {"projection_of_every_state_is_as_promised", projection_of_every_state_is_as_promised},
    {"pending_reason_is_told_while_pending_only", pending_reason_is_told_while_pending_only},
    {"failed_job_tells_its_error", failed_job_tells_its_error},
    {"bare_job_has_no_optional_parts", bare_job_has_no_optional_parts},
    {"succeeded_job_tells_its_output", succeeded_job_tells_its_output},
    {"tails_add_the_hint_and_nothing_else", tails_add_the_hint_and_nothing_else},
    {"tails_of_the_longest_hint_fit", tails_of_the_longest_hint_fit},
    {"tails_without_hint_complete_the_bodies", tails_without_hint_complete_the_bodies},
    {"etag_is_weak_and_names_the_revision", etag_is_weak_and_names_the_revision},
    {"snapshot_keeps_copies_of_the_jobs_strings", snapshot_keeps_copies_of_the_jobs_strings},
    {"snapshot_lives_until_its_last_reference", snapshot_lives_until_its_last_reference},
    {"snapshot_of_time_out_of_range_is_refused", snapshot_of_time_out_of_range_is_refused},
    {"snapshot_too_large_is_refused", snapshot_too_large_is_refused},
    {"snapshot_just_small_enough_has_json_whatever_it_says",
     snapshot_just_small_enough_has_json_whatever_it_says},
    {"snapshot_of_status_leaves_the_hint_out", snapshot_of_status_leaves_the_hint_out},
    {"error_details_of_any_type_are_told", error_details_of_any_type_are_told},
    {"snapshot_without_memory_fails_and_leaks_nothing",
     snapshot_without_memory_fails_and_leaks_nothing},
    {"json_is_made_once", json_is_made_once},
    {"json_without_memory_fails_each_time_and_comes_later",
     json_without_memory_fails_each_time_and_comes_later},
    {"json_is_the_same_for_readers_of_one_moment", json_is_the_same_for_readers_of_one_moment},
};

int main(void)
{
    return vts_test_run("test_snapshot", tests, VTS_ARRAY_LEN(tests));
}
