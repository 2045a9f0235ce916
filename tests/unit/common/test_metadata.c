/* SPDX-License-Identifier: Apache-2.0 */
/* test_metadata.c - whose a header is, and what its value says. */
#include "common/wire/metadata.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "tests/support/suite.h"

static void reserved_names_are_the_protocols(void)
{
    static const char *const reserved[] = {":method",
                                           ":path",
                                           ":authority",
                                           "content-type",
                                           "content-encoding",
                                           "te",
                                           "host",
                                           "accept-encoding",
                                           "grpc-timeout",
                                           "grpc-status",
                                           "grpc-message",
                                           "grpc-encoding",
                                           "grpc-anything-new",
                                           "grpc-",
                                           "content-length",
                                           "connect-protocol-version",
                                           "connect-timeout-ms",
                                           "transfer-encoding",
                                           "grpc-status-details-bin"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(reserved); i++)
        CU_ASSERT(vts_metadata_is_reserved(vts_str_of(reserved[i])));
}

static void other_names_are_the_applications(void)
{
    static const char *const free_names[] = {"user-agent",
                                             "grpc-previous-rpc-attempts",
                                             "grpc-retry-pushback-ms",
                                             "authorization",
                                             "x-trace-bin",
                                             "grpc",
                                             "connect",
                                             "tea",
                                             "t",
                                             "",
                                             "x-grpc-web",
                                             "content-type-x"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(free_names); i++)
        CU_ASSERT(!vts_metadata_is_reserved(vts_str_of(free_names[i])));
    CU_ASSERT(!vts_metadata_is_reserved(vts_str_make(NULL, 0)));
}

static void binary_names_end_in_bin(void)
{
    CU_ASSERT(vts_metadata_is_binary(vts_str_of("x-trace-bin")));
    CU_ASSERT(vts_metadata_is_binary(vts_str_of("-bin")));
    CU_ASSERT(!vts_metadata_is_binary(vts_str_of("x-trace-bins")));
    CU_ASSERT(!vts_metadata_is_binary(vts_str_of("xbin")));
    CU_ASSERT(!vts_metadata_is_binary(vts_str_of("bin")));
    CU_ASSERT(!vts_metadata_is_binary(vts_str_make(NULL, 0)));
}

static void names_have_few_letters(void)
{
    CU_ASSERT(vts_metadata_is_name(vts_str_of("x-9_a.z")));
    CU_ASSERT(vts_metadata_is_name(vts_str_of("0")));
    CU_ASSERT(!vts_metadata_is_name(vts_str_of("")));
    CU_ASSERT(!vts_metadata_is_name(vts_str_of("X-Upper")));
    CU_ASSERT(!vts_metadata_is_name(vts_str_of(":path")));
    CU_ASSERT(!vts_metadata_is_name(vts_str_of("a b")));
    CU_ASSERT(!vts_metadata_is_name(vts_str_of("a\xc3\xa9")));
    CU_ASSERT(!vts_metadata_is_name(vts_str_make("a\0", 2)));
}

static void ascii_values_are_printable(void)
{
    CU_ASSERT(vts_metadata_is_ascii_value(vts_str_of("a b~!")));
    CU_ASSERT(vts_metadata_is_ascii_value(vts_str_of("")));
    CU_ASSERT(!vts_metadata_is_ascii_value(vts_str_of(" a")));
    CU_ASSERT(!vts_metadata_is_ascii_value(vts_str_of("a ")));
    CU_ASSERT(!vts_metadata_is_ascii_value(vts_str_of("a\tb")));
    CU_ASSERT(!vts_metadata_is_ascii_value(vts_str_of("a\r\nb: c")));
    CU_ASSERT(!vts_metadata_is_ascii_value(vts_str_of("a\x7f")));
    CU_ASSERT(!vts_metadata_is_ascii_value(vts_str_of("\xc3\xa9")));
    CU_ASSERT(!vts_metadata_is_ascii_value(vts_str_make("a\0b", 3)));
}

/* The values of a header, each followed by a semicolon; "!" for a broken one. */
static bool decodes_to(const char *header, const char *expected)
{
    struct vts_str rest = vts_str_of(header);
    struct vts_buf out;
    enum vts_err err;
    bool is_equal;

    vts_buf_init(&out, 64);
    do {
        err = vts_metadata_next_binary(&rest, &out);
        if (err != VTS_ERR_NOT_FOUND)
            vts_buf_append_text(&out, err == VTS_OK ? ";" : "!");
    } while (err == VTS_OK);
    is_equal = vts_str_equals_text(vts_buf_str(&out), expected);
    vts_buf_fini(&out);
    return is_equal;
}

static void binary_values_come_one_by_one(void)
{
    CU_ASSERT(decodes_to("Zm9v", "foo;"));
    CU_ASSERT(decodes_to("Zg==,Zm8=, Zm9v", "f;fo;foo;"));
    CU_ASSERT(decodes_to("Zg,Zm8 ,\tZm9v", "f;fo;foo;"));
    CU_ASSERT(decodes_to("", ";"));
    CU_ASSERT(decodes_to("Zg,,Zg,", "f;;f;;"));
}

static void binary_values_that_are_broken_are_refused(void)
{
    CU_ASSERT(decodes_to("Zm9v,Z", "foo;!"));
    CU_ASSERT(decodes_to("Zg=", "!"));
    CU_ASSERT(decodes_to("Zg ==", "!"));
    CU_ASSERT(decodes_to("no base64!", "!"));
}

static void binary_value_past_the_buffer_is_a_limit(void)
{
    struct vts_str rest = vts_str_of("Zm9v");
    struct vts_buf out;

    vts_buf_init(&out, 2);
    CU_ASSERT_EQUAL(vts_metadata_next_binary(&rest, &out), VTS_ERR_LIMIT);
    vts_buf_fini(&out);
}

static void list_names_are_found(void)
{
    CU_ASSERT(vts_metadata_list_has(vts_str_of("gzip"), "gzip"));
    CU_ASSERT(vts_metadata_list_has(vts_str_of("identity,deflate, GZip"), "gzip"));
    CU_ASSERT(vts_metadata_list_has(vts_str_of("br;q=1.0 ,\tgzip ; q=0.001, *;q=0"), "gzip"));
    CU_ASSERT(vts_metadata_list_has(vts_str_of(",,gzip,"), "gzip"));
    CU_ASSERT(vts_metadata_list_has(vts_str_of("gzip;level=\"a,b\";q=0.5"), "gzip"));
}

static void list_names_that_are_not_there_are_not_found(void)
{
    CU_ASSERT(!vts_metadata_list_has(vts_str_of(""), "gzip"));
    CU_ASSERT(!vts_metadata_list_has(vts_str_make(NULL, 0), "gzip"));
    CU_ASSERT(!vts_metadata_list_has(vts_str_of("gzipped, x-gzip, gzi p"), "gzip"));
    CU_ASSERT(!vts_metadata_list_has(vts_str_of("*"), "gzip"));
    CU_ASSERT(!vts_metadata_list_has(vts_str_of("a=\"x,gzip\""), "gzip"));
}

static void list_names_without_quality_are_forbidden(void)
{
    CU_ASSERT(!vts_metadata_list_has(vts_str_of("gzip;q=0"), "gzip"));
    CU_ASSERT(!vts_metadata_list_has(vts_str_of("identity, gzip; Q=0.000"), "gzip"));
    CU_ASSERT(!vts_metadata_list_has(vts_str_of("gzip;q=nought"), "gzip"));
    CU_ASSERT(!vts_metadata_list_has(vts_str_of("gzip;q=2"), "gzip"));
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"reserved_names_are_the_protocols", reserved_names_are_the_protocols},
        {"other_names_are_the_applications", other_names_are_the_applications},
        {"binary_names_end_in_bin", binary_names_end_in_bin},
        {"names_have_few_letters", names_have_few_letters},
        {"ascii_values_are_printable", ascii_values_are_printable},
        {"binary_values_come_one_by_one", binary_values_come_one_by_one},
        {"binary_values_that_are_broken_are_refused", binary_values_that_are_broken_are_refused},
        {"binary_value_past_the_buffer_is_a_limit", binary_value_past_the_buffer_is_a_limit},
        {"list_names_are_found", list_names_are_found},
        {"list_names_that_are_not_there_are_not_found",
         list_names_that_are_not_there_are_not_found},
        {"list_names_without_quality_are_forbidden", list_names_without_quality_are_forbidden},
    };

    return vts_test_run("metadata", tests, VTS_ARRAY_LEN(tests));
}
