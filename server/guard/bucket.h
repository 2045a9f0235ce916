/* SPDX-License-Identifier: Apache-2.0 */
/* A token bucket: `burst` events at once, `per_s` a second in the long run. Time is passed in. */
#ifndef VTS_GUARD_BUCKET_H
#define VTS_GUARD_BUCKET_H

#include <stdint.h>

enum vts_bucket_state {
    VTS_BUCKET_OK,
    VTS_BUCKET_LOW,   /* three quarters of the burst are spent */
    VTS_BUCKET_EMPTY, /* the event is one too many */
};

struct vts_bucket {
    int64_t full_at_ns; /* when it will be full again if nothing more is taken */
    uint32_t burst;
    uint32_t per_s;
};

/* Full at the start. burst and per_s are at least 1, and per_s at most 10^9; a token takes a whole
 * number of nanoseconds to come back, rounded down. */
void vts_bucket_init(struct vts_bucket *bucket, uint64_t burst, uint64_t per_s);
/* Takes one token, if there is one, and tells how the bucket stands. */
enum vts_bucket_state vts_bucket_take(struct vts_bucket *bucket, int64_t now_ns);

#endif
