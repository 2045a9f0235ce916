/* SPDX-License-Identifier: Apache-2.0 */
/* transport_tls.c - a socket whose bytes are TLS: the handshake, what is in its records, and
 * close_notify.
 *
 * OpenSSL works on the loop's buffers (tls_bio.c): it reads from where read(2) wrote, and writes to
 * where send(2) takes from.
 */
#include <openssl/err.h>

#include "common/base/mem.h"
#include "server/io/tls_openssl.h"
#include "server/io/tls_peer.h"
#include "server/io/transport_kind.h"

struct tls_transport {
    struct vts_transport base;
    SSL *ssl;
    struct vts_tls_io io;
};

static struct tls_transport *tls_of(const struct vts_transport *transport)
{
    return VTS_CONTAINER_OF(transport, struct tls_transport, base);
}

static void end_tls(struct vts_transport *transport)
{
    const char *reason = vts_tls_take_reason();

    vts_transport_flush(transport); /* the alert */
    vts_transport_end(transport, VTS_TRANSPORT_END_TLS, reason);
}

static void shake_hands(struct vts_transport *transport)
{
    const unsigned char *alpn;
    unsigned alpn_len;
    SSL *ssl = tls_of(transport)->ssl;
    int result = SSL_do_handshake(ssl);

    if (result != 1 && SSL_get_error(ssl, result) != SSL_ERROR_WANT_READ) {
        end_tls(transport);
        return;
    }
    vts_transport_flush(transport);
    if (result != 1 || transport->state != VTS_TRANSPORT_HANDSHAKING)
        return;
    vts_transport_set_state(transport, VTS_TRANSPORT_OPEN);
    SSL_get0_alpn_selected(ssl, &alpn, &alpn_len);
    transport->ops->on_open(transport->owner, vts_str_make(alpn, alpn_len));
}

static void decrypt(struct vts_transport *transport)
{
    SSL *ssl = tls_of(transport)->ssl;
    char *plain = vts_loop_buffers(transport->loop)->plain;
    size_t len;

    while (transport->state == VTS_TRANSPORT_OPEN &&
           SSL_read_ex(ssl, plain, VTS_TLS_RECORD_BYTES, &len) == 1)
        transport->ops->on_data(transport->owner, plain, len);
    if (transport->state != VTS_TRANSPORT_OPEN)
        return;
    switch (SSL_get_error(ssl, 0)) {
    case SSL_ERROR_WANT_READ:
        transport->ops->on_turn(transport->owner);
        break;
    case SSL_ERROR_ZERO_RETURN:
        /* A peer that has asked its last may well wait for the answer (RFC 8446 6.1). */
        transport->ops->on_turn(transport->owner);
        if (transport->state == VTS_TRANSPORT_OPEN)
            vts_transport_end(transport, VTS_TRANSPORT_END_PEER, "the peer closed");
        break;
    default:
        end_tls(transport);
        break;
    }
}

/* Between turns `in` has nothing: the buffer is another's then. */
static void take(struct vts_transport *transport, size_t len)
{
    struct vts_tls_io *io = &tls_of(transport)->io;

    io->in = vts_loop_buffers(transport->loop)->read;
    io->in_len = len;
    if (transport->state == VTS_TRANSPORT_HANDSHAKING)
        shake_hands(transport);
    if (transport->state == VTS_TRANSPORT_OPEN)
        decrypt(transport);
    io->in_len = 0;
}

static enum vts_err write_record(struct vts_transport *transport, const char *bytes, size_t len)
{
    size_t written;

    if (SSL_write_ex(tls_of(transport)->ssl, bytes, len, &written) == 1 && written == len)
        return VTS_OK;
    (void)vts_tls_take_reason(); /* the caller only needs to know that it is over */
    return VTS_ERR_CLOSED;
}

static void finish(struct vts_transport *transport)
{
    struct tls_transport *tls = tls_of(transport);

    if (transport->state == VTS_TRANSPORT_OPEN && SSL_shutdown(tls->ssl) < 0)
        ERR_clear_error(); /* without close_notify there is still the FIN */
    SSL_free(tls->ssl);    /* with its buffers; what waits is encrypted already */
    tls->ssl = NULL;
}

/* Called while handshake messages are worked on; once a KeyUpdate in its own state. */
static void on_tls_state(const SSL *ssl, int where, int result)
{
    struct vts_tls_io *tls_io = BIO_get_data(SSL_get_rbio(ssl));
    struct vts_transport *transport = &VTS_CONTAINER_OF(tls_io, struct tls_transport, io)->base;

    (void)result;
    if (where != SSL_CB_ACCEPT_LOOP || SSL_get_state(ssl) != TLS_ST_SR_KEY_UPDATE)
        return;
    if (++transport->key_updates > transport->key_updates_max)
        tls_io->in_len = 0; /* the owner is about to end this; what follows need not be read */
}

static enum vts_err set_up(struct tls_transport *tls, struct vts_loop *loop,
                           struct vts_tls_ctx *ctx)
{
    struct vts_loop_buffers *buffers = vts_loop_buffers(loop);
    BIO *bio;

    tls->io = (struct vts_tls_io){
        .out = buffers->write, .out_len = &buffers->write_len, .out_cap = sizeof(buffers->write)};
    tls->ssl = vts_tls_ctx_new_ssl(ctx);
    bio = vts_tls_bio_new(&tls->io);
    if (tls->ssl == NULL || bio == NULL) {
        BIO_free(bio);
        SSL_free(tls->ssl);
        ERR_clear_error();
        return VTS_ERR_NOMEM;
    }
    SSL_set_bio(tls->ssl, bio, bio); /* adopts bio */
    SSL_set_accept_state(tls->ssl);
    SSL_set_info_callback(tls->ssl, on_tls_state);
    return VTS_OK;
}

static struct vts_transport *make(struct vts_loop *loop, struct vts_tls_ctx *ctx)
{
    struct tls_transport *tls = vts_mem_zalloc(sizeof(*tls));

    if (tls == NULL || set_up(tls, loop, ctx) != VTS_OK) {
        vts_mem_free(tls);
        return NULL;
    }
    return &tls->base;
}

static void free_tls(struct vts_transport *transport)
{
    SSL_free(tls_of(transport)->ssl);
    vts_mem_free(tls_of(transport));
}

static bool peer_name(const struct vts_transport *transport, char ret_name[VTS_PEER_NAME_BYTES])
{
    return vts_tls_peer_name(tls_of(transport)->ssl, ret_name);
}

static const char *tls_version(const struct vts_transport *transport)
{
    return SSL_get_version(tls_of(transport)->ssl);
}

const struct vts_transport_kind vts_transport_tls = {
    .make = make,
    .free = free_tls,
    .take = take,
    .write = write_record,
    .finish = finish,
    .peer_name = peer_name,
    .tls_version = tls_version,
};
