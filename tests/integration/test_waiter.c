/* SPDX-License-Identifier: Apache-2.0 */
/* test_waiter.c - waits that do not block, in a loop of one's own, against a real server. */
#include <CUnit/CUnit.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "tests/integration/wait_bench.h"
#include "tests/support/suite.h"

static enum vts_client_code run_once(struct vts_waiter *waiter, struct vts_client_error *error)
{
    struct vts_waiter_fd fds[VTS_WAITER_MAX_FDS];
    struct pollfd polled[VTS_WAITER_MAX_FDS];
    size_t count = vts_waiter_fds(waiter, fds, VTS_WAITER_MAX_FDS);
    double timeout = vts_waiter_timeout(waiter);
    enum vts_client_code code = VTS_CLIENT_OK;
    int ready;

    for (size_t i = 0; i < count; i++)
        polled[i] = (struct pollfd){
            .fd = fds[i].fd,
            .events = (short)(((fds[i].events & VTS_WAIT_READ) != 0 ? POLLIN : 0) |
                              ((fds[i].events & VTS_WAIT_WRITE) != 0 ? POLLOUT : 0))};
    ready = poll(polled, (nfds_t)count, timeout < 0 ? -1 : (int)(timeout * 1000) + 1);
    if (ready <= 0)
        return vts_waiter_run(waiter, -1, 0, error);
    for (size_t i = 0; i < count && code == VTS_CLIENT_OK; i++)
        if (polled[i].revents != 0)
            code = vts_waiter_run(waiter, fds[i].fd,
                                  ((polled[i].revents & POLLIN) != 0 ? VTS_WAIT_READ : 0U) |
                                      ((polled[i].revents & POLLOUT) != 0 ? VTS_WAIT_WRITE : 0U),
                                  error);
    return code;
}

struct ends {
    struct vts_waiter *waiter;
    unsigned count;
    unsigned others; /* that were told of a job that had been removed */
    bool has_added;
};

static bool note_end(const struct vts_wait_event *event, void *context)
{
    struct ends *ends = context;

    if (event->job_id != NULL && strcmp(event->job_id, "late") == 0)
        ends->others++;
    ends->count += event->is_final && event->data == context ? 1 : 0;
    if (!ends->has_added) {
        ends->has_added = true;
        vts_waiter_remove(ends->waiter, "late");
        CU_ASSERT_EQUAL(vts_waiter_add(ends->waiter, "job-0", 0, context, NULL), VTS_CLIENT_OK);
        CU_ASSERT_EQUAL(vts_waiter_add(ends->waiter, "job-0", 0, context, NULL),
                        VTS_CLIENT_CONFLICT);
    }
    return true;
}

static void test_waiter_runs_in_a_loop_of_ones_own(void)
{
    static struct bench_jobs many;

    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_server_process *server = bench_start(bench_soon_done);
        struct vts_client *client = bench_connect(server);
        struct vts_wait_options options;
        struct vts_client_error error = {.text = ""};
        struct ends ends = {.count = 0};
        enum vts_client_code code = VTS_CLIENT_OK;

        bench_submit_late(client);
        bench_submit(client, &many, 1);
        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.poll = bench_fast();
        options.on_event = note_end;
        options.context = &ends;
        CU_ASSERT_EQUAL_FATAL(vts_waiter_new(client, &options, &ends.waiter, &error),
                              VTS_CLIENT_OK);
        CU_ASSERT_TRUE(vts_waiter_timeout(ends.waiter) < 0);
        CU_ASSERT_EQUAL(vts_waiter_add(ends.waiter, NULL, 0, &ends, &error), VTS_CLIENT_OK);
        CU_ASSERT_EQUAL(vts_waiter_add(ends.waiter, "late", 0, &ends, &error), VTS_CLIENT_OK);
        CU_ASSERT_EQUAL(vts_waiter_add(ends.waiter, "a b", 0, &ends, &error), VTS_CLIENT_USAGE);
        CU_ASSERT_EQUAL(vts_waiter_left(ends.waiter), 2);
        CU_ASSERT_EQUAL(vts_waiter_timeout(ends.waiter), 0);
        while (code == VTS_CLIENT_OK && vts_waiter_left(ends.waiter) > 0)
            code = run_once(ends.waiter, &error);
        CU_ASSERT_EQUAL(code, VTS_CLIENT_OK);
        CU_ASSERT_EQUAL(ends.count, 2);
        CU_ASSERT_TRUE(ends.others <= 1);
        vts_waiter_free(ends.waiter);
        vts_client_free(client);
        bench_stop(server);
    }
}

/* Far more jobs than there are streams, one by one, while the waiter runs. */
static void test_waiter_takes_jobs_one_by_one(void)
{
    static struct bench_jobs many;
    struct vts_server_process *server = bench_start(bench_many_workers);
    struct vts_client *client = bench_connect(server);
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};
    struct ends ends = {.has_added = true};
    enum vts_client_code code = VTS_CLIENT_OK;

    bench_submit(client, &many, 200);
    vts_wait_options_init(&options);
    options.on_event = note_end;
    options.context = &ends;
    CU_ASSERT_EQUAL_FATAL(vts_waiter_new(client, &options, &ends.waiter, &error), VTS_CLIENT_OK);
    for (size_t i = 0; i < 200 && code == VTS_CLIENT_OK; i++) {
        CU_ASSERT_EQUAL(vts_waiter_add(ends.waiter, many.names[i], 0, &ends, &error),
                        VTS_CLIENT_OK);
        code = vts_waiter_run(ends.waiter, -1, 0, &error);
    }
    while (code == VTS_CLIENT_OK && vts_waiter_left(ends.waiter) > 0)
        code = vts_waiter_wait(ends.waiter, 10, &error);
    CU_ASSERT_EQUAL(code, VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(ends.count, 200);
    vts_waiter_free(ends.waiter);
    vts_client_free(client);
    bench_stop(server);
}

/* A waiter that nobody runs any more leaves nothing behind. */
static void test_waiter_may_be_freed_at_any_time(void)
{
    struct vts_server_process *server = bench_start(bench_at_rest);
    struct vts_client *client = bench_connect(server);

    for (unsigned runs = 0; runs < 12; runs++) {
        struct vts_wait_options options;
        struct vts_waiter *waiter = NULL;

        vts_wait_options_init(&options);
        options.mode = bench_modes[runs % 4];
        options.poll = bench_fast();
        CU_ASSERT_EQUAL_FATAL(vts_waiter_new(client, &options, &waiter, NULL), VTS_CLIENT_OK);
        CU_ASSERT_EQUAL(vts_waiter_add(waiter, NULL, 0, NULL, NULL), VTS_CLIENT_OK);
        for (unsigned run = 0; run < runs; run++)
            CU_ASSERT_EQUAL(vts_waiter_wait(waiter, 0.02, NULL), VTS_CLIENT_OK);
        vts_waiter_remove(waiter, runs % 2 == 0 ? "default" : "nobody");
        vts_waiter_free(waiter);
    }
    vts_waiter_free(NULL);
    vts_client_free(client);
    bench_stop(server);
}

/* A job that is there already is no more of them. */
static void test_waiter_knows_its_jobs_when_it_is_full(void)
{
    static struct bench_jobs held;
    struct vts_server_process *server = bench_start(bench_at_rest);
    struct vts_client *client = bench_connect(server);
    struct vts_wait_options options;
    struct vts_waiter *waiter = NULL;
    struct vts_client_error error = {.text = ""};

    bench_submit(client, &held, VTS_WAIT_MAX_HELD);
    vts_wait_options_init(&options);
    options.mode = VTS_WAIT_LONG_POLL;
    CU_ASSERT_EQUAL_FATAL(vts_waiter_new(client, &options, &waiter, &error), VTS_CLIENT_OK);
    for (size_t i = 0; i < VTS_WAIT_MAX_HELD; i++)
        CU_ASSERT_EQUAL(vts_waiter_add(waiter, held.names[i], 0, NULL, &error), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_waiter_add(waiter, held.names[7], 0, NULL, &error), VTS_CLIENT_CONFLICT);
    CU_ASSERT_EQUAL(vts_waiter_add(waiter, NULL, 0, NULL, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_waiter_left(waiter), VTS_WAIT_MAX_HELD);
    vts_waiter_free(waiter);
    vts_client_free(client);
    bench_stop(server);
}

/* ---- in the background ----------------------------------------------------------------------- */

struct background {
    struct vts_wait_thread *thread;
    atomic_uint finals;
    atomic_uint wrong;
    bool adds_another; /* from within a callback */
};

static bool count_final(const struct vts_wait_event *event, void *context)
{
    struct background *background = context;

    if (event->job_id != NULL && event->data != context)
        background->wrong++;
    if (!event->is_final)
        return true;
    background->finals++;
    if (background->adds_another) {
        background->adds_another = false;
        CU_ASSERT_EQUAL(vts_wait_thread_add(background->thread, "default", 0, context, NULL),
                        VTS_CLIENT_OK);
    }
    return true;
}

static void test_wait_thread_tells_of_many(void)
{
    static struct bench_jobs many;
    struct vts_server_process *server = bench_start(bench_many_workers);
    struct vts_client *client = bench_connect(server);
    struct background background = {.adds_another = true};
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};

    vts_wait_options_init(&options);
    options.on_event = count_final;
    options.context = &background;
    CU_ASSERT_EQUAL_FATAL(vts_wait_thread_start(client, &options, &background.thread, &error),
                          VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_drain(background.thread, &error), VTS_CLIENT_OK);
    /* The client is used on, by this thread, while that one waits. */
    bench_submit(client, &many, 300);
    for (size_t i = 0; i < 300; i++)
        CU_ASSERT_EQUAL(
            vts_wait_thread_add(background.thread, many.names[i], 0, &background, &error),
            VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, "a/b", 0, NULL, &error),
                    VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_wait_thread_drain(background.thread, &error), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(background.finals, 301);
    CU_ASSERT_EQUAL(background.wrong, 0);
    vts_wait_thread_free(background.thread);
    vts_client_free(client);
    bench_stop(server);
}

static void test_wait_thread_ends(void)
{
    struct vts_server_process *server = bench_start(bench_at_rest);
    struct vts_client *client = bench_connect(server);
    struct background background = {.finals = 0};
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};

    vts_wait_options_init(&options);
    options.on_event = count_final;
    options.context = &background;
    /* Freed while it waits. */
    CU_ASSERT_EQUAL_FATAL(vts_wait_thread_start(client, &options, &background.thread, &error),
                          VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, NULL, 0, &background, &error),
                    VTS_CLIENT_OK);
    vts_wait_thread_free(background.thread);
    /* By a removal; by its deadline; by the client's cancelling. */
    CU_ASSERT_EQUAL_FATAL(vts_wait_thread_start(client, &options, &background.thread, &error),
                          VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, NULL, 0, &background, &error),
                    VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_remove(background.thread, "default", &error), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_drain(background.thread, &error), VTS_CLIENT_OK);
    vts_wait_thread_free(background.thread);
    options.deadline = 1;
    CU_ASSERT_EQUAL_FATAL(vts_wait_thread_start(client, &options, &background.thread, &error),
                          VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, NULL, 0, &background, &error),
                    VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_drain(background.thread, &error), VTS_CLIENT_GAVE_UP);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, NULL, 0, &background, &error),
                    VTS_CLIENT_GAVE_UP);
    vts_wait_thread_free(background.thread);
    options.deadline = 0;
    CU_ASSERT_EQUAL_FATAL(vts_wait_thread_start(client, &options, &background.thread, &error),
                          VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, NULL, 0, &background, &error),
                    VTS_CLIENT_OK);
    vts_client_cancel(client);
    CU_ASSERT_EQUAL(vts_wait_thread_drain(background.thread, &error), VTS_CLIENT_CANCELLED);
    vts_wait_thread_free(background.thread);
    vts_wait_thread_free(NULL);
    options.max_failures = 0;
    CU_ASSERT_EQUAL(vts_wait_thread_start(client, &options, &background.thread, &error),
                    VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(background.finals, 0);
    vts_client_free(client);
    bench_stop(server);
}

/* As many as the server may hold requests for; the next one is refused, and ends nothing. */
static void test_wait_thread_refuses_what_is_too_much(void)
{
    static struct bench_jobs held;
    struct vts_server_process *server = bench_start(bench_at_rest);
    struct vts_client *client = bench_connect(server);
    struct background background = {.adds_another = true};
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};

    bench_submit(client, &held, VTS_WAIT_MAX_HELD);
    vts_wait_options_init(&options);
    options.mode = VTS_WAIT_LONG_POLL;
    options.deadline = 60;
    options.on_event = count_final;
    options.context = &background;
    CU_ASSERT_EQUAL_FATAL(vts_wait_thread_start(client, &options, &background.thread, &error),
                          VTS_CLIENT_OK);
    for (size_t i = 0; i < VTS_WAIT_MAX_HELD; i++)
        CU_ASSERT_EQUAL(
            vts_wait_thread_add(background.thread, held.names[i], 0, &background, &error),
            VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, NULL, 0, &background, &error),
                    VTS_CLIENT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "at most 48 jobs"));
    /* The first end makes room for one more, which is added when it is told. */
    for (size_t i = 0; i < VTS_WAIT_MAX_HELD; i++)
        CU_ASSERT_EQUAL(vts_cancel_job(client, held.names[i], NULL, NULL, &error), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_cancel_job(client, "default", NULL, NULL, &error), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_drain(background.thread, &error), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(background.finals, VTS_WAIT_MAX_HELD + 1);
    vts_wait_thread_free(background.thread);
    vts_client_free(client);
    bench_stop(server);
}

/* ---- what is asked for ----------------------------------------------------------------------- */

static bool note_until(const struct vts_http_request *request, void *context)
{
    static const char until[] = "\"WAIT_UNTIL_DONE\"";
    bool *asks_for_ends = context;

    *asks_for_ends = memmem(request->body, request->body_len, until, sizeof(until) - 1) != NULL;
    return false; /* nobody is there to send it to */
}

static void test_waiter_asks_for_the_ends_of_many_alone(void)
{
    static const struct {
        size_t count;
        bool asks_for_ends;
    } rows[] = {{2, false}, {64, false}, {65, true}};
    static struct bench_jobs many;
    struct vts_client_options options;
    struct vts_client *client = NULL;
    bool asks_for_ends;

    for (size_t i = 0; i < BENCH_MANY; i++) {
        (void)snprintf(many.ids[i], sizeof(many.ids[i]), "job-%zu", i);
        many.names[i] = many.ids[i];
    }
    vts_client_options_init(&options);
    options.on_request = note_until;
    options.request_context = &asks_for_ends;
    CU_ASSERT_EQUAL_FATAL(vts_client_new(&options, &client, NULL), VTS_CLIENT_OK);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        asks_for_ends = !rows[i].asks_for_ends;
        CU_ASSERT_EQUAL(vts_wait_all(client, many.names, rows[i].count, NULL, NULL, NULL),
                        VTS_CLIENT_CANCELLED);
        CU_ASSERT_EQUAL(asks_for_ends, rows[i].asks_for_ends);
    }
    vts_client_free(client);
}

static const struct vts_test tests[] = {
    {"test_waiter_asks_for_the_ends_of_many_alone", test_waiter_asks_for_the_ends_of_many_alone},
    {"test_waiter_runs_in_a_loop_of_ones_own", test_waiter_runs_in_a_loop_of_ones_own},
    {"test_waiter_takes_jobs_one_by_one", test_waiter_takes_jobs_one_by_one},
    {"test_waiter_may_be_freed_at_any_time", test_waiter_may_be_freed_at_any_time},
    {"test_waiter_knows_its_jobs_when_it_is_full", test_waiter_knows_its_jobs_when_it_is_full},
    {"test_wait_thread_tells_of_many", test_wait_thread_tells_of_many},
    {"test_wait_thread_ends", test_wait_thread_ends},
    {"test_wait_thread_refuses_what_is_too_much", test_wait_thread_refuses_what_is_too_much},
};

int main(void)
{
    return vts_test_run("test_waiter", tests, VTS_ARRAY_LEN(tests));
}
