/* SPDX-License-Identifier: Apache-2.0 */
/* work_process.c - one poll loop over the command's two outputs, its end, and the wish that it
 * stop. Runs in the thread that calls it.
 *
 * The command is forked, not spawned, so that it can ask the kernel to be killed with us.
 */
#include "client/cli/work_process.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/close_range.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/cli/clock.h"

enum {
    KILL_AFTER_MS = 10000,
    PROGRESS_EVERY_MS = 500,
    READ_BYTES = 16 * 1024,
    /* Of what is left to read when the process has ended: others may hold the pipe and write on. */
    MAX_LAST_READS = 64,
};

static const int64_t ns_per_ms = 1000000;

/* ---- start ----------------------------------------------------------------------------------- */

/* What the command is started with; its own ends of the pipes. */
struct start {
    const struct vts_cli_work_words *words;
    int out_fd;
    int err_fd;
    int failure_fd; /* an errno value comes out of it when there is no command; else it closes */
    pid_t parent;
};

/* In the child, where only what is safe in a signal handler may be called: other threads held locks
 * when they were left behind. The signal comes when the thread that forked ends, or all of us do;
 * that thread waits for the command. Should we have ended before it was asked for, the parent is
 * another one. */
static bool die_with(pid_t parent)
{
    return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0 && getppid() == parent;
}

/* SIGPIPE is ignored by us alone, and the mask is our threads'. */
static bool reset_signals(void)
{
    const struct sigaction usual = {.sa_handler = SIG_DFL};
    sigset_t nothing;

    return sigemptyset(&nothing) == 0 && sigaction(SIGPIPE, &usual, NULL) == 0 &&
           sigprocmask(SIG_SETMASK, &nothing, NULL) == 0;
}

static bool set_descriptors(const struct start *start)
{
    int null_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

    return null_fd >= 0 && dup2(null_fd, 0) == 0 && dup2(start->out_fd, 1) == 1 &&
           dup2(start->err_fd, 2) == 2 && close_range(3, UINT_MAX, CLOSE_RANGE_CLOEXEC) == 0;
}

/* In the child. */
_Noreturn static void become_command(const struct start *start)
{
    int err;

    if (die_with(start->parent) && setpgid(0, 0) == 0 && set_descriptors(start) && reset_signals())
        (void)execvpe(start->words->argv[0], start->words->argv, start->words->env);
    err = errno;
    (void)!write(start->failure_fd, &err, sizeof(err)); /* a pipe has room for it */
    _exit(EXIT_FAILURE);
}

/* 0 when the command runs. */
static int read_failure(int fd)
{
    int err = 0;
    ssize_t len;

    do
        len = read(fd, &err, sizeof(err));
    while (len < 0 && errno == EINTR);
    return len == (ssize_t)sizeof(err) ? err : 0;
}

static int spawn(pid_t *ret_pid, const struct vts_cli_work_words *words, int out_fd, int err_fd)
{
    struct start start = {.words = words, .out_fd = out_fd, .err_fd = err_fd, .parent = getpid()};
    int failure_ends[2];
    pid_t pid;
    int err;

    if (pipe2(failure_ends, O_CLOEXEC) != 0)
        return errno;
    start.failure_fd = failure_ends[1];
    pid = fork();
    if (pid == 0)
        become_command(&start);
    err = pid < 0 ? errno : 0;
    (void)close(failure_ends[1]);
    if (pid > 0)
        err = read_failure(failure_ends[0]);
    (void)close(failure_ends[0]); /* a pipe loses nothing by it */
    if (err == 0)
        *ret_pid = pid;
    else if (pid > 0)
        (void)waitpid(pid, NULL, 0); /* it has ended */
    return err;
}

static void close_fd(int *fd)
{
    if (*fd >= 0)
        (void)close(*fd); /* a pipe loses nothing by it */
    *fd = -1;
}

/* Both ends close in what is run, and ours never blocks. */
static int open_pipe(int *ret_ours, int *ret_its)
{
    int ends[2];

    if (pipe2(ends, O_CLOEXEC) != 0)
        return errno;
    if (fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
        int err = errno;

        (void)close(ends[0]);
        (void)close(ends[1]);
        return err;
    }
    *ret_ours = ends[0];
    *ret_its = ends[1];
    return 0;
}

static int start_process(struct vts_cli_process *process, const struct vts_cli_work_words *words)
{
    int out_fd = -1;
    int err_fd = -1;
    int err = open_pipe(&process->out_fd, &out_fd);

    if (err == 0)
        err = open_pipe(&process->err_fd, &err_fd);
    if (err == 0)
        err = spawn(&process->pid, words, out_fd, err_fd);
    close_fd(&out_fd);
    close_fd(&err_fd);
    if (err != 0)
        return err;
    process->exit_fd = pidfd_open(process->pid, 0);
    if (process->exit_fd >= 0)
        return 0;
    err = errno;
    (void)kill(-process->pid, SIGKILL);
    (void)waitpid(process->pid, NULL, 0);
    return err;
}

static void take_report(const char *line, void *context)
{
    struct vts_cli_process *process = context;
    struct vts_report report;

    vts_report_parse(line, &report);
    switch (report.kind) {
    case VTS_REPORT_NONE:
        process->events->on_line(process->events->self, line);
        break;
    case VTS_REPORT_OUTPUT:
        (void)snprintf(process->output_uri, sizeof(process->output_uri), "%s", report.output_uri);
        break;
    case VTS_REPORT_PROGRESS:
        /* What a report leaves out stays as it was, and no percentage falls. */
        if (report.phase[0] == '\0') {
            memcpy(report.phase, process->progress.phase, sizeof(report.phase));
            report.phase_index = process->progress.phase_index;
            report.phase_count = process->progress.phase_count;
        }
        if (report.percent < process->progress.percent)
            report.percent = process->progress.percent;
        process->progress = report;
        process->has_news = true;
        break;
    }
}

static void take_error_line(const char *line, void *context)
{
    struct vts_cli_process *process = context;

    vts_cli_tail_add(&process->tail, line);
    process->events->on_line(process->events->self, line);
}

int vts_cli_process_start(struct vts_cli_process *process, const struct vts_cli_work_words *words,
                          const struct vts_cli_process_events *events)
{
    int err;

    process->events = events;
    process->stop = VTS_CLI_STOP_NONE;
    process->kill_ns = 0;
    process->progress = (struct vts_report){.kind = VTS_REPORT_NONE};
    process->has_news = false;
    process->next_ns = 0;
    process->output_uri[0] = '\0';
    process->tail.len = 0;
    process->tail.text[0] = '\0';
    process->out_fd = process->err_fd = process->exit_fd = -1;
    vts_cli_lines_init(&process->out_lines, take_report, process);
    vts_cli_lines_init(&process->err_lines, take_error_line, process);
    err = start_process(process, words);
    if (err != 0) {
        close_fd(&process->out_fd);
        close_fd(&process->err_fd);
    }
    return err;
}

/* ---- run ------------------------------------------------------------------------------------- */

/* Reads once; false when there is nothing more for now, or at all. */
static bool read_once(int *fd, struct vts_cli_lines *lines)
{
    char bytes[READ_BYTES];
    ssize_t len = *fd < 0 ? 0 : read(*fd, bytes, sizeof(bytes));

    if (len > 0) {
        vts_cli_lines_feed(lines, bytes, (size_t)len);
        return true;
    }
    if (len == 0 || (errno != EAGAIN && errno != EINTR))
        close_fd(fd);
    return false;
}

static void read_rest(int *fd, struct vts_cli_lines *lines)
{
    for (int i = 0; i < MAX_LAST_READS && read_once(fd, lines); i++)
        continue;
    close_fd(fd);
    vts_cli_lines_finish(lines);
}

static void look_at_stop(struct vts_cli_process *process)
{
    if (process->stop != VTS_CLI_STOP_NONE)
        return;
    process->stop = process->events->ask_stop(process->events->self);
    if (process->stop == VTS_CLI_STOP_NONE)
        return;
    /* It fails only when the whole group has ended. */
    (void)kill(-process->pid, SIGTERM);
    process->kill_ns = vts_cli_clock_now_ns() + KILL_AFTER_MS * ns_per_ms;
}

static void look_at_clock(struct vts_cli_process *process)
{
    int64_t now = vts_cli_clock_now_ns();

    if (process->kill_ns != 0 && now >= process->kill_ns) {
        (void)kill(-process->pid, SIGKILL);
        process->kill_ns = 0;
    }
    if (process->has_news && now >= process->next_ns && process->stop == VTS_CLI_STOP_NONE) {
        process->has_news = false;
        process->events->on_progress(process->events->self, &process->progress);
        process->next_ns = vts_cli_clock_now_ns() + PROGRESS_EVERY_MS * ns_per_ms;
    }
}

/* ms until the clock has something to do; -1: nothing. */
static int wait_ms(const struct vts_cli_process *process)
{
    int64_t next = INT64_MAX;
    int64_t left;

    if (process->kill_ns != 0)
        next = process->kill_ns;
    if (process->has_news && process->stop == VTS_CLI_STOP_NONE && process->next_ns < next)
        next = process->next_ns;
    if (next == INT64_MAX)
        return -1;
    left = (next - vts_cli_clock_now_ns() + ns_per_ms - 1) / ns_per_ms;
    return left > 0 ? (int)left : 0;
}

void vts_cli_process_run(struct vts_cli_process *process)
{
    bool has_ended = false;

    while (!has_ended) {
        /* Negative descriptors, of outputs that are closed, are left out; so is the wish to stop
         * once it is known, since it stays readable. */
        struct pollfd fds[] = {
            {.fd = process->exit_fd, .events = POLLIN},
            {.fd = process->out_fd, .events = POLLIN},
            {.fd = process->err_fd, .events = POLLIN},
            {.fd = process->stop == VTS_CLI_STOP_NONE ? process->events->stop_fd : -1,
             .events = POLLIN},
        };

        if (poll(fds, sizeof(fds) / sizeof(fds[0]), wait_ms(process)) < 0)
            continue; /* EINTR: no other is possible */
        if (fds[1].revents != 0)
            (void)read_once(&process->out_fd, &process->out_lines);
        if (fds[2].revents != 0)
            (void)read_once(&process->err_fd, &process->err_lines);
        has_ended = fds[0].revents != 0;
        if (!has_ended && fds[3].revents != 0)
            look_at_stop(process);
        if (!has_ended)
            look_at_clock(process);
    }
    read_rest(&process->out_fd, &process->out_lines);
    read_rest(&process->err_fd, &process->err_lines);
    /* Before waitpid(): until then the number of the group cannot be another's. */
    if (process->stop != VTS_CLI_STOP_NONE)
        (void)kill(-process->pid, SIGKILL);
    (void)waitpid(process->pid, &process->status, 0); /* it has ended */
    close_fd(&process->exit_fd);
}
