/* SPDX-License-Identifier: Apache-2.0 */
/* A job's public status at one revision, encoded once and shared by all who read it: as protobuf
 * when it is made, as JSON when somebody asks for that.
 *
 * What moves between revisions, the poll hint and the place in the queue, is not in the encoded
 * bytes: it is a tail that each answer appends. Protobuf fields concatenate, and the JSON stops
 * before its closing brace. */
#ifndef VTS_JOBS_SNAPSHOT_H
#define VTS_JOBS_SNAPSHOT_H

#include "server/jobs/job.h"
#include "server/jobs/line.h"
#include "vtstatus/v1/job.pb-c.h"

/* Nothing that can be seen of it changes; from any thread. */
struct vts_snapshot;

/* What a snapshot has of a job beside its status. */
struct vts_snapshot_extras {
    int64_t end_ns; /* what readers wait for, on the monotonic clock: when it is expected to end,
                       or else to begin; 0: nobody knows */
    int64_t end_wall_ns; /* its end since the Unix epoch: estimated_completion_time; 0: as above */
    struct vts_line *line; /* where it stands; NULL: in none */
};

/* Of a status, which is copied but for poll_after. expected_end_ns is on the monotonic clock; 0:
 * nobody knows. Owned by the caller.
 *
 * VTS_ERR_INVALID: a time that cannot be written. VTS_ERR_LIMIT: more than 64 KiB. VTS_ERR_NOMEM.
 */
VTS_MUST_CHECK enum vts_err vts_snapshot_of_status(const Vtstatus__V1__JobStatus *status,
                                                   int64_t expected_end_ns,
                                                   struct vts_snapshot **ret_snapshot);
/* The same of a job's status, with the job's labels, which are copied, and the rest, of which the
 * line is kept. */
VTS_MUST_CHECK enum vts_err vts_snapshot_of_job(const Vtstatus__V1__Job *job,
                                                const struct vts_snapshot_extras *extras,
                                                struct vts_snapshot **ret_snapshot);
struct vts_snapshot *vts_snapshot_ref(struct vts_snapshot *snapshot);
/* Accepts NULL. */
void vts_snapshot_unref(struct vts_snapshot *snapshot);

struct vts_str vts_snapshot_job_id(const struct vts_snapshot *snapshot);
/* A number of the job, the same in each of its snapshots, and mostly another one than another
 * job's; 0 until it is set, before anybody else has the snapshot. */
void vts_snapshot_set_number(struct vts_snapshot *snapshot, uint16_t number);
unsigned vts_snapshot_number(const struct vts_snapshot *snapshot);
uint64_t vts_snapshot_revision(const struct vts_snapshot *snapshot);
bool vts_snapshot_is_done(const struct vts_snapshot *snapshot);
/* Which poll hints go by. */
int64_t vts_snapshot_expected_end_ns(const struct vts_snapshot *snapshot);
/* As estimated_completion_time tells it; 0: it does not. */
int64_t vts_snapshot_expected_end_wall_ns(const struct vts_snapshot *snapshot);
/* The job's place in its queue as it is now, counted from 1; 0: it does not queue. */
int32_t vts_snapshot_queue_position(struct vts_snapshot *snapshot);
/* Such as W/"r7". */
struct vts_str vts_snapshot_etag(const struct vts_snapshot *snapshot);
/* Walks over the labels of the job, each "key=value": *at begins as 0 and is the walk's own. False
 * when there are no more. */
bool vts_snapshot_next_label(const struct vts_snapshot *snapshot, size_t *at,
                             struct vts_str *ret_label);
bool vts_snapshot_has_label(const struct vts_snapshot *snapshot, struct vts_str label);
/* An encoded vtstatus.v1.JobStatus without what the tail has. */
struct vts_str vts_snapshot_proto(const struct vts_snapshot *snapshot);
/* The same as REST JSON, without that and the closing brace; it lives as long as the
 * snapshot. VTS_ERR_NOMEM: the next call may succeed. */
VTS_MUST_CHECK enum vts_err vts_snapshot_json(struct vts_snapshot *snapshot,
                                              struct vts_str *ret_json);

enum { VTS_SNAPSHOT_TAIL_MAX = 64 };

/* What completes the bodies; poll_after_ns is negative when there is no hint. Both return the
 * tail's length. */
size_t vts_snapshot_proto_tail(struct vts_snapshot *snapshot, int64_t poll_after_ns,
                               char ret_tail[VTS_SNAPSHOT_TAIL_MAX]);
size_t vts_snapshot_json_tail(struct vts_snapshot *snapshot, int64_t poll_after_ns,
                              char ret_tail[VTS_SNAPSHOT_TAIL_MAX]);

#endif
