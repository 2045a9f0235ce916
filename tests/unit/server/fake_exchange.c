/* SPDX-License-Identifier: Apache-2.0 */
/* fake_exchange.c - plays the connection: copies what is sent, keeps the books of what is given.
 */
#include "tests/unit/server/fake_exchange.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/macros.h"

static struct fake_exchange *of(const struct vts_exchange *exchange)
{
    return VTS_CONTAINER_OF(exchange, struct fake_exchange, exchange);
}

/* ---- the request ---------------------------------------------------------------------------- */

/* Not of the project's heap, which a test may let fail. */
static struct vts_str copy_text(struct fake_exchange *fake, const char *text)
{
    char *copy = strdup(text);

    VTS_ASSERT(copy != NULL && fake->copies_count < FAKE_COPIES_MAX);
    fake->copies[fake->copies_count++] = copy;
    return vts_str_of(copy);
}

/* The head of the response is out: nobody may look at the request any more. */
static void drop_request(struct fake_exchange *fake)
{
    while (fake->copies_count > 0)
        free(fake->copies[--fake->copies_count]);
    fake->exchange.request.headers_count = 0;
}

/* ---- as vts_exchange_ops -------------------------------------------------------------------- */

static void append_body(struct fake_exchange *fake, const char *bytes, size_t len)
{
    VTS_ASSERT(len < FAKE_BODY_MAX_BYTES - fake->body_len);
    if (len > 0)
        memcpy(fake->body + fake->body_len, bytes, len);
    fake->body_len += len;
    fake->body[fake->body_len] = '\0';
}

static void check_head(const struct fake_exchange *fake)
{
    const struct vts_response *response = &fake->exchange.response;

    VTS_ASSERT(fake->sent_count + fake->started_count == 1);
    VTS_ASSERT(response->code >= 200 && response->code <= 599);
    VTS_ASSERT(response->more_headers_count <= VTS_RESPONSE_MORE_MAX);
}

static void send_response(struct vts_exchange *exchange)
{
    struct fake_exchange *fake = of(exchange);
    const struct vts_response *response = &exchange->response;

    if (fake->resets_count > 0)
        return;
    fake->sent_count++;
    check_head(fake);
    append_body(fake, response->body.ptr, response->body.len);
    append_body(fake, response->tail, response->tail_len);
    fake->is_over = true;
    drop_request(fake);
}

static void start_response(struct vts_exchange *exchange)
{
    struct fake_exchange *fake = of(exchange);

    if (fake->resets_count > 0)
        return;
    fake->started_count++;
    check_head(fake);
    VTS_ASSERT(exchange->user_ops != NULL);
    drop_request(fake);
}

static void resume(struct vts_exchange *exchange)
{
    of(exchange)->is_deferred = false;
}

static void consume(struct vts_exchange *exchange, size_t len)
{
    struct fake_exchange *fake = of(exchange);

    fake->consumed_bytes += len;
    VTS_ASSERT(fake->consumed_bytes <= fake->given_bytes);
}

static void release(struct vts_exchange *exchange, size_t len)
{
    struct fake_exchange *fake = of(exchange);

    fake->released_bytes += len;
    VTS_ASSERT(fake->released_bytes <= fake->given_bytes);
}

static void reset(struct vts_exchange *exchange)
{
    of(exchange)->resets_count++;
}

static void charge(struct vts_exchange *exchange, size_t len)
{
    of(exchange)->charged_bytes += len;
}

static void refund(struct vts_exchange *exchange, size_t len)
{
    struct fake_exchange *fake = of(exchange);

    VTS_ASSERT(len <= fake->charged_bytes);
    fake->charged_bytes -= len;
}

static bool keep(struct vts_exchange *exchange, uint32_t watches_count)
{
    (void)watches_count;
    return !of(exchange)->is_full;
}

static int64_t now_ns(const struct vts_exchange *exchange)
{
    return of(exchange)->now_ns;
}

static void set_timer(struct vts_exchange *exchange, struct vts_timer *timer, int64_t due_ns)
{
    vts_timer_heap_set(&of(exchange)->timers, timer, due_ns);
}

static void stop_timer(struct vts_exchange *exchange, struct vts_timer *timer)
{
    vts_timer_heap_remove(&of(exchange)->timers, timer);
}

static uint64_t peer_number(const struct vts_exchange *exchange)
{
    (void)exchange;
    return 7;
}

static void write_peer(const struct vts_exchange *exchange, char ret_text[VTS_PEER_TEXT_BYTES])
{
    (void)exchange;
    (void)snprintf(ret_text, VTS_PEER_TEXT_BYTES, "192.0.2.7");
}

static const struct vts_exchange_ops fake_ops = {.is_duplex = true,
                                                 .send = send_response,
                                                 .start = start_response,
                                                 .resume = resume,
                                                 .consume = consume,
                                                 .release = release,
                                                 .charge = charge,
                                                 .refund = refund,
                                                 .reset = reset,
                                                 .keep = keep,
                                                 .now_ns = now_ns,
                                                 .set_timer = set_timer,
                                                 .stop_timer = stop_timer,
                                                 .peer_number = peer_number,
                                                 .write_peer = write_peer};

/* ---- beginning and end ---------------------------------------------------------------------- */

void fake_exchange_init(struct fake_exchange *fake, enum vts_method method, const char *target)
{
    /* All but the body, which is large. */
    memset(&fake->headers, 0, sizeof(*fake) - offsetof(struct fake_exchange, headers));
    fake->body_len = 0;
    fake->body[0] = '\0';
    fake->now_ns = INT64_C(1000000000);
    fake->ops = fake_ops;
    vts_exchange_init(&fake->exchange, &fake->ops, &fake->head);
    fake->exchange.request.method = method;
    fake->exchange.request.headers = fake->headers;
    vts_request_set_target(&fake->exchange.request, copy_text(fake, target));
}

void fake_exchange_set_http1(struct fake_exchange *fake)
{
    fake->ops.is_duplex = false;
}

void fake_exchange_set(struct fake_exchange *fake, enum vts_field field, const char *value)
{
    fake->exchange.request.fields[field] = copy_text(fake, value);
}

void fake_exchange_add_header(struct fake_exchange *fake, const char *name, const char *value)
{
    struct vts_request *request = &fake->exchange.request;
    enum vts_field field = vts_field_find(vts_str_of(name));

    VTS_ASSERT(request->headers_count < FAKE_HEADERS_MAX);
    fake->headers[request->headers_count++] =
        (struct vts_header){copy_text(fake, name), copy_text(fake, value)};
    if (field != VTS_FIELD_COUNT)
        fake_exchange_set(fake, field, value);
}

void fake_exchange_close(struct fake_exchange *fake)
{
    struct vts_exchange *exchange = &fake->exchange;

    if (exchange->user_ops != NULL)
        exchange->user_ops->on_close(exchange->user);
    exchange->user_ops = NULL;
    VTS_ASSERT(fake->timers.root == NULL); /* who is gone must not be waited for */
    VTS_ASSERT(fake->charged_bytes == 0);
    exchange->response.more_headers_count = 0;
    exchange->response.trailers_count = 0;
}

void fake_exchange_fini(struct fake_exchange *fake)
{
    fake_exchange_close(fake);
    vts_exchange_fini(&fake->exchange);
    drop_request(fake);
}

/* ---- what was sent -------------------------------------------------------------------------- */

/* Copies each value of the name to fake->field; returns how many there are. */
static unsigned find_fields(struct fake_exchange *fake, const struct vts_header *headers,
                            size_t count, const char *name)
{
    unsigned found = 0;

    for (size_t i = 0; i < count; i++) {
        if (!vts_str_equals_text(headers[i].name, name))
            continue;
        (void)snprintf(fake->field, sizeof(fake->field), "%.*s", (int)headers[i].value.len,
                       headers[i].value.ptr);
        found++;
    }
    return found;
}

static const char *judge_field(struct fake_exchange *fake, unsigned found)
{
    if (found != 1)
        (void)snprintf(fake->field, sizeof(fake->field), found == 0 ? "(none)" : "(many)");
    return fake->field;
}

const char *fake_exchange_field(struct fake_exchange *fake, const char *name)
{
    const struct vts_response *response = &fake->exchange.response;
    unsigned found = find_fields(fake, response->headers, response->headers_count, name);

    found += find_fields(fake, response->more_headers, response->more_headers_count, name);
    return judge_field(fake, found);
}

const char *fake_exchange_trailer(struct fake_exchange *fake, const char *name)
{
    const struct vts_response *response = &fake->exchange.response;

    return judge_field(fake, find_fields(fake, response->trailers, response->trailers_count, name));
}

/* ---- bodies and time ------------------------------------------------------------------------ */

bool fake_exchange_is_open(const struct fake_exchange *fake)
{
    return fake->exchange.user_ops != NULL && !fake->is_over && fake->resets_count == 0;
}

size_t fake_exchange_window(const struct fake_exchange *fake)
{
    return FAKE_WINDOW_BYTES - (fake->given_bytes - fake->consumed_bytes);
}

static void give_piece(struct fake_exchange *fake, const char *bytes, size_t len)
{
    struct vts_exchange *exchange = &fake->exchange;
    char *copy = malloc(len);
    size_t kept_bytes;

    VTS_ASSERT(copy != NULL);
    memcpy(copy, bytes, len);
    fake->given_bytes += len;
    exchange->user_ops->on_body(exchange->user, vts_str_make(copy, len));
    free(copy);
    kept_bytes = fake->given_bytes - fake->released_bytes;
    if (kept_bytes > fake->kept_most_bytes)
        fake->kept_most_bytes = kept_bytes;
}

size_t fake_exchange_give(struct fake_exchange *fake, struct vts_str bytes, size_t step)
{
    size_t at = 0;

    while (at < bytes.len && fake_exchange_is_open(fake) && fake_exchange_window(fake) > 0) {
        size_t len = bytes.len - at < step ? bytes.len - at : step;

        if (len > fake_exchange_window(fake))
            len = fake_exchange_window(fake);
        give_piece(fake, bytes.ptr + at, len);
        at += len;
    }
    return at;
}

void fake_exchange_give_end(struct fake_exchange *fake)
{
    struct vts_exchange *exchange = &fake->exchange;

    if (fake_exchange_is_open(fake))
        exchange->user_ops->on_body_end(exchange->user);
}

size_t fake_exchange_read(struct fake_exchange *fake, size_t cap)
{
    struct vts_exchange *exchange = &fake->exchange;
    bool is_end = false;
    char *room;
    size_t len;

    if (!fake_exchange_is_open(fake) || fake->started_count == 0 || fake->is_deferred)
        return 0;
    room = malloc(cap);
    VTS_ASSERT(room != NULL);
    len = exchange->user_ops->read(exchange->user, room, cap, &is_end);
    VTS_ASSERT(len <= cap);
    if (fake->resets_count == 0) {
        append_body(fake, room, len);
        fake->is_over = is_end;
        fake->is_deferred = !is_end && len == 0;
    }
    free(room);
    return len;
}

void fake_exchange_read_all(struct fake_exchange *fake, size_t cap)
{
    while (fake_exchange_is_open(fake) && fake->started_count > 0 && !fake->is_deferred)
        (void)fake_exchange_read(fake, cap); /* what came is in the body */
}

void fake_exchange_move_clock(struct fake_exchange *fake, int64_t by_ns)
{
    struct vts_timer *timer;

    fake->now_ns += by_ns;
    while ((timer = fake->timers.root) != NULL && timer->due_ns <= fake->now_ns) {
        vts_timer_heap_remove(&fake->timers, timer);
        timer->fn(timer->context);
    }
}
