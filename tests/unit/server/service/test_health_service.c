/* SPDX-License-Identifier: Apache-2.0 */
/* test_health_service.c - alive and ready, before and after the stop began. */
#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "server/service/health_service.h"
#include "tests/support/suite.h"
#include "tests/unit/server/fake_exchange.h"

static struct fake_exchange fake;

static void expect_answer(vts_exchange_fn handle, struct vts_health *health, int code,
                          const char *word)
{
    fake_exchange_init(&fake, VTS_METHOD_GET, "/");
    handle(health, &fake.exchange);
    CU_ASSERT_EQUAL(fake.sent_count, 1);
    CU_ASSERT_EQUAL(fake.exchange.response.code, code);
    CU_ASSERT_STRING_EQUAL(fake.body, word);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "text/plain; charset=utf-8");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "cache-control"), "no-store");
    fake_exchange_fini(&fake);
}

static void live_answers_ok_whatever_happens(void)
{
    struct vts_health health = {.is_serving = true};

    expect_answer(vts_health_service_live, &health, 200, "ok\n");
    atomic_store(&health.is_serving, false);
    expect_answer(vts_health_service_live, &health, 200, "ok\n");
}

static void ready_answers_503_once_stopping(void)
{
    struct vts_health health = {.is_serving = true};

    expect_answer(vts_health_service_ready, &health, 200, "ready\n");
    atomic_store(&health.is_serving, false);
    expect_answer(vts_health_service_ready, &health, 503, "stopping\n");
}

static const struct vts_test tests[] = {
    {"live_answers_ok_whatever_happens", live_answers_ok_whatever_happens},
    {"ready_answers_503_once_stopping", ready_answers_503_once_stopping},
};

int main(void)
{
    return vts_test_run("test_health_service", tests, VTS_ARRAY_LEN(tests));
}
