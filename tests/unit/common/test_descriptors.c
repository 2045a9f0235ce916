/* SPDX-License-Identifier: Apache-2.0 */
/* test_descriptors.c - facts of every_type.proto and of the product's own services. */
#include "common/wire/descriptors.h"

#include <CUnit/CUnit.h>
#include <stdio.h>

#include "common/base/mem.h"
#include "descriptor_set.h"
#include "tests/support/every_type.h"
#include "tests/support/suite.h"

static const struct vts_message_facts *find_message(const char *name)
{
    return vts_descriptors_find_message(vts_test_every_type()->descriptors, name);
}

static void descriptors_unknown_names_are_not_found(void)
{
    static const char *const names[] = {"",   "vtstest", "Maps", ".vtstest.Maps", "vtstest.Maps.",
                                        "zzz"};
    const struct vts_message_facts *maps = find_message("vtstest.Maps");

    for (size_t i = 0; i < VTS_ARRAY_LEN(names); i++)
        CU_ASSERT_PTR_NULL(find_message(names[i]));
    CU_ASSERT_PTR_NULL(
        vts_descriptors_find_service(vts_test_every_type()->descriptors, "vtstest.Maps"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(maps);
    CU_ASSERT_PTR_NULL(vts_descriptors_find_field(maps, 99));
    CU_ASSERT_PTR_NULL(vts_descriptors_find_field_named(maps, vts_str_of("byStrin")));
    CU_ASSERT_PTR_NULL(vts_descriptors_find_field_named(maps, vts_str_of("byString2")));
    CU_ASSERT_PTR_NULL(vts_descriptors_find_field_named(maps, vts_str_of("")));
}

static void descriptors_fields_have_both_names(void)
{
    static const struct {
        const char *name;
        const char *json_name;
        uint32_t number;
    } rows[] = {
        {"a__b", "aB", 1},
        {"x_1", "x1", 2},
        {"_lead", "Lead", 3},
        {"trail_", "trail", 4},
        {"job_id", "jobId", 5},
        {"mixedCase_name", "mixedCaseName", 6},
        {"renamed", "@other-name", 7},
    };
    const struct vts_message_facts *names = find_message("vtstest.OddNames");

    CU_ASSERT_PTR_NOT_NULL_FATAL(names);
    CU_ASSERT_EQUAL(names->field_count, VTS_ARRAY_LEN(rows));
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        const struct vts_field_facts *field = vts_descriptors_find_field(names, rows[i].number);

        CU_ASSERT_PTR_NOT_NULL_FATAL(field);
        CU_ASSERT_STRING_EQUAL(field->name, rows[i].name);
        CU_ASSERT_STRING_EQUAL(field->json_name, rows[i].json_name);
        CU_ASSERT_PTR_EQUAL(vts_descriptors_find_field_named(names, vts_str_of(rows[i].name)),
                            field);
        CU_ASSERT_PTR_EQUAL(vts_descriptors_find_field_named(names, vts_str_of(rows[i].json_name)),
                            field);
    }
}

static void descriptors_maps_differ_from_lists(void)
{
    const struct vts_message_facts *maps = find_message("vtstest.Maps");
    const struct vts_message_facts *lists = find_message("vtstest.Lists");
    const struct vts_message_facts *fields = find_message("google.protobuf.Struct");

    CU_ASSERT_PTR_NOT_NULL_FATAL(maps);
    CU_ASSERT_PTR_NOT_NULL_FATAL(lists);
    CU_ASSERT_PTR_NOT_NULL_FATAL(fields);
    CU_ASSERT_EQUAL(maps->field_count, 12);
    for (uint32_t i = 0; i < maps->field_count; i++)
        CU_ASSERT(maps->fields[i].is_map);
    for (uint32_t i = 0; i < lists->field_count; i++)
        CU_ASSERT(!lists->fields[i].is_map);
    CU_ASSERT(fields->fields[0].is_map);
    CU_ASSERT(find_message("google.protobuf.Struct.FieldsEntry")->is_map_entry);
    CU_ASSERT(!maps->is_map_entry);
}

static void descriptors_methods_have_their_kinds(void)
{
    static const struct {
        const char *name;
        bool client_streaming;
        bool server_streaming;
        enum vts_idempotency idempotency;
    } rows[] = {
        {"Unary", false, false, VTS_IDEMPOTENCY_UNKNOWN},
        {"ClientStream", true, false, VTS_IDEMPOTENCY_IDEMPOTENT},
        {"ServerStream", false, true, VTS_IDEMPOTENCY_NO_SIDE_EFFECTS},
        {"BothStream", true, true, VTS_IDEMPOTENCY_UNKNOWN},
    };
    const struct vts_service_facts *kinds =
        vts_descriptors_find_service(vts_test_every_type()->descriptors, "vtstest.Kinds");

    CU_ASSERT_PTR_NOT_NULL_FATAL(kinds);
    CU_ASSERT_EQUAL(kinds->method_count, VTS_ARRAY_LEN(rows));
    for (uint32_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        const struct vts_method_facts *method = vts_descriptors_find_method(kinds, rows[i].name);

        CU_ASSERT_PTR_EQUAL_FATAL(method, &kinds->methods[i]);
        CU_ASSERT_EQUAL(method->client_streaming, rows[i].client_streaming);
        CU_ASSERT_EQUAL(method->server_streaming, rows[i].server_streaming);
        CU_ASSERT_EQUAL(method->idempotency, rows[i].idempotency);
        CU_ASSERT_STRING_EQUAL(method->input, "vtstest.Whole");
        CU_ASSERT_STRING_EQUAL(method->output, "vtstest.Lists");
    }
    CU_ASSERT_PTR_NULL(vts_descriptors_find_method(kinds, "unary"));
}

static void descriptors_of_the_product_are_read(void)
{
    struct vts_descriptors *descriptors = NULL;
    const struct vts_service_facts *service;

    CU_ASSERT_EQUAL_FATAL(
        vts_descriptors_new(vts_str_make(vts_descriptor_set, vts_descriptor_set_len), &descriptors),
        VTS_OK);
    service = vts_descriptors_find_service(descriptors, "vtstatus.v1.StatusService");
    CU_ASSERT_PTR_NOT_NULL_FATAL(service);
    CU_ASSERT(vts_descriptors_find_method(service, "WatchStatus")->server_streaming);
    CU_ASSERT_EQUAL(vts_descriptors_find_method(service, "GetStatus")->idempotency,
                    VTS_IDEMPOTENCY_NO_SIDE_EFFECTS);
    vts_descriptors_free(descriptors);
}

static void descriptors_broken_sets_are_refused(void)
{
    /* A field without a JSON name: file {message {name "A" field {name "b" number 1}}}. */
    static const char no_json_name[] =
        "\x0a\x0c\x22\x0a\x0a\x01"
        "A\x12\x05\x0a\x01"
        "b\x18\x01";
    struct vts_str set = vts_test_every_type_set();
    struct vts_descriptors *descriptors = NULL;

    CU_ASSERT_EQUAL(vts_descriptors_new(vts_str_of("\xff"), &descriptors), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(vts_descriptors_new(vts_str_make(set.ptr, set.len - 1), &descriptors),
                    VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(
        vts_descriptors_new(vts_str_make(no_json_name, sizeof(no_json_name) - 1), &descriptors),
        VTS_ERR_INVALID);
    CU_ASSERT_PTR_NULL(descriptors);
    vts_descriptors_free(NULL);
}

static void descriptors_of_nothing_are_empty(void)
{
    struct vts_descriptors *descriptors = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_descriptors_new(vts_str_of(""), &descriptors), VTS_OK);
    CU_ASSERT_PTR_NULL(vts_descriptors_find_message(descriptors, "a.B"));
    CU_ASSERT_PTR_NULL(vts_descriptors_find_service(descriptors, "a.B"));
    vts_descriptors_free(descriptors);
}

static void descriptors_without_memory_fail(void)
{
    struct vts_str set = vts_str_make(vts_descriptor_set, vts_descriptor_set_len);
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_descriptors *descriptors = NULL;
        enum vts_err err;

        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        err = vts_descriptors_new(set, &descriptors);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        vts_descriptors_free(descriptors);
    }
}

static const struct vts_test tests[] = {
    {"descriptors_unknown_names_are_not_found", descriptors_unknown_names_are_not_found},
    {"descriptors_fields_have_both_names", descriptors_fields_have_both_names},
    {"descriptors_maps_differ_from_lists", descriptors_maps_differ_from_lists},
    {"descriptors_methods_have_their_kinds", descriptors_methods_have_their_kinds},
    {"descriptors_of_the_product_are_read", descriptors_of_the_product_are_read},
    {"descriptors_broken_sets_are_refused", descriptors_broken_sets_are_refused},
    {"descriptors_of_nothing_are_empty", descriptors_of_nothing_are_empty},
    {"descriptors_without_memory_fail", descriptors_without_memory_fail},
};

int main(void)
{
    return vts_test_run("test_descriptors", tests, VTS_ARRAY_LEN(tests));
}
