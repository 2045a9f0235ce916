/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_news.c - from what is durable to the board and those who watch.
 *
 * Publishing may fail for want of memory, or because a loop takes no more posts. What could not be
 * published is kept as it was staged, and published a little later unless something newer of the
 * same job came first. So nobody who watches misses the last of it.
 */
#include "common/base/clock.h"
#include "common/wire/pb_time.h"
#include "server/jobs/keeper_parts.h"
#include "server/obs/log.h"

static const int64_t retry_ns = (int64_t)100 * VTS_NS_PER_MS;

/* When it is expected to end, or, where nobody knows that, the soonest it can begin; 0: any time.
 */
static int64_t awaited_wall_ns(const Vtstatus__Store__V1__JobRecord *record, int64_t end_wall_ns)
{
    if (end_wall_ns != 0 || record->not_before_time == NULL)
        return end_wall_ns;
    return vts_pb_timestamp_ns(record->not_before_time);
}

static int64_t to_monotonic_ns(const struct vts_keeper_batch *batch, int64_t wall_ns)
{
    int64_t span_ns = wall_ns - batch->wall_ns;

    return span_ns > INT64_MAX - batch->now_ns ? INT64_MAX : batch->now_ns + span_ns;
}

enum vts_err vts_keeper_snapshot_new(const struct vts_keeper *keeper,
                                     const struct vts_keeper_job *job,
                                     const Vtstatus__Store__V1__JobRecord *record,
                                     struct vts_snapshot **ret_snapshot)
{
    const struct vts_keeper_batch *batch = &keeper->batch;
    struct vts_snapshot_extras extras = {
        .end_wall_ns = vts_estimator_end_ns(keeper->estimator, record, batch->wall_ns)};
    int64_t awaited_ns;

    awaited_ns = awaited_wall_ns(record, extras.end_wall_ns);
    if (awaited_ns != 0)
        extras.end_ns = to_monotonic_ns(batch, awaited_ns);
    if (record->job->status->pending_reason == VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED)
        extras.line = job->queue->ready;
    return vts_snapshot_of_job(record->job, &extras, ret_snapshot);
}

/* ---- publishing -------------------------------------------------------------------------- */

/* The job's status that was never published is still the last one if it is removed now. */
static void drop_older(struct vts_keeper *keeper, struct vts_keeper_staged *newer)
{
    struct vts_str id = vts_keeper_job_id(newer->job);
    struct vts_list *unpublished = &keeper->news.unpublished;
    struct vts_list *next;

    for (struct vts_list *link = unpublished->next; link != unpublished; link = next) {
        struct vts_keeper_staged *staged = VTS_CONTAINER_OF(link, struct vts_keeper_staged, link);

        next = link->next;
        if (!vts_str_equals(vts_keeper_job_id(staged->job), id))
            continue;
        vts_list_remove(link);
        if (newer->snapshot == NULL) {
            newer->snapshot = staged->snapshot;
            staged->snapshot = NULL;
        }
        vts_keeper_staged_free(keeper, staged);
    }
}

static void log_delay(void)
{
    struct vts_log_line line;

    vts_log_begin(&line, VTS_LOG_WARN, "a status could not be published; trying again");
    vts_log_end(&line);
}

/* A job may have ended in the batch that removes it: who watches it is to have that first. */
void vts_keeper_publish(struct vts_keeper *keeper, struct vts_keeper_staged *staged)
{
    struct vts_watch_hub *hub = keeper->options.hub;
    enum vts_err err = VTS_OK;

    if (staged->leaves_board || staged->snapshot != NULL)
        drop_older(keeper, staged);
    if (staged->snapshot != NULL)
        err = vts_watch_hub_publish(hub, vts_snapshot_ref(staged->snapshot));
    if (err == VTS_OK && staged->leaves_board) {
        vts_snapshot_unref(staged->snapshot); /* not to be published again if this fails */
        staged->snapshot = NULL;
        err = vts_watch_hub_remove(hub, vts_keeper_job_id(staged->job));
    }
    if (err == VTS_OK) {
        vts_keeper_staged_free(keeper, staged);
        return;
    }
    log_delay();
    vts_list_push_back(&keeper->news.unpublished, &staged->link);
    keeper->news.retry_ns = keeper->batch.now_ns + retry_ns;
}

void vts_keeper_publish_again(struct vts_keeper *keeper)
{
    struct vts_list again;

    if (keeper->batch.now_ns < keeper->news.retry_ns)
        return;
    vts_list_init(&again);
    vts_list_move_all(&keeper->news.unpublished, &again);
    while (!vts_list_is_empty(&again)) {
        struct vts_keeper_staged *staged =
            VTS_CONTAINER_OF(again.next, struct vts_keeper_staged, link);

        vts_list_remove(&staged->link);
        vts_keeper_publish(keeper, staged);
    }
}

int64_t vts_keeper_news_span_ns(const struct vts_keeper *keeper)
{
    int64_t span_ns = keeper->news.retry_ns - keeper->batch.now_ns;

    if (vts_list_is_empty(&keeper->news.unpublished))
        return INT64_MAX;
    return span_ns < 0 ? 0 : span_ns;
}

void vts_keeper_news_fini(struct vts_keeper *keeper)
{
    while (!vts_list_is_empty(&keeper->news.unpublished)) {
        struct vts_keeper_staged *staged =
            VTS_CONTAINER_OF(keeper->news.unpublished.next, struct vts_keeper_staged, link);

        vts_list_remove(&staged->link);
        vts_keeper_staged_free(keeper, staged);
    }
}
