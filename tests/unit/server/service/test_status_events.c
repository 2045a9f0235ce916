/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_events.c - what a reader of events gets, byte by byte, and how the stream ends. */
#include <CUnit/CUnit.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/macros.h"
#include "tests/support/suite.h"
#include "tests/unit/server/service/status_bench.h"

enum { TEXT_BYTES = 512, LINE_BYTES = 1024 };

static struct status_bench bench;

static void make(const char *target)
{
    status_bench_make(&bench, target);
    fake_exchange_set(&bench.fake, VTS_FIELD_ACCEPT, "text/event-stream");
}

static void get(const char *target)
{
    make(target);
    status_bench_begin(&bench);
}

static void get_after(const char *target, const char *last_event_id)
{
    make(target);
    fake_exchange_set(&bench.fake, VTS_FIELD_LAST_EVENT_ID, last_event_id);
    status_bench_begin(&bench);
}

/* The next line; false at the end of the text. */
static bool take_line(struct vts_str *rest, char line[LINE_BYTES])
{
    struct vts_str part;

    if (rest->len == 0 || !vts_str_split(rest, '\n', &part))
        return false;
    CU_ASSERT_FATAL(part.len < LINE_BYTES);
    memcpy(line, part.ptr, part.len);
    line[part.len] = '\0';
    return true;
}

/* Checks a "data: " line: JSON of this revision. */
static void check_data(const char *line, const char *revision)
{
    json_t *json = json_loads(line + strlen("data: "), JSON_REJECT_DUPLICATES, NULL);

    CU_ASSERT_PTR_NOT_NULL(json);
    CU_ASSERT_STRING_EQUAL(json_string_value(json_object_get(json, "revision")), revision);
    json_decref(json);
}

/* What the stream has said, read as an EventSource does: "4:status 5:done", with "retry" and "c"
 * for a comment among them. */
static const char *events(void)
{
    static char text[TEXT_BYTES];
    struct vts_str rest;
    char line[LINE_BYTES];
    char id[24] = "";
    char event[16] = "";
    size_t len = 0;

    text[0] = '\0';
    status_bench_read(&bench);
    rest = vts_str_make(bench.fake.body, bench.fake.body_len);
    while (take_line(&rest, line)) {
        const char *space = len == 0 ? "" : " ";

        if (line[0] == ':')
            len += (size_t)snprintf(text + len, TEXT_BYTES - len, "%sc", space);
        else if (strncmp(line, "retry: ", 7) == 0)
            len += (size_t)snprintf(text + len, TEXT_BYTES - len, "%sretry", space);
        else if (strncmp(line, "id: ", 4) == 0)
            (void)snprintf(id, sizeof(id), "%.20s", line + 4);
        else if (strncmp(line, "event: ", 7) == 0)
            (void)snprintf(event, sizeof(event), "%.10s", line + 7);
        else if (strncmp(line, "data: ", 6) == 0)
            check_data(line, id);
        else
            CU_ASSERT_STRING_EQUAL(line, "");
        if (line[0] == '\0' && event[0] != '\0') {
            len += (size_t)snprintf(text + len, TEXT_BYTES - len, "%s%s:%s", space, id, event);
            event[0] = '\0';
        }
    }
    return text;
}

static void stream_tells_the_present_status_and_changes(void)
{
    status_bench_open(&bench);
    get("/status");
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 200);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "content-type"), "text/event-stream");
    CU_ASSERT_STRING_EQUAL(events(), "retry 4:status");
    status_bench_move(&bench, 5);
    CU_ASSERT_STRING_EQUAL(events(), "retry 4:status 5:status");
    CU_ASSERT_FALSE(bench.fake.is_over);
    status_bench_close(&bench);
}

static void stream_ends_after_the_done_event(void)
{
    status_bench_open(&bench);
    get("/status/default");
    status_bench_publish(&bench, "default", VTS_JOB_FAILED, 5);
    CU_ASSERT_STRING_EQUAL(events(), "retry 4:status 5:done");
    CU_ASSERT(bench.fake.is_over);
    get("/status/film");
    CU_ASSERT_STRING_EQUAL(events(), "retry 9:done");
    CU_ASSERT(bench.fake.is_over);
    status_bench_close(&bench);
}

static void event_is_the_status_in_json_on_one_line(void)
{
    static const char wanted[] = "id: 9\nevent: done\ndata: ";
    const char *event;
    char *json;

    status_bench_open(&bench);
    status_bench_make(&bench, "/status/film");
    status_bench_begin(&bench);
    json = strdup(bench.fake.body);
    CU_ASSERT_PTR_NOT_NULL_FATAL(json);
    get("/status/film");
    event = strstr(bench.fake.body, "\n\n");
    CU_ASSERT_PTR_NOT_NULL_FATAL(event);
    CU_ASSERT_EQUAL(strncmp(event + 2, wanted, strlen(wanted)), 0);
    CU_ASSERT_EQUAL(strncmp(event + 2 + strlen(wanted), json, strlen(json)), 0);
    CU_ASSERT_STRING_EQUAL(event + 2 + strlen(wanted) + strlen(json), "\n\n");
    free(json);
    status_bench_close(&bench);
}

static void reader_who_comes_back_goes_on(void)
{
    static const struct {
        const char *id;
        const char *events;
    } rows[] = {
        {"4", "retry"},           {"3", "retry 4:status"},
        {"5", "retry 4:status"},  {"", "retry 4:status"},
        {"x", "retry 4:status"},  {"4, 4", "retry 4:status"},
        {" 4", "retry 4:status"}, {"18446744073709551616", "retry 4:status"},
    };

    status_bench_open(&bench);
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        get_after("/status", rows[i].id);
        CU_ASSERT_STRING_EQUAL(events(), rows[i].events);
    }
    get_after("/status", "4");
    status_bench_move(&bench, 5);
    CU_ASSERT_STRING_EQUAL(events(), "retry 5:status");
    status_bench_close(&bench);
}

static void last_event_id_may_stand_in_the_query(void)
{
    status_bench_open(&bench);
    get("/status?last_event_id=4");
    CU_ASSERT_STRING_EQUAL(events(), "retry");
    get("/status/default?x&last_event_id=4&y=z");
    CU_ASSERT_STRING_EQUAL(events(), "retry");
    get("/status?last_event_id");
    CU_ASSERT_STRING_EQUAL(events(), "retry 4:status");
    get("/status?xlast_event_id=4");
    CU_ASSERT_STRING_EQUAL(events(), "retry 4:status");
    get_after("/status?last_event_id=4", "3"); /* the field is newer */
    CU_ASSERT_STRING_EQUAL(events(), "retry 4:status");
    status_bench_close(&bench);
}

static void reader_who_has_the_last_event_comes_no_more(void)
{
    status_bench_open(&bench);
    get_after("/status/film", "9");
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 204);
    CU_ASSERT_EQUAL(bench.fake.body_len, 0);
    get("/status/film?last_event_id=9");
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 204);
    get_after("/status/film", "8");
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 200);
    status_bench_close(&bench);
}

static void slow_reader_gets_the_newest_only(void)
{
    status_bench_open(&bench);
    get_after("/status", "4");
    status_bench_move(&bench, 5);
    CU_ASSERT_EQUAL(fake_exchange_read(&bench.fake, 1), 1); /* that event is under way */
    for (uint64_t revision = 6; revision < 100; revision++)
        status_bench_move(&bench, revision);
    CU_ASSERT_EQUAL(fake_exchange_read(&bench.fake, 1), 1);
    status_bench_publish(&bench, "default", VTS_JOB_SUCCEEDED, 100);
    CU_ASSERT_STRING_EQUAL(events(), "retry 5:status 100:done");
    CU_ASSERT(bench.fake.is_over);
    status_bench_close(&bench);
}

static void pieces_of_any_size_make_the_same_stream(void)
{
    char *whole;

    status_bench_open(&bench);
    get_after("/status/film", "8");
    whole = strdup(strstr(bench.fake.body, "id:"));
    CU_ASSERT_PTR_NOT_NULL_FATAL(whole);
    for (size_t cap = 1; cap < 40; cap++) {
        make("/status/film");
        vts_router_begin(&bench.router, &bench.fake.exchange);
        fake_exchange_read_all(&bench.fake, cap);
        CU_ASSERT(bench.fake.is_over);
        CU_ASSERT_STRING_EQUAL(strstr(bench.fake.body, "id:"), whole);
    }
    free(whole);
    status_bench_close(&bench);
}

static void silence_is_broken_by_comments(void)
{
    status_bench_open(&bench);
    get_after("/status", "4");
    fake_exchange_move_clock(&bench.fake, INT64_C(14999) * VTS_NS_PER_MS);
    CU_ASSERT_STRING_EQUAL(events(), "retry");
    fake_exchange_move_clock(&bench.fake, VTS_NS_PER_MS);
    CU_ASSERT_STRING_EQUAL(events(), "retry c");
    fake_exchange_move_clock(&bench.fake, INT64_C(15) * VTS_NS_PER_S);
    fake_exchange_move_clock(&bench.fake, INT64_C(15) * VTS_NS_PER_S);
    CU_ASSERT_STRING_EQUAL(events(), "retry c c"); /* it had not read the second */
    status_bench_move(&bench, 5);
    CU_ASSERT_STRING_EQUAL(events(), "retry c c 5:status");
    status_bench_close(&bench);
}

/* The number behind the last "retry: ". */
static uint64_t last_retry_ms(void)
{
    static const char name[] = "retry: ";
    const char *found = strstr(bench.fake.body, name);
    const char *next;
    struct vts_str rest;
    struct vts_str digits;
    uint64_t ms = 0;

    CU_ASSERT_PTR_NOT_NULL_FATAL(found);
    while ((next = strstr(found + 1, name)) != NULL)
        found = next;
    rest = vts_str_of(found + strlen(name));
    CU_ASSERT(vts_str_split(&rest, '\n', &digits));
    CU_ASSERT_EQUAL(vts_str_to_u64(digits, 10000, &ms), VTS_OK);
    return ms;
}

static void drain_ends_the_stream_with_what_is_new(void)
{
    status_bench_open(&bench);
    get("/status");
    CU_ASSERT(last_retry_ms() >= 1000 && last_retry_ms() < 3000);
    status_bench_move(&bench, 5); /* not read yet */
    vts_rpc_loop_drain(bench.loop);
    CU_ASSERT_STRING_EQUAL(events(), "retry 4:status 5:status retry");
    CU_ASSERT(last_retry_ms() < 2000);
    CU_ASSERT(bench.fake.is_over);
    get_after("/status", "3"); /* and so it is for whoever comes yet */
    CU_ASSERT_STRING_EQUAL(events(), "5:status retry");
    CU_ASSERT(bench.fake.is_over);
    get("/status/film");
    CU_ASSERT_STRING_EQUAL(events(), "9:done");
    vts_rpc_loop_drain(bench.loop);
    status_bench_close(&bench);
}

static void head_has_no_events(void)
{
    status_bench_open(&bench);
    make("/status");
    bench.fake.exchange.request.method = VTS_METHOD_HEAD;
    status_bench_begin(&bench);
    CU_ASSERT_EQUAL(bench.fake.sent_count, 1);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 200);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "content-type"), "text/event-stream");
    CU_ASSERT_EQUAL(bench.fake.body_len, 0);
    status_bench_close(&bench);
}

static void refusals_are_no_streams(void)
{
    status_bench_open(&bench);
    get("/status/absent");
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 404);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "content-type"), "application/json");
    make("/status");
    bench.fake.is_full = true;
    status_bench_begin(&bench);
    CU_ASSERT_EQUAL(bench.fake.exchange.response.code, 429);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "retry-after"), "5");
    status_bench_close(&bench);
}

static void page_of_another_origin_may_read_them(void)
{
    status_bench_open(&bench);
    make("/status");
    fake_exchange_set(&bench.fake, VTS_FIELD_ORIGIN, "https://a.example");
    status_bench_begin(&bench);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&bench.fake, "access-control-allow-origin"),
                           "https://a.example");
    CU_ASSERT_STRING_EQUAL(events(), "retry 4:status");
    status_bench_close(&bench);
}

static void stream_ends_with_its_client(void)
{
    status_bench_open(&bench);
    get("/status");
    status_bench_move(&bench, 5);
    CU_ASSERT_EQUAL(fake_exchange_read(&bench.fake, 1), 1); /* in the midst of an event */
    CU_ASSERT_EQUAL(status_bench_watches_left(&bench), STATUS_BENCH_WATCHES_MAX - 1);
    fake_exchange_close(&bench.fake);
    status_bench_move(&bench, 6);
    vts_rpc_loop_drain(bench.loop);
    status_bench_close(&bench);
}

static const struct vts_test tests[] = {
    {"stream_tells_the_present_status_and_changes", stream_tells_the_present_status_and_changes},
    {"stream_ends_after_the_done_event", stream_ends_after_the_done_event},
    {"event_is_the_status_in_json_on_one_line", event_is_the_status_in_json_on_one_line},
    {"reader_who_comes_back_goes_on", reader_who_comes_back_goes_on},
    {"last_event_id_may_stand_in_the_query", last_event_id_may_stand_in_the_query},
    {"reader_who_has_the_last_event_comes_no_more", reader_who_has_the_last_event_comes_no_more},
    {"slow_reader_gets_the_newest_only", slow_reader_gets_the_newest_only},
    {"pieces_of_any_size_make_the_same_stream", pieces_of_any_size_make_the_same_stream},
    {"silence_is_broken_by_comments", silence_is_broken_by_comments},
    {"drain_ends_the_stream_with_what_is_new", drain_ends_the_stream_with_what_is_new},
    {"head_has_no_events", head_has_no_events},
    {"refusals_are_no_streams", refusals_are_no_streams},
    {"page_of_another_origin_may_read_them", page_of_another_origin_may_read_them},
    {"stream_ends_with_its_client", stream_ends_with_its_client},
};

int main(void)
{
    return vts_test_run("test_status_events", tests, VTS_ARRAY_LEN(tests));
}
