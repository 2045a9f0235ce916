/* SPDX-License-Identifier: Apache-2.0 */
/* status_calls.c - vtstatus.v1.StatusService: reading one status, reading many, watching one.
 *
 * Answers are the board's own bytes with a head before them and the poll hint behind them. A watch
 * keeps one number, the revision it sent last: news makes it look at the board when its reader has
 * room, so it never owes more than one message.
 */
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/pb_fields.h"
#include "server/service/status_message.h"
#include "server/service/status_service.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum {
    ONE_JOB_MAX_BYTES = 4 * 1024,
    BATCH_MAX = 1000,
    BATCH_REQUEST_MAX_BYTES = 256 * 1024,
    BATCH_ANSWER_MAX_BYTES = 64 * 1024 * 1024,
    SPREAD_MS = 2000,
};

static struct vts_board *board_of(const struct vts_call *call)
{
    return vts_watch_hub_board(vts_call_context(call));
}

static void finish_without_memory(struct vts_call *call)
{
    vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---- GetStatus ------------------------------------------------------------------------- */

static void get_status(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__GetStatusRequest *request = (const Vtstatus__V1__GetStatusRequest *)message;
    struct vts_str job_id = vts_str_of(request->job_id);
    struct vts_status_view view;
    struct vts_encoded answer;
    enum vts_err err = vts_check_status(board_of(call), job_id, vts_call_now_ns(call), &view);

    if (err != VTS_OK) {
        vts_status_refuse(call, err, job_id);
    } else if (vts_call_is_current(call, vts_snapshot_etag(view.snapshot))) {
        vts_snapshot_unref(view.snapshot);
    } else {
        vts_status_message_make(&view, &answer);
        if (vts_call_send_encoded(call, &answer) == VTS_OK)
            vts_call_finish(call, VTS_RPC_OK, NULL);
        else
            finish_without_memory(call);
    }
}

/* ---- BatchGetStatus -------------------------------------------------------------------- */

/* Appends a google.rpc.Status. */
static void append_refusal(struct vts_buf *buf, unsigned number, enum vts_err err)
{
    struct vts_str text = vts_str_of(vts_status_refusal_text(err));
    const char code[] = {1 << 3, (char)vts_status_refusal_code(err)};

    vts_pb_append_head(buf, number, sizeof(code) + vts_pb_field_bytes(text.len));
    vts_buf_append(buf, code, sizeof(code));
    vts_pb_append_field(buf, 2, text);
}

/* Appends a vtstatus.v1.StatusResult. result is empty, and memory to use again. */
static void append_result(struct vts_buf *buf, struct vts_buf *result, struct vts_board *board,
                          struct vts_str job_id, int64_t now_ns)
{
    struct vts_status_view view;
    enum vts_err err = vts_check_status(board, job_id, now_ns, &view);

    vts_pb_append_field(result, 1, job_id);
    if (err == VTS_OK) {
        vts_status_message_append(result, 2, &view);
        vts_snapshot_unref(view.snapshot);
    } else {
        append_refusal(result, 3, err);
    }
    if (vts_buf_check(result) == VTS_OK)
        vts_pb_append_field(buf, 1, vts_buf_str(result));
    else
        buf->err = result->err;
    vts_buf_consume(result, result->len);
}

static void batch_get_status(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__BatchGetStatusRequest *request =
        (const Vtstatus__V1__BatchGetStatusRequest *)message;
    int64_t now_ns = vts_call_now_ns(call);
    struct vts_encoded answer = {.release = vts_mem_free};
    struct vts_buf body;
    struct vts_buf result;

    if (request->n_job_ids > BATCH_MAX) {
        vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT, "a batch has at most 1000 job ids");
        return;
    }
    vts_buf_init(&body, BATCH_ANSWER_MAX_BYTES);
    vts_buf_init(&result, BATCH_ANSWER_MAX_BYTES);
    for (size_t i = 0; i < request->n_job_ids; i++)
        append_result(&body, &result, board_of(call), vts_str_of(request->job_ids[i]), now_ns);
    vts_buf_fini(&result);
    if (vts_buf_check(&body) != VTS_OK) {
        vts_buf_fini(&body);
        finish_without_memory(call);
        return;
    }
    answer.body = vts_buf_str(&body);
    answer.owner = body.ptr;
    if (vts_call_send_encoded(call, &answer) == VTS_OK)
        vts_call_finish(call, VTS_RPC_OK, NULL);
    else
        finish_without_memory(call);
}

/* ---- WatchStatus ----------------------------------------------------------------------- */

struct status_watch {
    struct vts_watch watch;
    struct vts_call *call;
    uint64_t revision; /* the last one that the client has */
};

/* Sends what is new, if the reader has room, and ends after the last. */
static void send_news(struct vts_call *call)
{
    struct status_watch *watch = vts_call_data(call);
    struct vts_str job_id = vts_watch_job_id(&watch->watch);
    struct vts_status_view view;
    struct vts_encoded message;
    bool is_done;
    enum vts_err err;

    if (!vts_call_can_send(call))
        return; /* on_writable comes back to it */
    err = vts_check_status(board_of(call), job_id, vts_call_now_ns(call), &view);
    if (err != VTS_OK) {
        vts_status_refuse(call, err, job_id);
        return;
    }
    is_done = vts_snapshot_is_done(view.snapshot);
    if (vts_snapshot_revision(view.snapshot) == watch->revision) {
        vts_snapshot_unref(view.snapshot);
    } else {
        watch->revision = vts_snapshot_revision(view.snapshot);
        vts_status_message_make(&view, &message);
        err = vts_call_send_encoded(call, &message);
    }
    if (err != VTS_OK)
        finish_without_memory(call);
    else if (is_done)
        vts_call_finish(call, VTS_RPC_OK, NULL);
}

static void on_news(void *context)
{
    send_news(context);
}

/* A watch of the call's own; NULL after having refused it. */
static struct status_watch *start_watch(struct vts_call *call, struct vts_str job_id)
{
    struct status_watch *watch = vts_mem_zalloc(sizeof(*watch));
    enum vts_err err = watch == NULL
                           ? VTS_ERR_NOMEM
                           : vts_watch_start(vts_call_context(call), vts_call_loop_index(call),
                                             job_id, &watch->watch, on_news, call);

    if (err == VTS_OK)
        return watch;
    vts_mem_free(watch);
    if (err == VTS_ERR_LIMIT)
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "too many calls wait for news already");
    else
        finish_without_memory(call);
    return NULL;
}

static void watch_status(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__WatchStatusRequest *request =
        (const Vtstatus__V1__WatchStatusRequest *)message;
    struct vts_str job_id = vts_str_of(request->job_id[0] == '\0' ? "default" : request->job_id);
    uint64_t after_revision = request->after_revision;
    struct status_watch *watch;

    if (!vts_job_id_is_valid(job_id)) {
        vts_status_refuse(call, VTS_ERR_INVALID, job_id);
        return;
    }
    /* First the watch, then the look: what comes between is news. */
    watch = start_watch(call, job_id);
    if (watch == NULL)
        return;
    watch->call = call;
    watch->revision = after_revision;
    vts_call_set_data(call, watch);
    if (vts_call_keep(call) != VTS_OK)
        return;
    send_news(call);
    vts_call_start(call); /* a watch that has nothing to tell yet says so by its head */
}

static void end_watch(struct vts_call *call)
{
    struct status_watch *watch = vts_call_data(call);

    if (watch == NULL)
        return;
    vts_watch_stop(&watch->watch);
    vts_mem_free(watch);
}

/* Clients come back; a moment's spread keeps them from coming all at once. */
static void drain_watch(struct vts_call *call)
{
    static const char name[] = "grpc-retry-pushback-ms";
    char ms[8];

    (void)snprintf(ms, sizeof(ms), "%d", (int)(vts_clock_now_ns() / 1000 % SPREAD_MS));
    if (vts_call_add_trailer(call, name, vts_str_of(ms)) != VTS_OK)
        finish_without_memory(call);
    vts_call_finish(call, VTS_RPC_UNAVAILABLE, "the server is stopping");
}

/* ---- the service ----------------------------------------------------------------------- */

static const struct vts_call_handler get_status_handler = {.on_message = get_status};
static const struct vts_call_handler batch_get_status_handler = {.on_message = batch_get_status};
static const struct vts_call_handler watch_status_handler = {.on_message = watch_status,
                                                             .on_writable = send_news,
                                                             .on_end = end_watch,
                                                             .on_drain = drain_watch};

static const struct vts_method_row methods[] = {
    {"GetStatus", ONE_JOB_MAX_BYTES, &get_status_handler},
    {"BatchGetStatus", BATCH_REQUEST_MAX_BYTES, &batch_get_status_handler},
    {"WatchStatus", ONE_JOB_MAX_BYTES, &watch_status_handler},
};

struct vts_service_row vts_status_service_row(struct vts_watch_hub *hub)
{
    return (struct vts_service_row){.descriptor = &vtstatus__v1__status_service__descriptor,
                                    .methods = methods,
                                    .methods_count = VTS_ARRAY_LEN(methods),
                                    .context = hub};
}
