/* SPDX-License-Identifier: Apache-2.0 */
/* What the command's exit status means; scripts rely on the numbers. */
#ifndef VTS_CLI_EXIT_CODE_H
#define VTS_CLI_EXIT_CODE_H

#include <vtstatus/client.h>

enum vts_cli_exit {
    VTS_CLI_EXIT_OK = 0,
    VTS_CLI_EXIT_JOB_FAILED = 1,
    VTS_CLI_EXIT_USAGE = 2,
    VTS_CLI_EXIT_NO_ANSWER = 3,
    VTS_CLI_EXIT_GAVE_UP = 4,
    VTS_CLI_EXIT_NOT_FOUND = 5,
    VTS_CLI_EXIT_DENIED = 6,
    VTS_CLI_EXIT_CONFLICT = 7,
    VTS_CLI_EXIT_SIGNAL = 128, /* and the signal's number on top, as shells have it */
};

/* For a call that ended with code; status may be NULL unless code is VTS_CLIENT_OK about a job. */
int vts_cli_exit_code(enum vts_client_code code, const struct vts_status *status);

#endif
