/* SPDX-License-Identifier: Apache-2.0 */
/* status_watch.c - WatchStatus and WatchStatuses: news as they come, of one job or of many.
 *
 * They are the same but for the request. News makes the call look for what is new when its reader
 * has room, so it never owes more than one message. Jobs by a label are status_follow.c's.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "server/service/job_checks.h"
#include "server/service/job_errors.h"
#include "server/service/status_calls.h"
#include "server/service/status_follow.h"
#include "server/service/status_waiter.h"
#include "vtstatus/v1/status_service.pb-c.h"

/* One of both. */
struct watch {
    struct vts_status_waiter *waiter; /* jobs by name */
    struct vts_status_follow *follow; /* jobs by a label */
    bool can_miss;                    /* one that is gone is told of, and ends nothing */
};

/* The next message; errors are those of vts_status_waiter_next(), or VTS_ERR_NOMEM. */
static enum vts_err make_next(const struct watch *watch, int64_t now_ns,
                              struct vts_encoded *ret_message)
{
    struct vts_status_view view;
    enum vts_err err = vts_status_waiter_next(watch->waiter, now_ns, &view);

    if (err == VTS_ERR_NOT_FOUND && watch->can_miss)
        return vts_status_message_make_removed(vts_status_waiter_job_id(watch->waiter),
                                               ret_message);
    if (err == VTS_OK)
        vts_status_message_make(&view, ret_message);
    return err;
}

/* Sends what is new, if the reader has room, and ends after the last. */
static void send_news_of(struct vts_call *call, const struct watch *watch)
{
    enum vts_err err = VTS_OK;

    while (err == VTS_OK && vts_call_can_send(call)) { /* if not, on_writable comes back to it */
        struct vts_encoded message;

        err = make_next(watch, vts_call_now_ns(call), &message);
        if (err == VTS_OK && vts_call_send_encoded(call, &message) != VTS_OK)
            err = VTS_ERR_NOMEM;
    }
    if (err == VTS_ERR_CLOSED)
        vts_call_finish(call, VTS_RPC_OK, NULL);
    else if (err != VTS_OK && err != VTS_ERR_AGAIN)
        vts_status_refuse(call, err, vts_status_waiter_job_id(watch->waiter));
}

static void send_news(struct vts_call *call)
{
    const struct watch *watch = vts_call_data(call);

    if (watch->follow != NULL)
        vts_status_follow_send(watch->follow);
    else
        send_news_of(call, watch);
}

static void on_news(void *context)
{
    send_news(context);
}

/* ---- the request ----------------------------------------------------------------------- */

/* Whether all jobs are there, or, when some can be missed, were there for the caller; refuses the
 * call otherwise. */
static bool check_jobs(struct vts_call *call, Vtstatus__V1__JobCursor *const jobs[], size_t count,
                       bool can_miss)
{
    for (size_t i = 0; i < count; i++) {
        struct vts_str job_id = vts_status_job_id(jobs[i]->job_id);
        struct vts_status_view view;
        enum vts_err err =
            vts_check_status(vts_status_board_of(call), job_id, vts_call_now_ns(call), &view);

        if (err == VTS_OK) {
            vts_snapshot_unref(view.snapshot);
        } else if (err != VTS_ERR_NOT_FOUND || !can_miss || jobs[i]->after_revision == 0) {
            vts_status_refuse(call, err, job_id);
            return false;
        }
    }
    return true;
}

/* The call's data; VTS_ERR_NOMEM. */
static enum vts_err make_watch(struct vts_call *call, struct watch **ret_watch)
{
    *ret_watch = vts_mem_zalloc(sizeof(**ret_watch));
    vts_call_set_data(call, *ret_watch);
    return *ret_watch == NULL ? VTS_ERR_NOMEM : VTS_OK;
}

/* VTS_ERR_LIMIT or VTS_ERR_NOMEM. */
static enum vts_err make_waiter(struct vts_call *call, Vtstatus__V1__JobCursor *const jobs[],
                                size_t count, enum vts_status_until until, bool can_miss)
{
    struct watch *watch;
    enum vts_err err = make_watch(call, &watch);

    if (err != VTS_OK)
        return err;
    watch->can_miss = can_miss;
    err = vts_status_waiter_new(vts_status_service_of(call), vts_call_loop_index(call), count,
                                until, on_news, call, &watch->waiter);
    for (size_t i = 0; i < count && err == VTS_OK; i++)
        err = vts_status_waiter_add(watch->waiter, vts_status_job_id(jobs[i]->job_id),
                                    jobs[i]->after_revision);
    return err;
}

/* What is there is sent, and then what comes. */
static void begin(struct vts_call *call, size_t watches_count)
{
    if (vts_call_keep(call, (uint32_t)watches_count) != VTS_OK) {
        vts_status_refuse(call, VTS_ERR_LIMIT, vts_str_of(NULL));
        return;
    }
    send_news(call);
    vts_call_start(call); /* a watch that has nothing to tell yet says so by its head */
}

static void watch(struct vts_call *call, Vtstatus__V1__JobCursor *const jobs[], size_t count,
                  enum vts_status_until until, bool can_miss)
{
    enum vts_err err;

    if (!check_jobs(call, jobs, count, can_miss))
        return;
    err = make_waiter(call, jobs, count, until, can_miss);
    if (err == VTS_OK)
        begin(call, count);
    else
        vts_status_refuse(call, err, vts_status_job_id(jobs[0]->job_id));
}

static void watch_status(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__WatchStatusRequest *request =
        (const Vtstatus__V1__WatchStatusRequest *)message;
    Vtstatus__V1__JobCursor job = VTSTATUS__V1__JOB_CURSOR__INIT;
    Vtstatus__V1__JobCursor *const jobs[] = {&job};
    enum vts_status_until until;

    if (!vts_status_check_until(call, request->until, &until))
        return;
    job.job_id = request->job_id;
    job.after_revision = request->after_revision;
    watch(call, jobs, 1, until, false);
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Whether no job is named twice: there would be two revisions to go on from. VTS_ERR_CONFLICT,
 * VTS_ERR_NOMEM. */
static enum vts_err check_names(Vtstatus__V1__JobCursor *const jobs[], size_t count)
{
    const char **names = vts_mem_alloc(count * sizeof(*names));
    enum vts_err err = VTS_OK;

    if (names == NULL)
        return VTS_ERR_NOMEM;
    for (size_t i = 0; i < count; i++)
        names[i] = vts_status_job_id(jobs[i]->job_id).ptr;
    qsort(names, count, sizeof(*names), compare_names);
    for (size_t i = 1; i < count && err == VTS_OK; i++)
        if (strcmp(names[i - 1], names[i]) == 0)
            err = VTS_ERR_CONFLICT;
    vts_mem_free(names);
    return err;
}

/* The ids of jobs that need not be there. VTS_ERR_INVALID. */
static enum vts_err check_ids(Vtstatus__V1__JobCursor *const jobs[], size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (!vts_job_id_is_valid(vts_status_job_id(jobs[i]->job_id)))
            return VTS_ERR_INVALID;
    return VTS_OK;
}

static void follow(struct vts_call *call, const Vtstatus__V1__WatchStatusesRequest *request,
                   enum vts_status_until until)
{
    struct vts_job_violation violation;
    struct watch *watch;
    enum vts_err err;

    if (vts_check_label_filter(request->label_filter, &violation) != VTS_OK) {
        vts_job_fault_refuse(call, NULL, &violation);
        return;
    }
    err = check_ids(request->jobs, request->n_jobs);
    if (err == VTS_OK)
        err = make_watch(call, &watch);
    if (err == VTS_OK)
        err = vts_status_follow_new(call, request, until, &watch->follow);
    if (err == VTS_OK)
        begin(call, 1);
    else
        vts_status_refuse(call, err, vts_str_of(NULL));
}

static void watch_statuses(struct vts_call *call, const ProtobufCMessage *message)
{
    const Vtstatus__V1__WatchStatusesRequest *request =
        (const Vtstatus__V1__WatchStatusesRequest *)message;
    bool has_label = request->label_filter[0] != '\0';
    enum vts_status_until until;
    enum vts_err err = VTS_OK;

    if (!vts_status_check_until(call, request->until, &until))
        return;
    if ((request->n_jobs == 0 && !has_label) || request->n_jobs > VTS_STATUS_JOBS_MAX) {
        vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT, "1 to 1000 jobs can be watched in a call");
        return;
    }
    if (request->n_jobs > 0)
        err = check_names(request->jobs, request->n_jobs);
    if (err == VTS_ERR_CONFLICT)
        vts_call_finish(call, VTS_RPC_INVALID_ARGUMENT, "a job is named twice");
    else if (err != VTS_OK)
        vts_status_refuse(call, err, vts_str_of(NULL));
    else if (has_label)
        follow(call, request, until);
    else
        watch(call, request->jobs, request->n_jobs, until, true);
}

/* ---- the end --------------------------------------------------------------------------- */

static void end_watch(struct vts_call *call)
{
    struct watch *watch = vts_call_data(call);

    if (watch == NULL)
        return;
    vts_status_waiter_free(watch->waiter);
    vts_status_follow_free(watch->follow);
    vts_mem_free(watch);
}

/* Clients come back, and not all at once. */
static void drain_watch(struct vts_call *call)
{
    static const char name[] = "grpc-retry-pushback-ms";
    char ms[8];

    (void)snprintf(ms, sizeof(ms), "%d", vts_status_spread_ms());
    if (vts_call_add_trailer(call, name, vts_str_of(ms)) != VTS_OK)
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
    vts_call_finish(call, VTS_RPC_UNAVAILABLE, "the server is stopping");
}

const struct vts_call_handler vts_status_watch_handler = {.on_message = watch_status,
                                                          .on_writable = send_news,
                                                          .on_end = end_watch,
                                                          .on_drain = drain_watch};
const struct vts_call_handler vts_status_watch_many_handler = {.on_message = watch_statuses,
                                                               .on_writable = send_news,
                                                               .on_end = end_watch,
                                                               .on_drain = drain_watch};
