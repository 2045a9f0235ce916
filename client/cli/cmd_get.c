/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_get.c - asks once. */
#include <stddef.h>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"

int vts_cli_get(struct vts_client *client, const struct vts_cli_options *options)
{
    struct vts_status *status = NULL;
    struct vts_client_error error;
    enum vts_client_code code = vts_get_status(client, options->job_id, &status, &error);
    int exit_code = vts_cli_exit_code(code, status);

    if (code != VTS_CLIENT_OK)
        vts_cli_failure_print(&error, options);
    else if (!options->is_json)
        vts_cli_output_details(stdout, status, vts_cli_terminal_has_colors(stdout));
    else if (!vts_cli_output_json(stdout, status))
        exit_code = VTS_CLI_EXIT_NO_ANSWER;
    vts_status_free(status);
    return exit_code;
}
