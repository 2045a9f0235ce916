/* SPDX-License-Identifier: Apache-2.0 */
/* test_envelope.c - prefixes and payloads, however the bytes are cut. */
#include "common/wire/envelope.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "tests/support/suite.h"

static const char two[] =
    "\x00\x00\x00\x00\x03"
    "abc"
    "\x01\x00\x00\x00\x00";
static const size_t two_len = sizeof(two) - 1;

/* Feeds `two` in steps of `step` bytes and counts the envelopes that come out right. */
static unsigned count_right(size_t step)
{
    struct vts_envelope_reader reader;
    struct vts_envelope envelope;
    unsigned count = 0;
    size_t at = 0;

    vts_envelope_reader_init(&reader, 16);
    while (at < two_len) {
        size_t len = two_len - at < step ? two_len - at : step;

        at += vts_envelope_reader_feed(&reader, vts_str_make(two + at, len));
        if (vts_envelope_reader_get(&reader, &envelope) != VTS_OK)
            continue;
        count += count == 0 ? envelope.flags == 0 && vts_str_equals_text(envelope.payload, "abc")
                            : envelope.flags == 1 && envelope.payload.len == 0;
        vts_envelope_reader_next(&reader);
    }
    CU_ASSERT(vts_envelope_reader_is_between(&reader));
    vts_envelope_reader_fini(&reader);
    return count;
}

static void envelope_any_cut_gives_the_same(void)
{
    for (size_t step = 1; step <= two_len; step++)
        CU_ASSERT_EQUAL(count_right(step), 2);
}

static void envelope_part_of_a_prefix_waits(void)
{
    struct vts_envelope_reader reader;
    struct vts_envelope envelope;

    vts_envelope_reader_init(&reader, 16);
    CU_ASSERT_EQUAL(vts_envelope_reader_get(&reader, &envelope), VTS_ERR_AGAIN);
    CU_ASSERT_EQUAL(vts_envelope_reader_feed(&reader, vts_str_make(two, 4)), 4);
    CU_ASSERT_EQUAL(vts_envelope_reader_get(&reader, &envelope), VTS_ERR_AGAIN);
    CU_ASSERT(!vts_envelope_reader_is_between(&reader));
    vts_envelope_reader_fini(&reader);
}

static void envelope_over_the_limit_is_known_after_the_prefix(void)
{
    struct vts_envelope_reader reader;
    struct vts_envelope envelope;

    vts_envelope_reader_init(&reader, 2);
    CU_ASSERT_EQUAL(vts_envelope_reader_feed(&reader, vts_str_make(two, two_len)), 5);
    CU_ASSERT_EQUAL(vts_envelope_reader_get(&reader, &envelope), VTS_ERR_LIMIT);
    CU_ASSERT_EQUAL(vts_envelope_reader_announced_bytes(&reader), 3);
    CU_ASSERT_PTR_NULL(reader.payload.ptr);
    vts_envelope_reader_fini(&reader);
}

static void envelope_of_four_gigabytes_allocates_nothing(void)
{
    struct vts_envelope_reader reader;
    struct vts_envelope envelope;

    vts_envelope_reader_init(&reader, SIZE_MAX / 2);
    CU_ASSERT_EQUAL(vts_envelope_reader_feed(&reader, vts_str_make("\0\xff\xff\xff\xff", 5)), 5);
    CU_ASSERT_EQUAL(vts_envelope_reader_get(&reader, &envelope), VTS_ERR_AGAIN);
    CU_ASSERT(reader.payload.cap < 4096);
    vts_envelope_reader_fini(&reader);
}

static void envelope_prefix_written_is_read(void)
{
    uint8_t prefix[VTS_ENVELOPE_PREFIX_BYTES];

    vts_envelope_write_prefix(VTS_ENVELOPE_WEB_TRAILERS, 0x01020304, prefix);
    CU_ASSERT_EQUAL(memcmp(prefix, "\x80\x01\x02\x03\x04", sizeof(prefix)), 0);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"envelope_any_cut_gives_the_same", envelope_any_cut_gives_the_same},
        {"envelope_part_of_a_prefix_waits", envelope_part_of_a_prefix_waits},
        {"envelope_over_the_limit_is_known_after_the_prefix",
         envelope_over_the_limit_is_known_after_the_prefix},
        {"envelope_of_four_gigabytes_allocates_nothing",
         envelope_of_four_gigabytes_allocates_nothing},
        {"envelope_prefix_written_is_read", envelope_prefix_written_is_read},
    };

    return vts_test_run("envelope", tests, VTS_ARRAY_LEN(tests));
}
