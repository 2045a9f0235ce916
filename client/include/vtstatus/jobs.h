/* SPDX-License-Identifier: Apache-2.0 */
/* vtstatus/jobs.h - submits video-translation jobs, looks at them, and decides over them.
 *
 *     struct vts_create_options options;
 *     struct vts_job *job = NULL;
 *
 *     vts_create_options_init(&options);
 *     options.source_uri = "file:///in.mp4";
 *     options.target_language = "de";
 *     if (vts_create_job(client, &options, &job, &error) == VTS_CLIENT_OK &&
 *         vts_wait(client, vts_job_id(job), NULL, &status, &error) == VTS_CLIENT_OK)
 *         puts(vts_status_word(status)); (vts_wait is in <vtstatus/wait.h>)
 *
 * Conventions and threads are those of <vtstatus/client.h>: each call takes at most the client's
 * request_timeout unless it says otherwise, and what cannot be done is an enum vts_client_code. A
 * job, like a status, is immutable: what it says is how things were when it was asked for.
 */
#ifndef VTSTATUS_JOBS_H
#define VTSTATUS_JOBS_H

#include <vtstatus/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a job ------------------------------------------------------------------------------- */

struct vts_job;

/* One worker's try. Newer libraries may add fields at the end: never copy or index it. */
struct vts_attempt {
    int number; /* counts from 1, and on over retries */
    const char *worker_id;
    int64_t start_time_ns;     /* 0 when unknown */
    int64_t end_time_ns;       /* 0 while it goes on */
    int error_code;            /* gRPC's; 0 when it succeeded or goes on */
    const char *error_message; /* "" then */
};

VTS_API void vts_job_free(struct vts_job *job);
VTS_API const char *vts_job_id(const struct vts_job *job);
/* Lives as long as the job; vts_status_ref() makes another owner. */
VTS_API const struct vts_status *vts_job_status(const struct vts_job *job);
VTS_API const char *vts_job_source_uri(const struct vts_job *job);
/* "" when it is to be detected. */
VTS_API const char *vts_job_source_language(const struct vts_job *job);
VTS_API const char *vts_job_target_language(const struct vts_job *job);
VTS_API const char *vts_job_queue(const struct vts_job *job);
VTS_API int vts_job_priority(const struct vts_job *job);
VTS_API int vts_job_max_attempts(const struct vts_job *job);
/* s for one attempt; 0 when there is no limit. */
VTS_API double vts_job_timeout(const struct vts_job *job);
/* Nanoseconds since the Unix epoch; 0 when unknown, or not come yet. */
VTS_API int64_t vts_job_create_time_ns(const struct vts_job *job);
VTS_API int64_t vts_job_start_time_ns(const struct vts_job *job);
VTS_API int64_t vts_job_end_time_ns(const struct vts_job *job);
/* When the server forgets it. */
VTS_API int64_t vts_job_expire_time_ns(const struct vts_job *job);
/* NULL from index count on. */
VTS_API const struct vts_pair *vts_job_label(const struct vts_job *job, size_t index);
VTS_API const struct vts_pair *vts_job_option(const struct vts_job *job, size_t index);
/* The newest 20, the newest last. */
VTS_API const struct vts_attempt *vts_job_attempt(const struct vts_job *job, size_t index);
VTS_API size_t vts_job_label_count(const struct vts_job *job);
VTS_API size_t vts_job_option_count(const struct vts_job *job);
VTS_API size_t vts_job_attempt_count(const struct vts_job *job);
/* What names this state of the job, for struct vts_decide_options: "r7", quotes included, with the
 * status's revision. */
VTS_API const char *vts_job_etag(const struct vts_job *job);
/* As vts_status_to_json, and as the server's own `GET /v1/jobs/{id}` writes it. */
VTS_API enum vts_client_code vts_job_to_json(const struct vts_job *job, char **ret_json);

/* ---- submitting -------------------------------------------------------------------------- */

struct vts_create_options {
    size_t size;                 /* set by vts_create_options_init */
    const char *source_uri;      /* needed */
    const char *source_language; /* BCP 47; NULL: it is detected */
    const char *target_language; /* BCP 47; needed */
    const struct vts_pair *options;
    size_t options_count;
    const struct vts_pair *labels;
    size_t labels_count;
    const char *job_id;    /* NULL: the server makes one */
    const char *queue;     /* NULL: "default" */
    int priority;          /* higher ones are worked on first; -1000 to 1000. Default 0 */
    int max_attempts;      /* 1 to 100; 0: the server's default, 3 */
    double timeout;        /* s for one attempt; 0: no limit */
    double ttl;            /* s to keep the job once it is done; 0: the server's default */
    int64_t start_time_ns; /* not before then, since the Unix epoch; 0: at once */
    /* At most 36 characters: the same one within 24 hours gives the same job. NULL: a random one.
     * It makes it safe to send a request again whose answer was lost; the library does so. */
    const char *request_id;
};

VTS_API void vts_create_options_init_sized(struct vts_create_options *options, size_t size);
static inline void vts_create_options_init(struct vts_create_options *options)
{
    vts_create_options_init_sized(options, sizeof(*options));
}

/* Submits a job. *ret_job belongs to the caller and is written only on VTS_CLIENT_OK.
 * VTS_CLIENT_CONFLICT: there is a job with this id. */
VTS_API enum vts_client_code vts_create_job(struct vts_client *client,
                                            const struct vts_create_options *options,
                                            struct vts_job **ret_job,
                                            struct vts_client_error *error);

enum { VTS_CREATE_MAX_JOBS = 1000 };

/* Submits many jobs with one request, such as one video into many languages. options has `count`
 * pointers, 1 to VTS_CREATE_MAX_JOBS; the jobs may have a MiB together.
 *
 * VTS_CLIENT_OK: each job has an outcome of its own: the job in ret_jobs, or NULL there and the
 * reason in ret_errors. Both have room for `count`; ret_errors, which may be NULL, is written only
 * then. Otherwise none is known to be submitted, and ret_jobs holds NULL. */
VTS_API enum vts_client_code vts_create_jobs(struct vts_client *client,
                                             const struct vts_create_options *const *options,
                                             size_t count, struct vts_job **ret_jobs,
                                             struct vts_client_error *ret_errors,
                                             struct vts_client_error *error);

/* ---- looking ----------------------------------------------------------------------------- */

/* *ret_job as with vts_create_job. VTS_CLIENT_NOT_FOUND. */
VTS_API enum vts_client_code vts_get_job(struct vts_client *client, const char *job_id,
                                         struct vts_job **ret_job, struct vts_client_error *error);

struct vts_list_options {
    size_t size;                  /* set by vts_list_options_init */
    const enum vts_state *states; /* any of these; none: all */
    size_t states_count;
    const char *queue;             /* NULL: all */
    const struct vts_pair *labels; /* all of these */
    size_t labels_count;
    int64_t created_after_ns;  /* since the Unix epoch; 0: whenever */
    int64_t created_before_ns; /* the same */
    bool is_oldest_first;      /* otherwise newest first */
    int page_size;             /* jobs a request, 1 to 1000; 0: the server's default, 50 */
};

VTS_API void vts_list_options_init_sized(struct vts_list_options *options, size_t size);
static inline void vts_list_options_init(struct vts_list_options *options)
{
    vts_list_options_init_sized(options, sizeof(*options));
}

/* A walk through jobs; it asks for a page whenever the last one is used up. */
struct vts_job_list;

/* Starts a walk; nothing is asked yet. options NULL means all jobs. The list borrows the client,
 * and is freed by the caller before it. */
VTS_API enum vts_client_code vts_list_jobs(struct vts_client *client,
                                           const struct vts_list_options *options,
                                           struct vts_job_list **ret_list,
                                           struct vts_client_error *error);
/* The next job; *ret_job belongs to the caller, is written only on VTS_CLIENT_OK, and is NULL at
 * the end. After a failure it may be tried again. */
VTS_API enum vts_client_code vts_job_list_next(struct vts_job_list *list, struct vts_job **ret_job,
                                               struct vts_client_error *error);
VTS_API void vts_job_list_free(struct vts_job_list *list);

/* ---- deciding ---------------------------------------------------------------------------- */

struct vts_decide_options {
    size_t size; /* set by vts_decide_options_init */
    /* Only if the job is still as it was then: what vts_job_etag() said. A call with one is sent
     * once at most. NULL: however it is. */
    const char *etag;
    const char *reason; /* of vts_cancel_job(), for people; NULL: none */
};

VTS_API void vts_decide_options_init_sized(struct vts_decide_options *options, size_t size);
static inline void vts_decide_options_init(struct vts_decide_options *options)
{
    vts_decide_options_init_sized(options, sizeof(*options));
}

/* Each: *ret_job is the job afterwards, as with vts_create_job; ret_job may be NULL. options NULL
 * means the defaults. VTS_CLIENT_NOT_FOUND; VTS_CLIENT_CONFLICT when the job's state does not allow
 * it, or, with the reason "ETAG_MISMATCH", when the job has changed since the etag. */

/* A job that waits is cancelled at once; one that runs when its worker has heard of it. */
VTS_API enum vts_client_code vts_cancel_job(struct vts_client *client, const char *job_id,
                                            const struct vts_decide_options *options,
                                            struct vts_job **ret_job,
                                            struct vts_client_error *error);
/* A failed or cancelled job starts anew. */
VTS_API enum vts_client_code vts_retry_job(struct vts_client *client, const char *job_id,
                                           const struct vts_decide_options *options,
                                           struct vts_job **ret_job,
                                           struct vts_client_error *error);
/* Forgets a job that is done. */
VTS_API enum vts_client_code vts_delete_job(struct vts_client *client, const char *job_id,
                                            const struct vts_decide_options *options,
                                            struct vts_client_error *error);

#ifdef __cplusplus
}
#endif

#endif
