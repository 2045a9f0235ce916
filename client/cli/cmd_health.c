/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_health.c - is the server there? */
#include <stddef.h>
#include <stdio.h>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"

int vts_cli_health(struct vts_client *client, const struct vts_cli_options *options)
{
    struct vts_client_error error;
    enum vts_client_code code = vts_check_health(client, &error);

    if (code != VTS_CLIENT_OK)
        vts_cli_failure_print(&error, options);
    else
        puts(options->is_json ? "{\"healthy\":true}" : "healthy");
    return vts_cli_exit_code(code, NULL);
}
