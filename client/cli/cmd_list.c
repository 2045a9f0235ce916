/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_list.c - a table of jobs, or a line of JSON for each. */
#include <stdint.h>
#include <stdio.h>

#include "client/cli/clock.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/job_output.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"

enum { MAX_PAGE = 1000 };

static void fill(const struct vts_cli_list_options *from, struct vts_list_options *to)
{
    vts_list_options_init(to);
    to->states = from->states.items;
    to->states_count = from->states.count;
    to->labels = from->labels.items;
    to->labels_count = from->labels.count;
    to->queue = from->queue;
    to->is_oldest_first = from->is_oldest_first;
    if (from->since > 0)
        to->created_after_ns = vts_cli_clock_wall_ns() - (int64_t)(from->since * 1e9);
    if (from->limit > 0 && from->limit < MAX_PAGE)
        to->page_size = from->limit;
}

static bool print_job(const struct vts_job *job, const struct vts_cli_options *options,
                      bool has_colors)
{
    if (options->is_json)
        return vts_cli_job_output_json(stdout, job);
    vts_cli_job_output_row(stdout, job, has_colors);
    return true;
}

/* Prints until the walk ends, or the limit, or nobody reads any more. */
static int print_jobs(struct vts_job_list *list, const struct vts_cli_options *options)
{
    bool has_colors = vts_cli_terminal_has_colors(stdout);
    struct vts_client_error error;

    for (int count = 0; options->list.limit == 0 || count < options->list.limit; count++) {
        struct vts_job *job = NULL;
        bool is_printed;

        if (vts_job_list_next(list, &job, &error) != VTS_CLIENT_OK) {
            vts_cli_failure_print(&error, options);
            return vts_cli_exit_code(error.code, NULL);
        }
        if (count == 0 && !options->is_json)
            vts_cli_job_output_heading(stdout);
        if (job == NULL)
            break;
        is_printed = print_job(job, options, has_colors);
        vts_job_free(job);
        if (!is_printed) {
            vts_cli_output_error("out of memory");
            return VTS_CLI_EXIT_NO_ANSWER;
        }
        if (ferror(stdout))
            break;
    }
    return VTS_CLI_EXIT_OK;
}

int vts_cli_list(struct vts_client *client, const struct vts_cli_options *options)
{
    struct vts_list_options filter;
    struct vts_job_list *list = NULL;
    struct vts_client_error error;
    enum vts_client_code code;
    int exit_code;

    fill(&options->list, &filter);
    code = vts_list_jobs(client, &filter, &list, &error);
    if (code != VTS_CLIENT_OK) {
        vts_cli_failure_print(&error, options);
        return vts_cli_exit_code(code, NULL);
    }
    exit_code = print_jobs(list, options);
    vts_job_list_free(list);
    return exit_code;
}
