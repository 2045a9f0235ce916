/* SPDX-License-Identifier: Apache-2.0 */
/* keeper_publisher.c - a second thread for the start, when there is enough to do for it.
 *
 * Making and publishing a million snapshots takes nearly as long as reading the records. So jobs
 * are handed over in parcels to a thread that publishes them meanwhile; it unpacks the records
 * itself, since an arena is for one thread. A last parcel that is not full is published by the
 * loading thread, and so a store with few jobs needs no thread at all.
 */
#include "server/jobs/keeper_publisher.h"

#include "common/base/mem.h"

void vts_keeper_publisher_init(struct vts_keeper_publisher *publisher,
                               const struct vts_keeper *keeper)
{
    *publisher = (struct vts_keeper_publisher){.keeper = keeper};
    vts_list_init(&publisher->parcels);
    (void)pthread_mutex_init(&publisher->lock, NULL); /* cannot fail on Linux */
    (void)pthread_cond_init(&publisher->cond, NULL);  /* nor this */
}

/* ---- publishing -------------------------------------------------------------------------- */

enum vts_err vts_keeper_publish_loaded(const struct vts_keeper *keeper,
                                       const struct vts_keeper_job *job, struct vts_arena *arena)
{
    Vtstatus__Store__V1__JobRecord *record;
    struct vts_snapshot *snapshot;
    enum vts_err err = vts_keeper_job_read(job, arena, &record);

    if (err == VTS_OK)
        err = vts_keeper_snapshot_new(keeper, job, record, &snapshot);
    return err == VTS_OK ? vts_watch_hub_publish(keeper->options.hub, snapshot) : err;
}

static enum vts_err publish(const struct vts_keeper *keeper, const struct vts_keeper_parcel *parcel)
{
    struct vts_arena arena;
    enum vts_err err = VTS_OK;

    vts_arena_init(&arena, VTS_KEEPER_MEMORY_MAX_BYTES);
    for (size_t i = 0; i < parcel->count && err == VTS_OK; i++) {
        err = vts_keeper_publish_loaded(keeper, parcel->jobs[i], &arena);
        vts_arena_rewind(&arena);
    }
    vts_arena_fini(&arena);
    return err;
}

/* The next one; NULL when there will be none. */
static struct vts_keeper_parcel *wait_for_parcel(struct vts_keeper_publisher *publisher)
{
    struct vts_keeper_parcel *parcel = NULL;

    pthread_mutex_lock(&publisher->lock);
    while (vts_list_is_empty(&publisher->parcels) && !publisher->is_last)
        pthread_cond_wait(&publisher->cond, &publisher->lock);
    if (!vts_list_is_empty(&publisher->parcels)) {
        parcel = VTS_CONTAINER_OF(publisher->parcels.next, struct vts_keeper_parcel, link);
        vts_list_remove(&parcel->link);
    }
    pthread_mutex_unlock(&publisher->lock);
    return parcel;
}

static void *run(void *context)
{
    struct vts_keeper_publisher *publisher = context;
    struct vts_keeper_parcel *parcel;

    while ((parcel = wait_for_parcel(publisher)) != NULL) {
        if (publisher->err == VTS_OK)
            publisher->err = publish(publisher->keeper, parcel);
        vts_mem_free(parcel);
    }
    return NULL;
}

/* ---- handing over ------------------------------------------------------------------------ */

/* Publishes the parcel at once when there is no thread to be had. */
static enum vts_err hand_over(struct vts_keeper_publisher *publisher,
                              struct vts_keeper_parcel *parcel)
{
    enum vts_err err;

    if (!publisher->has_thread)
        publisher->has_thread = pthread_create(&publisher->thread, NULL, run, publisher) == 0;
    if (!publisher->has_thread) {
        err = publish(publisher->keeper, parcel);
        vts_mem_free(parcel);
        return err;
    }
    pthread_mutex_lock(&publisher->lock);
    vts_list_push_back(&publisher->parcels, &parcel->link);
    (void)pthread_cond_signal(&publisher->cond); /* cannot fail */
    pthread_mutex_unlock(&publisher->lock);
    return VTS_OK;
}

enum vts_err vts_keeper_publisher_add(struct vts_keeper_publisher *publisher,
                                      const struct vts_keeper_job *job)
{
    struct vts_keeper_parcel *parcel = publisher->open;

    if (parcel == NULL) {
        parcel = vts_mem_alloc(sizeof(*parcel));
        if (parcel == NULL)
            return VTS_ERR_NOMEM;
        parcel->count = 0;
        publisher->open = parcel;
    }
    parcel->jobs[parcel->count++] = job;
    if (parcel->count < VTS_KEEPER_PARCEL_MAX)
        return VTS_OK;
    publisher->open = NULL;
    return hand_over(publisher, parcel);
}

enum vts_err vts_keeper_publisher_end(struct vts_keeper_publisher *publisher)
{
    enum vts_err err = VTS_OK;

    if (publisher->open != NULL)
        err = publish(publisher->keeper, publisher->open);
    vts_mem_free(publisher->open);
    pthread_mutex_lock(&publisher->lock);
    publisher->is_last = true;
    (void)pthread_cond_signal(&publisher->cond); /* cannot fail */
    pthread_mutex_unlock(&publisher->lock);
    if (publisher->has_thread)
        (void)pthread_join(publisher->thread, NULL); /* fails only for a thread that is none */
    (void)pthread_cond_destroy(&publisher->cond);    /* nobody waits */
    (void)pthread_mutex_destroy(&publisher->lock);   /* nobody holds it */
    return err == VTS_OK ? publisher->err : err;
}
