/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_options.c - command lines, good and bad. */
#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/duration.h"
#include "client/cli/exit_code.h"
#include "client/cli/options.h"
#include "tests/support/suite.h"

enum { MAX_WORDS = 16 };

static struct vts_cli_options options;
static char error[512];

/* Splits at blanks; the words live until the next call. */
static bool parse(const char *line)
{
    static char words[1024];
    char *argv[MAX_WORDS] = {(char *)"vtstatus"};
    char *save = NULL;
    int argc = 1;

    CU_ASSERT_FATAL(strlen(line) < sizeof(words));
    memcpy(words, line, strlen(line) + 1);
    for (char *word = strtok_r(words, " ", &save); word != NULL && argc + 1 < MAX_WORDS;
         word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    error[0] = '\0';
    return vts_cli_options_parse(argc, argv, &options, error, sizeof(error));
}

static void check_bad(const char *line, const char *words)
{
    CU_ASSERT(!parse(line));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, words));
    CU_ASSERT_PTR_NULL(strchr(error, '\n'));
}

static void options_find_the_command_and_its_job(void)
{
    CU_ASSERT_FATAL(parse("get"));
    CU_ASSERT_EQUAL(options.command, VTS_CLI_COMMAND_GET);
    CU_ASSERT_PTR_NULL(options.job_id);
    CU_ASSERT_FATAL(parse("poll j-1"));
    CU_ASSERT_EQUAL(options.command, VTS_CLI_COMMAND_POLL);
    CU_ASSERT_STRING_EQUAL(options.job_id, "j-1");
    CU_ASSERT_FATAL(parse("health"));
    CU_ASSERT_EQUAL(options.command, VTS_CLI_COMMAND_HEALTH);
    CU_ASSERT_FATAL(parse("get -- -v"));
    CU_ASSERT_STRING_EQUAL(options.job_id, "-v");
}

static void options_take_flags_on_both_sides_of_the_command(void)
{
    CU_ASSERT_FATAL(parse("--url https://a:1 poll --cacert=ca.pem j-1 --interval 500ms -v"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://a:1");
    CU_ASSERT_STRING_EQUAL(options.client.ca_file, "ca.pem");
    CU_ASSERT_STRING_EQUAL(options.job_id, "j-1");
    CU_ASSERT_DOUBLE_EQUAL(options.poll.interval, 0.5, 1e-9);
    CU_ASSERT(options.is_verbose);
    CU_ASSERT_FATAL(parse("get --output json"));
    CU_ASSERT(options.is_json);
    CU_ASSERT_FATAL(parse("get -o json -o text"));
    CU_ASSERT(!options.is_json);
}

static void options_of_poll_reach_the_library(void)
{
    CU_ASSERT_FATAL(
        parse("poll --max-retries 1 --max-failures=2 --backoff-factor 3 --jitter 0.1 "
              "--max-interval 1m --deadline 1h --ignore-hints"));
    CU_ASSERT_EQUAL(options.poll.max_retries, 1);
    CU_ASSERT_EQUAL(options.poll.max_failures, 2);
    CU_ASSERT_EQUAL(options.poll.backoff_factor, 3);
    CU_ASSERT_EQUAL(options.poll.jitter, 0.1);
    CU_ASSERT_EQUAL(options.poll.max_interval, 60);
    CU_ASSERT_EQUAL(options.poll.deadline, 3600);
    CU_ASSERT(options.poll.ignore_hints);
    CU_ASSERT_FATAL(parse("poll --max-retries -1"));
    CU_ASSERT_EQUAL(options.poll.max_retries, -1);
    CU_ASSERT_FATAL(parse("poll"));
    CU_ASSERT_EQUAL(options.poll.max_failures, 5);
}

static void options_know_both_names_of_the_timeout(void)
{
    CU_ASSERT_FATAL(parse("get --timeout 2s --connect-timeout 3"));
    CU_ASSERT_EQUAL(options.client.request_timeout, 2);
    CU_ASSERT_EQUAL(options.client.connect_timeout, 3);
    CU_ASSERT_FATAL(parse("get --request-timeout 4"));
    CU_ASSERT_EQUAL(options.client.request_timeout, 4);
}

static void options_explain_on_request(void)
{
    CU_ASSERT_FATAL(parse("--help"));
    CU_ASSERT(options.is_help);
    CU_ASSERT_FATAL(parse("help poll"));
    CU_ASSERT(options.is_help && options.command == VTS_CLI_COMMAND_POLL);
    CU_ASSERT_FATAL(parse("poll --help"));
    CU_ASSERT(options.is_help && options.command == VTS_CLI_COMMAND_POLL);
    CU_ASSERT_FATAL(parse("--version"));
    CU_ASSERT(options.is_version);
}

static void options_refuse_what_they_do_not_know(void)
{
    check_bad("", "a command is missing");
    check_bad("--nonsense", "--nonsense");
    check_bad("get --nonsense=1", "--nonsense=1");
    check_bad("get -x", "-x");
    check_bad("frobnicate", "frobnicate");
    check_bad("help frobnicate", "frobnicate");
    check_bad("get a b", "b");
    check_bad("health a", "a");
    check_bad("get --url", "--url needs a value");
    check_bad("get --verbose=1", "--verbose takes no value");
    check_bad("get --interval 1", "--interval");
    check_bad("get --url=", "--url");
}

static void options_refuse_values_that_make_no_sense(void)
{
    check_bad("get --output xml", "'text' or 'json'");
    check_bad("poll --interval 0", "--interval");
    check_bad("poll --interval -1", "--interval");
    check_bad("poll --interval 2x", "--interval");
    check_bad("poll --interval 999999h", "--interval");
    check_bad("poll --backoff-factor 0.5", "--backoff-factor");
    check_bad("poll --jitter 2", "--jitter");
    check_bad("poll --max-retries 1.5", "--max-retries");
    check_bad("poll --max-retries -2", "--max-retries");
    check_bad("poll --max-retries 99999999999999999999", "--max-retries");
    check_bad("poll --max-failures 0", "--max-failures");
    check_bad("poll --max-failures 4294967296", "--max-failures");
}

static void options_fall_back_on_the_environment(void)
{
    CU_ASSERT_EQUAL_FATAL(setenv("VTSTATUS_URL", "https://env:1", 1), 0);
    CU_ASSERT_EQUAL_FATAL(setenv("VTSTATUS_CACERT", "", 1), 0);
    CU_ASSERT_FATAL(parse("get"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://env:1");
    CU_ASSERT_PTR_NULL(options.client.ca_file);
    CU_ASSERT_FATAL(parse("get --url https://flag:1"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://flag:1");
    CU_ASSERT_EQUAL(unsetenv("VTSTATUS_URL"), 0);
    CU_ASSERT_EQUAL(unsetenv("VTSTATUS_CACERT"), 0);
}

static void duration_has_units(void)
{
    const struct {
        const char *text;
        double seconds; /* negative: it is none */
    } rows[] = {{"2", 2},     {"0.5", 0.5},  {".5", 0.5}, {"2s", 2},   {"500ms", 0.5}, {"5m", 300},
                {"1h", 3600}, {"0", 0},      {"", -1},    {"s", -1},   {"-1", -1},     {"+1", -1},
                {"0x10", -1}, {"nan", -1},   {"inf", -1}, {"1e3", -1}, {"2 s", -1},    {" 2", -1},
                {"2ss", -1},  {"1.2.3", -1}, {".", -1},   {"2S", -1}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        double seconds = -1;

        CU_ASSERT_EQUAL(vts_cli_duration_parse(rows[i].text, &seconds), rows[i].seconds >= 0);
        CU_ASSERT_DOUBLE_EQUAL(seconds, rows[i].seconds, 1e-9);
    }
}

static void exit_code_is_the_contract(void)
{
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_OK, NULL), 0);
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_USAGE, NULL), 2);
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_TLS, NULL), 3);
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_CONNECT, NULL), 3);
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_UNDECODABLE, NULL), 3);
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_GAVE_UP, NULL), 4);
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_NOT_FOUND, NULL), 5);
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_DENIED, NULL), 6);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"options_find_the_command_and_its_job", options_find_the_command_and_its_job},
        {"options_take_flags_on_both_sides_of_the_command",
         options_take_flags_on_both_sides_of_the_command},
        {"options_of_poll_reach_the_library", options_of_poll_reach_the_library},
        {"options_know_both_names_of_the_timeout", options_know_both_names_of_the_timeout},
        {"options_explain_on_request", options_explain_on_request},
        {"options_refuse_what_they_do_not_know", options_refuse_what_they_do_not_know},
        {"options_refuse_values_that_make_no_sense", options_refuse_values_that_make_no_sense},
        {"options_fall_back_on_the_environment", options_fall_back_on_the_environment},
        {"duration_has_units", duration_has_units},
        {"exit_code_is_the_contract", exit_code_is_the_contract},
    };

    return vts_test_run("cli_options", tests, VTS_ARRAY_LEN(tests));
}
