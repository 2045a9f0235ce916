/* SPDX-License-Identifier: Apache-2.0 */
/* status_message.c - fields around bytes that exist already, and refusals with their details. */
#include "server/service/status_message.h"

#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "common/wire/pb_fields.h"
#include "google/rpc/error_details.pb-c.h"

enum { STATUS_FIELD = 1, REMOVED_FIELD = 2, ERROR_INFO_MAX_BYTES = 512 };

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

static const struct refusal {
    enum vts_err err;
    enum vts_rpc_code code;
    const char *text;
} refusals[] = {
    {VTS_ERR_INVALID, VTS_RPC_INVALID_ARGUMENT,
     "a job id is 1 to 128 characters of A-Z a-z 0-9 . _ ~ -"},
    {VTS_ERR_NOT_FOUND, VTS_RPC_NOT_FOUND, "there is no job with this id"},
    {VTS_ERR_LIMIT, VTS_RPC_RESOURCE_EXHAUSTED, "too many wait for news already"},
    {VTS_ERR_NOMEM, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory"},
};

static const struct refusal *find_refusal(enum vts_err err)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(refusals); i++)
        if (refusals[i].err == err)
            return &refusals[i];
    VTS_UNREACHABLE();
}

enum vts_rpc_code vts_status_refusal_code(enum vts_err err)
{
    return find_refusal(err)->code;
}

const char *vts_status_refusal_text(enum vts_err err)
{
    return find_refusal(err)->text;
}

/* Why there is no such job, for programs (https://google.aip.dev/193). The id is a valid one. */
static size_t pack_not_found(struct vts_str job_id, uint8_t ret_bytes[ERROR_INFO_MAX_BYTES])
{
    Google__Rpc__ErrorInfo__MetadataEntry entry = GOOGLE__RPC__ERROR_INFO__METADATA_ENTRY__INIT;
    Google__Rpc__ErrorInfo__MetadataEntry *entries[] = {&entry};
    Google__Rpc__ErrorInfo info = GOOGLE__RPC__ERROR_INFO__INIT;
    char id[VTS_JOB_ID_MAX + 1] = "default";

    if (job_id.len > 0) {
        memcpy(id, job_id.ptr, job_id.len);
        id[job_id.len] = '\0';
    }
    entry.key = "jobId";
    entry.value = id;
    info.reason = "JOB_NOT_FOUND";
    info.domain = "vtstatus";
    info.metadata = entries;
    info.n_metadata = 1;
    return google__rpc__error_info__pack(&info, ret_bytes);
}

void vts_status_refuse(struct vts_call *call, enum vts_err err, struct vts_str job_id)
{
    uint8_t bytes[ERROR_INFO_MAX_BYTES];
    struct vts_error_detail detail = {.type = "google.rpc.ErrorInfo"};

    if (err == VTS_ERR_NOT_FOUND)
        detail.value = vts_str_make(bytes, pack_not_found(job_id, bytes));
    vts_call_fail(call, vts_status_refusal_code(err), vts_status_refusal_text(err), &detail,
                  err == VTS_ERR_NOT_FOUND);
}
