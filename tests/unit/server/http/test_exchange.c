/* SPDX-License-Identifier: Apache-2.0 */
/* test_exchange.c - targets, methods, fields and numbers of requests and responses. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/base/mem.h"
#include "server/http/exchange.h"
#include "tests/support/suite.h"

static void target_is_split_at_the_first_question_mark(void)
{
    static const struct {
        const char *target;
        const char *path;
        const char *query;
    } rows[] = {
        {"/", "/", ""},
        {"/status/a", "/status/a", ""},
        {"/a?b", "/a", "b"},
        {"/a?", "/a", ""},
        {"/a?b?c=d", "/a", "b?c=d"},
        {"?b", "", "b"},
        {"/%2e%2e/?x", "/%2e%2e/", "x"},
        {"*", "*", ""},
        {"", "", ""},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        struct vts_request request = {0};

        vts_request_set_target(&request, vts_str_of(rows[i].target));
        CU_ASSERT(vts_str_equals_text(request.target, rows[i].target));
        CU_ASSERT(vts_str_equals_text(request.path, rows[i].path));
        CU_ASSERT(vts_str_equals_text(request.query, rows[i].query));
    }
}

static void field_lines_of_a_list_are_joined(void)
{
    struct vts_str list = vts_str_of("a");
    char *memory = NULL;

    CU_ASSERT_EQUAL(vts_field_join(&list, vts_str_of("b"), &memory), VTS_OK);
    CU_ASSERT_EQUAL(vts_field_join(&list, vts_str_of("c"), &memory), VTS_OK);
    CU_ASSERT(vts_str_equals_text(list, "a, b, c"));
    vts_mem_free(memory);
}

static void field_list_past_its_bound_keeps_what_it_has(void)
{
    static const char line[1000] = {'x'};
    struct vts_str list = vts_str_make(line, sizeof(line));
    char *memory = NULL;

    CU_ASSERT_EQUAL(vts_field_join(&list, vts_str_make(line, sizeof(line)), &memory), VTS_OK);
    CU_ASSERT_EQUAL(list.len, sizeof(line));
    CU_ASSERT_PTR_NULL(memory);
}

static void method_names_are_parsed_exactly(void)
{
    static const char *const names[] = {"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(names); i++) {
        enum vts_method method = vts_method_parse(vts_str_of(names[i]));

        CU_ASSERT_EQUAL((size_t)method, i);
        CU_ASSERT_STRING_EQUAL(vts_method_name(method), names[i]);
    }
    CU_ASSERT_EQUAL(vts_method_parse(vts_str_of("get")), VTS_METHOD_OTHER);
    CU_ASSERT_EQUAL(vts_method_parse(vts_str_of("GETS")), VTS_METHOD_OTHER);
    CU_ASSERT_EQUAL(vts_method_parse(vts_str_of("")), VTS_METHOD_OTHER);
    CU_ASSERT_EQUAL(vts_method_parse(vts_str_of("TRACE")), VTS_METHOD_OTHER);
    CU_ASSERT_STRING_EQUAL(vts_method_name(VTS_METHOD_OTHER), "OTHER");
}

static void field_names_are_found_exactly(void)
{
    static const struct {
        const char *name;
        enum vts_field field;
    } rows[] = {
        {"accept", VTS_FIELD_ACCEPT},
        {"content-type", VTS_FIELD_CONTENT_TYPE},
        {"expect", VTS_FIELD_EXPECT},
        {"host", VTS_FIELD_HOST},
        {"prefer", VTS_FIELD_PREFER},
        {"if-none-match", VTS_FIELD_IF_NONE_MATCH},
        {"last-event-id", VTS_FIELD_LAST_EVENT_ID},
        {"last-event-ie", VTS_FIELD_COUNT},
        {"accept-encoding", VTS_FIELD_ACCEPT_ENCODING},
        {"grpc-encodinh", VTS_FIELD_COUNT},
        {"access-control-request-headers", VTS_FIELD_ACCESS_CONTROL_REQUEST_HEADERS},
        {"access-control-request-headers-", VTS_FIELD_COUNT},
        {"accep", VTS_FIELD_COUNT},
        {"hos", VTS_FIELD_COUNT},
        {"", VTS_FIELD_COUNT},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(vts_field_find(vts_str_of(rows[i].name)), rows[i].field);
}

static void numbers_are_written_in_decimal(void)
{
    static const uint64_t numbers[] = {0, 9, 10, 1234567890};
    struct vts_exchange_head head;
    struct vts_exchange exchange;

    for (size_t i = 0; i < VTS_ARRAY_LEN(numbers); i++) {
        char expected[24];

        vts_exchange_init(&exchange, NULL, &head);
        vts_response_add_number(&exchange.response, "n", numbers[i]);
        (void)snprintf(expected, sizeof(expected), "%llu", (unsigned long long)numbers[i]);
        CU_ASSERT(vts_str_equals_text(exchange.response.headers[0].value, expected));
        CU_ASSERT(vts_str_equals_text(exchange.response.headers[0].name, "n"));
    }
}

static void three_numbers_of_ten_digits_fit(void)
{
    struct vts_exchange_head head;
    struct vts_exchange exchange;

    vts_exchange_init(&exchange, NULL, &head);
    vts_response_add_number(&exchange.response, "a", 1111111111);
    vts_response_add_number(&exchange.response, "b", 2222222222);
    vts_response_add_number(&exchange.response, "c", 3333333333);
    CU_ASSERT_EQUAL(exchange.response.headers_count, 3);
    CU_ASSERT(vts_str_equals_text(exchange.response.headers[0].value, "1111111111"));
    CU_ASSERT(vts_str_equals_text(exchange.response.headers[1].value, "2222222222"));
    CU_ASSERT(vts_str_equals_text(exchange.response.headers[2].value, "3333333333"));
}

static void codes_without_body_are_known(void)
{
    static const struct {
        int code;
        bool can_have_body;
    } rows[] = {{100, false}, {199, false}, {200, true}, {204, false},
                {206, true},  {304, false}, {404, true}, {500, true}};

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++)
        CU_ASSERT_EQUAL(vts_response_can_have_body(rows[i].code), rows[i].can_have_body);
}

static void body_len_counts_the_tail(void)
{
    struct vts_exchange_head head;
    struct vts_exchange exchange;

    vts_exchange_init(&exchange, NULL, &head);
    CU_ASSERT_EQUAL(vts_response_body_len(&exchange.response), 0);
    exchange.response.body = vts_str_of("12345");
    exchange.response.tail_len = 3;
    CU_ASSERT_EQUAL(vts_response_body_len(&exchange.response), 8);
}

static void count_release(void *owner)
{
    ++*(int *)owner;
}

static void fini_releases_once(void)
{
    struct vts_exchange_head head;
    struct vts_exchange exchange;
    int released = 0;

    vts_exchange_init(&exchange, NULL, &head);
    vts_exchange_fini(&exchange);
    exchange.response.release = count_release;
    exchange.response.owner = &released;
    vts_exchange_fini(&exchange);
    vts_exchange_fini(&exchange);
    CU_ASSERT_EQUAL(released, 1);
}

static void init_forgets_what_was_there(void)
{
    struct vts_exchange_head head;
    struct vts_exchange exchange;

    memset(&exchange, 0xa5, sizeof(exchange));
    vts_exchange_init(&exchange, NULL, &head);
    CU_ASSERT_EQUAL(exchange.request.method, VTS_METHOD_OTHER);
    CU_ASSERT_EQUAL(exchange.request.fault, 0);
    CU_ASSERT_EQUAL(exchange.response.headers_count, 0);
    CU_ASSERT_EQUAL(vts_response_body_len(&exchange.response), 0);
    CU_ASSERT_PTR_NULL(exchange.response.release);
    for (int i = 0; i < VTS_FIELD_COUNT; i++)
        CU_ASSERT_PTR_NULL(exchange.request.fields[i].ptr);
}

static const struct vts_test tests[] = {
    {"target_is_split_at_the_first_question_mark", target_is_split_at_the_first_question_mark},
    {"method_names_are_parsed_exactly", method_names_are_parsed_exactly},
    {"field_lines_of_a_list_are_joined", field_lines_of_a_list_are_joined},
    {"field_list_past_its_bound_keeps_what_it_has", field_list_past_its_bound_keeps_what_it_has},
    {"field_names_are_found_exactly", field_names_are_found_exactly},
    {"numbers_are_written_in_decimal", numbers_are_written_in_decimal},
    {"three_numbers_of_ten_digits_fit", three_numbers_of_ten_digits_fit},
    {"codes_without_body_are_known", codes_without_body_are_known},
    {"body_len_counts_the_tail", body_len_counts_the_tail},
    {"fini_releases_once", fini_releases_once},
    {"init_forgets_what_was_there", init_forgets_what_was_there},
};

int main(void)
{
    return vts_test_run("test_exchange", tests, VTS_ARRAY_LEN(tests));
}
