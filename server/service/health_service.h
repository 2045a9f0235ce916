/* SPDX-License-Identifier: Apache-2.0 */
/* Whether the server lives, and whether it wants work. */
#ifndef VTS_SERVICE_HEALTH_SERVICE_H
#define VTS_SERVICE_HEALTH_SERVICE_H

#include <stdatomic.h>
#include <stdbool.h>

struct vts_exchange;

struct vts_health {
    _Atomic bool is_serving; /* false from the moment the server begins to stop */
};

/* Both take a struct vts_health; from any loop thread. */

/* GET /healthz: 200 as long as the process can answer. */
void vts_health_service_live(void *health, struct vts_exchange *exchange);
/* GET /readyz: 200 while serving, 503 while stopping. */
void vts_health_service_ready(void *health, struct vts_exchange *exchange);

#endif
