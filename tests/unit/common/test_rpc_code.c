/* SPDX-License-Identifier: Apache-2.0 */
/* test_rpc_code.c - the outcomes of calls against the published tables. */
#include <CUnit/CUnit.h>

#include "common/wire/rpc_code.h"
#include "tests/support/suite.h"

/* https://connectrpc.com/docs/protocol/#error-codes, in the order of the numbers. */
static const struct {
    const char *word;
    int http_code;
} expected[] = {
    {"ok", 200},
    {"canceled", 499},
    {"unknown", 500},
    {"invalid_argument", 400},
    {"deadline_exceeded", 504},
    {"not_found", 404},
    {"already_exists", 409},
    {"permission_denied", 403},
    {"resource_exhausted", 429},
    {"failed_precondition", 400},
    {"aborted", 409},
    {"out_of_range", 400},
    {"unimplemented", 501},
    {"internal", 500},
    {"unavailable", 503},
    {"data_loss", 500},
    {"unauthenticated", 401},
};

static void rpc_code_tables_are_the_published_ones(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(expected); i++) {
        CU_ASSERT_STRING_EQUAL(vts_rpc_code_word((enum vts_rpc_code)i), expected[i].word);
        CU_ASSERT_EQUAL(vts_rpc_code_http((enum vts_rpc_code)i), expected[i].http_code);
    }
}

static void rpc_code_numbers_are_the_published_ones(void)
{
    CU_ASSERT_EQUAL(VTS_RPC_OK, 0);
    CU_ASSERT_EQUAL(VTS_RPC_CANCELLED, 1);
    CU_ASSERT_EQUAL(VTS_RPC_NOT_FOUND, 5);
    CU_ASSERT_EQUAL(VTS_RPC_UNIMPLEMENTED, 12);
    CU_ASSERT_EQUAL(VTS_RPC_UNAVAILABLE, 14);
    CU_ASSERT_EQUAL(VTS_RPC_UNAUTHENTICATED, 16);
}

static void rpc_code_words_are_found_again(void)
{
    for (size_t i = 1; i < VTS_ARRAY_LEN(expected); i++)
        CU_ASSERT_EQUAL(vts_rpc_code_of_word(expected[i].word), (enum vts_rpc_code)i);
    CU_ASSERT_EQUAL(vts_rpc_code_of_word("ok"), VTS_RPC_UNKNOWN);
    CU_ASSERT_EQUAL(vts_rpc_code_of_word("cancelled"), VTS_RPC_UNKNOWN);
    CU_ASSERT_EQUAL(vts_rpc_code_of_word(""), VTS_RPC_UNKNOWN);
}

/* https://connectrpc.com/docs/protocol/#http-to-error-code; no inverse of the table above. */
static void rpc_code_of_http_is_the_published_one(void)
{
    CU_ASSERT_EQUAL(vts_rpc_code_of_http(400), VTS_RPC_INTERNAL);
    CU_ASSERT_EQUAL(vts_rpc_code_of_http(401), VTS_RPC_UNAUTHENTICATED);
    CU_ASSERT_EQUAL(vts_rpc_code_of_http(403), VTS_RPC_PERMISSION_DENIED);
    CU_ASSERT_EQUAL(vts_rpc_code_of_http(404), VTS_RPC_UNIMPLEMENTED);
    CU_ASSERT_EQUAL(vts_rpc_code_of_http(429), VTS_RPC_UNAVAILABLE);
    CU_ASSERT_EQUAL(vts_rpc_code_of_http(503), VTS_RPC_UNAVAILABLE);
    CU_ASSERT_EQUAL(vts_rpc_code_of_http(200), VTS_RPC_UNKNOWN);
    CU_ASSERT_EQUAL(vts_rpc_code_of_http(418), VTS_RPC_UNKNOWN);
}

static const struct vts_test tests[] = {
    {"rpc_code_words_are_found_again", rpc_code_words_are_found_again},
    {"rpc_code_of_http_is_the_published_one", rpc_code_of_http_is_the_published_one},
    {"rpc_code_tables_are_the_published_ones", rpc_code_tables_are_the_published_ones},
    {"rpc_code_numbers_are_the_published_ones", rpc_code_numbers_are_the_published_ones},
};

int main(void)
{
    return vts_test_run("test_rpc_code", tests, VTS_ARRAY_LEN(tests));
}
