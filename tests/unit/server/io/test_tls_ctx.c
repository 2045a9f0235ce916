/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls_ctx.c - certificates and keys that are taken, and what is said of the others. */
#include <CUnit/CUnit.h>
#include <openssl/err.h>
#include <stdio.h>
#include <string.h>

#include "server/io/tls_ctx.h"
#include "tests/unit/server/io/scratch_certs.h"
#include "tests/unit/server/io/tls_pair.h"

static enum vts_err make(const char *cert, const char *key, const char *client_ca,
                         struct vts_tls_ctx **ret_ctx, struct vts_error *error)
{
    const struct vts_tls_files files = {
        .cert = scratch_certs_path(cert),
        .key = scratch_certs_path(key),
        .client_ca = client_ca == NULL ? NULL : scratch_certs_path(client_ca)};

    error->text[0] = '\0';
    return vts_tls_ctx_new(&files, ret_ctx, error);
}

static void ctx_of_good_files_is_made(void)
{
    static const char *const client_cas[] = {NULL, "ca.pem", "other/ca.pem"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(client_cas); i++) {
        struct vts_tls_ctx *ctx = NULL;
        struct vts_error error;

        CU_ASSERT_EQUAL(make("server.pem", "server-key.pem", client_cas[i], &ctx, &error), VTS_OK);
        CU_ASSERT_PTR_NOT_NULL(ctx);
        vts_tls_ctx_unref(ctx);
    }
}

static void ctx_of_bad_files_is_refused_by_name(void)
{
    static const struct {
        const char *cert;
        const char *key;
        const char *client_ca;
        const char *file;
        const char *fault;
    } rows[] = {
        {"absent.pem", "server-key.pem", NULL, "/absent.pem", "No such file"},
        {"none.pem", "server-key.pem", NULL, "/none.pem", "cannot read a certificate"},
        {"server-key.pem", "server-key.pem", NULL, "/server-key.pem", "cannot read a certificate"},
        {"server.pem", "absent.pem", NULL, "/absent.pem", "No such file"},
        {"server.pem", "none.pem", NULL, "/none.pem", "private key"},
        {"server.pem", "ca.pem", NULL, "/ca.pem", "private key"},
        {"server.pem", "client-key.pem", NULL, "/client-key.pem", "does not belong to"},
        {"server.pem", "rsa-key.pem", NULL, "/rsa-key.pem", "does not belong to"},
        {"server.pem", "locked-key.pem", NULL, "/locked-key.pem", "passphrase"},
        {"expired.pem", "server-key.pem", NULL, "/expired.pem", "has expired"},
        {"future.pem", "server-key.pem", NULL, "/future.pem", "is not valid yet"},
        {"server.pem", "server-key.pem", "absent.pem", "/absent.pem", "No such file"},
        {"server.pem", "server-key.pem", "none.pem", "/none.pem", "client CA"},
        {"server.pem", "server-key.pem", "server-key.pem", "/server-key.pem", ""},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_tls_ctx *ctx = NULL;
        struct vts_error error;

        CU_ASSERT_EQUAL(make(rows[i].cert, rows[i].key, rows[i].client_ca, &ctx, &error),
                        VTS_ERR_INVALID);
        CU_ASSERT_PTR_NULL(ctx);
        if (strstr(error.text, rows[i].fault) == NULL)
            fprintf(stderr, "row %zu: %s\n", i, error.text);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, rows[i].file));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, rows[i].fault));
    }
}

static void ctx_failure_leaves_no_openssl_error_behind(void)
{
    struct vts_tls_ctx *ctx = NULL;
    struct vts_error error;

    CU_ASSERT_EQUAL(make("server.pem", "none.pem", NULL, &ctx, &error), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
    CU_ASSERT_EQUAL(make("server.pem", "rsa-key.pem", NULL, &ctx, &error), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
}

static void ctx_lives_until_its_last_reference(void)
{
    static struct tls_pair pair;
    SSL_CTX *client = tls_client_new(NULL);
    struct vts_tls_ctx *ctx = NULL;
    struct vts_error error;

    CU_ASSERT_EQUAL_FATAL(make("server.pem", "server-key.pem", NULL, &ctx, &error), VTS_OK);
    CU_ASSERT_PTR_EQUAL(vts_tls_ctx_ref(ctx), ctx);
    vts_tls_ctx_unref(ctx);
    tls_pair_open(&pair, ctx, client, NULL);
    vts_tls_ctx_unref(ctx); /* the connection keeps it */
    CU_ASSERT(tls_pair_shake(&pair));
    tls_pair_close(&pair);
    SSL_CTX_free(client);
    vts_tls_ctx_unref(NULL);
}

/* Shakes hands with a server of the given client CA; returns whether it worked. */
static bool shake(SSL_CTX *client, const char *client_ca)
{
    static struct tls_pair pair;
    struct vts_tls_ctx *ctx = NULL;
    struct vts_error error;
    bool is_done;

    CU_ASSERT_EQUAL_FATAL(make("server.pem", "server-key.pem", client_ca, &ctx, &error), VTS_OK);
    tls_pair_open(&pair, ctx, client, NULL);
    is_done = tls_pair_shake(&pair);
    tls_pair_close(&pair);
    vts_tls_ctx_unref(ctx);
    return is_done;
}

static void client_certificate_is_asked_for_only_with_a_client_ca(void)
{
    static const struct {
        const char *cert_name;
        const char *client_ca;
        bool is_welcome;
    } rows[] = {
        {NULL, NULL, true},
        {"client", NULL, true},
        {NULL, "ca.pem", false},
        {"client", "ca.pem", true},
        {"other/client", "ca.pem", false},
        {"other/client", "other/ca.pem", true},
        {"server", "ca.pem", false}, /* not for clients */
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        SSL_CTX *client = tls_client_new(rows[i].cert_name);

        CU_ASSERT_EQUAL(shake(client, rows[i].client_ca), rows[i].is_welcome);
        SSL_CTX_free(client);
    }
}

static void versions_below_1_2_are_refused(void)
{
    static const struct {
        int version;
        bool is_welcome;
    } rows[] = {{TLS1_VERSION, false},
                {TLS1_1_VERSION, false},
                {TLS1_2_VERSION, true},
                {TLS1_3_VERSION, true}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        SSL_CTX *client = tls_client_new(NULL);

        SSL_CTX_set_security_level(client, 0);
        CU_ASSERT_EQUAL_FATAL(SSL_CTX_set_min_proto_version(client, rows[i].version), 1);
        CU_ASSERT_EQUAL_FATAL(SSL_CTX_set_max_proto_version(client, rows[i].version), 1);
        CU_ASSERT_EQUAL(shake(client, NULL), rows[i].is_welcome);
        SSL_CTX_free(client);
    }
}

static void ciphers_of_1_2_without_ecdhe_and_aead_are_refused(void)
{
    static const struct {
        const char *ciphers;
        bool is_welcome;
    } rows[] = {
        {"ECDHE-ECDSA-AES128-GCM-SHA256", true}, {"ECDHE-ECDSA-CHACHA20-POLY1305", true},
        {"ECDHE-ECDSA-AES128-SHA256", false},    {"ECDHE-ECDSA-AES256-SHA", false},
        {"DHE-RSA-AES128-GCM-SHA256", false},    {"AES128-GCM-SHA256", false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        SSL_CTX *client = tls_client_new(NULL);

        CU_ASSERT_EQUAL_FATAL(SSL_CTX_set_max_proto_version(client, TLS1_2_VERSION), 1);
        CU_ASSERT_EQUAL_FATAL(SSL_CTX_set_cipher_list(client, rows[i].ciphers), 1);
        CU_ASSERT_EQUAL(shake(client, NULL), rows[i].is_welcome);
        SSL_CTX_free(client);
    }
}

static void alpn_without_common_protocol_is_refused(void)
{
    static const struct {
        const char *offered;
        unsigned len;
        bool is_welcome;
    } rows[] = {
        {"\x02h2", 3, true},
        {"\x08http/1.1", 9, true},
        {"\x08http/1.1\x02h2", 12, true},
        {"\x03"
         "ftp",
         4, false},
        {"\x02h3", 3, false},
        {"\x03"
         "ftp\x02h2",
         7, true},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        SSL_CTX *client = tls_client_new(NULL);

        CU_ASSERT_EQUAL_FATAL(
            SSL_CTX_set_alpn_protos(client, (const unsigned char *)rows[i].offered, rows[i].len),
            0);
        CU_ASSERT_EQUAL(shake(client, NULL), rows[i].is_welcome);
        SSL_CTX_free(client);
    }
}

static const struct vts_test tests[] = {
    {"ctx_of_good_files_is_made", ctx_of_good_files_is_made},
    {"ctx_of_bad_files_is_refused_by_name", ctx_of_bad_files_is_refused_by_name},
    {"ctx_failure_leaves_no_openssl_error_behind", ctx_failure_leaves_no_openssl_error_behind},
    {"ctx_lives_until_its_last_reference", ctx_lives_until_its_last_reference},
    {"client_certificate_is_asked_for_only_with_a_client_ca",
     client_certificate_is_asked_for_only_with_a_client_ca},
    {"versions_below_1_2_are_refused", versions_below_1_2_are_refused},
    {"ciphers_of_1_2_without_ecdhe_and_aead_are_refused",
     ciphers_of_1_2_without_ecdhe_and_aead_are_refused},
    {"alpn_without_common_protocol_is_refused", alpn_without_common_protocol_is_refused},
};

int main(void)
{
    return scratch_certs_run("test_tls_ctx", tests, VTS_ARRAY_LEN(tests));
}
