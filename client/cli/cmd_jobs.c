/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_jobs.c - show, cancel, retry and delete: one call for each job that is named.
 *
 * A job that fails does not keep the others from their turn; the exit status is that of the first
 * one that did.
 */
#include <stdio.h>
#include <string.h>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/explain.h"
#include "client/cli/failure.h"
#include "client/cli/job_output.h"
#include "client/cli/output.h"
#include "client/cli/terminal.h"

typedef enum vts_client_code (*call_fn)(struct vts_client *client, const char *job_id,
                                        const struct vts_cli_options *options,
                                        struct vts_job **ret_job, struct vts_client_error *error);

typedef int (*print_fn)(const char *job_id, const struct vts_job *job,
                        const struct vts_cli_options *options);

/* Of several it has to say whose it is. */
static void print_failure(const char *job_id, const struct vts_client_error *error,
                          const struct vts_cli_options *options)
{
    if (options->words_count > 1)
        vts_cli_failure_print_of(job_id, error, options);
    else
        vts_cli_failure_print(error, options);
}

static int for_each_job(struct vts_client *client, const struct vts_cli_options *options,
                        call_fn call, print_fn print)
{
    int first_exit = VTS_CLI_EXIT_OK;

    for (size_t i = 0; i < options->words_count; i++) {
        struct vts_job *job = NULL;
        struct vts_client_error error;
        enum vts_client_code code = call(client, options->words[i], options, &job, &error);
        int exit_code = vts_cli_exit_code(code, NULL);

        if (code == VTS_CLIENT_OK)
            exit_code = print(options->words[i], job, options);
        else
            print_failure(options->words[i], &error, options);
        exit_code = vts_cli_explain_exit(exit_code, options);
        vts_job_free(job);
        first_exit = first_exit != VTS_CLI_EXIT_OK ? first_exit : exit_code;
    }
    return first_exit;
}

/* ---- printing -------------------------------------------------------------------------------- */

static int print_json(const struct vts_job *job)
{
    if (vts_cli_job_output_json(stdout, job))
        return VTS_CLI_EXIT_OK;
    vts_cli_output_error("out of memory");
    return VTS_CLI_EXIT_NO_ANSWER;
}

/* As with get, a job that failed makes the difference. */
static int print_details(const char *job_id, const struct vts_job *job,
                         const struct vts_cli_options *options)
{
    int exit_code = VTS_CLI_EXIT_OK;

    if (options->is_json) {
        exit_code = print_json(job);
    } else {
        if (job_id != options->words[0])
            putchar('\n');
        vts_cli_job_output_details(stdout, job, vts_cli_terminal_has_colors(stdout));
    }
    return exit_code != VTS_CLI_EXIT_OK ? exit_code
                                        : vts_cli_exit_code(VTS_CLIENT_OK, vts_job_status(job));
}

static int print_line(const char *job_id, const struct vts_job *job,
                      const struct vts_cli_options *options)
{
    (void)job_id; /* the job knows it */
    if (options->is_json)
        return print_json(job);
    vts_cli_output_line(stdout, vts_job_status(job), vts_cli_terminal_has_colors(stdout));
    return VTS_CLI_EXIT_OK;
}

static int print_deleted(const char *job_id, const struct vts_job *job,
                         const struct vts_cli_options *options)
{
    (void)job; /* there is none any more */
    /* The library has taken the id, so that it has no character to escape. */
    printf(options->is_json ? "{\"jobId\":\"%s\",\"deleted\":true}\n" : "%s: deleted\n", job_id);
    return VTS_CLI_EXIT_OK;
}

/* ---- calls ----------------------------------------------------------------------------------- */

static enum vts_client_code get(struct vts_client *client, const char *job_id,
                                const struct vts_cli_options *options, struct vts_job **ret_job,
                                struct vts_client_error *error)
{
    (void)options;
    return vts_get_job(client, job_id, ret_job, error);
}

enum { MAX_ETAG_BYTES = 300 };

static bool is_quoted(const char *etag)
{
    return strchr(etag, '"') != NULL;
}

/* room holds an entity tag whose quotes were left to the shell. */
static void fill(const struct vts_cli_options *options, char room[MAX_ETAG_BYTES],
                 struct vts_decide_options *ret_decide)
{
    vts_decide_options_init(ret_decide);
    ret_decide->reason = options->reason;
    if (options->etag == NULL)
        return;
    (void)snprintf(room, MAX_ETAG_BYTES, is_quoted(options->etag) ? "%s" : "\"%s\"", options->etag);
    ret_decide->etag = room;
}

static enum vts_client_code cancel(struct vts_client *client, const char *job_id,
                                   const struct vts_cli_options *options, struct vts_job **ret_job,
                                   struct vts_client_error *error)
{
    struct vts_decide_options decide;
    char room[MAX_ETAG_BYTES];

    fill(options, room, &decide);
    return vts_cancel_job(client, job_id, &decide, ret_job, error);
}

static enum vts_client_code retry(struct vts_client *client, const char *job_id,
                                  const struct vts_cli_options *options, struct vts_job **ret_job,
                                  struct vts_client_error *error)
{
    struct vts_decide_options decide;
    char room[MAX_ETAG_BYTES];

    fill(options, room, &decide);
    return vts_retry_job(client, job_id, &decide, ret_job, error);
}

static enum vts_client_code forget(struct vts_client *client, const char *job_id,
                                   const struct vts_cli_options *options, struct vts_job **ret_job,
                                   struct vts_client_error *error)
{
    struct vts_decide_options decide;
    char room[MAX_ETAG_BYTES];

    (void)ret_job; /* nothing is left to return */
    fill(options, room, &decide);
    return vts_delete_job(client, job_id, &decide, error);
}

/* ---- commands -------------------------------------------------------------------------------- */

int vts_cli_show(struct vts_client *client, const struct vts_cli_options *options)
{
    return for_each_job(client, options, get, print_details);
}

int vts_cli_cancel(struct vts_client *client, const struct vts_cli_options *options)
{
    return for_each_job(client, options, cancel, print_line);
}

int vts_cli_retry(struct vts_client *client, const struct vts_cli_options *options)
{
    return for_each_job(client, options, retry, print_line);
}

int vts_cli_delete(struct vts_client *client, const struct vts_cli_options *options)
{
    return for_each_job(client, options, forget, print_deleted);
}
