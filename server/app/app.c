/* SPDX-License-Identifier: Apache-2.0 */
/* app.c - the object graph and the main thread.
 *
 * Each worker thread has a loop with its own listener and connections, and one more thread keeps
 * the jobs. The main thread waits for signals; to the workers it speaks by posts only.
 */
#include "server/app/app.h"

#include <signal.h>

#include "common/base/clock.h"
#include "server/app/app_services.h"
#include "server/app/app_signals.h"
#include "server/app/app_workers.h"
#include "server/app/resources.h"
#include "server/jobs/simulator.h"
#include "server/store/store_open.h"

struct app {
    struct vts_config *config;
    struct vts_board *board;
    struct vts_watch_hub *hub;
    struct vts_metrics main_metrics; /* what the main thread counts */
    struct vts_keeper_port jobs;
    struct vts_simulator *simulator; /* NULL: none was asked for */
    struct vts_services services;
    struct vts_workers *workers;
};

static void write_metrics(void *context, struct vts_buf *buf)
{
    const struct app *app = context;
    uint64_t sums[VTS_METRIC_COUNT] = {0};

    vts_metrics_sum(&app->main_metrics, sums);
    vts_workers_sum_metrics(app->workers, sums);
    vts_metrics_write(buf, sums);
    vts_workers_write_rpc_metrics(app->workers, buf);
    vts_limits_write_metrics(&app->config->limits, buf);
}

/* ---- certificates ------------------------------------------------------------------------ */

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
    vts_workers_set_tls(app->workers, tls);
    vts_tls_ctx_unref(tls);
    vts_metrics_add(&app->main_metrics, VTS_METRIC_RELOADS, 1);
    vts_log_begin(&line, VTS_LOG_INFO, "certificates reloaded");
    vts_log_end(&line);
}

/* ---- the jobs ---------------------------------------------------------------------------- */

/* Reads what the store has, and publishes it. */
static enum vts_err make_keeper(struct app *app, struct vts_error *error)
{
    const struct vts_limits *limits = &app->config->limits;
    struct vts_keeper_options options = {.hub = app->hub,
                                         .jobs_max = vts_limits_get(limits, VTS_LIMIT_JOBS),
                                         .commands_max =
                                             vts_limits_get(limits, VTS_LIMIT_JOB_REQUESTS),
                                         .waits_max = vts_limits_get(limits, VTS_LIMIT_JOB_WAITS)};
    struct vts_keeper *keeper;
    enum vts_err err = vts_store_open(app->config->store, &options.store, error);

    if (err == VTS_OK)
        err = vts_keeper_new(&options, &keeper, error);
    if (err == VTS_OK)
        vts_keeper_port_init(&app->jobs, keeper, app->board,
                             vts_limits_get_ns(limits, VTS_LIMIT_WAIT_MS));
    return err;
}

/* ---- the simulator ----------------------------------------------------------------------- */

/* Before the keeper has its thread. A few steps are made by hand, so that the first request finds
 * the job `default`, and finds it done if it takes no time. */
static enum vts_err start_simulator(struct app *app)
{
    enum vts_err err;

    if (!app->config->has_simulation)
        return VTS_OK;
    err = vts_simulator_new(app->jobs.keeper, &app->config->simulation, NULL, &app->simulator);
    if (err != VTS_OK)
        return err;
    vts_simulator_wake(app->simulator);
    for (int i = 0; i < VTS_SIMULATOR_STEPS; i++)
        (void)vts_keeper_step(app->jobs.keeper); /* its thread knows when the next is due */
    return VTS_OK;
}

/* Returns when to do so again. */
static int64_t wake_simulator(struct app *app)
{
    if (app->simulator == NULL)
        return INT64_MAX;
    vts_simulator_wake(app->simulator);
    return vts_clock_now_ns() + (int64_t)VTS_SIMULATOR_WAKE_MS * VTS_NS_PER_MS;
}

/* ---- stopping ---------------------------------------------------------------------------- */

/* Waits until every connection is gone, or until it is told a second time. */
static void drain(struct app *app)
{
    int number = SIGHUP;

    atomic_store(&app->services.health.is_serving, false);
    if (vts_workers_drain(app->workers) != VTS_OK)
        return; /* without memory we cannot be polite */
    /* SIGUSR1 is our own word that the last one is gone; anybody may send one too early. */
    while (number == SIGHUP || (number == SIGUSR1 && !vts_workers_are_drained(app->workers)))
        number = vts_signals_wait(INT64_MAX);
}

/* Lives until the first TERM or INT. */
static void serve(struct app *app)
{
    for (;;) {
        int number = vts_signals_wait(wake_simulator(app));

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
    if (config->has_insecure_listen) {
        vts_address_format(&config->insecure_listen, address);
        vts_log_str(&line, "insecure_address", vts_str_of(address));
        vts_log_int(&line, "insecure_port", vts_address_port(&config->insecure_listen));
    }
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

static enum vts_err make_workers(struct app *app, struct vts_tls_ctx *tls, struct vts_error *error)
{
    struct vts_config *config = app->config;
    const struct vts_workers_options options = {.limits = &config->limits,
                                                .rpc = app->services.rpc,
                                                .hub = app->hub,
                                                .routes = app->services.routes,
                                                .routes_count = VTS_ROUTES_COUNT};
    int fds[VTS_THREADS_MAX];
    enum vts_err err = vts_listener_bind(&config->listen, "--listen", config->threads, fds, error);

    if (err != VTS_OK)
        return err;
    err = vts_workers_new(&options, config->threads, fds, tls, &app->workers);
    return err == VTS_OK ? VTS_OK
                         : vts_error_set(error, err, "cannot start: %s", vts_err_text(err));
}

static enum vts_err listen_insecure(struct app *app, struct vts_error *error)
{
    struct vts_config *config = app->config;
    int fds[VTS_THREADS_MAX];
    enum vts_err err;

    if (!config->has_insecure_listen)
        return VTS_OK;
    err = vts_listener_bind(&config->insecure_listen, "--insecure-listen", config->threads, fds,
                            error);
    if (err != VTS_OK)
        return err;
    err = vts_workers_listen_insecure(app->workers, fds);
    return err == VTS_OK ? VTS_OK
                         : vts_error_set(error, err, "cannot start: %s", vts_err_text(err));
}

static enum vts_err start(struct app *app, struct vts_error *error)
{
    enum vts_err err = start_simulator(app);

    if (err == VTS_OK)
        err = vts_keeper_start(app->jobs.keeper);
    if (err == VTS_OK)
        err = vts_workers_start(app->workers);
    return err == VTS_OK ? VTS_OK
                         : vts_error_set(error, err, "cannot start: %s", vts_err_text(err));
}

/* The board, and who is told of what happens on it. */
static enum vts_err make_board(struct app *app)
{
    const struct vts_limits *limits = &app->config->limits;
    struct vts_schedule schedule = {
        .min_ns = vts_limits_get_ns(limits, VTS_LIMIT_POLL_AFTER_MIN_MS),
        .max_ns = vts_limits_get_ns(limits, VTS_LIMIT_POLL_AFTER_MAX_MS)};
    enum vts_err err = vts_board_new(&app->board);

    if (err != VTS_OK)
        return err;
    if (schedule.max_ns < schedule.min_ns)
        schedule.max_ns = schedule.min_ns;
    vts_board_set_schedule(app->board, &schedule);
    return vts_watch_hub_new(app->board, app->config->threads,
                             vts_limits_get(limits, VTS_LIMIT_WATCHES),
                             vts_limits_get(limits, VTS_LIMIT_LABEL_JOBS), &app->hub);
}

static enum vts_err make_and_start(struct app *app, struct vts_tls_ctx *tls,
                                   struct vts_error *error)
{
    const struct vts_metrics_source metrics = {write_metrics, app};
    enum vts_err err = make_board(app);

    if (err != VTS_OK)
        return vts_error_set(error, err, "cannot start: %s", vts_err_text(err));
    err = make_keeper(app, error);
    if (err == VTS_OK)
        err = vts_services_init(&app->services, app->config, app->hub, &app->jobs, &metrics, error);
    if (err == VTS_OK)
        err = make_workers(app, tls, error);
    if (err == VTS_OK)
        err = listen_insecure(app, error);
    return err == VTS_OK ? start(app, error) : err;
}

enum vts_err vts_app_run(struct vts_config *config, struct vts_error *error)
{
    struct app app = {.config = config};
    struct vts_tls_ctx *tls = NULL;
    enum vts_err err;

    vts_resources_fit(&config->limits, config->threads);
    vts_signals_block();
    err = vts_tls_ctx_new(&config->tls, &tls, error);
    if (err != VTS_OK)
        return err;
    err = make_and_start(&app, tls, error);
    if (err == VTS_OK) {
        log_listening(config);
        serve(&app);
        drain(&app);
        log_stopped();
    }
    vts_workers_stop(app.workers);
    vts_keeper_port_fini(&app.jobs); /* it still answers to the loops, and to the simulator */
    vts_simulator_free(app.simulator);
    vts_workers_free(app.workers);
    vts_services_fini(&app.services);
    vts_watch_hub_free(app.hub);
    vts_board_free(app.board);
    vts_tls_ctx_unref(tls);
    return err;
}
