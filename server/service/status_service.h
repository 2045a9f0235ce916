/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and watching the status of jobs: as a resource, and by call. */
#ifndef VTS_SERVICE_STATUS_SERVICE_H
#define VTS_SERVICE_STATUS_SERVICE_H

#include "server/jobs/watch_hub.h"
#include "server/rpc/service.h"

/* GET and HEAD of /status and /status/{job_id}; the context is the struct vts_board. From any loop
 * thread. */
void vts_status_service_get(void *board, struct vts_exchange *exchange);
/* vtstatus.v1.StatusService. */
struct vts_service_row vts_status_service_row(struct vts_watch_hub *hub);

#endif
