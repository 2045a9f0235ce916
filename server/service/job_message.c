/* SPDX-License-Identifier: Apache-2.0 */
/* job_message.c - what is derived from a job at each reading. */
#include "server/service/job_message.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"
#include "server/service/status_message.h"

enum { LOCATION_BYTES = 32 + VTS_JOB_ID_MAX };

static Google__Protobuf__Duration *make_hint(const struct vts_status_view *view,
                                             struct vts_arena *arena)
{
    Google__Protobuf__Duration *hint =
        vts_pb_arena_new(arena, &google__protobuf__duration__descriptor);

    if (hint == NULL)
        return NULL;
    hint->seconds = view->poll_after_ns / VTS_NS_PER_S;
    hint->nanos = (int32_t)(view->poll_after_ns % VTS_NS_PER_S);
    return hint;
}

static Google__Protobuf__Timestamp *make_estimate(const struct vts_status_view *view,
                                                  struct vts_arena *arena)
{
    int64_t wall_ns = vts_snapshot_expected_end_wall_ns(view->snapshot);
    Google__Protobuf__Timestamp *stamp;

    if (wall_ns == 0)
        return NULL;
    stamp = vts_pb_arena_new(arena, &google__protobuf__timestamp__descriptor);
    if (stamp != NULL)
        vts_pb_timestamp_set(stamp, wall_ns);
    return stamp;
}

void vts_job_message_complete(const struct vts_call *call, struct vts_board *board,
                              Vtstatus__V1__Job *job, struct vts_arena *arena)
{
    struct vts_status_view view;

    if (job->status == NULL || job->status->done ||
        vts_check_status(board, vts_str_of(job->id), vts_call_now_ns(call), &view) != VTS_OK)
        return;
    /* The board may be ahead of the answer, and the job done by now. */
    if (view.poll_after_ns >= 0) {
        vts_status_spread(call, board, &view);
        job->status->poll_after = make_hint(&view, arena);
        job->status->estimated_completion_time = make_estimate(&view, arena);
        if (job->status->state == VTSTATUS__V1__STATE__STATE_PENDING)
            job->status->queue_position = vts_snapshot_queue_position(view.snapshot);
    }
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
