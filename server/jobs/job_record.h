/* SPDX-License-Identifier: Apache-2.0 */
/* The records of a job that begins, and of one that is gone. From any thread. */
#ifndef VTS_JOBS_JOB_RECORD_H
#define VTS_JOBS_JOB_RECORD_H

#include "common/base/arena.h"
#include "server/jobs/job_request.h"
#include "vtstatus/store/v1/record.pb-c.h"

/* Makes the first version of a job's record, in STATE_PENDING at revision 1. id is the request's
 * own or a new one. The record lies in the arena and refers to the strings of the request and to
 * id. Maps are in order, and of entries with the same key the last one holds.
 *
 * VTS_ERR_INVALID: as vts_job_request_check(), with the violation, which may be NULL.
 * VTS_ERR_NOMEM, also when the arena's budget is used up. */
VTS_MUST_CHECK enum vts_err vts_job_record_new(const Vtstatus__V1__CreateJobRequest *request,
                                               const char *id, int64_t now_ns,
                                               struct vts_arena *arena,
                                               Vtstatus__Store__V1__JobRecord **ret_record,
                                               struct vts_job_violation *ret_violation);
/* Whether two records were made of requests that say the same, request_id aside. They are compared
 * by a hash of 128 bits that somebody could find collisions of: who makes one betrays but himself,
 * whose request_id it is. */
bool vts_job_record_is_repetition(const Vtstatus__Store__V1__JobRecord *a,
                                  const Vtstatus__Store__V1__JobRecord *b);
/* Makes the record that is left of a job which is removed now: of its id, and, while the request
 * that made it is remembered, of that. It lies in the arena and refers to the job's. NULL without
 * memory.
 */
VTS_MUST_CHECK Vtstatus__Store__V1__JobRecord *
vts_job_record_of_removed(const Vtstatus__Store__V1__JobRecord *record, int64_t now_ns,
                          struct vts_arena *arena);
/* Whether the request that made a job at create_ns is remembered at now_ns. */
bool vts_job_request_is_remembered(int64_t create_ns, int64_t now_ns);

#endif
