/* SPDX-License-Identifier: Apache-2.0 */
/* waiter_stream.c - the highest rung: a stream for a group of jobs.
 *
 *   none ──opens──> young ──first word──> proven ──ends, or breaks off──> none
 *                     └──────no word in time, refused, breaks off───────────^
 *
 * Each stream asks one of its jobs for the present status, and the others for what is newer than
 * what was told: a first word always comes, and a way that lets streams begin but holds back what
 * is in them is noticed. While a stream is young its jobs are polled before long, so that nobody
 * waits for it to fail.
 */
#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/message.h"
#include "client/src/status.h"
#include "client/src/waiter.h"
#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/wire/rpc_code.h"
#include "vtstatus/v1/status_service.pb-c.h"

enum {
    MAX_MEMORY_BYTES = 8 << 20,
    MAX_ARENA_BYTES = 1 << 20,
    MAX_MESSAGE_BYTES = 1 << 20,
    MAX_REFUSAL_BYTES = 64 * 1024,
    MAX_SIFTS = 3,
};

static const char stream_type[] = "application/connect+proto";

/* s. A stream that says nothing for so long is opened again: a way may have closed without a word.
 */
static const double quiet_limit = 300;
/* s from a stream's opening until its jobs are polled as well. */
static const double patience = 2;
/* s, drawn from 0 up to it: before a stream that had worked is opened again. */
static const double reopen_spread = 0.5;

static int64_t after(int64_t now_ns, double seconds)
{
    return now_ns + (int64_t)(seconds * VTS_NS_PER_S);
}

/* ---- what a stream says ---------------------------------------------------------------------- */

static void take_word(struct vts_waiter_stream *stream)
{
    struct vts_waiter_group *group = stream->group;

    stream->word_ns = vts_clock_now_ns();
    if (stream->is_proven)
        return;
    stream->is_proven = true;
    vts_waiter_succeed(group);
    group->sifts = 0;
    vts_waiter_unschedule_group(group);
    if (vts_ladder_worked(&group->ladder, VTS_WAIT_WATCH, stream->word_ns))
        vts_waiter_note_climb(group);
}

static enum vts_err take_status(struct vts_waiter_stream *stream, struct vts_status *status,
                                struct vts_error *error)
{
    struct vts_waiter_job *job = vts_waiter_find(stream->group->waiter, vts_status_job_id(status));

    if (job != NULL && job->group == stream->group) {
        take_word(stream);
        (void)vts_waiter_take(job, status, VTS_WAIT_WATCH); /* whether it is news is known there */
    } else if (!stream->group->has_lost_jobs) {             /* it may be one of those */
        return vts_error_set(error, VTS_ERR_PROTOCOL, "it is about another job");
    }
    return VTS_OK;
}

/* What was told of the job was not its end, which nobody can tell any more. */
static enum vts_err take_removal(struct vts_waiter_stream *stream, const char *job_id,
                                 struct vts_error *error)
{
    struct vts_waiter *waiter = stream->group->waiter;
    struct vts_waiter_job *job = vts_waiter_find(waiter, job_id);
    struct vts_client_error gone = {.rpc_code = VTS_RPC_NOT_FOUND};

    if (job != NULL && job->group == stream->group) {
        take_word(stream);
        (void)vts_failure_set(&gone, VTS_CLIENT_NOT_FOUND, "%s knows no job '%s' any more",
                              waiter->client->origin.text, job_id);
        vts_waiter_give_up(job, &gone);
    } else if (!stream->group->has_lost_jobs) {
        return vts_error_set(error, VTS_ERR_PROTOCOL, "it is about another job");
    }
    return VTS_OK;
}

/* Both kinds of response have the status as their first field; that of one job has no other. */
static enum vts_err on_message(struct vts_str bytes, void *context, struct vts_error *error)
{
    struct vts_waiter_stream *stream = context;
    size_t memory_bytes = MAX_MEMORY_BYTES;
    ProtobufCMessage *message = NULL;
    struct vts_status *status = NULL;
    const char *removed;
    enum vts_err err;

    err = vts_message_decode(bytes, &vtstatus__v1__watch_statuses_response__descriptor,
                             &memory_bytes, &message, error);
    if (err != VTS_OK)
        return err;
    removed = ((Vtstatus__V1__WatchStatusesResponse *)message)->removed_job_id;
    if (removed[0] != '\0') {
        err = take_removal(stream, removed, error);
        vts_message_free(message);
        return err;
    }
    err =
        vts_status_adopt((Vtstatus__V1__JobStatus *)vts_message_detach(message, 0), &status, error);
    vts_message_free(message);
    if (err != VTS_OK)
        return err;
    err = take_status(stream, status, error);
    vts_status_free(status);
    return err;
}

static bool on_piece(struct vts_str piece, void *context)
{
    struct vts_waiter_stream *stream = context;
    const char *type = vts_transfer_answer(stream->transfer)->content_type;

    if (strcmp(type, stream_type) != 0) {
        stream->reader.state = VTS_STREAM_BROKEN;
        stream->reader.err =
            vts_error_set(&stream->reader.why, VTS_ERR_PROTOCOL, "it is no stream");
    }
    vts_stream_reader_feed(&stream->reader, piece);
    return stream->reader.state == VTS_STREAM_OPEN;
}

/* ---- what its end means ---------------------------------------------------------------------- */

static void free_stream(struct vts_waiter_stream *stream)
{
    stream->group->stream = NULL;
    stream->group->waiter->streams_count--;
    vts_stream_reader_fini(&stream->reader);
    vts_mem_free(stream);
}

void vts_waiter_close_stream(struct vts_waiter_group *group)
{
    if (group->stream == NULL)
        return;
    vts_engine_stop(group->waiter->engine, group->stream->transfer);
    free_stream(group->stream);
}

/* Why a stream ended, in *error. */
static void explain(const struct vts_waiter_stream *stream, const struct vts_answer *answer,
                    struct vts_stream_refusal *ret_refusal, struct vts_client_error *error)
{
    const struct vts_client *client = stream->group->waiter->client;
    const struct vts_list *first = stream->group->jobs.next;
    const char *job_id = stream->group->jobs_count == 1
                             ? VTS_CONTAINER_OF(first, struct vts_waiter_job, member)->id
                             : NULL;

    if (vts_stream_judge(client, &stream->reader, answer, job_id, ret_refusal, error) ==
        VTS_CLIENT_OK)
        (void)vts_failure_set(error, VTS_CLIENT_CONNECT,
                              "%s ended the stream before the job was done", client->origin.text);
}

static enum vts_miss classify(const struct vts_client_error *error, bool is_foreign)
{
    if (error->rpc_code == VTS_RPC_RESOURCE_EXHAUSTED || error->http_code == 429)
        return VTS_MISS_BUSY;
    if (error->code == VTS_CLIENT_REFUSED || error->code == VTS_CLIENT_UNDECODABLE)
        return VTS_MISS_BLOCKED;
    if (is_foreign && error->http_code >= 400 && error->http_code < 500)
        return VTS_MISS_BLOCKED;
    if (error->code == VTS_CLIENT_TIMEOUT && error->http_code == 200)
        return VTS_MISS_BLOCKED;
    return VTS_MISS_DOUBT;
}

/* It had worked, so that another one will; unless there are to be no others when it fails, that is
 * no failure, but what may be expected of what stands between. */
static void go_on_after(struct vts_waiter_group *group, double lived,
                        const struct vts_client_error *error, int64_t now_ns)
{
    struct vts_waiter *waiter = group->waiter;
    double wait = reopen_spread * vts_rng_next_unit(&waiter->rng);

    if (error->code == VTS_CLIENT_UNAVAILABLE) {
        /* The server's own word, not a cut; and it means this connection most of all. */
        vts_engine_renew(waiter->engine);
        group->stops++;
        wait = vts_backoff_retry_wait(&waiter->backoff, group->stops, -1, &waiter->rng);
    } else if (vts_ladder_cut(&group->ladder, lived, now_ns)) {
        vts_waiter_note_fall(group, error);
        return;
    }
    group->stops = error->code == VTS_CLIENT_UNAVAILABLE ? group->stops : 0;
    if (group->ladder.is_pinned && !vts_waiter_fail(group, error, -1, VTS_WAIT_WATCH, &wait))
        return;
    if (group->ladder.short_lives > 1)
        wait =
            vts_backoff_retry_wait(&waiter->backoff, group->ladder.short_lives, -1, &waiter->rng);
    if (!group->ladder.is_pinned) {
        vts_counters_add(&waiter->client->counters.retries, 1);
        vts_log_write(&waiter->client->log, "%.400s; the next stream in %.3f s", error->text, wait);
    }
    group->open_ns = after(now_ns, wait);
}

static void sift(struct vts_waiter_group *group, const struct vts_client_error *error)
{
    struct vts_waiter_job *first =
        VTS_CONTAINER_OF(group->jobs.next, struct vts_waiter_job, member);
    double wait;

    if (group->jobs_count == 1) {
        vts_waiter_give_up(first, error);
        return;
    }
    group->sifts++;
    if (group->sifts > MAX_SIFTS) {
        /* The batch finds them all, the stream does not: that does not pass. */
        (void)vts_waiter_fail(group, error, -1, VTS_WAIT_WATCH, &wait);
        return;
    }
    group->is_sifting = true;
    vts_waiter_schedule_group(group, 0);
}

/* It brought nothing. */
static void miss(struct vts_waiter_group *group, const struct vts_client_error *error,
                 const struct vts_stream_refusal *refusal, int64_t now_ns)
{
    bool was_tried_only = group->ladder.rung != VTS_WAIT_WATCH;
    enum vts_miss kind = classify(error, refusal->is_foreign);
    bool has_fallen = vts_ladder_missed(&group->ladder, VTS_WAIT_WATCH, kind, now_ns);
    double wait = 0;

    if (was_tried_only)
        return;
    if (has_fallen && kind != VTS_MISS_DOUBT) {
        vts_waiter_note_fall(group, error);
        return;
    }
    if (!vts_waiter_fail(group, error, refusal->retry_after, VTS_WAIT_WATCH, &wait))
        return;
    vts_waiter_unschedule_group(group);
    group->open_ns = after(now_ns, wait);
    if (has_fallen) {
        vts_waiter_log_fall(group, error);
        vts_waiter_schedule_group(group, wait);
    }
}

static void end_stream(struct vts_waiter_group *group, bool was_proven, double lived,
                       const struct vts_client_error *error,
                       const struct vts_stream_refusal *refusal)
{
    int64_t now_ns = vts_clock_now_ns();

    if (vts_waiter_count_live(group) == 0)
        return; /* it ended because all of them did */
    if (error->code == VTS_CLIENT_NO_MEMORY)
        vts_waiter_end(group->waiter, error);
    else if (error->code == VTS_CLIENT_NOT_FOUND && !refusal->is_foreign)
        sift(group, error);
    else if (was_proven && (vts_failure_may_pass(error) || refusal->is_foreign))
        go_on_after(group, lived, error, now_ns);
    else
        miss(group, error, refusal, now_ns);
}

static void on_done(enum vts_client_code code, const struct vts_answer *answer,
                    struct vts_client_error *error, void *context)
{
    struct vts_waiter_stream *stream = context;
    struct vts_waiter_group *group = stream->group;
    double lived = (double)(vts_clock_now_ns() - stream->start_ns) / VTS_NS_PER_S;
    bool was_proven = stream->is_proven;
    struct vts_stream_refusal refusal = {.retry_after = -1};

    if (code == VTS_CLIENT_OK)
        explain(stream, answer, &refusal, error);
    free_stream(stream);
    end_stream(group, was_proven, lived, error, &refusal);
}

/* ---- opening one ----------------------------------------------------------------------------- */

static void fill(const struct vts_waiter_group *group, Vtstatus__V1__WatchStatusesRequest *message,
                 struct vts_arena *arena)
{
    Vtstatus__V1__JobCursor *cursors = vts_arena_alloc(arena, group->jobs_count * sizeof(*cursors));

    message->jobs = vts_arena_alloc(arena, group->jobs_count * sizeof(void *));
    if (cursors == NULL || message->jobs == NULL)
        return;
    for (struct vts_list *at = group->jobs.next; at != &group->jobs; at = at->next) {
        const struct vts_waiter_job *job = VTS_CONTAINER_OF(at, struct vts_waiter_job, member);
        Vtstatus__V1__JobCursor *cursor = &cursors[message->n_jobs];

        if (job->is_over)
            continue;
        vtstatus__v1__job_cursor__init(cursor);
        cursor->job_id = vts_message_text(job->id);
        /* Of the first one the present status comes in any case, and of one that was resumed: its
         * revision may be the last. */
        if (message->n_jobs > 0 && job->has_status)
            cursor->after_revision = job->revision;
        message->jobs[message->n_jobs++] = cursor;
    }
}

static enum vts_client_code send(struct vts_waiter_stream *stream, const char *path,
                                 const ProtobufCMessage *message, struct vts_client_error *error)
{
    struct vts_waiter *waiter = stream->group->waiter;
    struct vts_request post = {.path = path,
                               .timeout = __builtin_inf(),
                               .header_timeout = waiter->client->request_timeout,
                               .content_type = stream_type,
                               .needs_http2 = waiter->client->origin.is_tls,
                               .on_piece = on_piece,
                               .context = stream};
    struct vts_buf body;
    enum vts_client_code code;

    vts_buf_init(&body, MAX_MESSAGE_BYTES);
    vts_stream_add_message(&body, message);
    post.body = vts_buf_str(&body);
    if (vts_buf_check(&body) != VTS_OK)
        code = vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    else
        code = vts_waiter_send(waiter, &post, message, MAX_REFUSAL_BYTES, on_done, stream,
                               &stream->transfer, error);
    vts_buf_fini(&body);
    return code;
}

static enum vts_client_code start(struct vts_waiter_group *group, struct vts_waiter_stream *stream,
                                  struct vts_client_error *error)
{
    Vtstatus__V1__WatchStatusesRequest many = VTSTATUS__V1__WATCH_STATUSES_REQUEST__INIT;
    Vtstatus__V1__WatchStatusRequest one = VTSTATUS__V1__WATCH_STATUS_REQUEST__INIT;
    struct vts_arena arena;
    enum vts_client_code code;

    vts_arena_init(&arena, MAX_ARENA_BYTES);
    fill(group, &many, &arena);
    if (group->waiter->options.is_end_only && group->waiter->jobs.count > VTS_WAITER_FEW)
        many.until = VTSTATUS__V1__WAIT_UNTIL__WAIT_UNTIL_DONE;
    if (vts_arena_check(&arena) != VTS_OK) {
        code = vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    } else if (many.n_jobs == 1) {
        one.job_id = many.jobs[0]->job_id;
        one.until = many.until;
        code = send(stream, "/vtstatus.v1.StatusService/WatchStatus", &one.base, error);
    } else {
        code = send(stream, "/vtstatus.v1.StatusService/WatchStatuses", &many.base, error);
    }
    vts_arena_fini(&arena);
    return code;
}

static void open_stream(struct vts_waiter_group *group, int64_t now_ns)
{
    struct vts_waiter_stream *stream = vts_mem_zalloc(sizeof(*stream));
    struct vts_client_error error = {VTS_CLIENT_NO_MEMORY, .text = "out of memory"};
    enum vts_client_code code = VTS_CLIENT_NO_MEMORY;

    group->open_ns = INT64_MAX;
    if (stream != NULL) {
        stream->group = group;
        stream->start_ns = now_ns;
        vts_stream_reader_init(&stream->reader, MAX_MESSAGE_BYTES, on_message, stream);
        group->stream = stream;
        group->waiter->streams_count++;
        code = start(group, stream, &error);
    }
    if (code == VTS_CLIENT_OK && group->ladder.rung == VTS_WAIT_WATCH && !group->ladder.is_pinned)
        vts_waiter_schedule_group(group, patience);
    if (code == VTS_CLIENT_OK)
        return;
    if (stream != NULL)
        free_stream(stream);
    if (code != VTS_CLIENT_UNAVAILABLE) {
        vts_waiter_end(group->waiter, &error);
        return;
    }
    /* Some requests must end first. */
    group->open_ns = after(now_ns, 1);
    if (group->ladder.rung != VTS_WAIT_WATCH)
        (void)vts_ladder_missed(&group->ladder, VTS_WAIT_WATCH, VTS_MISS_DOUBT, now_ns);
}

static int64_t doubt_ns(const struct vts_waiter_stream *stream)
{
    if (stream->is_proven)
        return after(stream->word_ns, quiet_limit);
    return after(stream->start_ns, stream->group->waiter->client->request_timeout);
}

/* Nothing came for too long: its connection may be dead. */
static void doubt(struct vts_waiter_group *group, int64_t now_ns)
{
    const struct vts_client *client = group->waiter->client;
    const struct vts_stream_refusal silence = {.retry_after = -1};
    struct vts_client_error error = {.http_code = 0};
    bool was_proven = group->stream->is_proven;

    error.http_code = vts_transfer_answer(group->stream->transfer)->http_code;
    vts_engine_abandon(group->waiter->engine, group->stream->transfer);
    free_stream(group->stream);
    if (was_proven) {
        vts_log_write(&client->log, "the stream was quiet for long; opening another one");
        group->open_ns = now_ns;
        return;
    }
    (void)vts_failure_set(&error, VTS_CLIENT_TIMEOUT, "the stream of %s said nothing within %.3g s",
                          client->origin.text, client->request_timeout);
    end_stream(group, false, 0, &error, &silence);
}

/* s; the server's first answer says whether it needs a connection for each request. */
static const double until_met = 0.1;

/* Other jobs must not wait for a connection until a stream has come to its end. */
static void do_without(struct vts_waiter_group *group, int64_t now_ns)
{
    const struct vts_waiter *waiter = group->waiter;
    const struct vts_stream_refusal refusal = {.retry_after = -1};
    struct vts_client_error error = {.rpc_code = VTS_RPC_RESOURCE_EXHAUSTED};

    group->open_ns = after(now_ns, until_met);
    if (group->ladder.rung == VTS_WAIT_WATCH && !vts_engine_has_met_server(waiter->engine))
        return;
    (void)vts_failure_set(&error, VTS_CLIENT_UNAVAILABLE,
                          "%s does not speak HTTP/2, and %zu requests are kept waiting already",
                          waiter->client->origin.text, waiter->held_count + waiter->streams_count);
    miss(group, &error, &refusal, now_ns);
}

void vts_waiter_look_after_stream(struct vts_waiter_group *group, int64_t now_ns)
{
    if (group->stream != NULL && now_ns >= doubt_ns(group->stream))
        doubt(group, now_ns);
    if (group->stream != NULL || group->is_sifting || group->waiter->code != VTS_CLIENT_OK ||
        vts_waiter_count_live(group) == 0)
        return;
    if (group->ladder.rung == VTS_WAIT_WATCH
            ? now_ns < group->open_ns
            : vts_ladder_above(&group->ladder, now_ns) != VTS_WAIT_WATCH)
        return;
    if (vts_waiter_has_room(group->waiter))
        open_stream(group, now_ns);
    else
        do_without(group, now_ns);
}

int64_t vts_waiter_stream_due_ns(const struct vts_waiter_group *group)
{
    if (group->stream != NULL)
        return doubt_ns(group->stream);
    if (group->is_sifting)
        return INT64_MAX;
    if (group->ladder.rung == VTS_WAIT_WATCH)
        return group->open_ns;
    return vts_ladder_next(&group->ladder) == VTS_WAIT_WATCH ? group->ladder.climb_ns : INT64_MAX;
}
