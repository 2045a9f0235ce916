/* SPDX-License-Identifier: Apache-2.0 */
/* Statuses inside messages, put together from the bytes that the board holds. */
#ifndef VTS_SERVICE_STATUS_MESSAGE_H
#define VTS_SERVICE_STATUS_MESSAGE_H

#include "server/jobs/board.h"
#include "server/rpc/call.h"

/* Spreads the view's hint by who calls. */
void vts_status_spread(const struct vts_call *call, const struct vts_board *board,
                       struct vts_status_view *view);
/* A message whose field 1 is the status, as GetStatusResponse and WatchStatusResponse are. Adopts
 * the view's snapshot, which the message gives back. */
void vts_status_message_make(const struct vts_status_view *view, struct vts_encoded *ret_message);
/* A WatchStatusesResponse that says that the job was removed. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_status_message_make_removed(struct vts_str job_id,
                                                            struct vts_encoded *ret_message);
/* Appends the status as field `number` of a message. The view stays the caller's. */
void vts_status_message_append(struct vts_buf *buf, unsigned number,
                               const struct vts_status_view *view);

/* Reads a status and answers with it, in a message as above, or refuses: all that is left to do of
 * a call with one answer. */
void vts_status_answer(struct vts_call *call, struct vts_board *board, struct vts_str job_id);
/* The same with a status that has been read, whose snapshot is adopted. */
void vts_status_answer_view(struct vts_call *call, const struct vts_board *board,
                            const struct vts_status_view *view);

/* What vts_check_status() refused, or one of those who wait did, with the details that are in
 * ERRORS.md; job_id is what was asked for, or empty. */

/* Ends the call with it. */
void vts_status_refuse(struct vts_call *call, enum vts_err err, struct vts_str job_id);
/* Answers a request that is no call. */
void vts_status_send_refusal(struct vts_exchange *exchange, enum vts_err err,
                             struct vts_str job_id);
/* Appends it as field `number` of a message, a google.rpc.Status; without details. */
void vts_status_refusal_append(struct vts_buf *buf, unsigned number, enum vts_err err);

#endif
