/* SPDX-License-Identifier: Apache-2.0 */
/* Making a vts_job; what users do with one is in <vtstatus/jobs.h>. */
#ifndef VTS_CLIENT_JOB_H
#define VTS_CLIENT_JOB_H

#include <vtstatus/jobs.h>

#include "common/base/err.h"
#include "vtstatus/v1/job.pb-c.h"

/* Makes a job of a message that vts_message_decode made, or of a part of one; it is adopted. All
 * that the accessors hand out is checked here. NULL, or what no job is: VTS_ERR_PROTOCOL with the
 * reason in *error; VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_job_adopt(Vtstatus__V1__Job *message, struct vts_job **ret_job,
                                          struct vts_error *error);

#endif
