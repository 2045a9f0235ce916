/* SPDX-License-Identifier: Apache-2.0 */
/* test_client.c - a client's life, and the calls that end before a server is met. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include <vtstatus/call.h>
#include <vtstatus/jobs.h>
#include <vtstatus/wait.h>

#include "common/base/mem.h"
#include "tests/support/suite.h"

/* Nothing listens there; connecting is refused at once. */
static const char dead_url[] = "https://127.0.0.1:1";

static struct vts_client_error error;

static struct vts_client_options make_options(void)
{
    struct vts_client_options options;

    vts_client_options_init(&options);
    options.url = dead_url;
    return options;
}

static struct vts_client *make_client(void)
{
    struct vts_client_options options = make_options();
    struct vts_client *client = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_client_new(&options, &client, &error), VTS_CLIENT_OK);
    return client;
}

static void check_refused(const struct vts_client_options *options, enum vts_client_code code,
                          const char *words)
{
    struct vts_client *client = NULL;

    CU_ASSERT_EQUAL(vts_client_new(options, &client, &error), code);
    CU_ASSERT_PTR_NULL(client);
    CU_ASSERT_EQUAL(error.code, code);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    CU_ASSERT_EQUAL(vts_client_new(options, &client, NULL), code);
}

static bool refuse(const struct vts_http_request *request, void *context)
{
    char *seen = context;

    (void)snprintf(seen, 300, "%s %s", request->method, request->url);
    for (size_t i = 0; i < request->fields_count; i++) {
        size_t len = strlen(seen);

        (void)snprintf(seen + len, 300 - len, " [%s: %s]", request->fields[i].key,
                       request->fields[i].value);
    }
    CU_ASSERT_EQUAL(request->body == NULL, strcmp(request->method, "GET") == 0);
    if (request->body != NULL) {
        size_t len = strlen(seen);

        CU_ASSERT_EQUAL(strlen(request->body), request->body_len);
        (void)snprintf(seen + len, 300 - len, " %s", request->body);
    }
    CU_ASSERT(request->is_without_proxy);
    return false;
}

static void client_tells_of_requests_that_it_may_not_send(void)
{
    struct vts_client_options options = make_options();
    struct vts_client *client = NULL;
    struct vts_status *status = NULL;
    static const char delete_start[] =
        "POST https://127.0.0.1:1/vtstatus.v1.JobService/DeleteJob "
        "[Content-Type: application/json] [Connect-Protocol-Version: 1] [Connect-Timeout-Ms: ";
    char seen[300] = "";

    options.on_request = refuse;
    options.request_context = seen;
    CU_ASSERT_EQUAL_FATAL(vts_client_new(&options, &client, &error), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(vts_get_status(client, "a", &status, &error), VTS_CLIENT_CANCELLED);
    CU_ASSERT_STRING_EQUAL(seen, "GET https://127.0.0.1:1/status/a [Accept: application/json]");
    CU_ASSERT_EQUAL(vts_check_health(client, &error), VTS_CLIENT_CANCELLED);
    CU_ASSERT_STRING_EQUAL(seen, "GET https://127.0.0.1:1/healthz [Accept: */*]");
    CU_ASSERT_EQUAL(vts_delete_job(client, "a", NULL, &error), VTS_CLIENT_CANCELLED);
    /* In between is what is left of the time. */
    CU_ASSERT_EQUAL(strncmp(seen, delete_start, strlen(delete_start)), 0);
    CU_ASSERT_PTR_NOT_NULL(strstr(seen, "] {\"jobId\":\"a\"}"));
    CU_ASSERT_EQUAL(vts_call_json(client, "a.B/c", "{}", NULL, &error), VTS_CLIENT_CANCELLED);
    CU_ASSERT_STRING_EQUAL(seen,
                           "POST https://127.0.0.1:1/a.B/c [Content-Type: application/json] "
                           "[Connect-Protocol-Version: 1] [Connect-Timeout-Ms: 10000] {}");
    vts_client_free(client);
}

static void client_new_checks_its_options(void)
{
    struct vts_client_options options = make_options();

    options.url = "gopher://localhost";
    check_refused(&options, VTS_CLIENT_USAGE, "gopher://localhost");
    options = make_options();
    options.ca_file = "/no/such/file";
    check_refused(&options, VTS_CLIENT_TLS, "/no/such/file");
    options.ca_file = "/";
    check_refused(&options, VTS_CLIENT_TLS, "'/'");
    options.ca_file = "/dev/null";
    check_refused(&options, VTS_CLIENT_TLS, "empty");
    options = make_options();
    options.user_agent = "me\r\nX-Other: 1";
    check_refused(&options, VTS_CLIENT_USAGE, "user_agent");
    options = make_options();
    options.cert_file = "/no/such/cert";
    options.key_file = "/no/such/key";
    check_refused(&options, VTS_CLIENT_TLS, "/no/such/cert");
}

static void client_new_without_memory_fails_and_leaks_nothing(void)
{
    struct vts_client_options options = make_options();
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_client *client = NULL;
        enum vts_client_code code;

        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        code = vts_client_new(&options, &client, &error);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(code, has_failed ? VTS_CLIENT_NO_MEMORY : VTS_CLIENT_OK);
        vts_client_free(client);
        CU_ASSERT_FATAL(count < 100);
    }
}

static void calls_with_a_bad_job_id_ask_nobody(void)
{
    struct vts_client *client = make_client();
    struct vts_status *status = NULL;

    CU_ASSERT_EQUAL(vts_get_status(client, "a/b", &status, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "a/b"));
    CU_ASSERT_PTR_NULL(status);
    CU_ASSERT_EQUAL(vts_poll_status(client, "a b", NULL, &status, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_poll_status(client, "a b", NULL, &status, NULL), VTS_CLIENT_USAGE);
    vts_client_free(client);
}

static void calls_without_what_they_count_ask_nobody(void)
{
    static const struct vts_create_options *const nothing[] = {NULL};
    struct vts_client *client = make_client();
    struct vts_status *status = NULL;
    struct vts_job *job = NULL;
    struct vts_client_error own;
    size_t index = 0;

    CU_ASSERT_EQUAL(vts_wait_all(client, NULL, 2, NULL, NULL, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_wait_any(client, NULL, 2, NULL, &index, &status, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "not there"));
    CU_ASSERT_EQUAL(vts_create_jobs(client, NULL, 1, &job, &own, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "not there"));
    CU_ASSERT_EQUAL(vts_create_jobs(client, nothing, 1, &job, &own, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_create_job(client, NULL, &job, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_get_job(client, NULL, &job, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_call_json(client, NULL, NULL, NULL, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_wait_resume(client, NULL, NULL, NULL, &status, &error), VTS_CLIENT_USAGE);
    vts_client_free(client);
    CU_ASSERT_EQUAL(vts_client_new(NULL, &client, &error), VTS_CLIENT_USAGE);
}

static void calls_to_a_dead_port_are_refused(void)
{
    struct vts_client *client = make_client();
    struct vts_status *status = NULL;

    CU_ASSERT_EQUAL(vts_get_status(client, NULL, &status, &error), VTS_CLIENT_CONNECT);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "https://127.0.0.1:1: connection refused"));
    CU_ASSERT_EQUAL(error.http_code, 0);
    CU_ASSERT_PTR_NULL(status);
    CU_ASSERT_EQUAL(vts_get_status(client, "", &status, NULL), VTS_CLIENT_CONNECT);
    CU_ASSERT_EQUAL(vts_check_health(client, &error), VTS_CLIENT_CONNECT);
    CU_ASSERT_EQUAL(vts_check_health(client, NULL), VTS_CLIENT_CONNECT);
    vts_client_free(client);
}

static void poll_of_a_dead_port_tells_how_often_it_tried(void)
{
    struct vts_client *client = make_client();
    struct vts_poll_options options;
    struct vts_status *status = NULL;

    vts_poll_options_init(&options);
    options.interval = 0.001;
    options.max_failures = 3;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, &error), VTS_CLIENT_CONNECT);
    CU_ASSERT_PTR_NULL(status);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "3 of 3 tries failed"));
    vts_client_free(client);
}

static bool cancel_on_status(const struct vts_poll_event *event, void *context)
{
    CU_ASSERT(event->next_poll > 0);
    vts_client_cancel(context);
    return true;
}

static void client_cancelled_by_its_callback_ends_the_wait(void)
{
    struct vts_client *client = make_client();
    struct vts_poll_options options;
    struct vts_status *status = NULL;

    vts_poll_options_init(&options);
    options.interval = 1000; /* the test's own timeout would notice */
    options.jitter = 0;
    options.on_status = cancel_on_status;
    options.context = client;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &options, &status, &error), VTS_CLIENT_CANCELLED);
    CU_ASSERT_EQUAL(error.code, VTS_CLIENT_CANCELLED);
    /* And every later call. */
    CU_ASSERT_EQUAL(vts_get_status(client, NULL, &status, &error), VTS_CLIENT_CANCELLED);
    CU_ASSERT_EQUAL(vts_check_health(client, &error), VTS_CLIENT_CANCELLED);
    vts_client_free(client);
}

static void count_line(const char *text, void *context)
{
    CU_ASSERT_PTR_NULL(strchr(text, '\n'));
    ++*(unsigned *)context;
}

static void client_tells_its_log_what_it_does(void)
{
    struct vts_client_options options = make_options();
    struct vts_poll_options poll_options;
    struct vts_client *client = NULL;
    struct vts_status *status = NULL;
    unsigned lines = 0;

    options.on_log = count_line;
    options.log_context = &lines;
    CU_ASSERT_EQUAL_FATAL(vts_client_new(&options, &client, &error), VTS_CLIENT_OK);
    vts_poll_options_init(&poll_options);
    poll_options.interval = 0.001;
    poll_options.max_failures = 2;
    CU_ASSERT_EQUAL(vts_poll_status(client, NULL, &poll_options, &status, &error),
                    VTS_CLIENT_CONNECT);
    CU_ASSERT(lines >= 3);
    vts_client_free(client);
}

static void nothing_is_freed_without_harm(void)
{
    vts_client_free(NULL);
    vts_status_free(NULL);
    vts_string_free(NULL);
    CU_ASSERT(strlen(vts_version()) > 0);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"client_new_checks_its_options", client_new_checks_its_options},
        {"client_tells_of_requests_that_it_may_not_send",
         client_tells_of_requests_that_it_may_not_send},
        {"client_new_without_memory_fails_and_leaks_nothing",
         client_new_without_memory_fails_and_leaks_nothing},
        {"calls_with_a_bad_job_id_ask_nobody", calls_with_a_bad_job_id_ask_nobody},
        {"calls_without_what_they_count_ask_nobody", calls_without_what_they_count_ask_nobody},
        {"calls_to_a_dead_port_are_refused", calls_to_a_dead_port_are_refused},
        {"poll_of_a_dead_port_tells_how_often_it_tried",
         poll_of_a_dead_port_tells_how_often_it_tried},
        {"client_cancelled_by_its_callback_ends_the_wait",
         client_cancelled_by_its_callback_ends_the_wait},
        {"client_tells_its_log_what_it_does", client_tells_its_log_what_it_does},
        {"nothing_is_freed_without_harm", nothing_is_freed_without_harm},
    };

    return vts_test_run("client", tests, VTS_ARRAY_LEN(tests));
}
