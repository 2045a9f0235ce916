/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_gzip.c - a member stays within its buffer, and bytes survive the way there and back.
 *
 * The first byte sets how much may come of a member.
 */
#include "common/base/assert.h"
#include "common/wire/gzip.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_BYTES = 8 << 20, RATIO_FREE_BYTES = 64 * 1024 };

/* One for all inputs, as a loop has one for all messages. */
static struct vts_gzip gzip;

static void check_round_trip(struct vts_str bytes)
{
    struct vts_buf packed;
    struct vts_buf out;
    enum vts_err err;

    vts_buf_init(&packed, MAX_BYTES);
    vts_buf_init(&out, bytes.len);
    err = vts_gzip_deflate(&gzip, bytes, &packed);
    VTS_ASSERT(err == VTS_OK);
    err = vts_gzip_inflate(&gzip, vts_buf_str(&packed), &out);
    if (err == VTS_ERR_LIMIT)
        VTS_ASSERT(bytes.len > RATIO_FREE_BYTES && bytes.len > 100 * packed.len);
    else
        VTS_ASSERT(err == VTS_OK && vts_str_equals(vts_buf_str(&out), bytes));
    vts_buf_fini(&packed);
    vts_buf_fini(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct vts_str member;
    struct vts_buf out;
    enum vts_err err;

    if (len == 0)
        return 0;
    member = vts_str_make(bytes + 1, len - 1);
    vts_buf_init(&out, (size_t)1 << bytes[0] % 24);
    err = vts_gzip_inflate(&gzip, member, &out);
    VTS_ASSERT(err == VTS_OK || err == VTS_ERR_LIMIT || err == VTS_ERR_PROTOCOL);
    VTS_ASSERT(out.len <= out.max);
    if (err == VTS_OK)
        check_round_trip(vts_buf_str(&out));
    check_round_trip(member);
    vts_buf_fini(&out);
    return 0;
}
