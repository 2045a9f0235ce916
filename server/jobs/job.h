/* SPDX-License-Identifier: Apache-2.0 */
/* What holds of every job. */
#ifndef VTS_JOBS_JOB_H
#define VTS_JOBS_JOB_H

#include <stdbool.h>
#include <stdint.h>

#include "common/base/str.h"
#include "vtstatus/v1/status.pb-c.h"

enum { VTS_JOB_ID_MAX = 128 };

/* The numbers of vtstatus.v1.State. */
enum vts_job_state {
    VTS_JOB_PENDING = 1,
    VTS_JOB_RUNNING = 2,
    VTS_JOB_CANCELLING = 3,
    VTS_JOB_SUCCEEDED = 4,
    VTS_JOB_FAILED = 5,
    VTS_JOB_CANCELLED = 6,
};

/* 1 to 128 characters of [A-Za-z0-9._~-]. */
bool vts_job_id_is_valid(struct vts_str id);
bool vts_job_is_done(enum vts_job_state state);
/* What a client that only waits is told of the state. */
Vtstatus__V1__Status vts_job_project(enum vts_job_state state);

#endif
