/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_call.c - any method; the messages are the server's and the caller's business. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <vtstatus/call.h>

#include "client/cli/commands.h"
#include "client/cli/data.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/output.h"
#include "client/cli/streams.h"
#include "client/cli/terminal.h"
#include "client/cli/text.h"

/* Strings may hold characters that are no controls and yet turn a terminal's lines around; what
 * stands in their place, \u202e and the like, means the same in JSON. */
static void print_safely(char *json)
{
    char *rest = NULL;

    for (char *line = strtok_r(json, "\r\n", &rest); line != NULL;
         line = strtok_r(NULL, "\r\n", &rest)) {
        vts_cli_text_print(stdout, line);
        putchar('\n');
    }
}

static bool print_message(const char *json, size_t len, void *context)
{
    const bool *is_terminal = context;
    char *copy = *is_terminal ? strdup(json) : NULL;

    if (copy != NULL)
        print_safely(copy);
    else if (fwrite(json, 1, len, stdout) == len)
        putchar('\n');
    free(copy);
    /* Whoever waits for the message wants it now; and nobody may be there any more. */
    return vts_cli_streams_flush();
}

int vts_cli_call(struct vts_client *client, const struct vts_cli_options *options)
{
    bool is_terminal = vts_cli_terminal_can_redraw(stdout);
    struct vts_call_options call;
    struct vts_client_error error;
    enum vts_client_code code;
    char *json = NULL;

    if (!vts_cli_data_read(options->call.data, &json))
        return VTS_CLI_EXIT_USAGE;
    vts_call_options_init(&call);
    call.kind = options->call.is_stream ? VTS_CALL_STREAM : VTS_CALL_ANY;
    call.fields = options->call.fields.items;
    call.fields_count = options->call.fields.count;
    call.on_message = print_message;
    call.context = &is_terminal;
    code = vts_call_json(client, options->words[0], json, &call, &error);
    free(json);
    /* Cancelled: our lines cannot be written, and main() says so if it must. */
    if (code != VTS_CLIENT_OK && code != VTS_CLIENT_CANCELLED)
        vts_cli_failure_print(&error, options);
    /* The call itself would find out by asking. */
    if (code == VTS_CLIENT_CANCELLED && options->is_explaining && !options->call.is_stream)
        vts_cli_output_error("a method that answers with a stream is explained with --stream");
    return vts_cli_exit_code(code, NULL);
}
