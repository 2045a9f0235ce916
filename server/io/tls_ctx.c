/* SPDX-License-Identifier: Apache-2.0 */
/* tls_ctx.c - reads the files of a server's TLS and checks them before anything relies on them.
 *
 * A struct vts_tls_ctx is an SSL_CTX: OpenSSL counts its references, one a connection, so a
 * replaced one lives exactly as long as its last connection.
 */
#include "server/io/tls_ctx.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/x509.h>
#include <stdbool.h>
#include <unistd.h>

#include "server/io/tls_openssl.h"

/* Of a client: what is longer is no sensible chain. */
enum { CERT_LIST_MAX_BYTES = 32 * 1024, VERIFY_DEPTH = 4 };

static SSL_CTX *to_openssl(struct vts_tls_ctx *ctx)
{
    return (SSL_CTX *)(void *)ctx;
}

const char *vts_tls_take_reason(void)
{
    const char *reason = ERR_reason_error_string(ERR_peek_error());

    ERR_clear_error();
    return reason == NULL ? "unknown reason" : reason;
}

/* Wire form of the protocols we speak, the preferred one first (RFC 7301). */
static const unsigned char alpn_protocols[] = "\x02h2\x08http/1.1";

static int choose_alpn(SSL *ssl, const unsigned char **ret_name, unsigned char *ret_len,
                       const unsigned char *offered, unsigned offered_len, void *context)
{
    (void)ssl;
    (void)context;
    /* No overlap ends the handshake with no_application_protocol: an HTTPS client that asked for
     * something else must not talk to us by mistake (ALPACA). */
    if (SSL_select_next_proto((unsigned char **)ret_name, ret_len, alpn_protocols,
                              sizeof(alpn_protocols) - 1, offered,
                              offered_len) != OPENSSL_NPN_NEGOTIATED)
        return SSL_TLSEXT_ERR_ALERT_FATAL;
    return SSL_TLSEXT_ERR_OK;
}

/* A server that starts by itself cannot ask anybody for a passphrase; context, a bool or NULL,
 * tells that it would have had to. */
static int refuse_passphrase(char *buf, int size, int is_writing, void *context)
{
    (void)buf;
    (void)size;
    (void)is_writing;
    if (context != NULL)
        *(bool *)context = true;
    return -1;
}

static enum vts_err set_protocol(SSL_CTX *ctx, struct vts_error *error)
{
    SSL_CTX_set_options(ctx, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION |
                                 SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_IGNORE_UNEXPECTED_EOF |
                                 SSL_OP_PRIORITIZE_CHACHA);
    SSL_CTX_set_mode(ctx, SSL_MODE_RELEASE_BUFFERS | SSL_MODE_ENABLE_PARTIAL_WRITE |
                              SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
    SSL_CTX_set_session_cache_mode(ctx, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_default_passwd_cb(ctx, refuse_passphrase);
    SSL_CTX_set_alpn_select_cb(ctx, choose_alpn, NULL);
    SSL_CTX_set_max_cert_list(ctx, CERT_LIST_MAX_BYTES);
    SSL_CTX_set_verify_depth(ctx, VERIFY_DEPTH);
    if (SSL_CTX_set_min_proto_version(ctx, TLS1_2_VERSION) != 1 ||
        SSL_CTX_set_cipher_list(ctx, "ECDHE+AESGCM:ECDHE+CHACHA20") != 1 ||
        SSL_CTX_set1_groups_list(ctx, "X25519:P-256") != 1 || SSL_CTX_set_num_tickets(ctx, 1) != 1)
        return vts_error_set(error, VTS_ERR_IO, "OpenSSL cannot be set up: %s",
                             vts_tls_take_reason());
    return VTS_OK;
}

static enum vts_err check_validity(SSL_CTX *ctx, const char *path, struct vts_error *error)
{
    X509 *cert = SSL_CTX_get0_certificate(ctx);

    if (X509_cmp_current_time(X509_get0_notAfter(cert)) < 0)
        return vts_error_set(error, VTS_ERR_INVALID, "the certificate in %s has expired", path);
    if (X509_cmp_current_time(X509_get0_notBefore(cert)) > 0)
        return vts_error_set(error, VTS_ERR_INVALID, "the certificate in %s is not valid yet",
                             path);
    return VTS_OK;
}

/* OpenSSL says "system lib" where the system says why. */
static enum vts_err check_readable(const char *path, struct vts_error *error)
{
    if (access(path, R_OK) != 0)
        return vts_error_set(error, VTS_ERR_INVALID, "cannot read %s: %s", path, strerror(errno));
    return VTS_OK;
}

static enum vts_err check_files(const struct vts_tls_files *files, struct vts_error *error)
{
    enum vts_err err = check_readable(files->cert, error);

    if (err == VTS_OK)
        err = check_readable(files->key, error);
    if (err == VTS_OK && files->client_ca != NULL)
        err = check_readable(files->client_ca, error);
    return err;
}

/* The key comes first: a certificate that it does not belong to then makes OpenSSL drop it, and
 * there is one check for every kind of mismatch. */
static enum vts_err load_identity(SSL_CTX *ctx, const struct vts_tls_files *files,
                                  struct vts_error *error)
{
    bool needs_passphrase = false;
    int is_loaded;

    SSL_CTX_set_default_passwd_cb_userdata(ctx, &needs_passphrase);
    is_loaded = SSL_CTX_use_PrivateKey_file(ctx, files->key, SSL_FILETYPE_PEM);
    SSL_CTX_set_default_passwd_cb_userdata(ctx, NULL);
    if (is_loaded != 1)
        return vts_error_set(
            error, VTS_ERR_INVALID, "cannot use the private key in %s: %s", files->key,
            needs_passphrase ? "it is locked with a passphrase" : vts_tls_take_reason());
    if (SSL_CTX_use_certificate_chain_file(ctx, files->cert) != 1)
        return vts_error_set(error, VTS_ERR_INVALID, "cannot read a certificate from %s: %s",
                             files->cert, vts_tls_take_reason());
    if (SSL_CTX_check_private_key(ctx) != 1)
        return vts_error_set(error, VTS_ERR_INVALID,
                             "the private key in %s does not belong to the certificate in %s",
                             files->key, files->cert);
    return check_validity(ctx, files->cert, error);
}

/* Mixes the certificates of the accepted CAs into the realm of the tickets. */
static void digest_client_ca(SSL_CTX *ctx, unsigned char ret_realm[32])
{
    STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(ctx));

    for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
        X509 *ca = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(objects, i));
        unsigned char digest[EVP_MAX_MD_SIZE];
        unsigned len = 0;

        if (ca == NULL || X509_digest(ca, EVP_sha256(), digest, &len) != 1)
            continue;
        for (unsigned j = 0; j < len && j < 32; j++)
            ret_realm[j] ^= digest[j];
    }
}

static enum vts_err load_client_ca(SSL_CTX *ctx, const char *path, struct vts_error *error)
{
    STACK_OF(X509_NAME) * names;

    if (SSL_CTX_load_verify_file(ctx, path) != 1)
        return vts_error_set(error, VTS_ERR_INVALID, "cannot read the client CA from %s: %s", path,
                             vts_tls_take_reason());
    names = SSL_load_client_CA_file(path);
    if (names == NULL)
        return vts_error_set(error, VTS_ERR_INVALID, "there is no certificate in %s: %s", path,
                             vts_tls_take_reason());
    SSL_CTX_set_client_CA_list(ctx, names); /* adopts names */
    SSL_CTX_set_verify(ctx, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
    return VTS_OK;
}

static enum vts_err set_up(SSL_CTX *ctx, const struct vts_tls_files *files, struct vts_error *error)
{
    static const unsigned char session_context[] = "vtstatusd";
    unsigned char realm[32] = {0};
    enum vts_err err = check_files(files, error);

    if (err == VTS_OK)
        err = set_protocol(ctx, error);
    if (err == VTS_OK)
        err = load_identity(ctx, files, error);
    if (err == VTS_OK && files->client_ca != NULL) {
        err = load_client_ca(ctx, files->client_ca, error);
        digest_client_ca(ctx, realm);
    }
    if (err != VTS_OK)
        return err;
    if (SSL_CTX_set_session_id_context(ctx, session_context, sizeof(session_context) - 1) != 1)
        return vts_error_set(error, VTS_ERR_IO, "OpenSSL cannot be set up: %s",
                             vts_tls_take_reason());
    err = vts_tls_tickets_install(ctx, realm);
    if (err != VTS_OK)
        return vts_error_set(error, err, "session tickets cannot be set up: %s", vts_err_text(err));
    return VTS_OK;
}

enum vts_err vts_tls_ctx_new(const struct vts_tls_files *files, struct vts_tls_ctx **ret_ctx,
                             struct vts_error *error)
{
    SSL_CTX *ctx = SSL_CTX_new(TLS_server_method());
    enum vts_err err;

    if (ctx == NULL)
        return vts_error_set(error, VTS_ERR_NOMEM, "out of memory");
    err = set_up(ctx, files, error);
    if (err != VTS_OK) {
        ERR_clear_error(); /* the queue is the thread's, and the next failure is not this one */
        SSL_CTX_free(ctx);
        return err;
    }
    *ret_ctx = (struct vts_tls_ctx *)(void *)ctx;
    return VTS_OK;
}

struct vts_tls_ctx *vts_tls_ctx_ref(struct vts_tls_ctx *ctx)
{
    (void)SSL_CTX_up_ref(to_openssl(ctx)); /* cannot fail in OpenSSL 3 */
    return ctx;
}

void vts_tls_ctx_unref(struct vts_tls_ctx *ctx)
{
    SSL_CTX_free(to_openssl(ctx));
}

SSL *vts_tls_ctx_new_ssl(struct vts_tls_ctx *ctx)
{
    return SSL_new(to_openssl(ctx));
}
