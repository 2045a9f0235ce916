/* SPDX-License-Identifier: Apache-2.0 */
/* toy_bench.c - sets the runtime up, and writes requests as each dialect has them. */
#include "tests/unit/server/rpc/toy_bench.h"

#include <CUnit/CUnit.h>
#include <stdio.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/wire/base64.h"
#include "common/wire/envelope.h"
#include "server/rpc/codec.h"
#include "toy.pb-c.h"

enum { REQUEST_MAX_BYTES = 8 * 1024 * 1024, TARGET_BYTES = 8 * 1024 };

static enum vts_err note_post(void *context, void (*fn)(void *), void *argument)
{
    struct toy_bench *bench = context;

    if (bench->post_err != VTS_OK)
        return bench->post_err;
    pthread_mutex_lock(&bench->lock);
    bench->posts_count++;
    bench->posted = fn;
    bench->posted_argument = argument;
    pthread_mutex_unlock(&bench->lock);
    return VTS_OK;
}

unsigned toy_bench_run_posts(struct toy_bench *bench)
{
    unsigned count;

    pthread_mutex_lock(&bench->lock);
    count = bench->posts_count;
    bench->posts_count = 0;
    pthread_mutex_unlock(&bench->lock);
    for (unsigned i = 0; i < count; i++)
        bench->posted(bench->posted_argument);
    return count;
}

void toy_bench_open_with(struct toy_bench *bench, const struct toy_script *script,
                         const char *limits, const char *origins)
{
    struct vts_rpc_options options = {.descriptor_set = vts_str_make(toy_set, toy_set_len),
                                      .services = bench->services,
                                      .services_count = VTS_ARRAY_LEN(bench->services),
                                      .limits = &bench->limits,
                                      .origins = origins};

    memset(bench, 0, sizeof(*bench));
    if (script != NULL)
        bench->toy.script = *script;
    CU_ASSERT_EQUAL_FATAL(pthread_mutex_init(&bench->lock, NULL), 0);
    vts_limits_init(&bench->limits);
    if (limits != NULL)
        CU_ASSERT_EQUAL_FATAL(vts_limits_parse(&bench->limits, limits, NULL), VTS_OK);
    bench->services[0] = toy_row(&bench->toy);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_new(&options, &bench->rpc, NULL), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_rpc_loop_new(bench->rpc, note_post, bench, &bench->loop), VTS_OK);
    bench->router.rpc = bench->loop;
    toy_bench_make(bench, "Unary", NULL);
}

void toy_bench_open(struct toy_bench *bench, const struct toy_script *script)
{
    toy_bench_open_with(bench, script, NULL, NULL);
}

void toy_bench_close(struct toy_bench *bench)
{
    fake_exchange_fini(&bench->fake);
    CU_ASSERT(vts_list_is_empty(&bench->loop->calls));
    CU_ASSERT_PTR_NULL(bench->toy.call);
    vts_rpc_loop_free(bench->loop);
    vts_rpc_free(bench->rpc);
    CU_ASSERT_EQUAL(pthread_mutex_destroy(&bench->lock), 0);
}

/* ---- requests ------------------------------------------------------------------------------- */

static void make(struct toy_bench *bench, enum vts_method verb, const char *method,
                 const char *query)
{
    char target[TARGET_BYTES];
    const struct toy_script script = bench->toy.script;

    CU_ASSERT_FATAL((size_t)snprintf(target, sizeof(target), "%s%s%s",
                                     method[0] == '/' ? "" : "/toy.v1.ToyService/", method,
                                     query) < sizeof(target));
    fake_exchange_fini(&bench->fake);
    CU_ASSERT_PTR_NULL(bench->toy.call);
    bench->toy = (struct toy){.script = script};
    fake_exchange_init(&bench->fake, verb, target);
    bench->content_type = "";
    bench->has_envelopes = bench->is_text = bench->is_json = false;
    bench->step = SIZE_MAX;
    bench->cap = (size_t)16 * 1024;
}

void toy_bench_make(struct toy_bench *bench, const char *method, const char *content_type)
{
    make(bench, VTS_METHOD_POST, method, "");
    if (content_type == NULL)
        return;
    fake_exchange_add_header(&bench->fake, "content-type", content_type);
    bench->content_type = content_type;
    bench->has_envelopes =
        strstr(content_type, "grpc") != NULL || strstr(content_type, "connect") != NULL;
    bench->is_text = strstr(content_type, "-text") != NULL;
    bench->is_json = strstr(content_type, "json") != NULL;
}

void toy_bench_make_get(struct toy_bench *bench, const char *method, const char *query)
{
    char text[TARGET_BYTES];

    CU_ASSERT_FATAL((size_t)snprintf(text, sizeof(text), "?%s", query) < sizeof(text));
    make(bench, VTS_METHOD_GET, method, text);
    bench->is_json = strstr(query, "encoding=json") != NULL;
}

void toy_bench_begin(struct toy_bench *bench)
{
    vts_router_begin(&bench->router, &bench->fake.exchange);
}

void toy_bench_start(struct toy_bench *bench, const char *method, const char *content_type)
{
    toy_bench_make(bench, method, content_type);
    toy_bench_begin(bench);
}

void toy_bench_end(struct toy_bench *bench)
{
    if (bench->fake.exchange.user_ops != NULL)
        fake_exchange_give_end(&bench->fake);
    else if (bench->fake.sent_count == 0)
        vts_router_handle(&bench->router, &bench->fake.exchange);
}

void toy_bench_read(struct toy_bench *bench)
{
    fake_exchange_read_all(&bench->fake, bench->cap);
}

/* ---- messages ------------------------------------------------------------------------------- */

void toy_bench_encode(const struct toy_bench *bench, const char *text, size_t body_bytes,
                      struct vts_buf *out)
{
    Toy__V1__Ask ask = TOY__V1__ASK__INIT;
    struct vts_buf body;

    vts_buf_init(&body, REQUEST_MAX_BYTES);
    memset(vts_buf_reserve(&body, body_bytes), 'x', body_bytes);
    ask.text = (char *)(uintptr_t)text;
    ask.body.data = (uint8_t *)body.ptr;
    ask.body.len = body_bytes;
    CU_ASSERT_EQUAL_FATAL(vts_codec_encode(bench->rpc,
                                           bench->is_json ? VTS_CODEC_JSON : VTS_CODEC_PROTO,
                                           &ask.base, out),
                          VTS_OK);
    vts_buf_fini(&body);
}

void toy_bench_write(const struct toy_bench *bench, uint8_t flags, struct vts_str payload,
                     struct vts_buf *out)
{
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];
    struct vts_buf whole;

    vts_buf_init(&whole, REQUEST_MAX_BYTES);
    if (bench->has_envelopes) {
        vts_envelope_write_prefix(flags, payload.len, prefix);
        vts_buf_append(&whole, prefix, sizeof(prefix));
    }
    vts_buf_append_str(&whole, payload);
    if (bench->is_text)
        vts_base64_encode(out, vts_buf_str(&whole), VTS_BASE64_PADDED);
    else
        vts_buf_append_str(out, vts_buf_str(&whole));
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(&whole), VTS_OK);
    CU_ASSERT_EQUAL_FATAL(vts_buf_check(out), VTS_OK);
    vts_buf_fini(&whole);
}

static bool give(struct toy_bench *bench, struct vts_buf *wire)
{
    bool is_given = fake_exchange_give(&bench->fake, vts_buf_str(wire), bench->step) == wire->len;

    vts_buf_fini(wire);
    return is_given;
}

bool toy_bench_give_raw(struct toy_bench *bench, struct vts_str bytes)
{
    struct vts_buf wire;

    vts_buf_init(&wire, REQUEST_MAX_BYTES);
    if (bench->is_text)
        vts_base64_encode(&wire, bytes, VTS_BASE64_PADDED);
    else
        vts_buf_append_str(&wire, bytes);
    return give(bench, &wire);
}

bool toy_bench_give(struct toy_bench *bench, uint8_t flags, struct vts_str payload)
{
    struct vts_buf wire;

    vts_buf_init(&wire, REQUEST_MAX_BYTES);
    toy_bench_write(bench, flags, payload, &wire);
    return give(bench, &wire);
}

bool toy_bench_ask(struct toy_bench *bench, const char *text, size_t body_bytes)
{
    struct vts_buf payload;
    bool is_given;

    vts_buf_init(&payload, REQUEST_MAX_BYTES);
    toy_bench_encode(bench, text, body_bytes, &payload);
    is_given = toy_bench_give(bench, 0, vts_buf_str(&payload));
    vts_buf_fini(&payload);
    return is_given;
}

void toy_bench_call(struct toy_bench *bench, const char *text)
{
    CU_ASSERT(toy_bench_ask(bench, text, 0));
    toy_bench_end(bench);
    toy_bench_read(bench);
}
