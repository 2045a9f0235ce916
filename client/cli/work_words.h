/* SPDX-License-Identifier: Apache-2.0 */
/* What a job's command is given: arguments with the job's words in them, and an environment.
 *
 * The words come from whoever submitted the job. No shell sees them, and none may begin an argument
 * with '-', where it would be a flag. */
#ifndef VTS_CLI_WORK_WORDS_H
#define VTS_CLI_WORK_WORDS_H

#include <stdbool.h>

#include <vtstatus/worker.h>

#include "client/cli/options.h"

struct vts_cli_work_words {
    char **argv; /* NULL at their end */
    char **env;
    char *output; /* what --result makes; "" without it */
};

enum vts_cli_work_words_result {
    VTS_CLI_WORDS_OK,
    VTS_CLI_WORDS_NO_MEMORY,
    VTS_CLI_WORDS_LIKE_A_FLAG, /* the job is to fail: see above */
};

/* Whether a --result has only placeholders that there are; otherwise *ret_wrong is where the first
 * one begins that there is not, and *ret_len how long it is. */
bool vts_cli_work_words_check_result(const char *result, const char **ret_wrong, int *ret_len);

/* The caller ends *ret_words on every outcome. */
enum vts_cli_work_words_result vts_cli_work_words_make(const struct vts_cli_options *options,
                                                       const struct vts_job *job,
                                                       struct vts_cli_work_words *ret_words);
void vts_cli_work_words_fini(struct vts_cli_work_words *words);

#endif
