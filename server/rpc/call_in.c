/* SPDX-License-Identifier: Apache-2.0 */
/* call_in.c - from the bytes of a request's body to messages for the handler.
 *
 * Bytes are given back to the peer's window as they are looked at, and not while the handler is
 * paused: so a slow handler holds back its own client, with at most one window of bytes kept here.
 * A method with one request gets it only when the client has said all, because only then it is
 * known to be the only one. Until then it is kept as it came, since what is made of it may be many
 * times larger, and only bytes of the body are counted.
 */
#include <stdio.h>

#include "common/base/assert.h"
#include "common/wire/base64.h"
#include "common/wire/message_limit.h"
#include "server/rpc/dialect.h"
#include "server/rpc/rpc_loop.h"

enum { CONSUME_BYTES = 16 * 1024, TEXT_BYTES = 4 };

/* ---- bytes kept and given back -------------------------------------------------------------- */

static void release_to(struct vts_call *call, size_t kept_bytes)
{
    if (call->held_bytes <= kept_bytes)
        return;
    vts_exchange_release(call->exchange, call->held_bytes - kept_bytes);
    call->held_bytes = kept_bytes;
}

/* Small amounts are gathered: each is work for both sides. */
static void consume(struct vts_call *call)
{
    if (call->owed_bytes < CONSUME_BYTES)
        return;
    vts_exchange_consume(call->exchange, call->owed_bytes);
    call->owed_bytes = 0;
}

void vts_call_drop_body(struct vts_call *call)
{
    vts_buf_fini(&call->raw);
    vts_buf_fini(&call->only);
    vts_envelope_reader_fini(&call->reader);
    if (!call->is_working) /* the handler may be looking at the message; work() comes back */
        vts_arena_fini(&call->arena);
    release_to(call, 0);
    consume(call);
}

/* ---- messages -------------------------------------------------------------------------------- */

static void break_by_memory(struct vts_call *call)
{
    vts_call_break(call, VTS_RPC_RESOURCE_EXHAUSTED, "out of memory");
}

static void break_as_too_large(struct vts_call *call, const char *text)
{
    call->http_code = call->dialect->too_large_http_code;
    vts_call_break(call, VTS_RPC_RESOURCE_EXHAUSTED, text);
}

static void count_limit(struct vts_call *call, enum vts_message_limit limit)
{
    struct vts_limits *limits = call->loop->rpc->options.limits;

    switch (limit) {
    case VTS_MESSAGE_LIMIT_DEPTH:
        vts_limits_hit(limits, VTS_LIMIT_MESSAGE_DEPTH);
        return;
    case VTS_MESSAGE_LIMIT_ELEMENTS:
        vts_limits_hit(limits, VTS_LIMIT_MESSAGE_ELEMENTS);
        return;
    case VTS_MESSAGE_LIMIT_OTHER:
        vts_limits_hit(limits, VTS_LIMIT_MESSAGE_BYTES); /* memory is so many times that */
        return;
    }
    VTS_UNREACHABLE();
}

static void break_by_limit(struct vts_call *call, const struct vts_error *error)
{
    count_limit(call, (enum vts_message_limit)error->detail);
    break_as_too_large(call, error->text);
}

static void break_by_decoding(struct vts_call *call, enum vts_err err,
                              const struct vts_error *error)
{
    const char *text = error->text;

    if (err == VTS_ERR_NOMEM)
        break_by_memory(call);
    else if (err == VTS_ERR_LIMIT)
        break_by_limit(call, error);
    else if (err == VTS_ERR_PROTOCOL)
        vts_call_break(call, call->dialect->malformed_code, text);
    else
        vts_call_break(call, VTS_RPC_INVALID_ARGUMENT, text);
}

/* what is "has", or what else is known of its size. */
static void break_by_size(struct vts_call *call, const char *what, size_t bytes)
{
    char text[128];

    vts_limits_hit(call->loop->rpc->options.limits, VTS_LIMIT_MESSAGE_BYTES);
    (void)snprintf(text, sizeof(text), "the message %s %zu bytes; the maximum is %zu", what, bytes,
                   call->method->request_max_bytes);
    break_as_too_large(call, text);
}

static void break_by_ratio(struct vts_call *call)
{
    vts_limits_hit(call->loop->rpc->options.limits, VTS_LIMIT_INFLATE_RATIO);
    break_as_too_large(call, "the message grows too much when it is decompressed");
}

/* Inflates into out, which is empty. */
static bool inflate_message(struct vts_call *call, struct vts_str bytes, struct vts_buf *out)
{
    switch (vts_gzip_inflate(&call->loop->gzip, bytes, out)) {
    case VTS_OK:
        return true;
    case VTS_ERR_LIMIT:
        if (out->len < out->max)
            break_by_ratio(call);
        else
            break_by_size(call, "inflates too far from", bytes.len);
        return false;
    case VTS_ERR_NOMEM:
        break_by_memory(call);
        return false;
    default:
        vts_call_break(call, call->dialect->bad_encoding_code,
                       "the message cannot be decompressed");
        return false;
    }
}

/* The message in the call's arena; NULL after having broken the call. */
static const ProtobufCMessage *decode(struct vts_call *call, struct vts_str bytes)
{
    const ProtobufCMessage *message = NULL;
    struct vts_error error = {.text = ""};
    enum vts_err err;

    if (call->dialect->decode != NULL)
        err = call->dialect->decode(call, bytes, &error, &message);
    else
        err = vts_codec_decode(call->loop->rpc, call->codec, call->method, bytes, &call->arena,
                               &error, &message);
    if (err == VTS_OK)
        return message;
    break_by_decoding(call, err, &error);
    return NULL;
}

static const ProtobufCMessage *unpack(struct vts_call *call, struct vts_str bytes,
                                      bool is_compressed)
{
    const ProtobufCMessage *message = NULL;
    struct vts_buf plain;
    bool is_whole;

    vts_rpc_count(&call->counts->received);
    call->was_compressed = is_compressed;
    if (!is_compressed)
        return decode(call, bytes);
    vts_buf_init(&plain, call->method->request_max_bytes);
    is_whole = inflate_message(call, bytes, &plain);
    vts_exchange_charge(call->exchange, plain.len);
    if (is_whole)
        message = decode(call, vts_buf_str(&plain));
    vts_exchange_refund(call->exchange, plain.len);
    vts_buf_fini(&plain);
    return message;
}

static void refuse_count(struct vts_call *call)
{
    vts_call_break(call, VTS_RPC_UNIMPLEMENTED, "this method takes exactly one request message");
}

/* Delivers to a handler whose client streams; the message lives as long as this. */
static void deliver(struct vts_call *call, struct vts_str bytes, bool is_compressed)
{
    const ProtobufCMessage *message = unpack(call, bytes, is_compressed);

    if (message != NULL)
        vts_call_handler_of(call)->on_message(call, message);
    vts_arena_reset(&call->arena);
}

/* The client has said all, and this was it. */
static void deliver_only(struct vts_call *call)
{
    const ProtobufCMessage *message =
        unpack(call, vts_buf_str(&call->only), call->is_only_compressed);

    vts_buf_fini(&call->only); /* the message has copies */
    if (message != NULL)
        vts_call_handler_of(call)->on_message(call, message);
}

static void keep_only(struct vts_call *call, struct vts_str bytes, bool is_compressed)
{
    if (call->has_only) {
        refuse_count(call);
        return;
    }
    call->has_only = true;
    call->is_only_compressed = is_compressed;
    vts_buf_append_str(&call->only, bytes);
    if (vts_buf_check(&call->only) != VTS_OK)
        break_by_memory(call);
}

static void take_message(struct vts_call *call, struct vts_str bytes, bool is_compressed)
{
    if (vts_rpc_has_one_request(call->method))
        keep_only(call, bytes, is_compressed);
    else
        deliver(call, bytes, is_compressed);
}

/* ---- envelopes ------------------------------------------------------------------------------- */

static void take_envelope(struct vts_call *call, const struct vts_envelope *envelope)
{
    bool is_compressed = envelope->flags == VTS_ENVELOPE_COMPRESSED;

    if (envelope->flags > VTS_ENVELOPE_COMPRESSED)
        vts_call_break(call, VTS_RPC_INTERNAL, "an envelope has flags that mean nothing here");
    else if (is_compressed && call->request_encoding == VTS_ENCODING_IDENTITY)
        vts_call_break(call, VTS_RPC_INTERNAL,
                       "a message is compressed, and no encoding was named");
    else
        take_message(call, envelope->payload, is_compressed);
}

/* A whole envelope at the front of bytes, without a copy of it; false when it is not whole. */
static bool peek_envelope(const struct vts_call *call, struct vts_str bytes,
                          struct vts_envelope *ret_envelope, size_t *ret_taken)
{
    const unsigned char *prefix = (const unsigned char *)bytes.ptr;
    size_t len;

    if (!vts_envelope_reader_is_between(&call->reader) || bytes.len < VTS_ENVELOPE_PREFIX_BYTES)
        return false;
    len = (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
    if (len > call->method->request_max_bytes || len > bytes.len - VTS_ENVELOPE_PREFIX_BYTES)
        return false;
    ret_envelope->flags = prefix[0];
    ret_envelope->payload = vts_str_make(bytes.ptr + VTS_ENVELOPE_PREFIX_BYTES, len);
    *ret_taken = VTS_ENVELOPE_PREFIX_BYTES + len;
    return true;
}

/* Takes up to one envelope off the front; returns how many bytes. */
static size_t take_some(struct vts_call *call, struct vts_str bytes)
{
    struct vts_envelope envelope;
    size_t taken;

    if (peek_envelope(call, bytes, &envelope, &taken)) {
        take_envelope(call, &envelope);
        return taken;
    }
    taken = vts_envelope_reader_feed(&call->reader, bytes);
    switch (vts_envelope_reader_get(&call->reader, &envelope)) {
    case VTS_ERR_AGAIN:
        break;
    case VTS_OK:
        take_envelope(call, &envelope);
        vts_envelope_reader_next(&call->reader);
        break;
    case VTS_ERR_LIMIT:
        break_by_size(call, "has", vts_envelope_reader_announced_bytes(&call->reader));
        break;
    default:
        break_by_memory(call);
        break;
    }
    return taken;
}

/* Works through bytes until the handler pauses or the call is over; returns how many were taken. */
static size_t take_envelopes(struct vts_call *call, struct vts_str bytes)
{
    size_t at = 0;

    while (at < bytes.len && call->state == VTS_CALL_OPEN && !call->is_paused)
        at += take_some(call, vts_str_make(bytes.ptr + at, bytes.len - at));
    return at;
}

/* ---- base64 ---------------------------------------------------------------------------------- */

/* A body of gRPC-Web's text form is base64, perhaps several pieces each padded on its own: four
 * characters at a time make up to three bytes. */
static enum vts_err decode_text(struct vts_call *call, struct vts_str text)
{
    enum vts_err err;

    for (size_t i = 0; i < text.len; i++) {
        call->text[call->text_len++] = text.ptr[i];
        if (call->text_len < TEXT_BYTES)
            continue;
        call->text_len = 0;
        err = vts_base64_decode(&call->raw, vts_str_make(call->text, TEXT_BYTES));
        if (err != VTS_OK)
            return err;
    }
    return VTS_OK;
}

/* ---- the body -------------------------------------------------------------------------------- */

/* The client has said all: the only message is known to be the only one. */
static void end_body(struct vts_call *call)
{
    if (!vts_envelope_reader_is_between(&call->reader) || call->text_len != 0) {
        vts_call_break(call, call->dialect->truncated_code, "the body ends inside a message");
        return;
    }
    if (vts_rpc_has_one_request(call->method) && !call->has_only) {
        refuse_count(call);
        return;
    }
    call->state = VTS_CALL_HALF_CLOSED;
    if (vts_rpc_has_one_request(call->method))
        deliver_only(call);
    else if (call->method->handler->on_half_close != NULL)
        vts_call_handler_of(call)->on_half_close(call);
    if (call->state != VTS_CALL_OVER)
        vts_call_bound(call);
    if (vts_rpc_has_one_request(call->method))
        vts_call_tell_drain(call);
}

/* A body without envelopes is one message. Nothing is not compressed, whatever the head says. */
static void end_plain_body(struct vts_call *call)
{
    call->has_only = true;
    call->is_only_compressed = call->request_encoding == VTS_ENCODING_GZIP && call->raw.len > 0;
    call->only = call->raw;
    vts_buf_init(&call->raw, 0);
}

/* After work: what is kept, what the peer may send, and what it must. */
static void settle(struct vts_call *call)
{
    struct vts_exchange *exchange = call->exchange;

    if (call->raw.len == 0)
        vts_buf_fini(&call->raw);
    release_to(call,
               call->raw.len + call->only.len + vts_envelope_reader_kept_bytes(&call->reader));
    if (!call->is_paused)
        consume(call);
    exchange->is_body_due =
        !call->is_paused && !call->is_body_complete &&
        (vts_rpc_has_one_request(call->method) || !call->dialect->has_envelopes ||
         !vts_envelope_reader_is_between(&call->reader));
}

/* Keeps bytes that nobody takes yet. */
static void hold(struct vts_call *call, struct vts_str bytes)
{
    size_t len = call->raw.len + bytes.len;

    vts_buf_append_str(&call->raw, bytes);
    if (vts_buf_check(&call->raw) == VTS_ERR_LIMIT)
        break_by_size(call, "has at least", len);
    else if (vts_buf_check(&call->raw) != VTS_OK)
        break_by_memory(call);
}

/* Takes what it can of what waits and of what has just come, which goes on waiting otherwise. */
static void take(struct vts_call *call, struct vts_str fresh)
{
    size_t taken;

    if (call->dialect->has_envelopes && call->raw.len == 0 && fresh.len > 0) {
        taken = take_envelopes(call, fresh);
        fresh = vts_str_make(fresh.ptr + taken, fresh.len - taken);
    }
    if (call->state == VTS_CALL_OPEN && fresh.len > 0)
        hold(call, fresh);
    if (call->dialect->has_envelopes && call->raw.len > 0) {
        taken = take_envelopes(call, vts_buf_str(&call->raw));
        if (call->state != VTS_CALL_OVER) /* which drops it */
            vts_buf_consume(&call->raw, taken);
    }
}

static void work(struct vts_call *call, struct vts_str fresh)
{
    if (call->is_working || call->state != VTS_CALL_OPEN)
        return; /* a handler that resumes in the midst of a message: the loop above goes on */
    call->is_working = true;
    take(call, fresh);
    if (call->is_body_complete && !call->is_paused && call->state == VTS_CALL_OPEN) {
        if (!call->dialect->has_envelopes && !call->is_get)
            end_plain_body(call);
        if (call->state == VTS_CALL_OPEN)
            end_body(call);
    }
    call->is_working = false;
    if (call->state == VTS_CALL_OVER)
        vts_call_drop_body(call);
    else
        settle(call);
}

static void work_on_text(struct vts_call *call, struct vts_str text)
{
    switch (decode_text(call, text)) {
    case VTS_OK:
        work(call, vts_str_make(NULL, 0));
        break;
    case VTS_ERR_PROTOCOL:
        vts_call_break(call, VTS_RPC_INTERNAL, "the body is not base64");
        break;
    default:
        break_by_memory(call);
        break;
    }
}

/* Connect wants it so (https://connectrpc.com/docs/protocol/#unary-get-request). */
static void refuse_body(struct vts_call *call)
{
    call->http_code = 415;
    vts_call_break(call, VTS_RPC_INVALID_ARGUMENT, "a GET has no body");
}

void vts_call_on_body(void *user, struct vts_str bytes)
{
    struct vts_call *call = user;

    call->held_bytes += bytes.len;
    call->owed_bytes += bytes.len;
    if (call->state != VTS_CALL_OPEN)
        vts_call_drop_body(call);
    else if (call->is_get)
        refuse_body(call);
    else if (call->dialect->is_text)
        work_on_text(call, bytes);
    else
        work(call, bytes);
}

void vts_call_on_body_end(void *user)
{
    struct vts_call *call = user;

    call->is_body_complete = true;
    work(call, vts_str_make(NULL, 0));
}

void vts_call_take_only_message(struct vts_call *call, struct vts_str bytes, bool is_compressed)
{
    if (bytes.len > call->method->request_max_bytes)
        break_by_size(call, "has", bytes.len);
    else
        keep_only(call, bytes, is_compressed);
}

void vts_call_pause(struct vts_call *call)
{
    call->is_paused = true;
}

void vts_call_resume(struct vts_call *call)
{
    if (!call->is_paused)
        return;
    call->is_paused = false;
    work(call, vts_str_make(NULL, 0));
}
