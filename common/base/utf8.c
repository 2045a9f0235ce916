/* SPDX-License-Identifier: Apache-2.0 */
/* utf8.c - decoding with the smallest code point of each length as the check for overlong forms. */
#include "common/base/utf8.h"

size_t vts_utf8_decode(const char *text, size_t len, uint32_t *ret_code_point)
{
    static const uint32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
    unsigned char lead = len > 0 ? (unsigned char)text[0] : 0xff;
    size_t need = lead < 0x80 ? 1 : lead < 0xc0 ? 0 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    uint32_t code_point = need == 1 ? lead : lead & (0xffU >> (need + 1));

    if (need == 0 || lead > 0xf4 || len < need)
        return 0;
    for (size_t i = 1; i < need; i++) {
        unsigned char next = (unsigned char)text[i];

        if ((next & 0xc0) != 0x80)
            return 0;
        code_point = code_point << 6 | (next & 0x3fU);
    }
    if (code_point < smallest[need] || code_point > 0x10ffff ||
        (code_point >= 0xd800 && code_point <= 0xdfff))
        return 0;
    *ret_code_point = code_point;
    return need;
}

bool vts_utf8_is_control(uint32_t code_point)
{
    return code_point < 0x20 || (code_point >= 0x7f && code_point < 0xa0);
}

/* The length of the ASCII at the front, without NUL; a part of it may be left out. */
static size_t skip_ascii(struct vts_str text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    size_t i = 0;
    uint64_t word;

    for (; text.len - i >= sizeof(word); i += sizeof(word)) {
        memcpy(&word, text.ptr + i, sizeof(word));
        /* Bytes of 1 to 127 have no high bit, and none either when they are one less. */
        if (((word | (word - ones)) & ones << 7) != 0)
            break;
    }
    while (i < text.len && text.ptr[i] != '\0' && ((unsigned char)text.ptr[i] & 0x80) == 0)
        i++;
    return i;
}

bool vts_utf8_is_c_string(struct vts_str text)
{
    uint32_t code_point;
    size_t step;

    for (size_t i = skip_ascii(text); i < text.len; i += step) {
        step = vts_utf8_decode(text.ptr + i, text.len - i, &code_point);
        if (step == 0 || code_point == 0)
            return false;
    }
    return true;
}
