/* SPDX-License-Identifier: Apache-2.0 */
/* test_client_job.c - jobs as they come, and what is none. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "client/src/job.h"
#include "common/base/mem.h"
#include "tests/support/suite.h"
#include "tests/unit/client/sample_job.h"

static void job_hands_out_what_came(void)
{
    struct vts_job *job = sample_job_of(sample_job_message());
    const struct vts_attempt *attempt = vts_job_attempt(job, 0);

    CU_ASSERT_STRING_EQUAL(vts_job_id(job), "j-1");
    CU_ASSERT_STRING_EQUAL(vts_job_source_uri(job), "file:///in.mp4");
    CU_ASSERT_STRING_EQUAL(vts_job_source_language(job), "en");
    CU_ASSERT_STRING_EQUAL(vts_job_target_language(job), "de");
    CU_ASSERT_STRING_EQUAL(vts_job_queue(job), "slow");
    CU_ASSERT_EQUAL(vts_job_priority(job), -7);
    CU_ASSERT_EQUAL(vts_job_max_attempts(job), 3);
    CU_ASSERT_DOUBLE_EQUAL(vts_job_timeout(job), 90.5, 1e-9);
    CU_ASSERT_EQUAL(vts_job_create_time_ns(job), INT64_C(1764159202000000000));
    CU_ASSERT_EQUAL(vts_job_end_time_ns(job), 0);
    CU_ASSERT_EQUAL(vts_job_label_count(job), 1);
    CU_ASSERT_STRING_EQUAL(vts_job_label(job, 0)->key, "team");
    CU_ASSERT_STRING_EQUAL(vts_job_label(job, 0)->value, "a");
    CU_ASSERT_PTR_NULL(vts_job_label(job, 1));
    CU_ASSERT_EQUAL(vts_job_option_count(job), 2);
    CU_ASSERT_STRING_EQUAL(vts_job_option(job, 1)->key, "no-name");
    CU_ASSERT_PTR_NULL(vts_job_option(job, 2));
    CU_ASSERT_EQUAL(vts_job_attempt_count(job), 1);
    CU_ASSERT_PTR_NULL(vts_job_attempt(job, 1));
    CU_ASSERT_EQUAL(attempt->number, 1);
    CU_ASSERT_STRING_EQUAL(attempt->worker_id, "w-1");
    CU_ASSERT_EQUAL(attempt->end_time_ns, 0);
    CU_ASSERT_EQUAL(attempt->error_code, 2);
    CU_ASSERT_STRING_EQUAL(attempt->error_message, "no disk\nleft");
    vts_job_free(job);
}

static void job_shares_its_status(void)
{
    struct vts_job *job = sample_job_of(sample_job_message());
    struct vts_status *status = vts_status_ref(vts_job_status(job));

    vts_job_free(job);
    CU_ASSERT_STRING_EQUAL(vts_status_job_id(status), "j-1");
    CU_ASSERT_EQUAL(vts_status_state(status), VTS_STATE_RUNNING);
    vts_status_free(status);
}

static void job_may_lack_nearly_everything(void)
{
    Vtstatus__V1__Job *message = sample_job_message();
    Vtstatus__V1__JobStatus *status = message->status;
    struct vts_job *job;

    vtstatus__v1__job__init(message);
    message->id = (char *)"j-1";
    message->status = status;
    job = sample_job_of(message);
    CU_ASSERT_STRING_EQUAL(vts_job_source_uri(job), "");
    CU_ASSERT_STRING_EQUAL(vts_job_target_language(job), "");
    CU_ASSERT_EQUAL(vts_job_option_count(job), 0);
    CU_ASSERT_EQUAL(vts_job_timeout(job), 0);
    vts_job_free(job);
}

static void check_refused(const Vtstatus__V1__Job *message, const char *words)
{
    struct vts_error error = {.text = ""};
    struct vts_job *job = NULL;

    CU_ASSERT_EQUAL(sample_job_adopt(message, &job, &error), VTS_ERR_PROTOCOL);
    CU_ASSERT_PTR_NULL(job);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, words));
}

static void job_refuses_what_breaks_the_contract(void)
{
    struct vts_error error = {.text = ""};
    struct vts_job *job = NULL;
    Vtstatus__V1__Job *message = sample_job_message();

    message->id = (char *)"";
    check_refused(message, "no id");
    message = sample_job_message();
    message->status = NULL;
    check_refused(message, "no status");
    message = sample_job_message();
    message->create_time->nanos = -1;
    check_refused(message, "time is out of range");
    message = sample_job_message();
    message->timeout->nanos = -1;
    check_refused(message, "time is out of range");
    message = sample_job_message();
    message->attempts[0]->start_time->seconds = INT64_MAX;
    check_refused(message, "time is out of range");
    CU_ASSERT_EQUAL(vts_job_adopt(NULL, &job, &error), VTS_ERR_PROTOCOL);
}

static void job_becomes_json(void)
{
    struct vts_job *job = sample_job_of(sample_job_message());
    char *json = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_job_to_json(job, &json), VTS_CLIENT_OK);
    CU_ASSERT_STRING_EQUAL(
        json,
        "{\"id\":\"j-1\",\"spec\":{\"sourceUri\":\"file:///in.mp4\",\"sourceLanguage\":\"en\","
        "\"targetLanguage\":\"de\",\"options\":{\"no-name\":\"x\",\"voice\":\"low\"}},"
        "\"status\":{\"jobId\":\"j-1\",\"status\":\"pending\",\"revision\":\"4\","
        "\"state\":\"running\",\"attempt\":2},\"createTime\":\"2025-11-26T12:13:22Z\","
        "\"maxAttempts\":3,\"labels\":{\"team\":\"a\"},\"priority\":-7,\"queue\":\"slow\","
        "\"attempts\":[{\"number\":1,\"workerId\":\"w-1\",\"startTime\":\"2025-11-26T12:13:22Z\","
        "\"error\":{\"code\":2,\"message\":\"no disk\\nleft\"}}],\"timeout\":\"90.500s\"}");
    vts_string_free(json);
    vts_job_free(job);
}

static void job_without_memory_fails(void)
{
    const Vtstatus__V1__Job *message = sample_job_message();
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_job *job = NULL;
        enum vts_err err;

        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        err = sample_job_adopt(message, &job, NULL);
        has_failed = vts_mem_fail_after(-1) == 1;
        /* Without memory to encode it, there is a message of nothing. */
        CU_ASSERT(has_failed ? err != VTS_OK : err == VTS_OK);
        CU_ASSERT_EQUAL(job == NULL, has_failed);
        vts_job_free(job);
        CU_ASSERT_FATAL(count < 1000);
    }
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"job_hands_out_what_came", job_hands_out_what_came},
        {"job_shares_its_status", job_shares_its_status},
        {"job_may_lack_nearly_everything", job_may_lack_nearly_everything},
        {"job_refuses_what_breaks_the_contract", job_refuses_what_breaks_the_contract},
        {"job_becomes_json", job_becomes_json},
        {"job_without_memory_fails", job_without_memory_fails},
    };

    return vts_test_run("job", tests, VTS_ARRAY_LEN(tests));
}
