/* SPDX-License-Identifier: Apache-2.0 */
/* codec.c - protobuf-c and ProtoJSON behind the limits of one message. */
#include "server/rpc/codec.h"

#include "common/wire/pb_arena.h"
#include "common/wire/scan.h"

static enum vts_err refuse_memory(const struct vts_arena *arena, struct vts_error *error)
{
    enum vts_err err = vts_arena_check(arena);

    return vts_error_set(error, err == VTS_OK ? VTS_ERR_PROTOCOL : err, "%s",
                         err == VTS_OK ? "the message cannot be unpacked"
                                       : "the message needs too much memory");
}

static enum vts_err decode_proto(const struct vts_rpc *rpc, const struct vts_rpc_method *method,
                                 struct vts_str bytes, struct vts_arena *arena,
                                 struct vts_error *error, const ProtobufCMessage **ret_message)
{
    const struct vts_scan_limits scan_limits = {
        .max_depth = (unsigned)vts_limits_get(rpc->options.limits, VTS_LIMIT_MESSAGE_DEPTH),
        .max_elements = method->request_max_elements,
        .max_memory_bytes = arena->max_bytes,
    };
    ProtobufCAllocator allocator = vts_pb_arena_allocator(arena);
    enum vts_err err = vts_scan_check(bytes, method->input, &scan_limits, error);

    if (err != VTS_OK)
        return err;
    *ret_message =
        protobuf_c_message_unpack(method->input, &allocator, bytes.len, (const uint8_t *)bytes.ptr);
    return *ret_message == NULL ? refuse_memory(arena, error) : VTS_OK;
}

struct vts_json_read_options vts_codec_json_options(const struct vts_rpc *rpc,
                                                    const struct vts_rpc_method *method,
                                                    ProtobufCAllocator *allocator)
{
    struct vts_json_read_options options = vts_json_read_defaults;
    uint64_t max_depth = vts_limits_get(rpc->options.limits, VTS_LIMIT_MESSAGE_DEPTH);

    options.types = &rpc->json_types;
    options.allocator = allocator;
    options.any_as_bytes = true;
    options.max_bytes = vts_limits_get(rpc->options.limits, VTS_LIMIT_MESSAGE_BYTES);
    options.max_values = method->request_max_elements;
    if (max_depth < options.max_depth)
        options.max_depth = (unsigned)max_depth;
    return options;
}

static enum vts_err decode_json(const struct vts_rpc *rpc, const struct vts_rpc_method *method,
                                struct vts_str bytes, struct vts_arena *arena,
                                struct vts_error *error, const ProtobufCMessage **ret_message)
{
    ProtobufCAllocator allocator = vts_pb_arena_allocator(arena);
    struct vts_json_read_options options = vts_codec_json_options(rpc, method, &allocator);
    ProtobufCMessage *message = NULL;
    enum vts_err err;

    err = vts_json_read(bytes, method->input, &options, error, &message);
    *ret_message = message;
    return err;
}

enum vts_err vts_codec_decode(const struct vts_rpc *rpc, enum vts_codec codec,
                              const struct vts_rpc_method *method, struct vts_str bytes,
                              struct vts_arena *arena, struct vts_error *error,
                              const ProtobufCMessage **ret_message)
{
    switch (codec) {
    case VTS_CODEC_PROTO:
        return decode_proto(rpc, method, bytes, arena, error, ret_message);
    case VTS_CODEC_JSON:
        return decode_json(rpc, method, bytes, arena, error, ret_message);
    }
    VTS_UNREACHABLE();
}

static enum vts_err encode_json(const struct vts_rpc *rpc, const ProtobufCMessage *message,
                                struct vts_buf *out)
{
    /* What somebody has put in an Any must not keep others from reading the rest. */
    const struct vts_json_write_options options = {.types = &rpc->json_types, .any_as_bytes = true};

    return vts_json_write(out, message, &options);
}

static enum vts_err encode_proto(const ProtobufCMessage *message, struct vts_buf *out)
{
    size_t len = protobuf_c_message_get_packed_size(message);
    char *room = vts_buf_reserve(out, len);

    if (room != NULL)
        vts_buf_commit(out, protobuf_c_message_pack(message, (uint8_t *)room));
    return vts_buf_check(out);
}

enum vts_err vts_codec_encode(const struct vts_rpc *rpc, enum vts_codec codec,
                              const ProtobufCMessage *message, struct vts_buf *out)
{
    switch (codec) {
    case VTS_CODEC_PROTO:
        return encode_proto(message, out);
    case VTS_CODEC_JSON:
        return encode_json(rpc, message, out);
    }
    VTS_UNREACHABLE();
}
