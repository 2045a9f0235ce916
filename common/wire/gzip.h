/* SPDX-License-Identifier: Apache-2.0 */
/* gzip (RFC 1952), the compression that gRPC, Connect and HTTP have in common.
 *
 * A vts_gzip keeps its streams from one message to the next, since to make one costs more than to
 * use it. It belongs to one thread. */
#ifndef VTS_WIRE_GZIP_H
#define VTS_WIRE_GZIP_H

#include "common/base/buf.h"

struct vts_gzip_stream;

struct vts_gzip {
    struct vts_gzip_stream *inflate; /* NULL until it is used for the first time */
    struct vts_gzip_stream *deflate;
    uint64_t max_ratio; /* see vts_gzip_inflate(); may be set anew */
};

enum { VTS_GZIP_MAX_RATIO = 100 };

/* With VTS_GZIP_MAX_RATIO. */
void vts_gzip_init(struct vts_gzip *gzip);
void vts_gzip_fini(struct vts_gzip *gzip);
/* Appends what one whole gzip member says; after a failure the buffer may hold a part of it.
 *
 * VTS_ERR_LIMIT when it is more than the buffer may have, or past 64 KiB more than max_ratio times
 * its compressed size. VTS_ERR_PROTOCOL when it is broken, cut off, empty, of another format, or
 * anything stands behind it, be it another member. VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_gzip_inflate(struct vts_gzip *gzip, struct vts_str bytes,
                                             struct vts_buf *out);
/* Appends bytes as one gzip member, or nothing when it fails. VTS_ERR_LIMIT when it is more than
 * the buffer may have: with a maximum of bytes.len, what does not get smaller is left alone.
 * VTS_ERR_NOMEM. */
VTS_MUST_CHECK enum vts_err vts_gzip_deflate(struct vts_gzip *gzip, struct vts_str bytes,
                                             struct vts_buf *out);

#endif
