/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_server.c - the runtime put together: one thread a loop, and the main thread, which waits for
 * the end.
 *
 * Signals and the end of stop_fd come to the main thread as readable descriptors; to the loops it
 * speaks by posts only.
 */
#include "tests/interop/rpc_server.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "common/base/assert.h"
#include "server/http/http_server.h"
#include "server/obs/log.h"
#include "server/rpc/router.h"

struct rpc_server;

struct worker {
    struct rpc_server *server;
    struct vts_loop *loop;
    struct vts_rpc_loop *rpc;
    struct vts_router router;
    struct vts_http_server *http;
    pthread_t thread;
    bool has_thread;
};

struct rpc_server {
    const struct rpc_server_options *options;
    struct vts_address listen;
    struct vts_rpc *rpc;
    struct vts_tls_ctx *tls;
    struct vts_http_shared shared;
    struct vts_http_server *http_servers[RPC_SERVER_THREADS_MAX];
    struct worker workers[RPC_SERVER_THREADS_MAX];
    int signal_fd;
    int drained_fd;                  /* an eventfd: readable when the last connection is gone */
    _Atomic unsigned draining_count; /* workers that still have connections */
};

/* ---- workers ----------------------------------------------------------------------------- */

static void *run_worker(void *context)
{
    struct worker *worker = context;

    vts_loop_run(worker->loop);
    return NULL;
}

static enum vts_err post_to_loop(void *loop, void (*fn)(void *), void *argument)
{
    return vts_loop_post(loop, fn, argument);
}

/* Adopts fd. */
static enum vts_err make_worker(struct rpc_server *server, unsigned index, int fd)
{
    struct worker *worker = &server->workers[index];
    struct vts_http_handler handler = {vts_router_begin, vts_router_handle, &worker->router};
    enum vts_err err = vts_loop_new(&worker->loop);

    worker->server = server;
    if (err == VTS_OK)
        err = vts_rpc_loop_new(server->rpc, post_to_loop, worker->loop, &worker->rpc);
    if (err != VTS_OK) {
        (void)close(fd); /* nobody has it */
        return err;
    }
    worker->router = (struct vts_router){.rpc = worker->rpc};
    err = vts_http_server_new(worker->loop, &server->shared, &handler, fd,
                              vts_tls_ctx_ref(server->tls), &worker->http);
    server->http_servers[index] = worker->http;
    return err;
}

static enum vts_err start_workers(struct rpc_server *server, struct vts_error *error)
{
    unsigned count = server->options->threads;
    int fds[RPC_SERVER_THREADS_MAX];
    enum vts_err err = vts_listener_bind(&server->listen, "--listen", count, fds, error);

    if (err != VTS_OK)
        return err;
    server->shared.limits = server->options->rpc.limits;
    server->shared.servers = server->http_servers;
    server->shared.servers_count = count;
    for (unsigned i = 0; i < count; i++) {
        if (err == VTS_OK)
            err = make_worker(server, i, fds[i]);
        else
            (void)close(fds[i]); /* nobody has it */
    }
    for (unsigned i = 0; i < count && err == VTS_OK; i++) {
        struct worker *worker = &server->workers[i];

        worker->has_thread = pthread_create(&worker->thread, NULL, run_worker, worker) == 0;
        err = worker->has_thread ? VTS_OK : VTS_ERR_NOMEM;
    }
    if (err != VTS_OK)
        return vts_error_set(error, err, "cannot start: %s", vts_err_text(err));
    return VTS_OK;
}

static void stop_loop(void *loop)
{
    vts_loop_stop(loop);
}

static void free_worker(struct worker *worker)
{
    if (worker->has_thread) {
        while (vts_loop_post(worker->loop, stop_loop, worker->loop) != VTS_OK)
            (void)poll(NULL, 0, 1);               /* no memory just now */
        (void)pthread_join(worker->thread, NULL); /* fails only for a thread that is none */
    }
    vts_http_server_stop(worker->http);
    vts_loop_free(worker->loop);
    vts_http_server_free(worker->http);
    vts_rpc_loop_free(worker->rpc);
}

/* ---- waiting ----------------------------------------------------------------------------- */

static enum vts_err catch_signals(struct rpc_server *server)
{
    sigset_t set;

    (void)sigemptyset(&set); /* these fail for invalid numbers only */
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)pthread_sigmask(SIG_BLOCK, &set, NULL); /* fails for an invalid `how` only */
    (void)signal(SIGPIPE, SIG_IGN);
    server->signal_fd = signalfd(-1, &set, SFD_CLOEXEC);
    server->drained_fd = eventfd(0, EFD_CLOEXEC);
    return server->signal_fd < 0 || server->drained_fd < 0 ? VTS_ERR_IO : VTS_OK;
}

/* Takes one signal, which is there or waited for. */
static void take_signal(struct rpc_server *server)
{
    struct signalfd_siginfo info; /* which one it is does not matter */

    while (read(server->signal_fd, &info, sizeof(info)) < 0 && errno == EINTR)
        continue;
}

/* Whether other_fd became ready, and not a signal, which is taken. */
static bool wait_beside_signals(struct rpc_server *server, int other_fd)
{
    struct pollfd fds[] = {{.fd = server->signal_fd, .events = POLLIN},
                           {.fd = other_fd, .events = POLLIN}};

    while (poll(fds, 2, -1) < 0)
        continue; /* a signal that is not blocked */
    if ((fds[0].revents & POLLIN) == 0)
        return true;
    take_signal(server);
    return false;
}

/* Whether the other end of fd is closed; otherwise takes what it said. */
static bool is_closed(int fd)
{
    char unread[256];

    return read(fd, unread, sizeof(unread)) <= 0;
}

static void wait_for_the_end(struct rpc_server *server)
{
    int stop_fd = server->options->stop_fd;

    while (wait_beside_signals(server, stop_fd) && !is_closed(stop_fd))
        continue;
}

/* ---- stopping ---------------------------------------------------------------------------- */

static void on_drained(void *context)
{
    struct rpc_server *server = context;
    uint64_t one = 1;

    if (atomic_fetch_sub(&server->draining_count, 1) > 1)
        return;
    while (write(server->drained_fd, &one, sizeof(one)) < 0 && errno == EINTR)
        continue;
}

static void drain_worker(void *context)
{
    struct worker *worker = context;

    vts_rpc_loop_drain(worker->rpc);
    vts_http_server_drain(worker->http, on_drained, worker->server);
}

static void drain(struct rpc_server *server)
{
    unsigned count = server->options->threads;

    atomic_store(&server->draining_count, count);
    for (unsigned i = 0; i < count; i++)
        if (vts_loop_post(server->workers[i].loop, drain_worker, &server->workers[i]) != VTS_OK)
            return; /* without memory we cannot be polite */
    (void)wait_beside_signals(server, server->drained_fd);
}

/* ---- the whole --------------------------------------------------------------------------- */

static void log_listening(const struct rpc_server *server)
{
    struct vts_log_line line;
    char address[VTS_ADDRESS_TEXT_BYTES];

    vts_address_format(&server->listen, address);
    vts_log_begin(&line, VTS_LOG_INFO, "listening");
    vts_log_str(&line, "address", vts_str_of(address));
    vts_log_int(&line, "port", vts_address_port(&server->listen));
    vts_log_int(&line, "threads", server->options->threads);
    vts_log_end(&line);
}

static enum vts_err serve(struct rpc_server *server, struct vts_error *error)
{
    const struct rpc_server_options *options = server->options;
    enum vts_err err = start_workers(server, error);

    if (err != VTS_OK)
        return err;
    log_listening(server);
    if (options->on_listening != NULL)
        err = options->on_listening(options->context, vts_address_port(&server->listen), error);
    if (err != VTS_OK)
        return err;
    wait_for_the_end(server);
    drain(server);
    return VTS_OK;
}

static void close_fd(int fd)
{
    if (fd >= 0)
        (void)close(fd); /* nothing was written that could be lost */
}

enum vts_err rpc_server_run(const struct rpc_server_options *options, struct vts_error *error)
{
    struct rpc_server server = {
        .options = options, .listen = options->listen, .signal_fd = -1, .drained_fd = -1};
    enum vts_err err;

    VTS_ASSERT(options->threads >= 1 && options->threads <= RPC_SERVER_THREADS_MAX);
    err = catch_signals(&server);
    if (err != VTS_OK)
        (void)vts_error_set(error, err, "cannot wait for signals");
    if (err == VTS_OK)
        err = vts_tls_ctx_new(&options->tls, &server.tls, error);
    if (err == VTS_OK)
        err = vts_rpc_new(&options->rpc, &server.rpc, error);
    if (err == VTS_OK)
        err = serve(&server, error);
    for (unsigned i = 0; i < options->threads; i++)
        free_worker(&server.workers[i]);
    vts_rpc_free(server.rpc);
    vts_tls_ctx_unref(server.tls);
    close_fd(server.signal_fd);
    close_fd(server.drained_fd);
    return err;
}
