/* SPDX-License-Identifier: Apache-2.0 */
/* What the parts of a waiter share: waiter.c has its life and its loop, waiter_jobs.c what becomes
 * known of jobs, waiter_stream.c the rung of streams, waiter_ask.c the two rungs below, and
 * waiter_batch.c their requests about many jobs.
 *
 * Jobs stand in groups of up to 1000. A group has a ladder of its own, at most one stream, and some
 * requests under way ("asks"). Invariants:
 *
 *   1. A job is in the table, and in the list of a group, until its end has been told.
 *   2. A job whose group has a stream that brought something ("proven") is asked about by nothing
 *      else; any other one has a due time in the heap, or an ask under way, or waits for the first
 *      word of a stream that is young.
 *   3. What is to be told of a job is its newest status, after some older ones where there is room
 * for them, or one error. It is told outside of libcurl, so that whoever is told may add and remove
 *      jobs.
 */
#ifndef VTS_CLIENT_WAITER_H
#define VTS_CLIENT_WAITER_H

#include <protobuf-c/protobuf-c.h>

#include <vtstatus/wait.h>

#include "client/src/backoff.h"
#include "client/src/client.h"
#include "client/src/ladder.h"
#include "client/src/stream.h"
#include "client/src/transport_curl_engine.h"
#include "common/base/hash.h"
#include "common/base/heap.h"
#include "common/base/list.h"
#include "common/base/table.h"

/* Statuses that newer ones followed before they could be told; past that they are left out. */
enum { VTS_WAITER_OLDER_MAX = 1024 };

enum { VTS_WAITER_GROUP_MAX = 1000, VTS_WAITER_GROUPS_MAX = 50 };

/* Of up to so many jobs all that comes is told, also to those who want the ends alone. */
enum { VTS_WAITER_FEW = 64 };

/* A job's id with its NUL. */
enum { VTS_WAITER_ID_SIZE = 129 };

struct vts_waiter_group;
struct vts_waiter_ask;

/* A status to tell before the newest one of its job. */
struct vts_waiter_older {
    struct vts_list member;
    struct vts_status *status;
    enum vts_wait_mode rung;
};

struct vts_waiter_job {
    struct vts_heap_node
        due;                /* when it is asked about next; first, so that the heap's node is it */
    struct vts_list member; /* of the group */
    struct vts_list news;   /* of the waiter's, when there is something to tell */
    struct vts_waiter_group *group;
    struct vts_waiter_ask *ask; /* NULL: none is under way */
    void *data;
    int64_t added_ns;  /* on the wall's clock */
    uint64_t revision; /* the last one that was told, or is about to be; 0: none */
    uint64_t waits;    /* by the schedule, since it last changed */
    double hint;       /* the server's last one; negative: none */
    bool has_status;   /* one was seen by this waiter */
    bool is_over;      /* its end is about to be told */
    bool is_last_ask;  /* the deadline leaves no time for another one */
    enum vts_wait_mode rung;
    struct vts_list older;          /* to tell first */
    struct vts_status *status;      /* to tell; NULL: see error */
    struct vts_client_error *error; /* to tell */
    char id[];
};

/* A server stream that a group has open. */
struct vts_waiter_stream {
    struct vts_waiter_group *group;
    struct vts_transfer *transfer;
    struct vts_stream_reader reader;
    bool is_proven;
    int64_t start_ns;
    int64_t word_ns; /* when it last said something */
};

struct vts_waiter_group {
    struct vts_list member; /* of the waiter's */
    struct vts_waiter *waiter;
    struct vts_list jobs;
    size_t jobs_count;
    bool has_lost_jobs; /* some were here that are no more */
    struct vts_ladder ladder;
    struct vts_waiter_stream *stream; /* NULL: none */
    int64_t open_ns;                  /* when to open one; INT64_MAX: when the ladder says so */
    size_t asks;                      /* under way */
    bool is_sifting;   /* a job of these is not there: a batch says which, before a stream opens */
    unsigned sifts;    /* in a row, without a stream that worked in between */
    unsigned failures; /* in a row */
    int64_t failed_ns; /* when the last of them was counted */
    int64_t held_off_ns; /* no job is asked about before, since they all would fail alike */
    unsigned stops;      /* in a row: streams that the server ended since it stops */
};

/* A request about some jobs of a group. */
struct vts_waiter_ask {
    struct vts_list member;         /* of the waiter's */
    struct vts_waiter_group *group; /* NULL: it is gone, and so are the jobs */
    struct vts_transfer *transfer;
    bool is_batch;
    unsigned hold_s; /* 0: not held */
    bool has_etag;
    int64_t start_ns;
    size_t jobs_count;
    struct vts_waiter_job *jobs[]; /* NULL: removed meanwhile */
};

struct vts_waiter {
    struct vts_client *client;
    struct vts_wait_options options;
    struct vts_backoff backoff;
    bool ignore_hints;
    bool is_first_hint_kept;
    struct vts_rng rng;
    struct vts_engine *engine;
    struct vts_hash_key hash_key;
    struct vts_table jobs;
    struct vts_heap due;
    struct vts_list groups;
    size_t groups_count;
    struct vts_waiter_group *open_group; /* takes jobs until its first request; NULL: none */
    struct vts_list asks;
    size_t held_count;
    size_t streams_count;
    struct vts_list news;
    size_t older_count;
    int64_t start_ns;
    int64_t end_ns;                     /* INT64_MAX: no deadline */
    enum vts_client_code code;          /* VTS_CLIENT_OK until it has ended */
    struct vts_client_error error;      /* then: why */
    struct vts_client_error last_error; /* of a request; code VTS_CLIENT_OK: none failed */
    bool was_anything_seen;
    struct { /* a failure that may pass, to tell */
        bool is_there;
        struct vts_client_error error;
        double next_try;
        enum vts_wait_mode rung;
        char job_id[VTS_WAITER_ID_SIZE]; /* "": of several */
    } failure;
};

/* ---- waiter.c ---------------------------------------------------------------------------- */

/* Ends the waiting; the first reason stands. */
void vts_waiter_end(struct vts_waiter *waiter, const struct vts_client_error *error);
/* s; infinite without a deadline, and not negative. */
double vts_waiter_time_left(const struct vts_waiter *waiter, int64_t now_ns);
/* As vts_engine_start, for a request that is told of first, as vts_request_tell does. */
VTS_MUST_CHECK enum vts_client_code
vts_waiter_send(struct vts_waiter *waiter, const struct vts_request *request,
                const ProtobufCMessage *message, size_t max_bytes, vts_transfer_done_fn on_done,
                void *context, struct vts_transfer **ret_transfer, struct vts_client_error *error);
/* How many jobs it takes at a time. From any thread: it does not change. */
size_t vts_waiter_max(const struct vts_waiter *waiter);
/* As vts_waiter_wait, and returns when wake_fd is readable, too. */
VTS_MUST_CHECK enum vts_client_code vts_waiter_wait_with(struct vts_waiter *waiter, double seconds,
                                                         int wake_fd,
                                                         struct vts_client_error *error);
/* Whether one more request may be kept waiting: a stream, or one that is held. */
bool vts_waiter_has_room(const struct vts_waiter *waiter);
/* The same of one that is held, of which there are fewer. */
bool vts_waiter_can_hold_more(const struct vts_waiter *waiter);
/* Whether long-polls serve the group, or are to be tried. */
bool vts_waiter_is_held(const struct vts_waiter_group *group, int64_t now_ns);
/* Forgets a group and its requests; it has no jobs. */
void vts_waiter_drop_group(struct vts_waiter_group *group);

/* ---- wait.c ------------------------------------------------------------------------------ */

/* As vts_wait, of a job of which that revision was told already. */
VTS_MUST_CHECK enum vts_client_code vts_wait_from(struct vts_client *client, const char *job_id,
                                                  uint64_t revision,
                                                  const struct vts_wait_options *options,
                                                  struct vts_status **ret_status,
                                                  struct vts_client_error *error);

/* ---- waiter_jobs.c ----------------------------------------------------------------------- */

struct vts_waiter_job *vts_waiter_find(const struct vts_waiter *waiter, const char *job_id);
/* Adds a job to the group. NULL without memory. */
struct vts_waiter_job *vts_waiter_put_job(struct vts_waiter_group *group, const char *job_id);
/* Forgets a job and whatever was to be told of it. Its group, when it was the last one there, too.
 */
void vts_waiter_drop_job(struct vts_waiter_job *job);
/* What the server suggests, in seconds; negative: nothing. */
void vts_waiter_take_hint(struct vts_waiter_job *job, double hint);
/* Takes in a status, borrowed, that came by the rung. Returns whether it is news. */
bool vts_waiter_take(struct vts_waiter_job *job, const struct vts_status *status,
                     enum vts_wait_mode rung);
/* The job cannot be waited for; *error is copied. */
void vts_waiter_give_up(struct vts_waiter_job *job, const struct vts_client_error *error);
/* Tells all there is to tell. */
void vts_waiter_tell(struct vts_waiter *waiter);
/* A request of the group, or its stream, brought an answer. */
void vts_waiter_succeed(struct vts_waiter_group *group);
/* Whether a request that was begun at start_ns fails by what was counted already: those that are
 * under way together are one try. */
bool vts_waiter_is_counted(const struct vts_waiter_group *group, int64_t start_ns);
/* A request of the group failed. Counts it; gives up all its jobs when it does not pass, or there
 * were too many of them. Otherwise *ret_wait is how long to wait before the next, at least
 * retry_after (negative: the server did not say), and listeners are told. Returns whether it goes
 * on. */
bool vts_waiter_fail(struct vts_waiter_group *group, const struct vts_client_error *error,
                     double retry_after, enum vts_wait_mode rung, double *ret_wait);
/* Plans when the job is asked about next, when it is to be asked at all. */
void vts_waiter_schedule(struct vts_waiter_job *job, double wait);
/* The same, by its schedule, or at once where the server holds the answer. */
void vts_waiter_reschedule(struct vts_waiter_job *job);
/* The group's jobs are asked about after so many seconds, if not sooner. */
void vts_waiter_schedule_group(struct vts_waiter_group *group, double wait);
/* They are not asked about, beyond what is under way. */
void vts_waiter_unschedule_group(struct vts_waiter_group *group);
/* How many of them have not come to their end. */
size_t vts_waiter_count_live(const struct vts_waiter_group *group);
/* The ladder has moved down: counts and logs it. */
void vts_waiter_log_fall(struct vts_waiter_group *group, const struct vts_client_error *error);
/* The same, and asks at once. */
void vts_waiter_note_fall(struct vts_waiter_group *group, const struct vts_client_error *error);
void vts_waiter_note_climb(struct vts_waiter_group *group);

/* ---- waiter_stream.c --------------------------------------------------------------------- */

/* Opens, closes and doubts streams, as it is time for. */
void vts_waiter_look_after_stream(struct vts_waiter_group *group, int64_t now_ns);
void vts_waiter_close_stream(struct vts_waiter_group *group);
/* When it is time again; INT64_MAX: never. */
int64_t vts_waiter_stream_due_ns(const struct vts_waiter_group *group);

/* ---- waiter_ask.c ------------------------------------------------------------------------ */

/* Asks about the jobs that are due. */
void vts_waiter_ask_due(struct vts_waiter *waiter, int64_t now_ns);
void vts_waiter_drop_ask(struct vts_waiter *waiter, struct vts_waiter_ask *ask);

#endif
