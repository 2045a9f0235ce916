/* SPDX-License-Identifier: Apache-2.0 */
/* test_transport.c - a socket with TLS from its first byte to its last, against a plain client. */
#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/server/io/descriptors.h"
#include "tests/unit/server/io/scratch_certs.h"
#include "tests/unit/server/io/tls_pair.h"
#include "tests/unit/server/io/transport_bench.h"

static void set_up(struct transport_bench *bench)
{
    int fds[2];

    transport_bench_open(bench);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    transport_bench_connect(bench, fds, bench->tls);
}

/* A client after its handshake. */
static SSL *connect_client(const struct transport_bench *bench, SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);

    CU_ASSERT_FATAL(ssl != NULL && SSL_set_fd(ssl, bench->client_fd) == 1);
    CU_ASSERT_EQUAL_FATAL(SSL_connect(ssl), 1);
    return ssl;
}

static void *ask_and_leave(void *context)
{
    struct transport_bench *bench = context;
    SSL_CTX *ctx = tls_client_new(NULL);
    SSL *ssl = connect_client(bench, ctx);
    char answer[16];

    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(SSL_write(ssl, "question", 8), 8);
        CU_ASSERT_EQUAL(SSL_read(ssl, answer, sizeof(answer)), 8);
        CU_ASSERT_EQUAL(memcmp(answer, "question", 8), 0);
    }
    (void)SSL_shutdown(ssl); /* the answer to it is not waited for */
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_carries_bytes_and_hears_of_the_end(void)
{
    struct transport_bench bench;

    set_up(&bench);
    transport_bench_run(&bench, ask_and_leave);
    CU_ASSERT_STRING_EQUAL(bench.alpn, "h2");
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_PEER);
    transport_bench_close(&bench);
}

static void *ask_and_read_to_the_end(void *context)
{
    struct transport_bench *bench = context;
    SSL_CTX *ctx = tls_client_new(NULL);
    SSL *ssl = connect_client(bench, ctx);
    char answer[16];

    CU_ASSERT_EQUAL(SSL_write(ssl, "question", 8), 8);
    CU_ASSERT_EQUAL(SSL_read(ssl, answer, sizeof(answer)), 8);
    CU_ASSERT_EQUAL(SSL_read(ssl, answer, sizeof(answer)), 0);
    CU_ASSERT_EQUAL(SSL_get_error(ssl, 0), SSL_ERROR_ZERO_RETURN); /* close_notify, not a cut */
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_that_is_closed_says_so_and_awaits_the_peer(void)
{
    struct transport_bench bench;

    set_up(&bench);
    bench.closes = true;
    transport_bench_run(&bench, ask_and_read_to_the_end);
    CU_ASSERT_FALSE(bench.has_ended); /* the owner let go: it hears on_gone only */
    transport_bench_close(&bench);
}

static void transport_that_is_closed_may_be_aborted(void)
{
    struct transport_bench bench;

    set_up(&bench);
    vts_transport_close(bench.transport);
    vts_transport_close(bench.transport);
    CU_ASSERT_EQUAL(bench.gone, 0); /* the peer's end is still to come */
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    CU_ASSERT_FALSE(bench.has_ended);
    transport_bench_close(&bench);
}

static void *send_garbage(void *context)
{
    static const char garbage[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct transport_bench *bench = context;
    char answer[256];

    CU_ASSERT_EQUAL(write(bench->client_fd, garbage, sizeof(garbage) - 1), sizeof(garbage) - 1);
    while (read(bench->client_fd, answer, sizeof(answer)) > 0)
        continue;
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_of_garbage_ends_with_tls(void)
{
    struct transport_bench bench;

    set_up(&bench);
    transport_bench_run(&bench, send_garbage);
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_TLS);
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
    transport_bench_close(&bench);
}

static void *hang_up(void *context)
{
    struct transport_bench *bench = context;

    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_without_handshake_ends_with_the_peer(void)
{
    struct transport_bench bench;

    set_up(&bench);
    CU_ASSERT_FALSE(vts_transport_can_write(bench.transport));
    transport_bench_run(&bench, hang_up);
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_PEER);
    transport_bench_close(&bench);
}

static void transport_knows_what_it_has_not_read(void)
{
    struct transport_bench bench;

    set_up(&bench);
    CU_ASSERT_FALSE(vts_transport_has_unread(bench.transport));
    CU_ASSERT_EQUAL(send(bench.client_fd, "x", 1, 0), 1);
    CU_ASSERT(vts_transport_has_unread(bench.transport));
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    transport_bench_close(&bench);
}

static void transport_that_is_aborted_is_gone_at_once(void)
{
    struct transport_bench bench;

    set_up(&bench);
    vts_transport_abort(bench.transport);
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    CU_ASSERT_FALSE(bench.has_ended);
    transport_bench_close(&bench);
}

/* Reads nothing until the server has stalled. */
static void *take_the_flood_late(void *context)
{
    static char bytes[RECORD_BYTES];
    struct transport_bench *bench = context;
    SSL_CTX *ctx = tls_client_new(NULL);
    SSL *ssl = connect_client(bench, ctx);
    size_t total = 0;
    int len;

    CU_ASSERT_EQUAL(SSL_write(ssl, "more", 4), 4);
    while (sem_wait(&bench->stalled) != 0)
        continue; /* interrupted */
    while (total < FLOOD_BYTES && (len = SSL_read(ssl, bytes, sizeof(bytes))) > 0)
        total += (size_t)len;
    CU_ASSERT_EQUAL(total, FLOOD_BYTES);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_of_a_slow_reader_waits_and_loses_nothing(void)
{
    struct transport_bench bench;

    set_up(&bench);
    bench.flood_left = FLOOD_BYTES;
    transport_bench_run(&bench, take_the_flood_late);
    CU_ASSERT_EQUAL(bench.flood_left, 0);
    CU_ASSERT(bench.has_stalled);
    transport_bench_close(&bench);
}

static void resume_reading(void *context)
{
    struct transport_bench *bench = context;

    CU_ASSERT_EQUAL(bench->taken, FIRST_BYTES); /* and no byte of the flood */
    vts_transport_set_reading(bench->transport, true);
}

static void send_first_bytes(struct transport_bench *bench, SSL *ssl)
{
    static const char zeros[FIRST_BYTES];

    CU_ASSERT_EQUAL(SSL_write(ssl, zeros, FIRST_BYTES), FIRST_BYTES);
    while (sem_wait(&bench->paused) != 0)
        continue; /* interrupted */
}

/* Fills the socket while the server does not read, has it read again, and sends the rest. */
static void *flood_until_it_is_full(void *context)
{
    static const char zeros[RECORD_BYTES];
    struct transport_bench *bench = context;
    SSL_CTX *ctx = tls_client_new(NULL);
    SSL *ssl = connect_client(bench, ctx);
    int flags = fcntl(bench->client_fd, F_GETFL);
    size_t left = FLOOD_BYTES;

    send_first_bytes(bench, ssl);
    CU_ASSERT_EQUAL(fcntl(bench->client_fd, F_SETFL, flags | O_NONBLOCK), 0);
    while (left > 0 && SSL_write(ssl, zeros, RECORD_BYTES) == RECORD_BYTES)
        left -= RECORD_BYTES;
    CU_ASSERT(left > 0);
    CU_ASSERT_EQUAL(fcntl(bench->client_fd, F_SETFL, flags), 0);
    CU_ASSERT_EQUAL(vts_loop_post(bench->loop, resume_reading, bench), VTS_OK);
    for (; left > 0; left -= RECORD_BYTES)
        CU_ASSERT_EQUAL_FATAL(SSL_write(ssl, zeros, RECORD_BYTES), RECORD_BYTES);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_that_does_not_read_takes_nothing(void)
{
    struct transport_bench bench;

    set_up(&bench);
    bench.counts = true;
    transport_bench_run(&bench, flood_until_it_is_full);
    CU_ASSERT_EQUAL(bench.taken, FIRST_BYTES + FLOOD_BYTES);
    transport_bench_close(&bench);
}

static void *send_more_and_leave(void *context)
{
    struct transport_bench *bench = context;
    SSL_CTX *ctx = tls_client_new(NULL);
    SSL *ssl = connect_client(bench, ctx);

    send_first_bytes(bench, ssl);
    CU_ASSERT_EQUAL(SSL_write(ssl, "more", 4), 4);
    SSL_free(ssl);
    SSL_CTX_free(ctx);
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_that_does_not_read_hears_of_the_end(void)
{
    struct transport_bench bench;

    set_up(&bench);
    bench.counts = true;
    transport_bench_run(&bench, send_more_and_leave);
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_PEER);
    CU_ASSERT_EQUAL(bench.taken, FIRST_BYTES);
    transport_bench_close(&bench);
}

static void transport_without_memory_fails_and_closes_its_socket(void)
{
    struct transport_bench bench;
    int fds[2];
    long count = 0;

    set_up(&bench);
    for (;; count++) {
        struct vts_transport *transport = NULL;
        enum vts_err err;

        CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        (void)vts_mem_fail_after(count);
        err = vts_transport_new(bench.loop, fds[0], bench.tls, &transport_bench_ops, &bench,
                                &transport);
        CU_ASSERT_EQUAL(close(fds[1]), 0);
        if (vts_mem_fail_after(-1) == 0) {
            CU_ASSERT_EQUAL_FATAL(err, VTS_OK);
            vts_transport_abort(transport);
            break;
        }
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
        CU_ASSERT_FALSE(descriptor_is_open(fds[0]));
    }
    CU_ASSERT(count >= 1);
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    CU_ASSERT_EQUAL(bench.gone, 2);
    bench.gone = 1;
    transport_bench_close(&bench);
}

static void transport_of_no_pollable_descriptor_fails(void)
{
    struct vts_transport *transport = NULL;
    struct transport_bench bench;
    char path[] = "/tmp/vtstatus-file-XXXXXX";
    int fd = mkstemp(path);

    set_up(&bench);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(unlink(path), 0);
    /* epoll takes no plain files. */
    CU_ASSERT_EQUAL(
        vts_transport_new(bench.loop, fd, bench.tls, &transport_bench_ops, &bench, &transport),
        VTS_ERR_IO);
    CU_ASSERT_FALSE(descriptor_is_open(fd));
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    transport_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"transport_carries_bytes_and_hears_of_the_end", transport_carries_bytes_and_hears_of_the_end},
    {"transport_that_is_closed_says_so_and_awaits_the_peer",
     transport_that_is_closed_says_so_and_awaits_the_peer},
    {"transport_that_is_closed_may_be_aborted", transport_that_is_closed_may_be_aborted},
    {"transport_of_garbage_ends_with_tls", transport_of_garbage_ends_with_tls},
    {"transport_without_handshake_ends_with_the_peer",
     transport_without_handshake_ends_with_the_peer},
    {"transport_knows_what_it_has_not_read", transport_knows_what_it_has_not_read},
    {"transport_that_is_aborted_is_gone_at_once", transport_that_is_aborted_is_gone_at_once},
    {"transport_of_a_slow_reader_waits_and_loses_nothing",
     transport_of_a_slow_reader_waits_and_loses_nothing},
    {"transport_that_does_not_read_takes_nothing", transport_that_does_not_read_takes_nothing},
    {"transport_that_does_not_read_hears_of_the_end",
     transport_that_does_not_read_hears_of_the_end},
    {"transport_without_memory_fails_and_closes_its_socket",
     transport_without_memory_fails_and_closes_its_socket},
    {"transport_of_no_pollable_descriptor_fails", transport_of_no_pollable_descriptor_fails},
};

int main(void)
{
    return scratch_certs_run("test_transport", tests, VTS_ARRAY_LEN(tests));
}
