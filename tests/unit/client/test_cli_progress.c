/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_progress.c - the progress line at every width. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "client/cli/progress.h"
#include "client/cli/text.h"
#include "common/base/buf.h"
#include "tests/support/suite.h"
#include "tests/unit/client/sample_status.h"

enum { MAX_COLUMNS = 200 };

static char line[4 * MAX_COLUMNS + 64];

static void render(const struct vts_cli_progress *progress, unsigned columns, bool has_colors)
{
    vts_cli_progress_render(progress, columns, has_colors, line, sizeof(line));
}

/* As a terminal would count them; colours take none. */
static size_t columns_of(const char *text)
{
    size_t columns = 0;

    while (*text != '\0') {
        if (*text == '\x1b') {
            text = strchr(text, 'm') + 1;
            continue;
        }
        columns += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
        text++;
    }
    return columns;
}

static void line_shows_bar_percent_phase_and_countdown(void)
{
    struct vts_status *status = sample_status_running("default", 3, 1);
    struct vts_cli_progress progress = {
        .job_id = "default", .status = status, .failure = "", .next_poll = 2.4};

    render(&progress, 80, false);
    CU_ASSERT_STRING_EQUAL(line,
                           "default [##########...............]  42 % transcribe (2 of 6), "
                           "next look in 3 s");
    CU_ASSERT_EQUAL(columns_of(line), 79);
    vts_status_free(status);
}

static void line_of_a_waiting_job_forgets_the_last_attempt(void)
{
    struct vts_status *status = sample_status_waiting("a", 1, VTS_PENDING_QUEUED);
    struct vts_cli_progress progress = {.job_id = "a", .status = status, .failure = ""};

    render(&progress, 80, false);
    CU_ASSERT_PTR_NULL(strstr(line, "#"));
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "]   0 % pending, waiting for another attempt after 1"));
    vts_status_free(status);
}

static void line_fits_every_width(void)
{
    struct vts_status *status = sample_status_running("default", 3, 1);
    struct vts_cli_progress progress = {
        .job_id = "default", .status = status, .failure = "", .next_poll = 2.4};

    for (unsigned columns = 1; columns <= MAX_COLUMNS; columns++) {
        render(&progress, columns, false);
        CU_ASSERT(columns_of(line) <= columns);
        CU_ASSERT(columns < 7 || strncmp(line, "default", 7) == 0);
        render(&progress, columns, true);
        CU_ASSERT(columns_of(line) <= columns);
    }
    vts_status_free(status);
}

static void line_without_room_has_no_bar(void)
{
    struct vts_status *status = sample_status_running("default", 3, 1);
    struct vts_cli_progress progress = {
        .job_id = "default", .status = status, .failure = "", .next_poll = 0};

    render(&progress, 64, false);
    CU_ASSERT_STRING_EQUAL(line, "default  42 % transcribe (2 of 6)");
    vts_status_free(status);
}

static void line_shows_why_the_last_try_failed(void)
{
    struct vts_cli_progress progress = {
        .job_id = "default", .failure = "connection refused", .next_poll = 1};

    render(&progress, 79, false);
    CU_ASSERT_STRING_EQUAL(line, "default connection refused, next look in 1 s");
}

static void line_before_the_first_answer_says_so(void)
{
    struct vts_cli_progress progress = {.job_id = "default", .failure = ""};

    render(&progress, 79, false);
    CU_ASSERT_STRING_EQUAL(line, "default asking");
}

static void line_has_no_control_bytes_of_the_server(void)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    Vtstatus__V1__Progress inner = VTSTATUS__V1__PROGRESS__INIT;
    struct vts_cli_progress progress = {.job_id = "a\x1b]0;x\x07", .failure = ""};
    struct vts_status *status;

    inner.phase = (char *)"\x1b[2J\n";
    message.job_id = (char *)"x";
    message.progress = &inner;
    status = sample_status_of(&message);
    progress.status = status;
    render(&progress, 120, false);
    for (const char *c = line; *c != '\0'; c++)
        CU_ASSERT((unsigned char)*c >= 0x20 && *c != 0x7f);
    CU_ASSERT_PTR_NOT_NULL(strstr(line, "\\x1b[2J\\x0a"));
    vts_status_free(status);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"line_shows_bar_percent_phase_and_countdown", line_shows_bar_percent_phase_and_countdown},
        {"line_of_a_waiting_job_forgets_the_last_attempt",
         line_of_a_waiting_job_forgets_the_last_attempt},
        {"line_fits_every_width", line_fits_every_width},
        {"line_without_room_has_no_bar", line_without_room_has_no_bar},
        {"line_shows_why_the_last_try_failed", line_shows_why_the_last_try_failed},
        {"line_before_the_first_answer_says_so", line_before_the_first_answer_says_so},
        {"line_has_no_control_bytes_of_the_server", line_has_no_control_bytes_of_the_server},
    };

    vts_cli_text_init();
    return vts_test_run("cli_progress", tests, VTS_ARRAY_LEN(tests));
}
