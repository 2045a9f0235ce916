/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the server lives, and whether it wants work: by plain GET and as grpc.health.v1.Health
 * (https://github.com/grpc/grpc/blob/master/doc/health-checking.md). */
#ifndef VTS_SERVICE_HEALTH_SERVICE_H
#define VTS_SERVICE_HEALTH_SERVICE_H

#include <stdatomic.h>

#include "server/rpc/service.h"

/* There is one state for all services; it changes once. */
struct vts_health {
    _Atomic bool is_serving; /* false from the moment the server begins to stop */
    /* Those that may be asked for by their full names; borrowed. */
    const struct vts_service_row *services;
    size_t services_count;
};

/* All take a struct vts_health; from any loop thread. */

/* GET /healthz: 200 as long as the process can answer. */
void vts_health_service_live(void *health, struct vts_exchange *exchange);
/* GET /readyz: 200 while serving, 503 while stopping. */
void vts_health_service_ready(void *health, struct vts_exchange *exchange);
/* grpc.health.v1.Health. Before vts_rpc_loop_drain(), is_serving is to be false: watches end then,
 * and their last word is the state. */
struct vts_service_row vts_health_service_row(struct vts_health *health);

#endif
