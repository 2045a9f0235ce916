/* SPDX-License-Identifier: Apache-2.0 */
/* sample_snapshot.c - makes statuses for the tests. */
#include "tests/unit/server/jobs/sample_snapshot.h"

#include "common/wire/pb_time.h"

/* The message with everything it points at. */
struct status_message {
    Vtstatus__V1__JobStatus status;
    Vtstatus__V1__Progress progress;
    Google__Rpc__Status error;
    Google__Protobuf__Timestamp updated;
    Google__Protobuf__Timestamp estimated;
};

/* protobuf-c's strings are not const, and it does not write to them. */
static char *borrow(const char *text)
{
    return text == NULL ? (char *)(uintptr_t)protobuf_c_empty_string : (char *)(uintptr_t)text;
}

static void set_time(Google__Protobuf__Timestamp *stamp, int64_t wall_ns)
{
    google__protobuf__timestamp__init(stamp);
    vts_pb_timestamp_set(stamp, wall_ns);
}

static void fill_message(struct status_message *message, const struct sample_job *job)
{
    Vtstatus__V1__JobStatus *status = &message->status;

    vtstatus__v1__job_status__init(status);
    status->job_id = borrow(job->id);
    status->status = vts_job_project(job->state);
    status->done = vts_job_is_done(job->state);
    status->revision = job->revision;
    status->state = (Vtstatus__V1__State)job->state;
    status->attempt = job->attempt;
    status->queue_position = job->queue_position;
    status->output_uri = borrow(job->output_uri);
    if (job->state == VTS_JOB_PENDING)
        status->pending_reason = VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED;
    set_time(&message->updated, job->update_wall_ns);
    status->update_time = &message->updated;
    if (job->expected_end_wall_ns != 0 && !status->done) {
        set_time(&message->estimated, job->expected_end_wall_ns);
        status->estimated_completion_time = &message->estimated;
    }
    if (job->phase != NULL) {
        vtstatus__v1__progress__init(&message->progress);
        message->progress.percent = job->percent;
        message->progress.phase = borrow(job->phase);
        message->progress.phase_index = job->phase_index;
        message->progress.phase_count = job->phase_count;
        message->progress.message = borrow(job->progress_message);
        status->progress = &message->progress;
    }
    if (job->error_code != 0) {
        google__rpc__status__init(&message->error);
        message->error.code = job->error_code;
        message->error.message = borrow(job->error_message);
        status->error = &message->error;
    }
}

enum vts_err sample_snapshot_new(const struct sample_job *job, struct vts_snapshot **ret_snapshot)
{
    struct status_message message;

    fill_message(&message, job);
    return vts_snapshot_of_status(&message.status, job->expected_end_ns, ret_snapshot);
}
