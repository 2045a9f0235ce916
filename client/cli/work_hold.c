/* SPDX-License-Identifier: Apache-2.0 */
/* work_hold.c - the thread beside the one that runs the command. */
#include "client/cli/work_hold.h"

#include <poll.h>
#include <stdint.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/cli/clock.h"
#include "client/cli/output.h"

static void make_readable(int fd)
{
    const uint64_t one = 1;

    (void)!write(fd, &one, sizeof(one)); /* fails only when it is readable already */
}

enum vts_cli_stop vts_cli_hold_judge(enum vts_client_code code, bool is_cancel_requested)
{
    if (code == VTS_CLIENT_OK)
        return is_cancel_requested ? VTS_CLI_STOP_CANCELLED : VTS_CLI_STOP_NONE;
    /* Anything else may pass: the network, a server that starts anew. */
    return code == VTS_CLIENT_LEASE_LOST || code == VTS_CLIENT_NOT_FOUND ? VTS_CLI_STOP_LOST
                                                                         : VTS_CLI_STOP_NONE;
}

void vts_cli_hold_tell(struct vts_cli_hold *hold, enum vts_cli_stop stop)
{
    int none = VTS_CLI_STOP_NONE;

    if (stop == VTS_CLI_STOP_NONE)
        return;
    (void)atomic_compare_exchange_strong(&hold->stop, &none, (int)stop); /* or there is one */
    make_readable(hold->stop_fd);
}

/* Sleeps, but not beyond the end. */
static void sleep_for(const struct vts_cli_hold *hold, double seconds)
{
    struct pollfd fd = {.fd = hold->over_fd, .events = POLLIN};

    if (seconds > 0)
        (void)poll(&fd, 1, (int)(seconds * 1000)); /* the caller looks at is_over */
}

static void *run(void *context)
{
    struct vts_cli_hold *hold = context;

    while (!atomic_load(&hold->is_over)) {
        bool is_cancel_requested = false;
        bool is_stopping = atomic_load(&hold->stop) != VTS_CLI_STOP_NONE;
        int64_t start_ns = vts_cli_clock_now_ns();
        enum vts_client_code code;

        /* Once it is known, a cancellation would be answered at once, again and again. */
        code = vts_heartbeat_job(hold->client, hold->lease, NULL, is_stopping ? 0 : hold->interval,
                                 &is_cancel_requested, NULL);
        if (atomic_load(&hold->is_over))
            break;
        vts_cli_hold_tell(hold, vts_cli_hold_judge(code, is_cancel_requested));
        if (code == VTS_CLIENT_OK)
            sleep_for(hold, hold->interval - (double)(vts_cli_clock_now_ns() - start_ns) / 1e9);
        else if (atomic_load(&hold->stop) == VTS_CLI_STOP_LOST)
            break;
        else
            sleep_for(hold, hold->interval / 4);
    }
    return NULL;
}

static void close_all(struct vts_cli_hold *hold)
{
    vts_client_free(hold->client);
    if (hold->over_fd >= 0)
        (void)close(hold->over_fd);
    if (hold->stop_fd >= 0)
        (void)close(hold->stop_fd);
}

bool vts_cli_hold_start(struct vts_cli_hold *hold, const struct vts_cli_options *options,
                        const struct vts_lease *lease)
{
    struct vts_client_error error;

    hold->client = NULL;
    hold->lease = lease;
    hold->interval = options->work.lease / 3;
    atomic_init(&hold->is_over, false);
    atomic_init(&hold->stop, VTS_CLI_STOP_NONE);
    hold->over_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    hold->stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (hold->over_fd < 0 || hold->stop_fd < 0)
        vts_cli_output_error("cannot hold a lease: there is no descriptor left");
    else if (vts_client_new(&options->client, &hold->client, &error) != VTS_CLIENT_OK)
        vts_cli_output_error(error.text);
    else if (pthread_create(&hold->thread, NULL, run, hold) != 0)
        vts_cli_output_error("cannot hold a lease: there is no thread to be had");
    else
        return true;
    close_all(hold);
    return false;
}

void vts_cli_hold_stop(struct vts_cli_hold *hold)
{
    atomic_store(&hold->is_over, true);
    make_readable(hold->over_fd);
    vts_client_cancel(hold->client);
    (void)pthread_join(hold->thread, NULL); /* it was started, and ends */
    close_all(hold);
}
