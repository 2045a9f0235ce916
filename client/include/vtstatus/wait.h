/* SPDX-License-Identifier: Apache-2.0 */
/* vtstatus/wait.h - waits for the ends of jobs, of one or of thousands, in the cheapest way that
 * gets through to the server.
 *
 *     struct vts_status *status = NULL;
 *
 *     if (vts_wait(client, "default", NULL, &status, &error) == VTS_CLIENT_OK)
 *         puts(vts_status_word(status));
 *     vts_status_free(status);
 *
 * There are three rungs, and a wait stands on the highest one that holds:
 *
 *     watch       one stream for up to 1000 jobs: each change comes by itself
 *     long-poll   a request for each job that the server holds until there is news
 *     poll        requests by a schedule; many jobs share one
 *
 * It goes down by itself where streams or held requests are cut, and up again when they pass; a
 * client remembers which rung held. Whatever happens below, a revision of a job is told once at
 * most, never an older one after a newer one, and the final one always.
 *
 * Conventions and threads are those of <vtstatus/client.h>, with one addition: a waiter uses of its
 * client nothing that changes, so that it may be run in one thread while another one uses the
 * client. The client must live longer than its waiters.
 */
#ifndef VTSTATUS_WAIT_H
#define VTSTATUS_WAIT_H

#include <vtstatus/client.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- how to wait ------------------------------------------------------------------------- */

enum vts_wait_mode {
    VTS_WAIT_AUTO = 0,
    VTS_WAIT_WATCH = 1,
    VTS_WAIT_LONG_POLL = 2, /* for at most VTS_WAIT_MAX_HELD jobs at a time */
    VTS_WAIT_POLL = 3,
};

enum { VTS_WAIT_MAX_JOBS = 50000, VTS_WAIT_MAX_HELD = 48 };

/* "auto", "watch", "long-poll" or "poll"; "unknown" for anything else. Never NULL. */
VTS_API const char *vts_wait_mode_word(enum vts_wait_mode mode);

/* What became known: news of a job, its end, or a failure that may pass. */
struct vts_wait_event {
    /* NULL: what failed concerns several jobs, or all of them. */
    const char *job_id;
    void *data;                           /* as given with the job; NULL without job_id */
    const struct vts_status *status;      /* NULL: see error */
    const struct vts_client_error *error; /* NULL: see status */
    bool is_final;           /* the job is done, or given up; it is waited for no more */
    double next_try;         /* s until the next request, for an error that may pass */
    enum vts_wait_mode rung; /* that the news came by; never VTS_WAIT_AUTO */
};

/* Called in the thread that waits. It must not call the client with which it waits,
 * vts_client_cancel() excepted, nor free the waiter; it may add and remove jobs. What it gets is
 * borrowed until it returns; vts_status_ref() makes another owner of the status. Returning false
 * ends the waiting with VTS_CLIENT_CANCELLED. */
typedef bool (*vts_wait_fn)(const struct vts_wait_event *event, void *context);

/* Tells a loop to look after a file descriptor: events of VTS_WAIT_READ and VTS_WAIT_WRITE, 0 to
 * forget it. Must not call the library. */
typedef void (*vts_wait_fd_fn)(int fd, unsigned events, void *context);

struct vts_wait_options {
    size_t size; /* set by vts_wait_options_init */
    /* One rung and no other; VTS_WAIT_AUTO, the default, goes up and down. */
    enum vts_wait_mode mode;
    /* Nothing but the ends is of interest: fewer requests where the server holds them, and while
     * more than 64 jobs are waited for, streams bring less. Of each job something is told before
     * its end all the same. Without on_event it is so by itself. */
    bool is_end_only;
    unsigned max_failures; /* in a row before a job is given up; at least 1. Default 5 */
    double deadline;       /* s for the whole waiting; not positive: none. Default 0 */
    /* The schedule of polls and of tries after failures: interval, backoff_factor, max_interval,
     * jitter and its kind and seed, ignore_hints; nothing else of it counts. NULL: the defaults. */
    const struct vts_poll_options *poll;
    vts_wait_fn on_event; /* NULL: none */
    void *context;        /* for on_event */
    vts_wait_fd_fn on_fd; /* NULL: none; see vts_waiter_fds */
    void *fd_context;     /* for on_fd */
};

VTS_API void vts_wait_options_init_sized(struct vts_wait_options *options, size_t size);
static inline void vts_wait_options_init(struct vts_wait_options *options)
{
    vts_wait_options_init_sized(options, sizeof(*options));
}

/* ---- waiting in this thread -------------------------------------------------------------- */

/* Each: options NULL means the defaults. A job id NULL or "" means "default".
 *
 * VTS_CLIENT_OK        the job is done, well or not: a job that failed is data
 * VTS_CLIENT_GAVE_UP   the deadline came first; the job goes on
 * VTS_CLIENT_CANCELLED by vts_client_cancel(), or on_event said so
 * anything else        a failure that does not pass, or max_failures of them in a row
 */

/* Waits for one job. *ret_status is the last status seen; it is written on every outcome, with NULL
 * when none was seen, and belongs to the caller. */
VTS_API enum vts_client_code vts_wait(struct vts_client *client, const char *job_id,
                                      const struct vts_wait_options *options,
                                      struct vts_status **ret_status,
                                      struct vts_client_error *error);

/* Waits until one of the jobs is done. *ret_index is its place in job_ids, and *ret_status its
 * status, the caller's; both are written only on VTS_CLIENT_OK. A job that cannot be waited for,
 * since there is none of that id, ends the waiting only when it is the last one. */
VTS_API enum vts_client_code vts_wait_any(struct vts_client *client, const char *const *job_ids,
                                          size_t count, const struct vts_wait_options *options,
                                          size_t *ret_index, struct vts_status **ret_status,
                                          struct vts_client_error *error);

/* Waits until all of them are done; one that is named twice is waited for once. statuses has room
 * for count of them, or is NULL: each becomes the job's last status, the caller's, or NULL when
 * none was seen, on every outcome but VTS_CLIENT_USAGE. A job that cannot be waited for does not
 * hold up the others: when they are done, its failure is what is returned. */
VTS_API enum vts_client_code vts_wait_all(struct vts_client *client, const char *const *job_ids,
                                          size_t count, const struct vts_wait_options *options,
                                          struct vts_status **statuses,
                                          struct vts_client_error *error);

/* ---- waiting in another process ---------------------------------------------------------- */

/* A string, of letters, digits, '-' and '_', by which another process goes on waiting for the
 * status's job from that revision on. It is no secret: whoever has it needs the same rights as
 * anybody. The caller frees *ret_token with vts_string_free(). VTS_CLIENT_NO_MEMORY. */
VTS_API enum vts_client_code vts_wait_token(const struct vts_client *client,
                                            const struct vts_status *status, char **ret_token,
                                            struct vts_client_error *error);

/* The job that a token is for; the caller frees *ret_job_id with vts_string_free().
 * VTS_CLIENT_USAGE when it is no token, or for another server than the client's, by its URL. */
VTS_API enum vts_client_code vts_wait_token_job(const struct vts_client *client, const char *token,
                                                char **ret_job_id, struct vts_client_error *error);

/* As vts_wait, but tells only what is newer than the token's revision, and the end always.
 * job_id, unless it is NULL, must be the token's. VTS_CLIENT_USAGE for a token of another server or
 * job, or for none at all. */
VTS_API enum vts_client_code vts_wait_resume(struct vts_client *client, const char *token,
                                             const char *job_id,
                                             const struct vts_wait_options *options,
                                             struct vts_status **ret_status,
                                             struct vts_client_error *error);

/* ---- waiting in a loop of one's own ------------------------------------------------------ */

/* A wait that never blocks. It has its own connection, and is for one thread at a time.
 *
 *     vts_waiter_new(client, &options, &waiter, &error);
 *     vts_waiter_add(waiter, "a", 0, NULL, &error);
 *     while (vts_waiter_left(waiter) > 0 && code == VTS_CLIENT_OK) {
 *         struct vts_waiter_fd fds[VTS_WAITER_MAX_FDS];
 *         size_t count = vts_waiter_fds(waiter, fds, VTS_WAITER_MAX_FDS);
 *         ... poll(2) them, at most vts_waiter_timeout(waiter) seconds ...
 *         code = vts_waiter_run(waiter, fd, events, &error); for each that is ready, and once
 *                                                            with fd -1 when the time is over
 *     }
 */
struct vts_waiter;

enum { VTS_WAIT_READ = 1, VTS_WAIT_WRITE = 2 };
enum { VTS_WAITER_MAX_FDS = 64 };

struct vts_waiter_fd {
    int fd;
    unsigned events; /* VTS_WAIT_READ, VTS_WAIT_WRITE */
};

/* The deadline begins now. VTS_CLIENT_USAGE for a bad option, VTS_CLIENT_NO_MEMORY. */
VTS_API enum vts_client_code vts_waiter_new(struct vts_client *client,
                                            const struct vts_wait_options *options,
                                            struct vts_waiter **ret_waiter,
                                            struct vts_client_error *error);
/* Closes its connections at once, which is how the server learns of it. Nothing more is told. */
VTS_API void vts_waiter_free(struct vts_waiter *waiter);

/* Waits for one more job, of which after_revision was told already; 0: nothing was. Sends nothing
 * yet. Jobs that are added together share a stream. VTS_CLIENT_USAGE for a bad id, or past
 * VTS_WAIT_MAX_JOBS, in mode VTS_WAIT_LONG_POLL past VTS_WAIT_MAX_HELD; VTS_CLIENT_CONFLICT when it
 * is waited for already; VTS_CLIENT_NO_MEMORY. */
VTS_API enum vts_client_code vts_waiter_add(struct vts_waiter *waiter, const char *job_id,
                                            uint64_t after_revision, void *data,
                                            struct vts_client_error *error);
/* Nothing more is told of the job. Does nothing when it is not waited for. */
VTS_API void vts_waiter_remove(struct vts_waiter *waiter, const char *job_id);
/* How many jobs are still waited for. */
VTS_API size_t vts_waiter_left(const struct vts_waiter *waiter);

/* The file descriptors to look after now, at most `capacity` of them; returns how many. They change
 * with every call of vts_waiter_add and vts_waiter_run. Loops that keep a set of their own are told
 * of changes by on_fd instead, from within those calls and the first ones from vts_waiter_new;
 * after vts_waiter_free they must forget them all. */
VTS_API size_t vts_waiter_fds(const struct vts_waiter *waiter, struct vts_waiter_fd *fds,
                              size_t capacity);
/* s until vts_waiter_run must be called whatever happens; 0: now; negative: need not. */
VTS_API double vts_waiter_timeout(const struct vts_waiter *waiter);
/* Does what can be done now and tells what became known. fd and events are what the loop saw; -1
 * and 0 when the time is over. VTS_CLIENT_OK: it goes on, or nothing is left. Anything else is the
 * end, which later calls repeat: VTS_CLIENT_GAVE_UP, VTS_CLIENT_CANCELLED, VTS_CLIENT_NO_MEMORY. */
VTS_API enum vts_client_code vts_waiter_run(struct vts_waiter *waiter, int fd, unsigned events,
                                            struct vts_client_error *error);
/* A small loop for those who have none: runs the waiter until something was done, or the seconds
 * are over. Returns as vts_waiter_run does. */
VTS_API enum vts_client_code vts_waiter_wait(struct vts_waiter *waiter, double seconds,
                                             struct vts_client_error *error);

/* ---- waiting in the background ----------------------------------------------------------- */

/* A thread of the library's that runs a waiter. */
struct vts_wait_thread;

/* Starts the thread, with all signals blocked. on_event, and on_log of the client, are called in
 * it. on_fd is not used. */
VTS_API enum vts_client_code vts_wait_thread_start(struct vts_client *client,
                                                   const struct vts_wait_options *options,
                                                   struct vts_wait_thread **ret_thread,
                                                   struct vts_client_error *error);
/* From any thread, on_event included. As vts_waiter_add, but for a job that is waited for already:
 * that one goes on, and the new data is forgotten. After the waiting has ended, its outcome. Past
 * VTS_WAIT_MAX_JOBS, or VTS_WAIT_MAX_HELD, that one is refused as well; and what was added or
 * removed counts there until the thread has seen to it. A job that there is no memory for by then
 * is told as given up. */
VTS_API enum vts_client_code vts_wait_thread_add(struct vts_wait_thread *thread, const char *job_id,
                                                 uint64_t after_revision, void *data,
                                                 struct vts_client_error *error);
/* From any thread, on_event included. What is being told may still come. VTS_CLIENT_USAGE for a bad
 * id, VTS_CLIENT_NO_MEMORY. */
VTS_API enum vts_client_code vts_wait_thread_remove(struct vts_wait_thread *thread,
                                                    const char *job_id,
                                                    struct vts_client_error *error);
/* Blocks until no job is left, or the waiting has ended; returns as vts_waiter_run does. Further
 * jobs may be added afterwards. From any thread, but not from on_event. */
VTS_API enum vts_client_code vts_wait_thread_drain(struct vts_wait_thread *thread,
                                                   struct vts_client_error *error);
/* Ends the waiting, at once, and the thread; afterwards nothing is told. NULL is accepted. Not from
 * on_event. */
VTS_API void vts_wait_thread_free(struct vts_wait_thread *thread);

/* ---- what it took ------------------------------------------------------------------------ */

/* Counts since the client was made, its waiters' among them. */
struct vts_stats {
    size_t size;
    uint64_t requests;  /* sent; a stream is one */
    uint64_t bytes_in;  /* headers and bodies, as HTTP/1.1 would write them, without TLS */
    uint64_t bytes_out; /* the same, of requests that have ended */
    uint64_t retries;   /* requests that followed a failed one */
    uint64_t falls;     /* to a lower rung */
    uint64_t climbs;    /* to a higher one */
    uint64_t ends;      /* jobs whose end was told */
    /* s from the server's update_time of an end, or from when it began to be waited for, to its
     * being told; by two machines' clocks. */
    double last_delay;
    double max_delay;
    double total_delay; /* of all ends together */
    /* That the latest news came by; VTS_WAIT_AUTO before there were any. */
    enum vts_wait_mode rung;
};

/* May be called from any thread while the client lives. `size` is sizeof(*ret_stats). */
VTS_API void vts_client_stats_sized(const struct vts_client *client, struct vts_stats *ret_stats,
                                    size_t size);
static inline void vts_client_stats(const struct vts_client *client, struct vts_stats *ret_stats)
{
    vts_client_stats_sized(client, ret_stats, sizeof(*ret_stats));
}

#ifdef __cplusplus
}
#endif

#endif
