/* SPDX-License-Identifier: Apache-2.0 */
/* work_process.c - one poll loop over the command's two outputs, its end, and the wish that it
 * stop. Runs in the thread that calls it.
 */
#include "client/cli/work_process.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
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

static int set_attributes(posix_spawnattr_t *attributes)
{
    sigset_t nothing;
    sigset_t pipe_signal;
    int err;

    (void)sigemptyset(&nothing);
    (void)sigemptyset(&pipe_signal);
    (void)sigaddset(&pipe_signal, SIGPIPE); /* ignored by us alone */
    err = posix_spawnattr_setflags(attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK |
                                                   POSIX_SPAWN_SETSIGDEF);
    if (err == 0)
        err = posix_spawnattr_setpgroup(attributes, 0);
    if (err == 0)
        err = posix_spawnattr_setsigmask(attributes, &nothing);
    if (err == 0)
        err = posix_spawnattr_setsigdefault(attributes, &pipe_signal);
    return err;
}

static int set_actions(posix_spawn_file_actions_t *actions, int out_fd, int err_fd)
{
    int err = posix_spawn_file_actions_addopen(actions, 0, "/dev/null", O_RDONLY, 0);

    if (err == 0)
        err = posix_spawn_file_actions_adddup2(actions, out_fd, 1);
    if (err == 0)
        err = posix_spawn_file_actions_adddup2(actions, err_fd, 2);
    if (err == 0)
        err = posix_spawn_file_actions_addclosefrom_np(actions, 3);
    return err;
}

static int spawn(pid_t *ret_pid, const struct vts_cli_work_words *words, int out_fd, int err_fd)
{
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    int err = posix_spawn_file_actions_init(&actions);

    if (err != 0)
        return err;
    err = posix_spawnattr_init(&attributes);
    if (err == 0) {
        err = set_attributes(&attributes);
        if (err == 0)
            err = set_actions(&actions, out_fd, err_fd);
        if (err == 0)
            err = posix_spawnp(ret_pid, words->argv[0], &actions, &attributes, words->argv,
                               words->env);
        (void)posix_spawnattr_destroy(&attributes); /* it was made */
    }
    (void)posix_spawn_file_actions_destroy(&actions);
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
