/* SPDX-License-Identifier: Apache-2.0 */
/* wait_libev.c - waits for jobs in a libev loop: an ev_io for each file descriptor, and an ev_timer
 * for the time.
 *
 *     cc wait_libev.c $(pkg-config --cflags --libs vtstatus) -lev -o wait_libev
 *     ./wait_libev https://localhost:5000 ca.pem default another
 */
#include <ev.h>
#include <stdio.h>
#include <stdlib.h>

#include <vtstatus/wait.h>

struct watched {
    struct ev_io io; /* first, so that a pointer to it is one to this */
    struct watched *next;
};

struct app {
    struct ev_loop *loop;
    struct ev_timer timer;
    struct vts_waiter *waiter;
    struct watched *watched;
    enum vts_client_code code;
    struct vts_client_error error;
};

static bool show(const struct vts_wait_event *event, void *context)
{
    (void)context;
    if (event->error != NULL)
        fprintf(stderr, "%s\n", event->error->text);
    else
        printf("%s %s\n", event->job_id, vts_status_word(event->status));
    return fflush(stdout) == 0;
}

/* Runs the waiter, then sees to it that the loop ends with it, or calls again in time. */
static void run(struct app *app, int fd, unsigned events)
{
    double timeout;

    app->code = vts_waiter_run(app->waiter, fd, events, &app->error);
    ev_timer_stop(app->loop, &app->timer);
    if (app->code != VTS_CLIENT_OK || vts_waiter_left(app->waiter) == 0) {
        ev_break(app->loop, EVBREAK_ALL);
        return;
    }
    timeout = vts_waiter_timeout(app->waiter);
    if (timeout >= 0) {
        ev_timer_set(&app->timer, timeout, 0);
        ev_timer_start(app->loop, &app->timer);
    }
}

static void on_time(struct ev_loop *loop, struct ev_timer *timer, int events)
{
    (void)loop;
    (void)events;
    run(timer->data, -1, 0);
}

static void on_ready(struct ev_loop *loop, struct ev_io *io, int events)
{
    (void)loop;
    run(io->data, io->fd,
        (events & EV_READ ? VTS_WAIT_READ : 0) | (events & EV_WRITE ? VTS_WAIT_WRITE : 0));
}

static void forget(struct app *app, struct watched **place)
{
    struct watched *watched = *place;

    *place = watched->next;
    ev_io_stop(app->loop, &watched->io);
    free(watched);
}

static void keep_up(int fd, unsigned events, void *context)
{
    struct app *app = context;
    struct watched **place = &app->watched;
    struct watched *watched;

    while (*place != NULL && (*place)->io.fd != fd)
        place = &(*place)->next;
    if (*place != NULL)
        forget(app, place); /* libev takes other events only of one that is stopped */
    if (events == 0)
        return;
    watched = calloc(1, sizeof(*watched));
    if (watched == NULL)
        return;
    ev_io_init(&watched->io, on_ready, fd,
               (events & VTS_WAIT_READ ? EV_READ : 0) | (events & VTS_WAIT_WRITE ? EV_WRITE : 0));
    watched->io.data = app;
    watched->next = app->watched;
    app->watched = watched;
    ev_io_start(app->loop, &watched->io);
}

static enum vts_client_code wait_for(struct vts_client *client, char *job_ids[],
                                     struct vts_client_error *error)
{
    struct app app = {.loop = ev_default_loop(0)};
    struct vts_wait_options options;

    ev_timer_init(&app.timer, on_time, 0, 0);
    app.timer.data = &app;
    vts_wait_options_init(&options);
    options.on_event = show;
    options.on_fd = keep_up;
    options.fd_context = &app;
    app.code = vts_waiter_new(client, &options, &app.waiter, &app.error);
    for (; app.code == VTS_CLIENT_OK && *job_ids != NULL; job_ids++)
        app.code = vts_waiter_add(app.waiter, *job_ids, 0, NULL, &app.error);
    if (app.code == VTS_CLIENT_OK) {
        ev_feed_event(app.loop, &app.timer, EV_TIMER); /* at once */
        ev_run(app.loop, 0);
    }
    vts_waiter_free(app.waiter);
    while (app.watched != NULL)
        forget(&app, &app.watched);
    ev_loop_destroy(app.loop);
    *error = app.error;
    return app.code;
}

int main(int argc, char *argv[])
{
    struct vts_client_options options;
    struct vts_client_error error;
    struct vts_client *client = NULL;
    enum vts_client_code code;

    if (argc < 4) {
        fprintf(stderr, "usage: %s URL CA_FILE JOB...\n", argv[0]);
        return 2;
    }
    vts_client_options_init(&options);
    options.url = argv[1];
    options.ca_file = argv[2];
    code = vts_client_new(&options, &client, &error);
    if (code == VTS_CLIENT_OK)
        code = wait_for(client, argv + 3, &error);
    if (code != VTS_CLIENT_OK)
        fprintf(stderr, "%s\n", error.text);
    vts_client_free(client);
    return code == VTS_CLIENT_OK ? 0 : 1;
}
