/* SPDX-License-Identifier: Apache-2.0 */
/* What may happen to a job, and what becomes of it.
 *
 *                    lease                     complete
 *      ┌──► PENDING ───────► RUNNING ───────────────────────► SUCCEEDED
 *      │      │  ▲             │ │ │  final failure, attempts
 *      │      │  └─────────────┘ │ └──────────────────────────► FAILED
 *      │      │   release, lease │  spent, timeout                │
 *      │      │   lost, retry    │ cancel                         │
 *      │      │                  ▼                  complete      │ retry
 *      │      │ cancel       CANCELLING ──────────► SUCCEEDED     │
 *      │      ▼                  │ failed, released, lease lost,  │
 *      │   CANCELLED ◄───────────┘ deadline passed                │
 *      │      │ retry                                             │
 *      └──────┴───────────────────────────────────────────────────┘
 *
 * Pure: record, event and time come in, the changed record or a refusal comes out. Times are
 * nanoseconds since the Unix epoch, since they outlive the process. */
#ifndef VTS_JOBS_JOB_MACHINE_H
#define VTS_JOBS_JOB_MACHINE_H

#include "common/base/arena.h"
#include "common/base/str.h"
#include "vtstatus/store/v1/record.pb-c.h"

enum {
    VTS_JOB_ATTEMPTS_MAX = 100, /* what Job.max_attempts may be */
    VTS_JOB_ATTEMPTS_KEPT = 20, /* of Job.attempts; older ones are dropped */
};

enum vts_job_event_kind {
    VTS_JOB_EVENT_LEASE,     /* a worker takes it */
    VTS_JOB_EVENT_HEARTBEAT, /* its worker reports and keeps the lease */
    VTS_JOB_EVENT_COMPLETE,
    VTS_JOB_EVENT_FAIL,
    VTS_JOB_EVENT_RELEASE,
    VTS_JOB_EVENT_CANCEL,
    VTS_JOB_EVENT_RETRY,
    VTS_JOB_EVENT_TIME, /* time has passed: due at vts_job_due_ns() */
};

/* Strings and messages are borrowed; the record refers to them afterwards. */
struct vts_job_event {
    enum vts_job_event_kind kind;
    const char *token;         /* LEASE: the new one; HEARTBEAT to RELEASE: the worker's */
    const char *worker_id;     /* LEASE */
    int64_t lease_duration_ns; /* LEASE; HEARTBEAT, where 0 means as before */
    const Vtstatus__V1__Progress *progress; /* HEARTBEAT; NULL: as it was */
    const char *output_uri;                 /* COMPLETE */
    const Google__Rpc__Status *error;       /* FAIL */
    bool is_retryable;                      /* FAIL */
    int64_t retry_delay_ns;                 /* FAIL; negative: by the number of attempts */
    const char *reason;                     /* CANCEL; may be empty */
};

/* Why an event is refused. */
enum vts_job_refusal {
    VTS_JOB_REFUSAL_NONE,
    VTS_JOB_REFUSAL_LEASE_LOST, /* the token is not the present lease's, and it is no repetition */
    VTS_JOB_REFUSAL_NOT_LEASABLE,  /* it does not wait, or not before later */
    VTS_JOB_REFUSAL_NOT_RETRYABLE, /* it has not failed and was not cancelled */
    VTS_JOB_REFUSAL_DONE,          /* CANCEL of what succeeded or failed */
};

struct vts_job_change {
    enum vts_job_refusal refusal;
    bool is_changed; /* the record is to be stored */
    bool is_visible; /* and there is a new revision */
};

/* What the events do beyond the picture:
 *
 * - A lease is over at its end, at the attempt's timeout, and when a worker has not heeded a
 *   cancellation for 30 s, whichever is first. From that instant on its token is refused, also
 *   before VTS_JOB_EVENT_TIME has come.
 * - The COMPLETE, FAIL or RELEASE that ended an attempt may come again, since its answer may be
 * lost. Until the next attempt or a RETRY it changes nothing and is no refusal; what differs from
 * it is.
 * - An attempt counts when it is leased. One that is given back is uncounted and leaves the list
 *   of attempts, unless it was given back because of a cancellation. RETRY counts from 0 again and
 *   keeps the list, whose numbers go on.
 * - An attempt's progress stays to be seen until the next attempt starts; a success is at 100.
 * - Progress alone is visible at most each 250 ms: what comes earlier is held back until then, or
 *   until something else is visible. A heartbeat that only keeps the lease changes the record, for
 *   the lease's end must outlive a crash, but is not visible.
 * - CANCEL of what is being or was cancelled changes nothing and is no refusal.
 *
 * Texts and errors that come from peers are taken as they are: their sizes are for the caller to
 * bound. */

/* Applies the event. On a refusal, or when nothing changes, the record is as it was; otherwise its
 * version has risen by one, and, if anything changed that a client sees, so has the status's
 * revision. New parts of the record come from the arena. VTS_ERR_NOMEM leaves the record unusable.
 */
VTS_MUST_CHECK enum vts_err vts_job_apply(Vtstatus__Store__V1__JobRecord *record,
                                          const struct vts_job_event *event, int64_t now_ns,
                                          struct vts_arena *arena,
                                          struct vts_job_change *ret_change);
/* When VTS_JOB_EVENT_TIME is due next; INT64_MAX: never. */
int64_t vts_job_due_ns(const Vtstatus__Store__V1__JobRecord *record);
/* Whether a worker may lease it at now_ns. */
bool vts_job_is_leasable(const Vtstatus__Store__V1__JobRecord *record, int64_t now_ns);
/* When a record that is done, or a tombstone, may be forgotten; INT64_MAX: not yet known. */
int64_t vts_job_forget_ns(const Vtstatus__Store__V1__JobRecord *record);

/* Checks all that holds between the fields of a record: for tests, and when one is loaded. Returns
 * what is wrong, a literal, or NULL. */
const char *vts_job_check(const Vtstatus__Store__V1__JobRecord *record);

#endif
