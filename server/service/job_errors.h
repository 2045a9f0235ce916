/* SPDX-License-Identifier: Apache-2.0 */
/* How calls on jobs fail: one table of reasons, and the details that go with them
 * (https://google.aip.dev/193). From any thread but for what ends a call. */
#ifndef VTS_SERVICE_JOB_ERRORS_H
#define VTS_SERVICE_JOB_ERRORS_H

#include "server/jobs/keeper.h"
#include "server/rpc/call.h"

enum vts_job_error {
#define X(reason, code, http_code, retry_s, text) VTS_JOB_ERROR_##reason,
#include "server/service/job_errors.def"
#undef X
    VTS_JOB_ERROR_COUNT
};

/* One failure. What it points at is borrowed. */
struct vts_job_fault {
    enum vts_job_error error;
    const char *job_id;                 /* NULL or no valid id: it is not told */
    struct vts_job_violation violation; /* INVALID_REQUEST */
};

struct vts_job_error_row {
    const char *reason;
    enum vts_rpc_code code;
    int http_code; /* 0: the code's own */
    int retry_s;   /* 0: it makes no sense */
    const char *text;
};

const struct vts_job_error_row *vts_job_error_row(enum vts_job_error error);

/* What the keeper refused a command for. */
struct vts_job_fault vts_job_fault_of(const struct vts_keeper_command *command);
/* Counts the limit that the error comes of, if it does. */
void vts_job_error_count(const struct vts_call *call, enum vts_job_error error);
/* Ends the call with it, which is counted: with google.rpc.ErrorInfo, and with BadRequest and
 * RetryInfo where they are due. Harmless when the call is over. */
void vts_job_fault_fail(struct vts_call *call, const struct vts_job_fault *fault);
/* Answers a request that is no call with it, as REST has it. */
void vts_job_fault_send(struct vts_exchange *exchange, const struct vts_job_fault *fault);
/* Ends the call because a field of its request will not do. */
void vts_job_fault_refuse(struct vts_call *call, const char *job_id,
                          const struct vts_job_violation *violation);
/* The same as a message, in the arena; NULL as vts_arena_alloc(). */
VTS_MUST_CHECK Google__Rpc__Status *vts_job_fault_make(const struct vts_job_fault *fault,
                                                       struct vts_arena *arena);

#endif
