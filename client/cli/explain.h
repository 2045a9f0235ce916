/* SPDX-License-Identifier: Apache-2.0 */
/* Requests as curl commands that a shell takes as they are. */
#ifndef VTS_CLI_EXPLAIN_H
#define VTS_CLI_EXPLAIN_H

#include "client/cli/options.h"

/* For struct vts_client_options; context is the struct vts_cli_options. Prints the command on
 * stdout, and lets nothing be sent. */
bool vts_cli_explain_request(const struct vts_http_request *request, void *context);

/* The exit status of a command whose requests were printed and not sent: that is a success. */
int vts_cli_explain_exit(int exit_code, const struct vts_cli_options *options);

#endif
