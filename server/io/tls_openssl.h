/* SPDX-License-Identifier: Apache-2.0 */
/* What the TLS files of this folder share. Not for other folders. */
#ifndef VTS_IO_TLS_OPENSSL_H
#define VTS_IO_TLS_OPENSSL_H

#include <openssl/ssl.h>

#include "common/base/err.h"
#include "server/io/tls_ctx.h"

/* The first reason in the thread's error queue, nearest to the fault; the queue is emptied. */
const char *vts_tls_take_reason(void);

/* A new server-side connection of ctx, or NULL without memory. */
SSL *vts_tls_ctx_new_ssl(struct vts_tls_ctx *ctx);

/* Installs stateless session tickets (RFC 5077, RFC 8446 4.6.1) whose keys the process shares and
 * renews every 12 hours. `realm` separates keys: a ticket made under one client CA is worth nothing
 * under another. VTS_ERR_IO when the system has no randomness. */
VTS_MUST_CHECK enum vts_err vts_tls_tickets_install(SSL_CTX *ctx, const unsigned char realm[32]);

/* Ciphertext that came in and has not been read by OpenSSL yet, and where output goes. */
struct vts_tls_io {
    const char *in;
    size_t in_len;
    char *out;
    size_t *out_len;
    size_t out_cap;
};

/* A BIO that reads and writes the memory of *io, which must outlive it. NULL without memory. */
BIO *vts_tls_bio_new(struct vts_tls_io *io);

#endif
