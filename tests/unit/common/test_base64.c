/* SPDX-License-Identifier: Apache-2.0 */
/* test_base64.c - the vectors of RFC 4648, both alphabets, and what is refused. */
#include "common/wire/base64.h"

#include <CUnit/CUnit.h>
#include <string.h>

#include "tests/support/suite.h"

static const struct {
    const char *bytes;
    const char *text;
} vectors[] = {
    {"", ""},
    {"f", "Zg=="},
    {"fo", "Zm8="},
    {"foo", "Zm9v"},
    {"foob", "Zm9vYg=="},
    {"fooba", "Zm9vYmE="},
    {"foobar", "Zm9vYmFy"},
};

static bool decodes_to(const char *text, struct vts_str expected)
{
    struct vts_buf buf;
    bool is_equal;

    vts_buf_init(&buf, 256);
    is_equal = vts_base64_decode(&buf, vts_str_of(text)) == VTS_OK &&
               vts_str_equals(vts_buf_str(&buf), expected);
    vts_buf_fini(&buf);
    return is_equal;
}

static void base64_vectors_encode(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(vectors); i++) {
        struct vts_buf buf;

        vts_buf_init(&buf, 64);
        vts_base64_encode(&buf, vts_str_of(vectors[i].bytes), VTS_BASE64_PADDED);
        CU_ASSERT(vts_str_equals_text(vts_buf_str(&buf), vectors[i].text));
        vts_buf_fini(&buf);
        vts_base64_encode(&buf, vts_str_of(vectors[i].bytes), VTS_BASE64_UNPADDED);
        CU_ASSERT_EQUAL(buf.len, strcspn(vectors[i].text, "="));
        vts_buf_fini(&buf);
    }
}

static void base64_vectors_decode_padded_and_not(void)
{
    for (size_t i = 0; i < VTS_ARRAY_LEN(vectors); i++) {
        char unpadded[16] = "";

        memcpy(unpadded, vectors[i].text, strcspn(vectors[i].text, "="));
        CU_ASSERT(decodes_to(vectors[i].text, vts_str_of(vectors[i].bytes)));
        CU_ASSERT(decodes_to(unpadded, vts_str_of(vectors[i].bytes)));
    }
}

static void base64_both_alphabets_decode(void)
{
    CU_ASSERT(decodes_to("-_-_", vts_str_make("\xfb\xff\xbf", 3)));
    CU_ASSERT(decodes_to("+/+/", vts_str_make("\xfb\xff\xbf", 3)));
    CU_ASSERT(decodes_to("AAAA", vts_str_make("\0\0\0", 3)));
}

static void base64_bad_texts_are_refused(void)
{
    static const char *const bad[] = {
        "A",        "AAAAA", "=",     "====", "A===", "Zg=",     "Zm8==", "Zg=a",
        "Zg==Zg==", "Zm 8=", "Zm8\n", "Zh==", "Zm9=", "Z\xc3g=", "Zg===", "*AAA"};

    for (size_t i = 0; i < VTS_ARRAY_LEN(bad); i++) {
        struct vts_buf buf;

        vts_buf_init(&buf, 64);
        CU_ASSERT_EQUAL(vts_base64_decode(&buf, vts_str_of(bad[i])), VTS_ERR_PROTOCOL);
        vts_buf_fini(&buf);
    }
}

static void base64_decode_past_the_buffers_maximum_fails(void)
{
    struct vts_buf buf;

    vts_buf_init(&buf, 2);
    CU_ASSERT_EQUAL(vts_base64_decode(&buf, vts_str_of("AAAA")), VTS_ERR_LIMIT);
    vts_buf_fini(&buf);
}

static void base64_every_length_comes_back(void)
{
    char bytes[64];

    for (size_t i = 0; i < sizeof(bytes); i++)
        bytes[i] = (char)(i * 37 + 11);
    for (size_t len = 0; len <= sizeof(bytes); len++) {
        struct vts_buf text;

        vts_buf_init(&text, 128);
        vts_base64_encode(&text, vts_str_make(bytes, len), VTS_BASE64_UNPADDED);
        vts_buf_append(&text, "", 1);
        CU_ASSERT(decodes_to(text.ptr, vts_str_make(bytes, len)));
        vts_buf_fini(&text);
    }
}

int main(void)
{
    static const struct vts_test tests[] = {
        {"base64_vectors_encode", base64_vectors_encode},
        {"base64_vectors_decode_padded_and_not", base64_vectors_decode_padded_and_not},
        {"base64_both_alphabets_decode", base64_both_alphabets_decode},
        {"base64_bad_texts_are_refused", base64_bad_texts_are_refused},
        {"base64_decode_past_the_buffers_maximum_fails",
         base64_decode_past_the_buffers_maximum_fails},
        {"base64_every_length_comes_back", base64_every_length_comes_back},
    };

    return vts_test_run("base64", tests, VTS_ARRAY_LEN(tests));
}
