/* SPDX-License-Identifier: Apache-2.0 */
/* sample_status.c - builds on protobuf-c's own encoder. */
#include "tests/unit/client/sample_status.h"

#include <CUnit/CUnit.h>

#include "client/src/status.h"

struct vts_buf sample_status_encode(const Vtstatus__V1__JobStatus *message)
{
    size_t len = vtstatus__v1__job_status__get_packed_size(message);
    struct vts_buf buf;
    char *room;

    vts_buf_init(&buf, 4 << 20);
    room = vts_buf_reserve(&buf, len + 1);
    CU_ASSERT_PTR_NOT_NULL_FATAL(room);
    (void)vtstatus__v1__job_status__pack(message, (uint8_t *)room); /* it is len again */
    vts_buf_commit(&buf, len);
    return buf;
}

struct vts_status *sample_status_of(const Vtstatus__V1__JobStatus *message)
{
    struct vts_buf buf = sample_status_encode(message);
    struct vts_status *status = NULL;
    struct vts_error error = {.text = ""};
    enum vts_err err = vts_status_decode(vts_buf_str(&buf), &status, &error);

    vts_buf_fini(&buf);
    CU_ASSERT_EQUAL_FATAL(err, VTS_OK);
    return status;
}

struct vts_status *sample_status_running(const char *job_id, uint64_t revision, double poll_after)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    Google__Protobuf__Duration hint = GOOGLE__PROTOBUF__DURATION__INIT;

    progress.percent = 42;
    progress.phase = (char *)"transcribe";
    progress.phase_index = 2;
    progress.phase_count = 6;
    hint.seconds = (int64_t)poll_after;
    hint.nanos = (int32_t)((poll_after - (double)hint.seconds) * 1e9);
    message.job_id = (char *)job_id;
    message.status = VTSTATUS__V1__STATUS__STATUS_PENDING;
    message.state = VTSTATUS__V1__STATE__STATE_RUNNING;
    message.revision = revision;
    message.progress = &progress;
    message.poll_after = poll_after >= 0 ? &hint : NULL;
    return sample_status_of(&message);
}

struct vts_status *sample_status_waiting(const char *job_id, int attempt,
                                         enum vts_pending_reason reason)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;

    progress.percent = 42;
    progress.phase = (char *)"transcribe";
    progress.message = (char *)"half of it";
    message.job_id = (char *)job_id;
    message.status = VTSTATUS__V1__STATUS__STATUS_PENDING;
    message.state = VTSTATUS__V1__STATE__STATE_PENDING;
    message.pending_reason = (Vtstatus__V1__PendingReason)reason;
    message.revision = 1;
    message.attempt = attempt;
    message.progress = &progress;
    return sample_status_of(&message);
}

struct vts_status *sample_status_completed(const char *job_id, uint64_t revision)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;

    message.job_id = (char *)job_id;
    message.status = VTSTATUS__V1__STATUS__STATUS_COMPLETED;
    message.state = VTSTATUS__V1__STATE__STATE_SUCCEEDED;
    message.done = 1;
    message.revision = revision;
    message.output_uri = (char *)"file:///out.mp4";
    return sample_status_of(&message);
}
