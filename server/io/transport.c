/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c - a socket, what its bytes are to the owner, and the end of both.
 *
 * What bytes on the socket mean is the kind's to know: transport_tls.c or transport_plain.c. Both
 * work on the loop's buffers: one read(2) fills the input, one send(2) takes the output of the
 * whole turn. Only what the socket refuses is copied, into `pending`. An idle transport owns no
 * buffer at all.
 */
#include "server/io/transport.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "server/io/loop_uv.h"
#include "server/io/transport_kind.h"

enum { TRANSPORT_MAGIC = 0x7472616e, PROGRESS_BYTES = 1024 };

void vts_transport_set_state(struct vts_transport *transport, enum vts_transport_state next)
{
    VTS_ASSERT(next > transport->state);
    transport->state = next;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct vts_transport *transport =
        VTS_CONTAINER_OF((uv_poll_t *)handle, struct vts_transport, poll);

    (void)close(transport->fd); /* an error here concerns data we gave up on */
    vts_mem_free(transport->pending);
    transport->ops->on_gone(transport->owner);
    transport->magic = 0;
    transport->kind->free(transport);
}

/* What the peer has of a response must not look like all of it. */
static void reset_when_closed(struct vts_transport *transport)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};

    /* It fails for a socket that is broken, which looks like one that was reset. */
    (void)setsockopt(transport->fd, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
}

void vts_transport_abort(struct vts_transport *transport)
{
    if (transport->state == VTS_TRANSPORT_CLOSED)
        return;
    if (transport->state == VTS_TRANSPORT_OPEN && transport->kind->ends_by_fin)
        reset_when_closed(transport);
    vts_transport_set_state(transport, VTS_TRANSPORT_CLOSED);
    (void)uv_poll_stop(&transport->poll); /* cannot fail on an open handle */
    uv_close((uv_handle_t *)&transport->poll, on_handle_closed);
}

void vts_transport_end(struct vts_transport *transport, enum vts_transport_end why,
                       const char *detail)
{
    if (transport->state == VTS_TRANSPORT_LINGERING)
        vts_transport_abort(transport);
    else if (transport->state != VTS_TRANSPORT_CLOSED)
        transport->ops->on_end(transport->owner, why, detail);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static int wanted_events(const struct vts_transport *transport)
{
    if (transport->pending != NULL)
        return UV_WRITABLE;
    return transport->is_reading_off && transport->state == VTS_TRANSPORT_OPEN ? UV_DISCONNECT
                                                                               : UV_READABLE;
}

static void update_polling(struct vts_transport *transport)
{
    int events = wanted_events(transport);

    if (transport->state == VTS_TRANSPORT_CLOSED || events == transport->poll_events)
        return;
    transport->poll_events = events;
    (void)uv_poll_start(&transport->poll, events, on_poll); /* fails only for a closing handle */
}

static void shut_when_sent(struct vts_transport *transport)
{
    if (transport->state != VTS_TRANSPORT_LINGERING || transport->pending != NULL ||
        transport->is_shut)
        return;
    transport->is_shut = true;
    (void)shutdown(transport->fd, SHUT_WR); /* fails when the peer is gone, which is as good */
}

/* Sends len bytes; returns how many the socket took, or -1 when the connection is broken. */
static ssize_t send_bytes(struct vts_transport *transport, const char *bytes, size_t len)
{
    ssize_t sent = send(transport->fd, bytes, len, MSG_NOSIGNAL);

    if (sent < 0)
        return errno == EAGAIN || errno == EINTR ? 0 : -1;
    transport->bytes_out += (size_t)sent;
    vts_metrics_add(vts_loop_metrics(transport->loop), VTS_METRIC_BYTES_OUT, (uint64_t)sent);
    return sent;
}

/* Keeps what the socket did not take, behind what waits already. */
static enum vts_err keep_pending(struct vts_transport *transport, const char *bytes, size_t len)
{
    size_t waiting = transport->pending_len - transport->pending_sent;
    char *kept = vts_mem_alloc(waiting + len);

    if (kept == NULL)
        return VTS_ERR_NOMEM;
    if (transport->pending != NULL)
        memcpy(kept, transport->pending + transport->pending_sent, waiting);
    memcpy(kept + waiting, bytes, len);
    vts_mem_free(transport->pending);
    if (waiting == 0)
        transport->progress_ns = vts_loop_now_ns(transport->loop);
    transport->pending = kept;
    transport->pending_len = waiting + len;
    transport->pending_sent = 0;
    transport->progress_mark = 0;
    return VTS_OK;
}

/* The owner hears of it from the event loop, never from inside its own call. */
static void break_off(struct vts_transport *transport)
{
    transport->is_broken = true;
    /* Makes the socket readable, with nothing to read. */
    (void)shutdown(transport->fd, transport->kind->ends_by_fin ? SHUT_RD : SHUT_RDWR);
}

void vts_transport_flush(struct vts_transport *transport)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(transport->loop);
    size_t len = buffers->write_len;
    ssize_t sent = 0;

    buffers->write_len = 0;
    if (len == 0 || transport->state == VTS_TRANSPORT_CLOSED || transport->is_broken)
        return;
    if (transport->pending == NULL)
        sent = send_bytes(transport, buffers->write, len);
    if (sent < 0 || ((size_t)sent < len &&
                     keep_pending(transport, buffers->write + sent, len - (size_t)sent) != VTS_OK))
        break_off(transport);
    else
        update_polling(transport);
}

static void send_pending(struct vts_transport *transport)
{
    ssize_t sent = send_bytes(transport, transport->pending + transport->pending_sent,
                              transport->pending_len - transport->pending_sent);

    if (sent < 0) {
        vts_transport_end(transport, VTS_TRANSPORT_END_RESET, "the connection was reset");
        return;
    }
    transport->pending_sent += (size_t)sent;
    if (transport->pending_sent - transport->progress_mark >= PROGRESS_BYTES) {
        transport->progress_mark = transport->pending_sent;
        transport->progress_ns = vts_loop_now_ns(transport->loop);
    }
    if (transport->pending_sent < transport->pending_len)
        return;
    vts_mem_free(transport->pending);
    transport->pending = NULL;
    transport->pending_len = transport->pending_sent = 0;
    update_polling(transport);
    shut_when_sent(transport);
    if (transport->state == VTS_TRANSPORT_OPEN)
        transport->ops->on_turn(transport->owner);
}

static void read_input(struct vts_transport *transport)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(transport->loop);
    ssize_t len = read(transport->fd, buffers->read, sizeof(buffers->read));

    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        vts_transport_end(transport, len == 0 ? VTS_TRANSPORT_END_PEER : VTS_TRANSPORT_END_RESET,
                          len == 0 ? "the peer closed" : "the connection was reset");
        return;
    }
    transport->bytes_in += (size_t)len;
    vts_metrics_add(vts_loop_metrics(transport->loop), VTS_METRIC_BYTES_IN, (uint64_t)len);
    if (transport->state == VTS_TRANSPORT_LINGERING)
        return;
    transport->kind->take(transport, (size_t)len);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct vts_transport *transport = VTS_CONTAINER_OF(poll, struct vts_transport, poll);

    VTS_ASSERT(transport->magic == TRANSPORT_MAGIC);
    if (status < 0) {
        vts_transport_end(transport, VTS_TRANSPORT_END_RESET, "the connection was reset");
        return;
    }
    if ((events & UV_DISCONNECT) != 0) {
        vts_transport_end(transport, VTS_TRANSPORT_END_PEER, "the peer closed");
        return;
    }
    if ((events & UV_WRITABLE) != 0 && transport->pending != NULL)
        send_pending(transport);
    if ((events & UV_READABLE) != 0 && transport->state != VTS_TRANSPORT_CLOSED &&
        transport->pending == NULL)
        read_input(transport);
}

enum vts_err vts_transport_new(struct vts_loop *loop, int fd, struct vts_tls_ctx *tls,
                               const struct vts_transport_ops *ops, void *owner,
                               struct vts_transport **ret_transport)
{
    const struct vts_transport_kind *kind = tls != NULL ? &vts_transport_tls : &vts_transport_plain;
    struct vts_transport *transport = kind->make(loop, tls);

    if (transport == NULL || uv_poll_init(vts_loop_uv(loop), &transport->poll, fd) != 0) {
        enum vts_err err = transport == NULL ? VTS_ERR_NOMEM : VTS_ERR_IO;

        if (transport != NULL)
            kind->free(transport);
        (void)close(fd);
        return err;
    }
    transport->magic = TRANSPORT_MAGIC;
    transport->kind = kind;
    transport->fd = fd;
    transport->loop = loop;
    transport->ops = ops;
    transport->owner = owner;
    update_polling(transport);
    *ret_transport = transport;
    return VTS_OK;
}

bool vts_transport_can_write(const struct vts_transport *transport)
{
    return transport->state == VTS_TRANSPORT_OPEN && transport->pending == NULL &&
           !transport->is_broken;
}

enum vts_err vts_transport_write(struct vts_transport *transport, const char *bytes, size_t len)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(transport->loop);
    enum vts_err err;

    VTS_ASSERT(len <= VTS_TLS_RECORD_BYTES && transport->state == VTS_TRANSPORT_OPEN);
    err = transport->kind->write(transport, bytes, len);
    if (err != VTS_OK)
        return err;
    if (buffers->write_len >= VTS_LOOP_WRITE_BYTES)
        vts_transport_flush(transport);
    return transport->is_broken ? VTS_ERR_CLOSED : VTS_OK;
}

void vts_transport_close(struct vts_transport *transport)
{
    if (transport->state >= VTS_TRANSPORT_LINGERING)
        return;
    if (transport->is_broken && transport->kind->ends_by_fin) {
        vts_transport_abort(transport);
        return;
    }
    transport->kind->finish(transport);
    vts_transport_set_state(transport, VTS_TRANSPORT_LINGERING);
    vts_transport_flush(transport);
    shut_when_sent(transport);
    update_polling(transport); /* what still comes is read, to be thrown away */
}

void vts_transport_set_reading(struct vts_transport *transport, bool is_on)
{
    transport->is_reading_off = !is_on;
    update_polling(transport);
}

int64_t vts_transport_stalled_since_ns(const struct vts_transport *transport)
{
    return transport->pending == NULL ? 0 : transport->progress_ns;
}

bool vts_transport_has_unread(const struct vts_transport *transport)
{
    int len = 0;

    return ioctl(transport->fd, FIONREAD, &len) == 0 && len > 0;
}

uint64_t vts_transport_bytes_in(const struct vts_transport *transport)
{
    return transport->bytes_in;
}

void vts_transport_set_key_updates_max(struct vts_transport *transport, uint64_t max)
{
    transport->key_updates_max = max;
}

bool vts_transport_has_key_flood(const struct vts_transport *transport)
{
    return transport->key_updates > transport->key_updates_max;
}

uint64_t vts_transport_bytes_out(const struct vts_transport *transport)
{
    return transport->bytes_out;
}

bool vts_transport_peer_name(const struct vts_transport *transport,
                             char ret_name[VTS_PEER_NAME_BYTES])
{
    return transport->kind->peer_name(transport, ret_name);
}

const char *vts_transport_tls_version(const struct vts_transport *transport)
{
    return transport->kind->tls_version(transport);
}
