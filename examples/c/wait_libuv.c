/* SPDX-License-Identifier: Apache-2.0 */
/* wait_libuv.c - waits for jobs in a libuv loop: a uv_poll_t for each file descriptor, and a
 * uv_timer_t for the time.
 *
 *     cc wait_libuv.c $(pkg-config --cflags --libs vtstatus libuv) -o wait_libuv
 *     ./wait_libuv https://localhost:5000 ca.pem default another
 */
#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#include <vtstatus/wait.h>

struct watched {
    uv_poll_t poll;
    int fd;
    struct watched *next;
    struct app *app;
};

struct app {
    uv_loop_t loop;
    uv_timer_t timer;
    struct vts_waiter *waiter;
    struct watched *watched;
    enum vts_client_code code;
    struct vts_client_error error;
};

static void on_time(uv_timer_t *timer);

static bool show(const struct vts_wait_event *event, void *context)
{
    (void)context;
    if (event->error != NULL)
        fprintf(stderr, "%s\n", event->error->text);
    else
        printf("%s %s\n", event->job_id, vts_status_word(event->status));
    return fflush(stdout) == 0;
}

static void free_watched(uv_handle_t *handle)
{
    free(handle->data);
}

static void forget(struct app *app, struct watched **place)
{
    struct watched *watched = *place;

    (void)app;
    *place = watched->next;
    uv_poll_stop(&watched->poll);
    uv_close((uv_handle_t *)&watched->poll, free_watched);
}

/* Runs the waiter, then sees to it that the loop ends with it, or calls again in time. */
static void run(struct app *app, int fd, unsigned events)
{
    double timeout;

    if (app->waiter == NULL)
        return;
    app->code = vts_waiter_run(app->waiter, fd, events, &app->error);
    if (app->code != VTS_CLIENT_OK || vts_waiter_left(app->waiter) == 0) {
        while (app->watched != NULL)
            forget(app, &app->watched);
        uv_close((uv_handle_t *)&app->timer, NULL);
        vts_waiter_free(app->waiter);
        app->waiter = NULL;
        return;
    }
    timeout = vts_waiter_timeout(app->waiter);
    uv_timer_stop(&app->timer);
    if (timeout >= 0)
        uv_timer_start(&app->timer, on_time, (uint64_t)(timeout * 1000) + (timeout > 0), 0);
}

static void on_time(uv_timer_t *timer)
{
    run(timer->data, -1, 0);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
    struct watched *watched = poll->data;

    run(watched->app, watched->fd,
        (status != 0 || (events & UV_READABLE) ? VTS_WAIT_READ : 0) |
            (events & UV_WRITABLE ? VTS_WAIT_WRITE : 0));
}

static void keep_up(int fd, unsigned events, void *context)
{
    struct app *app = context;
    struct watched **place = &app->watched;
    struct watched *watched;

    while (*place != NULL && (*place)->fd != fd)
        place = &(*place)->next;
    if (events == 0) {
        if (*place != NULL)
            forget(app, place);
        return;
    }
    if (*place == NULL) {
        watched = calloc(1, sizeof(*watched));
        if (watched == NULL)
            return;
        watched->fd = fd;
        watched->app = app;
        watched->poll.data = watched;
        uv_poll_init(&app->loop, &watched->poll, fd);
        *place = watched;
    }
    uv_poll_start(&(*place)->poll,
                  (events & VTS_WAIT_READ ? UV_READABLE : 0) |
                      (events & VTS_WAIT_WRITE ? UV_WRITABLE : 0),
                  on_ready);
}

static enum vts_client_code wait_for(struct vts_client *client, char *job_ids[],
                                     struct vts_client_error *error)
{
    struct app app = {.waiter = NULL};
    struct vts_wait_options options;

    uv_loop_init(&app.loop);
    uv_timer_init(&app.loop, &app.timer);
    app.timer.data = &app;
    vts_wait_options_init(&options);
    options.on_event = show;
    options.on_fd = keep_up;
    options.fd_context = &app;
    app.code = vts_waiter_new(client, &options, &app.waiter, &app.error);
    for (; app.code == VTS_CLIENT_OK && *job_ids != NULL; job_ids++)
        app.code = vts_waiter_add(app.waiter, *job_ids, 0, NULL, &app.error);
    run(&app, -1, 0);
    uv_run(&app.loop, UV_RUN_DEFAULT);
    uv_loop_close(&app.loop);
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
