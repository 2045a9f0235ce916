/* SPDX-License-Identifier: Apache-2.0 */
/* watch_hub.c - who watches what, loop by loop.
 *
 * Each loop has a table of the jobs and labels that are watched in it. A publisher marks the
 * job there, and its labels, once until the loop has looked, and wakes the loop, once for all
 * marks. The loop then tells the watches, a slice a turn, so that ten thousand of them do not keep
 * its other work waiting.
 *
 * The lock of a loop guards its table and its marks; the watches themselves belong to its thread.
 */
#include "server/jobs/watch_hub.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>

#define uthash_malloc(size) vts_mem_alloc(size)
#define uthash_free(ptr, size) vts_mem_free(ptr)
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "common/base/assert.h"
#include "common/base/mem.h"

enum { SLICE = 256 };

struct vts_watched {
    UT_hash_handle hh;
    struct vts_list watches;
    struct vts_list marked_link;
    struct vts_snapshot
        *last; /* of a job that was removed while it was watched; NULL: it was not */
    size_t id_len;
    char id[]; /* the key, without NUL */
};

struct hub_loop {
    struct vts_watch_hub *hub;
    vts_watch_post_fn post;
    void *post_context;
    pthread_mutex_t lock;
    struct vts_watched *table;
    struct vts_list marked;
    bool is_woken;
    struct vts_list due; /* watches to be told; the loop's thread only */
};

struct vts_watch_hub {
    struct vts_board *board;
    struct vts_label_logs *labels;
    _Atomic uint64_t watches_count;
    uint64_t watches_max;
    unsigned loops_count;
    struct hub_loop loops[];
};

enum vts_err vts_watch_hub_new(struct vts_board *board, unsigned loops_max, uint64_t watches_max,
                               uint64_t label_jobs_max, struct vts_watch_hub **ret_hub)
{
    struct vts_watch_hub *hub = vts_mem_zalloc(sizeof(*hub) + loops_max * sizeof(struct hub_loop));

    if (hub == NULL)
        return VTS_ERR_NOMEM;
    if (vts_label_logs_new(board, label_jobs_max, watches_max, &hub->labels) != VTS_OK) {
        vts_mem_free(hub);
        return VTS_ERR_NOMEM;
    }
    hub->board = board;
    hub->watches_max = watches_max;
    hub->loops_count = loops_max;
    for (unsigned i = 0; i < loops_max; i++) {
        hub->loops[i].hub = hub;
        vts_list_init(&hub->loops[i].marked);
        vts_list_init(&hub->loops[i].due);
        (void)pthread_mutex_init(&hub->loops[i].lock, NULL); /* cannot fail on Linux */
    }
    *ret_hub = hub;
    return VTS_OK;
}

void vts_watch_hub_free(struct vts_watch_hub *hub)
{
    if (hub == NULL)
        return;
    for (unsigned i = 0; i < hub->loops_count; i++) {
        VTS_ASSERT(hub->loops[i].table == NULL);
        (void)pthread_mutex_destroy(&hub->loops[i].lock);
    }
    vts_label_logs_free(hub->labels);
    vts_mem_free(hub);
}

void vts_watch_hub_set_loop(struct vts_watch_hub *hub, unsigned index, vts_watch_post_fn post,
                            void *post_context)
{
    VTS_ASSERT(index < hub->loops_count);
    hub->loops[index].post = post;
    hub->loops[index].post_context = post_context;
}

struct vts_board *vts_watch_hub_board(struct vts_watch_hub *hub)
{
    return hub->board;
}

struct vts_label_logs *vts_watch_hub_labels(struct vts_watch_hub *hub)
{
    return hub->labels;
}

/* ---- telling --------------------------------------------------------------------------- */

/* All watches of the marked jobs become due. */
static void gather_due(struct hub_loop *loop)
{
    pthread_mutex_lock(&loop->lock);
    loop->is_woken = false;
    while (!vts_list_is_empty(&loop->marked)) {
        struct vts_watched *watched =
            VTS_CONTAINER_OF(loop->marked.next, struct vts_watched, marked_link);

        vts_list_remove(&watched->marked_link);
        for (struct vts_list *link = watched->watches.next; link != &watched->watches;
             link = link->next) {
            struct vts_watch *watch = VTS_CONTAINER_OF(link, struct vts_watch, link);

            if (vts_list_is_empty(&watch->due_link))
                vts_list_push_back(&loop->due, &watch->due_link);
        }
    }
    pthread_mutex_unlock(&loop->lock);
}

/* With the lock held. */
static enum vts_err wake(struct hub_loop *loop);

static void tell(void *context)
{
    struct hub_loop *loop = context;

    gather_due(loop);
    for (int i = 0; i < SLICE && !vts_list_is_empty(&loop->due); i++) {
        struct vts_watch *watch = VTS_CONTAINER_OF(loop->due.next, struct vts_watch, due_link);

        vts_list_remove(&watch->due_link);
        watch->fn(watch->context);
    }
    if (vts_list_is_empty(&loop->due))
        return;
    pthread_mutex_lock(&loop->lock);
    if (wake(loop) != VTS_OK)
        loop->is_woken = false; /* the next news brings the rest */
    pthread_mutex_unlock(&loop->lock);
}

static enum vts_err wake(struct hub_loop *loop)
{
    enum vts_err err = VTS_OK;

    if (!loop->is_woken)
        err = loop->post(loop->post_context, tell, loop);
    loop->is_woken = err == VTS_OK;
    return err;
}

/* key is a job's id or a label. Marks that an earlier call could not tell of are told of as well.
 */
static enum vts_err mark(struct hub_loop *loop, struct vts_str key)
{
    struct vts_watched *watched;
    enum vts_err err = VTS_OK;

    pthread_mutex_lock(&loop->lock);
    HASH_FIND(hh, loop->table, key.ptr, key.len, watched);
    if (watched != NULL && vts_list_is_empty(&watched->marked_link))
        vts_list_push_back(&loop->marked, &watched->marked_link);
    if (!vts_list_is_empty(&loop->marked))
        err = wake(loop);
    pthread_mutex_unlock(&loop->lock);
    return err;
}

/* Goes through all loops, whatever fails. */
static enum vts_err mark_everywhere(struct vts_watch_hub *hub, struct vts_str key)
{
    enum vts_err err = VTS_OK;

    for (unsigned i = 0; i < hub->loops_count; i++) {
        enum vts_err loop_err = mark(&hub->loops[i], key);

        err = err == VTS_OK ? loop_err : err;
    }
    return err;
}

static enum vts_err mark_labels(struct vts_watch_hub *hub, struct vts_snapshot *snapshot,
                                bool is_removed)
{
    enum vts_err err = VTS_OK;
    struct vts_str label;

    if (!vts_label_logs_are_read(hub->labels))
        return VTS_OK;
    for (size_t at = 0; vts_snapshot_next_label(snapshot, &at, &label);) {
        enum vts_err label_err = VTS_OK;

        if (vts_label_logs_note(hub->labels, label, snapshot, is_removed))
            label_err = mark_everywhere(hub, label);
        err = err == VTS_OK ? label_err : err;
    }
    return err;
}

enum vts_err vts_watch_hub_publish(struct vts_watch_hub *hub, struct vts_snapshot *snapshot)
{
    struct vts_snapshot *ours = vts_snapshot_ref(snapshot);
    enum vts_err err = vts_board_publish(hub->board, snapshot);
    enum vts_err labels_err = VTS_OK;

    if (err == VTS_OK) {
        labels_err = mark_labels(hub, ours, false);
        err = mark_everywhere(hub, vts_snapshot_job_id(ours));
    }
    vts_snapshot_unref(ours);
    return err == VTS_OK ? labels_err : err;
}

/* Whoever watches the job in the loop may have the last of it later. */
static void hand_over(struct hub_loop *loop, struct vts_snapshot *snapshot)
{
    struct vts_str id = vts_snapshot_job_id(snapshot);
    struct vts_snapshot *former = NULL;
    struct vts_watched *watched;

    pthread_mutex_lock(&loop->lock);
    HASH_FIND(hh, loop->table, id.ptr, id.len, watched);
    if (watched != NULL) {
        former = watched->last;
        watched->last = vts_snapshot_ref(snapshot);
    }
    pthread_mutex_unlock(&loop->lock);
    vts_snapshot_unref(former);
}

/* It is handed over before it leaves the board, so that it is always in one of both places. */
static enum vts_err take_off(struct vts_watch_hub *hub, struct vts_snapshot *snapshot)
{
    for (unsigned i = 0; i < hub->loops_count; i++)
        hand_over(&hub->loops[i], snapshot);
    vts_snapshot_unref(vts_board_remove(hub->board, vts_snapshot_job_id(snapshot)));
    return mark_labels(hub, snapshot, true);
}

enum vts_err vts_watch_hub_remove(struct vts_watch_hub *hub, struct vts_str job_id)
{
    struct vts_snapshot *snapshot = vts_board_find(hub->board, job_id);
    enum vts_err labels_err = VTS_OK;
    enum vts_err err;

    if (snapshot != NULL)
        labels_err = take_off(hub, snapshot);
    vts_snapshot_unref(snapshot);
    err = mark_everywhere(hub, job_id);
    return err == VTS_OK ? labels_err : err;
}

/* ---- watching -------------------------------------------------------------------------- */

/* The job's place in the table; NULL without memory. With the lock held. */
static struct vts_watched *find_or_add(struct hub_loop *loop, struct vts_str job_id)
{
    struct vts_watched *watched;

    HASH_FIND(hh, loop->table, job_id.ptr, job_id.len, watched);
    if (watched != NULL)
        return watched;
    watched = vts_mem_zalloc(sizeof(*watched) + job_id.len);
    if (watched == NULL)
        return NULL;
    vts_list_init(&watched->watches);
    vts_list_init(&watched->marked_link);
    watched->id_len = job_id.len;
    memcpy(watched->id, job_id.ptr, job_id.len);
    HASH_ADD_KEYPTR(hh, loop->table, watched->id, watched->id_len, watched);
    if (watched->hh.tbl != NULL)
        return watched;
    vts_mem_free(watched); /* uthash had no memory */
    return NULL;
}

enum vts_err vts_watch_start(struct vts_watch_hub *hub, unsigned loop, struct vts_str job_id,
                             struct vts_watch *watch, vts_watch_fn fn, void *context)
{
    struct hub_loop *place = &hub->loops[loop];
    struct vts_watched *watched;

    VTS_ASSERT(loop < hub->loops_count);
    if (atomic_fetch_add(&hub->watches_count, 1) >= hub->watches_max) {
        atomic_fetch_sub(&hub->watches_count, 1);
        return VTS_ERR_LIMIT;
    }
    pthread_mutex_lock(&place->lock);
    watched = find_or_add(place, job_id);
    pthread_mutex_unlock(&place->lock);
    if (watched == NULL) {
        atomic_fetch_sub(&hub->watches_count, 1);
        return VTS_ERR_NOMEM;
    }
    *watch = (struct vts_watch){
        .watched = watched, .hub = hub, .loop = loop, .fn = fn, .context = context};
    vts_list_init(&watch->due_link);
    vts_list_push_back(&watched->watches, &watch->link);
    return VTS_OK;
}

void vts_watch_stop(struct vts_watch *watch)
{
    struct hub_loop *loop = &watch->hub->loops[watch->loop];
    struct vts_watched *watched = watch->watched;

    vts_list_remove(&watch->link);
    vts_list_remove(&watch->due_link);
    atomic_fetch_sub(&watch->hub->watches_count, 1);
    if (!vts_list_is_empty(&watched->watches))
        return;
    pthread_mutex_lock(&loop->lock);
    vts_list_remove(&watched->marked_link);
    HASH_DELETE(hh, loop->table, watched);
    pthread_mutex_unlock(&loop->lock);
    vts_snapshot_unref(watched->last);
    vts_mem_free(watched);
}

enum vts_err vts_watch_again(struct vts_watch *watch)
{
    struct hub_loop *loop = &watch->hub->loops[watch->loop];
    enum vts_err err;

    if (vts_list_is_empty(&watch->due_link))
        vts_list_push_back(&loop->due, &watch->due_link);
    pthread_mutex_lock(&loop->lock);
    err = wake(loop);
    pthread_mutex_unlock(&loop->lock);
    return err;
}

struct vts_snapshot *vts_watch_last(const struct vts_watch *watch)
{
    struct hub_loop *loop = &watch->hub->loops[watch->loop];
    struct vts_snapshot *last;

    pthread_mutex_lock(&loop->lock);
    last = watch->watched->last;
    if (last != NULL)
        last = vts_snapshot_ref(last);
    pthread_mutex_unlock(&loop->lock);
    return last;
}

struct vts_str vts_watch_job_id(const struct vts_watch *watch)
{
    return vts_str_make(watch->watched->id, watch->watched->id_len);
}
