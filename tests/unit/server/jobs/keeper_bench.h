/* SPDX-License-Identifier: Apache-2.0 */
/* A keeper on the bench: without its thread, with clocks that stand still until they are moved, and
 * a store that fails when it is told to and outlives the keeper. */
#ifndef VTS_TESTS_KEEPER_BENCH_H
#define VTS_TESTS_KEEPER_BENCH_H

#include <pthread.h>

#include "common/base/clock.h"
#include "server/jobs/keeper.h"

enum { KEEPER_BENCH_LEASE_S = 60, KEEPER_BENCH_COMMANDS_MAX = 20000 };

struct keeper_bench {
    struct vts_board *board;
    struct vts_watch_hub *hub;
    struct vts_keeper *keeper;
    struct vts_keeper_options options; /* of the next keeper */
    struct vts_store *records;         /* what the keeper's store passes on to */
    pthread_mutex_t gate;              /* held while something is committed */
    uint64_t commits_count;            /* that succeeded */
    uint64_t writes_count;             /* in them */
    long commits_left;                 /* to succeed before they fail; negative: all do */
    uint64_t tidied_count;
};

/* The time on the wall and since whenever; starts anew with each bench. */
extern _Atomic int64_t keeper_bench_wall_ns;
extern _Atomic int64_t keeper_bench_now_ns;

/* Makes all but the keeper. */
void keeper_bench_init(struct keeper_bench *bench);
void keeper_bench_open(struct keeper_bench *bench);
/* The keeper goes; its records stay. */
void keeper_bench_close(struct keeper_bench *bench);
/* Also the keeper, if there is one. */
void keeper_bench_fini(struct keeper_bench *bench);
/* As opening, but returns the result; on success the keeper stays. */
enum vts_err keeper_bench_try_open(struct keeper_bench *bench, struct vts_error *error);

/* Both clocks. */
void keeper_bench_pass(int64_t ns);
/* Steps until nothing is due. */
void keeper_bench_settle(struct keeper_bench *bench);

/* Where a command comes back to: the context of its callback. */
struct keeper_answer {
    unsigned count;
    struct vts_keeper_command *command;
};

/* Answered commands are freed with their answer. */
void keeper_answer_fini(struct keeper_answer *answer);
struct vts_keeper_command *keeper_bench_command(enum vts_keeper_command_kind kind,
                                                struct keeper_answer *answer);
void keeper_bench_submit(struct keeper_bench *bench, struct vts_keeper_command *command);
/* Submits and steps; the refusal, after asserting that the command was answered. */
enum vts_keeper_refusal keeper_bench_run(struct keeper_bench *bench,
                                         struct vts_keeper_command *command);

/* ---- commands ---------------------------------------------------------------------------- */

/* A request in the command's arena, as short as can be; id may be "". */
Vtstatus__V1__CreateJobRequest *keeper_bench_request(struct vts_keeper_command *command,
                                                     const char *id);
/* Adds the label to the request. */
void keeper_bench_label(struct vts_keeper_command *command, const char *key, const char *value);
struct vts_keeper_command *keeper_bench_create(struct keeper_answer *answer, const char *id);
struct vts_keeper_command *keeper_bench_get(struct keeper_answer *answer, const char *id);
struct vts_keeper_command *keeper_bench_delete(struct keeper_answer *answer, const char *id);
/* An event without token. */
struct vts_keeper_command *keeper_bench_event(struct keeper_answer *answer, const char *id,
                                              enum vts_job_event_kind kind);
/* An event of the worker that got the lease. */
struct vts_keeper_command *keeper_bench_report(struct keeper_answer *answer,
                                               const struct keeper_answer *lease,
                                               enum vts_job_event_kind kind);
/* Of the default queue; wait_ns may be 0. */
struct vts_keeper_command *keeper_bench_lease(struct keeper_answer *answer, int64_t wait_ns);

/* ---- whole steps, with what is usual asserted ---------------------------------------------- */

void keeper_bench_make(struct keeper_bench *bench, const char *id);
/* Leases the next job of the default queue, which must be this one. */
void keeper_bench_take(struct keeper_bench *bench, struct keeper_answer *lease, const char *id);
/* Makes, leases and completes a job. */
void keeper_bench_make_done(struct keeper_bench *bench, const char *id);
/* What a GET says. */
enum vts_keeper_refusal keeper_bench_look(struct keeper_bench *bench, const char *id);
/* The state by GET; 0 when it is refused. */
int keeper_bench_state(struct keeper_bench *bench, const char *id);
/* On the board; 0 when it is not there. */
uint64_t keeper_bench_revision(struct keeper_bench *bench, const char *id);
/* What a watch has of a job that was removed; 0: nothing. */
uint64_t keeper_bench_last_revision(const struct vts_watch *watch);
/* The id of the job in an answer. */
const char *keeper_answer_id(const struct keeper_answer *answer);

#endif
