/* SPDX-License-Identifier: Apache-2.0 */
/* test_poll_status.c - the library against a real server: reading and polling a status.
 *
 * What the library did is read off the server's log, which has a line for each request and one for
 * each connection. Tests use the public header alone, as any program would.
 */
#include <CUnit/CUnit.h>
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdlib.h>
#include <string.h>

#include <vtstatus/client.h>

#include "tests/integration/wait_bench.h"
#include "tests/support/server_process.h"
#include "tests/support/suite.h"

/* A day: its status rests for minutes at a time. */
static const char *const at_rest[] = {"--simulate", "delay=24h,error_rate=0", NULL};
static const char *const done_at_once[] = {"--simulate", "delay=0s,error_rate=0", NULL};
static const char *const soon_done[] = {"--simulate", "delay=1s,error_rate=0,seed=7", NULL};
static const char *const soon_failed[] = {"--simulate", "delay=1s,error_rate=1,seed=7", NULL};

static struct vts_server_process *start(const char *const *flags)
{
    struct vts_server_setup setup = {.flags = flags};
    struct vts_server_process *server = vts_server_process_start(&setup);

    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    return server;
}

static void stop(struct vts_server_process *server)
{
    CU_ASSERT_TRUE(vts_server_process_stop(server));
}

static struct vts_client *connect_to(const struct vts_server_process *server)
{
    struct vts_client_options options;
    struct vts_client *client = NULL;

    vts_client_options_init(&options);
    options.url = vts_server_process_url(server);
    options.ca_file = vts_test_path(vts_test_certs(), "ca.pem");
    CU_ASSERT_EQUAL(vts_client_new(&options, &client, NULL), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(client);
    return client;
}

/* Asks quickly, and by the schedule alone. */
static void set_fast(struct vts_poll_options *options)
{
    vts_poll_options_init(options);
    options->interval = 0.01;
    options->backoff_factor = 1;
    options->max_interval = 0.05;
    options->ignore_hints = true;
}

/* ---- polling to an end ----------------------------------------------------------------------- */

struct story {
    unsigned events;
    unsigned failures;
    unsigned changes;
    bool is_ordered; /* revisions and percents never fall, tries count up */
    uint64_t revision;
    double percent;
    double first_wait;
    double last_wait;
    unsigned stop_after;         /* events; 0: never */
    struct bench_driven *driven; /* goes on with each change; or NULL */
};

static bool follow(const struct vts_poll_event *event, void *context)
{
    struct story *story = context;

    story->events++;
    story->failures += event->error != NULL;
    story->changes += event->is_changed;
    if (event->tries != story->events)
        story->is_ordered = false;
    if (event->status != NULL) {
        if (vts_status_revision(event->status) < story->revision ||
            vts_status_percent(event->status) < story->percent)
            story->is_ordered = false;
        story->revision = vts_status_revision(event->status);
        story->percent = vts_status_percent(event->status);
    }
    if (story->events == 1)
        story->first_wait = event->next_poll;
    story->last_wait = event->next_poll;
    if (story->driven != NULL && event->is_changed && !vts_status_is_done(event->status))
        bench_drive_on(story->driven);
    return story->events != story->stop_after;
}

static void test_poll_status_success(void)
{
    struct vts_server_process *server = start(NULL);
    struct vts_client *client = connect_to(server);
    struct story story = {.is_ordered = true, .driven = bench_drive(server)};
    struct vts_poll_options options;
    struct vts_client_error error;
    struct vts_status *status = NULL;

    set_fast(&options);
    options.on_status = follow;
    options.context = &story;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, &error), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_STRING_EQUAL(vts_status_word(status), "completed");
    CU_ASSERT_STRING_EQUAL(vts_status_job_id(status), "default");
    CU_ASSERT_EQUAL(vts_status_state(status), VTS_STATE_SUCCEEDED);
    CU_ASSERT_TRUE(vts_status_is_done(status));
    CU_ASSERT_EQUAL(vts_status_percent(status), 100);
    CU_ASSERT_TRUE(vts_status_poll_after(status) < 0);
    CU_ASSERT_STRING_NOT_EQUAL(vts_status_output_uri(status), "");
    CU_ASSERT_TRUE(story.is_ordered);
    CU_ASSERT_EQUAL(story.changes, 3); /* waiting, at work, completed */
    CU_ASSERT_EQUAL(story.failures, 0);
    CU_ASSERT_TRUE(story.last_wait < 0);
    vts_status_free(status);
    bench_drive_free(story.driven);
    vts_client_free(client);
    stop(server);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", "\"/status"),
                    story.events);
    vts_server_process_free(server);
}

static void test_poll_status_immediate_completion(void)
{
    struct vts_server_process *server = start(done_at_once);
    struct vts_client *client = connect_to(server);
    struct story story = {.is_ordered = true};
    struct vts_poll_options options;
    struct vts_status *status = NULL;

    vts_poll_options_init(&options); /* with the default waits nothing may wait */
    options.on_status = follow;
    options.context = &story;
    CU_ASSERT_EQUAL(vts_poll_status(client, "default", &options, &status, NULL), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_EQUAL(vts_status_value(status), VTS_STATUS_COMPLETED);
    CU_ASSERT_EQUAL(story.events, 1);
    CU_ASSERT_TRUE(story.last_wait < 0);
    vts_status_free(status);
    vts_client_free(client);
    stop(server);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", NULL), 1);
    vts_server_process_free(server);
}

static void test_poll_status_timeout(void)
{
    struct vts_server_process *server = start(at_rest);
    struct vts_client *client = connect_to(server);
    struct vts_poll_options options;
    struct vts_client_error error;
    struct vts_status *status = NULL;

    set_fast(&options);
    options.max_retries = 2;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, &error), VTS_CLIENT_GAVE_UP);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_STRING_EQUAL(vts_status_word(status), "pending");
    CU_ASSERT_FALSE(vts_status_is_done(status));
    CU_ASSERT_EQUAL(error.code, VTS_CLIENT_GAVE_UP);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "3 tries"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "max_retries"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "pending"));
    vts_status_free(status);
    vts_client_free(client);
    stop(server);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", NULL), 3);
    vts_server_process_free(server);
}

/* A job that fails is an answer; a server that is gone is a failure. */
static void test_server_error_handling(void)
{
    struct vts_server_process *server = start(soon_failed);
    struct vts_client *client = connect_to(server);
    struct vts_poll_options options;
    struct vts_client_error error;
    struct vts_status *status = NULL;

    set_fast(&options);
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, &error), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_STRING_EQUAL(vts_status_word(status), "error");
    CU_ASSERT_EQUAL(vts_status_state(status), VTS_STATE_FAILED);
    CU_ASSERT_TRUE(vts_status_is_done(status));
    CU_ASSERT_NOT_EQUAL(vts_status_error_code(status), 0);
    CU_ASSERT_STRING_NOT_EQUAL(vts_status_error_message(status), "");
    CU_ASSERT_STRING_EQUAL(vts_status_output_uri(status), "");
    vts_status_free(status);
    vts_server_process_kill(server);

    options.max_failures = 2;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, &error), VTS_CLIENT_CONNECT);
    CU_ASSERT_PTR_NULL(status);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, vts_server_process_url(server)));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "2 of 2 tries"));
    vts_client_free(client);
    vts_server_process_free(server);
}

/* ---- what goes over the wire ----------------------------------------------------------------- */

static void poll_unchanged_sends_no_body(void)
{
    struct vts_server_process *server = start(at_rest);
    struct vts_client *client = connect_to(server);
    struct story story = {.is_ordered = true};
    struct vts_poll_options options;
    struct vts_status *status = NULL;
    unsigned whole;

    set_fast(&options);
    options.max_retries = 20;
    options.on_status = follow;
    options.context = &story;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, NULL), VTS_CLIENT_GAVE_UP);
    CU_ASSERT_EQUAL(story.events, 21);
    vts_status_free(status);
    vts_client_free(client);
    stop(server);
    whole = vts_server_process_count(server, "\"code\":200", NULL);
    CU_ASSERT_EQUAL(whole, story.changes); /* a body came exactly when something was new */
    CU_ASSERT_TRUE(whole <= 3);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"code\":304", NULL), 21 - whole);
    vts_server_process_free(server);
}

static void poll_keeps_one_connection(void)
{
    struct vts_server_process *server = start(at_rest);
    struct vts_client *client = connect_to(server);
    struct vts_poll_options options;
    struct vts_status *status = NULL;

    set_fast(&options);
    options.max_retries = 9;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, NULL), VTS_CLIENT_GAVE_UP);
    vts_status_free(status);
    CU_ASSERT_EQUAL(vts_check_health(client, NULL), VTS_CLIENT_OK);
    /* One of them is curl's own, which asks for the metrics. */
    CU_ASSERT_EQUAL(vts_server_process_metric(server, "vts_connections_total"), 2);
    vts_client_free(client);
    CU_ASSERT_TRUE(vts_server_process_wait(server, 1, "\"protocol\":\"h2\"", "\"requests\":11"));
    stop(server);
    vts_server_process_free(server);
}

static void get_unchanged_returns_the_same(void)
{
    struct vts_server_process *server = start(done_at_once);
    struct vts_client *client = connect_to(server);
    struct vts_status *first = NULL;
    struct vts_status *second = NULL;

    CU_ASSERT_EQUAL(vts_get_status(client, "", &first, NULL), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_get_status(client, "default", &second, NULL), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(first);
    CU_ASSERT_PTR_NOT_NULL_FATAL(second);
    CU_ASSERT_EQUAL(vts_status_revision(first), vts_status_revision(second));
    CU_ASSERT_STRING_EQUAL(vts_status_output_uri(first), vts_status_output_uri(second));
    vts_client_free(client); /* a status outlives its client */
    CU_ASSERT_TRUE(vts_status_is_done(second));
    vts_status_free(first);
    vts_status_free(second);
    stop(server);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"code\":304", NULL), 1);
    vts_server_process_free(server);
}

/* ---- hints, deadline, cancelling ------------------------------------------------------------- */

static double first_wait(struct vts_client *client, bool ignores_hints)
{
    struct story story = {.is_ordered = true, .stop_after = 1};
    struct vts_poll_options options;
    struct vts_status *status = NULL;

    vts_poll_options_init(&options);
    options.interval = 3;
    options.max_interval = 20;
    options.jitter = 0;
    options.ignore_hints = ignores_hints;
    options.on_status = follow;
    options.context = &story;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, NULL), VTS_CLIENT_CANCELLED);
    vts_status_free(status);
    return story.first_wait;
}

static bool is_still_unknown(const struct vts_poll_event *event, void *context)
{
    (void)context;
    return event->status == NULL || vts_status_percent(event->status) < 1;
}

/* Until there is enough progress for the server to reckon the end from. */
static void wait_for_progress(struct vts_client *client)
{
    struct vts_poll_options options;
    struct vts_status *status = NULL;

    set_fast(&options);
    options.on_status = is_still_unknown;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, NULL), VTS_CLIENT_CANCELLED);
    vts_status_free(status);
}

static void poll_hint_is_obeyed_within_bounds(void)
{
    static const char *const two_minutes[] = {"--simulate", "delay=2m,error_rate=0", NULL};
    static const char *const half_a_minute[] = {"--simulate", "delay=30s,error_rate=0", NULL};
    struct vts_server_process *server = start(two_minutes); /* its hint is 24 s to 30 s */
    struct vts_client *client = connect_to(server);

    wait_for_progress(client);
    CU_ASSERT_DOUBLE_EQUAL(first_wait(client, false), 20, 0.001);
    CU_ASSERT_DOUBLE_EQUAL(first_wait(client, true), 3, 0.001);
    vts_client_free(client);
    stop(server);
    vts_server_process_free(server);

    server = start(half_a_minute); /* its hint is half of what is left, or a bit less */
    client = connect_to(server);
    wait_for_progress(client);
    CU_ASSERT_DOUBLE_EQUAL(first_wait(client, false), 14, 6);
    vts_client_free(client);
    stop(server);
    vts_server_process_free(server);
}

static void poll_ends_at_deadline(void)
{
    struct vts_server_process *server = start(at_rest);
    struct vts_client *client = connect_to(server);
    struct vts_poll_options options;
    struct vts_client_error error;
    struct vts_status *status = NULL;

    vts_poll_options_init(&options); /* without the deadline it would wait a day */
    options.deadline = 0.3;
    /* Longer, when it was too short for a busy machine to see anything. */
    while (vts_poll_status(client, NULL, &options, &status, &error) != VTS_CLIENT_GAVE_UP &&
           options.deadline < 20)
        options.deadline *= 4;
    CU_ASSERT_EQUAL(error.code, VTS_CLIENT_GAVE_UP);
    CU_ASSERT_PTR_NOT_NULL(status);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "at the deadline"));
    vts_status_free(status);
    vts_client_free(client);
    stop(server);
    vts_server_process_free(server);
}

struct canceller {
    struct vts_client *client;
    sem_t is_waiting;
};

static bool tell_canceller(const struct vts_poll_event *event, void *context)
{
    struct canceller *canceller = context;

    return event->next_poll > 0 && sem_post(&canceller->is_waiting) == 0;
}

static void *cancel_when_waiting(void *context)
{
    struct canceller *canceller = context;

    while (sem_wait(&canceller->is_waiting) != 0)
        continue; /* interrupted */
    vts_client_cancel(canceller->client);
    return NULL;
}

static void poll_is_cancelled_from_another_thread(void)
{
    struct vts_server_process *server = start(at_rest);
    struct canceller canceller = {.client = connect_to(server)};
    struct vts_poll_options options;
    struct vts_status *status = NULL;
    pthread_t thread;

    CU_ASSERT_EQUAL_FATAL(sem_init(&canceller.is_waiting, 0, 0), 0);
    CU_ASSERT_EQUAL_FATAL(pthread_create(&thread, NULL, cancel_when_waiting, &canceller), 0);
    vts_poll_options_init(&options);
    options.interval = 3600; /* uncancelled, the test runs into its timeout */
    options.max_interval = 3600;
    options.on_status = tell_canceller;
    options.context = &canceller;
    CU_ASSERT_EQUAL(vts_poll_status(canceller.client, NULL, &options, &status, NULL),
                    VTS_CLIENT_CANCELLED);
    CU_ASSERT_PTR_NOT_NULL(status); /* the last one seen */
    CU_ASSERT_EQUAL(pthread_join(thread, NULL), 0);
    vts_status_free(status);
    status = NULL;
    CU_ASSERT_EQUAL(vts_get_status(canceller.client, NULL, &status, NULL), VTS_CLIENT_CANCELLED);
    CU_ASSERT_PTR_NULL(status);
    vts_client_free(canceller.client);
    (void)sem_destroy(&canceller.is_waiting);
    stop(server);
    vts_server_process_free(server);
}

/* ---- refusals -------------------------------------------------------------------------------- */

static void poll_unknown_job_fails_at_once(void)
{
    struct vts_server_process *server = start(at_rest);
    struct vts_client *client = connect_to(server);
    struct vts_client_error error;
    struct vts_status *status = NULL;

    CU_ASSERT_EQUAL(vts_poll_status(client, "no-such-job", NULL, &status, &error),
                    VTS_CLIENT_NOT_FOUND);
    CU_ASSERT_PTR_NULL(status);
    CU_ASSERT_EQUAL(error.http_code, 404);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no-such-job"));
    /* One refusal does not spoil the connection. */
    CU_ASSERT_EQUAL(vts_get_status(client, NULL, &status, NULL), VTS_CLIENT_OK);
    vts_status_free(status);
    vts_client_free(client);
    stop(server);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"connection ended\"", NULL), 1);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"code\":404", NULL), 1);
    vts_server_process_free(server);
}

static void poll_bad_job_id_asks_nobody(void)
{
    struct vts_server_process *server = start(at_rest);
    struct vts_client *client = connect_to(server);
    struct vts_status *status = NULL;

    CU_ASSERT_EQUAL(vts_poll_status(client, "../metrics", NULL, &status, NULL), VTS_CLIENT_USAGE);
    CU_ASSERT_PTR_NULL(status);
    vts_client_free(client);
    stop(server);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", NULL), 0);
    vts_server_process_free(server);
}

static void poll_dead_server_ends_after_max_failures(void)
{
    struct vts_server_process *server = start(at_rest);
    struct vts_client *client = connect_to(server);
    struct story story = {.is_ordered = true};
    struct vts_poll_options options;
    struct vts_client_error error;
    struct vts_status *status = NULL;

    vts_server_process_kill(server); /* nobody has its port any more */
    set_fast(&options);
    options.max_failures = 4;
    options.on_status = follow;
    options.context = &story;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, &error), VTS_CLIENT_CONNECT);
    CU_ASSERT_PTR_NULL(status);
    CU_ASSERT_EQUAL(story.events, 4);
    CU_ASSERT_EQUAL(story.failures, 4);
    CU_ASSERT_EQUAL(vts_check_health(client, &error), VTS_CLIENT_CONNECT);
    vts_client_free(client);
    vts_server_process_free(server);
}

/* ---- a server that comes back ---------------------------------------------------------------- */

struct restart {
    struct vts_server_process *old;
    struct vts_server_process *new;
    unsigned failures;
};

/* After the first answer the server is gone, after the first failure another has its port. */
static bool restart_server(const struct vts_poll_event *event, void *context)
{
    struct restart *restart = context;
    struct vts_server_setup setup = {.port = vts_server_process_port(restart->old),
                                     .flags = done_at_once};

    if (event->error == NULL) {
        vts_server_process_kill(restart->old);
        return true;
    }
    restart->failures++;
    if (restart->new == NULL)
        restart->new = vts_server_process_start(&setup);
    return restart->new != NULL;
}

static void poll_survives_a_crash(void)
{
    struct restart restart = {.old = start(at_rest)};
    struct vts_client *client = connect_to(restart.old);
    struct vts_poll_options options;
    struct vts_status *status = NULL;

    set_fast(&options);
    options.on_status = restart_server;
    options.context = &restart;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, NULL), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_EQUAL(vts_status_value(status), VTS_STATUS_COMPLETED);
    CU_ASSERT_TRUE(restart.failures >= 1);
    vts_status_free(status);
    vts_client_free(client);
    CU_ASSERT_PTR_NOT_NULL_FATAL(restart.new);
    stop(restart.new);
    vts_server_process_free(restart.old);
    vts_server_process_free(restart.new);
}

struct poller {
    pthread_t thread;
    struct vts_client *client;
    enum vts_client_code code;
    struct vts_status *status;
};

static void *poll_to_the_end(void *context)
{
    struct poller *poller = context;
    struct vts_poll_options options;

    set_fast(&options);
    options.interval = 0.05;
    options.max_failures = 1000;
    poller->code = vts_poll_status(poller->client, NULL, &options, &poller->status, NULL);
    return NULL;
}

/* The old server drains while it is being asked, so its GOAWAYs meet requests on their way. */
static void poll_survives_a_graceful_restart(void)
{
    struct vts_server_process *old = start(at_rest);
    struct poller poller = {.client = connect_to(old)};
    struct vts_server_setup setup = {.port = vts_server_process_port(old), .flags = done_at_once};
    struct vts_server_process *new;

    CU_ASSERT_EQUAL_FATAL(pthread_create(&poller.thread, NULL, poll_to_the_end, &poller), 0);
    CU_ASSERT_TRUE(vts_server_process_wait(old, 3, "\"msg\":\"request\"", NULL));
    stop(old);
    new = vts_server_process_start(&setup);
    CU_ASSERT_PTR_NOT_NULL(new);
    if (new == NULL)
        vts_client_cancel(poller.client);
    CU_ASSERT_EQUAL(pthread_join(poller.thread, NULL), 0);
    CU_ASSERT_EQUAL(poller.code, VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_server_process_count(old, "\"reason\":\"drain_ms\"", NULL), 0);
    vts_status_free(poller.status);
    vts_client_free(poller.client);
    vts_server_process_free(old);
    if (new != NULL)
        stop(new);
    vts_server_process_free(new);
}

static void clients_are_independent(void)
{
    struct vts_server_process *server = start(soon_done);
    struct poller pollers[8] = {{.client = NULL}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(pollers); i++)
        pollers[i].client = connect_to(server);
    for (size_t i = 0; i < VTS_ARRAY_LEN(pollers); i++)
        CU_ASSERT_EQUAL_FATAL(
            pthread_create(&pollers[i].thread, NULL, poll_to_the_end, &pollers[i]), 0);
    for (size_t i = 0; i < VTS_ARRAY_LEN(pollers); i++) {
        CU_ASSERT_EQUAL(pthread_join(pollers[i].thread, NULL), 0);
        CU_ASSERT_EQUAL(pollers[i].code, VTS_CLIENT_OK);
        CU_ASSERT_TRUE(pollers[i].code == VTS_CLIENT_OK && vts_status_is_done(pollers[i].status));
        vts_status_free(pollers[i].status);
        vts_client_free(pollers[i].client);
    }
    stop(server);
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"code\":5", NULL), 0);
    vts_server_process_free(server);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"test_poll_status_success", test_poll_status_success},
        {"test_poll_status_immediate_completion", test_poll_status_immediate_completion},
        {"test_poll_status_timeout", test_poll_status_timeout},
        {"test_server_error_handling", test_server_error_handling},
        {"poll_unchanged_sends_no_body", poll_unchanged_sends_no_body},
        {"poll_keeps_one_connection", poll_keeps_one_connection},
        {"get_unchanged_returns_the_same", get_unchanged_returns_the_same},
        {"poll_hint_is_obeyed_within_bounds", poll_hint_is_obeyed_within_bounds},
        {"poll_ends_at_deadline", poll_ends_at_deadline},
        {"poll_is_cancelled_from_another_thread", poll_is_cancelled_from_another_thread},
        {"poll_unknown_job_fails_at_once", poll_unknown_job_fails_at_once},
        {"poll_bad_job_id_asks_nobody", poll_bad_job_id_asks_nobody},
        {"poll_dead_server_ends_after_max_failures", poll_dead_server_ends_after_max_failures},
        {"poll_survives_a_crash", poll_survives_a_crash},
        {"poll_survives_a_graceful_restart", poll_survives_a_graceful_restart},
        {"clients_are_independent", clients_are_independent},
    };

    return vts_test_run("test_poll_status", tests, VTS_ARRAY_LEN(tests));
}
