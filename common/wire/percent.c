/* SPDX-License-Identifier: Apache-2.0 */
/* percent.c - %XX both ways. */
#include "common/wire/percent.h"

#include "common/base/utf8.h"

/* A blank at an end of a field's value would be no part of it (RFC 9110 5.5). */
static void encode_bytes(struct vts_buf *buf, const char *bytes, size_t len, bool is_at_an_end)
{
    static const char digits[] = "0123456789ABCDEF";

    for (size_t i = 0; i < len; i++) {
        unsigned char byte = (unsigned char)bytes[i];
        char escape[3] = {'%', digits[byte >> 4], digits[byte & 15]};

        if (byte >= 0x20 && byte <= 0x7e && byte != '%' && (byte != ' ' || !is_at_an_end))
            vts_buf_append(buf, &bytes[i], 1);
        else
            vts_buf_append(buf, escape, sizeof(escape));
    }
}

void vts_percent_encode_message(struct vts_buf *buf, struct vts_str text)
{
    size_t step;

    for (size_t i = 0; i < text.len; i += step) {
        uint32_t code_point;

        step = vts_utf8_decode(text.ptr + i, text.len - i, &code_point);
        if (step > 0) {
            encode_bytes(buf, text.ptr + i, step, i == 0 || i + step == text.len);
        } else {
            encode_bytes(buf, "\xef\xbf\xbd", 3, false);
            step = 1;
        }
    }
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'A' && digit <= 'F')
        return digit - 'A' + 10;
    return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The byte that the three characters at the front of text stand for, or -1. */
static int escaped_byte(struct vts_str text)
{
    int high = text.len >= 3 && text.ptr[0] == '%' ? hex_value(text.ptr[1]) : -1;
    int low = high >= 0 ? hex_value(text.ptr[2]) : -1;

    return low >= 0 ? high << 4 | low : -1;
}

void vts_percent_decode_message(struct vts_buf *buf, struct vts_str text)
{
    for (size_t i = 0; i < text.len; i++) {
        int byte = escaped_byte(vts_str_make(text.ptr + i, text.len - i));
        char c = byte >= 0 ? (char)byte : text.ptr[i];

        vts_buf_append(buf, &c, 1);
        i += byte >= 0 ? 2 : 0;
    }
}

/* plus is what a "+" stands for. */
static enum vts_err decode(struct vts_buf *buf, struct vts_str text, char plus)
{
    for (size_t i = 0; i < text.len; i++) {
        int byte = escaped_byte(vts_str_make(text.ptr + i, text.len - i));
        char c = byte >= 0 ? (char)byte : text.ptr[i] == '+' ? plus : text.ptr[i];

        if (byte < 0 && text.ptr[i] == '%')
            return VTS_ERR_PROTOCOL;
        vts_buf_append(buf, &c, 1);
        i += byte >= 0 ? 2 : 0;
    }
    return vts_buf_check(buf);
}

enum vts_err vts_percent_decode_query(struct vts_buf *buf, struct vts_str text)
{
    return decode(buf, text, ' ');
}

enum vts_err vts_percent_decode_path(struct vts_buf *buf, struct vts_str text)
{
    return decode(buf, text, '+');
}
