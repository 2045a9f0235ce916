/* SPDX-License-Identifier: Apache-2.0 */
/* job.c - what holds of every job. */
#include "server/jobs/job.h"

#include "common/base/assert.h"

static bool is_id_char(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '~' || c == '-';
}

bool vts_job_id_is_valid(struct vts_str id)
{
    if (id.len == 0 || id.len > VTS_JOB_ID_MAX)
        return false;
    for (size_t i = 0; i < id.len; i++)
        if (!is_id_char(id.ptr[i]))
            return false;
    return true;
}

bool vts_job_is_done(enum vts_job_state state)
{
    switch (state) {
    case VTS_JOB_PENDING:
    case VTS_JOB_RUNNING:
    case VTS_JOB_CANCELLING:
        return false;
    case VTS_JOB_SUCCEEDED:
    case VTS_JOB_FAILED:
    case VTS_JOB_CANCELLED:
        return true;
    }
    VTS_UNREACHABLE();
}

Vtstatus__V1__Status vts_job_project(enum vts_job_state state)
{
    if (!vts_job_is_done(state))
        return VTSTATUS__V1__STATUS__STATUS_PENDING;
    return state == VTS_JOB_SUCCEEDED ? VTSTATUS__V1__STATUS__STATUS_COMPLETED
                                      : VTSTATUS__V1__STATUS__STATUS_ERROR;
}
