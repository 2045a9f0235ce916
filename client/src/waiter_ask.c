/* SPDX-License-Identifier: Apache-2.0 */
/* waiter_ask.c - the two lower rungs: requests about jobs, held by the server or not.
 *
 * A request about one job is `GET /status/{id}`, with the ETag of what is known; with `Prefer:
 * wait` it is a long-poll. Of several that are due together BatchGetStatus asks.
 */
#include "client/src/waiter_ask.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/status.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

static const char status_type[] = "application/x-protobuf";

/* s; a long-poll that breaks off after fewer was not cut for its length. */
static const double least_hold = 3;
/* s; a long-poll that is answered sooner without news was not held. */
static const double least_answer = 1;
/* s before the deadline; whole milliseconds are what libcurl counts. */
static const double nothing_left = 0.01;

/* ---- an ask's life --------------------------------------------------------------------------- */

void vts_ask_detach(struct vts_waiter *waiter, struct vts_waiter_ask *ask)
{
    vts_list_remove(&ask->member);
    for (size_t i = 0; i < ask->jobs_count; i++)
        if (ask->jobs[i] != NULL)
            ask->jobs[i]->ask = NULL;
    if (ask->hold_s > 0)
        waiter->held_count--;
    if (ask->group != NULL)
        ask->group->asks--;
}

void vts_waiter_drop_ask(struct vts_waiter *waiter, struct vts_waiter_ask *ask)
{
    vts_engine_stop(waiter->engine, ask->transfer);
    vts_ask_detach(waiter, ask);
    vts_mem_free(ask);
}

struct vts_waiter_ask *vts_ask_new(struct vts_waiter_group *group, size_t max_jobs)
{
    struct vts_waiter_ask *ask =
        vts_mem_zalloc(sizeof(*ask) + max_jobs * sizeof(struct vts_waiter_job *));

    if (ask == NULL)
        return NULL;
    ask->group = group;
    ask->start_ns = vts_clock_now_ns();
    group->asks++;
    vts_list_push_back(&group->waiter->asks, &ask->member);
    return ask;
}

void vts_ask_add_job(struct vts_waiter_ask *ask, struct vts_waiter_job *job)
{
    vts_heap_remove(&job->group->waiter->due, &job->due);
    ask->jobs[ask->jobs_count++] = job;
    job->ask = ask;
}

/* The request could not even be made. */
void vts_ask_fail_to_start(struct vts_waiter *waiter, struct vts_waiter_ask *ask,
                           enum vts_client_code code, const struct vts_client_error *error)
{
    vts_ask_detach(waiter, ask);
    if (code == VTS_CLIENT_UNAVAILABLE) { /* some others must end first */
        for (size_t i = 0; i < ask->jobs_count; i++)
            vts_waiter_schedule(ask->jobs[i], 1);
    } else {
        vts_waiter_end(waiter, error);
    }
    vts_mem_free(ask);
}

void vts_ask_reschedule(const struct vts_waiter_ask *ask)
{
    for (size_t i = 0; i < ask->jobs_count; i++)
        if (ask->jobs[i] != NULL)
            vts_waiter_reschedule(ask->jobs[i]);
}

/* ---- what an answer means -------------------------------------------------------------------- */

static enum vts_wait_mode rung_of(const struct vts_waiter_ask *ask)
{
    return ask->hold_s > 0 ? VTS_WAIT_LONG_POLL : VTS_WAIT_POLL;
}

static double held(const struct vts_waiter_ask *ask)
{
    return (double)(vts_clock_now_ns() - ask->start_ns) / VTS_NS_PER_S;
}

/* A long-poll was answered, and the answer is no news. Returns whether the next one may follow at
 * once. */
static bool judge_hold(struct vts_waiter_ask *ask, const struct vts_answer *answer)
{
    struct vts_waiter_group *group = ask->group;
    int64_t now_ns = vts_clock_now_ns();
    struct vts_client_error error;

    if (answer->wait_applied < 0 && held(ask) < least_answer) {
        (void)vts_failure_set(&error, VTS_CLIENT_REFUSED, "%s does not hold its answers back",
                              group->waiter->client->origin.text);
        if (vts_ladder_missed(&group->ladder, VTS_WAIT_LONG_POLL, VTS_MISS_BLOCKED, now_ns))
            vts_waiter_note_fall(group, &error);
        return false;
    }
    /* The server holds for no longer than this. */
    if (answer->wait_applied >= VTS_LADDER_LEAST_HOLD_S &&
        answer->wait_applied < group->ladder.hold_s)
        group->ladder.hold_s = (unsigned)answer->wait_applied;
    if (vts_ladder_worked(&group->ladder, VTS_WAIT_LONG_POLL, now_ns))
        vts_waiter_note_climb(group);
    return held(ask) >= least_answer;
}

/* A request came to a good end: it brought news, or not. */
static void note_success(struct vts_waiter_ask *ask, const struct vts_answer *answer, bool is_news)
{
    struct vts_waiter_group *group = ask->group;
    struct vts_waiter_job *job = ask->jobs[0];
    bool may_follow = true;

    vts_waiter_succeed(group);
    if (ask->hold_s > 0 && !is_news) {
        may_follow = judge_hold(ask, answer);
    } else if (vts_ladder_worked(&group->ladder, rung_of(ask), vts_clock_now_ns())) {
        vts_waiter_note_climb(group);
    }
    if (job == NULL)
        return;
    if (ask->hold_s > 0 && !may_follow && vts_waiter_is_held(group, vts_clock_now_ns()))
        vts_waiter_schedule(
            job, vts_backoff_poll_wait(&group->waiter->backoff, 0, -1, &group->waiter->rng));
    else
        vts_waiter_reschedule(job);
}

/* A long-poll broke off after it had been held: what stands between cuts requests of that length.
 * Returns whether that is all there is to it. */
static bool note_cut(struct vts_waiter_ask *ask, const struct vts_client_error *error)
{
    struct vts_waiter_group *group = ask->group;

    if (ask->hold_s == 0 || held(ask) < least_hold ||
        (error->code != VTS_CLIENT_CONNECT && error->code != VTS_CLIENT_TIMEOUT &&
         error->code != VTS_CLIENT_UNAVAILABLE))
        return false;
    vts_counters_add(&group->waiter->client->counters.retries, 1);
    if (!vts_ladder_shorten(&group->ladder, held(ask)) &&
        vts_ladder_missed(&group->ladder, VTS_WAIT_LONG_POLL, VTS_MISS_BLOCKED, vts_clock_now_ns()))
        vts_waiter_note_fall(group, error);
    vts_ask_reschedule(ask);
    return true;
}

static void schedule_all(const struct vts_waiter_ask *ask, double wait)
{
    for (size_t i = 0; i < ask->jobs_count; i++)
        if (ask->jobs[i] != NULL)
            vts_waiter_schedule(ask->jobs[i], wait);
}

void vts_ask_note_failure(struct vts_waiter_ask *ask, const struct vts_client_error *error,
                          double retry_after)
{
    struct vts_waiter_group *group = ask->group;
    struct vts_waiter *waiter = group->waiter;
    bool is_tried_only = ask->hold_s > 0 && group->ladder.rung == VTS_WAIT_POLL;
    bool is_beside = group->ladder.rung == VTS_WAIT_WATCH && !group->is_sifting;
    bool has_fallen;
    double wait = 0;

    /* The deadline cut it short, and is about to tell what kept everything from being seen. */
    if (error->code == VTS_CLIENT_TIMEOUT &&
        vts_waiter_time_left(waiter, vts_clock_now_ns()) < nothing_left)
        return;
    if (note_cut(ask, error))
        return;
    if (vts_waiter_is_counted(group, ask->start_ns)) {
        schedule_all(ask, 0);
        return;
    }
    has_fallen =
        vts_ladder_missed(&group->ladder, rung_of(ask), VTS_MISS_DOUBT, vts_clock_now_ns());
    if (is_tried_only || is_beside) {
        /* The rung that counts tells soon enough. */
        schedule_all(ask, vts_backoff_retry_wait(&waiter->backoff, 1, retry_after, &waiter->rng));
        return;
    }
    if (!vts_waiter_fail(group, error, retry_after, rung_of(ask), &wait))
        return;
    schedule_all(ask, wait);
    if (has_fallen)
        vts_waiter_log_fall(group, error);
}

/* All that was to be sifted is. */
void vts_ask_end_sifting(struct vts_waiter_group *group)
{
    if (!group->is_sifting || group->asks > 0)
        return;
    group->is_sifting = false;
    group->open_ns = vts_clock_now_ns();
}

/* ---- one job --------------------------------------------------------------------------------- */

static void take_answer(struct vts_waiter_ask *ask, enum vts_client_code code,
                        const struct vts_answer *answer, struct vts_client_error *error)
{
    struct vts_waiter_job *job = ask->jobs[0];
    struct vts_status *status = NULL;
    bool is_news = false;

    if (code == VTS_CLIENT_OK)
        code = vts_client_read_status(ask->group->waiter->client, job->id, ask->has_etag, answer,
                                      &status, error);
    if (code == VTS_CLIENT_NOT_FOUND) {
        vts_waiter_give_up(job, error);
    } else if (code != VTS_CLIENT_OK) {
        vts_ask_note_failure(ask, error, answer->retry_after);
    } else {
        /* A finer one is in the status, or with the word that there is no other one. */
        vts_waiter_take_hint(job, vts_answer_hint(answer));
        if (status != NULL)
            is_news = vts_waiter_take(job, status, rung_of(ask));
        else if (answer->retry_after < 0)
            /* A job that goes on has one: this may be another job, whose end has the same number.
             */
            job->has_status = false;
        note_success(ask, answer, is_news);
    }
    vts_status_free(status);
}

static void on_one_done(enum vts_client_code code, const struct vts_answer *answer,
                        struct vts_client_error *error, void *context)
{
    struct vts_waiter_ask *ask = context;
    struct vts_waiter *waiter = ask->group->waiter;

    vts_ask_detach(waiter, ask);
    if (ask->jobs[0] != NULL)
        take_answer(ask, code, answer, error);
    vts_ask_end_sifting(ask->group);
    vts_mem_free(ask);
}

double vts_ask_bound_timeout(const struct vts_waiter *waiter, double timeout)
{
    double left = vts_waiter_time_left(waiter, vts_clock_now_ns());

    return fmin(timeout, fmax(left, 0.001));
}

/* The answer comes before the deadline, even when it is none. */
static unsigned hold_for(const struct vts_waiter_group *group)
{
    double left = vts_waiter_time_left(group->waiter, vts_clock_now_ns()) - 1;

    return left < group->ladder.hold_s ? (unsigned)fmax(left, 1) : group->ladder.hold_s;
}

static void ask_one(struct vts_waiter_job *job, bool is_held)
{
    struct vts_waiter_group *group = job->group;
    struct vts_waiter *waiter = group->waiter;
    struct vts_waiter_ask *ask = vts_ask_new(group, 1);
    struct vts_client_error error = {VTS_CLIENT_NO_MEMORY, .text = "out of memory"};
    struct vts_request get = {.accept = status_type};
    char path[160];
    char etag[40] = "";
    enum vts_client_code code;

    if (ask == NULL) {
        vts_waiter_end(waiter, &error);
        return;
    }
    vts_ask_add_job(ask, job);
    ask->hold_s = is_held ? hold_for(group) : 0;
    waiter->held_count += is_held ? 1 : 0;
    (void)snprintf(path, sizeof(path), "/status/%s", job->id);
    /* Without a tag the server holds until the end. */
    ask->has_etag = job->has_status && !(is_held && waiter->options.is_end_only);
    if (ask->has_etag)
        (void)snprintf(etag, sizeof(etag), "W/\"r%" PRIu64 "\"", job->revision);
    get.path = path;
    get.if_none_match = etag;
    get.prefer_wait = ask->hold_s;
    get.is_once = is_held; /* how long it was held is to be known */
    get.timeout = waiter->client->request_timeout;
    get.timeout = vts_ask_bound_timeout(waiter, get.timeout + ask->hold_s);
    code = vts_waiter_send(waiter, &get, NULL, VTS_ANSWER_MAX_BODY_BYTES, on_one_done, ask,
                           &ask->transfer, &error);
    if (code != VTS_CLIENT_OK)
        vts_ask_fail_to_start(waiter, ask, code, &error);
}

/* ---- what is due ----------------------------------------------------------------------------- */

static bool may_hold(const struct vts_waiter_job *job, int64_t now_ns)
{
    const struct vts_waiter *waiter = job->group->waiter;

    /* What is to be held against must be known, unless only the end is of interest. */
    return vts_waiter_is_held(job->group, now_ns) && !job->group->is_sifting &&
           vts_waiter_can_hold_more(waiter) && (job->has_status || waiter->options.is_end_only);
}

void vts_waiter_ask_due(struct vts_waiter *waiter, int64_t now_ns)
{
    /* Those that are due soon may come along: they cost nothing more. */
    int64_t slack_ns = (int64_t)(waiter->backoff.interval / 4 * VTS_NS_PER_S);
    struct vts_heap_node *first;

    while (waiter->code == VTS_CLIENT_OK && (first = vts_heap_first(&waiter->due)) != NULL &&
           first->due_ns <= now_ns) {
        struct vts_waiter_job *job = VTS_CONTAINER_OF(first, struct vts_waiter_job, due);

        if (may_hold(job, now_ns))
            ask_one(job, true);
        else if (job->group->jobs_count == 1)
            ask_one(job, false);
        else
            vts_ask_many(job->group, now_ns + slack_ns);
    }
}
