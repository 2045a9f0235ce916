/* SPDX-License-Identifier: Apache-2.0 */
/* Content negotiation by the Accept header (RFC 9110 section 12.5.1). */
#ifndef VTS_WIRE_ACCEPT_H
#define VTS_WIRE_ACCEPT_H

#include <stddef.h>

#include "common/base/str.h"

/* Returns the index of the offered media type the header likes best, or -1 when it takes none.
 *
 * offers are at most 8, lower-case "type/subtype"; among equally liked ones the first wins. The
 * most specific range decides a type's quality, among equally specific ones the highest; q=0
 * forbids it. An empty header takes anything. Ranges that do not parse are passed over; parameters
 * other than q are ignored. */
int vts_accept_choose(struct vts_str accept, const char *const offers[], size_t offers_count);

/* The q parameter among an element's parameters, "charset=utf-8;q=0.5", in thousandths: 1000
 * without one, -1 when it is malformed (RFC 9110 section 12.4.2). */
int vts_accept_quality(struct vts_str parameters);

#endif
