/* SPDX-License-Identifier: Apache-2.0 */
/* test_job_record.c - which requests are refused and why, and what the others begin as. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/wire/pb_time.h"
#include "server/jobs/job_machine.h"
#include "server/jobs/job_record.h"
#include "tests/support/suite.h"

typedef Vtstatus__V1__CreateJobRequest Request;
typedef Vtstatus__V1__CreateJobRequest__LabelsEntry Label;
typedef Vtstatus__V1__TranslationSpec__OptionsEntry Option;
typedef Vtstatus__Store__V1__JobRecord Record;

enum { ENTRIES = VTS_JOB_ENTRIES_MAX + 1, TEXT_BYTES = 4096 };

static const int64_t now_ns = INT64_C(1700000000) * VTS_NS_PER_S;

/* A request with all that a test may want to spoil, good at first. */
struct bench {
    Request request;
    Vtstatus__V1__TranslationSpec spec;
    Google__Protobuf__Timestamp start;
    Google__Protobuf__Duration span;
    Label labels[ENTRIES];
    Label *label_list[ENTRIES];
    Option options[ENTRIES];
    Option *option_list[ENTRIES];
    char text[TEXT_BYTES];
    struct vts_arena arena;
};

static struct bench bench;

static char *literal(const char *text)
{
    return (char *)(uintptr_t)text;
}

static void set_up(void)
{
    static char keys[ENTRIES][4];

    vts_arena_fini(&bench.arena); /* what the last one left; nothing at first */
    memset(&bench, 0, sizeof(bench));
    vts_arena_init(&bench.arena, (size_t)1024 * 1024);
    vtstatus__v1__create_job_request__init(&bench.request);
    vtstatus__v1__translation_spec__init(&bench.spec);
    google__protobuf__timestamp__init(&bench.start);
    google__protobuf__duration__init(&bench.span);
    for (int i = 0; i < ENTRIES; i++) {
        memcpy(keys[i], (char[]){'k', (char)('a' + i / 26), (char)('a' + i % 26), '\0'}, 4);
        vtstatus__v1__create_job_request__labels_entry__init(&bench.labels[i]);
        vtstatus__v1__translation_spec__options_entry__init(&bench.options[i]);
        bench.labels[i].key = bench.options[i].key = keys[i];
        bench.label_list[i] = &bench.labels[i];
        bench.option_list[i] = &bench.options[i];
    }
    bench.spec.source_uri = literal("s3://videos/a.mp4");
    bench.spec.target_language = literal("de");
    bench.spec.options = bench.option_list;
    bench.request.labels = bench.label_list;
    bench.request.spec = &bench.spec;
}

static void tear_down(void)
{
    vts_arena_fini(&bench.arena);
}

static Record *make(void)
{
    Record *record = NULL;

    CU_ASSERT_EQUAL_FATAL(
        vts_job_record_new(&bench.request, "job-1", now_ns, &bench.arena, &record, NULL), VTS_OK);
    CU_ASSERT_PTR_NULL(vts_job_check(record));
    return record;
}

/* field NULL: the request is good. */
static void expect(const char *field)
{
    struct vts_job_violation violation = {.field = "(none)", .text = ""};
    enum vts_err err = vts_job_request_check(&bench.request, &violation);

    CU_ASSERT_EQUAL(err, field == NULL ? VTS_OK : VTS_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(violation.field, field == NULL ? "(none)" : field);
    CU_ASSERT_EQUAL(violation.text[0] != '\0', field != NULL);
}

/* Text of len times the character. */
static char *repeat(char c, size_t len)
{
    CU_ASSERT_FATAL(len < TEXT_BYTES);
    memset(bench.text, c, len);
    bench.text[len] = '\0';
    return bench.text;
}

/* Each length up to max is good for the string at place, and the next one is not. */
static void expect_max(char **place, char c, size_t max, const char *field)
{
    char *good = *place;

    *place = repeat(c, max);
    expect(NULL);
    *place = repeat(c, max + 1);
    expect(field);
    *place = good;
}

/* ---- refusals ---------------------------------------------------------------------------- */

static void request_without_what_is_required_is_refused(void)
{
    set_up();
    expect(NULL);
    bench.request.spec = NULL;
    expect("spec");
    set_up();
    bench.spec.source_uri = literal("");
    expect("spec.source_uri");
    set_up();
    bench.spec.target_language = literal("");
    expect("spec.target_language");
    tear_down();
}

static void texts_have_lengths(void)
{
    set_up();
    expect_max(&bench.request.job_id, 'j', 128, "job_id");
    expect_max(&bench.request.queue, 'q', 64, "queue");
    expect_max(&bench.request.request_id, 'r', 36, "request_id");
    expect_max(&bench.spec.source_uri, 'u', 2048, "spec.source_uri");
    bench.request.n_labels = 1;
    expect_max(&bench.labels[0].key, 'k', 63, "labels");
    expect_max(&bench.labels[0].value, 'v', 63, "labels");
    bench.spec.n_options = 1;
    expect_max(&bench.options[0].key, 'K', 64, "spec.options");
    expect_max(&bench.options[0].value, 'V', 1024, "spec.options");
    bench.options[0].key = literal("");
    expect("spec.options");
    tear_down();
}

static void maps_have_64_entries(void)
{
    set_up();
    bench.request.n_labels = 64;
    bench.spec.n_options = 64;
    expect(NULL);
    bench.request.n_labels = 65;
    expect("labels");
    bench.request.n_labels = 64;
    bench.spec.n_options = 65;
    expect("spec.options");
    tear_down();
}

static void uri_has_neither_blanks_nor_controls(void)
{
    static const char *const bad[] = {"a b", "a\nb", "a\x7f", "\ta", " "};

    set_up();
    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++) {
        bench.spec.source_uri = literal(bad[i]);
        expect("spec.source_uri");
    }
    bench.spec.source_uri = literal("file:///\xc3\xa4.mp4?x=%20");
    expect(NULL);
    tear_down();
}

static void one_line_texts_have_no_controls(void)
{
    static const char *const bad[] = {"a\nb", "\x1b[31m", "a\x7f", "\xc2\x9b\x33m", "\t"};
    Vtstatus__V1__CreateJobRequest__LabelsEntry label =
        VTSTATUS__V1__CREATE_JOB_REQUEST__LABELS_ENTRY__INIT;
    Vtstatus__V1__CreateJobRequest__LabelsEntry *labels[] = {&label};
    Vtstatus__V1__TranslationSpec__OptionsEntry option =
        VTSTATUS__V1__TRANSLATION_SPEC__OPTIONS_ENTRY__INIT;
    Vtstatus__V1__TranslationSpec__OptionsEntry *options[] = {&option};

    set_up();
    label.key = literal("k");
    bench.request.labels = labels;
    bench.request.n_labels = 1;
    bench.spec.options = options;
    bench.spec.n_options = 1;
    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++) {
        label.value = literal("\xc3\xa4 b");
        option.key = literal("\xc3\xa4 b");
        option.value = literal(bad[i]); /* a prompt, or whatever a worker understands */
        bench.request.request_id = literal("r 1");
        expect(NULL);
        bench.request.request_id = literal(bad[i]);
        expect("request_id");
        bench.request.request_id = literal("");
        label.value = literal(bad[i]);
        expect("labels");
        label.value = literal("");
        option.key = literal(bad[i]);
        expect("spec.options");
    }
    tear_down();
}

static void languages_have_the_form_of_bcp_47(void)
{
    static const char *const good[] = {"de",
                                       "DE",
                                       "deu",
                                       "zh-Hant-TW",
                                       "sl-rozaj-biske-1994",
                                       "x-klingon",
                                       "i-klingon",
                                       "de-1996",
                                       "es-419",
                                       "en-a-bbb-x-a-ccc",
                                       "abcdefgh-abcdefgh-abcdefgh-abcdefgh"};
    static const char *const bad[] = {"d",         "x",
                                      "d-de",      "de-",
                                      "-de",       "de--at",
                                      "de_AT",     "d3",
                                      "1de",       "de at",
                                      "abcdefghi", "de-abcdefghi",
                                      "d\xc3\xa4", "abcdefgh-abcdefgh-abcdefgh-abcdefgh-a"};

    set_up();
    for (size_t i = 0; i < VTS_ARRAY_LEN(good); i++) {
        bench.spec.source_language = bench.spec.target_language = literal(good[i]);
        expect(NULL);
    }
    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++) {
        bench.spec.source_language = literal("en");
        bench.spec.target_language = literal(bad[i]);
        expect("spec.target_language");
        bench.spec.source_language = literal(bad[i]);
        bench.spec.target_language = literal("en");
        expect("spec.source_language");
    }
    tear_down();
}

static void names_are_of_their_alphabets(void)
{
    set_up();
    bench.request.job_id = literal("a/b");
    expect("job_id");
    bench.request.job_id = literal("A-Z_a.z~0");
    bench.request.queue = literal("Upper");
    expect("queue");
    bench.request.queue = literal("a.b_c-9");
    bench.request.n_labels = 1;
    bench.labels[0].key = literal("a.b_c-9");
    expect(NULL);
    for (const char *const *key =
             (const char *const[]){"", "9a", "_a", "aB", "a b", "\xc3\xa4", NULL};
         *key != NULL; key++) {
        bench.labels[0].key = literal(*key);
        expect("labels");
    }
    tear_down();
}

static void numbers_have_bounds(void)
{
    static const struct {
        int32_t priority;
        int32_t max_attempts;
        const char *field;
    } rows[] = {
        {1000, 100, NULL},          {-1000, 0, NULL},         {1001, 0, "priority"},
        {-1001, 0, "priority"},     {0, 101, "max_attempts"}, {0, -1, "max_attempts"},
        {INT32_MIN, 0, "priority"},
    };

    set_up();
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        bench.request.priority = rows[i].priority;
        bench.request.max_attempts = rows[i].max_attempts;
        expect(rows[i].field);
    }
    tear_down();
}

static void times_are_times_and_durations_pass(void)
{
    static const struct {
        int64_t seconds;
        int32_t nanos;
        bool is_good;
    } rows[] = {
        {0, 1, true},
        {1, 0, true},
        {0, 0, false},
        {-1, 0, false},
        {0, -1, false},
        {1, -1, false},
        {INT64_C(315576000000), 0, true},
        {INT64_C(315576000001), 0, false},
        {1, 1000000000, false},
    };

    set_up();
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        bench.span.seconds = rows[i].seconds;
        bench.span.nanos = rows[i].nanos;
        bench.request.timeout = &bench.span;
        expect(rows[i].is_good ? NULL : "timeout");
        bench.request.timeout = NULL;
        bench.request.ttl = &bench.span;
        expect(rows[i].is_good ? NULL : "ttl");
        bench.request.ttl = NULL;
    }
    bench.request.start_time = &bench.start;
    expect(NULL);
    bench.start.nanos = -1;
    expect("start_time");
    tear_down();
}

static void record_of_a_bad_request_is_not_made(void)
{
    struct vts_job_violation violation;
    Record *record = NULL;

    set_up();
    bench.request.priority = 5000;
    CU_ASSERT_EQUAL(
        vts_job_record_new(&bench.request, "job-1", now_ns, &bench.arena, &record, &violation),
        VTS_ERR_INVALID);
    CU_ASSERT_STRING_EQUAL(violation.field, "priority");
    CU_ASSERT_PTR_NULL(record);
    CU_ASSERT_EQUAL(vts_arena_used_bytes(&bench.arena), 0);
    tear_down();
}

/* ---- records ----------------------------------------------------------------------------- */

static void record_of_a_short_request_has_the_defaults(void)
{
    Record *record;

    set_up();
    record = make();
    CU_ASSERT_EQUAL(record->version, 1);
    CU_ASSERT_STRING_EQUAL(record->job->id, "job-1");
    CU_ASSERT_STRING_EQUAL(record->job->queue, "default");
    CU_ASSERT_EQUAL(record->job->max_attempts, 3);
    CU_ASSERT_EQUAL(vts_pb_timestamp_ns(record->job->create_time), now_ns);
    CU_ASSERT_PTR_NULL(record->job->timeout);
    CU_ASSERT_EQUAL(record->ttl_ns, 0);
    CU_ASSERT_STRING_EQUAL(record->job->status->job_id, "job-1");
    CU_ASSERT_EQUAL(record->job->status->revision, 1);
    CU_ASSERT_EQUAL(record->job->status->state, VTSTATUS__V1__STATE__STATE_PENDING);
    CU_ASSERT_EQUAL(record->job->status->status, VTSTATUS__V1__STATUS__STATUS_PENDING);
    CU_ASSERT_EQUAL(record->job->status->pending_reason,
                    VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED);
    CU_ASSERT(vts_job_is_leasable(record, now_ns));
    tear_down();
}

static void record_has_all_that_was_asked_for(void)
{
    Record *record;

    set_up();
    bench.spec.source_language = literal("en");
    bench.request.queue = literal("bulk");
    bench.request.priority = -7;
    bench.request.max_attempts = 9;
    bench.request.request_id = literal("r-1");
    bench.span.seconds = 5;
    bench.request.timeout = &bench.span;
    bench.request.ttl = &bench.span;
    bench.request.n_labels = 1;
    bench.labels[0].value = literal("red");
    bench.spec.n_options = 2;
    bench.options[1].value = literal("fast");
    record = make();
    CU_ASSERT_STRING_EQUAL(record->job->spec->source_uri, "s3://videos/a.mp4");
    CU_ASSERT_STRING_EQUAL(record->job->spec->source_language, "en");
    CU_ASSERT_STRING_EQUAL(record->job->spec->target_language, "de");
    CU_ASSERT_STRING_EQUAL(record->job->queue, "bulk");
    CU_ASSERT_EQUAL(record->job->priority, -7);
    CU_ASSERT_EQUAL(record->job->max_attempts, 9);
    CU_ASSERT_STRING_EQUAL(record->request_id, "r-1");
    CU_ASSERT_EQUAL(vts_pb_duration_ns(record->job->timeout), INT64_C(5) * VTS_NS_PER_S);
    CU_ASSERT_EQUAL(record->ttl_ns, INT64_C(5) * VTS_NS_PER_S);
    CU_ASSERT_EQUAL_FATAL(record->job->n_labels, 1);
    CU_ASSERT_STRING_EQUAL(record->job->labels[0]->value, "red");
    CU_ASSERT_EQUAL_FATAL(record->job->spec->n_options, 2);
    CU_ASSERT_STRING_EQUAL(record->job->spec->options[1]->value, "fast");
    tear_down();
}

static void job_is_scheduled_only_for_later(void)
{
    static const struct {
        int64_t seconds;
        Vtstatus__V1__PendingReason reason;
    } rows[] = {
        {1700000001, VTSTATUS__V1__PENDING_REASON__PENDING_REASON_SCHEDULED},
        {1700000000, VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED},
        {-1, VTSTATUS__V1__PENDING_REASON__PENDING_REASON_QUEUED},
    };

    set_up();
    bench.request.start_time = &bench.start;
    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        Record *record;

        bench.start.seconds = rows[i].seconds;
        record = make();
        CU_ASSERT_EQUAL(record->job->status->pending_reason, rows[i].reason);
        CU_ASSERT_EQUAL(vts_job_is_leasable(record, now_ns), rows[i].seconds <= 1700000000);
    }
    tear_down();
}

static void maps_are_in_order_and_the_last_of_a_key_holds(void)
{
    Record *record;

    set_up();
    bench.request.n_labels = 4;
    bench.labels[0].key = literal("b");
    bench.labels[0].value = literal("old");
    bench.labels[1].key = literal("c");
    bench.labels[2].key = literal("a");
    bench.labels[3].key = literal("b");
    bench.labels[3].value = literal("new");
    record = make();
    CU_ASSERT_EQUAL_FATAL(record->job->n_labels, 3);
    CU_ASSERT_STRING_EQUAL(record->job->labels[0]->key, "a");
    CU_ASSERT_STRING_EQUAL(record->job->labels[1]->key, "b");
    CU_ASSERT_STRING_EQUAL(record->job->labels[1]->value, "new");
    CU_ASSERT_STRING_EQUAL(record->job->labels[2]->key, "c");
    tear_down();
}

static void full_maps_are_kept_whole(void)
{
    Record *record;

    set_up();
    bench.request.n_labels = VTS_JOB_ENTRIES_MAX;
    bench.spec.n_options = VTS_JOB_ENTRIES_MAX;
    record = make();
    CU_ASSERT_EQUAL(record->job->n_labels, VTS_JOB_ENTRIES_MAX);
    CU_ASSERT_EQUAL(record->job->spec->n_options, VTS_JOB_ENTRIES_MAX);
    tear_down();
}

/* ---- repetitions ------------------------------------------------------------------------- */

static void request_that_says_the_same_is_a_repetition(void)
{
    Record *first;
    Record *second = NULL;

    set_up();
    bench.request.n_labels = 2;
    bench.labels[0].key = literal("a");
    bench.labels[1].key = literal("b");
    first = make();
    bench.labels[0].key = literal("b"); /* maps have no order */
    bench.labels[1].key = literal("a");
    bench.request.queue = literal("default");
    bench.request.max_attempts = 3;
    bench.request.request_id = literal("another");
    CU_ASSERT_EQUAL_FATAL(vts_job_record_new(&bench.request, "job-2", now_ns + VTS_NS_PER_S,
                                             &bench.arena, &second, NULL),
                          VTS_OK);
    CU_ASSERT(vts_job_record_is_repetition(first, second));
    tear_down();
}

static void ask_for_id(void)
{
    bench.request.job_id = literal("job-1");
}

static void ask_for_uri(void)
{
    bench.spec.source_uri = literal("s3://videos/b.mp4");
}

static void ask_for_source_language(void)
{
    bench.spec.source_language = literal("en");
}

static void ask_for_target_language(void)
{
    bench.spec.target_language = literal("fr");
}

static void ask_for_option(void)
{
    bench.spec.n_options = 1;
}

static void ask_for_label(void)
{
    bench.request.n_labels = 1;
}

static void ask_for_queue(void)
{
    bench.request.queue = literal("bulk");
}

static void ask_for_priority(void)
{
    bench.request.priority = 1;
}

static void ask_for_attempts(void)
{
    bench.request.max_attempts = 4;
}

static void ask_for_start(void)
{
    bench.request.start_time = &bench.start; /* long ago */
}

static void ask_for_timeout(void)
{
    bench.span.seconds = 1;
    bench.request.timeout = &bench.span;
}

static void ask_for_ttl(void)
{
    bench.span.seconds = 1;
    bench.request.ttl = &bench.span;
}

static void request_that_says_something_else_is_no_repetition(void)
{
    static void (*const changes[])(void) = {
        ask_for_id,       ask_for_uri,   ask_for_source_language, ask_for_target_language,
        ask_for_option,   ask_for_label, ask_for_queue,           ask_for_priority,
        ask_for_attempts, ask_for_start, ask_for_timeout,         ask_for_ttl,
    };
    uint8_t digests[VTS_ARRAY_LEN(changes) + 1][16];

    for (size_t i = 0; i < VTS_ARRAY_LEN(digests); i++) {
        const Record *record;

        set_up();
        if (i < VTS_ARRAY_LEN(changes))
            changes[i]();
        record = make();
        CU_ASSERT_EQUAL_FATAL(record->request_digest.len, sizeof(digests[i]));
        memcpy(digests[i], record->request_digest.data, sizeof(digests[i]));
        for (size_t k = 0; k < i; k++)
            CU_ASSERT_NOT_EQUAL(memcmp(digests[i], digests[k], sizeof(digests[i])), 0);
    }
    tear_down();
}

/* FNV-1a of the packed {job {spec {source_uri, target_language} max_attempts: 3 queue: "default"}}:
 * what is kept must be found again by another build. */
static void digest_is_the_same_on_every_machine(void)
{
    static const uint8_t wanted[] = {0xce, 0x30, 0x72, 0x3b, 0x44, 0xf7, 0xaa, 0x3e,
                                     0xd5, 0x09, 0xf1, 0xd3, 0x7b, 0xdd, 0xbf, 0x0e};
    const Record *record;

    set_up();
    record = make();
    CU_ASSERT(vts_str_equals(vts_str_make(record->request_digest.data, record->request_digest.len),
                             vts_str_make(wanted, sizeof(wanted))));
    tear_down();
}

/* ---- memory ------------------------------------------------------------------------------ */

static void record_without_memory_is_not_made(void)
{
    Record *record = NULL;
    size_t budget = 0;
    enum vts_err err;

    set_up();
    bench.request.n_labels = 3;
    bench.spec.n_options = 3;
    bench.span.seconds = 1;
    bench.request.timeout = &bench.span;
    bench.start.seconds = 1700000010;
    bench.request.start_time = &bench.start;
    do {
        struct vts_arena arena;

        vts_arena_init(&arena, budget);
        err = vts_job_record_new(&bench.request, "job-1", now_ns, &arena, &record, NULL);
        CU_ASSERT(err == VTS_ERR_NOMEM ? record == NULL : err == VTS_OK);
        vts_arena_fini(&arena);
        budget += 16;
    } while (err != VTS_OK);
    tear_down();
}

static const struct vts_test tests[] = {
    {"request_without_what_is_required_is_refused", request_without_what_is_required_is_refused},
    {"texts_have_lengths", texts_have_lengths},
    {"maps_have_64_entries", maps_have_64_entries},
    {"one_line_texts_have_no_controls", one_line_texts_have_no_controls},
    {"uri_has_neither_blanks_nor_controls", uri_has_neither_blanks_nor_controls},
    {"languages_have_the_form_of_bcp_47", languages_have_the_form_of_bcp_47},
    {"names_are_of_their_alphabets", names_are_of_their_alphabets},
    {"numbers_have_bounds", numbers_have_bounds},
    {"times_are_times_and_durations_pass", times_are_times_and_durations_pass},
    {"record_of_a_bad_request_is_not_made", record_of_a_bad_request_is_not_made},
    {"record_of_a_short_request_has_the_defaults", record_of_a_short_request_has_the_defaults},
    {"record_has_all_that_was_asked_for", record_has_all_that_was_asked_for},
    {"job_is_scheduled_only_for_later", job_is_scheduled_only_for_later},
    {"maps_are_in_order_and_the_last_of_a_key_holds",
     maps_are_in_order_and_the_last_of_a_key_holds},
    {"full_maps_are_kept_whole", full_maps_are_kept_whole},
    {"request_that_says_the_same_is_a_repetition", request_that_says_the_same_is_a_repetition},
    {"request_that_says_something_else_is_no_repetition",
     request_that_says_something_else_is_no_repetition},
    {"digest_is_the_same_on_every_machine", digest_is_the_same_on_every_machine},
    {"record_without_memory_is_not_made", record_without_memory_is_not_made},
};

int main(void)
{
    return vts_test_run("test_job_record", tests, VTS_ARRAY_LEN(tests));
}
