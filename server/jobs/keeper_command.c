/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_command.c - what each command does.
 *
 * A command that changes a job unpacks the job's record as the batch has left it into its own
 * arena, changes it there, and stages it; what it worked on is also its answer. A command that only
 * looks does so after the commit, and so does a heartbeat that waits.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/wire/etag.h"
#include "common/wire/pb_arena.h"
#include "common/wire/pb_time.h"
#include "server/jobs/job_record.h"
#include "server/jobs/keeper_parts.h"

enum { ETAG_MAX_BYTES = 32 };

void vts_keeper_refuse(struct vts_keeper_command *command, enum vts_keeper_refusal refusal)
{
    command->refusal = refusal;
    command->change = (struct vts_job_change){.refusal = VTS_JOB_REFUSAL_NONE};
    command->was_there = false;
    command->is_cancel_requested = false;
    command->record = NULL;
    command->jobs_count = 0;
    command->jobs = NULL;
    command->next_page_token = "";
}

void vts_keeper_put_off(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    vts_list_push_back(&keeper->taken, &command->link);
}

/* ---- changing a job ---------------------------------------------------------------------- */

static bool is_etag_right(const struct vts_keeper_command *command,
                          const Vtstatus__Store__V1__JobRecord *record)
{
    char etag[ETAG_MAX_BYTES];
    int len;

    if (command->etag == NULL || command->etag[0] == '\0')
        return true;
    len = snprintf(etag, sizeof(etag), "W/\"r%llu\"",
                   (unsigned long long)record->job->status->revision);
    return vts_etag_is_listed(vts_str_of(command->etag), vts_str_make(etag, (size_t)len));
}

/* The job that the command names, with its record as the batch has left it; NULL, and the command
 * is refused, when there is none. */
static struct vts_keeper_job *find_job(struct vts_keeper *keeper,
                                       struct vts_keeper_command *command,
                                       Vtstatus__Store__V1__JobRecord **ret_record)
{
    struct vts_keeper_job *job = vts_keeper_find(keeper, vts_str_of(command->job_id));

    if (job == NULL) {
        vts_keeper_refuse(command, VTS_KEEPER_JOB_NOT_FOUND);
        return NULL;
    }
    command->own.rests_on_batch = job->staged != NULL;
    if (vts_keeper_job_state_staged(job) == VTS_KEEPER_TOMBSTONE)
        vts_keeper_refuse(command, VTS_KEEPER_JOB_GONE);
    else if (vts_keeper_job_read_staged(job, &command->arena, ret_record) != VTS_OK)
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
    else if (!is_etag_right(command, *ret_record))
        vts_keeper_refuse(command, VTS_KEEPER_ETAG_MISMATCH);
    return command->refusal == VTS_KEEPER_OK ? job : NULL;
}

static void stage(struct vts_keeper *keeper, struct vts_keeper_command *command,
                  struct vts_keeper_job *job, Vtstatus__Store__V1__JobRecord *record,
                  bool is_visible)
{
    command->own.rests_on_batch = true;
    command->record = record;
    if (vts_keeper_stage(keeper, job, record, is_visible) != VTS_OK)
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
}

void vts_keeper_apply(struct vts_keeper *keeper, struct vts_keeper_command *command,
                      struct vts_keeper_job *job, Vtstatus__Store__V1__JobRecord *record,
                      const struct vts_job_event *event)
{
    struct vts_job_change change;

    if (vts_job_apply(record, event, keeper->batch.wall_ns, &command->arena, &change) != VTS_OK) {
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
        return;
    }
    if (change.refusal != VTS_JOB_REFUSAL_NONE) {
        vts_keeper_refuse(command, VTS_KEEPER_MACHINE);
        command->change = change;
        return;
    }
    command->change = change;
    command->record = record;
    command->is_cancel_requested =
        event->kind == VTS_JOB_EVENT_HEARTBEAT && vts_keeper_state_of(record) == VTS_JOB_CANCELLING;
    if (change.is_changed)
        stage(keeper, command, job, record, change.is_visible);
}

static void apply_event(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    Vtstatus__Store__V1__JobRecord *record;
    struct vts_keeper_job *job = find_job(keeper, command, &record);

    if (job != NULL)
        vts_keeper_apply(keeper, command, job, record, &command->event);
}

/* ---- deleting ---------------------------------------------------------------------------- */

static void delete_job(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    Vtstatus__Store__V1__JobRecord *record;
    Vtstatus__Store__V1__JobRecord *tombstone;
    struct vts_keeper_job *job = find_job(keeper, command, &record);

    if (job == NULL)
        return;
    if (!record->job->status->done) {
        vts_keeper_refuse(command, VTS_KEEPER_JOB_NOT_DONE);
        return;
    }
    tombstone = vts_job_record_of_removed(record, keeper->batch.wall_ns, &command->arena);
    if (tombstone == NULL)
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
    else
        stage(keeper, command, job, tombstone, false);
    command->record = NULL;
}

/* ---- creating ---------------------------------------------------------------------------- */

/* The id that the request gives, or one that no job has; NULL without memory. */
static const char *choose_id(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    char *id;

    if (command->create->job_id[0] != '\0')
        return command->create->job_id;
    id = vts_arena_alloc(&command->arena, VTS_KEEPER_ID_BYTES);
    if (id == NULL)
        return NULL;
    do {
        vts_keeper_make_id(&keeper->ids, id);
    } while (vts_keeper_find(keeper, vts_str_of(id)) != NULL);
    return id;
}

/* The request was made before: the answer is its job as it is now, or that it is gone. */
static void repeat(struct vts_keeper_command *command, struct vts_keeper_job *job,
                   const Vtstatus__Store__V1__JobRecord *asked)
{
    Vtstatus__Store__V1__JobRecord *record;

    command->own.rests_on_batch = job->staged != NULL;
    if (vts_keeper_job_read_staged(job, &command->arena, &record) != VTS_OK) {
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
    } else if (!vts_job_record_is_repetition(record, asked)) {
        vts_keeper_refuse(command, VTS_KEEPER_REQUEST_ID_REUSED);
    } else if (vts_keeper_state_of(record) == VTS_KEEPER_TOMBSTONE) {
        command->job_id = record->job->id;
        vts_keeper_refuse(command, VTS_KEEPER_JOB_GONE);
    } else {
        command->was_there = true;
        command->record = record;
    }
}

static void create_new(struct vts_keeper *keeper, struct vts_keeper_command *command,
                       Vtstatus__Store__V1__JobRecord *record)
{
    struct vts_keeper_job *job = vts_keeper_find(keeper, vts_str_of(record->job->id));

    if (job != NULL) {
        command->own.rests_on_batch = job->staged != NULL;
        vts_keeper_refuse(command, VTS_KEEPER_JOB_EXISTS);
        return;
    }
    if (keeper->jobs.count >= keeper->options.jobs_max) {
        vts_keeper_refuse(command, VTS_KEEPER_FULL);
        return;
    }
    job = vts_keeper_add_job(keeper, record);
    if (job == NULL) {
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
        return;
    }
    stage(keeper, command, job, record, true);
    if (command->refusal == VTS_KEEPER_OK)
        return;
    vts_keeper_drop_job(keeper, job);
    vts_keeper_job_free(keeper, job);
}

static void create(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    Vtstatus__Store__V1__JobRecord *record;
    struct vts_keeper_job *known = NULL;
    const char *id = choose_id(keeper, command);
    enum vts_err err = id == NULL ? VTS_ERR_NOMEM : VTS_OK;

    if (err == VTS_OK)
        err = vts_job_record_new(command->create, id, keeper->batch.wall_ns, &command->arena,
                                 &record, &command->violation);
    if (err == VTS_OK)
        err = vts_keeper_find_request(keeper, command->create->request_id, &known);
    if (err == VTS_ERR_INVALID)
        vts_keeper_refuse(command, VTS_KEEPER_INVALID);
    else if (err != VTS_OK)
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
    else if (known != NULL)
        repeat(command, known, record);
    else
        create_new(keeper, command, record);
}

/* ---- looking ----------------------------------------------------------------------------- */

/* The job as committed; NULL, and the command is refused, when there is none. */
static struct vts_keeper_job *find_committed(struct vts_keeper *keeper,
                                             struct vts_keeper_command *command)
{
    struct vts_keeper_job *job = vts_keeper_find(keeper, vts_str_of(command->job_id));

    if (job == NULL)
        vts_keeper_refuse(command, VTS_KEEPER_JOB_NOT_FOUND);
    else if (job->state == VTS_KEEPER_TOMBSTONE)
        vts_keeper_refuse(command, VTS_KEEPER_JOB_GONE);
    else if (vts_keeper_job_read(job, &command->arena, &command->record) != VTS_OK)
        vts_keeper_refuse(command, VTS_KEEPER_NO_MEMORY);
    return command->refusal == VTS_KEEPER_OK ? job : NULL;
}

static void refuse_lost(struct vts_keeper_command *command)
{
    vts_keeper_refuse(command, VTS_KEEPER_MACHINE);
    command->change.refusal = VTS_JOB_REFUSAL_LEASE_LOST;
}

/* A third of the lease is left for the worker to renew it, when the heartbeat has waited in vain.
 */
static void bound_wait(const struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    int64_t left_ns =
        vts_pb_timestamp_ns(command->record->lease_expire_time) - keeper->batch.wall_ns;

    if (command->wait_ns > left_ns - left_ns / 3)
        command->wait_ns = left_ns - left_ns / 3;
}

/* A heartbeat that has waited, or is to wait, says how its job is now. */
static bool finish_heartbeat(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    struct vts_keeper_job *job = find_committed(keeper, command);

    if (job == NULL)
        return true;
    if (strcmp(command->record->lease_token, command->event.token) != 0) {
        refuse_lost(command);
        return true;
    }
    command->is_cancel_requested = job->state == VTS_JOB_CANCELLING;
    if (command->is_cancel_requested || command->own.is_wait_over)
        return true;
    bound_wait(keeper, command);
    /* One that cannot wait for want of memory is answered like one that has waited. */
    return vts_keeper_wait_for_cancel(keeper, command, job) != VTS_OK;
}

static bool finish_list(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    bool has_turn = keeper->batch.looks_left > 0;

    if (has_turn)
        vts_keeper_list(keeper, command);
    else
        vts_keeper_put_off(keeper, command);
    return has_turn;
}

/* ---- all --------------------------------------------------------------------------------- */

void vts_keeper_execute(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    struct vts_list *list = &keeper->batch.answered;

    switch (command->kind) {
    case VTS_KEEPER_CREATE:
        create(keeper, command);
        break;
    case VTS_KEEPER_EVENT:
        apply_event(keeper, command);
        break;
    case VTS_KEEPER_DELETE:
        delete_job(keeper, command);
        break;
    case VTS_KEEPER_LEASE:
        command->own.labels =
            vts_keeper_label_bits(command->lease.labels, command->lease.labels_count);
        list = &keeper->batch.leases;
        break;
    case VTS_KEEPER_GET:
    case VTS_KEEPER_LIST:
        break;
    }
    vts_list_push_back(list, &command->link);
}

bool vts_keeper_finish(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    if (command->refusal != VTS_KEEPER_OK)
        return true;
    switch (command->kind) {
    case VTS_KEEPER_GET:
        (void)find_committed(keeper, command); /* what it finds is the answer */
        return true;
    case VTS_KEEPER_LIST:
        return finish_list(keeper, command);
    case VTS_KEEPER_EVENT:
        return command->wait_ns <= 0 || command->event.kind != VTS_JOB_EVENT_HEARTBEAT ||
               finish_heartbeat(keeper, command);
    case VTS_KEEPER_CREATE:
    case VTS_KEEPER_DELETE:
    case VTS_KEEPER_LEASE:
        return true;
    }
    VTS_UNREACHABLE();
}
