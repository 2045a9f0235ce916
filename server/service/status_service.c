/* SPDX-License-Identifier: Apache-2.0 */
/* status_service.c - the status that the board holds, as a resource.
 *
 * The body is the snapshot's, encoded for all who read it, and only the poll hint is added.
 */
#include "server/service/status_service.h"

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/wire/prefer.h"
#include "server/rpc/outcome.h"
#include "server/service/status_message.h"
#include "server/service/status_rest.h"

static void release_snapshot(void *snapshot)
{
    vts_snapshot_unref(snapshot);
}

/* The body in the chosen form, and what completes it. */
static enum vts_err choose_body(struct vts_response *response, enum vts_rest_form form,
                                const struct vts_status_view *view, struct vts_str *ret_body)
{
    switch (form) {
    case VTS_REST_JSON:
        response->tail_len =
            vts_snapshot_json_tail(view->snapshot, view->poll_after_ns, response->tail);
        return vts_snapshot_json(view->snapshot, ret_body);
    case VTS_REST_PROTO:
        response->tail_len =
            vts_snapshot_proto_tail(view->snapshot, view->poll_after_ns, response->tail);
        *ret_body = vts_snapshot_proto(view->snapshot);
        return VTS_OK;
    case VTS_REST_EVENTS:
        break;
    }
    VTS_UNREACHABLE();
}

/* The view as this caller gets it. */
static struct vts_status_view spread(const struct vts_status_service *service,
                                     const struct vts_exchange *exchange,
                                     const struct vts_status_view *view)
{
    struct vts_status_view own = *view;

    vts_board_spread(vts_watch_hub_board(service->hub), vts_exchange_peer_number(exchange), &own);
    return own;
}

void vts_status_send_view(const struct vts_status_service *service, struct vts_exchange *exchange,
                          enum vts_rest_form form, const struct vts_status_view *view)
{
    struct vts_status_view own = spread(service, exchange, view);
    struct vts_rest_resource resource = {.etag = vts_snapshot_etag(view->snapshot),
                                         .poll_after_ns = own.poll_after_ns,
                                         .release = release_snapshot,
                                         .owner = view->snapshot};

    if (form == VTS_REST_EVENTS) { /* to HEAD: what GET would begin with */
        vts_snapshot_unref(view->snapshot);
        vts_rest_make_events_head(exchange);
        vts_exchange_send(exchange);
        return;
    }
    if (choose_body(&exchange->response, form, &own, &resource.body) != VTS_OK) {
        exchange->response.tail_len = 0;
        vts_snapshot_unref(view->snapshot);
        vts_outcome_send(exchange, VTS_RPC_UNAVAILABLE, "out of memory");
        return;
    }
    vts_rest_send(exchange, form, &resource);
}

/* What the path names. An empty id stands for "default" in a message; in a path it is a mistake. */
static enum vts_err check_path(const struct vts_status_service *service,
                               const struct vts_exchange *exchange, struct vts_str *ret_job_id,
                               struct vts_status_view *ret_view)
{
    static const char prefix[] = "/status/";
    struct vts_str path = exchange->request.path;
    struct vts_str job_id = vts_str_make("default", 7);

    if (path.len >= sizeof(prefix) - 1)
        job_id = vts_str_make(path.ptr + sizeof(prefix) - 1, path.len - (sizeof(prefix) - 1));
    *ret_job_id = job_id;
    return job_id.len == 0 ? VTS_ERR_INVALID
                           : vts_check_status(vts_watch_hub_board(service->hub), job_id,
                                              vts_exchange_now_ns(exchange), ret_view);
}

void vts_status_service_get(void *service, struct vts_exchange *exchange)
{
    struct vts_status_view view;
    struct vts_str job_id;
    enum vts_rest_form form;
    enum vts_err err;

    if (vts_rest_negotiate(exchange, &form) != VTS_OK)
        return;
    err = check_path(service, exchange, &job_id, &view);
    if (err != VTS_OK)
        vts_status_send_refusal(exchange, err, job_id);
    else
        vts_status_send_view(service, exchange, form, &view);
}

/* ---- waiting --------------------------------------------------------------------------- */

bool vts_status_service_is_held(const struct vts_exchange *exchange)
{
    const struct vts_request *request = &exchange->request;

    return request->method == VTS_METHOD_GET &&
           (vts_prefer_wait(request->fields[VTS_FIELD_PREFER], &(uint64_t){0}) ||
            vts_rest_wants_events(exchange));
}

void vts_status_service_begin(void *service, struct vts_rpc_loop *loop,
                              struct vts_exchange *exchange)
{
    struct vts_status_request request = {.service = service, .loop = loop, .exchange = exchange};
    struct vts_status_view view;
    uint64_t wait_s = 0;
    enum vts_err err;

    if (vts_rest_negotiate(exchange, &request.form) != VTS_OK)
        return;
    err = check_path(service, exchange, &request.job_id, &view);
    if (err != VTS_OK)
        vts_status_send_refusal(exchange, err, request.job_id);
    else if (request.form == VTS_REST_EVENTS)
        vts_status_begin_events(&request, &view);
    else if (vts_prefer_wait(exchange->request.fields[VTS_FIELD_PREFER], &wait_s))
        vts_status_begin_poll(&request, &view, wait_s);
    else
        vts_status_send_view(service, exchange, request.form, &view);
}

enum vts_err vts_status_wait(const struct vts_status_request *request, uint64_t revision,
                             enum vts_status_until until, vts_status_news_fn on_news, void *context,
                             struct vts_status_waiter **ret_waiter)
{
    struct vts_status_waiter *waiter = NULL;
    enum vts_err err = VTS_ERR_LIMIT;

    if (vts_exchange_keep(request->exchange, 1))
        err = vts_status_waiter_new(request->service, request->loop->index, 1, until, on_news,
                                    context, &waiter);
    if (err == VTS_OK)
        err = vts_status_waiter_add(waiter, request->job_id, revision);
    if (err == VTS_OK)
        *ret_waiter = waiter;
    else
        vts_status_waiter_free(waiter);
    return err;
}

void vts_status_throw_away(struct vts_exchange *exchange, struct vts_str bytes)
{
    vts_exchange_release(exchange, bytes.len);
    vts_exchange_consume(exchange, bytes.len);
}
