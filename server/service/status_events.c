/* SPDX-License-Identifier: Apache-2.0 */
/* status_events.c - a status as a stream of Server-Sent Events
 * (https://html.spec.whatwg.org/#server-sent-events).
 *
 * One event is on its way out at a time; the next, which is the newest then, is made when the peer
 * has room. The revision is the event's id, so that whoever comes back with Last-Event-ID goes on
 * where it was. Whoever has seen the last event of a done job is answered 204, which is how an
 * EventSource is told to come no more.
 */
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/service/status_rest.h"

enum { LEAD_MAX_BYTES = 64, TAIL_MAX_BYTES = VTS_SNAPSHOT_TAIL_MAX + 2, RETRY_LEAST_MS = 1000 };

/* A stream only ever moves down this list; OPEN may jump to OVER, after a job's last event.
 *
 *   BEGINNING  the client has not been told yet when to come back if this ends
 *   OPEN       events follow as there is news
 *   STOPPING   the server stops: the client gets what is new, and is told when to come back
 *   OVER       nothing more is made
 */
enum events_state { EVENTS_BEGINNING, EVENTS_OPEN, EVENTS_STOPPING, EVENTS_OVER };

struct status_events {
    const struct vts_status_service *service;
    struct vts_exchange *exchange;
    enum events_state state;
    struct vts_status_waiter *waiter;
    struct vts_held held;
    struct vts_timer keepalive;
    bool is_comment_due;

    /* On its way out: lead, the snapshot's JSON if there is a snapshot, tail. */
    struct vts_snapshot *snapshot;
    struct vts_str json; /* the snapshot's; empty without one */
    size_t lead_len;
    size_t tail_len;
    size_t sent;
    char lead[LEAD_MAX_BYTES];
    char tail[TAIL_MAX_BYTES];
};

static void set_state(struct status_events *events, enum events_state next)
{
    VTS_ASSERT(next > events->state);
    events->state = next;
}

/* ---- on its way out -------------------------------------------------------------------- */

static void drop_text(struct status_events *events)
{
    vts_snapshot_unref(events->snapshot);
    events->snapshot = NULL;
    events->json = vts_str_make("", 0);
    events->lead_len = events->tail_len = events->sent = 0;
}

static size_t copy_text(struct status_events *events, char *out, size_t cap)
{
    const struct vts_str pieces[] = {vts_str_make(events->lead, events->lead_len), events->json,
                                     vts_str_make(events->tail, events->tail_len)};
    size_t len = vts_str_copy_pieces(pieces, VTS_ARRAY_LEN(pieces), events->sent, out, cap);

    events->sent += len;
    if (len < cap)
        drop_text(events); /* it is gone whole */
    return len;
}

static void put_comment(struct status_events *events)
{
    static const char comment[] = ":\n\n";

    events->lead_len = sizeof(comment) - 1;
    memcpy(events->lead, comment, events->lead_len);
    events->is_comment_due = false;
}

/* When to come back if the connection ends. */
static void put_retry(struct status_events *events, int ms)
{
    events->lead_len = (size_t)snprintf(events->lead, sizeof(events->lead), "retry: %d\n\n", ms);
}

/* Adopts the view's snapshot, whose JSON has no line's end in it. Without memory for it the stream
 * ends, and its reader comes back. */
static void put_event(struct status_events *events, const struct vts_status_view *view)
{
    static const char end[] = "\n\n";

    if (vts_snapshot_json(view->snapshot, &events->json) != VTS_OK) {
        vts_snapshot_unref(view->snapshot);
        put_retry(events, RETRY_LEAST_MS);
        set_state(events, EVENTS_OVER);
        return;
    }
    events->lead_len = (size_t)snprintf(
        events->lead, sizeof(events->lead),
        "id: %llu\nevent: %s\ndata: ", (unsigned long long)vts_snapshot_revision(view->snapshot),
        vts_snapshot_is_done(view->snapshot) ? "done" : "status");
    events->snapshot = view->snapshot;
    events->tail_len = vts_snapshot_json_tail(view->snapshot, view->poll_after_ns, events->tail);
    memcpy(events->tail + events->tail_len, end, sizeof(end) - 1);
    events->tail_len += sizeof(end) - 1;
}

/* ---- what comes next ------------------------------------------------------------------- */

/* There is no news just now. Returns whether there is something else to send. */
static bool fill_pause(struct status_events *events)
{
    if (events->state == EVENTS_STOPPING) {
        put_retry(events, vts_status_spread_ms());
        set_state(events, EVENTS_OVER);
    } else if (events->is_comment_due) {
        put_comment(events);
    }
    return events->lead_len > 0;
}

/* Nothing is on its way out: returns whether there is more. */
static bool refill(struct status_events *events)
{
    struct vts_status_view view;
    enum vts_err err;

    if (events->state == EVENTS_OVER)
        return false;
    if (events->state == EVENTS_BEGINNING) {
        put_retry(events, RETRY_LEAST_MS + vts_status_spread_ms());
        set_state(events, EVENTS_OPEN);
        return true;
    }
    err = vts_status_waiter_next(events->waiter, vts_exchange_now_ns(events->exchange), &view);
    if (err == VTS_ERR_AGAIN)
        return fill_pause(events);
    if (err == VTS_OK)
        put_event(events, &view);
    else
        set_state(events, EVENTS_OVER); /* the job is done, or gone */
    return err == VTS_OK;
}

static size_t read_events(void *user, char *out, size_t cap, bool *ret_is_end)
{
    struct status_events *events = user;
    size_t len = 0;

    do {
        len += copy_text(events, out + len, cap - len);
    } while (len < cap && refill(events));
    *ret_is_end = len < cap && events->state == EVENTS_OVER;
    return len;
}

/* ---- what happens meanwhile ------------------------------------------------------------ */

static void on_news(void *context)
{
    struct status_events *events = context;

    vts_exchange_resume(events->exchange);
}

static void arm_keepalive(struct status_events *events)
{
    vts_exchange_set_timer(events->exchange, &events->keepalive,
                           vts_exchange_now_ns(events->exchange) + events->service->keepalive_ns);
}

static void on_keepalive(void *context)
{
    struct status_events *events = context;

    events->is_comment_due = true;
    vts_exchange_resume(events->exchange);
    arm_keepalive(events);
}

static void on_drain(void *context)
{
    struct status_events *events = context;

    if (events->state >= EVENTS_STOPPING)
        return;
    set_state(events, EVENTS_STOPPING);
    vts_exchange_resume(events->exchange);
}

static void on_body(void *user, struct vts_str bytes)
{
    struct status_events *events = user;

    vts_status_throw_away(events->exchange, bytes);
}

static void on_body_end(void *user)
{
    (void)user; /* the stream goes on */
}

static void on_close(void *user)
{
    struct status_events *events = user;

    vts_rpc_loop_let_go(&events->held);
    vts_exchange_stop_timer(events->exchange, &events->keepalive);
    vts_status_waiter_free(events->waiter);
    vts_snapshot_unref(events->snapshot);
    vts_mem_free(events);
}

static const struct vts_exchange_user_ops exchange_user_ops = {
    .on_body = on_body, .on_body_end = on_body_end, .read = read_events, .on_close = on_close};

/* ---- the beginning --------------------------------------------------------------------- */

static struct vts_str find_in_query(struct vts_str query, const char *wanted)
{
    struct vts_str value;

    while (vts_str_split(&query, '&', &value)) {
        struct vts_str name;

        if (vts_str_split(&value, '=', &name) && vts_str_equals_text(name, wanted))
            return value;
    }
    return vts_str_make("", 0);
}

/* The revision that the client has; 0: none, or what is no revision. The field is what an
 * EventSource sends when it comes back by itself, and newer than its URL. */
static uint64_t last_event_id(const struct vts_request *request)
{
    struct vts_str text = request->fields[VTS_FIELD_LAST_EVENT_ID];
    uint64_t revision = 0;

    if (text.ptr == NULL)
        text = find_in_query(request->query, "last_event_id");
    return vts_str_to_u64(text, UINT64_MAX, &revision) == VTS_OK ? revision : 0;
}

static void send_nothing_more(struct vts_exchange *exchange)
{
    exchange->response.code = 204;
    vts_response_add_text(&exchange->response, "vary", "accept");
    vts_response_add_text(&exchange->response, "cache-control", "no-store");
    vts_exchange_send(exchange);
}

static void begin(const struct vts_status_request *request, uint64_t revision)
{
    struct vts_exchange *exchange = request->exchange;
    struct status_events *events = vts_mem_zalloc(sizeof(*events));
    enum vts_err err;

    if (events == NULL) {
        vts_status_send_refusal(exchange, VTS_ERR_NOMEM, request->job_id);
        return;
    }
    events->service = request->service;
    events->exchange = exchange;
    vts_timer_init(&events->keepalive, on_keepalive, events);
    vts_list_init(&events->held.link);
    vts_exchange_attach(exchange, &exchange_user_ops, events); /* on_close has it from here on */
    err = vts_status_wait(request, revision, VTS_STATUS_UNTIL_CHANGE, on_news, events,
                          &events->waiter);
    if (err != VTS_OK) {
        vts_status_send_refusal(exchange, err, request->job_id);
        return;
    }
    vts_rest_make_events_head(exchange);
    vts_exchange_start(exchange);
    arm_keepalive(events);
    vts_rpc_loop_hold(request->loop, &events->held, on_drain, events);
}

void vts_status_begin_events(const struct vts_status_request *request,
                             const struct vts_status_view *view)
{
    uint64_t revision = last_event_id(&request->exchange->request);
    bool has_all =
        vts_snapshot_is_done(view->snapshot) && vts_snapshot_revision(view->snapshot) == revision;

    vts_snapshot_unref(view->snapshot);
    if (has_all)
        send_nothing_more(request->exchange);
    else
        begin(request, revision);
}
