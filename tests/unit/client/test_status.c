/* SPDX-License-Identifier: Apache-2.0 */
/* test_status.c - bodies of every kind, and what comes out of the good ones. */
#include <CUnit/CUnit.h>
#include <math.h>
#include <string.h>

#include "client/src/status.h"
#include "common/base/mem.h"
#include "common/base/rng.h"
#include "tests/support/suite.h"
#include "tests/unit/client/sample_status.h"

static enum vts_err decode(const void *bytes, size_t len)
{
    struct vts_status *status = NULL;
    struct vts_error error = {.text = ""};
    enum vts_err err = vts_status_decode(vts_str_make(bytes, len), &status, &error);

    CU_ASSERT_EQUAL(err == VTS_OK, status != NULL);
    CU_ASSERT_EQUAL(err == VTS_OK, error.text[0] == '\0');
    vts_status_free(status);
    return err;
}

/* A literal with its NULs inside, without the one at its end. */
static enum vts_err decode_text(const char *bytes, size_t size)
{
    return decode(bytes, size - 1);
}

static struct vts_status *full_status(void)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Rpc__Status error = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;

    time.seconds = 1700000000;
    time.nanos = 500;
    error.code = 13;
    error.message = (char *)"the disk is full";
    message.job_id = (char *)"j-1";
    message.status = VTSTATUS__V1__STATUS__STATUS_ERROR;
    message.state = VTSTATUS__V1__STATE__STATE_FAILED;
    message.done = 1;
    message.revision = 9;
    message.error = &error;
    message.update_time = &time;
    message.estimated_completion_time = &time;
    message.attempt = 3;
    message.queue_position = 4;
    return sample_status_of(&message);
}

static void status_failed_shows_its_error(void)
{
    struct vts_status *status = full_status();

    CU_ASSERT_STRING_EQUAL(vts_status_job_id(status), "j-1");
    CU_ASSERT_EQUAL(vts_status_value(status), VTS_STATUS_ERROR);
    CU_ASSERT_STRING_EQUAL(vts_status_word(status), "error");
    CU_ASSERT_EQUAL(vts_status_state(status), VTS_STATE_FAILED);
    CU_ASSERT_STRING_EQUAL(vts_status_state_word(status), "failed");
    CU_ASSERT(vts_status_is_done(status));
    CU_ASSERT_EQUAL(vts_status_revision(status), 9);
    CU_ASSERT_EQUAL(vts_status_error_code(status), 13);
    CU_ASSERT_STRING_EQUAL(vts_status_error_message(status), "the disk is full");
    CU_ASSERT_EQUAL(vts_status_attempt(status), 3);
    CU_ASSERT_EQUAL(vts_status_queue_position(status), 4);
    CU_ASSERT_EQUAL(vts_status_pending_reason(status), VTS_PENDING_UNSPECIFIED);
    CU_ASSERT_EQUAL(vts_status_update_time_ns(status), INT64_C(1700000000000000500));
    CU_ASSERT_EQUAL(vts_status_estimated_completion_time_ns(status), INT64_C(1700000000000000500));
    CU_ASSERT(vts_status_poll_after(status) < 0);
    vts_status_free(status);
}

static void status_running_shows_its_progress(void)
{
    struct vts_status *status = sample_status_running("default", 3, 0.25);

    CU_ASSERT_EQUAL(vts_status_value(status), VTS_STATUS_PENDING);
    CU_ASSERT(!vts_status_is_done(status));
    CU_ASSERT_DOUBLE_EQUAL(vts_status_poll_after(status), 0.25, 1e-9);
    CU_ASSERT_DOUBLE_EQUAL(vts_status_percent(status), 42, 1e-9);
    CU_ASSERT_STRING_EQUAL(vts_status_phase(status), "transcribe");
    CU_ASSERT_EQUAL(vts_status_phase_index(status), 2);
    CU_ASSERT_EQUAL(vts_status_phase_count(status), 6);
    CU_ASSERT_STRING_EQUAL(vts_status_message(status), "");
    CU_ASSERT_EQUAL(vts_status_error_code(status), 0);
    CU_ASSERT_STRING_EQUAL(vts_status_error_message(status), "");
    CU_ASSERT_EQUAL(vts_status_update_time_ns(status), 0);
    vts_status_free(status);
}

static void status_without_progress_has_none(void)
{
    struct vts_status *status = sample_status_completed("default", 3);

    CU_ASSERT_STRING_EQUAL(vts_status_phase(status), "");
    CU_ASSERT_STRING_EQUAL(vts_status_message(status), "");
    CU_ASSERT_EQUAL(vts_status_phase_index(status), 0);
    CU_ASSERT_EQUAL(vts_status_percent(status), 0);
    CU_ASSERT_STRING_EQUAL(vts_status_output_uri(status), "file:///out.mp4");
    vts_status_free(status);
}

static void status_percent_is_always_a_percentage(void)
{
    const float given[] = {-5, 250, NAN, INFINITY, -INFINITY};
    const double expected[] = {0, 100, 0, 100, 0};

    for (size_t i = 0; i < VTS_ARRAY_LEN(given); i++) {
        Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
        Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
        struct vts_status *status;

        progress.percent = given[i];
        message.job_id = (char *)"x";
        message.progress = &progress;
        status = sample_status_of(&message);
        CU_ASSERT_EQUAL(vts_status_percent(status), expected[i]);
        vts_status_free(status);
    }
}

static void status_with_unknown_enum_values_is_unspecified(void)
{
    const int numbers[] = {99, -1, INT32_MIN, INT32_MAX};

    for (size_t i = 0; i < VTS_ARRAY_LEN(numbers); i++) {
        Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
        struct vts_status *status;

        message.job_id = (char *)"x";
        message.status = (Vtstatus__V1__Status)numbers[i];
        message.state = (Vtstatus__V1__State)numbers[i];
        message.pending_reason = (Vtstatus__V1__PendingReason)numbers[i];
        status = sample_status_of(&message);
        CU_ASSERT_EQUAL(vts_status_value(status), VTS_STATUS_UNSPECIFIED);
        CU_ASSERT_STRING_EQUAL(vts_status_word(status), "unspecified");
        CU_ASSERT_EQUAL(vts_status_state(status), VTS_STATE_UNSPECIFIED);
        CU_ASSERT_STRING_EQUAL(vts_status_state_word(status), "unspecified");
        CU_ASSERT_EQUAL(vts_status_pending_reason(status), VTS_PENDING_UNSPECIFIED);
        vts_status_free(status);
    }
}

static void status_far_in_time_is_clamped(void)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Protobuf__Timestamp late = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Timestamp early = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    struct vts_status *status;

    late.seconds = INT64_C(253402300799);
    early.seconds = INT64_C(-62135596800);
    message.job_id = (char *)"x";
    message.update_time = &late;
    message.estimated_completion_time = &early;
    status = sample_status_of(&message);
    CU_ASSERT_EQUAL(vts_status_update_time_ns(status), INT64_MAX);
    CU_ASSERT_EQUAL(vts_status_estimated_completion_time_ns(status), INT64_MIN);
    vts_status_free(status);
}

static void decode_refuses_times_out_of_range(void)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Protobuf__Timestamp time = GOOGLE__PROTOBUF__TIMESTAMP__INIT;
    Google__Protobuf__Duration hint = GOOGLE__PROTOBUF__DURATION__INIT;
    struct vts_buf buf;

    message.job_id = (char *)"x";
    message.update_time = &time;
    time.seconds = INT64_MAX;
    buf = sample_status_encode(&message);
    CU_ASSERT_EQUAL(decode(buf.ptr, buf.len), VTS_ERR_PROTOCOL);
    vts_buf_fini(&buf);

    message.update_time = NULL;
    message.poll_after = &hint;
    hint.seconds = 1;
    hint.nanos = -1;
    buf = sample_status_encode(&message);
    CU_ASSERT_EQUAL(decode(buf.ptr, buf.len), VTS_ERR_PROTOCOL);
    vts_buf_fini(&buf);
}

static void status_with_a_negative_hint_has_none(void)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    Google__Protobuf__Duration hint = GOOGLE__PROTOBUF__DURATION__INIT;
    struct vts_status *status;

    message.job_id = (char *)"x";
    message.poll_after = &hint;
    hint.seconds = -3;
    status = sample_status_of(&message);
    CU_ASSERT(vts_status_poll_after(status) < 0);
    vts_status_free(status);
}

static void decode_keeps_what_a_newer_server_adds(void)
{
    /* job_id "x", then field 1000 as bytes, varint, 32 and 64 bits. */
    const char body[] =
        "\x0a\x01x"
        "\xc2\x3e\x02\xff\x00"
        "\xc0\x3e\x05"
        "\xc5\x3e\x01\x02\x03\x04"
        "\xc1\x3e\x01\x02\x03\x04\x05\x06\x07\x08";

    CU_ASSERT_EQUAL(decode_text(body, sizeof(body)), VTS_OK);
}

static void decode_takes_concatenated_bodies_as_merged(void)
{
    /* The server appends poll_after to a body that it has encoded before. */
    const char body[] =
        "\x0a\x01x\x20\x07"
        "\x2a\x02\x08\x03";
    struct vts_status *status = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_status_decode(vts_str_make(body, sizeof(body) - 1), &status, NULL),
                          VTS_OK);
    CU_ASSERT_EQUAL(vts_status_revision(status), 7);
    CU_ASSERT_DOUBLE_EQUAL(vts_status_poll_after(status), 3, 1e-9);
    vts_status_free(status);
}

static void decode_refuses_what_is_no_status(void)
{
    const char group[] = "\x0a\x01x\x0b\x0c";
    const char zero_field[] = "\x0a\x01x\x00\x01";
    const char long_varint[] = "\x0a\x01x\x20\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01";
    const char wrong_type[] = "\x0a\x01x\x22\x01\x01";
    const char huge_length[] = "\x0a\xff\xff\xff\xff\xff\xff\xff\xff\x7fx";
    const char two_errors[] = "\x0a\x01x\x42\x00\x42\x00";

    CU_ASSERT_EQUAL(decode("", 0), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text("\x20\x01", 3), VTS_ERR_PROTOCOL); /* no job_id */
    CU_ASSERT_EQUAL(decode_text("{\"jobId\":\"x\"}", 14), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(group, sizeof(group)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(zero_field, sizeof(zero_field)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(long_varint, sizeof(long_varint)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(wrong_type, sizeof(wrong_type)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(huge_length, sizeof(huge_length)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(two_errors, sizeof(two_errors)), VTS_ERR_PROTOCOL);
}

static void decode_refuses_strings_that_are_none(void)
{
    const char bad_utf8[] = "\x0a\x02x\xff";
    const char embedded_nul[] = "\x0a\x03x\x00y";
    /* progress.message, error.message and error.details[0].type_url */
    const char nested[] = "\x0a\x01x\x3a\x04\x2a\x02\xc3\x28";
    const char error_text[] = "\x0a\x01x\x42\x03\x12\x01\x00";
    const char detail[] = "\x0a\x01x\x42\x05\x1a\x03\x0a\x01\x80";

    CU_ASSERT_EQUAL(decode_text(bad_utf8, sizeof(bad_utf8)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(embedded_nul, sizeof(embedded_nul)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(nested, sizeof(nested)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(error_text, sizeof(error_text)), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(decode_text(detail, sizeof(detail)), VTS_ERR_PROTOCOL);
}

static void decode_refuses_a_body_past_its_size(void)
{
    char *body = vts_mem_zalloc(VTS_STATUS_MAX_BODY_BYTES + 1);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    CU_ASSERT_EQUAL(decode(body, VTS_STATUS_MAX_BODY_BYTES + 1), VTS_ERR_LIMIT);
    vts_mem_free(body);
}

static void decode_bounds_its_memory(void)
{
    /* Unknown fields of two bytes each: protobuf-c would take 60 times the body. */
    char *body = vts_mem_alloc(VTS_STATUS_MAX_BODY_BYTES);

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    memcpy(body, "\x0a\x02xy", 4);
    for (size_t i = 4; i + 2 <= VTS_STATUS_MAX_BODY_BYTES; i += 2)
        memcpy(body + i, "\x78\x01", 2);
    CU_ASSERT_EQUAL(decode(body, VTS_STATUS_MAX_BODY_BYTES), VTS_ERR_LIMIT);
    vts_mem_free(body);
}

static struct vts_buf sample_body(void)
{
    Vtstatus__V1__JobStatus message = VTSTATUS__V1__JOB_STATUS__INIT;
    Vtstatus__V1__Progress progress = VTSTATUS__V1__PROGRESS__INIT;
    Google__Rpc__Status error = GOOGLE__RPC__STATUS__INIT;
    Google__Protobuf__Any any = GOOGLE__PROTOBUF__ANY__INIT;
    Google__Protobuf__Any *details[] = {&any};

    any.type_url = (char *)"type.googleapis.com/x";
    any.value = (ProtobufCBinaryData){3, (uint8_t *)"abc"};
    error.message = (char *)"h\xc3\xa9";
    error.n_details = 1;
    error.details = details;
    progress.phase = (char *)"encode";
    progress.percent = 12.5F;
    message.job_id = (char *)"default";
    message.progress = &progress;
    message.error = &error;
    message.revision = 300;
    return sample_status_encode(&message);
}

static void decode_of_every_truncation_is_safe(void)
{
    struct vts_buf buf = sample_body();

    for (size_t len = 0; len <= buf.len; len++) {
        /* Of its own, so that a sanitizer sees a byte read beyond. */
        char *copy = vts_mem_alloc(len);

        CU_ASSERT_PTR_NOT_NULL_FATAL(copy);
        memcpy(copy, buf.ptr, len);
        (void)decode(copy, len); /* at a field's border a truncation is a shorter status */
        vts_mem_free(copy);
    }
    vts_buf_fini(&buf);
}

static void read_everything(const struct vts_status *status)
{
    char *json = NULL;

    CU_ASSERT(strlen(vts_status_job_id(status)) > 0);
    CU_ASSERT(strlen(vts_status_phase(status)) < VTS_STATUS_MAX_BODY_BYTES);
    CU_ASSERT(strlen(vts_status_message(status)) < VTS_STATUS_MAX_BODY_BYTES);
    CU_ASSERT(strlen(vts_status_error_message(status)) < VTS_STATUS_MAX_BODY_BYTES);
    CU_ASSERT(vts_status_percent(status) >= 0);
    CU_ASSERT_EQUAL_FATAL(vts_status_to_json(status, &json), VTS_CLIENT_OK);
    CU_ASSERT_PTR_NULL(strchr(json, '\n'));
    vts_string_free(json);
}

static void decode_of_damaged_bodies_is_safe(void)
{
    struct vts_buf buf = sample_body();
    struct vts_rng rng;
    char body[512];

    vts_rng_init(&rng, 1);
    CU_ASSERT_FATAL(buf.len < sizeof(body));
    for (int round = 0; round < 20000; round++) {
        struct vts_status *status = NULL;

        memcpy(body, buf.ptr, buf.len);
        for (uint64_t i = vts_rng_next(&rng) % 4; i < 4; i++)
            body[vts_rng_next(&rng) % buf.len] = (char)vts_rng_next(&rng);
        if (vts_status_decode(vts_str_make(body, buf.len), &status, NULL) == VTS_OK)
            read_everything(status);
        vts_status_free(status);
    }
    vts_buf_fini(&buf);
}

static void decode_without_memory_fails_and_leaks_nothing(void)
{
    struct vts_buf buf = sample_body();
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_status *status = NULL;
        enum vts_err err;

        CU_ASSERT_EQUAL(vts_mem_fail_after(count), 0);
        err = vts_status_decode(vts_buf_str(&buf), &status, NULL);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        vts_status_free(status);
        CU_ASSERT_FATAL(count < 1000);
    }
    vts_buf_fini(&buf);
}

static void status_to_json_writes_words_and_names(void)
{
    struct vts_status *status = sample_status_running("default", 3, 0.2);
    char *json = NULL;

    CU_ASSERT_EQUAL_FATAL(vts_status_to_json(status, &json), VTS_CLIENT_OK);
    CU_ASSERT_STRING_EQUAL(json,
                           "{\"jobId\":\"default\",\"status\":\"pending\",\"revision\":\"3\","
                           "\"pollAfter\":\"0.200s\",\"state\":\"running\",\"progress\":"
                           "{\"percent\":42,\"phase\":\"transcribe\",\"phaseIndex\":2,"
                           "\"phaseCount\":6}}");
    vts_string_free(json);
    vts_status_free(status);
}

static void status_lives_until_its_last_owner_leaves(void)
{
    struct vts_status *status = sample_status_completed("default", 3);
    struct vts_status *other = vts_status_ref(status);

    vts_status_free(status);
    CU_ASSERT_STRING_EQUAL(vts_status_job_id(other), "default");
    vts_status_free(other);
    vts_status_free(NULL);
    CU_ASSERT_PTR_NULL(vts_status_ref(NULL));
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"status_failed_shows_its_error", status_failed_shows_its_error},
        {"status_running_shows_its_progress", status_running_shows_its_progress},
        {"status_without_progress_has_none", status_without_progress_has_none},
        {"status_percent_is_always_a_percentage", status_percent_is_always_a_percentage},
        {"status_with_unknown_enum_values_is_unspecified",
         status_with_unknown_enum_values_is_unspecified},
        {"status_far_in_time_is_clamped", status_far_in_time_is_clamped},
        {"decode_refuses_times_out_of_range", decode_refuses_times_out_of_range},
        {"status_with_a_negative_hint_has_none", status_with_a_negative_hint_has_none},
        {"decode_keeps_what_a_newer_server_adds", decode_keeps_what_a_newer_server_adds},
        {"decode_takes_concatenated_bodies_as_merged", decode_takes_concatenated_bodies_as_merged},
        {"decode_refuses_what_is_no_status", decode_refuses_what_is_no_status},
        {"decode_refuses_strings_that_are_none", decode_refuses_strings_that_are_none},
        {"decode_refuses_a_body_past_its_size", decode_refuses_a_body_past_its_size},
        {"decode_bounds_its_memory", decode_bounds_its_memory},
        {"decode_of_every_truncation_is_safe", decode_of_every_truncation_is_safe},
        {"decode_of_damaged_bodies_is_safe", decode_of_damaged_bodies_is_safe},
        {"decode_without_memory_fails_and_leaks_nothing",
         decode_without_memory_fails_and_leaks_nothing},
        {"status_to_json_writes_words_and_names", status_to_json_writes_words_and_names},
        {"status_lives_until_its_last_owner_leaves", status_lives_until_its_last_owner_leaves},
    };

    return vts_test_run("status", tests, VTS_ARRAY_LEN(tests));
}
