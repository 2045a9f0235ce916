/* SPDX-License-Identifier: Apache-2.0 */
/* The command line, read into one struct. Flags win over the environment, that over the file of
 * options, and that over defaults. */
#ifndef VTS_CLI_OPTIONS_H
#define VTS_CLI_OPTIONS_H

#include <vtstatus/wait.h>
#include <vtstatus/worker.h>

enum vts_cli_command {
    VTS_CLI_COMMAND_NONE,
    VTS_CLI_COMMAND_GET,
    VTS_CLI_COMMAND_POLL,
    VTS_CLI_COMMAND_WATCH,
    VTS_CLI_COMMAND_SUBMIT,
    VTS_CLI_COMMAND_LIST,
    VTS_CLI_COMMAND_SHOW,
    VTS_CLI_COMMAND_CANCEL,
    VTS_CLI_COMMAND_RETRY,
    VTS_CLI_COMMAND_DELETE,
    VTS_CLI_COMMAND_WORK,
    VTS_CLI_COMMAND_HEALTH,
    VTS_CLI_COMMAND_CALL,
    VTS_CLI_COMMAND_SERVICES,
    VTS_CLI_COMMAND_COMPLETION,
    VTS_CLI_COMMAND_COUNT, /* none; how many there are */
};

enum {
    VTS_CLI_MAX_ITEMS = 64, /* how often a flag may be given again */
    VTS_CLI_MAX_FLAGS = 80, /* more than there are */
    VTS_CLI_MAX_CONFIG_BYTES = 16 * 1024,
};

struct vts_cli_words {
    const char *items[VTS_CLI_MAX_ITEMS];
    size_t count;
};

struct vts_cli_pairs {
    struct vts_pair items[VTS_CLI_MAX_ITEMS];
    size_t count;
};

struct vts_cli_states {
    enum vts_state items[VTS_CLI_MAX_ITEMS];
    size_t count;
};

struct vts_cli_submit_options {
    struct vts_cli_words targets; /* languages */
    const char *source_language;
    const char *job_id;
    const char *request_id;
    const char *queue;
    struct vts_cli_pairs labels;
    struct vts_cli_pairs options;
    int priority;
    int max_attempts;
    double timeout;
    double ttl;
    double start_in; /* s from now */
    bool is_waiting;
};

struct vts_cli_list_options {
    struct vts_cli_states states;
    struct vts_cli_pairs labels;
    const char *queue;
    double since; /* s ago; 0: whenever */
    int limit;    /* 0: none */
    bool is_oldest_first;
};

struct vts_cli_work_options {
    struct vts_cli_words queues;
    struct vts_cli_pairs labels;
    const char *worker_id; /* NULL: from the machine's name */
    const char *result;    /* template of output URIs; NULL: none */
    int jobs;              /* at a time */
    double lease;          /* s */
    bool is_no_retry;
    bool is_until_idle;
};

struct vts_cli_call_options {
    const char *data; /* JSON, or "@FILE" or "-"; NULL: none */
    struct vts_cli_pairs fields;
    bool is_stream;
};

struct vts_cli_options {
    enum vts_cli_command command; /* with is_help: what to explain */
    const char *job_id;           /* the first word; NULL: the server's default job */
    const char *const *words;     /* all words behind the command, NULL at their end */
    size_t words_count;
    bool is_help;
    bool is_version;
    bool is_json;
    bool is_verbose;
    bool is_explaining; /* requests are printed, not sent */
    struct vts_client_options client;
    struct vts_poll_options poll;
    struct vts_wait_options wait; /* of watch and of submit --wait */
    const char *resume;           /* of watch: a token; NULL: none */
    struct vts_cli_submit_options submit;
    struct vts_cli_list_options list;
    struct vts_cli_work_options work;
    struct vts_cli_call_options call;
    const char *reason; /* of cancel; NULL: none */
    const char *etag;   /* of cancel, retry and delete, its quotes left out or not; NULL: none */
    const char *config_file;          /* NULL: where it usually is, if it is there */
    bool is_given[VTS_CLI_MAX_FLAGS]; /* by rows of flags.c: a flag or the environment said it */
    char config_text[VTS_CLI_MAX_CONFIG_BYTES + 1]; /* what strings may point into */
};

/* Strings in *ret_options are those of argv, of the environment, and its own: it must not move.
 * argv is reordered, and its KEY=VALUE and NAME: VALUE words are cut in two. False with one line in
 * error when something in it is wrong; ret_options->command is then the one it was about, as far as
 * it is known. */
bool vts_cli_options_parse(int argc, char *argv[], struct vts_cli_options *ret_options, char *error,
                           size_t error_size);

/* "get" and so on; NULL for VTS_CLI_COMMAND_NONE. */
const char *vts_cli_command_name(enum vts_cli_command command);

#endif
