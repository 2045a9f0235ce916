/* SPDX-License-Identifier: Apache-2.0 */
/* Several jobs created by one call. */
#ifndef VTS_SERVICE_JOB_BATCH_H
#define VTS_SERVICE_JOB_BATCH_H

#include "server/service/keeper_call.h"

/* JobService.CreateJobs, as vts_call_handler.on_message; the call's context is the port. */
void vts_job_batch_create(struct vts_call *call, const ProtobufCMessage *request);

#endif
