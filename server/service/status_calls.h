/* SPDX-License-Identifier: Apache-2.0 */
/* vtstatus.v1.StatusService, as its files share it.
 *
 *   status_calls.c  one status, many statuses; the table of methods
 *   status_wait.c   one answer that is held back
 *   status_watch.c  news as they come, of jobs by name
 *   status_follow.c  the same of all jobs with a label
 *
 * Inside server/service only. */
#ifndef VTS_SERVICE_STATUS_CALLS_H
#define VTS_SERVICE_STATUS_CALLS_H

#include "server/service/status_message.h"
#include "server/service/status_service.h"
#include "server/service/status_waiter.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum { VTS_STATUS_JOBS_MAX = 1000 }; /* of one call */

extern const struct vts_call_handler vts_status_wait_handler;
extern const struct vts_call_handler vts_status_watch_handler;
extern const struct vts_call_handler vts_status_watch_many_handler;

/* What a request waits for; refuses the call, and returns false, when nobody knows it. */
bool vts_status_check_until(struct vts_call *call, Vtstatus__V1__WaitUntil value,
                            enum vts_status_until *ret_until);

static inline struct vts_status_service *vts_status_service_of(const struct vts_call *call)
{
    return vts_call_context(call);
}

static inline struct vts_board *vts_status_board_of(const struct vts_call *call)
{
    return vts_watch_hub_board(vts_status_service_of(call)->hub);
}

/* The name of a job in a message, where the empty one stands for "default". */
static inline struct vts_str vts_status_job_id(const char *text)
{
    return vts_str_of(text[0] == '\0' ? "default" : text);
}

#endif
