/* SPDX-License-Identifier: Apache-2.0 */
/* wait_epoll.c - waits for jobs in a loop of one's own around epoll(7), whose set is kept up by the
 * library's calls to on_fd.
 *
 *     cc wait_epoll.c $(pkg-config --cflags --libs vtstatus) -o wait_epoll
 *     ./wait_epoll https://localhost:5000 ca.pem default another
 */
#include <stdio.h>
#include <sys/epoll.h>
#include <unistd.h>

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

static void keep_up(int fd, unsigned events, void *context)
{
    int epoll = *(const int *)context;
    struct epoll_event wanted = {.data.fd = fd};

    if (events & VTS_WAIT_READ)
        wanted.events |= EPOLLIN;
    if (events & VTS_WAIT_WRITE)
        wanted.events |= EPOLLOUT;
    if (events == 0)
        epoll_ctl(epoll, EPOLL_CTL_DEL, fd, NULL);
    else if (epoll_ctl(epoll, EPOLL_CTL_MOD, fd, &wanted) != 0)
        epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &wanted);
}

static enum vts_client_code run_once(struct vts_waiter *waiter, int epoll,
                                     struct vts_client_error *error)
{
    struct epoll_event ready[16];
    double timeout = vts_waiter_timeout(waiter);
    int count = epoll_wait(epoll, ready, 16, timeout < 0 ? -1 : (int)(timeout * 1000) + 1);
    enum vts_client_code code = VTS_CLIENT_OK;

    if (count <= 0)
        return vts_waiter_run(waiter, -1, 0, error);
    for (int i = 0; i < count && code == VTS_CLIENT_OK; i++)
        code = vts_waiter_run(waiter, ready[i].data.fd,
                              (ready[i].events & ~(unsigned)EPOLLOUT ? VTS_WAIT_READ : 0) |
                                  (ready[i].events & EPOLLOUT ? VTS_WAIT_WRITE : 0),
                              error);
    return code;
}

static enum vts_client_code wait_for(struct vts_client *client, char *job_ids[],
                                     struct vts_client_error *error)
{
    int epoll = epoll_create1(EPOLL_CLOEXEC);
    struct vts_wait_options options;
    struct vts_waiter *waiter = NULL;
    enum vts_client_code code;

    vts_wait_options_init(&options);
    options.on_event = show;
    options.on_fd = keep_up;
    options.fd_context = &epoll;
    code = vts_waiter_new(client, &options, &waiter, error);
    for (; code == VTS_CLIENT_OK && *job_ids != NULL; job_ids++)
        code = vts_waiter_add(waiter, *job_ids, 0, NULL, error);
    while (code == VTS_CLIENT_OK && vts_waiter_left(waiter) > 0)
        code = run_once(waiter, epoll, error);
    vts_waiter_free(waiter);
    close(epoll);
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
