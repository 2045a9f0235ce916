/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_watch.c - follows the named jobs, or the server's default one. */
#include <stddef.h>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/follow.h"

/* The job is the token's; when one is named as well, the library sees that it is the same. */
static int resume(struct vts_client *client, const struct vts_cli_options *options)
{
    struct vts_client_error error;
    char *job_id = NULL;
    enum vts_client_code code = vts_wait_token_job(client, options->resume, &job_id, &error);
    const char *job_ids[] = {job_id};
    int exit_code;

    if (code != VTS_CLIENT_OK) {
        vts_cli_failure_print(&error, options);
        return vts_cli_exit_code(code, NULL);
    }
    exit_code = vts_cli_follow(client, job_ids, 1, options);
    vts_string_free(job_id);
    return exit_code;
}

int vts_cli_watch(struct vts_client *client, const struct vts_cli_options *options)
{
    static const char *const default_job[] = {"default"};

    if (options->resume != NULL)
        return resume(client, options);
    if (options->words_count == 0)
        return vts_cli_follow(client, default_job, 1, options);
    return vts_cli_follow(client, options->words, options->words_count, options);
}
