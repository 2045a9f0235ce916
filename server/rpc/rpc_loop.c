/* SPDX-License-Identifier: Apache-2.0 */
/* rpc_loop.c - names of calls that hold beyond the call, and messages from other threads to them.
 *
 * A name is a place in a table and the generation of what lies there, so a call that is gone is
 * found to be gone. Messages wait in a queue of their own, and one post wakes the loop for all of
 * them.
 */
#include "server/rpc/rpc_loop.h"

#include <string.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "server/rpc/call_parts.h"

enum { SLOTS_START = 64, SLOTS_MAX = 1 << 20, POSTS_MAX = 1 << 16 };

struct posted {
    struct vts_list link;
    struct vts_call_ref ref;
    vts_call_post_fn fn;
    void *context;
};

enum vts_err vts_rpc_loop_new(const struct vts_rpc *rpc, vts_rpc_post_fn post, void *post_context,
                              struct vts_rpc_loop **ret_loop)
{
    struct vts_rpc_loop *loop = vts_mem_zalloc(sizeof(*loop));
    struct vts_rpc_counts *counts = vts_mem_zalloc(rpc->methods_count * sizeof(*counts));

    if (loop == NULL || counts == NULL) {
        vts_mem_free(loop);
        vts_mem_free(counts);
        return VTS_ERR_NOMEM;
    }
    loop->counts = counts;
    loop->rpc = rpc;
    loop->post = post;
    loop->post_context = post_context;
    vts_gzip_init(&loop->gzip);
    loop->gzip.max_ratio = vts_limits_get(rpc->options.limits, VTS_LIMIT_INFLATE_RATIO);
    vts_list_init(&loop->calls);
    vts_list_init(&loop->held);
    vts_list_init(&loop->idle_calls);
    vts_list_init(&loop->posts);
    (void)pthread_mutex_init(&loop->lock, NULL); /* cannot fail on Linux */
    *ret_loop = loop;
    return VTS_OK;
}

/* ---- names ------------------------------------------------------------------------------- */

static enum vts_err grow_slots(struct vts_rpc_loop *loop)
{
    uint32_t count = loop->slots_count == 0 ? SLOTS_START : 2 * loop->slots_count;
    uint32_t first = loop->slots_count == 0 ? 1 : loop->slots_count;
    struct vts_call_slot *slots;

    if (count > SLOTS_MAX)
        return VTS_ERR_LIMIT;
    slots = vts_mem_realloc(loop->slots, count * sizeof(*slots));
    if (slots == NULL)
        return VTS_ERR_NOMEM;
    for (uint32_t i = first; i < count; i++)
        slots[i] = (struct vts_call_slot){.next_free = i + 1 < count ? i + 1 : 0};
    loop->slots = slots;
    loop->slots_count = count;
    loop->free_slot = first;
    return VTS_OK;
}

enum vts_err vts_call_make_ref(struct vts_call *call, struct vts_call_ref *ret_ref)
{
    struct vts_rpc_loop *loop = call->loop;
    enum vts_err err = VTS_OK;

    if (call->ref_slot == 0) {
        if (loop->free_slot == 0)
            err = grow_slots(loop);
        if (err != VTS_OK)
            return err;
        call->ref_slot = loop->free_slot;
        loop->free_slot = loop->slots[call->ref_slot].next_free;
        loop->slots[call->ref_slot].call = call;
    }
    *ret_ref = (struct vts_call_ref){
        .loop = loop, .slot = call->ref_slot, .generation = loop->slots[call->ref_slot].generation};
    return VTS_OK;
}

void vts_rpc_loop_drop_ref(struct vts_rpc_loop *loop, struct vts_call *call)
{
    struct vts_call_slot *slot;

    if (call->ref_slot == 0)
        return;
    slot = &loop->slots[call->ref_slot];
    slot->call = NULL;
    slot->generation++;
    slot->next_free = loop->free_slot;
    loop->free_slot = call->ref_slot;
    call->ref_slot = 0;
}

static struct vts_call *find_call(const struct vts_rpc_loop *loop, struct vts_call_ref ref)
{
    const struct vts_call_slot *slot = &loop->slots[ref.slot];

    if (slot->generation != ref.generation || slot->call == NULL ||
        slot->call->state == VTS_CALL_OVER)
        return NULL;
    return slot->call;
}

/* ---- messages ---------------------------------------------------------------------------- */

static void run_posts(void *context)
{
    struct vts_rpc_loop *loop = context;
    size_t count;

    pthread_mutex_lock(&loop->lock);
    count = loop->posts_count;
    loop->is_woken = false;
    pthread_mutex_unlock(&loop->lock);
    /* Those that come meanwhile have a wake-up of their own. */
    for (; count > 0; count--) {
        struct posted *posted;

        pthread_mutex_lock(&loop->lock);
        posted = VTS_CONTAINER_OF(loop->posts.next, struct posted, link);
        vts_list_remove(&posted->link);
        loop->posts_count--;
        pthread_mutex_unlock(&loop->lock);
        posted->fn(find_call(loop, posted->ref), posted->context);
        vts_mem_free(posted);
    }
}

/* With the lock held. */
static enum vts_err push_post(struct vts_rpc_loop *loop, struct posted *posted)
{
    enum vts_err err = VTS_OK;

    if (loop->posts_count >= POSTS_MAX)
        return VTS_ERR_LIMIT;
    if (!loop->is_woken)
        err = loop->post(loop->post_context, run_posts, loop);
    if (err != VTS_OK)
        return err;
    loop->is_woken = true;
    vts_list_push_back(&loop->posts, &posted->link);
    loop->posts_count++;
    return VTS_OK;
}

enum vts_err vts_call_post(struct vts_call_ref ref, vts_call_post_fn fn, void *context)
{
    struct posted *posted = vts_mem_alloc(sizeof(*posted));
    enum vts_err err;

    if (posted == NULL)
        return VTS_ERR_NOMEM;
    *posted = (struct posted){.ref = ref, .fn = fn, .context = context};
    vts_list_init(&posted->link);
    pthread_mutex_lock(&ref.loop->lock);
    err = push_post(ref.loop, posted);
    pthread_mutex_unlock(&ref.loop->lock);
    if (err != VTS_OK)
        vts_mem_free(posted);
    return err;
}

/* ---- the end ----------------------------------------------------------------------------- */

void vts_rpc_loop_drain(struct vts_rpc_loop *loop)
{
    loop->is_draining = true;
    /* A call that a drain ends stays in the list until its exchange is closed. */
    for (struct vts_list *link = loop->calls.next; link != &loop->calls; link = link->next)
        vts_call_tell_drain(VTS_CONTAINER_OF(link, struct vts_call, link));
    for (struct vts_list *link = loop->held.next; link != &loop->held; link = link->next) {
        struct vts_held *held = VTS_CONTAINER_OF(link, struct vts_held, link);

        held->on_drain(held->context);
    }
}

void vts_rpc_loop_hold(struct vts_rpc_loop *loop, struct vts_held *held,
                       void (*on_drain)(void *context), void *context)
{
    held->on_drain = on_drain;
    held->context = context;
    vts_list_init(&held->link);
    vts_list_push_back(&loop->held, &held->link);
    if (loop->is_draining)
        on_drain(context);
}

void vts_rpc_loop_let_go(struct vts_held *held)
{
    vts_list_remove(&held->link);
}

void vts_rpc_loop_free(struct vts_rpc_loop *loop)
{
    if (loop == NULL)
        return;
    VTS_ASSERT(vts_list_is_empty(&loop->calls) && vts_list_is_empty(&loop->held));
    run_posts(loop);
    while (!vts_list_is_empty(&loop->idle_calls)) {
        struct vts_list *link = loop->idle_calls.next;

        vts_list_remove(link);
        vts_mem_free(VTS_CONTAINER_OF(link, struct vts_call, link));
    }
    vts_gzip_fini(&loop->gzip);
    vts_mem_free(loop->slots);
    vts_mem_free(loop->counts);
    (void)pthread_mutex_destroy(&loop->lock);
    vts_mem_free(loop);
}
