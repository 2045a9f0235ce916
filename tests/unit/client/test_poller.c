/* SPDX-License-Identifier: Apache-2.0 */
/* test_poller.c - the loop against a script of answers and a clock that only waits move. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <string.h>

#include "client/src/failure.h"
#include "client/src/options.h"
#include "client/src/poller.h"
#include "common/base/clock.h"
#include "tests/support/suite.h"
#include "tests/unit/client/sample_status.h"

enum { MAX_EVENTS = 32, FOR_EVER = -1 };

enum answer { PENDING, SAME, WITHOUT_HINT, COMPLETED, REFUSED_CONNECTION, BUSY, NO_SUCH_JOB };

struct script {
    const enum answer *answers; /* the last one repeats */
    size_t count;
    size_t next;
    double hint;            /* of pending answers; negative: none */
    double request_seconds; /* how long each request takes */
    double cancel_after;    /* s of the whole; FOR_EVER: not */
    double now;
    uint64_t revision;
    unsigned requests;
    double last_timeout;
    size_t waits_count;
    double waits[MAX_EVENTS];
    unsigned events;
    unsigned changes;
    unsigned stop_at_event; /* 0: never */
    double last_next_poll;
};

static enum vts_client_code answer_pending(struct script *script, struct vts_fetch *ret_fetch)
{
    ret_fetch->status = sample_status_running("default", script->revision, script->hint);
    ret_fetch->hint = script->hint;
    return VTS_CLIENT_OK;
}

static enum vts_client_code fetch(void *self, double timeout, struct vts_fetch *ret_fetch,
                                  struct vts_client_error *error)
{
    struct script *script = self;
    enum answer answer = script->answers[script->next];

    script->next += script->next + 1 < script->count ? 1 : 0;
    script->requests++;
    script->last_timeout = timeout;
    script->now += fmin(script->request_seconds, timeout);
    *ret_fetch = (struct vts_fetch){.hint = -1};
    vts_failure_clear(error);
    switch (answer) {
    case PENDING:
        script->revision++;
        return answer_pending(script, ret_fetch);
    case SAME:
        return answer_pending(script, ret_fetch);
    case WITHOUT_HINT:
        ret_fetch->status = sample_status_running("default", script->revision, -1);
        return VTS_CLIENT_OK;
    case COMPLETED:
        ret_fetch->status = sample_status_completed("default", ++script->revision);
        return VTS_CLIENT_OK;
    case REFUSED_CONNECTION:
        return vts_failure_set(error, VTS_CLIENT_CONNECT, "connection refused");
    case BUSY:
        ret_fetch->hint = script->hint;
        return vts_failure_set(error, VTS_CLIENT_UNAVAILABLE, "busy");
    case NO_SUCH_JOB:
        return vts_failure_set(error, VTS_CLIENT_NOT_FOUND, "no such job");
    }
    return VTS_CLIENT_USAGE;
}

static bool wait(void *self, double seconds)
{
    struct script *script = self;

    CU_ASSERT_FATAL(script->waits_count < MAX_EVENTS);
    script->waits[script->waits_count++] = seconds;
    if (script->cancel_after >= 0 && script->now + seconds > script->cancel_after)
        return false;
    script->now += seconds;
    return true;
}

static int64_t now_ns(void *self)
{
    struct script *script = self;

    return (int64_t)(script->now * VTS_NS_PER_S);
}

static bool on_status(const struct vts_poll_event *event, void *context)
{
    struct script *script = context;

    script->events++;
    script->changes += event->is_changed ? 1 : 0;
    script->last_next_poll = event->next_poll;
    CU_ASSERT_EQUAL(event->tries, script->requests);
    CU_ASSERT(event->status != NULL || event->error != NULL);
    return script->events != script->stop_at_event;
}

static struct script make_script(const enum answer *answers, size_t count)
{
    return (struct script){
        .answers = answers, .count = count, .hint = -1, .cancel_after = FOR_EVER, .now = 1000};
}

static struct vts_poll_options make_options(void)
{
    struct vts_poll_options options;

    vts_poll_options_init(&options);
    options.jitter = 0;
    options.backoff_factor = 2;
    return options;
}

static struct vts_client_error last_error;
static bool has_status;

static enum vts_client_code run(struct script *script, struct vts_poll_options options)
{
    const struct vts_poll_source source = {
        .self = script, .fetch = fetch, .wait = wait, .now_ns = now_ns, .request_timeout = 10};
    struct vts_status *status = NULL;
    enum vts_client_code code;

    options.on_status = on_status;
    options.context = script;
    code = vts_poller_run(&source, &options, &status, &last_error);
    has_status = status != NULL;
    vts_status_free(status);
    return code;
}

static void check_waits(const struct script *script, const double *expected, size_t count)
{
    CU_ASSERT_EQUAL_FATAL(script->waits_count, count);
    for (size_t i = 0; i < count; i++)
        CU_ASSERT_DOUBLE_EQUAL(script->waits[i], expected[i], 1e-6);
}

static void poll_asks_until_the_job_is_done(void)
{
    const enum answer answers[] = {PENDING, PENDING, SAME, COMPLETED};
    const double waits[] = {1, 2, 4};
    struct script script = make_script(answers, VTS_ARRAY_LEN(answers));

    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_OK);
    CU_ASSERT(has_status);
    check_waits(&script, waits, VTS_ARRAY_LEN(waits));
    CU_ASSERT_EQUAL(script.events, 4);
    CU_ASSERT_EQUAL(script.changes, 3);
    CU_ASSERT(script.last_next_poll < 0);
}

static void poll_of_a_done_job_asks_once(void)
{
    const enum answer answers[] = {COMPLETED};
    struct script script = make_script(answers, 1);
    struct vts_poll_options options = make_options();

    options.max_retries = 0;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(script.requests, 1);
    CU_ASSERT_EQUAL(script.waits_count, 0);
}

static void poll_obeys_the_hint_within_its_bounds(void)
{
    const enum answer answers[] = {PENDING, PENDING, COMPLETED};
    const double obeyed[] = {7, 7};
    const double least[] = {1, 1};
    const double most[] = {20, 20};
    struct script script = make_script(answers, VTS_ARRAY_LEN(answers));

    script.hint = 7;
    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_OK);
    check_waits(&script, obeyed, 2);
    script = make_script(answers, VTS_ARRAY_LEN(answers));
    script.hint = 0;
    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_OK);
    check_waits(&script, least, 2);
    script = make_script(answers, VTS_ARRAY_LEN(answers));
    script.hint = 3e8;
    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_OK);
    check_waits(&script, most, 2);
}

static void poll_remembers_a_hint_that_one_answer_lacks(void)
{
    const enum answer answers[] = {WITHOUT_HINT,       PENDING,      WITHOUT_HINT,
                                   REFUSED_CONNECTION, WITHOUT_HINT, COMPLETED};
    const double waits[] = {1, 7, 7, 1, 7};
    struct script script = make_script(answers, VTS_ARRAY_LEN(answers));

    script.hint = 7;
    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_OK);
    check_waits(&script, waits, VTS_ARRAY_LEN(waits));
}

static void poll_told_to_keep_the_first_hint_does(void)
{
    const enum answer with[] = {PENDING, WITHOUT_HINT, COMPLETED};
    const enum answer without[] = {WITHOUT_HINT, PENDING, PENDING, COMPLETED};
    const double hints[] = {7, 7};
    const double schedule[] = {1, 2, 4};
    struct vts_poll_options options = make_options();
    struct script script = make_script(with, VTS_ARRAY_LEN(with));

    options.is_first_hint_kept = true;
    script.hint = 7;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_OK);
    check_waits(&script, hints, VTS_ARRAY_LEN(hints));
    script = make_script(without, VTS_ARRAY_LEN(without));
    script.hint = 7;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_OK);
    check_waits(&script, schedule, VTS_ARRAY_LEN(schedule));
}

static void poll_told_to_ignore_hints_does(void)
{
    const enum answer answers[] = {PENDING, PENDING, COMPLETED};
    const double waits[] = {1, 2};
    struct script script = make_script(answers, VTS_ARRAY_LEN(answers));
    struct vts_poll_options options = make_options();

    script.hint = 7;
    options.ignore_hints = true;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_OK);
    check_waits(&script, waits, 2);
}

static void poll_with_one_retry_asks_twice(void)
{
    const enum answer answers[] = {PENDING};
    struct script script = make_script(answers, 1);
    struct vts_poll_options options = make_options();

    options.max_retries = 1;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_GAVE_UP);
    CU_ASSERT_EQUAL(script.requests, 2);
    CU_ASSERT(has_status);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_error.text, "gave up after 2 tries in 1 s"));
    CU_ASSERT_PTR_NOT_NULL(strstr(last_error.text, "'default' was last seen pending"));
}

static void poll_without_retries_asks_once(void)
{
    const enum answer answers[] = {PENDING};
    struct script script = make_script(answers, 1);
    struct vts_poll_options options = make_options();

    options.max_retries = 0;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_GAVE_UP);
    CU_ASSERT_EQUAL(script.requests, 1);
}

static void poll_ends_after_failures_in_a_row_with_their_code(void)
{
    const enum answer answers[] = {REFUSED_CONNECTION};
    const double waits[] = {1, 2};
    struct script script = make_script(answers, 1);
    struct vts_poll_options options = make_options();

    options.max_failures = 3;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_CONNECT);
    CU_ASSERT(!has_status);
    check_waits(&script, waits, 2);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_error.text, "connection refused"));
    CU_ASSERT_PTR_NOT_NULL(strstr(last_error.text, "3 of 3 tries failed"));
}

static void poll_counts_failures_anew_after_a_success(void)
{
    const enum answer answers[] = {REFUSED_CONNECTION, PENDING, REFUSED_CONNECTION, COMPLETED};
    struct script script = make_script(answers, VTS_ARRAY_LEN(answers));
    struct vts_poll_options options = make_options();

    options.max_failures = 2;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(script.events, 4);
    CU_ASSERT_EQUAL(script.changes, 2);
}

static void poll_counts_failures_as_retries(void)
{
    const enum answer failing[] = {REFUSED_CONNECTION};
    const enum answer mixed[] = {PENDING, REFUSED_CONNECTION};
    struct script script = make_script(failing, 1);
    struct vts_poll_options options = make_options();

    options.max_retries = 1;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_CONNECT);
    CU_ASSERT_EQUAL(script.requests, 2);
    script = make_script(mixed, 2);
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_GAVE_UP);
    CU_ASSERT(has_status);
    CU_ASSERT_PTR_NOT_NULL(strstr(last_error.text, "the last try failed: connection refused"));
}

static void poll_obeys_retry_after_of_a_busy_server(void)
{
    const enum answer answers[] = {BUSY, COMPLETED};
    const double waits[] = {9};
    struct script script = make_script(answers, 2);

    script.hint = 9;
    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_OK);
    check_waits(&script, waits, 1);
}

static void poll_of_an_unknown_job_ends_at_once(void)
{
    const enum answer answers[] = {PENDING, NO_SUCH_JOB};
    struct script script = make_script(answers, 2);

    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_NOT_FOUND);
    CU_ASSERT_EQUAL(script.requests, 2);
    CU_ASSERT(has_status);
}

static void poll_asks_a_last_time_just_before_its_deadline(void)
{
    const enum answer answers[] = {PENDING};
    const double waits[] = {1, 2, 4, 2};
    struct script script = make_script(answers, 1);
    struct vts_poll_options options = make_options();

    options.deadline = 10;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_GAVE_UP);
    check_waits(&script, waits, VTS_ARRAY_LEN(waits));
    CU_ASSERT_PTR_NOT_NULL(strstr(last_error.text, "at the deadline"));
}

static void poll_bounds_a_request_by_the_deadline(void)
{
    const enum answer answers[] = {REFUSED_CONNECTION};
    struct script script = make_script(answers, 1);
    struct vts_poll_options options = make_options();

    options.deadline = 3;
    script.request_seconds = 10;
    CU_ASSERT_EQUAL(run(&script, options), VTS_CLIENT_CONNECT);
    CU_ASSERT_DOUBLE_EQUAL(script.last_timeout, 3, 1e-6);
    CU_ASSERT_EQUAL(script.requests, 1);
}

static void poll_cancelled_while_it_waits_ends(void)
{
    const enum answer answers[] = {PENDING};
    struct script script = make_script(answers, 1);

    script.cancel_after = 1002;
    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_CANCELLED);
    CU_ASSERT_EQUAL(last_error.code, VTS_CLIENT_CANCELLED);
    CU_ASSERT_EQUAL(script.requests, 2);
    CU_ASSERT(has_status);
}

static void poll_ends_when_the_callback_says_so(void)
{
    const enum answer answers[] = {PENDING};
    struct script script = make_script(answers, 1);

    script.stop_at_event = 2;
    CU_ASSERT_EQUAL(run(&script, make_options()), VTS_CLIENT_CANCELLED);
    CU_ASSERT_EQUAL(script.requests, 2);
    CU_ASSERT_EQUAL(script.waits_count, 1);
}

static void poll_waits_repeat_with_the_same_seed(void)
{
    const enum answer answers[] = {PENDING, PENDING, PENDING, PENDING, COMPLETED};
    struct script one = make_script(answers, VTS_ARRAY_LEN(answers));
    struct script other = make_script(answers, VTS_ARRAY_LEN(answers));
    struct vts_poll_options options = make_options();

    options.jitter = 0.5;
    options.jitter_seed = 11;
    CU_ASSERT_EQUAL(run(&one, options), VTS_CLIENT_OK);
    CU_ASSERT_EQUAL(run(&other, options), VTS_CLIENT_OK);
    check_waits(&one, other.waits, other.waits_count);
    CU_ASSERT(one.waits[0] != 1);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"poll_asks_until_the_job_is_done", poll_asks_until_the_job_is_done},
        {"poll_of_a_done_job_asks_once", poll_of_a_done_job_asks_once},
        {"poll_obeys_the_hint_within_its_bounds", poll_obeys_the_hint_within_its_bounds},
        {"poll_remembers_a_hint_that_one_answer_lacks",
         poll_remembers_a_hint_that_one_answer_lacks},
        {"poll_told_to_keep_the_first_hint_does", poll_told_to_keep_the_first_hint_does},
        {"poll_told_to_ignore_hints_does", poll_told_to_ignore_hints_does},
        {"poll_with_one_retry_asks_twice", poll_with_one_retry_asks_twice},
        {"poll_without_retries_asks_once", poll_without_retries_asks_once},
        {"poll_ends_after_failures_in_a_row_with_their_code",
         poll_ends_after_failures_in_a_row_with_their_code},
        {"poll_counts_failures_anew_after_a_success", poll_counts_failures_anew_after_a_success},
        {"poll_counts_failures_as_retries", poll_counts_failures_as_retries},
        {"poll_obeys_retry_after_of_a_busy_server", poll_obeys_retry_after_of_a_busy_server},
        {"poll_of_an_unknown_job_ends_at_once", poll_of_an_unknown_job_ends_at_once},
        {"poll_asks_a_last_time_just_before_its_deadline",
         poll_asks_a_last_time_just_before_its_deadline},
        {"poll_bounds_a_request_by_the_deadline", poll_bounds_a_request_by_the_deadline},
        {"poll_cancelled_while_it_waits_ends", poll_cancelled_while_it_waits_ends},
        {"poll_ends_when_the_callback_says_so", poll_ends_when_the_callback_says_so},
        {"poll_waits_repeat_with_the_same_seed", poll_waits_repeat_with_the_same_seed},
    };

    return vts_test_run("poller", tests, VTS_ARRAY_LEN(tests));
}
