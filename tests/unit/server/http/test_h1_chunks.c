/* SPDX-License-Identifier: Apache-2.0 */
/* test_h1_chunks.c - chunked bodies that are read, whatever the cuts, and those that are refused.
 */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/rng.h"
#include "server/http/h1_chunks.h"
#include "tests/support/suite.h"

enum { TRAILERS_MAX = 3, DATA_MAX_BYTES = 64 * 1024 };

/* A literal with its NUL bytes. */
#define BYTES(text)                                                                                \
    {                                                                                              \
        text, sizeof(text) - 1                                                                     \
    }

struct outcome {
    enum vts_err err;
    bool is_over;
    size_t taken;
    size_t data_len;
    char data[DATA_MAX_BYTES];
};

/* Gives what came as long as anything is taken of it. */
static void give(struct vts_h1_chunks *chunks, struct vts_str came, size_t data_max,
                 struct outcome *outcome)
{
    size_t before = came.len;
    struct vts_str data;

    do {
        outcome->err = vts_h1_chunks_take(chunks, &came, data_max, &data);
        if (outcome->err != VTS_OK)
            return;
        CU_ASSERT_FATAL(data.len <= data_max && outcome->data_len + data.len <= DATA_MAX_BYTES);
        memcpy(outcome->data + outcome->data_len, data.ptr, data.len);
        outcome->data_len += data.len;
    } while (data.len > 0);
    outcome->taken += before - came.len;
}

/* Reads bytes that come in two parts, cut after `cut` of them. */
static void read_cut(struct vts_str bytes, size_t cut, size_t data_max, struct outcome *outcome)
{
    struct vts_h1_chunks chunks;

    memset(outcome, 0, offsetof(struct outcome, data));
    vts_h1_chunks_init(&chunks, TRAILERS_MAX);
    give(&chunks, vts_str_make(bytes.ptr, cut), data_max, outcome);
    if (outcome->err == VTS_OK)
        give(&chunks, vts_str_make(bytes.ptr + cut, bytes.len - cut), data_max, outcome);
    outcome->is_over = vts_h1_chunks_is_over(&chunks);
}

static const struct good_row {
    const char *bytes;
    const char *data;
} good_rows[] = {
    {"0\r\n\r\n", ""},
    {"00000000\r\n\r\n", ""},
    {"5\r\nhello\r\n0\r\n\r\n", "hello"},
    {"00000005\r\nhello\r\n0\r\n\r\n", "hello"},
    {"3\r\nhel\r\n2\r\nlo\r\n0\r\n\r\n", "hello"},
    {"A\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
    {"a\r\n0123456789\r\n0\r\n\r\n", "0123456789"},
    {"4\r\n\r\n\r\n\r\n0\r\n\r\n", "\r\n\r\n"},
    {"5\r\n0\r\n\r\n\r\n0\r\n\r\n", "0\r\n\r\n"},
    {"5;\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5;a\r\nhello\r\n0;b=\"c d\";\te\r\n\r\n", "hello"},
    {"5;caf\xc3\xa9\r\nhello\r\n0\r\n\r\n", "hello"},
    {"5\r\nhello\r\n0\r\nA: b\r\n\r\n", "hello"},
    {"5\r\nhello\r\n0\r\nA:\r\nB:\tc:\xff \r\nC: d\r\n\r\n", "hello"},
};

static void body_of_each_good_row_is_read_whole_wherever_cut(void)
{
    static struct outcome outcome;

    for (size_t i = 0; i < VTS_ARRAY_LEN(good_rows); i++) {
        struct vts_str bytes = vts_str_of(good_rows[i].bytes);

        for (size_t cut = 0; cut <= bytes.len; cut++) {
            read_cut(bytes, cut, 1 + cut % 3, &outcome);
            CU_ASSERT_EQUAL(outcome.err, VTS_OK);
            CU_ASSERT(outcome.is_over);
            CU_ASSERT_EQUAL(outcome.taken, bytes.len);
            CU_ASSERT(vts_str_equals_text(vts_str_make(outcome.data, outcome.data_len),
                                          good_rows[i].data));
        }
    }
}

static void body_that_is_cut_short_is_not_over(void)
{
    static struct outcome outcome;

    for (size_t i = 0; i < VTS_ARRAY_LEN(good_rows); i++) {
        struct vts_str bytes = vts_str_of(good_rows[i].bytes);

        for (size_t len = 0; len < bytes.len; len++) {
            read_cut(vts_str_make(bytes.ptr, len), 0, DATA_MAX_BYTES, &outcome);
            CU_ASSERT_EQUAL(outcome.err, VTS_OK);
            CU_ASSERT_FALSE(outcome.is_over);
            CU_ASSERT_EQUAL(outcome.taken, len);
        }
    }
}

/* All are refused however long one waits, and wherever they are cut. */
static const struct vts_str bad_rows[] = {
    /* Sizes. */
    BYTES("\r\n"),
    BYTES(";a\r\n"),
    BYTES(" 5\r\n"),
    BYTES("5 \r\n"),
    BYTES("5\t;a\r\n"),
    BYTES("+5\r\n"),
    BYTES("-5\r\n"),
    BYTES("0x5\r\n"),
    BYTES("5g\r\n"),
    BYTES("5h\r\n"),
    BYTES("\"5\"\r\n"),
    BYTES("5,\r\n"),
    BYTES("5\0\r\n"),
    BYTES("\x35\xff\r\n"),
    BYTES("000000005\r\n"),
    BYTES("fffffffff\r\n"),
    BYTES("100000000\r\n"),
    BYTES("000000000\r\n"),
    BYTES("\n"),
    BYTES("5\n"),
    BYTES("5\r5"),
    BYTES("5\r\r\n"),
    BYTES("5\rhello\r\n"),
    /* Extensions. */
    BYTES("5;a\n"),
    BYTES("5;a\rb\r\n"),
    BYTES("5;a\r\r\n"),
    BYTES("5;a\0b\r\n"),
    BYTES("5;a\x7f\r\n"),
    BYTES("5;a=\"\n\"\r\n"),
    BYTES("0;a\n"),
    /* The end of a chunk. */
    BYTES("5\r\nhello\n"),
    BYTES("5\r\nhello\r0"),
    BYTES("5\r\nhelloXX"),
    BYTES("5\r\nhello\0"),
    BYTES("5\r\nhello0\r\n"),
    BYTES("5\r\nhello\r\n\r\n"),
    BYTES("5\r\nhello\r\n 0"),
    BYTES("0\n"),
    BYTES("0\r\r\n"),
    /* The last chunk and trailers. */
    BYTES("0\r\n\n"),
    BYTES("0\r\n\r\r"),
    BYTES("0\r\n A: b\r\n"),
    BYTES("0\r\n: b\r\n"),
    BYTES("0\r\nA\r\n"),
    BYTES("0\r\nA : b\r\n"),
    BYTES("0\r\nA\0: b\r\n"),
    BYTES("0\r\nA: b\n"),
    BYTES("0\r\nA: b\r\r\n"),
    BYTES("0\r\nA: b\rC: d\r\n"),
    BYTES("0\r\nA: \0\r\n"),
    BYTES("0\r\nA: \x1b[2J\r\n"),
    BYTES("0\r\nA: b\r\n c\r\n"),
    BYTES("0\r\nA: b\r\n\tc\r\n"),
    BYTES("0\r\nGET /metrics HTTP/1.1\r\n"),
};

static void body_of_each_bad_row_is_refused_wherever_cut(void)
{
    static struct outcome outcome;

    for (size_t i = 0; i < VTS_ARRAY_LEN(bad_rows); i++) {
        for (size_t cut = 0; cut <= bad_rows[i].len; cut++) {
            read_cut(bad_rows[i], cut, DATA_MAX_BYTES, &outcome);
            if (outcome.err != VTS_ERR_PROTOCOL)
                fprintf(stderr, "row %zu, cut at %zu: %d\n", i, cut, (int)outcome.err);
            CU_ASSERT_EQUAL(outcome.err, VTS_ERR_PROTOCOL);
        }
    }
}

static void what_follows_the_body_is_not_taken(void)
{
    static const char body[] = "5\r\nhello\r\n0\r\nA: b\r\n\r\n";
    static const char next[] = "0\r\n\r\nGET / HTTP/1.1\r\n\r\n";
    static struct outcome outcome;
    char both[sizeof(body) + sizeof(next)];

    (void)snprintf(both, sizeof(both), "%s%s", body, next);
    read_cut(vts_str_of(both), 3, DATA_MAX_BYTES, &outcome);
    CU_ASSERT_EQUAL(outcome.err, VTS_OK);
    CU_ASSERT(outcome.is_over);
    CU_ASSERT_EQUAL(outcome.taken, sizeof(body) - 1);
}

static void data_that_is_not_wanted_stays(void)
{
    struct vts_str rest = vts_str_of("5\r\nhello\r\n0\r\n\r\n");
    struct vts_h1_chunks chunks;
    struct vts_str data;

    vts_h1_chunks_init(&chunks, TRAILERS_MAX);
    for (int i = 0; i < 2; i++) {
        CU_ASSERT_EQUAL(vts_h1_chunks_take(&chunks, &rest, 0, &data), VTS_OK);
        CU_ASSERT_EQUAL(data.len, 0);
        CU_ASSERT(vts_str_equals_text(rest, "hello\r\n0\r\n\r\n"));
    }
    CU_ASSERT_EQUAL(vts_h1_chunks_take(&chunks, &rest, 5, &data), VTS_OK);
    CU_ASSERT(vts_str_equals_text(data, "hello"));
    /* The end needs no room. */
    CU_ASSERT_EQUAL(vts_h1_chunks_take(&chunks, &rest, 0, &data), VTS_OK);
    CU_ASSERT(vts_h1_chunks_is_over(&chunks));
}

static void largest_size_is_read(void)
{
    struct vts_str rest = vts_str_of("ffffffff\r\nx");
    struct vts_h1_chunks chunks;
    struct vts_str data;

    vts_h1_chunks_init(&chunks, TRAILERS_MAX);
    CU_ASSERT_EQUAL(vts_h1_chunks_take(&chunks, &rest, DATA_MAX_BYTES, &data), VTS_OK);
    CU_ASSERT_EQUAL(data.len, 1);
    CU_ASSERT_EQUAL(chunks.left, UINT32_MAX - 1);
}

/* head, count octets that are all fill, tail. */
static struct vts_str make_long(const char *head, char fill, size_t count, const char *tail)
{
    static char bytes[DATA_MAX_BYTES];
    size_t head_len = strlen(head);

    CU_ASSERT_FATAL(head_len + count + strlen(tail) < sizeof(bytes));
    memcpy(bytes, head, head_len);
    memset(bytes + head_len, fill, count);
    memcpy(bytes + head_len + count, tail, strlen(tail) + 1);
    return vts_str_make(bytes, head_len + count + strlen(tail));
}

static void sizes_past_their_limits_are_refused(void)
{
    static const struct {
        const char *head;
        size_t count;
        const char *tail;
        enum vts_err err;
    } rows[] = {
        {"0;", 255, "\r\n\r\n", VTS_OK},
        {"0;", 256, "\r\n\r\n", VTS_ERR_LIMIT},
        {"0\r\nA: ", 8192 - 7, "\r\n\r\n", VTS_OK},
        {"0\r\nA: ", 8192 - 6, "\r\n\r\n", VTS_ERR_LIMIT},
        {"0\r\n", 8192, "", VTS_OK},
        {"0\r\n", 8193, "", VTS_ERR_LIMIT},
        {"0\r\nA:\r\nB:\r\nC:\r\n", 0, "\r\n", VTS_OK},
        {"0\r\nA:\r\nB:\r\nC:\r\n", 1, "", VTS_ERR_LIMIT},
    };
    static struct outcome outcome;

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        read_cut(make_long(rows[i].head, 'x', rows[i].count, rows[i].tail), 0, DATA_MAX_BYTES,
                 &outcome);
        CU_ASSERT_EQUAL(outcome.err, rows[i].err);
    }
}

/* Each chunk may have its own extension. */
static void extensions_are_counted_chunk_by_chunk(void)
{
    static struct outcome outcome;
    char bytes[2000] = "";
    char chunk[300];
    size_t len = 0;

    (void)snprintf(chunk, sizeof(chunk), "1;%0200d\r\nx\r\n", 0);
    for (int i = 0; i < 5; i++)
        len += (size_t)snprintf(bytes + len, sizeof(bytes) - len, "%s", chunk);
    (void)snprintf(bytes + len, sizeof(bytes) - len, "0\r\n\r\n");
    read_cut(vts_str_of(bytes), 0, DATA_MAX_BYTES, &outcome);
    CU_ASSERT_EQUAL(outcome.err, VTS_OK);
    CU_ASSERT(outcome.is_over);
    CU_ASSERT_EQUAL(outcome.data_len, 5);
}

/* Overwrites an octet; whatever passes then must read the same, however it is cut. */
static void mutated_body_reads_the_same_wherever_cut(void)
{
    static const char good[] = "3\r\nabc\r\nA;x\r\n0123456789\r\n0\r\nA: b\r\n\r\n";
    static const char octets[] =
        "\r\n\t :;\0\x7f\xff"
        "09aA";
    static struct outcome whole;
    static struct outcome cut;
    unsigned passed = 0;
    struct vts_rng rng;

    vts_rng_init(&rng, 7);
    for (int i = 0; i < 20000; i++) {
        char copy[sizeof(good)];
        struct vts_str bytes = {copy, sizeof(good) - 1};

        memcpy(copy, good, sizeof(good));
        copy[vts_rng_next(&rng) % bytes.len] = octets[vts_rng_next(&rng) % (sizeof(octets) - 1)];
        read_cut(bytes, 0, DATA_MAX_BYTES, &whole);
        read_cut(bytes, vts_rng_next(&rng) % bytes.len, 2, &cut);
        CU_ASSERT_EQUAL(cut.err, whole.err);
        CU_ASSERT_EQUAL(cut.is_over, whole.is_over);
        CU_ASSERT(vts_str_equals(vts_str_make(cut.data, cut.data_len),
                                 vts_str_make(whole.data, whole.data_len)));
        passed += whole.err == VTS_OK;
    }
    CU_ASSERT(passed > 1000); /* otherwise the test proved nothing */
}

static const struct vts_test tests[] = {
    {"body_of_each_good_row_is_read_whole_wherever_cut",
     body_of_each_good_row_is_read_whole_wherever_cut},
    {"body_that_is_cut_short_is_not_over", body_that_is_cut_short_is_not_over},
    {"body_of_each_bad_row_is_refused_wherever_cut", body_of_each_bad_row_is_refused_wherever_cut},
    {"what_follows_the_body_is_not_taken", what_follows_the_body_is_not_taken},
    {"data_that_is_not_wanted_stays", data_that_is_not_wanted_stays},
    {"largest_size_is_read", largest_size_is_read},
    {"sizes_past_their_limits_are_refused", sizes_past_their_limits_are_refused},
    {"extensions_are_counted_chunk_by_chunk", extensions_are_counted_chunk_by_chunk},
    {"mutated_body_reads_the_same_wherever_cut", mutated_body_reads_the_same_wherever_cut},
};

int main(void)
{
    return vts_test_run("test_h1_chunks", tests, VTS_ARRAY_LEN(tests));
}
