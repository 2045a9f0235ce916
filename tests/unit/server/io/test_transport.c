/* SPDX-License-Identifier: Apache-2.0 */
/* test_transport.c - a socket with TLS from its first byte to its last, against a plain client. */
#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <openssl/err.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "server/io/transport.h"
#include "tests/unit/server/io/descriptors.h"
#include "tests/unit/server/io/scratch_certs.h"
#include "tests/unit/server/io/tls_pair.h"

enum { RECORD_BYTES = 16 * 1024, FLOOD_BYTES = 8 * 1024 * 1024, FIRST_BYTES = 100 };

/* The owner of a transport: an echo server, unless the test wants a flood, of either side. */
struct bench {
    struct vts_loop *loop;
    struct vts_tls_ctx *tls;
    struct vts_transport *transport;
    int client_fd; /* blocking */
    size_t flood_left;
    bool has_stalled;
    sem_t stalled;
    bool closes; /* after the echo */
    bool counts; /* the input, and stops reading at its first bytes */
    size_t taken;
    sem_t paused;
    char echo[64];
    size_t echo_len;
    char alpn[16];
    bool has_ended;
    enum vts_transport_end end;
    unsigned gone;
};

static void on_open(void *owner, struct vts_str alpn)
{
    struct bench *bench = owner;

    CU_ASSERT_FATAL(alpn.len < sizeof(bench->alpn));
    memcpy(bench->alpn, alpn.ptr, alpn.len);
}

static void on_data(void *owner, const char *bytes, size_t len)
{
    struct bench *bench = owner;

    if (bench->counts) {
        if (bench->taken == 0) {
            vts_transport_set_reading(bench->transport, false);
            (void)sem_post(&bench->paused); /* fails for an invalid one only */
        }
        bench->taken += len;
        return;
    }
    CU_ASSERT_FATAL(bench->echo_len + len <= sizeof(bench->echo));
    memcpy(bench->echo + bench->echo_len, bytes, len);
    bench->echo_len += len;
}

static void write_echo(struct bench *bench)
{
    if (bench->echo_len == 0 || !vts_transport_can_write(bench->transport))
        return;
    CU_ASSERT_EQUAL(vts_transport_write(bench->transport, bench->echo, bench->echo_len), VTS_OK);
    bench->echo_len = 0;
    if (bench->closes)
        vts_transport_close(bench->transport);
}

static void write_flood(struct bench *bench)
{
    static const char zeros[RECORD_BYTES];

    while (bench->flood_left > 0 && vts_transport_can_write(bench->transport)) {
        CU_ASSERT_EQUAL(vts_transport_write(bench->transport, zeros, RECORD_BYTES), VTS_OK);
        bench->flood_left -= RECORD_BYTES;
    }
}

static void on_turn(void *owner)
{
    struct bench *bench = owner;

    write_flood(bench);
    write_echo(bench);
    vts_transport_flush(bench->transport);
    if (vts_transport_stalled_since_ns(bench->transport) != 0 && !bench->has_stalled) {
        bench->has_stalled = true;
        CU_ASSERT_FALSE(vts_transport_can_write(bench->transport));
        (void)sem_post(&bench->stalled); /* fails for an invalid one only */
    }
}

static void on_end(void *owner, enum vts_transport_end end, const char *detail)
{
    struct bench *bench = owner;

    CU_ASSERT(detail != NULL && detail[0] != '\0');
    bench->has_ended = true;
    bench->end = end;
    vts_transport_close(bench->transport);
}

/* The loop's turn goes on to its end, so all that close in it are heard of. */
static void on_gone(void *owner)
{
    struct bench *bench = owner;

    bench->gone++;
    vts_loop_stop(bench->loop);
}

static const struct vts_transport_ops bench_ops = {.on_open = on_open,
                                                   .on_data = on_data,
                                                   .on_turn = on_turn,
                                                   .on_end = on_end,
                                                   .on_gone = on_gone};

static void set_up(struct bench *bench)
{
    const struct vts_tls_files files = {.cert = scratch_certs_path("server.pem"),
                                        .key = scratch_certs_path("server-key.pem")};
    int fds[2];
    int flags;

    memset(bench, 0, sizeof(*bench));
    CU_ASSERT_EQUAL_FATAL(sem_init(&bench->stalled, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(sem_init(&bench->paused, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&bench->loop), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_tls_ctx_new(&files, &bench->tls, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
    flags = fcntl(fds[0], F_GETFL);
    CU_ASSERT_EQUAL_FATAL(fcntl(fds[0], F_SETFL, flags | O_NONBLOCK), 0);
    bench->client_fd = fds[1];
    CU_ASSERT_EQUAL_FATAL(
        vts_transport_new(bench->loop, fds[0], bench->tls, &bench_ops, bench, &bench->transport),
        VTS_OK);
}

static void tear_down(struct bench *bench)
{
    CU_ASSERT_EQUAL(bench->gone, 1);
    CU_ASSERT_EQUAL(close(bench->client_fd), 0);
    CU_ASSERT_EQUAL(sem_destroy(&bench->stalled), 0);
    CU_ASSERT_EQUAL(sem_destroy(&bench->paused), 0);
    vts_loop_free(bench->loop);
    vts_tls_ctx_unref(bench->tls);
}

/* Runs the loop here and the client in a thread of its own, both to the end. */
static void run_with_client(struct bench *bench, void *(*client)(void *))
{
    pthread_t thread;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, client, bench), 0);
    vts_loop_run(bench->loop);
    CU_ASSERT_EQUAL_FATAL(pthread_join(thread, NULL), 0);
}

/* A client after its handshake. */
static SSL *connect_client(const struct bench *bench, SSL_CTX *ctx)
{
    SSL *ssl = SSL_new(ctx);

    CU_ASSERT_FATAL(ssl != NULL && SSL_set_fd(ssl, bench->client_fd) == 1);
    CU_ASSERT_EQUAL_FATAL(SSL_connect(ssl), 1);
    return ssl;
}

static void *ask_and_leave(void *context)
{
    struct bench *bench = context;
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
    struct bench bench;

    set_up(&bench);
    run_with_client(&bench, ask_and_leave);
    CU_ASSERT_STRING_EQUAL(bench.alpn, "h2");
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_PEER);
    tear_down(&bench);
}

static void *ask_and_read_to_the_end(void *context)
{
    struct bench *bench = context;
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
    struct bench bench;

    set_up(&bench);
    bench.closes = true;
    run_with_client(&bench, ask_and_read_to_the_end);
    CU_ASSERT_FALSE(bench.has_ended); /* the owner let go: it hears on_gone only */
    tear_down(&bench);
}

static void transport_that_is_closed_may_be_aborted(void)
{
    struct bench bench;

    set_up(&bench);
    vts_transport_close(bench.transport);
    vts_transport_close(bench.transport);
    CU_ASSERT_EQUAL(bench.gone, 0); /* the peer's end is still to come */
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    CU_ASSERT_FALSE(bench.has_ended);
    tear_down(&bench);
}

static void *send_garbage(void *context)
{
    static const char garbage[] = "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n";
    struct bench *bench = context;
    char answer[256];

    CU_ASSERT_EQUAL(write(bench->client_fd, garbage, sizeof(garbage) - 1), sizeof(garbage) - 1);
    while (read(bench->client_fd, answer, sizeof(answer)) > 0)
        continue;
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_of_garbage_ends_with_tls(void)
{
    struct bench bench;

    set_up(&bench);
    run_with_client(&bench, send_garbage);
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_TLS);
    CU_ASSERT_EQUAL(ERR_peek_error(), 0);
    tear_down(&bench);
}

static void *hang_up(void *context)
{
    struct bench *bench = context;

    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void transport_without_handshake_ends_with_the_peer(void)
{
    struct bench bench;

    set_up(&bench);
    CU_ASSERT_FALSE(vts_transport_can_write(bench.transport));
    run_with_client(&bench, hang_up);
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_PEER);
    tear_down(&bench);
}

static void transport_knows_what_it_has_not_read(void)
{
    struct bench bench;

    set_up(&bench);
    CU_ASSERT_FALSE(vts_transport_has_unread(bench.transport));
    CU_ASSERT_EQUAL(send(bench.client_fd, "x", 1, 0), 1);
    CU_ASSERT(vts_transport_has_unread(bench.transport));
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    tear_down(&bench);
}

static void transport_that_is_aborted_is_gone_at_once(void)
{
    struct bench bench;

    set_up(&bench);
    vts_transport_abort(bench.transport);
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    CU_ASSERT_FALSE(bench.has_ended);
    tear_down(&bench);
}

/* Reads nothing until the server has stalled. */
static void *take_the_flood_late(void *context)
{
    static char bytes[RECORD_BYTES];
    struct bench *bench = context;
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
    struct bench bench;

    set_up(&bench);
    bench.flood_left = FLOOD_BYTES;
    run_with_client(&bench, take_the_flood_late);
    CU_ASSERT_EQUAL(bench.flood_left, 0);
    CU_ASSERT(bench.has_stalled);
    tear_down(&bench);
}

static void resume_reading(void *context)
{
    struct bench *bench = context;

    CU_ASSERT_EQUAL(bench->taken, FIRST_BYTES); /* and no byte of the flood */
    vts_transport_set_reading(bench->transport, true);
}

static void send_first_bytes(struct bench *bench, SSL *ssl)
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
    struct bench *bench = context;
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
    struct bench bench;

    set_up(&bench);
    bench.counts = true;
    run_with_client(&bench, flood_until_it_is_full);
    CU_ASSERT_EQUAL(bench.taken, FIRST_BYTES + FLOOD_BYTES);
    tear_down(&bench);
}

static void *send_more_and_leave(void *context)
{
    struct bench *bench = context;
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
    struct bench bench;

    set_up(&bench);
    bench.counts = true;
    run_with_client(&bench, send_more_and_leave);
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_PEER);
    CU_ASSERT_EQUAL(bench.taken, FIRST_BYTES);
    tear_down(&bench);
}

static void transport_without_memory_fails_and_closes_its_socket(void)
{
    struct bench bench;
    int fds[2];
    long count = 0;

    set_up(&bench);
    for (;; count++) {
        struct vts_transport *transport = NULL;
        enum vts_err err;

        CU_ASSERT_EQUAL_FATAL(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
        (void)vts_mem_fail_after(count);
        err = vts_transport_new(bench.loop, fds[0], bench.tls, &bench_ops, &bench, &transport);
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
    tear_down(&bench);
}

static void transport_of_no_pollable_descriptor_fails(void)
{
    struct vts_transport *transport = NULL;
    struct bench bench;
    char path[] = "/tmp/vtstatus-file-XXXXXX";
    int fd = mkstemp(path);

    set_up(&bench);
    CU_ASSERT_FATAL(fd >= 0);
    CU_ASSERT_EQUAL(unlink(path), 0);
    /* epoll takes no plain files. */
    CU_ASSERT_EQUAL(vts_transport_new(bench.loop, fd, bench.tls, &bench_ops, &bench, &transport),
                    VTS_ERR_IO);
    CU_ASSERT_FALSE(descriptor_is_open(fd));
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    tear_down(&bench);
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
