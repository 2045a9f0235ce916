/* SPDX-License-Identifier: Apache-2.0 */
/* What requests on jobs may say, but for those that create one (server/jobs/job_request.h). From
 * any thread.
 *
 * Each returns VTS_OK, or VTS_ERR_INVALID and the first thing wrong. Strings are UTF-8 and free of
 * NUL, as decoders make them. */
#ifndef VTS_SERVICE_JOB_CHECKS_H
#define VTS_SERVICE_JOB_CHECKS_H

#include "server/jobs/job_request.h"
#include "vtstatus/v1/worker_service.pb-c.h"

enum {
    VTS_JOB_REASON_MAX = 1024,
    VTS_JOB_ETAG_MAX = 256,
    VTS_JOB_PAGE_TOKEN_MAX = 1024,
    VTS_JOB_FILTERS_MAX = 64,
    VTS_JOB_QUEUES_MAX = 16,
    VTS_JOB_TOKEN_MAX = 128,
    VTS_JOB_PHASE_MAX = 64,
    VTS_JOB_PROGRESS_TEXT_MAX = 1024,
    VTS_JOB_ERROR_MAX = 16 * 1024,
    VTS_JOB_ERROR_DETAILS_MAX = 16,
};

/* Of most requests: which job, and the entity tag, "" for any. */
VTS_MUST_CHECK enum vts_err vts_check_job(const char *job_id, const char *etag,
                                          struct vts_job_violation *ret_violation);
VTS_MUST_CHECK enum vts_err vts_check_cancel(const Vtstatus__V1__CancelJobRequest *request,
                                             struct vts_job_violation *ret_violation);
VTS_MUST_CHECK enum vts_err vts_check_list(const Vtstatus__V1__ListJobsRequest *request,
                                           struct vts_job_violation *ret_violation);

/* Of WatchStatuses: one label, which must not be empty. */
VTS_MUST_CHECK enum vts_err vts_check_label_filter(const char *label,
                                                   struct vts_job_violation *ret_violation);

VTS_MUST_CHECK enum vts_err vts_check_lease(const Vtstatus__V1__LeaseJobRequest *request,
                                            struct vts_job_violation *ret_violation);
/* Of all who have a lease: which job, and the token. */
VTS_MUST_CHECK enum vts_err vts_check_holder(const char *job_id, const char *token,
                                             struct vts_job_violation *ret_violation);
VTS_MUST_CHECK enum vts_err vts_check_heartbeat(const Vtstatus__V1__HeartbeatJobRequest *request,
                                                struct vts_job_violation *ret_violation);
VTS_MUST_CHECK enum vts_err vts_check_complete(const Vtstatus__V1__CompleteJobRequest *request,
                                               struct vts_job_violation *ret_violation);
VTS_MUST_CHECK enum vts_err vts_check_fail(const Vtstatus__V1__FailJobRequest *request,
                                           struct vts_job_violation *ret_violation);

#endif
