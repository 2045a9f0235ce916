/* SPDX-License-Identifier: Apache-2.0 */
/* test_origin.c - URLs that name a server, and all the others. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "client/src/origin.h"
#include "tests/support/suite.h"

static void check_good(const char *url, const char *host, unsigned port, bool is_loopback)
{
    struct vts_origin origin;
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL_FATAL(vts_origin_parse(url, &origin, &error), VTS_OK);
    CU_ASSERT_STRING_EQUAL(origin.host, host);
    CU_ASSERT_EQUAL(origin.port, port);
    CU_ASSERT_EQUAL(origin.is_loopback, is_loopback);
}

static void check_bad(const char *url, const char *reason)
{
    struct vts_origin origin = {.port = 77};
    struct vts_error error = {.text = ""};

    CU_ASSERT_EQUAL(vts_origin_parse(url, &origin, &error), VTS_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, reason));
    CU_ASSERT_EQUAL(origin.port, 77);
}

static void origin_takes_host_and_port(void)
{
    check_good("https://localhost:5000", "localhost", 5000, true);
    check_good("https://vt.example.com", "vt.example.com", 443, false);
    check_good("https://vt.example.com/", "vt.example.com", 443, false);
    check_good("HTTPS://VT.example.com:65535/", "VT.example.com", 65535, false);
    check_good("https://[::1]:5000", "::1", 5000, true);
    check_good("https://[2001:db8::1]", "2001:db8::1", 443, false);
    check_good("https://127.0.0.1:1", "127.0.0.1", 1, true);
}

static void origin_text_is_the_url_in_full(void)
{
    struct vts_origin origin;

    CU_ASSERT_EQUAL_FATAL(vts_origin_parse("https://[::1]/", &origin, NULL), VTS_OK);
    CU_ASSERT_STRING_EQUAL(origin.text, "https://[::1]:443");
    CU_ASSERT_EQUAL_FATAL(vts_origin_parse("https://a.b", &origin, NULL), VTS_OK);
    CU_ASSERT_STRING_EQUAL(origin.text, "https://a.b:443");
}

static void origin_takes_cleartext_on_loopback_only(void)
{
    check_good("http://localhost:5000", "localhost", 5000, true);
    check_good("http://127.1.2.3", "127.1.2.3", 80, true);
    check_good("http://[::1]", "::1", 80, true);
    check_bad("http://example.com", "no encryption");
    check_bad("http://128.0.0.1", "no encryption");
    check_bad("http://127.example.com", "no encryption");
    check_bad("http://127.0.0.1.example.com", "no encryption");
    check_bad("http://127.0.0.1.1", "no encryption");
    check_bad("http://localhost.example.com", "no encryption");
}

static void origin_refuses_other_schemes(void)
{
    check_bad("", "must start with https://");
    check_bad("localhost:5000", "must start with https://");
    check_bad("ftp://localhost", "must start with https://");
    check_bad("file:///etc/passwd", "must start with https://");
    check_bad("https:/localhost", "must start with https://");
}

static void origin_refuses_what_it_would_not_use(void)
{
    const char *const urls[] = {"https://",           "https:///",          "https://a:b@host",
                                "https://user@host",  "https://host/path",  "https://host?x=1",
                                "https://host#x",     "https://host:",      "https://host:0",
                                "https://host:65536", "https://host:12x",   "https://ho st",
                                "https://host:-1",    "https://[::1",       "https://[]:5000",
                                "https://[::1]x",     "https://[a@b]:5000", "https://ho\nst",
                                "https://ho%20st",    "https://host//",     "https://h\xc3\xb6st"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(urls); i++)
        check_bad(urls[i], "must be of the form");
}

static void origin_refuses_a_host_that_is_too_long(void)
{
    char url[600] = "https://";

    memset(url + strlen(url), 'a', 500);
    check_bad(url, "must be of the form");
}

static void job_id_has_unreserved_characters_only(void)
{
    char longest[130];

    CU_ASSERT(vts_job_id_is_valid("default"));
    CU_ASSERT(vts_job_id_is_valid("A-z.0_9~"));
    CU_ASSERT(vts_job_id_is_valid(".."));
    CU_ASSERT(!vts_job_id_is_valid(""));
    CU_ASSERT(!vts_job_id_is_valid("a b"));
    CU_ASSERT(!vts_job_id_is_valid("a/b"));
    CU_ASSERT(!vts_job_id_is_valid("a%2fb"));
    CU_ASSERT(!vts_job_id_is_valid("a\xc3\xa9"));
    memset(longest, 'a', sizeof(longest));
    longest[128] = '\0';
    CU_ASSERT(vts_job_id_is_valid(longest));
    longest[128] = 'a';
    longest[129] = '\0';
    CU_ASSERT(!vts_job_id_is_valid(longest));
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"origin_takes_host_and_port", origin_takes_host_and_port},
        {"origin_text_is_the_url_in_full", origin_text_is_the_url_in_full},
        {"origin_takes_cleartext_on_loopback_only", origin_takes_cleartext_on_loopback_only},
        {"origin_refuses_other_schemes", origin_refuses_other_schemes},
        {"origin_refuses_what_it_would_not_use", origin_refuses_what_it_would_not_use},
        {"origin_refuses_a_host_that_is_too_long", origin_refuses_a_host_that_is_too_long},
        {"job_id_has_unreserved_characters_only", job_id_has_unreserved_characters_only},
    };

    return vts_test_run("origin", tests, VTS_ARRAY_LEN(tests));
}
