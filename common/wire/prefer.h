/* SPDX-License-Identifier: Apache-2.0 */
/* The Prefer field (RFC 7240): what a client would like, and can do without. */
#ifndef VTS_WIRE_PREFER_H
#define VTS_WIRE_PREFER_H

#include "common/base/str.h"

/* Longer times than this many seconds are read as it. */
enum { VTS_PREFER_WAIT_MAX_S = 1000000000 };

/* Reads how long the client would wait, "wait=10", in seconds (RFC 7240 section 4.3). The first
 * preference of that name counts and no other, with its parameters left aside; false when there is
 * none, or it is malformed, which nobody is told. */
bool vts_prefer_wait(struct vts_str prefer, uint64_t *ret_s);

#endif
