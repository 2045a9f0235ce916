/* SPDX-License-Identifier: Apache-2.0 */
/* test_h2_memory.c - sessions of nghttp2 on shared memory answer as they would on their own. */
#include <CUnit/CUnit.h>
#include <string.h>
#include <sys/mman.h>

#include "common/base/mem.h"
#include "server/http/h2_session.h"
#include "tests/support/suite.h"

enum { PAIRS = 6, STREAMS = 5, BODY_BYTES = 40000, PAGE_BYTES = 4096 };

/* A client and a server session that talk in memory. */
struct pair {
    nghttp2_session *server;
    nghttp2_session *client;
    void *page;
    uint8_t seed;        /* tells the bodies of pairs apart */
    unsigned answered;   /* streams that the client saw end */
    unsigned wrong;      /* bytes that were not what the server sent */
    size_t received[64]; /* by stream id */
    size_t sent[64];
};

static uint8_t body_byte(const struct pair *pair, int32_t id, size_t at)
{
    return (uint8_t)(pair->seed + id * 7 + (int32_t)at * 13);
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *out, size_t cap,
                         uint32_t *flags, nghttp2_data_source *source, void *user)
{
    struct pair *pair = user;
    size_t left = BODY_BYTES - pair->sent[id];
    size_t len = left < cap ? left : cap;

    (void)session;
    (void)source;
    for (size_t i = 0; i < len; i++)
        out[i] = body_byte(pair, id, pair->sent[id] + i);
    pair->sent[id] += len;
    if (len == left)
        *flags |= NGHTTP2_DATA_FLAG_EOF;
    return (ssize_t)len;
}

static nghttp2_nv make_field(const char *name, const char *value)
{
    return (nghttp2_nv){.name = (uint8_t *)(uintptr_t)name,
                        .value = (uint8_t *)(uintptr_t)value,
                        .namelen = strlen(name),
                        .valuelen = strlen(value)};
}

static int answer_request(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    const nghttp2_nv fields[] = {make_field(":status", "200")};
    const nghttp2_data_provider provider = {.read_callback = read_body};

    (void)user;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    return nghttp2_submit_response(session, frame->hd.stream_id, fields, 1, &provider);
}

static int check_body(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *bytes,
                      size_t len, void *user)
{
    struct pair *pair = user;

    (void)session;
    (void)flags;
    for (size_t i = 0; i < len; i++)
        pair->wrong += bytes[i] != body_byte(pair, id, pair->received[id] + i);
    pair->received[id] += len;
    return 0;
}

static int count_answer(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
    struct pair *pair = user;

    (void)session;
    pair->answered += error_code == NGHTTP2_NO_ERROR && pair->received[id] == BODY_BYTES;
    return 0;
}

static enum vts_err new_server(struct vts_h2_memory *memory, struct pair *pair)
{
    nghttp2_session_callbacks *callbacks;
    nghttp2_option *options;
    enum vts_err err;

    CU_ASSERT_EQUAL_FATAL(nghttp2_session_callbacks_new(&callbacks), 0);
    CU_ASSERT_EQUAL_FATAL(nghttp2_option_new(&options), 0);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, answer_request);
    err = vts_h2_memory_new_session(memory, callbacks, options, pair, &pair->server, &pair->page);
    nghttp2_option_del(options);
    nghttp2_session_callbacks_del(callbacks);
    return err;
}

static void new_client(struct pair *pair)
{
    nghttp2_session_callbacks *callbacks;

    CU_ASSERT_EQUAL_FATAL(nghttp2_session_callbacks_new(&callbacks), 0);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, check_body);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, count_answer);
    CU_ASSERT_EQUAL_FATAL(nghttp2_session_client_new(&pair->client, callbacks, pair), 0);
    nghttp2_session_callbacks_del(callbacks);
    CU_ASSERT_EQUAL(nghttp2_submit_settings(pair->client, NGHTTP2_FLAG_NONE, NULL, 0), 0);
}

/* Without the old priorities nghttp2 forgets a stream when it closes, as our sessions want it. */
static void open_pair(struct vts_h2_memory *memory, struct pair *pair, uint8_t seed)
{
    const nghttp2_settings_entry settings = {NGHTTP2_SETTINGS_NO_RFC7540_PRIORITIES, 1};

    *pair = (struct pair){.seed = seed};
    CU_ASSERT_EQUAL_FATAL(new_server(memory, pair), VTS_OK);
    CU_ASSERT_EQUAL(nghttp2_submit_settings(pair->server, NGHTTP2_FLAG_NONE, &settings, 1), 0);
    new_client(pair);
}

static void close_pair(struct pair *pair)
{
    nghttp2_session_del(pair->server);
    nghttp2_session_del(pair->client);
}

static void submit_request(struct pair *pair)
{
    const nghttp2_nv fields[] = {make_field(":method", "GET"), make_field(":scheme", "https"),
                                 make_field(":path", "/"), make_field(":authority", "localhost")};

    CU_ASSERT_FATAL(
        nghttp2_submit_request(pair->client, NULL, fields, VTS_ARRAY_LEN(fields), NULL, NULL) > 0);
}

/* Carries one frame; returns whether there was one. */
static bool carry_frame(nghttp2_session *from, nghttp2_session *to)
{
    const uint8_t *bytes;
    ssize_t len = nghttp2_session_mem_send(from, &bytes);

    CU_ASSERT_FATAL(len >= 0);
    if (len > 0)
        CU_ASSERT_EQUAL_FATAL(nghttp2_session_mem_recv(to, bytes, (size_t)len), len);
    return len > 0;
}

static bool take_turn(struct pair *pair)
{
    bool moved = carry_frame(pair->client, pair->server);

    return carry_frame(pair->server, pair->client) || moved;
}

static void talk(struct pair *pair)
{
    while (take_turn(pair))
        continue;
}

static void check_answered(const struct pair *pair, unsigned count)
{
    CU_ASSERT_EQUAL(pair->answered, count);
    CU_ASSERT_EQUAL(pair->wrong, 0);
}

static bool is_resident(void *page)
{
    unsigned char resident = 0;

    CU_ASSERT_EQUAL_FATAL(mincore(page, PAGE_BYTES, &resident), 0);
    return (resident & 1) != 0;
}

static struct vts_h2_memory *make_memory(size_t sessions_max)
{
    struct vts_h2_memory *memory = vts_h2_memory_new(sessions_max);

    CU_ASSERT_PTR_NOT_NULL_FATAL(memory);
    return memory;
}

static void interleaved_sessions_answer_rightly(void)
{
    struct vts_h2_memory *memory = make_memory(PAIRS);
    struct pair pairs[PAIRS];
    bool moved = true;

    for (int i = 0; i < PAIRS; i++)
        open_pair(memory, &pairs[i], (uint8_t)(i * 31));
    for (int i = 0; i < PAIRS; i++)
        for (int j = 0; j < STREAMS; j++)
            submit_request(&pairs[i]);
    while (moved) {
        moved = false;
        for (int i = 0; i < PAIRS; i++)
            moved |= take_turn(&pairs[i]);
    }
    for (int i = 0; i < PAIRS; i++) {
        check_answered(&pairs[i], STREAMS);
        close_pair(&pairs[i]);
    }
    vts_h2_memory_free(memory);
}

static void sessions_put_their_frames_in_one_buffer(void)
{
    struct vts_h2_memory *memory = make_memory(2);
    struct pair pairs[2];
    const uint8_t *bytes[2];

    for (int i = 0; i < 2; i++) {
        open_pair(memory, &pairs[i], 1);
        CU_ASSERT(nghttp2_session_mem_send(pairs[i].server, &bytes[i]) > 0);
    }
    CU_ASSERT_PTR_EQUAL(bytes[0], bytes[1]);
    close_pair(&pairs[0]);
    close_pair(&pairs[1]);
    vts_h2_memory_free(memory);
}

static void pages_are_given_to_each_and_used_again(void)
{
    struct vts_h2_memory *memory = make_memory(2);
    struct pair pairs[2];
    void *first_page;

    open_pair(memory, &pairs[0], 1);
    open_pair(memory, &pairs[1], 2);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pairs[0].page);
    CU_ASSERT_PTR_NOT_NULL_FATAL(pairs[1].page);
    CU_ASSERT_PTR_NOT_EQUAL(pairs[0].page, pairs[1].page);
    first_page = pairs[0].page;
    for (int i = 0; i < 10; i++) {
        submit_request(&pairs[0]);
        talk(&pairs[0]);
        check_answered(&pairs[0], 1);
        close_pair(&pairs[0]);
        open_pair(memory, &pairs[0], (uint8_t)i);
        CU_ASSERT_PTR_EQUAL(pairs[0].page, first_page);
    }
    close_pair(&pairs[0]);
    close_pair(&pairs[1]);
    vts_h2_memory_free(memory);
}

static void sessions_past_the_most_work_without_a_page(void)
{
    for (size_t sessions_max = 0; sessions_max <= 2; sessions_max++) {
        struct vts_h2_memory *memory = make_memory(sessions_max);
        struct pair pairs[4];

        for (size_t i = 0; i < 4; i++) {
            open_pair(memory, &pairs[i], (uint8_t)i);
            CU_ASSERT_EQUAL(pairs[i].page != NULL, i < sessions_max);
        }
        for (size_t i = 0; i < 4; i++) {
            submit_request(&pairs[i]);
            talk(&pairs[i]);
            check_answered(&pairs[i], 1);
            close_pair(&pairs[i]);
        }
        vts_h2_memory_free(memory);
    }
}

static void trim_of_an_idle_session_frees_its_page(void)
{
    struct vts_h2_memory *memory = make_memory(1);
    struct pair pair;

    open_pair(memory, &pair, 3);
    for (unsigned i = 1; i <= 3; i++) {
        submit_request(&pair);
        talk(&pair);
        check_answered(&pair, i);
        CU_ASSERT(is_resident(pair.page));
        vts_h2_memory_trim(pair.page);
        CU_ASSERT_FALSE(is_resident(pair.page));
    }
    close_pair(&pair);
    vts_h2_memory_free(memory);
}

static void trim_of_a_busy_session_keeps_its_streams(void)
{
    struct vts_h2_memory *memory = make_memory(1);
    struct pair pair;

    open_pair(memory, &pair, 4);
    for (int i = 0; i < STREAMS; i++)
        submit_request(&pair);
    while (take_turn(&pair))
        vts_h2_memory_trim(pair.page);
    check_answered(&pair, STREAMS);
    close_pair(&pair);
    vts_h2_memory_free(memory);
}

static void memory_without_memory_fails(void)
{
    (void)vts_mem_fail_after(0);
    CU_ASSERT_PTR_NULL(vts_h2_memory_new(1));
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 1);
    vts_h2_memory_free(NULL);
}

static void session_without_memory_fails_each_time_and_leaks_nothing(void)
{
    struct vts_h2_memory *memory = make_memory(1);
    long count = 0;

    for (;; count++) {
        struct pair pair = {0};
        enum vts_err err;

        (void)vts_mem_fail_after(count);
        err = new_server(memory, &pair);
        if (vts_mem_fail_after(-1) == 0) {
            CU_ASSERT_EQUAL_FATAL(err, VTS_OK);
            CU_ASSERT_PTR_NOT_NULL(pair.page); /* the failures gave theirs back */
            nghttp2_session_del(pair.server);
            break;
        }
        CU_ASSERT_EQUAL(err, VTS_ERR_NOMEM);
    }
    CU_ASSERT(count > 3);
    vts_h2_memory_free(memory);
}

static const struct vts_test tests[] = {
    {"interleaved_sessions_answer_rightly", interleaved_sessions_answer_rightly},
    {"sessions_put_their_frames_in_one_buffer", sessions_put_their_frames_in_one_buffer},
    {"pages_are_given_to_each_and_used_again", pages_are_given_to_each_and_used_again},
    {"sessions_past_the_most_work_without_a_page", sessions_past_the_most_work_without_a_page},
    {"trim_of_an_idle_session_frees_its_page", trim_of_an_idle_session_frees_its_page},
    {"trim_of_a_busy_session_keeps_its_streams", trim_of_a_busy_session_keeps_its_streams},
    {"memory_without_memory_fails", memory_without_memory_fails},
    {"session_without_memory_fails_each_time_and_leaks_nothing",
     session_without_memory_fails_each_time_and_leaks_nothing},
};

int main(void)
{
    return vts_test_run("test_h2_memory", tests, VTS_ARRAY_LEN(tests));
}
