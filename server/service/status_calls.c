/* SPDX-License-Identifier: Apache-2.0 */
/* status_calls.c - vtstatus.v1.StatusService: reading one status, reading many; all its methods.
 *
 * Answers are the board's own bytes with a head before them and the poll hint behind them.
 */
#include "server/service/status_calls.h"

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/pb_fields.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum {
    ONE_JOB_MAX_BYTES = 4 * 1024,
    MANY_JOBS_MAX_BYTES = 256 * 1024,
    BATCH_ANSWER_MAX_BYTES = 64 * 1024 * 1024,
};

static void finish_without_memory(struct vts_call *call)
{
    vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
}

/* ---- GetStatus ------------------------------------------------------------------------- */

static void get_status(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__GetStatusRequest *request = (const Vtstatus__V1__GetStatusRequest *)message;

    vts_status_answer(call, vts_status_board_of(call), vts_str_of(request->job_id));
}

/* ---- BatchGetStatus -------------------------------------------------------------------- */

/* Appends a vtstatus.v1.StatusResult. result is empty, and memory to use again. */
static void append_result(struct vts_buf *buf, struct vts_buf *result, const struct vts_call *call,
                          struct vts_str job_id)
{
    struct vts_board *board = vts_status_board_of(call);
    struct vts_status_view view;
    enum vts_err err = vts_check_status(board, job_id, vts_call_now_ns(call), &view);

    vts_pb_append_field(result, 1, job_id);
    if (err == VTS_OK) {
        vts_status_spread(call, board, &view);
        vts_status_message_append(result, 2, &view);
        vts_snapshot_unref(view.snapshot);
    } else {
        vts_status_refusal_append(result, 3, err);
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
    struct vts_encoded answer = {.release = vts_mem_free};
    struct vts_buf body;
    struct vts_buf result;

    if (request->n_job_ids > VTS_STATUS_JOBS_MAX) {
        vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT, "a batch has at most 1000 job ids");
        return;
    }
    vts_buf_init(&body, BATCH_ANSWER_MAX_BYTES);
    vts_buf_init(&result, BATCH_ANSWER_MAX_BYTES);
    for (size_t i = 0; i < request->n_job_ids; i++)
        append_result(&body, &result, call, vts_str_of(request->job_ids[i]));
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

/* ---- the service ----------------------------------------------------------------------- */

static const struct vts_call_handler get_status_handler = {.on_message = get_status};
static const struct vts_call_handler batch_get_status_handler = {.on_message = batch_get_status};

static const struct vts_method_row methods[] = {
    {"GetStatus", ONE_JOB_MAX_BYTES, &get_status_handler},
    {"BatchGetStatus", MANY_JOBS_MAX_BYTES, &batch_get_status_handler},
    {"WaitStatus", ONE_JOB_MAX_BYTES, &vts_status_wait_handler},
    {"WatchStatus", ONE_JOB_MAX_BYTES, &vts_status_watch_handler},
    {"WatchStatuses", MANY_JOBS_MAX_BYTES, &vts_status_watch_many_handler},
};

struct vts_service_row vts_status_service_row(struct vts_status_service *service)
{
    return (struct vts_service_row){.descriptor = &vtstatus__v1__status_service__descriptor,
                                    .methods = methods,
                                    .methods_count = VTS_ARRAY_LEN(methods),
                                    .context = service};
}
