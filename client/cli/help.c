/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - what each command does, in the words of someone who has never seen it. */
#include "client/cli/help.h"

static const char global_flags[] =
    "Flags, before or after the command, as --flag VALUE or --flag=VALUE:\n"
    "  --url URL               the server, https://HOST[:PORT]; http:// only for this\n"
    "                          machine. Default https://localhost:5000\n"
    "  --cacert FILE           trust the authorities in this PEM file, and no others\n"
    "  --cert FILE --key FILE  show this client certificate to the server\n"
    "  -o, --output text|json  for people (default), or one line of JSON a status\n"
    "  --connect-timeout TIME  to reach the server. Default 10s\n"
    "  --request-timeout TIME  for one question and its answer, also --timeout.\n"
    "                          Default 10s\n"
    "  -v, --verbose           tell on stderr what is sent and what comes back\n"
    "  -h, --help              this text; of one command: vtstatus help COMMAND\n"
    "  --version               the version\n";

static const char exit_codes[] =
    "Exit status:\n"
    "  0  the job is completed; for get and health: the answer came, and the job\n"
    "     has not failed\n"
    "  1  the job ended in error\n"
    "  2  wrong usage\n"
    "  3  no answer: network, TLS, a server that cannot serve, an answer that\n"
    "     cannot be read\n"
    "  4  gave up waiting; the job goes on\n"
    "  5  no such job\n"
    "  6  not allowed\n"
    "  130, 143  interrupted by SIGINT or SIGTERM while polling\n";

static const char times_and_environment[] =
    "TIME is a number of seconds, or has a unit: 500ms, 2s, 5m, 1h.\n"
    "\n"
    "Environment: VTSTATUS_URL, VTSTATUS_CACERT, VTSTATUS_CERT and VTSTATUS_KEY stand\n"
    "for the flags of those names. NO_COLOR and CLICOLOR_FORCE are respected.\n";

static const char general[] =
    "Usage: vtstatus [FLAGS] COMMAND [JOB]\n"
    "\n"
    "Tells how a video-translation job is doing, by asking a vtstatusd server.\n"
    "JOB is the job's id; without one it is the job \"default\".\n"
    "\n"
    "Commands:\n"
    "  get [JOB]     ask once and show the answer\n"
    "  poll [JOB]    ask again and again until the job is completed or has failed\n"
    "  health        ask whether the server is up and serves\n"
    "  help COMMAND  explain a command and its flags\n"
    "\n"
    "Examples:\n"
    "  vtstatus --url https://vt.example.com get 7f3c\n"
    "  vtstatus poll 7f3c && echo translated\n"
    "  vtstatus poll --output json 7f3c | tail -n 1\n"
    "  vtstatus --url https://localhost:5000 --cacert certs/ca.pem poll\n";

static const char get[] =
    "Usage: vtstatus get [FLAGS] [JOB]\n"
    "\n"
    "Asks once how the job is, and shows all that is known of it. A job that is\n"
    "still pending is no failure; one that ended in error is exit status 1.\n"
    "\n"
    "Examples:\n"
    "  vtstatus get\n"
    "  vtstatus get 7f3c --output json\n";

static const char poll[] =
    "Usage: vtstatus poll [FLAGS] [JOB]\n"
    "\n"
    "Asks until the job is completed or has failed. Between two questions it waits as\n"
    "long as the server suggests, within the bounds below; when the server suggests\n"
    "nothing, the wait grows from --interval by --backoff-factor up to --max-interval.\n"
    "\n"
    "On a terminal one line shows how far the job is, and is redrawn; the last status\n"
    "goes to stdout. Into a pipe or a file goes one line a change. Ctrl-C stops the\n"
    "waiting, not the job.\n"
    "\n"
    "Flags of poll:\n"
    "  --interval TIME         to the second question, and the shortest wait before\n"
    "                          jitter. Default 1s\n"
    "  --backoff-factor N      each wait is the last one times N. Default 1.5\n"
    "  --max-interval TIME     the longest wait before jitter. Default 20s\n"
    "  --jitter N              the share of a wait that is drawn at random, 0 to 1.\n"
    "                          Default 0.2\n"
    "  --max-retries N         ask at most N times more after the first. Default -1: no\n"
    "                          limit\n"
    "  --max-failures N        give up after N failed questions in a row. Default 5\n"
    "  --deadline TIME         give up after this time. Default 0: never\n"
    "  --ignore-hints          wait by the schedule, whatever the server suggests\n"
    "\n"
    "Examples:\n"
    "  vtstatus poll 7f3c\n"
    "  vtstatus poll 7f3c --deadline 10m --max-interval 5s\n"
    "  vtstatus poll --output json 7f3c | while read -r line; do ...; done\n";

static const char health[] =
    "Usage: vtstatus health [FLAGS]\n"
    "\n"
    "Asks whether the server is up and serves. Says \"healthy\", or why it is not.\n"
    "\n"
    "Example:\n"
    "  vtstatus health --url https://vt.example.com --timeout 2s\n";

static const char *command_text(enum vts_cli_command command)
{
    switch (command) {
    case VTS_CLI_COMMAND_NONE:
        return general;
    case VTS_CLI_COMMAND_GET:
        return get;
    case VTS_CLI_COMMAND_POLL:
        return poll;
    case VTS_CLI_COMMAND_HEALTH:
        return health;
    }
    return general;
}

void vts_cli_help_print(FILE *file, enum vts_cli_command command)
{
    fprintf(file, "%s\n%s\n%s\n%s", command_text(command), global_flags, times_and_environment,
            exit_codes);
}
