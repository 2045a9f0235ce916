/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_output.c - statuses as lines of text and JSON. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/exit_code.h"
#include "client/cli/output.h"
#include "client/cli/text.h"
#include "tests/support/suite.h"
#include "tests/unit/client/sample_status.h"

static char text[4096];

static FILE *open_text(void)
{
    FILE *file = fmemopen(text, sizeof(text), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    return file;
}

static void print_line(const struct vts_status *status, bool has_colors)
{
    FILE *file = open_text();

    vts_cli_output_line(file, status, has_colors);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static struct vts_status *failed_status(const char *message)
{
    Vtstatus__V1__JobStatus job = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Rpc__Status error = GOOGLE__RPC__STATUS__INIT;

    error.code = 13;
    error.message = (char *)message;
    job.job_id = (char *)"j-1";
    job.status = VTSTATUS__V1__STATUS__STATUS_ERROR;
    job.state = VTSTATUS__V1__STATE__STATE_FAILED;
    job.done = 1;
    job.error = &error;
    return sample_status_of(&job);
}

static void line_of_a_running_job_has_its_progress(void)
{
    struct vts_status *status = sample_status_running("default", 3, 1);

    print_line(status, false);
    CU_ASSERT_STRING_EQUAL(text, "default: pending, 42 %, transcribe (2 of 6)\n");
    print_line(status, true);
    CU_ASSERT_STRING_EQUAL(text, "default: \x1b[33mpending\x1b[0m, 42 %, transcribe (2 of 6)\n");
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_OK, status), VTS_CLI_EXIT_OK);
    vts_status_free(status);
}

static void line_of_a_waiting_job_says_what_for(void)
{
    static const struct {
        int attempt;
        enum vts_pending_reason reason;
        const char *line;
    } cases[] = {
        {0, VTS_PENDING_QUEUED, "a: pending, not started yet\n"},
        {0, VTS_PENDING_SCHEDULED, "a: pending, scheduled for later\n"},
        {1, VTS_PENDING_BACKOFF, "a: pending, pausing after attempt 1\n"},
        {2, VTS_PENDING_QUEUED, "a: pending, waiting for another attempt after 2\n"},
        {0, VTS_PENDING_UNSPECIFIED, "a: pending, not started yet\n"},
        {0, (enum vts_pending_reason)9, "a: pending, not started yet\n"},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(cases); i++) {
        struct vts_status *status = sample_status_waiting("a", cases[i].attempt, cases[i].reason);

        print_line(status, false);
        CU_ASSERT_STRING_EQUAL(text, cases[i].line);
        vts_status_free(status);
    }
}

static void details_of_a_waiting_job_have_no_progress(void)
{
    struct vts_status *status = sample_status_waiting("a", 1, VTS_PENDING_BACKOFF);
    FILE *file = open_text();

    vts_cli_output_details(file, status, false);
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_STRING_EQUAL(text,
                           "job         a\n"
                           "status      pending (pending)\n"
                           "waits       pausing after attempt 1\n"
                           "attempt     1\n"
                           "revision    1\n");
    vts_status_free(status);
}

static void line_of_a_completed_job_has_its_result(void)
{
    struct vts_status *status = sample_status_completed("default", 3);

    print_line(status, false);
    CU_ASSERT_STRING_EQUAL(text, "default: completed: file:///out.mp4\n");
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_OK, status), VTS_CLI_EXIT_OK);
    vts_status_free(status);
}

static void line_of_a_failed_job_has_its_error_escaped(void)
{
    struct vts_status *status = failed_status("no disk\x1b[31m\nleft");

    print_line(status, false);
    CU_ASSERT_STRING_EQUAL(text, "j-1: error: no disk\\x1b[31m ...\n");
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_OK, status), VTS_CLI_EXIT_JOB_FAILED);
    vts_status_free(status);
}

static void details_have_a_row_for_what_is_known(void)
{
    struct vts_status *status = sample_status_running("default", 3, 1);
    FILE *file = open_text();

    vts_cli_output_details(file, status, false);
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_STRING_EQUAL(text,
                           "job         default\n"
                           "status      pending (running)\n"
                           "progress    42 %, transcribe (2 of 6)\n"
                           "revision    3\n"
                           "ask again   in 1 s\n");
    vts_status_free(status);
}

static void json_is_one_line(void)
{
    struct vts_status *status = failed_status("a\nb");
    FILE *file = open_text();

    CU_ASSERT(vts_cli_output_json(file, status));
    CU_ASSERT_EQUAL(fclose(file), 0);
    CU_ASSERT_STRING_EQUAL(text,
                           "{\"jobId\":\"j-1\",\"status\":\"error\",\"done\":true,"
                           "\"state\":\"failed\",\"error\":{\"code\":13,"
                           "\"message\":\"a\\nb\"}}\n");
    vts_status_free(status);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"line_of_a_running_job_has_its_progress", line_of_a_running_job_has_its_progress},
        {"line_of_a_waiting_job_says_what_for", line_of_a_waiting_job_says_what_for},
        {"details_of_a_waiting_job_have_no_progress", details_of_a_waiting_job_have_no_progress},
        {"line_of_a_completed_job_has_its_result", line_of_a_completed_job_has_its_result},
        {"line_of_a_failed_job_has_its_error_escaped", line_of_a_failed_job_has_its_error_escaped},
        {"details_have_a_row_for_what_is_known", details_have_a_row_for_what_is_known},
        {"json_is_one_line", json_is_one_line},
    };

    vts_cli_text_init();
    return vts_test_run("cli_output", tests, VTS_ARRAY_LEN(tests));
}
