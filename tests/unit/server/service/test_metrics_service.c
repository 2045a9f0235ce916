/* SPDX-License-Identifier: Apache-2.0 */
/* test_metrics_service.c - the counters as they go out, and what happens when they cannot. */
#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/service/metrics_service.h"
#include "tests/support/suite.h"
#include "tests/unit/server/fake_exchange.h"

static struct fake_exchange fake;

static void write_text(void *text, struct vts_buf *buf)
{
    vts_buf_append_text(buf, text);
}

static void metrics_are_sent_as_the_source_writes_them(void)
{
    char text[] = "# TYPE a counter\na 1\n";
    struct vts_metrics_source source = {write_text, text};

    fake_exchange_init(&fake, VTS_METHOD_GET, "/metrics");
    vts_metrics_service_get(&source, &fake.exchange);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 200);
    CU_ASSERT_STRING_EQUAL(fake.body, text);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"),
                           "text/plain; version=0.0.4; charset=utf-8");
    fake_exchange_fini(&fake);
}

static void metrics_without_memory_are_refused(void)
{
    char text[] = "a 1\n";
    struct vts_metrics_source source = {write_text, text};

    fake_exchange_init(&fake, VTS_METHOD_GET, "/metrics");
    (void)vts_mem_fail_after(0);
    vts_metrics_service_get(&source, &fake.exchange);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    CU_ASSERT_EQUAL(fake.sent_count, 1);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 429);
    fake_exchange_fini(&fake);
}

static const struct vts_test tests[] = {
    {"metrics_are_sent_as_the_source_writes_them", metrics_are_sent_as_the_source_writes_them},
    {"metrics_without_memory_are_refused", metrics_without_memory_are_refused},
};

int main(void)
{
    return vts_test_run("test_metrics_service", tests, VTS_ARRAY_LEN(tests));
}
