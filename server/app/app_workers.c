/* SPDX-License-Identifier: Apache-2.0 */
/* app_workers.c - makes the worker threads, tells them of reloads and of the end, and takes them
 * down again.
 *
 * Nothing of a worker is touched while its thread runs, but by posts to its loop; certificates on
 * their way to it lie in a box that either side empties in one step.
 */
#include "server/app/app_workers.h"

#include <pthread.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/app/app_signals.h"
#include "server/http/http_server.h"

struct worker {
    struct vts_workers *all;
    struct vts_loop *loop;
    struct vts_http_server *server;
    struct vts_rpc_loop *rpc;
    struct vts_router router;
    pthread_t thread;
    bool has_thread;
    struct vts_tls_ctx *next_tls; /* on its way to the worker */
};

struct vts_workers {
    struct vts_workers_options options;
    struct vts_http_shared shared;
    struct worker *workers;
    struct vts_http_server **servers;
    struct vts_rpc_loop **rpcs;
    unsigned count;
    _Atomic unsigned draining_count; /* workers that still have connections */
};

/* ---- making ------------------------------------------------------------------------------ */

static enum vts_err post_to_loop(void *loop, void (*fn)(void *), void *argument)
{
    return vts_loop_post(loop, fn, argument);
}

static enum vts_err make_worker(struct vts_workers *workers, unsigned index, int fd,
                                struct vts_tls_ctx *tls)
{
    struct worker *worker = &workers->workers[index];
    struct vts_http_handler handler = {vts_router_begin, vts_router_handle, &worker->router};
    enum vts_err err;

    worker->all = workers;
    err = vts_loop_new(&worker->loop);
    if (err == VTS_OK)
        err = vts_rpc_loop_new(workers->options.rpc, post_to_loop, worker->loop, &worker->rpc);
    if (err != VTS_OK) {
        (void)close(fd);
        return err;
    }
    workers->rpcs[index] = worker->rpc;
    worker->rpc->index = index;
    vts_watch_hub_set_loop(workers->options.hub, index, post_to_loop, worker->loop);
    worker->router = (struct vts_router){.routes = workers->options.routes,
                                         .routes_count = workers->options.routes_count,
                                         .rpc = worker->rpc};
    err = vts_http_server_new(worker->loop, &workers->shared, &handler, fd, vts_tls_ctx_ref(tls),
                              &worker->server);
    workers->servers[index] = worker->server;
    return err;
}

static struct vts_workers *make_room(const struct vts_workers_options *options, unsigned count)
{
    struct vts_workers *workers = vts_mem_zalloc(sizeof(*workers));

    if (workers == NULL)
        return NULL;
    workers->options = *options;
    workers->count = 0; /* until there is room for them */
    workers->workers = vts_mem_zalloc(count * sizeof(*workers->workers));
    workers->servers = vts_mem_zalloc(count * sizeof(struct vts_http_server *));
    workers->rpcs = vts_mem_zalloc(count * sizeof(struct vts_rpc_loop *));
    if (workers->workers == NULL || workers->servers == NULL || workers->rpcs == NULL ||
        vts_identities_new(&workers->shared.identities) != VTS_OK) {
        vts_workers_free(workers);
        return NULL;
    }
    workers->count = count;
    workers->shared.limits = options->limits;
    workers->shared.servers = workers->servers;
    workers->shared.servers_count = count;
    return workers;
}

enum vts_err vts_workers_new(const struct vts_workers_options *options, unsigned count,
                             const int fds[], struct vts_tls_ctx *tls,
                             struct vts_workers **ret_workers)
{
    struct vts_workers *workers = make_room(options, count);
    enum vts_err err = workers == NULL ? VTS_ERR_NOMEM : VTS_OK;

    for (unsigned i = 0; i < count; i++) {
        if (err == VTS_OK)
            err = make_worker(workers, i, fds[i], tls);
        else
            (void)close(fds[i]);
    }
    if (err == VTS_OK)
        *ret_workers = workers;
    else
        vts_workers_free(workers);
    return err;
}

enum vts_err vts_workers_listen_insecure(struct vts_workers *workers, const int fds[])
{
    enum vts_err err = VTS_OK;

    for (unsigned i = 0; i < workers->count; i++) {
        if (err == VTS_OK)
            err = vts_http_server_listen_insecure(workers->workers[i].server, fds[i]);
        else
            (void)close(fds[i]);
    }
    return err;
}

static void *run_worker(void *context)
{
    struct worker *worker = context;

    vts_loop_run(worker->loop);
    return NULL;
}

enum vts_err vts_workers_start(struct vts_workers *workers)
{
    for (unsigned i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->workers[i];

        if (pthread_create(&worker->thread, NULL, run_worker, worker) != 0)
            return VTS_ERR_IO;
        worker->has_thread = true;
    }
    return VTS_OK;
}

/* ---- the end ----------------------------------------------------------------------------- */

static void stop_loop(void *loop)
{
    vts_loop_stop(loop);
}

static void join(struct worker *worker)
{
    if (!worker->has_thread)
        return;
    while (vts_loop_post(worker->loop, stop_loop, worker->loop) != VTS_OK)
        (void)vts_signals_wait(vts_clock_now_ns() + VTS_NS_PER_MS); /* no memory just now */
    (void)pthread_join(worker->thread, NULL); /* fails only for a thread that is none */
    worker->has_thread = false;
}

static void free_worker(struct worker *worker)
{
    vts_tls_ctx_unref(worker->next_tls); /* a reload that came too late */
    vts_http_server_stop(worker->server);
    vts_loop_free(worker->loop);
    vts_http_server_free(worker->server);
    vts_rpc_loop_free(worker->rpc);
}

void vts_workers_stop(struct vts_workers *workers)
{
    for (unsigned i = 0; workers != NULL && i < workers->count; i++)
        join(&workers->workers[i]);
}

void vts_workers_free(struct vts_workers *workers)
{
    if (workers == NULL)
        return;
    vts_workers_stop(workers);
    for (unsigned i = 0; i < workers->count; i++)
        free_worker(&workers->workers[i]);
    vts_identities_free(workers->shared.identities);
    vts_mem_free(workers->workers);
    vts_mem_free(workers->servers);
    vts_mem_free(workers->rpcs);
    vts_mem_free(workers);
}

/* ---- certificates ------------------------------------------------------------------------ */

static void adopt_tls(void *context)
{
    struct worker *worker = context;
    struct vts_tls_ctx *tls = __atomic_exchange_n(&worker->next_tls, NULL, __ATOMIC_ACQ_REL);

    if (tls != NULL) /* two reloads may have become one */
        vts_http_server_set_tls(worker->server, tls);
}

void vts_workers_set_tls(struct vts_workers *workers, struct vts_tls_ctx *tls)
{
    for (unsigned i = 0; i < workers->count; i++) {
        struct worker *worker = &workers->workers[i];

        vts_tls_ctx_unref(
            __atomic_exchange_n(&worker->next_tls, vts_tls_ctx_ref(tls), __ATOMIC_ACQ_REL));
        if (vts_loop_post(worker->loop, adopt_tls, worker) != VTS_OK)
            continue; /* the next reload's post brings it */
    }
}

/* ---- draining ---------------------------------------------------------------------------- */

static void on_drained(void *context)
{
    struct vts_workers *workers = context;

    if (atomic_fetch_sub(&workers->draining_count, 1) == 1)
        vts_signals_wake_main();
}

static void drain_worker(void *context)
{
    struct worker *worker = context;

    vts_rpc_loop_drain(worker->rpc); /* first, for GOAWAY waits a while for open requests */
    vts_http_server_drain(worker->server, on_drained, worker->all);
}

enum vts_err vts_workers_drain(struct vts_workers *workers)
{
    enum vts_err err = VTS_OK;

    atomic_store(&workers->draining_count, workers->count);
    for (unsigned i = 0; i < workers->count && err == VTS_OK; i++)
        err = vts_loop_post(workers->workers[i].loop, drain_worker, &workers->workers[i]);
    return err;
}

bool vts_workers_are_drained(const struct vts_workers *workers)
{
    return atomic_load(&workers->draining_count) == 0;
}

/* ---- metrics ----------------------------------------------------------------------------- */

void vts_workers_sum_metrics(const struct vts_workers *workers, uint64_t sums[VTS_METRIC_COUNT])
{
    for (unsigned i = 0; i < workers->count; i++)
        vts_metrics_sum(vts_loop_metrics(workers->workers[i].loop), sums);
}

void vts_workers_write_rpc_metrics(const struct vts_workers *workers, struct vts_buf *buf)
{
    vts_rpc_write_metrics(workers->options.rpc, workers->rpcs, workers->count, buf);
}
