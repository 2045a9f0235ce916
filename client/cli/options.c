/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - finds the words first, then the flags: what a flag means depends on the command.
 *
 * getopt_long() moves the words behind the flags, so that a second walk over argv finds the same
 * flags in the same places.
 */
#include "client/cli/options.h"

#include <stdio.h>
#include <string.h>

#include "client/cli/config.h"
#include "client/cli/flags.h"

static const char short_options[] = ":hvo:d:H:";

struct command {
    const char *name;
    int min_words; /* behind it */
    int max_words;
    const char *words; /* what they are, when one is missing */
};

enum { ANY = 1 << 30 };

static const struct command commands[VTS_CLI_COMMAND_COUNT] = {
    [VTS_CLI_COMMAND_NONE] = {NULL, 0, 0, NULL},
    [VTS_CLI_COMMAND_GET] = {"get", 0, 1, NULL},
    [VTS_CLI_COMMAND_POLL] = {"poll", 0, 1, NULL},
    [VTS_CLI_COMMAND_WATCH] = {"watch", 0, ANY, NULL},
    [VTS_CLI_COMMAND_SUBMIT] = {"submit", 1, 1, "the video's URI"},
    [VTS_CLI_COMMAND_LIST] = {"list", 0, 0, NULL},
    [VTS_CLI_COMMAND_SHOW] = {"show", 1, ANY, "a job's id"},
    [VTS_CLI_COMMAND_CANCEL] = {"cancel", 1, ANY, "a job's id"},
    [VTS_CLI_COMMAND_RETRY] = {"retry", 1, ANY, "a job's id"},
    [VTS_CLI_COMMAND_DELETE] = {"delete", 1, ANY, "a job's id"},
    [VTS_CLI_COMMAND_WORK] = {"work", 1, ANY, "the command to run"},
    [VTS_CLI_COMMAND_HEALTH] = {"health", 0, 0, NULL},
    [VTS_CLI_COMMAND_CALL] = {"call", 1, 1, "a method, SERVICE/METHOD"},
    [VTS_CLI_COMMAND_SERVICES] = {"services", 0, 1, NULL},
    [VTS_CLI_COMMAND_COMPLETION] = {"completion", 1, 1, "a shell: bash, zsh or fish"},
};

const char *vts_cli_command_name(enum vts_cli_command command)
{
    return commands[command].name;
}

static enum vts_cli_command find_command(const char *name)
{
    for (int i = 1; i < VTS_CLI_COMMAND_COUNT; i++)
        if (strcmp(name, commands[i].name) == 0)
            return (enum vts_cli_command)i;
    return VTS_CLI_COMMAND_NONE;
}

static bool complain(const struct vts_cli_fault *fault, const char *what, const char *name,
                     const char *value, const char *why)
{
    (void)snprintf(fault->text, fault->size, "%s%s%s%s%s", what, name, value != NULL ? " " : "",
                   value != NULL ? value : "", why);
    return false;
}

/* ---- words ----------------------------------------------------------------------------------- */

/* "help", or "help COMMAND". */
static bool read_help(int count, char *words[], struct vts_cli_options *options,
                      const struct vts_cli_fault *fault)
{
    options->is_help = true;
    if (count == 0)
        return true;
    options->command = find_command(words[0]);
    if (options->command == VTS_CLI_COMMAND_NONE)
        return complain(fault, "there is no command ", words[0], NULL, "");
    return true;
}

static bool read_words(int count, char *words[], struct vts_cli_options *options,
                       const struct vts_cli_fault *fault)
{
    if (count == 0)
        return true; /* the flags may explain why */
    if (strcmp(words[0], "help") == 0)
        return read_help(count - 1, words + 1, options, fault);
    options->command = find_command(words[0]);
    if (options->command == VTS_CLI_COMMAND_NONE)
        return complain(fault, "there is no command ", words[0], NULL, "");
    if (count - 1 > commands[options->command].max_words)
        return complain(fault, words[0], " does not take the argument",
                        words[commands[options->command].max_words + 1], "");
    if (options->command == VTS_CLI_COMMAND_WATCH)
        options->wait.mode = VTS_WAIT_WATCH; /* as its name says, unless a flag says otherwise */
    options->words = (const char *const *)(words + 1);
    options->words_count = (size_t)count - 1;
    options->job_id = words[1]; /* argv ends with NULL */
    return true;
}

/* ---- flags ----------------------------------------------------------------------------------- */

static bool complain_of_option(int option, const char *given, const struct vts_cli_fault *fault)
{
    if (option == ':')
        return complain(fault, "the flag ", given, NULL, " needs a value");
    if (optopt >= VTS_CLI_FIRST_LONG)
        return complain(fault, "the flag --", vts_cli_flag_name(optopt), NULL, " takes no value");
    return complain(fault, "there is no flag ", given, NULL, "");
}

/* Walks over the flags and leaves the words at the end, from optind on. The first walk looks only
 * whether they are flags, and asks for help; the second one takes them. */
static bool walk_flags(int argc, char *argv[], bool is_second, struct vts_cli_options *options,
                       const struct vts_cli_fault *fault)
{
    struct option long_options[VTS_CLI_MAX_FLAGS + 1];
    char nothing[] = "";
    int option;

    vts_cli_flags_list(long_options);
    optind = 0; /* GNU's way to start anew */
    opterr = 0;
    while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        if (option == '?' || option == ':')
            return complain_of_option(option, argv[optind - 1], fault);
        if (strcmp(vts_cli_flag_name(option), "help") == 0)
            options->is_help = true;
        if (is_second &&
            !vts_cli_flag_set(option, optarg != NULL ? optarg : nothing, options, fault))
            return false;
    }
    return true;
}

/* ---- what belongs together ------------------------------------------------------------------- */

static bool check_submit(const struct vts_cli_submit_options *submit,
                         const struct vts_cli_fault *fault)
{
    if (submit->targets.count == 0)
        return complain(fault, "submit needs a language to translate to: --to LANG", "", NULL, "");
    if (submit->targets.count > 1 && submit->job_id != NULL)
        return complain(fault, "--job-id names one job, and there is one for each --to", "", NULL,
                        "");
    if (submit->targets.count > 1 && submit->request_id != NULL)
        return complain(fault, "--request-id is for one job, and there is one for each --to", "",
                        NULL, "");
    return true;
}

static bool check_work(const struct vts_cli_options *options, const struct vts_cli_fault *fault)
{
    for (size_t i = 0; i < options->words_count; i++)
        if (options->work.result == NULL && strstr(options->words[i], "{output}") != NULL)
            return complain(fault, "{output} is what --result TEMPLATE makes, and there is none",
                            "", NULL, "");
    return true;
}

static bool check_command(const struct vts_cli_options *options, const struct vts_cli_fault *fault)
{
    const struct command *command = &commands[options->command];

    if (options->is_help || options->is_version)
        return true;
    if (options->command == VTS_CLI_COMMAND_NONE)
        return complain(fault, "a command is missing", "", NULL, "");
    if (options->words_count < (size_t)command->min_words)
        return complain(fault, command->name, " needs", command->words, "");
    if (options->resume != NULL && options->words_count > 1)
        return complain(fault, "--resume is for one job", "", NULL, "");
    if (options->command == VTS_CLI_COMMAND_SUBMIT)
        return check_submit(&options->submit, fault);
    if (options->command == VTS_CLI_COMMAND_WORK)
        return check_work(options, fault);
    return true;
}

/* Who asks for help, or for what the program itself knows, gets it whatever is in the file. */
static bool read_config(struct vts_cli_options *options, const struct vts_cli_fault *fault)
{
    if (options->is_help || options->is_version || options->command == VTS_CLI_COMMAND_NONE ||
        options->command == VTS_CLI_COMMAND_COMPLETION)
        return true;
    return vts_cli_config_read(options, fault);
}

bool vts_cli_options_parse(int argc, char *argv[], struct vts_cli_options *ret_options, char *error,
                           size_t error_size)
{
    struct vts_cli_fault fault = {error, error_size};

    *ret_options = (struct vts_cli_options){.work = {.jobs = 1, .lease = 60}};
    vts_client_options_init(&ret_options->client);
    vts_poll_options_init(&ret_options->poll);
    vts_wait_options_init(&ret_options->wait);
    vts_cli_flags_read_environment(ret_options);
    return walk_flags(argc, argv, false, ret_options, &fault) &&
           read_words(argc - optind, argv + optind, ret_options, &fault) &&
           walk_flags(argc, argv, true, ret_options, &fault) && read_config(ret_options, &fault) &&
           check_command(ret_options, &fault);
}
