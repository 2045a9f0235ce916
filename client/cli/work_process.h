/* SPDX-License-Identifier: Apache-2.0 */
/* Runs one job's command: reads what it reports, stops it when that is asked for, waits for it. */
#ifndef VTS_CLI_WORK_PROCESS_H
#define VTS_CLI_WORK_PROCESS_H

#include <stdbool.h>
#include <sys/types.h>

#include <vtstatus/worker.h>

#include "client/cli/lines.h"
#include "client/cli/work_words.h"

/* Why a command is to stop before its end; the first reason is the one that counts. */
enum vts_cli_stop {
    VTS_CLI_STOP_NONE,
    VTS_CLI_STOP_CANCELLED, /* its job is being cancelled */
    VTS_CLI_STOP_LOST,      /* its job is not ours any more */
    VTS_CLI_STOP_TOLD,      /* we are to end */
};

/* For the loop that runs a command. */
struct vts_cli_process_events {
    void *self;
    int stop_fd; /* readable from the time when ask_stop has news */
    enum vts_cli_stop (*ask_stop)(void *self);
    /* Progress to report; called no more often than twice a second, and may take its time. */
    void (*on_progress)(void *self, const struct vts_report *report);
    /* A line for people. */
    void (*on_line)(void *self, const char *line);
};

struct vts_cli_process {
    const struct vts_cli_process_events *events;
    pid_t pid;
    int exit_fd; /* readable once the process has ended */
    int out_fd;  /* negative when it is closed */
    int err_fd;
    enum vts_cli_stop stop;
    int64_t kill_ns; /* when to go from SIGTERM to SIGKILL; 0: not yet, or done */
    struct vts_report progress;
    bool has_news;   /* progress was not told */
    int64_t next_ns; /* when it may be told */
    int status;      /* as waitpid() has it, after the run */
    struct vts_cli_lines out_lines;
    struct vts_cli_lines err_lines;
    char output_uri[2048];    /* the last one it named; "" for none */
    struct vts_cli_tail tail; /* of its stderr */
};

/* Starts the command in a process group of its own, with nothing to read and no descriptor of ours.
 * It is killed when the calling thread ends, which so must outlive it, and when our process does.
 * Returns an errno value, 0 when it runs. */
int vts_cli_process_start(struct vts_cli_process *process, const struct vts_cli_work_words *words,
                          const struct vts_cli_process_events *events);
/* Returns when the process has ended. What others of its group still write is not waited for; they
 * are killed when the command was stopped. */
void vts_cli_process_run(struct vts_cli_process *process);

#endif
