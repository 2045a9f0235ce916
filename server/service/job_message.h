/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs as answers show them. Loop thread only. */
#ifndef VTS_SERVICE_JOB_MESSAGE_H
#define VTS_SERVICE_JOB_MESSAGE_H

#include "common/base/arena.h"
#include "server/jobs/board.h"
#include "server/rpc/call.h"
#include "vtstatus/v1/job.pb-c.h"

enum { VTS_JOB_ETAG_BYTES = 32 };

/* Adds what is not kept with the job: when it will be done, and when this caller is to ask again,
 * in the arena; without memory they stay absent. */
void vts_job_message_complete(const struct vts_call *call, struct vts_board *board,
                              Vtstatus__V1__Job *job, struct vts_arena *arena);
/* Writes the job's entity tag, as its status has it. */
struct vts_str vts_job_message_etag(const Vtstatus__V1__Job *job, char text[VTS_JOB_ETAG_BYTES]);
/* Tells REST what it has words for: http_code, or 0 for the method's own, when to ask again, and
 * where the job is when it is new. */
void vts_job_message_hint(struct vts_call *call, const Vtstatus__V1__Job *job, int http_code,
                          bool is_new);

#endif
