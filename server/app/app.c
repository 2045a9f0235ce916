/* SPDX-License-Identifier: Apache-2.0 */
/* app.c - the object graph and the main thread.
 *
 * Each worker thread has a loop with its own listener and connections. The main thread plays the
 * simulated job and waits for signals; to the workers it speaks by posts only.
 */
#include "server/app/app.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "descriptor_set.h"
#include "server/app/app_signals.h"
#include "server/app/resources.h"
#include "server/http/http_server.h"
#include "server/jobs/board.h"
#include "server/rpc/router.h"
#include "server/service/health_service.h"
#include "server/service/metrics_service.h"
#include "server/service/status_service.h"

enum { ROUTES = 5, SERVICES = 1 };

static const int64_t publish_retry_ns = (int64_t)100 * VTS_NS_PER_MS;

struct app;

struct worker {
    struct app *app;
    struct vts_loop *loop;
    struct vts_http_server *server;
    struct vts_rpc_loop *rpc;
    struct vts_router router;
    pthread_t thread;
    bool has_thread;
    struct vts_tls_ctx *next_tls; /* on its way to the worker */
};

struct app {
    struct vts_config *config;
    struct vts_board *board;
    struct vts_watch_hub *hub;
    struct vts_simulation simulation;
    bool is_unpublished; /* the simulation's last step, for lack of memory */
    struct vts_health health;
    struct vts_metrics_source metrics_source;
    struct vts_metrics main_metrics; /* what the main thread counts */
    struct vts_route routes[ROUTES];
    struct vts_service_row services[SERVICES];
    struct vts_rpc *rpc;
    struct vts_http_shared shared;
    struct worker *workers;
    struct vts_http_server **servers;
    unsigned workers_count;
    _Atomic unsigned draining_count; /* workers that still have connections */
};

/* ---- metrics and routes ------------------------------------------------------------------ */

static void write_metrics(void *context, struct vts_buf *buf)
{
    const struct app *app = context;
    uint64_t sums[VTS_METRIC_COUNT] = {0};

    vts_metrics_sum(&app->main_metrics, sums);
    for (unsigned i = 0; i < app->workers_count; i++)
        vts_metrics_sum(vts_loop_metrics(app->workers[i].loop), sums);
    vts_metrics_write(buf, sums);
    vts_limits_write_metrics(&app->config->limits, buf);
}

static void make_routes(struct app *app)
{
    const struct vts_route routes[ROUTES] = {
        {"/status", "GET, HEAD", VTS_ROUTES_READ, vts_status_service_get, app->board},
        {"/status/", "GET, HEAD", VTS_ROUTES_READ, vts_status_service_get, app->board},
        {"/healthz", "GET, HEAD", VTS_ROUTES_READ, vts_health_service_live, &app->health},
        {"/readyz", "GET, HEAD", VTS_ROUTES_READ, vts_health_service_ready, &app->health},
        {"/metrics", "GET, HEAD", VTS_ROUTES_READ, vts_metrics_service_get, &app->metrics_source},
    };

    memcpy(app->routes, routes, sizeof(routes));
}

static enum vts_err make_services(struct app *app, struct vts_error *error)
{
    struct vts_rpc_options options = {
        .descriptor_set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len),
        .services = app->services,
        .services_count = SERVICES,
        .limits = &app->config->limits,
        .origins = app->config->allow_origin,
    };

    app->services[0] = vts_status_service_row(app->hub);
    return vts_rpc_new(&options, &app->rpc, error);
}

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

static enum vts_err make_worker(struct app *app, unsigned index, int fd, struct vts_tls_ctx *tls)
{
    struct worker *worker = &app->workers[index];
    struct vts_http_handler handler = {vts_router_begin, vts_router_handle, &worker->router};
    enum vts_err err;

    worker->app = app;
    err = vts_loop_new(&worker->loop);
    if (err == VTS_OK)
        err = vts_rpc_loop_new(app->rpc, post_to_loop, worker->loop, &worker->rpc);
    if (err != VTS_OK) {
        (void)close(fd);
        return err;
    }
    worker->rpc->index = index;
    vts_watch_hub_set_loop(app->hub, index, post_to_loop, worker->loop);
    worker->router =
        (struct vts_router){.routes = app->routes, .routes_count = ROUTES, .rpc = worker->rpc};
    err = vts_http_server_new(worker->loop, &app->shared, &handler, fd, vts_tls_ctx_ref(tls),
                              &worker->server);
    app->servers[index] = worker->server;
    return err;
}

static enum vts_err make_workers(struct app *app, const int fds[], struct vts_tls_ctx *tls)
{
    unsigned count = app->config->threads;
    enum vts_err err = VTS_OK;

    app->shared.limits = &app->config->limits;
    app->shared.servers = app->servers;
    app->shared.servers_count = count;
    for (unsigned i = 0; i < count; i++) {
        if (err == VTS_OK)
            err = make_worker(app, i, fds[i], tls);
        else
            (void)close(fds[i]);
    }
    return err;
}

static enum vts_err start_workers(struct app *app)
{
    for (unsigned i = 0; i < app->workers_count; i++) {
        struct worker *worker = &app->workers[i];

        if (pthread_create(&worker->thread, NULL, run_worker, worker) != 0)
            return VTS_ERR_IO;
        worker->has_thread = true;
    }
    return VTS_OK;
}

static void stop_loop(void *loop)
{
    vts_loop_stop(loop);
}

static void join_workers(struct app *app)
{
    for (unsigned i = 0; i < app->workers_count; i++) {
        struct worker *worker = &app->workers[i];

        if (!worker->has_thread)
            continue;
        while (vts_loop_post(worker->loop, stop_loop, worker->loop) != VTS_OK)
            (void)vts_signals_wait(vts_clock_now_ns() + VTS_NS_PER_MS); /* no memory just now */
        (void)pthread_join(worker->thread, NULL); /* fails only for a thread that is none */
        worker->has_thread = false;
    }
}

static void free_workers(struct app *app)
{
    join_workers(app);
    for (unsigned i = 0; i < app->workers_count; i++) {
        vts_tls_ctx_unref(app->workers[i].next_tls); /* a reload that came too late */
        vts_http_server_stop(app->workers[i].server);
        vts_loop_free(app->workers[i].loop);
        vts_http_server_free(app->workers[i].server);
        vts_rpc_loop_free(app->workers[i].rpc);
    }
    vts_mem_free(app->workers);
    vts_mem_free(app->servers);
}

/* ---- certificates ------------------------------------------------------------------------ */

static void adopt_tls(void *context)
{
    struct worker *worker = context;
    struct vts_tls_ctx *tls = __atomic_exchange_n(&worker->next_tls, NULL, __ATOMIC_ACQ_REL);

    if (tls != NULL) /* two reloads may have become one */
        vts_http_server_set_tls(worker->server, tls);
}

static void log_reload_failure(const struct vts_error *error)
{
    struct vts_log_line line;

    vts_log_begin(&line, VTS_LOG_ERROR, "certificates were not reloaded; the old ones stay");
    vts_log_str(&line, "reason", vts_str_of(error->text));
    vts_log_end(&line);
}

static void reload_tls(struct app *app)
{
    struct vts_tls_ctx *tls;
    struct vts_log_line line;
    struct vts_error error;

    if (vts_tls_ctx_new(&app->config->tls, &tls, &error) != VTS_OK) {
        vts_metrics_add(&app->main_metrics, VTS_METRIC_RELOADS_FAILED, 1);
        log_reload_failure(&error);
        return;
    }
    for (unsigned i = 0; i < app->workers_count; i++) {
        struct worker *worker = &app->workers[i];

        vts_tls_ctx_unref(
            __atomic_exchange_n(&worker->next_tls, vts_tls_ctx_ref(tls), __ATOMIC_ACQ_REL));
        if (vts_loop_post(worker->loop, adopt_tls, worker) != VTS_OK)
            continue; /* the next reload's post brings it */
    }
    vts_tls_ctx_unref(tls);
    vts_metrics_add(&app->main_metrics, VTS_METRIC_RELOADS, 1);
    vts_log_begin(&line, VTS_LOG_INFO, "certificates reloaded");
    vts_log_end(&line);
}

/* ---- the simulated job ------------------------------------------------------------------- */

static enum vts_err start_simulation(struct app *app)
{
    if (!app->config->has_simulation)
        return VTS_OK;
    return vts_simulation_init(&app->simulation, "default", &app->config->simulation,
                               vts_clock_now_ns(), vts_clock_wall_ns());
}

static enum vts_err publish(struct app *app)
{
    struct vts_snapshot *snapshot;
    enum vts_err err = vts_snapshot_new(&app->simulation.job, &snapshot);

    return err != VTS_OK ? err : vts_watch_hub_publish(app->hub, snapshot);
}

static void log_unpublished(void)
{
    struct vts_log_line line;

    vts_log_begin(&line, VTS_LOG_ERROR, "a status could not be published; trying again");
    vts_log_end(&line);
}

/* Takes the steps that are due; returns when to look again. A step that could not be published is
 * published later, for it may be the last. */
static int64_t play_simulation(struct app *app)
{
    int64_t now_ns = vts_clock_now_ns();

    if (!app->config->has_simulation)
        return INT64_MAX;
    while (app->is_unpublished || vts_simulation_due_ns(&app->simulation) <= now_ns) {
        if (!app->is_unpublished)
            vts_simulation_step(&app->simulation);
        app->is_unpublished = publish(app) != VTS_OK;
        if (app->is_unpublished) {
            log_unpublished();
            return now_ns + publish_retry_ns;
        }
    }
    return vts_simulation_due_ns(&app->simulation);
}

/* ---- stopping ---------------------------------------------------------------------------- */

static void on_drained(void *context)
{
    struct app *app = context;

    if (atomic_fetch_sub(&app->draining_count, 1) == 1)
        vts_signals_wake_main();
}

static void drain_worker(void *context)
{
    struct worker *worker = context;

    vts_rpc_loop_drain(worker->rpc);
    vts_http_server_drain(worker->server, on_drained, worker->app);
}

/* Waits until every connection is gone, or until it is told a second time. */
static void drain(struct app *app)
{
    int number = SIGHUP;

    atomic_store(&app->health.is_serving, false);
    atomic_store(&app->draining_count, app->workers_count);
    for (unsigned i = 0; i < app->workers_count; i++)
        if (vts_loop_post(app->workers[i].loop, drain_worker, &app->workers[i]) != VTS_OK)
            return; /* without memory we cannot be polite */
    /* SIGUSR1 is our own word that the last one is gone; anybody may send one too early. */
    while (number == SIGHUP || (number == SIGUSR1 && atomic_load(&app->draining_count) > 0))
        number = vts_signals_wait(INT64_MAX);
}

/* Lives until the first TERM or INT. */
static void serve(struct app *app)
{
    for (;;) {
        int number = vts_signals_wait(play_simulation(app));

        if (number == SIGHUP)
            reload_tls(app);
        else if (number == SIGTERM || number == SIGINT)
            return;
    }
}

/* ---- the whole --------------------------------------------------------------------------- */

static void log_listening(const struct vts_config *config)
{
    struct vts_log_line line;
    char address[VTS_ADDRESS_TEXT_BYTES];

    vts_address_format(&config->listen, address);
    vts_log_begin(&line, VTS_LOG_INFO, "listening");
    vts_log_str(&line, "address", vts_str_of(address));
    vts_log_int(&line, "port", vts_address_port(&config->listen));
    vts_log_int(&line, "threads", config->threads);
    vts_log_int(&line, "connections_max",
                (int64_t)vts_limits_get(&config->limits, VTS_LIMIT_CONNECTIONS));
    vts_log_str(&line, "version", vts_str_of(VTS_VERSION));
    vts_log_end(&line);
}

static void log_stopped(void)
{
    struct vts_log_line line;

    vts_log_begin(&line, VTS_LOG_INFO, "stopped");
    vts_log_end(&line);
}

static enum vts_err listen_and_serve(struct app *app, struct vts_tls_ctx *tls,
                                     struct vts_error *error)
{
    struct vts_config *config = app->config;
    int fds[VTS_THREADS_MAX];
    enum vts_err err = make_services(app, error);

    if (err == VTS_OK)
        err = vts_listener_bind(&config->listen, config->threads, fds, error);
    if (err != VTS_OK)
        return err;
    make_routes(app);
    app->workers_count = config->threads;
    err = make_workers(app, fds, tls);
    if (err == VTS_OK)
        err = start_simulation(app);
    if (err == VTS_OK) {
        (void)play_simulation(app); /* so that the first request finds the job */
        err = start_workers(app);
    }
    if (err != VTS_OK)
        return vts_error_set(error, err, "cannot start: %s", vts_err_text(err));
    log_listening(config);
    serve(app);
    drain(app);
    log_stopped();
    return VTS_OK;
}

enum vts_err vts_app_run(struct vts_config *config, struct vts_error *error)
{
    struct app app = {.config = config, .health.is_serving = true};
    struct vts_tls_ctx *tls = NULL;
    enum vts_err err;

    app.metrics_source = (struct vts_metrics_source){write_metrics, &app};
    vts_resources_fit(&config->limits, config->threads);
    vts_signals_block();
    err = vts_tls_ctx_new(&config->tls, &tls, error);
    if (err != VTS_OK)
        return err;
    app.workers = vts_mem_zalloc(config->threads * sizeof(*app.workers));
    app.servers = vts_mem_zalloc(config->threads * sizeof(struct vts_http_server *));
    if (app.workers == NULL || app.servers == NULL || vts_board_new(&app.board) != VTS_OK ||
        vts_watch_hub_new(app.board, config->threads,
                          vts_limits_get(&config->limits, VTS_LIMIT_WATCHES), &app.hub) != VTS_OK)
        err = vts_error_set(error, VTS_ERR_NOMEM, "cannot start: out of memory");
    else
        err = listen_and_serve(&app, tls, error);
    free_workers(&app);
    vts_rpc_free(app.rpc);
    vts_simulation_fini(&app.simulation);
    vts_watch_hub_free(app.hub);
    vts_board_free(app.board);
    vts_tls_ctx_unref(tls);
    return err;
}
