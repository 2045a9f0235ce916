/* SPDX-License-Identifier: Apache-2.0 */
/* A call that follows all jobs with a label. Loop thread only; inside server/service only. */
#ifndef VTS_SERVICE_STATUS_FOLLOW_H
#define VTS_SERVICE_STATUS_FOLLOW_H

#include "server/rpc/call.h"
#include "server/service/status_waiter.h"
#include "vtstatus/v1/status_service.pb-c.h"

struct vts_status_follow;

/* Of a call to WatchStatuses whose request has a label_filter that is a label, and jobs without a
 * wrong or repeated id. VTS_ERR_LIMIT when there are too many watches, VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_status_follow_new(struct vts_call *call,
                                                  const Vtstatus__V1__WatchStatusesRequest *request,
                                                  enum vts_status_until until,
                                                  struct vts_status_follow **ret_follow);
/* Accepts NULL. */
void vts_status_follow_free(struct vts_status_follow *follow);
/* Sends what is new, while the reader has room, or ends the call because that cannot be. */
void vts_status_follow_send(struct vts_status_follow *follow);

#endif
