/* SPDX-License-Identifier: Apache-2.0 */
/* Entity tags in conditional requests (RFC 9110 sections 8.8.3 and 13.1.2). */
#ifndef VTS_WIRE_ETAG_H
#define VTS_WIRE_ETAG_H

#include <stdbool.h>

#include "common/base/str.h"

/* Whether an If-None-Match header names etag, which stands in quotes and may start with W/.
 * Comparison is weak, as the header wants it; a header of just "*" names every tag. */
bool vts_etag_is_listed(struct vts_str if_none_match, struct vts_str etag);

#endif
