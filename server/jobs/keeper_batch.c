/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_batch.c - what a batch changes, from staging to the end of its commit.
 *
 * A job is staged at most once in a batch; a further change takes the place of the one before, and
 * only the last goes to the store, with the version that is there now. All memory is taken while
 * staging. So what follows the commit cannot fail: the staged records become the jobs' own, or all
 * is as it was.
 */
#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/jobs/job.h"
#include "server/jobs/keeper_parts.h"
#include "server/obs/log.h"

static const int64_t retry_ns = (int64_t)1 * VTS_NS_PER_S;
static const int64_t quiet_ns = (int64_t)1 * VTS_NS_PER_S;

enum vts_err vts_keeper_batch_init(struct vts_keeper_batch *batch)
{
    vts_list_init(&batch->leases);
    vts_list_init(&batch->answered);
    vts_list_init(&batch->staged);
    batch->writes = vts_mem_alloc(VTS_KEEPER_STAGED_MAX * sizeof(*batch->writes));
    batch->fresh = vts_mem_alloc(VTS_KEEPER_STAGED_MAX * sizeof(struct vts_keeper_job *));
    return batch->writes == NULL || batch->fresh == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

void vts_keeper_batch_fini(struct vts_keeper_batch *batch)
{
    vts_mem_free(batch->writes);
    vts_mem_free(batch->fresh);
}

void vts_keeper_staged_free(struct vts_keeper *keeper, struct vts_keeper_staged *staged)
{
    vts_snapshot_unref(staged->snapshot);
    vts_mem_free(staged->record);
    if (staged->owns_job)
        vts_keeper_job_free(keeper, staged->job);
    vts_mem_free(staged);
}

/* ---- staging ----------------------------------------------------------------------------- */

/* What is staged of the job, perhaps nothing yet; NULL without memory. */
static struct vts_keeper_staged *
find_or_stage(struct vts_keeper *keeper, struct vts_keeper_job *job, uint64_t expected_version)
{
    struct vts_keeper_staged *staged = job->staged;

    if (staged != NULL)
        return staged;
    staged = vts_mem_zalloc(sizeof(*staged));
    if (staged == NULL)
        return NULL;
    VTS_ASSERT(keeper->batch.staged_count < VTS_KEEPER_STAGED_MAX);
    staged->job = job;
    staged->expected_version = expected_version;
    staged->was_ready = job->is_ready;
    vts_list_push_back(&keeper->batch.staged, &staged->link);
    keeper->batch.staged_count++;
    job->staged = staged;
    return staged;
}

/* A record in bytes, and what there is to see of it. */
struct encoded {
    char *record;
    uint32_t record_len;
    struct vts_snapshot *snapshot; /* NULL: nothing new */
};

static enum vts_err encode(const struct vts_keeper *keeper, const struct vts_keeper_job *job,
                           const Vtstatus__Store__V1__JobRecord *record, bool is_visible,
                           struct encoded *ret_encoded)
{
    size_t len = vtstatus__store__v1__job_record__get_packed_size(record);
    struct encoded encoded = {.record_len = (uint32_t)len};
    enum vts_err err = VTS_OK;

    if (len > UINT32_MAX)
        return VTS_ERR_INVALID;
    if (is_visible)
        err = vts_keeper_snapshot_new(keeper, job, record, &encoded.snapshot);
    if (err != VTS_OK)
        return err;
    encoded.record = vts_mem_alloc(len);
    if (encoded.record == NULL) {
        vts_snapshot_unref(encoded.snapshot);
        return VTS_ERR_NOMEM;
    }
    (void)vtstatus__store__v1__job_record__pack(record, (uint8_t *)encoded.record); /* it is len */
    *ret_encoded = encoded;
    return VTS_OK;
}

/* Takes the place of what was staged before; what was to be seen then still is. */
static void adopt(struct vts_keeper_staged *staged, const struct encoded *encoded)
{
    vts_mem_free(staged->record);
    staged->record = encoded->record;
    staged->record_len = encoded->record_len;
    if (encoded->snapshot == NULL)
        return;
    vts_snapshot_unref(staged->snapshot);
    staged->snapshot = encoded->snapshot;
}

enum vts_err vts_keeper_stage(struct vts_keeper *keeper, struct vts_keeper_job *job,
                              const Vtstatus__Store__V1__JobRecord *record, bool is_visible)
{
    struct vts_keeper_staged *staged;
    struct encoded encoded;
    enum vts_err err = encode(keeper, job, record, is_visible, &encoded);

    if (err != VTS_OK)
        return err;
    staged = find_or_stage(keeper, job, record->version - 1);
    if (staged == NULL) {
        vts_snapshot_unref(encoded.snapshot);
        vts_mem_free(encoded.record);
        return VTS_ERR_NOMEM;
    }
    adopt(staged, &encoded);
    staged->version = record->version;
    staged->state = vts_keeper_state_of(record);
    staged->due_ns = vts_keeper_due_ns(record);
    staged->leaves_board = staged->state == VTS_KEEPER_TOMBSTONE;
    vts_keeper_set_ready(keeper, job, vts_job_is_leasable(record, keeper->batch.wall_ns));
    return VTS_OK;
}

enum vts_err vts_keeper_stage_removal(struct vts_keeper *keeper, struct vts_keeper_job *job,
                                      uint64_t version)
{
    struct vts_keeper_staged *staged = find_or_stage(keeper, job, version);

    if (staged == NULL)
        return VTS_ERR_NOMEM;
    staged->version = 0;
    staged->state = VTS_KEEPER_TOMBSTONE;
    staged->leaves_board = true;
    return VTS_OK;
}

/* ---- settling and undoing ---------------------------------------------------------------- */

/* A job that has just succeeded says how long others will take. Without memory that is missed. */
static void learn(struct vts_keeper *keeper, const struct vts_keeper_job *job)
{
    Vtstatus__Store__V1__JobRecord *record;

    if (vts_keeper_job_read(job, &keeper->scratch, &record) == VTS_OK)
        vts_estimator_learn(keeper->estimator, record);
    vts_arena_rewind(&keeper->scratch);
}

/* The job as it is staged becomes the job. */
static void settle_change(struct vts_keeper *keeper, struct vts_keeper_staged *staged)
{
    struct vts_keeper_job *job = staged->job;
    bool is_new = job->record == NULL;
    uint8_t former_state = job->state;

    vts_mem_free(job->record);
    job->record = staged->record;
    job->record_len = staged->record_len;
    job->state = staged->state;
    staged->record = NULL;
    if (job->state == VTS_KEEPER_TOMBSTONE)
        vts_keeper_bury_job(keeper, job);
    else if (is_new)
        vts_keeper_list_job(keeper, job);
    if (job->state == VTS_JOB_SUCCEEDED && former_state != VTS_JOB_SUCCEEDED)
        learn(keeper, job);
    vts_keeper_set_timer(keeper, job, staged->due_ns);
    vts_keeper_end_waits_for_job(keeper, job);
}

static void settle(struct vts_keeper *keeper, struct vts_keeper_staged *staged)
{
    staged->job->staged = NULL;
    if (staged->version == 0) {
        vts_keeper_drop_job(keeper, staged->job);
        staged->owns_job = true;
    } else {
        settle_change(keeper, staged);
    }
    vts_keeper_publish(keeper, staged);
}

/* A lease that waits knows that no ready job is for it. That is no longer so when a job becomes
 * ready again; but as long as the store fails, no lease can be given. */
static void restore_readiness(struct vts_keeper *keeper, struct vts_keeper_staged *staged)
{
    struct vts_keeper_job *job = staged->job;

    if (staged->was_ready && !job->is_ready)
        vts_keeper_refuse_line(keeper, job->queue);
    vts_keeper_set_ready(keeper, job, staged->was_ready);
}

static void undo(struct vts_keeper *keeper, struct vts_keeper_staged *staged)
{
    struct vts_keeper_job *job = staged->job;

    job->staged = NULL;
    restore_readiness(keeper, staged);
    if (job->record == NULL) {
        vts_keeper_drop_job(keeper, job);
        staged->owns_job = true;
    } else {
        vts_keeper_set_timer(keeper, job, job->timer.due_ns); /* time may have taken it out */
    }
    vts_keeper_staged_free(keeper, staged);
}

/* ---- committing -------------------------------------------------------------------------- */

static void log_failure(struct vts_keeper *keeper, const struct vts_error *error)
{
    struct vts_log_line line;

    if (keeper->is_store_failing)
        return;
    keeper->is_store_failing = true;
    vts_log_begin(&line, VTS_LOG_ERROR, "jobs cannot be stored; trying again");
    vts_log_str(&line, "store", vts_str_of(keeper->options.store->ops->name));
    vts_log_str(&line, "reason", vts_str_of(error->text));
    vts_log_end(&line);
}

static void log_success(struct vts_keeper *keeper)
{
    struct vts_log_line line;

    if (!keeper->is_store_failing)
        return;
    keeper->is_store_failing = false;
    vts_log_begin(&line, VTS_LOG_INFO, "jobs are stored again");
    vts_log_end(&line);
}

static enum vts_err write_staged(struct vts_keeper *keeper)
{
    struct vts_store *store = keeper->options.store;
    struct vts_keeper_batch *batch = &keeper->batch;
    struct vts_error error = {.text = ""};
    size_t count = 0;
    enum vts_err err;

    for (struct vts_list *link = batch->staged.next; link != &batch->staged; link = link->next) {
        const struct vts_keeper_staged *staged =
            VTS_CONTAINER_OF(link, struct vts_keeper_staged, link);

        batch->writes[count++] = (struct vts_store_write){
            .id = vts_keeper_job_id(staged->job),
            .expected_version = staged->expected_version,
            .version = staged->version,
            .record = vts_str_make(staged->record, staged->version == 0 ? 0 : staged->record_len)};
    }
    err = store->ops->commit(store, batch->writes, count, &error);
    if (err == VTS_OK)
        log_success(keeper);
    else
        log_failure(keeper, &error);
    return err;
}

/* What rests on a commit that failed is not so. */
static void refuse_resting(struct vts_keeper *keeper)
{
    struct vts_list *answered = &keeper->batch.answered;

    for (struct vts_list *link = answered->next; link != answered; link = link->next) {
        struct vts_keeper_command *command =
            VTS_CONTAINER_OF(link, struct vts_keeper_command, link);

        if (command->own.rests_on_batch)
            vts_keeper_refuse(command, VTS_KEEPER_STORE_FAILED);
    }
}

void vts_keeper_commit(struct vts_keeper *keeper)
{
    struct vts_keeper_batch *batch = &keeper->batch;
    bool is_durable;

    if (batch->staged_count == 0)
        return;
    is_durable = write_staged(keeper) == VTS_OK;
    while (!vts_list_is_empty(&batch->staged)) {
        struct vts_keeper_staged *staged =
            VTS_CONTAINER_OF(batch->staged.next, struct vts_keeper_staged, link);

        vts_list_remove(&staged->link);
        if (is_durable)
            settle(keeper, staged);
        else
            undo(keeper, staged);
    }
    batch->staged_count = 0;
    if (is_durable) {
        keeper->tidy_ns = batch->now_ns + quiet_ns;
    } else {
        keeper->timers_from_ns = batch->now_ns + retry_ns;
        refuse_resting(keeper);
    }
}
