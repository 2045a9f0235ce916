/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_wait.c - commands that wait for something to happen, or for their time to be over.
 *
 * A lease stands in the line of each of its queues, a heartbeat in a list by its job. Both have a
 * deadline, so the heap of deadlines holds all that wait.
 */
#include <string.h>

#include "server/jobs/keeper_parts.h"

/* ---- beginning --------------------------------------------------------------------------- */

static struct vts_keeper_wait *make_wait(struct vts_keeper *keeper,
                                         struct vts_keeper_command *command)
{
    struct vts_keeper_wait *wait = vts_arena_alloc(&command->arena, sizeof(*wait));

    if (wait == NULL || vts_heap_reserve(&keeper->deadlines, keeper->deadlines.count + 1) != VTS_OK)
        return NULL;
    *wait = (struct vts_keeper_wait){.command = command};
    vts_list_init(&wait->job_link);
    return wait;
}

static void begin(struct vts_keeper *keeper, struct vts_keeper_wait *wait)
{
    struct vts_keeper_command *command = wait->command;
    int64_t now_ns = keeper->batch.now_ns;

    vts_heap_set(&keeper->deadlines, &wait->deadline,
                 command->wait_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + command->wait_ns);
    command->own.wait = wait;
    command->own.rests_on_batch = false; /* what it has done is durable */
}

static void leave_lines(struct vts_keeper *keeper, struct vts_keeper_wait *wait)
{
    for (size_t i = 0; i < wait->spots_count; i++) {
        vts_list_remove(&wait->spots[i].link);
        vts_keeper_queue_unref(keeper, wait->spots[i].queue);
    }
    wait->spots_count = 0;
}

/* A queue that is named twice has the lease in its line already, as the last one. */
static bool is_in_line(const struct vts_keeper_queue *queue, const struct vts_keeper_wait *wait)
{
    return !vts_list_is_empty(&queue->waiting) &&
           VTS_CONTAINER_OF(queue->waiting.prev, struct vts_keeper_spot, link)->wait == wait;
}

static enum vts_err enter_line(struct vts_keeper *keeper, struct vts_keeper_wait *wait,
                               const char *name)
{
    struct vts_keeper_queue *queue = vts_keeper_queue_ref(keeper, vts_str_of(name));
    struct vts_keeper_spot *spot = &wait->spots[wait->spots_count];

    if (queue == NULL)
        return VTS_ERR_NOMEM;
    if (is_in_line(queue, wait)) {
        vts_keeper_queue_unref(keeper, queue);
        return VTS_OK;
    }
    *spot = (struct vts_keeper_spot){.wait = wait, .queue = queue};
    vts_list_push_back(&queue->waiting, &spot->link);
    wait->spots_count++;
    return VTS_OK;
}

enum vts_err vts_keeper_wait_for_lease(struct vts_keeper *keeper,
                                       struct vts_keeper_command *command)
{
    struct vts_keeper_wait *wait = make_wait(keeper, command);
    size_t count = command->lease.queues_count;
    enum vts_err err = VTS_OK;

    if (wait == NULL)
        return VTS_ERR_NOMEM;
    wait->spots = vts_arena_alloc(&command->arena, (count == 0 ? 1 : count) * sizeof(*wait->spots));
    if (wait->spots == NULL)
        return VTS_ERR_NOMEM;
    if (count == 0)
        err = enter_line(keeper, wait, vts_keeper_default_queue);
    for (size_t i = 0; i < count && err == VTS_OK; i++)
        err = enter_line(keeper, wait, command->lease.queues[i]);
    if (err == VTS_OK)
        begin(keeper, wait);
    else
        leave_lines(keeper, wait);
    return err;
}

static struct vts_list *bucket_of(struct vts_keeper *keeper, const struct vts_keeper_job *job)
{
    return &keeper->by_job[job->hash % VTS_KEEPER_BUCKETS];
}

enum vts_err vts_keeper_wait_for_cancel(struct vts_keeper *keeper,
                                        struct vts_keeper_command *command,
                                        const struct vts_keeper_job *job)
{
    struct vts_keeper_wait *wait = make_wait(keeper, command);

    if (wait == NULL)
        return VTS_ERR_NOMEM;
    wait->job = job;
    vts_list_push_back(bucket_of(keeper, job), &wait->job_link);
    begin(keeper, wait);
    return VTS_OK;
}

/* ---- ending ------------------------------------------------------------------------------ */

void vts_keeper_end_wait(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    struct vts_keeper_wait *wait = command->own.wait;

    leave_lines(keeper, wait);
    vts_list_remove(&wait->job_link);
    vts_heap_remove(&keeper->deadlines, &wait->deadline);
    command->own.wait = NULL;
    command->own.is_wait_over = true;
    vts_list_push_back(&keeper->batch.answered, &command->link);
}

static struct vts_keeper_wait *first_wait(const struct vts_keeper *keeper)
{
    struct vts_heap_node *node = vts_heap_first(&keeper->deadlines);

    return node == NULL ? NULL : VTS_CONTAINER_OF(node, struct vts_keeper_wait, deadline);
}

void vts_keeper_end_waits_until(struct vts_keeper *keeper, int64_t deadline_ns)
{
    for (struct vts_keeper_wait *wait = first_wait(keeper);
         wait != NULL && wait->deadline.due_ns <= deadline_ns; wait = first_wait(keeper))
        vts_keeper_end_wait(keeper, wait->command);
}

/* Whether the worker still has the job and need not stop; not known without memory. */
static bool is_as_before(struct vts_keeper *keeper, const struct vts_keeper_wait *wait)
{
    Vtstatus__Store__V1__JobRecord *record;
    bool is_same = false;

    if (wait->job->state != VTS_JOB_RUNNING)
        return false;
    if (vts_keeper_job_read(wait->job, &keeper->scratch, &record) == VTS_OK)
        is_same = strcmp(record->lease_token, wait->command->event.token) == 0;
    vts_arena_rewind(&keeper->scratch);
    return is_same;
}

void vts_keeper_end_waits_for_job(struct vts_keeper *keeper, const struct vts_keeper_job *job)
{
    struct vts_list *bucket = bucket_of(keeper, job);
    struct vts_list *next;

    for (struct vts_list *link = bucket->next; link != bucket; link = next) {
        struct vts_keeper_wait *wait = VTS_CONTAINER_OF(link, struct vts_keeper_wait, job_link);

        next = link->next;
        if (wait->job == job && !is_as_before(keeper, wait))
            vts_keeper_end_wait(keeper, wait->command);
    }
}
