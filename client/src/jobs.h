/* SPDX-License-Identifier: Apache-2.0 */
/* Calls that answer with a job. */
#ifndef VTS_CLIENT_JOBS_H
#define VTS_CLIENT_JOBS_H

#include <vtstatus/jobs.h>

#include "client/src/rpc.h"

/* Makes a job of a part of a response, which is adopted, and checks that it is the one asked for;
 * job_id NULL or "": the server chose it. *ret_job, which is written only on VTS_CLIENT_OK, is the
 * caller's; ret_job may be NULL. error is not. */
VTS_MUST_CHECK enum vts_client_code vts_jobs_take(struct vts_client *client,
                                                  ProtobufCMessage *message, const char *job_id,
                                                  struct vts_job **ret_job,
                                                  struct vts_client_error *error);
/* Calls a method whose response has the job as its first field. */
VTS_MUST_CHECK enum vts_client_code vts_jobs_call(struct vts_client *client,
                                                  const struct vts_rpc_request *request,
                                                  struct vts_job **ret_job,
                                                  struct vts_client_error *error);

#endif
