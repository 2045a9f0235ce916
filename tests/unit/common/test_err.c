/* SPDX-License-Identifier: Apache-2.0 */
/* test_err.c - the texts of errors. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/err.h"
#include "tests/support/suite.h"

static const enum vts_err codes[] = {
    VTS_OK,
#define X(code, text) VTS_ERR_##code,
#include "common/base/err.def"
#undef X
};

static void err_text_differs_for_every_code(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(codes); i++) {
        CU_ASSERT(strlen(vts_err_text(codes[i])) > 0);
        for (size_t j = 0; j < i; j++)
            CU_ASSERT_STRING_NOT_EQUAL(vts_err_text(codes[i]), vts_err_text(codes[j]));
    }
    CU_ASSERT_STRING_EQUAL(vts_err_text(VTS_ERR_NOMEM), "out of memory");
}

static void error_set_formats_and_returns_its_code(void)
{
    struct vts_error error;

    CU_ASSERT_EQUAL(vts_error_set(&error, VTS_ERR_IO, "cannot open %s: %d", "x", 5), VTS_ERR_IO);
    CU_ASSERT_STRING_EQUAL(error.text, "cannot open x: 5");
}

static void error_set_cuts_off_a_long_text(void)
{
    struct vts_error error;
    char text[1000];

    memset(text, 'a', sizeof(text) - 1);
    text[sizeof(text) - 1] = '\0';
    CU_ASSERT_EQUAL(vts_error_set(&error, VTS_ERR_LIMIT, "%s", text), VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(strlen(error.text), sizeof(error.text) - 1);
}

static void error_set_without_a_place_returns_its_code(void)
{
    CU_ASSERT_EQUAL(vts_error_set(NULL, VTS_ERR_DENIED, "%s", "x"), VTS_ERR_DENIED);
}

static const struct vts_test tests[] = {
    {"err_text_differs_for_every_code", err_text_differs_for_every_code},
    {"error_set_formats_and_returns_its_code", error_set_formats_and_returns_its_code},
    {"error_set_cuts_off_a_long_text", error_set_cuts_off_a_long_text},
    {"error_set_without_a_place_returns_its_code", error_set_without_a_place_returns_its_code},
};

int main(void)
{
    return vts_test_run("test_err", tests, VTS_ARRAY_LEN(tests));
}
