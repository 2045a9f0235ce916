/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_watch.c - follows the named jobs, or the server's default one. */
#include <stddef.h>

#include "client/cli/commands.h"
#include "client/cli/follow.h"

int vts_cli_watch(struct vts_client *client, const struct vts_cli_options *options)
{
    static const char *const default_job[] = {"default"};

    if (options->words_count == 0)
        return vts_cli_follow(client, default_job, 1, options);
    return vts_cli_follow(client, options->words, options->words_count, options);
}
