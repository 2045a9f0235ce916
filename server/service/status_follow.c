/* SPDX-License-Identifier: Apache-2.0 */
/* status_follow.c - WatchStatuses by a label: what its log has, when the reader has room.
 *
 * Who goes on says what it knows. What it knows already is passed over when it comes up for the
 * first time; and when the reader has come to the end of the log for the first time, jobs that did
 * not come up are looked for on the board, since the log has no memory of what was before it.
 */
#include "server/service/status_follow.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/service/status_calls.h"

/* A job, and the revision of it that the reader has. */
struct known {
    const char *job_id; /* behind the list */
    uint64_t revision;
    bool is_settled; /* it has come up */
};

struct vts_status_follow {
    struct vts_call *call;
    enum vts_status_until until;
    struct vts_watch watch;
    struct vts_label_reader reader;
    struct known *known; /* by id; NULL: there is nothing left to settle */
    size_t known_count;
    size_t settled_count; /* of the first ones: no need to look for them */
};

/* ---- what is known ----------------------------------------------------------------------- */

static int order_known(const void *a, const void *b)
{
    return strcmp(((const struct known *)a)->job_id, ((const struct known *)b)->job_id);
}

/* One block for the list and the ids. VTS_ERR_NOMEM. */
static enum vts_err copy_known(struct vts_status_follow *follow,
                               Vtstatus__V1__JobCursor *const jobs[], size_t count)
{
    size_t bytes = count * sizeof(struct known);
    char *at;

    if (count == 0)
        return VTS_OK;
    for (size_t i = 0; i < count; i++)
        bytes += vts_status_job_id(jobs[i]->job_id).len + 1;
    follow->known = vts_mem_alloc(bytes);
    if (follow->known == NULL)
        return VTS_ERR_NOMEM;
    at = (char *)(follow->known + count);
    for (size_t i = 0; i < count; i++) {
        struct vts_str id = vts_status_job_id(jobs[i]->job_id);

        follow->known[i] = (struct known){.job_id = at, .revision = jobs[i]->after_revision};
        memcpy(at, id.ptr, id.len + 1);
        at += id.len + 1;
    }
    follow->known_count = count;
    qsort(follow->known, count, sizeof(struct known), order_known);
    return VTS_OK;
}

/* The job has come up, for the first time if it is returned. */
static const struct known *settle(struct vts_status_follow *follow, const char *job_id)
{
    const struct known key = {.job_id = job_id};
    struct known *known = NULL;

    if (follow->known != NULL)
        known = bsearch(&key, follow->known, follow->known_count, sizeof(key), order_known);
    if (known == NULL || known->is_settled)
        return NULL;
    known->is_settled = true;
    return known;
}

static bool is_wanted(const struct vts_status_follow *follow, const struct vts_snapshot *snapshot)
{
    return follow->until == VTS_STATUS_UNTIL_CHANGE || vts_snapshot_is_done(snapshot);
}

/* Whether the reader has this already. */
static bool is_known(struct vts_status_follow *follow, const struct vts_label_news *news)
{
    const struct known *known;
    char id[VTS_JOB_ID_MAX + 1];
    struct vts_str text;

    if (follow->known == NULL)
        return false;
    if (news->snapshot == NULL) {
        (void)settle(follow, news->removed_id); /* it is told in any case */
        return false;
    }
    text = vts_snapshot_job_id(news->snapshot);
    memcpy(id, text.ptr, text.len);
    id[text.len] = '\0';
    known = settle(follow, id);
    return known != NULL && known->revision == vts_snapshot_revision(news->snapshot);
}

/* What the board says of a job that did not come up. VTS_ERR_AGAIN: nothing new. */
static enum vts_err look_for(struct vts_status_follow *follow, const struct known *known,
                             struct vts_label_news *ret_news)
{
    struct vts_str id = vts_str_of(known->job_id);
    struct vts_status_view view = {.snapshot = NULL};

    if (vts_check_status(vts_status_board_of(follow->call), id, vts_call_now_ns(follow->call),
                         &view) == VTS_OK &&
        vts_snapshot_has_label(view.snapshot, vts_watch_job_id(&follow->watch))) {
        if (vts_snapshot_revision(view.snapshot) != known->revision &&
            is_wanted(follow, view.snapshot)) {
            ret_news->snapshot = view.snapshot;
            return VTS_OK;
        }
        vts_snapshot_unref(view.snapshot);
        return VTS_ERR_AGAIN;
    }
    vts_snapshot_unref(view.snapshot);
    ret_news->snapshot = NULL;
    memcpy(ret_news->removed_id, id.ptr, id.len + 1);
    return VTS_OK;
}

/* The next news of jobs that did not come up. VTS_ERR_AGAIN: there is no more. */
static enum vts_err settle_rest(struct vts_status_follow *follow, struct vts_label_news *ret_news)
{
    enum vts_err err = VTS_ERR_AGAIN;

    while (err == VTS_ERR_AGAIN && follow->settled_count < follow->known_count) {
        const struct known *known = &follow->known[follow->settled_count++];

        if (!known->is_settled)
            err = look_for(follow, known, ret_news);
    }
    if (err == VTS_ERR_AGAIN) {
        vts_mem_free(follow->known);
        follow->known = NULL;
    }
    return err;
}

/* ---- sending ----------------------------------------------------------------------------- */

/* As vts_label_reader_next(), of what the reader does not know. When the board is not looked
 * through yet, on_watch comes back to it. */
static enum vts_err next_news(struct vts_status_follow *follow, struct vts_label_news *ret_news)
{
    bool is_gathering = false;
    enum vts_err err;

    while ((err = vts_label_reader_next(&follow->reader, ret_news, &is_gathering)) == VTS_OK) {
        if (!is_known(follow, ret_news) &&
            (ret_news->snapshot == NULL || is_wanted(follow, ret_news->snapshot)))
            return VTS_OK;
        vts_snapshot_unref(ret_news->snapshot);
    }
    if (err != VTS_ERR_AGAIN)
        return err;
    if (is_gathering)
        return vts_watch_again(&follow->watch) == VTS_OK ? VTS_ERR_AGAIN : VTS_ERR_NOMEM;
    return follow->known == NULL ? VTS_ERR_AGAIN : settle_rest(follow, ret_news);
}

static enum vts_err send_one(struct vts_status_follow *follow, const struct vts_label_news *news)
{
    enum vts_err err = VTS_OK;
    struct vts_encoded message;

    if (news->snapshot != NULL) {
        struct vts_status_view view = vts_status_view_of(
            vts_status_board_of(follow->call), news->snapshot, vts_call_now_ns(follow->call));

        vts_status_message_make(&view, &message);
    } else {
        err = vts_status_message_make_removed(vts_str_of(news->removed_id), &message);
    }
    if (err == VTS_OK && vts_call_send_encoded(follow->call, &message) != VTS_OK)
        err = VTS_ERR_NOMEM;
    return err;
}

void vts_status_follow_send(struct vts_status_follow *follow)
{
    struct vts_call *call = follow->call;
    enum vts_err err = VTS_OK;

    while (err == VTS_OK && vts_call_can_send(call)) { /* if not, on_writable comes back to it */
        struct vts_label_news news;

        err = next_news(follow, &news);
        if (err == VTS_OK)
            err = send_one(follow, &news);
    }
    if (err == VTS_ERR_LIMIT) {
        vts_call_hit_limit(call, VTS_LIMIT_LABEL_JOBS);
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED,
                        "too many jobs carry the label, or change faster than they are read");
    } else if (err != VTS_OK && err != VTS_ERR_AGAIN) {
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
    }
}

static void on_watch(void *context)
{
    vts_status_follow_send(context);
}

/* ---- its life ---------------------------------------------------------------------------- */

enum vts_err vts_status_follow_new(struct vts_call *call,
                                   const Vtstatus__V1__WatchStatusesRequest *request,
                                   enum vts_status_until until,
                                   struct vts_status_follow **ret_follow)
{
    struct vts_status_service *service = vts_status_service_of(call);
    struct vts_str label = vts_str_of(request->label_filter);
    struct vts_status_follow *follow = vts_mem_zalloc(sizeof(*follow));
    enum vts_err err = VTS_ERR_NOMEM;

    if (follow == NULL)
        return VTS_ERR_NOMEM;
    follow->call = call;
    follow->until = until;
    err = copy_known(follow, request->jobs, request->n_jobs);
    if (err == VTS_OK)
        err = vts_watch_start(service->hub, vts_call_loop_index(call), label, &follow->watch,
                              on_watch, follow);
    if (err == VTS_ERR_LIMIT)
        vts_limits_hit(service->limits, VTS_LIMIT_WATCHES);
    if (err != VTS_OK)
        goto out_known;
    err = vts_label_reader_open(vts_watch_hub_labels(service->hub), label, &follow->reader);
    if (err != VTS_OK)
        goto out_watch;
    *ret_follow = follow;
    return VTS_OK;

out_watch:
    vts_watch_stop(&follow->watch);
out_known:
    vts_mem_free(follow->known);
    vts_mem_free(follow);
    return err;
}

void vts_status_follow_free(struct vts_status_follow *follow)
{
    if (follow == NULL)
        return;
    vts_label_reader_close(&follow->reader);
    vts_watch_stop(&follow->watch);
    vts_mem_free(follow->known);
    vts_mem_free(follow);
}
