/* SPDX-License-Identifier: Apache-2.0 */
/* test_outcome.c - refusals as each dialect reads them, with memory and without. */
#include <CUnit/CUnit.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/rpc/outcome.h"
#include "tests/support/suite.h"
#include "tests/unit/server/fake_exchange.h"

static struct fake_exchange fake;

static const struct row {
    enum vts_rpc_code code;
    int http_code;
    const char *word;
} rows[] = {
#define X(number, name, word, http_code) {VTS_RPC_##name, http_code, word},
#include "common/wire/rpc_code.def"
#undef X
};

static const char *text_of(const json_t *json, const char *name)
{
    const char *text = json_string_value(json_object_get(json, name));

    return text == NULL ? "(none)" : text;
}

static void outcome_of_every_code_has_its_word_and_http_code(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        json_t *json;

        fake_exchange_init(&fake, VTS_METHOD_GET, "/");
        vts_outcome_send(&fake.exchange, rows[i].code, "said \"so\"\n");
        json = json_loadb(fake.body, fake.body_len, JSON_REJECT_DUPLICATES, NULL);
        CU_ASSERT_PTR_NOT_NULL_FATAL(json);
        CU_ASSERT_EQUAL(fake.sent_count, 1);
        CU_ASSERT_EQUAL(fake.exchange.response.code, rows[i].http_code);
        CU_ASSERT_STRING_EQUAL(text_of(json, "code"), rows[i].word);
        CU_ASSERT_STRING_EQUAL(text_of(json, "message"), "said \"so\"\n");
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "application/json");
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "cache-control"), "no-store");
        json_decref(json);
        fake_exchange_fini(&fake);
    }
}

static void outcome_with_another_http_code_keeps_the_word(void)
{
    fake_exchange_init(&fake, VTS_METHOD_GET, "/");
    vts_outcome_send_http(&fake.exchange, 431, VTS_RPC_RESOURCE_EXHAUSTED, "too large");
    CU_ASSERT_EQUAL(fake.exchange.response.code, 431);
    CU_ASSERT_STRING_EQUAL(fake.body,
                           "{\"code\":\"resource_exhausted\",\"message\":\"too large\"}");
    fake_exchange_fini(&fake);
}

static void outcome_not_allowed_lists_what_is(void)
{
    fake_exchange_init(&fake, VTS_METHOD_PUT, "/");
    vts_outcome_send_not_allowed(&fake.exchange, "GET, HEAD");
    CU_ASSERT_EQUAL(fake.exchange.response.code, 405);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "allow"), "GET, HEAD");
    CU_ASSERT_PTR_NOT_NULL(strstr(fake.body, "\"unimplemented\""));
    fake_exchange_fini(&fake);
}

static void outcome_in_grpc_has_the_code_in_its_header(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        char number[8];

        fake_exchange_init(&fake, VTS_METHOD_POST, "/a.B/C");
        vts_outcome_send_grpc(&fake.exchange, "application/grpc+json", rows[i].code, "not so");
        (void)snprintf(number, sizeof(number), "%d", rows[i].code);
        CU_ASSERT_EQUAL(fake.exchange.response.code, 200);
        CU_ASSERT_EQUAL(fake.body_len, 0);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "grpc-status"), number);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "grpc-message"), "not so");
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "application/grpc+json");
        fake_exchange_fini(&fake);
    }
}

static void outcome_without_memory_is_the_code_alone(void)
{
    long count = 0;

    for (;; count++) {
        fake_exchange_init(&fake, VTS_METHOD_GET, "/");
        (void)vts_mem_fail_after(count);
        vts_outcome_send(&fake.exchange, VTS_RPC_NOT_FOUND, "nothing here");
        CU_ASSERT_EQUAL(fake.sent_count, 1);
        CU_ASSERT_EQUAL(fake.exchange.response.code, 404);
        fake_exchange_fini(&fake);
        if (vts_mem_fail_after(-1) == 0)
            break;
        CU_ASSERT_EQUAL(fake.body_len, 0);
    }
    CU_ASSERT(count >= 1);
    CU_ASSERT(fake.body_len > 0);
}

static const struct vts_test tests[] = {
    {"outcome_of_every_code_has_its_word_and_http_code",
     outcome_of_every_code_has_its_word_and_http_code},
    {"outcome_with_another_http_code_keeps_the_word",
     outcome_with_another_http_code_keeps_the_word},
    {"outcome_not_allowed_lists_what_is", outcome_not_allowed_lists_what_is},
    {"outcome_in_grpc_has_the_code_in_its_header", outcome_in_grpc_has_the_code_in_its_header},
    {"outcome_without_memory_is_the_code_alone", outcome_without_memory_is_the_code_alone},
};

int main(void)
{
    return vts_test_run("test_outcome", tests, VTS_ARRAY_LEN(tests));
}
