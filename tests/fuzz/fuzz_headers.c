/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_headers.c - what stands in headers and queries: each reader on the same text, and back again
 * where there is a way back. Behind a line's end stands a second text for those that take two. */
#include <string.h>

#include "common/base/assert.h"
#include "common/base/utf8.h"
#include "common/wire/accept.h"
#include "common/wire/base64.h"
#include "common/wire/etag.h"
#include "common/wire/metadata.h"
#include "common/wire/percent.h"
#include "common/wire/prefer.h"
#include "common/wire/timeout.h"
#include "tests/fuzz/fuzz.h"

enum { MAX_BYTES = 8 << 20 };

/* Rounded up once, a timeout keeps its text. */
static void check_timeout(int64_t timeout_ns)
{
    char once[VTS_TIMEOUT_TEXT_BYTES];
    char twice[VTS_TIMEOUT_TEXT_BYTES];
    int64_t again_ns = -1;
    enum vts_err err;

    vts_timeout_format_grpc(timeout_ns, once);
    err = vts_timeout_parse_grpc(vts_str_of(once), &again_ns);
    VTS_ASSERT(err == VTS_OK && again_ns >= timeout_ns);
    vts_timeout_format_grpc(again_ns, twice);
    VTS_ASSERT(strcmp(once, twice) == 0);
}

static void check_timeouts(struct vts_str text)
{
    int64_t timeout_ns = -1;

    if (vts_timeout_parse_grpc(text, &timeout_ns) == VTS_OK) {
        VTS_ASSERT(timeout_ns >= 0);
        check_timeout(timeout_ns);
    }
    if (vts_timeout_parse_connect(text, &timeout_ns) == VTS_OK) {
        VTS_ASSERT(timeout_ns >= 0);
        check_timeout(timeout_ns);
    }
}

static void check_percent(struct vts_str text)
{
    struct vts_buf encoded;
    struct vts_buf decoded;

    vts_buf_init(&encoded, MAX_BYTES);
    vts_buf_init(&decoded, MAX_BYTES);
    vts_percent_encode_message(&encoded, text);
    for (size_t i = 0; i < encoded.len; i++)
        VTS_ASSERT(encoded.ptr[i] >= 0x20 && encoded.ptr[i] <= 0x7e);
    vts_percent_decode_message(&decoded, vts_buf_str(&encoded));
    VTS_ASSERT(vts_buf_check(&encoded) == VTS_OK && vts_buf_check(&decoded) == VTS_OK);
    /* With a NUL it is UTF-8 too, but that is not what is asked for here. */
    if (vts_utf8_is_c_string(text))
        VTS_ASSERT(vts_str_equals(vts_buf_str(&decoded), text));
    vts_buf_fini(&decoded);
    vts_percent_decode_message(&decoded, text);
    VTS_ASSERT(vts_buf_check(&decoded) == VTS_OK && decoded.len <= text.len);
    vts_buf_fini(&decoded);
    if (vts_percent_decode_query(&decoded, text) == VTS_OK)
        VTS_ASSERT(decoded.len <= text.len);
    vts_buf_fini(&decoded);
    vts_buf_fini(&encoded);
}

static char standard_letter(char letter)
{
    return letter == '-' ? '+' : letter == '_' ? '/' : letter;
}

/* A text that decodes is the one that encoding gives, up to padding and alphabet. */
static void check_base64_decode(struct vts_str text)
{
    struct vts_buf decoded;
    struct vts_buf encoded;

    vts_buf_init(&decoded, MAX_BYTES);
    vts_buf_init(&encoded, MAX_BYTES);
    if (vts_base64_decode(&decoded, text) == VTS_OK) {
        vts_base64_encode(&encoded, vts_buf_str(&decoded), VTS_BASE64_UNPADDED);
        VTS_ASSERT(encoded.len <= text.len && text.len - encoded.len <= 2);
        for (size_t i = 0; i < text.len; i++)
            VTS_ASSERT(standard_letter(text.ptr[i]) == (i < encoded.len ? encoded.ptr[i] : '='));
    }
    vts_buf_fini(&decoded);
    vts_buf_fini(&encoded);
}

static void check_base64_encode(struct vts_str bytes, enum vts_base64_padding padding)
{
    struct vts_buf encoded;
    struct vts_buf decoded;

    vts_buf_init(&encoded, MAX_BYTES);
    vts_buf_init(&decoded, MAX_BYTES);
    vts_base64_encode(&encoded, bytes, padding);
    VTS_ASSERT(vts_base64_decode(&decoded, vts_buf_str(&encoded)) == VTS_OK);
    VTS_ASSERT(vts_str_equals(vts_buf_str(&decoded), bytes));
    vts_buf_fini(&encoded);
    vts_buf_fini(&decoded);
}

static void check_negotiation(struct vts_str text, struct vts_str second)
{
    static const char *const offers[] = {"application/json", "application/x-protobuf",
                                         "text/event-stream"};
    int choice = vts_accept_choose(text, offers, VTS_ARRAY_LEN(offers));
    int quality = vts_accept_quality(text);

    VTS_ASSERT(choice >= -1 && choice < (int)VTS_ARRAY_LEN(offers));
    VTS_ASSERT(quality >= -1 && quality <= 1000);
    (void)vts_etag_is_listed(text, second);                 /* either is right */
    (void)vts_etag_is_listed(text, vts_str_of("W/\"r7\"")); /* as above */
}

static void check_prefer(struct vts_str text)
{
    uint64_t seconds = 0;

    if (vts_prefer_wait(text, &seconds))
        VTS_ASSERT(seconds <= VTS_PREFER_WAIT_MAX_S && text.len >= strlen("wait=0"));
}

static void check_binary_metadata(struct vts_str text)
{
    struct vts_str rest = text;
    struct vts_buf out;
    size_t count = 0;
    enum vts_err err;

    vts_buf_init(&out, MAX_BYTES);
    do {
        err = vts_metadata_next_binary(&rest, &out);
        count += err == VTS_OK;
    } while (err == VTS_OK);
    VTS_ASSERT(err == VTS_ERR_PROTOCOL || err == VTS_ERR_NOT_FOUND);
    VTS_ASSERT(count <= text.len + 1 && out.len <= text.len);
    VTS_ASSERT(err != VTS_ERR_NOT_FOUND || rest.ptr == NULL);
    vts_buf_fini(&out);
}

static void check_metadata(struct vts_str text)
{
    bool is_name = vts_metadata_is_name(text);

    if (vts_metadata_is_reserved(text) && is_name)
        VTS_ASSERT(text.ptr[0] != ':');
    if (vts_metadata_is_binary(text))
        VTS_ASSERT(text.len >= 4);
    if (vts_metadata_is_ascii_value(text))
        VTS_ASSERT(vts_utf8_is_c_string(text));
    if (vts_metadata_list_has(text, "gzip"))
        VTS_ASSERT(text.len >= 4);
    check_binary_metadata(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct vts_str second = vts_str_make(bytes, len);
    struct vts_str text;

    if (len == 0 || !vts_str_split(&second, '\n', &text))
        return 0;
    check_timeouts(text);
    check_percent(text);
    check_base64_decode(text);
    check_base64_encode(text, VTS_BASE64_PADDED);
    check_base64_encode(text, VTS_BASE64_UNPADDED);
    check_negotiation(text, second);
    check_prefer(text);
    check_metadata(text);
    return 0;
}
