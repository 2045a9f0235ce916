/* SPDX-License-Identifier: Apache-2.0 */
/* test_call_options.c - the option structs of the calls, with every fault. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <string.h>

#include "client/src/call_options.h"
#include "tests/support/suite.h"

static struct vts_client_error error;

static void check(enum vts_client_code code, const char *words)
{
    CU_ASSERT_EQUAL(code, words == NULL ? VTS_CLIENT_OK : VTS_CLIENT_USAGE);
    if (words != NULL)
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
}

static void check_create(const struct vts_create_options *options, const char *words)
{
    struct vts_create_options checked;

    check(vts_create_options_read(options, &checked, &error), words);
}

static void decide_options_are_checked(void)
{
    struct vts_decide_options options;
    struct vts_decide_options checked;

    check(vts_decide_options_read(NULL, &checked, &error), NULL);
    CU_ASSERT_PTR_NULL(checked.etag);
    vts_decide_options_init(&options);
    options.etag = "\"r1\"";
    check(vts_decide_options_read(&options, &checked, &error), NULL);
    CU_ASSERT_STRING_EQUAL(checked.etag, "\"r1\"");
    options.etag = "";
    check(vts_decide_options_read(&options, &checked, &error), "etag");
    options.size = 0;
    check(vts_decide_options_read(&options, &checked, &error), "vts_decide_options_init");
}

static void create_options_are_checked(void)
{
    const struct vts_pair bad_key = {.key = "a=b", .value = "c"};
    const struct vts_pair no_value = {.key = "a"};
    const struct vts_pair twice[] = {{.key = "a", .value = "1"}, {.key = "a", .value = "2"}};
    struct vts_create_options good;
    struct vts_create_options options;

    vts_create_options_init(&good);
    check_create(NULL, "vts_create_options_init");
    check_create(&good, "source_uri");
    good.source_uri = "file:///in.mp4";
    check_create(&good, "target_language");
    good.target_language = "de";
    check_create(&good, NULL);
    options = good;
    options.size = 0;
    check_create(&options, "vts_create_options_init");
    options = good;
    options.labels = &bad_key;
    options.labels_count = 1;
    check_create(&options, "label");
    options = good;
    options.options = &no_value;
    options.options_count = 1;
    check_create(&options, "option");
    options = good;
    options.labels_count = 1;
    check_create(&options, "label");
    options = good;
    options.labels = twice;
    options.labels_count = 2;
    check_create(&options, "two labels");
    options.labels_count = 1;
    check_create(&options, NULL);
    options = good;
    options.options = twice;
    options.options_count = 2;
    check_create(&options, "two options");
    options = good;
    options.timeout = NAN;
    check_create(&options, "timeout");
    options = good;
    options.ttl = -1;
    check_create(&options, "ttl");
}

static void check_lease(const struct vts_lease_options *options, const char *words)
{
    struct vts_lease_options checked;

    check(vts_lease_options_read(options, &checked, &error), words);
}

static void lease_options_are_checked(void)
{
    const char *no_name[] = {NULL};
    struct vts_lease_options good;
    struct vts_lease_options options;

    vts_lease_options_init(&good);
    CU_ASSERT_EQUAL(good.duration, 60);
    check_lease(NULL, NULL);
    check_lease(&good, NULL);
    options = good;
    options.size = sizeof(options) - 1;
    check_lease(&options, "vts_lease_options_init");
    options = good;
    options.duration = 0.5;
    check_lease(&options, "duration");
    options.duration = 3601;
    check_lease(&options, "duration");
    options = good;
    options.wait = 301;
    check_lease(&options, "wait");
    options.wait = -1;
    check_lease(&options, "wait");
    options = good;
    options.queues_count = 1;
    check_lease(&options, "queues");
    options.queues = no_name;
    check_lease(&options, "no name");
}

static void list_options_are_checked(void)
{
    struct vts_list_options options;
    struct vts_list_options checked;

    vts_list_options_init(&options);
    check(vts_list_options_read(NULL, &checked, &error), NULL);
    check(vts_list_options_read(&options, &checked, &error), NULL);
    options.states_count = 1;
    check(vts_list_options_read(&options, &checked, &error), "states");
    options.size = 1;
    check(vts_list_options_read(&options, &checked, &error), "vts_list_options_init");
}

static void progress_is_checked(void)
{
    struct vts_progress progress;
    struct vts_progress checked;

    vts_progress_init(&progress);
    check(vts_progress_read(&progress, &checked, &error), NULL);
    progress.percent = 100;
    check(vts_progress_read(&progress, &checked, &error), NULL);
    progress.percent = 100.1;
    check(vts_progress_read(&progress, &checked, &error), "percent");
    progress.percent = NAN;
    check(vts_progress_read(&progress, &checked, &error), "percent");
}

static void fail_options_are_checked(void)
{
    struct vts_fail_options options;
    struct vts_fail_options checked;

    check(vts_fail_options_read(NULL, &checked, &error), NULL);
    CU_ASSERT_EQUAL(checked.code, 2);
    CU_ASSERT(checked.retry_delay < 0);
    vts_fail_options_init(&options);
    check(vts_fail_options_read(&options, &checked, &error), NULL);
    options.code = 0;
    check(vts_fail_options_read(&options, &checked, &error), "code");
    options.code = 17;
    check(vts_fail_options_read(&options, &checked, &error), "code");
    vts_fail_options_init(&options);
    options.retry_delay = NAN;
    check(vts_fail_options_read(&options, &checked, &error), "retry_delay");
}

/* A program built against a newer header has a longer struct, and one that was built against this
 * one must not be written past its end. */
static void check_call(const struct vts_call_options *options, const char *words)
{
    struct vts_call_options checked;

    check(vts_call_options_read(options, &checked, &error), words);
}

static void check_field(const char *name, const char *value, const char *words)
{
    const struct vts_pair field = {.key = name, .value = value};
    struct vts_call_options options;

    vts_call_options_init(&options);
    options.fields = &field;
    options.fields_count = 1;
    check_call(&options, words);
}

static void call_options_are_checked(void)
{
    static const struct vts_pair fields[65];
    struct vts_call_options options;

    check_call(NULL, NULL);
    vts_call_options_init(&options);
    check_call(&options, NULL);
    options.kind = (enum vts_call_kind)3;
    check_call(&options, "kind");
    vts_call_options_init(&options);
    options.fields_count = 1;
    check_call(&options, "not there");
    options.fields = fields;
    options.fields_count = 65;
    check_call(&options, "more than 64");
    options.size = 0;
    check_call(&options, "vts_call_options_init");
}

static void fields_of_calls_are_checked(void)
{
    char value[8194];

    check_field("x-request-id", "7", NULL);
    check_field("X", "", NULL);
    check_field("x", "\xc3\xbc", NULL);
    check_field(NULL, "", "needs a name");
    check_field("x", NULL, "needs a name");
    check_field("", "", "needs a name");
    check_field("a b", "", "needs a name");
    check_field("a:", "", "needs a name");
    check_field("x", "a\nb", "control character");
    check_field("x", "a\x7f", "control character");
    check_field("Content-TYPE", "text/plain", "of its own");
    check_field("connect-timeout-ms", "1", "of its own");
    check_field("Host", "a", "of its own");
    memset(value, 'y', sizeof(value));
    value[8191] = '\0';
    check_field("x", value, NULL);
    value[8191] = 'y';
    value[8192] = '\0';
    check_field("x", value, "8192");
}

static void options_of_another_size_are_respected(void)
{
    struct {
        struct vts_fail_options options;
        char more[16];
    } longer;
    struct vts_fail_options checked;

    memset(&longer, 0x5a, sizeof(longer));
    vts_fail_options_init_sized(&longer.options, sizeof(longer));
    CU_ASSERT_EQUAL(longer.options.size, sizeof(longer));
    CU_ASSERT_EQUAL(longer.more[15], 0);
    check(vts_fail_options_read(&longer.options, &checked, &error), NULL);
    memset(&longer, 0x5a, sizeof(longer));
    vts_fail_options_init_sized(&longer.options, sizeof(size_t));
    CU_ASSERT_EQUAL(longer.options.size, sizeof(size_t));
    CU_ASSERT_EQUAL(longer.options.code, 0x5a5a5a5a);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"create_options_are_checked", create_options_are_checked},
        {"decide_options_are_checked", decide_options_are_checked},
        {"lease_options_are_checked", lease_options_are_checked},
        {"list_options_are_checked", list_options_are_checked},
        {"progress_is_checked", progress_is_checked},
        {"fail_options_are_checked", fail_options_are_checked},
        {"call_options_are_checked", call_options_are_checked},
        {"fields_of_calls_are_checked", fields_of_calls_are_checked},
        {"options_of_another_size_are_respected", options_of_another_size_are_respected},
    };

    return vts_test_run("call_options", tests, VTS_ARRAY_LEN(tests));
}
