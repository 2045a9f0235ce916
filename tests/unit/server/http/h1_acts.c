/* SPDX-License-Identifier: Apache-2.0 */
/* h1_acts.c - a user of exchanges that can be told to behave in every way the contract allows. */
#include "tests/unit/server/http/h1_acts.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "server/http/conn.h"

enum { ECHO_MAX_BYTES = 1024 * 1024, LARGE_BYTES = 64 * 1024 * 1024, TICK_BYTES = 5 };

static const int64_t tick_ns = INT64_C(5) * VTS_NS_PER_MS;

static const struct h1_act acts[] = {
    {.path = "/plain"},
    {.path = "/hasty", .answers = true},
    {.path = "/hasty-user", .attaches = true, .answers = true},
    {.path = "/echo", .attaches = true, .echoes = true},
    {.path = "/echo-at-once", .attaches = true, .echoes = true, .starts = true},
    {.path = "/wait", .attaches = true, .waits = true},
    {.path = "/wait-started", .attaches = true, .waits = true, .starts = true},
    {.path = "/wait-patiently", .attaches = true, .waits = true, .is_patient = true},
    {.path = "/take", .attaches = true},
    {.path = "/costly", .attaches = true, .costs = true},
    {.path = "/keep", .attaches = true, .keeps = true},
    {.path = "/late", .attaches = true, .keeps = true, .ticks = 100},
    {.path = "/hoard", .attaches = true, .hoards = true},
    {.path = "/hoard-started", .attaches = true, .hoards = true, .starts = true},
    {.path = "/early", .attaches = true, .is_early = true},
    {.path = "/reset", .attaches = true, .resets = true},
    {.path = "/ticks", .attaches = true, .starts = true, .ticks = 3, .reply_bytes = 15},
    {.path = "/length", .attaches = true, .has_length = true, .length = 5, .reply_bytes = 5},
    {.path = "/length-last",
     .attaches = true,
     .has_length = true,
     .length = 5,
     .reply_bytes = 5,
     .ends_request = true},
    {.path = "/empty", .attaches = true, .has_length = true},
    {.path = "/short", .attaches = true, .has_length = true, .length = 9, .reply_bytes = 5},
    {.path = "/large", .attaches = true, .reply_bytes = LARGE_BYTES},
    {.path = "/204", .attaches = true, .code = 204, .reply_bytes = 5},
    {.path = "/304", .attaches = true, .code = 304, .reply_bytes = 5},
};

static const struct h1_act *find_act(struct vts_str path)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(acts); i++)
        if (vts_str_equals_text(path, acts[i].path))
            return &acts[i];
    return NULL;
}

static void answer(struct vts_exchange *exchange, int code, const char *text)
{
    exchange->response.code = code;
    exchange->response.body = vts_str_of(text);
    vts_exchange_send(exchange);
}

static void start(struct h1_user *user)
{
    static const struct vts_header more[] = {{{"x-more", 6}, {"1", 1}}};
    static const struct vts_header trailers[] = {{{"x-trailer", 9}, {"1", 1}}};
    struct vts_response *response = &user->exchange->response;

    if (response->code != 0)
        return;
    response->code = user->act->code == 0 ? 200 : user->act->code;
    response->more_headers = more;
    response->more_headers_count = 1;
    response->trailers = trailers;
    response->trailers_count = 1;
    response->ends_request = user->act->ends_request;
    if (user->act->has_length)
        response->length = user->act->length;
    vts_exchange_start(user->exchange);
}

static void consume(struct h1_user *user, size_t len)
{
    user->consumed += len;
    vts_exchange_consume(user->exchange, len);
    if (!user->act->hoards)
        vts_exchange_release(user->exchange, len);
}

static void on_body(void *context, struct vts_str bytes)
{
    struct h1_bench *bench = context;
    struct h1_user *user = &bench->user;

    CU_ASSERT(bytes.len > 0 && !user->has_ended);
    user->taken += bytes.len;
    if (user->act->is_early && user->exchange->response.code == 0) {
        answer(user->exchange, 413, "too much\n");
        return;
    }
    if (user->act->keeps) {
        if (user->taken == H1_WINDOW_BYTES)
            (void)sem_post(&bench->full); /* fails for an invalid one only */
        return;
    }
    if (user->act->echoes)
        vts_buf_append_str(&user->echo, bytes);
    consume(user, bytes.len);
    vts_exchange_resume(user->exchange);
}

static void on_body_end(void *context)
{
    struct h1_user *user = &((struct h1_bench *)context)->user;

    CU_ASSERT_FALSE(user->has_ended);
    user->has_ended = true;
    user->ends++;
    user->ends_at_once += user->end_ns == vts_exchange_now_ns(user->exchange);
    user->end_ns = vts_exchange_now_ns(user->exchange);
    if (user->act->costs) {
        vts_exchange_charge(user->exchange, VTS_TURN_BYTES);
        vts_exchange_refund(user->exchange, VTS_TURN_BYTES);
    }
    if (user->act->waits)
        return;
    start(user);
    vts_exchange_resume(user->exchange);
}

static size_t give(struct h1_user *user, char *out, size_t len)
{
    if (user->echo.len > 0) {
        len = len < user->echo.len ? len : user->echo.len;
        memcpy(out, user->echo.ptr, len);
        vts_buf_consume(&user->echo, len);
    } else {
        len = len < user->left ? len : user->left;
        memset(out, 'x', len);
        user->left -= len;
    }
    user->given += len;
    return len;
}

static size_t read_reply(void *context, char *out, size_t cap, bool *ret_is_end)
{
    struct h1_user *user = &((struct h1_bench *)context)->user;
    size_t len = cap;

    user->read_most = cap > user->read_most ? cap : user->read_most;
    if (user->act->ticks > 0) { /* a tick's worth, once a tick */
        size_t ticks_bytes = (size_t)user->ticks_left * TICK_BYTES;

        len = user->left > ticks_bytes ? user->left - ticks_bytes : 0;
    }
    len = give(user, out, len < cap ? len : cap);
    *ret_is_end = user->has_ended && user->may_end && user->echo.len == 0 && user->left == 0;
    return len;
}

static void on_tick(void *context)
{
    struct h1_bench *bench = context;
    struct h1_user *user = &bench->user;

    user->ticks_left--;
    if (user->ticks_left == 0 && user->act->keeps)
        h1_acts_consume(bench);
    vts_exchange_resume(user->exchange);
    vts_exchange_resume(user->exchange); /* harmless */
    if (user->ticks_left > 0)
        vts_exchange_set_timer(user->exchange, &user->timer,
                               vts_exchange_now_ns(user->exchange) + tick_ns);
}

static void on_close(void *context)
{
    struct h1_bench *bench = context;

    CU_ASSERT_PTR_NOT_NULL(bench->user.exchange); /* once only */
    vts_exchange_stop_timer(bench->user.exchange, &bench->user.timer);
    bench->user.exchange = NULL;
    bench->user.closes++;
    (void)sem_post(&bench->closed); /* fails for an invalid one only */
}

static const struct vts_exchange_user_ops user_ops = {
    .on_body = on_body, .on_body_end = on_body_end, .read = read_reply, .on_close = on_close};

static void attach(struct h1_bench *bench, const struct h1_act *act, struct vts_exchange *exchange)
{
    struct h1_user *user = &bench->user;
    char peer[VTS_PEER_TEXT_BYTES];

    CU_ASSERT_PTR_NULL(user->exchange); /* one request at a time */
    user->exchange = exchange;
    user->act = act;
    user->has_ended = false;
    user->may_end = !act->waits;
    user->left = act->reply_bytes;
    user->ticks_left = act->ticks;
    vts_buf_fini(&user->echo);
    vts_exchange_attach(exchange, &user_ops, bench);
    exchange->is_body_due = !act->is_patient;
    vts_exchange_write_peer(exchange, peer);
    CU_ASSERT_STRING_EQUAL(peer, "127.0.0.1");
    CU_ASSERT_FALSE(exchange->ops->is_duplex);
    (void)sem_post(&bench->begun); /* fails for an invalid one only */
}

static void note_headers(struct h1_bench *bench, const struct vts_request *request)
{
    size_t len = 0;

    bench->headers[0] = '\0';
    for (size_t i = 0; i < request->headers_count && len < sizeof(bench->headers); i++) {
        const struct vts_header *header = &request->headers[i];

        len += (size_t)snprintf(bench->headers + len, sizeof(bench->headers) - len, "%.*s=%.*s;",
                                (int)header->name.len, header->name.ptr, (int)header->value.len,
                                header->value.ptr);
    }
}

void h1_acts_init(struct h1_bench *bench)
{
    vts_buf_init(&bench->user.echo, ECHO_MAX_BYTES);
    vts_timer_init(&bench->user.timer, on_tick, bench);
}

void h1_acts_begin(void *context, struct vts_exchange *exchange)
{
    struct h1_bench *bench = context;
    struct h1_user *user = &bench->user;
    const struct h1_act *act = find_act(exchange->request.path);

    CU_ASSERT_EQUAL(exchange->request.fault, 0);
    user->begun++;
    note_headers(bench, &exchange->request);
    if (act == NULL)
        return;
    if (act->attaches)
        attach(bench, act, exchange);
    if (act->answers)
        answer(exchange, 200, "hasty\n");
    if (act->starts)
        start(user);
    if (act->resets)
        vts_exchange_reset(exchange);
    if (act->ticks > 0)
        vts_exchange_set_timer(exchange, &user->timer, vts_exchange_now_ns(exchange));
}

void h1_acts_handle(void *context, struct vts_exchange *exchange)
{
    const struct vts_request *request = &exchange->request;

    (void)context;
    CU_ASSERT_PTR_NULL(exchange->user_ops);
    if (request->fault != 0)
        answer(exchange, request->fault, "fault\n");
    else
        answer(exchange, find_act(request->path) == NULL ? 404 : 200, "plain\n");
}

/* A test tells only those to do something whose exchange is not over. */
static bool has_exchange(const struct h1_user *user)
{
    CU_ASSERT_PTR_NOT_NULL(user->exchange);
    return user->exchange != NULL;
}

void h1_acts_finish(struct h1_bench *bench)
{
    struct h1_user *user = &bench->user;

    if (!has_exchange(user))
        return;
    user->may_end = true;
    start(user);
    vts_exchange_resume(user->exchange);
}

void h1_acts_consume(struct h1_bench *bench)
{
    if (!has_exchange(&bench->user))
        return;
    bench->user.act = find_act(vts_str_of("/take"));
    consume(&bench->user, bench->user.taken - bench->user.consumed);
}

void h1_acts_reset(struct h1_bench *bench)
{
    if (has_exchange(&bench->user))
        vts_exchange_reset(bench->user.exchange);
}
