/* SPDX-License-Identifier: Apache-2.0 */
/* test_pb_fields.c - heads of fields at the borders of their lengths. */
#include <CUnit/CUnit.h>
#include <string.h>

#include "common/base/macros.h"
#include "common/wire/pb_fields.h"
#include "tests/support/suite.h"

static void head_has_the_tag_and_a_varint(void)
{
    static const struct {
        unsigned number;
        size_t len;
        const char *head;
        size_t head_len;
    } rows[] = {
        {1, 0, "\x0a\x00", 2},          {2, 1, "\x12\x01", 2},
        {3, 127, "\x1a\x7f", 2},        {1, 128, "\x0a\x80\x01", 3},
        {15, 16383, "\x7a\xff\x7f", 3}, {1, 16384, "\x0a\x80\x80\x01", 4},
    };
    char head[VTS_PB_HEAD_MAX];

    for (size_t i = 0; i < VTS_ARRAY_LEN(rows); i++) {
        CU_ASSERT_EQUAL(vts_pb_write_head(rows[i].number, rows[i].len, head), rows[i].head_len);
        CU_ASSERT_EQUAL(memcmp(head, rows[i].head, rows[i].head_len), 0);
        CU_ASSERT_EQUAL(vts_pb_field_bytes(rows[i].len), rows[i].head_len + rows[i].len);
    }
}

static void field_is_its_head_and_its_bytes(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 16);
    vts_pb_append_field(&buf, 1, vts_str_of("abc"));
    vts_pb_append_field(&buf, 2, vts_str_of(""));
    CU_ASSERT(vts_str_equals(vts_buf_str(&buf), vts_str_make("\x0a\x03"
                                                             "abc\x12\x00",
                                                             7)));
    vts_buf_fini(&buf);
}

static void field_past_the_buffers_maximum_fails(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 4);
    vts_pb_append_field(&buf, 1, vts_str_of("abc"));
    CU_ASSERT_EQUAL(vts_buf_check(&buf), VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
}

static const struct vts_test tests[] = {
    {"head_has_the_tag_and_a_varint", head_has_the_tag_and_a_varint},
    {"field_is_its_head_and_its_bytes", field_is_its_head_and_its_bytes},
    {"field_past_the_buffers_maximum_fails", field_past_the_buffers_maximum_fails},
};

int main(void)
{
    return vts_test_run("test_pb_fields", tests, VTS_ARRAY_LEN(tests));
}
