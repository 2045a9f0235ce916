/* SPDX-License-Identifier: Apache-2.0 */
/* test_wait_memory.c - waits whose n-th allocation fails, for each n: they end, with the truth or
 * with VTS_CLIENT_NO_MEMORY, and leave nothing behind. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/mem.h"
#include "tests/integration/wait_bench.h"
#include "tests/support/suite.h"

static const char *const done_at_once[] = {"--simulate", "delay=0s,error_rate=0", NULL};

enum { MAX_ALLOCATIONS = 2000 };

/* Returns whether an allocation failed in it. */
static bool wait_with_failure(const struct vts_server_process *server, enum vts_wait_mode mode,
                              const char *const *names, size_t count, long n)
{
    struct vts_client *client = bench_connect(server);
    struct vts_status *statuses[3] = {NULL, NULL, NULL};
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};
    enum vts_client_code code;
    bool has_failed;

    vts_wait_options_init(&options);
    options.mode = mode;
    options.poll = bench_fast();
    options.deadline = 20;
    (void)vts_mem_fail_after(n); /* it was off */
    code = vts_wait_all(client, names, count, &options, statuses, &error);
    has_failed = vts_mem_fail_after(-1) != 0;
    if (code != VTS_CLIENT_OK && code != VTS_CLIENT_NO_MEMORY)
        CU_FAIL(error.text);
    if (!has_failed)
        CU_ASSERT_EQUAL(code, VTS_CLIENT_OK);
    for (size_t i = 0; i < count; i++) {
        if (code == VTS_CLIENT_OK)
            CU_ASSERT_PTR_NOT_NULL(statuses[i]);
        vts_status_free(statuses[i]);
    }
    vts_client_free(client);
    return has_failed;
}

static void test_wait_without_memory_ends(void)
{
    static struct bench_jobs jobs;
    struct vts_server_process *server = bench_start(done_at_once);
    struct vts_client *client = bench_connect(server);
    struct vts_status *statuses[3];

    bench_submit(client, &jobs, 3);
    CU_ASSERT_EQUAL_FATAL(vts_wait_all(client, jobs.names, 3, NULL, statuses, NULL), VTS_CLIENT_OK);
    for (size_t i = 0; i < 3; i++)
        vts_status_free(statuses[i]);
    vts_client_free(client);
    for (size_t i = 0; i < BENCH_MODES; i++)
        for (size_t count = 1; count <= 3; count += 2) {
            long n = 0;

            while (n < MAX_ALLOCATIONS &&
                   wait_with_failure(server, bench_modes[i], jobs.names, count, n))
                n++;
            CU_ASSERT_TRUE(n > 10 && n < MAX_ALLOCATIONS);
        }
    bench_stop(server);
}

static const struct vts_test tests[] = {
    {"test_wait_without_memory_ends", test_wait_without_memory_ends},
};

int main(void)
{
    return vts_test_run("test_wait_memory", tests, VTS_ARRAY_LEN(tests));
}
