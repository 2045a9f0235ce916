/* SPDX-License-Identifier: Apache-2.0 */
/* A transport on its loop, and its owner: what the programs that test transports share. */
#ifndef VTS_TESTS_TRANSPORT_BENCH_H
#define VTS_TESTS_TRANSPORT_BENCH_H

#include <semaphore.h>
#include <stdbool.h>

#include "server/io/transport.h"

enum { RECORD_BYTES = 16 * 1024, FLOOD_BYTES = 8 * 1024 * 1024, FIRST_BYTES = 100 };

/* The owner of a transport: an echo server, unless the test wants a flood, of either side. */
struct transport_bench {
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
    bool may_break; /* output may be lost */
    bool has_ended;
    enum vts_transport_end end;
    unsigned gone;
};

extern const struct vts_transport_ops transport_bench_ops;

/* All but the transport and its peer. */
void transport_bench_open(struct transport_bench *bench);
/* The transport on fds[0], with tls or NULL; fds[1] is the client's. */
void transport_bench_connect(struct transport_bench *bench, const int fds[2],
                             struct vts_tls_ctx *tls);
/* After the transport is gone. */
void transport_bench_close(struct transport_bench *bench);
/* Runs the loop here and the client in a thread of its own, both to the end. */
void transport_bench_run(struct transport_bench *bench, void *(*client)(void *));

#endif
