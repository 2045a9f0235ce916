/* SPDX-License-Identifier: Apache-2.0 */
/* test_wait_memory.c - waits whose n-th allocation fails, for each n: they end, with the truth or
 * with VTS_CLIENT_NO_MEMORY, and leave nothing behind. */
#include <CUnit/CUnit.h>
#include <semaphore.h>

#include "common/base/mem.h"
#include "tests/integration/wait_bench.h"
#include "tests/support/suite.h"

static const char *const done_at_once[] = {"--simulate", "delay=0s,error_rate=0", NULL};

enum { MAX_ALLOCATIONS = 2000 };

/* A wait, and how it ends with enough memory. */
struct trial {
    struct vts_client *(*connect)(const struct vts_server_process *server);
    const char *const *names;
    size_t count;
    vts_wait_fn on_event;
    enum vts_client_code code;
};

static bool follow(const struct vts_wait_event *event, void *context)
{
    (void)event;
    (void)context;
    return true;
}

/* Whoever asks there hears that nobody listens. */
static struct vts_client *connect_to_nobody(const struct vts_server_process *server)
{
    struct vts_client_options options;
    struct vts_client *client = NULL;

    (void)server;
    vts_client_options_init(&options);
    options.url = "https://127.0.0.1:1";
    CU_ASSERT_EQUAL_FATAL(vts_client_new(&options, &client, NULL), VTS_CLIENT_OK);
    return client;
}

/* Returns whether an allocation failed in it. */
static bool wait_with_failure(const struct vts_server_process *server, const struct trial *trial,
                              enum vts_wait_mode mode, long n)
{
    struct vts_client *client = trial->connect(server);
    struct vts_status *statuses[3] = {NULL, NULL, NULL};
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};
    enum vts_client_code code;
    bool has_failed;

    vts_wait_options_init(&options);
    options.mode = mode;
    options.poll = bench_fast();
    options.deadline = 20;
    options.max_failures = 2;
    options.on_event = trial->on_event;
    (void)vts_mem_fail_after(n); /* it was off */
    code = vts_wait_all(client, trial->names, trial->count, &options, statuses, &error);
    has_failed = vts_mem_fail_after(-1) != 0;
    if (code != trial->code && code != VTS_CLIENT_NO_MEMORY)
        CU_FAIL(error.text);
    if (!has_failed)
        CU_ASSERT_EQUAL(code, trial->code);
    for (size_t i = 0; i < trial->count; i++) {
        if (code == VTS_CLIENT_OK)
            CU_ASSERT_PTR_NOT_NULL(statuses[i]);
        vts_status_free(statuses[i]);
    }
    vts_client_free(client);
    return has_failed;
}

static void play(const struct vts_server_process *server, const struct trial *trial)
{
    for (size_t i = 0; i < BENCH_MODES; i++) {
        long n = 0;

        while (n < MAX_ALLOCATIONS && wait_with_failure(server, trial, bench_modes[i], n))
            n++;
        CU_ASSERT_TRUE(n > 10 && n < MAX_ALLOCATIONS);
    }
}

/* A server whose jobs, of that many, are done. */
static struct vts_server_process *start_with_done(struct bench_jobs *jobs, size_t count)
{
    struct vts_server_process *server = bench_start(done_at_once);
    struct vts_client *client = bench_connect(server);

    bench_submit(client, jobs, count);
    CU_ASSERT_EQUAL_FATAL(vts_wait_all(client, jobs->names, count, NULL, NULL, NULL),
                          VTS_CLIENT_OK);
    vts_client_free(client);
    return server;
}

static void test_wait_without_memory_ends(void)
{
    static struct bench_jobs jobs;
    struct vts_server_process *server = start_with_done(&jobs, 3);
    const struct trial one = {bench_connect, jobs.names, 1, NULL, VTS_CLIENT_OK};
    const struct trial many = {bench_connect, jobs.names, 3, follow, VTS_CLIENT_OK};

    play(server, &one);
    play(server, &many);
    bench_stop(server);
}

static void test_wait_that_fails_without_memory_ends(void)
{
    static struct bench_jobs jobs;
    static const char *const strangers[] = {"job-0", "nobody", "job-1"};
    struct vts_server_process *server = start_with_done(&jobs, 2);
    const struct trial unknown = {bench_connect, strangers, 3, follow, VTS_CLIENT_NOT_FOUND};
    const struct trial refused = {connect_to_nobody, strangers, 3, follow, VTS_CLIENT_CONNECT};

    play(server, &unknown);
    play(server, &refused);
    bench_stop(server);
}

/* ---- in the background ----------------------------------------------------------------------- */

struct background {
    struct vts_wait_thread *thread;
    sem_t told;
    unsigned refused; /* that were told as given up */
};

/* From the first news on the thread has no memory, until it has told so. */
static bool run_out(const struct vts_wait_event *event, void *context)
{
    struct background *background = context;

    if (event->error != NULL && event->is_final) {
        (void)vts_mem_fail_after(-1); /* that it failed is what is told here */
        background->refused++;
        CU_ASSERT_EQUAL(event->error->code, VTS_CLIENT_NO_MEMORY);
        CU_ASSERT_STRING_EQUAL(event->job_id, "late");
        CU_ASSERT_PTR_EQUAL(event->data, context);
        CU_ASSERT_EQUAL(event->rung, VTS_WAIT_WATCH);
    } else {
        (void)vts_mem_fail_after(0); /* as above */
    }
    (void)sem_post(&background->told);
    return true;
}

static void test_wait_thread_without_memory_goes_on(void)
{
    struct vts_server_process *server = bench_start(bench_at_rest);
    struct vts_client *client = bench_connect(server);
    struct background background = {.refused = 0};
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};

    (void)sem_init(&background.told, 0, 0);
    vts_wait_options_init(&options);
    options.mode = VTS_WAIT_WATCH;
    options.on_event = run_out;
    options.context = &background;
    CU_ASSERT_EQUAL_FATAL(vts_wait_thread_start(client, &options, &background.thread, &error),
                          VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, NULL, 0, NULL, &error), VTS_CLIENT_OK);
    (void)sem_wait(&background.told);
    CU_ASSERT_EQUAL(vts_wait_thread_add(background.thread, "late", 0, &background, &error),
                    VTS_CLIENT_OK);
    (void)sem_wait(&background.told);
    CU_ASSERT_EQUAL(background.refused, 1);
    CU_ASSERT_EQUAL(vts_wait_thread_remove(background.thread, "default", &error), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_wait_thread_drain(background.thread, &error), VTS_CLIENT_OK);
    vts_wait_thread_free(background.thread);
    (void)sem_destroy(&background.told);
    vts_client_free(client);
    bench_stop(server);
}

static const struct vts_test tests[] = {
    {"test_wait_thread_without_memory_goes_on", test_wait_thread_without_memory_goes_on},
    {"test_wait_without_memory_ends", test_wait_without_memory_ends},
    {"test_wait_that_fails_without_memory_ends", test_wait_that_fails_without_memory_ends},
};

int main(void)
{
    return vts_test_run("test_wait_memory", tests, VTS_ARRAY_LEN(tests));
}
