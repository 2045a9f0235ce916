/* SPDX-License-Identifier: Apache-2.0 */
/* toy_answer.c - reads what was sent as a client of each dialect would. */
#include <CUnit/CUnit.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/wire/base64.h"
#include "common/wire/envelope.h"
#include "server/rpc/codec.h"
#include "tests/unit/server/rpc/toy_bench.h"
#include "toy.pb-c.h"

enum { ANSWER_MAX_BYTES = 4 * 1024 * 1024, ARENA_MAX_BYTES = 8 * 1024 * 1024 };

static bool is_grpc_web(const struct toy_bench *bench)
{
    return strstr(bench->content_type, "grpc-web") != NULL;
}

static bool is_grpc(const struct toy_bench *bench)
{
    return strstr(bench->content_type, "grpc") != NULL && !is_grpc_web(bench);
}

/* ---- bodies --------------------------------------------------------------------------------- */

static void inflate(struct vts_buf *payload)
{
    struct vts_gzip gzip;
    struct vts_buf plain;

    vts_gzip_init(&gzip);
    vts_buf_init(&plain, ANSWER_MAX_BYTES);
    CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, vts_buf_str(payload), &plain), VTS_OK);
    vts_gzip_fini(&gzip);
    vts_buf_fini(payload);
    *payload = plain;
}

static void take_message(const struct toy_bench *bench, struct vts_str bytes, bool is_compressed,
                         struct toy_answer *answer)
{
    const struct vts_rpc_method method = {.input = &toy__v1__tell__descriptor,
                                          .request_max_elements = SIZE_MAX};
    const ProtobufCMessage *message = NULL;
    const Toy__V1__Tell *tell;
    struct vts_error error = {.text = ""};
    struct vts_arena arena;
    struct vts_buf payload;

    vts_buf_init(&payload, ANSWER_MAX_BYTES);
    vts_buf_append_str(&payload, bytes);
    if (is_compressed)
        inflate(&payload);
    vts_arena_init(&arena, ARENA_MAX_BYTES);
    CU_ASSERT_EQUAL_FATAL(
        vts_codec_decode(bench->rpc, bench->is_json ? VTS_CODEC_JSON : VTS_CODEC_PROTO, &method,
                         vts_buf_str(&payload), &arena, &error, &message),
        VTS_OK);
    tell = (const Toy__V1__Tell *)message;
    (void)snprintf(answer->text + strlen(answer->text), sizeof(answer->text) - strlen(answer->text),
                   "%s%s", answer->messages > 0 ? "," : "", tell->text);
    answer->messages++;
    answer->compressed += is_compressed;
    answer->body_bytes += tell->body.len;
    vts_arena_fini(&arena);
    vts_buf_fini(&payload);
}

static void take_envelope(const struct toy_bench *bench, const struct vts_envelope *envelope,
                          struct toy_answer *answer)
{
    CU_ASSERT_EQUAL(answer->end_flags, 0); /* nothing follows the end */
    if (envelope->flags <= VTS_ENVELOPE_COMPRESSED) {
        take_message(bench, envelope->payload, envelope->flags == VTS_ENVELOPE_COMPRESSED, answer);
        return;
    }
    answer->end_flags = envelope->flags;
    CU_ASSERT_FATAL(envelope->payload.len < sizeof(answer->end));
    memcpy(answer->end, envelope->payload.ptr, envelope->payload.len);
    answer->end[envelope->payload.len] = '\0';
}

static void take_envelopes(const struct toy_bench *bench, struct vts_str bytes,
                           struct toy_answer *answer)
{
    struct vts_envelope_reader reader;
    struct vts_envelope envelope;

    vts_envelope_reader_init(&reader, ANSWER_MAX_BYTES);
    while (bytes.len > 0) {
        size_t taken = vts_envelope_reader_feed(&reader, bytes);

        bytes = vts_str_make(bytes.ptr + taken, bytes.len - taken);
        if (vts_envelope_reader_get(&reader, &envelope) != VTS_OK)
            continue;
        take_envelope(bench, &envelope, answer);
        vts_envelope_reader_next(&reader);
    }
    CU_ASSERT(vts_envelope_reader_is_between(&reader));
    vts_envelope_reader_fini(&reader);
}

/* A sequence of pieces, each padded on its own. */
static void decode_text(struct vts_str text, struct vts_buf *out)
{
    CU_ASSERT_EQUAL(text.len % 4, 0);
    for (size_t i = 0; i + 4 <= text.len; i += 4)
        CU_ASSERT_EQUAL(vts_base64_decode(out, vts_str_make(text.ptr + i, 4)), VTS_OK);
}

void toy_bench_look(struct toy_bench *bench, struct toy_answer *ret_answer)
{
    struct vts_str body = vts_str_make(bench->fake.body, bench->fake.body_len);
    bool is_gzip = strcmp(fake_exchange_field(&bench->fake, "content-encoding"), "gzip") == 0;
    struct vts_buf bytes;

    memset(ret_answer, 0, sizeof(*ret_answer));
    vts_buf_init(&bytes, ANSWER_MAX_BYTES);
    if (bench->is_text)
        decode_text(body, &bytes);
    else
        vts_buf_append_str(&bytes, body);
    if (bench->has_envelopes)
        take_envelopes(bench, vts_buf_str(&bytes), ret_answer);
    else if (bench->fake.exchange.response.code == 200)
        take_message(bench, vts_buf_str(&bytes), is_gzip, ret_answer);
    vts_buf_fini(&bytes);
}

/* ---- outcomes ------------------------------------------------------------------------------- */

static int code_of_word(const char *word)
{
    for (int code = 0; code <= VTS_RPC_UNAUTHENTICATED; code++)
        if (strcmp(vts_rpc_code_word((enum vts_rpc_code)code), word) == 0)
            return code;
    return -1;
}

/* The value of `key` in text, up to the first character of `ends`, in bench->message. */
static const char *cut_out(struct toy_bench *bench, const char *text, const char *key,
                           const char *ends)
{
    const char *at = strstr(text, key);

    (void)snprintf(bench->message, sizeof(bench->message), "(none)");
    if (at != NULL) {
        at += strlen(key);
        (void)snprintf(bench->message, sizeof(bench->message), "%.*s", (int)strcspn(at, ends), at);
    }
    return bench->message;
}

/* The field of gRPC's outcome, which stands in one place only. */
static const char *find_grpc_field(struct toy_bench *bench, const char *name)
{
    struct fake_exchange *fake = &bench->fake;
    struct toy_answer answer;
    char key[64];

    (void)snprintf(bench->message, sizeof(bench->message), "%s", fake_exchange_field(fake, name));
    if (fake->sent_count > 0)
        return bench->message; /* Trailers-Only, or HTTP's own */
    CU_ASSERT_STRING_EQUAL(bench->message, "(none)");
    if (is_grpc(bench)) {
        (void)snprintf(bench->message, sizeof(bench->message), "%s",
                       fake_exchange_trailer(fake, name));
        return bench->message;
    }
    CU_ASSERT_EQUAL(fake->exchange.response.trailers_count, 0);
    toy_bench_look(bench, &answer);
    (void)snprintf(key, sizeof(key), "%s: ", name);
    return cut_out(bench, answer.end, key, "\r");
}

/* The JSON of Connect's outcome; NULL when it is a success. */
static const char *find_error_json(struct toy_bench *bench)
{
    static struct toy_answer answer;

    if (!bench->has_envelopes)
        return bench->fake.exchange.response.code >= 400 ? bench->fake.body : NULL;
    if (bench->fake.exchange.response.code != 200)
        return bench->fake.body;
    toy_bench_look(bench, &answer);
    CU_ASSERT_EQUAL(answer.end_flags, VTS_ENVELOPE_CONNECT_END);
    return strstr(answer.end, "\"error\":") == NULL ? NULL : answer.end;
}

static bool has_outcome(const struct toy_bench *bench)
{
    return bench->fake.is_over && bench->fake.resets_count == 0;
}

int toy_bench_code(struct toy_bench *bench)
{
    const char *text;

    if (!has_outcome(bench))
        return -1;
    if (is_grpc(bench) || is_grpc_web(bench)) {
        text = find_grpc_field(bench, "grpc-status");
        return strcmp(text, "(none)") == 0 ? -1 : (int)strtol(text, NULL, 10);
    }
    text = find_error_json(bench);
    return text == NULL ? VTS_RPC_OK : code_of_word(cut_out(bench, text, "\"code\":\"", "\""));
}

const char *toy_bench_message(struct toy_bench *bench)
{
    const char *text;

    if (is_grpc(bench) || is_grpc_web(bench))
        return find_grpc_field(bench, "grpc-message");
    text = find_error_json(bench);
    return cut_out(bench, text == NULL ? "" : text, "\"message\":\"", "\"");
}
