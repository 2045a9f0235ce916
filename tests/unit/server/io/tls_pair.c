/* SPDX-License-Identifier: Apache-2.0 */
/* tls_pair.c - carries ciphertext between the two sides in steps of any size. */
#include "tests/unit/server/io/tls_pair.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/server/io/scratch_certs.h"

SSL_CTX *tls_client_new(const char *cert_name)
{
    static const unsigned char alpn[] = "\x02h2";
    SSL_CTX *ctx = SSL_CTX_new(TLS_client_method());
    char file[64];

    CU_ASSERT_PTR_NOT_NULL_FATAL(ctx);
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER, NULL);
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_set_alpn_protos(ctx, alpn, sizeof(alpn) - 1), 0);
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_load_verify_file(ctx, scratch_certs_path("ca.pem")), 1);
    if (cert_name == NULL)
        return ctx;
    (void)snprintf(file, sizeof(file), "%s.pem", cert_name);
    CU_ASSERT_EQUAL_FATAL(
        SSL_CTX_use_certificate_file(ctx, scratch_certs_path(file), SSL_FILETYPE_PEM), 1);
    (void)snprintf(file, sizeof(file), "%s-key.pem", cert_name);
    CU_ASSERT_EQUAL_FATAL(
        SSL_CTX_use_PrivateKey_file(ctx, scratch_certs_path(file), SSL_FILETYPE_PEM), 1);
    return ctx;
}

void tls_pair_open(struct tls_pair *pair, struct vts_tls_ctx *ctx, SSL_CTX *client_ctx,
                   SSL_SESSION *session)
{
    BIO *bio;

    memset(pair, 0, sizeof(*pair));
    pair->step_bytes = TLS_PAIR_BYTES;
    pair->io = (struct vts_tls_io){
        .out = pair->out, .out_len = &pair->out_len, .out_cap = sizeof(pair->out)};
    pair->server = vts_tls_ctx_new_ssl(ctx);
    bio = vts_tls_bio_new(&pair->io);
    CU_ASSERT_FATAL(pair->server != NULL && bio != NULL);
    SSL_set_bio(pair->server, bio, bio);
    SSL_set_accept_state(pair->server);
    pair->client = SSL_new(client_ctx);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pair->client);
    SSL_set_bio(pair->client, BIO_new(BIO_s_mem()), BIO_new(BIO_s_mem()));
    SSL_set_connect_state(pair->client);
    if (session != NULL)
        CU_ASSERT_EQUAL_FATAL(SSL_set_session(pair->client, session), 1);
}

void tls_pair_close(struct tls_pair *pair)
{
    SSL_free(pair->server);
    SSL_free(pair->client);
}

/* What the client sent goes to the server's input. Returns whether there was anything. */
static bool carry_to_server(struct tls_pair *pair)
{
    int len;

    if (pair->io.in_len > 0)
        return false;
    len = BIO_read(SSL_get_wbio(pair->client), pair->in, (int)pair->step_bytes);
    if (len <= 0)
        return false;
    pair->io.in = pair->in;
    pair->io.in_len = (size_t)len;
    return true;
}

static bool carry_to_client(struct tls_pair *pair)
{
    size_t len = pair->out_len < pair->step_bytes ? pair->out_len : pair->step_bytes;

    if (len == 0)
        return false;
    CU_ASSERT_EQUAL_FATAL(BIO_write(SSL_get_rbio(pair->client), pair->out, (int)len), (int)len);
    memmove(pair->out, pair->out + len, pair->out_len - len);
    pair->out_len -= len;
    return true;
}

/* Either side does what the bytes it has let it do; what failed, failed for good. */
static void act(SSL *ssl)
{
    char byte;

    if (!SSL_is_init_finished(ssl))
        (void)SSL_do_handshake(ssl);
    else
        (void)SSL_peek(ssl, &byte, 1); /* reads tickets and the like */
}

void tls_pair_exchange(struct tls_pair *pair)
{
    bool moved;

    do {
        act(pair->client);
        moved = carry_to_server(pair);
        act(pair->server);
        moved |= carry_to_client(pair);
    } while (moved);
    act(pair->client);
}

bool tls_pair_shake(struct tls_pair *pair)
{
    tls_pair_exchange(pair);
    return SSL_is_init_finished(pair->client) && SSL_is_init_finished(pair->server);
}
