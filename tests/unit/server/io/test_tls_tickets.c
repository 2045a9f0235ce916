/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls_tickets.c - sessions that are resumed, and those that must not be. */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <string.h>

#include "tests/unit/server/io/scratch_certs.h"
#include "tests/unit/server/io/tls_pair.h"

enum { THREADS = 4, ROUNDS = 20 };

static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};

static struct vts_tls_ctx *make_ctx(const char *client_ca)
{
    const struct vts_tls_files files = {
        .cert = scratch_certs_path("server.pem"),
        .key = scratch_certs_path("server-key.pem"),
        .client_ca = client_ca == NULL ? NULL : scratch_certs_path(client_ca)};
    struct vts_tls_ctx *ctx = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_tls_ctx_new(&files, &ctx, NULL), VTS_OK);
    return ctx;
}

static SSL_CTX *make_client(int version, const char *cert_name)
{
    SSL_CTX *client = tls_client_new(cert_name);

    CU_ASSERT_EQUAL_FATAL(SSL_CTX_set_max_proto_version(client, version), 1);
    return client;
}

/* Shakes hands, trying to resume *session, if there is one, which it gives back; *session is then
 * the new session. Returns whether the old one was resumed. */
static bool connect_once(struct vts_tls_ctx *ctx, SSL_CTX *client, SSL_SESSION **session)
{
    static _Thread_local struct tls_pair pair;
    bool is_resumed;

    tls_pair_open(&pair, ctx, client, *session);
    CU_ASSERT(tls_pair_shake(&pair));
    is_resumed = SSL_session_reused(pair.client) == 1;
    SSL_SESSION_free(*session);
    *session = SSL_get1_session(pair.client);
    CU_ASSERT_FATAL(*session != NULL && SSL_SESSION_is_resumable(*session));
    (void)SSL_shutdown(pair.client); /* OpenSSL resumes no session that broke off */
    tls_pair_close(&pair);
    return is_resumed;
}

static void ticket_resumes_again_and_again(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(versions); i++) {
        struct vts_tls_ctx *ctx = make_ctx(NULL);
        SSL_CTX *client = make_client(versions[i], NULL);
        SSL_SESSION *session = NULL;

        CU_ASSERT_FALSE(connect_once(ctx, client, &session));
        for (int round = 0; round < 3; round++)
            CU_ASSERT(connect_once(ctx, client, &session));
        SSL_SESSION_free(session);
        SSL_CTX_free(client);
        vts_tls_ctx_unref(ctx);
    }
}

/* Opens a session under one client CA and tries it under another; both clients are welcome. */
static bool is_resumed_across(int version, const char *first_ca, const char *second_ca)
{
    struct vts_tls_ctx *first = make_ctx(first_ca);
    struct vts_tls_ctx *second = make_ctx(second_ca);
    SSL_CTX *client = make_client(version, "client");
    SSL_CTX *other_client = make_client(version, "other/client");
    bool is_first_other = first_ca != NULL && strstr(first_ca, "other") != NULL;
    bool is_second_other = second_ca != NULL && strstr(second_ca, "other") != NULL;
    SSL_SESSION *session = NULL;
    bool is_resumed;

    CU_ASSERT_FALSE(connect_once(first, is_first_other ? other_client : client, &session));
    is_resumed = connect_once(second, is_second_other ? other_client : client, &session);
    SSL_SESSION_free(session);
    SSL_CTX_free(client);
    SSL_CTX_free(other_client);
    vts_tls_ctx_unref(first);
    vts_tls_ctx_unref(second);
    return is_resumed;
}

static void ticket_under_the_same_client_ca_outlives_a_reload(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(versions); i++) {
        CU_ASSERT(is_resumed_across(versions[i], NULL, NULL));
        CU_ASSERT(is_resumed_across(versions[i], "ca.pem", "ca.pem"));
    }
}

static void ticket_under_another_client_ca_is_not_resumed(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(versions); i++) {
        CU_ASSERT_FALSE(is_resumed_across(versions[i], NULL, "ca.pem"));
        CU_ASSERT_FALSE(is_resumed_across(versions[i], "ca.pem", NULL));
        CU_ASSERT_FALSE(is_resumed_across(versions[i], "ca.pem", "other/ca.pem"));
        CU_ASSERT_FALSE(is_resumed_across(versions[i], "other/ca.pem", "ca.pem"));
    }
}

struct visitor {
    struct vts_tls_ctx *ctx;
    SSL_CTX *client;
    int resumed;
};

static void *visit_often(void *context)
{
    struct visitor *visitor = context;
    SSL_SESSION *session = NULL;

    for (int i = 0; i < ROUNDS; i++)
        visitor->resumed += connect_once(visitor->ctx, visitor->client, &session);
    SSL_SESSION_free(session);
    return NULL;
}

static void tickets_of_several_threads_share_the_keys(void)
{
    struct vts_tls_ctx *ctx = make_ctx(NULL);
    struct visitor visitors[THREADS];
    pthread_t threads[THREADS];

    for (int i = 0; i < THREADS; i++) {
        visitors[i] = (struct visitor){.ctx = ctx, .client = make_client(TLS1_3_VERSION, NULL)};
        CU_ASSERT_EQUAL_FATAL(pthread_create(&threads[i], NULL, visit_often, &visitors[i]), 0);
    }
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_join(threads[i], NULL), 0);
        CU_ASSERT_EQUAL(visitors[i].resumed, ROUNDS - 1);
        SSL_CTX_free(visitors[i].client);
    }
    vts_tls_ctx_unref(ctx);
}

static const struct vts_test tests[] = {
    {"ticket_resumes_again_and_again", ticket_resumes_again_and_again},
    {"ticket_under_the_same_client_ca_outlives_a_reload",
     ticket_under_the_same_client_ca_outlives_a_reload},
    {"ticket_under_another_client_ca_is_not_resumed",
     ticket_under_another_client_ca_is_not_resumed},
    {"tickets_of_several_threads_share_the_keys", tickets_of_several_threads_share_the_keys},
};

int main(void)
{
    return scratch_certs_run("test_tls_tickets", tests, VTS_ARRAY_LEN(tests));
}
