/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_work_words.c - what a job's command is given. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/work_words.h"
#include "tests/support/suite.h"
#include "tests/unit/client/sample_job.h"

static struct vts_cli_options options;
static struct vts_cli_work_words words;

/* Makes the words of a command with one argument. */
static enum vts_cli_work_words_result make(const Vtstatus__V1__Job *message, const char *argument,
                                           const char *result)
{
    static const char *list[3] = {"run"};
    struct vts_job *job = sample_job_of(message);
    enum vts_cli_work_words_result made;

    list[1] = argument;
    options = (struct vts_cli_options){.words = list, .words_count = 2, .work = {.result = result}};
    made = vts_cli_work_words_make(&options, job, &words);
    vts_job_free(job); /* what was made is its own */
    return made;
}

static void check_argument(const char *argument, const char *result, const char *expected)
{
    CU_ASSERT_EQUAL_FATAL(make(sample_job_message(), argument, result), VTS_CLI_WORDS_OK);
    CU_ASSERT_STRING_EQUAL(words.argv[0], "run");
    CU_ASSERT_STRING_EQUAL(words.argv[1], expected);
    CU_ASSERT_PTR_NULL(words.argv[2]);
    vts_cli_work_words_fini(&words);
}

static void words_take_the_place_of_placeholders(void)
{
    check_argument("{source}", NULL, "file:///in.mp4");
    check_argument("{from}-{to}:{job}", NULL, "en-de:j-1");
    check_argument("", NULL, "");
    check_argument("{Source} {sourc} {source", NULL, "{Source} {sourc} {source");
    check_argument("{{source}}", NULL, "{file:///in.mp4}");
    check_argument("o={output}", "s3://{job}.{to}.mp4", "o=s3://j-1.de.mp4");
    check_argument("o={output}", "{output}", "o={output}");
}

static void words_that_are_put_in_are_not_looked_at_again(void)
{
    Vtstatus__V1__Job *message = sample_job_message();

    message->spec->source_uri = (char *)"{job}{source}";
    CU_ASSERT_EQUAL_FATAL(make(message, "{source}", NULL), VTS_CLI_WORDS_OK);
    CU_ASSERT_STRING_EQUAL(words.argv[1], "{job}{source}");
    vts_cli_work_words_fini(&words);
}

static void words_do_not_begin_an_argument_like_a_flag(void)
{
    Vtstatus__V1__Job *message = sample_job_message();

    message->spec->source_uri = (char *)"-o/etc/passwd";
    CU_ASSERT_EQUAL(make(message, "{source}", NULL), VTS_CLI_WORDS_LIKE_A_FLAG);
    vts_cli_work_words_fini(&words);
    CU_ASSERT_EQUAL(make(message, "{source}.mp4", NULL), VTS_CLI_WORDS_LIKE_A_FLAG);
    vts_cli_work_words_fini(&words);
    CU_ASSERT_EQUAL(make(message, "--in={source}", NULL), VTS_CLI_WORDS_OK);
    vts_cli_work_words_fini(&words);
    CU_ASSERT_EQUAL(make(message, "{output}", "{source}"), VTS_CLI_WORDS_LIKE_A_FLAG);
    vts_cli_work_words_fini(&words);
}

static const char *variable(const char *name)
{
    size_t len = strlen(name);
    const char *found = NULL;

    for (char **one = words.env; *one != NULL; one++)
        if (strncmp(*one, name, len) == 0 && (*one)[len] == '=') {
            CU_ASSERT_PTR_NULL(found); /* once */
            found = *one + len + 1;
        }
    return found;
}

static void words_are_in_the_environment(void)
{
    CU_ASSERT_EQUAL_FATAL(setenv("VTSTATUS_JOB_ID", "another", 1), 0);
    CU_ASSERT_EQUAL_FATAL(setenv("VTSTATUS_OPTION_left", "over", 1), 0);
    CU_ASSERT_EQUAL_FATAL(setenv("VTSTATUS_URL", "https://a", 1), 0);
    CU_ASSERT_EQUAL_FATAL(make(sample_job_message(), "x", "s3://{job}"), VTS_CLI_WORDS_OK);
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_JOB_ID"), "j-1");
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_SOURCE"), "file:///in.mp4");
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_FROM"), "en");
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_TO"), "de");
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_OUTPUT"), "s3://j-1");
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_ATTEMPT"), "2");
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_QUEUE"), "slow");
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_OPTION_voice"), "low");
    CU_ASSERT_PTR_NULL(variable("VTSTATUS_OPTION_no-name"));
    CU_ASSERT_PTR_NULL(variable("VTSTATUS_OPTION_left"));
    /* The command may call the server too. */
    CU_ASSERT_STRING_EQUAL(variable("VTSTATUS_URL"), "https://a");
    vts_cli_work_words_fini(&words);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"words_take_the_place_of_placeholders", words_take_the_place_of_placeholders},
        {"words_that_are_put_in_are_not_looked_at_again",
         words_that_are_put_in_are_not_looked_at_again},
        {"words_do_not_begin_an_argument_like_a_flag", words_do_not_begin_an_argument_like_a_flag},
        {"words_are_in_the_environment", words_are_in_the_environment},
    };

    return vts_test_run("cli_work_words", tests, VTS_ARRAY_LEN(tests));
}
