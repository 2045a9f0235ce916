/* SPDX-License-Identifier: Apache-2.0 */
/* bucket.c - a token bucket kept as one instant.
 *
 * The level is (burst - time until full * rate); storing when it will be full makes refilling
 * nothing at all and taking one addition.
 */
#include "server/guard/bucket.h"

#include "common/base/assert.h"
#include "common/base/clock.h"

void vts_bucket_init(struct vts_bucket *bucket, uint64_t burst, uint64_t per_s)
{
    VTS_ASSERT(burst > 0 && per_s > 0 && per_s <= VTS_NS_PER_S);
    bucket->full_at_ns = 0;
    bucket->burst = burst > UINT32_MAX ? UINT32_MAX : (uint32_t)burst;
    bucket->per_s = (uint32_t)per_s;
}

enum vts_bucket_state vts_bucket_take(struct vts_bucket *bucket, int64_t now_ns)
{
    int64_t token_ns = VTS_NS_PER_S / bucket->per_s;
    int64_t capacity_ns = token_ns * bucket->burst;
    int64_t start_ns = bucket->full_at_ns > now_ns ? bucket->full_at_ns : now_ns;
    int64_t spent_ns = start_ns + token_ns - now_ns;

    if (spent_ns > capacity_ns)
        return VTS_BUCKET_EMPTY;
    bucket->full_at_ns = start_ns + token_ns;
    return spent_ns > capacity_ns / 4 * 3 ? VTS_BUCKET_LOW : VTS_BUCKET_OK;
}
