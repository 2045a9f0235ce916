/* SPDX-License-Identifier: Apache-2.0 */
/* transport.c - a socket, its TLS, and the end of both.
 *
 * OpenSSL works on the loop's buffers (tls_bio.c): one read(2) fills the input, one send(2) takes
 * the output of the whole turn. Only what the socket refuses is copied, into `pending`. An idle
 * transport owns no buffer at all.
 */
#include "server/io/transport.h"

#include <errno.h>
#include <openssl/err.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "server/io/loop_uv.h"
#include "server/io/tls_openssl.h"
#include "server/io/tls_peer.h"

enum { TRANSPORT_MAGIC = 0x7472616e, PROGRESS_BYTES = 1024 };

/* A transport only ever moves down this list:
 *
 *   HANDSHAKING  TLS is being set up
 *   OPEN         bytes flow; the owner hears of them
 *   LINGERING    our end is sent; input is thrown away until the peer's end
 *   CLOSED       the handle is closing; memory goes with its last callback
 */
enum state { HANDSHAKING, OPEN, LINGERING, CLOSED };

struct vts_transport {
    uint32_t magic;
    enum state state;
    int fd;
    bool is_shut;   /* our FIN is out */
    bool is_broken; /* output was lost; the end is on its way through the event loop */
    bool is_reading_off;
    uv_poll_t poll;
    int poll_events;
    SSL *ssl;
    struct vts_tls_io tls_io;
    struct vts_loop *loop;
    const struct vts_transport_ops *ops;
    void *owner;
    char *pending; /* ciphertext the socket did not take */
    size_t pending_len;
    size_t pending_sent;
    size_t progress_mark; /* pending_sent when progress was last seen */
    int64_t progress_ns;
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t key_updates;
    uint64_t key_updates_max;
};

static void set_state(struct vts_transport *transport, enum state next)
{
    VTS_ASSERT(next > transport->state);
    transport->state = next;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct vts_transport *transport =
        VTS_CONTAINER_OF((uv_poll_t *)handle, struct vts_transport, poll);

    (void)close(transport->fd); /* an error here concerns data we gave up on */
    SSL_free(transport->ssl);
    vts_mem_free(transport->pending);
    transport->ops->on_gone(transport->owner);
    transport->magic = 0;
    vts_mem_free(transport);
}

void vts_transport_abort(struct vts_transport *transport)
{
    if (transport->state == CLOSED)
        return;
    set_state(transport, CLOSED);
    (void)uv_poll_stop(&transport->poll); /* cannot fail on an open handle */
    uv_close((uv_handle_t *)&transport->poll, on_handle_closed);
}

/* Tells the owner that it is over; once the owner let go, there is only the end. */
static void end(struct vts_transport *transport, enum vts_transport_end why, const char *detail)
{
    if (transport->state == LINGERING)
        vts_transport_abort(transport);
    else if (transport->state != CLOSED)
        transport->ops->on_end(transport->owner, why, detail);
}

static void on_poll(uv_poll_t *poll, int status, int events);

static int wanted_events(const struct vts_transport *transport)
{
    if (transport->pending != NULL)
        return UV_WRITABLE;
    return transport->is_reading_off && transport->state == OPEN ? UV_DISCONNECT : UV_READABLE;
}

static void update_polling(struct vts_transport *transport)
{
    int events = wanted_events(transport);

    if (transport->state == CLOSED || events == transport->poll_events)
        return;
    transport->poll_events = events;
    (void)uv_poll_start(&transport->poll, events, on_poll); /* fails only for a closing handle */
}

static void shut_when_sent(struct vts_transport *transport)
{
    if (transport->state != LINGERING || transport->pending != NULL || transport->is_shut)
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
    (void)shutdown(transport->fd, SHUT_RDWR); /* makes the socket readable, with nothing to read */
}

void vts_transport_flush(struct vts_transport *transport)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(transport->loop);
    size_t len = buffers->write_len;
    ssize_t sent = 0;

    buffers->write_len = 0;
    if (len == 0 || transport->state == CLOSED || transport->is_broken)
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
        end(transport, VTS_TRANSPORT_END_RESET, "the connection was reset");
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
    if (transport->state == OPEN)
        transport->ops->on_turn(transport->owner);
}

static void end_tls(struct vts_transport *transport)
{
    const char *reason = vts_tls_take_reason();

    vts_transport_flush(transport); /* the alert */
    end(transport, VTS_TRANSPORT_END_TLS, reason);
}

static void shake_hands(struct vts_transport *transport)
{
    const unsigned char *alpn;
    unsigned alpn_len;
    int result = SSL_do_handshake(transport->ssl);

    if (result != 1 && SSL_get_error(transport->ssl, result) != SSL_ERROR_WANT_READ) {
        end_tls(transport);
        return;
    }
    vts_transport_flush(transport);
    if (result != 1 || transport->state != HANDSHAKING)
        return;
    set_state(transport, OPEN);
    SSL_get0_alpn_selected(transport->ssl, &alpn, &alpn_len);
    transport->ops->on_open(transport->owner, vts_str_make(alpn, alpn_len));
}

static void decrypt(struct vts_transport *transport)
{
    char *plain = vts_loop_buffers(transport->loop)->plain;
    size_t len;

    while (transport->state == OPEN &&
           SSL_read_ex(transport->ssl, plain, VTS_TLS_RECORD_BYTES, &len) == 1)
        transport->ops->on_data(transport->owner, plain, len);
    if (transport->state != OPEN)
        return;
    switch (SSL_get_error(transport->ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        transport->ops->on_turn(transport->owner);
        break;
    case SSL_ERROR_ZERO_RETURN:
        /* A peer that has asked its last may well wait for the answer (RFC 8446 6.1). */
        transport->ops->on_turn(transport->owner);
        if (transport->state == OPEN)
            end(transport, VTS_TRANSPORT_END_PEER, "the peer closed");
        break;
    default:
        end_tls(transport);
        break;
    }
}

static void read_input(struct vts_transport *transport)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(transport->loop);
    ssize_t len = read(transport->fd, buffers->read, sizeof(buffers->read));

    if (len < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (len <= 0) {
        end(transport, len == 0 ? VTS_TRANSPORT_END_PEER : VTS_TRANSPORT_END_RESET,
            len == 0 ? "the peer closed" : "the connection was reset");
        return;
    }
    transport->bytes_in += (size_t)len;
    vts_metrics_add(vts_loop_metrics(transport->loop), VTS_METRIC_BYTES_IN, (uint64_t)len);
    if (transport->state == LINGERING)
        return;
    transport->tls_io.in = buffers->read;
    transport->tls_io.in_len = (size_t)len;
    if (transport->state == HANDSHAKING)
        shake_hands(transport);
    if (transport->state == OPEN)
        decrypt(transport);
    transport->tls_io.in_len = 0;
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct vts_transport *transport = VTS_CONTAINER_OF(poll, struct vts_transport, poll);

    VTS_ASSERT(transport->magic == TRANSPORT_MAGIC);
    if (status < 0) {
        end(transport, VTS_TRANSPORT_END_RESET, "the connection was reset");
        return;
    }
    if ((events & UV_DISCONNECT) != 0) {
        end(transport, VTS_TRANSPORT_END_PEER, "the peer closed");
        return;
    }
    if ((events & UV_WRITABLE) != 0 && transport->pending != NULL)
        send_pending(transport);
    if ((events & UV_READABLE) != 0 && transport->state != CLOSED && transport->pending == NULL)
        read_input(transport);
}

/* Called while handshake messages are worked on; once a KeyUpdate in its own state. */
static void on_tls_state(const SSL *ssl, int where, int result)
{
    struct vts_tls_io *tls_io = BIO_get_data(SSL_get_rbio(ssl));
    struct vts_transport *transport = VTS_CONTAINER_OF(tls_io, struct vts_transport, tls_io);

    (void)result;
    if (where != SSL_CB_ACCEPT_LOOP || SSL_get_state(ssl) != TLS_ST_SR_KEY_UPDATE)
        return;
    if (++transport->key_updates > transport->key_updates_max)
        tls_io->in_len = 0; /* the owner is about to end this; what follows need not be read */
}

static enum vts_err set_up_tls(struct vts_transport *transport, struct vts_tls_ctx *tls)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(transport->loop);
    BIO *bio;

    transport->tls_io = (struct vts_tls_io){
        .out = buffers->write, .out_len = &buffers->write_len, .out_cap = sizeof(buffers->write)};
    transport->ssl = vts_tls_ctx_new_ssl(tls);
    bio = vts_tls_bio_new(&transport->tls_io);
    if (transport->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        SSL_free(transport->ssl);
        ERR_clear_error();
        return VTS_ERR_NOMEM;
    }
    SSL_set_bio(transport->ssl, bio, bio); /* adopts bio */
    SSL_set_accept_state(transport->ssl);
    SSL_set_info_callback(transport->ssl, on_tls_state);
    return VTS_OK;
}

enum vts_err vts_transport_new(struct vts_loop *loop, int fd, struct vts_tls_ctx *tls,
                               const struct vts_transport_ops *ops, void *owner,
                               struct vts_transport **ret_transport)
{
    enum vts_err err = VTS_ERR_NOMEM;
    struct vts_transport *transport = vts_mem_zalloc(sizeof(*transport));

    if (transport == NULL)
        goto out;
    *transport = (struct vts_transport){
        .magic = TRANSPORT_MAGIC, .fd = fd, .loop = loop, .ops = ops, .owner = owner};
    err = set_up_tls(transport, tls);
    if (err != VTS_OK)
        goto out;
    if (uv_poll_init(vts_loop_uv(loop), &transport->poll, fd) != 0) {
        SSL_free(transport->ssl);
        err = VTS_ERR_IO;
        goto out;
    }
    update_polling(transport);
    *ret_transport = transport;
    return VTS_OK;
out:
    vts_mem_free(transport);
    (void)close(fd);
    return err;
}

bool vts_transport_can_write(const struct vts_transport *transport)
{
    return transport->state == OPEN && transport->pending == NULL && !transport->is_broken;
}

enum vts_err vts_transport_write(struct vts_transport *transport, const char *bytes, size_t len)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(transport->loop);
    size_t written;

    VTS_ASSERT(len <= VTS_TLS_RECORD_BYTES && transport->state == OPEN);
    if (SSL_write_ex(transport->ssl, bytes, len, &written) != 1 || written != len) {
        (void)vts_tls_take_reason(); /* the caller only needs to know that it is over */
        return VTS_ERR_CLOSED;
    }
    if (buffers->write_len >= VTS_LOOP_WRITE_BYTES)
        vts_transport_flush(transport);
    return transport->is_broken ? VTS_ERR_CLOSED : VTS_OK;
}

void vts_transport_close(struct vts_transport *transport)
{
    if (transport->state >= LINGERING)
        return;
    if (transport->state == OPEN && SSL_shutdown(transport->ssl) < 0)
        ERR_clear_error(); /* without close_notify there is still the FIN */
    set_state(transport, LINGERING);
    vts_transport_flush(transport);
    SSL_free(transport->ssl); /* with its buffers; what waits is encrypted already */
    transport->ssl = NULL;
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
    return vts_tls_peer_name(transport->ssl, ret_name);
}

const char *vts_transport_tls_version(const struct vts_transport *transport)
{
    return SSL_get_version(transport->ssl);
}
