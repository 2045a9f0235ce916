/* SPDX-License-Identifier: Apache-2.0 */
/* test_report.c - what a worker's command may write, and what is no report. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include <vtstatus/worker.h>

#include "tests/support/suite.h"

static struct vts_report report;

static void parse(const char *line)
{
    memset(&report, 0x5a, sizeof(report));
    vts_report_parse(line, &report);
}

static void check_progress(const char *line, double percent, const char *phase, const char *message)
{
    parse(line);
    CU_ASSERT_EQUAL_FATAL(report.kind, VTS_REPORT_PROGRESS);
    CU_ASSERT_DOUBLE_EQUAL(report.percent, percent, 1e-4);
    CU_ASSERT_STRING_EQUAL(report.phase, phase);
    CU_ASSERT_STRING_EQUAL(report.message, message);
    CU_ASSERT_STRING_EQUAL(report.output_uri, "");
}

static void check_none(const char *line)
{
    parse(line);
    CU_ASSERT_EQUAL(report.kind, VTS_REPORT_NONE);
}

static void report_reads_progress_in_words(void)
{
    check_progress("progress 42.5", 42.5, "", "");
    check_progress("progress 0", 0, "", "");
    check_progress("progress 42.5 transcribe", 42.5, "transcribe", "");
    check_progress("progress 1e1 mux two  speakers found", 10, "mux", "two  speakers found");
    check_progress("  progress   7   mux   done  ", 7, "mux", "done");
    CU_ASSERT_EQUAL(report.phase_index, 0);
    CU_ASSERT_EQUAL(report.phase_count, 0);
}

static void report_reads_progress_in_json(void)
{
    check_progress("{\"percent\":42.5,\"phase\":\"mux\",\"message\":\"m n\"}", 42.5, "mux", "m n");
    check_progress(" {\"percent\":\"7\",\"phaseIndex\":2,\"phaseCount\":6} ", 7, "", "");
    CU_ASSERT_EQUAL(report.phase_index, 2);
    CU_ASSERT_EQUAL(report.phase_count, 6);
    check_progress("{\"percent\":\"7\",\"phaseIndex\":9,\"phaseCount\":6}", 7, "", "");
    CU_ASSERT_EQUAL(report.phase_index, 6); /* the server would refuse it */
    check_progress("{\"percent\":1,\"phase_index\":-5,\"eta\":{\"s\":[1]}}", 1, "", "");
    CU_ASSERT_EQUAL(report.phase_index, 0);
    check_progress("{}", 0, "", "");
}

static void report_reads_output(void)
{
    parse("output file:///out.mp4");
    CU_ASSERT_EQUAL(report.kind, VTS_REPORT_OUTPUT);
    CU_ASSERT_STRING_EQUAL(report.output_uri, "file:///out.mp4");
    parse("output   s3://a/b c  ");
    CU_ASSERT_STRING_EQUAL(report.output_uri, "s3://a/b c");
}

static void report_bounds_what_is_out_of_range(void)
{
    check_progress("progress 1000", 100, "", "");
    check_progress("progress -3", 0, "", "");
    check_progress("{\"percent\":1e30}", 100, "", "");
    check_progress("{\"percent\":\"NaN\"}", 0, "", "");
    check_progress("{\"percent\":\"-Infinity\"}", 0, "", "");
}

static void report_hands_out_text_alone(void)
{
    check_progress("progress 5 a\x1b[2J \xff\xfe\x7f\xc3\xbc", 5, "a?[2J", "???\xc3\xbc");
    check_progress("{\"phase\":\"\\u001b\\u009b\"}", 0, "??", "");
}

static void report_cuts_off_long_text(void)
{
    char line[4096] = "progress 5 ";
    size_t len = strlen(line);

    /* Two bytes each, so that a cut in the middle would show. */
    while (len + 3 < sizeof(line)) {
        memcpy(line + len, "\xc3\xbc", 3);
        len += 2;
    }
    parse(line);
    CU_ASSERT_EQUAL(report.kind, VTS_REPORT_PROGRESS);
    CU_ASSERT_EQUAL(strlen(report.phase), sizeof(report.phase) - 2);
    memcpy(line, "output     ", 11);
    parse(line);
    CU_ASSERT_EQUAL(strlen(report.output_uri), sizeof(report.output_uri) - 2);
}

static void report_leaves_other_lines_alone(void)
{
    check_none("");
    check_none("   ");
    check_none("progress");
    check_none("progress ");
    check_none("progress half");
    check_none("progress 42%");
    check_none("progress nan");
    check_none("progress 0x10");
    check_none("Progress 42");
    check_none("progressing 42");
    check_none("output");
    check_none("output ");
    check_none("outputs file:///x");
    check_none("frame= 100 fps=25");
    check_none("{");
    check_none("{\"percent\":1} x");
    check_none("{\"percent\":\"soon\"}");
    check_none("{\"percent\":1,\"percent\":2}");
    check_none("[1]");
    check_none("{\"phase\":\"\xff\"}");
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"report_reads_progress_in_words", report_reads_progress_in_words},
        {"report_reads_progress_in_json", report_reads_progress_in_json},
        {"report_reads_output", report_reads_output},
        {"report_bounds_what_is_out_of_range", report_bounds_what_is_out_of_range},
        {"report_hands_out_text_alone", report_hands_out_text_alone},
        {"report_cuts_off_long_text", report_cuts_off_long_text},
        {"report_leaves_other_lines_alone", report_leaves_other_lines_alone},
    };

    return vts_test_run("report", tests, VTS_ARRAY_LEN(tests));
}
