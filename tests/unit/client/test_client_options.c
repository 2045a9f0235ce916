/* SPDX-License-Identifier: Apache-2.0 */
/* test_client_options.c - option structs of every size and with every fault. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "client/src/options.h"
#include "tests/support/suite.h"

static void check_client(const struct vts_client_options *options, const char *words)
{
    struct vts_client_options checked;
    struct vts_client_error error = {.text = ""};
    enum vts_client_code code = vts_client_options_read(options, &checked, &error);

    CU_ASSERT_EQUAL(code, words == NULL ? VTS_CLIENT_OK : VTS_CLIENT_USAGE);
    if (words != NULL)
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
}

static void check_poll(const struct vts_poll_options *options, const char *words)
{
    struct vts_poll_options checked;
    struct vts_client_error error = {.text = ""};
    enum vts_client_code code = vts_poll_options_read(options, &checked, &error);

    CU_ASSERT_EQUAL(code, words == NULL ? VTS_CLIENT_OK : VTS_CLIENT_USAGE);
    if (words != NULL)
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
}

static void client_options_start_with_the_defaults(void)
{
    struct vts_client_options options;

    vts_client_options_init(&options);
    CU_ASSERT_STRING_EQUAL(options.url, "https://localhost:5000");
    CU_ASSERT_EQUAL(options.connect_timeout, 10);
    CU_ASSERT_EQUAL(options.request_timeout, 10);
    CU_ASSERT_PTR_NULL(options.ca_file);
    check_client(&options, NULL);
}

static void check_pin(const char *pin, bool is_good)
{
    struct vts_client_options options;

    vts_client_options_init(&options);
    options.pinned_key = pin;
    check_client(&options, is_good ? NULL : "sha256//");
}

static void pinned_keys_are_checked(void)
{
    static const char pin[] = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA+/=";
    char text[200];

    check_pin(pin, true);
    (void)snprintf(text, sizeof(text), "%s;%s", pin, pin);
    check_pin(text, true);
    (void)snprintf(text, sizeof(text), "%s;", pin);
    check_pin(text, false);
    (void)snprintf(text, sizeof(text), "%s=", pin);
    check_pin(text, false);
    check_pin("", false);
    check_pin("key.pem", false);
    check_pin("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/=x", false);
    check_pin("sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA-=", false);
    check_pin("sha1//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA/=", false);
}

static void proxies_are_checked(void)
{
    struct vts_client_options options;

    vts_client_options_init(&options);
    options.proxy = "";
    check_client(&options, NULL);
    options.proxy = "http://user:pw@proxy:3128";
    check_client(&options, NULL);
    options.proxy = "a b";
    check_client(&options, "proxy");
    options.proxy = "a\r\nb";
    check_client(&options, "proxy");
}

static void client_options_are_checked(void)
{
    struct vts_client_options good;
    struct vts_client_options options;

    vts_client_options_init(&good);
    check_client(NULL, "vts_client_options_init");
    options = good;
    options.size = 0;
    check_client(&options, "vts_client_options_init");
    options = good;
    options.url = NULL;
    check_client(&options, "no URL");
    options = good;
    options.cert_file = "x";
    check_client(&options, "the key is missing");
    options = good;
    options.key_file = "x";
    check_client(&options, "the certificate is missing");
    options = good;
    options.connect_timeout = 0;
    check_client(&options, "connect_timeout");
    options = good;
    options.request_timeout = NAN;
    check_client(&options, "request_timeout");
    options = good;
    options.request_timeout = INFINITY;
    check_client(&options, "request_timeout");
}

/* As a program built against a newer header would have them. */
struct longer_options {
    struct vts_poll_options known;
    double unknown;
};

static void options_of_a_newer_program_are_zero_beyond_what_is_known(void)
{
    struct longer_options options;

    memset(&options, 0xff, sizeof(options));
    vts_poll_options_init_sized(&options.known, sizeof(options));
    CU_ASSERT_EQUAL(options.known.size, sizeof(options));
    CU_ASSERT_EQUAL(options.unknown, 0);
    CU_ASSERT_EQUAL(options.known.max_failures, 5);
    check_poll(&options.known, NULL);
}

static void options_of_an_older_program_are_not_overrun(void)
{
    struct longer_options options;

    memset(&options, 0x11, sizeof(options));
    vts_poll_options_init_sized(&options.known, offsetof(struct vts_poll_options, context));
    CU_ASSERT_EQUAL(*((unsigned char *)&options.known.context), 0x11);
}

static void poll_options_start_with_the_defaults(void)
{
    struct vts_poll_options options;

    vts_poll_options_init(&options);
    CU_ASSERT_EQUAL(options.max_retries, -1);
    CU_ASSERT_EQUAL(options.interval, 1);
    CU_ASSERT_EQUAL(options.backoff_factor, 1.5);
    CU_ASSERT_EQUAL(options.max_interval, 20);
    CU_ASSERT_EQUAL(options.jitter, 0.2);
    CU_ASSERT_EQUAL(options.max_failures, 5);
    CU_ASSERT_EQUAL(options.deadline, 0);
    check_poll(&options, NULL);
    check_poll(NULL, NULL);
}

static void poll_options_are_checked(void)
{
    struct vts_poll_options good;
    struct vts_poll_options options;

    vts_poll_options_init(&good);
    options = good;
    options.size = 8;
    check_poll(&options, "vts_poll_options_init");
    options = good;
    options.interval = 0;
    check_poll(&options, "interval");
    options = good;
    options.interval = NAN;
    check_poll(&options, "interval");
    options = good;
    options.backoff_factor = 0.5;
    check_poll(&options, "backoff_factor");
    options = good;
    options.max_interval = INFINITY;
    check_poll(&options, "max_interval");
    options = good;
    options.jitter = 1.1;
    check_poll(&options, "jitter");
    options = good;
    options.max_failures = 0;
    check_poll(&options, "max_failures");
    options = good;
    options.deadline = NAN;
    check_poll(&options, "deadline");
}

static void poll_options_with_a_long_interval_stretch_the_maximum(void)
{
    struct vts_poll_options options;
    struct vts_poll_options checked;

    vts_poll_options_init(&options);
    options.interval = 60;
    CU_ASSERT_EQUAL_FATAL(vts_poll_options_read(&options, &checked, NULL), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(checked.max_interval, 60);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"client_options_start_with_the_defaults", client_options_start_with_the_defaults},
        {"client_options_are_checked", client_options_are_checked},
        {"pinned_keys_are_checked", pinned_keys_are_checked},
        {"proxies_are_checked", proxies_are_checked},
        {"options_of_a_newer_program_are_zero_beyond_what_is_known",
         options_of_a_newer_program_are_zero_beyond_what_is_known},
        {"options_of_an_older_program_are_not_overrun",
         options_of_an_older_program_are_not_overrun},
        {"poll_options_start_with_the_defaults", poll_options_start_with_the_defaults},
        {"poll_options_are_checked", poll_options_are_checked},
        {"poll_options_with_a_long_interval_stretch_the_maximum",
         poll_options_with_a_long_interval_stretch_the_maximum},
    };

    return vts_test_run("client_options", tests, VTS_ARRAY_LEN(tests));
}
