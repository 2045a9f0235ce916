/* SPDX-License-Identifier: Apache-2.0 */
/* waiter.c - a waiter's life, its groups, and the one step that all ways to wait take. */
#include "client/src/waiter.h"

#include <errno.h>
#include <limits.h>
#include <math.h>
#include <poll.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/options.h"
#include "client/src/request.h"
#include "client/src/wait_options.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

enum {
    MAX_HELD_JOBS = 16, /* in a group; more are cheaper to poll together */
    /* From so many groups on, further jobs join one that exists, whose stream then starts anew. */
    GROUPS_TO_FILL = VTS_WAITER_GROUPS_MAX / 2,
    MAX_PASSES = 4, /* of what one step leads to at once; the rest is for the next call */
};

/* s before the deadline. */
static const double least_time_to_hold = 2;

/* ---- ending ---------------------------------------------------------------------------------- */

void vts_waiter_end(struct vts_waiter *waiter, const struct vts_client_error *error)
{
    if (waiter->code != VTS_CLIENT_OK)
        return;
    waiter->code = error->code;
    waiter->error = *error;
}

double vts_waiter_time_left(const struct vts_waiter *waiter, int64_t now_ns)
{
    if (waiter->end_ns == INT64_MAX)
        return INFINITY;
    return fmax((double)(waiter->end_ns - now_ns) / VTS_NS_PER_S, 0);
}

static void check_end(struct vts_waiter *waiter, int64_t now_ns)
{
    double seconds = (double)(now_ns - waiter->start_ns) / VTS_NS_PER_S;
    struct vts_client_error error = {.http_code = 0};

    if (vts_transport_is_cancelled(waiter->client->transport)) {
        (void)vts_failure_set(&error, VTS_CLIENT_CANCELLED, "cancelled");
    } else if (now_ns < waiter->end_ns || waiter->jobs.count == 0) {
        return;
    } else if (!waiter->was_anything_seen && waiter->last_error.code != VTS_CLIENT_OK) {
        error = waiter->last_error; /* what kept everything from being seen says more */
    } else if (!waiter->was_anything_seen) {
        (void)vts_failure_set(&error, VTS_CLIENT_GAVE_UP,
                              "gave up after %.3g s, at the deadline; %s has not answered", seconds,
                              waiter->client->origin.text);
    } else {
        (void)vts_failure_set(&error, VTS_CLIENT_GAVE_UP,
                              "gave up after %.3g s, at the deadline; %zu %s not done", seconds,
                              waiter->jobs.count, waiter->jobs.count == 1 ? "job is" : "jobs are");
    }
    vts_waiter_end(waiter, &error);
}

/* ---- groups ---------------------------------------------------------------------------------- */

bool vts_waiter_has_room(const struct vts_waiter *waiter)
{
    return waiter->held_count + waiter->streams_count < vts_engine_kept_max(waiter->engine);
}

bool vts_waiter_can_hold_more(const struct vts_waiter *waiter)
{
    return waiter->held_count < VTS_WAIT_MAX_HELD && vts_waiter_has_room(waiter);
}

bool vts_waiter_is_held(const struct vts_waiter_group *group, int64_t now_ns)
{
    return vts_waiter_time_left(group->waiter, now_ns) >= least_time_to_hold &&
           (group->ladder.rung == VTS_WAIT_LONG_POLL ||
            vts_ladder_above(&group->ladder, now_ns) == VTS_WAIT_LONG_POLL);
}

static struct vts_waiter_group *add_group(struct vts_waiter *waiter)
{
    struct vts_waiter_group *group = vts_mem_zalloc(sizeof(*group));

    if (group == NULL)
        return NULL;
    group->waiter = waiter;
    vts_list_init(&group->jobs);
    vts_list_push_back(&waiter->groups, &group->member);
    waiter->groups_count++;
    vts_ladder_init(&group->ladder, waiter->options.mode, true, &waiter->client->ladder_memory,
                    vts_clock_now_ns());
    return group;
}

void vts_waiter_drop_group(struct vts_waiter_group *group)
{
    struct vts_waiter *waiter = group->waiter;
    struct vts_list *next;

    vts_waiter_close_stream(group);
    for (struct vts_list *at = waiter->asks.next; at != &waiter->asks; at = next) {
        struct vts_waiter_ask *ask = VTS_CONTAINER_OF(at, struct vts_waiter_ask, member);

        next = at->next;
        if (ask->group == group)
            vts_waiter_drop_ask(waiter, ask);
    }
    if (waiter->open_group == group)
        waiter->open_group = NULL;
    vts_list_remove(&group->member);
    waiter->groups_count--;
    vts_mem_free(group);
}

static struct vts_waiter_group *smallest_group(const struct vts_waiter *waiter)
{
    struct vts_waiter_group *smallest = NULL;

    for (struct vts_list *at = waiter->groups.next; at != &waiter->groups; at = at->next) {
        struct vts_waiter_group *group = VTS_CONTAINER_OF(at, struct vts_waiter_group, member);

        if (smallest == NULL || group->jobs_count < smallest->jobs_count)
            smallest = group;
    }
    return smallest;
}

/* The first requests go out for what was gathered. */
static void close_open_group(struct vts_waiter *waiter)
{
    struct vts_waiter_group *group = waiter->open_group;
    struct vts_ladder *ladder;

    waiter->open_group = NULL;
    if (group == NULL)
        return;
    ladder = &group->ladder;
    ladder->can_hold = group->jobs_count <= MAX_HELD_JOBS;
    if (!ladder->is_pinned && !ladder->can_hold && ladder->rung == VTS_WAIT_LONG_POLL)
        ladder->rung = VTS_WAIT_POLL;
    if (ladder->rung != VTS_WAIT_WATCH)
        vts_waiter_schedule_group(group, 0);
}

/* The group that takes the next job; NULL without memory. */
static struct vts_waiter_group *group_for_more(struct vts_waiter *waiter)
{
    struct vts_waiter_group *group = waiter->open_group;

    if (group != NULL && group->jobs_count < VTS_WAITER_GROUP_MAX)
        return group;
    close_open_group(waiter);
    if (waiter->groups_count >= GROUPS_TO_FILL) {
        group = smallest_group(waiter);
        if (group->jobs_count < VTS_WAITER_GROUP_MAX) {
            vts_waiter_close_stream(group);
            group->open_ns = vts_clock_now_ns();
            waiter->open_group = group;
            return group;
        }
    }
    waiter->open_group = add_group(waiter);
    return waiter->open_group;
}

/* ---- lifetime -------------------------------------------------------------------------------- */

enum vts_client_code vts_waiter_new(struct vts_client *client,
                                    const struct vts_wait_options *options,
                                    struct vts_waiter **ret_waiter, struct vts_client_error *error)
{
    struct vts_poll_options schedule;
    struct vts_wait_options checked;
    struct vts_waiter *waiter;
    enum vts_client_code code;

    vts_failure_clear(error);
    code = vts_wait_options_read(options, &checked, &schedule, error);
    if (code != VTS_CLIENT_OK)
        return code;
    waiter = vts_mem_zalloc(sizeof(*waiter));
    if (waiter == NULL)
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    waiter->client = client;
    waiter->options = checked;
    waiter->options.is_end_only = checked.is_end_only || checked.on_event == NULL;
    waiter->backoff = vts_poll_options_backoff(&schedule);
    waiter->ignore_hints = schedule.ignore_hints;
    waiter->is_first_hint_kept = schedule.is_first_hint_kept;
    vts_rng_init(&waiter->rng,
                 schedule.jitter_seed != 0 ? schedule.jitter_seed : vts_rng_seed_from_system());
    waiter->hash_key = vts_hash_key_from_system();
    vts_list_init(&waiter->groups);
    vts_list_init(&waiter->asks);
    vts_list_init(&waiter->news);
    waiter->start_ns = vts_clock_now_ns();
    waiter->end_ns = checked.deadline > 0
                         ? waiter->start_ns + (int64_t)(checked.deadline * VTS_NS_PER_S)
                         : INT64_MAX;
    code = vts_engine_new(client->transport, checked.on_fd, checked.fd_context, &waiter->engine,
                          error);
    if (code != VTS_CLIENT_OK) {
        vts_waiter_free(waiter);
        return code;
    }
    if (checked.on_fd != NULL)
        checked.on_fd(client->cancel_fd, VTS_WAIT_READ, checked.fd_context);
    *ret_waiter = waiter;
    return VTS_CLIENT_OK;
}

void vts_waiter_free(struct vts_waiter *waiter)
{
    struct vts_list *group;

    if (waiter == NULL)
        return;
    /* The group goes with its last job. */
    while ((group = waiter->groups.next) != &waiter->groups) {
        struct vts_list *jobs = &VTS_CONTAINER_OF(group, struct vts_waiter_group, member)->jobs;

        vts_waiter_drop_job(VTS_CONTAINER_OF(jobs->next, struct vts_waiter_job, member));
    }
    vts_engine_free(waiter->engine);
    vts_table_fini(&waiter->jobs);
    vts_heap_fini(&waiter->due);
    vts_mem_free(waiter);
}

size_t vts_waiter_max(const struct vts_waiter *waiter)
{
    return waiter->options.mode == VTS_WAIT_LONG_POLL ? VTS_WAIT_MAX_HELD : VTS_WAIT_MAX_JOBS;
}

enum vts_client_code vts_waiter_add(struct vts_waiter *waiter, const char *job_id,
                                    uint64_t after_revision, void *data,
                                    struct vts_client_error *error)
{
    const char *id = vts_client_job_id(job_id);
    size_t max = vts_waiter_max(waiter);
    struct vts_waiter_group *group;
    struct vts_waiter_job *job;
    enum vts_client_code code;

    vts_failure_clear(error);
    code = vts_client_check_job_id(id, error);
    if (code != VTS_CLIENT_OK)
        return code;
    if (vts_waiter_find(waiter, id) != NULL)
        return vts_failure_set(error, VTS_CLIENT_CONFLICT, "job '%s' is waited for already", id);
    if (waiter->jobs.count >= max)
        return vts_failure_set(error, VTS_CLIENT_USAGE, "at most %zu jobs can be waited for so",
                               max);
    group = group_for_more(waiter);
    job = group != NULL ? vts_waiter_put_job(group, id) : NULL;
    if (job == NULL) {
        if (group != NULL && group->jobs_count == 0)
            vts_waiter_drop_group(group);
        return vts_failure_set(error, VTS_CLIENT_NO_MEMORY, "out of memory");
    }
    job->revision = after_revision;
    job->data = data;
    return VTS_CLIENT_OK;
}

void vts_waiter_remove(struct vts_waiter *waiter, const char *job_id)
{
    const char *id = vts_client_job_id(job_id);
    struct vts_waiter_job *job = vts_waiter_find(waiter, id);

    if (job != NULL)
        vts_waiter_drop_job(job);
}

size_t vts_waiter_left(const struct vts_waiter *waiter)
{
    return waiter->jobs.count;
}

/* ---- sending --------------------------------------------------------------------------------- */

enum vts_client_code vts_waiter_send(struct vts_waiter *waiter, const struct vts_request *request,
                                     const ProtobufCMessage *message, size_t max_bytes,
                                     vts_transfer_done_fn on_done, void *context,
                                     struct vts_transfer **ret_transfer,
                                     struct vts_client_error *error)
{
    enum vts_client_code code = vts_request_tell(waiter->client, request, message, error);

    if (code != VTS_CLIENT_OK)
        return code;
    return vts_engine_start(waiter->engine, request, max_bytes, on_done, context, ret_transfer,
                            error);
}

/* ---- running --------------------------------------------------------------------------------- */

size_t vts_waiter_fds(const struct vts_waiter *waiter, struct vts_waiter_fd *fds, size_t capacity)
{
    if (capacity == 0)
        return 0;
    fds[0] = (struct vts_waiter_fd){waiter->client->cancel_fd, VTS_WAIT_READ};
    return 1 + vts_engine_fds(waiter->engine, fds + 1, capacity - 1);
}

static int64_t earlier(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int64_t due_ns(const struct vts_waiter *waiter)
{
    const struct vts_heap_node *first = vts_heap_first(&waiter->due);
    int64_t due = earlier(vts_engine_due_ns(waiter->engine), waiter->end_ns);

    if (waiter->open_group != NULL || !vts_list_is_empty(&waiter->news))
        return 0;
    if (first != NULL)
        due = earlier(due, first->due_ns);
    for (const struct vts_list *at = waiter->groups.next; at != &waiter->groups; at = at->next)
        due = earlier(
            due, vts_waiter_stream_due_ns(VTS_CONTAINER_OF(at, struct vts_waiter_group, member)));
    return due;
}

double vts_waiter_timeout(const struct vts_waiter *waiter)
{
    int64_t due = due_ns(waiter);
    int64_t now_ns = vts_clock_now_ns();

    if (waiter->code != VTS_CLIENT_OK)
        return 0;
    if (waiter->jobs.count == 0 || due == INT64_MAX)
        return -1;
    return due <= now_ns ? 0 : (double)(due - now_ns) / VTS_NS_PER_S;
}

static void step(struct vts_waiter *waiter)
{
    int64_t now_ns = vts_clock_now_ns();
    struct vts_list *next;

    vts_waiter_tell(waiter); /* an end that came in time counts, whatever the clock says now */
    check_end(waiter, now_ns);
    close_open_group(waiter);
    for (struct vts_list *at = waiter->groups.next; at != &waiter->groups; at = next) {
        next = at->next;
        vts_waiter_look_after_stream(VTS_CONTAINER_OF(at, struct vts_waiter_group, member), now_ns);
    }
    vts_waiter_ask_due(waiter, now_ns);
    vts_waiter_tell(waiter);
}

enum vts_client_code vts_waiter_run(struct vts_waiter *waiter, int fd, unsigned events,
                                    struct vts_client_error *error)
{
    vts_failure_clear(error);
    for (int pass = 0; pass < MAX_PASSES && waiter->code == VTS_CLIENT_OK; pass++) {
        vts_engine_run(waiter->engine, pass == 0 ? fd : -1, events);
        step(waiter);
        if (due_ns(waiter) > vts_clock_now_ns())
            break;
    }
    if (waiter->code != VTS_CLIENT_OK && error != NULL)
        *error = waiter->error;
    return waiter->code;
}

static int timeout_ms(const struct vts_waiter *waiter, double seconds)
{
    double due = vts_waiter_timeout(waiter);
    double wait = fmax(due < 0 ? seconds : fmin(seconds, due), 0) * 1000;

    return wait < INT_MAX ? (int)ceil(wait) : INT_MAX;
}

static short poll_events(unsigned events)
{
    return (short)(((events & VTS_WAIT_READ) != 0 ? POLLIN : 0) |
                   ((events & VTS_WAIT_WRITE) != 0 ? POLLOUT : 0));
}

/* What is wrong with a descriptor shows when it is used. */
static unsigned wait_events(const struct pollfd *polled)
{
    unsigned events = 0;

    if ((polled->revents & (POLLIN | POLLERR | POLLHUP | POLLNVAL)) != 0)
        events |= VTS_WAIT_READ;
    if ((polled->revents & (POLLOUT | POLLERR)) != 0)
        events |= VTS_WAIT_WRITE;
    return events;
}

enum vts_client_code vts_waiter_wait(struct vts_waiter *waiter, double seconds,
                                     struct vts_client_error *error)
{
    return vts_waiter_wait_with(waiter, seconds, -1, error);
}

enum vts_client_code vts_waiter_wait_with(struct vts_waiter *waiter, double seconds, int wake_fd,
                                          struct vts_client_error *error)
{
    struct vts_waiter_fd fds[VTS_WAITER_MAX_FDS];
    struct pollfd polled[VTS_WAITER_MAX_FDS + 1];
    size_t count = vts_waiter_fds(waiter, fds, VTS_WAITER_MAX_FDS);
    enum vts_client_code code = VTS_CLIENT_OK;
    bool was_run = false;

    for (size_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){.fd = fds[i].fd, .events = poll_events(fds[i].events)};
    polled[count] = (struct pollfd){.fd = wake_fd, .events = POLLIN}; /* below 0: looked over */
    /* A signal is as good a reason to look as any. */
    if (poll(polled, (nfds_t)count + 1, timeout_ms(waiter, seconds)) < 0)
        return vts_waiter_run(waiter, -1, 0, error);
    for (size_t i = 0; i < count && code == VTS_CLIENT_OK; i++)
        if (polled[i].revents != 0) {
            code = vts_waiter_run(waiter, fds[i].fd, wait_events(&polled[i]), error);
            was_run = true;
        }
    return was_run ? code : vts_waiter_run(waiter, -1, 0, error);
}
