/* SPDX-License-Identifier: Apache-2.0 */
/* What http_parser lets through and request smuggling lives on: refused before it parses. */
#ifndef VTS_HTTP_H1_STRICT_H
#define VTS_HTTP_H1_STRICT_H

#include "common/base/str.h"

/* Where the header section ends: the length up to and with its empty line, or 0 when it is not
 * complete. A bare LF counts as a line's end here, so that it is seen and refused. The first `seen`
 * bytes were looked at before, without success. */
size_t vts_h1_head_len(struct vts_str bytes, size_t seen);

/* Checks a complete header section (RFC 9112 sections 2.2, 3 and 5): lines end in CRLF, none holds
 * a bare CR, NUL or other control byte, the request line is three parts with single blanks, no
 * field line is folded or has a blank before its colon. Returns 0, or the HTTP code to refuse with;
 * *ret_text then says why. */
int vts_h1_check_head(struct vts_str head, const char **ret_text);

/* tchar (RFC 9110 5.6.2), which names are made of. */
bool vts_h1_is_token_char(char c);

/* Whether text can be "host[:port]" (RFC 9110 7.2): not empty, and nothing in it that a URI's host
 * or port cannot have. */
bool vts_h1_is_host(struct vts_str text);

#endif
