/* SPDX-License-Identifier: Apache-2.0 */
/* test_router.c - who answers which request, and how the others are refused. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy_bench.h"

/* Answers with a code that tells which route it was. */
static void answer(void *code, struct vts_exchange *exchange)
{
    exchange->response.code = *(const int *)code;
    vts_exchange_send(exchange);
}

static int code_one = 201;
static int code_below = 202;
static int code_post = 203;

/* For requests that would rather wait. */
static bool is_held(const struct vts_exchange *exchange)
{
    return exchange->request.fields[VTS_FIELD_PREFER].ptr != NULL;
}

static struct vts_rpc_loop *begun_in;

static void begin_early(void *code, struct vts_rpc_loop *loop, struct vts_exchange *exchange)
{
    begun_in = loop;
    exchange->response.code = *(const int *)code + 10;
    vts_exchange_send(exchange);
}

static const struct vts_route routes[] = {
    {.path = "/one",
     .allow = "GET, HEAD",
     .methods = VTS_ROUTES_READ,
     .handle = answer,
     .context = &code_one},
    {.path = "/below/",
     .allow = "GET, HEAD",
     .methods = VTS_ROUTES_READ,
     .handle = answer,
     .context = &code_below,
     .is_for_pages = true,
     .is_held = is_held,
     .begin = begin_early},
    {.path = "/post",
     .allow = "POST",
     .methods = 1u << VTS_METHOD_POST,
     .handle = answer,
     .context = &code_post},
};

static struct toy_bench bench;

/* Both steps, as a connection takes them; content_type may be NULL. Leaves the exchange open. */
static int route_with(enum vts_method method, const char *target, const char *content_type)
{
    toy_bench_open(&bench, NULL);
    bench.router.routes = routes;
    bench.router.routes_count = VTS_ARRAY_LEN(routes);
    toy_bench_make(&bench, target, content_type);
    bench.fake.exchange.request.method = method;
    toy_bench_begin(&bench);
    toy_bench_end(&bench);
    toy_bench_read(&bench);
    CU_ASSERT_EQUAL(bench.fake.sent_count + bench.fake.started_count, 1);
    return bench.fake.exchange.response.code;
}

static int route(enum vts_method method, const char *target)
{
    int code = route_with(method, target, NULL);

    toy_bench_close(&bench);
    return code;
}

static void path_finds_its_route_and_no_other(void)
{
    static const struct {
        const char *target;
        int code;
    } rows[] = {
        {"/one", 201},   {"/one?x=y", 201}, {"/one/", 404},    {"/One", 404},
        {"/on", 404},    {"/ones", 404},    {"/%6fne", 404},   {"//one", 404},
        {"/./one", 404}, {"/below/", 202},  {"/below/a", 202}, {"/below/a/b?c", 202},
        {"/below", 404}, {"/belowa", 404},  {"/", 404},        {"/?x", 404},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(route(VTS_METHOD_GET, rows[i].target), rows[i].code);
}

static void method_not_of_the_route_is_refused_with_allow(void)
{
    for (int method = VTS_METHOD_GET; method < VTS_METHOD_OTHER; method++) {
        bool reads = method == VTS_METHOD_GET || method == VTS_METHOD_HEAD;

        CU_ASSERT_EQUAL(route_with((enum vts_method)method, "/one", NULL), reads ? 201 : 405);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "allow"),
                               reads ? "(none)" : "GET, HEAD");
        toy_bench_close(&bench);
        CU_ASSERT_EQUAL(route((enum vts_method)method, "/post"),
                        method == VTS_METHOD_POST ? 203 : 405);
    }
}

static void method_that_is_not_known_is_unimplemented(void)
{
    CU_ASSERT_EQUAL(route(VTS_METHOD_OTHER, "/one"), 501);
    CU_ASSERT_EQUAL(route(VTS_METHOD_OTHER, "/nowhere"), 501);
}

static void path_that_is_nowhere_is_not_found(void)
{
    CU_ASSERT_EQUAL(route_with(VTS_METHOD_POST, "/nowhere", NULL), 404);
    CU_ASSERT_PTR_NOT_NULL(strstr(bench.fake.body, "\"code\":\"not_found\""));
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "content-type"), "application/json");
    toy_bench_close(&bench);
}

static void path_without_a_slash_is_not_found(void)
{
    static const char *const targets[] = {"*", "", "?x", "one", "toy.v1.ToyService/Unary"};

    toy_bench_open(&bench, NULL);
    bench.router.routes = routes;
    bench.router.routes_count = VTS_ARRAY_LEN(routes);
    for (size_t i = 0; i < VTS_ARRAY_LEN(targets); i++) {
        toy_bench_make(&bench, "Unary", "application/json");
        vts_request_set_target(&bench.fake.exchange.request, vts_str_of(targets[i]));
        toy_bench_begin(&bench);
        toy_bench_end(&bench);
        CU_ASSERT_EQUAL(bench.fake.sent_count, 1);
        CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 404);
    }
    toy_bench_close(&bench);
}

static void method_that_nobody_implements_is_unimplemented(void)
{
    CU_ASSERT_EQUAL(route_with(VTS_METHOD_POST, "/toy.v1.ToyService/Missing", "application/json"),
                    501);
    CU_ASSERT_PTR_NOT_NULL(strstr(bench.fake.body, "\"code\":\"unimplemented\""));
    toy_bench_close(&bench);
    CU_ASSERT_EQUAL(route_with(VTS_METHOD_GET, "/toy.v1.ToyService/Missing", NULL), 405);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "allow"), "POST");
    toy_bench_close(&bench);
}

static void near_misses_of_a_method_are_not_found(void)
{
    static const char *const targets[] = {
        "/toy.v1.ToyService",        "/toy.v1.ToyService/",  "/toy.v1.ToyService/unary",
        "/toy.v1.ToyService/Unary/", "/toy.v1.Other/Unary",  "//toy.v1.ToyService/Unary",
        "/toy.v1.ToyService//Unary", "/toy.v1.ToyService/U", "/toy.v1.ToyService/%55nary",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(targets); i++)
        CU_ASSERT_EQUAL(route(VTS_METHOD_POST, targets[i]), 404);
}

static void call_takes_precedence_over_a_route(void)
{
    static const struct vts_route all[] = {{.path = "/",
                                            .allow = "GET, HEAD, POST",
                                            .methods = VTS_ROUTES_READ | 1u << VTS_METHOD_POST,
                                            .handle = answer,
                                            .context = &code_below}};

    toy_bench_open(&bench, &(struct toy_script){.on_message = toy_answer});
    bench.router.routes = all;
    bench.router.routes_count = VTS_ARRAY_LEN(all);
    toy_bench_start(&bench, "Unary", "application/proto");
    toy_bench_call(&bench, "hello");
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 200);
    toy_bench_start(&bench, "/toy.v1.ToyService/Other", "application/json");
    toy_bench_end(&bench);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 202);
    toy_bench_close(&bench);
}

/* Both steps again, of a request that would rather wait. */
static int route_held(enum vts_method method, const char *target)
{
    begun_in = NULL;
    toy_bench_make(&bench, target, NULL);
    bench.fake.exchange.request.method = method;
    fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, "wait=1");
    toy_bench_begin(&bench);
    toy_bench_end(&bench);
    CU_ASSERT_EQUAL(bench.fake.sent_count, 1);
    return bench.fake.exchange.response.code;
}

static void request_that_is_held_is_begun_and_not_handled(void)
{
    toy_bench_open(&bench, NULL);
    bench.router.routes = routes;
    bench.router.routes_count = VTS_ARRAY_LEN(routes);
    CU_ASSERT_EQUAL(route_held(VTS_METHOD_GET, "/below/a"), 212);
    CU_ASSERT_PTR_EQUAL(begun_in, bench.loop);
    CU_ASSERT_EQUAL(route_held(VTS_METHOD_HEAD, "/below/a?b"), 212);
    CU_ASSERT_EQUAL(route_held(VTS_METHOD_GET, "/one"), 201);
    CU_ASSERT_EQUAL(route_held(VTS_METHOD_PUT, "/below/a"), 405);
    CU_ASSERT_EQUAL(route_held(VTS_METHOD_GET, "/below/a?connect=v1"), 404); /* it means a call */
    CU_ASSERT_EQUAL(route_held(VTS_METHOD_GET, "/nowhere"), 404);
    CU_ASSERT_PTR_NULL(begun_in);
    toy_bench_close(&bench);
}

/* Who may read what stands at the path: "(none)" or the origin. */
static const char *reader_of(enum vts_method method, const char *target, const char *prefer)
{
    toy_bench_make(&bench, target, NULL);
    bench.fake.exchange.request.method = method;
    fake_exchange_set(&bench.fake, VTS_FIELD_ORIGIN, "https://a.example");
    if (prefer != NULL)
        fake_exchange_set(&bench.fake, VTS_FIELD_PREFER, prefer);
    toy_bench_begin(&bench);
    toy_bench_end(&bench);
    return fake_exchange_field(&bench.fake, "access-control-allow-origin");
}

static void route_is_read_by_pages_of_others_where_it_says_so(void)
{
    toy_bench_open_with(&bench, NULL, NULL, "https://a.example");
    bench.router.routes = routes;
    bench.router.routes_count = VTS_ARRAY_LEN(routes);
    CU_ASSERT_STRING_EQUAL(reader_of(VTS_METHOD_GET, "/below/a", NULL), "https://a.example");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "vary"), "origin");
    CU_ASSERT_STRING_EQUAL(reader_of(VTS_METHOD_GET, "/below/a", "wait=1"), "https://a.example");
    CU_ASSERT_STRING_EQUAL(reader_of(VTS_METHOD_PUT, "/below/a", NULL), "https://a.example");
    CU_ASSERT_STRING_EQUAL(reader_of(VTS_METHOD_GET, "/one", NULL), "(none)");
    toy_bench_close(&bench);
    toy_bench_open_with(&bench, NULL, NULL, "https://b.example");
    bench.router.routes = routes;
    bench.router.routes_count = VTS_ARRAY_LEN(routes);
    CU_ASSERT_STRING_EQUAL(reader_of(VTS_METHOD_GET, "/below/a", NULL), "(none)");
    CU_ASSERT_STRING_EQUAL(reader_of(VTS_METHOD_GET, "/below/a", "wait=1"), "(none)");
    toy_bench_close(&bench);
}

static void fault_of_http_is_answered_before_routing(void)
{
    static const struct {
        int fault;
        const char *word;
    } rows[] = {
        {400, "invalid_argument"},   {408, "deadline_exceeded"}, {413, "resource_exhausted"},
        {414, "resource_exhausted"}, {417, "invalid_argument"},  {431, "resource_exhausted"},
        {505, "unimplemented"},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        char expected[128];

        toy_bench_open(&bench, NULL);
        toy_bench_make(&bench, "/one", NULL);
        bench.fake.exchange.request.fault = rows[i].fault;
        bench.fake.exchange.request.fault_text = "it is wrong";
        vts_router_handle(&bench.router, &bench.fake.exchange);
        (void)snprintf(expected, sizeof(expected), "{\"code\":\"%s\",\"message\":\"it is wrong\"}",
                       rows[i].word);
        CU_ASSERT_EQUAL(bench.fake.exchange.response.code, rows[i].fault);
        CU_ASSERT_STRING_EQUAL(bench.fake.body, expected);
        toy_bench_close(&bench);
    }
}

static const struct vts_test tests[] = {
    {"path_finds_its_route_and_no_other", path_finds_its_route_and_no_other},
    {"method_not_of_the_route_is_refused_with_allow",
     method_not_of_the_route_is_refused_with_allow},
    {"method_that_is_not_known_is_unimplemented", method_that_is_not_known_is_unimplemented},
    {"path_that_is_nowhere_is_not_found", path_that_is_nowhere_is_not_found},
    {"path_without_a_slash_is_not_found", path_without_a_slash_is_not_found},
    {"method_that_nobody_implements_is_unimplemented",
     method_that_nobody_implements_is_unimplemented},
    {"near_misses_of_a_method_are_not_found", near_misses_of_a_method_are_not_found},
    {"call_takes_precedence_over_a_route", call_takes_precedence_over_a_route},
    {"request_that_is_held_is_begun_and_not_handled",
     request_that_is_held_is_begun_and_not_handled},
    {"route_is_read_by_pages_of_others_where_it_says_so",
     route_is_read_by_pages_of_others_where_it_says_so},
    {"fault_of_http_is_answered_before_routing", fault_of_http_is_answered_before_routing},
};

int main(void)
{
    return vts_test_run("test_router", tests, VTS_ARRAY_LEN(tests));
}
