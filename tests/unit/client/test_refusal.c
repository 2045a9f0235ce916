/* SPDX-License-Identifier: Apache-2.0 */
/* test_refusal.c - HTTP answers that are no success. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "client/src/client.h"
#include "tests/support/suite.h"

static const struct vts_origin origin = {.text = "https://vt.example:5000"};

static void check(const char *job_id, int http_code, const char *body, enum vts_client_code code,
                  const char *words)
{
    struct vts_client_error error = {.http_code = 0};
    struct vts_answer answer;

    vts_answer_init(&answer);
    answer.http_code = http_code;
    CU_ASSERT_EQUAL(vts_answer_add_body(&answer, vts_str_of(body)), VTS_OK);
    CU_ASSERT_EQUAL(vts_client_refusal(&origin, job_id, &answer, &error), code);
    CU_ASSERT_EQUAL(error.http_code, http_code);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, origin.text));
    vts_answer_fini(&answer);
}

static void refusal_maps_each_http_code(void)
{
    check("j", 401, "", VTS_CLIENT_DENIED, "HTTP 401");
    check("j", 403, "", VTS_CLIENT_DENIED, "does not allow");
    check("j", 429, "", VTS_CLIENT_UNAVAILABLE, "too often");
    check("j", 502, "", VTS_CLIENT_UNAVAILABLE, "HTTP 502");
    check("j", 503, "", VTS_CLIENT_UNAVAILABLE, "cannot serve now");
    check("j", 504, "", VTS_CLIENT_UNAVAILABLE, "HTTP 504");
    check("j", 400, "", VTS_CLIENT_REFUSED, "refused the request");
    check("j", 302, "", VTS_CLIENT_REFUSED, "redirects are not followed");
    check("j", 500, "", VTS_CLIENT_REFUSED, "failed");
}

static void refusal_of_an_unknown_job_names_it(void)
{
    check("j-7", 404, "{\"code\":\"not_found\",\"message\":\"no\"}", VTS_CLIENT_NOT_FOUND,
          "knows no job 'j-7'");
    check("j-7", 404, "<html>", VTS_CLIENT_NOT_FOUND, "is that the right server?");
    check(NULL, 404, "<html>", VTS_CLIENT_REFUSED, "HTTP 404");
}

static void refusal_tells_the_servers_own_words(void)
{
    check("j", 503, "{\"code\":\"unavailable\",\"message\":\"draining\"}", VTS_CLIENT_UNAVAILABLE,
          "HTTP 503: draining");
    check("j", 500, "{\"code\":\"internal\",\"message\":\"\\u001b[31m\"}", VTS_CLIENT_REFUSED,
          "HTTP 500: ?[31m");
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"refusal_maps_each_http_code", refusal_maps_each_http_code},
        {"refusal_of_an_unknown_job_names_it", refusal_of_an_unknown_job_names_it},
        {"refusal_tells_the_servers_own_words", refusal_tells_the_servers_own_words},
    };

    return vts_test_run("refusal", tests, VTS_ARRAY_LEN(tests));
}
