/* SPDX-License-Identifier: Apache-2.0 */
/* json_text.c - escaping in one pass; what needs none is appended in runs. */
#include "common/base/json_text.h"

#include "common/base/utf8.h"

static void write_escaped(struct vts_buf *buf, uint32_t c)
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
        vts_buf_append_format(buf, "\\u%04x", (unsigned)c);
        break;
    }
}

void vts_json_text_write(struct vts_buf *buf, struct vts_str text)
{
    size_t run_start = 0;
    size_t i = 0;

    vts_buf_append_text(buf, "\"");
    while (i < text.len) {
        uint32_t code_point;
        size_t len = vts_utf8_decode(text.ptr + i, text.len - i, &code_point);

        if (len > 0 && !vts_utf8_is_control(code_point) && code_point != '"' &&
            code_point != '\\') {
            i += len;
            continue;
        }
        if (i > run_start)
            vts_buf_append(buf, text.ptr + run_start, i - run_start);
        if (len == 0)
            vts_buf_append_text(buf, "\xef\xbf\xbd");
        else
            write_escaped(buf, code_point);
        i += len > 0 ? len : 1;
        run_start = i;
    }
    if (i > run_start)
        vts_buf_append(buf, text.ptr + run_start, i - run_start);
    vts_buf_append_text(buf, "\"");
}
