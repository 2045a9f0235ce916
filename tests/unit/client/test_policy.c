/* SPDX-License-Identifier: Apache-2.0 */
/* test_policy.c - schedules by their names, and the budget of retries. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <string.h>

#include "client/src/options.h"
#include "client/src/retry.h"
#include "tests/support/suite.h"

static void policy_default_is_the_default(void)
{
    struct vts_poll_options fresh;
    struct vts_poll_options named;

    vts_poll_options_init(&fresh);
    vts_poll_options_init(&named);
    named.interval = 9;
    CU_ASSERT_EQUAL(vts_poll_options_preset(&named, "default"), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(named.interval, fresh.interval);
    CU_ASSERT_EQUAL(named.backoff_factor, fresh.backoff_factor);
    CU_ASSERT_EQUAL(named.max_interval, fresh.max_interval);
    CU_ASSERT_EQUAL(named.jitter, fresh.jitter);
    CU_ASSERT_EQUAL(named.jitter_kind, fresh.jitter_kind);
    CU_ASSERT_EQUAL(named.deadline, fresh.deadline);
    CU_ASSERT_EQUAL(named.ignore_hints, fresh.ignore_hints);
    CU_ASSERT_EQUAL(named.max_hint, fresh.max_hint);
    CU_ASSERT_EQUAL(named.is_first_hint_kept, fresh.is_first_hint_kept);
}

static void policy_each_can_be_used(void)
{
    size_t count = 0;

    for (const char *name; (name = vts_poll_preset_name(count)) != NULL; count++) {
        struct vts_poll_options options;
        struct vts_poll_options checked;

        vts_poll_options_init(&options);
        options.max_failures = 3;
        CU_ASSERT_EQUAL(vts_poll_options_preset(&options, name), VTS_CLIENT_OK);
        CU_ASSERT_EQUAL(vts_poll_options_read(&options, &checked, NULL), VTS_CLIENT_OK);
        CU_ASSERT_EQUAL(checked.max_failures, 3);
        CU_ASSERT_EQUAL(checked.size, sizeof(checked));
    }
    CU_ASSERT_EQUAL(count, 8);
}

static void policy_sets_what_it_is_named_for(void)
{
    struct vts_poll_options options;

    vts_poll_options_init(&options);
    CU_ASSERT_EQUAL(vts_poll_options_preset(&options, "heygen-cli"), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(options.interval, 2);
    CU_ASSERT_EQUAL(options.backoff_factor, 2);
    CU_ASSERT_EQUAL(options.max_interval, 30);
    CU_ASSERT_EQUAL(options.jitter, 0.25);
    CU_ASSERT_EQUAL(options.deadline, 600);
    CU_ASSERT_TRUE(options.ignore_hints);
    CU_ASSERT_EQUAL(vts_poll_options_preset(&options, "azure"), VTS_CLIENT_OK);
    CU_ASSERT_FALSE(options.ignore_hints);
    CU_ASSERT_TRUE(options.max_hint > 3600);
    CU_ASSERT_EQUAL(options.deadline, 0);
    CU_ASSERT_FALSE(options.is_first_hint_kept);
    CU_ASSERT_EQUAL(vts_poll_options_preset(&options, "openai-python"), VTS_CLIENT_OK);
    CU_ASSERT_TRUE(options.is_first_hint_kept);
}

static void policy_of_no_name_changes_nothing(void)
{
    struct vts_poll_options options;
    struct vts_poll_options none;

    vts_poll_options_init(&options);
    options.interval = 7;
    CU_ASSERT_EQUAL(vts_poll_options_preset(&options, "nobody"), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_poll_options_preset(&options, ""), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(vts_poll_options_preset(&options, NULL), VTS_CLIENT_USAGE);
    CU_ASSERT_EQUAL(options.interval, 7);
    CU_ASSERT_EQUAL(vts_poll_options_preset(NULL, "default"), VTS_CLIENT_USAGE);
    memset(&none, 0, sizeof(none));
    CU_ASSERT_EQUAL(vts_poll_options_preset(&none, "azure"), VTS_CLIENT_USAGE);
}

/* A program built before jitter_kind was there. */
static void policy_writes_no_further_than_an_older_struct(void)
{
    struct vts_poll_options options;

    memset(&options, 0x55, sizeof(options));
    vts_poll_options_init_sized(&options, offsetof(struct vts_poll_options, jitter_kind));
    CU_ASSERT_EQUAL(vts_poll_options_preset(&options, "smithy"), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(options.interval, 2);
    CU_ASSERT_EQUAL(options.size, offsetof(struct vts_poll_options, jitter_kind));
    CU_ASSERT_EQUAL((int)options.jitter_kind, 0x55555555);
}

static void retry_budget_runs_out_and_comes_back(void)
{
    struct vts_retry_budget budget = {0};
    int failures = 0;
    int successes = 0;

    for (; vts_retry_has_room(&budget); failures++)
        vts_retry_note_failure(&budget);
    CU_ASSERT_EQUAL(failures, 5);
    for (int i = 0; i < 100; i++)
        vts_retry_note_failure(&budget);
    for (; !vts_retry_has_room(&budget); successes++)
        vts_retry_note_success(&budget);
    CU_ASSERT_EQUAL(successes, 51);
    for (int i = 0; i < 1000; i++)
        vts_retry_note_success(&budget);
    vts_retry_note_failure(&budget);
    CU_ASSERT_TRUE(vts_retry_has_room(&budget));
    CU_ASSERT_EQUAL(budget.spent_tenths, VTS_RETRY_FAILURE_TENTHS);
}

static void retry_is_for_what_may_pass_and_be_repeated(void)
{
    CU_ASSERT_TRUE(vts_retry_may_pass(VTS_CLIENT_CONNECT, true));
    CU_ASSERT_TRUE(vts_retry_may_pass(VTS_CLIENT_UNAVAILABLE, true));
    CU_ASSERT_FALSE(vts_retry_may_pass(VTS_CLIENT_UNAVAILABLE, false));
    CU_ASSERT_FALSE(vts_retry_may_pass(VTS_CLIENT_TIMEOUT, true));
    CU_ASSERT_FALSE(vts_retry_may_pass(VTS_CLIENT_NOT_FOUND, true));
    CU_ASSERT_FALSE(vts_retry_may_pass(VTS_CLIENT_OK, true));
}

static const struct vts_test tests[] = {
    {"policy_default_is_the_default", policy_default_is_the_default},
    {"policy_each_can_be_used", policy_each_can_be_used},
    {"policy_sets_what_it_is_named_for", policy_sets_what_it_is_named_for},
    {"policy_of_no_name_changes_nothing", policy_of_no_name_changes_nothing},
    {"policy_writes_no_further_than_an_older_struct",
     policy_writes_no_further_than_an_older_struct},
    {"retry_budget_runs_out_and_comes_back", retry_budget_runs_out_and_comes_back},
    {"retry_is_for_what_may_pass_and_be_repeated", retry_is_for_what_may_pass_and_be_repeated},
};

int main(void)
{
    return vts_test_run("test_policy", tests, VTS_ARRAY_LEN(tests));
}
