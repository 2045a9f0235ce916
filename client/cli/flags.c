/* SPDX-License-Identifier: Apache-2.0 */
/* flags.c - a row for each flag and each meaning of it: a name may stand in several rows, for
 * different commands. */
#include "client/cli/flags.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client/cli/flag_value.h"

/* Sets of commands. */
enum {
    ALL = ~0,
    POLL = 1 << VTS_CLI_COMMAND_POLL,
    WATCH = 1 << VTS_CLI_COMMAND_WATCH | 1 << VTS_CLI_COMMAND_SUBMIT,
    WATCH_ONLY = 1 << VTS_CLI_COMMAND_WATCH,
    SUBMIT = 1 << VTS_CLI_COMMAND_SUBMIT,
    LIST = 1 << VTS_CLI_COMMAND_LIST,
    CANCEL = 1 << VTS_CLI_COMMAND_CANCEL,
    DECIDE = CANCEL | 1 << VTS_CLI_COMMAND_RETRY | 1 << VTS_CLI_COMMAND_DELETE,
    WORK = 1 << VTS_CLI_COMMAND_WORK,
    CALL = 1 << VTS_CLI_COMMAND_CALL,
    /* Those that are a request, or begin with one, or are one for each word. */
    REQUESTS = POLL | SUBMIT | LIST | CANCEL | CALL | 1 << VTS_CLI_COMMAND_GET |
               1 << VTS_CLI_COMMAND_SHOW | 1 << VTS_CLI_COMMAND_RETRY |
               1 << VTS_CLI_COMMAND_DELETE | 1 << VTS_CLI_COMMAND_HEALTH | WATCH_ONLY |
               1 << VTS_CLI_COMMAND_SERVICES,
};

static const struct vts_cli_flag flags[] = {
    {"url", ALL, TEXT, offsetof(struct vts_cli_options, client.url), 0, 0, "VTSTATUS_URL"},
    {"cacert", ALL, FILENAME, offsetof(struct vts_cli_options, client.ca_file), 0, 0,
     "VTSTATUS_CACERT"},
    {"cert", ALL, FILENAME, offsetof(struct vts_cli_options, client.cert_file), 0, 0,
     "VTSTATUS_CERT"},
    {"key", ALL, FILENAME, offsetof(struct vts_cli_options, client.key_file), 0, 0, "VTSTATUS_KEY"},
    {"token-file", ALL, FILENAME, offsetof(struct vts_cli_options, client.token_file), 0, 0,
     "VTSTATUS_TOKEN_FILE"},
    {"pinned-key", ALL, TEXT, offsetof(struct vts_cli_options, client.pinned_key), 0, 0,
     "VTSTATUS_PINNED_KEY"},
    {"proxy", ALL, TEXT, offsetof(struct vts_cli_options, client.proxy), 0, 0, NULL},
    {"config", ALL, FILENAME, offsetof(struct vts_cli_options, config_file), 0, 0,
     "VTSTATUS_CONFIG"},
    {"output", ALL, FORMAT, offsetof(struct vts_cli_options, is_json), 0, 0, NULL},
    {"connect-timeout", ALL, DURATION, offsetof(struct vts_cli_options, client.connect_timeout),
     0.001, VTS_CLI_A_YEAR, NULL},
    {"request-timeout", ALL, DURATION, offsetof(struct vts_cli_options, client.request_timeout),
     0.001, VTS_CLI_A_YEAR, NULL},
    {"verbose", ALL, SWITCH, offsetof(struct vts_cli_options, is_verbose), 0, 0, NULL},
    {"explain", REQUESTS, SWITCH, offsetof(struct vts_cli_options, is_explaining), 0, 0, NULL},
    {"version", ALL, SWITCH, offsetof(struct vts_cli_options, is_version), 0, 0, NULL},
    {"help", ALL, SWITCH, offsetof(struct vts_cli_options, is_help), 0, 0, NULL},

    {"policy", POLL, POLICY, offsetof(struct vts_cli_options, poll), 0, 0, NULL},
    {"interval", POLL, DURATION, offsetof(struct vts_cli_options, poll.interval), 0.001,
     VTS_CLI_A_YEAR, NULL},
    {"backoff-factor", POLL, NUMBER, offsetof(struct vts_cli_options, poll.backoff_factor), 1, 1e9,
     NULL},
    {"max-interval", POLL, DURATION, offsetof(struct vts_cli_options, poll.max_interval), 0.001,
     VTS_CLI_A_YEAR, NULL},
    {"jitter", POLL, NUMBER, offsetof(struct vts_cli_options, poll.jitter), 0, 1, NULL},
    {"max-retries", POLL, RETRIES, offsetof(struct vts_cli_options, poll.max_retries), 0, 0, NULL},
    {"max-failures", POLL, COUNT, offsetof(struct vts_cli_options, poll.max_failures), 0, 0, NULL},
    {"deadline", POLL, DURATION, offsetof(struct vts_cli_options, poll.deadline), 0, VTS_CLI_A_YEAR,
     NULL},
    {"ignore-hints", POLL, SWITCH, offsetof(struct vts_cli_options, poll.ignore_hints), 0, 0, NULL},

    {"max-failures", WATCH, COUNT, offsetof(struct vts_cli_options, wait.max_failures), 0, 0, NULL},
    {"deadline", WATCH, DURATION, offsetof(struct vts_cli_options, wait.deadline), 0,
     VTS_CLI_A_YEAR, NULL},
    {"resume", WATCH_ONLY, TEXT, offsetof(struct vts_cli_options, resume), 0, 0, NULL},
    {"mode", WATCH, MODE, offsetof(struct vts_cli_options, wait.mode), 0, 0, NULL},

    {"to", SUBMIT, WORDS, offsetof(struct vts_cli_options, submit.targets), 0, 0, NULL},
    {"from", SUBMIT, TEXT, offsetof(struct vts_cli_options, submit.source_language), 0, 0, NULL},
    {"job-id", SUBMIT, TEXT, offsetof(struct vts_cli_options, submit.job_id), 0, 0, NULL},
    {"request-id", SUBMIT, TEXT, offsetof(struct vts_cli_options, submit.request_id), 0, 0, NULL},
    {"queue", SUBMIT, TEXT, offsetof(struct vts_cli_options, submit.queue), 0, 0, NULL},
    {"label", SUBMIT, PAIRS, offsetof(struct vts_cli_options, submit.labels), 0, 0, NULL},
    {"option", SUBMIT, PAIRS, offsetof(struct vts_cli_options, submit.options), 0, 0, NULL},
    {"priority", SUBMIT, INTEGER, offsetof(struct vts_cli_options, submit.priority), -1000, 1000,
     NULL},
    {"max-attempts", SUBMIT, INTEGER, offsetof(struct vts_cli_options, submit.max_attempts), 1, 100,
     NULL},
    {"timeout", SUBMIT, DURATION, offsetof(struct vts_cli_options, submit.timeout), 0.001,
     VTS_CLI_A_YEAR, NULL},
    {"ttl", SUBMIT, DURATION, offsetof(struct vts_cli_options, submit.ttl), 0.001, VTS_CLI_A_YEAR,
     NULL},
    {"start-in", SUBMIT, DURATION, offsetof(struct vts_cli_options, submit.start_in), 0.001,
     VTS_CLI_A_YEAR, NULL},
    {"wait", SUBMIT, SWITCH, offsetof(struct vts_cli_options, submit.is_waiting), 0, 0, NULL},

    {"state", LIST, STATES, offsetof(struct vts_cli_options, list.states), 0, 0, NULL},
    {"queue", LIST, TEXT, offsetof(struct vts_cli_options, list.queue), 0, 0, NULL},
    {"label", LIST, PAIRS, offsetof(struct vts_cli_options, list.labels), 0, 0, NULL},
    {"since", LIST, DURATION, offsetof(struct vts_cli_options, list.since), 0.001,
     100 * VTS_CLI_A_YEAR, NULL},
    {"limit", LIST, INTEGER, offsetof(struct vts_cli_options, list.limit), 1, INT_MAX, NULL},
    {"oldest-first", LIST, SWITCH, offsetof(struct vts_cli_options, list.is_oldest_first), 0, 0,
     NULL},

    {"etag", DECIDE, TEXT, offsetof(struct vts_cli_options, etag), 0, 0, NULL},
    {"reason", CANCEL, TEXT, offsetof(struct vts_cli_options, reason), 0, 0, NULL},

    {"queue", WORK, WORDS, offsetof(struct vts_cli_options, work.queues), 0, 0, NULL},
    {"label", WORK, PAIRS, offsetof(struct vts_cli_options, work.labels), 0, 0, NULL},
    {"jobs", WORK, INTEGER, offsetof(struct vts_cli_options, work.jobs), 1, 256, NULL},
    {"lease", WORK, DURATION, offsetof(struct vts_cli_options, work.lease), 3, 3600, NULL},
    {"worker-id", WORK, TEXT, offsetof(struct vts_cli_options, work.worker_id), 0, 0, NULL},
    {"result", WORK, TEXT, offsetof(struct vts_cli_options, work.result), 0, 0, NULL},
    {"no-retry", WORK, SWITCH, offsetof(struct vts_cli_options, work.is_no_retry), 0, 0, NULL},
    {"until-idle", WORK, SWITCH, offsetof(struct vts_cli_options, work.is_until_idle), 0, 0, NULL},

    {"data", CALL, TEXT, offsetof(struct vts_cli_options, call.data), 0, 0, NULL},
    {"header", CALL, FIELDS, offsetof(struct vts_cli_options, call.fields), 0, 0, NULL},
    {"stream", CALL, SWITCH, offsetof(struct vts_cli_options, call.is_stream), 0, 0, NULL},

    /* For every command that does not mean something else by it. */
    {"timeout", ALL, DURATION, offsetof(struct vts_cli_options, client.request_timeout), 0.001,
     VTS_CLI_A_YEAR, NULL},
};

enum { FLAGS_COUNT = sizeof(flags) / sizeof(flags[0]) };

_Static_assert(sizeof(flags) / sizeof(flags[0]) <= VTS_CLI_MAX_FLAGS,
               "VTS_CLI_MAX_FLAGS must grow");

/* ---- rows ------------------------------------------------------------------------------------ */

static const struct {
    char letter;
    const char *name;
} letters[] = {{'d', "data"}, {'H', "header"}, {'h', "help"}, {'o', "output"}, {'v', "verbose"}};

enum { LETTERS_COUNT = sizeof(letters) / sizeof(letters[0]) };

const char *vts_cli_flag_name(int option)
{
    for (size_t i = 0; i < LETTERS_COUNT; i++)
        if (letters[i].letter == option)
            return letters[i].name;
    return flags[option - VTS_CLI_FIRST_LONG].name;
}

/* The row of that name for the command; NULL when it does not take the flag. */
static const struct vts_cli_flag *find(const char *name, enum vts_cli_command command)
{
    for (size_t i = 0; i < FLAGS_COUNT; i++)
        if (strcmp(flags[i].name, name) == 0 && (flags[i].commands & 1 << command) != 0)
            return &flags[i];
    return NULL;
}

static const struct vts_cli_flag *first_row_of(const char *name)
{
    size_t i = 0;

    while (strcmp(flags[i].name, name) != 0)
        i++;
    return &flags[i];
}

/* Two names for one thing. */
static const char *explained_name(const struct vts_cli_flag *flag)
{
    size_t i = 0;

    while (flags[i].offset != flag->offset)
        i++;
    return flags[i].name;
}

static const char *policies(void)
{
    static char words[160]; /* always the same ones; completions are printed by one thread */
    const char *name;
    size_t len = 0;

    for (size_t i = 0; (name = vts_poll_preset_name(i)) != NULL && len < sizeof(words); i++)
        len += (size_t)snprintf(words + len, sizeof(words) - len, "%s%s", i > 0 ? " " : "", name);
    return words;
}

static const char *words_of(const struct vts_cli_flag *flag)
{
    switch (flag->kind) {
    case FORMAT:
        return "text json";
    case MODE:
        return "auto watch long-poll poll";
    case POLICY:
        return policies();
    case STATES:
        return "pending running cancelling succeeded failed cancelled";
    default:
        return NULL;
    }
}

bool vts_cli_flag_look(enum vts_cli_command command, size_t index,
                       struct vts_cli_flag_view *ret_view)
{
    const struct vts_cli_flag *flag = NULL;
    size_t count = 0;

    for (size_t i = 0; i < FLAGS_COUNT && flag == NULL; i++)
        if (find(flags[i].name, command) == &flags[i] && count++ == index)
            flag = &flags[i];
    if (flag == NULL)
        return false;
    *ret_view = (struct vts_cli_flag_view){.name = flag->name,
                                           .help_name = explained_name(flag),
                                           .takes_value = flag->kind != SWITCH,
                                           .takes_file = flag->kind == FILENAME,
                                           .is_repeatable = flag->kind >= WORDS,
                                           .words = words_of(flag)};
    for (size_t i = 0; i < LETTERS_COUNT; i++)
        if (strcmp(letters[i].name, flag->name) == 0)
            ret_view->letter = letters[i].letter;
    return true;
}

static const char *who_takes(const char *name)
{
    for (int command = 1; command < VTS_CLI_COMMAND_COUNT; command++)
        if (find(name, (enum vts_cli_command)command) != NULL)
            return vts_cli_command_name((enum vts_cli_command)command);
    return "no command";
}

void vts_cli_flags_list(struct option long_options[VTS_CLI_MAX_FLAGS + 1])
{
    int count = 0;

    for (int i = 0; i < FLAGS_COUNT; i++) {
        int has_arg = flags[i].kind == SWITCH ? no_argument : required_argument;

        /* Twice the same name would make every abbreviation of it ambiguous. */
        if (first_row_of(flags[i].name) == &flags[i])
            long_options[count++] = (struct option){
                .name = flags[i].name, .has_arg = has_arg, .val = VTS_CLI_FIRST_LONG + i};
    }
    long_options[count] = (struct option){.name = NULL};
}

bool vts_cli_flag_set(int option, char *value, struct vts_cli_options *options,
                      const struct vts_cli_fault *fault)
{
    const char *name = vts_cli_flag_name(option);
    const struct vts_cli_flag *flag = find(name, options->command);
    char room[80];

    /* Whoever asks for help may not know; and without a command that is what is said. */
    if (flag == NULL && (options->is_help || options->command == VTS_CLI_COMMAND_NONE))
        return true;
    if (flag == NULL) {
        (void)snprintf(fault->text, fault->size, "%s takes the flag --%s, not %s", who_takes(name),
                       name, vts_cli_command_name(options->command));
        return false;
    }
    options->is_given[flag - flags] = true;
    if (vts_cli_flag_value_read(flag, value, options))
        return true;
    (void)snprintf(fault->text, fault->size, "--%s '%s': it takes %s", name, value,
                   vts_cli_flag_value_wanted(flag, room, sizeof(room)));
    return false;
}

/* Why a line of that name and value cannot be; NULL: it can. */
static const char *file_fault(const char *name, const char *value)
{
    static const char *const not_there[] = {"config", "help", "version"};
    bool is_known = false;

    for (size_t i = 0; i < FLAGS_COUNT && !is_known; i++)
        is_known = strcmp(flags[i].name, name) == 0;
    if (!is_known)
        return "there is no such flag";
    for (size_t i = 0; i < sizeof(not_there) / sizeof(not_there[0]); i++)
        if (strcmp(not_there[i], name) == 0)
            return "it cannot stand in a file";
    if (first_row_of(name)->kind == SWITCH)
        return value == NULL ? NULL : "it takes no value";
    return value != NULL ? NULL : "it needs a value";
}

bool vts_cli_flag_set_from_file(const char *name, char *value, struct vts_cli_options *options,
                                const struct vts_cli_fault *fault)
{
    const struct vts_cli_flag *flag = find(name, options->command);
    const char *why = file_fault(name, value);
    char nothing[] = "";
    char room[80];

    if (why != NULL) {
        (void)snprintf(fault->text, fault->size, "%s: %s", name, why);
        return false;
    }
    if (flag == NULL || options->is_given[flag - flags])
        return true;
    if (vts_cli_flag_value_read(flag, value != NULL ? value : nothing, options))
        return true;
    (void)snprintf(fault->text, fault->size, "%s '%s': it takes %s", name, value,
                   vts_cli_flag_value_wanted(flag, room, sizeof(room)));
    return false;
}

void vts_cli_flags_read_environment(struct vts_cli_options *options)
{
    for (size_t i = 0; i < FLAGS_COUNT; i++) {
        const char *value = flags[i].env == NULL ? NULL : getenv(flags[i].env);

        if (value != NULL && value[0] != '\0') {
            *(const char **)((char *)options + flags[i].offset) = value;
            options->is_given[i] = true;
        }
    }
}
