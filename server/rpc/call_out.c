/* SPDX-License-Identifier: Apache-2.0 */
/* call_out.c - from messages to the bytes of a response's body.
 *
 * One message at a time is on its way out, in up to four pieces that are copied when the peer takes
 * them. The next may follow when it is gone; a slow reader thus holds back whoever makes them.
 * The answer of a method that has only one is held until the outcome is known.
 */
#include <string.h>

#include "common/base/assert.h"
#include "common/base/mem.h"
#include "common/wire/base64.h"
#include "common/wire/pb_heap.h"
#include "server/rpc/dialect.h"
#include "server/rpc/rpc_loop.h"

enum {
    COMPRESS_LEAST_BYTES = 1024,
    MESSAGE_MAX_BYTES = 64 * 1024 * 1024,
};

/* ---- on its way out -------------------------------------------------------------------- */

static void release_bytes(const struct vts_encoded *bytes)
{
    if (bytes->release != NULL)
        bytes->release(bytes->owner);
}

size_t vts_call_outgoing_bytes(const struct vts_call *call)
{
    const struct vts_outgoing *out = &call->out;

    return out->prefix_len + out->bytes.lead_len + out->bytes.body.len + out->bytes.tail_len;
}

bool vts_call_drop_outgoing(struct vts_call *call)
{
    bool is_whole = !call->out.is_there || call->out.sent == 0;

    if (call->out.is_there) {
        vts_exchange_refund(call->exchange, vts_call_outgoing_bytes(call));
        release_bytes(&call->out.bytes);
    }
    call->out.is_there = false;
    return is_whole;
}

static size_t copy_out(struct vts_call *call, char *to, size_t cap)
{
    struct vts_outgoing *out = &call->out;
    const struct vts_encoded *bytes = &out->bytes;
    const struct vts_str pieces[] = {vts_str_make(out->prefix, out->prefix_len),
                                     vts_str_make(bytes->lead, bytes->lead_len), bytes->body,
                                     vts_str_make(bytes->tail, bytes->tail_len)};
    size_t len;

    if (!out->is_there)
        return 0;
    len = vts_str_copy_pieces(pieces, VTS_ARRAY_LEN(pieces), out->sent, to, cap);
    out->sent += len;
    if (out->sent == vts_call_outgoing_bytes(call))
        (void)vts_call_drop_outgoing(call); /* it is gone whole */
    return len;
}

/* Nothing is on its way out: asks the handler, or begins the end. Returns whether there is more. */
static bool refill(struct vts_call *call)
{
    if (call->state == VTS_CALL_OVER) {
        if (call->reply != VTS_REPLY_OPEN)
            return false;
        call->reply = VTS_REPLY_ENDING;
        call->dialect->end(call);
        return call->out.is_there;
    }
    if (call->handler != NULL && call->handler->on_writable != NULL)
        call->handler->on_writable(call);
    return call->out.is_there || (call->state == VTS_CALL_OVER && call->reply == VTS_REPLY_OPEN);
}

size_t vts_call_read(void *user, char *out, size_t cap, bool *ret_is_end)
{
    struct vts_call *call = user;
    size_t len = 0;

    do {
        len += copy_out(call, out + len, cap - len);
        if (call->out.is_there)
            return len; /* out is full */
    } while (refill(call));
    *ret_is_end = call->state == VTS_CALL_OVER && call->reply != VTS_REPLY_OPEN;
    if (*ret_is_end)
        call->reply = VTS_REPLY_ENDED;
    return len;
}

/* ---- envelopes and text ---------------------------------------------------------------- */

/* gRPC-Web's text form: each flush is base64 of its own, padded
 * (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-WEB.md). */
static void turn_into_text(struct vts_call *call)
{
    struct vts_outgoing *out = &call->out;
    size_t len = vts_call_outgoing_bytes(call);
    bool is_gzip = out->is_gzip;
    struct vts_buf bytes;
    struct vts_buf text;
    char *room;

    vts_buf_init(&bytes, len);
    vts_buf_init(&text, 4 * (len / 3 + 1));
    room = vts_buf_reserve(&bytes, len);
    if (room != NULL) {
        vts_buf_commit(&bytes, copy_out(call, room, len));
        vts_base64_encode(&text, vts_buf_str(&bytes), VTS_BASE64_PADDED);
    }
    vts_buf_fini(&bytes);
    (void)vts_call_drop_outgoing(call);
    if (room == NULL || vts_buf_check(&text) != VTS_OK) {
        vts_buf_fini(&text);
        vts_exchange_reset(call->exchange); /* half an answer is none */
        return;
    }
    *out = (struct vts_outgoing){
        .is_there = true,
        .is_gzip = is_gzip,
        .bytes = {.body = vts_buf_str(&text), .release = vts_mem_free, .owner = text.ptr}};
    vts_exchange_charge(call->exchange, text.len);
}

static void put(struct vts_call *call, const struct vts_encoded *bytes, uint8_t flags, bool is_gzip)
{
    struct vts_outgoing *out = &call->out;

    VTS_ASSERT(!out->is_there);
    out->is_there = true;
    out->is_gzip = is_gzip;
    out->sent = 0;
    out->bytes = *bytes;
    out->prefix_len = 0;
    if (call->dialect->has_envelopes) {
        vts_envelope_write_prefix(flags, vts_call_outgoing_bytes(call), out->prefix);
        out->prefix_len = VTS_ENVELOPE_PREFIX_BYTES;
    }
    vts_exchange_charge(call->exchange, vts_call_outgoing_bytes(call));
    if (call->dialect->is_text)
        turn_into_text(call);
}

/* The buffer's bytes, which are given back when they are out. */
static struct vts_encoded adopt(struct vts_buf *payload)
{
    return (struct vts_encoded){
        .body = vts_buf_str(payload), .release = vts_mem_free, .owner = payload->ptr};
}

void vts_call_put_envelope(struct vts_call *call, uint8_t flags, struct vts_buf *payload)
{
    struct vts_encoded bytes = adopt(payload);

    put(call, &bytes, flags, false);
}

/* ---- messages -------------------------------------------------------------------------- */

static enum vts_err check_sendable(const struct vts_call *call)
{
    if (call->state == VTS_CALL_OVER)
        return VTS_ERR_CLOSED;
    if (!call->out.is_there)
        return VTS_OK;
    return vts_rpc_has_one_response(call->method) ? VTS_ERR_INVALID : VTS_ERR_AGAIN;
}

bool vts_call_can_send(const struct vts_call *call)
{
    return check_sendable(call) == VTS_OK;
}

void vts_call_set_compress(struct vts_call *call, enum vts_compress compress)
{
    call->compress = compress;
}

static bool wants_gzip(const struct vts_call *call, size_t len)
{
    switch (call->compress) {
    case VTS_COMPRESS_NEVER:
        return false;
    case VTS_COMPRESS_AUTO:
        return call->takes_gzip && len >= COMPRESS_LEAST_BYTES;
    case VTS_COMPRESS_ALWAYS:
        return call->takes_gzip && len > 0;
    }
    VTS_UNREACHABLE();
}

/* The payload is adopted. */
static void put_message(struct vts_call *call, struct vts_buf *payload)
{
    struct vts_encoded bytes;
    struct vts_buf packed;
    bool is_gzip = wants_gzip(call, payload->len);

    if (is_gzip) {
        vts_buf_init(&packed,
                     call->compress == VTS_COMPRESS_ALWAYS ? MESSAGE_MAX_BYTES : payload->len);
        /* What does not get smaller, or finds no memory, goes out as it is. */
        is_gzip = vts_gzip_deflate(&call->loop->gzip, vts_buf_str(payload), &packed) == VTS_OK;
        vts_buf_fini(is_gzip ? payload : &packed);
    }
    bytes = adopt(is_gzip ? &packed : payload);
    put(call, &bytes, is_gzip ? VTS_ENVELOPE_COMPRESSED : 0, is_gzip);
}

/* There is a message: it goes out, or is held until the outcome is known. */
static void begin_sending(struct vts_call *call)
{
    vts_rpc_count(&call->counts->sent);
    if (vts_rpc_has_one_response(call->method))
        return;
    if (call->reply == VTS_REPLY_NONE)
        vts_call_start(call);
    else
        vts_exchange_resume(call->exchange);
}

void vts_call_start(struct vts_call *call)
{
    if (call->reply != VTS_REPLY_NONE || call->state == VTS_CALL_OVER ||
        vts_rpc_has_one_response(call->method))
        return;
    call->reply = VTS_REPLY_OPEN;
    call->dialect->start(call);
}

static enum vts_err encode(const struct vts_call *call, const ProtobufCMessage *message,
                           struct vts_buf *out)
{
    if (call->dialect->encode != NULL)
        return call->dialect->encode(call, message, out);
    return vts_codec_encode(call->loop->rpc, call->codec, message, out);
}

enum vts_err vts_call_send(struct vts_call *call, const ProtobufCMessage *message)
{
    enum vts_err err = check_sendable(call);
    struct vts_buf payload;

    if (err != VTS_OK)
        return err;
    vts_buf_init(&payload, MESSAGE_MAX_BYTES);
    err = encode(call, message, &payload);
    if (err != VTS_OK) {
        vts_buf_fini(&payload);
        return err;
    }
    put_message(call, &payload);
    begin_sending(call);
    return VTS_OK;
}

/* Whether an answer is just the bytes of its message. */
static bool is_plain_proto(const struct vts_call *call)
{
    return call->codec == VTS_CODEC_PROTO && call->dialect->encode == NULL;
}

/* Appends what is protobuf as the call has it. */
static enum vts_err encode_again(const struct vts_call *call, struct vts_str bytes,
                                 struct vts_buf *out)
{
    /* What we made ourselves needs no scan. */
    ProtobufCAllocator *heap = vts_pb_heap_plain();
    ProtobufCMessage *message = protobuf_c_message_unpack(call->method->output, heap, bytes.len,
                                                          (const uint8_t *)bytes.ptr);
    enum vts_err err;

    if (message == NULL)
        return VTS_ERR_NOMEM;
    err = encode(call, message, out);
    protobuf_c_message_free_unpacked(message, heap);
    return err;
}

/* The pieces in one, as the call has them. */
static enum vts_err gather(struct vts_call *call, const struct vts_encoded *encoded,
                           struct vts_buf *out)
{
    struct vts_buf whole;
    enum vts_err err;

    vts_buf_init(&whole, MESSAGE_MAX_BYTES);
    vts_buf_append(&whole, encoded->lead, encoded->lead_len);
    vts_buf_append_str(&whole, encoded->body);
    vts_buf_append(&whole, encoded->tail, encoded->tail_len);
    err = vts_buf_check(&whole);
    if (err != VTS_OK || is_plain_proto(call)) {
        *out = whole;
        return err;
    }
    vts_buf_init(out, MESSAGE_MAX_BYTES);
    err = encode_again(call, vts_buf_str(&whole), out);
    vts_buf_fini(&whole);
    return err;
}

enum vts_err vts_call_send_encoded(struct vts_call *call, const struct vts_encoded *encoded)
{
    size_t len = encoded->lead_len + encoded->body.len + encoded->tail_len;
    enum vts_err err = check_sendable(call);
    struct vts_buf payload;

    if (err == VTS_OK && is_plain_proto(call) && !wants_gzip(call, len)) {
        put(call, encoded, 0, false);
        begin_sending(call);
        return VTS_OK;
    }
    if (err == VTS_OK) {
        err = gather(call, encoded, &payload);
        if (err == VTS_OK)
            put_message(call, &payload);
        else
            vts_buf_fini(&payload);
    }
    release_bytes(encoded);
    if (err == VTS_OK)
        begin_sending(call);
    return err;
}
