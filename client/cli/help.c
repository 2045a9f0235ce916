/* SPDX-License-Identifier: Apache-2.0 */
/* help.c - what each command does, in the words of someone who has never seen it. */
#include "client/cli/help.h"

const char vts_cli_help_flags[] =
    "Flags, before or after the command, as --flag VALUE or --flag=VALUE:\n"
    "  --url URL               the server, https://HOST[:PORT]; http:// only for this\n"
    "                          machine. Default https://localhost:5000\n"
    "  --cacert FILE           trust the authorities in this PEM file, and no others\n"
    "  --cert FILE --key FILE  show this client certificate to the server\n"
    "  --token-file FILE       send the bearer token in this file, which is read anew for\n"
    "                          each request\n"
    "  --pinned-key PINS       the server's public key must be one of these, as curl has\n"
    "                          them: sha256//BASE64, several with ; between\n"
    "  --proxy URL             reach the server through this proxy, or none. Default: as\n"
    "                          curl, by https_proxy, all_proxy and no_proxy\n"
    "  --config FILE           take flags from this file; see below\n"
    "  -o, --output text|json  how to show it: for people (default), or as one line of\n"
    "                          JSON a status\n"
    "  --connect-timeout TIME  to reach the server. Default 10s\n"
    "  --request-timeout TIME  for one question and its answer; also --timeout, but of\n"
    "                          submit. Default 10s\n"
    "  -v, --verbose           tell on stderr what is sent and what comes back\n"
    "  --explain               print the curl command that does the same, with JSON, and\n"
    "                          do nothing; not of watch, work and services\n"
    "  -h, --help              this text; of one command: vtstatus help COMMAND\n"
    "  --version               the version\n";

static const char exit_codes[] =
    "Exit status:\n"
    "  0  the job is completed; for get, show and health: the answer came, and the job\n"
    "     has not failed; for the others: it is done\n"
    "  1  the job ended in error\n"
    "  2  wrong usage; a file that cannot be read, or output that cannot be written\n"
    "  3  no answer: network, TLS, a server that cannot serve, an answer that\n"
    "     cannot be read\n"
    "  4  gave up waiting; the job goes on\n"
    "  5  no such job, method or service\n"
    "  6  not allowed\n"
    "  7  the job's state does not allow it, or there is a job of that id\n"
    "  130, 143  interrupted by SIGINT or SIGTERM while waiting\n";

static const char times_and_environment[] =
    "TIME is a number of seconds, or has a unit: 500ms, 2s, 5m, 1h.\n"
    "\n"
    "Environment: VTSTATUS_URL, VTSTATUS_CACERT, VTSTATUS_CERT, VTSTATUS_KEY,\n"
    "VTSTATUS_TOKEN_FILE, VTSTATUS_PINNED_KEY and VTSTATUS_CONFIG stand for the flags of\n"
    "those names. NO_COLOR and CLICOLOR_FORCE are respected.\n"
    "\n"
    "File: $XDG_CONFIG_HOME/vtstatus/config or ~/.config/vtstatus/config has long flags,\n"
    "one a line, as `url = https://vt.example.com`, and comments behind #. Commands take\n"
    "those that they know. Flags win over the environment, and that over the file.\n";

static const char general[] =
    "Usage: vtstatus [FLAGS] COMMAND [ARGUMENTS]\n"
    "\n"
    "Tells how a video-translation job is doing, by asking a vtstatusd server; submits\n"
    "jobs, and works on them. JOB is a job's id; where it may be left out, it is\n"
    "\"default\".\n"
    "\n"
    "To ask:\n"
    "  get [JOB]       ask once and show the answer\n"
    "  poll [JOB]      ask again and again until the job is completed or has failed\n"
    "  watch [JOB...]  be told of each change until all jobs are completed or failed\n"
    "  health          ask whether the server is up and serves\n"
    "  services        list what the server can be called for\n"
    "  call METHOD     call any of it, with JSON\n"
    "\n"
    "To decide:\n"
    "  submit SOURCE   have a video translated; prints the job's id\n"
    "  list            show many jobs\n"
    "  show JOB...     show all that is known of jobs, attempts included\n"
    "  cancel JOB...   stop jobs\n"
    "  retry JOB...    start failed or cancelled jobs anew\n"
    "  delete JOB...   forget jobs that are done\n"
    "\n"
    "To work:\n"
    "  work -- COMMAND...  take jobs and run a command for each\n"
    "\n"
    "  help COMMAND    explain a command and its flags\n"
    "  completion SHELL    print what lets bash, zsh or fish complete these words\n"
    "\n"
    "Examples:\n"
    "  vtstatus --url https://vt.example.com get 7f3c\n"
    "  vtstatus poll 7f3c && echo translated\n"
    "  vtstatus watch $(vtstatus submit file:///in.mp4 --to de --to fr)\n"
    "  vtstatus list --state failed --since 24h\n"
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
    "  --policy NAME           the schedule of others, to compare: gax-go,\n"
    "                          api-core-python, azure, smithy, heygen-cli,\n"
    "                          openai-python, plain, or default, this one's own. Flags\n"
    "                          behind it change it\n"
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

static const char watch[] =
    "Usage: vtstatus watch [FLAGS] [JOB...]\n"
    "\n"
    "Is told of each change, over one connection, until all jobs are completed or have\n"
    "failed. When the connection breaks off it is made anew, and nothing is told twice.\n"
    "\n"
    "On a terminal each job has a line that is redrawn; the last statuses go to stdout.\n"
    "Into a pipe or a file goes one line a change. Ctrl-C stops the watching, not the\n"
    "jobs. When one of them ended in error, the exit status is 1.\n"
    "\n"
    "Flags of watch:\n"
    "  --mode MODE             how to be told: watch (default) by a stream and by nothing\n"
    "                          else; long-poll by requests that the server holds, 48\n"
    "                          jobs at most; poll by requests now and then; auto by the\n"
    "                          first of them that gets through\n"
    "  --resume TOKEN          go on with what another watch gave up: its last line has\n"
    "                          the token. Tells only what is new since; the job may be\n"
    "                          left out\n"
    "  --max-failures N        give up after N requests in a row that brought nothing.\n"
    "                          Default 5\n"
    "  --deadline TIME         give up after this time. Default 0: never\n"
    "\n"
    "Examples:\n"
    "  vtstatus watch 7f3c 81d0 9b2e\n"
    "  vtstatus watch --output json 7f3c | jq .progress\n"
    "  vtstatus watch --mode auto 7f3c\n";

static const char submit[] =
    "Usage: vtstatus submit [FLAGS] SOURCE --to LANG\n"
    "\n"
    "Has the video at the URI SOURCE translated, and prints the id of the job. With\n"
    "several --to there is a job for each, all made by one request, and an id on a line\n"
    "for each, in their order.\n"
    "It is safe to submit with a --job-id or --request-id again: there is one job then.\n"
    "\n"
    "Flags of submit:\n"
    "  --to LANG               the language to translate to, such as de or pt-BR\n"
    "  --from LANG             the language of the video. Default: it is detected\n"
    "  --job-id ID             the job's id: 1 to 128 characters of A-Z a-z 0-9 . _ ~ -\n"
    "                          Default: the server makes one\n"
    "  --request-id ID         the same one within 24 hours gives the same job\n"
    "  --label KEY=VALUE       to find it again; may be given several times\n"
    "  --option KEY=VALUE      for whoever does the work; the same\n"
    "  --queue QUEUE           where workers find it. Default \"default\"\n"
    "  --priority N            higher ones are worked on first; -1000 to 1000. Default 0\n"
    "  --max-attempts N        how often it may be tried. Default 3\n"
    "  --timeout TIME          for one attempt. Default: no limit\n"
    "  --ttl TIME              how long it is kept once it is done\n"
    "  --start-in TIME         not before this time has passed\n"
    "  --wait                  wait for it, and show it, as watch does; takes the flags\n"
    "                          of watch, with --mode auto as the default, and has its\n"
    "                          exit status\n"
    "\n"
    "Examples:\n"
    "  id=$(vtstatus submit file:///in.mp4 --to de)\n"
    "  vtstatus submit s3://videos/in.mp4 --from en --to de --to fr --label team=a\n"
    "  vtstatus submit file:///in.mp4 --to de --wait && echo translated\n";

static const char list[] =
    "Usage: vtstatus list [FLAGS]\n"
    "\n"
    "Shows jobs, the newest first: a table, or with --output json a line for each.\n"
    "\n"
    "Flags of list:\n"
    "  --state STATE           only jobs in this state: pending, running, cancelling,\n"
    "                          succeeded, failed, cancelled; may be given several times\n"
    "  --queue QUEUE           only of this queue\n"
    "  --label KEY=VALUE       only with this label; all of them if given several times\n"
    "  --since TIME            only those submitted within this time\n"
    "  --limit N               N jobs at most. Default: all\n"
    "  --oldest-first          the other way round\n"
    "\n"
    "Examples:\n"
    "  vtstatus list --state pending --state running\n"
    "  vtstatus list --label team=a --since 1h --output json | jq -r .id\n";

static const char show[] =
    "Usage: vtstatus show [FLAGS] JOB...\n"
    "\n"
    "Shows all that is known of jobs: what was asked for, how it is, and each attempt\n"
    "with its worker and its error. Exit status 1 says that a job ended in error.\n"
    "\n"
    "Example:\n"
    "  vtstatus show 7f3c\n";

static const char cancel[] =
    "Usage: vtstatus cancel [FLAGS] JOB...\n"
    "\n"
    "Stops jobs, and shows each as it is then. One that waits is cancelled at once; one\n"
    "that runs is being cancelled until its worker has stopped.\n"
    "\n"
    "Flags of cancel:\n"
    "  --etag ETAG             only if the job is still as it was when `show` told this\n"
    "                          entity tag, such as r7\n"
    "  --reason TEXT           for people; becomes the error of the job\n"
    "\n"
    "Example:\n"
    "  vtstatus cancel 7f3c --reason 'wrong file'\n";

static const char retry[] =
    "Usage: vtstatus retry [FLAGS] JOB...\n"
    "\n"
    "Starts failed or cancelled jobs anew, and shows each as it is then.\n"
    "\n"
    "Flag of retry:\n"
    "  --etag ETAG             only if the job is still as it was when `show` told this\n"
    "                          entity tag, such as r7\n"
    "\n"
    "Example:\n"
    "  vtstatus list --state failed -o json | jq -r .id | xargs vtstatus retry\n";

static const char delete[] =
    "Usage: vtstatus delete [FLAGS] JOB...\n"
    "\n"
    "Makes the server forget jobs that are done.\n"
    "\n"
    "Flag of delete:\n"
    "  --etag ETAG             only if the job is still as it was when `show` told this\n"
    "                          entity tag, such as r7\n"
    "\n"
    "Example:\n"
    "  vtstatus delete 7f3c\n";

static const char work[] =
    "Usage: vtstatus work [FLAGS] -- COMMAND [ARGUMENT...]\n"
    "\n"
    "Takes jobs and runs COMMAND for each, until it is told to stop. No shell is\n"
    "involved. In the arguments, these stand for the job's:\n"
    "  {source} {from} {to}    the video's URI and the languages; {from} may be empty\n"
    "  {job}                   its id\n"
    "  {output}                what --result makes of it\n"
    "A job where one of them begins with '-' fails, if it would begin an argument. The\n"
    "environment has them too: VTSTATUS_JOB_ID, VTSTATUS_SOURCE, VTSTATUS_FROM,\n"
    "VTSTATUS_TO, VTSTATUS_OUTPUT, VTSTATUS_ATTEMPT, VTSTATUS_QUEUE, and\n"
    "VTSTATUS_OPTION_KEY for each option whose key has only letters, digits and '_'.\n"
    "\n"
    "What the command writes to stdout, by lines:\n"
    "  progress 42.5 transcribe two speakers found\n"
    "                          it has done 42.5 %, is in a phase, and a message; the\n"
    "                          last two may be left out\n"
    "  {\"percent\":42.5,\"phase\":\"transcribe\",\"phaseIndex\":2,\"phaseCount\":6,\n"
    "   \"message\":\"two speakers\"}   the same, on one line\n"
    "  output URI              where the result lies\n"
    "Other lines, and what it writes to stderr, go to stderr with the job's id in front.\n"
    "\n"
    "How the command ends:\n"
    "  0      the job is completed\n"
    "  75     it failed, and may be tried again (EX_TEMPFAIL)\n"
    "  other  it failed, by a signal too, and may be tried again unless --no-retry\n"
    "The last lines of its stderr become the error. When the job is cancelled, the\n"
    "command's process group gets SIGTERM, and SIGKILL 10 s later.\n"
    "\n"
    "SIGTERM or SIGINT: takes no more jobs, waits for those that run, and exits with 0.\n"
    "A second one stops the commands and gives their jobs back. Each job's last status\n"
    "goes to stdout.\n"
    "\n"
    "Flags of work:\n"
    "  --queue QUEUE           only of this queue; may be given several times.\n"
    "                          Default \"default\"\n"
    "  --label KEY=VALUE       only jobs with this label; the same\n"
    "  --jobs N                N jobs at a time, 1 to 256. Default 1\n"
    "  --result TEMPLATE       the URI of a result, made of {source} {from} {to} {job};\n"
    "                          an `output` line wins\n"
    "  --no-retry              only exit status 75 is worth another attempt\n"
    "  --until-idle            end when there is no job to take\n"
    "  --lease TIME            a job is given to another worker when this one is not\n"
    "                          heard of for so long, 3s to 1h. Default 60s\n"
    "  --worker-id ID          for people and records. Default: the machine's name and\n"
    "                          the process id\n"
    "\n"
    "Examples:\n"
    "  vtstatus work --jobs 2 -- ./translate.sh {source} {to}\n"
    "  vtstatus work --result 's3://out/{job}.mp4' -- translate {source} {to} {output}\n";

static const char health[] =
    "Usage: vtstatus health [FLAGS]\n"
    "\n"
    "Asks whether the server is up and serves. Says \"healthy\", or why it is not.\n"
    "\n"
    "Example:\n"
    "  vtstatus health --url https://vt.example.com --timeout 2s\n";

static const char call[] =
    "Usage: vtstatus call [FLAGS] SERVICE/METHOD\n"
    "\n"
    "Calls any method of the server with a message in JSON, and prints what it answers\n"
    "in JSON: one message, or one after the other as the method sends them. SERVICE has\n"
    "its package, as vtstatus services prints it. With -v an error's details are told.\n"
    "\n"
    "Flags of call:\n"
    "  -d, --data JSON         the message; @FILE takes it from a file, and - or @- from\n"
    "                          stdin. Default {}\n"
    "  -H, --header 'NAME: VALUE'   an HTTP field to send too; may be given several\n"
    "                          times\n"
    "  --stream                the method answers with a stream. Default: it is found\n"
    "                          out, but not by --explain, which asks nobody\n"
    "\n"
    "Examples:\n"
    "  vtstatus call vtstatus.v1.StatusService/GetStatus -d '{\"jobId\":\"7f3c\"}'\n"
    "  vtstatus call grpc.health.v1.Health/Check\n";

static const char services[] =
    "Usage: vtstatus services [FLAGS] [SERVICE]\n"
    "\n"
    "Lists the methods of all services of the server, or of one: a method, whether it\n"
    "streams, and the types of its request and response. The server tells by gRPC\n"
    "server reflection, unless that is switched off.\n"
    "\n"
    "Examples:\n"
    "  vtstatus services\n"
    "  vtstatus services vtstatus.v1.JobService --output json\n";

static const char completion[] =
    "Usage: vtstatus completion SHELL\n"
    "\n"
    "Prints what lets the shell complete commands and flags: bash, zsh or fish. Packages\n"
    "install it where the shells look for it.\n"
    "\n"
    "Examples:\n"
    "  . <(vtstatus completion bash)\n"
    "  vtstatus completion fish > ~/.config/fish/completions/vtstatus.fish\n";

const char *vts_cli_help_text(enum vts_cli_command command)
{
    switch (command) {
    case VTS_CLI_COMMAND_NONE:
    case VTS_CLI_COMMAND_COUNT:
        return general;
    case VTS_CLI_COMMAND_GET:
        return get;
    case VTS_CLI_COMMAND_POLL:
        return poll;
    case VTS_CLI_COMMAND_WATCH:
        return watch;
    case VTS_CLI_COMMAND_SUBMIT:
        return submit;
    case VTS_CLI_COMMAND_LIST:
        return list;
    case VTS_CLI_COMMAND_SHOW:
        return show;
    case VTS_CLI_COMMAND_CANCEL:
        return cancel;
    case VTS_CLI_COMMAND_RETRY:
        return retry;
    case VTS_CLI_COMMAND_DELETE:
        return delete;
    case VTS_CLI_COMMAND_WORK:
        return work;
    case VTS_CLI_COMMAND_HEALTH:
        return health;
    case VTS_CLI_COMMAND_CALL:
        return call;
    case VTS_CLI_COMMAND_SERVICES:
        return services;
    case VTS_CLI_COMMAND_COMPLETION:
        return completion;
    }
    return general;
}

void vts_cli_help_print(FILE *file, enum vts_cli_command command)
{
    fprintf(file, "%s\n%s\n%s\n%s", vts_cli_help_text(command), vts_cli_help_flags,
            times_and_environment, exit_codes);
}
