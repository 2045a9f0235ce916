/* SPDX-License-Identifier: Apache-2.0 */
/* test_wait.c - waiting against a real server: each rung, one job and many, in calls that block, in
 * a loop of one's own, in the background.
 *
 * What the library did is read off the server's log and the client's own counters. Tests use the
 * public headers alone, as any program would.
 */
#include <CUnit/CUnit.h>
#include <pthread.h>
#include <semaphore.h>
#include <string.h>

#include "tests/integration/wait_bench.h"
#include "tests/support/suite.h"

/* What was told, and whether it may be told so. */
struct story {
    unsigned events;
    unsigned failures; /* that may pass */
    unsigned finals;
    uint64_t revision;
    bool is_ordered; /* each revision is newer than the last */
    enum vts_wait_mode rung;
    unsigned stop_after;         /* events; 0: never */
    struct vts_client *client;   /* NULL, or which to cancel then */
    struct bench_driven *driven; /* goes on with each event; or NULL */
};

static bool follow(const struct vts_wait_event *event, void *context)
{
    struct story *story = context;

    story->events++;
    story->finals += event->is_final;
    story->failures += event->error != NULL && !event->is_final;
    if (event->status != NULL) {
        if (vts_status_revision(event->status) <= story->revision)
            story->is_ordered = false;
        story->revision = vts_status_revision(event->status);
        if (story->driven != NULL && !event->is_final)
            bench_drive_on(story->driven);
    }
    story->rung = event->rung;
    if (story->events == story->stop_after && story->client != NULL)
        vts_client_cancel(story->client);
    return story->events != story->stop_after || story->client != NULL;
}

/* ---- one job --------------------------------------------------------------------------------- */

static void expect_end(struct vts_client *client, enum vts_wait_mode mode, struct story *story)
{
    struct vts_wait_options options;
    struct vts_client_error error;
    struct vts_status *status = NULL;

    vts_wait_options_init(&options);
    options.mode = mode;
    options.poll = bench_fast();
    options.on_event = story != NULL ? follow : NULL;
    options.context = story;
    CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, &error), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_TRUE(vts_status_is_done(status));
    CU_ASSERT_STRING_EQUAL(vts_status_word(status), "completed");
    vts_status_free(status);
}

static void test_wait_tells_each_revision_once(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_server_process *server = bench_start(NULL);
        struct vts_client *client = bench_connect(server);
        struct story story = {.is_ordered = true, .driven = bench_drive(server)};

        expect_end(client, bench_modes[i], &story);
        CU_ASSERT_TRUE(story.is_ordered);
        CU_ASSERT_EQUAL(story.events, 3);
        CU_ASSERT_EQUAL(story.finals, 1);
        CU_ASSERT_EQUAL(story.failures, 0);
        CU_ASSERT_EQUAL(story.rung,
                        bench_modes[i] == VTS_WAIT_AUTO ? VTS_WAIT_WATCH : bench_modes[i]);
        bench_drive_free(story.driven);
        vts_client_free(client);
        bench_stop(server);
    }
}

static void test_wait_takes_one_request(void)
{
    static const enum vts_wait_mode cheap[] = {VTS_WAIT_AUTO, VTS_WAIT_WATCH, VTS_WAIT_LONG_POLL};

    for (size_t i = 0; i < VTS_ARRAY_LEN(cheap); i++) {
        struct vts_server_process *server = bench_start(bench_soon_done);
        struct vts_client *client = bench_connect(server);
        struct vts_stats stats;

        expect_end(client, cheap[i], NULL);
        vts_client_stats(client, &stats);
        CU_ASSERT_EQUAL(stats.requests, 1);
        CU_ASSERT_EQUAL(stats.ends, 1);
        CU_ASSERT_EQUAL(stats.retries, 0);
        CU_ASSERT_TRUE(stats.bytes_in > 0);
        CU_ASSERT_TRUE(stats.last_delay < 10);
        CU_ASSERT_EQUAL(stats.last_delay, stats.max_delay);
        CU_ASSERT_EQUAL(stats.last_delay, stats.total_delay);
        CU_ASSERT_EQUAL(stats.rung, cheap[i] == VTS_WAIT_AUTO ? VTS_WAIT_WATCH : cheap[i]);
        vts_client_free(client);
        CU_ASSERT_TRUE(vts_server_process_stop(server));
        CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", NULL), 1);
        vts_server_process_free(server);
    }
}

static void test_wait_ends_at_its_deadline(void)
{
    struct vts_server_process *server = bench_start(bench_at_rest);

    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_client *client = bench_connect(server);
        struct vts_wait_options options;
        struct vts_client_error error;
        struct vts_status *status = NULL;

        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        /* Longer, when it was too short for a busy machine to see anything. */
        for (options.deadline = 0.3; status == NULL && options.deadline < 20; options.deadline *= 4)
            CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, &error), VTS_CLIENT_GAVE_UP);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "deadline"));
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "last seen pending"));
        CU_ASSERT_PTR_NOT_NULL_FATAL(status);
        CU_ASSERT_FALSE(vts_status_is_done(status));
        vts_status_free(status);
        vts_client_free(client);
    }
    bench_stop(server);
}

static void test_wait_refuses(void)
{
    struct vts_server_process *server = bench_start(bench_at_rest);
    struct vts_client *client = bench_connect(server);
    struct vts_wait_options options;
    struct vts_client_error error;
    struct vts_status *status = NULL;

    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct story story = {.is_ordered = true};

        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.on_event = follow;
        options.context = &story;
        CU_ASSERT_EQUAL(vts_wait(client, "nobody", &options, &status, &error),
                        VTS_CLIENT_NOT_FOUND);
        CU_ASSERT_EQUAL(story.finals, 1);
        CU_ASSERT_EQUAL(story.rung,
                        bench_modes[i] == VTS_WAIT_AUTO ? VTS_WAIT_WATCH : bench_modes[i]);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "'nobody'"));
        CU_ASSERT_PTR_NULL(status);
    }
    vts_wait_options_init(&options);
    CU_ASSERT_EQUAL(vts_wait(client, "no/id", NULL, &status, &error), VTS_CLIENT_USAGE);
    options.mode = (enum vts_wait_mode)4;
    CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, &error), VTS_CLIENT_USAGE);
    options.mode = VTS_WAIT_AUTO;
    options.max_failures = 0;
    CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, &error), VTS_CLIENT_USAGE);
    memset(&options, 0, sizeof(options));
    CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, &error), VTS_CLIENT_USAGE);
    vts_client_free(client);
    bench_stop(server);
}

static void test_wait_stops_when_told(void)
{
    struct vts_server_process *server = bench_start(bench_at_rest);
    struct vts_client *client = bench_connect(server);
    struct story story = {.is_ordered = true, .stop_after = 1};
    struct vts_wait_options options;
    struct vts_status *status = NULL;

    vts_wait_options_init(&options);
    options.on_event = follow;
    options.context = &story;
    CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, NULL), VTS_CLIENT_CANCELLED);
    CU_ASSERT_PTR_NOT_NULL(status);
    CU_ASSERT_EQUAL(story.events, 1);
    vts_status_free(status);
    vts_client_free(client);
    bench_stop(server);
}

/* Nothing more is told, though much more is known. */
static void test_wait_stops_when_cancelled_by_whom_it_tells(void)
{
    static struct bench_jobs many;

    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_server_process *server = bench_start(bench_at_rest);
        struct vts_client *client = bench_connect(server);
        struct story story = {.stop_after = 3};
        struct vts_wait_options options;

        bench_submit(client, &many, 20);
        story.client = client;
        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.on_event = follow;
        options.context = &story;
        CU_ASSERT_EQUAL(vts_wait_all(client, many.names, 20, &options, NULL, NULL),
                        VTS_CLIENT_CANCELLED);
        CU_ASSERT_EQUAL(story.events, 3);
        vts_client_free(client);
        bench_stop(server);
    }
}

/* ---- in another process ---------------------------------------------------------------------- */

/* Waits for the first status, and leaves. */
static char *leave_with_token(struct vts_client *client, uint64_t *ret_revision)
{
    struct story story = {.is_ordered = true, .stop_after = 1};
    struct vts_wait_options options;
    struct vts_status *status = NULL;
    char *token = NULL;

    vts_wait_options_init(&options);
    options.on_event = follow;
    options.context = &story;
    CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, NULL), VTS_CLIENT_CANCELLED);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    *ret_revision = vts_status_revision(status);
    CU_ASSERT_EQUAL_FATAL(vts_wait_token(client, status, &token, NULL), VTS_CLIENT_OK);
    vts_status_free(status);
    return token;
}

static void test_wait_resumes_by_token(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_server_process *server = bench_start(NULL);
        struct vts_client *first = bench_connect(server);
        struct vts_client *second = bench_connect(server);
        struct story story = {.is_ordered = true, .driven = bench_drive(server)};
        struct vts_wait_options options;
        struct vts_client_error error = {.text = ""};
        struct vts_status *status = NULL;
        char *token = leave_with_token(first, &story.revision);
        char *job_id = NULL;

        vts_client_free(first);
        CU_ASSERT_EQUAL(strspn(token,
                               "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                               "0123456789-_"),
                        strlen(token));
        CU_ASSERT_EQUAL(vts_wait_token_job(second, token, &job_id, &error), VTS_CLIENT_OK);
        CU_ASSERT_STRING_EQUAL(job_id, "default");
        vts_string_free(job_id);
        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.poll = bench_fast();
        options.on_event = follow;
        options.context = &story;
        bench_drive_on(story.driven);
        CU_ASSERT_EQUAL(
            vts_wait_resume(second, token, i == 0 ? "default" : NULL, &options, &status, &error),
            VTS_CLIENT_OK);
        CU_ASSERT_TRUE(story.is_ordered); /* nothing that the first one was told */
        CU_ASSERT_EQUAL(story.events, 2);
        CU_ASSERT_EQUAL(story.finals, 1);
        vts_status_free(status);
        /* The end is told again and again, whatever the token knows. */
        CU_ASSERT_EQUAL(vts_wait_resume(second, token, NULL, NULL, &status, &error), VTS_CLIENT_OK);
        vts_string_free(token);
        CU_ASSERT_EQUAL_FATAL(vts_wait_token(second, status, &token, &error), VTS_CLIENT_OK);
        vts_status_free(status);
        options.on_event = NULL;
        CU_ASSERT_EQUAL(vts_wait_resume(second, token, NULL, &options, &status, &error),
                        VTS_CLIENT_OK);
        CU_ASSERT_PTR_NOT_NULL(status);
        vts_status_free(status);
        vts_string_free(token);
        bench_drive_free(story.driven);
        vts_client_free(second);
        bench_stop(server);
    }
}

static void test_wait_refuses_tokens_of_others(void)
{
    struct vts_server_process *server = bench_start(bench_at_rest);
    struct vts_server_process *other_server = bench_start(bench_at_rest);
    struct vts_client *client = bench_connect(server);
    struct vts_client *other = bench_connect(other_server);
    struct vts_client_error error;
    struct vts_status *status = NULL;
    uint64_t revision = 0;
    char *token = leave_with_token(client, &revision);
    char *job_id = NULL;
    size_t len = strlen(token);

    CU_ASSERT_EQUAL(vts_wait_resume(other, token, NULL, NULL, &status, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "another server"));
    CU_ASSERT_EQUAL(vts_wait_resume(client, token, "late", NULL, &status, &error),
                    VTS_CLIENT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "'default'"));
    CU_ASSERT_EQUAL(vts_wait_resume(client, NULL, NULL, NULL, &status, &error), VTS_CLIENT_USAGE);
    for (size_t i = 0; i < len; i++) {
        char changed[600];

        memcpy(changed, token, len + 1);
        changed[i] = changed[i] == 'A' ? 'B' : 'A';
        CU_ASSERT_EQUAL(vts_wait_token_job(client, changed, &job_id, &error), VTS_CLIENT_USAGE);
        memcpy(changed, token, len + 1);
        changed[i] = '\0';
        CU_ASSERT_EQUAL(vts_wait_token_job(client, changed, &job_id, &error), VTS_CLIENT_USAGE);
    }
    vts_string_free(token);
    vts_client_free(client);
    vts_client_free(other);
    bench_stop(server);
    bench_stop(other_server);
}

/* ---- servers that go ------------------------------------------------------------------------- */

/* The server goes while somebody waits, and another one comes in its place. */
struct succession {
    struct vts_server_process *server;
    bool is_second;
};

static bool replace_at_first(const struct vts_wait_event *event, void *context)
{
    struct succession *succession = context;
    uint16_t port = vts_server_process_port(succession->server);

    if (event->status == NULL || succession->is_second)
        return true;
    vts_server_process_kill(succession->server);
    vts_server_process_free(succession->server);
    succession->server = bench_start_at(bench_soon_done, port);
    succession->is_second = true;
    return true;
}

static void test_wait_outlives_a_server(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct succession succession = {.server = bench_start(bench_at_rest)};
        struct vts_client *client = bench_connect(succession.server);
        struct vts_wait_options options;
        struct vts_client_error error = {.text = ""};
        struct vts_status *status = NULL;

        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.poll = bench_fast();
        options.on_event = replace_at_first;
        options.context = &succession;
        CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, &error), VTS_CLIENT_OK);
        CU_ASSERT_PTR_NOT_NULL_FATAL(status);
        CU_ASSERT_TRUE(vts_status_is_done(status));
        vts_status_free(status);
        vts_client_free(client);
        bench_stop(succession.server);
    }
}

/* The server is away for longer than a rung is stood upon, and comes back. */
struct absence {
    struct vts_server_process *server;
    const char *const *flags; /* of the one that comes back */
    uint16_t port;
    unsigned failures;
    enum vts_wait_mode last_rung;
};

static bool come_back_after_failures(const struct vts_wait_event *event, void *context)
{
    struct absence *absence = context;

    if (event->status != NULL)
        absence->last_rung = event->rung;
    if (event->error == NULL)
        return true;
    absence->failures++;
    if (absence->failures == 4)
        absence->server = bench_start_at(absence->flags, absence->port);
    return true;
}

/* Returns whether it did, before the job of the server that came back was done after delay. */
static bool climbs_back(const char *delay)
{
    const char *const flags[] = {"--simulate", delay, NULL};
    struct vts_server_process *first = bench_start(bench_at_rest);
    struct absence absence = {.port = vts_server_process_port(first), .flags = flags};
    struct vts_client *client = bench_connect(first);
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};
    struct vts_status *status = NULL;
    struct vts_stats stats;

    vts_server_process_kill(first);
    vts_server_process_free(first);
    vts_wait_options_init(&options);
    options.poll = bench_fast();
    options.max_failures = 9;
    options.on_event = come_back_after_failures;
    options.context = &absence;
    CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, &error), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_TRUE(vts_status_is_done(status));
    vts_client_stats(client, &stats);
    CU_ASSERT_TRUE(stats.falls >= 1);
    CU_ASSERT_TRUE(stats.retries >= 4);
    vts_status_free(status);
    vts_client_free(client);
    bench_stop(absence.server);
    return absence.last_rung == VTS_WAIT_WATCH && stats.climbs >= 1;
}

static void test_wait_climbs_back(void)
{
    CU_ASSERT_TRUE(climbs_back("delay=1s,error_rate=0") || climbs_back("delay=5s,error_rate=0") ||
                   climbs_back("delay=20s,error_rate=0"));
}

static void test_wait_gives_up_on_a_dead_server(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_server_process *server = bench_start(bench_at_rest);
        struct vts_client *client = bench_connect(server);
        struct story story = {.is_ordered = true};
        struct vts_wait_options options;
        struct vts_client_error error;
        struct vts_status *status = NULL;

        vts_server_process_kill(server);
        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.poll = bench_fast();
        options.max_failures = 3;
        options.on_event = follow;
        options.context = &story;
        CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, &error), VTS_CLIENT_CONNECT);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "3 tries in a row"));
        CU_ASSERT_EQUAL(story.failures, 2);
        CU_ASSERT_EQUAL(story.finals, 1);
        vts_client_free(client);
        vts_server_process_free(server);
    }
}

/* ---- many ------------------------------------------------------------------------------------ */

static void expect_all(enum vts_wait_mode mode, size_t count)
{
    static struct bench_jobs many;
    static struct vts_status *statuses[BENCH_MANY];
    struct vts_server_process *server = bench_start(bench_many_workers);
    struct vts_client *client = bench_connect(server);
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};
    size_t done = 0;

    bench_submit(client, &many, count);
    vts_wait_options_init(&options);
    options.mode = mode;
    options.poll = bench_fast();
    options.deadline = 60;
    CU_ASSERT_EQUAL(vts_wait_all(client, many.names, count, &options, statuses, &error),
                    VTS_CLIENT_OK);
    for (size_t i = 0; i < count; i++) {
        done += statuses[i] != NULL && vts_status_is_done(statuses[i]) &&
                strcmp(vts_status_job_id(statuses[i]), many.ids[i]) == 0;
        vts_status_free(statuses[i]);
    }
    CU_ASSERT_EQUAL(done, count);
    vts_client_free(client);
    bench_stop(server);
}

static void test_wait_all_by_streams(void)
{
    expect_all(VTS_WAIT_AUTO, BENCH_MANY);
}

static void test_wait_all_by_batches(void)
{
    expect_all(VTS_WAIT_POLL, BENCH_MANY);
}

static void test_wait_all_by_held_requests(void)
{
    expect_all(VTS_WAIT_LONG_POLL, VTS_WAIT_MAX_HELD);
}

/* One that is named twice is no more of them. */
static void test_wait_all_counts_each_job_once(void)
{
    static struct bench_jobs held;
    static struct vts_status *statuses[VTS_WAIT_MAX_HELD + 1];
    struct vts_server_process *server = bench_start(bench_many_workers);
    struct vts_client *client = bench_connect(server);
    struct vts_wait_options options;
    struct vts_client_error error = {.text = ""};

    bench_submit(client, &held, VTS_WAIT_MAX_HELD);
    held.names[VTS_WAIT_MAX_HELD] = held.names[0];
    vts_wait_options_init(&options);
    options.mode = VTS_WAIT_LONG_POLL;
    CU_ASSERT_EQUAL(
        vts_wait_all(client, held.names, VTS_WAIT_MAX_HELD + 1, &options, statuses, &error),
        VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL(statuses[0]);
    CU_ASSERT_PTR_EQUAL(statuses[0], statuses[VTS_WAIT_MAX_HELD]);
    for (size_t i = 0; i <= VTS_WAIT_MAX_HELD; i++)
        vts_status_free(statuses[i]);
    vts_client_free(client);
    bench_stop(server);
}

static void test_wait_all_goes_on_without_the_missing(void)
{
    static const char *const names[] = {"nobody", "default", "nothing"};
    static const char *const twice[] = {"default", ""};

    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_server_process *server = bench_start(bench_soon_done);
        struct vts_client *client = bench_connect(server);
        struct vts_status *statuses[3] = {NULL, NULL, NULL};
        struct vts_wait_options options;
        struct vts_client_error error;

        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.poll = bench_fast();
        CU_ASSERT_EQUAL(vts_wait_all(client, names, 3, &options, statuses, &error),
                        VTS_CLIENT_NOT_FOUND);
        CU_ASSERT_PTR_NULL(statuses[0]);
        CU_ASSERT_PTR_NULL(statuses[2]);
        CU_ASSERT_PTR_NOT_NULL_FATAL(statuses[1]);
        CU_ASSERT_TRUE(vts_status_is_done(statuses[1]));
        vts_status_free(statuses[1]);
        CU_ASSERT_EQUAL(vts_wait_all(client, twice, 2, &options, statuses, &error), VTS_CLIENT_OK);
        CU_ASSERT_PTR_NOT_NULL(statuses[0]);
        CU_ASSERT_PTR_EQUAL(statuses[0], statuses[1]);
        vts_status_free(statuses[0]);
        vts_status_free(statuses[1]);
        CU_ASSERT_EQUAL(vts_wait_all(client, twice, 0, &options, NULL, &error), VTS_CLIENT_USAGE);
        vts_client_free(client);
        bench_stop(server);
    }
}

static void test_wait_any_takes_the_first(void)
{
    static const char *const names[] = {"late", "nobody", "default"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_server_process *server = bench_start(bench_soon_done);
        struct vts_client *client = bench_connect(server);
        struct vts_wait_options options;
        struct vts_status *status = NULL;
        struct vts_client_error error;
        size_t index = 9;

        bench_submit_late(client);
        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.poll = bench_fast();
        CU_ASSERT_EQUAL(vts_wait_any(client, names, 3, &options, &index, &status, &error),
                        VTS_CLIENT_OK);
        CU_ASSERT_EQUAL(index, 2);
        CU_ASSERT_PTR_NOT_NULL_FATAL(status);
        CU_ASSERT_TRUE(vts_status_is_done(status));
        vts_status_free(status);
        CU_ASSERT_EQUAL(vts_wait_any(client, &names[1], 1, &options, &index, &status, &error),
                        VTS_CLIENT_NOT_FOUND);
        vts_client_free(client);
        bench_stop(server);
    }
}

static void *cancel_when_posted(void *context)
{
    struct vts_client *client = ((void **)context)[0];

    (void)sem_wait(((void **)context)[1]);
    vts_client_cancel(client);
    return NULL;
}

static bool post_first(const struct vts_wait_event *event, void *context)
{
    if (event->status != NULL)
        (void)sem_post(context);
    return true;
}

static void test_wait_can_be_cancelled(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(bench_modes); i++) {
        struct vts_server_process *server = bench_start(bench_at_rest);
        struct vts_client *client = bench_connect(server);
        struct vts_wait_options options;
        struct vts_status *status = NULL;
        sem_t told;
        void *both[2] = {client, &told};
        pthread_t thread;

        (void)sem_init(&told, 0, 0);
        CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, cancel_when_posted, both), 0);
        vts_wait_options_init(&options);
        options.mode = bench_modes[i];
        options.on_event = post_first;
        options.context = &told;
        CU_ASSERT_EQUAL(vts_wait(client, NULL, &options, &status, NULL), VTS_CLIENT_CANCELLED);
        (void)pthread_join(thread, NULL);
        (void)sem_destroy(&told);
        vts_status_free(status);
        vts_client_free(client);
        bench_stop(server);
    }
}

static const struct vts_test tests[] = {
    {"test_wait_tells_each_revision_once", test_wait_tells_each_revision_once},
    {"test_wait_takes_one_request", test_wait_takes_one_request},
    {"test_wait_ends_at_its_deadline", test_wait_ends_at_its_deadline},
    {"test_wait_refuses", test_wait_refuses},
    {"test_wait_stops_when_told", test_wait_stops_when_told},
    {"test_wait_stops_when_cancelled_by_whom_it_tells",
     test_wait_stops_when_cancelled_by_whom_it_tells},
    {"test_wait_resumes_by_token", test_wait_resumes_by_token},
    {"test_wait_refuses_tokens_of_others", test_wait_refuses_tokens_of_others},
    {"test_wait_outlives_a_server", test_wait_outlives_a_server},
    {"test_wait_climbs_back", test_wait_climbs_back},
    {"test_wait_gives_up_on_a_dead_server", test_wait_gives_up_on_a_dead_server},
    {"test_wait_all_by_streams", test_wait_all_by_streams},
    {"test_wait_all_by_batches", test_wait_all_by_batches},
    {"test_wait_all_by_held_requests", test_wait_all_by_held_requests},
    {"test_wait_all_counts_each_job_once", test_wait_all_counts_each_job_once},
    {"test_wait_all_goes_on_without_the_missing", test_wait_all_goes_on_without_the_missing},
    {"test_wait_any_takes_the_first", test_wait_any_takes_the_first},
    {"test_wait_can_be_cancelled", test_wait_can_be_cancelled},
};

int main(void)
{
    return vts_test_run("test_wait", tests, VTS_ARRAY_LEN(tests));
}
