/* SPDX-License-Identifier: Apache-2.0 */
/* status_service.c - the status that the board holds, as a resource.
 *
 * The body is the snapshot's, encoded for all who read it, and only the poll hint is added.
 */
#include "server/service/status_service.h"

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "server/jobs/board.h"
#include "server/rpc/dialect_rest.h"
#include "server/rpc/outcome.h"

static void release_snapshot(void *snapshot)
{
    vts_snapshot_unref(snapshot);
}

static void refuse(struct vts_exchange *exchange, enum vts_err err)
{
    if (err == VTS_ERR_NOT_FOUND)
        vts_outcome_send(exchange, VTS_RPC_NOT_FOUND, "there is no job with this id");
    else
        vts_outcome_send(exchange, VTS_RPC_INVALID_ARGUMENT,
                         "a job id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ -");
}

/* Whole seconds, rounded up: early questions are what the hint is there to avoid. */
static int64_t to_retry_after_s(int64_t poll_after_ns)
{
    return poll_after_ns < 0 ? 0 : (poll_after_ns + VTS_NS_PER_S - 1) / VTS_NS_PER_S;
}

/* The body in the chosen form, and what completes it. */
static enum vts_err choose_body(struct vts_response *response, enum vts_rest_form form,
                                const struct vts_status_view *view, struct vts_str *ret_body)
{
    switch (form) {
    case VTS_REST_JSON:
        response->tail_len = vts_snapshot_json_tail(view->poll_after_ns, response->tail);
        return vts_snapshot_json(view->snapshot, ret_body);
    case VTS_REST_PROTO:
        response->tail_len = vts_snapshot_proto_tail(view->poll_after_ns, response->tail);
        *ret_body = vts_snapshot_proto(view->snapshot);
        return VTS_OK;
    }
    VTS_UNREACHABLE();
}

static void send_view(struct vts_exchange *exchange, enum vts_rest_form form,
                      const struct vts_status_view *view)
{
    struct vts_rest_resource resource = {.etag = vts_snapshot_etag(view->snapshot),
                                         .retry_after_s = to_retry_after_s(view->poll_after_ns),
                                         .release = release_snapshot,
                                         .owner = view->snapshot};

    if (choose_body(&exchange->response, form, view, &resource.body) != VTS_OK) {
        exchange->response.tail_len = 0;
        vts_snapshot_unref(view->snapshot);
        vts_outcome_send(exchange, VTS_RPC_UNAVAILABLE, "out of memory");
        return;
    }
    vts_rest_send(exchange, form, &resource);
}

void vts_status_service_get(void *board, struct vts_exchange *exchange)
{
    static const char prefix[] = "/status/";
    struct vts_str path = exchange->request.path;
    struct vts_str job_id = vts_str_make("default", 7);
    struct vts_status_view view;
    enum vts_rest_form form;
    enum vts_err err;

    if (path.len >= sizeof(prefix) - 1)
        job_id = vts_str_make(path.ptr + sizeof(prefix) - 1, path.len - (sizeof(prefix) - 1));
    if (vts_rest_negotiate(exchange, &form) != VTS_OK)
        return;
    /* An empty id stands for "default" in a message; in a path it is a mistake. */
    err = job_id.len == 0 ? VTS_ERR_INVALID
                          : vts_check_status(board, job_id, vts_clock_now_ns(), &view);
    if (err != VTS_OK)
        refuse(exchange, err);
    else
        send_view(exchange, form, &view);
}
