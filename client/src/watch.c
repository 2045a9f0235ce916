/* SPDX-License-Identifier: Apache-2.0 */
/* watch.c - follows jobs over as many streams as it takes.
 *
 * A stream that breaks off is opened again for the jobs that are not done. Each asks for the
 * present status first, so that its answer begins at once and a dead server is noticed; what is
 * known already is not told again.
 */
#include <math.h>
#include <string.h>

#include "client/src/backoff.h"
#include "client/src/call_options.h"
#include "client/src/client.h"
#include "client/src/failure.h"
#include "client/src/message.h"
#include "client/src/status.h"
#include "client/src/stream.h"
#include "common/base/arena.h"
#include "common/base/clock.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum { MAX_MEMORY_BYTES = 8 << 20, MAX_ARENA_BYTES = 1 << 20 };

static const struct vts_backoff retry_backoff = {
    .interval = 1, .factor = 1.5, .max_interval = 20, .jitter = 0.2};

/* s; a stream ends this much behind the deadline, so that it has passed then by every clock. */
static const double deadline_grace = 0.01;

struct watched {
    const char *job_id;
    uint64_t revision; /* 0: none was told yet */
    bool is_done;
};

struct watch {
    struct vts_client *client;
    const struct vts_watch_options *options;
    struct watched *jobs;
    size_t jobs_count;
    struct vts_status *last;
    int64_t start_ns;
    int64_t end_ns;    /* INT64_MAX: no deadline */
    unsigned failures; /* streams in a row that brought nothing */
    bool is_unwanted;  /* the callback said so */
    struct vts_rng rng;
};

static double seconds_left(const struct watch *watch)
{
    if (watch->end_ns == INT64_MAX)
        return INFINITY;
    return (double)(watch->end_ns - vts_clock_now_ns()) / VTS_NS_PER_S;
}

static bool is_over(const struct watch *watch)
{
    for (size_t i = 0; i < watch->jobs_count; i++)
        if (!watch->jobs[i].is_done)
            return false;
    return true;
}

/* ---- a status -------------------------------------------------------------------------------- */

static struct watched *find(const struct watch *watch, const char *job_id)
{
    for (size_t i = 0; i < watch->jobs_count; i++)
        if (strcmp(watch->jobs[i].job_id, job_id) == 0)
            return &watch->jobs[i];
    return NULL;
}

static enum vts_err tell(struct watch *watch, struct watched *job, struct vts_status *status)
{
    const struct vts_watch_event event = {.status = status, .next_try = -1};

    job->revision = vts_status_revision(status);
    job->is_done = vts_status_is_done(status);
    vts_status_free(watch->last);
    watch->last = vts_status_ref(status);
    if (watch->options->on_event != NULL)
        watch->is_unwanted = !watch->options->on_event(&event, watch->options->context);
    if (watch->is_unwanted)
        return VTS_ERR_CLOSED;
    return VTS_OK;
}

/* Both kinds of response have the status as their first field, and differ in nothing else. */
static enum vts_err on_message(struct vts_str bytes, void *context, struct vts_error *error)
{
    struct watch *watch = context;
    size_t memory_bytes = MAX_MEMORY_BYTES;
    ProtobufCMessage *message = NULL;
    struct vts_status *status = NULL;
    struct watched *job;
    enum vts_err err = vts_message_decode(bytes, &vtstatus__v1__watch_statuses_response__descriptor,
                                          &memory_bytes, &message, error);

    if (err != VTS_OK)
        return err;
    err =
        vts_status_adopt((Vtstatus__V1__JobStatus *)vts_message_detach(message, 0), &status, error);
    vts_message_free(message);
    if (err != VTS_OK)
        return err;
    watch->failures = 0;
    job = find(watch, vts_status_job_id(status));
    if (job == NULL)
        err = vts_error_set(error, VTS_ERR_PROTOCOL, "it is about another job");
    else if (job->revision != vts_status_revision(status) ||
             job->is_done != vts_status_is_done(status))
        err = tell(watch, job, status);
    vts_status_free(status);
    return err;
}

/* ---- a stream -------------------------------------------------------------------------------- */

static enum vts_client_code watch_one(struct watch *watch, struct vts_client_error *error)
{
    Vtstatus__V1__WatchStatusRequest message = VTSTATUS__V1__WATCH_STATUS_REQUEST__INIT;
    struct vts_stream_request request = {.path = "/vtstatus.v1.StatusService/WatchStatus",
                                         .message = &message.base,
                                         .job_id = watch->jobs[0].job_id,
                                         .timeout = seconds_left(watch) + deadline_grace,
                                         .on_message = on_message,
                                         .context = watch};

    message.job_id = vts_message_text(watch->jobs[0].job_id);
    return vts_stream_call(watch->client, &request, error);
}

static void add_cursors(const struct watch *watch, Vtstatus__V1__WatchStatusesRequest *message,
                        struct vts_arena *arena)
{
    Vtstatus__V1__JobCursor *cursors = vts_arena_alloc(arena, watch->jobs_count * sizeof(*cursors));

    message->jobs = vts_arena_alloc(arena, watch->jobs_count * sizeof(void *));
    for (size_t i = 0; cursors != NULL && message->jobs != NULL && i < watch->jobs_count; i++) {
        if (watch->jobs[i].is_done)
            continue;
        vtstatus__v1__job_cursor__init(&cursors[i]);
        cursors[i].job_id = vts_message_text(watch->jobs[i].job_id);
        message->jobs[message->n_jobs++] = &cursors[i];
    }
}

static enum vts_client_code watch_many(struct watch *watch, struct vts_client_error *error)
{
    Vtstatus__V1__WatchStatusesRequest message = VTSTATUS__V1__WATCH_STATUSES_REQUEST__INIT;
    struct vts_stream_request request = {.path = "/vtstatus.v1.StatusService/WatchStatuses",
                                         .message = &message.base,
                                         .timeout = seconds_left(watch) + deadline_grace,
                                         .on_message = on_message,
                                         .context = watch};
    struct vts_arena arena;
    enum vts_client_code code;

    vts_arena_init(&arena, MAX_ARENA_BYTES);
    add_cursors(watch, &message, &arena);
    if (vts_arena_check(&arena) == VTS_OK)
        code = vts_stream_call(watch->client, &request, error);
    else
        code = vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    vts_arena_fini(&arena);
    return code;
}

/* ---- all of them ----------------------------------------------------------------------------- */

static enum vts_client_code give_up(const struct watch *watch, struct vts_client_error *error)
{
    double seconds = (double)(vts_clock_now_ns() - watch->start_ns) / VTS_NS_PER_S;
    size_t left = 0;

    for (size_t i = 0; i < watch->jobs_count; i++)
        left += watch->jobs[i].is_done ? 0 : 1;
    return vts_failure_set(error, VTS_CLIENT_GAVE_UP,
                           "gave up after %.3g s, at the deadline; %zu of %zu %s not done", seconds,
                           left, watch->jobs_count, watch->jobs_count == 1 ? "job is" : "jobs are");
}

/* Tells of the failure and waits; what it returns other than VTS_CLIENT_OK ends the watching. */
static enum vts_client_code pause_after(struct watch *watch, struct vts_client_error *error)
{
    struct vts_watch_event event = {.error = error};
    double left = seconds_left(watch);

    watch->failures++;
    if (!vts_failure_may_pass(error) || watch->failures >= watch->options->max_failures)
        return error->code;
    event.next_try = vts_backoff_retry_wait(&retry_backoff, watch->failures, -1, &watch->rng);
    vts_log_write(&watch->client->log, "%.400s; the next stream in %.3f s", error->text,
                  event.next_try);
    if (watch->options->on_event != NULL &&
        !watch->options->on_event(&event, watch->options->context))
        return vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    if (!vts_transport_wait(watch->client->transport, fmin(event.next_try, fmax(left, 0))))
        return vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled");
    return VTS_CLIENT_OK;
}

static enum vts_client_code run(struct watch *watch, struct vts_client_error *error)
{
    while (!is_over(watch)) {
        enum vts_client_code code;

        if (seconds_left(watch) <= 0)
            return give_up(watch, error);
        code = watch->jobs_count == 1 ? watch_one(watch, error) : watch_many(watch, error);
        if (is_over(watch))
            break;
        if (code == VTS_CLIENT_CANCELLED)
            return code;
        if (seconds_left(watch) <= 0)
            return give_up(watch, error);
        if (code == VTS_CLIENT_OK)
            (void)vts_failure_set(error, VTS_CLIENT_CONNECT,
                                  "%s ended the stream before the job was done",
                                  watch->client->origin.text); /* pause_after looks at *error */
        code = pause_after(watch, error);
        if (code != VTS_CLIENT_OK)
            return code;
    }
    return watch->is_unwanted ? vts_failure_set(error, VTS_CLIENT_CANCELLED, "cancelled")
                              : VTS_CLIENT_OK;
}

static enum vts_client_code check_jobs(const char *const *job_ids, size_t count,
                                       struct vts_client_error *error)
{
    enum vts_client_code code = VTS_CLIENT_OK;

    if (count < 1 || count > VTS_WATCH_MAX_JOBS)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "1 to %d jobs can be watched at once",
                               VTS_WATCH_MAX_JOBS);
    for (size_t i = 0; i < count && code == VTS_CLIENT_OK; i++)
        code = vts_client_check_job_id(job_ids[i], error);
    return code;
}

static bool add_jobs(struct watch *watch, const char *const *job_ids, size_t count,
                     struct vts_arena *arena)
{
    watch->jobs = vts_arena_alloc(arena, count * sizeof(*watch->jobs));
    if (watch->jobs == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const char *job_id = job_ids[i] == NULL || job_ids[i][0] == '\0' ? "default" : job_ids[i];

        /* Once is enough, however often it is asked for. */
        if (find(watch, job_id) == NULL)
            watch->jobs[watch->jobs_count++] = (struct watched){.job_id = job_id};
    }
    return true;
}

/* *ret_status is the last status seen, or NULL. */
static enum vts_client_code watch_jobs(struct vts_client *client, const char *const *job_ids,
                                       size_t count, const struct vts_watch_options *options,
                                       struct vts_status **ret_status,
                                       struct vts_client_error *error)
{
    struct vts_watch_options checked;
    struct watch watch = {
        .client = client, .options = &checked, .start_ns = vts_clock_now_ns(), .end_ns = INT64_MAX};
    struct vts_arena arena;
    enum vts_client_code code;

    vts_failure_clear(error);
    *ret_status = NULL;
    code = vts_watch_options_read(options, &checked, error);
    if (code == VTS_CLIENT_OK)
        code = check_jobs(job_ids, count, error);
    if (code != VTS_CLIENT_OK)
        return code;
    if (checked.deadline > 0)
        watch.end_ns = watch.start_ns + (int64_t)(checked.deadline * VTS_NS_PER_S);
    vts_rng_init(&watch.rng, vts_rng_seed_from_system());
    vts_arena_init(&arena, MAX_ARENA_BYTES);
    if (add_jobs(&watch, job_ids, count, &arena))
        code = run(&watch, error);
    else
        code = vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    vts_arena_fini(&arena);
    *ret_status = watch.last;
    return code;
}

enum vts_client_code vts_watch_statuses(struct vts_client *client, const char *const *job_ids,
                                        size_t count, const struct vts_watch_options *options,
                                        struct vts_client_error *error)
{
    struct vts_status *last = NULL;
    struct vts_client_error own;
    enum vts_client_code code;

    code = watch_jobs(client, job_ids, count, options, &last, error != NULL ? error : &own);
    vts_status_free(last);
    return code;
}

enum vts_client_code vts_watch_status(struct vts_client *client, const char *job_id,
                                      const struct vts_watch_options *options,
                                      struct vts_status **ret_status,
                                      struct vts_client_error *error)
{
    struct vts_client_error own;

    return watch_jobs(client, &job_id, 1, options, ret_status, error != NULL ? error : &own);
}
