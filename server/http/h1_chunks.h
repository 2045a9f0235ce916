/* SPDX-License-Identifier: Apache-2.0 */
/* A chunked body (RFC 9112 7.1), told from its framing. Knows no connection. */
#ifndef VTS_HTTP_H1_CHUNKS_H
#define VTS_HTTP_H1_CHUNKS_H

#include <stdbool.h>

#include "common/base/err.h"
#include "common/base/macros.h"
#include "common/base/str.h"

/* In the order in which a body goes through them; DATA_LF leads back to SIZE:
 *
 *   SIZE           the hexadecimal digits of a chunk's size
 *   EXTENSION      what stands between a size and the end of its line
 *   SIZE_LF        the line's CR was there
 *   DATA           the chunk's octets
 *   DATA_CR        the chunk is complete; its CRLF is to come
 *   DATA_LF
 *   TRAILER        the last chunk was there; a trailer field begins, or the end
 *   TRAILER_NAME
 *   TRAILER_VALUE
 *   TRAILER_LF
 *   LAST_LF
 *   OVER           the body is complete
 */
enum vts_h1_chunks_state {
    VTS_H1_CHUNKS_SIZE,
    VTS_H1_CHUNKS_EXTENSION,
    VTS_H1_CHUNKS_SIZE_LF,
    VTS_H1_CHUNKS_DATA,
    VTS_H1_CHUNKS_DATA_CR,
    VTS_H1_CHUNKS_DATA_LF,
    VTS_H1_CHUNKS_TRAILER,
    VTS_H1_CHUNKS_TRAILER_NAME,
    VTS_H1_CHUNKS_TRAILER_VALUE,
    VTS_H1_CHUNKS_TRAILER_LF,
    VTS_H1_CHUNKS_LAST_LF,
    VTS_H1_CHUNKS_OVER,
};

struct vts_h1_chunks {
    enum vts_h1_chunks_state state;
    uint32_t left; /* of the chunk */
    uint32_t digits_count;
    uint32_t extension_bytes;
    uint32_t trailer_bytes;
    uint64_t trailers_left;
};

/* trailers_max is how many trailer fields may follow the body. */
void vts_h1_chunks_init(struct vts_h1_chunks *chunks, uint64_t trailers_max);

/* Takes framing off the front of *rest and then, if there is any, data of one chunk, at most
 * data_max bytes; *ret_data points to it. Without data, all of *rest was taken, or what is left is
 * data that data_max keeps out, or the body is over.
 *
 * Extensions and trailers are thrown away. VTS_ERR_PROTOCOL when the bytes are no chunked body:
 * lines end in CRLF, a size has one to eight digits and nothing behind it but an extension.
 * VTS_ERR_LIMIT when an extension has more than 256 octets, or the trailers more than 8 KiB or
 * trailers_max fields. After an error there is no going on. */
VTS_MUST_CHECK enum vts_err vts_h1_chunks_take(struct vts_h1_chunks *chunks, struct vts_str *rest,
                                               size_t data_max, struct vts_str *ret_data);

static inline bool vts_h1_chunks_is_over(const struct vts_h1_chunks *chunks)
{
    return chunks->state == VTS_H1_CHUNKS_OVER;
}

#endif
