/* SPDX-License-Identifier: Apache-2.0 */
/* cmd_work.c - starts the slots, and tells them when to end: the first signal drains them, the
 * second one stops what runs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "client/cli/commands.h"
#include "client/cli/exit_code.h"
#include "client/cli/failure.h"
#include "client/cli/output.h"
#include "client/cli/signals.h"
#include "client/cli/work_slot.h"
#include "client/cli/work_words.h"

enum { MAX_PATH_BYTES = 4096 };

/* ---- the program to run ---------------------------------------------------------------------- */

static bool is_in_path(const char *program)
{
    const char *path = getenv("PATH");

    while (path != NULL && *path != '\0') {
        size_t len = strcspn(path, ":");
        char file[MAX_PATH_BYTES];

        (void)snprintf(file, sizeof(file), "%.*s/%s", (int)len, path, program);
        if (access(file, X_OK) == 0)
            return true;
        path += len + (path[len] == ':' ? 1 : 0);
    }
    return false;
}

/* Better said now than when the first job has come. */
static bool can_be_run(const char *program)
{
    char text[512];

    if (strchr(program, '{') != NULL)
        return true; /* who knows */
    if (strchr(program, '/') != NULL ? access(program, X_OK) == 0 : is_in_path(program))
        return true;
    (void)snprintf(text, sizeof(text), "cannot run '%.400s': there is no such program", program);
    vts_cli_output_error(text);
    return false;
}

/* ---- the worker ------------------------------------------------------------------------------ */

static void name_slot(struct vts_cli_slot *slot, const struct vts_cli_work_options *work,
                      size_t number)
{
    char host[65] = "worker";
    char id[sizeof(slot->worker_id)];

    (void)gethostname(host, sizeof(host) - 1); /* longer than any on Linux */
    if (work->worker_id != NULL)
        (void)snprintf(id, sizeof(id), "%.100s", work->worker_id);
    else
        (void)snprintf(id, sizeof(id), "%.64s:%ld", host, (long)getpid());
    if (work->jobs == 1)
        (void)snprintf(slot->worker_id, sizeof(slot->worker_id), "%.100s", id);
    else
        (void)snprintf(slot->worker_id, sizeof(slot->worker_id), "%.100s/%zu", id, number + 1);
}

static bool open_slot(struct vts_cli_worker *worker, size_t number, struct vts_client_error *error)
{
    const struct vts_cli_options *options = worker->options;
    struct vts_cli_slot *slot = &worker->slots[number];

    slot->worker = worker;
    name_slot(slot, &options->work, number);
    return vts_client_new(&options->client, &slot->lease_client, error) == VTS_CLIENT_OK &&
           vts_client_new(&options->client, &slot->report_client, error) == VTS_CLIENT_OK;
}

static bool open_worker(struct vts_cli_worker *worker, const struct vts_cli_options *options,
                        struct vts_client_error *error)
{
    size_t count = (size_t)options->work.jobs;

    *worker = (struct vts_cli_worker){.options = options,
                                      .slots = calloc(count, sizeof(*worker->slots)),
                                      .drain_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK),
                                      .stop_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
    (void)pthread_mutex_init(&worker->lock, NULL); /* cannot fail with default attributes */
    *error = (struct vts_client_error){.code = VTS_CLIENT_NO_MEMORY, .text = "out of memory"};
    if (worker->slots == NULL || worker->drain_fd < 0 || worker->stop_fd < 0)
        return false;
    for (size_t i = 0; i < count; i++) {
        worker->slots_count++;
        if (!open_slot(worker, i, error))
            return false;
    }
    return true;
}

static void close_worker(struct vts_cli_worker *worker)
{
    for (size_t i = 0; i < worker->slots_count; i++) {
        vts_client_free(worker->slots[i].lease_client);
        vts_client_free(worker->slots[i].report_client);
    }
    free(worker->slots);
    if (worker->drain_fd >= 0)
        (void)close(worker->drain_fd);
    if (worker->stop_fd >= 0)
        (void)close(worker->stop_fd);
    (void)pthread_mutex_destroy(&worker->lock); /* nobody holds it any more */
}

/* ---- signals --------------------------------------------------------------------------------- */

struct signalled {
    struct vts_cli_worker *worker;
    int count;
};

/* In the thread of signals.h. */
static void on_signal(void *context)
{
    struct signalled *signalled = context;

    signalled->count++;
    if (signalled->count == 1) {
        vts_cli_worker_move(signalled->worker, VTS_CLI_WORKER_DRAINING);
        vts_cli_output_error("takes no more jobs; a second signal stops those that run");
    } else {
        vts_cli_worker_move(signalled->worker, VTS_CLI_WORKER_STOPPING);
    }
}

static void ignore(void *context)
{
    (void)context; /* a second has passed, and nothing counts them */
}

/* ---- the command ----------------------------------------------------------------------------- */

static void run_slots(struct vts_cli_worker *worker)
{
    for (size_t i = 0; i < worker->slots_count; i++) {
        struct vts_cli_slot *slot = &worker->slots[i];

        slot->has_thread = pthread_create(&slot->thread, NULL, vts_cli_slot_run, slot) == 0;
        if (!slot->has_thread) {
            vts_cli_output_error("there are not enough threads for so many jobs");
            break; /* those that are there work */
        }
    }
    for (size_t i = 0; i < worker->slots_count; i++)
        if (worker->slots[i].has_thread)
            (void)pthread_join(worker->slots[i].thread, NULL); /* it was started */
}

static int run_worker(struct vts_cli_worker *worker)
{
    struct signalled signalled = {.worker = worker};
    struct vts_cli_signals signals;

    if (!vts_cli_signals_start(&signals, false, on_signal, ignore, &signalled)) {
        vts_cli_output_error("there is no thread to be had");
        return VTS_CLI_EXIT_NO_ANSWER;
    }
    run_slots(worker);
    (void)vts_cli_signals_stop(&signals); /* told to end, it did so well */
    return worker->exit_code;
}

static bool is_good_result(const char *result)
{
    const char *wrong = NULL;
    char text[256];
    int len = 0;

    if (result == NULL || vts_cli_work_words_check_result(result, &wrong, &len))
        return true;
    (void)snprintf(text, sizeof(text),
                   "--result has %.*s, which is none of {source}, {from}, {to} and {job}",
                   len < 64 ? len : 64, wrong);
    vts_cli_output_error(text);
    return false;
}

int vts_cli_work(struct vts_client *client, const struct vts_cli_options *options)
{
    struct vts_cli_worker worker;
    struct vts_client_error error;
    int exit_code;

    (void)client; /* each slot has its own */
    if (!is_good_result(options->work.result) || !can_be_run(options->words[0]))
        return VTS_CLI_EXIT_USAGE;
    if (open_worker(&worker, options, &error)) {
        exit_code = run_worker(&worker);
    } else {
        vts_cli_failure_print(&error, options);
        exit_code = vts_cli_exit_code(error.code, NULL);
    }
    close_worker(&worker);
    return exit_code;
}
