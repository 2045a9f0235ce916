/* SPDX-License-Identifier: Apache-2.0 */
/* The keeper, as its files share it.
 *
 *   keeper.c          its life, its thread, and what a step is
 *   keeper_inbox.c    where commands of all threads come in
 *   keeper_load.c     the start: from the store's records to jobs
 *   keeper_publisher.c  publishes them meanwhile
 *   keeper_job.c      a job as it lies in memory
 *   keeper_command.c  what each command does
 *   keeper_ids.c      ids and tokens that are made up, and request ids
 *   keeper_lease.c    jobs that are ready, and the workers they go to
 *   keeper_wait.c     commands that wait
 *   keeper_list.c     pages of jobs by age
 *   keeper_time.c     what time brings
 *   keeper_batch.c    what a batch changes: staged, committed, and then settled or undone
 *   keeper_news.c     from what is durable to the board
 *
 * A job has a committed record, and may have a staged one: what the present batch makes of it. Who
 * changes a job works on the staged one; who only looks, on the committed one, after the commit.
 * Queues and the tables by id follow what is staged, and go back when it is undone; the list by
 * age, timers and the board follow the commit.
 *
 * Inside the keeper only; its thread only, but for the inbox. */
#ifndef VTS_JOBS_KEEPER_PARTS_H
#define VTS_JOBS_KEEPER_PARTS_H

#include <pthread.h>

#include "common/base/hash.h"
#include "common/base/rng.h"
#include "common/base/table.h"
#include "server/jobs/estimator.h"
#include "server/jobs/keeper.h"
#include "server/jobs/keeper_job.h"

enum {
    VTS_KEEPER_BATCH_MAX = 4096,  /* commands of one commit */
    VTS_KEEPER_TIMERS_MAX = 1024, /* jobs in it whose time has come */
    VTS_KEEPER_STAGED_MAX = VTS_KEEPER_BATCH_MAX + VTS_KEEPER_TIMERS_MAX,
    VTS_KEEPER_LOOKS_MAX = 200 * 1000, /* at jobs, for lists and labels; then the next batch */
    VTS_KEEPER_BUCKETS = 4096,
    VTS_KEEPER_MEMORY_MAX_BYTES = 16 * 1024 * 1024, /* of a command; a page of jobs is largest */
};

/* A queue that has jobs, or workers that wait. */
struct vts_keeper_queue {
    struct vts_line *ready;  /* jobs that may be leased, the next one first */
    struct vts_list waiting; /* spots of leases that wait, in the order they came */
    uint64_t refs_count;     /* jobs and spots */
    uint32_t hash;           /* of the name */
    char name[];
};

/* A lease's place in the line of one queue. */
struct vts_keeper_spot {
    struct vts_list link;
    struct vts_keeper_wait *wait;
    struct vts_keeper_queue *queue;
};

/* A command that waits; in its arena. */
struct vts_keeper_wait {
    struct vts_heap_node deadline; /* on the monotonic clock */
    struct vts_keeper_command *command;
    const struct vts_keeper_job *job; /* HEARTBEAT */
    struct vts_list job_link;         /* among those of jobs with a like hash */
    size_t spots_count;               /* LEASE */
    struct vts_keeper_spot *spots;
};

/* What the present batch makes of a job. */
struct vts_keeper_staged {
    struct vts_list link;
    struct vts_keeper_job *job;
    char *record; /* NULL when it is removed, or has become the job's */
    uint32_t record_len;
    struct vts_snapshot *snapshot; /* NULL: there is nothing new to see */
    uint64_t expected_version;
    uint64_t version; /* 0: the record is removed */
    int64_t due_ns;
    uint8_t state;
    bool was_ready; /* before the batch */
    bool leaves_board;
    bool owns_job; /* which is in no table any more */
};

/* What other threads touch, under the lock. */
struct vts_keeper_inbox {
    pthread_mutex_t lock;
    pthread_cond_t cond;
    struct vts_list commands;
    struct vts_list forgotten;                      /* commands, by context_link */
    struct vts_list by_context[VTS_KEEPER_BUCKETS]; /* commands that may wait */
    uint64_t count;                                 /* adopted and not answered */
    uint64_t waits_count;                           /* of these, the ones that may wait */
    bool is_stopping;
    bool is_asleep;
};

struct vts_keeper_batch {
    int64_t wall_ns;
    int64_t now_ns;
    int64_t looks_left;
    struct vts_list leases;   /* commands that want a job */
    struct vts_list answered; /* commands that are over once the commit is */
    struct vts_list staged;
    size_t staged_count;
    struct vts_store_write *writes; /* VTS_KEEPER_STAGED_MAX */
    struct vts_keeper_job **fresh;  /* that many, too: made ready while leases wait */
    size_t fresh_count;
};

struct vts_keeper_ids {
    struct vts_table requests; /* jobs by request_id */
    bool is_seeded;
    struct vts_rng rng;
    size_t pool_len; /* bytes of the system that are left */
    uint8_t pool[256];
};

struct vts_keeper_news {
    struct vts_list unpublished; /* staged and settled */
    int64_t retry_ns;            /* on the monotonic clock */
};

struct vts_keeper {
    struct vts_keeper_options options;
    struct vts_hash_key hash_key;
    pthread_t thread;
    bool is_started;
    struct vts_keeper_inbox inbox;
    struct vts_list taken; /* commands of the inbox that go into the next batches */

    struct vts_table jobs;   /* by id */
    struct vts_table queues; /* by name */
    struct vts_tree listed;  /* jobs by age */
    struct vts_heap timers;  /* of jobs, on the wall clock */
    struct vts_heap deadlines;
    struct vts_list by_job[VTS_KEEPER_BUCKETS]; /* heartbeats that wait */
    struct vts_keeper_ids ids;
    struct vts_keeper_batch batch;
    struct vts_keeper_news news;
    struct vts_estimator *estimator; /* knows nothing until all is loaded */
    struct vts_arena scratch;        /* for what belongs to no command; reset after each use */

    bool is_store_failing;
    int64_t timers_from_ns; /* after a failure; on the monotonic clock */
    int64_t tidy_ns;        /* when the store is tidied if it is quiet; INT64_MAX: it is tidy */
};

uint32_t vts_keeper_hash(const struct vts_keeper *keeper, struct vts_str text);

/* Moves what came in to keeper->taken; who was forgotten waits no longer. */
void vts_keeper_take(struct vts_keeper *keeper);
/* Sleeps until something comes in, at most for span_ns. False when the keeper is to stop. */
bool vts_keeper_sleep(struct vts_keeper *keeper, int64_t span_ns);
/* Takes the commands off the books and calls back. */
void vts_keeper_answer(struct vts_keeper *keeper, struct vts_list *commands);
void vts_keeper_inbox_init(struct vts_keeper_inbox *inbox);
void vts_keeper_inbox_fini(struct vts_keeper_inbox *inbox);

/* VTS_ERR_IO, VTS_ERR_INVALID or VTS_ERR_NOMEM with a text. */
VTS_MUST_CHECK enum vts_err vts_keeper_load(struct vts_keeper *keeper, struct vts_error *error);

/* Executes the command on what is staged; it moves to batch.leases or batch.answered. */
void vts_keeper_execute(struct vts_keeper *keeper, struct vts_keeper_command *command);
/* After the commit. False when the command waits from now on, for something or for its turn. */
bool vts_keeper_finish(struct vts_keeper *keeper, struct vts_keeper_command *command);
/* The command has its turn in the next batch, since this one has looked at enough jobs. */
void vts_keeper_put_off(struct vts_keeper *keeper, struct vts_keeper_command *command);
/* Makes the answer anew: that refusal, or VTS_KEEPER_OK and nothing. */
void vts_keeper_refuse(struct vts_keeper_command *command, enum vts_keeper_refusal refusal);
/* Applies the event to the record, which lies in the command's arena as the batch has left the job,
 * and stages it; record or refusal become the answer. */
void vts_keeper_apply(struct vts_keeper *keeper, struct vts_keeper_command *command,
                      struct vts_keeper_job *job, Vtstatus__Store__V1__JobRecord *record,
                      const struct vts_job_event *event);

enum { VTS_KEEPER_ID_BYTES = 27 };

void vts_keeper_ids_init(struct vts_keeper_ids *ids, uint64_t seed);
/* 130 random bits in 26 letters and digits. */
void vts_keeper_make_id(struct vts_keeper_ids *ids, char ret_id[VTS_KEEPER_ID_BYTES]);
/* The job, perhaps a tombstone, that was made by this request, which may be "", within its time;
 * NULL when there is none. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_keeper_find_request(struct vts_keeper *keeper,
                                                    const char *request_id,
                                                    struct vts_keeper_job **ret_job);
/* Room must have been reserved. Does nothing without a request_id, or when its time is over. */
void vts_keeper_add_request(struct vts_keeper *keeper, struct vts_keeper_job *job,
                            const char *request_id);
void vts_keeper_remove_request(struct vts_keeper *keeper, struct vts_keeper_job *job);

/* Of leases that name none. */
extern const char vts_keeper_default_queue[];
/* NULL when there is no queue of that name. */
struct vts_keeper_queue *vts_keeper_queue_find(struct vts_keeper *keeper, struct vts_str name);
/* The queue with one more reference; NULL without memory. */
struct vts_keeper_queue *vts_keeper_queue_ref(struct vts_keeper *keeper, struct vts_str name);
/* Accepts NULL. */
void vts_keeper_queue_unref(struct vts_keeper *keeper, struct vts_keeper_queue *queue);
void vts_keeper_set_ready(struct vts_keeper *keeper, struct vts_keeper_job *job, bool is_ready);
/* Gives jobs to leases that wait, and then to those of the batch. */
void vts_keeper_serve_leases(struct vts_keeper *keeper);
/* Ends the waiting of all leases in line, with VTS_KEEPER_STORE_FAILED. */
void vts_keeper_refuse_line(struct vts_keeper *keeper, struct vts_keeper_queue *queue);

/* VTS_ERR_NOMEM: it does not wait. */
VTS_MUST_CHECK enum vts_err vts_keeper_wait_for_lease(struct vts_keeper *keeper,
                                                      struct vts_keeper_command *command);
VTS_MUST_CHECK enum vts_err vts_keeper_wait_for_cancel(struct vts_keeper *keeper,
                                                       struct vts_keeper_command *command,
                                                       const struct vts_keeper_job *job);
/* The command waits no longer, and moves to batch.answered. */
void vts_keeper_end_wait(struct vts_keeper *keeper, struct vts_keeper_command *command);
/* Ends all waits with a deadline up to then. */
void vts_keeper_end_waits_until(struct vts_keeper *keeper, int64_t deadline_ns);
/* Ends those whose worker has lost the job, or is to stop. */
void vts_keeper_end_waits_for_job(struct vts_keeper *keeper, const struct vts_keeper_job *job);

/* Makes the answer of a LIST. */
void vts_keeper_list(struct vts_keeper *keeper, struct vts_keeper_command *command);

/* Stages what time brings. */
void vts_keeper_run_timers(struct vts_keeper *keeper);
/* For how long no job is due. */
int64_t vts_keeper_timers_span_ns(const struct vts_keeper *keeper);

VTS_MUST_CHECK enum vts_err vts_keeper_batch_init(struct vts_keeper_batch *batch);
void vts_keeper_batch_fini(struct vts_keeper_batch *batch);
/* Stages the record, which stays the caller's, as the job's next. Not VTS_OK: the job is as it was.
 */
VTS_MUST_CHECK enum vts_err vts_keeper_stage(struct vts_keeper *keeper, struct vts_keeper_job *job,
                                             const Vtstatus__Store__V1__JobRecord *record,
                                             bool is_visible);
/* Stages that the tombstone, which has that version, is forgotten. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_keeper_stage_removal(struct vts_keeper *keeper,
                                                     struct vts_keeper_job *job, uint64_t version);
/* Commits what is staged, and settles or undoes it. */
void vts_keeper_commit(struct vts_keeper *keeper);
void vts_keeper_staged_free(struct vts_keeper *keeper, struct vts_keeper_staged *staged);

/* Of the job, at that record. */
VTS_MUST_CHECK enum vts_err vts_keeper_snapshot_new(const struct vts_keeper *keeper,
                                                    const struct vts_keeper_job *job,
                                                    const Vtstatus__Store__V1__JobRecord *record,
                                                    struct vts_snapshot **ret_snapshot);
/* Publishes what has been settled; adopts it. */
void vts_keeper_publish(struct vts_keeper *keeper, struct vts_keeper_staged *staged);
/* Publishes what could not be published before, when its time has come. */
void vts_keeper_publish_again(struct vts_keeper *keeper);
int64_t vts_keeper_news_span_ns(const struct vts_keeper *keeper);
void vts_keeper_news_fini(struct vts_keeper *keeper);

#endif
