/* SPDX-License-Identifier: Apache-2.0 */
/* transport_bench.c - an owner that echoes or floods, and the loop it is on. */
#include "tests/unit/server/io/transport_bench.h"

#include <CUnit/CUnit.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "tests/unit/server/io/scratch_certs.h"

static void on_open(void *owner, struct vts_str alpn)
{
    struct transport_bench *bench = owner;

    CU_ASSERT_FATAL(alpn.len < sizeof(bench->alpn));
    memcpy(bench->alpn, alpn.ptr, alpn.len);
}

static void on_data(void *owner, const char *bytes, size_t len)
{
    struct transport_bench *bench = owner;

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

static void write_echo(struct transport_bench *bench)
{
    if (bench->echo_len == 0 || !vts_transport_can_write(bench->transport))
        return;
    CU_ASSERT_EQUAL(vts_transport_write(bench->transport, bench->echo, bench->echo_len), VTS_OK);
    bench->echo_len = 0;
    if (bench->closes)
        vts_transport_close(bench->transport);
}

static void write_flood(struct transport_bench *bench)
{
    static const char zeros[RECORD_BYTES];

    while (bench->flood_left > 0 && vts_transport_can_write(bench->transport)) {
        if (vts_transport_write(bench->transport, zeros, RECORD_BYTES) != VTS_OK) {
            CU_ASSERT(bench->may_break);
            break;
        }
        bench->flood_left -= RECORD_BYTES;
    }
}

static void on_turn(void *owner)
{
    struct transport_bench *bench = owner;

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
    struct transport_bench *bench = owner;

    CU_ASSERT(detail != NULL && detail[0] != '\0');
    bench->has_ended = true;
    bench->end = end;
    (void)sem_post(&bench->stalled); /* as above: nothing more is coming */
    vts_transport_close(bench->transport);
}

/* The loop's turn goes on to its end, so all that close in it are heard of. */
static void on_gone(void *owner)
{
    struct transport_bench *bench = owner;

    bench->gone++;
    vts_loop_stop(bench->loop);
}

const struct vts_transport_ops transport_bench_ops = {.on_open = on_open,
                                                      .on_data = on_data,
                                                      .on_turn = on_turn,
                                                      .on_end = on_end,
                                                      .on_gone = on_gone};

void transport_bench_open(struct transport_bench *bench)
{
    const struct vts_tls_files files = {.cert = scratch_certs_path("server.pem"),
                                        .key = scratch_certs_path("server-key.pem")};

    memset(bench, 0, sizeof(*bench));
    CU_ASSERT_EQUAL_FATAL(sem_init(&bench->stalled, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(sem_init(&bench->paused, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&bench->loop), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_tls_ctx_new(&files, &bench->tls, NULL), VTS_OK);
}

void transport_bench_connect(struct transport_bench *bench, const int fds[2],
                             struct vts_tls_ctx *tls)
{
    int flags = fcntl(fds[0], F_GETFL);

    CU_ASSERT_EQUAL_FATAL(fcntl(fds[0], F_SETFL, flags | O_NONBLOCK), 0);
    bench->client_fd = fds[1];
    CU_ASSERT_EQUAL_FATAL(
        vts_transport_new(bench->loop, fds[0], tls, &transport_bench_ops, bench, &bench->transport),
        VTS_OK);
}

void transport_bench_close(struct transport_bench *bench)
{
    CU_ASSERT_EQUAL(bench->gone, 1);
    CU_ASSERT_EQUAL(close(bench->client_fd), 0);
    CU_ASSERT_EQUAL(sem_destroy(&bench->stalled), 0);
    CU_ASSERT_EQUAL(sem_destroy(&bench->paused), 0);
    vts_loop_free(bench->loop);
    vts_tls_ctx_unref(bench->tls);
}

void transport_bench_run(struct transport_bench *bench, void *(*client)(void *))
{
    pthread_t thread;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, client, bench), 0);
    vts_loop_run(bench->loop);
    CU_ASSERT_EQUAL_FATAL(pthread_join(thread, NULL), 0);
}
