/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.c - escaping in one pass; what needs none is appended in runs. */
#include "common/base/json_text.h"

/* The length of the UTF-8 sequence at the front of text, or 0 when it is none (RFC 3629 section 4:
 * no overlong forms, no surrogates, nothing above U+10FFFF). */
static size_t utf8_sequence_len(const unsigned char *text, size_t len)
{
    unsigned char lead = text[0];
    unsigned char low = 0x80;
    unsigned char high = 0xbf;
    size_t need;

    if (lead < 0x80)
        return 1;
    if (lead < 0xc2 || lead > 0xf4)
        return 0;
    need = lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    if (lead == 0xe0)
        low = 0xa0;
    else if (lead == 0xed)
        high = 0x9f;
    else if (lead == 0xf0)
        low = 0x90;
    else if (lead == 0xf4)
        high = 0x8f;
    if (len < need || text[1] < low || text[1] > high)
        return 0;
    for (size_t i = 2; i < need; i++)
        if ((text[i] & 0xc0) != 0x80)
            return 0;
    return need;
}

static void write_escaped(struct vts_buf *buf, unsigned char c)
{
    switch (c) {
    case '"':
        vts_buf_append_text(buf, "\\\"");
        break;
    case '\\':
        vts_buf_append_text(buf, "\\\\");
        break;
    case '\n':
        vts_buf_append_text(buf, "\\n");
        break;
    case '\r':
        vts_buf_append_text(buf, "\\r");
        break;
    case '\t':
        vts_buf_append_text(buf, "\\t");
        break;
    default:
        vts_buf_append_format(buf, "\\u%04x", c);
        break;
    }
}

void vts_json_text_write(struct vts_buf *buf, struct vts_str text)
{
    const unsigned char *bytes = (const unsigned char *)text.ptr;
    size_t run_start = 0;
    size_t i = 0;

    vts_buf_append_text(buf, "\"");
    while (i < text.len) {
        unsigned char c = bytes[i];
        size_t len = utf8_sequence_len(bytes + i, text.len - i);

        if (len > 0 && c >= 0x20 && c != 0x7f && c != '"' && c != '\\') {
            i += len;
            continue;
        }
        vts_buf_append(buf, bytes + run_start, i - run_start);
        if (len == 0)
            vts_buf_append_text(buf, "\xef\xbf\xbd");
        else
            write_escaped(buf, c);
        run_start = ++i;
    }
    if (i > run_start)
        vts_buf_append(buf, bytes + run_start, i - run_start);
    vts_buf_append_text(buf, "\"");
}
