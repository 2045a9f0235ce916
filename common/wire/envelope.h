/* SPDX-License-Identifier: Apache-2.0 */
/* Envelopes: the five-byte prefix of gRPC, gRPC-Web and Connect streams, flags and length, with the
 * message behind it (https://github.com/grpc/grpc/blob/master/doc/PROTOCOL-HTTP2.md#requests).
 * Borders of what arrives mean nothing: a reader takes bytes as they come. */
#ifndef VTS_WIRE_ENVELOPE_H
#define VTS_WIRE_ENVELOPE_H

#include <stdbool.h>

#include "common/base/buf.h"

enum { VTS_ENVELOPE_PREFIX_BYTES = 5 };

/* Bits of the first byte. */
enum {
    VTS_ENVELOPE_COMPRESSED = 0x01,
    VTS_ENVELOPE_CONNECT_END = 0x02,  /* Connect: the end of a stream */
    VTS_ENVELOPE_WEB_TRAILERS = 0x80, /* gRPC-Web: trailers */
};

struct vts_envelope {
    uint8_t flags;
    struct vts_str payload;
};

struct vts_envelope_reader {
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];
    size_t prefix_len;
    size_t max_bytes;
    size_t payload_bytes; /* as the prefix announces it */
    struct vts_buf payload;
};

/* Payloads may have up to max_bytes. */
void vts_envelope_reader_init(struct vts_envelope_reader *reader, size_t max_bytes);
void vts_envelope_reader_fini(struct vts_envelope_reader *reader);
/* Takes bytes up to the end of the present envelope; returns how many. */
size_t vts_envelope_reader_feed(struct vts_envelope_reader *reader, struct vts_str bytes);
/* The present envelope once it is whole. VTS_ERR_AGAIN: more bytes are needed. VTS_ERR_LIMIT: it
 * announces more than max_bytes, which is known, and nothing allocated, after five bytes.
 * VTS_ERR_NOMEM. The payload is borrowed until the next call. */
VTS_MUST_CHECK enum vts_err vts_envelope_reader_get(const struct vts_envelope_reader *reader,
                                                    struct vts_envelope *ret_envelope);
/* Lets go of the present envelope; the next byte begins another. */
void vts_envelope_reader_next(struct vts_envelope_reader *reader);
/* Whether no envelope has begun, so that the stream may end here. */
bool vts_envelope_reader_is_between(const struct vts_envelope_reader *reader);
/* How many bytes of the present envelope are kept. */
size_t vts_envelope_reader_kept_bytes(const struct vts_envelope_reader *reader);
/* What the present prefix announces; 0 before it is whole. For messages about VTS_ERR_LIMIT. */
size_t vts_envelope_reader_announced_bytes(const struct vts_envelope_reader *reader);

/* Writes a prefix. payload_len is below 2^32. */
void vts_envelope_write_prefix(uint8_t flags, size_t payload_len,
                               uint8_t ret_prefix[VTS_ENVELOPE_PREFIX_BYTES]);

#endif
