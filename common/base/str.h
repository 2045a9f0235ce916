/* SPDX-License-Identifier: Apache-2.0 */
/* A borrowed piece of text: pointer and length, no terminating NUL promised. */
#ifndef VTS_BASE_STR_H
#define VTS_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/base/err.h"

enum { VTS_STR_U64_DIGITS = 20 }; /* of the largest number */

struct vts_str {
    const char *ptr;
    size_t len;
};

/* The first ones stand here so that the length of a literal is known when they are compiled. */

static inline struct vts_str vts_str_make(const void *ptr, size_t len)
{
    return (struct vts_str){(const char *)ptr, len};
}

/* text may be NULL, which gives the empty string. */
static inline struct vts_str vts_str_of(const char *text)
{
    return text == NULL ? vts_str_make("", 0) : vts_str_make(text, strlen(text));
}

static inline bool vts_str_equals(struct vts_str a, struct vts_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

static inline bool vts_str_equals_text(struct vts_str a, const char *text)
{
    return vts_str_equals(a, vts_str_of(text));
}

/* ASCII letters compare without case; other bytes as they are. */
bool vts_str_equals_nocase(struct vts_str a, const char *text);
bool vts_str_starts_with(struct vts_str a, const char *prefix);
/* Without blanks (SP, HTAB) at both ends: the optional white space of HTTP (RFC 9110 5.6.3). */
struct vts_str vts_str_trim(struct vts_str a);
/* Takes what stands before the first `separator` off the front of *rest, and the separator too.
 * Returns false when *rest was exhausted before; an exhausted rest has a NULL ptr. */
bool vts_str_split(struct vts_str *rest, char separator, struct vts_str *ret_part);
/* As vts_str_split, but a separator inside a quoted-string (RFC 9110 5.6.4) does not count. */
bool vts_str_split_quoted(struct vts_str *rest, char separator, struct vts_str *ret_part);
/* Copies up to cap bytes of what the pieces make joined, but for its first `skip` bytes; returns
 * how many. Fewer than cap: the rest is copied. */
size_t vts_str_copy_pieces(const struct vts_str pieces[], size_t count, size_t skip, char *out,
                           size_t cap);
/* Writes the value's decimal digits, without a NUL; returns how many. */
size_t vts_str_write_u64(char out[VTS_STR_U64_DIGITS], uint64_t value);
/* 1*DIGIT and nothing else, at most max; otherwise VTS_ERR_INVALID. */
VTS_MUST_CHECK enum vts_err vts_str_to_u64(struct vts_str a, uint64_t max, uint64_t *ret_value);

#endif
