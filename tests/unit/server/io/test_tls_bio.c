/* SPDX-License-Identifier: Apache-2.0 */
/* test_tls_bio.c - OpenSSL on buffers of ours, which may be empty, full, or cut anywhere. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "tests/unit/server/io/scratch_certs.h"
#include "tests/unit/server/io/tls_pair.h"

struct bench {
    struct vts_tls_io io;
    size_t out_len;
    char out[8];
    BIO *bio;
};

static void set_up(struct bench *bench)
{
    memset(bench, 0, sizeof(*bench));
    bench->io = (struct vts_tls_io){
        .out = bench->out, .out_len = &bench->out_len, .out_cap = sizeof(bench->out)};
    bench->bio = vts_tls_bio_new(&bench->io);
    CU_ASSERT_PTR_NOT_NULL_FATAL(bench->bio);
}

static void read_of_nothing_asks_to_retry(void)
{
    struct bench bench;
    char bytes[4];

    set_up(&bench);
    CU_ASSERT(BIO_read(bench.bio, bytes, sizeof(bytes)) <= 0);
    CU_ASSERT(BIO_should_retry(bench.bio));
    CU_ASSERT(BIO_should_read(bench.bio));
    BIO_free(bench.bio);
}

static void read_takes_what_is_there_in_parts(void)
{
    struct bench bench;
    char bytes[4];

    set_up(&bench);
    bench.io.in = "abcdef";
    bench.io.in_len = 6;
    CU_ASSERT_EQUAL(BIO_read(bench.bio, bytes, 4), 4);
    CU_ASSERT_EQUAL(memcmp(bytes, "abcd", 4), 0);
    CU_ASSERT_EQUAL(bench.io.in_len, 2);
    CU_ASSERT_EQUAL(BIO_read(bench.bio, bytes, 4), 2);
    CU_ASSERT_EQUAL(memcmp(bytes, "ef", 2), 0);
    CU_ASSERT_FALSE(BIO_should_retry(bench.bio));
    CU_ASSERT(BIO_read(bench.bio, bytes, 4) <= 0);
    CU_ASSERT(BIO_should_read(bench.bio));
    BIO_free(bench.bio);
}

static void write_fills_the_room_and_then_asks_to_retry(void)
{
    struct bench bench;

    set_up(&bench);
    CU_ASSERT_EQUAL(BIO_write(bench.bio, "abcde", 5), 5);
    CU_ASSERT_EQUAL(BIO_write(bench.bio, "fghij", 5), 3);
    CU_ASSERT_FALSE(BIO_should_retry(bench.bio));
    CU_ASSERT(BIO_write(bench.bio, "k", 1) <= 0);
    CU_ASSERT(BIO_should_write(bench.bio));
    CU_ASSERT_EQUAL(bench.out_len, 8);
    CU_ASSERT_EQUAL(memcmp(bench.out, "abcdefgh", 8), 0);
    bench.out_len = 0;
    CU_ASSERT_EQUAL(BIO_write(bench.bio, "k", 1), 1);
    CU_ASSERT_EQUAL(BIO_flush(bench.bio), 1);
    BIO_free(bench.bio);
}

static struct vts_tls_ctx *make_ctx(void)
{
    const struct vts_tls_files files = {.cert = scratch_certs_path("server.pem"),
                                        .key = scratch_certs_path("server-key.pem")};
    struct vts_tls_ctx *ctx = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_tls_ctx_new(&files, &ctx, NULL), VTS_OK);
    return ctx;
}

static void check_talk(struct tls_pair *pair)
{
    char bytes[32];

    CU_ASSERT_EQUAL(SSL_write(pair->client, "question", 8), 8);
    tls_pair_exchange(pair);
    CU_ASSERT_EQUAL(SSL_read(pair->server, bytes, sizeof(bytes)), 8);
    CU_ASSERT_EQUAL(memcmp(bytes, "question", 8), 0);
    CU_ASSERT(SSL_read(pair->server, bytes, sizeof(bytes)) <= 0);
    CU_ASSERT_EQUAL(SSL_get_error(pair->server, -1), SSL_ERROR_WANT_READ);
    CU_ASSERT_EQUAL(SSL_write(pair->server, "answer", 6), 6);
    tls_pair_exchange(pair);
    CU_ASSERT_EQUAL(SSL_read(pair->client, bytes, sizeof(bytes)), 6);
    CU_ASSERT_EQUAL(memcmp(bytes, "answer", 6), 0);
}

static void handshake_in_steps_of_any_size_works(void)
{
    static const size_t steps[] = {1, 2, 7, 100, 1400, TLS_PAIR_BYTES};
    static const int versions[] = {TLS1_2_VERSION, TLS1_3_VERSION};
    static struct tls_pair pair;

    for (size_t i = 0; i < VTS_ARRAY_LEN(steps) * VTS_ARRAY_LEN(versions); i++) {
        struct vts_tls_ctx *ctx = make_ctx();
        SSL_CTX *client = tls_client_new(NULL);
        const unsigned char *alpn;
        unsigned alpn_len;

        SSL_CTX_set_max_proto_version(client, versions[i % 2]);
        tls_pair_open(&pair, ctx, client, NULL);
        pair.step_bytes = steps[i / 2];
        CU_ASSERT(tls_pair_shake(&pair));
        CU_ASSERT_EQUAL(SSL_version(pair.server), versions[i % 2]);
        SSL_get0_alpn_selected(pair.server, &alpn, &alpn_len);
        CU_ASSERT(alpn_len == 2 && memcmp(alpn, "h2", 2) == 0);
        check_talk(&pair);
        tls_pair_close(&pair);
        SSL_CTX_free(client);
        vts_tls_ctx_unref(ctx);
    }
}

static void handshake_of_garbage_fails(void)
{
    static const char garbage[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    static struct tls_pair pair;
    struct vts_tls_ctx *ctx = make_ctx();
    SSL_CTX *client = tls_client_new(NULL);

    tls_pair_open(&pair, ctx, client, NULL);
    pair.io.in = garbage;
    pair.io.in_len = sizeof(garbage) - 1;
    CU_ASSERT(SSL_do_handshake(pair.server) <= 0);
    CU_ASSERT_EQUAL(SSL_get_error(pair.server, -1), SSL_ERROR_SSL);
    tls_pair_close(&pair);
    SSL_CTX_free(client);
    vts_tls_ctx_unref(ctx);
}

static const struct vts_test tests[] = {
    {"read_of_nothing_asks_to_retry", read_of_nothing_asks_to_retry},
    {"read_takes_what_is_there_in_parts", read_takes_what_is_there_in_parts},
    {"write_fills_the_room_and_then_asks_to_retry", write_fills_the_room_and_then_asks_to_retry},
    {"handshake_in_steps_of_any_size_works", handshake_in_steps_of_any_size_works},
    {"handshake_of_garbage_fails", handshake_of_garbage_fails},
};

int main(void)
{
    return scratch_certs_run("test_tls_bio", tests, VTS_ARRAY_LEN(tests));
}
