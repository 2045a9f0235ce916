/* SPDX-License-Identifier: Apache-2.0 */
/* work_slot.c - take a job, run its command, say how it ended; again.
 *
 * A job has two threads: this one runs the command and reports on it, the one of work_hold.h keeps
 * the lease. How a job ended is told until the server has heard it, since hours of work may be in
 * it; only a worker that is stopped gives up on that.
 */
#include "client/cli/work_slot.h"

#include <errno.h>
#include <math.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/output.h"
#include "client/cli/streams.h"
#include "client/cli/terminal.h"
#include "client/cli/text.h"
#include "client/cli/work_words.h"

enum {
    LEASE_WAIT_S = 30,
    MAX_PAUSE_S = 20,
    MAX_IDLE_FAILURES = 5, /* in a row; as the other commands have it */
    EX_TEMPFAIL = 75,      /* of <sysexits.h> */
    MAX_MESSAGE_BYTES = VTS_CLI_TAIL_BYTES,
    /* gRPC's numbers. */
    CODE_CANCELLED = 1,
    CODE_UNKNOWN = 2,
    CODE_INVALID_ARGUMENT = 3,
    CODE_UNAVAILABLE = 14,
};

/* ---- the worker ------------------------------------------------------------------------------ */

static void make_readable(int fd)
{
    const uint64_t one = 1;

    (void)!write(fd, &one, sizeof(one)); /* an eventfd takes it unless it is readable already */
}

void vts_cli_worker_move(struct vts_cli_worker *worker, enum vts_cli_worker_phase phase)
{
    (void)pthread_mutex_lock(&worker->lock); /* it is never taken twice */
    if (phase > worker->phase) {
        worker->phase = phase;
        make_readable(worker->drain_fd);
        for (size_t i = 0; i < worker->slots_count; i++) {
            struct vts_cli_slot *slot = &worker->slots[i];

            vts_client_cancel(slot->lease_client);
            if (phase == VTS_CLI_WORKER_STOPPING && slot->hold != NULL)
                vts_cli_hold_tell(slot->hold, VTS_CLI_STOP_TOLD);
        }
        if (phase == VTS_CLI_WORKER_STOPPING)
            make_readable(worker->stop_fd);
    }
    (void)pthread_mutex_unlock(&worker->lock);
}

static enum vts_cli_worker_phase phase_of(struct vts_cli_worker *worker)
{
    enum vts_cli_worker_phase phase;

    (void)pthread_mutex_lock(&worker->lock);
    phase = worker->phase;
    (void)pthread_mutex_unlock(&worker->lock);
    return phase;
}

/* Something is wrong that another job would meet as well. */
static void end_work(struct vts_cli_worker *worker, int exit_code)
{
    (void)pthread_mutex_lock(&worker->lock);
    if (worker->exit_code == VTS_CLI_EXIT_OK)
        worker->exit_code = exit_code;
    (void)pthread_mutex_unlock(&worker->lock);
    vts_cli_worker_move(worker, VTS_CLI_WORKER_DRAINING);
}

static void set_hold(struct vts_cli_slot *slot, struct vts_cli_hold *hold)
{
    struct vts_cli_worker *worker = slot->worker;

    (void)pthread_mutex_lock(&worker->lock);
    slot->hold = hold;
    if (hold != NULL && worker->phase == VTS_CLI_WORKER_STOPPING)
        vts_cli_hold_tell(hold, VTS_CLI_STOP_TOLD);
    (void)pthread_mutex_unlock(&worker->lock);
}

/* Longer after each failure; less when the descriptor becomes readable. */
static void pause_after(unsigned failures, int fd)
{
    struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
    double seconds = fmin(pow(2, failures > 0 ? failures - 1 : 0), MAX_PAUSE_S);

    (void)poll(&poll_fd, 1, (int)(seconds * 1000)); /* the caller looks at the phase */
}

/* ---- words for people ------------------------------------------------------------------------ */

/* "[job] text" in one piece, whatever other slots say. */
static void say(const struct vts_job *job, const char *text)
{
    flockfile(stderr);
    fputc('[', stderr);
    vts_cli_text_print(stderr, vts_job_id(job));
    fputs("] ", stderr);
    vts_cli_text_print(stderr, text);
    fputc('\n', stderr);
    funlockfile(stderr);
}

static void print_status(const struct vts_cli_slot *slot, const struct vts_status *status)
{
    flockfile(stdout);
    if (!slot->worker->options->is_json)
        vts_cli_output_line(stdout, status, vts_cli_terminal_has_colors(stdout));
    else if (!vts_cli_output_json(stdout, status))
        vts_cli_output_error("out of memory");
    (void)vts_cli_streams_flush(); /* it is said at the end; the job is done all the same */
    funlockfile(stdout);
}

/* ---- how a job ended ------------------------------------------------------------------------- */

enum end_kind { END_COMPLETE, END_FAIL, END_RELEASE };

struct job_end {
    enum end_kind kind;
    const char *output_uri;
    struct vts_fail_options failure;
};

static enum vts_client_code send_end(struct vts_cli_slot *slot, const struct vts_lease *lease,
                                     const struct job_end *end, struct vts_status **ret_status,
                                     struct vts_client_error *error)
{
    switch (end->kind) {
    case END_COMPLETE:
        return vts_complete_job(slot->report_client, lease, end->output_uri, ret_status, error);
    case END_FAIL:
        return vts_fail_job(slot->report_client, lease, &end->failure, ret_status, error);
    case END_RELEASE:
        return vts_release_job(slot->report_client, lease, ret_status, error);
    }
    return VTS_CLIENT_USAGE;
}

static bool may_pass(enum vts_client_code code)
{
    return code == VTS_CLIENT_RESOLVE || code == VTS_CLIENT_CONNECT || code == VTS_CLIENT_TIMEOUT ||
           code == VTS_CLIENT_UNAVAILABLE;
}

static void tell_end(struct vts_cli_slot *slot, const struct vts_lease *lease,
                     const struct job_end *end)
{
    const struct vts_job *job = vts_lease_its_job(lease);
    struct vts_status *status = NULL;
    struct vts_client_error error;
    unsigned failures = 0;

    while (send_end(slot, lease, end, &status, &error) != VTS_CLIENT_OK) {
        say(job, error.text);
        if (!may_pass(error.code) || phase_of(slot->worker) == VTS_CLI_WORKER_STOPPING)
            return;
        pause_after(++failures, slot->worker->stop_fd);
    }
    print_status(slot, status);
    vts_status_free(status);
}

static void fail_with(struct job_end *end, int code, const char *message, bool is_retryable)
{
    end->kind = END_FAIL;
    vts_fail_options_init(&end->failure);
    end->failure.code = code;
    end->failure.message = message;
    end->failure.is_retryable = is_retryable;
}

/* Like append, for a text that is cut off at its room. Text of a command may hold anything. */
static void append_line(char *text, size_t size, const char *line, size_t line_len)
{
    size_t len = strlen(text);
    char room[VTS_CLI_TAIL_BYTES];

    (void)snprintf(room, sizeof(room), "%.*s", (int)line_len, line);
    (void)vts_cli_text_escape(room, text + len, size - len, size, NULL);
}

/* The last line says most, so it stands in the first; all that is known follows it. */
static void append_tail(char *text, size_t size, const struct vts_cli_tail *tail)
{
    const char *line = tail->text;
    const char *last = strrchr(tail->text, '\n');

    if (tail->len == 0)
        return;
    append_line(text, size, ": ", 2);
    append_line(text, size, last != NULL ? last + 1 : tail->text, VTS_CLI_TAIL_BYTES);
    while (last != NULL && *line != '\0' && strlen(text) + 2 < size) {
        size_t len = strcspn(line, "\n");

        text[strlen(text) + 1] = '\0';
        text[strlen(text)] = '\n';
        append_line(text, size, line, len);
        line += len + (line[len] == '\n' ? 1 : 0);
    }
}

static void describe_failure(const struct vts_cli_process *process, char *text, size_t size)
{
    int status = process->status;

    if (WIFSIGNALED(status))
        (void)snprintf(text, size, "signal %d (%s)", WTERMSIG(status), strsignal(WTERMSIG(status)));
    else
        (void)snprintf(text, size, "exit status %d", WEXITSTATUS(status));
    append_tail(text, size, &process->tail);
}

/* message is room for the text, which lives as long as *ret_end. */
static void judge_exit(const struct vts_cli_slot *slot, const struct vts_cli_process *process,
                       const struct vts_cli_work_words *words, char *message, size_t size,
                       struct job_end *ret_end)
{
    bool is_temporary = WIFEXITED(process->status) && WEXITSTATUS(process->status) == EX_TEMPFAIL;

    if (WIFEXITED(process->status) && WEXITSTATUS(process->status) == 0) {
        ret_end->kind = END_COMPLETE;
        ret_end->output_uri = process->output_uri[0] != '\0' ? process->output_uri : words->output;
        return;
    }
    describe_failure(process, message, size);
    fail_with(ret_end, is_temporary ? CODE_UNAVAILABLE : CODE_UNKNOWN, message,
              is_temporary || !slot->worker->options->work.is_no_retry);
}

/* ---- while it runs --------------------------------------------------------------------------- */

struct run {
    struct vts_cli_slot *slot;
    const struct vts_lease *lease;
    struct vts_cli_hold hold;
};

static enum vts_cli_stop ask_stop(void *self)
{
    struct run *run = self;

    return (enum vts_cli_stop)atomic_load(&run->hold.stop);
}

static void on_progress(void *self, const struct vts_report *report)
{
    struct run *run = self;
    bool is_cancel_requested = false;
    struct vts_progress progress;
    enum vts_client_code code;

    vts_progress_init(&progress);
    progress.percent = report->percent;
    progress.phase = report->phase;
    progress.phase_index = report->phase_index;
    progress.phase_count = report->phase_count;
    progress.message = report->message;
    code = vts_heartbeat_job(run->slot->report_client, run->lease, &progress, 0,
                             &is_cancel_requested, NULL);
    vts_cli_hold_tell(&run->hold, vts_cli_hold_judge(code, is_cancel_requested));
}

static void on_line(void *self, const char *line)
{
    const struct run *run = self;

    say(vts_lease_its_job(run->lease), line);
}

static void tell_run(struct run *run, const struct vts_cli_process *process,
                     const struct vts_cli_work_words *words)
{
    char message[MAX_MESSAGE_BYTES];
    struct job_end end = {.kind = END_RELEASE};

    switch (process->stop) {
    case VTS_CLI_STOP_NONE:
        judge_exit(run->slot, process, words, message, sizeof(message), &end);
        break;
    case VTS_CLI_STOP_CANCELLED:
        fail_with(&end, CODE_CANCELLED, "the worker has stopped, as the job was cancelled", false);
        break;
    case VTS_CLI_STOP_LOST:
        say(vts_lease_its_job(run->lease), "stopped, as the job is another worker's by now");
        return;
    case VTS_CLI_STOP_TOLD:
        break;
    }
    tell_end(run->slot, run->lease, &end);
}

/* A worker that cannot run its command gives the job back and ends. */
static void tell_no_start(struct run *run, const char *program, int os_errno)
{
    const struct job_end end = {.kind = END_RELEASE};
    char text[512];

    (void)snprintf(text, sizeof(text), "cannot run '%.200s': %s", program, strerror(os_errno));
    vts_cli_output_error(text);
    end_work(run->slot->worker, VTS_CLI_EXIT_USAGE);
    tell_end(run->slot, run->lease, &end);
}

static void run_command(struct run *run, const struct vts_cli_work_words *words)
{
    const struct vts_cli_process_events events = {.self = run,
                                                  .stop_fd = run->hold.stop_fd,
                                                  .ask_stop = ask_stop,
                                                  .on_progress = on_progress,
                                                  .on_line = on_line};
    struct vts_cli_process *process = calloc(1, sizeof(*process));
    int err = process == NULL ? ENOMEM : vts_cli_process_start(process, words, &events);

    if (err != 0) {
        tell_no_start(run, words->argv[0], err);
    } else {
        vts_cli_process_run(process);
        tell_run(run, process, words);
    }
    free(process);
}

static void work_on(struct vts_cli_slot *slot, const struct vts_lease *lease)
{
    struct run run = {.slot = slot, .lease = lease};
    struct job_end end = {.kind = END_RELEASE};
    struct vts_cli_work_words words;
    enum vts_cli_work_words_result result;

    result = vts_cli_work_words_make(slot->worker->options, vts_lease_its_job(lease), &words);
    if (result != VTS_CLI_WORDS_OK) {
        if (result == VTS_CLI_WORDS_LIKE_A_FLAG)
            fail_with(&end, CODE_INVALID_ARGUMENT,
                      "a value of the job begins with '-', and would be a flag of the command",
                      false);
        tell_end(slot, lease, &end);
    } else if (!vts_cli_hold_start(&run.hold, slot->worker->options, lease)) {
        end_work(slot->worker, VTS_CLI_EXIT_NO_ANSWER);
        tell_end(slot, lease, &end);
    } else {
        set_hold(slot, &run.hold);
        run_command(&run, &words);
        set_hold(slot, NULL);
        vts_cli_hold_stop(&run.hold);
    }
    vts_cli_work_words_fini(&words);
}

/* ---- taking jobs ----------------------------------------------------------------------------- */

static enum vts_client_code take(struct vts_cli_slot *slot, struct vts_lease **ret_lease,
                                 struct vts_client_error *error)
{
    const struct vts_cli_work_options *work = &slot->worker->options->work;
    struct vts_lease_options lease;

    vts_lease_options_init(&lease);
    lease.worker_id = slot->worker_id;
    lease.queues = work->queues.items;
    lease.queues_count = work->queues.count;
    lease.labels = work->labels.items;
    lease.labels_count = work->labels.count;
    lease.duration = work->lease;
    lease.wait = work->is_until_idle ? 0 : LEASE_WAIT_S;
    return vts_lease_job(slot->lease_client, &lease, ret_lease, error);
}

static void tell_no_lease(struct vts_cli_slot *slot, const struct vts_client_error *error,
                          unsigned failures)
{
    char text[640];

    if (!may_pass(error->code)) {
        vts_cli_failure_print(error, slot->worker->options);
        end_work(slot->worker, vts_cli_exit_code(error->code, NULL));
        return;
    }
    if (slot->worker->options->work.is_until_idle && failures >= MAX_IDLE_FAILURES) {
        (void)snprintf(text, sizeof(text), "%s; no answer to %u requests in a row", error->text,
                       failures);
        vts_cli_output_error(text);
        end_work(slot->worker, vts_cli_exit_code(error->code, NULL));
        return;
    }
    if (failures == 1) {
        (void)snprintf(text, sizeof(text), "%s; trying again until it answers", error->text);
        vts_cli_output_error(text);
    }
    pause_after(failures, slot->worker->drain_fd);
}

/* A job that came when no more were wanted goes back at once: its lease would keep it from others.
 */
static void use_lease(struct vts_cli_slot *slot, const struct vts_lease *lease)
{
    const struct job_end end = {.kind = END_RELEASE};

    if (phase_of(slot->worker) == VTS_CLI_WORKER_TAKING)
        work_on(slot, lease);
    else
        tell_end(slot, lease, &end);
}

void *vts_cli_slot_run(void *context)
{
    struct vts_cli_slot *slot = context;
    unsigned failures = 0;

    while (phase_of(slot->worker) == VTS_CLI_WORKER_TAKING) {
        struct vts_lease *lease = NULL;
        struct vts_client_error error;
        enum vts_client_code code = take(slot, &lease, &error);

        failures = code == VTS_CLIENT_OK ? 0 : failures + 1;
        if (code == VTS_CLIENT_CANCELLED)
            break;
        if (code != VTS_CLIENT_OK)
            tell_no_lease(slot, &error, failures);
        else if (lease != NULL)
            use_lease(slot, lease);
        else if (slot->worker->options->work.is_until_idle)
            break;
        vts_lease_free(lease);
    }
    return NULL;
}
