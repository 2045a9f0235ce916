/* SPDX-License-Identifier: Apache-2.0 */
/* h1_bench.c - the server runs in its thread; the test is the client. */
#include "tests/unit/server/http/h1_bench.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <netinet/tcp.h>
#include <openssl/err.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/server/http/h1_acts.h"
#include "tests/unit/server/io/scratch_certs.h"
#include "tests/unit/server/io/tls_pair.h"

enum { PATIENCE_S = 60, RECORD_BYTES = 16 * 1024 };

/* ---- the server ----------------------------------------------------------------------------- */

static void *run_loop(void *bench)
{
    vts_loop_run(((struct h1_bench *)bench)->loop);
    return NULL;
}

static void open_server(struct h1_bench *bench)
{
    const struct vts_tls_files files = {.cert = scratch_certs_path("server.pem"),
                                        .key = scratch_certs_path("server-key.pem")};
    const struct vts_http_handler handler = {h1_acts_begin, h1_acts_handle, bench};
    struct vts_address address;
    int fd = -1;

    bench->shared = (struct vts_http_shared){
        .limits = &bench->limits, .servers = &bench->server, .servers_count = 1};
    CU_ASSERT_EQUAL_FATAL(vts_address_parse("127.0.0.1:0", &address, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_listener_bind(&address, "--listen", 1, &fd, NULL), VTS_OK);
    bench->port = vts_address_port(&address);
    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&bench->loop), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_tls_ctx_new(&files, &bench->tls, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_http_server_new(bench->loop, &bench->shared, &handler, fd,
                                              vts_tls_ctx_ref(bench->tls), &bench->server),
                          VTS_OK);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&bench->thread, NULL, run_loop, bench), 0);
}

struct task {
    struct h1_bench *bench;
    void (*fn)(struct h1_bench *bench);
    sem_t done;
};

static void run_task(void *context)
{
    struct task *task = context;

    task->fn(task->bench);
    (void)sem_post(&task->done); /* fails for an invalid one only */
}

static void await(sem_t *sem)
{
    while (sem_wait(sem) != 0)
        continue; /* interrupted */
}

void h1_bench_run(struct h1_bench *bench, void (*fn)(struct h1_bench *bench))
{
    struct task task = {.bench = bench, .fn = fn};

    CU_ASSERT_EQUAL_FATAL(sem_init(&task.done, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(vts_loop_post(bench->loop, run_task, &task), VTS_OK);
    await(&task.done);
    CU_ASSERT_EQUAL(sem_destroy(&task.done), 0);
}

void h1_bench_await_begin(struct h1_bench *bench)
{
    await(&bench->begun);
}

void h1_bench_await_full(struct h1_bench *bench)
{
    await(&bench->full);
}

void h1_bench_await_close(struct h1_bench *bench)
{
    await(&bench->closed);
}

static void stop_loop(struct h1_bench *bench)
{
    vts_loop_stop(bench->loop);
}

/* ---- the client ----------------------------------------------------------------------------- */

static void connect_client(struct h1_bench *bench)
{
    struct sockaddr_in address = {.sin_family = AF_INET,
                                  .sin_port = htons(bench->port),
                                  .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    struct timeval patience = {.tv_sec = PATIENCE_S};
    int on = 1;

    bench->got_len = 0;
    bench->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_FATAL(bench->fd >= 0);
    CU_ASSERT_EQUAL_FATAL(
        setsockopt(bench->fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience)), 0);
    CU_ASSERT_EQUAL_FATAL(setsockopt(bench->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on)), 0);
    CU_ASSERT_EQUAL_FATAL(connect(bench->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    bench->client = SSL_new(bench->client_ctx);
    CU_ASSERT_FATAL(bench->client != NULL && SSL_set_fd(bench->client, bench->fd) == 1);
    CU_ASSERT_EQUAL_FATAL(SSL_connect(bench->client), 1);
}

void h1_bench_hang_up(struct h1_bench *bench)
{
    SSL_free(bench->client);
    bench->client = NULL;
    CU_ASSERT_EQUAL(close(bench->fd), 0);
}

void h1_bench_reconnect(struct h1_bench *bench)
{
    h1_bench_hang_up(bench);
    connect_client(bench);
}

void h1_bench_open(struct h1_bench *bench, const char *limits)
{
    static const unsigned char alpn[] = "\x08http/1.1";

    if (bench->is_open)
        h1_bench_close(bench);
    memset(bench, 0, sizeof(*bench));
    bench->is_open = true;
    CU_ASSERT_EQUAL_FATAL(sem_init(&bench->begun, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(sem_init(&bench->closed, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(sem_init(&bench->full, 0, 0), 0);
    vts_limits_init(&bench->limits);
    if (limits != NULL)
        CU_ASSERT_EQUAL_FATAL(vts_limits_parse(&bench->limits, limits, NULL), VTS_OK);
    h1_acts_init(bench);
    open_server(bench);
    bench->client_ctx = tls_client_new(NULL);
    CU_ASSERT_EQUAL_FATAL(SSL_CTX_set_alpn_protos(bench->client_ctx, alpn, sizeof(alpn) - 1), 0);
    connect_client(bench);
}

void h1_bench_close(struct h1_bench *bench)
{
    if (bench->client != NULL)
        h1_bench_hang_up(bench);
    h1_bench_run(bench, stop_loop);
    CU_ASSERT_EQUAL_FATAL(pthread_join(bench->thread, NULL), 0);
    vts_http_server_stop(bench->server);
    vts_loop_free(bench->loop);
    vts_http_server_free(bench->server);
    vts_tls_ctx_unref(bench->tls);
    vts_buf_fini(&bench->user.echo);
    SSL_CTX_free(bench->client_ctx);
    bench->is_open = false;
    CU_ASSERT_EQUAL(sem_destroy(&bench->begun), 0);
    CU_ASSERT_EQUAL(sem_destroy(&bench->closed), 0);
    CU_ASSERT_EQUAL(sem_destroy(&bench->full), 0);
}

void h1_bench_send(struct h1_bench *bench, const char *text)
{
    CU_ASSERT_EQUAL_FATAL(SSL_write(bench->client, text, (int)strlen(text)), (int)strlen(text));
}

void h1_bench_post(struct h1_bench *bench, const char *path, const char *body)
{
    char text[4096];

    CU_ASSERT_FATAL((size_t)snprintf(text, sizeof(text),
                                     "POST %s HTTP/1.1\r\nHost: a\r\n"
                                     "Transfer-Encoding: chunked\r\n\r\n%s",
                                     path, body) < sizeof(text));
    h1_bench_send(bench, text);
}

static size_t send_records(struct h1_bench *bench, size_t len)
{
    static char text[RECORD_BYTES]; /* OpenSSL wants a record again from the same place */
    size_t sent = 0;

    memset(text, 'x', sizeof(text));
    ERR_clear_error();
    while (sent < len) {
        size_t part = len - sent < sizeof(text) ? len - sent : sizeof(text);

        if (SSL_write(bench->client, text, (int)part) != (int)part)
            break;
        sent += part;
    }
    return sent;
}

void h1_bench_send_much(struct h1_bench *bench, size_t len)
{
    CU_ASSERT_EQUAL_FATAL(send_records(bench, len), len);
}

size_t h1_bench_flood(struct h1_bench *bench, size_t len)
{
    int flags = fcntl(bench->fd, F_GETFL);
    size_t sent;

    CU_ASSERT_EQUAL(fcntl(bench->fd, F_SETFL, flags | O_NONBLOCK), 0);
    sent = send_records(bench, len);
    CU_ASSERT_EQUAL(fcntl(bench->fd, F_SETFL, flags), 0);
    return sent;
}

/* ---- what comes ----------------------------------------------------------------------------- */

/* Reads more; returns false at the end. */
static bool fill(struct h1_bench *bench)
{
    int len;

    CU_ASSERT_FATAL(bench->got_len < sizeof(bench->got));
    ERR_clear_error();
    len = SSL_read(bench->client, bench->got + bench->got_len,
                   (int)(sizeof(bench->got) - bench->got_len));
    if (len > 0)
        bench->got_len += (size_t)len;
    else
        bench->read_error = SSL_get_error(bench->client, len);
    return len > 0;
}

static void drop(struct h1_bench *bench, size_t len)
{
    CU_ASSERT_FATAL(len <= bench->got_len);
    memmove(bench->got, bench->got + len, bench->got_len - len);
    bench->got_len -= len;
}

void h1_bench_expect(struct h1_bench *bench, const char *text)
{
    size_t len = strlen(text);

    while (bench->got_len < len && fill(bench))
        continue;
    if (bench->got_len < len || memcmp(bench->got, text, len) != 0)
        fprintf(stderr, "expected \"%s\", got \"%.*s\"\n", text, (int)bench->got_len, bench->got);
    CU_ASSERT_FATAL(bench->got_len >= len && memcmp(bench->got, text, len) == 0);
    drop(bench, len);
}

/* The length of what ends with `end`; 0 when the connection ends first. */
static size_t find(struct h1_bench *bench, const char *end)
{
    const char *at;

    do {
        at = memmem(bench->got, bench->got_len, end, strlen(end));
    } while (at == NULL && fill(bench));
    return at == NULL ? 0 : (size_t)(at - bench->got) + strlen(end);
}

static int code_of_head(const struct h1_bench *bench)
{
    return (int)strtol(bench->got + strlen("HTTP/1.1 "), NULL, 10);
}

void h1_bench_expect_head(struct h1_bench *bench, int code, const char *text)
{
    size_t len = find(bench, "\r\n\r\n");
    struct vts_str head = vts_str_make(bench->got, len);
    struct vts_str line;
    char rest[1024];
    size_t rest_len;

    CU_ASSERT_FATAL(len > 0 && len < sizeof(rest));
    CU_ASSERT_EQUAL(code_of_head(bench), code);
    CU_ASSERT(vts_str_split(&head, '\n', &line) && vts_str_starts_with(line, "HTTP/1.1 "));
    CU_ASSERT(vts_str_split(&head, '\n', &line) && vts_str_starts_with(line, "date: "));
    CU_ASSERT_FATAL(head.len >= 2);
    rest_len = head.len - 2; /* without the empty line */
    memcpy(rest, head.ptr, rest_len);
    rest[rest_len] = '\0';
    CU_ASSERT_STRING_EQUAL(rest, text);
    drop(bench, len);
}

int h1_bench_read_code(struct h1_bench *bench)
{
    size_t len = find(bench, "\r\n\r\n");
    int code;

    if (len == 0)
        return -1;
    code = code_of_head(bench);
    drop(bench, len);
    return code;
}

static void drop_data(struct h1_bench *bench, size_t len)
{
    while (len > 0) {
        size_t part = len < bench->got_len ? len : bench->got_len;

        drop(bench, part);
        len -= part;
        CU_ASSERT_FATAL(len == 0 || fill(bench));
    }
}

size_t h1_bench_read_chunks(struct h1_bench *bench, size_t *ret_largest)
{
    size_t total = 0;
    size_t size;

    *ret_largest = 0;
    do {
        size_t len = find(bench, "\r\n");

        CU_ASSERT_FATAL(len > 2);
        size = strtoul(bench->got, NULL, 16);
        drop(bench, len);
        drop_data(bench, size);
        h1_bench_expect(bench, "\r\n");
        *ret_largest = size > *ret_largest ? size : *ret_largest;
        total += size;
    } while (size > 0);
    return total;
}

void h1_bench_expect_end(struct h1_bench *bench, bool is_orderly)
{
    bool has_more = bench->got_len > 0 || fill(bench);

    if (has_more)
        fprintf(stderr, "expected the end, got \"%.*s\"\n", (int)bench->got_len, bench->got);
    CU_ASSERT_FATAL(!has_more);
    CU_ASSERT_NOT_EQUAL(bench->read_error, SSL_ERROR_WANT_READ); /* it only lost its patience */
    CU_ASSERT_EQUAL(bench->read_error == SSL_ERROR_ZERO_RETURN, is_orderly);
}

void h1_bench_expect_end_of_all(struct h1_bench *bench, bool is_orderly)
{
    do {
        bench->got_len = 0;
    } while (fill(bench));
    h1_bench_expect_end(bench, is_orderly);
}
