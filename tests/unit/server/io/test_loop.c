/* SPDX-License-Identifier: Apache-2.0 */
/* test_loop.c - posts and timers: where they run, when, and in which order. */
#include <CUnit/CUnit.h>
#include <pthread.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/io/loop.h"
#include "tests/support/suite.h"
#include "tests/unit/server/io/descriptors.h"

enum { THREADS = 4, POSTS = 500, POSTS_LIMIT = 65536 };

static struct vts_loop *make_loop(void)
{
    struct vts_loop *loop = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_loop_new(&loop), VTS_OK);
    return loop;
}

static void stop_loop(void *loop)
{
    vts_loop_stop(loop);
}

static void post(struct vts_loop *loop, vts_loop_fn fn, void *context)
{
    CU_ASSERT_EQUAL_FATAL(vts_loop_post(loop, fn, context), VTS_OK);
}

static void count_up(void *count)
{
    ++*(unsigned *)count;
}

/* ---- posts ------------------------------------------------------------------------------- */

struct crowd;

/* One of the threads that post. */
struct poster {
    struct crowd *crowd;
    unsigned ran;
    unsigned out_of_order;
    pthread_t thread;
    struct message {
        struct poster *poster;
        unsigned number;
    } messages[POSTS];
};

struct crowd {
    struct vts_loop *loop;
    pthread_t loop_thread;
    unsigned ran;
    unsigned elsewhere; /* how many did not run in the loop's thread */
    struct poster posters[THREADS];
};

static void on_message(void *context)
{
    struct message *message = context;
    struct poster *poster = message->poster;
    struct crowd *crowd = poster->crowd;

    poster->out_of_order += message->number != poster->ran++;
    crowd->elsewhere += !pthread_equal(pthread_self(), crowd->loop_thread);
    if (++crowd->ran == THREADS * POSTS)
        vts_loop_stop(crowd->loop);
}

static void *post_all(void *context)
{
    struct poster *poster = context;

    for (unsigned i = 0; i < POSTS; i++) {
        poster->messages[i] = (struct message){poster, i};
        while (vts_loop_post(poster->crowd->loop, on_message, &poster->messages[i]) != VTS_OK)
            continue;
    }
    return NULL;
}

static void posts_of_threads_run_in_order_in_the_loops_thread(void)
{
    static struct crowd crowd;

    crowd = (struct crowd){.loop = make_loop(), .loop_thread = pthread_self()};
    for (int i = 0; i < THREADS; i++) {
        crowd.posters[i].crowd = &crowd;
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&crowd.posters[i].thread, NULL, post_all, &crowd.posters[i]), 0);
    }
    vts_loop_run(crowd.loop);
    for (int i = 0; i < THREADS; i++) {
        CU_ASSERT_EQUAL_FATAL(pthread_join(crowd.posters[i].thread, NULL), 0);
        CU_ASSERT_EQUAL(crowd.posters[i].ran, POSTS);
        CU_ASSERT_EQUAL(crowd.posters[i].out_of_order, 0);
    }
    CU_ASSERT_EQUAL(crowd.elsewhere, 0);
    vts_loop_free(crowd.loop);
}

static void posts_up_to_the_limit_run_and_one_more_is_refused(void)
{
    struct vts_loop *loop = make_loop();
    unsigned count = 0;

    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < POSTS_LIMIT - 1; i++)
            post(loop, count_up, &count);
        post(loop, stop_loop, loop);
        CU_ASSERT_EQUAL(vts_loop_post(loop, count_up, &count), VTS_ERR_LIMIT);
        vts_loop_run(loop);
        CU_ASSERT_EQUAL(count, (unsigned)(round + 1) * (POSTS_LIMIT - 1));
    }
    vts_loop_free(loop);
}

static void posts_that_did_not_run_are_dropped_with_the_loop(void)
{
    struct vts_loop *loop = make_loop();
    unsigned count = 0;

    for (int i = 0; i < 10; i++)
        post(loop, count_up, &count);
    vts_loop_free(loop);
    CU_ASSERT_EQUAL(count, 0);
    vts_loop_free(NULL);
}

static void post_from_a_post_runs_later(void)
{
    struct vts_loop *loop = make_loop();
    unsigned count = 0;

    post(loop, stop_loop, loop);
    post(loop, count_up, &count); /* still in the turn that stops */
    vts_loop_run(loop);
    CU_ASSERT_EQUAL(count, 1);
    post(loop, stop_loop, loop);
    vts_loop_run(loop); /* it may run again */
    vts_loop_free(loop);
}

/* ---- timers ------------------------------------------------------------------------------ */

struct alarm {
    struct vts_timer timer;
    struct vts_loop *loop;
    struct alarm **rang; /* where the next one to ring writes itself */
    bool is_last;
    bool was_early;
};

static void on_alarm(void *context)
{
    struct alarm *alarm = context;

    alarm->was_early = vts_loop_now_ns(alarm->loop) < alarm->timer.due_ns;
    *alarm->rang = alarm;
    if (alarm->is_last)
        vts_loop_stop(alarm->loop);
}

static void timers_ring_in_order_and_not_early(void)
{
    static const int delays_ms[] = {5, 1, 9, 3, 7, 0, -100};
    struct alarm alarms[VTS_ARRAY_LEN(delays_ms)];
    struct alarm *order[VTS_ARRAY_LEN(delays_ms)] = {NULL};
    struct vts_loop *loop = make_loop();

    for (size_t i = 0; i < VTS_ARRAY_LEN(delays_ms); i++) {
        size_t place = 0;

        for (size_t j = 0; j < VTS_ARRAY_LEN(delays_ms); j++)
            place += delays_ms[j] < delays_ms[i];
        alarms[i] = (struct alarm){
            .loop = loop, .rang = &order[place], .is_last = place + 1 == VTS_ARRAY_LEN(delays_ms)};
        vts_timer_init(&alarms[i].timer, on_alarm, &alarms[i]);
        vts_loop_timer_set(loop, &alarms[i].timer,
                           vts_loop_now_ns(loop) + delays_ms[i] * (int64_t)VTS_NS_PER_MS);
    }
    vts_loop_run(loop);
    /* The last one stopped the loop, so those before it must have rung already. */
    for (size_t i = 0; i < VTS_ARRAY_LEN(delays_ms); i++) {
        CU_ASSERT_PTR_NOT_NULL(order[i]);
        CU_ASSERT_FALSE(alarms[i].was_early);
        CU_ASSERT_FALSE(alarms[i].timer.is_running);
    }
    vts_loop_free(loop);
}

static void timer_that_was_stopped_or_moved_rings_accordingly(void)
{
    struct vts_loop *loop = make_loop();
    int64_t now_ns = vts_loop_now_ns(loop);
    struct alarm *rang[3] = {NULL};
    struct alarm alarms[3];

    for (int i = 0; i < 3; i++) {
        alarms[i] = (struct alarm){.loop = loop, .rang = &rang[i], .is_last = i == 2};
        vts_timer_init(&alarms[i].timer, on_alarm, &alarms[i]);
        vts_loop_timer_set(loop, &alarms[i].timer, now_ns + VTS_NS_PER_MS);
    }
    vts_loop_timer_stop(loop, &alarms[0].timer);
    vts_loop_timer_set(loop, &alarms[1].timer, now_ns + INT64_C(3600) * VTS_NS_PER_S);
    vts_loop_run(loop);
    CU_ASSERT_PTR_NULL(rang[0]);
    CU_ASSERT_PTR_NULL(rang[1]);
    CU_ASSERT_PTR_EQUAL(rang[2], &alarms[2]);
    vts_loop_timer_stop(loop, &alarms[1].timer);
    vts_loop_free(loop);
}

struct metronome {
    struct vts_timer timer;
    struct vts_loop *loop;
    int left;
};

static void on_beat(void *context)
{
    struct metronome *metronome = context;

    if (--metronome->left == 0)
        vts_loop_stop(metronome->loop);
    else
        vts_loop_timer_set(metronome->loop, &metronome->timer,
                           vts_loop_now_ns(metronome->loop) + VTS_NS_PER_MS);
}

static void timer_may_set_itself_again(void)
{
    struct metronome metronome = {.loop = make_loop(), .left = 5};
    int64_t began_ns = vts_clock_now_ns();

    vts_timer_init(&metronome.timer, on_beat, &metronome);
    vts_loop_timer_set(metronome.loop, &metronome.timer, vts_loop_now_ns(metronome.loop));
    vts_loop_run(metronome.loop);
    CU_ASSERT_EQUAL(metronome.left, 0);
    CU_ASSERT(vts_clock_now_ns() - began_ns >= INT64_C(3) * VTS_NS_PER_MS);
    vts_loop_free(metronome.loop);
}

static void now_is_the_clocks_in_whole_milliseconds(void)
{
    int64_t before_ns = vts_clock_now_ns();
    struct vts_loop *loop = make_loop();
    int64_t now_ns = vts_loop_now_ns(loop);

    CU_ASSERT_EQUAL(now_ns % VTS_NS_PER_MS, 0);
    CU_ASSERT(now_ns > before_ns - INT64_C(10) * VTS_NS_PER_MS);
    CU_ASSERT(now_ns <= vts_clock_now_ns());
    vts_loop_free(loop);
}

/* ---- without memory or descriptors ------------------------------------------------------- */

static void loop_without_memory_fails(void)
{
    struct vts_loop *loop = NULL;

    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_loop_new(&loop), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_PTR_NULL(loop);
}

static void post_without_memory_fails(void)
{
    struct vts_loop *loop = make_loop();
    unsigned count = 0;

    (void)vts_mem_fail_after(0);
    CU_ASSERT_EQUAL(vts_loop_post(loop, count_up, &count), VTS_ERR_NOMEM);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    vts_loop_free(loop);
}

static void loop_without_descriptors_fails(void)
{
    struct vts_loop *loop = NULL;
    struct rlimit before;

    vts_loop_free(make_loop()); /* libuv opens some once a process and keeps them */
    before = descriptors_limit(0);
    CU_ASSERT_EQUAL(vts_loop_new(&loop), VTS_ERR_IO);
    descriptors_restore(&before);
    CU_ASSERT_PTR_NULL(loop);
    vts_loop_free(make_loop());
}

static const struct vts_test tests[] = {
    {"posts_of_threads_run_in_order_in_the_loops_thread",
     posts_of_threads_run_in_order_in_the_loops_thread},
    {"posts_up_to_the_limit_run_and_one_more_is_refused",
     posts_up_to_the_limit_run_and_one_more_is_refused},
    {"posts_that_did_not_run_are_dropped_with_the_loop",
     posts_that_did_not_run_are_dropped_with_the_loop},
    {"post_from_a_post_runs_later", post_from_a_post_runs_later},
    {"timers_ring_in_order_and_not_early", timers_ring_in_order_and_not_early},
    {"timer_that_was_stopped_or_moved_rings_accordingly",
     timer_that_was_stopped_or_moved_rings_accordingly},
    {"timer_may_set_itself_again", timer_may_set_itself_again},
    {"now_is_the_clocks_in_whole_milliseconds", now_is_the_clocks_in_whole_milliseconds},
    {"loop_without_memory_fails", loop_without_memory_fails},
    {"post_without_memory_fails", post_without_memory_fails},
    {"loop_without_descriptors_fails", loop_without_descriptors_fails},
};

int main(void)
{
    return vts_test_run("test_loop", tests, VTS_ARRAY_LEN(tests));
}
