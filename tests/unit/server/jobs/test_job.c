/* SPDX-License-Identifier: Apache-2.0 */
/* test_job.c - which ids and which states. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/macros.h"
#include "server/jobs/job.h"
#include "tests/support/suite.h"

static void job_id_of_each_byte_is_valid_only_from_the_set(void)
{
    static const char allowed[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._~-";

    for (int c = 0; c < 256; c++) {
        char byte = (char)c;
        bool is_allowed = c != 0 && strchr(allowed, byte) != NULL;
        char inside[3] = {'a', byte, 'z'};

        CU_ASSERT_EQUAL(vts_job_id_is_valid(vts_str_make(&byte, 1)), is_allowed);
        CU_ASSERT_EQUAL(vts_job_id_is_valid(vts_str_make(inside, 3)), is_allowed);
    }
}

static void job_id_of_each_length_is_valid_from_1_to_128(void)
{
    char id[VTS_JOB_ID_MAX + 2];

    memset(id, 'a', sizeof(id));
    CU_ASSERT_FALSE(vts_job_id_is_valid(vts_str_make(id, 0)));
    CU_ASSERT_FALSE(vts_job_id_is_valid(vts_str_make(NULL, 0)));
    for (size_t len = 1; len <= sizeof(id); len++)
        CU_ASSERT_EQUAL(vts_job_id_is_valid(vts_str_make(id, len)), len <= 128);
}

static void job_is_done_in_the_last_three_states(void)
{
    static const struct {
        enum vts_job_state state;
        bool is_done;
        Vtstatus__V1__Status status;
    } rows[] = {
        {VTS_JOB_PENDING, false, VTSTATUS__V1__STATUS__STATUS_PENDING},
        {VTS_JOB_RUNNING, false, VTSTATUS__V1__STATUS__STATUS_PENDING},
        {VTS_JOB_CANCELLING, false, VTSTATUS__V1__STATUS__STATUS_PENDING},
        {VTS_JOB_SUCCEEDED, true, VTSTATUS__V1__STATUS__STATUS_COMPLETED},
        {VTS_JOB_FAILED, true, VTSTATUS__V1__STATUS__STATUS_ERROR},
        {VTS_JOB_CANCELLED, true, VTSTATUS__V1__STATUS__STATUS_ERROR},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        CU_ASSERT_EQUAL(vts_job_is_done(rows[i].state), rows[i].is_done);
        CU_ASSERT_EQUAL(vts_job_project(rows[i].state), rows[i].status);
    }
}

static const struct vts_test tests[] = {
    {"job_id_of_each_byte_is_valid_only_from_the_set",
     job_id_of_each_byte_is_valid_only_from_the_set},
    {"job_id_of_each_length_is_valid_from_1_to_128", job_id_of_each_length_is_valid_from_1_to_128},
    {"job_is_done_in_the_last_three_states", job_is_done_in_the_last_three_states},
};

int main(void)
{
    return vts_test_run("test_job", tests, VTS_ARRAY_LEN(tests));
}
