/* SPDX-License-Identifier: Apache-2.0 */
/* test_dialect_rest.c - which representation is chosen, and conditional answers. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "server/rpc/dialect_rest.h"
#include "tests/support/suite.h"
#include "tests/unit/server/fake_exchange.h"

static struct fake_exchange fake;

static void negotiation_follows_accept(void)
{
    static const struct {
        const char *accept; /* NULL: none */
        enum vts_rest_form form;
    } rows[] = {
        {NULL, VTS_REST_JSON},
        {"", VTS_REST_JSON},
        {"*/*", VTS_REST_JSON},
        {"application/json", VTS_REST_JSON},
        {"application/x-protobuf", VTS_REST_PROTO},
        {"application/protobuf", VTS_REST_PROTO},
        {"application/vnd.google.protobuf", VTS_REST_PROTO},
        {"application/json;q=0.5, application/x-protobuf", VTS_REST_PROTO},
        {"application/json, application/x-protobuf;q=0.9", VTS_REST_JSON},
        {"application/json;q=0, */*", VTS_REST_PROTO},
        {"text/html, application/*;q=0.1", VTS_REST_JSON},
        {"text/event-stream", VTS_REST_EVENTS},
        {"TEXT/Event-Stream", VTS_REST_EVENTS},
        {"text/*, */*;q=0.1", VTS_REST_JSON}, /* who wants events says so */
        {"text/*, text/event-stream", VTS_REST_EVENTS},
        {"text/event-stream, application/json", VTS_REST_JSON},
        {"text/event-stream, application/json;q=0.9", VTS_REST_EVENTS},
        {"text/event-stream;q=0.1, */*", VTS_REST_JSON},
        {"text/event-stream, */*;q=0.1", VTS_REST_EVENTS},
        {"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", VTS_REST_JSON},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        enum vts_rest_form form = VTS_REST_JSON;

        fake_exchange_init(&fake, VTS_METHOD_GET, "/");
        if (rows[i].accept != NULL)
            fake_exchange_set(&fake, VTS_FIELD_ACCEPT, rows[i].accept);
        CU_ASSERT_EQUAL(vts_rest_negotiate(&fake.exchange, &form), VTS_OK);
        CU_ASSERT_EQUAL(form, rows[i].form);
        CU_ASSERT_EQUAL(vts_rest_wants_events(&fake.exchange), form == VTS_REST_EVENTS);
        CU_ASSERT_EQUAL(fake.sent_count, 0);
        fake_exchange_fini(&fake);
    }
}

static void negotiation_without_overlap_answers_406(void)
{
    enum vts_rest_form form;

    fake_exchange_init(&fake, VTS_METHOD_GET, "/");
    fake_exchange_set(&fake, VTS_FIELD_ACCEPT, "text/*, image/*, text/event-stream;q=0");
    CU_ASSERT_FALSE(vts_rest_wants_events(&fake.exchange));
    CU_ASSERT_EQUAL(vts_rest_negotiate(&fake.exchange, &form), VTS_ERR_INVALID);
    CU_ASSERT_EQUAL(fake.sent_count, 1);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 406);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "vary"), "accept");
    CU_ASSERT_PTR_NOT_NULL(strstr(fake.body, "invalid_argument"));
    fake_exchange_fini(&fake);
}

static void count_release(void *owner)
{
    ++*(int *)owner;
}

/* Sends a resource whose body is "body" and its tail "+tail". */
static void send_resource(const char *if_none_match, enum vts_rest_form form, int64_t poll_after_ms,
                          int *released)
{
    const struct vts_rest_resource resource = {.etag = vts_str_of("W/\"r7\""),
                                               .body = vts_str_of("body"),
                                               .poll_after_ns = poll_after_ms * VTS_NS_PER_MS,
                                               .release = count_release,
                                               .owner = released};

    *released = 0;
    fake_exchange_init(&fake, VTS_METHOD_GET, "/");
    if (if_none_match != NULL)
        fake_exchange_set(&fake, VTS_FIELD_IF_NONE_MATCH, if_none_match);
    memcpy(fake.exchange.response.tail, "+tail", 5);
    fake.exchange.response.tail_len = 5;
    vts_rest_send(&fake.exchange, form, &resource);
    CU_ASSERT_EQUAL(fake.sent_count, 1);
    CU_ASSERT_EQUAL(*released, 0);
    fake_exchange_fini(&fake);
    CU_ASSERT_EQUAL(*released, 1);
}

static void resource_is_sent_with_its_fields(void)
{
    int released;

    send_resource(NULL, VTS_REST_JSON, 2001, &released);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 200);
    CU_ASSERT_STRING_EQUAL(fake.body, "body+tail");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "application/json");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "etag"), "W/\"r7\"");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "vary"), "accept");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "cache-control"), "no-cache");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "retry-after"), "3");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "poll-after-ms"), "(none)");
}

static void resource_without_hint_has_no_retry_after(void)
{
    int released;

    send_resource(NULL, VTS_REST_PROTO, -1, &released);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "retry-after"), "(none)");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "application/x-protobuf");
}

static void resource_the_reader_has_is_answered_304(void)
{
    static const struct {
        const char *if_none_match;
        int code;
    } rows[] = {
        {"W/\"r7\"", 304}, {"\"r7\"", 304}, {"*", 304},    {"\"a\", W/\"r7\"", 304},
        {"W/\"r6\"", 200}, {"r7", 200},     {"\"\"", 200}, {"", 200},
    };

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        int released;

        send_resource(rows[i].if_none_match, VTS_REST_JSON, 2500, &released);
        CU_ASSERT_EQUAL(fake.exchange.response.code, rows[i].code);
        CU_ASSERT_EQUAL(fake.body_len, rows[i].code == 304 ? 0 : strlen("body+tail"));
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "etag"), "W/\"r7\"");
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "retry-after"), "3");
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "poll-after-ms"),
                               rows[i].code == 304 ? "2500" : "(none)");
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"),
                               rows[i].code == 304 ? "(none)" : "application/json");
    }
}

static void events_are_announced_as_they_are(void)
{
    fake_exchange_init(&fake, VTS_METHOD_GET, "/");
    vts_rest_make_events_head(&fake.exchange);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 200);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "text/event-stream");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "cache-control"), "no-store");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "vary"), "accept");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "x-accel-buffering"), "no");
    fake_exchange_fini(&fake);
}

static void wait_is_told_where_there_is_room(void)
{
    static char origin[309];

    fake_exchange_init(&fake, VTS_METHOD_GET, "/");
    vts_rest_add_wait(&fake.exchange, 1000000000);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "preference-applied"), "wait=1000000000");
    memset(origin, 'o', sizeof(origin) - 1);
    CU_ASSERT(vts_response_add_copy(&fake.exchange.response, "x", vts_str_of(origin)));
    vts_rest_add_wait(&fake.exchange, 1); /* not a second time */
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "preference-applied"), "wait=1000000000");
    fake_exchange_fini(&fake);
}

static void text_is_sent_and_not_to_be_stored(void)
{
    int released = 0;

    fake_exchange_init(&fake, VTS_METHOD_GET, "/");
    vts_rest_send_text(&fake.exchange, 503, "text/plain", vts_str_of("stopping\n"), count_release,
                       &released);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 503);
    CU_ASSERT_STRING_EQUAL(fake.body, "stopping\n");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "content-type"), "text/plain");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "cache-control"), "no-store");
    fake_exchange_fini(&fake);
    CU_ASSERT_EQUAL(released, 1);
}

static const struct vts_test tests[] = {
    {"negotiation_follows_accept", negotiation_follows_accept},
    {"negotiation_without_overlap_answers_406", negotiation_without_overlap_answers_406},
    {"resource_is_sent_with_its_fields", resource_is_sent_with_its_fields},
    {"resource_without_hint_has_no_retry_after", resource_without_hint_has_no_retry_after},
    {"resource_the_reader_has_is_answered_304", resource_the_reader_has_is_answered_304},
    {"events_are_announced_as_they_are", events_are_announced_as_they_are},
    {"wait_is_told_where_there_is_room", wait_is_told_where_there_is_room},
    {"text_is_sent_and_not_to_be_stored", text_is_sent_and_not_to_be_stored},
};

int main(void)
{
    return vts_test_run("test_dialect_rest", tests, VTS_ARRAY_LEN(tests));
}
