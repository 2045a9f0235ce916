/* SPDX-License-Identifier: Apache-2.0 */
/* test_status_service.c - what readers of /status get from the board. */
#include <CUnit/CUnit.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "server/jobs/board.h"
#include "server/service/status_service.h"
#include "tests/support/suite.h"
#include "tests/unit/server/fake_exchange.h"
#include "tests/unit/server/jobs/sample_snapshot.h"
#include "vtstatus/v1/status.pb-c.h"

static struct fake_exchange fake;
static struct vts_status_service service;

static void publish(struct vts_board *board, const struct sample_job *job)
{
    struct vts_snapshot *snapshot = NULL;

    CU_ASSERT_EQUAL_FATAL(sample_snapshot_new(job, &snapshot), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_board_publish(board, snapshot), VTS_OK);
}

/* A board with a job "default" under way, which nobody knows the end of, and one "film" done. */
static struct vts_board *make_board(void)
{
    const struct sample_job pending = {.id = "default", .state = VTS_JOB_RUNNING, .revision = 4};
    const struct sample_job done = {.id = "film", .state = VTS_JOB_SUCCEEDED, .revision = 9};
    struct vts_board *board = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_board_new(&board), VTS_OK);
    publish(board, &pending);
    publish(board, &done);
    CU_ASSERT_EQUAL_FATAL(vts_watch_hub_new(board, 1, 1, 1000, &service.hub), VTS_OK);
    return board;
}

static void free_board(struct vts_board *board)
{
    vts_watch_hub_free(service.hub);
    vts_board_free(board);
}

static void get(const char *target, const char *accept)
{
    fake_exchange_init(&fake, VTS_METHOD_GET, target);
    if (accept != NULL)
        fake_exchange_set(&fake, VTS_FIELD_ACCEPT, accept);
    vts_status_service_get(&service, &fake.exchange);
    CU_ASSERT_EQUAL(fake.sent_count, 1);
    fake_exchange_fini(&fake);
}

static const char *json_text(const char *name, char *ret_text, size_t size)
{
    json_t *json = json_loadb(fake.body, fake.body_len, JSON_REJECT_DUPLICATES, NULL);
    const char *text = json_string_value(json_object_get(json, name));

    ret_text[0] = '\0';
    if (text != NULL && strlen(text) < size)
        memcpy(ret_text, text, strlen(text) + 1);
    json_decref(json);
    return ret_text;
}

/* Of the hint of a second, each caller gets at least four fifths. */
static bool is_spread_second(int64_t hint_ms)
{
    return hint_ms >= 800 && hint_ms <= 1000;
}

static void status_in_json_has_the_hint(void)
{
    struct vts_board *board = make_board();
    char text[64];

    get("/status", NULL);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 200);
    CU_ASSERT_STRING_EQUAL(json_text("jobId", text, sizeof(text)), "default");
    CU_ASSERT_STRING_EQUAL(json_text("status", text, sizeof(text)), "pending");
    CU_ASSERT(is_spread_second(
        (int64_t)(strtod(json_text("pollAfter", text, sizeof(text)), NULL) * 1000 + 0.5)));
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "retry-after"), "1");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "etag"), "W/\"r4\"");
    free_board(board);
}

static void status_in_protobuf_says_the_same(void)
{
    struct vts_board *board = make_board();
    Vtstatus__V1__JobStatus *status;

    get("/status/default", "application/x-protobuf");
    status = vtstatus__v1__job_status__unpack(NULL, fake.body_len, (const uint8_t *)fake.body);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_STRING_EQUAL(status->job_id, "default");
    CU_ASSERT_EQUAL(status->status, VTSTATUS__V1__STATUS__STATUS_PENDING);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status->poll_after);
    CU_ASSERT(is_spread_second(status->poll_after->seconds * 1000 +
                               status->poll_after->nanos / VTS_NS_PER_MS));
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    free_board(board);
}

static void status_of_a_done_job_has_no_hint(void)
{
    struct vts_board *board = make_board();
    Vtstatus__V1__JobStatus *status;
    char text[64];

    get("/status/film?x=y", NULL);
    CU_ASSERT_STRING_EQUAL(json_text("status", text, sizeof(text)), "completed");
    CU_ASSERT_STRING_EQUAL(json_text("pollAfter", text, sizeof(text)), "");
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "retry-after"), "(none)");
    get("/status/film", "application/x-protobuf");
    status = vtstatus__v1__job_status__unpack(NULL, fake.body_len, (const uint8_t *)fake.body);
    CU_ASSERT_PTR_NOT_NULL_FATAL(status);
    CU_ASSERT_PTR_NULL(status->poll_after);
    CU_ASSERT(status->done);
    vtstatus__v1__job_status__free_unpacked(status, NULL);
    free_board(board);
}

static void retry_after_is_the_hint_rounded_up(void)
{
    struct vts_board *board = make_board();
    struct sample_job job = {.id = "late", .state = VTS_JOB_RUNNING, .revision = 1};
    long longest_s;

    job.expected_end_ns = fake.now_ns; /* the shortest hint, 0.2 s */
    publish(board, &job);
    get("/status/late", NULL);
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "retry-after"), "1");
    job.expected_end_ns = fake.now_ns + INT64_C(3600) * VTS_NS_PER_S; /* the longest */
    publish(board, &job);
    get("/status/late", NULL);
    longest_s = strtol(fake_exchange_field(&fake, "retry-after"), NULL, 10);
    CU_ASSERT(longest_s >= 24 && longest_s <= 30);
    free_board(board);
}

static void reader_who_is_current_is_answered_304(void)
{
    struct vts_board *board = make_board();

    fake_exchange_init(&fake, VTS_METHOD_GET, "/status");
    fake_exchange_set(&fake, VTS_FIELD_IF_NONE_MATCH, "W/\"r4\"");
    vts_status_service_get(&service, &fake.exchange);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 304);
    CU_ASSERT_EQUAL(fake.body_len, 0);
    fake_exchange_fini(&fake);
    free_board(board);
}

static void unknown_and_invalid_ids_are_refused(void)
{
    static const struct {
        const char *target;
        int code;
        const char *word;
    } rows[] = {
        {"/status/absent", 404, "not_found"},     {"/status/", 400, "invalid_argument"},
        {"/status/a/b", 400, "invalid_argument"}, {"/status/%61", 400, "invalid_argument"},
        {"/status/a b", 400, "invalid_argument"}, {"/status/film/", 400, "invalid_argument"},
        {"/status/..", 404, "not_found"},
    };
    struct vts_board *board = make_board();

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        char text[64];

        get(rows[i].target, "application/x-protobuf");
        CU_ASSERT_EQUAL(fake.exchange.response.code, rows[i].code);
        CU_ASSERT_STRING_EQUAL(json_text("code", text, sizeof(text)), rows[i].word);
    }
    free_board(board);
}

static void reader_of_other_media_types_is_refused(void)
{
    struct vts_board *board = make_board();

    get("/status", "text/html");
    CU_ASSERT_EQUAL(fake.exchange.response.code, 406);
    free_board(board);
}

static void answer_outlives_a_newer_revision(void)
{
    const struct sample_job newer = {.id = "default", .state = VTS_JOB_SUCCEEDED, .revision = 5};
    struct vts_board *board = make_board();

    fake_exchange_init(&fake, VTS_METHOD_GET, "/status");
    vts_status_service_get(&service, &fake.exchange);
    publish(board, &newer);
    free_board(board);
    /* What it points at is still there, for a peer that reads slowly. */
    CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "etag"), "W/\"r4\"");
    CU_ASSERT_EQUAL(
        memcmp(fake.exchange.response.body.ptr, fake.body, fake.exchange.response.body.len), 0);
    fake_exchange_fini(&fake);
}

static void status_without_memory_for_its_json_is_unavailable(void)
{
    struct vts_board *board = make_board();
    long count = 0;

    for (;; count++) {
        fake_exchange_init(&fake, VTS_METHOD_GET, "/status");
        (void)vts_mem_fail_after(count);
        vts_status_service_get(&service, &fake.exchange);
        fake_exchange_fini(&fake);
        if (vts_mem_fail_after(-1) == 0)
            break;
        CU_ASSERT_EQUAL(fake.exchange.response.code, 503);
        CU_ASSERT(strstr(fake.body, "\"unavailable\"") != NULL);
        CU_ASSERT_STRING_EQUAL(fake_exchange_field(&fake, "etag"), "(none)");
    }
    CU_ASSERT(count > 0);
    CU_ASSERT_EQUAL(fake.exchange.response.code, 200);
    free_board(board);
}

static const struct vts_test tests[] = {
    {"status_in_json_has_the_hint", status_in_json_has_the_hint},
    {"status_in_protobuf_says_the_same", status_in_protobuf_says_the_same},
    {"status_of_a_done_job_has_no_hint", status_of_a_done_job_has_no_hint},
    {"retry_after_is_the_hint_rounded_up", retry_after_is_the_hint_rounded_up},
    {"reader_who_is_current_is_answered_304", reader_who_is_current_is_answered_304},
    {"unknown_and_invalid_ids_are_refused", unknown_and_invalid_ids_are_refused},
    {"reader_of_other_media_types_is_refused", reader_of_other_media_types_is_refused},
    {"answer_outlives_a_newer_revision", answer_outlives_a_newer_revision},
    {"status_without_memory_for_its_json_is_unavailable",
     status_without_memory_for_its_json_is_unavailable},
};

int main(void)
{
    return vts_test_run("test_status_service", tests, VTS_ARRAY_LEN(tests));
}
