/* SPDX-License-Identifier: Apache-2.0 */
/* status_message.c - fields around bytes that exist already, and refusals with their details. */
#include "server/service/status_message.h"

#include <string.h>

#include "common/base/mem.h"
#include "common/wire/pb_fields.h"
#include "server/service/job_errors.h"

enum { STATUS_FIELD = 1, REMOVED_FIELD = 2 };

static void release_snapshot(void *snapshot)
{
    vts_snapshot_unref(snapshot);
}

void vts_status_spread(const struct vts_call *call, const struct vts_board *board,
                       struct vts_status_view *view)
{
    vts_board_spread(board, vts_call_peer_number(call), view);
}

void vts_status_message_make(const struct vts_status_view *view, struct vts_encoded *ret_message)
{
    struct vts_str body = vts_snapshot_proto(view->snapshot);

    ret_message->body = body;
    ret_message->tail_len =
        vts_snapshot_proto_tail(view->snapshot, view->poll_after_ns, ret_message->tail);
    ret_message->lead_len =
        vts_pb_write_head(STATUS_FIELD, body.len + ret_message->tail_len, ret_message->lead);
    ret_message->release = release_snapshot;
    ret_message->owner = view->snapshot;
}

enum vts_err vts_status_message_make_removed(struct vts_str job_id, struct vts_encoded *ret_message)
{
    char *copy = vts_mem_alloc(job_id.len);

    if (copy == NULL)
        return VTS_ERR_NOMEM;
    memcpy(copy, job_id.ptr, job_id.len);
    *ret_message = (struct vts_encoded){
        .body = vts_str_make(copy, job_id.len), .release = vts_mem_free, .owner = copy};
    ret_message->lead_len = vts_pb_write_head(REMOVED_FIELD, job_id.len, ret_message->lead);
    return VTS_OK;
}

void vts_status_message_append(struct vts_buf *buf, unsigned number,
                               const struct vts_status_view *view)
{
    struct vts_str body = vts_snapshot_proto(view->snapshot);
    char tail[VTS_SNAPSHOT_TAIL_MAX];
    size_t tail_len = vts_snapshot_proto_tail(view->snapshot, view->poll_after_ns, tail);

    vts_pb_append_head(buf, number, body.len + tail_len);
    vts_buf_append_str(buf, body);
    vts_buf_append(buf, tail, tail_len);
}

void vts_status_answer_view(struct vts_call *call, const struct vts_board *board,
                            const struct vts_status_view *view)
{
    struct vts_status_view own = *view;
    struct vts_encoded answer;

    if (vts_call_is_current(call, vts_snapshot_etag(own.snapshot))) {
        vts_snapshot_unref(own.snapshot);
        return;
    }
    vts_status_spread(call, board, &own);
    vts_status_message_make(&own, &answer);
    if (vts_call_send_encoded(call, &answer) == VTS_OK)
        vts_call_finish(call, VTS_RPC_OK, NULL);
    else
        vts_status_refuse(call, VTS_ERR_NOMEM, vts_str_make("", 0));
}

void vts_status_answer(struct vts_call *call, struct vts_board *board, struct vts_str job_id)
{
    struct vts_status_view view;
    enum vts_err err = vts_check_status(board, job_id, vts_call_now_ns(call), &view);

    if (err == VTS_OK)
        vts_status_answer_view(call, board, &view);
    else
        vts_status_refuse(call, err, job_id);
}

/* What vts_check_status(), or one of those who wait, says. id has room for the longest one. */
static struct vts_job_fault fault_of(enum vts_err err, struct vts_str job_id,
                                     char id[VTS_JOB_ID_MAX + 1])
{
    struct vts_job_fault fault = {.error = VTS_JOB_ERROR_OUT_OF_MEMORY};

    if (err == VTS_ERR_INVALID) {
        fault.error = VTS_JOB_ERROR_INVALID_REQUEST;
        fault.violation = (struct vts_job_violation){
            "job_id", "must be 1 to 128 characters of A-Z a-z 0-9 . _ ~ -"};
    } else if (err == VTS_ERR_NOT_FOUND) {
        fault.error = VTS_JOB_ERROR_JOB_NOT_FOUND;
    } else if (err == VTS_ERR_LIMIT) {
        fault.error = VTS_JOB_ERROR_TOO_MANY_WAIT;
    }
    if (job_id.len == 0 && err == VTS_ERR_NOT_FOUND)
        job_id = vts_str_of("default"); /* what the empty name stands for */
    if (job_id.len > 0 && job_id.len <= VTS_JOB_ID_MAX) {
        memcpy(id, job_id.ptr, job_id.len);
        id[job_id.len] = '\0';
        fault.job_id = id;
    }
    return fault;
}

void vts_status_refuse(struct vts_call *call, enum vts_err err, struct vts_str job_id)
{
    char id[VTS_JOB_ID_MAX + 1];
    const struct vts_job_fault fault = fault_of(err, job_id, id);

    vts_job_fault_fail(call, &fault);
}

/* Without details: there may be a thousand of them, and each would be as long as a status. */
void vts_status_refusal_append(struct vts_buf *buf, unsigned number, enum vts_err err)
{
    char id[VTS_JOB_ID_MAX + 1];
    const struct vts_job_fault fault = fault_of(err, vts_str_make("", 0), id);
    const struct vts_job_error_row *row = vts_job_error_row(fault.error);
    struct vts_str text =
        vts_str_of(fault.violation.text != NULL ? fault.violation.text : row->text);
    const char code[] = {1 << 3, (char)row->code};

    vts_pb_append_head(buf, number, sizeof(code) + vts_pb_field_bytes(text.len));
    vts_buf_append(buf, code, sizeof(code));
    vts_pb_append_field(buf, 2, text);
}

void vts_status_send_refusal(struct vts_exchange *exchange, enum vts_err err, struct vts_str job_id)
{
    char id[VTS_JOB_ID_MAX + 1];
    const struct vts_job_fault fault = fault_of(err, job_id, id);

    vts_job_fault_send(exchange, &fault);
}
