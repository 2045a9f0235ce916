/* SPDX-License-Identifier: Apache-2.0 */
/* The times of a job that tell how long others like it will take. Pure. */
#ifndef VTS_JOBS_JOB_PHASES_H
#define VTS_JOBS_JOB_PHASES_H

#include "common/base/arena.h"
#include "vtstatus/store/v1/record.pb-c.h"

enum { VTS_JOB_PHASES_KEPT = 16 }; /* of an attempt; later ones are not noted */

/* The present attempt reports that phase at now_ns; what was noted already, or has no name, is not
 * noted. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_job_phases_enter(Vtstatus__Store__V1__JobRecord *record,
                                                 const char *phase, int64_t now_ns,
                                                 struct vts_arena *arena);
/* The attempt came to nothing. */
void vts_job_phases_clear(Vtstatus__Store__V1__JobRecord *record);
/* When the present attempt came to that phase; NULL: it is not noted. */
const Google__Protobuf__Timestamp *vts_job_phases_find(const Vtstatus__Store__V1__JobRecord *record,
                                                       const char *phase);
/* Of a job in STATE_PENDING: since when it may be leased, or when it will be. */
int64_t vts_job_ready_ns(const Vtstatus__Store__V1__JobRecord *record);

#endif
