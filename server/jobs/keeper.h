/* SPDX-License-Identifier: Apache-2.0 */
/* The one writer: a thread that owns the jobs.
 *
 * A command is submitted from any thread and answered by a callback in the keeper's thread, never
 * before what it changed is durable and published. Commands that wait while a commit is being
 * written are the next batch: one commit for all of them.
 *
 * - Commands on one job see each other's effects in the order they came in. GET and LIST see what
 *   is durable, so they are answered while the store fails too.
 * - When a commit fails, all commands whose answer rests on it get VTS_KEEPER_STORE_FAILED, and
 *   nothing of them stays. What time brings is tried again a second later.
 * - LEASE takes, of the queues it names, the job with the highest priority, and of those the
 *   oldest. Of several that wait, the first that came is served first.
 * - A job that was deleted, or whose expire_time has come, is VTS_KEEPER_JOB_GONE for 24 h, and so
 *   long its id is in use; then it is forgotten.
 * - A request_id is known for 24 h after the job was created, also when that is gone.
 * - LIST leaves out jobs created at the very instants created_after and created_before. A page may
 *   be short, or empty, without being the last.
 * - status.queue_position is left 0, for it changes with every job that comes and goes: it is
 *   found when a published status is read.
 *
 * Where memory runs out just as a status is published, it is published a moment after the command
 * was answered. */
#ifndef VTS_JOBS_KEEPER_H
#define VTS_JOBS_KEEPER_H

#include "common/base/arena.h"
#include "common/base/list.h"
#include "server/jobs/job_machine.h"
#include "server/jobs/job_request.h"
#include "server/jobs/store.h"
#include "server/jobs/watch_hub.h"
#include "vtstatus/v1/job_service.pb-c.h"

struct vts_keeper;

struct vts_keeper_options {
    struct vts_store *store;   /* adopted */
    struct vts_watch_hub *hub; /* outlives the keeper */
    uint64_t jobs_max;         /* records in all */
    uint64_t commands_max;     /* that are not answered yet */
    uint64_t waits_max;        /* of these, the ones that may wait for something; 0: all of them */
    uint64_t seed;             /* of ids and tokens: 0 asks the system */
    int64_t (*wall_ns)(void);  /* NULL: vts_clock_wall_ns() */
    int64_t (*now_ns)(void);   /* NULL: vts_clock_now_ns(); how long commands wait */
};

enum vts_keeper_command_kind {
    VTS_KEEPER_CREATE, /* create */
    VTS_KEEPER_GET,    /* job_id */
    VTS_KEEPER_LIST,   /* list */
    VTS_KEEPER_EVENT,  /* job_id, event, etag: HEARTBEAT to RETRY */
    VTS_KEEPER_LEASE,  /* lease */
    VTS_KEEPER_DELETE, /* job_id, etag */
};

/* Why a command is refused, beside what the machine says. */
enum vts_keeper_refusal {
    VTS_KEEPER_OK,
    VTS_KEEPER_MACHINE, /* see change.refusal */
    VTS_KEEPER_INVALID, /* CREATE: see violation */
    VTS_KEEPER_JOB_NOT_FOUND,
    VTS_KEEPER_JOB_GONE, /* it was deleted, or not kept any longer */
    VTS_KEEPER_JOB_EXISTS,
    VTS_KEEPER_REQUEST_ID_REUSED, /* the same request_id with another request */
    VTS_KEEPER_ETAG_MISMATCH,
    VTS_KEEPER_JOB_NOT_DONE, /* DELETE */
    VTS_KEEPER_FULL,         /* jobs_max */
    VTS_KEEPER_BAD_PAGE_TOKEN,
    VTS_KEEPER_STORE_FAILED, /* try again later */
    VTS_KEEPER_NO_MEMORY,    /* or the status would be past what a snapshot holds */
    VTS_KEEPER_STOPPING,
};

struct vts_keeper_command;
struct vts_keeper_wait;

/* The command is over: answered in the keeper's thread, once. It is the callee's again, to look at
 * and to free with vts_keeper_command_free(). */
typedef void (*vts_keeper_done_fn)(struct vts_keeper_command *command, void *context);

/* Made by vts_keeper_command_new(). What it points at lies in its arena or outlives it. */
struct vts_keeper_command {
    struct vts_list link; /* the keeper's, from submitting to the answer */
    struct vts_arena arena;
    enum vts_keeper_command_kind kind;
    vts_keeper_done_fn done;
    void *context;

    const char *job_id;
    const char *etag;           /* "" or NULL: any */
    struct vts_job_event event; /* EVENT */
    int64_t wait_ns;            /* LEASE: for work; HEARTBEAT: for a cancellation; 0: not at all */
    const Vtstatus__V1__CreateJobRequest *create;
    const Vtstatus__V1__ListJobsRequest *list;
    struct {
        const char *worker_id;
        size_t queues_count;
        char *const *queues; /* none: "default" */
        size_t labels_count;
        char *const *labels; /* "key=value" */
        int64_t duration_ns;
    } lease;

    /* The answer, in the arena. */
    enum vts_keeper_refusal refusal;
    struct vts_job_change change;
    struct vts_job_violation violation;
    bool was_there;           /* CREATE: a repetition of an earlier request */
    bool is_cancel_requested; /* HEARTBEAT */
    Vtstatus__Store__V1__JobRecord
        *record;       /* as it is now; NULL after a refusal, DELETE, or without work */
    size_t jobs_count; /* LIST */
    Vtstatus__V1__Job **jobs;
    const char *next_page_token; /* LIST; "" after the last page */

    /* The keeper's own. */
    struct {
        struct vts_list context_link; /* among those that may wait */
        bool may_wait;
        struct vts_keeper_wait *wait; /* NULL: it does not wait */
        uint32_t labels;              /* LEASE: bits of the labels that are wanted */
        bool is_wait_over;
        bool rests_on_batch; /* the answer is no good when the commit fails */
    } own;
};

/* VTS_ERR_NOMEM. Every field is zero but kind, done, context and the arena. */
VTS_MUST_CHECK enum vts_err vts_keeper_command_new(enum vts_keeper_command_kind kind,
                                                   vts_keeper_done_fn done, void *context,
                                                   struct vts_keeper_command **ret_command);
void vts_keeper_command_free(struct vts_keeper_command *command);

/* Loads the store and publishes what it has. VTS_ERR_IO or VTS_ERR_INVALID with a text; the store
 * is closed then. */
VTS_MUST_CHECK enum vts_err vts_keeper_new(const struct vts_keeper_options *options,
                                           struct vts_keeper **ret_keeper, struct vts_error *error);
/* VTS_ERR_IO when there is no thread to be had. */
VTS_MUST_CHECK enum vts_err vts_keeper_start(struct vts_keeper *keeper);
/* Commits what was begun, ends the thread, answers everything that waits with VTS_KEEPER_STOPPING,
 * in the caller's thread, and closes the store. Nobody may submit or forget any more but callbacks.
 * Accepts NULL. */
void vts_keeper_free(struct vts_keeper *keeper);

/* Runs one batch, and returns for how long nothing is due; 0: there is more to do, INT64_MAX: until
 * something comes. For tests, in place of vts_keeper_start(). */
int64_t vts_keeper_step(struct vts_keeper *keeper);

/* The command is adopted when VTS_OK is returned. VTS_ERR_LIMIT when there are too many,
 * VTS_ERR_AGAIN when too many of those that may wait are there, VTS_ERR_CLOSED when the keeper is
 * being freed. From any thread, also from a callback. */
VTS_MUST_CHECK enum vts_err vts_keeper_submit(struct vts_keeper *keeper,
                                              struct vts_keeper_command *command);
/* Whoever waited for the command is gone: it is answered soon if it still waits for something to
 * happen. Harmless when it was answered; the context names it. From any thread. */
void vts_keeper_forget(struct vts_keeper *keeper, void *context);

#endif
