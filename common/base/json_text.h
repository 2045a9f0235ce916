/* SPDX-License-Identifier: Apache-2.0 */
/* Strings as JSON writes them (RFC 8259 section 7): for logs and for bodies alike. */
#ifndef VTS_BASE_JSON_TEXT_H
#define VTS_BASE_JSON_TEXT_H

#include "common/base/buf.h"

/* Appends text as a quoted JSON string. Control characters, those beyond ASCII too, are
 * escaped, so that a terminal takes none of them for a command; and bytes that are no
 * UTF-8 become U+FFFD, so that the output is valid whatever a peer sent. */
void vts_json_text_write(struct vts_buf *buf, struct vts_str text);

#endif
