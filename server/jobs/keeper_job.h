/* SPDX-License-Identifier: Apache-2.0 */
/* A job as it lies in the keeper's memory. Inside the keeper only; its thread only. */
#ifndef VTS_JOBS_KEEPER_JOB_H
#define VTS_JOBS_KEEPER_JOB_H

#include "common/base/arena.h"
#include "common/base/heap.h"
#include "server/jobs/job_machine.h"
#include "server/jobs/line.h"

struct vts_keeper;
struct vts_keeper_queue;
struct vts_keeper_staged;

/* No state of a job: only its id is left. */
enum { VTS_KEEPER_TOMBSTONE = 0 };

/* A job, or what a deleted one left. There may be a million, so it is small: what is not here is in
 * the record. Priority, age, queue and labels never change. */
struct vts_keeper_job {
    struct vts_tree_node listed;
    struct vts_tree_node ready;
    struct vts_heap_node timer; /* INT64_MAX: nothing is due */
    char *record;               /* as committed; NULL: not yet */
    struct vts_keeper_staged *staged;
    struct vts_keeper_queue *queue; /* NULL in a tombstone */
    int64_t create_ns;
    uint32_t record_len;
    uint32_t hash;         /* of the id */
    uint32_t request_hash; /* under which it is among the requests; 0: it is not */
    uint32_t labels;       /* a bit for each */
    uint32_t ready_count;  /* the line's */
    int16_t priority;
    uint8_t state; /* as committed: a vts_job_state or VTS_KEEPER_TOMBSTONE */
    bool is_ready; /* as the present batch has left it */
    bool is_listed;
    uint8_t id_len;
    char id[];
};

/* ---- memory ------------------------------------------------------------------------------ */

/* Adds a job without a record to the keeper's tables, and makes room for its timer. NULL without
 * memory. */
struct vts_keeper_job *vts_keeper_add_job(struct vts_keeper *keeper,
                                          const Vtstatus__Store__V1__JobRecord *record);
/* Takes it out of everything but the tables by id, by request and by time, and from its queue. */
void vts_keeper_bury_job(struct vts_keeper *keeper, struct vts_keeper_job *job);
/* Takes it out of everything; the caller frees it. */
void vts_keeper_drop_job(struct vts_keeper *keeper, struct vts_keeper_job *job);
/* Accepts NULL. */
void vts_keeper_job_free(struct vts_keeper *keeper, struct vts_keeper_job *job);

/* Finds a job, also one that exists in this batch only. */
struct vts_keeper_job *vts_keeper_find(struct vts_keeper *keeper, struct vts_str id);
struct vts_str vts_keeper_job_id(const struct vts_keeper_job *job);
void vts_keeper_list_job(struct vts_keeper *keeper, struct vts_keeper_job *job);
/* INT64_MAX: never. */
void vts_keeper_set_timer(struct vts_keeper *keeper, struct vts_keeper_job *job, int64_t due_ns);

/* ---- records ----------------------------------------------------------------------------- */

/* Unpacks into the arena. VTS_ERR_NOMEM; VTS_ERR_INVALID when it is no record. */
VTS_MUST_CHECK enum vts_err vts_keeper_unpack(struct vts_str bytes, struct vts_arena *arena,
                                              Vtstatus__Store__V1__JobRecord **ret_record);
/* The record as committed, or as the present batch has left it. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_keeper_job_read(const struct vts_keeper_job *job,
                                                struct vts_arena *arena,
                                                Vtstatus__Store__V1__JobRecord **ret_record);
VTS_MUST_CHECK enum vts_err vts_keeper_job_read_staged(const struct vts_keeper_job *job,
                                                       struct vts_arena *arena,
                                                       Vtstatus__Store__V1__JobRecord **ret_record);

uint8_t vts_keeper_state_of(const Vtstatus__Store__V1__JobRecord *record);
/* As the present batch has left it; a job that is removed in it is a tombstone. */
uint8_t vts_keeper_job_state_staged(const struct vts_keeper_job *job);
/* A job that is done, or a tombstone: it waits to be forgotten. */
bool vts_keeper_is_over(uint8_t state);
/* When time brings something: a change, or the end of what is over. */
int64_t vts_keeper_due_ns(const Vtstatus__Store__V1__JobRecord *record);

/* Bits of which a job has all when it has the labels, each "key=value". A job that has the bits
 * need not have the labels. */
uint32_t vts_keeper_label_bits(char *const *labels, size_t count);
bool vts_keeper_has_labels(const Vtstatus__V1__Job *job, char *const *labels, size_t count);

/* ---- order ------------------------------------------------------------------------------- */

struct vts_job_place vts_keeper_job_place(const struct vts_keeper_job *job);
/* Negative when the place comes before the job. By age, and then by id. */
int vts_keeper_order_listed(const struct vts_job_place *place, const struct vts_keeper_job *job);
/* The higher priority first, then by age. */
int vts_keeper_order_ready(const struct vts_job_place *place, const struct vts_keeper_job *job);

extern const struct vts_tree_ops vts_keeper_listed_ops;
extern const struct vts_tree_ops vts_keeper_ready_ops;

#endif
