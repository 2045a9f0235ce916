/* SPDX-License-Identifier: Apache-2.0 */
/* A TLS client and a connection of ours, talking through memory. */
#ifndef VTS_TESTS_TLS_PAIR_H
#define VTS_TESTS_TLS_PAIR_H

#include <openssl/ssl.h>
#include <stdbool.h>

#include "server/io/tls_openssl.h"

enum { TLS_PAIR_BYTES = 64 * 1024 };

struct tls_pair {
    SSL *server;
    SSL *client;
    struct vts_tls_io io; /* the server's */
    size_t step_bytes;    /* at most so many bytes go either way at once */
    size_t out_len;
    char out[TLS_PAIR_BYTES];
    char in[TLS_PAIR_BYTES];
};

/* A client that offers h2 and trusts ca.pem; with the certificate NAME.pem, NAME-key.pem unless
 * cert_name is NULL. Freed by the caller. */
SSL_CTX *tls_client_new(const char *cert_name);
/* session may be NULL; otherwise the client tries to resume it. */
void tls_pair_open(struct tls_pair *pair, struct vts_tls_ctx *ctx, SSL_CTX *client_ctx,
                   SSL_SESSION *session);
void tls_pair_close(struct tls_pair *pair);
/* Carries bytes both ways until there are no more. */
void tls_pair_exchange(struct tls_pair *pair);
/* Shakes hands, and lets the client read its tickets. Returns whether both sides are done. */
bool tls_pair_shake(struct tls_pair *pair);

#endif
