/* SPDX-License-Identifier: Apache-2.0 */
/* What a job's life should be, told a second time and more simply: without records, revisions and
 * what is seen when. */
#ifndef VTS_TESTS_JOB_MODEL_H
#define VTS_TESTS_JOB_MODEL_H

#include "server/jobs/job.h"
#include "server/jobs/job_machine.h"
#include "vtstatus/v1/job_service.pb-c.h"

struct job_model {
    enum vts_job_state state;
    int32_t attempt;
    int32_t max_attempts;
    int64_t timeout_ns; /* INT64_MAX: none */
    int64_t ready_ns;   /* PENDING: when it may be leased */

    /* Of the attempt; INT64_MAX for what does not limit it. */
    char token[32];
    int64_t duration_ns;
    int64_t lease_end_ns;
    int64_t timeout_end_ns;
    int64_t grace_end_ns;
    float percent; /* reported so far */

    /* Of the last attempt, once a report has ended it. */
    bool has_end;
    char end_token[32];
    struct vts_job_event end; /* texts are literals, and compared as such */
    Google__Rpc__Status end_error;
};

/* A new job of the request. */
void job_model_init(struct job_model *model, const Vtstatus__V1__CreateJobRequest *request);
/* What the machine should say; the model changes as the job should. */
enum vts_job_refusal job_model_apply(struct job_model *model, const struct vts_job_event *event,
                                     int64_t now_ns);

#endif
