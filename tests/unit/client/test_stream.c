/* SPDX-License-Identifier: Apache-2.0 */
/* test_stream.c - the envelopes of a Connect stream, in pieces of every size. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "client/src/stream.h"
#include "tests/support/suite.h"

enum { MAX_BYTES = 100 };

static struct vts_stream_reader reader;
static char seen[256]; /* each message in brackets */
static enum vts_err answer_with;

static enum vts_err on_message(struct vts_str message, void *context, struct vts_error *error)
{
    size_t len = strlen(seen);

    CU_ASSERT_PTR_EQUAL(context, &reader);
    (void)snprintf(seen + len, sizeof(seen) - len, "[%.*s]", (int)message.len, message.ptr);
    return answer_with == VTS_OK || answer_with == VTS_ERR_CLOSED
               ? answer_with
               : vts_error_set(error, answer_with, "it is bad");
}

static void start(void)
{
    seen[0] = '\0';
    answer_with = VTS_OK;
    vts_stream_reader_init(&reader, MAX_BYTES, on_message, &reader);
}

static struct vts_buf envelopes;

static void add(uint8_t flags, const char *payload)
{
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];

    vts_envelope_write_prefix(flags, strlen(payload), prefix);
    vts_buf_append(&envelopes, prefix, sizeof(prefix));
    vts_buf_append_text(&envelopes, payload);
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(&envelopes), VTS_OK);
}

/* Feeds what was added and expects a state; then starts over. */
static void feed_and_check(size_t step, enum vts_stream_state state, const char *messages)
{
    start();
    for (size_t at = 0; at < envelopes.len; at += step) {
        size_t left = envelopes.len - at;

        vts_stream_reader_feed(&reader,
                               vts_str_make(envelopes.ptr + at, step < left ? step : left));
    }
    CU_ASSERT_EQUAL(reader.state, state);
    CU_ASSERT_STRING_EQUAL(seen, messages);
    vts_stream_reader_fini(&reader);
}

static void check_broken(const char *words)
{
    start();
    vts_stream_reader_feed(&reader, vts_buf_str(&envelopes));
    CU_ASSERT_EQUAL(reader.state, VTS_STREAM_BROKEN);
    CU_ASSERT_PTR_NOT_NULL(strstr(reader.why.text, words));
    vts_stream_reader_fini(&reader);
    vts_buf_fini(&envelopes);
}

static void stream_ends_well_in_pieces_of_every_size(void)
{
    vts_buf_init(&envelopes, 1000);
    add(0, "one");
    add(0, "");
    add(0, "three");
    add(VTS_ENVELOPE_CONNECT_END, "{}");
    for (size_t step = 1; step <= envelopes.len; step++)
        feed_and_check(step, VTS_STREAM_ENDED, "[one][][three]");
    vts_buf_fini(&envelopes);
}

static void stream_without_its_end_stays_open(void)
{
    vts_buf_init(&envelopes, 1000);
    add(0, "one");
    feed_and_check(3, VTS_STREAM_OPEN, "[one]");
    add(0, "two");
    envelopes.len--;
    feed_and_check(100, VTS_STREAM_OPEN, "[one]");
    vts_buf_fini(&envelopes);
}

static void stream_tells_how_it_was_refused(void)
{
    vts_buf_init(&envelopes, 1000);
    add(VTS_ENVELOPE_CONNECT_END, "{\"error\":{\"code\":\"not_found\",\"message\":\"no\"}}");
    start();
    vts_stream_reader_feed(&reader, vts_buf_str(&envelopes));
    CU_ASSERT_EQUAL(reader.state, VTS_STREAM_REFUSED);
    CU_ASSERT_STRING_EQUAL(reader.body.code_word, "not_found");
    CU_ASSERT_STRING_EQUAL(reader.body.message, "no");
    vts_stream_reader_fini(&reader);
    vts_buf_fini(&envelopes);
}

static void stream_drops_what_follows_its_end(void)
{
    vts_buf_init(&envelopes, 1000);
    add(VTS_ENVELOPE_CONNECT_END, "{}");
    add(0, "late");
    feed_and_check(1, VTS_STREAM_ENDED, "");
    feed_and_check(100, VTS_STREAM_ENDED, "");
    vts_buf_fini(&envelopes);
}

static void stream_stops_when_nobody_wants_more(void)
{
    vts_buf_init(&envelopes, 1000);
    add(0, "one");
    add(0, "two");
    start();
    answer_with = VTS_ERR_CLOSED;
    vts_stream_reader_feed(&reader, vts_buf_str(&envelopes));
    CU_ASSERT_EQUAL(reader.state, VTS_STREAM_STOPPED);
    CU_ASSERT_STRING_EQUAL(seen, "[one]");
    vts_stream_reader_fini(&reader);
    vts_buf_fini(&envelopes);
}

static void stream_breaks_off_at_a_bad_message(void)
{
    vts_buf_init(&envelopes, 1000);
    add(0, "one");
    add(0, "two");
    start();
    answer_with = VTS_ERR_PROTOCOL;
    vts_stream_reader_feed(&reader, vts_buf_str(&envelopes));
    CU_ASSERT_EQUAL(reader.state, VTS_STREAM_BROKEN);
    CU_ASSERT_STRING_EQUAL(reader.why.text, "it is bad");
    CU_ASSERT_STRING_EQUAL(seen, "[one]");
    vts_stream_reader_fini(&reader);
    vts_buf_fini(&envelopes);
}

static void stream_refuses_what_it_did_not_ask_for(void)
{
    vts_buf_init(&envelopes, 1000);
    add(VTS_ENVELOPE_COMPRESSED, "x");
    check_broken("flags");
    add(0x40, "x");
    check_broken("flags");
    add(VTS_ENVELOPE_CONNECT_END | VTS_ENVELOPE_COMPRESSED, "{}");
    check_broken("flags");
    add(VTS_ENVELOPE_CONNECT_END, "");
    check_broken("last envelope");
    add(VTS_ENVELOPE_CONNECT_END, "{\"error\":null}");
    check_broken("last envelope");
}

static void stream_bounds_its_messages(void)
{
    char text[MAX_BYTES + 2];
    char expected[MAX_BYTES + 4];

    memset(text, 'x', sizeof(text));
    text[MAX_BYTES] = '\0';
    (void)snprintf(expected, sizeof(expected), "[%s]", text);
    vts_buf_init(&envelopes, 1000);
    add(0, text);
    feed_and_check(7, VTS_STREAM_OPEN, expected);
    text[MAX_BYTES] = 'x';
    text[MAX_BYTES + 1] = '\0';
    vts_buf_fini(&envelopes);
    add(0, text);
    envelopes.len = VTS_ENVELOPE_PREFIX_BYTES; /* the announcement is enough */
    check_broken("too large");
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"stream_ends_well_in_pieces_of_every_size", stream_ends_well_in_pieces_of_every_size},
        {"stream_without_its_end_stays_open", stream_without_its_end_stays_open},
        {"stream_tells_how_it_was_refused", stream_tells_how_it_was_refused},
        {"stream_drops_what_follows_its_end", stream_drops_what_follows_its_end},
        {"stream_stops_when_nobody_wants_more", stream_stops_when_nobody_wants_more},
        {"stream_breaks_off_at_a_bad_message", stream_breaks_off_at_a_bad_message},
        {"stream_refuses_what_it_did_not_ask_for", stream_refuses_what_it_did_not_ask_for},
        {"stream_bounds_its_messages", stream_bounds_its_messages},
    };

    return vts_test_run("stream", tests, VTS_ARRAY_LEN(tests));
}
