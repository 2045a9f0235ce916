/* SPDX-License-Identifier: Apache-2.0 */
/* test_cli_options.c - command lines, good and bad. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "client/cli/duration.h"
#include "client/cli/exit_code.h"
#include "client/cli/options.h"
#include "tests/support/suite.h"

enum { MAX_WORDS = 40 };

static struct vts_cli_options options;
static char error[512];

/* Splits at blanks; the words, and the list of them, live until the next call. */
static bool parse(const char *line)
{
    static char words[1024];
    static char *argv[MAX_WORDS];
    char *save = NULL;
    int argc = 0;

    argv[argc++] = (char *)"vtstatus";
    CU_ASSERT_FATAL(strlen(line) < sizeof(words));
    memcpy(words, line, strlen(line) + 1);
    for (char *word = strtok_r(words, " ", &save); word != NULL && argc + 1 < MAX_WORDS;
         word = strtok_r(NULL, " ", &save))
        argv[argc++] = word;
    argv[argc] = NULL;
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

static void options_of_submit_reach_their_places(void)
{
    const struct vts_cli_submit_options *submit = &options.submit;

    CU_ASSERT_FATAL(
        parse("submit file:///in --to de --to fr --from en --label a=b --label c=d=e --option x= "
              "--queue q --priority -5 --max-attempts 7 --timeout 2m --ttl 1h --start-in 10s "
              "--wait --deadline 5s"));
    CU_ASSERT_EQUAL(options.command, VTS_CLI_COMMAND_SUBMIT);
    CU_ASSERT_STRING_EQUAL(options.words[0], "file:///in");
    CU_ASSERT_EQUAL(options.words_count, 1);
    CU_ASSERT_EQUAL(submit->targets.count, 2);
    CU_ASSERT_STRING_EQUAL(submit->targets.items[1], "fr");
    CU_ASSERT_STRING_EQUAL(submit->source_language, "en");
    CU_ASSERT_EQUAL(submit->labels.count, 2);
    CU_ASSERT_STRING_EQUAL(submit->labels.items[1].key, "c");
    CU_ASSERT_STRING_EQUAL(submit->labels.items[1].value, "d=e");
    CU_ASSERT_STRING_EQUAL(submit->options.items[0].value, "");
    CU_ASSERT_STRING_EQUAL(submit->queue, "q");
    CU_ASSERT_EQUAL(submit->priority, -5);
    CU_ASSERT_EQUAL(submit->max_attempts, 7);
    CU_ASSERT_EQUAL(submit->timeout, 120);
    CU_ASSERT_EQUAL(options.client.request_timeout, 10);
    CU_ASSERT_EQUAL(submit->ttl, 3600);
    CU_ASSERT_EQUAL(submit->start_in, 10);
    CU_ASSERT(submit->is_waiting);
    CU_ASSERT_EQUAL(options.wait.deadline, 5);
    CU_ASSERT_EQUAL(options.wait.mode, VTS_WAIT_AUTO);
}

static void options_of_poll_name_a_policy(void)
{
    CU_ASSERT_FATAL(parse("poll --policy smithy --max-interval 9s"));
    CU_ASSERT_EQUAL(options.poll.interval, 2);
    CU_ASSERT_EQUAL(options.poll.max_interval, 9);
    CU_ASSERT_EQUAL(options.poll.jitter_kind, VTS_JITTER_ABOVE_LEAST);
    CU_ASSERT_TRUE(options.poll.ignore_hints);
    CU_ASSERT_FALSE(parse("poll --policy nobody"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "heygen-cli"));
    CU_ASSERT_FALSE(parse("watch --policy azure"));
}

static void options_of_watch_name_a_mode(void)
{
    CU_ASSERT_FATAL(parse("watch a b"));
    CU_ASSERT_EQUAL(options.wait.mode, VTS_WAIT_WATCH);
    CU_ASSERT_FATAL(parse("watch --mode auto a"));
    CU_ASSERT_EQUAL(options.wait.mode, VTS_WAIT_AUTO);
    CU_ASSERT_FATAL(parse("--mode long-poll watch a"));
    CU_ASSERT_EQUAL(options.wait.mode, VTS_WAIT_LONG_POLL);
    CU_ASSERT_FATAL(parse("submit file:///in --to de --wait --mode poll"));
    CU_ASSERT_EQUAL(options.wait.mode, VTS_WAIT_POLL);
    CU_ASSERT_FALSE(parse("watch --mode push a"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "auto, watch, long-poll or poll"));
    CU_ASSERT_FALSE(parse("poll --mode auto a"));
}

static void options_of_list_and_work_reach_their_places(void)
{
    CU_ASSERT_FATAL(
        parse("list --state running --state failed --queue q --label a=b --since 1h "
              "--limit 5 --oldest-first"));
    CU_ASSERT_EQUAL(options.list.states.count, 2);
    CU_ASSERT_EQUAL(options.list.states.items[0], VTS_STATE_RUNNING);
    CU_ASSERT_EQUAL(options.list.states.items[1], VTS_STATE_FAILED);
    CU_ASSERT_STRING_EQUAL(options.list.queue, "q");
    CU_ASSERT_EQUAL(options.list.labels.count, 1);
    CU_ASSERT_EQUAL(options.list.since, 3600);
    CU_ASSERT_EQUAL(options.list.limit, 5);
    CU_ASSERT(options.list.is_oldest_first);
    CU_ASSERT_FATAL(
        parse("work --queue a --jobs 4 --lease 20s --queue b --result s3://{job} -- "
              "run --jobs 9 {output}"));
    CU_ASSERT_EQUAL(options.work.queues.count, 2);
    CU_ASSERT_EQUAL(options.work.jobs, 4);
    CU_ASSERT_EQUAL(options.work.lease, 20);
    CU_ASSERT_EQUAL(options.words_count, 4);
    CU_ASSERT_STRING_EQUAL(options.words[0], "run");
    CU_ASSERT_STRING_EQUAL(options.words[1], "--jobs");
    CU_ASSERT_PTR_NULL(options.words[4]);
}

static void options_of_call_reach_their_places(void)
{
    CU_ASSERT_FATAL(parse("call a.B/c -d {} -H x:1 --header y:a:b --stream"));
    CU_ASSERT_EQUAL(options.command, VTS_CLI_COMMAND_CALL);
    CU_ASSERT_STRING_EQUAL(options.words[0], "a.B/c");
    CU_ASSERT_STRING_EQUAL(options.call.data, "{}");
    CU_ASSERT_EQUAL_FATAL(options.call.fields.count, 2);
    CU_ASSERT_STRING_EQUAL(options.call.fields.items[0].key, "x");
    CU_ASSERT_STRING_EQUAL(options.call.fields.items[0].value, "1");
    CU_ASSERT_STRING_EQUAL(options.call.fields.items[1].value, "a:b");
    CU_ASSERT(options.call.is_stream);
    CU_ASSERT_FATAL(parse("services"));
    CU_ASSERT_EQUAL(options.words_count, 0);
    check_bad("call", "SERVICE/METHOD");
    check_bad("call a.B/c -H x", "NAME: VALUE");
    check_bad("call a.B/c -d", "needs a value");
    check_bad("get -d {}", "call takes the flag --data, not get");
    check_bad("services a b", "does not take");
}

static void options_refuse_what_does_not_go_together(void)
{
    check_bad("submit x", "--to");
    check_bad("submit --to de", "the video's URI");
    check_bad("submit x --to de --to fr --job-id j", "--job-id");
    check_bad("submit x --to de --label ab", "KEY=VALUE");
    check_bad("submit x --to de --label =b", "KEY=VALUE");
    check_bad("submit x --to de --priority 1001", "from -1000 to 1000");
    check_bad("list --state dead", "pending, running");
    check_bad("list --to de", "submit takes the flag --to, not list");
    check_bad("get --jobs 2", "work takes the flag --jobs, not get");
    check_bad("work", "the command to run");
    check_bad("work --jobs 0 -- x", "from 1 to 256");
    check_bad("work --lease 1s -- x", "from 3 s to 3600 s");
    check_bad("work -- x {output}", "--result");
    check_bad("cancel", "a job's id");
}

static void options_explain_whatever_stands_beside(void)
{
    CU_ASSERT_FATAL(parse("get --jobs 2 --help"));
    CU_ASSERT(options.is_help && options.command == VTS_CLI_COMMAND_GET);
    CU_ASSERT_FATAL(parse("help work"));
    CU_ASSERT(options.is_help && options.command == VTS_CLI_COMMAND_WORK);
    CU_ASSERT_FATAL(parse("submit -h"));
    CU_ASSERT(options.is_help && options.command == VTS_CLI_COMMAND_SUBMIT);
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

/* ---- the file of options ------------------------------------------------------------------ */

static char config_path[] = "/tmp/vts-config-XXXXXX";

static void write_config(const char *text, size_t len)
{
    FILE *file = fopen(config_path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(text, 1, len, file), len);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static bool parse_with(const char *config, const char *line)
{
    char words[1024];

    write_config(config, strlen(config));
    (void)snprintf(words, sizeof(words), "%s --config %s", line, config_path);
    return parse(words);
}

static void check_bad_config(const char *config, const char *words)
{
    char place[256];

    (void)snprintf(place, sizeof(place), "%s:%s", config_path, words);
    CU_ASSERT(!parse_with(config, "poll"));
    CU_ASSERT_STRING_EQUAL(error, place);
}

static void config_sets_what_nothing_else_does(void)
{
    static const char config[] =
        "# all of it\n"
        "\n"
        "url = https://file:1\n"
        "  cacert=ca.pem # no comment\r\n"
        "--cert\tc.pem\n"
        "key = \"a \\\"b\\\\\"\n"
        "output = json\n"
        "verbose\n"
        "interval 2s\n"
        "label = a=b\n"
        "label = c=d\n"
        "timeout = 3s";

    CU_ASSERT_FATAL(parse_with(config, "poll"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://file:1");
    CU_ASSERT_STRING_EQUAL(options.client.ca_file, "ca.pem # no comment");
    CU_ASSERT_STRING_EQUAL(options.client.cert_file, "c.pem");
    CU_ASSERT_STRING_EQUAL(options.client.key_file, "a \"b\\");
    CU_ASSERT(options.is_json && options.is_verbose);
    CU_ASSERT_EQUAL(options.poll.interval, 2);
    CU_ASSERT_EQUAL(options.client.request_timeout, 3);
    /* Lists come from one place. */
    CU_ASSERT_FATAL(parse_with(config, "list"));
    CU_ASSERT_EQUAL(options.list.labels.count, 2);
    CU_ASSERT_FATAL(parse_with(config, "list --label e=f"));
    CU_ASSERT_EQUAL_FATAL(options.list.labels.count, 1);
    CU_ASSERT_STRING_EQUAL(options.list.labels.items[0].key, "e");
    CU_ASSERT_FATAL(parse_with("to = de\n", "submit file:///x"));
    CU_ASSERT_STRING_EQUAL(options.submit.targets.items[0], "de");
}

static void config_yields_to_flags_and_the_environment(void)
{
    CU_ASSERT_EQUAL(setenv("VTSTATUS_URL", "https://env:1", 1), 0);
    CU_ASSERT_FATAL(parse_with("url = https://file:1\ninterval = 2s\n", "poll"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://env:1");
    CU_ASSERT_EQUAL(options.poll.interval, 2);
    CU_ASSERT_FATAL(parse_with("url = https://file:1\ninterval = 2s\n",
                               "poll --url https://flag:1 --interval 1s"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://flag:1");
    CU_ASSERT_EQUAL(options.poll.interval, 1);
    CU_ASSERT_EQUAL(unsetenv("VTSTATUS_URL"), 0);
    CU_ASSERT_EQUAL(setenv("VTSTATUS_CONFIG", config_path, 1), 0);
    write_config("url = https://file:2\n", 21);
    CU_ASSERT_FATAL(parse("get"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://file:2");
    CU_ASSERT_EQUAL(unsetenv("VTSTATUS_CONFIG"), 0);
}

static void config_tells_which_line_is_wrong(void)
{
    static char zeros[VTS_CLI_MAX_CONFIG_BYTES + 1];

    check_bad_config("nonsense = 1\n", "1: nonsense: there is no such flag");
    check_bad_config("\n# x\ninterval = soon\n",
                     "3: interval 'soon': it takes a time such as 2, 500ms, 2s or 5m, above 0 and "
                     "at most a year");
    check_bad_config("url\n", "1: url: it needs a value");
    check_bad_config("url =\n", "1: url: it needs a value");
    check_bad_config("verbose = 1\n", "1: verbose: it takes no value");
    check_bad_config("config = x\n", "1: config: it cannot stand in a file");
    check_bad_config("help\n", "1: help: it cannot stand in a file");
    check_bad_config("url = \"x\n", "1: url: a quote is not closed");
    check_bad_config("url = \"x\" y\n", "1: url: something follows the closed quote");
    check_bad_config("= x\n", "1: it does not begin with the name of a flag");
    write_config("a\0b", 3);
    CU_ASSERT(!parse("get --config /tmp/does/not/exist"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "/tmp/does/not/exist"));
    CU_ASSERT(!parse("get --config /"));
    CU_ASSERT_EQUAL(setenv("VTSTATUS_CONFIG", config_path, 1), 0);
    CU_ASSERT(!parse("get"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "no text"));
    memset(zeros, '\n', sizeof(zeros));
    write_config(zeros, sizeof(zeros) - 1);
    CU_ASSERT(parse("get"));
    write_config(zeros, sizeof(zeros));
    CU_ASSERT(!parse("get"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error, "larger than 16384 bytes"));
    /* Whoever asks for help may want to know how to write it. */
    CU_ASSERT(parse("get --help"));
    CU_ASSERT(parse("--version"));
    CU_ASSERT_EQUAL(unsetenv("VTSTATUS_CONFIG"), 0);
}

static void config_is_found_where_it_usually_is(void)
{
    char folder[] = "/tmp/vts-config-home-XXXXXX";
    char path[sizeof(folder) + 30];

    CU_ASSERT_PTR_NOT_NULL_FATAL(mkdtemp(folder));
    CU_ASSERT_EQUAL(setenv("XDG_CONFIG_HOME", folder, 1), 0);
    CU_ASSERT(parse("get"));
    (void)snprintf(path, sizeof(path), "%s/vtstatus", folder);
    CU_ASSERT_EQUAL(mkdir(path, 0700), 0);
    (void)snprintf(path, sizeof(path), "%s/vtstatus/config", folder);
    write_config("url = https://home:1\n", 21);
    CU_ASSERT_EQUAL(rename(config_path, path), 0);
    CU_ASSERT_FATAL(parse("get"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://home:1");
    CU_ASSERT_FATAL(parse("get --config /dev/null"));
    CU_ASSERT_STRING_EQUAL(options.client.url, "https://localhost:5000");
    CU_ASSERT_EQUAL(setenv("XDG_CONFIG_HOME", "/nonexistent", 1), 0);
    CU_ASSERT_EQUAL(remove(path), 0);
    (void)snprintf(path, sizeof(path), "%s/vtstatus", folder);
    CU_ASSERT_EQUAL(rmdir(path), 0);
    CU_ASSERT_EQUAL(rmdir(folder), 0);
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
    CU_ASSERT_EQUAL(vts_cli_exit_code(VTS_CLIENT_CONFLICT, NULL), 7);
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
        {"options_of_submit_reach_their_places", options_of_submit_reach_their_places},
        {"options_of_poll_name_a_policy", options_of_poll_name_a_policy},
        {"options_of_watch_name_a_mode", options_of_watch_name_a_mode},
        {"options_of_list_and_work_reach_their_places",
         options_of_list_and_work_reach_their_places},
        {"options_of_call_reach_their_places", options_of_call_reach_their_places},
        {"options_refuse_what_does_not_go_together", options_refuse_what_does_not_go_together},
        {"options_explain_whatever_stands_beside", options_explain_whatever_stands_beside},
        {"options_refuse_what_they_do_not_know", options_refuse_what_they_do_not_know},
        {"options_refuse_values_that_make_no_sense", options_refuse_values_that_make_no_sense},
        {"options_fall_back_on_the_environment", options_fall_back_on_the_environment},
        {"config_sets_what_nothing_else_does", config_sets_what_nothing_else_does},
        {"config_yields_to_flags_and_the_environment", config_yields_to_flags_and_the_environment},
        {"config_tells_which_line_is_wrong", config_tells_which_line_is_wrong},
        {"config_is_found_where_it_usually_is", config_is_found_where_it_usually_is},
        {"duration_has_units", duration_has_units},
        {"exit_code_is_the_contract", exit_code_is_the_contract},
    };

    int result;
    int fd = mkstemp(config_path);

    if (fd < 0 || close(fd) != 0 || setenv("XDG_CONFIG_HOME", "/nonexistent", 1) != 0)
        return 1;
    result = vts_test_run("cli_options", tests, VTS_ARRAY_LEN(tests));
    (void)remove(config_path); /* unless a case has moved it */
    return result;
}
