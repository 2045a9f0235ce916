/* SPDX-License-Identifier: Apache-2.0 */
/* base64.c - groups of three bytes and four letters. */
#include "common/wire/base64.h"

static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

void vts_base64_encode(struct vts_buf *buf, struct vts_str text, enum vts_base64_padding padding)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;

    for (size_t i = 0; i < text.len; i += 3) {
        size_t have = text.len - i < 3 ? text.len - i : 3;
        unsigned long group = (unsigned long)bytes[i] << 16 |
                              (have > 1 ? (unsigned long)bytes[i + 1] << 8 : 0) |
                              (have > 2 ? (unsigned long)bytes[i + 2] : 0);
        char letters[4] = {alphabet[group >> 18], alphabet[group >> 12 & 63],
                           have > 1 ? alphabet[group >> 6 & 63] : '=',
                           have > 2 ? alphabet[group & 63] : '='};

        vts_buf_append(buf, letters, padding == VTS_BASE64_PADDED ? 4 : have + 1);
    }
}

static int value_of(char letter)
{
    if (letter >= 'A' && letter <= 'Z')
        return letter - 'A';
    if (letter >= 'a' && letter <= 'z')
        return letter - 'a' + 26;
    if (letter >= '0' && letter <= '9')
        return letter - '0' + 52;
    if (letter == '+' || letter == '-')
        return 62;
    return letter == '/' || letter == '_' ? 63 : -1;
}

/* The letters without their padding; VTS_ERR_PROTOCOL when it is the wrong one. */
static enum vts_err strip_padding(struct vts_str *text)
{
    size_t len = text->len;

    while (len > 0 && text->len - len < 2 && text->ptr[len - 1] == '=')
        len--;
    if (len % 4 == 1 || (len < text->len && text->len % 4 != 0))
        return VTS_ERR_PROTOCOL;
    text->len = len;
    return VTS_OK;
}

static enum vts_err decode_group(struct vts_buf *buf, struct vts_str letters)
{
    unsigned long group = 0;
    char bytes[3];

    for (size_t i = 0; i < 4; i++) {
        int value = i < letters.len ? value_of(letters.ptr[i]) : 0;

        if (value < 0)
            return VTS_ERR_PROTOCOL;
        group = group << 6 | (unsigned long)value;
    }
    if ((letters.len == 2 && (group & 0xffff) != 0) || (letters.len == 3 && (group & 0xff) != 0))
        return VTS_ERR_PROTOCOL;
    bytes[0] = (char)(group >> 16 & 0xff);
    bytes[1] = (char)(group >> 8 & 0xff);
    bytes[2] = (char)(group & 0xff);
    vts_buf_append(buf, bytes, letters.len - 1);
    return VTS_OK;
}

enum vts_err vts_base64_decode(struct vts_buf *buf, struct vts_str text)
{
    enum vts_err err = strip_padding(&text);

    for (size_t i = 0; i < text.len && err == VTS_OK; i += 4)
        err = decode_group(buf, vts_str_make(text.ptr + i, text.len - i < 4 ? text.len - i : 4));
    return err != VTS_OK ? err : vts_buf_check(buf);
}
