/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_job_output.c - jobs as rows below and beside each other. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client/cli/job_output.h"
#include "client/cli/text.h"
#include "tests/support/suite.h"
#include "tests/unit/client/sample_job.h"

static char text[8192];

static void print(const Vtstatus__V1__Job *message,
                  void (*print_fn)(FILE *file, const struct vts_job *job, bool has_colors),
                  bool has_colors)
{
    struct vts_job *job = sample_job_of(message);
    FILE *file = fmemopen(text, sizeof(text), "w");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    print_fn(file, job, has_colors);
    CU_ASSERT_EQUAL(fclose(file), 0);
    vts_job_free(job);
}

static void check_line(const char *line)
{
    const char *found = strstr(text, line);

    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    CU_ASSERT(found == text || found[-1] == '\n');
}

static void details_tell_all(void)
{
    print(sample_job_message(), vts_cli_job_output_details, false);
    check_line("job         j-1\n");
    check_line("status      pending (running)\n");
    check_line("source      file:///in.mp4\n");
    check_line("from        en\n");
    check_line("to          de\n");
    check_line("options     voice=low\n            no-name=x\n");
    check_line("labels      team=a\n");
    check_line("queue       slow\n");
    check_line("priority    -7\n");
    check_line("timeout     90.5 s\n");
    check_line("created     2025-11-26 12:13:22 +0000\n");
    check_line(
        "attempt 1\n  worker    w-1\n  started   2025-11-26 12:13:22 +0000\n"
        "  error     no disk\n            left\n");
    CU_ASSERT_PTR_NULL(strstr(text, "ended"));
}

static void row_has_its_columns(void)
{
    print(sample_job_message(), vts_cli_job_output_row, false);
    CU_ASSERT_STRING_EQUAL(text,
                           "j-1                         running       0 %  de       slow        "
                           "2025-11-26 12:13:22  file:///in.mp4\n");
    print(sample_job_message(), vts_cli_job_output_row, true);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\x1b[33mrunning     \x1b[0m  0 %"));
}

static void rows_are_escaped(void)
{
    Vtstatus__V1__Job *message = sample_job_message();

    message->spec->source_uri = (char *)"\x1b[2Ja\n";
    message->spec->target_language = (char *)"d\r";
    message->labels[0]->value = (char *)"\xe2\x80\xae";
    print(message, vts_cli_job_output_row, false);
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "d\\x0d"));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "\\x1b[2Ja\\x0a\n"));
    print(message, vts_cli_job_output_details, false);
    CU_ASSERT_PTR_NULL(strchr(text, '\x1b'));
    CU_ASSERT_PTR_NULL(strchr(text, '\r'));
    CU_ASSERT_PTR_NOT_NULL(strstr(text, "team=\\u202e\n"));
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"details_tell_all", details_tell_all},
        {"row_has_its_columns", row_has_its_columns},
        {"rows_are_escaped", rows_are_escaped},
    };

    (void)setenv("TZ", "UTC", 1);
    tzset();
    vts_cli_text_init();
    return vts_test_run("cli_job_output", tests, VTS_ARRAY_LEN(tests));
}
