/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_cache.c - what is remembered, and what has to go. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "client/src/status_cache.h"
#include "tests/support/suite.h"
#include "tests/unit/client/sample_status.h"

static struct vts_status_cache cache;

static void put(const char *job_id, uint64_t revision, const char *etag)
{
    struct vts_status *status = sample_status_completed(job_id, revision);

    vts_status_cache_put(&cache, status, etag);
    vts_status_free(status);
}

static void cache_finds_the_last_status_of_a_job(void)
{
    const struct vts_status_cache_entry *entry;

    put("a", 1, "W/\"r1\"");
    put("b", 7, "\"r7\"");
    put("a", 2, "W/\"r2\"");
    entry = vts_status_cache_find(&cache, "a");
    CU_ASSERT_PTR_NOT_NULL_FATAL(entry);
    CU_ASSERT_STRING_EQUAL(entry->etag, "W/\"r2\"");
    CU_ASSERT_EQUAL(vts_status_revision(entry->status), 2);
    CU_ASSERT_PTR_NULL(vts_status_cache_find(&cache, "c"));
    vts_status_cache_fini(&cache);
    CU_ASSERT_PTR_NULL(vts_status_cache_find(&cache, "a"));
}

static void cache_without_an_etag_forgets_the_job(void)
{
    char too_long[200];

    memset(too_long, 'x', sizeof(too_long));
    too_long[sizeof(too_long) - 1] = '\0';
    put("a", 1, "\"r1\"");
    put("a", 2, "");
    CU_ASSERT_PTR_NULL(vts_status_cache_find(&cache, "a"));
    put("a", 3, too_long);
    CU_ASSERT_PTR_NULL(vts_status_cache_find(&cache, "a"));
    vts_status_cache_fini(&cache);
}

static void cache_when_full_drops_the_least_used(void)
{
    char job_id[16];

    for (int i = 0; i < VTS_STATUS_CACHE_MAX_ENTRIES; i++) {
        (void)snprintf(job_id, sizeof(job_id), "job-%d", i);
        put(job_id, 1, "\"r1\"");
    }
    CU_ASSERT_PTR_NOT_NULL(vts_status_cache_find(&cache, "job-0"));
    put("one-more", 1, "\"r1\"");
    CU_ASSERT_PTR_NOT_NULL(vts_status_cache_find(&cache, "one-more"));
    CU_ASSERT_PTR_NOT_NULL(vts_status_cache_find(&cache, "job-0"));
    CU_ASSERT_PTR_NULL(vts_status_cache_find(&cache, "job-1"));
    vts_status_cache_fini(&cache);
}

static void cache_leaves_out_what_is_large(void)
{
    static char phase[VTS_STATUS_CACHE_MAX_STATUS_BYTES];
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    struct vts_status *status;

    memset(phase, 'x', sizeof(phase) - 1);
    message.job_id = (char *)"a";
    message.output_uri = phase;
    status = sample_status_of(&message);
    vts_status_cache_put(&cache, status, "\"r1\"");
    CU_ASSERT_PTR_NULL(vts_status_cache_find(&cache, "a"));
    vts_status_free(status);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"cache_finds_the_last_status_of_a_job", cache_finds_the_last_status_of_a_job},
        {"cache_without_an_etag_forgets_the_job", cache_without_an_etag_forgets_the_job},
        {"cache_when_full_drops_the_least_used", cache_when_full_drops_the_least_used},
        {"cache_leaves_out_what_is_large", cache_leaves_out_what_is_large},
    };

    return vts_test_run("status_cache", tests, VTS_ARRAY_LEN(tests));
}
