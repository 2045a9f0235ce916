/* SPDX-License-Identifier: Apache-2.0 */
/* test_services.c - services out of descriptors, and descriptors that are not as they should be. */
#include <CUnit/CUnit.h>

#include "client/src/services.h"
#include "tests/support/suite.h"

static Google__Protobuf__MethodDescriptorProto methods[2];
static Google__Protobuf__MethodDescriptorProto *method_list[] = {&methods[0], &methods[1]};
static Google__Protobuf__MethodOptions method_options;
static Google__Protobuf__ServiceDescriptorProto service;
static Google__Protobuf__ServiceDescriptorProto *service_list[] = {&service};
static Google__Protobuf__FileDescriptorProto file;

static void make_file(void)
{
    google__protobuf__file_descriptor_proto__init(&file);
    google__protobuf__service_descriptor_proto__init(&service);
    google__protobuf__method_options__init(&method_options);
    for (size_t i = 0; i < VTS_ARRAY_LEN(methods); i++) {
        google__protobuf__method_descriptor_proto__init(&methods[i]);
        methods[i].input_type = (char *)".a.b.In";
        methods[i].output_type = (char *)".a.b.Out";
    }
    method_options.idempotency_level =
        GOOGLE__PROTOBUF__METHOD_OPTIONS__IDEMPOTENCY_LEVEL__NO_SIDE_EFFECTS;
    methods[0].name = (char *)"Get";
    methods[0].options = &method_options;
    methods[1].name = (char *)"Watch";
    methods[1].server_streaming = true;
    service.name = (char *)"S";
    service.n_method = 2;
    service.method = method_list;
    file.package = (char *)"a.b";
    file.n_service = 1;
    file.service = service_list;
}

static enum vts_err add(const char *name)
{
    struct vts_services *services = vts_services_new(1);
    enum vts_err err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(services);
    err = vts_services_add(services, &file, name);
    CU_ASSERT_EQUAL(vts_services_count(services), err == VTS_OK ? 1 : 0);
    vts_services_free(services);
    return err;
}

static void services_have_their_methods(void)
{
    struct vts_services *services = vts_services_new(1);
    const struct vts_method *method;

    make_file();
    CU_ASSERT_PTR_NOT_NULL_FATAL(services);
    CU_ASSERT_EQUAL_FATAL(vts_services_add(services, &file, "a.b.S"), VTS_OK);
    CU_ASSERT_EQUAL(vts_services_add(services, &file, "a.b.S"), VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL_FATAL(vts_services_count(services), 1);
    CU_ASSERT_STRING_EQUAL(vts_services_name(services, 0), "a.b.S");
    CU_ASSERT_EQUAL_FATAL(vts_services_method_count(services, 0), 2);
    method = vts_services_method(services, 0, 0);
    CU_ASSERT_STRING_EQUAL(method->name, "Get");
    CU_ASSERT_STRING_EQUAL(method->request_type, "a.b.In");
    CU_ASSERT_STRING_EQUAL(method->response_type, "a.b.Out");
    CU_ASSERT(method->is_repeatable && !method->is_server_streaming);
    method = vts_services_method(services, 0, 1);
    CU_ASSERT(!method->is_repeatable && method->is_server_streaming);
    CU_ASSERT(!method->is_client_streaming);
    vts_services_free(services);
}

static void services_are_found_by_their_full_names(void)
{
    make_file();
    CU_ASSERT_EQUAL(add("a.b.S"), VTS_OK);
    CU_ASSERT_EQUAL(add("S"), VTS_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(add("a.bxS"), VTS_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(add("a.b"), VTS_ERR_NOT_FOUND);
    CU_ASSERT_EQUAL(add("a.b.T"), VTS_ERR_NOT_FOUND);
    file.package = NULL;
    CU_ASSERT_EQUAL(add("S"), VTS_OK);
    service.name = NULL;
    CU_ASSERT_EQUAL(add("S"), VTS_ERR_NOT_FOUND);
}

static void services_refuse_names_that_are_none(void)
{
    make_file();
    methods[1].name = NULL;
    CU_ASSERT_EQUAL(add("a.b.S"), VTS_ERR_PROTOCOL);
    methods[1].name = (char *)"a\nb";
    CU_ASSERT_EQUAL(add("a.b.S"), VTS_ERR_PROTOCOL);
    make_file();
    methods[0].input_type = (char *)"";
    CU_ASSERT_EQUAL(add("a.b.S"), VTS_ERR_PROTOCOL);
    make_file();
    methods[0].output_type = (char *)"\x1b[2J";
    CU_ASSERT_EQUAL(add("a.b.S"), VTS_ERR_PROTOCOL);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"services_have_their_methods", services_have_their_methods},
        {"services_are_found_by_their_full_names", services_are_found_by_their_full_names},
        {"services_refuse_names_that_are_none", services_refuse_names_that_are_none},
    };

    return vts_test_run("services", tests, VTS_ARRAY_LEN(tests));
}
