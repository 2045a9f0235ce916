/* SPDX-License-Identifier: Apache-2.0 */
/* toy.c - handlers that count, check the order of what they hear, and follow a script.
 *
 * Each call has memory of its own from its first event to on_end, so that a sanitizer sees an end
 * that comes twice or never.
 */
#include "tests/unit/server/rpc/toy.h"

#include <CUnit/CUnit.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/macros.h"
#include "toy.pb-c.h"

struct toy *toy_of(const struct vts_call *call)
{
    return vts_call_context(call);
}

/* An event: the first one of a call begins it. */
static struct toy *hear(struct vts_call *call)
{
    struct toy *toy = toy_of(call);

    if (vts_call_data(call) == NULL && !vts_call_is_over(call)) {
        CU_ASSERT_PTR_NULL(toy->call);
        toy->call = call;
        vts_call_set_data(call, malloc(1));
    }
    CU_ASSERT_PTR_EQUAL(toy->call, call);
    CU_ASSERT_PTR_NOT_NULL(vts_call_data(call));
    return toy;
}

static void append_text(struct toy *toy, const char *text)
{
    size_t len = strlen(text);

    if (toy->text_len + len + 2 > sizeof(toy->text))
        return;
    if (toy->messages > 1)
        toy->text[toy->text_len++] = ',';
    memcpy(toy->text + toy->text_len, text, len + 1);
    toy->text_len += len;
}

static void on_start(struct vts_call *call)
{
    struct toy *toy = hear(call);

    CU_ASSERT_EQUAL(toy->messages + toy->half_closes, 0);
    CU_ASSERT(!vts_call_is_over(call));
    toy->starts++;
    if (toy->script.on_start != NULL)
        toy->script.on_start(call);
}

static void on_message(struct vts_call *call, const ProtobufCMessage *message)
{
    struct toy *toy = hear(call);
    const Toy__V1__Ask *ask = (const Toy__V1__Ask *)message;

    CU_ASSERT(!vts_call_is_over(call));
    CU_ASSERT(!toy->is_paused);
    CU_ASSERT_EQUAL(toy->half_closes, 0);
    toy->messages++;
    append_text(toy, ask->text);
    toy->body_bytes += ask->body.len;
    if (toy->script.on_message != NULL)
        toy->script.on_message(call, ask);
}

static void on_half_close(struct vts_call *call)
{
    struct toy *toy = hear(call);

    CU_ASSERT(!vts_call_is_over(call));
    CU_ASSERT(!toy->is_paused);
    toy->half_closes++;
    CU_ASSERT_EQUAL(toy->half_closes, 1);
    if (toy->script.on_half_close != NULL)
        toy->script.on_half_close(call);
}

static void on_writable(struct vts_call *call)
{
    struct toy *toy = hear(call);

    CU_ASSERT(!vts_call_is_over(call));
    CU_ASSERT(vts_call_can_send(call));
    toy->writables++;
    if (toy->script.on_writable != NULL)
        toy->script.on_writable(call);
}

static void on_drain(struct vts_call *call)
{
    struct toy *toy = hear(call);

    CU_ASSERT(!vts_call_is_over(call));
    toy->drains++;
    if (toy->script.on_drain != NULL)
        toy->script.on_drain(call);
}

static void on_end(struct vts_call *call)
{
    struct toy *toy = hear(call);

    CU_ASSERT(vts_call_is_over(call));
    toy->ends++;
    if (toy->script.on_end != NULL)
        toy->script.on_end(call);
    free(vts_call_data(call));
    vts_call_set_data(call, NULL);
    toy->call = NULL;
}

static const struct vts_call_handler one_request = {
    .on_message = on_message, .on_writable = on_writable, .on_end = on_end, .on_drain = on_drain};

static const struct vts_call_handler many_requests = {.on_start = on_start,
                                                      .on_message = on_message,
                                                      .on_half_close = on_half_close,
                                                      .on_writable = on_writable,
                                                      .on_end = on_end,
                                                      .on_drain = on_drain};

static const struct vts_method_row rows[] = {
    {.name = "Unary", .handler = &one_request},
    {.name = "Read", .handler = &one_request},
    {.name = "Small", .request_max_bytes = TOY_SMALL_MAX_BYTES, .handler = &one_request},
    {.name = "Show", .handler = &one_request},
    {.name = "Collect", .handler = &many_requests},
    {.name = "Repeat", .handler = &one_request},
    {.name = "Chat", .handler = &many_requests},
};

static const struct vts_rest_row rest[] = {
    {VTS_METHOD_GET, 0, "/v1/toys", "Read", NULL, NULL, NULL, false},
    {VTS_METHOD_POST, 201, "/v1/toys", "Unary", "extra", NULL, NULL, true},
    {VTS_METHOD_GET, 0, "/v1/toys/{text}", "Read", NULL, NULL, NULL, false},
    {VTS_METHOD_DELETE, 204, "/v1/toys/{text}", "Unary", NULL, "tag", NULL, false},
    {VTS_METHOD_POST, 0, "/v1/toys/{text}:small", "Small", NULL, "tag", NULL, true},
    {VTS_METHOD_POST, 0, "/v1/toys/{text}:show", "Show", NULL, NULL, "asked", true},
    {VTS_METHOD_POST, 0, "/v1/missing", "Missing", NULL, NULL, NULL, true},
};

struct vts_service_row toy_row(struct toy *toy)
{
    return (struct vts_service_row){.descriptor = &toy__v1__toy_service__descriptor,
                                    .methods = rows,
                                    .methods_count = VTS_ARRAY_LEN(rows),
                                    .rest = rest,
                                    .rest_count = VTS_ARRAY_LEN(rest),
                                    .context = toy,
                                    .is_guarded = true};
}

/* ---- for scripts ---------------------------------------------------------------------------- */

void toy_pause(struct vts_call *call)
{
    toy_of(call)->is_paused = true;
    vts_call_pause(call);
}

void toy_resume(struct vts_call *call)
{
    toy_of(call)->is_paused = false;
    vts_call_resume(call);
}

enum vts_err toy_tell(struct vts_call *call, const char *text, size_t body_bytes)
{
    Toy__V1__Tell tell = TOY__V1__TELL__INIT;
    uint8_t *body = malloc(body_bytes + 1);
    enum vts_err err;

    CU_ASSERT_PTR_NOT_NULL_FATAL(body);
    memset(body, 'x', body_bytes);
    tell.text = (char *)(uintptr_t)text;
    tell.body.data = body;
    tell.body.len = body_bytes;
    err = vts_call_send(call, &tell.base);
    free(body);
    return err;
}

void toy_finish(struct vts_call *call)
{
    vts_call_finish(call, VTS_RPC_OK, NULL);
}

void toy_echo(struct vts_call *call, const Toy__V1__Ask *ask)
{
    if (toy_tell(call, ask->text, ask->body.len) != VTS_OK)
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
}

void toy_answer(struct vts_call *call, const Toy__V1__Ask *ask)
{
    toy_echo(call, ask);
    toy_finish(call); /* harmless when it is over */
}

void toy_sum_up(struct vts_call *call)
{
    struct toy *toy = toy_of(call);

    if (toy_tell(call, toy->text, toy->body_bytes) != VTS_OK)
        vts_call_finish(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
    toy_finish(call);
}
