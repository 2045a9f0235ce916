/* SPDX-License-Identifier: Apache-2.0 */
/* test_wait_outage.c - a server is away for two tries while many are waited for: what fails
 * together is one try, however many requests were under way. */
#include <CUnit/CUnit.h>
#include <stdio.h>

#include "common/base/macros.h"
#include "tests/integration/wait_bench.h"
#include "tests/support/scratch.h"

enum { TRIES_AWAY = 2, TRIES_MAX = 8 };

struct outage {
    struct vts_server_process *server;
    uint16_t port;
    const char *store;
    size_t jobs_count;
    size_t seen;
    unsigned failures;
};

static void start(struct outage *outage, const char *workers)
{
    const char *const flags[] = {"--store", outage->store,           "--simulate", workers,
                                 "--limit", "poll_after_max_ms=200", NULL};

    outage->server = bench_start_at(flags, outage->port);
    outage->port = vts_server_process_port(outage->server);
}

static void kill_server(struct outage *outage)
{
    vts_server_process_kill(outage->server);
    vts_server_process_free(outage->server);
    outage->server = NULL;
}

static bool follow(const struct vts_wait_event *event, void *context)
{
    struct outage *outage = context;

    if (event->status != NULL && outage->failures == 0 && ++outage->seen == outage->jobs_count)
        kill_server(outage);
    if (event->error == NULL)
        return true;
    CU_ASSERT_FALSE(event->is_final);
    outage->failures++;
    if (outage->failures == TRIES_AWAY)
        start(outage, "workers=300,delay=0s,error_rate=0");
    return true;
}

/* store is the name of a file, each case's own. */
static void expect_patience(enum vts_wait_mode mode, size_t count, const char *store)
{
    static struct bench_jobs many;
    struct outage outage = {.jobs_count = count};
    struct vts_poll_options schedule = *bench_fast();
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};
    struct vts_client *client;
    char path[128];

    (void)snprintf(path, sizeof(path), "sqlite:%s", vts_scratch_path(store));
    outage.store = path;
    start(&outage, "workers=1,delay=24h");
    client = bench_connect(outage.server);
    bench_submit(client, &many, count);
    vts_wait_options_init(&options);
    options.mode = mode;
    schedule.jitter = 0; /* from one try to the next it takes all of the time */
    options.poll = &schedule;
    options.max_failures = TRIES_MAX;
    options.deadline = 60;
    options.on_event = follow;
    options.context = &outage;
    CU_ASSERT_EQUAL(vts_wait_all(client, many.names, count, &options, NULL, &error), VTS_CLIENT_OK);
    CU_ASSERT_STRING_EQUAL(error.text, "");
    CU_ASSERT(outage.failures >= TRIES_AWAY);
    vts_client_free(client);
    bench_stop(outage.server);
}

static void test_outage_of_streams(void)
{
    expect_patience(VTS_WAIT_AUTO, 10, "streams");
}

static void test_outage_of_held_requests(void)
{
    expect_patience(VTS_WAIT_LONG_POLL, 40, "held");
}

static void test_outage_of_batches(void)
{
    expect_patience(VTS_WAIT_POLL, 200, "batches");
}

static const struct vts_test tests[] = {
    {"test_outage_of_streams", test_outage_of_streams},
    {"test_outage_of_held_requests", test_outage_of_held_requests},
    {"test_outage_of_batches", test_outage_of_batches},
};

int main(void)
{
    return vts_scratch_run("test_wait_outage", tests, VTS_ARRAY_LEN(tests));
}
