/* SPDX-License-Identifier: Apache-2.0 */
/* Submitting jobs, looking at them, and deciding over them: by call, and as the resources
 * /v1/jobs and /v1/jobs/{job_id}. */
#ifndef VTS_SERVICE_JOB_SERVICE_H
#define VTS_SERVICE_JOB_SERVICE_H

#include "server/rpc/service.h"
#include "server/service/keeper_call.h"

/* vtstatus.v1.JobService. The port outlives the calls. */
struct vts_service_row vts_job_service_row(struct vts_keeper_port *port);

#endif
