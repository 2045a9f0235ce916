/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_lease.c - jobs that are ready, and the workers they go to.
 *
 * A queue has a tree of the jobs that may be leased, the next one first, and a line of the leases
 * that wait, in the order they came. When a lease begins to wait, no job of its queues is for it;
 * from then on only a job that has just become ready can be. So those are looked at, the best
 * first, and each goes to the first in line that takes it.
 *
 * Leases are served at the end of a batch, so that the best of all jobs that became ready in it
 * goes first. A waiting one that names two queues is in both lines.
 */
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "server/jobs/keeper_parts.h"

const char vts_keeper_default_queue[] = "default";

/* ---- queues ------------------------------------------------------------------------------ */

static bool has_name(const void *item, const void *key)
{
    const struct vts_keeper_queue *queue = item;
    const struct vts_str *name = key;

    return vts_str_equals_text(*name, queue->name);
}

struct vts_keeper_queue *vts_keeper_queue_find(struct vts_keeper *keeper, struct vts_str name)
{
    return vts_table_find(&keeper->queues, vts_keeper_hash(keeper, name), has_name, &name);
}

static struct vts_keeper_queue *add_queue(struct vts_keeper *keeper, struct vts_str name)
{
    struct vts_keeper_queue *queue;

    if (vts_table_reserve(&keeper->queues, keeper->queues.count + 1) != VTS_OK)
        return NULL;
    queue = vts_mem_zalloc(sizeof(*queue) + name.len + 1);
    if (queue == NULL)
        return NULL;
    queue->ready = vts_line_new(&vts_keeper_ready_ops);
    if (queue->ready == NULL) {
        vts_mem_free(queue);
        return NULL;
    }
    vts_list_init(&queue->waiting);
    queue->hash = vts_keeper_hash(keeper, name);
    memcpy(queue->name, name.ptr, name.len);
    vts_table_add(&keeper->queues, queue->hash, queue);
    return queue;
}

struct vts_keeper_queue *vts_keeper_queue_ref(struct vts_keeper *keeper, struct vts_str name)
{
    struct vts_keeper_queue *queue = vts_keeper_queue_find(keeper, name);

    if (queue == NULL)
        queue = add_queue(keeper, name);
    if (queue != NULL)
        queue->refs_count++;
    return queue;
}

void vts_keeper_queue_unref(struct vts_keeper *keeper, struct vts_keeper_queue *queue)
{
    if (queue == NULL || --queue->refs_count > 0)
        return;
    VTS_ASSERT(vts_line_tree(queue->ready)->root == NULL && vts_list_is_empty(&queue->waiting));
    vts_table_remove(&keeper->queues, queue->hash, queue);
    vts_line_unref(queue->ready);
    vts_mem_free(queue);
}

void vts_keeper_set_ready(struct vts_keeper *keeper, struct vts_keeper_job *job, bool is_ready)
{
    struct vts_job_place place = vts_keeper_job_place(job);
    struct vts_keeper_batch *batch = &keeper->batch;

    if (job->is_ready == is_ready)
        return;
    job->is_ready = is_ready;
    if (!is_ready) {
        vts_line_remove(job->queue->ready, &place, &job->ready);
        return;
    }
    vts_line_add(job->queue->ready, &place, &job->ready);
    if (vts_list_is_empty(&job->queue->waiting))
        return;
    VTS_ASSERT(batch->fresh_count < VTS_KEEPER_STAGED_MAX);
    batch->fresh[batch->fresh_count++] = job;
}

/* ---- granting ---------------------------------------------------------------------------- */

/* Gives the job to the lease, or refuses the lease. False when the job is not to be had, since the
 * clock was set back. */
static bool grant(struct vts_keeper *keeper, struct vts_keeper_job *job,
                  struct vts_keeper_command *command)
{
    struct vts_job_event event = {.kind = VTS_JOB_EVENT_LEASE,
                                  .worker_id = command->lease.worker_id,
                                  .lease_duration_ns = command->lease.duration_ns};
    char *token = vts_arena_alloc(&command->arena, VTS_KEEPER_ID_BYTES);
    Vtstatus__Store__V1__JobRecord *record;

    if (token == NULL || vts_keeper_job_read_staged(job, &command->arena, &record) != VTS_OK) {
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
        return true;
    }
    vts_keeper_make_id(&keeper->ids, token);
    event.token = token;
    vts_keeper_apply(keeper, command, job, record, &event);
    if (command->refusal != VTS_KEEPER_MACHINE)
        return true;
    vts_keeper_refuse(command, VTS_KEEPER_OK);
    return false;
}

/* Whether the lease takes such a job. */
static bool takes(struct vts_keeper *keeper, const struct vts_keeper_command *command,
                  const struct vts_keeper_job *job, enum vts_err *ret_err)
{
    Vtstatus__Store__V1__JobRecord *record;
    bool has_labels = false;

    if (command->lease.labels_count == 0)
        return true;
    keeper->batch.looks_left--;
    if ((job->labels & command->own.labels) != command->own.labels)
        return false;
    *ret_err = vts_keeper_job_read_staged(job, &keeper->scratch, &record);
    if (*ret_err == VTS_OK)
        has_labels =
            vts_keeper_has_labels(record->job, command->lease.labels, command->lease.labels_count);
    vts_arena_rewind(&keeper->scratch);
    return has_labels;
}

/* ---- leases that wait -------------------------------------------------------------------- */

static void give_to_line(struct vts_keeper *keeper, struct vts_keeper_job *job)
{
    struct vts_list *line = &job->queue->waiting;
    struct vts_list *next;

    for (struct vts_list *link = line->next; link != line && job->is_ready; link = next) {
        struct vts_keeper_spot *spot = VTS_CONTAINER_OF(link, struct vts_keeper_spot, link);
        struct vts_keeper_command *command = spot->wait->command;
        enum vts_err err = VTS_OK;
        bool is_over = takes(keeper, command, job, &err) && grant(keeper, job, command);

        next = link->next; /* another lease's: each has one spot in a line */
        if (err != VTS_OK)
            vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
        if (is_over || err != VTS_OK)
            vts_keeper_end_wait(keeper, command);
    }
}

void vts_keeper_refuse_line(struct vts_keeper *keeper, struct vts_keeper_queue *queue)
{
    while (!vts_list_is_empty(&queue->waiting)) {
        struct vts_keeper_spot *spot =
            VTS_CONTAINER_OF(queue->waiting.next, struct vts_keeper_spot, link);

        vts_keeper_refuse(spot->wait->command, VTS_KEEPER_STORE_FAILED);
        vts_keeper_end_wait(keeper, spot->wait->command);
    }
}

static int order_fresh(const void *a, const void *b)
{
    const struct vts_job_place place = vts_keeper_job_place(*(struct vts_keeper_job *const *)a);

    return vts_keeper_order_ready(&place, *(struct vts_keeper_job *const *)b);
}

static void serve_lines(struct vts_keeper *keeper)
{
    struct vts_keeper_batch *batch = &keeper->batch;

    qsort(batch->fresh, batch->fresh_count, sizeof(struct vts_keeper_job *), order_fresh);
    for (size_t i = 0; i < batch->fresh_count; i++)
        if (batch->fresh[i]->is_ready)
            give_to_line(keeper, batch->fresh[i]);
    batch->fresh_count = 0;
}

/* ---- leases that have just come ---------------------------------------------------------- */

struct search {
    struct vts_keeper *keeper;
    const struct vts_keeper_command *command;
    struct vts_keeper_job *job; /* NULL: none yet */
    enum vts_err err;
};

static bool look_at(struct vts_tree_node *node, void *context)
{
    struct search *search = context;
    struct vts_keeper_job *job = VTS_CONTAINER_OF(node, struct vts_keeper_job, ready);

    if (takes(search->keeper, search->command, job, &search->err))
        search->job = job;
    return search->job == NULL && search->err == VTS_OK;
}

/* The next job of the queue, if it comes before the best one of other queues. */
static enum vts_err look_in(struct search *search, const char *name)
{
    struct vts_keeper_queue *queue = vts_keeper_queue_find(search->keeper, vts_str_of(name));
    struct vts_keeper_job *best = search->job;
    struct vts_job_place place;

    if (queue == NULL)
        return VTS_OK;
    search->job = NULL;
    vts_tree_visit_after(vts_line_tree(queue->ready), NULL, look_at, search);
    if (best == NULL)
        return search->err;
    place = vts_keeper_job_place(best);
    if (search->job == NULL || vts_keeper_order_ready(&place, search->job) < 0)
        search->job = best;
    return search->err;
}

static enum vts_err find_job(struct vts_keeper *keeper, const struct vts_keeper_command *command,
                             struct vts_keeper_job **ret_job)
{
    struct search search = {.keeper = keeper, .command = command};
    enum vts_err err = VTS_OK;

    if (command->lease.queues_count == 0)
        err = look_in(&search, vts_keeper_default_queue);
    for (size_t i = 0; i < command->lease.queues_count && err == VTS_OK; i++)
        err = look_in(&search, command->lease.queues[i]);
    if (err == VTS_OK)
        *ret_job = search.job;
    return err;
}

/* False when the command waits from now on, for a job or for its turn. */
static bool serve(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    struct vts_keeper_job *job = NULL;
    enum vts_err err = VTS_OK;

    if (command->own.is_wait_over)
        return true; /* nobody would take the job */
    if (keeper->batch.looks_left <= 0 && command->lease.labels_count > 0) {
        vts_keeper_put_off(keeper, command);
        return false;
    }
    err = find_job(keeper, command, &job);
    if (err == VTS_OK && job != NULL && grant(keeper, job, command))
        return true;
    if (err == VTS_OK && command->wait_ns > 0)
        err = vts_keeper_wait_for_lease(keeper, command);
    if (err != VTS_OK)
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
    return err != VTS_OK || command->wait_ns <= 0;
}

void vts_keeper_serve_leases(struct vts_keeper *keeper)
{
    struct vts_keeper_batch *batch = &keeper->batch;

    serve_lines(keeper);
    while (!vts_list_is_empty(&batch->leases)) {
        struct vts_keeper_command *command =
            VTS_CONTAINER_OF(batch->leases.next, struct vts_keeper_command, link);

        vts_list_remove(&command->link);
        if (serve(keeper, command))
            vts_list_push_back(&batch->answered, &command->link);
    }
}
