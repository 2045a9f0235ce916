/* SPDX-License-Identifier: Apache-2.0 */
/* test_health_service.c - alive and ready, before and after the stop began; and health by calls. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "descriptor_set.h"
#include "server/rpc/router.h"
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

/* ---- calls, as JSON by Connect ----------------------------------------------------------- */

enum { MANY = 100, READ_BYTES = 1024 };

struct bench {
    struct vts_limits limits;
    struct vts_service_row rows[MANY];
    struct vts_health health;
    struct vts_rpc *rpc;
    struct vts_rpc_loop *loop;
    struct vts_router router;
};

static enum vts_err never_post(void *context, void (*fn)(void *), void *argument)
{
    (void)context;
    (void)fn;
    (void)argument;
    return VTS_ERR_LIMIT;
}

/* The health service alone, which knows itself. */
static void open_bench(struct bench *bench)
{
    const struct vts_rpc_options options = {
        .descriptor_set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len),
        .services = bench->rows,
        .services_count = 1,
        .limits = &bench->limits,
    };

    *bench = (struct bench){.health = {.is_serving = true, .services_count = 1}};
    bench->health.services = bench->rows;
    for (size_t i = 0; i < MANY; i++)
        bench->rows[i] = vts_health_service_row(&bench->health);
    vts_limits_init(&bench->limits);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_new(&options, &bench->rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_loop_new(bench->rpc, never_post, NULL, &bench->loop), VTS_OK);
    bench->router.rpc = bench->loop;
}

static void close_bench(struct bench *bench)
{
    vts_rpc_loop_free(bench->loop);
    vts_rpc_free(bench->rpc);
}

static void begin_call(struct bench *bench, const char *path, const char *content_type,
                       struct vts_str body)
{
    fake_exchange_init(&fake, VTS_METHOD_POST, path);
    fake_exchange_add_header(&fake, "content-type", content_type);
    vts_router_begin(&bench->router, &fake.exchange);
    CU_ASSERT_EQUAL(fake_exchange_give(&fake, body, SIZE_MAX), body.len);
    fake_exchange_give_end(&fake);
    fake_exchange_read_all(&fake, READ_BYTES);
}

static void expect_json(struct bench *bench, const char *method, const char *request, int code,
                        const char *text)
{
    char path[64];

    (void)snprintf(path, sizeof(path), "/grpc.health.v1.Health/%s", method);
    begin_call(bench, path, "application/json", vts_str_of(request));
    CU_ASSERT_EQUAL(fake.exchange.response.code, code);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake.body, text));
    fake_exchange_fini(&fake);
}

static void check_tells_the_state(void)
{
    struct bench bench;

    open_bench(&bench);
    expect_json(&bench, "Check", "{}", 200, "{\"status\":\"SERVING\"}");
    expect_json(&bench, "Check", "{\"service\":\"grpc.health.v1.Health\"}", 200, "\"SERVING\"");
    expect_json(&bench, "Check", "{\"service\":\"grpc.health.v1\"}", 404, "\"not_found\"");
    atomic_store(&bench.health.is_serving, false);
    expect_json(&bench, "Check", "{}", 200, "{\"status\":\"NOT_SERVING\"}");
    close_bench(&bench);
}

static void list_has_at_most_a_hundred_names(void)
{
    struct bench bench;

    open_bench(&bench);
    bench.health.services_count = MANY - 1; /* and the whole server */
    expect_json(&bench, "List", "{}", 200, "\"grpc.health.v1.Health\":{\"status\":\"SERVING\"}");
    bench.health.services_count = MANY;
    expect_json(&bench, "List", "{}", 429, "\"resource_exhausted\"");
    close_bench(&bench);
}

/* ---- watches, by gRPC -------------------------------------------------------------------- */

static const char all[] = {0, 0, 0, 0, 0};
static const char both_states[] = {0, 0, 0, 0, 2, 8, 1, 0, 0, 0, 0, 2, 8, 2};

enum { STATE_BYTES = 7 };

static void begin_watch(struct bench *bench)
{
    begin_call(bench, "/grpc.health.v1.Health/Watch", "application/grpc",
               vts_str_make(all, sizeof(all)));
}

static void watch_tells_a_change_once_and_ends_with_the_drain(void)
{
    struct bench bench;

    open_bench(&bench);
    begin_watch(&bench);
    CU_ASSERT_EQUAL(fake.body_len, STATE_BYTES);
    CU_ASSERT_FALSE(fake.is_over);
    atomic_store(&bench.health.is_serving, false);
    vts_rpc_loop_drain(bench.loop);
    fake_exchange_read_all(&fake, READ_BYTES);
    CU_ASSERT_EQUAL_FATAL(fake.body_len, sizeof(both_states));
    CU_ASSERT_EQUAL(memcmp(fake.body, both_states, sizeof(both_states)), 0);
    CU_ASSERT(fake.is_over);
    CU_ASSERT_STRING_EQUAL(fake_exchange_trailer(&fake, "grpc-status"), "14");
    fake_exchange_fini(&fake);
    close_bench(&bench);
}

static void watch_that_is_one_too_many_is_refused(void)
{
    struct bench bench;

    open_bench(&bench);
    fake_exchange_init(&fake, VTS_METHOD_POST, "/grpc.health.v1.Health/Watch");
    fake.is_full = true;
    fake_exchange_add_header(&fake, "content-type", "application/grpc");
    vts_router_begin(&bench.router, &fake.exchange);
    CU_ASSERT_EQUAL(fake_exchange_give(&fake, vts_str_make(all, sizeof(all)), SIZE_MAX),
                    sizeof(all));
    fake_exchange_give_end(&fake);
    fake_exchange_read_all(&fake, READ_BYTES);
    CU_ASSERT_EQUAL(fake.body_len, 0);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "grpc-status"), "8");
    fake_exchange_fini(&fake);
    close_bench(&bench);
}

static void watch_without_memory_fails_alone(void)
{
    struct bench bench;
    bool has_failed = true;

    open_bench(&bench);
    for (long count = 0; has_failed; count++) {
        fake_exchange_init(&fake, VTS_METHOD_POST, "/grpc.health.v1.Health/Watch");
        fake_exchange_add_header(&fake, "content-type", "application/grpc");
        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        vts_router_begin(&bench.router, &fake.exchange);
        if (fake_exchange_is_open(&fake)) {
            (void)fake_exchange_give(&fake, vts_str_make(all, sizeof(all)), SIZE_MAX);
            fake_exchange_give_end(&fake);
            fake_exchange_read_all(&fake, READ_BYTES);
        }
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT(has_failed || fake.body_len == STATE_BYTES);
        fake_exchange_fini(&fake);
    }
    close_bench(&bench);
}

static const struct vts_test tests[] = {
    {"live_answers_ok_whatever_happens", live_answers_ok_whatever_happens},
    {"ready_answers_503_once_stopping", ready_answers_503_once_stopping},
    {"check_tells_the_state", check_tells_the_state},
    {"list_has_at_most_a_hundred_names", list_has_at_most_a_hundred_names},
    {"watch_tells_a_change_once_and_ends_with_the_drain",
     watch_tells_a_change_once_and_ends_with_the_drain},
    {"watch_that_is_one_too_many_is_refused", watch_that_is_one_too_many_is_refused},
    {"watch_without_memory_fails_alone", watch_without_memory_fails_alone},
};

int main(void)
{
    return vts_test_run("test_health_service", tests, VTS_ARRAY_LEN(tests));
}
