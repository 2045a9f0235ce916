/* SPDX-License-Identifier: Apache-2.0 */
/* Reading and watching the status of jobs: as a resource, and by call. */
#ifndef VTS_SERVICE_STATUS_SERVICE_H
#define VTS_SERVICE_STATUS_SERVICE_H

#include "server/jobs/watch_hub.h"
#include "server/rpc/router.h"

/* Immutable while it serves. */
struct vts_status_service {
    struct vts_watch_hub *hub;
    struct vts_limits *limits;
    int64_t wait_max_ns;  /* how long an answer may be waited for */
    int64_t keepalive_ns; /* from one comment of an event stream to the next */
};

/* GET and HEAD of /status and /status/{job_id}, as in struct vts_route; the context is the service.
 * From any loop thread. */
void vts_status_service_get(void *service, struct vts_exchange *exchange);
bool vts_status_service_is_held(const struct vts_exchange *exchange);
void vts_status_service_begin(void *service, struct vts_rpc_loop *loop,
                              struct vts_exchange *exchange);
/* vtstatus.v1.StatusService. */
struct vts_service_row vts_status_service_row(struct vts_status_service *service);

#endif
