/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_time.c - what time brings: a lease that is lost, a start that has come, a job that has
 * been kept long enough.
 *
 * Each job has one timer, of whatever is due next. It leaves the heap when it fires and comes back
 * when the change is settled or undone. After a failed commit all timers hold for a while; a single
 * job that could not be changed has its own put off.
 */
#include "common/base/clock.h"
#include "server/jobs/job_record.h"
#include "server/jobs/keeper_parts.h"

static const int64_t put_off_ns = (int64_t)1 * VTS_NS_PER_S;
/* The wall clock may be set while the keeper sleeps. */
static const int64_t sleep_max_ns = (int64_t)10 * VTS_NS_PER_S;

static void put_off(struct vts_keeper *keeper, struct vts_keeper_job *job, int64_t due_ns)
{
    int64_t soonest_ns = keeper->batch.wall_ns + put_off_ns;

    vts_keeper_set_timer(keeper, job, due_ns > soonest_ns ? due_ns : soonest_ns);
}

static enum vts_err tell_of_time(struct vts_keeper *keeper, struct vts_keeper_job *job,
                                 Vtstatus__Store__V1__JobRecord *record)
{
    const struct vts_job_event event = {.kind = VTS_JOB_EVENT_TIME};
    struct vts_job_change change;
    enum vts_err err =
        vts_job_apply(record, &event, keeper->batch.wall_ns, &keeper->scratch, &change);

    if (err != VTS_OK)
        return err;
    if (change.is_changed)
        return vts_keeper_stage(keeper, job, record, change.is_visible);
    put_off(keeper, job, vts_keeper_due_ns(record));
    return VTS_OK;
}

/* It has been kept for as long as it was to be; its id is not free for another day. */
static enum vts_err remove_job(struct vts_keeper *keeper, struct vts_keeper_job *job,
                               const Vtstatus__Store__V1__JobRecord *record)
{
    Vtstatus__Store__V1__JobRecord *tombstone =
        vts_job_record_of_removed(record, keeper->batch.wall_ns, &keeper->scratch);

    return tombstone == NULL ? VTS_ERR_NOMEM : vts_keeper_stage(keeper, job, tombstone, false);
}

static void run_timer(struct vts_keeper *keeper, struct vts_keeper_job *job)
{
    Vtstatus__Store__V1__JobRecord *record;
    enum vts_err err = vts_keeper_job_read(job, &keeper->scratch, &record);

    if (err == VTS_OK && job->state == VTS_KEEPER_TOMBSTONE)
        err = vts_keeper_stage_removal(keeper, job, record->version);
    else if (err == VTS_OK && vts_keeper_is_over(job->state))
        err = remove_job(keeper, job, record);
    else if (err == VTS_OK)
        err = tell_of_time(keeper, job, record);
    if (err != VTS_OK)
        put_off(keeper, job, 0);
    vts_arena_rewind(&keeper->scratch);
}

static struct vts_keeper_job *first_job(const struct vts_keeper *keeper)
{
    struct vts_heap_node *node = vts_heap_first(&keeper->timers);

    return node == NULL ? NULL : VTS_CONTAINER_OF(node, struct vts_keeper_job, timer);
}

void vts_keeper_run_timers(struct vts_keeper *keeper)
{
    const struct vts_keeper_batch *batch = &keeper->batch;

    if (batch->now_ns < keeper->timers_from_ns)
        return;
    for (int i = 0; i < VTS_KEEPER_TIMERS_MAX; i++) {
        struct vts_keeper_job *job = first_job(keeper);

        if (job == NULL || job->timer.due_ns > batch->wall_ns)
            return;
        vts_heap_remove(&keeper->timers, &job->timer);
        run_timer(keeper, job);
    }
}

int64_t vts_keeper_timers_span_ns(const struct vts_keeper *keeper)
{
    const struct vts_keeper_job *job = first_job(keeper);
    const struct vts_keeper_batch *batch = &keeper->batch;
    int64_t span_ns = 0;

    if (job == NULL)
        return INT64_MAX;
    if (job->timer.due_ns > batch->wall_ns)
        span_ns = job->timer.due_ns - batch->wall_ns;
    if (span_ns > sleep_max_ns)
        span_ns = sleep_max_ns;
    if (keeper->timers_from_ns > batch->now_ns + span_ns)
        span_ns = keeper->timers_from_ns - batch->now_ns;
    return span_ns;
}
