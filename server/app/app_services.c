/* SPDX-License-Identifier: Apache-2.0 */
/* app_services.c - the table of paths and the table of services. */
#include "server/app/app_services.h"

#include <string.h>

#include "descriptor_set.h"
#include "server/rpc/reflection.h"
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

static void add_row(struct vts_services *services, struct vts_service_row row)
{
    services->rows[services->rows_count++] = row;
}

static void make_rows(struct vts_services *services, struct vts_watch_hub *hub)
{
    struct vts_health *health = &services->health;

    add_row(services, vts_status_service_row(hub));
    add_row(services, vts_health_service_row(health));
    if (services->files != NULL) {
        add_row(services, vts_reflection_row_v1(services->files));
        add_row(services, vts_reflection_row_v1alpha(services->files));
    }
    health->is_serving = true;
    health->services = services->rows;
    health->services_count = services->rows_count;
}

enum vts_err vts_services_init(struct vts_services *services, struct vts_config *config,
                               struct vts_watch_hub *hub, const struct vts_metrics_source *metrics,
                               struct vts_error *error)
{
    struct vts_str set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len);
    struct vts_rpc_options options = {.descriptor_set = set,
                                      .services = services->rows,
                                      .limits = &config->limits,
                                      .origins = config->allow_origin};
    enum vts_err err = VTS_OK;

    memset(services, 0, sizeof(*services));
    services->metrics = *metrics;
    make_routes(services, vts_watch_hub_board(hub));
    if (config->has_reflection)
        err = vts_descriptor_files_new(set, &services->files);
    if (err != VTS_OK)
        return vts_error_set(error, err, "the descriptor set cannot be read: %s",
                             vts_err_text(err));
    make_rows(services, hub);
    options.services_count = services->rows_count;
    return vts_rpc_new(&options, &services->rpc, error);
}

void vts_services_fini(struct vts_services *services)
{
    vts_rpc_free(services->rpc);
    vts_descriptor_files_free(services->files);
}
