/* SPDX-License-Identifier: Apache-2.0 */
/* status_waiter.c - places of one reader in the histories of jobs.
 *
 * Places with news, which all have at first, stand in a queue, each once. The first is looked at
 * when the reader has room, and comes to stand last when there is news of its job again: a job that
 * changes all the time holds back no other.
 */
#include "server/service/status_waiter.h"

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/macros.h"
#include "common/base/mem.h"

struct place {
    struct vts_watch watch;
    struct vts_list ready_link; /* in the queue, or alone */
    struct vts_status_waiter *waiter;
    uint64_t revision; /* the last one that the reader has */
    bool is_over;      /* which is the job's last, too */
};

struct vts_status_waiter {
    const struct vts_status_service *service;
    unsigned loop;
    enum vts_status_until until;
    vts_status_news_fn on_news;
    void *context;
    struct vts_list ready;
    size_t open_count; /* places that are not over */
    size_t count;
    size_t max;
    const struct place *recent;
    struct place places[];
};

enum vts_err vts_status_waiter_new(const struct vts_status_service *service, unsigned loop,
                                   size_t jobs_max, enum vts_status_until until,
                                   vts_status_news_fn on_news, void *context,
                                   struct vts_status_waiter **ret_waiter)
{
    struct vts_status_waiter *waiter =
        vts_mem_alloc(sizeof(*waiter) + jobs_max * sizeof(struct place));

    if (waiter == NULL)
        return VTS_ERR_NOMEM;
    *waiter = (struct vts_status_waiter){.service = service,
                                         .loop = loop,
                                         .until = until,
                                         .on_news = on_news,
                                         .context = context,
                                         .max = jobs_max,
                                         .recent = waiter->places};
    vts_list_init(&waiter->ready);
    *ret_waiter = waiter;
    return VTS_OK;
}

void vts_status_waiter_free(struct vts_status_waiter *waiter)
{
    if (waiter == NULL)
        return;
    for (size_t i = 0; i < waiter->count; i++)
        vts_watch_stop(&waiter->places[i].watch);
    vts_mem_free(waiter);
}

static void make_ready(struct place *place)
{
    if (vts_list_is_empty(&place->ready_link))
        vts_list_push_back(&place->waiter->ready, &place->ready_link);
}

static void on_watch(void *context)
{
    struct place *place = context;
    struct vts_status_waiter *waiter = place->waiter;

    make_ready(place);
    waiter->on_news(waiter->context);
}

enum vts_err vts_status_waiter_add(struct vts_status_waiter *waiter, struct vts_str job_id,
                                   uint64_t revision)
{
    struct place *place = &waiter->places[waiter->count];
    enum vts_err err;

    VTS_ASSERT(waiter->count < waiter->max);
    *place = (struct place){.waiter = waiter, .revision = revision};
    err =
        vts_watch_start(waiter->service->hub, waiter->loop, job_id, &place->watch, on_watch, place);
    if (err == VTS_ERR_LIMIT)
        vts_limits_hit(waiter->service->limits, VTS_LIMIT_WATCHES);
    if (err != VTS_OK)
        return err;
    vts_list_init(&place->ready_link);
    make_ready(place); /* first the watch, then the look: what comes between is news */
    waiter->count++;
    waiter->open_count++;
    return VTS_OK;
}

/* The job is done, or, if that could be taken back, not any more. */
static void set_over(struct place *place, bool is_over)
{
    if (place->is_over != is_over)
        place->waiter->open_count += is_over ? (size_t)-1 : 1;
    place->is_over = is_over;
}

/* What the board has of the job, or what it had last, when the job was removed in the meantime. */
static enum vts_err check(const struct place *place, int64_t now_ns,
                          struct vts_status_view *ret_view)
{
    struct vts_board *board = vts_watch_hub_board(place->waiter->service->hub);
    enum vts_err err = vts_check_status(board, vts_watch_job_id(&place->watch), now_ns, ret_view);
    struct vts_snapshot *last;

    if (err != VTS_ERR_NOT_FOUND)
        return err;
    last = vts_watch_last(&place->watch);
    if (last == NULL)
        return err;
    *ret_view = vts_status_view_of(board, last, now_ns);
    return VTS_OK;
}

/* revision is the present one. */
static bool is_news(const struct place *place, uint64_t revision)
{
    if (place->waiter->until == VTS_STATUS_UNTIL_DONE && !place->is_over && place->revision != 0)
        return false;
    return revision != place->revision;
}

/* VTS_ERR_AGAIN when there is no news in it. */
static enum vts_err look(struct place *place, int64_t now_ns, struct vts_status_view *ret_view)
{
    struct vts_status_view view;
    enum vts_err err = check(place, now_ns, &view);
    uint64_t revision;

    if (err != VTS_OK) {
        set_over(place, true); /* unless it is made one day */
        return err;
    }
    revision = vts_snapshot_revision(view.snapshot);
    set_over(place, vts_snapshot_is_done(view.snapshot));
    if (!is_news(place, revision)) {
        vts_snapshot_unref(view.snapshot);
        return VTS_ERR_AGAIN;
    }
    place->revision = revision;
    *ret_view = view;
    return VTS_OK;
}

enum vts_err vts_status_waiter_next(struct vts_status_waiter *waiter, int64_t now_ns,
                                    struct vts_status_view *ret_view)
{
    enum vts_err err = VTS_ERR_AGAIN;

    while (err == VTS_ERR_AGAIN && !vts_list_is_empty(&waiter->ready)) {
        struct place *place = VTS_CONTAINER_OF(waiter->ready.next, struct place, ready_link);

        vts_list_remove(&place->ready_link);
        waiter->recent = place;
        err = look(place, now_ns, ret_view);
    }
    return err == VTS_ERR_AGAIN && waiter->open_count == 0 ? VTS_ERR_CLOSED : err;
}

enum vts_err vts_status_waiter_check(const struct vts_status_waiter *waiter, int64_t now_ns,
                                     struct vts_status_view *ret_view)
{
    return check(waiter->recent, now_ns, ret_view);
}

struct vts_str vts_status_waiter_job_id(const struct vts_status_waiter *waiter)
{
    return vts_watch_job_id(&waiter->recent->watch);
}

bool vts_status_waiter_is_settled(struct vts_status_waiter *waiter, int64_t now_ns)
{
    struct vts_status_view view;
    bool has_news = false;
    enum vts_err err;

    while ((err = vts_status_waiter_next(waiter, now_ns, &view)) == VTS_OK) {
        vts_snapshot_unref(view.snapshot);
        has_news = true;
    }
    return err != VTS_ERR_AGAIN || (has_news && waiter->until == VTS_STATUS_UNTIL_CHANGE);
}

int64_t vts_status_wait_due_ns(int64_t now_ns, int64_t wait_ns, int64_t deadline_ns)
{
    const int64_t least_ns = (int64_t)20 * VTS_NS_PER_MS;
    const int64_t most_ns = (int64_t)500 * VTS_NS_PER_MS;
    int64_t margin_ns = (deadline_ns - now_ns) / 20;
    int64_t due_ns = now_ns + wait_ns;

    if (deadline_ns == INT64_MAX)
        return due_ns;
    margin_ns = margin_ns < least_ns ? least_ns : margin_ns > most_ns ? most_ns : margin_ns;
    if (due_ns > deadline_ns - margin_ns)
        due_ns = deadline_ns - margin_ns;
    return due_ns < now_ns ? now_ns : due_ns;
}

int vts_status_spread_ms(void)
{
    /* The clock's microseconds serve as chance. */
    return (int)(vts_clock_now_ns() / 1000 % VTS_STATUS_SPREAD_MS);
}
