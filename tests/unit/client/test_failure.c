/* SPDX-License-Identifier: Apache-2.0 */
/* test_failure.c - error values: one clear line, whatever it is made of. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "client/src/failure.h"
#include "tests/support/suite.h"

static void failure_text_is_one_clean_line(void)
{
    struct vts_client_error error = {.http_code = 404};

    CU_ASSERT_EQUAL(
        vts_failure_set(&error, VTS_CLIENT_REFUSED, "a%sb", "\x1b[2J\r\n\x7f\xc2\x9b\xff\xc3\xa9"),
        VTS_CLIENT_REFUSED);
    CU_ASSERT_STRING_EQUAL(error.text,
                           "a?[2J??????\xc3\xa9"
                           "b");
    CU_ASSERT_EQUAL(error.http_code, 404);
}

static void failure_text_is_never_cut_inside_a_character(void)
{
    struct vts_client_error error = {.http_code = 0};
    char text[2 * sizeof(error.text)];

    for (size_t i = 0; i + 1 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa9", 2);
    text[sizeof(text) - 2] = '\0';
    (void)vts_failure_set(&error, VTS_CLIENT_REFUSED, "%s", text);
    CU_ASSERT_PTR_NULL(strchr(error.text, '?'));
    CU_ASSERT_EQUAL(strlen(error.text), sizeof(error.text) - 2);
}

static void failure_without_a_place_for_it_is_its_code(void)
{
    CU_ASSERT_EQUAL(vts_failure_set(NULL, VTS_CLIENT_TLS, "x"), VTS_CLIENT_TLS);
    vts_failure_clear(NULL);
}

static void failure_may_pass_unless_asking_again_is_pointless(void)
{
    const struct {
        enum vts_client_code code;
        int http_code;
        bool may_pass;
    } rows[] = {
        {VTS_CLIENT_RESOLVE, 0, true},    {VTS_CLIENT_CONNECT, 0, true},
        {VTS_CLIENT_TIMEOUT, 0, true},    {VTS_CLIENT_UNAVAILABLE, 429, true},
        {VTS_CLIENT_REFUSED, 500, true},  {VTS_CLIENT_REFUSED, 400, false},
        {VTS_CLIENT_REFUSED, 302, false}, {VTS_CLIENT_UNDECODABLE, 200, true},
        {VTS_CLIENT_TLS, 0, false},       {VTS_CLIENT_NOT_FOUND, 404, false},
        {VTS_CLIENT_DENIED, 403, false},  {VTS_CLIENT_USAGE, 0, false},
        {VTS_CLIENT_CANCELLED, 0, false}, {VTS_CLIENT_NO_MEMORY, 0, false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_client_error error = {.code = rows[i].code, .http_code = rows[i].http_code};

        CU_ASSERT_EQUAL(vts_failure_may_pass(&error), rows[i].may_pass);
    }
}

static void code_name_knows_every_code(void)
{
    for (int code = VTS_CLIENT_OK; code <= VTS_CLIENT_GAVE_UP; code++)
        CU_ASSERT_STRING_NOT_EQUAL(vts_client_code_name((enum vts_client_code)code), "unknown");
    CU_ASSERT_STRING_EQUAL(vts_client_code_name(VTS_CLIENT_NOT_FOUND), "not_found");
    CU_ASSERT_STRING_EQUAL(vts_client_code_name((enum vts_client_code)99), "unknown");
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"failure_text_is_one_clean_line", failure_text_is_one_clean_line},
        {"failure_text_is_never_cut_inside_a_character",
         failure_text_is_never_cut_inside_a_character},
        {"failure_without_a_place_for_it_is_its_code", failure_without_a_place_for_it_is_its_code},
        {"failure_may_pass_unless_asking_again_is_pointless",
         failure_may_pass_unless_asking_again_is_pointless},
        {"code_name_knows_every_code", code_name_knows_every_code},
    };

    return vts_test_run("failure", tests, VTS_ARRAY_LEN(tests));
}
