/* SPDX-License-Identifier: Apache-2.0 */
/* The runtime's part in one loop: its open calls, and what they use in turns. */
#ifndef VTS_RPC_RPC_LOOP_H
#define VTS_RPC_RPC_LOOP_H

#include <pthread.h>

#include "common/base/list.h"
#include "common/wire/gzip.h"
#include "server/rpc/rpc.h"
#include "server/rpc/rpc_metrics.h"

/* As vts_loop_post(). */
typedef enum vts_err (*vts_rpc_post_fn)(void *context, void (*fn)(void *), void *argument);

struct vts_call_slot {
    struct vts_call *call; /* NULL: free */
    uint32_t generation;
    uint32_t next_free;
};

/* What waits in a loop without being a call. Lives inside what waits. */
struct vts_held {
    struct vts_list link;
    void (*on_drain)(void *context);
    void *context;
};

struct vts_rpc_loop {
    const struct vts_rpc *rpc;
    unsigned index; /* the program's number of the loop, for its services; set by the program */
    struct vts_rpc_counts *counts; /* by method */
    struct vts_gzip gzip;
    struct vts_list calls; /* open ones */
    struct vts_list held;  /* what else waits */
    struct vts_list idle_calls;
    size_t idle_calls_count;
    bool is_draining;

    /* Calls that have a vts_call_ref; slot 0 stays empty. */
    struct vts_call_slot *slots;
    uint32_t slots_count;
    uint32_t free_slot; /* 0: none */

    /* From other threads. */
    pthread_mutex_t lock;
    vts_rpc_post_fn post;
    void *post_context;
    struct vts_list posts;
    size_t posts_count;
    bool is_woken; /* a post to the loop is on its way */
};

/* rpc outlives the loop. post is called from any thread. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_rpc_loop_new(const struct vts_rpc *rpc, vts_rpc_post_fn post,
                                             void *post_context, struct vts_rpc_loop **ret_loop);
/* After the last call is gone and no thread posts any more; what was posted and not run is run with
 * a NULL call. Accepts NULL. */
void vts_rpc_loop_free(struct vts_rpc_loop *loop);
/* Tells all that wants to know, calls by their handlers, that the server is about to stop, and from
 * then on what begins. Loop thread only. */
void vts_rpc_loop_drain(struct vts_rpc_loop *loop);
/* Has on_drain called when the server is about to stop: at once, if it is already. For what is no
 * call; loop thread only. */
void vts_rpc_loop_hold(struct vts_rpc_loop *loop, struct vts_held *held,
                       void (*on_drain)(void *context), void *context);
/* Before what waits is gone, and not within on_drain. */
void vts_rpc_loop_let_go(struct vts_held *held);
/* Forgets a call's ref, if there is one. */
void vts_rpc_loop_drop_ref(struct vts_rpc_loop *loop, struct vts_call *call);

#endif
