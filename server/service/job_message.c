/* SPDX-License-Identifier: Apache-2.0 */
/* job_message.c - what is derived from a job at each reading. */
#include "server/service/job_message.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"

enum { LOCATION_BYTES = 32 + VTS_JOB_ID_MAX };

void vts_job_message_complete(struct vts_board *board, Vtstatus__V1__Job *job, int64_t now_ns,
                              struct vts_arena *arena)
{
    Google__Protobuf__Duration *poll_after;
    struct vts_status_view view;

    if (job->status == NULL || job->status->done ||
        vts_check_status(board, vts_str_of(job->id), now_ns, &view) != VTS_OK)
        return;
    /* The board may be ahead of the answer, and the job done by now. */
    poll_after = view.poll_after_ns < 0
                     ? NULL
                     : vts_pb_arena_new(arena, &google__protobuf__duration__descriptor);
    if (poll_after != NULL) {
        poll_after->seconds = view.poll_after_ns / VTS_NS_PER_S;
        poll_after->nanos = (int32_t)(view.poll_after_ns % VTS_NS_PER_S);
    }
    job->status->poll_after = poll_after;
    vts_snapshot_unref(view.snapshot);
}

struct vts_str vts_job_message_etag(const Vtstatus__V1__Job *job, char text[VTS_JOB_ETAG_BYTES])
{
    int len = snprintf(text, VTS_JOB_ETAG_BYTES, "W/\"r%llu\"",
                       (unsigned long long)job->status->revision);

    return vts_str_make(text, (size_t)len);
}

/* Whole seconds, rounded up: early questions are what the hint is there to avoid. */
static int64_t retry_after_s(const Vtstatus__V1__Job *job)
{
    const Google__Protobuf__Duration *poll_after = job->status->poll_after;

    if (poll_after == NULL)
        return 0;
    return (vts_pb_duration_ns(poll_after) + VTS_NS_PER_S - 1) / VTS_NS_PER_S;
}

void vts_job_message_hint(struct vts_call *call, const Vtstatus__V1__Job *job, int http_code,
                          bool is_new)
{
    struct vts_call_hints hints = {.http_code = http_code, .retry_after_s = retry_after_s(job)};
    char location[LOCATION_BYTES];

    if (is_new) {
        (void)snprintf(location, sizeof(location), "/v1/jobs/%s", job->id);
        hints.location = vts_str_of(location);
    }
    vts_call_hint(call, &hints);
}
