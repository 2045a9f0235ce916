/* SPDX-License-Identifier: Apache-2.0 */
/* loop.c - libuv's loop with our timers and posts on top.
 *
 * The timers' heap drives one uv_timer_t. Its expiry is set when the loop is about to sleep, not
 * at every change, so that moving a deadline costs no more than the heap. Posts come through a
 * locked queue and a uv_async_t.
 */
#include "server/io/loop.h"

#include <pthread.h>

#include "common/base/assert.h"
#include "common/base/clock.h"
#include "common/base/list.h"
#include "common/base/mem.h"
#include "server/io/loop_uv.h"

enum { POSTS_MAX = 65536 };

struct post {
    struct vts_list link;
    vts_loop_fn fn;
    void *context;
};

struct vts_loop {
    uv_loop_t uv;
    uv_async_t wakeup;
    uv_timer_t alarm;
    uv_prepare_t before_sleep;
    struct vts_timer_heap timers;
    struct vts_metrics metrics;
    struct vts_loop_buffers buffers;

    pthread_mutex_t lock; /* guards the two below */
    struct vts_list posts;
    size_t posts_count;
};

static void free_posts(struct vts_list *posts)
{
    while (!vts_list_is_empty(posts)) {
        struct post *post = VTS_CONTAINER_OF(posts->next, struct post, link);

        vts_list_remove(&post->link);
        vts_mem_free(post);
    }
}

static void take_posts(struct vts_loop *loop, struct vts_list *ret_posts)
{
    vts_list_init(ret_posts);
    pthread_mutex_lock(&loop->lock);
    while (!vts_list_is_empty(&loop->posts)) {
        struct vts_list *link = loop->posts.next;

        vts_list_remove(link);
        vts_list_push_back(ret_posts, link);
    }
    loop->posts_count = 0;
    pthread_mutex_unlock(&loop->lock);
}

static void on_wakeup(uv_async_t *wakeup)
{
    struct vts_loop *loop = VTS_CONTAINER_OF(wakeup, struct vts_loop, wakeup);
    struct vts_list posts;

    take_posts(loop, &posts);
    while (!vts_list_is_empty(&posts)) {
        struct post *post = VTS_CONTAINER_OF(posts.next, struct post, link);

        vts_list_remove(&post->link);
        post->fn(post->context);
        vts_mem_free(post);
    }
}

/* By the loop's time, which is what callbacks see: by a clock that runs on, a timer could be due
 * here and not yet due to its owner, who would set it again, for ever. */
static void run_due_timers(struct vts_loop *loop)
{
    int64_t now_ns = vts_loop_now_ns(loop);
    struct vts_timer *timer;

    while ((timer = loop->timers.root) != NULL && timer->due_ns <= now_ns) {
        vts_timer_heap_remove(&loop->timers, timer);
        timer->fn(timer->context);
    }
}

static void on_alarm(uv_timer_t *alarm)
{
    run_due_timers(VTS_CONTAINER_OF(alarm, struct vts_loop, alarm));
}

/* Sets the one kernel timer to the first deadline, rounded up to the loop's milliseconds. */
static void on_before_sleep(uv_prepare_t *before_sleep)
{
    struct vts_loop *loop = VTS_CONTAINER_OF(before_sleep, struct vts_loop, before_sleep);
    struct vts_timer *timer = loop->timers.root;
    int64_t left_ns;
    uint64_t delay_ms;

    if (timer == NULL) {
        (void)uv_timer_stop(&loop->alarm); /* cannot fail */
        return;
    }
    uv_update_time(&loop->uv);
    left_ns = timer->due_ns - vts_loop_now_ns(loop);
    delay_ms = left_ns <= 0 ? 0 : (uint64_t)(left_ns - 1) / VTS_NS_PER_MS + 1;
    (void)uv_timer_start(&loop->alarm, on_alarm, delay_ms, 0); /* fails only while closing */
}

enum vts_err vts_loop_new(struct vts_loop **ret_loop)
{
    struct vts_loop *loop = vts_mem_alloc(sizeof(*loop));

    if (loop == NULL)
        return VTS_ERR_NOMEM;
    if (uv_loop_init(&loop->uv) != 0) {
        vts_mem_free(loop);
        return VTS_ERR_IO;
    }
    if (uv_async_init(&loop->uv, &loop->wakeup, on_wakeup) != 0) {
        (void)uv_loop_close(&loop->uv); /* nothing is open in it */
        vts_mem_free(loop);
        return VTS_ERR_IO;
    }
    /* These only fill structs. */
    (void)uv_timer_init(&loop->uv, &loop->alarm);
    (void)uv_prepare_init(&loop->uv, &loop->before_sleep);
    (void)uv_prepare_start(&loop->before_sleep, on_before_sleep);
    loop->timers.root = NULL;
    loop->metrics = (struct vts_metrics){0};
    loop->buffers.write_len = 0;
    (void)pthread_mutex_init(&loop->lock, NULL); /* cannot fail on Linux */
    vts_list_init(&loop->posts);
    loop->posts_count = 0;
    *ret_loop = loop;
    return VTS_OK;
}

void vts_loop_free(struct vts_loop *loop)
{
    if (loop == NULL)
        return;
    uv_close((uv_handle_t *)&loop->wakeup, NULL);
    uv_close((uv_handle_t *)&loop->alarm, NULL);
    uv_close((uv_handle_t *)&loop->before_sleep, NULL);
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* lets the closing finish */
    VTS_ASSERT(uv_loop_close(&loop->uv) == 0);
    free_posts(&loop->posts);
    (void)pthread_mutex_destroy(&loop->lock);
    vts_mem_free(loop);
}

void vts_loop_run(struct vts_loop *loop)
{
    (void)uv_run(&loop->uv, UV_RUN_DEFAULT); /* the result tells of handles left, as is usual */
}

void vts_loop_stop(struct vts_loop *loop)
{
    uv_stop(&loop->uv);
}

enum vts_err vts_loop_post(struct vts_loop *loop, vts_loop_fn fn, void *context)
{
    enum vts_err err = VTS_OK;
    struct post *post = vts_mem_alloc(sizeof(*post));

    if (post == NULL)
        return VTS_ERR_NOMEM;
    post->fn = fn;
    post->context = context;
    pthread_mutex_lock(&loop->lock);
    if (loop->posts_count < POSTS_MAX) {
        vts_list_push_back(&loop->posts, &post->link);
        loop->posts_count++;
    } else {
        err = VTS_ERR_LIMIT;
    }
    pthread_mutex_unlock(&loop->lock);
    if (err != VTS_OK) {
        vts_mem_free(post);
        return err;
    }
    (void)uv_async_send(&loop->wakeup); /* fails only after closing */
    return VTS_OK;
}

int64_t vts_loop_now_ns(const struct vts_loop *loop)
{
    return (int64_t)uv_now(&loop->uv) * VTS_NS_PER_MS;
}

void vts_loop_timer_set(struct vts_loop *loop, struct vts_timer *timer, int64_t due_ns)
{
    vts_timer_heap_set(&loop->timers, timer, due_ns);
}

void vts_loop_timer_stop(struct vts_loop *loop, struct vts_timer *timer)
{
    vts_timer_heap_remove(&loop->timers, timer);
}

struct vts_metrics *vts_loop_metrics(struct vts_loop *loop)
{
    return &loop->metrics;
}

uv_loop_t *vts_loop_uv(struct vts_loop *loop)
{
    return &loop->uv;
}

struct vts_loop_buffers *vts_loop_buffers(struct vts_loop *loop)
{
    return &loop->buffers;
}
