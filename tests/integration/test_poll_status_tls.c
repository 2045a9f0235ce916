/* SPDX-License-Identifier: Apache-2.0 */
/* test_poll_status_tls.c - whom the library trusts, and whom the server does.
 *
 * A failure of trust does not pass, so polling ends with the first: each test sees one try.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include <vtstatus/client.h>

#include "tests/support/server_process.h"
#include "tests/support/suite.h"

static struct vts_server_process *start_with(const char *cert, const char *key,
                                             const char *client_ca)
{
    const char *flags[] = {"--simulate",  "delay=0s,error_rate=0",
                           "--limit",     "handshake_ms=60000",
                           "--client-ca", client_ca,
                           NULL};
    struct vts_server_setup setup = {.cert = cert, .key = key, .flags = flags};
    struct vts_server_process *server;

    if (client_ca == NULL)
        flags[4] = NULL;
    server = vts_server_process_start(&setup);
    CU_ASSERT_PTR_NOT_NULL_FATAL(server);
    return server;
}

static void stop(struct vts_server_process *server)
{
    CU_ASSERT_TRUE(vts_server_process_stop(server));
    vts_server_process_free(server);
}

static bool count_tries(const struct vts_poll_event *event, void *context)
{
    unsigned *tries = context;

    *tries = event->tries;
    return true;
}

/* Polls with these files; where that fails, it has to fail at the first try. */
static enum vts_client_code poll_with(const struct vts_server_process *server, const char *ca,
                                      const char *cert, const char *key,
                                      struct vts_client_error *ret_error)
{
    struct vts_client_options options;
    struct vts_poll_options poll_options;
    struct vts_client *client = NULL;
    struct vts_status *status = NULL;
    enum vts_client_code code;
    unsigned tries = 0;

    vts_client_options_init(&options);
    options.url = vts_server_process_url(server);
    options.ca_file = ca;
    options.cert_file = cert;
    options.key_file = key;
    options.connect_timeout = 60; /* a busy machine must not make a refusal pass */
    options.request_timeout = 60;
    CU_ASSERT_EQUAL(vts_client_new(&options, &client, ret_error), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NOT_NULL_FATAL(client);
    vts_poll_options_init(&poll_options);
    poll_options.on_status = count_tries;
    poll_options.context = &tries;
    code = vts_poll_status(client, NULL, &poll_options, &status, ret_error);
    CU_ASSERT_EQUAL(tries, 1);
    CU_ASSERT_EQUAL(status != NULL, code == VTS_CLIENT_OK);
    vts_status_free(status);
    vts_client_free(client);
    return code;
}

static void expect_refusal(const struct vts_server_process *server, const char *ca,
                           const char *word)
{
    struct vts_client_error error;

    CU_ASSERT_EQUAL(poll_with(server, ca, NULL, NULL, &error), VTS_CLIENT_TLS);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, word));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, vts_server_process_url(server)));
}

/* ---- the server's certificate ---------------------------------------------------------------- */

static void poll_unknown_ca_is_refused(void)
{
    struct vts_server_process *server = start_with(NULL, NULL, NULL);

    expect_refusal(server, vts_test_path(vts_test_other_certs(), "ca.pem"), "trusted");
    expect_refusal(server, NULL, "trusted"); /* nor does the system know it */
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", NULL), 0);
    stop(server);
}

static void poll_wrong_host_is_refused(void)
{
    const char *odd = vts_test_odd_certs();
    struct vts_server_process *server = start_with(vts_test_path(odd, "elsewhere.pem"),
                                                   vts_test_path(odd, "elsewhere-key.pem"), NULL);

    expect_refusal(server, vts_test_path(odd, "ca.pem"), "localhost");
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", NULL), 0);
    stop(server);
}

static void poll_rsa_certificate_is_fine(void)
{
    const char *odd = vts_test_odd_certs();
    struct vts_server_process *server =
        start_with(vts_test_path(odd, "rsa.pem"), vts_test_path(odd, "rsa-key.pem"), NULL);
    struct vts_client_error error;

    CU_ASSERT_EQUAL(poll_with(server, vts_test_path(odd, "ca.pem"), NULL, NULL, &error),
                    VTS_CLIENT_OK);
    stop(server);
}

/* ---- the client's certificate ---------------------------------------------------------------- */

static void poll_client_certificate_lets_in(void)
{
    const char *certs = vts_test_certs();
    const char *ca = vts_test_path(certs, "ca.pem");
    struct vts_server_process *server = start_with(NULL, NULL, ca);
    struct vts_client_error error;

    CU_ASSERT_EQUAL(poll_with(server, ca, vts_test_path(certs, "client.pem"),
                              vts_test_path(certs, "client-key.pem"), &error),
                    VTS_CLIENT_OK);
    stop(server);
}

static void poll_without_client_certificate_is_refused(void)
{
    const char *ca = vts_test_path(vts_test_certs(), "ca.pem");
    struct vts_server_process *server = start_with(NULL, NULL, ca);

    expect_refusal(server, ca, "certificate");
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", NULL), 0);
    stop(server);
}

/* name: of a certificate that must not get a client in. */
static void expect_client_refusal(const char *folder, const char *name, const char *client_ca)
{
    const char *ca = vts_test_path(vts_test_certs(), "ca.pem");
    struct vts_server_process *server = start_with(NULL, NULL, client_ca);
    struct vts_client_error error;
    char file[64];
    const char *cert;

    (void)snprintf(file, sizeof(file), "%s.pem", name);
    cert = vts_test_path(folder, file);
    (void)snprintf(file, sizeof(file), "%s-key.pem", name);
    CU_ASSERT_EQUAL(poll_with(server, ca, cert, vts_test_path(folder, file), &error),
                    VTS_CLIENT_TLS);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "certificate"));
    CU_ASSERT_EQUAL(vts_server_process_count(server, "\"msg\":\"request\"", NULL), 0);
    stop(server);
}

static void poll_client_certificate_of_another_ca_is_refused(void)
{
    expect_client_refusal(vts_test_other_certs(), "client",
                          vts_test_path(vts_test_certs(), "ca.pem"));
}

static void poll_expired_client_certificate_is_refused(void)
{
    const char *odd = vts_test_odd_certs();

    expect_client_refusal(odd, "client-expired", vts_test_path(odd, "ca.pem"));
}

static void poll_client_certificate_of_a_server_is_refused(void)
{
    const char *odd = vts_test_odd_certs();

    expect_client_refusal(odd, "client-as-server", vts_test_path(odd, "ca.pem"));
}

static void client_needs_files_that_can_be_read(void)
{
    const char *certs = vts_test_certs();
    struct vts_client_options options;
    struct vts_client_error error;
    struct vts_client *client = NULL;

    vts_client_options_init(&options);
    options.ca_file = vts_test_path(certs, "no-such-file.pem");
    CU_ASSERT_EQUAL(vts_client_new(&options, &client, &error), VTS_CLIENT_TLS);
    CU_ASSERT_PTR_NULL(client);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "no-such-file.pem"));
    options.ca_file = vts_test_path(certs, "ca.pem");
    options.cert_file = vts_test_path(certs, "client.pem");
    CU_ASSERT_EQUAL(vts_client_new(&options, &client, &error), VTS_CLIENT_USAGE);
    CU_ASSERT_PTR_NULL(client);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"poll_unknown_ca_is_refused", poll_unknown_ca_is_refused},
        {"poll_wrong_host_is_refused", poll_wrong_host_is_refused},
        {"poll_rsa_certificate_is_fine", poll_rsa_certificate_is_fine},
        {"poll_client_certificate_lets_in", poll_client_certificate_lets_in},
        {"poll_without_client_certificate_is_refused", poll_without_client_certificate_is_refused},
        {"poll_client_certificate_of_another_ca_is_refused",
         poll_client_certificate_of_another_ca_is_refused},
        {"poll_expired_client_certificate_is_refused", poll_expired_client_certificate_is_refused},
        {"poll_client_certificate_of_a_server_is_refused",
         poll_client_certificate_of_a_server_is_refused},
        {"client_needs_files_that_can_be_read", client_needs_files_that_can_be_read},
    };

    return vts_test_run("test_poll_status_tls", tests, VTS_ARRAY_LEN(tests));
}
