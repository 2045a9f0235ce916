/* SPDX-License-Identifier: Apache-2.0 */
/* simulator.c - workers that are each a small machine, driven by the keeper's answers.
 *
 * A worker has one command under way, or is idle, or rests. A few ask for a job at a time, and each
 * that gets one has the next one ask. Everything is under one lock, since the keeper's thread
 * answers and another one wakes those that rest.
 */
#include "server/jobs/simulator.h"

#include <pthread.h>
#include <stdio.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/obs/log.h"

enum { ASKING_MAX = 256, WORKER_ID_BYTES = 32, TOKEN_BYTES = 64 };

/* What a worker does next, or has the keeper do for it:
 *
 *   ASK ──► REPORT ──► LAST_REPORT ──► END ──► ASK
 *             │ ▲│          │
 *             └─┘│          ▼ to be cancelled
 *     crashed,   └─────► GIVE_UP ──► ASK
 *     lost: ASK
 */
enum task { TASK_ASK, TASK_REPORT, TASK_LAST_REPORT, TASK_END, TASK_GIVE_UP };

struct worker {
    struct vts_list link; /* among those that are idle, or rest */
    struct vts_simulator *simulator;
    enum task task;
    /* Of its job, but for TASK_ASK. */
    char job_id[VTS_JOB_ID_MAX + 1];
    char token[TOKEN_BYTES];
    int64_t start_ns;
    struct vts_simulation_plan plan;
    struct vts_simulation_report report; /* what the messages below say */
    Vtstatus__V1__Progress progress;
    Google__Rpc__Status error;
};

struct vts_simulator {
    struct vts_keeper *keeper;
    struct vts_simulation_options options;
    char *queues[VTS_SIMULATION_QUEUES_MAX];
    int64_t (*now_ns)(void);
    Vtstatus__V1__TranslationSpec default_spec;
    Vtstatus__V1__CreateJobRequest default_job;

    pthread_mutex_t lock; /* of all below */
    bool is_default_due;  /* to be submitted */
    struct vts_list idle;
    struct vts_list resting;
    size_t asking_count;
    struct worker workers[]; /* options.workers_count */
};

/* protobuf-c's strings are not const, and nobody writes to them. */
static char *borrow(const char *text)
{
    return (char *)(uintptr_t)text;
}

/* ---- speaking to the keeper -------------------------------------------------------------- */

static void hear(struct vts_keeper_command *command, void *context);

static void fill_lease(const struct worker *worker, struct vts_keeper_command *command)
{
    struct vts_simulator *simulator = worker->simulator;
    char *id = vts_arena_alloc(&command->arena, WORKER_ID_BYTES);

    if (id == NULL)
        return;
    (void)snprintf(id, WORKER_ID_BYTES, "simulator-%zu",
                   (size_t)(worker - simulator->workers) + 1); /* it fits */
    command->lease.worker_id = id;
    command->lease.queues = simulator->queues;
    command->lease.queues_count = simulator->options.queues_count;
    command->lease.duration_ns = simulator->options.lease_ns;
    command->wait_ns = INT64_MAX;
}

static void set_report(struct worker *worker, int64_t elapsed_ns)
{
    const struct vts_simulation_report *report = &worker->report;

    vts_simulation_report(&worker->plan, elapsed_ns, &worker->report);
    vtstatus__v1__progress__init(&worker->progress);
    worker->progress.percent = report->percent;
    worker->progress.phase = borrow(report->phase);
    worker->progress.phase_index = report->phase_index;
    worker->progress.phase_count = VTS_SIMULATION_PHASES;
    worker->progress.message = borrow(report->message);
}

/* A third of the lease is the longest that a worker is silent. */
static int64_t silence_ns(const struct worker *worker, int64_t elapsed_ns)
{
    int64_t span_ns = vts_simulation_next_report_ns(&worker->plan, elapsed_ns) - elapsed_ns;
    int64_t most_ns = worker->simulator->options.lease_ns / 3;

    return span_ns < most_ns ? span_ns : most_ns;
}

static void fill_heartbeat(struct worker *worker, struct vts_keeper_command *command)
{
    int64_t elapsed_ns = worker->simulator->now_ns() - worker->start_ns;

    set_report(worker, elapsed_ns);
    command->event.kind = VTS_JOB_EVENT_HEARTBEAT;
    command->event.progress = &worker->progress;
    if (worker->task == TASK_REPORT)
        command->wait_ns = silence_ns(worker, elapsed_ns);
}

static void fill_end(struct worker *worker, struct vts_keeper_command *command)
{
    if (worker->plan.end == VTS_SIMULATION_SUCCEEDS) {
        command->event.kind = VTS_JOB_EVENT_COMPLETE;
        command->event.output_uri = "simulated:///translated.mp4";
        return;
    }
    google__rpc__status__init(&worker->error);
    worker->error.code = (int32_t)worker->report.error_code;
    worker->error.message = borrow(worker->report.error_message);
    command->event.kind = VTS_JOB_EVENT_FAIL;
    command->event.error = &worker->error;
}

static void fill(struct worker *worker, struct vts_keeper_command *command)
{
    command->job_id = worker->job_id;
    command->event.token = worker->token;
    switch (worker->task) {
    case TASK_ASK:
        fill_lease(worker, command);
        return;
    case TASK_REPORT:
    case TASK_LAST_REPORT:
        fill_heartbeat(worker, command);
        return;
    case TASK_END:
        fill_end(worker, command);
        return;
    case TASK_GIVE_UP:
        command->event.kind = VTS_JOB_EVENT_RELEASE;
        return;
    }
    VTS_UNREACHABLE();
}

static enum vts_err submit(struct vts_keeper *keeper, struct vts_keeper_command *command)
{
    enum vts_err err = vts_arena_check(&command->arena);

    if (err == VTS_OK)
        err = vts_keeper_submit(keeper, command);
    if (err != VTS_OK)
        vts_keeper_command_free(command);
    return err;
}

static void rest(struct worker *worker)
{
    vts_list_push_back(&worker->simulator->resting, &worker->link);
}

/* Has the worker's task done; it rests when that cannot be. */
static void begin(struct worker *worker)
{
    enum vts_keeper_command_kind kind =
        worker->task == TASK_ASK ? VTS_KEEPER_LEASE : VTS_KEEPER_EVENT;
    struct vts_keeper_command *command;
    enum vts_err err = vts_keeper_command_new(kind, hear, worker, &command);

    if (err == VTS_OK) {
        fill(worker, command);
        err = submit(worker->simulator->keeper, command);
    }
    if (err != VTS_OK)
        rest(worker);
    else if (worker->task == TASK_ASK)
        worker->simulator->asking_count++;
}

/* ---- from task to task ------------------------------------------------------------------- */

static void begin_task(struct worker *worker, enum task task)
{
    worker->task = task;
    begin(worker);
}

static void have_some_ask(struct vts_simulator *simulator)
{
    while (simulator->asking_count < ASKING_MAX && !vts_list_is_empty(&simulator->idle)) {
        struct worker *worker = VTS_CONTAINER_OF(simulator->idle.next, struct worker, link);

        vts_list_remove(&worker->link);
        begin(worker);
    }
}

/* Without a job, whatever became of it. */
static void be_idle(struct worker *worker)
{
    worker->task = TASK_ASK;
    vts_list_push_back(&worker->simulator->idle, &worker->link);
}

static void work_on(struct worker *worker)
{
    int64_t elapsed_ns = worker->simulator->now_ns() - worker->start_ns;

    if (elapsed_ns < worker->plan.delay_ns)
        begin_task(worker, TASK_REPORT);
    else if (worker->plan.end == VTS_SIMULATION_CRASHES)
        be_idle(worker);
    else
        begin_task(worker, TASK_LAST_REPORT);
}

static void take_job(struct worker *worker, const Vtstatus__Store__V1__JobRecord *record)
{
    struct vts_simulator *simulator = worker->simulator;
    const Vtstatus__V1__Job *job = record->job;

    (void)snprintf(worker->job_id, sizeof(worker->job_id), "%s", job->id); /* both fit */
    (void)snprintf(worker->token, sizeof(worker->token), "%s", record->lease_token);
    vts_simulation_plan(&simulator->options, job->id, job->status->attempt, &worker->plan);
    worker->start_ns = simulator->now_ns();
    work_on(worker);
}

/* The keeper did what it was told. */
static void go_on(struct worker *worker, const struct vts_keeper_command *command)
{
    switch (worker->task) {
    case TASK_ASK:
        if (command->record != NULL)
            take_job(worker, command->record);
        else
            be_idle(worker);
        return;
    case TASK_REPORT:
        if (command->is_cancel_requested)
            begin_task(worker, TASK_GIVE_UP);
        else
            work_on(worker);
        return;
    case TASK_LAST_REPORT:
        begin_task(worker, command->is_cancel_requested ? TASK_GIVE_UP : TASK_END);
        return;
    case TASK_END:
    case TASK_GIVE_UP:
        be_idle(worker);
        return;
    }
    VTS_UNREACHABLE();
}

/* Somebody else has the job now, or nobody any more. */
static bool has_lost_job(const struct vts_keeper_command *command)
{
    return command->refusal == VTS_KEEPER_MACHINE || command->refusal == VTS_KEEPER_JOB_NOT_FOUND ||
           command->refusal == VTS_KEEPER_JOB_GONE;
}

/* When one has to rest, nobody else takes its place: the next ones would fare no better. */
static void take_answer(struct worker *worker, const struct vts_keeper_command *command)
{
    struct vts_simulator *simulator = worker->simulator;

    if (worker->task == TASK_ASK)
        simulator->asking_count--;
    if (command->refusal != VTS_KEEPER_OK && !has_lost_job(command)) {
        rest(worker);
        return;
    }
    if (command->refusal == VTS_KEEPER_OK)
        go_on(worker, command);
    else
        be_idle(worker);
    have_some_ask(simulator);
}

static void hear(struct vts_keeper_command *command, void *context)
{
    struct worker *worker = context;
    struct vts_simulator *simulator = worker->simulator;

    pthread_mutex_lock(&simulator->lock);
    take_answer(worker, command);
    pthread_mutex_unlock(&simulator->lock);
    vts_keeper_command_free(command);
}

/* ---- the job `default` ------------------------------------------------------------------- */

/* The id is taken, by a job or by one that was deleted: only then will nobody see it run. */
static void hear_of_taken(struct vts_keeper_command *command, void *context)
{
    struct vts_log_line line;

    (void)context; /* the answer says it all */
    if (command->refusal == VTS_KEEPER_JOB_GONE) {
        vts_log_begin(&line, VTS_LOG_WARN,
                      "the simulation has no job default: it was deleted, and its id is in use for "
                      "24 hours from then; other jobs are worked on");
        vts_log_end(&line);
    }
    vts_keeper_command_free(command);
}

static void ask_about_taken(struct vts_simulator *simulator)
{
    struct vts_keeper_command *command;

    /* It is for a line in the log; without memory there is none. */
    if (vts_keeper_command_new(VTS_KEEPER_GET, hear_of_taken, simulator, &command) != VTS_OK)
        return;
    command->job_id = "default";
    (void)submit(simulator->keeper, command); /* as above, and it is freed */
}

static void hear_of_default(struct vts_keeper_command *command, void *context)
{
    struct vts_simulator *simulator = context;

    pthread_mutex_lock(&simulator->lock);
    simulator->is_default_due =
        command->refusal != VTS_KEEPER_OK && command->refusal != VTS_KEEPER_JOB_EXISTS;
    pthread_mutex_unlock(&simulator->lock);
    if (command->refusal == VTS_KEEPER_JOB_EXISTS)
        ask_about_taken(simulator);
    vts_keeper_command_free(command);
}

/* It comes before all others, for somebody may be waiting to see it run. */
static void make_default_job(struct vts_simulator *simulator)
{
    Vtstatus__V1__TranslationSpec *spec = &simulator->default_spec;
    Vtstatus__V1__CreateJobRequest *request = &simulator->default_job;

    vtstatus__v1__translation_spec__init(spec);
    spec->source_uri = borrow("simulated:///video.mp4");
    spec->target_language = borrow("en");
    vtstatus__v1__create_job_request__init(request);
    request->spec = spec;
    request->job_id = borrow("default");
    request->queue = simulator->queues[0];
    request->priority = VTS_JOB_PRIORITY_MAX;
}

static void submit_default(struct vts_simulator *simulator)
{
    struct vts_keeper_command *command;

    if (!simulator->is_default_due ||
        vts_keeper_command_new(VTS_KEEPER_CREATE, hear_of_default, simulator, &command) != VTS_OK)
        return;
    command->create = &simulator->default_job;
    simulator->is_default_due = submit(simulator->keeper, command) != VTS_OK;
}

/* ---- their life -------------------------------------------------------------------------- */

enum vts_err vts_simulator_new(struct vts_keeper *keeper,
                               const struct vts_simulation_options *options,
                               int64_t (*now_ns)(void), struct vts_simulator **ret_simulator)
{
    size_t workers_count = (size_t)options->workers_count;
    struct vts_simulator *simulator =
        vts_mem_zalloc(sizeof(*simulator) + workers_count * sizeof(struct worker));

    if (simulator == NULL)
        return VTS_ERR_NOMEM;
    simulator->keeper = keeper;
    simulator->options = *options;
    simulator->now_ns = now_ns == NULL ? vts_clock_now_ns : now_ns;
    for (size_t i = 0; i < options->queues_count; i++)
        simulator->queues[i] = simulator->options.queues[i];
    make_default_job(simulator);
    (void)pthread_mutex_init(&simulator->lock, NULL); /* cannot fail on Linux */
    simulator->is_default_due = true;
    vts_list_init(&simulator->idle);
    vts_list_init(&simulator->resting);
    for (size_t i = 0; i < workers_count; i++) {
        simulator->workers[i].simulator = simulator;
        be_idle(&simulator->workers[i]);
    }
    *ret_simulator = simulator;
    return VTS_OK;
}

void vts_simulator_wake(struct vts_simulator *simulator)
{
    struct vts_list woken;

    vts_list_init(&woken);
    pthread_mutex_lock(&simulator->lock);
    submit_default(simulator);
    vts_list_move_all(&simulator->resting, &woken);
    while (!vts_list_is_empty(&woken)) {
        struct worker *worker = VTS_CONTAINER_OF(woken.next, struct worker, link);

        vts_list_remove(&worker->link);
        if (worker->task == TASK_ASK)
            be_idle(worker);
        else
            begin(worker);
    }
    have_some_ask(simulator);
    pthread_mutex_unlock(&simulator->lock);
}

void vts_simulator_free(struct vts_simulator *simulator)
{
    if (simulator == NULL)
        return;
    (void)pthread_mutex_destroy(&simulator->lock); /* nobody holds it */
    vts_mem_free(simulator);
}
