/* SPDX-License-Identifier: Apache-2.0 */
/* test_gzip.c - members of the gzip tool and our own, and what a bomb meets. */
#include "common/wire/gzip.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/mem.h"
#include "common/base/rng.h"
#include "tests/support/suite.h"

static const char text[] = "a status is pending, a status is pending, a status is done";

/* The text, as "gzip -n9" has it. */
static const unsigned char member[] = {
    0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00, 0x00, 0x02, 0x03, 0x4b, 0x54, 0x28, 0x2e, 0x49, 0x2c,
    0x29, 0x2d, 0x56, 0xc8, 0x2c, 0x56, 0x28, 0x48, 0xcd, 0x4b, 0xc9, 0xcc, 0x4b, 0xd7, 0x51, 0x48,
    0x24, 0x24, 0x98, 0x92, 0x9f, 0x97, 0x0a, 0x00, 0x44, 0x99, 0x58, 0x4a, 0x3a, 0x00, 0x00, 0x00};

/* "named" with a file name and a time in front. */
static const unsigned char named_member[] = {0x1f, 0x8b, 0x08, 0x08, 0x77, 0x13, 0x08, 0x6b, 0x02,
                                             0x03, 0x6e, 0x61, 0x6d, 0x65, 0x2e, 0x74, 0x78, 0x74,
                                             0x00, 0xcb, 0x4b, 0xcc, 0x4d, 0x4d, 0x01, 0x00, 0x87,
                                             0xcc, 0xe0, 0x71, 0x05, 0x00, 0x00, 0x00};

static const unsigned char empty_member[] = {0x1f, 0x8b, 0x08, 0x00, 0x00, 0x00, 0x00,
                                             0x00, 0x00, 0x03, 0x03, 0x00, 0x00, 0x00,
                                             0x00, 0x00, 0x00, 0x00, 0x00, 0x00};

static enum vts_err inflate_into(struct vts_str bytes, size_t max_bytes, struct vts_buf *out)
{
    struct vts_gzip gzip;
    enum vts_err err;

    vts_gzip_init(&gzip);
    vts_buf_init(out, max_bytes);
    err = vts_gzip_inflate(&gzip, bytes, out);
    vts_gzip_fini(&gzip);
    return err;
}

static enum vts_err inflate_only(struct vts_str bytes, size_t max_bytes)
{
    struct vts_buf out;
    enum vts_err err = inflate_into(bytes, max_bytes, &out);

    CU_ASSERT(out.len <= max_bytes);
    vts_buf_fini(&out);
    return err;
}

static bool inflates_to(struct vts_str bytes, const char *expected)
{
    struct vts_buf out;
    bool is_equal = inflate_into(bytes, 1024, &out) == VTS_OK &&
                    vts_str_equals_text(vts_buf_str(&out), expected);

    vts_buf_fini(&out);
    return is_equal;
}

/* The caller frees it. */
static struct vts_buf deflated(struct vts_str bytes)
{
    struct vts_gzip gzip;
    struct vts_buf out;

    vts_gzip_init(&gzip);
    vts_buf_init(&out, 4 << 20);
    CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, bytes, &out), VTS_OK);
    vts_gzip_fini(&gzip);
    return out;
}

/* Letters of a small alphabet with runs between them. */
static struct vts_buf sample(size_t len, size_t run)
{
    struct vts_buf buf;
    struct vts_rng rng;

    vts_buf_init(&buf, len);
    vts_rng_init(&rng, len);
    for (size_t i = 0; i < len; i++) {
        char letter = (char)(run == 0 || i % run == 0 ? vts_rng_next(&rng) % 32 : 0);

        vts_buf_append(&buf, &letter, 1);
    }
    return buf;
}

static void inflate_reads_what_the_gzip_tool_wrote(void)
{
    CU_ASSERT(inflates_to(vts_str_make(member, sizeof(member)), text));
    CU_ASSERT(inflates_to(vts_str_make(named_member, sizeof(named_member)), "named"));
    CU_ASSERT(inflates_to(vts_str_make(empty_member, sizeof(empty_member)), ""));
}

static void deflate_and_inflate_give_the_same(void)
{
    static const size_t lens[] = {0, 1, 100, 16383, 16384, 16385, 32768, 65536, 300000, 1 << 20};
    struct vts_gzip gzip;

    vts_gzip_init(&gzip);
    for (size_t i = 0; i < VTS_ARRAY_LEN(lens); i++) {
        struct vts_buf bytes = sample(lens[i], i % 2 == 0 ? 0 : 8);
        struct vts_buf packed;
        struct vts_buf out;

        vts_buf_init(&packed, 2 << 20);
        vts_buf_init(&out, lens[i]);
        CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_buf_str(&bytes), &packed), VTS_OK);
        CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, vts_buf_str(&packed), &out), VTS_OK);
        CU_ASSERT(vts_str_equals(vts_buf_str(&out), vts_buf_str(&bytes)));
        vts_buf_fini(&out);
        vts_buf_fini(&packed);
        vts_buf_fini(&bytes);
    }
    vts_gzip_fini(&gzip);
}

static void both_append_to_what_is_there(void)
{
    struct vts_buf packed;
    struct vts_buf out;
    struct vts_gzip gzip;

    vts_gzip_init(&gzip);
    vts_buf_init(&packed, 1024);
    vts_buf_init(&out, 1024);
    vts_buf_append_text(&packed, "12345");
    vts_buf_append_text(&out, "a ");
    CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_str_of("status"), &packed), VTS_OK);
    CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, vts_str_make(packed.ptr + 5, packed.len - 5), &out),
                    VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&out), "a status"));
    vts_buf_fini(&packed);
    vts_buf_fini(&out);
    vts_gzip_fini(&gzip);
}

static void deflate_ends_at_the_buffers_maximum(void)
{
    struct vts_buf bytes = sample(1000, 0);
    struct vts_buf whole = deflated(vts_buf_str(&bytes));
    struct vts_gzip gzip;
    struct vts_buf out;

    vts_gzip_init(&gzip);
    for (size_t max = 0; max <= whole.len; max++) {
        vts_buf_init(&out, max);
        CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_buf_str(&bytes), &out),
                        max == whole.len ? VTS_OK : VTS_ERR_LIMIT);
        CU_ASSERT_EQUAL(out.len, max == whole.len ? max : 0);
        vts_buf_fini(&out);
    }
    vts_gzip_fini(&gzip);
    vts_buf_fini(&whole);
    vts_buf_fini(&bytes);
}

static void inflate_ends_at_the_buffers_maximum(void)
{
    static const size_t lens[] = {1, 100, 16384, 32768, 50000};

    for (size_t i = 0; i < VTS_ARRAY_LEN(lens); i++) {
        struct vts_buf bytes = sample(lens[i], 8);
        struct vts_buf packed = deflated(vts_buf_str(&bytes));

        CU_ASSERT_EQUAL(inflate_only(vts_buf_str(&packed), lens[i]), VTS_OK);
        CU_ASSERT_EQUAL(inflate_only(vts_buf_str(&packed), lens[i] - 1), VTS_ERR_LIMIT);
        CU_ASSERT_EQUAL(inflate_only(vts_buf_str(&packed), 0), VTS_ERR_LIMIT);
        vts_buf_fini(&packed);
        vts_buf_fini(&bytes);
    }
    CU_ASSERT_EQUAL(inflate_only(vts_str_make(empty_member, sizeof(empty_member)), 0), VTS_OK);
}

static void inflate_of_a_bomb_stops_early(void)
{
    struct vts_buf bytes;
    struct vts_buf packed;
    struct vts_buf out;
    char *zeros;

    vts_buf_init(&bytes, 1 << 20);
    zeros = vts_buf_reserve(&bytes, 1 << 20);
    CU_ASSERT_PTR_NOT_NULL_FATAL(zeros);
    memset(zeros, 0, 1 << 20);
    vts_buf_commit(&bytes, 1 << 20);
    packed = deflated(vts_buf_str(&bytes));
    CU_ASSERT(packed.len < 8192);
    CU_ASSERT_EQUAL(inflate_into(vts_buf_str(&packed), 1 << 20, &out), VTS_ERR_LIMIT);
    CU_ASSERT(out.len <= packed.len * 100 + 16384);
    vts_buf_fini(&out);
    vts_buf_fini(&packed);

    /* The same ratio is nothing to fear of 64 KiB. */
    packed = deflated(vts_str_make(zeros, 65536));
    CU_ASSERT(packed.len * 100 < 65536);
    CU_ASSERT_EQUAL(inflate_only(vts_buf_str(&packed), 1 << 20), VTS_OK);
    vts_buf_fini(&packed);
    packed = deflated(vts_str_make(zeros, 65537));
    CU_ASSERT_EQUAL(inflate_only(vts_buf_str(&packed), 1 << 20), VTS_ERR_LIMIT);
    vts_buf_fini(&packed);
    vts_buf_fini(&bytes);
}

static void inflate_grows_as_far_as_it_is_told(void)
{
    static const char zeros[65537];
    struct vts_buf packed = deflated(vts_str_make(zeros, sizeof(zeros)));
    uint64_t ratio = sizeof(zeros) / packed.len;

    for (int more = 0; more < 2; more++) {
        struct vts_gzip gzip;
        struct vts_buf out;

        vts_gzip_init(&gzip);
        gzip.max_ratio = ratio + (uint64_t)more;
        vts_buf_init(&out, sizeof(zeros));
        CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, vts_buf_str(&packed), &out),
                        more ? VTS_OK : VTS_ERR_LIMIT);
        CU_ASSERT_EQUAL(vts_buf_check(&out), VTS_OK);
        vts_buf_fini(&out);
        vts_gzip_fini(&gzip);
    }
    vts_buf_fini(&packed);
}

static void inflate_refuses_what_is_no_whole_member(void)
{
    static const unsigned char zlib_format[] = {0x78, 0x9c, 0x4b, 0x04, 0x00,
                                                0x00, 0x62, 0x00, 0x62};
    static const unsigned char raw_format[] = {0x4b, 0x04, 0x00};

    CU_ASSERT_EQUAL(inflate_only(vts_str_make(NULL, 0), 1024), VTS_ERR_PROTOCOL);
    for (size_t len = 0; len < sizeof(member); len++)
        CU_ASSERT_EQUAL(inflate_only(vts_str_make(member, len), 1024), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(inflate_only(vts_str_make(zlib_format, sizeof(zlib_format)), 1024),
                    VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(inflate_only(vts_str_make(raw_format, sizeof(raw_format)), 1024),
                    VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(inflate_only(vts_str_of(text), 1024), VTS_ERR_PROTOCOL);
}

static void inflate_refuses_what_stands_behind(void)
{
    char two[2 * sizeof(member)];

    memcpy(two, member, sizeof(member));
    memcpy(two + sizeof(member), member, sizeof(member));
    CU_ASSERT_EQUAL(inflate_only(vts_str_make(two, sizeof(two)), 1024), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(inflate_only(vts_str_make(two, sizeof(member) + 1), 1024), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(inflate_only(vts_str_make(two, sizeof(member)), 1024), VTS_OK);
}

/* Behind the ten bytes of the header each bit is covered by the checksum or the length. */
static void inflate_refuses_changed_bits(void)
{
    for (size_t i = 10; i < sizeof(member); i++) {
        unsigned char changed[sizeof(member)];

        memcpy(changed, member, sizeof(member));
        changed[i] ^= 1;
        CU_ASSERT_EQUAL(inflate_only(vts_str_make(changed, sizeof(changed)), 1024),
                        VTS_ERR_PROTOCOL);
    }
}

static void streams_work_on_after_a_failure(void)
{
    struct vts_str bytes = vts_str_make(member, sizeof(member));
    struct vts_gzip gzip;
    struct vts_buf out;

    vts_gzip_init(&gzip);
    vts_buf_init(&out, sizeof(text) - 1);
    CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, vts_str_make(member, 30), &out), VTS_ERR_PROTOCOL);
    CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, bytes, &out), VTS_ERR_LIMIT);
    vts_buf_fini(&out);
    CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, bytes, &out), VTS_OK);
    CU_ASSERT(vts_str_equals_text(vts_buf_str(&out), text));
    vts_buf_fini(&out);

    vts_buf_init(&out, 10);
    CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_str_of(text), &out), VTS_ERR_LIMIT);
    vts_buf_fini(&out);
    vts_buf_init(&out, 100);
    CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_str_of(text), &out), VTS_OK);
    CU_ASSERT(inflates_to(vts_buf_str(&out), text));
    vts_buf_fini(&out);
    vts_gzip_fini(&gzip);
}

static void both_fail_without_memory_and_leak_nothing(void)
{
    bool has_failed = true;

    for (long count = 0; has_failed; count++) {
        struct vts_gzip gzip;
        struct vts_buf packed;
        struct vts_buf out;
        enum vts_err err;

        vts_gzip_init(&gzip);
        vts_buf_init(&packed, 1024);
        vts_buf_init(&out, 1024);
        (void)vts_mem_fail_after(count); /* nothing failed before */
        err = vts_gzip_deflate(&gzip, vts_str_of(text), &packed);
        if (err == VTS_OK)
            err = vts_gzip_inflate(&gzip, vts_buf_str(&packed), &out);
        has_failed = vts_mem_fail_after(-1) == 1;
        CU_ASSERT_EQUAL(err, has_failed ? VTS_ERR_NOMEM : VTS_OK);
        vts_buf_fini(&out);
        vts_buf_fini(&packed);
        vts_gzip_fini(&gzip);
        CU_ASSERT_FATAL(count < 100);
    }
}

static void streams_are_made_once(void)
{
    struct vts_gzip gzip;
    struct vts_buf out;

    vts_gzip_init(&gzip);
    vts_buf_init(&out, 1024);
    CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_str_of(text), &out), VTS_OK);
    CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, vts_str_make(member, sizeof(member)), &out), VTS_OK);
    out.len = 0;
    (void)vts_mem_fail_after(0); /* nothing failed before */
    CU_ASSERT_EQUAL(vts_gzip_deflate(&gzip, vts_str_of("x"), &out), VTS_OK);
    CU_ASSERT_EQUAL(vts_gzip_inflate(&gzip, vts_str_make(member, sizeof(member)), &out), VTS_OK);
    CU_ASSERT_EQUAL(vts_mem_fail_after(-1), 0);
    vts_buf_fini(&out);
    vts_gzip_fini(&gzip);
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"inflate_reads_what_the_gzip_tool_wrote", inflate_reads_what_the_gzip_tool_wrote},
        {"deflate_and_inflate_give_the_same", deflate_and_inflate_give_the_same},
        {"both_append_to_what_is_there", both_append_to_what_is_there},
        {"deflate_ends_at_the_buffers_maximum", deflate_ends_at_the_buffers_maximum},
        {"inflate_ends_at_the_buffers_maximum", inflate_ends_at_the_buffers_maximum},
        {"inflate_of_a_bomb_stops_early", inflate_of_a_bomb_stops_early},
        {"inflate_grows_as_far_as_it_is_told", inflate_grows_as_far_as_it_is_told},
        {"inflate_refuses_what_is_no_whole_member", inflate_refuses_what_is_no_whole_member},
        {"inflate_refuses_what_stands_behind", inflate_refuses_what_stands_behind},
        {"inflate_refuses_changed_bits", inflate_refuses_changed_bits},
        {"streams_work_on_after_a_failure", streams_work_on_after_a_failure},
        {"both_fail_without_memory_and_leak_nothing", both_fail_without_memory_and_leak_nothing},
        {"streams_are_made_once", streams_are_made_once},
    };

    return vts_test_run("gzip", tests, VTS_ARRAY_LEN(tests));
}
