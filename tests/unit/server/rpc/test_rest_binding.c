/* SPDX-License-Identifier: Apache-2.0 */
/* test_rest_binding.c - rows of REST that fit their messages, and those that do not. */
#include "server/rpc/rest_binding.h"

#include <CUnit/CUnit.h>

#include "common/base/macros.h"
#include "tests/support/suite.h"
#include "tests/unit/server/rpc/toy.h"
#include "toy.pb-c.h"

static struct toy toy;
static struct vts_limits limits;

static enum vts_err make(const struct vts_service_row *service, struct vts_rpc **ret_rpc,
                         struct vts_error *error)
{
    const struct vts_rpc_options options = {.descriptor_set = vts_str_make(toy_set, toy_set_len),
                                            .services = service,
                                            .services_count = 1,
                                            .limits = &limits};

    vts_limits_init(&limits);
    return vts_rpc_new(&options, ret_rpc, error);
}

static void row_that_does_not_fit_is_refused(void)
{
    static const struct {
        struct vts_rest_row row;
        const char *why;
    } rows[] = {
        {{VTS_METHOD_GET, 0, "/a", "Unari", NULL, NULL, NULL, false},
         "/a Unari: there is no such unary method"},
        {{VTS_METHOD_GET, 0, "/a", "Repeat", NULL, NULL, NULL, false},
         "/a Repeat: there is no such unary method"},
        {{VTS_METHOD_GET, 0, "/a/{", "Unary", NULL, NULL, NULL, false},
         "/a/{ Unary: the path is no template of the method's request"},
        {{VTS_METHOD_GET, 0, "/a/{other}", "Unary", NULL, NULL, NULL, false},
         "/a/{other} Unary: the path is no template of the method's request"},
        {{VTS_METHOD_GET, 0, "/a/{numbers}", "Unary", NULL, NULL, NULL, false},
         "/a/{numbers} Unary: the path is no template of the method's request"},
        {{VTS_METHOD_GET, 0, "/a/{inner}", "Unary", NULL, NULL, NULL, false},
         "/a/{inner} Unary: the path is no template of the method's request"},
        {{VTS_METHOD_GET, 0, "/a", "Unary", NULL, "other", NULL, false},
         "/a Unary: the request has no such text"},
        {{VTS_METHOD_GET, 0, "/a", "Unary", NULL, "numbers", NULL, false},
         "/a Unary: the request has no such text"},
        {{VTS_METHOD_GET, 0, "/a", "Unary", NULL, NULL, "text", false},
         "/a Unary: the answer has no such message"},
        {{VTS_METHOD_GET, 0, "/a", "Unary", NULL, NULL, "other", false},
         "/a Unary: the answer has no such message"},
        {{VTS_METHOD_POST, 0, "/a", "Unary", "text", NULL, NULL, true},
         "/a Unary: the request has no such message"},
        {{VTS_METHOD_POST, 0, "/a", "Unary", "other", NULL, NULL, true},
         "/a Unary: the request has no such message"},
    };
    struct vts_service_row service = toy_row(&toy);
    struct vts_rpc *rpc = NULL;
    struct vts_error error;

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        service.rest = &rows[i].row;
        service.rest_count = 1;
        CU_ASSERT_EQUAL(make(&service, &rpc, &error), VTS_ERR_INVALID);
        CU_ASSERT_STRING_EQUAL(error.text, rows[i].why);
        CU_ASSERT_PTR_NULL(rpc);
    }
}

static void row_that_fits_is_found_by_path_and_verb(void)
{
    const struct vts_service_row service = toy_row(&toy);
    const struct vts_rest_binding *binding;
    struct vts_rest_match match;
    struct vts_rpc *rpc = NULL;
    unsigned verbs;

    CU_ASSERT_EQUAL_FATAL(make(&service, &rpc, NULL), VTS_OK);
    binding =
        vts_rest_binding_find(rpc, vts_str_of("/v1/toys/a:show"), VTS_METHOD_POST, &match, &verbs);
    CU_ASSERT_PTR_NOT_NULL_FATAL(binding);
    CU_ASSERT_STRING_EQUAL(binding->method->path, "/toy.v1.ToyService/Show");
    CU_ASSERT_STRING_EQUAL(binding->answer->name, "asked");
    CU_ASSERT_PTR_NULL(binding->if_match);
    CU_ASSERT(vts_str_equals_text(match.values[0], "a"));
    binding =
        vts_rest_binding_find(rpc, vts_str_of("/v1/toys/a"), VTS_METHOD_DELETE, &match, &verbs);
    CU_ASSERT_PTR_NOT_NULL_FATAL(binding);
    CU_ASSERT_STRING_EQUAL(binding->if_match->name, "tag");
    binding = vts_rest_binding_find(rpc, vts_str_of("/v1/toys"), VTS_METHOD_HEAD, &match, &verbs);
    CU_ASSERT_PTR_NOT_NULL_FATAL(binding);
    CU_ASSERT_EQUAL(binding->row->verb, VTS_METHOD_GET);
    vts_rpc_free(rpc);
}

static void verb_that_the_path_does_not_have_tells_the_others(void)
{
    const struct vts_service_row service = toy_row(&toy);
    struct vts_rest_match match;
    struct vts_rpc *rpc = NULL;
    unsigned verbs;

    CU_ASSERT_EQUAL_FATAL(make(&service, &rpc, NULL), VTS_OK);
    CU_ASSERT_PTR_NULL(
        vts_rest_binding_find(rpc, vts_str_of("/v1/toys/a"), VTS_METHOD_POST, &match, &verbs));
    CU_ASSERT_EQUAL(verbs, 1u << VTS_METHOD_GET | 1u << VTS_METHOD_HEAD | 1u << VTS_METHOD_DELETE);
    CU_ASSERT_PTR_NULL(
        vts_rest_binding_find(rpc, vts_str_of("/v1/toys/a:show"), VTS_METHOD_HEAD, &match, &verbs));
    CU_ASSERT_EQUAL(verbs, 1u << VTS_METHOD_POST);
    CU_ASSERT_PTR_NULL(
        vts_rest_binding_find(rpc, vts_str_of("/v1/toy"), VTS_METHOD_GET, &match, &verbs));
    CU_ASSERT_EQUAL(verbs, 0);
    vts_rpc_free(rpc);
}

static const struct vts_test tests[] = {
    {"row_that_does_not_fit_is_refused", row_that_does_not_fit_is_refused},
    {"row_that_fits_is_found_by_path_and_verb", row_that_fits_is_found_by_path_and_verb},
    {"verb_that_the_path_does_not_have_tells_the_others",
     verb_that_the_path_does_not_have_tells_the_others},
};

int main(void)
{
    return vts_test_run("test_rest_binding", tests, VTS_ARRAY_LEN(tests));
}
