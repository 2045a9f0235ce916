/* SPDX-License-Identifier: Apache-2.0 */
/* health_service.c - two words for supervisors, and the calls of load balancers.
 *
 * A watch remembers what it has told last, and looks up the state whenever it may send: so it tells
 * the newest one only, and none twice.
 */
#include "server/service/health_service.h"

#include <string.h>

#include "common/base/mem.h"
#include "grpc/health/v1/health.pb-c.h"
#include "server/rpc/dialect_rest.h"
#include "server/service/job_errors.h"

enum { REQUEST_MAX_BYTES = 4096, LIST_MAX = 100 };

static void send_word(struct vts_exchange *exchange, int code, const char *word)
{
    vts_rest_send_text(exchange, code, "text/plain; charset=utf-8", vts_str_of(word), NULL, NULL);
}

void vts_health_service_live(void *health, struct vts_exchange *exchange)
{
    (void)health;
    send_word(exchange, 200, "ok\n");
}

void vts_health_service_ready(void *health, struct vts_exchange *exchange)
{
    const struct vts_health *state = health;

    if (atomic_load(&state->is_serving))
        send_word(exchange, 200, "ready\n");
    else
        send_word(exchange, 503, "stopping\n");
}

/* ---- calls with one answer --------------------------------------------------------------- */

static Grpc__Health__V1__HealthCheckResponse__ServingStatus
get_status(const struct vts_health *health)
{
    return atomic_load(&health->is_serving)
               ? GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVING
               : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__NOT_SERVING;
}

/* The empty name is the whole server's. */
static bool is_known(const struct vts_health *health, const char *service)
{
    if (service[0] == '\0')
        return true;
    for (size_t i = 0; i < health->services_count; i++)
        if (strcmp(health->services[i].descriptor->name, service) == 0)
            return true;
    return false;
}

static void answer(struct vts_call *call, const ProtobufCMessage *message)
{
    if (vts_call_send(call, message) == VTS_OK)
        vts_call_finish(call, VTS_RPC_OK, NULL);
    else
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
}

static void check(struct vts_call *call, const ProtobufCMessage *message)
{
    const Grpc__Health__V1__HealthCheckRequest *request =
        (const Grpc__Health__V1__HealthCheckRequest *)message;
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    const struct vts_health *health = vts_call_context(call);

    if (!is_known(health, request->service)) {
        vts_call_finish(call, VTS_RPC_NOT_FOUND, "there is no service of this name");
        return;
    }
    response.status = get_status(health);
    answer(call, &response.base);
}

static void list(struct vts_call *call, const ProtobufCMessage *message)
{
    const struct vts_health *health = vts_call_context(call);
    Grpc__Health__V1__HealthCheckResponse state = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    Grpc__Health__V1__HealthListResponse response = GRPC__HEALTH__V1__HEALTH_LIST_RESPONSE__INIT;
    Grpc__Health__V1__HealthListResponse__StatusesEntry entries[LIST_MAX];
    Grpc__Health__V1__HealthListResponse__StatusesEntry *pointers[LIST_MAX];

    (void)message;
    response.n_statuses = health->services_count + 1;
    if (response.n_statuses > LIST_MAX) {
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "there are too many services for a list");
        return;
    }
    state.status = get_status(health);
    for (size_t i = 0; i < response.n_statuses; i++) {
        pointers[i] = &entries[i];
        grpc__health__v1__health_list_response__statuses_entry__init(pointers[i]);
        entries[i].value = &state;
        if (i > 0) /* the first is the whole server's */
            entries[i].key = (char *)(uintptr_t)health->services[i - 1].descriptor->name;
    }
    response.statuses = pointers;
    answer(call, &response.base);
}

/* ---- watches ----------------------------------------------------------------------------- */

struct watch {
    bool is_known; /* the service */
    bool is_draining;
    Grpc__Health__V1__HealthCheckResponse__ServingStatus told; /* at first UNKNOWN: nothing */
};

/* Sends the state if it is new to the watcher; the last thing a watch does is to end. */
static void tell(struct vts_call *call)
{
    Grpc__Health__V1__HealthCheckResponse response = GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__INIT;
    struct watch *watch = vts_call_data(call);

    response.status =
        watch->is_known ? get_status(vts_call_context(call))
                        : GRPC__HEALTH__V1__HEALTH_CHECK_RESPONSE__SERVING_STATUS__SERVICE_UNKNOWN;
    if (response.status != watch->told) {
        if (!vts_call_can_send(call))
            return; /* once it can, this is called again */
        watch->told = response.status;
        if (vts_call_send(call, &response.base) != VTS_OK)
            vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
    }
    if (watch->is_draining)
        vts_call_finish(call, VTS_RPC_UNAVAILABLE, "the server is stopping");
}

static void start_watch(struct vts_call *call, const ProtobufCMessage *message)
{
    const Grpc__Health__V1__HealthCheckRequest *request =
        (const Grpc__Health__V1__HealthCheckRequest *)message;
    struct watch *watch = vts_mem_zalloc(sizeof(*watch));

    if (watch == NULL) {
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    watch->is_known = is_known(vts_call_context(call), request->service);
    vts_call_set_data(call, watch);
    if (vts_call_keep(call, 1) == VTS_OK)
        tell(call);
    else
        vts_job_fault_fail(call, &(struct vts_job_fault){.error = VTS_JOB_ERROR_TOO_MANY_WAIT});
}

static void drain_watch(struct vts_call *call)
{
    struct watch *watch = vts_call_data(call);

    watch->is_draining = true;
    tell(call);
}

static void end_watch(struct vts_call *call)
{
    vts_mem_free(vts_call_data(call));
}

static const struct vts_call_handler check_handler = {.on_message = check};
static const struct vts_call_handler list_handler = {.on_message = list};
static const struct vts_call_handler watch_handler = {
    .on_message = start_watch,
    .on_writable = tell,
    .on_drain = drain_watch,
    .on_end = end_watch,
};

static const struct vts_method_row methods[] = {
    {"Check", REQUEST_MAX_BYTES, &check_handler},
    {"List", REQUEST_MAX_BYTES, &list_handler},
    {"Watch", REQUEST_MAX_BYTES, &watch_handler},
};

struct vts_service_row vts_health_service_row(struct vts_health *health)
{
    return (struct vts_service_row){.descriptor = &grpc__health__v1__health__descriptor,
                                    .methods = methods,
                                    .methods_count = VTS_ARRAY_LEN(methods),
                                    .context = health};
}
