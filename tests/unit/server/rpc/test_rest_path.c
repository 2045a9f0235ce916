/* SPDX-License-Identifier: Apache-2.0 */
/* test_rest_path.c - which paths a template has, and what its variables stand for. */
#include "server/rpc/rest_path.h"

#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "tests/support/suite.h"

static void template_is_told_from_what_is_none(void)
{
    static const struct {
        const char *text;
        bool is_template;
    } rows[] = {
        {"/", true},
        {"/v1/jobs", true},
        {"/v1/jobs/{job_id}", true},
        {"/v1/jobs/{job_id}:cancel", true},
        {"/{a}/{b}/{c}/{d}", true},
        {"", false},
        {"v1/jobs", false},
        {"/v1/{job_id", false},
        {"/v1/job_id}", false},
        {"/v1/{}", false},
        {"/v1/{a/b}", false},
        {"/v1/{a{b}}", false},
        {"/v1/x{job_id}", false},
        {"/v1/{job_id}x", false},
        {"/v1/{a}{b}", false},
        {"/{a}/{b}/{c}/{d}/{e}", false},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(vts_rest_path_is_template(rows[i].text), rows[i].is_template);
}

static void path_matches_its_template_and_no_other(void)
{
    static const struct {
        const char *template;
        const char *path;
        bool does_match;
    } rows[] = {
        {"/v1/jobs", "/v1/jobs", true},
        {"/v1/jobs", "/v1/jobs/", false},
        {"/v1/jobs", "/v1/job", false},
        {"/v1/jobs", "", false},
        {"/v1/jobs/{id}", "/v1/jobs/a", true},
        {"/v1/jobs/{id}", "/v1/jobs/a%2Fb%3", true},
        {"/v1/jobs/{id}", "/v1/jobs/a%2Fb%3A", false},
        {"/v1/jobs/{id}", "/v1/jobs/", false},
        {"/v1/jobs/{id}", "/v1/jobs", false},
        {"/v1/jobs/{id}", "/v1/jobs/a/", false},
        {"/v1/jobs/{id}", "/v1/jobs/a/b", false},
        {"/v1/jobs/{id}", "/v1/jobs/a:cancel", false},
        {"/v1/jobs/{id}", "/v1/jobs/:cancel", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a:cancel", true},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a%3Acancel", true},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a%3acancel", true},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a%3Bcancel", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a%3A:cancel", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/%3Acancel", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a%3", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a:cancelled", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a:cance", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/a:b:cancel", false},
        {"/v1/jobs/{id}:cancel", "/v1/jobs/:cancel", false},
        {"/{a}/x/{b}", "/1/x/2", true},
        {"/{a}/x/{b}", "/1/y/2", false},
    };
    struct vts_rest_match match;

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(vts_rest_path_matches(rows[i].template, vts_str_of(rows[i].path), &match),
                        rows[i].does_match);
}

static void variables_are_what_stands_in_their_places(void)
{
    struct vts_rest_match match;

    CU_ASSERT_FATAL(
        vts_rest_path_matches("/{first}/x/{second}:go", vts_str_of("/a%20b/x/c:go"), &match));
    CU_ASSERT_EQUAL_FATAL(match.count, 2);
    CU_ASSERT(vts_str_equals_text(match.fields[0], "first"));
    CU_ASSERT(vts_str_equals_text(match.values[0], "a%20b"));
    CU_ASSERT(vts_str_equals_text(match.fields[1], "second"));
    CU_ASSERT(vts_str_equals_text(match.values[1], "c"));
    CU_ASSERT_FATAL(vts_rest_path_matches("/x", vts_str_of("/x"), &match));
    CU_ASSERT_EQUAL(match.count, 0);
}

static const struct vts_test tests[] = {
    {"template_is_told_from_what_is_none", template_is_told_from_what_is_none},
    {"path_matches_its_template_and_no_other", path_matches_its_template_and_no_other},
    {"variables_are_what_stands_in_their_places", variables_are_what_stands_in_their_places},
};

int main(void)
{
    return vts_test_run("test_rest_path", tests, VTS_ARRAY_LEN(tests));
}
