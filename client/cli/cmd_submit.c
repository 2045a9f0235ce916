/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_submit.c - one job for each language, all in one request; their ids go to stdout, in the
 * order of the languages.
 *
 * With --wait their statuses do, as `watch` has them.
 */
#include <stdint.h>
#include <stdio.h>

#include "client/cli/clock.h"
#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/follow.h"
#include "client/cli/job_output.h"
#include "client/cli/output.h"
#include "client/cli/text.h"

struct submitted {
    struct vts_job *jobs[VTS_CLI_MAX_ITEMS];
    const char *ids[VTS_CLI_MAX_ITEMS]; /* theirs */
    size_t count;
};

static void fill(const struct vts_cli_options *options, struct vts_create_options *create)
{
    const struct vts_cli_submit_options *submit = &options->submit;

    vts_create_options_init(create);
    create->source_uri = options->words[0];
    create->source_language = submit->source_language;
    create->options = submit->options.items;
    create->options_count = submit->options.count;
    create->labels = submit->labels.items;
    create->labels_count = submit->labels.count;
    create->job_id = submit->job_id;
    create->request_id = submit->request_id;
    create->queue = submit->queue;
    create->priority = submit->priority;
    create->max_attempts = submit->max_attempts;
    create->timeout = submit->timeout;
    create->ttl = submit->ttl;
    if (submit->start_in > 0)
        create->start_time_ns = vts_cli_clock_wall_ns() + (int64_t)(submit->start_in * 1e9);
}

static bool print_job(const struct vts_job *job, const struct vts_cli_options *options)
{
    if (options->submit.is_waiting)
        return true; /* its status follows */
    if (options->is_json)
        return vts_cli_job_output_json(stdout, job);
    vts_cli_text_print(stdout, vts_job_id(job));
    putchar('\n');
    return true;
}

static void keep(struct submitted *submitted, struct vts_job *job,
                 const struct vts_cli_options *options)
{
    submitted->jobs[submitted->count] = job;
    submitted->ids[submitted->count++] = vts_job_id(job);
    if (!print_job(job, options))
        vts_cli_output_error("out of memory");
}

static int submit_one(struct vts_client *client, const struct vts_cli_options *options,
                      struct submitted *submitted)
{
    struct vts_create_options create;
    struct vts_job *job = NULL;
    struct vts_client_error error;
    enum vts_client_code code;

    fill(options, &create);
    create.target_language = options->submit.targets.items[0];
    code = vts_create_job(client, &create, &job, &error);
    if (code == VTS_CLIENT_OK)
        keep(submitted, job, options);
    else
        vts_cli_failure_print(&error, options);
    return vts_cli_exit_code(code, NULL);
}

/* Ids alone do not say whose they are once one of them is missing. */
static void print_outcomes(const struct vts_cli_options *options, struct vts_job *const *jobs,
                           const struct vts_client_error *errors)
{
    for (size_t i = 0; i < options->submit.targets.count; i++) {
        char what[128];
        char text[512];

        (void)snprintf(what, sizeof(what), "to %.100s", options->submit.targets.items[i]);
        (void)snprintf(text, sizeof(text), "%s: submitted as %.200s", what,
                       jobs[i] != NULL ? vts_job_id(jobs[i]) : "");
        if (jobs[i] != NULL)
            vts_cli_output_error(text);
        else
            vts_cli_failure_print_of(what, &errors[i], options);
    }
}

/* The exit status of the first one that failed; the others are submitted all the same. */
static int submit_many(struct vts_client *client, const struct vts_cli_options *options,
                       struct submitted *submitted)
{
    size_t count = options->submit.targets.count;
    struct vts_create_options creates[VTS_CLI_MAX_ITEMS];
    const struct vts_create_options *pointers[VTS_CLI_MAX_ITEMS] = {NULL};
    struct vts_job *jobs[VTS_CLI_MAX_ITEMS];
    struct vts_client_error errors[VTS_CLI_MAX_ITEMS];
    struct vts_client_error error;
    int first_exit = VTS_CLI_EXIT_OK;

    for (size_t i = 0; i < count; i++) {
        fill(options, &creates[i]);
        creates[i].target_language = options->submit.targets.items[i];
        pointers[i] = &creates[i];
    }
    if (vts_create_jobs(client, pointers, count, jobs, errors, &error) != VTS_CLIENT_OK) {
        vts_cli_failure_print(&error, options);
        return vts_cli_exit_code(error.code, NULL);
    }
    for (size_t i = 0; i < count; i++) {
        if (jobs[i] != NULL)
            keep(submitted, jobs[i], options);
        else if (first_exit == VTS_CLI_EXIT_OK)
            first_exit = vts_cli_exit_code(errors[i].code, NULL);
    }
    if (submitted->count < count)
        print_outcomes(options, jobs, errors);
    return first_exit;
}

int vts_cli_submit(struct vts_client *client, const struct vts_cli_options *options)
{
    struct submitted submitted = {.count = 0};
    int exit_code = options->submit.targets.count == 1 ? submit_one(client, options, &submitted)
                                                       : submit_many(client, options, &submitted);

    if (options->submit.is_waiting && submitted.count > 0) {
        int wait_exit = vts_cli_follow(client, submitted.ids, submitted.count, options);

        exit_code = exit_code != VTS_CLI_EXIT_OK ? exit_code : wait_exit;
    }
    for (size_t i = 0; i < submitted.count; i++)
        vts_job_free(submitted.jobs[i]);
    return exit_code;
}
