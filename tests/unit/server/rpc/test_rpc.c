/* SPDX-License-Identifier: Apache-2.0 */
/* test_rpc.c - the table of methods: what it takes from rows and descriptors, and what it refuses.
 */
#include "server/rpc/rpc.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy.h"
#include "toy.pb-c.h"

static struct toy toy;
static struct vts_limits limits;

static enum vts_err make(const struct vts_service_row *services, size_t count,
                         struct vts_rpc **ret_rpc, struct vts_error *error)
{
    const struct vts_rpc_options options = {.descriptor_set = vts_str_make(toy_set, toy_set_len),
                                            .services = services,
                                            .services_count = count,
                                            .limits = &limits};

    vts_limits_init(&limits);
    return vts_rpc_new(&options, ret_rpc, error);
}

static void table_has_every_method_with_what_the_proto_says(void)
{
    static const struct {
        const char *path;
        enum vts_rpc_kind kind;
        bool is_safe;
        bool has_handler;
        size_t max_bytes;
    } rows[] = {
        {"/toy.v1.ToyService/Unary", VTS_RPC_UNARY, false, true, 1048576},
        {"/toy.v1.ToyService/Read", VTS_RPC_UNARY, true, true, 1048576},
        {"/toy.v1.ToyService/Collect", VTS_RPC_CLIENT_STREAM, false, true, 1048576},
        {"/toy.v1.ToyService/Repeat", VTS_RPC_SERVER_STREAM, false, true, 1048576},
        {"/toy.v1.ToyService/Chat", VTS_RPC_BIDI_STREAM, false, true, 1048576},
        {"/toy.v1.ToyService/Small", VTS_RPC_UNARY, false, true, TOY_SMALL_MAX_BYTES},
        {"/toy.v1.ToyService/Show", VTS_RPC_UNARY, false, true, 1048576},
        {"/toy.v1.ToyService/Missing", VTS_RPC_UNARY, false, false, 1048576},
    };
    const struct vts_service_row service = toy_row(&toy);
    struct vts_rpc *rpc = NULL;

    CU_ASSERT_EQUAL_FATAL(make(&service, 1, &rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL(rpc->methods_count, VTS_ARRAY_LEN(rows));
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        const struct vts_rpc_method *method = vts_rpc_find_method(rpc, vts_str_of(rows[i].path));

        CU_ASSERT_PTR_NOT_NULL_FATAL(method);
        CU_ASSERT_STRING_EQUAL(method->path, rows[i].path);
        CU_ASSERT_EQUAL(method->kind, rows[i].kind);
        CU_ASSERT_EQUAL(method->is_safe, rows[i].is_safe);
        CU_ASSERT_EQUAL(method->handler != NULL, rows[i].has_handler);
        CU_ASSERT_EQUAL(method->request_max_bytes, rows[i].max_bytes);
        CU_ASSERT_PTR_EQUAL(method->context, &toy);
        CU_ASSERT_PTR_EQUAL(method->input, &toy__v1__ask__descriptor);
        CU_ASSERT_PTR_EQUAL(method->output, &toy__v1__tell__descriptor);
    }
    vts_rpc_free(rpc);
}

static void kinds_know_their_sides(void)
{
    static const struct {
        enum vts_rpc_kind kind;
        bool has_one_request;
        bool has_one_response;
    } rows[] = {
        {VTS_RPC_UNARY, true, true},
        {VTS_RPC_CLIENT_STREAM, false, true},
        {VTS_RPC_SERVER_STREAM, true, false},
        {VTS_RPC_BIDI_STREAM, false, false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        const struct vts_rpc_method method = {.kind = rows[i].kind};

        CU_ASSERT_EQUAL(vts_rpc_has_one_request(&method), rows[i].has_one_request);
        CU_ASSERT_EQUAL(vts_rpc_has_one_response(&method), rows[i].has_one_response);
    }
}

static void path_that_is_no_method_is_not_found(void)
{
    static const char *const paths[] = {"",
                                        "/",
                                        "/toy.v1.ToyService/",
                                        "/toy.v1.ToyService/unary",
                                        "/toy.v1.ToyService/Unaryx",
                                        "/toy.v1.ToyService/Unar",
                                        "/zzz.v1.ToyService/Unary",
                                        "/aaa.v1.ToyService/Unary",
                                        "toy.v1.ToyService/Unary",
                                        "/toy.v1.ToyService/Zzzzz"};
    const struct vts_service_row service = toy_row(&toy);
    struct vts_rpc *rpc = NULL;

    CU_ASSERT_EQUAL_FATAL(make(&service, 1, &rpc, NULL), VTS_OK);
    for (size_t i = 0; i < VTS_ARRAY_LEN(paths); i++)
        CU_ASSERT_PTR_NULL(vts_rpc_find_method(rpc, vts_str_of(paths[i])));
    vts_rpc_free(rpc);
}

static void row_of_a_method_that_is_not_there_is_refused(void)
{
    const struct vts_method_row rows[] = {{.name = "Unari", .handler = NULL}};
    struct vts_service_row service = toy_row(&toy);
    struct vts_rpc *rpc = NULL;
    struct vts_error error;

    service.methods = rows;
    service.methods_count = VTS_ARRAY_LEN(rows);
    CU_ASSERT_EQUAL(make(&service, 1, &rpc, &error), VTS_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(error.text, "toy.v1.ToyService has no method Unari");
    CU_ASSERT_PTR_NULL(rpc);
}

static void service_that_the_set_does_not_have_is_refused(void)
{
    ProtobufCServiceDescriptor other = toy__v1__toy_service__descriptor;
    struct vts_service_row service = toy_row(&toy);
    struct vts_rpc *rpc = NULL;
    struct vts_error error;

    other.name = "toy.v1.Other";
    service.descriptor = &other;
    CU_ASSERT_EQUAL(make(&service, 1, &rpc, &error), VTS_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "toy.v1.Other"));
}

static void larger_limit_of_a_row_is_the_servers(void)
{
    const struct vts_method_row rows[] = {{.name = "Unary", .request_max_bytes = 1u << 30}};
    struct vts_service_row service = toy_row(&toy);
    struct vts_rpc *rpc = NULL;

    service.methods = rows;
    service.methods_count = VTS_ARRAY_LEN(rows);
    CU_ASSERT_EQUAL_FATAL(make(&service, 1, &rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL(
        vts_rpc_find_method(rpc, vts_str_of("/toy.v1.ToyService/Unary"))->request_max_bytes,
        1048576);
    vts_rpc_free(rpc);
}

static void set_that_is_none_is_refused(void)
{
    const struct vts_rpc_options options = {.descriptor_set = vts_str_of("rubbish"),
                                            .limits = &limits};
    struct vts_rpc *rpc = NULL;
    struct vts_error error;

    CU_ASSERT_EQUAL(vts_rpc_new(&options, &rpc, &error), VTS_ERR_INVALID);
    CU_ASSERT_PTR_NOT_NULL(strstr(error.text, "descriptor set"));
}

static void without_services_there_are_no_methods(void)
{
    struct vts_rpc *rpc = NULL;

    CU_ASSERT_EQUAL_FATAL(make(NULL, 0, &rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL(rpc->methods_count, 0);
    CU_ASSERT_PTR_NULL(vts_rpc_find_method(rpc, vts_str_of("/toy.v1.ToyService/Unary")));
    vts_rpc_free(rpc);
    vts_rpc_free(NULL);
}

static void table_without_memory_is_none(void)
{
    const struct vts_service_row service = toy_row(&toy);

    for (long count = 0;; count++) {
        struct vts_rpc *rpc = NULL;
        struct vts_error error = {.text = ""};
        enum vts_err err;

        (void)vts_mem_fail_after(count);
        err = make(&service, 1, &rpc, &error);
        if (vts_mem_fail_after(-1) == 0) {
            CU_ASSERT_EQUAL_FATAL(err, VTS_OK);
            vts_rpc_free(rpc);
            break;
        }
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
        CU_ASSERT_STRING_NOT_EQUAL(error.text, "");
    }
}

static const struct vts_test tests[] = {
    {"table_has_every_method_with_what_the_proto_says",
     table_has_every_method_with_what_the_proto_says},
    {"kinds_know_their_sides", kinds_know_their_sides},
    {"path_that_is_no_method_is_not_found", path_that_is_no_method_is_not_found},
    {"row_of_a_method_that_is_not_there_is_refused", row_of_a_method_that_is_not_there_is_refused},
    {"service_that_the_set_does_not_have_is_refused",
     service_that_the_set_does_not_have_is_refused},
    {"larger_limit_of_a_row_is_the_servers", larger_limit_of_a_row_is_the_servers},
    {"set_that_is_none_is_refused", set_that_is_none_is_refused},
    {"without_services_there_are_no_methods", without_services_there_are_no_methods},
    {"table_without_memory_is_none", table_without_memory_is_none},
};

int main(void)
{
    return vts_test_run("test_rpc", tests, VTS_ARRAY_LEN(tests));
}
