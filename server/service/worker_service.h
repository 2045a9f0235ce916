/* SPDX-License-Identifier: Apache-2.0 */
/* For those who do the work: taking jobs, reporting on them, giving them back. */
#ifndef VTS_SERVICE_WORKER_SERVICE_H
#define VTS_SERVICE_WORKER_SERVICE_H

#include "server/rpc/service.h"
#include "server/service/keeper_call.h"

/* vtstatus.v1.WorkerService. The port outlives the calls. */
struct vts_service_row vts_worker_service_row(struct vts_keeper_port *port);

#endif
