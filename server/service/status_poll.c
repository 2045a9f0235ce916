/* SPDX-License-Identifier: Apache-2.0 */
/* status_poll.c - GET of a status that waits for its answer (RFC 7240 section 4.3).
 *
 * With If-None-Match the answer is held back until the revision is another one, without it until
 * the job is done; in any case no longer than the client would wait, than the service lets it, or
 * than the server lives. Then it is what it would have been without waiting.
 */
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/service/status_rest.h"

struct status_poll {
    const struct vts_status_service *service;
    struct vts_exchange *exchange;
    enum vts_rest_form form;
    struct vts_status_waiter *waiter;
    struct vts_held held;
    struct vts_timer timer;
    bool is_answered;
};

static void answer(void *context)
{
    struct status_poll *poll = context;
    struct vts_exchange *exchange = poll->exchange;
    struct vts_status_view view;
    enum vts_err err;

    if (poll->is_answered)
        return;
    poll->is_answered = true;
    vts_exchange_stop_timer(exchange, &poll->timer);
    err = vts_status_waiter_check(poll->waiter, vts_exchange_now_ns(exchange), &view);
    if (err != VTS_OK)
        vts_status_send_refusal(exchange, err, vts_status_waiter_job_id(poll->waiter));
    else
        vts_status_send_view(poll->service, exchange, poll->form, &view);
    vts_status_waiter_free(poll->waiter);
    poll->waiter = NULL;
}

static void on_news(void *context)
{
    struct status_poll *poll = context;

    if (!poll->is_answered &&
        vts_status_waiter_is_settled(poll->waiter, vts_exchange_now_ns(poll->exchange)))
        answer(poll);
}

static void on_body(void *user, struct vts_str bytes)
{
    struct status_poll *poll = user;

    vts_status_throw_away(poll->exchange, bytes);
}

static void on_body_end(void *user)
{
    (void)user; /* whoever waits, waits on */
}

static void on_close(void *user)
{
    struct status_poll *poll = user;

    vts_rpc_loop_let_go(&poll->held);
    vts_exchange_stop_timer(poll->exchange, &poll->timer);
    vts_status_waiter_free(poll->waiter);
    vts_mem_free(poll);
}

/* It is sent whole: nothing is read. */
static const struct vts_exchange_user_ops exchange_user_ops = {
    .on_body = on_body, .on_body_end = on_body_end, .on_close = on_close};

static void begin(const struct vts_status_request *request, enum vts_status_until until,
                  uint64_t revision, int64_t wait_ns)
{
    struct vts_exchange *exchange = request->exchange;
    struct status_poll *poll = vts_mem_zalloc(sizeof(*poll));
    int64_t now_ns = vts_exchange_now_ns(exchange);
    enum vts_err err;

    if (poll == NULL) {
        vts_status_send_refusal(exchange, VTS_ERR_NOMEM, request->job_id);
        return;
    }
    *poll = (struct status_poll){
        .service = request->service, .exchange = exchange, .form = request->form};
    vts_timer_init(&poll->timer, answer, poll);
    vts_list_init(&poll->held.link);
    vts_exchange_attach(exchange, &exchange_user_ops, poll); /* on_close has it from here on */
    err = vts_status_wait(request, revision, until, on_news, poll, &poll->waiter);
    if (err != VTS_OK) {
        poll->is_answered = true;
        vts_status_send_refusal(exchange, err, request->job_id);
        return;
    }
    vts_exchange_set_timer(exchange, &poll->timer,
                           vts_status_wait_due_ns(now_ns, wait_ns, INT64_MAX));
    on_news(poll); /* since the first look there may have been some */
    vts_rpc_loop_hold(request->loop, &poll->held, answer, poll);
}

void vts_status_begin_poll(const struct vts_status_request *request,
                           const struct vts_status_view *view, uint64_t wait_s)
{
    struct vts_exchange *exchange = request->exchange;
    bool has_tag = exchange->request.fields[VTS_FIELD_IF_NONE_MATCH].ptr != NULL;
    bool is_current = vts_rest_is_current(exchange, vts_snapshot_etag(view->snapshot));
    uint64_t revision = vts_snapshot_revision(view->snapshot);
    int64_t max_ns = request->service->wait_max_ns;
    int64_t wait_ns = (int64_t)wait_s * VTS_NS_PER_S;

    if (wait_ns > max_ns) {
        wait_ns = max_ns;
        wait_s = (uint64_t)(max_ns + VTS_NS_PER_S - 1) / VTS_NS_PER_S;
    }
    vts_rest_add_wait(exchange, wait_s);
    if (wait_ns == 0 || vts_snapshot_is_done(view->snapshot) || (has_tag && !is_current)) {
        vts_status_send_view(request->service, exchange, request->form, view);
        return;
    }
    vts_snapshot_unref(view->snapshot);
    begin(request, has_tag ? VTS_STATUS_UNTIL_CHANGE : VTS_STATUS_UNTIL_DONE, revision, wait_ns);
}
