/* SPDX-License-Identifier: Apache-2.0 */
/* app_services.c - the table of paths and the table of services. */
#include "server/app/app_services.h"

#include <string.h>

#include "descriptor_set.h"
#include "server/service/status_service.h"

static void make_routes(struct vts_services *services, struct vts_board *board)
{
    struct vts_health *health = &services->health;
    struct vts_metrics_source *metrics = &services->metrics;
    const struct vts_route routes[VTS_ROUTES_COUNT] = {
        {"/status", "GET, HEAD", VTS_ROUTES_READ, vts_status_service_get, board},
        {"/status/", "GET, HEAD", VTS_ROUTES_READ, vts_status_service_get, board},
        {"/healthz", "GET, HEAD", VTS_ROUTES_READ, vts_health_service_live, health},
        {"/readyz", "GET, HEAD", VTS_ROUTES_READ, vts_health_service_ready, health},
        {"/metrics", "GET, HEAD", VTS_ROUTES_READ, vts_metrics_service_get, metrics},
    };

    memcpy(services->routes, routes, sizeof(routes));
}

enum vts_err vts_services_init(struct vts_services *services, struct vts_config *config,
                               struct vts_watch_hub *hub, const struct vts_metrics_source *metrics,
                               struct vts_error *error)
{
    struct vts_rpc_options options = {
        .descriptor_set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len),
        .services = services->rows,
        .services_count = VTS_SERVICES_COUNT,
        .limits = &config->limits,
        .origins = config->allow_origin,
    };

    memset(services, 0, sizeof(*services));
    services->health.is_serving = true;
    services->metrics = *metrics;
    make_routes(services, vts_watch_hub_board(hub));
    services->rows[0] = vts_status_service_row(hub);
    return vts_rpc_new(&options, &services->rpc, error);
}

void vts_services_fini(struct vts_services *services)
{
    vts_rpc_free(services->rpc);
}
