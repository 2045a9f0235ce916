/* SPDX-License-Identifier: Apache-2.0 */
/* exit_code.c - the library's outcomes as exit statuses. */
#include "client/cli/exit_code.h"

#include <stddef.h>

static int job_exit(const struct vts_status *status)
{
    if (status == NULL || !vts_status_is_done(status))
        return VTS_CLI_EXIT_OK;
    return vts_status_value(status) == VTS_STATUS_COMPLETED ? VTS_CLI_EXIT_OK
                                                            : VTS_CLI_EXIT_JOB_FAILED;
}

int vts_cli_exit_code(enum vts_client_code code, const struct vts_status *status)
{
    switch (code) {
    case VTS_CLIENT_OK:
        return job_exit(status);
    case VTS_CLIENT_USAGE:
        return VTS_CLI_EXIT_USAGE;
    case VTS_CLIENT_CANCELLED:
    case VTS_CLIENT_GAVE_UP:
        return VTS_CLI_EXIT_GAVE_UP;
    case VTS_CLIENT_NOT_FOUND:
        return VTS_CLI_EXIT_NOT_FOUND;
    case VTS_CLIENT_DENIED:
        return VTS_CLI_EXIT_DENIED;
    case VTS_CLIENT_CONFLICT:
    case VTS_CLIENT_LEASE_LOST:
        return VTS_CLI_EXIT_CONFLICT;
    case VTS_CLIENT_NO_MEMORY:
    case VTS_CLIENT_RESOLVE:
    case VTS_CLIENT_CONNECT:
    case VTS_CLIENT_TLS:
    case VTS_CLIENT_TIMEOUT:
    case VTS_CLIENT_UNAVAILABLE:
    case VTS_CLIENT_REFUSED:
    case VTS_CLIENT_UNDECODABLE:
        return VTS_CLI_EXIT_NO_ANSWER;
    }
    return VTS_CLI_EXIT_NO_ANSWER;
}
