/* SPDX-License-Identifier: Apache-2.0 */
/* follow.c - the library waits in the main thread; the thread of signals.h cancels it. */
#include "client/cli/follow.h"

#include <stdio.h>

#include "client/cli/board.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/output.h"
#include "client/cli/signals.h"
#include "client/cli/streams.h"
#include "client/cli/terminal.h"

struct follow {
    struct vts_client *client;
    const struct vts_cli_options *options;
    struct vts_cli_board board;
    bool is_each_change; /* told on stdout */
    bool has_colors;
    bool has_told_failure; /* of one of several jobs, when it was known */
};

static void print_status(const struct follow *follow, const struct vts_status *status)
{
    if (!follow->options->is_json)
        vts_cli_output_line(stdout, status, follow->has_colors);
    else if (!vts_cli_output_json(stdout, status))
        vts_cli_output_error("out of memory");
}

static void print_failure(const struct vts_wait_event *event)
{
    char text[640];

    (void)snprintf(text, sizeof(text), "%s; trying again in %.3g s", event->error->text,
                   event->next_try);
    vts_cli_output_error(text);
}

/* A final one is what the call returns, and is said at the end; but others may go on for long. */
static void tell_failure(struct follow *follow, const struct vts_wait_event *event)
{
    if (!event->is_final) {
        print_failure(event);
    } else if (follow->board.lines_count > 1) {
        vts_cli_failure_print(event->error, follow->options);
        follow->has_told_failure = true;
    }
}

static bool on_event(const struct vts_wait_event *event, void *context)
{
    struct follow *follow = context;

    if (event->status != NULL && follow->is_each_change)
        print_status(follow, event->status);
    if (event->error != NULL && !follow->board.is_on)
        tell_failure(follow, event);
    vts_cli_board_update(&follow->board, event->status,
                         event->error != NULL ? event->error->text : "");
    /* Whoever waits for the line wants it now; and nobody may be there any more. */
    return vts_cli_streams_flush();
}

static void cancel(void *context)
{
    struct follow *follow = context;

    vts_client_cancel(follow->client);
}

static void ignore(void *context)
{
    (void)context; /* a second has passed, and nothing counts them */
}

static bool start(struct follow *follow, struct vts_client *client, const char *const *job_ids,
                  size_t count, const struct vts_cli_options *options)
{
    /* As poll has it: JSON on the same terminal, or a log there, would run into the lines. */
    bool is_live = vts_cli_terminal_can_redraw(stderr) && !options->is_verbose &&
                   !options->is_explaining &&
                   !(options->is_json && vts_cli_terminal_can_redraw(stdout));

    *follow = (struct follow){
        .client = client, .options = options, .has_colors = vts_cli_terminal_has_colors(stdout)};
    if (!vts_cli_board_init(&follow->board, is_live, job_ids, count))
        return false;
    follow->is_each_change =
        options->is_json || !follow->board.is_on || !vts_cli_terminal_can_redraw(stdout);
    return true;
}

/* The last statuses, where they were not printed as they came; and whether one is a failure. */
static int finish_jobs(struct follow *follow)
{
    int exit_code = VTS_CLI_EXIT_OK;

    vts_cli_board_hide(&follow->board);
    for (size_t i = 0; i < follow->board.lines_count; i++) {
        const struct vts_status *status = follow->board.lines[i].status;

        if (status == NULL)
            continue;
        if (!follow->is_each_change)
            print_status(follow, status);
        if (vts_cli_exit_code(VTS_CLIENT_OK, status) != VTS_CLI_EXIT_OK)
            exit_code = vts_cli_exit_code(VTS_CLIENT_OK, status);
    }
    return exit_code;
}

/* How another process goes on with what this one gave up; false when it cannot be said for one job.
 */
static bool print_continuation(const struct follow *follow, const struct vts_client_error *error)
{
    const struct vts_status *status = follow->board.lines[0].status;
    char text[sizeof(error->text) + 640];
    char *token = NULL;

    if (error->code != VTS_CLIENT_GAVE_UP || follow->board.lines_count != 1 || status == NULL ||
        vts_wait_token(follow->client, status, &token, NULL) != VTS_CLIENT_OK)
        return false;
    (void)snprintf(text, sizeof(text), "%s; the job goes on, continue with watch --resume %s",
                   error->text, token);
    vts_cli_output_error(text);
    vts_string_free(token);
    return true;
}

static int finish(struct follow *follow, enum vts_client_code code,
                  const struct vts_client_error *error, int caught)
{
    struct vts_client_error interrupted = {.code = VTS_CLIENT_GAVE_UP, .text = "interrupted"};
    int exit_code = finish_jobs(follow);

    if (code == VTS_CLIENT_OK)
        return exit_code;
    if (code == VTS_CLIENT_CANCELLED && caught != 0) {
        if (!print_continuation(follow, &interrupted))
            vts_cli_failure_print(&interrupted, follow->options);
        return VTS_CLI_EXIT_SIGNAL + caught;
    }
    /* Cancelled without a signal: our lines cannot be written, and main() says so if it must. */
    if (code != VTS_CLIENT_CANCELLED && !follow->has_told_failure &&
        !print_continuation(follow, error))
        vts_cli_failure_print(error, follow->options);
    return vts_cli_exit_code(code, NULL);
}

static enum vts_client_code wait_for(struct vts_client *client, const char *const *job_ids,
                                     size_t count, const struct vts_wait_options *wait,
                                     const struct vts_cli_options *options,
                                     struct vts_client_error *error)
{
    struct vts_status *status = NULL;
    enum vts_client_code code;

    if (options->resume == NULL)
        return vts_wait_all(client, job_ids, count, wait, NULL, error);
    code = vts_wait_resume(client, options->resume, options->job_id, wait, &status, error);
    vts_status_free(status);
    return code;
}

int vts_cli_follow(struct vts_client *client, const char *const *job_ids, size_t count,
                   const struct vts_cli_options *options)
{
    struct vts_wait_options wait = options->wait;
    struct vts_client_error error;
    struct vts_cli_signals signals;
    struct follow follow;
    enum vts_client_code code;
    bool has_signals;
    int caught = 0;
    int exit_code;

    if (!start(&follow, client, job_ids, count, options)) {
        vts_cli_output_error("out of memory");
        return VTS_CLI_EXIT_NO_ANSWER;
    }
    wait.on_event = on_event;
    wait.context = &follow;
    has_signals = vts_cli_signals_start(&signals, true, cancel, ignore, &follow);
    vts_cli_board_update(&follow.board, NULL, "");
    code = wait_for(client, job_ids, count, &wait, options, &error);
    if (has_signals)
        caught = vts_cli_signals_stop(&signals);
    exit_code = finish(&follow, code, &error, caught);
    vts_cli_board_fini(&follow.board);
    return exit_code;
}
