/* SPDX-License-Identifier: Apache-2.0 */
/* test_call.c - the life of a call in every dialect: its events, in order, and its end. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

static struct toy_bench bench;

/* Content types for calls of one message, and for streams. */
static const char *const unary_types[] = {
    "application/grpc",
    "application/grpc+proto",
    "application/grpc+json",
    "application/grpc-web",
    "application/grpc-web+json",
    "application/grpc-web-text",
    "application/grpc-web-text+json",
    "application/proto",
    "application/json",
};

static void unary_call_is_answered_in_every_dialect(void)
{
    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    for (size_t i = 0; i < VTS_ARRAY_LEN(unary_types); i++) {
        struct toy_answer answer;

        toy_bench_start(&bench, "Unary", unary_types[i]);
        CU_ASSERT(toy_bench_ask(&bench, "hello", 10));
        CU_ASSERT_EQUAL(bench.toy.messages, 0); /* it may not be the only one */
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(bench.toy.messages, 1);
        toy_bench_read(&bench);
        toy_bench_look(&bench, &answer);
        CU_ASSERT_EQUAL(answer.messages, 1);
        CU_ASSERT_STRING_EQUAL(answer.text, "hello");
        CU_ASSERT_EQUAL(answer.body_bytes, 10);
        CU_ASSERT_EQUAL(toy_bench_code(&bench), VTS_RPC_OK);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "content-type"), unary_types[i]);
        CU_ASSERT_EQUAL(bench.toy.ends, 0);
        fake_exchange_close(&bench.fake);
        CU_ASSERT_EQUAL(bench.toy.ends, 1);
    }
    toy_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"unary_call_is_answered_in_every_dialect", unary_call_is_answered_in_every_dialect},
};

int main(void)
{
    return vts_test_run("test_call", tests, VTS_ARRAY_LEN(tests));
}
