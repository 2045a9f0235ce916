/* SPDX-License-Identifier: Apache-2.0 */
/* main.c - reads the command line, makes a client, runs a command. */
#include <stdio.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/completion.h"
#include "client/cli/exit_code.h"
#include "client/cli/explain.h"
#include "client/cli/failure.h"
#include "client/cli/help.h"
#include "client/cli/output.h"
#include "client/cli/streams.h"
#include "client/cli/text.h"

static void print_log(const char *text, void *context)
{
    (void)context; /* there is one stderr */
    fputs("* ", stderr);
    vts_cli_text_print(stderr, text);
    fputc('\n', stderr);
}

static int usage(const struct vts_cli_options *options, const char *fault)
{
    const char *command = vts_cli_command_name(options->command);
    char text[640];

    (void)snprintf(text, sizeof(text), "%s; see vtstatus %s%s--help", fault,
                   command != NULL ? command : "", command != NULL ? " " : "");
    vts_cli_output_error(text);
    return VTS_CLI_EXIT_USAGE;
}

static int run_command(struct vts_client *client, const struct vts_cli_options *options)
{
    switch (options->command) {
    case VTS_CLI_COMMAND_NONE:
    case VTS_CLI_COMMAND_COUNT:
        break;
    case VTS_CLI_COMMAND_GET:
        return vts_cli_get(client, options);
    case VTS_CLI_COMMAND_POLL:
        /* What it asks, over and over. */
        return options->is_explaining ? vts_cli_get(client, options)
                                      : vts_cli_poll(client, options);
    case VTS_CLI_COMMAND_WATCH:
        return vts_cli_watch(client, options);
    case VTS_CLI_COMMAND_SUBMIT:
        return vts_cli_submit(client, options);
    case VTS_CLI_COMMAND_LIST:
        return vts_cli_list(client, options);
    case VTS_CLI_COMMAND_SHOW:
        return vts_cli_show(client, options);
    case VTS_CLI_COMMAND_CANCEL:
        return vts_cli_cancel(client, options);
    case VTS_CLI_COMMAND_RETRY:
        return vts_cli_retry(client, options);
    case VTS_CLI_COMMAND_DELETE:
        return vts_cli_delete(client, options);
    case VTS_CLI_COMMAND_WORK:
        return vts_cli_work(client, options);
    case VTS_CLI_COMMAND_HEALTH:
        return vts_cli_health(client, options);
    case VTS_CLI_COMMAND_CALL:
        return vts_cli_call(client, options);
    case VTS_CLI_COMMAND_SERVICES:
        return vts_cli_services(client, options);
    case VTS_CLI_COMMAND_COMPLETION:
        break; /* needs no client */
    }
    return VTS_CLI_EXIT_USAGE;
}

static int run(struct vts_cli_options *options)
{
    struct vts_client *client = NULL;
    struct vts_client_error error;
    enum vts_client_code code;
    int exit_code;

    if (options->command == VTS_CLI_COMMAND_COMPLETION)
        return vts_cli_completion_print(options->words[0]);
    if (options->is_verbose)
        options->client.on_log = print_log;
    if (options->is_explaining) {
        options->client.on_request = vts_cli_explain_request;
        options->client.request_context = options;
    }
    if (options->client.proxy != NULL && strcmp(options->client.proxy, "none") == 0)
        options->client.proxy = "";
    options->client.user_agent = "vtstatus";
    code = vts_client_new(&options->client, &client, &error);
    if (code != VTS_CLIENT_OK) {
        vts_cli_failure_print(&error, options);
        /* Nobody was asked yet, so that it is about a file that a flag names. */
        return code == VTS_CLIENT_TLS ? VTS_CLI_EXIT_USAGE : vts_cli_exit_code(code, NULL);
    }
    exit_code = run_command(client, options);
    vts_client_free(client);
    return vts_cli_explain_exit(exit_code, options);
}

int main(int argc, char *argv[])
{
    struct vts_cli_options options;
    char fault[512];
    int exit_code = VTS_CLI_EXIT_OK;

    vts_cli_streams_open();
    vts_cli_text_init();
    if (!vts_cli_options_parse(argc, argv, &options, fault, sizeof(fault)))
        return usage(&options, fault);
    if (options.is_help)
        vts_cli_help_print(stdout, options.command);
    else if (options.is_version)
        printf("vtstatus %s\n", vts_version());
    else
        exit_code = run(&options);
    return vts_cli_streams_finish(exit_code);
}
