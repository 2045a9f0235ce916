/* SPDX-License-Identifier: Apache-2.0 */
/* test_rpc_error.c - every code of gRPC, and answers that are no error of the Connect protocol. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "client/src/rpc_error.h"
#include "tests/support/suite.h"

static const struct vts_origin origin = {.text = "https://vt.example:5000"};
static struct vts_client_error error;

static void check(const char *word, enum vts_client_code code, int rpc_code)
{
    struct vts_error_body body = {.message = "the server's words"};

    memcpy(body.code_word, word, strlen(word) + 1);
    error = (struct vts_client_error){.http_code = 499};
    CU_ASSERT_EQUAL(vts_rpc_error_tell(&origin, NULL, 499, &body, &error), code);
    CU_ASSERT_EQUAL(error.code, code);
    CU_ASSERT_EQUAL(error.rpc_code, rpc_code);
    CU_ASSERT_EQUAL(error.http_code, 499);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "the server's words"));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, origin.text));
    CU_ASSERT_STRING_EQUAL(error.reason, "");
}

static void rpc_error_maps_each_code(void)
{
    check("canceled", VTS_CLIENT_REFUSED, 1);
    check("unknown", VTS_CLIENT_REFUSED, 2);
    check("invalid_argument", VTS_CLIENT_USAGE, 3);
    check("deadline_exceeded", VTS_CLIENT_TIMEOUT, 4);
    check("not_found", VTS_CLIENT_NOT_FOUND, 5);
    check("already_exists", VTS_CLIENT_CONFLICT, 6);
    check("permission_denied", VTS_CLIENT_DENIED, 7);
    check("resource_exhausted", VTS_CLIENT_UNAVAILABLE, 8);
    check("failed_precondition", VTS_CLIENT_CONFLICT, 9);
    check("aborted", VTS_CLIENT_CONFLICT, 10);
    check("out_of_range", VTS_CLIENT_USAGE, 11);
    check("unimplemented", VTS_CLIENT_REFUSED, 12);
    check("internal", VTS_CLIENT_REFUSED, 13);
    check("unavailable", VTS_CLIENT_UNAVAILABLE, 14);
    check("data_loss", VTS_CLIENT_REFUSED, 15);
    check("unauthenticated", VTS_CLIENT_DENIED, 16);
    check("of_a_newer_server", VTS_CLIENT_REFUSED, 2);
    check("ok", VTS_CLIENT_REFUSED, 2);
}

static void rpc_error_names_the_job(void)
{
    const struct vts_error_body gone = {.code_word = "not_found", .message = "x"};
    const struct vts_error_body lost = {
        .code_word = "aborted", .message = "it ran out", .reason = "LEASE_LOST"};

    CU_ASSERT_EQUAL(vts_rpc_error_tell(&origin, "j-7", 404, &gone, &error), VTS_CLIENT_NOT_FOUND);
    CU_ASSERT_STRING_EQUAL(error.text, "https://vt.example:5000 knows no job 'j-7'");
    CU_ASSERT_EQUAL(vts_rpc_error_tell(&origin, "j-7", 409, &lost, &error), VTS_CLIENT_LEASE_LOST);
    CU_ASSERT_STRING_EQUAL(error.text, "the lease of job 'j-7' is lost: it ran out");
    CU_ASSERT_STRING_EQUAL(error.reason, "LEASE_LOST");
}

static void rpc_error_does_without_a_message(void)
{
    const struct vts_error_body body = {.code_word = "unavailable"};

    CU_ASSERT_EQUAL(vts_rpc_error_tell(&origin, NULL, 503, &body, &error), VTS_CLIENT_UNAVAILABLE);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "cannot serve now: unavailable"));
}

static void check_http(int http_code, enum vts_client_code code)
{
    CU_ASSERT_EQUAL(vts_rpc_error_tell(&origin, "j", http_code, NULL, &error), code);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "is that the right server?"));
}

static void rpc_error_goes_by_http_without_a_body(void)
{
    check_http(400, VTS_CLIENT_REFUSED);
    check_http(401, VTS_CLIENT_DENIED);
    check_http(403, VTS_CLIENT_DENIED);
    /* Some other server's 404 says nothing of a job. */
    check_http(404, VTS_CLIENT_REFUSED);
    check_http(429, VTS_CLIENT_UNAVAILABLE);
    check_http(500, VTS_CLIENT_REFUSED);
    check_http(502, VTS_CLIENT_UNAVAILABLE);
    check_http(302, VTS_CLIENT_REFUSED);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"rpc_error_maps_each_code", rpc_error_maps_each_code},
        {"rpc_error_names_the_job", rpc_error_names_the_job},
        {"rpc_error_does_without_a_message", rpc_error_does_without_a_message},
        {"rpc_error_goes_by_http_without_a_body", rpc_error_goes_by_http_without_a_body},
    };

    return vts_test_run("rpc_error", tests, VTS_ARRAY_LEN(tests));
}
