/* SPDX-License-Identifier: Apache-2.0 */
/* What the server offers: its paths and its calls. */
#ifndef VTS_APP_APP_SERVICES_H
#define VTS_APP_APP_SERVICES_H

#include "common/wire/descriptor_files.h"
#include "server/app/config.h"
#include "server/jobs/watch_hub.h"
#include "server/rpc/router.h"
#include "server/service/health_service.h"
#include "server/service/keeper_call.h"
#include "server/service/metrics_service.h"
#include "server/service/status_service.h"

enum { VTS_ROUTES_COUNT = 5, VTS_SERVICES_MAX = 6 };

struct vts_services {
    struct vts_status_service status;
    struct vts_health health;
    struct vts_metrics_source metrics;
    struct vts_route routes[VTS_ROUTES_COUNT];
    struct vts_service_row rows[VTS_SERVICES_MAX];
    size_t rows_count;
    struct vts_descriptor_files *files; /* NULL: no reflection */
    struct vts_rpc *rpc;
};

/* Everything is borrowed and outlives the services, which do not move. VTS_ERR_NOMEM, or
 * VTS_ERR_INVALID when the program's parts do not fit; vts_services_fini() is due in any case. */
VTS_MUST_CHECK enum vts_err vts_services_init(struct vts_services *services,
                                              struct vts_config *config, struct vts_watch_hub *hub,
                                              struct vts_keeper_port *jobs,
                                              const struct vts_metrics_source *metrics,
                                              struct vts_error *error);
/* Accepts zeroes. */
void vts_services_fini(struct vts_services *services);

#endif
