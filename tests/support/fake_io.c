/* SPDX-License-Identifier: Apache-2.0 */
/* fake_io.c - a heap of timers, a list of transports, and buffers between them and the test.
 *
 * Memory comes from the C library, so that a test may let the project's own fail.
 */
#include "tests/support/fake_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/list.h"
#include "common/base/macros.h"
#include "server/io/listener.h"

enum { PROGRESS_BYTES = 1024, OUTPUT_MAX_BYTES = 64 * 1024 * 1024 };

struct vts_loop {
    int64_t now_ns;
    struct vts_timer_heap timers;
    struct vts_metrics metrics;
    struct vts_listener *listener;
    struct vts_listener *insecure_listener;
    struct vts_list transports;
    struct vts_transport *newest;
};

struct vts_listener {
    struct vts_loop *loop;
    vts_accept_fn on_accept;
    void *context;
    bool is_paused;
};

struct vts_transport {
    struct vts_list link;
    struct vts_loop *loop;
    const struct vts_transport_ops *ops;
    void *owner;
    bool is_open;        /* the handshake is done */
    bool is_closed;      /* the server has said its last */
    bool is_gone;        /* both have, or it was aborted */
    bool is_reading_off; /* the server wants no input for now */
    size_t room;         /* in the kernel's buffer, for `sent` */
    char *sent;          /* the kernel has it */
    size_t sent_len;
    size_t pending_len; /* of `sent`, its last part: what the kernel did not take yet */
    size_t cap;
    int64_t progress_ns;
    size_t progress_bytes;
    uint64_t bytes_in;
    uint64_t bytes_out;
};

static void *must(void *memory)
{
    VTS_ASSERT(memory != NULL);
    return memory;
}

/* ---- the loop ------------------------------------------------------------------------------- */

enum vts_err vts_loop_new(struct vts_loop **ret_loop)
{
    struct vts_loop *loop = must(calloc(1, sizeof(*loop)));

    loop->now_ns = INT64_C(1000000000);
    vts_list_init(&loop->transports);
    *ret_loop = loop;
    return VTS_OK;
}

void vts_loop_free(struct vts_loop *loop)
{
    fake_loop_turn(loop);
    VTS_ASSERT(vts_list_is_empty(&loop->transports));
    free(loop);
}

enum vts_err vts_loop_post(struct vts_loop *loop, vts_loop_fn fn, void *context)
{
    (void)loop;
    (void)fn;
    (void)context;
    return VTS_ERR_LIMIT;
}

int64_t vts_loop_now_ns(const struct vts_loop *loop)
{
    return loop->now_ns;
}

void vts_loop_timer_set(struct vts_loop *loop, struct vts_timer *timer, int64_t due_ns)
{
    vts_timer_heap_set(&loop->timers, timer, due_ns);
}

void vts_loop_timer_stop(struct vts_loop *loop, struct vts_timer *timer)
{
    vts_timer_heap_remove(&loop->timers, timer);
}

struct vts_metrics *vts_loop_metrics(struct vts_loop *loop)
{
    return &loop->metrics;
}

static void close_what_is_gone(struct vts_loop *loop)
{
    struct vts_list *link = loop->transports.next;

    while (link != &loop->transports) {
        struct vts_transport *transport = VTS_CONTAINER_OF(link, struct vts_transport, link);

        link = link->next;
        if (!transport->is_gone)
            continue;
        vts_list_remove(&transport->link);
        transport->ops->on_gone(transport->owner);
        free(transport->sent);
        free(transport);
    }
}

/* Timers that are due, those that they set included, as long as these do not go on for ever. */
static void run_timers(struct vts_loop *loop)
{
    struct vts_timer *timer;

    for (unsigned runs = 0; (timer = loop->timers.root) != NULL && timer->due_ns <= loop->now_ns;
         runs++) {
        VTS_ASSERT(runs < 100000);
        vts_timer_heap_remove(&loop->timers, timer);
        timer->fn(timer->context);
    }
}

void fake_loop_turn(struct vts_loop *loop)
{
    run_timers(loop);
    close_what_is_gone(loop);
}

void fake_loop_move_clock(struct vts_loop *loop, int64_t by_ns)
{
    int64_t end_ns = loop->now_ns + by_ns;

    fake_loop_turn(loop);
    while (loop->timers.root != NULL && loop->timers.root->due_ns <= end_ns) {
        loop->now_ns = loop->timers.root->due_ns;
        fake_loop_turn(loop);
    }
    loop->now_ns = end_ns;
}

unsigned fake_loop_transports_count(const struct vts_loop *loop)
{
    unsigned count = 0;

    for (struct vts_list *link = loop->transports.next; link != &loop->transports;
         link = link->next)
        count++;
    return count;
}

/* ---- the listener --------------------------------------------------------------------------- */

enum vts_err vts_listener_new(struct vts_loop *loop, int fd, vts_accept_fn on_accept, void *context,
                              struct vts_listener **ret_listener)
{
    struct vts_listener *listener = must(calloc(1, sizeof(*listener)));

    (void)fd;
    *listener = (struct vts_listener){.loop = loop, .on_accept = on_accept, .context = context};
    if (loop->listener == NULL)
        loop->listener = listener;
    else
        loop->insecure_listener = listener;
    *ret_listener = listener;
    return VTS_OK;
}

void vts_listener_set_paused(struct vts_listener *listener, bool is_paused)
{
    listener->is_paused = is_paused;
}

void vts_listener_close(struct vts_listener *listener)
{
    if (listener != NULL && listener == listener->loop->listener)
        listener->loop->listener = NULL;
    else if (listener != NULL)
        listener->loop->insecure_listener = NULL;
    free(listener);
}

void vts_address_format(const struct vts_address *address, char ret_text[VTS_ADDRESS_TEXT_BYTES])
{
    (void)address;
    (void)snprintf(ret_text, VTS_ADDRESS_TEXT_BYTES, "192.0.2.7");
}

/* Whether the server has a transport for it, which is the newest then. */
static bool accept_from(struct vts_loop *loop, struct vts_listener *listener)
{
    static const struct vts_address nobody = {.len = 0};

    loop->newest = NULL;
    if (listener == NULL || listener->is_paused)
        return false;
    listener->on_accept(listener->context, -1, &nobody);
    return loop->newest != NULL;
}

struct vts_transport *fake_connect(struct vts_loop *loop, const char *alpn)
{
    if (!accept_from(loop, loop->listener))
        return NULL;
    loop->newest->is_open = true;
    loop->newest->ops->on_open(loop->newest->owner, vts_str_of(alpn));
    return loop->newest;
}

struct vts_transport *fake_connect_insecure(struct vts_loop *loop)
{
    if (!accept_from(loop, loop->insecure_listener))
        return NULL;
    loop->newest->is_open = true;
    return loop->newest;
}

/* ---- transports ----------------------------------------------------------------------------- */

enum vts_err vts_transport_new(struct vts_loop *loop, int fd, struct vts_tls_ctx *tls,
                               const struct vts_transport_ops *ops, void *owner,
                               struct vts_transport **ret_transport)
{
    struct vts_transport *transport = must(calloc(1, sizeof(*transport)));

    (void)fd;
    (void)tls;
    transport->loop = loop;
    transport->ops = ops;
    transport->owner = owner;
    transport->room = SIZE_MAX;
    vts_list_init(&transport->link);
    vts_list_push_back(&loop->transports, &transport->link);
    loop->newest = transport;
    *ret_transport = transport;
    return VTS_OK;
}

bool vts_transport_can_write(const struct vts_transport *transport)
{
    return transport->is_open && !transport->is_closed && transport->pending_len == 0;
}

enum vts_err vts_transport_write(struct vts_transport *transport, const char *bytes, size_t len)
{
    VTS_ASSERT(transport->is_open && !transport->is_closed);
    if (transport->sent_len + len > transport->cap) {
        transport->cap = 2 * (transport->sent_len + len);
        VTS_ASSERT(transport->cap <= OUTPUT_MAX_BYTES);
        transport->sent = must(realloc(transport->sent, transport->cap));
    }
    memcpy(transport->sent + transport->sent_len, bytes, len);
    transport->sent_len += len;
    return VTS_OK;
}

void vts_transport_flush(struct vts_transport *transport)
{
    size_t pending_len =
        transport->sent_len > transport->room ? transport->sent_len - transport->room : 0;

    if (transport->pending_len == 0 && pending_len > 0) {
        transport->progress_ns = transport->loop->now_ns;
        transport->progress_bytes = 0;
    }
    transport->pending_len = pending_len;
}

void vts_transport_close(struct vts_transport *transport)
{
    vts_transport_flush(transport);
    transport->is_closed = true;
}

void vts_transport_abort(struct vts_transport *transport)
{
    transport->is_closed = true;
    transport->is_gone = true;
}

int64_t vts_transport_stalled_since_ns(const struct vts_transport *transport)
{
    return transport->pending_len == 0 ? 0 : transport->progress_ns;
}

void vts_transport_set_key_updates_max(struct vts_transport *transport, uint64_t max)
{
    (void)transport;
    (void)max;
}

bool vts_transport_has_key_flood(const struct vts_transport *transport)
{
    (void)transport;
    return false;
}

bool vts_transport_has_unread(const struct vts_transport *transport)
{
    (void)transport;
    return false;
}

void vts_transport_set_reading(struct vts_transport *transport, bool is_on)
{
    transport->is_reading_off = !is_on;
}

uint64_t vts_transport_bytes_in(const struct vts_transport *transport)
{
    return transport->bytes_in;
}

uint64_t vts_transport_bytes_out(const struct vts_transport *transport)
{
    return transport->bytes_out;
}

bool vts_transport_peer_name(const struct vts_transport *transport,
                             char ret_name[VTS_PEER_NAME_BYTES])
{
    (void)transport;
    (void)ret_name;
    return false; /* a client without a certificate */
}

const char *vts_transport_tls_version(const struct vts_transport *transport)
{
    (void)transport;
    return "none";
}

/* ---- the peer ------------------------------------------------------------------------------- */

bool fake_transport_is_reading(const struct vts_transport *transport)
{
    return transport->pending_len == 0 && !transport->is_reading_off;
}

void fake_transport_give(struct vts_transport *transport, struct vts_str bytes)
{
    char *copy = must(malloc(bytes.len + 1));

    transport->bytes_in += bytes.len;
    if (bytes.len > 0)
        memcpy(copy, bytes.ptr, bytes.len);
    copy = must(realloc(copy, bytes.len == 0 ? 1 : bytes.len)); /* of just that size */
    if (!transport->is_closed)
        transport->ops->on_data(transport->owner, copy, bytes.len);
    free(copy);
    if (!transport->is_closed)
        transport->ops->on_turn(transport->owner);
}

void fake_transport_hang_up(struct vts_transport *transport, enum vts_transport_end end)
{
    if (transport->is_closed)
        transport->is_gone = true; /* it was waiting for this */
    else
        transport->ops->on_end(transport->owner, end, "hung up");
}

struct vts_str fake_transport_output(const struct vts_transport *transport)
{
    return vts_str_make(transport->sent, transport->sent_len - transport->pending_len);
}

void fake_transport_take(struct vts_transport *transport, size_t len)
{
    bool was_pending = transport->pending_len > 0;

    VTS_ASSERT(len <= transport->sent_len - transport->pending_len);
    if (len == 0)
        return;
    transport->sent_len -= len;
    memmove(transport->sent, transport->sent + len, transport->sent_len);
    transport->bytes_out += len;
    transport->progress_bytes += len;
    if (transport->progress_bytes >= PROGRESS_BYTES) {
        transport->progress_bytes = 0;
        transport->progress_ns = transport->loop->now_ns;
    }
    vts_transport_flush(transport);
    if (was_pending && transport->pending_len == 0 && !transport->is_closed)
        transport->ops->on_turn(transport->owner);
}

void fake_transport_set_room(struct vts_transport *transport, size_t bytes)
{
    transport->room = bytes;
}

bool fake_transport_is_ended(const struct vts_transport *transport)
{
    return transport->is_closed;
}
