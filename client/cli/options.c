/* SPDX-License-Identifier: Apache-2.0 */
/* options.c - one table of flags drives the parsing: each row says how its value is read and where
 * it goes. */
#include "client/cli/options.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/duration.h"

enum kind {
    SWITCH,   /* no value; a bool */
    TEXT,     /* const char * */
    FORMAT,   /* "text" or "json"; a bool */
    DURATION, /* double, seconds */
    NUMBER,   /* double */
    RETRIES,  /* int64_t, -1 for no limit */
    COUNT,    /* unsigned, at least 1 */
};

struct flag {
    const char *name;
    const char *env; /* NULL: none */
    size_t offset;   /* of its field in struct vts_cli_options */
    enum kind kind;
    bool is_poll_only;
    double min; /* of DURATION and NUMBER, both included */
    double max;
};

static const double a_year = 365.0 * 24 * 3600;

static const struct flag flags[] = {
    {"url", "VTSTATUS_URL", offsetof(struct vts_cli_options, client.url), TEXT, false, 0, 0},
    {"cacert", "VTSTATUS_CACERT", offsetof(struct vts_cli_options, client.ca_file), TEXT, false, 0,
     0},
    {"cert", "VTSTATUS_CERT", offsetof(struct vts_cli_options, client.cert_file), TEXT, false, 0,
     0},
    {"key", "VTSTATUS_KEY", offsetof(struct vts_cli_options, client.key_file), TEXT, false, 0, 0},
    {"output", NULL, offsetof(struct vts_cli_options, is_json), FORMAT, false, 0, 0},
    {"connect-timeout", NULL, offsetof(struct vts_cli_options, client.connect_timeout), DURATION,
     false, 0.001, a_year},
    {"request-timeout", NULL, offsetof(struct vts_cli_options, client.request_timeout), DURATION,
     false, 0.001, a_year},
    {"timeout", NULL, offsetof(struct vts_cli_options, client.request_timeout), DURATION, false,
     0.001, a_year},
    {"verbose", NULL, offsetof(struct vts_cli_options, is_verbose), SWITCH, false, 0, 0},
    {"version", NULL, offsetof(struct vts_cli_options, is_version), SWITCH, false, 0, 0},
    {"help", NULL, offsetof(struct vts_cli_options, is_help), SWITCH, false, 0, 0},
    {"interval", NULL, offsetof(struct vts_cli_options, poll.interval), DURATION, true, 0.001,
     a_year},
    {"backoff-factor", NULL, offsetof(struct vts_cli_options, poll.backoff_factor), NUMBER, true, 1,
     1e9},
    {"max-interval", NULL, offsetof(struct vts_cli_options, poll.max_interval), DURATION, true,
     0.001, a_year},
    {"jitter", NULL, offsetof(struct vts_cli_options, poll.jitter), NUMBER, true, 0, 1},
    {"max-retries", NULL, offsetof(struct vts_cli_options, poll.max_retries), RETRIES, true, 0, 0},
    {"max-failures", NULL, offsetof(struct vts_cli_options, poll.max_failures), COUNT, true, 0, 0},
    {"deadline", NULL, offsetof(struct vts_cli_options, poll.deadline), DURATION, true, 0, a_year},
    {"ignore-hints", NULL, offsetof(struct vts_cli_options, poll.ignore_hints), SWITCH, true, 0, 0},
};

enum { FLAGS_COUNT = sizeof(flags) / sizeof(flags[0]), FIRST_LONG = 256 };

struct fault {
    char *text;
    size_t size;
};

static bool complain(const struct fault *fault, const char *what, const char *name,
                     const char *value, const char *why)
{
    (void)snprintf(fault->text, fault->size, "%s%s%s%s%s", what, name, value != NULL ? " " : "",
                   value != NULL ? value : "", why);
    return false;
}

/* ---- values ---------------------------------------------------------------------------------- */

static bool read_bounded(const struct flag *flag, const char *value, double *ret_number)
{
    double number = 0;
    bool is_read = flag->kind == DURATION ? vts_cli_duration_parse(value, &number)
                                          : vts_cli_number_parse(value, &number);

    if (!is_read || number < flag->min || number > flag->max)
        return false;
    *ret_number = number;
    return true;
}

static bool read_integer(const char *value, long long min, long long max, long long *ret_number)
{
    char *end = NULL;
    long long number;

    if (strspn(value, "-0123456789") != strlen(value))
        return false;
    errno = 0;
    number = strtoll(value, &end, 10);
    if (end == value || *end != '\0' || errno != 0 || number < min || number > max)
        return false;
    *ret_number = number;
    return true;
}

static bool read_format(const char *value, bool *ret_is_json)
{
    if (strcmp(value, "json") != 0 && strcmp(value, "text") != 0)
        return false;
    *ret_is_json = value[0] == 'j';
    return true;
}

static bool read_value(const struct flag *flag, const char *value, struct vts_cli_options *options)
{
    void *field = (char *)options + flag->offset;
    long long integer = 0;

    switch (flag->kind) {
    case SWITCH:
        *(bool *)field = true;
        return true;
    case TEXT:
        *(const char **)field = value;
        return value[0] != '\0';
    case FORMAT:
        return read_format(value, field);
    case DURATION:
    case NUMBER:
        return read_bounded(flag, value, field);
    case RETRIES:
        if (!read_integer(value, -1, INT64_MAX, &integer))
            return false;
        *(int64_t *)field = integer;
        return true;
    case COUNT:
        if (!read_integer(value, 1, UINT_MAX, &integer))
            return false;
        *(unsigned *)field = (unsigned)integer;
        return true;
    }
    return false;
}

static const char *wanted(const struct flag *flag, char *text, size_t size)
{
    switch (flag->kind) {
    case SWITCH:
        return "no value";
    case TEXT:
        return "a value that is not empty";
    case FORMAT:
        return "'text' or 'json'";
    case DURATION:
        return flag->min > 0 ? "a time such as 2, 500ms, 2s or 5m, above 0 and at most a year"
                             : "a time such as 2, 500ms, 2s or 5m, at most a year";
    case NUMBER:
        (void)snprintf(text, size, "a number from %g to %g", flag->min, flag->max);
        return text;
    case RETRIES:
        return "a whole number, or -1 for no limit";
    case COUNT:
        return "a whole number from 1";
    }
    return "";
}

static bool set_flag(const struct flag *flag, const char *value, struct vts_cli_options *options,
                     const struct fault *fault)
{
    char room[64];

    if (read_value(flag, value, options))
        return true;
    (void)snprintf(fault->text, fault->size, "--%s '%s': it takes %s", flag->name, value,
                   wanted(flag, room, sizeof(room)));
    return false;
}

/* ---- flags ----------------------------------------------------------------------------------- */

static void read_environment(struct vts_cli_options *options)
{
    for (size_t i = 0; i < FLAGS_COUNT; i++) {
        const char *value = flags[i].env == NULL ? NULL : getenv(flags[i].env);

        if (value != NULL && value[0] != '\0')
            *(const char **)((char *)options + flags[i].offset) = value;
    }
}

static void fill_long_options(struct option *long_options)
{
    for (int i = 0; i < FLAGS_COUNT; i++)
        long_options[i] =
            (struct option){.name = flags[i].name,
                            .has_arg = flags[i].kind == SWITCH ? no_argument : required_argument,
                            .val = FIRST_LONG + i};
}

static const struct flag *find_flag(int option)
{
    const char *name = option == 'v' ? "verbose" : option == 'o' ? "output" : "help";

    if (option >= FIRST_LONG)
        return &flags[option - FIRST_LONG];
    for (size_t i = 0; i < FLAGS_COUNT; i++)
        if (strcmp(flags[i].name, name) == 0)
            return &flags[i];
    return NULL;
}

static bool complain_of_option(int option, const char *given, const struct fault *fault)
{
    if (option == ':')
        return complain(fault, "the flag ", given, NULL, " needs a value");
    if (optopt >= FIRST_LONG)
        return complain(fault, "the flag --", flags[optopt - FIRST_LONG].name, NULL,
                        " takes no value");
    return complain(fault, "there is no flag ", given, NULL, "");
}

/* Reads the flags and moves the other arguments to the end; *ret_poll_flag is one that only poll
 * takes, or NULL. */
static bool read_flags(int argc, char *argv[], struct vts_cli_options *options,
                       const struct flag **ret_poll_flag, const struct fault *fault)
{
    struct option long_options[FLAGS_COUNT + 1] = {{0}};
    int option;

    fill_long_options(long_options);
    *ret_poll_flag = NULL;
    optind = 0; /* GNU's way to start anew: a test parses more than once */
    opterr = 0;
    while ((option = getopt_long(argc, argv, ":hvo:", long_options, NULL)) != -1) {
        const struct flag *flag;

        if (option == '?' || option == ':')
            return complain_of_option(option, argv[optind - 1], fault);
        flag = find_flag(option);
        if (!set_flag(flag, optarg != NULL ? optarg : "", options, fault))
            return false;
        if (flag->is_poll_only)
            *ret_poll_flag = flag;
    }
    return true;
}

/* ---- commands -------------------------------------------------------------------------------- */

const char *vts_cli_command_name(enum vts_cli_command command)
{
    switch (command) {
    case VTS_CLI_COMMAND_NONE:
        return NULL;
    case VTS_CLI_COMMAND_GET:
        return "get";
    case VTS_CLI_COMMAND_POLL:
        return "poll";
    case VTS_CLI_COMMAND_HEALTH:
        return "health";
    }
    return NULL;
}

static enum vts_cli_command find_command(const char *name)
{
    for (int i = VTS_CLI_COMMAND_GET; i <= VTS_CLI_COMMAND_HEALTH; i++)
        if (strcmp(name, vts_cli_command_name((enum vts_cli_command)i)) == 0)
            return (enum vts_cli_command)i;
    return VTS_CLI_COMMAND_NONE;
}

/* "help", or "help COMMAND". */
static bool read_help(int count, char *words[], struct vts_cli_options *options,
                      const struct fault *fault)
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
                       const struct fault *fault)
{
    int max_count;

    if (count == 0)
        return options->is_help || options->is_version ||
               complain(fault, "a command is missing: get, poll or health", "", NULL, "");
    if (strcmp(words[0], "help") == 0)
        return read_help(count - 1, words + 1, options, fault);
    options->command = find_command(words[0]);
    if (options->command == VTS_CLI_COMMAND_NONE)
        return complain(fault, "there is no command ", words[0], NULL, "");
    max_count = options->command == VTS_CLI_COMMAND_HEALTH ? 1 : 2;
    if (count > max_count)
        return complain(fault, words[0], " does not take the argument", words[max_count], "");
    options->job_id = count > 1 ? words[1] : NULL;
    return true;
}

bool vts_cli_options_parse(int argc, char *argv[], struct vts_cli_options *ret_options, char *error,
                           size_t error_size)
{
    struct fault fault = {error, error_size};
    const struct flag *poll_flag;

    *ret_options = (struct vts_cli_options){.job_id = NULL};
    vts_client_options_init(&ret_options->client);
    vts_poll_options_init(&ret_options->poll);
    read_environment(ret_options);
    if (!read_flags(argc, argv, ret_options, &poll_flag, &fault) ||
        !read_words(argc - optind, argv + optind, ret_options, &fault))
        return false;
    if (poll_flag != NULL && ret_options->command != VTS_CLI_COMMAND_POLL && !ret_options->is_help)
        return complain(&fault, "only poll takes the flag --", poll_flag->name, NULL, "");
    return true;
}
