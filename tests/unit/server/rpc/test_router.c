/* SPDX-License-Identifier: Apache-2.0 */
/* test_router.c - who answers which request, and how the others are refused. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "server/rpc/router.h"
#include "tests/support/suite.h"
#include "tests/unit/server/fake_exchange.h"
#include "vtstatus/v1/status_service.pb-c.h"

/* Answers with a code that tells which route it was. */
static void answer(void *code, struct vts_exchange *exchange)
{
    exchange->response.code = *(const int *)code;
    vts_exchange_send(exchange);
}

static int code_one = 201;
static int code_below = 202;
static int code_post = 203;

static const struct vts_route routes[] = {
    {"/one", "GET, HEAD", VTS_ROUTES_READ, answer, &code_one},
    {"/below/", "GET, HEAD", VTS_ROUTES_READ, answer, &code_below},
    {"/post", "POST", 1u << VTS_METHOD_POST, answer, &code_post},
};

static const ProtobufCServiceDescriptor *const services[] = {
    &vtstatus__v1__status_service__descriptor};

static struct vts_router router = {.routes = routes,
                                   .routes_count = VTS_ARRAY_LEN(routes),
                                   .services = services,
                                   .services_count = VTS_ARRAY_LEN(services)};

static struct fake_exchange fake;

static int route(enum vts_method method, const char *target)
{
    fake_exchange_init(&fake, method, target);
    vts_router_handle(&router, &fake.exchange);
    CU_ASSERT_EQUAL(fake.sent_count, 1);
    fake_exchange_fini(&fake);
    return fake.exchange.response.code;
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
        {"/below", 404}, {"/belowa", 404},  {"/", 404},        {"*", 404},
        {"", 404},       {"?x", 404},       {"one", 404},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(route(VTS_METHOD_GET, rows[i].target), rows[i].code);
}

static void method_not_of_the_route_is_refused_with_allow(void)
{
    for (int method = VTS_METHOD_GET; method < VTS_METHOD_OTHER; method++) {
        bool reads = method == VTS_METHOD_GET || method == VTS_METHOD_HEAD;

        CU_ASSERT_EQUAL(route((enum vts_method)method, "/one"), reads ? 201 : 405);
        if (!reads)
            CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "allow"), "GET, HEAD");
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
    CU_ASSERT_EQUAL(route(VTS_METHOD_POST, "/nowhere"), 404);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake.body, "\"code\":\"not_found\""));
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "application/json");
}

static void method_of_a_known_service_is_unimplemented(void)
{
    CU_ASSERT_EQUAL(route(VTS_METHOD_POST, "/vtstatus.v1.StatusService/GetStatus"), 501);
    CU_ASSERT_PTR_NOT_NULL(strstr(fake.body, "\"code\":\"unimplemented\""));
    CU_ASSERT_EQUAL(route(VTS_METHOD_GET, "/vtstatus.v1.StatusService/GetStatus"), 405);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "allow"), "POST");
}

static void near_misses_of_a_known_service_are_not_found(void)
{
    static const char *const targets[] = {
        "/vtstatus.v1.StatusService",           "/vtstatus.v1.StatusService/",
        "/vtstatus.v1.StatusService/getStatus", "/vtstatus.v1.StatusService/GetStatus/",
        "/vtstatus.v1.Other/GetStatus",         "vtstatus.v1.StatusService/GetStatus",
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(targets); i++)
        CU_ASSERT_EQUAL(route(VTS_METHOD_POST, targets[i]), 404);
}

static void grpc_call_is_refused_in_grpc(void)
{
    static const struct {
        const char *content_type;
        bool is_grpc;
    } rows[] = {
        {"application/grpc", true},         {"application/grpc+proto", true},
        {"application/grpc;charset", true}, {"application/grpc-web", false},
        {"application/grpcx", false},       {"application/json", false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        fake_exchange_init(&fake, VTS_METHOD_POST, "/a.B/C");
        fake_exchange_set(&fake, VTS_FIELD_CONTENT_TYPE, rows[i].content_type);
        vts_router_handle(&router, &fake.exchange);
        CU_ASSERT_EQUAL(fake.exchange.response.code, rows[i].is_grpc ? 200 : 404);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "grpc-status"),
                               rows[i].is_grpc ? "12" : "(none)");
        if (rows[i].is_grpc)
            CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "application/grpc");
        fake_exchange_fini(&fake);
    }
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

        fake_exchange_init(&fake, VTS_METHOD_GET, "/one");
        fake.exchange.request.fault = rows[i].fault;
        fake.exchange.request.fault_text = "it is wrong";
        vts_router_handle(&router, &fake.exchange);
        (void)snprintf(expected, sizeof(expected), "{\"code\":\"%s\",\"message\":\"it is wrong\"}",
                       rows[i].word);
        CU_ASSERT_EQUAL(fake.exchange.response.code, rows[i].fault);
        CU_ASSERT_STRING_EQUAL(fake.body, expected);
        fake_exchange_fini(&fake);
    }
}

static const struct vts_test tests[] = {
    {"path_finds_its_route_and_no_other", path_finds_its_route_and_no_other},
    {"method_not_of_the_route_is_refused_with_allow",
     method_not_of_the_route_is_refused_with_allow},
    {"method_that_is_not_known_is_unimplemented", method_that_is_not_known_is_unimplemented},
    {"path_that_is_nowhere_is_not_found", path_that_is_nowhere_is_not_found},
    {"method_of_a_known_service_is_unimplemented", method_of_a_known_service_is_unimplemented},
    {"near_misses_of_a_known_service_are_not_found", near_misses_of_a_known_service_are_not_found},
    {"grpc_call_is_refused_in_grpc", grpc_call_is_refused_in_grpc},
    {"fault_of_http_is_answered_before_routing", fault_of_http_is_answered_before_routing},
};

int main(void)
{
    return vts_test_run("test_router", tests, VTS_ARRAY_LEN(tests));
}
