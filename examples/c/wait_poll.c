/* SPDX-License-Identifier: Apache-2.0 */
/* wait_poll.c - waits for jobs in a loop of one's own around poll(2).
 *
 *     cc wait_poll.c $(pkg-config --cflags --libs vtstatus) -o wait_poll
 *     ./wait_poll https://localhost:5000 ca.pem default another
 */
#include <poll.h>
#include <stdio.h>

#include <vtstatus/wait.h>

static bool show(const struct vts_wait_event *event, void *context)
{
    (void)context;
    if (event->error != NULL)
        fprintf(stderr, "%s\n", event->error->text);
    else
        printf("%s %s\n", event->job_id, vts_status_word(event->status));
    return fflush(stdout) == 0;
}

/* Waits for whatever comes first, and hands it on. */
static enum vts_client_code run_once(struct vts_waiter *waiter, struct vts_client_error *error)
{
    struct vts_waiter_fd fds[VTS_WAITER_MAX_FDS];
    struct pollfd polled[VTS_WAITER_MAX_FDS];
    size_t count = vts_waiter_fds(waiter, fds, VTS_WAITER_MAX_FDS);
    double timeout = vts_waiter_timeout(waiter);
    enum vts_client_code code = VTS_CLIENT_OK;

    for (size_t i = 0; i < count; i++) {
        polled[i] = (struct pollfd){.fd = fds[i].fd};
        if (fds[i].events & VTS_WAIT_READ)
            polled[i].events |= POLLIN;
        if (fds[i].events & VTS_WAIT_WRITE)
            polled[i].events |= POLLOUT;
    }
    if (poll(polled, count, timeout < 0 ? -1 : (int)(timeout * 1000) + 1) <= 0)
        return vts_waiter_run(waiter, -1, 0, error);
    for (size_t i = 0; i < count && code == VTS_CLIENT_OK; i++)
        if (polled[i].revents != 0)
            code = vts_waiter_run(waiter, polled[i].fd,
                                  (polled[i].revents & ~POLLOUT ? VTS_WAIT_READ : 0) |
                                      (polled[i].revents & POLLOUT ? VTS_WAIT_WRITE : 0),
                                  error);
    return code;
}

static enum vts_client_code wait_for(struct vts_client *client, char *job_ids[],
                                     struct vts_client_error *error)
{
    struct vts_wait_options options;
    struct vts_waiter *waiter = NULL;
    enum vts_client_code code;

    vts_wait_options_init(&options);
    options.on_event = show;
    code = vts_waiter_new(client, &options, &waiter, error);
    for (; code == VTS_CLIENT_OK && *job_ids != NULL; job_ids++)
        code = vts_waiter_add(waiter, *job_ids, 0, NULL, error);
    while (code == VTS_CLIENT_OK && vts_waiter_left(waiter) > 0)
        code = run_once(waiter, error);
    vts_waiter_free(waiter);
    return code;
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
