/* SPDX-License-Identifier: Apache-2.0 */
/* test_descriptor_files.c - who declares what in symbols.proto and the product's own files. */
#include "common/wire/descriptor_files.h"

#include <CUnit/CUnit.h>

#include "common/base/mem.h"
#include "descriptor_set.h"
#include "google/protobuf/descriptor.pb-c.h"
#include "tests/support/suite.h"
#include "tests/unit/common/symbols_set.h"

static struct vts_descriptor_files *make(void)
{
    struct vts_descriptor_files *files = NULL;

    CU_ASSERT_EQUAL_FATAL(
        vts_descriptor_files_new(vts_str_make(symbols_set, symbols_set_len), &files), VTS_OK);
    return files;
}

static const char *name_of(const struct vts_descriptor_file *file)
{
    return file == NULL ? "(none)" : file->name;
}

static void files_are_found_by_their_names(void)
{
    static const char *const names[] = {"symbols_base.proto", "symbols_middle.proto",
                                        "symbols.proto"};
    struct vts_descriptor_files *files = make();

    CU_ASSERT_EQUAL(vts_descriptor_files_count(files), VTS_ARRAY_LEN(names));
    for (size_t i = 0; i < VTS_ARRAY_LEN(names); i++)
        CU_ASSERT_STRING_EQUAL(name_of(vts_descriptor_files_find(files, names[i])), names[i]);
    CU_ASSERT_PTR_NULL(vts_descriptor_files_find(files, "symbols"));
    CU_ASSERT_PTR_NULL(vts_descriptor_files_find(files, "./symbols.proto"));
    CU_ASSERT_PTR_NULL(vts_descriptor_files_find(files, ""));
    vts_descriptor_files_free(files);
}

static void files_have_their_own_bytes(void)
{
    struct vts_descriptor_files *files = make();
    const struct vts_descriptor_file *file = vts_descriptor_files_find(files, "symbols.proto");
    Google__Protobuf__FileDescriptorProto *proto;

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    proto = google__protobuf__file_descriptor_proto__unpack(NULL, file->bytes.len,
                                                            (const uint8_t *)file->bytes.ptr);
    CU_ASSERT_PTR_NOT_NULL_FATAL(proto);
    CU_ASSERT_STRING_EQUAL(proto->name, "symbols.proto");
    CU_ASSERT_EQUAL(proto->n_message_type, 1);
    CU_ASSERT_EQUAL(proto->n_service, 1);
    google__protobuf__file_descriptor_proto__free_unpacked(proto, NULL);
    vts_descriptor_files_free(files);
}

static void files_know_their_imports(void)
{
    struct vts_descriptor_files *files = make();
    const struct vts_descriptor_file *base = vts_descriptor_files_find(files, "symbols_base.proto");
    const struct vts_descriptor_file *middle =
        vts_descriptor_files_find(files, "symbols_middle.proto");
    const struct vts_descriptor_file *top = vts_descriptor_files_find(files, "symbols.proto");

    CU_ASSERT_EQUAL_FATAL(base->import_count, 0);
    CU_ASSERT_EQUAL_FATAL(middle->import_count, 1);
    CU_ASSERT_EQUAL_FATAL(top->import_count, 2);
    CU_ASSERT_PTR_EQUAL(middle->imports[0], base);
    CU_ASSERT_PTR_EQUAL(top->imports[0], middle);
    CU_ASSERT_PTR_EQUAL(top->imports[1], base);
    CU_ASSERT(base->index < 3 && middle->index < 3 && top->index < 3);
    CU_ASSERT(base->index != middle->index && middle->index != top->index);
    vts_descriptor_files_free(files);
}

static void symbols_of_every_kind_are_found(void)
{
    static const struct {
        const char *name;
        const char *file;
    } rows[] = {
        {"vtstest.symbols.Base", "symbols_base.proto"},
        {"Bare", "symbols_middle.proto"},
        {"Bare.base", "symbols_middle.proto"},
        {"Plain", "symbols_middle.proto"},
        {"PLAIN_ZERO", "symbols_middle.proto"},
        {"vtstest.symbols.Outer", "symbols.proto"},
        {"vtstest.symbols.Outer.inner", "symbols.proto"},
        {"vtstest.symbols.Outer.Inner", "symbols.proto"},
        {"vtstest.symbols.Outer.Inner.Deep", "symbols.proto"},
        {"vtstest.symbols.Outer.Inner.DEEP_ZERO", "symbols.proto"},
        {"vtstest.symbols.Outer.Inner.choice", "symbols.proto"},
        {"vtstest.symbols.Outer.Inner.number", "symbols.proto"},
        {"vtstest.symbols.Outer.Inner.inner_note", "symbols.proto"},
        {"vtstest.symbols.first_note", "symbols.proto"},
        {"vtstest.symbols.Talk", "symbols.proto"},
        {"vtstest.symbols.Talk.Say", "symbols.proto"},
        /* Not there, or not so. */
        {"vtstest.symbols", "(none)"},
        {"vtstest.symbols.", "(none)"},
        {".vtstest.symbols.Base", "(none)"},
        {"vtstest.symbols.Outer.Inner.Deep.DEEP_ZERO", "(none)"},
        {"vtstest.symbols.Base.first_note", "(none)"},
        {"vtstest.symbols.Outer.Inner.Say", "(none)"},
        {"Base", "(none)"},
        {"", "(none)"},
    };
    struct vts_descriptor_files *files = make();

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_STRING_EQUAL(name_of(vts_descriptor_files_find_symbol(files, rows[i].name)),
                               rows[i].file);
    vts_descriptor_files_free(files);
}

static void only_messages_are_messages(void)
{
    struct vts_descriptor_files *files = make();

    CU_ASSERT(vts_descriptor_files_has_message(files, "vtstest.symbols.Outer.Inner"));
    CU_ASSERT(vts_descriptor_files_has_message(files, "Bare"));
    CU_ASSERT_FALSE(vts_descriptor_files_has_message(files, "Plain"));
    CU_ASSERT_FALSE(vts_descriptor_files_has_message(files, "vtstest.symbols.Talk"));
    CU_ASSERT_FALSE(vts_descriptor_files_has_message(files, "vtstest.symbols.Nothing"));
    vts_descriptor_files_free(files);
}

static void extensions_are_found_by_number(void)
{
    static const int32_t numbers[] = {100, 150, 200};
    static const int32_t others[] = {INT32_MIN, -1, 0, 99, 101, 199, 201, INT32_MAX};
    struct vts_descriptor_files *files = make();

    for (size_t i = 0; i < VTS_ARRAY_LEN(numbers); i++)
        CU_ASSERT_STRING_EQUAL(
            name_of(vts_descriptor_files_find_extension(files, "vtstest.symbols.Base", numbers[i])),
            "symbols.proto");
    for (size_t i = 0; i < VTS_ARRAY_LEN(others); i++)
        CU_ASSERT_PTR_NULL(
            vts_descriptor_files_find_extension(files, "vtstest.symbols.Base", others[i]));
    CU_ASSERT_PTR_NULL(vts_descriptor_files_find_extension(files, "Bare", 100));
    CU_ASSERT_PTR_NULL(vts_descriptor_files_find_extension(files, "zzz", 100));
    vts_descriptor_files_free(files);
}

static void extension_numbers_rise(void)
{
    struct vts_descriptor_files *files = make();
    size_t count = 99;
    const int32_t *numbers =
        vts_descriptor_files_extensions_of(files, "vtstest.symbols.Base", &count);

    CU_ASSERT_EQUAL_FATAL(count, 3);
    CU_ASSERT_EQUAL(numbers[0], 100);
    CU_ASSERT_EQUAL(numbers[1], 150);
    CU_ASSERT_EQUAL(numbers[2], 200);
    (void)vts_descriptor_files_extensions_of(files, "Bare", &count);
    CU_ASSERT_EQUAL(count, 0);
    vts_descriptor_files_free(files);
}

static void files_of_the_product_are_read(void)
{
    struct vts_descriptor_files *files = NULL;

    CU_ASSERT_EQUAL_FATAL(
        vts_descriptor_files_new(vts_str_make(vts_descriptor_set, vts_descriptor_set_len), &files),
        VTS_OK);
    CU_ASSERT_STRING_EQUAL(
        name_of(vts_descriptor_files_find_symbol(files, "vtstatus.v1.StatusService.GetStatus")),
        "vtstatus/v1/status_service.proto");
    CU_ASSERT_STRING_EQUAL(
        name_of(vts_descriptor_files_find(files, "google/protobuf/duration.proto")),
        "google/protobuf/duration.proto");
    vts_descriptor_files_free(files);
}

static void expect_refusal(struct vts_str set, enum vts_err err)
{
    struct vts_descriptor_files *files = NULL;

    CU_ASSERT_EQUAL(vts_descriptor_files_new(set, &files), err);
    CU_ASSERT_PTR_NULL(files);
}

static void broken_sets_are_refused(void)
{
    static const char no_file_name[] = "\x0a\x02\x12\x00";
    /* A file named "a" that imports "b". */
    static const char no_import[] =
        "\x0a\x06\x0a\x01"
        "a"
        "\x1a\x01"
        "b";
    /* A file named "a" with a message that has no name. */
    static const char no_name[] =
        "\x0a\x05\x0a\x01"
        "a"
        "\x22\x00";
    /* A field that a set does not have, before the file. */
    static const char other_field[] =
        "\x10\x01\x0a\x03\x0a\x01"
        "a";

    expect_refusal(vts_str_of("\xff"), VTS_ERR_INVALID);
    expect_refusal(vts_str_make(symbols_set, symbols_set_len - 1), VTS_ERR_INVALID);
    expect_refusal(vts_str_make(no_file_name, sizeof(no_file_name) - 1), VTS_ERR_INVALID);
    expect_refusal(vts_str_make(no_import, sizeof(no_import) - 1), VTS_ERR_INVALID);
    expect_refusal(vts_str_make(no_name, sizeof(no_name) - 1), VTS_ERR_INVALID);
    expect_refusal(vts_str_make(other_field, sizeof(other_field) - 1), VTS_ERR_INVALID);
    vts_descriptor_files_free(NULL);
}

static void a_set_of_nothing_is_empty(void)
{
    struct vts_descriptor_files *files = NULL;
    size_t count = 99;

    CU_ASSERT_EQUAL_FATAL(vts_descriptor_files_new(vts_str_of(""), &files), VTS_OK);
    CU_ASSERT_EQUAL(vts_descriptor_files_count(files), 0);
    CU_ASSERT_PTR_NULL(vts_descriptor_files_find(files, "a"));
    CU_ASSERT_PTR_NULL(vts_descriptor_files_find_symbol(files, "a"));
    CU_ASSERT_PTR_NULL(vts_descriptor_files_find_extension(files, "a", 1));
    (void)vts_descriptor_files_extensions_of(files, "a", &count);
    CU_ASSERT_EQUAL(count, 0);
    vts_descriptor_files_free(files);
}

static void without_memory_there_is_none(void)
{
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_descriptor_files *files = NULL;
        enum vts_err err;

        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        err = vts_descriptor_files_new(vts_str_make(symbols_set, symbols_set_len), &files);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        vts_descriptor_files_free(files);
    }
}

static const struct vts_test tests[] = {
    {"files_are_found_by_their_names", files_are_found_by_their_names},
    {"files_have_their_own_bytes", files_have_their_own_bytes},
    {"files_know_their_imports", files_know_their_imports},
    {"symbols_of_every_kind_are_found", symbols_of_every_kind_are_found},
    {"only_messages_are_messages", only_messages_are_messages},
    {"extensions_are_found_by_number", extensions_are_found_by_number},
    {"extension_numbers_rise", extension_numbers_rise},
    {"files_of_the_product_are_read", files_of_the_product_are_read},
    {"broken_sets_are_refused", broken_sets_are_refused},
    {"a_set_of_nothing_is_empty", a_set_of_nothing_is_empty},
    {"without_memory_there_is_none", without_memory_there_is_none},
};

int main(void)
{
    return vts_test_run("test_descriptor_files", tests, VTS_ARRAY_LEN(tests));
}
