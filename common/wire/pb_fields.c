/* SPDX-License-Identifier: Apache-2.0 */
/* pb_fields.c - tags and lengths, for messages that are put together from encoded parts. */
#include "common/wire/pb_fields.h"

#include "common/base/assert.h"

enum { LENGTH_DELIMITED = 2, NUMBER_MAX = 15 };

size_t vts_pb_write_head(unsigned number, size_t len, char ret_head[VTS_PB_HEAD_MAX])
{
    size_t at = 0;

    VTS_ASSERT(number > 0 && number <= NUMBER_MAX);
    ret_head[at++] = (char)(number << 3 | LENGTH_DELIMITED);
    for (; len >= 0x80; len >>= 7)
        ret_head[at++] = (char)(len | 0x80);
    ret_head[at++] = (char)len;
    return at;
}

size_t vts_pb_field_bytes(size_t len)
{
    char head[VTS_PB_HEAD_MAX];

    return vts_pb_write_head(1, len, head) + len;
}

void vts_pb_append_head(struct vts_buf *buf, unsigned number, size_t len)
{
    char head[VTS_PB_HEAD_MAX];

    vts_buf_append(buf, head, vts_pb_write_head(number, len, head));
}

void vts_pb_append_field(struct vts_buf *buf, unsigned number, struct vts_str bytes)
{
    vts_pb_append_head(buf, number, bytes.len);
    vts_buf_append_str(buf, bytes);
}
