/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz_json_query.c - what is written of a query is JSON, whatever it says; the path's decoder
 * looks at the same text. The first byte chooses the message. */
#include "common/base/assert.h"
#include "common/base/macros.h"
#include "common/wire/json_query.h"
#include "common/wire/json_token.h"
#include "common/wire/percent.h"
#include "every_type.pb-c.h"
#include "tests/fuzz/fuzz.h"
#include "tests/support/every_type.h"

enum { MAX_BYTES = 8 << 20 };

static const ProtobufCMessageDescriptor *const types[] = {
    &vtstest__every_type__descriptor, &vtstest__lists__descriptor, &vtstest__choice__descriptor,
    &vtstest__odd_names__descriptor, &vtstest__well_known__descriptor};

static void check_json(struct vts_str json)
{
    const struct vts_json_limits limits = {
        .max_bytes = MAX_BYTES, .max_values = MAX_BYTES, .max_depth = 2};
    struct vts_json_doc doc;
    enum vts_err err = vts_json_doc_parse(json, &limits, NULL, &doc);

    VTS_ASSERT(err == VTS_OK);
    vts_json_doc_free(&doc);
}

static void check_query(struct vts_str query, const ProtobufCMessageDescriptor *type)
{
    struct vts_error error = {.text = ""};
    struct vts_buf json;
    enum vts_err err;

    vts_buf_init(&json, MAX_BYTES);
    err = vts_json_query_write(&json, query, type, vts_test_every_type(), &error);
    VTS_ASSERT(err == VTS_OK || err == VTS_ERR_INVALID);
    VTS_ASSERT((err == VTS_OK) == (error.text[0] == '\0'));
    for (const char *c = error.text; *c != '\0'; c++)
        VTS_ASSERT(*c >= 0x20 && *c <= 0x7e);
    if (err == VTS_OK)
        check_json(vts_buf_str(&json));
    vts_buf_fini(&json);
}

static void check_path(struct vts_str text)
{
    struct vts_buf decoded;
    enum vts_err err;

    vts_buf_init(&decoded, MAX_BYTES);
    err = vts_percent_decode_path(&decoded, text);
    VTS_ASSERT(err == VTS_OK || err == VTS_ERR_PROTOCOL);
    VTS_ASSERT(decoded.len <= text.len);
    vts_buf_fini(&decoded);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    struct vts_str text;

    if (len == 0)
        return 0;
    text = vts_str_make(bytes + 1, len - 1);
    check_query(text, types[bytes[0] % VTS_ARRAY_LEN(types)]);
    check_path(text);
    return 0;
}
