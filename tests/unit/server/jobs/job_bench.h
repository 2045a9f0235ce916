/* SPDX-License-Identifier: Apache-2.0 */
/* A job on the bench: its record, a clock, and what the machine said last.
 *
 * After each event the record is packed and unpacked, as by a store, so that nothing of the event
 * is left but what the record holds. What must hold after any event is asserted there. */
#ifndef VTS_TESTS_JOB_BENCH_H
#define VTS_TESTS_JOB_BENCH_H

#include "common/wire/rpc_code.h"
#include "server/jobs/job.h"
#include "server/jobs/job_machine.h"
#include "vtstatus/v1/job_service.pb-c.h"

enum { JOB_BENCH_LEASE_S = 60 };

struct job_bench {
    struct vts_arena arena;
    Vtstatus__Store__V1__JobRecord *record;
    Vtstatus__V1__Job *job;          /* the record's */
    Vtstatus__V1__JobStatus *status; /* the job's */
    int64_t now_ns;
    struct vts_job_change change; /* of the last event */
};

/* A request that is as short as can be. Its parts are static: one at a time. */
Vtstatus__V1__CreateJobRequest job_bench_request(void);
/* The job "job-1" of such a request, which has three attempts, or of another request. */
void job_bench_init(struct job_bench *bench);
void job_bench_init_with(struct job_bench *bench, const Vtstatus__V1__CreateJobRequest *request);
void job_bench_fini(struct job_bench *bench);
/* Brings a new job into the state, by the shortest way. In RUNNING and CANCELLING its token is "t"
 * and its worker "w". */
void job_bench_init_in(struct job_bench *bench, enum vts_job_state state);

enum vts_job_refusal job_bench_apply(struct job_bench *bench, const struct vts_job_event *event);

/* The events with what is usual: worker "w", a lease of JOB_BENCH_LEASE_S. */
enum vts_job_refusal job_bench_lease(struct job_bench *bench, const char *token);
enum vts_job_refusal job_bench_heartbeat(struct job_bench *bench, const char *token);
/* Of a phase "p" without a message. */
enum vts_job_refusal job_bench_report(struct job_bench *bench, const char *token, float percent);
enum vts_job_refusal job_bench_complete(struct job_bench *bench, const char *token);
/* With the error INTERNAL "broken". */
enum vts_job_refusal job_bench_fail(struct job_bench *bench, const char *token, bool is_retryable);
enum vts_job_refusal job_bench_release(struct job_bench *bench, const char *token);
enum vts_job_refusal job_bench_cancel(struct job_bench *bench, const char *reason);
enum vts_job_refusal job_bench_retry(struct job_bench *bench);
/* Moves the clock, and lets time pass for the job. */
void job_bench_pass(struct job_bench *bench, int64_t ns);

/* INT64_MIN for none. */
int64_t job_bench_time(const Google__Protobuf__Timestamp *stamp);
/* The last of the list. */
const Vtstatus__V1__Attempt *job_bench_attempt(const struct job_bench *bench);

/* Asserts that the last event brought the job into the state, and all that follows from that. */
void job_bench_expect_state(const struct job_bench *bench, enum vts_job_state state);
void job_bench_expect_error(const struct job_bench *bench, enum vts_rpc_code code,
                            const char *text);
/* Asserts that nothing can be done with the token. */
void job_bench_expect_lost(struct job_bench *bench, const char *token);

#endif
