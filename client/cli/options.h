/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, read into one struct. Flags win over the environment, and that over defaults.
 */
#ifndef VTS_CLI_OPTIONS_H
#define VTS_CLI_OPTIONS_H

#include <vtstatus/client.h>

enum vts_cli_command {
    VTS_CLI_COMMAND_NONE,
    VTS_CLI_COMMAND_GET,
    VTS_CLI_COMMAND_POLL,
    VTS_CLI_COMMAND_HEALTH,
};

struct vts_cli_options {
    enum vts_cli_command command; /* with is_help: what to explain */
    const char *job_id;           /* NULL: the server's default job */
    bool is_help;
    bool is_version;
    bool is_json;
    bool is_verbose;
    struct vts_client_options client;
    struct vts_poll_options poll;
};

/* Strings in *ret_options are those of argv and the environment. argv is reordered. False with one
 * line in error when something in it is wrong. */
bool vts_cli_options_parse(int argc, char *argv[], struct vts_cli_options *ret_options, char *error,
                           size_t error_size);

/* "get" and so on; NULL for VTS_CLI_COMMAND_NONE. */
const char *vts_cli_command_name(enum vts_cli_command command);

#endif
