/* SPDX-License-Identifier: Apache-2.0 */
/* Snapshots of statuses that no keeper made. */
#ifndef VTS_TESTS_SAMPLE_SNAPSHOT_H
#define VTS_TESTS_SAMPLE_SNAPSHOT_H

#include "server/jobs/snapshot.h"

/* What there is to see of a job; strings are borrowed. */
struct sample_job {
    const char *id;
    enum vts_job_state state;
    uint64_t revision;
    float percent;
    const char *phase; /* NULL: none yet */
    int32_t phase_index;
    int32_t phase_count;
    const char *progress_message; /* NULL: none */
    int32_t error_code;           /* a gRPC code; 0: none */
    const char *error_message;
    int32_t attempt;
    int32_t queue_position;
    const char *output_uri;  /* NULL: none */
    int64_t update_wall_ns;  /* since the Unix epoch */
    int64_t expected_end_ns; /* on the monotonic clock; 0: unknown */
    int64_t expected_end_wall_ns;
};

/* As vts_snapshot_of_status(). */
VTS_MUST_CHECK enum vts_err sample_snapshot_new(const struct sample_job *job,
                                                struct vts_snapshot **ret_snapshot);

#endif
