/* SPDX-License-Identifier: Apache-2.0 */
/* test_store_open.c - what an operator may write for a store, and what is said of the rest. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "server/store/store_open.h"
#include "tests/support/suite.h"

static void store_open_knows_memory(void)
{
    struct vts_store *store;

    CU_ASSERT_EQUAL_FATAL(vts_store_open("memory", &store, NULL), VTS_OK);
    CU_ASSERT_STRING_EQUAL(store->ops->name, "memory");
    store->ops->close(store);
}

static void store_open_refuses_what_is_no_store(void)
{
    static const struct {
        const char *spec;
        const char *said;
    } cases[] = {
        {"", "there is no store \"\": it is \"memory\" or \"sqlite:PATH\""},
        {"memry", "there is no store \"memry\""},
        {"Memory", "there is no store \"Memory\""},
        {"postgres:jobs", "there is no store \"postgres:jobs\""},
        {"sqlite", "there is no store \"sqlite\""},
        {"sqlite:", "lacks a file: write sqlite:PATH"},
        {"memory:jobs", "\"memory\" is followed by \":jobs\""},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(cases); i++) {
        struct vts_store *store = NULL;
        struct vts_error error = {.text = ""};

        CU_ASSERT_EQUAL(vts_store_open(cases[i].spec, &store, &error), VTS_ERR_INVALID);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, cases[i].said));
        CU_ASSERT_PTR_NULL(store);
    }
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"store_open_knows_memory", store_open_knows_memory},
        {"store_open_refuses_what_is_no_store", store_open_refuses_what_is_no_store},
    };

    return vts_test_run("store_open", tests, VTS_ARRAY_LEN(tests));
}
