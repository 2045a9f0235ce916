/* SPDX-License-Identifier: Apache-2.0 */
/* test_fault.c - each fault of the network or of TLS as a code and a line. */
#include <CUnit/CUnit.h>
#include <errno.h>
#include <string.h>

#include "client/src/fault.h"
#include "tests/support/suite.h"

static const struct vts_origin origin = {
    .is_tls = true, .host = "vt.example", .port = 5000, .text = "https://vt.example:5000"};

static void check(struct vts_fault fault, enum vts_client_code code, const char *words)
{
    struct vts_client_error error = {.http_code = 0};

    fault.detail = fault.detail != NULL ? fault.detail : "";
    CU_ASSERT_EQUAL(vts_fault_tell(&fault, &origin, &error), code);
    CU_ASSERT_EQUAL(error.code, code);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, fault.file != NULL ? fault.file : "vt.example"));
}

static void fault_of_the_network_names_the_reason(void)
{
    check((struct vts_fault){.kind = VTS_FAULT_RESOLVE}, VTS_CLIENT_RESOLVE, "cannot resolve");
    check((struct vts_fault){.kind = VTS_FAULT_CONNECT, .os_errno = ECONNREFUSED},
          VTS_CLIENT_CONNECT, "connection refused");
    check((struct vts_fault){.kind = VTS_FAULT_CONNECT, .os_errno = EHOSTUNREACH},
          VTS_CLIENT_CONNECT, "unreachable");
    check((struct vts_fault){.kind = VTS_FAULT_CONNECT_TIMEOUT, .timeout = 2.5}, VTS_CLIENT_TIMEOUT,
          "no connection within 2.5 s");
    check((struct vts_fault){.kind = VTS_FAULT_ANSWER_TIMEOUT, .timeout = 10}, VTS_CLIENT_TIMEOUT,
          "did not answer within 10 s");
    check((struct vts_fault){.kind = VTS_FAULT_BROKEN}, VTS_CLIENT_CONNECT, "broke off");
    check((struct vts_fault){.kind = VTS_FAULT_PINNED}, VTS_CLIENT_TLS, "not the pinned one");
    check((struct vts_fault){.kind = VTS_FAULT_PROXY, .detail = "response 403"}, VTS_CLIENT_CONNECT,
          "through the proxy: response 403");
    check((struct vts_fault){.kind = VTS_FAULT_TOO_LARGE}, VTS_CLIENT_UNDECODABLE, "too large");
    check((struct vts_fault){.kind = VTS_FAULT_MALFORMED}, VTS_CLIENT_UNDECODABLE,
          "does not speak HTTP");
    check((struct vts_fault){.kind = VTS_FAULT_OTHER, .detail = "odd"}, VTS_CLIENT_CONNECT, "odd");
}

static void fault_of_trust_names_the_check_that_failed(void)
{
    const struct vts_fault name = {
        .kind = VTS_FAULT_UNTRUSTED,
        .verify_result = 1,
        .detail = "SSL: no alternative certificate subject name matches target host name 'x'"};

    check((struct vts_fault){.kind = VTS_FAULT_UNTRUSTED, .verify_result = 20}, VTS_CLIENT_TLS,
          "certificate was issued by an authority that is not trusted");
    check((struct vts_fault){.kind = VTS_FAULT_UNTRUSTED, .verify_result = 10}, VTS_CLIENT_TLS,
          "certificate has expired");
    check((struct vts_fault){.kind = VTS_FAULT_UNTRUSTED, .verify_result = 9}, VTS_CLIENT_TLS,
          "certificate is not valid yet");
    check((struct vts_fault){.kind = VTS_FAULT_UNTRUSTED, .verify_result = 77, .detail = "odd"},
          VTS_CLIENT_TLS, "odd");
    check(name, VTS_CLIENT_TLS, "certificate is for another name");
}

static void fault_of_the_handshake_says_what_it_means(void)
{
    const struct {
        const char *detail;
        const char *words;
    } rows[] = {
        {"error:0A00045C:SSL routines::tlsv13 alert certificate required",
         "wants a client certificate"},
        {"error:0A000418:SSL routines::tlsv1 alert unknown ca", "does not trust the authority"},
        {"error:0A00010B:SSL routines::wrong version number", "does not speak TLS"},
        {"error:0A00042E:SSL routines::tlsv1 alert protocol version", "1.2 or newer"},
        {"something new", "something new"},
        {"", "handshake failed"},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        check((struct vts_fault){.kind = VTS_FAULT_HANDSHAKE, .detail = rows[i].detail},
              VTS_CLIENT_TLS, rows[i].words);
}

static void fault_of_a_file_names_it(void)
{
    check((struct vts_fault){.kind = VTS_FAULT_CA_FILE, .file = "ca.pem"}, VTS_CLIENT_TLS,
          "no CA certificates");
    check((struct vts_fault){.kind = VTS_FAULT_CA_FILE}, VTS_CLIENT_TLS, "not trusted here");
    check((struct vts_fault){.kind = VTS_FAULT_CLIENT_CERT,
                             .file = "client.pem",
                             .detail = "bad key"},
          VTS_CLIENT_TLS, "bad key");
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"fault_of_the_network_names_the_reason", fault_of_the_network_names_the_reason},
        {"fault_of_trust_names_the_check_that_failed", fault_of_trust_names_the_check_that_failed},
        {"fault_of_the_handshake_says_what_it_means", fault_of_the_handshake_says_what_it_means},
        {"fault_of_a_file_names_it", fault_of_a_file_names_it},
    };

    return vts_test_run("fault", tests, VTS_ARRAY_LEN(tests));
}
