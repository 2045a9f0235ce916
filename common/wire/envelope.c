/* SPDX-License-Identifier: Apache-2.0 */
/* envelope.c - gathers one envelope at a time.
 *
 * Memory grows with what has arrived, not with what a prefix promises.
 */
#include "common/wire/envelope.h"

#include "common/base/assert.h"

void vts_envelope_reader_init(struct vts_envelope_reader *reader, size_t max_bytes)
{
    *reader = (struct vts_envelope_reader){.max_bytes = max_bytes};
    vts_buf_init(&reader->payload, max_bytes);
}

void vts_envelope_reader_fini(struct vts_envelope_reader *reader)
{
    vts_buf_fini(&reader->payload);
}

static bool has_prefix(const struct vts_envelope_reader *reader)
{
    return reader->prefix_len == VTS_ENVELOPE_PREFIX_BYTES;
}

static size_t take_prefix(struct vts_envelope_reader *reader, struct vts_str bytes)
{
    size_t taken = 0;
    const uint8_t *prefix = reader->prefix;

    while (!has_prefix(reader) && taken < bytes.len)
        reader->prefix[reader->prefix_len++] = (uint8_t)bytes.ptr[taken++];
    if (has_prefix(reader))
        reader->payload_bytes =
            (size_t)prefix[1] << 24 | (size_t)prefix[2] << 16 | (size_t)prefix[3] << 8 | prefix[4];
    return taken;
}

size_t vts_envelope_reader_feed(struct vts_envelope_reader *reader, struct vts_str bytes)
{
    size_t taken = has_prefix(reader) ? 0 : take_prefix(reader, bytes);
    size_t part = bytes.len - taken;

    if (!has_prefix(reader) || reader->payload_bytes > reader->max_bytes)
        return taken;
    if (part > reader->payload_bytes - reader->payload.len)
        part = reader->payload_bytes - reader->payload.len;
    vts_buf_append(&reader->payload, bytes.ptr + taken, part);
    return taken + part;
}

enum vts_err vts_envelope_reader_get(const struct vts_envelope_reader *reader,
                                     struct vts_envelope *ret_envelope)
{
    enum vts_err err = vts_buf_check(&reader->payload);

    if (err != VTS_OK)
        return err;
    if (!has_prefix(reader))
        return VTS_ERR_AGAIN;
    if (reader->payload_bytes > reader->max_bytes)
        return VTS_ERR_LIMIT;
    if (reader->payload.len < reader->payload_bytes)
        return VTS_ERR_AGAIN;
    ret_envelope->flags = reader->prefix[0];
    ret_envelope->payload = vts_buf_str(&reader->payload);
    return VTS_OK;
}

void vts_envelope_reader_next(struct vts_envelope_reader *reader)
{
    reader->prefix_len = 0;
    reader->payload_bytes = 0;
    vts_buf_fini(&reader->payload);
}

bool vts_envelope_reader_is_between(const struct vts_envelope_reader *reader)
{
    return reader->prefix_len == 0;
}

size_t vts_envelope_reader_kept_bytes(const struct vts_envelope_reader *reader)
{
    return reader->prefix_len + reader->payload.len;
}

size_t vts_envelope_reader_announced_bytes(const struct vts_envelope_reader *reader)
{
    return reader->payload_bytes;
}

void vts_envelope_write_prefix(uint8_t flags, size_t payload_len,
                               uint8_t ret_prefix[VTS_ENVELOPE_PREFIX_BYTES])
{
    VTS_ASSERT(payload_len <= UINT32_MAX);
    ret_prefix[0] = flags;
    for (int i = 4; i > 0; i--, payload_len >>= 8)
        ret_prefix[i] = (uint8_t)(payload_len & 0xff);
}
