/* SPDX-License-Identifier: Apache-2.0 */
/* Knowing a report that ended an attempt when it comes once more. From any thread. */
#ifndef VTS_JOBS_JOB_END_H
#define VTS_JOBS_JOB_END_H

#include "server/jobs/job_machine.h"

/* Whether it is a report that ends an attempt: COMPLETE, FAIL or RELEASE. */
bool vts_job_is_end(const struct vts_job_event *event);
/* Of such an event with a token: a hash of that and of all that the report says; never 0. Who finds
 * another event with the same one is told a status that anybody may read. */
uint64_t vts_job_end_digest(const struct vts_job_event *event);

#endif
