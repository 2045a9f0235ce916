/* SPDX-License-Identifier: Apache-2.0 */
/* status_service.c - answers with the status that the board holds, by call and as a resource.
 *
 * Nothing is encoded here: the body is the snapshot's, and only the poll hint is added.
 */
#include "server/service/status_service.h"

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "server/jobs/board.h"
#include "server/rpc/dialect_rest.h"
#include "server/rpc/outcome.h"
#include "vtstatus/v1/status_service.pb-c.h"

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

static void send_view(struct vts_exchange *exchange, enum vts_rest_form form,
                      const struct vts_status_view *view)
{
    struct vts_response *response = &exchange->response;
    struct vts_rest_resource resource = {.etag = vts_snapshot_etag(view->snapshot),
                                         .retry_after_s = to_retry_after_s(view->poll_after_ns),
                                         .release = release_snapshot,
                                         .owner = view->snapshot};

    switch (form) {
    case VTS_REST_JSON:
        resource.body = vts_snapshot_json(view->snapshot);
        response->tail_len = vts_snapshot_json_tail(view->poll_after_ns, response->tail);
        break;
    case VTS_REST_PROTO:
        resource.body = vts_snapshot_proto(view->snapshot);
        response->tail_len = vts_snapshot_proto_tail(view->poll_after_ns, response->tail);
        break;
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

/* ---- calls ------------------------------------------------------------------------------------
 */

enum { STATUS_TAG = 1 << 3 | 2, VARINT_MAX_BYTES = 5 };

static size_t write_varint(char *out, size_t value)
{
    size_t len = 0;

    for (; value >= 0x80; value >>= 7)
        out[len++] = (char)(value | 0x80);
    out[len++] = (char)value;
    return len;
}

/* A message whose first field is the status: GetStatusResponse, WatchStatusResponse and the like.
 * Takes the view's snapshot. */
static void wrap_view(const struct vts_status_view *view, struct vts_encoded *ret_encoded)
{
    struct vts_str body = vts_snapshot_proto(view->snapshot);

    ret_encoded->body = body;
    ret_encoded->tail_len = vts_snapshot_proto_tail(view->poll_after_ns, ret_encoded->tail);
    ret_encoded->lead[0] = STATUS_TAG;
    ret_encoded->lead_len =
        1 + write_varint(ret_encoded->lead + 1, body.len + ret_encoded->tail_len);
    ret_encoded->release = release_snapshot;
    ret_encoded->owner = view->snapshot;
}

static void refuse_call(struct vts_call *call, enum vts_err err)
{
    if (err == VTS_ERR_NOT_FOUND)
        vts_call_finish(call, VTS_RPC_NOT_FOUND, "there is no job with this id");
    else
        vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT,
                        "a job id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ -");
}

static void get_status(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__GetStatusRequest *request = (const Vtstatus__V1__GetStatusRequest *)message;
    struct vts_encoded answer;
    struct vts_status_view view;
    enum vts_err err = vts_check_status(vts_call_context(call), vts_str_of(request->job_id),
                                        vts_clock_now_ns(), &view);

    if (err != VTS_OK) {
        refuse_call(call, err);
        return;
    }
    if (vts_call_is_current(call, vts_snapshot_etag(view.snapshot))) {
        vts_snapshot_unref(view.snapshot);
        return;
    }
    wrap_view(&view, &answer);
    if (vts_call_send_encoded(call, &answer) == VTS_OK)
        vts_call_finish(call, VTS_RPC_OK, NULL);
    else
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
}

static const struct vts_call_handler get_status_handler = {.on_message = get_status};

static const struct vts_method_row methods[] = {
    {"GetStatus", 4096, &get_status_handler},
};

struct vts_service_row vts_status_service_row(struct vts_board *board)
{
    return (struct vts_service_row){.descriptor = &vtstatus__v1__status_service__descriptor,
                                    .methods = methods,
                                    .methods_count = VTS_ARRAY_LEN(methods),
                                    .context = board};
}
