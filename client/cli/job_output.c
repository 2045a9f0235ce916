/* SPDX-License-Identifier: Apache-2.0 */
/* job_output.c - rows below each other for one job, beside each other for many. */
#include "client/cli/job_output.h"

#include <inttypes.h>
#include <string.h>

#include "client/cli/output.h"
#include "client/cli/text.h"

/* ---- one job --------------------------------------------------------------------------------- */

static void print_pair_row(FILE *file, const char *name, const struct vts_pair *pair)
{
    fprintf(file, "%-12s", name);
    vts_cli_text_print(file, pair->key);
    fputc('=', file);
    vts_cli_text_print(file, pair->value);
    fputc('\n', file);
}

static void print_pairs(FILE *file, const struct vts_job *job)
{
    for (size_t i = 0; i < vts_job_option_count(job); i++)
        print_pair_row(file, i == 0 ? "options" : "", vts_job_option(job, i));
    for (size_t i = 0; i < vts_job_label_count(job); i++)
        print_pair_row(file, i == 0 ? "labels" : "", vts_job_label(job, i));
}

static void print_attempt(FILE *file, const struct vts_attempt *attempt)
{
    char start[VTS_CLI_TIME_BYTES];
    char end[VTS_CLI_TIME_BYTES];

    vts_cli_output_format_time(attempt->start_time_ns, start);
    vts_cli_output_format_time(attempt->end_time_ns, end);
    fprintf(file, "\nattempt %d\n", attempt->number);
    vts_cli_output_text_row(file, "  worker", attempt->worker_id);
    vts_cli_output_text_row(file, "  started", start);
    vts_cli_output_text_row(file, "  ended", end);
    if (attempt->error_code != 0 && attempt->error_message[0] == '\0')
        fprintf(file, "%-12scode %d\n", "  error", attempt->error_code);
    vts_cli_output_text_row(file, "  error", attempt->error_message);
}

void vts_cli_job_output_details(FILE *file, const struct vts_job *job, bool has_colors)
{
    vts_cli_output_details(file, vts_job_status(job), has_colors);
    vts_cli_output_text_row(file, "etag", vts_job_etag(job));
    vts_cli_output_text_row(file, "source", vts_job_source_uri(job));
    vts_cli_output_text_row(file, "from", vts_job_source_language(job));
    vts_cli_output_text_row(file, "to", vts_job_target_language(job));
    print_pairs(file, job);
    vts_cli_output_text_row(file, "queue", vts_job_queue(job));
    if (vts_job_priority(job) != 0)
        fprintf(file, "%-12s%d\n", "priority", vts_job_priority(job));
    vts_cli_output_number_row(file, "attempts", vts_job_max_attempts(job));
    if (vts_job_timeout(job) > 0)
        fprintf(file, "%-12s%.3g s\n", "timeout", vts_job_timeout(job));
    vts_cli_output_time_row(file, "created", vts_job_create_time_ns(job));
    vts_cli_output_time_row(file, "started", vts_job_start_time_ns(job));
    vts_cli_output_time_row(file, "ended", vts_job_end_time_ns(job));
    vts_cli_output_time_row(file, "expires", vts_job_expire_time_ns(job));
    for (size_t i = 0; i < vts_job_attempt_count(job); i++)
        print_attempt(file, vts_job_attempt(job, i));
}

/* ---- a table --------------------------------------------------------------------------------- */

enum {
    JOB_COLUMNS = 26,
    STATE_COLUMNS = 10,
    PERCENT_COLUMNS = 5,
    LANGUAGE_COLUMNS = 7,
    QUEUE_COLUMNS = 10,
    TIME_COLUMNS = 19,
};

/* Fills up to the column, and two more to the next one. What is longer pushes the others. */
static void print_cell(FILE *file, const char *text, size_t columns)
{
    char room[1024];
    size_t taken = vts_cli_text_escape(text, room, sizeof(room), sizeof(room), NULL);

    fprintf(file, "%s%*s  ", room, taken < columns ? (int)(columns - taken) : 0, "");
}

void vts_cli_job_output_heading(FILE *file)
{
    print_cell(file, "JOB", JOB_COLUMNS);
    print_cell(file, "STATE", STATE_COLUMNS);
    print_cell(file, "DONE", PERCENT_COLUMNS);
    print_cell(file, "TO", LANGUAGE_COLUMNS);
    print_cell(file, "QUEUE", QUEUE_COLUMNS);
    print_cell(file, "CREATED", TIME_COLUMNS);
    fputs("SOURCE\n", file);
}

void vts_cli_job_output_row(FILE *file, const struct vts_job *job, bool has_colors)
{
    const struct vts_status *status = vts_job_status(job);
    char percent[16];
    char created[VTS_CLI_TIME_BYTES];

    (void)snprintf(percent, sizeof(percent), "%3.0f %%", vts_cli_output_percent(status));
    vts_cli_output_format_time(vts_job_create_time_ns(job), created);
    created[strlen(created) > TIME_COLUMNS ? TIME_COLUMNS : strlen(created)] = '\0';
    print_cell(file, vts_job_id(job), JOB_COLUMNS);
    fputs(vts_cli_output_color(status, has_colors), file);
    print_cell(file, vts_status_state_word(status), STATE_COLUMNS);
    fputs(vts_cli_output_plain(has_colors), file);
    print_cell(file, percent, PERCENT_COLUMNS);
    print_cell(file, vts_job_target_language(job), LANGUAGE_COLUMNS);
    print_cell(file, vts_job_queue(job), QUEUE_COLUMNS);
    print_cell(file, created, TIME_COLUMNS);
    vts_cli_text_print(file, vts_job_source_uri(job));
    fputc('\n', file);
}

bool vts_cli_job_output_json(FILE *file, const struct vts_job *job)
{
    char *json = NULL;

    if (vts_job_to_json(job, &json) != VTS_CLIENT_OK)
        return false;
    fprintf(file, "%s\n", json);
    vts_string_free(json);
    return true;
}
