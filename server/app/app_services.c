/* SPDX-License-Identifier: Apache-2.0 */
/* app_services.c - the table of paths and the table of services. */
#include "server/app/app_services.h"

#include <string.h>

#include "common/base/macros.h"
#include "descriptor_set.h"
#include "google/rpc/error_details.pb-c.h"
#include "server/rpc/reflection.h"
#include "server/service/job_service.h"
#include "server/service/worker_service.h"

/* What the details of a job's error may be in JSON; others are base64. */
static const ProtobufCMessageDescriptor *const any_types[] = {
    &google__rpc__error_info__descriptor,
    &google__rpc__retry_info__descriptor,
    &google__rpc__debug_info__descriptor,
    &google__rpc__quota_failure__descriptor,
    &google__rpc__precondition_failure__descriptor,
    &google__rpc__bad_request__descriptor,
    &google__rpc__request_info__descriptor,
    &google__rpc__resource_info__descriptor,
    &google__rpc__help__descriptor,
    &google__rpc__localized_message__descriptor,
};

static struct vts_route make_route(const char *path, vts_exchange_fn handle, void *context)
{
    return (struct vts_route){.path = path,
                              .allow = "GET, HEAD",
                              .methods = VTS_ROUTES_READ,
                              .handle = handle,
                              .context = context};
}

static struct vts_route make_status_route(const char *path, struct vts_status_service *status)
{
    struct vts_route route = make_route(path, vts_status_service_get, status);

    route.is_for_pages = true;
    route.is_held = vts_status_service_is_held;
    route.begin = vts_status_service_begin;
    return route;
}

static void make_routes(struct vts_services *services)
{
    const struct vts_route routes[VTS_ROUTES_COUNT] = {
        make_status_route("/status", &services->status),
        make_status_route("/status/", &services->status),
        make_route("/healthz", vts_health_service_live, &services->health),
        make_route("/readyz", vts_health_service_ready, &services->health),
        make_route("/metrics", vts_metrics_service_get, &services->metrics),
    };

    memcpy(services->routes, routes, sizeof(routes));
}

static void add_row(struct vts_services *services, struct vts_service_row row)
{
    services->rows[services->rows_count++] = row;
}

static void make_rows(struct vts_services *services, struct vts_keeper_port *jobs)
{
    struct vts_health *health = &services->health;

    add_row(services, vts_status_service_row(&services->status));
    add_row(services, vts_job_service_row(jobs));
    add_row(services, vts_worker_service_row(jobs));
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
                               struct vts_watch_hub *hub, struct vts_keeper_port *jobs,
                               const struct vts_metrics_source *metrics, struct vts_error *error)
{
    struct vts_str set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len);
    struct vts_rpc_options options = {.descriptor_set = set,
                                      .services = services->rows,
                                      .any_types = any_types,
                                      .any_types_count = VTS_ARRAY_LEN(any_types),
                                      .limits = &config->limits,
                                      .origins = config->allow_origin};
    enum vts_err err = VTS_OK;

    memset(services, 0, sizeof(*services));
    services->metrics = *metrics;
    services->status = (struct vts_status_service){
        .hub = hub,
        .limits = &config->limits,
        .wait_max_ns = vts_limits_get_ns(&config->limits, VTS_LIMIT_WAIT_MS),
        .keepalive_ns = vts_limits_get_ns(&config->limits, VTS_LIMIT_SSE_KEEPALIVE_MS)};
    make_routes(services);
    if (config->has_reflection)
        err = vts_descriptor_files_new(set, &services->files);
    if (err != VTS_OK)
        return vts_error_set(error, err, "the descriptor set cannot be read: %s",
                             vts_err_text(err));
    make_rows(services, jobs);
    options.services_count = services->rows_count;
    return vts_rpc_new(&options, &services->rpc, error);
}

void vts_services_fini(struct vts_services *services)
{
    vts_rpc_free(services->rpc);
    vts_descriptor_files_free(services->files);
}
