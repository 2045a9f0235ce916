/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_checks.c - what requests on jobs may say, at its borders. */
#include "server/service/job_checks.h"

#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "tests/support/suite.h"

enum { LONG_BYTES = 4096 };

static struct vts_job_violation violation;

/* count times 'a', until the next call. */
static char *letters(size_t count)
{
    static char text[LONG_BYTES + 1];

    memset(text, 'a', count);
    text[count] = '\0';
    return text;
}

/* field NULL: all is well. */
static void expect(enum vts_err err, const char *field)
{
    CU_ASSERT_EQUAL(err, field == NULL ? VTS_OK : VTS_ERR_INVALID);
    if (err == VTS_ERR_INVALID && field != NULL && strcmp(violation.field, field) != 0)
        printf("\nwanted %s, got %s %s\n", field, violation.field, violation.text);
    if (err == VTS_ERR_INVALID && field != NULL)
        CU_ASSERT_STRING_EQUAL(violation.field, field);
}

static Google__Protobuf__Duration span(int64_t seconds, int32_t nanos)
{
    Google__Protobuf__Duration duration = GOOGLE__PROTOBUF__DURATION__INIT;

    duration.seconds = seconds;
    duration.nanos = nanos;
    return duration;
}

/* ---- JobService ------------------------------------------------------------------------ */

static void job_is_named_by_an_id(void)
{
    expect(vts_check_job("a", "", &violation), NULL);
    expect(vts_check_job(letters(128), "", &violation), NULL);
    expect(vts_check_job("", "", &violation), "job_id");
    expect(vts_check_job(letters(129), "", &violation), "job_id");
    expect(vts_check_job("a/b", "", &violation), "job_id");
    expect(vts_check_job("a", letters(256), &violation), NULL);
    expect(vts_check_job("a", letters(257), &violation), "etag");
}

static void cancellation_may_have_a_reason(void)
{
    Vtstatus__V1__CancelJobRequest request = VTSTATUS__V1__CANCEL_JOB_REQUEST__INIT;

    expect(vts_check_cancel(&request, &violation), "job_id");
    request.job_id = "a";
    expect(vts_check_cancel(&request, &violation), NULL);
    request.reason = letters(1024);
    expect(vts_check_cancel(&request, &violation), NULL);
    request.reason = letters(1025);
    expect(vts_check_cancel(&request, &violation), "reason");
}

static void list_has_pages_and_an_order(void)
{
    Vtstatus__V1__ListJobsRequest request = VTSTATUS__V1__LIST_JOBS_REQUEST__INIT;

    expect(vts_check_list(&request, &violation), NULL);
    request.page_size = INT32_MAX; /* it is cut down */
    expect(vts_check_list(&request, &violation), NULL);
    request.page_size = -1;
    expect(vts_check_list(&request, &violation), "page_size");
    request.page_size = 0;
    request.page_token = letters(1025);
    expect(vts_check_list(&request, &violation), "page_token");
    request.page_token = "";
    request.order = (Vtstatus__V1__JobOrder)3;
    expect(vts_check_list(&request, &violation), "order");
}

static void list_is_filtered_by_what_jobs_have(void)
{
    Vtstatus__V1__ListJobsRequest request = VTSTATUS__V1__LIST_JOBS_REQUEST__INIT;
    Google__Protobuf__Timestamp stamp = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Vtstatus__V1__State states[65];

    for (size_t i = 0; i < VTS_ARRAY_LEN(states); i++)
        states[i] = VTSTATUS__V1__STATE__STATE_CANCELLED;
    request.states = states;
    request.n_states = 64;
    expect(vts_check_list(&request, &violation), NULL);
    request.n_states = 65;
    expect(vts_check_list(&request, &violation), "states");
    request.n_states = 1;
    states[0] = (Vtstatus__V1__State)7;
    expect(vts_check_list(&request, &violation), "states");
    states[0] = VTSTATUS__V1__STATE__STATE_UNSPECIFIED;
    expect(vts_check_list(&request, &violation), "states");
    request.n_states = 0;
    request.queue = "fast";
    expect(vts_check_list(&request, &violation), NULL);
    request.queue = "Fast";
    expect(vts_check_list(&request, &violation), "queue");
    request.queue = "";
    request.created_after = &stamp;
    expect(vts_check_list(&request, &violation), NULL);
    stamp.nanos = -1;
    expect(vts_check_list(&request, &violation), "created_after");
    request.created_after = NULL;
    request.created_before = &stamp;
    expect(vts_check_list(&request, &violation), "created_before");
}

static void labels_are_keys_with_values(void)
{
    static const struct {
        const char *label;
        bool is_good;
    } rows[] = {
        {"a=b", true},   {"a=", true},     {"a=b=c", true}, {"a.b_c-1=\xc3\xa9", true},
        {"a", false},    {"", false},      {"=b", false},   {"A=b", false},
        {"1a=b", false}, {"a b=c", false},
    };
    Vtstatus__V1__ListJobsRequest request = VTSTATUS__V1__LIST_JOBS_REQUEST__INIT;
    char *labels[65];
    char longest[66] = "a=";

    request.labels = labels;
    request.n_labels = 1;
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        labels[0] = (char *)(uintptr_t)rows[i].label;
        expect(vts_check_list(&request, &violation), rows[i].is_good ? NULL : "labels");
    }
    labels[0] = longest;
    memset(longest + 2, 'b', 63);
    expect(vts_check_list(&request, &violation), NULL);
    labels[0] = letters(66);
    labels[0][1] = '=';
    expect(vts_check_list(&request, &violation), "labels");
    for (size_t i = 0; i < VTS_ARRAY_LEN(labels); i++)
        labels[i] = longest;
    request.n_labels = 64;
    expect(vts_check_list(&request, &violation), NULL);
    request.n_labels = 65;
    expect(vts_check_list(&request, &violation), "labels");
}

/* ---- WorkerService --------------------------------------------------------------------- */

static void lease_lasts_from_a_second_to_an_hour(void)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        bool is_good;
    } rows[] = {{1, 0, true},     {3600, 0, true},       {0, 999999999, false},
                {3600, 1, false}, {-1, 0, false},        {0, 0, false},
                {1, -1, false},   {INT64_MAX, 0, false}, {INT64_MIN, -1, false}};
    Vtstatus__V1__LeaseJobRequest request = VTSTATUS__V1__LEASE_JOB_REQUEST__INIT;
    Google__Protobuf__Duration duration;

    expect(vts_check_lease(&request, &violation), NULL);
    request.lease_duration = &duration;
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        duration = span(rows[i].seconds, rows[i].nanos);
        expect(vts_check_lease(&request, &violation), rows[i].is_good ? NULL : "lease_duration");
    }
}

static void lease_names_its_worker_and_queues(void)
{
    Vtstatus__V1__LeaseJobRequest request = VTSTATUS__V1__LEASE_JOB_REQUEST__INIT;
    char *queues[17];

    request.worker_id = letters(128);
    expect(vts_check_lease(&request, &violation), NULL);
    request.worker_id = letters(129);
    expect(vts_check_lease(&request, &violation), "worker_id");
    request.worker_id = "";
    for (size_t i = 0; i < VTS_ARRAY_LEN(queues); i++)
        queues[i] = "fast";
    request.queues = queues;
    request.n_queues = 16;
    expect(vts_check_lease(&request, &violation), NULL);
    request.n_queues = 17;
    expect(vts_check_lease(&request, &violation), "queues");
    request.n_queues = 2;
    queues[1] = "";
    expect(vts_check_lease(&request, &violation), "queues");
}

static void wait_may_be_anything_but_negative(void)
{
    Vtstatus__V1__LeaseJobRequest request = VTSTATUS__V1__LEASE_JOB_REQUEST__INIT;
    Google__Protobuf__Duration wait = span(0, 0);

    request.wait_timeout = &wait;
    expect(vts_check_lease(&request, &violation), NULL);
    wait = span(1000000, 0); /* it is cut down */
    expect(vts_check_lease(&request, &violation), NULL);
    wait = span(0, -1);
    expect(vts_check_lease(&request, &violation), "wait_timeout");
    wait = span(INT64_MAX, 0);
    expect(vts_check_lease(&request, &violation), "wait_timeout");
}

static void holder_has_a_token(void)
{
    expect(vts_check_holder("a", "t", &violation), NULL);
    expect(vts_check_holder("a", letters(128), &violation), NULL);
    expect(vts_check_holder("a", "", &violation), "token");
    expect(vts_check_holder("a", letters(129), &violation), "token");
    expect(vts_check_holder("", "t", &violation), "job_id");
}

static void progress_is_bounded(void)
{
    static const struct {
        float percent;
        bool is_good;
    } rows[] = {{0, true},       {100, true},       {-0.1F, false},
                {100.1F, false}, {INFINITY, false}, {NAN, false}};
    Vtstatus__V1__HeartbeatJobRequest request = VTSTATUS__V1__HEARTBEAT_JOB_REQUEST__INIT;
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;

    request.job_id = "a";
    request.token = "t";
    expect(vts_check_heartbeat(&request, &violation), NULL);
    request.progress = &progress;
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        progress.percent = rows[i].percent;
        expect(vts_check_heartbeat(&request, &violation),
               rows[i].is_good ? NULL : "progress.percent");
    }
    progress.percent = 1;
    progress.phase_index = -1;
    expect(vts_check_heartbeat(&request, &violation), "progress.phase_index");
    progress.phase_index = 0;
    progress.phase_count = -1;
    expect(vts_check_heartbeat(&request, &violation), "progress.phase_count");
    progress.phase_count = 0;
    progress.phase = letters(65);
    expect(vts_check_heartbeat(&request, &violation), "progress.phase");
    progress.phase = "";
    progress.message = letters(1025);
    expect(vts_check_heartbeat(&request, &violation), "progress.message");
}

static void texts_have_no_controls(void)
{
    static const char *const bad[] = {"\x1b[31m", "a\x7f", "\xc2\x9b\x33m", "\r"};
    Vtstatus__V1__CancelJobRequest cancel = VTSTATUS__V1__CANCEL_JOB_REQUEST__INIT;
    Vtstatus__V1__LeaseJobRequest lease = VTSTATUS__V1__LEASE_JOB_REQUEST__INIT;
    Vtstatus__V1__HeartbeatJobRequest heartbeat = VTSTATUS__V1__HEARTBEAT_JOB_REQUEST__INIT;
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    Vtstatus__V1__CompleteJobRequest complete = VTSTATUS__V1__COMPLETE_JOB_REQUEST__INIT;

    cancel.job_id = heartbeat.job_id = complete.job_id = "a";
    heartbeat.token = complete.token = "t";
    heartbeat.progress = &progress;
    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++) {
        char *text = (char *)(uintptr_t)bad[i];

        cancel.reason = text;
        expect(vts_check_cancel(&cancel, &violation), "reason");
        lease.worker_id = text;
        expect(vts_check_lease(&lease, &violation), "worker_id");
        progress.phase = text;
        expect(vts_check_heartbeat(&heartbeat, &violation), "progress.phase");
        progress.phase = "";
        progress.message = text;
        expect(vts_check_heartbeat(&heartbeat, &violation), "progress.message");
        complete.output_uri = text;
        expect(vts_check_complete(&complete, &violation), "output_uri");
    }
    cancel.reason = progress.message = "two\n\tlines";
    expect(vts_check_cancel(&cancel, &violation), NULL);
    expect(vts_check_heartbeat(&heartbeat, &violation), NULL);
    progress.phase = complete.output_uri = "two\nlines";
    expect(vts_check_heartbeat(&heartbeat, &violation), "progress.phase");
    expect(vts_check_complete(&complete, &violation), "output_uri");
    complete.output_uri = "file:///a b.mp4";
    expect(vts_check_complete(&complete, &violation), NULL);
}

static void phase_is_at_most_the_last_one(void)
{
    Vtstatus__V1__HeartbeatJobRequest request = VTSTATUS__V1__HEARTBEAT_JOB_REQUEST__INIT;
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;

    request.job_id = "a";
    request.token = "t";
    request.progress = &progress;
    progress.phase_index = 3;
    expect(vts_check_heartbeat(&request, &violation), NULL);
    progress.phase_count = 3;
    expect(vts_check_heartbeat(&request, &violation), NULL);
    progress.phase_index = 4;
    expect(vts_check_heartbeat(&request, &violation), "progress.phase_index");
}

static void lease_outlasts_the_wait_of_its_heartbeat(void)
{
    Vtstatus__V1__HeartbeatJobRequest request = VTSTATUS__V1__HEARTBEAT_JOB_REQUEST__INIT;
    Google__Protobuf__Duration wait = span(10, 0);
    Google__Protobuf__Duration lease = span(10, 1);

    request.job_id = "a";
    request.token = "t";
    request.wait_timeout = &wait;
    expect(vts_check_heartbeat(&request, &violation), NULL);
    request.lease_duration = &lease;
    expect(vts_check_heartbeat(&request, &violation), NULL);
    lease = span(10, 0);
    expect(vts_check_heartbeat(&request, &violation), "wait_timeout");
    lease = span(0, 0);
    expect(vts_check_heartbeat(&request, &violation), "lease_duration");
    request.token = "";
    expect(vts_check_heartbeat(&request, &violation), "token");
}

static void result_is_a_uri(void)
{
    Vtstatus__V1__CompleteJobRequest request = VTSTATUS__V1__COMPLETE_JOB_REQUEST__INIT;

    expect(vts_check_complete(&request, &violation), "token");
    request.job_id = "a";
    request.token = "t";
    expect(vts_check_complete(&request, &violation), NULL);
    request.output_uri = letters(2048);
    expect(vts_check_complete(&request, &violation), NULL);
    request.output_uri = letters(2049);
    expect(vts_check_complete(&request, &violation), "output_uri");
}

static void failure_is_an_error_of_bounded_size(void)
{
    Vtstatus__V1__FailJobRequest request = VTSTATUS__V1__FAIL_JOB_REQUEST__INIT;
    Google__Rpc__Status error = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any *details[17];
    Google__Protobuf__Duration delay = span(0, 0);
    static uint8_t bytes[LONG_BYTES];

    request.job_id = "a";
    request.token = "t";
    expect(vts_check_fail(&request, &violation), NULL);
    request.error = &error;
    error.code = 16;
    expect(vts_check_fail(&request, &violation), NULL);
    error.code = 17;
    expect(vts_check_fail(&request, &violation), "error.code");
    error.code = -1;
    expect(vts_check_fail(&request, &violation), "error.code");
    error.code = 1;
    for (size_t i = 0; i < VTS_ARRAY_LEN(details); i++)
        details[i] = &any;
    error.details = details;
    error.n_details = 16;
    expect(vts_check_fail(&request, &violation), NULL);
    error.n_details = 17;
    expect(vts_check_fail(&request, &violation), "error.details");
    error.n_details = 4;
    any.value = (ProtobufCBinaryData){.len = sizeof(bytes), .data = bytes};
    expect(vts_check_fail(&request, &violation), "error");
    error.n_details = 3;
    request.retry_delay = &delay;
    expect(vts_check_fail(&request, &violation), NULL);
    delay = span(-1, 0);
    expect(vts_check_fail(&request, &violation), "retry_delay");
}

static const struct vts_test tests[] = {
    {"job_is_named_by_an_id", job_is_named_by_an_id},
    {"cancellation_may_have_a_reason", cancellation_may_have_a_reason},
    {"list_has_pages_and_an_order", list_has_pages_and_an_order},
    {"list_is_filtered_by_what_jobs_have", list_is_filtered_by_what_jobs_have},
    {"labels_are_keys_with_values", labels_are_keys_with_values},
    {"lease_lasts_from_a_second_to_an_hour", lease_lasts_from_a_second_to_an_hour},
    {"lease_names_its_worker_and_queues", lease_names_its_worker_and_queues},
    {"wait_may_be_anything_but_negative", wait_may_be_anything_but_negative},
    {"holder_has_a_token", holder_has_a_token},
    {"progress_is_bounded", progress_is_bounded},
    {"texts_have_no_controls", texts_have_no_controls},
    {"phase_is_at_most_the_last_one", phase_is_at_most_the_last_one},
    {"lease_outlasts_the_wait_of_its_heartbeat", lease_outlasts_the_wait_of_its_heartbeat},
    {"result_is_a_uri", result_is_a_uri},
    {"failure_is_an_error_of_bounded_size", failure_is_an_error_of_bounded_size},
};

int main(void)
{
    return vts_test_run("test_job_checks", tests, VTS_ARRAY_LEN(tests));
}
