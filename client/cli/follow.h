/* SPDX-License-Identifier: Apache-2.0 */
/* Follows jobs to their ends and shows how they get on. */
#ifndef VTS_CLI_FOLLOW_H
#define VTS_CLI_FOLLOW_H

#include "client/cli/options.h"

/* On a terminal there is one live line for each job on stderr, and at last each job's status on
 * stdout; otherwise each change is a line there. Returns the exit status: that of a job that ended
 * in error when there is one. */
int vts_cli_follow(struct vts_client *client, const char *const *job_ids, size_t count,
                   const struct vts_cli_options *options);

#endif
