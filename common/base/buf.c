/* SPDX-License-Identifier: Apache-2.0 */
/* buf.c - a bounded byte buffer whose first failure sticks. */
#include "common/base/buf.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/assert.h"
#include "common/base/mem.h"

void vts_buf_init(struct vts_buf *buf, size_t max_bytes)
{
    *buf = (struct vts_buf){.max = max_bytes};
}

/* Moves the bytes to the front of the allocation. */
static void reclaim(struct vts_buf *buf)
{
    if (buf->consumed == 0)
        return;
    memmove(buf->ptr - buf->consumed, buf->ptr, buf->len);
    buf->ptr -= buf->consumed;
    buf->cap += buf->consumed;
    buf->consumed = 0;
}

void vts_buf_fini(struct vts_buf *buf)
{
    if (buf->ptr != NULL) {
        reclaim(buf);
        vts_mem_free(buf->ptr);
    }
    vts_buf_init(buf, buf->max);
}

char *vts_buf_reserve(struct vts_buf *buf, size_t len)
{
    size_t cap;
    char *grown;

    if (buf->err != VTS_OK)
        return NULL;
    if (len > buf->cap - buf->len)
        reclaim(buf);
    if (buf->ptr != NULL && len <= buf->cap - buf->len)
        return buf->ptr + buf->len;
    cap = buf->cap < 64 ? 64 : buf->cap;
    if (len > buf->max - buf->len) {
        buf->err = VTS_ERR_LIMIT;
        return NULL;
    }
    while (cap < buf->len + len && cap <= buf->max / 2)
        cap *= 2;
    if (cap < buf->len + len || cap > buf->max)
        cap = buf->max;
    grown = vts_mem_realloc(buf->ptr, cap);
    if (grown == NULL) {
        buf->err = VTS_ERR_NOMEM;
        return NULL;
    }
    buf->ptr = grown;
    buf->cap = cap;
    return buf->ptr + buf->len;
}

void vts_buf_commit(struct vts_buf *buf, size_t len)
{
    VTS_ASSERT(len <= buf->cap - buf->len);
    buf->len += len;
}

void vts_buf_append(struct vts_buf *buf, const void *bytes, size_t len)
{
    char *room = len == 0 ? NULL : vts_buf_reserve(buf, len);

    if (room == NULL)
        return;
    memcpy(room, bytes, len);
    buf->len += len;
}

void vts_buf_append_str(struct vts_buf *buf, struct vts_str text)
{
    vts_buf_append(buf, text.ptr, text.len);
}

void vts_buf_append_text(struct vts_buf *buf, const char *text)
{
    vts_buf_append(buf, text, strlen(text));
}

/* For what does not fit a line on the stack. */
VTS_PRINTF(3, 0)
static void append_long_format(struct vts_buf *buf, size_t len, const char *fmt, va_list args)
{
    char *text = len > buf->max - buf->len ? NULL : vts_mem_alloc(len + 1);

    if (text == NULL) {
        buf->err = len > buf->max - buf->len ? VTS_ERR_LIMIT : VTS_ERR_NOMEM;
        return;
    }
    (void)vsnprintf(text, len + 1, fmt, args);
    vts_buf_append(buf, text, len);
    vts_mem_free(text);
}

void vts_buf_append_format(struct vts_buf *buf, const char *fmt, ...)
{
    char line[256];
    va_list args;
    va_list again;
    int len;

    va_start(args, fmt);
    va_copy(again, args);
    len = vsnprintf(line, sizeof(line), fmt, args);
    VTS_ASSERT(len >= 0);
    if ((size_t)len < sizeof(line))
        vts_buf_append(buf, line, (size_t)len);
    else if (buf->err == VTS_OK)
        append_long_format(buf, (size_t)len, fmt, again);
    va_end(again);
    va_end(args);
}

void vts_buf_consume(struct vts_buf *buf, size_t len)
{
    VTS_ASSERT(len <= buf->len);
    if (len == 0)
        return; /* an empty buffer has no bytes to step over */
    buf->ptr += len;
    buf->len -= len;
    buf->cap -= len;
    buf->consumed += len;
    if (buf->len == 0)
        reclaim(buf);
}

enum vts_err vts_buf_check(const struct vts_buf *buf)
{
    return buf->err;
}

struct vts_str vts_buf_str(const struct vts_buf *buf)
{
    return vts_str_make(buf->ptr, buf->len);
}
