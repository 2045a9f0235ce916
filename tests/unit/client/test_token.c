/* SPDX-License-Identifier: Apache-2.0 */
/* test_token.c - files with a token, without one, and those that change. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client/src/token.h"
#include "common/base/mem.h"
#include "tests/support/suite.h"

static char path[] = "/tmp/vts-token-XXXXXX";
static char logged[512];

static void on_log(const char *text, void *context)
{
    (void)context;
    (void)snprintf(logged, sizeof(logged), "%s", text);
}

static const struct vts_log log_to_us = {on_log, NULL};

static void write_file(const char *bytes, size_t len)
{
    FILE *file = fopen(path, "wb");

    CU_ASSERT_PTR_NOT_NULL_FATAL(file);
    CU_ASSERT_EQUAL(fwrite(bytes, 1, len, file), len);
    CU_ASSERT_EQUAL(fclose(file), 0);
}

static void check_file(const char *bytes, size_t len, const char *field)
{
    struct vts_client_error error = {.text = ""};
    struct vts_token token;

    write_file(bytes, len);
    vts_token_init(&token, path);
    vts_token_refresh(&token, &log_to_us);
    if (field != NULL) {
        CU_ASSERT_EQUAL(vts_token_check(path, &error), VTS_CLIENT_OK);
        CU_ASSERT_STRING_EQUAL(vts_token_field(&token), field);
    } else {
        CU_ASSERT_EQUAL(vts_token_check(path, &error), VTS_CLIENT_TLS);
        CU_ASSERT_PTR_NOT_NULL(strstr(error.text, path));
        CU_ASSERT_PTR_NULL(vts_token_field(&token));
    }
    vts_token_fini(&token);
}

static void check_text(const char *text, const char *field)
{
    check_file(text, strlen(text), field);
}

static void token_is_what_the_file_holds(void)
{
    check_text("abc", "Authorization: Bearer abc");
    check_text(" \r\n\tabc.def==\r\n", "Authorization: Bearer abc.def==");
    check_text("", NULL);
    check_text(" \n", NULL);
    check_text("a b", NULL);
    check_text("a\nb", NULL);
    check_text("a\x7f", NULL);
    check_text("\xc3\xbc", NULL);
    check_file("a\0b", 3, NULL);
    check_file("\0", 1, NULL);
}

static void token_is_bounded(void)
{
    static char text[9000];
    static char field[9000] = "Authorization: Bearer ";

    memset(text, 'x', sizeof(text));
    memset(field + strlen(field), 'x', 8192);
    check_file(text, 8192, field);
    check_file(text, 8193, NULL);
    check_file(text, sizeof(text), NULL);
}

static void token_follows_the_file(void)
{
    struct vts_token token;

    write_file("one", 3);
    logged[0] = '\0';
    vts_token_init(&token, path);
    vts_token_refresh(&token, &log_to_us);
    write_file("two", 3);
    CU_ASSERT_STRING_EQUAL(vts_token_field(&token), "Authorization: Bearer one");
    vts_token_refresh(&token, &log_to_us);
    CU_ASSERT_STRING_EQUAL(vts_token_field(&token), "Authorization: Bearer two");
    CU_ASSERT_STRING_EQUAL(logged, "");
    write_file("", 0);
    vts_token_refresh(&token, &log_to_us);
    CU_ASSERT_STRING_EQUAL(vts_token_field(&token), "Authorization: Bearer two");
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "holds no token"));
    CU_ASSERT_PTR_NULL(strstr(logged, "two"));
    CU_ASSERT_EQUAL(remove(path), 0);
    vts_token_refresh(&token, &log_to_us);
    CU_ASSERT_STRING_EQUAL(vts_token_field(&token), "Authorization: Bearer two");
    CU_ASSERT_PTR_NOT_NULL(strstr(logged, "no such file"));
    vts_token_fini(&token);
}

static void token_may_be_none(void)
{
    struct vts_token token;

    CU_ASSERT_EQUAL(vts_token_check(NULL, NULL), VTS_CLIENT_OK);
    vts_token_init(&token, NULL);
    vts_token_refresh(&token, &log_to_us);
    CU_ASSERT_PTR_NULL(vts_token_field(&token));
    vts_token_fini(&token);
}

static void token_survives_a_failed_allocation(void)
{
    struct vts_client_error error;
    struct vts_token token;

    write_file("one", 3);
    (void)vts_mem_fail_after(0); /* turned on; nothing had failed */
    CU_ASSERT_EQUAL(vts_token_check(path, &error), VTS_CLIENT_NO_MEMORY);
    CU_ASSERT(vts_mem_fail_after(-1));
    vts_token_init(&token, path);
    vts_token_refresh(&token, &log_to_us);
    (void)vts_mem_fail_after(0); /* as above */
    vts_token_refresh(&token, &log_to_us);
    CU_ASSERT(vts_mem_fail_after(-1));
    CU_ASSERT_STRING_EQUAL(vts_token_field(&token), "Authorization: Bearer one");
    vts_token_fini(&token);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"token_is_what_the_file_holds", token_is_what_the_file_holds},
        {"token_is_bounded", token_is_bounded},
        {"token_follows_the_file", token_follows_the_file},
        {"token_may_be_none", token_may_be_none},
        {"token_survives_a_failed_allocation", token_survives_a_failed_allocation},
    };
    int fd = mkstemp(path);
    int result;

    if (fd < 0 || close(fd) != 0)
        return 1;
    result = vts_test_run("token", tests, VTS_ARRAY_LEN(tests));
    (void)remove(path); /* unless a case has */
    return result;
}
