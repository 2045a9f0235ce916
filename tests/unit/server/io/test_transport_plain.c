/* SPDX-License-Identifier: Apache-2.0 */
/* test_transport_plain.c - a socket without TLS from its first byte to its last. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tests/unit/server/io/descriptors.h"
#include "tests/unit/server/io/scratch_certs.h"
#include "tests/unit/server/io/transport_bench.h"

/* Two ends of TCP over loopback, which, unlike others, can be reset. */
static void pair_by_tcp(int ret_fds[2])
{
    struct sockaddr_in address = {.sin_family = AF_INET};
    socklen_t len = sizeof(address);
    int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    CU_ASSERT_EQUAL_FATAL(bind(listener, (struct sockaddr *)&address, len), 0);
    CU_ASSERT_EQUAL_FATAL(listen(listener, 1), 0);
    CU_ASSERT_EQUAL_FATAL(getsockname(listener, (struct sockaddr *)&address, &len), 0);
    ret_fds[1] = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    CU_ASSERT_EQUAL_FATAL(connect(ret_fds[1], (struct sockaddr *)&address, len), 0);
    ret_fds[0] = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    CU_ASSERT_FATAL(ret_fds[0] >= 0);
    CU_ASSERT_EQUAL(close(listener), 0);
}

static void set_up_plain(struct transport_bench *bench)
{
    int fds[2];

    transport_bench_open(bench);
    pair_by_tcp(fds);
    transport_bench_connect(bench, fds, NULL);
}

static void *ask_plainly_and_leave(void *context)
{
    struct transport_bench *bench = context;
    char answer[16];

    for (int i = 0; i < 3; i++) {
        CU_ASSERT_EQUAL(write(bench->client_fd, "question", 8), 8);
        CU_ASSERT_EQUAL(recv(bench->client_fd, answer, 8, MSG_WAITALL), 8);
        CU_ASSERT_EQUAL(memcmp(answer, "question", 8), 0);
    }
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_WR), 0);
    CU_ASSERT_EQUAL(read(bench->client_fd, answer, sizeof(answer)), 0);
    return NULL;
}

static void plain_transport_is_open_from_the_start_and_carries_bytes(void)
{
    char name[VTS_PEER_NAME_BYTES];
    struct transport_bench bench;

    set_up_plain(&bench);
    CU_ASSERT(vts_transport_can_write(bench.transport));
    CU_ASSERT_FALSE(vts_transport_peer_name(bench.transport, name));
    CU_ASSERT_STRING_EQUAL(vts_transport_tls_version(bench.transport), "none");
    transport_bench_run(&bench, ask_plainly_and_leave);
    CU_ASSERT_STRING_EQUAL(bench.alpn, ""); /* on_open is not called */
    CU_ASSERT(bench.has_ended);
    CU_ASSERT_EQUAL(bench.end, VTS_TRANSPORT_END_PEER);
    transport_bench_close(&bench);
}

static void *ask_plainly_and_read_to_the_end(void *context)
{
    struct transport_bench *bench = context;
    char answer[16];

    CU_ASSERT_EQUAL(write(bench->client_fd, "question", 8), 8);
    CU_ASSERT_EQUAL(recv(bench->client_fd, answer, 8, MSG_WAITALL), 8);
    CU_ASSERT_EQUAL(read(bench->client_fd, answer, sizeof(answer)), 0);
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_WR), 0);
    return NULL;
}

static void plain_transport_that_is_closed_awaits_the_peer(void)
{
    struct transport_bench bench;

    set_up_plain(&bench);
    bench.closes = true;
    transport_bench_run(&bench, ask_plainly_and_read_to_the_end);
    CU_ASSERT_FALSE(bench.has_ended);
    transport_bench_close(&bench);
}

static void plain_transport_that_is_aborted_is_reset(void)
{
    struct transport_bench bench;
    char byte;

    set_up_plain(&bench);
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    CU_ASSERT_EQUAL(read(bench.client_fd, &byte, 1), -1);
    CU_ASSERT_EQUAL(errno, ECONNRESET);
    transport_bench_close(&bench);
}

/* The last answer, which is whole, is not lost when the peer's end does not come. */
static void plain_transport_that_is_closed_and_then_aborted_is_not_reset(void)
{
    struct transport_bench bench;
    char answer[8];

    set_up_plain(&bench);
    CU_ASSERT_EQUAL(vts_transport_write(bench.transport, "answer", 6), VTS_OK);
    vts_transport_close(bench.transport);
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    CU_ASSERT_EQUAL(recv(bench.client_fd, answer, 6, MSG_WAITALL), 6);
    CU_ASSERT_EQUAL(memcmp(answer, "answer", 6), 0);
    CU_ASSERT_EQUAL(read(bench.client_fd, answer, 1), 0);
    transport_bench_close(&bench);
}

static void *take_the_plain_flood_late(void *context)
{
    static char bytes[RECORD_BYTES];
    struct transport_bench *bench = context;
    size_t total = 0;
    ssize_t len;

    CU_ASSERT_EQUAL(write(bench->client_fd, "more", 4), 4);
    while (sem_wait(&bench->stalled) != 0)
        continue; /* interrupted */
    while (total < FLOOD_BYTES + 4 && (len = read(bench->client_fd, bytes, sizeof(bytes))) > 0)
        total += (size_t)len;
    CU_ASSERT_EQUAL(total, FLOOD_BYTES + 4); /* and the echo */
    CU_ASSERT_EQUAL(shutdown(bench->client_fd, SHUT_RDWR), 0);
    return NULL;
}

static void plain_transport_of_a_slow_reader_waits_and_loses_nothing(void)
{
    struct transport_bench bench;

    set_up_plain(&bench);
    bench.flood_left = FLOOD_BYTES;
    transport_bench_run(&bench, take_the_plain_flood_late);
    CU_ASSERT_EQUAL(bench.flood_left, 0);
    CU_ASSERT(bench.has_stalled);
    transport_bench_close(&bench);
}

static void plain_transport_without_memory_fails_and_closes_its_socket(void)
{
    struct vts_transport *transport = NULL;
    struct transport_bench bench;
    int fds[2];

    set_up_plain(&bench);
    pair_by_tcp(fds);
    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(
        vts_transport_new(bench.loop, fds[0], NULL, &transport_bench_ops, &bench, &transport),
        VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_FALSE(descriptor_is_open(fds[0]));
    CU_ASSERT_EQUAL(close(fds[1]), 0);
    vts_transport_abort(bench.transport);
    vts_loop_run(bench.loop);
    transport_bench_close(&bench);
}

/* Reads nothing until output was lost, which must not look like all there was. */
static void *read_late_until_it_breaks(void *context)
{
    static char bytes[RECORD_BYTES];
    struct transport_bench *bench = context;
    ssize_t len;

    CU_ASSERT_EQUAL(write(bench->client_fd, "more", 4), 4);
    while (sem_wait(&bench->stalled) != 0)
        continue; /* interrupted */
    do
        len = read(bench->client_fd, bytes, sizeof(bytes));
    while (len > 0);
    CU_ASSERT_EQUAL(len, -1);
    CU_ASSERT_EQUAL(errno, ECONNRESET);
    return NULL;
}

static void plain_transport_that_loses_output_is_reset(void)
{
    struct transport_bench bench;

    set_up_plain(&bench);
    bench.flood_left = FLOOD_BYTES;
    bench.may_break = true;
    (void)vts_mem_fail_after(0); /* what the socket refuses cannot be kept */
    transport_bench_run(&bench, read_late_until_it_breaks);
    CU_ASSERT(vts_mem_fail_after(-1) > 0);
    CU_ASSERT(bench.has_ended);
    transport_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"plain_transport_is_open_from_the_start_and_carries_bytes",
     plain_transport_is_open_from_the_start_and_carries_bytes},
    {"plain_transport_that_is_closed_awaits_the_peer",
     plain_transport_that_is_closed_awaits_the_peer},
    {"plain_transport_that_is_aborted_is_reset", plain_transport_that_is_aborted_is_reset},
    {"plain_transport_that_is_closed_and_then_aborted_is_not_reset",
     plain_transport_that_is_closed_and_then_aborted_is_not_reset},
    {"plain_transport_of_a_slow_reader_waits_and_loses_nothing",
     plain_transport_of_a_slow_reader_waits_and_loses_nothing},
    {"plain_transport_without_memory_fails_and_closes_its_socket",
     plain_transport_without_memory_fails_and_closes_its_socket},
    {"plain_transport_that_loses_output_is_reset", plain_transport_that_loses_output_is_reset},
};

int main(void)
{
    return scratch_certs_run("test_transport_plain", tests, VTS_ARRAY_LEN(tests));
}
