/* SPDX-License-Identifier: Apache-2.0 */
/* vtstatus/worker.h - for programs that do the work: take a job, report on it, end it.
 *
 *     while (vts_lease_job(client, &options, &lease, &error) == VTS_CLIENT_OK) {
 *         if (lease == NULL)
 *             continue;
 *         ... vts_heartbeat_job(client, lease, &progress, 0, &is_cancelled, &error) ...
 *         vts_complete_job(client, lease, "file:///out.mp4", NULL, &error);
 *         vts_lease_free(lease);
 *     }
 *
 * A lease is the right to report on a job for a while; each heartbeat renews it. Who lets it run
 * out, or whose job was taken away, gets VTS_CLIENT_LEASE_LOST from then on and should stop.
 *
 * Conventions and threads are those of <vtstatus/client.h>. A lease is immutable: several threads
 * may report on one job, each with a client of its own.
 */
#ifndef VTSTATUS_WORKER_H
#define VTSTATUS_WORKER_H

#include <vtstatus/jobs.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- taking a job ------------------------------------------------------------------------ */

struct vts_lease;

struct vts_lease_options {
    size_t size;               /* set by vts_lease_options_init */
    const char *worker_id;     /* for people and records; at most 128 characters. NULL: "" */
    const char *const *queues; /* any of these; none: "default" */
    size_t queues_count;
    const struct vts_pair *labels; /* only jobs with all of these */
    size_t labels_count;
    double duration; /* s the lease holds without a heartbeat, 1 to 3600. Default 60 */
    double wait;     /* s to wait for a job, at most 300; 0: not at all. Default 0 */
};

VTS_API void vts_lease_options_init_sized(struct vts_lease_options *options, size_t size);
static inline void vts_lease_options_init(struct vts_lease_options *options)
{
    vts_lease_options_init_sized(options, sizeof(*options));
}

/* Takes the next job. *ret_lease belongs to the caller, is written only on VTS_CLIENT_OK, and is
 * NULL when there was no work in time. It takes up to `wait` longer than another call. It is never
 * sent twice: a lease whose answer was lost runs out. options NULL means the defaults. */
VTS_API enum vts_client_code vts_lease_job(struct vts_client *client,
                                           const struct vts_lease_options *options,
                                           struct vts_lease **ret_lease,
                                           struct vts_client_error *error);
VTS_API void vts_lease_free(struct vts_lease *lease);
/* The job as it was leased; lives as long as the lease. */
VTS_API const struct vts_job *vts_lease_its_job(const struct vts_lease *lease);
/* A secret. */
VTS_API const char *vts_lease_token(const struct vts_lease *lease);
/* When it runs out without a heartbeat, by the server's clock, since the Unix epoch. */
VTS_API int64_t vts_lease_expire_time_ns(const struct vts_lease *lease);

/* ---- reporting --------------------------------------------------------------------------- */

/* Strings are UTF-8 and may be NULL, which means "". */
struct vts_progress {
    size_t size;       /* set by vts_progress_init */
    double percent;    /* 0 to 100 over the whole job */
    const char *phase; /* such as "transcribe" */
    int phase_index;   /* counts from 1 */
    int phase_count;
    const char *message; /* for people */
};

VTS_API void vts_progress_init_sized(struct vts_progress *progress, size_t size);
static inline void vts_progress_init(struct vts_progress *progress)
{
    vts_progress_init_sized(progress, sizeof(*progress));
}

/* Renews the lease, and reports when progress is not NULL. *ret_is_cancel_requested is written only
 * on VTS_CLIENT_OK: true asks the worker to stop, and to say so with vts_fail_job() or
 * vts_release_job(). The answer waits for that up to `wait` seconds, which must be less than the
 * lease holds; 0: not at all. */
VTS_API enum vts_client_code vts_heartbeat_job(struct vts_client *client,
                                               const struct vts_lease *lease,
                                               const struct vts_progress *progress, double wait,
                                               bool *ret_is_cancel_requested,
                                               struct vts_client_error *error);

/* ---- ending ------------------------------------------------------------------------------ */

/* Each ends the lease, which is still to be freed. *ret_status is the job's status afterwards,
 * belongs to the caller and is written only on VTS_CLIENT_OK; ret_status may be NULL. They are sent
 * again when an answer was lost, and may be by the caller: until another worker has the job, the
 * same end with the same lease is VTS_CLIENT_OK once more. */

/* The work is done. output_uri may be NULL. */
VTS_API enum vts_client_code vts_complete_job(struct vts_client *client,
                                              const struct vts_lease *lease, const char *output_uri,
                                              struct vts_status **ret_status,
                                              struct vts_client_error *error);

struct vts_fail_options {
    size_t size;         /* set by vts_fail_options_init */
    int code;            /* gRPC's, 1 to 16. Default 2, UNKNOWN */
    const char *message; /* UTF-8, for people; NULL: "" */
    bool is_retryable;   /* whether another attempt may help. Default false */
    double retry_delay;  /* s before it; negative: the server's schedule. Default -1 */
};

VTS_API void vts_fail_options_init_sized(struct vts_fail_options *options, size_t size);
static inline void vts_fail_options_init(struct vts_fail_options *options)
{
    vts_fail_options_init_sized(options, sizeof(*options));
}

/* The attempt failed. options NULL means the defaults. */
VTS_API enum vts_client_code vts_fail_job(struct vts_client *client, const struct vts_lease *lease,
                                          const struct vts_fail_options *options,
                                          struct vts_status **ret_status,
                                          struct vts_client_error *error);
/* Gives the job back; the attempt does not count. */
VTS_API enum vts_client_code vts_release_job(struct vts_client *client,
                                             const struct vts_lease *lease,
                                             struct vts_status **ret_status,
                                             struct vts_client_error *error);

/* ---- what a command says of its work ----------------------------------------------------- */

enum vts_report_kind {
    VTS_REPORT_NONE = 0,     /* the line is none */
    VTS_REPORT_PROGRESS = 1, /* the fields up to message */
    VTS_REPORT_OUTPUT = 2,   /* output_uri */
};

struct vts_report {
    enum vts_report_kind kind;
    double percent; /* 0 to 100 */
    char phase[128];
    int phase_index;
    int phase_count;
    char message[1024];
    char output_uri[2048];
};

/* Reads one line that a command writes to report on its work, without its line end:
 *
 *     progress 42.5
 *     progress 42.5 transcribe two speakers found
 *     {"percent":42.5,"phase":"transcribe","phaseIndex":2,"phaseCount":6,"message":"two speakers"}
 *     output file:///out.mp4
 *
 * In the first form the word after the number is the phase and the rest a message; the JSON is that
 * of vtstatus.v1.Progress. What is out of range is bounded, what is too long is cut off, and what
 * is no text becomes '?'; anything else is VTS_REPORT_NONE. */
VTS_API void vts_report_parse(const char *line, struct vts_report *ret_report);

#ifdef __cplusplus
}
#endif

#endif
