/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_poll.c - asks until the job is done.
 *
 * On a terminal one line is redrawn on stderr and the last status goes to stdout; otherwise each
 * change is a line on stdout. The library polls in the main thread; the thread of signals.h counts
 * down and cancels.
 */
#include <errno.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/live.h"
#include "client/cli/output.h"
#include "client/cli/signals.h"
#include "client/cli/streams.h"
#include "client/cli/terminal.h"

struct poll {
    struct vts_client *client;
    const struct vts_cli_options *options;
    struct vts_cli_live live;
    bool is_each_change; /* told on stdout */
    bool has_colors;
};

static void print_status(const struct poll *poll, const struct vts_status *status)
{
    if (!poll->options->is_json)
        vts_cli_output_line(stdout, status, poll->has_colors);
    else if (!vts_cli_output_json(stdout, status))
        vts_cli_output_error("out of memory");
}

static bool on_status(const struct vts_poll_event *event, void *context)
{
    struct poll *poll = context;

    vts_cli_live_update(&poll->live, event);
    if (event->error != NULL && !poll->live.is_on && event->next_poll >= 0) {
        char text[640];

        (void)snprintf(text, sizeof(text), "%s; trying again in %.3g s", event->error->text,
                       event->next_poll);
        vts_cli_output_error(text);
    }
    if (event->is_changed && poll->is_each_change)
        print_status(poll, event->status);
    /* Whoever waits for the line wants it now; and nobody may be there any more. */
    return vts_cli_streams_flush();
}

static void cancel(void *context)
{
    struct poll *poll = context;

    vts_client_cancel(poll->client);
}

static void tick(void *context)
{
    struct poll *poll = context;

    vts_cli_live_tick(&poll->live);
}

static void start(struct poll *poll, struct vts_client *client,
                  const struct vts_cli_options *options)
{
    /* JSON on the same terminal, or a log there, would run into the line. */
    bool is_live = vts_cli_terminal_can_redraw(stderr) && !options->is_verbose &&
                   !(options->is_json && vts_cli_terminal_can_redraw(stdout));

    *poll = (struct poll){
        .client = client, .options = options, .has_colors = vts_cli_terminal_has_colors(stdout)};
    poll->is_each_change = options->is_json || !is_live || !vts_cli_terminal_can_redraw(stdout);
    vts_cli_live_init(&poll->live, is_live, options->job_id);
}

static int finish(const struct poll *poll, enum vts_client_code code,
                  const struct vts_status *status, const struct vts_client_error *error, int caught)
{
    struct vts_client_error interrupted = {.code = VTS_CLIENT_GAVE_UP, .text = "interrupted"};

    if (code == VTS_CLIENT_OK && !poll->is_each_change)
        print_status(poll, status);
    if (code == VTS_CLIENT_CANCELLED && caught != 0) {
        vts_cli_failure_print(&interrupted, poll->options);
        return VTS_CLI_EXIT_SIGNAL + caught;
    }
    /* Cancelled without a signal: our lines cannot be written, and main() says so if it must. */
    if (code != VTS_CLIENT_OK && code != VTS_CLIENT_CANCELLED)
        vts_cli_failure_print(error, poll->options);
    return vts_cli_exit_code(code, status);
}

int vts_cli_poll(struct vts_client *client, const struct vts_cli_options *options)
{
    struct vts_poll_options poll_options = options->poll;
    struct vts_status *status = NULL;
    struct vts_client_error error;
    struct vts_cli_signals signals;
    struct poll poll;
    enum vts_client_code code;
    int caught = 0;
    int exit_code;
    bool has_signals;

    start(&poll, client, options);
    poll_options.on_status = on_status;
    poll_options.context = &poll;
    has_signals = vts_cli_signals_start(&signals, true, cancel, tick, &poll);
    vts_cli_live_show(&poll.live); /* from here on an interrupt finds someone to remove it */
    code = vts_poll_status(client, options->job_id, &poll_options, &status, &error);
    if (has_signals)
        caught = vts_cli_signals_stop(&signals);
    vts_cli_live_fini(&poll.live);
    exit_code = finish(&poll, code, status, &error, caught);
    vts_status_free(status);
    return exit_code;
}
