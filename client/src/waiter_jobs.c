/* SPDX-License-Identifier: Apache-2.0 */
/* waiter_jobs.c - what becomes known of jobs, when they are asked about, and what is told. */
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/waiter.h"
#include "common/base/clock.h"
#include "common/base/mem.h"

/* ---- finding and forgetting ------------------------------------------------------------------ */

static uint32_t hash_of(const struct vts_waiter *waiter, const char *job_id)
{
    return (uint32_t)vts_hash(&waiter->hash_key, vts_str_of(job_id));
}

static bool is_id(const void *item, const void *key)
{
    const struct vts_waiter_job *job = item;

    return strcmp(job->id, key) == 0;
}

struct vts_waiter_job *vts_waiter_find(const struct vts_waiter *waiter, const char *job_id)
{
    return vts_table_find(&waiter->jobs, hash_of(waiter, job_id), is_id, job_id);
}

struct vts_waiter_job *vts_waiter_put_job(struct vts_waiter_group *group, const char *job_id)
{
    struct vts_waiter *waiter = group->waiter;
    size_t size = strlen(job_id) + 1;
    struct vts_waiter_job *job = vts_mem_zalloc(sizeof(*job) + size);

    if (job == NULL || vts_table_reserve(&waiter->jobs, waiter->jobs.count + 1) != VTS_OK ||
        vts_heap_reserve(&waiter->due, waiter->jobs.count + 1) != VTS_OK) {
        vts_mem_free(job);
        return NULL;
    }
    memcpy(job->id, job_id, size);
    job->hint = -1;
    job->added_ns = vts_clock_wall_ns();
    job->group = group;
    vts_list_init(&job->news);
    vts_list_init(&job->older);
    vts_list_push_back(&group->jobs, &job->member);
    group->jobs_count++;
    vts_table_add(&waiter->jobs, hash_of(waiter, job_id), job);
    return job;
}

static void free_older(struct vts_waiter *waiter, struct vts_waiter_older *older)
{
    vts_list_remove(&older->member);
    vts_status_free(older->status);
    vts_mem_free(older);
    waiter->older_count--;
}

static struct vts_waiter_older *first_older(const struct vts_waiter_job *job)
{
    return vts_list_is_empty(&job->older)
               ? NULL
               : VTS_CONTAINER_OF(job->older.next, struct vts_waiter_older, member);
}

void vts_waiter_drop_job(struct vts_waiter_job *job)
{
    struct vts_waiter_group *group = job->group;
    struct vts_waiter *waiter = group->waiter;

    vts_table_remove(&waiter->jobs, hash_of(waiter, job->id), job);
    vts_heap_remove(&waiter->due, &job->due);
    vts_list_remove(&job->member);
    vts_list_remove(&job->news);
    for (size_t i = 0; job->ask != NULL && i < job->ask->jobs_count; i++)
        if (job->ask->jobs[i] == job)
            job->ask->jobs[i] = NULL;
    while (!vts_list_is_empty(&job->older))
        free_older(waiter, first_older(job));
    vts_status_free(job->status);
    vts_mem_free(job->error);
    vts_mem_free(job);
    group->has_lost_jobs = true;
    group->jobs_count--;
    if (group->jobs_count == 0)
        vts_waiter_drop_group(group);
}

size_t vts_waiter_count_live(const struct vts_waiter_group *group)
{
    size_t count = 0;

    for (struct vts_list *at = group->jobs.next; at != &group->jobs; at = at->next)
        count += VTS_CONTAINER_OF(at, struct vts_waiter_job, member)->is_over ? 0 : 1;
    return count;
}

/* ---- what becomes known ---------------------------------------------------------------------- */

static void add_news(struct vts_waiter_job *job)
{
    struct vts_waiter *waiter = job->group->waiter;

    vts_list_remove(&job->news); /* from where it may stand already */
    vts_list_push_back(&waiter->news, &job->news);
    if (job->is_over)
        vts_heap_remove(&waiter->due, &job->due);
}

/* The status that was to be told is followed by another one. */
static void make_older(struct vts_waiter_job *job)
{
    struct vts_waiter *waiter = job->group->waiter;
    struct vts_waiter_older *older;

    if (job->status == NULL || waiter->older_count >= VTS_WAITER_OLDER_MAX)
        return;
    older = vts_mem_alloc(sizeof(*older));
    if (older == NULL)
        return; /* it is left out: the newest counts */
    older->status = job->status;
    older->rung = job->rung;
    job->status = NULL;
    vts_list_push_back(&job->older, &older->member);
    waiter->older_count++;
}

void vts_waiter_take_hint(struct vts_waiter_job *job, double hint)
{
    if (hint >= 0 && !(job->group->waiter->is_first_hint_kept && job->has_status))
        job->hint = hint;
}

bool vts_waiter_take(struct vts_waiter_job *job, const struct vts_status *status,
                     enum vts_wait_mode rung)
{
    bool is_done = vts_status_is_done(status);

    job->group->waiter->was_anything_seen = true;
    vts_retry_note_success(&job->group->waiter->client->retry_budget);
    vts_waiter_take_hint(job, vts_status_poll_after(status));
    job->has_status = true;
    /* An older one may come by another way; and an end is one, whatever its number. */
    if (job->is_over || (!is_done && vts_status_revision(status) <= job->revision))
        return false;
    job->revision = vts_status_revision(status);
    job->waits = 0;
    job->is_over = is_done;
    make_older(job);
    job->rung = rung;
    vts_status_free(job->status);
    job->status = vts_status_ref(status);
    add_news(job);
    return true;
}

void vts_waiter_give_up(struct vts_waiter_job *job, const struct vts_client_error *error)
{
    if (job->is_over)
        return;
    job->error = vts_mem_alloc(sizeof(*job->error));
    if (job->error == NULL) {
        vts_waiter_end(job->group->waiter,
                       &(struct vts_client_error){VTS_CLIENT_NO_MEMORY, .text = "out of memory"});
        return;
    }
    *job->error = *error;
    make_older(job);
    job->rung = job->group->ladder.rung; /* whatever it was that failed, that was to be held */
    job->is_over = true;
    add_news(job);
}

static void give_up_all(struct vts_waiter_group *group, const struct vts_client_error *error)
{
    struct vts_client_error counted = *error;

    if (group->failures > 1)
        (void)vts_failure_set(&counted, error->code, "%.400s (%u tries in a row failed)",
                              error->text, group->failures);
    for (struct vts_list *at = group->jobs.next; at != &group->jobs; at = at->next)
        vts_waiter_give_up(VTS_CONTAINER_OF(at, struct vts_waiter_job, member), &counted);
}

static void note_failure(struct vts_waiter_group *group, const struct vts_client_error *error,
                         double next_try, enum vts_wait_mode rung)
{
    struct vts_waiter *waiter = group->waiter;
    const char *job_id = "";

    if (group->jobs_count == 1)
        job_id = VTS_CONTAINER_OF(group->jobs.next, struct vts_waiter_job, member)->id;
    waiter->failure.is_there = true;
    waiter->failure.error = *error;
    waiter->failure.next_try = next_try;
    waiter->failure.rung = rung;
    (void)snprintf(waiter->failure.job_id, sizeof(waiter->failure.job_id), "%s", job_id);
    vts_log_write(&waiter->client->log, "%.400s; the next try in %.3f s", error->text, next_try);
}

void vts_waiter_succeed(struct vts_waiter_group *group)
{
    group->failures = 0;
    group->held_off_ns = 0;
}

bool vts_waiter_is_counted(const struct vts_waiter_group *group, int64_t start_ns)
{
    return group->failures > 0 && start_ns <= group->failed_ns;
}

/* Those that are due sooner would meet the same failure, which would be counted again. */
static void hold_off(struct vts_waiter_group *group, double wait)
{
    group->held_off_ns = group->failed_ns + (int64_t)(wait * VTS_NS_PER_S);
    for (struct vts_list *at = group->jobs.next; at != &group->jobs; at = at->next) {
        struct vts_waiter_job *job = VTS_CONTAINER_OF(at, struct vts_waiter_job, member);

        if (job->due.place != 0 && job->due.due_ns < group->held_off_ns)
            vts_waiter_schedule(job, wait);
    }
}

bool vts_waiter_fail(struct vts_waiter_group *group, const struct vts_client_error *error,
                     double retry_after, enum vts_wait_mode rung, double *ret_wait)
{
    struct vts_waiter *waiter = group->waiter;

    group->failures++;
    group->failed_ns = vts_clock_now_ns();
    waiter->last_error = *error;
    if (error->code == VTS_CLIENT_NO_MEMORY) {
        vts_waiter_end(waiter, error);
        return false;
    }
    if (!vts_failure_may_pass(error) || group->failures >= waiter->options.max_failures) {
        give_up_all(group, error);
        return false;
    }
    *ret_wait =
        vts_backoff_retry_wait(&waiter->backoff, group->failures, retry_after, &waiter->rng);
    /* A wait goes on for as long as it may, but what fails everywhere is asked for less often. */
    vts_retry_note_failure(&waiter->client->retry_budget);
    if (!vts_retry_has_room(&waiter->client->retry_budget))
        *ret_wait = fmax(*ret_wait, waiter->backoff.max_interval * (1 - waiter->backoff.jitter));
    hold_off(group, *ret_wait);
    vts_counters_add(&waiter->client->counters.retries, 1);
    note_failure(group, error, *ret_wait, rung);
    return true;
}

/* ---- when to ask ----------------------------------------------------------------------------- */

/* The last question goes out a little before the deadline, so that its answer can still come. */
static double fit_to_deadline(struct vts_waiter_job *job, double wait, int64_t now_ns)
{
    double left = vts_waiter_time_left(job->group->waiter, now_ns);

    if (wait < left)
        return wait;
    job->is_last_ask = true;
    return fmax(left - fmin(left / 2, 1), 0);
}

void vts_waiter_schedule(struct vts_waiter_job *job, double wait)
{
    int64_t now_ns = vts_clock_now_ns();

    if (job->is_over || job->ask != NULL || job->is_last_ask)
        return;
    wait = fmax(wait, (double)(job->group->held_off_ns - now_ns) / VTS_NS_PER_S);
    wait = fit_to_deadline(job, wait, now_ns);
    vts_heap_set(&job->group->waiter->due, &job->due, now_ns + (int64_t)(wait * VTS_NS_PER_S));
}

void vts_waiter_reschedule(struct vts_waiter_job *job)
{
    struct vts_waiter_group *group = job->group;
    struct vts_waiter *waiter = group->waiter;
    double hint = waiter->ignore_hints ? -1 : job->hint;

    if (group->stream != NULL && group->stream->is_proven)
        return;
    if (vts_waiter_is_held(group, vts_clock_now_ns()) && vts_waiter_can_hold_more(waiter))
        vts_waiter_schedule(job, 0);
    else
        vts_waiter_schedule(
            job, vts_backoff_poll_wait(&waiter->backoff, job->waits++, hint, &waiter->rng));
}

void vts_waiter_schedule_group(struct vts_waiter_group *group, double wait)
{
    int64_t due_ns = vts_clock_now_ns() + (int64_t)(wait * VTS_NS_PER_S);

    for (struct vts_list *at = group->jobs.next; at != &group->jobs; at = at->next) {
        struct vts_waiter_job *job = VTS_CONTAINER_OF(at, struct vts_waiter_job, member);

        if (job->due.place == 0 || job->due.due_ns > due_ns)
            vts_waiter_schedule(job, wait);
    }
}

void vts_waiter_unschedule_group(struct vts_waiter_group *group)
{
    for (struct vts_list *at = group->jobs.next; at != &group->jobs; at = at->next)
        vts_heap_remove(&group->waiter->due,
                        &VTS_CONTAINER_OF(at, struct vts_waiter_job, member)->due);
}

void vts_waiter_log_fall(struct vts_waiter_group *group, const struct vts_client_error *error)
{
    struct vts_client *client = group->waiter->client;

    vts_counters_add(&client->counters.falls, 1);
    vts_log_write(&client->log, "%.400s; going down to %s", error->text,
                  vts_wait_mode_word(group->ladder.rung));
}

void vts_waiter_note_fall(struct vts_waiter_group *group, const struct vts_client_error *error)
{
    vts_waiter_log_fall(group, error);
    vts_waiter_schedule_group(group, 0);
}

void vts_waiter_note_climb(struct vts_waiter_group *group)
{
    struct vts_client *client = group->waiter->client;

    vts_counters_add(&client->counters.climbs, 1);
    vts_log_write(&client->log, "going up to %s", vts_wait_mode_word(group->ladder.rung));
}

/* ---- telling --------------------------------------------------------------------------------- */

static void call(struct vts_waiter *waiter, const struct vts_wait_event *event)
{
    if (waiter->options.on_event == NULL || waiter->code != VTS_CLIENT_OK)
        return;
    if (!waiter->options.on_event(event, waiter->options.context))
        vts_waiter_end(waiter,
                       &(struct vts_client_error){VTS_CLIENT_CANCELLED, .text = "cancelled"});
}

/* An end from before anybody waited for it is late by no fault of ours. */
static void count(struct vts_waiter *waiter, const struct vts_wait_event *event, int64_t added_ns)
{
    struct vts_counters *counters = &waiter->client->counters;
    int64_t updated_ns = vts_status_update_time_ns(event->status);
    int64_t since_ns = updated_ns > added_ns ? updated_ns : added_ns;

    atomic_store_explicit(&counters->rung, (int)event->rung, memory_order_relaxed);
    if (event->is_final)
        vts_counters_tell_end(counters, vts_clock_wall_ns() - since_ns);
}

static void tell_older(struct vts_waiter *waiter, struct vts_waiter_job *job)
{
    struct vts_waiter_older *older = first_older(job);
    struct vts_status *status = older->status;
    struct vts_wait_event event = {.job_id = vts_status_job_id(status),
                                   .data = job->data,
                                   .status = status,
                                   .next_try = -1,
                                   .rung = older->rung};

    older->status = NULL;
    free_older(waiter, older);
    count(waiter, &event, 0);
    call(waiter, &event);
    vts_status_free(status);
}

/* The job may be removed by whoever is told of it, so that nothing of it is used by then. */
static void tell_job(struct vts_waiter *waiter, struct vts_waiter_job *job)
{
    struct vts_client_error *error = job->error;
    struct vts_status *status = error == NULL ? job->status : NULL;
    struct vts_wait_event event = {.data = job->data,
                                   .status = status,
                                   .error = error,
                                   .is_final = job->is_over,
                                   .next_try = -1,
                                   .rung = job->rung};
    char job_id[VTS_WAITER_ID_SIZE];
    int64_t added_ns = job->added_ns;

    (void)snprintf(job_id, sizeof(job_id), "%s", job->id);
    event.job_id = job_id;
    vts_list_remove(&job->news);
    job->error = NULL;
    if (status != NULL)
        job->status = NULL;
    if (job->is_over)
        vts_waiter_drop_job(job);
    if (status != NULL)
        count(waiter, &event, added_ns);
    call(waiter, &event);
    vts_status_free(status);
    vts_mem_free(error);
}

static void tell_failure(struct vts_waiter *waiter)
{
    struct vts_client_error error = waiter->failure.error;
    char job_id[VTS_WAITER_ID_SIZE];
    struct vts_wait_event event = {
        .error = &error, .next_try = waiter->failure.next_try, .rung = waiter->failure.rung};
    const struct vts_waiter_job *job;

    (void)snprintf(job_id, sizeof(job_id), "%s", waiter->failure.job_id);
    waiter->failure.is_there = false;
    job = job_id[0] != '\0' ? vts_waiter_find(waiter, job_id) : NULL;
    if (job != NULL) {
        event.job_id = job_id;
        event.data = job->data;
    }
    call(waiter, &event);
}

void vts_waiter_tell(struct vts_waiter *waiter)
{
    const struct vts_transport *transport = waiter->client->transport;

    if (waiter->failure.is_there)
        tell_failure(waiter);
    /* Whoever is told may have had enough. */
    while (!vts_list_is_empty(&waiter->news) && waiter->code == VTS_CLIENT_OK &&
           !vts_transport_is_cancelled(transport)) {
        struct vts_waiter_job *job =
            VTS_CONTAINER_OF(waiter->news.next, struct vts_waiter_job, news);

        if (first_older(job) != NULL)
            tell_older(waiter, job);
        else
            tell_job(waiter, job);
    }
}
