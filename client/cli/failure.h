/* SPDX-License-Identifier: Apache-2.0 */
/* What went wrong, and what the user can do about it, on stderr. */
#ifndef VTS_CLI_FAILURE_H
#define VTS_CLI_FAILURE_H

#include "client/cli/options.h"

void vts_cli_failure_print(const struct vts_client_error *error,
                           const struct vts_cli_options *options);
/* The same of one of several, which `what` names: a job, or "to de". */
void vts_cli_failure_print_of(const char *what, const struct vts_client_error *error,
                              const struct vts_cli_options *options);

#endif
