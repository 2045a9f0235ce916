/* SPDX-License-Identifier: Apache-2.0 */
/* output.c - every string of the server goes through vts_cli_text_print() on its way out. */
#include "client/cli/output.h"

#include <inttypes.h>
#include <stddef.h>
#include <string.h>
#include <time.h>

#include "client/cli/text.h"

const char *vts_cli_output_color(const struct vts_status *status, bool has_colors)
{
    if (!has_colors)
        return "";
    switch (vts_status_value(status)) {
    case VTS_STATUS_COMPLETED:
        return "\x1b[32m";
    case VTS_STATUS_ERROR:
        return "\x1b[31m";
    case VTS_STATUS_PENDING:
        return "\x1b[33m";
    case VTS_STATUS_UNSPECIFIED:
        break;
    }
    return "";
}

const char *vts_cli_output_plain(bool has_colors)
{
    return has_colors ? "\x1b[0m" : "";
}

void vts_cli_output_format_waiting(const struct vts_status *status, char *text, size_t size)
{
    int attempt = vts_status_attempt(status);

    if (vts_status_pending_reason(status) == VTS_PENDING_SCHEDULED)
        (void)snprintf(text, size, "scheduled for later");
    else if (vts_status_pending_reason(status) == VTS_PENDING_BACKOFF)
        (void)snprintf(text, size, "pausing after attempt %d", attempt);
    else if (attempt > 0)
        (void)snprintf(text, size, "waiting for another attempt after %d", attempt);
    else
        (void)snprintf(text, size, "not started yet");
}

double vts_cli_output_percent(const struct vts_status *status)
{
    return vts_status_state(status) == VTS_STATE_PENDING ? 0 : vts_status_percent(status);
}

static void print_phase(FILE *file, const struct vts_status *status)
{
    vts_cli_text_print(file, vts_status_phase(status));
    if (vts_status_phase_count(status) > 0)
        fprintf(file, " (%d of %d)", vts_status_phase_index(status),
                vts_status_phase_count(status));
}

static void print_pending(FILE *file, const struct vts_status *status)
{
    if (vts_status_state(status) == VTS_STATE_CANCELLING)
        fputs(", being cancelled", file);
    if (vts_status_state(status) == VTS_STATE_PENDING) {
        char waiting[64];

        vts_cli_output_format_waiting(status, waiting, sizeof(waiting));
        fprintf(file, ", %s", waiting);
    }
    if (vts_status_queue_position(status) > 0)
        fprintf(file, ", place %d in the queue", vts_status_queue_position(status));
    if (vts_status_state(status) == VTS_STATE_RUNNING)
        fprintf(file, ", %.0f %%", vts_status_percent(status));
    if (vts_status_state(status) == VTS_STATE_RUNNING && vts_status_attempt(status) > 1)
        fprintf(file, ", attempt %d", vts_status_attempt(status));
    if (vts_status_state(status) != VTS_STATE_PENDING && vts_status_phase(status)[0] != '\0') {
        fputs(", ", file);
        print_phase(file, status);
    }
}

static void print_first_line(FILE *file, const char *text)
{
    char line[1024];
    size_t len = strcspn(text, "\n");

    (void)snprintf(line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : sizeof(line)),
                   text);
    vts_cli_text_print(file, line);
    if (text[len] != '\0')
        fputs(" ...", file);
}

static void print_done(FILE *file, const struct vts_status *status)
{
    if (vts_status_state(status) == VTS_STATE_CANCELLED)
        fputs(" (cancelled)", file);
    if (vts_status_error_message(status)[0] != '\0') {
        fputs(": ", file);
        print_first_line(file, vts_status_error_message(status));
    }
    if (vts_status_output_uri(status)[0] != '\0') {
        fputs(": ", file);
        vts_cli_text_print(file, vts_status_output_uri(status));
    }
}

void vts_cli_output_line(FILE *file, const struct vts_status *status, bool has_colors)
{
    vts_cli_text_print(file, vts_status_job_id(status));
    fprintf(file, ": %s%s%s", vts_cli_output_color(status, has_colors), vts_status_word(status),
            vts_cli_output_plain(has_colors));
    if (vts_status_is_done(status))
        print_done(file, status);
    else
        print_pending(file, status);
    fputc('\n', file);
}

void vts_cli_output_text_row(FILE *file, const char *name, const char *text)
{
    char line[1024];

    while (text[0] != '\0') {
        size_t len = strcspn(text, "\n");

        (void)snprintf(line, sizeof(line), "%.*s", (int)(len < sizeof(line) ? len : sizeof(line)),
                       text);
        fprintf(file, "%-12s", name);
        vts_cli_text_print(file, line);
        fputc('\n', file);
        text += len + (text[len] == '\n' ? 1 : 0);
        name = "";
    }
}

void vts_cli_output_format_time(int64_t ns, char text[VTS_CLI_TIME_BYTES])
{
    time_t seconds = (time_t)(ns / 1000000000);
    struct tm local;

    if (ns == 0 || localtime_r(&seconds, &local) == NULL ||
        strftime(text, VTS_CLI_TIME_BYTES, "%Y-%m-%d %H:%M:%S %z", &local) == 0)
        text[0] = '\0';
}

void vts_cli_output_time_row(FILE *file, const char *name, int64_t ns)
{
    char text[VTS_CLI_TIME_BYTES];

    vts_cli_output_format_time(ns, text);
    vts_cli_output_text_row(file, name, text);
}

void vts_cli_output_number_row(FILE *file, const char *name, int number)
{
    if (number > 0)
        fprintf(file, "%-12s%d\n", name, number);
}

static void print_status_rows(FILE *file, const struct vts_status *status, bool has_colors)
{
    vts_cli_output_text_row(file, "job", vts_status_job_id(status));
    fprintf(file, "%-12s%s%s%s", "status", vts_cli_output_color(status, has_colors),
            vts_status_word(status), vts_cli_output_plain(has_colors));
    if (vts_status_state(status) != VTS_STATE_UNSPECIFIED)
        fprintf(file, " (%s)", vts_status_state_word(status));
    fputc('\n', file);
}

static void print_waiting_row(FILE *file, const struct vts_status *status)
{
    char waiting[64];

    if (vts_status_state(status) != VTS_STATE_PENDING)
        return;
    vts_cli_output_format_waiting(status, waiting, sizeof(waiting));
    vts_cli_output_text_row(file, "waits", waiting);
}

static void print_percent_row(FILE *file, const struct vts_status *status)
{
    if (vts_status_phase(status)[0] == '\0' && vts_status_percent(status) <= 0)
        return;
    fprintf(file, "%-12s%.0f %%", "progress", vts_status_percent(status));
    if (vts_status_phase(status)[0] != '\0') {
        fputs(", ", file);
        print_phase(file, status);
    }
    fputc('\n', file);
}

/* What an attempt that is over had come to is no progress of the next one. */
static void print_progress_rows(FILE *file, const struct vts_status *status)
{
    if (vts_status_state(status) == VTS_STATE_PENDING)
        return;
    print_percent_row(file, status);
    vts_cli_output_text_row(file, "message", vts_status_message(status));
}

void vts_cli_output_details(FILE *file, const struct vts_status *status, bool has_colors)
{
    print_status_rows(file, status, has_colors);
    print_waiting_row(file, status);
    print_progress_rows(file, status);
    vts_cli_output_text_row(file, "error", vts_status_error_message(status));
    vts_cli_output_text_row(file, "result", vts_status_output_uri(status));
    vts_cli_output_number_row(file, "attempt", vts_status_attempt(status));
    vts_cli_output_number_row(file, "queue place", vts_status_queue_position(status));
    vts_cli_output_time_row(file, "updated", vts_status_update_time_ns(status));
    vts_cli_output_time_row(file, "expected", vts_status_estimated_completion_time_ns(status));
    fprintf(file, "%-12s%" PRIu64 "\n", "revision", vts_status_revision(status));
    if (vts_status_poll_after(status) >= 0)
        fprintf(file, "%-12sin %.3g s\n", "ask again", vts_status_poll_after(status));
}

bool vts_cli_output_json(FILE *file, const struct vts_status *status)
{
    char *json = NULL;

    if (vts_status_to_json(status, &json) != VTS_CLIENT_OK)
        return false;
    fprintf(file, "%s\n", json);
    vts_string_free(json);
    return true;
}

void vts_cli_output_error(const char *text)
{
    fputs("vtstatus: ", stderr);
    vts_cli_text_print(stderr, text);
    fputc('\n', stderr);
}
