/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 (RFC 3629), one character at a time. */
#ifndef VTS_BASE_UTF8_H
#define VTS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/str.h"

/* Reads the character at the front of text and returns its length in bytes, or 0 when there is
 * none: an overlong form, a surrogate, beyond U+10FFFF, cut off, or len 0. */
size_t vts_utf8_decode(const char *text, size_t len, uint32_t *ret_code_point);
/* C0, DEL and C1. */
bool vts_utf8_is_control(uint32_t code_point);
/* Whether text is UTF-8 all through and free of NUL, so that it can be handed out as a C string. */
bool vts_utf8_is_c_string(struct vts_str text);

#endif
