/* SPDX-License-Identifier: Apache-2.0 */
/* h1_chunks.c - a chunked body, read octet by octet outside its data.
 *
 * http_parser, as it is packaged, takes a chunk whose end is not CRLF and a CR that no LF follows.
 * Where two readers of a body disagree about its end, requests are smuggled; so there is one
 * spelling here, and all else is refused.
 */
#include "server/http/h1_chunks.h"

#include "common/base/assert.h"
#include "server/http/h1_strict.h"

enum { DIGITS_MAX = 8, EXTENSION_MAX_BYTES = 256, TRAILERS_MAX_BYTES = 8192 };

void vts_h1_chunks_init(struct vts_h1_chunks *chunks, uint64_t trailers_max)
{
    *chunks = (struct vts_h1_chunks){.state = VTS_H1_CHUNKS_SIZE, .trailers_left = trailers_max};
}

/* The value of a hexadecimal digit; -1 for anything else. */
static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* VCHAR, obs-text and blanks: what an extension or a field value is made of. */
static bool is_text_char(char c)
{
    unsigned char byte = (unsigned char)c;

    return c == '\t' || (byte >= 0x20 && byte != 0x7f);
}

static enum vts_err take_size(struct vts_h1_chunks *chunks, char c)
{
    int value = digit_value(c);

    if (value >= 0) {
        if (++chunks->digits_count > DIGITS_MAX)
            return VTS_ERR_PROTOCOL;
        chunks->left = chunks->left << 4 | (uint32_t)value;
        return VTS_OK;
    }
    if (chunks->digits_count == 0 || (c != '\r' && c != ';'))
        return VTS_ERR_PROTOCOL;
    chunks->state = c == '\r' ? VTS_H1_CHUNKS_SIZE_LF : VTS_H1_CHUNKS_EXTENSION;
    return VTS_OK;
}

static enum vts_err take_extension(struct vts_h1_chunks *chunks, char c)
{
    if (c == '\r')
        chunks->state = VTS_H1_CHUNKS_SIZE_LF;
    else if (!is_text_char(c))
        return VTS_ERR_PROTOCOL;
    else if (++chunks->extension_bytes >= EXTENSION_MAX_BYTES) /* its semicolon counts, too */
        return VTS_ERR_LIMIT;
    return VTS_OK;
}

/* The one octet that may come now leads to the next state. */
static enum vts_err take_only(struct vts_h1_chunks *chunks, char c, char only,
                              enum vts_h1_chunks_state next)
{
    if (c != only)
        return VTS_ERR_PROTOCOL;
    chunks->state = next;
    return VTS_OK;
}

static enum vts_err take_size_lf(struct vts_h1_chunks *chunks, char c)
{
    chunks->digits_count = chunks->extension_bytes = 0;
    return take_only(chunks, c, '\n',
                     chunks->left > 0 ? VTS_H1_CHUNKS_DATA : VTS_H1_CHUNKS_TRAILER);
}

/* The first octet of a trailer's line. */
static enum vts_err begin_trailer(struct vts_h1_chunks *chunks, char c)
{
    if (c == '\r')
        return take_only(chunks, c, '\r', VTS_H1_CHUNKS_LAST_LF);
    if (!vts_h1_is_token_char(c))
        return VTS_ERR_PROTOCOL;
    if (chunks->trailers_left == 0)
        return VTS_ERR_LIMIT;
    chunks->trailers_left--;
    chunks->state = VTS_H1_CHUNKS_TRAILER_NAME;
    return VTS_OK;
}

static enum vts_err take_trailer_name(struct vts_h1_chunks *chunks, char c)
{
    if (vts_h1_is_token_char(c))
        return VTS_OK;
    return take_only(chunks, c, ':', VTS_H1_CHUNKS_TRAILER_VALUE);
}

static enum vts_err take_trailer_value(struct vts_h1_chunks *chunks, char c)
{
    if (is_text_char(c))
        return VTS_OK;
    return take_only(chunks, c, '\r', VTS_H1_CHUNKS_TRAILER_LF);
}

static enum vts_err take_octet(struct vts_h1_chunks *chunks, char c)
{
    if (chunks->state >= VTS_H1_CHUNKS_TRAILER && ++chunks->trailer_bytes > TRAILERS_MAX_BYTES)
        return VTS_ERR_LIMIT;
    switch (chunks->state) {
    case VTS_H1_CHUNKS_SIZE:
        return take_size(chunks, c);
    case VTS_H1_CHUNKS_EXTENSION:
        return take_extension(chunks, c);
    case VTS_H1_CHUNKS_SIZE_LF:
        return take_size_lf(chunks, c);
    case VTS_H1_CHUNKS_DATA_CR:
        return take_only(chunks, c, '\r', VTS_H1_CHUNKS_DATA_LF);
    case VTS_H1_CHUNKS_DATA_LF:
        return take_only(chunks, c, '\n', VTS_H1_CHUNKS_SIZE);
    case VTS_H1_CHUNKS_TRAILER:
        return begin_trailer(chunks, c);
    case VTS_H1_CHUNKS_TRAILER_NAME:
        return take_trailer_name(chunks, c);
    case VTS_H1_CHUNKS_TRAILER_VALUE:
        return take_trailer_value(chunks, c);
    case VTS_H1_CHUNKS_TRAILER_LF:
        return take_only(chunks, c, '\n', VTS_H1_CHUNKS_TRAILER);
    case VTS_H1_CHUNKS_LAST_LF:
        return take_only(chunks, c, '\n', VTS_H1_CHUNKS_OVER);
    case VTS_H1_CHUNKS_DATA:
    case VTS_H1_CHUNKS_OVER:
        break;
    }
    VTS_UNREACHABLE();
}

enum vts_err vts_h1_chunks_take(struct vts_h1_chunks *chunks, struct vts_str *rest, size_t data_max,
                                struct vts_str *ret_data)
{
    size_t len = 0;

    while (rest->len > 0 && chunks->state != VTS_H1_CHUNKS_DATA &&
           chunks->state != VTS_H1_CHUNKS_OVER) {
        enum vts_err err = take_octet(chunks, rest->ptr[0]);

        if (err != VTS_OK)
            return err;
        *rest = vts_str_make(rest->ptr + 1, rest->len - 1);
    }
    if (chunks->state == VTS_H1_CHUNKS_DATA) {
        len = rest->len < data_max ? rest->len : data_max;
        len = len < chunks->left ? len : chunks->left;
        chunks->left -= (uint32_t)len;
        if (chunks->left == 0)
            chunks->state = VTS_H1_CHUNKS_DATA_CR;
    }
    *ret_data = vts_str_make(rest->ptr, len);
    if (len > 0) /* a rest of nothing may have no pointer */
        *rest = vts_str_make(rest->ptr + len, rest->len - len);
    return VTS_OK;
}
