/* SPDX-License-Identifier: Apache-2.0 */
/* A growable byte buffer with a maximum, fixed at construction.
 *
 * Appending never overflows: past the maximum, or without memory, the call fails, the bytes are
 * left out, and the buffer stays failed, so that a writer may check once at its end. */
#ifndef VTS_BASE_BUF_H
#define VTS_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/str.h"

struct vts_buf {
    char *ptr;
    size_t len;
    size_t cap;      /* from ptr on */
    size_t consumed; /* bytes in front of ptr that were dropped and not reclaimed yet */
    size_t max;
    enum vts_err err;
};

void vts_buf_init(struct vts_buf *buf, size_t max_bytes);
/* Frees the bytes; the buffer may be used again, empty and with the same maximum. */
void vts_buf_fini(struct vts_buf *buf);
void vts_buf_append(struct vts_buf *buf, const void *bytes, size_t len);
void vts_buf_append_str(struct vts_buf *buf, struct vts_str text);
void vts_buf_append_text(struct vts_buf *buf, const char *text);
void vts_buf_append_format(struct vts_buf *buf, const char *fmt, ...) VTS_PRINTF(2, 3);
/* Room for len more bytes at the end, or NULL when it fails; the caller writes there and calls
 * vts_buf_commit. Room for nothing is a pointer too. */
VTS_MUST_CHECK char *vts_buf_reserve(struct vts_buf *buf, size_t len);
void vts_buf_commit(struct vts_buf *buf, size_t len);
/* Drops len bytes at the front, without moving the others. */
void vts_buf_consume(struct vts_buf *buf, size_t len);
/* VTS_OK, or what the first failed append met. */
VTS_MUST_CHECK enum vts_err vts_buf_check(const struct vts_buf *buf);
struct vts_str vts_buf_str(const struct vts_buf *buf);

#endif
