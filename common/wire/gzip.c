/* SPDX-License-Identifier: Apache-2.0 */
/* gzip.c - two streams of zlib that are reset, not re-made.
 *
 * What a peer compressed grows a step at a time into a buffer with an end, so that a small message
 * cannot become a large one unseen.
 */
#include "common/wire/gzip.h"

#define ZLIB_CONST /* what is read stays const */
#include <zlib.h>

#include "common/base/assert.h"
#include "common/base/mem.h"

enum {
    STEP_BYTES = 16 * 1024,
    RATIO_FREE_BYTES = 64 * 1024, /* so much may come of anything */
    GZIP_FORMAT = 16,             /* added to the bits of a window, it excludes zlib's own format */
    INFLATE_WINDOW_BITS = 15,
    /* 64 KiB a stream instead of 256, of which a reset clears 16: messages are small. */
    DEFLATE_WINDOW_BITS = 13,
    DEFLATE_MEM_LEVEL = 6,
    DEFLATE_LEVEL = 3,
};

struct vts_gzip_stream {
    z_stream z;
};

static void *allocate(void *context, unsigned count, unsigned size)
{
    (void)context;
    return size != 0 && count > SIZE_MAX / size ? NULL : vts_mem_alloc((size_t)count * size);
}

static void release(void *context, void *ptr)
{
    (void)context;
    vts_mem_free(ptr);
}

static struct vts_gzip_stream *make_stream(void)
{
    struct vts_gzip_stream *stream = vts_mem_zalloc(sizeof(*stream));

    if (stream == NULL)
        return NULL;
    stream->z.zalloc = allocate;
    stream->z.zfree = release;
    return stream;
}

void vts_gzip_init(struct vts_gzip *gzip)
{
    *gzip = (struct vts_gzip){.max_ratio = VTS_GZIP_MAX_RATIO};
}

void vts_gzip_fini(struct vts_gzip *gzip)
{
    if (gzip->inflate != NULL)
        (void)inflateEnd(&gzip->inflate->z); /* it cannot fail on a stream that was made */
    if (gzip->deflate != NULL)
        (void)deflateEnd(&gzip->deflate->z); /* says only that it was not finished */
    vts_mem_free(gzip->inflate);
    vts_mem_free(gzip->deflate);
    vts_gzip_init(gzip);
}

/* The stream, at its beginning; NULL without memory. */
static z_stream *ready_inflate(struct vts_gzip *gzip)
{
    struct vts_gzip_stream *stream = gzip->inflate;
    int code;

    if (stream != NULL) {
        code = inflateReset(&stream->z);
        VTS_ASSERT(code == Z_OK);
        return &stream->z;
    }
    stream = make_stream();
    if (stream == NULL || inflateInit2(&stream->z, INFLATE_WINDOW_BITS + GZIP_FORMAT) != Z_OK) {
        vts_mem_free(stream);
        return NULL;
    }
    gzip->inflate = stream;
    return &stream->z;
}

static z_stream *ready_deflate(struct vts_gzip *gzip)
{
    struct vts_gzip_stream *stream = gzip->deflate;
    int code;

    if (stream != NULL) {
        code = deflateReset(&stream->z);
        VTS_ASSERT(code == Z_OK);
        return &stream->z;
    }
    stream = make_stream();
    if (stream == NULL ||
        deflateInit2(&stream->z, DEFLATE_LEVEL, Z_DEFLATED, DEFLATE_WINDOW_BITS + GZIP_FORMAT,
                     DEFLATE_MEM_LEVEL, Z_DEFAULT_STRATEGY) != Z_OK) {
        vts_mem_free(stream);
        return NULL;
    }
    gzip->deflate = stream;
    return &stream->z;
}

/* Inflates up to `step` bytes, or one into nowhere when the buffer is full, which tells whether the
 * end has come. *ret_code is zlib's. */
static enum vts_err inflate_step(z_stream *z, size_t step, struct vts_buf *out, int *ret_code)
{
    size_t room = out->max - out->len < step ? out->max - out->len : step;
    char beyond;
    char *to = room == 0 ? &beyond : vts_buf_reserve(out, room);
    size_t len = room == 0 ? 1 : room;

    if (to == NULL)
        return vts_buf_check(out);
    z->next_out = (Bytef *)to;
    z->avail_out = (uInt)len;
    *ret_code = inflate(z, Z_NO_FLUSH);
    len -= z->avail_out;
    if (room == 0)
        return len == 0 ? VTS_OK : VTS_ERR_LIMIT;
    vts_buf_commit(out, len);
    return VTS_OK;
}

enum vts_err vts_gzip_inflate(struct vts_gzip *gzip, struct vts_str bytes, struct vts_buf *out)
{
    size_t step = bytes.len < STEP_BYTES / 4 ? bytes.len * 4 : STEP_BYTES;
    size_t start = out->len;
    z_stream *z;
    int code = Z_OK;

    if (vts_buf_check(out) != VTS_OK)
        return vts_buf_check(out);
    if (bytes.len == 0)
        return VTS_ERR_PROTOCOL;
    if (bytes.len > UINT32_MAX)
        return VTS_ERR_LIMIT;
    z = ready_inflate(gzip);
    if (z == NULL)
        return VTS_ERR_NOMEM;
    z->next_in = (const Bytef *)bytes.ptr;
    z->avail_in = (uInt)bytes.len;
    while (code == Z_OK) {
        enum vts_err err = inflate_step(z, step, out, &code);

        if (err != VTS_OK)
            return err;
        if (out->len - start > RATIO_FREE_BYTES && out->len - start > bytes.len * gzip->max_ratio)
            return VTS_ERR_LIMIT;
    }
    if (code == Z_MEM_ERROR)
        return VTS_ERR_NOMEM;
    return code == Z_STREAM_END && z->avail_in == 0 ? VTS_OK : VTS_ERR_PROTOCOL;
}

enum vts_err vts_gzip_deflate(struct vts_gzip *gzip, struct vts_str bytes, struct vts_buf *out)
{
    z_stream *z = ready_deflate(gzip);
    size_t room;
    char *to;

    if (z == NULL)
        return VTS_ERR_NOMEM;
    if (bytes.len > UINT32_MAX / 2 || out->len == out->max)
        return VTS_ERR_LIMIT;
    room = deflateBound(z, (uLong)bytes.len);
    if (room > out->max - out->len)
        room = out->max - out->len;
    to = vts_buf_reserve(out, room);
    if (to == NULL)
        return vts_buf_check(out);
    z->next_in = (const Bytef *)bytes.ptr;
    z->avail_in = (uInt)bytes.len;
    z->next_out = (Bytef *)to;
    z->avail_out = (uInt)room;
    if (deflate(z, Z_FINISH) != Z_STREAM_END)
        return VTS_ERR_LIMIT;
    vts_buf_commit(out, room - z->avail_out);
    return VTS_OK;
}
